"""Can people read what a topic is called, and is nobody's name in it?"""

from __future__ import annotations

import polars as pl
import pytest

from fcrlib.texts.phrases import label, phrases, telling
from fcrlib.texts.readable import LONGEST, gist, readable


def test_not_and_again_make_a_difference() -> None:
    texts = pl.Series(["the card did not arrive", "card did not arrive", "it broke again", "it broke again today"])
    found = phrases(texts, fewest=2)
    assert "not arrive" in found
    assert "broke again" in found
    assert not {"not", "again", "did", "card did not", "it broke"} & set(found)


def test_who_is_greeted_is_in_no_phrase() -> None:
    texts = pl.Series(["Hi Anna, invoice missing", "Hello Anna, where is the invoice", "Dear Anna invoice please", "regards Anna"])
    assert phrases(texts, fewest=2) == ["invoice"]


def test_a_number_of_an_account_is_in_no_phrase_and_a_version_may_be() -> None:
    texts = pl.Series([f"windows11 account KD48210 locked by q2 {word}" for word in ("one", "two", "three")])
    found = phrases(texts, fewest=2)
    assert not [phrase for phrase in found if "48210" in phrase]
    assert {"windows11 account", "locked", "q2"} <= set(found)


def test_a_phrase_does_not_cross_from_one_text_to_the_next() -> None:
    texts = pl.Series(["reset password", "invoice wrong"] * 5)
    assert "password invoice" not in phrases(texts, fewest=1)
    assert "reset password" in phrases(texts, fewest=1)


def test_a_word_that_one_text_repeats_counts_once() -> None:
    assert phrases(pl.Series(["export export export export", "import"]), fewest=2) == []


def test_texts_in_other_scripts_and_without_words_do_no_harm() -> None:
    assert phrases(pl.Series(["", "123", "口座が開けません"]), fewest=1) == ["口座が開けません"]
    assert phrases(pl.Series([], dtype=pl.String)) == []


def test_the_same_is_not_said_twice_whatever_its_ending() -> None:
    assert [phrase for phrase, _ in telling([("refund", 3.0), ("refunded", 2.0), ("fee", 1.0), ("fees", 0.9), ("charge", 0.5), ("change", 0.4)])] == [
        "refund",
        "fee",
        "charge",
        "change",
    ]


def test_a_longer_phrase_stands_for_the_shorter_where_it_is_nearly_as_telling() -> None:
    assert telling([("pin", 1.0), ("forgot pin", 0.6)]) == [("forgot pin", 1.0)]
    assert telling([("pin", 1.0), ("forgot pin", 0.4)]) == [("pin", 1.0)]


def test_nothing_telling_is_said_so() -> None:
    assert telling([("", 0.1), ("fee", 0.0)]) == []
    assert label([]) == "(no words in common)"


@pytest.mark.parametrize(
    ("said", "read"),
    [
        ("<script>alert(1)</script> my card", "alert(1) my card"),
        ('<img src=x onerror="alert(1)">lost', "lost"),
        ("<!-- hidden --> shown", "shown"),
        ("mail me@x.example or see https://x.example/?a=1 now", "mail or see now"),
        ("a < b and b > a", "a < b and b > a"),
        ("don’t\u200b  stop\n\nnow", "don't stop now"),
        ("[name] has [card]", "has"),
        ("", ""),
    ],
)
def test_only_what_the_customer_said_is_read(said: str, read: str) -> None:
    assert pl.select(readable(pl.lit(said))).item() == read


def test_a_megabyte_is_cut() -> None:
    assert pl.select(readable(pl.lit("<" * 1_000_000)).str.len_chars()).item() == LONGEST


def test_the_same_words_are_the_same_gist_whatever_their_order_case_and_numbers() -> None:
    told = pl.Series(["Invoice 17 is WRONG", "wrong is invoice, 4711 wrong!", "invoice is right", None])
    assert pl.select(gist(told)).to_series().to_list() == ["invoice is wrong", "invoice is wrong", "invoice is right", None]
