"""Which tables does every question rest on, and what does each column mean?

The canonical tables are code: a column's meaning and unit stand beside its type, its rules are expressions.
`dictionary()` writes them down as the data dictionary; `check()` says everything that is wrong with a frame at once.
Instants are UTC in microseconds, ids are strings, shares lie in 0..1, durations are seconds. Null means "not known".
"""

from __future__ import annotations

from typing import Any

import dataframely as dy
import polars as pl

from fcrlib.model.errors import TableError

CHANNELS = ("email", "web", "chat", "messaging", "phone", "social", "in_app", "api", "other")
STATUSES = ("new", "open", "pending", "hold", "solved", "closed")
RESOLVED_STATUSES = ("solved", "closed")
INITIATORS = ("customer", "company", "system", "unknown")
RESOLVERS = ("human", "bot", "automation", "customer", "unknown")
EVENT_KINDS = (
    "message", "status", "assignment", "transfer", "escalation", "merge", "survey", "article", "call_leg", "note",
)  # fmt: skip
ACTORS = ("customer", "agent", "bot", "system", "unknown")
IDENTIFIER_KINDS = ("email", "phone", "account", "external", "order", "device")
ANSWERS = ("yes", "partly", "no")
AGENT_KINDS = ("human", "bot")
CHANGE_KINDS = ("release", "routing", "kb", "policy", "staffing", "incident")


def _text(description: str, **more: Any) -> dy.String:
    return dy.String(nullable=not more.get("primary_key", False), description=description, **more)


def _instant(description: str, *, nullable: bool = True) -> dy.Datetime:
    return dy.Datetime(nullable=nullable, time_zone="UTC", time_unit="us", description=description, metadata={"unit": "instant, UTC"})


def _choice(words: tuple[str, ...], description: str, *, nullable: bool = True) -> dy.Enum:
    return dy.Enum(words, nullable=nullable, description=description)


def _flag(description: str, *, nullable: bool = False) -> dy.Bool:
    return dy.Bool(nullable=nullable, description=description)


def _seconds(description: str) -> dy.Float64:
    return dy.Float64(nullable=True, min=0, description=description, metadata={"unit": "seconds"})


class Contacts(dy.Schema):
    """One row per ticket, call, conversation or chat. The only table that every question needs."""

    source = _text("export the contact came from", primary_key=True)
    contact_id = _text("the helpdesk's own number of the contact", primary_key=True)
    opened_at = _instant("when the contact was opened", nullable=False)
    first_resolved_at = _instant("when it was first set to solved or closed")
    last_resolved_at = _instant("when it was last set to solved or closed; final knowledge, never a predictor")
    closed_at = _instant("when it was closed for good")
    status = _choice(STATUSES, "status at the data end", nullable=False)
    customer_ref = _text("who asked, as the source names them; unknown stays null and never matches another unknown")
    person = _text("who asked, one name over all that a customer is known by; written by `link`, empty before")
    account_ref = _text("the company the customer belongs to")
    channel = _choice(CHANNELS, "how the customer came in", nullable=False)
    channel_raw = _text("the source's own word for the channel")
    category = _text("what it was about, first level")
    subcategory = _text("what it was about, second level")
    product_area = _text("part of the product it concerns")
    priority = _text("priority in the source's own words")
    tier = _text("service tier or plan of the customer")
    language = _text("language of the text, two letters")
    subject = _text("subject line, redacted")
    body = _text("opening message, redacted")
    tags = dy.List(dy.String(), nullable=False, description="labels set in the helpdesk")
    initiated_by = _choice(INITIATORS, "who made the first move", nullable=False)
    first_group = _text("first team that handled it")
    first_agent = _text("first agent who handled it")
    resolver_group = _text("team that held it when it was first resolved")
    resolver_agent = _text("agent who held it when it was first resolved")
    resolved_by = _choice(RESOLVERS, "what kind of actor resolved it", nullable=False)
    close_reason = _text("why it was closed; `inactivity` when the system closed it for silence")
    merged_into = _text("contact_id of the contact it was merged into")
    follow_up_of = _text("contact_id of the closed contact it follows up")
    parent_id = _text("contact_id of its parent")
    issue_key = _text("key shared by contacts about one problem")
    is_spam = _flag("marked as spam")
    is_deleted = _flag("deleted in the helpdesk")
    is_test = _flag("a test contact")
    is_internal = _flag("opened by the company's own staff for itself")
    is_side_conversation = _flag("a side conversation with a third party")
    is_abandoned = _flag("given up by the customer before anyone could answer")
    non_resolvable = _flag("outside what support can resolve")
    handle_seconds = _seconds("working time spent on it")
    talk_seconds = _seconds("time spent talking")
    wait_seconds = _seconds("time the customer waited for the first human")
    cost = dy.Float64(nullable=True, min=0, description="cost of handling it", metadata={"unit": "money, see currency"})
    currency = _text("ISO 4217 code of the cost")
    due_at = _instant("when it was promised to be resolved, as the helpdesk says")
    vendor_reopens = dy.Int64(nullable=True, min=0, description="reopenings as the helpdesk counts them; reconciled, never trusted")
    vendor_replies = dy.Int64(nullable=True, min=0, description="agent replies as the helpdesk counts them; reconciled, never trusted")
    vendor_stations = dy.Int64(nullable=True, min=0, description="reassignments as the helpdesk counts them; reconciled, never trusted")
    vendor_one_touch = _flag("resolved with one answer, as the helpdesk says; reconciled, never trusted", nullable=True)
    vendor_first_resolved_at = _instant("when it was first resolved, as the helpdesk says; reconciled, never trusted")
    vendor_sla_met = _flag("every promised time was kept, as the helpdesk says", nullable=True)

    @dy.rule()
    def resolved_after_opened(cls) -> pl.Expr:
        """first_resolved_at lies before opened_at. Are both in the same time zone?"""
        return pl.col("first_resolved_at") >= pl.col("opened_at")

    @dy.rule()
    def last_after_first(cls) -> pl.Expr:
        """last_resolved_at lies before first_resolved_at. Were the two columns swapped?"""
        return pl.col("last_resolved_at") >= pl.col("first_resolved_at")


class Events(dy.Schema):
    """What happened to a contact, in order. File order breaks ties: `seq` counts it."""

    source = _text("export the contact came from", primary_key=True)
    contact_id = _text("the contact", primary_key=True)
    seq = dy.Int64(primary_key=True, description="position within the contact; equal instants keep the file's order")
    at = _instant("when it happened", nullable=False)
    kind = _choice(EVENT_KINDS, "what happened", nullable=False)
    actor = _choice(ACTORS, "who did it", nullable=False)
    actor_id = _text("which agent or customer did it")
    public = _flag("visible to the customer")
    status_from = _choice(STATUSES, "status before")
    status_to = _choice(STATUSES, "status after")
    group_from = _text("team before")
    group_to = _text("team after")
    agent_from = _text("agent before")
    agent_to = _text("agent after")
    channel = _choice(CHANNELS, "channel of the message or call leg")
    text = _text("what was written, redacted")
    is_auto = _flag("an autoresponder or trigger, not an answer")
    is_ack = _flag("a thank-you that asks for nothing; null when nobody looked", nullable=True)
    article_id = _text("knowledge-base article that was sent")


class Identifiers(dy.Schema):
    """What a customer is known by. Role addresses and shared phones are weak and join nobody."""

    source = _text("export the customer came from", primary_key=True)
    customer_ref = _text("the customer, as the source names them", primary_key=True)
    kind = dy.Enum(IDENTIFIER_KINDS, primary_key=True, description="what kind of identifier it is")
    value_norm = _text("normalised value: lower-case e-mail, E.164 phone", primary_key=True)


class Surveys(dy.Schema):
    """What customers answered. An offer is no answer; the last answer wins."""

    source = _text("export the contact came from", primary_key=True)
    contact_id = _text("the contact the survey asked about", primary_key=True)
    seq = dy.Int64(primary_key=True, description="position among the surveys of the contact")
    offered_at = _instant("when the survey was sent")
    answered_at = _instant("when it was answered; null for an offer without an answer")
    resolved = _choice(ANSWERS, "was your issue resolved?")
    csat_raw = _text("the satisfaction answer in the source's own words")
    csat_scale = _text("the scale it was given on, e.g. `1-5` or `good-bad`; scales are never averaged together")
    csat = dy.Float64(nullable=True, min=0, max=1, description="satisfaction on 0..1 within its own scale", metadata={"unit": "share"})
    ces = dy.Float64(nullable=True, description="customer effort, 1 (easy) to 7 (hard)", metadata={"unit": "points"})
    nps = dy.Float64(nullable=True, min=0, max=10, description="likelihood to recommend", metadata={"unit": "points 0..10"})
    comment = _text("free text, redacted")
    superseded = _flag("a later answer to the same survey exists")


class Customers(dy.Schema):
    """Who is a customer, since when, and who has left. Optional: a list of customers, whether or not they ever asked for anything."""

    source = _text("export the customer came from", primary_key=True)
    customer_ref = _text("the customer, as the contacts name them", primary_key=True)
    since = _instant("when they became a customer")
    left_at = _instant("when they stopped being one; null for who is still there at the data end")

    @dy.rule()
    def left_after_joining(cls) -> pl.Expr:
        """left_at lies before since. Were the two columns swapped?"""
        return pl.col("left_at") >= pl.col("since")


class Agents(dy.Schema):
    """Who answers."""

    agent_id = _text("the agent", primary_key=True)
    group = _text("home team")
    kind = _choice(AGENT_KINDS, "human or bot", nullable=False)
    skills = dy.List(dy.String(), nullable=False, description="categories the agent is trained for")
    hired_at = _instant("first working day")


class Articles(dy.Schema):
    """What the knowledge base holds."""

    article_id = _text("the article", primary_key=True)
    title = _text("its title")
    updated_at = _instant("when it was last revised")


class Changes(dy.Schema):
    """What the company changed, and when: the action log that "did the fix work?" reads."""

    at = _instant("when it took effect", nullable=False)
    kind = _choice(CHANGE_KINDS, "what kind of change", nullable=False)
    scope = _text("what it touched, as `column=value`, several joined by ` and `")
    note = _text("one sentence about it")


TABLES: dict[str, type[dy.Schema]] = {
    "contacts": Contacts,
    "events": Events,
    "identifiers": Identifiers,
    "surveys": Surveys,
    "customers": Customers,
    "agents": Agents,
    "articles": Articles,
    "changes": Changes,
}

CAPABILITIES = {
    "has_events": "a history of what happened to each contact",
    "has_status_history": "status changes (they show reopenings)",
    "has_messages": "messages with their author (they tell answers from silence)",
    "has_public_flag": "internal notes told apart from replies",
    "has_group_history": "which team held the contact when (it shows transfers)",
    "has_text": "what customers wrote",
    "has_survey": "survey answers",
    "has_handle_time": "working time per contact",
    "has_cost": "cost per contact",
    "has_category": "a category per contact",
    "has_customer": "a customer per contact (it shows who comes back)",
    "has_retention": "which customers left, and when",
}


def empty(table: str) -> pl.DataFrame:
    """Return the table without rows, in its canonical column order."""
    return TABLES[table].create_empty()


def conform(frame: pl.DataFrame, *, table: str) -> pl.DataFrame:
    """Give a frame the table's columns, order and types; columns it lacks become null (False for flags, [] for lists).

    Raises
    ------
    TableError
        If a value does not fit its column's type; every such column is named with a count and an example.
    """
    problems: list[str] = []
    columns: list[pl.Series | pl.Expr] = []
    for name, column in TABLES[table].columns().items():
        dtype = column.dtype
        if name not in frame.columns:
            blank = pl.lit(False) if dtype == pl.Boolean and not column.nullable else pl.lit(None)
            columns.append((pl.lit([], dtype=dtype) if dtype == pl.List else blank.cast(dtype)).alias(name))
            continue
        cast = frame[name].cast(dtype, strict=False)
        broken = cast.is_null() & frame[name].is_not_null()
        if lost := int(broken.sum()):
            example = frame[name].filter(broken)[0]
            problems.append(f"{name}: {lost:,} of {frame.height:,} values are not {_spell(dtype)}, e.g. {example!r}")
        columns.append(cast.alias(name))
    if problems:
        raise TableError(_headline(table, len(problems)), problems)
    return frame.with_columns(columns).select(list(TABLES[table].columns()))


def check(frame: pl.DataFrame, *, table: str) -> pl.DataFrame:
    """Return the frame if it keeps every rule of its table.

    Raises
    ------
    TableError
        With every broken rule at once: how many of how many rows, the first contact concerned, what to do.
    """
    schema = TABLES[table]
    missing = [name for name in schema.columns() if name not in frame.columns]
    wrong = [
        f"{name}: is {frame.schema[name]}, must be {column.dtype}"
        for name, column in schema.columns().items()
        if name in frame.columns and frame.schema[name] != column.dtype
    ]
    if missing or wrong:
        problems = [*(f"{name}: the column is missing" for name in missing), *wrong]
        raise TableError(_headline(table, len(problems)), problems)
    if schema.is_valid(frame):
        return frame
    _, failure = schema.filter(frame)
    broken = failure.details()
    problems = [_explain(broken, table=table, rule=rule, count=n, rows=frame.height) for rule, n in failure.counts().items()]
    raise TableError(_headline(table, len(problems)), problems)


def dictionary() -> str:
    """Write the data dictionary as Markdown: every table, every column, its type, meaning and unit."""
    lines = [
        "# Data dictionary",
        "",
        "Generated from `fcrlib/model/tables.py` by `make docs`; a test keeps it true. `!` = never empty, `#` = part of the key.",
        "Instants are UTC, ids are strings, shares lie in 0..1, durations are seconds. Empty means *not known*.",
        "",
        "`demo/` holds the invented desk (`fcr demo`), `desk/` yours (`fcr import`); neither is committed.",
        "",
    ]
    for table, schema in TABLES.items():
        lines += [f"## {table}", "", _first_line(schema.__doc__), "", "| column | type | meaning |", "|---|---|---|"]
        for name, column in schema.columns().items():
            mark = "#" if column.primary_key else "" if column.nullable else "!"
            unit = (column.metadata or {}).get("unit")
            meaning = f"{column.description}{f' ({unit})' if unit else ''}"
            lines.append(f"| `{name}`{mark} | {_spell(column.dtype)} | {meaning} |")
        lines.append("")
    lines += ["## capabilities", "", "What the manifest says a desk has; a section that needs what is missing says so.", ""]
    lines += ["| flag | the desk has |", "|---|---|", *(f"| `{flag}` | {meaning} |" for flag, meaning in CAPABILITIES.items())]
    return "\n".join([*lines, ""])


def _headline(table: str, problems: int) -> str:
    return f"table '{table}' has {problems} problem{'s' if problems > 1 else ''}:"


def _first_line(docstring: str | None) -> str:
    return (docstring or "").strip().splitlines()[0]


def _spell(dtype: pl.DataType) -> str:
    if isinstance(dtype, pl.Enum):
        return "one of " + " ".join(f"`{word}`" for word in dtype.categories)
    words = {pl.String: "text", pl.Boolean: "yes/no", pl.Int64: "whole number", pl.Float64: "number", pl.List: "list of texts"}
    return words.get(dtype.base_type(), "instant" if dtype == pl.Datetime else str(dtype))


def _explain(broken: pl.DataFrame, *, table: str, rule: str, count: int, rows: int) -> str:
    schema, first = TABLES[table], broken.filter(pl.col(rule) == "invalid").row(0, named=True)
    key = [name for name, column in schema.columns().items() if column.primary_key] or list(schema.columns())[:1]
    where = ", ".join(str(first[name]) for name in key)
    if rule == "primary_key":
        return f"key ({', '.join(key)}) is not unique: {count:,} of {rows:,} rows share theirs, e.g. '{where}'. Do two exports overlap?"
    name, _, what = rule.partition("|")
    if not what:
        return f"{getattr(schema, rule).validation_fn.__doc__} {count:,} of {rows:,} rows; first at '{where}'"
    if what == "nullability":
        meaning = schema.columns()[name].description
        return f"{name}: {count:,} of {rows:,} rows are empty, but it must be known ({meaning}); first at '{where}'"
    return f"{name}: {count:,} of {rows:,} rows break its '{what}' rule, e.g. {first[name]!r} at '{where}'"
