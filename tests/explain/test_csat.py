"""Is the planted difference found, is none found where none is, and does the sentence claim no more than the numbers do?"""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest

from fcrlib.explain import csat
from fcrlib.model.errors import DataError, FcrError, UsageError
from fcrlib.model.evidence import Design
from fcrlib.show.wording import lint

ALL_KNOWN = Design(weighted=True, sensitivity_reported=True, timing_known=True, response_known=True)
LOG_ODDS = 1.2
TOPICS = np.array([-0.9, -0.5, -0.2, 0.2, 0.5, 0.9])


def share(line: np.ndarray) -> np.ndarray:
    return np.asarray(1 / (1 + np.exp(-line)))


TRUTH = float((share(TOPICS + LOG_ODDS) - share(TOPICS)).mean())
"""The difference over all topics, which are equally frequent."""


def planted(contacts: int = 4000, *, seed: int = 1, log_odds: float = LOG_ODDS) -> pl.DataFrame:
    """Contacts of topics that are resolved less often and rated worse, or both better; a customer's contacts are rated alike."""
    rng = np.random.default_rng(seed)
    customers = contacts // 3
    who = rng.integers(0, customers, contacts)
    mood, patience = rng.uniform(-0.1, 0.1, customers)[who], rng.uniform(-0.1, 0.1, customers)[who]
    topic, channel = rng.integers(0, 6, contacts), rng.choice(["chat", "phone"], contacts)
    fcr = rng.random(contacts) < share(0.5 + 1.5 * TOPICS[topic]) + patience
    good = rng.random(contacts) < share(TOPICS[topic] + log_odds * fcr) + mood
    answered = rng.random(contacts) < 0.6
    return pl.DataFrame({"fcr": fcr, "channel": channel, "topic": [f"t{one}" for one in topic], "customer": who}).with_columns(
        good=pl.when(pl.Series(answered)).then(pl.Series(good)), score=pl.Series(good).cast(pl.Float64)
    )


def found(frame: pl.DataFrame, **asked: object) -> csat.Effect:
    usual: dict[str, object] = {"outcome": "good", "exposure": "fcr", "adjust": ["channel", "topic"]}
    return csat.effect(frame, **{**usual, **asked})  # type: ignore[arg-type]


def test_the_planted_difference_is_found_and_the_raw_one_is_not_it() -> None:
    frame = planted(20_000)
    told, raw = found(frame), found(frame, adjust=[])
    assert told.low is not None
    assert told.high is not None
    assert told.low < TRUTH < told.high
    assert raw.low is not None
    assert raw.low > TRUTH
    assert told.with_exposure - told.without == pytest.approx(told.estimate)
    assert told.n == frame["good"].count()
    assert dict(told.counted.iter_rows()) == {"cases": 20_000, "no answer": frame["good"].null_count(), "used": told.n}


@pytest.mark.slow
def test_the_interval_holds_the_truth_in_95_of_100_desks_and_the_raw_one_does_not() -> None:
    told = [found(planted(2000, seed=seed)) for seed in range(200)]
    raw = [found(planted(2000, seed=seed), adjust=[]) for seed in range(60)]
    assert 0.90 <= np.mean([one.low < TRUTH < one.high for one in told]) <= 0.985  # type: ignore[operator]
    assert np.mean([one.low < TRUTH < one.high for one in raw]) < 0.5  # type: ignore[operator]


@pytest.mark.slow
def test_where_there_is_no_difference_95_of_100_intervals_hold_none() -> None:
    told = [found(planted(2000, seed=seed, log_odds=0.0)) for seed in range(200)]
    assert 0.90 <= np.mean([one.low < 0 < one.high for one in told]) <= 0.985  # type: ignore[operator]


def test_a_difference_that_varies_is_told_per_level_and_averages_to_the_whole() -> None:
    frame = planted(20_000).with_columns(
        good=pl.when((pl.col("channel") == "phone") & pl.col("fcr") & pl.col("good").is_not_null()).then(True).otherwise("good")
    )
    frame = frame.with_columns(good=pl.when(pl.int_range(pl.len()) % 9 == 0).then(~pl.col("good")).otherwise("good"))
    told = found(frame, adjust=["topic"], by="channel")
    assert told.segments is not None
    assert told.segments["channel"].to_list() == ["chat", "phone"]
    assert told.segments["n"].sum() == told.n
    sizes = told.segments["size"]
    assert float((sizes * told.segments["estimate"]).sum() / sizes.sum()) == pytest.approx(told.estimate)
    assert told.segments["estimate"][1] > told.segments["estimate"][0] + 0.1
    assert told.segments_differ is not None
    assert told.segments_differ < 1e-6
    alike = found(planted(), by="channel")
    assert alike.segments_differ is not None
    assert alike.segments_differ > 0.01
    assert told.spec["adjust"] == ["topic", "channel"]


def test_other_names_for_the_levels_change_nothing_but_the_reference() -> None:
    frame = planted()
    renamed = frame.with_columns(topic=pl.col("topic").replace({"t0": "z", "t3": "a"}), channel=pl.col("channel").str.reverse())
    one, other = found(frame, by="channel"), found(renamed, by="channel")
    assert other.estimate == pytest.approx(one.estimate, abs=1e-12)
    assert other.se == pytest.approx(one.se, abs=1e-12)


def test_the_order_of_the_rows_changes_nothing_to_the_last_bit() -> None:
    frame = planted()
    one, other = found(frame), found(frame.sample(fraction=1, shuffle=True, seed=3))
    assert (one.estimate, one.low, one.high, one.odds_ratio) == (other.estimate, other.low, other.high, other.odds_ratio)


def test_a_linear_and_an_ordered_model_agree_with_the_logit_on_yes_and_no() -> None:
    frame = planted(8000).with_columns(rating=pl.col("good").cast(pl.Int64))
    logit, linear = found(frame), found(frame, kind="linear")
    ordered = found(frame, outcome="rating", kind="ordinal")
    assert linear.estimate == pytest.approx(logit.estimate, abs=0.015)
    assert linear.odds_ratio is None
    assert linear.ratio == pytest.approx(logit.ratio, abs=0.05)
    assert ordered.estimate == pytest.approx(logit.estimate, abs=1e-9)
    assert ordered.se == pytest.approx(logit.se, rel=1e-6)
    assert ordered.odds_ratio == pytest.approx(logit.odds_ratio, rel=1e-9)
    assert ordered.levels is not None
    assert ordered.unit == "score"


def test_below_ten_customers_there_is_no_interval_and_below_thirty_it_is_called_rough() -> None:
    frame = planted()
    none, rough = (found(frame.with_columns(customer=pl.col("customer") % groups), adjust=["channel"]) for groups in (9, 29))
    assert (none.low, none.high) == (None, None)
    assert "only 9 clusters, too few for an interval" in none.notes[-1]
    assert none.finding().title == "Too few customers to compare good ratings"
    assert rough.low is not None
    assert "the interval is rough" in rough.notes[-1]


def test_numbers_as_they_are_still_run_and_say_why_it_is_slower() -> None:
    frame = planted(24_000).with_columns(wait=pl.Series(np.random.default_rng(2).gamma(2, 3, 24_000)))
    told = found(frame, adjust=["topic", csat.AsIs("wait")])
    assert told.n_cells == told.n
    assert "makes the fit slower, not different" in told.notes[-1]
    assert found(frame, adjust=["topic", "wait"]).notes == ()


def test_levels_of_the_exposure_are_for_the_dose() -> None:
    with pytest.raises(UsageError, match="ask for the dose"):
        found(planted().with_columns(fcr=pl.col("topic")), adjust=[])


def test_the_sentence_of_a_graded_difference_names_interval_answers_customers_and_window() -> None:
    told = found(planted(20_000), design=ALL_KNOWN)
    finding = told.finding(window="7 days")
    assert told.grade == finding.grade == "C"
    assert "is associated with a share of good ratings" in finding.statement
    assert "after adjustment for channel and topic (95 % interval +" in finding.statement
    assert f"{told.n:,} answers of {told.n_clusters:,} customers; later contacts were waited for 7 days." in finding.statement
    assert finding.measure is not None
    assert (finding.measure.value, finding.measure.unit) == (told.estimate, "points")


def test_a_sentence_of_the_lowest_grade_only_says_what_was_observed() -> None:
    statement = found(planted(20_000)).finding().statement
    assert "was observed with" in statement
    assert "adjust" not in statement


def test_where_chance_may_be_all_the_sentence_says_what_is_excluded() -> None:
    told = found(planted(3000, log_odds=0.0), design=ALL_KNOWN)
    assert told.low is not None
    assert told.high is not None
    assert told.low < 0 < told.high
    finding = told.finding()
    most = max(-told.low, told.high)
    assert finding.title == "No clear difference in good ratings"
    assert f"a difference beyond {100 * most:.1f} points either way is excluded" in finding.statement
    assert "no effect" not in finding.statement


@pytest.mark.parametrize("log_odds", [0.0, LOG_ODDS])
@pytest.mark.parametrize("design", [Design(), ALL_KNOWN])
@pytest.mark.parametrize("kind", ["logit", "ordinal"])
def test_no_sentence_claims_more_than_its_grade(log_odds: float, design: Design, kind: str) -> None:
    frame = planted(3000, log_odds=log_odds).with_columns(good=pl.col("good").cast(pl.Int64))
    finding = found(frame, design=design, kind=kind).finding(window="7 days")
    assert lint(f"{finding.title}. {finding.statement}", finding.grade or "D") == []


def test_the_path_has_a_row_per_model_and_a_sentence_where_a_column_is_missing() -> None:
    frame = planted(12_000).rename({"topic": "category"}).with_columns(agent=pl.col("customer") % 50, month=pl.lit("2026-07"))
    path = csat.effect_path(frame)
    assert path["model"].str.head(2).to_list() == ["M0", "M1", "M2", "M3", "M4", "M5"]
    told = dict(zip(path["model"].str.head(2), path.iter_rows(named=True), strict=True))
    assert told["M0"]["estimate"] > TRUTH + 0.05
    assert told["M1"]["low"] < TRUTH < told["M1"]["high"]
    assert "without tier, which the desk does not have" in told["M1"]["note"]
    assert told["M2"]["estimate"] is None
    assert told["M3"]["note"] == "not fitted: the desk has no handle"
    assert told["M4"]["estimate"] == pytest.approx(TRUTH, abs=0.06)
    assert told["M5"]["low"] < TRUTH < told["M5"]["high"]
    assert told["M5"]["n"] < told["M1"]["n"]


def test_a_path_that_lacks_the_outcome_is_a_mistake() -> None:
    with pytest.raises(UsageError, match="there is no column 'good'"):
        csat.effect_path(planted().drop("good"))


def doses(contacts: int = 6000) -> pl.DataFrame:
    rng = np.random.default_rng(4)
    needed = rng.choice([1, 2, 3, 4, 5], contacts, p=[0.6, 0.2, 0.1, 0.06, 0.04])
    good = rng.random(contacts) < 0.85 - 0.15 * (np.minimum(needed, 4) - 1)
    return pl.DataFrame(
        {"good": good, "contacts_to_resolve": needed, "channel": rng.choice(["a", "b"], contacts), "customer": rng.integers(0, 2000, contacts)}
    )


def test_each_further_contact_costs_what_was_planted() -> None:
    told = csat.dose(doses(), adjust=["channel"])
    assert told["contacts"].to_list() == ["1", "2", "3", "4+", "each further contact"]
    assert told["n"].to_list()[-1] == 6000
    low, high = told.row(-1)[-2:]
    assert low < -0.15 < high
    assert told["difference"].to_list()[:4] == pytest.approx([0, -0.15, -0.3, -0.45], abs=0.06)
    assert told.with_columns(pl.col("share") - pl.col("share").first() - pl.col("difference"))["share"].drop_nulls().abs().max() < 1e-12  # type: ignore[operator]


def test_levels_with_few_answers_join_the_one_below_and_text_reads_as_numbers_do() -> None:
    frame = doses().filter(pl.col("contacts_to_resolve") < 4)
    assert csat.dose(frame)["contacts"].to_list() == ["1", "2", "3+", "each further contact"]
    text = doses().with_columns(
        pl.when(pl.col("contacts_to_resolve") > 3)
        .then(pl.lit("4+"))
        .otherwise(pl.col("contacts_to_resolve").cast(pl.String))
        .alias("contacts_to_resolve")
    )
    assert csat.dose(text).equals(csat.dose(doses()))
    with pytest.raises(DataError, match="took a second contact"):
        csat.dose(doses().filter(pl.col("contacts_to_resolve") == 1))


def test_the_slope_of_averages_is_that_of_the_published_industries() -> None:
    """Least squares through the seven industries that SQM publishes, each of the same weight."""
    fcr, rated = [78, 76, 72, 72, 71, 65, 61], [81, 80, 80, 76, 75, 75, 68]
    parts = [
        pl.DataFrame(
            {"team": [f"i{place}"] * 100, "month": "m", "fcr": [True] * one + [False] * (100 - one), "good": [True] * other + [False] * (100 - other)}
        )
        for place, (one, other) in enumerate(zip(fcr, rated, strict=True))
    ]
    told = csat.ecological(pl.concat(parts), outcome="good", exposure="fcr").row(0, named=True)
    assert (told["slope"], told["se"], told["r2"]) == pytest.approx((0.6898649, 0.1412531, 0.8267043), abs=1e-6)
    assert (told["low"], told["high"]) == pytest.approx((0.3267623, 1.0529674), abs=1e-6)
    assert (told["groups"], told["n"]) == (7, 700)


def test_groups_with_few_answers_are_no_points_of_the_line() -> None:
    frame = planted(2000).with_columns(team=pl.col("topic"), month=pl.when(pl.int_range(pl.len()) < 1950).then(pl.lit("a")).otherwise(pl.lit("b")))
    assert csat.ecological(frame, outcome="good", exposure="fcr")["groups"].to_list() == [6]
    with pytest.raises(FcrError, match="three groups that differ"):
        csat.ecological(frame, outcome="good", exposure="fcr", at_least=10_000)


def test_a_frame_without_answers_is_an_error_and_on_the_path_a_sentence() -> None:
    silent = planted(300).with_columns(good=pl.lit(None, pl.Boolean))
    for frame in (silent, silent.clear()):
        with pytest.raises(DataError, match="no row has an answer"):
            found(frame)
        path = csat.effect_path(frame.rename({"topic": "category"}))
        assert path["estimate"].null_count() == path.height
        assert path["note"].str.starts_with("not fitted: ").all()


def test_two_columns_of_clusters_widen_the_interval_where_both_matter() -> None:
    frame = planted(6000).with_columns(agent=pl.col("customer") % 40)
    told = found(frame, cluster=["customer", "agent"])
    assert told.n_clusters == 40
    assert told.se is not None
    assert told.finding().statement.endswith("answers of 40 groups.")


def test_categories_and_yes_or_no_are_levels_like_text() -> None:
    frame = planted()
    typed = frame.with_columns(
        pl.col("topic").cast(pl.Categorical), pl.col("channel").cast(pl.Enum(["phone", "chat", "unused"])), pl.col("fcr").cast(pl.Float64)
    )
    assert found(typed).estimate == found(frame).estimate
    loyal = frame.with_columns(loyal=pl.col("customer") % 3 == 0)
    assert "loyal: true" in found(loyal, adjust=["loyal"]).table["term"].to_list()
