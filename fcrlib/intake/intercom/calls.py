"""What do the calls of an Intercom export tell?"""

from __future__ import annotations

from datetime import timedelta

import polars as pl

from fcrlib.intake.canonical.reading import Reading
from fcrlib.model.desk import Dropped

_SOON = timedelta(minutes=1)
"""A call that comes later than that came to a conversation that was there."""
_OUTBOUND = (pl.col("direction").str.to_lowercase() == "outbound").fill_null(False)


def calls(hand: Reading) -> pl.DataFrame:
    """The calls of conversations; number 0 is nobody."""
    rows = hand.moments(hand.table("calls"), ["at", "answered_at", "ended_at"])
    hand.told.dropped.append(Dropped(what="calls", count=rows["contact_id"].null_count(), why="without a conversation"))
    return rows.drop_nulls("contact_id").with_columns(pl.col("agent").replace("0", None))


def added(contacts: pl.DataFrame, calls: pl.DataFrame) -> pl.DataFrame:
    """Contacts with what their calls add: time spent talking; of those that began with a call who rang, the wait, and whether nobody answered nor cared
    for it later (`tended`)."""
    seconds = (pl.col("ended_at") - pl.col("answered_at")).dt.total_seconds().clip(0).cast(pl.Float64)
    wait = (pl.col("answered_at") - pl.col("at")).dt.total_seconds().clip(0).cast(pl.Float64)
    talk = pl.when(pl.col("answered_at").is_null()).then(0.0).otherwise(seconds)
    by_contact = calls.sort("at").group_by("contact_id").agg(
        talk_seconds=talk.sum(),
        called_at=pl.col("at").first(),
        called_wait=wait.drop_nulls().first(),
        direction=pl.col("direction").str.to_lowercase().first(),
        missed=(pl.col("answered_at").is_null() & ~_OUTBOUND).all(),
    )  # fmt: skip
    both = contacts.join(by_contact, on="contact_id", how="left", maintain_order="left")
    rang = pl.col("direction").replace_strict({"inbound": "customer", "outbound": "company"}, default=None, return_dtype=pl.String)
    began = (pl.col("channel") == "phone") | (pl.col("called_at") <= pl.col("opened_at") + _SOON).fill_null(False)
    inbound = pl.col("missed").is_not_null() & ~_OUTBOUND
    return both.with_columns(
        wait_seconds=pl.when(began & inbound).then("called_wait").otherwise("wait_seconds"),
        is_abandoned=pl.col("is_abandoned") | (began & pl.col("missed").fill_null(False) & ~pl.col("tended")),
        initiated_by=pl.coalesce(pl.when(began).then(rang), "initiated_by"),
    )


def legs(contacts: pl.DataFrame, calls: pl.DataFrame) -> list[pl.DataFrame]:
    """The callers' legs and ours."""
    known = calls.join(contacts.select("contact_id", "customer_ref"), on="contact_id", how="inner", maintain_order="left")
    inbound = known.filter(~_OUTBOUND)
    leg = {"order": pl.lit(1, dtype=pl.Int64), "kind": pl.lit("call_leg"), "public": pl.lit(True), "channel": pl.lit("phone")}
    callers = inbound.select("contact_id", "at", actor=pl.lit("customer"), actor_id=pl.coalesce("customer", "customer_ref"), **leg)
    ours = known.drop_nulls("answered_at").select("contact_id", at="answered_at", actor=pl.lit("agent"), actor_id="agent", **leg)
    return [callers, ours]
