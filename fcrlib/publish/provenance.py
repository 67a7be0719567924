"""How was a report made, so that somebody can make it again?

Nothing in it tells of the machine or the person: no host, no path, no traceback.
"""

from __future__ import annotations

import platform
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fcrlib.model.desk import fingerprint

if TYPE_CHECKING:
    from fcrlib.publish.plan import Plan

PACKAGES = ("fcrlib", "polars", "altair", "vl-convert-python", "papermill", "nbclient", "statsmodels", "bertopic")


@dataclass(frozen=True, slots=True)
class Ran:
    """One notebook of a run; `kept` means that an earlier, interrupted run had already finished it."""

    name: str
    status: str
    seconds: float
    kept: bool
    cell: str = ""
    error: str = ""


def written(plan: Plan, ran: Sequence[Ran], *, status: str, started: datetime, seconds: float) -> dict[str, Any]:
    """What `run.json` says. Only `started` and the seconds differ between two runs on one desk."""
    return {
        "schema": 1,
        "status": status,
        "started": f"{started:%Y-%m-%dT%H:%M:%SZ}",
        "seconds": seconds,
        "period": {"label": plan.period.label, "first": f"{plan.period.first}", "last": f"{plan.period.last}"},
        "policy": {"name": plan.policy.name, "fingerprint": plan.policy.fingerprint},
        "desk": plan.data,
        "parameters": {name: {key: value for key, value in values.items() if key != "desk"} for name, values in plan.values.items()},
        "notebooks": [_notebook(plan, item) for item in ran],
        "python": platform.python_version(),
        "packages": {name: found for name in PACKAGES if (found := _version(name))},
        "revision": revision(plan.notebooks[0].parent),
    }


def _notebook(plan: Plan, item: Ran) -> dict[str, Any]:
    source = next(notebook for notebook in plan.notebooks if notebook.stem == item.name)
    about = {"name": item.name, "sha256": fingerprint(source), "status": item.status, "seconds": item.seconds, "kept": item.kept}
    return {**about, "cell": item.cell, "error": item.error} if item.status != "ok" else about


def _version(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None


def revision(folder: Path) -> str | None:
    """The git revision of the notebooks, marked when something was changed since; None without git."""
    command = ["git", "-C", str(folder), "describe", "--always", "--dirty", "--exclude=*"]
    try:
        answer = subprocess.run(command, capture_output=True, text=True, timeout=10, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return None
    return answer.stdout.strip() or None if answer.returncode == 0 else None
