"""What do records say that lie in a file as JSON?

A list of them, one a line, or the answer of an interface that holds them in its only list.
"""

from __future__ import annotations

import io
import json
import re

import polars as pl

ENDINGS = (".json", ".ndjson", ".jsonl")
_MARKS = {b"\xef\xbb\xbf": "utf-8-sig", b"\xff\xfe": "utf-16", b"\xfe\xff": "utf-16"}
"""How a file of text may begin, and what it is written in then."""
# What stands beside the records where an answer of an interface holds them.
_PAGING = (
    r"(?i)^(?:count|total.*|page.*|per_?page|next.*|previous.*|prev|end_.*|after.*|before.*|cursor|has_more|meta|links?|offset|limit|size|status|ok)$"
)


def marked(head: bytes) -> str | None:
    """The encoding that the first bytes of a text name."""
    return next((kind for mark, kind in _MARKS.items() if head.startswith(mark)), None)


def unmarked(data: bytes) -> bytes:
    """What begins as text of records does, without a mark and in UTF-8; anything else as it is."""
    kind = marked(data)
    return (data.decode(kind, errors="replace").encode() if kind else data).lstrip()


def frame(data: bytes) -> pl.DataFrame:
    """Records: a list, one a line, or the answer of an interface that holds them in its only list, whatever stands there about paging."""
    if data.startswith(b"["):
        return pl.read_json(io.BytesIO(data), infer_schema_length=None)
    try:
        found = pl.read_ndjson(io.BytesIO(data), infer_schema_length=None)
    except pl.exceptions.PolarsError:
        if b"\n" not in data.rstrip() or data.partition(b"\n")[0].rstrip() != b"{":
            raise
        found = pl.read_json(io.BytesIO(data), infer_schema_length=None)
    held = [one for one, dtype in found.schema.items() if isinstance(dtype, pl.List) and dtype.inner == pl.Struct and not re.match(_PAGING, one)]
    if found.height == 1 and len(held) == 1 and all(re.match(_PAGING, one) for one in found.columns if one not in held):
        return found.select(pl.col(held).explode()).unnest(held)
    return found


def first_bad_line(data: bytes) -> str:
    """Which line of a file with one record a line is none; only read when one is."""
    for number, line in enumerate(data.splitlines() if data.startswith(b"{") else [], start=1):
        try:
            json.loads(line or b"{}", parse_constant=_no_number)
        except (ValueError, RecursionError):
            return f" in row {number:,}"
    return ""


def _no_number(word: str) -> None:
    raise ValueError(f"{word} is no number")
