"""Do we flag who is different, and leave luck alone?"""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest

from fcrlib.judge.agree import kappa, mcnemar, paired
from fcrlib.judge.compare import bh, gaming, moments, p_chart, shrink
from fcrlib.model.errors import DataError, UsageError

# Benjamini and Hochberg (1995), JRSS B 57, section 3.2.
BENJAMINI = [0.0001, 0.0004, 0.0019, 0.0095, 0.0201, 0.0278, 0.0298, 0.0344, 0.0459, 0.324, 0.4262, 0.5719, 0.6528, 0.759, 1.0]
# Gelman et al. (2013), Bayesian Data Analysis, table 5.1: rats with tumours, rats, in 70 historical groups.
TUMOURS = (
    [0] * 14
    + [1] * 8
    + [2] * 9
    + [1, 5, 2, 5, 3, 2, 7, 7, 3, 3, 2, 9, 10]
    + [4] * 7
    + [10, 4, 4, 4, 5, 11, 12, 5, 5, 6, 5, 6, 6, 6, 6, 16, 15, 15, 9]
)
RATS = [20] * 7 + [19] * 4 + [18, 18, 17] + [20] * 4 + [19, 19, 18, 18] + [25, 24, 23] + [20] * 6
RATS += [10, 49, 19, 46, 27, 17, 49, 47, 20, 20, 13, 48, 50] + [20] * 7 + [48, 19, 19, 19, 22, 46, 49, 20, 20, 23, 19, 22, 20, 20, 20, 52, 46, 47, 24]
# Efron and Morris (1977), Scientific American 236 (5): hits in the first 45 times at bat of 18 players, and their averages afterwards.
HITS = [18, 17, 16, 15, 14, 14, 13, 12, 11, 11, 10, 10, 10, 10, 10, 9, 8, 7]
LATER = [0.346, 0.298, 0.276, 0.222, 0.273, 0.270, 0.263, 0.210, 0.269, 0.230, 0.264, 0.256, 0.303, 0.264, 0.226, 0.285, 0.316, 0.200]
# Montgomery, Introduction to Statistical Quality Control, chapter 7: nonconforming cans of orange juice in samples of 50.
CANS = [12, 15, 8, 10, 4, 7, 16, 9, 14, 10, 5, 6, 17, 12, 22, 8, 10, 5, 13, 11, 20, 18, 24, 15, 9, 12, 7, 13, 9, 6]


def agents(rng: np.random.Generator, truth: np.ndarray, size: int = 150) -> pl.DataFrame:
    return pl.DataFrame({"k": rng.binomial(size, truth), "n": [size] * len(truth)})


def test_adjusted_p_values_are_those_of_the_paper() -> None:
    adjusted = bh(pl.Series("p", BENJAMINI))
    expected = [0.0015, 0.003, 0.0095, 0.035625, 0.0603, 0.0638571429, 0.0638571429, 0.0645, 0.0765, 0.486, 0.58118181818, 0.714875, 0.75323076923]
    assert adjusted.to_list() == pytest.approx([*expected, 0.81321428571, 1.0], abs=1e-9)
    assert (adjusted <= 0.05).sum() == 4


def test_adjusted_p_values_do_not_depend_on_the_order_and_leave_nulls_out() -> None:
    mixed = pl.DataFrame({"p": [0.04, None, 0.01, 0.02, 0.02], "family": ["a", "a", "a", "b", "b"]})
    assert bh(mixed["p"]).to_list() == pytest.approx([0.04, None, 0.08 / 3, 0.08 / 3, 0.08 / 3])
    assert mixed.select(bh(pl.col("p")).over("family"))["p"].to_list() == pytest.approx([0.04, None, 0.02, 0.02, 0.02])


def test_the_rat_tumours_have_the_moments_of_the_book() -> None:
    shares = pl.DataFrame({"y": TUMOURS, "n": RATS}).select(pl.col("y") / pl.col("n")).to_series()
    assert len(shares) == 70
    assert float(np.std(shares.to_numpy(), ddof=1)) == pytest.approx(0.1034923, abs=1e-6)
    assert moments(shares) == pytest.approx((1.3561494, 8.6150579), abs=1e-6)


def test_shrinking_first_at_bats_predicts_the_season_about_as_well_as_james_and_stein() -> None:
    found = shrink(pl.DataFrame({"hits": HITS, "at_bats": [45] * 18}), k="hits", n="at_bats")
    raw = sum((hits / 45 - later) ** 2 for hits, later in zip(HITS, LATER, strict=True))
    drawn = float(((found["post"] - pl.Series(LATER)) ** 2).sum())
    assert raw == pytest.approx(0.075317, abs=1e-6)
    assert raw / drawn > 3  # James and Stein: 3.53
    assert found["post"].is_sorted(descending=True)
    assert found["too_few"].all()
    assert found["flagged"].null_count() == 18


def test_among_identical_agents_fewer_than_one_is_flagged() -> None:
    rng = np.random.Generator(np.random.PCG64(5))
    runs = [shrink(agents(rng, np.full(200, 0.72)), k="k", n="n") for _ in range(25)]
    assert np.mean([run["flagged"].sum() for run in runs]) < 0.5
    assert np.mean([(run["p"] < 0.05).sum() for run in runs]) == pytest.approx(10, abs=2)


def test_identical_agents_are_drawn_together_and_different_ones_are_not() -> None:
    rng = np.random.Generator(np.random.PCG64(6))
    alike = shrink(agents(rng, np.full(200, 0.72)), k="k", n="n")
    assert float(np.std(alike["post"].to_numpy())) < 0.01
    truth = rng.beta(0.72 * 40, 0.28 * 40, 200)
    apart = shrink(agents(rng, truth), k="k", n="n")
    gaps = {name: float(np.mean((apart[name].to_numpy() - truth) ** 2)) for name in ("post", "share")}
    assert gaps["post"] < 0.9 * gaps["share"]
    assert np.mean((apart["low"].to_numpy() <= truth) & (truth <= apart["high"].to_numpy())) == pytest.approx(0.95, abs=0.04)


def test_the_interval_holds_where_agents_differ_too_little_to_be_told_apart() -> None:
    rng = np.random.Generator(np.random.PCG64(12))
    hits = []
    for _ in range(20):
        truth = np.clip(rng.normal(0.72, 0.01, 80), 0, 1)
        found = shrink(agents(rng, truth, 65), k="k", n="n")
        hits.append(np.mean((found["low"].to_numpy() <= truth) & (truth <= found["high"].to_numpy())))
    assert np.mean(hits) > 0.9


def test_a_planted_bad_agent_is_flagged_and_nobody_else() -> None:
    rng = np.random.Generator(np.random.PCG64(7))
    found = shrink(agents(rng, np.array([0.5] + [0.72] * 199)), k="k", n="n")
    assert found["flagged"].arg_true().to_list() == [0]
    assert found["share"][0] < found["funnel_low"][0] < found["expected"][0]
    assert found["share"][0] < found["post"][0] < found["expected"][0]


def test_one_bad_team_of_four_does_not_excuse_itself() -> None:
    rng = np.random.Generator(np.random.PCG64(13))
    bad = [shrink(agents(rng, np.array([0.6, 0.72, 0.72, 0.72]), 600), k="k", n="n")["flagged"][0] for _ in range(20)]
    alike = [shrink(agents(rng, np.full(4, 0.72), 600), k="k", n="n")["flagged"].any() for _ in range(60)]
    assert np.mean(bad) >= 0.9
    assert np.mean(alike) <= 0.1


def test_an_agent_with_hard_contacts_is_judged_by_what_is_expected_of_them() -> None:
    rng = np.random.Generator(np.random.PCG64(8))
    mix = np.array([0.5] + [0.72] * 199)
    frame = agents(rng, mix).with_columns(mix=pl.Series(mix))
    assert shrink(frame, k="k", n="n")["flagged"][0]
    assert not shrink(frame, k="k", n="n", expected="mix")["flagged"].any()


def test_small_rows_are_drawn_in_but_not_judged() -> None:
    frame = pl.DataFrame({"who": ["a", "b", "c", "d"], "k": [80, 100, 5, 0], "n": [99, 150, 50, 0]})
    found = shrink(frame, k="k", n="n")
    assert found["who"].to_list() == ["a", "b", "c", "d"]
    assert found["too_few"].to_list() == [True, False, True, True]
    assert found["flagged"].is_null().to_list() == [True, False, True, True]
    assert found["share"].is_null().to_list() == [True, False, True, True]
    assert found["post"][3] == pytest.approx(found["expected"][3])


def test_many_wild_rows_widen_the_funnel() -> None:
    rng = np.random.Generator(np.random.PCG64(9))
    calm, wild = (shrink(agents(rng, truth, 1000), k="k", n="n") for truth in (np.full(60, 0.7), rng.beta(14, 6, 60)))
    width = [float((found["funnel_high"] - found["funnel_low"])[0]) for found in (calm, wild)]
    assert width[1] > 2 * width[0]
    assert wild["flagged"].sum() <= 3


@pytest.mark.parametrize(
    ("frame", "named", "sentence"),
    [
        (pl.DataFrame({"k": [1], "n": [2]}), {"k": "gone", "n": "n"}, "no column 'gone'"),
        (pl.DataFrame({"k": ["1", "2"], "n": [2, 2]}), {"k": "k", "n": "n"}, "must be numbers"),
        (pl.DataFrame({"k": [], "n": []}, schema={"k": pl.Int64, "n": pl.Int64}), {"k": "k", "n": "n"}, "no rows"),
        (pl.DataFrame({"k": [3, 1], "n": [2, 2]}), {"k": "k", "n": "n"}, "1 of 2 rows"),
        (pl.DataFrame({"k": [1, 0], "n": [2, 0]}), {"k": "k", "n": "n"}, "a comparison needs 2"),
        (pl.DataFrame({"k": [1, 1], "n": [2, 2], "e": [1.4, 0.5]}), {"k": "k", "n": "n", "expected": "e"}, "divide an expected count"),
    ],
)
def test_what_cannot_be_compared_is_said_in_a_sentence(frame: pl.DataFrame, named: dict[str, str], sentence: str) -> None:
    with pytest.raises((UsageError, DataError), match=sentence):
        shrink(frame, **named)


def test_the_orange_juice_chart_has_montgomerys_limits() -> None:
    chart = p_chart(pl.DataFrame({"k": CANS, "n": [50] * 30}), k="k", n="n")
    assert chart.select("centre", "plain_low", "plain_high").row(0) == pytest.approx((0.2313333, 0.0524275, 0.4102391), abs=1e-6)
    outside = ~chart["share"].is_between(chart["plain_low"], chart["plain_high"])
    assert (outside.arg_true() + 1).to_list() == [15, 23]
    kept = [cans for place, cans in enumerate(CANS, 1) if place not in (15, 23)]
    revised = p_chart(pl.DataFrame({"k": kept, "n": [50] * 28}), k="k", n="n")
    assert revised.select("centre", "plain_low", "plain_high").row(0) == pytest.approx((0.215, 0.0407028, 0.3892972), abs=1e-6)


def test_big_weeks_that_wander_do_not_ring_under_laneys_limits() -> None:
    rng = np.random.Generator(np.random.PCG64(10))
    k = rng.binomial(10_000, np.clip(rng.normal(0.72, 0.012, 200), 0, 1))
    chart = p_chart(pl.DataFrame({"k": k, "n": [10_000] * 200}), k="k", n="n")
    plain = ~chart["share"].is_between(chart["plain_low"], chart["plain_high"])
    assert plain.mean() > 0.1
    assert chart["beyond"].mean() <= 0.01


def test_eight_weeks_on_one_side_are_a_run() -> None:
    chart = p_chart(pl.DataFrame({"k": [60, 80, 60] + [73] * 9 + [50], "n": [100] * 13}), k="k", n="n")
    assert chart["run"].arg_true().to_list() == [10, 11]


def test_kappa_of_the_two_clinicians() -> None:
    # The standard error by the formula of Fleiss, Cohen and Everitt, as statsmodels computes it: 20 yes-yes, 5 yes-no, 10 no-yes, 15 no-no.
    k, low, high = kappa([15 / 50, 10 / 50, 5 / 50, 20 / 50], 50)
    assert k == pytest.approx(0.4, abs=1e-12)
    assert (low, high) == pytest.approx((0.1511, 0.6489), abs=2e-3)


def test_mcnemar_by_hand() -> None:
    assert mcnemar([30, 12], [30, 12], exact=False) == pytest.approx((324 / 42, 0.005479), abs=1e-5)
    assert mcnemar([5, 1], [5, 1], exact=True)[1] == pytest.approx(2 * 7 / 64)
    assert mcnemar([0, 0], [0, 0], exact=True) == (0.0, 1.0)


def test_a_paired_difference_has_newcombes_interval() -> None:
    # Newcombe (1998), Statistics in Medicine 17, 2635-2650, method 10: 36 both, 12 first only, 2 second only, 0 neither.
    found = paired([0, 2 / 50, 12 / 50, 36 / 50], 50)
    assert (found.value, found.low, found.high) == pytest.approx((0.2, 0.0569, 0.3404), abs=5e-5)


def test_signs_of_gaming_need_high_fcr_and_two_signs() -> None:
    rng = np.random.Generator(np.random.PCG64(11))
    noise = {"fcr": rng.normal(0.7, 0.03, 400), "reopen": rng.normal(0.1, 0.02, 400), "life": rng.normal(9, 2, 400), "csat": rng.normal(4, 0.2, 400)}
    frame = pl.DataFrame(noise)
    marked = gaming(frame, fcr="fcr", reopen="reopen", life="life", csat="csat")
    assert 0.01 < marked["look"].mean() < 0.08
    planted = pl.concat([pl.DataFrame({"fcr": [0.9], "reopen": [0.3], "life": [1.0], "csat": [None]}), frame], how="vertical_relaxed")
    assert gaming(planted, fcr="fcr", reopen="reopen", life="life", csat="csat")["look"][0]
    assert not gaming(pl.DataFrame({"fcr": [0.7] * 9, "reopen": [0.1] * 9, "life": [3] * 9}), fcr="fcr", reopen="reopen", life="life")["look"].any()


def test_gaming_says_what_it_lacks() -> None:
    with pytest.raises(UsageError, match="2 signs are asked for, but 1 columns given"):
        gaming(pl.DataFrame({"fcr": [0.7], "reopen": [0.1]}), fcr="fcr", reopen="reopen")
