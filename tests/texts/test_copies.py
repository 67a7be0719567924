"""Are near copies found, and are texts that only sound alike kept apart?"""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest

from fcrlib.texts.copies import copies

WORDS = (
    "invoice", "export", "login", "seat", "report", "import", "phone", "page", "server", "card", "plan", "user", "file", "mail", "code", "rate", "total",
    "team", "role", "sync",
)  # fmt: skip


def grouped(*texts: str | None) -> list[int]:
    return copies(pl.Series(texts, dtype=pl.String)).to_list()


def test_numbers_case_marks_and_masked_names_make_no_difference() -> None:
    assert grouped("Job 7 hangs, see [email]", "job A-8812 HANGS see [phone]!", "job hangs") == [0, 0, 1]


def test_one_word_more_in_a_long_text_is_a_copy_and_in_a_short_one_is_not() -> None:
    long = "our whole team gets a white page after the login since this morning and nobody can work on the open orders of our customers"
    assert grouped(long, f"{long} please", "page white", "page white login") == [0, 0, 1, 2]


def test_the_same_words_about_something_else_are_not_copies() -> None:
    assert grouped("the user of the old plan cannot open a report", "the report of the old user cannot open a plan today with us") == [0, 1]


def test_empty_texts_belong_together_and_no_texts_are_no_groups() -> None:
    assert grouped("", None, "...", "a word") == [0, 0, 0, 1]
    assert grouped() == []
    assert copies(pl.Series(["x"])).dtype == pl.Int64


def storm(*, seed: int, texts: int) -> tuple[pl.Series, list[int]]:
    """Texts of 25 words of their own, each sent three times with another last word."""
    rng = np.random.default_rng(seed)
    own = [" ".join(f"{WORDS[a]}{WORDS[b]}" for a, b in rng.integers(0, len(WORDS), (25, 2))) for _ in range(texts)]
    told = [f"{text} {WORDS[last]}" for text in own for last in rng.integers(0, len(WORDS), 3)]
    return pl.Series(told), [row // 3 for row in range(3 * texts)]


@pytest.mark.parametrize("seed", [1, 2])
def test_planted_copies_are_found_and_nothing_else(seed: int) -> None:
    texts, truth = storm(seed=seed, texts=400)
    found = copies(texts).to_list()
    pairs = {(found[row], truth[row]) for row in range(len(truth))}
    assert len(set(found)) >= 400
    assert len(pairs) == len(set(found))  # no group holds two matters
    assert len(set(found)) <= 410


def test_groups_do_not_depend_on_the_order() -> None:
    texts, _ = storm(seed=3, texts=60)
    order = np.random.default_rng(1).permutation(len(texts))
    first, other = np.array(copies(texts).to_list())[order], np.array(copies(texts.gather(order)).to_list())
    assert len(set(zip(first, other, strict=True))) == len(set(first)) == len(set(other))
