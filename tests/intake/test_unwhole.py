"""What is said of an export of which something is missing, and what is not taken for it?"""

import json
from datetime import UTC, datetime

import pytest

from fcrlib.intake import freshdesk, intercom, zendesk
from fcrlib.model.errors import DataError

END = datetime(2026, 4, 1, tzinfo=UTC)
TICKET = {"id": 1, "created_at": "2026-03-01T10:00:00Z", "status": "open", "requester_id": 10}


def test_a_cursor_that_says_there_is_more_is_not_the_end(tmp_path):
    page = {
        "tickets": [TICKET],
        "meta": {"has_more": True, "after_cursor": "x"},
        "links": {"next": "https://a.example.org/api/v2/tickets?page[after]=x"},
    }
    (tmp_path / "tickets.json").write_text(json.dumps(page))
    with pytest.raises(DataError, match="another follows"):
        zendesk.read(tmp_path, data_end=END)


def test_a_cursor_that_came_to_its_end_is_whole(tmp_path):
    (tmp_path / "tickets.json").write_text(json.dumps({"tickets": [TICKET], "meta": {"has_more": False}}))
    assert zendesk.read(tmp_path, data_end=END).contacts.height == 1


def test_a_stream_that_did_not_end_is_not_whole(tmp_path):
    page = {"tickets": [TICKET], "after_url": "https://a.example.org/x?cursor=y", "after_cursor": "y", "end_of_stream": False}
    (tmp_path / "tickets.json").write_text(json.dumps(page))
    with pytest.raises(DataError, match="another follows"):
        zendesk.read(tmp_path, data_end=END)


@pytest.mark.parametrize(
    ("reader", "name", "record"),
    [
        (freshdesk, "tickets", {"created_at": "2026-03-01T10:00:00Z", "status": 2}),
        (intercom, "conversations", {"type": "conversation", "created_at": 1772359200, "state": "open"}),
    ],
)
def test_a_record_without_an_id_is_named_by_file_and_row(tmp_path, reader, name, record):
    (tmp_path / f"{name}.json").write_text(json.dumps([{**record, "id": "1"}, record]))
    with pytest.raises(DataError, match=rf"{name}\.json:2"):
        reader.read(tmp_path, data_end=END)


def test_the_answer_of_an_error_among_the_pages_is_named(tmp_path):
    (tmp_path / "tickets_1.json").write_text(json.dumps([{**TICKET, "status": 2}]))
    (tmp_path / "tickets_2.json").write_text(json.dumps({"code": "rate_limit", "message": "You have exceeded the limit of requests per hour"}))
    with pytest.raises(DataError, match=r"tickets_2\.json.*request that failed"):
        freshdesk.read(tmp_path, data_end=END)


def audited(folder, *, end):
    change = {"id": 6, "type": "Change", "field_name": "status", "value": "open", "previous_value": "new"}
    audits = [
        {"id": 5, "ticket_id": 1, "created_at": "2026-03-02T10:00:00Z", "author_id": 9, "events": [change]},
        {
            "id": 7,
            "ticket_id": 1,
            "created_at": "2026-03-20T10:00:00Z",
            "author_id": 9,
            "events": [{**change, "id": 8, "value": "closed", "previous_value": "open"}],
        },
    ]
    (folder / "tickets.json").write_text(json.dumps({"tickets": [{**TICKET, "status": "closed"}]}))
    (folder / "audits.json").write_text(json.dumps({"audits": audits[: 1 if end == END else 2]}))
    return zendesk.read(folder, data_end=end)


def test_a_history_that_ends_before_the_state_of_today_is_said(tmp_path):
    assert any(
        "another status than their history ends with, e.g. '1' (closed, its history open)" in note
        for note in audited(tmp_path, end=END).manifest.notes
    )


def test_what_happened_after_the_data_end_is_no_gap_of_the_history(tmp_path):
    desk = audited(tmp_path, end=datetime(2026, 3, 10, tzinfo=UTC))
    assert desk.contacts["status"].to_list() == ["open"]
    assert not any("history ends with" in note for note in desk.manifest.notes)


def test_single_records_in_envelopes_are_records(tmp_path):
    for number in (1, 2):
        (tmp_path / f"ticket_{number}.json").write_text(json.dumps({"ticket": {**TICKET, "id": number}}))
    assert zendesk.read(tmp_path, data_end=END).contacts.height == 2
