"""How would ServiceNow export the invented desk?

Tables of the instance as its interface gives them: pages of `result`, references as a link and a value, everything a text, times in UTC without a
zone; incidents that stand on two pages; a hold whose reason alone says who is waited for; every change of the state in two fields; comments and work
notes in a journal; the audit names people by their login.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from pathlib import Path

import polars as pl

from fcrlib.intake.demo.dialects import promises, sheets, spelling
from fcrlib.model.desk import Desk
from fcrlib.model.tables import conform

HOST = "https://acme.service-now.example"
_VIA = {
    "email": "email", "web": "self-service", "chat": "chat", "messaging": "sms", "phone": "phone", "social": "social", "in_app": "mobile app",
    "api": "monitoring", "other": "walk-in",
}  # fmt: skip
_PRIORITY = {"urgent": "1", "high": "2", "normal": "3", "low": "4"}
_STATES = {"new": "1", "open": "2", "pending": "3", "hold": "3", "solved": "6", "closed": "7"}
_CANCELLED = "8"
_GOALS = {"response": f"51a{1:029d}", "resolution": f"51a{2:029d}"}
_OVERLAP = 3


def _sys_id(begin: str) -> spelling.Spelling:
    """32 hex digits that begin alike for what is alike."""
    return lambda name: pl.lit(begin) + name.str.extract(r"(\d+)$").str.zfill(32 - len(begin))


def respelled(desk: Desk) -> Desk:
    """The desk as ServiceNow knows it: its ids and words, and of the history what its audit and its journal hold."""
    known = spelling.respelled(
        desk,
        source="servicenow",
        contact=lambda name: pl.lit("INC") + name.str.extract(r"(\d+)$").str.zfill(7),
        customer=_sys_id("c1a0"),
        alias=_sys_id("c2a0"),
        agent=_sys_id("a9e0"),
        account=_sys_id("ac0c"),
        article=_sys_id("kb00"),
    )
    events = conform(spelling.authored(known), table="events").sort("source", "contact_id", "seq")
    return replace(known, contacts=_contacts(known), events=events)


def asked(desk: Desk) -> dict[str, datetime]:
    """The tables do not say when they were exported."""
    return {"data_end": desk.manifest.data_end}


def write(desk: Desk, folder: Path) -> None:
    """Write a respelled desk as incidents, audit, journal, promises, users, devices, groups and items."""
    names = sorted({*desk.events["group_to"].drop_nulls(), *desk.contacts["first_group"].drop_nulls()})
    groups = {name: f"9d{position:030d}" for position, name in enumerate(names)}
    items = {name: f"c3{position:030d}" for position, name in enumerate(desk.contacts["product_area"].drop_nulls().unique().sort())}
    logins = _people(desk, folder)
    _table(_incidents(desk.contacts, groups, items), folder, "incident", overlap=_OVERLAP)
    _table(_audit(desk, groups, logins), folder, "sys_audit")
    _table(_journal(desk, logins), folder, "sys_journal_field")
    _table(_promises(desk), folder, "task_sla")
    _table(
        pl.DataFrame([{"sys_id": number, "name": f"Everybody: {goal}", "target": goal} for goal, number in _GOALS.items()]), folder, "contract_sla"
    )
    for table, rows in (("sys_user_group", groups), ("cmdb_ci", items)):
        _table(pl.DataFrame({"sys_id": list(rows.values()), "name": list(rows)}), folder, table)


def _contacts(desk: Desk) -> pl.DataFrame:
    asked = desk.events.filter(actor="customer").group_by("contact_id").agg(pl.col("actor_id").drop_nulls().first().alias("asked"))
    promised = promises.promised(desk.contacts, data_end=desk.manifest.data_end)
    contacts = promised.join(asked, on="contact_id", how="left", maintain_order="left")
    spelled = contacts.with_columns(
        customer_ref=pl.coalesce("customer_ref", "asked"),
        channel_raw=pl.col("channel").cast(pl.String).replace_strict(_VIA),
        priority=pl.col("priority").replace(_PRIORITY),
        issue_key=_sys_id("9b00")(pl.col("issue_key")),
        resolved_by=pl.when(pl.col("is_abandoned") & pl.col("first_resolved_at").is_not_null())
        .then(pl.lit("automation"))
        .otherwise(pl.col("resolved_by").cast(pl.String)),
        handle_seconds=pl.when(pl.col("handle_seconds") > 0).then("handle_seconds"),
        vendor_first_resolved_at=pl.when(pl.col("vendor_reopens") == 0).then("last_resolved_at"),
    )
    return conform(spelled, table="contacts").sort("source", "contact_id")


def _incidents(contacts: pl.DataFrame, groups: dict[str, str], items: dict[str, str]) -> pl.DataFrame:
    status = pl.col("status").cast(pl.String)
    state = pl.when(pl.col("is_deleted") & (status == "closed")).then(pl.lit(_CANCELLED)).otherwise(status.replace_strict(_STATES))
    parent = pl.when(pl.col("parent_id").is_not_null()).then(_ticket("parent_id"))
    return contacts.select(
        _ticket("contact_id").alias("sys_id"),
        pl.col("contact_id").alias("number"),
        pl.lit("incident").alias("sys_class_name"),
        _time("opened_at"),
        _time("opened_at").alias("sys_created_on"),
        pl.coalesce(_time("closed_at"), _time("last_resolved_at"), _time("opened_at")).alias("sys_updated_on"),
        state.alias("state"),
        state.alias("incident_state"),
        pl.when(status == "pending").then(pl.lit("1")).when(status == "hold").then(pl.lit("4")).alias("hold_reason"),
        _reference("sys_user", pl.col("customer_ref")).alias("caller_id"),
        _reference("sys_user_group", pl.col("resolver_group").replace_strict(groups, default=None, return_dtype=pl.String)).alias("assignment_group"),
        _reference("sys_user", pl.col("resolver_agent")).alias("assigned_to"),
        _reference("core_company", pl.col("account_ref")).alias("company"),
        _reference("incident", parent).alias("parent_incident"),
        _reference("problem", pl.col("issue_key")).alias("problem_id"),
        _reference("cmdb_ci", pl.col("product_area").replace_strict(items, default=None, return_dtype=pl.String)).alias("cmdb_ci"),
        pl.col("channel_raw").alias("contact_type"),
        "category",
        "subcategory",
        "priority",
        pl.col("subject").alias("short_description"),
        pl.col("body").alias("description"),
        pl.col("vendor_reopens").alias("reopen_count"),
        pl.col("vendor_stations").alias("reassignment_count"),
        pl.col("close_reason").alias("close_code"),
        _time("last_resolved_at").alias("resolved_at"),
        _time("closed_at"),
        _since_1970("handle_seconds").alias("time_worked"),
    )


def _audit(desk: Desk, groups: dict[str, str], logins: dict[str, str]) -> pl.DataFrame:
    """One row for every field that an update changed; updates are numbered."""
    known = desk.events.filter(pl.col("kind").is_in(["status", *spelling.HANDOVERS])).with_columns(
        pl.col("status_from", "status_to").cast(pl.String), checkpoint=pl.int_range(pl.len()) + 1, who=_author(logins)
    )
    status, handed = known.filter(kind="status"), known.filter(pl.col("kind") != "status")
    states = {side: pl.col(f"status_{side}").replace_strict(_STATES, default=None, return_dtype=pl.String) for side in ("from", "to")}
    waits = pl.col("status_to").replace_strict({"pending": "1", "hold": "4"}, default=None, return_dtype=pl.String)
    teams = {side: pl.col(f"group_{side}").replace_strict(groups, default=None, return_dtype=pl.String) for side in ("from", "to")}
    moved = (pl.col("group_from") != pl.col("group_to")).fill_null(True)
    rows = [
        *(_row(status, field, states["from"], states["to"]) for field in ("state", "incident_state")),
        _row(status.filter(waits.is_not_null()), "hold_reason", pl.lit(None, dtype=pl.String), waits),
        _row(handed.filter(moved), "assignment_group", teams["from"], teams["to"]),
        _row(handed, "assigned_to", pl.col("agent_from"), pl.col("agent_to")),
    ]
    numbered = pl.concat(rows).sort("record_checkpoint", maintain_order=True)
    return numbered.with_columns(sys_id=pl.format("5a{}", pl.int_range(pl.len()).cast(pl.String).str.zfill(30)))


def _promises(desk: Desk) -> pl.DataFrame:
    """What was promised about each incident, a resolution that was called off among it."""
    incidents, opened = desk.contacts.drop_nulls("due_at"), pl.col("opened_at")
    answer_due = opened + pl.duration(seconds=promises.ANSWERED)
    late, stage = (
        promises.late(desk.manifest.data_end),
        pl.when(pl.col("first_resolved_at").is_null()).then(pl.lit("in_progress")).otherwise(pl.lit("completed")),
    )
    rows = [
        _promise(incidents.drop_nulls("wait_seconds"), "response", stage=pl.lit("completed"), due=answer_due, breached=promises.late_answer()),
        _promise(incidents.gather_every(10), "resolution", stage=pl.lit("cancelled"), due=pl.col("due_at") + pl.duration(days=9), breached=pl.lit(True)),
        _promise(incidents, "resolution", stage=stage, due=pl.col("due_at"), breached=late),
    ]  # fmt: skip
    return pl.concat(rows).with_columns(sys_id=pl.format("5b{}", pl.int_range(pl.len()).cast(pl.String).str.zfill(30)))


def _promise(incidents: pl.DataFrame, goal: str, *, stage: pl.Expr, due: pl.Expr, breached: pl.Expr) -> pl.DataFrame:
    return incidents.select(
        _reference("incident", _ticket("contact_id")).alias("task"),
        _reference("contract_sla", pl.lit(_GOALS[goal])).alias("sla"),
        stage.alias("stage"),
        breached.cast(pl.String).alias("has_breached"),
        due.dt.strftime("%Y-%m-%d %H:%M:%S").alias("planned_end_time"),
    )


def _row(known: pl.DataFrame, field: str, before: pl.Expr, after: pl.Expr) -> pl.DataFrame:
    return known.select(
        _ticket("contact_id").alias("documentkey"),
        pl.lit("incident").alias("tablename"),
        pl.lit(field).alias("fieldname"),
        before.fill_null("").alias("oldvalue"),
        after.fill_null("").alias("newvalue"),
        pl.col("who").alias("user"),
        _time("at").alias("sys_created_on"),
        pl.col("checkpoint").alias("record_checkpoint"),
    )


def _journal(desk: Desk, logins: dict[str, str]) -> pl.DataFrame:
    said = desk.events.filter(pl.col("kind").is_in(["message", "note"]))
    return said.select(
        pl.format("5f{}", pl.int_range(pl.len()).cast(pl.String).str.zfill(30)).alias("sys_id"),
        pl.lit("incident").alias("name"),
        pl.when(pl.col("kind") == "message").then(pl.lit("comments")).otherwise(pl.lit("work_notes")).alias("element"),
        _ticket("contact_id").alias("element_id"),
        pl.col("text").alias("value"),
        _author(logins).alias("sys_created_by"),
        _time("at").alias("sys_created_on"),
    )


def _people(desk: Desk, folder: Path) -> dict[str, str]:
    """Users with one address and one number each, further ones as their devices; logins by the ids of users."""
    keys = desk.identifiers.sort("customer_ref", "kind", "value_norm").with_columns(pl.col("kind").cast(pl.String))
    first = keys.unique(["customer_ref", "kind"], keep="first", maintain_order=True)
    wide = first.pivot("kind", index="customer_ref", values="value_norm")
    wide = wide.with_columns(pl.lit(None, dtype=pl.String).alias(name) for name in ("email", "phone", "account") if name not in wide.columns)
    refs = pl.concat([keys["customer_ref"], desk.contacts["customer_ref"], desk.events.filter(actor="customer")["actor_id"]])
    known = refs.drop_nulls().unique().sort().to_frame("customer_ref").join(wide, on="customer_ref", how="left", maintain_order="left")
    customers = known.select(
        pl.col("customer_ref").alias("sys_id"),
        pl.format("caller.{}", "customer_ref").alias("user_name"),
        pl.lit("").alias("roles"),
        pl.col("email").fill_null(""),
        pl.col("phone").fill_null(""),
        _reference("core_company", pl.col("account")).alias("company"),
    )
    bot = pl.col("kind") == "bot"
    agents = desk.agents.select(
        sys_id="agent_id",
        user_name=pl.format("agent.{}", "agent_id"),
        name=pl.when(bot).then(pl.lit("Virtual Agent")).otherwise(pl.lit("")),
        roles=pl.lit("itil,sn_incident_write"),
    )
    users = pl.concat([customers, agents], how="diagonal")
    _table(users, folder, "sys_user")
    more = keys.join(first, on=keys.columns, how="anti").filter(pl.col("kind") != "account")
    spare = more.select(
        _reference("sys_user", pl.col("customer_ref")).alias("user"),
        *(pl.when(pl.col("kind") == kind).then("value_norm").alias(name) for kind, name in (("email", "email_address"), ("phone", "phone_number"))),
    )
    _table(spare, folder, "cmn_notif_device")
    return dict(users.select("sys_id", "user_name").iter_rows())


def _table(rows: pl.DataFrame, folder: Path, name: str, *, overlap: int = 0) -> None:
    """Pages of texts; nothing is an empty text."""
    words = [pl.col(column).cast(pl.String).fill_null("") for column, dtype in rows.schema.items() if dtype != pl.Struct]
    records = sheets.as_json(rows.with_columns(words))
    step = sheets.PAGE - overlap
    for number, start in enumerate(range(0, max(records.len() - overlap, 1), step), start=1):
        text = f'{{"result": [{",".join(records.slice(start, sheets.PAGE))}]}}\n'
        (folder / f"{name}_{number}.json").write_text(text, encoding="utf-8")


def _ticket(column: str) -> pl.Expr:
    return _sys_id("1c")(pl.col(column))


def _reference(table: str, value: pl.Expr) -> pl.Expr:
    """A link and a value; nothing where there is nothing."""
    link = pl.format(f"{HOST}/api/now/table/{table}/{{}}", value)
    return pl.when(value.is_not_null()).then(pl.struct(link.alias("link"), value.alias("value")))


def _author(logins: dict[str, str]) -> pl.Expr:
    """The login of whoever acted: the system's, a guest's, a person's."""
    guest = pl.when(pl.col("actor") == "customer").then(pl.lit("guest"))
    return pl.when(pl.col("actor") == "system").then(pl.lit("system")).otherwise(pl.coalesce(pl.col("actor_id").replace(logins), guest))


def _time(column: str) -> pl.Expr:
    return pl.col(column).dt.strftime("%Y-%m-%d %H:%M:%S")


def _since_1970(column: str) -> pl.Expr:
    """A duration as ServiceNow writes it: the instant that lies so long after the beginning of 1970."""
    return pl.from_epoch(pl.col(column).cast(pl.Int64)).dt.strftime("%Y-%m-%d %H:%M:%S").alias(column)
