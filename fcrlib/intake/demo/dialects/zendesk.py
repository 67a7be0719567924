"""How would Zendesk export the invented desk?

Tickets in pages of the incremental export with records that stand on two of them; audits one a line, with changes whose values are texts or lists;
receipts as notifications of a trigger, not comments; ratings that were only offered; calls that were delivered twice.
"""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import polars as pl

from fcrlib.intake.demo.dialects import promises, sheets, spelling
from fcrlib.model.desk import Desk
from fcrlib.model.tables import conform

HOST = "https://acme.zendesk.com"
ANONYMOUS, PARTNER = "899000001", "899000002"
_VIA = {
    "email": "email", "web": "web", "chat": "chat", "messaging": "whatsapp", "phone": "voice", "social": "twitter", "in_app": "mobile_sdk", "api": "api",
    "other": "any_channel",
}  # fmt: skip
_FIELDS = {"category": 360001, "subcategory": 360002, "product_area": 360003, "tier": 360004, "language": 360005}
_LABELS = {"is_test": "test", "is_internal": "internal", "is_side_conversation": "created_for_side_conversation"}


def respelled(desk: Desk) -> Desk:
    """The desk as Zendesk knows it: numbers for ids, its own words for channels, ratings good or bad, and labels for what it has no field for."""
    known = spelling.numbered(desk, source="zendesk")
    events = _events(known)
    return replace(known, contacts=_contacts(known, events), events=events, surveys=_surveys(known.surveys))


def write(desk: Desk, folder: Path) -> None:
    """Write a respelled desk as tickets, audits, metrics, ratings, users, groups, calls and articles."""
    groups = sorted({*desk.contacts["first_group"].drop_nulls(), *desk.events["group_to"].drop_nulls(), *desk.agents["group"].drop_nulls()})
    numbers = {name: str(36_000_001 + position) for position, name in enumerate(groups)}
    tickets = _requested(desk)
    last = {"end_of_stream": True, "end_time": int(desk.manifest.data_end.timestamp())}
    sheets.pages(_tickets(tickets, numbers), folder=folder, name="tickets", last=last, host=HOST, overlap=3)
    sheets.lines(_audits(desk, tickets, numbers), file=folder / "audits.ndjson")
    sheets.pages(_metrics(desk.contacts), folder=folder, name="ticket_metrics", last={}, host=HOST)
    sheets.pages(_promises(desk), folder=folder, name="ticket_metric_events", last={}, host=HOST, overlap=3)
    sheets.pages(_ratings(desk.surveys), folder=folder, name="satisfaction_ratings", last={}, host=HOST)
    _people(desk, tickets, folder)
    rows = [{"id": int(number), "name": name, "deleted": False} for name, number in numbers.items()]
    fields = [{"id": number, "title": name.replace("_", " ").title(), "type": "text"} for name, number in _FIELDS.items()]
    _whole(folder / "groups.json", "groups", rows)
    _whole(folder / "ticket_fields.json", "ticket_fields", fields)
    _calls(desk, folder)
    articles = desk.articles.select(id=pl.col("article_id").cast(pl.Int64), title="title", edited_at="updated_at")
    sheets.pages(sheets.as_json(articles), folder=folder, name="articles", last={}, host=HOST)


def _contacts(desk: Desk, events: pl.DataFrame) -> pl.DataFrame:
    asked = events.filter(actor="customer").group_by("contact_id").agg(pl.col("actor_id").drop_nulls().first().alias("asked"))
    promised = promises.promised(desk.contacts, data_end=desk.manifest.data_end)
    contacts = promised.join(asked, on="contact_id", how="left", maintain_order="left")
    missed = pl.col("is_abandoned") & (pl.col("channel") != "phone")
    label = {**{word: pl.col(flag) for flag, word in _LABELS.items()}, "closed_by_merge": pl.col("merged_into").is_not_null(), "missed_chat": missed}
    added = [pl.when(when).then(pl.lit([word])).otherwise(pl.lit([], dtype=pl.List(pl.String))) for word, when in label.items()]
    minutes = (pl.col("first_resolved_at") - pl.col("opened_at")).dt.total_minutes()
    spelled = contacts.with_columns(
        customer_ref=pl.coalesce("customer_ref", "asked"),
        channel_raw=pl.col("channel").cast(pl.String).replace_strict(_VIA),
        issue_key=spelling.number("")(pl.col("issue_key")),
        tags=pl.concat_list("tags", *added),
        vendor_one_touch=(pl.col("vendor_replies") <= 1) & (pl.col("vendor_reopens") == 0),
        vendor_first_resolved_at=pl.col("opened_at") + pl.duration(minutes=minutes),
    )
    return conform(spelled, table="contacts").sort("source", "contact_id")


def _events(desk: Desk) -> pl.DataFrame:
    """Every audit has an author: whoever hands a contact over is the one who held it. What a machine does, no agent does."""
    handed = pl.col("kind").is_in(spelling.HANDOVERS) & (pl.col("actor") == "agent")
    bots = desk.agents.filter(kind="bot")["agent_id"]
    holder = pl.when(~pl.col("agent_from").is_in(bots.implode())).then("agent_from")
    author = pl.when(handed).then(pl.coalesce("actor_id", holder, "agent_to")).otherwise("actor_id")
    machine = pl.col("actor_id").is_in(bots.implode()) & (pl.col("actor") == "agent")
    actor = pl.when(machine).then(pl.lit("bot")).otherwise(pl.col("actor").cast(pl.String))
    return conform(desk.events.with_columns(actor_id=author).with_columns(actor=actor), table="events").sort("source", "contact_id", "seq")


def _surveys(surveys: pl.DataFrame) -> pl.DataFrame:
    good = pl.col("csat") >= 0.75
    word = pl.when(good).then(pl.lit("good")).when(good.is_not_null()).then(pl.lit("bad"))
    scale = pl.when(word.is_not_null()).then(pl.lit("good-bad"))
    return conform(surveys.with_columns(csat_raw=word, csat_scale=scale, csat=good.cast(pl.Float64)), table="surveys")


def _requested(desk: Desk) -> pl.DataFrame:
    """Contacts with who requests them, for a ticket always has a requester."""
    return desk.contacts.with_columns(requester=pl.col("customer_ref").fill_null(ANONYMOUS))


def _number(column: str) -> pl.Expr:
    return pl.col(column).cast(pl.Int64)


def _tickets(contacts: pl.DataFrame, groups: dict[str, str]) -> pl.Series:
    rel = pl.when(pl.col("follow_up_of").is_not_null()).then(pl.lit("follow_up"))
    source = pl.struct(
        pl.struct(ticket_id=_number("follow_up_of")).alias("from"), pl.struct(pl.lit(None).alias("name")).alias("to"), rel.alias("rel")
    )
    own = pl.col("issue_key") == pl.col("contact_id")
    values = [pl.struct(id=pl.lit(number, dtype=pl.Int64), value=pl.col(name)) for name, number in _FIELDS.items()]
    return sheets.as_json(
        contacts.select(
            _number("contact_id").alias("id"),
            pl.format(f"{HOST}/api/v2/tickets/{{}}.json", "contact_id").alias("url"),
            pl.struct(channel="channel_raw", source=source).alias("via"),
            pl.col("opened_at").alias("created_at"),
            pl.coalesce("closed_at", "last_resolved_at", "opened_at").alias("updated_at"),
            pl.coalesce("closed_at", "last_resolved_at", "opened_at").dt.epoch("s").alias("generated_timestamp"),
            "subject",
            pl.col("subject").alias("raw_subject"),
            pl.col("body").alias("description"),
            "priority",
            pl.when("is_deleted").then(pl.lit("deleted")).otherwise(pl.col("status").cast(pl.String)).alias("status"),
            _number("requester").alias("requester_id"),
            _number("requester").alias("submitter_id"),
            _number("resolver_agent").alias("assignee_id"),
            pl.col("resolver_group").replace_strict(groups, default=None, return_dtype=pl.String).cast(pl.Int64).alias("group_id"),
            _number("account_ref").alias("organization_id"),
            "tags",
            pl.when(~own).then(_number("issue_key")).alias("problem_id"),
            own.fill_null(False).alias("has_incidents"),
            pl.concat_list(values).alias("custom_fields"),
            pl.lit(None, dtype=pl.String).alias("external_id"),
            pl.lit(360000017, dtype=pl.Int64).alias("brand_id"),
        )
    )


def _audits(desk: Desk, tickets: pl.DataFrame, groups: dict[str, str]) -> pl.Series:
    """One audit for what one author did to one ticket at one instant, in order."""
    born = tickets.select("contact_id", at="opened_at", seq=pl.lit(-1, dtype=pl.Int64), author="requester", event=_creation(tickets), rel=pl.lit(None, dtype=pl.String), merged=pl.lit("[]"))  # fmt: skip
    system = pl.lit("-1")
    known = desk.events.filter(pl.col("kind") != "call_leg").join(
        tickets.select("contact_id", "requester", "merged_into", "channel_raw"), on="contact_id"
    )
    author = pl.when(pl.col("actor") == "system").then(system).when(pl.col("actor") == "unknown").then(pl.lit(PARTNER)).otherwise(pl.coalesce("actor_id", pl.when(pl.col("actor") == "customer").then("requester").otherwise(system)))  # fmt: skip
    known = known.with_columns(author=author, number=pl.int_range(pl.len()) + 1)
    done = known.select(
        "contact_id", "at", "seq", "author", _event(known, groups).alias("event"), rel=pl.lit(None, dtype=pl.String), merged=pl.lit("[]")
    )
    said = pl.format('"Request #{} was closed and merged into this request."', "contact_id")
    here = known.filter(pl.col("kind") == "merge", pl.col("merged_into").is_not_null()).select(
        contact_id="merged_into",
        at="at",
        seq=pl.lit(2**31, dtype=pl.Int64),
        author="author",
        event=_object(
            id=pl.col("number") + 900_000_000, type=_quoted(pl.lit("Comment")), public=pl.lit("false"), plain_body=said, author_id="author"
        ),
        rel=pl.lit("merge"),
        merged=pl.format("[{}]", "contact_id"),
    )
    steps = pl.concat([born, done, here]).sort(pl.col("contact_id").cast(pl.Int64), "at", "seq", maintain_order=True)
    runs = steps.with_columns(run=pl.struct("contact_id", "at", "author", "rel").rle_id())
    audits = runs.group_by("run", maintain_order=True).agg(
        pl.col("contact_id", "at", "author", "rel", "merged").first(), pl.col("event").str.join(",")
    )
    source = pl.format('{"from": {"ticket_ids": {}}, "to": {}, "rel": {}}'.replace("{}", "\0").replace("{", "{{").replace("}", "}}").replace("\0", "{}"), "merged", pl.lit("{}"), _quoted(pl.col("rel")))  # fmt: skip
    return audits.select(
        json=_object(
            id=pl.col("run") + 800_000_000,
            ticket_id="contact_id",
            created_at=_quoted(pl.col("at").dt.strftime("%Y-%m-%dT%H:%M:%SZ")),
            author_id="author",
            via=_object(channel=_quoted(pl.when(pl.col("author") == "-1").then(pl.lit("rule")).otherwise(pl.lit("web"))), source=source),
            events=pl.format("[{}]", "event"),
        )
    )["json"]


def _creation(tickets: pl.DataFrame) -> pl.Expr:
    """The events that a ticket is born with; the value of one is a list."""
    number = _number("contact_id") * 10 + 700_000_000
    kind = _quoted(pl.lit("Create"))
    tags = pl.struct("tags").struct.json_encode().str.extract(r"^\{\"tags\":(.*)\}$")
    return pl.concat_str(
        _object(id=number, type=kind, field_name=_quoted(pl.lit("subject")), value=_text("subject")),
        _object(id=number + 1, type=kind, field_name=_quoted(pl.lit("status")), value=_quoted(pl.lit("new"))),
        _object(id=number + 2, type=kind, field_name=_quoted(pl.lit("tags")), value=tags),
        separator=",",
    )


def _event(known: pl.DataFrame, groups: dict[str, str]) -> pl.Expr:
    """One canonical event as it stands in an audit."""
    number, change = pl.col("number") * 10, _quoted(pl.lit("Change"))
    team = {side: pl.col(f"group_{side}").replace_strict(groups, default=None, return_dtype=pl.String) for side in ("from", "to")}
    merged = pl.format('"This request was closed and merged into request #{}."', "merged_into")
    via = _object(channel=_quoted(pl.col("channel_raw")))
    said = _object(id=number, type=_quoted(pl.lit("Comment")), public=pl.col("public").cast(pl.String), body=_text("text"), plain_body=_text("text"), author_id="author", via=via)  # fmt: skip
    words = {
        "auto": _object(id=number, type=_quoted(pl.lit("Notification")), body=_text("text"), recipients=pl.format("[{}]", "requester")),
        "merge": _object(id=number, type=_quoted(pl.lit("Comment")), public=pl.lit("false"), plain_body=merged, author_id="author"),
        "status": _changed(number, change, "status", _quoted(pl.col("status_to").cast(pl.String)), _quoted(pl.col("status_from").cast(pl.String))),
        "survey": _changed(number, change, "satisfaction_score", _quoted(pl.lit("offered")), _quoted(pl.lit("unoffered"))),
        "article": _object(id=number, type=_quoted(pl.lit("KnowledgeLinked")), body=_object(article=_object(id=pl.col("article_id")))),
        "handover": pl.concat_str(
            _changed(number, change, "group_id", _quoted(team["to"]), _quoted(team["from"])),
            _changed(number + 1, change, "assignee_id", _quoted(pl.col("agent_to")), _quoted(pl.col("agent_from"))),
            separator=",",
        ),
    }
    handed = pl.col("kind").is_in(spelling.HANDOVERS)
    simple = {name: pl.col("kind") == name for name in ("merge", "status", "survey", "article")}
    which = [("auto", (pl.col("kind") == "message") & pl.col("is_auto")), ("handover", handed), *simple.items()]
    return pl.coalesce(*(pl.when(when).then(words[name]) for name, when in which), said)


def _changed(number: pl.Expr, kind: pl.Expr, field: str, value: pl.Expr, before: pl.Expr) -> pl.Expr:
    return _object(id=number, type=kind, field_name=_quoted(pl.lit(field)), value=value, previous_value=before)


def _object(**fields: pl.Expr | str) -> pl.Expr:
    """A JSON object of fields that are JSON already; null stays null."""
    parts = [pl.concat_str(pl.lit(f'"{name}": '), (pl.col(value) if isinstance(value, str) else value).cast(pl.String).fill_null("null")) for name, value in fields.items()]  # fmt: skip
    return pl.concat_str(pl.lit("{"), pl.concat_str(*parts, separator=", "), pl.lit("}"))


def _quoted(word: pl.Expr) -> pl.Expr:
    """A word without quotes of its own as JSON."""
    return pl.concat_str(pl.lit('"'), word, pl.lit('"')).fill_null("null")


def _text(column: str) -> pl.Expr:
    """Any text as JSON."""
    return pl.struct(pl.col(column).alias("t")).struct.json_encode().str.extract(r"(?s)^\{\"t\":(.*)\}$")


def _metrics(contacts: pl.DataFrame) -> pl.Series:
    minutes = (pl.col("first_resolved_at") - pl.col("opened_at")).dt.total_minutes()
    stations = pl.when(pl.col("first_group").is_not_null()).then(pl.col("vendor_stations") + 1).otherwise(0)
    return sheets.as_json(
        contacts.select(
            (_number("contact_id") + 500_000_000).alias("id"),
            _number("contact_id").alias("ticket_id"),
            pl.col("vendor_reopens").alias("reopens"),
            pl.col("vendor_replies").alias("replies"),
            stations.alias("group_stations"),
            pl.col("last_resolved_at").alias("solved_at"),
            pl.struct(calendar=minutes, business=minutes).alias("first_resolution_time_in_minutes"),
            pl.struct(calendar=(pl.col("wait_seconds") / 60).floor().cast(pl.Int64)).alias("reply_time_in_minutes"),
        )
    )


def _promises(desk: Desk) -> pl.Series:
    """The events of two metrics: a policy whose target another one replaced, breaches at the promised time, and a breach that was taken back."""
    tickets, end = desk.contacts.filter(pl.col("due_at").is_not_null()), desk.manifest.data_end
    late, late_answer = promises.late(end), promises.late_answer().fill_null(False)
    opened, target = pl.col("opened_at"), promises.hours() * 60
    answered = opened + pl.duration(seconds=pl.col("wait_seconds"))
    answer_due = opened + pl.duration(seconds=promises.ANSWERED)
    rows = [
        _measured(tickets, "reply_time", "activate", opened),
        _measured(tickets, "reply_time", "apply_sla", opened, target=pl.lit(promises.ANSWERED // 60), business=True),
        _measured(tickets.filter(pl.col("wait_seconds").is_not_null()), "reply_time", "fulfill", answered),
        _measured(tickets.filter(late_answer), "reply_time", "breach", answer_due),
        _measured(tickets, "resolution_time", "activate", opened),
        _measured(tickets, "resolution_time", "apply_sla", opened, target=target * 2),
        _measured(tickets, "resolution_time", "apply_sla", opened, target=target),
        _measured(tickets.drop_nulls("first_resolved_at"), "resolution_time", "fulfill", pl.col("first_resolved_at")),
        _measured(tickets.filter(late), "resolution_time", "breach", pl.col("due_at")),
        _measured(tickets.filter(~late).gather_every(10), "resolution_time", "breach", opened).with_columns(deleted=pl.lit(True)),
    ]
    whole = pl.concat(rows).sort("ticket_id", maintain_order=True)
    return sheets.as_json(whole.select(pl.int_range(pl.len()).alias("id") + 910_000_000, pl.all()))


def _measured(
    tickets: pl.DataFrame, metric: str, kind: str, moment: pl.Expr, *, target: pl.Expr | None = None, business: bool = False
) -> pl.DataFrame:
    minutes = pl.lit(None, dtype=pl.Int64) if target is None else target.cast(pl.Int64)
    policy = pl.struct(minutes.alias("target"), pl.lit(business).alias("business_hours"), (minutes * 60).alias("target_in_seconds"))
    return tickets.select(
        ticket_id=_number("contact_id"),
        metric=pl.lit(metric),
        instance_id=pl.lit(1),
        type=pl.lit(kind),
        time=moment,
        sla=pl.when(minutes.is_not_null()).then(policy),
        deleted=pl.lit(False),
    )


def _ratings(surveys: pl.DataFrame) -> pl.Series:
    return sheets.as_json(
        surveys.select(
            (pl.int_range(pl.len()) + 600_000_000).alias("id"),
            _number("contact_id").alias("ticket_id"),
            pl.col("csat_raw").fill_null("offered").alias("score"),
            "comment",
            pl.col("offered_at").alias("created_at"),
            pl.coalesce("answered_at", "offered_at").alias("updated_at"),
        )
    )


def _people(desk: Desk, tickets: pl.DataFrame, folder: Path) -> None:
    """Users with one address and one number each; further ones are identities."""
    keys = desk.identifiers.sort("customer_ref", "kind", "value_norm").with_columns(pl.col("kind").cast(pl.String))
    first = keys.unique(["customer_ref", "kind"], keep="first", maintain_order=True)
    wide = first.pivot("kind", index="customer_ref", values="value_norm")
    blank = [pl.lit(None, dtype=pl.String).alias(name) for name in ("email", "phone", "account") if name not in wide.columns]
    known = pl.concat([keys["customer_ref"], tickets["requester"]]).unique().sort().to_frame("customer_ref").join(wide.with_columns(blank), on="customer_ref", how="left")  # fmt: skip
    who = pl.col("customer_ref")
    name = pl.when(who == ANONYMOUS).then(pl.lit("Anonymous")).otherwise(pl.format("Customer {}", who))
    customers = known.select(
        who.alias("id"), name.alias("name"), "email", "phone", pl.col("account").alias("organization_id"), pl.lit("end-user").alias("role")
    )
    bot = pl.col("kind") == "bot"
    agents = desk.agents.select(
        id="agent_id", name=pl.when(bot).then(pl.lit("Answer Bot")).otherwise(pl.format("Agent {}", "agent_id")), role=pl.lit("agent")
    )
    partner = pl.DataFrame({"id": [PARTNER], "name": ["A partner"], "role": ["end-user"]})
    users = (
        pl.concat([customers, agents, partner], how="diagonal")
        .unique("id", maintain_order=True)
        .with_columns(_number("id"), _number("organization_id"))
    )
    sheets.pages(sheets.as_json(users), folder=folder, name="users", last={}, host=HOST)
    more = keys.join(first, on=keys.columns, how="anti").filter(pl.col("kind") != "account")
    kinds = {"email": "email", "phone": "phone_number"}
    spare = more.select(user_id=_number("customer_ref"), type=pl.col("kind").replace_strict(kinds, return_dtype=pl.String), value="value_norm")
    sheets.lines(sheets.as_json(spare), file=folder / "user_identities.ndjson")


def _calls(desk: Desk, folder: Path) -> None:
    """One call per ticket, each delivered twice, and its legs."""
    legs = desk.events.filter(pl.col("kind") == "call_leg").with_columns(leg_number=pl.int_range(pl.len()) + 400_000_000)
    about = desk.contacts.select("contact_id", "opened_at", "channel", "talk_seconds", "wait_seconds", "is_abandoned", "initiated_by", "customer_ref")
    begun = legs.group_by("contact_id").agg(pl.col("at").min())
    calls = about.join(begun, on="contact_id", how="left", maintain_order="left").filter((pl.col("channel") == "phone") | pl.col("at").is_not_null())
    calls = calls.with_columns(pl.coalesce("at", "opened_at").alias("at"))
    whole = pl.col("talk_seconds").cast(pl.Int64)
    told = calls.select(
        (_number("contact_id") + 300_000_000).alias("id"),
        _number("contact_id").alias("ticket_id"),
        pl.col("at").alias("created_at"),
        pl.col("at").alias("updated_at"),
        pl.when(pl.col("initiated_by") == "company").then(pl.lit("outbound")).otherwise(pl.lit("inbound")).alias("direction"),
        whole.alias("talk_time"),
        pl.col("wait_seconds").cast(pl.Int64).alias("wait_time"),
        pl.when("is_abandoned").then(pl.lit("abandoned_in_queue")).otherwise(pl.lit("completed")).alias("completion_status"),
        _number("customer_ref").alias("customer_id"),
    )
    sheets.lines(sheets.as_json(pl.concat([told, told])), file=folder / "calls.ndjson")
    by_agent = pl.col("actor") == "agent"
    sides = legs.select(
        pl.col("leg_number").alias("id"),
        (_number("contact_id") + 300_000_000).alias("call_id"),
        pl.when(by_agent).then(pl.lit("agent")).otherwise(pl.lit("customer")).alias("type"),
        pl.when(by_agent).then(_number("actor_id")).otherwise(0).alias("agent_id"),
        pl.col("at").alias("created_at"),
    )
    sheets.lines(sheets.as_json(sides), file=folder / "call_legs.ndjson")


def _whole(file: Path, wrapper: str, rows: list[dict[str, object]]) -> None:
    file.write_text(json.dumps({wrapper: rows, "count": len(rows), "next_page": None}, ensure_ascii=False, indent=1), encoding="utf-8")
