"""What does an Intercom export say?

Conversations with their parts, tickets with theirs, and what stands beside them: contacts, admins, teams, tags, calls, articles; as the API gives
them, one record a line, or as tables of a warehouse. A conversation never ends: every close is a resolution, every opening after it a reopening.

Operator's own comments look like replies and are none; what its AI agent says is a bot's answer. Times to something leave out the hours in which
the office is shut, so that they are not read: instants are.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Unpack

import polars as pl

from fcrlib.intake.canonical import assemble, flags, reading, typed, words
from fcrlib.intake.canonical.reading import Asked, Reading, Tables
from fcrlib.intake.export.gather import PLACES
from fcrlib.intake.export.records import Records
from fcrlib.intake.intercom import calls, surveys
from fcrlib.intake.intercom.fields import CARRIES, CHANNELS, EXPORT, MOVES, STATUSES
from fcrlib.intake.intercom.links import linked
from fcrlib.intake.privacy.plain import plain
from fcrlib.model.desk import Desk, Dropped

__all__ = ["CARRIES", "EXPORT", "SOURCE", "read"]

SOURCE = "intercom"
_FIELDS = {"category": "category", "subcategory": "subcategory", "product_area": "product area", "tier": "tier", "language": "language"}
_PEOPLE, _STAFF = ("user", "lead", "contact", "visitor"), ("admin", "teammate")
_STARTED = {"customer_initiated": "customer", "admin_initiated": "company", "campaigns_initiated": "company", "automated": "system"}
_GREETED = {"operator_initiated": "system"}
"""A workflow greets whoever opens the messenger: a customer who answers it has begun, one who does not has not."""
_UNASKED = ("automated", "operator_initiated", "campaigns_initiated")
_SAID = ("comment", "quick_reply", "open", "close", "assignment", "assign_and_reopen", "default_assignment")
_RESOLVED = ("solved", "closed")
_HOLDS = ~pl.col("active").str.to_lowercase().is_in(words.NO_WORDS).fill_null(False)
_PLACES = 4
"""Steps that one part can be: what is said, to whom it goes, what becomes of it."""


def read(path: Path | str, **asked: Unpack[Asked]) -> Desk:
    """Read an Intercom export: a folder, a zip or a file with conversations and whatever else there is.

    Parameters
    ----------
    path
        JSON pages, lists or lines, or tables of a warehouse; `conversations` are needed, parts inside them or in a file of their own, `tickets`,
        `contacts`, `admins`, `teams`, `tags`, `calls`, `articles` are used where they are there.
    asked
        What the reader may be told (`Asked`). Intercom does not say its data end; warehouses write times without a zone; `fields` are names of custom
        attributes.

    Raises
    ------
    DataError
        If the export is broken, not whole, or not one of Intercom; everything wrong at once.
    UsageError
        If the data end is needed.
    """
    return reading.read(path, asked, title="Intercom", export=EXPORT, canonical=_tables)


def _tables(hand: Reading) -> Tables:
    threads, rung = _threads(hand), calls.calls(hand)
    parts = _parts(hand, threads)
    teams = dict(hand.table("teams").select("team_id", "name").drop_nulls().iter_rows())
    agents = _agents(hand, parts, teams)
    contacts = calls.added(_contacts(hand, threads, parts, agents, teams), rung)
    return Tables(
        contacts=contacts,
        steps=[*_steps(hand, contacts, parts, agents, teams), *calls.legs(contacts, rung), surveys.offers(contacts)],
        surveys=surveys.surveys(hand, threads),
        identifiers=_identifiers(hand.found),
        agents=agents.select("agent_id", "kind", "group"),
        articles=hand.moments(hand.table("articles"), ["updated_at"]),
        names=_names(hand.found, threads, parts),
        first_status="open",
    )


def _names(found: Records, threads: pl.DataFrame, parts: pl.DataFrame) -> pl.Series:
    """Full names of people, whoever wrote a part included; Operator and AI agents are none."""
    wrote = pl.concat([one.select("author_type", "author_name") for one in (threads, parts)])
    people = wrote.filter(pl.col("author_type").is_in([*_PEOPLE, *_STAFF])).select(name="author_name")
    return pl.concat([found.table("admins").select("name"), found.table("contacts").select("name"), people.unique(maintain_order=True)])["name"]


def _threads(hand: Reading) -> pl.DataFrame:
    """Conversations and tickets; a ticket under the number of a conversation is that conversation."""
    talks = hand.table("conversations")
    tickets = hand.table("tickets").join(talks, on="contact_id", how="anti", maintain_order="left")
    both = pl.concat([talks.with_columns(is_ticket=pl.lit(False)), tickets.with_columns(is_ticket=pl.lit(True))], how="diagonal")
    both = both.with_columns(text=plain(both["body"]))
    moments = ["opened_at", "updated_at", "requested_at", "rated_at", "ai_rated_at", "replied_at", "first_closed_at", "last_closed_at"]
    asked = hand.table("asked").filter(_HOLDS).unique("contact_id", keep="last").select("contact_id", linked="customer_ref")
    author = pl.when(pl.col("author_type").is_in(_PEOPLE)).then("author_id")
    both = both.join(asked, on="contact_id", how="left", maintain_order="left")
    numbers = ["reopens", "assignments", "handled", "rating", "ai_rating", "parts_there"]
    return typed.numbers(hand.moments(both, moments), numbers, told=hand.told).with_columns(
        customer_ref=pl.coalesce("customer_ref", "linked", author), assignee=_known_id("assignee"), team=_known_id("team")
    )


def _parts(hand: Reading, threads: pl.DataFrame) -> pl.DataFrame:
    """The parts of conversations and tickets, each once, in order, with the state each one left behind (`turned`: where that is a change)."""
    every = pl.concat([hand.table(kind) for kind in ("said", "ticket_said", "parts")], how="diagonal")
    parts = every.filter(pl.col("part_id").is_null() | pl.struct("contact_id", "part_id").is_first_distinct()).drop("updated_at", *PLACES)
    hand.told.notes += _missed(threads, parts)
    parts = hand.moments(parts, ["at"]).with_columns(order=(pl.int_range(pl.len(), dtype=pl.Int64) + 1) * _PLACES, text=plain(parts["text"]))
    typed.statuses(parts, "ticket_state", meanings=STATUSES, told=hand.told)
    parts = parts.join(threads.select("contact_id", "is_ticket"), on="contact_id", how="left", maintain_order="left").sort(
        "contact_id", "at", "order"
    )
    asked = pl.col("author_type").is_in(_PEOPLE) & pl.col("part_type").is_in(["comment", "quick_reply"])
    own = pl.coalesce(_moved("part_type", MOVES), _moved("state", STATUSES), pl.when(asked).then(pl.lit("open")))
    state = pl.when(pl.col("is_ticket").fill_null(False)).then(_moved("ticket_state", STATUSES)).otherwise(own)
    before = pl.when("is_ticket").then(pl.lit("new")).otherwise(pl.lit("open"))
    parts = parts.with_columns(left=state).with_columns(was=pl.col("left").forward_fill().shift().over("contact_id").fill_null(before))
    return parts.with_columns(turned=pl.when(pl.col("left") != pl.col("was")).then("left"))


def _missed(threads: pl.DataFrame, parts: pl.DataFrame) -> list[str]:
    """A note of conversations that have more parts than are there: an answer holds the newest 500 of them, a page of a list none."""
    there = parts.group_by("contact_id").agg(n=pl.len())
    short = threads.join(there, on="contact_id", how="left", maintain_order="left").filter(pl.col("parts_there") > pl.col("n").fill_null(0))
    lost = int((short["parts_there"] - short["n"].fill_null(0)).sum())
    return [
        f"{short.height:,} of {threads.height:,} conversations say that they have more parts than are there ({lost:,} parts are missing), the first"
        f" is {one}: their history is not whole; fetch each of them by its id, where an answer holds its newest 500 parts"
        for one in short["contact_id"].head(1)
    ]


def _agents(hand: Reading, parts: pl.DataFrame, teams: Mapping[str, str]) -> pl.DataFrame:
    """Who answers: admins, whoever acted as one, and the AI agents that spoke."""
    ai = _is_ai() & pl.col("author_id").is_not_null()
    acted = parts.filter(pl.col("author_type").is_in(_STAFF) | ai).select(agent_id="author_id", said_name="author_name", ai=ai)
    homes = hand.table("members").unique("agent_id", keep="first", maintain_order=True).select("agent_id", home="team_id")
    whole = hand.table("admins").join(acted.drop_nulls("agent_id").unique("agent_id", maintain_order=True), on="agent_id", how="full", coalesce=True)
    name, bots = pl.coalesce("name", "said_name"), list(hand.bots)
    machine = pl.col("ai").fill_null(False) | pl.col("agent_id").is_in(bots) | name.is_in(bots).fill_null(False) | flags.is_bot(name)
    return whole.join(homes, on="agent_id", how="left", maintain_order="left").select(
        "agent_id",
        kind=pl.when(machine).then(pl.lit("bot")).otherwise(pl.lit("human")),
        group=pl.coalesce("team", "home").replace(teams),
    )


def _contacts(hand: Reading, threads: pl.DataFrame, parts: pl.DataFrame, agents: pl.DataFrame, teams: Mapping[str, str]) -> pl.DataFrame:
    """What conversations and their contacts say, before their parts are read; `tended` by staff at any time."""
    found, told = hand.found, hand.told
    known = found.table("contacts").select("customer_ref", "account", "locale", spammer=typed.yes("spam"))
    names = found.table("tags").select("tag_id", title="name")
    tagged = pl.concat([found.table("labels"), found.table("tagged").filter(_HOLDS).select("contact_id", "tag_id")], how="diagonal")
    tagged = tagged.join(names, on="tag_id", how="left", maintain_order="left").with_columns(tag=pl.coalesce("name", "title", "tag_id"))
    tags = tagged.group_by("contact_id", maintain_order=True).agg(tags=pl.col("tag").drop_nulls().unique(maintain_order=True))
    both = _valued(hand, threads).join(linked(found), on="contact_id", how="left", maintain_order="left")
    both = both.join(tags, on="contact_id", how="left", maintain_order="left").join(known, on="customer_ref", how="left", maintain_order="left")
    both = typed.statuses(typed.channels(both, meanings=CHANNELS, told=told), "state", meanings=STATUSES, told=told)
    promise = pl.col("promise").str.to_lowercase()
    resolved = pl.col("state").is_in(_RESOLVED)
    turned = pl.col("contact_id").is_in(parts.filter(pl.col("turned").is_in(_RESOLVED))["contact_id"].implode())
    ever = resolved | turned | pl.col("first_closed_at").is_not_null()
    both = both.with_columns(
        status="state",
        tags=pl.col("tags").fill_null([]),
        account_ref=pl.coalesce("account_ref", "account"),
        language=pl.coalesce("language", pl.col("locale").str.slice(0, 2).str.to_lowercase()),
        subject=pl.coalesce("title", "subject"),
        body="text",
        is_spam="spammer",
        resolver_group=pl.when(~_handed_to("team", parts) & ever).then(pl.col("team").replace(teams)),
        resolver_agent=pl.when(~_handed_to("person", parts) & ever).then("assignee"),
        initiated_by=pl.col("delivered").replace_strict(_STARTED, default=None, return_dtype=pl.String),
        likely_initiated_by=pl.col("delivered").replace_strict(_GREETED, default=None, return_dtype=pl.String),
        handle_seconds="handled",
        wait_seconds=(pl.col("replied_at") - pl.col("opened_at")).dt.total_seconds().cast(pl.Float64).clip(0),
        first_resolved_at="first_closed_at",
        last_resolved_at="last_closed_at",
        closed_at=pl.when(resolved).then("last_closed_at"),
        vendor_reopens="reopens",
        vendor_stations=(pl.col("assignments") - 1).clip(0),
        vendor_first_resolved_at="first_closed_at",
        vendor_sla_met=promise.replace_strict({"hit": True, "missed": False}, default=None, return_dtype=pl.Boolean),
    )
    staff = pl.col("ours").fill_null(False) | pl.col("customer_ref").is_in(agents["agent_id"].implode()).fill_null(False)
    tended = pl.col("contact_id").is_in(parts.filter(pl.col("author_type").is_in(_STAFF))["contact_id"].implode())
    return flags.by_tags(both.with_columns(is_internal=staff, tended=tended))


def _handed_to(whom: str, parts: pl.DataFrame) -> pl.Expr:
    """Was it ever given to a `team` or a `person`? Then whoever has it today need not have had it before."""
    some = parts.filter(_is_handed() & (_is_team() == (whom == "team")))
    return pl.col("contact_id").is_in(some["contact_id"].implode())


def _is_handed() -> pl.Expr:
    nobody = pl.col("assigned_type").str.to_lowercase().str.contains("nobody").fill_null(True)
    return pl.col("part_type").str.contains("assign") & _known_id("assigned_id").is_not_null() & ~nobody


def _is_team() -> pl.Expr:
    return (pl.col("assigned_type").str.to_lowercase() == "team").fill_null(False)


def _valued(hand: Reading, threads: pl.DataFrame) -> pl.DataFrame:
    """The custom attributes that hold our columns, by their names."""
    values = pl.concat([hand.table("values"), hand.table("ticket_values")]).filter(pl.col("value").str.strip_chars() != "")
    values = values.with_columns(name=pl.col("field").str.to_lowercase().str.replace_all("[_ ]+", " "))
    for ours, theirs in {**_FIELDS, **hand.fields}.items():
        one = values.filter(pl.col("name") == theirs.lower().replace("_", " ")).select("contact_id", pl.col("value").alias(ours))
        threads = threads.join(one.unique("contact_id", keep="last"), on="contact_id", how="left", maintain_order="left")
        if one.is_empty() and (ours in hand.fields or ours == "category"):
            there = ", ".join(values["field"].unique().sort()[:20].to_list()) or "none"
            hand.told.notes.append(f"no custom attribute '{theirs}' holds the {ours}; there are {there}")
    return threads


def _steps(hand: Reading, contacts: pl.DataFrame, parts: pl.DataFrame, agents: pl.DataFrame, teams: Mapping[str, str]) -> list[pl.DataFrame]:
    """Who did what to which conversation, when."""
    loose = parts.join(contacts, on="contact_id", how="anti")
    hand.told.dropped.append(Dropped(what="parts", count=loose.height, why="their conversation is not there"))
    parts = parts.join(contacts.select("contact_id", "channel", "is_side_conversation", "customer_ref"), on="contact_id", how="inner")
    first = contacts.filter(pl.col("body").str.strip_chars() != "").select(
        "contact_id", "author_id", "author_type", "author_name", "channel", "is_side_conversation", "customer_ref", at="opened_at", text="body",
        order=pl.lit(0, dtype=pl.Int64), part_type=pl.lit("comment"), unasked=pl.col("delivered").is_in(_UNASKED).fill_null(False),
    )  # fmt: skip
    every = _acted(pl.concat([first, parts], how="diagonal"), agents).with_columns(pl.col("unasked").fill_null(False))
    note, merge = pl.col("part_type").str.contains("note"), pl.col("part_type").str.contains("merge")
    speaks = (pl.col("part_type").is_in(_SAID) | note) & (pl.col("text").str.strip_chars() != "").fill_null(False)
    machine = pl.col("actor").is_in(["system", "bot"])
    said = every.filter(speaks).select(
        *_STEP,
        order="order",
        kind=pl.when(note).then(pl.lit("note")).otherwise(pl.lit("message")),
        public=~note,
        text="text",
        channel=pl.when(~note).then("channel"),
        is_auto=~note & ((pl.col("actor") == "system") | (pl.col("unasked") & machine)),
    )
    # No part says who has a conversation that nobody was given: whoever answers or closes it does.
    tends = speaks & ~note | (pl.col("part_type") == "close")
    tending = pl.when(tends & (pl.col("actor") == "agent")).then("actor_id").forward_fill().shift().over("contact_id")
    handed = (
        every.sort("contact_id", "at", "order")
        .with_columns(tending=tending)
        .filter(_is_handed())
        .select(
            *_STEP,
            order=pl.col("order") + 1,
            kind=pl.lit(assemble.HANDOVER),
            together=pl.format("{} {}", pl.col("at").dt.epoch("us"), pl.col("author_id").fill_null("")),
            group_to=pl.when(_is_team()).then(pl.col("assigned_id").replace(teams)),
            agent_to=pl.when(~_is_team()).then("assigned_id"),
            agent_from=pl.when(~_is_team() & (pl.col("tending") != pl.col("assigned_id"))).then("tending"),
        )
    )
    turned = every.filter(pl.col("turned").is_not_null()).select(
        *_STEP, order=pl.col("order") + 2, kind=pl.lit("status"), status_from="was", status_to="turned"
    )
    merged = every.filter(merge).select(*_STEP, order="order", kind=pl.lit("merge"))
    return [said, handed, turned, merged]


_STEP = ("contact_id", "at", "actor", "actor_id")


def _acted(rows: pl.DataFrame, agents: pl.DataFrame) -> pl.DataFrame:
    """Who acted: the asker, an agent, the AI agent, or Operator, which is the system. Somebody else in a side conversation is nobody we know."""
    bots = agents.filter(pl.col("kind") == "bot")["agent_id"]
    kind = pl.col("author_type").str.to_lowercase()
    person = kind.is_in(_PEOPLE)
    stranger = person & pl.col("is_side_conversation") & (pl.col("author_id") != pl.col("customer_ref")).fill_null(True)
    # Operator may speak under the number of the AI agent: then only the part says which of them it was.
    operator = (kind == "bot") & (pl.col("part_type") == "comment") & (pl.col("is_ai") == "false")
    bot = _is_ai() | (pl.col("author_id").is_in(bots.implode()) & ~person & ~operator.fill_null(False))
    actor = (
        pl.when(stranger).then(pl.lit("unknown")).when(person).then(pl.lit("customer")).when(bot).then(pl.lit("bot"))
        .when(kind.is_in(_STAFF)).then(pl.lit("agent")).when(kind.is_in(["bot", "operator", "team", "workflow"])).then(pl.lit("system"))
        .otherwise(pl.lit("unknown"))
    )  # fmt: skip
    return rows.with_columns(actor=actor).with_columns(actor_id=pl.when(pl.col("actor").is_in(["customer", "agent", "bot"])).then("author_id"))


def _identifiers(found: Records) -> pl.DataFrame:
    """What people are known by. One person may be several contacts; what they share joins them."""
    people = found.table("contacts")
    return assemble.identity(people, source=SOURCE, email="email", phone="phone", external="external_id", account="account")


def _is_ai() -> pl.Expr:
    return (pl.col("is_ai") == "true").fill_null(False) | (pl.col("is_answer") == "true").fill_null(False)


def _known_id(column: str) -> pl.Expr:
    """An id; tickets write 0 for none."""
    return pl.when(~pl.col(column).is_in(["0", ""])).then(column).alias(column)


def _moved(column: str, meanings: Mapping[str, str]) -> pl.Expr:
    return words.meaning(column, words=meanings)
