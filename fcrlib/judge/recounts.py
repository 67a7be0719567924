"""How else may a helpdesk count the same history?

A helpdesk's counters and ours look at one history and follow different rules. Here stand ours, and the rules by which a helpdesk is known to
count instead, each as a figure that can be compared contact by contact: a rule that cannot be counted explains nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import polars as pl

from fcrlib.model.columns import KEY
from fcrlib.model.desk import Desk
from fcrlib.model.tables import RESOLVED_STATUSES

COUNTS = ("reopens", "replies", "stations")
EVERYWHERE = ("the first message is counted", "the first holder is counted")
"""Rules that ask nothing of a contact: one more can be had on any, so that they hold on all or are none."""
LATER, INSIDE = " with later ones", " with merged ones"
_RESOLVED = list(RESOLVED_STATUSES)
_MINUTE = pl.duration(minutes=1)


@dataclass(frozen=True, slots=True)
class Figure:
    """One figure: the helpdesk's column, ours, what a desk has to record for it, and the other rules, all over the columns of `recount`."""

    name: str
    vendor: str
    ours: pl.Expr
    needs: tuple[str, ...]
    rules: Mapping[str, pl.Expr] = field(default_factory=dict)


def recount(desk: Desk) -> pl.DataFrame:
    """Every contact with its figures counted by every rule.

    Returns
    -------
    pl.DataFrame
        The columns of the contacts (`due_at` is null where the desk has none), then per contact: `told` (has it any history?), `traced` (is the
        history of its status there, or was it never resolved?), the counts that the rules of `figures` name (whole numbers; null without history),
        the instants `solved`, `solved last`, `shut`, `shut last`, `replied_at`, and `waited` (duration before the first resolution that it
        waited for the customer or a third party). In the order of the contacts.
    """
    end = desk.manifest.data_end
    counted = _counted(desk.events.filter(pl.col("at") <= end))
    late = desk.events["at"].max()
    everything = _counted(desk.events) if late is not None and late > end else counted  # type: ignore[operator]
    wide = desk.contacts.join(counted, on=KEY, how="left", maintain_order="left")
    wide = wide.join(everything.select(*KEY, pl.col(COUNTS).name.suffix(LATER)), on=KEY, how="left", maintain_order="left")
    wide = wide.join(_merged(wide), on=KEY, how="left", maintain_order="left")
    wide = wide.join(_followed(desk.contacts), on=KEY, how="left", maintain_order="left")
    none = [pl.lit(None, pl.Datetime("us", "UTC")).alias("due_at")] if "due_at" not in wide.columns else []
    inside = [(pl.col(name) + pl.col(f"{name}{INSIDE}").fill_null(0)).alias(f"{name}{INSIDE}") for name in COUNTS]
    told = pl.col("told").fill_null(False)
    traced = told & (pl.col("traced").fill_null(False) | pl.col("first_resolved_at").is_null())
    return wide.with_columns(*none, *inside, told=told, traced=traced, followed=pl.col("followed").fill_null(0))


def _counted(events: pl.DataFrame) -> pl.DataFrame:
    """Per contact with a history the counts by every rule."""
    return _seen(events).group_by(KEY, maintain_order=True).agg(*_back(), *_answered(), *_handed(), *_instants(), told=pl.lit(True))


def _seen(events: pl.DataFrame) -> pl.DataFrame:
    """The events with what the rules ask of each: yes or no."""
    kind, message = pl.col("kind"), pl.col("kind") == "message"
    customer = message & (pl.col("actor") == "customer")
    public = pl.col("public")
    moved = kind.is_in(["assignment", "transfer"])
    ordered = events.sort(*KEY, "seq").with_columns(
        back=(kind == "status") & pl.col("status_from").is_in(_RESOLVED) & ~pl.col("status_to").is_in(_RESOLVED),
        solving=(kind == "status") & pl.col("status_to").is_in(_RESOLVED) & ~pl.col("status_from").is_in(_RESOLVED).fill_null(False),
        reply=message & (pl.col("actor") == "agent") & public & ~pl.col("is_auto"),
        heard=customer,
        moved=moved,
        held=moved & (pl.col("group_from").is_not_null() | pl.col("agent_from").is_not_null()),
        passed=(kind == "transfer") & (pl.col("group_from").is_not_null() | pl.col("agent_from").is_not_null()),
        team=moved & (pl.col("group_from") != pl.col("group_to")),
        person=moved & (pl.col("agent_from") != pl.col("agent_to")),
    )
    flags = ["back", "solving", "reply", "heard", "moved", "held", "passed", "team", "person"]
    known = ordered.with_columns(pl.col(flags).fill_null(False))
    spoken = pl.when(public & message & (pl.col("heard") | pl.col("reply")))
    return known.with_columns(
        replied=pl.col("at").filter("reply").min().over(KEY),
        opening=pl.col("at").filter("heard").min().over(KEY),
        resolved=pl.col("at").filter("solving").min().over(KEY),
        said=pl.when(heard := pl.col("heard")).then("at").forward_fill().over(KEY),
        thanks=pl.when(heard).then(pl.col("is_ack").fill_null(False)).forward_fill().over(KEY),
        says=pl.when(heard).then("at").backward_fill().over(KEY),
        will_thank=pl.when(heard).then(pl.col("is_ack").fill_null(False)).backward_fill().over(KEY),
        before=spoken.then("reply").forward_fill().shift(1).over(KEY).fill_null(False),
    )


def _back() -> list[pl.Expr]:
    back, at = pl.col("back"), pl.col("at")
    thanked = (pl.col("thanks") & (at - pl.col("said") <= _MINUTE)) | (pl.col("will_thank") & (pl.col("says") - at <= _MINUTE))
    return [
        _sum(back, "reopens"),
        _sum(back & thanked.fill_null(False), "reopens thanked"),
        _sum(back & (at > pl.col("replied")).fill_null(False), "reopens after a reply"),
        _sum(back & (at > pl.col("opening")).fill_null(False), "reopens after a word"),
        _sum(back & (pl.col("status_from") == "solved"), "reopens from solved"),
        _sum(back & (pl.col("actor") == "customer"), "reopens by customers"),
    ]


def _answered() -> list[pl.Expr]:
    reply, message, at = pl.col("reply"), pl.col("kind") == "message", pl.col("at")
    agent, bot = pl.col("actor") == "agent", pl.col("actor") == "bot"
    # What nobody but the team can have written.
    theirs = pl.col("actor").is_in(["agent", "bot", "system"])
    spoken = message & pl.col("public") & (pl.col("heard") | agent)
    return [
        _sum(reply, "replies"),
        _sum(message & pl.col("public") & bot & ~pl.col("is_auto"), "replies of bots"),
        _sum(message & pl.col("public") & pl.col("is_auto") & theirs, "replies of machines"),
        _sum(agent & ((pl.col("kind") == "note") | (message & ~pl.col("public"))), "notes"),
        _sum(agent & (pl.col("kind") == "call_leg"), "calls"),
        _sum(reply & ~pl.col("before"), "turns"),
        _sum(reply & (at <= pl.col("resolved")).fill_null(True), "replies before"),
        (reply.filter(spoken).first().fill_null(False)).cast(pl.Int64).alias("opened by us"),
    ]


def _handed() -> list[pl.Expr]:
    moved, passed, team, person = pl.col("moved"), pl.col("passed"), pl.col("team"), pl.col("person")
    first_team = moved & pl.col("group_from").is_null() & pl.col("group_to").is_not_null()
    first_person = moved & pl.col("agent_from").is_null() & pl.col("agent_to").is_not_null()
    teams = pl.concat_list("group_from", "group_to").filter(moved).explode(empty_as_null=True).drop_nulls().n_unique()
    return [
        _sum(passed | team | person, "stations"),
        _sum(moved, "moves"),
        _sum(pl.col("held"), "takings"),
        _sum(team, "team changes"),
        _sum(team | first_team, "team moves"),
        _sum(person, "person changes"),
        _sum(person | first_person, "person moves"),
        _sum(pl.col("kind") == "escalation", "escalations"),
        (teams.cast(pl.Int64) - 1).clip(0).alias("other teams"),
    ]


def _instants() -> list[pl.Expr]:
    at, solving, shut = pl.col("at"), pl.col("solving"), (pl.col("kind") == "status") & (pl.col("status_to") == "closed")
    status = pl.col("kind") == "status"
    until = pl.min_horizontal(at.filter(status).shift(-1), pl.col("resolved").filter(status))
    paused = pl.col("status_to").filter(status).is_in(["pending", "hold"])
    spans = pl.when(paused & (until > at.filter(status))).then(until - at.filter(status))
    return [
        at.filter(solving).first().alias("solved"),
        at.filter(solving).last().alias("solved last"),
        at.filter(shut).first().alias("shut"),
        at.filter(shut).last().alias("shut last"),
        pl.col("replied").first().alias("replied_at"),
        solving.any().alias("traced"),
        spans.sum().alias("waited"),
    ]


def _sum(flag: pl.Expr, name: str) -> pl.Expr:
    return flag.fill_null(False).sum().cast(pl.Int64).alias(name)


def _merged(wide: pl.DataFrame) -> pl.DataFrame:
    """Counts of what was merged into a contact."""
    into = wide.filter(pl.col("merged_into").is_not_null()).group_by("source", contact_id="merged_into")
    return into.agg(pl.col(COUNTS).sum().name.suffix(INSIDE))


def _followed(contacts: pl.DataFrame) -> pl.DataFrame:
    """How many contacts follow one up."""
    return contacts.drop_nulls("follow_up_of").group_by("source", contact_id="follow_up_of").agg(followed=pl.len().cast(pl.Int64))


def figures() -> tuple[Figure, ...]:
    """What a helpdesk counts, ours beside it, and the rules by which it may count instead; the plainest rule first."""
    status, group, said = ("has_status_history",), ("has_group_history",), ("has_messages",)
    return (
        Figure("reopens", "vendor_reopens", _if_traced("reopens"), status, _reopens()),
        Figure("replies", "vendor_replies", pl.col("replies"), said, _replies()),
        Figure("stations", "vendor_stations", pl.col("stations"), group, _stations()),
        Figure("one touch", "vendor_one_touch", _touched(pl.col("replies") <= 1), (*said, *status), _touches()),
        Figure("first resolved", "vendor_first_resolved_at", pl.coalesce("anchor_at", "solved"), status, _resolutions()),
        Figure("SLA met", "vendor_sla_met", _kept(pl.col("first_resolved_at")), (), _promises()),
    )


def _if_traced(name: str) -> pl.Expr:
    return pl.when("traced").then(pl.col(name))


def _reopens() -> dict[str, pl.Expr]:
    own = pl.col("reopens")
    return {
        "a reopening by a thank-you is not counted": own - pl.col("reopens thanked"),
        "counted only from the first reply on": pl.col("reopens after a reply"),
        "counted only from the customer's first message on": pl.col("reopens after a word"),
        "only what was solved counts, not what was closed": pl.col("reopens from solved"),
        "only the customer can reopen": pl.col("reopens by customers"),
        "a follow-up counts as a reopening": own + pl.col("followed"),
        **_both_ways("reopens"),
    }


def _replies() -> dict[str, pl.Expr]:
    own, bots, machines, notes = pl.col("replies"), pl.col("replies of bots"), pl.col("replies of machines"), pl.col("notes")
    return {
        "answers of bots are counted": own + bots,
        "automatic answers are counted": own + machines,
        "answers of bots and automatic ones are counted": own + bots + machines,
        "internal notes are counted": own + notes,
        "calls are counted": own + pl.col("calls"),
        "the message that opened it is not counted": own - pl.col("opened by us"),
        "the first message is counted": own + 1,
        "several answers in a row count as one": pl.col("turns"),
        "answers after the first resolution are not counted": pl.col("replies before"),
        **_both_ways("replies"),
    }


def _stations() -> dict[str, pl.Expr]:
    own, teams, people = pl.col("stations"), pl.col("team changes"), pl.col("person changes")
    return {
        "the first assignment is counted": pl.col("moves"),
        "the first holder is counted": own + 1,
        "a person who takes it from the team's queue counts": pl.col("takings"),
        "only a change of the team is counted": teams,
        "only a change of the team is counted, the first one too": pl.col("team moves"),
        "only a change of the person is counted": people,
        "only a change of the person is counted, the first one too": pl.col("person moves"),
        "a change of team and person counts twice": teams + people,
        "a team counts once, however often it comes back": pl.col("other teams"),
        "escalations are counted": own + pl.col("escalations"),
        **_both_ways("stations"),
    }


def _both_ways(name: str) -> dict[str, pl.Expr]:
    """Rules that any counter may follow."""
    return {
        "what was merged into it is counted": pl.col(f"{name}{INSIDE}"),
        "a merged contact keeps no count": pl.when(pl.col("merged_into").is_null()).then(pl.col(name)).otherwise(0),
        "what happened after the data end is counted": pl.col(f"{name}{LATER}"),
    }


def _touched(few: pl.Expr) -> pl.Expr:
    """One touch is asked of resolved contacts only."""
    return pl.when(pl.col("traced") & pl.col("solved").is_not_null()).then(few & (pl.col("reopens") == 0))


def _touches() -> dict[str, pl.Expr]:
    replies = pl.col("replies")
    return {
        "a contact without an answer is none": _touched(replies == 1),
        "answers of bots are counted": _touched(replies + pl.col("replies of bots") <= 1),
        "automatic answers are counted": _touched(replies + pl.col("replies of machines") <= 1),
        "internal notes are counted": _touched(replies + pl.col("notes") <= 1),
        "calls are counted": _touched(replies + pl.col("calls") <= 1),
        "several answers in a row count as one": _touched(pl.col("turns") <= 1),
        "answers after the first resolution are not counted": _touched(pl.col("replies before") <= 1),
        "reopenings do not matter": pl.when(pl.col("solved").is_not_null()).then(replies <= 1),
        "a reopening by a thank-you is not counted": pl.when(pl.col("solved").is_not_null()).then(
            (replies <= 1) & (pl.col("reopens") == pl.col("reopens thanked"))
        ),
        "a handover spoils it": _touched((replies <= 1) & (pl.col("stations") == 0)),
    }


def _resolutions() -> dict[str, pl.Expr]:
    first = pl.coalesce("anchor_at", "solved")
    return {
        "the first time it was solved, where our definition takes another": pl.col("solved"),
        "the last resolution is meant": pl.col("solved last"),
        "closing is meant, not solving": pl.col("shut"),
        "the last closing is meant": pl.col("shut last"),
        "times are cut to the hour": first.dt.truncate("1h"),
        "only the day is kept": first.dt.truncate("1d"),
    }


def _kept(when: pl.Expr) -> pl.Expr:
    """Is a promised time kept by something that happened then? Open beyond the promise is no; what still can be kept is not known."""
    due, end = pl.col("due_at"), pl.col("data_end")
    return pl.when(due.is_not_null()).then(pl.when(when.is_not_null()).then(when <= due).when(due < end).then(pl.lit(False)))


def _promises() -> dict[str, pl.Expr]:
    solved, due = pl.col("first_resolved_at"), pl.col("due_at")
    return {
        "time spent waiting is not counted": _kept(solved - pl.col("waited").fill_null(pl.duration())),
        "the last resolution is held against the promise": _kept(pl.coalesce("last_resolved_at", solved)),
        "closing is held against the promise": _kept(pl.coalesce("closed_at", solved)),
        "an open contact has missed nothing yet": pl.when(due.is_not_null()).then((solved <= due).fill_null(True)),
        "the first answer is held against the promise": _kept(pl.col("replied_at")),
    }
