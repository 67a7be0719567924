"""Is every stratum drawn from as it should be, and does a stamp tell what was drawn?"""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import polars as pl
import pytest
from storytelling import desk_of

from fcrlib.judge.sampling import Drawing, allocation, draw, stamp
from fcrlib.model.errors import UsageError

POOL = pl.DataFrame({"id": range(400)}).with_columns(
    stratum=pl.when(pl.col("id") < 300).then(pl.lit("big")).when(pl.col("id") < 390).then(pl.lit("small")).otherwise(pl.lit("tiny")),
    channel=pl.when(pl.col("id") % 4 == 0).then(pl.lit("chat")).otherwise(pl.lit("email")),
)


def test_each_stratum_gets_its_least_and_the_rest_goes_by_what_is_left() -> None:
    # 5 of each make 15; of the other 25, 295/385, 85/385 and 5/385: 19.2, 5.5, 0.3, the odd one to the largest remainder.
    assert allocation(POOL, n=40, least=5).rows() == [("big", 24), ("small", 11), ("tiny", 5)]
    assert allocation(POOL, n=3).rows() == [("big", 1), ("small", 1), ("tiny", 1)]


def test_a_stratum_smaller_than_its_least_is_drawn_whole() -> None:
    assert dict(allocation(POOL, n=100, least=20).rows())["tiny"] == 10
    assert draw(POOL, n=1000, seed=0).height == POOL.height


def test_too_few_for_the_strata_are_refused() -> None:
    with pytest.raises(UsageError, match="too few for 3 strata"):
        allocation(POOL, n=10, least=5)


def test_a_spread_sample_holds_the_channels_as_the_stratum_does() -> None:
    for seed in range(20):
        drawn = draw(POOL, n=40, seed=seed, least=5, spread="channel")
        assert drawn.height == 40
        assert drawn["id"].is_unique().all()
        assert drawn.filter(pl.col("stratum") == "big", pl.col("channel") == "chat").height == 6


def test_every_row_is_as_likely_as_its_stratum_says() -> None:
    often = pl.concat(draw(POOL, n=40, seed=seed, least=5, spread="channel") for seed in range(600))["id"].value_counts()
    shares = (
        POOL.join(often, on="id", how="left")
        .with_columns(pl.col("count").fill_null(0) / 600)
        .group_by("stratum")
        .agg(mean=pl.col("count").mean(), least=pl.col("count").min(), most=pl.col("count").max())
    )
    for _, mean, least, most in shares.sort("stratum").rows():
        # The extremes of 300 binomial shares of 600 draws lie within four standard errors.
        assert max(mean - least, most - mean) < 4 * (mean * (1 - mean) / 600) ** 0.5
    assert shares.sort("stratum")["mean"].to_list() == pytest.approx([24 / 300, 11 / 90, 5 / 10])


def test_a_stamp_reads_back_whatever_the_source_is_called() -> None:
    desk = desk_of([{"id": "1", "opened": 0}], data_end=100)
    odd = replace(desk, manifest=desk.manifest.model_copy(update={"source": "a; b to c"}))
    told = Drawing.told(stamp(odd, made="mine; twice; seed of it", seed=3, drawn=50, of=812, things="failed contacts"))
    assert told == Drawing("mine; twice; seed of it", 3, "a; b to c", desk.manifest.data_end, 50, 812, "failed contacts")
    assert Drawing.told("x; seed 1; y to never; 1 of 2 repeats") is None
    assert Drawing.told(None) is None
    assert desk.manifest.data_end > datetime(2026, 1, 1, tzinfo=UTC)
