"""How much of the personal data in a hostile, labelled set of texts leaves, and how much else goes with it?"""

from __future__ import annotations

import re
import tomllib
from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from fcrlib.intake.redact import leaks, redacted
from fcrlib.model.redaction import KINDS, Redaction

MARKED = re.compile(r"⟦(\w+):(.*?)⟧", re.DOTALL)
GROUPS: dict[str, dict[str, Any]] = tomllib.loads(Path(__file__).with_name("redaction.toml").read_text(encoding="utf-8"))
# (precision, recall) at least. Measured now 1.00 for both, but for the precision of telephones (0.99: a meter that reads like an area code).
# The shapes were mended on these very texts, so this is no estimate for others: `later` stood at 0.83 and 0.71 before that.
# The group `unseen` is such an estimate: nothing was mended on it, and it keeps what it gets wrong.
# What the door before this one reached on the same texts stands behind each.
FLOORS = {
    "email": (0.97, 0.97),  # 0.84 0.77
    "phone": (0.96, 0.96),  # 0.80 0.69
    "iban": (1.0, 1.0),  # 1.00 0.93
    "card": (1.0, 1.0),  # 0.82 0.69
    "url": (1.0, 1.0),  # 1.00 0.64
    "ip": (1.0, 1.0),  # 0.50 0.70
    "secret": (1.0, 0.94),  # none
    "name": (0.98, 0.98),  # 0.84 0.36
    "address": (0.95, 0.95),  # 0.63 0.50
}


def cleaned(texts: list[str], group: dict[str, Any]) -> list[str]:
    rules = Redaction(patterns=group.get("patterns", {}), keep=tuple(group.get("keep", ())))
    return redacted(pl.Series(texts), redaction=rules, country=group.get("country"), names=group.get("names", ())).to_list()


def judged_groups(names: Iterable[str]) -> list[tuple[str, str, str]]:
    """Group, what should be left, what was left; every text is read with the rules of its group."""
    rows = []
    for name in names:
        group = GROUPS[name]
        raw = [MARKED.sub(r"\2", text) for text in group["texts"]]
        wanted = [MARKED.sub(r"[\1]", text) for text in group["texts"]]
        rows += [(name, want, left) for want, left in zip(wanted, cleaned(raw, group), strict=True)]
    return rows


@pytest.fixture(scope="module")
def judged() -> list[tuple[str, str, str]]:
    return judged_groups(name for name in GROUPS if name != "unseen")


def test_the_set_is_large_and_holds_both_sides() -> None:
    data = Counter(match[1] for group in GROUPS.values() for text in group["texts"] for match in MARKED.finditer(text))
    plain = [text for group in GROUPS.values() for text in group["texts"] if not MARKED.search(text)]
    assert sum(len(group["texts"]) for group in GROUPS.values()) >= 550
    assert all(data[kind] >= 9 for kind in KINDS)
    assert len(plain) >= 120


@pytest.mark.parametrize("kind", KINDS)
def test_what_is_personal_leaves_and_nothing_else_does(kind: str, judged: list[tuple[str, str, str]]) -> None:
    token = f"[{kind}]"
    right = sum(min(want.count(token), left.count(token)) for _, want, left in judged)
    taken, meant = (sum(row[side].count(token) for row in judged) for side in (2, 1))
    precision, recall = FLOORS[kind]
    assert right / taken >= precision, [left for _, want, left in judged if left.count(token) > want.count(token)]
    assert right / meant >= recall, [left for _, want, left in judged if left.count(token) < want.count(token)]


def test_nearly_every_text_is_left_as_it_should_be_to_the_letter(judged: list[tuple[str, str, str]]) -> None:
    wrong = [(want, left) for _, want, left in judged if want != left]
    assert len(wrong) / len(judged) <= 0.01, wrong


def test_texts_that_nothing_was_mended_on_are_cleaned_nearly_as_well() -> None:
    """Measured 0.93 and 1.00: versions of four numbers after a word that is not known read like addresses of the net. Before: 0.87 and 0.90."""
    rows = judged_groups(["unseen"])
    tokens = [f"[{kind}]" for kind in KINDS]
    right = sum(min(want.count(token), left.count(token)) for _, want, left in rows for token in tokens)
    meant, taken = (sum(row[side].count(token) for row in rows for token in tokens) for side in (1, 2))
    assert right / taken >= 0.92
    assert right / meant >= 0.98


def test_names_that_are_words_stay_words(judged: list[tuple[str, str, str]]) -> None:
    assert [(want, left) for name, want, left in judged if name == "known" and want != left] == []


def test_what_may_stay_stays_and_own_patterns_go(judged: list[tuple[str, str, str]]) -> None:
    assert [(want, left) for name, want, left in judged if name == "own" and want != left] == []


def test_reading_it_twice_changes_nothing() -> None:
    for group in GROUPS.values():
        once = cleaned([MARKED.sub(r"\2", text) for text in group["texts"]], group)
        assert cleaned(once, group) == once


def test_many_texts_are_read_as_each_alone() -> None:
    texts = [MARKED.sub(r"\2", text) for text in GROUPS["everywhere"]["texts"]][::9]
    assert cleaned(texts, {}) == [cleaned([text], {})[0] for text in texts]


def test_the_gate_before_publishing_finds_what_the_door_takes() -> None:
    """Kinds that can be told in a page; what is spelled out or needs a word beside it is the door's alone."""
    for kind, share in (("email", 0.7), ("iban", 1.0), ("card", 1.0), ("phone", 0.75)):
        told = [MARKED.sub(r"\2", text) for text in GROUPS["everywhere"]["texts"] if f"⟦{kind}:" in text]
        assert sum(kind in leaks(text) for text in told) / len(told) >= share, [text for text in told if kind not in leaks(text)]


def test_the_gate_lets_through_what_is_nothing_and_what_was_cleaned() -> None:
    nothing = [text for text in GROUPS["nothing"]["texts"] if "meter 4711" not in text]
    assert {text: leaks(text) for text in nothing if leaks(text)} == {}
    for group in GROUPS.values():
        left = cleaned([MARKED.sub(r"\2", text) for text in group["texts"]], group)
        rules = Redaction(keep=tuple(group.get("keep", ())))
        assert {text: leaks(text, redaction=rules) for text in left if leaks(text, redaction=rules)} == {}
