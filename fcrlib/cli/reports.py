"""How is a report run, listed and opened?"""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path
from typing import Annotated, Any

import typer

from fcrlib.cli import shelves
from fcrlib.cli.endings import finish, told, watched
from fcrlib.cli.project import DeskFolder, desk_folder, everything, own_settings
from fcrlib.cli.shelves import Interactive, Reports
from fcrlib.model.errors import UsageError

reports = typer.Typer(help="Run the notebooks into a dated report.", no_args_is_help=True)
for word, command in shelves.COMMANDS.items():
    reports.command(word)(command)


@reports.command("run")
def report_run(
    period: Annotated[
        str | None,
        typer.Argument(
            help="2026Q3, 2026-09, 2016-03-01..2016-04-30, last-quarter [default: the newest whole quarter, else all days]", show_default=False
        ),
    ] = None,
    parameter: Annotated[list[str] | None, typer.Option("-p", "--parameter", help="name=value for the notebooks", show_default=False)] = None,
    parameters: Annotated[
        Path | None, typer.Option("-f", "--parameters", help="YAML, TOML or JSON file of them; -p goes before it", show_default=False)
    ] = None,
    policy: Annotated[str | None, typer.Option(help="definition to judge by [default: from fcr.toml]", show_default=False)] = None,
    notebook: Annotated[str | None, typer.Option(help="only notebooks whose name fits this pattern", show_default=False)] = None,
    desk: DeskFolder = None,
    out: Reports = None,
    force: Annotated[bool, typer.Option("--force", help="move an existing report aside")] = False,
    fresh: Annotated[bool, typer.Option("--fresh", help="keep nothing of an interrupted run")] = False,
    keep_going: Annotated[bool, typer.Option("--keep-going", help="run the other notebooks although one failed; nothing is published")] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="check everything, say what would run, write nothing")] = False,
    jobs: Annotated[int, typer.Option("-j", "--jobs", min=1, help="notebooks that run at the same time; 1 needs the least memory")] = 2,
    interactive: Interactive = False,
    pdf: Annotated[bool, typer.Option("--pdf", help="print report.pdf too, with an installed browser (or the one in FCR_BROWSER)")] = False,
    timeout: Annotated[int, typer.Option(min=1, help="minutes for one notebook")] = 45,
    cell_timeout: Annotated[int, typer.Option(min=1, help="minutes for one cell")] = 10,
    wait_lock: Annotated[int, typer.Option(min=0, help="seconds to wait for another run of the same period")] = 0,
    on_success: Annotated[
        str | None, typer.Option(help="command to run once the report stands; FCR_* tell it what happened", show_default=False)
    ] = None,
    on_failure: Annotated[str | None, typer.Option(help="command to run when there is no report", show_default=False)] = None,
    log_file: Annotated[Path | None, typer.Option(help="append the log to this file", show_default=False)] = None,
    as_json: Annotated[bool, typer.Option("--json", help="print the result as JSON")] = False,
    quiet: Annotated[bool, typer.Option("-q", "--quiet", help="print errors only")] = False,
    verbose: Annotated[bool, typer.Option("-v", "--verbose", help="tell of every cell")] = False,
) -> None:
    """Run the notebooks for a period and publish the report."""
    from fcrlib.publish.light import leave_out
    from fcrlib.publish.run import run

    leave_out()
    hooks = told(period or "", on_success=on_success, on_failure=on_failure, as_json=as_json)
    with hooks as ended, watched(log_file, quiet=quiet, verbose=verbose) as progress:
        settings = own_settings()
        folder = desk_folder(settings, desk)
        # A mistake in these files would otherwise end the first notebook, where only its first line is seen.
        settings.modes()
        settings.decided()
        ended += [
            run(
                period or _newest(folder),
                desk=folder,
                notebooks=settings.notebook_folder,
                reports=out.absolute() if out else settings.path(settings.reports),
                parameters={**_file(parameters), **_parameters(parameter or [])},
                only=notebook,
                policy=settings.definition(policy),
                organisation=settings.organisation,
                settings=settings.file,
                mode="plan" if dry_run else "fresh" if fresh else "resume",
                replace="aside" if force else "refuse",
                after_failure="go on" if keep_going else "stop",
                jobs=jobs,
                drawings="interactive" if interactive else "still",
                pdf="printed" if pdf else "none",
                timeout=timedelta(minutes=timeout),
                cell_timeout=timedelta(minutes=cell_timeout),
                wait_lock=timedelta(seconds=wait_lock),
                progress=progress,
            )
        ]
    finish(ended[0], as_json=as_json, quiet=quiet)


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


def _file(given: Path | None) -> dict[str, Any]:
    from fcrlib.publish.parameters import read_file

    return read_file(given) if given else {}
