"""Does a tilt of those who did not answer say what it should?"""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest

from fcrlib.fits.cells import Cells, gather
from fcrlib.fits.contrast import standardise
from fcrlib.fits.design import code
from fcrlib.fits.regression import Fit, fit
from fcrlib.fits.silent import grid, heard, tilted, tipping
from fcrlib.model.errors import UsageError

NONE = {False: 0.0, True: 0.0}


def desk(*, lean: float = 0.0, rows: int = 60_000, seed: int = 2) -> pl.DataFrame:
    """Half of the resolved and a third of the failed answer; silent resolved customers are less content by `lean` log odds."""
    draw = np.random.default_rng(seed)
    fcr, tier = draw.random(rows) < 0.6, draw.integers(0, 2, rows)
    answered = draw.random(rows) < np.where(fcr, 0.5, 0.33)
    line = -0.4 + 1.5 * fcr + 0.5 * tier - lean * (~answered & fcr)
    good = draw.random(rows) < 1 / (1 + np.exp(-line))
    told = pl.DataFrame({"truth": good, "answered": answered, "fcr": fcr, "tier": [f"t{n}" for n in tier]})
    return told.with_columns(good=pl.when("answered").then(pl.col("truth").cast(pl.Int8)), customer=pl.int_range(rows) // 2)


def modelled(frame: pl.DataFrame, *, kind: str = "logit") -> tuple[Fit, Cells]:
    coded = code(frame, outcome="good", exposure="fcr", adjust=["tier"], cluster="customer")
    cells = gather(coded)
    return fit(cells, coded.terms, kind=kind), cells  # type: ignore[arg-type]


def test_without_a_tilt_it_is_the_standardised_difference() -> None:
    fitted, cells = modelled(desk(rows=4000))
    plain, ours = standardise(fitted, cells.everybody).difference(), tilted(fitted, cells.everybody, heard={False: 0.3, True: 0.6}, tilt=NONE)
    assert (ours.value, ours.low, ours.high) == pytest.approx((plain.value, plain.low, plain.high))


def test_the_tilt_that_was_planted_gives_the_truth_back() -> None:
    frame = desk(lean=0.8)
    fitted, cells = modelled(frame)
    share = heard(frame, outcome="good", exposure="fcr")
    # Tier goes with nothing, so that the plain difference over everybody is the truth.
    truth = frame.select(pl.col("truth").filter("fcr").mean() - pl.col("truth").filter(~pl.col("fcr")).mean()).item()
    assert tilted(fitted, cells.everybody, heard=share, tilt=NONE).value - truth > 0.05
    assert tilted(fitted, cells.everybody, heard=share, tilt={False: 0.0, True: -0.8}).value == pytest.approx(truth, abs=0.015)


def test_where_everybody_answers_no_tilt_matters() -> None:
    fitted, cells = modelled(desk(rows=4000))
    all_said = {False: 1.0, True: 1.0}
    assert tilted(fitted, cells.everybody, heard=all_said, tilt={False: -3.0, True: 5.0}).value == pytest.approx(
        tilted(fitted, cells.everybody, heard=all_said, tilt=NONE).value
    )


def test_the_tilt_that_tips_leaves_nothing_and_the_interval_tips_before_it() -> None:
    frame = desk(rows=8000)
    fitted, cells = modelled(frame)
    share = heard(frame, outcome="good", exposure="fcr")
    whole, edge = tipping(fitted, cells.everybody, heard=share)
    assert whole is not None
    assert edge is not None
    assert 0 < edge < whole
    assert tilted(fitted, cells.everybody, heard=share, tilt={False: 0.0, True: -whole}).value == pytest.approx(0, abs=1e-5)
    low = tilted(fitted, cells.everybody, heard=share, tilt={False: 0.0, True: -edge}).low
    assert low == pytest.approx(0, abs=1e-5)


def test_a_few_silent_customers_cannot_take_it_away() -> None:
    fitted, cells = modelled(desk(rows=8000))
    assert tipping(fitted, cells.everybody, heard={False: 0.98, True: 0.98}) == (None, None)


def test_the_tilt_leans_against_a_difference_of_either_sign() -> None:
    frame = desk(rows=8000)
    fitted, cells = modelled(frame.with_columns(pl.col("fcr").not_()))
    table = grid(fitted, cells.everybody, heard={False: 0.5, True: 0.33}, tilts=[0.4, 0.0]).filter(side="exposed")
    assert table["tilt"].to_list() == [0.0, 0.4]
    assert table["estimate"][0] < table["estimate"][1] < 0


def test_an_interval_that_holds_nothing_needs_no_tilt() -> None:
    frame = desk(rows=3000).with_columns(good=pl.when("answered").then(pl.int_range(pl.len()) % 2))
    fitted, cells = modelled(frame)
    assert tipping(fitted, cells.everybody, heard={False: 0.5, True: 0.5})[1] == 0


def test_a_linear_model_cannot_be_tilted() -> None:
    fitted, cells = modelled(desk(rows=3000), kind="linear")
    with pytest.raises(UsageError, match="yes/no"):
        tilted(fitted, cells.everybody, heard={False: 0.5, True: 0.5}, tilt=NONE)
