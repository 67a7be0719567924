"""What do the tables of a ServiceNow instance say?"""

import json
import os
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fcrlib.intake import servicenow
from fcrlib.model.desk import Desk
from fcrlib.model.errors import DataError

END = datetime(2026, 4, 1, tzinfo=UTC)
HOST = "https://acme.service-now.example/api/now/table"


def number(digit: str) -> str:
    return digit * 32


TICKET, JO, ANN, FIRST, SECOND = (number(digit) for digit in "1abcd")


def points(at: str) -> dict[str, str]:
    return {"link": f"{HOST}/x/{at}", "value": at}


def incident(**more: object) -> dict[str, object]:
    return {
        "sys_id": TICKET,
        "number": "INC0000001",
        "opened_at": "2026-03-01 08:00:00",
        "sys_updated_on": "2026-03-02 08:00:00",
        "incident_state": "2",
        "caller_id": points(JO),
        "assignment_group": "",
        "contact_type": "self-service",
        "reopen_count": "0",
        "reassignment_count": "0",
        "resolved_at": "",
        **more,
    }


def change(field: str, before: str, after: str, hour: int, who: str = "ann", **more: object) -> dict[str, object]:
    at = f"2026-03-01 {hour:02d}:00:00"
    return {
        "documentkey": TICKET,
        "tablename": "incident",
        "fieldname": field,
        "oldvalue": before,
        "newvalue": after,
        "user": who,
        "sys_created_on": at,
        **more,
    }


USERS = [
    {"sys_id": JO, "user_name": "jo", "name": "Jo Doe", "email": "jo@example.org", "roles": ""},
    {"sys_id": ANN, "user_name": "ann", "name": "Ann A", "roles": "itil"},
]
GROUPS = [{"sys_id": FIRST, "name": "Service desk"}, {"sys_id": SECOND, "name": "Network"}]


def read(folder: Path, *, time_zone: str | None = None, **tables: list[dict[str, object]]) -> Desk:
    for name, rows in {"sys_user": USERS, "sys_user_group": GROUPS, **tables}.items():
        (folder / f"{name}.json").write_text(json.dumps({"result": rows}), encoding="utf-8")
    return servicenow.read(folder, data_end=END, time_zone=time_zone)


def contact(desk: Desk, name: str = "INC0000001") -> dict[str, object]:
    return desk.contacts.row(by_predicate=pl.col("contact_id") == name, named=True)


def test_incidents_alone_are_a_desk_and_references_are_followed(tmp_path):
    over = incident(
        incident_state="7",
        resolved_at="2026-03-01 10:00:00",
        closed_at="2026-03-08 10:00:00",
        assignment_group=points(FIRST),
        assigned_to=points(ANN),
    )
    found = read(tmp_path, incident=[over])
    one = contact(found)
    assert (one["customer_ref"], one["resolver_group"], one["resolver_agent"], one["status"]) == (JO, "Service desk", ANN, "closed")
    assert (one["first_resolved_at"], one["vendor_first_resolved_at"]) == (datetime(2026, 3, 1, 10, tzinfo=UTC),) * 2
    assert not found.manifest.has("has_events")


def test_a_change_that_stands_in_two_fields_is_one_and_the_reason_of_a_hold_says_who_is_waited_for(tmp_path):
    audit = [
        change("state", "1", "2", 9), change("incident_state", "1", "2", 9), change("assignment_group", "", FIRST, 9), change("assigned_to", "", ANN, 9),
        change("incident_state", "2", "3", 10), change("hold_reason", "", "1", 10),
        change("hold_reason", "1", "4", 11),
        change("incident_state", "3", "6", 12, "jo"), change("assignment_group", FIRST, SECOND, 13), change("incident_state", "6", "7", 14, "system"),
    ]  # fmt: skip
    found = read(tmp_path, incident=[incident(incident_state="7")], sys_audit=audit)
    assert found.events.select("kind", "actor", "status_from", "status_to", "group_to", "agent_to").rows() == [
        ("status", "agent", "new", "open", None, None),
        ("assignment", "agent", None, None, "Service desk", ANN),
        ("status", "agent", "open", "pending", None, None),
        ("status", "agent", "pending", "hold", None, None),
        ("status", "customer", "hold", "solved", None, None),
        ("transfer", "agent", None, None, "Network", None),
        ("status", "system", "solved", "closed", None, None),
    ]
    assert contact(found)["first_resolved_at"] == datetime(2026, 3, 1, 12, tzinfo=UTC)


def test_comments_are_public_and_work_notes_are_not_and_an_agent_who_calls_is_a_customer_there(tmp_path):
    def said(text: str, element: str, hour: int, who: str, ticket: str = TICKET) -> dict[str, object]:
        return {"element_id": ticket, "element": element, "value": text, "sys_created_by": who, "sys_created_on": f"2026-03-01 {hour:02d}:00:00"}

    journal = [
        said("On it", "comments", 9, "ann"), said("Restarted", "work_notes", 10, "ann"), said("Thank you", "comments", 11, "jo"),
        said("Received", "comments", 12, "system"), said("Who am I", "comments", 13, "guest"), said("My own", "comments", 9, "ann", number("2")),
    ]  # fmt: skip
    own = incident(sys_id=number("2"), number="INC0000002", caller_id=points(ANN))
    found = read(tmp_path, incident=[incident(), own], sys_journal_field=journal)
    assert found.events.select("contact_id", "kind", "actor", "actor_id", "is_auto", "is_ack").rows() == [
        ("INC0000001", "message", "agent", ANN, False, None),
        ("INC0000001", "note", "agent", ANN, False, None),
        ("INC0000001", "message", "customer", JO, False, True),
        ("INC0000001", "message", "system", None, True, None),
        ("INC0000001", "message", "customer", None, False, False),
        ("INC0000002", "message", "customer", ANN, False, False),
    ]


def test_where_there_is_no_audit_the_spans_of_metrics_tell_the_history(tmp_path):
    def span(name: str, value: str, hour: int) -> dict[str, object]:
        shown = {"display_value": name, "value": number("9"), "link": f"{HOST}/metric_definition/{number('9')}"}
        return {
            "id": points(TICKET),
            "definition": shown,
            "field_value": value,
            "start": f"2026-03-01 {hour:02d}:00:00",
            "calculation_complete": "true",
        }

    spans = [span("Incident State Duration", "2", 9), span("Assignment Group", FIRST, 9), span("Incident State Duration", "6", 10)]
    found = read(tmp_path, incident=[incident(incident_state="6")], metric_instance=spans)
    assert found.events.select("kind", "status_to", "group_to").rows() == [
        ("status", "open", None), ("assignment", None, "Service desk"), ("status", "solved", None),
    ]  # fmt: skip
    audited = read(tmp_path, incident=[incident(incident_state="6")], metric_instance=spans, sys_audit=[change("incident_state", "1", "6", 11)])
    assert audited.events.select("kind", "status_to").rows() == [("assignment", None), ("status", "solved")]


def test_durations_arrive_as_instants_of_1970_and_promises_by_task(tmp_path):
    promises = [
        {"task": points(TICKET), "has_breached": "true", "stage": "cancelled"},
        {"task": points(TICKET), "has_breached": "false", "stage": "completed"},
        {"task": points(number("2")), "has_breached": "true", "stage": "completed"},
    ]
    other = incident(sys_id=number("2"), number="INC0000002", time_worked="1970-01-01 00:00:00")
    found = read(tmp_path, incident=[incident(time_worked="1970-01-02 09:46:18"), other], task_sla=promises)
    assert found.contacts.select("handle_seconds", "vendor_sla_met").rows() == [(121578.0, True), (None, False)]


def test_the_count_of_reassignments_is_kept_as_it_is_and_never_taken_for_transfers(tmp_path):
    found = read(tmp_path, incident=[incident(reassignment_count="1", reopen_count="2")], sys_audit=[change("assignment_group", "", FIRST, 9)])
    assert (contact(found)["vendor_stations"], contact(found)["vendor_reopens"]) == (1, 2)
    assert found.events["kind"].to_list() == ["assignment"]


def test_a_reopened_incident_holds_only_its_last_resolution_and_that_is_said(tmp_path):
    found = read(tmp_path, incident=[incident(incident_state="6", reopen_count="1", resolved_at="2026-03-05 10:00:00")])
    assert any("1 incidents were reopened and hold only their last resolution" in note for note in found.manifest.notes)
    assert contact(found)["vendor_first_resolved_at"] is None


def test_a_cancelled_incident_counts_neither_way_and_a_question_mark_is_nobody(tmp_path):
    found = read(tmp_path, incident=[incident(incident_state="8", caller_id="?")])
    assert (contact(found)["status"], contact(found)["is_deleted"], contact(found)["customer_ref"]) == ("closed", True, None)
    off = read(tmp_path, incident=[incident(incident_state="8", closed_at="2026-03-01 09:00:00")])
    assert contact(off)["first_resolved_at"] is None


def test_what_a_screen_shows_is_in_the_zone_of_whoever_looks(tmp_path):
    shown = incident(caller_id={"display_value": "Jo Doe", "link": f"{HOST}/sys_user/{JO}"}, incident_state="In Progress")
    with pytest.raises(DataError, match="--timezone"):
        read(tmp_path, incident=[shown])
    found = contact(read(tmp_path, time_zone="America/New_York", incident=[shown]))
    assert (found["customer_ref"], found["opened_at"]) == (JO, datetime(2026, 3, 1, 13, tzinfo=UTC))


def test_values_with_what_the_screen_shows_are_read_by_their_values(tmp_path):
    both = {name: value if isinstance(value, dict) else {"display_value": "shown", "value": value} for name, value in incident().items()}
    group = {"assignment_group": {"display_value": "Shown desk", "value": number("e"), "link": f"{HOST}/x/{number('e')}"}}
    found = read(tmp_path, incident=[{**both, **group}], sys_audit=[change("assignment_group", "", number("e"), 9)])
    assert contact(found)["opened_at"] == datetime(2026, 3, 1, 8, tzinfo=UTC)
    assert found.events["group_to"].to_list() == ["Shown desk"]


def test_states_of_an_instances_own_are_read_by_its_choices(tmp_path):
    choices = [{"name": "incident", "element": "incident_state", "value": "12", "label": "Awaiting Parts", "language": "en"}]
    assert contact(read(tmp_path, incident=[incident(incident_state="12")], sys_choice=choices))["status"] == "hold"
    with pytest.raises(DataError, match=r"state: words without a meaning: '12' \(1\)"):
        read(tmp_path, incident=[incident(incident_state="12")], sys_choice=[])


def test_the_numbers_of_another_table_are_not_guessed(tmp_path):
    (tmp_path / "incident.json").write_text("{}")
    case = incident(sys_class_name="sn_customerservice_case", incident_state="3", number="CS0000001")
    with pytest.raises(DataError, match="export sys_choice too"):
        read(tmp_path, incident=[case])
    choices = [{"name": "sn_customerservice_case", "element": "state", "value": "3", "label": "Closed"}]
    assert contact(read(tmp_path, incident=[case], sys_choice=choices), "CS0000001")["status"] == "closed"


def test_a_task_and_its_incident_are_one_and_other_tasks_are_left_out(tmp_path):
    (tmp_path / "incident_data.csv").write_text(f"sys_id,caller_id_value,incident_state,sys_created_on\n{TICKET},{JO},2,2026-03-01 07:00:00\n")
    rows = f"{TICKET},INC1,incident,2026-03-01 08:00:00,2,{FIRST}\n{number('2')},CHG1,change_request,2026-03-01 08:00:00,2,\n"
    (tmp_path / "task_data.csv").write_text(f"sys_id,number,sys_class_name,opened_at,state,assignment_group_value\n{rows}")
    found = servicenow.read(tmp_path, data_end=END)
    one = contact(found, "INC1")
    assert (found.contacts.height, one["customer_ref"], one["opened_at"]) == (1, JO, datetime(2026, 3, 1, 8, tzinfo=UTC))
    assert [(left.what, left.count, left.why) for left in found.manifest.dropped] == [("tasks", 1, "of another kind: change_request")]


def test_a_list_shows_every_incident_once_and_no_history(tmp_path):
    rows = (
        "INC1,Jo Doe,Resolved,2026-03-01 08:00:00,2026-03-20 08:00:00,2026-03-02 08:00:00\nINC2,Ann A,New,2026-03-03 08:00:00,2026-03-03 08:00:00,\n"
    )
    (tmp_path / "export.csv").write_text(f"number,caller_id,state,opened_at,sys_updated_on,resolved_at\n{rows}")
    found = servicenow.read(tmp_path, data_end=END, time_zone="Europe/Vienna")
    # The last update is no resolution.
    assert contact(found, "INC1")["first_resolved_at"] == datetime(2026, 3, 2, 7, tzinfo=UTC)
    assert found.events.is_empty()
    assert any("--timezone says another" in note for note in servicenow.read(tmp_path, data_end=END).manifest.notes)


def test_incidents_on_two_pages_are_read_once_as_the_newest_says(tmp_path):
    old, new = incident(), incident(sys_updated_on="2026-03-09 08:00:00", incident_state="6", resolved_at="2026-03-09 08:00:00")
    for name, rows in (("incident_1", [new]), ("incident_2", [old])):
        (tmp_path / f"{name}.json").write_text(json.dumps({"result": rows}))
    found = servicenow.read(tmp_path, data_end=END)
    assert found.contacts["status"].to_list() == ["solved"]
    assert [(left.what, left.count) for left in found.manifest.dropped] == [("incidents", 1)]


def test_broken_and_foreign_tables_are_refused_in_words(tmp_path):
    (tmp_path / "incident.json").write_text('{"result": [{"sys_id": "1", "number": "INC1"')
    with pytest.raises(DataError, match=r"incident\.json: row 1 is cut off") as refused:
        servicenow.read(tmp_path, data_end=END)
    assert refused.value.exit_code == 3
    (tmp_path / "incident.json").unlink()
    (tmp_path / "answers.json").write_text('[{"id": 1, "requester_id": 2, "submitter_id": 3}]')
    with pytest.raises(DataError, match="it looks like zendesk"):
        servicenow.read(tmp_path, data_end=END)


def test_fields_that_nobody_asked_for_are_listed(tmp_path):
    assert any("tickets: fields not used: u_mood" in note for note in read(tmp_path, incident=[incident(u_mood="blue")]).manifest.notes)


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_whatever_stands_in_a_field_it_is_read_or_refused_in_words(tmp_path, data):
    odd = st.one_of(st.none(), st.booleans(), st.integers(), st.text(max_size=6), st.lists(st.integers(), max_size=2), st.just({"a": 1}))
    one = incident(**{data.draw(st.sampled_from(sorted(incident()))): data.draw(odd)})
    row = {
        **change("incident_state", "1", "6", 9),
        data.draw(st.sampled_from(["documentkey", "fieldname", "newvalue", "sys_created_on"])): data.draw(odd),
    }
    with suppress(DataError):
        assert read(tmp_path, incident=[one], sys_audit=[row]).contacts.height == 1


@pytest.mark.parametrize(
    ("word", "channel", "opener"),
    [
        ("virtual_agent", "chat", "customer"), ("self-service", "web", "customer"), ("walk-in", "other", "customer"), ("chat", "chat", "customer"),
        ("phone", "phone", "customer"), ("email", "email", "customer"), ("event", "api", "system"), ("monitoring", "api", "system"),
    ],
)  # fmt: skip
def test_ways_are_read_by_their_values_and_what_a_machine_reports_nobody_asked(tmp_path, word, channel, opener):
    found = contact(read(tmp_path, incident=[incident(contact_type=word)]))
    assert (found["channel"], found["initiated_by"]) == (channel, opener)


def test_a_metric_that_only_its_id_names_is_known_by_all_its_values(tmp_path):
    def span(metric: str, value: str, shown: str, hour: int) -> dict[str, object]:
        row = {"definition": points(number(metric)), "id": TICKET, "field_value": value, "value": shown}
        return {**row, "start": f"2026-03-01 {hour:02d}:00:00"}

    spans = [span("7", "1", "New", 8), span("7", "6", "Resolved", 12), span("8", FIRST, "Service desk", 9), span("9", "3", "3 - Low", 9)]
    found = read(tmp_path, incident=[incident(incident_state="6")], metric_instance=spans)
    assert found.events.select("kind", "status_to", "group_to").rows() == [("assignment", None, "Service desk"), ("status", "solved", None)]
    assert any(note.startswith("1 spans of metrics were left out") for note in found.manifest.notes)


def test_own_fields_machines_and_words_of_thanks_are_used(tmp_path):
    tables = {
        "incident": [incident(u_reason="Payroll")],
        "sys_user": [*USERS, {"sys_id": number("e"), "user_name": "helper", "name": "Helper", "roles": "itil"}],
        "sys_journal_field": [
            {"element_id": TICKET, "element": "comments", "value": text, "sys_created_by": who, "sys_created_on": f"2026-03-01 {hour:02d}:00:00"}
            for hour, who, text in ((9, "helper", "We have it"), (10, "jo", "Tack"))
        ],
    }
    for name, rows in tables.items():
        (tmp_path / f"{name}.json").write_text(json.dumps({"result": rows}), encoding="utf-8")
    words = tmp_path.parent / f"{tmp_path.name}.toml"
    words.write_text('[sv]\nthanks = ["Tack"]\n', encoding="utf-8")
    found = servicenow.read(tmp_path, data_end=END, fields={"category": "u_reason"}, bots=["helper"], thanks_words=[words])
    assert contact(found)["category"] == "Payroll"
    assert found.events.select("actor", "is_ack").rows() == [("bot", None), ("customer", True)]


SEEDS = Path(os.environ.get("FCR_SHARED_DATA", Path(__file__).parents[2] / "../shared/data")) / "platform_seeds" / "servicenow"


@pytest.mark.realdata
def test_the_tables_of_a_real_warehouse_are_read():
    if not SEEDS.exists():
        pytest.skip("the tables are not here")
    found = servicenow.read(SEEDS, data_end=datetime(2023, 11, 7, tzinfo=UTC))
    one = found.contacts.row(0, named=True)
    assert (found.contacts.height, one["status"], one["category"]) == (1, "new", "software")
    assert one["opened_at"] == datetime(2023, 6, 2, 22, 5, 30, tzinfo=UTC)
    assert [(left.what, left.count) for left in found.manifest.dropped if left.what == "tasks"] == [("tasks", 1)]
