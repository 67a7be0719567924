"""Do the parts of the baseline add up to the whole?"""

from __future__ import annotations

from dataclasses import replace

import polars as pl
import pytest

from fcrlib.explain import baseline
from fcrlib.intake.demo import invent
from fcrlib.intake.redact import redact
from fcrlib.model.columns import OTHERS
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
    assert OTHERS in segments["category"].to_list()
    assert segments["n"].sum() == STUDY.headline["n"]
    assert segments.select("resolved", "failed", "pending").sum().row(0) == tuple(STUDY.headline[name] for name in ("resolved", "failed", "pending"))


def test_each_segment_says_how_many_of_its_contacts_name_a_customer() -> None:
    known = baseline.segments(STUDY, by="channel").select("channel", "known")
    by_hand = STUDY.contacts.group_by(pl.col("channel").cast(pl.String)).agg(pl.col("customer").is_not_null().mean().alias("hand"))
    assert known.join(by_hand, on="channel").select((pl.col("known") - pl.col("hand")).abs().max()).item() < 1e-12
