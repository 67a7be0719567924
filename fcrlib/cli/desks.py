"""How does a desk come about, and what happened with one contact?"""

from __future__ import annotations

import os
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from fcrlib.cli.project import DeskFolder, PolicyName, own_settings, study_of, tell
from fcrlib.intake.systems import available

if TYPE_CHECKING:
    from fcrlib.model.desk import Desk
    from fcrlib.model.settings import Settings

imports = typer.Typer(help="Read a helpdesk's export into canonical tables.", no_args_is_help=True)

Source = Annotated[Path, typer.Argument(help="the export: a file, a zip or a folder", show_default=False)]
SaidEnd = Annotated[str | None, typer.Option("--data-end", help="when the export was made, e.g. 2026-09-30T23:59:59Z", show_default=False)]
Zone = Annotated[str | None, typer.Option("--timezone", "--time-zone", help="zone of times that carry none", show_default=False)]
MappingFile = Annotated[Path | None, typer.Option("--mapping", help="TOML file: which column is what", show_default=False)]
Proposes = Annotated[bool, typer.Option("--guess", help="print a proposed mapping file and stop")]
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
        time_zone: Zone = None,
        dates: Annotated[str | None, typer.Option(help="`day first` or `month first`, where no date tells", show_default=False)] = None,
        field: Annotated[list[str] | None, typer.Option(help="ours=theirs: the field that holds it, e.g. category='Contact reason'")] = None,
        bot: Annotated[list[str] | None, typer.Option(help="name or id of a user that is a machine")] = None,
        thanks: Annotated[list[Path] | None, typer.Option(help="TOML file with your own words of thanks")] = None,
        to: Into = None,
    ) -> None:
        from fcrlib.intake import readers

        settings = own_settings()
        place = _place(to, settings)
        more = {"dates": dates, "fields": _pairs(field) if field else None, "bots": bot or None, "thanks_words": thanks or None, "tell": tell}
        read = readers.read(system, path, **_rules(settings, data_end=data_end, time_zone=time_zone), **more)
        save(read, place)

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
    path: Source, data_end: SaidEnd = None, mapping: MappingFile = None, time_zone: Zone = None, guess: Proposes = False, to: Into = None
) -> None:
    """Read any table of contacts (csv, tsv, zip, gz, xlsx, parquet, ndjson, a folder with its mapping.toml) with a mapping file."""
    from fcrlib.intake import csv

    if guess:
        print(csv.guess(path).toml())
    else:
        _read_by(partial(csv.read, path), mapping=mapping, data_end=data_end, time_zone=time_zone, to=to)


@imports.command("sql")
def import_sql(
    uri: Annotated[str, typer.Option(help="postgresql://user@host/base, or sqlite:///file.db", show_default=False)],
    query: Annotated[str | None, typer.Option(help="one row per contact, or a file that ends in .sql", show_default=False)] = None,
    data_end: SaidEnd = None,
    mapping: MappingFile = None,
    time_zone: Zone = None,
    guess: Proposes = False,
    to: Into = None,
) -> None:
    """Read contacts from a database by a query, with a mapping file."""
    from fcrlib.intake import sql

    if guess:
        print(sql.guess(uri, query=query, mapping=mapping).toml())
    else:
        _read_by(partial(sql.read, uri, query=query), mapping=mapping, data_end=data_end, time_zone=time_zone, to=to)


def _read_by(read: Callable[..., Desk], *, mapping: Path | None, to: Path | None, **clock: str | None) -> None:
    """Read a table with its mapping and keep the desk."""
    settings = own_settings()
    place = _place(to, settings)
    save(read(mapping=mapping, **_rules(settings, **clock)), place)


def _place(to: Path | None, settings: Settings) -> Path:
    """The folder of the new desk; where none can be made, that is said before anything is read."""
    from fcrlib.model.errors import DataError, UsageError

    place = (to or settings.path("data/desk")).absolute()
    if taken := next((one for one in (place, *place.parents) if one.exists() and not one.is_dir()), None):
        raise UsageError(f"the desk cannot be written to {place}: {taken} is a file, name a folder")
    above = next(one for one in place.parents if one.exists())
    if not os.access(above, os.W_OK | os.X_OK):
        raise DataError(f"the desk cannot be written to {place}: you may not write in {above}")
    return place


def _rules(settings: Settings, *, data_end: str | None, time_zone: str | None) -> dict[str, object]:
    """What every reader is told: the clock of the export, and the project's rules for identifiers and personal data."""
    from fcrlib.model.desk import instant

    end = instant(data_end) if data_end else None
    return {"data_end": end, "time_zone": time_zone, "identity": settings.identity, "redaction": settings.redaction}


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
