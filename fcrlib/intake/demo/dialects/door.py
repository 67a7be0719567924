"""How is the invented desk written as a system exports it, and what must a reader find there?

A dialect is a room of this folder with two functions: `respelled(desk) -> Desk` gives the desk as the system would know it (its ids, its words, its
ratings; what it adds by itself), and `write(desk, folder)` writes such a desk as files. What the system cannot carry stands in the reader's
`CARRIES`. A third, `asked(desk) -> dict`, gives what the reader must be told because the export does not say it (a data end, a time zone).
"""

from __future__ import annotations

import importlib
from dataclasses import replace
from pathlib import Path
from types import ModuleType

import polars as pl

from fcrlib.intake.canonical.carries import Carries
from fcrlib.intake.redact import redact
from fcrlib.model.desk import Desk
from fcrlib.model.errors import UsageError
from fcrlib.model.tables import TABLES

_ROOMS = ("door", "promises", "spelling", "sheets")


def systems() -> tuple[str, ...]:
    """The systems in whose dialect a desk can be written."""
    rooms = sorted(file.stem for file in Path(__file__).parent.glob("*.py"))
    return tuple(room for room in rooms if room not in _ROOMS and not room.startswith("_"))


def write(desk: Desk, *, system: str, folder: Path | str) -> Path:
    """Write an invented desk as the system exports it; the text stays in the clear, as it would.

    Raises
    ------
    UsageError
        If there is no such dialect, the desk is not invented, or the folder holds something else.
    """
    dialect, place = _dialect(system), Path(folder)
    if not desk.manifest.invented:
        raise UsageError("only an invented desk is written in the clear")
    if place.exists() and any(place.iterdir()):
        raise UsageError(f"{place} is not empty: choose another folder")
    place.mkdir(parents=True, exist_ok=True)
    dialect.write(dialect.respelled(_recorded(desk)), place)
    return place


def expected(desk: Desk, *, system: str) -> Desk:
    """The desk that a reader makes of what `write` wrote, redacted; columns that the system cannot carry are empty."""
    carries: Carries = importlib.import_module(f"fcrlib.intake.{system}").CARRIES
    known: Desk = redact(_dialect(system).respelled(_recorded(desk)))
    return known.map_tables(lambda table, frame: carried(frame, table=table, carries=carries))


def carried(frame: pl.DataFrame, *, table: str, carries: Carries) -> pl.DataFrame:
    """A canonical table without what the system cannot carry, in an order that needs none of it."""
    lacks = carries.lacks(table)
    if lacks is None:
        return TABLES[table].create_empty()
    kept = frame.drop(list(lacks), strict=False)
    order = [name for name in kept.columns if not isinstance(kept.schema[name], pl.List)]
    return kept.sort(order, nulls_last=True)


def _recorded(desk: Desk) -> Desk:
    """The desk without handovers to whoever holds the contact already: no helpdesk records a change that changes nothing."""
    handed = pl.col("kind").is_in(["assignment", "transfer"])
    same = pl.all_horizontal(pl.col(f"{who}_from").eq_missing(pl.col(f"{who}_to")) for who in ("group", "agent"))
    events = desk.events.filter(~(handed & same)).with_columns(seq=pl.int_range(pl.len(), dtype=pl.Int64).over("source", "contact_id"))
    return replace(desk, events=events)


def _dialect(system: str) -> ModuleType:
    if system not in systems():
        raise UsageError(f"there is no dialect '{system}'; there are {', '.join(systems())}")
    return importlib.import_module(f"fcrlib.intake.demo.dialects.{system}")
