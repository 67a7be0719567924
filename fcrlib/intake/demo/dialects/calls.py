"""How would a phone system export the calls of the invented desk?

Only the calls: who rang, who answered, how long. As Amazon Connect writes it: records one behind the other without a line between, a transfer as a record
of its own, every tenth record delivered twice, the first time without its end. `write_cdr` writes the same calls as Asterisk does (no header, a row for
every ring, local times) and `write_genesys` as Genesys does (nested conversations in pages).
"""

from __future__ import annotations

import json
from pathlib import Path

import polars as pl

from fcrlib.intake.demo.dialects import sheets, spelling
from fcrlib.model.desk import Desk
from fcrlib.model.tables import TABLES, conform

ZONE = "Asia/Kolkata"
_ID = "6f1b0000-0000-4000-8000-000000"
_PATIENCE = 40
_ARN = "arn:aws:connect:eu-central-1:123456789012:instance/acme"
_KEPT = ("category", "language", "opened_at", "first_group", "first_agent", "resolver_group", "resolver_agent", "initiated_by", "is_abandoned")


def asked(desk: Desk) -> dict[str, object]:
    """Records do not say when they were exported."""
    return {"data_end": desk.manifest.data_end}


def respelled(desk: Desk) -> Desk:
    """The calls of the desk, as far as a phone system knows them: numbers for customers, extensions for agents, hanging up for resolving."""
    known = spelling.respelled(
        desk,
        source="calls",
        contact=spelling.number(_ID),
        customer=lambda name: name,
        alias=lambda name: name,
        agent=spelling.number("2"),
        account=lambda name: name,
        article=lambda name: name,
    )
    contacts = _contacts(known)
    events = _events(_legs(contacts), contacts)
    numbers = contacts.drop_nulls("customer_ref").select("source", "customer_ref", kind=pl.lit("phone"), value_norm="customer_ref").unique()
    people = events.select(agent_id="agent_to").drop_nulls().unique().sort("agent_id").with_columns(kind=pl.lit("human"))
    tables = {"contacts": contacts, "events": events, "identifiers": numbers.sort("customer_ref"), "agents": people}
    return known.map_tables(lambda table, frame: conform(tables[table], table=table) if table in tables else TABLES[table].create_empty())


def write(desk: Desk, folder: Path) -> None:
    """Write a respelled desk as the contact records of Amazon Connect."""
    legs = _legs(desk.contacts)
    records = _records(legs, desk.contacts)
    early = records.gather_every(10).with_columns(pl.lit(None, dtype=pl.Datetime("us", "UTC")).alias("DisconnectTimestamp"), LastUpdateTimestamp="InitiationTimestamp")  # fmt: skip
    text = "".join([*sheets.as_json(early.select(records.columns)), *sheets.as_json(records)])
    (folder / "contact-records-1").with_suffix(".json").write_text(text, encoding="utf-8")


def write_cdr(desk: Desk, folder: Path) -> None:
    """Write a respelled desk as the `Master.csv` of Asterisk: without a header, and with a row for everybody who only let it ring."""
    legs = _legs(desk.contacts).with_columns(number=pl.col("customer_ref").fill_null("anonymous"))
    out = pl.col("initiated_by") == "company"
    rung = legs.filter(~out & pl.col("answered").is_not_null() & (pl.col("leg") == 0)).with_columns(rang=pl.lit(True))
    rows = pl.concat([rung, legs.with_columns(rang=pl.lit(False))]).sort("contact_id", "leg", "rang", descending=[False, False, True])
    answered = pl.col("answered").is_not_null() & ~pl.col("rang")
    other = pl.when("rang").then(pl.lit("2999")).when(answered).then("agent")
    local = {name: pl.col(name).dt.convert_time_zone(ZONE).dt.strftime("%Y-%m-%d %H:%M:%S") for name in ("begun", "answered", "ended")}
    blank = pl.lit("")
    table = rows.select(
        blank.alias("accountcode"), pl.when(out).then(pl.col("agent").fill_null("100")).otherwise("number").alias("src"), pl.when(out).then("number").otherwise(pl.col("group").fill_null("600")).alias("dst"),
        pl.lit("ext-queues").alias("dcontext"), pl.format('"{}" <{}>', "number", "number").alias("clid"), pl.lit("PJSIP/trunk-000000a1").alias("channel"),
        pl.when(out).then(pl.lit("PJSIP/trunk-000000a2")).when(other.is_not_null()).then(pl.format("Local/{}@from-queue-0000002a;1", other)).alias("dstchannel"),
        pl.when(out).then(pl.lit("Dial")).otherwise(pl.lit("Queue")).alias("lastapp"), blank.alias("lastdata"), local["begun"].alias("start"),
        pl.when(answered).then(local["answered"]).alias("answer"), pl.when("rang").then(local["begun"]).otherwise(local["ended"]).alias("end"),
        pl.when("rang").then(0).otherwise((pl.col("ended") - pl.col("begun")).dt.total_seconds()).alias("duration"), pl.when(answered).then(pl.col("talk").cast(pl.Int64)).otherwise(0).alias("billsec"),
        pl.when(answered).then(pl.lit("ANSWERED")).otherwise(pl.lit("NO ANSWER")).alias("disposition"), pl.lit("DOCUMENTATION").alias("amaflags"), pl.col("contact_id").alias("uniqueid"),
        blank.alias("userfield"),
    )  # fmt: skip
    (folder / "Master.csv").write_text(table.write_csv(include_header=False, quote_style="non_numeric"), encoding="utf-8")


def write_genesys(desk: Desk, folder: Path) -> None:
    """Write a respelled desk as the conversation details of Genesys, with its queues."""
    contacts, legs = desk.contacts, _legs(desk.contacts)
    queues = sorted(legs["group"].drop_nulls().unique())
    ids = {name: f"q-{place}" for place, name in enumerate(queues)}
    parts = pl.concat([_callers(contacts), _queue(contacts, ids), _answering(legs, ids)]).sort("contact_id", "place")
    held = parts.group_by("contact_id", maintain_order=True).agg(pl.col("participant").alias("participants"))
    whole = contacts.join(held, on="contact_id", maintain_order="left").select(
        conversationId="contact_id", conversationStart="opened_at", conversationEnd="closed_at",
        originatingDirection=pl.when(pl.col("initiated_by") == "company").then(pl.lit("outbound")).otherwise(pl.lit("inbound")), participants="participants",
    )  # fmt: skip
    text = sheets.as_json(whole)
    size = max(-(-len(text) // 2), 1)
    for number, start in enumerate(range(0, len(text), size), start=1):
        some = ",".join(text.slice(start, size))
        last = f"{desk.manifest.data_end:%Y-%m-%dT%H:%M:%S.000Z}"
        page = f'{{"conversations": [{some}], "totalHits": {len(text)}, "dataAvailabilityDate": "{last}"}}\n'
        (folder / f"conversations_{number}.json").write_text(page, encoding="utf-8")
    entities = {"entities": [{"id": number, "name": name} for name, number in ids.items()]}
    (folder / "queues.json").write_text(json.dumps(entities), encoding="utf-8")


def _contacts(desk: Desk) -> pl.DataFrame:
    phones = desk.identifiers.filter(kind="phone").sort("customer_ref", "value_norm").unique("customer_ref", keep="first", maintain_order=True)
    known = desk.contacts.filter(pl.col("channel") == "phone").join(
        phones.select("customer_ref", number="value_norm"), on="customer_ref", how="left", maintain_order="left"
    )
    answered = ~pl.col("is_abandoned") & (pl.col("talk_seconds") > 1) & pl.col("first_agent").is_not_null() & pl.col("resolver_agent").is_not_null()
    wait = pl.col("wait_seconds").fill_null(0).floor()
    kept = known.select("source", "contact_id", "number", "talk_seconds", "handle_seconds", wait.alias("wait_seconds"), answered.alias("met"), *_KEPT)
    lasts = pl.when("met").then(pl.col("wait_seconds") + pl.col("talk_seconds")).otherwise(_PATIENCE)
    kept = kept.with_columns(end=pl.col("opened_at") + pl.duration(seconds=lasts)).filter(pl.col("end") <= desk.manifest.data_end)
    met = [pl.when("met").then(name).alias(name) for name in ("first_group", "first_agent", "resolver_group", "resolver_agent", "talk_seconds", "wait_seconds", "handle_seconds")]  # fmt: skip
    resolved = pl.when("met").then("end")
    told = kept.with_columns(
        *met,
        customer_ref="number",
        channel=pl.lit("phone"),
        channel_raw=pl.lit("VOICE"),
        status=pl.lit("closed"),
        closed_at="end",
        first_resolved_at=resolved,
        last_resolved_at=resolved,
        is_abandoned=~pl.col("met"),
        close_reason=pl.when(~pl.col("met")).then(pl.lit("abandoned")),
        resolved_by=pl.when("met").then(pl.lit("human")).otherwise(pl.lit("unknown")),
    )
    return conform(told, table="contacts").sort("contact_id")


def _legs(contacts: pl.DataFrame) -> pl.DataFrame:
    """One row per agent on a call; where another one ended it, the call was handed over in its middle."""
    picked = pl.col("opened_at") + pl.duration(seconds=pl.col("wait_seconds"))
    half = (pl.col("talk_seconds") / 2).floor()
    middle = picked + pl.duration(seconds=half)
    twice = (pl.col("first_agent") != pl.col("resolver_agent")).fill_null(False)
    wrap = pl.col("handle_seconds") - pl.col("talk_seconds")
    shared = ["contact_id", "customer_ref", "initiated_by"]
    first = contacts.select(
        *shared, leg=pl.lit(0, dtype=pl.Int64), begun="opened_at", answered=picked, ended=pl.when(twice).then(middle).otherwise("closed_at"), agent="first_agent",
        group="first_group", talk=pl.when(twice).then(half).otherwise("talk_seconds"), wrap=pl.when(twice).then(0.0).otherwise(wrap),
    )  # fmt: skip
    second = contacts.filter(twice).select(
        *shared, leg=pl.lit(1, dtype=pl.Int64), begun=middle, answered=middle, ended="closed_at", agent="resolver_agent", group="resolver_group",
        talk=pl.col("talk_seconds") - half, wrap=wrap,
    )  # fmt: skip
    return pl.concat([first, second]).sort("contact_id", "leg")


def _events(legs: pl.DataFrame, contacts: pl.DataFrame) -> pl.DataFrame:
    met = legs.filter(pl.col("answered").is_not_null())
    before = {name: pl.col(name).shift().over("contact_id") for name in ("agent", "group")}
    moved = before["group"].is_not_null() & (before["group"] != pl.col("group"))
    shared = {"public": pl.lit(True), "channel": pl.lit("phone"), "kind": pl.lit("call_leg")}
    parts = [
        contacts.select("contact_id", at="opened_at", place=pl.lit(0), actor=pl.lit("customer"), actor_id="customer_ref", **shared),
        met.select(
            "contact_id", at="answered", place=pl.lit(1), kind=pl.when(moved).then(pl.lit("transfer")).otherwise(pl.lit("assignment")), group_from=before["group"],
            group_to="group", agent_from=before["agent"], agent_to="agent", actor_id=before["agent"],
            actor=pl.when(before["agent"].is_null()).then(pl.lit("system")).otherwise(pl.lit("agent")),
        ),
        met.select("contact_id", at="answered", place=pl.lit(2), actor=pl.lit("agent"), actor_id="agent", **shared),
    ]  # fmt: skip
    told = pl.concat(parts, how="diagonal").sort("contact_id", "at", "place").with_columns(
        pl.col("public").fill_null(False), source=pl.lit("calls"), seq=pl.int_range(pl.len(), dtype=pl.Int64).over("contact_id")
    )  # fmt: skip
    return conform(told, table="events")


def _records(legs: pl.DataFrame, contacts: pl.DataFrame) -> pl.DataFrame:
    first, met = pl.col("leg") == 0, pl.col("answered").is_not_null()
    about = contacts.select("contact_id", "category", "language")
    way = pl.when(pl.col("initiated_by") == "company").then(pl.lit("OUTBOUND")).otherwise(pl.lit("INBOUND"))
    return legs.join(about, on="contact_id", how="left", maintain_order="left").select(
        pl.when(first).then("contact_id").otherwise(pl.col("contact_id").str.replace("6f1b", "6f1c")).alias("ContactId"),
        pl.when(~first).then("contact_id").alias("InitialContactId"),
        pl.lit("VOICE").alias("Channel"),
        pl.when(first).then(way).otherwise(pl.lit("TRANSFER")).alias("InitiationMethod"),
        pl.col("begun").alias("InitiationTimestamp"),
        pl.col("ended").alias("DisconnectTimestamp"),
        (pl.col("ended") + pl.duration(minutes=1)).alias("LastUpdateTimestamp"),
        pl.struct(Address="customer_ref", Type=pl.lit("TELEPHONE_NUMBER")).alias("CustomerEndpoint"),
        pl.when(met).then(pl.struct(Name="group", EnqueueTimestamp=pl.col("begun").dt.strftime("%Y-%m-%dT%H:%M:%SZ"))).alias("Queue"),
        pl.when(met).then(
            pl.struct(
                Username="agent", ConnectedToAgentTimestamp=pl.col("answered").dt.strftime("%Y-%m-%dT%H:%M:%SZ"), AgentInteractionDuration=pl.col("talk").cast(pl.Int64),
                CustomerHoldDuration=pl.lit(0), AfterContactWorkDuration=pl.col("wrap").cast(pl.Int64),
            )
        ).alias("Agent"),
        pl.struct("category", "language").alias("Attributes"),
        pl.lit(_ARN).alias("InstanceARN"),
    )  # fmt: skip


def _moment(name: str) -> pl.Expr:
    return pl.col(name).dt.strftime("%Y-%m-%dT%H:%M:%S.000Z")


def _participant(purpose: str, *, user: pl.Expr, ani: pl.Expr, dnis: pl.Expr, segments: pl.Expr) -> pl.Expr:
    number = pl.format("{}-{}-{}", "contact_id", pl.lit(purpose), "place")
    session = pl.struct(sessionId=number, mediaType=pl.lit("voice"), ani=ani, dnis=dnis, segments=segments)
    return pl.struct(participantId=number, purpose=pl.lit(purpose), userId=user, sessions=pl.concat_list(session)).alias("participant")


def _segment(kind: str, begun: pl.Expr, ended: pl.Expr, queue: pl.Expr) -> pl.Expr:
    return pl.struct(segmentType=pl.lit(kind), segmentStart=begun, segmentEnd=ended, queueId=queue)


_NONE = pl.lit(None, dtype=pl.String)


def _callers(contacts: pl.DataFrame) -> pl.DataFrame:
    number, own = pl.format("tel:{}", "customer_ref"), pl.lit("tel:+18005550199")
    out = pl.col("initiated_by") == "company"
    segments = pl.concat_list(_segment("interact", _moment("opened_at"), _moment("closed_at"), _NONE))
    caller = _participant(
        "customer", user=_NONE, ani=pl.when(out).then(own).otherwise(number), dnis=pl.when(out).then(number).otherwise(own), segments=segments
    )
    return contacts.with_columns(place=pl.lit(0)).select("contact_id", "place", caller)


def _queue(contacts: pl.DataFrame, ids: dict[str, str]) -> pl.DataFrame:
    queue = pl.col("first_group").replace_strict(ids, default=None, return_dtype=pl.String)
    over = pl.coalesce(pl.col("opened_at") + pl.duration(seconds=pl.col("wait_seconds")), "closed_at").dt.strftime("%Y-%m-%dT%H:%M:%S.000Z")
    segments = pl.concat_list(_segment("interact", _moment("opened_at"), over, queue))
    waiting = _participant("acd", user=_NONE, ani=_NONE, dnis=_NONE, segments=segments)
    return contacts.with_columns(place=pl.lit(1)).select("contact_id", "place", waiting)


def _answering(legs: pl.DataFrame, ids: dict[str, str]) -> pl.DataFrame:
    queue = pl.col("group").replace_strict(ids, default=None, return_dtype=pl.String)
    done = (pl.col("ended") + pl.duration(seconds=pl.col("wrap"))).dt.strftime("%Y-%m-%dT%H:%M:%S.000Z")
    segments = pl.concat_list(
        _segment("alert", _moment("begun"), _moment("answered"), queue),
        _segment("interact", _moment("answered"), _moment("ended"), queue),
        _segment("wrapup", _moment("ended"), done, queue),
    )
    agent = _participant("agent", user=pl.col("agent"), ani=_NONE, dnis=_NONE, segments=segments)
    return legs.filter(pl.col("answered").is_not_null()).with_columns(place=(pl.col("leg") + 2).cast(pl.Int32)).select("contact_id", "place", agent)
