"""What is in this file?

Opens what people really send (plain, zip, gz, a folder of those; csv, tsv, semicolons, spreadsheets, parquet, ndjson; UTF-8 with or without
a mark, UTF-16, cp1252) and hands on tables of text: nothing is guessed about a value here. One sheet of a spreadsheet, or one file of an archive, is
named like a file in a folder: `book.xlsx/Tickets`.
"""

from __future__ import annotations

import gzip
import io
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path

import polars as pl

from fcrlib.intake.tables import records, workbook, written
from fcrlib.intake.tables.spelled import as_text
from fcrlib.intake.tables.table import Table
from fcrlib.model.desk import fingerprint
from fcrlib.model.errors import DataError

NULL_TOKENS = ("", "?", "null", "(null)", "none", "nil", "nan", "n/a", "#n/a", "-", "--", "(empty)", "(blank)", "0000-00-00", "0000-00-00 00:00:00")
SHRUNK = r"^-?\d(?:[.,]\d+)?[eE]\+?\d+$|^-?\d+[.,]0+$"
"""What a spreadsheet makes of an id that it took for a number."""
_SUFFIXES = (".csv", ".tsv", ".txt", ".gz", ".zip", ".parquet", *records.ENDINGS, *workbook.ENDINGS)
_DEEPEST = 3


def tables(path: Path | str, *, delimiter: str | None = None, encoding: str | None = None) -> list[Table]:
    """Read every table of a file, an archive or a folder, in the order of their names.

    Raises
    ------
    DataError
        If there is none, or one cannot be read; each is named with the row concerned.
    """
    found: list[Table] = []
    problems = []
    file, inside = container(path)
    for name, data in _members(file):
        try:
            found += _opened(name, data, delimiter, encoding, inside=inside)
        except DataError as error:
            problems.append(error.what)
    if problems:
        raise DataError(f"{path} cannot be read:", problems)
    return _named(found, inside, file) if inside else found


def container(path: Path | str) -> tuple[Path, str]:
    """The file, and what is meant inside it: `book.xlsx/Tickets` is the sheet `Tickets` of `book.xlsx`; nothing is meant where the path exists."""
    place = Path(path)
    if not place.exists() and (file := next((one for one in place.parents if one.is_file()), None)):
        return file, str(place.relative_to(file))
    return place, ""


def _named(found: list[Table], inside: str, file: Path) -> list[Table]:
    """The one table that is meant; a lone sheet bears the name of its book alone."""
    names = [one.name for one in found]
    wanted = [one for one in found if one.name.partition("/")[2] == inside]
    if not wanted:
        raise DataError(f"{file} holds no '{inside}'; it holds:", [name.partition("/")[2] or name for name in names])
    return wanted


def table(path: Path | str, *, delimiter: str | None = None, encoding: str | None = None) -> Table:
    """Read the only table of a file; files of a folder or an archive that have the same columns are one.

    Raises
    ------
    DataError
        If it cannot be read, or there are several.
    """
    found = tables(path, delimiter=delimiter, encoding=encoding)
    if len(found) > 1 and len({frozenset(one.frame.columns) for one in found}) == 1:
        return _one_below_the_other(found, name=Path(path).name)
    if len(found) > 1:
        inside = [one.name.partition("/")[2] or one.name for one in found]
        raise DataError(f"{path} holds {len(found)} tables, one is needed: name it, e.g. '{path}/{inside[0]}'", inside)
    return found[0]


def _one_below_the_other(found: list[Table], *, name: str) -> Table:
    """Exports of one month each, as one table."""
    columns = found[0].frame.columns
    inside = [one.name.partition("/")[2] or one.name for one in found]
    said = f"{len(found)} tables of the same columns were put one below the other: {', '.join(inside[:12])}{' and others' if len(found) > 12 else ''}"
    places = [pl.select(pl.format("{}:{}", pl.lit(one.name), one.rows)).to_series() for one in found]
    notes = (said, *(note for one in found for note in one.notes))
    return Table(name, pl.concat([one.frame.select(columns) for one in found]), notes, pl.concat(places))


def opened_table(name: str, data: bytes) -> Table:
    """Read a table whose bytes are at hand.

    Raises
    ------
    DataError
        If it cannot be read, with the row concerned.
    """
    return _open(name, data, None, None)


def hashes(path: Path | str) -> dict[str, str]:
    """SHA-256 by file name, of a file or of every file in a folder."""
    return {file.name: fingerprint(file) for file in _listed(container(path)[0])}


def known(column: str, *, nulls: tuple[str, ...] = NULL_TOKENS) -> pl.Expr:
    """The column without surrounding blanks; words that mean "nothing here" become null.

    Examples
    --------
    >>> frame = pl.DataFrame({"group": [" Group 5", "?", "N/A"]})
    >>> frame.select(known("group"))["group"].to_list()
    ['Group 5', None, None]
    """
    bare = pl.col(column).str.strip_chars()
    return pl.when(~bare.str.to_lowercase().is_in(nulls)).then(bare).alias(column)


def _listed(path: Path) -> list[Path]:
    """The file itself, or the tables of a folder in the order of their names; other files there (a README) are no tables."""
    if path.is_file():
        return [path]
    if not path.is_dir():
        raise DataError(f"{path} is neither a file nor a folder: save what it gives as a file")
    return sorted(file for file in path.iterdir() if file.is_file() and file.suffix.lower() in _SUFFIXES and not file.name.startswith((".", "~$")))


def _members(path: Path) -> list[tuple[str, bytes]]:
    """Names and contents, unpacked."""
    if not path.exists():
        raise DataError(f"{path} does not exist: check the path")
    try:
        unpacked = [member for file in _listed(path) for member in _unpack(file.name, file.read_bytes())]
    except OSError as error:
        raise DataError(f"{path} cannot be opened: {error.strerror or error}") from None
    if not unpacked:
        raise DataError(f"{path} holds no table: one of {', '.join(_SUFFIXES)} is needed")
    return unpacked


def _unpack(name: str, data: bytes, deep: int = 0) -> list[tuple[str, bytes]]:
    """What is in an archive; an archive in an archive is opened, too, but not for ever."""
    if deep > _DEEPEST:
        raise DataError(f"{name} lies in archives inside of archives: unpack it and give the files inside")
    try:
        if data.startswith(b"\x1f\x8b"):
            return _unpack(name.removesuffix(".gz"), gzip.decompress(data), deep + 1)
        if data.startswith(b"PK\x05\x06"):
            raise DataError(f"{name} is an archive without a file in it: export it again")
        if not data.startswith(b"PK\x03\x04"):
            return [(name, data)]
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            if workbook.is_new(archive.namelist()):
                return [(name, data)]
            inner = sorted(one for one in archive.namelist() if not one.endswith("/") and not one.startswith(("__MACOSX", ".")))
            # A README beside the tables is no table; names without an ending may be.
            inner = [one for one in inner if one.lower().endswith(_SUFFIXES)] or inner
            return [member for one in inner for member in _unpack(f"{name}/{one}", archive.read(one), deep + 1)]
    except (zipfile.BadZipFile, gzip.BadGzipFile, zlib.error, EOFError):
        raise DataError(f"{name} is damaged or was cut off: its archive cannot be unpacked, fetch it again") from None
    except (RuntimeError, NotImplementedError):
        raise DataError(f"{name} is locked with a password: unpack it and give the file inside") from None


def _opened(name: str, data: bytes, delimiter: str | None, encoding: str | None, *, inside: str) -> list[Table]:
    """The table of a file, or the tables of a spreadsheet; a lone one bears the file's name, unless it is asked for by its own."""
    # What is an archive still is a spreadsheet: the others have been unpacked.
    if not workbook.is_old(data) and not data.startswith(b"PK\x03\x04"):
        return [_open(name, data, delimiter, encoding)]
    read = workbook.sheets(name, data)
    several = len(read) > 1 or bool(inside)
    return [Table(f"{name}/{sheet}" if several else name, frame.rename(written.header(frame.columns)), notes) for sheet, frame, notes in read]


def _open(name: str, data: bytes, delimiter: str | None, encoding: str | None) -> Table:
    if not data.strip():
        raise DataError(f"{name} is empty")
    if data.startswith(b"PAR1"):
        return _typed(name, lambda: pl.read_parquet(io.BytesIO(data)))
    bare = records.unmarked(data)
    if bare.startswith((b"{", b"[")):
        return _typed(name, lambda: records.frame(bare), where=lambda: records.first_bad_line(bare))
    if name.lower().endswith(records.ENDINGS):
        raise DataError(f"{name} holds no records: it begins with {bare[:20].decode(errors='replace')!r}, not with {{ or [")
    return written.table(name, data, delimiter=delimiter, encoding=encoding)


def _typed(name: str, read: Callable[[], pl.DataFrame], where: Callable[[], str] = str) -> Table:
    """A table whose file knows types, as text."""
    try:
        frame = as_text(read())
    except pl.exceptions.PolarsError as error:
        raise DataError(f"{name} is damaged{where()}: {str(error).splitlines()[0]}") from None
    if frame.is_empty():
        raise DataError(f"{name} holds no rows")
    return Table(name, frame)
