"""What does an Intercom export say?"""

import json
import os
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fcrlib.intake import intercom
from fcrlib.model.desk import Desk
from fcrlib.model.errors import DataError, UsageError

END = datetime(2026, 4, 1, tzinfo=UTC)
BORN = 1_772_352_000  # 2026-03-01 08:00 UTC
HOUR = 3_600
ADMINS = [{"type": "admin", "id": "20", "name": "Agent A", "team_ids": [5]}, {"type": "admin", "id": "21", "name": "Helper Bot", "team_ids": []}]
TEAMS = [{"type": "team", "id": "5", "name": "First line"}, {"type": "team", "id": "6", "name": "Billing"}]
SHARED = Path(os.environ.get("FCR_SHARED_DATA", Path(__file__).parents[2] / "../shared/data")) / "platform_seeds" / "intercom"


def talk(number: str = "1", *parts: dict[str, object], **more: object) -> dict[str, object]:
    return {
        "type": "conversation",
        "id": number,
        "created_at": BORN,
        "updated_at": BORN + 9 * HOUR,
        "state": "closed",
        "source": {"type": "conversation", "delivered_as": "customer_initiated", "body": "<p>Help me</p>", "author": {"type": "user", "id": "u1"}},
        "contacts": {"contacts": [{"id": "u1"}]},
        "tags": {"tags": []},
        "conversation_parts": {"conversation_parts": list(parts)},
        **more,
    }


def part(hour: float, kind: str, who: str = "admin", **more: object) -> dict[str, object]:
    ids = {"admin": "20", "user": "u1", "bot": "99"}
    author = {"type": who, "id": ids[who], **more.pop("author", {})}  # type: ignore[dict-item]
    return {"id": f"{hour}-{kind}-{who}", "part_type": kind, "created_at": int(BORN + hour * HOUR), "author": author, **more}


def read(folder: Path, *talks: dict[str, object], end: datetime | None = END, **files: list[dict[str, object]]) -> Desk:
    for name, rows in {"conversations": list(talks), "admins": ADMINS, "teams": TEAMS, **files}.items():
        (folder / f"{name}.json").write_text(json.dumps({name: rows}), encoding="utf-8")
    return intercom.read(folder, data_end=end)


def contact(desk: Desk, number: str = "1") -> dict[str, object]:
    return desk.contacts.row(by_predicate=pl.col("contact_id") == number, named=True)


def at(hour: float) -> datetime:
    return datetime.fromtimestamp(BORN + hour * HOUR, UTC)


def test_a_conversation_without_parts_is_a_contact(tmp_path):
    found = contact(read(tmp_path, talk(statistics={"first_close_at": BORN + HOUR, "last_close_at": BORN + 3 * HOUR, "count_reopens": 1})))
    assert (found["first_resolved_at"], found["last_resolved_at"], found["vendor_reopens"]) == (at(1), at(3), 1)
    assert (found["customer_ref"], found["channel"], found["status"], found["body"]) == ("u1", "chat", "closed", "Help me")


def test_every_close_is_a_resolution_and_every_opening_after_it_a_reopening(tmp_path):
    parts = [
        part(1, "assignment", "bot", assigned_to={"type": "team", "id": "5"}),
        part(1, "assignment", "bot", assigned_to={"type": "admin", "id": "20"}) | {"id": "other"},
        part(2, "comment", body="<p>On it</p>"),
        part(3, "close", body="<p>Done</p>"),
        part(4, "comment", "user", body="<p>Not at all!</p>"),
        part(5, "assign_and_reopen", assigned_to={"type": "team", "id": "6"}),
        part(6, "close"),
    ]
    found = read(tmp_path, talk("1", *parts))
    told = found.events.select("kind", "actor", "status_to", "group_to", "agent_to", "text").rows()
    assert told == [
        ("message", "customer", None, None, None, "Help me"),
        ("assignment", "system", None, "First line", "20", None),
        ("message", "agent", None, None, None, "On it"),
        ("message", "agent", None, None, None, "Done"),
        ("status", "agent", "closed", None, None, None),
        ("message", "customer", None, None, None, "Not at all!"),
        ("status", "customer", "open", None, None, None),
        ("transfer", "agent", None, "Billing", None, None),
        ("status", "agent", "closed", None, None, None),
    ]
    assert (contact(found)["first_resolved_at"], contact(found)["closed_at"]) == (at(3), at(6))
    assert contact(found)["resolver_group"] == "First line"


def test_a_thank_you_that_leaves_the_conversation_closed_opens_nothing(tmp_path):
    found = read(tmp_path, talk("1", part(1, "close"), part(2, "comment", "user", body="<p>Thanks!</p>", state="closed")))
    assert found.events.filter(kind="status")["status_to"].to_list() == ["closed"]
    assert found.events.filter(kind="message")["is_ack"].to_list() == [False, True]


def test_a_snoozed_conversation_waits(tmp_path):
    found = read(tmp_path, talk("1", part(1, "snoozed"), part(2, "timer_unsnooze", "bot"), part(3, "snoozed"), state="snoozed"))
    assert found.events.filter(kind="status").select("status_to", "actor").rows() == [("pending", "agent"), ("open", "system"), ("pending", "agent")]
    assert contact(found)["status"] == "pending"


def test_comments_of_operator_look_like_replies_and_are_none_but_the_ai_agent_answers(tmp_path):
    parts = [
        part(1, "comment", "bot", body="<p>The team replies in a day</p>", author={"name": "Operator"}),
        part(2, "comment", "bot", body="<p>Press here</p>", author={"id": "88", "from_ai_agent": True, "is_ai_answer": True}),
        part(3, "comment", "admin", body="<p>I am a machine</p>", author={"id": "21"}),
        part(4, "note", body="<p>strange</p>"),
        part(5, "close", "bot", author={"id": "88", "from_ai_agent": True}),
    ]
    found = read(tmp_path, talk("1", *parts))
    told = found.events.filter(pl.col("kind") != "status").select("kind", "actor", "is_auto", "public").rows()[1:]
    assert told == [
        ("message", "system", True, True),
        ("message", "bot", False, True),
        ("message", "bot", False, True),
        ("note", "agent", False, False),
    ]
    assert contact(found)["resolved_by"] == "bot"
    assert found.agents.sort("agent_id").select("agent_id", "kind", "group").rows() == [
        ("20", "human", "First line"),
        ("21", "bot", None),
        ("88", "bot", None),
    ]


def test_the_same_person_under_several_contacts_is_known_by_one_address(tmp_path):
    people = [{"type": "contact", "id": name, "email": "jo@example.org"} for name in ("u1", "u2", "u3")]
    found = read(tmp_path, talk(), talk("2", contacts={"contacts": [{"id": "u2"}]}), contacts=people)
    assert found.contacts["customer_ref"].to_list() == ["u1", "u2"]
    assert found.identifiers.group_by("value_norm").len()["len"].to_list() == [3]


def test_times_that_leave_out_office_hours_are_not_read(tmp_path):
    figures = {
        "time_to_admin_reply": 60,
        "time_to_first_close": 60,
        "first_admin_reply_at": BORN + 16 * HOUR,
        "handling_time": 90,
        "count_assignments": 3,
    }
    found = contact(read(tmp_path, talk(statistics=figures)))
    assert (found["wait_seconds"], found["handle_seconds"], found["vendor_stations"]) == (16 * HOUR, 90, 2)


def test_a_rating_was_asked_for_before_it_was_given(tmp_path):
    asked, given_at = BORN + HOUR, BORN + 5 * HOUR
    ratings = [
        {"rating": 4, "remark": "fine", "created_at": asked, "updated_at": given_at},
        {"rating": None, "created_at": asked},
        {"rating": 1, "created_at": asked},
    ]
    found = read(tmp_path, *(talk(str(number), conversation_rating=rating) for number, rating in enumerate(ratings, start=1)))
    assert found.surveys.select("offered_at", "answered_at", "csat").rows() == [(at(1), at(5), 0.75), (at(1), None, None), (at(1), at(1), 0.0)]
    assert found.events.filter(kind="survey").height == 3
    assert any("1 ratings do not say when they were given" in note for note in found.manifest.notes)


def test_the_rating_of_the_ai_agent_is_an_answer_of_its_own(tmp_path):
    found = read(tmp_path, talk(ai_agent={"rating": 5, "rating_remark": "quick", "updated_at": BORN + HOUR}))
    assert found.surveys.select("answered_at", "csat", "comment").rows() == [(at(1), 1.0, "quick")]


def test_a_promise_is_kept_or_missed_and_else_not_known(tmp_path):
    words = ["hit", "missed", "cancelled", "active"]
    found = read(tmp_path, *(talk(word, sla_applied={"sla_name": "x", "sla_status": word}) for word in words))
    assert [contact(found, word)["vendor_sla_met"] for word in words] == [True, False, None, None]


def test_who_started_it_is_what_delivered_it(tmp_path):
    words = {"customer_initiated": "customer", "admin_initiated": "company", "campaigns_initiated": "company"}
    source = {"type": "email", "body": "<p>Hello</p>", "author": {"type": "admin", "id": "20"}}
    found = read(tmp_path, *(talk(word, source={**source, "delivered_as": word}) for word in words))
    assert {word: contact(found, word)["initiated_by"] for word in words} == words


def test_an_unasked_opening_of_operator_is_no_message_of_a_person(tmp_path):
    source = {"type": "conversation", "delivered_as": "operator_initiated", "body": "<p>Hi there</p>", "author": {"type": "bot", "id": "99"}}
    found = read(tmp_path, talk("1", part(1, "comment", "user", body="Broken"), source=source))
    assert found.events.filter(kind="message").select("actor", "is_auto").rows() == [("system", True), ("customer", False)]
    assert contact(found)["initiated_by"] == "customer"


def test_a_ticket_has_states_of_its_own_and_writes_zero_for_nobody(tmp_path):
    moved = {"part_type": "ticket_state_updated_by_admin", "author": {"type": "admin", "id": "20"}}
    parts = [
        {"id": "a", "created_at": BORN + HOUR, "previous_ticket_state": "submitted", "ticket_state": "in_progress", **moved},
        {"id": "b", "created_at": BORN + 2 * HOUR, "previous_ticket_state": "in_progress", "ticket_state": "resolved", **moved},
    ]
    one = {
        "type": "ticket", "id": "7", "created_at": BORN, "ticket_state": "resolved", "admin_assignee_id": "0", "team_assignee_id": "5",
        "contacts": {"contacts": [{"id": "u1"}]}, "ticket_parts": {"ticket_parts": parts}, "ticket_attributes": {"Category": "refund"},
        "linked_objects": {"data": [{"type": "conversation", "id": "1"}]},
    }  # fmt: skip
    found = read(tmp_path, talk(), tickets=[one])
    assert found.events.filter(contact_id="7").select("status_from", "status_to").rows() == [("new", "open"), ("open", "solved")]
    told = contact(found, "7")
    assert (told["first_resolved_at"], told["resolver_agent"], told["category"], told["parent_id"]) == (at(2), None, "refund", "1")


def test_a_call_nobody_took_is_given_up_unless_somebody_cared_for_it(tmp_path):
    calls = [
        {"type": "call", "id": "c1", "conversation_id": "1", "admin_id": "20", "contact_id": "u1", "direction": "inbound", "initiated_at": BORN, "answered_at": BORN + 30, "ended_at": BORN + 90},
        {"type": "call", "id": "c2", "conversation_id": "2", "direction": "inbound", "initiated_at": BORN},
        {"type": "call", "id": "c3", "conversation_id": "3", "direction": "inbound", "initiated_at": BORN},
        {"type": "call", "id": "c3", "conversation_id": "3", "direction": "inbound", "initiated_at": BORN},
        {"type": "call", "id": "c4", "conversation_id": None, "direction": "inbound", "initiated_at": BORN},
    ]  # fmt: skip
    found = read(tmp_path, talk(), talk("2"), talk("3", part(1, "comment", body="We call you back")), calls=calls)
    assert [contact(found, number)["is_abandoned"] for number in "123"] == [False, True, False]
    assert (contact(found)["talk_seconds"], contact(found)["wait_seconds"]) == (60, 30)
    assert found.events.filter(contact_id="1", kind="call_leg")["actor"].to_list() == ["customer", "agent"]
    assert {one.what: one.count for one in found.manifest.dropped} == {"calls": 1}


def test_spam_is_marked_at_the_contact_and_labels_are_read(tmp_path):
    people = [{"type": "contact", "id": "u1", "marked_email_as_spam": True, "language_override": "de-AT"}]
    found = contact(read(tmp_path, talk(tags={"tags": [{"type": "tag", "id": "4", "name": "vip"}]}), contacts=people))
    assert (found["is_spam"], found["tags"], found["language"]) == (True, ["vip"], "de")


def test_one_thread_may_live_for_years(tmp_path):
    years = 2 * 365 * 24
    found = read(
        tmp_path,
        talk("1", part(1, "close"), part(years, "comment", "user", body="Again"), part(years + 1, "close")),
        end=datetime(2029, 1, 1, tzinfo=UTC),
    )
    assert (contact(found)["first_resolved_at"], contact(found)["last_resolved_at"]) == (at(1), at(years + 1))


def test_the_data_end_is_asked_for(tmp_path):
    with pytest.raises(UsageError, match="--data-end is needed"):
        read(tmp_path, talk(), end=None)


def test_a_page_that_names_another_is_not_the_last(tmp_path):
    page = {"type": "conversation.list", "pages": {"type": "pages", "next": {"page": 2, "starting_after": "x"}}, "conversations": [talk()]}
    (tmp_path / "page.json").write_text(json.dumps(page), encoding="utf-8")
    with pytest.raises(DataError, match="the last page is missing"):
        intercom.read(tmp_path, data_end=END)


def test_a_state_nobody_knows_and_a_rating_off_the_scale_stop_the_reading(tmp_path):
    with pytest.raises(DataError, match=r"state: words without a meaning: 'sleeping' \(1\)") as refused:
        read(tmp_path, talk(state="sleeping"), talk("2", conversation_rating={"rating": 9, "created_at": BORN}))
    assert refused.value.exit_code == 3


def test_a_date_that_is_none_is_named_with_its_file_and_row(tmp_path):
    with pytest.raises(DataError, match=r"opened_at: .*conversations\.json:2"):
        read(tmp_path, talk(), talk("2", created_at="yesterday"))


@pytest.mark.realdata
def test_the_tables_of_a_warehouse_are_read(tmp_path):
    if not SHARED.exists():
        pytest.skip("the tables are not here")
    found = intercom.read(SHARED, data_end=datetime(2020, 12, 2, tzinfo=UTC), time_zone="UTC")
    assert found.contacts.select("contact_id", "status").rows() == [("156643300001311", "closed"), ("156643300001372", "closed")]
    dropped = {(one.what, one.count) for one in found.manifest.dropped}
    assert {("conversations", 7), ("parts", 9)} <= dropped
    assert found.agents.height == 4
    assert set(found.agents["group"]) == {"Customer support", "Management", "Robots"}


TOUCHED = (
    "id",
    "created_at",
    "state",
    "source",
    "contacts",
    "tags",
    "conversation_parts",
    "conversation_rating",
    "statistics",
    "custom_attributes",
    "type",
)
JUNK = st.none() | st.integers(-5, 10**12) | st.text(max_size=6) | st.booleans() | st.lists(st.integers(), max_size=2) | st.just({}) | st.just([{}])


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(mangled=st.dictionaries(st.sampled_from(TOUCHED), JUNK, max_size=3), inside=st.dictionaries(st.sampled_from(["part_type", "created_at", "author", "body", "assigned_to", "state"]), JUNK, max_size=3))  # fmt: skip
def test_a_mangled_conversation_is_read_or_refused_in_words(tmp_path, mangled, inside):
    with suppress(DataError):
        found = read(tmp_path, talk("1"), {**talk("2", {**part(1, "comment", body="x"), **inside}), **mangled})
        assert "1" in found.contacts["contact_id"]
