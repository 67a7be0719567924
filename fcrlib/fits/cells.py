"""How do a million rows become some thousand cells without losing a digit?

Rows that agree in every covariate enter a model only through their number and their sums, and a cluster enters its error only through what it adds
up to in each cell. So a model fitted to cells is the model fitted to rows, at a small part of the price.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl

from fcrlib.fits.design import Coded

MOST_CODES = 2**62
WHOLE = 2.0**53
"""Up to here whole numbers add up without rounding, in whatever order."""


@dataclass(frozen=True, slots=True)
class Cells:
    """Rows by combination of their covariates.

    Parameters
    ----------
    table
        One row per cell that has answers, sorted by its covariates and then the exposure: these columns, `n` (rows), `w` (sum of weights), `wy` (sum
        of weight times outcome), `wyy` (of weight times squared outcome).
    sums
        One row per cluster and cell (and second cluster, and unit): numbers `g` of the cluster, and `h` and `unit` where there are such; `cell`
        (row number in `table`), `n`, `w`, `wy`, `wyy`; sorted by `cell` and the others.
    everybody
        Whom a difference is standardised to, answered or not: the covariates and `size`, sorted.
    members
        `g`, `name` (null for rows of nobody known), `n` of each cluster, sorted by `g`.
    """

    table: pl.DataFrame
    sums: pl.DataFrame
    everybody: pl.DataFrame
    members: pl.DataFrame

    @property
    def rows(self) -> int:
        """How many answers there are."""
        return int(self.table["n"].sum())


def gather(coded: Coded) -> Cells:
    """Sum up the rows of a model by cell, and by cluster within each cell.

    Whatever the order of the rows, the sums are the same to the last bit: whole numbers add up exactly, others are added in a stated order.

    Examples
    --------
    >>> from fcrlib.fits.design import code
    >>> frame = pl.DataFrame({"good": [1, 0, 1, 0, None] * 20, "fcr": [True, False] * 50, "who": list("abcde") * 20})
    >>> cells = gather(code(frame, outcome="good", exposure="fcr", cluster="who"))
    >>> cells.table.rows()
    [(False, 40, 40.0, 20.0, 20.0), (True, 40, 40.0, 20.0, 20.0)]
    >>> cells.sums.height, cells.members.rows()[:2], cells.everybody.rows()
    (8, [(0, 'a', 20), (1, 'b', 20)], [(100,)])
    """
    covariates = list(coded.terms.covariates)
    keys = [*covariates, coded.terms.exposure]
    rows = coded.rows.with_columns(_cell=_codes(coded.rows, covariates))
    everybody = rows.group_by("_cell").agg(*(pl.col(name).first() for name in covariates), size=pl.len().cast(pl.Int64)).sort("_cell")
    answered = rows.filter(pl.col("_y").is_not_null())
    answered = answered.with_columns(_ranks(_codes(answered, keys)))
    table = answered.group_by("_cell").agg(pl.col(name).first() for name in keys).sort("_cell")
    answered = answered if "_g" in answered.columns else answered.with_columns(_g=pl.lit(None, pl.String))
    # From here on a row is its cell, its clusters, its answer and its weight: what is not carried along is not copied.
    answered = answered.select("_cell", *(name for name in ("_g", "_h", "_unit") if name in answered.columns), "_y", "_w")
    split = [name for name in ("_g", "_h", "_unit") if name in answered.columns]
    members = {}
    for way in split:
        answered, members[way] = _numbered(answered, way)
    sums = _added(answered, ["_cell", *split])
    table = table.with_columns(n=answered.group_by("_cell").len().sort("_cell")["len"].cast(pl.Int64))
    table = table.with_columns(_summed(sums.select("_cell", "w", "wy", "wyy")))
    named = sums.select(*(pl.col(name).alias(name[1:]) for name in [*split, "_cell"]), "n", "w", "wy", "wyy")
    return Cells(table.drop("_cell"), named, everybody.drop("_cell"), members["_g"])


def _codes(rows: pl.DataFrame, keys: Sequence[str]) -> pl.Series:
    """One number per combination of values, in the order of the values; sorting by one number is much faster than by several columns."""
    codes, size = pl.Series("_cell", [0], dtype=pl.Int64).new_from_index(0, rows.height), 1
    for name in keys:
        held = rows[name]
        named = isinstance(held.dtype, pl.Enum) or held.dtype == pl.Boolean
        levels = held.to_physical().cast(pl.Int64) if named else held if held.dtype == pl.Int64 else _ranks(held)
        many = int(levels.max() or 0) + 1  # type: ignore[arg-type]
        if size * many > MOST_CODES:
            codes = _ranks(codes)
            size = int(codes.max() or 0) + 1  # type: ignore[arg-type]
        codes, size = codes * many + levels, size * many
    return codes.alias("_cell")


def _ranks(held: pl.Series) -> pl.Series:
    return held.rank("dense").cast(pl.Int64) - 1


def _numbered(rows: pl.DataFrame, way: str) -> tuple[pl.DataFrame, pl.DataFrame]:
    """The clusters as numbers in the order of their names; who is not known is somebody of their own, after all others."""
    named, lone = rows.filter(pl.col(way).is_not_null()), rows.filter(pl.col(way).is_null())
    members = named.group_by(way).agg(n=pl.len().cast(pl.Int64)).sort(way).with_row_index("g").with_columns(pl.col("g").cast(pl.Int64))
    named = named.join(members.select(way, "g"), on=way, how="left").drop(way).rename({"g": way}).select(rows.columns)
    if lone.is_empty():
        return named, members.select("g", pl.col(way).alias("name"), "n")
    others = [name for name in ("_g", "_h", "_unit") if name in lone.columns and name != way]
    lone = lone.sort("_cell", "_y", "_w", *others).with_columns(pl.int_range(members.height, members.height + pl.len()).alias(way))
    alone = lone.select(pl.col(way).alias("g"), pl.lit(None, members.schema[way]).alias("name"), n=pl.lit(1, pl.Int64))
    return pl.concat([named, lone]), pl.concat([members.select("g", pl.col(way).alias("name"), "n"), alone])


def _is_whole(rows: pl.DataFrame) -> bool:
    """Do weights and outcomes add up exactly in any order?"""
    w, y = pl.col("_w"), pl.col("_y")
    return bool(rows.select((w.round() == w).all() & (y.round() == y).all() & ((w * (y**2 + 1)).sum() < WHOLE)).item())


def _added(rows: pl.DataFrame, keys: Sequence[str]) -> pl.DataFrame:
    """The sums of each combination of the keys, sorted by them."""
    rows = rows.with_columns(_ranks(_codes(rows, keys)).alias("_key"))
    if not _is_whole(rows):
        # One column after the other, the last first, is the same order as all at once, and quicker.
        rows = rows.sort("_w").sort("_y", maintain_order=True).sort("_key", maintain_order=True)
    groups = rows.group_by("_key").agg(*(pl.col(name).first() for name in keys), n=pl.len().cast(pl.Int64)).sort("_key")
    w, y = pl.col("_w"), pl.col("_y")
    return groups.with_columns(_summed(rows.select("_key", w=w, wy=w * y, wyy=w * y * y))).drop("_key")


def _summed(rows: pl.DataFrame) -> list[pl.Series]:
    """Sums of all columns but the first by the number in the first, added in the order of the rows: polars may take them in several parts."""
    codes, *columns = rows.get_columns()
    return [pl.Series(one.name, np.bincount(codes.to_numpy(), weights=one.to_numpy())) for one in columns]
