"""Is the planted number of later contacts found, with its cost, and is nothing found where nothing fails?"""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import polars as pl
import pytest
from histories import study_of

from fcrlib.explain import cost
from fcrlib.explain import failure_modes as fm
from fcrlib.intake.demo import Truth, answer_key
from fcrlib.judge.costs import follow_up_cost
from fcrlib.judge.outcomes import judge
from fcrlib.model.columns import KEY
from fcrlib.model.costs import Rates
from fcrlib.model.errors import UsageError
from fcrlib.model.policy import Policy
from fcrlib.model.taxonomy import UNEXPLAINED
from fcrlib.study import Study

RATES = Rates(contact=6.0)
STUDY = replace(study_of(), costs=RATES)
TAGS = fm.tagged(STUDY)
FRAME = cost.of_repeats(STUDY, tags=TAGS)
BROUGHT = ("repeat", "parallel", "follow-up")


def planted(study: Study, key: pl.DataFrame) -> int:
    """Later contacts of the period's first contacts that a failure brought about, and reopenings."""
    first = study.first_contacts
    chains = study.everything.filter(pl.col("label") == "repeat").join(first.select("issue"), on="issue", how="semi")
    brought = chains.join(key, on="contact_id").filter(pl.col("relation").is_in(BROUGHT)).height
    failed = first.filter(pl.col("label") == "failed")
    return brought + int(failed["reasons"].list.contains("reopened").sum())


def nobody(study: Study) -> Study:
    """The same desk without a word on who asked."""
    contacts = study.desk.contacts.with_columns(pl.lit(None, pl.String).alias(name) for name in ("customer_ref", "person"))
    manifest = study.desk.manifest.model_copy(update={"capabilities": study.desk.manifest.capabilities - {"has_customer"}})
    desk = replace(study.desk, contacts=contacts, identifiers=study.desk.identifiers.clear(), manifest=manifest)
    return replace(study, desk=desk, outcomes=judge(desk, policy=study.policy))


def test_the_planted_number_of_later_contacts_and_its_cost_are_in_the_interval() -> None:
    whole, truth = FRAME.row(0, named=True), planted(STUDY, answer_key(seed=7, contacts=8_000))
    assert whole["excess_low"] < truth < whole["excess_high"]
    assert whole["excess_cost_low"] < 6 * truth < whole["excess_cost_high"]
    assert whole["excess_low"] > 0.8 * truth


@pytest.mark.slow
def test_the_interval_holds_the_planted_number_on_most_desks() -> None:
    held = []
    for seed in range(20):
        study = study_of(seed=seed, contacts=4_000)
        row = cost.of_repeats(study).row(0, named=True)
        held.append(row["excess_low"] < planted(study, answer_key(seed=seed, contacts=4_000)) < row["excess_high"])
    assert sum(held) >= 17


def test_where_nothing_fails_what_comes_back_is_no_excess() -> None:
    calm = study_of(truth=replace(Truth.nothing(), base=0.0), contacts=10_000)
    whole = cost.of_repeats(calm).row(0, named=True)
    assert whole["repeats"] > 30
    assert whole["excess_low"] <= 0 <= whole["excess_high"]


def test_the_ways_add_up_to_the_whole_and_cost_what_the_ranking_says() -> None:
    whole, ways = FRAME.row(0, named=True), FRAME.slice(1)
    assert ways.select("failed", "repeats", "reopened", "later").sum().row(0) == tuple(
        whole[name] for name in ("failed", "repeats", "reopened", "later")
    )
    assert float(ways["share"].sum()) == pytest.approx(1)
    known = ways.drop_nulls("anyway")
    assert float(known["anyway"].sum()) <= whole["anyway"] + 1e-9
    ranked = fm.rank(TAGS, outcomes=STUDY.contacts, most=50, costs=follow_up_cost(STUDY.everything, rates=RATES))
    both = ways.join(ranked.select("mode", "n", pl.col("cost", "cost_low", "cost_high").name.prefix("ranked_")), on="mode")
    assert both.height == ways.height
    for mine, theirs in (("failed", "n"), ("cost", "ranked_cost"), ("cost_low", "ranked_cost_low"), ("cost_high", "ranked_cost_high")):
        assert both[mine].to_list() == pytest.approx(both[theirs].to_list())


def test_the_ways_stand_by_size_and_what_is_unexplained_comes_last() -> None:
    assert FRAME["mode"].to_list()[0] is None
    assert FRAME["mode"].to_list()[-1] == UNEXPLAINED
    later = FRAME["later"].to_list()[1:-1]
    assert later == sorted(later, reverse=True)
    few = FRAME.filter("too_few")
    assert few.height == 0 or few.select("per_failed", "per_first", "anyway", "excess", "excess_cost").null_count().row(0) == (few.height,) * 5


def test_the_interval_of_a_ratio_is_the_one_of_the_book() -> None:
    # R = sum y / sum x by customer: variance of the ratio from residuals y - R x, Cochran (1977), section 6.3.
    sums = pl.DataFrame({"mine_later": [3.0, 1.0, 0.0, 4.0], "mine": [2.0, 1.0, 1.0, 2.0]})
    value, low, high = cost._limits(sums, "per_failed", cost.MEASURES["per_failed"]).row(0)
    ratio = 8 / 6
    residuals = sums["mine_later"] - ratio * sums["mine"]
    half = 3.182446305284263 * (4 / 3 * float((residuals**2).sum())) ** 0.5 / 6
    assert (value, low, high) == pytest.approx((ratio, ratio - half, ratio + half), rel=1e-6)


def test_without_rates_there_are_contacts_and_no_prices() -> None:
    unpriced = cost.of_repeats(replace(STUDY, costs=Rates()), tags=TAGS)
    money = [name for name in unpriced.columns if "cost" in name]
    assert all(unpriced[name].is_null().all() for name in money)
    assert unpriced.drop(money).equals(FRAME.drop(money))
    some = cost.of_repeats(replace(STUDY, costs=Rates(channels={"phone": 8.5})), tags=TAGS)
    assert some["excess_cost_low"][0] is None


def test_without_customers_reopenings_are_still_counted() -> None:
    study = nobody(STUDY)
    whole = cost.of_repeats(study).row(0, named=True)
    assert whole["reopened"] > 100
    assert whole["customers"] == whole["failed"]
    assert (whole["anyway"], whole["excess"], whole["excess_cost"]) == (None, None, None)
    assert whole["cost"] == pytest.approx(6 * whole["later"])
    assert cost.volume(study).is_empty()
    point = cost.of_a_point(study).row(0, named=True)
    assert not point["anyway"]
    assert point["contacts"] == pytest.approx(0.01 * point["first"] * whole["later"] / whole["failed"])


@pytest.mark.parametrize("policy", [Policy(window=None), Policy(same_issue="linked"), Policy(same_issue="none")])
def test_what_comes_anyway_is_not_guessed_where_the_definition_cannot_see_it(policy: Policy) -> None:
    study = replace(STUDY, policy=policy, outcomes=judge(STUDY.desk, policy=policy))
    assert cost.of_repeats(study)["anyway"][0] is None


def test_where_no_contact_failed_there_is_an_empty_frame() -> None:
    quiet = replace(STUDY, outcomes=STUDY.outcomes.filter(pl.col("label") != "failed"))
    assert cost.of_repeats(quiet).is_empty()
    assert cost.of_repeats(quiet).schema == FRAME.schema
    assert cost.of_a_point(quiet).is_empty()
    assert cost.of_a_point(quiet).schema == cost.of_a_point(STUDY).schema


def test_a_point_is_the_average_excess_of_as_many_failed_contacts() -> None:
    whole, point = FRAME.row(0, named=True), cost.of_a_point(STUDY).row(0, named=True)
    assert point["contacts"] == pytest.approx(0.01 * point["first"] * whole["excess"] / whole["failed"])
    assert point["cost"] == pytest.approx(0.01 * point["first"] * whole["excess_cost"] / whole["failed"])
    assert point["contacts_low"] < point["contacts"] < point["contacts_high"]
    double = cost.of_a_point(STUDY, points=0.02).row(0, named=True)
    assert double["contacts_high"] == pytest.approx(2 * point["contacts_high"])


def test_the_order_of_the_rows_changes_nothing() -> None:
    contacts = STUDY.desk.contacts.sample(fraction=1, shuffle=True, seed=1)
    turned = replace(STUDY, desk=replace(STUDY.desk, contacts=contacts), outcomes=STUDY.outcomes.sample(fraction=1, shuffle=True, seed=2))
    assert cost.of_repeats(turned, tags=TAGS.sample(fraction=1, shuffle=True, seed=3)).equals(FRAME)
    assert cost.volume(turned).equals(cost.volume(STUDY))


def test_nothing_follows_a_resolved_contact_in_its_window_and_much_a_failed_one() -> None:
    table = cost.volume(STUDY)
    days = {verdict: table.filter(verdict=verdict) for verdict in ("failed", "resolved")}
    assert days["resolved"].filter(pl.col("day") <= 7)["events"].sum() == 0
    assert days["failed"]["mean"][30] > 10 * days["resolved"]["mean"][30] > 0
    for frame in days.values():
        assert frame["mean"].is_sorted()
        assert frame["day"].to_list() == list(range(31))


def test_contacts_of_the_last_days_count_for_as_long_as_they_were_seen() -> None:
    table = cost.volume(STUDY, days=60).filter(verdict="failed")
    assert table["at_risk"].is_sorted(descending=True)
    assert table["at_risk"][60] < table["n"][0]
    old = STUDY.first_contacts.filter(pl.col("start_at") <= pl.col("data_end") - timedelta(days=60), pl.col("customer").is_not_null())
    assert table["at_risk"][60] <= old.height


def test_the_published_examples_are_worked_out_again() -> None:
    assert cost.published().select("later", "unit_cost", "cost").rows() == [(750.0, 7.68, 5_760.0), (12_250.0, 10.0, 122_500.0)]


def test_tags_of_other_contacts_are_passed_over() -> None:
    more = pl.concat([TAGS, TAGS.head(1).with_columns(contact_id=pl.lit("nobody"))])
    assert cost.of_repeats(STUDY, tags=more).equals(FRAME)
    assert cost.of_repeats(STUDY).equals(FRAME.head(1))
    assert TAGS.select(KEY).n_unique() == FRAME["failed"][0]


@pytest.mark.parametrize("points", [0, -0.01, 2, float("nan"), None])
def test_a_point_must_be_a_share_of_all_first_contacts(points: float) -> None:
    with pytest.raises(UsageError, match=r"points: .* must be a share"):
        cost.of_a_point(STUDY, points=points)


@pytest.mark.parametrize("days", [0, -3, 1.5])
def test_days_are_a_whole_number(days: int) -> None:
    with pytest.raises(UsageError, match=r"days: .* must be a whole number"):
        cost.volume(STUDY, days=days)
