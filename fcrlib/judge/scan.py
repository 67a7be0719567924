"""Where is what cannot be expected? All cells are looked at together, and places are chosen that stand beside each other.

Every number is on the scale of shares, so that effects times sizes add up to what happened.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from fcrlib.judge.cube import Cube, Cuboid, Floats, Ints, Mask, cuboids, folded, inside, summed
from fcrlib.judge.drift import Errors, additive, errors, expected

ALPHA = 0.02
"""Chance to name anything on a desk on which nothing happened, shared by the depths."""
MOST = 8
MARGIN = 0.03
ORDINARY = 3.0
"""How many usual spreads between values of one dimension are still ordinary."""
REST_Z, REST_SHARE = 3.5, 0.2
HALF, HALF_Z = 0.5, 2.0
"""A rest that does half as much is alike at a lower bar, if the whole of both stands by itself."""
COVER, COVER_ALL = 0.6, 0.8
FAMILY, FAMILY_Z, FAMILY_SHARE = 0.3, 1.28, 0.1
"""Siblings that fill this part of their parent are the parent if its rest leans the same way."""

Place = tuple[tuple[int, int], ...]


@dataclass(frozen=True, slots=True)
class Search:
    """All that the scan needs and that stays the same while it searches.

    Flat arrays have one entry per cell of every cuboid, the whole desk first: `start` (first entry of each cuboid), `owner` (cuboid of
    each entry), `depth`, `cells` (how many are looked at in that depth), `bar` (what |z| must pass), `size` (contacts) and `base`
    (failures beyond what is expected), both arms x entries. `overlaps` keeps the contacts that entries share with places tried before. `share` is what is expected per leaf.
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
    return _with_errors(cube, found, share=share, fitted=np.stack([share] * len(cube.n)), margin=margin)


def _with_errors(cube: Cube, found: list[Cuboid], *, share: Floats, fitted: Floats, margin: float) -> Search:
    from scipy.special import stdtrit

    honest = errors(cube, found, share=share, fitted=fitted)
    sizes = np.array([len(cuboid.cells) for cuboid in found])
    start, owner = np.concatenate([[0], np.cumsum(sizes)[:-1]]), np.repeat(np.arange(len(found)), sizes)
    depth = np.array([len(cuboid.dims) for cuboid in found])[owner]
    cells = np.maximum(summed(depth, honest.enough.astype(np.float64)), 1)[depth]
    each = ALPHA / (int(depth.max()) + 1) / cells
    bar = stdtrit(honest.freedom, 1 - each / 2)
    size = np.stack([np.concatenate(folded(found, n)) for n in cube.n])
    base = np.stack([np.concatenate(folded(found, failed - n * share)) for failed, n in zip(cube.failed, cube.n, strict=True)])
    return Search(cube, found, share, honest, start, owner, depth, cells, bar, size, base, margin, {})


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
    return Fit(places, own + np.array(added), search.errors.se[cells] * wider, search.cube.failed - search.cube.n * share, own[None, :], usual)


def effects_of(search: Search, found: Fit) -> Floats:
    """What every cell does beyond what is expected and fitted."""
    if len(search.cube.n) == 2:
        beyond = search.base - sum((side[:, None] * _overlap(search, place) for side, place in zip(found.fitted.T, found.places, strict=True)))
        shares = beyond / np.maximum(search.size, 1)
        return np.asarray(shares[1] - shares[0], np.float64)
    flat: Floats = np.concatenate(folded(search.cuboids, found.residual[0])) / np.maximum(search.size[0], 1)
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


def greedy(search: Search) -> tuple[Place, ...]:
    """Choose places one after the other, and let every member be replaced by a better one given the others."""
    chosen: tuple[Place, ...] = ()
    while len(chosen) < MOST:
        best = _best(search, chosen)
        if best is None or best in chosen:
            break
        chosen = _swapped(search, (*chosen, best))
    return exchanged(search, chosen) if len(chosen) > 2 else chosen


def exchanged(search: Search, chosen: tuple[Place, ...]) -> tuple[Place, ...]:
    """Put the parents in the place of siblings wherever the whole then explains more.

    Where two causes cancel out in their overlap, the greedy way ends in the pieces around it, and no single exchange leads out.
    """
    parents = [place[:drop] + place[drop + 1 :] for place in chosen for drop in range(len(place)) if len(place) > 1]
    crowded = sorted({parent for parent in parents if parents.count(parent) > 1})
    trials = [tuple(crowded), *((parent,) for parent in crowded)] if crowded else []
    worth = _worth(search, chosen)
    for new in trials:
        kept = tuple(place for place in chosen if not any(set(parent) <= set(place) for parent in new))
        trial = standing(search, _filled(search, kept + new))
        if (gain := _worth(search, trial)) > worth:
            chosen, worth = trial, gain
    return chosen


def _worth(search: Search, places: tuple[Place, ...]) -> float:
    """How much of the spread between leaves the places explain together, less what so many cells give by chance."""
    n, noise = search.cube.n, search.share * (1 - search.share)
    before, after = fit(search, ()).residual, fit(search, places).residual
    spread = float(((before**2 - after**2) / np.maximum(n * noise, 1e-9))[n > 0].sum())
    return spread - sum(2 * float(np.log(search.cells[search.cell(place)])) for place in places)


def _filled(search: Search, chosen: tuple[Place, ...]) -> tuple[Place, ...]:
    while len(chosen) < MOST and (best := _best(search, chosen)) is not None and best not in chosen:
        chosen = (*chosen, best)
    return chosen


def _best(search: Search, others: tuple[Place, ...]) -> Place | None:
    found = fit(search, others)
    _, score = scored(search, effects_of(search, found), found=found)
    top = int(np.argmax(score))
    return search.place(top) if np.isfinite(score[top]) else None


def _swapped(search: Search, chosen: tuple[Place, ...]) -> tuple[Place, ...]:
    for _ in range(3 if len(chosen) > 1 else 0):
        before = chosen
        for at in range(len(chosen)):
            others = chosen[:at] + chosen[at + 1 :]
            best = _best(search, others)
            if best is not None and best not in others:
                chosen = (*chosen[:at], best, *chosen[at + 1 :])
        if chosen == before:
            break
    return chosen


def standing(search: Search, places: tuple[Place, ...]) -> tuple[Place, ...]:
    """The places that still pass when all the others are in the fit; the weakest leaves first."""
    while places:
        strength = []
        for at, place in enumerate(places):
            found = fit(search, places[:at] + places[at + 1 :])
            strength.append(float(scored(search, effects_of(search, found), found=found)[1][search.cell(place)]))
        weakest = int(np.argmin(strength))
        if np.isfinite(strength[weakest]):
            break
        places = places[:weakest] + places[weakest + 1 :]
    return places


def generalised(search: Search, places: tuple[Place, ...]) -> tuple[tuple[Place, ...], dict[Place, list[Place]]]:
    """Widen places whose surroundings move the same way, and say which narrower places each came from."""
    narrower: dict[Place, list[Place]] = {}
    while (step := _wider(search, places) or _merged(search, places)) is not None:
        parent, gone = step
        narrower[parent] = [*narrower.get(parent, []), *(place for old in gone for place in [old, *narrower.pop(old, [])] if place != parent)]
        places = tuple(dict.fromkeys([parent if place in gone else place for place in places]))
    return places, narrower


def _wider(search: Search, places: tuple[Place, ...]) -> tuple[Place, tuple[Place, ...]] | None:
    """A place whose parent moves the same way outside of it too."""
    if len(search.cube.n) == 1:
        return None
    for at, place in enumerate(places):
        others = places[:at] + places[at + 1 :]
        found = fit(search, others)
        effects = effects_of(search, found)
        effect, score = effects[search.cell(place)], scored(search, effects, found=found)[1]
        for drop in range(len(place)):
            parent = place[:drop] + place[drop + 1 :]
            if parent in others:
                continue
            rest, se = _rest(search, found, inside(search.cube, parent) & ~inside(search.cube, place), like=search.cell(parent))
            clearly = abs(rest) >= REST_SHARE * abs(effect) and abs(rest) >= REST_Z * se
            alike = abs(rest) >= HALF * abs(effect) and abs(rest) >= HALF_Z * se and bool(np.isfinite(score[search.cell(parent)]))
            if rest * effect > 0 and (clearly or alike):
                return parent, (place,)
    return None


def _rest(search: Search, found: Fit, there: Mask, *, like: int) -> tuple[float, float]:
    """Change of some leaves, and its error: that of the cell it is a part of, for fewer contacts."""
    n = search.cube.n[:, there].sum(axis=1)
    if (n < 1).any():
        return 0.0, 1.0
    change = found.residual[1, there].sum() / n[1] - found.residual[0, there].sum() / n[0]
    whole = search.size[:, like]
    return float(change), float(search.errors.se[like] * np.sqrt((1 / n).sum() / (1 / whole).sum()))


def _merged(search: Search, places: tuple[Place, ...]) -> tuple[Place, tuple[Place, ...]] | None:
    """Siblings that fill most of their parent and move the same way, or a good part of it where the rest leans the same way too."""
    found = fit(search, places)
    n = search.cube.n.sum(axis=0)
    for place in places:
        for drop in range(len(place)):
            parent = place[:drop] + place[drop + 1 :]
            same = _siblings(places, place, drop=drop)
            alike = all(found.effect[at] * found.effect[same[0]] > 0 for at in same)
            if len(same) < 2 or not alike or parent in places or (not parent and len(search.cube.n) == 1):
                continue
            whole = inside(search.cube, parent)
            filled = np.any([inside(search.cube, places[at]) for at in same], axis=0)
            covered = float(n[filled].sum() / n[whole].sum())
            leaning = parent and covered >= FAMILY and _leans(search, found, whole & ~filled, parent, like=found.effect[same])
            if covered >= (COVER if parent else COVER_ALL) or leaning:
                return parent, tuple(places[at] for at in same)
    return None


def _siblings(places: tuple[Place, ...], place: Place, *, drop: int) -> list[int]:
    """Which places differ from one in the value of a single dimension only (that one included)."""
    parent = place[:drop] + place[drop + 1 :]
    alike = [at for at, other in enumerate(places) if len(other) == len(place) and other[:drop] + other[drop + 1 :] == parent]
    return [at for at in alike if places[at][drop][0] == place[drop][0]]


def _leans(search: Search, found: Fit, rest: Mask, parent: Place, *, like: Floats) -> bool:
    """Does what siblings leave of their parent lean their way?"""
    if len(search.cube.n) == 1:
        return False
    change, se = _rest(search, found, rest, like=search.cell(parent))
    usual = float(np.median(like))
    return change * usual > 0 and abs(change) >= FAMILY_SHARE * abs(usual) and abs(change) >= FAMILY_Z * se


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


def settled(search: Search) -> Search:
    """The same search with errors that no longer take what can be found for drift; where nothing is found, as it was."""
    chosen = greedy(search)
    if not chosen:
        return search
    found, cube = fit(search, chosen), search.cube
    fitted = (cube.failed - found.residual) / np.maximum(cube.n, 1)
    return _with_errors(cube, search.cuboids, share=search.share, fitted=fitted, margin=search.margin)


def found_places(search: Search) -> tuple[tuple[Place, ...], dict[Place, list[Place]]]:
    """The whole search: choose, widen, keep what stands, and tuck a place inside another that moves the same way under it."""
    places, narrower = generalised(search, greedy(search))
    places = standing(search, places)
    found = fit(search, places)
    for at, place in enumerate(places):
        above = next((other for other in range(len(places)) if set(places[other]) < set(place) and not _turns(found, at, other)), None)
        if above is not None:
            narrower[places[above]] = [*narrower.get(places[above], []), place]
    inner = {place for above in narrower.values() for place in above}
    return tuple(place for place in places if place not in inner), {place: narrower[place] for place in places if place in narrower}


def _turns(found: Fit, inner: int, outer: int) -> bool:
    """Does a place inside another undo more than all of what the other does (or, inside everything, any of it)?"""
    both = float(found.effect[inner] + found.effect[outer])
    if not found.places[outer]:
        return bool(found.effect[inner] * found.effect[outer] < 0)
    return both * found.effect[outer] < 0 and abs(both) > 2 * float(found.se[inner])


def smallest(search: Search, *, power: float = 0.84) -> Floats:
    """Per depth, the change that a middling cell would need to be seen four times out of five."""
    enough = search.errors.enough
    needed = _margins(search, fit(search, ())) + (search.bar + power) * search.errors.se
    at = [enough & (search.depth == depth) for depth in range(int(search.depth.max()) + 1)]
    return np.array([np.median(needed[here]) if here.any() else np.nan for here in at])
