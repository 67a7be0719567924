"""Which contacts does a place hold?

A place is written as conditions `dimension=value`, all of which must hold; this is how the search names its cells and how a log of changes says
what was touched.
"""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl

from fcrlib.model.columns import NOT_KNOWN, OTHERS
from fcrlib.search.cube import AT_LEAST

AND = " and "


def conditions(text: str, *, columns: Sequence[str]) -> list[str] | None:
    """Take a place that is written in one line apart; null where it speaks of a column that is not there.

    Examples
    --------
    >>> conditions("topic=terms and conditions and tier=basic", columns=["topic", "tier"])
    ['topic=terms and conditions', 'tier=basic']
    >>> conditions("colour=red", columns=["topic", "tier"]) is None
    True
    """
    found: list[str] = []
    for part in text.split(AND):
        if column_of(part, columns=columns):
            found.append(part)
        elif found and not _looks_like(part):
            found[-1] += AND + part
        else:
            return None
    return found


def _looks_like(part: str) -> bool:
    """Is it a condition on some column, although not on one that is there?"""
    name, sign, _ = part.partition("=")
    return bool(sign) and name.isidentifier()


def column_of(word: str, *, columns: Sequence[str]) -> str:
    """The column that a condition speaks of, or nothing; of several, the longest name."""
    return max((column for column in columns if word.startswith(f"{column}=")), key=len, default="")


def holds(frame: pl.DataFrame, words: Sequence[str]) -> pl.Expr:
    """Which contacts fulfil all conditions; none of them where a column is not there, all where there are no conditions.

    Examples
    --------
    >>> frame = pl.DataFrame({"tier": ["basic", None, "gold"]})
    >>> frame.select(holds(frame, ["tier=(not known)"])).to_series().to_list()
    [False, True, False]
    """
    # A literal has no length, so a frame cannot be filtered by one on its own; the number of a row is never below zero.
    there = pl.int_range(pl.len()) >= 0
    for word in words:
        there = there & _one(frame, word)
    return there


def _one(frame: pl.DataFrame, word: str) -> pl.Expr:
    name = column_of(word, columns=frame.columns)
    if not name:
        return pl.int_range(pl.len()) < 0
    value, text = word[len(name) + 1 :], pl.col(name).cast(pl.String)
    if value == NOT_KNOWN:
        return text.is_null() | (text == value).fill_null(False)
    if value == OTHERS:
        sizes = frame[name].drop_nulls().cast(pl.String).rename("value").to_frame().group_by("value").len()
        rare = text.is_in(sizes.filter(pl.col("len") < AT_LEAST)["value"].implode())
        return (rare | (text == value)).fill_null(False)
    return (text == value).fill_null(False)
