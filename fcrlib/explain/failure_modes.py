"""Why do first contacts fail, in the words of the work: which way of failing, how often, and where do contacts change hands?

Every failed contact gets the ways of failing that its history and its words show, and one of them is its primary one. What shows none is
`unexplained`, a row of its own in every frame. A tag is a reading of signs, not a proof of what went wrong.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import polars as pl

from fcrlib.judge.mode_traces import KEY, handovers, promises_made, traces
from fcrlib.judge.mode_words import matches, words
from fcrlib.judge.rates import difference, mature, rate, stand_apart, withhold
from fcrlib.model.errors import UsageError
from fcrlib.model.taxonomy import NON_RESOLVABLE, UNEXPLAINED, Mode, Taxonomy, Trace

if TYPE_CHECKING:
    from fcrlib.model.desk import Desk
    from fcrlib.study import Study

NOT_KNOWN = "(not known)"
ABOVE, BACK, ELSEWHERE = "resolved above", "came back", "resolved elsewhere"
KEPT, BROKEN = "kept", "nothing followed"
LEAST, SURE = 0.5, 0.99  # what is believed less than LEAST is shown, but never named as the primary way
HUMAN, FLAG, TRACE, TEXT, HINT = range(5)
_BY = {HUMAN: "human", FLAG: "rule", TRACE: "rule", TEXT: "text", HINT: "rule"}
_SIGN = {"source": pl.String, "contact_id": pl.String, "mode": pl.String, "level": pl.Int32, "confidence": pl.Float64, "said": pl.String}
RANK = {
    "mode": pl.String, "name": pl.String, "bone": pl.String, "n": pl.Int64, "share": pl.Float64, "low": pl.Float64, "high": pl.Float64,
    "cumulative": pl.Float64, "cost": pl.Float64, "apart": pl.Boolean,
}  # fmt: skip
_BOUNCE = {
    "category": pl.String, "reason": pl.String, "n": pl.Int64, "share": pl.Float64, "low": pl.Float64, "high": pl.Float64, "fcr": pl.Float64,
    "fcr_low": pl.Float64, "fcr_high": pl.Float64,
}  # fmt: skip
_AGAINST = 5  # contacts without a handover that a cell must hold to be compared with


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
        `elsewhere` (the share of the same mode everywhere else), `clear` (the difference between the two leaves out zero). Levels with fewer than 30
        failed contacts or 10 customers are left out, unexplained contacts count as failed; most failed contacts first.
    """
    level = pl.col(by).cast(pl.String).fill_null(NOT_KNOWN).alias(by)
    failed = contacts.filter(pl.col("label") == "failed").select(*KEY, "customer", level)
    first = failed.join(tags.filter("primary").select(*KEY, "mode", "name", "bone"), on=KEY, how="inner", maintain_order="left")
    explained = first.filter(pl.col("mode") != UNEXPLAINED)
    top = explained.group_by(by, "mode", "name", "bone").len().sort(by, pl.col("len") * -1, "mode").unique(by, keep="first", maintain_order=True)
    marked = [first.with_columns(here=pl.col(by) == row[by], it=pl.col("mode") == row["mode"]) for row in top.to_dicts()]
    schema = {by: pl.String, "failed": pl.Int64, "name": pl.String, "bone": pl.String}
    schema |= dict.fromkeys(("share", "low", "high", "elsewhere"), pl.Float64) | {"clear": pl.Boolean}
    rows = [pl.DataFrame(schema=schema)]
    for frame, row in zip(marked, top.to_dicts(), strict=True):
        there, away = (withhold(rate(frame.filter(pl.col("here") == side), "it", cluster="customer")) for side in (True, False))
        told = there.select(
            pl.lit(row[by]).alias(by), pl.col("n").cast(pl.Int64).alias("failed"), *(pl.lit(row[k]).alias(k) for k in ("name", "bone"))
        )
        gap = difference(there, away)
        rows.append(pl.concat([told, there.select("share", "low", "high"), away.select(elsewhere="share"), gap.select("clear")], how="horizontal"))
    return pl.concat(rows).drop_nulls("share").sort(pl.col("failed") * -1, by)


def per_transfer(study: Study) -> pl.DataFrame:
    """FCR by how often a contact changed hands before its first resolution, beside alike contacts that did not.

    Alike means the same channel, category and tier, in the same proportions. Handovers happen to harder contacts too, which these three
    do not show, so the difference is no measure of what fewer handovers would bring.

    Returns
    -------
    pl.DataFrame
        One row per number of handovers, in order: `handovers` (0, 1, 2, 3 or more), `n`, `share`, `low`, `high` (95 %, by customer), `alike`,
        `alike_low`, `alike_high` (FCR of alike contacts without a handover), `lost`, `lost_low`, `lost_high` (share - alike), `clear`,
        `matched` (share of the contacts that have alike ones). Contacts whose verdict is final. Empty where no team history is recorded.
    """
    cells = ["channel", "category", "tier"]
    if study.lacks("has_group_history"):
        return _per_transfer([])
    judged = mature(study.contacts).filter(pl.col("anchor_at").is_not_null())
    moved = handovers(study.desk, judged.with_columns(failed_at="anchor_at")).group_by(KEY).agg(times=pl.len())
    counted = judged.join(moved, on=KEY, how="left", maintain_order="left").with_columns(pl.col("times").fill_null(0).clip(upper_bound=3))
    rows = counted.select(*cells, "customer", "times", resolved=pl.col("label") == "resolved")
    none = rows.filter(pl.col("times") == 0)
    size = none.group_by(cells).agg(without=pl.len()).filter(pl.col("without") >= _AGAINST)
    groups = [rows.filter(pl.col("times") == times) for times in range(4)]
    table = _per_transfer([_beside(group, none, size=size, cells=cells) for group in groups if group.height])
    # Those without a handover have only themselves to be compared with.
    beside = [name for name in table.columns if name.startswith(("alike", "lost", "clear"))]
    return table.with_columns(pl.when(pl.col("handovers") != "0").then(pl.col(beside)).name.keep())


def _beside(group: pl.DataFrame, none: pl.DataFrame, *, size: pl.DataFrame, cells: list[str]) -> pl.DataFrame:
    """FCR of one group and of those without a handover, weighted to its mix of cells."""
    raw = withhold(rate(group, "resolved", cluster="customer"))
    mix = group.group_by(cells).agg(k=pl.len()).join(size, on=cells, how="inner", nulls_equal=True).with_columns(w=pl.col("k") / pl.col("without"))
    inside = group.join(mix, on=cells, how="semi", nulls_equal=True)
    like = withhold(rate(none.join(mix, on=cells, how="inner", nulls_equal=True), "resolved", cluster="customer", weight="w"))
    gap = difference(withhold(rate(inside, "resolved", cluster="customer")), like)
    return pl.concat(
        [
            pl.DataFrame({"handovers": [("0", "1", "2", "3 or more")[group["times"][0]]]}),
            raw.select(pl.col("n").cast(pl.Int64), "share", "low", "high"),
            like.select(alike="share", alike_low="low", alike_high="high"),
            gap.select(lost="value", lost_low="low", lost_high="high", clear="clear"),
            pl.DataFrame({"matched": [inside.height / group.height]}),
        ],
        how="horizontal",
    )


def _per_transfer(rows: list[pl.DataFrame]) -> pl.DataFrame:
    names = ("share", "low", "high", "alike", "alike_low", "alike_high", "lost", "lost_low", "lost_high")
    schema = {"handovers": pl.String, "n": pl.Int64, **dict.fromkeys(names, pl.Float64), "clear": pl.Boolean, "matched": pl.Float64}
    return pl.concat([pl.DataFrame(schema=schema), *rows])


def load(study: Study) -> pl.DataFrame:
    """FCR by the hour at which contacts start, and by how much their first team had open at that moment.

    The backlog of a team is how many of its contacts had started and were not resolved yet; its fifths are those of the team itself, so that a
    small team is not compared with a large one.

    Returns
    -------
    pl.DataFrame
        `split` (hour, backlog), `level` (00 to 23 in the desk's time zone; 1 lightest to 5 heaviest), then `n`, `clusters`, `share`, `low`,
        `high`, `deff`, `too_few`, and `apart` (differs from the whole by more than chance among the rows of its split). Final verdicts only.
    """
    judged = mature(study.contacts)
    hour = judged.with_columns(level=pl.col("start_at").dt.convert_time_zone(study.time_zone).dt.strftime("%H"))
    pressed = judged.join(_backlog(study), on=KEY, how="inner", maintain_order="left")
    fifth = (pl.col("backlog").rank("average").over("first_group") / pl.len().over("first_group") * 5).ceil().clip(1, 5)
    backlog = pressed.with_columns(level=fifth.cast(pl.Int64).cast(pl.String))
    return pl.concat([_levels(hour, split="hour"), _levels(backlog, split="backlog")])


def _levels(rows: pl.DataFrame, *, split: str) -> pl.DataFrame:
    resolved = pl.col("label") == "resolved"
    whole = rows.select(resolved.mean()).item()
    table = withhold(rate(rows, resolved, by="level", cluster="customer"))
    return stand_apart(table, whole=whole).select(pl.lit(split).alias("split"), pl.all())


def _backlog(study: Study) -> pl.DataFrame:
    """How many contacts of its first team were open when each contact started, itself not counted."""
    team = study.everything.filter((pl.col("label") != "excluded") & pl.col("first_group").is_not_null())
    ends = pl.coalesce("anchor_at", "closed_at")
    opened = team.select(*KEY, "first_group", at="start_at", step=pl.lit(1))
    closed = team.filter(ends.is_not_null()).select(*KEY, "first_group", ends.alias("at"), step=pl.lit(-1))
    moves = pl.concat([closed, opened]).sort("first_group", "at", "step", *KEY)
    moves = moves.with_columns(backlog=pl.col("step").cum_sum().over("first_group") - 1)
    return moves.filter(pl.col("step") == 1).select(*KEY, "backlog")


def bounces(study: Study, *, most: int = 5) -> pl.DataFrame:
    """The most frequent reasons why contacts bounce: change hands twice or more before the first resolution.

    Returns
    -------
    pl.DataFrame
        `category`, `reason` (where it waits, or where it starts and ends), `n` bounced contacts, `share` of all bounced contacts with `low`,
        `high` (95 %, by customer), `fcr`, `fcr_low`, `fcr_high` of these contacts (final verdicts; null where too few); the most frequent first.
    """
    hands = handovers(study.desk, study.first_contacts.with_columns(failed_at="anchor_at"))
    away, first, last = pl.col("group_to").filter(pl.col("away_hours").is_not_null()).first(), pl.col("group_from").first(), pl.col("group_to").last()
    found = hands.group_by(KEY).agg(times=pl.len(), away=away, first=first.fill_null(NOT_KNOWN), last=last.fill_null(NOT_KNOWN))
    reason = (
        pl.when(pl.col("away").is_not_null())
        .then(pl.format("waits at {} and comes back", "away"))
        .when(pl.col("first") == pl.col("last"))
        .then(pl.format("goes round and comes back to {}", "first"))
        .otherwise(pl.format("starts at {}, ends at {}", "first", "last"))
    )
    keys = ["category", "reason"]
    bounced = study.first_contacts.drop("reason").join(found.filter(pl.col("times") >= 2).with_columns(reason=reason), on=KEY, how="inner")
    bounced = bounced.with_columns(pl.col("category").fill_null(NOT_KNOWN))
    top = bounced.group_by(keys).len().sort(pl.col("len") * -1, *keys).head(most)
    rows = [pl.DataFrame(schema=_BOUNCE)]
    rows += [_part(bounced, (pl.col("category") == row["category"]) & (pl.col("reason") == row["reason"]), **row) for row in top.to_dicts()]
    return pl.concat(rows)


def escalations(study: Study) -> pl.DataFrame:
    """What becomes of contacts that are escalated: does the team they were raised to resolve them?

    Helpdesks do not record who may decide what, so the team stands for the right to decide: where the team that raised a contact resolves it
    after all, the escalation bought nothing that can be seen.

    Returns
    -------
    pl.DataFrame
        `outcome` (resolved above, came back, resolved elsewhere), `n` escalated and resolved contacts, `share` of them with `low`, `high` (95 %,
        by customer), `fcr`, `fcr_low`, `fcr_high` (final verdicts; null where too few). In that order; empty where nothing is escalated.
    """
    solved = study.first_contacts.filter(pl.col("anchor_at").is_not_null())
    hands = handovers(study.desk, solved.with_columns(failed_at="anchor_at"))
    raised = pl.col("kind") == "escalation"
    found = hands.group_by(KEY).agg(pl.col("group_from", "group_to").filter(raised).first(), last=pl.col("group_to").last(), raised=raised.any())
    known = found.filter(pl.col("raised") & pl.col("group_from").ne_missing(pl.col("group_to")) & pl.col("group_to").is_not_null())
    table = solved.join(known, on=KEY, how="inner", maintain_order="left").with_columns(by=pl.coalesce("resolver_group", "last"))
    back, above = pl.col("by") == pl.col("group_from"), pl.col("by") == pl.col("group_to")
    table = table.with_columns(outcome=pl.when(above).then(pl.lit(ABOVE)).when(back).then(pl.lit(BACK)).otherwise(pl.lit(ELSEWHERE)))
    schema = {"outcome": pl.String, **{name: dtype for name, dtype in _BOUNCE.items() if name not in ("category", "reason")}}
    rows = [_part(table, pl.col("outcome") == outcome, outcome=outcome) for outcome in (ABOVE, BACK, ELSEWHERE) if table.height]
    return pl.concat([pl.DataFrame(schema=schema), *rows])


def promises(study: Study, *, taxonomy: Taxonomy | None = None) -> pl.DataFrame:
    """What becomes of promises to be in touch: "we will call you back", made before the first resolution.

    Kept means that a message or call of a person followed before the customer came back or the window closed. Calls that the helpdesk
    does not record are not seen, and who came back at once left no time to keep a promise.

    Returns
    -------
    pl.DataFrame
        `promise` (kept, nothing followed), `n` contacts, `share` of the contacts with a promise with `low`, `high` (95 %, by customer), `fcr`,
        `fcr_low`, `fcr_high` (final verdicts; null where too few). In that order; empty where no promise was found.
    """
    solved = study.first_contacts.filter(pl.col("anchor_at").is_not_null())
    made = promises_made(study.desk, solved, promises=(taxonomy or Taxonomy.shipped()).promises)
    kept = made.group_by(KEY).agg(kept=pl.col("followed_at").last().is_not_null())
    table = solved.join(kept, on=KEY, how="inner", maintain_order="left")
    schema = {"promise": pl.String, **{name: dtype for name, dtype in _BOUNCE.items() if name not in ("category", "reason")}}
    rows = [_part(table, what, promise=name) for name, what in ((KEPT, pl.col("kept")), (BROKEN, ~pl.col("kept"))) if table.height]
    return pl.concat([pl.DataFrame(schema=schema), *rows])


def _part(rows: pl.DataFrame, what: pl.Expr, **named: str | int) -> pl.DataFrame:
    """One part of some contacts: how many, its share of them, and its FCR."""
    words = [pl.lit(value, pl.String).alias(name) for name, value in named.items() if name != "len"]
    n = rows.filter(what).height
    fcr = withhold(rate(mature(rows.filter(what)), pl.col("label") == "resolved", cluster="customer"))
    share = rate(rows, what, cluster="customer").select(*words, pl.lit(n, pl.Int64).alias("n"), "share", "low", "high")
    return pl.concat([share, fcr.select(fcr="share", fcr_low="low", fcr_high="high")], how="horizontal")
