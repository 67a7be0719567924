"""Are the columns of a frame read as a model must read them, and is every mistake named?"""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest

from fcrlib.fits.cells import gather
from fcrlib.fits.design import BINS, AsIs, Terms, code
from fcrlib.model.errors import DataError, UsageError


def answered(**columns: object) -> pl.DataFrame:
    """Two hundred answers, good and bad with and without the exposure, and what else is given."""
    base = {"good": [1, 0, 1, 1] * 50, "fcr": [True, True, False, False, False] * 40}
    return pl.DataFrame({**base, **columns})


def test_levels_are_sorted_by_name_and_compared_with_the_most_frequent() -> None:
    frame = answered(channel=["web"] * 80 + ["email"] * 40 + ["phone"] * 80)
    for shown in (frame, frame.reverse()):
        assert code(shown, outcome="good", exposure="fcr", adjust=["channel"]).terms.factors == {"channel": ("phone", "email", "web")}


def test_what_is_not_known_is_a_level_and_no_row_is_dropped_for_it() -> None:
    coded = code(answered(tier=["gold"] * 100 + [None] * 100), outcome="good", exposure="fcr", adjust=["tier"])
    assert coded.terms.factors["tier"] == ("(not known)", "gold")
    assert coded.counted.rows() == [("cases", 200), ("used", 200)]


def test_rows_that_cannot_be_used_are_counted_by_reason() -> None:
    place = pl.int_range(pl.len())
    frame = answered().with_columns(
        fcr=pl.when(place >= 10).then("fcr"),
        good=pl.when(place < 150).then("good"),
        weight=pl.when(~place.is_between(20, 24)).then(2.0),
        age=pl.when(place != 30).then(1.5),
    )
    coded = code(frame, outcome="good", exposure="fcr", adjust=[AsIs("age")], weight="weight")
    assert coded.counted.rows() == [
        ("cases", 200), ("fcr not known", 10), ("age not known", 1), ("no answer", 50), ("answer without a weight", 5), ("used", 134),
    ]  # fmt: skip
    assert gather(coded).everybody["size"].sum() == 189


def test_levels_with_too_few_answers_of_a_kind_are_put_together_and_named() -> None:
    frame = answered(topic=["big"] * 100 + ["next"] * 90 + ["rare"] * 6 + ["tiny"] * 4)
    coded = code(frame, outcome="good", exposure="fcr", adjust=["topic"])
    # The two rare ones hold fewer than five bad answers even together, so that the next larger one joins them.
    assert coded.merged.select("level", "answers").rows() == [("next", 90), ("rare", 6), ("tiny", 4)]
    assert coded.terms.factors["topic"] == ("(all others)", "big")


def test_a_level_without_any_answer_is_merged_instead_of_getting_a_column_of_its_own() -> None:
    frame = answered(topic=["big"] * 80 + ["mid"] * 60 + ["silent"] * 60).with_columns(good=pl.when(pl.col("topic") != "silent").then("good"))
    coded = code(frame, outcome="good", exposure="fcr", adjust=["topic"])
    assert ("topic", "silent", 0) in coded.merged.rows()
    assert "silent" not in str(coded.terms.names)


def test_a_covariate_without_a_second_level_is_left_out_and_said() -> None:
    coded = code(answered(tier="gold"), outcome="good", exposure="fcr", adjust=["tier"], by="tier")
    assert coded.terms.covariates == ()
    assert coded.terms.by is None
    assert coded.notes == ("tier has only one level with enough answers and is left out",)


def test_numbers_with_many_values_become_twenty_bins_of_equal_size() -> None:
    wait = np.random.default_rng(1).gamma(2, 3, 4000)
    frame = pl.DataFrame({"good": [1, 0] * 2000, "fcr": [True, True, False, False] * 1000, "wait": wait})
    coded = code(frame, outcome="good", exposure="fcr", adjust=["wait"])
    sizes = coded.rows.group_by("wait").agg(n=pl.len(), low=pl.lit(pl.Series(wait)).first())
    assert sizes.height == BINS
    assert sizes["n"].is_between(190, 210).all()
    binned = (
        coded.rows.select(pl.col("wait").cast(pl.String).alias("bin"), value=pl.Series(wait))
        .group_by("bin")
        .agg(low=pl.col("value").min(), high=pl.col("value").max())
        .sort("bin")
    )
    assert (binned["low"][1:] > binned["high"][:-1]).all()


def test_bins_follow_the_ties_of_a_number_and_what_is_not_known_is_one_more() -> None:
    calls = pl.Series([0] * 3000 + list(range(1, 501)) * 2, dtype=pl.Int64)
    frame = pl.DataFrame({"good": [1, 0] * 2000, "fcr": [True, True, False, False] * 1000, "calls": calls}).with_columns(
        calls=pl.when(pl.int_range(pl.len()) > 99).then("calls")
    )
    levels = code(frame, outcome="good", exposure="fcr", adjust=["calls"]).terms.factors["calls"]
    assert levels[0] == "bin 01"
    assert "(not known)" in levels
    assert 4 <= len(levels) <= 8


def test_a_number_as_it_is_enters_as_one_column() -> None:
    coded = code(answered(wait=np.linspace(0, 1, 200)), outcome="good", exposure="fcr", adjust=[AsIs("wait")])
    assert coded.terms.names == ("(constant)", "fcr", "wait")
    assert gather(coded).table.height == 200


def test_the_design_has_one_column_per_name() -> None:
    terms = Terms("dose", doses=("1", "2", "3+"), factors={"tier": ("gold", "basic")}, numbers=("wait",), by="tier")
    frame = pl.DataFrame({"dose": ["1", "2", "3+"], "tier": ["basic", "basic", "gold"], "wait": [0.5, 1.5, 2.5]})
    assert terms.names == ("(constant)", "dose: 2", "dose: 3+", "tier: basic", "wait", "dose: 2 and tier: basic", "dose: 3+ and tier: basic")
    assert terms.matrix(frame).tolist() == [[1, 0, 0, 1, 0.5, 0, 0], [1, 1, 0, 1, 1.5, 1, 0], [1, 0, 1, 0, 2.5, 0, 0]]


def test_every_mistake_of_the_columns_is_named_at_once() -> None:
    frame = answered(stars=[1, 2, 3, 4] * 50, n=1, text="a", weight=-1.0)
    with pytest.raises(UsageError) as caught:
        code(frame, outcome="stars", exposure="fcr", adjust=["n", "away", "fcr", AsIs("text")], weight="weight", cluster=["a", "b", "c"], by="text")
    told = str(caught.value)
    for problem in (
        "there is no column 'away'",
        "'n' must be called something else",
        "'fcr' cannot be both",
        "at most two columns",
        "has no levels",
        "holds 2",
        "below zero",
    ):
        assert problem in told


def test_an_outcome_must_be_what_its_model_takes() -> None:
    frame = answered(words="x", half=[0.5, 1.0] * 100)
    with pytest.raises(UsageError, match="'words' is String, but it must be numbers"):
        code(frame, outcome="words", exposure="fcr")
    with pytest.raises(UsageError, match=r"must be yes/no for a logit, but holds 0\.5"):
        code(frame, outcome="half", exposure="fcr")
    with pytest.raises(UsageError, match=r"must be whole numbers for ordered answers, but holds 0\.5"):
        code(frame, outcome="half", exposure="fcr", kind="ordinal")


@pytest.mark.parametrize(
    ("changed", "problem"),
    [
        ({"good": pl.lit(None, pl.Int64)}, "no row has an answer"),
        ({"good": pl.lit(1)}, "all 200 answers are the same: 'good' is always 1"),
        ({"fcr": pl.lit(True)}, "'fcr' is yes for all 200 answers"),
        ({"good": pl.when("fcr").then(1).otherwise("good")}, "all 80 answers with 'fcr' = yes are yes"),
    ],
)
def test_nothing_to_compare_is_an_error_that_says_why(changed: dict[str, pl.Expr], problem: str) -> None:
    with pytest.raises(DataError, match=problem):
        code(answered().with_columns(**changed), outcome="good", exposure="fcr")


def test_cells_hold_every_answer_once() -> None:
    rng = np.random.default_rng(3)
    frame = answered(tier=rng.choice(["a", "b"], 200), who=rng.integers(0, 30, 200), where=rng.integers(0, 7, 200), weight=rng.gamma(2, 1, 200))
    coded = code(frame, outcome="good", exposure="fcr", adjust=["tier"], weight="weight", cluster=["who", "where"])
    cells = gather(coded)
    for name, whole in (("n", 200), ("w", frame["weight"].sum()), ("wy", (frame["weight"] * frame["good"]).sum())):
        assert cells.table[name].sum() == pytest.approx(whole)
        assert cells.sums[name].sum() == pytest.approx(whole)
    assert cells.members["name"].to_list() == sorted(frame["who"].unique().to_list())
    assert cells.sums.select("g", "h", "cell").is_unique().all()
    by_cell = cells.sums.group_by("cell").agg(pl.col("w").sum()).sort("cell")["w"]
    assert by_cell.to_list() == pytest.approx(cells.table["w"].to_list())
