"""Is every column that no model can read refused in a sentence, and everything wrong said at once?"""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import numpy as np
import polars as pl
import pytest

from fcrlib.fits.design import AsIs, code
from fcrlib.model.errors import DataError, UsageError


def answers(rows: int = 600) -> pl.DataFrame:
    rng = np.random.default_rng(2)
    return pl.DataFrame(
        {"good": rng.random(rows) < 0.6, "fcr": rng.random(rows) < 0.5, "tier": rng.choice(["a", "b", "c"], rows), "wait": rng.gamma(2, 3, rows)}
    ).with_columns(stars=pl.lit(1) + pl.col("good").cast(pl.Int64) * 3 + pl.int_range(pl.len()) % 2, weight=pl.lit(1.0))


def coded(frame: Any, **asked: Any) -> Any:
    return code(frame, **{"outcome": "good", "exposure": "fcr", "adjust": ["tier"], "kind": "logit", **asked})


ENDLESS = pl.when(pl.int_range(pl.len()) > 2).then(1.0).otherwise(float("inf"))


@pytest.mark.parametrize(
    ("changed", "asked", "said"),
    [
        ({"stars": ENDLESS}, {"outcome": "stars", "kind": "linear"}, "'stars' is infinite in 3 of 600 rows"),
        ({"weight": ENDLESS}, {"weight": "weight"}, "'weight' is infinite in 3 of 600 rows"),
        ({"wait": ENDLESS}, {"adjust": [AsIs("wait")]}, "'wait' is infinite"),
        ({"weight": pl.lit(1e-200)}, {"weight": "weight"}, "divide them by their mean"),
        ({}, {"adjust": [AsIs("tier")]}, "'tier' is String, but it must be numbers"),
        ({}, {"adjust": ["wait", AsIs("wait")]}, "but not both"),
        ({"tier": pl.concat_list("tier")}, {}, "must be a single value"),
        ({"fcr": pl.col("wait")}, {}, "must be yes/no .1 or 0. or levels as text, but holds"),
        ({"_y": pl.col("tier")}, {"adjust": ["_y"]}, "'_y' must be called something else"),
        ({"estimate": pl.col("tier")}, {"by": "estimate"}, "'estimate' must be called something else"),
        ({}, {"outcome": "fcr"}, "both what is compared and by what"),
        ({}, {"kind": "probit"}, "kind must be one of logit, linear, ordinal"),
        ({}, {"adjust": "tier"}, "adjust must be a list of columns"),
    ],
)
def test_what_no_model_can_read_is_refused_in_a_sentence(changed: dict[str, pl.Expr], asked: dict[str, Any], said: str) -> None:
    with pytest.raises(UsageError, match=said):
        coded(answers().with_columns(**changed), **asked)


@pytest.mark.parametrize("given", [{"good": [1]}, answers().lazy()])
def test_what_is_no_frame_is_refused(given: object) -> None:
    with pytest.raises(UsageError, match="is no DataFrame"):
        coded(given)


def test_everything_wrong_is_said_at_once() -> None:
    frame = answers().with_columns(tier=pl.concat_list("tier"), weight=pl.lit("heavy"), wait=ENDLESS)
    with pytest.raises(UsageError) as caught:
        coded(frame, weight="weight", adjust=["tier", AsIs("wait"), "away"], kind="probit")
    assert len(caught.value.problems) == 5


def test_names_of_our_own_columns_may_be_theirs() -> None:
    frame = answers()
    plain = coded(frame)
    for name in ("answers", "kinds", "least", "name", "len", "cases"):
        assert coded(frame.rename({"tier": name}), adjust=[name]).terms.factors[name] == plain.terms.factors["tier"]


@pytest.mark.parametrize("way", ["date", "duration"])
def test_moments_with_many_values_are_bins_as_numbers_are(way: str) -> None:
    days = pl.Series(np.random.default_rng(1).permutation(600).tolist())
    first = date(2026, 1, 1)
    held = [first + timedelta(days=day) for day in days] if way == "date" else [timedelta(days=day) for day in days]
    one = coded(answers().with_columns(when=pl.Series(held), number=days), adjust=["when"])
    other = coded(answers().with_columns(number=days), adjust=["number"])
    assert one.rows["when"].cast(pl.String).to_list() == other.rows["number"].cast(pl.String).to_list()


def test_a_number_that_is_none_is_not_known_even_where_values_are_few() -> None:
    frame = answers().with_columns(wait=pl.when(pl.int_range(pl.len()) % 3 == 0).then(float("nan")).otherwise(2.0))
    assert set(coded(frame, adjust=["wait"]).terms.factors["wait"]) == {"2.0", "(not known)"}


def test_an_answer_without_weight_is_none_that_a_finding_rests_on() -> None:
    frame = answers().with_columns(weight=pl.when(pl.int_range(pl.len()) % 2 == 0).then(1.0).otherwise(0.0))
    assert dict(coded(frame, weight="weight").counted.iter_rows()) == {"cases": 600, "answer without a weight": 300, "used": 300}
    with pytest.raises(DataError, match="600 cases, 600 answer without a weight"):
        coded(frame.with_columns(weight=pl.lit(0.0)), weight="weight")
