"""Do Zendesk, Freshdesk and Intercom say of a contact what happened to it, in the less usual shapes of their exports too?"""

import copy
import functools
import json
import operator
from datetime import UTC, datetime
from pathlib import Path

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fcrlib.intake import freshdesk, intercom, zendesk
from fcrlib.model.desk import Desk
from fcrlib.model.errors import DataError

END = datetime(2026, 4, 1, tzinfo=UTC)
JANE = {
    "id": 10,
    "name": "Jane Doe",
    "email": "jane@example.org",
    "phone": None,
    "role": "end-user",
    "locale": "de",
    "updated_at": "2026-03-01T00:00:00Z",
}
ANN = {"id": 901, "name": "Ann Agent", "email": "ann@corp.example", "phone": None, "role": "agent", "updated_at": "2026-03-01T00:00:00Z"}


def at(day: int, hour: int = 10) -> str:
    return f"2026-03-{day:02d}T{hour:02d}:00:00Z"


def moment(day: int, hour: int = 10) -> datetime:
    return datetime(2026, 3, day, hour, tzinfo=UTC)


def epoch(day: int, hour: int = 10) -> int:
    return int(moment(day, hour).timestamp())


def written(folder: Path, lists: dict[str, object]) -> Path:
    for name, rows in lists.items():
        (folder / f"{name}.json").write_text(json.dumps(rows), encoding="utf-8")
    return folder


def contact(desk: Desk, number: str = "1") -> dict[str, object]:
    return desk.contacts.row(by_predicate=pl.col("contact_id") == number, named=True)


def whole(number: int, **more: object) -> dict[str, object]:
    """A ticket as the export of the whole account has it: people, the group and the comments stand inside."""
    said = [
        {"id": number * 10, "author_id": 10, "plain_body": "Help me", "public": True, "via": {"channel": "email"}, "created_at": at(1)},
        {"id": number * 10 + 1, "author_id": 901, "plain_body": "Do this", "public": True, "via": {"channel": "web"}, "created_at": at(2)},
        {"id": number * 10 + 2, "author_id": 902, "plain_body": "Ask them", "public": False, "via": {"channel": "web"}, "created_at": at(2, 9)},
    ]
    return {
        "url": f"https://acme.zendesk.com/api/v2/tickets/{number}.json",
        "id": number,
        "created_at": at(1),
        "updated_at": at(5),
        "via": {"channel": "email", "source": {"rel": None}},
        "subject": "Printer",
        "description": "Help me",
        "status": "solved",
        "requester": JANE,
        "submitter": JANE,
        "assignee": ANN,
        "collaborator": [],
        "group": {"id": 501, "name": "First line"},
        "organization": {"id": 77, "name": "Acme"},
        "tags": ["a"],
        "custom_fields": [{"id": 3600, "value": "billing"}],
        "satisfaction_rating": None,
        "comments": said,
        "metric_set": {"reopens": 0, "replies": 1, "group_stations": 1, "solved_at": at(2), "reply_time_in_minutes": {"calendar": 1440}},
        **more,
    }


def test_the_export_of_a_whole_zendesk_account_holds_people_groups_and_comments_inside_its_tickets(tmp_path):
    lines = [json.dumps(whole(1)), json.dumps(whole(2, assignee=None, group=None, organization=None, status="open", metric_set={}))]
    (tmp_path / "export.json").write_text("\n".join(lines) + "\n", encoding="utf-8")
    found = zendesk.read(tmp_path, data_end=END)
    known = contact(found)
    assert (known["customer_ref"], known["account_ref"], known["language"], known["initiated_by"]) == ("10", "77", "de", "customer")
    assert (known["resolver_group"], known["resolver_agent"], known["first_resolved_at"]) == ("First line", "901", moment(2))
    assert (contact(found, "2")["resolver_group"], contact(found, "2")["resolver_agent"], contact(found, "2")["account_ref"]) == (None, None, None)
    told = found.events.filter(contact_id="1").select("at", "kind", "actor", "actor_id", "public", "text").rows()
    assert told == [
        (moment(1), "message", "customer", "10", True, "Help me"),
        (moment(2, 9), "note", "agent", "902", False, "Ask them"),
        (moment(2), "message", "agent", "901", True, "Do this"),
    ]
    assert found.identifiers.select("customer_ref", "kind").rows() == [("10", "email")]
    assert {"has_customer", "has_messages", "has_public_flag"} <= found.manifest.capabilities


def test_a_list_of_users_goes_before_those_inside_the_tickets_and_a_comment_in_both_places_is_one(tmp_path):
    users = [{**JANE, "email": "new@example.org", "locale": "fr"}, {**ANN, "name": "Ann Bot"}]
    comments = [{"id": 10, "ticket_id": 1, "author_id": 10, "body": "Help me", "public": True, "created_at": at(1)}]
    found = zendesk.read(written(tmp_path, {"tickets": {"tickets": [whole(1)]}, "users": {"users": users}, "comments": comments}), data_end=END)
    assert (contact(found)["language"], found.events.height) == ("fr", 3)
    assert found.agents.filter(agent_id="901")["kind"].to_list() == ["bot"]


def ticket(number: int = 1, **more: object) -> dict[str, object]:
    return {
        "id": number,
        "created_at": at(1),
        "updated_at": at(5),
        "via": {"channel": "email"},
        "status": "solved",
        "requester_id": 10,
        "submitter_id": 10,
        "assignee_id": 901,
        "group_id": 501,
        **more,
    }


def call(number: int, day: int, **more: object) -> dict[str, object]:
    counted = {"talk_time": 100, "hold_time": 5, "wait_time": 15, "wrap_up_time": 10, "duration": 120}
    return {
        "id": number,
        "ticket_id": 1,
        "created_at": at(day),
        "direction": "inbound",
        "completion_status": "completed",
        "agent_id": 901,
        **counted,
        **more,
    }


@pytest.mark.parametrize(
    ("more", "abandoned"),
    [({"direction": "outbound"}, False), ({"completion_status": "abandoned_in_queue", "talk_time": 0, "agent_id": None}, False)],
)
def test_a_call_that_came_to_a_ticket_later_did_not_begin_it(tmp_path, more, abandoned):
    metrics = [{"ticket_id": 1, "reply_time_in_minutes": {"calendar": 60}}]
    lists = {"tickets": {"tickets": [ticket()]}, "calls": {"calls": [call(1, 3, **more)]}, "users": {"users": [JANE, ANN]}, "ticket_metrics": metrics}
    known = contact(zendesk.read(written(tmp_path, lists), data_end=END))
    assert (known["initiated_by"], known["is_abandoned"], known["wait_seconds"]) == ("customer", abandoned, 3600)


def test_a_call_that_began_a_ticket_says_who_rang(tmp_path):
    lists = {"tickets": {"tickets": [ticket(via={"channel": "voice"})]}, "calls": {"calls": [call(1, 1, direction="outbound")]}}
    known = contact(zendesk.read(written(tmp_path, lists), data_end=END))
    assert (known["initiated_by"], known["wait_seconds"], known["talk_seconds"], known["handle_seconds"]) == ("company", 15, 100, 115)


def test_a_voicemail_was_not_given_up(tmp_path):
    voice = ticket(via={"channel": "voice", "source": {"rel": "voicemail"}}, status="open")
    left = call(1, 1, completion_status="abandoned_in_voicemail", voicemail=True, talk_time=0, agent_id=None)
    lists = {"tickets": {"tickets": [voice]}, "calls": {"calls": [left]}}
    known = contact(zendesk.read(written(tmp_path, lists), data_end=END))
    assert (known["is_abandoned"], known["status"], known["channel"], known["initiated_by"]) == (False, "open", "phone", "customer")


def test_nobody_has_resolved_what_never_was(tmp_path):
    some = [ticket(1, status="open"), ticket(2), ticket(3, status="pending")]
    found = zendesk.read(written(tmp_path, {"tickets": {"tickets": some}}), data_end=END)
    assert [contact(found, number)["resolver_agent"] for number in "123"] == [None, "901", None]


@pytest.mark.parametrize("strange", [1e300, 10**30])
def test_a_count_that_is_none_is_refused_in_words(tmp_path, strange):
    lists = {"tickets": {"tickets": [ticket()]}, "ticket_metrics": {"ticket_metrics": [{"ticket_id": 1, "group_stations": strange, "reopens": 0}]}}
    with pytest.raises(DataError, match="vendor_stations"):
        zendesk.read(written(tmp_path, lists), data_end=END)


def asked(number: int = 1, **more: object) -> dict[str, object]:
    """A ticket of Freshdesk."""
    return {
        "id": number,
        "subject": "S",
        "status": 5,
        "source": 1,
        "responder_id": 20,
        "requester_id": 10,
        "created_at": at(1),
        "updated_at": at(5),
        "stats": {"reopened_at": None, "resolved_at": at(3), "closed_at": at(4)},
        **more,
    }


def moved(day: int, status: str, **more: object) -> dict[str, object]:
    when = f"{day:02d}-03-2026 10:00:00 +0000"
    return {"ticket_id": 1, "performed_at": when, "performer_id": 20, "performer_type": "user", "activity": {"status": status}, **more}


def test_a_ticket_knows_what_came_after_the_last_of_its_activities(tmp_path):
    lists = {"tickets": [asked()], "activities": {"activities_data": [moved(2, "Pending")]}}
    found = freshdesk.read(written(tmp_path, lists), data_end=END)
    known = contact(found)
    assert (known["status"], known["first_resolved_at"], known["closed_at"]) == ("closed", moment(3), moment(4))
    told = found.events.filter(kind="status").select("at", "actor", "status_from", "status_to").rows()
    assert told == [
        (moment(2), "agent", "open", "pending"),
        (moment(3), "unknown", "pending", "solved"),
        (moment(4), "unknown", "solved", "closed"),
    ]


def test_what_the_activities_tell_is_not_told_again_by_the_ticket(tmp_path):
    stats = {"reopened_at": at(3), "resolved_at": "2026-03-04T10:00:07Z", "closed_at": None}
    lists = {"tickets": [asked(status=4, stats=stats)], "activities": [moved(2, "Resolved"), moved(3, "Open"), moved(4, "Resolved")]}
    found = freshdesk.read(written(tmp_path, lists), data_end=END)
    assert found.events.select("at", "status_to").rows() == [(moment(2), "solved"), (moment(3), "open"), (moment(4), "solved")]
    assert not any("reopened" in note for note in found.manifest.notes)
    assert not found.manifest.dropped


@pytest.mark.parametrize(
    ("accepted", "rating", "csat", "scale"),
    [([], 103, 1.0, "7-step"), (["x"], 100, 0.5, "7-step"), ([103], 103, 1.0, "7-step"), ([103, 100, -103], 101, 4 / 6, "7-step"), ([103, 103, -103], -103, 0.0, "2-step")],
)  # fmt: skip
def test_an_answer_off_the_steps_of_its_survey_stands_on_the_full_scale(tmp_path, accepted, rating, csat, scale):
    surveys = [{"id": 2, "questions": [{"id": "default_question", "default": True, "accepted_ratings": accepted}]}]
    ratings = [{"id": 1, "survey_id": 2, "ticket_id": 1, "ratings": {"default_question": rating}, "created_at": at(4)}]
    lists = {"tickets": [asked()], "surveys": surveys, "satisfaction_ratings": ratings}
    found = freshdesk.read(written(tmp_path, lists), data_end=END).surveys
    assert found.select("csat_scale", "answered_at").rows() == [(scale, moment(4))]
    assert found["csat"][0] == pytest.approx(csat)


def test_a_rating_of_the_table_of_tickets_is_an_answer_at_their_last_change(tmp_path):
    header, row = "Ticket ID,Status,Created time,Last update time,Survey results", "7,Closed,2026-03-01 10:00,2026-03-05 10:00,Extremely Unhappy"
    (tmp_path / "export.csv").write_text(f"{header}\n{row}\n", encoding="utf-8")
    found = freshdesk.read(tmp_path, data_end=END, time_zone="UTC")
    assert found.surveys.select("answered_at", "csat_raw", "csat").rows() == [(moment(5), "-103", 0.0)]
    assert any("the last change of the ticket was taken" in note for note in found.manifest.notes)


def talk(number: int, *parts: dict[str, object], **more: object) -> dict[str, object]:
    """A conversation of Intercom."""
    author = {"type": "user", "id": "c10"}
    return {
        "type": "conversation",
        "id": str(number),
        "created_at": epoch(1),
        "updated_at": epoch(5),
        "state": "open",
        "source": {"type": "email", "delivered_as": "customer_initiated", "body": "<p>Hi</p>", "author": author},
        "contacts": {"contacts": [{"type": "contact", "id": "c10"}]},
        "conversation_parts": {"conversation_parts": list(parts), "total_count": len(parts)},
        **more,
    }


def part(number: int, kind: str, when: int, who: str, name: str, body: str | None = None, **author: object) -> dict[str, object]:
    by = {"type": who, "id": name, **author}
    return {"type": "conversation_part", "id": str(number), "part_type": kind, "created_at": when, "updated_at": when, "author": by, "body": body}


def request(number: int, sort: str | None, *, links: tuple[str, ...] = ()) -> dict[str, object]:
    """A ticket of Intercom."""
    linked = [{"type": "conversation", "id": one, "category": None} for one in links]
    return {
        "type": "ticket",
        "id": str(number),
        "category": sort,
        "ticket_state": "in_progress",
        "ticket_attributes": {"_default_title_": "No light"},
        "contacts": {"contacts": []},
        "created_at": epoch(2),
        "updated_at": epoch(3),
        "linked_objects": {"data": linked},
    }


def linked(number: int, ticket: int, sort: str) -> dict[str, object]:
    return talk(number, linked_objects={"data": [{"type": "ticket", "id": str(ticket), "category": sort}]})


@pytest.mark.parametrize("told_by", ["conversations", "ticket", "both"])
def test_a_tracker_is_the_problem_behind_its_conversations_and_no_contact_of_a_customer(tmp_path, told_by):
    talks = [talk(1), talk(2)] if told_by == "ticket" else [linked(1, 700, "Tracker"), linked(2, 700, "Tracker")]
    tracker = request(700, None if told_by == "conversations" else "Tracker", links=() if told_by == "conversations" else ("1", "2"))
    found = intercom.read(written(tmp_path, {"conversations": talks, "tickets": [tracker]}), data_end=END)
    assert [contact(found, one)["issue_key"] for one in ("1", "2", "700")] == ["700"] * 3
    assert [contact(found, one)["parent_id"] for one in ("1", "2", "700")] == [None] * 3
    assert [contact(found, one)["is_internal"] for one in ("1", "2", "700")] == [False, False, True]


@pytest.mark.parametrize(("sort", "internal"), [("Back-office", True), ("Customer", False)])
@pytest.mark.parametrize("told_by", ["conversation", "ticket"])
def test_a_ticket_belongs_to_the_conversation_that_it_came_from(tmp_path, sort, internal, told_by):
    talks = [linked(1, 700, sort) if told_by == "conversation" else talk(1)]
    tickets = [request(700, sort, links=("1",) if told_by == "ticket" else ())]
    found = intercom.read(written(tmp_path, {"conversations": talks, "tickets": tickets}), data_end=END)
    assert (contact(found, "700")["parent_id"], contact(found, "700")["is_internal"]) == ("1", internal)
    assert (contact(found)["parent_id"], contact(found)["issue_key"]) == (None, None)


def test_an_agent_who_rings_back_did_not_begin_the_conversation(tmp_path):
    back = {
        "type": "call",
        "id": "60",
        "conversation_id": "1",
        "admin_id": "71",
        "contact_id": "c10",
        "direction": "outbound",
        "initiated_at": epoch(2),
    }
    rung = {**back, "id": "61", "conversation_id": "2", "direction": "inbound"}
    lists = {"conversations": [talk(1), talk(2)], "calls": [{**back, "answered_at": epoch(2) + 10, "ended_at": epoch(2) + 70}, rung]}
    found = intercom.read(written(tmp_path, lists), data_end=END)
    assert (contact(found)["initiated_by"], contact(found)["talk_seconds"]) == ("customer", 60)
    assert (contact(found, "2")["initiated_by"], contact(found, "2")["is_abandoned"], contact(found, "2")["wait_seconds"]) == (
        "customer",
        False,
        None,
    )


def test_what_operator_says_under_the_number_of_the_ai_agent_is_no_answer(tmp_path):
    greeted = part(1, "comment", epoch(1, 11), "bot", "b1", "Welcome", from_ai_agent=False, is_ai_answer=False)
    answered = part(2, "comment", epoch(1, 12), "bot", "b1", "Press it", from_ai_agent=True, is_ai_answer=True)
    closed = part(3, "close", epoch(1, 13), "bot", "b1", from_ai_agent=False, is_ai_answer=False)
    found = intercom.read(written(tmp_path, {"conversations": [talk(1, greeted, answered, closed, state="closed")]}), data_end=END)
    assert found.events.select("actor", "is_auto").rows() == [("customer", False), ("system", True), ("bot", False), ("bot", False)]
    assert contact(found)["resolved_by"] == "bot"


def test_what_a_search_of_zendesk_finds_are_tickets(tmp_path):
    found = [{**ticket(), "result_type": "ticket"}, {**JANE, "result_type": "user"}]
    desk = zendesk.read(written(tmp_path, {"search": {"results": found, "count": 2, "next_page": None}}), data_end=END)
    assert desk.contacts["contact_id"].to_list() == ["1"]
    assert [(one.count, one.why) for one in desk.manifest.dropped] == [(1, "without a status: no tickets")]


def test_a_warehouse_of_zendesk_may_hold_the_tags_that_were_taken_away_and_further_addresses(tmp_path):
    (tmp_path / "ticket.csv").write_text("id,created_at,status,requester_id,via_channel\n1,2026-03-01 10:00:00,open,10,web\n", encoding="utf-8")
    (tmp_path / "user.csv").write_text("id,name,role,email\n10,Jane Doe,end-user,jane@example.org\n", encoding="utf-8")
    (tmp_path / "user_identity.csv").write_text("id,user_id,type,value\n5,10,email,two@example.org\n", encoding="utf-8")
    (tmp_path / "ticket_tag.csv").write_text("ticket_id,tag\n1,vip\n", encoding="utf-8")
    (tmp_path / "ticket_tag_history.csv").write_text("ticket_id,tag,tagged,updated\n1,spam,false,2026-03-01 11:00:00\n", encoding="utf-8")
    found = zendesk.read(tmp_path, data_end=END, time_zone="UTC")
    assert (contact(found)["tags"], contact(found)["is_spam"]) == (["vip"], False)
    assert found.identifiers.filter(kind="email").height == 2


def test_a_warehouse_of_intercom_keeps_what_was_taken_away_and_it_counts_no_more(tmp_path):
    tables = {
        "conversation_history": "id,created_at,updated_at,state\n1,2026-03-01 10:00:00,2026-03-02 10:00:00,open\n",
        "conversation_tag_history": "conversation_id,tag_id,_fivetran_active\n1,t1,false\n1,t2,true\n",
        "conversation_contact_history": "conversation_id,contact_id,_fivetran_active\n1,c2,TRUE\n1,c1,FALSE\n",
        "tag": "id,name\nt1,spam\nt2,vip\n",
    }
    for name, rows in tables.items():
        (tmp_path / f"{name}.csv").write_text(rows, encoding="utf-8")
    known = contact(intercom.read(tmp_path, data_end=END, time_zone="UTC"))
    assert (known["tags"], known["is_spam"], known["customer_ref"]) == (["vip"], False, "c2")


def test_sentences_of_freshservice_name_people_and_teams_that_are_numbers_elsewhere(tmp_path):
    agents = [{"id": 20, "first_name": "Ann", "last_name": "Miller", "member_of": [5]}, {"id": 21, "first_name": "Bob", "last_name": "Roe"}]
    told = [
        ("set Group as First, Agent as Ann Miller", " set Status as Open", 20, 11),
        (" updated ticket", " set Agent as Bob Roe", 20, 12),
        (" updated ticket", " set Agent as --", 20, 13),
        (" set Status as Resolved", "", 21, 14),
    ]
    activities = [
        {"ticket_id": 1, "created_at": at(1, hour), "actor": {"id": who}, "content": content, "sub_contents": [part] if part else []}
        for content, part, who, hour in told
    ]
    one = asked(workspace_id=2, stats=None, status=4, description_text="Ann Miller rang me, Bob Roe too")
    found = freshdesk.read(written(tmp_path, {"tickets": {"tickets": [one]}, "agents": agents, "activities": activities}), data_end=END)
    known = contact(found)
    assert (known["first_group"], known["first_agent"], known["resolver_agent"], known["first_resolved_at"]) == ("First", "20", "21", moment(1, 14))
    assert not {"Ann", "Miller", "Bob", "Roe"} & set(known["body"].split())
    assert found.agents["agent_id"].to_list() == ["20", "21"]


def _zendesk() -> dict[str, object]:
    changed = {"id": 2, "type": "Change", "field_name": "status", "value": "solved", "previous_value": "open"}
    said = {"id": 1, "type": "Comment", "public": True, "body": "Done", "author_id": 901}
    rating = {"id": 1, "ticket_id": 1, "score": "good", "created_at": at(3), "updated_at": at(3)}
    return {
        "tickets": {"tickets": [whole(1), {**ticket(2), "tags": ["a"], "custom_fields": [{"id": 3, "value": "x"}]}], "count": 2, "next_page": None},
        "audits": {"audits": [{"id": 5, "ticket_id": 2, "created_at": at(2), "author_id": 901, "events": [said, changed]}]},
        "ticket_metrics": {"ticket_metrics": [{"ticket_id": 2, "reopens": 0, "replies": 1, "solved_at": at(2)}]},
        "satisfaction_ratings": {"satisfaction_ratings": [rating]},
        "users": {"users": [JANE, ANN]},
        "calls": {"calls": [call(1, 1), call(2, 2, ticket_id=None)]},
    }


def _freshdesk() -> dict[str, object]:
    said = {"id": 1, "ticket_id": 1, "body_text": "Hi", "incoming": True, "private": False, "user_id": 10, "source": 0, "created_at": at(2)}
    survey = {"id": 2, "questions": [{"id": "default_question", "default": True, "accepted_ratings": [103, 100, -103]}]}
    return {
        "tickets": [asked(), asked(2, tags=["a"], custom_fields={"cf_category": "x"}, requester={"name": "Jo Doe", "email": "jo@example.org"})],
        "conversations": [said],
        "activities": {"activities_data": [moved(2, "Pending"), moved(3, "Resolved")]},
        "surveys": [survey],
        "satisfaction_ratings": [{"id": 1, "survey_id": 2, "ticket_id": 1, "ratings": {"default_question": 103}, "created_at": at(4)}],
        "agents": [{"id": 20, "contact": {"name": "Ann Agent"}, "group_ids": [5]}],
    }


def _intercom() -> dict[str, object]:
    rated = {"rating": 5, "remark": "ok", "created_at": epoch(3), "updated_at": epoch(3, 11)}
    parts = part(1, "comment", epoch(1, 11), "admin", "71", "Do"), part(2, "close", epoch(1, 12), "admin", "71")
    rung = {"type": "call", "id": "60", "conversation_id": "1", "direction": "inbound", "initiated_at": epoch(1), "answered_at": epoch(1)}
    return {
        "conversations": {"conversations": [talk(1, *parts, state="closed", conversation_rating=rated), linked(2, 700, "Tracker")]},
        "tickets": {"tickets": [request(700, "Tracker", links=("1",))]},
        "contacts": {"data": [{"type": "contact", "id": "c10", "email": "jo@example.org", "name": "Jo Doe"}]},
        "calls": {"data": [rung]},
    }


EXPORTS = {zendesk: _zendesk(), freshdesk: _freshdesk(), intercom: _intercom()}
STRANGE = st.one_of(
    st.sampled_from([None, True, 0, -1, 1.5, 1e300, 2**70, float("nan"), "", " ", "x", "\x00", "[", "{}", [], {}, [None], [[]], [{}], {"id": None}]),
    st.recursive(st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5), lambda one: st.lists(one, max_size=2), max_leaves=3),
)


def _places(value: object, path: tuple[str | int, ...] = ()) -> list[tuple[str | int, ...]]:
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [path, *(place for key, one in inner for place in _places(one, (*path, key)))]


@pytest.mark.parametrize("reader", EXPORTS, ids=lambda reader: reader.__name__.rpartition(".")[2])
@settings(max_examples=20, deadline=None)
@given(data=st.data())
def test_whatever_stands_at_any_place_of_an_export_it_is_read_or_refused_in_words(tmp_path_factory, reader, data):
    export = copy.deepcopy(EXPORTS[reader])
    *way, last = data.draw(st.sampled_from([place for place in _places(export) if place]))
    around = functools.reduce(operator.getitem, way, export)
    if data.draw(st.booleans()):
        around[last] = data.draw(STRANGE)
    else:
        del around[last]
    try:
        found = reader.read(written(tmp_path_factory.mktemp("export"), export), data_end=END)
    except DataError:
        return
    assert found.contacts.height
    assert found.contacts["opened_at"].max() <= END


def test_a_table_of_zendesk_says_who_asked_by_address_and_by_name(tmp_path):
    header = "Id,Requester,Requester id,Requester external id,Requester email,Submitter,Assignee,Subject,Status,Via,Created at"
    rows = [
        "1,Jane Doe,10,X7,Jane@example.org,Jane Doe,Ann Miller,Ann Miller rang Jane Doe,Open,Mail,2026-03-01 10:00",
        "2,Joe Poe,,,Joe@example.org,Ann Miller,-,Help,Open,Web Widget,2026-03-01 10:00",
        "3,Joe Poe,-,-,joe@example.org,Joe Poe,-,Help,Open,Mail,2026-03-01 10:00",
    ]
    (tmp_path / "tickets.csv").write_text("\n".join([header, *rows, ""]), encoding="utf-8")
    found = zendesk.read(tmp_path, data_end=END, time_zone="UTC")
    who = [contact(found, number)["customer_ref"] for number in "123"]
    assert (who[0], who[1]) == ("10", who[2])
    assert who[1] is not None
    assert found.identifiers.group_by("customer_ref").agg(pl.col("kind").sort()).sort("customer_ref").rows() == [
        (one, kinds) for one, kinds in sorted([("10", ["email", "external"]), (who[1], ["email"])])
    ]
    assert [contact(found, number)["initiated_by"] for number in "123"] == ["customer", "company", "customer"]
    assert not {"Ann", "Miller", "Jane", "Doe"} & set(contact(found)["subject"].split())


def test_a_call_that_never_ends_is_a_call_without_an_end(tmp_path):
    lists = {"tickets": {"tickets": [ticket()]}, "calls": {"calls": [call(2, 1, ticket_id=None, duration=1e300)]}}
    known = contact(zendesk.read(written(tmp_path, lists), data_end=END), "call 2")
    assert (known["opened_at"], known["first_resolved_at"], known["closed_at"]) == (moment(1), None, None)
