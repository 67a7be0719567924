"""How do the files of an export become rows, kind by kind?"""

from __future__ import annotations

import time
from collections import Counter, defaultdict
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import polars as pl

from fcrlib.intake.export.headless import headed
from fcrlib.intake.export.kinds import Export, Kind, Trail, at, getter, within
from fcrlib.intake.export.members import Member, opened
from fcrlib.intake.export.pages import Sheet
from fcrlib.intake.export.pieces import Page, Piece, pieces
from fcrlib.intake.tables import files
from fcrlib.model.errors import DataError

RECORD, FILE, LINE = "fcrlib record", "fcrlib file", "fcrlib line"
"""Number of the record over the whole export (what stood together shares it), number of its file, row in that file."""
_ENVELOPES = (("stream", "record"), ("stream", "data"), ("_airbyte_stream", "_airbyte_data"))
PLACES = (RECORD, FILE, LINE)
_EVERY = 5.0
"""Seconds between two lines of progress."""
_AT_ONCE = 20_000
"""Rows that wait as Python lists before they become a frame, which is a tenth of the size."""
_NOTHING = pl.lit(None, dtype=pl.String)


class Gathering:
    """One reading, as it goes: rows that wait for their frame, pages, counts, problems. It collects, so that all is said at once."""

    def __init__(self, export: Export, *, tell: Callable[[str], None] | None, longest: int, bytes_there: int) -> None:
        self.export, self.tell, self.longest, self.bytes_there = export, tell, longest, bytes_there
        self.kinds = export.every()
        self.frames: dict[str, list[pl.DataFrame]] = {}
        self.wrappers = {wrapper for kind in export.kinds for wrapper in kind.lists()}
        self.getters = {name: {column: getter(paths) for column, paths in kind.fields.items()} for name, kind in self.kinds.items()}
        self.rows: dict[str, dict[str, list[Any]]] = {name: _blank(kind) for name, kind in self.kinds.items()}
        self.seen: dict[str, Counter[str]] = defaultdict(Counter)
        self.strange: Counter[str] = Counter()
        self.unplaced: Counter[str] = Counter()
        self.sheets: list[Sheet] = []
        self.problems: list[str] = []
        self.notes: list[str] = []
        self.placed: dict[tuple[str, str], Kind | None] = {}
        self.number, self.told_at, self.bytes = 0, time.monotonic(), 0

    def take(self, member: Member, number: int) -> None:
        """Read one file; what is wrong with it is told at the end."""
        try:
            (self._table if member.is_table() else self._text)(member, number)
        except DataError as error:
            self.problems.append(error.what)
        self.bytes += member.size

    def rest(self) -> None:
        """Put away the rows that still wait."""
        if self.tell:
            self.tell(f"{self.number:,} records read")
        for name, kind in self.kinds.items():
            self._flush(name)
            self.frames[name] = [pl.concat(self.frames.get(name, []) or [pl.DataFrame(schema=schema(kind))], rechunk=False)]

    def table(self, kind: str) -> pl.DataFrame:
        """All rows of a kind, in the order of the files."""
        return self.frames[kind][0]

    def _text(self, member: Member, number: int) -> None:
        kinds: list[str] = []
        with opened(member) as stream:
            for piece in pieces(stream, name=member.name, wrappers=self.wrappers, longest=self.longest):
                if isinstance(piece, Page):
                    kind = self._kind(member, piece.wrapper, {})
                    # Where records say themselves what they are, the page is of their kind.
                    name = kind.name if kind and not (kind.tell and kinds) else kinds[-1] if kinds else ""
                    self.sheets += [Sheet(name, member.name, piece.row, piece.records, piece.said)] if name else []
                    continue
                stream_name, record = _unwrapped(piece.value)
                kind = self._kind(member, stream_name or piece.wrapper, record)
                if kind is None:
                    self.unplaced[stream_name or piece.wrapper or member.name] += 1
                    self.strange.update(_fields(record))
                    continue
                kinds = [kind.name]
                self._take(kind, (record,), number, piece)
                self._progress()

    def _kind(self, member: Member, wrapper: str, record: dict[str, Any]) -> Kind | None:
        """The kind of a record; where the list or the file tells it for all records, it is looked up once."""
        place = (member.name, wrapper)
        if place not in self.placed:
            kind, self.placed[place] = self._told(member, wrapper, record), None
            if kind and not any(one.tell for one in self.export.kinds) and kind == self._told(member, wrapper, {}):
                self.placed[place] = kind
            return kind
        return self.placed[place] or self._told(member, wrapper, record)

    def _told(self, member: Member, wrapper: str, record: dict[str, Any]) -> Kind | None:
        """Told by the list around it, by the name of the file or its folder, or by fields that only this kind has; where several fit, by their mark."""
        listed = [kind for kind in self.export.kinds if wrapper and wrapper in kind.lists()]
        places = [part.lower().split(".")[0] for part in (*Path(member.name).parts[::-1], member.file.stem)]
        if not listed or len(listed) > 1:
            named = [kind for place in places for kind in _longest(place, listed or self.export.kinds)]
            listed = [kind for kind in listed if kind.tell] + named if listed else named
        if record:
            marked = [kind for kind in self.export.kinds if kind.tell and str(at(record, kind.tell[0])) == kind.tell[1]]
            listed = marked or [kind for kind in listed if not kind.tell or at(record, kind.tell[0]) is None]
            listed = listed or [kind for kind in self.export.kinds if kind.needed and all(self.getters[kind.name][c]((record,)) for c in kind.needed)]
        return listed[0] if listed else None

    def _take(self, kind: Kind, trail: Trail, number: int, piece: Piece) -> None:
        if not kind.each:
            self.number += 1
        rows, values = self.rows[kind.name], {column: value(trail) for column, value in self.getters[kind.name].items()}
        if kind.each and any(values[column] is None for column in kind.needed):
            return
        for column, value in values.items():
            rows[column].append(value)
        for column, place in zip(PLACES, (self.number, number, piece.row), strict=True):
            rows[column].append(place)
        self.seen[kind.name].update(trail[-1].keys())
        for inner in kind.inside:
            for deeper in within(trail, inner.each):
                self._take(inner, deeper, number, piece)
        if len(rows[RECORD]) >= _AT_ONCE:
            self._flush(kind.name)

    def _flush(self, name: str) -> None:
        if self.rows[name][RECORD]:
            kind = self.kinds[name]
            frame = _frame(self.rows[name], kind)
            self.rows[name] = _blank(kind)
            self.frames.setdefault(name, []).append(frame)

    def _table(self, member: Member, number: int) -> None:
        """A table by its headers: they are paths, or alternatives of paths, in any case."""
        with opened(member) as stream:
            data, added = headed(stream.read(), self.export.kinds)
            table = files.opened_table(member.name, data)
        self.notes += table.notes
        headers = {folded(name): name for name in reversed(table.frame.columns)}
        kind = next(iter(self._fitting(member, headers)), None)
        height = table.frame.height
        if kind is None:
            self.unplaced[member.name] += height
            self.strange.update(dict.fromkeys(table.frame.columns, height))
            return
        frame = table.frame.select(
            *(_column(kind, ours, headers) for ours in kind.fields),
            pl.int_range(self.number + 1, self.number + height + 1, dtype=pl.Int64).alias(RECORD),
            pl.lit(number, dtype=pl.Int64).alias(FILE),
            pl.int_range(2 - added, height + 2 - added, dtype=pl.Int64).alias(LINE),
        )
        self.number += height
        self.seen[kind.name].update(dict.fromkeys(table.frame.columns, height))
        self._flush(kind.name)
        self.frames.setdefault(kind.name, []).append(frame)

    def _fitting(self, member: Member, headers: Mapping[str, str]) -> list[Kind]:
        """Kinds that the file is named after, if it has what they need; else whose needed fields it has."""
        named = _longest(member.stem(), self.export.kinds)
        full = [one for one in self.export.kinds if one.needed and all(_header(one, column, headers) for column in one.needed)]
        return [one for one in named if one in full or not one.needed] or full or named

    def _progress(self) -> None:
        if self.tell and self.number % 1_000 == 0 and time.monotonic() - self.told_at > _EVERY:
            self.told_at = time.monotonic()
            self.tell(f"{self.number:,} records read, {self.bytes / 1e6:,.0f} of {self.bytes_there / 1e6:,.0f} MB of files done")


def _header(kind: Kind, column: str, headers: Mapping[str, str]) -> str | None:
    return next((headers[folded(path)] for path in kind.fields[column].split(" | ") if folded(path) in headers), None)


def _column(kind: Kind, ours: str, headers: Mapping[str, str]) -> pl.Expr:
    theirs = _header(kind, ours, headers)
    value = _NOTHING if theirs is None else pl.col(theirs) if ours in kind.texts else files.known(theirs)
    return value.alias(ours)


def _longest(place: str, kinds: tuple[Kind, ...] | list[Kind]) -> list[Kind]:
    """The kinds whose file-name stem the place begins with or ends in, the longest stem first."""
    fits = [(len(stem), kind) for kind in kinds for stem in kind.files() if _begins(place, stem.lower()) or place.endswith((f"_{stem}", f"-{stem}"))]
    return [kind for _, kind in sorted(fits, key=lambda fit: -fit[0])]


def _begins(place: str, stem: str) -> bool:
    return place.startswith(stem) and not place[len(stem) : len(stem) + 1].isalpha()


def _fields(record: dict[str, Any]) -> set[str]:
    """The fields of a record that nobody knows, and of the first record in each of its lists."""
    inner = [value[0].keys() for value in record.values() if isinstance(value, list) and value and isinstance(value[0], dict)]
    return {*record, *(field for fields in inner for field in fields)}


def _unwrapped(record: dict[str, Any]) -> tuple[str, dict[str, Any]]:
    """A record that a pipeline put into an envelope, and the name of its stream."""
    for stream, inside in _ENVELOPES:
        if isinstance(record.get(inside), dict) and isinstance(record.get(stream), str):
            return record[stream], record[inside]
    return "", record


def schema(kind: Kind) -> dict[str, Any]:
    return {**dict.fromkeys(kind.fields, pl.String), **dict.fromkeys(PLACES, pl.Int64)}


def _blank(kind: Kind) -> dict[str, list[Any]]:
    return {column: [] for column in (*kind.fields, *PLACES)}


def _frame(rows: dict[str, list[Any]], kind: Kind) -> pl.DataFrame:
    try:
        return pl.DataFrame(rows, schema=schema(kind))
    except UnicodeEncodeError:
        # Half of an emoji, as some exports cut it, is no text that can be stored.
        whole = {column: [_encoded(one) for one in values] for column, values in rows.items()}
        return pl.DataFrame(whole, schema=schema(kind))


def _encoded(value: Any) -> Any:
    return value.encode("utf-8", "replace").decode() if isinstance(value, str) else value


def paths_of(kind: Kind) -> list[str]:
    inner = [path for one in kind.inside for path in (one.each, *(path for path in paths_of(one) if path.startswith("^")))]
    return [path for paths in kind.fields.values() for path in paths.split(" | ")] + inner


def folded(name: str) -> str:
    return name.lower().replace("_", "").replace(" ", "")
