"""How does a hand-worked story become a desk? Stories come as JSON vectors or as ASCII tables; both end here."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import polars as pl

from fcrlib.model.desk import Desk, Manifest
from fcrlib.model.policy import Policy
from fcrlib.model.tables import CAPABILITIES, CHANNELS

ZERO = datetime(2026, 1, 1, tzinfo=UTC)
HOURS = {"window_h": "window", "resolve_within_h": "resolve_within", "resolve_deadline_h": "resolve_deadline", "dup_gap_h": "duplicate_gap"}
RENAMED = {"channel_switch": "across_channels", "max_customer_msgs_after_reply": "max_customer_replies"}
FLAGS = {
    **{word: f"is_{word}" for word in ("spam", "deleted", "test", "internal", "side_conversation", "abandoned")},
    "non_resolvable": "non_resolvable",
}
SPOKEN = {
    "human": "agent",
    "automation": "system",
    "trigger": "system",
    "resolved": "solved",
    "reopened": "open",
    "on_hold": "hold",
    "on-hold": "hold",
}
TEXTS = ("follow_up_of", "merged_into", "issue_key", "close_reason")


def at(hours: float) -> datetime:
    return ZERO + timedelta(hours=hours)


def policy_of(overrides: dict[str, Any]) -> Policy:
    preset = Policy.named(overrides["preset"]) if "preset" in overrides else Policy()
    fields: dict[str, Any] = preset.model_dump()
    for name, value in overrides.items():
        if name == "preset":
            continue
        if name in HOURS:
            fields[HOURS[name]] = None if value is None else timedelta(hours=value)
        else:
            fields[RENAMED.get(name, name)] = value
    return Policy.read(fields)


def desk_of(contacts: list[dict[str, Any]], *, data_end: float) -> Desk:
    """Build a desk from contacts in the form of the vector file; contacts may be listed in any order."""
    rows = [_contact(contact) for contact in contacts]
    events = [_event(contact["id"], seq, event) for contact in contacts for seq, event in enumerate(_in_time(contact)) if event["kind"] != "survey"]
    surveys = [
        {"source": "story", "contact_id": contact["id"], "seq": seq, "answered_at": at(event["t"]), "resolved": _answer(event), "superseded": False}
        for contact in contacts
        for seq, event in enumerate(contact.get("events", ()))
        if event["kind"] == "survey"
    ]
    manifest = Manifest(
        source="story",
        reader="story",
        reader_version="1",
        data_start=ZERO,
        data_end=at(data_end),
        capabilities=frozenset(CAPABILITIES),
        redacted=True,
    )
    tables = {"contacts": rows, "events": events, "surveys": surveys}
    return Desk.build(manifest, **{name: pl.DataFrame(table, infer_schema_length=None) for name, table in tables.items() if table})


def _in_time(contact: dict[str, Any]) -> list[dict[str, Any]]:
    return sorted(contact.get("events", ()), key=lambda event: event["t"])


def _answer(event: dict[str, Any]) -> str | None:
    word = event.get("resolved", event.get("answer"))
    return {"partially": "partly", "partial": "partly"}.get(word, word)


def _contact(contact: dict[str, Any]) -> dict[str, Any]:
    channel = contact.get("channel") or "other"
    row: dict[str, Any] = {
        "source": "story",
        "contact_id": contact["id"],
        "opened_at": at(contact["opened"]),
        "customer_ref": contact.get("customer"),
        "channel": channel if channel in CHANNELS else "other",
        "channel_raw": channel,
        "category": contact.get("category"),
        "status": "open",
        "initiated_by": contact.get("initiated_by") or "customer",
        "resolved_by": contact.get("resolved_by") or "unknown",
        "parent_id": contact.get("parent_id", contact.get("parent")),
    }
    row |= {name: contact.get(name) for name in TEXTS}
    return row | {column: bool(contact.get(word, contact.get(column, False))) for word, column in FLAGS.items()}


def _event(contact: str, seq: int, event: dict[str, Any]) -> dict[str, Any]:
    actor = SPOKEN.get(event.get("actor"), event.get("actor", "unknown"))
    auto = event.get("auto", event.get("is_auto", not event.get("answer", True)))
    return {
        "source": "story",
        "contact_id": contact,
        "seq": seq,
        "at": at(event["t"]),
        "kind": event["kind"],
        "actor": actor,
        "actor_id": event.get("agent", event.get("actor_id")),
        "public": event.get("public", True),
        "status_to": SPOKEN.get(event.get("status"), event.get("status")),
        "is_auto": auto,
        "is_ack": event.get("ack", event.get("is_ack", False)),
    }


# --- ASCII tables -----------------------------------------------------------------------------------------------------

_ACTS: dict[str, dict[str, Any]] = {
    "customer writes": {"kind": "message", "actor": "customer"},
    "customer thanks": {"kind": "message", "actor": "customer", "ack": True},
    "agent replies": {"kind": "message", "actor": "agent"},
    "agent notes": {"kind": "message", "actor": "agent", "public": False},
    "bot answers": {"kind": "message", "actor": "bot", "answer": True},
    "autoresponder": {"kind": "message", "actor": "bot", "answer": False},
    "transfer": {"kind": "transfer", "actor": "agent"},
    "first assignment": {"kind": "assignment", "actor": "system"},
    "escalation": {"kind": "escalation", "actor": "agent"},
    "survey yes": {"kind": "survey", "resolved": "yes"},
    "survey partly": {"kind": "survey", "resolved": "partly"},
    "survey no": {"kind": "survey", "resolved": "no"},
}
_STATUS = {"solves": "solved", "closes": "closed", "reopens": "open", "waits": "pending", "holds": "hold"}


def read_stories(file: Path) -> list[dict[str, Any]]:
    """Read stories: a `##` title, `policy:` and `data end:` lines, a table with one row per contact."""
    return [_story(block) for block in re.split(r"^## ", file.read_text(encoding="utf-8"), flags=re.M)[1:]]


def _story(block: str) -> dict[str, Any]:
    lines = [line.strip() for line in block.strip().splitlines()]
    cells = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines if line.startswith("|") and not set(line) <= set("|-: ")]
    header, rows = cells[0], cells[1:]
    settings = dict(line.split(":", 1) for line in lines[1:] if re.match(r"(policy|data end):", line))
    contacts = [dict(zip(header, row, strict=True)) for row in rows]
    return {
        "name": lines[0],
        "policy": _settings(settings.get("policy", "")),
        "data_end_h": float(settings["data end"]),
        "contacts": [_told(contact) for contact in contacts],
        "expect": {contact["contact"]: _expected(contact["label"]) for contact in contacts},
    }


def _settings(text: str) -> dict[str, Any]:
    words = {"true": True, "false": False}
    pairs = (part.strip().split("=") for part in text.split(",") if part.strip())
    return {name: words.get(value, int(value) if value.isdigit() else value) for name, value in pairs}


def _expected(text: str) -> dict[str, str]:
    label, _, reason = text.partition(" ")
    return {"label": label, **({"of": reason.removeprefix("of ")} if label == "repeat" and reason else {"reason": reason} if reason else {})}


def _told(row: dict[str, str]) -> dict[str, Any]:
    start = float(row["start"])
    known = {name: value for name, value in row.items() if value not in ("", "-") and name not in ("contact", "start", "label", "story", "mark")}
    contact: dict[str, Any] = {"id": row["contact"], "opened": start, "customer": None, "channel": "email", "category": None, **known}
    contact |= dict(_mark(word) for word in row.get("mark", "").split(",") if word.strip())
    events = [_act(part.strip()) for part in row["story"].split(";") if part.strip()]
    if contact.get("initiated_by") != "company":
        events.insert(0, {"kind": "message", "t": start, "actor": "customer"})
    return contact | {"events": events}


def _mark(word: str) -> tuple[str, Any]:
    name, _, value = word.strip().partition("=")
    return name, value or True


def _act(text: str) -> dict[str, Any]:
    hour, _, act = text.partition(" ")
    if act in _ACTS:
        return {"t": float(hour), **_ACTS[act]}
    actor, verb = act.split()
    return {"t": float(hour), "kind": "status", "actor": actor, "status": _STATUS[verb]}
