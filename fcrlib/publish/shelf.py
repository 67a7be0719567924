"""Which reports are there, and how does one get onto the shelf whole?"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from filelock import FileLock

from fcrlib.model.errors import DataError, UsageError
from fcrlib.model.finding import Measure
from fcrlib.model.numbers import spell
from fcrlib.model.period import Period
from fcrlib.model.places import exchanged
from fcrlib.publish import findings


@dataclass(frozen=True, slots=True)
class Listed:
    """One published report: its period, headline, key figures as spelled, number of findings, and what `findings.json` says."""

    period: str
    first: str
    last: str
    title: str
    kpis: tuple[tuple[str, str], ...]
    findings: int
    folder: Path


def listing(reports: Path) -> list[Listed]:
    """Every published report, the newest period first; a folder that is not named after its period is a copy, not a report."""
    listed = [report for report in map(_read, _found(reports)) if isinstance(report, Listed) and report.period == report.folder.name]
    return sorted(listed, key=lambda report: (report.last, report.first), reverse=True)


def damaged(reports: Path) -> list[str]:
    """Why reports that are there are not listed, in words; they hinder no other report."""
    return [problem for problem in map(_read, _found(reports)) if isinstance(problem, str)]


def _found(reports: Path) -> list[Path]:
    return sorted(reports.glob("*/findings.json"))


def _read(file: Path) -> Listed | str:
    """A report, or why it cannot be read."""
    try:
        return _listed(file.parent, findings.read(file) or {})
    except DataError as error:
        return error.what
    except (KeyError, TypeError, AttributeError):
        return f"{file} is damaged (something is missing in it): publish that period again"


def _listed(folder: Path, content: Mapping[str, Any]) -> Listed:
    headline = next((fields["title"] for fields in content["findings"] if fields["role"] == "headline"), "First contact resolution")
    kpis = tuple((fields["title"], _value(fields)) for fields in content["kpis"])
    count = sum(fields["role"] in ("mode", "finding") for fields in content["findings"])
    period = content["period"]
    return Listed(period["label"], period["first"], period["last"], headline, kpis, count, folder)


def _value(fields: Mapping[str, Any]) -> str:
    measure = Measure(**fields["measure"]) if fields["measure"] else None
    return spell(measure, currency=str(fields["details"].get("currency", "")))


def index(reports: Path, *, organisation: str = "") -> Path:
    """Write `index.html`, `index.json` and `latest.html` from the published reports; return the first."""
    from fcrlib.publish import page

    reports.mkdir(parents=True, exist_ok=True)
    with FileLock(reports / ".index.lock"):
        rows = [_row(report) for report in listing(reports)]
        _replace(reports / "index.json", json.dumps(rows, indent=1, ensure_ascii=False) + "\n")
        _replace(reports / "latest.html", page.redirect(rows[0]["href"] if rows else "index.html"))
        return _replace(reports / "index.html", page.index(rows, organisation=organisation))


def _row(report: Listed) -> dict[str, Any]:
    kpis = [{"title": title, "value": value} for title, value in report.kpis]
    fields = {"period": report.period, "first": report.first, "last": report.last, "title": report.title}
    return {**fields, "kpis": kpis, "findings": report.findings, "href": f"{report.folder.name}/report.html"}


def _replace(file: Path, text: str) -> Path:
    part = file.with_name(f".{file.name}.part")
    part.write_text(text, encoding="utf-8")
    os.replace(part, file)
    return file


def last_before(reports: Path, period: Period) -> dict[str, Any] | None:
    """The content of the previous period's report, if it was published and can be read."""
    file = reports / period.previous().label / "findings.json"
    return findings.read(file) if isinstance(_read(file), Listed) else None


SUMS = "SHA256SUMS"


def seal(folder: Path) -> Path:
    """Write `SHA256SUMS`, by which anybody can see that a report is whole: `sha256sum --check SHA256SUMS`."""
    files = sorted(path for path in folder.rglob("*") if path.is_file() and path.name != SUMS)
    lines = [f"{_sum(path)}  {path.relative_to(folder).as_posix()}\n" for path in files]
    return _replace(folder / SUMS, "".join(lines))


def broken_seals(folder: Path) -> list[str]:
    """What is not as it was when the folder was sealed: files that are missing, were changed or came later; empty for a folder without a seal."""
    if not (folder / SUMS).is_file():
        return []
    lines = (folder / SUMS).read_text(encoding="utf-8").splitlines()
    sealed = {name: mark for mark, _, name in (line.partition("  ") for line in lines)}
    there = {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file() and path.name != SUMS}
    changed = [f"{name}: it was changed after it was published" for name in sorted(there & set(sealed)) if _sum(folder / name) != sealed[name]]
    return [
        *(f"{name}: it is missing" for name in sorted(set(sealed) - there)),
        *changed,
        *(f"{name}: it came later" for name in sorted(there - set(sealed))),
    ]


def _sum(file: Path) -> str:
    return hashlib.sha256(file.read_bytes()).hexdigest()


def place(page: Path, target: Path) -> None:
    """Put a finished folder in its place; a report that stood there moves to `.old`. Where the system can exchange two folders at once
    (Linux), a reader finds the old report or the new one at every moment."""
    if not target.exists():
        os.replace(page, target)
        return
    old = target.parent / ".old"
    old.mkdir(exist_ok=True)
    aside = old / f"{target.name}-{datetime.now(UTC):%Y%m%dT%H%M%S%f}"
    os.replace(page, aside)
    if not exchanged(aside, target):
        between = aside.with_name(f"{aside.name}.new")
        os.replace(aside, between)
        os.replace(target, aside)
        os.replace(between, target)


def prune(reports: Path, *, keep: int, organisation: str = "") -> list[Path]:
    """Remove all published reports but the newest, and every report that was moved aside; return what was removed.

    Parameters
    ----------
    keep
        How many of the newest reports stay, by the last day of their periods; at least 1.

    Raises
    ------
    UsageError
        If nothing would be left.
    """
    if keep < 1:
        raise UsageError("at least one report has to stay", [f"keep is {keep}"])
    aside = sorted((reports / ".old").glob("*")) if (reports / ".old").is_dir() else []
    removed = [*(report.folder for report in listing(reports)[keep:]), *aside]
    for folder in removed:
        # Out of sight first: a report that is half removed must not look like one.
        hidden = folder.with_name(f".removed-{folder.name}")
        os.replace(folder, hidden)
        shutil.rmtree(hidden)
    if removed:
        index(reports, organisation=organisation)
    return removed
