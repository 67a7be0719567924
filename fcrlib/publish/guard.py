"""Who may work on a period now, and how does the work end in order?"""

from __future__ import annotations

import os
import re
import shutil
import signal
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from time import time

from filelock import FileLock, Timeout

from fcrlib.model.period import Period

OLD = timedelta(days=1)


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


def swept() -> None:
    """Remove the scratch folders of runs that were killed; a kernel whose run is gone ends by itself.

    Only what is older than a day goes: a run in another container that shares this folder has a number that nobody here knows.
    """
    for folder in Path(tempfile.gettempdir()).glob("fcr-*-*"):
        owner = re.fullmatch(r"fcr-(\d+)-\w+", folder.name)
        if owner and not _alive(int(owner[1])) and time() - folder.stat().st_mtime > OLD.total_seconds():
            shutil.rmtree(folder, ignore_errors=True)


def _alive(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except (PermissionError, OverflowError):
        return True
    return True
