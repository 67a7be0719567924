"""How often does the customer come back?"""

from datetime import UTC, datetime, timedelta, timezone

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fcrlib.judge.repeats import repeat_rate
from fcrlib.model.errors import UsageError

START = datetime(2026, 3, 1, tzinfo=UTC)
END = START + timedelta(days=60)
WEEK = timedelta(days=7)


def desk(*rows: tuple[str | None, str | None, float, float | None]) -> pl.DataFrame:
    """Contacts as (customer, category, opened on day, resolved on day)."""
    instant = pl.Datetime("us", "UTC")
    return pl.DataFrame(
        {
            "customer_ref": pl.Series([row[0] for row in rows], dtype=pl.String),
            "category": pl.Series([row[1] for row in rows], dtype=pl.String),
            "opened_at": pl.Series([START + timedelta(days=row[2]) for row in rows], dtype=instant),
            "last_resolved_at": pl.Series([None if row[3] is None else START + timedelta(days=row[3]) for row in rows], dtype=instant),
        }
    )


def repeats(contacts: pl.DataFrame, window: timedelta = WEEK, *same: str) -> tuple[int, int]:
    row = repeat_rate(contacts, window=window, data_end=END, same=same or ("customer_ref",)).row(0, named=True)
    return row["n"], row["repeats"]


def test_a_contact_at_exactly_the_end_of_the_window_is_a_repeat_and_one_tick_later_is_not():
    assert repeats(desk(("ann", "a", 0, 1), ("ann", "a", 8, None))) == (1, 1)
    assert repeats(desk(("ann", "a", 0, 1), ("ann", "a", 8 + 1e-6, None))) == (1, 0)


def test_a_contact_at_exactly_the_resolution_runs_beside_it():
    assert repeats(desk(("ann", "a", 0, 1), ("ann", "a", 1, None))) == (1, 0)


def test_a_contact_opened_before_the_resolution_hides_no_later_one():
    assert repeats(desk(("ann", "a", 0, 3), ("ann", "a", 2, None), ("ann", "a", 4, None))) == (1, 1)


def test_unknown_customers_match_nobody_and_are_not_counted():
    assert repeats(desk((None, "a", 0, 1), (None, "a", 2, 3))) == (0, 0)


def test_an_unknown_category_matches_no_other_but_stays_in_n():
    contacts = desk(("ann", None, 0, 1), ("ann", None, 2, 3))
    assert repeats(contacts, WEEK, "customer_ref", "category") == (2, 0)
    assert repeats(contacts) == (2, 1)


def test_contacts_whose_window_is_still_open_are_left_out_and_equality_closes_it():
    assert repeats(desk(("ann", "a", 50, 53))) == (1, 0)
    assert repeats(desk(("ann", "a", 50, 53 + 1e-6))) == (0, 0)


def test_without_contacts_the_share_is_not_known():
    assert repeat_rate(desk(), window=WEEK, data_end=END).row(0) == (0, 0, None)


def test_it_refuses_a_negative_window_and_no_key():
    with pytest.raises(UsageError):
        repeat_rate(desk(), window=-WEEK, data_end=END)
    with pytest.raises(UsageError):
        repeat_rate(desk(), window=WEEK, data_end=END, same=())
    with pytest.raises(UsageError, match="no time zone"):
        repeat_rate(desk(), window=WEEK, data_end=datetime(2026, 3, 1))


def test_the_zone_of_the_data_end_does_not_matter():
    elsewhere = END.astimezone(timezone(timedelta(hours=9)))
    contacts = desk(("ann", "a", 50, 53))
    assert repeat_rate(contacts, window=WEEK, data_end=elsewhere).equals(repeat_rate(contacts, window=WEEK, data_end=END))


def one_by_one(contacts: pl.DataFrame, window: timedelta, same: tuple[str, ...]) -> tuple[int, int]:
    rows = contacts.to_dicts()
    index = [row for row in rows if row["last_resolved_at"] and row["customer_ref"] is not None and row["last_resolved_at"] + window <= END]
    back = [
        any(
            all(row[key] is not None and row[key] == other[key] for key in same)
            and row["last_resolved_at"] < other["opened_at"] <= row["last_resolved_at"] + window
            for other in rows
        )
        for row in index
    ]
    return len(index), sum(back)


rows = st.tuples(
    st.sampled_from(["ann", "ben", None]), st.sampled_from(["a", "b", None]), st.integers(0, 30), st.one_of(st.none(), st.integers(0, 30))
)


@settings(max_examples=60, deadline=None)
@given(st.lists(rows, max_size=12), st.integers(0, 20), st.sampled_from([("customer_ref",), ("customer_ref", "category")]))
def test_it_agrees_with_looking_at_every_pair(stories, days, same):
    contacts = desk(*stories)
    assert repeats(contacts, timedelta(days=days), *same) == one_by_one(contacts, timedelta(days=days), same)
