"""What do other ways of looking for drivers name on the same desks?

Each takes the desk of `bench/drivers.py` and gives `kind` and `where`, or None where its library is not installed.
"""

from __future__ import annotations

import importlib.util
from collections.abc import Sequence

import numpy as np
import polars as pl

from fcrlib.search.cube import cube, cuboids, folded

LEVEL = 0.05


def _table(places: list[list[str]]) -> pl.DataFrame:
    return pl.DataFrame(
        {"kind": ["rate" if place else "global" for place in places], "where": places}, schema_overrides={"where": pl.List(pl.String)}
    )


def all_cells(frame: pl.DataFrame, *, dims: Sequence[str]) -> pl.DataFrame:
    """Test each cell of every cuboid up to depth 3 by itself, and keep what Benjamini and Hochberg keep at 5 %."""
    from scipy.special import ndtr

    counts = cube(frame, dims=dims, failed="failed", arm="after")
    found = cuboids(counts)
    n, k = (np.stack([np.concatenate(folded(found, side)) for side in sides]) for sides in (counts.n, counts.failed))
    enough = (n >= 30).all(axis=0)
    pooled = k.sum(axis=0) / np.maximum(n.sum(axis=0), 1)
    se = np.sqrt(np.maximum(pooled * (1 - pooled), 1e-9) * (1 / np.maximum(n, 1)).sum(axis=0))
    z = np.where(enough, (k[1] / np.maximum(n[1], 1) - k[0] / np.maximum(n[0], 1)) / se, 0.0)
    p = np.where(enough, 2 * ndtr(-np.abs(z)), 1.0)
    order = np.sort(p[enough])
    below = np.flatnonzero(order <= LEVEL * np.arange(1, len(order) + 1) / len(order))
    places = [cuboid.place(cell) for cuboid in found for cell in range(len(cuboid.cells))]
    kept = np.flatnonzero(p <= order[below[-1]]) if len(below) else []
    return _table([counts.words(places[cell]) for cell in kept])


def honest_tree(frame: pl.DataFrame, *, dims: Sequence[str], seed: int = 0) -> pl.DataFrame:
    """Grow a tree for the change on one half of the contacts and test its leaves on the other (Athey and Imbens 2016, PNAS 113, 7353-7360).

    A leaf is named by the values on its path; the tests share 5 % between the leaves, and a leaf is tested against all the rest, so that
    what rose everywhere is no leaf's doing.
    """
    from scipy.special import ndtri
    from sklearn.tree import DecisionTreeRegressor

    wide = frame.select(dims).to_dummies(dims, separator="=")
    inputs, after = wide.to_numpy().astype(np.float32), frame["after"].to_numpy()
    failed, half = frame["failed"].to_numpy().astype(float), np.random.default_rng(seed).random(frame.height) < 0.5
    share = after.mean()
    changed = (failed - failed.mean()) * (after - share) / (share * (1 - share))
    tree = DecisionTreeRegressor(max_leaf_nodes=16, min_samples_leaf=200, random_state=seed).fit(inputs[half], changed[half])
    leaf = tree.apply(inputs)
    paths: list[tuple[int, list[str]]] = [(0, [])]
    ends: list[tuple[int, list[str]]] = []
    while paths:
        node, place = paths.pop()
        left, right = tree.tree_.children_left[node], tree.tree_.children_right[node]
        if left < 0:
            ends.append((node, place))
        else:
            paths += [(left, place), (right, [*place, wide.columns[tree.tree_.feature[node]]])]
    named = []
    for node, place in ends:
        sides = [failed[~half & here & (after == when)] for here in (leaf == node, leaf != node) for when in (False, True)]
        if min(len(side) for side in sides) < 30:
            continue
        gap = sides[1].mean() - sides[0].mean() - (sides[3].mean() - sides[2].mean())
        if place and abs(gap) > -ndtri(LEVEL / 2 / len(ends)) * np.sqrt(sum(side.var() / len(side) for side in sides)):
            named.append(sorted(set(place)))
    return _table(named)


def wise_pizza(frame: pl.DataFrame, *, dims: Sequence[str]) -> pl.DataFrame | None:
    """Ask wise-pizza for up to three segments of two conditions each that explain the change of the shares, and of the failure rates."""
    if importlib.util.find_spec("wise_pizza") is None:
        return None
    from wise_pizza import explain_changes_in_average

    counts = frame.group_by([*dims, "after"]).agg(total=pl.col("failed").sum().cast(pl.Float64), size=pl.len().cast(pl.Float64)).sort(dims)
    then, now = (counts.filter(pl.col("after") == when).drop("after").to_pandas() for when in (False, True))
    found = explain_changes_in_average(then, now, list(dims), "total", "size", max_segments=3, max_depth=2, how="split_fits")
    parts = [(kind, segment["segment"]) for kind, part in (("mix", found.s1), ("rate", found.s2)) for segment in part.segments[:3]]
    places = [sorted(f"{dim}={value}" for dim, value in place.items() if dim in dims) for _, place in parts]
    table = _table(places).with_columns(pl.Series("kind", [kind for kind, _ in parts], dtype=pl.String))
    return table.unique(maintain_order=True)
