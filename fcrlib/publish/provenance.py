"""How was a report made, so that somebody can make it again?

Nothing in it tells of the machine or the person: no host, no path, no traceback.
"""

from __future__ import annotations

import platform
import resource
import subprocess
import sys
import uuid
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fcrlib.model.desk import fingerprint

if TYPE_CHECKING:
    from fcrlib.publish.engine import Spent
    from fcrlib.publish.plan import Plan

PACKAGES = (
    "fcrlib",
    "altair",
    "bertopic",
    "ipykernel",
    "nbclient",
    "numpy",
    "papermill",
    "polars",
    "scipy",
    "statsmodels",
    "vl-convert-python",
    "wordllama",
)
LOCK = "requirements.lock"


@dataclass(frozen=True, slots=True)
class Ran:
    """One notebook of a run; `kept` means that an earlier, interrupted run had already finished it."""

    name: str
    status: str
    seconds: float
    kept: bool
    cell: str = ""
    error: str = ""
    slowest: tuple[tuple[str, float], ...] = ()
    spent: Spent | None = None


def run_id(started: datetime) -> str:
    """A name for one run: when it started, and eight letters, so that two that start at once differ."""
    return f"{started:%Y%m%dT%H%M%SZ}-{uuid.uuid4().hex[:8]}"


def written(
    plan: Plan, ran: Sequence[Ran], *, id: str, status: str, started: datetime, seconds: float, rendering: float = 0.0, gates: Sequence[str] = ()
) -> dict[str, Any]:
    """What `run.json` says. Between two runs on one desk only the id, `started`, the seconds and the memory differ.

    Parameters
    ----------
    ran
        How each notebook ended; the type of an error, never its words.
    rendering
        Seconds that the page took.
    gates
        What kept the report from being published.
    """
    project = plan.settings.parent if plan.settings else plan.notebooks[0].parent.parent
    return {
        "schema": 2,
        "id": id,
        "status": status,
        "started": f"{started:%Y-%m-%dT%H:%M:%SZ}",
        "seconds": seconds,
        "overhead": overhead(ran, rendering=rendering),
        "peak_memory_mb": peak_memory(),
        "period": {"label": plan.period.label, "first": f"{plan.period.first}", "last": f"{plan.period.last}"},
        "policy": {"name": plan.policy.name, "fingerprint": plan.policy.fingerprint},
        "desk": plan.data,
        "files": [_file(file) for file in sorted(plan.desk.iterdir()) if file.is_file()],
        "parameters": {name: {key: value for key, value in values.items() if key != "desk"} for name, values in plan.values.items()},
        "notebooks": [_notebook(plan, item) for item in ran],
        "gates": list(gates),
        "python": platform.python_version(),
        "packages": {name: found for name in PACKAGES if (found := _version(name))},
        "lock": fingerprint(project / LOCK) if (project / LOCK).is_file() else None,
        "revision": (found := revision(plan.notebooks[0].parent)),
        "dirty": found.endswith("-dirty") if found else None,
    }


def overhead(ran: Sequence[Ran], *, rendering: float) -> dict[str, float]:
    """Seconds, summed over the notebooks that ran, and the share that is not spent on what a notebook asks; kept notebooks took none.

    Examples
    --------
    >>> from fcrlib.publish.engine import Spent
    >>> overhead([Ran("10_fcr", "ok", 10.0, kept=False, spent=Spent(1.0, 1.0, 7.5, 0.5))], rendering=2.5)["share"]
    0.4
    """
    spent = [item.spent for item in ran if item.spent]
    whole = sum(item.seconds for item in ran if item.spent) + rendering
    parts = {name: round(sum(getattr(one, name) for one in spent), 2) for name in ("start", "opening", "saving", "cells")}
    rest = whole - parts["cells"]
    return {**parts, "rendering": round(rendering, 2), "share": round(rest / whole, 3) if whole else 0.0}


def peak_memory() -> int:
    """Megabytes that the run, or the largest of the processes that it started, held at once."""
    largest = max(resource.getrusage(who).ru_maxrss for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return round(largest / (1 << 20 if sys.platform == "darwin" else 1 << 10))


def _file(file: Path) -> dict[str, Any]:
    """A file of the desk: its hash, and for a table its rows and the span of each instant in it."""
    about: dict[str, Any] = {"name": file.name, "sha256": fingerprint(file)}
    if file.suffix != ".parquet":
        return about
    import polars as pl
    from polars import selectors as cs

    frame = pl.scan_parquet(file, glob=False)
    found = (
        frame.select(pl.len().alias("rows"), cs.datetime().min().name.prefix("first "), cs.datetime().max().name.prefix("last "))
        .collect()
        .row(0, named=True)
    )
    return {**about, **{name: value if name == "rows" else f"{value:%Y-%m-%d}" for name, value in found.items() if value is not None}}


def _notebook(plan: Plan, item: Ran) -> dict[str, Any]:
    source = next(notebook for notebook in plan.notebooks if notebook.stem == item.name)
    about = {"name": item.name, "sha256": fingerprint(source), "status": item.status, "seconds": item.seconds, "kept": item.kept}
    if item.spent:
        about |= {"spent": asdict(item.spent), "slowest": [{"cell": cell, "seconds": seconds} for cell, seconds in item.slowest]}
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
