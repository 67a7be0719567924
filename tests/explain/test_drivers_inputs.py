"""What does the search for drivers say to desks that are odd, too small or wrong?"""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest
from drifting import DIMS, changed, desk, places

from fcrlib.explain import drivers
from fcrlib.model.columns import NOT_KNOWN, OTHERS
from fcrlib.model.errors import DataError, UsageError
from fcrlib.search.cube import cube


def without_a_name(frame: pl.DataFrame, *, clusters: tuple[str, ...] = ("agent", "week")) -> bool:
    """Does neither question name anything?"""
    asked = {"dims": DIMS, "failed": "failed", "clusters": clusters}
    return drivers.change(frame, period="after", **asked).drivers.is_empty() and drivers.search(frame, **asked).drivers.is_empty()


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


def test_rare_values_are_pooled_nulls_are_a_value_and_constants_leave() -> None:
    odd = pl.when(pl.int_range(pl.len()) < 20).then(pl.lit("odd")).when(pl.int_range(pl.len()) < 600).then(None).otherwise("team")
    counts = cube(desk(contacts=4000).with_columns(team=odd, brand=pl.lit("one")), dims=["team", "tier", "brand"], failed="failed")
    assert counts.dims == ("team", "tier")
    assert {NOT_KNOWN, OTHERS} < set(counts.levels[0])
    assert len(counts.notes) == 2


def test_a_dimension_without_two_values_of_some_size_is_left_out_with_a_sentence() -> None:
    nearly = pl.when(pl.int_range(pl.len()) < 20).then(pl.lit("odd")).otherwise(pl.lit("team"))
    counts = cube(desk(contacts=4000).with_columns(team=nearly), dims=["team", "tier"], failed="failed")
    assert counts.dims == ("tier",)
    assert counts.notes == ("'team' has no two values with 50 contacts each and is left out.",)
    small = cube(desk(contacts=120).with_columns(team=pl.int_range(pl.len()).cast(pl.String)), dims=["team"], failed="failed")
    assert small.dims == ()


def test_a_single_rare_value_is_told_in_the_singular() -> None:
    odd = pl.when(pl.int_range(pl.len()) < 20).then(pl.lit("odd")).when(pl.int_range(pl.len()) < 600).then(pl.lit("few")).otherwise(pl.lit("team"))
    counts = cube(desk(contacts=4000).with_columns(team=odd), dims=["team"], failed="failed")
    assert counts.notes == ("1 value of 'team' has fewer than 50 contacts and stands as (all others).",)


def test_a_change_of_nearly_all_contacts_is_one_of_the_whole_desk() -> None:
    rng = np.random.default_rng(0)
    few, worse = rng.random(20_000) < 0.01, rng.random(20_000) < 0.15
    frame = desk(seed=0, contacts=20_000).with_columns(language=pl.when(pl.Series(few)).then(pl.lit("fr")).otherwise(pl.lit("en")))
    frame = frame.with_columns(failed=pl.col("failed") | (pl.col("after") & (pl.col("language") == "en") & pl.Series(worse)))
    found = drivers.change(frame, dims=[*DIMS, "language"], failed="failed", period="after", clusters=["agent", "week"])
    assert found.drivers.select("kind", "where").rows() == [("global", [])]


def test_unknown_outcomes_are_left_out_and_counted() -> None:
    frame = desk(contacts=4000)
    part = frame.with_columns(failed=pl.when(pl.int_range(pl.len()) >= 100).then("failed"))
    result = drivers.search(part, dims=DIMS, failed="failed")
    assert result.notes == ("100 of 4,000 contacts have no known outcome or period and are left out.",)
    assert result.total == pytest.approx(frame["failed"][100:].mean())


def test_a_dimension_of_fifty_thousand_values_is_refused_with_its_largest() -> None:
    frame = pl.concat([desk(contacts=50_000)]).with_columns(team=pl.int_range(pl.len()).cast(pl.String))
    with pytest.raises(UsageError, match=r"'team' has 50,000 values, at most 1,000 can be searched.*its largest"):
        changed(frame)


def test_a_desk_of_constants_is_told_that_no_place_can_be_told_apart() -> None:
    frame = desk(contacts=4000).with_columns(pl.lit("same").alias(dim) for dim in DIMS)
    result = changed(frame)
    assert result.drivers.is_empty()
    assert any("no place can be told" in note for note in result.notes)
    assert drivers.reversals(frame, dims=DIMS, failed="failed", period="after").is_empty()


def test_what_is_not_known_can_be_the_place() -> None:
    frame = desk(places=(({"team": 1}, 0.2),)).with_columns(team=pl.when(pl.col("team") != "team-1").then("team"))
    assert places(changed(frame).drivers) == [("rate", [f"team={NOT_KNOWN}"])]


@pytest.mark.parametrize("seed", range(5))
def test_three_hundred_contacts_are_too_few_to_name_anything(seed: int) -> None:
    frame = desk(seed=seed, contacts=300, places=(({}, 0.3),))
    assert without_a_name(frame)
    assert without_a_name(frame, clusters=())
    assert any("too few to name a place" in note for note in changed(frame).notes)


def test_one_period_is_refused() -> None:
    with pytest.raises(UsageError, match="must tell two periods apart, but has 1 value;"):
        changed(desk(contacts=4000).filter("after"))


@pytest.mark.parametrize(("failed", "total"), [(pl.col("failed") & pl.col("after"), 0.3), (pl.col("failed") | pl.col("after"), 0.7)])
def test_a_period_in_which_nothing_or_everything_failed_is_a_change_everywhere(failed: pl.Expr, total: float) -> None:
    result = changed(desk(seed=100).with_columns(failed=failed))
    assert places(result.drivers) == [("global", [])]
    assert result.total == pytest.approx(total, abs=0.03)


@pytest.mark.parametrize("failed", [True, False])
def test_a_desk_on_which_nothing_or_everything_fails_has_no_drivers(failed: bool) -> None:
    frame = desk(contacts=4000).with_columns(failed=pl.lit(failed))
    assert without_a_name(frame)
    assert changed(frame).total == 0


@pytest.mark.parametrize(
    ("agent", "note"),
    [
        (pl.when(pl.col("agent") % 3 > 0).then("agent"), "contacts have no 'agent'"),
        (pl.lit(1), "'agent' has only one value"),
        (pl.lit(None, dtype=pl.Int64), "'agent' has no value"),
        (pl.int_range(pl.len()), None),
    ],
)
def test_a_cluster_column_with_gaps_one_value_or_as_many_as_rows_is_read(agent: pl.Expr, note: str | None) -> None:
    frame = desk(seed=100).with_columns(agent=agent.alias("agent"))
    assert without_a_name(frame)
    notes = changed(frame).notes
    assert len(notes) == (note is not None)
    assert note is None or note in notes[0]


def test_columns_of_lists_are_refused_and_so_is_a_dimension_that_is_the_question() -> None:
    frame = desk(contacts=400).with_columns(tier=pl.concat_list("tier"), week=pl.concat_list("week"))
    with pytest.raises(UsageError) as caught:
        drivers.change(frame, dims=["tier", "failed"], failed="failed", period="after", clusters=["week"])
    assert len(caught.value.problems) == 3


def test_a_period_with_three_contacts_names_nothing() -> None:
    frame = desk(seed=100)
    assert changed(pl.concat([frame.filter(~pl.col("after")), frame.filter("after").head(3)])).drivers.is_empty()
