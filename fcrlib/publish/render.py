"""How do executed notebooks become the folder of a report?"""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from fcrlib.model.period import Period
from fcrlib.model.redaction import Redaction
from fcrlib.publish import evidence, findings, gates, page
from fcrlib.publish.exports import takeaways
from fcrlib.publish.findings import Harvest


def render(
    notebooks: Sequence[Path],
    folder: Path,
    *,
    period: Period,
    definitions: Mapping[str, str],
    organisation: str,
    data: Mapping[str, Any],
    before: dict[str, Any] | None,
    places: Mapping[str, str],
    run: Mapping[str, Any],
    drawings: page.Drawings = "still",
    redaction: Redaction | None = None,
) -> tuple[dict[str, Any], list[gates.Problem]]:
    """Write a whole report into a fresh folder and look at it as the gates do.

    Parameters
    ----------
    notebooks
        The executed notebooks, in order.
    folder
        Where the report is made; whatever was there is removed.
    definitions
        The policy, from `findings.definitions`.
    before
        The last report's `findings.json`.
    places
        Paths of this machine and what to write instead.
    run
        What `run.json` says.
    drawings
        `still`, or `interactive`: see `page.report`.
    redaction
        What the project knows about personal data, for the gates.

    Returns
    -------
    dict, list
        The content of `findings.json`, and the problems that keep the report from being published.
    """
    shutil.rmtree(folder, ignore_errors=True)
    (folder / "evidence").mkdir(parents=True)
    copies = [_copy(notebook, folder / "evidence", places) for notebook in notebooks]
    found = findings.harvest(copies)
    content = findings.content(found, period=period, definitions=definitions, organisation=organisation, data=data)
    content = findings.compared(content, before)
    (folder / "findings.json").write_text(findings.write(content), encoding="utf-8")
    (folder / "run.json").write_text(as_text(run), encoding="utf-8")
    _pages(folder, copies, found, content, run_at=run_line(run), drawings=drawings)
    takeaways(folder, content=content, drawn=found.drawn)
    return content, [*_unknown_figures(found), *gates.check(folder, redaction=redaction)]


def _copy(notebook: Path, folder: Path, places: Mapping[str, str]) -> Path:
    copy = folder / notebook.name
    copy.write_text(evidence.scrubbed(notebook, places=places), encoding="utf-8")
    return copy


def _pages(folder: Path, copies: Sequence[Path], found: Harvest, content: Mapping[str, Any], *, run_at: str, drawings: page.Drawings) -> None:
    (folder / "notebooks").mkdir()
    (folder / "report.html").write_text(page.report(content, drawn=found.drawn, run_at=run_at, drawings=drawings), encoding="utf-8")
    for copy, chapter in zip(copies, found.chapters, strict=True):
        text = page.evidence(name=chapter.name, title=chapter.title, period=content["period"]["label"], cells=evidence.shown(copy))
        (folder / "notebooks" / f"{chapter.name}.html").write_text(text, encoding="utf-8")


def _unknown_figures(found: Harvest) -> list[gates.Problem]:
    known = {item.id for item in found.drawn}
    return [
        gates.Problem("links", f"{item.notebook}.ipynb", f"finding '{item.finding.id}' names the figure '{name}', which no notebook shows")
        for item in found.findings
        for name in item.finding.figures
        if name not in known
    ]


def run_line(run: Mapping[str, Any]) -> str:
    """When and how long, in words."""
    return f"{run['started'][:16].replace('T', ' ')} UTC, {run['seconds']:g} seconds"


def as_text(fields: Mapping[str, Any]) -> str:
    """JSON for people: indented, in the given order."""
    return json.dumps(fields, indent=1, ensure_ascii=False) + "\n"
