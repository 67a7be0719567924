"""When do customers come back, and how much of it is still to come?"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fcrlib.judge.curves import DAY, censored_fcr, knee, nowcast, repeat_curve
from fcrlib.judge.rates import fcr
from fcrlib.judge.survival import kaplan_meier
from fcrlib.model.errors import UsageError

START = datetime(2026, 3, 1, tzinfo=UTC)
WEEK = timedelta(days=7)
TICK = timedelta(microseconds=1)
AT = pl.Datetime("us", "UTC")

# Weeks in remission of the 21 patients on 6-mercaptopurine: Freireich et al. (1963), Blood 21, 699-716; a plus is a patient still in remission.
REMISSION = ["6", "6", "6", "6+", "7", "9+", "10", "10+", "11+", "13", "16", "17+", "19+", "20+", "22", "23", "25+", "32+", "32+", "34+", "35+"]
# Kleinbaum and Klein, Survival Analysis, chapter 2, and survfit of R.
PUBLISHED = {
    "weeks": [6, 7, 10, 13, 16, 22, 23],
    "stay": [0.857143, 0.806723, 0.752941, 0.690196, 0.627451, 0.537815, 0.448179],
    "se": [0.0763604, 0.0869353, 0.0963497, 0.1068147, 0.1140539, 0.1282338, 0.1345915],
    "at_risk": [21, 17, 15, 12, 11, 7, 6],
}
PUBLISHED_DIGITS, EXACT = 1e-6, 1e-12


def remission() -> pl.DataFrame:
    return pl.DataFrame({"weeks": [int(word.strip("+")) for word in REMISSION], "ended": ["+" not in word for word in REMISSION]})


def contacts(*rows: tuple[float, float | None], end: float, who: list[str | None] | None = None) -> pl.DataFrame:
    """Contacts as (resolved on day, next one on day), seen until day `end`."""
    next_at = [None if row[1] is None else START + timedelta(days=row[1]) for row in rows]
    frame = {
        "anchor_at": pl.Series([START + timedelta(days=row[0]) for row in rows], dtype=AT),
        "next_at": pl.Series(next_at, dtype=AT),
        "data_end": pl.Series([START + timedelta(days=end)] * len(rows), dtype=AT),
        "customer": pl.Series(who or [f"c{place}" for place in range(len(rows))], dtype=pl.String),
    }
    return pl.DataFrame(frame)


def test_the_published_remission_times_are_reproduced() -> None:
    found = kaplan_meier(remission(), time="weeks", event="ended")
    assert found["weeks"].to_list() == PUBLISHED["weeks"]
    assert found["at_risk"].to_list() == PUBLISHED["at_risk"]
    assert (1 - found["share"]).to_list() == pytest.approx(PUBLISHED["stay"], abs=PUBLISHED_DIGITS)
    assert found["se"].to_list() == pytest.approx(PUBLISHED["se"], abs=PUBLISHED_DIGITS)


def test_a_curve_with_steps_as_long_as_the_unit_of_the_data_is_the_published_one() -> None:
    patients = remission().select(
        anchor_at=pl.lit(START, AT),
        next_at=pl.when("ended").then(pl.lit(START, AT) + pl.duration(weeks="weeks")),
        data_end=pl.lit(START, AT) + pl.duration(weeks=pl.when("ended").then(40).otherwise("weeks")),
    )
    found = repeat_curve(patients, window=35 * WEEK, step=WEEK).filter(pl.col("events") > 0)
    assert (found["day"] / 7).to_list() == PUBLISHED["weeks"]
    assert found["at_risk"].to_list() == PUBLISHED["at_risk"]
    assert found["se"].to_list() == pytest.approx(PUBLISHED["se"], abs=PUBLISHED_DIGITS)


@pytest.mark.parametrize("seed", range(4))
def test_the_exact_curve_agrees_with_statsmodels(seed: int) -> None:
    from statsmodels.duration.survfunc import SurvfuncRight

    rng = np.random.default_rng(seed)
    frame = pl.DataFrame({"time": rng.exponential(3, 400).round(2), "event": rng.random(400) < 0.4}).sort("time")
    found, oracle = kaplan_meier(frame, time="time", event="event"), SurvfuncRight(frame["time"].to_numpy(), frame["event"].to_numpy())
    assert found["time"].to_list() == oracle.surv_times.tolist()
    assert (1 - found["share"]).to_list() == pytest.approx(oracle.surv_prob, abs=EXACT)
    assert found["se"].to_list() == pytest.approx(oracle.surv_prob_se, abs=EXACT)


def jackknife(frame: pl.DataFrame, at: float) -> float:
    """Standard error at one time, straight from the definition: the score of every row, added up within its customer."""
    time, event = frame["time"].to_numpy(), frame["event"].to_numpy()
    steps = np.unique(time[event & (time <= at)])
    risk = np.array([(time >= step).sum() for step in steps], float)
    hits = np.array([(event & (time == step)).sum() for step in steps], float)
    there, struck = time[:, None] >= steps, event[:, None] & (time[:, None] == steps)
    score = -((struck - there * hits / risk) / (risk - hits)).sum(axis=1)
    sums = frame.with_columns(score=pl.Series(score)).group_by("customer").agg(pl.col("score").sum())["score"].to_numpy()
    return float(np.prod(1 - hits / risk) * (len(sums) / (len(sums) - 1) * (sums**2).sum()) ** 0.5)


def sightings(seed: int, rows: int = 300) -> pl.DataFrame:
    rng = np.random.default_rng(seed)
    who = rng.integers(0, rows // 6, rows)
    mood = rng.exponential(1, rows // 6)[who]
    time, seen = (rng.exponential(1, rows) / (0.1 + mood) * 4).round(1), rng.uniform(0, 10, rows).round(1)
    return pl.DataFrame({"time": np.minimum(time, seen), "event": time <= seen, "customer": pl.Series(who).cast(pl.String)})


@pytest.mark.parametrize("seed", range(4))
def test_the_clustered_error_is_the_jackknife_of_the_definition_at_every_time(seed: int) -> None:
    frame = sightings(seed)
    found = kaplan_meier(frame, time="time", event="event", cluster="customer").filter(pl.col("share") < 1)
    assert found["se"].to_list() == pytest.approx([jackknife(frame, at) for at in found["time"].to_list()], rel=1e-9)


def test_clusters_of_one_give_greenwood_and_an_unknown_customer_is_a_cluster_of_its_own() -> None:
    frame = sightings(5).with_columns(nobody=pl.lit(None, pl.String), lone=pl.int_range(pl.len()).cast(pl.String))
    plain = kaplan_meier(frame, time="time", event="event")["se"]
    for alone in ("nobody", "lone"):
        clustered = kaplan_meier(frame, time="time", event="event", cluster=alone)
        assert clustered["clusters"].to_list() == [frame.height] * clustered.height
        assert clustered["se"].to_list() == pytest.approx((plain * (frame.height / (frame.height - 1)) ** 0.5).to_list(), rel=1e-9, abs=EXACT)


def test_the_same_contacts_four_times_over_tell_no_more_than_once() -> None:
    once = sightings(6)
    often = pl.concat([once] * 4)
    one, four = (kaplan_meier(frame, time="time", event="event", cluster="customer") for frame in (once, often))
    assert four["share"].to_list() == pytest.approx(one["share"].to_list())
    assert four["se"].to_list() == pytest.approx(one["se"].to_list(), rel=1e-9, abs=EXACT)


def test_groups_are_as_they_would_be_alone_and_a_null_is_a_group() -> None:
    frame = sightings(7).with_columns(team=pl.Series(["a", "b", None] * 100))
    together = kaplan_meier(frame, time="time", event="event", by="team", cluster="customer")
    assert together["team"].unique(maintain_order=True).to_list() == [None, "a", "b"]
    for team in (None, "a", "b"):
        here = pl.col("team").eq_missing(pl.lit(team, pl.String))
        alone = kaplan_meier(frame.filter(here), time="time", event="event", cluster="customer")
        found = together.filter(here).drop("team")
        assert found["at_risk"].to_list() == alone["at_risk"].to_list()
        for column in ("share", "se", "low", "high"):
            assert found[column].to_list() == pytest.approx(alone[column].to_list(), rel=1e-9, abs=EXACT)


@given(st.lists(st.tuples(st.integers(0, 9), st.booleans(), st.sampled_from(["ann", "ben", "cid", None])), min_size=1, max_size=25), st.randoms())
def test_a_curve_only_rises_stays_in_its_bounds_and_does_not_mind_the_order(rows, random) -> None:
    frame = pl.DataFrame(rows, schema={"time": pl.Int64, "event": pl.Boolean, "customer": pl.String}, orient="row")
    found = kaplan_meier(frame, time="time", event="event", cluster="customer")
    assert found["share"].is_sorted()
    known = found.drop_nulls("low")
    assert ((known["low"] >= 0) & (known["low"] <= known["share"] + EXACT)).all()
    assert ((known["high"] <= 1) & (known["high"] >= known["share"] - EXACT)).all()
    random.shuffle(rows)
    shuffled = kaplan_meier(pl.DataFrame(rows, schema=frame.schema, orient="row"), time="time", event="event", cluster="customer")
    assert shuffled["share"].to_list() == found["share"].to_list()


def test_an_event_at_exactly_the_end_of_a_step_belongs_to_it_and_one_tick_later_does_not() -> None:
    frame = contacts((0, 1), (0, 1 + 1e-6 / 0.0864), end=30)
    assert repeat_curve(frame, window=2 * DAY)["events"].to_list() == [0, 1, 1]


def test_an_event_at_exactly_the_end_of_the_window_counts_and_one_tick_later_does_not() -> None:
    frame = contacts((0, 7), (0, 7), end=30).with_columns(next_at=pl.col("next_at") + pl.Series([0 * TICK, TICK]))
    assert repeat_curve(frame, window=WEEK)["events"].sum() == 1


def test_what_comes_no_later_than_the_start_counts_on_day_nought() -> None:
    assert repeat_curve(contacts((3, 2), (3, 3), (3, None), end=30), window=2 * DAY)["events"].to_list() == [2, 0, 0]


def test_a_day_that_the_data_cut_short_counts_neither_way() -> None:
    curve = repeat_curve(contacts((0, None), (0, 0.5), (9.5, 9.6), end=10), window=2 * DAY)
    assert curve["at_risk"].to_list() == [3, 2, 1]
    assert curve["share"].to_list() == [0, 0.5, 0.5]


def test_nothing_after_the_data_end_is_seen_and_nothing_that_starts_after_it_counts() -> None:
    curve = repeat_curve(contacts((0, 9), (11, 12), end=8), window=10 * DAY)
    assert curve["n"][0] == 1
    assert curve["events"].sum() == 0
    assert curve.filter(pl.col("day") > 8)["share"].to_list() == [None, None]


def test_the_data_end_may_be_one_instant_and_the_last_step_is_cut_at_the_window() -> None:
    frame = contacts((0, 2.4), (0, None), end=30)
    fixed = repeat_curve(frame.drop("data_end"), window=timedelta(days=2.5), end=START + 30 * DAY)
    assert fixed["day"].to_list() == [0, 1, 2, 2.5]
    assert fixed["share"].to_list() == [0, 0, 0, 0.5]
    assert fixed.equals(repeat_curve(frame, window=timedelta(days=2.5)))


def test_a_window_of_nothing_is_refused() -> None:
    with pytest.raises(UsageError, match="longer than nothing"):
        repeat_curve(contacts((0, 1), end=3), window=timedelta(0))


def test_without_contacts_there_is_no_curve() -> None:
    assert repeat_curve(contacts((0, 1), end=3).clear(), window=WEEK, cluster="customer").is_empty()


def desk(seed: int, *, a_week: int = 2000, weeks: int = 13, share: float = 0.24) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Contacts of some weeks, of which `share` come back within seven days, and the truth per week; the data end with the last week."""
    rng = np.random.default_rng(seed)
    n = a_week * weeks
    start, wait = rng.uniform(0, 7 * weeks, n), rng.exponential(2.5, n)
    wait = np.where(wait <= 7, wait, rng.uniform(0, 7, n))
    comes = rng.random(n) < share
    monday = datetime(2026, 1, 5, tzinfo=UTC)
    frame = pl.DataFrame({"start": start, "wait": np.where(comes, wait, 99.0), "comes": comes}).select(
        anchor_at=pl.lit(monday, AT) + pl.duration(microseconds=(pl.col("start") * 86400e6).cast(pl.Int64)),
        failed_at=pl.lit(monday, AT) + pl.duration(microseconds=((pl.col("start") + pl.col("wait")) * 86400e6).cast(pl.Int64)),
        data_end=pl.lit(monday + 7 * weeks * DAY, AT),
        comes="comes",
    )
    return frame, frame.group_by(week=pl.col("anchor_at").dt.truncate("1w").dt.date()).agg(truth=pl.col("comes").mean()).sort("week")


def errors_of_the_newest_week(seeds: range) -> pl.DataFrame:
    rows = []
    for seed in seeds:
        frame, truth = desk(seed)
        last, true = nowcast(frame, window=WEEK).row(-1, named=True), truth["truth"][-1]
        rows.append((last["nowcast"] - true, last["observed"] - true, last["low"] <= 0.24 <= last["high"]))
    return pl.DataFrame(rows, schema=["nowcast", "naive", "covered"], orient="row")


def test_the_newest_week_is_completed_without_bias_where_the_naive_share_is_far_off() -> None:
    errors = errors_of_the_newest_week(range(8))
    assert abs(errors["nowcast"].mean()) < 0.015
    assert errors["naive"].mean() < -0.06


@pytest.mark.slow
def test_over_many_seeds_the_nowcast_is_unbiased_and_its_interval_covers_the_truth() -> None:
    errors = errors_of_the_newest_week(range(200))
    assert abs(errors["nowcast"].mean()) < 0.004
    assert errors["nowcast"].std() < 0.02
    assert errors["naive"].mean() < -0.06
    assert 0.91 <= errors["covered"].mean() <= 0.99


def test_complete_weeks_are_left_as_they_were_seen() -> None:
    frame, truth = desk(1, a_week=200)
    weeks = nowcast(frame, window=WEEK)
    done = weeks.filter(~pl.col("hollow"))
    assert done.height == 12
    assert done["complete"].to_list() == [1.0] * 12
    assert done["nowcast"].to_list() == done["observed"].to_list()
    assert done["nowcast"].to_list() == pytest.approx(truth["truth"][:12].to_list())
    assert weeks["mature"].to_list()[-1] < weeks["n"].to_list()[-1]


def test_clusters_widen_the_nowcast_and_never_narrow_it() -> None:
    frame, _ = desk(2, a_week=200)
    twice = pl.concat([frame.with_columns(customer=pl.int_range(pl.len()).cast(pl.String))] * 2)
    plain, clustered = nowcast(twice, window=WEEK), nowcast(twice, window=WEEK, cluster="customer")
    assert clustered["nowcast"].equals(plain["nowcast"])
    assert ((clustered["high"] - clustered["low"]) > 1.2 * (plain["high"] - plain["low"])).all()


def test_without_a_past_the_newest_week_is_not_known() -> None:
    young = contacts((8, 9), (8, None), end=10).rename({"next_at": "failed_at"})
    assert nowcast(young, window=WEEK).select("observed", "complete", "nowcast", "low").row(0) == (0.5, None, None, None)


def test_each_group_is_completed_by_its_own_past() -> None:
    frame, _ = desk(3, a_week=300)
    two = pl.concat(
        [frame.with_columns(team=pl.lit("fast")), frame.with_columns(team=pl.lit(None, pl.String), failed_at=pl.col("anchor_at") + 6 * DAY)]
    )
    weeks = nowcast(two, window=WEEK, by="team")
    alone = nowcast(frame, window=WEEK)
    assert weeks.filter(pl.col("team") == "fast").drop("team").equals(alone)
    assert weeks.filter(pl.col("team").is_null())["nowcast"][-1] == pytest.approx(1.0)


def curve_of(hazards: list[float], n: int = 40_000) -> pl.DataFrame:
    """A curve with these hazards per day and nobody lost from sight."""
    at_risk, rows, stay = float(n), [], 1.0
    for day, hazard in enumerate([0.0, *hazards]):
        hits = at_risk * hazard
        stay *= 1 - hazard
        rows.append((float(day), at_risk, hits, hazard, 1 - stay, (stay * (1 - stay) / n) ** 0.5))
        at_risk -= hits
    return pl.DataFrame(rows, schema=["day", "at_risk", "events", "hazard", "share", "se"], orient="row")


def test_the_knee_is_where_nine_tenths_of_the_excess_have_come() -> None:
    found = knee(curve_of([0.052, 0.032, 0.012, 0.006, 0.003] + [0.002] * 25))
    # Above 0.002 a day: 0.050, 0.030, 0.010, 0.004, 0.001; nine tenths of 0.095 are there on day 3 (0.090).
    assert found.knee_day == 3
    assert found.background == pytest.approx(0.002)
    assert found.excess == pytest.approx(0.095)
    assert found.share_excess == pytest.approx(0.095 / (0.095 + 21 * 0.002))
    assert found.note == ""


def test_an_even_pace_has_no_knee_and_few_returns_have_none_either() -> None:
    even = knee(curve_of([0.002] * 30))
    assert (even.knee_day, even.share_excess) == (None, None)
    assert "same pace" in even.note
    few = knee(curve_of([0.05] + [0.0001] * 29, n=300))
    assert few.knee_day is None
    assert "too few" in few.note


def test_a_short_curve_takes_its_background_from_its_last_third() -> None:
    assert knee(curve_of([0.05, 0.01, 0.01, 0.01, 0.001, 0.003])).background == pytest.approx(0.002, rel=0.01)


def test_the_knee_asks_for_one_curve() -> None:
    with pytest.raises(UsageError, match="one curve at a time"):
        knee(pl.concat([curve_of([0.1] * 30)] * 2))


def judged(*rows: tuple[str, str | None, float | None, float | None], end: float) -> pl.DataFrame:
    """Contacts as (label, reason, anchor day, failed day)."""
    days = [[None if row[place] is None else START + timedelta(days=row[place]) for row in rows] for place in (2, 3)]
    frame = pl.DataFrame({"label": [row[0] for row in rows], "reason": pl.Series([row[1] for row in rows], dtype=pl.String)})
    return frame.with_columns(
        anchor_at=pl.Series(days[0], dtype=AT),
        failed_at=pl.Series(days[1], dtype=AT),
        data_end=pl.lit(START + timedelta(days=end), AT),
        customer=pl.int_range(pl.len()).cast(pl.String),
    )


def test_where_every_window_has_closed_the_figures_are_those_of_the_headline() -> None:
    rng = np.random.default_rng(1)
    labels = ["failed" if struck else "resolved" for struck in rng.random(500) < 0.3]
    rows = [(label, None, 0.0, float(rng.uniform(-1, 9)) if label == "failed" else None) for label in labels]
    frame = judged(*rows, end=30).with_columns(customer=pl.Series(rng.integers(0, 100, 500)).cast(pl.String), team=pl.Series(["a", None] * 250))
    for by in ((), "team"):
        ours, theirs = censored_fcr(frame, window=WEEK, by=by), fcr(frame, by=by)
        assert ours["n"].to_list() == theirs["n"].to_list()
        assert ours["censored"].to_list() == [0] * ours.height
        for column in ("share", "low", "high"):
            assert ours[column].to_list() == pytest.approx(theirs[column].to_list(), abs=EXACT)


def test_failures_before_the_anchor_or_without_one_count_from_the_start() -> None:
    found = censored_fcr(
        judged(
            ("failed", "unresolved", None, 9),
            ("failed", "parallel_contact", 5, 4),
            ("resolved", None, 1, None),
            ("pending", "open", None, None),
            end=30,
        ),
        window=WEEK,
    )
    assert found.select("n", "censored", "share").row(0) == (3, 0, pytest.approx(1 / 3))


def test_an_open_window_counts_for_as_long_as_it_was_seen() -> None:
    rows = [
        ("failed", "reopened", 0, 1),
        ("resolved", None, 0, None),
        ("resolved", None, 0, None),
        ("pending", "window", 8, None),
        ("failed", "reopened", 0, 6),
    ]
    found = censored_fcr(judged(*rows, end=10), window=WEEK).row(0, named=True)
    assert (found["n"], found["censored"]) == (5, 1)
    assert found["share"] == pytest.approx(4 / 5 * 2 / 3)
    assert found["low"] < found["share"] < found["high"]


def test_where_no_window_has_closed_the_share_is_not_known() -> None:
    found = censored_fcr(judged(("pending", "window", 0, None), ("failed", "reopened", 0, 1), end=3), window=WEEK)
    assert found.select("n", "censored", "share", "low").row(0) == (2, 1, None, None)


@pytest.mark.slow
def test_open_windows_neither_raise_nor_lower_the_rate_on_average() -> None:
    found = []
    for seed in range(60):
        frame, _ = desk(seed, a_week=300, weeks=3)
        seen = pl.col("failed_at") <= pl.min_horizontal("data_end", pl.col("anchor_at") + WEEK)
        closed = pl.col("anchor_at") + WEEK <= pl.col("data_end")
        label = pl.when(seen).then(pl.lit("failed")).when(closed).then(pl.lit("resolved")).otherwise(pl.lit("pending"))
        frame = frame.with_columns(label=label, reason=pl.lit("window"), failed_at=pl.when(seen).then("failed_at"))
        found.append((censored_fcr(frame, window=WEEK, cluster=None)["share"][0], fcr(frame, cluster=None)["share"][0]))
    ours, headline = (np.mean(column) for column in zip(*found, strict=True))
    assert ours == pytest.approx(0.76, abs=0.006)
    assert headline < 0.74
