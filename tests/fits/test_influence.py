"""Is the difference without a customer the one that a new fit without them gives?"""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest

from fcrlib.fits.cells import Cells, gather
from fcrlib.fits.contrast import standardise
from fcrlib.fits.design import code
from fcrlib.fits.influence import TOGETHER, hangs_on, influential
from fcrlib.fits.regression import Fit, fit
from fcrlib.model.errors import UsageError


def desk(rows: int = 2500, seed: int = 4) -> pl.DataFrame:
    """An account of 60 contacts whose answers go the other way, among small ones."""
    draw = np.random.default_rng(seed)
    fcr, tier = draw.random(rows) < 0.6, draw.integers(0, 3, rows)
    big = np.arange(rows) < 60
    good = np.where(big, ~fcr, draw.random(rows) < 0.3 + 0.4 * fcr)
    names = np.where(big, "acme", np.char.add("c", draw.integers(0, rows // 2, rows).astype(str)))
    return pl.DataFrame({"good": good.astype(np.int8), "fcr": fcr, "tier": [f"t{n}" for n in tier], "customer": names})


def modelled(frame: pl.DataFrame) -> tuple[Fit, Cells]:
    coded = code(frame, outcome="good", exposure="fcr", adjust=["tier"], cluster="customer")
    cells = gather(coded)
    return fit(cells, coded.terms), cells


def test_the_account_that_goes_the_other_way_is_found_and_its_move_is_that_of_a_new_fit() -> None:
    frame = desk()
    fitted, cells = modelled(frame)
    table = influential(fitted, cells)
    whole = standardise(fitted, cells.everybody).difference().value
    assert table.row(0, named=True)["cluster"] == "acme"
    assert table["n"][0] == 60
    again, _ = modelled(frame.filter(pl.col("customer") != "acme"))
    exact = standardise(again, cells.everybody).difference().value
    assert table["estimate"][0] == pytest.approx(exact, abs=0.1 * abs(exact - whole))
    assert table["estimate"][0] - whole == pytest.approx(table["moves"][0])


def test_small_customers_move_it_as_a_new_fit_does() -> None:
    frame = desk()
    fitted, cells = modelled(frame)
    whole = standardise(fitted, cells.everybody).difference().value
    for name, _, moves, _ in influential(fitted, cells, most=4).iter_rows():
        if name in ("acme", TOGETHER):
            continue
        again, _ = modelled(frame.filter(pl.col("customer") != name))
        assert moves == pytest.approx(standardise(again, cells.everybody).difference().value - whole, rel=0.05)


def test_all_of_these_together_move_it_by_the_sum() -> None:
    fitted, cells = modelled(desk())
    table = influential(fitted, cells, most=5)
    assert table.height == 6
    assert table.row(-1, named=True)["cluster"] == TOGETHER
    assert table["moves"][-1] == pytest.approx(table["moves"].head(5).sum())
    assert table["moves"].head(5).abs().is_sorted(descending=True)


def test_the_order_of_the_rows_says_nothing() -> None:
    frame = desk()
    one, other = (influential(*modelled(rows)) for rows in (frame, frame.sample(fraction=1.0, shuffle=True, seed=3)))
    assert one.equals(other)


def test_customers_that_nobody_knows_are_listed_as_such() -> None:
    frame = desk(300).with_columns(customer=pl.lit(None, pl.String))
    assert set(influential(*modelled(frame))["cluster"]) == {"(not known)", TOGETHER}


def test_a_difference_carried_by_one_account_hangs_on_it() -> None:
    assert hangs_on(pl.DataFrame({"estimate": [-0.1, -0.3]}), estimate=-0.3)
    assert not hangs_on(pl.DataFrame({"estimate": [-0.2, -0.3]}), estimate=-0.3)
    with pytest.raises(UsageError, match="one or more"):
        influential(*modelled(desk(300)), most=0)
