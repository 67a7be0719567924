"""What did customers answer when Intercom asked them?"""

from __future__ import annotations

import polars as pl

from fcrlib.intake.canonical.reading import Reading


def surveys(hand: Reading, threads: pl.DataFrame) -> pl.DataFrame:
    """Ratings of the people and of the AI agent. When a rating was asked for is not when it was given."""
    undated = threads.filter(pl.col("rating").is_not_null() & pl.col("rated_at").is_null()).height
    if undated:
        hand.told.notes.append(f"surveys: {undated:,} ratings do not say when they were given; the moment they were asked for stands in")
    human = threads.filter(pl.col("requested_at").is_not_null() | pl.col("rating").is_not_null()).select(
        "contact_id", "rating", offered_at="requested_at", answered_at=pl.coalesce("rated_at", "requested_at", "updated_at"), comment="remark"
    )
    ai = threads.filter(pl.col("ai_rating").is_not_null()).select(
        "contact_id",
        rating="ai_rating",
        offered_at=pl.lit(None, pl.Datetime("us", "UTC")),
        answered_at=pl.coalesce("ai_rated_at", "updated_at"),
        comment="ai_remark",
    )
    both = pl.concat([ai, human])
    given = pl.col("rating").is_between(1, 5)
    wrong = both.filter(~given)
    if wrong.height:
        hand.told.problems.append(f"ratings: {wrong.height:,} are not 1 to 5, the first in contact {wrong['contact_id'][0]}: {wrong['rating'][0]:g}")
    return both.select(
        "contact_id",
        "offered_at",
        answered_at=pl.when(given).then("answered_at"),
        csat_raw=pl.when(given).then(pl.col("rating").cast(pl.Int64).cast(pl.String)),
        csat_scale=pl.when(given).then(pl.lit("1-5")),
        csat=pl.when(given).then((pl.col("rating") - 1) / 4),
        comment="comment",
    )


def offers(contacts: pl.DataFrame) -> pl.DataFrame:
    """The moments at which a rating was asked for, as steps."""
    return contacts.drop_nulls("requested_at").select(
        "contact_id", at="requested_at", actor=pl.lit("system"), order=pl.lit(2**40, dtype=pl.Int64), kind=pl.lit("survey"), public=pl.lit(True)
    )
