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

from fcrlib.model.columns import NOT_KNOWN, OTHERS, known
from fcrlib.model.errors import DataError, UsageError

MOST_LEVELS = 1000
"""A dimension with more values is a list of names, not a place."""
AT_LEAST = 50
"""Contacts a value needs to stand alone; rarer ones are pooled."""
ROOM = 5_000_000
"""Keys up to here are counted in place; beyond, they are sorted first."""
SMALL = 10
"""A cluster column with fewer contacts per value than this (customers) is read as pairs of contacts."""
DESK = 500
"""Contacts with a known outcome that a desk needs for any place to be named."""
LAGS = 4
"""Pairs looked at per contact; a cluster with more is sampled evenly and weighed up."""

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Mask = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Group:
    """A cluster column with many contacts per value (a week, an agent), counted per leaf, arm and value.

    `name`, `values` (as text, in their order); per row: `leaf`, `arm`, `code` (place in `values`), `n`, `failed`. Contacts without a value
    are in none of the rows.
    """

    name: str
    values: tuple[str, ...]
    leaf: Ints
    arm: Ints
    code: Ints
    n: Floats
    failed: Floats


@dataclass(frozen=True, slots=True)
class Pairs:
    """Pairs of contacts of one arm that share a value of a cluster column with few contacts per value (a customer).

    Per pair: `arm`, the `leaf` of both (2 x pairs), whether they `failed` (2 x pairs), `weight` (pairs that it stands for).
    """

    name: str
    arm: Ints
    leaf: Ints
    failed: Floats
    weight: Floats


@dataclass(frozen=True, slots=True)
class Cube:
    """A desk as counts.

    `dims`, `levels` (names of the values of each dimension); per leaf: `codes` (leaves x dims), `n` and `failed` (arms x leaves; two arms
    are before and after); `groups` and `pairs`: the cluster columns; `notes`: what was pooled, dropped or left out.
    """

    dims: tuple[str, ...]
    levels: tuple[tuple[str, ...], ...]
    codes: Ints
    n: Floats
    failed: Floats
    groups: tuple[Group, ...]
    pairs: tuple[Pairs, ...]
    notes: tuple[str, ...]

    def words(self, place: tuple[tuple[int, int], ...]) -> list[str]:
        """A place, given as pairs of dimension and value code, as `dimension=value`."""
        return [f"{self.dims[dim]}={self.levels[dim][code]}" for dim, code in place]


@dataclass(frozen=True, slots=True)
class Cuboid:
    """All cells over some dimensions: `dims` (places in the cube), `key` (cell of each leaf), `cells` (codes, cells x dims).

    `finer`: place in the list of one that has a dimension more, if there is one; `up`: the own cell of each of its cells.
    """

    dims: tuple[int, ...]
    key: Ints
    cells: Ints
    finer: int | None
    up: Ints

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
    clusters
        Columns whose contacts are alike: weeks, agents, customers. A null stands for nobody.
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
    _fit_for_use(frame, dims=dims, failed=failed, arm=arm, clusters=clusters)
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
    if whole.height < DESK:
        notes.append(f"{whole.height:,} contacts with a known outcome are too few to name a place; at least {DESK:,} are needed.")
    if not kept:
        notes.append("No dimension has two values with enough contacts, so no place can be told from the rest.")
    arms = (whole[arm].rank("dense") - 1 if arm else pl.zeros(whole.height, eager=True)).cast(pl.Int64).to_numpy()
    codes = np.stack([column.to_numpy() for column in columns], axis=1) if kept else np.zeros((whole.height, 0), np.int64)
    leaf, first = dense(codes, [len(names) for names in levels])
    bad = whole[failed].cast(pl.Float64).to_numpy()
    sides, size = 2 if arm else 1, len(first)
    counted = [summed(arms * size + leaf, what, size=sides * size).reshape(sides, size) for what in (np.ones(len(bad)), bad)]
    groups: list[Group] = []
    pairs: list[Pairs] = []
    for name in dict.fromkeys(clusters):
        read, note = _clustered(whole[name], leaf=leaf, arm=arms, failed=bad)
        notes += [note] if note else []
        groups += [read] if isinstance(read, Group) else []
        pairs += [read] if isinstance(read, Pairs) else []
    return Cube(tuple(kept), tuple(levels), first, counted[0], counted[1], tuple(groups), tuple(pairs), tuple(notes))


def _clustered(values: pl.Series, *, leaf: Ints, arm: Ints, failed: Floats) -> tuple[Group | Pairs | None, str]:
    """A cluster column as counts or as pairs; nothing where it cannot say anything; and a note where contacts have no value."""
    there = values.is_not_null().to_numpy()
    missing = len(there) - int(there.sum())
    note = f"{missing:,} of {len(there):,} contacts have no '{values.name}' and are taken as independent of all others." if missing else ""
    names = values.drop_nulls().unique().sort()
    if names.len() < 2:
        return None, f"'{values.name}' has {'only one value' if names.len() else 'no value'}, so it cannot say how contacts drift together."
    code = values.drop_nulls().rank("dense").cast(pl.Int64).to_numpy() - 1
    leaf, arm, failed = leaf[there], arm[there], failed[there]
    if len(code) < SMALL * names.len():
        return _paired(values.name, code, leaf=leaf, arm=arm, failed=failed), note
    count, arms = names.len(), int(arm.max(initial=0)) + 1
    key, (n, k) = counted((leaf * arms + arm) * count + code, np.ones(len(code)), failed)
    text = tuple(names.cast(pl.String).to_list())
    return Group(values.name, text, key // count // arms, key // count % arms, key % count, n, k), note


def _paired(name: str, code: Ints, *, leaf: Ints, arm: Ints, failed: Floats) -> Pairs:
    order = np.lexsort((failed, leaf, code, arm))
    code, leaf, arm, failed = code[order], leaf[order], arm[order], failed[order]
    opens = np.flatnonzero(np.diff(arm * (int(code.max()) + 1) + code, prepend=-1))
    size = np.diff(np.append(opens, len(code)))
    start, many, at = np.repeat(opens, size), np.repeat(size, size), np.arange(len(code))
    one, other, weight = [], [], []
    for lag in range(LAGS):
        here = np.flatnonzero(many - 1 > lag)
        step = np.where(many[here] - 1 <= LAGS, lag + 1, 1 + lag * (many[here] - 1) // LAGS)
        one.append(here)
        other.append(start[here] + (at[here] - start[here] + step) % many[here])
        weight.append(np.maximum((many[here] - 1) / LAGS, 1.0))
    left, right = np.concatenate(one), np.concatenate(other)
    return Pairs(name, arm[left], np.stack([leaf[left], leaf[right]]), np.stack([failed[left], failed[right]]), np.concatenate(weight))


def counted(key: Ints, *what: Floats) -> tuple[Ints, list[Floats]]:
    """The values of a key that occur, sorted, and the sum of each quantity over them."""
    span = int(key.max(initial=0)) + 1
    if span <= 8 * len(key) + 1_000_000:
        there = np.flatnonzero(np.bincount(key, minlength=span))
        return there, [summed(key, values, size=span)[there] for values in what]
    there, place = np.unique(key, return_inverse=True)
    return there, [summed(place, values, size=len(there)) for values in what]


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
    deepest = min(max_depth, len(cube.dims))
    chosen = [dims for depth in range(deepest + 1) for dims in combinations(range(len(cube.dims)), depth)]
    found: list[Cuboid] = []
    for dims in reversed(chosen):
        key, cells = dense(cube.codes[:, list(dims)], [len(cube.levels[dim]) for dim in dims])
        finer = next((at for at, other in enumerate(chosen) if len(other) == len(dims) + 1 and set(dims) < set(other)), None)
        up = np.zeros(0, np.int64)
        if finer is not None:
            inner = found[len(chosen) - 1 - finer]
            up = np.zeros(len(inner.cells), np.int64)
            up[inner.key] = key
        found.append(Cuboid(dims, key, cells, finer, up))
    return found[::-1]


def folded(cuboids: list[Cuboid], what: Floats) -> list[Floats]:
    """Sum of a quantity per leaf over the cells of every cuboid; the coarse ones are summed from finer ones."""
    sums: list[Floats] = [np.zeros(0)] * len(cuboids)
    for at in range(len(cuboids) - 1, -1, -1):
        cuboid = cuboids[at]
        sums[at] = summed(cuboid.key, what) if cuboid.finer is None else summed(cuboid.up, sums[cuboid.finer])
    return sums


def gathered(cuboids: list[Cuboid], group: Group, *what: Floats, arms: int) -> list[tuple[Ints, list[Floats]]]:
    """Sum quantities per row of a group over cell, arm and value: per cuboid the keys (cell x arms x values) that occur, and the sums."""
    tail = arms * len(group.values)
    tables: list[tuple[Ints, list[Floats]]] = [(np.zeros(0, np.int64), [])] * len(cuboids)
    for at in range(len(cuboids) - 1, -1, -1):
        cuboid = cuboids[at]
        if cuboid.finer is None:
            tables[at] = counted(cuboid.key[group.leaf] * tail + group.arm * len(group.values) + group.code, *what)
        else:
            number, sums = tables[cuboid.finer]
            tables[at] = counted(cuboid.up[number // tail] * tail + number % tail, *sums)
    return tables


def inside(cube: Cube, place: tuple[tuple[int, int], ...]) -> Mask:
    """Which leaves fulfil all conditions of a place."""
    there = np.ones(len(cube.codes), np.bool_)
    for dim, code in place:
        there &= cube.codes[:, dim] == code
    return there


def _fit_for_use(frame: pl.DataFrame, *, dims: Sequence[str], failed: str, arm: str | None, clusters: Sequence[str]) -> None:
    problems = []
    if frame.schema[failed] != pl.Boolean:
        problems.append(f"column '{failed}' must hold yes, no or nothing, but holds {frame.schema[failed]}")
    flat = [name for name in dict.fromkeys([*dims, *clusters]) if not frame.schema[name].is_nested() and not frame.schema[name].is_object()]
    odd = [name for name in dict.fromkeys([*dims, *clusters]) if name not in flat]
    problems += [f"column '{name}' holds {frame.schema[name]}; keep one plain value per contact" for name in odd]
    both = [name for name in dims if name in (failed, arm)]
    problems += [f"'{name}' is what is compared, so it cannot be a dimension too" for name in both]
    for dim in (name for name in dims if name in flat and name not in both):
        if (count := frame[dim].drop_nulls().n_unique()) > MOST_LEVELS:
            top = ", ".join(f"'{value}'" for value in _sizes(frame[dim].cast(pl.String))["value"].head(5))
            problems.append(f"dimension '{dim}' has {count:,} values, at most {MOST_LEVELS:,} can be searched; group it, or keep its largest: {top}")
    if arm and (count := frame[arm].drop_nulls().n_unique()) != 2:
        problems.append(
            f"column '{arm}' must tell two periods apart, but has {count} value{'s' * (count != 1)}; keep the two periods you want to compare"
        )
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
        text = (
            text.to_frame("v").select(pl.when(pl.col("v").is_in(rare.implode())).then(pl.lit(OTHERS)).otherwise("v").alias(values.name)).to_series()
        )
    names = tuple(text.unique().sort().to_list())
    if note := _alone(text, at_least=at_least):
        return text, names[:1], note
    codes = text.replace_strict(list(names), list(range(len(names))), return_dtype=pl.Int64)
    pooled = f"{rare.len():,} values of '{values.name}' with fewer than {at_least} contacts are pooled as {OTHERS}."
    single = f"1 value of '{values.name}' has fewer than {at_least} contacts and stands as {OTHERS}."
    return codes, names, ["", single, pooled][min(rare.len(), 2)]


def _alone(text: pl.Series, *, at_least: int) -> str:
    """Why a dimension cannot tell contacts apart: what is outside its one large value could not stand by itself."""
    sizes = _sizes(text)
    if sizes.height == 1 and sizes["value"][0] != OTHERS:
        return f"'{text.name}' has only the value '{sizes['value'][0]}' and is left out."
    few = (sizes["n"] >= at_least).sum() < 2
    return f"'{text.name}' has no two values with {at_least} contacts each and is left out." if few else ""
