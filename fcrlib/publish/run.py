"""How is a report made and published?

Everything that can be wrong is found before anything runs. Notebooks run into a staging folder and are kept there until the report
stands; a second try runs only what is missing. The published folder appears whole or not at all.
"""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from dataclasses import replace as replaced
from datetime import timedelta
from pathlib import Path
from time import monotonic
from typing import Any, Literal

from fcrlib.model.errors import UsageError
from fcrlib.model.period import Period
from fcrlib.model.policy import Policy
from fcrlib.model.settings import Settings
from fcrlib.publish import findings
from fcrlib.publish.crew import Diary, carry_out, is_kept, read_kept
from fcrlib.publish.guard import locked, swept, terminable
from fcrlib.publish.plan import Limits, Plan, plan
from fcrlib.publish.progress import Progress, Silent
from fcrlib.publish.provenance import Ran, overhead, written
from fcrlib.publish.shelf import damaged, index, last_before, place, seal

LOCKED, GATED, TERMINATED = 75, 4, 143
ENDINGS = {"failed": "failed", "exited": "failed", "died": "died", "timeout": "late", "deadline": "late", "interrupted": "interrupted"}


@dataclass(frozen=True, slots=True)
class RunResult:
    """What became of a run.

    Parameters
    ----------
    status, exit_code
        `published` 0, `planned` 0, `failed` 1, `gated` 4, `locked` 75, `late` 124, `interrupted` 130, `died` 138, `terminated` 143.
    folder
        The published report, or the staging folder that was kept.
    message
        One sentence for the person who waits.
    gates
        What kept the report from being published.
    notes
        What else there is to know: older reports that cannot be read, why there is no PDF, or, of a run that was only planned, what it would do.
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
    notes: tuple[str, ...] = ()


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
    mode: Literal["resume", "fresh", "plan"] = "resume",
    replace: Literal["refuse", "aside"] = "refuse",
    after_failure: Literal["stop", "go on"] = "stop",
    jobs: int = 1,
    drawings: Literal["still", "interactive"] = "still",
    pdf: Literal["none", "printed"] = "none",
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
        `resume` keeps what an interrupted run has finished, if neither notebook nor data nor parameters nor code changed; `fresh` keeps
        nothing; `plan` checks everything, says what would run, and writes nothing.
    replace
        What to do with a report that is already there: `refuse`, or move it `aside` to `.old`.
    after_failure
        Once a notebook has failed nothing is published; `go on` runs the others all the same, so that everything wrong is told at once.
    jobs
        How many notebooks run at the same time.
    drawings
        `interactive` adds the one script that lets drawings answer the mouse.
    pdf
        `printed` adds `report.pdf`, where a browser is found that can print; without one the report is published and a note says so.
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
    parsed, diary, form = Period.parse(period), Diary(progress or Silent()), _Form(drawings, pdf)
    if jobs < 1:
        raise UsageError("at least one notebook has to run at a time", [f"jobs is {jobs}"])

    def ready() -> Plan:
        return plan(
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

    if mode == "plan":
        return _foreseen(ready(), replace)
    with locked(reports, parsed, wait_lock) as free:
        if not free:
            return RunResult("locked", LOCKED, parsed.label, reports / parsed.label, f"another run of {parsed.label} is under way")
        planned = ready()
        if planned.target.exists() and replace == "refuse":
            raise UsageError(f"the report of {parsed.label} exists already: {planned.target}", ["run with --force to move it aside to .old"])
        if mode == "fresh":
            shutil.rmtree(planned.staging, ignore_errors=True)
        return _carry_out(planned, diary, jobs=jobs, after_failure=after_failure, form=form)


@dataclass(frozen=True, slots=True)
class _Form:
    """What the report looks like."""

    drawings: Literal["still", "interactive"]
    pdf: Literal["none", "printed"]


def _foreseen(ready: Plan, replace: str) -> RunResult:
    """What a run would do; nothing is written."""
    kept, seconds = read_kept(ready.staging), 0.0
    ran, notes = [], []
    for notebook in ready.notebooks:
        again = is_kept(ready, notebook, kept)
        values = ", ".join(f"{name}={value!r}" for name, value in ready.values[notebook.stem].items())
        ran.append(Ran(notebook.stem, "ok" if again else "planned", seconds, kept=again))
        notes.append(f"{notebook.stem}: {'kept from the earlier run' if again else f'would run with {values}' if values else 'would run'}")
    if ready.target.exists():
        notes.append(
            "the report exists: " + ("it would be moved aside to .old" if replace == "aside" else "the run would be refused without --force")
        )
    message = f"nothing was run; {sum(not one.kept for one in ran)} of {len(ran)} notebooks would run for {ready.target}"
    return RunResult("planned", 0, ready.period.label, ready.target, message, tuple(ran), notes=tuple(notes))


def _carry_out(ready: Plan, diary: Diary, *, jobs: int, after_failure: Literal["stop", "go on"], form: _Form) -> RunResult:
    from fcrlib.publish.engine import EXIT_CODES, Stopped

    swept()
    (ready.staging / "work").mkdir(parents=True, exist_ok=True)
    try:
        with terminable():
            carry_out(ready, diary, jobs=jobs, after_failure=after_failure)
            if diary.failed:
                first = diary.failed[0]
                message = "; ".join(outcome.sentence() for outcome in diary.failed)
                return _ended(ready, diary, ENDINGS[first.status], EXIT_CODES[first.status], message)
            return _published(ready, diary, form)
    except KeyboardInterrupt:
        return _ended(ready, diary, "interrupted", 130, "the run was interrupted; run again to go on from here")
    except Stopped:
        return _ended(ready, diary, "terminated", TERMINATED, "the run was terminated; run again to go on from here")


def _ended(ready: Plan, diary: Diary, status: str, exit_code: int, message: str, gates: tuple[str, ...] = ()) -> RunResult:
    """A run that published nothing; what it has is kept in staging, with a note of how it ended."""
    (ready.staging / "run.json").write_text(_as_text(_record(ready, diary, status, gates)), encoding="utf-8")
    kept = f"{message}; kept in {ready.staging}"
    return RunResult(status, exit_code, ready.period.label, ready.staging, kept, tuple(diary.ran), 0, gates, diary.seconds)


def _as_text(fields: Mapping[str, Any]) -> str:
    from fcrlib.publish.render import as_text

    return as_text(fields)


def _record(ready: Plan, diary: Diary, status: str, gates: tuple[str, ...] = ()) -> dict[str, Any]:
    return written(ready, diary.ran, status=status, gates=gates, id=diary.id, started=diary.started, seconds=diary.seconds)


def _published(ready: Plan, diary: Diary, form: _Form) -> RunResult:
    from fcrlib.publish.render import render

    page, began, record = ready.staging / "page", monotonic(), _record(ready, diary, "published")
    content, problems = render(
        [ready.staging / "work" / notebook.name for notebook in ready.notebooks],
        page,
        period=ready.period,
        definitions=findings.definitions(ready.policy),
        organisation=ready.organisation,
        data=ready.data,
        before=last_before(ready.reports, ready.period),
        places=ready.places(),
        run=record,
        drawings=form.drawings,
        redaction=Settings.read(ready.settings).redaction if ready.settings else None,
    )
    if problems:
        said = f"not published: {len(problems)} problem{'s' * (len(problems) > 1)}, first {problems[0]}"
        return replaced(_ended(ready, diary, "gated", GATED, said, tuple(map(str, problems))), folder=page)
    notes = (*damaged(ready.reports), *(_printed(page) if form.pdf == "printed" else ()))
    timed = {**record, "overhead": overhead(diary.ran, rendering=monotonic() - began)}
    (page / "run.json").write_text(_as_text(timed), encoding="utf-8")
    seal(page)
    place(page, ready.target)
    shutil.rmtree(ready.staging)
    index(ready.reports, organisation=ready.organisation)
    count = sum(fields["role"] in ("mode", "finding") for fields in content["findings"])
    message = f"published {ready.target / 'report.html'}"
    return RunResult("published", 0, ready.period.label, ready.target, message, tuple(diary.ran), count, (), diary.seconds, notes)


def _printed(page: Path) -> tuple[str, ...]:
    """Print the report; where that fails, say why."""
    from fcrlib.publish.pdf import printed

    why = printed(page / "report.html", page / "report.pdf")
    return (why,) if why else ()
