"""Is a way of failing named only where it, and not all of them, moved?"""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fcrlib.model.errors import DataError, UsageError
from fcrlib.model.taxonomy import UNEXPLAINED
from fcrlib.search.mechanisms import holm, shifts, stands_out, widening

WAYS = ("known-bug", "late-answer", "wrong-routing")


def desk(
    *,
    seed: int = 1,
    contacts: int = 8000,
    more: float = 0.0,
    by: str | None = None,
    coverage: tuple[float, float] = (0.7, 0.7),
    everywhere: bool = False,
    weekly: float = 0.0,
) -> pl.DataFrame:
    """Two periods in which a quarter of the contacts are the place; there `more` failures, by one way or by all alike."""
    rng = np.random.default_rng(seed)
    later, there = rng.random(contacts) < 0.5, rng.random(contacts) < 0.25
    week = rng.integers(0, 10, contacts) + 10 * later
    grown = later & (there | everywhere)
    failed, added = rng.random(contacts) < 0.3, rng.random(contacts) < more / 0.7 * grown
    usual = rng.integers(0, 3, contacts)
    if weekly:
        usual = np.where(rng.random(contacts) < weekly, (week * 7) % 3, usual)
    mode = np.where(failed | (by is None), np.array(WAYS)[usual], by or "")
    seen = rng.random(contacts) < np.where(later, coverage[1], coverage[0])
    frame = pl.DataFrame(
        {"place": np.where(there, "a", "b"), "later": later, "week": week, "failed": failed | added, "way": np.where(seen, mode, UNEXPLAINED)}
    )
    return frame.with_columns(mode=pl.when("failed").then("way")).drop("way")


IN_A = pl.col("place") == "a"


def test_one_way_that_grew_is_named_and_no_other() -> None:
    found = shifts(desk(more=0.2, by="known-bug"), there=IN_A, clusters=["week"])
    assert found.named["mode"].to_list() == ["known-bug"]
    row = found.named.row(0, named=True)
    assert row["low"] < 0.2 * 0.7 < row["high"]
    assert row["low"] > 0


def test_all_ways_growing_alike_names_none() -> None:
    found = shifts(desk(more=0.2), there=IN_A, clusters=["week"])
    assert found.total > 0.15
    assert found.named.is_empty()
    assert found.warning == ""
    assert found.visible is not None
    assert 0.02 < found.visible < 0.3


def test_a_way_that_vanished_is_named_where_failures_fell() -> None:
    frame = desk(more=0.2, by="known-bug").with_columns(later=~pl.col("later"))
    found = shifts(frame, there=IN_A)
    assert found.total < 0
    assert found.named["mode"].to_list() == ["known-bug"]


@given(st.integers(0, 10_000), st.sampled_from([None, "known-bug"]), st.floats(0, 0.3))
@settings(max_examples=25, deadline=None)
def test_the_changes_of_the_ways_sum_to_the_change_of_the_rate(seed: int, by: str | None, more: float) -> None:
    frame = desk(seed=seed, contacts=600, more=more, by=by)
    found = shifts(frame)
    after, before = (frame.filter(pl.col("later") == side)["failed"].mean() for side in (True, False))
    assert abs(found.modes["change"].sum() - (after - before)) < 1e-12
    assert found.total == pytest.approx(after - before, abs=1e-12)


def test_better_tagging_in_the_rest_of_the_desk_warns_and_names_nothing() -> None:
    found = shifts(desk(more=0.2, by="known-bug", coverage=(0.5, 0.8)), there=IN_A)
    assert found.named.is_empty()
    assert "tagging itself changed" in found.warning
    assert found.coverage.filter(where="elsewhere")["drifted"].to_list() == [True]


def test_better_tagging_of_a_whole_desk_warns() -> None:
    found = shifts(desk(more=0.2, by="known-bug", coverage=(0.4, 0.9), everywhere=True))
    assert found.named.is_empty()
    assert "may have changed" in found.warning


def test_tagging_that_stays_as_it_was_does_not_warn() -> None:
    assert [shifts(desk(seed=seed), there=IN_A).warning for seed in range(10)] == [""] * 10


def test_a_way_that_grew_everywhere_is_not_named_for_one_place() -> None:
    found = shifts(desk(more=0.2, by="known-bug", everywhere=True), there=IN_A, clusters=["week"])
    assert found.named.is_empty()
    assert "no further than in the rest of the desk" in found.warning or "tagging" in found.warning


def test_ways_that_take_turns_from_week_to_week_widen_the_error() -> None:
    frame = desk(weekly=0.5, contacts=4000)
    plain, honest = shifts(frame), shifts(frame, clusters=["week"])
    assert honest.modes["z"].abs().max() < plain.modes["z"].abs().max()


def test_on_desks_where_nothing_moved_hardly_any_way_is_named() -> None:
    named = [shifts(desk(seed=seed, contacts=2000), clusters=["week"]).named.height > 0 for seed in range(60)]
    assert sum(named) <= 5


def test_failures_without_a_way_and_those_without_a_sign_are_the_same() -> None:
    frame = desk(more=0.2, by="known-bug")
    blank = frame.with_columns(mode=pl.when(pl.col("mode") != UNEXPLAINED).then("mode"))
    assert shifts(blank, there=IN_A).modes.equals(shifts(frame, there=IN_A).modes)


def test_in_one_period_the_way_that_is_more_frequent_in_a_place_is_named() -> None:
    frame = desk(more=0.2, by="late-answer").filter("later")
    found = stands_out(frame, there=IN_A, clusters=["week"])
    assert found.named["mode"].to_list() == ["late-answer"]
    assert stands_out(desk(more=0.2).filter("later"), there=IN_A).named.is_empty()
    assert abs(found.modes["change"].sum() - found.total) < 1e-12


def test_too_few_failures_with_a_sign_are_not_tested() -> None:
    found = shifts(desk(contacts=100, coverage=(0.2, 0.2)))
    assert found.visible is None
    assert found.modes["holm"].null_count() == found.modes.height
    assert found.named.is_empty()


def test_a_desk_without_failures_has_no_ways() -> None:
    frame = desk().with_columns(failed=pl.lit(value=False), mode=pl.lit(None, pl.String))
    found = shifts(frame, there=IN_A)
    assert found.modes.is_empty()
    assert found.total == 0


def test_holm_steps_down_from_the_smallest() -> None:
    assert holm(np.array([0.04, 0.01, 0.03, 0.005])).tolist() == pytest.approx([0.06, 0.03, 0.06, 0.02])
    assert holm(np.array([])).tolist() == []


def test_rows_that_hang_together_widen_and_rows_that_do_not_do_not() -> None:
    rng = np.random.default_rng(3)
    alone = rng.standard_normal((2000, 4))
    together = np.repeat(rng.standard_normal((100, 4)), 20, axis=0)
    codes = np.repeat(np.arange(100), 20)
    assert widening(alone, [codes])[0].max() < 1.5
    assert widening(together, [codes])[0].min() > 10


def test_unknown_columns_and_a_missing_period_are_refused() -> None:
    with pytest.raises(UsageError, match="no column 'way'"):
        shifts(desk(), mode="way")
    with pytest.raises(UsageError, match="yes/no"):
        shifts(desk().with_columns(failed=pl.lit("no")))
    with pytest.raises(DataError, match="nothing to compare"):
        shifts(desk().filter("later"))
    with pytest.raises(DataError, match="one side"):
        shifts(desk(), there=pl.col("place") == "nowhere")
