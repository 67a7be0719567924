"""Is a Zendesk export read as somebody would write it who knows only what Zendesk says about it?"""

import gzip
import json
import zipfile
from datetime import UTC, datetime
from pathlib import Path

import polars as pl
import pytest

from fcrlib.intake import zendesk
from fcrlib.model.desk import Desk
from fcrlib.model.errors import DataError

END = datetime(2026, 4, 1, tzinfo=UTC)
USERS = [
    {
        "id": 10,
        "name": "Jane Doe",
        "email": "jane@example.org",
        "role": "end-user",
        "created_at": "2020-01-01T00:00:00Z",
        "updated_at": "2026-03-31T00:00:00Z",
    },
    {
        "id": 11,
        "name": "Joe Poe",
        "email": "joe@example.org",
        "role": "end-user",
        "created_at": "2020-01-01T00:00:00Z",
        "updated_at": "2026-03-31T00:00:00Z",
    },
    {
        "id": 901,
        "name": "Ann Agent",
        "email": "ann@corp.example",
        "role": "agent",
        "created_at": "2020-01-01T00:00:00Z",
        "updated_at": "2026-03-31T00:00:00Z",
    },
    {
        "id": 902,
        "name": "Bob Agent",
        "email": "bob@corp.example",
        "role": "admin",
        "created_at": "2020-01-01T00:00:00Z",
        "updated_at": "2026-03-31T00:00:00Z",
    },
]
HEADER = (
    "Summation column,Id,Requester,Requester id,Submitter,Assignee,Group,Subject,Tags,Status,Via,Created at,Updated at,Solved at,Satisfaction Score,"
    "Reopens,Replies,First resolution time in minutes,First resolution time in minutes within business hours,Full resolution time in minutes,Reason [list]"
)


def at(day: int, hour: int = 10) -> str:
    return f"2026-03-{day:02d}T{hour:02d}:00:00Z"


def moment(day: int, hour: int = 10) -> datetime:
    return datetime(2026, 3, day, hour, tzinfo=UTC)


def ticket(number: int, day: int = 1, status: str = "solved", **more: object) -> dict[str, object]:
    return {
        "id": number,
        "created_at": at(day),
        "updated_at": at(day, 12),
        "via": {"channel": "email", "source": {"from": {"address": "jane@example.org"}, "to": {}, "rel": None}},
        "subject": f"Subject {number}",
        "description": "Help me",
        "status": status,
        "requester_id": 10,
        "submitter_id": 10,
        "assignee_id": 901,
        "group_id": 501,
        "tags": [],
        "custom_fields": [],
        "satisfaction_rating": None,
        **more,
    }


def audit(number: int, day: int, hour: int, author: int, *events: dict[str, object], **more: object) -> dict[str, object]:
    numbered = [{"id": number * 100 + place, **event} for place, event in enumerate(events)]
    return {"id": number, "ticket_id": 1, "created_at": at(day, hour), "author_id": author, "events": numbered, **more}


def changed(field: str, before: object, value: object) -> dict[str, object]:
    return {"type": "Change", "field_name": field, "value": value, "previous_value": before}


def row(
    number: object, *, status: str = "Solved", via: str = "Mail", solved: str = "2026-03-20 12:00", score: str = "Not Offered", reopens: int = 0
) -> str:
    return (
        f",{number},Jane,10,Jane,Ann,Tier 1,Hello,a b,{status},{via},2026-03-20 10:00,2026-03-20 12:00,{solved},{score},{reopens},1,60,60,120,billing"
    )


def pages(folder: Path, **lists: list[dict[str, object]]) -> Path:
    for name, rows in {"users": USERS, **lists}.items():
        (folder / f"{name}.json").write_text(json.dumps({name: rows, "count": len(rows), "next_page": None}), encoding="utf-8")
    return folder


def lines(folder: Path, **streams: list[dict[str, object]]) -> Path:
    for name, rows in streams.items():
        (folder / f"{name}.jsonl").write_text("".join(f"{json.dumps(one)}\n" for one in rows), encoding="utf-8")
    return folder


def table(folder: Path, *rows: str, **asked: object) -> Desk:
    (folder / "export.csv").write_text("\n".join([HEADER, *rows, ""]), encoding="utf-8")
    return zendesk.read(folder, **{"data_end": END, "time_zone": "UTC", **asked})


def contact(desk: Desk, number: str = "1") -> dict[str, object]:
    return desk.contacts.row(by_predicate=pl.col("contact_id") == number, named=True)


def told(desk: Desk) -> str:
    return " ".join([*desk.manifest.notes, *(f"{one.what} {one.why} {one.example}" for one in desk.manifest.dropped)])


def test_a_rating_inside_the_ticket_is_an_answer_and_an_offer_is_none(tmp_path):
    rated = [ticket(1, satisfaction_rating={"score": "good", "id": 7, "comment": "fine"}), ticket(2, satisfaction_rating={"score": "offered"})]
    rated += [ticket(3, satisfaction_rating={"score": "unoffered"}), ticket(4, satisfaction_rating={"score": "bad"})]
    found = zendesk.read(pages(tmp_path, tickets=rated), data_end=END)
    assert dict(found.surveys.filter(pl.col("csat").is_not_null()).select("contact_id", "csat").iter_rows()) == {"1": 1.0, "4": 0.0}


def test_the_satisfaction_score_of_the_table_is_an_answer(tmp_path):
    found = table(tmp_path, row(1, score="Good"), row(2, score="Bad with comment"), row(3, score="Offered"), row(4))
    assert dict(found.surveys.filter(pl.col("csat").is_not_null()).select("contact_id", "csat").iter_rows()) == {"1": 1.0, "2": 0.0}


def test_a_ticket_that_its_requester_submitted_was_begun_by_the_customer(tmp_path):
    found = zendesk.read(pages(tmp_path, tickets=[ticket(1)]), data_end=END)
    assert contact(found)["initiated_by"] == "customer"


def test_incremental_ticket_events_tell_the_history(tmp_path):
    def event(number: int, hour: int, who: int, *children: dict[str, object]) -> dict[str, object]:
        return {"id": number, "ticket_id": 1, "created_at": at(1, hour), "updater_id": who, "event_type": "Audit", "child_events": list(children)}

    history = [
        event(
            1,
            10,
            10,
            {"id": 11, "event_type": "Create", "status": "new"},
            {"id": 12, "event_type": "Comment", "author_id": 10, "body": "Hi", "public": True},
        ),
        event(2, 11, 901, {"id": 21, "event_type": "Change", "status": "solved", "previous_value": "new"}),
        event(3, 12, 10, {"id": 31, "event_type": "Change", "status": "open", "previous_value": "solved"}),
        event(4, 13, 901, {"id": 41, "event_type": "Change", "status": "solved", "previous_value": "open"}),
    ]
    found = contact(zendesk.read(pages(tmp_path, tickets=[ticket(1)], ticket_events=history), data_end=END))
    assert (found["first_resolved_at"], found["last_resolved_at"]) == (moment(1, 11), moment(1, 13))


NEIGHBOURS = {
    "ticket_forms": {"id": 2, "name": "Default", "created_at": at(30), "updated_at": at(30)},
    "ticket_skips": {"id": 2, "ticket_id": 1, "user_id": 901, "created_at": at(30), "updated_at": at(30)},
    "suspended_tickets": {"id": 900, "subject": "win", "created_at": at(30), "updated_at": at(30), "cause": "Detected as spam"},
}


@pytest.mark.parametrize("name", NEIGHBOURS)
def test_other_lists_of_an_export_do_not_touch_the_tickets(tmp_path, name):
    found = zendesk.read(lines(tmp_path, tickets=[ticket(1), ticket(2)], users=USERS, **{name: [NEIGHBOURS[name]]}), data_end=END)
    assert [(one["contact_id"], one["opened_at"], one["status"]) for one in found.contacts.iter_rows(named=True)] == [
        ("1", moment(1), "solved"),
        ("2", moment(1), "solved"),
    ]


def test_a_list_of_users_without_a_name_is_not_a_list_of_tickets(tmp_path):
    (tmp_path / "export_a.json").write_text(json.dumps([ticket(1), ticket(2)]), encoding="utf-8")
    (tmp_path / "export_b.json").write_text(json.dumps(USERS), encoding="utf-8")
    assert zendesk.read(tmp_path, data_end=END).contacts["contact_id"].to_list() == ["1", "2"]


def warehouse(folder: Path) -> Path:
    columns = "id,created_at,updated_at,status,subject,description,requester_id,submitter_id,assignee_id,group_id,via_channel,via_source_rel"
    columns += ",merged_ticket_ids,via_followup_source_id"
    tables = {
        "ticket": [
            columns,
            "1,2026-03-01 10:00:00,2026-03-05 10:00:00,closed,S,Help,10,10,901,501,email,,[],",
            '2,2026-03-02 10:00:00,2026-03-05 10:00:00,solved,S,Help,11,11,901,501,web,,"[3]",',
            "3,2026-03-02 11:00:00,2026-03-05 10:00:00,closed,S,Help,11,11,901,501,web,,[],",
            "4,2026-03-08 10:00:00,2026-03-08 10:00:00,open,S,Help,10,10,901,501,email,follow_up,[],1",
        ],
        "ticket_field_history": [
            "field_name,ticket_id,updated,user_id,value",
            "status,1,2026-03-01 10:00:00,10,new",
            "status,1,2026-03-01 12:00:00,901,solved",
            "status,1,2026-03-05 10:00:00,-1,closed",
        ],
        "ticket_comment": ["id,body,created,public,ticket_id,user_id", "1,Help,2026-03-01 10:00:00,true,1,10", "2,Do,2026-03-01 11:00:00,true,1,901"],
        "ticket_tag": ["tag,ticket_id", "vip,1"],
        "user": ["id,name,email,role", "10,Jane Doe,jane@example.org,end-user", "901,Ann Agent,ann@corp.example,agent"],
        "group": ["id,name", "501,Tier 1"],
    }
    for name, rows in tables.items():
        (folder / f"{name}.csv").write_text("\n".join([*rows, ""]), encoding="utf-8")
    return folder


@pytest.mark.parametrize(
    ("number", "column", "value"),
    [
        ("1", "first_resolved_at", moment(1, 12)),
        ("1", "closed_at", moment(5)),
        ("1", "channel", "email"),
        ("1", "tags", ["vip"]),
        ("3", "merged_into", "2"),
        ("4", "follow_up_of", "1"),
    ],
)
def test_the_tables_of_a_warehouse_are_joined(tmp_path, number, column, value):
    found = zendesk.read(warehouse(tmp_path), data_end=END, time_zone="UTC")
    assert contact(found, number)[column] == value


def test_the_comments_of_a_warehouse_are_messages(tmp_path):
    found = zendesk.read(warehouse(tmp_path), data_end=END, time_zone="UTC")
    assert found.events.filter(pl.col("kind") == "message")["actor"].to_list() == ["customer", "agent"]


def test_a_header_that_comes_again_in_the_middle_of_the_table_is_no_ticket(tmp_path):
    assert table(tmp_path, row(1), HEADER, row(2)).contacts["contact_id"].to_list() == ["1", "2"]


@pytest.mark.parametrize("name", ["Reason [list]", "Reason"])
def test_a_custom_column_of_the_table_may_hold_the_category(tmp_path, name):
    assert contact(table(tmp_path, row(1), fields={"category": name}))["category"] == "billing"


def test_the_minutes_to_the_first_resolution_say_when_a_reopened_ticket_was_first_solved(tmp_path):
    found = contact(table(tmp_path, row(1, reopens=2)))
    assert (found["first_resolved_at"], found["last_resolved_at"]) == (moment(20, 11), moment(20, 12))
    assert found["vendor_first_resolved_at"] == moment(20, 11)


def test_on_hold_is_a_status_of_the_table(tmp_path):
    assert contact(table(tmp_path, row(1, status="On-hold", solved="")))["status"] == "hold"


@pytest.mark.parametrize(
    ("via", "channel"),
    [("Phone call (incoming)", "phone"), ("Phone call (outbound)", "phone"), ("Web Widget", "web"), ("Twitter DM", "social")],
)
def test_the_words_of_the_column_via_are_channels(tmp_path, via, channel):
    assert contact(table(tmp_path, row(1, via=via)))["channel"] == channel


def test_numbers_that_a_spreadsheet_gave_a_point_are_the_same_numbers_or_refused(tmp_path):
    try:
        found = table(tmp_path, row("1.0"), row("2.0"))
    except DataError as error:
        assert "1.0" in str(error)  # noqa: PT017
    else:
        assert found.contacts["contact_id"].to_list() == ["1", "2"]


def test_a_breach_that_was_taken_back_breaks_no_promise(tmp_path):
    promised = [{"id": 1, "type": "apply_sla"}, {"id": 2, "type": "breach", "deleted": True}, {"id": 3, "type": "fulfill"}]
    promises = [{"ticket_id": 1, "metric": "reply_time", "instance_id": 1, "time": at(1, 9 + int(str(one["id"]))), **one} for one in promised]
    found = zendesk.read(pages(tmp_path, tickets=[ticket(1)], ticket_metric_events=promises), data_end=END)
    assert contact(found)["vendor_sla_met"] is True


def call(number: int, ticket_id: int | None, **more: object) -> dict[str, object]:
    times = {"duration": 200, "talk_time": 120, "hold_time": 10, "wait_time": 30, "wrap_up_time": 20}
    parts = {"direction": "inbound", "completion_status": "completed", "agent_id": 901, "customer_id": 10, "voicemail": False, **times}
    return {"id": number, "created_at": at(1), "updated_at": at(1), "ticket_id": ticket_id, **parts, **more}


def test_a_call_without_a_ticket_is_a_contact_or_said_to_be_left_out(tmp_path):
    given_up = call(9, None, completion_status="abandoned_in_queue", agent_id=None, talk_time=0)
    found = zendesk.read(pages(tmp_path, tickets=[ticket(1)], calls=[call(1, 1), given_up]), data_end=END)
    assert found.contacts.height == 2 or any("call" in one.what for one in found.manifest.dropped)


def test_a_call_that_was_passed_on_is_a_transfer(tmp_path):
    legs = [
        {"id": 1, "call_id": 1, "type": "customer", "user_id": 10, "created_at": at(1)},
        {"id": 2, "call_id": 1, "type": "agent", "agent_id": 901, "created_at": at(1), "transferred_from": None, "transferred_to": 902},
        {"id": 3, "call_id": 1, "type": "agent", "agent_id": 902, "created_at": at(1, 11), "transferred_from": 901, "transferred_to": None},
    ]
    found = zendesk.read(pages(tmp_path, tickets=[ticket(1)], calls=[call(1, 1)], legs=legs), data_end=END)
    assert found.events.filter(pl.col("agent_from") == "901")["agent_to"].to_list() == ["902"]


def test_talking_holding_and_wrapping_up_are_the_handling_of_a_call(tmp_path):
    assert contact(zendesk.read(pages(tmp_path, tickets=[ticket(1)], calls=[call(1, 1)]), data_end=END))["handle_seconds"] == 150


@pytest.mark.parametrize("after", [1, 10, 21, 50, 75, 150, 152, -3, -1])
def test_a_broken_line_is_named_by_its_own_number(tmp_path, after):
    rows = [json.dumps(ticket(one)) for one in (1, 2, 3, 4)]
    rows[1] = rows[1][:after]
    (tmp_path / "tickets.jsonl").write_text("\n".join([*rows, ""]), encoding="utf-8")
    with pytest.raises(DataError, match="row 2 "):
        zendesk.read(tmp_path, data_end=END)


@pytest.mark.parametrize("wrong", [{"id": None}, {"status": "wobbly"}])
def test_a_value_that_cannot_be_used_is_named_by_file_and_row(tmp_path, wrong):
    lines(tmp_path, tickets=[ticket(1), {**ticket(2), **wrong}, ticket(3)])
    with pytest.raises(DataError, match=r"tickets\.jsonl:2"):
        zendesk.read(tmp_path, data_end=END)


HISTORY = [
    audit(
        1,
        1,
        10,
        10,
        {"type": "Comment", "author_id": 10, "plain_body": "Help", "public": True},
        {"type": "Create", "field_name": "status", "value": "new"},
    ),
    audit(2, 1, 11, 901, {"type": "Comment", "author_id": 901, "plain_body": "Do", "public": True}, changed("status", "new", "solved")),
    audit(3, 2, 10, 10, {"type": "Comment", "author_id": 10, "plain_body": "No", "public": True}, changed("status", "solved", "open")),
    audit(4, 2, 11, 901, changed("status", "open", "solved"), {"type": "Notification", "body": "a mail of a trigger", "recipients": [10]}),
]


def whole() -> dict[str, list[dict[str, object]]]:
    return {"tickets": [ticket(number) for number in (1, 2, 3)], "ticket_audits": HISTORY, "users": USERS}


def as_lines(folder: Path) -> None:
    lines(folder, **whole())


def as_singer(folder: Path) -> None:
    records = [{"type": "RECORD", "stream": name, "record": one} for name, rows in whole().items() for one in rows]
    schemas = [{"type": "SCHEMA", "stream": name, "schema": {}, "key_properties": ["id"]} for name in whole()]
    lines(folder, out=[*schemas, *records, {"type": "STATE", "value": {}}])


def as_airbyte(folder: Path) -> None:
    lines(folder, out=[{"stream": name, "data": one, "emitted_at": 1775001600000} for name, rows in whole().items() for one in rows])


def as_marked_pages(folder: Path) -> None:
    pages(folder, **whole())
    for file in folder.iterdir():
        file.write_bytes(b"\xef\xbb\xbf" + file.read_bytes().replace(b"], ", b"],\r\n"))


def as_overlapping_pages(folder: Path) -> None:
    pages(folder, ticket_audits=HISTORY)
    tickets = whole()["tickets"]
    for number, (rows, last) in enumerate(((tickets[:2], False), (tickets[1:], True)), start=1):
        page = {"tickets": rows, "count": 2, "end_of_stream": last, "next_page": "https://x.example/t.json?start_time=5"}
        (folder / f"tickets_{number}.json").write_text(json.dumps(page), encoding="utf-8")


def as_zip(folder: Path) -> None:
    with zipfile.ZipFile(folder / "export.zip", "w") as archive:
        for name, rows in whole().items():
            archive.writestr(f"export/{name}.json", json.dumps({name: rows}))
        archive.writestr("__MACOSX/export/._tickets.json", b"\x00\x05\x16\x07")


def as_gzip(folder: Path) -> None:
    for name, rows in whole().items():
        (folder / f"{name}.json.gz").write_bytes(gzip.compress(json.dumps({name: rows}).encode()))


@pytest.mark.parametrize("write", [as_lines, as_singer, as_airbyte, as_marked_pages, as_overlapping_pages, as_zip, as_gzip])
def test_every_wrapping_holds_the_same_desk(tmp_path, write):
    write(tmp_path)
    found = zendesk.read(tmp_path, data_end=END)
    assert (contact(found)["first_resolved_at"], contact(found)["last_resolved_at"]) == (moment(1, 11), moment(2, 11))
    said = found.events.filter(pl.col("kind") == "message").select("actor", "is_auto").rows()
    assert said == [("customer", False), ("agent", False), ("customer", False), ("system", True)]
    assert (found.contacts.height, found.identifiers.height) == (3, 2)


def test_tags_that_differ_by_an_accent_stay_two_tags(tmp_path):
    found = zendesk.read(pages(tmp_path, tickets=[ticket(1, tags=["retenção_chatbot"]), ticket(2, tags=["retencao_chatbot"])]), data_end=END)
    assert [contact(found, one)["tags"] for one in "12"] == [["retenção_chatbot"], ["retencao_chatbot"]]


def test_a_merge_that_only_the_survivor_tells_is_known(tmp_path):
    via = {"channel": "web", "source": {"from": {"ticket_ids": [2, 3]}, "to": {}, "rel": "merge"}}
    merged = [ticket(number, status="closed", tags=["closed_by_merge"]) for number in (2, 3)]
    found = zendesk.read(pages(tmp_path, tickets=[ticket(1), *merged], audits=[audit(1, 2, 10, 901, via=via)]), data_end=END)
    assert found.contacts["merged_into"].to_list() == [None, "1", "1"]


def test_long_numbers_keep_every_digit(tmp_path):
    customers = (360000000000000001, 360000000000000002)
    found = zendesk.read(pages(tmp_path, tickets=[ticket(place, requester_id=one) for place, one in enumerate(customers)]), data_end=END)
    assert found.contacts["customer_ref"].to_list() == [str(one) for one in customers]


def test_a_page_that_names_a_next_one_is_not_the_last(tmp_path):
    page = {"tickets": [ticket(1)], "after_url": "https://x.example/t.json?cursor=b", "end_of_stream": False}
    (tmp_path / "tickets.json").write_text(json.dumps(page), encoding="utf-8")
    with pytest.raises(DataError, match="the last page is missing"):
        zendesk.read(tmp_path, data_end=END)


def test_two_desks_are_not_one(tmp_path):
    desks = [ticket(number, url=f"https://{name}.zendesk.com/api/v2/tickets/1.json") for number, name in enumerate(("acme", "other"))]
    with pytest.raises(DataError, match="2 desks are mixed"):
        zendesk.read(pages(tmp_path, tickets=desks), data_end=END)


def test_hours_that_come_twice_or_never_are_counted(tmp_path):
    skipped, twice = (row(number).replace("2026-03-20 10:00", when) for number, when in ((1, "2026-03-29 02:30"), (2, "2025-10-26 02:30")))
    notes = told(table(tmp_path, skipped.replace("2026-03-20 12:00", "2026-03-30 12:00"), twice, time_zone="Europe/Berlin"))
    assert "opened_at: 1 values do not exist" in notes
    assert "opened_at: 1 values came twice" in notes
