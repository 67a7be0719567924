"""Are the nearest found, and the same ones on any number of threads?"""

from __future__ import annotations

import numpy as np
import pytest
from threadpoolctl import threadpool_limits

from fcrlib.texts.alike import cells, centroids, closest, nearest
from fcrlib.texts.embedding import unit


def clouds(*, seed: int = 0, count: int = 3_000, wide: int = 24, around: int = 40) -> np.ndarray:
    drawn = np.random.default_rng(seed)
    centres = drawn.standard_normal((around, wide))
    return unit((centres[drawn.integers(0, around, count)] + 0.4 * drawn.standard_normal((count, wide))).astype(np.float32))


def test_the_nearest_are_those_of_the_whole_table_of_cosines() -> None:
    rows = clouds(count=700)
    table = rows.astype(np.float64) @ rows.T.astype(np.float64)
    np.fill_diagonal(table, -2)
    found, how_near = nearest(rows, k=5)
    assert np.array_equal(found, np.sort(np.argsort(-table, axis=1)[:, :5], axis=1))
    assert how_near == pytest.approx(np.take_along_axis(table, found, axis=1), abs=1e-6)


def test_looking_into_cells_finds_nearly_all_of_them() -> None:
    rows = clouds(count=16_000, around=400)
    exact, cut = nearest(rows, k=10)[0], nearest(rows, k=10, exact=1_000)[0]
    shared = np.mean([len(np.intersect1d(one, other)) for one, other in zip(exact[:2_000], cut[:2_000], strict=True)]) / 10
    assert shared > 0.9


def test_nobody_is_a_neighbour_of_oneself_even_among_equals() -> None:
    rows = unit(np.ones((400, 4), np.float32))
    for exact in (1_000, 100):
        found = nearest(rows, k=3, exact=exact)[0]
        assert not (found == np.arange(400)[:, None]).any()
        assert all(len(set(row)) == 3 for row in found.tolist())


def test_there_are_no_more_neighbours_than_others() -> None:
    assert nearest(clouds(count=3), k=15)[0].tolist() == [[1, 2], [0, 2], [0, 1]]
    assert nearest(clouds(count=1), k=15)[0].shape == (1, 0)


@pytest.mark.parametrize("exact", [10_000, 500])
def test_the_number_of_threads_moves_not_a_single_bit(exact: int) -> None:
    rows = clouds()
    with threadpool_limits(1):
        one = nearest(rows, k=15, seed=3, exact=exact)
    two = nearest(rows, k=15, seed=3, exact=exact)
    assert all(np.array_equal(left, right) for left, right in zip(one, two, strict=True))


def test_an_empty_group_points_nowhere_or_where_it_did_before() -> None:
    rows = np.eye(2, dtype=np.float32)
    assert centroids(rows, np.array([0, -1]), count=2).tolist() == [[1, 0], [0, 0]]
    assert centroids(rows, np.array([0, -1]), count=2, otherwise=rows).tolist() == [[1, 0], [0, 1]]


def test_every_row_is_in_the_cell_of_the_centre_that_is_nearest() -> None:
    rows = clouds(count=900)
    centres, cell = cells(rows, count=12, seed=0)
    assert np.array_equal(cell, np.argmax(rows @ centres.T, axis=1))
    assert np.array_equal(cell, closest(rows, centres))
