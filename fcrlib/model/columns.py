"""Are these the columns that the question needs, and what names a row over all sources and a level that is none?"""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl

from fcrlib.model.errors import DataError, UsageError

KEY = ["source", "contact_id"]
"""What names a contact over all sources."""
NOT_KNOWN, OTHERS = "(not known)", "(all others)"
"""Levels that stand for others: where nothing is known, and the small ones put together."""


def known(frame: pl.DataFrame, columns: Sequence[str], *, yes_no: Sequence[str] = (), numbers: Sequence[str] = ()) -> None:
    """Refuse columns that are not there or not what they must be, and a frame without rows; all problems at once."""
    problems = [f"there is no column {name!r}; there are {', '.join(frame.columns)}" for name in dict.fromkeys(columns) if name not in frame.columns]
    odd = [name for name in yes_no if name in frame.columns and frame[name].dtype not in (pl.Boolean, pl.Null)]
    odd = [name for name in odd if not frame[name].dtype.is_numeric() or not frame[name].drop_nulls().is_in([0, 1]).all()]
    problems += [f"column {name!r} is {frame[name].dtype}, but it must be yes/no (true, false, null)" for name in odd]
    wrong = [name for name in numbers if name in frame.columns and not frame[name].dtype.is_numeric()]
    problems += [f"column {name!r} is {frame[name].dtype}, but it must be numbers" for name in wrong]
    if problems:
        raise UsageError("the columns are not those that the question needs", problems)
    if frame.is_empty():
        raise DataError("there are no rows, so there is nothing to compare")


def named(column: str) -> pl.Expr:
    """One name over all sources, `source:value`; a colon inside the source's name is spelled so that it cannot be mistaken."""
    return pl.format("{}:{}", pl.col("source").str.replace_all("%", "%25", literal=True).str.replace_all(":", "%3A", literal=True), column)
