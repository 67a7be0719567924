"""Do the sentences on a simulated gain say what it hangs on, and promise nothing?"""

from __future__ import annotations

from dataclasses import replace

import polars as pl
import pytest

from fcrlib.explain.csat import Answer
from fcrlib.fits.difference import effect
from fcrlib.fits.effect import Effect
from fcrlib.fits.simulator import Simulation, simulate
from fcrlib.model.evidence import Design
from fcrlib.show import wording
from fcrlib.show.telling import worth

KNOWN = Design(timing_known=True, response_known=True, sensitivity_reported=True)


def fitted(*, good: int = 70, graded: bool = True) -> Effect:
    rows = pl.DataFrame({"fcr": [True] * 100 + [False] * 100, "good": [1] * good + [0] * (100 - good) + [1] * 40 + [0] * 60, "weight": [2.0] * 200})
    frame = rows.with_columns(customer=pl.int_range(200), tier=pl.int_range(200) % 2)
    design = KNOWN if graded else replace(KNOWN, timing_known=False)
    return effect(frame, outcome="good", exposure="fcr", adjust=["tier"], weight="weight", design=design)


def of(found: Effect | None) -> Answer:
    return Answer(found, "", pl.DataFrame(), "1-5", pl.DataFrame())


def gain(**asked: object) -> Simulation:
    usual: dict[str, object] = {"delta_pp": 2, "volume": 10_000, "cost": (4.0, 5.0, 9.0), "repeats_per_failure": (0.5, 0.6, 0.8)}
    return simulate(fitted(), **{**usual, **asked})  # type: ignore[arg-type]


def test_the_gain_is_a_finding_that_says_if_and_names_the_smaller_shares() -> None:
    (found,) = worth.simulated(gain(), answer=of(fitted()), currency="EUR", figures=("csat-tornado",))
    assert (found.role, found.grade, found.figures) == ("finding", "C", ("csat-tornado",))
    assert found.title.endswith("if the association were entirely causal")
    for share in ("entirely", "half of the association", "a quarter of the association"):
        assert share in found.statement
    assert "€" in found.statement
    assert wording.lint_findings([found]) == []


def test_a_difference_as_it_was_found_is_not_simulated() -> None:
    (found,) = worth.simulated(None, answer=of(fitted(graded=False)))
    assert (found.role, found.measure) == ("care", None)
    assert "it is not known what came first" in found.statement


@pytest.mark.parametrize("found", [None, fitted(good=41)])
def test_without_a_clear_difference_nothing_is_said_of_a_gain(found: Effect | None) -> None:
    assert worth.simulated(None, answer=of(found)) == []


def test_without_a_cost_the_finding_says_why_there_is_no_money() -> None:
    statement = worth.simulated(gain(cost=None), answer=of(fitted()))[0].statement
    assert "no money" in statement
    assert "less cost" not in statement


def test_the_gain_is_spelled_with_its_interval() -> None:
    exact = gain(delta_pp=15, volume=5000, cost=7.68, repeats_per_failure=1)
    assert worth.gains(exact, currency="USD").count("750 fewer contacts (750 to 750), $5,760") == 1
    words = worth.gains_in_words(gain(), currency="EUR")
    assert words.columns == ["condition", "points of CSAT", "contacts saved", "cost saved"]
    assert [text.split(" ")[0] for text in words["contacts saved"]] == ["120", "60", "30"]


def test_every_assumption_is_in_the_table_in_its_unit() -> None:
    words = {row[0]: row[1:3] for row in worth.assumed(gain(), currency="EUR").iter_rows()}
    assert words["rise of FCR"] == ("2.0 points", "")
    assert words["first contacts"] == ("10,000", "")
    assert words["cost of a contact"] == ("€6.00", "€4.00 to €9.00")
    assert worth.assumed(gain(cost=5.0), currency="EUR").filter(name="cost of a contact")["interval"].to_list() == [""]


def test_what_moves_the_gain_most_is_named_with_both_ends() -> None:
    told = worth.hangs_on(gain())
    first = gain().tornado.filter(gain="points of CSAT").row(0, named=True)
    assert first["input"] in told
    assert f"{100 * first['at_high']:+.2f}" in told


def test_where_nothing_is_simulated_every_part_says_so() -> None:
    assert {worth.gains(None), worth.title(None), worth.hangs_on(None), worth.taken(None)} == {worth.NONE}
    assert worth.gains_in_words(None).is_empty()
    assert worth.assumed(None).is_empty()
    assert wording.lint(worth.NONE, "D") == []
