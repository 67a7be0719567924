"""Does every sentence about a cause claim no more than its numbers do?"""

from __future__ import annotations

from typing import Any

import polars as pl

from fcrlib.explain.fishbone import SCHEMA, WITHOUT
from fcrlib.intake.demo import invent
from fcrlib.intake.redact import redact
from fcrlib.model.numbers import percent
from fcrlib.model.period import Period
from fcrlib.model.policy import Policy
from fcrlib.show.telling import fishbone as tell
from fcrlib.study import Study

NUMBERS = {
    "n": 90, "share": 0.3, "low": 0.25, "high": 0.35, "n_exposed": 200, "risk": 0.6, "alike": 0.4, "difference": 0.2, "difference_low": 0.12,
    "difference_high": 0.28, "clear": True, "attributable": 40.0, "e_value": 2.4, "e_value_limit": 1.9, "overlap": 1.0, "grade": "C", "why": "compared",
}  # fmt: skip


def cause(slug: str, **more: Any) -> dict[str, Any]:
    told = {"bone": "process", "kind": "mode", "cause": slug, "name": slug, "against": WITHOUT, "too_few": False}
    return dict.fromkeys(SCHEMA) | told | NUMBERS | more


def frame(*rows: dict[str, Any]) -> pl.DataFrame:
    return pl.DataFrame(list(rows), schema=SCHEMA)


UNSEEN = {"difference": None, "clear": False, "grade": "D", "why": "seen only on failed contacts"}


def test_a_clear_difference_is_told_with_its_numbers_and_no_cause_is_claimed() -> None:
    (found,) = tell.statements(frame(cause("wrong-routing", name="sent to the wrong team")))
    assert found.title == "Contacts with the sign “sent to the wrong team” failed 20.0 points more often than alike contacts without it"
    assert all(words in found.statement for words in ("60.0 % of 200", "40.0 %", "12.0 to 28.0 points", "40 failures", "1.9"))
    assert found.measure is not None
    assert (found.measure.value, found.measure.low, found.measure.n, found.measure.unit) == (0.2, 0.12, 200, "points")
    assert found.grade == "C"
    said = f"{found.title} {found.statement} {found.why}".lower()
    assert not any(word in said for word in ("because", "cause", "leads to", "due to", "impact", "effect of"))


def test_a_fact_about_the_handling_is_told_against_its_usual_level() -> None:
    (found,) = tell.statements(frame(cause("handovers-once", kind="attribute", name="handed over once", against="never handed over")))
    assert found.title == "Contacts handed over once failed 20.0 points more often than alike contacts never handed over"


def test_what_is_not_clear_or_goes_with_fewer_failures_is_not_told() -> None:
    fewer = {"difference": -0.2, "difference_low": -0.3, "difference_high": -0.1}
    assert tell.statements(frame(cause("a", clear=False), cause("b", **fewer))) == []


def test_contacts_without_alike_ones_are_mentioned() -> None:
    (found,) = tell.statements(frame(cause("a", overlap=0.6)))
    assert "60.0 % of 120 such contacts" in found.statement
    assert "40.0 % of these contacts have no alike ones" in found.statement


def test_a_lower_grade_is_told_as_an_observation() -> None:
    (found,) = tell.statements(frame(cause("a", grade="D", e_value=None)))
    assert "was observed with 90 failed contacts" in found.title
    assert found.grade == "D"
    assert "alike" not in found.title + found.statement


def test_the_most_failures_come_first_and_what_cannot_be_compared_is_said() -> None:
    causes = frame(cause("small", attributable=1.0), cause("large"), cause("words-one", n=5, **UNSEEN), cause("words-two", n=9, **UNSEEN))
    found = tell.statements(causes)
    assert [one.id for one in found] == ["fishbone-large", "fishbone-small"]
    (care,) = tell.blind(causes)
    assert care.title == "2 ways of failing cannot be compared with alike contacts"
    assert care.statement.index("words-two") < care.statement.index("words-one")
    assert tell.clearest(causes, most=1).numbers["claim"].to_list() == [found[0].title]
    assert tell.blind(causes.filter("clear")) == []


def test_the_title_names_the_bone_with_most_failures() -> None:
    blank = cause("unexplained", kind="unexplained", bone="data", n=60, **UNSEEN)
    causes = frame(cause("a", n=40), cause("b", n=50, bone="people", **UNSEEN), blank, cause("c", kind="attribute", n=90, clear=False))
    assert tell.title(causes) == (
        "33.3 % of the failed contacts first show a sign on the bone “people”; 1 of 2 causes that can be compared goes with clearly more failures"
    )
    assert "no cause can be compared" in tell.title(frame(cause("a", **UNSEEN)))
    assert "No failed contact shows a sign" in tell.title(frame(blank))
    assert "No first contact failed" in tell.title(frame())


def test_the_head_says_how_many_first_contacts_fail() -> None:
    study = Study.of(redact(invent(contacts=2000)), policy=Policy(), period=Period.parse("2026Q3"))
    assert tell.effect(study) == f"{percent(1 - study.headline['share'])} of first contacts fail"
