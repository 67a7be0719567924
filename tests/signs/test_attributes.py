"""Is each fact about the handling read as it says, and never from what came after the first resolution?"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import polars as pl
import pytest

from fcrlib.judge.outcomes import judge
from fcrlib.model.desk import Desk, Manifest
from fcrlib.model.policy import Policy
from fcrlib.model.taxonomy import BONES, Taxonomy
from fcrlib.signs.attributes import ATTRIBUTES, attributes, shown

START = datetime(2026, 3, 2, 9, tzinfo=UTC)  # a Monday
RECORDED = frozenset({"has_events", "has_status_history", "has_messages", "has_public_flag", "has_group_history"})
EVENT = {
    "kind": "status", "actor": "agent", "public": False, "status_to": None, "group_from": None, "group_to": None, "agent_from": None, "agent_to": None,
    "text": None, "article_id": None, "is_auto": False,
}  # fmt: skip


def desk_of(*events: dict[str, Any], capabilities: frozenset[str] = RECORDED, start: datetime = START, hired: int = 900) -> Desk:
    """One contact whose events are given by hour, solved after 60 hours."""
    story = [{"h": 0, "kind": "message", "actor": "customer", "public": True}, *events, {"h": 60, "status_to": "solved"}]
    rows = [
        {"source": "zd", "contact_id": "1", "seq": place, **EVENT, **event, "at": start + timedelta(hours=event["h"])}
        for place, event in enumerate(story)
    ]
    contacts = {
        "source": ["zd"], "contact_id": ["1"], "customer_ref": ["ann"], "opened_at": [start], "status": ["solved"], "channel": ["email"],
        "initiated_by": ["customer"], "resolved_by": ["human"], "first_resolved_at": [start + timedelta(hours=60)], "first_agent": ["a-1"],
    }  # fmt: skip
    span = {"data_start": start - timedelta(days=30), "data_end": start + timedelta(days=60)}
    manifest = Manifest(source="zd", reader="test", reader_version="1", capabilities=capabilities, **span)
    agents = pl.DataFrame({"agent_id": ["a-1"], "kind": ["human"], "hired_at": [start - timedelta(days=hired)]})
    articles = pl.DataFrame({"article_id": ["old", "new"], "updated_at": [start - timedelta(days=400), start - timedelta(days=9)]})
    frame = pl.DataFrame(rows, infer_schema_length=None).drop("h")
    return Desk.build(manifest, contacts=pl.DataFrame(contacts), events=frame, agents=agents, articles=articles)


def read(*events: dict[str, Any], time_zone: str = "UTC", **desk: Any) -> dict[str, Any]:
    made = desk_of(*events, **desk)
    return attributes(made, judge(made, policy=Policy(zero_touch="count")), time_zone=time_zone).row(0, named=True)


def move(hour: float, there: str, to: str, *, kind: str = "transfer") -> dict[str, Any]:
    return {"h": hour, "kind": kind, "group_from": there, "group_to": to, "agent_from": f"{there} 1", "agent_to": f"{to} 1"}


def says(hour: float, *, actor: str = "agent", article: str | None = None, text: str = "we look into it") -> dict[str, Any]:
    return {"h": hour, "kind": "message", "actor": actor, "public": True, "text": text, "article_id": article}


def test_handovers_between_people_are_counted_up_to_the_first_resolution() -> None:
    assert read()["handovers"] == "none"
    assert read(move(1, "first", "second"))["handovers"] == "once"
    assert read(move(1, "first", "second"), move(2, "second", "third"))["handovers"] == "twice or more"
    assert read(move(1, "first", "second"), move(61, "second", "third"))["handovers"] == "once"


def test_time_on_hold_is_told_in_days() -> None:
    held = ({"h": 1, "status_to": "hold"}, {"h": 11, "status_to": "open"})
    assert read()["hold"] == "none"
    assert read(*held)["hold"] == "under a day"
    assert read({"h": 1, "status_to": "hold"})["hold"] == "a day or more"
    assert read({"h": 61, "status_to": "hold"})["hold"] == "none"


def test_a_contact_is_owned_once_somebody_is_named_or_writes() -> None:
    assert read(says(0.5))["unowned"] == "within an hour"
    assert read(says(5))["unowned"] == "within a day"
    assert read(says(25))["unowned"] == "longer"
    assert read()["unowned"] is None


def test_an_escalation_counts_only_before_the_first_resolution() -> None:
    assert read(move(1, "first", "second", kind="escalation"))["escalated"] == "yes"
    assert read(move(61, "first", "second", kind="escalation"))["escalated"] == "no"


def test_the_oldest_article_that_was_sent_decides() -> None:
    assert read(says(1, article="new"))["article"] == "fresh"
    assert read(says(1, article="new"), says(2, article="old"))["article"] == "stale"
    assert read(says(1, article="gone"))["article"] is None
    assert read(says(61, article="old"))["article"] == "none"
    assert read()["article"] is None, "a desk on which no article was ever sent does not record them"


def test_tenure_is_that_of_the_first_agent_when_the_contact_started() -> None:
    assert read(hired=89)["tenure"] == "under 90 days"
    assert read(hired=90)["tenure"] == "90 days or longer"
    assert read(hired=-5)["tenure"] is None, "nobody answers before being hired"


@pytest.mark.parametrize(
    ("start", "zone", "told"),
    [
        (START, "UTC", "weekdays 09-17"),
        (START - timedelta(minutes=1), "UTC", "outside"),
        (START + timedelta(hours=8), "UTC", "outside"),
        (START - timedelta(hours=1), "Europe/Berlin", "weekdays 09-17"),
        (START + timedelta(days=5), "UTC", "outside"),
    ],
)
def test_working_hours_are_those_of_the_time_zone(start: datetime, zone: str, told: str) -> None:
    assert read(start=start, time_zone=zone)["hours"] == told


def test_the_first_reply_is_one_that_the_customer_could_see() -> None:
    assert read(says(1, actor="bot"), says(2))["first_reply_by"] == "bot"
    assert read({**says(1, actor="bot"), "is_auto": True}, says(2))["first_reply_by"] == "agent"
    assert read(says(61))["first_reply_by"] is None


def test_what_a_source_does_not_record_is_not_known() -> None:
    told = read(move(1, "first", "second"), capabilities=frozenset({"has_events"}))
    assert [name for name in ("handovers", "hold", "escalated", "first_reply_by") if told[name] is not None] == []


def test_nothing_is_known_of_a_contact_that_was_never_resolved() -> None:
    desk = desk_of(move(1, "first", "second"), says(2))
    outcomes = judge(desk, policy=Policy(zero_touch="count")).with_columns(anchor_at=pl.lit(None, pl.Datetime("us", "UTC")))
    told = attributes(desk, outcomes).row(0, named=True)
    assert all(told[name] is None for name in ATTRIBUTES)
    assert shown(desk, outcomes).is_empty()


def test_every_level_is_the_usual_one_or_has_a_phrase_and_a_bone() -> None:
    assert all(about.bone in BONES and about.levels and about.usual not in about.levels and about.against for about in ATTRIBUTES.values())


def test_ways_of_failing_show_on_resolved_contacts_too() -> None:
    desk = desk_of(move(1, "first", "second"), move(2, "second", "third"))
    outcomes = judge(desk, policy=Policy(zero_touch="count"))
    assert outcomes["label"].to_list() == ["resolved"]
    assert "wrong-routing" in shown(desk, outcomes)["mode"].to_list()


def test_a_sign_after_the_first_resolution_or_a_mere_hint_shows_nothing() -> None:
    late = desk_of(move(61, "first", "second"), move(62, "second", "third"))
    assert shown(late, judge(late, policy=Policy(zero_touch="count"))).is_empty()
    mode = {"slug": "quick", "name": "q", "meaning": "m", "bone": "process", "traces": [{"name": "hold_hours", "at_least": 1, "confidence": 0.4}]}
    held = desk_of({"h": 1, "status_to": "hold"})
    outcomes = judge(held, policy=Policy(zero_touch="count"))
    assert shown(held, outcomes, taxonomy=Taxonomy.model_validate({"version": 1, "modes": [mode]})).is_empty()
    mode["traces"][0]["confidence"] = 0.5
    assert shown(held, outcomes, taxonomy=Taxonomy.model_validate({"version": 1, "modes": [mode]}))["mode"].to_list() == ["quick"]
