"""Is it said when one week carries what was found?"""

from __future__ import annotations

import numpy as np
import polars as pl
from drifting import DIMS, changed, desk

from fcrlib.search.cube import cube, inside
from fcrlib.search.fragile import fragile


def test_a_place_that_one_week_carries_says_so_and_one_that_all_weeks_carry_does_not() -> None:
    always = changed(desk(places=(({"category": 3}, 0.2),))).drivers
    assert always["fragile"].to_list() == [None]
    frame = desk(seed=100, contacts=40_000)
    once = pl.col("after") & (pl.col("week") == 20) & (pl.col("category") == "category-3")
    many = frame.with_columns(week=pl.when(pl.col("after") & (pl.int_range(pl.len()) % 3 == 0)).then(pl.lit(20, pl.Int64)).otherwise("week"))
    counts = cube(many.with_columns(failed=pl.col("failed") | once), dims=DIMS, failed="failed", arm="after", clusters=["week"])
    there = inside(counts, ((1, 3),))
    residual = counts.failed - 0.3 * counts.n
    effect = float(np.diff(residual[:, there].sum(axis=1) / counts.n[:, there].sum(axis=1))[0])
    said = fragile(counts, there, residual=residual, effect=effect)
    assert said is not None
    assert said.startswith("Without week 20, ")


def test_weeks_with_few_contacts_at_the_ends_are_pointed_out() -> None:
    frame = desk(seed=100)
    notes = changed(frame.filter((pl.col("week") != 25) | (pl.int_range(pl.len()) % 5 == 0))).notes
    assert len(notes) == 1
    assert notes[0].startswith("The last week of the later period (25) has ")


def test_an_agent_who_carries_a_place_is_not_named() -> None:
    frame = desk(seed=100, contacts=40_000)
    busy = pl.when((pl.col("team") == "team-0") & (pl.int_range(pl.len()) % 3 == 0)).then(pl.lit(7, pl.Int64)).otherwise("agent").alias("agent")
    frame = frame.with_columns(busy).with_columns(failed=pl.col("failed") | (pl.col("after") & (pl.col("agent") == 7)))
    counts = cube(frame, dims=DIMS, failed="failed", arm="after", clusters=["agent"])
    there = inside(counts, ((2, 0),))
    residual = counts.failed - 0.3 * counts.n
    effect = float(np.diff(residual[:, there].sum(axis=1) / counts.n[:, there].sum(axis=1))[0])
    said = fragile(counts, there, residual=residual, effect=effect)
    assert said is not None
    assert said.startswith("Without one single agent, ")
    assert "7" not in said.split(",")[0]
