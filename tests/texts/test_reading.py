"""Has every first contact the topic of its text, and is what was not read said to be so?"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import polars as pl
import pytest
from polars.testing import assert_frame_equal

from fcrlib.texts.reading import TOPICS, Reading, reading, unread

DAY = datetime(2026, 3, 1, tzinfo=UTC)
LABELS = ["resolved", "failed", "pending", "failed", "repeat", "resolved"]


def judged() -> pl.DataFrame:
    """Contacts a to f: `c` is pending, `e` is a repeat, `f` lies in the earlier period."""
    reasons = [[], ["reopened"], [], ["repeat"], [], []]
    return pl.DataFrame(
        {
            "source": "zd", "contact_id": list("abcdef"), "label": LABELS, "reasons": pl.Series(reasons, dtype=pl.List(pl.String)),
            "later": [True] * 5 + [False], "reason": "", "anchor_at": [DAY] * 6,
            "horizon_at": [DAY + timedelta(days=40 if label == "pending" else 7) for label in LABELS],
            "data_end": [DAY + timedelta(days=30)] * 6,
        }
    )  # fmt: skip


def texts() -> pl.DataFrame:
    """`b` says what `a` said, and `d` has no text."""
    said = {"a": ("zd:a", True), "b": ("zd:a", False), "c": ("zd:c", True), "f": ("zd:f", True)}
    rows = [("zd", name, f"text of {name}", of, own) for name, (of, own) in said.items()]
    return pl.DataFrame(rows, schema=["source", "contact_id", "text", "copy_of", "representative"], orient="row")


@pytest.fixture
def told() -> Reading:
    """A fit of the three representatives: a and f in topic 1, c in none."""
    levels = {"topic": [1, None, 1], "confidence": [0.3, None, 0.01], "level": ["sure", "none", "doubtful"]}
    documents = pl.DataFrame({"row": [0, 1, 2], **levels}, schema_overrides={"topic": pl.Int32})
    row = {"topic": 1, "n": 2, "distinct": 2, "sure": 0.5, "label": "export", "phrases": ["export"], "representatives": [2, 0]}
    topics = pl.DataFrame([{**row, "stability": 0.9, "stable": True, "fingerprint": "5f3a"}])
    return reading(judged(), texts(), documents=documents, topics=topics, model="model")


def test_a_copy_has_the_topic_of_the_text_it_is_a_copy_of(told: Reading) -> None:
    found = dict(told.documents.select("contact_id", "topic").iter_rows())
    assert found == {"a": 1, "b": 1, "c": None, "f": 1}
    assert told.documents["level"].to_list() == ["sure", "sure", "none", "doubtful"]


def test_topics_are_counted_over_all_contacts_and_quote_the_text_nearest_to_their_middle(told: Reading) -> None:
    assert told.topics.schema == TOPICS
    assert told.topics.select("n", "distinct", "quote").row(0) == (3, 2, "text of f")
    assert told.topics["sure"].item() == pytest.approx(2 / 3)


def test_pending_contacts_count_as_asked_and_not_as_judged(told: Reading) -> None:
    assert told.first["contact_id"].to_list() == ["a", "b", "c", "d", "f"]
    assert told.now["contact_id"].to_list() == ["a", "b", "d"]


def test_what_became_of_a_contact_stands_beside_its_topic(told: Reading) -> None:
    rows = {row["contact_id"]: (row["failed"], row["reopened"], row["later"]) for row in told.first.to_dicts()}
    assert rows == {
        "a": (False, False, True),
        "b": (True, True, True),
        "c": (False, False, True),
        "d": (True, False, True),
        "f": (False, False, False),
    }


def test_a_contact_whose_window_is_open_is_not_final(told: Reading) -> None:
    early = judged().with_columns(data_end=pl.lit(DAY + timedelta(days=3)).dt.cast_time_unit("us"))
    none = unread(early, texts(), notes=())
    assert none.now.is_empty()
    assert none.first.height == told.first.height


def test_a_contact_without_text_has_no_topic_and_stays(told: Reading) -> None:
    assert told.first.filter(pl.col("contact_id") == "d").select("topic", "level").row(0) == (None, None)


def test_what_was_not_read_has_the_same_tables_without_topics_and_says_why(told: Reading) -> None:
    none = unread(judged(), texts(), notes=("This desk holds no texts.",))
    assert none.model is None
    assert none.notes == ("This desk holds no texts.",)
    assert none.topics.is_empty()
    assert none.topics.schema == told.topics.schema
    assert none.first.schema == told.first.schema
    assert none.documents["topic"].null_count() == 4
    assert_frame_equal(none.first.drop("topic", "confidence", "level"), told.first.drop("topic", "confidence", "level"))
