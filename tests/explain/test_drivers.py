"""Are planted causes found where they were planted, and is nothing found where nothing was?"""

from __future__ import annotations

import polars as pl
import pytest
from drifting import DIMS, changed, desk, places
from hypothesis import given, settings
from hypothesis import strategies as st

from fcrlib.explain import drivers
from fcrlib.search.scan import conditional


def test_one_value_that_became_worse_is_named_and_nothing_else() -> None:
    found = changed(desk(places=(({"category": 3}, 0.15),))).drivers
    assert places(found) == [("rate", ["category=category-3"])]
    assert found["low"][0] < 0.15 < found["high"][0]
    assert found["contribution"][0] == pytest.approx(0.15 / 8, abs=0.006)


def test_a_combination_is_named_as_the_combination_and_not_as_its_parts() -> None:
    found = changed(desk(places=(({"category": 3, "channel": 1}, 0.3),))).drivers
    assert places(found) == [("rate", ["category=category-3", "channel=channel-1"])]


def test_two_causes_at_once_are_both_named() -> None:
    found = changed(desk(seed=3, contacts=24_000, places=(({"team": 2}, 0.15), ({"category": 3, "channel": 1}, 0.3)))).drivers
    assert sorted(places(found)) == [("rate", ["category=category-3", "channel=channel-1"]), ("rate", ["team=team-2"])]


def test_an_improvement_is_found_as_well() -> None:
    found = changed(desk(places=(({"team": 1}, -0.15),))).drivers
    assert places(found) == [("rate", ["team=team-1"])]
    assert found["high"][0] < 0


def test_what_rose_everywhere_is_one_global_driver() -> None:
    found = changed(desk(places=(({}, 0.1),))).drivers
    assert places(found) == [("global", [])]


def test_most_values_of_a_place_are_the_place() -> None:
    most = tuple(({"channel": 1, "tier": value}, 0.2 + 0.05 * value) for value in range(3))
    assert places(changed(desk(contacts=24_000, places=most)).drivers) == [("rate", ["channel=channel-1"])]


def test_causes_that_cancel_out_where_they_meet_are_named_whole() -> None:
    crossing = (({"tier": 2}, 0.2), ({"channel": 0}, -0.2))
    found = changed(desk(contacts=40_000, places=crossing)).drivers
    assert sorted(places(found)) == [("rate", ["channel=channel-0"]), ("rate", ["tier=tier-2"])]


def test_a_category_that_grew_is_mix_and_not_rate() -> None:
    result = changed(desk(grown=5))
    assert places(result.drivers) == [("mix", ["category=category-5"])]
    assert result.mix_drivers == pytest.approx(0.25 * 0.2 * 7 / 8, abs=0.01)


@pytest.mark.parametrize("seed", range(6))
def test_a_desk_that_only_drifts_has_no_drivers(seed: int) -> None:
    frame = desk(seed=100 + seed)
    assert changed(frame).drivers.is_empty()
    assert drivers.search(frame, dims=DIMS, failed="failed", clusters=["agent", "week"]).drivers.is_empty()


def test_an_empty_answer_says_what_could_have_been_seen() -> None:
    visible = changed(desk(seed=100)).visible
    assert visible["depth"].to_list() == [0, 1, 2, 3]
    assert visible["effect"].is_between(0.01, 0.6).all()
    assert visible["effect"].is_sorted()


def test_one_agent_who_became_worse_is_no_driver_of_the_team() -> None:
    frame = desk(seed=7)
    worse = frame.with_columns(failed=pl.col("failed") | (pl.col("after") & (pl.col("agent") == 3) & (pl.col("week") % 5 > 0)))
    assert "team=team-0" not in [word for where in changed(worse).drivers["where"] for word in where]


def test_a_standing_excess_is_found_without_periods() -> None:
    frame = desk(places=(({"category": 3, "channel": 1}, 0.3),), always=True)
    found = drivers.search(frame, dims=DIMS, failed="failed", clusters=["agent", "week"]).drivers
    assert places(found) == [("rate", ["category=category-3", "channel=channel-1"])]
    assert found["low"][0] < 0.3 < found["high"][0]
    assert changed(frame).drivers.is_empty()


def test_a_single_value_that_stands_far_out_is_an_excess() -> None:
    frame = desk(places=(({"category": 6}, 0.2),), always=True)
    assert places(drivers.search(frame, dims=DIMS, failed="failed", clusters=["agent", "week"]).drivers) == [("rate", ["category=category-6"])]


@settings(max_examples=12)
@given(seed=st.integers(0, 10_000), effect=st.floats(-0.25, 0.25))
def test_the_parts_sum_to_the_change(seed: int, effect: float) -> None:
    frame = desk(seed=seed, contacts=4000, places=(({"team": 2}, effect),), grown=seed % 8)
    result = changed(frame)
    shares = frame.group_by("after").agg(pl.col("failed").mean()).sort("after")["failed"]
    assert result.total == pytest.approx(shares[1] - shares[0], abs=1e-12)
    assert result.parts["points"].sum() == pytest.approx(result.total, abs=1e-12)
    named = result.drivers.group_by(pl.col("kind") == "mix").agg(pl.col("contribution").sum())
    assert named["contribution"].sum() == pytest.approx(result.mix_drivers + result.rate_drivers, abs=1e-12)


def test_the_order_of_the_rows_does_not_matter() -> None:
    frame = desk(places=(({"team": 2}, 0.15),))
    again = changed(frame.sample(fraction=1, shuffle=True, seed=2))
    assert changed(frame).drivers.equals(again.drivers)


def test_a_desk_with_one_place_only_can_still_have_changed_everywhere() -> None:
    frame = desk(contacts=8000, places=(({}, 0.15),)).with_columns(brand=pl.lit("one"))
    result = drivers.change(frame, dims=["brand"], failed="failed", period="after", clusters=["week"])
    assert places(result.drivers) == [("global", [])]
    assert drivers.search(frame, dims=["brand"], failed="failed").drivers.is_empty()


def test_an_interval_of_what_just_passed_reaches_further_down_than_one_of_what_passed_easily() -> None:
    just, easily = conditional(4.1, bar=4), conditional(8, bar=4)
    assert just[0] < 4.1 - 1.96 - 1
    assert easily == pytest.approx((6.04, 9.96), abs=0.02)
    assert conditional(-8, bar=4) == pytest.approx((-easily[1], -easily[0]))


@pytest.mark.slow
def test_intervals_cover_what_was_planted() -> None:
    covered = named = 0
    for seed in range(100):
        found = changed(desk(seed=seed, places=(({"category": 3}, 0.12),))).drivers.filter(pl.col("where").list.join("") == "category=category-3")
        named += found.height
        covered += found.filter(pl.col("low") <= 0.12, pl.col("high") >= 0.12).height
    assert named >= 90
    assert covered / named >= 0.92


def test_a_value_that_was_renamed_is_offered_as_a_match_and_is_no_shift_of_the_mix() -> None:
    new = pl.when(pl.col("after") & (pl.col("category") == "category-3")).then(pl.lit("Billing & more")).otherwise("category").alias("category")
    result = changed(desk(seed=100).with_columns(new))
    assert result.drivers.is_empty()
    (note,) = result.notes
    assert note.startswith("In 'category', 'category-3' (")
    assert "'Billing & more'" in note


def test_a_value_that_is_new_beside_the_others_is_a_shift_of_the_mix() -> None:
    frame = desk(seed=100)
    bad = pl.col("after") & (pl.int_range(pl.len()) % 5 == 0)
    result = changed(
        frame.with_columns(channel=pl.when(bad).then(pl.lit("bot")).otherwise("channel"), failed=pl.when(bad).then(True).otherwise("failed"))
    )
    assert ("mix", ["channel=bot"]) in places(result.drivers)
    assert result.parts["points"].sum() == pytest.approx(result.total, abs=1e-12)


def test_plain_intervals_hold_the_effect_in_their_middle_and_are_never_lower_than_the_careful_ones() -> None:
    found = changed(desk(seed=3, contacts=24_000, places=(({"team": 2}, 0.15), ({"category": 3, "channel": 1}, 0.3)))).drivers
    assert found.height == 2
    assert ((found["plain_low"] + found["plain_high"]) / 2).to_list() == pytest.approx(found["effect"].to_list())
    assert (found["low"] <= found["plain_low"] + 1e-3).all()
