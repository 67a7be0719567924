"""At which hours are contacts opened, and does that look like a working day?

A clock read in the wrong zone moves the whole day: its middle falls into the evening or the early morning, and the night is as full as the day.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import polars as pl

FEWEST = 200
"""Contacts below which hours have no shape."""
_MIDDLE, _NIGHT = (9.5, 17.5), 0.18


class Hours(NamedTuple):
    """`n` contacts with a time of day, how many were opened between midnight and six, the middle of the day in hours (null for too few), is it `odd`?"""

    n: int
    night: int
    middle: float | None
    odd: bool


def hours(contacts: pl.DataFrame, *, time_zone: str) -> Hours:
    """The hours at which contacts are opened. Midnight sharp, there or in UTC, is a date without a time and is left out.

    Parameters
    ----------
    contacts
        Reads `opened_at`.
    time_zone
        Where the desk works.

    Returns
    -------
    Hours
        The middle is the mean direction of the hours on a clock of 24; odd is a flat night (18 % and more), or a middle before 9:30 or after 17:30.

    References
    ----------
    Mardia and Jupp (2000), Directional Statistics, section 2.2.1.

    Examples
    --------
    >>> from datetime import UTC, datetime
    >>> day = pl.DataFrame({"opened_at": [datetime(2026, 3, 2, hour, 5, tzinfo=UTC) for hour in range(9, 17)] * 30})
    >>> [round(part, 1) for part in hours(day, time_zone="UTC")[1:3]], hours(day, time_zone="UTC").odd, hours(day, time_zone="Asia/Tokyo").odd
    ([0, 13.0], False, True)
    """
    local = pl.col("opened_at").dt.convert_time_zone(time_zone)
    timed = contacts.filter(clock.dt.time() != pl.time(0, 0, 0) for clock in (local, pl.col("opened_at")))
    timed = timed.select(hour=local.dt.hour(), angle=local.dt.hour() * (math.pi / 12))
    night = timed.filter(pl.col("hour") < 6).height
    if timed.height < FEWEST:
        return Hours(timed.height, night, None, False)
    x, y = timed.select(pl.col("angle").cos().mean(), y=pl.col("angle").sin().mean()).row(0)
    middle = math.atan2(y, x) % (2 * math.pi) * 12 / math.pi + 0.5
    return Hours(timed.height, night, middle, night >= _NIGHT * timed.height or not _MIDDLE[0] <= middle <= _MIDDLE[1])
