"""What do the calls of Zendesk Talk tell?

Most calls belong to a ticket and add to it: who rang whom, how long it took, who passed it on. A call without a ticket (most often one that was given
up) is a contact of its own, for whoever gave up may ring again.
"""

from __future__ import annotations

from datetime import timedelta

import polars as pl

from fcrlib.intake.canonical import assemble, flags, instants, typed
from fcrlib.intake.canonical.reading import Reading
from fcrlib.model.desk import Dropped

_ABANDONED = r"(?i)^abandoned"
_DIRECTIONS = {"inbound": "customer", "outbound": "company"}
_SOON = timedelta(minutes=1)
"""A ticket is made when its call is answered or over; a little later than that the call came to a ticket that was there."""
_ENDLESS = 1e7
"""Seconds that no call lasts."""
_TIMES = ("talk", "hold", "wrap", "wait", "lasted")


def calls(hand: Reading, tickets: pl.DataFrame) -> pl.DataFrame:
    """Every call once, with `alone` for those without a ticket, which get a number of their own; those of a ticket that is not there are left out."""
    rows = typed.numbers(hand.moments(hand.table("calls"), ["at"]), _TIMES, told=hand.told)
    alone = pl.col("contact_id").is_null() | (pl.col("contact_id") == "0")
    rows = rows.with_columns(
        alone=alone,
        contact_id=pl.when(alone).then(pl.format("call {}", "call_id")).otherwise("contact_id"),
        agent=_somebody("agent"),
        customer=_somebody("customer"),
        handle=pl.when(pl.col("talk").is_not_null()).then(pl.sum_horizontal("talk", "hold", "wrap")),
        voicemail=typed.yes("voicemail"),
        given_up=pl.col("completion").str.contains(_ABANDONED).fill_null(False),
    )
    lost = rows.filter(~pl.col("alone")).join(tickets, on="contact_id", how="anti")
    hand.told.dropped.append(
        Dropped(what="calls", count=lost.height, why="their ticket is not among the tickets", example=next(iter(lost["contact_id"]), ""))
    )
    return rows.join(lost.select("call_id"), on="call_id", how="anti", maintain_order="left").sort("at", maintain_order=True, nulls_last=True)


def added(contacts: pl.DataFrame, calls: pl.DataFrame) -> pl.DataFrame:
    """Contacts with what the calls of their tickets say: time spent, and of those that began with a call who called whom and whether nobody answered.

    An agent who rings back about a mail did not begin it, and a caller who hangs up did not give up what was written before.
    """
    summed = [pl.when(pl.col(name).count() > 0).then(pl.col(name).sum()).alias(f"{name}_called") for name in ("talk", "handle")]
    by_ticket = calls.filter(~pl.col("alone")).group_by("contact_id", maintain_order=True).agg(
        *summed, pl.col("wait").first().alias("called_wait"), pl.col("direction", "at").first(), (pl.col("given_up") & ~pl.col("voicemail")).all()
    )  # fmt: skip
    both = contacts.join(by_ticket, on="contact_id", how="left", maintain_order="left")
    began = (pl.col("channel") == "phone") | (pl.col("at") <= pl.col("opened_at") + _SOON).fill_null(False)
    return both.with_columns(
        talk_seconds="talk_called",
        handle_seconds=pl.coalesce("handle_called", "handle_seconds"),
        wait_seconds=pl.coalesce(pl.when(began).then("called_wait"), "wait_seconds"),
        is_abandoned=pl.col("is_abandoned") | (pl.col("given_up") & began).fill_null(False),
        initiated_by=pl.when(began).then(_who_called()),
    )


def alone(calls: pl.DataFrame, people: pl.DataFrame) -> pl.DataFrame:
    """Calls without a ticket as contacts. The end of a call that somebody answered counts as its resolution, as with any phone system."""
    staff, nobody = people.filter(pl.col("kind") != "customer")["user_id"], people.filter("nobody")["user_id"]
    lasted = pl.coalesce("lasted", pl.sum_horizontal("wait", "talk", "hold"))
    own = calls.filter("alone").with_columns(
        met=(pl.col("talk") > 0).fill_null(False) & ~pl.col("given_up"),
        end=pl.col("at") + pl.duration(milliseconds=pl.when(lasted < _ENDLESS).then(lasted * 1000).cast(pl.Int64)),
    )
    left = pl.col("voicemail") & ~pl.col("met")
    mute, resolved = ~pl.col("met") & ~left, pl.when("met").then("end")
    internal = pl.col("customer").is_in(staff.implode()).fill_null(False)
    contacts = own.select(
        "contact_id",
        opened_at="at",
        first_resolved_at=resolved,
        last_resolved_at=resolved,
        closed_at=pl.when(~left).then("end"),
        status=pl.when(left).then(pl.lit("open")).otherwise(pl.lit("closed")),
        channel=pl.lit("phone"),
        channel_raw=pl.lit("voice"),
        customer_ref=pl.when(~pl.col("customer").is_in(pl.concat([nobody, staff]).implode())).then("customer"),
        initiated_by=_who_called(),
        resolver_agent=pl.when("met").then("agent"),
        resolved_by=pl.when("met").then(pl.lit("human")),
        close_reason=pl.when(mute).then(pl.lit("abandoned")),
        is_abandoned=mute,
        is_internal=internal,
        is_side_conversation=pl.lit(False),
        is_deleted=pl.lit(False),
        tags=pl.lit([], dtype=pl.List(pl.String)),
        talk_seconds="talk",
        handle_seconds="handle",
        wait_seconds="wait",
    )
    return flags.by_tags(contacts)


def remark(calls: pl.DataFrame) -> list[str]:
    """What has to be said about calls without a ticket."""
    own = calls.filter("alone")
    return [f"{own.height:,} calls without a ticket are contacts of their own, numbered 'call ...'"] if own.height else []


def steps(hand: Reading, calls: pl.DataFrame) -> pl.DataFrame:
    """The legs of calls, the customer's and every agent's, and who passed a call on to whom."""
    legs = hand.table("legs").join(calls.select("call_id", "contact_id", "customer"), on="call_id", how="inner", maintain_order="left")
    legs = legs.with_columns(_somebody(name).alias(name) for name in ("agent", "passed_from", "passed_to"))
    heard = legs.select(
        "contact_id",
        "at",
        instants.ROW,
        actor_id=pl.when(pl.col("type") == "agent").then("agent").otherwise("customer"),
        order=pl.lit(-1, dtype=pl.Int64),
        kind=pl.lit("call_leg"),
        public=pl.lit("true"),
        channel=pl.lit("phone"),
        caller=pl.col("type"),
    )
    return pl.concat([_passed(legs), heard], how="diagonal")


def _passed(legs: pl.DataFrame) -> pl.DataFrame:
    """Calls that went from one agent to the next: who had it first, and every passing on."""
    agents = legs.filter((pl.col("type") == "agent") & pl.col("agent").is_not_null()).sort("call_id", "at", "leg_id", maintain_order=True)
    agents = agents.with_columns(before=pl.col("agent").shift().over("call_id"), sent=pl.col("passed_to").shift().over("call_id"))
    moved = pl.any_horizontal(pl.col("passed_from", "sent").is_not_null()) & (pl.col("before") != pl.col("agent")).fill_null(False)
    known = agents.with_columns(moved=moved).filter(pl.col("moved").any().over("call_id") & (pl.col("moved") | pl.col("before").is_null()))
    return known.select(
        "contact_id",
        "at",
        instants.ROW,
        actor_id="before",
        agent_to="agent",
        order=pl.lit(-2, dtype=pl.Int64),
        kind=pl.when("moved").then(pl.lit("transfer")).otherwise(pl.lit(assemble.HANDOVER)),
    )


def _somebody(column: str) -> pl.Expr:
    """A number of a person; 0 is nobody."""
    return pl.col(column).replace("0", None)


def _who_called() -> pl.Expr:
    return pl.col("direction").str.to_lowercase().replace_strict(_DIRECTIONS, default=None, return_dtype=pl.String)
