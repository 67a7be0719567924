"""Do plain tables, records and phone calls say the same however oddly they were saved, and is what is no table refused in words?"""

from __future__ import annotations

import gzip
import io
import json
import os
import zipfile
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fcrlib.intake import calls, csv, sql
from fcrlib.intake.tables.mapping import layout
from fcrlib.model.desk import Desk
from fcrlib.model.errors import DataError, FcrError, UsageError

END = datetime(2026, 9, 30, tzinfo=UTC)
HEAD = "id,created,resolved,status,email,category\n"
ROWS = "1,2026-01-02T10:00:00Z,2026-01-02T12:00:00Z,solved,a@x.de,bill\n2,2026-01-03T10:00:00Z,,open,b@x.de,login\n"
RECORDS = [{"id": 1, "created": "2026-01-02T10:00:00Z"}, {"id": 2, "created": "2026-01-03T10:00:00Z"}]


def read(folder: Path, name: str, data: bytes | str, **more: Any) -> Desk:
    (folder / name).write_bytes(data.encode() if isinstance(data, str) else data)
    return csv.read(folder / name, data_end=END, **more)


def zipped(**files: bytes) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, data in files.items():
            archive.writestr(name.replace("__", "."), data)
    return buffer.getvalue()


def parquet(frame: pl.DataFrame) -> bytes:
    buffer = io.BytesIO()
    frame.write_parquet(buffer)
    return buffer.getvalue()


# --- how files come -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "data",
    [
        zipped(inner__zip=zipped(a__csv=(HEAD + ROWS).encode())),
        zipped(a__csv__gz=gzip.compress((HEAD + ROWS).encode())),
        gzip.compress(gzip.compress((HEAD + ROWS).encode())),
        zipped(README__md=b"# what this is", mapping__toml=b"[contacts]", a__csv=(HEAD + ROWS).encode()),
    ],
    ids=["a zip in a zip", "a gz in a zip", "gz twice", "beside what is no table"],
)
def test_a_table_is_found_in_whatever_it_was_packed(tmp_path, data):
    assert read(tmp_path, "export.zip", data).contacts["category"].to_list() == ["bill", "login"]


def test_archives_in_archives_come_to_an_end(tmp_path):
    data = (HEAD + ROWS).encode()
    for _ in range(6):
        data = zipped(deeper__zip=data)
    with pytest.raises(DataError, match="archives inside of archives"):
        read(tmp_path, "deep.zip", data)


@pytest.mark.parametrize("coding", ["utf-8", "utf-8-sig", "utf-16"])
def test_records_may_be_marked_as_a_spreadsheet_marks_its_text(tmp_path, coding):
    lines = "\n".join(json.dumps(one) for one in RECORDS)
    assert read(tmp_path, "a.ndjson", lines.encode(coding)).contacts["contact_id"].to_list() == ["1", "2"]


@pytest.mark.parametrize("indent", [None, 2])
def test_an_answer_of_an_interface_is_the_list_in_it(tmp_path, indent):
    answer = json.dumps({"tickets": RECORDS, "count": 2, "next_page": None}, indent=indent)
    assert read(tmp_path, "a.json", answer).contacts["contact_id"].to_list() == ["1", "2"]


def test_one_contact_with_a_list_of_its_own_is_one_contact(tmp_path):
    one = RECORDS[0] | {"custom_fields": [{"id": 7, "value": "x"}, {"id": 8, "value": "y"}]}
    assert read(tmp_path, "a.json", json.dumps(one)).contacts["contact_id"].to_list() == ["1"]


def test_a_folder_of_json_files_is_a_folder_of_tables(tmp_path):
    for place, one in enumerate(RECORDS):
        (tmp_path / f"{place}.json").write_text(json.dumps([one]), encoding="utf-8")
    assert csv.read(tmp_path, data_end=END).contacts.height == 2


@pytest.mark.parametrize(
    ("name", "data", "said"),
    [
        ("a.json", "[]", "holds no rows"),
        ("a.json", "{}", "holds no rows"),
        ("a.json", "null", "holds no records"),
        ("a.json", "5", "holds no records"),
        ("a.json", "[1, 2]", "is damaged"),
        ("a.ndjson", '{"id": 1}\n{"id": NaN}', "is damaged in row 2"),
        ("a.parquet", parquet(pl.DataFrame({"id": ["1"], "created": ["2026-01-02"]}).clear()), "holds no rows"),
        ("a.csv", "id,created\n1,\n2,\n", "none of 2 contacts has an opening time"),
    ],
)
def test_what_holds_no_contacts_is_refused_in_words(tmp_path, name, data, said):
    with pytest.raises(DataError, match=said):
        read(tmp_path, name, data)


def test_what_is_neither_file_nor_folder_is_named(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(DataError, match="neither a file nor a folder"):
        csv.read(tmp_path / "pipe", data_end=END)


# --- how long and how exact values are ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("end", ["\n", ""])
def test_a_text_may_be_as_long_as_it_is(tmp_path, end):
    desk = read(tmp_path, "a.csv", HEAD + ROWS + "3,2026-01-03T10:00:00Z,,open,b@x.de," + "x" * 200_000 + end)
    assert desk.contacts["category"].str.len_chars().max() == 200_000


def test_a_row_that_breaks_after_a_long_text_is_named_by_its_number(tmp_path):
    with pytest.raises(DataError, match="row 3 has 8 fields, the header has 6"):
        read(tmp_path, "a.csv", HEAD + "3,2026-01-03T10:00:00Z,,open,b," + "x" * 200_000 + "\n4,2026-01-03T10:00:00Z,,open,b,y,too,many\n")


def test_an_id_that_a_float_cannot_hold_is_refused(tmp_path):
    frame = pl.DataFrame({"id": [9007199254740993.0, 12.0], "created": ["2026-01-03T10:00:00Z"] * 2})
    with pytest.raises(DataError, match="ids are decimals"):
        read(tmp_path, "a.parquet", parquet(frame))
    assert read(tmp_path, "a.parquet", parquet(frame.with_columns(pl.col("id") % 1000))).contacts.height == 2


def test_bytes_that_are_text_are_read_as_text(tmp_path):
    frame = pl.DataFrame({"id": [b"t-1", b"t-2"], "created": ["2026-01-03T10:00:00Z"] * 2, "category": [b"\xff\x00", b"a"]})
    desk = read(tmp_path, "a.parquet", parquet(frame))
    assert desk.contacts["contact_id"].to_list() == ["t-1", "t-2"]
    assert desk.contacts["category"].to_list() == ["ff00", "61"]


def test_the_date_nought_of_a_database_is_no_date(tmp_path):
    desk = read(tmp_path, "a.csv", HEAD + "1,2026-01-03 10:00:00,0000-00-00 00:00:00,open,a,b\n", time_zone="UTC")
    assert desk.contacts["first_resolved_at"].to_list() == [None]


@pytest.mark.parametrize("label", ["['late, again', \"it's\"]", '["late, again", "it\'s"]'])
def test_labels_of_a_list_keep_their_commas(tmp_path, label):
    desk = read(tmp_path, "a.csv", 'id,created,tags\n1,2026-01-03T10:00:00Z,"' + label.replace('"', '""') + '"\n')
    assert desk.contacts["tags"].to_list() == [["late, again", "it's"]]


def test_rows_that_stand_twice_do_not_hide_which_column_is_the_id(tmp_path):
    assert read(tmp_path, "a.csv", HEAD + ROWS + ROWS).contacts.height == 2


# --- mappings -----------------------------------------------------------------------------------------------------------------

NEEDED: dict[str, Any] = {"contacts": {"contact_id": "id", "opened_at": "created"}}


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ({"delimiter": "ä"}, "the one sign between two fields"),
        ({"delimiter": '"'}, "the one sign between two fields"),
        ({"constant": {"cost": "much"}}, "cost must be a number"),
        ({"constant": {"cost": -1}}, "cost must be a number"),
        ({"constant": {"vendor_replies": 1.5}}, "vendor_replies must be a whole number"),
    ],
)
def test_a_mapping_that_cannot_be_meant_is_refused(more, said):
    with pytest.raises(UsageError, match=said):
        layout(NEEDED | more)


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ({"encoding": "a\0b"}, "there is no encoding"),
        ({"events": {"contact_id": "id", "at": "created"}}, "say with `file`"),
        ({"events": {"contact_id": "id", "at": "created", "query": "select 1"}}, "say with `file`"),
        ({"customers": {"query": "select 1", "customer_ref": "id", "since": "created"}}, "a file is named with `file`"),
    ],
)
def test_what_a_mapping_names_and_nobody_can_find_is_not_passed_over(tmp_path, more, said):
    with pytest.raises(DataError, match=said):
        read(tmp_path, "a.csv", HEAD + ROWS, mapping=NEEDED | more)


def test_a_query_is_needed_for_a_proposal_too_and_may_stand_in_the_mapping(tmp_path):
    with pytest.raises(UsageError, match="a query is needed"):
        sql.guess(f"sqlite:///{tmp_path}/a.db")
    with pytest.raises(DataError, match="does not exist"):
        sql.guess(f"sqlite:///{tmp_path}/a.db", mapping=NEEDED | {"query": "select 1"})


# --- phones -------------------------------------------------------------------------------------------------------------------

CALL: dict[str, Any] = {
    "ContactId": "c1", "InitialContactId": None, "Channel": "VOICE", "InitiationMethod": "INBOUND", "InitiationTimestamp": "2026-03-02T10:00:00Z",
    "DisconnectTimestamp": "2026-03-02T10:10:00Z", "LastUpdateTimestamp": "2026-03-02T10:11:00Z", "Queue": {"Name": "Billing"},
    "Agent": {"Username": "ann", "ConnectedToAgentTimestamp": "2026-03-02T10:01:00Z", "AgentInteractionDuration": 500, "CustomerHoldDuration": 10},
    "CustomerEndpoint": {"Type": "TELEPHONE_NUMBER", "Address": "+491701234567"},
}  # fmt: skip


def connect(folder: Path, *records: dict[str, Any]) -> Desk:
    (folder / "records.json").write_text(json.dumps(records), encoding="utf-8")
    return calls.read(folder / "records.json", data_end=END)


def test_a_list_of_contacts_that_names_the_agent_but_not_since_when_is_no_list_of_abandoned_calls(tmp_path):
    (tmp_path / "search.csv").write_text(
        "Contact ID,Channel,Initiation method,Initiation timestamp,Disconnect timestamp,Queue,Agent,Customer phone number\n"
        "c1,Voice,Inbound,2026-03-02T10:00:00Z,2026-03-02T10:10:00Z,Billing,ann,+491701234567\n"
        "c2,Voice,Inbound,2026-03-02T11:00:00Z,2026-03-02T11:10:00Z,Billing,,+491701234567\n",
        encoding="utf-8",
    )
    desk = calls.read(tmp_path, data_end=END)
    assert desk.contacts.select("is_abandoned", "resolver_agent", "resolver_group", "wait_seconds").rows() == [
        (False, "ann", "Billing", None),
        (True, None, None, None),
    ]
    assert desk.contacts["first_resolved_at"].is_not_null().to_list() == [True, False]
    assert any("not since when" in note for note in desk.manifest.notes)


def test_a_survey_after_the_call_is_part_of_it_and_who_listens_in_is_no_customer(tmp_path):
    after = CALL | {
        "ContactId": "c2",
        "RelatedContactId": "c1",
        "InitiationMethod": "DISCONNECT",
        "Agent": None,
        "DisconnectTimestamp": "2026-03-02T10:12:00Z",
    }
    listening = CALL | {"ContactId": "c3", "InitiationMethod": "MONITOR"}
    desk = connect(tmp_path, CALL, after, listening)
    assert desk.contacts["contact_id"].to_list() == ["c1"]
    assert [one.count for one in desk.manifest.dropped if "listened in" in one.why] == [1]


def test_a_conversation_without_participants_is_not_called_abandoned(tmp_path):
    segment = {"segmentType": "interact", "segmentStart": "2026-03-02T10:00:00Z", "segmentEnd": "2026-03-02T10:20:00Z"}
    asker = {
        "participantId": "p",
        "purpose": "customer",
        "sessions": [{"sessionId": "s", "mediaType": "voice", "ani": "tel:+491701234567", "segments": [segment]}],
    }
    times = {"conversationStart": "2026-03-02T10:00:00Z", "conversationEnd": "2026-03-02T10:20:00Z", "originatingDirection": "inbound"}
    both = [{"conversationId": "g1", "participants": [asker]} | times, {"conversationId": "g2", "participants": []} | times]
    (tmp_path / "a.json").write_text(json.dumps({"conversations": both}), encoding="utf-8")
    desk = calls.read(tmp_path, data_end=END)
    assert desk.contacts.select("contact_id", "is_abandoned", "first_resolved_at").rows() == [("g1", True, None), ("g2", False, None)]
    assert any(note.startswith("1 calls come without anybody") for note in desk.manifest.notes)


def test_nobody_answers_before_the_call_begins(tmp_path):
    (tmp_path / "cdr.csv").write_text(
        "calldate,src,dst,dstchannel,lastapp,duration,billsec,disposition,uniqueid\n"
        "2026-03-02 10:00:00,+491701234567,600,PJSIP/201-00000002,Queue,100,500,ANSWERED,1.1\n",
        encoding="utf-8",
    )
    desk = calls.read(tmp_path, data_end=END, time_zone="UTC")
    assert desk.events["at"].min() == desk.contacts["opened_at"][0]


# --- anything -----------------------------------------------------------------------------------------------------------------

ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=4,
)
ROW = {
    "id": 1,
    "created": "2026-01-02T10:00:00Z",
    "resolved": "2026-01-02T12:00:00Z",
    "status": "solved",
    "email": "a@x.de",
    "cost": 1.5,
    "tags": ["a"],
}


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(name=st.sampled_from(sorted(ROW)), value=ANYTHING, lines=st.booleans())
def test_records_with_anything_in_them_are_read_or_refused_but_never_break(tmp_path, name, value, lines):
    rows = [ROW, ROW | {"id": 2, name: value}]
    data = "\n".join(json.dumps(row) for row in rows) if lines else json.dumps(rows)
    try:
        desk = read(tmp_path, "a.json", data, time_zone="UTC")
    except FcrError:
        return
    assert "1" in desk.contacts["contact_id"].to_list()


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_a_table_with_any_bytes_in_it_is_read_or_refused_but_never_breaks(tmp_path, data):
    whole = bytearray((HEAD + ROWS).encode())
    place = data.draw(st.integers(0, len(whole) - 1))
    whole[place : place + data.draw(st.integers(0, 9))] = data.draw(st.binary(max_size=6))
    try:
        desk = read(tmp_path, "a.csv", bytes(whole), mapping=NEEDED)
    except FcrError:
        return
    assert 0 < desk.contacts.height <= 3


@pytest.mark.parametrize("odd", ["\x01\r", "\r", "a\rb,"])
def test_a_stray_carriage_return_in_the_header_breaks_nothing(tmp_path, odd):
    with pytest.raises(FcrError):
        read(tmp_path, "a.csv", odd + HEAD + "x" + odd + "\n1,2")


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(name=st.sampled_from(sorted(CALL)), value=ANYTHING)
def test_calls_with_anything_in_them_are_read_or_refused_but_never_break(tmp_path, name, value):
    try:
        desk = connect(tmp_path, CALL, CALL | {"ContactId": "c2", name: value})
    except FcrError:
        return
    assert desk.contacts["contact_id"].n_unique() == desk.contacts.height
