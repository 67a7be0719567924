"""Do causes hang on their bones with numbers that add up, and is only compared what can be compared?"""

from __future__ import annotations

from dataclasses import replace

import polars as pl
import pytest

from fcrlib.explain import failure_modes, fishbone
from fcrlib.intake.demo import Truth, invent
from fcrlib.intake.redact import redact
from fcrlib.judge.rates import mature
from fcrlib.model.errors import UsageError
from fcrlib.model.period import Period
from fcrlib.model.policy import Policy
from fcrlib.model.taxonomy import BONES, UNEXPLAINED
from fcrlib.search.standardised import risk_difference
from fcrlib.signs.attributes import attributes, shown
from fcrlib.study import Study

YEAR = Period.parse("2025-07-01..2026-09-30")
STUDY = Study.of(redact(invent(seed=7, contacts=6_000)), policy=Policy(), period=YEAR)
TAGS = failure_modes.tagged(STUDY)
CAUSES = fishbone.of_study(STUDY, tags=TAGS, unit_cost=9.0)


def row(cause: str, causes: pl.DataFrame = CAUSES) -> dict[str, object]:
    return causes.row(by_predicate=pl.col("cause") == cause, named=True)


def test_ways_of_failing_and_the_unexplained_add_up_to_all_failures() -> None:
    parts = CAUSES.filter(pl.col("kind") != "attribute")
    failed = mature(STUDY.contacts).filter(pl.col("label") == "failed")
    assert parts["n"].sum() == failed.height
    assert parts["share"].sum() == pytest.approx(1)
    assert parts["cost"].sum() == pytest.approx(9.0 * failed.height)
    assert CAUSES.filter(~pl.col("too_few")).select((pl.col("low") < pl.col("share")) & (pl.col("share") < pl.col("high"))).to_series().all()


def test_causes_stand_in_the_order_of_the_bones_the_largest_first_and_the_unexplained_last() -> None:
    assert CAUSES["bone"].unique(maintain_order=True).to_list() == list(BONES)
    assert CAUSES["cause"][-1] == UNEXPLAINED
    sizes = CAUSES.filter(pl.col("kind") != "unexplained").group_by("bone", maintain_order=True).agg("n")["n"]
    assert all(found.to_list() == found.sort(descending=True).to_list() for found in sizes)


def test_what_is_unexplained_is_never_hidden() -> None:
    few = fishbone.of_study(STUDY, tags=TAGS, most=1)
    assert few.filter(pl.col("kind") != "unexplained").group_by("bone").len()["len"].max() == 1
    assert row(UNEXPLAINED, few)["n"] == row(UNEXPLAINED)["n"]
    untagged = fishbone.causes(STUDY.contacts, tags=TAGS.clear())
    assert untagged.select("cause", "share").rows() == [(UNEXPLAINED, 1.0)]


def test_a_way_of_failing_that_resolved_contacts_show_too_is_compared() -> None:
    routed = row("wrong-routing")
    assert routed["grade"] == "C"
    assert routed["clear"]
    assert routed["difference_low"] > 0  # type: ignore[operator]
    assert routed["n_exposed"] > routed["n"]  # type: ignore[operator]
    assert routed["e_value_limit"] > 1  # type: ignore[operator]
    assert "before the first resolution" in str(routed["why"])


def test_a_way_of_failing_that_only_words_tell_is_not_compared() -> None:
    unclear = row("unclear-guidance")
    assert (unclear["difference"], unclear["clear"], unclear["grade"], unclear["why"]) == (None, False, "D", fishbone.ONLY_FAILED)
    assert unclear["share"] > 0.05  # type: ignore[operator]


def test_a_fact_about_the_handling_is_compared_with_its_usual_level() -> None:
    final = mature(STUDY.contacts)
    handled = attributes(STUDY.desk, final, time_zone=STUDY.time_zone)
    joined = final.join(handled, on=["source", "contact_id"]).filter(pl.col("handovers") != "twice or more")
    frame = joined.with_columns(exposed=pl.col("handovers") == "once", failed=pl.col("label") == "failed")
    alone = risk_difference(frame, exposed="exposed", failed="failed", dims=fishbone.DIMS, cluster="customer").row(0, named=True)
    once = row("handovers-once")
    assert once["difference"] == pytest.approx(alone["difference"])
    assert once["n"] == joined.filter((pl.col("label") == "failed") & (pl.col("handovers") == "once")).height


def test_what_the_definition_itself_counts_as_a_failure_is_not_compared() -> None:
    strict = STUDY.with_policy(Policy(transfer="any"))
    causes = fishbone.of_study(strict, tags=failure_modes.tagged(strict))
    for cause in ("handovers-once", "wrong-routing"):
        told = row(cause, causes)
        assert (told["difference"], told["grade"], told["why"]) == (None, "D", fishbone.BY_DEFINITION)
    assert row("hold-a-day-or-more", causes)["difference"] is not None


def test_a_difference_must_be_the_clearer_the_more_causes_are_compared() -> None:
    low, high = pl.col("difference_low"), pl.col("difference_high")
    compared = CAUSES.drop_nulls("difference")
    assert compared.height > 5
    assert compared.filter("clear").select(((low > 0) | (high < 0)).all()).item()
    lone = fishbone._clear(compared.filter(pl.col("cause") == "hold-a-day-or-more").with_columns(difference=0.1, difference_low=0.005))
    many = fishbone._clear(compared.with_columns(difference=0.1, difference_low=0.005))
    assert lone["clear"].all()
    assert not many["clear"].any()


def test_on_a_desk_where_nothing_is_planted_the_place_and_the_clock_are_no_causes() -> None:
    study = Study.of(redact(invent(seed=3, contacts=4_000, truth=Truth.nothing())), policy=Policy(), period=YEAR)
    causes = fishbone.of_study(study, tags=failure_modes.tagged(study))
    facts = causes.filter(
        pl.col("cause").is_in(["hours-outside", "tenure-under-90-days", "unowned-longer", "unowned-within-a-day", "first-reply-by-bot"])
    )
    assert facts.height >= 3
    assert not facts["clear"].any()


def test_costs_may_be_given_per_contact() -> None:
    priced = STUDY.contacts.with_columns(price=pl.when(pl.col("tier") == "starter").then(None).otherwise(2.0))
    told = fishbone.causes(priced, tags=TAGS, unit_cost="price")
    failed = mature(priced).filter(pl.col("label") == "failed")
    assert told["cost"].sum() == pytest.approx(failed["price"].sum())
    assert fishbone.causes(priced, tags=TAGS)["cost"].null_count() == told.height


def test_without_signs_and_facts_nothing_is_compared_and_little_data_says_so() -> None:
    assert fishbone.causes(STUDY.contacts, tags=TAGS)["difference"].null_count() == fishbone.causes(STUDY.contacts, tags=TAGS).height
    some = mature(STUDY.contacts).head(60)
    causes = fishbone.causes(some, tags=TAGS, shown=shown(STUDY.desk, some), attributes=attributes(STUDY.desk, some), dims=["channel"])
    assert causes["too_few"].all()
    assert causes["share"].null_count() == causes.height
    assert not causes["clear"].any()
    assert fishbone.FEW in causes["why"].to_list()


def test_where_nothing_failed_there_are_no_causes() -> None:
    solved = STUDY.contacts.filter(pl.col("label") == "resolved")
    assert fishbone.causes(solved, tags=TAGS).is_empty()
    assert fishbone.causes(solved, tags=TAGS).columns == CAUSES.columns


def test_two_runs_give_the_same_frame() -> None:
    shuffled = replace(STUDY, outcomes=STUDY.outcomes.sample(fraction=1, shuffle=True, seed=1))
    again = fishbone.of_study(shuffled, tags=TAGS, unit_cost=9.0)
    assert again.select("cause", "n", "share", "grade").equals(CAUSES.select("cause", "n", "share", "grade"))


def test_columns_that_are_missing_are_all_named() -> None:
    with pytest.raises(UsageError, match="team") as told:
        fishbone.causes(STUDY.contacts, tags=TAGS, dims=["team"], unit_cost="price")
    assert "price" in str(told.value)
