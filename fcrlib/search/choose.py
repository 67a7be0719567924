"""Which places are chosen, so that they stand beside each other and are as wide as what they say?"""

from __future__ import annotations

import numpy as np

from fcrlib.search.cube import Floats, Mask, inside
from fcrlib.search.scan import Fit, Place, Search, effects_of, fit, scored, with_errors

MOST = 8
REST_Z, REST_SHARE = 3.5, 0.2
HALF, HALF_Z = 0.5, 2.0
"""A rest that does half as much is alike at a lower bar, if the whole of both stands by itself."""
COVER, COVER_ALL = 0.6, 0.8
NEARLY = 0.95
"""A place that fills this part of its parent is the parent, unless the rest clearly moves the other way."""
FAMILY, FAMILY_Z, FAMILY_SHARE = 0.3, 1.28, 0.1
"""Siblings that fill this part of their parent are the parent if its rest leans the same way."""


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
            stands = bool(np.isfinite(score[search.cell(parent)]))
            # What holds most of its parent, and cannot be told from the rest of it, is not told from it.
            same = _fills(search, place, parent, part=COVER) and abs(effect - rest) <= HALF_Z * float(
                np.hypot(se, search.errors.se[search.cell(place)])
            )
            alike = (abs(rest) >= HALF * abs(effect) or same) and abs(rest) >= HALF_Z * se and stands
            against = rest * effect < 0 and abs(rest) >= REST_Z * se
            if (rest * effect > 0 and (clearly or alike)) or (stands and not against and _fills(search, place, parent, part=NEARLY)):
                return parent, (place,)
    return None


def _fills(search: Search, place: Place, parent: Place, *, part: float) -> bool:
    """Does a place hold at least this part of the contacts of its parent?"""
    sizes = [search.cube.n[:, inside(search.cube, where)].sum() for where in (place, parent)]
    return bool(sizes[0] >= part * sizes[1])


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


def settled(search: Search) -> Search:
    """The same search with errors that no longer take what can be found for drift; where nothing is found, as it was."""
    chosen = greedy(search)
    if not chosen:
        return search
    found, cube = fit(search, chosen), search.cube
    fitted = (cube.failed - found.residual) / np.maximum(cube.n, 1)
    return with_errors(cube, search.cuboids, share=search.share, fitted=fitted, margin=search.margin)


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
