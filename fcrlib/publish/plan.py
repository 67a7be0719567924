"""What has to be right before anything runs?

The period, the desk, the notebooks, the parameters: whatever is wrong is told before a minute has been spent.
"""

from __future__ import annotations

import fnmatch
import hashlib
import json
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from functools import lru_cache
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import fcrlib
from fcrlib.model.desk import Manifest, fingerprint, read_manifest
from fcrlib.model.errors import DataError, UsageError
from fcrlib.model.period import Period
from fcrlib.model.policy import Policy
from fcrlib.publish.parameters import check, declared

LATE_START = timedelta(days=7)
GIVEN = ("desk", "period", "policy")


@dataclass(frozen=True, slots=True)
class Limits:
    """Longest time for one notebook and for one cell."""

    notebook: timedelta = timedelta(minutes=45)
    cell: timedelta = timedelta(minutes=10)


@dataclass(frozen=True, slots=True)
class Plan:
    """Everything a run needs to know, all of it checked.

    Parameters
    ----------
    values
        What each notebook is given, by its name.
    data
        What the report says about its data.
    """

    period: Period
    policy: Policy
    desk: Path
    data: dict[str, Any]
    reports: Path
    notebooks: tuple[Path, ...]
    values: dict[str, dict[str, object]]
    organisation: str
    limits: Limits
    settings: Path | None = None

    @property
    def staging(self) -> Path:
        """Where the run keeps what it has."""
        return self.reports / ".staging" / self.period.label

    @property
    def target(self) -> Path:
        """Where the report will stand."""
        return self.reports / self.period.label

    def fingerprint(self, notebook: Path) -> str:
        """SHA-256 of all that can change what a notebook finds: itself, its parameters, the data, the policy, the settings and the code."""
        values = json.dumps(self.values[notebook.stem], sort_keys=True, default=str)
        settings = fingerprint(self.settings) if self.settings else ""
        parts = (fingerprint(notebook), values, self.data["fingerprint"], self.policy.fingerprint, settings, _code())
        return hashlib.sha256("\n".join(parts).encode()).hexdigest()

    def places(self) -> dict[str, str]:
        """Paths of this machine, and what a reader sees instead."""
        package = Path(fcrlib.__file__).resolve().parent
        known = {
            self.desk: "desk",
            self.reports: "reports",
            self.notebooks[0].parent: "notebooks",
            package: "fcrlib",
            package.parent: "project",
            Path.home(): "~",
            Path(sys.prefix): "python",
        }
        found = {str(path.resolve()): word for path, word in known.items() if len(str(path.resolve())) > 3}
        # The cell of given parameters spells letters beyond ASCII as escapes.
        return {**{_escaped(path): word for path, word in found.items()}, **found}


def _escaped(path: str) -> str:
    return path.encode("unicode_escape").decode().replace('"', r"\"")


def plan(
    period: Period,
    *,
    desk: Path,
    notebooks: Path,
    reports: Path,
    parameters: Mapping[str, object],
    only: str | None,
    policy: str | Policy,
    organisation: str,
    limits: Limits,
    settings: Path | None,
) -> Plan:
    """Check everything and return the plan of a run.

    Raises
    ------
    UsageError
        If there are no notebooks, or a parameter or the policy is wrong.
    DataError
        If the desk is missing, damaged or does not cover the period.
    """
    chosen = _chosen(notebooks, only)
    rule = Policy.named(policy) if isinstance(policy, str) else policy
    takes = {notebook.stem: declared(notebook) for notebook in chosen}
    reserved = [f"{name}: give it to the run itself, not as a parameter" for name in parameters if name in GIVEN]
    if reserved:
        raise UsageError("the parameters have mistakes; nothing was run:", reserved)
    values = check(parameters, notebooks=takes)
    manifest = read_manifest(desk)
    covers(manifest, period)
    given = {"desk": str(desk.resolve()), "period": period.label, "policy": rule.name}
    dealt = {name: {**{word: given[word] for word in GIVEN if word in takes[name]}, **values[name]} for name in takes}
    data = span(manifest, fingerprint=fingerprint(desk))
    return Plan(period, rule, desk, data, reports, chosen, dealt, organisation, limits, settings)


def _chosen(folder: Path, only: str | None) -> tuple[Path, ...]:
    found = sorted(path for path in folder.glob("*.ipynb") if not path.name.startswith("."))
    if not found:
        raise UsageError(f"there are no notebooks in {folder}")
    chosen = tuple(path for path in found if only is None or fnmatch.fnmatch(path.stem, only) or fnmatch.fnmatch(path.name, only))
    if not chosen:
        raise UsageError(f"no notebook matches '{only}'", [f"there are: {', '.join(path.stem for path in found)}"])
    return chosen


def covers(manifest: Manifest, period: Period) -> None:
    """Refuse a period that the desk's data do not cover; a first week without contacts is forgiven.

    Raises
    ------
    DataError
        With the span of the data.
    """
    zone = ZoneInfo(manifest.time_zone)
    first, last = manifest.data_start.astimezone(zone).date(), manifest.data_end.astimezone(zone).date()
    if period.last > last or period.first + LATE_START < first:
        raise DataError(
            f"period {period.label} ({period.first} to {period.last}) is not covered by the data",
            [f"the desk '{manifest.source}' spans {first} to {last}", "choose a period inside it, or import a newer export"],
        )


def span(manifest: Manifest, *, fingerprint: str) -> dict[str, Any]:
    """What a report says about its data."""
    return {
        "source": manifest.source,
        "start": f"{manifest.data_start:%Y-%m-%d}",
        "end": f"{manifest.data_end:%Y-%m-%d}",
        "contacts": f"{manifest.rows.get('contacts', 0):,}",
        "fingerprint": fingerprint[:12],
        "invented": manifest.invented,
    }


@lru_cache(maxsize=1)
def _code() -> str:
    """SHA-256 of the package's own source."""
    digest = hashlib.sha256()
    for file in sorted(Path(fcrlib.__file__).parent.rglob("*.py")):
        digest.update(file.read_bytes())
    return digest.hexdigest()
