"""What does a run say while it runs and when it has ended, and whom does it tell?"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from fcrlib.cli.project import tell
from fcrlib.model.errors import FcrError

if TYPE_CHECKING:
    from fcrlib.publish.progress import Progress, Says
    from fcrlib.publish.run import RunResult


@contextmanager
def watched(log_file: Path | None, *, quiet: bool, verbose: bool) -> Iterator[Progress]:
    """Who is told what happens during a run: the terminal unless it shall be quiet, and a log file where one is named."""
    from fcrlib.publish.progress import Logged, Several, Silent, progress

    says: Says = "every cell" if verbose else "slow cells"
    here = Silent() if quiet else progress(says=says)
    if log_file is None:
        yield here
        return
    log_file.parent.mkdir(parents=True, exist_ok=True)
    with log_file.open("a", encoding="utf-8") as stream:
        yield Several((here, Logged(stream, says=says)))


@contextmanager
def told(period: str, *, on_success: str | None, on_failure: str | None, as_json: bool = False) -> Iterator[list[RunResult]]:
    """Tell the user's own commands how the run ended, also when it was refused before anything ran; then stdout says so as JSON where it is asked for."""
    ended: list[RunResult] = []
    try:
        yield ended
    except (FcrError, OSError) as error:
        code, message = (error.exit_code, str(error)) if isinstance(error, FcrError) else (3, error.strerror or str(error))
        _tell(on_failure, status="refused", exit_code=code, period=period, folder=None, message=message)
        if as_json:
            print(_refused(period, code, message))
        raise
    for result in ended:
        if result.status != "planned":
            command, code = on_failure if result.exit_code else on_success, result.exit_code
            _tell(command, status=result.status, exit_code=code, period=result.period, folder=result.folder, message=result.message)


def _refused(period: str, exit_code: int, message: str) -> str:
    from fcrlib.publish.run import RunResult

    return json.dumps({**asdict(RunResult("refused", exit_code, period, Path(), message)), "folder": None})


def _tell(command: str | None, *, status: str, exit_code: int, period: str, folder: Path | None, message: str) -> None:
    from fcrlib.publish.hooks import call

    if command and (wrong := call(command, status=status, exit_code=exit_code, period=period, folder=folder, message=message)):
        tell(f"note: {wrong}")


def finish(result: RunResult, *, as_json: bool = False, quiet: bool = False) -> None:
    """Print the result, or what went wrong, and end with its exit code."""
    if as_json:
        print(json.dumps(asdict(result), default=str))
    elif result.status == "planned":
        print("\n".join((*result.notes, result.message)))
    elif result.exit_code == 0 and not quiet:
        print(result.folder / "report.html")
    if result.status == "published" and not quiet:
        for note in result.notes:
            tell(f"note: {note}")
    if result.exit_code:
        lines = [f"fcr: {result.message}", *(f"  - {gate}" for gate in result.gates)]
        print("\n".join(lines), file=sys.stderr)
        raise typer.Exit(result.exit_code)
