"""What does each system promise about a contact, when was it due, and does it say that it kept it?"""

import importlib
import json
from datetime import UTC, datetime
from pathlib import Path

import polars as pl
import pytest

from fcrlib.intake import csv
from fcrlib.intake.tables.guess import guess

END = datetime(2026, 4, 1, tzinfo=UTC)


def at(hour: int, *, day: int = 1) -> str:
    return f"2026-03-{day:02d}T{hour:02d}:00:00Z"


def utc(hour: int, *, day: int = 1) -> datetime:
    return datetime(2026, 3, day, hour, tzinfo=UTC)


def read(system: str, folder: Path, **files: object) -> dict[str, object]:
    """The first contact of an export."""
    for name, content in files.items():
        (folder / f"{name}.json").write_text(json.dumps(content), encoding="utf-8")
    return importlib.import_module(f"fcrlib.intake.{system}").read(folder, data_end=END).contacts.row(0, named=True)


def verdict(found: dict[str, object]) -> tuple[object, object]:
    return found["due_at"], found["vendor_sla_met"]


# Zendesk


def zendesk(folder: Path, *events: dict[str, object], status: str = "solved", **more: object) -> tuple[object, object]:
    ticket = {"id": 1, "created_at": at(8), "status": status, "requester_id": 10, "via": {"channel": "email"}, "tags": [], **more}
    shared = {"ticket_id": 1, "metric": "resolution_time", "instance_id": 1, "deleted": False}
    numbered = [{**shared, "id": number, **event} for number, event in enumerate(events)]
    return verdict(read("zendesk", folder, tickets={"tickets": [ticket]}, ticket_metric_events={"ticket_metric_events": numbered}))


def run(kind: str, hour: int, **more: object) -> dict[str, object]:
    return {"type": kind, "time": at(hour), **more}


def target(hour: int, minutes: int, *, business: bool = False, **more: object) -> dict[str, object]:
    return run("apply_sla", hour, sla={"target": minutes, "business_hours": business, "policy": {"id": 1}}, **more)


def test_a_target_by_the_clock_runs_from_the_activation_of_its_instance(tmp_path):
    assert zendesk(tmp_path, run("activate", 8), target(9, 240), run("fulfill", 11)) == (utc(12), True)


def test_seconds_of_a_target_go_before_its_minutes(tmp_path):
    exact = run("apply_sla", 8, sla={"target": 1, "target_in_seconds": 7200, "business_hours": False})
    assert zendesk(tmp_path, run("activate", 8), exact, run("fulfill", 9)) == (utc(10), True)


def test_the_last_policy_counts(tmp_path):
    assert zendesk(tmp_path, run("activate", 8), target(8, 600), target(9, 120), run("fulfill", 9)) == (utc(10), True)


def test_a_breach_tells_the_due_time_even_of_business_hours(tmp_path):
    assert zendesk(tmp_path, run("activate", 8), target(8, 60, business=True), run("breach", 13), run("fulfill", 15)) == (utc(13), False)


def test_business_hours_without_a_breach_tell_no_due_time(tmp_path):
    assert zendesk(tmp_path, run("activate", 8), target(8, 60, business=True), run("fulfill", 15)) == (None, True)


def test_a_deleted_event_never_happened(tmp_path):
    events = [run("activate", 8), target(8, 240), run("breach", 9, deleted=True), target(8, 1, deleted=True), run("fulfill", 11)]
    assert zendesk(tmp_path, *events) == (utc(12), True)


def test_while_the_clock_stands_the_due_time_moves(tmp_path):
    waits = {"metric": "requester_wait_time"}
    turns = [run("activate", 8), target(8, 120), run("pause", 9), run("activate", 12), run("fulfill", 13)]
    assert zendesk(tmp_path, *({**one, **waits} for one in turns)) == (utc(13), True)
    assert zendesk(tmp_path, *({**one, **waits} for one in turns[:3]), status="open") == (None, None)


def test_what_runs_on_an_open_ticket_is_not_kept_yet_and_on_a_solved_one_nothing_runs(tmp_path):
    assert zendesk(tmp_path, run("activate", 8), target(8, 240), status="open") == (utc(12), None)
    assert zendesk(tmp_path, run("activate", 8), target(8, 240)) == (utc(12), True)


def test_the_time_to_the_resolution_goes_before_the_time_of_waiting(tmp_path):
    work = {"metric": "agent_work_time"}
    events = [run("activate", 8, **work), target(8, 60, **work), run("activate", 8), target(8, 240), run("breach", 9, metric="group_ownership_time")]
    assert zendesk(tmp_path, *events) == (utc(12), True)


def test_an_answer_that_came_late_breaks_a_promise_but_is_no_due_time(tmp_path):
    assert zendesk(tmp_path, target(8, 60, metric="reply_time"), run("breach", 9, metric="reply_time")) == (None, False)


def test_a_task_says_itself_when_it_is_due(tmp_path):
    assert zendesk(tmp_path, type="task", due_at=at(17)) == (utc(17), None)
    assert zendesk(tmp_path, run("activate", 8), target(8, 240), type="task", due_at=at(17)) == (utc(12), True)


def test_events_before_the_export_began_leave_the_breach(tmp_path):
    assert zendesk(tmp_path, run("breach", 13)) == (utc(13), False)


# Freshdesk


def freshdesk(folder: Path, *, status: int = 4, **more: object) -> tuple[object, object]:
    ticket = {"id": 1, "created_at": at(8), "status": status, "source": 1, "requester_id": 10, "tags": [], "due_by": at(12), **more}
    return verdict(read("freshdesk", folder, tickets=[ticket]))


def test_freshdesk_marks_what_is_late_and_an_open_ticket_may_still_be_in_time(tmp_path):
    assert freshdesk(tmp_path, is_escalated=False, fr_escalated=False) == (utc(12), True)
    assert freshdesk(tmp_path, is_escalated=False, fr_escalated=True, status=2) == (utc(12), False)
    assert freshdesk(tmp_path, is_escalated=False, fr_escalated=False, status=2) == (utc(12), None)
    assert freshdesk(tmp_path) == (utc(12), None)


@pytest.mark.parametrize(
    ("solution", "answer", "status", "met"),
    [
        ("Within SLA", "Within SLA", "Closed", True),
        ("Within SLA", "SLA Violated", "Closed", False),
        ("SLA Violated", "", "Open", False),
        ("Within SLA", "", "Closed", True),
        ("", "Within SLA", "Open", None),
        ("", "", "Closed", None),
    ],
)
def test_the_table_of_freshdesk_writes_verdicts_in_words(tmp_path, solution, answer, status, met):
    header = "Ticket ID,Subject,Status,Priority,Source,Created time,Due by Time,Resolution status,First response status,Agent interactions,Contact ID"
    row = f"7,Help,{status},Low,Email,2026-03-01 08:00,2026-03-01 12:00,{solution},{answer},2,10"
    (tmp_path / "tickets.csv").write_text(f"{header}\n{row}\n", encoding="utf-8")
    found = importlib.import_module("fcrlib.intake.freshdesk").read(tmp_path, data_end=END, time_zone="UTC").contacts.row(0, named=True)
    assert verdict(found) == (utc(12), met)


# ServiceNow


def servicenow(folder: Path, *promises: dict[str, object], state: str = "6", agreements: object = (), **more: object) -> tuple[object, object]:
    incident = {
        "sys_id": "1" * 32, "number": "INC0000001", "opened_at": "2026-03-01 08:00:00", "incident_state": state, "resolved_at": "", "reopen_count": "0",
        **more,
    }  # fmt: skip
    rows = [{"sys_id": f"{number:032d}", "task": {"value": "1" * 32}, **one} for number, one in enumerate(promises)]
    return verdict(read("servicenow", folder, incident={"result": [incident]}, task_sla={"result": rows}, contract_sla={"result": list(agreements)}))


def agreed(end: int, *, stage: str = "completed", late: str = "false", **more: object) -> dict[str, object]:
    return {"planned_end_time": f"2026-03-01 {end:02d}:00:00", "stage": stage, "has_breached": late, **more}


def test_of_several_promises_about_the_resolution_the_latest_counts_that_was_not_cancelled(tmp_path):
    goals = [{"sys_id": "r" * 32, "name": "P1", "target": "resolution"}, {"sys_id": "a" * 32, "name": "P1 quick", "target": "response"}]
    rows = [
        agreed(11, sla={"value": "r" * 32}), agreed(12, sla={"value": "r" * 32}), agreed(20, sla={"value": "r" * 32}, stage="cancelled", late="true"),
        agreed(19, sla={"value": "a" * 32}),
    ]  # fmt: skip
    assert servicenow(tmp_path, *rows, agreements=goals) == (utc(12), True)


def test_the_name_of_a_promise_tells_what_it_is_about_where_its_definition_is_missing(tmp_path):
    rows = [agreed(12, sla={"display_value": "Priority 1 resolution (4 hour)"}), agreed(19, sla={"display_value": "Priority 1 response"})]
    assert servicenow(tmp_path, *rows) == (utc(12), True)
    assert servicenow(tmp_path, agreed(12, sla={"display_value": "Gold"})) == (utc(12), True)
    assert servicenow(tmp_path, agreed(12, sla={"display_value": "Response"}, late="true")) == (None, False)


def test_a_paused_promise_of_an_open_incident_is_not_kept_yet(tmp_path):
    assert servicenow(tmp_path, agreed(12, stage="paused"), state="2") == (utc(12), None)
    assert servicenow(tmp_path, agreed(12, stage="In progress", late="true"), state="2") == (utc(12), False)
    assert servicenow(tmp_path, agreed(12, stage="cancelled"), state="2") == (None, None)


def test_without_promises_the_incident_says_whether_they_were_kept(tmp_path):
    assert servicenow(tmp_path, made_sla="false") == (None, False)
    assert servicenow(tmp_path, made_sla="true") == (None, True)
    assert servicenow(tmp_path, made_sla="true", state="2") == (None, None)
    assert servicenow(tmp_path, agreed(12), made_sla="false") == (utc(12), True)


def test_the_audit_log_says_in_its_newest_row_whether_an_incident_kept_its_promises(tmp_path):
    rows = ["number,incident_state,made_sla,opened_at,sys_updated_at,resolved_at"]
    for number, state, made in (("INC1", "Resolved", "true"), ("INC2", "Resolved", "false"), ("INC3", "Active", "true"), ("INC4", "Active", "false")):
        rows += [f"{number},New,true,2026-03-01 08:00,2026-03-01 08:00,", f"{number},{state},{made},2026-03-01 08:00,2026-03-01 12:00,"]
    (tmp_path / "log.csv").write_text("\n".join([*rows, ""]), encoding="utf-8")
    found = importlib.import_module("fcrlib.intake.servicenow").read(tmp_path, data_end=END)
    assert found.contacts.sort("contact_id")["vendor_sla_met"].to_list() == [True, False, None, False]


# Salesforce


def salesforce(folder: Path, *milestones: dict[str, object], status: str = "Closed", types: object = ()) -> tuple[object, object]:
    case = {
        "Id": "5005g0000000001AAA",
        "CaseNumber": "00000001",
        "CreatedDate": at(8),
        "Status": status,
        "IsClosed": status == "Closed",
        "Origin": "Web",
    }
    rows = [{"Id": f"5555g{number:010d}", "CaseId": "5005g0000000001", "IsViolated": False, **one} for number, one in enumerate(milestones)]
    return verdict(read("salesforce", folder, Case=[case], CaseMilestone=rows, MilestoneType=list(types)))


def test_the_milestone_of_the_resolution_tells_when_a_case_was_due(tmp_path):
    kinds = [{"Id": "5575g0000000001AAA", "Name": "First Response"}, {"Id": "5575g0000000002AAA", "Name": "Resolution Time"}]
    rows = [{"MilestoneTypeId": "5575g0000000001", "TargetDate": at(20)}, {"MilestoneTypeId": "5575g0000000002AAA", "TargetDate": at(12)}]
    assert salesforce(tmp_path, *rows, types=kinds) == (utc(12), True)
    inside = [{"MilestoneType": {"Name": "First Response"}, "TargetDate": at(20)}, {"MilestoneType": {"Name": "Close case"}, "TargetDate": at(12)}]
    assert salesforce(tmp_path, *inside) == (utc(12), True)


def test_of_milestones_without_a_name_the_latest_counts(tmp_path):
    assert salesforce(tmp_path, {"TargetDate": at(9)}, {"TargetDate": at(12), "IsViolated": True}) == (utc(12), False)
    assert salesforce(tmp_path, {"TargetDate": at(9)}, {"TargetDate": at(12), "IsDeleted": True, "IsViolated": True}) == (utc(9), True)


def test_a_milestone_of_an_open_case_is_not_kept_before_it_is_completed(tmp_path):
    assert salesforce(tmp_path, {"TargetDate": at(12)}, status="New") == (utc(12), None)
    assert salesforce(tmp_path, {"TargetDate": at(12), "CompletionDate": at(11)}, status="New") == (utc(12), True)


# Jira


def jira(folder: Path, *done: dict[str, object], running: dict[str, object] | None = None, stage: str = "done", name: str = "Time to resolution") -> tuple[object, object]:  # fmt: skip
    fields = {
        "created": at(8), "updated": at(20), "summary": "It fails", "status": {"id": "5", "name": "X", "statusCategory": {"key": stage}}, "labels": [],
        "customfield_1": {"id": "1", "name": name, "completedCycles": list(done), "ongoingCycle": running},
    }  # fmt: skip
    return verdict(read("jira", folder, issues={"issues": [{"id": "10001", "key": "SUP-1", "fields": fields}]}))


def cycle(start: int, stop: int | None = None, due: object = None, *, late: bool = False, **more: object) -> dict[str, object]:
    ends = {"stopTime": {"iso8601": at(stop)}} if stop else {}
    return {"startTime": {"iso8601": at(start)}, **ends, **({"breachTime": due} if due else {}), "breached": late, **more}


def millis(hours: int) -> dict[str, int]:
    return {"millis": hours * 3_600_000}


def test_the_last_cycle_of_the_time_to_resolution_tells_when_it_was_due(tmp_path):
    first, second = cycle(8, 9, {"iso8601": at(10)}), cycle(12, 13, {"epochMillis": int(utc(16).timestamp() * 1000)})
    assert jira(tmp_path, first, second) == (utc(16), True)
    assert jira(tmp_path, first, running=cycle(14, None, {"iso8601": at(18)}), stage="indeterminate") == (utc(18), None)
    assert jira(tmp_path, first, second, name="Time to first response") == (None, True)


def test_a_cycle_that_was_broken_breaks_the_promise_whether_or_not_it_goes_on(tmp_path):
    assert jira(tmp_path, cycle(8, 9, late=True), cycle(12, 13)) == (None, False)
    assert jira(tmp_path, running=cycle(8, late=True, paused=True), stage="indeterminate") == (None, False)
    assert jira(tmp_path, running=cycle(8, paused=True), stage="indeterminate") == (None, None)


def test_the_goal_of_a_cycle_tells_where_all_hours_were_counted(tmp_path):
    assert jira(tmp_path, cycle(8, 10, goalDuration=millis(4), elapsedTime=millis(2))) == (utc(12), True)
    assert jira(tmp_path, cycle(8, 10, goalDuration=millis(4), elapsedTime=millis(1))) == (None, True)


# HubSpot


def hubspot(folder: Path, *, stage: str = "4", **more: object) -> tuple[object, object]:
    properties = {"createdate": at(8), "hs_pipeline": "0", "hs_pipeline_stage": stage, "hs_time_to_close_sla_at": at(12), **more}
    return verdict(read("hubspot", folder, tickets={"results": [{"id": "1", "properties": properties, "archived": False}]}))


@pytest.mark.parametrize(
    ("closed", "answered", "stage", "met"),
    [
        ("3", "3", "4", True), ("3", "4", "4", False), ("4", None, "4", False), ("1", "3", "1", False), ("0", "3", "1", None), ("2", None, "1", None),
        ("SLA completed on time", None, "4", True), ("SLA completed late", None, "4", False), ("COMPLETED_ON_TIME", "OVERDUE", "4", False),
        ("Active SLA", None, "1", None), ("MET", None, "4", True), ("BREACHED", None, "4", False), (None, "3", "4", True), (None, None, "4", None),
    ],
)  # fmt: skip
def test_hubspot_numbers_what_became_of_a_promise(tmp_path, closed, answered, stage, met):
    found = hubspot(tmp_path, stage=stage, hs_time_to_close_sla_status=closed, hs_time_to_first_response_sla_status=answered)
    assert found == (utc(12), met)


# Plain tables


def test_a_plain_table_may_say_when_a_contact_is_due_and_that_may_lie_after_the_data_end(tmp_path):
    rows = [f"{number},2026-03-{number:02d}T08:00:00Z,open,2026-05-{number:02d}T08:00:00Z" for number in range(1, 9)]
    file = tmp_path / "tickets.csv"
    file.write_text("\n".join(["Ticket ID,Created at,Status,SLA due", *rows, ""]), encoding="utf-8")
    assert guess(file).chosen()["due_at"].column == "SLA due"
    found = csv.read(file, data_end=END)
    assert found.contacts["due_at"].to_list() == [datetime(2026, 5, day, 8, tzinfo=UTC) for day in range(1, 9)]
    assert found.contacts["status"].unique().to_list() == ["open"]


# The invented desk


def test_an_invented_desk_keeps_some_promises_breaks_others_and_promises_nothing_about_calls():
    from fcrlib.intake.demo import invent
    from fcrlib.intake.demo.dialects import promises

    desk = invent(seed=4, contacts=300)
    contacts = promises.promised(desk.contacts, data_end=desk.manifest.data_end)
    phone = pl.col("channel") == "phone"
    assert contacts.filter(phone)["due_at"].count() == 0
    assert contacts.filter(~phone)["due_at"].null_count() == 0
    assert contacts["vendor_sla_met"].value_counts().filter(pl.col("count") > 20)["vendor_sla_met"].sort(nulls_last=True).to_list() == [
        False,
        True,
        None,
    ]
    late = contacts.filter(pl.col("first_resolved_at") > pl.col("due_at"))["vendor_sla_met"]
    assert late.to_list() == [False] * late.len()
