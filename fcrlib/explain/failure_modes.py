"""Why do first contacts fail, in the words of the work?

Every failed contact gets the ways of failing that its history and its words show, and one of them is its primary one. What shows none is
`unexplained`, a row of its own in every frame. A tag is a reading of signs, not a proof of what went wrong.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import polars as pl

from fcrlib.judge.mode_traces import KEY, traces
from fcrlib.judge.mode_words import matches, words
from fcrlib.judge.rates import Z95, difference, rate, withhold
from fcrlib.model.errors import UsageError
from fcrlib.model.taxonomy import NON_RESOLVABLE, UNEXPLAINED, Mode, Taxonomy, Trace

if TYPE_CHECKING:
    from fcrlib.model.desk import Desk
    from fcrlib.study import Study

NOT_KNOWN = "(not known)"
LEAST, SURE = 0.5, 0.99  # what is believed less than LEAST is shown, but never named as the primary way
HUMAN, FLAG, TRACE, TEXT, HINT = range(5)
_BY = {HUMAN: "human", FLAG: "rule", TRACE: "rule", TEXT: "text", HINT: "rule"}
_SIGN = {"source": pl.String, "contact_id": pl.String, "mode": pl.String, "level": pl.Int32, "confidence": pl.Float64, "said": pl.String}
RANK = {
    "mode": pl.String, "name": pl.String, "bone": pl.String, "n": pl.Int64, "share": pl.Float64, "low": pl.Float64, "high": pl.Float64,
    "cumulative": pl.Float64, "cost": pl.Float64, "apart": pl.Boolean,
}  # fmt: skip


def tag(desk: Desk, outcomes: pl.DataFrame, *, taxonomy: Taxonomy | None = None, human: pl.DataFrame | None = None) -> pl.DataFrame:
    """Say of every failed contact which ways of failing it shows, and which comes first.

    A person's word comes before the mark "outside what support can resolve", that before traces in the history, those before words, and all
    before hints; at the same place the better supported one, then the one that stands first in the taxonomy.

    Parameters
    ----------
    desk
        `contacts`, `events`, `agents` and `articles` are read.
    outcomes
        Every contact of the desk, judged (columns of `judge.outcomes.judge`).
    taxonomy
        The ways of failing; the shipped ones by default.
    human
        What people said: `source`, `contact_id`, `mode`. Contacts that did not fail are passed over.

    Returns
    -------
    pl.DataFrame
        One row per failed contact and mode: `source`, `contact_id`, `mode`, `name`, `bone`, `by` (rule, text, human; null where unexplained),
        `confidence` (0..1, signs taken as independent; null where unexplained), `evidence` (short words, never a customer's text), `primary` (one per
        contact). Sorted by contact, the primary one first.

    Raises
    ------
    UsageError
        If people named a mode that the taxonomy does not have.
    """
    known = taxonomy or Taxonomy.shipped()
    failed = outcomes.filter(pl.col("label") == "failed")
    signs = pl.concat([pl.DataFrame(schema=_SIGN), *_signs(desk, outcomes, failed=failed, taxonomy=known, human=human)])
    order = {slug: place for place, slug in enumerate((*known.slugs, UNEXPLAINED))}
    place = pl.col("mode").replace_strict(order, return_dtype=pl.Int32)
    belief = pl.min_horizontal(pl.lit(SURE), 1 - (1 - pl.col("confidence")).product())
    found = signs.sort(*KEY, "mode", "level", "confidence", "said", descending=[False] * 4 + [True, False]).group_by(
        *KEY, "mode", maintain_order=True
    )
    tags = found.agg(level=pl.col("level").min(), confidence=belief, evidence=pl.col("said").str.join("; "))
    believed = tags.filter((pl.col("confidence") >= LEAST) | (pl.col("level") == HUMAN)).select(KEY).unique()
    blank = failed.select(KEY).join(believed, on=KEY, how="anti")
    unexplained = blank.select(*KEY, mode=pl.lit(UNEXPLAINED), level=pl.lit(HINT, pl.Int32), confidence=pl.lit(None, pl.Float64))
    everything = pl.concat([tags, unexplained.with_columns(evidence=pl.lit("no sign that is believed enough"))])
    usable = ((pl.col("confidence") >= LEAST) | (pl.col("level") == HUMAN)).fill_null(True)
    ranked = everything.with_columns(usable=usable, place=place).sort(
        *KEY, "usable", "level", "confidence", "place", descending=[False, False, True, False, True, False]
    )
    by = pl.when(pl.col("mode") != UNEXPLAINED).then(pl.col("level").replace_strict(_BY, return_dtype=pl.String))
    return ranked.with_columns(*_named(known), by=by, primary=pl.int_range(pl.len()).over(KEY) == 0).select(
        *KEY, "mode", "name", "bone", "by", "confidence", "evidence", "primary"
    )


def tagged(study: Study, *, taxonomy: Taxonomy | None = None, human: pl.DataFrame | None = None) -> pl.DataFrame:
    """The tags of the contacts that failed in the period of a study (columns of `tag`)."""
    everything = tag(study.desk, study.outcomes, taxonomy=taxonomy, human=human)
    return everything.join(study.contacts.select(KEY), on=KEY, how="semi", maintain_order="left")


def _named(taxonomy: Taxonomy) -> list[pl.Expr]:
    """Name and bone of the modes; what is unexplained is something that the data does not tell."""
    names: dict[str, str] = {UNEXPLAINED: UNEXPLAINED, **{mode.slug: mode.name for mode in taxonomy.modes}}
    bones: dict[str, str] = {UNEXPLAINED: "data", **{mode.slug: mode.bone for mode in taxonomy.modes}}
    return [pl.col("mode").replace_strict(what, return_dtype=pl.String).alias(name) for name, what in (("name", names), ("bone", bones))]


def _signs(desk: Desk, outcomes: pl.DataFrame, *, failed: pl.DataFrame, taxonomy: Taxonomy, human: pl.DataFrame | None) -> Iterator[pl.DataFrame]:
    """Every sign that was found, one row each."""
    if human is not None:
        yield _human(human, failed=failed, taxonomy=taxonomy)
    if NON_RESOLVABLE in taxonomy.slugs:
        marked = failed.filter(~pl.col("attributable").fill_null(True))
        yield _sign(marked, NON_RESOLVABLE, FLAG, pl.lit(0.95), pl.lit("marked as outside what support can resolve"))
    left = traces(desk, failed, promises=taxonomy.promises)
    for mode in taxonomy.modes:
        yield from (_trace_sign(left, mode, sign) for sign in mode.traces)
    said = matches(words(desk, outcomes), taxonomy=taxonomy)
    yield said.select(*KEY, "mode", pl.lit(TEXT, pl.Int32).alias("level"), pl.col("weight").alias("confidence"), "said")


def _sign(rows: pl.DataFrame, mode: str, level: int, confidence: pl.Expr, said: pl.Expr) -> pl.DataFrame:
    return rows.select(*KEY, mode=pl.lit(mode), level=pl.lit(level, pl.Int32), confidence=confidence, said=said.cast(pl.String))


def _trace_sign(left: pl.DataFrame, mode: Mode, sign: Trace) -> pl.DataFrame:
    value = pl.col(sign.name)
    there = value >= sign.at_least if sign.at_least is not None else value <= sign.at_most
    level = TRACE if sign.confidence >= LEAST else HINT
    return _sign(left.filter(there.fill_null(False)), mode.slug, level, pl.lit(sign.confidence), _told(sign.name))


def _told(trace: str) -> pl.Expr:
    """A trace in a few words."""
    value, first, away = pl.col(trace), pl.col("first_team"), pl.col("away_team")
    times = pl.when(value == 1).then(pl.lit("once")).otherwise(pl.format("{} times", value.cast(pl.Int64)))
    hours = pl.format("{} hours", value.round(1))
    told = {
        "handovers": pl.format("handed over {}{}", times, pl.coalesce(pl.format(", first by {}", first), pl.lit(""))),
        "returns": pl.format("back to a team that had it {}", times),
        "quick_handover_minutes": pl.format("handed on by the first team after {} minutes", value.round(0).cast(pl.Int64)),
        "silent_handovers": pl.format("handed over {} without a note", times),
        "asked_again": pl.format("asked {} after a handover", times),
        "away_hours": pl.format("{} on hold{}", hours, pl.coalesce(pl.format(" at {}", away), pl.lit(" in another team"))),
        "hold_hours": pl.format("{} on hold", hours),
        "escalated_hold_hours": pl.format("{} on hold after an escalation", hours),
        "unowned_hours": pl.format("{} until somebody took it", hours),
        "broken_promises": pl.lit("a promise to be in touch that nothing followed"),
        "stale_article_days": pl.format("an article {} days old was sent", value.round(0).cast(pl.Int64)),
    }
    return told[trace]


def _human(human: pl.DataFrame, *, failed: pl.DataFrame, taxonomy: Taxonomy) -> pl.DataFrame:
    strange = human.filter(~pl.col("mode").is_in(list(taxonomy.slugs)).fill_null(False))
    if strange.height:
        row = strange.row(0, named=True)
        what = f"{strange.height} of {human.height} tags name an unknown failure mode, e.g. '{row['mode']}' at contact '{row['contact_id']}'"
        raise UsageError(what, [f"known modes: {', '.join(taxonomy.slugs)}"])
    here = human.select(*KEY, "mode").unique().join(failed.select(KEY), on=KEY, how="semi")
    return here.select(*KEY, "mode", level=pl.lit(HUMAN, pl.Int32), confidence=pl.lit(1.0), said=pl.lit("a person said so"))


def rank(tags: pl.DataFrame, *, outcomes: pl.DataFrame, most: int = 5, unit_cost: float | None = None) -> pl.DataFrame:
    """The ways of failing by size, each failed contact counted once.

    Parameters
    ----------
    tags
        The frame of `tag`; its primary modes are counted.
    outcomes
        The judged contacts to count: `source`, `contact_id`, `label`, `customer`.
    most
        How many modes get a row of their own; the rest is added up.
    unit_cost
        What one failed contact costs, in the currency of the caller.

    Returns
    -------
    pl.DataFrame
        `mode`, `name`, `bone`, `n` failed contacts, `share` of all failed contacts with `low`, `high` (95 %, by customer), `cumulative` share,
        `cost` (null without a unit cost), `apart` (its interval lies above that of the next mode). Largest first, then the other modes together
        (mode null), the unexplained last.

    Examples
    --------
    >>> outcomes = pl.DataFrame({"source": ["zd"] * 3, "contact_id": list("123"), "label": ["failed"] * 3, "customer": list("abb")})
    >>> modes = ["wrong-routing", "wrong-routing", UNEXPLAINED]
    >>> tags = outcomes.select(*KEY, mode=pl.Series(modes), name=pl.Series(modes), bone=pl.Series(["process", "process", "data"]), primary=True)
    >>> rank(tags, outcomes=outcomes, unit_cost=9.0).select("mode", "n", "cost", "cumulative").rows()
    [('wrong-routing', 2, 18.0, 0.6666666666666666), ('unexplained', 1, 9.0, 1.0)]
    """
    failed = outcomes.filter(pl.col("label") == "failed").select(*KEY, "customer")
    first = failed.join(tags.filter("primary"), on=KEY, how="inner", maintain_order="left")
    sizes = first.filter(pl.col("mode") != UNEXPLAINED).group_by("mode", "name", "bone").agg(size=pl.len()).sort(pl.col("size") * -1, "mode")
    if first.is_empty():
        return pl.DataFrame(schema=RANK)
    rows = [_row(first, pl.col("mode") == row["mode"], row["mode"], row["name"], row["bone"]) for row in sizes.head(most).to_dicts()]
    rest = sizes["mode"].slice(most)
    if rest.len():
        rows.append(_row(first, pl.col("mode").is_in(rest.implode()), None, f"{rest.len()} other ways", None))
    rows.append(_row(first, pl.col("mode") == UNEXPLAINED, UNEXPLAINED, UNEXPLAINED, "data"))
    next_high = pl.col("high").shift(-1)
    is_mode = pl.int_range(pl.len()) < min(most, sizes.height) - 1
    table = pl.concat(rows).with_columns(cumulative=pl.col("n").cum_sum() / first.height, cost=pl.col("n") * pl.lit(unit_cost, pl.Float64))
    return table.with_columns(apart=(is_mode & (pl.col("low") > next_high)).fill_null(False)).select(list(RANK))


def _row(first: pl.DataFrame, what: pl.Expr, mode: str | None, name: str, bone: str | None) -> pl.DataFrame:
    named = [pl.lit(value, pl.String).alias(column) for column, value in (("mode", mode), ("name", name), ("bone", bone))]
    n = first.select(what.sum()).item()
    return rate(first, what, cluster="customer").select(*named, pl.lit(n, pl.Int64).alias("n"), "share", "low", "high")


def in_places(tags: pl.DataFrame, *, contacts: pl.DataFrame, by: str) -> pl.DataFrame:
    """The way of failing that is named most often in each level of a column.

    Returns
    -------
    pl.DataFrame
        The column `by`, `failed` (contacts), `name`, `bone`, `share` of the failed contacts there with `low`, `high` (95 %, by customer),
        `elsewhere` (the share of the same mode everywhere else), `clear` (the two differ by more than chance among so many places and modes would
        do). Levels with fewer than 30 failed contacts or 10 customers are left out, unexplained contacts count as failed; most failed contacts first.
    """
    level = pl.col(by).cast(pl.String).fill_null(NOT_KNOWN).alias(by)
    failed = contacts.filter(pl.col("label") == "failed").select(*KEY, "customer", level)
    first = failed.join(tags.filter("primary").select(*KEY, "mode", "name", "bone"), on=KEY, how="inner", maintain_order="left")
    explained = first.filter(pl.col("mode") != UNEXPLAINED)
    top = explained.group_by(by, "mode", "name", "bone").len().sort(by, pl.col("len") * -1, "mode").unique(by, keep="first", maintain_order=True)
    schema = {by: pl.String, "failed": pl.Int64, "name": pl.String, "bone": pl.String}
    schema |= dict.fromkeys(("share", "low", "high", "elsewhere", "gap", "gap_low", "gap_high"), pl.Float64)
    rows = [pl.DataFrame(schema=schema), *(_at_home(first, row, by=by) for row in top.to_dicts())]
    table = pl.concat(rows).drop_nulls("share").sort(pl.col("failed") * -1, by)
    return _clear(table, compared=table.height * explained["mode"].n_unique()).drop("gap", "gap_low", "gap_high")


def _at_home(first: pl.DataFrame, row: dict[str, str], *, by: str) -> pl.DataFrame:
    """The share of one mode in one place and everywhere else."""
    marked = first.select("customer", here=pl.col(by) == row[by], it=pl.col("mode") == row["mode"])
    there, away = (withhold(rate(marked.filter(pl.col("here") == side), "it", cluster="customer")) for side in (True, False))
    told = there.select(pl.lit(row[by]).alias(by), pl.col("n").cast(pl.Int64).alias("failed"), *(pl.lit(row[k]).alias(k) for k in ("name", "bone")))
    gap = difference(there, away).select(gap="value", gap_low="low", gap_high="high")
    return pl.concat([told, there.select("share", "low", "high"), away.select(elsewhere="share"), gap], how="horizontal")


def _clear(table: pl.DataFrame, *, compared: int) -> pl.DataFrame:
    """Mark differences that leave out zero however many are compared: the interval is widened as Bonferroni would have it."""
    from scipy.special import ndtri

    wider = float(ndtri(1 - 0.025 / max(compared, 1))) / Z95
    gap = pl.col("gap")
    reach = pl.when(gap < 0).then(pl.col("gap_high") - gap).otherwise(gap - pl.col("gap_low"))
    return table.with_columns(clear=(gap.abs() > wider * reach).fill_null(False))
