"""How do records become columns of text?

Many records at a time: a column is read over all of them before the next one, and what stands inside them becomes frames of its own. That is several
times faster than a record at a time.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Any

import polars as pl

from fcrlib.intake.export.kinds import Kind, decoded, spelled, way

Record = dict[str, Any]
Levels = tuple[Sequence[Record], ...]
"""Records and those around each, the outermost first; every level has one entry per record."""


def frames(kind: Kind, levels: Levels, *, places: pl.DataFrame) -> Iterator[tuple[Kind, Sequence[Record], pl.DataFrame]]:
    """The records of a kind and of the kinds inside: the kind, its records, their frame.

    Parameters
    ----------
    kind
        What the innermost level holds.
    levels
        The records.
    places
        Columns that every record brings along; what stands inside a record shares them.

    Examples
    --------
    >>> kind = Kind("tickets", {"id": "id"}, inside=(Kind("changes", {"ticket": "^id", "to": "value"}, each="changes[]"),))
    >>> some = [{"id": 1, "changes": [{"value": "open"}, {"value": True}]}, {"id": "2"}]
    >>> for one, records, frame in frames(kind, (some,), places=pl.DataFrame({"row": [1, 2]})):
    ...     print(one.name, frame.rows())
    tickets [('1', 1), ('2', 2)]
    changes [('1', 'open', 1), ('1', 'true', 1)]
    """
    if kind.each and kind.needed:
        needed = [column(kind.fields[name], levels) for name in kind.needed]
        whole = [place for place, some in enumerate(zip(*needed, strict=True)) if None not in some]
        levels, places = tuple([level[place] for place in whole] for level in levels), places[whole]
    yield kind, levels[-1], pl.DataFrame([texts(name, column(paths, levels)) for name, paths in kind.fields.items()]).hstack(places)
    for inner in kind.inside:
        around, deeper = inside(levels, inner.each)
        if around:
            yield from frames(inner, deeper, places=places[around])


def column(paths: str, levels: Levels) -> list[Any]:
    """What stands at a path in every record; of several paths the first that is there."""
    found: list[Any] | None = None
    for path in paths.split(" | "):
        up, steps = way(path.strip())
        more = _followed(levels[-1 - up], steps)
        found = more if found is None else [one if one is not None else other for one, other in zip(found, more, strict=True)]
        if None not in found:
            break
    return found or []


def inside(levels: Levels, each: str) -> tuple[list[int], Levels]:
    """The records in a list inside the records: of each the place of the record around it, and the levels with one more."""
    head, mark, rest = re.split(r"(\[\]|\{\w*\})", each, maxsplit=1)
    around, inner = [], []
    for place, one in enumerate(_followed(levels[-1], way(head)[1])):
        if one is None:
            continue
        for record in _listed(one, mark):
            around.append(place)
            inner.append(record)
    deeper = (*([level[place] for place in around] for level in levels), inner)
    if not rest or not inner:
        return around, deeper
    further, deepest = inside(deeper, rest.removeprefix("."))
    return [around[place] for place in further], deepest


def texts(name: str, values: Sequence[Any]) -> pl.Series:
    """Values as text, whatever they were.

    Examples
    --------
    >>> texts("tags", [["a", 1], True, 17, "x", None]).to_list()
    ['["a","1"]', 'true', '17', 'x', None]
    """
    kinds = {*map(type, values)} - {type(None)}
    if kinds == {int}:
        values = [None if one is None else str(one) for one in values]
    elif kinds == {bool}:
        return pl.Series(name, values, dtype=pl.Boolean).cast(pl.String)
    elif kinds - {str}:
        values = [spelled(one) for one in values]
    try:
        return pl.Series(name, values, dtype=pl.String)
    except UnicodeEncodeError:
        # Half of an emoji, as some exports cut it, is no text that can be stored.
        return pl.Series(name, [one and one.encode("utf-8", "replace").decode() for one in values], dtype=pl.String)


def _followed(level: Sequence[Record], steps: tuple[str | int, ...]) -> list[Any]:
    first, *deeper = steps
    found = [one.get(str(first)) for one in level]
    for step in deeper:
        if isinstance(step, int):
            found = [one[step] if type(one) is list and step < len(one) else None for one in found]
        else:
            found = [one.get(step) if type(one) is dict else None for one in found]
    return found


def _listed(found: Any, mark: str) -> list[Record]:
    """The records that a value holds; of an object whose keys are data, one for each."""
    if isinstance(found, str) and found[:1] in ("[", "{"):
        found = decoded(found)
    if mark != "[]":
        pairs = found if isinstance(found, dict) else {}
        return [{"key": key, "value": value} for key, value in pairs.items() if key.startswith(mark[1:-1])]
    return [one for one in (found if isinstance(found, list) else [found]) if isinstance(one, dict)]
