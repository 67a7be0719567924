"""Are planted causes found where they were planted, and is nothing found where nothing was?"""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fcrlib.explain import drivers
from fcrlib.judge.cube import NOT_KNOWN, OTHERS, cube
from fcrlib.judge.scan import conditional
from fcrlib.model.errors import DataError, UsageError

SIZES = {"channel": 4, "category": 8, "team": 6, "tier": 3}
DIMS = list(SIZES)
WEEKS, AGENTS = 13, 60
BEFORE = [12.9, 10.9, 9.5, 8.0, 7.8, 8.4, 8.6, 7.8, 7.0, 5.9, 4.7, 3.6, 4.9]
AFTER = [10.1, 11.2, 11.6, 10.9, 9.4, 7.7, 6.3, 6.0, 6.3, 5.9, 5.1, 4.0, 5.5]
RATES_BEFORE = [1.9, 25.8, 45.7, 49.6, 51.2, 51.6, 51.8, 54.9, 58.7, 60.4, 62.8, 66.6, 66.8]
RATES_AFTER = [2.2, 24.3, 45.8, 52.5, 56.1, 55.6, 56.0, 57.4, 57.2, 61.2, 63.9, 68.6, 72.2]


def desk(
    *, seed: int = 1, contacts: int = 16_000, places: tuple[tuple[dict[str, int], float], ...] = (), grown: int | None = None, always: bool = False
) -> pl.DataFrame:
    """Two quarters of a desk whose weeks and agents drift. `places`: changes of the failure share; `grown`: a category that gets 20 % more."""
    rng = np.random.default_rng(seed)
    after = rng.random(contacts) < 0.5
    codes = {dim: rng.integers(0, size, contacts) for dim, size in SIZES.items()}
    if grown is not None:
        codes["category"] = np.where(after & (rng.random(contacts) < 0.2), grown, codes["category"])
    week = rng.integers(0, WEEKS, contacts) + WEEKS * after
    agent = codes["team"] * (AGENTS // SIZES["team"]) + rng.integers(0, AGENTS // SIZES["team"], contacts)
    share = 0.3 + 0.02 * (codes["channel"] - 1.5) + 0.25 * (codes["category"] == (-1 if grown is None else grown))
    share += (0.03 * rng.standard_normal(AGENTS))[agent] * after + (0.015 * rng.standard_normal((SIZES["team"], 2 * WEEKS)))[codes["team"], week]
    for place, by in places:
        share += by * (after | always) * np.all([codes[dim] == value for dim, value in place.items()], axis=0)
    names = {dim: np.array([f"{dim}-{value}" for value in range(size)])[codes[dim]] for dim, size in SIZES.items()}
    return pl.DataFrame({**names, "agent": agent, "week": week, "after": after, "failed": rng.random(contacts) < share})


def changed(frame: pl.DataFrame) -> drivers.Change:
    return drivers.change(frame, dims=DIMS, failed="failed", period="after", clusters=["agent", "week"])


def places(found: pl.DataFrame) -> list[tuple[str, list[str]]]:
    return [(kind, sorted(where)) for kind, where in found.select("kind", "where").iter_rows()]


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


def test_kitagawa_reproduces_the_book() -> None:
    groups = list(range(13))
    then = pl.DataFrame({"age": groups, "n": BEFORE, "rate": RATES_BEFORE})
    now = pl.DataFrame({"age": groups, "n": AFTER, "rate": RATES_AFTER})
    table = drivers.kitagawa(then, now, by="age")
    # Das Gupta (1993), Table 5.1: the published crude rates rest on shares of exactly 100 %.
    mix, rate = table["mix"].sum(), table["rate"].sum()
    crude = [sum(n * r for n, r in zip(sizes, rates, strict=True)) / sum(sizes) for sizes, rates in ((BEFORE, RATES_BEFORE), (AFTER, RATES_AFTER))]
    assert crude == pytest.approx([44.7268, 47.694], abs=1e-4)
    assert (mix, rate) == pytest.approx((1.2269, 1.7403), abs=1e-4)
    assert mix + rate == pytest.approx(crude[1] - crude[0], abs=1e-12)


def test_kitagawa_takes_a_group_that_is_new_as_mix() -> None:
    then = pl.DataFrame({"channel": ["a"], "n": [10], "rate": [0.2]})
    now = pl.DataFrame({"channel": ["a", "b"], "n": [10, 10], "rate": [0.2, 0.6]})
    table = drivers.kitagawa(then, now, by="channel")
    assert table["rate"].sum() == pytest.approx(0)
    assert table["mix"].sum() == pytest.approx(0.2)


def test_kitagawa_refuses_groups_that_repeat() -> None:
    twice = pl.DataFrame({"channel": ["a", "a"], "n": [10, 10], "rate": [0.2, 0.6]})
    with pytest.raises(DataError, match="once"):
        drivers.kitagawa(twice, twice, by="channel")


def test_a_dimension_of_names_is_refused_with_its_largest_values() -> None:
    frame = desk(contacts=4000).with_columns(order=pl.int_range(pl.len()).cast(pl.String))
    with pytest.raises(UsageError, match=r"'order' has 4,000 values.*its largest: '0'"):
        drivers.change(frame, dims=["order", "team"], failed="failed", period="after")


def test_everything_wrong_is_said_at_once() -> None:
    frame = desk(contacts=400).with_columns(when=pl.col("week"), failed=pl.lit("no"))
    with pytest.raises(UsageError) as caught:
        drivers.change(frame, dims=["team"], failed="failed", period="when")
    assert len(caught.value.problems) == 2


def test_a_desk_without_a_known_outcome_is_refused() -> None:
    frame = desk(contacts=400).with_columns(failed=pl.lit(None, dtype=pl.Boolean))
    with pytest.raises(DataError, match="none of 400"):
        drivers.search(frame, dims=["team"], failed="failed")


def test_a_period_without_known_outcomes_is_refused() -> None:
    frame = desk(contacts=400).with_columns(failed=pl.when("after").then("failed"))
    with pytest.raises(DataError, match="one of the two periods"):
        drivers.change(frame, dims=["team"], failed="failed", period="after")


def test_a_desk_with_one_place_only_can_still_have_changed_everywhere() -> None:
    frame = desk(contacts=8000, places=(({}, 0.15),)).with_columns(brand=pl.lit("one"))
    result = drivers.change(frame, dims=["brand"], failed="failed", period="after", clusters=["week"])
    assert places(result.drivers) == [("global", [])]
    assert drivers.search(frame, dims=["brand"], failed="failed").drivers.is_empty()


def test_rare_values_are_pooled_nulls_are_a_value_and_constants_leave() -> None:
    odd = pl.when(pl.int_range(pl.len()) < 20).then(pl.lit("odd")).when(pl.int_range(pl.len()) < 600).then(None).otherwise("team")
    counts = cube(desk(contacts=4000).with_columns(team=odd, brand=pl.lit("one")), dims=["team", "tier", "brand"], failed="failed")
    assert counts.dims == ("team", "tier")
    assert {NOT_KNOWN, OTHERS} < set(counts.levels[0])
    assert len(counts.notes) == 2


def test_unknown_outcomes_are_left_out_and_counted() -> None:
    frame = desk(contacts=4000)
    part = frame.with_columns(failed=pl.when(pl.int_range(pl.len()) >= 100).then("failed"))
    result = drivers.search(part, dims=DIMS, failed="failed")
    assert result.notes == ("100 of 4,000 contacts have no known outcome or period and are left out.",)
    assert result.total == pytest.approx(frame["failed"][100:].mean())


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
