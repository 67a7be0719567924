"""Is it said honestly what hangs on the definition?"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import polars as pl
import pytest
from storytelling import desk_of

from fcrlib.explain import definition
from fcrlib.intake.demo import invent
from fcrlib.judge.rates import final_fcr
from fcrlib.model.desk import Desk
from fcrlib.model.period import Period
from fcrlib.model.policy import Policy, presets
from fcrlib.show.telling import definition as told
from fcrlib.study import Study


def contact(id: str, opened: float, *events: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"id": id, "opened": opened, "customer": "ann", "channel": "email", "category": "billing", "events": list(events), **more}


def reply(t: float) -> dict[str, Any]:
    return {"kind": "message", "t": t, "actor": "agent"}


def status(t: float, word: str, actor: str = "agent") -> dict[str, Any]:
    return {"kind": "status", "t": t, "actor": actor, "status": word}


def study_of(contacts: list[dict[str, Any]], policy: Policy | None = None, lacks: tuple[str, ...] = ()) -> Study:
    desk = desk_of(contacts, data_end=2000)
    known = desk.manifest.model_copy(update={"capabilities": desk.manifest.capabilities - set(lacks)})
    return Study.of(replace(desk, manifest=known), policy=policy or Policy(), period=Period.parse("2026-01"))


ANN = [
    contact("1", 0, reply(1), status(2, "solved")),
    contact("2", 30, reply(31), status(32, "solved"), channel="phone"),
    contact("3", 60, reply(61), status(62, "solved"), channel="phone"),
    contact("4", 0, reply(1), status(2, "solved"), customer="bob"),
]


@pytest.fixture(scope="module")
def study() -> Study:
    return Study.of(invent(seed=3, contacts=3_000), policy=Policy(), period=Period.parse("2026Q3"))


def by(frame: pl.DataFrame, column: str) -> dict[str, dict[str, Any]]:
    return {row[column]: row for row in frame.to_dicts()}


def test_one_and_done_is_counted_by_contact_by_issue_and_by_customer() -> None:
    units = by(definition.units(study_of(ANN)), "unit")
    assert {unit: (row["n"], row["share"]) for unit, row in units.items()} == {"contact": (4, 0.5), "issue": (2, 0.5), "customer": (2, 0.5)}
    three = by(definition.units(study_of(ANN[:3])), "unit")
    assert three["contact"]["share"] == pytest.approx(1 / 3)
    assert (three["issue"]["share"], three["customer"]["share"]) == (0, 0)


def test_an_issue_is_followed_over_channels() -> None:
    story = study_of(ANN)
    assert definition.across(story) == {"issues": 2, "several": 1, "crossed": 1}
    assert definition.per_issue(story).select("contacts", "n").rows() == [("1", 1), ("3", 1)]
    steps = definition.switches(story)
    assert set(steps.select("from_channel", "to_channel", "n").rows()) == {("email", "phone", 1), ("phone", "phone", 1)}
    assert definition.after_switch(story).select("came_back_by", "n", "share").rows() == [("another channel", 1, None), ("the same channel", 1, None)]


def test_the_steps_of_a_whole_desk_are_its_repeats(study: Study) -> None:
    repeats = study.everything.filter(pl.col("label") == "repeat").join(study.first_contacts.select("issue"), on="issue", how="semi")
    assert definition.switches(study)["n"].sum() == repeats.height
    assert definition.per_issue(study)["n"].sum() == study.first_contacts.height


def test_every_exclusion_is_counted_also_those_that_strike_nobody(study: Study) -> None:
    counted = definition.exclusions(study).filter(pl.col("rule") != "thanks")
    assert counted["rule"].to_list() == list(definition.RULES)
    assert counted["n"].sum() == study.headline["excluded"]
    assert set(told.RULES) == {*definition.RULES, "thanks"}


def test_a_thank_you_that_reopens_is_counted_and_not_held_against_anybody() -> None:
    thanks = {"kind": "message", "t": 5, "actor": "customer", "ack": True}
    forgiven = contact("1", 0, reply(1), status(2, "solved"), thanks, status(5, "open", "customer"), status(6, "solved"))
    failed = contact("2", 0, reply(1), status(2, "solved"), status(5, "open", "customer"), status(6, "solved"), customer="bob")
    story = study_of([forgiven, failed])
    assert definition.exclusions(story).filter(pl.col("rule") == "thanks")["n"].to_list() == [1]


def test_treatments_differ_from_the_house_by_the_contacts_they_concern() -> None:
    silent = contact("1", 0, status(2, "solved"))
    answered = contact("2", 0, reply(1), status(2, "solved"), customer="bob")
    shares = {row["treatment"]: (row["n"], row["share"], row["house"]) for row in definition.treatments(study_of([silent, answered])).to_dicts()}
    assert shares == {"left out": (1, 1.0, True), "counted as resolved": (2, 1.0, False), "held to have failed": (2, 0.5, False)}


def test_what_is_not_recorded_is_not_treated_and_not_counted() -> None:
    blind = study_of(ANN, lacks=("has_messages",))
    assert definition.treatments(blind).is_empty()
    assert by(definition.exclusions(blind), "rule")["no_response"]["n"] is None
    assert "records no silence" in told.treatments(definition.treatments(blind))


@pytest.mark.slow
def test_screens_are_the_judge_under_each_preset_and_say_who_disagrees(study: Study) -> None:
    shown = by(definition.screens(study), "name")
    assert set(shown) == set(presets())
    for name in ("zoho", "genesys_nca", "sqm_survey"):
        own = final_fcr(study.under(Policy.named(name)), window=Policy.named(name).window).row(0, named=True)
        assert (shown[name]["n"], shown[name]["share"]) == (own["n"], own["share"])
    assert shown["customer_7d"]["only_theirs"] == shown["customer_7d"]["only_ours"] == 0
    assert shown["within_24h"]["only_theirs"] > 0
    assert shown["within_24h"]["ours_says"] in ("repeat_contact", "reopened")
    lines = by(told.in_words(definition.screens(study)), "name")
    assert all(lines[name]["why"] for name in presets() if name != "customer_7d")


def test_a_screen_that_the_data_cannot_support_says_what_is_missing() -> None:
    shown = by(told.in_words(definition.screens(study_of(ANN, lacks=("has_survey", "has_messages")))), "name")
    assert shown["sqm_survey"]["share"] is None
    assert shown["sqm_survey"]["against"] == "cannot be supported"
    assert "survey answers" in shown["sqm_survey"]["why"]
    assert "messages" in shown["zoho"]["why"]
    assert shown["genesys_nca"]["share"] is not None


def zendesk(replies: int, *, reopened: bool = False, state: str = "solved", number: str = "1") -> dict[str, Any]:
    said = [reply(1 + n) for n in range(replies)]
    end = [status(20, state)] if state == "solved" else []
    late = [status(400, "open", "customer"), reply(401), status(402, "solved")] if reopened else []
    return contact(number, 0, *said, *end, *late, customer=number)


def test_one_touch_on_a_ticket_screen_counts_solved_tickets_with_fewer_than_two_replies() -> None:
    desk = [
        zendesk(0, number="1"),
        zendesk(1, number="2"),
        zendesk(2, number="3"),
        zendesk(3, state="open", number="4"),
        zendesk(1, reopened=True, number="5"),
    ]
    told_so = by(definition.screens(study_of(desk)), "name")["zendesk_ticket_one_touch"]
    assert (told_so["n"], told_so["share"]) == (4, 0.5)


def test_one_touch_on_a_messaging_screen_needs_an_answer_no_hold_and_no_reopening() -> None:
    held = contact("6", 0, reply(1), status(2, "hold"), status(3, "solved"), customer="6")
    desk = [zendesk(0, number="1"), zendesk(3, number="2"), zendesk(1, reopened=True, number="3"), held]
    told_so = by(definition.screens(study_of(desk)), "name")["zendesk_messaging_one_touch"]
    assert (told_so["n"], told_so["share"]) == (4, 0.25)


def test_exactly_one_public_reply_and_the_next_contact_of_a_call_centre() -> None:
    desk = [zendesk(0, number="1"), zendesk(1, number="2"), zendesk(2, number="3")]
    assert by(definition.screens(study_of(desk)), "name")["zoho"]["share"] == pytest.approx(1 / 3)
    other = {**ANN[1], "category": "login"}
    nca = by(definition.screens(study_of([ANN[0], other, ANN[2], ANN[3]])), "name")["genesys_nca"]
    assert (nca["n"], nca["share"]) == (4, 0.5)


def test_a_grid_says_nothing_twice_and_names_the_choice_that_matters(study: Study) -> None:
    grid = definition.grid(study)
    assert not grid.select("definition", "window").is_duplicated().any()
    assert definition.plain(study, grid).select("same_issue", "window").is_duplicated().sum() == 0
    moved = definition.choices(study, grid)
    assert set(moved["choice"]) == {"window", "same issue", "channels", "transfers"}
    assert moved["moves"].abs().is_sorted(descending=True)
    assert told.choices(moved).endswith(("higher", "lower"))
    assert "tau" in told.ranking(grid)


def test_a_desk_of_one_contact_is_told_without_numbers() -> None:
    alone = study_of([contact("1", 0)])
    assert told.treatments(definition.treatments(alone).with_columns(share=None)) == "Nothing can be judged yet"
    assert told.across(definition.across(alone)) == "No issue of the period took more than one contact"
    assert told.left_out(definition.exclusions(alone)) == "No contact of the period is left out"
    assert told.after_switch(definition.after_switch(alone)).startswith("Too few")
    assert definition.switches(alone).is_empty()


def test_the_same_desk_in_memory_and_saved_gives_the_same_issue_names(study: Study) -> None:
    desk: Desk = study.desk
    heads = study.everything.filter(pl.col("label") == "repeat")
    assert heads["issue"].is_in(desk.contacts.select(pl.format("{}:{}", "source", "contact_id")).to_series().implode()).all()
