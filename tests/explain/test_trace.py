"""Does the story of a contact say what the judge says, and where it comes from?"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import polars as pl
import pytest
from storytelling import at, desk_of

from fcrlib.explain import trace
from fcrlib.intake.demo import invent
from fcrlib.intake.redact import redact
from fcrlib.judge.outcomes import judge
from fcrlib.model.errors import UsageError
from fcrlib.model.period import Period
from fcrlib.model.policy import Policy
from fcrlib.show.telling.trace import lines, table, title, verdict
from fcrlib.study import Study

DESK = redact(invent(contacts=6000))
EVERYTHING_FAILS = Policy(
    name="all",
    same_issue="any",
    across_channels=False,
    transfer="any",
    survey="veto",
    max_customer_replies=0,
    max_agents=1,
    max_agent_replies=1,
    zero_touch="fail",
    auto_close="fail",
    resolve_within="4h",
    waiting="fail",
)
POLICIES = [Policy(), Policy(name="text", same_issue="text"), EVERYTHING_FAILS, Policy.named("sqm_survey"), Policy.named("zendesk_ticket_one_touch")]


def study_of(tale: list[dict[str, Any]], *, data_end: float = 2000, policy: Policy | None = None) -> Study:
    return Study.of(desk_of(tale, data_end=data_end), policy=policy or Policy(), period=Period.parse("2026Q1"))


def solved(
    name: str, opened: float, *, category: str = "billing", customer: str | None = "ann", channel: str = "email", **more: Any
) -> dict[str, Any]:
    acts = [
        {"kind": "message", "actor": "customer", "t": opened},
        {"kind": "message", "actor": "agent", "t": opened + 1},
        {"kind": "status", "actor": "agent", "status": "solved", "t": opened + 2},
    ]
    return {"id": name, "opened": opened, "customer": customer, "category": category, "channel": channel, "events": acts, **more}


def rules(study: Study, contact: str) -> dict[str, str | None]:
    return {row["what"]: row["rule"] for row in trace.story(study, contact=contact).rows(named=True)}


def says(rows: list[dict[str, Any]], when: object, words: str) -> bool:
    return any(row["at"] == when and words in (row["rule"] or "") for row in rows)


MANY = pytest.param(Policy(name="customer_7d, many"), 25, marks=pytest.mark.slow)


@pytest.mark.parametrize(
    ("policy", "each"),
    [*((policy, 3) for policy in POLICIES[:3]), *(pytest.param(policy, 3, marks=pytest.mark.slow) for policy in POLICIES[3:]), MANY],
    ids=lambda value: getattr(value, "name", value),
)
def test_the_story_never_contradicts_the_judge(policy: Policy, each: int) -> None:
    study = Study.of(DESK, policy=policy, period=Period.parse("2026Q3"))
    chosen = study.everything.sample(fraction=1, shuffle=True, seed=3).group_by("label", "reason", maintain_order=True).head(each)
    assert chosen["label"].n_unique() >= 4
    for me in chosen.iter_rows(named=True):
        story = trace.story(study, contact=me["contact_id"])
        rows = story.rows(named=True)
        told = f"{me['contact_id']} {me['label']} {me['reason']}"
        assert story["at"].is_sorted(), told
        for name in ("start_at", "horizon_at"):
            assert me[name] is None or me[name] > me["data_end"] or says(rows, me[name], ""), told
        assert me["anchor_at"] is None or says(rows, me["anchor_at"], "first resolution"), told
        fails = [row for row in rows if "this fails it" in (row["rule"] or "")]
        if me["label"] == "failed":
            assert says(rows, me["failed_at"], f"{trace.FAILS[me['reason']]}: this fails it"), told
            assert all(says(rows, when, trace.FAILS[reason]) for reason, when in zip(me["reasons"], me["reason_at"], strict=True)), told
        else:
            assert not fails, told
        counts = [row for row in rows if (row["rule"] or "").endswith(("inside the window", "while this one was open"))]
        assert not counts or me["label"] == "failed", told
        assert title(study, contact=me["contact_id"]).startswith(f"Contact {me['contact_id']} ")
        assert verdict(study, contact=me["contact_id"]).endswith(".")


def test_every_failure_of_the_demo_stands_on_an_event_of_the_desk() -> None:
    study = Study.of(DESK, policy=EVERYTHING_FAILS, period=Period.parse("2026Q3"))
    failed = study.everything.filter(pl.col("label") == "failed").sample(60, seed=2)
    assert not [name for name in failed["contact_id"] if "what the export does not tell apart" in rules(study, name)]


def test_a_return_about_the_same_category_fails_and_about_another_does_not() -> None:
    study = study_of([solved("1", 0), solved("2", 50, category="login"), solved("3", 60), solved("4", 70), solved("5", 400)])
    told = rules(study, "1")
    assert told["set to solved"] == "first resolution: the window of 7 days opens"
    assert told["opened contact 2 by email about login"] == "another category: not the same issue"
    assert told["opened contact 3 by email about billing"] == "same category, inside the window; a repeat about the same issue: this fails it"
    assert told["opened contact 4 by email about billing"] == "same category, inside the window"
    assert told["opened contact 5 by email about billing"] == "same category, but after the window: not heard"
    assert told["the window of 7 days ends"] == "it has failed"


def test_a_contact_while_it_is_open_and_one_at_the_very_resolution_are_parallel() -> None:
    told = rules(study_of([solved("1", 0), solved("2", 1), solved("3", 2), solved("4", 3)]), "1")
    fails = "same category, while this one was open; a parallel contact about the same issue: this fails it"
    assert told["opened contact 2 by email about billing"] == fails
    assert told["opened contact 3 by email about billing"] == "same category, while this one was open"
    assert told["opened contact 4 by email about billing"] == "same category, inside the window; a repeat about the same issue: this fails it as well"


def test_a_repeat_names_the_first_contact_of_its_issue_and_the_one_before_it() -> None:
    study = study_of([solved("1", 0), solved("2", 50), solved("3", 100)])
    told = rules(study, "3")
    assert told["opened it by email about billing"] == "a repeat: counted with the first contact of the issue, 1, and not again"
    assert told["opened contact 1 by email about billing"] == "the first contact of the issue: this one is a repeat of it"
    assert told["opened contact 2 by email about billing"] == "an earlier contact of the same chain"
    assert "is a repeat: it came back about the issue of contact 1" in verdict(study, contact="3")


def test_another_channel_and_an_unknown_customer_are_told() -> None:
    told = rules(study_of([solved("1", 0), solved("2", 50, channel="phone")], policy=Policy(across_channels=False)), "1")
    assert told["opened contact 2 by phone about billing"] == "another channel: not the same issue"
    study = study_of([solved("1", 0, customer=None), solved("2", 50, customer=None)])
    assert "opened contact 2 by email about billing" not in rules(study, "1")
    assert "a return on another contact could not be seen" in str(rules(study, "1")["the window of 7 days ends"])
    assert "could not have been seen" in verdict(study, contact="1")


def test_a_thank_you_and_the_system_do_not_reopen() -> None:
    acts = solved("1", 0)["events"]
    thanks = [{"kind": "message", "actor": "customer", "ack": True, "t": 10}, {"kind": "status", "actor": "customer", "status": "open", "t": 10}]
    again = [{"kind": "status", "actor": "agent", "status": "solved", "t": 12}, {"kind": "status", "actor": "system", "status": "open", "t": 20}]
    last = [{"kind": "status", "actor": "system", "status": "solved", "t": 21}, {"kind": "status", "actor": "system", "status": "closed", "t": 30}]
    study = study_of([{**solved("1", 0), "events": [*acts, *thanks, *again, *last]}])
    assert study.outcomes["label"].to_list() == ["resolved"]
    told = [row["rule"] for row in trace.story(study, contact="1").rows(named=True) if row["at"] > at(2)]
    assert told == [
        "a thank-you: counts for nothing",
        "reopened by a thank-you: counts only if more follows before it is solved again",
        "solved again",
        "reopened by the system without the customer: counts for nothing",
        "solved again",
        "solved already: closing it changes nothing",
        "nothing that counts was heard: resolved",
    ]


def test_the_deadline_and_the_end_of_the_data_stand_where_they_decide() -> None:
    waiting = {"id": "1", "opened": 0, "customer": "ann", "category": "billing", "events": []}
    early, late = study_of([waiting], data_end=100), study_of([waiting], data_end=2000)
    assert rules(early, "1")["the deadline of 30 days"] == "still open then, it fails"
    assert rules(early, "1")["the data ends"] == "not resolved yet: pending"
    assert rules(late, "1")["the deadline of 30 days"] == "still not resolved at the deadline: this fails it"
    pending = study_of([solved("1", 0)], data_end=100)
    assert rules(pending, "1")["the data ends"] == "the window is still open: pending"
    assert rules(pending, "1")["the window of 7 days ends"] == "resolved if nothing is heard until then"


def test_what_was_merged_into_it_counts_as_a_contact_of_the_customer() -> None:
    merged = {**solved("2", 50), "merged_into": "1"}
    told = rules(study_of([solved("1", 0), merged]), "1")
    assert str(told["wrote in contact 2, which was merged into this one"]).endswith("a repeat about the same issue: this fails it")


def test_without_a_name_the_first_failed_contact_of_the_period_is_told() -> None:
    study = study_of([solved("1", 0, category="login"), solved("2", 5), solved("3", 60)])
    assert trace.found(study)["contact_id"] == "2"
    calm = replace(study, outcomes=judge(study.desk, policy=Policy(same_issue="none")))
    assert trace.found(calm)["contact_id"] == "1"


def test_an_unknown_contact_names_near_ones_and_a_doubled_one_asks_for_the_source() -> None:
    study = study_of([solved("zd-1001", 0), solved("zd-1002", 50)])
    with pytest.raises(UsageError, match="there is no contact 'zd-1003'") as told:
        trace.story(study, contact="zd-1003")
    assert "zd-1001" in told.value.problems[0]
    with pytest.raises(UsageError) as told:
        trace.story(study, contact="#1002")
    assert "did you mean zd-1002?" in told.value.problems
    twice = study.desk.contacts.with_columns(source=pl.lit("other"))
    both = replace(study.desk, contacts=pl.concat([study.desk.contacts, twice]).sort("source", "contact_id"))
    study = Study.of(both, policy=Policy(), period=study.period)
    with pytest.raises(UsageError, match="2 sources have a contact 'zd-1001': say which with --source"):
        trace.story(study, contact="zd-1001")
    assert trace.found(study, contact="zd-1001", source="other")["source"] == "other"


def test_hostile_words_cannot_move_a_cursor_or_become_html() -> None:
    evil = "\x1b[2J\u202e<script>alert(1)</script>\r\n"
    study = study_of([solved("1", 0), solved(f"2{evil}", 50, category=f"billing{evil}")], policy=Policy(same_issue="any"))
    desk = replace(study.desk, contacts=study.desk.contacts.with_columns(subject=pl.lit(evil), body=pl.lit(evil)))
    study = Study.of(desk, policy=study.policy, period=study.period)
    for name in ("1", f"2{evil}"):
        story = trace.story(study, contact=name)
        heading = title(study, contact=name)
        spoken = "".join([*lines(story), heading, verdict(study, contact=name)])
        assert not [letter for letter in spoken.replace("\n", "") if not letter.isprintable()]
        assert "<script>" not in table(story, title=heading)._repr_mimebundle_()["text/html"]


def test_times_are_told_on_the_clock_of_the_study() -> None:
    study = replace(study_of([solved("1", 0), solved("2", 50)]), time_zone="Asia/Tokyo")
    assert "started 2026-01-01 09:00 Asia/Tokyo" in verdict(study, contact="1")
    assert lines(trace.story(study, contact="1"), time_zone="Asia/Tokyo")[0].startswith("2026-01-01 09:00")
