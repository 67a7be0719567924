"""Are these columns that a model can read?

Everything that is wrong with them is said at once, before anything is fitted, and in the words of who asked.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, get_args

import polars as pl

from fcrlib.model.errors import UsageError

Kind = Literal["logit", "linear", "ordinal"]
RESERVED = frozenset({"n", "w", "wy", "wyy", "g", "h", "cell", "size", "unit"})
"""Columns of the cells; so are names that begin with an underscore."""
TOLD = frozenset({"estimate", "se", "low", "high"})
"""Columns that are told of each level, beside the level itself."""
FARTHEST = 1e100
"""Weights beyond this, or all of them below one part of it, are lost when they are squared."""
NAMED = 12
"""Columns of a frame that are named to who asked for another one."""


def admit(
    frame: pl.DataFrame,
    *,
    outcome: str,
    exposure: str,
    levels: Sequence[str],
    straight: Sequence[str],
    kind: Kind,
    weight: str | None,
    ways: Sequence[str],
    by: str | None,
    unit: str | None,
) -> None:
    """Refuse columns of which no model can be made.

    Parameters
    ----------
    levels, straight
        Covariates that become levels, and those that enter as they are.
    ways
        Columns of clusters.

    Raises
    ------
    UsageError
        Naming every problem.
    """
    adjusts = [*levels, *straight]
    asked = [outcome, exposure, *adjusts, *ways, *(one for one in (weight, unit) if one)]
    there = f"there are {', '.join(frame.columns[:NAMED])}{', ...' if frame.width > NAMED else ''}"
    problems = [f"there is no column {name!r}; {there}" for name in dict.fromkeys(asked) if name not in frame.columns]
    taken = [name for name in dict.fromkeys((exposure, *adjusts)) if name in RESERVED or name[:1] == "_" or (name == by and name in TOLD)]
    problems += [f"column {name!r} must be called something else: the cells use that name" for name in taken]
    problems += [
        f"{name!r} cannot be both what is compared and what is adjusted for" for name in dict.fromkeys((outcome, exposure)) if name in adjusts
    ]
    problems += [f"{outcome!r} cannot be both what is compared and by what"] if outcome == exposure else []
    problems += [f"at most two columns of clusters can be given, not {len(ways)}"] if len(ways) > 2 else []
    problems += [f"{by!r} enters as it is, so it has no levels to look at one by one"] if by in straight else []
    problems += [f"{name!r} can enter as it is or in levels, but not both" for name in dict.fromkeys(levels) if name in straight and name != by]
    problems += [f"kind must be one of {', '.join(get_args(Kind))}, not {kind!r}"] if kind not in get_args(Kind) else []
    problems += [problem for name in dict.fromkeys(asked) if name in frame.columns for problem in _unreadable(frame[name])]
    problems += [problem for name in dict.fromkeys(straight) if name in frame.columns for problem in _not_numbers(frame[name], temporal=True)]
    problems += _outcome(frame[outcome], kind=kind) if outcome in frame.columns else []
    problems += _weight(frame[weight]) if weight in frame.columns and weight else []
    problems += _exposure(frame[exposure]) if exposure in frame.columns else []
    if problems:
        raise UsageError("the model cannot be fitted to these columns", list(dict.fromkeys(problems)))


def given(frame: object, *, adjust: object) -> None:
    """Refuse what is no frame, and a covariate that is not in a list.

    Raises
    ------
    UsageError
        Saying what to do.
    """
    problems = [] if isinstance(frame, pl.DataFrame) else [f"a {type(frame).__name__} is no DataFrame: collect or read it first"]
    problems += [f"adjust must be a list of columns, as in adjust=[{adjust!r}]"] if isinstance(adjust, str) else []
    if problems:
        raise UsageError("the model cannot be fitted to this", problems)


def _unreadable(held: pl.Series) -> list[str]:
    nested = held.dtype.is_nested() or held.dtype in (pl.Object, pl.Binary)
    return [f"column {held.name!r} is {held.dtype}, but every cell must be a single value"] if nested else []


def _not_numbers(held: pl.Series, *, temporal: bool = False) -> list[str]:
    """Why a column is none of finite numbers; a missing number is no problem."""
    if not (held.dtype.is_numeric() or held.dtype in (pl.Boolean, pl.Null) or (temporal and held.dtype.is_temporal())):
        return [f"column {held.name!r} is {held.dtype}, but it must be numbers or yes/no"]
    endless = int(held.cast(pl.Float64).is_infinite().sum()) if held.dtype.is_float() else 0
    return [f"column {held.name!r} is infinite in {endless:,} of {held.len():,} rows: leave these empty"] if endless else []


def _outcome(held: pl.Series, *, kind: Kind) -> list[str]:
    if problems := _not_numbers(held):
        return problems
    known = held.cast(pl.Float64).drop_nulls().drop_nans()
    if kind == "logit" and not known.is_in([0.0, 1.0]).all():
        return [f"column {held.name!r} must be yes/no for a logit, but holds {known.filter(~known.is_in([0.0, 1.0]))[0]:g}"]
    if kind == "ordinal" and not (known == known.round()).all():
        return [f"column {held.name!r} must be whole numbers for ordered answers, but holds {known.filter(known != known.round())[0]:g}"]
    return []


def _weight(held: pl.Series) -> list[str]:
    if problems := _not_numbers(held):
        return problems
    known = held.cast(pl.Float64).drop_nulls().drop_nans()
    if (known < 0).any():
        return [f"column {held.name!r} has weights below zero"]
    most = float(known.max() or 0.0)  # type: ignore[arg-type]
    lost = most > FARTHEST or 0 < most < 1 / FARTHEST
    return [f"column {held.name!r} has weights of up to {most:.0e}, which no sum can hold: divide them by their mean"] if lost else []


def _exposure(held: pl.Series) -> list[str]:
    if not held.dtype.is_numeric():
        return []
    known = held.cast(pl.Float64).drop_nulls().drop_nans()
    odd = known.filter(~known.is_in([0.0, 1.0]))
    return [] if odd.is_empty() else [f"column {held.name!r} must be yes/no (1 or 0) or levels as text, but holds {odd[0]:g}"]
