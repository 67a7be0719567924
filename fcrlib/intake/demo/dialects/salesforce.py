"""How would Salesforce export the invented desk?

Cases as pages of a query, some on two of them; their history as a table, where every change of the owner stands twice, with names and with ids;
ids of 18 characters here and of 15 there; comments and e-mails as pages of queries of their own, drafts among them; a merged case is a deleted one.
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

_API = "/services/data/v60.0"
_TAIL = "AAA"
"""What 18 characters have more than 15."""
_VIA = {
    "email": "Email", "web": "Web", "chat": "Chat", "messaging": "Messaging", "phone": "Phone", "social": "Facebook", "in_app": "Mobile App",
    "api": "API", "other": "Other",
}  # fmt: skip
_STATUSES = {"new": "New", "open": "Working", "pending": "Waiting on Customer", "hold": "On Hold", "solved": "Solved", "closed": "Closed"}
_SYSTEM, _GUEST = "0055g00009SYSTM", "0055g00009GUEST"
_MILESTONES = {"First Response": "5575g0000000001", "Resolution Time": "5575g0000000002"}
_OVERLAP = 3


def _record(begin: str) -> spelling.Spelling:
    """15 characters that begin alike for what is alike."""
    return lambda name: pl.lit(begin) + name.str.extract(r"(\d+)$").str.zfill(15 - len(begin))


def respelled(desk: Desk) -> Desk:
    """The desk as Salesforce knows it: its ids and words, one address and one number a person, and of the history what it keeps."""
    known = spelling.respelled(
        desk,
        source="salesforce",
        contact=lambda name: name.str.extract(r"(\d+)$").str.zfill(8),
        customer=_record("0035g0"),
        alias=_record("0035g1"),
        agent=_record("0055g0"),
        account=_record("0015g0"),
        article=_record("ka05g0"),
    )
    keys = known.identifiers.sort("customer_ref", "kind", "value_norm").unique(["customer_ref", "kind"], keep="first", maintain_order=True)
    return replace(known, contacts=_contacts(known), events=_events(known), identifiers=conform(keys, table="identifiers"))


def asked(desk: Desk) -> dict[str, datetime]:
    """Queries do not say when they were made."""
    return {"data_end": desk.manifest.data_end}


def write(desk: Desk, folder: Path) -> None:
    """Write a respelled desk as cases, history, comments, e-mails, statuses, contacts, users and queues."""
    names = sorted({*desk.events["group_to"].drop_nulls(), *desk.contacts["first_group"].drop_nulls()})
    queues = {name: f"00G5g{position:010d}" for position, name in enumerate(names)}
    _query(_cases(desk.contacts, queues), folder, "Case", overlap=_OVERLAP)
    _history(desk, queues).write_csv(folder / "CaseHistory.csv")
    messages = desk.events.filter(pl.col("kind").is_in(["message", "note"])).with_columns(who=_author())
    mailed = (pl.col("channel") == "email").fill_null(False)
    _query(_comments(messages.filter(~mailed)), folder, "CaseComment")
    _query(_emails(messages.filter(mailed)), folder, "EmailMessage")
    statuses = [{"MasterLabel": word, "ApiName": word, "IsClosed": word == "Closed"} for word in _STATUSES.values()]
    _query(pl.DataFrame(statuses), folder, "CaseStatus")
    _query(_milestones(desk), folder, "CaseMilestone")
    _query(pl.DataFrame([{"Id": number + _TAIL, "Name": name} for name, number in _MILESTONES.items()]), folder, "MilestoneType")
    groups = [{"Id": number + _TAIL, "Name": name, "Type": "Queue"} for name, number in queues.items()]
    _query(pl.DataFrame(groups, schema=["Id", "Name", "Type"]), folder, "Group")
    _people(desk, folder)


def _contacts(desk: Desk) -> pl.DataFrame:
    asked = desk.events.filter(actor="customer").group_by("contact_id").agg(pl.col("actor_id").drop_nulls().first().alias("asked"))
    promised = promises.promised(desk.contacts, data_end=desk.manifest.data_end)
    contacts = promised.join(asked, on="contact_id", how="left", maintain_order="left")
    mailed = pl.col("channel") == "email"
    began = pl.when(pl.col("channel") == "api").then(pl.lit("system")).when(~mailed).then(pl.lit("customer"))
    gone = pl.col("is_abandoned") & pl.col("first_resolved_at").is_not_null()
    spelled = contacts.with_columns(
        customer_ref=pl.coalesce("customer_ref", "asked"),
        channel_raw=pl.col("channel").cast(pl.String).replace_strict(_VIA),
        priority=pl.col("priority").str.to_titlecase(),
        initiated_by=pl.coalesce(began, pl.col("initiated_by").cast(pl.String)),
        resolved_by=pl.when(gone).then(pl.lit("automation")).otherwise(pl.col("resolved_by").cast(pl.String)),
    )
    return conform(spelled, table="contacts").sort("source", "contact_id")


def _events(desk: Desk) -> pl.DataFrame:
    """What authors did; only e-mails have a way."""
    spelled = spelling.authored(desk).with_columns(channel=pl.when(pl.col("channel") == "email").then("channel"))
    return conform(spelled, table="events").sort("source", "contact_id", "seq")


def _cases(contacts: pl.DataFrame, queues: dict[str, str]) -> pl.DataFrame:
    queue = pl.col("resolver_group").replace_strict(queues, default=None, return_dtype=pl.String)
    closed = pl.col("status") == "closed"
    return contacts.select(
        _case("contact_id").alias("Id") + _TAIL,
        pl.col("contact_id").alias("CaseNumber"),
        _time("opened_at").alias("CreatedDate"),
        pl.when(closed).then(_time("closed_at")).alias("ClosedDate"),
        pl.coalesce(_time("closed_at"), _time("last_resolved_at"), _time("opened_at")).alias("SystemModstamp"),
        pl.col("status").cast(pl.String).replace_strict(_STATUSES).alias("Status"),
        closed.alias("IsClosed"),
        pl.lit(False).alias("IsClosedOnCreate"),
        (pl.col("is_deleted") | pl.col("merged_into").is_not_null()).alias("IsDeleted"),
        (_case("merged_into") + _TAIL).alias("MasterRecordId"),
        (_case("parent_id") + _TAIL).alias("ParentId"),
        (pl.col("customer_ref") + _TAIL).alias("ContactId"),
        (pl.col("account_ref") + _TAIL).alias("AccountId"),
        pl.col("channel_raw").alias("Origin"),
        pl.coalesce(pl.col("resolver_agent"), queue, pl.lit(_SYSTEM)).alias("OwnerId"),
        pl.col("category").alias("Type"),
        pl.col("subcategory").alias("Reason"),
        pl.col("product_area").alias("Product__c"),
        pl.col("priority").alias("Priority"),
        pl.col("language").alias("Language"),
        pl.col("subject").alias("Subject"),
        pl.col("body").alias("Description"),
    )


def _milestones(desk: Desk) -> pl.DataFrame:
    """What was promised about each case, by the number of its type."""
    cases, opened = desk.contacts.drop_nulls("due_at"), pl.col("opened_at")
    answered, answer_due = opened + pl.duration(seconds=pl.col("wait_seconds")), opened + pl.duration(seconds=promises.ANSWERED)
    answer, solution = _MILESTONES.values()
    rows = [
        _milestone(cases.drop_nulls("wait_seconds"), answer, due=answer_due, done=answered, violated=promises.late_answer()),
        _milestone(cases, solution, due=pl.col("due_at"), done=pl.col("first_resolved_at"), violated=promises.late(desk.manifest.data_end)),
    ]
    return pl.concat(rows).with_columns(pl.format("5555g{}", pl.int_range(pl.len()).cast(pl.String).str.zfill(10)).alias("Id"))


def _milestone(cases: pl.DataFrame, kind: str, *, due: pl.Expr, done: pl.Expr, violated: pl.Expr) -> pl.DataFrame:
    return cases.select(
        (_case("contact_id") + _TAIL).alias("CaseId"),
        pl.lit(kind).alias("MilestoneTypeId"),
        due.alias("TargetDate"),
        done.alias("CompletionDate"),
        done.is_not_null().alias("IsCompleted"),
        violated.alias("IsViolated"),
    )


def _history(desk: Desk, queues: dict[str, str]) -> pl.DataFrame:
    """Changes of the status, and of the owner by way of the queue: once with names, once with ids."""
    known = desk.events.filter(pl.col("kind").is_in(["status", *spelling.HANDOVERS])).with_columns(who=_author(), number=pl.int_range(pl.len()))
    status, handed = known.filter(kind="status"), known.filter(pl.col("kind") != "status")
    words = {side: pl.col(f"status_{side}").cast(pl.String).replace_strict(_STATUSES, default=None) for side in ("from", "to")}
    queue = {side: pl.col(f"group_{side}").replace_strict(queues, default=None, return_dtype=pl.String) for side in ("from", "to")}
    name = {side: _name(pl.col(f"agent_{side}")) for side in ("from", "to")}
    moved = handed.filter((pl.col("group_from") != pl.col("group_to")).fill_null(True))
    rows = [
        _row(status, "Status", words["from"], words["to"]),
        _row(moved, "Owner", name["from"], pl.col("group_to")),
        _row(moved, "Owner", pl.col("agent_from"), queue["to"]),
        _row(handed, "Owner", pl.col("group_to"), name["to"]),
        _row(handed, "Owner", queue["to"], pl.col("agent_to") + _TAIL),
    ]
    told = pl.concat(rows).sort("number", maintain_order=True).drop("number")
    return told.with_columns(pl.format("0175g{}", pl.int_range(pl.len()).cast(pl.String).str.zfill(10)).alias("Id"))


def _row(known: pl.DataFrame, field: str, before: pl.Expr, after: pl.Expr) -> pl.DataFrame:
    return known.select(
        _case("contact_id").alias("CaseId"),
        pl.lit(field).alias("Field"),
        before.alias("OldValue"),
        after.alias("NewValue"),
        pl.col("who").alias("CreatedById"),
        _time("at").alias("CreatedDate"),
        "number",
    )


def _comments(said: pl.DataFrame) -> pl.DataFrame:
    return said.select(
        pl.format("00a5g{}", pl.int_range(pl.len()).cast(pl.String).str.zfill(10)).alias("Id"),
        _case("contact_id").alias("ParentId"),
        pl.col("text").alias("CommentBody"),
        (pl.col("kind") == "message").alias("IsPublished"),
        pl.col("who").alias("CreatedById"),
        _time("at").alias("CreatedDate"),
    )


def _emails(said: pl.DataFrame) -> pl.DataFrame:
    """What was sent, and a draft of every hundredth that was not."""
    incoming = pl.col("actor") == "customer"
    sent = said.select(
        (_case("contact_id") + _TAIL).alias("ParentId"),
        incoming.alias("Incoming"),
        pl.col("text").alias("TextBody"),
        pl.when(incoming).then(pl.lit("2")).otherwise(pl.lit("3")).alias("Status"),
        pl.when(incoming).then(pl.lit(_SYSTEM)).otherwise("who").alias("CreatedById"),
        _time("at").alias("MessageDate"),
    )
    drafts = sent.filter(~pl.col("Incoming")).gather_every(100).with_columns(pl.lit("5").alias("Status"))
    return pl.concat([sent, drafts]).with_columns(pl.format("02s5g{}", pl.int_range(pl.len()).cast(pl.String).str.zfill(10)).alias("Id"))


def _people(desk: Desk, folder: Path) -> None:
    """Contacts, and users: agents, the customers' users of the portal, and those that nobody is."""
    keys = desk.identifiers.with_columns(pl.col("kind").cast(pl.String))
    wide = keys.pivot("kind", index="customer_ref", values="value_norm")
    wide = wide.with_columns(pl.lit(None, dtype=pl.String).alias(name) for name in ("email", "phone", "account") if name not in wide.columns)
    people = wide.sort("customer_ref").select(
        (pl.col("customer_ref") + _TAIL).alias("Id"),
        pl.col("email").alias("Email"),
        pl.col("phone").alias("Phone"),
        (pl.col("account") + _TAIL).alias("AccountId"),
    )
    _query(people, folder, "Contact")
    refs = desk.events.filter(actor="customer")["actor_id"].drop_nulls().unique().sort().to_frame("ref")
    portal = refs.select(_portal(pl.col("ref")).alias("Id"), pl.lit("CspLitePortal").alias("UserType"), (pl.col("ref") + _TAIL).alias("ContactId"))
    bot = pl.col("kind") == "bot"
    agents = desk.agents.select(
        (pl.col("agent_id") + _TAIL).alias("Id"),
        pl.lit("Standard").alias("UserType"),
        pl.when(bot).then(pl.lit("Service Bot")).otherwise(_name(pl.col("agent_id"))).alias("Name"),
    )
    nobody = pl.DataFrame({"Id": [_SYSTEM, _GUEST], "UserType": ["AutomatedProcess", "Guest"], "Name": ["Automated Process", "Site Guest User"]})
    _query(pl.concat([agents, portal, nobody], how="diagonal"), folder, "User")


def _query(rows: pl.DataFrame, folder: Path, kind: str, *, overlap: int = 0) -> None:
    """Pages of the answer to a query, each naming the next."""
    about = pl.struct(pl.lit(kind).alias("type"), pl.lit(f"{_API}/sobjects/{kind}").alias("url")).alias("attributes")
    records = sheets.as_json(rows.select(about, pl.all()))
    starts = range(0, max(records.len() - overlap, 1), sheets.PAGE - overlap)
    for number, start in enumerate(starts, start=1):
        more = number < len(starts)
        around = {"totalSize": records.len(), "done": not more, **({"nextRecordsUrl": f"{_API}/query/01g5g-{number * 1000}"} if more else {})}
        text = f'{{{json.dumps(around)[1:-1]}, "records": [{",".join(records.slice(start, sheets.PAGE))}]}}\n'
        (folder / f"{kind}_{number}.json").write_text(text, encoding="utf-8")


def _case(column: str) -> pl.Expr:
    return _record("5005g")(pl.col(column))


def _portal(ref: pl.Expr) -> pl.Expr:
    return pl.lit("0055g9") + ref.str.slice(5, 1) + ref.str.slice(7)


def _name(agent: pl.Expr) -> pl.Expr:
    return pl.format("Agent {}", agent.str.slice(6))


def _author() -> pl.Expr:
    """The user who acted: an agent, the asker's user of the portal, a guest, the system."""
    customer = pl.coalesce(_portal(pl.col("actor_id")), pl.lit(_GUEST))
    return pl.when(pl.col("actor") == "customer").then(customer).otherwise(pl.col("actor_id").fill_null(_SYSTEM))


def _time(column: str) -> pl.Expr:
    return pl.col(column).dt.strftime("%Y-%m-%dT%H:%M:%S.000+0000")
