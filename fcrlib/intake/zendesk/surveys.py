"""What did customers answer when Zendesk asked them?

Ratings stand in a list of their own; a ticket holds the one of today, too, and a table of tickets nothing else. An offer is no answer, and a rating may
be given again.
"""

from __future__ import annotations

import polars as pl

from fcrlib.intake.canonical import instants
from fcrlib.intake.canonical.reading import Reading
from fcrlib.intake.zendesk import history

_GOOD, _BAD = (pl.col("score").str.to_lowercase().str.contains(rf"^{word}(?:$|[ _]|with)") for word in ("good", "bad"))
_ANSWERED = (_GOOD | _BAD).fill_null(False)
_UNANSWERED = ("offered", "unoffered", "not offered")
_OFFERED = pl.col("score").str.to_lowercase() == "offered"


def surveys(hand: Reading, tickets: pl.DataFrame) -> pl.DataFrame:
    """Offers and answers; those inside tickets where no rating of its own says them."""
    ratings = hand.moments(hand.table("ratings"), ["offered_at", "answered_at"])
    listed = ratings.select("contact_id", "score", "comment", "offered_at", "answered_at")
    both = pl.concat([listed, _inside(hand, tickets, listed)], how="diagonal")
    strange = both.filter(~_ANSWERED & ~pl.col("score").str.to_lowercase().is_in(_UNANSWERED))["score"].unique().sort()
    hand.told.notes += [f"ratings without a meaning, left out: {', '.join(strange[:20])}"] if len(strange) else []
    return both.filter(_ANSWERED | _OFFERED.fill_null(False)).select(
        "contact_id",
        "offered_at",
        pl.when(_ANSWERED).then("answered_at").alias("answered_at"),
        pl.when(_GOOD).then(pl.lit("good")).when(_BAD).then(pl.lit("bad")).alias("csat_raw"),
        pl.when(_ANSWERED).then(pl.lit("good-bad")).alias("csat_scale"),
        pl.when(_GOOD).then(1.0).when(_BAD).then(0.0).alias("csat"),
        "comment",
    )


def _inside(hand: Reading, tickets: pl.DataFrame, listed: pl.DataFrame) -> pl.DataFrame:
    """Ratings inside tickets: an answer where none is listed, an offer where nothing is. Their time is that of the change, else of the last one."""
    score = pl.coalesce(pl.col("rating").str.extract(r"""["']score["']\s*:\s*["'](\w+)"""), "rating")
    rated = tickets.select("contact_id", "touched_at", score=score, comment="rating_comment").drop_nulls("score")
    own = pl.concat(
        [
            rated.filter(_ANSWERED).join(listed.filter(_ANSWERED), on="contact_id", how="anti", maintain_order="left"),
            rated.filter(~_ANSWERED).join(listed, on="contact_id", how="anti", maintain_order="left"),
        ]
    )
    told = own.join(_told(hand, own), on=["contact_id", "score"], how="left", maintain_order="left")
    timeless = told.filter(_ANSWERED & pl.col("at").is_null()).height
    why = f"{timeless:,} ratings stand only inside their ticket, without a time: the last change of the ticket was taken"
    hand.told.notes += [why] if timeless else []
    return told.select("contact_id", "score", "comment", answered_at=pl.when(_ANSWERED).then(pl.coalesce("at", "touched_at")))


def _told(hand: Reading, rated: pl.DataFrame) -> pl.DataFrame:
    """When a ticket took the score that it has, where its history says it."""
    changes = history.changes(hand.found).filter(pl.col("field") == "satisfaction_score").select("ticket_id", "at", "value", instants.ROW).collect()
    turned = changes.join(rated.select(ticket_id="contact_id"), on="ticket_id", how="semi", maintain_order="left")
    return hand.moments(turned, ["at"]).group_by(contact_id="ticket_id", score="value").agg(pl.col("at").max())
