"""How is a report made and published?

Everything that can be wrong is found before anything runs. Notebooks run into a staging folder and are kept there until the report
stands; a second try runs only what is missing. The published folder appears whole or not at all.
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from time import monotonic
from typing import Any, Literal

from fcrlib.model.errors import UsageError
from fcrlib.model.period import Period
from fcrlib.model.policy import Policy
from fcrlib.model.settings import Settings
from fcrlib.publish import findings
from fcrlib.publish.guard import locked, terminable
from fcrlib.publish.plan import Limits, Plan, plan
from fcrlib.publish.progress import Progress, Silent
from fcrlib.publish.provenance import Ran, written
from fcrlib.publish.shelf import index, last_before

LOCKED, GATED, TERMINATED = 75, 4, 143
ENDINGS = {"failed": "failed", "exited": "failed", "died": "died", "timeout": "late", "deadline": "late", "interrupted": "interrupted"}


@dataclass(frozen=True, slots=True)
class RunResult:
    """What became of a run.

    Parameters
    ----------
    status, exit_code
        `published` 0, `failed` 1, `gated` 4, `locked` 75, `late` 124, `interrupted` 130, `died` 138, `terminated` 143.
    folder
        The published report, or the staging folder that was kept.
    message
        One sentence for the person who waits.
    gates
        What kept the report from being published.
    """

    status: str
    exit_code: int
    period: str
    folder: Path
    message: str = ""
    notebooks: tuple[Ran, ...] = ()
    findings: int = 0
    gates: tuple[str, ...] = ()
    seconds: float = 0.0


@dataclass(slots=True)
class _Diary:
    """When a run started and what it has done so far."""

    told: Progress
    started: datetime = field(default_factory=lambda: datetime.now(UTC))
    clock: float = field(default_factory=monotonic)
    ran: list[Ran] = field(default_factory=list)
    running: str = ""

    @property
    def seconds(self) -> float:
        """Seconds since the start."""
        return round(monotonic() - self.clock, 1)


def run(
    period: str,
    *,
    desk: Path,
    notebooks: Path,
    reports: Path,
    parameters: Mapping[str, object] | None = None,
    only: str | None = None,
    policy: str | Policy = "customer_7d",
    organisation: str = "",
    settings: Path | None = None,
    mode: Literal["resume", "fresh"] = "resume",
    replace: Literal["refuse", "aside"] = "refuse",
    timeout: timedelta = timedelta(minutes=45),
    cell_timeout: timedelta = timedelta(minutes=10),
    wait_lock: timedelta = timedelta(0),
    progress: Progress | None = None,
) -> RunResult:
    """Run the notebooks for a period and publish the report.

    Parameters
    ----------
    period
        As `Period.parse` reads it.
    desk, notebooks, reports
        The desk's folder, the folder of notebooks (run in the order of their names), and the folder of reports.
    parameters
        Values for the notebooks' `parameters` cells; `desk`, `period` and `policy` are given to every notebook that declares them.
    settings
        The `fcr.toml` that the notebooks read; the one of the working folder by default.
    only
        A pattern for notebook names, e.g. `2*`.
    mode
        `resume` keeps what an interrupted run has finished, if neither notebook nor data nor parameters nor code changed.
    replace
        What to do with a report that is already there: `refuse`, or move it `aside` to `.old`.
    timeout, cell_timeout
        Longest time for one notebook and for one cell.
    wait_lock
        How long to wait for another run of the same period to end.

    Raises
    ------
    UsageError
        If the period, a parameter or the pattern is wrong, or the report exists.
    DataError
        If the desk is missing or does not cover the period.
    """
    parsed, diary = Period.parse(period), _Diary(progress or Silent())
    with locked(reports, parsed, wait_lock) as free:
        if not free:
            return RunResult("locked", LOCKED, parsed.label, reports / parsed.label, f"another run of {parsed.label} is under way")
        ready = plan(
            parsed,
            desk=desk,
            notebooks=notebooks,
            reports=reports,
            parameters=parameters or {},
            only=only,
            policy=policy,
            organisation=organisation,
            limits=Limits(timeout, cell_timeout),
            settings=settings or Settings.find().file,
        )
        if ready.target.exists() and replace == "refuse":
            raise UsageError(f"the report of {parsed.label} exists already: {ready.target}", ["run with --force to move it aside to .old"])
        if mode == "fresh":
            shutil.rmtree(ready.staging, ignore_errors=True)
        return _carry_out(ready, diary)


def _carry_out(ready: Plan, diary: _Diary) -> RunResult:
    from fcrlib.publish.engine import Stopped

    (ready.staging / "work").mkdir(parents=True, exist_ok=True)
    try:
        with terminable():
            for notebook in ready.notebooks:
                ended = _one(ready, notebook, diary)
                if ended is not None:
                    return ended
            return _published(ready, diary)
    except KeyboardInterrupt:
        return _ended(ready, diary, "interrupted", 130, "the run was interrupted; run again to go on from here")
    except Stopped:
        return _ended(ready, diary, "terminated", TERMINATED, "the run was terminated; run again to go on from here")


def _one(ready: Plan, notebook: Path, diary: _Diary) -> RunResult | None:
    """Run one notebook, unless an earlier run has finished it; None when it is done."""
    from fcrlib.publish.engine import EXIT_CODES, execute

    kept, fingerprint = _kept(ready.staging), ready.fingerprint(notebook)
    output = ready.staging / "work" / notebook.name
    if kept.get(notebook.stem, {}).get("fingerprint") == fingerprint and output.exists():
        diary.ran.append(Ran(notebook.stem, "ok", kept[notebook.stem]["seconds"], kept=True))
        diary.told.say(f"{notebook.stem}: kept from the earlier run")
        return None
    name, limits = notebook.stem, ready.limits
    diary.running = name
    outcome = execute(
        notebook,
        output,
        parameters=ready.values[name],
        cell_timeout=limits.cell,
        deadline=limits.notebook,
        settings=ready.settings,
        seen=lambda cell, cells: diary.told.cell(name, cell, cells),
    )
    diary.running = ""
    diary.ran.append(Ran(name, outcome.status, outcome.seconds, kept=False, cell=outcome.cell, error=outcome.error))
    diary.told.say(outcome.sentence() if outcome.status != "ok" else f"{name}: {outcome.seconds:.0f} s")
    if outcome.status != "ok":
        return _ended(ready, diary, ENDINGS[outcome.status], EXIT_CODES[outcome.status], outcome.sentence())
    _keep(ready.staging, {**kept, name: {"fingerprint": fingerprint, "seconds": outcome.seconds}})
    return None


def _kept(staging: Path) -> dict[str, Any]:
    file = staging / "kept.json"
    try:
        return dict(json.loads(file.read_text(encoding="utf-8")))
    except (FileNotFoundError, ValueError):
        return {}


def _keep(staging: Path, kept: Mapping[str, Any]) -> None:
    part = staging / ".kept.part"
    part.write_text(json.dumps(kept, indent=1), encoding="utf-8")
    os.replace(part, staging / "kept.json")


def _ended(ready: Plan, diary: _Diary, status: str, exit_code: int, message: str) -> RunResult:
    """A run that published nothing; what it has is kept in staging, with a note of how it ended."""
    if diary.running:
        diary.ran.append(Ran(diary.running, "interrupted", 0.0, kept=False))
    (ready.staging / "run.json").write_text(_record(ready, diary, status), encoding="utf-8")
    ran = tuple(diary.ran)
    return RunResult(status, exit_code, ready.period.label, ready.staging, f"{message}; kept in {ready.staging}", ran, seconds=diary.seconds)


def _record(ready: Plan, diary: _Diary, status: str) -> str:
    from fcrlib.publish.render import as_text

    return as_text(written(ready, diary.ran, status=status, started=diary.started, seconds=diary.seconds))


def _published(ready: Plan, diary: _Diary) -> RunResult:
    from fcrlib.publish.render import render

    page = ready.staging / "page"
    content, problems = render(
        [ready.staging / "work" / notebook.name for notebook in ready.notebooks],
        page,
        period=ready.period,
        definitions=findings.definitions(ready.policy),
        organisation=ready.organisation,
        data=ready.data,
        before=last_before(ready.reports, ready.period),
        places=ready.places(),
        run=written(ready, diary.ran, status="published", started=diary.started, seconds=diary.seconds),
    )
    if problems:
        ended = _ended(ready, diary, "gated", GATED, f"not published: {len(problems)} problem{'s' * (len(problems) > 1)}, first {problems[0]}")
        return RunResult(ended.status, GATED, ended.period, page, ended.message, ended.notebooks, 0, tuple(map(str, problems)), diary.seconds)
    place(page, ready.target)
    shutil.rmtree(ready.staging)
    index(ready.reports, organisation=ready.organisation)
    count = sum(fields["role"] == "finding" for fields in content["findings"])
    message = f"published {ready.target / 'report.html'}"
    return RunResult("published", 0, ready.period.label, ready.target, message, tuple(diary.ran), count, (), diary.seconds)


def place(page: Path, target: Path) -> None:
    """Put a finished folder in its place; a report that stood there moves to `.old`."""
    if target.exists():
        old = target.parent / ".old"
        old.mkdir(exist_ok=True)
        os.replace(target, old / f"{target.name}-{datetime.now(UTC):%Y%m%dT%H%M%S%f}")
    os.replace(page, target)


def build(period: str, *, reports: Path) -> RunResult:
    """Render a published report again from its own evidence, without running anything: for a new look, or a new report before it.

    Raises
    ------
    UsageError
        If the period has no report.
    """
    from fcrlib.publish.render import render

    parsed, diary = Period.parse(period), _Diary(Silent())
    with locked(reports, parsed, timedelta(0)) as free:
        target, page = reports / parsed.label, reports / ".staging" / parsed.label / "page"
        if not free:
            return RunResult("locked", LOCKED, parsed.label, target, f"another run of {parsed.label} is under way")
        content = findings.read(target / "findings.json")
        if content is None:
            raise UsageError(f"there is no report of {parsed.label} in {reports}", [f"make one with `fcr report run {parsed.label}`"])
        again, problems = render(
            [target / "evidence" / f"{chapter['name']}.ipynb" for chapter in content["chapters"]],
            page,
            period=parsed,
            before=last_before(reports, parsed),
            places={},
            run=json.loads((target / "run.json").read_text(encoding="utf-8")),
            **{name: content[name] for name in ("definitions", "organisation", "data")},
        )
        if problems:
            return RunResult("gated", GATED, parsed.label, page, f"not published: {problems[0]}", gates=tuple(map(str, problems)))
        place(page, target)
        index(reports, organisation=content["organisation"])
        count = sum(fields["role"] == "finding" for fields in again["findings"])
        return RunResult("published", 0, parsed.label, target, f"built {target / 'report.html'}", (), count, (), diary.seconds)
