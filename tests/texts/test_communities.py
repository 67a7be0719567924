"""Are groups found that are there, again under another seed, and is doubt shown?"""

from __future__ import annotations

from importlib.util import find_spec

import numpy as np
import pytest
from sklearn.metrics import adjusted_rand_score

from fcrlib.texts.communities import NOBODY, Places, by_size, communities
from fcrlib.texts.embedding import unit

pytestmark = pytest.mark.skipif(find_spec("sknetwork") is None, reason="scikit-network is not installed")


def groups(*sizes: int, seed: int = 0, noise: float = 0.35, wide: int = 32) -> tuple[np.ndarray, np.ndarray]:
    drawn = np.random.default_rng(seed)
    of = np.repeat(np.arange(len(sizes)), sizes)
    rows = unit(drawn.standard_normal((len(sizes), wide)).astype(np.float32))[of]
    return unit(rows + noise * drawn.standard_normal((len(of), wide)).astype(np.float32) / 2), of


def test_planted_groups_are_found_and_numbered_by_size() -> None:
    rows, of = groups(60, 150, 90)
    found = communities(rows, resolution=1)
    assert adjusted_rand_score(of, found.of) == 1
    assert np.bincount(found.of).tolist() == [150, 90, 60]
    assert (found.stability > 0.9).all()


def test_what_has_no_structure_is_not_stable() -> None:
    rows = unit(np.random.default_rng(1).standard_normal((600, 32)).astype(np.float32))
    found = communities(rows, resolution=3)
    assert found.stability.max() < 0.5


def test_a_higher_resolution_finds_more() -> None:
    rows, _ = groups(*[40] * 12, noise=0.6)
    counts = [communities(rows, resolution=resolution).of.max() + 1 for resolution in (1, 6)]
    assert counts[0] < counts[1]


def test_another_seed_finds_nearly_the_same_and_the_same_seed_exactly() -> None:
    rows, _ = groups(*[50] * 14, noise=0.6)
    first, again, other = (communities(rows, resolution=3, seed=seed) for seed in (1, 1, 2))
    assert np.array_equal(first.of, again.of)
    assert np.array_equal(first.stability, again.stability)
    assert adjusted_rand_score(first.of, other.of) > 0.85


def test_a_handful_is_no_community() -> None:
    assert by_size(np.array([0] * 4 + [1] * 5, np.int32)).tolist() == [NOBODY] * 4 + [0] * 5


def test_equal_sizes_are_numbered_by_who_comes_first() -> None:
    assert by_size(np.array([7] * 5 + [3] * 5, np.int32)).tolist() == [0] * 5 + [1] * 5


def test_two_rows_are_enough_to_ask() -> None:
    assert communities(np.eye(2, dtype=np.float32), resolution=1).of.tolist() == [NOBODY, NOBODY]


def test_what_lies_between_two_places_is_in_doubt() -> None:
    rows, of = groups(80, 80)
    places = Places.among(rows, of.astype(np.int32))
    between = unit(places.centres.sum(axis=0, keepdims=True))
    held = places.held(np.vstack([places.centres, between]))
    assert held.own[:2].tolist() == [0, 1]
    assert held.other[:2].tolist() == [1, 0]
    assert held.sure.tolist() == [True, True, False]
    assert held.margin[2] == pytest.approx(0, abs=0.01)


def test_what_lies_far_from_every_place_is_in_doubt() -> None:
    rows, of = groups(80, 80)
    places = Places.among(rows, of.astype(np.int32))
    far = unit(np.random.default_rng(9).standard_normal((200, 32)).astype(np.float32))
    assert places.held(far).sure.mean() < 0.1


def test_who_lies_nearer_to_another_place_has_a_margin_below_zero() -> None:
    rows, of = groups(80, 80)
    forced = of.astype(np.int32)
    forced[0] = 1
    held = Places.among(rows, forced).held(rows, forced)
    assert held.margin[0] < 0
    assert not held.sure[0]


def test_with_one_place_there_is_no_runner_up() -> None:
    rows, of = groups(40)
    held = Places.among(rows, of.astype(np.int32)).held(rows)
    assert set(held.other.tolist()) == {NOBODY}
    assert (held.margin > 0).all()


def test_a_tenth_of_what_was_fitted_lies_furthest_from_its_like_and_is_in_doubt() -> None:
    rows, of = groups(300, 300)
    sure = Places.among(rows, of.astype(np.int32)).held(rows, of.astype(np.int32)).sure
    assert sure.mean() == pytest.approx(0.9, abs=0.02)


def test_where_nothing_belongs_together_nothing_is_put_anywhere() -> None:
    rows, _ = groups(30)
    nobody = np.full(30, NOBODY, np.int32)
    for held in (Places.among(rows, nobody).held(rows), Places.among(rows, nobody).held(rows, nobody)):
        assert set(held.own.tolist()) == {NOBODY}
        assert not held.sure.any()
