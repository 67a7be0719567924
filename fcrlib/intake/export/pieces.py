"""Which records does a JSON text hold, one after the other, however long it is?

One record a line, a bare list, a page of an API (`{"tickets": [...], "next_page": ...}`), or a single record: all are read in one way, and only
one record at a time is held. Numbers keep their digits: they stay the text they were written as.
"""

from __future__ import annotations

import codecs
import json
import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from typing import IO, Any

from fcrlib.model.errors import DataError

LONGEST = 64 * 2**20
_CHUNK = 2**20
_BLANKS = re.compile(r"[ \t\r\n]*")
_MARKS = ((b"\xef\xbb\xbf", "utf-8-sig"), (b"\xff\xfe", "utf-16"), (b"\xfe\xff", "utf-16"))
_SCALAR = r'(?:"(?:[^"\\]|\\.)*"|-?[\d.eE+\-]+|true|false|null)'
_BEFORE = re.compile(rf'\{{((?:\s*"[^"\\]*"\s*:\s*{_SCALAR}\s*,)*)\s*"([^"\\]*)"\s*:\s*\[')
# Nearer to the end of what is there than this, a mistake may be a word that has not come whole yet.
_TAIL = 16


@dataclass(frozen=True, slots=True)
class Piece:
    """One record: where it stands (its line, or in a list its number), the key of the list around it, and what it says."""

    row: int
    wrapper: str
    value: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Page:
    """What stands around a list of records: the key of the list, how many records it held, and the other keys."""

    row: int
    wrapper: str
    records: int
    said: dict[str, Any] = field(default_factory=dict)


def pieces(stream: IO[bytes], *, name: str, wrappers: Collection[str], longest: int = LONGEST) -> Iterator[Piece | Page]:
    """Read the records of a text in its order; a page follows its records.

    Parameters
    ----------
    stream
        UTF-8, with or without a mark; UTF-16 with one.
    name
        For messages.
    wrappers
        Keys whose lists hold records. An object with an `id` is a record itself, whatever lists it holds.
    longest
        Characters that one record may have.

    Raises
    ------
    DataError
        At the first place that is no JSON, is cut off, is too long, or is no record; all before it has been handed on by then.
    """
    text = _Text(stream, name=name, longest=longest)
    while sign := text.peek():
        row = text.row
        if sign == "[":
            count = 0
            for count, value in enumerate(_elements(text), start=1):
                yield Piece(count, "", value)
            yield Page(row, "", count)
        elif sign == "{" and text.is_page(wrappers):
            yield from _page(text, wrappers)
        else:
            value = text.record()
            inside = [key for key in value if key in wrappers and _are_records(value[key])] if "id" not in value else []
            if not inside:
                yield Piece(row, "", value)
                continue
            for key in inside:
                yield from (Piece(number, key, one) for number, one in enumerate(value[key], start=1))
            said = {key: more for key, more in value.items() if key not in inside}
            yield from (Page(row, key, len(value[key]), said) for key in inside)


def digits(text: str) -> str:
    """A number as it is written; a whole one loses its empty fraction, for an id with a gap in its column travels as 1001.0.

    Examples
    --------
    >>> digits("1001.0"), digits("4.50"), digits("123456789012345678901")
    ('1001', '4.50', '123456789012345678901')
    """
    whole, point, fraction = text.partition(".")
    return whole if point and not fraction.strip("0") else text


_DECODER = json.JSONDecoder(parse_float=digits, parse_int=str, parse_constant=lambda _: None, strict=False)


def _are_records(value: object) -> bool:
    return isinstance(value, list) and all(isinstance(one, dict) for one in value)


def _elements(text: _Text) -> Iterator[dict[str, Any]]:
    """The records of a list that opens here."""
    text.skip("[")
    while text.peek() != "]":
        yield text.record()
        if text.peek() != "]":
            text.skip(",")
            if text.peek() == "]":
                raise text.broken("a comma before the end of the list")
    text.skip("]")


def _page(text: _Text, wrappers: Collection[str]) -> Iterator[Piece | Page]:
    """The records of an object around lists, then the lists' pages."""
    row, said, held = text.row, {}, {}
    text.skip("{")
    while text.peek() != "}":
        key = text.value()
        if not isinstance(key, str):
            raise text.broken("a key without quotes")
        text.skip(":")
        if text.peek() == "[" and key in wrappers:
            held[key] = 0
            for value in _elements(text):
                held[key] += 1
                yield Piece(held[key], key, value)
        else:
            said[key] = text.value()
        if text.peek() != "}":
            text.skip(",")
    text.skip("}")
    yield from (Page(row, key, count, said) for key, count in held.items())


class _Text:
    """A text that is fetched as far as it is needed; `row` counts its lines."""

    def __init__(self, stream: IO[bytes], *, name: str, longest: int) -> None:
        self.stream, self.name, self.longest = stream, name, longest
        self.buffer, self.at, self.row, self.ended = "", 0, 1, False
        head = stream.read(4096)
        if head.startswith(b"PAR1") or (b"\x00" in head and not head.startswith((b"\xff\xfe", b"\xfe\xff"))):
            raise DataError(f"{name} is no text: it holds NUL bytes; export it as JSON")
        encoding = next((kind for mark, kind in _MARKS if head.startswith(mark)), "utf-8")
        self.decoder = codecs.getincrementaldecoder(encoding)()
        self._add(head)
        if not self.peek():
            raise DataError(f"{name} is empty")
        if self.peek() not in "{[":
            raise DataError(f"{name} is no JSON: it begins with {self.buffer[self.at : self.at + 20]!r}")

    def peek(self) -> str:
        """The next sign that is no blank; empty at the end."""
        while True:
            end = _BLANKS.match(self.buffer, self.at).end()  # type: ignore[union-attr]
            self._pass(end)
            if end < len(self.buffer):
                return self.buffer[end]
            if not self._fetch(_CHUNK):
                return ""

    def skip(self, sign: str) -> None:
        found = self.peek()
        if found != sign:
            raise self.broken(f"'{sign}' is missing") if found else self.cut_off()
        self._pass(self.at + 1)

    def record(self) -> dict[str, Any]:
        self.peek()
        row, value = self.row, self.value()
        if not isinstance(value, dict):
            raise DataError(f"{self.name}: row {row:,} is no record but {json.dumps(value, ensure_ascii=False)[:40]}")
        return value

    def value(self) -> Any:
        """The value that stands here, whole."""
        if not self.peek():
            raise self.cut_off()
        while True:
            try:
                found, end = _DECODER.raw_decode(self.buffer, self.at)
                if end < len(self.buffer) or not self._fetch(_CHUNK):
                    self._pass(end)
                    return found
                continue
            except json.JSONDecodeError as error:
                whole = not error.msg.startswith("Unterminated") and error.pos < len(self.buffer) - _TAIL
                if whole:
                    self._pass(max(error.pos, self.at))
                    raise self.broken(error.msg) from None
                told = error.msg
            except RecursionError:
                raise self.broken("nested too deeply") from None
            held = len(self.buffer) - self.at
            if held > self.longest:
                raise DataError(f"{self.name}: row {self.row:,} is longer than {self.longest // 2**20:,} MiB: no helpdesk writes such a record")
            if not self._fetch(max(_CHUNK, held)):
                raise self.cut_off(told)

    def is_page(self, wrappers: Collection[str]) -> bool:
        """Does an object without an id of its own open here, whose first list holds records?"""
        while len(self.buffer) - self.at < 4096 and self._fetch(_CHUNK):
            pass
        found = _BEFORE.match(self.buffer, self.at, self.at + 65_536)
        return bool(found and found[2] in wrappers and not re.search(r'"id"\s*:', found[1]))

    def broken(self, why: str) -> DataError:
        return DataError(f"{self.name}: row {self.row:,} is no JSON ({why[:1].lower()}{why[1:]})")

    def cut_off(self, why: str = "") -> DataError:
        said = f" ({why[:1].lower()}{why[1:]})" if why else ""
        return DataError(f"{self.name}: row {self.row:,} is cut off, the file ends in the middle of it{said}: fetch it again")

    def _pass(self, end: int) -> None:
        self.row += self.buffer.count("\n", self.at, end)
        self.at = end
        if self.at > _CHUNK:
            self.buffer, self.at = self.buffer[self.at :], 0

    def _fetch(self, most: int) -> bool:
        """Add more of the text; no at its end."""
        if self.ended:
            return False
        return self._add(self.stream.read(most))

    def _add(self, data: bytes) -> bool:
        try:
            self.ended = not data
            self.buffer += self.decoder.decode(data, final=not data)
        except UnicodeDecodeError as error:
            row = self.row + self.buffer.count("\n", self.at) + data.count(b"\n", 0, error.start)
            raise DataError(f"{self.name} is not UTF-8: row {row:,} does not fit; export it again as UTF-8") from None
        if not data and self.buffer[self.at :].strip() and "\x00" in self.buffer[self.at :]:
            raise DataError(f"{self.name} is no text: it holds NUL bytes")
        return bool(data)
