"""What does a Freshdesk or Freshservice export say?"""

import json
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fcrlib.intake import freshdesk
from fcrlib.judge.outcomes import judge
from fcrlib.model.desk import Desk
from fcrlib.model.errors import DataError, UsageError
from fcrlib.model.policy import Policy

END = datetime(2026, 4, 1, tzinfo=UTC)
BESIDE = {
    "agents": [{"id": 20, "contact": {"name": "Agent A"}, "group_ids": [5]}, {"id": 30, "contact": {"name": "Helper Bot"}, "group_ids": []}],
    "contacts": [{"id": 10, "name": "Jo Doe", "email": "jo@example.org", "language": "de", "other_emails": ["jo2@example.org"]}],
    "groups": [{"id": 5, "name": "First line"}],
}


def ticket(number: int = 1, **more: object) -> dict[str, object]:
    return {
        "id": number,
        "created_at": "2026-03-01T08:00:00Z",
        "status": 4,
        "source": 1,
        "requester_id": 10,
        "responder_id": 20,
        "group_id": 5,
        "tags": [],
        **more,
    }


def stats(**more: str) -> dict[str, object]:
    return {"stats": {name: f"2026-03-{day}T00:00:00Z" for name, day in more.items()}}


def said(number: int, hour: int, user: int | None, text: str, **more: object) -> dict[str, object]:
    return {
        "id": number,
        "ticket_id": 1,
        "created_at": f"2026-03-01T{hour:02d}:00:00Z",
        "user_id": user,
        "body_text": text,
        "incoming": user == 10,
        "private": False,
        "source": 0,
        **more,
    }


def activity(hour: int, performer: int | None, ticket_id: int = 1, **activity: object) -> dict[str, object]:
    who = {"performer_type": "user" if performer else "system", "performer_id": performer}
    return {"performed_at": f"01-03-2026 {hour:02d}:00:00 +0000", "ticket_id": ticket_id, **who, "activity": activity}


def read(folder: Path, *, end: datetime | None = END, **files: list[dict[str, object]]) -> Desk:
    for name, rows in {**BESIDE, **files}.items():
        (folder / f"{name}.json").write_text(json.dumps(rows), encoding="utf-8")
    return freshdesk.read(folder, data_end=end)


def table(folder: Path, header: str, *rows: str, encoding: str = "utf-8", **more: object) -> Desk:
    (folder / "tickets.csv").write_bytes("\n".join([header, *rows, ""]).encode(encoding))
    return freshdesk.read(folder, data_end=END, **{"time_zone": "UTC", **more})


def contact(desk: Desk, number: str = "1") -> dict[str, object]:
    return desk.contacts.row(by_predicate=pl.col("contact_id") == number, named=True)


def test_tickets_alone_are_a_desk(tmp_path):
    found = read(tmp_path, tickets=[ticket(**stats(resolved_at="02", first_responded_at="02")), ticket(2, status=2, requester_id=None)])
    known = contact(found)
    assert (known["status"], known["channel"], known["resolver_group"], known["language"]) == ("solved", "email", "First line", "de")
    assert known["first_resolved_at"] == datetime(2026, 3, 2, tzinfo=UTC)
    assert known["wait_seconds"] == 16 * 3600
    assert contact(found, "2")["customer_ref"] is None
    assert not found.manifest.has("has_events")


def test_the_history_comes_from_conversations_and_activities(tmp_path):
    talk = [said(1, 9, 20, "On it"), said(2, 11, 10, "Thanks a lot!"), said(3, 12, None, "We got your mail", auto_response=True)]
    talk += [said(4, 13, 20, "internal", private=True, source=2), said(5, 14, 30, "I am a machine")]
    moves = [activity(9, None, group="First line", agent_id=20), activity(10, 20, status="Resolved"), activity(11, 10, status="Open"), activity(12, None, status="Closed")]  # fmt: skip
    found = read(tmp_path, tickets=[ticket(status=5, description_text="Help me")], conversations=talk, activities=moves)
    assert found.events.select("kind", "actor", "status_from", "status_to", "group_to", "is_ack", "is_auto").rows() == [
        ("message", "customer", None, None, None, False, False),
        ("message", "agent", None, None, None, None, False),
        ("assignment", "system", None, None, "First line", None, False),
        ("status", "agent", "open", "solved", None, None, False),
        ("message", "customer", None, None, None, True, False),
        ("status", "customer", "solved", "open", None, None, False),
        ("message", "system", None, None, None, None, True),
        ("status", "system", "open", "closed", None, None, False),
        ("note", "agent", None, None, None, None, False),
        ("message", "bot", None, None, None, None, False),
    ]


def test_conversations_inside_a_ticket_and_beside_it_are_the_same(tmp_path):
    one = said(1, 9, 20, "On it")
    found = read(tmp_path, tickets=[ticket(conversations=[one, said(2, 10, 10, "Fine")])], conversations=[one])
    assert found.events["text"].to_list() == ["On it", "Fine"]


def test_only_the_last_reopening_is_known_and_no_count(tmp_path):
    twice = ticket(**stats(reopened_at="05", resolved_at="07"))
    still = ticket(2, status=2, **stats(resolved_at="03", reopened_at="04"))
    found = read(tmp_path, tickets=[twice, still, ticket(3, **stats(resolved_at="02"))])
    steps = found.events.select("contact_id", pl.col("at").dt.round("1m").dt.day(), "status_to").rows()
    assert steps == [("1", 5, "solved"), ("1", 5, "open"), ("1", 7, "solved"), ("2", 3, "solved"), ("2", 4, "open"), ("3", 2, "solved")]
    assert contact(found)["vendor_reopens"] is None
    assert contact(found)["vendor_first_resolved_at"] is None
    assert any("1 tickets were reopened, and when they were first resolved is not told" in note for note in found.manifest.notes)


def test_a_ticket_of_which_only_the_last_reopening_is_known_came_back(tmp_path):
    twice, still = ticket(**stats(reopened_at="05", resolved_at="07")), ticket(2, status=2, requester_id=11, **stats(reopened_at="04"))
    found = read(tmp_path, tickets=[twice, still, ticket(3, requester_id=12, **stats(resolved_at="02"))])
    assert judge(found, policy=Policy()).select("label", "reason").rows() == [("failed", "reopened"), ("failed", "reopened"), ("resolved", None)]
    assert found.contacts["resolver_agent"].to_list() == [None, None, "20"]


def test_resolved_tickets_without_their_times_are_noted_and_no_other_time_stands_in(tmp_path):
    found = read(tmp_path, tickets=[ticket(updated_at="2026-03-09T00:00:00Z")])
    assert contact(found)["first_resolved_at"] is None
    assert any("1 of 1 resolved tickets do not say when: fetch them with include=stats" in note for note in found.manifest.notes)


def test_custom_statuses_are_never_a_resolution(tmp_path):
    found = read(tmp_path, tickets=[ticket(1, status=6), ticket(2, status=7), ticket(3, status=12)])
    assert [contact(found, number)["status"] for number in "123"] == ["pending", "hold", "open"]
    assert "custom statuses read as open: 12; ticket_fields would say their names" in found.manifest.notes
    fields = [{"id": 1, "name": "status", "choices": {"2": ["Offen", "x"], "12": ["On Hold", "Wait"], "13": ["Resolved, to be checked", "y"]}}]
    named = read(
        tmp_path, tickets=[ticket(3, status=12), ticket(4, status=13)], ticket_fields=fields, activities=[activity(9, 20, 3, status="Offen")]
    )
    assert [contact(named, number)["status"] for number in "34"] == ["hold", "open"]
    assert found.manifest.notes != named.manifest.notes


def test_a_status_nobody_knows_stops_the_reading(tmp_path):
    with pytest.raises(DataError, match=r"status: words without a meaning: 'sleeping' \(1\)"):
        read(tmp_path, tickets=[ticket(status="sleeping")])


def test_an_outbound_email_is_the_companys_and_may_be_resolved_at_once(tmp_path):
    sent = ticket(source=10, description_text="Your plan ends", stats={"resolved_at": "2026-03-01T08:00:00Z", "closed_at": "2026-03-01T08:00:00Z"})
    found = read(tmp_path, tickets=[sent])
    known = contact(found)
    assert (known["initiated_by"], known["channel"], known["first_resolved_at"]) == ("company", "email", known["opened_at"])
    assert found.events.select("actor", "actor_id").rows() == [("agent", None)]


def test_the_answer_to_a_survey_is_no_message_of_the_customer(tmp_path):
    found = read(tmp_path, tickets=[ticket()], conversations=[said(1, 9, 10, "Great", source=6)])
    assert found.events.is_empty()
    assert any(one.what == "conversations" and one.count == 1 for one in found.manifest.dropped)


@pytest.mark.parametrize(
    ("accepted", "rating", "csat", "scale"),
    [(None, 103, 1.0, "7-step"), (None, 100, 0.5, "7-step"), ([103, 100, -103], 100, 0.5, "3-step"), ([103, 102, 100, -102, -103], -102, 0.25, "5-step"), ([103, -103], -103, 0.0, "2-step"), (None, 2, None, None)],
)  # fmt: skip
def test_a_rating_stands_on_the_scale_of_its_survey(tmp_path, accepted, rating, csat, scale):
    rows = [
        {"id": 1, "survey_id": 4, "ticket_id": 1, "feedback": "ok", "ratings": {"default_question": rating}, "created_at": "2026-03-03T00:00:00Z"}
    ]
    surveys = [{"id": 4, "questions": [{"id": "default_question", "default": True, "accepted_ratings": accepted}]}]
    found = read(tmp_path, tickets=[ticket()], satisfaction_ratings=rows, surveys=surveys)
    assert found.surveys.select("csat", "csat_scale", "comment").rows() == [(csat, scale, "ok")]


def test_a_merged_ticket_is_found_by_the_note_in_it(tmp_path):
    notes = [said(1, 9, 20, "This ticket is closed and merged into ticket 2", private=True), said(2, 9, 20, "Tickets with IDs #1 have been merged into this ticket", ticket_id=2, private=True)]  # fmt: skip
    found = read(tmp_path, tickets=[ticket(), ticket(2)], conversations=notes)
    assert contact(found)["merged_into"] == "2"
    assert found.events.select("contact_id", "kind").rows() == [("1", "merge")]


def test_spam_deleted_children_and_trackers_are_told(tmp_path):
    some = [ticket(spam=True), ticket(2, deleted=True), ticket(3, association_type=2, associated_tickets_list=[1]), ticket(4, association_type=4, associated_tickets_list=[5]), ticket(5, association_type=3)]  # fmt: skip
    found = read(tmp_path, tickets=some)
    assert (contact(found)["is_spam"], contact(found)["is_deleted"], contact(found, "2")["is_deleted"]) == (True, False, True)
    assert contact(found, "3")["parent_id"] == "1"
    assert [contact(found, number)["issue_key"] for number in "345"] == [None, "5", "5"]


@pytest.mark.parametrize("fields", [{"cf_contact_reason": "billing"}, [{"name": "cf_contact_reason", "value": "billing"}]], ids=["object", "list"])
def test_a_custom_field_holds_the_category_in_an_object_or_a_list(tmp_path, fields):
    (tmp_path / "tickets.json").write_text(json.dumps([ticket(type="Question", custom_fields=fields)]), encoding="utf-8")
    assert contact(freshdesk.read(tmp_path, data_end=END))["category"] == "Question"
    assert contact(freshdesk.read(tmp_path, data_end=END, fields={"category": "Contact reason"}))["category"] == "billing"
    lacking = freshdesk.read(tmp_path, data_end=END, fields={"tier": "plan"})
    assert "no field 'plan' holds the tier; the custom fields are cf_contact_reason" in lacking.manifest.notes


def test_freshservice_counts_its_sources_otherwise_and_tells_changes_in_sentences(tmp_path):
    told = [{"ticket_id": 1, "created_at": "2026-03-02T09:00:00Z", "actor": {"id": 20}, "content": " updated the ticket", "sub_contents": ["set Status as Resolved"]}]  # fmt: skip
    found = read(tmp_path, tickets=[ticket(source=4, workspace_id=2, category="Hardware", sub_category="Printer")], activities=told)
    known = contact(found)
    assert (known["channel"], known["category"], known["subcategory"]) == ("chat", "Hardware", "Printer")
    assert known["first_resolved_at"] == datetime(2026, 3, 2, 9, tzinfo=UTC)


def test_promised_times_were_kept_if_nothing_known_was_escalated(tmp_path):
    some = [ticket(is_escalated=False, fr_escalated=True), ticket(2, is_escalated=False, fr_escalated=False), ticket(3)]
    found = read(tmp_path, tickets=some)
    assert [contact(found, number)["vendor_sla_met"] for number in "123"] == [False, True, None]


HEADER = "Ticket ID,Subject,Status,Priority,Source,Type,Agent,Group,Created time,Resolved time,Closed time,Last update time,Initial response time,First response time (in hrs),Resolution time (in hrs),Agent interactions,Resolution status,First response status,Tags,Survey results,Contact ID,Email"  # fmt: skip
ROW = '7,Help,Closed,Low,Email,Question,Agent A,First line,2026-01-01 10:00,2026-01-02 10:00,2026-01-03 10:00,2026-01-03 10:00,2026-01-01 11:00,,,2,Within SLA,SLA Violated,"a,b",Happy,10,jo@example.org'


def test_durations_of_a_table_come_from_its_instants_not_from_business_hours(tmp_path):
    known = contact(found := table(tmp_path, HEADER, ROW), "7")
    assert (known["wait_seconds"], known["first_resolved_at"]) == (3600, datetime(2026, 1, 2, 10, tzinfo=UTC))
    assert (known["tags"], known["channel"], known["resolver_agent"], known["vendor_replies"]) == (["a", "b"], "email", "Agent A", 2)
    assert known["vendor_sla_met"] is False
    assert found.surveys.select("csat_raw", "answered_at").rows() == [("101", datetime(2026, 1, 3, 10, tzinfo=UTC))]
    assert any("First response time (in hrs)" in note for note in found.manifest.notes)


def test_freshservice_spells_its_headers_otherwise_and_repeats_one(tmp_path):
    header = "Ticket Id,Status,Created Time,Resolved Time,Resolution Time (in Hrs),Others,Others,Requester Email"
    known = contact(table(tmp_path, header, "7,Resolved,2026-01-01 10:00,2026-01-01 12:00,1:00:00,a,b,Jo@Example.org"), "7")
    assert known["first_resolved_at"] == datetime(2026, 1, 1, 12, tzinfo=UTC)
    assert known["customer_ref"] is not None


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp1252"])
def test_tables_are_read_in_whatever_encoding_they_come(tmp_path, encoding):
    assert contact(table(tmp_path, HEADER, ROW.replace("Help", "Gerät"), encoding=encoding), "7")["subject"] == "Gerät"


def test_local_times_need_their_zone(tmp_path):
    with pytest.raises(DataError, match="zone"):
        table(tmp_path, HEADER, ROW, time_zone=None)
    assert contact(table(tmp_path, HEADER, ROW, time_zone="Europe/Berlin"), "7")["opened_at"] == datetime(2026, 1, 1, 9, tzinfo=UTC)


def test_the_data_end_is_asked_for_because_the_export_does_not_say_it(tmp_path):
    with pytest.raises(UsageError, match="--data-end is needed: an export of Freshdesk"):
        read(tmp_path, tickets=[ticket()], end=None)


def test_an_export_of_another_system_is_named(tmp_path):
    (tmp_path / "export.json").write_text(json.dumps({"tickets": [ticket(status="solved", submitter_id=1, raw_subject="x")]}), encoding="utf-8")
    with pytest.raises(DataError, match="tickets: the records look like zendesk, try `fcr import zendesk`") as refused:
        freshdesk.read(tmp_path, data_end=END)
    assert refused.value.exit_code == 3


def test_working_time_is_the_sum_of_its_entries(tmp_path):
    spent = [{"id": 1, "ticket_id": 1, "time_spent": "01:30"}, {"id": 2, "ticket_id": 1, "time_spent": "00:15"}]
    assert contact(read(tmp_path, tickets=[ticket()], time_entries=spent))["handle_seconds"] == 105 * 60


VALUES = st.recursive(st.none() | st.booleans() | st.integers(-3, 10**6) | st.text(max_size=6), lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=4), inner, max_size=2), max_leaves=4)  # fmt: skip


@settings(max_examples=10, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_whatever_an_export_holds_it_is_read_or_refused_in_words(tmp_path, data):
    def mangled(record: dict[str, object]) -> dict[str, object]:
        name = data.draw(st.sampled_from(sorted(record)))
        return {**record, name: data.draw(VALUES)}

    files = {
        "tickets": [mangled(ticket(**stats(resolved_at="02", reopened_at="03"))), ticket(2)],
        "conversations": [mangled(said(1, 9, 20, "On it"))],
        "activities": [mangled(activity(9, 20, status="Closed"))],
        "satisfaction_ratings": [mangled({"id": 1, "survey_id": 1, "ticket_id": 1, "ratings": {"default_question": 103}, "created_at": "2026-03-03T00:00:00Z"})],
        "agents": [mangled(BESIDE["agents"][0])],
        "time_entries": [mangled({"id": 1, "ticket_id": 1, "time_spent": "01:30"})],
    }  # fmt: skip
    with suppress(DataError):
        assert read(tmp_path, **files).contacts.height in (1, 2)
