"""Is a remark that reads like an example found, and one that reads like nothing left alone?"""

from __future__ import annotations

import polars as pl
import pytest

from fcrlib.model.taxonomy import Taxonomy
from fcrlib.signs.examples import likeness, nearest, remarks

SHIPPED = Taxonomy.shipped()


def told(*texts: str, voice: str = "customer") -> pl.DataFrame:
    ids = [str(place) for place in range(len(texts))]
    return pl.DataFrame({"source": ["zd"] * len(texts), "contact_id": ids, "voice": [voice] * len(texts), "text": list(texts)})


def test_every_example_is_closest_to_its_own_way() -> None:
    for mode in SHIPPED.modes:
        found = likeness(pl.Series("remark", [text.lower() for text in mode.examples]), taxonomy=SHIPPED)
        assert found["mode"].to_list() == [mode.slug] * len(mode.examples)


def test_ordinary_sentences_are_no_sign() -> None:
    assert nearest(told(*[text.lower() for text in SHIPPED.ordinary]), taxonomy=SHIPPED).is_empty()


@pytest.mark.parametrize("text", ["thanks", "x", "", "12345 67890 12345 67890 12345", "zzzz qqqq wwww kkkk vvvv jjjj"])
def test_what_says_nothing_reads_like_nothing(text: str) -> None:
    assert nearest(told(text), taxonomy=SHIPPED).is_empty()


def test_spelling_mistakes_and_other_endings_do_not_hide_it() -> None:
    found = nearest(told("i was suposed to hear from yuo on friday and ther was nothing"), taxonomy=SHIPPED)
    assert found["mode"].to_list() == ["deferred-promise"]


def test_an_agents_public_words_are_not_compared() -> None:
    text = SHIPPED.mode("deferred-promise").examples[1].lower()
    assert nearest(told(text), taxonomy=SHIPPED).height == 1
    assert nearest(told(text, voice="agent"), taxonomy=SHIPPED).is_empty()


def test_a_remark_is_judged_alike_whatever_stands_beside_it() -> None:
    text = "i was supposed to hear from you by friday and there has been nothing."
    alone = likeness(pl.Series("remark", [text]), taxonomy=SHIPPED)
    among = likeness(pl.Series("remark", ["the weather is fine today", text, "kein anschluss unter dieser nummer"]), taxonomy=SHIPPED)
    assert among["similarity"][1] == pytest.approx(alone["similarity"][0])
    assert among["mode"][1] == alone["mode"][0]


def test_a_taxonomy_without_examples_finds_nothing() -> None:
    bare = Taxonomy.model_validate(
        {**SHIPPED.model_dump(), "ordinary": (), "modes": [{**mode.model_dump(), "examples": ()} for mode in SHIPPED.modes]}
    )
    assert nearest(told("i was supposed to hear from you by friday"), taxonomy=bare).is_empty()
    assert nearest(told().cast({"text": pl.String}), taxonomy=SHIPPED).is_empty()


def test_what_people_tagged_serves_as_further_examples() -> None:
    text = "the courier left the parcel with a neighbour whom nobody knows"
    assert nearest(told(text), taxonomy=SHIPPED).is_empty()
    marked = pl.DataFrame({"mode": ["customer-side"] * 2, "text": [text, "the courier left my parcel with some neighbour"]})
    assert nearest(told(text), taxonomy=SHIPPED, marked=marked)["mode"].to_list() == ["customer-side"]


def test_texts_are_taken_apart_by_line() -> None:
    parts = remarks(told("the first line is long enough\n  \nok\nthe second line is long enough too"))
    assert parts["remark"].to_list() == ["the first line is long enough", "the second line is long enough too"]
