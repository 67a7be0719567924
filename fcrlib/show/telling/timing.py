"""How is it told when customers come back, and how much is still to come?"""

from __future__ import annotations

from datetime import timedelta

import polars as pl

from fcrlib.model.numbers import count, duration, interval, magnitude, percent
from fcrlib.model.policy import in_words

_NOBODY = "This desk does not know its customers, so nobody can be seen to come back"
SAME = "the same category"


def returns(curve: pl.DataFrame, *, about: str = SAME) -> str:
    """One sentence on how many come back, and by when."""
    known = curve.filter(pl.col("about") == about).drop_nulls("share")
    if known.is_empty():
        return _NOBODY if curve.is_empty() else f"Nobody was seen for long enough to say who comes back about {about}"
    days = [row for row in (known.filter(pl.col("day") == day) for day in (7, 30)) if row.height]
    parts = [f"{percent(row['share'][0])} within {count(row['day'][0])} days" for row in days]
    return f"Customers who open another contact about {about}: {', '.join(parts) or percent(known['share'][-1])}"


def calibration(knees: pl.DataFrame, *, window: timedelta | None, about: str = SAME) -> str:
    """One sentence on whether the window of the definition ends where returns settle down."""
    row = knees.filter(pl.col("about") == about).to_dicts()
    if not row:
        return _NOBODY
    day, used = row[0]["knee_day"], "" if not window else f"; our window is {in_words(window)}"
    if day is None:
        return f"Returns about {about} do not settle at a day that can be told: {row[0]['note']}{used}"
    return f"Nine tenths of the additional returns about {about} have come by day {count(day)}{used}"


def placebo(background: pl.DataFrame, *, about: str = SAME) -> str:
    """One sentence on how much of what comes back would be seen anyway."""
    rows = background.filter(pl.col("about") == about).drop_nulls("excess").to_dicts()
    if not rows:
        return _NOBODY if background.is_empty() else "No contact is old enough for a second window four weeks later"
    row = rows[-1]
    both = f"Within {row['window']}, {percent(row['raw'])} come back about {about}; in {row['window']} four weeks later, {percent(row['placebo'])}"
    if row["excess_low"] <= 0 <= row["excess_high"]:
        return f"{both}: no clear difference"
    return f"{both}: {magnitude(row['excess'])} {'more' if row['excess'] > 0 else 'fewer'} right after the answer"


def censoring(readings: pl.DataFrame) -> str:
    """One sentence on what the open windows do to the rate."""
    if readings.is_empty():
        return "This definition waits for no window, so no verdict is still to come"
    at_once, hopeful, seen = (readings.row(place, named=True) for place in (1, 2, 3))
    if not seen["open"]:
        return f"Every window has closed: {percent(seen['share'])} resolved, however it is counted"
    if seen["share"] is None:
        return f"No window has closed yet; {count(seen['open'])} are open, so the rate is not known"
    return (
        f"{percent(seen['share'])} resolved when the {count(seen['open'])} open windows count for as long as they were seen; "
        f"{percent(at_once['share'])} when only their failures count, {percent(hopeful['share'])} when all of them count as resolved"
    )


def newest(weeks: pl.DataFrame) -> str:
    """One sentence on where the newest week will probably end."""
    known = weeks.drop_nulls("share")
    if known.is_empty():
        return "There is no week to speak of: the definition waits for no window, or no week has 30 contacts"
    last = known.row(-1, named=True)
    span = f"{percent(last['share'])} ({interval(last['low'], last['high'])})"
    if last["complete"] >= 1:
        return f"The last week with 30 contacts or more stands at {span}"
    return f"The newest week has shown {percent(last['complete'], digits=0)} of the failures to expect and will probably end at {span}"


def redials(channels: pl.DataFrame, *, within: timedelta = timedelta(minutes=10)) -> str:
    """One sentence on customers who gave up and tried again."""
    if channels.is_empty():
        return "No known customer gave up waiting, so no second try can be seen"
    again, gave_up = int(channels["redialled"].sum()), int(channels["abandoned"].sum())
    of = f"of the {count(gave_up)} contacts that customers gave up on"
    soon = f"{count(within.total_seconds() / 60)} minutes"
    if not again:
        return f"None {of} was followed by another one within {soon}"
    return f"{count(again)} {of} ({percent(again / gave_up)}) {'was' if again == 1 else 'were'} followed by another one within {soon}"


def uncertainty(times: pl.DataFrame) -> str:
    """One sentence on how long customers wait for the true end of their issue."""
    whole = times.filter(pl.col("split") == "all").to_dicts()
    if not whole:
        return "No issue of the period is old enough to say how long it took"
    if whole[0]["median"] is None:
        return f"Fewer than half of {count(whole[0]['n'])} issues have been seen to end"
    half = f"Half of the issues truly end within {duration(whole[0]['median'])}"
    rest = f", nine in ten within {duration(whole[0]['p90'])}" if whole[0]["p90"] is not None else ""
    failed = times.filter((pl.col("split") == "first contact") & (pl.col("group") == "failed")).drop_nulls("median")
    return f"{half}{rest}" + (f"; where the first contact failed, half end within {duration(failed['median'][0])}" if failed.height else "")
