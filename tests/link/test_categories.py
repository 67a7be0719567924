"""Are labels that a person would read as one found, and those that mean two things left alone?"""

from __future__ import annotations

import time

import polars as pl
import pytest
from polars.testing import assert_frame_equal

from fcrlib.link import categories
from fcrlib.model.errors import UsageError


def labelled(counts: dict[str, int], channel: str = "email") -> pl.DataFrame:
    names = [name for name, n in counts.items() for _ in range(n)]
    return pl.DataFrame({"category": names, "channel": [channel] * len(names)}, schema={"category": pl.String, "channel": pl.String})


def kind(one: str, other: str) -> str | None:
    pairs = categories.alike(labelled({one: 2, other: 1}))
    assert pairs.height <= 1
    return pairs["kind"][0] if pairs.height else None


@pytest.mark.parametrize(
    ("one", "other", "difference"),
    [
        ("billing", "BILLING", "upper and lower case"),
        ("billing issue", " billing  issue", "spaces"),
        ("log in", "login", "spaces"),
        ("log-in", "login", "punctuation"),
        ("sign_up", "Sign up!", "punctuation"),
        ("Kündigung", "kundigung", "accents"),
        ("réseau", "re\u0301seau", "upper and lower case"),
        ("invoice", "Invoices", "plural"),
        ("query", "queries", "plural"),
        ("billing question", "Questions: billing", "word order"),
        ("subscription", "subscripton", "spelling"),
    ],
)
def test_labels_that_differ_in_writing_are_paired(one: str, other: str, difference: str) -> None:
    assert kind(one, other) == difference


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("login", "logout"),
        ("activation", "deactivation"),
        ("subscribe", "unsubscribe"),
        ("error code 404", "error code 405"),
        ("status", "stat"),
        ("access", "acces2"),
        ("???", "!!!"),
        ("请求", "查询"),
        ("iOS", "iPad"),
    ],
)
def test_labels_that_mean_two_things_are_left_alone(one: str, other: str) -> None:
    assert kind(one, other) is None


def test_the_more_frequent_label_leads_and_each_variant_is_named_once() -> None:
    pairs = categories.alike(labelled({"billing": 5, "Billing": 3, "BILLING": 1, "biling": 1}))
    assert pairs.select("label", "n", "variant", "variant_n").rows() == [
        ("billing", 5, "Billing", 3),
        ("billing", 5, "BILLING", 1),
        ("billing", 5, "biling", 1),
    ]
    assert pairs["likeness"].to_list()[:2] == [1.0, 1.0]


def test_the_channels_of_both_labels_are_told() -> None:
    mixed = pl.concat([labelled({"billing": 3}), labelled({"Billing": 1, "billing": 1}, "phone")])
    assert categories.alike(mixed).select("channels", "variant_channels").row(0) == ("email, phone", "phone")


def test_nothing_is_alike_where_nothing_is_labelled() -> None:
    blank = pl.DataFrame({"category": [None, None], "channel": ["email"] * 2}, schema={"category": pl.String, "channel": pl.String})
    assert categories.alike(blank).is_empty()
    assert categories.alike(blank.clear()).columns == categories.alike(labelled({"a": 1, "A": 1})).columns
    assert categories.extent(blank) == (0, 0)


def test_only_the_most_frequent_labels_are_compared() -> None:
    many = labelled({**{f"label {n}": 3 for n in range(10)}, "Label 3": 1})
    assert categories.alike(many)["variant"].to_list() == ["Label 3"]
    assert categories.alike(many, most=10).is_empty()
    assert categories.extent(many, most=10) == (10, 11)


@pytest.mark.slow
def test_five_hundred_long_labels_of_the_same_letters_are_compared_in_seconds() -> None:
    import random

    dice = random.Random(3)
    letters = list("thequickbrownfoxjumpsover")
    rows = {"".join(dice.sample(letters, len(letters))): 1 for _ in range(700)}
    start = time.monotonic()
    categories.alike(labelled(rows))
    assert time.monotonic() - start < 20


def test_a_proposal_holds_only_what_is_the_same_for_every_reader() -> None:
    pairs = categories.alike(labelled({"billing": 5, "Billing": 3, "biling": 1, "invoice": 2, "invoices": 1}))
    assert categories.proposal(pairs) == {"Billing": "billing"}


def test_harmonised_renames_what_the_mapping_names_and_nothing_else() -> None:
    before = labelled({"Billing": 2, "login": 1, "Login ": 1})
    after = categories.harmonised(before, mapping={"Billing": "billing", "login": "sign-in"})
    assert after["category"].to_list() == ["billing", "billing", "sign-in", "Login "]
    assert_frame_equal(after.drop("category"), before.drop("category"))
    assert_frame_equal(categories.harmonised(before, mapping={}), before)


def test_labels_are_renamed_once_and_composed_letters_do_not_matter() -> None:
    chain = categories.harmonised(labelled({"a": 1, "b": 1}), mapping={"a": "b", "b": "c"})
    assert chain["category"].to_list() == ["b", "c"]
    accents = categories.harmonised(labelled({"re\u0301seau": 1}), mapping={"réseau": "network"})
    assert accents["category"].to_list() == ["network"]


def test_a_mapping_that_matches_nothing_is_told() -> None:
    frame = labelled({"Billing": 2})
    assert categories.unmatched(frame, mapping={"Billing": "billing", "Biling": "billing", "A": "b"}) == ["A", "Biling"]


def test_an_empty_label_is_refused_with_every_mistake() -> None:
    with pytest.raises(UsageError) as error:
        categories.harmonised(labelled({"a": 1}), mapping={"": "x", "a": " ", "b": "c"})
    assert len(error.value.problems) == 2


def test_harmonising_what_was_found_leaves_nothing_to_find() -> None:
    frame = labelled({"billing": 5, "Billing": 3, "log-in": 2, "LOGIN": 1, "login": 1})
    mapping = categories.proposal(categories.alike(frame))
    assert categories.alike(categories.harmonised(frame, mapping=mapping)).is_empty()
