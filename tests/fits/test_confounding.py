"""Are the yardsticks of something unseen those of the books, and exact on cells?"""

from __future__ import annotations

from math import inf, sqrt

import numpy as np
import polars as pl
import pytest

from fcrlib.fits.cells import Cells, gather
from fcrlib.fits.confounding import benchmarks, bound, linear, mended, misread, partial_r2, robustness_value, without
from fcrlib.fits.design import Coded, code
from fcrlib.model.errors import DataError, UsageError

DARFUR = {"estimate": 0.09731582, "se": 0.02325654, "df": 783}
"""Cinelli and Hazlett (2020), section 5 and the vignette of their package: harm by violence, and the benchmark 'female'."""


def desk(rows: int = 6000, seed: int = 1) -> pl.DataFrame:
    draw = np.random.default_rng(seed)
    tier, month = draw.integers(0, 4, rows), draw.integers(0, 3, rows)
    fcr = draw.random(rows) < 0.35 + 0.12 * tier
    good = draw.random(rows) < 0.3 + 0.25 * fcr + 0.07 * tier
    told = {"good": good.astype(np.int64), "fcr": fcr, "tier": [f"t{n}" for n in tier], "month": [f"m{n}" for n in month]}
    return pl.DataFrame({**told, "customer": draw.integers(0, rows // 3, rows), "weight": 1 + draw.integers(0, 3, rows).astype(float)})


def modelled(frame: pl.DataFrame, **given: str) -> tuple[Cells, Coded]:
    coded = code(frame, outcome="good", exposure="fcr", adjust=["tier", "month"], cluster="customer", **given)
    return gather(coded), coded


def test_the_robustness_values_are_the_published_ones() -> None:
    t = DARFUR["estimate"] / DARFUR["se"]
    assert robustness_value(t, df=783) == pytest.approx(0.1388, abs=5e-5)
    assert robustness_value(t, df=783, critical=1.963) == pytest.approx(0.0763, abs=5e-5)
    assert partial_r2(t, df=783) == pytest.approx(0.0219, abs=5e-5)


def test_something_as_strong_as_the_robustness_value_leaves_nothing() -> None:
    rv = robustness_value(DARFUR["estimate"] / DARFUR["se"], df=783)
    assert without(**DARFUR, r2_exposure=rv, r2_outcome=rv)[0] == pytest.approx(0, abs=1e-12)
    edge = robustness_value(DARFUR["estimate"] / DARFUR["se"], df=783, critical=1.963)
    left, se = without(**DARFUR, r2_exposure=edge, r2_outcome=edge)
    assert left / se == pytest.approx(1.963, abs=1e-9)


def test_something_unseen_of_known_strength_is_taken_off_exactly() -> None:
    """What a confounder that was left out takes away follows from its two partial R2 alone; so does the error."""
    import statsmodels.api as sm

    draw = np.random.default_rng(9)
    unseen, known = draw.normal(size=(2, 900))
    exposed = ((0.8 * unseen + 0.5 * known + draw.normal(size=900)) > 0).astype(float)
    outcome = 0.4 * exposed + 0.6 * unseen + 0.3 * known + draw.normal(size=900)
    seen = sm.add_constant(np.column_stack([exposed, known]))
    short, long = sm.OLS(outcome, seen).fit(), sm.OLS(outcome, np.column_stack([seen, unseen])).fit()
    before, after = sm.OLS(exposed, seen[:, [0, 2]]).fit(), sm.OLS(exposed, np.column_stack([seen[:, [0, 2]], unseen])).fit()
    left, se = without(short.params[1], short.bse[1], df=short.df_resid, r2_exposure=1 - after.ssr / before.ssr, r2_outcome=1 - long.ssr / short.ssr)
    assert (left, se) == (pytest.approx(long.params[1]), pytest.approx(long.bse[1]))


def test_a_difference_within_its_error_needs_nothing_unseen() -> None:
    assert robustness_value(1.5, df=100, critical=1.98) == 0
    assert robustness_value(-5.0, df=100) == robustness_value(5.0, df=100)
    with pytest.raises(UsageError, match="degrees of freedom"):
        robustness_value(2.0, df=1)


def test_where_few_rows_are_left_the_exposure_alone_decides() -> None:
    f, edge = 40 / sqrt(5), 2.78 / sqrt(4)
    assert f - edge > 1 / edge
    assert robustness_value(40, df=5, critical=2.78) == pytest.approx((f**2 - edge**2) / (1 + f**2))


@pytest.mark.parametrize(
    ("times", "exposed", "outcome", "left", "se"), [(1, 0.009164287, 0.1246409, 0.0752, 0.0219), (2, 0.018328573, 0.2493, 0.0529, 0.0204)]
)
def test_the_published_benchmarks_come_out(times: float, exposed: float, outcome: float, left: float, se: float) -> None:
    r2_exposure = 0.009164287 / 1.009164287
    # What their table of one times 'female' says of it, solved for its own partial R2.
    crossed = r2_exposure**2 / (1 - r2_exposure) ** 2
    ratio = 0.1246409 / ((1 + sqrt(crossed)) / sqrt(1 - crossed)) ** 2
    seen, heard = bound(r2_exposure=r2_exposure, r2_outcome=ratio / (1 + ratio), times=times)
    assert (seen, heard) == (pytest.approx(exposed, abs=1e-7), pytest.approx(outcome, abs=1e-4))
    assert without(**DARFUR, r2_exposure=seen, r2_outcome=heard) == (pytest.approx(left, abs=5e-5), pytest.approx(se, abs=5e-5))


def test_nothing_can_be_three_times_as_strong_as_what_explains_nearly_all() -> None:
    assert bound(r2_exposure=0.4, r2_outcome=0.1, times=3) == (inf, 1.0)
    assert bound(r2_exposure=0.1, r2_outcome=0.9, times=3)[1] == 1.0


def test_the_model_of_cells_is_that_of_rows() -> None:
    import statsmodels.formula.api as smf

    frame = desk()
    cells, coded = modelled(frame)
    ours, rows = linear(cells, terms=coded.terms), frame.with_columns(pl.col("fcr").cast(pl.Float64)).to_pandas()
    plain = smf.ols("good ~ fcr + C(tier) + C(month)", rows).fit()
    told = smf.ols("good ~ fcr + C(tier) + C(month)", rows).fit(cov_type="cluster", cov_kwds={"groups": rows["customer"].to_numpy()})
    assert (ours.estimate, ours.se, ours.df) == (pytest.approx(plain.params["fcr"]), pytest.approx(plain.bse["fcr"]), plain.df_resid)
    assert ours.clustered == pytest.approx(told.bse["fcr"], rel=1e-9)
    less = smf.ols("good ~ fcr + C(month)", rows).fit()
    outcome, exposed = (1 - plain.ssr / less.ssr), smf.ols("fcr ~ C(tier) + C(month)", rows).fit()
    exposure = 1 - exposed.ssr / smf.ols("fcr ~ C(month)", rows).fit().ssr
    assert ours.groups.row(0) == ("tier", pytest.approx(exposure), pytest.approx(outcome))
    assert ours.r2_exposure == pytest.approx(exposed.rsquared)


def test_weights_and_crossings_enter_as_in_a_weighted_model_without_crossing() -> None:
    import statsmodels.formula.api as smf

    frame = desk()
    cells, coded = modelled(frame, weight="weight", by="tier")
    rows = frame.with_columns(pl.col("fcr").cast(pl.Float64)).to_pandas()
    plain = smf.wls("good ~ fcr + C(tier) + C(month)", rows, weights=rows["weight"]).fit()
    ours = linear(cells, terms=coded.terms)
    assert (ours.estimate, ours.se) == (pytest.approx(plain.params["fcr"]), pytest.approx(plain.bse["fcr"]))


def test_leaving_out_a_known_covariate_is_within_what_its_benchmark_says() -> None:
    frame = desk(20_000)
    cells, coded = modelled(frame)
    left = benchmarks(linear(cells, terms=coded.terms), times=[1.0]).filter(covariate="tier").row(0, named=True)
    whole = linear(cells, terms=coded.terms).estimate
    assert 0 < left["estimate"] < whole
    # The unseen takes away about what the known one took away.
    unadjusted = code(frame, outcome="good", exposure="fcr", adjust=["month"], cluster="customer")
    taken = linear(gather(unadjusted), terms=unadjusted.terms).estimate - whole
    assert whole - left["estimate"] == pytest.approx(taken, rel=0.35)


def test_too_few_customers_leave_no_interval() -> None:
    few = desk(400).with_columns(pl.col("customer") % 5)
    cells, coded = modelled(few)
    model = linear(cells, terms=coded.terms)
    assert model.threshold is None
    assert benchmarks(model)["low"].null_count() == 6
    assert benchmarks(model)["estimate"].null_count() == 0


def test_answers_that_follow_without_error_leave_nothing_to_explain() -> None:
    frame = desk(500).with_columns(good=pl.col("fcr").cast(pl.Int64))
    coded = code(frame, outcome="good", exposure="fcr", adjust=["tier"], cluster="customer", kind="linear")
    with pytest.raises(DataError, match="without error"):
        linear(gather(coded), terms=coded.terms)


def test_an_exposure_of_several_levels_is_refused() -> None:
    frame = desk(500).with_columns(fcr=pl.col("tier"), tier=pl.col("month"))
    coded = code(frame, outcome="good", exposure="fcr", adjust=["tier"], cluster="customer")
    with pytest.raises(UsageError, match="4 levels"):
        linear(gather(coded), terms=coded.terms)


def test_a_misread_exposure_shows_a_part_of_the_difference() -> None:
    """The factor and the two differences of a simulation with known truth: .4148 times .6262 is .2597, and .2596 was seen."""
    factor = misread((0.90, 0.88, 0.92), (0.7262, 0.70, 0.75))
    assert factor[0] * 0.4148 == pytest.approx(0.2597, abs=1e-4)
    assert factor[1] == pytest.approx(0.6262 - sqrt(0.02**2 + 0.0262**2))
    whole = mended((0.2596, 0.24, 0.28), factor)
    assert whole is not None
    assert whole[0] == pytest.approx(0.4148, abs=5e-4)
    assert whole[1] < 0.24 / factor[0] < whole[0] < 0.28 / factor[0] < whole[2]


def test_a_planted_misreading_is_mended() -> None:
    draw = np.random.default_rng(5)
    true = draw.random(200_000) < 0.6
    read = np.where(draw.random(true.size) < 0.15, ~true, true)
    good = draw.random(true.size) < 0.4 + 0.4 * true
    shown = good[read].mean() - good[~read].mean()
    ppv, npv = true[read].mean(), 1 - true[~read].mean()
    assert shown < 0.3
    found = mended((shown, shown, shown), misread((ppv, ppv, ppv), (npv, npv, npv)))
    assert found is not None
    assert found[0] == pytest.approx(0.4, abs=0.01)


def test_an_exposure_that_may_say_nothing_cannot_be_mended() -> None:
    assert mended((0.2, 0.1, 0.3), misread((0.5, 0.4, 0.6), (0.55, 0.45, 0.65))) is None
