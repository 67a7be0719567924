"""Which texts are most like each other?

The nearest by cosine: all of them looked at as long as that is quick, and beyond that those in the cells around.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager
from typing import Any, cast

import numpy as np
import numpy.typing as npt

from fcrlib.texts.embedding import Floats, library, unit

Ints = npt.NDArray[np.int32]
EXACT = 30_000
"""Texts up to which every pair is looked at."""
_BLOCK, _CELL, _PROBES, _ROUNDS, _SAMPLE, _MOST_WORKERS = 256, 500, 24, 6, 40_000, 8


def nearest(rows: Floats, *, k: int, seed: int = 0, exact: int = EXACT) -> tuple[Ints, Floats]:
    """The `k` other rows that are most like each row.

    Parameters
    ----------
    rows
        Vectors of unit length.
    seed
        Moves the cells, where not every pair is looked at.
    exact
        Number of rows up to which every pair is.

    Returns
    -------
    tuple
        Numbers of the rows, and their cosines; each row's by number. The same for any number of threads.

    Examples
    --------
    >>> rows = np.array([[1, 0], [0.8, 0.6], [0, 1], [0.6, 0.8]], np.float32)
    >>> nearest(rows, k=1)[0].ravel().tolist()
    [1, 3, 3, 1]
    """
    k = min(k, len(rows) - 1)
    found, how_near = np.zeros((len(rows), k), np.int32), np.zeros((len(rows), k), np.float32)
    if k < 1:
        return found, how_near
    everything = np.arange(len(rows), dtype=np.int32)
    if len(rows) <= exact:
        work = [(everything[at : at + _BLOCK], everything) for at in range(0, len(rows), _BLOCK)]
    else:
        work = _neighbourhoods(rows, seed=seed)

    def look(asked: Ints, among: Ints) -> None:
        those = rows if len(among) == len(rows) else rows[among]
        for at in range(0, len(asked), _BLOCK):
            some = asked[at : at + _BLOCK]
            cosines = rows[some] @ those.T
            cosines[np.arange(len(some)), np.searchsorted(among, some)] = -2
            best = np.sort(np.argpartition(cosines, -k, axis=1)[:, -k:], axis=1)
            found[some], how_near[some] = among[best], np.take_along_axis(cosines, best, axis=1)

    _all_of(look, work)
    return found, how_near


def _neighbourhoods(rows: Floats, *, seed: int) -> list[tuple[Ints, Ints]]:
    """The rows of each cell, and those of the cells around it among which their nearest are looked for."""
    centres, cell = cells(rows, count=-(-len(rows) // _CELL), seed=seed)
    order = np.argsort(cell, kind="stable").astype(np.int32)
    ends = np.concatenate([[0], np.cumsum(np.bincount(cell, minlength=len(centres)))])
    members = [order[ends[at] : ends[at + 1]] for at in range(len(centres))]
    around = np.argsort(-(centres @ centres.T), axis=1, kind="stable")
    # Where the cells around hold next to nothing, more of them are looked at.
    size = np.cumsum(np.diff(ends)[around], axis=1)
    probes = np.maximum(_PROBES, 1 + np.argmax(size >= min(_CELL, len(rows)), axis=1))
    near = [np.concatenate([members[one] for one in around[at, : probes[at]]]) for at in range(len(centres))]
    return [(own, np.sort(among)) for own, among in zip(members, near, strict=True) if len(own)]


def cells(rows: Floats, *, count: int, seed: int) -> tuple[Floats, Ints]:
    """Spherical k-means on a sample: the centres, and the cell of every row."""
    drawn = np.random.default_rng(seed)
    sample = rows[np.sort(drawn.choice(len(rows), min(_SAMPLE, len(rows)), replace=False))]
    centres = sample[np.sort(drawn.choice(len(sample), count, replace=False))]
    for _ in range(_ROUNDS):
        centres = centroids(sample, closest(sample, centres), count=count, otherwise=centres)
    return centres, closest(rows, centres)


def centroids(rows: Floats, group: npt.NDArray[np.integer], *, count: int, otherwise: Floats | None = None) -> Floats:
    """The direction in which the rows of each group point; that of `otherwise` for a group without rows."""
    from scipy.sparse import csr_array

    known = np.flatnonzero(group >= 0)
    shape = (count, len(rows))
    sums = np.asarray(csr_array((np.ones(len(known), np.float32), (group[known], known)), shape=shape) @ rows, np.float32)
    empty = np.bincount(group[known], minlength=count) == 0
    return unit(sums if otherwise is None else np.where(empty[:, None], otherwise, sums))


def closest(rows: Floats, centres: Floats) -> Ints:
    """Number of the centre that each row is nearest to; the first of equals."""
    best = np.zeros(len(rows), np.int32)

    def look(first: int) -> None:
        best[first : first + 4 * _BLOCK] = np.argmax(rows[first : first + 4 * _BLOCK] @ centres.T, axis=1)

    _all_of(look, [(first,) for first in range(0, len(rows), 4 * _BLOCK)])
    return best


def one_thread() -> AbstractContextManager[object]:
    """Products of matrices are summed up on one thread each: several would add in another order, which moves the last digits."""
    return cast(AbstractContextManager[object], library("threadpoolctl").threadpool_limits(1, user_api="blas"))


def _all_of(look: Callable[..., None], work: Sequence[tuple[Any, ...]]) -> None:
    """Do pieces of work side by side, each the same whatever the number of processors is."""
    with one_thread(), ThreadPoolExecutor(min(os.cpu_count() or 1, _MOST_WORKERS)) as pool:
        list(pool.map(lambda piece: look(*piece), work))
