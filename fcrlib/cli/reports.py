"""How is a report run, listed and opened?"""

from __future__ import annotations

import json
import sys
from dataclasses import asdict
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from fcrlib.cli.project import DeskFolder, desk_folder, everything, own_settings
from fcrlib.model.errors import UsageError

if TYPE_CHECKING:
    from fcrlib.publish.run import RunResult

reports = typer.Typer(help="Run the notebooks into a dated report.", no_args_is_help=True)

Reports = Annotated[Path | None, typer.Option("--out", help="folder of the reports [default: from fcr.toml]", show_default=False)]


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

    settings = own_settings()
    folder = desk_folder(settings, desk)
    # A mistake in these files would otherwise end the first notebook, where only its first line is seen.
    settings.modes()
    settings.decided()
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


def _shelf(given: Path | None) -> Path:
    settings = own_settings()
    return given.absolute() if given else settings.path(settings.reports)


def _newest(desk: Path) -> str:
    """The last quarter that ends by the data end; all the days there are, where the data does not reach back over it."""
    from fcrlib.model.desk import read_manifest
    from fcrlib.model.period import Period

    manifest = read_manifest(desk)
    after: datetime = manifest.data_end + timedelta(seconds=1)
    quarter = Period.parse("last-quarter", today=after.date())
    return quarter.label if quarter.first >= manifest.data_start.date() else everything(desk)


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
