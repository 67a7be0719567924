"""What changed on a ticket, where no audit tells it?"""

import json
from datetime import UTC, datetime
from pathlib import Path

import polars as pl
import pytest

from fcrlib.intake import zendesk
from fcrlib.model.desk import Desk

END = datetime(2026, 4, 1, tzinfo=UTC)
SEEDS = Path(__file__).parents[3] / "shared/data/platform_seeds/zendesk"
USERS = "id,name,email,role,created_at\n10,Jo Doe,jo@example.org,end-user,2026-01-01 00:00:00\n20,Agent A,a@help.example,agent,2026-01-01 00:00:00\n"
TICKETS = (
    "id,created_at,requester_id,assignee_id,group_id,status,subject,via_channel,via_followup_source_id,merged_ticket_ids\n"
    "1,2026-03-01 08:00:00,10,20,5,closed,Help,email,,[3]\n"
    "2,2026-03-05 08:00:00,10,20,5,open,Again,email,1,[]\n"
    "3,2026-03-01 09:00:00,10,20,5,closed,Help,web,,[]\n"
)
VALUES = (
    "field_name,ticket_id,updated,user_id,value\n"
    "status,1,2026-03-01 08:00:00,10,new\n"
    "assignee_id,1,2026-03-01 09:00:00,20,20\n"
    "group_id,1,2026-03-01 09:00:00,20,5\n"
    "status,1,2026-03-01 10:00:00,20,on-hold\n"
    "status,1,2026-03-01 12:00:00,20,solved\n"
    "status,1,2026-03-01 12:00:00,20,solved\n"
    "status,1,2026-03-02 12:00:00,10,open\n"
    "status,1,2026-03-03 12:00:00,20,solved\n"
)
COMMENTS = (
    "id,body,created,public,ticket_id,user_id\n"
    "1,Please help,2026-03-01 08:00:00,TRUE,1,10\n"
    "2,Looks odd,2026-03-01 09:30:00,FALSE,1,20\n"
    "3,It is mended,2026-03-01 11:59:00,TRUE,1,20\n"
)


def warehouse(folder: Path) -> Desk:
    tags = "tag,ticket_id\nvip,1\nvip,1\nclosed_by_merge,3\n"
    files = {"ticket": TICKETS, "ticket_field_history": VALUES, "ticket_comment": COMMENTS, "ticket_tag": tags, "user": USERS}
    for name, text in {**files, "group": "id,name\n5,Billing\n"}.items():
        (folder / f"{name}.csv").write_text(text, encoding="utf-8")
    return zendesk.read(folder, data_end=END, time_zone="UTC")


def told(desk: Desk, kind: str) -> pl.DataFrame:
    return desk.events.filter((pl.col("contact_id") == "1") & (pl.col("kind") == kind))


def test_a_warehouse_tells_the_history_of_the_status(tmp_path):
    found = told(warehouse(tmp_path), "status").select("status_from", "status_to", "actor").rows()
    assert found == [("new", "hold", "agent"), ("hold", "solved", "agent"), ("solved", "open", "customer"), ("open", "solved", "agent")]


def test_a_warehouse_tells_who_held_a_ticket_and_who_said_what(tmp_path):
    found = warehouse(tmp_path)
    assert told(found, "assignment").select("group_to", "agent_to").rows() == [("Billing", "20")]
    assert told(found, "message").select("actor", "public", "text").rows() == [("customer", True, "Please help"), ("agent", True, "It is mended")]
    assert told(found, "note").select("actor", "public").rows() == [("agent", False)]


def test_a_warehouse_tells_tags_channels_merges_and_follow_ups(tmp_path):
    found = warehouse(tmp_path).contacts.sort("contact_id")
    assert found["channel"].cast(pl.String).to_list() == ["email", "email", "web"]
    assert found["tags"].to_list() == [["vip"], [], ["closed_by_merge"]]
    assert found["merged_into"].to_list() == [None, None, "1"]
    assert found["follow_up_of"].to_list() == [None, "1", None]
    assert found["first_resolved_at"][0] == datetime(2026, 3, 1, 12, tzinfo=UTC)


def test_ticket_events_tell_what_audits_tell(tmp_path):
    def event(number: int, hour: int, who: int, *children: dict[str, object]) -> dict[str, object]:
        stamp = int(datetime(2026, 3, 1, hour, tzinfo=UTC).timestamp())
        return {"id": number, "ticket_id": 1, "timestamp": stamp, "updater_id": who, "event_type": "Audit", "child_events": list(children)}

    ticket = {"id": 1, "created_at": "2026-03-01T08:00:00Z", "status": "solved", "requester_id": 10, "via": {"channel": "email"}, "tags": []}
    events = [
        event(1, 8, 10, {"id": 11, "event_type": "Create", "status": "new"}, {"id": 12, "event_type": "Comment", "public": True, "body": "Help"}),
        event(
            2,
            9,
            20,
            {"id": 21, "event_type": "Change", "group_id": "5"},
            {"id": 22, "event_type": "Change", "status": "open", "previous_value": "new"},
        ),
        event(3, 10, 20, {"id": 31, "event_type": "Change", "status": "solved", "previous_value": "open"}),
    ]
    users = [{"id": 10, "name": "Jo", "role": "end-user"}, {"id": 20, "name": "Ann", "role": "agent"}]
    page = {"ticket_events": events, "count": 3, "end_of_stream": True, "end_time": 1_775_000_000}
    for name, rows in {"tickets": {"tickets": [ticket]}, "ticket_events": page, "users": {"users": users}}.items():
        (tmp_path / f"{name}.json").write_text(json.dumps(rows), encoding="utf-8")
    found = zendesk.read(tmp_path, data_end=END)
    assert told(found, "status").select("status_from", "status_to", "actor").rows() == [("new", "open", "agent"), ("open", "solved", "agent")]
    assert told(found, "message").select("actor", "text").rows() == [("customer", "Help")]
    assert told(found, "assignment")["group_to"].to_list() == ["5"]


@pytest.mark.realdata
def test_the_tables_of_a_real_warehouse_are_read(tmp_path):
    if not SEEDS.exists():
        pytest.skip("the tables are not here")
    found = zendesk.read(SEEDS, data_end=datetime(2021, 2, 1, tzinfo=UTC), time_zone="UTC")
    assert found.contacts.height == 10
    turned = found.events.filter((pl.col("contact_id") == "11071") & (pl.col("kind") == "status"))
    # Thirteen values of the status, the first of which is how it began.
    assert turned["status_to"].cast(pl.String).to_list()[-2:] == ["solved", "closed"]
    assert found.contacts.filter(pl.col("contact_id") == "11071")["first_resolved_at"].item() == datetime(2020, 11, 14, 11, 1, 27, tzinfo=UTC)
    assert found.contacts.filter(pl.col("is_deleted"))["contact_id"].sort().to_list() == ["11013", "1595"]
