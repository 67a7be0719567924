"""Which instants of a contact cannot be true?

Real logs hold contacts that were resolved before they were opened. Such an instant is moved or left empty, and counted.
"""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import polars as pl

from fcrlib.model.desk import Dropped
from fcrlib.model.errors import DataError


def opened_by(contacts: pl.DataFrame, *, end: datetime, path: Path | str) -> tuple[pl.DataFrame, Dropped]:
    """Keep the contacts that were open by the data end, and count the others.

    Raises
    ------
    DataError
        If none is left.
    """
    known, late = contacts.filter(pl.col("opened_at") <= end), contacts.filter(pl.col("opened_at") > end)
    first = contacts["opened_at"].min()
    if known.is_empty() and isinstance(first, datetime):
        raise DataError(
            f"{path}: the data end {end:%Y-%m-%d %H:%M} lies before the first contact ({first:%Y-%m-%d %H:%M})",
            ["give the moment the export was made, e.g. --data-end 2026-09-30T23:59:59Z"],
        )
    ids = late["contact_id"].unique().sort()
    return known, Dropped(what="contacts", count=ids.len(), why=f"opened after the data end {end:%Y-%m-%d %H:%M}", example=_first(ids))


def mended(contacts: pl.DataFrame) -> tuple[pl.DataFrame, list[Dropped]]:
    """Make impossible orders of first_resolved_at, last_resolved_at, closed_at possible; say what was done, kinds with a zero left out."""
    early, unborn = pl.col("first_resolved_at") < pl.col("opened_at"), pl.col("last_resolved_at") < pl.col("opened_at")
    shut = pl.col("closed_at") < pl.col("opened_at")
    dropped = [
        _impossible(contacts, early, "first_resolved_at", "resolved before it was opened; the opening time was taken"),
        _impossible(contacts, unborn, "last_resolved_at", "resolved before it was opened; left empty"),
        _impossible(contacts, shut, "closed_at", "closed before it was opened; left empty"),
    ]
    contacts = contacts.with_columns(
        pl.when(early).then("opened_at").otherwise("first_resolved_at").alias("first_resolved_at"),
        pl.when(~unborn).then("last_resolved_at").alias("last_resolved_at"),
        pl.when(~shut).then("closed_at").alias("closed_at"),
    )
    swapped = pl.col("last_resolved_at") < pl.col("first_resolved_at")
    dropped.append(_impossible(contacts, swapped, "last_resolved_at", "earlier than the first resolution; that one was taken"))
    lifted = pl.when(swapped).then("first_resolved_at").otherwise("last_resolved_at").alias("last_resolved_at")
    return contacts.with_columns(lifted), [one for one in dropped if one.count]


def _impossible(contacts: pl.DataFrame, wrong: pl.Expr, what: str, why: str) -> Dropped:
    hit = contacts.filter(wrong)["contact_id"].sort()
    return Dropped(what=what, count=hit.len(), why=why, example=_first(hit))


def _first(ids: pl.Series) -> str:
    return str(ids[0]) if ids.len() else ""
