"""What does a Zendesk export say?

Tickets as the incremental or cursor API, a full JSON export or one record a line gives them, with whatever stands beside them: audits (the history),
comments, metrics, ratings, users, groups, calls. Tickets alone are enough for a start; audits show what happened when.

The helpdesk's own figures are kept as `vendor_*` and never trusted. Audits hold the state of tickets, not of people: who is an agent today is one
in every old audit, and an agent who left is a customer today, so whoever held a ticket or wrote a private comment counts as an agent.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Unpack

import polars as pl

from fcrlib.intake.canonical import assemble, flags, instants, reading, thanks, typed, words
from fcrlib.intake.canonical.reading import Asked, Reading, Tables
from fcrlib.intake.canonical.told import Told
from fcrlib.intake.export.gather import PLACES
from fcrlib.intake.export.kinds import at
from fcrlib.intake.export.records import Records
from fcrlib.intake.zendesk import history
from fcrlib.intake.zendesk.fields import CARRIES, CHANNELS, EXPORT, STATUSES
from fcrlib.intake.zendesk.promises import promised
from fcrlib.model.desk import Desk

__all__ = ["CARRIES", "EXPORT", "SOURCE", "read"]

SOURCE = "zendesk"
_FIELDS = {"category": "category", "subcategory": "subcategory", "product_area": "product area", "tier": "tier", "language": "language"}
_MERGE_TAG = "closed_by_merge"
_MERGED_INTO = r"(?i)merged into (?:this request|request|ticket)? ?#(\d+)"
_MERGED_HERE = r"(?i)was closed and merged into this (?:request|ticket)"
_AUTOMATIC = ("trigger", "automation", "auto_reply")
_ABANDONED = r"^abandoned"


def read(path: Path | str, **asked: Unpack[Asked]) -> Desk:
    """Read a Zendesk export: a folder, a zip or a file with tickets and whatever else there is.

    Parameters
    ----------
    path
        JSON pages, lists or lines; `tickets` are needed, `audits`, `comments`, `ticket_metrics`, `satisfaction_ratings`, `users`, `groups`, `calls` and
        others are used where they are there. Files are told by the list inside or by their name.
    asked
        What the reader may be told (`Asked`). The last page of tickets may say the data end (`end_time`); `fields` are titles or ids of custom fields.

    Raises
    ------
    DataError
        If the export is broken, not whole, or not one of Zendesk; everything wrong at once.
    UsageError
        If the data end is needed.
    """
    return reading.read(path, asked, title="Zendesk", export=EXPORT, canonical=_tables, ends=_ends)


def _tables(hand: Reading) -> Tables:
    found, told = hand.found, hand.told
    tickets = hand.moments(found.table("tickets"), ["opened_at", "solved_at", "due_at"])
    people = _people(found, tickets, bots=hand.bots)
    groups = dict(found.table("groups").select("group_id", "name").iter_rows())
    contacts = promised(_contacts(found, tickets, people, groups, fields=hand.fields, told=told), hand=hand)
    return Tables(
        contacts=contacts,
        steps=_steps(found, contacts, people, groups, told=told, own=hand.thanks, time_zone=hand.time_zone),
        surveys=_surveys(found, told=told),
        identifiers=_identifiers(found, people),
        agents=assemble.agents(people.with_columns(group=_named("group_id", groups)), key="user_id", kind="kind", group="group"),
        articles=hand.moments(found.table("articles"), ["updated_at"]),
        names=people["name"],
    )


def _ends(found: Records) -> list[datetime]:
    """When the newest of the last pages was made. Of overlapping exports the later one says all that the earlier one does."""
    last = [sheet.said for sheet in found.sheets if sheet.kind == "tickets" and at(sheet.said, "end_of_stream") is True]
    ends = [datetime.fromtimestamp(int(said["end_time"]), UTC) for said in last if str(said.get("end_time")).isdigit()]
    return [max(ends)] if ends else []


def _people(found: Records, tickets: pl.DataFrame, *, bots: Sequence[str]) -> pl.DataFrame:
    """Everybody by `user_id`, with `kind`: agent, bot or customer. Who held a ticket or wrote a note was an agent then, whatever they are today."""
    changes, comments = history.changes(found), history.comments(found)
    held = [
        tickets.select(user_id="assignee"),
        changes.filter(pl.col("field") == "assignee_id").select(user_id="value"),
        changes.filter(pl.col("field") == "assignee_id").select(user_id="before"),
        changes.filter(pl.col("public") == "false").select(user_id=pl.coalesce("author_id", "audit_author")),
        comments.filter(pl.col("public") == "false").select(user_id="author_id"),
    ]
    agents = pl.concat(held).drop_nulls().unique()
    users = found.table("users").join(agents, on="user_id", how="full", coalesce=True)
    agent = pl.col("role").is_in(["agent", "admin"]).fill_null(False) | pl.col("user_id").is_in(agents["user_id"].implode())
    machine = pl.col("user_id").is_in(list(bots)) | pl.col("name").is_in(list(bots)).fill_null(False) | (flags.is_bot(pl.col("name")) & agent)
    kind = pl.when(machine).then(pl.lit("bot")).when(agent).then(pl.lit("agent")).otherwise(pl.lit("customer"))
    return users.filter(pl.col("user_id").is_not_null() & (pl.col("user_id").str.contains(r"^-|^0$") == False)).with_columns(kind=kind)  # noqa: E712


def _contacts(
    found: Records, tickets: pl.DataFrame, people: pl.DataFrame, groups: Mapping[str, str], *, fields: Mapping[str, str], told: Told
) -> pl.DataFrame:
    """What the tickets and what counts them say, before their history is read."""
    nobody = people.filter(flags.is_nobody(pl.col("name")) & pl.all_horizontal(pl.col("email", "phone", "external_id").is_null()))["user_id"]
    staff = people.filter(pl.col("kind") != "customer")["user_id"]
    tickets = tickets.join(history.tags(found), on="contact_id", how="left", maintain_order="left").with_columns(pl.coalesce("tags", "own_tags"))
    asker = pl.col("customer_ref")
    tickets = typed.statuses(typed.channels(tickets, meanings=CHANNELS, told=told), "status", meanings=STATUSES, told=told).with_columns(
        is_deleted=tickets["status"].str.to_lowercase() == "deleted",
        tags=typed.labels("tags", between=r"[;|,\s]"),
        is_internal=asker.is_in(staff.implode()).fill_null(False),
        customer_ref=pl.when(~asker.is_in(pl.concat([nobody, staff]).implode())).then(asker),
        resolver_group=_named("group", groups),
        resolver_agent="assignee",
        follow_up_of=pl.coalesce(pl.when(pl.col("rel") == "follow_up").then("from_ticket"), "follows"),
        issue_key=pl.coalesce("problem", pl.when(pl.col("has_incidents") == "true").then("contact_id")),
        is_side_conversation=(pl.col("channel_raw") == "side_conversation").fill_null(False),
    )
    contacts = flags.by_tags(_valued(found, tickets, people, fields, told))
    contacts = _measured(found, contacts, told).join(_merged(found), on="contact_id", how="left", maintain_order="left")
    return _called(found, contacts, told)


def _valued(found: Records, tickets: pl.DataFrame, people: pl.DataFrame, fields: Mapping[str, str], told: Told) -> pl.DataFrame:
    """The custom fields that hold our columns, by their titles or ids; the language, else, is the asker's."""
    wanted = {**_FIELDS, **fields}
    titles = found.table("ticket_fields").select("field", title=pl.col("title").str.to_lowercase())
    values = found.table("ticket_values").join(titles, on="field", how="left").with_columns(pl.coalesce("title", "field"))
    known = values.filter(pl.col("value").str.strip_chars() != "")
    for ours, theirs in wanted.items():
        one = known.filter((pl.col("title") == theirs.lower()) | (pl.col("field") == theirs)).select("contact_id", pl.col("value").alias(ours))
        tickets = tickets.join(one.unique("contact_id", keep="last"), on="contact_id", how="left", maintain_order="left")
        if one.is_empty() and (ours in fields or ours == "category"):
            there = ", ".join(sorted(set(titles["title"].drop_nulls()))[:20]) or "none"
            told.notes.append(f"no custom field '{theirs}' holds the {ours}; the fields with a title are {there}")
    spoken = people.select(customer_ref="user_id", locale=pl.col("locale").str.slice(0, 2).str.to_lowercase())
    tickets = tickets.join(spoken, on="customer_ref", how="left", maintain_order="left")
    return tickets.with_columns(language=pl.coalesce("language", "locale")).drop("locale")


def _measured(found: Records, contacts: pl.DataFrame, told: Told) -> pl.DataFrame:
    """The helpdesk's own figures; a ticket that one team held was handed over never."""
    counts = ["reopens", "replies", "stations"]
    metrics = typed.moments(found.table("metrics"), ["solved_at"], told=told)
    metrics = typed.numbers(metrics, [*counts, "resolved_after", "replied_after"], told=told).drop("updated_at", instants.ROW, *PLACES)
    both = typed.numbers(contacts, counts, told=told).join(metrics, on="contact_id", how="left", maintain_order="left", suffix=" measured")
    count = {name: pl.coalesce(f"{name} measured", name).cast(pl.Int64) for name in counts}
    first = pl.col("opened_at") + pl.duration(seconds=pl.col("resolved_after") * 60)
    return both.with_columns(
        vendor_reopens=count["reopens"],
        vendor_replies=count["replies"],
        vendor_stations=(count["stations"] - 1).clip(0),
        vendor_one_touch=(count["replies"] <= 1) & (count["reopens"] == 0),
        vendor_first_resolved_at=first,
        first_resolved_at=pl.coalesce(first, "solved_at measured", "solved_at"),
        last_resolved_at=pl.coalesce("solved_at measured", "solved_at"),
        closed_at=pl.when(pl.col("status") == "closed").then(pl.coalesce("solved_at measured", "solved_at")),
        wait_seconds=pl.col("replied_after") * 60,
    )


def _merged(found: Records) -> pl.DataFrame:
    """Which ticket was merged into which: the one that stays or its audit names those that went, and those name it in a comment."""
    audits, tickets = found.table("audits").filter(pl.col("rel") == "merge"), found.table("tickets")
    swallowed = [audits.select(merged_into="ticket_id", went="merged"), tickets.select(merged_into="contact_id", went="swallowed")]
    stays = pl.concat(swallowed).drop_nulls().select("merged_into", contact_id=typed.labels("went")).explode("contact_id", empty_as_null=True)
    goes = _comments(found).select(contact_id="ticket_id", merged_into=pl.col("text").str.extract(_MERGED_INTO)).drop_nulls()
    both = pl.concat([stays.select("contact_id", "merged_into"), goes]).drop_nulls().filter(pl.col("contact_id") != pl.col("merged_into"))
    return both.unique("contact_id", keep="last", maintain_order=True)


def _called(found: Records, contacts: pl.DataFrame, told: Told) -> pl.DataFrame:
    """What the calls of a ticket add: time spent talking, who called whom, and whether nobody answered."""
    calls = typed.numbers(found.table("calls"), ["talk", "wait"], told=told)
    by_ticket = calls.drop_nulls("contact_id").group_by("contact_id").agg(
        pl.when(pl.col("talk").count() > 0).then(pl.col("talk").sum()).alias("talk_seconds"),
        pl.col("wait").first().alias("called_wait"),
        pl.col("direction").first(),
        pl.col("completion").str.contains(_ABANDONED).all().fill_null(False).alias("hung_up"),
    )  # fmt: skip
    both = contacts.join(by_ticket, on="contact_id", how="left", maintain_order="left")
    return both.with_columns(
        wait_seconds=pl.coalesce("called_wait", "wait_seconds"),
        is_abandoned=pl.col("is_abandoned") | pl.col("hung_up").fill_null(False),
        initiated_by=pl.col("direction").replace_strict({"inbound": "customer", "outbound": "company"}, default=None),
    )


def _comments(found: Records) -> pl.DataFrame:
    """Comments from their own file and from the audits; both know the same number of a comment."""
    columns = ["id", "ticket_id", "author_id", "text", "public", "at", "via", "rel", "order", instants.ROW]
    own = history.comments(found).with_columns(order=pl.int_range(pl.len(), dtype=pl.Int64) + _AFTER).select(columns)
    said = history.changes(found).filter(pl.col("type").is_in(["Comment", "VoiceComment", "FacebookComment", "Notification"]))
    author = pl.when(pl.col("type") == "Notification").then(pl.lit("-1")).otherwise(pl.coalesce("author_id", "audit_author"))
    rel = pl.when(pl.col("type") == "Notification").then(pl.lit("trigger")).otherwise("rel")
    audited = said.with_columns(author_id=author, rel=rel, public=pl.col("public").fill_null("true")).select(columns)
    return pl.concat([audited, own]).unique("id", keep="first", maintain_order=True) if audited.height and own.height else pl.concat([audited, own])


def _steps(
    found: Records,
    contacts: pl.DataFrame,
    people: pl.DataFrame,
    groups: Mapping[str, str],
    *,
    told: Told,
    own: Sequence[Path | str],
    time_zone: str | None,
) -> pl.DataFrame:
    """Who did what to which ticket, when."""
    changed = history.changes(found).with_columns(actor_id=pl.col("audit_author"), contact_id=pl.col("ticket_id"))
    is_change = pl.col("type").is_in(["Change", "Create"])
    born_new = (pl.col("type") == "Create") & (pl.col("value") == "new")
    status = changed.filter(is_change & (pl.col("field") == "status") & ~born_new)
    strange = pl.concat([status.select(status="value"), status.select(status="before")])
    typed.statuses(strange, "status", meanings=STATUSES, told=told)
    handed = changed.filter(is_change & pl.col("field").is_in(["group_id", "assignee_id"]) & (pl.col("value").is_not_null()))
    parts = [
        status.select(*_STEP, kind=pl.lit("status"), status_to=_status("value"), status_from=_status("before")),
        handed.select(
            *_STEP,
            kind=pl.lit(assemble.HANDOVER),
            together=pl.col("audit_id"),
            group_to=pl.when(pl.col("field") == "group_id").then(_named("value", groups)),
            agent_to=pl.when(pl.col("field") == "assignee_id").then("value"),
        ),
        changed.filter(is_change & (pl.col("field") == "satisfaction_score") & (pl.col("value") == "offered")).select(
            *_STEP, kind=pl.lit("survey"), public=pl.lit("true")
        ),
        changed.filter(pl.col("type") == "KnowledgeLinked").select(*_STEP, "article_id", kind=pl.lit("article"), public=pl.lit("true")),
        _said(found, own),
        _legs(found),
    ]
    steps = typed.moments(pl.concat(parts, how="diagonal").filter(pl.col("at").is_not_null()), ["at"], told=told, time_zone=time_zone)
    return _acted(steps, contacts, people)


_STEP = ("contact_id", "at", "actor_id", "order", instants.ROW)
_AFTER = 2**40
"""Comments of a file of their own come after the audits of the same second."""


def _said(found: Records, own: Sequence[Path | str]) -> pl.DataFrame:
    """Comments as messages and notes; what the helpdesk writes about a merge is neither."""
    comments = _comments(found).filter(~pl.col("text").str.contains(_MERGED_HERE).fill_null(False))
    merge, public = pl.col("text").str.contains(_MERGED_INTO).fill_null(False), pl.col("public") == "true"
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
        thanked=thanks.is_ack(pl.col("text"), words=thanks.lexicon(*own)),
    )


def _legs(found: Records) -> pl.DataFrame:
    """The legs of calls: the customer's and every agent's."""
    calls = found.table("calls").drop_nulls("contact_id").select("call_id", "contact_id", "customer")
    legs = found.table("legs").join(calls, on="call_id", how="inner", maintain_order="left")
    agent = pl.col("agent").replace("0", None)
    return legs.select(
        "contact_id",
        "at",
        actor_id=pl.when(pl.col("type") == "agent").then(agent).otherwise("customer"),
        order=pl.lit(-1, dtype=pl.Int64),
        kind=pl.lit("call_leg"),
        public=pl.lit("true"),
        channel=pl.lit("phone"),
        caller=pl.col("type"),
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
        is_ack=pl.when((pl.col("kind") == "message") & customer).then("thanked"),
    ).drop("customer_ref", "is_side_conversation", "asked_by", "person", "caller", "thanked", instants.ROW)


def _surveys(found: Records, *, told: Told) -> pl.DataFrame:
    """Offers and answers. An offer is no answer, and a rating may be given again."""
    ratings = typed.moments(found.table("ratings"), ["offered_at", "answered_at"], told=told)
    good, bad = (pl.col("score").str.starts_with(word) for word in ("good", "bad"))
    return ratings.filter(pl.col("score") != "unoffered").select(
        "contact_id",
        "offered_at",
        pl.when(good | bad).then("answered_at").alias("answered_at"),
        pl.when(good | bad).then(pl.col("score").str.slice(0, 4).str.strip_chars("_")).alias("csat_raw"),
        pl.when(good | bad).then(pl.lit("good-bad")).alias("csat_scale"),
        pl.when(good).then(1.0).when(bad).then(0.0).alias("csat"),
        "comment",
    )


def _identifiers(found: Records, people: pl.DataFrame) -> pl.DataFrame:
    """What customers are known by: their own fields, and further addresses and numbers."""
    customers = people.filter(pl.col("kind") == "customer").rename({"user_id": "customer_ref"})
    more = found.table("identities").rename({"user_id": "customer_ref"}).join(customers.select("customer_ref"), on="customer_ref", how="semi")
    kinds = {"email": "email", "phone_number": "phone"}
    further = more.with_columns(pl.when(pl.col("type") == word).then("value").alias(kind) for word, kind in kinds.items())
    own = assemble.identity(customers, source=SOURCE, email="email", phone="phone", external="external_id", account="organization_id")
    return pl.concat([own, assemble.identity(further, source=SOURCE, email="email", phone="phone")]).unique(maintain_order=True)


def _status(column: str) -> pl.Expr:
    return words.meaning(column, words=STATUSES)


def _named(column: str, names: Mapping[str, str]) -> pl.Expr:
    """The name of a group; its number where nobody says the name."""
    return pl.col(column).replace(names)
