"""What does a Freshdesk or Freshservice export say?

Tickets as the API lists them (bare lists, pages, one record a line) or as the CSV of the ticket list gives them, with whatever stands beside them:
conversations, the export of activities (the history), ratings, agents, contacts, companies, groups, time entries.

A ticket itself knows its last resolution and its last reopening only; what happened before stands in the activities. Columns `(in hrs)` of the CSV
count business hours and are often empty: every duration is taken from the instants. Status and source are numbers: custom statuses never resolve.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Unpack

import polars as pl

from fcrlib.intake.canonical import assemble, flags, instants, promises, reading, typed, words
from fcrlib.intake.canonical.reading import Asked, Reading, Tables
from fcrlib.intake.export.records import Records
from fcrlib.intake.freshdesk.fields import (
    CARRIES,
    EXPORT,
    NO,
    NOBODY,
    OUTBOUND,
    PRIORITIES,
    SERVICE_SOURCES,
    SOURCES,
    STATUSES,
    WAITING,
    YES,
    export,
)  # fmt: skip
from fcrlib.intake.freshdesk.surveys import surveys
from fcrlib.model.desk import Desk, Dropped
from fcrlib.model.tables import RESOLVED_STATUSES

__all__ = ["CARRIES", "EXPORT", "SOURCE", "read"]

SOURCE = "freshdesk"
_FIELDS = {"category": "category", "subcategory": "subcategory", "product_area": "product area", "tier": "tier", "language": "language"}
_MERGED_INTO = r"(?i)\bmerged into (?:the )?ticket(?: with id)?:? ?#?(\d+)"
_MERGED_HERE = r"(?i)\bmerged into this ticket\b"
_MOVED = {
    name: rf"(?i)(?:\bset|,)\s*(?:{words_}) (?:as|to) ([^,\"\]]+)"
    for name, words_ in {"status": "status", "group": "group|assignment group", "agent": "agent|responder"}.items()
}
_CHILD, _TRACKER, _RELATED = "2", "3", "4"
_SURVEY_REPLY = "6"
_JUST = timedelta(seconds=1)
_SAME = timedelta(minutes=1)
"""An activity and the ticket may tell one change some seconds apart."""


def read(path: Path | str, **asked: Unpack[Asked]) -> Desk:
    """Read a Freshdesk or Freshservice export: a folder, a zip or a file with tickets and whatever else there is.

    Parameters
    ----------
    path
        JSON pages, lists or lines, or the CSV of the ticket list; `tickets` are needed, fetched with `include=stats,description`; `conversations`,
        `activities`, `satisfaction_ratings`, `surveys`, `agents`, `contacts`, `companies`, `groups`, `ticket_fields`, `time_entries` and
        `solution_articles` are used where they are there. Files are told by the list inside or by their name.
    asked
        What the reader may be told (`Asked`). Freshdesk does not say its data end, and its CSV has times without a zone; `fields` are names of custom
        fields, or headers of the CSV.

    Raises
    ------
    DataError
        If the export is broken, not whole, or not one of Freshdesk; everything wrong at once.
    UsageError
        If the data end is needed.
    """
    fields = asked.get("fields") or {}
    return reading.read(path, asked, title="Freshdesk", export=export(fields), canonical=_tables)


def _tables(hand: Reading) -> Tables:
    found = hand.found
    listed = found.table("tickets").with_columns(_somebody("agent"), _somebody("group"))
    tickets = hand.moments(listed, ["opened_at", "updated_at", "answered_at", "reopened_at", "resolved_at", "closed_at", "due_at"])
    said = _conversations(found)
    people = _people(hand, tickets, said)
    meanings = _meanings(hand, tickets)
    contacts = _contacts(hand, tickets, people, meanings)
    teams = people.with_columns(group=typed.labels("groups").list.first().replace(_names(found, "groups", "group_id")))
    return Tables(
        contacts=contacts,
        steps=_steps(hand, contacts, said, meanings),
        acted=partial(_acted, contacts=contacts, people=people),
        surveys=surveys(hand, tickets),
        identifiers=_identifiers(found, contacts, people),
        agents=assemble.agents(teams, key="user_id", kind="kind", group="group"),
        articles=hand.moments(found.table("articles"), ["updated_at"]),
        names=_full_names(tickets, people),
        first_status="open",
    )


def _somebody(column: str) -> pl.Expr:
    return pl.when(~pl.col(column).str.strip_chars().str.to_lowercase().is_in(NOBODY)).then(column)


def _full_names(tickets: pl.DataFrame, people: pl.DataFrame) -> pl.Series:
    """Of agents, contacts and requesters; a table of the screen has the names of agents where the API has their numbers."""
    agents = tickets["agent"].filter(tickets["agent"].str.contains(r"\p{L}"))
    return pl.concat([people["name"], tickets["requester_name"].alias("name"), agents.alias("name")])


def _full_name() -> pl.Expr:
    """Freshservice writes it in two parts."""
    return pl.concat_str("name", "last_name", separator=" ", ignore_nulls=True).replace("", None).alias("name")


def _names(found: Records, kind: str, key: str) -> dict[str, str]:
    return dict(found.table(kind).drop_nulls([key, "name"]).select(key, "name").iter_rows())


def _conversations(found: Records) -> pl.DataFrame:
    """Conversations of files of their own and of tickets that hold them; each once, in the order of the files."""
    own, apart = found.table("own_conversations"), found.table("conversations")
    both = pl.concat([apart, own.select(apart.columns)])
    named = both.filter(pl.col("id").is_not_null()).unique("id", keep="first", maintain_order=True)
    return pl.concat([named, both.filter(pl.col("id").is_null())]).with_columns(order=pl.int_range(pl.len(), dtype=pl.Int64))


def _people(hand: Reading, tickets: pl.DataFrame, said: pl.DataFrame) -> pl.DataFrame:
    """Everybody by `user_id`, with `kind`: agent, bot or customer. Who held a ticket or wrote a note was an agent, whether or not they are listed."""
    listed = hand.table("agents").select("user_id", _full_name(), "email", "groups")
    customers = hand.table("contacts").select(
        "user_id", _full_name(), "email", "phone", "mobile", "more_emails", "external_id", "account", "language"
    )
    inside = pl.col("private").is_in(YES) | pl.col("incoming").is_in(NO) & pl.col("automation").is_null() & ~pl.col("auto_response").is_in(YES).fill_null(False)  # fmt: skip
    held = [listed.select("user_id"), tickets.select(user_id="agent"), said.filter(inside).select("user_id"), hand.table("activities").select(user_id="agent")]  # fmt: skip
    agents = pl.concat(held).drop_nulls().unique(maintain_order=True).join(listed, on="user_id", how="left", maintain_order="left")
    bots = list(hand.bots)
    machine = flags.is_bot(pl.col("name")) | pl.col("user_id").is_in(bots) | pl.col("name").is_in(bots).fill_null(False)
    staff = agents.with_columns(kind=pl.when(machine).then(pl.lit("bot")).otherwise(pl.lit("agent")))
    rest = customers.join(staff, on="user_id", how="anti").with_columns(kind=pl.lit("customer"))
    return pl.concat([staff, rest], how="diagonal").filter(pl.col("user_id").is_not_null())


def _is_service(tickets: pl.DataFrame) -> bool:
    """Is it Freshservice? Only its tickets have a workspace, a department and somebody they are for."""
    return tickets["service"].count() > 0


def _meanings(hand: Reading, tickets: pl.DataFrame) -> dict[str, str]:
    """What each status means: the four of every desk, and custom ones by their names; a custom one never resolves."""
    choices = pl.concat([hand.table("choices"), hand.table("listed_choices")], how="diagonal").filter(pl.col("name") == "status")
    meanings = {**STATUSES, **({} if _is_service(tickets) else WAITING)}
    for code, names in choices.select("code", typed.labels("label", between="[|]")).iter_rows():
        spelled = [words.STATUS_WORDS.get(name.lower(), "") for name in names]
        own = next((word for word in spelled if word in ("open", "pending", "hold")), meanings.get(code, "open"))
        meaning = STATUSES[code] if code in ("2", "3", "4", "5") else own
        meanings |= {code: meaning, **{name.lower(): meaning for name in names}}
    used = pl.concat([tickets["status"], hand.table("activities")["status"]]).drop_nulls().unique().sort()
    custom = [code for code in used if code.isdigit() and int(code) > 5 and code not in meanings]
    if custom:
        hand.told.notes.append(f"custom statuses read as open: {', '.join(custom)}; ticket_fields would say their names")
    return {**meanings, **dict.fromkeys(custom, "open")}


def _contacts(hand: Reading, tickets: pl.DataFrame, people: pl.DataFrame, meanings: Mapping[str, str]) -> pl.DataFrame:
    """What the tickets and what counts them say, before their history is read."""
    told = hand.told
    sources = SERVICE_SOURCES if _is_service(tickets) else SOURCES
    known = typed.statuses(typed.channels(tickets, meanings=sources, told=told), "status", meanings=meanings, told=told)
    nobody = people.filter(flags.is_nobody(pl.col("name")) & pl.all_horizontal(pl.col("email", "phone", "mobile").is_null()))["user_id"]
    staff = people.filter(pl.col("kind") != "customer")["user_id"]
    asker = pl.coalesce("requester", pl.col("requester_email").str.to_lowercase())
    outbound = pl.col("channel_raw").str.to_lowercase().is_in(OUTBOUND).fill_null(False) & (not _is_service(tickets))
    other = typed.labels("associated").list.first()
    # Whoever has it today resolved it, unless it was open again since.
    resolved = pl.col("status").is_in(RESOLVED_STATUSES).fill_null(False) & pl.col("reopened_at").is_null()
    contacts = known.with_columns(
        is_spam=typed.yes("spam"),
        is_deleted=typed.yes("deleted"),
        tags=typed.labels("tags"),
        is_internal=asker.is_in(staff.implode()).fill_null(False),
        customer_ref=pl.when(~asker.is_in(pl.concat([nobody, staff]).implode())).then(asker),
        asker=asker,
        priority=pl.col("priority").replace(PRIORITIES).str.to_lowercase(),
        initiated_by=pl.when(outbound).then(pl.lit("company")),
        resolver_group=pl.when(resolved).then(pl.col("group").replace(_names(hand.found, "groups", "group_id"))),
        resolver_agent=pl.when(resolved).then("agent"),
        parent_id=pl.when(pl.col("association") == _CHILD).then(other),
        issue_key=pl.when(pl.col("association") == _TRACKER).then("contact_id").when(pl.col("association") == _RELATED).then(other),
    )
    return _measured(hand, flags.by_tags(_valued(hand, contacts)))


def _valued(hand: Reading, contacts: pl.DataFrame) -> pl.DataFrame:
    """Custom fields that hold our columns, by name with or without its `cf_`; else what stands beside: type, product, the company's tier."""
    found = hand.found
    named = pl.concat([found.table("own_values"), found.table("listed_values")]).with_columns(title=_plain(pl.col("field")))
    there = ", ".join(sorted(set(named["field"]))[:20]) or "none"
    for ours, theirs in {**_FIELDS, **hand.fields}.items():
        wanted = pl.select(_plain(pl.lit(theirs))).item()
        one = named.filter((pl.col("title") == wanted) & (pl.col("value").str.strip_chars() != "")).select("contact_id", pl.col("value").alias(ours))
        contacts = contacts.join(one.unique("contact_id", keep="last"), on="contact_id", how="left", maintain_order="left")
        if f"own {ours}" in contacts.columns:
            contacts = contacts.with_columns(pl.coalesce(ours, f"own {ours}").alias(ours))
        if ours in hand.fields and not contacts[ours].count():
            hand.told.notes.append(f"no field '{theirs}' holds the {ours}; the custom fields are {there}")
    tiers = found.table("companies").select(account_ref="account", company_tier="tier")
    spoken = found.table("contacts").select(requester="user_id", locale=pl.col("language").str.slice(0, 2).str.to_lowercase())
    both = contacts.join(tiers, on="account_ref", how="left", maintain_order="left").join(spoken, on="requester", how="left", maintain_order="left")
    return both.with_columns(
        category=pl.coalesce("category", "service_category", "type"),
        subcategory=pl.coalesce("subcategory", "service_subcategory"),
        product_area=pl.coalesce("product_area", pl.col("product").replace(_names(found, "products", "product"))),
        tier=pl.coalesce("tier", "company_tier"),
        language=pl.coalesce("language", "locale"),
    )


def _plain(name: pl.Expr) -> pl.Expr:
    return name.str.to_lowercase().str.strip_prefix("cf_").str.replace_all("_", " ", literal=True).str.strip_chars()


def _measured(hand: Reading, contacts: pl.DataFrame) -> pl.DataFrame:
    """Times, and the helpdesk's own figures; what was reopened has no first resolution that the ticket would know."""
    told = hand.told
    entries = typed.durations(hand.table("time_entries"), ["spent"], told=told)
    spent = entries.drop_nulls("contact_id").group_by("contact_id").agg(pl.col("spent").sum().alias("spent"))
    both = contacts.join(spent, on="contact_id", how="left", maintain_order="left")
    both = typed.numbers(typed.durations(both, ["tracked"], told=told), ["replies"], told=told)
    resolved = both.filter(pl.col("status").is_in(["solved", "closed"]))
    if blank := resolved.filter(pl.col("resolved_at").is_null() & pl.col("closed_at").is_null()).height:
        told.notes.append(f"{blank:,} of {resolved.height:,} resolved tickets do not say when: fetch them with include=stats")
    once = pl.coalesce("resolved_at", "closed_at")
    return both.with_columns(
        first_resolved_at=once,
        last_resolved_at=once,
        wait_seconds=(pl.col("answered_at") - pl.col("opened_at")).dt.total_seconds().cast(pl.Float64).clip(0),
        handle_seconds=pl.coalesce("spent", "tracked"),
        vendor_replies="replies",
        vendor_first_resolved_at=pl.when(pl.col("reopened_at").is_null()).then("resolved_at"),
        vendor_sla_met=_kept(),
    ).join(_merged(hand.found), on="contact_id", how="left", maintain_order="left")


def _kept() -> pl.Expr:
    """Was every promised time kept? The API marks what is late; the CSV writes a verdict once there is one."""
    late = [pl.col(name).is_in(YES) for name in ("escalated", "fr_escalated", "nr_escalated")]
    words_ = [pl.col(name).str.to_lowercase() for name in ("kept", "answered_in_time")]
    late += [pl.when(one.str.contains("within|violated")).then(one.str.contains("violated")) for one in words_]
    broken = pl.when(pl.any_horizontal(one.is_not_null() for one in late)).then(pl.any_horizontal(one.fill_null(False) for one in late))
    return promises.kept(broken=broken, running=pl.lit(True), over=pl.col("status").is_in(RESOLVED_STATUSES))


def _merged(found: Records) -> pl.DataFrame:
    """Which ticket was merged into which: a note in the one that went names the other."""
    notes = _conversations(found).select("contact_id", merged_into=pl.col("text").str.extract(_MERGED_INTO)).drop_nulls()
    return notes.filter(pl.col("contact_id") != pl.col("merged_into")).unique("contact_id", keep="last", maintain_order=True)


def _steps(hand: Reading, contacts: pl.DataFrame, said: pl.DataFrame, meanings: Mapping[str, str]) -> list[pl.DataFrame]:
    """Who did what to which ticket, when."""
    messages = _said(said.filter((pl.col("source") != _SURVEY_REPLY).fill_null(True)))
    replies = said.height - messages.height
    hand.told.dropped.append(Dropped(what="conversations", count=replies, why="they say that a survey was answered; no message of a customer"))
    # The export of activities writes the day first, whatever the rest does.
    moved = typed.moments(_activities(hand, meanings), ["at"], told=hand.told, time_zone=hand.time_zone, dates="day first")
    opened = contacts.filter(pl.col("body").is_not_null()).select(
        "contact_id",
        at="opened_at",
        actor_id=pl.when(pl.col("initiated_by").is_null()).then("asker"),
        kind=pl.lit("message"),
        public=pl.lit(True),
        text="body",
        outgoing=pl.col("initiated_by").is_not_null(),
        order=pl.lit(-1, dtype=pl.Int64),
    )
    return [opened, hand.moments(messages, ["at"]), moved, *_known_of(hand, contacts, moved)]


def _said(said: pl.DataFrame) -> pl.DataFrame:
    """Conversations as messages and notes; what the helpdesk writes about a merge is neither."""
    private, merge = pl.col("private").is_in(YES).fill_null(False), pl.col("text").str.contains(_MERGED_INTO).fill_null(False)
    system = pl.col("auto_response").is_in(YES).fill_null(False) | pl.col("automation").is_not_null()
    return said.filter(~pl.col("text").str.contains(_MERGED_HERE).fill_null(False)).select(
        "contact_id",
        "at",
        "order",
        instants.ROW,
        actor_id="user_id",
        kind=pl.when(merge).then(pl.lit("merge")).when(private).then(pl.lit("note")).otherwise(pl.lit("message")),
        public=~private & ~merge,
        text=pl.when(~merge).then("text"),
        is_auto=system & ~private,
        system=system,
        outgoing=pl.col("incoming").is_in(NO).fill_null(False) | private,
    )


def _activities(hand: Reading, meanings: Mapping[str, str]) -> pl.DataFrame:
    """Changes of status, team and agent; Freshservice tells them in sentences."""
    text = pl.concat_str(pl.col("content").fill_null(""), pl.col("parts").fill_null(""), separator=",")
    sentences = {name: pl.coalesce(name, text.str.extract(pattern).str.strip_chars()) for name, pattern in _MOVED.items()}
    moved = hand.table("activities").with_columns(**sentences).with_columns(order=pl.int_range(pl.len(), dtype=pl.Int64) + _AFTER)
    moved = typed.statuses(moved, "status", meanings=meanings, told=hand.told).with_columns(_somebody("agent"), _somebody("group"))
    # Sentences name people; elsewhere they are numbers.
    numbers = assemble.ids_by_name(hand.table("agents").select(_full_name(), "user_id"), name="name", key="user_id")
    shared = moved.select(
        "contact_id", "at", "order", instants.ROW, "status", "agent", "group", actor_id="performer",
        system=(pl.col("performer_type") == "system").fill_null(False) | pl.col("performer").is_null(),
    )  # fmt: skip
    status = shared.filter(pl.col("status").is_not_null()).with_columns(kind=pl.lit("status")).rename({"status": "status_to"})
    named = pl.col("group").replace(_names(hand.found, "groups", "group_id"))
    handed = shared.filter(pl.col("group").is_not_null() | pl.col("agent").is_not_null()).with_columns(kind=pl.lit(assemble.HANDOVER), group_to=named)
    given = handed.with_columns(agent_to=pl.col("agent").replace(numbers)).drop("agent", "status", "group")
    return pl.concat([status.drop("agent", "group"), given], how="diagonal")


_AFTER = 2**40
"""What stands in the activities comes after the conversations of the same second."""


def _known_of(hand: Reading, contacts: pl.DataFrame, moved: pl.DataFrame) -> list[pl.DataFrame]:
    """What the ticket itself knows of a history that no activity tells, or none any more: its last reopening, resolution and closing.

    It had been resolved when it was reopened; when at the latest is all that is known of the first time. That is just before the reopening: at the
    very same moment it would be none, and what came back would count as resolved at first contact.
    """
    until = moved.filter(pl.col("kind") == "status").group_by("contact_id").agg(until=pl.col("at").max() + _SAME)
    known = contacts.join(until, on="contact_id", how="left", maintain_order="left")
    later = [pl.when((pl.col(name) > pl.col("until")).fill_null(True)).then(name).alias(name) for name in ("reopened_at", "resolved_at", "closed_at")]
    before = (pl.col("resolved_at") < pl.col("reopened_at")).fill_null(False)
    rest = known.with_columns(before=before).with_columns(later)
    again = pl.col("reopened_at").is_not_null() & ~pl.col("before")
    if until.is_empty() and not rest["reopened_at"].count():
        return []
    if hidden := int(rest.select(again.sum()).item()):
        hand.told.notes.append(
            f"{hidden:,} tickets were reopened, and when they were first resolved is not told: the reopening stands in, they were resolved by then; the activities would tell it"
        )
    rest = rest.with_columns(resolved_by_then=pl.max_horizontal(pl.col("reopened_at") - _JUST, "opened_at"))
    told_of = [("solved", "resolved_by_then", again), ("open", "reopened_at", None), ("solved", "resolved_at", None), ("closed", "closed_at", None)]
    return [
        rest.filter(pl.col(column).is_not_null() & (True if when is None else when)).select(
            "contact_id", at=column, order=pl.lit(place, dtype=pl.Int64), kind=pl.lit("status"), status_to=pl.lit(word), actor=pl.lit("unknown")
        )
        for place, (word, column, when) in enumerate(told_of)
    ]


def _acted(steps: pl.DataFrame, contacts: pl.DataFrame, people: pl.DataFrame) -> pl.DataFrame:
    """Who acted: the asker, an agent, a machine, the system; somebody else in a side conversation is nobody we know."""
    asked = contacts.select("contact_id", "customer_ref", "asker", "is_side_conversation", channel="channel")
    kinds = people.select(actor_id="user_id", person="kind").unique("actor_id")
    blank = {"actor": pl.String, "system": pl.Boolean, "outgoing": pl.Boolean, "is_auto": pl.Boolean, "public": pl.Boolean}
    steps = steps.with_columns(pl.lit(None, dtype=dtype).alias(name) for name, dtype in blank.items() if name not in steps.columns)
    steps = steps.join(asked, on="contact_id", how="left", maintain_order="left").join(kinds, on="actor_id", how="left", maintain_order="left")
    staff = pl.col("person").is_in(["agent", "bot"]).fill_null(False)
    stranger = pl.col("is_side_conversation").fill_null(False) & ~staff & (pl.col("actor_id") != pl.col("asker")).fill_null(False)
    actor = pl.coalesce(
        "actor",
        pl.when(pl.col("system").fill_null(False)).then(pl.lit("system")),
        pl.when(stranger).then(pl.lit("unknown")),
        pl.when(staff).then("person"),
        pl.when(pl.col("outgoing").fill_null(False)).then(pl.lit("agent")).otherwise(pl.lit("customer")),
    )
    customer, message = actor == "customer", pl.col("kind") == "message"
    unnamed = stranger | (actor == "system") | (customer & pl.col("customer_ref").is_null())
    return steps.with_columns(
        actor=actor,
        actor_id=pl.when(~unnamed).then("actor_id"),
        channel=pl.when(message).then("channel"),
    ).select(pl.exclude("customer_ref", "asker", "is_side_conversation", "person", "system", "outgoing", instants.ROW))


def _identifiers(found: Records, contacts: pl.DataFrame, people: pl.DataFrame) -> pl.DataFrame:
    """What customers are known by: their own fields, further addresses, and what the tickets say of them."""
    customers = people.filter(pl.col("kind") == "customer").rename({"user_id": "customer_ref"})
    further = customers.select("customer_ref", email=typed.labels("more_emails")).explode("email").drop_nulls()
    asked = contacts.select("customer_ref", email="requester_email", phone="requester_phone").drop_nulls("customer_ref").unique(maintain_order=True)
    own = assemble.identity(customers, source=SOURCE, email="email", phone="phone", external="external_id", account="account")
    more = [
        assemble.identity(one, source=SOURCE, **kinds)
        for one, kinds in ((further, {"email": "email"}), (customers, {"phone": "mobile"}), (asked, {"email": "email", "phone": "phone"}))
    ]
    return pl.concat([own, *more]).unique(maintain_order=True)
