"""Is this desk fit for the questions, what does it lack, and why does it differ from the helpdesk's screen?"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from fcrlib.cli.project import DeskFolder, PolicyName, desk_folder, everything, own_settings
from fcrlib.model.errors import UsageError

if TYPE_CHECKING:
    from fcrlib.show.telling.fitness import Sections
    from fcrlib.study import Study

NOT_FIT = 3
Folder = Annotated[Path | None, typer.Argument(help="folder of the desk [default: from fcr.toml]", show_default=False)]
Days = Annotated[str | None, typer.Option("--period", help="2026Q3, 2026-09, ... [default: all days of the desk]", show_default=False)]


def check(
    folder: Folder = None,
    desk: DeskFolder = None,
    period: Days = None,
    policy: PolicyName = None,
    as_json: Annotated[bool, typer.Option("--json", help="print all of it as JSON")] = False,
) -> None:
    """Say whether a desk is fit for the questions, what it lacks, and which notebooks can run. Exit code 3: not fit."""
    from fcrlib.show.telling import fitness as telling
    from fcrlib.study import Study

    if folder and desk:
        raise UsageError("the folder of the desk is named twice: give it as an argument or with --desk")
    settings = own_settings()
    place = desk_folder(settings, folder or desk)
    study = Study.open(place, period=period or everything(place), policy=policy or settings.policy)
    found = _found(study)
    verdict, reasons = found["verdict"], found["reasons"]
    if as_json:
        print(_as_json(found))
    else:
        _print(telling.headline(verdict, reasons, found["questions"]), verdict, [*telling.sections(found), *_notes(study)])
    if verdict == "not fit":
        raise typer.Exit(NOT_FIT)


def _found(study: Study) -> dict[str, Any]:
    """All that is looked at, by name: frames, and the verdict with its reasons."""
    from fcrlib.explain import fitness, identities, labels, quality
    from fcrlib.model.tables import TABLES
    from fcrlib.model.tables import check as keep_rules

    for name in TABLES:
        keep_rules(getattr(study.desk, name), table=name)
    faults = quality.lint(study)
    word, reasons = quality.verdict(study, faults=faults)
    return {
        "verdict": word,
        "reasons": reasons,
        "manifest": study.desk.manifest,
        "period": study.period.label,
        "policy": study.policy.name,
        "tables": quality.tables(study),
        "left_out": quality.dropped(study),
        "doubled": fitness.doubled(study),
        "shares": fitness.shares(study),
        "channels": identities.coverage(study).select("channel", "n", "share", "low", "high"),
        "clock": fitness.clock(study),
        "depth": fitness.depth(study),
        "newest": fitness.newest(study),
        "slices": quality.sliceable(study),
        "labels": labels.alike(study),
        "reconciled": quality.reconciled(study),
        "questions": quality.verdicts(study, faults=faults),
        "checks": faults,
        "notebooks": fitness.notebooks(study),
    }


def _notes(study: Study) -> Sections:
    stray = [("not found", f"no contact carries the category '{label}' that fcr.toml renames") for label in study.unmatched]
    return [("Settings", stray)] if stray else []


def _as_json(found: dict[str, Any]) -> str:
    import polars as pl

    manifest = found["manifest"]
    about = {"source": manifest.source, "reader": manifest.reader, "data_start": manifest.data_start, "data_end": manifest.data_end}
    plain = {name: what.to_dicts() if isinstance(what, pl.DataFrame) else what for name, what in found.items() if name != "manifest"}
    return json.dumps(about | {"notes": list(manifest.notes)} | plain, default=lambda at: at.isoformat(), allow_nan=False)


def _print(headline: str, verdict: str, sections: Sections) -> None:
    """A terminal gets columns that wrap at its width; a pipe gets one line for each fact, whatever its length."""
    if not sys.stdout.isatty():
        print(headline)
        for heading, lines in sections:
            print(f"\n{heading}")
            for word, said in lines:
                print(f"  {word:<20}  {said}")
        return
    _draw(headline, verdict, sections)


def _draw(headline: str, verdict: str, sections: Sections) -> None:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    colours = {"fit": "green", "fit with care": "yellow", "weakens": "yellow", "not fit": "red", "stops": "red"}
    console = Console(highlight=False)
    console.print(Text(headline, style=f"bold {colours[verdict]}"))
    for heading, lines in sections:
        grid = Table.grid(padding=(0, 2))
        grid.add_column(no_wrap=True, min_width=18, max_width=26)
        grid.add_column(overflow="fold")
        for word, said in lines:
            # Text, never markup: a label may hold square brackets.
            grid.add_row(Text(f"  {word}", style=colours.get(word, "")), Text(said))
        console.print(Text(f"\n{heading}", style="bold"))
        console.print(grid)
