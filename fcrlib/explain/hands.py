"""What happens to contacts that change hands, are promised something, or meet a busy desk?"""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from fcrlib.judge.rates import difference, mature, rate, stand_apart, withhold
from fcrlib.model.columns import KEY, NOT_KNOWN
from fcrlib.model.taxonomy import Taxonomy
from fcrlib.signs.traces import handovers, promises_made

if TYPE_CHECKING:
    from fcrlib.study import Study

ABOVE, BACK, ELSEWHERE = "resolved above", "came back", "resolved elsewhere"
KEPT, BROKEN = "kept", "nothing followed"
_BOUNCE = {
    "category": pl.String, "reason": pl.String, "n": pl.Int64, "share": pl.Float64, "low": pl.Float64, "high": pl.Float64, "fcr": pl.Float64,
    "fcr_low": pl.Float64, "fcr_high": pl.Float64,
}  # fmt: skip
_AGAINST = 5  # contacts without a handover that a cell must hold to be compared with


def per_transfer(study: Study) -> pl.DataFrame:
    """FCR by how often a contact changed hands before its first resolution, beside alike contacts that did not.

    Alike means the same channel, category and tier, in the same proportions. Handovers happen to harder contacts too, which these three
    do not show, so the difference is no measure of what fewer handovers would bring.

    Returns
    -------
    pl.DataFrame
        One row per number of handovers, in order: `handovers` (0, 1, 2, 3 or more), `n`, `share`, `low`, `high` (95 %, by customer), `alike`,
        `alike_low`, `alike_high` (FCR of alike contacts without a handover), `lost`, `lost_low`, `lost_high` (share - alike), `clear`,
        `matched` (share of the contacts that have alike ones), `counted` (the definition takes a handover for a failure by itself, so that there is
        nothing to compare: alike and lost are null). Contacts whose verdict is final. Empty where no team history is recorded.
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
    by_itself = study.policy.transfer != "ignore" or study.policy.max_agents is not None
    # Those without a handover have only themselves to be compared with.
    beside = [name for name in table.columns if name.startswith(("alike", "lost", "clear"))]
    compared = pl.when((pl.col("handovers") != "0") & ~pl.lit(by_itself)).then(pl.col(beside))
    return table.with_columns(compared.name.keep(), counted=pl.lit(by_itself))


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
            pl.DataFrame({"matched": [inside.height / group.height], "counted": [False]}),
        ],
        how="horizontal",
    )


def _per_transfer(rows: list[pl.DataFrame]) -> pl.DataFrame:
    names = ("share", "low", "high", "alike", "alike_low", "alike_high", "lost", "lost_low", "lost_high")
    schema = {
        "handovers": pl.String,
        "n": pl.Int64,
        **dict.fromkeys(names, pl.Float64),
        "clear": pl.Boolean,
        "matched": pl.Float64,
        "counted": pl.Boolean,
    }
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
    made = promises_made(study.desk, solved, promises=(taxonomy or study.taxonomy).promises)
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
