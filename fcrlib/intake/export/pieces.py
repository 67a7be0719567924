"""Which records does a JSON text hold, one after the other, however long it is?

One record a line, a bare list, a page of an API (`{"tickets": [...], "next_page": ...}`), or a single record; only a block of them is held at a time.
Numbers keep their digits.
"""

from __future__ import annotations

import codecs
import json
import re
from collections.abc import Collection, Generator, Iterator, Sequence
from dataclasses import dataclass, field
from typing import IO, Any

from fcrlib.intake.export import lines
from fcrlib.intake.export.kinds import numberless
from fcrlib.model.errors import DataError

LONGEST = 64 * 2**20
_CHUNK = 2**20
_BLANKS = re.compile(r"[ \t\r\n]*")
_MARKS = ((b"\xef\xbb\xbf", "utf-8-sig"), (b"\xff\xfe", "utf-16"), (b"\xfe\xff", "utf-16"))
_SCALAR = r'(?:"(?:[^"\\]|\\.)*"|-?[\d.eE+\-]+|true|false|null)'
_BEFORE = re.compile(rf'\{{((?:\s*"[^"\\]*"\s*:\s*{_SCALAR}\s*,)*)\s*"([^"\\]*)"\s*:\s*\[')
# What stands between two records of a list, up to the second key of the next one: the same for all of them, as a machine writes it, but for a value.
_BETWEEN = re.compile(rf'(\s*,\s*\{{\s*"[^"\\]*"\s*:\s*)(?:{_SCALAR}(\s*,\s*"[^"\\]*"\s*:))?')
_GUESSES = 3
"""Places at which many records of a list may end before one is read alone, and how often in a row that may be before all are."""
_NEAR = 2**17
# Nearer to the end of what is there than this, a mistake may be a word that has not come whole yet.
_TAIL = 16


@dataclass(frozen=True, slots=True)
class Run:
    """Records that stand together: where (their lines, or in a list their numbers), the key of the list around them, what they say, their bytes."""

    rows: Sequence[int]
    wrapper: str
    values: list[dict[str, Any]]
    size: int


@dataclass(frozen=True, slots=True)
class Page:
    """What stands around a list of records: the key of the list, how many records it held, and the other keys."""

    row: int
    wrapper: str
    records: int
    said: dict[str, Any] = field(default_factory=dict)


def pieces(stream: IO[bytes], *, name: str, wrappers: Collection[str], longest: int = LONGEST) -> Iterator[Run | Page]:
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
    known = frozenset(wrappers)
    left = yield from _plain(lines.values(stream, longest=longest), wrappers=known, name=name)
    if left is None:
        return
    text = _Text(stream, name=name, longest=longest, head=left[0], row=left[1])
    while sign := text.peek():
        row = text.row
        if sign == "[":
            count = 0
            for run in _elements(text, ""):
                count += len(run.values)
                yield run
            yield Page(row, "", count)
        elif sign == "{" and text.is_page(known):
            yield from _page(text, known)
        else:
            before, value = text.passed, text.record()
            yield from _record(value, row=row, wrappers=known, size=text.passed - before)


def _plain(
    found: Generator[lines.Found, None, lines.Left | None], *, wrappers: frozenset[str], name: str
) -> Generator[Run | Page, None, lines.Left | None]:
    """Runs and pages of values that are at hand; what is left is to be read with care."""
    while True:
        try:
            rows, values, size = next(found)
        except StopIteration as end:
            left: lines.Left | None = end.value
            return left
        if all(isinstance(value, dict) and wrappers.isdisjoint(value) for value in values):
            yield Run(rows, "", values, size)
            continue
        each = size // len(values)
        for row, value in zip(rows, values, strict=True):
            if isinstance(value, list):
                yield from _whole({"": value}, {""}, row=row, size=each, name=name)
            elif _opens_page(value, wrappers):
                yield from _whole(value, wrappers, row=row, size=each, name=name)
            else:
                yield from _record(value, row=row, wrappers=wrappers, size=each)


def _opens_page(value: dict[str, Any], wrappers: Collection[str]) -> bool:
    """Is an object without an id of its own, whose first list holds records?"""
    first = next(((key, one) for key, one in value.items() if key == "id" or isinstance(one, list | dict)), ("id", None))
    return isinstance(first[1], list) and first[0] in wrappers


def _whole(value: dict[str, Any], wrappers: Collection[str], *, row: int, size: int, name: str) -> Iterator[Run | Page]:
    """The lists of a page that is at hand, then its pages."""
    held = [key for key in value if key in wrappers and isinstance(value[key], list)]
    said = {key: numberless(more) for key, more in value.items() if key not in held}
    for key in held:
        if strange := [one for one in value[key] if not isinstance(one, dict)]:
            raise _no_record(name, row, strange[0])
        yield Run(range(1, len(value[key]) + 1), key, value[key], size)
    yield from (Page(row, key, len(value[key]), said) for key in held)


def _record(value: dict[str, Any], *, row: int, wrappers: Collection[str], size: int) -> Iterator[Run | Page]:
    """A record, or the records in the lists of an object without an id."""
    inside = [key for key in value if key in wrappers and _are_records(value[key])] if "id" not in value else []
    if not inside:
        yield Run((row,), "", [value], size)
        return
    for key in inside:
        yield Run(range(1, len(value[key]) + 1), key, value[key], size)
    said = {key: numberless(more) for key, more in value.items() if key not in inside}
    yield from (Page(row, key, len(value[key]), said) for key in inside)


def _are_records(value: object) -> bool:
    return isinstance(value, list) and all(isinstance(one, dict) for one in value)


def _no_record(name: str, row: int, value: object) -> DataError:
    return DataError(f"{name}: row {row:,} is no record but {json.dumps(value, ensure_ascii=False)[:40]}")


def _elements(text: _Text, wrapper: str) -> Iterator[Run]:
    """The records of a list that opens here; many at once, where they can be told apart from what stands between them."""
    text.skip("[")
    count, guesses = 0, _GUESSES
    while text.peek() != "]":
        before = text.passed
        values = text.many() if count and guesses > 0 else None
        guesses = _GUESSES if values or not count else guesses - 1
        values = values or [text.record()]
        yield Run(range(count + 1, count + len(values) + 1), wrapper, values, text.passed - before)
        if not count:
            text.learn()
        count += len(values)
        if text.peek() != "]":
            text.skip(",")
            if text.peek() == "]":
                raise text.broken("a comma before the end of the list")
    text.skip("]")


def _page(text: _Text, wrappers: Collection[str]) -> Iterator[Run | Page]:
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
            for run in _elements(text, key):
                held[key] += len(run.values)
                yield run
        else:
            said[key] = text.value()
        if text.peek() != "}":
            text.skip(",")
    text.skip("}")
    yield from (Page(row, key, count, said) for key, count in held.items())


class _Text:
    """A text that is fetched as far as it is needed; `row` counts its lines."""

    def __init__(self, stream: IO[bytes], *, name: str, longest: int, head: bytes, row: int) -> None:
        self.stream, self.name, self.longest = stream, name, longest
        self.buffer, self.at, self.row, self.passed, self.ended = "", 0, row, 0, False
        self.between: re.Pattern[str] | None = None
        if head.startswith(b"PAR1") or (b"\x00" in head[:4096] and not head.startswith((b"\xff\xfe", b"\xfe\xff"))):
            raise DataError(f"{name} is no text: it holds NUL bytes; export it as JSON")
        encoding = next((kind for mark, kind in _MARKS if head.startswith(mark)), "utf-8")
        self.decoder = codecs.getincrementaldecoder(encoding)()
        self._add(head)
        if row == 1 and not self.peek():
            raise DataError(f"{name} is empty")
        if row == 1 and self.peek() not in "{[":
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
            raise _no_record(self.name, row, value)
        return value

    def learn(self) -> None:
        """What stands between two records of this list."""
        found = _BETWEEN.match(self.buffer, self.at)
        self.between = found and re.compile(re.escape(found[1]) + (_SCALAR + re.escape(found[2]) if found[2] else ""))

    def many(self) -> list[dict[str, Any]] | None:
        """Records of the list that stand here, all whole ones of what has been fetched; None where they cannot be told apart."""
        while len(self.buffer) - self.at < _CHUNK and self._fetch(_CHUNK):
            pass
        if not self.between:
            return None
        ends = [found.start() for found in self.between.finditer(self.buffer, max(self.at, len(self.buffer) - _NEAR))]
        for end in ends[: -_GUESSES - 1 : -1]:
            # Text up to such a place is a list of whole records, or no JSON at all: it would end inside of one.
            if values := lines.list_of(f"[{self.buffer[self.at : end]}]"):
                self._pass(end)
                return values
        return None

    def value(self) -> Any:
        """The value that stands here, whole."""
        if not self.peek():
            raise self.cut_off()
        while True:
            try:
                found, end = lines.CAREFUL.raw_decode(self.buffer, self.at)
                # A number that ends with what is there may go on.
                if end < len(self.buffer) or not self._fetch(max(_CHUNK, self._held())):
                    self._pass(end)
                    return found
                continue
            except json.JSONDecodeError as error:
                whole = not error.msg.startswith("Unterminated") and error.pos < len(self.buffer) - _TAIL
                if whole:
                    # A line that is cut off may take the next record for its value: it ends where one begins at the margin.
                    swallowed = self.buffer.find("\n{", self.at, error.pos + 1)
                    self._pass(max(swallowed if swallowed >= 0 else error.pos, self.at))
                    raise self.broken(error.msg) from None
                told = error.msg
            except RecursionError:
                raise self.broken("nested too deeply") from None
            if not self._fetch(max(_CHUNK, self._held())):
                raise self.cut_off(told)

    def _held(self) -> int:
        """How much of a value is at hand that has not come to its end."""
        held = len(self.buffer) - self.at
        if held > self.longest:
            raise DataError(f"{self.name}: row {self.row:,} is longer than {self.longest // 2**20:,} MiB: no helpdesk writes such a record")
        return held

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
        self.passed += end - self.at
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
