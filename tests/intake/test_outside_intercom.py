"""Is an Intercom export read as somebody would write it who knows only what Intercom says about it?"""

import json
from datetime import UTC, datetime
from pathlib import Path

import polars as pl
import pytest

from fcrlib.intake import intercom
from fcrlib.model.desk import Desk
from fcrlib.model.errors import DataError

END = datetime(2026, 4, 1, tzinfo=UTC)
ADMINS = [{"type": "admin", "id": str(one), "name": f"Agent {one}"} for one in (71, 72)]
PEOPLE = [{"type": "contact", "id": f"c{one}", "external_id": f"X{one}", "email": "same@example.org", "role": "user"} for one in (10, 11, 12)]


def moment(day: int, hour: int = 10) -> datetime:
    return datetime(2026, 3, day, hour, tzinfo=UTC)


def at(day: int, hour: int = 10) -> int:
    return int(moment(day, hour).timestamp())


def part(number: int, kind: str, when: int, who: str, name: str, body: str | None = None, **more: object) -> dict[str, object]:
    author = {"type": who, "id": name, "from_ai_agent": False, "is_ai_answer": False}
    return {
        "type": "conversation_part",
        "id": str(number),
        "part_type": kind,
        "created_at": when,
        "updated_at": when,
        "author": author,
        "body": body,
        **more,
    }


def talk(
    number: int, *parts: dict[str, object], state: str = "closed", person: str = "c10", delivered: str = "customer_initiated", **more: object
) -> dict[str, object]:
    author = {"type": "user" if delivered == "customer_initiated" else "bot", "id": person}
    return {
        "type": "conversation",
        "id": str(number),
        "created_at": at(1),
        "updated_at": at(9),
        "state": state,
        "open": state == "open",
        "admin_assignee_id": 71,
        "team_assignee_id": "0",
        "source": {"type": "email", "delivered_as": delivered, "subject": "", "body": "<p>Hello <b>there</b></p>", "author": author},
        "contacts": {"contacts": [{"type": "contact", "id": person}]},
        "conversation_parts": {"conversation_parts": list(parts), "total_count": len(parts)},
        **more,
    }


def reopened(**more: object) -> dict[str, object]:
    given = {"assigned_to": {"type": "admin", "id": "72"}}
    parts = (
        part(1, "comment", at(1, 11), "admin", "71", "<p>Do this</p>"),
        part(2, "close", at(1, 12), "admin", "71"),
        part(3, "assign_and_reopen", at(2), "admin", "71", **given),
        part(4, "comment", at(2, 11), "admin", "72", "<p>Fixed</p>"),
        part(5, "close", at(2, 12), "admin", "72"),
    )
    return talk(1, *parts, **{"admin_assignee_id": 72, **more})


def read(folder: Path, **lists: list[dict[str, object]]) -> Desk:
    for name, rows in {"admins": ADMINS, "contacts": PEOPLE, **lists}.items():
        (folder / f"{name}.json").write_text(json.dumps({"type": "list", name: rows}), encoding="utf-8")
    return intercom.read(folder, data_end=END)


def contact(desk: Desk, number: str = "1") -> dict[str, object]:
    return desk.contacts.row(by_predicate=pl.col("contact_id") == number, named=True)


def test_who_closed_it_first_resolved_it_and_not_who_holds_it_today(tmp_path):
    found = contact(read(tmp_path, conversations=[reopened()]))
    assert (found["first_agent"], found["resolver_agent"]) == ("71", "71")


def test_parts_that_were_not_fetched_are_noticed(tmp_path):
    some = reopened()
    some["conversation_parts"] = {"conversation_parts": some["conversation_parts"]["conversation_parts"][:2], "total_count": 5}
    try:
        manifest = read(tmp_path, conversations=[some]).manifest
    except DataError:
        return
    assert "parts" in " ".join([*manifest.notes, *(f"{one.what} {one.why}" for one in manifest.dropped)])


def test_parts_are_numbered_within_their_conversation(tmp_path):
    second = {**reopened(), "id": "2", "contacts": {"contacts": [{"type": "contact", "id": "c11"}]}}
    found = read(tmp_path, conversations=[reopened(), second])
    assert [contact(found, one)["first_resolved_at"] for one in "12"] == [moment(1, 12), moment(1, 12)]
    assert found.events.group_by("contact_id").len().sort("contact_id")["len"].n_unique() == 1


def request(number: int) -> dict[str, object]:
    changes = [
        ("submitted", "in_progress", at(1, 11)),
        ("in_progress", "resolved", at(1, 12)),
        ("resolved", "in_progress", at(2)),
        ("in_progress", "resolved", at(3)),
    ]
    parts = [
        part(place, "ticket_state_updated_by_admin", when, "admin", "71", type="ticket_part", previous_ticket_state=before, ticket_state=after)
        for place, (before, after, when) in enumerate(changes, start=900)
    ]
    return {
        "type": "ticket",
        "id": str(number),
        "ticket_attributes": {"_default_title_": "No light", "_default_description_": "It is dark"},
        "ticket_state": "resolved",
        "ticket_type": {"id": "1", "name": "Bug"},
        "contacts": {"contacts": [{"id": "c10"}]},
        "admin_assignee_id": "0",
        "team_assignee_id": "0",
        "created_at": at(1),
        "updated_at": at(3),
        "ticket_parts": {"ticket_parts": parts, "total_count": 4},
    }


def test_tickets_alone_are_a_desk(tmp_path):
    found = contact(read(tmp_path, tickets=[request(500)]), "500")
    assert (found["first_resolved_at"], found["last_resolved_at"]) == (moment(1, 12), moment(3))


def test_a_ticket_has_the_title_and_the_description_that_were_filled_in(tmp_path):
    found = contact(read(tmp_path, conversations=[reopened()], tickets=[request(500)]), "500")
    assert (found["subject"], found["body"]) == ("No light", "It is dark")


@pytest.mark.parametrize("delivered", ["operator_initiated", "automated"])
def test_what_a_machine_began_the_customer_did_not(tmp_path, delivered):
    found = contact(read(tmp_path, conversations=[talk(1, state="open", delivered=delivered)]))
    assert found["initiated_by"] in ("system", "company")


def test_tickets_beside_conversations_have_their_states(tmp_path):
    found = contact(read(tmp_path, conversations=[reopened()], tickets=[request(500)]), "500")
    assert (found["status"], found["first_resolved_at"], found["last_resolved_at"]) == ("solved", moment(1, 12), moment(3))
    assert (found["first_agent"], found["resolver_agent"]) == (None, None)


def dated(value: object) -> object:
    if isinstance(value, dict):
        return {name: dated(one) for name, one in value.items()}
    if isinstance(value, list):
        return [dated(one) for one in value]
    return datetime.fromtimestamp(value, UTC).isoformat() if isinstance(value, int) and value > 10**9 else value


def lines(folder: Path, name: str, rows: list[object]) -> None:
    (folder / f"{name}.jsonl").write_text("".join(f"{json.dumps(one)}\n" for one in rows), encoding="utf-8")


def apart() -> tuple[dict[str, object], list[dict[str, object]]]:
    whole = reopened()
    parts = whole["conversation_parts"]["conversation_parts"]
    return {**whole, "conversation_parts": None}, [{**one, "conversation_id": "1"} for one in parts]


def as_pages(folder: Path) -> None:
    page = {"type": "conversation.list", "conversations": [reopened()], "total_count": 1, "pages": {"page": 1, "total_pages": 1}}
    (folder / "conversations.json").write_text(json.dumps(page), encoding="utf-8")


def as_one_answer(folder: Path) -> None:
    (folder / "1.json").write_text(json.dumps(reopened()), encoding="utf-8")


def as_dated_lines(folder: Path) -> None:
    lines(folder, "conversations", [dated(reopened())])


def as_two_lists(folder: Path) -> None:
    whole, parts = apart()
    lines(folder, "conversations", [whole])
    lines(folder, "conversation_parts", [dated(one) for one in parts])


def as_singer(folder: Path) -> None:
    whole, parts = apart()
    told = [("conversations", whole), *(("conversation_parts", one) for one in parts)]
    lines(folder, "out", [{"type": "RECORD", "stream": name, "record": one} for name, one in told])


def as_airbyte(folder: Path) -> None:
    whole, parts = apart()
    told = [("conversations", whole), *(("conversation_parts", one) for one in parts)]
    lines(folder, "out", [{"stream": name, "data": one, "emitted_at": 1775001600000} for name, one in told])


@pytest.mark.parametrize("write", [as_pages, as_one_answer, as_dated_lines, as_two_lists, as_singer, as_airbyte])
def test_every_wrapping_holds_the_same_conversation(tmp_path, write):
    write(tmp_path)
    found = intercom.read(tmp_path, data_end=END)
    row = contact(found)
    assert (row["opened_at"], row["first_resolved_at"], row["last_resolved_at"], row["body"]) == (
        moment(1),
        moment(1, 12),
        moment(2, 12),
        "Hello there",
    )
    status = found.events.filter(pl.col("kind") == "status").select("status_from", "status_to").rows()
    assert status == [("open", "closed"), ("closed", "open"), ("open", "closed")]


def test_three_contacts_with_one_address_keep_it_so_that_they_can_be_joined(tmp_path):
    found = read(tmp_path, conversations=[talk(one, state="open", person=f"c{one}") for one in (10, 11, 12)]).identifiers
    assert found.filter(pl.col("kind") == "email").select(pl.len(), values=pl.col("value_norm").n_unique()).row(0) == (3, 1)


def test_a_rating_that_was_asked_for_and_not_given_is_no_answer(tmp_path):
    asked = {"rating": None, "remark": None, "created_at": at(2), "updated_at": None}
    given = {"rating": 2, "remark": "meh", "created_at": at(2), "updated_at": at(3)}
    found = read(tmp_path, conversations=[talk(1, conversation_rating=asked), talk(2, conversation_rating=given)]).surveys
    assert found.select("contact_id", "offered_at", "answered_at", "csat").rows() == [("1", moment(2), None, None), ("2", moment(2), moment(3), 0.25)]


def test_an_agent_of_number_nought_is_nobody(tmp_path):
    found = contact(read(tmp_path, conversations=[talk(1, state="open", admin_assignee_id="0")]))
    assert (found["first_agent"], found["resolver_agent"], found["resolver_group"]) == (None, None, None)


def test_a_note_is_not_public_and_a_machine_is_no_agent(tmp_path):
    parts = (part(1, "comment", at(1, 11), "bot", "9", "We will be back"), part(2, "note", at(1, 12), "admin", "71", "psst"))
    found = read(tmp_path, conversations=[talk(1, *parts, state="open")]).events
    assert found.select("kind", "actor", "public").rows() == [("message", "customer", True), ("message", "system", True), ("note", "agent", False)]


def test_the_names_of_everybody_leave_the_texts(tmp_path):
    people = [{**PEOPLE[0], "name": "Nneka Okafor"}]
    parts = (part(1, "comment", at(1, 11), "admin", "71", "Nneka Okafor and Ola Lindqvist spoke"),)
    admins = [{**ADMINS[0], "name": "Ola Lindqvist"}]
    text = " ".join(read(tmp_path, conversations=[talk(1, *parts)], contacts=people, admins=admins).events["text"].drop_nulls())
    assert ("Okafor" in text, "Lindqvist" in text, "spoke" in text) == (False, False, True)


def test_whoever_was_given_it_later_did_not_resolve_what_nobody_had_before(tmp_path):
    later = (
        part(1, "close", at(1, 12), "bot", "9"),
        part(2, "assignment", at(2), "admin", "71", assigned_to={"type": "admin", "id": "72"}),
    )
    found = contact(read(tmp_path, conversations=[talk(1, *later, admin_assignee_id=72)]))
    assert (found["first_resolved_at"], found["first_agent"], found["resolver_agent"]) == (moment(1, 12), "72", None)
