"""What does somebody who waits for a run get to see?

On a terminal one line that is rewritten; elsewhere (cron, a log) one line with the time per notebook. Only stderr, so that stdout stays
free for the result.
"""

from __future__ import annotations

import sys
from datetime import UTC, datetime
from typing import Protocol, TextIO


class Progress(Protocol):
    """Told what happens during a run."""

    def cell(self, notebook: str, cell: int, cells: int) -> None:
        """A cell starts."""

    def say(self, line: str) -> None:
        """Something happened that is worth a line."""


class Silent:
    """Says nothing."""

    def cell(self, notebook: str, cell: int, cells: int) -> None:
        """Nothing."""

    def say(self, line: str) -> None:
        """Nothing."""


class Rewritten:
    """One line on a terminal, rewritten as cells start."""

    def __init__(self, stream: TextIO) -> None:
        self.stream = stream

    def cell(self, notebook: str, cell: int, cells: int) -> None:
        """Rewrite the line."""
        self._write(f"\r\x1b[2K{notebook}: cell {cell + 1} of {cells}")

    def say(self, line: str) -> None:
        """Leave a line behind."""
        self._write(f"\r\x1b[2K{line}\n")

    def _write(self, text: str) -> None:
        self.stream.write(text)
        self.stream.flush()


class Logged:
    """Lines with the time, for a log."""

    def __init__(self, stream: TextIO) -> None:
        self.stream = stream

    def cell(self, notebook: str, cell: int, cells: int) -> None:
        """Too much for a log."""

    def say(self, line: str) -> None:
        """Write a line."""
        self.stream.write(f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ} {line}\n")
        self.stream.flush()


def progress(stream: TextIO | None = None) -> Progress:
    """The progress that suits the stream: rewritten on a terminal, logged elsewhere."""
    target = stream or sys.stderr
    return Rewritten(target) if target.isatty() else Logged(target)
