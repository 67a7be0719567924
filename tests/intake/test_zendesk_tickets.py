"""What do the tickets say, and what counts them, before their history is read?"""

import json
from datetime import UTC, datetime
from pathlib import Path

import polars as pl
import pytest

from fcrlib.intake import zendesk
from fcrlib.model.desk import Desk
from fcrlib.model.errors import DataError

END = datetime(2026, 4, 1, tzinfo=UTC)
USERS = [{"id": 10, "name": "Jo Doe", "role": "end-user"}, {"id": 20, "name": "Ann", "role": "agent"}]


def ticket(number: int = 1, **more: object) -> dict[str, object]:
    return {
        "id": number,
        "created_at": "2026-03-01T08:00:00Z",
        "updated_at": "2026-03-02T08:00:00Z",
        "status": "solved",
        "requester_id": 10,
        "via": {"channel": "email"},
        **more,
    }


def read(folder: Path, *tickets: dict[str, object], **lists: list[dict[str, object]]) -> Desk:
    for name, rows in {"tickets": list(tickets), "users": USERS, **lists}.items():
        (folder / f"{name}.json").write_text(json.dumps({name: rows}), encoding="utf-8")
    return zendesk.read(folder, data_end=END)


def table(folder: Path, **columns: str) -> Desk:
    known = {"Id": "1", "Status": "Solved", "Created at": "2026-03-01 08:00", "Updated at": "2026-03-03 08:00", **columns}
    (folder / "export.csv").write_text(f"{','.join(known)}\n{','.join(known.values())}\n", encoding="utf-8")
    return zendesk.read(folder, data_end=END, time_zone="UTC")


def only(desk: Desk) -> dict[str, object]:
    return desk.contacts.row(0, named=True)


def dropped(desk: Desk) -> dict[str, int]:
    return {f"{one.what}: {one.why}": one.count for one in desk.manifest.dropped}


@pytest.mark.parametrize(
    ("via", "submitter", "initiated_by"),
    [
        ({"channel": "web"}, 10, "customer"),
        ({"channel": "web"}, 20, "company"),
        ({"channel": "voice"}, 20, "unknown"),
        ({"channel": "voice", "source": {"rel": "voicemail"}}, 20, "customer"),
        ({"channel": "voice", "source": {"rel": "outbound"}}, 10, "company"),
        ({"channel": "web"}, 77, "unknown"),
    ],
)
def test_who_submitted_a_ticket_began_it_unless_it_was_a_call(tmp_path, via, submitter, initiated_by):
    assert only(read(tmp_path, ticket(via=via, submitter_id=submitter)))["initiated_by"] == initiated_by


@pytest.mark.parametrize(("via", "initiated_by"), [("Phone call (incoming)", "customer"), ("Phone call (outbound)", "company")])
def test_a_table_says_of_a_call_who_rang_whom(tmp_path, via, initiated_by):
    assert only(table(tmp_path, Via=via))["initiated_by"] == initiated_by


@pytest.mark.parametrize(
    ("word", "channel"),
    [
        ("Mail", "email"), ("Web Form", "web"), ("Web service (API)", "api"), ("Help Center post", "web"), ("SMS", "messaging"), ("Voicemail", "phone"),
        ("CTI phone call (inbound)", "phone"), ("Facebook Message", "social"), ("Closed Ticket", "other"), ("native_messaging", "messaging"),
        ("instagram_dm", "messaging"), ("chat_transcript", "chat"), ("Mobile SDK", "in_app"),
    ],
)  # fmt: skip
def test_the_words_of_the_screen_and_of_the_api_are_channels(tmp_path, word, channel):
    assert only(table(tmp_path, Via=word))["channel"] == channel


def test_a_ticket_made_from_a_closed_one_follows_it(tmp_path):
    via = {"channel": "closed_ticket", "source": {"from": {"ticket_id": 1}, "rel": None}}
    assert read(tmp_path, ticket(), ticket(2, via=via)).contacts["follow_up_of"].to_list() == [None, "1"]


@pytest.mark.parametrize(
    "via",
    [
        '"{""channel"": ""web"", ""source"": {""from"": {""ticket_id"": 7}, ""rel"": ""follow_up""}}"',
        "\"{'channel': 'web', 'source': {'from': {'ticket_id': 7}, 'rel': 'follow_up'}}\"",
    ],
)
def test_a_way_that_a_table_holds_as_a_text_is_read_as_the_apis(tmp_path, via):
    assert (only(table(tmp_path, Via=via))["channel"], only(table(tmp_path, Via=via))["follow_up_of"]) == ("web", "7")


def test_minutes_of_a_table_are_the_waiting_and_the_first_resolution(tmp_path):
    minutes = {"First reply time in minutes": "30", "First resolution time in minutes": "60", "Solved at": "2026-03-02 08:00"}
    found = only(table(tmp_path, **minutes, Reopens="1", Replies="2", **{"First reply time in minutes within business hours": "5"}))
    assert (found["wait_seconds"], found["vendor_reopens"], found["vendor_replies"]) == (1800.0, 1, 2)
    assert found["vendor_first_resolved_at"] == found["first_resolved_at"] == datetime(2026, 3, 1, 9, tzinfo=UTC)


def test_a_ticket_solved_once_was_solved_at_its_second_not_at_its_minute(tmp_path):
    found = only(table(tmp_path, **{"First resolution time in minutes": "60", "Solved at": "2026-03-01 09:00:42"}))
    assert found["first_resolved_at"] == found["last_resolved_at"] == datetime(2026, 3, 1, 9, 0, 42, tzinfo=UTC)


def test_a_field_of_the_user_goes_before_the_systems_own(tmp_path):
    (tmp_path / "export.csv").write_text("Id,Status,Created at,Priority,How bad [list]\n1,Open,2026-03-01 08:00,low,awful\n", encoding="utf-8")
    desk = zendesk.read(tmp_path, data_end=END, time_zone="UTC", fields={"priority": "How bad"})
    assert only(desk)["priority"] == "awful"


def test_a_custom_column_that_is_not_there_is_said_with_those_that_are(tmp_path):
    notes = table(tmp_path, **{"Reason [list]": "billing"}).manifest.notes
    assert any("no custom field 'category' holds the category" in note and "Reason [list]" in note for note in notes)


@pytest.mark.parametrize("name", ["[]", ".", "a|b", "^^^id"])
def test_a_name_of_a_field_that_is_no_name_holds_nothing(tmp_path, name):
    (tmp_path / "tickets.json").write_text(json.dumps([ticket()]), encoding="utf-8")
    assert only(zendesk.read(tmp_path, data_end=END, fields={"category": name}))["category"] is None


def test_a_scrubbed_ticket_has_no_text(tmp_path):
    found = only(read(tmp_path, ticket(status="deleted", subject="SCRUBBED", description="SCRUBBED")))
    assert (found["is_deleted"], found["subject"], found["body"]) == (True, None, None)


def test_an_engagement_by_messaging_is_handling_and_one_by_mail_is_none(tmp_path):
    def engagement(number: int, of: int, channel: str, end: str) -> dict[str, object]:
        span = {"engagement_start_time": "2026-03-01T08:00:00", "engagement_end_time": f"2026-03-01T{end}"}
        return {"engagement_id": f"e{number}", "ticket_id": of, "channel": channel, "agent_replies_count": 3, **span}

    some = [engagement(1, 1, "messaging", "08:05:00"), engagement(2, 1, "messaging", "08:01:00"), engagement(3, 2, "email", "20:00:00")]
    desk = read(tmp_path, ticket(via={"channel": "native_messaging"}), ticket(2), engagements=some)
    assert desk.contacts.select("handle_seconds", "vendor_replies").rows() == [(360.0, 6), (None, None)]
    assert any(note.startswith("1 engagements by other ways") for note in desk.manifest.notes)


def test_lists_beside_the_tickets_are_counted(tmp_path):
    for name in ("ticket_forms", "group_memberships", "suspended_tickets"):
        (tmp_path / f"{name}.jsonl").write_text('{"id": 1, "created_at": "2026-03-09T00:00:00Z"}\n', encoding="utf-8")
    found = dropped(read(tmp_path, ticket()))
    assert found["records: of a kind that is not read: ticket_forms.jsonl"] == 1
    assert found["records: of a kind that is not read: group_memberships.jsonl"] == 1
    assert found["suspended tickets: held back as spam or the like: no tickets were made of them"] == 1


def test_pages_of_a_list_that_is_not_read_need_not_be_there(tmp_path):
    page = {"suspended_tickets": [{"id": 1}], "count": 5, "next_page": "https://x.example/suspended_tickets.json?page=2"}
    (tmp_path / "suspended_tickets.json").write_text(json.dumps(page), encoding="utf-8")
    assert read(tmp_path, ticket()).contacts.height == 1


def test_a_record_without_a_status_is_no_ticket(tmp_path):
    desk = read(tmp_path, ticket(), {"id": 5, "created_at": "2026-03-09T00:00:00Z"})
    assert (desk.contacts["contact_id"].to_list(), dropped(desk)["records: without a status: no tickets"]) == (["1"], 1)


@pytest.mark.parametrize("form", ["api", "table"])
def test_an_export_of_freshdesk_is_called_one(tmp_path, form):
    api = [
        {"id": 1, "status": 2, "created_at": "2026-03-01T08:00:00Z", "requester_id": 3, "responder_id": 4, "fr_escalated": False, "fr_due_by": None}
    ]
    (tmp_path / "tickets.json").write_text(json.dumps(api), encoding="utf-8")
    if form == "table":
        (tmp_path / "tickets.json").unlink()
        header = "Ticket ID,Subject,Status,Created time,Agent interactions,Customer interactions,First response time (in hrs)"
        (tmp_path / "tickets.csv").write_text(f"{header}\n1,Hi,Open,2026-03-01 08:00,1,1,00:10:00\n", encoding="utf-8")
    with pytest.raises(DataError, match="try `fcr import freshdesk`"):
        zendesk.read(tmp_path, data_end=END)


def test_users_are_told_by_their_fields_in_a_list_without_a_name(tmp_path):
    (tmp_path / "export-1.json").write_text(json.dumps([ticket()]), encoding="utf-8")
    (tmp_path / "export-2.json").write_text(json.dumps([{**USERS[0], "email": "jo@example.org"}]), encoding="utf-8")
    assert zendesk.read(tmp_path, data_end=END).identifiers.filter(pl.col("kind") == "email").height == 1
