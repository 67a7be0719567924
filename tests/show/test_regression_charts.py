"""Do the pictures of a fitted difference show what the frames say?"""

from __future__ import annotations

from types import SimpleNamespace

import polars as pl
import pytest

from fcrlib.fits.simulator import algebra, simulate
from fcrlib.model.errors import UsageError
from fcrlib.show import regression_charts

SEGMENTS = pl.DataFrame({"channel": ["chat", "phone"], "n": [300, 900], "size": [800, 2000], "estimate": [0.2, 0.4], "se": [0.05, 0.03], "low": [0.1, 0.34], "high": [0.3, 0.46]})  # fmt: skip
EFFECT = SimpleNamespace(estimate=0.3, se=0.02, low=0.26, high=0.34, n=1200, n_clusters=900, segments=SEGMENTS, unit="share", spec={"by": "channel"})
PATH = pl.DataFrame(
    {"model": ["M0 raw", "M1 more", "M2 most"], "adjusts_for": ["nothing", "first_team", "handle"], "estimate": [0.3, 0.28, None], "low": [0.2, 0.2, None],
     "high": [0.4, 0.36, None], "n": [1200, 1200, 0], "clusters": [900, 900, 0], "note": ["", "", "not fitted: the desk has no handle"]}
)  # fmt: skip


def test_the_whole_comes_first_and_then_the_levels_from_the_largest() -> None:
    figure = regression_charts.segments(EFFECT, id="x", title="t")  # type: ignore[arg-type]
    assert figure.numbers["name"].to_list() == ["all contacts", "phone", "chat"]
    assert "+40.0 points  of 900" in figure.svg()


def test_where_nothing_can_be_told_there_is_a_sentence_and_no_drawing() -> None:
    empty = pl.DataFrame()
    told = [
        regression_charts.segments(None, id="x", title="Nothing to compare"),
        regression_charts.segments(SimpleNamespace(**{**vars(EFFECT), "segments": None}), id="x", title="Nothing to compare"),  # type: ignore[arg-type]
        regression_charts.path(PATH.clear(), id="x", title="Nothing to compare"),
        regression_charts.dose(empty, id="x", title="Nothing to compare"),
        regression_charts.per_point(empty, id="x", title="Nothing to compare"),
        regression_charts.calibration(empty, id="x", title="Nothing to compare"),
        regression_charts.tornado(None, gain="points of CSAT", id="x", title="Nothing to compare"),
    ]
    assert {figure.svg() for figure in told} == {""}
    assert {figure.alt for figure in told} == {"Nothing to compare"}


def test_a_model_that_could_not_be_fitted_is_in_the_note_with_its_reason() -> None:
    figure = regression_charts.path(PATH, id="x", title="t")
    assert figure.numbers["name"].to_list() == ["M0 raw", "M1 more"]
    assert figure.numbers["adjusts_for"][1] == "first team"
    assert figure.note == "M2 most: not fitted: the desk has no handle."
    assert "M2" not in figure.svg()


def test_the_same_difference_told_by_others_stands_beside_ours_and_what_is_lost_is_in_the_note() -> None:
    frame = pl.DataFrame(
        {"name": ["the system", "the survey", "both"], "estimate": [0.3, 0.2, None], "low": [0.2, 0.1, None], "high": [0.4, 0.3, None],
         "n": [1200, 900, 0], "note": ["", "", "too few answers"]}
    )  # fmt: skip
    figure = regression_charts.beside(frame, id="x", title="t")
    assert "the survey: +20.0 points" in figure.alt
    assert figure.numbers["name"].to_list() == ["the system", "the survey"]
    assert figure.note == "Both: too few answers."


def test_the_slope_is_no_level_of_the_dose() -> None:
    dose = pl.DataFrame({"contacts": ["1", "2+", "each further contact"], "n": [900, 100, 1000], "share": [0.8, 0.6, None], "low": [0.7, 0.5, None], "high": [0.9, 0.7, None]})  # fmt: skip
    assert regression_charts.dose(dose, id="x", title="t").numbers["contacts"].to_list() == ["1", "2+"]


def test_ours_and_what_was_published_are_drawn_between_none_and_one_to_one() -> None:
    figure = regression_charts.per_point(algebra(EFFECT), id="x", title="t")
    drawn = figure.svg()
    assert "contacts alike in what is known" in drawn
    assert "0.69" in drawn
    assert "one to one" not in drawn
    assert "one to one" in figure.note
    assert figure.numbers.height == 6


def test_calibration_draws_its_own_rows_only() -> None:
    checks = pl.DataFrame({"check": ["calibration", "calibration", "overlap"], "part": ["tenth 1", "tenth 2", "x"], "n": [100, 100, 200], "value": [0.5, 0.7, 0.1], "low": [0.4, 0.6, None], "high": [0.6, 0.8, None], "expected": [0.52, 0.69, None]})  # fmt: skip
    figure = regression_charts.calibration(checks, id="x", title="t")
    assert "tenth 1: 52.0 % expected, 50.0 % answered" in figure.svg()
    assert figure.numbers.height == 2
    assert regression_charts.calibration(checks.clear(), id="x", title="Nothing").svg() == ""


@pytest.mark.parametrize(("gain", "said"), [("cost saved", "€100 to €200"), ("points of CSAT", "0.26 to 0.34"), ("contacts saved", "20 to 40")])
def test_the_tornado_says_what_the_gain_is_at_both_ends(gain: str, said: str) -> None:
    told = simulate(EFFECT, delta_pp=1, volume=1000, cost=5.0, repeats_per_failure=(2.0, 3.0, 4.0), causal_share=(1.0, 0.5))
    figure = regression_charts.tornado(told, gain=gain, id="x", title="t", currency="EUR")
    assert said in figure.svg()


def test_a_gain_that_was_not_simulated_cannot_be_drawn() -> None:
    told = simulate(EFFECT, delta_pp=1, volume=1000, cost=None, repeats_per_failure=1.0)
    with pytest.raises(UsageError, match="not simulated; there are points of CSAT, contacts saved"):
        regression_charts.tornado(told, gain="cost saved", id="x", title="t")
