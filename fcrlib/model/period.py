"""Which days does a report cover, and which came before them?"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Self
from zoneinfo import ZoneInfo

import polars as pl

from fcrlib.model.errors import UsageError

FORMS = "2026Q3, 2026-09, 2026, 2016-03-01..2016-04-30, last-quarter or last-month"


@dataclass(frozen=True, slots=True)
class Period:
    """Whole days from `first` to `last`, both included, in the desk's own time zone.

    Examples
    --------
    >>> Period.parse("2026Q3")
    Period('2026Q3', 2026-07-01 to 2026-09-30)
    >>> Period.parse("2026Q1").previous().label
    '2025Q4'
    >>> Period.parse("2016-03-01..2016-04-30").previous().label
    '2015-12-31..2016-02-29'
    >>> Period.parse("2026Q3").year_before().label, Period.parse("2026-03-02..2026-03-08").year_before().label
    ('2025Q3', '2025-03-03..2025-03-09')
    >>> Period.parse("last-quarter", today=date(2026, 11, 22)).label
    '2026Q3'
    >>> Period.parse("2016-03-01..2016-04-30").when
    'from 1 March 2016 to 30 April 2016'
    """

    label: str
    first: date
    last: date

    def __repr__(self) -> str:
        return f"Period({self.label!r}, {self.first} to {self.last})"

    @property
    def days(self) -> int:
        """Number of days."""
        return (self.last - self.first).days + 1

    @property
    def when(self) -> str:
        """The period as it stands in a sentence: `in 2026Q3`, `in September 2026`, `from 1 March 2016 to 30 April 2016`."""
        if ".." in self.label:
            return f"from {self.first.day} {self.first:%B %Y} to {self.last.day} {self.last:%B %Y}"
        return f"in {self.first:%B %Y}" if re.fullmatch(r"\d{4}-\d{2}", self.label) else f"in {self.label}"

    @classmethod
    def parse(cls, text: str, *, today: date | None = None) -> Self:
        """Read a period from its written form.

        Raises
        ------
        UsageError
            If the text is none of the forms, names a day that does not exist, or ends before it starts.
        """
        word = text.strip()
        today = today or date.today()
        if word == "last-quarter":
            return cls._quarter(today.year, (today.month - 1) // 3 + 1).previous()
        if word == "last-month":
            return cls._month(today.year, today.month).previous()
        try:
            if match := re.fullmatch(r"(\d{4})-?[Qq]([1-4])", word):
                return cls._quarter(int(match[1]), int(match[2]))
            if match := re.fullmatch(r"(\d{4})-(\d{2})", word):
                return cls._month(int(match[1]), int(match[2]))
            if match := re.fullmatch(r"\d{4}", word):
                return cls(word, date(int(word), 1, 1), date(int(word), 12, 31))
            if match := re.fullmatch(r"(\d{4}-\d{2}-\d{2})\.\.(\d{4}-\d{2}-\d{2})", word):
                first, last = date.fromisoformat(match[1]), date.fromisoformat(match[2])
                if last < first:
                    raise UsageError(f"period '{text}' ends before it starts: write the earlier day first")
                return cls(word, first, last)
        except ValueError as error:
            raise UsageError(f"period '{text}': {error}") from None
        raise UsageError(f"period '{text}' is not understood: write {FORMS}")

    @classmethod
    def _quarter(cls, year: int, quarter: int) -> Self:
        first = date(year, 3 * quarter - 2, 1)
        return cls(f"{year}Q{quarter}", first, _months_later(first, 3) - timedelta(days=1))

    @classmethod
    def _month(cls, year: int, month: int) -> Self:
        first = date(year, month, 1)
        return cls(f"{first:%Y-%m}", first, _months_later(first, 1) - timedelta(days=1))

    def previous(self) -> Self:
        """The period of the same kind that ends the day before this one starts."""
        eve = self.first - timedelta(days=1)
        if "Q" in self.label:
            return type(self)._quarter(eve.year, (eve.month - 1) // 3 + 1)
        if re.fullmatch(r"\d{4}-\d{2}", self.label):
            return type(self)._month(eve.year, eve.month)
        if re.fullmatch(r"\d{4}", self.label):
            return type(self)(str(eve.year), date(eve.year, 1, 1), eve)
        first = eve - timedelta(days=self.days - 1)
        return type(self)(f"{first}..{eve}", first, eve)

    def year_before(self) -> Self:
        """The same days a year earlier; a span of single days moves by 52 weeks, so that the days of the week agree."""
        if "Q" in self.label:
            return type(self)._quarter(self.first.year - 1, (self.first.month - 1) // 3 + 1)
        if re.fullmatch(r"\d{4}-\d{2}", self.label):
            return type(self)._month(self.first.year - 1, self.first.month)
        if re.fullmatch(r"\d{4}", self.label):
            return self.previous()
        first, last = (day - timedelta(weeks=52) for day in (self.first, self.last))
        return type(self)(f"{first}..{last}", first, last)

    def bounds(self, *, time_zone: str = "UTC") -> tuple[datetime, datetime]:
        """First instant of the period and first instant after it, in the given zone."""
        zone = ZoneInfo(time_zone)
        return (
            datetime.combine(self.first, time(), zone),
            datetime.combine(self.last + timedelta(days=1), time(), zone),
        )

    def covers(self, instant: pl.Expr, *, time_zone: str = "UTC") -> pl.Expr:
        """Yes/no: does the instant fall into the period?"""
        first, after = (pl.lit(bound).dt.convert_time_zone("UTC") for bound in self.bounds(time_zone=time_zone))
        return (instant >= first) & (instant < after)


def _months_later(first: date, months: int) -> date:
    index = first.year * 12 + first.month - 1 + months
    return date(index // 12, index % 12 + 1, 1)
