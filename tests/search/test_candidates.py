"""Which topics ask for an article, a playbook, or an answer without people?"""

from __future__ import annotations

import polars as pl
import pytest

from fcrlib.model.errors import UsageError
from fcrlib.search.candidates import candidates
from fcrlib.show.telling import candidates as tell


def contacts(topic: int, *, n: int, failed: int, article: str | None = "fresh", handovers: str = "none") -> pl.DataFrame:
    row = pl.int_range(n)
    return pl.select(
        topic=pl.lit(topic, pl.Int32) + 0 * row.cast(pl.Int32), failed=row < failed, customer=pl.format("{}-{}", pl.lit(topic), row),
        article=pl.lit(article, pl.String), handovers=pl.lit(handovers), hold=pl.lit("none"), escalated=pl.lit("no"),
    )  # fmt: skip


def named(frame: pl.DataFrame) -> pl.DataFrame:
    return frame.with_columns(name=pl.format("topic {}", "topic"))


def test_failures_without_an_article_or_with_an_old_one_are_counted() -> None:
    frame = pl.concat([contacts(0, n=50, failed=20, article="none"), contacts(1, n=50, failed=10, article="stale"), contacts(2, n=50, failed=5)])
    rows = candidates(frame).select("topic", "n", "failed", "unsent", "stale").rows()
    assert rows == [(0, 50, 20, 20, 0), (1, 50, 10, 0, 10), (2, 50, 5, 0, 0)]
    table = tell.articles(named(candidates(frame)))
    assert table.title == "85.7 % of 35 failed contacts were sent no article or an old one; most about “topic 0”"
    assert table.numbers["topic"].to_list() == [0, 1]


def test_where_no_article_is_recorded_none_is_missing() -> None:
    found = candidates(contacts(0, n=40, failed=10, article=None))
    assert found["unsent"].to_list() == [None]
    assert tell.articles(named(found)).title.startswith("This desk does not record")


def test_a_topic_goes_straight_through_only_beyond_chance() -> None:
    smooth, rough = contacts(0, n=200, failed=2), contacts(1, n=200, failed=100, handovers="once")
    found = candidates(pl.concat([smooth, rough]))
    assert dict(found.select("topic", "simple").rows()) == {0: True, 1: False}
    assert dict(found.select("topic", "straight").rows())[0] == pytest.approx(0.99)
    alike = candidates(pl.concat([contacts(topic, n=60, failed=20) for topic in range(10)]))
    assert not alike["simple"].any()
    assert tell.simple(named(alike)).title.startswith("No topic goes straight through")


def test_playbooks_begin_with_most_failures_and_add_up() -> None:
    frame = pl.concat([contacts(0, n=50, failed=5), contacts(1, n=50, failed=15)])
    table = tell.playbooks(named(candidates(frame)), most=1)
    assert table.numbers["topic"].to_list() == [1]
    assert "75.0 % of them" in table.title


def test_nothing_gives_empty_tables_and_a_lost_column_its_name() -> None:
    none = candidates(contacts(0, n=3, failed=1).clear())
    assert none.is_empty()
    for table in (tell.articles(named(none)), tell.playbooks(named(none)), tell.simple(named(none))):
        assert table.numbers.is_empty()
    with pytest.raises(UsageError, match="article"):
        candidates(contacts(0, n=3, failed=1).drop("article"))
