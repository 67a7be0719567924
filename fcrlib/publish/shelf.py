"""Which reports are there?"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from filelock import FileLock

from fcrlib.model.finding import Measure
from fcrlib.model.numbers import spell
from fcrlib.model.period import Period
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
    contents = [(file.parent, findings.read(file)) for file in sorted(reports.glob("*/findings.json"))]
    listed = [_listed(folder, content) for folder, content in contents if content and content["period"]["label"] == folder.name]
    return sorted(listed, key=lambda report: (report.last, report.first), reverse=True)


def _listed(folder: Path, content: Mapping[str, Any]) -> Listed:
    headline = next((fields["title"] for fields in content["findings"] if fields["role"] == "headline"), "First contact resolution")
    kpis = tuple((fields["title"], _value(fields)) for fields in content["kpis"])
    count = sum(fields["role"] == "finding" for fields in content["findings"])
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
    """The content of the previous period's report, if it was published."""
    return findings.read(reports / period.previous().label / "findings.json")
