"""How would Intercom export the invented desk?

Conversations with their parts in pages that overlap; texts as HTML, times as seconds; receipts as comments of Operator, ratings that were only asked
for, one person under several contacts, calls delivered twice. A conversation is open, snoozed or closed, and nothing else.
"""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import polars as pl

from fcrlib.intake.demo.dialects import sheets, spelling
from fcrlib.model.desk import Desk
from fcrlib.model.tables import conform

_SOURCES = {
    "email": "email", "web": "conversation", "chat": "conversation", "messaging": "whatsapp", "phone": "phone_call", "social": "facebook",
    "in_app": "push", "api": "api", "other": "other",
}  # fmt: skip
_STATES = {"new": "open", "open": "open", "pending": "pending", "hold": "pending", "solved": "closed", "closed": "closed"}
_WORDS = {"open": "open", "pending": "snoozed", "closed": "closed"}
_LABELS = {"is_test": "test", "is_internal": "internal", "is_side_conversation": "side_conversation"}
_ATTRIBUTES = {name: name.replace("_", " ").capitalize() for name in ("category", "subcategory", "product_area", "tier", "language")}
_PROMISED = 8 * 3600
_OVERLAP, _PAGE = 3, 500


def respelled(desk: Desk) -> Desk:
    """The desk as Intercom knows it: numbers for ids, three states, its own words for channels."""
    known = spelling.respelled(
        desk,
        source="intercom",
        contact=spelling.number("1566433"),
        customer=spelling.number("5ee0"),
        alias=spelling.number("5ef0"),
        agent=spelling.number("4077"),
        account=spelling.number("5f8e"),
        article=spelling.number("668"),
    )
    events = _events(known)
    bots = events.filter(pl.col("actor") == "bot")["actor_id"]
    bot = pl.col("kind") == "bot"
    agents = known.agents.filter(~bot | pl.col("agent_id").is_in(bots.implode())).with_columns(group=pl.when(~bot).then("group"))
    keys = known.identifiers.sort("customer_ref", "kind", "value_norm").unique(["customer_ref", "kind"], keep="first", maintain_order=True)
    return replace(
        known,
        contacts=_contacts(known, events),
        events=events,
        surveys=known.surveys.filter(~pl.col("superseded")),
        agents=agents,
        identifiers=keys,
    )


def write(desk: Desk, folder: Path) -> None:
    """Write a respelled desk as conversations with parts, contacts, admins, teams, tags, calls and articles."""
    names = pl.concat([desk.events["group_to"], desk.agents["group"]]).drop_nulls().unique().sort()
    teams = {name: str(123_400 + place) for place, name in enumerate(names)}
    conversations = _conversations(desk, teams)
    starts = list(range(0, max(conversations.len(), 1), _PAGE))
    for number, start in enumerate(starts, start=1):
        back = _OVERLAP if number > 1 else 0
        following = {"page": number + 1, "starting_after": f"after-{number}"} if number < len(starts) else None
        pages = {"type": "pages", "page": number, "per_page": _PAGE, "total_pages": len(starts), "next": following}
        rest = json.dumps({"total_count": conversations.len(), "pages": pages})[1:]
        some = ",".join(conversations.slice(start - back, _PAGE + back))
        (folder / f"conversations_{number}.json").write_text(f'{{"type": "conversation.list", "conversations": [{some}], {rest}\n', encoding="utf-8")
    _listed(folder / "contacts.json", "data", _people(desk))
    humans = desk.agents.filter(pl.col("kind") == "human")
    team = pl.col("group").replace_strict(teams, default=None, return_dtype=pl.String)
    admins = humans.select(type=pl.lit("admin"), id="agent_id", name=pl.format("Agent {}", "agent_id"), team_ids=pl.concat_list(team))
    _listed(folder / "admins.json", "admins", sheets.as_json(admins))
    _listed(folder / "teams.json", "teams", sheets.as_json(pl.DataFrame({"type": "team", "id": list(teams.values()), "name": list(teams)})))
    _calls(desk, folder)
    articles = desk.articles.select(type=pl.lit("article"), id="article_id", title="title", updated_at=_seconds("updated_at"))
    _listed(folder / "articles.json", "data", sheets.as_json(articles))


def _events(desk: Desk) -> pl.DataFrame:
    """Changes of state in the words of Intercom; whoever hands a contact over is the one who held it. What a machine does, no agent does."""
    bots = desk.agents.filter(kind="bot")["agent_id"]
    handed = pl.col("kind").is_in(spelling.HANDOVERS) & (pl.col("actor") == "agent")
    holder = pl.when(~pl.col("agent_from").is_in(bots.implode())).then("agent_from")
    author = pl.when(handed).then(pl.coalesce("actor_id", holder, "agent_to")).otherwise("actor_id")
    machine = pl.col("actor_id").is_in(bots.implode()) & (pl.col("actor") == "agent")
    states = {name: pl.col(name).cast(pl.String).replace_strict(_STATES, return_dtype=pl.String) for name in ("status_from", "status_to")}
    spelled = desk.events.filter(pl.col("kind") != "article").with_columns(
        actor_id=author,
        kind=spelling.handover(),
        text=_tidy("text"),
        channel=pl.when(pl.col("channel") == "web").then(pl.lit("chat")).otherwise(pl.col("channel").cast(pl.String)),
        **states,
    )
    spelled = spelled.with_columns(actor=pl.when(machine).then(pl.lit("bot")).otherwise(pl.col("actor").cast(pl.String)))
    called = desk.contacts.filter(pl.col("initiated_by") == "company")["contact_id"]
    outbound = (pl.col("kind") == "call_leg") & (pl.col("actor") == "customer") & pl.col("contact_id").is_in(called.implode())
    changes = (pl.col("kind") != "status") | (pl.col("status_from") != pl.col("status_to"))
    return conform(spelled.filter(changes & ~outbound), table="events").sort("source", "contact_id", "seq")


def _contacts(desk: Desk, events: pl.DataFrame) -> pl.DataFrame:
    asked = events.filter(actor="customer").group_by("contact_id").agg(pl.col("actor_id").drop_nulls().first().alias("asked"))
    first = events.filter(kind="message").sort("contact_id", "seq").group_by("contact_id").agg(opening=pl.col("text").first())
    contacts = desk.contacts.join(asked, on="contact_id", how="left")
    contacts = contacts.with_columns(customer_ref=pl.coalesce("customer_ref", "asked")).join(
        first, on="contact_id", how="left", maintain_order="left"
    )
    contacts = contacts.join(
        desk.identifiers.filter(kind="account").select("customer_ref", company="value_norm").unique("customer_ref"),
        on="customer_ref", how="left", maintain_order="left",
    )  # fmt: skip
    tended = pl.col("contact_id").is_in(events.filter(actor="agent")["contact_id"].implode())
    missed_call = (pl.col("channel") == "phone") & ~tended
    missed = pl.col("is_abandoned") & (pl.col("channel") != "phone")
    label = {**{word: pl.col(flag) for flag, word in _LABELS.items()}, "missed_chat": missed}
    added = [pl.when(when).then(pl.lit([word])).otherwise(pl.lit([], dtype=pl.List(pl.String))) for word, when in label.items()]
    status = pl.col("status").cast(pl.String).replace_strict(_STATES)
    spelled = contacts.with_columns(
        channel=pl.when(pl.col("channel") == "web").then(pl.lit("chat")).otherwise(pl.col("channel").cast(pl.String)),
        channel_raw=pl.col("channel").cast(pl.String).replace_strict(_SOURCES),
        status=status,
        account_ref=pl.coalesce("account_ref", "company"),
        body=pl.coalesce("opening", _tidy("body")),
        is_abandoned=missed_call | pl.col("is_abandoned"),
        resolved_by=pl.when(missed_call).then(pl.lit("unknown")).otherwise(pl.col("resolved_by").cast(pl.String)),
        closed_at=pl.when(status == "closed").then("last_resolved_at"),
        tags=pl.concat_list("tags", *added).list.unique(maintain_order=True),
        vendor_first_resolved_at="first_resolved_at",
        vendor_sla_met=pl.col("wait_seconds") <= _PROMISED,
    )
    return conform(spelled, table="contacts").sort("source", "contact_id")


def _tidy(column: str) -> pl.Expr:
    """A text as a page holds it: of blanks in a row one is left, and none at the end of a line."""
    return pl.col(column).str.replace_all(r"[ \t]+", " ").str.replace_all(r"(?m) $", "")


def _conversations(desk: Desk, teams: dict[str, str]) -> pl.Series:
    contacts = desk.contacts
    rated = desk.surveys.select(
        "contact_id",
        conversation_rating=pl.struct(
            rating=pl.col("csat_raw").cast(pl.Int64), remark="comment", created_at=_seconds("offered_at"), updated_at=_seconds("answered_at")
        ),
    )
    company = pl.col("initiated_by") == "company"
    opener = desk.events.filter(kind="message").sort("contact_id", "seq").unique("contact_id", keep="first", maintain_order=True)
    contacts = contacts.join(opener.select("contact_id", opener="actor_id"), on="contact_id", how="left", maintain_order="left")
    whole = contacts.join(rated, on="contact_id", how="left", maintain_order="left").join(
        _parts(desk, opener, teams), on="contact_id", how="left", maintain_order="left"
    )
    name = pl.element()
    person = pl.when(pl.col("customer_ref").is_not_null()).then(pl.concat_list(pl.struct(type=pl.lit("contact"), id="customer_ref")))
    author = pl.struct(type=pl.when(company).then(pl.lit("admin")).otherwise(pl.lit("user")), id="opener")
    started = pl.when(company).then(pl.lit("admin_initiated")).otherwise(pl.lit("customer_initiated"))
    promise = pl.col("vendor_sla_met").replace_strict({True: "hit", False: "missed"}, default=None, return_dtype=pl.String)
    return sheets.as_json(
        whole.select(
            type=pl.lit("conversation"),
            id="contact_id",
            created_at=_seconds("opened_at"),
            updated_at=_seconds(pl.coalesce("closed_at", "last_resolved_at", "opened_at")),
            title="subject",
            open=pl.col("status") == "open",
            state=pl.col("status").cast(pl.String).replace_strict(_WORDS),
            priority="priority",
            company=pl.struct(id="account_ref"),
            source=pl.struct(type="channel_raw", delivered_as=started, body=_html("body"), author=author),
            contacts=pl.struct(type=pl.lit("contact.list"), contacts=person),
            tags=pl.struct(
                type=pl.lit("tag.list"), tags=pl.col("tags").list.eval(pl.struct(name.hash().cast(pl.String).alias("id"), name.alias("name")))
            ),
            custom_attributes=pl.struct(pl.col(ours).alias(theirs) for ours, theirs in _ATTRIBUTES.items()),
            linked_objects=pl.struct(
                data=pl.when(pl.col("parent_id").is_not_null()).then(pl.concat_list(pl.struct(type=pl.lit("conversation"), id="parent_id")))
            ),
            sla_applied=pl.struct(sla_status=promise),
            conversation_rating="conversation_rating",
            statistics=pl.struct(
                count_reopens="vendor_reopens",
                count_assignments=pl.col("vendor_stations") + 1,
                handling_time=pl.col("handle_seconds").cast(pl.Int64),
                first_admin_reply_at=_seconds(pl.col("opened_at") + pl.duration(seconds=pl.col("wait_seconds"))),
                first_close_at=_seconds("first_resolved_at"),
                last_close_at=_seconds("last_resolved_at"),
                time_to_admin_reply=pl.lit(1),
            ),
            conversation_parts=pl.struct(conversation_parts="parts"),
        )
    )


def _parts(desk: Desk, opener: pl.DataFrame, teams: dict[str, str]) -> pl.DataFrame:
    """Parts by conversation; a handover is one to the team and one to the admin, at one second."""
    events = desk.events.filter(~pl.col("kind").is_in(["call_leg", "survey"])).join(
        opener.select("contact_id", "seq"), on=["contact_id", "seq"], how="anti"
    )
    handed = pl.col("kind").is_in(spelling.HANDOVERS)
    team = pl.struct(type=pl.lit("team"), id=pl.col("group_to").replace_strict(teams, default=None, return_dtype=pl.String))
    both = pl.concat(
        [
            events.with_columns(side=pl.lit(0), to=team),
            events.filter(handed).with_columns(side=pl.lit(1), to=pl.struct(type=pl.lit("admin"), id="agent_to")),
        ]
    )
    ordered = both.sort("contact_id", "seq", "side").with_columns(
        state=pl.col("status_to").cast(pl.String).forward_fill().over("contact_id").fill_null("open").replace_strict(_WORDS)
    )
    moved = (
        pl.col("status_to")
        .cast(pl.String)
        .replace_strict({"closed": "close", "open": "open", "pending": "snoozed"}, default=None, return_dtype=pl.String)
    )
    kinds = {"note": "note", "merge": "merged_secondary_conversation", "message": "comment"}
    part_type = pl.when(handed).then(pl.lit("assignment")).otherwise(
        pl.coalesce(moved, pl.col("kind").cast(pl.String).replace_strict(kinds, default="comment"))
    )  # fmt: skip
    actor = pl.col("actor").cast(pl.String)
    author = pl.struct(
        type=actor.replace_strict({"agent": "admin", "customer": "user", "unknown": "lead"}, default="bot"),
        id=pl.when(actor == "system").then(pl.lit("operator")).when(actor == "unknown").then(pl.lit("partner")).otherwise("actor_id"),
        name=pl.when(actor == "system").then(pl.lit("Operator")),
        from_ai_agent=actor == "bot",
        is_ai_answer=actor == "bot",
    )
    part = pl.struct(
        type=pl.lit("conversation_part"),
        id=pl.int_range(pl.len()).cast(pl.String),
        part_type=part_type,
        body=_html("text"),
        created_at=_seconds("at"),
        author=author,
        assigned_to=pl.when(handed).then("to"),
        state="state",
    )
    return ordered.select("contact_id", part=part).group_by("contact_id", maintain_order=True).agg(parts="part")


def _people(desk: Desk) -> pl.Series:
    """Contacts with one address, one number and one company each."""
    wide = desk.identifiers.with_columns(pl.col("kind").cast(pl.String)).pivot("kind", index="customer_ref", values="value_norm")
    blank = [pl.lit(None, dtype=pl.String).alias(name) for name in ("email", "phone", "account") if name not in wide.columns]
    company = pl.struct(data=pl.when(pl.col("account").is_not_null()).then(pl.concat_list(pl.struct(id="account"))))
    return sheets.as_json(
        wide.with_columns(blank).select(
            type=pl.lit("contact"), id="customer_ref", role=pl.lit("user"), email="email", phone="phone", companies=company
        )
    )


def _calls(desk: Desk, folder: Path) -> None:
    """One call for a conversation by phone, each delivered twice."""
    legs = desk.events.filter(pl.col("kind") == "call_leg").sort("contact_id", "seq")
    by_side = [
        legs.filter(actor=side).group_by("contact_id").agg(pl.col("at").first().alias(f"{side}_at"), pl.col("actor_id").first().alias(side))
        for side in ("customer", "agent")
    ]
    phone = desk.contacts.filter(pl.col("talk_seconds").is_not_null() | (pl.col("channel") == "phone"))
    for side in by_side:
        phone = phone.join(side, on="contact_id", how="left", maintain_order="left")
    ended = pl.col("agent_at") + pl.duration(seconds=pl.col("talk_seconds"))
    told = phone.select(
        type=pl.lit("call"),
        id=pl.format("9{}", "contact_id"),
        conversation_id="contact_id",
        admin_id="agent",
        contact_id="customer",
        direction=pl.when(pl.col("initiated_by") == "company").then(pl.lit("outbound")).otherwise(pl.lit("inbound")),
        initiated_at=_seconds(pl.coalesce("customer_at", "opened_at")),
        answered_at=_seconds("agent_at"),
        ended_at=_seconds(ended),
    )
    sheets.lines(sheets.as_json(pl.concat([told, told])), file=folder / "calls.ndjson")


def _seconds(moment: pl.Expr | str) -> pl.Expr:
    return (pl.col(moment) if isinstance(moment, str) else moment).dt.epoch("s")


def _html(column: str) -> pl.Expr:
    """A text as the messenger writes it."""
    text = pl.col(column)
    for sign, written in {"&": "&amp;", "<": "&lt;", ">": "&gt;", "\n": "<br>"}.items():
        text = text.str.replace_all(sign, written, literal=True)
    return pl.when(pl.col(column).is_not_null()).then(pl.concat_str(pl.lit("<p>"), text, pl.lit("</p>")))


def _listed(file: Path, wrapper: str, records: pl.Series) -> None:
    rest = json.dumps({"total_count": records.len(), "pages": {"type": "pages", "next": None}})[1:]
    file.write_text(f'{{"type": "list", "{wrapper}": [{",".join(records)}], {rest}\n', encoding="utf-8")


def asked(desk: Desk) -> dict[str, object]:
    """What the reader must be told: when the export was made."""
    return {"data_end": desk.manifest.data_end}
