"""Which days does a period cover?"""

from datetime import UTC, date, datetime

import polars as pl
import pytest

from fcrlib.model.errors import UsageError
from fcrlib.model.period import Period


@pytest.mark.parametrize(
    ("text", "first", "last", "previous"),
    [
        ("2026Q3", date(2026, 7, 1), date(2026, 9, 30), "2026Q2"),
        ("2026-Q1", date(2026, 1, 1), date(2026, 3, 31), "2025Q4"),
        ("2026-09", date(2026, 9, 1), date(2026, 9, 30), "2026-08"),
        ("2026-01", date(2026, 1, 1), date(2026, 1, 31), "2025-12"),
        ("2024", date(2024, 1, 1), date(2024, 12, 31), "2023"),
        ("2016-03-01..2016-04-30", date(2016, 3, 1), date(2016, 4, 30), "2015-12-31..2016-02-29"),
    ],
)
def test_a_period_knows_its_days_and_its_predecessor(text: str, first: date, last: date, previous: str) -> None:
    period = Period.parse(text)
    assert (period.first, period.last, period.previous().label) == (first, last, previous)


def test_the_last_quarter_is_the_last_whole_one() -> None:
    assert Period.parse("last-quarter", today=date(2026, 1, 5)).label == "2025Q4"
    assert Period.parse("last-month", today=date(2026, 3, 31)).label == "2026-02"


@pytest.mark.parametrize("text", ["2026Q5", "2026-13", "next week", "2026-02-30..2026-03-01", "2026-05-01..2026-04-01", "", "../../etc"])
def test_what_is_no_period_is_refused_with_a_sentence(text: str) -> None:
    with pytest.raises(UsageError, match="period"):
        Period.parse(text)


def test_a_day_begins_where_the_desk_is() -> None:
    instants = pl.DataFrame({"at": [datetime(2026, 6, 30, 22, 30, tzinfo=UTC), datetime(2026, 9, 30, 22, 30, tzinfo=UTC)]})
    covered = instants.select(
        utc=Period.parse("2026Q3").covers(pl.col("at")), berlin=Period.parse("2026Q3").covers(pl.col("at"), time_zone="Europe/Berlin")
    )
    assert covered.rows() == [(False, True), (True, False)]
