"""Is a simulated gain the product of what it says it is, and does it say what it takes for granted?"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import polars as pl
import pytest

from fcrlib.fits.simulator import ALL, CAUSAL, Simulation, algebra, condition, simulate
from fcrlib.model.errors import UsageError


@dataclass(frozen=True)
class Fitted:
    estimate: float = 0.30
    se: float | None = 0.02
    low: float | None = 0.26
    high: float | None = 0.34
    n: int = 9000
    n_clusters: int = 4000
    segments: pl.DataFrame | None = None
    unit: str = "share"


def gains(told: Simulation, gain: str, share: float = 1.0) -> dict[str, float]:
    return told.gains.filter(pl.col("gain") == gain, pl.col("segment") == ALL, pl.col("causal_share") == share).row(0, named=True)


def test_the_published_arithmetic_comes_out() -> None:
    billing = simulate(Fitted(), delta_pp=15, volume=5000, cost=7.68, repeats_per_failure=1)
    assert gains(billing, "contacts saved")["value"] == pytest.approx(750)
    assert gains(billing, "cost saved")["value"] == pytest.approx(5760)
    guide = simulate(Fitted(), delta_pp=35, volume=100_000, cost=10, repeats_per_failure=0.35)
    assert gains(guide, "contacts saved")["value"] == pytest.approx(12_250)
    assert gains(guide, "cost saved")["value"] == pytest.approx(122_500)


def test_one_point_of_fcr_brings_the_difference_as_points_of_csat_with_its_interval() -> None:
    csat = gains(simulate(Fitted(), delta_pp=1, volume=1, cost=None, repeats_per_failure=1), "points of CSAT")
    assert csat["value"] == pytest.approx(0.003)
    assert (csat["low"], csat["high"]) == pytest.approx((0.003 - 1.96 * 0.0002, 0.003 + 1.96 * 0.0002), rel=0.01)


def test_exact_inputs_have_no_spread() -> None:
    told = gains(simulate(Fitted(), delta_pp=1, volume=700, cost=3, repeats_per_failure=0.7), "cost saved")
    assert told["low"] == pytest.approx(told["value"])
    assert told["high"] == pytest.approx(told["value"])


def test_every_gain_stands_beside_the_smaller_causal_shares_and_says_if() -> None:
    told = simulate(Fitted(), delta_pp=1, volume=1000, cost=5, repeats_per_failure=0.5)
    for gain in ("points of CSAT", "contacts saved", "cost saved"):
        rows = told.gains.filter(pl.col("gain") == gain)
        assert rows["causal_share"].to_list() == [1.0, 0.5, 0.25]
        assert rows["value"].to_list() == pytest.approx([rows["value"][0] * share for share in (1, 0.5, 0.25)])
    assert told.gains["condition"].str.starts_with("if ").all()
    assert gains(told, "cost saved")["condition"] == "if the association were entirely causal"


@pytest.mark.parametrize(
    ("share", "said"), [(0.75, "if three quarters of the association were causal"), (0.1, "if 10 % of the association were causal")]
)
def test_other_shares_are_spelled_too(share: float, said: str) -> None:
    assert condition(share) == said


def test_the_same_seed_gives_the_same_draws_and_another_one_others() -> None:
    one, same, other = (
        simulate(Fitted(), delta_pp=2, volume=1000, cost=(4, 5, 9), repeats_per_failure=(0.4, 0.5, 0.7), seed=seed) for seed in (3, 3, 4)
    )
    assert one.gains.equals(same.gains)
    assert not one.gains.equals(other.gains)


def test_the_spread_of_a_product_is_that_of_its_parts() -> None:
    told = gains(simulate(Fitted(), delta_pp=10, volume=1000, cost=(2, 5, 8), repeats_per_failure=(0.4, 0.5, 0.6)), "cost saved")
    generator = np.random.default_rng(11)
    drawn = 100 * generator.normal(0.5, 0.1 / 1.96, 200_000) * generator.triangular(2, 5, 8, 200_000)
    assert (told["low"], told["high"]) == pytest.approx(tuple(np.quantile(drawn, [0.025, 0.975])), rel=0.02)
    assert told["value"] == pytest.approx(250)


def test_a_lopsided_cost_is_valued_at_its_mean_so_that_the_value_lies_inside() -> None:
    told = gains(simulate(Fitted(), delta_pp=10, volume=1000, cost=(5, 5, 11), repeats_per_failure=1), "cost saved")
    assert told["value"] == pytest.approx(700)
    assert told["low"] < told["value"] < told["high"]


def test_repeats_in_excess_may_be_fewer_than_none() -> None:
    told = gains(simulate(Fitted(), delta_pp=10, volume=1000, cost=1, repeats_per_failure=(-0.1, 0.1, 0.3)), "contacts saved")
    assert (told["value"], told["low"], told["high"]) == (pytest.approx(10), pytest.approx(-10, abs=0.6), pytest.approx(30, abs=0.6))


@pytest.mark.parametrize("unknown", [None, (0.1, None, 0.3)])
def test_what_is_not_known_is_not_simulated_and_it_is_said(unknown: tuple[float, None, float] | None) -> None:
    told = simulate(Fitted(), delta_pp=10, volume=1000, cost=1, repeats_per_failure=unknown)
    assert told.gains["gain"].unique().to_list() == ["points of CSAT"]
    assert "neither contacts nor money" in told.notes[0]
    assert simulate(Fitted(), delta_pp=10, volume=1000, cost=(1, None, 2), repeats_per_failure=1).notes[0].startswith("What a contact costs")


def test_without_a_cost_only_contacts_are_counted_and_it_is_said() -> None:
    told = simulate(Fitted(), delta_pp=1, volume=1000, cost=None, repeats_per_failure=0.5)
    assert "cost saved" not in told.gains["gain"]
    assert "cost saved" not in told.tornado["gain"]
    assert "no money" in told.notes[0]
    assert simulate(Fitted(), delta_pp=1, volume=1000, cost=0.0, repeats_per_failure=0.5).notes == ()


def test_every_assumption_is_a_row() -> None:
    told = simulate(Fitted(), delta_pp=2, volume=1000, cost=(4, 5, 9), repeats_per_failure=(0.4, 0.5, 0.7))
    named = dict(zip(told.assumptions["name"], told.assumptions["value"], strict=True))
    assert named["rise of FCR"] == pytest.approx(0.02)
    assert named["first contacts"] == 1000
    assert named["points of CSAT per point of FCR"] == 0.30
    assert named["later contacts per failed first contact"] == 0.5
    assert named["cost of a contact"] == 6
    assert told.assumptions["source"].str.len_chars().min() > 10
    assert told.assumptions["name"].str.contains("causal").any()


def test_the_tornado_names_the_input_that_moves_the_gain_most_first() -> None:
    told = simulate(Fitted(), delta_pp=10, volume=1000, cost=(4.9, 5, 5.1), repeats_per_failure=(0.1, 0.5, 0.9), causal_share=(1, 0.9))
    rows = told.tornado.filter(pl.col("gain") == "cost saved")
    assert rows["input"].to_list() == ["later contacts per failed first contact", CAUSAL, "cost of a contact"]
    first = rows.row(0, named=True)
    assert (first["at_low"], first["at_high"], first["moves"]) == pytest.approx((50, 450, 400))
    assert rows["moves"].to_list() == sorted(rows["moves"].to_list(), reverse=True)


def test_segments_gain_by_their_own_difference() -> None:
    segments = pl.DataFrame(
        {"channel": ["chat", "phone"], "n": [10, 20], "estimate": [0.2, 0.4], "se": [0.051, 0.051], "low": [0.1, 0.3], "high": [0.3, 0.5]}
    )
    told = simulate(Fitted(segments=segments), delta_pp=1, volume=1000, cost=5, repeats_per_failure=0.5)
    rows = told.gains.filter(pl.col("segment") != ALL, pl.col("causal_share") == 1)
    assert rows.select("segment", pl.col("value").round(6)).rows() == [("chat", 0.002), ("phone", 0.004)]
    assert rows["low"].to_list() == pytest.approx([0.001, 0.003], rel=0.02)


def test_few_customers_widen_the_interval() -> None:
    many, few = (gains(simulate(Fitted(n_clusters=n), delta_pp=1, volume=1, cost=None, repeats_per_failure=1), "points of CSAT") for n in (5000, 12))
    assert few["high"] - few["low"] > 1.08 * (many["high"] - many["low"])


def test_all_that_cannot_be_is_said_at_once() -> None:
    with pytest.raises(UsageError) as error:
        simulate(Fitted(), delta_pp=0, volume=-1, cost=(3, 2, 1), repeats_per_failure=(0.5, 0.1, 0.2), causal_share=(1, 2))
    assert len(error.value.problems) == 5
    with pytest.raises(UsageError, match="too few customers"):
        simulate(Fitted(se=None), delta_pp=1, volume=1, cost=None, repeats_per_failure=1)
    with pytest.raises(UsageError, match="units of a score"):
        simulate(Fitted(unit="score"), delta_pp=1, volume=1, cost=None, repeats_per_failure=1)


def test_ours_stands_beside_the_ceiling_and_what_was_published() -> None:
    table = algebra(Fitted(), teams=pl.DataFrame({"slope": [0.5], "low": [0.2], "high": [0.8], "groups": [18]}))
    assert table["kind"].to_list()[:3] == ["ours", "ours", "ceiling"]
    assert table.filter(kind="ceiling")["points"].item() == 1
    assert table.filter(kind="published")["caveat"].str.contains("vendor claim, definition differs").all()
    assert table.filter(pl.col("points").is_between(0.145, 0.155)).height == 1


def test_the_slope_over_published_industries_is_theirs() -> None:
    fcr, csat = np.array([78, 76, 72, 72, 71, 65, 61]), np.array([81, 80, 80, 76, 75, 75, 68])
    slope = float(np.polyfit(fcr, csat, 1)[0])
    left = csat - np.polyval(np.polyfit(fcr, csat, 1), fcr)
    reach = 2.570582 * float(np.sqrt(left @ left / 5 / ((fcr - fcr.mean()) @ (fcr - fcr.mean()))))
    row = algebra(Fitted()).filter(what="industries compared").row(0, named=True)
    assert (row["points"], row["low"], row["high"]) == pytest.approx((slope, slope - reach, slope + reach), abs=1e-6)
