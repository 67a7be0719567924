"""What did Zendesk promise about each ticket, and was it kept?

Every metric of a ticket is measured in instances. A policy gives one a target, a later policy another; the clock of an instance stands while the
ticket waits; when the target passes there is a breach, and its time is the promised one whatever hours the clock counts. What a group promises to
another group is no promise to a customer.
"""

from __future__ import annotations

import polars as pl

from fcrlib.intake.canonical import promises, typed
from fcrlib.intake.canonical.reading import Reading
from fcrlib.model.tables import RESOLVED_STATUSES

_RESOLVING = ("resolution_time", "requester_wait_time", "agent_work_time")
"""Metrics that end with the resolution; the first of which a time is known counts."""
_INSIDE = "group_ownership_time"
_INSTANCE = ("ticket_id", "metric", "instance")


def promised(contacts: pl.DataFrame, *, hand: Reading) -> pl.DataFrame:
    """Contacts with `due_at`, which of a task stands on the ticket, and `vendor_sla_met`."""
    runs = _runs(_events(hand))
    rows = pl.concat([runs.select("ticket_id", "broken", "running"), _due(runs)], how="diagonal").rename({"ticket_id": "contact_id"})
    return promises.promised(contacts, rows, key="contact_id", over=pl.col("status").is_in(RESOLVED_STATUSES))


def _events(hand: Reading) -> pl.DataFrame:
    """The events of the metrics that count, in order, each with whether its instance was fulfilled before."""
    events = hand.moments(hand.table("promises"), ["at"])
    events = typed.numbers(events, ["target", "target_seconds"], told=hand.told)
    counts = ~typed.yes("deleted") & (pl.col("metric") != _INSIDE).fill_null(True)
    done = pl.col("type") == "fulfill"
    return events.filter(counts).sort("at", maintain_order=True, nulls_last=False).with_columns(
        target=pl.coalesce("target_seconds", pl.col("target") * 60), ended=(done.cum_sum().over(_INSTANCE) - done) > 0
    )  # fmt: skip


def _runs(events: pl.DataFrame) -> pl.DataFrame:
    """The instances that had a target: whether it was broken, whether it still runs, and when it was `due`."""
    kind = pl.col("type")
    applied, broke = kind == "apply_sla", kind == "breach"
    runs = events.group_by(_INSTANCE, maintain_order=True).agg(
        broken=broke.any(),
        running=applied.any() & ~(kind == "fulfill").any(),
        decided=pl.col("at").filter(applied | broke).last(),
        broke=pl.col("at").filter(broke).last(),
        target=pl.col("target").filter(applied).last(),
        always=~typed.yes("business").filter(applied).last(),
        governed=(applied | broke).any(),
    )
    clock = runs.filter("governed").join(_clock(events), on=_INSTANCE, how="left", nulls_equal=True, maintain_order="left")
    ends = pl.col("started") + pl.duration(seconds="target") + pl.col("stood")
    return clock.with_columns(due=pl.coalesce("broke", pl.when(pl.col("always") & ~pl.col("stands")).then(ends)))


def _clock(events: pl.DataFrame) -> pl.DataFrame:
    """When the clock of each instance began to run, how long it `stood` before the end, and whether it still `stands`."""
    pause = pl.col("type") == "pause"
    turns = events.filter(pl.col("type").is_in(["activate", "pause", "fulfill"]) & ~pl.col("ended"))
    gap = pl.col("at").shift(-1).over(_INSTANCE) - pl.col("at")
    return turns.with_columns(gap=gap).group_by(_INSTANCE).agg(
        started=pl.col("at").filter(pl.col("type") == "activate").first(),
        stood=pl.col("gap").filter(pause).sum(),
        stands=pause.last(),
    )  # fmt: skip


def _due(runs: pl.DataFrame) -> pl.DataFrame:
    """One `due` per ticket: of each metric the last application counts."""
    rank = {name: place for place, name in enumerate(_RESOLVING)}
    last = runs.filter(pl.col("metric").is_in(_RESOLVING)).sort("decided", maintain_order=True).unique(
        ["ticket_id", "metric"], keep="last", maintain_order=True
    )  # fmt: skip
    ranked = last.drop_nulls("due").sort(pl.col("metric").replace_strict(rank, default=None, return_dtype=pl.Int64), maintain_order=True)
    return ranked.unique("ticket_id", keep="first", maintain_order=True).select("ticket_id", "due", "broken")
