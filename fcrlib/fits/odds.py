"""How likely are ordered levels under proportional odds, and which way is uphill?

A row stands for all contacts with the same covariates and the same level; its weight says how many they are. The chance of level l is
F(cut above - xb) - F(cut below - xb) with the logistic F. It is computed as F(u) F(-v) (1 - exp(v - u)), whose logarithm and derivatives neither
cancel nor overflow however far out a row lies, and which is concave in coefficients and cuts together, so that there is one summit.

References
----------
McCullagh (1980), J. R. Statist. Soc. B 42, 109-142 (proportional odds). Pratt (1981), JASA 76, 103-106 (concave log-likelihood).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    Codes = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Rows:
    """What ordered levels are fitted to.

    Parameters
    ----------
    X
        (R, K), sparse: covariates, without a constant, for which the cuts stand.
    level
        (R,): place of the row's level, 0 for the lowest.
    w
        (R,): sum of weights.
    levels
        How many levels there are, L; every one has a row.
    """

    X: Any
    level: Codes
    w: Floats
    levels: int


def chances(rows: Rows, beta: Floats, cuts: Floats) -> Floats:
    """Logarithm of the chance of each row's own level (R,), not weighted."""
    below, above, gap = _edges(rows, beta, cuts)
    return -np.logaddexp(0, -above) - np.logaddexp(0, below) + np.log(-np.expm1(-gap))[rows.level]


def slopes(rows: Rows, beta: Floats, cuts: Floats) -> tuple[Floats, Floats]:
    """First derivatives of `chances`: by the linear predictor (R,) and by the cuts (R, L - 1), not weighted."""
    from scipy.special import expit

    below, above, gap = _edges(rows, beta, cuts)
    room, place = _room(gap)[rows.level], np.arange(len(rows.level))
    by_cut = np.zeros((len(rows.level), rows.levels + 1))
    by_cut[place, rows.level + 1] = expit(-above) + room
    by_cut[place, rows.level] = -expit(below) - room
    return expit(below) - expit(-above), by_cut[:, 1:-1]


def curvature(rows: Rows, beta: Floats, cuts: Floats) -> Floats:
    """Second derivatives of the weighted sum of `chances` by coefficients and cuts, (K + L - 1, K + L - 1)."""
    from scipy.special import expit

    below, above, gap = _edges(rows, beta, cuts)
    bend, place = np.zeros((len(rows.level), rows.levels + 1)), np.arange(len(rows.level))
    bend[place, rows.level + 1] = rows.w * expit(above) * expit(-above)
    bend[place, rows.level] = rows.w * expit(below) * expit(-below)
    bend = bend[:, 1:-1]
    room = _room(gap)
    pull = np.bincount(rows.level, weights=rows.w, minlength=rows.levels) * room * (1 + room)
    between = np.diag(pull[:-1] + pull[1:]) - np.diag(pull[1:-1], 1) - np.diag(pull[1:-1], -1)
    across = rows.X.T @ bend
    own = products(rows.X, weight=bend.sum(axis=1))
    return np.block([[-own, across], [across.T, -np.diag(bend.sum(axis=0)) - between]])


def at_most(design: Any, beta: Floats, cuts: Floats) -> Floats:
    """Chance of each level or a lower one, (R, L - 1); that of the highest is 1 and left out."""
    from scipy.special import expit

    return np.asarray(expit(cuts[None, :] - (design @ beta)[:, None]))


def products(design: Any, *, weight: Floats) -> Floats:
    """Weighted sums of the products of the columns of a sparse matrix, (K, K)."""
    return np.asarray((design.multiply(weight[:, None]).T @ design).toarray())


def _edges(rows: Rows, beta: Floats, cuts: Floats) -> tuple[Floats, Floats, Floats]:
    """Distance of each row from the cut below and above its level, and the gap between the cuts of each level (L,)."""
    ends = np.concatenate([[-np.inf], cuts, [np.inf]])
    mean = rows.X @ beta
    return ends[rows.level] - mean, ends[rows.level + 1] - mean, np.diff(ends)


def _room(gap: Floats) -> Floats:
    """Derivative of log(1 - exp(-gap)) per level: what widening it gains; none for the two at the ends, which have no other side."""
    return np.asarray(np.exp(-gap) / -np.expm1(-gap))
