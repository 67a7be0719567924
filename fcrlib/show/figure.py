"""What is a picture together with its finding and its numbers?

The caption, the drawing, its description and the table under it come from one object, so that no picture can end up under
another one's heading. The object carries itself out of a notebook under a mimetype of its own.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import polars as pl

from fcrlib.model import numbers as spelled
from fcrlib.model.errors import UsageError
from fcrlib.model.letters import visible
from fcrlib.show.svg import harden

if TYPE_CHECKING:
    import altair as alt

FIGURE = "application/vnd.fcr.figure+json"
TABLE = "application/vnd.fcr.table+json"
VEGALITE = "application/vnd.vegalite.v5+json"
MARKS = 800
_SLUG = set("abcdefghijklmnopqrstuvwxyz0123456789-")
_NAMED: dict[str, tuple[str, spelled.Kind]] = {"n": ("contacts", "count"), "low": ("from", "percent"), "high": ("to", "percent")}


@dataclass(frozen=True, slots=True)
class Column:
    """How one column of a table is headed and spelled."""

    name: str
    title: str
    kind: spelled.Kind = "text"
    currency: str = ""


def columns(frame: pl.DataFrame, /, *given: Column) -> tuple[Column, ...]:
    """Head and spell every column of a frame; those given come first and keep their order, the rest is guessed from name and type.

    Raises
    ------
    UsageError
        If a given column is not in the frame.
    """
    missing = [column.name for column in given if column.name not in frame.columns]
    if missing:
        raise UsageError(f"the frame has no column {', '.join(missing)}", [f"it has: {', '.join(frame.columns)}"])
    known = {column.name for column in given}
    return (*given, *(_guess(name, dtype) for name, dtype in frame.schema.items() if name not in known))


def _guess(name: str, dtype: pl.DataType) -> Column:
    if name in _NAMED and dtype.is_numeric():
        return Column(name, *_NAMED[name])
    kind: spelled.Kind = "text"
    if dtype.is_numeric():
        share = name in ("share", "fcr", "rate") or name.endswith(("_share", "_rate"))
        kind = "percent" if share else "count" if dtype.is_integer() else "number"
    return Column(name, name.replace("_", " "), kind)


@dataclass(frozen=True, slots=True)
class Table:
    """A table whose title is its finding.

    Parameters
    ----------
    id
        Stable slug.
    title
        The finding, as plain text.
    numbers
        The frame, at most 800 rows, in the order in which it is shown.
    columns
        Heading and spelling of each column shown; guessed when empty. A column that is not listed is not shown and not carried.
    note
        One sentence under it: what is counted, what is left out.
    """

    id: str
    title: str
    numbers: pl.DataFrame
    columns: tuple[Column, ...] = ()
    note: str = ""

    def __post_init__(self) -> None:
        _check(self.id, self.numbers)
        _clean(self, "title", "note")
        object.__setattr__(self, "columns", tuple(self.columns) or columns(self.numbers))
        columns(self.numbers, *self.columns)

    def as_json(self) -> dict[str, Any]:
        """The table as plain JSON values."""
        return {"id": self.id, "title": self.title, "note": self.note, **_grid(self.numbers, self.columns)}

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, Any]:
        from fcrlib.show.tables import as_html

        return {TABLE: self.as_json(), "text/html": as_html(self.as_json()), "text/plain": f"{self.title} ({self.numbers.height} rows)"}


@dataclass(frozen=True, slots=True)
class Figure:
    """A chart whose title is its finding, with the numbers it was drawn from.

    Parameters
    ----------
    id
        Stable slug; findings name their figures by it.
    title
        The finding, as plain text; it becomes the caption.
    chart
        The drawing; None shows the table alone.
    numbers
        The aggregated frame under the drawing, at most 800 rows.
    columns
        Heading and spelling of the columns; guessed when empty.
    note
        One sentence under it.
    alt
        What a reader who cannot see it should know; the title when empty.
    """

    id: str
    title: str
    chart: alt.Chart | alt.LayerChart | None
    numbers: pl.DataFrame
    columns: tuple[Column, ...] = ()
    note: str = ""
    alt: str = ""

    def __post_init__(self) -> None:
        _check(self.id, self.numbers)
        _clean(self, "title", "note", "alt")
        object.__setattr__(self, "columns", tuple(self.columns) or columns(self.numbers))
        columns(self.numbers, *self.columns)

    def spec(self) -> dict[str, Any]:
        """The drawing as a Vega-Lite specification that holds only the columns it draws.

        Raises
        ------
        UsageError
            If it would draw more than 800 marks.
        """
        from fcrlib.show.theme import config

        if self.chart is None or self.numbers.is_empty():
            return {}
        fields: dict[str, Any] = self.chart.to_dict()
        fields["config"] = {**config(), **{key: value for key, value in fields.get("config", {}).items() if key != "view"}}
        drawn: dict[str, Any] = _visible(_prune(fields, id=self.id))
        return drawn

    def svg(self) -> str:
        """The drawing for a page: one described image."""
        drawn = self.spec()
        return harden(_draw(json.dumps(drawn, sort_keys=True)), id=self.id, title=self.title, alt=self.alt or self.title) if drawn else ""

    def as_json(self) -> dict[str, Any]:
        """The figure as plain JSON values; `svg` is empty when there is no drawing."""
        words = {"id": self.id, "title": self.title, "note": self.note, "alt": self.alt or self.title}
        return {**words, **_grid(self.numbers, self.columns), "svg": self.svg()}

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, Any]:
        fields, drawn = self.as_json(), self.spec()
        if not drawn:
            from fcrlib.show.tables import as_html

            return {FIGURE: fields, "text/html": as_html(fields), "text/plain": fields["alt"]}
        shown = {**drawn, "$schema": "https://vega.github.io/schema/vega-lite/v5.json", "title": self.title}
        return {VEGALITE: shown, "image/svg+xml": fields["svg"], FIGURE: fields, "text/plain": fields["alt"]}


def _clean(shown: Table | Figure, *names: str) -> None:
    for name in names:
        object.__setattr__(shown, name, visible(getattr(shown, name)))


def _visible(value: Any) -> Any:
    """A piece of JSON whose strings can be drawn; one control character would end the drawing engine, and the notebook with it."""
    if isinstance(value, dict):
        return {visible(key): _visible(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [_visible(inner) for inner in value]
    return visible(value) if isinstance(value, str) else value


def _check(id: str, numbers: pl.DataFrame) -> None:
    if not id or set(id) - _SLUG:
        raise UsageError(f"figure id '{id}' must be a slug: small letters, digits and '-'")
    if numbers.height > MARKS:
        raise UsageError(f"figure '{id}' has {numbers.height:,} rows, a page bears {MARKS}: aggregate or bin them first")


def _grid(numbers: pl.DataFrame, shown: Sequence[Column]) -> dict[str, Any]:
    heads = [{"name": visible(column.name), "title": visible(column.title), "kind": column.kind, "currency": column.currency} for column in shown]
    rows = numbers.select(column.name for column in shown).rows()
    return {"columns": heads, "rows": [[_plain(value) for value in row] for row in rows]}


def _plain(value: object) -> object:
    """JSON knows no dates and no NaN; the ninth digit of a float is noise that would differ between machines."""
    if isinstance(value, float):
        return float(f"{value:.9g}") if value == value and abs(value) != float("inf") else None
    if isinstance(value, datetime):
        return f"{value:%Y-%m-%d %H:%M}"
    if isinstance(value, str):
        return visible(value)
    if value is None or isinstance(value, bool | int):
        return value
    return value.isoformat() if isinstance(value, date) else str(value)


def _prune(fields: dict[str, Any], *, id: str) -> dict[str, Any]:
    datasets = fields.pop("datasets", {})
    drawn = list(_words({key: value for key, value in fields.items() if key != "config"}))
    marks = sum(len(rows) for rows in datasets.values())
    if marks > 4 * MARKS or any(len(rows) > MARKS for rows in datasets.values()):
        raise UsageError(f"figure '{id}' would draw {marks:,} marks, a page bears {MARKS}: aggregate or bin them first")
    columns = {name for rows in datasets.values() for row in rows for name in row}
    asked = {name: re.compile(rf"datum(?:\.|\[\s*['\"]){re.escape(name)}(?!\w)") for name in columns}
    used = {name for name in columns if any(word == name or asked[name].search(word) for word in drawn)}
    kept = {key: [{name: value for name, value in row.items() if name in used} for row in rows] for key, rows in datasets.items()}
    return {**fields, "datasets": kept}


def _words(value: Any) -> Iterator[str]:
    """Every string of a drawing that can name a column; what kind of mark or scale it is, and what its axes are called, names none."""
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from () if key in ("type", "mark", "title", "name") and isinstance(inner, str) else _words(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _words(inner)
    elif isinstance(value, str):
        yield value


@lru_cache(maxsize=64)
def _draw(spec: str) -> str:
    import vl_convert

    return str(vl_convert.vegalite_to_svg(spec))
