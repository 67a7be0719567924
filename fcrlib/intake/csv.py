"""What does a plain table of contacts say?

A mapping says which column feeds which (see `mapping`); without one it is proposed from headers and values (see `guess`).
What is not mapped is not known: the capabilities of the desk follow from the columns.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from pathlib import Path

import polars as pl

import fcrlib
from fcrlib.intake.canonical import finish, instants, mending, words
from fcrlib.intake.canonical.carries import Carries
from fcrlib.intake.canonical.told import Told
from fcrlib.intake.tables import beside, files
from fcrlib.intake.tables.guess import Guess, guess
from fcrlib.intake.tables.mapping import HAPPENED, INSTANTS, NUMBERS, RESOLVED, WORDS, Layout, layout
from fcrlib.intake.tables.table import Table
from fcrlib.model.desk import Desk, Dropped, Manifest
from fcrlib.model.errors import DataError, UsageError
from fcrlib.model.identity import Rules
from fcrlib.model.redaction import Redaction
from fcrlib.model.tables import TABLES

__all__ = ["CARRIES", "Guess", "guess", "read"]

_IDS = ("contact_id", "customer_ref", "account_ref", "merged_into", "follow_up_of", "parent_id", "issue_key")
_MAPPING = "mapping.toml"
CARRIES = Carries(
    "csv",
    {
        "contacts.vendor_one_touch": "only a helpdesk itself says it",
        "contacts.vendor_first_resolved_at": "only a helpdesk itself says it",
        "contacts.vendor_sla_met": "only a helpdesk itself says it",
        "surveys.offered_at": "an answer stands beside its contact, an offer does not",
        "identifiers": "one column names the customer",
        "agents": "a table of contacts lists no agents",
        "articles": "a table of contacts lists no articles",
        "changes": "a table of contacts is no log of what the company changed",
    },
)
"""What a plain table with a mapping cannot tell."""
_DECIMAL = r"^\d+\.0+$"
_CLOCK = r"^(\d+):(\d{2})(?::(\d{2}))?$"


def read(
    path: Path | str,
    *,
    mapping: Mapping[str, object] | Path | str | None = None,
    data_end: datetime | None = None,
    time_zone: str | None = None,
    identity: Rules | None = None,
    redaction: Redaction | None = None,
) -> Desk:
    """Read a table of contacts: csv, tsv or semicolons, plain or in a zip or gz; a spreadsheet; parquet; ndjson.

    Parameters
    ----------
    path
        The file, one row per contact; of several sheets one, as `book.xlsx/Tickets`. A folder with a `mapping.toml` that names its file is read too.
    mapping
        A TOML file or its fields; None takes the folder's `mapping.toml`, or the columns that `guess` is sure or nearly sure of.
    data_end
        When the export was made, unless the mapping says it. What happened later is dropped and counted.
    time_zone
        Zone of times that carry none; goes before the mapping's.
    identity
        How identifiers are read before they leave the clear.
    redaction
        What is personal in the texts beyond what everybody knows, and what may stay.

    Raises
    ------
    UsageError
        If the mapping, the data end or the zone has mistakes.
    DataError
        If the file cannot be read that way; everything wrong at once.
    """
    instants.zone_of(time_zone)
    told = Told()
    mapping = _kept(path) if mapping is None else mapping
    plan = layout(mapping) if mapping is not None else proposed(guess(path), path=path, told=told)
    path = Path(path) / plan.file if plan.file and Path(path).is_dir() else path
    end = ended(data_end or plan.data_end)
    table = files.table(path, delimiter=plan.delimiter, encoding=plan.encoding)
    others = beside.tables(plan, places=[Path(path), *([Path(mapping)] if isinstance(mapping, str | Path) else [])])
    hashes = {**files.hashes(path), **others.hashes}
    origin = finish.Origin(plan.source, "csv", Path(path), end, hashes, time_zone or plan.time_zone or "UTC")
    return desk(table, others, plan=plan, origin=origin, told=told, zone=time_zone or plan.time_zone, identity=identity, redaction=redaction)


def desk(
    table: Table,
    others: beside.Others,
    *,
    plan: Layout,
    origin: finish.Origin,
    told: Told,
    zone: str | None,
    identity: Rules | None = None,
    redaction: Redaction | None = None,
) -> Desk:
    """Build a desk from tables of text, wherever they were read.

    Parameters
    ----------
    table, others
        The contacts, and what stands beside them.
    plan
        Which column is what.
    origin
        Where they come from.
    told
        What was noted so far.
    zone
        Zone of times that carry none.
    identity, redaction
        The project's rules.

    Raises
    ------
    DataError
        If the tables do not fit the plan; everything wrong at once.
    """
    from fcrlib.intake.redact import redact

    path, end = origin.path, origin.data_end
    told.notes += table.notes
    plan = _present(plan, table, told)
    _stop(told, path, table.frame)
    raw = _without_twins(table, plan, told)
    contacts = _contacts(raw, plan, zone=zone, told=told)
    surveys = beside.surveys(raw, plan, zone=zone, end=end, told=told)
    events = beside.events(others.events, plan, zone=zone, end=end, told=told)
    base = beside.customers(raw, others.customers, plan, zone=zone, end=end, told=told)
    _stop(told, path)
    contacts = _known_by(contacts, end=end, path=path, told=told)
    events, surveys = beside.of_kept(events, contacts, told), beside.of_kept(surveys, contacts, told)
    manifest = Manifest(
        source=origin.source,
        reader=origin.reader,
        reader_version=fcrlib.__version__,
        data_start=contacts["opened_at"].min(),  # type: ignore[arg-type]
        data_end=end,
        time_zone=origin.time_zone,
        capabilities=finish.capabilities(contacts, events=events, surveys=surveys, customers=base),
        files=dict(origin.files),
        dropped=tuple(one for one in told.dropped if one.count),
        notes=tuple(told.notes),
    )
    built = Desk.build(manifest, contacts=contacts, events=events, surveys=surveys, customers=base, identifiers=_identifiers(contacts))
    return redact(built, rules=identity, redaction=redaction)


def ended(given: datetime | None) -> datetime:
    """The moment of the export. The latest row is no stand-in for it: nobody knows how long it has been quiet since.

    Raises
    ------
    UsageError
        If it is not given, or has no zone.
    """
    if given is None:
        raise UsageError("--data-end is needed: a table does not say when it was exported", ["write e.g. --data-end 2026-09-30T23:59:59Z"])
    return instants.aware(given, name="data_end")


def _kept(path: Path | str) -> Path | None:
    """The mapping that lies in the folder."""
    kept = Path(path) / _MAPPING
    return kept if kept.is_file() else None


def proposed(proposal: Guess, *, path: Path | str, told: Told) -> Layout:
    """The plan that the table itself suggests.

    Raises
    ------
    DataError
        If no column looks like the two that are needed.
    """
    if missing := [name for name in ("contact_id", "opened_at") if name not in proposal.chosen()]:
        raise DataError(
            f"{path} does not look like a table with one row per contact: no column looks like {' or '.join(missing)}",
            [
                f"its columns are {', '.join(one.column for one in proposal.suggestions)}",
                "counts by day or by group cannot be judged, export the contacts themselves; or name the columns in a mapping",
            ],
        )
    told.notes.append(f"no mapping was given; columns were taken by their names and values: {proposal.sentence()}")
    return layout(proposal.fields())


def _stop(told: Told, path: Path | str, frame: pl.DataFrame | None = None) -> None:
    if told.problems:
        columns = [f"its columns are {', '.join(frame.columns[:40])}"] if frame is not None else []
        raise DataError(f"{path} cannot be read (row 1 is the header):", [*told.problems, *columns])


def _present(plan: Layout, table: Table, told: Told) -> Layout:
    """Leave out optional columns that the file lacks; needed ones are a problem."""
    here = set(table.frame.columns)
    survey = plan.surveys.feeds() if plan.surveys else {}
    base = plan.customers.feeds() if plan.customers and not plan.customers.file else {}
    wanted = {
        **plan.contacts,
        **{name: flag.column for name, flag in plan.flags.items()},
        **{f"surveys.{ours}": theirs for ours, theirs in survey.items()},
        **{f"customers.{ours}": theirs for ours, theirs in base.items()},
    }
    gone = {ours: theirs for ours, theirs in wanted.items() if theirs not in here}
    told.problems += [f"column '{theirs}' ({ours}) is not in {table.name}" for ours, theirs in gone.items() if theirs not in plan.optional]
    absent = [theirs for theirs in gone.values() if theirs in plan.optional]
    told.notes += [f"optional columns that {table.name} lacks: {', '.join(absent)}"] if absent else []
    extra = [name for name in table.frame.columns if name not in wanted.values()]
    told.notes += [f"columns not used: {', '.join(extra)}"] if extra else []
    return plan.model_copy(
        update={
            "contacts": {ours: theirs for ours, theirs in plan.contacts.items() if theirs in here},
            "flags": {name: flag for name, flag in plan.flags.items() if flag.column in here},
            "surveys": plan.surveys.model_copy(update={ours: None for ours, theirs in survey.items() if theirs not in here})
            if plan.surveys
            else None,
            "customers": plan.customers.model_copy(update={ours: None for ours, theirs in base.items() if theirs not in here})
            if plan.customers
            else None,
        }
    )


def _without_twins(table: Table, plan: Layout, told: Told) -> pl.DataFrame:
    """Drop identical rows and rows without an id; refuse ids that stand on differing rows."""
    theirs = plan.contacts["contact_id"]
    frame = table.frame
    raw = frame.with_columns(table.rows.alias(instants.ROW)).unique(frame.columns, keep="first", maintain_order=True)
    told.dropped.append(Dropped(what="contacts", count=frame.height - raw.height, why="rows identical to another row"))
    raw = raw.with_columns(files.known(theirs, nulls=beside.nulls(plan)).str.normalize("NFC"))
    nameless = raw.filter(pl.col(theirs).is_null())
    told.dropped.append(Dropped(what="contacts", count=nameless.height, why=f"without a value in '{theirs}'"))
    raw = raw.drop_nulls(theirs)
    shrunk = raw.filter(pl.col(theirs).str.contains(files.SHRUNK))
    if shrunk.height:
        told.problems.append(
            f"{theirs}: {shrunk.height:,} of {raw.height:,} ids are decimals, e.g. '{shrunk[theirs][0]}' (row {shrunk[instants.ROW][0]}): a spreadsheet "
            "or a table of numbers wrote them; export them again as text"
        )
    twins = raw.filter(pl.col(theirs).is_duplicated())
    if twins.height:
        example = twins[theirs][0]
        rows = ", ".join(twins.filter(pl.col(theirs) == example)[instants.ROW].head(3))
        told.problems.append(
            f"{theirs}: {twins[theirs].n_unique():,} values stand on several rows that differ, e.g. '{example}' (rows {rows}); "
            "one row per contact is needed: keep the newest, or if each row is a change of the contact, give contacts and changes as two files ([events] in the mapping)"
        )
    return raw


def _contacts(raw: pl.DataFrame, plan: Layout, *, zone: str | None, told: Told) -> pl.DataFrame:
    """The canonical columns that the mapping feeds, typed."""
    nulls = beside.nulls(plan)
    text = raw.select(files.known(theirs, nulls=nulls).alias(ours) for ours, theirs in plan.contacts.items())
    moments = {ours: theirs for ours, theirs in plan.contacts.items() if ours in (*INSTANTS, RESOLVED)}
    clock = beside.clock(raw, sorted(set(moments.values())), plan, zone=zone, told=told)
    contacts = text.with_columns(
        *(clock[theirs].alias(ours) for ours, theirs in moments.items()),
        *(_number(text, name, plan, told) for name in text.columns if name in NUMBERS),
        *(_words(text, name, plan, told) for name in text.columns if name in WORDS and name != "channel"),
        *(_reference(text, name, plan, told) for name in _IDS if name in text.columns),
        *([_labels().alias("tags")] if "tags" in text.columns else []),
        *([] if "channel" not in text.columns else _channel(text, plan, told)),
        *(_flag(raw, flag.column, flag.true, nulls).alias(name) for name, flag in plan.flags.items()),
        **{name: pl.lit(value) for name, value in plan.constant.items() if name not in text.columns},
    )
    contacts = beside.person(contacts).with_columns(source=pl.lit(plan.source))
    if RESOLVED in contacts.columns:
        told.notes.append(
            f"'{plan.contacts[RESOLVED]}' is one column: it was read as the first and the last resolution, so reopenings cannot be seen"
        )
        contacts = contacts.with_columns(first_resolved_at=RESOLVED, last_resolved_at=RESOLVED)
    elif "closed_at" in plan.contacts and not {"first_resolved_at", "last_resolved_at"} & plan.contacts.keys():
        told.notes.append(f"no column says when a contact was resolved: '{plan.contacts['closed_at']}' was taken, so reopenings cannot be seen")
    return _completed(contacts)


def _reference(text: pl.DataFrame, name: str, plan: Layout, told: Told) -> pl.Expr:
    """Ids as they are written; a column of numbers with gaps travels as decimals, and `7.0` is `7`."""
    decimal = pl.col(name).str.contains(_DECIMAL).fill_null(False)
    if count := int(text.select(decimal.sum()).item()):
        told.notes.append(f"{plan.contacts[name]}: {count:,} ids written as decimals were read as whole numbers, as 7.0 is 7")
    return pl.when(decimal).then(pl.col(name).str.replace(r"\.0+$", "")).otherwise(pl.col(name).str.normalize("NFC")).alias(name)


def _completed(contacts: pl.DataFrame) -> pl.DataFrame:
    """What every contact must have, where the file does not say it. A status that is not given follows from the instants."""
    blank = {name: pl.lit(None, dtype=pl.Datetime("us", "UTC")) for name in INSTANTS if name not in contacts.columns}
    words_known = {
        name: pl.lit(None, dtype=pl.String) for name in ("status", "channel", "channel_raw", "initiated_by", "resolved_by", "customer_ref")
    }
    contacts = contacts.with_columns(**blank, **{name: value for name, value in words_known.items() if name not in contacts.columns})
    contacts = contacts.with_columns(
        first_resolved_at=pl.coalesce("first_resolved_at", "last_resolved_at", "closed_at"),
        last_resolved_at=pl.coalesce("last_resolved_at", "first_resolved_at", "closed_at"),
    )
    derived = pl.when(pl.col("closed_at").is_not_null()).then(pl.lit("closed")).when(pl.col("last_resolved_at").is_not_null()).then(pl.lit("solved"))
    return contacts.with_columns(
        pl.coalesce("status", derived.otherwise(pl.lit("open"))).alias("status"),
        pl.col("channel").fill_null("other"),
        pl.col("initiated_by").fill_null("unknown"),
        pl.col("resolved_by").fill_null("unknown"),
    )


def _known_by(contacts: pl.DataFrame, *, end: datetime, path: Path | str, told: Told) -> pl.DataFrame:
    """Contacts as the data end knew them."""
    timeless = contacts.filter(pl.col("opened_at").is_null())
    told.dropped.append(
        Dropped(what="contacts", count=timeless.height, why="without an opening time", example=(timeless["contact_id"].to_list() or [""])[0])
    )
    if timeless.height == contacts.height:
        raise DataError(f"{path}: none of {contacts.height:,} contacts has an opening time")
    contacts, late = mending.opened_by(contacts.drop_nulls("opened_at"), end=end, path=path)
    told.dropped.append(late)
    early = contacts.filter(pl.col("first_resolved_at") < pl.col("opened_at"))
    resolved = contacts["first_resolved_at"].count()
    if early.height > max(beside.TOLERATED * resolved, 1):
        told.problems.append(
            f"{early.height:,} of {resolved:,} resolved contacts were resolved before they were opened, e.g. '{early['contact_id'][0]}': "
            "are the two columns swapped, or in two time zones?"
        )
    _stop(told, path)
    contacts, mended = mending.mended(contacts)
    told.dropped += mended
    later = [name for name in HAPPENED if name != "opened_at"]
    contacts = contacts.with_columns(foreseen=pl.any_horizontal((pl.col(name) > end).fill_null(False) for name in later))
    told.dropped.append(
        Dropped(what="resolutions", count=int(contacts["foreseen"].sum()), why=f"after the data end {end:%Y-%m-%d %H:%M}; left empty")
    )
    contacts = contacts.with_columns(pl.when(pl.col(name) <= end).then(pl.col(name)).alias(name) for name in later)
    # Solved only after the data end: at the data end it was open.
    still_open = pl.col("foreseen") & pl.col("first_resolved_at").is_null()
    mute = contacts.filter(pl.col("status").is_in(["solved", "closed"]), pl.col("first_resolved_at").is_null(), ~pl.col("foreseen"))
    told.notes += [f"{mute.height:,} contacts are solved or closed, but nothing says when"] if mute.height else []
    return contacts.with_columns(pl.when(still_open).then(pl.lit("open")).otherwise("status").alias("status"))


_COMMA, _POINT = r"^-?0,\d|,\d{1,2}$|,\d{4,}$|\.\d{3},\d|\.\d{3}\.\d{3}", r"^-?0\.\d|\.\d{1,2}$|\.\d{4,}$|,\d{3}\.\d|,\d{3},\d{3}"
"""What only a decimal comma, and only a decimal point, leaves in a column."""


def _number(text: pl.DataFrame, name: str, plan: Layout, told: Told) -> pl.Expr:
    """A number, with a decimal point or comma; a duration may be written as H:MM:SS."""
    bare = pl.col(name).str.replace_all(r"[\s']", "")
    comma, point = text.select(bare.str.contains(sign).any().fill_null(False).alias(sign) for sign in (_COMMA, _POINT)).row(0)
    # Where the column does not tell, or tells both, the sign that stands last in a value is its decimal sign.
    last = bare.str.contains(r"\.[^,.]*,\d+$|^[^.]*,\d{1,2}$")
    by_comma = last if comma == point else pl.lit(comma)
    decimal = pl.when(by_comma).then(bare.str.replace_all(".", "", literal=True).str.replace(",", ".")).otherwise(bare.str.replace_all(",", ""))
    clock = [bare.str.extract(_CLOCK, group).cast(pl.Float64) for group in (1, 2, 3)]
    number = pl.coalesce(decimal.cast(pl.Float64, strict=False), clock[0] * 3600 + clock[1] * 60 + clock[2].fill_null(0))
    read_as = text.select(number.alias(name))[name]
    bad = (read_as.is_null() & text[name].is_not_null()) | (read_as < 0).fill_null(False)
    if count := int(bad.sum()):
        example = text[name].filter(bad)[0]
        told.problems.append(
            f"{plan.contacts[name]}: {count:,} of {text[name].count():,} values are no number of 0 or more, e.g. '{example}' ({name})"
        )
    return number.cast(pl.Int64, strict=False) if TABLES["contacts"].columns()[name].dtype == pl.Int64 else number


def _words(text: pl.DataFrame, name: str, plan: Layout, told: Told) -> pl.Expr:
    """A canonical word; what the mapping says goes before what is known anyway."""
    usual = words.STATUS_WORDS if name == "status" else {word: word for word in WORDS[name]}
    known = {**usual, **{theirs.strip().lower(): ours for theirs, ours in plan.values.get(name, {}).items()}}
    if strange := words.unknown(text, name, words=known):
        theirs = plan.contacts[name]
        line = f'[values.{name}] {strange[0].rpartition(" (")[0].replace(chr(39), chr(34))} = "{WORDS[name][1]}"'
        told.problems.append(f"{theirs}: words without a meaning: {', '.join(strange[:20])}; say in the mapping what they mean, e.g. {line}")
    return words.meaning(name, words=known).alias(name)


def _channel(text: pl.DataFrame, plan: Layout, told: Told) -> list[pl.Expr]:
    known = {**words.CHANNEL_WORDS, **{theirs.strip().lower(): ours for theirs, ours in plan.values.get("channel", {}).items()}}
    if strange := words.unknown(text, "channel", words=known):
        told.notes.append(f"channels read as 'other': {', '.join(strange[:20])}")
    raw = "channel_raw" if "channel_raw" in text.columns else "channel"
    return [words.meaning("channel", words=known).fill_null("other").alias("channel"), pl.col(raw).alias("channel_raw")]


def _flag(raw: pl.DataFrame, column: str, true: tuple[str, ...], nulls: tuple[str, ...]) -> pl.Expr:
    # "no" may be among the words for nothing; for a flag both mean no.
    series = raw.select(files.known(column, nulls=nulls).str.to_lowercase().is_in([word.strip().lower() for word in true]).fill_null(False))
    return pl.lit(series.to_series())


def _labels() -> pl.Expr:
    """Labels split at commas, semicolons or bars; of a list in brackets, those between quotes or commas."""
    text = pl.col("tags").fill_null("").str.strip_chars()
    listed = text.str.extract_all(r"""\"[^\"]*\"|'[^']*'|[^,\s\[\]"'][^,\[\]]*""")
    bare = text.str.replace_all('"', "").str.replace_all(r"\s*[;|]\s*", ",").str.split(",")
    parts = pl.when(text.str.contains(r"(?s)^\[.*\]$")).then(listed).otherwise(bare)
    clean = pl.element().str.strip_chars().str.replace(r"""^(?:"(.*)"|'(.*)')$""", "${1}${2}").str.strip_chars()
    return parts.list.eval(clean.filter(clean != "")).alias("tags")


def _identifiers(contacts: pl.DataFrame) -> pl.DataFrame:
    """The e-mail addresses among the customers' names."""
    addressed = contacts.filter(pl.col("customer_ref").str.contains(beside.ADDRESS)).select("source", "customer_ref").unique()
    return addressed.with_columns(kind=pl.lit("email"), value_norm="customer_ref")
