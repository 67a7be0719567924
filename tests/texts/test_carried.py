"""Is a topic recognised from one period to the next?"""

from __future__ import annotations

from collections.abc import Iterable

import polars as pl
import pytest
from polars.testing import assert_frame_equal

from fcrlib.model.errors import DataError, UsageError
from fcrlib.texts.carried import carried


def assignment(**topics: Iterable[int]) -> pl.DataFrame:
    rows = [("zd", str(contact), topic) for topic, contacts in topics.items() for contact in contacts]
    return pl.DataFrame(rows, schema=["source", "contact_id", "topic"], orient="row")


BEFORE = assignment(refund=range(100), login=range(100, 160), export=range(160, 200), small=range(200, 205))


def kind(after: pl.DataFrame, topic: str, *, swallowed: float = 0.2) -> tuple[str, list[str]]:
    row = carried(BEFORE, after, swallowed=swallowed).filter(pl.col("topic") == topic).row(0, named=True)
    return row["kind"], row["of"]


def test_a_topic_that_kept_most_of_its_contacts_is_the_same_under_another_number() -> None:
    after = assignment(a=range(10, 100), b=range(100, 160), c=range(300, 340))
    assert kind(after, "a") == ("same", ["refund"])
    assert kind(after, "b") == ("same", ["login"])
    assert kind(after, "c") == ("new", [])


def test_the_part_with_most_of_a_topic_keeps_it_and_the_other_is_split_off() -> None:
    after = assignment(a=range(70), b=range(70, 100))
    assert kind(after, "a") == ("same", ["refund"])
    assert kind(after, "b") == ("split", ["refund"])


def test_of_two_equal_halves_neither_is_the_same() -> None:
    after = assignment(a=range(50), b=range(50, 100))
    assert kind(after, "a") == kind(after, "b") == ("split", ["refund"])


def test_topics_that_went_into_one_are_merged_the_largest_first() -> None:
    after = assignment(a=[*range(100, 160), *range(160, 200)])
    assert kind(after, "a") == ("merged", ["login", "export"])


def test_a_small_topic_that_is_swallowed_does_not_make_the_large_one_another() -> None:
    after = assignment(a=[*range(100), *range(200, 205)])
    assert kind(after, "a") == ("same", ["refund"])
    assert kind(after, "a", swallowed=0.01) == ("merged", ["refund", "small"])


def test_contacts_that_left_the_data_do_not_shrink_a_topic() -> None:
    after = assignment(a=range(90, 100), b=range(160, 200))
    row = carried(BEFORE, after).filter(pl.col("topic") == "a").row(0, named=True)
    assert (row["kind"], row["share_to"], row["n_known"]) == ("same", 1.0, 10)


def test_a_topic_gathered_from_everywhere_is_new() -> None:
    after = assignment(a=[*range(30), *range(100, 130), *range(160, 180)], b=range(30, 100), c=range(130, 160))
    assert kind(after, "a") == ("new", [])


def test_no_two_topics_can_be_the_same_one() -> None:
    for cut in range(0, 101, 5):
        table = carried(BEFORE, assignment(a=range(cut), b=range(cut, 100)))
        assert table.filter(pl.col("kind") == "same").height <= 1


def test_contacts_without_a_topic_carry_nothing() -> None:
    none = BEFORE.with_columns(topic=pl.lit(None, pl.String))
    table = carried(none, BEFORE)
    assert set(table["kind"]) == {"new"}
    assert table["share_from"].null_count() == table.height
    assert carried(BEFORE, none).is_empty()


def test_rows_may_come_in_any_order() -> None:
    after = assignment(a=range(50), b=range(50, 130), c=range(130, 230))
    mixed = [frame.sample(fraction=1, shuffle=True, seed=2) for frame in (BEFORE, after)]
    assert_frame_equal(carried(BEFORE, after), carried(*mixed))


def test_a_contact_in_two_topics_and_a_wrong_share_are_refused() -> None:
    with pytest.raises(DataError, match="one topic only") as error:
        carried(BEFORE, pl.concat([BEFORE, BEFORE.head(1)]))
    assert "after: 2 of 206 rows" in error.value.problems[0]
    with pytest.raises(UsageError, match="least is 2"):
        carried(BEFORE, BEFORE, least=2)
