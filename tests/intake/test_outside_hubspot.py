"""What does HubSpot send that nobody here wrote?"""

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest

from fcrlib.intake import hubspot
from fcrlib.model.desk import Desk
from fcrlib.model.errors import DataError

END = datetime(2026, 4, 30, tzinfo=UTC)
OWNERS = [{"id": "71", "firstName": "Nneka", "lastName": "Okafor", "teams": [{"id": "301", "name": "First", "primary": True}]}]


def stage(key: str, label: str, *, closed: bool = False) -> dict[str, object]:
    return {"id": key, "label": label, "metadata": {"isClosed": str(closed).lower(), "ticketState": "CLOSED" if closed else "OPEN"}}


PIPELINES = [
    {"id": "0", "label": "Support", "stages": [stage("1", "New"), stage("4", "Closed", closed=True)]},
    {"id": "88", "label": "Repairs", "stages": [stage("101", "Received"), stage("4", "Checking"), stage("104", "Shipped", closed=True)]},
]


def ticket(number: int = 1, *stages: tuple[str, int], **more: object) -> dict[str, object]:
    told = {
        "subject": "Help",
        "createdate": "2026-03-02T08:00:00.000Z",
        "hs_pipeline": "0",
        "hs_pipeline_stage": "1",
        "hubspot_owner_id": "71",
        **more,
    }
    history = [{"value": value, "timestamp": f"2026-03-02T{hour:02d}:00:00Z", "sourceType": "CRM_UI"} for value, hour in reversed(stages)]
    row: dict[str, object] = {"id": str(9000 + number), "properties": told, "archived": False}
    return {**row, "propertiesWithHistory": {"hs_pipeline_stage": history}} if stages else row


def read(folder: Path, *tickets: dict[str, object], name: str = "tickets") -> Desk:
    for file, rows in {name: list(tickets), "pipelines": PIPELINES, "owners": OWNERS}.items():
        (folder / f"{file}.json").write_text(json.dumps({"results": rows}), encoding="utf-8")
    return hubspot.read(folder, data_end=END)


def test_stage_4_closes_a_ticket_in_the_default_pipeline_alone(tmp_path):
    found = read(
        tmp_path,
        ticket(1, ("1", 8), ("4", 9), hs_pipeline_stage="4", closed_date="2026-03-02T09:00:00.000Z"),
        ticket(2, ("101", 8), ("4", 9), hs_pipeline="88", hs_pipeline_stage="4"),
        ticket(3, ("101", 8), ("104", 9), hs_pipeline="88", hs_pipeline_stage="104", closed_date="2026-03-02T09:00:00.000Z"),
    )
    assert found.contacts.sort("contact_id")["status"].to_list() == ["closed", "open", "closed"]


def test_times_written_as_milliseconds_read_as_those_with_a_zone_do(tmp_path):
    for folder in ("words", "numbers"):
        (tmp_path / folder).mkdir()
    words = read(tmp_path / "words", ticket(hs_pipeline_stage="4", closed_date="2026-03-02T09:00:00.000Z"))
    numbers = read(tmp_path / "numbers", ticket(hs_pipeline_stage="4", createdate="1772438400000", closed_date="1772442000000"))
    assert numbers.contacts.equals(words.contacts)


def test_nobody_has_resolved_a_ticket_that_is_open(tmp_path):
    assert read(tmp_path, ticket()).contacts.select("resolver_agent", "resolver_group").row(0) == (None, None)


def test_one_ticket_that_was_made_at_two_times_shows_that_two_desks_are_mixed(tmp_path):
    read(tmp_path, ticket(), name="tickets_a")
    with pytest.raises(DataError, match="mixed"):
        read(tmp_path, ticket(createdate="2026-03-09T08:00:00.000Z", subject="Something else"), name="tickets_b")


def test_the_names_of_known_owners_leave_the_text(tmp_path):
    assert "Okafor" not in read(tmp_path, ticket(content="Nneka Okafor promised a call")).contacts["body"][0]


def test_the_first_owner_is_the_first_agent_and_the_owner_of_the_day_the_resolver(tmp_path):
    one = ticket(1, ("1", 8), ("4", 10), hs_pipeline_stage="4", closed_date="2026-03-02T10:00:00.000Z", hubspot_owner_id="73")
    owned = [("73", "2026-03-02T11:00:00Z"), ("72", "2026-03-02T09:00:00Z"), ("71", "2026-03-02T08:00:00Z")]
    one["propertiesWithHistory"]["hubspot_owner_id"] = [{"value": value, "timestamp": at, "sourceType": "CRM_UI"} for value, at in owned]
    assert read(tmp_path, one).contacts.select("first_agent", "resolver_agent").row(0) == ("71", "72")
