"""Does it matter into how many portions a desk's text is cut?"""

from __future__ import annotations

import polars as pl
import pytest
from polars.testing import assert_frame_equal, assert_series_equal

from fcrlib.intake.demo import invent
from fcrlib.intake.privacy.known import name_shapes
from fcrlib.intake.privacy.portions import portions, portions_of
from fcrlib.intake.redact import TEXTS, redact, redacted
from fcrlib.model.desk import Desk


@pytest.fixture(scope="module")
def raw() -> Desk:
    return invent(contacts=600)


@pytest.mark.parametrize("most", [1, 5_000, 50_000, 10**9])
def test_portions_hold_every_row_once_and_in_order(raw: Desk, most: int) -> None:
    parts = portions_of(raw.tables(), texts=TEXTS, most=most)
    for name, frame in raw.tables().items():
        assert_frame_equal(pl.concat([part[name] for part in parts]), frame)
    assert (len(parts) == 1) == (most == 10**9)


def test_a_portion_holds_about_as_much_as_it_may_and_what_one_contact_says_stays_together(raw: Desk) -> None:
    parts = portions_of(raw.tables(), texts=TEXTS, most=20_000)
    sizes = [sum(int(part[name][column].str.len_bytes().sum()) for name in TEXTS for column in TEXTS[name]) for part in parts]
    assert max(sizes) < 2 * 20_000
    split = [set(part["contacts"]["contact_id"]) - set(part["events"]["contact_id"]) for part in parts]
    assert sum(len(contacts) for contacts in split) <= len(parts)


def test_rows_in_any_order_are_cut_without_losing_one(raw: Desk) -> None:
    mixed = {name: frame.sample(fraction=1, shuffle=True, seed=3) for name, frame in raw.tables().items()}
    parts = portions_of(mixed, texts=TEXTS, most=5_000)
    for name, frame in mixed.items():
        assert_frame_equal(pl.concat([part[name] for part in parts]), frame)


@pytest.mark.parametrize("texts", [[], [None, None], ["x" * 100], ["a", None, "b" * 50, "c"]])
def test_texts_are_cut_without_losing_one(texts: list[str | None]) -> None:
    series = pl.Series(texts, dtype=pl.String)
    assert_series_equal(pl.concat(portions(series, most=10)), series)


def test_a_desk_is_cleaned_as_its_columns_are(raw: Desk) -> None:
    clean = redact(raw)
    assert_series_equal(clean.events["text"], redacted(raw.events["text"]))
    assert_series_equal(clean.contacts["body"], redacted(raw.contacts["body"]))


def test_names_are_told_from_words_alike_however_the_texts_lie() -> None:
    texts = pl.Series([f"the Ticketmann form {row} fails" for row in range(50)] + ["Lindqvist knows", None, "Lindqvist knows"])
    names = pl.Series(["Eva Ticketmann", "Eva Lindqvist"])
    once = name_shapes([texts], names=names)
    assert once == name_shapes([texts[:20], texts[20:], texts[:20], texts.clear()], names=names)
    assert "Lindqvist" in "".join(once)
    assert "Ticketmann" not in "".join(once)
