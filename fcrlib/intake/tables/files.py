"""What is in this file?

Opens what people really send (plain, zip, gz, a folder of those; csv, tsv, semicolons, spreadsheets, parquet, ndjson; UTF-8 with or without
a mark, UTF-16, cp1252) and hands on tables of text: nothing is guessed about a value here. One sheet of a spreadsheet, or one file of an archive, is
named like a file in a folder: `book.xlsx/Tickets`.
"""

from __future__ import annotations

import csv
import gzip
import io
import json
import zipfile
import zlib
from dataclasses import dataclass, field
from pathlib import Path

import polars as pl

from fcrlib.intake.tables import workbook
from fcrlib.model.desk import fingerprint
from fcrlib.model.errors import DataError
from fcrlib.model.letters import visible

NULL_TOKENS = ("", "?", "null", "(null)", "none", "nil", "nan", "n/a", "#n/a", "-", "--", "(empty)", "(blank)")
_SUFFIXES = (".csv", ".tsv", ".txt", ".gz", ".zip", ".parquet", ".ndjson", ".jsonl", *workbook.ENDINGS)
_DELIMITERS = ",;\t|"
_MARKS = {b"\xef\xbb\xbf": "utf-8-sig", b"\xff\xfe": "utf-16", b"\xfe\xff": "utf-16"}


@dataclass(frozen=True, slots=True)
class Table:
    """A table of text as the file holds it.

    Parameters
    ----------
    name
        The file's name; a member of an archive is `archive/member`, a sheet of several `book/sheet`.
    frame
        Every column as text, in the file's order; nothing is stripped or turned into null but empty fields.
    notes
        What had to be decided to read it, e.g. the encoding.
    rows
        Where each row stands, e.g. `17`, or of several files `2026-02.csv:17`; the header is row 1.
    """

    name: str
    frame: pl.DataFrame
    notes: tuple[str, ...] = ()
    rows: pl.Series = field(default_factory=lambda: pl.Series(dtype=pl.String))

    def __post_init__(self) -> None:
        if len(self.rows) != self.frame.height:
            object.__setattr__(self, "rows", pl.int_range(2, self.frame.height + 2, eager=True).cast(pl.String))


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


def _unpack(name: str, data: bytes) -> list[tuple[str, bytes]]:
    try:
        if data.startswith(b"\x1f\x8b"):
            return [(name.removesuffix(".gz"), gzip.decompress(data))]
        if data.startswith(b"PK\x05\x06"):
            raise DataError(f"{name} is an archive without a file in it: export it again")
        if not data.startswith(b"PK\x03\x04"):
            return [(name, data)]
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            if workbook.is_new(archive.namelist()):
                return [(name, data)]
            inner = sorted(one for one in archive.namelist() if not one.endswith("/") and not one.startswith(("__MACOSX", ".")))
            return [(f"{name}/{one}", archive.read(one)) for one in inner]
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
    return [Table(f"{name}/{sheet}" if several else name, frame.rename(_header(frame.columns)), notes) for sheet, frame, notes in read]


def _open(name: str, data: bytes, delimiter: str | None, encoding: str | None) -> Table:
    if not data.strip():
        raise DataError(f"{name} is empty")
    try:
        if data.startswith(b"PAR1"):
            return Table(name, as_text(pl.read_parquet(io.BytesIO(data))))
        if data.lstrip().startswith((b"{", b"[")):
            lines = pl.read_json if data.lstrip().startswith(b"[") else pl.read_ndjson
            return Table(name, as_text(lines(io.BytesIO(data), infer_schema_length=None)))
    except pl.exceptions.PolarsError as error:
        raise DataError(f"{name} is damaged{_first_bad_line(data)}: {str(error).splitlines()[0]}") from None
    text, notes = _decode(name, data, encoding)
    frame = _parse(name, text, delimiter)
    says = _says(frame)
    said = frame.filter(says).rename(_header(frame.columns))
    if said.is_empty():
        raise DataError(f"{name} has a header but no rows")
    return Table(name, said, notes, (says.arg_true() + 2).cast(pl.String))


def _first_bad_line(data: bytes) -> str:
    """Which line of a file with one record a line is none; only read when one is."""
    for number, line in enumerate(data.splitlines() if data.lstrip().startswith(b"{") else [], start=1):
        try:
            json.loads(line or b"{}")
        except (ValueError, RecursionError):
            return f" in row {number:,}"
    return ""


def as_text(frame: pl.DataFrame) -> pl.DataFrame:
    """Write typed columns as text, so that every file is read by the same rules; nested fields become `outer.inner`."""
    while nested := [name for name, dtype in frame.schema.items() if dtype == pl.Struct]:
        frame = frame.with_columns(pl.col(name).name.map_fields(lambda field, outer=name: f"{outer}.{field}") for name in nested).unnest(nested)  # type: ignore[misc]
    return frame.select(_spelled(name, dtype) for name, dtype in frame.schema.items())


def _spelled(name: str, dtype: pl.DataType) -> pl.Expr:
    column = pl.col(name)
    if isinstance(dtype, pl.Datetime):
        return column.dt.strftime("%Y-%m-%dT%H:%M:%S%.6f") if dtype.time_zone is None else _in_utc(column)
    if isinstance(dtype, pl.Array):
        column, dtype = column.arr.to_list(), pl.List(dtype.inner)
    if isinstance(dtype, pl.List):
        return _listed_as_json(column, name) if dtype.inner.is_nested() else column.cast(pl.List(pl.String)).list.join(",")
    if dtype == pl.Duration:
        return (column.dt.total_microseconds() / 1_000_000).cast(pl.String)
    if dtype == pl.Binary:
        return column.bin.encode("hex")
    if dtype.is_float():
        # An id column with a gap in it travels as 1001.0; the id is 1001.
        whole = column.is_null() | (column == column.round())
        return pl.when(whole.all()).then(column.cast(pl.Int64, strict=False).cast(pl.String)).otherwise(column.cast(pl.String)).alias(name)
    return column.cast(pl.String)


def _listed_as_json(column: pl.Expr, name: str) -> pl.Expr:
    """A list of objects or lists, as it would be written in a file of text."""
    whole = pl.struct(column.alias("all")).struct.json_encode().str.extract(r"(?s)^\{\"all\":(.*)\}$")
    return pl.when(column.is_not_null()).then(whole).alias(name)


def _in_utc(column: pl.Expr) -> pl.Expr:
    return column.dt.convert_time_zone("UTC").dt.strftime("%Y-%m-%dT%H:%M:%S%.6fZ")


def _decode(name: str, data: bytes, encoding: str | None) -> tuple[str, tuple[str, ...]]:
    marked = next((kind for mark, kind in _MARKS.items() if data.startswith(mark)), None)
    try:
        return data.decode(encoding or marked or "utf-8"), ()
    except LookupError:
        raise DataError(f"{name}: there is no encoding called '{encoding}'; usual ones are utf-8, cp1252 and utf-16") from None
    except UnicodeDecodeError as error:
        row = data.count(b"\n", 0, error.start) + 1
        where = f"row {row:,} (byte {error.start:,})"
    if encoding or marked:
        raise DataError(f"{name} is not {encoding or marked}: {where} does not fit; drop `encoding` from the mapping or correct it")
    return _as_cp1252(name, data, where)


def _as_cp1252(name: str, data: bytes, where: str) -> tuple[str, tuple[str, ...]]:
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


def _parse(name: str, text: str, delimiter: str | None) -> pl.DataFrame:
    if "\x00" in text:
        raise DataError(f"{name} is no text: it holds NUL bytes; export it as CSV")
    text = text if "\n" in text else text.replace("\r", "\n")
    first, _, rest = text.partition("\n")
    if first.lower().startswith("sep=") and len(first.strip()) == 5:
        delimiter, text = first.strip()[-1], rest
    text = text.lstrip("\r\n")
    separator = delimiter or sniff(text)
    columns = len(next(csv.reader(io.StringIO(text), delimiter=separator), []))
    _refuse_cut_off(name, text, separator, columns)
    try:
        return pl.read_csv(text.encode(), separator=separator, infer_schema=False)
    except pl.exceptions.PolarsError:
        raise DataError(f"{name}: {_first_bad_row(text, separator, columns)}") from None


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


def _header(columns: list[str]) -> dict[str, str]:
    """Clean names: no blanks around them, none empty, repeated ones numbered from the second on."""
    names: dict[str, str] = {}
    for position, column in enumerate(columns, start=1):
        bare = column.rpartition("_duplicated_")[0] if "_duplicated_" in column else column
        clean = visible(bare).strip() or f"column {position}"
        repeats = sum(1 for taken in names.values() if taken == clean or taken.startswith(f"{clean} ("))
        names[column] = f"{clean} ({repeats + 1})" if repeats else clean
    return names


def _says(frame: pl.DataFrame) -> pl.Series:
    """Which rows say something: blank ones do not, nor does a header that comes again where files were put one behind the other."""
    header = {name: name.rpartition("_duplicated_")[0] if "_duplicated_" in name else name for name in frame.columns}
    again = pl.all_horizontal(pl.col(name).fill_null("") == said for name, said in header.items())
    blank = pl.all_horizontal(pl.all().is_null())
    return frame.select(~(again | blank) | (frame.width < 2)).to_series()


def _refuse_cut_off(name: str, text: str, separator: str, columns: int) -> None:
    """A last line that stops in the middle is a download that stopped in the middle, unless the line before is as short."""
    before, _, last = text.rpartition("\n")
    if not last or not before or last.count('"') % 2:
        return
    fields, usual = (len(next(csv.reader([line], delimiter=separator), [])) for line in (last, before.rpartition("\n")[2]))
    if fields < columns and usual == columns:
        raise DataError(f"{name}: the last row has {fields} of {columns} fields and no line end: the file was cut off, export it again")


def _first_bad_row(text: str, separator: str, columns: int) -> str:
    """Where a table breaks; only read when it does."""
    try:
        for number, row in enumerate(csv.reader(io.StringIO(text), delimiter=separator, strict=True), start=1):
            if len(row) > columns:
                return (
                    f"row {number:,} has {len(row)} fields, the header has {columns}: "
                    f"a text with '{separator}' in it must stand in quotes; or is the delimiter another one?"
                )
    except csv.Error as error:
        return f"row {number + 1:,} or a row after it opens a quote that never closes ({error}): was the file cut off?"
    return "its rows cannot be told apart: is the delimiter another one, or a quote not closed?"
