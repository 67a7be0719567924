"""Who may work on a period now, and how does the work end in order?"""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

from filelock import FileLock, Timeout

from fcrlib.model.period import Period


@contextmanager
def locked(reports: Path, period: Period, wait: timedelta) -> Iterator[bool]:
    """Hold the period's lock; the system frees it even after a crash."""
    reports.mkdir(parents=True, exist_ok=True)
    lock = FileLock(reports / f".{period.label}.lock")
    try:
        lock.acquire(timeout=wait.total_seconds())
    except Timeout:
        yield False
        return
    try:
        yield True
    finally:
        lock.release()


@contextmanager
def terminable() -> Iterator[None]:
    """Let SIGTERM end the run as Ctrl-C does: in order, with everything saved."""
    from fcrlib.publish.engine import Stopped

    def stop(number: int, frame: object) -> None:
        raise Stopped

    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGTERM, stop)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)
