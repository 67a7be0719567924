"""Are contacts found that read like one category and are filed under another?"""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest
from polars.testing import assert_frame_equal

from fcrlib.model.errors import UsageError
from fcrlib.search.mislabelled import expected, misfiled, suspects


def filed(*, seed: int, contacts: int = 6_000, wrong: float = 0.15, costs: float = 0.0) -> pl.DataFrame:
    """Ten topics of one category each; of topic 3 (category c1) a share is filed as c0, and is resolved less often by `costs`."""
    rng = np.random.default_rng(seed)
    topic = rng.integers(0, 10, contacts)
    stray = np.where(topic == 3, rng.random(contacts) < wrong, rng.random(contacts) < 0.08)
    category = np.where(stray, np.where(topic == 3, 0, rng.integers(0, 5, contacts)), topic // 2)
    chance = 0.75 - costs * (stray & (topic == 3)) - 0.1 * (rng.integers(0, 3, contacts) == 1)
    frame = pl.DataFrame({"topic": topic, "category": category, "resolved": rng.random(contacts) < chance})
    return frame.with_columns(
        category=pl.format("c{}", "category"), customer=pl.Series(rng.integers(0, contacts, contacts)).cast(pl.String), channel=pl.lit("web")
    )


def told(frame: pl.DataFrame) -> pl.DataFrame:
    return misfiled(frame, topics=expected(frame))


def test_each_topic_has_the_category_it_was_made_for() -> None:
    topics = expected(filed(seed=1))
    assert topics["expected"].to_list() == [f"c{topic // 2}" for topic in range(10)]
    assert (topics["low"] <= topics["purity"]).all()
    assert (topics["second"] < topics["purity"]).all()


def test_a_planted_mislabelling_that_costs_is_the_one_that_is_clear() -> None:
    clear = [told(filed(seed=seed, costs=0.25)).filter("clear")["topic"].to_list() for seed in range(8)]
    assert sum(3 in topics for topics in clear) >= 7
    assert sum(len(set(topics) - {3}) for topics in clear) <= 3
    row = told(filed(seed=1, costs=0.25)).filter(pl.col("topic") == 3).row(0, named=True)
    assert (row["expected"], row["mostly"], row["difference"] < 0) == ("c1", "c0", True)
    assert row["fcr_low"] < row["fcr"] < row["fcr_high"] < row["fcr_matched"]


def test_where_it_costs_nothing_hardly_anything_is_clear() -> None:
    assert sum(told(filed(seed=50 + seed))["clear"].sum() for seed in range(12)) <= 3


def test_mixed_unstable_and_small_topics_have_no_category() -> None:
    frame = pl.DataFrame({"topic": ["mixed"] * 100 + ["loose"] * 100 + ["small"] * 10, "category": ["a", "b"] * 50 + ["a"] * 110})
    frame = frame.with_columns(stable=pl.when(pl.col("topic") != "loose").then(True))
    topics = expected(frame, stable="stable")
    assert dict(topics.select("topic", "why_not").iter_rows()) == {"loose": "unstable", "mixed": "mixed", "small": "too few"}
    assert suspects(frame, topics=topics).is_empty()
    assert misfiled(frame.with_columns(resolved=True, customer=pl.lit("x"), channel=pl.lit("web")), topics=topics).is_empty()


def test_two_categories_of_equal_size_are_told_in_a_stated_order() -> None:
    frame = pl.DataFrame({"topic": [1] * 80, "category": ["b"] * 40 + ["a"] * 40})
    assert expected(frame, purity=0.3, margin=0.0)["expected"].to_list() == ["a"]
    assert_frame_equal(expected(frame), expected(frame.reverse()))


def test_suspects_are_those_filed_elsewhere_in_the_order_of_the_frame() -> None:
    frame = filed(seed=2).with_row_index("row")
    away = suspects(frame, topics=expected(frame))
    assert away["row"].is_sorted()
    assert away.height == int(told(frame)["elsewhere"].sum())
    assert (away["category"] != away["expected"]).all()


def test_contacts_without_topic_category_or_verdict_are_not_taken_for_mislabelled() -> None:
    frame = filed(seed=3)
    blank = frame.head(300)
    more = pl.concat([frame, blank.with_columns(topic=pl.lit(None, pl.Int64)), blank.with_columns(category=pl.lit(None, pl.String))])
    assert_frame_equal(told(frame), told(more))
    unknown = told(frame.with_columns(resolved=pl.lit(None, pl.Boolean)))
    assert unknown["too_few"].all()
    assert unknown["fcr"].null_count() == unknown.height == 10


def test_rows_may_come_in_any_order() -> None:
    frame = filed(seed=4)
    assert_frame_equal(told(frame), told(frame.sample(fraction=1, shuffle=True, seed=1)))


def test_a_share_above_one_is_refused() -> None:
    with pytest.raises(UsageError, match="purity is 60"):
        expected(filed(seed=1), purity=60)
