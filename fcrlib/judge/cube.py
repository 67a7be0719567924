"""How many contacts lie in every cell of every combination of dimensions, and how many of them failed?

A desk is cut once into its finest cells (leaves). Whatever is asked later is a sum over leaves, so its cost no longer depends on the
number of contacts.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np
import polars as pl
from numpy.typing import NDArray

from fcrlib.model.columns import known
from fcrlib.model.errors import DataError, UsageError

NOT_KNOWN, OTHERS = "(not known)", "(all others)"
MOST_LEVELS = 1000
"""A dimension with more values is a list of names, not a place."""
AT_LEAST = 50
"""Contacts a value needs to stand alone; rarer ones are pooled."""
ROOM = 5_000_000
"""Keys up to here are counted in place; beyond, they are sorted first."""

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Cube:
    """A desk as counts.

    `dims`, `levels` (names of the values of each dimension); per leaf: `codes` (leaves x dims), `n` and `failed` (arms x leaves; two arms
    are before and after); per row of leaf x arm x clusters: `leaf`, `arm`, `rows`, `rows_failed`, `clusters` (columns x rows);
    `notes`: what was pooled, dropped or left out.
    """

    dims: tuple[str, ...]
    levels: tuple[tuple[str, ...], ...]
    codes: Ints
    n: Floats
    failed: Floats
    leaf: Ints
    arm: Ints
    rows: Floats
    rows_failed: Floats
    clusters: Ints
    notes: tuple[str, ...]

    def words(self, place: tuple[tuple[int, int], ...]) -> list[str]:
        """A place, given as pairs of dimension and value code, as `dimension=value`."""
        return [f"{self.dims[dim]}={self.levels[dim][code]}" for dim, code in place]


@dataclass(frozen=True, slots=True)
class Cuboid:
    """All cells over some dimensions: `dims` (places in the cube), `key` (cell of each leaf), `cells` (codes, cells x dims)."""

    dims: tuple[int, ...]
    key: Ints
    cells: Ints

    def place(self, cell: int) -> tuple[tuple[int, int], ...]:
        """The conditions that make up a cell."""
        return tuple(zip(self.dims, self.cells[cell].tolist(), strict=True))


def cube(
    frame: pl.DataFrame, *, dims: Sequence[str], failed: str, arm: str | None = None, clusters: Sequence[str] = (), at_least: int = AT_LEAST
) -> Cube:
    """Count contacts and failures per leaf.

    Parameters
    ----------
    frame
        One row per contact: `failed` (yes/no; unknown ones are left out), the dimensions, `arm` and `clusters`.
    arm
        Column with two values, the earlier one first (no before yes, else in sorted order); without it there is one arm.
    at_least
        Contacts a value needs; rarer values become one, a null is a value of its own.

    Raises
    ------
    UsageError
        For columns that are not there, a dimension with more than 1,000 values, or an arm that has not two values.
    DataError
        If no contact has a known outcome.
    """
    known(frame, [*dims, failed, *clusters, *([arm] if arm else [])])
    _fit_for_use(frame, dims=dims, failed=failed, arm=arm)
    needed = [failed, arm] if arm else [failed]
    whole = frame.drop_nulls(needed)
    left = frame.height - whole.height
    if whole.is_empty():
        raise DataError(f"none of {frame.height:,} contacts has a known outcome, so there is nothing to explain")
    if arm and whole[arm].n_unique() < 2:
        raise DataError(f"one of the two periods in '{arm}' has no contact with a known outcome, so there is nothing to compare")
    notes = [f"{left:,} of {frame.height:,} contacts have no known outcome or period and are left out."] if left else []
    kept: list[str] = []
    levels: list[tuple[str, ...]] = []
    columns: list[pl.Series] = []
    for dim in dims:
        values, names, note = _coded(whole[dim], at_least=at_least)
        notes += [note] if note else []
        if len(names) > 1:
            kept, levels, columns = [*kept, dim], [*levels, names], [*columns, values]
    groups = [whole[name].rank("dense").fill_null(0).cast(pl.Int64).alias(f"_group{at}") for at, name in enumerate(clusters)]
    arms = (whole[arm].rank("dense") - 1 if arm else pl.zeros(whole.height, eager=True)).cast(pl.Int64).alias("_arm")
    keys = [*(column.alias(f"_dim{at}") for at, column in enumerate(columns)), arms, *groups]
    coded = pl.DataFrame([*keys, whole[failed].cast(pl.Float64).alias("_failed")])
    rows = coded.group_by([key.name for key in keys]).agg(n=pl.len(), k=pl.col("_failed").sum()).sort([key.name for key in keys])
    return _leaves(rows, dims=kept, levels=levels, groups=len(groups), arms=2 if arm else 1, notes=notes)


def _leaves(rows: pl.DataFrame, *, dims: list[str], levels: list[tuple[str, ...]], groups: int, arms: int, notes: list[str]) -> Cube:
    n, k, arm = (rows[name].cast(dtype).to_numpy() for name, dtype in (("n", pl.Float64), ("k", pl.Float64), ("_arm", pl.Int64)))
    codes = np.stack([rows[f"_dim{at}"].to_numpy() for at in range(len(dims))], axis=1) if dims else np.zeros((len(n), 0), np.int64)
    leaf, first = dense(codes, [len(names) for names in levels])
    size = len(first)
    counted = [summed(arm * size + leaf, what, size=arms * size).reshape(arms, size) for what in (n, k)]
    clusters = np.stack([rows[f"_group{at}"].to_numpy() for at in range(groups)]) if groups else np.zeros((0, len(n)), np.int64)
    return Cube(tuple(dims), tuple(levels), first, counted[0], counted[1], leaf, arm, n, k, clusters, tuple(notes))


def summed(key: Ints, what: Floats, *, size: int = 0) -> Floats:
    """Sum of a quantity over each value of a key."""
    return np.asarray(np.bincount(key, weights=what, minlength=size), np.float64)


def dense(codes: Ints, sizes: Sequence[int]) -> tuple[Ints, Ints]:
    """Number the combinations that occur: the number of each row's combination, and the codes of each number."""
    key, span = np.zeros(len(codes), np.int64), 1
    for at, size in enumerate(sizes):
        if span * size > 2**62:
            key = np.unique(key, return_inverse=True)[1].astype(np.int64)
            span = int(key.max(initial=0)) + 1
        key, span = key * size + codes[:, at], span * size
    if span <= ROOM:
        there = np.bincount(key, minlength=span) > 0
        key = (np.cumsum(there) - 1)[key]
    else:
        key = np.unique(key, return_inverse=True)[1].astype(np.int64)
    first = np.zeros(int(key.max(initial=0)) + 1, np.int64)
    first[key[::-1]] = np.arange(len(key))[::-1]
    return key, codes[first]


def cuboids(cube: Cube, *, max_depth: int = 3) -> list[Cuboid]:
    """All cells over up to `max_depth` dimensions, the whole desk first."""
    found = []
    for depth in range(min(max_depth, len(cube.dims)) + 1):
        for dims in combinations(range(len(cube.dims)), depth):
            key, cells = dense(cube.codes[:, list(dims)], [len(cube.levels[dim]) for dim in dims])
            found.append(Cuboid(dims, key, cells))
    return found


def inside(cube: Cube, place: tuple[tuple[int, int], ...]) -> NDArray[np.bool_]:
    """Which leaves fulfil all conditions of a place."""
    there = np.ones(len(cube.codes), np.bool_)
    for dim, code in place:
        there &= cube.codes[:, dim] == code
    return there


def _fit_for_use(frame: pl.DataFrame, *, dims: Sequence[str], failed: str, arm: str | None) -> None:
    problems = []
    if frame.schema[failed] != pl.Boolean:
        problems.append(f"column '{failed}' must hold yes, no or nothing, but holds {frame.schema[failed]}")
    for dim in dims:
        if (count := frame[dim].drop_nulls().n_unique()) > MOST_LEVELS:
            top = ", ".join(f"'{value}'" for value in _sizes(frame[dim].cast(pl.String))["value"].head(5))
            problems.append(f"dimension '{dim}' has {count:,} values, at most {MOST_LEVELS:,} can be searched; group it, or keep its largest: {top}")
    if arm and (count := frame[arm].drop_nulls().n_unique()) != 2:
        problems.append(f"column '{arm}' must tell two periods apart, but has {count} values; keep the two periods you want to compare")
    if len(set(dims)) < len(dims) or not dims:
        problems.append("name at least one dimension, and each only once")
    if problems:
        raise UsageError("the drivers cannot be searched", problems)


def _sizes(values: pl.Series) -> pl.DataFrame:
    counts = pl.DataFrame({"value": values}).drop_nulls().group_by("value").agg(n=pl.len())
    return counts.sort(pl.col("n") * -1, "value")


def _coded(values: pl.Series, *, at_least: int) -> tuple[pl.Series, tuple[str, ...], str]:
    """The codes of a dimension, the names of its levels in sorted order, and a note where something was pooled or dropped."""
    text = values.cast(pl.String).fill_null(NOT_KNOWN)
    sizes = _sizes(text)
    rare = sizes.filter(pl.col("n") < at_least)["value"]
    if rare.len():
        text = text.to_frame("v").select(pl.when(pl.col("v").is_in(rare.implode())).then(pl.lit(OTHERS)).otherwise("v").alias("v")).to_series()
    names = tuple(text.unique().sort().to_list())
    codes = text.replace_strict(list(names), list(range(len(names))), return_dtype=pl.Int64)
    note = f"{rare.len():,} values of '{values.name}' with fewer than {at_least} contacts are pooled as {OTHERS}." if rare.len() else ""
    if len(names) == 1:
        note = f"'{values.name}' has only the value '{names[0]}' and is left out."
    return codes, names, note
