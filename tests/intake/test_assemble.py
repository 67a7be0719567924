"""How do the steps of an export become a history, and what does it say about a contact?"""

from datetime import UTC, datetime, timedelta

import polars as pl
import pytest

from fcrlib.intake.canonical import assemble, finish, flags, thanks, typed
from fcrlib.intake.canonical.told import Told
from fcrlib.model.errors import UsageError

DAY = datetime(2026, 3, 2, 9, tzinfo=UTC)
END = DAY + timedelta(days=30)


def steps(*rows: dict[str, object]) -> pl.DataFrame:
    told = [{"contact_id": "1", **row, "at": DAY + timedelta(hours=float(row["at"]))} for row in rows]  # type: ignore[arg-type]
    return pl.DataFrame(told, schema_overrides={"at": pl.Datetime("us", "UTC")}, infer_schema_length=None)


def history(*rows: dict[str, object], end: datetime = END) -> pl.DataFrame:
    return assemble.history([steps(*rows)], source="x", data_end=end)[0]


def summed(*rows: dict[str, object], **given: object) -> dict[str, object]:
    contacts = pl.DataFrame([{"contact_id": "1", **given}])
    return assemble.summed_up(contacts, events=history(*rows)).row(0, named=True)


def test_what_was_before_is_read_off_the_change_before():
    found = history({"at": 2, "kind": "status", "status_to": "solved"}, {"at": 1, "kind": "status", "status_to": "open"})
    assert found.select("seq", "status_from", "status_to").rows() == [(0, "new", "open"), (1, "open", "solved")]


def test_a_handover_between_teams_is_a_transfer_and_any_other_an_assignment():
    found = history(
        {"at": 1, "kind": "handover", "group_to": "first", "agent_to": "a"},
        {"at": 2, "kind": "handover", "agent_to": "b"},
        {"at": 3, "kind": "handover", "group_to": "second"},
        {"at": 4, "kind": "handover", "agent_to": "c"},
    )
    assert found.select("kind", "group_from", "group_to", "agent_from", "agent_to").rows() == [
        ("assignment", None, "first", None, "a"),
        ("assignment", "first", "first", "a", "b"),
        ("transfer", "first", "second", "b", None),
        ("assignment", "second", "second", None, "c"),
    ]


def test_changes_of_team_and_person_that_happened_together_are_one():
    found = history(
        {"at": 1, "kind": "handover", "group_to": "first", "together": "7"},
        {"at": 1, "kind": "handover", "agent_to": "a", "together": "7"},
    )
    assert found.select("kind", "group_to", "agent_to").rows() == [("assignment", "first", "a")]


def test_a_change_to_what_was_so_already_is_left_out_and_counted():
    frame, dropped = assemble.history(
        [steps({"at": 1, "kind": "status", "status_to": "open"}, {"at": 2, "kind": "status", "status_to": "open"})], source="x", data_end=END
    )
    assert frame.height == 1
    assert [(one.count, one.why) for one in dropped] == [(1, "changes to what was so already")]


def test_what_is_after_the_data_end_is_not_known():
    frame, dropped = assemble.history(
        [steps({"at": 1, "kind": "status", "status_to": "open"}, {"at": 5, "kind": "status", "status_to": "solved"})],
        source="x",
        data_end=DAY + timedelta(hours=3),
    )
    assert frame["status_to"].to_list() == ["open"]
    assert dropped[0].count == 1


def test_the_order_of_the_file_breaks_ties():
    found = history({"at": 1, "kind": "status", "status_to": "solved", "order": 2}, {"at": 1, "kind": "status", "status_to": "open", "order": 1})
    assert found["status_to"].to_list() == ["open", "solved"]


def test_a_contact_is_what_its_history_says():
    found = summed(
        {"at": 0, "kind": "message", "actor": "customer", "public": True},
        {"at": 1, "kind": "handover", "group_to": "first", "agent_to": "a"},
        {"at": 2, "kind": "handover", "group_to": "second", "agent_to": "b"},
        {"at": 3, "kind": "status", "actor": "agent", "status_to": "solved"},
        {"at": 4, "kind": "status", "actor": "customer", "status_to": "open"},
        {"at": 5, "kind": "handover", "group_to": "third", "agent_to": "c"},
        {"at": 6, "kind": "status", "actor": "agent", "status_to": "solved"},
        {"at": 9, "kind": "status", "actor": "system", "status_to": "closed"},
    )
    hours = {name: (found[name] - DAY).total_seconds() / 3600 for name in ("first_resolved_at", "last_resolved_at", "closed_at")}  # type: ignore[operator]
    assert hours == {"first_resolved_at": 3, "last_resolved_at": 6, "closed_at": 9}
    assert (found["first_group"], found["resolver_group"], found["resolver_agent"]) == ("first", "second", "b")
    assert (found["status"], found["resolved_by"], found["initiated_by"], found["close_reason"]) == ("closed", "human", "customer", None)


def test_a_reopened_contact_is_closed_no_more():
    found = summed({"at": 1, "kind": "status", "status_to": "closed"}, {"at": 2, "kind": "status", "status_to": "open"})
    assert (found["status"], found["closed_at"]) == ("open", None)


def test_a_closing_by_the_system_while_the_customer_was_awaited_is_for_inactivity():
    found = summed({"at": 1, "kind": "status", "status_to": "pending"}, {"at": 90, "kind": "status", "actor": "system", "status_to": "closed"})
    assert (found["resolved_by"], found["close_reason"]) == ("automation", "inactivity")


def test_what_a_reader_gives_stays_where_the_history_says_nothing():
    found = summed({"at": 0, "kind": "note"}, first_resolved_at=DAY, status="solved", resolver_group="desk", initiated_by="company")
    assert (found["first_resolved_at"], found["status"], found["resolver_group"], found["initiated_by"]) == (DAY, "solved", "desk", "company")


def test_labels_set_flags_exactly_and_accents_count():
    tags = pl.DataFrame({"tags": [["spam"], ["Spam"], ["sp\u00e1m"], []]})
    assert flags.by_tags(tags)["is_spam"].to_list() == [True, False, False, False]


def test_a_name_tells_a_machine_from_a_person():
    names = pl.DataFrame({"name": ["Answer Bot", "Anna Abbot", "Support Chatbot", "Bo Tanaka", None]})
    assert names.select(flags.is_bot(pl.col("name")))["name"].to_list() == [True, False, True, False, False]


@pytest.mark.parametrize(
    ("text", "thanked"),
    [
        ("Thank you so much, Peter!", True),
        ("Vielen Dank, klappt jetzt wieder.\n\n> Ihre Rechnung fehlt", True),
        ("Merci beaucoup, bonne journée", True),
        ("ok", False),
        ("Thanks, but it happened again", False),
        ("Thanks. Please fix it.", False),
        ("Danke, das Problem bleibt", False),
        ("Thanks! How do I export?", False),
        ("Thanks, my order is 4711", False),
        ("", False),
    ],
)
def test_a_thank_you_asks_for_nothing(text, thanked):
    assert pl.select(thanks.is_ack(pl.lit(text), words=thanks.lexicon())).item() is thanked


def test_own_words_of_thanks_stand_beside_ours(tmp_path):
    own = tmp_path / "own.toml"
    own.write_text('[sv]\nthanks = ["Tack"]\nbetween = ["så", "mycket"]\n', encoding="utf-8")
    assert pl.select(thanks.is_ack(pl.lit("Tack så mycket"), words=thanks.lexicon(own))).item() is True
    own.write_text('[sv]\nthank = ["Tack"]\n', encoding="utf-8")
    with pytest.raises(UsageError, match=r"\[sv\] may hold"):
        thanks.lexicon(own)


def test_durations_are_read_in_three_ways_and_nonsense_is_told_with_its_row():
    told = Told()
    frame = pl.DataFrame({"took": ["2", "0:01:30", "1970-01-01 00:02:00", "soon"], "fcrlib row": ["a.json:1", "a.json:2", "a.json:3", "a.json:4"]})
    assert typed.durations(frame, ["took"], told=told, unit=60)["took"].to_list() == [120.0, 90.0, 120.0, None]
    assert told.problems == ["took: 1 of 4 values are not a duration, the first in row a.json:4: 'soon'"]


def test_the_data_end_is_asked_for_where_nobody_says_it():
    with pytest.raises(UsageError, match="--data-end is needed"):
        finish.data_end(None, system="Example")
    assert finish.data_end(None, said=[END, DAY], system="Example") == DAY
    assert finish.data_end(END, said=[DAY], system="Example") == END


def test_a_handover_to_whoever_holds_it_already_is_none_and_counted():
    told = [{"group_to": "billing"}, {"group_to": "billing", "agent_to": "ann"}, {"agent_to": "ann"}, {"group_to": "billing"}]
    rows = [{"at": hour, "kind": "handover", **held} for hour, held in enumerate(told)]
    frame, dropped = assemble.history([steps(*rows)], source="x", data_end=END)
    assert frame.select("group_to", "agent_to").rows() == [("billing", None), ("billing", "ann")]
    assert [(one.count, one.why) for one in dropped] == [(2, "changes to what was so already")]


def test_a_contact_begins_with_what_the_export_says_stood_before_its_first_change():
    rows = (
        {"at": 1, "kind": "status", "status_to": "solved", "actor": "agent"},
        {"at": 2, "kind": "handover", "agent_from": "a", "agent_to": "b"},
        {"at": 3, "kind": "handover", "group_from": "first", "group_to": "second"},
        {"at": 4, "kind": "handover", "group_from": "somebody else's", "group_to": "third", "agent_from": "z", "agent_to": "c"},
    )
    assert history(*rows).select("kind", "group_from", "group_to", "agent_from", "agent_to").rows()[1:] == [
        ("assignment", "first", "first", "a", "b"),
        ("transfer", "first", "second", "b", None),
        ("transfer", "second", "third", None, "c"),
    ]
    found = summed(*rows)
    assert (found["first_group"], found["first_agent"], found["resolver_group"], found["resolver_agent"]) == ("first", "a", "first", "a")


def test_a_queue_that_a_person_took_a_contact_from_is_where_it_began():
    rows = (
        {"at": 1, "kind": "handover", "group_from": "one", "agent_to": "a"},
        {"at": 2, "kind": "handover", "agent_from": "a", "group_to": "two"},
    )
    assert history(*rows).select("kind", "group_from", "group_to", "agent_from", "agent_to").rows() == [
        ("assignment", "one", "one", None, "a"),
        ("transfer", "one", "two", "a", None),
    ]
    assert summed(*rows)["first_group"] == "one"


def test_of_what_happened_together_only_what_stood_before_the_first_of_it_counts():
    found = history(
        {"at": 1, "kind": "handover", "agent_from": "a", "group_to": "two", "together": "7"},
        {"at": 1, "kind": "handover", "group_from": "two", "agent_to": "b", "together": "7"},
    )
    assert found.select("kind", "group_from", "group_to", "agent_from", "agent_to").rows() == [("assignment", None, "two", "a", "b")]


def test_whoever_takes_a_contact_first_did_not_hold_it_before():
    found = summed(
        {"at": 1, "kind": "status", "status_to": "solved", "actor": "system"},
        {"at": 2, "kind": "handover", "group_to": "first", "agent_to": "a"},
        {"at": 3, "kind": "handover", "agent_from": "a", "agent_to": "b"},
    )
    assert (found["first_agent"], found["resolver_group"], found["resolver_agent"]) == ("a", None, None)


def test_shares_of_contacts_give_the_same_history_as_all_at_once(monkeypatch):
    rows = [
        {"contact_id": str(number % 7), "at": number, "kind": kind, word: f"{word} {number % 3}"}
        for number in range(60)
        for kind, word in (("status", "status_to"), ("handover", "group_to"), ("handover", "agent_to"))
    ]
    rows = [{**row, "status_to": ("open", "solved", "pending")[int(str(row["at"])) % 3]} if "status_to" in row else row for row in rows]
    pieces = [steps(*rows[start::3]) for start in range(3)]
    whole, dropped = assemble.history(pieces, source="x", data_end=END)
    monkeypatch.setattr(assemble, "SHARE", 40)
    shared, again = assemble.history(pieces, source="x", data_end=END)
    assert shared.equals(whole)
    assert [(one.count, one.why) for one in again] == [(one.count, one.why) for one in dropped]
    contacts = pl.DataFrame({"contact_id": [str(number) for number in range(9)]})
    summary = assemble.summed_up(contacts, events=shared)
    monkeypatch.undo()
    assert summary.equals(assemble.summed_up(contacts, events=whole))


def test_a_thank_you_is_seen_through_the_page_it_is_written_as():
    told = [("<p>Thank you!</p>", "customer", True), ("<p>Thanks, but it fails</p>", "customer", False), ("<p>Thank you!</p>", "agent", None)]
    rows = [{"at": at, "kind": "message", "actor": actor, "text": text} for at, (text, actor, _) in enumerate(told)]
    frame, _ = assemble.history([steps(*rows)], source="x", data_end=END, lexicon=thanks.lexicon())
    assert frame["is_ack"].to_list() == [known for _, _, known in told]
