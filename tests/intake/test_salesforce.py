"""What does a Salesforce export say?"""

import json
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fcrlib.intake import salesforce
from fcrlib.model.desk import Desk
from fcrlib.model.errors import DataError, UsageError

END = datetime(2026, 4, 1, tzinfo=UTC)
CASE, OTHER = "5005g0000000001", "5005g0000000002"
ANN, BOB, ASKER, PORTAL = "0055g0000000001", "0055g0000000002", "0035g0000000007", "0055g0000000099"
FIRST, SECOND = "00G5g0000000001", "00G5g0000000002"
USERS = [
    {"Id": f"{ANN}AAA", "Name": "Ann A", "UserType": "Standard"},
    {"Id": f"{BOB}AAA", "Name": "Bob B", "UserType": "Standard"},
    {"Id": f"{PORTAL}AAA", "Name": "Jo Doe", "UserType": "CspLitePortal", "ContactId": f"{ASKER}AAA"},
    {"Id": "0055g0000000090AAA", "Name": "Automated Process", "UserType": "AutomatedProcess"},
]
QUEUES = [{"Id": f"{FIRST}AAA", "Name": "First line", "Type": "Queue"}, {"Id": f"{SECOND}AAA", "Name": "Billing", "Type": "Queue"}]


def case(number: int = 1, **more: object) -> dict[str, object]:
    return {
        "Id": f"5005g{number:010d}AAA",
        "CaseNumber": f"{number:08d}",
        "CreatedDate": "2026-03-01T08:00:00.000+0000",
        "Status": "New",
        "IsClosed": False,
        "Origin": "Web",
        "ContactId": f"{ASKER}AAA",
        **more,
    }


def turn(field: str, before: object, after: object, hour: int, who: str = ANN) -> dict[str, object]:
    return {
        "CaseId": CASE,
        "Field": field,
        "OldValue": before,
        "NewValue": after,
        "CreatedById": who,
        "CreatedDate": f"2026-03-01T{hour:02d}:00:00.000Z",
    }


def write(folder: Path, **files: list[dict[str, object]]) -> Path:
    for kind, rows in {"User": USERS, "Group": QUEUES, **files}.items():
        told = [{"attributes": {"type": kind, "url": "/x"}, **row} for row in rows]
        (folder / f"{kind}.json").write_text(json.dumps({"totalSize": len(rows), "done": True, "records": told}), encoding="utf-8")
    return folder


def read(folder: Path, **files: list[dict[str, object]]) -> Desk:
    return salesforce.read(write(folder, **files), data_end=END)


def contact(desk: Desk, number: str = "00000001") -> dict[str, object]:
    return desk.contacts.row(by_predicate=pl.col("contact_id") == number, named=True)


def test_cases_alone_are_a_desk_and_say_that_the_last_closing_is_all_they_know(tmp_path):
    found = read(
        tmp_path, Case=[case(Status="Closed", IsClosed=True, ClosedDate="2026-03-02T08:00:00.000+0000", OwnerId=f"{ANN}AAA", Type="Billing")]
    )
    one = contact(found)
    assert (one["first_resolved_at"], one["closed_at"]) == (datetime(2026, 3, 2, 8, tzinfo=UTC), datetime(2026, 3, 2, 8, tzinfo=UTC))
    assert (one["resolver_agent"], one["resolved_by"], one["customer_ref"], one["category"], one["channel"]) == (
        ANN,
        "human",
        ASKER,
        "Billing",
        "web",
    )
    assert any("ClosedDate is their last closing" in note for note in found.manifest.notes)
    assert not found.manifest.has("has_events")


def test_every_change_of_the_owner_stands_twice_and_counts_once(tmp_path):
    history = [
        turn("created", None, None, 8, PORTAL),
        turn("Owner", "Ann A", "First line", 9), turn("Owner", ANN, FIRST, 9),
        turn("Owner", "First line", "Ann A", 10), turn("Owner", FIRST, f"{ANN}AAA", 10),
        turn("Owner", "Ann A", "Billing", 11), turn("Owner", ANN, SECOND, 11),
        turn("ownerAccepted", "Billing", "Bob B", 12), turn("ownerAccepted", SECOND, BOB, 12),
    ]  # fmt: skip
    found = read(tmp_path, Case=[case()], CaseHistory=history)
    assert found.events.select("kind", "group_to", "agent_to").rows() == [
        ("assignment", "First line", None),
        ("assignment", "First line", ANN),
        ("transfer", "Billing", None),
        ("assignment", "Billing", BOB),
    ]


def test_a_history_with_names_alone_is_read_by_them(tmp_path):
    found = read(tmp_path, Case=[case()], CaseHistory=[turn("Owner", "Ann A", "First line", 9), turn("Owner", "First line", "Bob B", 10)])
    assert found.events.select("group_to", "agent_to").rows() == [("First line", None), ("First line", BOB)]


def test_an_id_of_15_characters_is_the_same_as_one_of_18(tmp_path):
    comments = [
        {"ParentId": parent, "CommentBody": text, "IsPublished": True, "CreatedById": ANN, "CreatedDate": "2026-03-01T09:00:00.000Z"}
        for parent, text in ((CASE, "short"), (f"{CASE}AAA", "long"), ("5005g000000000x", "another's"))
    ]
    found = read(tmp_path, Case=[case(), case(Id=CASE, LastModifiedDate="2026-03-05T00:00:00.000+0000", Status="Working")], CaseComment=comments)
    assert found.events["text"].to_list() == ["short", "long"]
    assert (found.contacts.height, contact(found)["status"]) == (1, "open")


def test_who_spoke_is_told_by_the_mail_the_portal_and_what_was_published(tmp_path):
    def comment(text: str, hour: int, who: str, *, public: bool) -> dict[str, object]:
        at = f"2026-03-01T{hour:02d}:00:00.000Z"
        return {"ParentId": CASE, "CommentBody": text, "IsPublished": public, "CreatedById": who, "CreatedDate": at}

    emails = [
        {"ParentId": CASE, "Incoming": True, "TextBody": "Help me", "Status": "2", "MessageDate": "2026-03-01T08:00:00.000Z"},
        {"ParentId": CASE, "Incoming": False, "TextBody": "We have it", "Status": "3", "CreatedById": USERS[3]["Id"], "MessageDate": "2026-03-01T08:01:00.000Z"},
        {"ParentId": CASE, "Incoming": False, "TextBody": "Half an answer", "Status": "5", "CreatedById": ANN, "MessageDate": "2026-03-01T08:30:00.000Z"},
    ]  # fmt: skip
    comments = [
        comment("Looked at it", 9, ANN, public=False),
        comment("Done", 10, ANN, public=True),
        comment("Thanks a lot!", 11, PORTAL, public=True),
    ]
    found = read(tmp_path, Case=[case(Origin="Email")], EmailMessage=emails, CaseComment=comments)
    assert found.events.select("kind", "actor", "actor_id", "is_auto", "is_ack").rows() == [
        ("message", "customer", ASKER, False, False),
        ("message", "system", None, True, None),
        ("note", "agent", ANN, False, None),
        ("message", "agent", ANN, False, None),
        ("message", "customer", ASKER, False, True),
    ]
    assert contact(found)["initiated_by"] == "customer"


def test_a_mail_that_the_company_sent_first_was_begun_by_it(tmp_path):
    mail = {
        "ParentId": CASE,
        "Incoming": False,
        "TextBody": "Your contract ends",
        "Status": "3",
        "CreatedById": ANN,
        "MessageDate": "2026-03-01T08:00:00.000Z",
    }
    assert contact(read(tmp_path, Case=[case(Origin="Email")], EmailMessage=[mail]))["initiated_by"] == "company"


def test_the_org_says_which_of_its_statuses_are_closed(tmp_path):
    statuses = [{"MasterLabel": "Sorted", "ApiName": "Sorted", "IsClosed": True}, {"MasterLabel": "Parked", "ApiName": "Parked", "IsClosed": False}]
    history = [turn("Status", "New", "Parked", 9), turn("Status", "Parked", "Sorted", 10), turn("Status", "Sorted", "Working", 11)]
    found = read(tmp_path, Case=[case(Status="Working")], CaseStatus=statuses, CaseHistory=history)
    assert found.events["status_to"].to_list() == ["open", "closed", "open"]
    assert contact(found)["first_resolved_at"] == datetime(2026, 3, 1, 10, tzinfo=UTC)
    assert contact(found)["closed_at"] is None


def test_a_status_that_nobody_explains_stops_the_reading(tmp_path):
    with pytest.raises(DataError, match=r"status: words without a meaning: 'Mystery' \(1\)"):
        read(tmp_path, Case=[case()], CaseHistory=[turn("Status", "New", "Mystery", 9)])


def test_a_merged_case_is_not_a_deleted_one(tmp_path):
    some = [case(), case(2, MasterRecordId=f"{CASE}AAA", IsDeleted=True), case(3, IsDeleted=True), case(4, ParentId=CASE)]
    found = read(tmp_path, Case=some)
    assert found.contacts.select("merged_into", "is_deleted", "parent_id").rows() == [
        (None, False, None), ("00000001", False, None), (None, True, None), (None, False, "00000001"),
    ]  # fmt: skip


def test_without_a_contact_the_address_that_was_given_is_the_customer(tmp_path):
    some = [case(ContactId=None, SuppliedEmail="Jo@Example.org"), case(2, ContactId=None, SuppliedPhone="+43 660 1234567"), case(3, ContactId=None)]
    found = read(tmp_path, Case=some)
    assert found.contacts["customer_ref"].is_not_null().to_list() == [True, True, False]
    assert sorted(found.identifiers["kind"]) == ["email", "phone"]


def test_a_broken_milestone_is_a_promise_not_kept_and_a_case_closed_when_made_is_one_touch(tmp_path):
    milestones = [{"CaseId": CASE, "IsViolated": False}, {"CaseId": CASE, "IsViolated": True}, {"CaseId": OTHER, "IsViolated": False}]
    found = read(tmp_path, Case=[case(), case(2, IsClosedOnCreate=True), case(3)], CaseMilestone=milestones)
    assert found.contacts["vendor_sla_met"].to_list() == [False, True, None]
    assert found.contacts["vendor_one_touch"].to_list() == [None, True, None]


def test_what_stands_inside_a_case_is_read_once_though_it_stands_beside_it_too(tmp_path):
    row = turn("Status", "New", "Closed", 9)
    inner = {key: value for key, value in row.items() if key != "CaseId"}
    found = read(tmp_path, Case=[case(Histories={"totalSize": 1, "done": True, "records": [inner]})], CaseHistory=[row])
    assert found.events["status_to"].to_list() == ["closed"]


def test_a_report_is_local_time_without_a_zone(tmp_path):
    rows = 'Case Number,Date/Time Opened,Date/Time Closed,Status,Case Origin,Case Owner,Contact Name\n00001001,"3/25/2026, 9:30 AM","3/31/2026, 10:00 AM",Closed,Phone,Ann A,Jo Doe\n'
    (tmp_path / "report1.csv").write_text(rows, encoding="utf-8")
    with pytest.raises(DataError, match="zone"):
        salesforce.read(tmp_path, data_end=END)
    found = contact(salesforce.read(tmp_path, data_end=END, time_zone="Europe/Vienna"), "00001001")
    # Clocks went forward between the two.
    assert (found["opened_at"], found["closed_at"]) == (datetime(2026, 3, 25, 8, 30, tzinfo=UTC), datetime(2026, 3, 31, 8, tzinfo=UTC))
    assert (found["channel"], found["status"], found["resolver_agent"] is None) == ("phone", "closed", False)


def test_whom_a_report_shows_is_known_by_address_and_number(tmp_path):
    rows = [
        "Case Number,Opened Date,Status,Contact Name,Contact Email,Contact Phone",
        "1,2026-03-25 09:30,New,Jo Doe,Jo@example.org,+43 660 1234567",
        "2,2026-03-25 09:30,New,Jo Doe,other@example.org,",
    ]
    (tmp_path / "report1.csv").write_text("\n".join(rows), encoding="utf-8")
    found = salesforce.read(tmp_path, data_end=END, time_zone="UTC")
    assert found.contacts["customer_ref"].n_unique() == 2
    assert found.identifiers["kind"].cast(pl.String).sort().to_list() == ["email", "email", "phone"]


def test_a_rule_that_escalates_and_gives_to_a_queue_does_one_thing(tmp_path):
    history = [
        turn("IsEscalated", "false", "true", 9), turn("ownerEscalated", "First line", "Billing", 9), turn("ownerEscalated", FIRST, SECOND, 9),
        turn("IsEscalated", "false", "true", 12),
    ]  # fmt: skip
    found = read(tmp_path, Case=[case()], CaseHistory=history)
    assert found.events.select("kind", "group_from", "group_to").rows() == [("escalation", "First line", "Billing"), ("escalation", None, None)]


def test_own_fields_and_machines_are_used(tmp_path):
    comment = {"ParentId": CASE, "CommentBody": "We have it", "IsPublished": True, "CreatedById": BOB, "CreatedDate": "2026-03-01T09:00:00.000Z"}
    found = salesforce.read(
        write(tmp_path, Case=[case(Topic__c="Payroll")], CaseComment=[comment]), data_end=END, fields={"category": "Topic__c"}, bots=["Bob B"]
    )
    assert (contact(found)["category"], found.events["actor"].cast(pl.String).to_list()) == ("Payroll", ["bot"])


def test_tables_of_a_warehouse_are_read_by_their_names(tmp_path):
    (tmp_path / "case.csv").write_text(
        f"id,case_number,created_date,status,is_closed,contact_id,_fivetran_deleted\n{CASE}AAA,00000001,2026-03-01T08:00:00Z,New,FALSE,{ASKER}AAA,FALSE\n", encoding="utf-8"
    )  # fmt: skip
    (tmp_path / "case_history.csv").write_text(
        f"id,case_id,field,old_value,new_value,created_by_id,created_date\n1,{CASE}AAA,Status,New,Closed,{ANN}AAA,2026-03-01T09:00:00Z\n",
        encoding="utf-8",
    )
    found = salesforce.read(tmp_path, data_end=END)
    assert (contact(found)["customer_ref"], found.events["status_to"].to_list()) == (ASKER, ["closed"])


def test_the_data_end_is_asked_for(tmp_path):
    with pytest.raises(UsageError, match="--data-end is needed"):
        salesforce.read(write(tmp_path, Case=[case()]))


@pytest.mark.parametrize("kind", ["Case", "CaseHistory"])
def test_a_missing_page_is_missed_though_another_kind_is_whole(tmp_path, kind):
    write(tmp_path, Case=[case()], CaseHistory=[turn("Status", "New", "Closed", 9)])
    page = json.loads((tmp_path / f"{kind}.json").read_text())
    (tmp_path / f"{kind}.json").write_text(
        json.dumps({**page, "totalSize": 4000, "done": False, "nextRecordsUrl": "/services/data/v60.0/query/01g-2000"})
    )
    with pytest.raises(DataError, match="the last page is missing") as refused:
        salesforce.read(tmp_path, data_end=END)
    assert "counts 4,000 records, but 1 are there" in str(refused.value)
    assert refused.value.exit_code == 3


def test_cases_of_which_none_has_an_opening_time_are_refused(tmp_path):
    with pytest.raises(DataError, match="none of 1 contacts has an opening time"):
        read(tmp_path, Case=[case(CreatedDate="")])


def test_unknown_fields_are_listed_and_another_system_is_named(tmp_path):
    found = read(tmp_path, Case=[case(Mood__c="blue")])
    assert "cases: fields not used: Mood__c" in found.manifest.notes
    other = tmp_path / "other"
    other.mkdir()
    (other / "export.json").write_text(json.dumps({"results": [{"id": "1", "properties": {}, "archived": False}]}))
    with pytest.raises(DataError, match="it looks like hubspot"):
        salesforce.read(other, data_end=END)


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_whatever_stands_in_a_field_it_is_read_or_refused_in_words(tmp_path, data):
    odd = st.one_of(st.none(), st.booleans(), st.integers(), st.text(max_size=6), st.lists(st.integers(), max_size=2), st.just({"a": 1}))
    one = case(**{data.draw(st.sampled_from(sorted(case()))): data.draw(odd)})
    row = {
        **turn("Status", "New", "Closed", 9),
        data.draw(st.sampled_from(["CaseId", "Field", "OldValue", "NewValue", "CreatedDate"])): data.draw(odd),
    }
    with suppress(DataError):
        assert read(tmp_path, Case=[one], CaseHistory=[row]).contacts.height == 1
