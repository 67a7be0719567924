"""What can be done with the reports that are published?"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Annotated

import typer

from fcrlib.cli.endings import finish
from fcrlib.cli.project import own_settings, tell
from fcrlib.model.errors import UsageError

Reports = Annotated[Path | None, typer.Option("--out", help="folder of the reports [default: from fcr.toml]", show_default=False)]
Interactive = Annotated[bool, typer.Option("--interactive", help="let drawings answer the mouse; the page then carries one script")]
Published = Annotated[str, typer.Argument(help="period of a published report", show_default=False)]


def report_list(out: Reports = None) -> None:
    """List the published reports, the newest first."""
    from fcrlib.publish.shelf import damaged, listing

    for problem in damaged(shelf(out)):
        tell(f"note: {problem}")
    for report in listing(shelf(out)):
        figures = " · ".join(f"{name} {value}" for name, value in report.kpis)
        print(f"{report.period:<12} {report.title}\n{'':<12} {figures}\n{'':<12} {report.folder / 'report.html'}")


def report_open(period: Annotated[str | None, typer.Argument(help="[default: the newest]", show_default=False)] = None, out: Reports = None) -> None:
    """Open a report in the browser."""
    from fcrlib.publish.shelf import listing

    known = listing(shelf(out))
    chosen = next((report for report in known if period in (None, report.period)), None)
    if chosen is None:
        raise UsageError(
            f"there is no report {period or ''}".rstrip(), [f"known reports: {', '.join(report.period for report in known) or 'none yet'}"]
        )
    print(chosen.folder / "report.html")
    typer.launch(str(chosen.folder / "report.html"))


def report_build(period: Published, interactive: Interactive = False, out: Reports = None) -> None:
    """Render a published report again, without running anything."""
    from fcrlib.publish.rebuild import build

    finish(build(period, reports=shelf(out), drawings="interactive" if interactive else "still", redaction=own_settings().redaction))


def report_check(period: Published, out: Reports = None) -> None:
    """Look at a published report as the gates do, and see whether it is as it was published."""
    from fcrlib.publish.rebuild import checked

    finish(checked(period, reports=shelf(out), redaction=own_settings().redaction))


def report_diff(
    before: Annotated[str, typer.Argument(help="the earlier period", show_default=False)],
    after: Annotated[str, typer.Argument(help="the later period", show_default=False)],
    out: Reports = None,
) -> None:
    """Say what moved from one published report to another."""
    from fcrlib.publish.rebuild import difference

    print(difference(before, after, reports=shelf(out)))


def report_index(out: Reports = None) -> None:
    """Write the list of all reports anew."""
    from fcrlib.publish.shelf import index

    print(index(shelf(out), organisation=own_settings().organisation))


def report_prune(
    keep: Annotated[int, typer.Option(min=1, help="how many of the newest reports stay", show_default=False)],
    out: Reports = None,
) -> None:
    """Remove old reports, and those that were moved aside."""
    from fcrlib.publish.shelf import prune

    removed = prune(shelf(out), keep=keep, organisation=own_settings().organisation)
    for folder in removed:
        print(folder)
    tell(f"{len(removed)} removed")


def shelf(given: Path | None) -> Path:
    """The folder of reports that was named, else the project's."""
    settings = own_settings()
    return given.absolute() if given else settings.path(settings.reports)


COMMANDS: dict[str, Callable[..., None]] = {
    "build": report_build,
    "check": report_check,
    "diff": report_diff,
    "index": report_index,
    "list": report_list,
    "open": report_open,
    "prune": report_prune,
}
