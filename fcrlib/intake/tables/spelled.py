"""How are the typed columns of a file written as text, so that every file is read by the same rules?"""

from __future__ import annotations

import polars as pl

_EXACT = 2**53
"""Below it a float holds every whole number."""


def as_text(frame: pl.DataFrame) -> pl.DataFrame:
    """Write typed columns as text, so that every file is read by the same rules; nested fields become `outer.inner`."""
    while nested := [name for name, dtype in frame.schema.items() if dtype == pl.Struct]:
        frame = frame.with_columns(pl.col(name).name.map_fields(lambda field, outer=name: f"{outer}.{field}") for name in nested).unnest(nested)  # type: ignore[misc]
    frame = frame.with_columns(_as_said(frame[name]) for name, dtype in frame.schema.items() if dtype == pl.Binary)
    return frame.select(_spelled(name, dtype) for name, dtype in frame.schema.items())


def _as_said(column: pl.Series) -> pl.Series:
    """Bytes that are text: older programs do not say so."""
    try:
        return column.cast(pl.String)
    except pl.exceptions.PolarsError:
        return column


def _spelled(name: str, dtype: pl.DataType) -> pl.Expr:
    column = pl.col(name)
    if isinstance(dtype, pl.Datetime):
        return column.dt.strftime("%Y-%m-%dT%H:%M:%S%.6f") if dtype.time_zone is None else _in_utc(column)
    if isinstance(dtype, pl.Array):
        column, dtype = column.arr.to_list(), pl.List(dtype.inner)
    if isinstance(dtype, pl.List):
        return _listed_as_json(column, name) if dtype.inner.is_nested() else column.cast(pl.List(pl.String)).list.join(",")
    if dtype == pl.Duration:
        return (column.dt.total_microseconds() / 1_000_000).cast(pl.String)
    if dtype == pl.Binary:
        return column.bin.encode("hex")
    if dtype.is_float():
        # An id column with a gap in it travels as 1001.0; the id is 1001, unless it is so long that a float has lost its last digits.
        whole = column.is_null() | ((column == column.round()) & (column.abs() < _EXACT))
        return pl.when(whole.all()).then(column.cast(pl.Int64, strict=False).cast(pl.String)).otherwise(column.cast(pl.String)).alias(name)
    return column.cast(pl.String)


def _listed_as_json(column: pl.Expr, name: str) -> pl.Expr:
    """A list of objects or lists, as it would be written in a file of text."""
    whole = pl.struct(column.alias("all")).struct.json_encode().str.extract(r"(?s)^\{\"all\":(.*)\}$")
    return pl.when(column.is_not_null()).then(whole).alias(name)


def _in_utc(column: pl.Expr) -> pl.Expr:
    return column.dt.convert_time_zone("UTC").dt.strftime("%Y-%m-%dT%H:%M:%S%.6fZ")
