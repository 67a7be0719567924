"""How would Jira Service Management export the invented desk?

Pages of the issue search with their changelog, comments as documents of the editor, custom fields under numbers whose names stand on the page, promised
times in cycles of which every reopening begins another, ratings of 1 to 5 in a field.
"""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import datetime
from pathlib import Path

import polars as pl

from fcrlib.intake.demo.dialects import promises, sheets, spelling
from fcrlib.model.desk import Desk
from fcrlib.model.tables import conform

HOST = "https://acme.atlassian.net"
AUTOMATION, PARTNER = "557058:automation", "qm:712020:partner"
_CHANNELS = {
    "email": "email", "web": "portal", "chat": "chat", "messaging": "slack", "phone": "phone", "social": "twitter", "in_app": "mobile app", "api": "api",
    "other": "jira",
}  # fmt: skip
_STATUSES = {
    "new": ("10100", "New", "new"), "open": ("3", "In Progress", "indeterminate"), "pending": ("10101", "Waiting for customer", "indeterminate"),
    "hold": ("10102", "On hold", "indeterminate"), "solved": ("5", "Resolved", "done"), "closed": ("6", "Closed", "done"),
}  # fmt: skip
_FIELDS = {"category": "10010", "subcategory": "10011", "product_area": "10012", "tier": "10013", "language": "10014"}
_TITLES = {
    "10010": "Request Type", "10011": "Subcategory", "10012": "Product area", "10013": "Tier", "10014": "Request language", "10020": "Organizations",
    "10021": "Team", "10030": "Time to first response", "10031": "Time to resolution", "10040": "Satisfaction", "10041": "Satisfaction date",
}  # fmt: skip
_LABELS = {"is_test": "test", "is_internal": "internal", "is_side_conversation": "side_conversation", "is_abandoned": "abandoned"}
_OVERLAP, _PAGE = 3, 500


def respelled(desk: Desk) -> Desk:
    """The desk as Jira knows it: keys and accounts for ids, its own words for channels, no calls, no articles, no offers of a survey."""
    known = spelling.respelled(
        desk,
        source="jira",
        contact=lambda name: pl.lit("SUP-") + name.str.extract(r"0*(\d+)$"),
        customer=spelling.number("qm:712020:"),
        alias=spelling.number("qm:712021:"),
        agent=spelling.number("557058:"),
        account=spelling.number("org-"),
        article=spelling.number("360"),
    )
    events = _events(known)
    contacts = _contacts(known, events)
    first = known.identifiers.filter(kind="email").sort("customer_ref", "value_norm").unique("customer_ref", keep="first", maintain_order=True)
    accounts = contacts.select("source", "customer_ref", kind=pl.lit("account"), value_norm="account_ref").drop_nulls().unique(maintain_order=True)
    return replace(
        known,
        contacts=contacts,
        events=events,
        surveys=known.surveys.filter(pl.col("answered_at").is_not_null() & ~pl.col("superseded")),
        identifiers=conform(pl.concat([first.with_columns(pl.col("kind").cast(pl.String)), accounts]), table="identifiers"),
    )


def write(desk: Desk, folder: Path) -> None:
    """Write a respelled desk as pages of issues, users, agents and statuses."""
    issues = _issues(desk)
    starts = list(range(0, max(issues.len(), 1), _PAGE))
    for number, start in enumerate(starts, start=1):
        from_here = max(start - _OVERLAP, 0)
        some = ",".join(issues.slice(from_here, _PAGE + start - from_here))
        around = {"startAt": from_here, "maxResults": _PAGE + _OVERLAP, "total": issues.len(), "names": _named()}
        text = f'{json.dumps(around)[:-1]}, "issues": [{some}]}}\n'
        (folder / f"issues_{number}.json").write_text(text, encoding="utf-8")
    statuses = [
        {"self": f"{HOST}/rest/api/3/status/{number}", "id": number, "name": name, "statusCategory": {"key": stage}}
        for number, name, stage in _STATUSES.values()
    ]
    (folder / "statuses.json").write_text(json.dumps(statuses), encoding="utf-8")
    _people(desk, folder)


def asked(desk: Desk) -> dict[str, object]:
    """What the reader must be told: when the export was made."""
    return {"data_end": desk.manifest.data_end}


def _named() -> dict[str, str]:
    return {f"customfield_{number}": title for number, title in _TITLES.items()}


def _events(desk: Desk) -> pl.DataFrame:
    """Whoever hands a contact over is the one who held it. What a machine does, no agent does."""
    bots = desk.agents.filter(kind="bot")["agent_id"]
    handed = pl.col("kind").is_in(spelling.HANDOVERS) & (pl.col("actor") == "agent")
    holder = pl.when(~pl.col("agent_from").is_in(bots.implode())).then("agent_from")
    machine = pl.col("actor_id").is_in(bots.implode()) & (pl.col("actor") == "agent")
    spelled = desk.events.filter(~pl.col("kind").is_in(["call_leg", "article", "survey"])).with_columns(
        actor_id=pl.when(handed).then(pl.coalesce("actor_id", holder, "agent_to")).otherwise("actor_id"), kind=spelling.handover()
    )
    spelled = spelled.with_columns(actor=pl.when(machine).then(pl.lit("bot")).otherwise(pl.col("actor").cast(pl.String)))
    return conform(spelled, table="events").sort("source", "contact_id", "seq")


def _contacts(desk: Desk, events: pl.DataFrame) -> pl.DataFrame:
    asker = events.filter(actor="customer").group_by("contact_id").agg(pl.col("actor_id").drop_nulls().first().alias("asked"))
    promised = promises.promised(desk.contacts, data_end=desk.manifest.data_end, without=())
    contacts = promised.join(asker, on="contact_id", how="left", maintain_order="left")
    added = [pl.when(flag).then(pl.lit([word])).otherwise(pl.lit([], dtype=pl.List(pl.String))) for flag, word in _LABELS.items()]
    spelled = contacts.with_columns(
        customer_ref=pl.coalesce("customer_ref", "asked"),
        channel_raw=pl.col("channel").cast(pl.String).replace_strict(_CHANNELS),
        issue_key=pl.lit("PRB-") + pl.col("issue_key").str.extract(r"0*(\d+)$"),
        tags=pl.concat_list("tags", *added).list.unique(maintain_order=True),
        vendor_reopens=pl.when(pl.col("first_resolved_at").is_not_null()).then("vendor_reopens").otherwise(0),
        vendor_first_resolved_at="first_resolved_at",
    )
    return conform(spelled, table="contacts").sort("source", "contact_id")


def _issues(desk: Desk) -> pl.Series:
    opener = desk.events.filter(kind="message", actor="customer").sort("contact_id", "seq").unique("contact_id", keep="first", maintain_order=True)
    opener = opener.join(desk.contacts.select("contact_id", "opened_at"), on="contact_id").filter(pl.col("at") == pl.col("opened_at"))
    rest = desk.events.join(opener.select("contact_id", "seq"), on=["contact_id", "seq"], how="anti")
    rated = desk.surveys.select("contact_id", "answered_at", "comment", rating=pl.col("csat_raw").cast(pl.Int64))
    raised = opener.select("contact_id", own=pl.lit(True))
    whole = desk.contacts
    for beside in (_histories(rest), _comments(rest), rated, raised):
        whole = whole.join(beside, on="contact_id", how="left", maintain_order="left")
    number = {name: {word: one[place] for word, one in _STATUSES.items()} for place, name in enumerate(("id", "name", "stage"))}
    word = pl.col("status").cast(pl.String)
    stage = pl.struct(
        id=word.replace_strict(number["id"]),
        name=word.replace_strict(number["name"]),
        statusCategory=pl.struct(key=word.replace_strict(number["stage"])),
    )
    reporter = _account("customer_ref", "customer")
    even = pl.col("issue").cast(pl.Int64) % 2 == 0
    spent = pl.col("handle_seconds").cast(pl.Int64)
    done = word.is_in(["solved", "closed"])
    return sheets.as_json(
        whole.with_columns(issue=pl.col("contact_id").str.extract(r"(\d+)$").str.zfill(6).str.replace("^", "1")).select(
            pl.format(f"{HOST}/rest/api/3/issue/{{}}", "issue").alias("self"),
            id="issue",
            key="contact_id",
            properties=pl.struct(pl.struct(value="channel_raw").alias("request.channel")),
            fields=pl.struct(
                _instant("opened_at").alias("created"),
                _instant(pl.coalesce("closed_at", "last_resolved_at", "opened_at")).alias("updated"),
                pl.col("subject").alias("summary"),
                _document("body").alias("description"),
                stage.alias("status"),
                pl.when(done).then(pl.struct(name=pl.col("close_reason").str.to_titlecase().fill_null("Done"))).alias("resolution"),
                _instant(pl.when(done).then("last_resolved_at")).alias("resolutiondate"),
                pl.struct(name="priority").alias("priority"),
                reporter.alias("reporter"),
                pl.when("own").then(reporter).otherwise(pl.struct(accountId=pl.lit(AUTOMATION), accountType=pl.lit("app"), displayName=pl.lit("Automation for Jira"))).alias("creator"),
                pl.col("tags").alias("labels"),
                pl.when(pl.col("parent_id").is_not_null()).then(pl.struct(key="parent_id")).alias("parent"),
                pl.when(even).then(spent).alias("timespent"),
                pl.struct(worklogs=pl.when(spent.is_not_null()).then(pl.concat_list(pl.struct(timeSpentSeconds=spent)))).alias("worklog"),
                _links().alias("issuelinks"),
                pl.struct(comments="comments").alias("comment"),
                pl.struct(requestType=pl.struct(name="category")).alias("customfield_10010"),
                *(pl.struct(value=ours).alias(f"customfield_{theirs}") for ours, theirs in _FIELDS.items() if ours != "category"),
                pl.when(pl.col("account_ref").is_not_null()).then(pl.concat_list(pl.struct(id=pl.lit("1"), name="account_ref"))).alias("customfield_10020"),
                *_promises(desk.manifest.data_end),
                pl.when(pl.col("rating").is_not_null()).then(pl.struct(rating="rating", comment=pl.struct(body="comment"))).alias("customfield_10040"),
                _instant("answered_at").alias("customfield_10041"),
            ),
            changelog=pl.struct(total=pl.col("histories").list.len(), histories="histories"),
        )
    )  # fmt: skip


def _promises(data_end: datetime) -> list[pl.Expr]:
    """The cycles of the promised times; every reopening is another cycle of the time to resolution."""
    answered = pl.col("opened_at") + pl.duration(seconds=pl.col("wait_seconds"))
    answer = _cycle(
        pl.col("opened_at"), answered, broken_at=pl.col("opened_at") + pl.duration(seconds=promises.ANSWERED), breached=promises.late_answer()
    )
    cycles_there = pl.col("vendor_reopens") + 1
    due, late = pl.col("due_at"), promises.late(data_end)
    solved = pl.col("first_resolved_at").dt.epoch("ms")
    begun = [pl.col("opened_at"), *(pl.col("first_resolved_at") + pl.duration(seconds=again) for again in range(1, 12))]
    ended = [pl.col("first_resolved_at"), *(pl.col("first_resolved_at") + pl.duration(seconds=again + 1) for again in range(1, 12))]
    cycles = pl.concat_list(_cycle(start, stop, broken_at=due, breached=late) for start, stop in zip(begun, ended, strict=True)).list.head(
        cycles_there
    )
    running = pl.when(solved.is_null()).then(_cycle(pl.col("opened_at"), pl.lit(None, pl.Datetime("us", "UTC")), broken_at=due, breached=late))
    done = pl.when(solved.is_not_null()).then(cycles)
    return [
        pl.when(pl.col("wait_seconds").is_not_null()).then(pl.struct(name=pl.lit(_TITLES["10030"]), completedCycles=pl.concat_list(answer))).alias("customfield_10030"),
        pl.struct(name=pl.lit(_TITLES["10031"]), completedCycles=done, ongoingCycle=running).alias("customfield_10031"),
    ]  # fmt: skip


def _cycle(start: pl.Expr, stop: pl.Expr, *, broken_at: pl.Expr, breached: pl.Expr) -> pl.Expr:
    """One cycle; what elapsed in it leaves out the nights and is not what the clock says."""
    moments = {name: pl.struct(epochMillis=at.dt.epoch("ms")) for name, at in {"startTime": start, "stopTime": stop, "breachTime": broken_at}.items()}
    return pl.struct([at.alias(name) for name, at in moments.items()], breached=breached, elapsedTime=pl.struct(millis=pl.lit(1)))


def _histories(events: pl.DataFrame) -> pl.DataFrame:
    """The changelog by issue: one entry for one change; a handover changes the team and the assignee."""
    known = events.filter(~pl.col("kind").is_in(["message", "note"])).with_row_index("number")
    words = {place: {word: one[place] for word, one in _STATUSES.items()} for place in (0, 1)}
    state = {side: pl.col(f"status_{side}").cast(pl.String) for side in ("from", "to")}
    number, name = ({side: one.replace_strict(words[place], default=None) for side, one in state.items()} for place in (0, 1))
    handed = pl.col("kind").is_in(["assignment", "transfer"])
    status = known.filter(kind="status").select("number", item=_item("status", "jira", number["from"], name["from"], number["to"], name["to"]))
    team = known.filter(handed).select(
        "number", item=_item("Team", "custom", pl.lit(None, pl.String), pl.col("group_from"), pl.lit(None, pl.String), pl.col("group_to"))
    )
    person = known.filter(handed).select(
        "number", item=_item("assignee", "jira", pl.col("agent_from"), pl.col("agent_from"), pl.col("agent_to"), pl.col("agent_to"))
    )
    link = known.filter(kind="merge").select(
        "number", item=_item("Link", "jira", pl.lit(None, pl.String), pl.lit(None, pl.String), pl.lit("SUP-0"), pl.lit("This issue duplicates SUP-0"))
    )
    items = pl.concat([status, team, person, link]).group_by("number").agg(items="item")
    whole = known.join(items, on="number").sort("contact_id", "seq")
    entry = pl.struct(id=pl.col("number").cast(pl.String), author=_author(), created=_instant("at"), items="items")
    return whole.select("contact_id", entry=entry).group_by("contact_id", maintain_order=True).agg(histories="entry")


def _item(field: str, kind: str, before: pl.Expr, before_text: pl.Expr, value: pl.Expr, value_text: pl.Expr) -> pl.Expr:
    of = {"field": pl.lit(field), "fieldtype": pl.lit(kind), "from": before, "fromString": before_text, "to": value, "toString": value_text}
    return pl.struct([value.alias(name) for name, value in of.items()])


def _comments(events: pl.DataFrame) -> pl.DataFrame:
    said = events.filter(pl.col("kind").is_in(["message", "note"])).sort("contact_id", "seq").with_row_index("number")
    comment = pl.struct(
        id=pl.col("number").cast(pl.String), author=_author(), body=_document("text"), created=_instant("at"), jsdPublic=pl.col("kind") == "message"
    )
    return said.select("contact_id", comment=comment).group_by("contact_id", maintain_order=True).agg(comments="comment")


def _author() -> pl.Expr:
    """Who did it; nobody where the portal let somebody in without an account."""
    actor = pl.col("actor").cast(pl.String)
    who = pl.when(actor == "system").then(pl.lit(AUTOMATION)).when(actor == "unknown").then(pl.lit(PARTNER)).otherwise("actor_id")
    kind = actor.replace_strict({"system": "app", "bot": "app", "agent": "atlassian"}, default="customer")
    name = pl.when(actor == "system").then(pl.lit("Automation for Jira")).when(actor == "bot").then(pl.lit("Answer Bot"))
    return pl.when(who.is_not_null()).then(pl.struct(accountId=who, accountType=kind, displayName=name))


def _account(column: str, kind: str) -> pl.Expr:
    return pl.when(pl.col(column).is_not_null()).then(pl.struct(accountId=column, accountType=pl.lit(kind)))


def _links() -> pl.Expr:
    """The issue that this one repeats, and the problem behind it."""
    twice = pl.struct(type=pl.struct(name=pl.lit("Duplicate"), outward=pl.lit("duplicates")), outwardIssue=pl.struct(key="merged_into"))
    cause = pl.struct(type=pl.struct(name=pl.lit("Problem/Incident"), outward=pl.lit("causes")), inwardIssue=pl.struct(key="issue_key"))
    blank = pl.struct(outwardIssue=pl.struct(key=pl.lit(None, pl.String)), inwardIssue=pl.struct(key=pl.lit(None, pl.String)))
    shaped = [
        pl.struct(twice.struct.field("type"), twice.struct.field("outwardIssue"), blank.struct.field("inwardIssue")),
        pl.struct(cause.struct.field("type"), blank.struct.field("outwardIssue"), cause.struct.field("inwardIssue")),
    ]
    return pl.concat_list(shaped)


def _document(column: str) -> pl.Expr:
    """A text as a document: a paragraph for every line."""
    text = pl.concat_list(pl.struct(type=pl.lit("text"), text=pl.element()))
    lines = pl.col(column).str.split("\n").list.eval(pl.struct(type=pl.lit("paragraph"), content=text))
    return pl.when(pl.col(column).is_not_null()).then(pl.struct(type=pl.lit("doc"), version=pl.lit(1), content=lines))


def _instant(moment: pl.Expr | str) -> pl.Expr:
    return (pl.col(moment) if isinstance(moment, str) else moment).dt.strftime("%Y-%m-%dT%H:%M:%S.000+0000")


def _people(desk: Desk, folder: Path) -> None:
    customers = desk.identifiers.filter(kind="email").select(accountId="customer_ref", emailAddress="value_norm", accountType=pl.lit("customer"))
    bot = pl.col("kind") == "bot"
    agents = desk.agents.select(
        accountId="agent_id",
        displayName=pl.when(bot).then(pl.lit("Answer Bot")).otherwise(pl.format("Agent {}", "agent_id")),
        accountType=pl.when(bot).then(pl.lit("app")).otherwise(pl.lit("atlassian")),
    )
    sheets.lines(sheets.as_json(pl.concat([customers, agents], how="diagonal")), file=folder / "users.ndjson")
    sheets.lines(sheets.as_json(agents.filter(pl.col("accountType") == "atlassian").drop("accountType")), file=folder / "agents.ndjson")
