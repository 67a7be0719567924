"""Does what was found hang on a single week, or on a single agent?"""

from __future__ import annotations

import numpy as np

from fcrlib.search.cube import Cube, Floats, Group, Mask, summed
from fcrlib.search.drift import nested

KEPT = 0.5
"""What must be left of an effect without a week or an agent for it not to hang on them."""
FEW = 0.5
"""A first or last week with less than this part of the usual contacts may be incomplete."""


def fragile(cube: Cube, there: Mask, *, residual: Floats, effect: float) -> str | None:
    """Say in a sentence if one value of a cluster column carries an effect: without it, less than half is left.

    Parameters
    ----------
    there
        Which leaves belong to the place.
    residual
        Failures beyond what is expected and what the other places explain (arms x leaves).
    effect
        What the place does (share).

    Returns
    -------
    str | None
        A week is named, anything that is seen in both periods (an agent) is not; None where nothing carries the effect alone.
    """
    found = []
    shares = residual[:, there].sum(axis=1) / np.maximum(cube.n[:, there].sum(axis=1), 1)
    whole = float(shares[1] - shares[0] if len(shares) == 2 else shares[0])  # a part of it may lie in the expectation
    for group in cube.groups:
        left = _without(cube, group, there, residual=residual) + effect - whole
        if len(left) > 2 and np.isfinite(left).any():
            worst = int(np.nanargmin(left * np.sign(effect)))
            if left[worst] * np.sign(effect) < KEPT * abs(effect):
                named = f"{group.name} {group.values[worst]}" if len(cube.n) == 1 or nested(group) else f"one single {group.name}"
                found.append(f"Without {named}, {100 * left[worst]:+.1f} points are left of {100 * effect:+.1f}.")
    return " ".join(found) or None


def _without(cube: Cube, group: Group, there: Mask, *, residual: Floats) -> Floats:
    """The effect of a place without each value of a cluster column."""
    arms, count = len(cube.n), len(group.values)
    here = there[group.leaf]
    leaf, arm, n, failed = group.leaf[here], group.arm[here], group.n[here], group.failed[here]
    fitted = (cube.failed - residual) / np.maximum(cube.n, 1)
    key = arm * count + group.code[here]
    sizes, own = (summed(key, what, size=arms * count).reshape(arms, count) for what in (n, failed - n * fitted[arm, leaf]))
    rest, total = cube.n[:, there].sum(axis=1)[:, None] - sizes, residual[:, there].sum(axis=1)[:, None] - own
    shares = np.where(rest > 0, total / np.maximum(rest, 1), np.nan)
    left = shares[-1] - shares[0] if arms == 2 else shares[0]
    return np.asarray(np.where(sizes.sum(axis=0) > 0, left, np.nan), np.float64)


def part_weeks(cube: Cube) -> list[str]:
    """Sentences on first and last weeks with much fewer contacts than usual."""
    notes = []
    for group in cube.groups:
        if len(cube.n) == 1 or not nested(group):
            continue
        for arm, period in enumerate(("earlier", "later")):
            size = summed(group.code, group.n * (group.arm == arm), size=len(group.values))
            weeks = np.flatnonzero(size > 0)
            usual = float(np.median(size[weeks])) if len(weeks) > 3 else 0.0
            for at, which in ((weeks[0], "first"), (weeks[-1], "last")) if len(weeks) > 3 else ():
                if size[at] < FEW * usual:
                    name = f"The {which} {group.name} of the {period} period ({group.values[at]})"
                    notes.append(f"{name} has {size[at]:,.0f} contacts, usual are {usual:,.0f}: the period cuts it, or contacts are missing.")
    return notes
