"""Did the contacts become others, or did the same contacts fail more often?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl

from fcrlib.judge.cube import Cube, Cuboid, Floats, Ints, inside, summed
from fcrlib.judge.drift import ENOUGH, PRIOR
from fcrlib.model.columns import known
from fcrlib.model.errors import DataError

ALPHA = 0.01
MOST = 6
MATTERS = 0.001
"""A share that moves the whole by less than a tenth of a point is no driver."""
Place = tuple[tuple[int, int], ...]


def kitagawa(before: pl.DataFrame, after: pl.DataFrame, *, by: str | Sequence[str]) -> pl.DataFrame:
    """Split a change of a rate into what the mix did and what the rates did, symmetrically.

    Parameters
    ----------
    before, after
        One row per group: the columns of `by`, `n` (size) and `rate`. A group that is there only once has the same rate both times.

    Returns
    -------
    pl.DataFrame
        One row per group, sorted by `by`: `share_before`, `share_after`, `rate_before`, `rate_after`, `mix`, `rate`. The parts sum to the
        change; a group that grows counts as good or bad against the average rate of both times, so the parts of one group can be read alone.

    Raises
    ------
    DataError
        For groups that repeat, or a frame without contacts.

    References
    ----------
    Kitagawa (1955), JASA 50, 1168-1194; Das Gupta (1993), US Bureau of the Census P23-186.

    Examples
    --------
    >>> then = pl.DataFrame({"channel": ["chat", "phone"], "n": [50, 50], "rate": [0.2, 0.4]})
    >>> now = pl.DataFrame({"channel": ["chat", "phone"], "n": [25, 75], "rate": [0.2, 0.4]})
    >>> kitagawa(then, now, by="channel").select(pl.col("mix", "rate").sum().round(3)).row(0)
    (0.05, 0.0)
    """
    keys = [by] if isinstance(by, str) else list(by)
    for frame in (before, after):
        known(frame, [*keys, "n", "rate"], numbers=["n", "rate"])
        if frame.select(keys).is_duplicated().any() or not frame["n"].sum():
            raise DataError(f"each group of {', '.join(keys)} must be there once, and there must be contacts; add up the groups first")
    sides = [
        frame.filter(pl.col("n") > 0).select(*keys, (pl.col("n") / pl.col("n").sum()).alias(f"share_{when}"), pl.col("rate").alias(f"rate_{when}"))
        for frame, when in ((before, "before"), (after, "after"))
    ]
    both = sides[0].join(sides[1], on=keys, how="full", coalesce=True, nulls_equal=True).sort(keys)
    both = both.with_columns(
        pl.col("share_before", "share_after").fill_null(0.0),
        rate_before=pl.coalesce("rate_before", "rate_after"),
        rate_after=pl.coalesce("rate_after", "rate_before"),
    )
    middle, size = (pl.col("rate_before") + pl.col("rate_after")) / 2, (pl.col("share_before") + pl.col("share_after")) / 2
    whole = (middle * size).sum()
    both = both.with_columns(
        mix=(pl.col("share_after") - pl.col("share_before")) * (middle - whole), rate=size * (pl.col("rate_after") - pl.col("rate_before"))
    )
    return both.select(*keys, "share_before", "share_after", "rate_before", "rate_after", "mix", "rate")


@dataclass(frozen=True, slots=True)
class Moved:
    """Places whose share of contacts changed: `places`, `before`, `after` (shares), `se`, `z`, `bar`, `contribution` (to the change of the rate)."""

    places: tuple[Place, ...]
    before: Floats
    after: Floats
    se: Floats
    bar: Floats
    contribution: Floats


def moved(cube: Cube, cuboids: list[Cuboid], *, share: Floats) -> Moved:
    """Find the places whose share of contacts changed beyond what weeks do, one after the other.

    After each, the contacts before are weighed so that the place has its later share; what then still differs is sought next. The
    contribution is what the weighing does to the expected failure.
    """
    from scipy.special import stdtrit

    se, freedom = _errors(cube, cuboids)
    depth = np.concatenate([np.full(len(cuboid.cells), len(cuboid.dims)) for cuboid in cuboids])
    size = np.concatenate([summed(cuboid.key, cube.n.sum(axis=0)) for cuboid in cuboids])
    looked = (size >= 2 * ENOUGH) & (depth > 0)
    cells = np.maximum(summed(depth, looked.astype(np.float64)), 1)[depth]
    bar = stdtrit(freedom, 1 - ALPHA / (2 * max(int(depth.max()), 1) * cells))
    then, now = (n / n.sum() for n in cube.n)
    found: list[tuple[Place, int, float, float]] = []
    places: list[Place] = []
    for _ in range(MOST):
        z = _gaps(cuboids, then, now) / se
        score = np.where(looked & (np.abs(z) > bar), z**2 - 2 * np.log(cells), -np.inf)
        top = int(np.argmax(score))
        place = _place(cuboids, top)
        if not np.isfinite(score[top]) or place in places:
            break
        places = [*places, place]
        weighed = _raked(cube, then, now, places)
        found.append((place, top, float((weighed - then) @ share), 0.0))
        then = weighed
    kept = [row for row in found if abs(row[2]) >= MATTERS]
    first = [n / n.sum() for n in cube.n]
    ends = [np.array([float(side[inside(cube, row[0])].sum()) for row in kept]) for side in first]
    at = [row[1] for row in kept]
    return Moved(tuple(row[0] for row in kept), ends[0], ends[1], se[at], bar[at], np.array([row[2] for row in kept]))


def _place(cuboids: list[Cuboid], cell: int) -> Place:
    for cuboid in cuboids:
        if cell < len(cuboid.cells):
            return cuboid.place(cell)
        cell -= len(cuboid.cells)
    return ()


def _gaps(cuboids: list[Cuboid], then: Floats, now: Floats) -> Floats:
    return np.concatenate([summed(cuboid.key, now - then) for cuboid in cuboids])


def _raked(cube: Cube, then: Floats, now: Floats, places: list[Place]) -> Floats:
    """The contacts before, weighed until every chosen place has its later share."""
    masks = [inside(cube, place) for place in places]
    weighed = then.copy()
    for _ in range(20 if len(masks) > 1 else 1):
        for mask in masks:
            old, new = float(weighed[mask].sum()), float(now[mask].sum())
            if 0 < old < 1:
                weighed = np.where(mask, weighed * new / old, weighed * (1 - new) / (1 - old))
    return weighed


def _errors(cube: Cube, cuboids: list[Cuboid]) -> tuple[Floats, Floats]:
    """Error of each cell's change of share: multinomial, widened by how far the shares of weeks lie apart inside a period."""
    weeks = next((codes for codes in cube.clusters if _in_one_arm(cube, codes)), None)
    found = []
    total = cube.n.sum(axis=1)
    for cuboid in cuboids:
        cells = len(cuboid.cells)
        both = summed(cuboid.key, cube.n.sum(axis=0)) / total.sum()
        plain = np.maximum(both * (1 - both), 1e-12) * (1 / total).sum()
        phi, own = _dispersion(cube, cuboid, weeks) if weeks is not None else (np.ones(cells), np.full(cells, 1e6))
        found.append((np.sqrt(plain * np.maximum(phi, 1)), own))
    se, freedom = (np.concatenate(parts) for parts in zip(*found, strict=True))
    return se, freedom


def _in_one_arm(cube: Cube, codes: Ints) -> bool:
    size = np.stack([summed(codes, cube.rows * (cube.arm == arm), size=int(codes.max()) + 1) for arm in range(2)])
    return bool((size > 0).sum(axis=0).max() == 1)


def _dispersion(cube: Cube, cuboid: Cuboid, weeks: Ints) -> tuple[Floats, Floats]:
    count, cells = int(weeks.max()) + 1, len(cuboid.cells)
    held = summed(cuboid.key[cube.leaf] * count + weeks, cube.rows, size=cells * count).reshape(cells, count)
    arm = np.zeros(count, np.int64)
    arm[weeks] = cube.arm
    chi, own = np.zeros(cells), 0
    for side in range(2):
        part = held[:, (arm == side) & (held.sum(axis=0) > 0)]
        size = part.sum(axis=0)
        mean = part.sum(axis=1, keepdims=True) / size.sum()
        chi += ((part - mean * size) ** 2 / np.maximum(mean * (1 - mean) * size, 1e-9)).sum(axis=1)
        own += part.shape[1] - 1
    phi = chi / max(own, 1)
    usual = max(1.0, float(np.median(phi)))
    return (PRIOR * usual + own * phi) / (PRIOR + own), np.full(cells, PRIOR + own)
