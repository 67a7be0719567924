"""Which records does a JSON text hold that has one a line, or is short?

Blocks of whole lines are decoded at once, several times faster than a record at a time. Whatever is not as plain as that (a record over several lines,
a word that is no JSON, a line that never ends) is left to the slow and careful way.
"""

from __future__ import annotations

import json
from collections.abc import Generator, Sequence
from typing import IO, Any

import msgspec

BLOCK = 256 * 2**10
_PAGE = 8 * 2**20
"""Bytes of one page of an API that are read at once."""
_MARK, _PAIRS = b"\xef\xbb\xbf", (b"\xff\xfe", b"\xfe\xff")
_BLANK = b" \t\r\n"
Found = tuple[Sequence[int], list[Any], int]
"""Where some values stand (their lines), what they say, how many bytes they took."""
Left = tuple[bytes, int]
"""What could not be read in this way, and its first line."""


def digits(text: str) -> str:
    """A number as it is written; a whole one loses its empty fraction, for an id with a gap in its column travels as 1001.0.

    Examples
    --------
    >>> digits("1001.0"), digits("4.50"), digits("123456789012345678901")
    ('1001', '4.50', '123456789012345678901')
    """
    whole, point, fraction = text.partition(".")
    return whole if point and not fraction.strip("0") else text


_QUICK = msgspec.json.Decoder(float_hook=digits)
CAREFUL = json.JSONDecoder(parse_float=digits, parse_int=str, parse_constant=lambda _: None, strict=False)
_NOT_SO_PLAIN = (msgspec.DecodeError, ValueError, RecursionError)


def values(stream: IO[bytes], *, longest: int) -> Generator[Found, None, Left | None]:
    """Read lists and objects, block by block, as long as they are plain.

    Returns
    -------
    Left | None
        What is left to read with care, before the rest of the stream; None at its end.
    """
    size = min(BLOCK, longest // 4)
    data, row = stream.read(size), 1
    if data.startswith(_PAIRS) or not data.strip(_BLANK):
        return data, row
    data = data.removeprefix(_MARK)
    while data:
        more = stream.read(size)
        while row == 1 and more and b"\n" not in data and len(data) < min(_PAGE, longest):
            data, more = data + more, stream.read(size)
        end = data.rfind(b"\n") + 1 if more else len(data)
        if not end:
            return data + more, row
        rows, found, left = _plain(data[:end], row, whole=row == 1 and not more)
        if found:
            yield rows, found, end - len(left)
        if left:
            return left + data[end:] + more, row + data.count(b"\n", 0, end - len(left))
        row += data.count(b"\n", 0, end)
        data = data[end:] + more
    return None


def list_of(text: str) -> list[dict[str, Any]] | None:
    """The records of a list; None where it is none."""
    try:
        found = _QUICK.decode(text)
    except _NOT_SO_PLAIN:
        return None
    return found if isinstance(found, list) and {*map(type, found)} == {dict} else None


def _plain(block: bytes, row: int, *, whole: bool) -> tuple[Sequence[int], list[Any], bytes]:
    """Values of a block and their lines; `whole` is a block that is all there is, and may hold one value over many lines."""
    try:
        found = _QUICK.decode_lines(block)
    except _NOT_SO_PLAIN:
        return _one_by_one(block, row)
    lines = block.count(b"\n") + (not block.endswith(b"\n"))
    if {*map(type, found)} - {dict, list} or (len(found) != lines and not (whole and len(found) == 1)):
        return _one_by_one(block, row)
    before = len(block) - len(block.lstrip(_BLANK)) if len(found) != lines else 0
    first = row + block.count(b"\n", 0, before)
    return range(first, first + len(found)), found, b""


def _one_by_one(block: bytes, row: int) -> tuple[Sequence[int], list[Any], bytes]:
    """Values line by line, up to the first that is no list or object."""
    rows: list[int] = []
    found: list[Any] = []
    at = 0
    for line in block.split(b"\n"):
        if line.strip(_BLANK):
            value = _value(line)
            if not isinstance(value, dict | list):
                return rows, found, block[at:]
            rows.append(row)
            found.append(value)
        row, at = row + 1, at + len(line) + 1
    return rows, found, b""


def _value(line: bytes) -> Any:
    try:
        return _QUICK.decode(line)
    except _NOT_SO_PLAIN:
        pass
    try:
        return CAREFUL.decode(line.decode())
    except (ValueError, RecursionError):
        return None
