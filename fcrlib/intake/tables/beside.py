"""What stands beside the contacts of a plain table: messages, changes, survey answers, a list of customers?"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

import polars as pl

from fcrlib.intake.canonical import instants, words
from fcrlib.intake.canonical.told import Told
from fcrlib.intake.tables import files
from fcrlib.intake.tables.mapping import EVENT_WORDS, Layout
from fcrlib.intake.tables.table import Table
from fcrlib.model.desk import Dropped
from fcrlib.model.tables import TABLES, conform

ADDRESS = r"^[^@\s]+@[^@\s]+\.[^@\s]+$"
# Words that exports write into a person's field when nobody is known.
_NOBODY = ("unknown", "anonymous", "undefined", "guest")
# Above this share, impossible instants are not noise but swapped columns.
TOLERATED = 0.05
_EVENT_WORDS = {
    "kind": {
        "comment": "message",
        "reply": "message",
        "email": "message",
        "internal note": "note",
        "status change": "status",
        "reassignment": "transfer",
    },
    "actor": {"end-user": "customer", "end user": "customer", "user": "customer", "requester": "customer", "contact": "customer", "admin": "agent"},
}


@dataclass(frozen=True, slots=True)
class Others:
    """The tables beside the contacts' own, where there are any, and the SHA-256 of their files."""

    events: Table | None = None
    customers: Table | None = None
    hashes: dict[str, str] = field(default_factory=dict)


def nulls(plan: Layout) -> tuple[str, ...]:
    """The words that mean "nothing here", in lower case."""
    return (*files.NULL_TOKENS, *(word.strip().lower() for word in plan.null))


def clock(raw: pl.DataFrame, columns: list[str], plan: Layout, *, zone: str | None, told: Told) -> pl.DataFrame:
    """Date columns as instants, under their own names; what is wrong with them is told."""
    numbered = [instants.ROW] if instants.ROW in raw.columns else []
    text = raw.select(*numbered, *(files.known(name, nulls=nulls(plan)) for name in columns))
    dates = instants.read(text, columns=columns, time_zone=zone, dates=plan.dates)
    told.problems += dates.problems
    told.notes += dates.notes
    return dates.frame


def person(frame: pl.DataFrame) -> pl.DataFrame:
    """`customer_ref`, where it is there, with e-mail addresses in lower case; whoever is called unknown is unknown."""
    if "customer_ref" not in frame.columns:
        return frame
    folded = pl.col("customer_ref").str.to_lowercase()
    address = pl.when(pl.col("customer_ref").str.contains(ADDRESS)).then(folded).otherwise("customer_ref")
    return frame.with_columns(pl.when(~folded.is_in(_NOBODY)).then(address).alias("customer_ref"))


def surveys(raw: pl.DataFrame, plan: Layout, *, zone: str | None, end: datetime, told: Told) -> pl.DataFrame:
    """Survey answers that stand beside the contact; a contact without any answer has no row."""
    feeds = plan.surveys.feeds() if plan.surveys else {}
    if not feeds:
        return TABLES["surveys"].create_empty()
    empty = nulls(plan)
    text = raw.select(
        files.known(plan.contacts["contact_id"], nulls=empty).str.normalize("NFC").alias("contact_id"),
        *(files.known(theirs, nulls=empty).alias(ours) for ours, theirs in feeds.items()),
    )
    moment = [clock(raw, [feeds["answered_at"]], plan, zone=zone, told=told).to_series().alias("answered_at")] if "answered_at" in feeds else []
    answers = text.with_columns(*moment, *(pl.col(name).cast(pl.Float64, strict=False) for name in ("ces", "nps") if name in feeds))
    if "csat" in feeds:
        scale = pl.when(pl.col("csat").is_not_null()).then(pl.lit(plan.surveys.scale if plan.surveys else None, dtype=pl.String))
        answers = answers.with_columns(pl.col("csat").alias("csat_raw"), _csat(text, plan, told), scale.alias("csat_scale"))
    if "resolved" in feeds:
        answers = answers.with_columns(_resolved(text, plan, told))
    given = pl.any_horizontal(pl.col(name).is_not_null() for name in feeds)
    answers = answers.filter(given).with_columns(source=pl.lit(plan.source), seq=pl.lit(0, dtype=pl.Int64)).pipe(conform, table="surveys")
    known = answers.filter(pl.col("answered_at").is_null() | (pl.col("answered_at") <= end))
    told.dropped.append(Dropped(what="surveys", count=answers.height - known.height, why=f"answered after the data end {end:%Y-%m-%d %H:%M}"))
    return known


def _csat(text: pl.DataFrame, plan: Layout, told: Told) -> pl.Expr:
    scale = plan.surveys.scale if plan.surveys else None
    column = plan.surveys.csat if plan.surveys else None
    if scale is None:
        told.problems.append(f'{column} (surveys.csat): on which scale? add scale = "1-5" to [surveys]')
        return pl.lit(None, dtype=pl.Float64).alias("csat")
    low, high = (float(bound) for bound in re.fullmatch(r"(-?\d+)-(\d+)", scale).groups())  # type: ignore[union-attr]
    share = (text["csat"].cast(pl.Float64, strict=False) - low) / (high - low)
    bad = text["csat"].is_not_null() & ~share.is_between(0, 1).fill_null(False)
    if count := int(bad.sum()):
        told.problems.append(
            f"{column}: {count:,} of {text['csat'].count():,} answers are not on the scale {scale}, e.g. '{text['csat'].filter(bad)[0]}'"
        )
    return pl.lit(share).alias("csat")


def _resolved(text: pl.DataFrame, plan: Layout, told: Told) -> pl.Expr:
    answers = {**dict.fromkeys(words.YES_WORDS, "yes"), **dict.fromkeys(words.NO_WORDS, "no"), **dict.fromkeys(("partly", "partially"), "partly")}
    known = {**answers, **{theirs.strip().lower(): ours for theirs, ours in plan.values.get("resolved", {}).items()}}
    if strange := words.unknown(text, "resolved", words=known):
        told.problems.append(
            f"surveys.resolved: words without a meaning: {', '.join(strange[:20])}; say under [values.resolved] which are yes, partly or no"
        )
    return words.meaning("resolved", words=known).alias("resolved")


def tables(plan: Layout, *, places: list[Path]) -> Others:
    """The tables that the mapping names beside the contacts' own, looked for where the contacts and the mapping lie.

    Raises
    ------
    DataError
        If one cannot be read.
    """
    named = {"events": plan.events.file if plan.events else None, "customers": plan.customers.file if plan.customers else None}
    found = {what: _file(name, beside=places) for what, name in named.items() if name}
    opened = {what: files.table(file, delimiter=plan.delimiter, encoding=plan.encoding) for what, file in found.items()}
    hashes = {name: sign for file in found.values() for name, sign in files.hashes(file).items()}
    return Others(opened.get("events"), opened.get("customers"), hashes)


def events(table: Table | None, plan: Layout, *, zone: str | None, end: datetime, told: Told) -> pl.DataFrame:
    """The second table, one row per message or change, in its order; nothing if the mapping names none."""
    if plan.events is None or table is None:
        told.problems += ["[events]: say with `file` in which table they stand, or in a database with `query`"] if plan.events else []
        return TABLES["events"].create_empty()
    feeds = plan.events.feeds()
    missing = {ours: theirs for ours, theirs in feeds.items() if theirs not in table.frame.columns}
    told.problems += [f"column '{theirs}' (events.{ours}) is not in {table.name}" for ours, theirs in missing.items()]
    if missing:
        return TABLES["events"].create_empty()
    text = table.frame.select(files.known(theirs, nulls=nulls(plan)).alias(ours) for ours, theirs in feeds.items())
    moments = clock(table.frame, [feeds["at"]], plan, zone=zone, told=told).to_series()
    read = text.with_columns(
        moments.alias("at"),
        pl.col("contact_id").str.normalize("NFC"),
        *(_event_word(text, name, plan, told) for name in text.columns if name in EVENT_WORDS),
        *(pl.col(name).str.to_lowercase().is_in(words.YES_WORDS).alias(name) for name in ("is_auto", "is_ack") if name in text.columns),
        source=pl.lit(plan.source),
    )
    return _ordered(_completed(read, every_kind=plan.events.every_kind), end=end, told=told)


def customers(raw: pl.DataFrame, table: Table | None, plan: Layout, *, zone: str | None, end: datetime, told: Told) -> pl.DataFrame:
    """Who is a customer and who has left, one row each; nothing if the mapping names no such columns.

    Who is listed several times has been a customer since the earliest of the rows, and is still one while any of them is open.
    """
    feeds = plan.customers.feeds() if plan.customers else {}
    if not plan.customers or not {"since", "left_at"} & feeds.keys():
        return TABLES["customers"].create_empty()
    if table is None and (plan.customers.file or plan.customers.query):
        told.problems.append("[customers]: a database is asked with `query`, a file is named with `file`")
        return TABLES["customers"].create_empty()
    if table is None:
        return _read_customers(raw, {"customer_ref": plan.contacts.get("customer_ref", ""), **feeds}, plan, zone=zone, end=end, told=told)
    return _read_customers(table.frame, {"customer_ref": "", **feeds}, plan, zone=zone, end=end, told=told)


def _read_customers(raw: pl.DataFrame, feeds: dict[str, str], plan: Layout, *, zone: str | None, end: datetime, told: Told) -> pl.DataFrame:
    missing = {ours: theirs for ours, theirs in feeds.items() if theirs not in raw.columns}
    told.problems += [
        f"column '{theirs}' (customers.{ours}) is not there" if theirs else "[customers]: say with customer_ref which column names the customer"
        for ours, theirs in missing.items()
    ]
    if missing:
        return TABLES["customers"].create_empty()
    moments = {ours: theirs for ours, theirs in feeds.items() if ours != "customer_ref"}
    dated = clock(raw, sorted(set(moments.values())), plan, zone=zone, told=told)
    who = person(raw.select(files.known(feeds["customer_ref"], nulls=nulls(plan)).str.normalize("NFC").alias("customer_ref")))
    read = who.with_columns(*(dated[theirs].alias(ours) for ours, theirs in moments.items()), source=pl.lit(plan.source))
    return _members(read.pipe(conform, table="customers").drop_nulls("customer_ref"), end=end, told=told)


def _members(known: pl.DataFrame, *, end: datetime, told: Told) -> pl.DataFrame:
    """One row per customer, as the data end knew them."""
    gone = pl.when(pl.col("left_at").is_not_null().all()).then(pl.col("left_at").max())
    once = known.group_by("source", "customer_ref").agg(pl.col("since").min(), gone.alias("left_at")).sort("source", "customer_ref")
    here = once.filter((pl.col("since") <= end).fill_null(True))
    told.dropped.append(Dropped(what="customers", count=once.height - here.height, why=f"joined after the data end {end:%Y-%m-%d %H:%M}"))
    later = pl.col("left_at") > end
    why = f"they leave after the data end {end:%Y-%m-%d %H:%M}; still there"
    told.dropped.append(Dropped(what="leavings", count=here.filter(later).height, why=why))
    swapped = here.filter(pl.col("left_at") < pl.col("since"))
    if swapped.height > max(TOLERATED * here["left_at"].count(), 1):
        told.problems.append(
            f"customers: {swapped.height:,} of {here['left_at'].count():,} who left did so before they joined: are since and left_at swapped?"
        )
    told.dropped.append(Dropped(what="customers", count=swapped.height, why="left before they joined"))
    return here.filter(~(pl.col("left_at") < pl.col("since")).fill_null(False)).with_columns(pl.when(~later).then("left_at").alias("left_at"))


def _file(name: str, *, beside: list[Path]) -> Path:
    """The second table stands beside the first, or beside the mapping."""
    places = [files.container(place)[0].parent / name for place in beside]
    return next((place for place in places if files.container(place)[0].exists()), places[0])


def _completed(events: pl.DataFrame, *, every_kind: str) -> pl.DataFrame:
    """The columns that every event has. Where nothing tells notes from replies, messages are taken for public."""
    kind = pl.col("kind") if "kind" in events.columns else pl.lit(every_kind)
    actor = pl.col("actor").fill_null("unknown") if "actor" in events.columns else pl.lit("unknown")
    events = events.with_columns(kind.alias("kind"), actor.alias("actor"))
    said = pl.col("public").str.to_lowercase().is_in(words.YES_WORDS) if "public" in events.columns else pl.col("kind") == "message"
    automatic = pl.col("is_auto").fill_null(False) if "is_auto" in events.columns else pl.lit(False)
    return events.with_columns(said.fill_null(False).alias("public"), automatic.alias("is_auto"))


def _ordered(events: pl.DataFrame, *, end: datetime, told: Told) -> pl.DataFrame:
    whole = events.drop_nulls(["contact_id", "at", "kind"])
    known = whole.filter(pl.col("at") <= end).sort("contact_id", "at", maintain_order=True)
    told.dropped.append(Dropped(what="events", count=events.height - whole.height, why="without a contact, a time or a kind"))
    told.dropped.append(Dropped(what="events", count=whole.height - known.height, why=f"after the data end {end:%Y-%m-%d %H:%M}"))
    return known.with_columns(seq=pl.int_range(pl.len(), dtype=pl.Int64).over("contact_id")).pipe(conform, table="events")


def _event_word(text: pl.DataFrame, name: str, plan: Layout, told: Told) -> pl.Expr:
    usual = words.STATUS_WORDS if name.startswith("status") else words.CHANNEL_WORDS if name == "channel" else _EVENT_WORDS.get(name, {})
    mine = plan.values.get(name) or plan.values.get("status" if name.startswith("status") else name, {})
    known = {**usual, **{word: word for word in EVENT_WORDS[name]}, **{theirs.strip().lower(): ours for theirs, ours in mine.items()}}
    if strange := words.unknown(text, name, words=known):
        told.problems.append(f"events.{name}: words without a meaning: {', '.join(strange[:20])}; say under [values.{name}] what they mean")
    return words.meaning(name, words=known).alias(name)


def of_kept(rows: pl.DataFrame, contacts: pl.DataFrame, told: Told) -> pl.DataFrame:
    """The rows whose contact is in the table."""
    matched = rows.join(contacts.select("source", "contact_id"), on=["source", "contact_id"], how="semi", maintain_order="left")
    told.dropped.append(Dropped(what="events or surveys", count=rows.height - matched.height, why="their contact is not among the contacts"))
    return matched
