"""What does an export of Jira Service Management say?"""

import json
import os
import shutil
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fcrlib.intake import jira
from fcrlib.model.desk import Desk
from fcrlib.model.errors import DataError, UsageError

END = datetime(2026, 4, 1, tzinfo=UTC)
ASKER = {"accountId": "c1", "accountType": "customer", "displayName": "Jo Doe", "emailAddress": "jo@example.org"}
AGENT = {"accountId": "a1", "accountType": "atlassian", "displayName": "Agent A"}
ROBOT = {"accountId": "r1", "accountType": "app", "displayName": "Automation for Jira"}
OPEN, WAITING, DONE = (
    {"id": number, "name": name, "statusCategory": {"key": stage}}
    for number, name, stage in (("3", "In Progress", "indeterminate"), ("4", "Waiting for customer", "indeterminate"), ("5", "Abgeschlossen", "done"))
)
SHARED = Path(os.environ.get("FCR_SHARED_DATA", Path(__file__).parents[2] / "../shared/data")) / "platform_seeds" / "jira"


def issue(
    number: int = 1,
    *histories: dict[str, object],
    status: dict[str, object] = DONE,
    comments: list[dict[str, object]] | None = None,
    **fields: object,
) -> dict[str, object]:
    own = {
        "created": at(8), "updated": at(20), "summary": "It fails", "description": "Help me", "status": status, "reporter": ASKER, "creator": ASKER,
        "labels": [], "comment": {"comments": comments or []}, **fields,
    }  # fmt: skip
    return {"id": str(10_000 + number), "key": f"SUP-{number}", "fields": own, "changelog": {"total": len(histories), "histories": list(histories)}}


def at(hour: int) -> str:
    return f"2026-03-01T{hour:02d}:00:00.000+0000"


def utc(hour: int) -> datetime:
    return datetime(2026, 3, 1, hour, tzinfo=UTC)


def moved(hour: int, before: dict[str, object], after: dict[str, object], *, by: dict[str, object] | None = AGENT) -> dict[str, object]:
    item = {"field": "status", "from": before["id"], "fromString": before["name"], "to": after["id"], "toString": after["name"]}
    return {"id": f"h{hour}", "created": at(hour), "author": by, "items": [item]}


def said(hour: int, text: object, *, by: dict[str, object] | None = AGENT, **more: object) -> dict[str, object]:
    return {"id": f"{hour}-{text}"[:20], "author": by, "body": text, "created": at(hour), **more}


def read(
    folder: Path,
    *issues: dict[str, object],
    end: datetime | None = END,
    names: dict[str, str] | None = None,
    asked: dict[str, str] | None = None,
    **files: list[dict[str, object]],
) -> Desk:
    page = {"startAt": 0, "maxResults": 50, "total": len(issues), "issues": list(issues), "names": names or {}}
    for name, content in {"issues": page, "statuses": [OPEN, WAITING, DONE], **files}.items():
        (folder / f"{name}.json").write_text(json.dumps(content), encoding="utf-8")
    return jira.read(folder, data_end=end, fields=asked)


def contact(desk: Desk, number: int = 1) -> dict[str, object]:
    return desk.contacts.row(by_predicate=pl.col("contact_id") == f"SUP-{number}", named=True)


def test_issues_alone_are_a_desk(tmp_path):
    found = contact(read(tmp_path, issue(resolutiondate=at(12), resolution={"name": "Done"})))
    assert (found["first_resolved_at"], found["status"], found["customer_ref"], found["close_reason"]) == (utc(12), "solved", "c1", None)


def test_the_history_comes_from_the_changelog_and_the_comments(tmp_path):
    handed = {"id": "h9", "created": at(9), "author": ROBOT, "items": [{"field": "Team", "to": "7", "toString": "First line"}, {"field": "assignee", "to": "a1", "toString": "Agent A"}]}  # fmt: skip
    talk = [
        said(10, "Which one?", jsdPublic=True),
        said(11, "strange", jsdPublic=False),
        said(12, "The last", by=ASKER, jsdPublic=True),
        said(13, "We have it", by=ROBOT, jsdPublic=True),
    ]
    found = read(tmp_path, issue(1, handed, moved(10, OPEN, WAITING), moved(12, WAITING, OPEN, by=ASKER), moved(14, OPEN, DONE), comments=talk))
    assert found.events.select("kind", "actor", "status_to", "group_to", "agent_to", "public").rows() == [
        ("message", "customer", None, None, None, True),
        ("assignment", "system", None, "First line", "a1", False),
        ("message", "agent", None, None, None, True),
        ("status", "agent", "pending", None, None, False),
        ("note", "agent", None, None, None, False),
        ("message", "customer", None, None, None, True),
        ("status", "customer", "open", None, None, False),
        ("message", "system", None, None, None, True),
        ("status", "agent", "solved", None, None, False),
    ]
    assert contact(found)["first_resolved_at"] == utc(14)
    assert (contact(found)["resolver_group"], contact(found)["resolver_agent"], contact(found)["resolved_by"]) == ("First line", "a1", "human")


def test_a_reopening_is_a_way_out_of_done_and_a_name_alone_is_none(tmp_path):
    named = {"id": "6", "name": "Reopened", "statusCategory": {"key": "done"}}
    found = read(
        tmp_path, issue(1, moved(9, OPEN, DONE), moved(10, DONE, named), moved(11, named, OPEN), moved(12, OPEN, DONE)), statuses=[OPEN, DONE, named]
    )
    told = found.events.filter(kind="status").select("status_from", "status_to").rows()
    assert told == [("open", "solved"), ("solved", "open"), ("open", "solved")]


def test_a_resolution_that_stayed_after_a_reopening_resolves_nothing(tmp_path):
    found = contact(read(tmp_path, issue(status=OPEN, resolution={"name": "Done"}, resolutiondate=at(12))))
    assert (found["status"], found["first_resolved_at"], found["close_reason"]) == ("open", None, None)


def test_a_status_of_which_nobody_says_whether_it_is_done_stops_the_reading(tmp_path):
    odd = {"id": "77", "name": "Zurückgestellt"}
    with pytest.raises(DataError, match=r"no category is known for 'Zurückgestellt' \(1\)") as refused:
        read(tmp_path, issue(1, moved(9, OPEN, odd), moved(10, odd, DONE)))
    assert refused.value.exit_code == 3


def test_texts_are_plain_or_documents_of_the_editor(tmp_path):
    doc = {"type": "doc", "version": 1, "content": [{"type": "paragraph", "content": [{"type": "text", "text": 'It "fails"'}]}, {"type": "paragraph", "content": [{"type": "text", "text": "Help"}]}]}  # fmt: skip
    found = read(tmp_path, issue(description=doc, comments=[said(9, doc, jsdPublic=True)]))
    assert contact(found)["body"] == 'It "fails"\nHelp'
    assert found.events["text"].to_list() == ['It "fails"\nHelp', 'It "fails"\nHelp']


def test_fields_are_found_by_their_names_for_their_numbers_differ_from_site_to_site(tmp_path):
    names = {"customfield_10010": "Request Type", "customfield_555": "Squad", "customfield_9": "Organizations"}
    values = {"customfield_10010": {"requestType": {"name": "Get a refund"}}, "customfield_9": [{"id": "1", "name": "Acme"}]}
    history = {
        "id": "h9",
        "created": at(9),
        "author": AGENT,
        "items": [{"field": "Squad", "fieldId": "customfield_555", "to": None, "toString": "Blue"}],
    }
    found = read(tmp_path, issue(1, history, **values), names=names, asked={"group": "Squad"})
    assert (contact(found)["category"], contact(found)["account_ref"], contact(found)["first_group"]) == ("Get a refund", "Acme", "Blue")
    assert read(tmp_path, issue(1, history, **values), asked={"category": "customfield_10010"}).contacts["category"].to_list() == ["Get a refund"]
    assert any("no custom field 'Colour' holds the tier" in note for note in read(tmp_path, issue(), asked={"tier": "Colour"}).manifest.notes)


def test_every_cycle_of_the_time_to_resolution_after_the_first_is_a_reopening(tmp_path):
    def cycle(start: int, stop: int | None, *, late: bool = False) -> dict[str, object]:
        ends = {"stopTime": {"iso8601": at(stop)}} if stop else {}
        return {"startTime": {"iso8601": at(start)}, **ends, "breached": late, "elapsedTime": {"millis": 1}}

    solution = {"id": "1", "name": "Time to resolution", "completedCycles": [cycle(8, 12), cycle(13, 14)], "ongoingCycle": cycle(15, None)}
    answer = {"id": "2", "name": "Time to first response", "completedCycles": [cycle(8, 9, late=True)]}
    found = contact(read(tmp_path, issue(customfield_1=solution, customfield_2=answer)))
    assert (found["vendor_reopens"], found["vendor_first_resolved_at"], found["vendor_sla_met"], found["wait_seconds"]) == (2, utc(12), False, 3_600)
    linked = [{**one, "_links": {"self": "https://x.example/rest/servicedeskapi/request/10001/sla/1"}} for one in (solution,)]
    beside = contact(read(tmp_path, issue(), sla={"values": linked}))  # type: ignore[arg-type]
    assert (beside["vendor_reopens"], beside["vendor_sla_met"]) == (2, True)


def test_a_rating_is_one_to_five_and_its_day_stands_in_a_field_of_its_own(tmp_path):
    rated = {"customfield_1": {"rating": 4, "comment": {"body": "fine"}}, "customfield_2": at(15)}
    found = read(tmp_path, issue(1, **rated), issue(2, customfield_1={"rating": 1}), names={"customfield_2": "Satisfaction date"})
    assert found.surveys.select("answered_at", "csat", "comment").rows() == [(utc(15), 0.75, "fine"), (utc(20), 0.0, None)]
    assert any("1 ratings do not say when" in note for note in found.manifest.notes)
    with pytest.raises(DataError, match="ratings: 1 are not 1 to 5, the first in issue SUP-1: 8"):
        read(tmp_path, issue(1, customfield_1={"rating": 8}))


def test_an_issue_that_repeats_another_names_it(tmp_path):
    links = [
        {"type": {"name": "Duplicate", "outward": "duplicates", "inward": "is duplicated by"}, "outwardIssue": {"key": "SUP-2"}},
        {"type": {"name": "Problem/Incident", "outward": "causes"}, "inwardIssue": {"key": "PRB-9"}},
    ]
    other = [{"type": {"name": "Duplicate", "outward": "duplicates", "inward": "is duplicated by"}, "inwardIssue": {"key": "SUP-1"}}]
    found = read(tmp_path, issue(1, issuelinks=links, resolution={"name": "Duplicate"}, resolutiondate=at(9)), issue(2, issuelinks=other))
    assert (contact(found)["merged_into"], contact(found)["close_reason"], contact(found)["issue_key"]) == ("SUP-2", "duplicate", "PRB-9")
    assert contact(found, 2)["merged_into"] is None


def test_an_employee_who_asks_is_no_agent_and_an_agent_who_asks_asks_for_the_house(tmp_path):
    staff = {"accountId": "e1", "accountType": "atlassian", "displayName": "Employee E"}
    found = read(tmp_path, issue(1, moved(9, OPEN, DONE), reporter=staff, creator=staff), issue(2, reporter=AGENT, creator=AGENT))
    assert found.agents["agent_id"].to_list() == ["a1"]
    assert (contact(found)["customer_ref"], contact(found)["is_internal"]) == ("e1", False)
    assert (contact(found, 2)["customer_ref"], contact(found, 2)["is_internal"], contact(found, 2)["initiated_by"]) == (None, True, "company")


def test_what_an_agent_wrote_down_for_somebody_is_no_message_of_theirs(tmp_path):
    found = read(tmp_path, issue(creator=AGENT))
    assert found.events.is_empty()
    assert (contact(found)["customer_ref"], contact(found)["initiated_by"]) == ("c1", "customer")


def test_who_may_answer_but_neither_held_nor_moved_anything_is_not_known_to_be_an_agent(tmp_path):
    other = {"accountId": "e2", "accountType": "atlassian"}
    friend = {"accountId": "c2", "accountType": "customer"}
    found = read(
        tmp_path,
        issue(1, comments=[said(9, "hm", by=other), said(10, "me too", by=friend), said(11, "hidden", by=AGENT, visibility={"value": "Staff"})]),
    )
    assert found.events.select("kind", "actor").rows()[1:] == [("message", "unknown"), ("message", "customer"), ("note", "agent")]


def test_working_time_is_what_was_logged(tmp_path):
    logs = {"worklogs": [{"timeSpentSeconds": 60}, {"timeSpentSeconds": 30}]}
    found = read(tmp_path, issue(1, worklog=logs), issue(2, timespent=600, worklog=logs), issue(3))
    assert [contact(found, number)["handle_seconds"] for number in (1, 2, 3)] == [90, 600, None]


def test_a_changelog_that_was_cut_is_noted_and_one_beside_makes_it_whole(tmp_path):
    cut = issue(1, moved(9, OPEN, DONE))
    cut["changelog"]["total"] = 3  # type: ignore[index]
    assert any("the changelog of 1 of 1 issues is cut, e.g. SUP-1 (1 of 3 entries)" in note for note in read(tmp_path, cut).manifest.notes)
    more = [{"issueId": "10001", "changeHistories": [moved(9, OPEN, DONE), moved(10, DONE, OPEN), moved(11, OPEN, DONE)]}]
    found = read(tmp_path, cut, bulk={"issueChangeLogs": more})  # type: ignore[arg-type]
    assert found.events.filter(kind="status")["at"].to_list() == [utc(9), utc(10), utc(11)]
    assert not any("is cut" in note for note in found.manifest.notes)


def test_the_channel_is_a_property_of_the_request(tmp_path):
    one = {**issue(), "properties": {"request.channel": {"value": "email"}}}
    assert contact(read(tmp_path, one))["channel"] == "email"


def test_a_table_of_the_issue_search_is_read_by_its_headers(tmp_path):
    header = "Summary,Issue key,Issue id,Status,Resolution,Reporter,Created,Updated,Resolved,Custom field (Request Type)"
    row = "It fails,SUP-1,10001,Done,Done,jo,01/Mar/26 8:00 AM,01/Mar/26 9:00 PM,01/Mar/26 12:00 PM,Get a refund"
    (tmp_path / "export.csv").write_text(f"{header}\n{row}\n", encoding="utf-8")
    found = contact(jira.read(tmp_path, data_end=END, time_zone="Europe/Berlin"))
    assert (found["opened_at"], found["first_resolved_at"], found["category"]) == (utc(7), utc(11), "Get a refund")
    with pytest.raises(DataError, match="have no time zone"):
        jira.read(tmp_path, data_end=END)


def searched(folder: Path, header: str, row: str) -> Desk:
    (folder / "search.csv").write_text(f"Issue key,Issue id,Status,Created,{header}\nSUP-1,10001,Done,01/Mar/26 8:00 AM,{row}\n", encoding="utf-8")
    return jira.read(folder, data_end=END, time_zone="UTC")


def test_every_comment_and_component_of_a_table_is_read_and_the_account_goes_before_the_name(tmp_path):
    header = "Reporter,Reporter Id,Comment,Comment,Comment,Component/s,Component/s"
    row = 'Jo Doe,c1,"01/Mar/26 9:00 AM;a1;Which; one?","01/Mar/26 10:00 AM;c1;The ""last""\none",,Billing,Web'
    found = searched(tmp_path, header, row)
    assert found.events.select("at", "actor", "actor_id", "text").rows() == [
        (utc(9), "unknown", None, "Which; one?"), (utc(10), "customer", "c1", 'The "last"\none'),
    ]  # fmt: skip
    assert (contact(found)["customer_ref"], contact(found)["product_area"]) == ("c1", "Billing")
    assert any("2 comments stand in a table that does not say which of them are internal" in note for note in found.manifest.notes)


@pytest.mark.parametrize("text", ["01/Mar/26 9:00 AM;c1;[a]", '["x"'])
def test_one_comment_of_a_table_is_one_whatever_it_says(tmp_path, text):
    quoted = text.replace('"', '""')
    assert searched(tmp_path, "Comment", f'"{quoted}"').events["text"].drop_nulls().to_list() == (["[a]"] if text.endswith("[a]") else [])


def test_pages_of_one_issue_are_its_own_by_their_address_or_the_name_of_their_file(tmp_path):
    (tmp_path / "SUP-2").mkdir()
    pages = {
        "changelog_a": {"self": "https://x.example/rest/api/3/issue/SUP-1/changelog", "isLast": True, "values": [moved(9, OPEN, DONE)]},
        "SUP-2/changelog": {"isLast": True, "values": [moved(10, OPEN, DONE)]},
        "SUP-2/comments": {"comments": [said(9, "Which one?", jsdPublic=True)]},
    }
    for name, page in pages.items():
        (tmp_path / f"{name}.json").write_text(json.dumps(page), encoding="utf-8")
    found = read(tmp_path, issue(description=None), issue(2, description=None))
    assert found.contacts["first_resolved_at"].to_list() == [utc(9), utc(10)]
    assert found.events.filter(kind="message")["contact_id"].to_list() == ["SUP-2"]


def test_comments_that_lie_beside_are_not_missed(tmp_path):
    short = issue(comment={"total": 2, "comments": [said(9, "one", jsdPublic=True)]})
    assert any("the comments of 1 of 1 issues are cut, e.g. SUP-1 (1 of 2)" in note for note in read(tmp_path, short).manifest.notes)
    beside = [{**said(hour, "one" if hour == 9 else "two", jsdPublic=True), "issueId": "10001"} for hour in (9, 10)]
    found = read(tmp_path, short, comments=beside)
    assert found.events.filter(pl.col("text").is_in(["one", "two"])).height == 2
    assert not any("are cut" in note for note in found.manifest.notes)


def test_a_status_that_tables_give_by_its_number_means_what_its_name_says_within_its_category(tmp_path):
    tables = {
        "issue": "id,key,status,created,reporter\n10001,SUP-1,9,2026-03-01 08:00:00,c1\n",
        "status": "id,name,status_category_id\n9,Reopened,2\n5,Done,3\n",
        "issue_field_history": "field_id,issue_id,time,value,author_id\nstatus,10001,2026-03-01 09:00:00,5,a1\nstatus,10001,2026-03-01 10:00:00,9,a1\n",
    }
    for name, text in tables.items():
        (tmp_path / f"{name}.csv").write_text(text, encoding="utf-8")
    found = jira.read(tmp_path, data_end=END, time_zone="UTC")
    assert found.events["status_to"].to_list() == ["solved", "open"]
    (tmp_path / "issue_field_history.csv").write_text(tables["issue_field_history"].replace("2026-03-01 10:00:00", "yesterday"), encoding="utf-8")
    with pytest.raises(DataError, match=r"issue_field_history\.csv:3: 'yesterday'"):
        jira.read(tmp_path, data_end=END, time_zone="UTC")


def test_the_data_end_is_asked_for(tmp_path):
    with pytest.raises(UsageError, match="--data-end is needed"):
        read(tmp_path, issue(), end=None)


def test_a_page_that_was_not_fetched_is_missed(tmp_path):
    (tmp_path / "issues.json").write_text(json.dumps({"startAt": 0, "maxResults": 1, "total": 4, "issues": [issue()]}), encoding="utf-8")
    with pytest.raises(DataError, match="the export counts 4 records, but 1 are there"):
        jira.read(tmp_path, data_end=END)


def test_a_date_that_is_none_is_named_with_its_file_and_row(tmp_path):
    with pytest.raises(DataError, match=r"opened_at: .*issues\.json:2"):
        read(tmp_path, issue(), issue(2, created="yesterday"))


@pytest.mark.realdata
def test_the_tables_of_a_warehouse_are_read(tmp_path):
    if not SHARED.exists():
        pytest.skip("the tables are not here")
    with pytest.raises(DataError, match=r"no category is known for '10003' \(2\)"):
        jira.read(SHARED, data_end=datetime(2020, 12, 1, tzinfo=UTC), time_zone="UTC")
    shutil.copytree(SHARED, tmp_path / "seeds")
    with (tmp_path / "seeds" / "status.csv").open("a", encoding="utf-8") as file:
        file.write("\n10003,2020-11-23 22:20:40.404,,Selected,2\n")
    found = jira.read(tmp_path / "seeds", data_end=datetime(2020, 12, 1, tzinfo=UTC), time_zone="UTC")
    assert set(found.contacts["contact_id"]) == {"TP-8", "TP-12", "TCP-1", "TP-10"}
    assert set(found.contacts["priority"]) == {"Medium", "Lowest", "Highest"}
    assert found.events.filter(pl.col("group_to").is_not_null()).height == 3
    assert found.events.filter(kind="message").height == 4
    assert [one.what for one in found.manifest.dropped] == ["events"]


TOUCHED = ("created", "status", "reporter", "comment", "issuelinks", "customfield_1", "labels", "worklog", "resolutiondate", "description")
JUNK = st.none() | st.integers(-5, 10**12) | st.text(max_size=6) | st.booleans() | st.lists(st.integers(), max_size=2) | st.just({}) | st.just([{}])


@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(mangled=st.dictionaries(st.sampled_from(TOUCHED), JUNK, max_size=3), inside=st.dictionaries(st.sampled_from(["created", "author", "items", "id"]), JUNK, max_size=2))  # fmt: skip
def test_a_mangled_issue_is_read_or_refused_in_words(tmp_path, mangled, inside):
    odd = issue(2, {**moved(9, OPEN, DONE), **inside})
    odd["fields"].update(mangled)  # type: ignore[attr-defined]
    with suppress(DataError):
        assert "SUP-1" in read(tmp_path, issue(), odd).contacts["contact_id"]
