"""Are topics found that fail more than alike contacts, and none where nothing was planted?"""

from __future__ import annotations

from datetime import UTC, datetime

import polars as pl
import pytest
from polars.testing import assert_frame_equal
from topical import assigned

from fcrlib.model.errors import UsageError
from fcrlib.search.prevalence import COLUMNS, excess, failures

PLANTED = {3: 0.2, 11: 0.2, 17: 0.2, 25: 0.2}


def flagged(frame: pl.DataFrame) -> set[int | None]:
    return set(excess(frame).filter("over")["topic"])


def test_planted_topics_are_found_although_they_are_not_the_largest() -> None:
    found, largest, wrong = 0, 0, 0
    for seed in range(6):
        frame = assigned(seed=seed, contacts=8_000, lifts=PLANTED)
        over = flagged(frame)
        found, wrong = found + len(over & set(PLANTED)), wrong + len(over - set(PLANTED))
        by_volume = frame.filter("failed").drop_nulls("topic").group_by("topic").len().sort("len", descending=True)["topic"].head(4)
        largest += len(set(by_volume) & set(PLANTED))
    assert found >= 18  # of 24
    assert wrong <= 3
    assert largest < found


def test_where_nothing_is_planted_hardly_anything_is_flagged() -> None:
    assert sum(len(flagged(assigned(seed=seed))) for seed in range(12)) <= 4


def test_a_topic_of_a_category_that_fails_more_is_not_over_represented_for_that() -> None:
    frame = assigned(seed=5, contacts=8_000)
    harder = frame.with_columns(failed=pl.col("failed") | ((pl.col("category") == "2") & (pl.int_range(pl.len()) % 3 == 0)))
    assert excess(harder, adjust=()).filter("over")["topic"].len() >= 3
    assert len(flagged(harder)) <= 1


def test_the_figures_of_a_row_fit_together() -> None:
    frame = assigned(seed=7, lifts=PLANTED)
    table = excess(frame)
    assert tuple(table.columns) == ("topic", *COLUMNS)
    assert table["share"].sum() == pytest.approx(1)
    assert table["share_of_failed"].sum() == pytest.approx(1)
    assert int(table["failed"].sum()) == int(frame["failed"].sum())
    assert (table["rate"] - table["difference"]).to_list() == pytest.approx(table["rate_alike"].to_list())
    assert table["low"].is_sorted(descending=True)
    assert (table.filter("over")["low"] > 0).all()
    assert table["topic"].null_count() == 1


def test_small_topics_are_shown_and_not_judged() -> None:
    frame = assigned(seed=1)
    tiny = frame.head(12).with_columns(topic=pl.lit(99, pl.Int64), failed=pl.lit(True))
    row = excess(pl.concat([frame, tiny])).filter(pl.col("topic") == 99).row(0, named=True)
    assert (row["n"], row["failed"], row["too_few"], row["over"]) == (12, 12, True, False)
    assert row["rate"] is row["low"] is row["q"] is None


def test_one_customer_who_writes_often_is_no_topic() -> None:
    frame = assigned(seed=1)
    loud = frame.head(60).with_columns(topic=pl.lit(99, pl.Int64), failed=pl.lit(True), customer=pl.lit("loud"))
    assert 99 not in flagged(pl.concat([frame, loud]))


def test_rows_may_come_in_any_order_and_topics_may_be_named() -> None:
    frame = assigned(seed=4, contacts=2_000, lifts=PLANTED).with_columns(theme=pl.format("<b>{}</b>", "topic")).drop("topic")
    table = excess(frame, topic="theme")
    assert_frame_equal(table, excess(frame.sample(fraction=1, shuffle=True, seed=3), topic="theme"))
    assert table["theme"].dtype == pl.String


def test_reopened_contacts_are_asked_the_same_way() -> None:
    day = datetime(2026, 3, 1, tzinfo=UTC)
    judged = pl.DataFrame(
        {
            "label": ["failed", "failed", "resolved", "pending", "repeat"],
            "reasons": [["reopened"], ["transferred"], [], [], []],
            "reason": ["reopened", "transferred", None, "window", None],
            "horizon_at": [day] * 5,
            "anchor_at": [day] * 5,
            "data_end": [day] * 5,
        },
        schema_overrides={"reasons": pl.List(pl.String)},
    )
    assert failures(judged).select("failed", "reopened", "resolved").rows() == [(True, True, False), (True, False, False), (False, False, True)]
    frame = assigned(seed=2, contacts=4_000).with_columns(reopened=pl.col("failed") & (pl.col("topic") == 3))
    assert excess(frame, failed="reopened").filter("over")["topic"].to_list() == [3]


def test_nothing_to_count_is_said() -> None:
    frame = assigned(seed=2, contacts=400)
    assert excess(frame.clear()).schema == excess(frame).schema
    assert excess(frame.clear()).is_empty()
    with pytest.raises(UsageError, match="no column 'when'"):
        excess(frame.clear(), failed="when")
    with pytest.raises(UsageError, match="yes/no"):
        excess(frame.with_columns(failed=pl.col("category")))
    assert not excess(frame.head(5))["over"].any()
    assert excess(frame.with_columns(failed=pl.lit(None, pl.Boolean))).is_empty()


@pytest.mark.slow
def test_over_many_desks_as_many_are_flagged_in_vain_as_was_agreed() -> None:
    told = [len(flagged(assigned(seed=1_000 + seed))) for seed in range(150)]
    assert sum(bool(n) for n in told) / 150 <= 0.17  # 10 % agreed, three standard errors of 2.4 points
    shares = [len(over - set(PLANTED)) / max(len(over), 1) for seed in range(40) if (over := flagged(assigned(seed=seed, lifts=PLANTED))) is not None]
    assert sum(shares) / 40 <= 0.15
