"""Does one question give everything that hangs on it, and nothing where nothing can be told?"""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
import polars as pl
import pytest

from fcrlib.explain import csat, rated
from fcrlib.intake.demo import Truth, invent
from fcrlib.intake.redact import redact
from fcrlib.judge.timing import AFTER, BEFORE, UNTIMED
from fcrlib.model.period import Period
from fcrlib.model.policy import Policy
from fcrlib.study import Study

EMPTY = ("path", "dose", "timing", "exposures", "models", "effort", "checks", "cuts", "yardsticks", "teams", "per_point")


def contacts(rows: int = 3000, *, early: float = 0.2, late: float = 0.4, seed: int = 3) -> pl.DataFrame:
    """Resolved contacts are rated well by `early` more than failed ones rated at once, and by `late` more than those rated after they had failed."""
    rng = np.random.default_rng(seed)
    fcr, after = rng.random(rows) < 0.6, rng.random(rows) < 0.4
    chance = np.where(fcr, 0.8, np.where(after, 0.8 - late, 0.8 - early))
    liked, heard = rng.random(rows) < chance, rng.random(rows) < 0.6
    plain = pl.DataFrame({"fcr": fcr, "after": after & ~fcr, "liked": liked, "heard": heard, "channel": rng.choice(["chat", "web"], rows)})
    told = plain.with_columns(
        good=pl.when("heard").then("liked"), weight=pl.when("heard").then(1.6), category=pl.lit("a"), tier=pl.Series(rng.choice(["x", "y"], rows)),
        month=pl.lit("2026-07"), customer=pl.Series([f"c{n}" for n in rng.integers(0, rows // 2, rows)]), team=pl.lit("t"),
        timing=pl.when("heard").then(pl.when("after").then(pl.lit(AFTER)).otherwise(pl.lit(BEFORE))),
        contacts_to_resolve=pl.when("fcr").then(pl.lit("1")).otherwise(pl.lit("2")),
    )  # fmt: skip
    rating = pl.when("good").then(pl.Series(rng.integers(4, 6, rows))).otherwise(pl.Series(rng.integers(1, 4, rows)))
    said = pl.when("heard").then(pl.col("fcr") != pl.Series(rng.random(rows) < 0.1))
    return told.with_columns(rating=pl.when("heard").then(rating), survey_fcr=said, agreed=pl.when(said == pl.col("fcr")).then("fcr"))


def asked(frame: pl.DataFrame, *, offers: int = 3000, **more: Any) -> SimpleNamespace:
    counted = pl.DataFrame({"what": ["of these asked"], "n": [offers]})
    return SimpleNamespace(**({"frame": frame, "counted": counted, "scale": "1-5", "notes": ("Nobody rated.",), "good_from": 4} | more))


ANSWER = csat.answer(asked(contacts()))
REPEATS = pl.DataFrame({"failed": [1000], "later": [1200], "excess": [1000.0], "excess_low": [900.0], "excess_high": [1100.0], "cost": [6000.0]})


def test_the_planted_difference_is_found_before_and_after_the_failure() -> None:
    rows = {row["name"]: row for row in ANSWER.timing.to_dicts()}
    early, late = rows[csat.FAILED[BEFORE]], rows[csat.FAILED[AFTER]]
    assert early["low"] < 0.2 < early["high"]
    assert late["low"] < 0.4 < late["high"]
    assert rows["all failed ones"]["n"] == ANSWER.frame["good"].count()
    assert early["n"] + late["n"] == ANSWER.frame["good"].count() + ANSWER.frame.filter("fcr")["good"].count()
    nothing = csat.answer(asked(contacts(early=0.0, late=0.0)))
    assert nothing.effect is not None
    assert nothing.effect.low is not None
    assert nothing.effect.high is not None
    assert nothing.effect.low < 0 < nothing.effect.high


def test_every_reading_and_every_model_stands_beside_the_primary_one() -> None:
    assert ANSWER.effect is not None
    assert ANSWER.exposures["name"].to_list() == ["the system", "the survey", "both, where they agree"]
    assert ANSWER.exposures["estimate"][0] == ANSWER.models["estimate"][0] == ANSWER.timing["estimate"][0] == ANSWER.effect.estimate
    assert ANSWER.models["unit"].to_list() == ["points", "points", "score", "score"]
    assert ANSWER.models.select((pl.col("low") > 0).all()).item()
    assert ANSWER.per_point["points"][0] == ANSWER.effect.estimate
    assert ANSWER.cuts["at_least"].to_list() == [2, 3, 4, 5]
    assert ANSWER.cuts.filter(at_least=4)["n"][0] == ANSWER.effect.n
    assert ANSWER.effort.is_empty()


def test_the_will_to_recommend_is_a_model_of_its_own_unless_it_is_the_rating() -> None:
    frame = contacts().with_columns(nps=pl.when("heard").then(2.0 * pl.col("rating")))
    told = csat.answer(asked(frame)).models
    promoter, detractor = (told.filter(pl.col("name").str.starts_with(word)).row(0, named=True) for word in ("would recommend", "would not"))
    assert promoter["estimate"] > 0 > detractor["estimate"]
    same = frame.with_columns(rating=pl.col("nps").cast(pl.Int64))
    assert not csat.answer(asked(same, scale="0-10")).models["name"].str.starts_with("would").any()


def test_effort_is_held_equal_only_among_those_who_told_it() -> None:
    # Effort goes with both the verdict and the rating, and every other customer who rated told it.
    told = pl.when("fcr").then(0.0).otherwise(2.0) + pl.when("good").then(0.0).otherwise(2.0) + (pl.int_range(pl.len()) // 2) % 5
    frame = contacts().with_columns(ces=pl.when(pl.col("heard") & (pl.int_range(pl.len()) % 2 == 0)).then(told))
    effort = csat.answer(asked(frame)).effort
    assert effort["n"].to_list() == [frame.drop_nulls(["good", "ces"]).height] * 2
    assert effort["estimate"][1] < effort["estimate"][0]
    settled = csat.answer(asked(contacts().with_columns(ces=pl.when("heard").then(pl.when("good").then(1.0).otherwise(7.0))))).effort
    assert (settled["estimate"][1], settled["note"][1]) == (None, "too few answers of each effort are satisfied and not satisfied")


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"good": pl.lit(None, pl.Boolean)}, "Nobody rated"),
        ({"good": pl.when("heard").then(pl.lit(value=True))}, "ratings shows a satisfied customer"),
        ({"fcr": pl.lit(value=True)}, "ratings is of a resolved contact"),
        ({"customer": pl.lit("one") + (pl.int_range(pl.len()) % 9).cast(pl.String)}, "ratings of 9 customers, too few"),
    ],
)
def test_where_there_is_nothing_to_compare_there_is_a_reason_and_no_number(change: dict[str, pl.Expr], said: str) -> None:
    found = csat.answer(asked(contacts().with_columns(**change)))
    assert found.effect is None
    assert said in found.why
    assert all(getattr(found, part).is_empty() for part in EMPTY)


def test_a_desk_without_any_rating_gives_an_empty_answer() -> None:
    none = rated.Rated(pl.DataFrame(schema=rated.COLUMNS), pl.DataFrame({"what": ["of these asked"], "n": [0]}), notes=(rated.NO_SURVEY,))
    found = csat.answer(none)
    assert (found.effect, found.why) == (None, rated.NO_SURVEY)
    assert found.shares.is_empty()


@pytest.mark.parametrize(
    ("frame", "offers", "grade"),
    [
        (contacts(), 3000, "C"),
        (contacts(), 0, "D"),
        (contacts().with_columns(timing=pl.when("heard").then(pl.lit(UNTIMED))), 3000, "D"),
    ],
)
def test_the_grade_is_low_where_nobody_knows_who_was_asked_or_what_came_first(frame: pl.DataFrame, offers: int, grade: str) -> None:
    found = csat.answer(asked(frame, offers=offers))
    assert found.effect is not None
    assert found.effect.grade == grade
    assert (csat.gain(found, repeats=REPEATS.clear()) is None) == (grade == "D")


def test_what_cannot_be_held_equal_is_let_go_and_said() -> None:
    alone = contacts().with_columns(channel=pl.lit("web"))
    found = csat.answer(asked(alone)).effect
    assert found is not None
    assert found.spec["by"] is None
    # The month says the same as the tier, so both cannot be told apart; the tier comes first.
    twice = csat.answer(asked(contacts().with_columns(month=pl.col("tier"))))
    assert twice.effect is not None
    assert twice.effect.spec["adjust"] == ["channel", "tier"]
    assert twice.why.startswith("not held equal: month (")


def test_the_gain_rests_on_what_followed_failed_contacts() -> None:
    gain = csat.gain(ANSWER, repeats=REPEATS, delta_pp=2.0)
    assert gain is not None
    assert ANSWER.effect is not None
    whole = {row["gain"]: row["value"] for row in gain.gains.filter(segment="all contacts", causal_share=1.0).to_dicts()}
    assert whole["points of CSAT"] == pytest.approx(0.02 * ANSWER.effect.estimate)
    assert whole["contacts saved"] == pytest.approx(0.02 * ANSWER.frame.height)
    assert whole["cost saved"] == pytest.approx(whole["contacts saved"] * 5.0)
    blind = csat.gain(ANSWER, repeats=REPEATS.with_columns(excess=pl.lit(None, pl.Float64)))
    assert blind is not None
    assert blind.gains["gain"].unique().to_list() == ["points of CSAT"]
    assert csat.gain(csat.answer(asked(contacts(early=0.0, late=0.0))), repeats=REPEATS) is None


def test_the_order_of_the_rows_changes_nothing() -> None:
    turned = csat.answer(asked(contacts().sample(fraction=1, shuffle=True, seed=4)))
    for part in EMPTY:
        assert getattr(turned, part).equals(getattr(ANSWER, part)), part


@pytest.mark.slow
def test_on_an_invented_desk_the_planted_loss_is_found_and_none_where_none_is() -> None:
    period = Period.parse("2026-01-01..2026-09-30")
    for truth, clear in ((Truth(), True), (Truth.nothing(), False)):
        study = Study.of(redact(invent(seed=5, contacts=12_000, truth=truth)), policy=Policy(), period=period)
        found = csat.answer(rated.of_study(study)).effect
        assert found is not None
        assert found.low is not None
        assert (found.low > 0) == clear
