"""Do the parts of the baseline add up to the whole?"""

from __future__ import annotations

from dataclasses import replace

import polars as pl
import pytest

from fcrlib.explain import baseline
from fcrlib.intake.demo import invent
from fcrlib.intake.redact import redact
from fcrlib.model.period import Period
from fcrlib.model.policy import Policy
from fcrlib.study import Study

STUDY = Study.of(redact(invent(contacts=6000)), policy=Policy(), period=Period.parse("2026Q3"))


def test_every_contact_of_the_period_has_one_label() -> None:
    labels = baseline.labels(STUDY)
    assert labels["n"].sum() == STUDY.contacts.height
    assert labels["share"].sum() == pytest.approx(1)
    assert labels["label"].unique(maintain_order=True).to_list() == [label for label in baseline.ORDER if label in labels["label"].to_list()]


def test_failed_contacts_are_counted_under_each_of_their_reasons() -> None:
    failures, failed = baseline.failures(STUDY), STUDY.contacts.filter(pl.col("label") == "failed")
    counted = failed["reasons"].explode().value_counts()
    assert dict(failures.select("reason", "n").iter_rows()) == dict(counted.iter_rows())
    assert failures["share"].to_list() == pytest.approx((failures["n"] / failed.height).to_list())
    assert (failures["low"] <= failures["share"]).all()


def test_a_period_without_failures_has_no_reasons() -> None:
    calm = replace(STUDY, outcomes=STUDY.outcomes.with_columns(label=pl.lit("resolved").cast(STUDY.outcomes.schema["label"])))
    assert baseline.failures(calm).is_empty()


@pytest.mark.parametrize("column", ["channel", "category", "first_group", "tier"])
def test_segments_add_up_to_the_headline(column: str) -> None:
    segments = baseline.segments(STUDY, by=column)
    for count in ("n", "resolved", "failed", "pending"):
        assert segments[count].sum() == STUDY.headline[count]
    assert segments["share"].is_sorted(nulls_last=True)


def test_many_levels_are_lumped_and_none_is_lost() -> None:
    segments = baseline.segments(STUDY, by="category", most=3)
    assert segments.height == 4
    assert baseline.OTHERS in segments["category"].to_list()
    assert segments["n"].sum() == STUDY.headline["n"]


def test_weeks_are_final_or_hollow() -> None:
    weeks = baseline.weekly(STUDY)
    assert weeks["week"].is_sorted()
    assert weeks["week"].dt.weekday().unique().to_list() == [1]
    assert weeks["hollow"].to_list()[-1]
    assert not weeks["hollow"][5:-4].any()


def test_longer_windows_and_wider_issues_never_raise_the_rate_of_the_same_contacts() -> None:
    grid = baseline.definitions(STUDY)
    assert grid.filter("house").height == 1
    assert grid.filter("house")["share"][0] == pytest.approx(STUDY.headline["share"])
    by_rule = grid.group_by("same_issue", maintain_order=True).agg("share")
    assert all(shares == sorted(shares, reverse=True) for shares in by_rule["share"].to_list())


def test_customers_come_back_more_often_about_anything_than_about_the_same() -> None:
    table = baseline.comebacks(STUDY)
    anything, same = (table.filter(pl.col("about") == about)["share"].to_list() for about in ("anything", "the same category"))
    assert all(wide > narrow for wide, narrow in zip(anything, same, strict=True))
    assert anything == sorted(anything)
