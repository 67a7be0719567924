"""How is a table read that is too long to be held as text?

It is written anew as UTF-8 into a file for the time being, and read from there length by length; what is wrong with it is said as of a short one.
"""

from __future__ import annotations

import codecs
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import IO

import polars as pl

from fcrlib.intake.tables import files, records, written
from fcrlib.intake.tables.table import Table
from fcrlib.model.errors import DataError

SHORT = 16 * 2**20
"""Bytes of a table that is read at once."""
_ROWS = 10_000
_CHUNK = 2**20


def tables(name: str, stream: IO[bytes], *, begin: bytes = b"", above: bytes = b"", place: str | None = None, short: int = SHORT) -> Iterator[Table]:
    """Read a table from a stream, of a long one some rows after the other.

    Parameters
    ----------
    name
        For messages.
    stream
        Its bytes, unpacked.
    begin
        What has been read of it already.
    above
        A header, where the table has none.
    place
        Folder for the file for the time being.
    short
        Bytes up to which it is read at once.

    Raises
    ------
    DataError
        If it cannot be read, with the row concerned; rows before that have been handed on by then.
    """
    head = begin + stream.read(max(short - len(begin), 0))
    long = len(head) >= short and written.is_text(head)
    head = above + head.removeprefix(codecs.BOM_UTF8) if above else head
    if not long:
        yield files.opened_table(name, head + stream.read())
        return
    with tempfile.NamedTemporaryFile(prefix="fcr-", suffix=".csv", dir=place) as copy:
        notes = _copied(name, head, stream, copy)
        copy.flush()
        yield from _lengths(name, Path(copy.name), notes)


def _copied(name: str, head: bytes, stream: IO[bytes], copy: IO[bytes]) -> tuple[str, ...]:
    """Write the table as UTF-8 without a mark; what had to be decided."""
    notes: tuple[str, ...] = ()
    encoding = records.marked(head)
    decoder = codecs.getincrementaldecoder(encoding or "utf-8")()
    row, passed, foreign, data = 1, 0, False, head
    while True:
        waiting = decoder.getstate()[0]
        try:
            text = decoder.decode(data, final=not data)
        except UnicodeDecodeError as error:
            broken = waiting + data
            bad = row + broken.count(b"\n", 0, error.start)
            if encoding or foreign:
                said = f"{name} is {encoding or 'UTF-8'} with broken bytes, the first in row {bad:,}: was it joined from files in two encodings?"
                raise DataError(said) from None
            text, notes = written.as_cp1252(name, broken, f"row {bad:,} (byte {passed - len(waiting) + error.start:,})")
            encoding = "cp1252"
            decoder = codecs.getincrementaldecoder(encoding)()
        if "\x00" in text:
            raise DataError(f"{name} is no text: it holds NUL bytes; export it as CSV")
        foreign = foreign or not text.isascii()
        row += text.count("\n")
        copy.write((text if passed else text.lstrip("\r\n")).encode())
        if not data:
            return notes
        passed, data = passed + len(data), stream.read(_CHUNK)


def _lengths(name: str, file: Path, notes: tuple[str, ...]) -> Iterator[Table]:
    """The table of a file in UTF-8, some rows after the other."""
    with file.open(encoding="utf-8", newline="") as text:
        begin = text.readline(_CHUNK)
        told = written.separator_line(begin)
        begin = text.readline(_CHUNK) if told else begin
    if not begin.endswith("\n"):
        raise DataError(f"{name}: its first line is longer than a mebibyte, which no header is: was it exported as a table?")
    separator = told or written.sniff(begin)
    columns = written.width(begin, separator)
    _refuse_cut_off(name, file, separator, columns)
    first = 2
    try:
        batches = pl.scan_csv(file, separator=separator, infer_schema=False, skip_lines=1 if told else 0).collect_batches(chunk_size=_ROWS)
        for batch in batches:
            yield written.rows(name, batch, notes=notes if first == 2 else (), first=first)
            first += batch.height
    except pl.exceptions.PolarsError:
        with file.open(encoding="utf-8", newline="") as text:
            raise DataError(f"{name}: {written.first_bad_row(text, separator, columns)}") from None


def _refuse_cut_off(name: str, file: Path, separator: str, columns: int) -> None:
    with file.open("rb") as data:
        data.seek(max(file.stat().st_size - _CHUNK, 0))
        written.refuse_cut_off(name, data.read().decode("utf-8", errors="ignore"), separator, columns)
