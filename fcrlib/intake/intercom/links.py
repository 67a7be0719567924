"""Which contacts of an Intercom export belong together?

A ticket may be made out of a conversation or stand behind many of them; the one or the other says so, or both.
"""

from __future__ import annotations

import polars as pl

from fcrlib.intake.export.records import Records

_TRACKER = "tracker"
_OURS = ("back-office", "back office", _TRACKER)
"""Tickets that the company keeps for itself: no customer asked in them."""


def linked(found: Records) -> pl.DataFrame:
    """What tickets are to conversations, by `contact_id`: `issue_key`, a tracker behind all of its conversations, `parent_id` of any other, and `ours`."""
    of_talks, of_tickets = found.table("links"), found.table("ticket_links")
    named = of_talks.filter(pl.col("type") == "ticket").select("sort", ticket="other", talk="contact_id")
    naming = pl.concat([of_tickets, of_talks]).filter(pl.col("type") == "conversation").select(ticket="contact_id", talk="other")
    sorts = pl.concat([found.table("tickets").select("sort", ticket="contact_id"), named.drop("talk")]).drop_nulls()
    sorts = sorts.unique("ticket", keep="first", maintain_order=True).with_columns(pl.col("sort").str.to_lowercase())
    pairs = pl.concat([naming, named.drop("sort")]).join(sorts, on="ticket", how="left", maintain_order="left")
    tracker = (pl.col("sort") == _TRACKER).fill_null(False)
    told = [
        sorts.select(contact_id="ticket", ours=pl.col("sort").is_in(_OURS), issue_key=pl.when(tracker).then("ticket")),
        pairs.filter(tracker).select(contact_id="talk", issue_key="ticket"),
        pairs.filter(~tracker & (pl.col("ticket") != pl.col("talk"))).select(contact_id="ticket", parent_id="talk"),
    ]
    said = pl.col("ours", "issue_key", "parent_id").drop_nulls().first()
    return pl.concat(told, how="diagonal").group_by("contact_id", maintain_order=True).agg(said)
