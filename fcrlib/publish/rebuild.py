"""What can be done with a report that is published, without running anything: render it again, look at it again, hold it against another?"""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any, Literal

from fcrlib.model.errors import UsageError
from fcrlib.model.period import Period
from fcrlib.model.redaction import Redaction
from fcrlib.publish import findings
from fcrlib.publish.guard import locked
from fcrlib.publish.pdf import printed
from fcrlib.publish.run import GATED, LOCKED, RunResult
from fcrlib.publish.shelf import broken_seals, index, last_before, place, seal


def build(period: str, *, reports: Path, drawings: Literal["still", "interactive"] = "still", redaction: Redaction | None = None) -> RunResult:
    """Render a published report again from its own evidence: for a new look, or a new report before it. A PDF is printed again where there was one.

    Parameters
    ----------
    reports
        The folder of reports.
    drawings
        `interactive` adds the one script that lets drawings answer the mouse.
    redaction
        What the project knows about personal data, for the gates.

    Raises
    ------
    UsageError
        If the period has no report.
    """
    from fcrlib.publish.render import render

    parsed = Period.parse(period)
    with locked(reports, parsed, timedelta(0)) as free:
        target, page = reports / parsed.label, reports / ".staging" / parsed.label / "page"
        if not free:
            return RunResult("locked", LOCKED, parsed.label, target, f"another run of {parsed.label} is under way")
        content = _content(parsed.label, reports)
        again, problems = render(
            _evidence(target, content),
            page,
            period=parsed,
            before=last_before(reports, parsed),
            places={},
            run=json.loads((target / "run.json").read_text(encoding="utf-8")),
            drawings=drawings,
            redaction=redaction,
            **{name: content[name] for name in ("definitions", "organisation", "data")},
        )
        if problems:
            return RunResult("gated", GATED, parsed.label, page, f"not published: {problems[0]}", gates=tuple(map(str, problems)))
        why = printed(page / "report.html", page / "report.pdf") if (target / "report.pdf").exists() else ""
        seal(page)
        place(page, target)
        if not any(page.parent.iterdir()):
            page.parent.rmdir()
        index(reports, organisation=content["organisation"])
        count = sum(fields["role"] in ("mode", "finding") for fields in again["findings"])
        return RunResult("published", 0, parsed.label, target, f"built {target / 'report.html'}", (), count, notes=(why,) if why else ())


def _evidence(target: Path, content: Mapping[str, Any]) -> list[Path]:
    """The executed notebooks beside a report, in its order; a name that leads elsewhere, or to nothing, was written by another hand."""
    names, there = [str(chapter["name"]) for chapter in content["chapters"]], {path.stem: path for path in (target / "evidence").glob("*.ipynb")}
    if lost := [name for name in names if name not in there]:
        raise UsageError(
            f"the report in {target} cannot be built again: {len(lost)} of {len(names)} notebooks are not beside it",
            [f"evidence/{name[:60]}.ipynb is missing" for name in lost],
        )
    return [there[name] for name in names]


def checked(period: str, *, reports: Path, redaction: Redaction | None = None) -> RunResult:
    """Look at a published report as the gates do, and see whether it is as it was published.

    Parameters
    ----------
    redaction
        What the project knows about personal data, for the gates.

    Raises
    ------
    UsageError
        If the period has no report.
    """
    from fcrlib.publish import gates

    label = Period.parse(period).label
    _content(label, reports)
    folder = reports / label
    problems = (*map(str, gates.check(folder, redaction=redaction)), *broken_seals(folder))
    if problems:
        return RunResult("gated", GATED, label, folder, f"the report of {label} has {len(problems)} problems", gates=problems)
    return RunResult("published", 0, label, folder, f"the report of {label} passes every gate")


def difference(one: str, other: str, *, reports: Path) -> str:
    """What moved from one published report to another, in words.

    Raises
    ------
    UsageError
        If one of the periods has no report.
    """
    before, after = (_content(Period.parse(period).label, reports) for period in (one, other))
    return findings.diff_text(before, after)


def _content(label: str, reports: Path) -> dict[str, Any]:
    content = findings.read(reports / label / "findings.json")
    if content is None:
        raise UsageError(f"there is no report of {label} in {reports}", [f"make one with `fcr report run {label}`"])
    return content
