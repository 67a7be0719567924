"""How much may a notebook say?

A cell that prints by mistake what it should have counted would otherwise fill the memory of the run and the page of its reader. What is
beyond the bound is left out, and a sentence says so; the cell goes on.
"""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

PRINTED = 100_000
SHOWN = 5_000_000
"""Characters that a cell may print, and that one figure or table may have."""
WHOLE = 60_000_000
"""Characters of all that a notebook shows."""
_CUT = f"\n[The rest is left out: a cell may print {PRINTED:,} characters.]\n"
_LEFT_OUT = f"[Left out: one output may have {SHOWN:,} characters, all outputs of a notebook {WHOLE:,}.]"
_STARTUP = """\
# A print is cut where it is made: what is beyond the bound would fill the memory of both ends on its way.
import sys as _sys

from IPython import get_ipython as _shell

_printed = {{}}


def _bounded(stream):
    write, allowed = stream.write, {limit}

    def say(text):
        known = _printed.get(stream.name, 0)
        _printed[stream.name] = known + len(text)
        if known <= allowed:
            write(text[: allowed + 1 - known])
        return len(text)

    stream.write = say


_bounded(_sys.stdout)
_bounded(_sys.stderr)
_shell().events.register("pre_run_cell", lambda *_: _printed.clear())
del _sys, _shell
"""


class Bounds:
    """Counts what the cells of a notebook have said, and cuts what is too much."""

    def __init__(self) -> None:
        self.printed = Counter[int]()
        self.shown = 0

    def within(self, message: dict[str, Any], cell: int) -> dict[str, Any] | None:
        """The message as it may be kept; None where nothing of it may."""
        content = message["content"]
        if message["msg_type"] == "stream":
            text = self._text(content["text"], cell)
            return {**message, "content": {**content, "text": text}} if text else None
        if message["msg_type"] == "error":
            return {**message, "content": {**content, "evalue": content["evalue"][:PRINTED], "traceback": _last(content["traceback"])}}
        if "data" in content and self._too_much(content["data"]):
            return {**message, "content": {**content, "data": {"text/plain": _LEFT_OUT}}}
        return message

    def _text(self, text: str, cell: int) -> str:
        before = self.printed[cell]
        self.printed[cell] += len(text)
        if before > PRINTED:
            return ""
        return text if self.printed[cell] <= PRINTED else text[: PRINTED - before] + _CUT

    def _too_much(self, data: dict[str, Any]) -> bool:
        size = _size(data)
        if size > SHOWN or self.shown + size > WHOLE:
            return True
        self.shown += size
        return False


def _last(lines: list[str]) -> list[str]:
    """The end of a traceback, which is where the mistake is."""
    return [line[:PRINTED] for line in lines[-50:]]


def _size(value: Any) -> int:
    """Characters of a piece of JSON, about."""
    if isinstance(value, str):
        return len(value)
    if isinstance(value, dict):
        return sum(len(key) + _size(inner) for key, inner in value.items())
    return sum(map(_size, value)) if isinstance(value, list) else 8


def bound_prints(startup: Path) -> None:
    """Write into a kernel's own startup folder what cuts its prints."""
    (startup / "00-bounds.py").write_text(_STARTUP.format(limit=PRINTED), encoding="utf-8")
