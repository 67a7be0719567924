"""What failure is expected of every cell, and how far does a cell wander although nothing happened?

Support desks drift: weeks are good or bad, agents get better or worse. Binomial errors do not know that, and on a large desk they find a
culprit nearly always. So the error is learnt from the desk: from how far weeks lie apart inside a period, and agents between periods.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from fcrlib.search.cube import DESK, Cube, Cuboid, Floats, Group, Ints, Mask, Pairs, folded, gathered, summed

RIDGE = 5.0
PRIOR = 50.0
"""Degrees of freedom that the desk's usual dispersion is worth beside a cell's own."""
TWINS = 2000.0
"""Pairs of contacts that the desk's usual likeness is worth beside a cell's own."""
EDGE = 0.01
ENOUGH = 30
"""Contacts a cell needs in each period to be looked at."""
AGENT = 20
"""Contacts an agent needs in both periods for the change to be counted."""
LEAST = 0.05
"""The smallest part of a cell that is believed to be its own."""
MAD = 1.4826
NESTED = 0.9


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
    gram[: starts[-1], : starts[-1]] = _crossed(cube, n)
    for i, size in enumerate(sizes):
        here, codes = slice(starts[i], starts[i + 1]), cube.codes[:, i]
        right[here] = summed(codes, k - n * level, size=size)
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


def _crossed(cube: Cube, n: Floats) -> Floats:
    """Contacts that the desk and the values of all dimensions share with one another, with the ridge."""
    sizes = [len(names) for names in cube.levels]
    starts = np.concatenate([[1], 1 + np.cumsum(sizes)]).astype(int)
    gram = np.zeros((int(starts[-1]), int(starts[-1])))
    gram[0, 0] = n.sum()
    for i, size in enumerate(sizes):
        here, codes = slice(starts[i], starts[i + 1]), cube.codes[:, i]
        counts = summed(codes, n, size=size)
        gram[here, here] = np.diag(counts + RIDGE)
        gram[0, here] = gram[here, 0] = counts
        for j in range(i + 1, len(sizes)):
            block = summed(codes * sizes[j] + cube.codes[:, j], n, size=size * sizes[j]).reshape(size, sizes[j])
            gram[here, starts[j] : starts[j + 1]], gram[starts[j] : starts[j + 1], here] = block, block.T
    return gram


def left_to(cube: Cube, cuboids: list[Cuboid]) -> Floats:
    """The part of each cell of several dimensions that the values of single dimensions do not carry, 0..1; 1 for the other cells.

    Where most contacts of a value lie in one cell, the value's own effect swallows what the cell does. Dividing by this part gives what
    the cell does beside all values, as if it had been fitted together with them (Frisch and Waugh 1933, Econometrica 1, 387-401).
    """
    n = cube.n.sum(axis=0)
    inverse = np.linalg.inv(_crossed(cube, n))
    parts = []
    for cuboid in cuboids:
        cells = len(cuboid.cells)
        size = summed(cuboid.key, n, size=cells)
        shared = [size[:, None]]
        for i, names in enumerate(cube.levels):
            key = cuboid.key * len(names) + cube.codes[:, i]
            shared.append(summed(key, n, size=cells * len(names)).reshape(cells, len(names)))
        both = np.concatenate(shared, axis=1)
        carried = ((both @ inverse) * both).sum(axis=1) / np.maximum(size, 1)
        parts.append(np.clip(1 - carried, LEAST, 1) if len(cuboid.dims) > 1 else np.ones(cells))
    return np.concatenate(parts)


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
    """The honest error of every cell: binomial variance, widened by what weeks, agents and customers do.

    A cluster whose rows lie in one arm only (a week) widens by the dispersion of its cells around their mean, moderated towards the
    usual dispersion of the cuboid. A cluster that is seen in both arms (an agent) adds its pooled drift, as far as the cell hangs on few.
    Pairs of contacts of one customer add how alike they fail.
    `share` (per leaf) is expected, `fitted` (arms x leaves) also knows of what was found, so that a cause does not count as drift.
    """
    paired = len(cube.n) == 2
    weeks = [_beyond(group, share=share, fitted=fitted) for group in cube.groups if not paired or nested(group)]
    weekly = [gathered(cuboids, one.group, one.group.n, one.residual, one.noise, arms=len(cube.n)) for one in weeks]
    drifts = [(group, _drift(_beyond(group, share=share, fitted=fitted))) for group in cube.groups if paired and not nested(group)]
    held = [gathered(cuboids, group, group.n, arms=2) for group, _ in drifts]
    twins = [_alike(pairs, cube, fitted=fitted) for pairs in cube.pairs if len(pairs.arm)]
    met = [together(pairs, cube, cuboids) for pairs in cube.pairs if len(pairs.arm)]
    widths: list[Floats] = []
    freedoms: list[Floats] = []
    enough: list[Mask] = []
    sizes = [folded(cuboids, n) for n in cube.n]
    noises = [folded(cuboids, n * share * (1 - share)) for n in cube.n]
    for at, cuboid in enumerate(cuboids):
        size, variance = np.stack([side[at] for side in sizes]), np.stack([side[at] for side in noises])
        inflation, freedom = np.ones(len(cuboid.cells)), np.full(len(cuboid.cells), 1e6)
        with np.errstate(divide="ignore", invalid="ignore"):
            plain = np.where(size > 0, variance / size**2, np.inf).sum(axis=0)
        added = np.zeros(len(cuboid.cells))
        for beyond, tables in zip(weeks, weekly, strict=True):
            phi, own = _dispersion(cuboid, *tables[at], count=len(beyond.group.values), arms=len(size))
            inflation, freedom = inflation + phi - 1, np.minimum(freedom, own)
        for (group, drift), tables in zip(drifts, held, strict=True):
            added += drift * _concentration(*tables[at], count=len(group.values), size=size) if drift > 0 else 0.0
        for twin, both in zip(twins, met, strict=True):
            added += _likeness(cuboid, twin, both[at], size=size)
        widths.append(np.sqrt(plain * np.maximum(inflation, 1) + added))
        freedoms.append(freedom)
        enough.append(np.all(size >= ENOUGH, axis=0) & (cube.n.sum() >= DESK))
    return Errors(np.concatenate(widths), np.concatenate(freedoms), np.concatenate(enough))


@dataclass(frozen=True, slots=True)
class _Beyond:
    """A cluster column with what its contacts failed beyond the fit: `residual` and binomial `noise` per row of the group."""

    group: Group
    residual: Floats
    noise: Floats


@dataclass(frozen=True, slots=True)
class _Twins:
    """Pairs of contacts with the product of what both failed beyond the fit, and how alike the desk's pairs usually are."""

    pairs: Pairs
    left: Floats
    right: Floats
    usual: float


def _beyond(group: Group, *, share: Floats, fitted: Floats) -> _Beyond:
    noise = (share * (1 - share))[group.leaf]
    return _Beyond(group, group.failed - group.n * fitted[group.arm, group.leaf], group.n * noise)


def _alike(pairs: Pairs, cube: Cube, *, fitted: Floats) -> _Twins:
    """What is left of both contacts of each pair, around the mean of their arm."""
    middle = (cube.failed - cube.n * fitted).sum(axis=1) / np.maximum(cube.n.sum(axis=1), 1)
    left, right = (failed - fitted[pairs.arm, leaf] - middle[pairs.arm] for failed, leaf in zip(pairs.failed, pairs.leaf, strict=True))
    usual = float((pairs.weight * left * right).sum() / pairs.weight.sum())
    return _Twins(pairs, left, right, max(0.0, usual))


def together(pairs: Pairs, cube: Cube, cuboids: list[Cuboid]) -> list[Ints]:
    """Which pairs lie in one cell, for every cuboid: those that do so without its last dimension, and have the same value there."""
    found: dict[tuple[int, ...], Ints] = {}
    for cuboid in cuboids:
        if not cuboid.dims:
            found[()] = np.arange(len(pairs.arm))
            continue
        before, codes = found[cuboid.dims[:-1]], cube.codes[:, cuboid.dims[-1]]
        found[cuboid.dims] = before[codes[pairs.leaf[0][before]] == codes[pairs.leaf[1][before]]]
    return list(found.values())


def _likeness(cuboid: Cuboid, twin: _Twins, both: Ints, *, size: Floats) -> Floats:
    """Variance that pairs add to the change of each cell: how alike its pairs are, moderated towards the desk's usual, times their number."""
    cells, arms = len(cuboid.cells), len(size)
    one = cuboid.key[twin.pairs.leaf[0][both]]
    key, weight, left, right = one * arms + twin.pairs.arm[both], twin.pairs.weight[both], twin.left[both], twin.right[both]
    count, product, first, second = (
        summed(key, what, size=cells * arms).reshape(cells, arms).T for what in (weight, weight * left * right, weight * left, weight * right)
    )
    # Around the cell's own mean: a cause that the cell has is no likeness between contacts of one customer.
    centred = (product - first * second / np.maximum(count, 1)).sum(axis=0)
    likeness = np.maximum((TWINS * twin.usual + centred) / (TWINS + count.sum(axis=0)), 0)
    return np.asarray(likeness * (count / np.maximum(size, 1) ** 2).sum(axis=0), np.float64)


def nested(group: Group) -> bool:
    """Do most contacts belong to a cluster that is seen in one arm only?"""
    size = np.stack([summed(group.code, group.n * (group.arm == arm), size=len(group.values)) for arm in range(2)])
    return bool(size[:, (size > 0).sum(axis=0) == 1].sum() >= NESTED * size.sum())


def _drift(beyond: _Beyond) -> float:
    """Variance of what one agent changes between the arms beyond chance, robust against the few that changed for a reason."""
    group, count = beyond.group, len(beyond.group.values)
    key = group.arm * count + group.code
    n, r, v = (summed(key, what, size=2 * count).reshape(2, count) for what in (group.n, beyond.residual, beyond.noise))
    busy = (n >= AGENT).all(axis=0)
    if busy.sum() < 3:
        return 0.0
    change = r[1, busy] / n[1, busy] - r[0, busy] / n[0, busy]
    chance = (v[:, busy] / n[:, busy] ** 2).sum(axis=0)
    # Agents with few contacts say little about drift: each is weighed by how well it is seen.
    scaled = (change - np.median(change)) / np.sqrt(chance)
    above = (MAD * float(np.median(np.abs(scaled)))) ** 2 - 1
    return max(0.0, above * float(np.median(chance)))


def _concentration(number: Ints, held: list[Floats], *, count: int, size: Floats) -> Floats:
    """How much a cell hangs on few clusters: the sum of their squared shares, averaged over the arms."""
    squares = summed(number // count, held[0] ** 2, size=size.size).reshape(-1, 2).T
    return np.asarray((squares / np.maximum(size, 1) ** 2).mean(axis=0), np.float64)


def _dispersion(cuboid: Cuboid, number: Ints, sums: list[Floats], *, count: int, arms: int) -> tuple[Floats, Floats]:
    """Dispersion of clusters inside each cell and arm, moderated towards the cuboid's median, and its degrees of freedom.

    References
    ----------
    Smyth (2004), Statistical Applications in Genetics and Molecular Biology 3 (1), article 3, section 3 (moderated variances).
    """
    (n, r, v), row, cells = sums, number // count, len(cuboid.cells)
    mean = summed(row, r, size=cells * arms) / np.maximum(summed(row, n, size=cells * arms), 1)
    seen = np.bincount(row, minlength=cells * arms).astype(np.float64)
    parts = (summed(row, (r - n * mean[row]) ** 2 / v, size=cells * arms), np.maximum(seen - 1, 0), summed(row, n**2 / v, size=cells * arms), seen)
    chi, own, steep, seen = (part.reshape(cells, arms).sum(axis=1) for part in parts)
    steep = steep / np.maximum(seen, 1)
    if own.max() < 1:
        return np.ones(cells), np.full(cells, PRIOR)
    phi = np.where(own > 0, chi / np.maximum(own, 1), 1.0)
    if not cuboid.dims:
        # The whole desk has no neighbours to borrow from: shocks that everybody shares are its own.
        return phi, np.maximum(own, 1)
    centre = phi / (1 - 2 / (9 * np.maximum(own, 1))) ** 3  # a chi-square's median lies below its mean
    told = (own >= min(6, own.max())) & (steep > 0)
    usual = max(0.0, float(np.median((centre - 1)[told] / steep[told])))
    return (PRIOR * (1 + usual * steep) + own * phi) / (PRIOR + own), PRIOR + own
