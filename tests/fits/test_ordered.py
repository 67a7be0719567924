"""Is the ordered logit on weighted rows the one of the books, with honest errors?"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy.sparse import csr_array

from fcrlib.fits.cells import gather
from fcrlib.fits.design import AsIs, Terms, code
from fcrlib.fits.odds import Rows, chances, curvature
from fcrlib.fits.ordered import OrderedFit, fit, fit_rows, gradient, levels, log_odds, standardise
from fcrlib.fits.ordered_model import model_of
from fcrlib.model.errors import DataError

Floats = NDArray[np.float64]

# UCLA OARC, ordered logistic regression (Stata); statsmodels carries the data.
UCLA = {"coef": [1.0476637, -0.0586828, 0.6157458], "cut": [2.2033232, 4.2987674], "loglik": -358.5124357}
UCLA_SE = [0.2657891, 0.2978588, 0.2606311, 0.7795353, 0.8043147]
PRINTED = 1e-6
# Venables and Ripley (2002), Modern Applied Statistics with S, section 7.3: satisfaction of 1,681 tenants in Copenhagen (low, medium, high) by
# influence, type of house and contact; coefficients, errors and deviance as printed by polr.
HOUSING = [
    [21, 21, 28, 34, 22, 36, 10, 11, 36], [61, 23, 17, 43, 35, 40, 26, 18, 54], [13, 9, 10, 8, 8, 12, 6, 7, 9], [18, 6, 7, 15, 13, 13, 7, 5, 11],
    [14, 19, 37, 17, 23, 40, 3, 5, 23], [78, 46, 43, 48, 45, 86, 15, 25, 62], [20, 23, 20, 10, 22, 24, 7, 10, 21], [57, 23, 13, 31, 21, 13, 5, 6, 13],
]  # fmt: skip
HOUSING_COEF = [0.5664, 1.2888, -0.5724, -0.3662, -1.0910, 0.3603, -0.4961, 0.6907]
HOUSING_SE = [0.1047, 0.1272, 0.1192, 0.1552, 0.1515, 0.0955, 0.1248, 0.1255]
HOUSING_DEVIANCE = 3479.149
SECOND = 5e-6  # statsmodels takes second derivatives by differences, which cost it the sixth digit


def invent(n: int, *, seed: int = 5, customers: int = 200) -> tuple[Rows, NDArray[np.int64]]:
    """Answers from 1 to 4 by exposure, two more yes/no columns and one of four values, and who gave them; customers lean one way."""
    rng = np.random.Generator(np.random.PCG64(seed))
    known = np.column_stack([*(rng.random((3, n)) < [[0.7], [0.4], [0.2]]), rng.integers(0, 4, n)]).astype(float)
    who = rng.integers(0, customers, n)
    latent = known @ [1.2, -0.5, 0.3, 0.1] + rng.normal(0, 0.7, customers)[who] + rng.logistic(size=n)
    return Rows(csr_array(known), np.searchsorted([-0.6, 0.5, 1.7], latent), np.ones(n), 4), who


def alone(rows: Rows) -> pl.DataFrame:
    """Every row a cluster of its own."""
    place = np.arange(len(rows.w))
    return pl.DataFrame({"g": place, "cell": place, "n": rows.w.astype(np.int64), "w": rows.w})


def terms(rows: Rows) -> Terms:
    """The first column is what is compared, the others are numbers as they are."""
    return Terms("x0", numbers=tuple(f"x{place}" for place in range(1, rows.X.shape[1])))


def fitted(rows: Rows, sums: pl.DataFrame | None = None) -> OrderedFit:
    return fit_rows(rows, terms=terms(rows), values=range(1, rows.levels + 1), sums=alone(rows) if sums is None else sums)


def in_cells(rows: Rows, who: NDArray[np.int64]) -> tuple[Rows, pl.DataFrame]:
    """The same answers with equal ones put together."""
    kinds, place = np.unique(np.column_stack([rows.X.toarray(), rows.level]), axis=0, return_inverse=True)
    w = np.bincount(place, weights=rows.w)
    pairs, at, n = np.unique(np.column_stack([who, place]), axis=0, return_inverse=True, return_counts=True)
    sums = pl.DataFrame({"g": pairs[:, 0], "cell": pairs[:, 1], "n": n, "w": np.bincount(at, weights=rows.w)})
    return Rows(csr_array(kinds[:, :-1]), kinds[:, -1].astype(np.int64), w.astype(np.float64), rows.levels), sums


def as_frame(rows: Rows, who: NDArray[np.int64]) -> pl.DataFrame:
    """One row per answer, as a study has them."""
    columns = {f"x{place}": rows.X[:, [place]].toarray().ravel() for place in range(rows.X.shape[1])}
    return pl.DataFrame({**columns, "csat": rows.level + 1, "who": who, "weight": rows.w}).with_columns(pl.col("x0").cast(pl.Int64))


def everybody(rows: Rows, size: NDArray[np.floating] | None = None) -> pl.DataFrame:
    size = np.ones(len(rows.w)) if size is None else size
    return pl.DataFrame({**{f"x{place}": rows.X[:, [place]].toarray().ravel() for place in range(1, rows.X.shape[1])}, "size": size})


def test_it_is_the_published_fit_of_the_applicants() -> None:
    import statsmodels

    table = pl.read_csv(Path(statsmodels.__file__).parent / "miscmodels" / "tests" / "results" / "ologit_ucla.csv")
    answer = pl.col("apply").replace_strict(["unlikely", "somewhat likely", "very likely"], [0, 1, 2], return_dtype=pl.Int64)
    coded = code(table.with_columns(answer), outcome="apply", exposure="pared", adjust=[AsIs("public"), AsIs("gpa")], kind="ordinal")
    found = fit(coded)
    assert found.beta == pytest.approx(UCLA["coef"], abs=PRINTED)
    assert found.cuts == pytest.approx(UCLA["cut"], abs=PRINTED)
    assert np.sqrt(np.diag(found.bread)) == pytest.approx(UCLA_SE, abs=PRINTED)
    assert found.loglik == pytest.approx(UCLA["loglik"], abs=PRINTED)


def test_it_is_the_published_fit_of_the_tenants_whose_answers_are_counts() -> None:
    place = np.arange(72)
    houses, influence, satisfied = place // 9, place // 3 % 3, place % 3
    dummies = [influence == 1, influence == 2, *(houses % 4 == kind for kind in (1, 2, 3)), houses >= 4]
    rows = Rows(csr_array(np.column_stack(dummies).astype(np.float64)), satisfied, np.array(HOUSING, dtype=np.float64).ravel(), 3)
    found = fitted(rows)
    assert [*found.beta, *found.cuts] == pytest.approx(HOUSING_COEF, abs=6e-5)
    assert np.sqrt(np.diag(found.bread)) == pytest.approx(HOUSING_SE, abs=6e-5)
    assert -2 * found.loglik == pytest.approx(HOUSING_DEVIANCE, abs=5e-4)


@pytest.fixture(scope="module")
def answers() -> tuple[Rows, NDArray[np.int64]]:
    return invent(3000)


@pytest.fixture(scope="module")
def beside(answers: tuple[Rows, NDArray[np.int64]]) -> tuple[OrderedFit, object]:
    """Our fit in cells, and the model of statsmodels on every answer, which starts where ours ends."""
    from statsmodels.miscmodels.ordinal_model import OrderedModel

    rows, who = answers
    found = fitted(*in_cells(rows, who))
    start = np.concatenate([found.beta, found.cuts[:1], np.log(np.diff(found.cuts))])
    stock = OrderedModel(rows.level, rows.X.toarray(), distr="logit", hasconst=False)
    return found, stock.fit(start_params=start, method="bfgs", disp=0, cov_type="cluster", cov_kwds={"groups": who})


def test_cells_give_the_coefficients_that_statsmodels_finds_answer_by_answer(beside: tuple[OrderedFit, object]) -> None:
    found, stock = beside
    assert found.beta == pytest.approx(stock.params[:4], abs=1e-5)  # type: ignore[attr-defined]
    assert found.loglik >= stock.llf - 1e-9  # type: ignore[attr-defined]


def test_errors_by_customer_are_those_of_statsmodels(beside: tuple[OrderedFit, object]) -> None:
    found, stock = beside
    assert np.sqrt(np.diag(found.cov))[:5] == pytest.approx(stock.bse[:5], rel=SECOND)  # type: ignore[attr-defined]


def test_the_slope_is_nothing_at_the_summit(answers: tuple[Rows, NDArray[np.int64]]) -> None:
    found = fitted(answers[0])
    assert np.abs(gradient(found.data, found.beta, found.cuts)).max() < 1e-8
    assert np.abs(found.scores.sum(axis=0)).max() < 1e-8


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 10_000))
def test_slope_and_curvature_are_those_of_the_likelihood_wherever_one_stands(seed: int) -> None:
    rng = np.random.Generator(np.random.PCG64(seed))
    rows = Rows(csr_array(rng.normal(size=(40, 2))), rng.integers(0, 4, 40), rng.uniform(0.2, 3, 40), 4)
    here = np.concatenate([rng.normal(0, 2, 2), np.cumsum(rng.uniform(0.2, 2, 3)) - 2])
    step = 1e-5 * np.eye(5)

    def height(at: Floats) -> float:
        return float(rows.w @ chances(rows, at[:2], at[2:]))

    slope = [(height(here + one) - height(here - one)) / 2e-5 for one in step]
    bend = [(gradient(rows, *np.split(here + one, [2])) - gradient(rows, *np.split(here - one, [2]))) / 2e-5 for one in step]
    assert gradient(rows, here[:2], here[2:]) == pytest.approx(slope, rel=1e-6, abs=1e-5)
    assert curvature(rows, here[:2], here[2:]) == pytest.approx(np.array(bend), rel=1e-6, abs=1e-4)


def test_far_out_nothing_overflows_and_no_chance_is_nothing() -> None:
    rows = Rows(csr_array(np.array([[400.0], [-400.0], [400.0]])), np.array([0, 2, 1]), np.ones(3), 3)
    assert chances(rows, np.array([1.0]), np.array([-1.0, 1.0])) == pytest.approx([-401, -401, -399 + np.log1p(-np.exp(-2))], rel=1e-12)
    assert np.isfinite(curvature(rows, np.array([1.0]), np.array([-1.0, 900.0]))).all()


def test_the_order_of_the_rows_does_not_matter(answers: tuple[Rows, NDArray[np.int64]]) -> None:
    rows, who = answers
    order = np.random.Generator(np.random.PCG64(1)).permutation(len(who))
    one = fitted(*in_cells(rows, who))
    other = fitted(*in_cells(Rows(rows.X[order], rows.level[order], rows.w[order], 4), who[order]))
    assert (one.beta == other.beta).all()
    assert (one.cov == other.cov).all()


def test_a_weight_of_two_is_two_answers_of_one_customer(answers: tuple[Rows, NDArray[np.int64]]) -> None:
    rows, who = answers
    w = 1.0 + (np.arange(len(who)) % 3 == 0)
    twice = np.repeat(np.arange(len(who)), w.astype(np.int64))
    weighted = fitted(*in_cells(Rows(rows.X, rows.level, w, 4), who))
    repeated = fitted(*in_cells(Rows(rows.X[twice], rows.level[twice], np.ones(len(twice)), 4), who[twice]))
    assert weighted.beta == pytest.approx(repeated.beta, abs=1e-12)
    assert weighted.bread == pytest.approx(repeated.bread, rel=1e-9)
    assert weighted.scores == pytest.approx(repeated.scores, abs=1e-9)


def test_two_levels_are_a_logit(answers: tuple[Rows, NDArray[np.int64]]) -> None:
    from statsmodels.discrete.discrete_model import Logit

    rows, _ = answers
    good = (rows.level >= 2).astype(np.int64)
    found = fitted(Rows(rows.X, good, rows.w, 2))
    stock = Logit(good, np.column_stack([np.ones(len(good)), rows.X.toarray()])).fit(disp=0)
    assert [-found.cuts[0], *found.beta] == pytest.approx(stock.params, abs=1e-7)


def test_the_results_of_statsmodels_are_at_hand_for_weighted_rows(answers: tuple[Rows, NDArray[np.int64]]) -> None:
    rows, who = answers
    found, plain = fitted(*in_cells(rows, who)), fitted(rows)
    told, full = model_of(found).fit(), model_of(plain).fit(cov_type="cluster", cov_kwds={"groups": who})
    assert told.params == pytest.approx(full.params, abs=1e-9)
    assert told.bse[:5] == pytest.approx(np.sqrt(np.diag(found.bread))[:5], rel=1e-6)
    assert full.bse[:5] == pytest.approx(np.sqrt(np.diag(found.cov))[:5], rel=1e-9)
    assert (told.llf, told.nobs, told.bic) == pytest.approx((found.loglik, 3000, full.bic), rel=1e-9)
    assert told.llnull == pytest.approx(full.llnull, rel=1e-9)
    assert "x0" in told.summary().as_text()


def test_what_statsmodels_reads_are_the_slopes_of_its_own_parameters(answers: tuple[Rows, NDArray[np.int64]]) -> None:
    from statsmodels.tools.numdiff import approx_fprime

    model = model_of(fitted(answers[0]))
    away = model.start_params + np.linspace(-0.3, 0.4, 7)
    assert model.score(away) == pytest.approx(approx_fprime(away, model.loglike, centered=True), rel=1e-6, abs=1e-3)
    assert model.score_obs(away).sum(axis=0) == pytest.approx(model.score(away), abs=1e-9)
    assert model.hessian(away) == pytest.approx(approx_fprime(away, model.score, centered=True), rel=1e-6, abs=1e-3)


def test_the_levels_add_up_and_the_mean_is_theirs(answers: tuple[Rows, NDArray[np.int64]]) -> None:
    rows, who = answers
    found = fitted(*in_cells(rows, who))
    told = levels(found, everybody(rows))
    assert told["outcome"].to_list() == ["1", "2", "3", "4", "2 or more", "3 or more", "4 or more", "mean score"]
    single = told.head(4)
    assert single.select(pl.col("with_exposure", "without").sum()).row(0) == pytest.approx((1, 1))
    assert single["difference"].sum() == pytest.approx(0, abs=1e-12)
    assert (single["difference"] * pl.Series([1, 2, 3, 4])).sum() == pytest.approx(told["difference"][-1])
    assert told.row(3)[1:] == pytest.approx(told.row(6)[1:])
    assert told["difference"][5] == pytest.approx(single["difference"][2:].sum())
    mean = standardise(found, everybody(rows)).difference()
    assert (mean.value, mean.se, mean.low, mean.high) == pytest.approx(told.row(-1)[3:])


def test_the_mean_score_is_that_of_the_chances_and_its_error_follows_the_coefficients(answers: tuple[Rows, NDArray[np.int64]]) -> None:
    rows, who = answers
    found, size = fitted(*in_cells(rows, who)), 1.0 + np.arange(len(who)) % 5
    here = np.concatenate([found.beta, found.cuts])

    def mean_score(at: Floats, exposed: float) -> float:
        line = exposed * at[0] + rows.X[:, 1:].toarray() @ at[1:4]
        return float(np.average(4 - (1 / (1 + np.exp(line[:, None] - at[None, 4:]))).sum(axis=1), weights=size))

    def gap(at: Floats) -> float:
        return mean_score(at, 1) - mean_score(at, 0)

    slope = np.array([gap(here + one) - gap(here - one) for one in 1e-6 * np.eye(7)]) / 2e-6
    told = standardise(found, everybody(rows, size))
    mean = told.difference()
    assert told.shares == pytest.approx([mean_score(here, 0), mean_score(here, 1)])
    assert mean.se == pytest.approx(np.sqrt(slope @ found.cov @ slope), rel=1e-6)
    assert mean.low is not None
    assert mean.low < mean.value - 1.96 * np.sqrt(slope @ found.cov @ slope)


def test_the_average_log_odds_are_the_coefficient_where_nothing_crosses(answers: tuple[Rows, NDArray[np.int64]]) -> None:
    rows, who = answers
    found = fitted(*in_cells(rows, who))
    told = log_odds(found, everybody(rows))
    assert (told.value, told.se) == pytest.approx((found.beta[0], np.sqrt(found.cov[0, 0])))


def test_few_customers_give_no_interval(answers: tuple[Rows, NDArray[np.int64]]) -> None:
    rows, who = answers
    found = fitted(*in_cells(rows, who % 9))
    told = levels(found, everybody(rows))
    assert found.table.select("low", "high").null_count().row(0) == (7, 7)
    assert told.select("low", "high").null_count().row(0) == (8, 8)
    assert told["difference"].null_count() == 0


def test_a_frame_of_answers_is_read_into_the_same_fit(answers: tuple[Rows, NDArray[np.int64]]) -> None:
    rows, who = answers
    silent = as_frame(rows, who).head(500).with_columns(csat=pl.lit(None, pl.Int64))
    frame = pl.concat([as_frame(rows, who), silent]).sample(fraction=1, shuffle=True, seed=3)
    how = {"outcome": "csat", "exposure": "x0", "adjust": [AsIs("x1"), AsIs("x2"), AsIs("x3")], "kind": "ordinal", "cluster": "who"}
    coded = code(frame, **how)  # type: ignore[arg-type]
    found, plain = fit(coded), fitted(*in_cells(rows, who))
    assert (found.rows, found.clusters, found.values.tolist()) == (3000, 200, [1, 2, 3, 4])
    assert found.beta == pytest.approx(plain.beta, abs=1e-12)
    assert found.cov == pytest.approx(plain.cov, rel=1e-9)
    assert found.scores == pytest.approx(plain.scores, abs=1e-9)
    assert gather(coded).everybody["size"].sum() == 3500


def test_shuffled_answers_with_uneven_weights_give_the_same_fit_to_the_last_bit(answers: tuple[Rows, NDArray[np.int64]]) -> None:
    rows, who = answers
    frame = as_frame(rows, who).with_columns(weight=(pl.int_range(pl.len()) * 0.37) % 1 + 0.1)
    how = {"outcome": "csat", "exposure": "x0", "adjust": ["x1", "x2", "x3"], "kind": "ordinal", "cluster": "who", "weight": "weight"}
    one, other = (fit(code(each, **how)) for each in (frame, frame.sample(fraction=1, shuffle=True, seed=8)))  # type: ignore[arg-type]
    assert (one.beta == other.beta).all()
    assert (one.cov == other.cov).all()


def test_the_scale_of_the_weights_changes_no_estimate_and_no_error(answers: tuple[Rows, NDArray[np.int64]]) -> None:
    rows, who = answers
    frame = as_frame(rows, who).with_columns(weight=(pl.int_range(pl.len()) % 3 + 1).cast(pl.Float64))
    how = {"outcome": "csat", "exposure": "x0", "adjust": ["x1", "x2", "x3"], "kind": "ordinal", "cluster": "who", "weight": "weight"}
    one, other = (fit(code(frame.with_columns(pl.col("weight") * scale), **how)) for scale in (1.0, 1e-9))  # type: ignore[arg-type]
    assert one.beta == pytest.approx(other.beta, rel=1e-9)
    assert one.cov == pytest.approx(other.cov, rel=1e-9)


def test_two_ways_of_clusters_add_up_less_their_crossing(answers: tuple[Rows, NDArray[np.int64]]) -> None:
    rows, who = answers
    agent = np.arange(len(who)) * 7919 % 40
    frame = as_frame(rows, who).with_columns(agent=agent, pair=pl.Series(who * 1000 + agent))
    how = {"outcome": "csat", "exposure": "x0", "adjust": ["x1", "x2", "x3"], "kind": "ordinal"}
    both, one, other, pair = (fit(code(frame, **how, cluster=way)).cov for way in (["who", "agent"], "who", "agent", "pair"))  # type: ignore[arg-type]
    assert both == pytest.approx(one + other - pair, rel=1e-9, abs=1e-15)


def test_levels_of_text_and_crossings_are_standardised_as_well() -> None:
    rows, who = invent(2000)
    kinds = pl.col("x3").replace_strict([0, 1, 2, 3], ["web", "mail", "phone", "chat"], return_dtype=pl.String)
    frame = as_frame(rows, who).with_columns(channel=kinds)
    coded = code(frame, outcome="csat", exposure="x0", adjust=["channel"], by="channel", kind="ordinal", cluster="who")
    found, people = fit(coded), gather(coded).everybody
    assert found.names[-4].startswith("x0 and channel: ")
    whole = standardise(found, people).difference().value
    parts = [standardise(found, people.filter(pl.col("channel") == level)).difference().value for level in people["channel"]]
    assert whole == pytest.approx(np.average(parts, weights=people["size"]))
    assert whole == pytest.approx(levels(found, people)["difference"][-1])


def test_a_level_without_answers_and_a_needless_column_are_told_together() -> None:
    rows, _ = invent(300)
    known = rows.X.toarray()
    wide = np.column_stack([known, known[:, 0] + known[:, 1], np.ones(300)])
    with pytest.raises(DataError) as told:
        fitted(Rows(csr_array(wide), np.where(rows.level == 1, 0, rows.level), rows.w, 4))
    assert told.value.problems == (
        "nobody answered 2: leave the level out",
        "'x4' says nothing that the other covariates do not: leave it out",
        "'x5' says nothing that the other covariates do not: leave it out",
    )


def test_one_level_only_is_nothing_to_order() -> None:
    rows, _ = invent(50)
    with pytest.raises(DataError, match="all answers are 1"):
        fitted(Rows(rows.X, np.zeros(50, dtype=np.int64), rows.w, 1))


@pytest.mark.parametrize("n", [60, 3000])
def test_a_value_that_goes_with_the_lowest_level_only_is_an_error_and_no_number(n: int) -> None:
    rows, _ = invent(n)
    rare = np.arange(n) % 20 == 0
    with pytest.raises(DataError, match="x4"):
        fitted(Rows(csr_array(np.column_stack([rows.X.toarray(), rare])), np.where(rare, 0, rows.level), rows.w, 4))


def test_levels_that_a_covariate_tells_apart_altogether_are_an_error_and_no_number() -> None:
    line = np.linspace(-1, 1, 90)[:, None]
    with pytest.raises(DataError, match="ordered logit"):
        fitted(Rows(csr_array(line), np.repeat([0, 1, 2], 30), np.ones(90), 3))


@pytest.mark.slow
def test_an_interval_of_the_mean_score_covers_the_truth() -> None:
    hits, truth = 0, _truth()
    for seed in range(200):
        rows, who = invent(1500, seed=seed)
        told = standardise(fitted(*in_cells(rows, who)), everybody(rows)).difference()
        assert told.low is not None
        assert told.high is not None
        hits += told.low <= truth <= told.high
    assert 0.91 <= hits / 200 <= 0.985


def _truth() -> float:
    """What the exposure does to the mean score of 400,000 invented answers, customers' leanings included."""
    rng = np.random.Generator(np.random.PCG64(0))
    known = np.column_stack([*(rng.random((2, 400_000)) < [[0.4], [0.2]]), rng.integers(0, 4, 400_000)])
    base = known @ [-0.5, 0.3, 0.1] + rng.normal(0, 0.7, 400_000)
    reached = [1 / (1 + np.exp(base[:, None] + effect - np.array([-0.6, 0.5, 1.7])[None, :])) for effect in (1.2, 0.0)]
    return float((reached[1] - reached[0]).sum(axis=1).mean())
