"""What did customers answer when Freshdesk asked them?"""

from __future__ import annotations

import polars as pl

from fcrlib.intake.canonical import typed
from fcrlib.intake.canonical.reading import Reading
from fcrlib.intake.freshdesk.fields import RATED, SCALE, YES


def surveys(hand: Reading, tickets: pl.DataFrame) -> pl.DataFrame:
    """Answers, each on the scale of its survey: `103` is the best and `-103` the worst, however many steps lie between. Offers are not exported."""
    rated = hand.moments(hand.table("ratings"), ["answered_at"]).select("survey_id", "contact_id", "rating", "comment", "answered_at")
    listed = tickets.select("contact_id", rating=pl.col("rating").str.strip_chars().str.to_lowercase(), answered_at="updated_at").drop_nulls("rating")
    listed = listed.join(rated, on="contact_id", how="anti").with_columns(pl.col("rating").replace(RATED))
    timeless = f"{listed.height:,} ratings stand only in the table of tickets, without a time: the last change of the ticket was taken"
    hand.told.notes += [timeless] if listed.height else []
    both = pl.concat([rated, listed], how="diagonal").drop_nulls(["contact_id", "rating"])
    default = hand.table("questions").filter(pl.col("default").is_in(YES).fill_null(False) | (pl.col("question") == "default_question"))
    accepted = default.select("survey_id", accepted=typed.labels("accepted")).unique("survey_id", keep="last")
    scale = both.join(accepted, on="survey_id", how="left", maintain_order="left").with_columns(accepted=pl.col("accepted").fill_null(list(SCALE)))
    place = pl.col("rating").replace_strict({word: number for number, word in enumerate(SCALE)}, default=None, return_dtype=pl.Int64)
    places = pl.col("accepted").list.eval(pl.element().replace_strict(dict(zip(SCALE, range(len(SCALE)), strict=True)), default=None, return_dtype=pl.Int64))  # fmt: skip
    steps = scale.with_columns(place=place, places=places.list.drop_nulls().list.unique())
    # A survey that was changed may no longer accept what was answered before.
    own = pl.col("places").list.contains(pl.col("place")) & (pl.col("places").list.len() > 1)
    steps = steps.with_columns(places=pl.when(own).then("places").otherwise(pl.lit(list(range(len(SCALE))))))
    below = steps.select(pl.int_range(pl.len()).alias("row"), "place", "places").explode("places").group_by("row", maintain_order=True).agg((pl.col("places") < pl.col("place")).sum())["places"]  # fmt: skip
    if strange := steps.filter(pl.col("place").is_null())["rating"].unique().sort().to_list():
        hand.told.notes.append(f"ratings that stand on no known scale: {', '.join(strange[:10])}; their words are kept")
    return steps.with_columns(below=below).select(
        "contact_id",
        "answered_at",
        "comment",
        csat_raw="rating",
        csat_scale=pl.when(pl.col("place").is_not_null()).then(pl.format("{}-step", pl.col("places").list.len())),
        csat=pl.when(pl.col("place").is_not_null()).then(pl.col("below") / (pl.col("places").list.len() - 1)),
    )
