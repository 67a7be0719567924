"""Of what type is a column of text?

Every function takes the text columns of an export and gives them typed; what does not fit is told, with file and row, and stops the reading.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import polars as pl

from fcrlib.intake.canonical import instants, words
from fcrlib.intake.canonical.told import Told

_NUMBER = r"^-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?$"
_CLOCK = r"^(\d+):(\d{2})(?::(\d{2})(?:\.\d+)?)?$"
_ITEM = r'(?:"(?:[^"\\]|\\["\\/bfnrt]|\\u[0-9a-cA-CeEfF][0-9a-fA-F]{3})*"|-?\d+|true|false|null)'
_LIST = rf"^\[\s*(?:{_ITEM}\s*(?:,\s*{_ITEM}\s*)*)?\]$"
"""A JSON list of words; what only looks like one, as the label `[urgent]`, is a label."""
_SINCE_1970 = r"^(?:19[67]\d|198\d)-\d{2}-\d{2}[ T]\d{2}:\d{2}(?::\d{2})?"


def moments(frame: pl.DataFrame, columns: Sequence[str], *, told: Told, time_zone: str | None = None, dates: str | None = None) -> pl.DataFrame:
    """The frame with these columns as UTC instants: ISO, epoch seconds or milliseconds, local times where a zone is given."""
    there = [name for name in columns if name in frame.columns]
    numbered = [instants.ROW] if instants.ROW in frame.columns else []
    text = frame.select(*numbered, *(filled(name) for name in there))
    read = instants.read(text, columns=there, time_zone=time_zone, dates=dates)
    told.problems += read.problems
    told.notes += read.notes
    return frame.with_columns(read.frame.get_columns())


def numbers(frame: pl.DataFrame, columns: Sequence[str], *, told: Told) -> pl.DataFrame:
    """The frame with these columns as numbers, those declared whole by the canonical tables included; below zero nothing is known."""
    for name in (name for name in columns if name in frame.columns):
        bare = filled(name).str.strip_chars()
        number = pl.when(bare.str.contains(_NUMBER)).then(bare.cast(pl.Float64, strict=False))
        _refuse(frame, name, number, told, "a number")
        frame = frame.with_columns(pl.when(number >= 0).then(number).alias(name))
    return frame


def durations(frame: pl.DataFrame, columns: Sequence[str], *, told: Told, unit: float = 1.0) -> pl.DataFrame:
    """The frame with these columns in seconds: a number of `unit` seconds, `H:MM:SS`, or an instant counted from 1970.

    Examples
    --------
    >>> told = Told()
    >>> durations(pl.DataFrame({"took": ["90", "1:30:00", "1970-01-02 09:46:18"]}), ["took"], told=told)["took"].to_list()
    [90.0, 5400.0, 121578.0]
    """
    for name in (name for name in columns if name in frame.columns):
        bare = filled(name).str.strip_chars()
        parts = [bare.str.extract(_CLOCK, group).cast(pl.Float64) for group in (1, 2, 3)]
        clock = parts[0] * 3600 + parts[1] * 60 + parts[2].fill_null(0)
        ago = pl.when(bare.str.contains(_SINCE_1970)).then(bare.str.slice(0, 19).str.replace("T", " ", literal=True))
        since = ago.str.to_datetime("%Y-%m-%d %H:%M:%S", strict=False).dt.epoch("s").cast(pl.Float64)
        plain = pl.when(bare.str.contains(_NUMBER)).then(bare.cast(pl.Float64, strict=False)) * unit
        took = pl.coalesce(plain, clock, since)
        _refuse(frame, name, took, told, "a duration")
        frame = frame.with_columns(pl.when(took >= 0).then(took).alias(name))
    return frame


def yes(column: str, *, true: Sequence[str] = words.YES_WORDS) -> pl.Expr:
    """Is it one of the words for yes? Anything else, and nothing at all, is no."""
    return pl.col(column).str.strip_chars().str.to_lowercase().is_in([word.lower() for word in true]).fill_null(False).alias(column)


def yes_or_no(column: str) -> pl.Expr:
    """As `yes`, but null where nothing is said."""
    return pl.when(filled(column).is_not_null()).then(yes(column)).alias(column)


def labels(column: str, *, between: str = "[;|,]") -> pl.Expr:
    """A list of labels, written as JSON or with commas, semicolons or bars (or what `between` matches) between; none is an empty list.

    Examples
    --------
    >>> pl.DataFrame({"tags": ['["a b","c"]', "x, y;z", "[urgent]", None]}).select(labels("tags"))["tags"].to_list()
    [['a b', 'c'], ['x', 'y', 'z'], ['[urgent]'], []]
    """
    text = pl.col(column).str.strip_chars()
    listed = text.str.contains(_LIST)
    inside = pl.when(listed).then(text).str.json_decode(pl.List(pl.String))
    parts = pl.when(~listed).then(text).str.replace_all(rf"\s*{between}\s*", ",").str.split(",")
    both = pl.coalesce(inside, parts, pl.lit([], dtype=pl.List(pl.String)))
    return both.list.eval(pl.element().str.strip_chars().filter(pl.element().str.strip_chars() != "")).alias(column)


def statuses(frame: pl.DataFrame, column: str, *, meanings: Mapping[str, str], told: Told) -> pl.DataFrame:
    """Canonical statuses; a word without a meaning stops the reading, because a wrong one moves every number."""
    if strange := words.unknown(frame, column, words=meanings):
        first = frame.filter(pl.col(column).is_not_null() & words.meaning(column, words=meanings).is_null())
        known = ", ".join(list(meanings)[:20])
        told.problems.append(f"{column}: words without a meaning: {', '.join(strange[:20])}{_where(first)}; known are {known}")
    return frame.with_columns(words.meaning(column, words=meanings).alias(column))


def channels(frame: pl.DataFrame, *, raw: str = "channel_raw", meanings: Mapping[str, str] = words.CHANNEL_WORDS, told: Told) -> pl.DataFrame:
    """`channel` from the source's own word; an unknown word is `other` and is noted."""
    if strange := words.unknown(frame, raw, words=meanings):
        told.notes.append(f"channels read as 'other': {', '.join(strange[:20])}")
    return frame.with_columns(words.meaning(raw, words=meanings).fill_null("other").alias("channel"))


def filled(name: str) -> pl.Expr:
    """The column where something stands in it; blanks are nothing."""
    return pl.when(pl.col(name).str.contains(r"\S")).then(pl.col(name)).alias(name)


def _where(bad: pl.DataFrame) -> str:
    return f", the first in row {bad[instants.ROW][0]}" if instants.ROW in bad.columns else ""


def _refuse(frame: pl.DataFrame, name: str, value: pl.Expr, told: Told, what: str) -> None:
    bad = frame.filter(filled(name).is_not_null() & value.is_null())
    if bad.height:
        told.problems.append(f"{name}: {bad.height:,} of {frame[name].count():,} values are not {what}{_where(bad)}: '{bad[name][0]}'")
