"""What would everybody have answered? The few answers of a survey and the flag of the system, each mending the other.

The system knows every contact but misreads some; the survey reads them right but hears only those who answer, and they are not
like the rest. Both together say what everybody would have said, if within a stratum those who answered are like those who did not.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from datetime import datetime

import polars as pl

from fcrlib.judge.agree import Agreement, agreement, ends, rogan_gladen
from fcrlib.judge.rates import Z95, rate
from fcrlib.judge.strata import ladder, tally
from fcrlib.judge.weights import Weights, response_weights
from fcrlib.model.columns import known
from fcrlib.model.errors import DataError, UsageError

__all__ = [
    "Agreement", "Weights", "agreement", "bounds", "hybrid", "last_answers", "means", "quality_score", "response_weights", "rogan_gladen",
    "sample_size", "tilt_in_words", "tipping",
]  # fmt: skip
Phases = tuple[pl.DataFrame, pl.DataFrame, str]


def hybrid(
    contacts: pl.DataFrame,
    *,
    system: str,
    survey: str,
    cells: Sequence[str],
    cluster: str | None = None,
    tilt: Sequence[float] = (0.0, 0.2, 0.4, 0.6),
    at_least: int = 20,
) -> pl.DataFrame:
    """Share of all contacts that are resolved, from everybody's flag and some customers' answers (two-phase estimator).

    Parameters
    ----------
    contacts
        One row per contact: yes/no `system` (null: left out, counted in the note), yes/no `survey` (null: did not answer), `cells`.
    cells, at_least
        What the answering depends on besides the flag, the most important first; a cell with fewer than `at_least` answers drops the
        last of `cells`, then the next, down to the flag alone (said in the note).
    cluster
        Column whose rows belong together, usually the customer; a null is a cluster of its own.
    tilt
        By how much (log odds) those who did not answer may be more often resolved than those of their stratum who did.

    Returns
    -------
    pl.DataFrame
        `estimator` (`system`, `survey`, `hybrid`, `hybrid tilted by 0.2`, ...), `est`, `se`, `low`, `high` (95 %), `n` (contacts),
        `respondents`, `note`. The estimate is null where the contacts of one flag have fewer than two answers.

    References
    ----------
    Cochran (1977), Sampling Techniques, section 12.2; Särndal, Swensson and Wretman (1992), Model Assisted Survey Sampling, chapter
    9; Scharfstein, Rotnitzky and Robins (1999), JASA 94, 1096-1120 (tilt); Manski (1990), AER 80, 319-323 (bounds in the note).

    Examples
    --------
    >>> contacts = pl.DataFrame({"flag": [True] * 80 + [False] * 20, "said": [1] * 30 + [0] * 10 + [None] * 40 + [0] * 8 + [1] * 2 + [None] * 10})
    >>> hybrid(contacts, system="flag", survey="said", cells=[], at_least=5, tilt=[0]).select("estimator", pl.col("est").round(3)).rows()
    [('system', 0.8), ('survey', 0.64), ('hybrid', 0.64)]
    """
    rows, strata, note = _phases(contacts, system, survey, cells, at_least, cluster)
    total, answers, yes = rows.height, int(rows["_answered"].sum()), int(rows["_said"].sum())
    bounds = f"between {yes / total:.3f} and {(yes + total - answers) / total:.3f} if none or all of those who did not answer were resolved"
    member = None if cluster is None else "_member"
    plain = [_plain(rows, "system", "_flag", member, ""), _plain(rows, "survey", "_said", member, bounds)]
    tilted = [_tilted(rows, strata, delta, member=member, note=note) for delta in dict.fromkeys([0.0, *map(float, tilt)])]
    kinds = {"estimator": pl.String, "est": pl.Float64, "se": pl.Float64, "low": pl.Float64, "high": pl.Float64, "note": pl.String}
    return pl.DataFrame([*plain, *tilted], schema=kinds).select(
        *list(kinds)[:5], n=pl.lit(total, pl.Int64), respondents=pl.lit(answers, pl.Int64), note="note"
    )


def _phases(contacts: pl.DataFrame, system: str, survey: str, cells: Sequence[str], least: int, cluster: str | None = None) -> Phases:
    """The contacts with their stratum, the strata (`N`, `n`, `yes`) and what has to be said about them."""
    known(contacts, [system, survey, *cells, *([cluster] if cluster else [])], yes_no=[system, survey])
    keys, said = ["_flag", *cells], pl.col(survey).cast(pl.Boolean)
    who = pl.lit(None, pl.String) if cluster is None else pl.col(cluster).cast(pl.String)
    rows = contacts.select(*cells, _flag=pl.col(system).cast(pl.Boolean), _said=said, _answered=said.is_not_null(), _member=who)
    rows = rows.filter(pl.col("_flag").is_not_null())
    if not rows["_answered"].any():
        raise DataError(f"no contact has both a verdict of the system ({system!r}) and an answer ({survey!r}); ask some customers first")
    table, collapsed = ladder(tally(rows, keys), keys, least=max(least, 2), floor=1)
    rows = rows.join(table.select(*keys, "stratum"), on=keys, nulls_equal=True, maintain_order="left")
    strata = rows.group_by("stratum").agg(N=pl.len(), n=pl.col("_answered").sum(), yes=pl.col("_said").sum()).sort("stratum")
    notes = [f"{strata.height} strata of flag{''.join(f' x {cell}' for cell in cells)}"]
    if collapsed:
        more = f", and {len(collapsed) - 3} more" if len(collapsed) > 3 else ""
        shown = ", ".join(collapsed[:3]).replace("_flag=", f"{system}=")
        notes.append(f"{len(collapsed)} of {table.height} cells with fewer than {least} answers merged: {shown}{more}")
    if lost := contacts.height - rows.height:
        notes.append(f"{lost} contacts without a verdict of the system left out")
    return rows.select("_flag", "_said", "_answered", "_member", "stratum"), strata, "; ".join(notes)


def _plain(rows: pl.DataFrame, name: str, column: str, member: str | None, note: str) -> dict[str, object]:
    """A plain share in the columns of `hybrid`."""
    row = rate(rows, pl.col(column), cluster=member).row(0, named=True)
    se = (row["deff"] * row["share"] * (1 - row["share"]) / row["n"]) ** 0.5 if row["deff"] is not None else None
    return {"estimator": name, "est": row["share"], "se": se, "low": row["low"], "high": row["high"], "note": note}


def _lean(strata: pl.DataFrame, delta: float) -> tuple[pl.DataFrame, float]:
    """Per stratum its weight `W`, the respondents' share `p`, everybody's share `whole` under the tilt, its `slope` in `p`; and the estimate."""
    p, odds = pl.col("yes") / pl.col("n"), math.exp(delta)
    heard = pl.col("n") / pl.col("N")
    whole = heard * p + (1 - heard) * p * odds / (1 - p + p * odds)
    leant = strata.with_columns(W=pl.col("N") / pl.col("N").sum(), p=p, whole=whole, slope=heard + (1 - heard) * odds / (1 - p + p * odds) ** 2)
    return leant, float((leant["W"] * leant["whole"]).sum())


def _tilted(rows: pl.DataFrame, strata: pl.DataFrame, delta: float, *, member: str | None, note: str) -> dict[str, object]:
    """The two-phase estimate when non-respondents differ by `delta`, with its standard error and interval."""
    name = "hybrid" if delta == 0 else f"hybrid tilted by {delta:g}"
    if (strata["n"] < 2).any():
        mute = ", ".join(strata.filter(pl.col("n") < 2)["stratum"])
        return {"estimator": name, "note": f"no estimate: fewer than two answers where {mute.replace('_flag', 'the flag')}; {note}"}
    leant, est = _lean(strata, delta)
    # A stratum whose few answers are all alike is not known without error: half a yes and half a no are added to its spread.
    q = pl.when((pl.col("yes") > 0) & (pl.col("yes") < pl.col("n"))).then("p").otherwise((pl.col("yes") + 0.5) / (pl.col("n") + 1))
    spread = float(leant.select((pl.col("W") * pl.col("slope")) ** 2 * q * (1 - q) / (pl.col("n") - 1)).sum().item())
    variance, z = spread + (float((leant["W"] * leant["whole"] ** 2).sum()) - est**2) / rows.height, Z95
    if member is not None:
        # As for a plain rate, customers may only widen the interval: a narrower one is luck.
        together, z = _clustered(rows, leant, est)
        variance = max(variance, together)
    # Where every answer is alike, the answers count as they would with equal shares: few that stand for many are few.
    alike = 1 / float((leant["W"] ** 2 / leant["n"]).sum())
    size = min(est * (1 - est) / variance, rows.height) if 1e-12 < est < 1 - 1e-12 else alike
    _, low, high = ends(est, size, z=z)
    return {"estimator": name, "est": est, "se": max(variance, 0.0) ** 0.5, "low": low, "high": high, "note": note}


def _clustered(rows: pl.DataFrame, leant: pl.DataFrame, est: float) -> tuple[float, float]:
    """Variance from the score sums of the clusters, and the t quantile that goes with the number of those that answered."""
    from scipy.special import stdtrit

    told = pl.col("N") / pl.col("n") * pl.col("slope") * (pl.col("n") / (pl.col("n") - 1)).sqrt() * (pl.col("_said").cast(pl.Float64) - pl.col("p"))
    score = pl.col("whole") - est + told.fill_null(0)
    lone = pl.col("_member").fill_null(pl.format("\x00{}", pl.int_range(pl.len())))
    scored = rows.with_columns(lone).join(leant, on="stratum").group_by("_member")
    sums = scored.agg(score=score.sum(), heard=pl.col("_answered").any())
    groups, heard = max(sums.height, 2), max(int(sums["heard"].sum()), 2)
    return float((sums["score"] ** 2).sum()) / rows.height**2 * groups / (groups - 1), float(stdtrit(heard - 1, 0.975))


def tipping(contacts: pl.DataFrame, *, system: str, survey: str, cells: Sequence[str], threshold: float, at_least: int = 20) -> float | None:
    """The tilt (log odds) at which the hybrid estimate reaches `threshold`; null if no tilt within 10 does. A conclusion is safe
    when nobody believes that those who did not answer differ that much from those who did. Parameters as in `hybrid`.

    Examples
    --------
    >>> contacts = pl.DataFrame({"flag": [True] * 4 + [False] * 4, "said": [1, 0, None, None] * 2})
    >>> round(tipping(contacts, system="flag", survey="said", cells=[], threshold=0.6, at_least=2), 4)
    0.8473
    """
    _, strata, _ = _phases(contacts, system, survey, cells, at_least)
    low, high = -10.0, 10.0
    reach = [_lean(strata, delta)[1] for delta in (low, high)]
    if (strata["n"] < 1).any() or not reach[0] <= threshold <= reach[1]:
        return None
    while high - low > 1e-10:
        middle = (low + high) / 2
        low, high = (middle, high) if _lean(strata, middle)[1] < threshold else (low, middle)
    return (low + high) / 2


def tilt_in_words(column: str) -> pl.Expr:
    """A column of tilts (log odds) as what they say about the silent customers; null reads that none gets there.

    Examples
    --------
    >>> pl.DataFrame({"tilt": [0.4]}).select(tilt_in_words("tilt")).item()
    'customers who did not answer are 1.5 times as likely (odds) to have been resolved'
    """
    odds, tilt = pl.col(column).abs().exp().round(1).cast(pl.String), pl.col(column)
    silent = pl.lit("customers who did not answer are")
    more, less = (pl.format("{} {} times as likely (odds) to {}", silent, odds, pl.lit(end)) for end in ("have been resolved", "be unresolved"))
    alike = pl.format("{} like those of their kind who did", silent)
    words = pl.when(odds == "1.0").then(alike).when(tilt > 0).then(more).otherwise(less)
    return pl.when(tilt.is_null()).then(pl.lit("no difference gets there")).otherwise(words)


def bounds(contacts: pl.DataFrame, *, system: str, survey: str) -> pl.DataFrame:
    """The share of yes if none, or all, of those who did not answer were resolved: honest, and too wide to act on.

    Returns
    -------
    pl.DataFrame
        One row: `lowest`, `highest`, `width` (one less the share that answered), `n` (contacts with a verdict of the system), `respondents`.

    References
    ----------
    Manski (1990), American Economic Review 80, 319-323.

    Examples
    --------
    >>> contacts = pl.DataFrame({"flag": [True] * 4, "said": [True, False, None, None]})
    >>> bounds(contacts, system="flag", survey="said").row(0)
    (0.25, 0.75, 0.5, 4, 2)
    """
    known(contacts, [system, survey], yes_no=[system, survey])
    said = pl.col(survey).cast(pl.Boolean)
    counts = contacts.filter(pl.col(system).is_not_null()).select(n=pl.len().cast(pl.Int64), respondents=said.count().cast(pl.Int64), yes=said.sum())
    yes, silent = pl.col("yes") / pl.col("n"), 1 - pl.col("respondents") / pl.col("n")
    return counts.select(lowest=yes, highest=yes + silent, width=silent, n="n", respondents="respondents")


def last_answers(surveys: pl.DataFrame, *, question: str, data_end: datetime) -> pl.DataFrame:
    """The rows of `surveys` that count for a question: the last one per contact that answers it, by `data_end`, and was not superseded.

    An offer is no answer, and a later answer to another question takes nothing back. Ordered by `source`, `contact_id`.
    """
    given = surveys.filter(pl.col(question).is_not_null(), pl.col("answered_at") <= data_end, ~pl.col("superseded"))
    last = given.sort("answered_at", "seq").unique(["source", "contact_id"], keep="last", maintain_order=True)
    return last.sort("source", "contact_id")


def means(contacts: pl.DataFrame, *, value: str, good: str, cluster: str) -> pl.DataFrame:
    """Mean of a score where `good` holds, where it does not, and the difference, with intervals that respect clusters.

    Returns
    -------
    pl.DataFrame
        `group` (resolved, failed, difference: failed less resolved), `n`, `clusters`, `mean`, `low`, `high` (95 %, t quantile of the
        clusters; null with fewer than two clusters). A null value, or a null in `good`, leaves a row out; a null cluster is one of its own.

    References
    ----------
    Särndal, Swensson and Wretman (1992), Model Assisted Survey Sampling, section 5.8 (linearised ratio, summed by cluster).

    Examples
    --------
    >>> contacts = pl.DataFrame({"ok": [True, True, False, False], "ces": [1.0, 3.0, 4.0, 6.0], "who": list("abcd")})
    >>> means(contacts, value="ces", good="ok", cluster="who").select("group", "n", "mean").rows()
    [('resolved', 2, 2.0), ('failed', 2, 5.0), ('difference', 4, 3.0)]
    """
    known(contacts, [value, good, cluster], yes_no=[good], numbers=[value])
    lone = pl.col(cluster).cast(pl.String).fill_null(pl.format("\x00{}", pl.int_range(pl.len())))
    rows = contacts.select(y=pl.col(value).cast(pl.Float64), good=pl.col(good).cast(pl.Boolean), member=lone).drop_nulls(["y", "good"])
    signs = {"resolved": (1, 0), "failed": (0, 1), "difference": (-1, 1)}
    return pl.concat([_mean(rows, name, *pair) for name, pair in signs.items()])


def _mean(rows: pl.DataFrame, name: str, resolved: int, failed: int) -> pl.DataFrame:
    """`resolved` times the one mean plus `failed` times the other, and the interval of that."""
    from scipy.special import stdtrit

    here = rows.filter((pl.col("good") & (resolved != 0)) | (~pl.col("good") & (failed != 0)))
    sides = here.with_columns(
        sign=pl.when("good").then(resolved).otherwise(failed) / pl.len().over("good"), gap=pl.col("y") - pl.col("y").mean().over("good")
    )
    sums = sides.group_by("member").agg(score=(pl.col("sign") * pl.col("gap")).sum())["score"]
    groups, whole = sums.len(), here["good"].n_unique() == abs(resolved) + abs(failed)
    mean = float((sides["sign"] * sides["y"]).sum()) if whole else None
    half = None
    if mean is not None and groups > 1:
        half = float(stdtrit(groups - 1, 0.975)) * (float((sums**2).sum()) * groups / (groups - 1)) ** 0.5
    ends = (None, None) if mean is None or half is None else (mean - half, mean + half)
    schema = {"group": pl.String, "n": pl.Int64, "clusters": pl.Int64, "mean": pl.Float64, "low": pl.Float64, "high": pl.Float64}
    return pl.DataFrame([(name, here.height, groups, mean, *ends)], orient="row", schema=schema)


def sample_size(*, share: float = 0.7, half_width: float = 0.03, response: Sequence[float] = (0.10, 0.15), deff: float = 1.0) -> pl.DataFrame:
    """How many customers to ask so that a share is known to within `half_width` (95 %): `response` as given, `answers` needed, `ask`.

    References
    ----------
    Cochran (1977), Sampling Techniques, section 4.4.

    Examples
    --------
    >>> sample_size().rows()
    [(0.1, 897, 8970), (0.15, 897, 5980)]
    """
    if not (0 < share < 1 and 0 < half_width < 1 and deff > 0 and response and all(0 < part <= 1 for part in response)):
        raise UsageError("share, half_width and response must lie between 0 and 1 and deff above 0, so that a sample can be planned")
    answers = math.ceil(Z95**2 * share * (1 - share) / half_width**2 * deff)
    return pl.DataFrame({"response": response, "answers": answers, "ask": [math.ceil(answers / part - 1e-9) for part in response]})


def quality_score(contacts: pl.DataFrame, *, resolved: str, csat: str, top: float = 4, cluster: str | None = None) -> pl.DataFrame:
    """Share of contacts both resolved and rated `top` or better, among those of which both are known; columns of `rates.rate`."""
    known(contacts, [resolved, csat, *([cluster] if cluster else [])], yes_no=[resolved])
    both = pl.col(resolved).is_not_null() & pl.col(csat).is_not_null()
    return rate(contacts, pl.when(both).then(pl.col(resolved).cast(pl.Boolean) & (pl.col(csat) >= top)), cluster=cluster)
