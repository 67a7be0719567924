"""What do the records of a phone system say?"""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fcrlib.intake import calls, zendesk
from fcrlib.intake.demo import invent
from fcrlib.intake.demo.dialects import calls as dialect
from fcrlib.intake.demo.dialects import expected
from fcrlib.model.desk import Desk
from fcrlib.model.errors import DataError, UsageError

END = datetime(2026, 4, 1, tzinfo=UTC)
HEADER = "calldate,clid,src,dst,dcontext,channel,dstchannel,lastapp,lastdata,duration,billsec,disposition,uniqueid,linkedid,sequence"


def row(number: int, clock: str, src: str, dst: str, to: str, app: str, took: int, spoke: int, said: str, call: str = "1.1") -> str:
    return f"2026-03-01 {clock},x,{src},{dst},from-did,SIP/trunk-0a01,{to},{app},,{took},{spoke},{said},1.{number},{call},{number}"


def cdr(folder: Path, *rows: str, zone: str | None = "UTC", header: str = HEADER) -> Desk:
    (folder / "cdr.csv").write_text("\n".join([header, *rows, ""]), encoding="utf-8")
    return calls.read(folder, data_end=END, time_zone=zone)


def contact_record(number: str = "a", **more: object) -> dict[str, object]:
    return {
        "ContactId": number,
        "Channel": "VOICE",
        "InitiationMethod": "INBOUND",
        "InitiationTimestamp": "2026-03-01T08:00:00Z",
        "DisconnectTimestamp": "2026-03-01T08:05:00Z",
        "LastUpdateTimestamp": "2026-03-01T08:06:00Z",
        "CustomerEndpoint": {"Address": "+4930123456", "Type": "TELEPHONE_NUMBER"},
        "Queue": {"Name": "first line"},
        "Agent": {
            "Username": "ann",
            "ConnectedToAgentTimestamp": "2026-03-01T08:01:00Z",
            "AgentInteractionDuration": 240,
            "AfterContactWorkDuration": 30,
        },
        "Attributes": {},
        **more,
    }


def connect(folder: Path, *records: dict[str, object], **given: object) -> Desk:
    (folder / "records.json").write_text("".join(json.dumps(one) for one in records), encoding="utf-8")
    return calls.read(folder, data_end=END, **given)  # type: ignore[arg-type]


def segment(kind: str, begun: str, ended: str, **more: object) -> dict[str, object]:
    return {"segmentType": kind, "segmentStart": f"2026-03-01T{begun}:00Z", "segmentEnd": f"2026-03-01T{ended}:00Z", **more}


def participant(purpose: str, *segments: dict[str, object], user: str | None = None, **session: object) -> dict[str, object]:
    return {
        "purpose": purpose,
        "userId": user,
        "sessions": [{"sessionId": f"{purpose}{user}", "mediaType": "voice", "segments": list(segments), **session}],
    }


def conversation(*participants: dict[str, object], direction: str = "inbound", **more: object) -> dict[str, object]:
    return {
        "conversationId": "c1",
        "conversationStart": "2026-03-01T08:00:00Z",
        "conversationEnd": "2026-03-01T08:10:00Z",
        "originatingDirection": direction,
        "participants": list(participants),
        **more,
    }


def genesys(folder: Path, *conversations: dict[str, object], end: datetime | None = END, **around: object) -> Desk:
    (folder / "details.json").write_text(json.dumps({"conversations": list(conversations), **around}), encoding="utf-8")
    return calls.read(folder, data_end=end)


def only(desk: Desk) -> dict[str, object]:
    return desk.contacts.row(0, named=True)


def at(clock: str) -> datetime:
    return datetime.fromisoformat(f"2026-03-01T{clock}+00:00")


@pytest.fixture(scope="module")
def invented() -> Desk:
    return invent(seed=3, contacts=1_200)


WRITERS: dict[str, tuple[Callable[[Desk, Path], None], tuple[str, ...]]] = {
    "cdr": (dialect.write_cdr, ("channel_raw", "category", "language", "handle_seconds")),
    "genesys": (dialect.write_genesys, ("channel_raw", "category", "language", "vendor_stations")),
}


@pytest.mark.parametrize("form", WRITERS)
def test_the_invented_calls_read_back_from_every_phone_system(invented, tmp_path, form):
    writer, lacks = WRITERS[form]
    writer(dialect.respelled(invented), tmp_path)
    given = {"time_zone": dialect.ZONE, "data_end": invented.manifest.data_end} if form == "cdr" else {}
    found, want = calls.read(tmp_path, **given), expected(invented, system="calls")
    called = want.contacts.filter(pl.col("initiated_by") == "company")["contact_id"] if form == "cdr" else pl.Series([], dtype=pl.String)
    for table in ("contacts", "events"):
        # Of a call that went out, Asterisk names no queue.
        kept = [name for name in getattr(want, table).columns if name not in lacks]
        some = [getattr(one, table).filter(~pl.col("contact_id").is_in(called.implode())).select(kept).sort("contact_id") for one in (found, want)]
        differing = {
            name: name for name in some[0].columns if some[0].height != some[1].height or not some[0][name].equals(some[1][name], null_equal=True)
        }
        assert differing == {}, table
    known = [one.contacts.select("contact_id", "first_resolved_at", "talk_seconds", "initiated_by").sort("contact_id") for one in (found, want)]
    assert known[0].equals(known[1])
    assert found.identifiers.equals(want.identifiers)


def test_every_ring_of_a_queue_is_one_call_and_the_one_who_answered_is_its_agent(tmp_path):
    rung = row(1, "08:00:00", "+4930123456", "600", "Local/1001@from-queue-0001;1", "Queue", 20, 0, "NO ANSWER")
    spoken = row(2, "08:00:20", "+4930123456", "600", "SIP/1002-00000b12", "Queue", 100, 90, "ANSWERED")
    found = cdr(tmp_path, rung, spoken, rung)
    call = only(found)
    assert found.contacts.height == 1
    assert (call["opened_at"], call["first_resolved_at"], call["wait_seconds"]) == (at("08:00:00"), at("08:02:00"), 30.0)
    assert "has_status_history" not in found.manifest.capabilities
    assert (call["resolver_agent"], call["first_group"], call["talk_seconds"], call["is_abandoned"]) == ("1002", "600", 90.0, False)
    assert found.events.select("kind", "actor").rows() == [
        ("call_leg", "customer"), ("assignment", "system"), ("call_leg", "agent"),
    ]  # fmt: skip
    assert any(one.why.startswith("the same record again") for one in found.manifest.dropped)


def test_answered_by_a_queue_a_menu_or_a_mailbox_is_not_answered_by_a_person(tmp_path):
    queue = row(1, "08:00:00", "+4930123456", "600", "", "Queue", 60, 60, "ANSWERED")
    menu = row(2, "09:00:00", "+4930123456", "s", "", "BackGround", 9, 9, "ANSWERED", call="1.2")
    mailbox = row(3, "10:00:00", "+4930123456", "vmu1001", "", "VoiceMail", 30, 30, "ANSWERED", call="1.3")
    found = cdr(tmp_path, queue, menu, mailbox).contacts
    assert found.select("is_abandoned", "status").rows() == [(True, "closed"), (True, "closed"), (False, "open")]
    assert found["first_resolved_at"].null_count() == 3


def test_who_called_whom_is_read_off_the_numbers_and_a_hidden_number_is_nobody(tmp_path):
    inbound = row(1, "08:00:00", "anonymous", "600", "SIP/1002-00000b12", "Dial", 60, 50, "ANSWERED", call="1")
    outbound = row(2, "09:00:00", "1002", "004930123456", "SIP/trunk-00000b13", "Dial", 60, 50, "ANSWERED", call="2")
    internal = row(3, "10:00:00", "1002", "1003", "SIP/1003-00000b14", "Dial", 60, 50, "ANSWERED", call="3")
    found = cdr(tmp_path, inbound, outbound, internal).contacts
    assert found["initiated_by"].to_list() == ["customer", "company", "company"]
    assert found["is_internal"].to_list() == [False, False, True]
    assert found["customer_ref"].is_not_null().to_list() == [False, True, False]
    assert found["resolver_agent"].to_list() == ["1002", "1002", "1003"]


def test_the_clock_of_the_server_must_be_named_and_a_word_nobody_knows_stops_the_reading(tmp_path):
    one = row(1, "08:00:00", "+4930123456", "600", "SIP/1002-0b12", "Dial", 60, 50, "ANSWERED")
    with pytest.raises(DataError, match=r"have no time zone, the first in row cdr\.csv:2"):
        cdr(tmp_path, one, zone=None)
    assert only(cdr(tmp_path, one, zone="Europe/Berlin"))["opened_at"] == at("07:00:00")
    with pytest.raises(DataError, match=r"disposition: words without a meaning: 'MAYBE' \(1\)"):
        cdr(tmp_path, one.replace("ANSWERED", "MAYBE"))
    with pytest.raises(UsageError, match="--data-end is needed"):
        calls.read(tmp_path, time_zone="UTC")


def test_a_record_delivered_again_replaces_the_first_and_a_transfer_is_the_same_call(tmp_path):
    early = contact_record(LastUpdateTimestamp="2026-03-01T08:00:30Z", DisconnectTimestamp=None, Agent=None)
    handed = contact_record(
        "b", InitialContactId="a", PreviousContactId="a", InitiationMethod="TRANSFER", InitiationTimestamp="2026-03-01T08:05:00Z",
        DisconnectTimestamp="2026-03-01T08:09:00Z", Queue={"Name": "billing"}, Attributes={"Reason": "invoice"},
        Agent={"Username": "bob", "ConnectedToAgentTimestamp": "2026-03-01T08:06:00Z", "AgentInteractionDuration": 180},
    )  # fmt: skip
    found = connect(tmp_path, contact_record(), handed, early, fields={"category": "reason"})
    call = only(found)
    assert found.contacts.height == 1
    assert (call["first_group"], call["resolver_group"], call["resolver_agent"], call["category"]) == ("first line", "billing", "bob", "invoice")
    assert (call["talk_seconds"], call["handle_seconds"], call["first_resolved_at"]) == (420.0, 450.0, at("08:09:00"))
    assert found.events["kind"].to_list() == ["call_leg", "assignment", "call_leg", "transfer", "call_leg"]


def test_who_hung_up_before_anybody_answered_has_abandoned_and_a_call_that_goes_on_is_open(tmp_path):
    found = connect(tmp_path, contact_record("a", Agent=None), contact_record("b", DisconnectTimestamp=None)).contacts
    assert found.select("is_abandoned", "status", "first_resolved_at").rows() == [(True, "closed", None), (False, "open", None)]


def test_records_of_two_instances_are_not_mixed(tmp_path):
    with pytest.raises(DataError, match="records of 2 instances are mixed"):
        connect(tmp_path, contact_record("a", InstanceARN="arn:1"), contact_record("b", InstanceARN="arn:2"))


def test_an_agent_who_only_rang_has_not_answered(tmp_path):
    caller = participant("customer", segment("interact", "08:00", "08:10"), ani="tel:+4930123456", dnis="tel:+18005550199")
    queue = participant("acd", segment("interact", "08:01", "08:03"))
    rang = participant("agent", segment("alert", "08:01", "08:02"), user="u1")
    spoke = participant(
        "agent", segment("alert", "08:02", "08:03"), segment("interact", "08:03", "08:08"), segment("hold", "08:08", "08:10"),
        segment("wrapup", "08:10", "08:12", wrapUpCode="billing", queueId="q1"), user="u2",
    )  # fmt: skip
    call = only(genesys(tmp_path, conversation(caller, queue, rang, spoke)))
    assert (call["resolver_agent"], call["resolver_group"], call["category"]) == ("u2", "q1", "billing")
    assert (call["talk_seconds"], call["handle_seconds"], call["wait_seconds"]) == (300.0, 540.0, 120.0)
    assert call["first_resolved_at"] == at("08:10:00")
    assert call["customer_ref"] is not None


def test_the_customers_number_is_the_one_called_where_the_company_calls(tmp_path):
    def number(direction: str) -> object:
        caller = participant("customer", segment("interact", "08:00", "08:10"), ani="tel:+4930123456", dnis="tel:+18005550199")
        return only(genesys(tmp_path, conversation(caller, direction=direction)))["customer_ref"]

    assert number("inbound") != number("outbound")
    assert number("inbound") is not None


def test_sessions_without_numbers_are_those_of_their_participants(tmp_path):
    def unnamed(user: str, *segments: dict[str, object]) -> dict[str, object]:
        return {"purpose": "agent", "userId": user, "sessions": [{"mediaType": "voice", "segments": list(segments)}]}

    shared = segment("interact", "08:01", "08:04")
    found = genesys(
        tmp_path, conversation(unnamed("u1", shared), unnamed("u2", shared), unnamed("u3"), unnamed("u1", segment("interact", "08:05", "08:06")))
    )
    assert only(found)["talk_seconds"] == 180.0 + 180.0 + 60.0
    assert found.events.filter(pl.col("kind") == "call_leg")["actor_id"].to_list() == [None, "u1", "u2", "u1"]


def test_a_call_that_began_after_the_data_end_is_counted_and_one_that_went_on_is_open(tmp_path):
    rows = [
        row(1, "08:00:00", "+4930123456", "600", "SIP/1002-0b12", "Dial", 100, 90, "ANSWERED", call="1"),
        row(2, "09:00:00", "+4930123456", "600", "SIP/1003-0b13", "Dial", 100, 90, "ANSWERED", call="2"),
    ]
    (tmp_path / "cdr.csv").write_text("\n".join([HEADER, *rows, ""]), encoding="utf-8")
    found = calls.read(tmp_path, data_end=at("08:01:00"), time_zone="UTC")
    assert found.contacts.select("contact_id", "status").rows() == [("1", "open")]
    assert found.agents["agent_id"].to_list() == ["1002"]
    assert [one.count for one in found.manifest.dropped if one.why.startswith("opened after the data end")] == [1]


def test_records_of_two_phone_systems_are_refused_with_both_names(tmp_path):
    nameless = (
        ",".join(f'"{one}"' for one in ("", "+4930123456", "600", "in", "x", "SIP/a", "SIP/b", "Dial", "", *["2026-03-01 08:00:00"] * 3))
        + ',60,50,"ANSWERED","3","1.1",""'
    )
    (tmp_path / "Master.csv").write_text(f"{nameless}\n", encoding="utf-8")
    assert calls.read(tmp_path, data_end=END, time_zone="UTC").contacts.height == 1
    with pytest.raises(DataError, match=r"Asterisk \('Master.csv'\) and Amazon Connect \('records.json'\): import each on its own"):
        connect(tmp_path, contact_record())


def test_a_conversation_exported_again_with_its_end_counts_once_and_pages_must_be_whole(tmp_path):
    going_on = conversation(conversationEnd=None)
    found = genesys(tmp_path, going_on, conversation(), going_on, dataAvailabilityDate="2026-03-20T00:00:00Z", end=None)
    assert found.contacts["closed_at"].to_list() == [at("08:10:00")]
    assert found.manifest.data_end == datetime(2026, 3, 20, tzinfo=UTC)
    with pytest.raises(DataError, match="the export counts 3 records, but 1 are there"):
        genesys(tmp_path, conversation(), totalHits=3)


def test_a_helpdesk_is_not_taken_for_a_phone_system_nor_the_other_way_round(tmp_path):
    (tmp_path / "tickets.json").write_text(
        json.dumps({"tickets": [{"id": 1, "requester_id": 2, "submitter_id": 2, "subject": "x"}]}), encoding="utf-8"
    )
    with pytest.raises(DataError, match="try `fcr import zendesk`"):
        calls.read(tmp_path, data_end=END)
    (tmp_path / "tickets.json").rename(tmp_path / "details.json").write_text(json.dumps(conversation()), encoding="utf-8")
    with pytest.raises(DataError, match="try `fcr import calls`"):
        zendesk.read(tmp_path, data_end=END)


@pytest.mark.parametrize("cut", [0.2, 0.5, 0.9])
@pytest.mark.parametrize("form", ["connect", "genesys"])
def test_a_file_that_was_cut_off_is_refused_with_its_name(tmp_path, form, cut):
    whole = json.dumps(contact_record()) if form == "connect" else json.dumps({"conversations": [conversation()]})
    (tmp_path / "cut.json").write_text(whole[: int(len(whole) * cut)], encoding="utf-8")
    with pytest.raises(DataError, match=r"cut\.json"):
        calls.read(tmp_path, data_end=END)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    form=st.sampled_from(["cdr", "connect", "genesys"]),
    place=st.integers(0, 10_000),
    put=st.sampled_from(['"', "{", "]", ",", ";", "9999", "null", "\x00", "\n", "é"]),
)
def test_a_mangled_export_is_read_or_refused_but_never_breaks(tmp_path, form, place, put):
    spoken = row(1, "08:00:20", "+4930123456", "600", "SIP/1002-00000b12", "Queue", 100, 90, "ANSWERED")
    agent = participant("agent", segment("interact", "08:03", "08:08"), user="u2")
    whole = {
        "cdr": f"{HEADER}\n{spoken}\n",
        "connect": json.dumps(contact_record()),
        "genesys": json.dumps({"conversations": [conversation(agent)]}),
    }[form]
    cut = place % len(whole)
    file = tmp_path / ("export.csv" if form == "cdr" else "export.json")
    for other in tmp_path.iterdir():
        other.unlink()
    file.write_text(whole[:cut] + put + whole[cut + 1 :], encoding="utf-8")
    with suppress(DataError):
        calls.read(tmp_path, data_end=END, time_zone="UTC")
