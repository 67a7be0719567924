"""How far has the reading come?"""

from __future__ import annotations

import time
from collections.abc import Callable

_EVERY = 5.0
"""Seconds between two lines."""


class Progress:
    """Lines of progress, every few seconds: how much of the files, how many records, how fast, and how long it will take at this pace."""

    def __init__(self, tell: Callable[[str], None] | None, *, bytes_there: int, every: float = _EVERY) -> None:
        self.say, self.there, self.every = tell, bytes_there, every
        self.began = self.told_at = time.monotonic()
        self.whole = self.part = 0

    def passed(self, size: int) -> None:
        """Some bytes of a file have been read."""
        self.part += size

    def done(self, size: int) -> None:
        """A file has been read, whatever was read of it."""
        self.whole, self.part = self.whole + size, 0

    def tell(self, records: int) -> None:
        """Say how far it is, if it is time."""
        now = time.monotonic()
        if not self.say or now - self.told_at < self.every:
            return
        self.told_at = now
        took, read = now - self.began, self.whole + self.part
        left = f", about {_spelled(took * (self.there - read) / read)} left" if 0 < read < self.there else ""
        self.say(f"{_size(read)} of {_size(self.there)} read, {records:,} records, {records / took:,.0f} a second{left}")

    def end(self, records: int) -> None:
        """Say what there was."""
        if self.say:
            self.say(f"{records:,} records read")


def _size(size: int) -> str:
    return f"{size / 1e9:,.2f} GB" if size >= 1e9 else f"{size / 1e6:,.0f} MB"


def _spelled(seconds: float) -> str:
    return f"{seconds / 60:,.0f} min" if seconds >= 90 else f"{seconds:,.0f} s"
