"""Do the sentences on satisfaction say what the frames say, and claim no more than their grade allows?"""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from types import SimpleNamespace
from typing import Any

import numpy as np
import polars as pl
import pytest

from fcrlib.explain.csat import Answer, answer, dose, effect, effect_path
from fcrlib.fits import checks
from fcrlib.fits.effect import Effect
from fcrlib.fits.sensitivity import sensitivity
from fcrlib.judge.timing import AFTER, BEFORE
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


def rated(frame: pl.DataFrame, *, asked: int = 3000) -> SimpleNamespace:
    """The frame as the door takes it: every third failed contact was rated after it had failed."""
    late = ~pl.col("fcr") & (pl.int_range(pl.len()) % 3 == 0)
    heard = pl.col("good").is_not_null()
    full = frame.with_columns(
        pl.col("good").cast(pl.Boolean), timing=pl.when(heard).then(pl.when(late).then(pl.lit(AFTER)).otherwise(pl.lit(BEFORE))),
        rating=1 + 4 * pl.col("good").cast(pl.Int64), survey_fcr=pl.when(heard).then("fcr"), agreed=pl.when(heard).then("fcr"),
        ces=pl.when(heard).then(pl.int_range(pl.len()) % 7 + 1.0), nps=pl.when(heard).then(5.0 + 4 * pl.col("good")), month=pl.lit("2026-07"),
    )  # fmt: skip
    counted = pl.DataFrame({"what": ["of these asked"], "n": [asked]})
    return SimpleNamespace(frame=full, counted=counted, scale="1-5", notes=("Nobody was rated.",), good_from=4)


ANSWER: Answer = answer(rated(FRAME))
NONE: Answer = answer(rated(FRAME.with_columns(good=pl.lit(None, pl.Int8))))


def test_every_sentence_claims_no_more_than_grade_c_allows() -> None:
    assert FOUND.grade == "C"
    table, frame = checks.all(FOUND), FRAME.with_columns(rating=1 + 3 * pl.col("good").cast(pl.Int64))
    sentences = [
        telling.by_segment(ANSWER), telling.path(effect_path(FRAME)), telling.dose(dose(FRAME)), telling.checked(table), telling.robust(YARDSTICKS),
        telling.cuts(checks.cuts(frame, rating="rating", exposure="fcr", cluster="customer")), telling.silent(YARDSTICKS),
        telling.triad(ANSWER.exposures), telling.influence(ANSWER), telling.per_point(ANSWER.per_point), telling.by_timing(ANSWER.timing),
        telling.by_model(ANSWER.models), telling.effort(ANSWER.effort), telling.satisfied_means(ANSWER), *YARDSTICKS["reading"], *table["reading"],
        *ANSWER.per_point["source"], *ANSWER.per_point["caveat"],
    ]  # fmt: skip
    assert [str(slip) for sentence in sentences for slip in wording.lint(sentence, "C")] == []
    assert all(len(sentence) > 5 for sentence in sentences)


def test_the_finding_gives_both_shares_and_what_to_do_and_claims_no_more_than_its_grade() -> None:
    (found,) = telling.found(ANSWER, window=timedelta(days=7), figures=("csat-path",))
    assert ANSWER.effect is not None
    assert (found.role, found.grade, found.figures) == ("finding", "C", ("csat-path",))
    assert found.title.startswith(f"{100 * ANSWER.effect.with_exposure:.1f} % are satisfied where the first contact resolved it, ")
    assert "later contacts were waited for 7 days" in found.statement
    assert "a rating of 4 or better on the scale 1-5" in found.statement
    assert found.action
    assert found.check
    assert wording.lint_findings([found, *telling.key_figure(ANSWER)]) == []


def test_where_nothing_can_be_compared_there_is_one_caution_and_every_part_a_sentence() -> None:
    (care,) = telling.found(NONE, window=None)
    assert (care.id, care.role, care.measure) == ("care-csat", "care", None)
    assert care.statement.endswith("cannot be compared here: Nobody was rated.")
    said = [
        telling.by_segment(NONE), telling.path(NONE.path), telling.dose(NONE.dose), telling.by_timing(NONE.timing), telling.triad(NONE.exposures),
        telling.by_model(NONE.models), telling.effort(NONE.effort), telling.cuts(NONE.cuts), telling.checked(NONE.checks),
        telling.robust(NONE.yardsticks), telling.silent(NONE.yardsticks), telling.influence(NONE), telling.per_point(NONE.per_point),
    ]  # fmt: skip
    assert all(len(sentence) > 20 and "None" not in sentence and "points of" not in sentence for sentence in said)
    assert telling.key_figure(NONE) == []
    assert telling.notes(NONE) == ""
    assert telling.in_words(NONE.yardsticks).is_empty()
    assert telling.models_in_words(NONE.models).is_empty()


def test_without_known_timing_the_finding_only_says_what_was_observed() -> None:
    late = rated(FRAME)
    late.frame = late.frame.with_columns(timing=pl.when(pl.col("timing").is_not_null()).then(pl.lit("time unknown")))
    (found,) = telling.found(answer(late), window=None)
    assert found.grade == "D"
    assert "was observed with" in found.statement
    assert "adjust" not in found.statement
    assert wording.lint_findings([found]) == []


def test_no_clear_difference_asks_for_nothing() -> None:
    (found,) = telling.found(answer(rated(desk(gap=0.0))), window=None)
    assert found.title.startswith("No clear difference")
    assert found.action == ""


def test_the_key_figure_is_the_weighted_share_of_resolved_contacts_with_its_interval() -> None:
    (key,) = telling.key_figure(ANSWER)
    assert (key.id, key.role) == ("csat", "kpi")
    assert key.measure is not None
    row = ANSWER.shares.filter("fcr").row(0, named=True)
    assert (key.measure.value, key.measure.low, key.measure.high, key.measure.n) == (row["share"], row["low"], row["high"], row["n"])
    assert telling.key_figure(replace(ANSWER, shares=ANSWER.shares.filter(~pl.col("fcr")))) == []


def test_ratings_before_and_after_the_failure_are_told_apart() -> None:
    told = telling.by_timing(ANSWER.timing)
    assert "rated before they had failed, " in told
    assert "rated after they had failed, " in told
    assert told.endswith("it can only foretell it")
    lost = ANSWER.timing.with_columns(low=pl.when(pl.col("name").str.contains("after")).then("low"))
    assert "foretell" not in telling.by_timing(lost)


def test_a_survey_that_shows_less_than_the_system_is_said_to_err_as_well() -> None:
    told = [telling.quarrel(pl.DataFrame({"name": ["the system", "the survey"], "estimate": [0.25, other]})) for other in (0.15, 0.3, None)]
    assert [bool(sentence) for sentence in told] == [True, False, False]
    assert wording.lint(told[0], "C") == []


def test_the_will_not_to_recommend_counts_the_other_way_round() -> None:
    assert telling.by_model(ANSWER.models).startswith(f"In {ANSWER.models.height} of {ANSWER.models.height} ways to ask")
    turned = ANSWER.models.with_columns(estimate=-pl.col("estimate"), low=-pl.col("high"), high=-pl.col("low"))
    assert telling.by_model(turned).endswith(f"in {ANSWER.models.height} clearly worse")


def test_segments_no_further_apart_than_chance_are_not_called_different() -> None:
    assert FOUND.segments_differ is not None
    assert "chance" in telling.by_segment(replace(ANSWER, effect=FOUND))
    apart = replace(ANSWER, effect=replace(FOUND, segments_differ=0.001))
    assert telling.by_segment(apart).startswith("The difference is not the same for every channel")
    assert "too few" in telling.by_segment(replace(ANSWER, effect=replace(FOUND, segments=None)))


def test_models_that_could_not_be_fitted_are_counted() -> None:
    told = telling.path(effect_path(FRAME))
    assert "models could not be fitted" in told
    assert told.startswith("As found the difference is +")
    assert telling.path(effect_path(FRAME).clear()).startswith("Fewer than two models")


def test_each_further_contact_stands_beside_the_vendor_claim() -> None:
    told = telling.dose(dose(FRAME))
    assert told.startswith("A second contact goes with −")
    assert "each further contact goes with −" in told
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
    told = telling.influence(replace(ANSWER, effect=FOUND, yardsticks=YARDSTICKS))
    assert told.startswith("Without the 10 customers that move it most")
    assert not any(name in told for name in YARDSTICKS.filter(check="influence")["what"].head(10).to_list() if len(name) > 3)
