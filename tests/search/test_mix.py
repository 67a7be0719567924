"""Are mix and rate told apart, and is a total that turns around seen?"""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest
from drifting import DIMS, desk

from fcrlib.explain import drivers
from fcrlib.model.errors import DataError

BEFORE = [12.9, 10.9, 9.5, 8.0, 7.8, 8.4, 8.6, 7.8, 7.0, 5.9, 4.7, 3.6, 4.9]
AFTER = [10.1, 11.2, 11.6, 10.9, 9.4, 7.7, 6.3, 6.0, 6.3, 5.9, 5.1, 4.0, 5.5]
RATES_BEFORE = [1.9, 25.8, 45.7, 49.6, 51.2, 51.6, 51.8, 54.9, 58.7, 60.4, 62.8, 66.6, 66.8]
RATES_AFTER = [2.2, 24.3, 45.8, 52.5, 56.1, 55.6, 56.0, 57.4, 57.2, 61.2, 63.9, 68.6, 72.2]


def test_kitagawa_reproduces_the_book() -> None:
    groups = list(range(13))
    then = pl.DataFrame({"age": groups, "n": BEFORE, "rate": RATES_BEFORE})
    now = pl.DataFrame({"age": groups, "n": AFTER, "rate": RATES_AFTER})
    table = drivers.kitagawa(then, now, by="age")
    # Das Gupta (1993), Table 5.1: the published crude rates rest on shares of exactly 100 %.
    mix, rate = table["mix"].sum(), table["rate"].sum()
    crude = [sum(n * r for n, r in zip(sizes, rates, strict=True)) / sum(sizes) for sizes, rates in ((BEFORE, RATES_BEFORE), (AFTER, RATES_AFTER))]
    assert crude == pytest.approx([44.7268, 47.694], abs=1e-4)
    assert (mix, rate) == pytest.approx((1.2269, 1.7403), abs=1e-4)
    assert mix + rate == pytest.approx(crude[1] - crude[0], abs=1e-12)


def test_kitagawa_takes_a_group_that_is_new_as_mix() -> None:
    then = pl.DataFrame({"channel": ["a"], "n": [10], "rate": [0.2]})
    now = pl.DataFrame({"channel": ["a", "b"], "n": [10, 10], "rate": [0.2, 0.6]})
    table = drivers.kitagawa(then, now, by="channel")
    assert table["rate"].sum() == pytest.approx(0)
    assert table["mix"].sum() == pytest.approx(0.2)


def test_kitagawa_refuses_groups_that_repeat() -> None:
    twice = pl.DataFrame({"channel": ["a", "a"], "n": [10, 10], "rate": [0.2, 0.6]})
    with pytest.raises(DataError, match="once"):
        drivers.kitagawa(twice, twice, by="channel")


def turned(*, seed: int) -> pl.DataFrame:
    """Every channel fails 6 points less, but the contacts move to the channel where most fail."""
    frame, rng = desk(seed=seed, contacts=20_000), np.random.default_rng([seed, 1])
    phone = rng.random(frame.height) < np.where(frame["after"], 0.8, 0.2)
    share = np.where(phone, 0.6, 0.2) - 0.06 * frame["after"].to_numpy()
    return frame.with_columns(channel=pl.Series(np.array(["chat", "phone"])[phone.astype(int)]), failed=pl.Series(rng.random(frame.height) < share))


def test_a_total_that_rose_while_every_channel_fell_is_a_reversal() -> None:
    table = drivers.reversals(turned(seed=1), dims=["channel", "team"], failed="failed", period="after", clusters=["week"])
    assert table["dimension"].to_list() == ["channel", "team"]
    assert table["reversed"].to_list() == [True, False]
    row = table.row(0, named=True)
    assert row["total"] == pytest.approx(0.18, abs=0.03)
    assert row["within"] == pytest.approx(-0.06, abs=0.02)
    assert row["low"] < -0.06 < row["high"] < 0
    assert (row["levels"], row["against"], row["contacts"]) == (2, 2, 1.0)


def test_parts_of_a_reversal_sum_to_the_total() -> None:
    table = drivers.reversals(turned(seed=2), dims=["channel", "team", "category"], failed="failed", period="after")
    assert (table["within"] + table["mix"]).to_list() == pytest.approx(table["total"].to_list(), abs=1e-12)


@pytest.mark.parametrize("seed", range(8))
def test_a_desk_that_only_drifts_has_no_reversal(seed: int) -> None:
    table = drivers.reversals(desk(seed=200 + seed), dims=DIMS, failed="failed", period="after", clusters=["week"])
    assert not table["reversed"].any()


def test_customers_that_come_again_are_no_shift_of_the_mix() -> None:
    asked = {"dims": DIMS, "failed": "failed", "period": "after"}
    without = 0
    for seed in range(8):
        frame, rng = desk(seed=100), np.random.default_rng(seed)
        # In each period a thousand customers make eight contacts each, all in one tier: chance alone moves the shares by several points.
        own = rng.integers(0, 1000, frame.height) + 1000 * frame["after"].to_numpy()
        tier = np.array([f"tier-{value}" for value in range(3)])[rng.integers(0, 3, 2000)][own]
        often = pl.Series(rng.random(frame.height) < 0.5) & (pl.col("tier") == "tier-0")
        frame = frame.with_columns(customer=pl.Series(own), tier=pl.Series(tier)).with_columns(failed=pl.col("failed") | often)
        without += "mix" in drivers.change(frame, clusters=["week"], **asked).drivers["kind"]
        assert drivers.change(frame, clusters=["week", "customer"], **asked).drivers.is_empty()
    assert without >= 2
