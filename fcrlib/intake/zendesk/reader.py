"""What does a Zendesk export say?

Tickets as the incremental or cursor API, a full JSON export or one record a line gives them, with whatever stands beside them: audits (the history),
comments, metrics, ratings, users, groups, calls. Tickets alone are enough for a start; audits show what happened when.

The helpdesk's own figures are kept as `vendor_*` and never trusted. Audits hold the state of tickets, not of people: who is an agent today is one
in every old audit, and an agent who left is a customer today, so whoever held a ticket or wrote a private comment counts as an agent.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Unpack

import polars as pl

from fcrlib.intake.canonical import assemble, flags, instants, reading, typed, words
from fcrlib.intake.canonical.reading import Asked, Reading, Tables
from fcrlib.intake.export.kinds import at
from fcrlib.intake.export.records import FILE, Records
from fcrlib.intake.zendesk import calls, history, tickets
from fcrlib.intake.zendesk.fields import CARRIES, CHANNELS, EXPORT, ROLES, STATUSES, asking
from fcrlib.intake.zendesk.promises import promised
from fcrlib.intake.zendesk.surveys import surveys
from fcrlib.model.desk import Desk, Dropped

__all__ = ["CARRIES", "EXPORT", "SOURCE", "read"]

SOURCE = "zendesk"
_MERGED_HERE = r"(?i)was closed and merged into this (?:request|ticket)"
_AUTOMATIC = ("trigger", "automation", "auto_reply")


def read(path: Path | str, **asked: Unpack[Asked]) -> Desk:
    """Read a Zendesk export: a folder, a zip or a file with tickets and whatever else there is.

    Parameters
    ----------
    path
        JSON pages, lists or lines; `tickets` are needed, `audits`, `comments`, `ticket_metrics`, `satisfaction_ratings`, `users`, `groups`, `calls` and
        others are used where they are there. Files are told by the list inside or by their name.
    asked
        What the reader may be told (`Asked`). The last page of tickets may say the data end (`end_time`); `fields` are titles or ids of custom fields,
        of a table its headers with or without what stands behind in brackets.

    Raises
    ------
    DataError
        If the export is broken, not whole, or not one of Zendesk; everything wrong at once.
    UsageError
        If the data end is needed.
    """
    return reading.read(path, asked, title="Zendesk", export=asking(asked.get("fields") or {}), canonical=_tables, ends=_ends)


def _tables(hand: Reading) -> Tables:
    found = hand.found
    asked = tickets.whole(hand)
    rung = calls.calls(hand, asked)
    people = _people(hand, asked, rung)
    groups = dict(pl.concat([found.table(kind).select("group_id", "name").unique() for kind in ("own_groups", "groups")]).iter_rows())
    known = promised(calls.added(tickets.contacts(hand, asked, people, groups), rung), hand=hand)
    contacts = pl.concat([known, calls.alone(rung, people)], how="diagonal")
    hand.told.notes += calls.remark(rung)
    hand.told.dropped += _beside(found)
    return Tables(
        contacts=contacts,
        steps=_steps(hand, groups, rung=rung),
        acted=partial(_acted, contacts=contacts, people=people),
        surveys=surveys(hand, asked),
        identifiers=_identifiers(found, asked, people),
        agents=assemble.agents(people.with_columns(group=tickets.named("group_id", groups)), key="user_id", kind="kind", group="group"),
        articles=hand.moments(found.table("articles"), ["updated_at"]),
        names=_names(asked, people),
    )


def _ends(found: Records) -> list[datetime]:
    """When the newest of the last pages was made. Of overlapping exports the later one says all that the earlier one does."""
    last = [sheet.said for sheet in found.sheets if sheet.kind == "tickets" and at(sheet.said, "end_of_stream") is True]
    ends = [datetime.fromtimestamp(int(said["end_time"]), UTC) for said in last if str(said.get("end_time")).isdigit()]
    return [max(ends)] if ends else []


def _beside(found: Records) -> list[Dropped]:
    """Lists that are not read, by their files."""
    counts = found.table("beside").group_by(FILE).len().sort(FILE)
    others = [Dropped(what="records", count=n, why=f"of a kind that is not read: {found.names[file]}") for file, n in counts.iter_rows()]
    why = "held back as spam or the like: no tickets were made of them"
    return [*others, Dropped(what="suspended tickets", count=found.table("suspended").height, why=why)]


def _people(hand: Reading, asked: pl.DataFrame, rung: pl.DataFrame) -> pl.DataFrame:
    """Everybody by `user_id`, with `kind`: agent, bot or customer. Who held a ticket or wrote a note was an agent then, whatever they are today.

    `nobody` marks those of whom nothing is known but a number.
    """
    found, bots = hand.found, list(hand.bots)
    changes, comments = history.changes(found), history.comments(found)
    held = [
        asked.lazy().select(user_id="assignee"),
        rung.lazy().select(user_id="agent"),
        found.table("legs").lazy().filter(pl.col("agent") != "0").select(user_id="agent"),
        changes.filter(pl.col("field") == "assignee_id").select(user_id="value"),
        changes.filter(pl.col("field") == "assignee_id").select(user_id="before"),
        changes.filter(pl.col("public") == "false").select(user_id=pl.coalesce("author_id", "audit_author")),
        comments.lazy().filter(pl.col("public") == "false").select(user_id="author_id"),
    ]
    agents = pl.concat(held).drop_nulls().unique().collect()
    users = _listed(found).join(agents, on="user_id", how="full", coalesce=True)
    agent = pl.col("role").is_in(["agent", "admin"]).fill_null(False) | pl.col("user_id").is_in(agents["user_id"].implode())
    machine = pl.col("user_id").is_in(bots) | pl.col("name").is_in(bots).fill_null(False) | (flags.is_bot(pl.col("name")) & agent)
    kind = pl.when(machine).then(pl.lit("bot")).when(agent).then(pl.lit("agent")).otherwise(pl.lit("customer"))
    nobody = flags.is_nobody(pl.col("name")) & pl.all_horizontal(pl.col("email", "phone", "external_id").is_null())
    return users.filter(pl.col("user_id").is_not_null() & (pl.col("user_id").str.contains(r"^-|^0$") == False)).with_columns(kind=kind, nobody=nobody)  # noqa: E712


def _listed(found: Records) -> pl.DataFrame:
    """The users of the list, and those whom only whole tickets hold."""
    users = found.table("users")
    inside = pl.concat([found.table(f"own_{role}") for role in ROLES]).unique("user_id", keep="last", maintain_order=True)
    return pl.concat([users, inside.join(users, on="user_id", how="anti", maintain_order="left")])


def _steps(hand: Reading, groups: Mapping[str, str], *, rung: pl.DataFrame) -> list[pl.DataFrame]:
    """Who did what to which ticket, when."""
    changed = history.changes(hand.found).with_columns(actor_id=pl.col("audit_author"), contact_id=pl.col("ticket_id"))
    is_change = pl.col("type").is_in(["Change", "Create"])
    born_new = (pl.col("type") == "Create") & (pl.col("value") == "new")
    status = changed.filter(is_change & (pl.col("field") == "status") & ~born_new)
    strange = pl.concat([status.select(instants.ROW, status="value"), status.select(instants.ROW, status="before")])
    typed.statuses(strange.collect(), "status", meanings=STATUSES, told=hand.told)
    handed = changed.filter(is_change & pl.col("field").is_in(["group_id", "assignee_id"]) & (pl.col("value").is_not_null()))
    parts = [
        status.select(*_STEP, kind=pl.lit("status"), status_to=_status("value"), status_from=_status("before")),
        handed.select(
            *_STEP,
            kind=pl.lit(assemble.HANDOVER),
            together=pl.col("audit_id"),
            group_to=pl.when(pl.col("field") == "group_id").then(tickets.named("value", groups)),
            agent_to=pl.when(pl.col("field") == "assignee_id").then("value"),
        ),
        changed.filter(is_change & (pl.col("field") == "satisfaction_score") & (pl.col("value") == "offered")).select(
            *_STEP, kind=pl.lit("survey"), public=pl.lit("true")
        ),
        changed.filter(pl.col("type") == "KnowledgeLinked").select(*_STEP, "article_id", kind=pl.lit("article"), public=pl.lit("true")),
        _said(hand.found),
    ]
    return [*hand.timed([part.collect() for part in parts]), *hand.timed([calls.steps(hand, rung)])]


_STEP = ("contact_id", "at", "actor_id", "order", instants.ROW)


def _said(found: Records) -> pl.LazyFrame:
    """Comments as messages and notes; what the helpdesk writes about a merge is neither."""
    comments = history.said(found).filter(~pl.col("text").str.contains(_MERGED_HERE).fill_null(False))
    merge, public = pl.col("text").str.contains(tickets.MERGED_INTO).fill_null(False), pl.col("public") == "true"
    return comments.select(
        pl.col("ticket_id").alias("contact_id"),
        "at",
        pl.col("author_id").alias("actor_id"),
        "order",
        instants.ROW,
        kind=pl.when(merge).then(pl.lit("merge")).when(public).then(pl.lit("message")).otherwise(pl.lit("note")),
        public=pl.when(merge).then(pl.lit("false")).otherwise("public"),
        text=pl.when(~merge).then("text"),
        channel=pl.when(public & ~merge & pl.col("via").is_not_null()).then(words.meaning("via", words=CHANNELS).fill_null("other")),
        is_auto=pl.col("rel").is_in(_AUTOMATIC).fill_null(False),
    )


def _acted(steps: pl.DataFrame, contacts: pl.DataFrame, people: pl.DataFrame) -> pl.DataFrame:
    """Who acted: the asker, an agent, a machine, the system; somebody else in a side conversation is nobody we know."""
    asked = contacts.select("contact_id", "customer_ref", "is_side_conversation", asked_by="channel")
    kinds = people.select(actor_id="user_id", person="kind")
    steps = steps.join(asked, on="contact_id", how="left", maintain_order="left").join(kinds, on="actor_id", how="left", maintain_order="left")
    nobody = pl.col("actor_id").is_null() | pl.col("actor_id").str.contains(r"^-|^0$")
    system = nobody & (pl.col("kind") != "call_leg")
    caller = pl.when(pl.col("caller") == "agent").then(pl.lit("agent")).when(pl.col("caller").is_not_null()).then(pl.lit("customer"))
    stranger = pl.col("is_side_conversation") & (pl.col("person") == "customer") & (pl.col("actor_id") != pl.col("customer_ref")).fill_null(True)
    actor = pl.coalesce(caller, pl.when(system | pl.col("is_auto")).then(pl.lit("system")).when(stranger).then(pl.lit("unknown")), "person")
    customer = actor == "customer"
    return steps.with_columns(
        actor=actor.fill_null("customer"),
        actor_id=pl.when(nobody | stranger | (customer & pl.col("customer_ref").is_null())).then(None).otherwise("actor_id"),
        public=(pl.col("public") == "true").fill_null(False),
        channel=pl.when(pl.col("is_auto").fill_null(False)).then("asked_by").otherwise("channel"),
    ).drop("customer_ref", "is_side_conversation", "asked_by", "person", "caller", instants.ROW)


def _names(asked: pl.DataFrame, people: pl.DataFrame) -> pl.Series:
    """Full names of everybody; a table of the screen has names where the API has numbers."""
    written = pl.concat([asked[column].alias("name") for column in ("asker", "submitter", "assignee")]).unique(maintain_order=True)
    return pl.concat([people["name"], written.filter(written.str.contains(r"\p{L}"))])


def _identifiers(found: Records, asked: pl.DataFrame, people: pl.DataFrame) -> pl.DataFrame:
    """What customers are known by: their own fields, further addresses and numbers, and what a table of tickets says of them."""
    customers = people.filter(pl.col("kind") == "customer").rename({"user_id": "customer_ref"})
    more = found.table("identities").rename({"user_id": "customer_ref"}).join(customers.select("customer_ref"), on="customer_ref", how="semi")
    kinds = {"email": "email", "phone_number": "phone"}
    further = more.with_columns(pl.when(pl.col("type") == word).then("value").alias(kind) for word, kind in kinds.items())
    own = assemble.identity(customers, source=SOURCE, email="email", phone="phone", external="external_id", account="organization_id")
    askers = asked.join(people.filter(pl.col("kind") != "customer"), left_on="customer_ref", right_on="user_id", how="anti")
    written = assemble.identity(askers, source=SOURCE, email="asker_email", external="asker_external")
    return pl.concat([own, assemble.identity(further, source=SOURCE, email="email", phone="phone"), written]).unique(maintain_order=True)


def _status(column: str) -> pl.Expr:
    return words.meaning(column, words=STATUSES)
