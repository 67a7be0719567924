"""What does a ServiceNow incident audit log say?

One row per audit, not per incident, and every row repeats the incident's *final* resolved_at, closed_at and close code. So what was
known when is read from the path of states and groups; the final columns are only kept where the data end already knew them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import polars as pl

import fcrlib
from fcrlib.intake.canonical import instants, mending, promises, typed, words
from fcrlib.intake.tables import files
from fcrlib.intake.tables.table import Table
from fcrlib.model.desk import Desk, Dropped, Manifest
from fcrlib.model.errors import DataError
from fcrlib.model.identity import Rules
from fcrlib.model.redaction import Redaction
from fcrlib.model.tables import RESOLVED_STATUSES

SOURCE = "servicenow"
STATE_WORDS = {
    **words.STATUS_WORDS,
    "1": "new",
    "2": "open",
    "3": "hold",
    "4": "pending",
    "5": "hold",
    "6": "solved",
    "7": "closed",
    "8": "closed",
}
NEEDED = ("number", "opened_at", "state", "at")
ALIASES = {
    "number": ("number", "incident", "task", "task_effective_number"),
    "opened_at": ("opened_at", "opened"),
    "state": ("incident_state", "ident_state", "state"),
    "at": ("sys_updated_at", "sys_updated_on", "updated", "updated_at"),
    "customer_ref": ("caller_id", "caller", "caller_id_value"),
    "account_ref": ("company", "company_value"),
    "group": ("assignment_group", "assignment_group_value"),
    "agent": ("assigned_to", "assigned_to_value"),
    "channel_raw": ("contact_type", "channel"),
    "category": ("category",),
    "subcategory": ("subcategory",),
    "product_area": ("cmdb_ci", "business_service", "configuration_item"),
    "priority": ("priority",),
    "subject": ("short_description",),
    "body": ("description",),
    "parent_id": ("parent_incident", "parent"),
    "issue_key": ("problem_id", "problem"),
    "reopens": ("reopen_count",),
    "stations": ("reassignment_count",),
    "close_reason": ("closed_code", "close_code", "resolution_code"),
    "resolved_by": ("resolved_by", "resolved_by_value"),
    "resolved_at": ("resolved_at", "resolved"),
    "closed_at": ("closed_at", "closed"),
    "actor_id": ("sys_updated_by", "updated_by"),
    "made": ("made_sla",),
}
MACHINES = ("system", "system administrator", "admin", "workflow", "integration")
# A log with more steps back in time than this, per step onward, is in no order at all.
_SHUFFLED = 0.01
# Some logs write -100 where the audit lost the state.
_NULLS = (*files.NULL_TOKENS, "-100")
_FACTS = (
    "customer_ref",
    "account_ref",
    "channel_raw",
    "category",
    "subcategory",
    "product_area",
    "priority",
    "subject",
    "body",
    "parent_id",
    "issue_key",
    "made",
)
_FINAL = ("resolved_at", "closed_at", "close_reason", "resolved_by", "reopens", "stations")
_RESOLVED = pl.col("state").is_in(["solved", "closed"])


@dataclass(frozen=True, slots=True)
class _Log:
    """Audit rows under our names (text), with what was left out and noticed on the way."""

    frame: pl.DataFrame
    dropped: tuple[Dropped, ...]
    notes: tuple[str, ...]


def read(
    path: Path | str,
    *,
    data_end: datetime,
    time_zone: str = "UTC",
    dates: str | None = None,
    identity: Rules | None = None,
    redaction: Redaction | None = None,
) -> Desk:
    """Read an incident audit log: a csv, a zip or gz of it, or a folder of those.

    Parameters
    ----------
    path
        Needs the columns number, opened_at, incident_state and sys_updated_at; further ones are used where present.
    data_end
        When the export was made. What happened later is dropped and counted.
    time_zone
        Zone of the log's clock; a CSV shows times in the zone of the user who exported it.
    dates
        `day first` or `month first`, where no date of the log tells.
    identity, redaction
        The project's rules.

    Raises
    ------
    DataError
        If a needed column is missing, dates or states cannot be read, or nothing is left; everything wrong at once.
    UsageError
        If the data end or the time zone makes no sense.
    """
    from fcrlib.intake.redact import redact

    end = instants.aware(data_end, name="data_end")
    raw = _raw(path)
    log = _typed(raw, path=path, time_zone=time_zone, dates=dates)
    ordered, clockwork = _in_order(log.frame)
    known, unborn = mending.opened_by(ordered, end=end, path=path)
    path_of_states, late = _until(known, end=end)
    contacts, mended = _contacts(path_of_states, known, end=end)
    manifest = Manifest(
        source=SOURCE,
        reader="servicenow",
        reader_version=fcrlib.__version__,
        data_start=contacts["opened_at"].min(),  # type: ignore[arg-type]
        data_end=end,
        time_zone=time_zone,
        capabilities=_capabilities(contacts, known),
        files=files.hashes(path),
        dropped=tuple(one for one in (*raw.dropped, *log.dropped, clockwork, unborn, late, *mended) if one.count),
        notes=(*raw.notes, *log.notes, *_remarks(known, contacts)),
    )
    return redact(Desk.build(manifest, contacts=contacts, events=_events(path_of_states)), rules=identity, redaction=redaction)


def _raw(path: Path | str) -> _Log:
    """All files under our column names, exact duplicates out."""
    found = files.tables(path)
    problems: list[str] = []
    frames: list[pl.DataFrame] = []
    notes: list[str] = []
    for table in found:
        notes += table.notes
        frame, said = _renamed(table)
        missing = [name for name in NEEDED if name not in frame.columns]
        if len(found) > 1 and len(missing) == len(NEEDED) and table.name.lower().endswith(".json"):
            notes.append(f"{table.name} holds no audit rows and was passed over")
            continue
        if missing:
            wanted = ", ".join(f"{ALIASES[name][0]}" for name in missing)
            problems.append(f"{table.name}: no column for {wanted}; its columns are {', '.join(table.frame.columns[:40])}")
        where = f" of {table.name}" if len(found) > 1 else ""
        frames.append(frame.with_columns((table.rows + where).alias(instants.ROW)))
        notes += said
    if problems or not frames:
        raise DataError(f"{path} is no ServiceNow audit log:", problems or notes)
    together = pl.concat(frames, how="diagonal")
    if _is_list(together, [name for table in found for name in table.frame.columns]):
        raise DataError(
            f"{path} is a list of incidents as they are now, one row each, and no audit log: give it as a file that ends in .csv or .json"
        )
    single = together.unique([name for name in together.columns if name != instants.ROW], keep="first", maintain_order=True)
    repeated = Dropped(what="audit rows", count=together.height - single.height, why="exact duplicates of another row")
    used = [name for name in ALIASES if name in single.columns]
    frame = single.select(instants.ROW, *(files.known(name, nulls=_NULLS) for name in used)).with_row_index("row")
    return _Log(frame, (repeated,), tuple(dict.fromkeys((f"{together.height:,} audit rows were read", *notes))))


def _is_list(rows: pl.DataFrame, headers: Sequence[str]) -> bool:
    """Does every incident stand once, and the clock has not the name that the published log gives it?"""
    return rows.height > 1 and bool(rows["number"].is_unique().all()) and not any(name.strip().lower() == "sys_updated_at" for name in headers)


def _renamed(table: Table) -> tuple[pl.DataFrame, list[str]]:
    headers = {name: name.strip().lower().replace(" ", "_").replace(".", "_") for name in table.frame.columns}
    by_header = {header: name for name, header in reversed(headers.items())}
    names = {by_header[alias]: ours for ours, aliases in reversed(ALIASES.items()) for alias in reversed(aliases) if alias in by_header}
    # One alias per column of ours: the first that the file has.
    chosen = {ours: theirs for theirs, ours in names.items()}
    notes = []
    twin = by_header.get("category_(2)")
    if twin and "subcategory" not in chosen and not table.frame[twin].equals(table.frame[chosen["category"]]):
        chosen["subcategory"] = twin
        notes.append(f"{table.name}: 'category' stands twice in the header; the second was read as the subcategory")
    extra = [name for name in table.frame.columns if name not in chosen.values()]
    notes += [f"{table.name}: columns not used: {', '.join(extra)}"] if extra else []
    rest = {name: f"unused: {name}" for name in extra}
    return table.frame.rename({**{theirs: ours for ours, theirs in chosen.items()}, **rest}), notes


def _typed(raw: _Log, *, path: Path | str, time_zone: str, dates: str | None) -> _Log:
    """Instants, states and counts read; rows without a number or a time out."""
    frame = raw.frame
    moments = [name for name in ("opened_at", "at", "resolved_at", "closed_at") if name in frame.columns]
    clock = instants.read(frame, columns=moments, time_zone=time_zone, dates=dates)
    problems = list(clock.problems)
    if strange := words.unknown(_awaiting(frame), "state", words=STATE_WORDS):
        problems.append(f"incident_state: words without a meaning: {', '.join(strange)}; known are {', '.join(STATE_WORDS)}")
    if problems:
        raise DataError(f"{path} cannot be read (row 1 is the header):", [_ours_to_theirs(problem) for problem in problems])
    frame = (
        _awaiting(frame)
        .with_columns(
            *clock.frame.get_columns(),
            words.meaning("state", words=STATE_WORDS).alias("state"),
            pl.col("state").str.to_lowercase().is_in(["cancelled", "canceled", "8"]).alias("cancelled"),
            *(_count(frame, name) for name in ("reopens", "stations")),
            *(
                pl.lit(None, dtype=pl.String).alias(name)
                for name in (*_FACTS, "group", "agent", "actor_id", *_FINAL[2:4])
                if name not in frame.columns
            ),
            *(pl.lit(None, dtype=pl.Datetime("us", "UTC")).alias(name) for name in _FINAL[:2] if name not in frame.columns),
        )
        .with_columns(pl.col("customer_ref").str.replace(r"^(?i)caller\s+(\d+)$", "$1").str.normalize("NFC"))
    )
    nameless = int((frame["number"].is_null() | frame["opened_at"].is_null() | frame["at"].is_null()).sum())
    left_out = Dropped(what="audit rows", count=nameless, why="without a number, an opening time or an update time")
    frame = frame.drop_nulls(["number", "opened_at", "at"]).rename({"number": "contact_id"})
    lost = int(frame["state"].is_null().sum())
    notes = [*clock.notes, *([f"{lost:,} audit rows carry no state; the state before was kept"] if lost else [])]
    if "resolved_at" not in moments:
        notes.append("there is no column resolved_at: the last resolution was read from the states")
    return _Log(frame.with_columns(has_final=pl.lit("resolved_at" in moments)), (left_out,), tuple(notes))


def _awaiting(frame: pl.DataFrame) -> pl.DataFrame:
    """Whatever is awaited that is not the customer is a hold."""
    folded = pl.col("state").str.to_lowercase()
    other = folded.str.starts_with("awaiting") & ~folded.is_in(list(STATE_WORDS))
    return frame.with_columns(pl.when(other).then(pl.lit("On Hold")).otherwise("state").alias("state"))


def _ours_to_theirs(problem: str) -> str:
    name, _, rest = problem.partition(":")
    return f"{ALIASES[name][0]}:{rest}" if name in ALIASES else problem


def _count(frame: pl.DataFrame, name: str) -> pl.Expr:
    if name not in frame.columns:
        return pl.lit(None, dtype=pl.Int64).alias(name)
    number = pl.col(name).cast(pl.Float64, strict=False).cast(pl.Int64, strict=False)
    return pl.when(number >= 0).then(number).alias(name)


def _in_order(log: pl.DataFrame) -> tuple[pl.DataFrame, Dropped]:
    """Audit rows of each incident as they happened: in the file's order, whichever way it runs; by time only where the file is shuffled.

    Many rows share a minute, and a clock may run ahead for one row: there only the file knows what came first.
    """
    step = log.select(pl.col("at").diff().over("contact_id").dt.total_microseconds()).to_series()
    onward, back = int((step > 0).sum()), int((step < 0).sum())
    if back and onward <= _SHUFFLED * back:
        log, onward, back = log.reverse(), back, onward
    log = log.with_columns(row=pl.int_range(pl.len()))
    if back > _SHUFFLED * onward:
        return log.sort("contact_id", "at", "row"), Dropped(what="update times", count=0, why="")
    log = log.sort("contact_id", "row").with_columns(pl.col("at").cum_min(reverse=True).over("contact_id").alias("not_after"))
    ahead = log.filter(pl.col("at") > pl.col("not_after"))["contact_id"]
    told = Dropped(
        what="update times", count=ahead.len(), why="later than the row after it; that one's time was taken", example=next(iter(ahead), "")
    )
    return log.with_columns(pl.col("not_after").alias("at")).drop("not_after"), told


def _until(log: pl.DataFrame, *, end: datetime) -> tuple[pl.DataFrame, Dropped]:
    """The audit path as the data end knew it; unknown states keep the state before."""
    later = log.filter(pl.col("at") > end)
    path = log.filter(pl.col("at") <= end).with_columns(
        pl.col("state", "cancelled").forward_fill().over("contact_id"),
        pl.col("group").forward_fill().over("contact_id").alias("team"),
    )  # fmt: skip
    example = later["contact_id"][0] if later.height else ""
    return path, Dropped(what="audit rows", count=later.height, why=f"after the data end {end:%Y-%m-%d %H:%M}", example=example)


def _contacts(path: pl.DataFrame, log: pl.DataFrame, *, end: datetime) -> tuple[pl.DataFrame, list[Dropped]]:
    """One row per incident, as the data end knew it; the vendor's counts are the log's last."""
    resolved = _RESOLVED & ~pl.col("cancelled").fill_null(False)
    entered = resolved & ~_RESOLVED.shift().over("contact_id").fill_null(False)
    seen = path.with_columns(entered=entered).group_by("contact_id").agg(
        *(pl.col(name).drop_nulls().last() for name in _FACTS),
        pl.col("state").drop_nulls().last().alias("status"),
        pl.col("cancelled").last().alias("is_deleted"),
        pl.col("at").filter(resolved).first().alias("first_resolved_at"),
        pl.col("at").filter("entered").last().alias("path_resolved_at"),
        pl.col("team").drop_nulls().first().alias("first_group"),
        pl.col("agent").drop_nulls().first().alias("first_agent"),
        pl.col("team").filter(resolved).first().alias("resolver_group"),
        pl.col("agent").filter(resolved).first().alias("resolver_agent"),
    )  # fmt: skip
    whole = log.group_by("contact_id").agg(
        pl.col("opened_at").min(), *(pl.col(name).drop_nulls().last() for name in _FINAL), pl.col("has_final").any()
    )
    contacts = whole.join(seen, on="contact_id", how="left").with_columns(
        pl.when("has_final").then("resolved_at").otherwise("path_resolved_at").alias("last_resolved_at"),
        pl.col("status").fill_null("new"),
        pl.col("is_deleted").fill_null(False),
    )
    contacts, mended = mending.mended(_without_foresight(contacts, end=end))
    channel = words.meaning("channel_raw", words=words.CHANNEL_WORDS).fill_null("other")
    machine = pl.col("resolved_by").str.to_lowercase().is_in(MACHINES)
    said = pl.when(pl.col("made").is_not_null()).then(typed.yes("made"))
    resolver = pl.when(machine).then(pl.lit("automation")).when(machine.is_not_null()).then(pl.lit("human")).otherwise(pl.lit("unknown"))
    return contacts.with_columns(
        source=pl.lit(SOURCE),
        channel=channel,
        initiated_by=pl.when(channel == "api")
        .then(pl.lit("system"))
        .when(pl.col("customer_ref").is_null())
        .then(pl.lit("unknown"))
        .otherwise(pl.lit("customer")),
        resolved_by=resolver,
        vendor_reopens="reopens",
        vendor_stations="stations",
        vendor_sla_met=promises.kept(broken=~said, running=pl.lit(True), over=pl.col("status").is_in(RESOLVED_STATUSES)),
    ), mended


def _without_foresight(contacts: pl.DataFrame, *, end: datetime) -> pl.DataFrame:
    """Blank the final columns where they tell what happened after the data end."""
    contacts = contacts.with_columns(pl.when(pl.col(name) <= end).then(pl.col(name)).alias(name) for name in ("last_resolved_at", "closed_at"))
    over = pl.coalesce("last_resolved_at", "closed_at").is_not_null()
    return contacts.with_columns(pl.when(over).then(pl.col(name)).alias(name) for name in ("close_reason", "resolved_by"))


def _events(path: pl.DataFrame) -> pl.DataFrame:
    """Status, assignment and transfer events; of one audit row the handover comes before the status."""
    path = path.with_columns(
        source=pl.lit(SOURCE),
        order=pl.int_range(pl.len()),
        team_from=pl.col("team").shift().over("contact_id"),
        status_from=pl.col("state").shift().over("contact_id"),
        actor=pl.when(pl.col("actor_id").str.to_lowercase().is_in(MACHINES)).then(pl.lit("system")).otherwise(pl.lit("unknown")),
    ).with_columns(moved=(pl.col("team") != pl.col("team_from")).fill_null(pl.col("team").is_not_null()))
    path = path.with_columns(spell=pl.col("moved").cum_sum().over("contact_id"))
    path = path.with_columns(person=pl.col("agent").forward_fill().over("contact_id", "spell")).with_columns(
        person_from=pl.when("moved").then(pl.col("person").shift().over("contact_id")).otherwise(pl.col("person").shift().over("contact_id", "spell"))
    )
    handed = pl.when(pl.col("moved") & pl.col("team_from").is_not_null()).then(pl.lit("transfer")).otherwise(pl.lit("assignment"))
    base = [pl.col("source", "contact_id", "order", "at", "actor", "actor_id")]
    people = [
        pl.col("team_from").alias("group_from"),
        pl.col("team").alias("group_to"),
        pl.col("person_from").alias("agent_from"),
        pl.col("person").alias("agent_to"),
    ]
    changed_person = ~pl.col("moved") & pl.col("person").ne_missing(pl.col("person_from")) & pl.col("person").is_not_null()
    changed_state = pl.col("state").ne_missing(pl.col("status_from")) & pl.col("state").is_not_null()
    events = pl.concat(
        [
            path.filter(pl.col("moved") | changed_person).select(*base, handed.alias("kind"), *people, pl.lit(0).alias("step")),
            path.filter(changed_state).select(
                *base, "status_from", pl.lit("status").alias("kind"), pl.col("state").alias("status_to"), pl.lit(1).alias("step")
            ),
        ],
        how="diagonal",
    ).sort("order", "step")
    return events.with_columns(seq=pl.int_range(pl.len(), dtype=pl.Int64).over("contact_id"))


def _capabilities(contacts: pl.DataFrame, log: pl.DataFrame) -> frozenset[str]:
    filled = {"has_group_history": log["group"], "has_category": contacts["category"], "has_customer": contacts["customer_ref"]}
    written = contacts["subject"].is_not_null().any() or contacts["body"].is_not_null().any()
    found = [flag for flag, values in filled.items() if values.is_not_null().any()]
    return frozenset(["has_events", "has_status_history", *found, *(["has_text"] if written else [])])


def _remarks(log: pl.DataFrame, contacts: pl.DataFrame) -> Sequence[str]:
    """What a reader of the numbers should know."""
    notes = ["vendor_reopens and vendor_stations are the log's last counts, which may lie after the data end"]
    mute = contacts.filter(
        pl.col("status").is_in(["solved", "closed"]), pl.col("last_resolved_at").is_null(), pl.col("first_resolved_at").is_not_null()
    )
    if mute.height and bool(log["has_final"].any()):
        notes.append(f"{mute.height:,} solved or closed incidents carry no resolved_at by the data end; last_resolved_at is empty there")
    if cancelled := int(contacts["is_deleted"].sum()):
        notes.append(f"{cancelled:,} cancelled incidents are marked as deleted, so that they count neither way")
    strange = words.unknown(contacts, "channel_raw", words=words.CHANNEL_WORDS)
    return [*notes, *([f"channels read as 'other': {', '.join(strange)}"] if strange else [])]
