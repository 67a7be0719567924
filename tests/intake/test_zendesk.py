"""What does a Zendesk export say?"""

import json
from datetime import UTC, datetime
from pathlib import Path

import polars as pl
import pytest

from fcrlib.intake import zendesk
from fcrlib.model.desk import Desk
from fcrlib.model.errors import DataError, UsageError

END = datetime(2026, 4, 1, tzinfo=UTC)
USERS = [
    {"id": 10, "name": "Jo Doe", "email": "jo@example.org", "role": "end-user", "locale": "de-AT"},
    {"id": 20, "name": "Agent A", "role": "agent"},
    {"id": 21, "name": "Gone G", "role": "end-user"},
    {"id": 30, "name": "Helper Bot", "role": "agent"},
    {"id": 99, "name": "Anonymous user", "role": "end-user"},
]


def ticket(number: int = 1, **more: object) -> dict[str, object]:
    return {
        "id": number,
        "created_at": "2026-03-01T08:00:00Z",
        "status": "solved",
        "requester_id": 10,
        "via": {"channel": "email"},
        "tags": [],
        **more,
    }


def audit(number: int, hour: int, author: int, *events: dict[str, object], ticket_id: int = 1, **more: object) -> dict[str, object]:
    numbered = [{"id": number * 100 + place, **event} for place, event in enumerate(events)]
    return {"id": number, "ticket_id": ticket_id, "created_at": f"2026-03-01T{hour:02d}:00:00Z", "author_id": author, "events": numbered, **more}


def change(field: str, value: object, before: object = None) -> dict[str, object]:
    return {"type": "Change", "field_name": field, "value": value, "previous_value": before}


def said(text: str, *, public: bool = True) -> dict[str, object]:
    return {"type": "Comment", "public": public, "plain_body": text}


def read(folder: Path, *, end: datetime | None = END, **files: list[dict[str, object]]) -> Desk:
    for name, rows in {"users": USERS, **files}.items():
        (folder / f"{name}.json").write_text(json.dumps({name: rows}), encoding="utf-8")
    return zendesk.read(folder, data_end=end)


def contact(desk: Desk, number: str = "1") -> dict[str, object]:
    return desk.contacts.row(by_predicate=pl.col("contact_id") == number, named=True)


def test_tickets_alone_are_a_desk(tmp_path):
    found = read(tmp_path, tickets=[ticket(), ticket(2, status="open", requester_id=99)])
    assert contact(found)["customer_ref"] == "10"
    assert contact(found)["language"] == "de"
    assert contact(found, "2")["customer_ref"] is None
    assert not found.manifest.has("has_events")


def test_the_history_comes_from_the_audits(tmp_path):
    audits = [
        audit(1, 8, 10, {"type": "Create", "field_name": "status", "value": "new"}, said("Help me")),
        audit(2, 9, 20, change("group_id", "5"), change("assignee_id", "20"), change("status", "open", "new"), said("On it")),
        audit(3, 10, 20, change("status", "solved", "open"), change("tags", ["a"], ["b"])),
        audit(4, 11, 10, said("Thanks a lot!"), change("status", "open", "solved")),
        audit(5, 12, -1, change("status", "solved", "open")),
    ]
    found = read(tmp_path, tickets=[ticket()], audits=audits, groups=[{"id": 5, "name": "First line"}])
    told = found.events.select("kind", "actor", "status_to", "group_to", "is_ack").rows()
    assert told == [
        ("message", "customer", None, None, False),
        ("assignment", "agent", None, "First line", None),
        ("status", "agent", "open", None, None),
        ("message", "agent", None, None, None),
        ("status", "agent", "solved", None, None),
        ("message", "customer", None, None, True),
        ("status", "customer", "open", None, None),
        ("status", "system", "solved", None, None),
    ]
    assert contact(found)["first_resolved_at"] == datetime(2026, 3, 1, 10, tzinfo=UTC)
    assert contact(found)["last_resolved_at"] == datetime(2026, 3, 1, 12, tzinfo=UTC)


def test_who_wrote_a_note_was_an_agent_whatever_they_are_today(tmp_path):
    audits = [audit(1, 9, 21, said("internal", public=False)), audit(2, 10, 21, said("Done")), audit(3, 11, 30, said("I am a machine"))]
    found = read(tmp_path, tickets=[ticket()], audits=audits)
    assert found.events.select("kind", "actor").rows() == [("note", "agent"), ("message", "agent"), ("message", "bot")]


def test_a_comment_in_two_files_is_one(tmp_path):
    comments = [{"id": 100, "ticket_id": 1, "author_id": 20, "body": "On it", "public": True, "created_at": "2026-03-01T09:00:00Z"}]
    found = read(tmp_path, tickets=[ticket()], audits=[audit(1, 9, 20, said("On it"))], comments=comments)
    assert found.events.height == 1


def test_a_merged_ticket_knows_where_it_went_and_deleted_and_labelled_ones_are_marked(tmp_path):
    audits = [
        audit(1, 9, 20, said("This request was closed and merged into request #2.", public=False)),
        audit(2, 9, 20, said("Request #1 was closed and merged into this request."), ticket_id=2),
    ]
    some = [ticket(tags=["closed_by_merge"]), ticket(2, tags=["spam"]), ticket(3, status="deleted"), ticket(4, via={"channel": "web", "source": {"rel": "follow_up", "from": {"ticket_id": 1}}})]  # fmt: skip
    found = read(tmp_path, tickets=some, audits=audits)
    assert contact(found)["merged_into"] == "2"
    assert found.events.select("contact_id", "kind").rows() == [("1", "merge")]
    assert contact(found, "2")["is_spam"]
    assert (contact(found, "3")["is_deleted"], contact(found, "3")["status"]) == (True, "closed")
    assert contact(found, "4")["follow_up_of"] == "1"


def test_an_offer_is_no_answer(tmp_path):
    ratings = [
        {"id": 1, "ticket_id": 1, "score": "offered", "created_at": "2026-03-02T00:00:00Z", "updated_at": "2026-03-02T00:00:00Z"},
        {"id": 2, "ticket_id": 1, "score": "bad", "created_at": "2026-03-02T00:00:00Z", "updated_at": "2026-03-03T00:00:00Z"},
        {"id": 2, "ticket_id": 1, "score": "good", "created_at": "2026-03-02T00:00:00Z", "updated_at": "2026-03-04T00:00:00Z"},
    ]
    found = read(tmp_path, tickets=[ticket()], satisfaction_ratings=ratings)
    assert found.surveys.select("csat", "superseded").rows() == [(None, False), (0.0, True), (1.0, False)]


def test_the_data_end_is_the_exports_own_or_asked_for(tmp_path):
    with pytest.raises(UsageError, match="--data-end is needed"):
        read(tmp_path, tickets=[ticket()], end=None)
    page = {"tickets": [ticket()], "end_of_stream": True, "end_time": int(END.timestamp())}
    (tmp_path / "tickets.json").write_text(json.dumps(page), encoding="utf-8")
    assert zendesk.read(tmp_path).manifest.data_end == END


def test_a_status_nobody_knows_stops_the_reading(tmp_path):
    with pytest.raises(DataError, match=r"status: words without a meaning: 'sleeping' \(1\)"):
        read(tmp_path, tickets=[ticket(status="sleeping")])


def test_a_custom_field_holds_the_category_by_its_title(tmp_path):
    fields = [{"id": 7, "title": "Contact reason"}]
    (tmp_path / "ticket_fields.json").write_text(json.dumps({"ticket_fields": fields}), encoding="utf-8")
    (tmp_path / "tickets.json").write_text(json.dumps([ticket(custom_fields=[{"id": 7, "value": "billing"}])]), encoding="utf-8")
    assert contact(zendesk.read(tmp_path, data_end=END, fields={"category": "Contact Reason"}))["category"] == "billing"
    assert any("no custom field 'category'" in note for note in zendesk.read(tmp_path, data_end=END).manifest.notes)


def test_a_table_of_tickets_is_read_by_its_headers(tmp_path):
    header = "Summation column,Id,Requester id,Group,Subject,Tags,Status,Via,Created at,Updated at,Solved at,Reopens,Replies,Group stations"
    row = "1,101,10,First line,Help,vip late,Closed,Mail,2026-01-01 10:00:00 +0100,2026-01-03 10:00:00 +0100,2026-01-02 10:00:00 +0100,1,3,2"
    (tmp_path / "tickets.csv").write_text(f"{header}\n{row}\n", encoding="utf-8")
    found = contact(zendesk.read(tmp_path, data_end=END), "101")
    assert (found["opened_at"], found["first_resolved_at"]) == (datetime(2026, 1, 1, 9, tzinfo=UTC), datetime(2026, 1, 2, 9, tzinfo=UTC))
    assert (found["tags"], found["channel"], found["resolver_group"]) == (["vip", "late"], "email", "First line")
    assert (found["vendor_reopens"], found["vendor_replies"], found["vendor_stations"]) == (1, 3, 1)
