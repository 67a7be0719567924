"""Which column of the file feeds which column of ours?

A mapping is a commented TOML file; everything that is wrong with it is said at once.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping as Fields
from pathlib import Path
from typing import Annotated, TypeVar

import polars as pl
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, ValidationError, field_validator

from fcrlib.intake.canonical import instants, words
from fcrlib.model.errors import FcrError, UsageError
from fcrlib.model.policy import spell
from fcrlib.model.tables import TABLES

_CONTACTS = TABLES["contacts"].columns()
FLAGS = tuple(name for name, column in _CONTACTS.items() if column.dtype == pl.Boolean and not column.nullable)
# What only a helpdesk itself can say; a plain table has no column for it.
_VENDORS = ("vendor_one_touch", "vendor_first_resolved_at", "vendor_sla_met")
WORDS = {name: tuple(column.dtype.categories) for name, column in _CONTACTS.items() if isinstance(column.dtype, pl.Enum)}
NUMBERS = {name: "a whole number" if column.dtype == pl.Int64 else "a number" for name, column in _CONTACTS.items() if column.dtype.is_numeric()}
EVENT_WORDS = {name: tuple(column.dtype.categories) for name, column in TABLES["events"].columns().items() if isinstance(column.dtype, pl.Enum)}
HAPPENED = ("opened_at", "first_resolved_at", "last_resolved_at", "closed_at")
# A promise may lie after the data end, what happened may not.
INSTANTS = (*HAPPENED, "due_at")
# One column that says when a contact was resolved feeds the first and the last resolution.
RESOLVED = "resolved_at"
FEEDS = (*(name for name in _CONTACTS if name not in (*FLAGS, *_VENDORS, "source", "channel")), "channel", RESOLVED)

_T = TypeVar("_T")
ColumnName = Annotated[str, Field(min_length=1)]


class Flag(BaseModel):
    """A yes/no column: its name and the values that mean yes; every other value means no."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    column: ColumnName
    true: tuple[str, ...] = words.YES_WORDS


class Events(BaseModel):
    """A second table, one row per message or change; names of its columns."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    file: str | None = None
    query: str | None = Field(default=None, description="in a database, instead of a file")
    contact_id: ColumnName
    at: ColumnName
    kind: ColumnName | None = None
    every_kind: str = Field(default="message", description="the kind of every row where no column says it")
    actor: ColumnName | None = None
    actor_id: ColumnName | None = None
    public: ColumnName | None = None
    text: ColumnName | None = None
    channel: ColumnName | None = None
    status_from: ColumnName | None = None
    status_to: ColumnName | None = None
    group_from: ColumnName | None = None
    group_to: ColumnName | None = None
    agent_from: ColumnName | None = None
    agent_to: ColumnName | None = None
    article_id: ColumnName | None = None
    is_auto: ColumnName | None = Field(default=None, description="an autoresponder or trigger, not an answer")
    is_ack: ColumnName | None = Field(default=None, description="a thank-you that asks for nothing")

    @field_validator("every_kind")
    @classmethod
    def _one_of_our_kinds(cls, kind: str) -> str:
        if kind not in EVENT_WORDS["kind"]:
            raise ValueError(f"must be one of {', '.join(EVENT_WORDS['kind'])}")
        return kind

    def feeds(self) -> dict[str, str]:
        """Our event columns and the columns that feed them."""
        return {ours: theirs for ours, theirs in self.model_dump(exclude={"file", "query", "every_kind"}).items() if theirs}


class Surveys(BaseModel):
    """The columns of the contacts' table that hold a survey answer."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    csat: ColumnName | None = None
    scale: str | None = Field(default=None, pattern=r"^-?\d+-\d+$", description="lowest and highest answer, e.g. 1-5")
    resolved: ColumnName | None = None
    ces: ColumnName | None = None
    nps: ColumnName | None = None
    comment: ColumnName | None = None
    answered_at: ColumnName | None = None

    def feeds(self) -> dict[str, str]:
        """Our survey columns and the columns that feed them."""
        return {ours: theirs for ours, theirs in self.model_dump(exclude={"scale"}).items() if theirs}


class Customers(BaseModel):
    """Who is a customer, and who has left: columns of a table of its own, or, without a file, of the contacts' table."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    file: str | None = None
    query: str | None = Field(default=None, description="in a database, instead of a file")
    customer_ref: ColumnName | None = Field(default=None, description="needed with a file or query; the contacts' own otherwise")
    since: ColumnName | None = None
    left_at: ColumnName | None = None

    def feeds(self) -> dict[str, str]:
        """Our customer columns and the columns that feed them."""
        return {ours: theirs for ours, theirs in self.model_dump(exclude={"file", "query"}).items() if theirs}


class Layout(BaseModel):
    """How to read one table of contacts.

    Parameters
    ----------
    source
        Name of the export.
    file, query
        The contacts' file, where a folder is read; their query, where a database is.
    data_end
        When the export was made, e.g. `2026-09-30T23:59:59Z`; a `data_end` given to `read` goes before it.
    time_zone, dates, delimiter, encoding
        The clock of times without a zone; `day first`, `month first` or a pattern; how the file is written (found out if unset).
    null
        Further words that mean "nothing here".
    contacts
        Our column = "their column". `resolved_at` feeds the first and the last resolution.
    values
        What the export's words mean, by our column: `[values.status]`, `"Offen" = "open"`.
    flags
        Yes/no columns.
    constant
        The same value for every contact, e.g. `channel = "phone"`.
    optional
        Columns of the file that may be missing.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    source: str = Field(default="csv", min_length=1)
    file: str | None = None
    query: str | None = None
    data_end: AwareDatetime | None = None
    time_zone: str | None = None
    dates: str | None = None
    delimiter: str | None = Field(default=None, min_length=1, max_length=1)
    encoding: str | None = None
    null: tuple[str, ...] = ()
    contacts: dict[str, ColumnName]
    values: dict[str, dict[str, str]] = {}
    flags: dict[str, Flag] = {}
    constant: dict[str, str | bool | int | float] = {}
    optional: tuple[str, ...] = ()
    events: Events | None = None
    surveys: Surveys | None = None
    customers: Customers | None = None

    @field_validator("time_zone")
    @classmethod
    def _zone_exists(cls, zone: str | None) -> str | None:
        try:
            instants.zone_of(zone)
        except FcrError as error:
            raise ValueError(error.what) from None
        return zone

    @field_validator("dates")
    @classmethod
    def _dates_are_understood(cls, dates: str | None) -> str | None:
        if dates is not None and "%" not in dates and dates not in instants.ORDERS:
            raise ValueError("write 'day first', 'month first' or a pattern such as '%d.%m.%Y %H:%M'")
        return dates

    @field_validator("delimiter")
    @classmethod
    def _delimiter_parts(cls, delimiter: str | None) -> str | None:
        if delimiter is not None and (not delimiter.isascii() or delimiter in '"\r\n\0'):
            raise ValueError("write the one sign between two fields, e.g. ';' or '\\t'")
        return delimiter

    @field_validator("contacts")
    @classmethod
    def _columns_are_ours(cls, contacts: dict[str, str]) -> dict[str, str]:
        wrong = [
            f"there is no column '{name}'" + (" here: flags stand in [flags]" if name in FLAGS else "") for name in contacts if name not in FEEDS
        ]
        wrong += [f"'{name}' is needed: say which column holds it" for name in ("contact_id", "opened_at") if name not in contacts]
        if RESOLVED in contacts and {"first_resolved_at", "last_resolved_at"} & contacts.keys():
            wrong.append("give either resolved_at, or first_resolved_at and last_resolved_at")
        return _or_all_mistakes(contacts, wrong)

    @field_validator("values")
    @classmethod
    def _words_are_ours(cls, values: dict[str, dict[str, str]]) -> dict[str, dict[str, str]]:
        known = {**WORDS, **EVENT_WORDS, "resolved": ("yes", "partly", "no")}
        wrong = [f"'{name}' has no fixed words (these have: {', '.join(known)})" for name in values if name not in known]
        wrong += [
            f"{name}: '{theirs}' = '{ours}' must be one of {', '.join(known[name])}"
            for name, table in values.items()
            for theirs, ours in table.items()
            if name in known and ours not in known[name]
        ]
        return _or_all_mistakes(values, wrong)

    @field_validator("flags")
    @classmethod
    def _flags_are_ours(cls, flags: dict[str, Flag]) -> dict[str, Flag]:
        return _or_all_mistakes(flags, [f"there is no flag '{name}' (flags are {', '.join(FLAGS)})" for name in flags if name not in FLAGS])

    @field_validator("constant")
    @classmethod
    def _constants_are_ours(cls, constant: dict[str, str | bool | int | float]) -> dict[str, str | bool | int | float]:
        never = ("source", "contact_id", "tags", *INSTANTS)
        wrong = [f"'{name}' cannot be the same for every contact" for name in constant if name in never or name not in _CONTACTS]
        wrong += [
            f"{name} = '{word}' must be one of {', '.join(WORDS[name])}"
            for name, word in constant.items()
            if name in WORDS and word not in WORDS[name]
        ]
        wrong += [f"{name} must be true or false" for name, word in constant.items() if name in FLAGS and not isinstance(word, bool)]
        wrong += [f"{name} must be {NUMBERS[name]} of 0 or more" for name, word in constant.items() if name in NUMBERS and not _counts(name, word)]
        return _or_all_mistakes(constant, wrong)


def layout(mapping: Fields[str, object] | Path | str) -> Layout:
    """Read and check a mapping: its fields, or the path of a TOML file.

    Raises
    ------
    UsageError
        With every mistake at once.
    """
    name = "the mapping" if isinstance(mapping, Fields) else str(mapping)
    fields = dict(mapping) if isinstance(mapping, Fields) else _toml(Path(mapping))
    try:
        return Layout.model_validate(fields)
    except ValidationError as error:
        raise UsageError(f"{name} has mistakes:", [part for line in spell(error) for part in _said(line)]) from None


def _toml(path: Path) -> dict[str, object]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8-sig"))
    except FileNotFoundError:
        raise UsageError(f"mapping {path} does not exist: `fcr import csv FILE --guess` proposes one") from None
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise UsageError(f"mapping {path} is not TOML: {error}") from None


def _counts(name: str, word: object) -> bool:
    """Is it a number that this column of ours takes?"""
    right = isinstance(word, int) or (isinstance(word, float) and _CONTACTS[name].dtype != pl.Int64)
    return right and not isinstance(word, bool) and 0 <= float(str(word)) < float("inf")


def _or_all_mistakes(value: _T, wrong: list[str]) -> _T:
    if wrong:
        raise ValueError("; ".join(wrong))
    return value


def _said(line: str) -> list[str]:
    """One line per mistake; the whole table that holds it is not repeated."""
    key, _, rest = line.partition(": ")
    if rest.startswith(("{", "[")):
        rest = rest.rpartition("}: ")[2] if "}: " in rest else rest
    return [f"{key}: {part}" for part in rest.split("; ")]
