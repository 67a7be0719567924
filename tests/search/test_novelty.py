"""Is a new topic called new, and is nothing called new that is not?"""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest
from polars.testing import assert_frame_equal
from scipy.stats import fisher_exact

from fcrlib.model.errors import UsageError
from fcrlib.search.novelty import moved, novelty_rate, periods

NEW = (0, 1, 2)


def asked(*, seed: int, contacts: int = 4_000, topics: int = 40, new: tuple[int, ...] = ()) -> pl.DataFrame:
    """Two periods in which customers come back to a matter of their own; `new` topics only exist in the later one."""
    rng = np.random.default_rng(seed)
    now = rng.dirichlet(np.full(topics, 4.0))
    then = np.where(np.isin(np.arange(topics), new), 0, now)
    frames = []
    for later, weight in ((False, then / then.sum()), (True, now)):
        customer = rng.integers(0, contacts // 4, contacts // 2)
        own = rng.choice(topics, contacts // 4, p=weight)[customer]
        topic = np.where(rng.random(contacts // 2) < 0.4, own, rng.choice(topics, contacts // 2, p=weight))
        frames.append(pl.DataFrame({"topic": topic, "customer": customer, "later": later}))
    return pl.concat(frames)


def kinds(frame: pl.DataFrame, kind: str) -> set[int]:
    return set(moved(frame).filter(pl.col("kind") == kind)["topic"])


def test_planted_topics_are_new_and_the_others_are_not() -> None:
    found = [kinds(asked(seed=seed, new=NEW), "new") for seed in range(8)]
    assert sum(len(new & set(NEW)) for new in found) >= 22  # of 24
    assert set().union(*found) <= set(NEW)


def test_where_nothing_is_new_nothing_is_called_new_or_gone() -> None:
    told = pl.concat([moved(asked(seed=seed)) for seed in range(12)])
    assert told.filter(pl.col("kind").is_in(["new", "gone"])).is_empty()
    assert told.filter(pl.col("kind") != "steady").height <= 3


def test_what_was_new_is_gone_when_time_runs_backwards() -> None:
    frame = asked(seed=1, new=NEW)
    assert kinds(frame.with_columns(~pl.col("later")), "gone") == kinds(frame, "new") != set()


def test_a_topic_that_doubles_grows_and_is_not_new() -> None:
    row = pl.int_range(4_000)
    twice = pl.when(row % 2 == 0).then(row % 40 < 8).otherwise(row % 40 < 4)
    frame = pl.select(topic=pl.when(twice).then(pl.lit("export")).otherwise(pl.lit("rest")), later=row % 2 == 0, customer=row)
    table = moved(frame)
    assert table["topic"].to_list() == ["export", "rest"]
    assert table["kind"].to_list() == ["growing", "shrinking"]
    assert table["low"][0] < 2 < table["high"][0]


def test_a_customer_who_writes_a_hundred_times_makes_no_new_topic() -> None:
    frame = asked(seed=2)
    loud = frame.head(100).with_columns(topic=pl.lit(99, pl.Int64), customer=pl.lit(1, pl.Int64), later=pl.lit(True))
    row = moved(pl.concat([frame, loud])).filter(pl.col("topic") == 99).row(0, named=True)
    assert (row["n_after"], row["customers_after"], row["kind"]) == (100, 1, "steady")


def test_p_is_twice_the_smaller_tail_of_fishers_test() -> None:
    frame = asked(seed=3)
    table, before = moved(frame), frame.filter(~pl.col("later"))["customer"].n_unique()
    after = frame.filter("later")["customer"].n_unique()
    row = table.row(0, named=True)
    a, b = row["customers_before"], row["customers_after"]
    tails = [fisher_exact([[b, after - b], [a, before - a]], alternative=side).pvalue for side in ("less", "greater")]
    assert row["p"] == pytest.approx(min(1.0, 2 * min(tails)))


def test_no_topic_and_no_customer_are_levels_of_their_own() -> None:
    frame = asked(seed=4).with_columns(topic=pl.when(pl.col("topic") > 2).then("topic"), customer=pl.when(pl.col("customer") > 20).then("customer"))
    table = moved(frame)
    assert table["topic"].null_count() == 1
    assert table.select((pl.col("n_before") + pl.col("n_after")).sum()).item() == frame.height
    assert_frame_equal(table, moved(frame.sample(fraction=1, shuffle=True, seed=1)))


def test_one_period_alone_has_no_ratio_and_no_contacts_have_no_topics() -> None:
    table = moved(asked(seed=5).with_columns(later=pl.lit(True)))
    assert table["ratio"].null_count() == table["p"].null_count() == table.height
    assert set(table["kind"]) == {"steady"}
    assert moved(asked(seed=5).clear()).schema == table.schema
    assert moved(asked(seed=5).clear()).is_empty()
    with pytest.raises(UsageError, match="no column 'when'"):
        moved(asked(seed=5), later="when")


def test_the_share_of_contacts_about_new_topics_is_counted_in_the_later_period_only() -> None:
    frame = asked(seed=6, new=NEW)
    table = moved(frame)
    row = novelty_rate(frame, moved=table).row(0, named=True)
    new = table.filter(pl.col("kind") == "new")["topic"]
    assert row["n"] == frame.filter("later").height
    assert row["share"] == pytest.approx(frame.filter("later").select(pl.col("topic").is_in(new.implode()).mean()).item())
    assert row["low"] < row["share"] < row["high"]
    assert novelty_rate(asked(seed=7), moved=moved(asked(seed=7)))["share"][0] == 0


def test_repeats_and_exclusions_are_nothing_that_was_asked_anew() -> None:
    now = pl.DataFrame({"label": ["resolved", "repeat", "pending"]})
    then = pl.DataFrame({"label": ["failed", "excluded"]})
    assert periods(now, earlier=then)["later"].to_list() == [False, True, True]


def test_without_two_periods_or_topics_no_contact_is_known_to_be_about_a_new_topic_or_not() -> None:
    frame = asked(seed=5)
    for known in (frame.filter("later"), frame.with_columns(topic=pl.lit(None, frame.schema["topic"])), frame.clear()):
        assert novelty_rate(known, moved=moved(known)).select("n", "share").row(0) == (0, None)
    assert novelty_rate(frame, moved=moved(frame))["n"].item() == frame["later"].sum()
