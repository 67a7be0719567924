"""Does the helpdesk's own figure agree with ours, and where not, why?"""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from fcrlib.intake import hubspot, zendesk
from fcrlib.intake.demo import invent
from fcrlib.intake.demo.dialects import write
from fcrlib.judge.outcomes import judge
from fcrlib.judge.reconcile import FIGURES, differences, reconcile
from fcrlib.model.desk import Desk, Manifest
from fcrlib.model.errors import UsageError
from fcrlib.model.policy import Policy
from fcrlib.model.tables import CAPABILITIES

MONDAY = datetime(2026, 3, 2, 9, tzinfo=UTC)
END = MONDAY + timedelta(days=40)


@pytest.fixture(scope="module")
def desk() -> Desk:
    return invent(seed=5, contacts=800)


def with_contacts(desk: Desk, **columns: pl.Expr) -> Desk:
    return replace(desk, contacts=desk.contacts.with_columns(**columns))


def row(desk: Desk, figure: str) -> dict[str, Any]:
    return reconcile(desk).row(by_predicate=pl.col("figure") == figure, named=True)


# --- histories of a few events ------------------------------------------------------------------------------------------


def says(hour: float, actor: str = "agent", **more: Any) -> dict[str, Any]:
    return {"h": hour, "kind": "message", "actor": actor, "public": True, **more}


def turns(hour: float, before: str | None, after: str, actor: str = "agent") -> dict[str, Any]:
    return {"h": hour, "kind": "status", "actor": actor, "status_from": before, "status_to": after}


def moves(hour: float, *, teams: tuple[str | None, str | None] = ("a", "a"), people: tuple[str | None, str | None] = (None, None), kind: str = "transfer") -> dict[str, Any]:  # fmt: skip
    return {"h": hour, "kind": kind, "actor": "agent", "group_from": teams[0], "group_to": teams[1], "agent_from": people[0], "agent_to": people[1]}


QUIET = [says(0, "customer"), moves(0.5, teams=(None, "a"), kind="assignment"), says(1), turns(2, "open", "solved")]
BACK = [*QUIET, says(5, "customer"), turns(5, "solved", "open", "customer"), says(6), turns(7, "open", "solved")]
PLAIN = {"vendor_reopens": 0, "vendor_replies": 1, "vendor_stations": 0, "vendor_one_touch": True, "vendor_sla_met": None, "due_at": None}


def told(*stories: tuple[list[dict[str, Any]], dict[str, Any]], has: frozenset[str] = frozenset(CAPABILITIES), zone: str = "UTC") -> Desk:
    """Contacts 1, 2, ... with their events by hour and the helpdesk's figures, and one plain contact `0` on which both agree."""
    every = [(QUIET, PLAIN), *stories]
    rows: list[dict[str, Any]] = []
    events: list[dict[str, Any]] = []
    for place, (story, figures) in enumerate(every):
        times = [MONDAY + timedelta(hours=event["h"]) for event in story if event.get("status_to") == "solved"]
        rows.append({
            "source": "s", "contact_id": f"{place}", "opened_at": MONDAY, "channel": "email", "status": "solved" if times else "open",
            "initiated_by": "customer", "resolved_by": "human", "first_resolved_at": min(times, default=None), "last_resolved_at": max(times, default=None),
            **PLAIN, "merged_into": None, "follow_up_of": None, "vendor_first_resolved_at": None, "closed_at": None, **figures,
        })  # fmt: skip
        blank = {"public": False, "is_auto": False, "is_ack": None, "status_from": None, "status_to": None, "group_from": None, "group_to": None, "agent_from": None, "agent_to": None}  # fmt: skip
        for seq, event in enumerate(story):
            told = {**blank, **{name: value for name, value in event.items() if name != "h"}}
            events.append({"source": "s", "contact_id": f"{place}", "seq": seq, "at": MONDAY + timedelta(hours=event["h"]), **told})
    manifest = Manifest(
        source="s", reader="test", reader_version="1", data_start=MONDAY - timedelta(days=9), data_end=END, capabilities=has, time_zone=zone
    )
    return Desk.build(manifest, contacts=pl.DataFrame(rows, infer_schema_length=None), events=pl.DataFrame(events, infer_schema_length=None))


RULES: dict[str, tuple[str, list[dict[str, Any]], dict[str, Any]]] = {
    "a reopening by a thank-you is not counted": ("reopens", [*QUIET, says(5, "customer", is_ack=True), turns(5, "solved", "open", "customer")], {"vendor_reopens": 0}),
    "counted only from the first reply on": ("reopens", [turns(0.2, "new", "solved"), turns(0.5, "solved", "open"), *BACK], {"vendor_reopens": 1}),
    "only what was solved counts, not what was closed": ("reopens", [*QUIET, turns(3, "solved", "closed"), turns(9, "closed", "open")], {"vendor_reopens": 0}),
    "only the customer can reopen": ("reopens", [*BACK, turns(9, "solved", "open")], {"vendor_reopens": 1}),
    "answers of bots are counted": ("replies", [*QUIET, says(3, "bot")], {"vendor_replies": 2}),
    "automatic answers are counted": ("replies", [*QUIET, says(3, "system", is_auto=True)], {"vendor_replies": 2}),
    "answers of bots and automatic ones are counted": ("replies", [*QUIET, says(3, "bot"), says(4, "system", is_auto=True)], {"vendor_replies": 3}),
    "internal notes are counted": ("replies", [*QUIET, {"h": 3, "kind": "note", "actor": "agent"}], {"vendor_replies": 2}),
    "calls are counted": ("replies", [*QUIET, {"h": 3, "kind": "call_leg", "actor": "agent", "public": True}], {"vendor_replies": 2}),
    "the message that opened it is not counted": ("replies", [says(0), says(0.5, "customer"), *QUIET[2:]], {"vendor_replies": 1}),
    "several answers in a row count as one": ("replies", [*QUIET, says(3), says(4), says(5, "customer"), says(6)], {"vendor_replies": 2}),
    "answers after the first resolution are not counted": ("replies", [*BACK, says(8), says(9, "customer"), says(10)], {"vendor_replies": 1}),
    "a person who takes it from the team's queue counts": ("stations", [*QUIET, moves(3, people=(None, "p"), kind="assignment")], {"vendor_stations": 1}),
    "only a change of the team is counted": ("stations", [*QUIET, moves(3, people=("p", "q"), kind="assignment")], {"vendor_stations": 0}),
    "only a change of the person is counted": ("stations", [*QUIET, moves(3, teams=("a", "b"))], {"vendor_stations": 0}),
    "a change of team and person counts twice": ("stations", [*QUIET, moves(3, teams=("a", "b"), people=("p", "q"))], {"vendor_stations": 2}),
    "a team counts once, however often it comes back": ("stations", [*QUIET, moves(3, teams=("a", "b"), people=("p", "q")), moves(4, teams=("b", "a"), people=("q", "p"))], {"vendor_stations": 1}),
    "escalations are counted": ("stations", [*QUIET, {"h": 3, "kind": "escalation", "actor": "agent"}], {"vendor_stations": 1}),
    "reopenings do not matter": ("one touch", [*QUIET, turns(5, "solved", "open")], {"vendor_one_touch": True}),
    "a handover spoils it": ("one touch", [*QUIET, moves(3, teams=("a", "b"))], {"vendor_one_touch": False}),
    "a contact without an answer is none": ("one touch", [says(0, "customer"), turns(2, "open", "solved")], {"vendor_one_touch": False}),
    "time spent waiting is not counted": ("SLA met", [says(0, "customer"), turns(1, "open", "pending"), turns(9, "pending", "open"), turns(10, "open", "solved")], {"vendor_sla_met": True, "due_at": MONDAY + timedelta(hours=4)}),
    "the last resolution is held against the promise": ("SLA met", BACK, {"vendor_sla_met": False, "due_at": MONDAY + timedelta(hours=4)}),
    "closing is held against the promise": ("SLA met", QUIET, {"vendor_sla_met": False, "due_at": MONDAY + timedelta(hours=4), "closed_at": MONDAY + timedelta(hours=90)}),
    "an open contact has missed nothing yet": ("SLA met", [says(0, "customer")], {"vendor_sla_met": True, "due_at": MONDAY + timedelta(hours=4)}),
}  # fmt: skip


@pytest.mark.parametrize("rule", RULES)
def test_a_rule_explains_a_contact_on_which_it_gives_the_helpdesks_number(rule: str) -> None:
    figure, story, figures = RULES[rule]
    found = differences(told((story, figures)), figure=figure)
    assert found["contact_id"].to_list() == ["1"]
    assert found["rule"].to_list() == [rule]


@pytest.mark.parametrize("rule", [rule for rule, (figure, *_) in RULES.items() if figure in ("reopens", "replies", "stations")])
def test_where_the_number_is_another_one_no_rule_explains_it(rule: str) -> None:
    figure, story, _ = RULES[rule]
    desk = told((story, {f"vendor_{figure}": 77}))
    assert differences(desk, figure=figure)["rule"].to_list() == [None]
    assert (row(desk, figure)["explained"], row(desk, figure)["reason"]) == (0, None)


def test_the_first_assignment_is_counted_by_some_helpdesks_on_every_contact() -> None:
    assert row(told(*[(QUIET, {"vendor_stations": 1})] * 12), "stations")["reason"] == "the first assignment is counted (12)"


@pytest.mark.parametrize("what", ["team", "person"])
def test_the_first_team_or_the_first_person_may_be_the_one_that_counts(what: str) -> None:
    teams = [moves(3 + step, teams=(there, to)) for step, (there, to) in enumerate(["ab", "bc", "cd"])]
    people = [moves(6 + step, people=(there, to), kind="assignment") for step, (there, to) in enumerate(["pq", "qr", "rs"])]
    first = [moves(2.5, people=(None, "p"), kind="assignment")]
    story = [*QUIET, *teams[:1], *people] if what == "team" else [*QUIET, *first, *teams, *people[:1]]
    found = row(told(*[(story, {"vendor_stations": 2})] * 12), "stations")
    assert found["reason"] == f"only a change of the {what} is counted, the first one too (12)"


def test_a_count_may_begin_with_the_customers_first_message() -> None:
    outbound = [
        says(0),
        turns(1, "open", "solved"),
        turns(2, "solved", "open"),
        says(3, "customer"),
        turns(4, "open", "solved"),
        turns(5, "solved", "open"),
    ]
    found = differences(told((outbound, {"vendor_reopens": 1})), figure="reopens")
    assert found["rule"].to_list() == ["counted only from the customer's first message on"]


def test_what_was_merged_into_a_contact_may_count_there() -> None:
    child = (QUIET, {"merged_into": "1"})
    assert differences(told((QUIET, {"vendor_replies": 2}), child), figure="replies")["rule"].to_list() == ["what was merged into it is counted"]
    gone = (QUIET, {"merged_into": "1", "vendor_replies": 0})
    assert differences(told((QUIET, {}), gone), figure="replies")["rule"].to_list() == ["a merged contact keeps no count"]


def test_a_follow_up_may_count_as_a_reopening() -> None:
    desk = told((QUIET, {"vendor_reopens": 1}), (QUIET, {"follow_up_of": "1"}))
    assert differences(desk, figure="reopens")["rule"].to_list() == ["a follow-up counts as a reopening"]


def test_a_helpdesk_counts_until_now_and_we_until_the_data_end() -> None:
    desk = told(([*QUIET, says(24 * 50)], {"vendor_replies": 2}))
    assert differences(desk, figure="replies").select("vendor", "ours", "rule").rows() == [(2, 1, "what happened after the data end is counted")]


def test_a_rule_that_makes_more_contacts_differ_than_agree_is_not_believed_for_a_yes_or_no() -> None:
    spoilt = [*QUIET, moves(3, teams=("a", "b"))]
    desk = told((spoilt, {"vendor_one_touch": False}), (spoilt, {}), (spoilt, {}))
    assert differences(desk, figure="one touch")["rule"].to_list() == [None]


def test_a_rule_that_holds_on_half_of_the_gap_is_said_to_hold_on_some_contacts_only() -> None:
    noted = [*QUIET, {"h": 3, "kind": "note", "actor": "agent"}]
    desk = told((noted, {"vendor_replies": 2}), (noted, {}), (noted, {}))
    assert row(desk, "replies")["reason"] == "internal notes are counted, on some contacts only (1)"
    one_more = told((QUIET, {"vendor_replies": 2}), (QUIET, {}), (QUIET, {}))
    assert row(one_more, "replies")["reason"] is None, "one more can be had on any contact"


def test_rules_are_told_with_their_counts_the_largest_first() -> None:
    botted = ([*QUIET, says(3, "bot")], {"vendor_replies": 2})
    noted = ([*QUIET, {"h": 3, "kind": "note", "actor": "agent"}], {"vendor_replies": 2})
    found = row(told(noted, botted, botted, (QUIET, {"vendor_replies": 9})), "replies")
    assert found["reason"] == "answers of bots are counted (2); internal notes are counted (1)"
    assert (found["explained"], found["n"] - found["agree"], found["examples"][0]) == (3, 4, "4")


# --- instants -------------------------------------------------------------------------------------------------------------


def resolved(desk: Desk, instant: pl.Expr) -> dict[str, Any]:
    return row(with_contacts(desk, vendor_first_resolved_at=instant), "first resolved")


OURS = pl.col("first_resolved_at")


def test_minutes_are_as_good_as_their_minute(desk: Desk) -> None:
    assert resolved(desk, OURS.dt.truncate("1m"))["share"] == 1.0


def test_the_helpdesk_that_keeps_the_last_resolution_is_found_out(desk: Desk) -> None:
    found = resolved(desk, pl.col("last_resolved_at"))
    assert found["explained"] == found["n"] - found["agree"] > 20
    assert found["reason"].startswith("the last resolution is meant (")
    assert found["apart"] > 0


@pytest.mark.parametrize(
    ("hours", "said"), [(2, "exactly 2 hours later"), (-1, "exactly 1 hour earlier"), (5.5, "exactly 5 hours and 30 minutes later")]
)
def test_a_clock_of_another_zone_is_asked_about(desk: Desk, hours: float, said: str) -> None:
    # Some were never shifted: the zone was put right in the middle.
    shifted = pl.when(pl.int_range(pl.len()) % 10 > 0).then(OURS + pl.duration(minutes=int(hours * 60))).otherwise(OURS)
    found = resolved(desk, shifted)
    assert f"{said}: is the time zone right? (" in found["reason"]
    assert found["explained"] == found["n"] - found["agree"] > 0.8 * found["n"]
    assert found["apart"] == pytest.approx(hours)


def test_summer_and_winter_are_two_shifts(desk: Desk) -> None:
    berlin = OURS.dt.convert_time_zone("Europe/Berlin").dt.replace_time_zone(None).dt.replace_time_zone("UTC")
    found = resolved(desk, berlin)
    assert "exactly 1 hour later" in found["reason"]
    assert "exactly 2 hours later" in found["reason"]
    assert found["explained"] == found["n"]


def test_instants_that_lie_apart_by_chance_are_no_time_zone(desk: Desk) -> None:
    found = resolved(desk, OURS + pl.duration(minutes=7) * (pl.int_range(pl.len()) % 97 + 1))
    assert found["explained"] == 0


@pytest.mark.parametrize(("cut", "said"), [("1h", "times are cut to the hour"), ("1d", "only the day is kept")])
def test_times_that_are_cut_are_known(desk: Desk, cut: str, said: str) -> None:
    found = resolved(desk, OURS.dt.truncate(cut))
    assert found["reason"].startswith(said)
    assert found["agree"] + found["explained"] == found["n"]


def test_office_hours_are_counted_out() -> None:
    # Opened on Monday at nine; hours until it was solved, and how many of them an office from 9 to 17 was open.
    opened = {30: 14, 33: 16, 50: 18, 57: 24, 106: 40, 120: 40, 175: 47}
    stories = [([*QUIET[:3], turns(h, "open", "solved")], {"vendor_first_resolved_at": MONDAY + timedelta(hours=open)}) for h, open in opened.items()]
    found = row(told(*stories), "first resolved")
    assert found["reason"] == "only office hours are counted (Monday to Friday, 9:00 to 17:00) (7)"


def test_the_first_answer_may_be_promised_too() -> None:
    due = {"due_at": MONDAY + timedelta(days=2)}
    slow = [([says(0, "customer"), says(5), turns(6, "open", "solved")], {**due, "vendor_sla_met": False})] * 6
    quick = [(QUIET, {**due, "vendor_sla_met": True})] * 6
    found = row(told(*slow, *quick), "SLA met")
    assert (found["agree"], found["explained"]) == (6, 6)
    assert found["reason"].startswith("a first answer within 1 hour is promised too")


def test_a_definition_that_takes_another_resolution_is_a_reason() -> None:
    desk = told((BACK, {"vendor_first_resolved_at": MONDAY + timedelta(hours=2)}))
    outcomes = judge(desk, policy=Policy()).with_columns(
        anchor_at=pl.when(pl.col("contact_id") == "1").then(pl.lit(MONDAY + timedelta(hours=7)).dt.convert_time_zone("UTC")).otherwise("anchor_at")
    )
    found = differences(desk, figure="first resolved", outcomes=outcomes)
    assert found["rule"].to_list() == ["the first time it was solved, where our definition takes another"]
    assert differences(desk, figure="first resolved").is_empty()


# --- what cannot be compared --------------------------------------------------------------------------------------------------


def test_every_figure_has_its_row_and_says_why_it_cannot_be_compared(desk: Desk) -> None:
    found = reconcile(desk)
    assert found["figure"].to_list() == list(FIGURES)
    assert found.filter(pl.col("n") == 0)["missing"].unique().to_list() == ["the export brings no such figure of the helpdesk's"]
    assert found.filter(pl.col("n") > 0)["missing"].null_count() == 3


def test_figures_read_off_the_same_history_agree_everywhere(desk: Desk) -> None:
    found = reconcile(desk).filter(pl.col("n") > 0)
    assert found["figure"].to_list() == ["reopens", "replies", "stations"]
    assert found["agree"].to_list() == found["n"].to_list()
    assert found["vendor"].to_list() == found["ours"].to_list()


def test_without_a_history_nothing_can_be_counted_again() -> None:
    found = row(told((QUIET, {}), has=frozenset({"has_customer", "has_messages"})), "reopens")
    assert (found["n"], found["missing"]) == (0, "the export holds no status changes")
    assert "messages with their author" in row(told((QUIET, {}), has=frozenset()), "one touch")["missing"]


def test_a_promise_without_its_time_cannot_be_checked() -> None:
    assert row(told((QUIET, {"vendor_sla_met": True})), "SLA met")["missing"] == "the export does not say until when it was promised"
    late = told((QUIET, {"vendor_sla_met": True, "due_at": MONDAY}), (QUIET, {"vendor_sla_met": True, "due_at": END}))
    assert (row(late, "SLA met")["n"], row(late, "SLA met")["agree"], row(late, "SLA met")["ours"]) == (2, 1, 1)


def test_a_desk_written_before_promises_were_kept_can_still_be_compared(desk: Desk) -> None:
    old = replace(desk, contacts=desk.contacts.drop("due_at", strict=False).with_columns(vendor_sla_met=pl.lit(True)))
    assert row(old, "SLA met")["missing"] == "the export does not say until when it was promised"


def test_a_contact_whose_history_is_not_there_is_no_disagreement(desk: Desk) -> None:
    lost = desk.contacts.filter(pl.col("vendor_replies") > 0)["contact_id"].head(7)
    found = row(replace(desk, events=desk.events.filter(~pl.col("contact_id").is_in(lost.implode()))), "replies")
    assert (found["blind"], found["n"], found["share"]) == (7, desk.contacts.height - 7, 1.0)


def test_each_source_has_its_own_rows() -> None:
    one = told((QUIET, {"vendor_replies": 5}))
    other = [frame.with_columns(source=pl.lit("t")) for frame in (told((QUIET, {})).contacts, told((QUIET, {})).events)]
    both = replace(one, contacts=pl.concat([one.contacts, other[0]]), events=pl.concat([one.events, other[1]]))
    replies = reconcile(both).filter(pl.col("figure") == "replies")
    assert replies.select("source", "n", "agree").rows() == [("s", 2, 1), ("t", 2, 2)]
    assert differences(both, figure="replies").select("source", "contact_id").rows() == [("s", "1")]


def test_the_rows_that_differ_are_as_many_as_the_table_says(desk: Desk) -> None:
    odd = with_contacts(desk, vendor_replies=pl.col("vendor_replies") + (pl.int_range(pl.len()) % 7 == 0).cast(pl.Int64) * 40)
    found, rows = row(odd, "replies"), differences(odd, figure="replies")
    assert rows.height == found["n"] - found["agree"] > 50
    assert rows["contact_id"].head(5).to_list() == found["examples"]


def test_an_unknown_figure_is_refused_with_those_there_are(desk: Desk) -> None:
    with pytest.raises(UsageError, match="first resolved"):
        differences(desk, figure="smiles")


@pytest.mark.parametrize("reader", [zendesk, hubspot])
def test_the_counters_that_an_invented_export_brings_follow_from_its_own_history(reader: Any, tmp_path: Path) -> None:
    invented = invent(seed=3, contacts=800)
    read = reader.read(write(invented, system=reader.SOURCE, folder=tmp_path / "export"), data_end=invented.manifest.data_end)
    told = reconcile(read).filter(pl.col("figure").is_in(["replies", "stations"]), pl.col("n") > 0)
    assert told.height
    assert told["agree"].to_list() == told["n"].to_list()
