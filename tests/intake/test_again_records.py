"""What do ServiceNow, Salesforce, Jira and HubSpot send that no test held before?"""

import json
import zipfile
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fcrlib.intake import hubspot, jira, salesforce, servicenow
from fcrlib.intake.servicenow.which import is_log
from fcrlib.model.desk import Desk
from fcrlib.model.errors import DataError

END = datetime(2026, 4, 30, tzinfo=UTC)
READERS = {"servicenow": servicenow, "salesforce": salesforce, "jira": jira, "hubspot": hubspot}
TICKET, ANN, JO = (digit * 32 for digit in "1ac")


def laid(folder: Path, files: dict[str, object]) -> Path:
    for name, content in files.items():
        data = content if isinstance(content, bytes) else (content if isinstance(content, str) else json.dumps(content)).encode()
        (folder / name).write_bytes(data)
    return folder


def read(system: str, folder: Path, files: dict[str, object], **asked: object) -> Desk:
    return READERS[system].read(laid(folder, files), data_end=END, **asked)


def only(desk: Desk) -> dict[str, object]:
    assert desk.contacts.height == 1
    return desk.contacts.row(0, named=True)


def utc(day: int, hour: int = 0, minute: int = 0) -> datetime:
    return datetime(2026, 3, day, hour, minute, tzinfo=UTC)


INCIDENT = {
    "number": "INC0000001", "sys_id": TICKET, "opened_at": "2026-03-02 08:00:00", "caller_id": JO, "state": "6", "contact_type": "email",
    "resolved_at": "2026-03-02 12:00:00", "assignment_group": "b" * 32, "assigned_to": ANN, "__status": "success",
}  # fmt: skip
LISTED = (
    "sys_id,number,opened_at,caller_id,state,assignment_group,assigned_to,resolved_at,contact_type,made_sla,time_worked\n"
    f"{TICKET},INC0000001,2026-03-02 08:00:00,Jo Doe,Resolved,Service Desk,Ann A,2026-03-02 12:00:00,Email,true,1 Hour 5 Minutes\n"
)
STAFF = f"sys_id,user_name,name,email,roles\n{ANN},ann,Ann A,ann@acme.example,itil\n{JO},jo,Jo Doe,jo@example.org,\n"
LOG = "number,opened_at,incident_state,sys_updated_on,assignment_group\n"
STEPS = "INC1,2026-03-02 08:00,New,2026-03-02 08:00,First\nINC1,2026-03-02 08:00,Resolved,2026-03-02 12:00,First\n"


def test_the_json_that_a_list_of_incidents_exports_is_read(tmp_path):
    found = only(read("servicenow", tmp_path, {"incident.json": {"records": [INCIDENT]}}))
    assert (found["contact_id"], found["status"], found["customer_ref"], found["first_resolved_at"]) == ("INC0000001", "solved", JO, utc(2, 12))


def test_an_answer_that_the_instance_broke_off_is_refused(tmp_path):
    error = {"message": "Transaction cancelled: maximum execution time exceeded"}
    with pytest.raises(DataError, match=r"incident\.json: the instance broke off this answer after 1 records .*maximum execution time"):
        read("servicenow", tmp_path, {"incident.json": {"result": [INCIDENT], "error": error, "status": "failure"}})


def test_a_promise_that_a_screen_shows_by_the_number_of_its_incident_is_broken(tmp_path):
    promise = "task,sla,stage,has_breached,planned_end_time\nINC0000001,Priority 1 resolution (1 hour),Completed,true,2026-03-02 11:00:00\n"
    found = only(read("servicenow", tmp_path, {"incident.csv": LISTED, "task_sla.csv": promise}, time_zone="UTC"))
    assert (found["vendor_sla_met"], found["due_at"]) == (False, utc(2, 11))


def test_the_headings_of_a_screen_name_what_was_promised(tmp_path):
    promise = "Task,SLA definition,Stage,Has breached,Breach time\nINC0000001,First response,Completed,false,2026-03-02 09:00:00\n"
    found = only(read("servicenow", tmp_path, {"incident.csv": LISTED, "task_sla.csv": promise}, time_zone="UTC"))
    assert (found["vendor_sla_met"], found["due_at"]) == (True, None)


def test_spans_that_a_screen_shows_by_words_tell_the_history(tmp_path):
    state, holder = "Incident: INC0000001,Incident State Duration", "Incident: INC0000001,Incident Assigned to Duration"
    rows = [f"{state},New,2026-03-02 08:00:00", f"{state},Resolved,2026-03-02 12:00:00", f"{holder},Ann A,2026-03-02 09:00:00"]
    spans = "\n".join(["id,definition,value,start", *rows, ""])
    desk = read("servicenow", tmp_path, {"incident.csv": LISTED, "metric_instance.csv": spans, "sys_user.csv": STAFF}, time_zone="UTC")
    assert desk.events.select("kind", "at", "agent_to", "status_to").rows() == [
        ("assignment", utc(2, 9), ANN, None),
        ("status", utc(2, 12), None, "solved"),
    ]


def test_whom_a_screen_shows_by_name_is_the_user_of_that_name(tmp_path):
    desk = read("servicenow", tmp_path, {"incident.csv": LISTED, "sys_user.csv": STAFF}, time_zone="UTC")
    found = only(desk)
    assert (found["customer_ref"], found["resolver_agent"], desk.agents["agent_id"].to_list()) == (JO, ANN, [ANN])
    assert set(desk.identifiers["customer_ref"]) == {JO}


def test_a_name_that_two_users_share_is_nobody_of_them(tmp_path):
    twin = f"{STAFF}{'d' * 32},jo2,Jo Doe,jo2@example.org,\n"
    desk = read("servicenow", tmp_path, {"incident.csv": LISTED, "sys_user.csv": twin}, time_zone="UTC")
    assert only(desk)["customer_ref"] not in (JO, "d" * 32)


def test_time_worked_in_words_is_time(tmp_path):
    assert only(read("servicenow", tmp_path, {"incident.csv": LISTED}, time_zone="UTC"))["handle_seconds"] == 3_900


@pytest.mark.parametrize("text", [LOG + STEPS, "sep=;\n" + (LOG + STEPS).replace(",", ";"), "\ufeff" + LOG + STEPS, LOG + STEPS[:-1]])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
def test_a_log_is_one_whose_incidents_stand_on_several_rows(tmp_path, text, encoding):
    file = tmp_path / "log.csv"
    file.write_bytes(text.lstrip("\ufeff").encode(encoding) if encoding == "utf-16" else text.encode())
    assert is_log(file)
    assert servicenow.read(file, data_end=END).events.filter(kind="status").height == 2


def test_a_log_is_told_from_a_list_by_its_head_however_long_it_is(tmp_path):
    once = "".join(f"INC{number},2026-03-02 08:00,New,2026-03-02 08:00,First\n" for number in range(10, 9_999))
    (tmp_path / "list.csv").write_text(LOG + once)
    (tmp_path / "log.csv").write_text(LOG + STEPS + once + 'INC7,"a quote that never closes\n')
    assert (is_log(tmp_path / "list.csv"), is_log(tmp_path / "log.csv")) == (False, True)


def test_a_parquet_file_is_told_by_its_first_rows(tmp_path):
    for name, rows in {"log": STEPS, "list": STEPS.partition("\n")[0]}.items():
        pl.read_csv((LOG + rows).encode()).write_parquet(tmp_path / f"{name}.parquet")
    assert (is_log(tmp_path / "log.parquet"), is_log(tmp_path / "list.parquet")) == (True, False)


def test_a_list_that_only_the_reader_of_logs_can_open_is_refused(tmp_path):
    (tmp_path / "list.txt").write_text(LOG + STEPS.splitlines()[0] + "\n" + STEPS.splitlines()[1].replace("INC1", "INC2"))
    with pytest.raises(DataError, match="is a list of incidents as they are now"):
        servicenow.read(tmp_path / "list.txt", data_end=END)


CASE, OWNER, ASKER = "5005g0000000001AAA", "0055g0000000001AAA", "0035g0000000007AAA"


def case(**more: object) -> dict[str, object]:
    known = {"Id": CASE, "CaseNumber": "00001001", "CreatedDate": "2026-03-01T08:00:00.000+0000", "Status": "New", "IsClosed": False, "Origin": "Web"}
    return {"attributes": {"type": "Case"}, **known, "ContactId": ASKER, "OwnerId": OWNER, **more}


def mail(number: int, hour: int, **more: object) -> dict[str, object]:
    at = f"2026-03-01T{hour:02d}:00:00.000+0000"
    return {"attributes": {"type": "EmailMessage"}, "Id": f"02s{number}", "ParentId": CASE, "MessageDate": at, "TextBody": "Help", **more}


def query(*records: dict[str, object]) -> dict[str, object]:
    return {"totalSize": len(records), "done": True, "records": list(records)}


def test_what_was_deleted_was_not_said(tmp_path):
    note = {"attributes": {"type": "CaseComment"}, "Id": "00a1", "ParentId": CASE, "CommentBody": "x", "CreatedDate": "2026-03-01T10:00:00.000+0000"}
    mails = query(mail(1, 8, Incoming=True), mail(2, 9, Incoming=True, IsDeleted=True))
    desk = read(
        "salesforce", tmp_path, {"Case.json": query(case()), "EmailMessage.json": mails, "CaseComment.json": query({**note, "IsDeleted": True})}
    )
    assert desk.events["at"].to_list() == [utc(1, 8)]
    assert [(one.count, one.why) for one in desk.manifest.dropped] == [(2, "they were deleted")]


@pytest.mark.parametrize("owner", ["Case Owner", "Owner.Name"])
def test_an_owner_whom_a_table_names_is_the_user_of_that_name(tmp_path, owner):
    table = f"Case Number,Date/Time Opened,Date/Time Closed,{owner},Status,Case Origin\n1001,2026-03-01 08:00,2026-03-02 08:00,Ann A,Closed,Web\n"
    desk = read("salesforce", tmp_path, {"report.csv": table, "User.csv": f"Id,Name,UserType\n{OWNER},Ann A,Standard\n"}, time_zone="UTC")
    assert only(desk)["resolver_agent"] == OWNER[:15]
    assert desk.agents["agent_id"].to_list() == [OWNER[:15]]


def test_what_stands_below_a_report_is_no_case(tmp_path):
    report = (
        '"Case Number","Contact Name","Date/Time Opened","Case Owner","Case Origin","Status"\n'
        '"00001001","Jo Doe","3/15/2026, 8:00 AM","Ann A","Phone","Closed"\n\n\n"Cases with owners"\n'
        '"Copyright (c) 2000-2026 salesforce.com, inc. All rights reserved."\n"Generated By:  Ann A  3/31/2026, 9:00 AM"\n'
    )
    desk = read("salesforce", tmp_path, {"report1.csv": report}, time_zone="America/New_York")
    assert (only(desk)["contact_id"], only(desk)["opened_at"]) == ("00001001", utc(15, 12))
    assert [(one.what, one.count, one.why) for one in desk.manifest.dropped] == [("contacts", 3, "without an opening time")]


def issue(**fields: object) -> dict[str, object]:
    done = {"id": "5", "name": "Done", "statusCategory": {"key": "done"}}
    asker = {"accountId": "c1", "accountType": "customer", "displayName": "Jo"}
    known = {"created": "2026-03-01T08:00:00.000+0000", "status": done, "reporter": asker, "priority": {"name": "High"}, "labels": []}
    return {"id": "10001", "key": "SUP-1", "fields": {**known, **fields}}


SEARCHED = (
    "Issue key,Issue id,Status,Status Category,Priority,Reporter,Reporter Id,Created,Resolved,Custom field ({}),Custom field (Organizations),"
    "Custom field (Contact reason)\nSUP-1,10001,Resolved,Done,High,Jo,c1,01/Mar/26 8:00 AM,02/Mar/26 8:00 AM,Get help,Acme,Billing\n"
)


@pytest.mark.parametrize("name", ["Request Type", "Customer Request Type"])
def test_the_custom_fields_of_a_table_of_issues_are_read(tmp_path, name):
    found = only(read("jira", tmp_path, {"jira.csv": SEARCHED.format(name)}, time_zone="UTC"))
    assert (found["category"], found["account_ref"], found["first_resolved_at"]) == ("Get help", "Acme", utc(2, 8))


def test_a_custom_field_of_a_table_of_issues_may_be_asked_for(tmp_path):
    desk = read("jira", tmp_path, {"jira.csv": SEARCHED.format("Request Type")}, time_zone="UTC", fields={"category": "Contact reason"})
    assert only(desk)["category"] == "Billing"
    assert not any("Contact reason" in note for note in desk.manifest.notes)


OURS = {name: f"own {name}" for name in ("category", "subcategory", "product_area", "priority", "tier", "account_ref", "close_reason")}


@pytest.mark.parametrize("system", READERS)
def test_a_field_that_is_asked_for_goes_before_the_usual_one(tmp_path, system):
    named = {f"customfield_{number}": name for number, name in enumerate(OURS.values())}
    values = {name: f"their {ours}" for ours, name in OURS.items()}
    usual = {"created": "2026-03-01T08:00:00Z", "hs_pipeline": "0", "hs_pipeline_stage": "4", "hs_ticket_priority": "LOW", "hs_ticket_category": "x"}
    files = {
        "servicenow": {"incident.json": {"result": [{**INCIDENT, "company": "x", "cmdb_ci": "x", "priority": "1", "close_code": "x", **values}]}},
        "salesforce": {"Case.json": query(case(AccountId="x", Type="x", Reason="x", Priority="x", **values))},
        "jira": {"issues.json": {"names": named, "issues": [issue(components=[{"name": "x"}], **{field: values[name] for field, name in named.items()})]}},
        "hubspot": {"tickets.json": {"results": [{"id": "1", "properties": {**usual, "createdate": utc(1).isoformat(), **values}}]}},
    }  # fmt: skip
    found = only(read(system, tmp_path, files[system], fields=OURS))
    assert {ours: found[ours] for ours in OURS} == {ours: f"their {ours}" for ours in OURS}


def ticket(number: str = "1", **more: object) -> dict[str, object]:
    known = {"createdate": "2026-03-01T08:00:00Z", "hs_pipeline": "0", "hs_pipeline_stage": "4", "closed_date": "2026-03-02T08:00:00Z", **more}
    return {"id": number, "properties": known}


@pytest.mark.parametrize("name", ["ticket_contacts", "tickets_to_contacts", "associations_ticket_contact", "ticket-contacts_1"])
@pytest.mark.parametrize("ends", [[{"toObjectId": 10, "associationTypes": []}], [{"id": "10", "type": "ticket_to_contact"}]])
def test_associations_that_were_read_in_a_batch_say_who_asked(tmp_path, name, ends):
    people = {"results": [{"id": "10", "properties": {"email": "jo@example.org"}}]}
    linked = {"status": "COMPLETE", "results": [{"from": {"id": "1"}, "to": ends}]}
    desk = read("hubspot", tmp_path, {"tickets.json": {"results": [ticket()]}, f"{name}.json": linked, "contacts.json": people})
    assert (only(desk)["customer_ref"], desk.identifiers["customer_ref"].to_list()) == ("10", ["10"])


def test_associations_with_companies_are_no_associations_with_contacts(tmp_path):
    linked = {"results": [{"from": {"id": "1"}, "to": [{"toObjectId": 77}]}]}
    found = only(read("hubspot", tmp_path, {"tickets.json": {"results": [ticket()]}, "ticket_companies.json": linked}))
    assert (found["customer_ref"], found["account_ref"]) == (None, "77")


def test_a_batch_that_could_not_give_everything_says_so(tmp_path):
    page = {"results": [ticket()], "numErrors": 2, "errors": [{"message": "Could not get some TICKET objects"}]}
    notes = read("hubspot", tmp_path, {"tickets.json": page}).manifest.notes
    assert "tickets.json: HubSpot could not give 2 of the records that were asked for: Could not get some TICKET objects" in notes


def test_an_owner_whom_the_screen_names_is_the_owner_of_that_name(tmp_path):
    table = (
        "Record ID,Pipeline,Ticket status,Create date,Close date,Ticket owner\n1,Support,Closed (Support),2026-03-01 08:00,2026-03-02 08:00,Ann A\n"
    )
    owners = {"results": [{"id": "20", "firstName": "Ann", "lastName": "A"}]}
    desk = read("hubspot", tmp_path, {"hubspot-crm-exports-all-tickets.csv": table, "owners.json": owners}, time_zone="UTC")
    assert (only(desk)["resolver_agent"], desk.agents["agent_id"].to_list()) == ("20", ["20"])


def test_an_engagement_that_was_deleted_was_not_said_and_html_is_text(tmp_path):
    def sent(number: int, **more: object) -> dict[str, object]:
        own = {"hs_timestamp": utc(1, number).isoformat(), "hs_email_direction": "EMAIL", "hs_email_html": "<p>It is <b>done</b></p>"}
        return {"id": f"e{number}", "properties": own, "associations": {"tickets": {"results": [{"id": "1"}]}}, **more}

    desk = read("hubspot", tmp_path, {"tickets.json": {"results": [ticket()]}, "emails.json": {"results": [sent(9), sent(10, archived=True)]}})
    assert desk.events.select("at", "text").rows() == [(utc(1, 9), "It is done")]
    assert ("emails", 1, "archived in HubSpot") in [(one.what, one.count, one.why) for one in desk.manifest.dropped]


@pytest.mark.parametrize("none", [[], [None], [{}], {}, None])
def test_a_field_that_holds_nothing_is_no_organisation(tmp_path, none):
    page = {"names": {"customfield_2": "Organizations"}, "issues": [issue(customfield_2=none)]}
    desk = read("jira", tmp_path, {"issues.json": page})
    assert (only(desk)["account_ref"], desk.identifiers.height) == (None, 0)


def test_a_file_beside_a_log_that_holds_no_audit_rows_is_passed_over(tmp_path):
    laid(tmp_path, {"log.csv": LOG.replace("updated_on", "updated_at") + STEPS, "made.json": {"rows": 2}})
    assert servicenow.read(tmp_path, data_end=END).contacts.height == 1


def test_an_archive_in_an_archive_says_so(tmp_path):
    with zipfile.ZipFile(tmp_path / "inner.zip", "w") as inner:
        inner.writestr("incident.json", json.dumps({"result": [INCIDENT]}))
    with zipfile.ZipFile(tmp_path / "outer.zip", "w") as outer:
        outer.write(tmp_path / "inner.zip", "inner.zip")
    with pytest.raises(DataError, match="is an archive inside an archive"):
        servicenow.read(tmp_path / "outer.zip", data_end=END)


def test_an_issue_that_was_exported_without_its_number_keeps_its_history(tmp_path):
    item = {"field": "status", "from": "3", "fromString": "In Progress", "to": "5", "toString": "Done"}
    turned = {"id": "h1", "created": "2026-03-01T09:00:00.000+0000", "items": [item]}
    page = {"names": {"customfield_1": "Request Type"}, "issues": [{**issue(customfield_1="Get help"), "changelog": {"histories": [turned]}}]}
    del page["issues"][0]["id"]
    stages = [{"id": "3", "name": "In Progress", "statusCategory": {"key": "indeterminate"}}]
    found = only(read("jira", tmp_path, {"issues.json": page, "statuses.json": stages}))
    assert (found["first_resolved_at"], found["category"]) == (utc(1, 9), "Get help")


def test_worklogs_that_say_no_time_are_no_time_that_is_known(tmp_path):
    page = {"issues": [issue(worklog={"worklogs": [{"timeSpent": "1h"}]})]}
    assert only(read("jira", tmp_path, {"issues.json": page}))["handle_seconds"] is None


def test_a_record_of_another_object_is_no_case(tmp_path):
    account = {"Id": "0015g0000000001AAA", "Name": "Acme", "CreatedDate": "2026-03-01T08:00:00.000+0000", "Status": "Active"}
    with pytest.raises(DataError, match=r"1 of 2 records are no cases, whose ids begin with 500, e\.g\. '0015g0000000001' \(Case\.json:2\)"):
        read("salesforce", tmp_path, {"Case.json": query(case(), account)})


@pytest.mark.parametrize(("dates", "opened"), [("day first", utc(2, 8)), ("month first", datetime(2026, 2, 3, 8, tzinfo=UTC))])
def test_what_was_said_of_the_order_of_day_and_month_holds_for_every_time(tmp_path, dates, opened):
    table = "Issue key,Issue id,Status,Status Category,Reporter Id,Created,Comment\nSUP-1,1,Open,To Do,c1,02/03/26 08:00,02/03/26 08:05;c1;Hello\n"
    desk = read("jira", tmp_path, {"jira.csv": table}, time_zone="UTC", dates=dates)
    assert (only(desk)["opened_at"], desk.events["at"].to_list()) == (opened, [opened.replace(minute=5)])


def test_what_was_said_of_the_order_of_day_and_month_holds_for_every_move_and_answer(tmp_path):
    table = "Record ID,Pipeline,Ticket status,Create date\n1,0,1,02/03/2026 08:00\n"
    moves = "ticket_id,name,value,timestamp\n1,hs_pipeline_stage,4,02/03/2026 09:00\n"
    rated = "id,hs_ticket_id,hs_survey_type,hs_survey_id,hs_value,hs_submission_timestamp\n1,1,CSAT,1,2,02/03/2026 10:00\n"
    files = {"tickets.csv": table, "property_history.csv": moves, "feedback_submissions.csv": rated}
    desk = read("hubspot", tmp_path, files, time_zone="UTC", dates="day first")
    assert (desk.events["at"].to_list(), desk.surveys["answered_at"].to_list()) == ([utc(2, 9)], [utc(2, 10)])


def test_where_the_plain_text_is_empty_the_page_is_read(tmp_path):
    table = f"Id,ParentId,Incoming,TextBody,HtmlBody,MessageDate\n02s1,{CASE},true,,<p>It is <b>broken</b></p>,2026-03-01T08:00:00.000Z\n"
    desk = read("salesforce", tmp_path, {"Case.json": query(case()), "EmailMessage.csv": table})
    assert desk.events["text"].to_list() == ["It is broken"]


def test_where_the_plain_text_of_a_message_is_empty_the_page_is_read(tmp_path):
    thread = {"id": "9", "threadAssociations": {"associatedTicketId": "1"}}
    said = {"id": "m", "conversationsThreadId": "9", "createdAt": "2026-03-01T08:00:00Z", "type": "MESSAGE", "text": "", "richText": "<p>Broken</p>"}
    files = {"tickets": ticket(), "threads": thread, "messages": said}
    desk = read("hubspot", tmp_path, {f"{name}.json": {"results": [one]} for name, one in files.items()})
    assert desk.events["text"].to_list() == ["Broken"]


LEAVES = st.none() | st.booleans() | st.integers(-1, 10**13) | st.floats() | st.text(max_size=5) | st.sampled_from(["2026-02-30", "1e5", "[", "{}"])
JUNK = st.recursive(LEAVES, lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=3), inner, max_size=2), max_leaves=3)
HISTORY = {"histories": [{"id": "h", "created": "2026-03-01T09:00:00.000+0000", "items": [{"field": "status", "to": "5", "toString": "Done"}]}]}
MOVED = {"hs_pipeline_stage": [{"value": "4", "timestamp": "2026-03-02T08:00:00Z", "sourceType": "CRM_UI"}]}
TWO = {
    "servicenow": ("incident", "result", INCIDENT, {**INCIDENT, "number": "INC0000002", "sys_id": "2" * 32}),
    "salesforce": ("Case", "records", case(), case(Id="5005g0000000002AAA", CaseNumber="00001002")),
    "jira": ("issues", "issues", {**issue(), "changelog": HISTORY}, {**issue(), "id": "10002", "key": "SUP-2"}),
    "hubspot": ("tickets", "results", {**ticket(), "propertiesWithHistory": MOVED}, ticket("2")),
}


def mangled(record: object, draw: st.DrawFn) -> object:
    """The record with something else at one place, or without it."""
    if not isinstance(record, dict | list) or not record or draw(st.integers(0, 4)) == 0:
        return draw(JUNK)
    places = sorted(record) if isinstance(record, dict) else range(len(record))
    place = draw(st.sampled_from(places))
    other = record.copy()
    if draw(st.integers(0, 4)):
        other[place] = mangled(record[place], draw)
    else:
        del other[place]
    return other


@settings(max_examples=6, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
@pytest.mark.parametrize("system", READERS)
def test_a_record_that_is_mangled_somewhere_is_refused_or_leaves_the_others_as_they_are(tmp_path, system, data):
    name, around, first, second = TWO[system]
    whole = READERS[system].read(laid(tmp_path, {f"{name}.json": {around: [first, second]}}), data_end=END)
    with suppress(DataError):
        desk = read(system, tmp_path, {f"{name}.json": {around: [mangled(first, data.draw), second]}})
        kept = whole.contacts["contact_id"][1]
        assert desk.contacts.filter(contact_id=kept).equals(whole.contacts.filter(contact_id=kept))


@pytest.mark.parametrize("count", [1e300, "1e300"])
def test_a_count_that_no_number_holds_is_not_known(tmp_path, count):
    (tmp_path / "hubspot").mkdir()
    (tmp_path / "servicenow").mkdir()
    tickets = {"results": [ticket(hs_num_times_contacted=count)]}
    assert only(read("hubspot", tmp_path / "hubspot", {"tickets.json": tickets}))["vendor_replies"] is None
    incident = {**INCIDENT, "reopen_count": count, "reassignment_count": count}
    found = only(read("servicenow", tmp_path / "servicenow", {"incident.json": {"result": [incident]}}))
    assert (found["vendor_reopens"], found["vendor_stations"]) == (None, None)


@pytest.mark.parametrize("millis", [1e300, 10**25, 10**17, "x"])
def test_a_goal_or_a_rating_that_no_number_holds_stops_nothing_else(tmp_path, millis):
    cycle = {"startTime": {"epochMillis": 1772352000000}, "stopTime": {"epochMillis": 1772355600000}, "elapsedTime": {"millis": 3_600_000}}
    promise = {"name": "Time to resolution", "completedCycles": [{**cycle, "breached": False, "goalDuration": {"millis": millis}}]}
    page = {"names": {"customfield_1": "Time to resolution"}, "issues": [issue(customfield_1=promise)]}
    with suppress(DataError):
        assert only(read("jira", tmp_path, {"issues.json": page}))["due_at"] is None
    rated = {"names": {"customfield_3": "Satisfaction"}, "issues": [issue(customfield_3={"rating": millis})]}
    with pytest.raises(DataError, match="rating"):
        read("jira", tmp_path, {"issues.json": rated})
