"""When was that?"""

from datetime import UTC, datetime, timedelta, timezone

import polars as pl
import pytest

from fcrlib.intake.canonical import instants
from fcrlib.model.errors import UsageError


def read(*values: str | None, time_zone: str | None = "UTC", dates: str | None = None) -> instants.Instants:
    frame = pl.DataFrame({"opened": pl.Series(values, dtype=pl.String)})
    return instants.read(frame, columns=["opened"], time_zone=time_zone, dates=dates)


def one(value: str, *more: str, time_zone: str | None = "UTC", dates: str | None = None) -> datetime | None:
    found = read(value, *more, time_zone=time_zone, dates=dates)
    assert found.problems == ()
    return found.frame["opened"][0]


@pytest.mark.parametrize(
    "text",
    [
        "29/2/2016 01:16", "29-02-2016 01:16", "29.02.16 1:16", "2016-02-29 01:16:00", "2016-02-29T01:16:00.000Z", "2016/2/29 1:16", "2/29/2016 1:16 AM",
        "Feb 29, 2016 1:16 AM", "29-Feb-2016 01:16", "Mon, 29 Feb 2016 01:16:00 +0000", "2016-02-28T20:16:00-05:00", "2016-02-29 02:16:00 +0100",
        "20160229T011600Z", "1456708560", "1456708560000", "1456708560000000", " 29/2/2016  01:16 ", "29/2/2016, 01:16:00 a.m.",
    ],
)  # fmt: skip
def test_one_instant_in_many_hands(text):
    assert one(text) == datetime(2016, 2, 29, 1, 16, tzinfo=UTC)


def test_noon_and_midnight_on_a_twelve_hour_clock():
    assert one("2/29/2016 12:05 AM") == datetime(2016, 2, 29, 0, 5, tzinfo=UTC)
    assert one("2/29/2016 12:05 PM") == datetime(2016, 2, 29, 12, 5, tzinfo=UTC)


def test_the_order_of_day_and_month_is_decided_over_the_whole_column():
    assert one("3/2/2016 01:16", "29/2/2016 01:16") == datetime(2016, 2, 3, 1, 16, tzinfo=UTC)
    assert one("3/2/2016 01:16", "2/29/2016 01:16") == datetime(2016, 3, 2, 1, 16, tzinfo=UTC)


def test_a_column_that_cannot_tell_follows_the_other_columns_of_its_file():
    frame = pl.DataFrame({"opened": ["29/2/2016"], "closed": ["3/4/2016"]})
    found = instants.read(frame, columns=["opened", "closed"], time_zone="UTC")
    assert found.frame["closed"][0] == datetime(2016, 4, 3, tzinfo=UTC)


def test_where_no_day_is_above_twelve_both_readings_are_shown():
    (problem,) = read("1/1/2016", "3/2/2016").problems
    assert "3 Feb 2016" in problem
    assert "2 Mar 2016" in problem
    assert 'dates = "day first"' in problem
    assert one("3/2/2016 00:00", dates="month first") == datetime(2016, 3, 2, tzinfo=UTC)


def test_two_orders_in_one_column_are_refused():
    (problem,) = read("29/2/2016", "2/29/2016").problems
    assert "two exports" in problem


def test_local_times_without_a_zone_are_refused():
    (problem,) = read("2016-02-29 01:16", None, "2016-02-29 01:17", "2016-02-29 01:17Z", time_zone=None).problems
    assert "2 values have no time zone" in problem
    assert "row 2" in problem
    assert one("2016-02-29T01:16+02:00", time_zone=None) == datetime(2016, 2, 28, 23, 16, tzinfo=UTC)


def test_clock_changes_are_counted_by_row():
    found = read("2016-03-27 02:30", "2016-10-30 02:30", "2016-10-30 02:30", "2016-07-01 12:00", time_zone="Europe/Berlin")
    assert found.frame["opened"].to_list() == [
        datetime(2016, 3, 27, 1, 30, tzinfo=UTC),
        *[datetime(2016, 10, 30, 0, 30, tzinfo=UTC)] * 2,
        datetime(2016, 7, 1, 10, 0, tzinfo=UTC),
    ]
    assert [note.split(" in ")[0] for note in found.notes] == ["opened: 1 values do not exist", "opened: 2 values came twice"]


def test_what_is_no_date_is_counted_with_its_first_row():
    (problem,) = read("2016-02-29 01:16", "soon", None, "2016-02-30 01:16").problems
    assert "2 of 3 values are no date, the first in row 3: 'soon'" in problem


def test_a_pattern_is_taken_at_its_word():
    assert one("16.02.29 0116", dates="%y.%m.%d %H%M") == datetime(2016, 2, 29, 1, 16, tzinfo=UTC)
    assert "the pattern" in read("29/2/2016", dates="%d.%m.%Y").problems[0]
    with pytest.raises(UsageError, match="day first"):
        read("29/2/2016", dates="european")


def test_days_without_a_time_are_noted():
    assert "midnight" in read("2016-02-29").notes[0]


def test_empty_columns_and_unknown_zones():
    assert read(None, None).frame["opened"].null_count() == 2
    with pytest.raises(UsageError, match="Europe/Berlin"):
        read("2016-02-29", time_zone="Mars/Olympus")
    assert instants.aware(datetime(2026, 1, 1, 2, tzinfo=timezone(timedelta(hours=2))), name="data_end") == datetime(2026, 1, 1, tzinfo=UTC)
    with pytest.raises(UsageError, match="no time zone"):
        instants.aware(datetime(2026, 1, 1), name="data_end")
