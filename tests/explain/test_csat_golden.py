"""Does the door that everybody uses give the numbers of the books, and of every row fitted one by one?"""

from __future__ import annotations

import os
import warnings
import zipfile
from math import exp
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import polars as pl
import pytest
from statsmodels.tools.sm_exceptions import SpecificationWarning

from fcrlib.explain import csat
from fcrlib.explain.csat import AsIs, Effect

EXACT = 1e-8
HOUSING = (
    21, 21, 28, 34, 22, 36, 10, 11, 36, 61, 23, 17, 43, 35, 40, 26, 18, 54, 13, 9, 10, 8, 8, 12, 6, 7, 9, 18, 6, 7, 15, 13, 13, 7, 5, 11,
    14, 19, 37, 17, 23, 40, 3, 5, 23, 78, 46, 43, 48, 45, 86, 15, 25, 62, 20, 23, 20, 10, 22, 24, 7, 10, 21, 57, 23, 13, 31, 21, 13, 5, 6, 13,
)  # fmt: skip
"""Tenants by contact (low, high), type (tower, apartment, atrium, terrace), influence (low, medium, high) and satisfaction (low, medium, high)."""


def bundled(name: str) -> pl.DataFrame:
    import statsmodels.api as sm

    data = getattr(sm.datasets, name).load_pandas().data
    return pl.DataFrame({str(column): data[column].to_numpy() for column in data.columns})


def term(found: Effect, name: str) -> tuple[float, float]:
    """Coefficient and standard error."""
    row = found.table.filter(pl.col("term") == name).row(0, named=True)
    return row["estimate"], row["se"]


def by_rows(frame: pl.DataFrame, formula: str, *, groups: list[str], kind: str, weight: str | None = None) -> tuple[float, float]:
    """Coefficient and clustered error of the exposure `x`, of statsmodels fitted to every row."""
    import statsmodels.api as sm
    import statsmodels.formula.api as smf

    told = frame.to_pandas()
    ways = np.column_stack([frame[name].rank("dense").to_numpy().astype(int) for name in groups])
    family = sm.families.Binomial() if kind == "logit" else sm.families.Gaussian()
    with warnings.catch_warnings():
        # It warns that weights and clusters are not fully supported together; the numbers are those of a sandwich by hand.
        warnings.simplefilter("ignore", SpecificationWarning)
        model = smf.glm(formula, told, family=family, var_weights=None if weight is None else told[weight])
        found = model.fit(tol=1e-13, cov_type="cluster", cov_kwds={"groups": ways if len(groups) > 1 else ways[:, 0], "use_correction": True})
    return float(found.params["x"]), float(found.bse["x"])


def test_the_average_effect_of_spector_and_mazzeo_is_the_published_one() -> None:
    """Greene, Econometric Analysis, 7th ed., table 17.1: PSI 2.3787; average effect of the programme .358."""
    frame = bundled("spector").with_columns(psi=pl.col("PSI") == 1, customer=pl.int_range(pl.len()))
    found = csat.effect(frame, outcome="GRADE", exposure="psi", adjust=[AsIs("GPA"), AsIs("TUCE")])
    assert term(found, "psi")[0] == pytest.approx(2.3787, abs=5e-5)
    assert term(found, "GPA")[0] == pytest.approx(2.8261, abs=5e-5)
    assert found.estimate == pytest.approx(0.357515, abs=1e-6)
    assert found.odds_ratio == pytest.approx(exp(2.378688), rel=1e-5)


def test_the_applicants_answer_as_published() -> None:
    """UCLA OARC, ordered logistic regression: pared 1.0476637, cuts 2.2033232 and 4.2987674."""
    import statsmodels

    table = pl.read_csv(Path(statsmodels.__file__).parent / "miscmodels" / "tests" / "results" / "ologit_ucla.csv")
    answer = pl.col("apply").replace_strict(["unlikely", "somewhat likely", "very likely"], [0, 1, 2], return_dtype=pl.Int64)
    frame = table.with_columns(answer, customer=pl.int_range(pl.len()))
    found = csat.effect(frame, outcome="apply", exposure="pared", adjust=[AsIs("public"), AsIs("gpa")], kind="ordinal")
    assert found.odds_ratio == pytest.approx(exp(1.0476637), rel=1e-6)
    assert [term(found, cut)[0] for cut in ("0 | 1", "1 | 2")] == pytest.approx([2.2033232, 4.2987674], abs=1e-5)


def test_the_tenants_answer_as_published() -> None:
    """Venables and Ripley (2002), Modern Applied Statistics with S, section 7.3: contact high .3602841, influence high 1.2888191, tower to terrace -1.0910149."""
    place = pl.int_range(72)
    label = {
        "contact": (place // 36 == 1),
        "type": (place // 9 % 4).replace_strict([0, 1, 2, 3], ["tower", "apartment", "atrium", "terrace"], return_dtype=pl.String),
        "influence": (place // 3 % 3).replace_strict([0, 1, 2], ["low", "medium", "high"], return_dtype=pl.String),
        "satisfied": place % 3,
    }
    frame = (
        pl.select(pl.int_range(72).alias("place"))
        .with_columns(**label)
        .with_columns(tenants=pl.Series(HOUSING, dtype=pl.Float64), customer=pl.int_range(72))
    )
    found = csat.effect(frame, outcome="satisfied", exposure="contact", adjust=["type", "influence"], kind="ordinal", weight="tenants")
    told = dict(found.table.select("term", "estimate").iter_rows())
    assert told["contact"] == pytest.approx(0.3602841, abs=1e-6)
    # Every level has as many rows, so the one that the others are compared with is the first by name.
    assert told["type: terrace"] - told["type: tower"] == pytest.approx(-1.0910149, abs=1e-6)
    assert -told["influence: low"] == pytest.approx(1.2888191, abs=1e-6)


@pytest.mark.parametrize("groups", [["rate_marriage"], ["age_band"], ["age_band", "educ"]])
@pytest.mark.parametrize("weight", [None, "religious"])
def test_affairs_of_every_wife_one_by_one(groups: list[str], weight: str | None) -> None:
    frame = bundled("fair").with_columns(y=(pl.col("affairs") > 0).cast(pl.Int64), x=(pl.col("occupation") >= 4).cast(pl.Int64))
    frame = frame.with_columns(age_band=pl.int_range(pl.len()) % 70, rate_marriage=pl.int_range(pl.len()) // 20)
    found = csat.effect(frame, outcome="y", exposure="x", adjust=["yrs_married", AsIs("children")], cluster=groups, weight=weight)
    expected = by_rows(frame, "y ~ x + C(yrs_married) + children", groups=groups, kind="logit", weight=weight)
    assert term(found, "x") == pytest.approx(expected, abs=EXACT)


def test_votes_of_everybody_one_by_one() -> None:
    frame = bundled("anes96").with_columns(
        pl.col("selfLR").clip(3, 5), y=pl.col("vote").cast(pl.Int64), x=(pl.col("TVnews") >= 4).cast(pl.Int64), place=pl.col("popul").cast(pl.Int64)
    )
    found = csat.effect(frame, outcome="y", exposure="x", adjust=[AsIs("educ"), "selfLR", AsIs("logpopul")], cluster="place")
    assert term(found, "x") == pytest.approx(by_rows(frame, "y ~ x + educ + C(selfLR) + logpopul", groups=["place"], kind="logit"), abs=EXACT)


def test_where_everybody_stands_in_seven_steps_is_what_statsmodels_says_of_every_row() -> None:
    from statsmodels.miscmodels.ordinal_model import OrderedModel

    frame = bundled("anes96").with_columns(
        side=pl.col("PID").cast(pl.Int64), x=(pl.col("TVnews") >= 4).cast(pl.Int64), place=pl.col("popul").cast(pl.Int64)
    )
    found = csat.effect(frame, outcome="side", exposure="x", adjust=[AsIs("selfLR"), AsIs("age")], cluster="place", kind="ordinal")
    stock = OrderedModel(frame["side"].to_numpy(), frame.select("x", "selfLR", "age").to_numpy().astype(float), distr="logit")
    groups = frame["place"].rank("dense").to_numpy().astype(int)
    rows = stock.fit(method="bfgs", maxiter=500, gtol=1e-7, disp=0, cov_type="cluster", cov_kwds={"groups": groups})
    assert [term(found, name)[0] for name in ("x", "selfLR", "age")] == pytest.approx(list(rows.params[:3]), abs=2e-5)
    assert [term(found, name)[1] for name in ("x", "selfLR", "age")] == pytest.approx(list(rows.bse[:3]), rel=2e-3)


@pytest.mark.parametrize("weight", [None, "weight"])
def test_visits_to_doctors_one_by_one(weight: str | None) -> None:
    frame = bundled("randhie").with_columns(x=pl.col("idp").cast(pl.Int64), family=pl.int_range(pl.len()) // 5, weight=1.0 + pl.col("disea") / 7)
    found = csat.effect(
        frame, outcome="mdvis", exposure="x", adjust=["lncoins", AsIs("disea"), "hlthg"], cluster="family", kind="linear", weight=weight
    )
    expected = by_rows(frame, "mdvis ~ x + C(lncoins) + disea + C(hlthg)", groups=["family"], kind="linear", weight=weight)
    assert term(found, "x") == pytest.approx(expected, abs=EXACT)
    assert (found.estimate, found.se) == pytest.approx(expected, abs=EXACT)


def test_what_people_spend_on_their_cards_one_by_one() -> None:
    frame = bundled("ccard").with_columns(x=pl.col("OWNRENT").cast(pl.Int64), town=pl.int_range(pl.len()) // 2)
    found = csat.effect(frame, outcome="AVGEXP", exposure="x", adjust=[AsIs("INCOME"), AsIs("INCOMESQ"), AsIs("AGE")], cluster="town", kind="linear")
    expected = by_rows(frame, "AVGEXP ~ x + INCOME + INCOMESQ + AGE", groups=["town"], kind="linear")
    assert (found.estimate, found.se) == pytest.approx(expected, rel=1e-8)


def shared(name: str) -> Path:
    path = Path(os.environ.get("FCR_SHARED_DATA", Path(__file__).parents[2] / "../shared/data")) / name
    if not path.exists():
        pytest.skip("the real data is not here")
    return path


def sheet(path: Path) -> pl.DataFrame:
    """The first sheet of a workbook, as text."""
    name = "{http://schemas.openxmlformats.org/spreadsheetml/2006/main}"
    with zipfile.ZipFile(path) as book:
        words = ["".join(word.itertext()) for word in ElementTree.fromstring(book.read("xl/sharedStrings.xml"))]
        rows = list(ElementTree.fromstring(book.read("xl/worksheets/sheet1.xml")).iter(f"{name}row"))
    cells = [
        {
            cell.get("r", "").rstrip("0123456789"): words[int(value)] if cell.get("t") == "s" else value
            for cell in row
            if (value := cell.findtext(f"{name}v"))
        }
        for row in rows
    ]
    heads = cells[0]
    return pl.DataFrame(
        [{head: row.get(place) for place, head in heads.items()} for row in cells[1:]], schema=dict.fromkeys(heads.values(), pl.String)
    )


@pytest.mark.realdata
def test_invented_calls_whose_ratings_know_nothing_of_their_solution_show_no_difference() -> None:
    """The practice data of a consultancy: 5,000 calls, rated 1 to 5 whatever became of them."""
    calls = sheet(shared("pwc_call_center") / "Call-Center-Dataset.xlsx")
    frame = calls.select(
        fcr=pl.col("Resolved") == "Y", rating=pl.col("Satisfaction rating").cast(pl.Int64), topic="Topic", agent="Agent", month=pl.col("Date").str.head(7),
        wait=pl.col("Speed of answer in seconds").cast(pl.Float64), answered=pl.col("Answered (Y/N)") == "Y", customer=pl.int_range(pl.len()),
    )  # fmt: skip
    frame = frame.filter("answered").with_columns(good=pl.col("rating") >= 4)
    assert frame.height > 4_000
    for kind, outcome in (("logit", "good"), ("linear", "rating"), ("ordinal", "rating")):
        found = csat.effect(frame, outcome=outcome, exposure="fcr", adjust=["topic", "agent", "month", "wait"], kind=kind)  # type: ignore[arg-type]
        assert found.low is not None
        assert found.high is not None
        assert found.low < 0 < found.high
        assert found.finding().title.startswith("No clear difference")


@pytest.mark.realdata
def test_tickets_that_were_reopened_are_rated_half_as_well() -> None:
    """Invented tickets of a payment service, rated from 0 to 1: on average .396 where they were reopened, and .818 elsewhere."""
    table = pl.read_csv(shared("itsm_synthetic") / "tickets.csv", infer_schema_length=None)
    frame = table.select("category", "priority", fcr=~pl.col("is_reopened"), score="csat_score", customer="merchant_id")
    raw = csat.effect(frame, outcome="score", exposure="fcr", kind="linear")
    held = csat.effect(frame, outcome="score", exposure="fcr", adjust=["category", "priority"], kind="linear")
    assert (raw.without, raw.with_exposure, raw.n) == pytest.approx((0.396286, 0.817632, 225), abs=1e-6)
    assert held.estimate == pytest.approx(0.38, abs=0.01)
    assert held.low is not None
    assert held.low > 0.3
    assert raw.finding().title == "Mean rating where contacts were resolved on first contact: +0.42"


def test_ordinary_least_squares_may_be_asked_for_by_its_short_name() -> None:
    frame = pl.DataFrame({"good": [1, 1, 1, 0] * 10 + [1, 0, 0, 0] * 10, "fcr": [True] * 40 + [False] * 40, "customer": list("abcdefghijklmnop") * 5})
    one, other = (csat.effect(frame, outcome="good", kind=kind) for kind in ("ols", "linear"))
    assert (one.estimate, one.se, one.spec["kind"]) == (other.estimate, other.se, "linear")
