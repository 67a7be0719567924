"""Is a group held against others of its own strata, with an error that knows of customers?"""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest
from polars.testing import assert_frame_equal
from topical import assigned

from fcrlib.judge.compare import bh
from fcrlib.model.errors import UsageError
from fcrlib.search.contrast import contrasts
from fcrlib.search.standardised import risk_differences

STRATA = ["channel", "category"]


def test_the_difference_is_that_of_mantel_and_haenszel() -> None:
    # Greenland and Robins (1985): weights n1 n0 / n of the strata, here 20 x 30 / 50 = 12 and 10 x 40 / 50 = 8.
    counts = [("a", True, 10, 20), ("a", False, 6, 30), ("b", True, 6, 10), ("b", False, 8, 40)]
    rows = [(stratum, group, place < bad) for stratum, group, bad, of in counts for place in range(of)]
    frame = pl.DataFrame(rows, schema=["stratum", "group", "failed"], orient="row")
    table = contrasts(frame, group="group", what="failed", strata=["stratum"], cluster=None)
    by_hand = (12 * (0.5 - 0.2) + 8 * (0.6 - 0.2)) / 20
    assert table["value"].to_list() == pytest.approx([-by_hand, by_hand])
    assert table["low"][1] < by_hand < table["high"][1]


def test_it_agrees_with_weighing_the_others_to_the_same_mix() -> None:
    frame = assigned(seed=3, contacts=8_000, topics=12, lifts={2: 0.15})
    names = {f"t{topic}": pl.col("topic") == topic for topic in range(4)}
    other = risk_differences(frame.with_columns(**names), exposures=list(names), failed="failed", dims=STRATA, cluster="customer")
    mine = contrasts(frame.drop_nulls("topic"), group="topic", what="failed", strata=STRATA).head(4)
    assert mine["value"].to_list() == pytest.approx(other["difference"].to_list(), abs=0.015)
    assert mine["low"].to_list() == pytest.approx(other["low"].to_list(), abs=0.02)


def test_contacts_copied_within_their_customer_make_nothing_surer() -> None:
    frame = assigned(seed=1, contacts=3_000, topics=8, noise=0).drop_nulls()
    once, thrice = (contrasts(rows, group="topic", what="failed", strata=STRATA) for rows in (frame, pl.concat([frame] * 3)))
    assert once["value"].to_list() == pytest.approx(thrice["value"].to_list())
    ratio = (thrice["high"] - thrice["low"]) / (once["high"] - once["low"])
    assert ratio.to_list() == pytest.approx([1.0] * 8, abs=0.1)  # three times as many independent contacts would make it 0.58
    assert (thrice["n"] == 3 * once["n"]).all()


def test_rows_may_come_in_any_order_and_null_is_a_level_everywhere() -> None:
    frame = assigned(seed=2, contacts=3_000).with_columns(
        channel=pl.when(pl.col("channel") != "0").then("channel"), customer=pl.when(pl.col("customer") > "2").then("customer")
    )
    table = contrasts(frame, group="topic", what="failed", strata=STRATA)
    assert_frame_equal(table, contrasts(frame.sample(fraction=1, shuffle=True, seed=1), group="topic", what="failed", strata=STRATA))
    assert table["topic"][0] is None
    assert table.height == 31


def test_what_is_not_known_is_left_out_and_not_taken_as_no() -> None:
    frame = assigned(seed=2, contacts=3_000)
    unknown = frame.head(500).with_columns(failed=pl.lit(None, pl.Boolean))
    table = contrasts(pl.concat([frame, unknown]), group="topic", what="failed", strata=STRATA)
    assert_frame_equal(table, contrasts(frame, group="topic", what="failed", strata=STRATA))


def test_a_group_that_fills_its_stratum_has_nothing_to_be_compared_with() -> None:
    frame = pl.DataFrame({"group": ["a"] * 40 + ["b"] * 40, "failed": [True, False] * 40, "stratum": [1] * 40 + [2] * 40, "customer": range(80)})
    table = contrasts(frame, group="group", what="failed", strata=["stratum"])
    assert table["compared"].to_list() == [0.0, 0.0]
    assert table["value"].null_count() == table["p"].null_count() == 2
    alone = contrasts(frame.with_columns(customer=pl.lit(1)), group="group", what="failed")
    assert alone["p"].null_count() == 2


@pytest.mark.parametrize("share", [True, False])
def test_where_all_or_none_fail_there_is_no_difference_to_speak_of(share: bool) -> None:
    frame = pl.DataFrame({"group": ["a", "b"] * 40, "failed": [share] * 80, "customer": range(80)})
    assert contrasts(frame, group="group", what="failed")["value"].null_count() == 2


def test_wrong_columns_are_named_at_once() -> None:
    frame = pl.DataFrame({"group": ["a"], "failed": ["yes"]})
    with pytest.raises(UsageError) as error:
        contrasts(frame, group="group", what="failed", strata=["channel"])
    assert len(error.value.problems) == 3
    with pytest.raises(UsageError, match="no column 'channel'"):
        contrasts(frame.clear(), group="group", what="group", strata=["channel"])


def test_of_no_contacts_no_group_is_told() -> None:
    frame = pl.DataFrame(schema={"group": pl.String, "failed": pl.Boolean})
    told = contrasts(frame, group="group", what="failed", cluster=None)
    assert told.is_empty()
    assert told.columns == ["group", "n", "clusters", "compared", "value", "low", "high", "p"]


def test_false_discovery_is_that_of_benjamini_and_hochberg() -> None:
    # Benjamini and Hochberg (1995), section 4.1: of these 15 tests the first four are claimed at 5 %.
    p = [0.0001, 0.0004, 0.0019, 0.0095, 0.0201, 0.0278, 0.0298, 0.0344, 0.0459, 0.3240, 0.4262, 0.5719, 0.6528, 0.7590, 1.0]
    q = pl.DataFrame({"p": p}).select(bh(pl.col("p"))).to_series()
    assert int((q <= 0.05).sum()) == 4
    shuffled = pl.DataFrame({"p": [None, *reversed(p)]}).select(bh(pl.col("p"))).to_series()
    assert shuffled.to_list() == [None, *reversed(q.to_list())]
    assert pl.DataFrame({"p": [0.02, 0.02, 0.02]}).select(bh(pl.col("p"))).to_series().to_list() == pytest.approx([0.02] * 3)


@pytest.mark.slow
def test_where_nothing_is_planted_p_is_even_and_the_interval_covers() -> None:
    frames = [contrasts(assigned(seed=seed, contacts=4_000), group="topic", what="failed", strata=STRATA) for seed in range(60)]
    told = pl.concat(frames).filter(pl.col("n") >= 20)
    # 1,800 groups: three standard errors are 0.015 around 0.05 and 0.95.
    low, covered = told.select((pl.col("p") < 0.05).mean(), ((pl.col("low") <= 0) & (pl.col("high") >= 0)).mean().alias("covered")).row(0)
    assert low == pytest.approx(0.05, abs=0.015)
    assert 0.935 < covered < 0.985
    assert np.isfinite(told["low"].to_numpy()).all()
