"""Do the errors know that contacts of one customer fail alike?"""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest
from drifting import DIMS, desk

from fcrlib.search.cube import cube
from fcrlib.search.scan import prepare


def customers(*, seed: int, alike: float) -> pl.DataFrame:
    """A desk on which every customer has five contacts on average, one team, one period, and a temper of its own."""
    frame, rng = desk(seed=seed), np.random.default_rng([seed, 1])
    own = rng.integers(0, frame.height // 10, frame.height) + frame.height // 10 * frame["after"].to_numpy()
    share = 0.3 + (alike * rng.choice([-1, 1], 2 * (frame.height // 10)))[own]
    team = np.array([f"team-{value}" for value in range(6)])[own % 6]
    return frame.with_columns(customer=pl.Series(own), team=pl.Series(team), failed=pl.Series(rng.random(frame.height) < share))


def errors_of(frame: pl.DataFrame, *clusters: str) -> np.ndarray:
    return prepare(cube(frame, dims=DIMS, failed="failed", arm="after", clusters=clusters), max_depth=1, margin=0.0).errors.se


def test_contacts_of_one_customer_that_fail_alike_widen_the_errors_of_the_places_that_they_share() -> None:
    wider = errors_of(customers(seed=1, alike=0.25), "customer") / errors_of(customers(seed=1, alike=0.25))
    # A customer has 5 others in its period on average, all of them in its team: 1 + 5 * 0.0625 / 0.21 = 2.5 times the variance.
    assert wider[0] ** 2 == pytest.approx(2.5, abs=0.25)
    channels, teams = wider[1:5] ** 2, wider[13:19] ** 2
    assert channels.mean() == pytest.approx(1 + 1.5 / 4, abs=0.15)
    assert teams.mean() == pytest.approx(2.5, abs=0.3)


def test_customers_without_a_temper_hardly_widen_the_errors() -> None:
    frame = customers(seed=1, alike=0.0)
    assert errors_of(frame, "customer") / errors_of(frame) == pytest.approx(1, abs=0.05)


def test_customers_that_nobody_knows_are_taken_as_independent() -> None:
    frame = customers(seed=1, alike=0.25).with_columns(customer=pl.when(pl.col("customer") < 0).then("customer"))
    assert (errors_of(frame, "customer") == errors_of(frame)).all()
