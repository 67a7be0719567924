"""What does a query on a database say about contacts?

The rows become a table of text, as if they had been saved as CSV, and a mapping says which column is what. PostgreSQL and SQLite write the text
themselves, so that no type is lost: instants with a zone as UTC, numbers with all their digits, durations in seconds, lists as JSON. Everything is asked
for in a transaction that can only read, and no password is ever repeated. PostgreSQL needs `adbc-driver-postgresql`, other databases but SQLite
`connectorx`: both come with `fcrlib[sql]`.
"""

from __future__ import annotations

import importlib
import re
import sqlite3
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

import polars as pl

from fcrlib.intake import csv
from fcrlib.intake.canonical import finish, instants
from fcrlib.intake.canonical.told import Told
from fcrlib.intake.tables import beside
from fcrlib.intake.tables.guess import Guess, guess_table
from fcrlib.intake.tables.mapping import Layout, layout
from fcrlib.intake.tables.spelled import as_text
from fcrlib.intake.tables.table import Table
from fcrlib.model.desk import Desk
from fcrlib.model.errors import DataError, UsageError
from fcrlib.model.identity import Rules
from fcrlib.model.redaction import Redaction

__all__ = ["guess", "read", "table"]

_POSTGRES = ("postgresql", "postgres")
_WHOLE = r"^-?\d+\.0$"
_EXTRA = "install it with `pip install 'fcrlib[sql]'`"
_SECRET = r"(?i)(://[^:@/\s]*:)[^@\s]*(@)|\b(password\s*[=:]\s*)[^&\s]+"


def read(
    uri: str,
    *,
    query: str | None = None,
    mapping: Mapping[str, object] | Path | str | None = None,
    data_end: datetime | None = None,
    time_zone: str | None = None,
    identity: Rules | None = None,
    redaction: Redaction | None = None,
) -> Desk:
    """Read contacts from a database.

    Parameters
    ----------
    uri
        `postgresql://user@host/base`, `sqlite:///folder/file.db` (or the path of a file that ends in .db or .sqlite), or what connectorx takes.
    query
        One row per contact, or a file that ends in `.sql`; None takes the mapping's `query`. Messages and customers are asked for by a `query` in
        `[events]` and `[customers]`.
    mapping
        A TOML file or its fields; None takes the columns that `guess` is sure or nearly sure of.
    data_end
        When the query is run, unless the mapping says it; the database goes on.
    time_zone
        Zone of times that carry none; goes before the mapping's.
    identity, redaction
        The project's rules.

    Raises
    ------
    UsageError
        If there is no query, something is needed that is not installed, or the mapping, the data end or the zone has mistakes.
    DataError
        If the database refuses, or its rows cannot be read that way.
    """
    instants.zone_of(time_zone)
    told = Told()
    plan = layout(mapping) if mapping is not None else None
    asked = _asked(query, plan)
    contacts = table(uri, query=asked, name="contacts")
    plan = plan or csv.proposed(guess_table(contacts), path=_shown(uri), told=told)
    origin = finish.Origin(plan.source, "sql", Path(_place(uri)), csv.ended(data_end or plan.data_end), {}, time_zone or plan.time_zone or "UTC")
    told.notes.append(f"asked of {_shown(uri)}: {' '.join(_text(asked).split())}")
    zone = time_zone or plan.time_zone
    return csv.desk(contacts, _others(uri, plan), plan=plan, origin=origin, told=told, zone=zone, identity=identity, redaction=redaction)


def guess(uri: str, *, query: str | None = None, mapping: Mapping[str, object] | Path | str | None = None) -> Guess:
    """Propose a mapping for the rows of a query, or of the one that a mapping holds already.

    Raises
    ------
    UsageError, DataError
        As `read` does.
    """
    asked = _asked(query, layout(mapping) if query is None and mapping is not None else None)
    return guess_table(table(uri, query=asked, name="sql"))


def _asked(query: str | None, plan: Layout | None) -> str:
    if asked := (query or "").strip() or (plan.query if plan else None):
        return asked
    raise UsageError("a query is needed: write --query 'select ...', a file that ends in .sql, or `query` in the mapping")


def table(uri: str, *, query: str, name: str) -> Table:
    """The rows of a query as a table of text.

    Raises
    ------
    UsageError
        If something is needed that is not installed.
    DataError
        If the database refuses, or there are no rows.
    """
    scheme, text = uri.partition("://")[0].partition("+")[0].lower(), _text(query)
    if scheme in _POSTGRES:
        frame = _postgres(uri, text)
    elif scheme == "sqlite" or uri.lower().endswith((".db", ".sqlite", ".sqlite3")):
        frame = _sqlite(Path(_place(uri)), text)
    else:
        frame = _other(uri, text)
    if frame.is_empty():
        raise DataError(f"the query for {name} gives no rows: {' '.join(text.split())}")
    return Table(name, frame)


def _others(uri: str, plan: Layout) -> beside.Others:
    """What stands beside the contacts, in the same database."""
    queries = {"events": plan.events.query if plan.events else None, "customers": plan.customers.query if plan.customers else None}
    found = {what: table(uri, query=query, name=what) for what, query in queries.items() if query}
    return beside.Others(found.get("events"), found.get("customers"))


def _text(query: str) -> str:
    """The query itself, or what stands in the file that it names; without the sign at its end."""
    file = query.strip()
    if file.lower().endswith(".sql") and "\n" not in file:
        try:
            query = Path(file).read_text(encoding="utf-8-sig")
        except (OSError, UnicodeDecodeError) as error:
            raise UsageError(f"the query's file {file} cannot be read: {getattr(error, 'strerror', None) or error}") from None
    return query.strip().rstrip(";").rstrip()


def _place(uri: str) -> str:
    """The file of a SQLite database; of others the address without its secret."""
    return re.sub(r"(?i)^sqlite:(?://)?/?(?=/|[^/])", "", uri) if uri.lower().startswith("sqlite:") else _shown(uri)


def _shown(text: str) -> str:
    """An address or a message without its password."""
    return re.sub(_SECRET, lambda found: f"{found[1] or found[3]}...{found[2] or ''}", text)


def _postgres(uri: str, query: str) -> pl.DataFrame:
    driver = _driver("adbc_driver_postgresql.dbapi", "PostgreSQL")
    try:
        with driver.connect(re.sub(r"^postgres(?:ql)?(?:\+\w+)?:", "postgresql:", uri)) as connection, connection.cursor() as cursor:
            for said in ("set transaction read only", "set local time zone 'UTC'"):
                cursor.execute(said)
            cursor.execute(f"select * from (\n{query}\n) as asked limit 0")
            names = [one[0] for one in cursor.description]
            kinds = ", ".join(f"pg_typeof({_quoted(name)})::text" for name in names)
            cursor.execute(f"select {kinds} from (\n{query}\n) as asked limit 1")
            first = cursor.fetchone()
            if first is None:
                return pl.DataFrame(schema=dict.fromkeys(names, pl.String))
            cast = ", ".join(f"{_as_text(name, str(kind))} as {_quoted(name)}" for name, kind in zip(names, first, strict=True))
            cursor.execute(f"select {cast} from (\n{query}\n) as asked")
            return pl.DataFrame(cursor.fetch_arrow()).cast(pl.String)
    except driver.Error as error:
        raise _refused(uri, str(error)) from None


def _as_text(name: str, kind: str) -> str:
    """How PostgreSQL writes a column of this kind as text that we read."""
    column = _quoted(name)
    if kind == "interval":
        return f"extract(epoch from {column})::text"
    return f"to_jsonb({column})::text" if kind.endswith("[]") else f"{column}::text"


def _sqlite(file: Path, query: str) -> pl.DataFrame:
    if not file.is_file():
        raise DataError(f"{file} does not exist: check the path")
    try:
        connection = sqlite3.connect(f"{file.resolve().as_uri()}?mode=ro", uri=True)
        try:
            names = [one[0] for one in connection.execute(f"select * from (\n{query}\n) limit 0").description]
            cast = ", ".join(f"cast({_quoted(name)} as text) as {_quoted(name)}" for name in names)
            rows = connection.execute(f"select {cast} from (\n{query}\n)").fetchall()
        finally:
            connection.close()
    except sqlite3.Error as error:
        raise _refused(str(file), str(error)) from None
    text = pl.DataFrame(rows, schema=dict.fromkeys(names, pl.String), orient="row")
    # An id column with a gap in it may have been stored as 1001.0; the id is 1001.
    whole = (pl.col(name).str.contains(_WHOLE).all() & pl.col(name).is_not_null().any() for name in names)
    return text.with_columns(
        pl.when(when).then(pl.col(name).str.strip_suffix(".0")).otherwise(name).alias(name) for name, when in zip(names, whole, strict=True)
    )


def _other(uri: str, query: str) -> pl.DataFrame:
    reader = _driver("connectorx", f"'{uri.partition(':')[0]}'")
    try:
        found: pl.DataFrame = reader.read_sql(uri, query, return_type="polars")
    except (RuntimeError, ValueError, pl.exceptions.PolarsError) as error:
        raise _refused(uri, str(error)) from None
    return as_text(found)


def _driver(module: str, what: str) -> Any:
    try:
        return importlib.import_module(module)
    except ImportError:
        raise UsageError(f"to read {what}, {module.partition('.')[0]} is needed: {_EXTRA}") from None


def _quoted(name: str) -> str:
    doubled = name.replace('"', '""')
    return f'"{doubled}"'


def _refused(uri: str, error: str) -> DataError:
    lines = [line.strip() for line in _shown(error).splitlines() if line.strip()]
    return DataError(f"{_shown(uri)} cannot be asked:", lines[:5])
