"""Do the checks pass where the ground is sound, and only there?"""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest

from fcrlib.explain.csat import effect
from fcrlib.fits import checks
from fcrlib.fits.effect import Effect
from fcrlib.model.errors import DataError, UsageError


def desk(rows: int = 12_000, seed: int = 3, *, bent: bool = False) -> pl.DataFrame:
    draw = np.random.default_rng(seed)
    tier, channel = draw.integers(0, 4, rows), draw.integers(0, 3, rows)
    fcr = draw.random(rows) < 0.3 + 0.1 * tier
    # Bent: who is content depends on tier and channel crossed, which a model that adds them up cannot see.
    crossed = 2.4 * ((tier > 1) == (channel == 0)) if bent else 0.0
    mood = -1.2 + 1.1 * fcr + 0.3 * tier + crossed + draw.logistic(size=rows)
    told = {"fcr": fcr, "tier": [f"t{n}" for n in tier], "channel": [f"c{n}" for n in channel], "customer": draw.integers(0, rows // 2, rows)}
    rating = 1 + (mood > -2).astype(int) + (mood > -1) + (mood > 0) + (mood > 1.5)
    return pl.DataFrame({**told, "rating": rating.astype(np.int64), "good": mood > 0})


def fitted(frame: pl.DataFrame, **given: str) -> Effect:
    return effect(frame, outcome="good", exposure="fcr", adjust=["tier", "channel"], **given)  # type: ignore[arg-type]


def test_a_model_that_is_right_passes_every_check() -> None:
    table = checks.all(fitted(desk()))
    assert table.filter(pl.col("passed").not_()).is_empty()
    assert table["check"].unique(maintain_order=True).to_list() == ["calibration", "overlap", "inflation"]
    assert table.filter(check="calibration").height == 10
    assert table.filter(check="calibration")["n"].sum() == 12_000


def test_every_tenth_of_a_right_model_lies_in_its_interval_about_as_often_as_it_should() -> None:
    inside = pl.concat([checks.all(fitted(desk(3000, seed))).filter(check="calibration") for seed in range(8)])
    assert 0.9 < inside.select(pl.col("expected").is_between("low", "high").mean()).item() <= 1


def test_a_model_that_misses_a_crossing_is_not_calibrated() -> None:
    raw = desk(bent=True)
    wrong = effect(raw, outcome="good", exposure="fcr", adjust=["tier", "channel"])
    assert checks.all(wrong).filter(check="calibration")["passed"].not_().any()
    reading = checks.all(wrong).filter(pl.col("check") == "calibration", ~pl.col("passed"))["reading"][0]
    assert "beyond chance" in reading


def test_a_kind_that_is_always_exposed_has_no_alike_ones() -> None:
    frame = desk().with_columns(fcr=pl.when(pl.col("tier") == "t3").then(True).otherwise("fcr"))
    row = checks.all(fitted(frame)).filter(pl.col("part") == "outside 5 to 95 %").row(0, named=True)
    assert row["value"] == pytest.approx(frame.select((pl.col("tier") == "t3").mean()).item(), abs=0.01)
    assert row["passed"] is False
    assert "guess" in row["reading"]


def test_what_is_left_of_the_exposure_and_the_inflation_are_those_of_a_plain_regression() -> None:
    import statsmodels.formula.api as smf

    frame = desk(4000)
    rows = frame.with_columns(pl.col("fcr").cast(pl.Float64)).to_pandas()
    r2 = smf.ols("fcr ~ C(tier) + C(channel)", rows).fit().rsquared
    table = checks.all(fitted(frame))
    assert table.filter(part="exposure unexplained")["value"].item() == pytest.approx(1 - r2)
    assert table.filter(check="inflation")["value"].item() == pytest.approx(1 / (1 - r2))


def test_a_covariate_that_says_nearly_the_same_inflates() -> None:
    frame = desk().with_columns(near=pl.when(pl.int_range(pl.len()) % 40 == 0).then(~pl.col("fcr")).otherwise("fcr").cast(pl.String))
    found = effect(frame, outcome="good", exposure="fcr", adjust=["near"])
    row = checks.all(found).filter(check="inflation").row(0, named=True)
    assert row["value"] > 5
    assert row["passed"] is False


def test_rare_levels_are_listed_with_their_answers() -> None:
    frame = desk(4000).with_columns(tier=pl.when(pl.int_range(pl.len()) < 6).then(pl.lit("rare")).otherwise("tier"))
    rare = checks.all(fitted(frame)).filter(check="rare levels")
    assert ("tier: rare", 6) in rare.select("part", "n").rows()


def test_every_place_to_cut_has_its_own_difference() -> None:
    frame = desk()
    table = checks.cuts(frame, rating="rating", exposure="fcr", adjust=["tier", "channel"], cluster="customer")
    assert table["at_least"].to_list() == [2, 3, 4, 5]
    assert table["share"].is_sorted(descending=True)
    whole = fitted(frame)
    assert table.filter(at_least=4).select("estimate", "low", "high").row(0) == pytest.approx((whole.estimate, whole.low, whole.high))


def test_a_place_where_nothing_can_be_told_is_a_row_with_its_reason() -> None:
    frame = desk(800).with_columns(rating=pl.when(pl.int_range(pl.len()) < 3).then(1).otherwise(pl.col("rating").clip(2, 5)))
    frame = frame.with_columns(fcr=pl.when(pl.col("rating") == 1).then(False).otherwise("fcr"))
    table = checks.cuts(frame, rating="rating", exposure="fcr", adjust=[], cluster="customer")
    assert table.row(0, named=True)["estimate"] is None
    assert len(table["note"][0]) > 20
    assert table["estimate"].null_count() == 1


def test_ratings_that_cannot_be_cut_are_refused() -> None:
    with pytest.raises(DataError, match="no place to cut"):
        checks.cuts(desk(100).with_columns(rating=pl.lit(5)), rating="rating", exposure="fcr")
    with pytest.raises(UsageError, match="no column 'stars'"):
        checks.cuts(desk(100), rating="stars", exposure="fcr")


def test_ordered_answers_are_checked_by_their_cuts_instead() -> None:
    found = effect(desk(2000), outcome="rating", exposure="fcr", adjust=["tier"], kind="ordinal")
    with pytest.raises(UsageError, match="ordered"):
        checks.all(found)
