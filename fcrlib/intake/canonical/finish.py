"""What does every reader do at its end?

The data end is settled, contacts and what hangs on them are cut there, impossible instants are mended, everything left out is counted, capabilities
follow from what is filled, and personal data leaves the text.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

import polars as pl

import fcrlib
from fcrlib.intake.canonical import instants, mending
from fcrlib.intake.canonical.told import Told
from fcrlib.model.desk import Desk, Dropped, Manifest
from fcrlib.model.errors import DataError, UsageError
from fcrlib.model.identity import Rules
from fcrlib.model.redaction import Redaction
from fcrlib.model.tables import TABLES, conform

_LATER = ("first_resolved_at", "last_resolved_at", "closed_at")


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a desk comes from.

    Parameters
    ----------
    source
        Name of the export, in every table.
    reader
        Name of the reader.
    path
        Where the export lies.
    files
        SHA-256 by file name.
    data_end
        When the export was made.
    time_zone
        Zone of its clock.
    """

    source: str
    reader: str
    path: Path
    data_end: datetime
    files: Mapping[str, str] = field(default_factory=dict)
    time_zone: str = "UTC"


def data_end(given: datetime | None, *, said: Sequence[datetime] = (), system: str) -> datetime:
    """The moment of the export: the user's word, else the export's own (the earliest, of several). The latest row is no stand-in for it.

    Raises
    ------
    UsageError
        If neither is there, or the given one has no zone.
    """
    if given is not None:
        return instants.aware(given, name="data_end")
    if not said:
        why = f"an export of {system} does not say when it was made, and its latest record is no stand-in: nobody knows how long it has been quiet since"
        raise UsageError(f"--data-end is needed: {why}", ["write e.g. --data-end 2026-09-30T23:59:59Z"])
    return min(instants.aware(one, name="data_end") for one in said)


def stop(told: Told, *, path: Path | str) -> None:
    """Refuse to go on if there are problems; all of them at once.

    Raises
    ------
    DataError
        With every problem told so far.
    """
    if told.problems:
        raise DataError(f"{path} cannot be read:", list(dict.fromkeys(told.problems)))


def desk(
    origin: Origin,
    *,
    told: Told,
    contacts: pl.DataFrame,
    events: pl.DataFrame | None = None,
    surveys: pl.DataFrame | None = None,
    identifiers: pl.DataFrame | None = None,
    agents: pl.DataFrame | None = None,
    articles: pl.DataFrame | None = None,
    customers: pl.DataFrame | None = None,
    names: pl.Series | None = None,
    identity: Rules | None = None,
    redaction: Redaction | None = None,
) -> Desk:
    """Build a desk from what a reader found.

    Parameters
    ----------
    origin
        Where it comes from.
    told
        What was dropped and noted on the way; problems stop it.
    contacts
        Under canonical names; `status`, `channel`, `initiated_by` and `resolved_by` may be null or missing.
    events, surveys, identifiers, agents, articles, customers
        Under canonical names, without `source`; a missing `seq` of surveys is counted. Events and surveys of contacts that are not there are dropped.
    names
        Full names of people whom the export knows; they leave the texts and are kept nowhere.
    identity, redaction
        The project's rules for identifiers and for personal data.

    Raises
    ------
    DataError
        If there are problems, or nothing is left.
    """
    from fcrlib.intake.redact import redact

    stop(told, path=origin.path)
    given = {"events": events, "surveys": surveys, "identifiers": identifiers, "agents": agents, "articles": articles, "customers": customers}
    frames = {name: _conformed(frame, name, origin.source) for name, frame in given.items()}
    known = _known(contacts, origin, told)
    frames["events"] = _of_kept(frames["events"], known, told, "events")
    frames["surveys"] = _of_kept(_answers(frames["surveys"], origin, told), known, told, "surveys")
    manifest = Manifest(
        source=origin.source,
        reader=origin.reader,
        reader_version=fcrlib.__version__,
        data_start=known["opened_at"].min(),  # type: ignore[arg-type]
        data_end=origin.data_end,
        time_zone=origin.time_zone,
        capabilities=capabilities(known, events=frames["events"], surveys=frames["surveys"], customers=frames["customers"]),
        files=dict(origin.files),
        dropped=tuple(one for one in told.dropped if one.count),
        notes=tuple(dict.fromkeys(told.notes)),
    )
    return redact(Desk.build(manifest, contacts=known, **frames), rules=identity, redaction=redaction, names=names)


def capabilities(contacts: pl.DataFrame, *, events: pl.DataFrame, surveys: pl.DataFrame, customers: pl.DataFrame) -> frozenset[str]:
    """What the columns that hold something allow. A list of customers of whom nobody who ever asked has left says nothing about leaving."""
    gone = (
        customers.drop_nulls("left_at").join(contacts, on=["source", "customer_ref"], how="semi") if "customer_ref" in contacts.columns else customers
    )
    filled = {name for name in contacts.columns if contacts[name].count()}
    seen = {name for name in events.columns if events[name].count()}
    has = {
        "has_category": "category" in filled,
        "has_customer": "customer_ref" in filled,
        "has_text": bool({"subject", "body"} & filled) or "text" in seen,
        "has_handle_time": "handle_seconds" in filled,
        "has_cost": "cost" in filled,
        "has_survey": surveys.height > 0,
        "has_retention": gone.height > 0,
        "has_events": events.height > 0,
        # Where only what customers wrote is there, nobody can tell that they were not answered.
        "has_messages": bool(events.select(((pl.col("kind") == "message") & pl.col("actor").is_in(["agent", "bot"])).any()).item()),
        "has_status_history": "status_to" in seen,
        "has_group_history": "group_to" in seen,
        "has_public_flag": bool(events["public"].any()) and not bool(events["public"].all()),
    }
    return frozenset(flag for flag, present in has.items() if present)


def _conformed(frame: pl.DataFrame | None, table: str, source: str) -> pl.DataFrame:
    if frame is None:
        return TABLES[table].create_empty()
    if "source" in TABLES[table].columns():
        frame = frame.with_columns(source=pl.lit(source))
    return conform(frame, table=table)


def _known(contacts: pl.DataFrame, origin: Origin, told: Told) -> pl.DataFrame:
    """Contacts as the data end knew them."""
    timeless = contacts.filter(pl.col("opened_at").is_null())
    example = str(timeless["contact_id"][0]) if timeless.height else ""
    told.dropped.append(Dropped(what="contacts", count=timeless.height, why="without an opening time", example=example))
    if timeless.height == contacts.height:
        raise DataError(f"{origin.path}: none of {contacts.height:,} contacts has an opening time")
    known, late = mending.opened_by(contacts.drop_nulls("opened_at"), end=origin.data_end, path=origin.path)
    told.dropped.append(late)
    blank = {name: pl.lit(None, dtype=pl.Datetime("us", "UTC")) for name in _LATER if name not in known.columns}
    words = {name: pl.lit(None, dtype=pl.String) for name in ("status", "channel", "initiated_by", "resolved_by") if name not in known.columns}
    known, mended = mending.mended(known.with_columns(**blank, **words))
    told.dropped += mended
    later = pl.any_horizontal((pl.col(name) > origin.data_end).fill_null(False) for name in _LATER)
    count = int(known.select(later.sum()).item())
    told.dropped.append(Dropped(what="resolutions", count=count, why=f"after the data end {origin.data_end:%Y-%m-%d %H:%M}; left empty"))
    known = known.with_columns(foreseen=later).with_columns(pl.when(pl.col(name) <= origin.data_end).then(name).alias(name) for name in _LATER)
    resolved = pl.col("first_resolved_at").is_not_null()
    later_only = pl.col("foreseen") & ~resolved
    status = pl.when(later_only).then(pl.lit("open")).otherwise(pl.col("status").cast(pl.String))
    derived = pl.when(pl.col("closed_at").is_not_null()).then(pl.lit("closed")).when(resolved).then(pl.lit("solved")).otherwise(pl.lit("open"))
    return known.with_columns(
        pl.lit(origin.source).alias("source"),
        pl.coalesce(status, derived).alias("status"),
        pl.col("channel").cast(pl.String).fill_null("other"),
        pl.col("initiated_by").cast(pl.String).fill_null("unknown"),
        pl.when(later_only).then(pl.lit("unknown")).otherwise(pl.col("resolved_by").cast(pl.String).fill_null("unknown")).alias("resolved_by"),
        *(pl.when(~later_only).then(name).alias(name) for name in ("resolver_group", "resolver_agent") if name in known.columns),
    ).drop("foreseen")


def _answers(surveys: pl.DataFrame, origin: Origin, told: Told) -> pl.DataFrame:
    """Surveys as the data end knew them, numbered by contact; an answer that a later one replaces is marked."""
    moment = pl.coalesce("answered_at", "offered_at")
    late = surveys.filter((pl.col("answered_at") > origin.data_end).fill_null(False))
    told.dropped.append(Dropped(what="surveys", count=late.height, why=f"answered after the data end {origin.data_end:%Y-%m-%d %H:%M}"))
    known = surveys.filter((pl.col("answered_at") <= origin.data_end).fill_null(True)).sort(
        "contact_id", moment, maintain_order=True, nulls_last=False
    )
    answered = pl.col("answered_at").is_not_null()
    after = answered.cast(pl.Int64).sum().over("contact_id") - answered.cast(pl.Int64).cum_sum().over("contact_id")
    return known.with_columns(
        superseded=pl.col("superseded") | (answered & (after > 0)), seq=pl.int_range(pl.len(), dtype=pl.Int64).over("contact_id")
    )


def _of_kept(rows: pl.DataFrame, contacts: pl.DataFrame, told: Told, what: str) -> pl.DataFrame:
    kept = rows["contact_id"].is_in(contacts["contact_id"].implode()).fill_null(False)
    told.dropped.append(Dropped(what=what, count=int((~kept).sum()), why="their contact is not among the contacts"))
    return rows if kept.all() else rows.filter(kept)
