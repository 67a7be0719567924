"""Where is what cannot be expected? All cells of all combinations are looked at together.

Every number is on the scale of shares, so that effects times sizes add up to what happened.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from fcrlib.search.cube import Cube, Cuboid, Floats, Ints, cuboids, folded, inside, summed
from fcrlib.search.drift import Errors, additive, errors, expected, left_to

ALPHA = 0.02
"""Chance to name anything on a desk on which nothing happened, shared by the depths."""
MARGIN = 0.03
ORDINARY = 3.5
"""How many usual spreads between values of one dimension are still ordinary."""

Place = tuple[tuple[int, int], ...]


@dataclass(frozen=True, slots=True)
class Search:
    """All that the scan needs and that stays the same while it searches.

    Flat arrays have one entry per cell of every cuboid, the whole desk first: `start` (first entry of each cuboid), `owner` (cuboid of
    each entry), `depth`, `cells` (how many are looked at in that depth), `bar` (what |z| must pass), `size` (contacts) and `base`
    (failures beyond what is expected), both arms x entries; `own` (the part of an entry that main effects do not carry; 1 with two arms,
    whose baseline takes no side). `overlaps` keeps the contacts that entries share with places tried before. `share` is what is expected per leaf.
    """

    cube: Cube
    cuboids: list[Cuboid]
    share: Floats
    errors: Errors
    start: Ints
    owner: Ints
    depth: Ints
    cells: Floats
    bar: Floats
    size: Floats
    base: Floats
    own: Floats
    margin: float
    overlaps: dict[Place, Floats]

    def cell(self, place: Place) -> int:
        """The flat entry of a place."""
        dims, codes = tuple(dim for dim, _ in place), np.array([code for _, code in place])
        at = next(at for at, cuboid in enumerate(self.cuboids) if cuboid.dims == dims)
        return int(self.start[at] + np.flatnonzero((self.cuboids[at].cells == codes).all(axis=1))[0])

    def place(self, cell: int) -> Place:
        """The conditions behind a flat entry."""
        owner = int(self.owner[cell])
        return self.cuboids[owner].place(cell - int(self.start[owner]))


@dataclass(frozen=True, slots=True)
class Fit:
    """Places that stand beside each other: joint `effect` and `se` of each, and the residual failures (arms x leaves) that remain.

    `fitted` is what each place adds to the share of each arm (arms x places); `ordinary` the distance of every value from the usual value
    of its dimension (only with one arm).
    """

    places: tuple[Place, ...]
    effect: Floats
    se: Floats
    residual: Floats
    fitted: Floats
    ordinary: tuple[Floats, ...] = ()


def prepare(cube: Cube, *, max_depth: int, margin: float) -> Search:
    """Expectation, honest errors and bars for every cell. Two arms are compared; with one, the excess over the additive baseline is sought."""
    found = cuboids(cube, max_depth=max_depth)
    if len(cube.n) == 2:
        share = expected(cube, found)
    else:
        effects, _, level, _ = additive(cube, extra=np.zeros((0, len(cube.codes))))
        share = np.clip(level + sum((effects[i][cube.codes[:, i]] for i in range(len(effects))), np.zeros(len(cube.codes))), 0.01, 0.99)
    return with_errors(cube, found, share=share, fitted=np.stack([share] * len(cube.n)), margin=margin)


def with_errors(cube: Cube, found: list[Cuboid], *, share: Floats, fitted: Floats, margin: float) -> Search:
    """The search under one expectation: errors that take `fitted` (arms x leaves) for what is known, and a bar for every cell."""
    from scipy.special import stdtrit

    honest = errors(cube, found, share=share, fitted=fitted)
    own = left_to(cube, found) if len(cube.n) == 1 else np.ones(len(honest.se))
    honest = replace(honest, se=honest.se / np.sqrt(own))
    sizes = np.array([len(cuboid.cells) for cuboid in found])
    start, owner = np.concatenate([[0], np.cumsum(sizes)[:-1]]), np.repeat(np.arange(len(found)), sizes)
    depth = np.array([len(cuboid.dims) for cuboid in found])[owner]
    cells = np.maximum(summed(depth, honest.enough.astype(np.float64)), 1)[depth]
    each = ALPHA / (int(depth.max()) + 1) / cells
    bar = stdtrit(honest.freedom, 1 - each / 2)
    size = np.stack([np.concatenate(folded(found, n)) for n in cube.n])
    base = np.stack([np.concatenate(folded(found, failed - n * share)) for failed, n in zip(cube.failed, cube.n, strict=True)])
    return Search(cube, found, share, honest, start, owner, depth, cells, bar, size, base, own, margin, {})


def fit(search: Search, places: tuple[Place, ...]) -> Fit:
    """Fit all places together, each with a level and a change (with one arm: with an excess beside all main effects)."""
    masks = np.stack([inside(search.cube, place) for place in places]).astype(np.float64) if places else np.zeros((0, len(search.share)))
    return _excess(search, places, masks) if len(search.cube.n) == 1 else _change(search, places, masks)


def _change(search: Search, places: tuple[Place, ...], masks: Floats) -> Fit:
    n = search.cube.n
    residual = search.cube.failed - n * search.share
    if not places:
        return Fit((), np.zeros(0), np.zeros(0), residual, np.zeros((2, 0)))
    before, after = ((masks * size) @ masks.T for size in n)
    gram = np.block([[before + after, (after - before) / 2], [(after - before) / 2, (before + after) / 4]])
    right = np.concatenate([masks @ (residual[0] + residual[1]), masks @ (residual[1] - residual[0]) / 2])
    inverse = np.linalg.pinv(gram + 1e-9 * np.eye(len(gram)))
    solved = inverse @ right
    level, change = solved[: len(places)], solved[len(places) :]
    alone = np.array([np.linalg.inv(gram[np.ix_([j, j + len(places)], [j, j + len(places)])])[1, 1] for j in range(len(places))])
    wider = np.sqrt(np.maximum(np.diag(inverse)[len(places) :] / alone, 1))
    fitted = np.stack([level - change / 2, level + change / 2])
    se = search.errors.se[[search.cell(place) for place in places]] * wider
    return Fit(places, change, se, residual - n * (fitted @ masks), fitted)


def _excess(search: Search, places: tuple[Place, ...], masks: Floats) -> Fit:
    effects, own, level, wider = additive(search.cube, extra=masks)
    share = level + sum((effects[i][search.cube.codes[:, i]] for i in range(len(effects))), np.zeros(len(search.share))) + own @ masks
    # A value that is chosen takes its whole distance from the usual value of its dimension, which ridge may have left with the main effect.
    usual = tuple(values - np.median(values) for values in effects)
    cells = [search.cell(place) for place in places]
    added = [float(usual[place[0][0]][place[0][1]]) if len(place) == 1 else 0.0 for place in places]
    part = (masks @ search.cube.n[0]) / search.cube.n.sum()
    wider = np.where([len(place) == 1 for place in places], 1 / np.sqrt(1 - np.minimum(part, 0.9)), wider)
    se = search.errors.se[cells] * np.sqrt(search.own[cells]) * wider
    return Fit(places, own + np.array(added), se, search.cube.failed - search.cube.n * share, own[None, :], usual)


def effects_of(search: Search, found: Fit) -> Floats:
    """What every cell does beyond what is expected and fitted."""
    if len(search.cube.n) == 2:
        beyond = search.base - sum((side[:, None] * _overlap(search, place) for side, place in zip(found.fitted.T, found.places, strict=True)))
        shares = beyond / np.maximum(search.size, 1)
        return np.asarray(shares[1] - shares[0], np.float64)
    flat: Floats = np.concatenate(folded(search.cuboids, found.residual[0])) / np.maximum(search.size[0], 1) / search.own
    if found.ordinary:
        for start, cuboid in zip(search.start, search.cuboids, strict=True):
            if len(cuboid.dims) == 1:
                flat[start : start + len(cuboid.cells)] += found.ordinary[cuboid.dims[0]][cuboid.cells[:, 0]]
        flat[0] = 0.0
    return flat


def _overlap(search: Search, place: Place) -> Floats:
    """Contacts that every entry shares with a place (arms x entries)."""
    if place not in search.overlaps:
        there = inside(search.cube, place)
        search.overlaps[place] = np.stack([np.concatenate(folded(search.cuboids, n * there)) for n in search.cube.n])
    return search.overlaps[place]


def scored(search: Search, effect: Floats, *, found: Fit) -> tuple[Floats, Floats]:
    """z of every cell, and its score z^2 - 2 log(cells in that depth), minus infinity where it does not pass."""
    if len(search.cube.n) == 2:
        z = np.sign(effect) * np.maximum(np.abs(effect) - search.margin, 0) / search.errors.se
        passed = np.abs(z) > search.bar
    else:
        z = (effect - _margins(search, found)) / search.errors.se
        passed = z > search.bar
    score = np.where(passed & search.errors.enough, z**2 - 2 * np.log(search.cells), -np.inf)
    return z, score


def _margins(search: Search, found: Fit) -> Floats:
    """What each cell must exceed; a single value also what is ordinary between values."""
    return np.where(search.depth == 1, max(search.margin, ORDINARY * _spread(found.ordinary)), search.margin)


def _spread(ordinary: tuple[Floats, ...]) -> float:
    """How far values of one dimension usually lie from its middle."""
    return 1.4826 * float(np.median(np.abs(np.concatenate(ordinary)))) if ordinary else 0.0


def conditional(z: float, *, bar: float, level: float = 0.95) -> tuple[float, float]:
    """Interval for a mean in units of its error, given that |z| had to pass the bar to be reported at all.

    References
    ----------
    Zhong and Prentice (2008), Biostatistics 9, 621-634.

    Examples
    --------
    >>> [round(end, 2) for end in conditional(9.0, bar=4.0)]
    [7.04, 10.96]
    >>> conditional(4.2, bar=4.0)[0] < 1
    True
    """
    from scipy.optimize import brentq
    from scipy.special import log_ndtr

    size = abs(z)

    def above(mean: float, tail: float) -> float:
        passing = np.logaddexp(log_ndtr(mean - bar), log_ndtr(-mean - bar))
        return float(np.exp(log_ndtr(mean - max(size, bar)) - passing)) - tail

    low = brentq(above, -size - 30, size + 10, args=((1 - level) / 2,))
    high = brentq(above, low, size + 30, args=((1 + level) / 2,))
    ends = (min(low, size), max(high, size))
    return ends if z >= 0 else (-ends[1], -ends[0])


def alternatives(search: Search, places: tuple[Place, ...], at: int, *, most: int = 3) -> list[Place]:
    """Places that the data cannot tell apart from one that was chosen: they hold mostly the same contacts and score nearly as well."""
    found = fit(search, places[:at] + places[at + 1 :])
    _, score = scored(search, effects_of(search, found), found=found)
    own = score[search.cell(places[at])]
    near = np.flatnonzero(score >= own - 4)
    near = near[np.argsort(-score[near], kind="stable")]
    there, n = inside(search.cube, places[at]), search.cube.n.sum(axis=0)
    rivals = [search.place(int(cell)) for cell in near if search.place(int(cell)) != places[at]]
    overlap = [float(n[there & (other := inside(search.cube, rival))].sum() / n[there | other].sum()) for rival in rivals]
    return [rival for rival, both in zip(rivals, overlap, strict=True) if both >= 0.5][:most]


def smallest(search: Search, *, power: float = 0.84) -> Floats:
    """Per depth, the change that a middling cell would need to be seen four times out of five."""
    enough = search.errors.enough
    needed = _margins(search, fit(search, ())) + (search.bar + power) * search.errors.se
    at = [enough & (search.depth == depth) for depth in range(int(search.depth.max()) + 1)]
    return np.array([np.median(needed[here]) if here.any() else np.nan for here in at])
