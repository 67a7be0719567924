"""What does ServiceNow send that nobody here wrote?"""

import csv
import json
from datetime import UTC, datetime
from pathlib import Path

import polars as pl

from fcrlib.intake import servicenow
from fcrlib.model.desk import Desk
from fcrlib.model.errors import DataError

END = datetime(2026, 4, 30, tzinfo=UTC)
ANN, BOB, ASKER, FIRST, SECOND = (f"{number:032x}" for number in (0xA1, 0xA2, 0xC1, 0xB1, 0xB2))
USERS = [
    {"sys_id": ANN, "user_name": "ann", "name": "Nneka Okafor"},
    {"sys_id": BOB, "user_name": "bob", "name": "Bodil Quist"},
    {"sys_id": ASKER, "user_name": "jo", "name": "Jolanta Wiśniewska", "email": "jo@example.org"},
]
GROUPS = [{"sys_id": FIRST, "name": "Service Desk"}, {"sys_id": SECOND, "name": "Network"}]
LOG = ["number", "incident_state", "reassignment_count", "reopen_count", "made_sla", "caller_id", "opened_at", "sys_updated_at", "contact_type", "category", "subcategory", "assignment_group", "assigned_to", "resolved_at", "closed_at"]  # fmt: skip


def reference(table: str, value: str) -> object:
    return {"link": f"https://x.service-now.com/api/now/table/{table}/{value}", "value": value} if value else ""


def incident(number: int = 1, **more: object) -> dict[str, object]:
    return {
        "number": f"INC{number:07d}",
        "sys_id": f"{number:032x}",
        "opened_at": "2026-03-02 08:00:00",
        "opened_by": reference("sys_user", ASKER),
        "caller_id": reference("sys_user", ASKER),
        "contact_type": "email",
        "state": "1",
        "incident_state": "1",
        "made_sla": "true",
        **more,
    }


def audit(field: str, before: str, after: str, hour: int, who: str = "ann") -> dict[str, str]:
    return {
        "documentkey": f"{1:032x}",
        "tablename": "incident",
        "fieldname": field,
        "oldvalue": before,
        "newvalue": after,
        "user": who,
        "sys_created_on": f"2026-03-02 {hour:02d}:00:00",
    }


def read(folder: Path, **tables: list[dict[str, object]]) -> Desk:
    for kind, rows in {"sys_user": USERS, "sys_user_group": GROUPS, **tables}.items():
        (folder / f"{kind}.json").write_text(json.dumps({"result": rows}), encoding="utf-8")
    return servicenow.read(folder, data_end=END)


def contact(desk: Desk) -> dict[str, object]:
    return desk.contacts.row(0, named=True)


def log(file: Path, *rows: list[str], header: list[str] = LOG) -> Path:
    with file.open("w", newline="", encoding="utf-8") as stream:
        csv.writer(stream).writerows([header, *rows])
    return file


NEW = [
    "INC1",
    "New",
    "0",
    "0",
    "true",
    "Caller 2403",
    "29-02-2016 01:16",
    "29-02-2016 01:23",
    "Phone",
    "Category 55",
    "Subcategory 170",
    "?",
    "?",
    "?",
    "?",
]
DONE = ["INC1", "Closed", "1", "0", "false", "Caller 2403", "29-02-2016 01:16", "05-03-2016 12:00", "Phone", "Category 55", "Subcategory 170",
        "Group 56", "Resolver 12", "29-02-2016 11:29", "05-03-2016 12:00"]  # fmt: skip


def test_a_value_is_read_in_utc_though_a_display_value_beside_it_shows_the_zone_of_its_user(tmp_path):
    both = incident(
        opened_at={"display_value": "02.03.2026 09:00:00", "value": "2026-03-02 08:00:00"},
        state={"display_value": "On Hold", "value": "3"},
        incident_state={"display_value": "On Hold", "value": "3"},
        caller_id={"display_value": "Jolanta Wiśniewska", **reference("sys_user", ASKER)},
    )
    one = contact(read(tmp_path, incident=[both]))
    assert (one["opened_at"], one["customer_ref"], one["status"]) == (datetime(2026, 3, 2, 8, tzinfo=UTC), ASKER, "hold")


def test_the_rows_of_the_public_log_may_stand_in_any_order(tmp_path):
    forth = servicenow.read(log(tmp_path / "forth.csv", NEW, DONE), data_end=END, time_zone="UTC")
    back = servicenow.read(log(tmp_path / "back.csv", DONE, NEW), data_end=END, time_zone="UTC")
    assert forth.contacts.equals(back.contacts)
    assert forth.events.equals(back.events)


def test_a_change_of_the_group_that_an_incident_was_opened_with_is_a_transfer(tmp_path):
    found = read(
        tmp_path,
        incident=[incident(state="6", resolved_at="2026-03-02 10:00:00")],
        sys_audit=[audit("assignment_group", FIRST, SECOND, 9), audit("assigned_to", ANN, BOB, 9), audit("state", "2", "6", 10)],
    )
    moved = found.events.row(by_predicate=pl.col("group_to") == "Network", named=True)
    assert (moved["kind"], moved["group_from"], moved["agent_from"]) == ("transfer", "Service Desk", ANN)
    assert (contact(found)["first_group"], contact(found)["first_agent"]) == ("Service Desk", ANN)


def test_an_incident_says_itself_whether_its_promise_was_kept_where_no_task_sla_does(tmp_path):
    assert contact(read(tmp_path, incident=[incident(made_sla="false")]))["vendor_sla_met"] is False


def test_the_public_log_says_whether_the_promise_was_kept(tmp_path):
    found = servicenow.read(log(tmp_path / "log.csv", NEW, DONE), data_end=END, time_zone="UTC")
    assert contact(found)["vendor_sla_met"] is False


def test_a_virtual_agent_is_a_chat_by_its_value_as_by_its_label(tmp_path):
    assert contact(read(tmp_path, incident=[incident(contact_type="virtual_agent")]))["channel"] == "chat"


def test_comments_in_the_audit_are_messages_where_there_is_no_journal(tmp_path):
    found = read(tmp_path, incident=[incident()], sys_audit=[audit("comments", "", "Any news?", 9, "jo"), audit("work_notes", "", "looked", 10)])
    assert found.events.select("kind", "public").rows() == [("message", True), ("note", False)]


def test_an_incident_that_waits_for_its_caller_is_pending_with_a_history_as_without(tmp_path):
    waiting = incident(state="3", incident_state="3", hold_reason="1")
    assert contact(read(tmp_path, incident=[waiting], sys_audit=[audit("state", "1", "3", 9)]))["status"] == "pending"


def test_a_csv_of_display_values_with_its_sys_id_needs_a_zone_or_says_that_it_was_taken_for_utc(tmp_path):
    rows = [
        ["number", "sys_id", "caller_id", "state", "opened_at"],
        ["INC1", f"{1:032x}", "Jolanta Wiśniewska", "In Progress", "2026-03-02 09:00:00"],
    ]
    with (tmp_path / "incident.csv").open("w", newline="", encoding="utf-8") as stream:
        csv.writer(stream).writerows(rows)
    try:
        found = servicenow.read(tmp_path, data_end=END)
    except DataError:
        return
    assert any("zone" in note for note in found.manifest.notes)


def test_a_log_needs_a_zone_or_says_that_it_was_taken_for_utc(tmp_path):
    try:
        found = servicenow.read(log(tmp_path / "log.csv", NEW, DONE), data_end=END)
    except DataError:
        return
    assert any("zone" in note for note in found.manifest.notes)


def test_the_names_of_known_users_leave_the_text(tmp_path):
    body = contact(read(tmp_path, incident=[incident(description="Nneka Okafor promised Jolanta Wiśniewska a call")]))["body"]
    assert "Okafor" not in body
    assert "Wiśniewska" not in body


def test_spans_of_a_metric_that_only_its_id_names_are_read_or_told(tmp_path):
    definition, values = (
        reference("metric_definition", f"{0xF1:032x}"),
        (("1", "New", 8, 9), ("2", "In Progress", 9, 10), ("6", "Resolved", 10, None)),
    )
    spans = [
        {
            "sys_id": f"{number:032x}", "definition": definition, "id": f"{1:032x}", "field_value": code, "value": word, "calculation_complete": "true",
            "start": f"2026-03-02 {start:02d}:00:00", "end": f"2026-03-02 {end:02d}:00:00" if end else "",
        }
        for number, (code, word, start, end) in enumerate(values)
    ]  # fmt: skip
    found = read(tmp_path, incident=[incident(state="6", incident_state="6", resolved_at="2026-03-02 10:00:00")], metric_instance=spans)
    assert found.events.height or any("metric_definition" in note for note in found.manifest.notes)
