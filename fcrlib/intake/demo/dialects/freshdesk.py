"""How would Freshdesk export the invented desk?

Tickets in bare lists with records that stand on two of them; numbers for statuses and sources; the export of activities with its own way to write a
date; conversations that say that a survey was answered; ratings on a scale of five steps; working time in whole minutes.
"""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import polars as pl

from fcrlib.intake.demo.dialects import promises, sheets, spelling
from fcrlib.model.desk import Desk
from fcrlib.model.tables import RESOLVED_STATUSES, conform

ANONYMOUS, PARTNER = "899000001", "899000002"
_SOURCES = {"email": "1", "web": "2", "phone": "3", "chat": "7", "messaging": "13", "social": "5", "in_app": "8"}
_OUTBOUND = "10"
_STATUSES = {"open": 2, "pending": 3, "solved": 4, "closed": 5, "hold": 7}
_LABELS = {"open": "Open", "pending": "Pending", "solved": "Resolved", "closed": "Closed", "hold": "Waiting on Third Party"}
_PRIORITIES = {"low": 1, "medium": 2, "high": 3, "urgent": 4}
_FIELDS = ("category", "subcategory", "product_area", "tier", "language")
_TAGS = {"is_test": "test", "is_internal": "internal", "is_side_conversation": "created_for_side_conversation"}
_RATINGS = {0.0: "-103", 0.25: "-102", 0.5: "100", 0.75: "102", 1.0: "103"}
_OVERLAP = 3
_PHONES = 2
"""A contact has a phone and a mobile, and no third."""


def asked(desk: Desk) -> dict[str, object]:
    """What Freshdesk does not say: when it was exported."""
    return {"data_end": desk.manifest.data_end}


def respelled(desk: Desk) -> Desk:
    """The desk as Freshdesk knows it: born open, without calls and offers of surveys, company-initiated tickets as outbound e-mails."""
    known = spelling.numbered(desk, source="freshdesk")
    events = _events(known)
    contacts = _contacts(known, events)
    channels = events.drop("channel").join(contacts.select("contact_id", "channel"), on="contact_id", how="left", maintain_order="left")
    # An outbound e-mail is the ticket's description, and that has no author.
    begun = (pl.col("seq") == 0) & (pl.col("actor") == "agent")
    heard = channels.with_columns(
        channel=pl.when(pl.col("kind") == "message").then("channel"),
        actor_id=pl.when(~(begun & (pl.col("kind") == "message"))).then("actor_id"),
    )
    nth = pl.int_range(pl.len()).over("customer_ref", "kind")
    reachable = known.identifiers.sort("customer_ref", "kind", "value_norm").filter((pl.col("kind") != "phone") | (nth < _PHONES))
    return replace(known, contacts=contacts, events=conform(heard, table="events"), surveys=_surveys(known.surveys), identifiers=reachable)


def write(desk: Desk, folder: Path) -> None:
    """Write a respelled desk as tickets, conversations, activities, ratings, people, groups, time entries and articles."""
    groups = sorted({*desk.contacts["first_group"].drop_nulls(), *desk.events["group_to"].drop_nulls(), *desk.agents["group"].drop_nulls()})
    numbers = {name: 36_000_001 + position for position, name in enumerate(groups)}
    tickets = desk.contacts.with_columns(requester=pl.col("customer_ref").fill_null(ANONYMOUS))
    _lists(_tickets(desk, tickets, numbers), folder=folder)
    sheets.lines(_conversations(desk, tickets), file=folder / "conversations.ndjson")
    _wrapped(_activities(desk, tickets), file=folder / "activities.json", name="activities_data")
    _wrapped(_ratings(desk.surveys), file=folder / "satisfaction_ratings.json", name="satisfaction_ratings")
    _people(desk, tickets, numbers, folder)
    _whole(folder / "groups.json", [{"id": number, "name": name} for name, number in numbers.items()])
    steps = [int(step) for step in sorted(_RATINGS.values(), key=int)]
    _whole(folder / "surveys.json", [{"id": 1, "questions": [{"id": "default_question", "default": True, "accepted_ratings": steps}]}])
    choices = {str(_STATUSES[word]): [label, label] for word, label in _LABELS.items()}
    _whole(folder / "ticket_fields.json", [{"id": 1, "name": "status", "label": "Status", "choices": choices}])
    spent = tickets.select("contact_id", minutes=(pl.col("handle_seconds") / 60).cast(pl.Int64)).drop_nulls()
    halves = pl.concat([spent.with_columns(pl.col("minutes") // 2), spent.with_columns(pl.col("minutes") - pl.col("minutes") // 2)])
    sheets.lines(sheets.as_json(_entries(halves)), file=folder / "time_entries.ndjson")
    articles = desk.articles.select("title", "updated_at", id=_number("article_id"))
    _wrapped(sheets.as_json(articles), file=folder / "solution_articles.json", name="articles")


def _contacts(desk: Desk, events: pl.DataFrame) -> pl.DataFrame:
    asked = events.filter(actor="customer").group_by("contact_id").agg(pl.col("actor_id").drop_nulls().first().alias("asked"))
    first = events.filter(kind="message").group_by("contact_id", maintain_order=True).agg(pl.col("text").first().alias("first_text"))
    again = _reopened(events).group_by("contact_id").agg(pl.len().alias("again"))
    contacts = promises.promised(desk.contacts, data_end=desk.manifest.data_end)
    for more in (asked, first, again):
        contacts = contacts.join(more, on="contact_id", how="left", maintain_order="left")
    missed = {"missed_chat": pl.col("is_abandoned") & (pl.col("channel") != "phone"), "abandoned_call": pl.col("is_abandoned") & (pl.col("channel") == "phone")}  # fmt: skip
    labels = {**{word: pl.col(flag) for flag, word in _TAGS.items()}, **missed}
    added = [pl.when(when).then(pl.lit([word])).otherwise(pl.lit([], dtype=pl.List(pl.String))) for word, when in labels.items()]
    outbound, word = pl.col("initiated_by") == "company", pl.col("channel").cast(pl.String)
    channel = pl.when(outbound).then(pl.lit("email")).when(word.is_in(["api", "other"])).then(pl.lit("web")).otherwise(word)
    spelled = contacts.with_columns(
        customer_ref=pl.coalesce("customer_ref", "asked"),
        body="first_text",
        channel=channel,
        channel_raw=pl.when(outbound).then(pl.lit(_OUTBOUND)).otherwise(channel.replace_strict(_SOURCES)),
        priority=pl.col("priority").replace({"normal": "medium"}),
        status=pl.col("status").cast(pl.String).replace({"new": "open"}),
        issue_key=spelling.number("")(pl.col("issue_key")),
        parent_id=pl.when(pl.col("issue_key").is_null()).then("parent_id"),
        tags=pl.concat_list("tags", *added),
        handle_seconds=pl.col("handle_seconds") // 60 * 60,
        vendor_first_resolved_at=pl.when(pl.col("again").is_null()).then("last_resolved_at"),
        vendor_sla_met=pl.when(pl.col("status").is_in(RESOLVED_STATUSES) | ~pl.col("vendor_sla_met")).then("vendor_sla_met"),
    )
    return conform(spelled, table="contacts").sort("source", "contact_id")


def _events(desk: Desk) -> pl.DataFrame:
    """Changes and messages only. Every change has an author: whoever hands a ticket over is the one who held it."""
    told = desk.events.filter(~pl.col("kind").is_in(["call_leg", "survey", "article"])).with_columns(
        pl.col("status_from", "status_to").cast(pl.String).replace({"new": "open"}), pl.col("kind", "actor").cast(pl.String)
    )
    changed = told.filter((pl.col("kind") != "status") | (pl.col("status_from") != pl.col("status_to")))
    bots = desk.agents.filter(kind="bot")["agent_id"].implode()
    handed = pl.col("kind").is_in(spelling.HANDOVERS) & (pl.col("actor") == "agent")
    holder = pl.when(~pl.col("agent_from").is_in(bots)).then("agent_from")
    author = pl.when(handed).then(pl.coalesce("actor_id", holder, "agent_to")).otherwise("actor_id")
    machine = pl.col("actor_id").is_in(bots) & (pl.col("actor") == "agent")
    moved = pl.when(pl.col("group_from") != pl.col("group_to")).then(pl.lit("transfer")).otherwise(pl.lit("assignment"))
    kind = pl.when(pl.col("kind").is_in(spelling.HANDOVERS)).then(moved).otherwise("kind")
    actor = pl.when(machine).then(pl.lit("bot")).otherwise("actor")
    spelled = changed.with_columns(actor_id=author, kind=kind).with_columns(actor=actor)
    return conform(spelled, table="events").sort("source", "contact_id", "seq")


def _reopened(events: pl.DataFrame) -> pl.DataFrame:
    done = list(RESOLVED_STATUSES)
    return events.filter(pl.col("status_from").is_in(done), ~pl.col("status_to").is_in(done))


def _surveys(surveys: pl.DataFrame) -> pl.DataFrame:
    answers = surveys.filter(pl.col("csat").is_not_null()).with_columns(
        csat_raw=pl.col("csat").replace_strict(_RATINGS, return_dtype=pl.String), csat_scale=pl.lit("5-step")
    )
    return conform(answers, table="surveys")


def _number(column: str) -> pl.Expr:
    return pl.col(column).cast(pl.Int64)


def _tickets(desk: Desk, tickets: pl.DataFrame, groups: dict[str, int]) -> pl.Series:
    last = _reopened(desk.events).group_by("contact_id").agg(pl.col("at").max().alias("reopened_at"))
    issues = tickets["issue_key"].drop_nulls().implode()
    other = pl.coalesce("issue_key", "parent_id")
    tracker = pl.col("contact_id").is_in(issues)
    kind = pl.when(tracker).then(3).when(pl.col("issue_key").is_not_null()).then(4).when(pl.col("parent_id").is_not_null()).then(2)
    values = pl.struct(*(pl.col(name).alias(f"cf_{name}") for name in _FIELDS))
    moment = {"resolved_at": "last_resolved_at", "reopened_at": "reopened_at", "closed_at": "closed_at"}
    answered = pl.col("opened_at") + pl.duration(seconds=pl.col("wait_seconds"))
    stats = pl.struct(
        *(_stamp(pl.col(column)).alias(name) for name, column in moment.items()), _stamp(answered).alias("first_responded_at")
    )  # fmt: skip
    known = tickets.join(last, on="contact_id", how="left", maintain_order="left")
    return sheets.as_json(
        known.select(
            _number("contact_id").alias("id"),
            "subject",
            pl.col("body").alias("description_text"),
            pl.col("status").cast(pl.String).replace_strict(_STATUSES, return_dtype=pl.Int64).alias("status"),
            pl.col("priority").replace_strict(_PRIORITIES, return_dtype=pl.Int64).alias("priority"),
            _number("channel_raw").alias("source"),
            _number("requester").alias("requester_id"),
            _number("resolver_agent").alias("responder_id"),
            pl.col("resolver_group").replace_strict(groups, default=None, return_dtype=pl.Int64).alias("group_id"),
            _number("account_ref").alias("company_id"),
            pl.col("is_spam").alias("spam"),
            pl.when("is_deleted").then(pl.lit(True)).alias("deleted"),
            kind.alias("association_type"),
            pl.when(~tracker & other.is_not_null()).then(pl.concat_list(other.cast(pl.Int64))).alias("associated_tickets_list"),
            pl.col("due_at").alias("due_by"),
            (pl.col("opened_at") + pl.duration(seconds=pl.when(pl.col("due_at").is_not_null()).then(promises.ANSWERED))).alias("fr_due_by"),
            promises.late(desk.manifest.data_end).alias("is_escalated"),
            promises.late_answer().alias("fr_escalated"),
            "tags",
            values.alias("custom_fields"),
            stats.alias("stats"),
            pl.col("opened_at").alias("created_at"),
            pl.coalesce("closed_at", "last_resolved_at", "opened_at").alias("updated_at"),
            pl.lit([], dtype=pl.List(pl.String)).alias("cc_emails"),
        )
    )


def _stamp(moment: pl.Expr) -> pl.Expr:
    return moment.dt.strftime("%Y-%m-%dT%H:%M:%SZ")


def _conversations(desk: Desk, tickets: pl.DataFrame) -> pl.Series:
    """Everything said but the first message, which is the ticket's description; and what says that a survey was answered."""
    known = desk.events.join(tickets.select("contact_id", "requester", "merged_into"), on="contact_id")
    said = known.filter(pl.col("kind").is_in(["message", "note", "merge"]))
    first = pl.int_range(pl.len()).over("contact_id") == pl.when(pl.col("kind") == "message").then(pl.int_range(pl.len()).over("contact_id")).min().over("contact_id")  # fmt: skip
    rest = said.filter(~first)
    system = pl.col("actor") == "system"
    author = pl.when(system).then(None).when(pl.col("actor") == "unknown").then(pl.lit(PARTNER)).otherwise(pl.coalesce("actor_id", "requester"))
    merged = pl.format("This ticket is closed and merged into ticket {}", "merged_into")
    spoken = rest.select(
        ticket_id=_number("contact_id"),
        body_text=pl.when(pl.col("kind") == "merge").then(merged).otherwise("text"),
        incoming=pl.col("actor").is_in(["customer", "unknown"]),
        private=pl.col("kind") != "message",
        user_id=author.cast(pl.Int64),
        source=pl.when(pl.col("kind") == "message").then(0).otherwise(2),
        auto_response=pl.col("is_auto"),
        created_at="at",
    )
    answers = desk.surveys.join(tickets.select("contact_id", "requester"), on="contact_id").select(
        ticket_id=_number("contact_id"),
        body_text=pl.col("comment").fill_null("Rated"),
        incoming=pl.lit(True),
        private=pl.lit(False),
        user_id=_number("requester"),
        source=pl.lit(6),
        auto_response=pl.lit(False),
        created_at="answered_at",
    )
    return sheets.as_json(pl.concat([spoken, answers], how="vertical_relaxed").with_row_index("id", offset=700_000_001))


def _activities(desk: Desk, tickets: pl.DataFrame) -> pl.Series:
    kinds = ["status", *spelling.HANDOVERS]
    known = desk.events.filter(pl.col("kind").is_in(kinds)).join(tickets.select("contact_id", "requester"), on="contact_id")
    user = pl.col("actor") != "system"
    activity = pl.struct(
        status=pl.col("status_to").cast(pl.String).replace_strict(_LABELS, default=None, return_dtype=pl.String),
        agent_id=_number("agent_to"),
        group="group_to",
    )
    return sheets.as_json(
        known.select(
            performed_at=pl.col("at").dt.strftime("%d-%m-%Y %H:%M:%S +0000"),
            ticket_id=_number("contact_id"),
            performer_type=pl.when(user).then(pl.lit("user")).otherwise(pl.lit("system")),
            performer_id=pl.when(user).then(pl.coalesce("actor_id", "requester")).cast(pl.Int64),
            activity=activity,
        )
    )


def _ratings(surveys: pl.DataFrame) -> pl.Series:
    return sheets.as_json(
        surveys.select(
            id=pl.int_range(pl.len()) + 600_000_000,
            survey_id=pl.lit(1),
            ticket_id=_number("contact_id"),
            feedback="comment",
            ratings=pl.struct(default_question=_number("csat_raw")),
            created_at="answered_at",
        )
    )


def _people(desk: Desk, tickets: pl.DataFrame, groups: dict[str, int], folder: Path) -> None:
    """Contacts with one address, a phone and a mobile each, further addresses in a list; agents with their groups."""
    keys = desk.identifiers.sort("customer_ref", "kind", "value_norm").with_columns(pl.col("kind").cast(pl.String))
    listed = keys.group_by("customer_ref", maintain_order=True).agg(
        pl.col("value_norm").filter(pl.col("kind") == kind).alias(kind) for kind in ("email", "phone", "account")
    )
    everybody = pl.concat([keys["customer_ref"], tickets["requester"]]).unique().sort().to_frame("customer_ref")
    known = everybody.join(listed, on="customer_ref", how="left", maintain_order="left")
    who = pl.col("customer_ref")
    contacts = known.select(
        _number("customer_ref").alias("id"),
        pl.when(who == ANONYMOUS).then(pl.lit("Anonymous")).otherwise(pl.format("Customer {}", who)).alias("name"),
        pl.col("email").list.first().alias("email"),
        pl.col("email").list.slice(1).alias("other_emails"),
        pl.col("phone").list.get(0, null_on_oob=True).alias("phone"),
        pl.col("phone").list.get(1, null_on_oob=True).alias("mobile"),
        pl.col("account").list.first().cast(pl.Int64).alias("company_id"),
    )
    partner = pl.DataFrame({"id": [int(PARTNER)], "name": ["A partner"]})
    sheets.lines(sheets.as_json(pl.concat([contacts, partner], how="diagonal")), file=folder / "contacts.ndjson")
    name = pl.when(pl.col("kind") == "bot").then(pl.lit("Answer Bot")).otherwise(pl.format("Agent {}", "agent_id"))
    home = pl.col("group").replace_strict(groups, default=None, return_dtype=pl.Int64)
    agents = desk.agents.select(id=_number("agent_id"), contact=pl.struct(name=name), group_ids=pl.concat_list(home))
    _wrapped(sheets.as_json(agents), file=folder / "agents.json", name="agents")


def _entries(halves: pl.DataFrame) -> pl.DataFrame:
    clock = pl.format("{}:{}", (pl.col("minutes") // 60).cast(pl.String).str.zfill(2), (pl.col("minutes") % 60).cast(pl.String).str.zfill(2))
    return halves.select(id=pl.int_range(pl.len()) + 500_000_000, ticket_id=_number("contact_id"), time_spent=clock, billable=pl.lit(True))


def _lists(records: pl.Series, *, folder: Path) -> None:
    """Bare lists, as the API gives them; a ticket that changed meanwhile stands on two."""
    for number, start in enumerate(range(0, max(len(records), 1), sheets.PAGE), start=1):
        before = _OVERLAP if number > 1 else 0
        some = records.slice(start - before, sheets.PAGE + before)
        (folder / f"tickets_{number}.json").write_text(f"[{','.join(some)}]\n", encoding="utf-8")


def _wrapped(records: pl.Series, *, file: Path, name: str) -> None:
    file.write_text(f'{{"{name}": [{",".join(records)}]}}\n', encoding="utf-8")


def _whole(file: Path, rows: list[dict[str, object]]) -> None:
    file.write_text(json.dumps(rows, ensure_ascii=False, indent=1), encoding="utf-8")
