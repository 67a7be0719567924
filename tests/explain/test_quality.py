"""Does the desk say honestly what it can answer?"""

from __future__ import annotations

from dataclasses import replace

import polars as pl
import pytest

from fcrlib.explain import quality
from fcrlib.intake.demo import invent
from fcrlib.intake.redact import redact
from fcrlib.model.desk import Desk, Dropped
from fcrlib.model.period import Period
from fcrlib.model.policy import Policy
from fcrlib.study import Study

DESK = redact(invent(contacts=3000))


def study_of(desk: Desk) -> Study:
    return Study.of(desk, policy=Policy(), period=Period.parse("2026Q3"))


STUDY = study_of(DESK)


def with_manifest(**changes: object) -> Study:
    return study_of(replace(DESK, manifest=DESK.manifest.model_copy(update=changes)))


def test_the_demo_answers_every_question_and_a_bare_table_hardly_any() -> None:
    assert quality.fitness(STUDY) == (len(quality.QUESTIONS), len(quality.QUESTIONS))
    bare = with_manifest(capabilities=frozenset({"has_customer"}))
    asked = quality.questions(bare)
    assert quality.fitness(bare)[0] == 1
    assert asked.filter(pl.col("answer") == "no")["missing"].str.len_chars().min() > 0


def test_what_the_reader_left_out_is_listed_with_its_reason() -> None:
    assert quality.dropped(STUDY).is_empty()
    told = quality.dropped(with_manifest(dropped=(Dropped(what="rows", count=3, why="no number"),)))
    assert told.rows() == [("rows", 3, "no number")]


def test_columns_are_as_full_as_they_are() -> None:
    filled = {row["column"]: row for row in quality.filled(STUDY).to_dicts()}
    assert filled["customer"]["share"] == pytest.approx(STUDY.contacts["customer_ref"].is_not_null().mean())
    assert filled["category"]["n"] == STUDY.contacts["category"].is_not_null().sum()


def test_coverage_counts_every_contact_of_a_channel() -> None:
    coverage = quality.coverage(STUDY)
    assert coverage["n"].sum() == STUDY.contacts.height
    assert coverage.drop_nulls("share")["share"].is_between(0, 1).all()


def test_a_hole_in_the_export_is_a_week_without_contacts() -> None:
    from datetime import UTC, datetime

    hole = pl.col("opened_at").is_between(datetime(2026, 2, 2, tzinfo=UTC), datetime(2026, 2, 16, tzinfo=UTC), closed="left")
    volume = quality.volume(study_of(replace(DESK, contacts=DESK.contacts.filter(~hole))))
    assert volume.filter(pl.col("contacts") == 0).height == 2
    assert quality.volume(STUDY)["contacts"].sum() == DESK.contacts.height


def test_oddities_name_what_they_do_and_only_what_is_there() -> None:
    odd = {row["oddity"]: row["n"] for row in quality.oddities(STUDY).to_dicts()}
    assert odd["no customer"] == STUDY.contacts["customer_ref"].is_null().sum()
    assert odd["closed without an answer"] == (STUDY.contacts["reason"] == "no_response").sum()
    crowd = study_of(replace(DESK, contacts=DESK.contacts.with_columns(customer_ref=pl.lit("one shared login"))))
    assert any(name.startswith("customers with more than") for name in quality.oddities(crowd)["oddity"])


def test_the_busiest_customers_stay_unnamed() -> None:
    crowds = quality.crowds(STUDY)
    assert crowds["customer"].to_list() == [f"customer no. {n}" for n in range(1, 6)]
    assert crowds["n"].is_sorted(descending=True)


def test_the_vendors_counts_agree_with_ours_on_the_demo() -> None:
    table = quality.reconciled(STUDY)
    assert table.height == 3
    assert table["vendor"].to_list() == table["ours"].to_list()
    assert quality.reconciled(study_of(replace(DESK, contacts=DESK.contacts.with_columns(pl.col("^vendor_.*$") * None)))).is_empty()
