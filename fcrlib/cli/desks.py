"""How does a desk come about, and what happened with one contact?"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from fcrlib.cli.project import DeskFolder, PolicyName, own_settings, study_of, tell
from fcrlib.intake.systems import available

if TYPE_CHECKING:
    from fcrlib.model.desk import Desk

imports = typer.Typer(help="Read a helpdesk's export into canonical tables.", no_args_is_help=True)

Source = Annotated[Path, typer.Argument(help="the export: a file, a zip or a folder", show_default=False)]
SaidEnd = Annotated[str | None, typer.Option("--data-end", help="when the export was made, e.g. 2026-09-30T23:59:59Z", show_default=False)]
Into = Annotated[Path | None, typer.Option("--to", help="folder to write the desk into [default: data/desk]", show_default=False)]


def demo(
    to: Annotated[Path | None, typer.Option("--to", help="folder to write the desk into [default: data/demo]", show_default=False)] = None,
    contacts: Annotated[int, typer.Option(min=100, help="how many contacts to invent")] = 40_000,
    seed: Annotated[int, typer.Option(min=0, help="same seed, same desk")] = 7,
    dialect: Annotated[str | None, typer.Option("--as", help="write it as this helpdesk would export it, e.g. zendesk", show_default=False)] = None,
) -> None:
    """Invent a helpdesk whose causes of failure are known."""
    from importlib.resources import files

    from fcrlib.intake.demo import invent
    from fcrlib.intake.redact import redact
    from fcrlib.model.actions import FILE as ACTIONS
    from fcrlib.model.costs import FILE as PRICES

    tell(f"inventing {contacts:,} contacts")
    folder = to or own_settings().path(f"data/{dialect}" if dialect else "data/demo")
    if dialect:
        from fcrlib.intake.demo.dialects import write

        print(write(invent(seed=seed, contacts=contacts), system=dialect, folder=folder))
        return
    save(redact(invent(seed=seed, contacts=contacts)), folder)
    for own in (ACTIONS, PRICES):
        (folder / own).write_text((files("fcrlib.intake.demo") / own).read_text(encoding="utf-8"), encoding="utf-8")


def _import(system: str) -> Callable[..., None]:
    """The command that reads one system's export."""

    def command(
        path: Source,
        data_end: SaidEnd = None,
        time_zone: Annotated[str | None, typer.Option("--timezone", "--time-zone", help="zone of times without one", show_default=False)] = None,
        dates: Annotated[str | None, typer.Option(help="`day first` or `month first`, where no date tells", show_default=False)] = None,
        field: Annotated[list[str] | None, typer.Option(help="ours=theirs: the field that holds it, e.g. category='Contact reason'")] = None,
        bot: Annotated[list[str] | None, typer.Option(help="name or id of a user that is a machine")] = None,
        thanks: Annotated[list[Path] | None, typer.Option(help="TOML file with your own words of thanks")] = None,
        to: Into = None,
    ) -> None:
        from fcrlib.intake import readers
        from fcrlib.model.desk import instant

        settings = own_settings()
        given = {
            "data_end": instant(data_end) if data_end else None,
            "time_zone": time_zone,
            "dates": dates,
            "identity": settings.identity,
            "redaction": settings.redaction,
        }
        more = {"fields": _pairs(field) if field else None, "bots": bot or None, "thanks_words": thanks or None, "tell": tell}
        save(readers.read(system, path, **given, **more), to or settings.path("data/desk"))

    return command


def _pairs(texts: list[str]) -> dict[str, str]:
    """`ours=theirs` as a mapping."""
    from fcrlib.model.errors import UsageError

    if wrong := [text for text in texts if "=" not in text.strip("=")]:
        raise UsageError("--field is not understood, write ours=theirs:", wrong)
    return {ours.strip(): theirs.strip() for ours, _, theirs in (text.partition("=") for text in texts)}


for _system, _what in available().items():
    imports.command(_system, help=f"Read {_what}.")(_import(_system))


@imports.command("csv")
def import_csv(
    path: Source,
    data_end: SaidEnd = None,
    mapping: Annotated[Path | None, typer.Option(help="TOML file: which column is what", show_default=False)] = None,
    time_zone: Annotated[str | None, typer.Option("--timezone", "--time-zone", help="zone of times that carry none", show_default=False)] = None,
    guess: Annotated[bool, typer.Option("--guess", help="print a proposed mapping file and stop")] = False,
    to: Into = None,
) -> None:
    """Read any table of contacts (csv, tsv, zip, gz, xlsx, parquet, ndjson, a folder with its mapping.toml) with a mapping file."""
    from fcrlib.intake import csv
    from fcrlib.intake.tables.guess import guess as propose
    from fcrlib.model.desk import instant

    if guess:
        print(propose(path).toml())
        return
    end = instant(data_end) if data_end else None
    settings = own_settings()
    read = csv.read(path, mapping=mapping, data_end=end, time_zone=time_zone, identity=settings.identity, redaction=settings.redaction)
    save(read, to or settings.path("data/desk"))


@imports.command("sql")
def import_sql(
    uri: Annotated[str, typer.Option(help="postgresql://user@host/base, or sqlite:///file.db", show_default=False)],
    query: Annotated[str | None, typer.Option(help="one row per contact, or a file that ends in .sql", show_default=False)] = None,
    data_end: SaidEnd = None,
    mapping: Annotated[Path | None, typer.Option(help="TOML file: which column is what", show_default=False)] = None,
    time_zone: Annotated[str | None, typer.Option("--timezone", "--time-zone", help="zone of times that carry none", show_default=False)] = None,
    guess: Annotated[bool, typer.Option("--guess", help="print a proposed mapping file and stop")] = False,
    to: Into = None,
) -> None:
    """Read contacts from a database by a query, with a mapping file."""
    from fcrlib.intake import sql
    from fcrlib.model.desk import instant

    if guess:
        print(sql.guess(uri, query=query or "").toml())
        return
    end = instant(data_end) if data_end else None
    settings = own_settings()
    read = sql.read(uri, query=query, mapping=mapping, data_end=end, time_zone=time_zone, identity=settings.identity, redaction=settings.redaction)
    save(read, to or settings.path("data/desk"))


def trace(
    contact: Annotated[str, typer.Argument(help="id of the contact", show_default=False)],
    source: Annotated[str | None, typer.Option(help="where the id exists in several sources: which", show_default=False)] = None,
    policy: PolicyName = None,
    desk: DeskFolder = None,
) -> None:
    """Say what happened with one contact, event by event, and which rule decided."""
    from fcrlib.explain.trace import story
    from fcrlib.show.telling.trace import lines, verdict

    study = study_of(desk, policy, None)
    told = verdict(study, contact=contact, source=source)
    print("\n".join(lines(story(study, contact=contact, source=source), time_zone=study.time_zone)))
    print(f"\n{told}")


def save(desk: Desk, to: Path) -> None:
    rows = ", ".join(f"{frame.height:,} {name}" for name, frame in desk.tables().items() if frame.height)
    folder = desk.save(to)
    for dropped in desk.manifest.dropped:
        tell(f"left out: {dropped.count:,} {dropped.what} ({dropped.why})")
    for note in desk.manifest.notes:
        tell(f"note: {note}")
    print(f"{folder}: {rows}")
