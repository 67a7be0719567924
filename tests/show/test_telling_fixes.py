"""Whether what was done worked is told with its size, its comparison and its limits, and never more than that."""

from __future__ import annotations

from datetime import date

import polars as pl
import pytest

from fcrlib.explain.effects import ACTION, CHANGE, EFFECT
from fcrlib.show.telling import fixes

SEEN = {
    "slug": "undocumented-bug", "what": "Mend the redirect", "owner": "Identity", "place": "category=login and tier=basic", "done": date(2026, 8, 10),
    "check": date(2026, 10, 1), "status": "fell", "n_before": 400, "n_after": 300, "before": 0.5, "after": 0.3, "others_before": 0.28,
    "others_after": 0.3, "effect": -0.2, "low": -0.27, "high": -0.13, "regression": 0.02, "placebos": 6, "placebo_largest": 0.04, "grade": "B", "why": "compared",
}  # fmt: skip


def acted(**other: object) -> pl.DataFrame:
    return pl.DataFrame([{**SEEN, **other}], schema=ACTION | EFFECT)


def test_a_fix_that_worked_says_its_size_and_what_it_is_compared_with() -> None:
    (found,) = fixes.findings(acted(), figure="acted")
    assert found.title == "Mend the redirect: failures fell 20.0 points since"
    assert (
        "30.0 % of the first contacts (category “login” and tier “basic”) failed, against 50.0 % before, while all others went from 28.0 % to 30.0 %"
        in found.statement
    )
    assert "2.0 points lower than seen" in found.statement
    assert (found.grade, found.owner, found.check, found.details["part"]) == ("B", "Identity", "2026-10-01", "actions")
    assert found.measure is not None
    assert (found.measure.value, found.measure.low, found.measure.high, found.measure.n) == (-0.2, -0.27, -0.13, 300)


@pytest.mark.parametrize(("hoped", "word"), [(0.2, "within reach"), (0.4, "less than the 40.0 points"), (0.05, "more than the 5.0 points")])
def test_what_was_hoped_for_is_held_against_what_was_seen(hoped: float, word: str) -> None:
    assert word in fixes.findings(acted(expected=hoped))[0].statement


def test_no_clear_change_says_which_fall_is_excluded_and_never_that_there_was_none() -> None:
    (found,) = fixes.findings(acted(status="no clear change", effect=-0.02, low=-0.07, high=0.03))
    assert "A fall of more than 7.0 points is excluded" in found.statement
    assert "no effect" not in found.title + found.statement


@pytest.mark.parametrize("status", ["too early", "too few contacts", "not done yet", "place not on this desk"])
def test_what_cannot_be_judged_gets_a_sentence_and_no_number(status: str) -> None:
    blank = dict.fromkeys(EFFECT) | {"status": status}
    (found,) = fixes.findings(acted(**blank), figure="acted")
    assert found.statement
    assert (found.measure, found.figures, found.grade) == (None, (), None)


def test_hostile_words_stay_words() -> None:
    (found,) = fixes.findings(acted(what="<script>alert(1)</script> [x](javascript:1)", owner="<img src=x>"))
    assert found.id.startswith("action-undocumented-bug-")
    assert set(found.id) <= set("abcdefghijklmnopqrstuvwxyz0123456789-")


def test_the_headline_counts_every_action_once() -> None:
    three = pl.concat([acted(), acted(status="no clear change"), acted(**(dict.fromkeys(EFFECT) | {"status": "too early"}))])
    assert fixes.headline(three) == "Of 3 actions: 1 with fewer failures after it, 1 with no clear change after it, 1 that cannot be judged yet"
    assert fixes.headline(three.clear()) == "Nothing is written down that was done about earlier findings"
    assert len(fixes.figure(three, id="acted").numbers) == 3
    assert "<svg" in fixes.figure(three, id="acted").svg()


def test_logged_changes_are_told_by_the_largest_move_or_by_none() -> None:
    told = {"at": date(2026, 7, 6), "kind": "release", "place": "category=login", "note": "=cmd()"}
    seen = {name: value for name, value in SEEN.items() if name in EFFECT}
    log = pl.DataFrame(
        [told | seen | {"status": "rose", "effect": 0.34}, told | seen | {"status": "fell"}, told | dict.fromkeys(EFFECT) | {"status": "too early"}],
        schema=CHANGE | EFFECT,
    )
    assert fixes.changed(log).startswith("Since the release of 06 July 2026, category “login” failed 34.0 points more than before")
    assert fixes.changed(log.tail(1)).startswith("After none of the 1 logged changes")
    assert fixes.changed(log.clear()).startswith("No release")
    assert len(fixes.changes(log, id="log").numbers) == 3
