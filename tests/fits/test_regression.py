"""Is a model of cells the model of the rows, with the same errors?"""

from __future__ import annotations

import warnings
from pathlib import Path

import numpy as np
import polars as pl
import pytest
import statsmodels.api as sm
from statsmodels.tools.sm_exceptions import SpecificationWarning

from fcrlib.fits import contrast, within
from fcrlib.fits.cells import Cells, gather
from fcrlib.fits.design import AsIs, Coded, Kind, code
from fcrlib.fits.regression import Fit, fit, logit_shares
from fcrlib.fits.sandwich import classical
from fcrlib.model.errors import DataError, UsageError

EXACT = 1e-9
"""Cells and rows differ by no more than the order of additions."""


def rated(contacts: int = 3000, *, seed: int = 1, customers: int = 400) -> pl.DataFrame:
    """Rated contacts of which those of one customer are alike; a third has no answer."""
    rng = np.random.default_rng(seed)
    who = rng.integers(0, customers, contacts)
    mood, agent = rng.normal(size=customers)[who], rng.integers(0, 40, contacts)
    channel, tier = rng.choice(["phone", "chat", "email"], contacts), rng.choice(["basic", "gold"], contacts, p=[0.7, 0.3])
    wait = rng.gamma(2, 3, contacts)
    fcr = rng.random(contacts) < 1 / (1 + np.exp(-(0.6 + 0.5 * (channel == "phone") - 0.05 * wait + 0.5 * mood)))
    line = -0.4 + 1.2 * fcr + 0.4 * (channel == "chat") * fcr - 0.04 * wait + 0.7 * mood + 0.3 * (tier == "gold")
    good = rng.random(contacts) < 1 / (1 + np.exp(-line))
    frame = pl.DataFrame(
        {"fcr": fcr, "channel": channel, "tier": tier, "wait": wait, "score": line + rng.normal(size=contacts), "weight": rng.gamma(3, 1, contacts)}
    )
    people = pl.DataFrame({"customer": [f"c{one}" for one in who], "agent": [f"a{one}" for one in agent]})
    answered = pl.Series("answered", rng.random(contacts) < 2 / 3)
    return pl.concat([frame, people], how="horizontal").with_columns(
        good=pl.when(answered).then(pl.Series(good)), score=pl.when(answered).then("score")
    )


def fitted(
    frame: pl.DataFrame, *, kind: Kind = "logit", cluster: str | list[str] = "customer", weight: str | None = None
) -> tuple[Fit, Cells, Coded]:
    outcome = "good" if kind == "logit" else "score"
    coded = code(frame, outcome=outcome, exposure="fcr", adjust=["channel", "tier", "wait"], kind=kind, cluster=cluster, weight=weight, by="channel")
    cells = gather(coded)
    assert kind in ("logit", "linear")
    return fit(cells, coded.terms, kind=kind), cells, coded  # type: ignore[arg-type]


def by_rows(coded: Coded, *, kind: Kind, weighted: bool = False) -> tuple[np.ndarray, np.ndarray]:
    """Coefficients and clustered standard errors of statsmodels, fitted to every row."""
    rows = coded.rows.filter(pl.col("_y").is_not_null())
    ways = [rows[name].rank("dense").to_numpy().astype(int) for name in ("_g", "_h") if name in rows.columns]
    groups = {"groups": ways[0] if len(ways) == 1 else np.column_stack(ways)}
    family = sm.families.Binomial() if kind == "logit" else sm.families.Gaussian()
    weights = rows["_w"].to_numpy() if weighted else None
    with warnings.catch_warnings():
        # It warns that weights and clusters are not fully supported together; the numbers are those of a sandwich by hand.
        warnings.simplefilter("ignore", SpecificationWarning)
        model = sm.GLM(rows["_y"].to_numpy(), coded.terms.matrix(rows), family=family, var_weights=weights)
        found = model.fit(tol=1e-13, cov_type="cluster", cov_kwds={**groups, "use_correction": True})
    return np.asarray(found.params), np.asarray(found.bse)


@pytest.mark.parametrize("kind", ["logit", "linear"])
@pytest.mark.parametrize("cluster", ["customer", ["customer", "agent"]])
@pytest.mark.parametrize("weight", [None, "weight"])
def test_cells_give_the_coefficients_and_clustered_errors_of_the_rows(kind: Kind, cluster: str | list[str], weight: str | None) -> None:
    found, _, coded = fitted(rated(), kind=kind, cluster=cluster, weight=weight)
    beta, se = by_rows(coded, kind=kind, weighted=weight is not None)
    # For a normal family statsmodels scales bread and score by the same variance, which cancels.
    assert np.abs(found.beta - beta).max() < EXACT
    assert np.abs(np.sqrt(np.diag(found.cov)) - se).max() < EXACT


def test_cells_give_what_formulas_of_statsmodels_give() -> None:
    import statsmodels.formula.api as smf

    frame = rated()
    coded = code(frame, outcome="good", exposure="fcr", adjust=["channel", "tier"], cluster="customer", by="channel")
    cells = gather(coded)
    found = fit(cells, coded.terms)
    told = frame.drop_nulls("good").select(pl.col("good", "fcr").cast(pl.Int8), "channel", "tier", g=pl.col("customer").rank("dense")).to_pandas()
    reference, *_ = coded.terms.factors["channel"]
    model = smf.logit(f"good ~ fcr * C(channel, Treatment('{reference}')) + C(tier, Treatment('{coded.terms.factors['tier'][0]}'))", told)
    rows = model.fit(disp=0, method="newton", tol=1e-12, cov_type="cluster", cov_kwds={"groups": told["g"].to_numpy().astype(int)})
    assert sorted(found.beta) == pytest.approx(sorted(rows.params), abs=EXACT)
    assert found.table["se"].sort().to_list() == pytest.approx(sorted(rows.bse), abs=EXACT)


@pytest.mark.parametrize("weight", [None, "weight"])
def test_the_order_of_the_rows_changes_nothing_to_the_last_bit(weight: str | None) -> None:
    frame = rated().with_columns(customer=pl.when(pl.int_range(pl.len()) % 7 > 0).then("customer"))
    (one, cells, _), (other, others, _) = (fitted(told, weight=weight) for told in (frame, frame.sample(fraction=1, shuffle=True, seed=5)))
    assert (one.beta == other.beta).all()
    assert (one.cov == other.cov).all()
    assert cells.sums.equals(others.sums)
    assert cells.everybody.equals(others.everybody)


def test_somebody_nobody_knows_is_a_cluster_of_their_own() -> None:
    frame = rated().with_columns(customer=pl.when(pl.int_range(pl.len()) % 3 > 0).then("customer"))
    named = frame.with_columns(customer=pl.col("customer").fill_null(pl.format("lone {}", pl.int_range(pl.len()))))
    (one, cells, _), (other, _, _) = fitted(frame), fitted(named)
    assert one.clusters == other.clusters
    assert np.abs(one.cov - other.cov).max() < 1e-14
    assert cells.members["name"].null_count() == frame.filter(pl.col("good").is_not_null() & pl.col("customer").is_null()).height


def petersen() -> pl.DataFrame:
    import statsmodels.stats.tests as bundled

    rows = np.loadtxt(Path(bundled.__file__).parent / "test_data.txt")
    return pl.DataFrame({"firm": rows[:, 0], "year": rows[:, 1], "x": rows[:, 2], "y": rows[:, 3]}).with_columns(
        pl.col("firm", "year").cast(pl.Int64)
    )


@pytest.mark.parametrize(
    ("cluster", "expected"),
    [
        (None, (0.028361, 0.028395)),
        ("firm", (0.0670127037, 0.0505957259)),
        ("year", (0.0233867211, 0.0333889134)),
        (["firm", "year"], (0.0650639182, 0.0535580229)),
    ],
)
def test_the_errors_of_petersens_test_data_are_the_published_ones(cluster: str | list[str] | None, expected: tuple[float, float]) -> None:
    """Petersen (2009), Review of Financial Studies 22, 435-480, test data; R's sandwich (vcovCL, multi0 = FALSE)."""
    # The slope is of a number, so the exposure is a yes/no column that is taken out of the design again.
    frame = petersen().with_columns(odd=pl.int_range(pl.len()) % 2 == 1)
    coded = code(frame, outcome="y", exposure="odd", adjust=[AsIs("x")], kind="linear", cluster=cluster)
    found = fit_without_exposure(coded)
    assert found.beta == pytest.approx([0.0297, 1.0348], abs=5e-5)
    assert np.sqrt(np.diag(found.cov)) == pytest.approx(expected, abs=1e-6)


def test_the_errors_of_petersens_test_data_without_clusters_are_the_published_ones() -> None:
    frame = petersen().with_columns(odd=pl.int_range(pl.len()) % 2 == 1)
    coded = code(frame, outcome="y", exposure="odd", adjust=[AsIs("x")], kind="linear")
    found = fit_without_exposure(coded)
    spread = classical(found.bread, mu=found.mu, table=gather(coded).table)
    assert np.sqrt(np.diag(spread)) == pytest.approx([0.028359, 0.028583], abs=1e-6)


def fit_without_exposure(coded: Coded) -> Fit:
    class Plain(type(coded.terms)):  # type: ignore[misc]
        __slots__ = ()

        @property
        def names(self) -> tuple[str, ...]:
            return ("(constant)", "x")

        def sparse(self, frame: pl.DataFrame) -> object:
            from scipy import sparse

            return sparse.csr_array(np.column_stack([np.ones(frame.height), frame["x"].to_numpy()]))

    terms = Plain(coded.terms.exposure, numbers=("x",))
    return fit(gather(coded), terms, kind="linear")


def test_the_logit_of_spector_and_mazzeo_is_the_published_one() -> None:
    """Greene, Econometric Analysis, example 17.3: coefficients, and the average change of the probability with PSI."""
    data = sm.datasets.spector.load_pandas()
    frame = pl.DataFrame({name: data.exog[name].to_numpy() for name in ("GPA", "TUCE", "PSI")}).with_columns(grade=pl.Series(data.endog.to_numpy()))
    coded = code(frame, outcome="grade", exposure="PSI", adjust=[AsIs("GPA"), AsIs("TUCE")])
    cells = gather(coded)
    found = fit(cells, coded.terms)
    told = dict(zip(found.names, found.beta, strict=True))
    assert [told[name] for name in ("GPA", "TUCE", "PSI")] == pytest.approx([2.8261, 0.0952, 2.3787], abs=5e-5)
    plain = contrast.standardise(found, cells.everybody)
    assert plain.difference().value == pytest.approx(0.357515, abs=1e-6)
    # The published error is that of independent students, without clusters.
    moved = plain.gradient[1] - plain.gradient[0]
    assert np.sqrt(moved @ found.bread @ moved) == pytest.approx(0.142003, abs=1e-6)


def test_a_standardised_difference_is_that_of_asking_the_model_twice_about_everybody() -> None:
    found, cells, coded = fitted(rated(), weight="weight")
    both = [1 / (1 + np.exp(-(coded.terms.matrix(coded.rows.with_columns(fcr=pl.lit(level))) @ found.beta))) for level in (True, False)]
    told = contrast.standardise(found, cells.everybody)
    assert told.size == coded.rows.height
    assert told.difference().value == pytest.approx(float((both[0] - both[1]).mean()), abs=1e-12)
    assert told.ratio().value == pytest.approx(float(both[0].mean() / both[1].mean()), abs=1e-12)  # type: ignore[union-attr]


def test_the_error_of_a_standardised_difference_is_that_of_a_numerical_gradient() -> None:
    found, _, coded = fitted(rated())
    exposed, without = (coded.terms.matrix(coded.rows.with_columns(fcr=pl.lit(level))) for level in (True, False))

    def gap(beta: np.ndarray) -> float:
        return float((1 / (1 + np.exp(-exposed @ beta)) - 1 / (1 + np.exp(-without @ beta))).mean())

    step = 1e-6
    slopes = np.array([(gap(found.beta + step * one) - gap(found.beta - step * one)) / (2 * step) for one in np.eye(found.beta.size)])
    told = contrast.standardise(found, gather(coded).everybody).difference()
    assert told.se == pytest.approx(float(np.sqrt(slopes @ found.cov @ slopes)), rel=1e-6)


def test_the_log_odds_of_a_model_without_crossing_are_its_coefficient() -> None:
    coded = code(rated(), outcome="good", exposure="fcr", adjust=["channel"], cluster="customer")
    cells = gather(coded)
    found = fit(cells, coded.terms)
    told = contrast.log_odds(found, cells.everybody)
    assert (told.value, told.se) == pytest.approx((found.beta[1], np.sqrt(found.cov[1, 1])), abs=1e-12)


def test_within_agents_is_the_model_with_a_column_per_agent() -> None:
    frame = rated().filter(pl.col("score").is_not_null())
    coded = code(frame, outcome="score", exposure="fcr", adjust=["channel", "tier"], kind="linear", cluster="customer", weight="weight", unit="agent")
    found = within.fit(gather(coded), coded.terms)
    rows = coded.rows
    agents = rows["_unit"].to_dummies().to_numpy().astype(float)
    design = np.column_stack([coded.terms.matrix(rows)[:, 1:], agents])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", SpecificationWarning)
        full = sm.WLS(rows["_y"].to_numpy(), design, weights=rows["_w"].to_numpy())
        told = full.fit(cov_type="cluster", cov_kwds={"groups": rows["_g"].rank("dense").to_numpy().astype(int)})
    assert found.beta[1:] == pytest.approx(told.params[: found.beta.size - 1], abs=EXACT)
    assert np.sqrt(np.diag(found.cov))[1:] == pytest.approx(told.bse[: found.beta.size - 1], abs=EXACT)


def test_within_customers_is_the_model_of_deviations_from_their_own_means() -> None:
    frame = rated(customers=2000).filter(pl.col("score").is_not_null())
    coded = code(frame, outcome="score", exposure="fcr", adjust=["channel"], kind="linear", cluster="customer", unit="customer")
    found = within.fit(gather(coded), coded.terms)
    rows = coded.rows.filter(pl.len().over("_unit") > 1)
    design = pl.DataFrame(coded.terms.matrix(rows)[:, 1:]).with_columns(unit=rows["_unit"], y=rows["_y"])
    apart = design.select(pl.exclude("unit") - pl.exclude("unit").mean().over("unit")).to_numpy()
    beta, *_ = np.linalg.lstsq(apart[:, :-1], apart[:, -1])
    assert found.rows == rows.height
    assert found.clusters == rows["_unit"].n_unique()
    assert found.beta[1:] == pytest.approx(beta, abs=EXACT)
    scores = (
        pl.DataFrame(apart[:, :-1] * (apart[:, -1] - apart[:, :-1] @ beta)[:, None])
        .with_columns(g=rows["_unit"])
        .group_by("g")
        .sum()
        .drop("g")
        .to_numpy()
    )
    bread, groups, count, terms = np.linalg.inv(apart[:, :-1].T @ apart[:, :-1]), found.clusters, rows.height, beta.size + 1
    cov = groups / (groups - 1) * (count - 1) / (count - terms) * bread @ scores.T @ scores @ bread
    assert np.sqrt(np.diag(found.cov))[1:] == pytest.approx(np.sqrt(np.diag(cov)), abs=EXACT)


def test_within_says_so_where_nobody_answered_twice_or_nobody_has_both() -> None:
    once = pl.DataFrame({"y": [1.0, 2.0, 3.0, 4.0], "fcr": [True, False, True, False], "who": list("abcd")})
    twice = once.with_columns(who=pl.Series(list("abab")))
    for frame, problem in ((once, "nobody answered twice"), (twice, "never varies within a unit")):
        coded = code(frame, outcome="y", exposure="fcr", kind="linear", cluster="who", unit="who")
        with pytest.raises(DataError, match=problem):
            within.fit(gather(coded), coded.terms)
    with pytest.raises(UsageError, match="needs cells with a unit"):
        within.fit(gather(code(twice, outcome="y", exposure="fcr", kind="linear", cluster="who")), coded.terms)


def test_a_number_in_large_units_is_fitted_as_well_as_in_small_ones() -> None:
    frame = rated().with_columns(seconds=1e7 + 1e6 * pl.col("wait"))
    (one, _), (other, _) = (plain(frame, AsIs(name)) for name in ("wait", "seconds"))
    assert other.value == pytest.approx(one.value, abs=1e-6)
    assert other.se == pytest.approx(one.se, rel=1e-4)


def plain(frame: pl.DataFrame, number: AsIs) -> tuple[contrast.Estimate, Fit]:
    coded = code(frame, outcome="good", exposure="fcr", adjust=[number], cluster="customer")
    cells = gather(coded)
    found = fit(cells, coded.terms)
    return contrast.standardise(found, cells.everybody).difference(), found


def test_covariates_that_say_the_same_are_named_instead_of_fitted() -> None:
    frame = rated().with_columns(copy=pl.col("tier"))
    coded = code(frame, outcome="good", exposure="fcr", adjust=["tier", "copy"], cluster="customer")
    with pytest.raises(DataError, match="1 of 4 columns follow from the others \\(copy: gold\\)"):
        fit(gather(coded), coded.terms)


def test_answers_that_are_told_apart_without_error_are_an_error_and_no_number() -> None:
    frame = pl.DataFrame({"good": [1] * 10 + [1, 0] * 10 + [0, 1] * 10 + [0] * 10, "fcr": [True] * 30 + [False] * 30}).with_columns(
        x=pl.when(pl.int_range(pl.len()) < 10).then(5.0).otherwise(0.0)
    )
    coded = code(frame, outcome="good", exposure="fcr", adjust=[AsIs("x")])
    with pytest.raises(DataError, match=r"all answers along 1 of 2 columns are alike \(x\)"):
        fit(gather(coded), coded.terms)


def test_shares_of_a_logit_do_not_mind_a_column_that_says_nothing_new_and_are_none_where_one_is_certain() -> None:
    from scipy import sparse

    plain = np.array([[1.0, 0.0], [1.0, 1.0]])
    n, k = np.array([10.0, 20.0]), np.array([3.0, 15.0])
    for design in (plain, np.column_stack([plain, plain[:, 1]])):
        assert logit_shares(sparse.csr_array(design), w=n, wy=k) == pytest.approx([0.3, 0.75])
    assert logit_shares(sparse.csr_array(plain), w=n, wy=np.array([3.0, 20.0])) is None
