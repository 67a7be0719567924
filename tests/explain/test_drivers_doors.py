"""Do the doors that start from a study, or from its two sides, ask what they say they ask?"""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

import polars as pl
import pytest

from fcrlib.explain import drivers
from fcrlib.intake.demo import Cause, Truth, invent
from fcrlib.intake.redact import redact
from fcrlib.model.errors import UsageError
from fcrlib.model.period import Period
from fcrlib.model.pins import Pins
from fcrlib.model.policy import Policy
from fcrlib.search.sides import CLUSTERS
from fcrlib.study import Study

CAUSE = Cause({"category": "reports"}, 0.35, "tool-limitation", date(2026, 7, 1))
REPORTS = ["category=reports"]


@pytest.fixture(scope="module")
def study() -> Study:
    desk = redact(invent(seed=7, contacts=9_000, truth=Truth(causes=(CAUSE,))))
    return Study.of(desk, policy=Policy(), period=Period.parse("2026Q3"))


@pytest.fixture(scope="module")
def unfinished(study: Study) -> Study:
    """A period so late that none of its contacts has a final verdict."""
    end = study.desk.manifest.data_end.date()
    return replace(study, period=Period.parse(f"{end - timedelta(days=2)}..{end}"))


def decided(**about: object) -> Pins:
    return Pins.model_validate({"step": [{"at": REPORTS, **about}]})


def first(chain: drivers.Chain) -> list[list[str]]:
    return [branch["what"][0].to_list() for branch in chain.branches]


def test_changed_is_the_change_between_the_two_sides(study: Study) -> None:
    both = study.sides()
    found = drivers.changed(both)
    assert found is not None
    assert found.drivers["where"].to_list() == [REPORTS]
    same = drivers.change(both.frame, dims=both.dims, failed="failed", period="later", clusters=CLUSTERS)
    assert found.drivers.equals(same.drivers)
    assert found.total == pytest.approx(float(both.now["failed"].mean() - both.frame.filter(~pl.col("later"))["failed"].mean()))
    assert found.parts["points"].sum() == pytest.approx(found.total, abs=1e-12)


def test_exceeded_looks_at_the_later_side_alone(study: Study) -> None:
    both = study.sides()
    found = drivers.exceeded(both)
    assert found.total == pytest.approx(float(both.now["failed"].mean()))
    assert found.drivers["where"].to_list() == [REPORTS]
    assert found.drivers["n"][0] == both.now.filter(category="reports").height


def test_turned_holds_every_dimension_against_the_whole(study: Study) -> None:
    both = study.sides()
    rows = drivers.turned(both)
    assert rows["dimension"].to_list() == list(both.dims)
    assert rows.select((pl.col("within") + pl.col("mix") - pl.col("total")).abs().max()).item() < 1e-12


def test_without_an_earlier_period_nothing_changed_and_whys_ask_for_the_excess(study: Study) -> None:
    alone = study.sides(against="nothing")
    assert drivers.changed(alone) is None
    assert drivers.turned(alone).is_empty()
    assert set(drivers.turned(alone).columns) <= set(drivers.turned(study.sides()).columns)
    chain = drivers.whys(study, against="nothing")
    assert chain.compares == "places"
    assert drivers.ALONE in chain.notes
    assert chain.steps["effect"][0] == pytest.approx(float(alone.now["failed"].mean()))
    assert first(chain) == [REPORTS]


def test_whys_of_a_study_are_those_of_its_sides_with_its_log_and_its_pins(study: Study) -> None:
    whole = drivers.whys(study)
    parts = drivers.whys(study.sides(), changes=study.desk.changes, pins=study.pins)
    assert whole.steps.equals(parts.steps)
    assert any("category=reports" in entry for entry in whole.steps["coincides"].drop_nulls().explode().to_list())
    assert drivers.whys(study.sides()).steps["coincides"].drop_nulls().is_empty(), "sides alone know of no log of changes"


def test_what_was_found_before_need_not_be_sought_again(study: Study) -> None:
    both = study.sides()
    assert drivers.whys(study, found=drivers.changed(both)).steps.equals(drivers.whys(study).steps)
    high = drivers.exceeded(both)
    assert drivers.whys(study, of="excess", found=high).steps.equals(drivers.whys(study, of="excess").steps)
    assert drivers.whys(study, found=high).steps.equals(drivers.whys(study).steps), "what is of the other kind is not used"


def test_the_pins_of_the_study_are_used_and_others_go_before_them(study: Study) -> None:
    pruned = replace(study, pins=decided(prune=True))
    assert REPORTS not in first(drivers.whys(pruned))
    noted = drivers.whys(pruned, pins=decided(note="known since July"))
    assert first(noted) == [REPORTS]
    assert "known since July" in noted.steps["note"][1]


def test_a_period_without_a_final_verdict_is_only_a_headline(unfinished: Study) -> None:
    both = unfinished.sides()
    assert both.now.is_empty()
    found = drivers.exceeded(both)
    assert found.drivers.is_empty()
    assert "has its final verdict yet" in found.notes[0]
    assert drivers.changed(both) is None
    chain = drivers.whys(unfinished)
    assert chain.steps["kind"].to_list() == ["headline"]
    assert chain.notes == found.notes


def test_few_contacts_name_no_place_and_the_chain_says_why(study: Study) -> None:
    both = study.sides()
    few = replace(both, frame=both.frame.filter(pl.int_range(pl.len()) % 20 == 0))
    chain = drivers.whys(few)
    assert chain.branches == ()
    assert drivers.BLIND in chain.notes


def test_another_word_than_change_or_excess_is_refused(study: Study) -> None:
    with pytest.raises(UsageError, match="'change' or of the 'excess', not of 'blame'"):
        drivers.whys(study, of="blame")  # type: ignore[arg-type]


def test_frames_that_do_not_name_their_contacts_are_refused(study: Study) -> None:
    with pytest.raises(UsageError, match="contact_id"):
        drivers.whys(study, handled=pl.DataFrame({"hold": ["long"]}))
