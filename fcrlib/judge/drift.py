"""What failure is expected of every cell, and how far does a cell wander although nothing happened?

Support desks drift: weeks are good or bad, agents get better or worse. Binomial errors do not know that, and on a large desk they find a
culprit nearly always. So the error is learnt from the desk: from how far weeks lie apart inside a period, and agents between periods.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fcrlib.judge.cube import Cube, Cuboid, Floats, Ints, summed

RIDGE = 5.0
PRIOR = 50.0
"""Degrees of freedom that the desk's usual dispersion is worth beside a cell's own."""
EDGE = 0.01
ENOUGH = 30
"""Contacts a cell needs in each period to be looked at."""
AGENT = 20
"""Contacts an agent needs in both periods for the change to be counted."""
MAD = 1.4826
NESTED = 0.9

Mask = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Errors:
    """The honest error of every cell of every cuboid, in one row of numbers: `se`, `freedom`, `enough` (contacts to be looked at)."""

    se: Floats
    freedom: Floats
    enough: Mask


def additive(cube: Cube, *, extra: Floats) -> tuple[list[Floats], Floats, float, Floats]:
    """Main effects of each dimension (ridge), the effects of `extra` (sets x leaves, not shrunk), and the level of the desk.

    The last one says how many times the errors of the sets grow because all the rest is estimated too.

    References
    ----------
    Hoerl and Kennard (1970), Technometrics 12, 55-67.
    """
    n, k = cube.n.sum(axis=0), cube.failed.sum(axis=0)
    level = float(k.sum() / n.sum())
    sizes = [len(names) for names in cube.levels]
    starts = np.concatenate([[1], 1 + np.cumsum(sizes)]).astype(int)
    total = int(starts[-1]) + len(extra)
    gram, right = np.zeros((total, total)), np.zeros(total)
    gram[0, 0], right[0] = n.sum(), 0.0
    for i, size in enumerate(sizes):
        here, codes = slice(starts[i], starts[i + 1]), cube.codes[:, i]
        counts = summed(codes, n, size=size)
        gram[here, here] = np.diag(counts + RIDGE)
        gram[0, here] = gram[here, 0] = counts
        right[here] = summed(codes, k - n * level, size=size)
        for j in range(i + 1, len(sizes)):
            block = summed(codes * sizes[j] + cube.codes[:, j], n, size=size * sizes[j]).reshape(size, sizes[j])
            gram[here, starts[j] : starts[j + 1]], gram[starts[j] : starts[j + 1], here] = block, block.T
        for at, mask in enumerate(extra, start=int(starts[-1])):
            gram[here, at] = gram[at, here] = summed(codes, n * mask, size=size)
    if len(extra):
        last = slice(int(starts[-1]), total)
        gram[last, last] = (extra * n) @ extra.T + 1e-6 * np.eye(len(extra))
        gram[0, last] = gram[last, 0] = extra @ n
        right[last] = extra @ (k - n * level)
    solved: Floats = np.asarray(np.linalg.solve(gram, right), np.float64)
    own = slice(int(starts[-1]), total)
    wider = np.sqrt(np.maximum(np.diag(np.linalg.inv(gram))[own] * np.diag(gram)[own], 1))
    return [solved[starts[i] : starts[i + 1]] for i in range(len(sizes))], solved[own], level + float(solved[0]), wider


def expected(cube: Cube, cuboids: list[Cuboid]) -> Floats:
    """Share expected to fail in each leaf, both arms together: main effects, and pairs drawn towards none as far as they are chance.

    References
    ----------
    Morris (1983), JASA 78, 47-55 (empirical Bayes).
    """
    effects, _, level, _ = additive(cube, extra=np.zeros((0, len(cube.codes))))
    n, k = cube.n.sum(axis=0), cube.failed.sum(axis=0)
    share = np.clip(level + sum((effects[i][cube.codes[:, i]] for i in range(len(effects))), np.zeros(len(n))), EDGE, 1 - EDGE)
    for pair in (cuboid for cuboid in cuboids if len(cuboid.dims) == 2):
        size = summed(pair.key, n)
        raw = summed(pair.key, k - n * share) / size
        noise = summed(pair.key, n * share * (1 - share)) / size**2
        spread = max(0.0, float((size * (raw**2 - noise)).sum() / size.sum()))
        share = np.clip(share + (raw * spread / (spread + noise))[pair.key], EDGE, 1 - EDGE)
    return share


def errors(cube: Cube, cuboids: list[Cuboid], *, share: Floats, fitted: Floats) -> Errors:
    """The honest error of every cell: binomial variance, widened by what weeks and agents do.

    A cluster whose rows lie in one arm only (a week) widens by the dispersion of its cells around their mean, moderated towards the
    usual dispersion of the cuboid. A cluster that is seen in both arms (an agent) adds its pooled drift, as far as the cell hangs on few.
    `share` (per leaf) is expected, `fitted` (arms x leaves) also knows of what was found, so that a cause does not count as drift.
    """
    arms = len(cube.n)
    residual = cube.rows_failed - cube.rows * fitted[cube.arm, cube.leaf]
    noise = cube.rows * (share * (1 - share))[cube.leaf]
    crossed = [arms == 2 and not _nested(cube, codes) for codes in cube.clusters]
    drifts = [_drift(cube, codes, residual, noise) if is_crossed else 0.0 for codes, is_crossed in zip(cube.clusters, crossed, strict=True)]
    widths: list[Floats] = []
    freedoms: list[Floats] = []
    enough: list[Mask] = []
    for cuboid in cuboids:
        size = np.stack([summed(cuboid.key, n) for n in cube.n])
        variance = np.stack([summed(cuboid.key, n * share * (1 - share)) for n in cube.n])
        inflation, freedom = np.ones(len(cuboid.cells)), np.full(len(cuboid.cells), 1e6)
        with np.errstate(divide="ignore", invalid="ignore"):
            plain = np.where(size > 0, variance / size**2, np.inf).sum(axis=0)
        added = np.zeros(len(cuboid.cells))
        for codes, is_crossed, drift in zip(cube.clusters, crossed, drifts, strict=True):
            if is_crossed:
                added += drift * _concentration(cube, cuboid, codes, size) if drift > 0 else 0.0
            else:
                phi, own = _dispersion(cube, cuboid, codes, residual, noise)
                inflation, freedom = inflation + phi - 1, np.minimum(freedom, own)
        widths.append(np.sqrt(plain * np.maximum(inflation, 1) + added))
        freedoms.append(freedom)
        enough.append(np.all(size >= ENOUGH, axis=0))
    return Errors(np.concatenate(widths), np.concatenate(freedoms), np.concatenate(enough))


def _nested(cube: Cube, codes: Ints) -> bool:
    """Do most contacts belong to a cluster that is seen in one arm only?"""
    size = np.stack([summed(codes, cube.rows * (cube.arm == arm), size=int(codes.max()) + 1) for arm in range(2)])
    return bool(size[:, (size > 0).sum(axis=0) == 1].sum() >= NESTED * size.sum())


def _drift(cube: Cube, codes: Ints, residual: Floats, noise: Floats) -> float:
    """Variance of what one agent changes between the arms beyond chance, robust against the few that changed for a reason."""
    count = int(codes.max()) + 1
    key = cube.arm * count + codes
    n, r, v = (summed(key, what, size=2 * count).reshape(2, count) for what in (cube.rows, residual, noise))
    busy = (n >= AGENT).all(axis=0)
    if busy.sum() < 3:
        return 0.0
    change = r[1, busy] / n[1, busy] - r[0, busy] / n[0, busy]
    chance = (v[:, busy] / n[:, busy] ** 2).sum(axis=0)
    # Agents with few contacts say little about drift: each is weighed by how well it is seen.
    scaled = (change - np.median(change)) / np.sqrt(chance)
    beyond = (MAD * float(np.median(np.abs(scaled)))) ** 2 - 1
    return max(0.0, beyond * float(np.median(chance)))


def _concentration(cube: Cube, cuboid: Cuboid, codes: Ints, size: Floats) -> Floats:
    """How much a cell hangs on few clusters: the sum of their squared shares, averaged over the arms."""
    count = int(codes.max()) + 1
    key = (cuboid.key[cube.leaf] * 2 + cube.arm) * count + codes
    number, held = _counted(key, cube.rows)
    squares = summed(number // count, held[0] ** 2, size=2 * len(cuboid.cells)).reshape(-1, 2).T
    return np.asarray((squares / np.maximum(size, 1) ** 2).mean(axis=0), np.float64)


def _counted(key: Ints, *what: Floats) -> tuple[Ints, list[Floats]]:
    """The keys that occur, sorted, and the sum of each quantity over them."""
    span = int(key.max()) + 1
    if span <= 8 * len(key) + 1_000_000:
        there = np.flatnonzero(np.bincount(key, minlength=span))
        return there, [summed(key, values, size=span)[there] for values in what]
    there, place = np.unique(key, return_inverse=True)
    return there, [summed(place, values, size=len(there)) for values in what]


def _dispersion(cube: Cube, cuboid: Cuboid, codes: Ints, residual: Floats, noise: Floats) -> tuple[Floats, Floats]:
    """Dispersion of clusters inside each cell and arm, moderated towards the cuboid's median, and its degrees of freedom."""
    arms, count, cells = len(cube.n), int(codes.max()) + 1, len(cuboid.cells)
    number, (n, r, v) = _counted((cuboid.key[cube.leaf] * arms + cube.arm) * count + codes, cube.rows, residual, noise)
    group = number // count
    mean = summed(group, r, size=cells * arms) / np.maximum(summed(group, n, size=cells * arms), 1)
    seen = np.bincount(group, minlength=cells * arms).astype(np.float64)
    parts = (summed(group, (r - n * mean[group]) ** 2 / v, size=cells * arms), np.maximum(seen - 1, 0))
    chi, own = (part.reshape(cells, arms).sum(axis=1) for part in parts)
    steep = summed(group, n**2 / v, size=cells * arms).reshape(cells, arms).sum(axis=1) / seen.reshape(cells, arms).sum(axis=1)
    phi = np.where(own > 0, chi / np.maximum(own, 1), 1.0)
    if not cuboid.dims:
        # The whole desk has no neighbours to borrow from: shocks that everybody shares are its own.
        return phi, np.maximum(own, 1)
    centre = phi / (1 - 2 / (9 * np.maximum(own, 1))) ** 3  # a chi-square's median lies below its mean
    usual = max(0.0, float(np.median(((centre - 1) / steep)[own >= min(6, own.max())])))
    return (PRIOR * (1 + usual * steep) + own * phi) / (PRIOR + own), PRIOR + own
