"""What does somebody who waits for a run get to see?

On a terminal one line that is rewritten; elsewhere (cron, a log) one line with the time per notebook, slow cell and mistake. Only stderr, so
that stdout stays free for the result. Notebooks that run side by side may speak at the same time.
"""

from __future__ import annotations

import shutil
import sys
import threading
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Literal, Protocol, TextIO

SLOW = 10.0
"""Seconds after which a cell is worth a line."""
Says = Literal["slow cells", "every cell"]


class Progress(Protocol):
    """Told what happens during a run."""

    def cell(self, notebook: str, cell: int, cells: int) -> None:
        """A cell starts."""

    def took(self, notebook: str, cell: str, seconds: float) -> None:
        """A cell with code has ended."""

    def say(self, line: str, *, notebook: str = "") -> None:
        """Something happened that is worth a line; where a notebook is named, it has ended."""


class Silent:
    """Says nothing."""

    def cell(self, notebook: str, cell: int, cells: int) -> None:
        """Nothing."""

    def took(self, notebook: str, cell: str, seconds: float) -> None:
        """Nothing."""

    def say(self, line: str, *, notebook: str = "") -> None:
        """Nothing."""


class Rewritten:
    """One line on a terminal, rewritten as cells start; it names every notebook that is running."""

    def __init__(self, stream: TextIO, *, says: Says = "slow cells") -> None:
        self.stream, self.says = stream, says
        self.running: dict[str, str] = {}
        self.lock = threading.Lock()

    def cell(self, notebook: str, cell: int, cells: int) -> None:
        """Rewrite the line."""
        with self.lock:
            self.running[notebook] = f"{notebook}: cell {cell + 1} of {cells}"
            self._rewrite()

    def took(self, notebook: str, cell: str, seconds: float) -> None:
        """Leave a line behind if every cell is asked for."""
        if self.says == "every cell":
            self._leave(_cell(notebook, cell, seconds))

    def say(self, line: str, *, notebook: str = "") -> None:
        """Leave a line behind."""
        with self.lock:
            self.running.pop(notebook, None)
        self._leave(line)

    def _leave(self, line: str) -> None:
        with self.lock:
            self._write(f"\r\x1b[2K{line}\n")
            self._rewrite()

    def _rewrite(self) -> None:
        line = " · ".join(self.running.values())
        self._write(f"\r\x1b[2K{line[: shutil.get_terminal_size().columns - 1]}" if line else "")

    def _write(self, text: str) -> None:
        self.stream.write(text)
        self.stream.flush()


class Logged:
    """Lines with the time, for a log."""

    def __init__(self, stream: TextIO, *, says: Says = "slow cells") -> None:
        self.stream, self.says = stream, says
        self.lock = threading.Lock()

    def cell(self, notebook: str, cell: int, cells: int) -> None:
        """Too much for a log."""

    def took(self, notebook: str, cell: str, seconds: float) -> None:
        """Write a line about a slow cell."""
        if seconds > SLOW or self.says == "every cell":
            self.say(_cell(notebook, cell, seconds))

    def say(self, line: str, *, notebook: str = "") -> None:
        """Write a line."""
        with self.lock:
            self.stream.write(f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ} {' '.join(line.split())}\n")
            self.stream.flush()


class Several:
    """Tells several at once: the terminal and a file."""

    def __init__(self, told: Sequence[Progress]) -> None:
        self.told = tuple(told)

    def cell(self, notebook: str, cell: int, cells: int) -> None:
        """Tell all."""
        for one in self.told:
            one.cell(notebook, cell, cells)

    def took(self, notebook: str, cell: str, seconds: float) -> None:
        """Tell all."""
        for one in self.told:
            one.took(notebook, cell, seconds)

    def say(self, line: str, *, notebook: str = "") -> None:
        """Tell all."""
        for one in self.told:
            one.say(line, notebook=notebook)


def progress(stream: TextIO | None = None, *, says: Says = "slow cells") -> Progress:
    """The progress that suits the stream: rewritten on a terminal, logged elsewhere."""
    target = stream or sys.stderr
    return Rewritten(target, says=says) if target.isatty() else Logged(target, says=says)


def _cell(notebook: str, cell: str, seconds: float) -> str:
    return f"{notebook}: cell '{cell}' took {seconds:.1f} s"
