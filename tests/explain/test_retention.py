"""Is everybody followed from the moment on which the verdicts are final, for the same time, and is nobody lost uncounted?"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from polars.testing import assert_frame_equal
from storytelling import ZERO, at, desk_of

from fcrlib.explain import retention
from fcrlib.intake.demo import Truth, invent
from fcrlib.intake.redact import redact
from fcrlib.link.identity import customers_of, joined
from fcrlib.model.errors import UsageError
from fcrlib.model.identity import Rules
from fcrlib.model.period import Period
from fcrlib.model.policy import Policy
from fcrlib.study import Study

DAY = 24.0
YEAR = 365 * DAY


def contact(name: str, customer: str | None, *, day: float, fails: bool = False) -> dict[str, Any]:
    """A contact solved after an hour; one that fails is reopened by its customer a day later and solved again."""
    opened = day * DAY
    told = [(0.0, "message", "customer", {}), (0.5, "message", "agent", {}), (1.0, "status", "agent", {"status": "solved"})]
    if fails:
        told += [
            (25.0, "message", "customer", {}),
            (25.0, "status", "customer", {"status": "open"}),
            (30.0, "status", "agent", {"status": "solved"}),
        ]
    events = [{"t": opened + t, "kind": kind, "actor": actor, "public": True, **more} for t, kind, actor, more in told]
    return {"id": name, "opened": opened, "customer": customer, "category": name, "channel": "email", "resolved_by": "human", "events": events}


def study_of(contacts: list[dict[str, Any]], left: dict[str, float | None], *, end: float = YEAR, period: str = "2026Q1") -> Study:
    """A study of contacts and of customers who left on a day (None: still there), all of them since the day before the data starts."""
    desk = desk_of(contacts, data_end=end)
    listed = pl.DataFrame(
        [("story", name, ZERO - timedelta(days=1), None if day is None else at(day * DAY)) for name, day in left.items()],
        schema={"source": pl.String, "customer_ref": pl.String, "since": pl.Datetime("us", "UTC"), "left_at": pl.Datetime("us", "UTC")},
        orient="row",
    )
    return Study.of(replace(desk, customers=listed), policy=Policy(), period=Period.parse(period))


def counts(found: retention.Retention) -> dict[str, int]:
    return {what: n for what, n in found.counted.rows() if n}


def test_a_customer_is_followed_from_the_end_of_the_window_and_not_from_the_contact() -> None:
    study = study_of([contact("A", "ann", day=10)], {"ann": 10 + 7 + 90.0})
    row = retention.of_study(study).frame.row(0, named=True)
    assert row["from_at"] == at(10 * DAY + 1) + timedelta(days=7)
    assert row["left"] is True
    assert row["days_stayed"] == pytest.approx(90 - 1 / 24)
    assert row["tenure_days"] == pytest.approx(18 + 1 / 24)


@pytest.mark.parametrize(("day", "left"), [(107.0, True), (107.5, False), (None, False)])
def test_leaving_counts_only_within_the_horizon(day: float | None, left: bool) -> None:
    study = study_of([contact("A", "ann", day=10)], {"ann": day})
    assert retention.of_study(study).frame["left"].to_list() == [left]


def test_who_is_not_followed_is_counted_with_the_reason() -> None:
    contacts = [
        contact("A", "ann", day=10), contact("B", "bob", day=10), contact("C", "cleo", day=10), contact("D", "dan", day=10),
        contact("E", "eve", day=80), contact("F", None, day=10),
    ]  # fmt: skip
    study = study_of(contacts, {"ann": None, "bob": 9.0, "cleo": 12.0, "eve": 100.0}, end=150 * DAY)
    found = retention.of_study(study)
    assert counts(found) == {
        "customers with a first contact": 5,
        "not in the list of customers": 1,
        "had left before they wrote": 1,
        "left before the verdicts were final": 1,
        "not yet followed for 90 days": 1,
        "followed to the end": 1,
    }
    assert found.frame["customer"].to_list() == ["story:ann"]
    assert found.contacts_of_nobody == 1


def test_whose_days_are_not_over_is_left_out_even_if_they_have_left() -> None:
    early = study_of([contact("A", "ann", day=10), contact("B", "bob", day=10)], {"ann": 20.0, "bob": None}, end=60 * DAY)
    assert retention.of_study(early).frame.is_empty()


def test_a_customer_with_an_open_verdict_is_not_judged_by_the_others() -> None:
    waiting = contact("B", "ann", day=30)
    waiting["events"] = waiting["events"][:2]
    waiting["resolved_by"] = "unknown"
    found = retention.of_study(study_of([contact("A", "ann", day=10), waiting], {"ann": None}, end=45 * DAY))
    assert counts(found) == {"customers with a first contact": 1, "with a verdict still open": 1}


def test_one_failed_contact_of_three_is_a_third_and_not_all_resolved() -> None:
    contacts = [contact("A", "ann", day=1), contact("B", "ann", day=20, fails=True), contact("C", "ann", day=40)]
    row = retention.of_study(study_of(contacts, {"ann": None})).frame.row(0, named=True)
    assert (row["all_resolved"], row["failed"], row["contacts"]) == (False, 1, 3)
    assert (row["failures"], row["asked"], row["category"], row["channel"]) == ("one", "more often", "several", "email")
    assert row["failed_share"] == pytest.approx(1 / 3)


def test_a_customer_is_in_every_period_in_which_they_asked_while_they_stay() -> None:
    contacts = [contact("A", "ann", day=10), contact("B", "ann", day=100, fails=True), contact("C", "ann", day=200)]
    found = retention.of_study(study_of(contacts, {"ann": 180.0}, period="2026Q3"))
    assert found.frame.select("period", "left", "all_resolved").rows() == [("2026Q1", False, True), ("2026Q2", True, False)]
    assert counts(found)["had left before they wrote"] == 1


def test_what_comes_after_the_period_is_not_looked_at() -> None:
    contacts = [contact("A", "ann", day=10), contact("B", "bob", day=100)]
    assert retention.of_study(study_of(contacts, {"ann": None, "bob": None}, period="2026Q1")).frame["customer"].to_list() == ["story:ann"]


def test_a_person_with_two_names_is_one_customer_and_there_while_one_of_them_is() -> None:
    study = study_of([contact("A", "ann", day=10), contact("B", "nan", day=20, fails=True)], {"ann": 30.0, "nan": None})
    shared = pl.DataFrame({"source": ["story"] * 2, "customer_ref": ["ann", "nan"], "kind": ["email"] * 2, "value_norm": ["ann@example.org"] * 2})
    desk = replace(study.desk, identifiers=shared)
    people = customers_of(desk, rules=Rules())
    found = retention.of_study(replace(Study.of(joined(desk, found=people), policy=Policy(), period=study.period), people=people))
    assert found.frame.select("customer", "contacts", "failed", "left").rows() == [("story:ann", 2, 1, False)]


def test_a_desk_that_does_not_say_who_left_gives_no_rows_and_no_error() -> None:
    study = study_of([contact("A", "ann", day=10)], {"ann": None})
    manifest = study.desk.manifest.model_copy(update={"capabilities": study.desk.manifest.capabilities - {"has_retention"}})
    found = retention.of_study(replace(study, desk=replace(study.desk, manifest=manifest)))
    assert found.frame.is_empty()
    assert found.frame.columns == list(retention.COLUMNS)
    assert retention.shares(found).is_empty()


@pytest.mark.parametrize("days", [0, -7, 1.5])
def test_a_horizon_is_a_whole_number_of_days(days: Any) -> None:
    with pytest.raises(UsageError, match="horizon_days"):
        retention.of_study(study_of([contact("A", "ann", day=10)], {"ann": None}), horizon_days=days)


def test_shares_by_a_column_that_is_not_there_are_refused() -> None:
    found = retention.of_study(study_of([contact("A", "ann", day=10)], {"ann": None}))
    with pytest.raises(UsageError, match="no column 'colour'"):
        retention.shares(found, by="colour")


def test_the_order_of_the_rows_changes_nothing_and_every_customer_is_accounted_for() -> None:
    desk = redact(invent(seed=3, contacts=3_000, truth=Truth()))
    period = Period.parse("2026Q3")
    study = Study.of(desk, policy=Policy(), period=period)
    shuffled = Study.of(
        desk.map_tables(lambda _, frame: frame.sample(fraction=1.0, shuffle=True, seed=1)), policy=Policy(), period=period, outcomes=study.outcomes
    )
    found = retention.of_study(study)
    assert_frame_equal(retention.of_study(shuffled).frame, found.frame)
    everyone, *parts = found.counted["n"]
    assert everyone == sum(parts)
    assert found.frame.height == parts[-1] > 500
    assert found.frame.null_count().drop("tenure_days", "tier").sum_horizontal().item() == 0
    assert found.frame.height == found.frame.select(pl.struct("period", "customer").n_unique()).item()


def test_the_demo_desk_knows_who_left_and_says_so(tmp_path: Path) -> None:
    desk = redact(invent(seed=3, contacts=1_000))
    assert desk.manifest.has("has_retention")
    assert isinstance(desk.customers["left_at"].max(), datetime)
