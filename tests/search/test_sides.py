"""Which contacts of two periods can be compared?"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import polars as pl
import pytest

from fcrlib.model.errors import UsageError
from fcrlib.model.period import Period
from fcrlib.search.sides import sides

START, END = datetime(2026, 1, 1, tzinfo=UTC), datetime(2026, 6, 28, tzinfo=UTC)
EARLIER, LATER = Period.parse("2026Q1"), Period.parse("2026Q2")


def judged(**columns: object) -> pl.DataFrame:
    """One contact a day from January on, each with a window of seven days."""
    start = pl.datetime_range(START, END - timedelta(days=1), "1d", time_unit="us", eager=True)
    n = start.len()
    frame = pl.DataFrame({"contact_id": [str(place) for place in range(n)], "start_at": start, "anchor_at": start})
    frame = frame.with_columns(
        source=pl.lit("zd"), horizon_at=pl.col("start_at") + timedelta(days=7), data_end=pl.lit(END), reason=pl.lit(None, pl.String),
        label=pl.when(pl.int_range(n) % 4 == 0).then(pl.lit("failed")).otherwise(pl.lit("resolved")), customer=pl.col("contact_id"),
        first_agent=pl.lit("a"), left_truncated=pl.int_range(n) < 3, channel=pl.lit("chat"), tier=pl.lit(None, pl.String),
    )  # fmt: skip
    return frame.with_columns(**columns)


def test_only_final_verdicts_are_held_against_each_other() -> None:
    both = sides(judged(), later=LATER, earlier=EARLIER, dims=["channel"])
    assert both.frame["start_at"].max() == END - timedelta(days=7)
    assert "6 of 178 first contacts have no final verdict yet" in both.notes[0]


def test_a_week_lies_in_one_period_and_begins_with_it() -> None:
    both = sides(judged(), later=LATER, earlier=EARLIER, dims=["channel"])
    weeks = both.frame.group_by("week").agg(pl.col("later").n_unique(), n=pl.len()).sort("week")
    assert weeks["later"].unique().to_list() == [1]
    whole = weeks["n"].to_list()
    assert whole[:11] == [7] * 11
    assert min(whole[:12]) == 7, "what is left over of a period belongs to its last whole week"


def test_what_the_desk_never_fills_is_no_dimension_and_is_said() -> None:
    both = sides(judged(), later=LATER, earlier=EARLIER, dims=["channel", "tier"])
    assert both.dims == ("channel",)
    assert both.notes[-1] == "This desk does not record tier."


def test_contacts_at_the_left_edge_are_said() -> None:
    assert any("3 first contacts of the earlier period" in note for note in sides(judged(), later=LATER, earlier=EARLIER, dims=["channel"]).notes)


def test_one_period_alone_is_all_later() -> None:
    both = sides(judged(), later=LATER, dims=["channel"])
    assert both.frame["later"].all()
    assert both.now.height == both.frame.height > 0


def test_more_columns_join_by_contact_and_lose_no_row() -> None:
    both = sides(judged(), later=LATER, dims=["channel"])
    wider = both.beside(both.frame.head(5).select("source", "contact_id", mode=pl.lit("wrong-routing")))
    assert wider.frame.height == both.frame.height
    assert wider.frame["mode"].count() == 5


def test_a_column_that_is_not_there_is_named() -> None:
    with pytest.raises(UsageError, match="colour"):
        sides(judged(), later=LATER, dims=["colour"])
