"""Are the records of a phone system read as somebody would write them who knows only what the system says about them?"""

import json
from datetime import UTC, datetime
from pathlib import Path

import polars as pl
import pytest

from fcrlib.intake import calls
from fcrlib.model.desk import Desk
from fcrlib.model.errors import DataError

END = datetime(2026, 4, 1, tzinfo=UTC)
HEADER = (
    "accountcode,src,dst,dcontext,clid,channel,dstchannel,lastapp,lastdata,calldate,answer,end,duration,billsec,disposition,amaflags,uniqueid,userfield,"
    "linkedid,sequence"
)


def moment(hour: int, minute: int = 0) -> datetime:
    return datetime(2026, 3, 10, hour, minute, tzinfo=UTC)


def at(hour: int, minute: int = 0) -> str:
    return f"2026-03-10T{hour:02d}:{minute:02d}:00Z"


def leg(
    number: str, linked: str, begun: str, answered: str, ended: str, seconds: tuple[int, int], disposition: str = "ANSWERED", to: str = "201"
) -> str:
    way = f"from-trunk,Jo,SIP/trunk-0000000a,SIP/{to}-0000000b,Dial,x"
    return f",+4930123456,{to},{way},{begun},{answered},{ended},{seconds[0]},{seconds[1]},{disposition},3,{number},,{linked},{number[-1]}"


def table(folder: Path, *rows: str, zone: str | None = "UTC", end: datetime = END) -> Desk:
    (folder / "cdr.csv").write_text("\n".join([HEADER, *rows, ""]), encoding="utf-8")
    return calls.read(folder, data_end=end, time_zone=zone)


def contact(desk: Desk, number: str) -> dict[str, object]:
    return desk.contacts.row(by_predicate=pl.col("contact_id") == number, named=True)


QUEUED = (
    leg("1.1", "1.1", "2026-03-10 10:00:00", "", "2026-03-10 10:01:00", (60, 0), "NO ANSWER"),
    leg("1.2", "1.1", "2026-03-10 10:01:00", "2026-03-10 10:02:00", "2026-03-10 10:05:00", (240, 180), to="202"),
)


def test_a_header_that_comes_again_in_the_middle_is_no_call(tmp_path):
    assert table(tmp_path, QUEUED[0], HEADER, QUEUED[1]).contacts["contact_id"].to_list() == ["1.1"]


def test_a_call_over_the_hour_that_comes_twice_lasts_as_long_as_it_says(tmp_path):
    over = leg("1.1", "1.1", "2025-10-26 02:50:00", "2025-10-26 02:50:00", "2025-10-26 02:10:00", (1200, 1200))
    found = contact(table(tmp_path, over, zone="Europe/Berlin"), "1.1")
    assert found["first_resolved_at"] == datetime(2025, 10, 26, 1, 10, tzinfo=UTC)


def test_a_file_that_is_no_text_is_refused_in_words(tmp_path):
    (tmp_path / "cdr.csv").write_bytes(b"\x93\x07,a\rb\x00\xff,\x81\n\x00\x01")
    with pytest.raises(DataError, match=r"cdr\.csv"):
        calls.read(tmp_path, data_end=END, time_zone="UTC")


def test_a_data_end_before_the_first_call_is_said_as_such(tmp_path):
    with pytest.raises(DataError, match="lies before the first contact"):
        table(tmp_path, *QUEUED, end=datetime(2020, 1, 1, tzinfo=UTC))


def session(number: str | None, media: str = "voice", **more: object) -> dict[str, object]:
    named = {} if number is None else {"sessionId": number}
    return {**named, "mediaType": media, "direction": "inbound", **more}


def piece(begun: str, ended: str, queue: str | None = None, **more: object) -> dict[str, object]:
    return {"segmentType": "interact", "segmentStart": begun, "segmentEnd": ended, "queueId": queue, "disconnectType": "peer", **more}


def conversation(*, named: bool) -> dict[str, object]:
    numbers = iter(("s1", "s2", "s3") if named else (None, None, None))
    ends = {"ani": "tel:+14155550121", "dnis": "tel:+14155550900"}
    return {
        "conversationId": "g1",
        "conversationStart": at(10),
        "conversationEnd": at(10, 9),
        "originatingDirection": "inbound",
        "participants": [
            {"purpose": "customer", "userId": None, "sessions": [session(next(numbers), **ends, segments=[piece(at(10), at(10, 9))])]},
            {"purpose": "agent", "userId": "u1", "sessions": [session(next(numbers), segments=[piece(at(10, 1), at(10, 4), "q1")])]},
            {
                "purpose": "agent",
                "userId": "u2",
                "sessions": [session(next(numbers), segments=[piece(at(10, 4), at(10, 9), "q2", wrapUpCode="billing")])],
            },
        ],
    }


def genesys(folder: Path, *conversations: dict[str, object]) -> Desk:
    (folder / "details.json").write_text(json.dumps({"conversations": conversations, "totalHits": len(conversations)}), encoding="utf-8")
    return calls.read(folder, data_end=END)


@pytest.mark.parametrize("named", [True, False])
def test_an_answered_conversation_is_answered_whether_or_not_its_sessions_have_numbers(tmp_path, named):
    found = genesys(tmp_path, conversation(named=named))
    row = contact(found, "g1")
    assert (row["is_abandoned"], row["first_resolved_at"], row["channel"], row["category"]) == (False, moment(10, 9), "phone", "billing")
    assert (row["first_agent"], row["resolver_agent"], row["first_group"], row["resolver_group"]) == ("u1", "u2", "q1", "q2")
    assert found.events.filter(pl.col("kind") == "transfer").select("agent_from", "agent_to").rows() == [("u1", "u2")]


def record(number: str, first: str | None, method: str, begun: str, ended: str, agent: str | None, **more: object) -> dict[str, object]:
    answered = None
    if agent:
        answered = {"Username": agent, "ConnectedToAgentTimestamp": begun, "AgentInteractionDuration": 100, "AfterContactWorkDuration": 20}
    return {
        "ContactId": number,
        "InitialContactId": first,
        "PreviousContactId": first,
        "Channel": "VOICE",
        "InitiationMethod": method,
        "InitiationTimestamp": begun,
        "DisconnectTimestamp": ended,
        "Queue": {"Name": "Q1", "EnqueueTimestamp": begun, "DequeueTimestamp": begun},
        "Agent": answered,
        "CustomerEndpoint": {"Address": "+14155550111", "Type": "TELEPHONE_NUMBER"},
        "LastUpdateTimestamp": ended,
        **more,
    }


def connect(folder: Path, *records: dict[str, object]) -> Desk:
    (folder / "records.ndjson").write_text("".join(f"{json.dumps(one)}\n" for one in records), encoding="utf-8")
    return calls.read(folder, data_end=END)


def test_two_phone_systems_are_not_one(tmp_path):
    (tmp_path / "details.json").write_text(json.dumps({"conversations": [conversation(named=True)], "totalHits": 1}), encoding="utf-8")
    try:
        found = connect(tmp_path, record("A", None, "INBOUND", at(10), at(10, 5), "ann"))
    except DataError:
        return
    assert found.contacts["contact_id"].to_list() == ["A", "g1"]


def test_a_record_that_came_twice_counts_once_and_the_later_one_counts(tmp_path):
    first, later = (record("A", None, "INBOUND", at(10), at(10, 5), agent) for agent in (None, "ann"))
    found = connect(tmp_path, {**later, "LastUpdateTimestamp": at(11)}, first)
    assert (found.contacts.height, contact(found, "A")["is_abandoned"]) == (1, False)


def test_a_transfer_is_one_call_of_two_agents(tmp_path):
    found = connect(tmp_path, record("B", "A", "TRANSFER", at(10, 5), at(10, 9), "bob"), record("A", None, "INBOUND", at(10), at(10, 5), "ann"))
    row = contact(found, "A")
    assert (found.contacts.height, row["first_agent"], row["resolver_agent"], row["talk_seconds"]) == (1, "ann", "bob", 200.0)
    assert (row["opened_at"], row["first_resolved_at"]) == (moment(10), moment(10, 9))


def test_the_legs_of_a_call_are_one_contact_and_only_the_answered_one_is_talk(tmp_path):
    found = contact(table(tmp_path, *QUEUED), "1.1")
    assert (found["opened_at"], found["first_resolved_at"], found["is_abandoned"]) == (moment(10), moment(10, 5), False)
    assert (found["talk_seconds"], found["wait_seconds"], found["resolver_agent"]) == (180.0, 120.0, "202")


@pytest.mark.parametrize("disposition", ["NO ANSWER", "BUSY", "FAILED", "CONGESTION"])
def test_a_call_that_nobody_answered_is_not_resolved(tmp_path, disposition):
    found = contact(table(tmp_path, leg("1.1", "1.1", "2026-03-10 10:00:00", "", "2026-03-10 10:01:00", (60, 0), disposition)), "1.1")
    assert (found["first_resolved_at"], found["is_abandoned"]) == (None, True)


def test_numbers_that_differ_by_a_trailing_nought_are_two_calls(tmp_path):
    rows = [leg(one, one, "2026-03-10 10:00:00", "2026-03-10 10:00:00", "2026-03-10 10:01:00", (60, 60)) for one in ("1773136800.1", "1773136800.10")]
    assert table(tmp_path, *rows).contacts["contact_id"].to_list() == ["1773136800.1", "1773136800.10"]


def test_local_times_need_a_zone(tmp_path):
    with pytest.raises(DataError, match="have no time zone"):
        table(tmp_path, *QUEUED, zone=None)
