"""Does the survey, mended by the system's flag, say what everybody would have said?"""

from __future__ import annotations

import math

import numpy as np
import polars as pl
import pytest

from fcrlib.judge.agree import ends
from fcrlib.judge.survey import Weights, agreement, hybrid, quality_score, response_weights, rogan_gladen, sample_size, tipping
from fcrlib.model.errors import DataError, UsageError

CHANNELS = ("chat", "mail", "phone")


def desk(seed: int, *, size: int = 20_000, answering: float = 0.15, random: bool = False) -> tuple[pl.DataFrame, float]:
    """Contacts whose flag errs by channel and whose answering depends on channel and flag, and the share truly resolved in the long run."""
    rng = np.random.Generator(np.random.PCG64(seed))
    at = rng.choice(3, size, p=[0.5, 0.3, 0.2])
    shares = np.array([0.80, 0.66, 0.55])
    resolved = rng.random(size) < shares[at]
    right, wrong = np.array([0.95, 0.9, 0.97])[at], np.array([0.25, 0.4, 0.35])[at]
    flag = rng.random(size) < np.where(resolved, right, wrong)
    lean = np.ones(size) if random else np.array([0.6, 1.0, 2.0])[at] * np.where(flag, 0.8, 1.4)
    said = np.where(rng.random(size) < answering * lean, resolved, None)
    frame = pl.DataFrame({"channel": np.array(CHANNELS)[at], "flag": flag, "said": pl.Series(list(said), dtype=pl.Boolean)})
    return frame.with_columns(customer=pl.int_range(pl.len()) // 2), float(np.dot([0.5, 0.3, 0.2], shares))


def tried(seeds: int, **how: float) -> pl.DataFrame:
    tables = []
    for seed in range(seeds):
        contacts, truth = desk(seed, **how)
        found = hybrid(contacts, system="flag", survey="said", cells=["channel"], tilt=[0])
        tables.append(found.with_columns(truth=pl.lit(truth)))
    covered = pl.col("truth").is_between("low", "high").mean()
    table = pl.concat(tables).group_by("estimator").agg(bias=(pl.col("est") - pl.col("truth")).mean(), covered=covered, se=pl.col("se").mean())
    return table.sort("estimator")


def test_the_hybrid_finds_the_truth_where_survey_and_system_do_not() -> None:
    mended, raw, flag = tried(60).select("bias", "covered").rows()
    assert abs(mended[0]) < 0.002
    assert 0.9 <= mended[1] <= 0.99
    assert raw[0] < -0.01
    assert flag[0] > 0.01


@pytest.mark.slow
def test_the_hybrid_finds_the_truth_over_two_hundred_desks() -> None:
    mended, raw, _ = tried(200, answering=0.1).select("bias", "covered").rows()
    assert abs(mended[0]) < 0.002
    assert 0.9 <= mended[1] <= 0.98
    assert raw[0] < -0.01
    assert raw[1] < 0.5


@pytest.mark.slow
def test_customers_who_answer_and_fare_alike_need_the_clustered_interval() -> None:
    hits = {None: 0, "who": 0}
    for seed in range(100):
        rng = np.random.Generator(np.random.PCG64(seed))
        sizes = rng.integers(1, 15, 600)
        resolved = rng.random(sizes.sum()) < np.repeat(rng.beta(0.7 * 2.3, 0.3 * 2.3, 600), sizes)
        flag = rng.random(sizes.sum()) < np.where(resolved, 0.95, 0.4)
        said = np.where(np.repeat(rng.random(600) < 0.3, sizes), resolved, None)
        contacts = pl.DataFrame({"flag": flag, "said": pl.Series(list(said), dtype=pl.Boolean), "who": np.repeat(np.arange(600), sizes)})
        for cluster in hits:
            row = hybrid(contacts, system="flag", survey="said", cells=[], cluster=cluster, tilt=[0]).row(2, named=True)
            hits[cluster] += row["low"] <= 0.7 <= row["high"]
    assert hits["who"] >= 90
    assert hits[None] < 85


def test_under_random_answers_the_hybrid_on_the_flag_alone_is_simple_double_sampling() -> None:
    contacts, _ = desk(1, random=True)
    row = hybrid(contacts, system="flag", survey="said", cells=[], tilt=[0]).row(2, named=True)
    est, inner, between = 0.0, 0.0, 0.0
    for flag in (True, False):
        part = contacts.filter(pl.col("flag") == flag)
        w, n, p = part.height / contacts.height, part["said"].count(), part["said"].mean()
        assert isinstance(p, float)
        est, inner, between = est + w * p, inner + w**2 * p * (1 - p) / (n - 1), between + w * p**2
    assert row["est"] == pytest.approx(est, abs=1e-12)
    assert row["se"] == pytest.approx(math.sqrt(inner + (between - est**2) / contacts.height), abs=1e-12)
    survey = hybrid(contacts, system="flag", survey="said", cells=[], tilt=[0]).row(1, named=True)
    assert row["se"] < survey["se"]


def test_with_each_contact_its_own_customer_the_clustered_error_is_the_plain_one() -> None:
    contacts, _ = desk(2)
    alone = contacts.with_columns(customer=pl.int_range(pl.len()))
    plain = hybrid(contacts, system="flag", survey="said", cells=["channel"])
    clustered = hybrid(alone, system="flag", survey="said", cells=["channel"], cluster="customer")
    assert clustered["est"].to_list() == pytest.approx(plain["est"].to_list())
    assert clustered["se"].to_list() == pytest.approx(plain["se"].to_list(), rel=0.02)
    tenfold = pl.concat([alone] * 10)
    wide = hybrid(tenfold, system="flag", survey="said", cells=["channel"], cluster="customer")
    assert wide["se"].to_list() == pytest.approx(clustered["se"].to_list(), rel=0.02)


def test_columns_may_have_any_name() -> None:
    contacts, _ = desk(3, size=4000)
    named = contacts.rename({"channel": "answers"}).with_columns(contacts=pl.col("customer") % 2)
    found = [hybrid(frame, system="flag", survey="said", cells=cells) for frame, cells in ((contacts, ["channel"]), (named, ["answers"]))]
    assert found[0]["est"].to_list() == found[1]["est"].to_list()
    letters = contacts.rename({"channel": "n"})
    assert hybrid(letters, system="flag", survey="said", cells=["n"], cluster="customer")["se"].is_not_null().all()
    assert response_weights(named.with_columns(yes=pl.col("said").is_not_null()), responded="yes", cells=["answers", "contacts"]).ess > 0


def test_the_order_of_rows_does_not_matter() -> None:
    contacts, _ = desk(3, size=4000)
    found = [hybrid(frame, system="flag", survey="said", cells=["channel"], cluster="customer") for frame in (contacts, contacts.reverse())]
    assert found[0].drop("est", "se", "low", "high").equals(found[1].drop("est", "se", "low", "high"))
    assert found[0]["se"].to_list() == pytest.approx(found[1]["se"].to_list(), abs=1e-12)


def test_small_cells_climb_the_declared_ladder_and_say_so() -> None:
    def cell(channel: str, topic: str, n: int, answers: int) -> pl.DataFrame:
        said = [place % 2 == 0 for place in range(answers)] + [None] * (n - answers)
        return pl.DataFrame({"flag": [True] * n, "channel": [channel] * n, "topic": [topic] * n, "said": said}, schema_overrides={"said": pl.Boolean})

    parts = [cell("chat", "bill", 100, 40), cell("chat", "x", 30, 15), cell("chat", "y", 30, 10), cell("mail", "bill", 50, 5), cell("fax", "z", 9, 0)]
    contacts = pl.concat([*parts, cell("chat", "bill", 90, 30).with_columns(flag=pl.lit(False)), cell("mail", "q", 9, 0).with_columns(flag=None)])
    row = hybrid(contacts, system="flag", survey="said", cells=["channel", "topic"], tilt=[0]).row(2, named=True)
    assert "3 strata of flag x channel x topic" in row["note"]
    assert "4 of 6 cells with fewer than 20 answers merged" in row["note"]
    assert "flag=true, channel=chat, topic=x (15 answers) -> flag=true, channel=chat (rest)" in row["note"]
    assert "9 contacts without a verdict of the system left out" in row["note"]
    # By hand: chat x bill 20/40, the rest of chat (15 + 10 answers, joined by mail and fax, which have too few) 16/30, not flagged 15/30.
    assert row["est"] == pytest.approx((100 * 20 / 40 + 119 * (8 + 5 + 3) / 30 + 90 * 0.5) / 309)
    assert (row["n"], row["respondents"]) == (309, 100)


def test_a_flag_nobody_answered_for_has_no_estimate_and_says_why() -> None:
    contacts = pl.DataFrame({"flag": [True] * 40 + [False] * 10, "said": [True, False] * 20 + [None] * 10})
    row = hybrid(contacts, system="flag", survey="said", cells=[], tilt=[0]).row(2, named=True)
    assert row["est"] is None
    assert "fewer than two answers" in row["note"]


def test_tilting_moves_the_estimate_and_the_tipping_point_is_where_it_crosses() -> None:
    contacts, _ = desk(4, size=5000)
    found = hybrid(contacts, system="flag", survey="said", cells=["channel"])
    assert found["estimator"].to_list()[2:] == ["hybrid", "hybrid tilted by 0.2", "hybrid tilted by 0.4", "hybrid tilted by 0.6"]
    assert found["est"][2:].is_sorted()
    assert tipping(contacts, system="flag", survey="said", cells=["channel"], threshold=found["est"][4]) == pytest.approx(0.4, abs=1e-6)
    assert tipping(contacts, system="flag", survey="said", cells=["channel"], threshold=0.999) is None


def test_agreement_by_hand() -> None:
    # 20 yes-yes, 5 yes-no, 10 no-yes, 15 no-no and one without an answer; Cohen's kappa is (0.7 - 0.5) / (1 - 0.5).
    flags, said = [True] * 25 + [False] * 25 + [True], [True] * 20 + [False] * 5 + [True] * 10 + [False] * 15 + [None]
    found = agreement(pl.DataFrame({"contact": range(51), "flag": flags, "said": said}), system="flag", survey="said")
    assert (found.n, found.table["n"].to_list()) == (50, [15, 10, 5, 20])
    assert (found.kappa, found.sensitivity, found.specificity) == pytest.approx((0.4, 20 / 30, 15 / 20))
    assert found.chi2 == pytest.approx(25 / 15)
    assert found.p == pytest.approx(2 * sum(math.comb(15, k) for k in range(6)) / 2**15)
    assert found.difference.value == pytest.approx(-0.1)
    assert found.false_resolutions["contact"].to_list() == list(range(20, 25))
    assert found.measures["measure"].to_list() == ["kappa", "sensitivity", "specificity", "ppv", "npv", "difference"]
    assert found.measures["value"][3:5].to_list() == pytest.approx([20 / 25, 15 / 25])
    assert found.measures["n"].to_list() == [50, 30, 20, 25, 25, 50]
    assert (found.measures["low"] < found.measures["value"]).all()


def test_equal_weights_change_no_estimate_and_unequal_ones_shrink_the_size() -> None:
    contacts, _ = desk(5, size=6000)
    linked = contacts.drop_nulls().with_columns(even=pl.lit(3.0), odd=pl.int_range(pl.len()) % 5 + 1)
    plain, even, odd = (agreement(linked, system="flag", survey="said", weight=weight) for weight in (None, "even", "odd"))
    assert (even.kappa, even.chi2) == pytest.approx((plain.kappa, plain.chi2))
    assert even.difference.low == pytest.approx(plain.difference.low)
    width = [found.difference.high - found.difference.low for found in (plain, odd)]
    assert width[1] > width[0]


def test_customers_who_answer_often_widen_the_agreement_and_move_no_estimate() -> None:
    contacts, _ = desk(5, size=3000)
    linked = contacts.drop_nulls().with_columns(who=pl.int_range(pl.len()).cast(pl.String))
    once, tenfold = (agreement(frame, system="flag", survey="said", cluster="who") for frame in (linked, pl.concat([linked] * 10)))
    assert tenfold.kappa == pytest.approx(once.kappa)
    assert tenfold.chi2 == pytest.approx(once.chi2)
    widths = [(found.measures["high"] - found.measures["low"]).to_list() for found in (once, tenfold)]
    assert widths[1] == pytest.approx(widths[0], rel=0.02)
    nobody = agreement(linked.with_columns(who=pl.lit(None, pl.String)), system="flag", survey="said", cluster="who")
    assert nobody.chi2 == pytest.approx(once.chi2)


def test_the_cross_check_of_rogan_and_gladen_gives_the_published_share() -> None:
    # epiR::epi.prev: 23 of 150 positive, sensitivity 0.96, specificity 0.89; the ends are those of Wilson's interval, put through the formula.
    known = {"sensitivity": 0.96, "specificity": 0.89}
    share, low, high = (rogan_gladen(end, **known) for end in ends(23 / 150, 150))
    assert (share, low, high) == pytest.approx((0.0509804, -0.0065888, 0.1289174), abs=1e-6)
    assert math.isnan(rogan_gladen(0.5, sensitivity=0.6, specificity=0.4))


def test_the_cross_check_errs_where_customers_answer_by_channel_and_the_hybrid_does_not() -> None:
    off = []
    for seed in range(20):
        contacts, truth = desk(seed)
        found = agreement(contacts, system="flag", survey="said")
        table = hybrid(contacts, system="flag", survey="said", cells=["channel"], tilt=[0])
        crossed = rogan_gladen(table["est"][0], sensitivity=found.sensitivity, specificity=found.specificity)
        off.append((crossed - truth, table["est"][2] - truth))
    mean = [abs(sum(gaps) / len(off)) for gaps in zip(*off, strict=True)]
    assert mean[0] > 0.02
    assert mean[1] < 0.005


@pytest.mark.parametrize("answer", [True, False])
def test_few_answers_that_are_all_alike_are_not_certain(answer: bool) -> None:
    said = [answer] * 4 + [None] * 496
    contacts = pl.DataFrame({"flag": [True] * 500 + [False] * 500, "said": said + [not answer] * 4 + [None] * 496})
    split = hybrid(contacts, system="flag", survey="said", cells=[], tilt=[0]).row(2, named=True)
    assert split["est"] == pytest.approx(0.5)
    assert split["high"] - split["low"] > 0.15
    alike = contacts.with_columns(said=pl.when(pl.col("said").is_not_null()).then(pl.lit(answer)))
    row = hybrid(alike, system="flag", survey="said", cells=[], tilt=[0]).row(2, named=True)
    assert row["est"] == float(answer)
    assert row["high"] - row["low"] == pytest.approx(1 - ends(1.0, 8)[1])  # eight answers of equal weight


def test_the_interval_counts_the_customers_who_answered_and_not_all_of_them() -> None:
    said = [True, False] * 3
    contacts = pl.DataFrame({"flag": [True] * 1000, "said": said + [None] * 994, "who": [str(place) for place in range(1000)]})
    plain, wide = (hybrid(contacts, system="flag", survey="said", cells=[], cluster=who, tilt=[0]).row(2, named=True) for who in (None, "who"))
    assert wide["high"] - wide["low"] > 1.1 * (plain["high"] - plain["low"])


def test_the_bounds_without_any_belief_are_as_wide_as_the_silence() -> None:
    contacts = pl.DataFrame({"flag": [True] * 60 + [False] * 40, "said": [True] * 10 + [None] * 50 + [False] * 10 + [None] * 30})
    note = hybrid(contacts, system="flag", survey="said", cells=[], tilt=[0])["note"][1]
    assert "between 0.100 and 0.900" in note  # width 0.8 = 1 - response rate


def test_agreement_of_verdicts_that_never_differ_has_no_kappa() -> None:
    found = agreement(pl.DataFrame({"flag": [True, True], "said": [True, True]}), system="flag", survey="said")
    assert math.isnan(found.kappa)
    assert math.isnan(found.specificity)
    assert (found.chi2, found.p) == (0.0, 1.0)


def asked() -> pl.DataFrame:
    contacts, _ = desk(6, size=6000)
    rng = np.random.Generator(np.random.PCG64(12))
    return contacts.with_columns(
        answered=pl.col("said").is_not_null(), topic=pl.Series(rng.choice(["a", "b", "c", "d"], 6000, p=[0.5, 0.3, 0.15, 0.05]))
    )


def margin(weights: Weights, name: str) -> list[float]:
    return weights.frame.group_by(name).agg(pl.col("weight").sum()).sort(name)["weight"].to_list()


def test_post_stratification_reproduces_the_cells() -> None:
    contacts = asked()
    found = response_weights(contacts, responded="answered", cells=["channel", "flag"])
    assert found.collapsed == []
    cells = found.frame.group_by("channel", "flag").agg(pl.col("weight").sum()).sort("channel", "flag")["weight"].to_list()
    assert cells == pytest.approx(contacts.group_by("channel", "flag").len().sort("channel", "flag")["len"].to_list(), abs=1e-9)
    assert found.balance["after"].abs().max() < 1e-9  # type: ignore[operator]
    assert found.balance["before"].abs().max() > 0.2  # type: ignore[operator]
    assert found.ess < found.frame.height
    assert found.max_weight == found.frame["weight"].max()


def test_raking_reproduces_every_margin() -> None:
    contacts = asked()
    for trim in (1.0, 0.9):
        found = response_weights(contacts, responded="answered", cells=["channel"], margins=["channel", "flag", "topic"], method="rake", trim=trim)
        assert found.collapsed == []
        for name in ("channel", "flag", "topic"):
            assert margin(found, name) == pytest.approx(contacts.group_by(name).len().sort(name)["len"].to_list(), abs=1e-6, rel=1e-9)


def test_one_over_the_chance_to_answer_stands_for_everybody() -> None:
    contacts = asked()
    found = response_weights(contacts, responded="answered", cells=["channel", "flag"], margins=["topic"], method="ipw", trim=1.0)
    assert found.frame["weight"].sum() == pytest.approx(6000)
    assert found.ess <= found.frame.height
    after = found.balance.filter(pl.col("variable").is_in(["channel", "flag"]))
    assert (after["after"].abs() < 0.05).all()
    assert (after["after"].abs() < after["before"].abs()).all()
    cut = response_weights(contacts, responded="answered", cells=["channel", "flag"], margins=["topic"], method="ipw", trim=0.8)
    assert cut.max_weight < found.max_weight
    assert cut.ess > found.ess


def test_ipw_on_one_column_is_post_stratification() -> None:
    kept = [
        response_weights(asked(), responded="answered", cells=["channel"], method=method).frame["weight"] for method in ("ipw", "poststrat", "rake")
    ]
    assert kept[0].to_list() == pytest.approx(kept[1].to_list(), rel=1e-8)
    assert kept[2].to_list() == pytest.approx(kept[1].to_list(), rel=1e-9)


@pytest.mark.parametrize("method", ["poststrat", "rake", "ipw"])
def test_levels_without_answers_are_merged_and_listed(method: str) -> None:
    contacts = pl.DataFrame({"channel": ["chat"] * 80 + ["mail"] * 60 + ["fax"] * 3 + [None] * 7, "answered": [True, False] * 70 + [None] * 10})
    found = response_weights(contacts, responded="answered", cells=["channel"], method=method)  # type: ignore[arg-type]
    assert found.frame["weight"].sum() == pytest.approx(150)
    moved = ["(unknown)", "fax"] if method == "poststrat" else ["(unknown)", "fax", "mail"]  # raking tops up with the next smallest
    assert sorted(line.split(" (")[0].removeprefix("channel=") if "(unknown)" not in line else "(unknown)" for line in found.collapsed) == moved
    assert found.frame["weight"].is_finite().all()


def test_the_planner_asks_for_as_many_as_the_width_needs() -> None:
    assert sample_size(share=0.5, half_width=0.05, response=[1.0])["answers"].item() == 385
    assert sample_size(share=0.5, half_width=0.05, response=[0.1], deff=2)["ask"].item() == 7690
    with pytest.raises(UsageError, match="between 0 and 1"):
        sample_size(response=[15])


def test_the_quality_score_counts_only_contacts_known_in_both() -> None:
    contacts = pl.DataFrame({"resolved": [True, True, False, None, False], "csat": [5, 3, 5, 5, None]})
    assert quality_score(contacts, resolved="resolved", csat="csat").select("n", "share").row(0) == (3, pytest.approx(1 / 3))


def test_bad_input_is_said_in_a_sentence() -> None:
    contacts = pl.DataFrame({"flag": [True, False], "said": [None, None], "words": ["yes", "no"]}, schema_overrides={"said": pl.Boolean})
    with pytest.raises(UsageError, match="no column 'gone'"):
        hybrid(contacts, system="flag", survey="said", cells=["gone"])
    with pytest.raises(UsageError, match="must be yes/no"):
        agreement(contacts, system="flag", survey="words")
    with pytest.raises(DataError, match="no contact has both"):
        agreement(contacts, system="flag", survey="said")
    with pytest.raises(DataError, match="ask some customers first"):
        hybrid(contacts, system="flag", survey="said", cells=[])
    with pytest.raises(DataError, match="none of 2 contacts has answered"):
        response_weights(contacts, responded="said", cells=["flag"])
    with pytest.raises(UsageError, match="not 'guess'"):
        response_weights(contacts, responded="flag", cells=["words"], method="guess")  # type: ignore[arg-type]
    for empty in (
        lambda: hybrid(contacts.clear(), system="flag", survey="said", cells=[]),
        lambda: quality_score(contacts.clear(), resolved="flag", csat="said"),
    ):
        with pytest.raises(DataError, match="no rows"):
            empty()
