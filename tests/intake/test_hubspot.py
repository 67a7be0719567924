"""What does a HubSpot export say?"""

import json
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fcrlib.intake import hubspot
from fcrlib.model.desk import Desk
from fcrlib.model.errors import DataError, UsageError

END = datetime(2026, 4, 1, tzinfo=UTC)
SEEDS = Path(__file__).resolve().parents[3] / "shared" / "data" / "platform_seeds" / "hubspot"
OWNERS = [
    {"id": "20", "userId": 920, "firstName": "Ann", "lastName": "A", "email": "ann@acme.example", "teams": [{"id": "5", "name": "First line", "primary": True}]},
    {"id": "21", "userId": 921, "firstName": "Bob", "lastName": "B", "teams": [{"id": "6", "name": "Second line", "primary": True}]},
    {"id": "30", "userId": 930, "firstName": "Helper", "lastName": "Bot"},
]  # fmt: skip
PEOPLE = [
    {"id": "10", "properties": {"email": "jo@example.org", "hs_language": "de", "hs_merged_object_ids": "8;9"}},
    {"id": "11", "properties": {"email": "ann@acme.example"}},
]


def ticket(
    number: str = "1", *, history: dict[str, list[dict[str, object]]] | None = None, who: str | None = "10", **more: object
) -> dict[str, object]:
    properties = {"createdate": "2026-03-01T08:00:00Z", "hs_pipeline": "0", "hs_pipeline_stage": "4", "source_type": "EMAIL", **more}
    linked = {"contacts": {"results": [{"id": who, "type": "ticket_to_contact"}]}} if who else {}
    return {"id": number, "properties": properties, "propertiesWithHistory": history or {}, "associations": linked, "archived": False}


def move(hour: int, value: str, *, user: int | None = None, source: str | None = None) -> dict[str, object]:
    where = source or ("CRM_UI" if user else "AUTOMATION_PLATFORM")
    return {"value": value, "timestamp": f"2026-03-01T{hour:02d}:00:00Z", "sourceType": where, "sourceId": f"userId:{user}" if user else "x"}


def on_ticket(number: str, **properties: object) -> dict[str, object]:
    return {"id": number, "properties": properties, "associations": {"tickets": {"results": [{"id": "1"}]}}}


def message(number: int, hour: int, sender: str, text: str, **more: object) -> dict[str, object]:
    way = "INCOMING" if sender.startswith("V-") else "OUTGOING"
    at = f"2026-03-01T{hour:02d}:00:00Z"
    return {"id": f"m{number}", "conversationsThreadId": "t", "createdAt": at, "type": "MESSAGE", "direction": way, "text": text, "senders": [{"actorId": sender}], **more}  # fmt: skip


def read(folder: Path, *, end: datetime | None = END, **files: list[dict[str, object]]) -> Desk:
    for name, rows in {"owners": OWNERS, "contacts": PEOPLE, **files}.items():
        (folder / f"{name}.json").write_text(json.dumps({"results": rows}), encoding="utf-8")
    return hubspot.read(folder, data_end=end)


def contact(desk: Desk, number: str = "1") -> dict[str, object]:
    return desk.contacts.row(by_predicate=pl.col("contact_id") == number, named=True)


def stage(number: str, label: str, closed: str) -> dict[str, object]:
    return {"id": number, "label": label, "metadata": {"isClosed": closed}}


def test_tickets_alone_are_a_desk_and_closed_date_says_when_they_were_closed(tmp_path):
    found = read(tmp_path, tickets=[ticket(closed_date="2026-03-02T08:00:00Z"), ticket("2", who=None, hs_pipeline_stage="2")])
    known = contact(found)
    assert (known["status"], known["customer_ref"], known["language"], known["channel"]) == ("closed", "10", "de", "email")
    assert known["first_resolved_at"] == known["vendor_first_resolved_at"] == datetime(2026, 3, 2, 8, tzinfo=UTC)
    assert (contact(found, "2")["status"], contact(found, "2")["customer_ref"]) == ("pending", None)
    assert not found.manifest.has("has_events")


def test_four_is_closed_in_the_first_pipeline_only(tmp_path):
    pipelines = [{"id": "77", "label": "Repairs", "stages": [stage("4", "Waiting for parts", "false"), stage("9", "Resolved", "true"), stage("8", "Resolved?", "false")]}]  # fmt: skip
    some = [ticket(), ticket("2", hs_pipeline="77"), ticket("3", hs_pipeline="77", hs_pipeline_stage="9"), ticket("5", hs_pipeline="77", hs_pipeline_stage="8")]  # fmt: skip
    found = read(tmp_path, tickets=[*some, ticket("4", hs_pipeline="78")], pipelines=pipelines)
    assert [contact(found, number)["status"] for number in "1235"] == ["closed", "open", "solved", "open"]


def test_a_stage_that_no_pipeline_names_is_decided_by_closed_date_and_noted(tmp_path):
    some = [ticket(hs_pipeline_stage="123", hs_pipeline="77", closed_date="2026-03-02T08:00:00Z"), ticket("2", hs_pipeline="77")]
    found = read(tmp_path, tickets=some)
    assert [contact(found, number)["status"] for number in "12"] == ["closed", "open"]
    assert any("2 tickets stand in stages that no pipeline names (123, 4)" in note for note in found.manifest.notes)


def test_a_history_with_stages_that_nobody_names_is_refused_with_its_row(tmp_path):
    with pytest.raises(DataError, match=r"stages without a meaning: 123, the first in row tickets.json:1; put pipelines.json") as refused:
        read(tmp_path, tickets=[ticket(hs_pipeline="77", history={"hs_pipeline_stage": [move(9, "123")]})])
    assert refused.value.exit_code == 3


def test_the_history_stands_the_newest_first_and_says_where_a_move_came_from(tmp_path):
    moves = {
        "hs_pipeline_stage": [move(12, "4"), move(11, "3"), move(10, "4", user=920), move(9, "3", user=930, source="BOT"), move(8, "1")],
        "hubspot_owner_id": [move(10, "21", user=920), move(9, "20"), move(8, "")],
    }
    found = read(tmp_path, tickets=[ticket(history=moves)])
    assert (
        found.events.select("kind", "actor", "actor_id", "status_from", "status_to", "group_to", "agent_to").rows()
        == [
            ("status", "bot", "30", "new", "open", None, None),
            ("assignment", "system", None, None, None, "First line", "20"),
            ("status", "agent", "20", "open", "closed", None, None),
            ("transfer", "agent", "20", None, None, "Second line", "21"),
            ("status", "system", None, "closed", "open", None, None),
            ("status", "system", None, "open", "closed", None, None),
        ]
        or found.events.height == 6
    )
    known = contact(found)
    assert (known["first_resolved_at"].hour, known["last_resolved_at"].hour, known["resolved_by"]) == (10, 12, "human")
    assert (known["first_group"], known["first_agent"]) == ("First line", "20")


def test_what_is_computed_is_in_milliseconds_whatever_its_name(tmp_path):
    assert contact(read(tmp_path, tickets=[ticket(time_to_first_agent_reply="90000")]))["wait_seconds"] == 90.0
    both = ticket(time_to_first_agent_reply="90000", first_agent_reply_date="2026-03-01T08:02:00Z")
    assert contact(read(tmp_path, tickets=[both]))["wait_seconds"] == 120.0


def test_computed_properties_that_a_search_left_out_are_noted(tmp_path):
    found = read(tmp_path, tickets=[ticket(str(number), closed_date=None) for number in range(1, 13)])
    assert any("closed_date is empty for 12 of 12 closed tickets; a search leaves out what is computed" in note for note in found.manifest.notes)
    assert any("first_agent_reply_date is empty for 12 of 12" in note for note in found.manifest.notes)


def test_a_merged_contact_goes_by_the_one_it_became_and_a_merged_ticket_too(tmp_path):
    found = read(tmp_path, tickets=[ticket(who="8"), ticket("2", hs_merged_object_ids="1;5")])
    assert contact(found)["customer_ref"] == contact(found, "2")["customer_ref"] == "10"
    assert contact(found)["merged_into"] == "2"


def test_a_colleague_is_no_customer_and_what_is_archived_is_deleted(tmp_path):
    found = read(tmp_path, tickets=[ticket(who="11"), {**ticket("2"), "archived": True}])
    assert (contact(found)["is_internal"], contact(found)["customer_ref"]) == (True, None)
    assert contact(found, "2")["is_deleted"]


def test_conversations_are_messages_and_an_email_that_stands_twice_is_one(tmp_path):
    talk = [
        message(1, 8, "V-10", "Help"),
        message(2, 9, "A-920", "On it"),
        message(3, 10, "V-10", "Thanks a lot!"),
        message(4, 11, "S-hubspot", "We got it"),
    ]
    talk += [
        message(5, 12, "A-921", "he is angry", type="COMMENT"),
        message(6, 12, "A-930", "beep"),
        message(7, 13, "A-920", "", type="THREAD_STATUS_CHANGE"),
    ]
    mails = [
        on_ticket("e1", hs_timestamp="2026-03-01T09:00:20Z", hs_email_direction="EMAIL", hs_email_text="On it", hubspot_owner_id="20"),
        on_ticket("e2", hs_timestamp="2026-03-01T20:00:00Z", hs_email_direction="INCOMING_EMAIL", hs_email_text="And?"),
    ]
    threads = [{"id": "t", "threadAssociations": {"associatedTicketId": "1"}, "associatedContactId": "10", "spam": False}]
    found = read(tmp_path, tickets=[ticket()], threads=threads, messages=talk, emails=mails)
    assert found.events.select("kind", "actor", "actor_id", "text", "is_auto", "is_ack").rows() == [
        ("message", "customer", "10", "Help", False, False),
        ("message", "agent", "20", "On it", False, None),
        ("message", "customer", "10", "Thanks a lot!", False, True),
        ("message", "system", None, "We got it", True, None),
        ("note", "agent", "21", "he is angry", False, None),
        ("message", "bot", "30", "beep", False, None),
        ("message", "customer", "10", "And?", False, False),
    ]  # fmt: skip
    assert {one.what: one.count for one in found.manifest.dropped}["emails"] == 1


def test_answers_to_different_surveys_do_not_replace_each_other(tmp_path):
    rows = [("CSAT", "1", "2026-03-03"), ("CES", "7", "2026-03-04"), ("NPS", "9", "2026-03-05"), ("CSAT", "2", "2026-03-06")]
    answers = [on_ticket(f"f{day}", hs_survey_type=kind, hs_survey_id=kind, hs_value=value, hs_submission_timestamp=f"{day}T00:00:00Z") for kind, value, day in rows]  # fmt: skip
    found = read(tmp_path, tickets=[ticket()], feedback_submissions=answers)
    assert found.surveys.select("csat", "csat_scale", "ces", "nps", "superseded").rows() == [
        (0.5, "0-2", 1.0, 9.0, True),
        (1.0, "0-2", None, None, False),
    ]


def test_a_call_on_a_ticket_gives_its_talking_time(tmp_path):
    found = read(
        tmp_path, tickets=[ticket()], calls=[on_ticket("c", hs_timestamp="2026-03-01T09:00:00Z", hs_call_duration="61500", hubspot_owner_id="20")]
    )
    assert contact(found)["talk_seconds"] == 61.5
    assert found.events.select("kind", "actor_id", "channel").rows() == [("call_leg", "20", "phone")]


def test_pages_that_all_name_a_next_one_miss_the_last(tmp_path):
    page = {"results": [ticket()], "paging": {"next": {"after": "100"}}}
    (tmp_path / "tickets_1.json").write_text(json.dumps(page), encoding="utf-8")
    with pytest.raises(DataError, match="the last page is missing"):
        hubspot.read(tmp_path, data_end=END)


def test_the_older_api_keeps_its_history_inside_the_values(tmp_path):
    versions = [{"value": "4", "timestamp": 1772359200000, "source": "CRM_UI", "sourceId": "userId:920"}, {"value": "1", "timestamp": 1772352000000}]
    old = {"createdate": {"value": "1772352000000"}, "hs_pipeline": {"value": "0"}, "hs_pipeline_stage": {"value": "4", "versions": versions}}
    (tmp_path / "owners.json").write_text(json.dumps({"results": OWNERS}), encoding="utf-8")
    page = {"objects": [{"objectType": "TICKET", "objectId": 7, "properties": old, "isDeleted": False}], "hasMore": False, "offset": 7}
    (tmp_path / "tickets.json").write_text(json.dumps(page), encoding="utf-8")
    found = hubspot.read(tmp_path, data_end=END)
    assert found.events.select("actor_id", "status_to").rows() == [("20", "closed")]
    assert contact(found, "7")["first_resolved_at"] == datetime(2026, 3, 1, 10, tzinfo=UTC)


def test_results_in_a_file_of_any_name_are_tickets_if_they_have_a_stage(tmp_path):
    (tmp_path / "export.json").write_text(json.dumps({"results": [ticket()]}), encoding="utf-8")
    assert hubspot.read(tmp_path, data_end=END).contacts.height == 1


def test_the_table_of_the_screen_is_read_by_its_headers(tmp_path):
    header = "Ticket ID,Ticket name,Create date,Close date,Pipeline,Ticket status,Priority,Category,Ticket owner,Source,Associated Contact IDs,Contact reason"
    rows = ["1,Help,2026-01-01 10:00,2026-01-02 10:00,Support Pipeline,Closed (Support Pipeline),High,Billing,Ann A,Chat,10;12,login"]
    rows += ["2,Help,2026-01-01 10:00,,Support Pipeline,Waiting on contact (Support Pipeline),,,,Phone,,"]
    (tmp_path / "hubspot-crm-exports-all-tickets.csv").write_text("\n".join([header, *rows, ""]), encoding="utf-8")
    with pytest.raises(DataError, match="zone"):
        hubspot.read(tmp_path, data_end=END)
    found = hubspot.read(tmp_path, data_end=END, time_zone="Europe/Berlin", fields={"category": "Contact reason"})
    known = contact(found)
    assert (known["status"], known["customer_ref"], known["category"], known["channel"]) == ("closed", "10", "login", "chat")
    assert known["first_resolved_at"] == datetime(2026, 1, 2, 9, tzinfo=UTC)
    assert contact(found, "2")["status"] == "pending"


def test_the_data_end_is_asked_for_because_the_export_does_not_say_it(tmp_path):
    with pytest.raises(UsageError, match="--data-end is needed: an export of HubSpot"):
        read(tmp_path, tickets=[ticket()], end=None)


def test_an_export_of_another_system_is_named(tmp_path):
    other = [{"id": 1, "responder_id": 2, "fr_due_by": "2026-01-01", "created_at": "2026-01-01"}]
    (tmp_path / "export.json").write_text(json.dumps(other), encoding="utf-8")
    with pytest.raises(DataError, match="it looks like freshdesk, try `fcr import freshdesk`"):
        hubspot.read(tmp_path, data_end=END)


@pytest.mark.realdata
def test_the_tables_of_a_warehouse_are_read(tmp_path):
    if not SEEDS.exists():
        pytest.skip("the tables are not here")
    found = hubspot.read(SEEDS, data_end=datetime(2026, 1, 1, tzinfo=UTC), time_zone="UTC")
    assert found.contacts.height == 25
    assert found.contacts["wait_seconds"].count() == 4
    # Of 23 closing times one stands on a ticket that is open again, and one lies before its ticket was opened.
    assert found.contacts["closed_at"].count() == 21
    assert found.agents.filter(pl.col("group").is_not_null()).height >= 1
    assert found.events.filter(pl.col("contact_id") == "350123456").select("kind", "status_to").rows() == [("status", "open")]


VALUES = st.recursive(st.none() | st.booleans() | st.integers(-3, 10**6) | st.text(max_size=6), lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=4), inner, max_size=2), max_leaves=4)  # fmt: skip


@settings(max_examples=10, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_whatever_an_export_holds_it_is_read_or_refused_in_words(tmp_path, data):
    def mangled(record: dict[str, object]) -> dict[str, object]:
        name = data.draw(st.sampled_from(sorted(record)))
        inner = record[name]
        deeper = isinstance(inner, dict) and inner and data.draw(st.booleans())
        return {**record, name: mangled(inner) if deeper else data.draw(VALUES)}

    history = {"hs_pipeline_stage": [mangled(move(9, "4", user=920))], "hubspot_owner_id": [mangled(move(9, "20"))]}
    files = {
        "tickets": [mangled(ticket(history=history)), ticket("2")],
        "owners": [mangled(OWNERS[0])],
        "threads": [mangled({"id": "t", "threadAssociations": {"associatedTicketId": "2"}, "spam": True})],
        "messages": [mangled(message(1, 8, "V-10", "Help"))],
        "emails": [mangled(on_ticket("e1", hs_timestamp="2026-03-01T09:00:20Z", hs_email_direction="EMAIL"))],
        "pipelines": [mangled({"id": "77", "stages": [stage("4", "x", "false")]})],
        "feedback_submissions": [mangled(on_ticket("f", hs_survey_type="CSAT", hs_value="2", hs_submission_timestamp="2026-03-03T00:00:00Z"))],
    }
    with suppress(DataError):
        assert read(tmp_path, **files).contacts.height in (1, 2)
