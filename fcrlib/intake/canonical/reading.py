"""What does every reader do, whatever the system?

A reader is a declaration of what an export holds and one function that turns its records into canonical tables. All else is the same for all of them
and stands here: the records are fetched, the data end is settled, problems are said at once, steps become events, and the desk is finished.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from itertools import accumulate
from pathlib import Path
from typing import TypedDict

import polars as pl

from fcrlib.intake.canonical import assemble, finish, thanks, typed
from fcrlib.intake.canonical.instants import ROW
from fcrlib.intake.canonical.told import Told
from fcrlib.intake.export import records
from fcrlib.intake.export.kinds import Export
from fcrlib.intake.export.records import Records
from fcrlib.model.desk import Desk
from fcrlib.model.errors import UsageError
from fcrlib.model.identity import Rules
from fcrlib.model.redaction import Redaction


class Asked(TypedDict, total=False):
    """What every reader may be told about an export; nothing of it must be.

    Parameters
    ----------
    data_end
        When the export was made; needed unless the export says it. The latest record is no stand-in for it.
    time_zone
        Zone of times without one, e.g. `Europe/Berlin`; else they are refused.
    dates
        `day first` or `month first`, where no date tells.
    fields
        Which field of theirs holds our column, e.g. `{"category": "Contact reason"}`: its title, name or id.
    bots
        Ids or names of users that are machines, beside those whose name says so.
    thanks_words
        TOML files of words of thanks, beside our own.
    identity, redaction
        The project's rules for identifiers and for personal data.
    tell
        Called with lines of progress.
    """

    data_end: datetime | None
    time_zone: str | None
    dates: str | None
    fields: Mapping[str, str]
    bots: Sequence[str]
    thanks_words: Sequence[Path | str]
    identity: Rules | None
    redaction: Redaction | None
    tell: Callable[[str], None] | None


@dataclass(frozen=True, slots=True)
class Reading:
    """One reading in hand: the records, what the reader was told, and what has to be said at its end.

    Parameters
    ----------
    found
        The records of the export.
    end
        The data end.
    told
        Collects problems, notes and what is dropped.
    time_zone, dates, fields, bots
        As `Asked` has them.
    """

    found: Records
    end: datetime
    told: Told = field(default_factory=Told)
    time_zone: str | None = None
    dates: str | None = None
    fields: Mapping[str, str] = field(default_factory=dict)
    bots: Sequence[str] = ()

    def table(self, kind: str) -> pl.DataFrame:
        """The records of one kind, each once, as text."""
        return self.found.table(kind)

    def moments(self, frame: pl.DataFrame, columns: Sequence[str], *, time_zone: str | None = None) -> pl.DataFrame:
        """Columns of text as instants, as the export was said to write them; what is no time is a problem."""
        return typed.moments(frame, columns, told=self.told, time_zone=time_zone or self.time_zone, dates=self.dates)

    def timed(self, pieces: Sequence[pl.DataFrame], *, time_zone: str | None = None) -> list[pl.DataFrame]:
        """Pieces of steps with their instants; the column `at` is read as one, what has none is left out."""
        there = [piece.filter(pl.col("at").is_not_null()) for piece in pieces]
        text = pl.concat([piece.select(pl.col("at", *({ROW} & {*piece.columns}))) for piece in there], how="diagonal")
        ends = list(accumulate(piece.height for piece in there))
        at = self.moments(text, ["at"], time_zone=time_zone)["at"]
        # In one stretch of memory each: polars copies a frame of uneven stretches whenever it looks at it.
        return [piece.with_columns(at[end - piece.height : end]).rechunk() for piece, end in zip(there, ends, strict=True)]

    def miss(self, frame: pl.DataFrame) -> None:
        """Note every field that was asked for and holds nothing."""
        spare = self.found.unused.filter(pl.col("kind") == next(iter(self.found.tables)))["field"].head(20).to_list()
        there = f"; fields not used are {', '.join(spare)}" if spare else ""
        self.told.notes += [
            f"no field '{theirs}' holds the {ours}{there}"
            for ours, theirs in self.fields.items()
            if ours not in frame.columns or not frame[ours].count()
        ]


@dataclass(frozen=True, slots=True)
class Tables:
    """What a reader makes of the records, under canonical names.

    Parameters
    ----------
    contacts
        One row per contact, before its history is read.
    steps
        Who did what to which contact, when: in pieces, as `assemble.history` takes it.
    acted
        Says of all steps of some contacts who acted, where they do not say it yet.
    surveys, identifiers, agents, articles
        Where the export has them.
    names
        Full names of everybody whom the export knows; they leave the texts and are kept nowhere.
    first_status
        What a contact is before its first change of status.
    time_zone
        Zone of the export's clock, where the export says another than was given.
    """

    contacts: pl.DataFrame
    steps: Sequence[pl.DataFrame]
    acted: Callable[[pl.DataFrame], pl.DataFrame] | None = None
    surveys: pl.DataFrame | None = None
    identifiers: pl.DataFrame | None = None
    agents: pl.DataFrame | None = None
    articles: pl.DataFrame | None = None
    names: pl.Series | None = None
    first_status: str = "new"
    time_zone: str | None = None


def read(
    path: Path | str,
    asked: Asked,
    *,
    title: str,
    export: Export,
    canonical: Callable[[Reading], Tables],
    ends: Callable[[Records], list[datetime]] | None = None,
    without: Sequence[str] = (),
    more: Sequence[str] = (),
) -> Desk:
    """Read an export of one system.

    Parameters
    ----------
    path
        A file, a zip, a gz or a folder.
    asked
        What the reader was told.
    title
        Name of the system, for people.
    export
        What its exports hold; its `system` is the source of the desk.
    canonical
        Makes the canonical tables.
    ends
        When the export was made, where it says it itself.
    without
        What this system has no use for.
    more
        What `fields` may name beside `OWN`.

    Raises
    ------
    DataError
        If the export is broken, not whole, or not one of this system; everything wrong at once.
    UsageError
        If the data end is needed, or something was asked that the system does not know.
    """
    refuse(asked, title=title, without=without, more=more, says_end=ends is not None)
    lexicon = thanks.lexicon(*asked.get("thanks_words") or ())
    reading = _begun(path, asked, title=title, export=export, ends=ends)
    tables, told, end = canonical(reading), reading.told, reading.end
    del reading  # the records of the export are as large as the desk
    finish.stop(told, path=path)
    source = export.system
    events, dropped = assemble.history(
        tables.steps, source=source, data_end=end, first_status=tables.first_status, acted=tables.acted, lexicon=lexicon
    )
    told.dropped += dropped
    told.notes += assemble.unlike(tables.contacts, events=events, steps=tables.steps, data_end=end)
    tables = replace(tables, steps=(), acted=None)  # as large as the events that they became
    origin = finish.Origin(source, source, Path(path), end, records.hashes(path), tables.time_zone or asked.get("time_zone") or "UTC")
    return finish.desk(
        origin,
        told=told,
        contacts=assemble.summed_up(tables.contacts, events=events),
        events=events,
        surveys=tables.surveys,
        identifiers=tables.identifiers,
        agents=tables.agents,
        articles=tables.articles,
        names=tables.names,
        identity=asked.get("identity"),
        redaction=asked.get("redaction"),
    )


def refuse(asked: Asked, *, title: str, without: Sequence[str] = (), more: Sequence[str] = (), says_end: bool = False) -> None:
    """Refuse what a system has no use for, and ask for a data end that its exports never say, before anything is read.

    Raises
    ------
    UsageError
        With everything that is wrong.
    """
    strange = [f"--{_OPTION[name]}: {title} has no such choice" for name in without if asked.get(name)]
    unknown = [ours for ours in asked.get("fields") or {} if ours not in (*OWN, *more)]
    strange += [f"--field {ours}=...: we have no such column; there are {', '.join((*OWN, *more))}" for ours in unknown]
    endless = asked.get("data_end") is None and not says_end
    if strange:
        needed = ["--data-end is needed: when was the export made? write e.g. --data-end 2026-09-30T23:59:59Z"] if endless else []
        raise UsageError(f"{title} cannot be read like this:", [*strange, *needed])
    if endless:
        finish.data_end(None, system=title)


OWN = ("category", "subcategory", "product_area", "priority", "tier", "language", "account_ref", "close_reason")
"""Our columns that a field of theirs may hold."""
_OPTION = {"thanks_words": "thanks", "fields": "field", "bots": "bot"}


_LOADED = "_fivetran_synced"
_WAREHOUSE = "the tables come from a warehouse, where times without a zone are UTC; --timezone says another"


def _begun(path: Path | str, asked: Asked, *, title: str, export: Export, ends: Callable[[Records], list[datetime]] | None) -> Reading:
    """The records of the export, with what the reader was told."""
    found = records.read(path, export=export, tell=asked.get("tell"))
    warehouse = not asked.get("time_zone") and _LOADED in found.unused["field"]
    return Reading(
        found,
        finish.data_end(asked.get("data_end"), said=ends(found) if ends else (), system=title),
        Told(notes=[*found.notes, *([_WAREHOUSE] if warehouse else [])], dropped=[*found.dropped]),
        time_zone=asked.get("time_zone") or ("UTC" if warehouse else None),
        dates=asked.get("dates"),
        fields=asked.get("fields") or {},
        bots=asked.get("bots") or (),
    )
