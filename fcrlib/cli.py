"""The `fcr` command: what can be done from a terminal?

stdout carries results, stderr carries progress and errors; a user's mistake prints a sentence and a list, never a traceback.
Everything heavy is imported inside the command that needs it, so `fcr --help` is instant.
"""

from __future__ import annotations

import json
import re
import shlex
import sys
from dataclasses import asdict
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from fcrlib import __version__
from fcrlib.model.errors import FcrError, UsageError

if TYPE_CHECKING:
    from fcrlib.model.desk import Desk
    from fcrlib.model.settings import Settings
    from fcrlib.publish.run import RunResult
    from fcrlib.study import Study

HELP = {"help_option_names": ["-h", "--help"]}
app = typer.Typer(
    help="Root-cause research for first contact resolution.", no_args_is_help=True, pretty_exceptions_enable=False, context_settings=HELP
)
imports = typer.Typer(help="Read a helpdesk's export into canonical tables.", no_args_is_help=True)
reports = typer.Typer(help="Run the notebooks into a dated report.", no_args_is_help=True)
policies = typer.Typer(help="The written definitions of 'resolved'.", no_args_is_help=True)
app.add_typer(imports, name="import")
app.add_typer(reports, name="report")
tags = typer.Typer(help="Worksheets that people fill in.", no_args_is_help=True)
exports = typer.Typer(help="Write a worksheet to fill in.", no_args_is_help=True)
app.add_typer(policies, name="policy")
app.add_typer(tags, name="tag")
tags.add_typer(exports, name="export")

Source = Annotated[Path, typer.Argument(help="the export: a file, a zip or a folder", show_default=False)]
DataEnd = Annotated[str, typer.Option("--data-end", help="when the export was made, e.g. 2026-09-30T23:59:59Z", show_default=False)]
Into = Annotated[Path | None, typer.Option("--to", help="folder to write the desk into [default: data/desk]", show_default=False)]
DeskFolder = Annotated[Path | None, typer.Option("--desk", "--data", help="folder of the desk [default: from fcr.toml]", show_default=False)]
PolicyName = Annotated[str | None, typer.Option("--policy", help="definition to judge by [default: from fcr.toml]", show_default=False)]
Reports = Annotated[Path | None, typer.Option("--out", help="folder of the reports [default: from fcr.toml]", show_default=False)]


def main() -> None:
    """Run the command; a mistake of the user's ends with its own exit code."""
    try:
        app()
    except FcrError as error:
        print(f"fcr: {error}", file=sys.stderr)
        raise SystemExit(error.exit_code) from None
    except OSError as error:
        print(f"fcr: {error.strerror or error}: {error.filename or ''}".rstrip(": "), file=sys.stderr)
        raise SystemExit(3) from None


@app.callback(invoke_without_command=True)
def _version(version: Annotated[bool, typer.Option("--version", help="Print the version.")] = False) -> None:
    if version:
        print(__version__)
        raise typer.Exit


@app.command()
def demo(
    to: Annotated[Path | None, typer.Option("--to", help="folder to write the desk into [default: data/demo]", show_default=False)] = None,
    contacts: Annotated[int, typer.Option(min=100, help="how many contacts to invent")] = 40_000,
    seed: Annotated[int, typer.Option(min=0, help="same seed, same desk")] = 7,
) -> None:
    """Invent a helpdesk whose causes of failure are known."""
    from fcrlib.intake.demo import invent
    from fcrlib.intake.redact import redact

    _tell(f"inventing {contacts:,} contacts")
    _save(redact(invent(seed=seed, contacts=contacts)), to or _settings().path("data/demo"))


@imports.command("servicenow")
def import_servicenow(
    path: Source,
    data_end: DataEnd,
    time_zone: Annotated[str, typer.Option("--timezone", "--time-zone", help="zone of the log's clock")] = "UTC",
    dates: Annotated[str | None, typer.Option(help="`day first` or `month first`, where no date tells", show_default=False)] = None,
    to: Into = None,
) -> None:
    """Read a ServiceNow incident audit log (csv, zip, gz or a folder of those)."""
    from fcrlib.intake import servicenow
    from fcrlib.model.desk import instant

    _save(servicenow.read(path, data_end=instant(data_end), time_zone=time_zone, dates=dates), to or _settings().path("data/desk"))


@imports.command("csv")
def import_csv(
    path: Source,
    data_end: Annotated[
        str | None, typer.Option("--data-end", help="when the export was made, e.g. 2026-09-30T23:59:59Z", show_default=False)
    ] = None,
    mapping: Annotated[Path | None, typer.Option(help="TOML file: which column is what", show_default=False)] = None,
    time_zone: Annotated[str | None, typer.Option("--timezone", "--time-zone", help="zone of times that carry none", show_default=False)] = None,
    guess: Annotated[bool, typer.Option("--guess", help="print a proposed mapping file and stop")] = False,
    to: Into = None,
) -> None:
    """Read any table of contacts (csv, tsv, zip, gz, parquet, ndjson) with a mapping file."""
    from fcrlib.intake import csv
    from fcrlib.intake.guess import guess as propose
    from fcrlib.model.desk import instant

    if guess:
        print(propose(path).toml())
        return
    end = instant(data_end) if data_end else None
    settings = _settings()
    read = csv.read(path, mapping=mapping, data_end=end, time_zone=time_zone, identity=settings.identity)
    _save(read, to or settings.path("data/desk"))


@app.command()
def check(desk: DeskFolder = None) -> None:
    """Say what a desk holds, what was left out of it, and which questions it can answer."""
    from fcrlib.explain import quality
    from fcrlib.model.tables import TABLES
    from fcrlib.model.tables import check as keep_rules
    from fcrlib.study import Study

    folder = _desk(_settings(), desk)
    study = Study.open(folder, period=_everything(folder), policy=_settings().policy)
    loaded = study.desk
    for name in TABLES:
        keep_rules(getattr(loaded, name), table=name)
    manifest = loaded.manifest
    print(f"{manifest.source}: {manifest.data_start:%Y-%m-%d} to {manifest.data_end:%Y-%m-%d %H:%M} UTC, read by {manifest.reader}")
    for name, frame in loaded.tables().items():
        print(f"  {name:<12}{frame.height:>12,} rows")
    for dropped in manifest.dropped:
        print(f"  left out: {dropped.count:,} {dropped.what} ({dropped.why})")
    faults = quality.lint(study)
    for row in quality.verdicts(study, faults=faults).to_dicts():
        print(f"  {row['verdict']:<14}{row['question']}{f' ({why})' if (why := row['why']) else ''}")
    for row in faults.filter(faults["severity"].is_in(["stops", "weakens"])).to_dicts():
        print(f"  {row['severity']:<14}{row['check']}: {row['found']:,} of {row['of']:,}: {row['so']}; {row['do']}")
    for label in study.unmatched:
        print(f"  note: no contact carries the category '{label}' that fcr.toml renames")


@policies.command("list")
def policy_list() -> None:
    """List every definition by name."""
    from fcrlib.model.policy import presets

    for name in [*_settings().policies, *presets()]:
        print(name)


@policies.command("show")
def policy_show(name: Annotated[str | None, typer.Argument(help="[default: the project's own]", show_default=False)] = None) -> None:
    """Read a definition aloud."""
    policy = _settings().definition(name)
    print(f"{policy.name} (version {policy.version}, fingerprint {policy.fingerprint})\n{policy.sentence()}")


@reports.command("run")
def report_run(
    period: Annotated[
        str | None,
        typer.Argument(
            help="2026Q3, 2026-09, 2016-03-01..2016-04-30, last-quarter [default: the newest whole quarter, else all days]", show_default=False
        ),
    ] = None,
    parameter: Annotated[list[str] | None, typer.Option("-p", "--parameter", help="name=value for the notebooks", show_default=False)] = None,
    policy: Annotated[str | None, typer.Option(help="definition to judge by [default: from fcr.toml]", show_default=False)] = None,
    notebook: Annotated[str | None, typer.Option(help="only notebooks whose name fits this pattern", show_default=False)] = None,
    desk: DeskFolder = None,
    out: Reports = None,
    force: Annotated[bool, typer.Option("--force", help="move an existing report aside")] = False,
    fresh: Annotated[bool, typer.Option("--fresh", help="keep nothing of an interrupted run")] = False,
    timeout: Annotated[int, typer.Option(min=1, help="minutes for one notebook")] = 45,
    cell_timeout: Annotated[int, typer.Option(min=1, help="minutes for one cell")] = 10,
    wait_lock: Annotated[int, typer.Option(min=0, help="seconds to wait for another run of the same period")] = 0,
    as_json: Annotated[bool, typer.Option("--json", help="print the result as JSON")] = False,
    quiet: Annotated[bool, typer.Option("-q", "--quiet", help="print errors only")] = False,
) -> None:
    """Run the notebooks for a period and publish the report."""
    from fcrlib.publish.progress import Silent, progress
    from fcrlib.publish.run import run

    settings = _settings()
    folder = _desk(settings, desk)
    result = run(
        period or _newest(folder),
        desk=folder,
        notebooks=settings.notebook_folder,
        reports=out.absolute() if out else settings.path(settings.reports),
        parameters=_parameters(parameter or []),
        only=notebook,
        policy=settings.definition(policy),
        organisation=settings.organisation,
        settings=settings.file,
        mode="fresh" if fresh else "resume",
        replace="aside" if force else "refuse",
        timeout=timedelta(minutes=timeout),
        cell_timeout=timedelta(minutes=cell_timeout),
        wait_lock=timedelta(seconds=wait_lock),
        progress=Silent() if quiet else progress(),
    )
    _finish(result, as_json=as_json, quiet=quiet)


@reports.command("list")
def report_list(out: Reports = None) -> None:
    """List the published reports, the newest first."""
    from fcrlib.publish.shelf import listing

    for report in listing(_shelf(out)):
        figures = " · ".join(f"{name} {value}" for name, value in report.kpis)
        print(f"{report.period:<12} {report.title}\n{'':<12} {figures}\n{'':<12} {report.folder / 'report.html'}")


@reports.command("open")
def report_open(period: Annotated[str | None, typer.Argument(help="[default: the newest]", show_default=False)] = None, out: Reports = None) -> None:
    """Open a report in the browser."""
    from fcrlib.publish.shelf import listing

    known = listing(_shelf(out))
    chosen = next((report for report in known if period in (None, report.period)), None)
    if chosen is None:
        raise UsageError(
            f"there is no report {period or ''}".rstrip(), [f"known reports: {', '.join(report.period for report in known) or 'none yet'}"]
        )
    print(chosen.folder / "report.html")
    typer.launch(str(chosen.folder / "report.html"))


@exports.command("repeats")
def tag_export_repeats(
    n: Annotated[int, typer.Option("--n", min=10, max=500, help="how many pairs; 50 to 100 are usual")] = 80,
    seed: Annotated[int, typer.Option(min=0, help="same seed, same pairs")] = 0,
    policy: PolicyName = None,
    period: Annotated[str | None, typer.Option(help="only repeats that started in it, e.g. 2026Q3 [default: all]", show_default=False)] = None,
    desk: DeskFolder = None,
    to: Annotated[Path | None, typer.Option("--to", help="file to write [default: repeats-POLICY.csv]", show_default=False)] = None,
    force: Annotated[bool, typer.Option("--force", help="overwrite a worksheet that has marks in it")] = False,
) -> None:
    """Draw repeats for people to read: are they about the same issue?"""
    import polars as pl

    from fcrlib.intake.worksheet import has_marks, write
    from fcrlib.judge.audit import BLANK, KEY, sample
    from fcrlib.show.telling.audit import instructions

    study = _study(desk, policy, period)
    file = to or Path(f"repeats-{re.sub('[^A-Za-z0-9_-]+', '-', study.policy.name)}.csv")
    if file.exists() and not force and has_marks(file, blank=BLANK):
        raise UsageError(f"{file} holds something already and would be overwritten", ["choose another file with --to, or overwrite it with --force"])
    within = study.period.covers(pl.col("start_at"), time_zone=study.time_zone) if period else None
    drawn = sample(study.desk, study.outcomes, policy=study.policy, n=n, seed=seed, within=within)
    print(write(drawn, file, key=KEY, blank=BLANK))
    options = "".join(f" --{name} {shlex.quote(str(given))}" for name, given in (("policy", policy), ("desk", desk)) if given)
    for line in instructions(drawn, file=file, options=options):
        _tell(line)


@tags.command("import")
def tag_import(
    file: Annotated[Path, typer.Argument(help="the worksheet, filled in", show_default=False)], policy: PolicyName = None, desk: DeskFolder = None
) -> None:
    """Read a worksheet that was filled in, and say how often a repeat is about the same issue."""
    from fcrlib.intake.worksheet import read
    from fcrlib.judge.audit import ANSWER, CARRIED, KEY, conclude, repeats
    from fcrlib.show.telling.audit import calibration, checked

    study = _study(desk, policy, None)
    stamp, purpose = ("drawn", study.policy.fingerprint), f"the definition {study.policy.name} ({study.policy.fingerprint})"
    filled = read(file, key=KEY, answer=ANSWER, known=repeats(study.outcomes)[KEY], stamp=stamp, purpose=purpose, needs=CARRIED)
    audit = conclude(filled, desk=study.desk, outcomes=study.outcomes, policy=study.policy)
    kept = audit.save(_desk(_settings(), desk))
    print(checked(audit, policy=study.policy))
    if study.policy.same_issue == "text":
        print(calibration(audit.thresholds))
    _tell(f"kept in {kept}")


@app.command()
def trace(
    contact: Annotated[str, typer.Argument(help="id of the contact", show_default=False)],
    source: Annotated[str | None, typer.Option(help="where the id exists in several sources: which", show_default=False)] = None,
    policy: PolicyName = None,
    desk: DeskFolder = None,
) -> None:
    """Say what happened with one contact, event by event, and which rule decided."""
    from fcrlib.explain.trace import story
    from fcrlib.show.telling.trace import lines, verdict

    study = _study(desk, policy, None)
    told = verdict(study, contact=contact, source=source)
    print("\n".join(lines(story(study, contact=contact, source=source), time_zone=study.time_zone)))
    print(f"\n{told}")


def _study(desk: Path | None, policy: str | None, period: str | None) -> Study:
    """The desk judged under a definition; all its days where no period is given."""
    from fcrlib.model.desk import read_manifest
    from fcrlib.study import Study

    settings = _settings()
    folder = _desk(settings, desk)
    manifest = read_manifest(folder)
    days = period or f"{manifest.data_start.date()}..{manifest.data_end.date()}"
    return Study.open(folder, period=days, policy=policy or settings.policy)


def _settings() -> Settings:
    from fcrlib.model.settings import Settings

    return Settings.find()


def _desk(settings: Settings, given: Path | None) -> Path:
    return given.absolute() if given else settings.desk_folder


def _shelf(given: Path | None) -> Path:
    settings = _settings()
    return given.absolute() if given else settings.path(settings.reports)


def _save(desk: Desk, to: Path) -> None:
    rows = ", ".join(f"{frame.height:,} {name}" for name, frame in desk.tables().items() if frame.height)
    folder = desk.save(to)
    for dropped in desk.manifest.dropped:
        _tell(f"left out: {dropped.count:,} {dropped.what} ({dropped.why})")
    for note in desk.manifest.notes:
        _tell(f"note: {note}")
    print(f"{folder}: {rows}")


def _tell(line: str) -> None:
    print(line, file=sys.stderr)


def _newest(desk: Path) -> str:
    """The last quarter that ends by the data end; all the days there are, where the data does not reach back over it."""
    from fcrlib.model.desk import read_manifest
    from fcrlib.model.period import Period

    manifest = read_manifest(desk)
    after: datetime = manifest.data_end + timedelta(seconds=1)
    quarter = Period.parse("last-quarter", today=after.date())
    return quarter.label if quarter.first >= manifest.data_start.date() else _everything(desk)


def _everything(desk: Path) -> str:
    """All the days that the desk covers, as a period."""
    from fcrlib.model.desk import read_manifest

    manifest = read_manifest(desk)
    return f"{manifest.data_start.date()}..{(manifest.data_end - timedelta(microseconds=1)).date()}"


def _parameters(given: list[str]) -> dict[str, Any]:
    pairs = [text.partition("=") for text in given]
    if wrong := [text for text, (name, sign, _) in zip(given, pairs, strict=True) if not sign or not name]:
        raise UsageError("a parameter is written name=value", [f"'{text}' is not" for text in wrong])
    return {name: value for name, _, value in pairs}


def _finish(result: RunResult, *, as_json: bool, quiet: bool) -> None:
    if as_json:
        print(json.dumps(asdict(result), default=str))
    elif result.exit_code == 0 and not quiet:
        print(result.folder / "report.html")
    if result.exit_code:
        lines = [f"fcr: {result.message}", *(f"  - {gate}" for gate in result.gates)]
        print("\n".join(lines), file=sys.stderr)
        raise typer.Exit(result.exit_code)


if __name__ == "__main__":
    main()
