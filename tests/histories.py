"""How does the history of one contact, told by the hour, become a desk? And how does an invented desk become a study?"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import polars as pl

from fcrlib.intake.demo import Truth, invent
from fcrlib.intake.redact import redact
from fcrlib.judge.outcomes import judge
from fcrlib.model.desk import Desk, Manifest
from fcrlib.model.period import Period
from fcrlib.model.policy import Policy
from fcrlib.study import Study

RECORDED = frozenset({"has_events", "has_status_history", "has_messages", "has_public_flag", "has_group_history", "has_text"})
YEAR = Period.parse("2025-07-01..2026-09-30")
START = datetime(2026, 3, 2, 9, tzinfo=UTC)
EVENT = {
    "kind": "status", "actor": "agent", "public": False, "status_to": None, "group_from": None, "group_to": None, "agent_from": None, "agent_to": None,
    "text": None, "article_id": None, "is_auto": False,
}  # fmt: skip


def study_of(*, truth: Truth | None = None, seed: int = 7, contacts: int = 8_000) -> Study:
    return Study.of(redact(invent(seed=seed, contacts=contacts, truth=truth)), policy=Policy(), period=YEAR)


def desk_of(*events: dict[str, Any], reopened: bool = True, notes: bool = True, **contact: Any) -> tuple[Desk, pl.DataFrame]:
    """One contact whose events are given by hour, solved after 20 hours and, unless told otherwise, reopened after 30."""
    story = [{"h": 0, "kind": "message", "actor": "customer", "public": True, "text": "it does not work"}, *events]
    story += [{"h": 20, "status_to": "solved"}]
    story += [{"h": 30, "status_to": "open", "actor": "customer"}] if reopened else []
    story += [{"h": 40, "contact_id": "2", "kind": "note", "text": "so it is"}] if notes else []
    rows = [
        {"source": "zd", "contact_id": "1", "seq": place, **EVENT, **event, "at": START + timedelta(hours=event["h"])}
        for place, event in enumerate(story)
    ]
    contacts = {
        "source": ["zd"] * 2, "contact_id": ["1", "2"], "customer_ref": ["ann", "bob"], "opened_at": [START] * 2, "status": ["open"] * 2,
        "channel": ["email"] * 2, "initiated_by": ["customer"] * 2, "resolved_by": ["human"] * 2,
        "first_resolved_at": [START + timedelta(hours=20)] * 2, **{name: [value, None] for name, value in contact.items()},
    }  # fmt: skip
    span = {"data_start": START - timedelta(days=30), "data_end": START + timedelta(days=60)}
    manifest = Manifest(source="zd", reader="test", reader_version="1", capabilities=RECORDED, **span)
    frame = pl.DataFrame(rows, infer_schema_length=None).drop("h").with_columns(pl.col("at").cast(pl.Datetime("us", "UTC")))
    desk = Desk.build(manifest, contacts=pl.DataFrame(contacts), events=frame)
    return desk, judge(desk, policy=Policy(zero_touch="count"))


def move(hour: float, there: str, to: str, *, kind: str = "transfer") -> dict[str, Any]:
    return {"h": hour, "kind": kind, "group_from": there, "group_to": to, "agent_from": f"{there} 1", "agent_to": f"{to} 1"}


def says(hour: float, text: str, *, kind: str = "message", actor: str = "agent") -> dict[str, Any]:
    return {"h": hour, "kind": kind, "actor": actor, "public": kind == "message", "text": text}
