"""Does a grade follow from the design, and from nothing else?"""

from dataclasses import fields, replace
from itertools import product

import pytest

from fcrlib.model.evidence import GRADES, Design, grade

OBSERVED = Design(adjusted=True, weighted=True, sensitivity_reported=True, timing_known=True, response_known=True)
BEFORE_AFTER = Design(before_after=True, comparison=True)


def test_chance_or_a_control_over_the_same_time_that_moved_alike_before_is_grade_a() -> None:
    assert grade(Design(randomised=True))[0] == "A"
    assert grade(Design(concurrent_control=True, pre_trend_ok=True))[0] == "A"
    assert grade(Design(concurrent_control=True))[0] == "D"
    assert grade(Design(before_after=True, concurrent_control=True))[0] == "B"


def test_before_and_after_needs_a_comparison_to_be_grade_b() -> None:
    assert grade(BEFORE_AFTER)[0] == "B"
    assert grade(Design(before_after=True))[0] == "D"


def test_places_chosen_for_doing_badly_are_grade_b_only_when_that_is_corrected() -> None:
    assert grade(replace(BEFORE_AFTER, selected_on_worst=True))[0] == "D"
    assert grade(replace(BEFORE_AFTER, selected_on_worst=True, rtm_corrected=True))[0] == "B"


@pytest.mark.parametrize("fact", ["adjusted", "weighted", "sensitivity_reported", "timing_known", "response_known"])
def test_an_observed_difference_is_grade_c_only_with_all_five_and_says_which_is_missing(fact: str) -> None:
    assert grade(OBSERVED)[0] == "C"
    letter, why = grade(replace(OBSERVED, **{fact: False}))
    assert letter == "D"
    assert ";" not in why
    assert len(grade(Design())[1].split("; ")) == 5
    assert why in grade(Design())[1]


def test_knowing_more_never_lowers_a_grade() -> None:
    good = [field.name for field in fields(Design) if field.name != "selected_on_worst"]
    for known in product([False, True], repeat=len(good)):
        design = Design(**dict(zip(good, known, strict=True)))
        rank = GRADES.index(grade(design)[0])
        assert all(GRADES.index(grade(replace(design, **{name: True}))[0]) <= rank for name in good)
        assert GRADES.index(grade(replace(design, selected_on_worst=True))[0]) >= rank
