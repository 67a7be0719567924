"""How do the files of an export become rows, kind by kind?"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from itertools import chain, count, takewhile
from pathlib import Path
from typing import Any

import polars as pl

from fcrlib.intake.canonical import instants
from fcrlib.intake.export import columns
from fcrlib.intake.export.columns import Record
from fcrlib.intake.export.headless import header
from fcrlib.intake.export.kinds import Export, Kind, at
from fcrlib.intake.export.members import Member, opened
from fcrlib.intake.export.pages import Sheet
from fcrlib.intake.export.pieces import Page, Run, pieces
from fcrlib.intake.export.progress import Progress
from fcrlib.intake.export.shelf import Shelf, room
from fcrlib.intake.tables import files, lengths
from fcrlib.model.errors import DataError

RECORD, FILE, LINE = "fcrlib record", "fcrlib file", "fcrlib line"
"""Number of the record over the whole export (what stood together shares it), number of its file, row in that file."""
_ENVELOPES = (("stream", "record"), ("stream", "data"), ("_airbyte_stream", "_airbyte_data"))
_INSIDES = frozenset(inside for _, inside in _ENVELOPES)
PLACES = (RECORD, FILE, LINE)
_AT_ONCE = 256 * 2**10
"""Bytes of records that wait as Python objects, ten times that size, before they become frames; few enough for the nearest memory."""
_FIRST = 65_536
_NOTHING = pl.lit(None, dtype=pl.String)


class Gathering:
    """One reading, as it goes: records that wait for their frame, pages, counts, problems. It collects, so that all is said at once."""

    def __init__(self, export: Export, *, names: Sequence[str], shelf: Shelf, progress: Progress, longest: int) -> None:
        self.export, self.names, self.shelf, self.progress, self.longest = export, pl.Series(names, dtype=pl.String), shelf, progress, longest
        self.kinds = export.every()
        self.wrappers = {wrapper for kind in export.kinds for wrapper in kind.lists()}
        self.marks = tuple(dict.fromkeys(kind.tell[0] for kind in export.kinds if kind.tell))
        self.waiting: dict[str, _Waiting] = defaultdict(_Waiting)
        self.waits = 0
        self.seen: dict[str, Counter[str]] = defaultdict(Counter)
        self.strange: Counter[str] = Counter()
        self.unplaced: Counter[str] = Counter()
        self.sheets: list[Sheet] = []
        self.problems: list[str] = []
        self.notes: list[str] = []
        self.placed: dict[tuple[str, str, tuple[str, ...]], Kind] = {}
        self.number = 0

    def take(self, member: Member, number: int) -> None:
        """Read one file; what is wrong with it is told at the end."""
        try:
            (self._table if member.is_table() else self._text)(member, number)
            self._put_away()
        except DataError as error:
            self.problems.append(error.what)
        except RecursionError:
            self.problems.append(f"{member.name}: one of the records up to number {self.number:,} is nested too deeply")
            self.waiting.clear()
        self.progress.done(member.size)

    def table(self, kind: str) -> pl.DataFrame:
        """All rows of a kind, in the order of the files."""
        return self.shelf.frame(kind, schema=schema(self.kinds[kind]))

    def _text(self, member: Member, number: int) -> None:
        last = ""
        self.placed.clear()
        with opened(member, passed=self.progress.passed) as stream:
            for piece in pieces(stream, name=member.name, wrappers=self.wrappers, longest=self.longest):
                if isinstance(piece, Page):
                    kind = self._told(member, piece.wrapper, {})
                    # Where records say themselves what they are, the page is of their kind.
                    name = kind.name if kind and not (kind.tell and last) else last
                    self.sheets += [Sheet(name, member.name, piece.row, piece.records, piece.said)] if name else []
                    continue
                last = self._run(member, number, piece) or last

    def _run(self, member: Member, number: int, run: Run) -> str:
        """Let the records wait, each with its kind; the kind of the last one that has one."""
        last = ""
        for row, value in zip(run.rows, run.values, strict=True):
            stream_name, record = self._bare(value)
            kind = self._kind(member, stream_name or run.wrapper, record)
            if kind is None:
                self.unplaced[stream_name or run.wrapper or member.name] += 1
                self.strange.update(_fields(record))
                continue
            last = kind.name
            self.number += 1
            self.waiting[last].add(record, self.number, number, row)
        self.waits += run.size
        if self.waits > _AT_ONCE:
            self._put_away()
        self.progress.tell(self.number)
        return last

    def _bare(self, value: Record) -> tuple[str, Record]:
        """A record without its envelope, and what that says about it: the stream of a pipeline, or `{"ticket": {...}}`, the answer for one alone."""
        if len(value) == 1:
            name, inside = next(iter(value.items()))
            if isinstance(inside, dict) and (list_of := next((one for one in (name, f"{name}s") if one in self.wrappers), None)):
                return list_of, inside
        return ("", value) if _INSIDES.isdisjoint(value) else _unwrapped(value)

    def _kind(self, member: Member, wrapper: str, record: Record) -> Kind | None:
        """The kind of a record; it is looked up once where the list, the file and the marks of the record tell it."""
        if not record:
            return self._told(member, wrapper, record)
        place = (member.name, wrapper, tuple([str(at(record, mark)) for mark in self.marks]))
        if place not in self.placed:
            kind = self._told(member, wrapper, record)
            if kind is None or kind not in self._listed(member, wrapper, record):
                return kind
            self.placed[place] = kind
        return self.placed[place]

    def _told(self, member: Member, wrapper: str, record: Record) -> Kind | None:
        """Told by the list around it, by the name of the file or its folder, or by fields that only this kind has; where several fit, by their mark."""
        listed = self._listed(member, wrapper, record)
        if record and not listed:
            listed = [kind for kind in self.export.kinds if kind.told_by() and all(_has(kind.fields[sign], record) for sign in kind.told_by())]
        return listed[0] if listed else None

    def _listed(self, member: Member, wrapper: str, record: Record) -> list[Kind]:
        """Kinds that it is by the list around it, by its file and by its mark."""
        listed = [kind for kind in self.export.kinds if wrapper and wrapper in kind.lists()]
        places = [part.lower().split(".")[0] for part in (*Path(member.name).parts[::-1], member.file.stem)]
        if not listed or len(listed) > 1:
            named = [kind for place in places for kind in _longest(place, listed or self.export.kinds)]
            listed = named + [kind for kind in listed if kind.tell and kind not in named] if listed else named
        if not record:
            return listed
        marked = [kind for kind in self.export.kinds if kind.tell and str(at(record, kind.tell[0])) == kind.tell[1]]
        return marked or [kind for kind in listed if not kind.tell or at(record, kind.tell[0]) is None]

    def _put_away(self) -> None:
        """Make frames of the records that wait."""
        for name, some in self.waiting.items():
            places = pl.DataFrame([some.numbers, some.files, some.rows], schema=dict.fromkeys(PLACES, pl.Int64))
            for kind, found, frame in columns.frames(self.kinds[name], (some.records,), places=self._placed(places)):
                self.seen[kind.name].update(chain.from_iterable(found))
                self.shelf.put(kind.name, frame)
        self.waiting.clear()
        self.waits = 0

    def _placed(self, frame: pl.DataFrame) -> pl.DataFrame:
        """With the place as messages say it, `tickets.json:17`."""
        return frame.with_columns(pl.format("{}:{}", pl.lit(self.names).gather(pl.col(FILE)), pl.col(LINE)).alias(instants.ROW))

    def _table(self, member: Member, number: int) -> None:
        """A table, of a long one some rows after the other."""
        with opened(member, passed=self.progress.passed) as stream:
            begin = stream.read(_FIRST)
            above = header(begin, self.export.kinds)
            for table in lengths.tables(member.name, stream, begin=begin, above=above, place=room()):
                self.notes += table.notes
                self._rows(member, number, table.frame, table.rows.cast(pl.Int64) - bool(above))
                self.progress.tell(self.number)

    def _rows(self, member: Member, number: int, frame: pl.DataFrame, rows: pl.Series) -> None:
        """Rows of a table by its headers: they are paths, or alternatives of paths, in any case."""
        headers = {folded(name): name for name in reversed(frame.columns)}
        kind = next(iter(self._fitting(member, headers)), None)
        if kind is None:
            self.unplaced[member.name] += frame.height
            self.strange.update(dict.fromkeys(frame.columns, frame.height))
            return
        known = frame.select(
            *(_column(kind, ours, headers) for ours in kind.fields),
            pl.int_range(self.number + 1, self.number + frame.height + 1, dtype=pl.Int64).alias(RECORD),
            pl.lit(number, dtype=pl.Int64).alias(FILE),
            pl.lit(rows).alias(LINE),
        )
        self.number += frame.height
        self.seen[kind.name].update(dict.fromkeys(frame.columns, frame.height))
        self.shelf.put(kind.name, self._placed(known))

    def _fitting(self, member: Member, headers: Mapping[str, str]) -> list[Kind]:
        """Kinds that the file is named after, if it has what they need; else whose needed fields it has."""
        named = _longest(member.stem(), self.export.kinds)
        full = [one for one in self.export.kinds if one.told_by() and all(_header(one, column, headers) for column in one.told_by())]
        return [one for one in named if one in full or not one.needed] or full or named


class _Waiting:
    """Records of one kind that wait for their frame: what they say, their number, their file, their row."""

    def __init__(self) -> None:
        self.records: list[Record] = []
        self.numbers: list[int] = []
        self.files: list[int] = []
        self.rows: list[int] = []

    def add(self, record: Record, number: int, file: int, row: int) -> None:
        self.records.append(record)
        self.numbers.append(number)
        self.files.append(file)
        self.rows.append(row)


def _header(kind: Kind, column: str, headers: Mapping[str, str]) -> str | None:
    return next((headers[folded(path)] for path in kind.fields[column].split(" | ") if folded(path) in headers), None)


def _column(kind: Kind, ours: str, headers: Mapping[str, str]) -> pl.Expr:
    theirs = _header(kind, ours, headers)
    if theirs is not None and ours in kind.many and (more := _repeated(theirs, headers)):
        return _together([theirs, *more]).alias(ours)
    value = _NOTHING if theirs is None else pl.col(theirs) if ours in kind.texts else files.known(theirs)
    return value.alias(ours)


def _repeated(header: str, headers: Mapping[str, str]) -> list[str]:
    """Further columns under one header; they are numbered from the second on."""
    numbered = (headers.get(f"{folded(header)}({number})") for number in count(2))
    return [name for name in takewhile(lambda name: name is not None, numbered) if name]


def _together(names: Sequence[str]) -> pl.Expr:
    """What stands in several columns, as a list in JSON; nothing where nothing does."""
    some = pl.concat_list(files.known(name) for name in names).list.drop_nulls()
    text = pl.struct(some.alias("some")).struct.json_encode().str.strip_prefix('{"some":').str.head(-1)
    return pl.when(some.list.len() > 0).then(text)


def _longest(place: str, kinds: tuple[Kind, ...] | list[Kind]) -> list[Kind]:
    """The kinds whose file-name stem the place begins with or ends in, the longest stem first."""
    fits = [(len(stem), kind) for kind in kinds for stem in kind.files() if _begins(place, stem.lower()) or place.endswith((f"_{stem}", f"-{stem}"))]
    return [kind for _, kind in sorted(fits, key=lambda fit: -fit[0])]


def _begins(place: str, stem: str) -> bool:
    return place.startswith(stem) and not place[len(stem) : len(stem) + 1].isalpha()


def _has(paths: str, record: Record) -> bool:
    return any(at(record, path.strip()) is not None for path in paths.split(" | "))


def _fields(record: Record) -> set[str]:
    """The fields of a record that nobody knows, and of the first record in each of its lists."""
    inner = [value[0].keys() for value in record.values() if isinstance(value, list) and value and isinstance(value[0], dict)]
    return {*record, *(field for fields in inner for field in fields)}


def _unwrapped(record: Record) -> tuple[str, Record]:
    """A record that a pipeline put into an envelope, and the name of its stream."""
    for stream, inside in _ENVELOPES:
        if isinstance(record.get(inside), dict) and isinstance(record.get(stream), str):
            return record[stream], record[inside]
    return "", record


def schema(kind: Kind) -> dict[str, Any]:
    return {**dict.fromkeys(kind.fields, pl.String), **dict.fromkeys(PLACES, pl.Int64), instants.ROW: pl.String}


def paths_of(kind: Kind) -> list[str]:
    inner = [path for one in kind.inside for path in (one.each, *(path for path in paths_of(one) if path.startswith("^")))]
    return [path for paths in kind.fields.values() for path in paths.split(" | ")] + inner


def folded(name: str) -> str:
    return name.lower().replace("_", "").replace(" ", "")
