"""Is this an incident audit log, or are these tables of an instance?

The heads of the files tell, however large they are: a log has no record ids, and its incidents stand on several rows.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path

import polars as pl

from fcrlib.intake.export.gather import folded
from fcrlib.intake.export.members import JSON, Member, members, opened
from fcrlib.intake.servicenow.log import ALIASES
from fcrlib.intake.tables import written
from fcrlib.intake.tables.spelled import as_text
from fcrlib.model.errors import DataError

_HEAD = 2**18
_PARQUET = b"PAR1"
_ROWS = 1_000
_RECORD = re.compile(rb'^\W*sys.id\b|[,;\t|"]sys.id\b|^[^\w{]*\{\s*"(?:result|records)"\s*:')
_NUMBER = re.compile(rb'"number"\s*:\s*"([^"]+)"')
_LISTED = ("number", "opened_at", "state")


def is_log(path: Path | str) -> bool:
    """Is it a log? The published one is known by the name of its clock, `sys_updated_at`, others by a number that stands twice.

    What holds no file that an export has (a spreadsheet) is left to the log's reader, which says what it needs.

    Raises
    ------
    DataError
        If a file cannot be opened or unpacked.
    """
    try:
        found = members(path)
    except DataError:
        return not any(file.suffix.lower() in JSON for file in (Path(path), *Path(path).rglob("*")))
    heads = [(member, _head(member)) for member in found]
    if any(_RECORD.search(_first(member, head)) for member, head in heads):
        return False
    tables = [(member, head) for member, head in heads if not _is_json(member)]
    # Of tables, the other reader takes those alone that say by their names what they are.
    listed = all(member.is_table() and _is_list(_top(member, head)) for member, head in tables)
    return not listed if tables else all(_repeats(head) for _, head in heads)


def _head(member: Member) -> bytes:
    """Its beginning in UTF-8, without a last line that may be cut off."""
    with opened(member) as stream:
        data = stream.read(_HEAD)
    head = data.decode("utf-16", errors="replace").encode() if data.startswith((b"\xff\xfe", b"\xfe\xff")) else data
    return head if len(data) < _HEAD or b"\n" not in head else head[: head.rfind(b"\n")]


def _is_json(member: Member) -> bool:
    return member.name.lower().removesuffix(".gz").endswith(JSON)


def _first(member: Member, head: bytes) -> bytes:
    """The header of a table, the beginning of anything else."""
    return head.lower() if _is_json(member) else head.partition(b"\n")[0].lower()


def _top(member: Member, head: bytes) -> list[list[str]]:
    """The first rows of a table."""
    if head.startswith(_PARQUET):
        return _of_parquet(member)
    text = head.decode("utf-8-sig", errors="replace").lstrip("\r\n")
    return list(_parsed(text.partition("\n")[2] if text.lower().startswith("sep=") else text))


def _parsed(text: str) -> Iterator[list[str]]:
    """Rows as far as they can be told apart; the reader of the whole file says what is wrong with it."""
    with suppress(csv.Error):
        yield from csv.reader(io.StringIO(text, newline=""), delimiter=written.sniff(text))


def _of_parquet(member: Member) -> list[list[str]]:
    with opened(member) as stream:
        try:
            top = as_text(pl.scan_parquet(io.BytesIO(stream.read()) if member.inside else member.file).head(_ROWS).collect())
        except pl.exceptions.PolarsError:
            return []
    return [top.columns, *([cell or "" for cell in row] for row in top.rows())]


def _is_list(rows: Sequence[Sequence[str]]) -> bool:
    """A list shows every incident once, as it is now."""
    headers = [folded(name.strip()) for name in rows[0]] if rows else []
    there = {ours: next((headers.index(name) for alias in ALIASES[ours] if (name := folded(alias)) in headers), None) for ours in _LISTED}
    place = there["number"]
    if place is None or None in there.values() or "sysupdatedat" in headers:
        return False
    numbers = [row[place] for row in rows[1:] if place < len(row)]
    return len(numbers) == len(set(numbers))


def _repeats(head: bytes) -> bool:
    """Do records show an incident more than once, or the clock of the published log?"""
    numbers = _NUMBER.findall(head)
    return bool(numbers) and b"sys_updated" in head and (b"sys_updated_at" in head or len(numbers) > len(set(numbers)))
