"""Which files does an export consist of?

A file, a zip, a gz, or a folder of those, however deep. Nothing is unpacked to disk: a member is opened when it is read, and read as it comes.
"""

from __future__ import annotations

import gzip
import io
import os
import re
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, cast

from fcrlib.model.errors import DataError

JSON, TABLES = (".json", ".ndjson", ".jsonl"), (".csv", ".tsv", ".parquet")
_PACKED = (".gz", ".zip")
_DIGITS = re.compile(r"(\d+)", re.ASCII)
_ZIP = (b"PK\x03\x04", b"PK\x05\x06")
_BUFFER = 2**18
_BROKEN = (zipfile.BadZipFile, gzip.BadGzipFile, zlib.error, EOFError)


@dataclass(frozen=True, slots=True)
class Member:
    """One file of an export.

    Parameters
    ----------
    name
        Its path inside the export; of an archive `archive.zip/inside.json`.
    file
        Where it lies on disk.
    inside
        Its name in the archive, or empty.
    size
        Bytes to be read: of a file on disk as they lie there, packed or not; in an archive unpacked, as the archive says.
    """

    name: str
    file: Path
    inside: str
    size: int

    def stem(self) -> str:
        """The file's name without folders and endings, in lower case."""
        return Path(self.name).name.lower().split(".")[0]

    def is_table(self) -> bool:
        """Is it a table, no JSON?"""
        return self.name.lower().removesuffix(".gz").endswith(TABLES)


def members(path: Path | str) -> list[Member]:
    """All files of an export in the order of their names, counted as people count; hidden files and other kinds of files are passed over.

    Raises
    ------
    DataError
        If there is none, or a file or an archive cannot be opened; everything wrong at once.
    """
    place = Path(path)
    if not place.exists():
        raise DataError(f"{path} does not exist: check the path")
    found, problems = [], []
    try:
        files = [place] if place.is_file() else sorted(_inside(place), key=lambda file: _counted(file.relative_to(place).as_posix()))
    except OSError as error:
        raise DataError(f"{error.filename or path} cannot be opened: {error.strerror or error}") from None
    for file in files:
        try:
            found += _unpacked(file, name=file.name if file == place else str(file.relative_to(place)))
        except DataError as error:
            problems.append(error.what)
    if problems:
        raise DataError(f"{path} cannot be read:", problems)
    if not found:
        raise DataError(f"{path} holds nothing to read: it needs files that end in {', '.join((*JSON, *TABLES, *_PACKED))}")
    return found


def uncounted(_: int) -> None:
    """Nobody asks how many bytes have been read."""


@contextmanager
def opened(member: Member, *, passed: Callable[[int], None] = uncounted) -> Iterator[IO[bytes]]:
    """The bytes of a member, unpacked as they are read; `passed` is called with how many of `member.size` have been.

    Raises
    ------
    DataError
        If it cannot be opened, or an archive turns out to be damaged or locked while it is read.
    """
    try:
        with _stream(member) as stream:
            head = stream.read(4)
            if member.inside and head.startswith(_ZIP):
                raise DataError(f"{member.name} is an archive inside an archive: unpack the outer one and give the folder")
            rest = io.BufferedReader(_Joined(head, stream, passed), _BUFFER)
            packed = head.startswith(b"\x1f\x8b")
            yield cast("IO[bytes]", gzip.GzipFile(fileobj=rest) if packed else rest)
    except _BROKEN:
        raise DataError(f"{member.name} is damaged or was cut off: it cannot be unpacked, fetch it again") from None
    except (RuntimeError, NotImplementedError) as error:
        if isinstance(error, RecursionError):
            raise
        raise DataError(f"{member.name} is locked with a password: unpack it and give the folder") from None
    except OSError as error:
        raise DataError(f"{member.name} cannot be opened: {error.strerror or error}") from None


class _Joined(io.RawIOBase):
    """A stream whose first bytes have been looked at; it counts what it hands on."""

    def __init__(self, head: bytes, rest: IO[bytes], passed: Callable[[int], None]) -> None:
        self.head, self.rest, self.passed = head, rest, passed

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        data = self.head[: len(buffer)] or self.rest.read(len(buffer))
        self.head = self.head[len(buffer) :]
        buffer[: len(data)] = data
        self.passed(len(data))
        return len(data)


@contextmanager
def _stream(member: Member) -> Iterator[IO[bytes]]:
    if not member.inside:
        with member.file.open("rb") as stream:
            yield stream
        return
    with zipfile.ZipFile(member.file) as archive, archive.open(member.inside) as stream:
        yield stream


def _inside(folder: Path) -> Iterator[Path]:
    """Files of a folder and of those inside; a link to a folder is not followed, for it may lead back."""
    for place, _, names in os.walk(folder, onerror=_refuse):
        yield from (file for name in names if (file := Path(place, name)).is_file() and _wanted(file.relative_to(folder)))


def _refuse(error: OSError) -> None:
    """A folder that cannot be opened is not passed over in silence."""
    raise error


def _counted(name: str) -> list[tuple[int, str]]:
    """Names in the order in which people count: `page_2` before `page_10`.

    Examples
    --------
    >>> sorted(["t_10.json", "t_2.json", "a/t_1.json"], key=_counted)
    ['a/t_1.json', 't_2.json', 't_10.json']
    """
    return [(int(part), "") if part.isdecimal() else (-1, part) for part in _DIGITS.split(name) if part]


def _wanted(file: Path) -> bool:
    hidden = any(part.startswith((".", "__MACOSX")) for part in file.parts)
    return not hidden and file.suffix.lower() in (*JSON, *TABLES, *_PACKED)


def _unpacked(file: Path, *, name: str) -> list[Member]:
    """The file itself, or what an archive holds."""
    try:
        with file.open("rb") as stream:
            head = stream.read(4)
        size = file.stat().st_size
        if not head.startswith(_ZIP):
            return [Member(name, file, "", size)]
        with zipfile.ZipFile(file) as archive:
            inner = sorted((one for one in archive.infolist() if not one.is_dir()), key=lambda one: _counted(one.filename))
        told = [Member(f"{name}/{one.filename}", file, one.filename, one.file_size) for one in inner if _wanted(Path(one.filename))]
    except zipfile.BadZipFile:
        raise DataError(f"{name} is damaged or was cut off: its archive cannot be unpacked, fetch it again") from None
    except OSError as error:
        raise DataError(f"{name} cannot be opened: {error.strerror or error}") from None
    if not told:
        raise DataError(f"{name} is an archive without a file to read: export it again")
    return told
