"""Who is told how a run ended?

A command of the user's own: it may send a mail, post to a chat or ping a monitor. What happened stands in its environment; how the command ends
changes nothing about the report.
"""

from __future__ import annotations

import os
import subprocess
from datetime import timedelta
from pathlib import Path

PATIENCE = timedelta(seconds=60)


def call(command: str, *, status: str, exit_code: int, period: str, folder: Path | None, message: str) -> str:
    """Run a command in the shell with `FCR_STATUS`, `FCR_EXIT_CODE`, `FCR_PERIOD`, `FCR_FOLDER` and `FCR_MESSAGE`; return what went wrong, or nothing.

    Examples
    --------
    >>> call('test "$FCR_STATUS" = published', status="published", exit_code=0, period="2026Q3", folder=None, message="")
    ''
    >>> call("exit 3", status="published", exit_code=0, period="2026Q3", folder=None, message="")
    'the command that was to be told ended with 3: exit 3'
    """
    told = {"STATUS": status, "EXIT_CODE": str(exit_code), "PERIOD": period, "FOLDER": str(folder or ""), "MESSAGE": message}
    environment = {**os.environ, **{f"FCR_{name}": value.replace("\0", "") for name, value in told.items()}}
    try:
        # Its words are not the result of the run: they go where the other words on the side go.
        ended = subprocess.run(command, shell=True, env=environment, stdout=2, timeout=PATIENCE.total_seconds(), check=False)
    except subprocess.TimeoutExpired:
        return f"the command that was to be told took longer than {PATIENCE.total_seconds():.0f} seconds: {command}"
    return f"the command that was to be told ended with {ended.returncode}: {command}" if ended.returncode else ""
