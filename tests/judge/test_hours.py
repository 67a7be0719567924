"""Does the shape of the day tell a clock that hangs in another zone?"""

from __future__ import annotations

from datetime import UTC, datetime

import polars as pl
import pytest

from fcrlib.judge.hours import FEWEST, hours


def opened(*at: int, each: int = 40) -> pl.DataFrame:
    return pl.DataFrame({"opened_at": [datetime(2026, 3, 2, hour, 5, tzinfo=UTC) for hour in at for _ in range(each)]})


@pytest.mark.parametrize(("zone", "odd"), [("UTC", False), ("Europe/Berlin", False), ("Asia/Tokyo", True), ("America/Los_Angeles", True)])
def test_a_working_day_is_one_in_its_own_zone_only(zone: str, odd: bool) -> None:
    assert hours(opened(*range(8, 18)), time_zone=zone).odd is odd


def test_the_middle_goes_round_midnight() -> None:
    seen = hours(opened(22, 23, 0, 1), time_zone="UTC")
    assert seen.middle is None or round(seen.middle) % 24 == 0
    assert hours(opened(22, 23, 0, 1, each=60), time_zone="UTC").odd


def test_a_night_as_full_as_the_day_is_odd() -> None:
    assert hours(opened(*range(24)), time_zone="UTC").odd


def test_a_date_without_a_time_has_no_hour() -> None:
    dates = pl.DataFrame({"opened_at": [datetime(2026, 3, 2, tzinfo=UTC)] * 500})
    assert hours(dates, time_zone="UTC") == (0, 0, None, False)
    assert hours(dates, time_zone="Europe/Berlin").n == 0
    local = dates.with_columns(pl.col("opened_at").dt.replace_time_zone("Europe/Berlin").dt.convert_time_zone("UTC"))
    assert hours(local, time_zone="Europe/Berlin") == (0, 0, None, False)


def test_few_contacts_have_no_shape() -> None:
    assert hours(opened(3, each=FEWEST - 1), time_zone="UTC").middle is None
    assert hours(opened(3, each=FEWEST), time_zone="UTC").middle is not None
