"""Which texts belong together?

Texts that are each other's nearest are tied, and what is tied more closely within than without is a community. It is looked for many times:
only ties that hold together again and again count in full, so that a different seed finds nearly the same.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from fcrlib.texts.alike import Ints, centroids, nearest, one_thread
from fcrlib.texts.embedding import Floats, library

NEIGHBOURS, SMALLEST = 15, 5
NOBODY = -1
CLOSE = 0.05
"""Cosine by which a text must be nearer to its own topic than to any other."""
FAR = 0.1
"""Share of each topic's own texts that lie so far from the others that a text out there is in doubt."""
EXAMPLES = 100
"""Texts of each topic that a new text is held against."""
_TIMES, _REDRAWN, _MANY = 10, 20, 50_000


@dataclass(frozen=True, slots=True)
class Communities:
    """Texts by community.

    Parameters
    ----------
    of
        The community of each row, the largest first; -1 where so few belong together that it is none.
    stability
        Of each community: how much of it is found again in samples of the rows (mean of the best Jaccard index).
    """

    of: Ints
    stability: npt.NDArray[np.float64]


def communities(rows: Floats, *, resolution: float, seed: int = 0) -> Communities:
    """Find communities among vectors.

    Parameters
    ----------
    rows
        Vectors of unit length, at least two.
    resolution
        The higher, the more and the smaller communities.

    References
    ----------
    Blondel et al. (2008), J. Stat. Mech. P10008 (Louvain's method). Lancichinetti and Fortunato (2012), Scientific Reports 2, 336 (consensus).
    Hennig (2007), Computational Statistics and Data Analysis 52, 258-271, section 3 (stability).

    Examples
    --------
    >>> spread = 0.1 * np.random.default_rng(0).standard_normal((60, 8), np.float32)
    >>> spread[:30, 0] += 1
    >>> spread[30:, 1] += 1
    >>> found = communities(spread / np.linalg.norm(spread, axis=1, keepdims=True), resolution=1)
    >>> len(found.stability), len(set(found.of[:30].tolist()) & set(found.of[30:].tolist()))
    (2, 0)
    """
    ties = tied(rows, seed=seed)
    many = len(rows) > _MANY
    steady = _steady(ties, resolution=resolution, seed=seed, times=_TIMES // (1 + many))
    of = by_size(_louvain(steady, resolution=resolution, seed=seed))
    return Communities(of, _stability(ties, of, resolution=resolution, seed=seed, times=_REDRAWN // (1 + many)))


def tied(rows: Floats, *, seed: int = 0) -> Any:
    """A sparse matrix of the cosines of rows of which at least one is among the nearest of the other."""
    from scipy.sparse import csr_matrix

    found, how_near = nearest(rows, k=NEIGHBOURS, seed=seed)
    ends = np.arange(0, found.size + 1, max(found.shape[1], 1))
    # Texts that have nothing in common are no neighbours, but a node without any tie would be lost.
    one_way = csr_matrix((np.maximum(how_near, 1e-6).ravel(), found.ravel(), ends), shape=(len(rows), len(rows)))
    return one_way.maximum(one_way.T).tocsr()


def _louvain(ties: Any, *, resolution: float, seed: int) -> Ints:
    if not ties.nnz:
        return np.arange(ties.shape[0], dtype=np.int32)
    method = library("scikit-network", of="sknetwork.clustering").Louvain(resolution=resolution, shuffle_nodes=True, random_state=seed)
    return np.asarray(method.fit_predict(ties), np.int32)


def _steady(ties: Any, *, resolution: float, seed: int, times: int) -> Any:
    """The ties, each weakened by how often its two ends fell into different communities."""
    pairs = ties.tocoo()
    together = np.zeros(len(pairs.data), np.float32)
    for time in range(times):
        of = _louvain(ties, resolution=resolution, seed=_nth(seed, time))
        together += of[pairs.row] == of[pairs.col]
    kept = ties.copy()
    kept.data = pairs.data * np.maximum(together / times, 1e-3)
    return kept


def _nth(seed: int, time: int) -> int:
    return int(np.random.SeedSequence([seed, time]).generate_state(1)[0] >> 1)


def by_size(of: Ints) -> Ints:
    """Number communities by size, equal ones by their first row, and leave out the tiny ones; what has none (-1) keeps none.

    Examples
    --------
    >>> by_size(np.repeat(np.array([0, 1, -1, 2], np.int32), [2, 5, 3, 6]))[[0, 2, 7, 10]].tolist()
    [-1, 1, -1, 0]
    """
    names, first, name = np.unique(of, return_index=True, return_inverse=True)
    sizes = np.where(names == NOBODY, 0, np.bincount(name))
    kept = [at for at in np.lexsort((first, -sizes)) if sizes[at] >= SMALLEST]
    number = np.full(len(names), NOBODY, np.int32)
    number[kept] = np.arange(len(kept))
    return number[name]


def _stability(ties: Any, of: Ints, *, resolution: float, seed: int, times: int) -> npt.NDArray[np.float64]:
    """How much of each community comes back when the rows are drawn anew, with replacement."""
    from scipy.sparse import coo_array

    count = int(of.max(initial=NOBODY)) + 1
    total = np.zeros(count)
    drawn = np.random.default_rng([seed, 1])
    for time in range(times):
        rows = np.unique(drawn.integers(0, len(of), len(of)))
        again = _louvain(ties[rows][:, rows], resolution=resolution, seed=_nth(seed, _TIMES + time))
        before = of[rows]
        known = before >= 0
        both = coo_array((np.ones(known.sum()), (before[known], again[known])), shape=(count, again.max() + 1)).tocsr().tocoo()
        size, size_again = np.bincount(before[known], minlength=count), np.bincount(again)
        jaccard = both.data / (size[both.row] + size_again[both.col] - both.data)
        best = np.zeros(count)
        np.maximum.at(best, both.row, jaccard)
        total += best
    return total / times


@dataclass(frozen=True, slots=True)
class Places:
    """Where communities lie, so that single new texts can be put into them.

    Parameters
    ----------
    centres
        The direction of each community.
    examples, of, row
        Rows of each community, at most 100 of it and in its order: as they are, of which community, and which ones of the rows.
    least
        Of each community: the cosine to the nearest of its examples that nine of ten of its rows reach.
    """

    centres: Floats
    examples: npt.NDArray[np.float16]
    of: Ints
    row: Ints
    least: Floats

    @classmethod
    def among(cls, rows: Floats, community: Ints) -> Places:
        """The places of communities as they were found."""
        count = int(community.max(initial=NOBODY)) + 1
        members = [np.flatnonzero(community == number) for number in range(count)]
        drawn = [one[np.unique(np.linspace(0, len(one) - 1, min(len(one), EXAMPLES)).astype(np.int64))] for one in members]
        row = np.concatenate([np.zeros(0, np.int32), *drawn]).astype(np.int32)
        plain = cls(centroids(rows, community, count=count), rows[row].astype(np.float16), community[row], row, np.zeros(count, np.float32))
        near = plain.nearest(rows, community, fitted=True)
        return replace(plain, least=np.asarray([np.quantile(near[one], FAR) for one in members], np.float32))

    def nearest(self, rows: Floats, community: Ints, *, fitted: bool) -> Floats:
        """The cosine of each row to the nearest example of its community, but for itself where the rows are those that were fitted."""
        near = np.full(len(rows), -1, np.float32)
        with one_thread():
            for number in np.unique(community[community >= 0]):
                asked, kept = np.flatnonzero(community == number), self.of == number
                cosines = _cosines(rows[asked], self.examples[kept].astype(np.float32))
                if fitted:
                    cosines[asked[:, None] == self.row[kept]] = -1
                near[asked] = cosines.max(axis=1)
        return near

    def held(self, rows: Floats, community: Ints | None = None) -> Held:
        """Put new rows into the community that is nearest, or say of the rows that were fitted how well they lie where they are."""
        count = len(self.centres)
        if not count or not len(rows):
            nobody = np.full(len(rows), NOBODY, np.int32)
            return Held(nobody, nobody, np.zeros(len(rows), np.float32), np.zeros(len(rows), np.bool_))
        with one_thread():
            near, each = _cosines(rows, self.centres), np.arange(len(rows))
        own = np.argmax(near, axis=1).astype(np.int32) if community is None else community
        to_own = near[each, own].copy()
        near[each, own] = -1
        other = np.argmax(near, axis=1).astype(np.int32) if count > 1 else np.full(len(rows), NOBODY, np.int32)
        margin = np.where(own >= 0, to_own - np.where(other >= 0, near[each, other], 0), 0).astype(np.float32)
        sure = (own >= 0) & (margin >= CLOSE) & (self.nearest(rows, own, fitted=community is not None) >= self.least[own])
        return Held(own, other, margin, sure)


@dataclass(frozen=True, slots=True)
class Held:
    """Rows beside communities.

    Parameters
    ----------
    own, other
        The community of each row and the nearest other one; -1 for none.
    margin
        The cosine to the centre of its own less that to the other: below zero where the other is nearer.
    sure
        Its own is clearly the nearest, and it lies no further from others of it than most of them do.
    """

    own: Ints
    other: Ints
    margin: Floats
    sure: npt.NDArray[np.bool_]


def _cosines(rows: Floats, centres: Floats) -> Floats:
    """To six places: the last ones depend on how many rows are asked for at once."""
    return np.round(np.concatenate([rows[at : at + 1024] @ centres.T for at in range(0, max(len(rows), 1), 1024)]), 6)
