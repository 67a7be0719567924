"""Did the contacts become others, or did the same contacts fail more often?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import polars as pl

from fcrlib.model.columns import known
from fcrlib.model.errors import DataError
from fcrlib.search.cube import DESK, Cube, Cuboid, Floats, Group, Ints, Pairs, cube, folded, gathered, inside, summed
from fcrlib.search.drift import ENOUGH, PRIOR, nested, together

ALPHA = 0.01
MOST = 6
MATTERS = 0.001
"""A share that moves the whole by less than a tenth of a point is no driver."""
LIKE = 1.5
"""Sizes up to this many times apart are alike."""
EXPECTED = 10
"""Contacts of a place to expect in each period for its share to be compared."""
GONE = 0.02
"""What is left of a value that is gone: at most this part of its contacts."""
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
    total = cube.n.sum(axis=1)
    # The errors of shares hold only where some contacts of the place can be expected in each period.
    looked = (size >= 2 * ENOUGH) & (depth > 0) & (size * total.min() / total.sum() >= EXPECTED) & (total.sum() >= DESK)
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
    return np.concatenate(folded(cuboids, now - then))


def _raked(cube: Cube, then: Floats, now: Floats, places: list[Place]) -> Floats:
    """The contacts before, weighed until every chosen place has its later share."""
    masks = [inside(cube, place) for place in places]
    weighed = then.copy()
    for _ in range(20 if len(masks) > 1 else 1):
        for mask in masks:
            old, new = float(weighed[mask].sum()), float(now[mask].sum())
            if 0 < old < 1:
                weighed = np.where(mask, weighed * new / old, weighed * (1 - new) / (1 - old))
            elif old == 0:
                # A place that is new has no contacts before that could be weighed: it comes as it is.
                weighed = np.where(mask, now, weighed * (1 - new))
    return weighed


def _errors(cube: Cube, cuboids: list[Cuboid]) -> tuple[Floats, Floats]:
    """Error of each cell's change of share: multinomial, widened by how far weeks lie apart and by customers that come again."""
    weeks = next((group for group in cube.groups if nested(group)), None)
    found = []
    total = cube.n.sum(axis=1)
    met = [(pairs, together(pairs, cube, cuboids)) for pairs in cube.pairs if len(pairs.arm)]
    tables = gathered(cuboids, weeks, weeks.n, arms=2) if weeks else []
    for at, cuboid in enumerate(cuboids):
        cells = len(cuboid.cells)
        both = summed(cuboid.key, cube.n.sum(axis=0)) / total.sum()
        plain = np.maximum(both * (1 - both), 1e-12) * (1 / total).sum()
        phi, own = _dispersion(*tables[at], cells=cells, count=len(weeks.values)) if weeks else (np.ones(cells), np.full(cells, 1e6))
        again = sum((_again(cuboid, pairs, both_in[at], share=both, total=total) for pairs, both_in in met), np.zeros(cells))
        found.append((np.sqrt(plain * np.maximum(phi, 1) + again), own))
    se, freedom = (np.concatenate(parts) for parts in zip(*found, strict=True))
    return se, freedom


def _again(cuboid: Cuboid, pairs: Pairs, both: Ints, *, share: Floats, total: Floats) -> Floats:
    """Variance that customers with several contacts in one period add to each cell's change of share."""
    cells, added = len(cuboid.cells), np.zeros(len(cuboid.cells))
    left = cuboid.key[pairs.leaf[0]]
    for arm, size in enumerate(total):
        here, met = pairs.arm == arm, both[pairs.arm[both] == arm]
        inner = summed(left[met], pairs.weight[met], size=cells)
        outer = summed(left[here], pairs.weight[here], size=cells)
        added += np.maximum(inner - 2 * share * outer + share**2 * pairs.weight[here].sum(), 0) / size**2
    return added


def _dispersion(number: Ints, sums: list[Floats], *, cells: int, count: int) -> tuple[Floats, Floats]:
    both = summed(number, sums[0], size=cells * 2 * count).reshape(cells, 2, count)
    chi, own = np.zeros(cells), 0
    for side in range(2):
        held = both[:, side]
        part = held[:, held.sum(axis=0) > 0]
        size = part.sum(axis=0)
        mean = part.sum(axis=1, keepdims=True) / max(size.sum(), 1)
        chi += ((part - mean * size) ** 2 / np.maximum(mean * (1 - mean) * size, 1e-9)).sum(axis=1)
        own += max(part.shape[1] - 1, 0)
    phi = chi / max(own, 1)
    usual = max(1.0, float(np.median(phi)))
    return (PRIOR * usual + own * phi) / (PRIOR + own), np.full(cells, PRIOR + own)


def renamed(cube: Cube) -> dict[int, list[tuple[int, int]]]:
    """Values that vanished between the periods, each beside one of like size that appeared: pairs of codes per dimension, the largest first."""
    sides = cube.n.sum(axis=1)
    matches: dict[int, list[tuple[int, int]]] = {}
    for dim, names in enumerate(cube.levels):
        shares = np.stack([summed(cube.codes[:, dim], n, size=len(names)) for n in cube.n]) / sides[:, None]
        gone, new = (np.flatnonzero((a > 0) & (b <= GONE * a)) for a, b in (shares, shares[::-1]))
        if shares[0, gone].sum() > 1 / 2:
            continue  # a dimension that became another one altogether
        free = list(new)
        for old in gone[np.argsort(-shares[0, gone], kind="stable")]:
            apart = [abs(float(np.log(shares[1, name] / shares[0, old]))) for name in free]
            if apart and min(apart) <= np.log(LIKE):
                matches.setdefault(dim, []).append((int(old), int(free.pop(int(np.argmin(apart))))))
    return matches


def rejoined(cube: Cube, matches: dict[int, list[tuple[int, int]]]) -> Cube:
    """The desk as if each new value still had the name of the one that it took the place of."""
    codes = cube.codes.copy()
    for dim, pairs in matches.items():
        for old, new in pairs:
            codes[:, dim][codes[:, dim] == new] = old
    return replace(cube, codes=codes)


def reversals(frame: pl.DataFrame, *, dims: Sequence[str], failed: str, period: str, clusters: Sequence[str] = ()) -> pl.DataFrame:
    """Find dimensions that turn a change around: all their values stayed or moved one way, and only the mix moved the total the other way.

    Parameters
    ----------
    frame
        One row per contact: yes/no `failed`, the columns of `dims` (null is a value of its own), two-valued `period`, and `clusters`.
    clusters
        Columns whose contacts drift together. The first that lies in one period each (a week) widens the intervals.

    Returns
    -------
    pl.DataFrame
        One row per dimension that has two values, in the order of `dims`: `dimension`, `total` (change of the share that failed), `within`
        (what the values did at an unchanged mix) with `low` and `high` (95 %), `mix` (the rest; `within` and `mix` sum to `total`), `levels`
        (values with at least 30 contacts in both periods), `contacts` (share of contacts in them), `against` (of them, those that moved
        against the total), `reversed`.

        `reversed` is true only if the total moved beyond chance, the mix is at least half of it, what the values did is not clearly in its
        direction, and none of them clearly is.

    Raises
    ------
    UsageError, DataError
        As `change`.

    References
    ----------
    Simpson (1951), JRSS B 13, 238-241. Kitagawa (1955), JASA 50, 1168-1194.

    Examples
    --------
    >>> sizes = [("chat", False, 10, 90), ("chat", True, 4, 46), ("phone", False, 20, 30), ("phone", True, 38, 62)]
    >>> parts = [pl.select(channel=pl.lit(c), later=pl.lit(p), failed=pl.int_range(f + g) < f) for c, p, f, g in sizes]
    >>> table = reversals(pl.concat(parts), dims=["channel"], failed="failed", period="later")
    >>> table.select("dimension", pl.col("total", "within", "mix").round(3), "levels", "against").row(0)
    ('channel', 0.08, -0.02, 0.1, 2, 2)
    """
    counts = cube(frame, dims=dims, failed=failed, arm=period, clusters=clusters)
    weeks = next((group for group in counts.groups if nested(group)), None)
    rows = [_reversal(counts, dim, weeks) for dim in range(len(counts.dims))]
    whole = {"total": pl.Float64, "within": pl.Float64, "low": pl.Float64, "high": pl.Float64, "mix": pl.Float64}
    return pl.DataFrame(
        rows,
        schema={"dimension": pl.String, **whole, "levels": pl.Int64, "contacts": pl.Float64, "against": pl.Int64, "reversed": pl.Boolean},
        orient="row",
    )


def _reversal(cube: Cube, dim: int, weeks: Group | None) -> tuple[object, ...]:
    count, key = len(cube.levels[dim]), cube.codes[:, dim]
    n, k = (np.stack([summed(key, side, size=count) for side in sides]) for sides in (cube.n, cube.failed))
    there = n > 0
    rate = np.where(there, k / np.maximum(n, 1), k[::-1] / np.maximum(n[::-1], 1))
    change, size = rate[1] - rate[0], n / n.sum(axis=1, keepdims=True)
    total = float(k[1].sum() / n[1].sum() - k[0].sum() / n[0].sum())
    weight = size.mean(axis=0) * there.all(axis=0)
    within = float(weight @ change)
    many = (n >= ENOUGH).all(axis=0)
    own = _reach(cube, weeks, key, np.eye(count)[many], n=n, rate=rate)
    reach = float(_reach(cube, weeks, key, weight[None, :], n=n, rate=rate)[0])
    everything = np.zeros_like(key)
    whole = float(
        _reach(
            cube, weeks, everything, np.ones((1, 1)), n=n.sum(axis=1, keepdims=True), rate=k.sum(axis=1, keepdims=True) / n.sum(axis=1, keepdims=True)
        )[0]
    )
    way = float(np.sign(total))
    against = int((change[many] * way < 0).sum())
    mixed = (total - within) * way >= abs(total) / 2 and within * way - reach <= 0
    turned = bool(abs(total) > whole and mixed and many.any() and not (change[many] * way > own).any())
    told = float(n[:, many].sum() / n.sum())
    return cube.dims[dim], total, within, within - reach, within + reach, total - within, int(many.sum()), told, against, turned


def _reach(cube: Cube, weeks: Group | None, key: Ints, weights: Floats, *, n: Floats, rate: Floats) -> Floats:
    """Half the width of the 95 % interval of weighted sums of changes (sums x values), from how far weeks lie apart or from binomial errors."""
    from scipy.special import stdtrit

    if weeks is None:
        variance = (weights**2) @ (rate * (1 - rate) / np.maximum(n, 1)).sum(axis=0)
        return np.asarray(1.96 * np.sqrt(variance), np.float64)
    count, values = len(weeks.values), n.shape[1]
    variance, freedom = np.zeros(len(weights)), 0
    for arm in range(2):
        here = weeks.arm == arm
        at = weeks.code[here] * values + key[weeks.leaf[here]]
        size, bad = (summed(at, what[here], size=count * values).reshape(count, values) for what in (weeks.n, weeks.failed))
        seen = size.sum(axis=1) > 0
        beyond = (((bad - size * rate[arm]) / np.maximum(n[arm], 1)) @ weights.T)[seen]
        variance += (beyond**2).sum(axis=0) * seen.sum() / max(int(seen.sum()) - 1, 1)
        freedom += max(int(seen.sum()) - 1, 0)
    return np.asarray(stdtrit(max(freedom, 1), 0.975) * np.sqrt(variance), np.float64)
