"""What was said on a HubSpot ticket?

In conversations (messages and comments), and in e-mails, notes and calls that hang on a ticket. An e-mail of a conversation stands in both.
"""

from __future__ import annotations

from datetime import timedelta

import polars as pl

from fcrlib.intake.canonical import instants, typed
from fcrlib.intake.canonical.told import Told
from fcrlib.intake.export.records import Records
from fcrlib.intake.hubspot.fields import CHANNEL_IDS
from fcrlib.model.desk import Dropped

_SAME = timedelta(minutes=1)
"""An e-mail of a conversation stands on the ticket once more, stamped about then."""
_TEXT = pl.coalesce(typed.filled("text"), "rich")
"""What was written; where the plain text is empty, the page with its marks."""


def said(found: Records, told: Told) -> pl.DataFrame:
    """Messages and comments of conversations; what a conversation tells of itself is neither."""
    known = found.table("threads").drop_nulls("contact_id").select("thread", "contact_id")
    all_of = found.table("messages").join(known, on="thread", how="inner", maintain_order="left")
    spoke = all_of.filter(pl.col("type").is_in(["MESSAGE", "WELCOME_MESSAGE", "COMMENT"]).fill_null(True))
    told.dropped.append(
        Dropped(what="messages", count=all_of.height - spoke.height, why="they tell of the conversation itself: its status, its holder")
    )
    sender = pl.col("sender").str.extract(r"^([A-Z])-")
    incoming, comment = (pl.col("direction") == "INCOMING").fill_null(False), (pl.col("type") == "COMMENT").fill_null(False)
    auto = (pl.col("type") == "WELCOME_MESSAGE").fill_null(False) | sender.is_in(["S", "I"]).fill_null(False)
    by = pl.when(incoming).then(pl.lit("customer")).when(auto).then(pl.lit("system")).when(sender == "B").then(pl.lit("bot")).otherwise(pl.lit("agent"))  # fmt: skip
    return spoke.select(
        "contact_id",
        "at",
        instants.ROW,
        text=_TEXT,
        kind=pl.when(comment).then(pl.lit("note")).otherwise(pl.lit("message")),
        public=~comment,
        is_auto=auto & ~incoming & ~comment,
        channel=pl.col("channel_id").replace_strict(CHANNEL_IDS, default=None, return_dtype=pl.String),
        by=by,
        sender="sender",
        order=pl.int_range(pl.len(), dtype=pl.Int64),
    )


def engaged(found: Records, told: Told) -> list[pl.DataFrame]:
    """E-mails, notes and calls that hang on a ticket."""
    every = {name: hung(found, name) for name in ("emails", "notes", "calls")}
    gone = {name: int(found.table(name).select(typed.yes("gone").sum()).item()) for name in every}
    told.dropped += [Dropped(what=name, count=count, why="archived in HubSpot") for name, count in gone.items()]
    shared = ("contact_id", "at", instants.ROW, pl.col("owner").alias("actor_id"), pl.int_range(pl.len(), dtype=pl.Int64).alias("order"))
    way = pl.col("direction").str.to_uppercase()
    by = pl.when(way.is_in(["INCOMING_EMAIL", "FORWARDED_EMAIL"])).then(pl.lit("customer")).when(way == "EMAIL").then(pl.lit("agent")).otherwise(pl.lit("unknown"))  # fmt: skip
    emails = every["emails"].select(
        *shared, text=_TEXT, kind=pl.lit("message"), public=pl.lit(True), channel=pl.lit("email"), by=by, engaged=pl.lit(True),
    )  # fmt: skip
    notes = every["notes"].select(*shared, "text", kind=pl.lit("note"), public=pl.lit(False), by=pl.lit("agent"))
    calls = every["calls"].select(*shared, kind=pl.lit("call_leg"), public=pl.lit(True), channel=pl.lit("phone"), by=pl.lit("agent"))
    return [emails, notes, calls]


def hung(found: Records, kind: str) -> pl.DataFrame:
    """E-mails, notes or calls that were not deleted, with their ticket, which a warehouse keeps apart."""
    links = found.table("ticket_engagements").select("id", linked="contact_id").drop_nulls().unique("id", keep="first")
    there = found.table(kind).filter(~typed.yes("gone"))
    return there.join(links, on="id", how="left", maintain_order="left").with_columns(pl.coalesce("contact_id", "linked")).drop("linked")


def once(steps: pl.DataFrame, told: Told) -> pl.DataFrame:
    """Steps without the e-mails that stand in a conversation of the ticket already: from the same side at about the same time."""
    mine = steps.filter(pl.col("engaged").fill_null(False)).with_row_index("copy")
    heard = steps.filter((pl.col("kind") == "message") & ~pl.col("engaged").fill_null(False)).select("contact_id", "by", heard_at="at")
    near = (pl.col("at") - pl.col("heard_at")).abs() <= _SAME
    copies = mine.join(heard, on=["contact_id", "by"], how="inner").filter(near)["copy"].unique()
    told.dropped.append(Dropped(what="emails", count=copies.len(), why="they stand in a conversation of the ticket already"))
    return pl.concat([steps.filter(~pl.col("engaged").fill_null(False)), mine.filter(~pl.col("copy").is_in(copies.implode())).drop("copy")])
