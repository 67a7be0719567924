"""Do the sentences on satisfaction say what the frames say, and claim no more than their grade allows?"""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
import polars as pl
import pytest

from fcrlib.explain.csat import dose, effect, effect_path
from fcrlib.fits import checks
from fcrlib.fits.effect import Effect
from fcrlib.fits.sensitivity import sensitivity
from fcrlib.fits.simulator import simulate
from fcrlib.model.evidence import Design
from fcrlib.show import wording
from fcrlib.show.telling import csat as telling


def desk(rows: int = 3000, *, gap: float = 0.3) -> pl.DataFrame:
    draw = np.random.default_rng(8)
    fcr, tier, heard = draw.random(rows) < 0.6, draw.integers(0, 3, rows), draw.random(rows) < 0.5
    good = draw.random(rows) < 0.35 + gap * fcr + 0.05 * tier
    told = {
        "fcr": fcr,
        "tier": [f"t{n}" for n in tier],
        "channel": np.where(draw.random(rows) < 0.5, "chat", "web"),
        "customer": draw.integers(0, rows // 2, rows),
    }
    contacts = np.where(fcr, 1, 2 + draw.integers(0, 2, rows))
    frame = pl.DataFrame({**told, "contacts_to_resolve": contacts, "heard": heard, "liked": good.astype(np.int8)})
    return frame.with_columns(good=pl.when("heard").then("liked"), weight=pl.lit(1.5), asked=pl.col("fcr"))


def fitted(frame: pl.DataFrame, *, graded: bool = True) -> Effect:
    design = Design(timing_known=graded, response_known=True, sensitivity_reported=True)
    return effect(frame, outcome="good", exposure="fcr", adjust=["tier"], by="channel", weight="weight", design=design)


FRAME = desk()
FOUND = fitted(FRAME)
YARDSTICKS = sensitivity(FOUND, frame=FRAME, survey="asked", others={"the survey": FOUND})
GAIN = simulate(FOUND, delta_pp=2, volume=10_000, cost=(4.0, 5.0, 9.0), repeats_per_failure=(0.5, 0.6, 0.8))


def test_every_sentence_claims_no_more_than_grade_c_allows() -> None:
    assert FOUND.grade == "C"
    table, frame = checks.all(FOUND), FRAME.with_columns(rating=1 + 3 * pl.col("good").cast(pl.Int64))
    sentences = [
        telling.by_segment(FOUND), telling.path(effect_path(FRAME)), telling.dose(dose(FRAME)), telling.checked(table), telling.robust(YARDSTICKS),
        telling.cuts(checks.cuts(frame, rating="rating", exposure="fcr", cluster="customer")), telling.silent(YARDSTICKS),
        telling.triad(YARDSTICKS, ours=FOUND.estimate), telling.influence(YARDSTICKS, ours=FOUND.estimate), telling.per_point(GAIN.algebra),
        telling.gains(GAIN, currency="EUR"), *YARDSTICKS["reading"], *table["reading"], *GAIN.algebra["source"], *GAIN.algebra["caveat"],
        *GAIN.assumptions["name"], *GAIN.assumptions["source"],
    ]  # fmt: skip
    assert [str(slip) for sentence in sentences for slip in wording.lint(sentence, "C")] == []
    assert all(len(sentence) > 5 for sentence in sentences)


def test_the_simulated_gain_is_a_finding_that_says_if_and_names_the_smaller_shares() -> None:
    (found,) = telling.simulated(GAIN, effect=FOUND, currency="EUR")
    assert (found.role, found.grade) == ("finding", "C")
    assert found.title.endswith("if the association were entirely causal")
    for share in ("entirely", "half of the association", "a quarter of the association"):
        assert share in found.statement
    assert "€" in found.statement
    assert wording.lint_findings([found]) == []


def test_a_difference_as_it_was_found_is_not_simulated() -> None:
    raw = fitted(FRAME, graded=False)
    (found,) = telling.simulated(GAIN, effect=raw)
    assert (found.role, found.measure) == ("care", None)
    assert "it is not known what came first" in found.statement


def test_without_a_cost_the_finding_says_why_there_is_no_money() -> None:
    bare = simulate(FOUND, delta_pp=2, volume=10_000, cost=None, repeats_per_failure=0.6)
    statement = telling.simulated(bare, effect=FOUND)[0].statement
    assert "no money" in statement
    assert "less cost" not in statement


def test_the_gain_is_spelled_with_its_interval() -> None:
    assert (
        telling.gains(simulate(FOUND, delta_pp=15, volume=5000, cost=7.68, repeats_per_failure=1), currency="USD").count(
            "750 fewer contacts (750 to 750), $5,760"
        )
        == 1
    )
    words = telling.gains_in_words(GAIN, currency="EUR")
    assert words.columns == ["segment", "condition", "gain", "value", "interval"]
    assert words.filter(gain="contacts saved")["value"].to_list() == ["120", "60", "30"]


def test_segments_no_further_apart_than_chance_are_not_called_different() -> None:
    assert FOUND.segments_differ is not None
    assert "chance" in telling.by_segment(FOUND)
    apart = SimpleNamespace(segments=FOUND.segments, segments_differ=0.001, spec=FOUND.spec)
    assert telling.by_segment(apart).startswith("The difference is not the same for every channel")  # type: ignore[arg-type]
    assert "too few" in telling.by_segment(SimpleNamespace(segments=None, segments_differ=None, spec=FOUND.spec))  # type: ignore[arg-type]


def test_models_that_could_not_be_fitted_are_counted() -> None:
    told = telling.path(effect_path(FRAME))
    assert "models could not be fitted" in told
    assert told.startswith("As found the difference is +")
    assert telling.path(effect_path(FRAME).clear()).startswith("Fewer than two models")


def test_each_further_contact_stands_beside_the_vendor_claim() -> None:
    told = telling.dose(dose(FRAME))
    assert told.startswith("Each further contact goes with −")
    assert "vendor claim" in told
    flat = pl.DataFrame({"contacts": ["each further contact"], "difference": [0.0], "difference_low": [-0.1], "difference_high": [0.1]})
    assert telling.dose(flat).startswith("No clear difference")
    assert telling.dose(flat.clear()).startswith("Too few")


def test_checks_that_are_not_passed_are_named_and_become_cautions() -> None:
    table = checks.all(FOUND)
    assert "passes all 12 checks" in telling.checked(table)
    assert telling.cautions(table) == []
    bad = table.with_columns(passed=pl.when(pl.col("check") == "overlap").then(pl.lit(False)).otherwise("passed"))
    assert "does not pass" in telling.checked(bad)
    cares = telling.cautions(bad)
    assert [(found.id, found.role) for found in cares] == [("care-csat-overlap", "care")]
    assert wording.lint_findings(cares) == []


def test_an_interval_that_holds_none_is_not_called_robust() -> None:
    none = sensitivity(fitted(desk(gap=0.0)))
    assert telling.robust(none).startswith("The interval of the difference holds none already")
    assert telling.robust(none.clear()).startswith("It cannot be said")


def test_no_customer_is_named_in_the_table_for_readers() -> None:
    words = telling.in_words(YARDSTICKS)
    names = YARDSTICKS.filter(check="influence")["what"].head(10)
    assert not words["what"].is_in(names.implode()).any()
    assert words.filter(check="influence").height == 1
    assert words.filter(check="E-value")["value"].str.contains("points").any() is False


@pytest.mark.parametrize(("value", "said"), [(4.0, "4.0 times less likely"), (None, "within reason")])
def test_silent_customers_are_told_by_how_far_they_would_have_to_lean(value: float | None, said: str) -> None:
    row: dict[str, Any] = {"check": "silent customers", "what": "all of it", "value": value, "reading": "x."}
    assert said in telling.silent(pl.DataFrame([row], schema_overrides={"value": pl.Float64}))


def test_the_largest_move_of_a_single_customer_is_told_without_a_name() -> None:
    told = telling.influence(YARDSTICKS, ours=FOUND.estimate)
    assert told.startswith("Without the 10 customers that move it most")
    assert not any(name in told for name in YARDSTICKS.filter(check="influence")["what"].head(10).to_list() if len(name) > 3)
