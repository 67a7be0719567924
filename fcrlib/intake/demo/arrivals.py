"""When does who write to the invented desk, about what, on which channel?

Arrivals follow the week, the hour, growth, and the month's end for billing. Nobody writes twice about the same category by chance: what comes
back without a failure is planted as `Truth.background`, so that the placebo of a window has a known answer.
"""

from __future__ import annotations

from datetime import date, datetime

import numpy as np
import polars as pl

from fcrlib.intake.demo.people import Bools, Customers, Floats, Ints, seconds, stream, tiers
from fcrlib.intake.demo.themes import AREAS, CATEGORIES, THEMES
from fcrlib.intake.demo.truth import Truth
from fcrlib.model.tables import CHANNELS

DAY = 86_400
APART = 45 * DAY  # by chance alone, nobody writes about the same category again sooner than this
CHANNEL_SHARE = {
    "email": 0.34, "web": 0.20, "chat": 0.16, "messaging": 0.05, "phone": 0.17, "social": 0.02, "in_app": 0.04, "api": 0.01, "other": 0.01,
}  # fmt: skip
LANGUAGES = ("en", "de", "fr")
_WEEKDAYS = (1.20, 1.10, 1.05, 1.00, 0.90, 0.16, 0.12)
_HOURS = (1, 1, 1, 1, 2, 4, 12, 40, 85, 100, 98, 90, 70, 80, 90, 85, 70, 45, 25, 15, 10, 6, 4, 2)
_MONTH_END = {"billing": 1.9, "contract": 1.3}
_GROWTH = 0.25
_THEME_CATEGORY = np.array([list(CATEGORIES).index(theme.category) for theme in THEMES])
_THEME_AREA = np.array([AREAS.index(theme.area) for theme in THEMES])


def first_contacts(*, seed: int, rows: int, truth: Truth, customers: Customers, start: datetime, end: datetime) -> pl.DataFrame:
    """Let first contacts arrive.

    Returns
    -------
    DataFrame
        `opened` (seconds since 1970), `customer` (number), `theme`, `category`, `product_area`, `channel`, `tier`, `language`.
    """
    category = stream(seed, "arrivals", "category").choice(len(CATEGORIES), rows, p=[share for share, _ in CATEGORIES.values()])
    opened = _moments(category, seed=seed, start=start, end=end)
    who = _apart(customers.drawn(rows, stream(seed, "arrivals", "who")), category, opened, customers=customers, seed=seed)
    theme = _themes(category, opened, truth=truth, seed=seed)
    rng = stream(seed, "arrivals", "area")
    area = np.where(rng.random(rows) < 0.6, _THEME_AREA[theme], rng.integers(0, len(AREAS), rows))
    return pl.DataFrame(
        {
            "opened": opened,
            "customer": who,
            "theme": theme,
            "category": named(CATEGORIES, category),
            "product_area": named(AREAS, area),
            "channel": channels(rows, stream(seed, "arrivals", "channel")),
            "tier": tiers(customers, who),
            "language": named(LANGUAGES, customers.language[who]),
        }
    )


def named(words: tuple[str, ...] | dict[str, tuple[float, str]], codes: Ints) -> pl.Series:
    """Turn codes into an enumeration of the words."""
    return pl.Series(list(words), dtype=pl.Enum(list(words))).gather(codes)


def channels(rows: int, rng: np.random.Generator) -> pl.Series:
    """A channel for each row."""
    return named(CHANNELS, rng.choice(len(CHANNELS), rows, p=[CHANNEL_SHARE[channel] for channel in CHANNELS]))


def codes(words: pl.Series) -> Ints:
    """The codes of an enumeration."""
    numbers: Ints = words.to_physical().cast(pl.Int64).to_numpy()
    return numbers


def _moments(category: Ints, *, seed: int, start: datetime, end: datetime) -> Ints:
    rng, rows = stream(seed, "arrivals", "moments"), len(category)
    first, days = seconds(start) // DAY, int((seconds(end) - seconds(start)) // DAY) + 1
    calendar = np.arange(days) + first
    busy = np.array(_WEEKDAYS)[(calendar + 3) % 7] * (1 + _GROWTH * np.arange(days) / max(days, 1))
    day, luck = np.zeros(rows, dtype=np.int64), rng.random(rows)
    for code, name in enumerate(CATEGORIES):
        weight = busy * np.where(_month_end(calendar), _MONTH_END.get(name, 1.0), 1.0)
        mine = category == code
        day[mine] = np.searchsorted(np.cumsum(weight) / weight.sum(), luck[mine], side="right").clip(0, days - 1)
    hour = rng.choice(24, rows, p=np.array(_HOURS) / sum(_HOURS))
    opened: Ints = np.minimum((day + first) * DAY + hour * 3_600 + rng.integers(0, 3_600, rows), seconds(end))
    return opened


def _month_end(calendar: Ints) -> Bools:
    months = calendar.astype("datetime64[D]").astype("datetime64[M]")
    of_month = calendar - months.astype("datetime64[D]").astype(np.int64)
    left = (months + np.timedelta64(1, "M")).astype("datetime64[D]").astype(np.int64) - calendar
    return np.asarray((of_month < 3) | (left <= 2))


def _apart(who: Ints, category: Ints, opened: Ints, *, customers: Customers, seed: int) -> Ints:
    """Give a contact to somebody else as long as its customer wrote about the same category shortly before."""
    for attempt in range(6):
        order = np.lexsort((opened, category, who))
        same = (np.diff(who[order]) == 0) & (np.diff(category[order]) == 0) & (np.diff(opened[order]) < APART)
        close = order[1:][same]
        if not len(close):
            break
        who[close] = stream(seed, "arrivals", "apart", str(attempt)).integers(0, len(customers.weight), len(close))
    return who


def _themes(category: Ints, opened: Ints, *, truth: Truth, seed: int) -> Ints:
    """A theme of the category, the first ones more often; a new topic is its neighbour until its first day."""
    luck = stream(seed, "arrivals", "theme").random(len(category))
    theme = np.zeros(len(category), dtype=np.int64)
    for code in range(len(CATEGORIES)):
        own, mine = np.flatnonzero(code == _THEME_CATEGORY), category == code
        share: Floats = 1 / (np.arange(len(own)) + 3.0)
        theme[mine] = own[np.searchsorted(np.cumsum(share) / share.sum(), luck[mine], side="right").clip(0, len(own) - 1)]
    for number, one in enumerate(THEMES):
        if since := truth.new_topics.get(one.slug):
            neighbour = next(i for i, other in enumerate(THEMES) if other.category == one.category and other.slug not in truth.new_topics)
            theme[(theme == number) & (opened < midnight(since))] = neighbour
    return theme


def midnight(day: date) -> int:
    """The first second of a day in UTC, since 1970."""
    return (day - date(1970, 1, 1)).days * DAY
