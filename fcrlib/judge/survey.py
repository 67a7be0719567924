"""What would everybody have answered? The few answers of a survey and the flag of the system, each mending the other.

The system knows every contact but misreads some; the survey reads them right but hears only those who answer, and they are not
like the rest. Both together say what everybody would have said, if within a stratum those who answered are like those who did not.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import polars as pl

from fcrlib.judge.agree import Agreement, agreement, ends
from fcrlib.judge.rates import Z95, rate
from fcrlib.judge.strata import ladder, tally
from fcrlib.judge.weights import Weights, response_weights
from fcrlib.model.columns import known
from fcrlib.model.errors import DataError, UsageError

__all__ = ["Agreement", "Weights", "agreement", "hybrid", "quality_score", "response_weights", "sample_size", "tipping"]
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
    return rows, strata, "; ".join(notes)


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
    spread = float(((leant["W"] * leant["slope"]) ** 2 * leant["p"] * (1 - leant["p"]) / (leant["n"] - 1)).sum())
    variance, z = spread + (float((leant["W"] * leant["whole"] ** 2).sum()) - est**2) / rows.height, Z95
    if member is not None:
        variance, z = _clustered(rows, leant, est)
    size = min(est * (1 - est) / variance, rows.height) if variance > 0 else float(strata["n"].sum())
    _, low, high = ends(est, size, z=z)
    return {"estimator": name, "est": est, "se": max(variance, 0.0) ** 0.5, "low": low, "high": high, "note": note}


def _clustered(rows: pl.DataFrame, leant: pl.DataFrame, est: float) -> tuple[float, float]:
    """Variance from the score sums of the clusters, and the t quantile that goes with their number."""
    from scipy.special import stdtrit

    told = pl.col("N") / pl.col("n") * pl.col("slope") * (pl.col("n") / (pl.col("n") - 1)).sqrt() * (pl.col("_said").cast(pl.Float64) - pl.col("p"))
    score = pl.col("whole") - est + told.fill_null(0)
    lone = pl.col("_member").fill_null(pl.format("\x00{}", pl.int_range(pl.len())))
    sums = rows.with_columns(lone).join(leant, on="stratum").group_by("_member").agg(score.sum().alias("score"))["score"]
    groups = max(sums.len(), 2)
    return float((sums**2).sum()) / rows.height**2 * groups / (groups - 1), float(stdtrit(groups - 1, 0.975))


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
