"""What does Jira send that nobody here wrote?"""

import csv
import json
from datetime import UTC, datetime
from pathlib import Path

import polars as pl
import pytest

from fcrlib.intake import jira
from fcrlib.model.desk import Desk
from fcrlib.model.errors import DataError

END = datetime(2026, 4, 30, tzinfo=UTC)
HOST = "https://x.atlassian.net/rest/api/3/issue"
NAMES = {"customfield_10001": "Team", "customfield_10020": "Time to resolution"}
DONE = {"name": "Resolved", "statusCategory": {"key": "done"}}
OPEN = {"name": "Open", "statusCategory": {"key": "new"}}


def account(key: str, name: str, kind: str = "atlassian") -> dict[str, str]:
    return {"accountId": key, "displayName": name, "accountType": kind}


ANN, BOB, ASKER = account("5a:ann", "Nneka Okafor"), account("5a:bob", "Bodil Quist"), account("qm:jo", "Jolanta Wiśniewska", "customer")


def moment(hour: int, day: int = 2) -> str:
    return f"2026-03-{day:02d}T{hour:02d}:00:00.000+0000"


def change(field: str, before: object, after: object, hour: int, *, day: int = 2, who: dict[str, str] = ANN) -> dict[str, object]:
    ids = {"Open": "1", "In Progress": "3", "Resolved": "5", "Reopened": "4"}
    old, new = ((one["accountId"], one["displayName"]) if isinstance(one, dict) else (ids.get(str(one)), one) for one in (before, after))
    field_id = "customfield_10001" if field == "Team" else field
    item = {"field": field, "fieldId": field_id, "from": old[0], "fromString": old[1], "to": new[0], "toString": new[1]}
    return {"id": f"{day}{hour:02d}{field}", "created": moment(hour, day), "author": who, "items": [item]}


def issue(number: int = 1, *changes: dict[str, object], **fields: object) -> dict[str, object]:
    told = {"created": moment(8), "updated": moment(8, 9), "summary": "VPN", "status": OPEN, "reporter": ASKER, "creator": ASKER, **fields}
    log = {"startAt": 0, "maxResults": 100, "total": len(changes), "histories": list(changes)}
    return {"id": f"{10_000 + number}", "key": f"SUP-{number}", "self": f"{HOST}/{10_000 + number}", "fields": told, "changelog": log}


def page(*issues: dict[str, object]) -> dict[str, object]:
    return {"startAt": 0, "maxResults": 50, "total": len(issues), "issues": list(issues), "names": NAMES}


def read(folder: Path, **files: object) -> Desk:
    for name, told in files.items():
        (folder / f"{name}.json").write_text(json.dumps(told), encoding="utf-8")
    return jira.read(folder, data_end=END)


def cycle(start: int, stop: int, *, broken: bool) -> dict[str, object]:
    return {"startTime": {"iso8601": moment(start)}, "stopTime": {"iso8601": moment(stop)}, "breached": broken, "goalDuration": {"millis": 7_200_000}}


def comment(number: int, who: dict[str, str], text: str, *, public: bool = True) -> dict[str, object]:
    return {"self": f"{HOST}/10001/comment/{number}", "id": str(number), "author": who, "body": text, "created": moment(9), "jsdPublic": public}


def test_promised_times_of_the_request_resource_count_as_those_of_the_field_do(tmp_path):
    kept = {"id": "7", "name": "Time to resolution", "completedCycles": [cycle(8, 9, broken=False), cycle(10, 12, broken=True)]}
    for folder in ("field", "resource"):
        (tmp_path / folder).mkdir()
    within = read(tmp_path / "field", search=page(issue(customfield_10020=kept)))
    link = {"self": "https://x.atlassian.net/rest/servicedeskapi/request/SUP-1/sla/7"}
    beside = read(tmp_path / "resource", search=page(issue()), sla={"size": 1, "isLastPage": True, "values": [{**kept, "_links": link}]})
    assert within.contacts["vendor_sla_met"].to_list() == beside.contacts["vendor_sla_met"].to_list() == [False]


def test_a_status_called_reopened_that_was_never_done_before_is_no_reopening(tmp_path):
    found = read(tmp_path, search=page(issue(1, change("status", "Open", "In Progress", 9), change("status", "In Progress", "Reopened", 10))))
    assert found.contacts.select("first_resolved_at", "vendor_reopens").row(0) == (None, None)


def test_an_issue_that_is_open_again_was_resolved_though_its_resolution_stayed(tmp_path):
    again = (change("status", "Open", "Resolved", 10), change("status", "Resolved", "In Progress", 10, day=3))
    status = {"name": "In Progress", "statusCategory": {"key": "indeterminate"}}
    one = read(tmp_path, search=page(issue(1, *again, status=status, resolution={"name": "Done"}, resolutiondate=moment(10)))).contacts.row(
        0, named=True
    )
    assert (one["status"], one["first_resolved_at"], one["closed_at"]) == ("open", datetime(2026, 3, 2, 10, tzinfo=UTC), None)


def test_a_change_of_the_team_that_an_issue_was_made_with_is_a_transfer(tmp_path):
    changes = (change("assignee", ANN, BOB, 9), change("Team", "First", "Second", 10), change("status", "Open", "Resolved", 11))
    found = read(tmp_path, search=page(issue(1, *changes, status=DONE, assignee=BOB, customfield_10001="Second")))
    moved = found.events.row(by_predicate=pl.col("group_to") == "Second", named=True)
    assert (moved["kind"], moved["group_from"]) == ("transfer", "First")
    assert found.contacts.select("first_group", "first_agent").row(0) == ("First", "5a:ann")


def test_the_team_of_an_issue_that_never_changed_hands_resolved_it(tmp_path):
    found = read(
        tmp_path, search=page(issue(1, change("status", "Open", "Resolved", 11), status=DONE, assignee=ANN, customfield_10001={"name": "Second"}))
    )
    assert found.contacts["resolver_group"].to_list() == ["Second"]


def test_the_changelog_of_one_issue_may_lie_beside_it_in_pages(tmp_path):
    bare = {name: value for name, value in issue(status=DONE).items() if name != "changelog"}
    pages = {
        f"changelog_{start}": {
            "self": f"{HOST}/SUP-1/changelog?startAt={start}", "maxResults": 1, "startAt": start, "total": 2, "isLast": start == 1, "values": [one],
        }
        for start, one in enumerate((change("assignee", None, ANN, 9), change("status", "Open", "Resolved", 10)))
    }  # fmt: skip
    assert read(tmp_path, search=page(bare), **pages).contacts["first_resolved_at"].to_list() == [datetime(2026, 3, 2, 10, tzinfo=UTC)]


def test_the_comments_of_one_issue_may_lie_beside_it(tmp_path):
    told = [comment(1, ANN, "Please restart"), comment(2, ANN, "the router again", public=False)]
    found = read(tmp_path, search=page(issue()), comments={"startAt": 0, "maxResults": 50, "total": 2, "comments": told})
    assert found.events.filter(pl.col("actor") == "agent").select("kind", "public").rows() == [("message", True), ("note", False)]


def test_comments_that_were_cut_off_are_told(tmp_path):
    cut = {"startAt": 0, "maxResults": 1, "total": 30, "comments": [comment(1, ANN, "Please restart")]}
    found = read(tmp_path, search=page(issue(comment=cut)))
    assert any("comments" in note and "SUP-1" in note for note in found.manifest.notes)


def test_every_column_of_labels_of_the_issue_search_is_read(tmp_path):
    rows = [["Issue key", "Issue id", "Summary", "Status", "Reporter", "Created", "Labels", "Labels"],
            ["SUP-1", "10001", "VPN", "Open", "Jo", "02/Mar/26 8:00 AM", "vpn", "net"]]  # fmt: skip
    with (tmp_path / "search.csv").open("w", newline="", encoding="utf-8") as stream:
        csv.writer(stream).writerows(rows)
    assert jira.read(tmp_path, data_end=END, time_zone="UTC").contacts["tags"].to_list() == [["vpn", "net"]]


def test_one_issue_that_was_made_at_two_times_shows_that_two_desks_are_mixed(tmp_path):
    rest = {"self": None}
    with pytest.raises(DataError, match="mixed"):
        read(tmp_path, one=page({**issue(), **rest}), two=page({**issue(created=moment(8, 5)), **rest}))


def test_the_names_of_known_accounts_leave_the_text(tmp_path):
    words = [{"type": "mention", "attrs": {"id": "5a:ann", "text": "@Nneka Okafor"}}, {"type": "text", "text": " call Jolanta Wiśniewska"}]
    body = {"version": 1, "type": "doc", "content": [{"type": "paragraph", "content": words}]}
    text = read(tmp_path, search=page(issue(description=body, assignee=ANN))).contacts["body"][0]
    assert "Okafor" not in text
    assert "Wiśniewska" not in text


def test_the_rating_of_one_request_may_lie_beside_it(tmp_path):
    link = {"self": "https://x.atlassian.net/rest/servicedeskapi/request/SUP-1/feedback"}
    found = read(tmp_path, search=page(issue()), feedback={"type": "csat", "rating": 2, "comment": {"body": "slow"}, "_links": link})
    assert found.surveys.select("contact_id", "csat_raw").rows() == [("SUP-1", "2")]
