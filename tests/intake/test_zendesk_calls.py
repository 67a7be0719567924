"""What do the calls of Zendesk Talk tell?"""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import polars as pl
import pytest

from fcrlib.intake import zendesk
from fcrlib.model.desk import Desk

END = datetime(2026, 4, 1, tzinfo=UTC)
BEGUN = datetime(2026, 3, 1, 8, tzinfo=UTC)
USERS = [
    {"id": 10, "name": "Jo", "role": "end-user"},
    {"id": 20, "name": "Ann", "role": "agent"},
    {"id": 99, "name": "Caller unknown", "role": "end-user"},
]


def call(number: int, **more: object) -> dict[str, object]:
    times = {"duration": 200, "talk_time": 120, "hold_time": 10, "wait_time": 30, "wrap_up_time": 20}
    way = {"direction": "inbound", "completion_status": "completed", "agent_id": 20, "customer_id": 10, "voicemail": False, "ticket_id": None}
    return {"id": number, "created_at": f"{BEGUN:%Y-%m-%dT%H:%M:%SZ}", "updated_at": f"{BEGUN:%Y-%m-%dT%H:%M:%SZ}", **times, **way, **more}


def leg(number: int, agent: int, minute: int, **more: object) -> dict[str, object]:
    return {"id": number, "call_id": 1, "type": "agent", "agent_id": agent, "created_at": f"2026-03-01T08:{minute:02d}:00Z", **more}


def read(folder: Path, **lists: list[dict[str, object]]) -> Desk:
    ticket = {"id": 1, "created_at": "2026-03-01T07:00:00Z", "status": "open", "requester_id": 10, "via": {"channel": "voice"}}
    for name, rows in {"tickets": [ticket], "users": USERS, **lists}.items():
        (folder / f"{name}.json").write_text(json.dumps({name: rows}), encoding="utf-8")
    return zendesk.read(folder, data_end=END)


def alone(folder: Path, **more: object) -> dict[str, object]:
    return read(folder, calls=[call(9, **more)]).contacts.row(by_predicate=pl.col("contact_id") == "call 9", named=True)


def test_an_answered_call_without_a_ticket_is_a_contact_that_its_end_resolved(tmp_path):
    found = alone(tmp_path)
    assert (found["channel"], found["status"], found["customer_ref"], found["initiated_by"]) == ("phone", "closed", "10", "customer")
    assert (found["opened_at"], found["first_resolved_at"], found["resolver_agent"]) == (BEGUN, BEGUN + timedelta(seconds=200), "20")
    assert (found["talk_seconds"], found["handle_seconds"], found["wait_seconds"]) == (120.0, 150.0, 30.0)


@pytest.mark.parametrize(
    ("more", "status", "abandoned"),
    [
        ({"completion_status": "abandoned_in_queue", "agent_id": 0, "talk_time": 0}, "closed", True),
        ({"completion_status": "completed", "agent_id": None, "talk_time": 0, "voicemail": True}, "open", False),
        ({"completion_status": "not_answered", "agent_id": 0, "talk_time": None, "direction": "outbound"}, "closed", True),
    ],
)
def test_a_call_that_nobody_answered_is_not_resolved(tmp_path, more, status, abandoned):
    found = alone(tmp_path, **more)
    assert (found["first_resolved_at"], found["resolver_agent"]) == (None, None)
    assert (found["status"], found["is_abandoned"]) == (status, abandoned)


@pytest.mark.parametrize(("customer", "ref", "internal"), [(99, None, False), (0, None, False), (20, None, True)])
def test_a_caller_whom_nobody_knows_is_no_customer(tmp_path, customer, ref, internal):
    found = alone(tmp_path, customer_id=customer)
    assert (found["customer_ref"], found["is_internal"]) == (ref, internal)


def test_a_call_of_a_ticket_that_is_not_there_is_left_out_and_counted(tmp_path):
    desk = read(tmp_path, calls=[call(1, ticket_id=77), call(2, ticket_id=1), call(2, ticket_id=1)])
    assert desk.contacts.select("contact_id", "handle_seconds").rows() == [("1", 150.0)]
    assert [(one.count, one.example) for one in desk.manifest.dropped if one.what == "calls" and "not among" in one.why] == [(1, "77")]


def test_a_call_passed_on_is_a_transfer_and_one_only_rung_through_is_none(tmp_path):
    legs = [leg(1, 20, 0), leg(2, 0, 1), leg(3, 21, 2, transferred_from=20), leg(4, 21, 3), leg(5, 22, 4)]
    events = read(tmp_path, calls=[call(1, ticket_id=1)], call_legs=legs).events
    assert events.filter(pl.col("kind") == "transfer").select("agent_from", "agent_to", "actor").rows() == [("20", "21", "agent")]
    assert events.filter(pl.col("kind") == "assignment").select("agent_from", "agent_to", "actor").rows() == [(None, "20", "system")]


def test_legs_without_any_passing_on_assign_nobody(tmp_path):
    events = read(tmp_path, calls=[call(1, ticket_id=1)], call_legs=[leg(1, 20, 0), leg(2, 21, 1)]).events
    assert events["kind"].to_list() == ["call_leg", "call_leg"]


def test_the_legs_of_a_call_without_a_ticket_belong_to_it(tmp_path):
    events = read(tmp_path, calls=[call(1)], call_legs=[leg(1, 20, 0)]).events
    assert events.select("contact_id", "kind", "actor", "actor_id").rows() == [("call 1", "call_leg", "agent", "20")]
