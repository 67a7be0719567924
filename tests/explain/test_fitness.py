"""Are the facts about a desk true?"""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import polars as pl
import pytest
from books import BOOKS, cells

from fcrlib.explain import fitness
from fcrlib.intake.demo import invent
from fcrlib.intake.redact import redact
from fcrlib.model.desk import Desk, Dropped
from fcrlib.model.period import Period
from fcrlib.model.policy import Policy
from fcrlib.model.tables import CAPABILITIES
from fcrlib.study import Study

DESK = redact(invent(contacts=3000))


def study_of(desk: Desk, *, period: str = "2026Q3", **more: Any) -> Study:
    return Study.of(desk, policy=Policy(), period=Period.parse(period), **more)


STUDY = study_of(DESK)


def with_manifest(**changes: object) -> Study:
    return study_of(replace(DESK, manifest=DESK.manifest.model_copy(update=changes)))


def lacking(*names: str) -> Study:
    return with_manifest(capabilities=DESK.manifest.capabilities - set(names))


def known(study: Study) -> dict[str, dict[str, Any]]:
    return {row["what"]: row for row in fitness.shares(study).to_dicts()}


def test_shares_are_of_the_contacts_of_the_period_and_answers_of_the_offers() -> None:
    told = known(STUDY)
    assert told["customer known"]["share"] == pytest.approx(STUDY.contacts["customer_ref"].is_not_null().mean())
    assert told["customer known"]["n"] == STUDY.contacts.height
    offered = DESK.surveys.filter(pl.col("offered_at").is_not_null()).join(STUDY.contacts, on=["source", "contact_id"], how="semi")
    assert told["survey offered"]["share"] * STUDY.contacts.height == pytest.approx(offered["contact_id"].n_unique())
    assert told["survey answered"]["of"] == "offers"
    assert told["survey answered"]["low"] < told["survey answered"]["share"] < told["survey answered"]["high"]


def test_where_offers_are_not_recorded_answers_are_of_the_contacts() -> None:
    told = known(study_of(replace(DESK, surveys=DESK.surveys.with_columns(offered_at=pl.lit(None, DESK.surveys.schema["offered_at"])))))
    assert (told["survey offered"]["n"], told["survey offered"]["share"]) == (0, None)
    assert (told["survey answered"]["of"], told["survey answered"]["n"]) == ("contacts", STUDY.contacts.height)


def test_what_the_desk_does_not_record_is_not_known_and_not_nought() -> None:
    told = known(lacking("has_text", "has_survey", "has_category", "has_customer"))
    assert [told[what]["share"] for what in ("customer known", "category known", "opening text", "survey answered")] == [None] * 4


def test_the_clock_is_read_in_the_zone_of_the_study() -> None:
    here = fitness.clock(STUDY).row(0, named=True)
    assert (here["odd"], here["zone"]) == (False, DESK.manifest.time_zone)
    assert 9 < here["middle"] < 18
    there = fitness.clock(study_of(DESK, time_zone="Pacific/Auckland")).row(0, named=True)
    assert there["odd"]
    assert there["named"] == here["zone"]


def test_history_is_counted_from_the_start_of_the_data_to_the_period() -> None:
    told = fitness.depth(STUDY).row(0, named=True)
    assert told["before"] == pytest.approx(365, abs=1)
    assert (told["blind"], told["window"]) == (0, 7.0)
    first = fitness.depth(study_of(DESK, period="2025-07")).row(0, named=True)
    assert first["blind"] > 0
    assert first["share"] == pytest.approx(first["blind"] / first["n"])
    endless = replace(STUDY, policy=STUDY.policy.revised(window=None))
    assert fitness.depth(endless)["window"].to_list() == [None]


def test_the_newest_contact_is_held_against_the_data_end_and_not_against_what_lies_after_it() -> None:
    end = DESK.manifest.data_end
    cut = replace(DESK, contacts=DESK.contacts.filter(pl.col("opened_at") < end - timedelta(days=9)))
    told = fitness.newest(study_of(cut)).row(0, named=True)
    assert told["quiet"] == pytest.approx(9, abs=0.5)
    assert told["per_day"] > 1
    later = DESK.contacts.with_columns(opened_at=pl.when(pl.int_range(pl.len()) < 3).then(end + timedelta(days=2)).otherwise("opened_at"))
    assert fitness.newest(study_of(replace(DESK, contacts=later)))["later"].to_list() == [3]


def test_a_desk_of_a_few_days_is_not_spread_over_four_weeks() -> None:
    end = DESK.manifest.data_end
    days = DESK.contacts.filter(pl.col("opened_at").is_between(end - timedelta(days=5), end))
    told = fitness.newest(study_of(replace(DESK, contacts=days))).row(0, named=True)
    assert told["over"] == 5
    assert told["per_day"] * told["over"] == pytest.approx(days.height)


def test_only_what_came_twice_is_doubled() -> None:
    dropped = (Dropped(what="tickets", count=6, why="the same record again"), Dropped(what="events", count=2, why="without a time"), Dropped(what="rows", count=0, why="exact duplicates"))  # fmt: skip
    assert fitness.doubled(with_manifest(dropped=dropped)).rows() == [("tickets", 6, "the same record again")]


# --- notebooks ------------------------------------------------------------------------------------------------------------------


def allowed(study: Study) -> dict[str, dict[str, str]]:
    return {row["notebook"]: row for row in fitness.notebooks(study).to_dicts()}


def test_the_demo_runs_every_notebook_fully() -> None:
    assert {row["runs"] for row in allowed(STUDY).values()} == {"fully"}


def test_what_is_missing_is_named_where_it_is_missed() -> None:
    told = allowed(lacking("has_survey", "has_text"))
    assert (told["05_csat"]["runs"], told["05_csat"]["without"]) == ("not", "surveys")
    assert told["01_baseline"]["off"] == "What customers say (no surveys)"
    assert told["02_failure_modes"]["without"] == "texts"
    assert told["00_data_quality"]["runs"] == "fully"


def test_every_capability_has_a_short_word() -> None:
    assert set(fitness.IN_SHORT) == set(CAPABILITIES)


def test_every_notebook_is_declared_with_its_question_and_headings_that_it_has() -> None:
    assert sorted(path.stem for path in BOOKS.glob("*.ipynb")) == sorted(fitness.NOTEBOOKS)
    for name, one in fitness.NOTEBOOKS.items():
        words = ["".join(cell["source"]) for cell in cells(name) if cell["cell_type"] == "markdown"]
        assert words[0].strip() == f"# {one.question}"
        headings = [text.splitlines()[0].lstrip("# ") for text in words]
        assert set(one.sections) <= set(headings), name
