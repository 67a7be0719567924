"""Who comes back to the invented desk, and what is sent twice?

Failures bring repeats, chases and follow-ups; some customers come back for a reason of their own; impatient ones press the button twice.
"""

from __future__ import annotations

import numpy as np
import polars as pl

from fcrlib.intake.demo.arrivals import DAY, channels
from fcrlib.intake.demo.people import Ints, stream
from fcrlib.intake.demo.truth import Truth

WEEKS = 8  # background returns are spread evenly over this many weeks
_TWICE = 0.013
_AGAIN = 0.45
_HANDED_DOWN = ("customer", "anonymous", "theme", "category", "product_area", "channel", "tier", "language")


def background(cases: pl.DataFrame, *, seed: int, truth: Truth) -> pl.DataFrame:
    """Contacts of the same customer about the same category that no failure caused, at an even rate over the weeks after."""
    rng = stream(seed, "returns", "background")
    some = (rng.random(cases.height) < truth.background * WEEKS) & (cases["fate"] == "normal").to_numpy() & ~cases["anonymous"].to_numpy()
    parents = cases.filter(pl.Series(some)).filter(pl.col("t_solved").is_not_null())
    later = rng.uniform(0, WEEKS * 7 * DAY, parents.height).astype(np.int64)
    return _children(parents, parents["t_solved"].to_numpy() + 1 + later, relation="background", seed=seed, batch="background")


def followers(cases: pl.DataFrame, *, seed: int, batch: str) -> pl.DataFrame:
    """The contacts that failures bring: repeats, chases while it is open (half of them merged into it), follow-ups of what was closed."""
    parents = cases.filter(pl.col("t_back").is_not_null())
    return _children(parents, parents["t_back"].to_numpy(), relation="failure", seed=seed, batch=batch)


def duplicates(cases: pl.DataFrame, *, seed: int) -> pl.DataFrame:
    """The same request sent twice within half an hour; half of them are merged, the others answered with a pointer."""
    rng = stream(seed, "returns", "duplicates")
    some = (
        pl.Series(rng.random(cases.height) < _TWICE)
        & (cases["fate"] == "normal")
        & ~cases["anonymous"]
        & cases["channel"].is_in(["email", "web", "in_app"])
    )
    parents = cases.filter(some)
    luck = rng.random(parents.height)
    fate = pl.Series(["merged", "duplicate"], dtype=cases["fate"].dtype).gather((luck < 0.5).astype(np.int64))
    twice = parents.select(
        *_HANDED_DOWN, (pl.col("opened") + pl.Series(rng.integers(15, 25 * 60, parents.height))).alias("opened"), pl.col("key").alias("parent")
    )
    return twice.with_columns(
        fate.alias("fate"), pl.lit("duplicate").alias("relation"), pl.lit("").alias("link"), pl.lit(None, pl.Int64).alias("about")
    )


def second_tries(cases: pl.DataFrame, *, seed: int) -> pl.DataFrame:
    """Some who gave up waiting try again within ten minutes, a few of them on another channel."""
    rng = stream(seed, "returns", "second tries")
    some = pl.Series(rng.random(cases.height) < _AGAIN) & (cases["fate"] == "abandoned") & ~cases["anonymous"]
    parents = cases.filter(some)
    later = pl.Series(rng.integers(20, 9 * 60, parents.height))
    other, moves = channels(parents.height, rng), pl.Series(rng.random(parents.height) < 0.25)
    tried = parents.select(
        *(column for column in _HANDED_DOWN if column != "channel"),
        pl.when(moves).then(other).otherwise("channel").alias("channel"),
        (pl.col("opened") + later).alias("opened"),
        pl.col("key").alias("parent"),
    )
    normal = pl.lit("normal").cast(cases["fate"].dtype)
    return tried.with_columns(normal.alias("fate"), relation=pl.lit("second try"), link=pl.lit(""), about=pl.lit(None, pl.Int64))


def _children(parents: pl.DataFrame, opened: Ints, *, relation: str, seed: int, batch: str) -> pl.DataFrame:
    rng, rows = stream(seed, "returns", batch, relation), parents.height
    linked = pl.Series(["follow_up", "parent", "issue", ""]).gather(np.searchsorted([0.18, 0.23, 0.33], rng.random(rows), side="right"))
    how = pl.col("how") if relation == "failure" else pl.lit(relation)
    merged = (how == "parallel") & pl.Series(rng.random(rows) < 0.5)
    return (
        parents.with_columns(how.alias("relation"), other=channels(rows, rng), moves=pl.Series(rng.random(rows) < 0.4), linked=linked)
        .with_columns(merged.alias("merged"))
        .select(
            *(column for column in _HANDED_DOWN if column != "channel"),
            pl.when("moves").then("other").otherwise("channel").alias("channel"),
            pl.Series("opened", opened),
            pl.col("key").alias("parent"),
            pl.when("merged").then(pl.lit("merged")).otherwise(pl.lit("normal")).cast(parents["fate"].dtype).alias("fate"),
            "relation",
            pl.when(pl.col("relation") == "follow-up")
            .then(pl.lit("follow_up"))
            .when(pl.col("relation") == "repeat")
            .then("linked")
            .otherwise(pl.lit(""))
            .alias("link"),
            (pl.col("mechanism") if relation == "failure" else pl.lit(None, pl.Int64)).alias("about"),
        )
    )
