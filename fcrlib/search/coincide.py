"""When did a rate turn, and what had the company changed just then?

A step is sought in the weekly rate; the weeks that fit nearly as well say how sure its date is. What the log of changes holds for those weeks and that
place coincides with the step. That is all that can be said: many things happen in a week.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from fcrlib.model.columns import known
from fcrlib.search.where import conditions, holds

CHANCE = 0.05
EDGE = 2
"""Weeks that either side of a step needs."""
NEAR = 3.84
"""How much worse a week may fit and still be nearly as good (the 95 % point of chi-square with one degree of freedom)."""
WEEK = timedelta(days=7)
COVERED, PART = 0.5, 0.1
"""A change meets a place that lies half inside its scope, or that holds half of the scope and a tenth of whose contacts are in it."""
Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Turn:
    """A step of a weekly rate: the first day of its first week (`at`), of the first and the last week that fit nearly as well, and its height (share)."""

    at: datetime
    earliest: datetime
    latest: datetime
    height: float


def turn(frame: pl.DataFrame, *, failed: str, week: str = "week", at: str = "start_at", upward: bool = True) -> Turn | None:
    """Find the one step that the weekly rate shows most clearly, or none.

    Parameters
    ----------
    frame
        One row per contact: `failed` (yes/no; unknown ones are left out), `week` (a number or a day), `at` (when it began; a week's first contact dates it).
    upward
        Whether a rise is sought, or a fall.

    Returns
    -------
    Turn or None
        None where no step of that direction is clearer than chance among so many weeks would make one, or where there are fewer than five weeks.

    References
    ----------
    Hawkins (1977), JASA 72, 180-186 (the largest of all t statistics).

    Examples
    --------
    >>> row = pl.int_range(1200)
    >>> frame = pl.select(week=row // 100, failed=(row % 10 < 2) | ((row >= 700) & (row % 10 < 5)))
    >>> frame = frame.with_columns(start_at=pl.datetime(2026, 1, 5, time_zone="UTC") + pl.duration(weeks="week"))
    >>> f"{turn(frame, failed='failed').at:%Y-%m-%d}"
    '2026-02-23'
    """
    from scipy.special import stdtrit

    known(frame, [failed, week, at], yes_no=[failed])
    rows = frame.drop_nulls([failed, week, at]).with_columns(_hit=pl.col(failed).cast(pl.Float64))
    weeks = rows.group_by(week).agg(n=pl.len(), k=pl.col("_hit").sum(), first=pl.col(at).min()).sort("first", week)
    if weeks.height <= 2 * EDGE or not 0 < rows["_hit"].sum() < rows.height:
        return None
    n, k, first = weeks["n"].cast(pl.Float64).to_numpy(), weeks["k"].to_numpy(), weeks["first"].to_list()
    splits = np.arange(EDGE, len(n) - EDGE + 1)
    heights, left = _fits(n, k, splits)
    noise = k.sum() / n.sum() * (1 - k.sum() / n.sum())
    best = int(np.argmin(np.where((heights > 0) == upward, left, np.inf)))
    spread = max(left[best] / noise / (len(n) - 2), 1.0) * noise
    z = abs(heights[best]) / np.sqrt(spread * (1 / n[: splits[best]].sum() + 1 / n[splits[best] :].sum()))
    if (heights[best] > 0) != upward or z < stdtrit(len(n) - 2, 1 - CHANCE / (2 * len(splits))):
        return None
    near = splits[((heights > 0) == upward) & (left - left[best] <= NEAR * spread)]
    return Turn(first[splits[best]], first[int(near[0])], first[int(near[-1])], float(heights[best]))


def _fits(n: Floats, k: Floats, splits: NDArray[np.int64]) -> tuple[Floats, Floats]:
    """Height of the step at each split, and what it leaves unexplained."""
    sizes, hits = np.cumsum(n)[splits - 1], np.cumsum(k)[splits - 1]
    before, after = hits / sizes, (k.sum() - hits) / (n.sum() - sizes)
    level = np.where(np.arange(len(n))[None, :] < splits[:, None], before[:, None], after[:, None])
    return after - before, ((k / n - level) ** 2 * n).sum(axis=1)


def coinciding(changes: pl.DataFrame, frame: pl.DataFrame, *, there: pl.Expr, found: Turn) -> list[str]:
    """The changes of the log that meet a place and lie in the weeks in which it may have turned, or the week before.

    Parameters
    ----------
    changes
        `at`, `kind`, `scope` (as `column=value and column=value`; null is the whole desk), `note`.
    frame
        The contacts of the desk.
    there
        Which of them are the place.

    Returns
    -------
    list of str
        Day, kind, scope and note: the most specific scope first, then the nearest.
    """
    if changes.is_empty():
        return []
    known(changes, ["at", "kind", "scope", "note"])
    near = changes.filter(pl.col("at").is_between(found.earliest - WEEK, found.latest + WEEK, closed="left"))
    met: list[tuple[int, float, str]] = []
    for row in near.sort("at", "kind", "scope", "note").to_dicts():
        words = conditions(row["scope"], columns=frame.columns) if row["scope"] else []
        if words is not None and _meets(frame, words, there):
            met.append((-len(words), abs((row["at"] - found.at) / WEEK), _spelled(row)))
    return [text for *_, text in sorted(met)]


def _meets(frame: pl.DataFrame, words: Sequence[str], there: pl.Expr) -> bool:
    scope = holds(frame, words)
    both, place, whole = frame.select(
        both=(scope & there.fill_null(False)).sum().cast(pl.Float64), place=there.fill_null(False).sum(), whole=scope.sum()
    ).row(0)
    if not place or not whole:
        return False
    return bool(both >= COVERED * place or (both >= COVERED * whole and both >= PART * place))


def _spelled(row: dict[str, Any]) -> str:
    scope = f" ({row['scope']})" if row["scope"] else ""
    return f"{row['at']:%Y-%m-%d} {row['kind']}{scope}: {row['note'] or 'no note'}"
