"""How would HubSpot export the invented desk?

Tickets in pages of results with the history of their stage, owner and team, the newest first, and values that are texts; customers move a ticket
through automations; e-mails that stand in their conversation and on the ticket; three surveys that each send their own answer; milliseconds.
"""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import polars as pl

from fcrlib.intake.demo.dialects import promises, sheets, spelling
from fcrlib.model.desk import Desk
from fcrlib.model.tables import conform

PIPELINE = "7700"
_STAGES = {"new": "7701", "open": "7702", "pending": "7703", "hold": "7704", "solved": "7705", "closed": "7706"}
_LABELS = {"new": "New", "open": "Waiting on us", "pending": "Waiting on contact", "hold": "On hold", "solved": "Resolved", "closed": "Closed"}
_SOURCES = {"email": "EMAIL", "web": "FORM", "chat": "CHAT", "messaging": "WHATSAPP", "phone": "PHONE"}
_CHANNELS = {"chat": "1000", "messaging": "1007", "email": "1002"}
_HEARD_AS = {"social": "messaging", "in_app": "chat", "api": "other"}
_PARTNER = "899000002"
_TAGS = {"is_test": "test", "is_internal": "internal", "is_side_conversation": "created_for_side_conversation", "is_spam": "spam"}
_OWN = ("subcategory", "product_area", "tier", "language")
_PHONES = 2
"""A contact has a phone and a mobile, and no third."""
_MOVES = {"hs_pipeline_stage": "status_to", "hubspot_owner_id": "agent_to", "hubspot_team_id": "group_to"}


def asked(desk: Desk) -> dict[str, object]:
    """What HubSpot does not say: when it was exported."""
    return {"data_end": desk.manifest.data_end}


def respelled(desk: Desk) -> Desk:
    """The desk as HubSpot knows it: what a customer moved was moved by an automation, a call is one record, satisfaction has three steps."""
    known = spelling.numbered(desk, source="hubspot", article="")
    events = _events(known)
    contacts = _contacts(known, events)
    channels = events.drop("channel").join(contacts.select("contact_id", "channel"), on="contact_id", how="left", maintain_order="left")
    leg = pl.when(pl.col("kind") == "call_leg").then(pl.lit("phone"))
    heard = channels.with_columns(channel=pl.when(pl.col("kind") == "message").then(pl.col("channel").cast(pl.String)).otherwise(leg))
    nth = pl.int_range(pl.len()).over("customer_ref", "kind")
    reachable = known.identifiers.sort("customer_ref", "kind", "value_norm").filter((pl.col("kind") != "phone") | (nth < _PHONES))
    return replace(known, contacts=contacts, events=conform(heard, table="events"), surveys=_surveys(known.surveys), identifiers=reachable)


def write(desk: Desk, folder: Path) -> None:
    """Write a respelled desk as tickets, contacts, owners, pipelines, teams, conversations, e-mails, notes, calls and survey answers."""
    names = sorted({*desk.contacts["first_group"].drop_nulls(), *desk.events["group_to"].drop_nulls(), *desk.agents["group"].drop_nulls()})
    teams = {name: str(36_000_001 + position) for position, name in enumerate(names)}
    _results(_tickets(desk, teams), folder=folder, name="tickets")
    _people(desk, teams, folder)
    _results(_threads(desk), folder=folder, name="threads")
    _results(_messages(desk), folder=folder, name="messages")
    _results(_emails(desk), folder=folder, name="emails")
    _results(_notes(desk), folder=folder, name="notes")
    _results(_calls(desk), folder=folder, name="calls")
    _results(_feedback(desk.surveys), folder=folder, name="feedback_submissions")
    stages = [
        {"id": number, "label": _LABELS[word], "metadata": {"isClosed": "true" if word in ("solved", "closed") else "false"}}
        for word, number in _STAGES.items()
    ]
    whole = {"results": [{"id": PIPELINE, "label": "Help desk", "stages": stages}]}
    (folder / "pipelines.json").write_text(json.dumps(whole), encoding="utf-8")
    rows = [{"id": number, "name": name} for name, number in teams.items()]
    (folder / "teams.json").write_text(json.dumps({"results": rows}), encoding="utf-8")


def _contacts(desk: Desk, events: pl.DataFrame) -> pl.DataFrame:
    asked = events.filter(actor="customer").group_by("contact_id").agg(pl.col("actor_id").drop_nulls().first().alias("asked"))
    called = events.filter(kind="call_leg").select("contact_id", called=pl.lit(True)).unique()
    promised = promises.promised(desk.contacts, data_end=desk.manifest.data_end)
    contacts = promised.join(asked, on="contact_id", how="left", maintain_order="left")
    contacts = contacts.join(called, on="contact_id", how="left", maintain_order="left")
    missed = {"missed_chat": pl.col("is_abandoned") & (pl.col("channel") != "phone"), "abandoned_call": pl.col("is_abandoned") & (pl.col("channel") == "phone")}  # fmt: skip
    labels = {**{word: pl.col(flag) for flag, word in _TAGS.items()}, **missed}
    added = [pl.when(when & ~pl.col("tags").list.contains(word)).then(pl.lit([word])).otherwise(pl.lit([], dtype=pl.List(pl.String))) for word, when in labels.items()]  # fmt: skip
    channel = pl.col("channel").cast(pl.String).replace(_HEARD_AS)
    spelled = contacts.with_columns(
        customer_ref=pl.coalesce("customer_ref", "asked"),
        channel=channel,
        channel_raw=channel.replace_strict(_SOURCES, default=None, return_dtype=pl.String),
        tags=pl.concat_list("tags", *added),
        talk_seconds=pl.when(pl.col("called")).then("talk_seconds"),
        resolved_by=pl.col("resolved_by").cast(pl.String).replace({"customer": "automation"}),
        vendor_one_touch=(pl.col("vendor_replies") <= 1) & (pl.col("vendor_reopens") == 0),
        vendor_first_resolved_at="last_resolved_at",
    )
    return conform(spelled, table="contacts").sort("source", "contact_id")


def _events(desk: Desk) -> pl.DataFrame:
    """Messages, notes, one leg a call, and moves; whoever hands a ticket over is the one who held it."""
    mine = (pl.col("kind") == "call_leg") & (pl.col("actor") == "agent")
    leg = pl.when(mine).then(pl.col("seq")).min().over("contact_id") == pl.col("seq")
    told = desk.events.filter(
        ~pl.col("kind").is_in(["survey", "article", "merge", "call_leg"]) | (mine & leg)
    ).with_columns(pl.col("kind", "actor").cast(pl.String))  # fmt: skip
    bots = desk.agents.filter(kind="bot")["agent_id"].implode()
    handed = pl.col("kind").is_in(spelling.HANDOVERS) & (pl.col("actor") == "agent")
    holder = pl.when(~pl.col("agent_from").is_in(bots)).then("agent_from")
    author = pl.when(handed).then(pl.coalesce("actor_id", holder, "agent_to")).otherwise("actor_id")
    machine = pl.col("actor_id").is_in(bots) & (pl.col("actor") == "agent")
    moved = pl.when(pl.col("group_from") != pl.col("group_to")).then(pl.lit("transfer")).otherwise(pl.lit("assignment"))
    through = (pl.col("kind") == "status") & (pl.col("actor") == "customer")
    spelled = told.with_columns(
        actor_id=pl.when(~through).then(author),
        kind=pl.when(pl.col("kind").is_in(spelling.HANDOVERS)).then(moved).otherwise("kind"),
        actor=pl.when(machine).then(pl.lit("bot")).when(through).then(pl.lit("system")).otherwise("actor"),
    )
    return conform(spelled.with_columns(actor=pl.when(pl.col("actor_id").is_in(bots)).then(pl.lit("bot")).otherwise("actor")), table="events").sort("source", "contact_id", "seq")  # fmt: skip


def _surveys(surveys: pl.DataFrame) -> pl.DataFrame:
    answers = surveys.filter(pl.col("answered_at").is_not_null())
    step = pl.when(pl.col("csat") >= 0.75).then(2).when(pl.col("csat") == 0.5).then(1).when(pl.col("csat").is_not_null()).then(0)
    scale = pl.when(pl.col("csat").is_not_null()).then(pl.lit("0-2"))
    return conform(answers.with_columns(csat_raw=step.cast(pl.String), csat_scale=scale, csat=step / 2), table="surveys")


def _stamp(moment: str) -> pl.Expr:
    return pl.col(moment).dt.strftime("%Y-%m-%dT%H:%M:%SZ")


def _histories(desk: Desk, teams: dict[str, str]) -> pl.DataFrame:
    """Per ticket the rows of each history, the newest first."""
    kinds = ["status", "assignment", "transfer"]
    moves = desk.events.filter(pl.col("kind").is_in(kinds)).select(
        "contact_id", "at", "seq", "actor", "actor_id", "agent_to",
        status_to=pl.col("status_to").cast(pl.String).replace_strict(_STAGES, default=None, return_dtype=pl.String),
        group_to=pl.col("group_to").replace_strict(teams, default=None, return_dtype=pl.String),
    )  # fmt: skip
    born = desk.contacts.select("contact_id", at="opened_at", seq=pl.lit(-1, dtype=pl.Int64), status_to=pl.lit(_STAGES["new"]))
    rows = pl.concat([born, moves.with_columns(pl.col("actor").cast(pl.String))], how="diagonal")
    user = pl.when(pl.col("actor").is_in(["agent", "bot"])).then(_user("actor_id"))
    source = pl.when(pl.col("actor") == "agent").then(pl.lit("CRM_UI")).when(pl.col("actor") == "bot").then(pl.lit("BOT")).otherwise(pl.lit("AUTOMATION_PLATFORM"))  # fmt: skip
    newest = rows.with_columns(user=user, source=source, timestamp=_stamp("at")).sort("contact_id", "at", "seq", descending=[False, True, True])
    return newest.group_by("contact_id", maintain_order=True).agg(
        pl.struct(
            value=pl.col(column), timestamp="timestamp", sourceType="source", sourceId=pl.format("userId:{}", "user"), updatedByUserId="user"
        ).filter(pl.col(column).is_not_null()).alias(name)
        for name, column in _MOVES.items()
    )  # fmt: skip


def _user(owner: str) -> pl.Expr:
    """The number of an owner as a user is another one."""
    return (pl.col(owner).cast(pl.Int64) + 40_000_000).cast(pl.String)


def _tickets(desk: Desk, teams: dict[str, str]) -> pl.Series:
    gone = desk.contacts.drop_nulls("merged_into").group_by("merged_into").agg(pl.col("contact_id").sort().str.join(";").alias("gone"))
    known = desk.contacts.join(gone, left_on="contact_id", right_on="merged_into", how="left", maintain_order="left")
    known = known.join(_histories(desk, teams), on="contact_id", how="left", maintain_order="left")
    answered = pl.col("opened_at") + pl.duration(seconds=pl.col("wait_seconds"))
    took = (pl.col("last_resolved_at") - pl.col("opened_at")).dt.total_milliseconds().cast(pl.String)
    properties = pl.struct(
        _stamp("opened_at").alias("createdate"),
        _stamp("last_resolved_at").alias("closed_date"),
        pl.coalesce(_stamp("closed_at"), _stamp("last_resolved_at"), _stamp("opened_at")).alias("hs_lastmodifieddate"),
        pl.lit(PIPELINE).alias("hs_pipeline"),
        pl.col("status").cast(pl.String).replace_strict(_STAGES).alias("hs_pipeline_stage"),
        "subject",
        pl.col("body").alias("content"),
        pl.col("priority").str.to_uppercase().alias("hs_ticket_priority"),
        pl.col("category").alias("hs_ticket_category"),
        pl.col("channel_raw").alias("source_type"),
        pl.col("resolver_agent").alias("hubspot_owner_id"),
        pl.col("resolver_group").replace_strict(teams, default=None, return_dtype=pl.String).alias("hubspot_team_id"),
        answered.dt.strftime("%Y-%m-%dT%H:%M:%SZ").alias("first_agent_reply_date"),
        took.alias("time_to_close"),
        (pl.col("wait_seconds") * 1000).cast(pl.Int64).cast(pl.String).alias("time_to_first_agent_reply"),
        pl.col("vendor_replies").cast(pl.String).alias("hs_num_times_contacted"),
        pl.col("vendor_one_touch").cast(pl.String).alias("hs_is_one_touch_ticket"),
        _stamp("due_at").alias("hs_time_to_close_sla_at"),
        _promise(promises.late(desk.manifest.data_end), done=pl.col("first_resolved_at").is_not_null()).alias("hs_time_to_close_sla_status"),
        _promise(promises.late_answer(), done=pl.lit(True)).alias("hs_time_to_first_response_sla_status"),
        pl.col("gone").alias("hs_merged_object_ids"),
        pl.col("tags").list.join(";").alias("tags"),
        *_OWN,
    )
    return sheets.as_json(
        known.select(
            pl.col("contact_id").alias("id"),
            properties.alias("properties"),
            pl.struct(*_MOVES).alias("propertiesWithHistory"),
            pl.struct(contacts=_linked("customer_ref"), companies=_linked("account_ref")).alias("associations"),
            pl.col("is_deleted").alias("archived"),
        )
    )


def _promise(late: pl.Expr, *, done: pl.Expr) -> pl.Expr:
    """A promise by its number: kept too late or in time, overdue or active."""
    return (
        pl.when(late & done)
        .then(pl.lit("4"))
        .when(late)
        .then(pl.lit("1"))
        .when(late.is_not_null() & done)
        .then(pl.lit("3"))
        .when(late.is_not_null())
        .then(pl.lit("0"))
    )


def _linked(column: str) -> pl.Expr:
    """An association with one record, or with none."""
    one = pl.concat_list(pl.struct(id=pl.col(column)))
    return pl.struct(results=pl.when(pl.col(column).is_not_null()).then(one).otherwise(pl.lit([], dtype=pl.List(pl.Struct({"id": pl.String})))))


def _on_ticket(properties: pl.Expr, offset: int) -> list[pl.Expr]:
    number = (pl.int_range(pl.len()) + offset).cast(pl.String)
    return [number.alias("id"), properties.alias("properties"), pl.struct(tickets=_linked("contact_id")).alias("associations")]


def _threads(desk: Desk) -> pl.Series:
    thread = pl.format("5{}", "contact_id")
    associated = pl.struct(associatedTicketId="contact_id")
    shared = desk.contacts.select(
        id=thread, status=pl.lit("CLOSED"), spam="is_spam", associatedContactId="customer_ref", threadAssociations=associated
    )  # fmt: skip
    return sheets.as_json(shared)


def _messages(desk: Desk) -> pl.Series:
    """What was said, and what a conversation tells of itself."""
    said = desk.events.filter(kind="message").join(desk.contacts.select("contact_id", "customer_ref"), on="contact_id", maintain_order="left")
    actor = pl.col("actor").cast(pl.String)
    visitor = pl.when(actor == "unknown").then(pl.lit(_PARTNER)).otherwise(pl.coalesce("actor_id", "customer_ref"))
    spoken = {"system": pl.lit("S-hubspot"), "bot": pl.format("B-{}", _user("actor_id")), "agent": pl.format("A-{}", _user("actor_id"))}
    sender = pl.coalesce(
        *(pl.when(actor == word).then(name) for word, name in spoken.items()), pl.format("V-{}", visitor), pl.lit("E-somebody")
    )  # fmt: skip
    messages = said.select(
        "text",
        type=pl.lit("MESSAGE"),
        conversationsThreadId=pl.format("5{}", "contact_id"),
        createdAt="at",
        direction=pl.when(actor.is_in(["customer", "unknown"])).then(pl.lit("INCOMING")).otherwise(pl.lit("OUTGOING")),
        channelId=pl.col("channel").cast(pl.String).replace_strict(_CHANNELS, default="1003", return_dtype=pl.String),
        senders=pl.concat_list(pl.struct(actorId=sender)),
    )
    closed = desk.contacts.drop_nulls("closed_at").select(
        type=pl.lit("THREAD_STATUS_CHANGE"), conversationsThreadId=pl.format("5{}", "contact_id"), createdAt="closed_at"
    )  # fmt: skip
    both = pl.concat([messages, closed], how="diagonal").with_row_index("id", offset=700_000_001)
    return sheets.as_json(both.with_columns(pl.col("id").cast(pl.String)))


def _emails(desk: Desk) -> pl.Series:
    """The e-mails of conversations once more, half a minute later."""
    mails = desk.events.filter(pl.col("kind") == "message", pl.col("channel") == "email", pl.col("actor").is_in(["customer", "agent"]))
    theirs = pl.col("actor") == "customer"
    properties = pl.struct(
        (pl.col("at") + pl.duration(seconds=30)).dt.strftime("%Y-%m-%dT%H:%M:%SZ").alias("hs_timestamp"),
        pl.when(theirs).then(pl.lit("INCOMING_EMAIL")).otherwise(pl.lit("EMAIL")).alias("hs_email_direction"),
        pl.col("text").alias("hs_email_text"),
        pl.when(~theirs).then("actor_id").alias("hubspot_owner_id"),
    )
    return sheets.as_json(mails.select(_on_ticket(properties, 300_000_000)))


def _notes(desk: Desk) -> pl.Series:
    notes = desk.events.filter(kind="note")
    properties = pl.struct(hs_timestamp=_stamp("at"), hs_note_body="text", hubspot_owner_id="actor_id")
    return sheets.as_json(notes.select(_on_ticket(properties, 400_000_000)))


def _calls(desk: Desk) -> pl.Series:
    legs = desk.events.filter(kind="call_leg").join(desk.contacts.select("contact_id", "talk_seconds"), on="contact_id", maintain_order="left")
    took = (pl.col("talk_seconds") * 1000).cast(pl.Int64).cast(pl.String)
    properties = pl.struct(hs_timestamp=_stamp("at"), hs_call_duration=took, hubspot_owner_id="actor_id")
    return sheets.as_json(legs.select(_on_ticket(properties, 500_000_000)))


def _feedback(surveys: pl.DataFrame) -> pl.Series:
    """One answer for each survey; what was written stands with the first of them."""
    easy = 8 - pl.col("ces")
    values = {"CSAT": pl.col("csat_raw").cast(pl.Float64), "CES": easy, "NPS": pl.col("nps")}
    rows = pl.concat(
        surveys.select("contact_id", "answered_at", "seq", "comment", type=pl.lit(kind), survey=pl.lit(str(number)), value=value)
        for number, (kind, value) in enumerate(values.items(), start=1)
    ).drop_nulls("value")
    first = pl.int_range(pl.len()).over("contact_id", "seq") == 0
    properties = pl.struct(
        _stamp("answered_at").alias("hs_submission_timestamp"),
        pl.col("type").alias("hs_survey_type"),
        pl.col("survey").alias("hs_survey_id"),
        pl.col("value").cast(pl.Int64).cast(pl.String).alias("hs_value"),
        pl.when(first).then("comment").alias("hs_content"),
    )
    return sheets.as_json(rows.select(_on_ticket(properties, 600_000_000)))


def _people(desk: Desk, teams: dict[str, str], folder: Path) -> None:
    keys = desk.identifiers.sort("customer_ref", "kind", "value_norm").with_columns(pl.col("kind").cast(pl.String))
    listed = keys.group_by("customer_ref", maintain_order=True).agg(
        pl.col("value_norm").filter(pl.col("kind") == kind).alias(kind) for kind in ("email", "phone", "account")
    )
    everybody = pl.concat([keys["customer_ref"], desk.contacts["customer_ref"]]).drop_nulls().unique().sort().to_frame("customer_ref")
    known = everybody.join(listed, on="customer_ref", how="left", maintain_order="left")
    properties = pl.struct(
        pl.col("email").list.first().alias("email"),
        pl.col("email").list.slice(1).list.join(";").alias("hs_additional_emails"),
        pl.col("phone").list.get(0, null_on_oob=True).alias("phone"),
        pl.col("phone").list.get(1, null_on_oob=True).alias("mobilephone"),
        pl.col("account").list.first().alias("associatedcompanyid"),
    )
    _results(sheets.as_json(known.select(id="customer_ref", properties=properties)), folder=folder, name="contacts")
    last = pl.when(pl.col("kind") == "bot").then(pl.lit("Bot")).otherwise("agent_id")
    number = pl.col("group").replace_strict(teams, default=None, return_dtype=pl.String)
    home = pl.concat_list(pl.struct(id=number, name="group", primary=pl.lit(True)))
    owners = desk.agents.select(
        id="agent_id", userId=_user("agent_id"), firstName=pl.lit("Agent"), lastName=last, teams=home, archived=pl.lit(False)
    )  # fmt: skip
    _results(sheets.as_json(owners), folder=folder, name="owners")


def _results(records: pl.Series, *, folder: Path, name: str) -> None:
    """Pages that name the next one by its cursor."""
    starts = range(0, max(len(records), 1), sheets.PAGE)
    for number, start in enumerate(starts, start=1):
        some = records.slice(start, sheets.PAGE)
        more = f', "paging": {{"next": {{"after": "{start + sheets.PAGE}"}}}}' if start + sheets.PAGE < len(records) else ""
        (folder / f"{name}_{number}.json").write_text(f'{{"results": [{",".join(some)}]{more}}}\n', encoding="utf-8")
