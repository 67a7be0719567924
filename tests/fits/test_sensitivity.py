"""Are all yardsticks there, exact, and read out truly?"""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest

from fcrlib.explain.csat import effect
from fcrlib.fits.contrast import standardise
from fcrlib.fits.effect import Effect
from fcrlib.fits.sensitivity import ALL, LIMIT, sensitivity
from fcrlib.model.errors import UsageError
from fcrlib.search.standardised import e_value


def desk(rows: int = 8000, seed: int = 6, *, gap: float = 0.3) -> pl.DataFrame:
    draw = np.random.default_rng(seed)
    true, tier = draw.random(rows) < 0.6, draw.integers(0, 3, rows)
    read, said = (np.where(draw.random(rows) < wrong, ~true, true) for wrong in (0.12, 0.0))
    good = draw.random(rows) < 0.35 + gap * true + 0.05 * tier
    answered = draw.random(rows) < 0.4
    told = pl.DataFrame({"good": good.astype(np.int8), "fcr": read, "asked": said, "tier": [f"t{n}" for n in tier], "heard": answered})
    blank = [pl.when("heard").then(name).alias(name) for name in ("good", "asked")]
    return told.with_columns(*blank, customer=pl.int_range(rows) // 2).with_columns(agreed=pl.when(pl.col("fcr") == pl.col("asked")).then("fcr"))


def fitted(frame: pl.DataFrame, **given: str) -> Effect:
    return effect(frame, outcome="good", adjust=["tier"], **{"exposure": "fcr", **given})  # type: ignore[arg-type]


def rows(table: pl.DataFrame, check: str) -> dict[str, dict[str, float]]:
    return {row["what"]: row for row in table.filter(check=check).to_dicts()}


FRAME = desk()
FOUND = fitted(FRAME)
TABLE = sensitivity(
    FOUND, frame=FRAME, survey="asked", others={"the survey": fitted(FRAME, exposure="asked"), "both": fitted(FRAME, exposure="agreed")}
)


def test_every_yardstick_has_its_rows_in_order() -> None:
    assert TABLE["check"].unique(maintain_order=True).to_list() == [
        "E-value", "robustness value", "as strong as", "misread exposure", "silent customers", "exposure read from", "influence",
    ]  # fmt: skip
    assert TABLE["reading"].str.ends_with(".").all()
    assert TABLE.filter(check="influence").height == 11


def test_the_e_value_is_of_the_standardised_ratio_and_not_of_the_odds() -> None:
    ratio = standardise(FOUND.fit, FOUND.cells.everybody).ratio()  # type: ignore[arg-type]
    assert ratio is not None
    assert ratio.low is not None
    assert rows(TABLE, "E-value")[ALL]["value"] == pytest.approx(e_value(ratio.value))
    assert rows(TABLE, "E-value")[LIMIT]["value"] == pytest.approx(e_value(ratio.low))
    assert FOUND.odds_ratio is not None
    assert rows(TABLE, "E-value")[ALL]["value"] < e_value(FOUND.odds_ratio)


def test_the_planted_misreading_is_mended() -> None:
    found = rows(TABLE, "misread exposure")
    assert found["share shown"]["value"] == pytest.approx(0.75, abs=0.04)
    assert found["difference mended"]["low"] < 0.3 < found["difference mended"]["high"]
    assert FOUND.estimate < 0.27


def test_the_exposure_as_both_read_it_shows_more_than_ours() -> None:
    found = rows(TABLE, "exposure read from")
    assert found["both"]["value"] > FOUND.estimate + 0.02
    assert found["the survey"]["low"] < 0.3 < found["the survey"]["high"]


def test_as_strong_as_a_known_covariate_leaves_most_of_it() -> None:
    left = [row["value"] for row in TABLE.filter(check="as strong as").to_dicts()]
    assert left == sorted(left, reverse=True)
    assert left[0] < FOUND.estimate + 0.01


def test_where_there_is_no_difference_nothing_unseen_is_needed() -> None:
    none = sensitivity(fitted(desk(2000, gap=0.0)))
    assert rows(none, "E-value")[LIMIT]["value"] == 1
    assert rows(none, "robustness value")[LIMIT]["value"] == 0
    assert "nothing unseen is needed" in none.filter(check="robustness value")["reading"][1]
    assert rows(none, "silent customers")[LIMIT]["value"] == 1


def test_where_everybody_answered_nobody_is_silent() -> None:
    frame = FRAME.filter("heard")
    assert "Everybody answered" in sensitivity(fitted(frame), frame=frame).filter(check="silent customers")["reading"].item()


def test_a_score_is_told_in_its_own_unit_and_cannot_be_tilted() -> None:
    frame = FRAME.with_columns(good=1 + 4 * pl.col("good").cast(pl.Float64))
    table = sensitivity(effect(frame, outcome="good", exposure="fcr", adjust=["tier"], kind="linear"))
    assert set(table.filter(check="influence")["unit"]) == {"score"}
    assert "points" not in "".join(table.filter(pl.col("check") != "E-value")["reading"])
    assert "Only a yes/no outcome" in table.filter(check="silent customers")["reading"].item()


def test_what_cannot_be_asked_is_refused() -> None:
    with pytest.raises(UsageError, match="must come with the frame"):
        sensitivity(FOUND, survey="asked")
    ordered = effect(
        FRAME.with_columns(good=1 + pl.col("good").cast(pl.Int64) + pl.int_range(pl.len()) % 2), outcome="good", exposure="fcr", kind="ordinal"
    )
    with pytest.raises(UsageError, match="ordered answers"):
        sensitivity(ordered)
