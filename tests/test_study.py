"""Does every notebook open the same study, judged once?"""

from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest
from polars.testing import assert_frame_equal

from fcrlib.intake.demo import invent
from fcrlib.intake.redact import redact
from fcrlib.judge.outcomes import judge
from fcrlib.link.identity import joined
from fcrlib.model.errors import DataError, UsageError
from fcrlib.model.period import Period
from fcrlib.model.policy import Policy
from fcrlib.study import Study

DESK = redact(invent(contacts=1500))


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "fcr.toml").touch()
    return DESK.save(tmp_path / "data" / "desk")


def test_the_second_opening_reads_the_verdict_of_the_first(folder: Path) -> None:
    first = Study.open("data/desk", period="2026Q3")
    kept = list((folder.parent / ".cache" / "desk").iterdir())
    again = Study.open("data/desk", period="2026Q2")
    assert len(kept) == 1
    assert list((folder.parent / ".cache" / "desk").iterdir()) == kept
    assert_frame_equal(again.outcomes, first.outcomes)
    assert first.people is not None
    assert_frame_equal(first.outcomes, judge(joined(DESK, found=first.people), policy=Policy()))


def test_another_policy_or_another_desk_is_judged_anew(folder: Path) -> None:
    Study.open("data/desk", period="2026Q3")
    strict = Study.open("data/desk", period="2026Q3", policy="strict")
    redact(invent(contacts=1500, seed=8)).save(folder)
    other = Study.open("data/desk", period="2026Q3")
    assert len(list((folder.parent / ".cache" / "desk").iterdir())) == 3
    assert not strict.outcomes["label"].equals(Study.open("data/desk", period="2026Q3").outcomes["label"])
    assert_frame_equal(other.outcomes, judge(other.desk, policy=Policy()))


def test_a_study_holds_the_contacts_that_started_in_its_period(folder: Path) -> None:
    study = Study.open(folder, period="2026Q3")
    starts = study.contacts["start_at"].dt.date()
    assert (starts.min(), starts.max()) >= (Period.parse("2026Q3").first, Period.parse("2026Q3").first)
    assert starts.max() <= Period.parse("2026Q3").last
    assert set(study.first_contacts["label"]) <= {"resolved", "failed", "pending"}


def test_before_is_the_period_before_and_none_where_the_data_begins(folder: Path) -> None:
    before = Study.open(folder, period="2026Q3").before()
    assert before is not None
    assert before.period.label == "2026Q2"
    assert Study.open(folder, period="2025Q3").before() is None


def test_a_period_without_contacts_tells_the_span_of_the_data(folder: Path) -> None:
    with pytest.raises(DataError, match="2025-07-01 to 2026-09-30"):
        Study.open(folder, period="2019Q1")


def test_an_unknown_policy_is_refused_before_anything_is_judged(folder: Path) -> None:
    with pytest.raises(UsageError, match="known policies"):
        Study.open(folder, period="2026Q3", policy="costumer")


def test_tagged_contacts_are_left_out_exactly_as_written(folder: Path, tmp_path: Path) -> None:
    few = pl.int_range(pl.len()) < 40
    tags = pl.when(few).then(pl.lit(["Pilot"])).otherwise(pl.lit(["pilot"]))
    type(DESK).build(DESK.manifest, **{**DESK.tables(), "contacts": DESK.contacts.with_columns(tags=tags)}).save(folder)
    (tmp_path / "fcr.toml").write_text('exclude_tags = ["Pilot"]\n')
    study = Study.open(folder, period="2025-07-01..2026-09-30")
    assert study.desk.contacts["is_test"].sum() == DESK.contacts["is_test"].sum() + 40 - DESK.contacts["is_test"][:40].sum()


def test_a_desk_on_read_only_ground_is_judged_all_the_same(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise PermissionError("read-only")

    monkeypatch.setattr(Path, "mkdir", refuse)
    assert Study.open(folder, period="2026Q3").headline["n"] > 0
