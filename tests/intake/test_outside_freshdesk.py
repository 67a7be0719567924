"""Is a Freshdesk or Freshservice export read as somebody would write it who knows only what Freshdesk says about it?"""

import json
from datetime import UTC, datetime
from pathlib import Path

import polars as pl
import pytest

from fcrlib.intake import freshdesk
from fcrlib.model.desk import Desk
from fcrlib.model.errors import DataError

END = datetime(2026, 4, 1, tzinfo=UTC)
HEADER = (
    "Ticket ID,Subject,Status,Priority,Source,Type,Agent,Group,Created time,Resolved time,Closed time,Last update time,Initial response time,Time tracked,"
    "First response time (in hrs),Resolution time (in hrs),Agent interactions,Resolution status,First response status,Tags,Survey results,Email,Contact ID"
)
SERVICE = (
    "Ticket Id,Subject,Status,Priority,Source,Type,Requester Name,Requester Email,Created Time,Resolved Time,Closed Time,First Response Time (in Hrs),"
    "Resolution Time (in Hrs),Agent,Group,Category,Sub-Category,Others,Others"
)
SERVED = (
    "INC-1,S,Closed,Low,Email,Incident,Jo Doe,jo@example.org,2026-03-21 10:00:00,2026-03-21 12:00:00,2026-03-22 10:00:00,00:15:00,00:20:00,Ann,Desk,"
    "Hardware,Laptop,a,b"
)


def at(day: int, hour: int = 10) -> str:
    return f"2026-03-{day:02d}T{hour:02d}:00:00Z"


def moment(day: int, hour: int = 10) -> datetime:
    return datetime(2026, 3, day, hour, tzinfo=UTC)


def ticket(number: int, status: int = 4, source: int = 1, **more: object) -> dict[str, object]:
    asked = {"id": 10, "name": "Jo Doe", "email": "jo@example.org", "phone": None, "mobile": "+14155550123"}
    return {
        "id": number,
        "subject": "S",
        "description_text": "Help",
        "status": status,
        "priority": 2,
        "source": source,
        "type": "Question",
        "group_id": 5,
        "responder_id": 20,
        "requester_id": 10,
        "tags": [],
        "custom_fields": {},
        "created_at": at(4),
        "updated_at": at(4),
        "requester": asked,
        **more,
    }


def said(number: int, hour: int, user: int | None, text: str, **more: object) -> dict[str, object]:
    line = {"incoming": user == 10, "private": False, "source": 0, "automation_id": None, "auto_response": False}
    return {"id": number, "ticket_id": 1, "user_id": user, "body_text": text, "created_at": at(4, hour), **line, **more}


def read(folder: Path, **lists: list[dict[str, object]]) -> Desk:
    for name, rows in {"agents": [{"id": 20, "contact": {"name": "Ann Agent"}, "group_ids": [5]}], **lists}.items():
        (folder / f"{name}.json").write_text(json.dumps(rows), encoding="utf-8")
    return freshdesk.read(folder, data_end=END)


def row(number: int, agent: str = "Ann", subject: str = "S") -> str:
    times = "2026-03-21 10:00:00,2026-03-21 12:00:00,2026-03-22 10:00:00,2026-03-22 10:00:00,2026-03-21 11:00:00,00:30:00,00:15:00,00:20:00"
    return f"{number},{subject},Closed,High,Email,Question,{agent},First line,{times},2,Within SLA,SLA Violated,,Extremely Happy,jo@example.org,900"


def table(folder: Path, *rows: bytes | str) -> Desk:
    (folder / "export.csv").write_bytes(b"\r\n".join([*(one.encode() if isinstance(one, str) else one for one in rows), b""]))
    return freshdesk.read(folder, data_end=END, time_zone="UTC")


def contact(desk: Desk, number: str = "1") -> dict[str, object]:
    return desk.contacts.row(by_predicate=pl.col("contact_id") == number, named=True)


def test_a_header_that_comes_again_in_the_middle_is_no_ticket(tmp_path):
    assert table(tmp_path, HEADER, row(1), HEADER, row(2)).contacts["contact_id"].to_list() == ["1", "2"]


def test_no_agent_is_nobody(tmp_path):
    found = table(tmp_path, HEADER, row(1, agent="No Agent"))
    assert (found.agents.height, contact(found)["resolver_agent"]) == (0, None)


def test_a_sub_category_of_freshservice_is_the_second_level(tmp_path):
    assert contact(table(tmp_path, SERVICE, SERVED), "INC-1")["subcategory"] == "Laptop"


def test_what_an_automation_sent_is_no_answer_of_the_agent(tmp_path):
    lines = [said(1, 11, 20, "we got your ticket", automation_id=77), said(2, 12, 20, "a real answer")]
    found = read(tmp_path, tickets=[ticket(1)], conversations=lines).events.filter(pl.col("text").is_in(["we got your ticket", "a real answer"]))
    assert found["is_auto"].to_list() == [True, False]


def test_a_status_without_a_meaning_is_named_by_file_and_row(tmp_path):
    rows = [ticket(1), ticket(2, status="wobbly"), ticket(3)]
    (tmp_path / "tickets.jsonl").write_text("".join(f"{json.dumps(one)}\n" for one in rows), encoding="utf-8")
    with pytest.raises(DataError, match=r"tickets\.jsonl:2"):
        freshdesk.read(tmp_path, data_end=END)


def test_numbers_that_a_spreadsheet_gave_a_point_are_the_same_numbers_or_refused(tmp_path):
    try:
        found = table(tmp_path, HEADER, row(1).replace("1,", "1.0,", 1))
    except DataError as error:
        assert "1.0" in str(error)  # noqa: PT017
    else:
        assert found.contacts["contact_id"].to_list() == ["1"]


def test_a_ticket_that_the_company_sent_may_be_resolved_the_moment_it_is_made(tmp_path):
    found = contact(read(tmp_path, tickets=[ticket(1, 5, 10, stats={"resolved_at": at(4), "closed_at": at(4)})]))
    assert (found["initiated_by"], found["first_resolved_at"], found["status"]) == ("company", moment(4), "closed")


def test_the_answer_to_a_survey_is_no_message_of_the_customer(tmp_path):
    found = read(tmp_path, tickets=[ticket(1)], conversations=[said(1, 11, 20, "Do this"), said(2, 12, 10, "Great", source=6)])
    assert "Great" not in found.events["text"].to_list()


def test_the_accepted_ratings_of_a_survey_are_its_scale(tmp_path):
    surveys = [
        {"id": one, "questions": [{"id": "default_question", "accepted_ratings": scale}]}
        for one, scale in ((1, [103, 100, -103]), (2, [103, 102, 101, 100, -101, -102, -103]))
    ]
    ratings = [
        {
            "id": one,
            "survey_id": one,
            "ticket_id": one,
            "ratings": {"default_question": 103, "question_9": -103},
            "created_at": at(5),
            "updated_at": at(5),
        }
        for one in (1, 2)
    ]
    found = read(tmp_path, tickets=[ticket(1), ticket(2)], surveys=surveys, satisfaction_ratings=ratings).surveys
    assert found.select("csat_scale", "csat").rows() == [("3-step", 1.0), ("7-step", 1.0)]


def test_spam_and_deleted_are_said_only_where_they_are_true(tmp_path):
    found = read(tmp_path, tickets=[ticket(1, spam=True), ticket(2, deleted=True), ticket(3)]).contacts
    assert found.select("is_spam", "is_deleted").rows() == [(True, False), (False, True), (False, False)]


def test_a_table_in_mixed_encodings_with_quoted_line_ends_is_read(tmp_path):
    found = table(tmp_path, HEADER, row(1, subject='"Help\nme"'), row(2, subject="Grüße").encode("cp1252"))
    assert [contact(found, one)["subject"] for one in "12"] == ["Help\nme", "Grüße"]


def test_hours_of_business_are_not_taken_for_time_that_passed(tmp_path):
    found = contact(table(tmp_path, HEADER, row(1)))
    assert (found["wait_seconds"], found["first_resolved_at"], found["handle_seconds"]) == (3600.0, moment(21, 12), 1800.0)
    assert found["vendor_sla_met"] is False


def test_freshservice_may_spell_its_columns_in_capitals_and_name_one_twice(tmp_path):
    found = contact(table(tmp_path, SERVICE, SERVED), "INC-1")
    assert (found["opened_at"], found["first_resolved_at"], found["category"]) == (moment(21), moment(21, 12), "Hardware")


def test_the_names_of_agents_and_requesters_leave_the_texts(tmp_path):
    one = ticket(1, description_text="Nneka Okafor asked Ola Lindqvist for help", requester={"id": 10, "name": "Nneka Okafor"})
    found = read(tmp_path, tickets=[one], agents=[{"id": 20, "contact": {"name": "Ola Lindqvist"}}]).contacts["body"][0]
    assert ("Okafor" in found, "Lindqvist" in found, "for help" in found) == (False, False, True)


def test_whoever_has_an_open_or_reopened_ticket_today_did_not_resolve_it(tmp_path):
    again = {"reopened_at": at(5), "resolved_at": at(7)}
    found = read(tmp_path, tickets=[ticket(1, 2), ticket(2, 4, stats=again), ticket(3, 4, stats={"resolved_at": at(7)})])
    assert [contact(found, one)["resolver_agent"] for one in "123"] == [None, None, "20"]
    assert any("the reopening stands in" in note for note in found.manifest.notes)
