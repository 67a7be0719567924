"""Do we find what was planted, and nothing when nothing was?"""

from __future__ import annotations

import pytest

from fcrlib.explain import baseline
from fcrlib.intake.demo import Cause, Truth, invent
from fcrlib.intake.redact import redact
from fcrlib.model.period import Period
from fcrlib.model.policy import Policy
from fcrlib.show.telling import headline
from fcrlib.study import Study


def study_of(*, truth: Truth, seed: int = 7, contacts: int = 12_000) -> Study:
    return Study.of(redact(invent(seed=seed, contacts=contacts, truth=truth)), policy=Policy(), period=Period.parse("2025-07-01..2026-09-30"))


def places(study: Study) -> list[str]:
    """The ids of the places that the baseline notebook would name."""
    named = []
    for column, noun in (("channel", "channel"), ("category", "category"), ("first_group", "first team")):
        named += headline.places(study, baseline.segments(study, by=column), by=column, noun=noun, figure="x")
    return [finding.id for finding in named]


def test_a_planted_cause_is_the_first_place_named() -> None:
    truth = Truth(causes=(Cause(cell={"category": "reports"}, points=0.25, mechanism="knowledge-gap"),))
    assert places(study_of(truth=truth))[0] == "category-reports"


@pytest.mark.slow
def test_nothing_planted_names_no_place() -> None:
    named = [place for seed in range(4) for place in places(study_of(truth=Truth.nothing(), seed=seed))]
    assert named == []


@pytest.mark.slow
def test_a_cause_that_starts_in_the_last_quarter_lowers_it_and_the_headline_says_so() -> None:
    desk = redact(invent(contacts=40_000))
    study = Study.of(desk, policy=Policy(), period=Period.parse("2026Q3"))
    top = headline.headline(study)[0]
    assert "fell" in top.title
    before = Study.of(desk, policy=Policy(), period=Period.parse("2026Q2"))
    assert study.headline["share"] < before.headline["share"]


@pytest.mark.slow
def test_nothing_planted_holds_still() -> None:
    study = study_of(truth=Truth.nothing(), contacts=20_000)
    quarter = Study.of(study.desk, policy=Policy(), period=Period.parse("2026Q3"), outcomes=study.outcomes)
    assert "no clear change" in headline.headline(quarter)[0].title


@pytest.mark.slow
def test_the_planted_points_come_back_as_points_of_the_rate() -> None:
    points = 0.2
    truth = Truth(
        causes=(Cause(cell={"category": "imports"}, points=points, mechanism="tool-limitation"),),
        drift=Truth.nothing().drift,
        confounders=(),
        reopened_topics=Truth.nothing().reopened_topics,
    )
    rows = {row["category"]: row for row in baseline.segments(study_of(truth=truth, contacts=40_000), by="category").to_dicts()}
    rest = [row for name, row in rows.items() if name != "imports"]
    usual = sum(row["resolved"] for row in rest) / sum(row["n"] for row in rest)
    assert usual - rows["imports"]["share"] == pytest.approx(points, abs=0.04)
