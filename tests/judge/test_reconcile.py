"""Does the helpdesk's own figure agree with ours, and where not, why?"""

from dataclasses import replace

import polars as pl
import pytest

from fcrlib.intake.demo import invent
from fcrlib.judge.reconcile import reconcile
from fcrlib.model.desk import Desk


@pytest.fixture(scope="module")
def desk() -> Desk:
    return invent(seed=5, contacts=800)


def with_contacts(desk: Desk, **columns: pl.Expr) -> Desk:
    return replace(desk, contacts=desk.contacts.with_columns(**columns))


def row(desk: Desk, figure: str) -> dict[str, object]:
    return reconcile(desk).row(by_predicate=pl.col("figure") == figure, named=True)


def test_figures_read_off_the_same_history_agree_everywhere(desk):
    found = reconcile(desk)
    assert found["figure"].to_list() == ["reopens", "replies", "stations"]
    assert found.filter(pl.col("agree") < pl.col("n"))["figure"].to_list() in ([], ["replies"], ["stations"], ["replies", "stations"])
    assert found["share"].min() > 0.95  # type: ignore[operator]


def test_a_figure_that_counts_the_first_assignment_is_explained(desk):
    counted = with_contacts(desk, vendor_stations=pl.col("vendor_stations") + 1)
    found = row(counted, "stations")
    assert found["share"] < 0.05  # type: ignore[operator]
    assert found["reason"] == "the first assignment is counted"
    assert found["explained"] > 0.9 * found["n"]  # type: ignore[operator]
    assert len(found["examples"]) == 5  # type: ignore[arg-type]


def test_a_figure_without_a_rule_has_no_reason(desk):
    odd = with_contacts(desk, vendor_reopens=pl.col("vendor_reopens") + 40)
    found = row(odd, "reopens")
    assert (found["agree"], found["explained"], found["reason"]) == (0, 0, None)


def test_minutes_are_as_good_as_their_minute(desk):
    rounded = with_contacts(desk, vendor_first_resolved_at=pl.col("first_resolved_at").dt.truncate("1m"))
    assert row(rounded, "first resolved")["share"] == 1.0
    late = with_contacts(desk, vendor_first_resolved_at=pl.col("first_resolved_at") + pl.duration(hours=1))
    assert row(late, "first resolved")["agree"] == 0


def test_a_desk_without_such_figures_has_nothing_to_compare(desk):
    bare = with_contacts(desk, **{name: pl.lit(None, dtype=pl.Int64) for name in ("vendor_reopens", "vendor_replies", "vendor_stations")})
    assert reconcile(bare).is_empty()
