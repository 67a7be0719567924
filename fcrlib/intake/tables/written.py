"""What does a table say that is written as text?

Commas, semicolons, tabs or bars between; UTF-8 with or without a mark, UTF-16, or cp1252 as older Windows programs write it.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator

import polars as pl

from fcrlib.intake.tables.records import marked
from fcrlib.intake.tables.table import Table
from fcrlib.model.errors import DataError
from fcrlib.model.letters import visible

_DELIMITERS = ",;\t|"
# A text may be as long as it is: Python's own limit is 128 kB.
csv.field_size_limit(2**31 - 1)


def table(name: str, data: bytes, *, delimiter: str | None = None, encoding: str | None = None) -> Table:
    """Read a table whose bytes are at hand.

    Raises
    ------
    DataError
        If it cannot be read, with the row concerned.
    """
    text, notes = _decoded(name, data, encoding)
    frame, separator = _parse(name, text, delimiter)
    return rows(name, frame, notes=(*notes, *_short(name, text, frame, separator)))


def rows(name: str, frame: pl.DataFrame, *, notes: tuple[str, ...] = (), first: int = 2) -> Table:
    """The rows that say something, under clean names; `first` is the number of the first of all.

    Raises
    ------
    DataError
        If none does.
    """
    which = says(frame)
    said = frame.filter(which).rename(header(frame.columns))
    if said.is_empty() and first == 2:
        raise DataError(f"{name} has a header but no rows")
    return Table(name, said, notes, (which.arg_true() + first).cast(pl.String))


def is_text(head: bytes) -> bool:
    """Is it a table that is written as text, by its first bytes?"""
    return not head.startswith((b"PAR1", b"\x1f\x8b", b"PK\x03\x04")) and not head.lstrip(b"\xef\xbb\xbf \t\r\n").startswith((b"{", b"["))


def _decoded(name: str, data: bytes, encoding: str | None) -> tuple[str, tuple[str, ...]]:
    named = encoding or marked(data)
    try:
        return data.decode(named or "utf-8"), ()
    except UnicodeDecodeError as error:
        row = data.count(b"\n", 0, error.start) + 1
        where = f"row {row:,} (byte {error.start:,})"
    except (LookupError, ValueError):
        raise DataError(f"{name}: there is no encoding called '{visible(encoding or '')}'; usual ones are utf-8, cp1252 and utf-16") from None
    if named:
        raise DataError(f"{name} is not {named}: {where} does not fit; drop `encoding` from the mapping or correct it")
    return as_cp1252(name, data, where)


def as_cp1252(name: str, data: bytes, where: str) -> tuple[str, tuple[str, ...]]:
    """Read what is not UTF-8 the way older Windows programs write it, unless most of it was UTF-8 after all."""
    lenient = data.decode("utf-8", errors="replace")
    broken = lenient.count("\ufffd")
    accented = sum(1 for letter in lenient if letter > "\x7f") - broken
    if accented > broken:
        raise DataError(f"{name} is UTF-8 with {broken:,} broken bytes, the first in {where}: was it joined from files in two encodings?")
    try:
        return data.decode("cp1252"), (f"{name} is not UTF-8 ({where}); it was read as cp1252",)
    except UnicodeDecodeError:
        raise DataError(f"{name} is neither UTF-8 nor cp1252 ({where}): save it as `CSV UTF-8`, or name its encoding in the mapping") from None


def _short(name: str, text: str, frame: pl.DataFrame, separator: str) -> list[str]:
    """A note of rows that have fewer fields than the header: perhaps a text was broken by a line break that stands in no quotes."""
    if frame.width < 2 or not frame[:, -1].null_count():
        return []
    few = [number for number, row in enumerate(_rows(io.StringIO(text), separator), start=1) if number > 1 and 0 < len(row) < frame.width]
    said = "what is missing was read as empty; a text with a line break in it must stand in quotes"
    return [f"{name}: {len(few):,} rows have fewer fields than the header, the first is row {few[0]:,}: {said}"] if few else []


def _parse(name: str, text: str, delimiter: str | None) -> tuple[pl.DataFrame, str]:
    if "\x00" in text:
        raise DataError(f"{name} is no text: it holds NUL bytes; export it as CSV")
    text = text if "\n" in text else text.replace("\r", "\n")
    first, _, rest = text.partition("\n")
    if told := separator_line(first):
        delimiter, text = told, rest
    text = text.lstrip("\r\n")
    separator = delimiter or sniff(text)
    columns = width(text, separator)
    refuse_cut_off(name, text, separator, columns)
    try:
        return pl.read_csv(text.encode(), separator=separator, infer_schema=False), separator
    except pl.exceptions.PolarsError:
        raise DataError(f"{name}: {first_bad_row(io.StringIO(text), separator, columns)}") from None


def _rows(lines: Iterable[str], separator: str, *, strict: bool = False) -> Iterator[list[str]]:
    """The rows of some lines as Python reads them; a carriage return within a line ends none."""
    bare = (line.rstrip("\r\n").replace("\r", " ") + "\n" for line in lines)
    return csv.reader(bare, delimiter=separator, strict=strict)


def width(text: str, separator: str) -> int:
    """How many columns the header has."""
    return len(next(_rows(io.StringIO(text), separator), []))


def separator_line(first: str) -> str:
    """The delimiter that a first line such as `sep=;` names; empty where it is a header."""
    return first.strip()[-1] if first.lower().startswith("sep=") and len(first.strip()) == 5 else ""


def sniff(text: str) -> str:
    r"""The delimiter of a table, by its header line.

    Examples
    --------
    >>> sniff("id;opened, local;closed\n1;2;3")
    ';'
    """
    header = text.partition("\n")[0]
    bare = "".join(header.split('"')[::2])
    return max(_DELIMITERS, key=bare.count)


def header(columns: list[str]) -> dict[str, str]:
    """Clean names: no blanks around them, none empty, repeated ones numbered from the second on."""
    names: dict[str, str] = {}
    for position, column in enumerate(columns, start=1):
        bare = column.rpartition("_duplicated_")[0] if "_duplicated_" in column else column
        clean = visible(bare).strip() or f"column {position}"
        repeats = sum(1 for taken in names.values() if taken == clean or taken.startswith(f"{clean} ("))
        names[column] = f"{clean} ({repeats + 1})" if repeats else clean
    return names


def says(frame: pl.DataFrame) -> pl.Series:
    """Which rows say something: blank ones do not, nor does a header that comes again where files were put one behind the other."""
    names = {name: name.rpartition("_duplicated_")[0] if "_duplicated_" in name else name for name in frame.columns}
    again = pl.all_horizontal(pl.col(name).fill_null("") == said for name, said in names.items())
    blank = pl.all_horizontal(pl.all().is_null())
    return frame.select(~(again | blank) | (frame.width < 2)).to_series()


def refuse_cut_off(name: str, text: str, separator: str, columns: int) -> None:
    """A last line that stops in the middle is a download that stopped in the middle, unless the line before is as short."""
    before, _, last = text.rpartition("\n")
    if not last or not before or last.count('"') % 2:
        return
    fields, usual = (width(line, separator) for line in (last, before.rpartition("\n")[2]))
    if fields < columns and usual == columns:
        raise DataError(f"{name}: the last row has {fields} of {columns} fields and no line end: the file was cut off, export it again")


def first_bad_row(lines: Iterable[str], separator: str, columns: int) -> str:
    """Where a table breaks; only read when it does."""
    number = 0
    try:
        for number, row in enumerate(_rows(lines, separator, strict=True), start=1):
            if len(row) > columns:
                return (
                    f"row {number:,} has {len(row)} fields, the header has {columns}: "
                    f"a text with '{separator}' in it must stand in quotes; or is the delimiter another one?"
                )
    except csv.Error as error:
        return f"row {number + 1:,} or a row after it opens a quote that never closes ({error}): was the file cut off?"
    return "its rows cannot be told apart: is the delimiter another one, or a quote not closed?"
