"""What does Salesforce send that nobody here wrote?"""

import csv
import io
import json
import zipfile
from datetime import UTC, datetime
from pathlib import Path

import polars as pl
import pytest

from fcrlib.intake import salesforce
from fcrlib.model.desk import Desk
from fcrlib.model.errors import DataError

END = datetime(2026, 4, 30, tzinfo=UTC)
CASE, ANN, BOB, ASKER = "5003z00002AbCaa", "0053z00000Annnn", "0053z00000Bobbb", "0033z00002JoDoe"
FIRST, SECOND = "00G3z00000TIER1", "00G3z00000TIER2"
USERS = [{"Id": ANN, "Name": "Nneka Okafor", "UserType": "Standard"}, {"Id": BOB, "Name": "Bodil Quist", "UserType": "Standard"}]
QUEUES = [{"Id": FIRST, "Name": "Tier one", "Type": "Queue"}, {"Id": SECOND, "Name": "Tier two", "Type": "Queue"}]
PEOPLE = [{"Id": ASKER, "Name": "Jolanta Wiśniewska", "Email": "jo@example.org"}]


def case(number: int = 1, **more: object) -> dict[str, object]:
    return {
        "Id": CASE if number == 1 else f"5003z{number:010d}",
        "CaseNumber": f"{number:08d}",
        "ContactId": ASKER,
        "Origin": "Email",
        "Status": "New",
        "IsClosed": False,
        "IsDeleted": False,
        "CreatedDate": "2026-03-02T08:00:00.000+0000",
        "ClosedDate": None,
        **more,
    }


def turn(field: str, before: object, after: object, hour: int, *, of: str = CASE, who: str = ANN) -> dict[str, object]:
    moment = f"2026-03-02T{hour:02d}:00:00.000+0000"
    return {"CaseId": of, "Field": field, "OldValue": before, "NewValue": after, "CreatedById": who, "CreatedDate": moment}


def read(folder: Path, **tables: list[dict[str, object]]) -> Desk:
    for kind, rows in {"User": USERS, "Group": QUEUES, "Contact": PEOPLE, **tables}.items():
        told = [{"attributes": {"type": kind}, **row} for row in rows]
        (folder / f"{kind}.json").write_text(json.dumps({"totalSize": len(rows), "done": True, "records": told}), encoding="utf-8")
    return salesforce.read(folder, data_end=END)


def exported(rows: list[dict[str, object]]) -> str:
    """Rows as the weekly export writes them: 1 and 0, times with a Z."""
    words = {True: "1", False: "0", None: ""}
    told = [{name: words.get(value, str(value).replace("+0000", "Z")) for name, value in row.items()} for row in rows]
    stream = io.StringIO()
    sheet = csv.DictWriter(stream, list(told[0]), quoting=csv.QUOTE_ALL)
    sheet.writeheader()
    sheet.writerows(told)
    return stream.getvalue()


def test_two_ids_of_fifteen_letters_that_differ_in_case_alone_are_two_cases(tmp_path):
    other = CASE.replace("aa", "AA")
    found = read(tmp_path, Case=[case(), case(2, Id=other)], CaseHistory=[turn("Status", "New", "Closed", 9, of=other)])
    resolved = dict(found.contacts.select("contact_id", "first_resolved_at").rows())
    assert resolved == {"00000001": None, "00000002": datetime(2026, 3, 2, 9, tzinfo=UTC)}


def test_the_zip_of_the_weekly_export_reads_as_the_pages_of_a_query_do(tmp_path):
    tables = {
        "Case": [case(Status="Closed", IsClosed=True, ClosedDate="2026-03-02T10:00:00.000+0000"), case(2, IsDeleted=True)],
        "CaseHistory": [turn("Status", "New", "Closed", 10)],
    }
    (tmp_path / "api").mkdir()
    api = read(tmp_path / "api", **tables)
    with zipfile.ZipFile(tmp_path / "WE_00D.zip", "w") as archive:
        for kind, rows in {"User": USERS, "Group": QUEUES, "Contact": PEOPLE, **tables}.items():
            archive.writestr(f"{kind}.csv", exported(rows))
    weekly = salesforce.read(tmp_path / "WE_00D.zip", data_end=END)
    assert weekly.contacts.equals(api.contacts)
    assert weekly.events.equals(api.events)


def test_a_case_that_leaves_the_queue_it_came_into_for_another_is_transferred(tmp_path):
    steps = [turn("Owner", FIRST, ANN, 9), turn("Owner", ANN, SECOND, 10), turn("Owner", SECOND, BOB, 11), turn("Status", "New", "Closed", 12)]
    found = read(tmp_path, Case=[case(OwnerId=BOB)], CaseHistory=steps)
    moved = found.events.filter(pl.col("kind") == "transfer").select("group_from", "group_to").rows()
    assert moved == [("Tier one", "Tier two")]
    assert found.contacts["first_group"].to_list() == ["Tier one"]


def test_an_escalation_rule_that_gives_a_case_to_another_queue_escalates_it(tmp_path):
    found = read(tmp_path, Case=[case(OwnerId=SECOND, IsEscalated=True)], CaseHistory=[turn("ownerEscalated", FIRST, SECOND, 9)])
    assert "escalation" in found.events["kind"].to_list()


def test_an_own_word_for_a_status_in_the_history_is_refused_with_what_to_do(tmp_path):
    with pytest.raises(DataError, match="CaseStatus"):
        read(
            tmp_path, Case=[case(Status="Working")], CaseHistory=[turn("Status", "New", "In Prüfung", 9), turn("Status", "In Prüfung", "Working", 10)]
        )


def test_a_header_that_stands_again_between_the_rows_is_passed_over(tmp_path):
    text = exported([case(), case(2)]).splitlines()
    (tmp_path / "Case.csv").write_text("\n".join([text[0], text[1], text[0], text[2]]), encoding="utf-8")
    assert salesforce.read(tmp_path, data_end=END).contacts.height == 2


def test_numbers_of_cases_that_a_spreadsheet_made_decimals_of_are_refused(tmp_path):
    (tmp_path / "Case.csv").write_text(exported([case(CaseNumber="1001.0"), case(2, CaseNumber="1002.0")]), encoding="utf-8")
    try:
        found = salesforce.read(tmp_path, data_end=END)
    except DataError:
        return
    assert found.contacts["contact_id"].to_list() == ["1001", "1002"]


def test_one_case_that_was_opened_at_two_times_shows_that_two_desks_are_mixed(tmp_path):
    (tmp_path / "Case_other.json").write_text(
        json.dumps({"totalSize": 1, "done": True, "records": [case(CreatedDate="2026-03-09T08:00:00.000+0000", Subject="Something else")]}),
        encoding="utf-8",
    )
    with pytest.raises(DataError, match="mixed"):
        read(tmp_path, Case=[case()])


def test_who_opened_a_case_of_nobody_without_an_origin_is_not_known(tmp_path):
    assert read(tmp_path, Case=[case(ContactId=None, Origin=None)]).contacts["initiated_by"].to_list() == ["unknown"]


def test_the_names_of_known_users_and_contacts_leave_the_text(tmp_path):
    body = read(tmp_path, Case=[case(Description="Nneka Okafor promised Jolanta Wiśniewska a call")]).contacts["body"][0]
    assert "Okafor" not in body
    assert "Wiśniewska" not in body
