"""Do the sentences about the helpdesk's own figures say what was compared, and no more?"""

from __future__ import annotations

from typing import Any

import polars as pl
import pytest

from fcrlib.show.telling import reconciled as telling

SCHEMA = {
    **dict.fromkeys(("source", "figure"), pl.String), **dict.fromkeys(("n", "agree"), pl.Int64), **dict.fromkeys(("share", "low", "high"), pl.Float64),
    **dict.fromkeys(("vendor", "ours"), pl.Int64), "apart": pl.Float64, "explained": pl.Int64, "reason": pl.String, "blind": pl.Int64, "missing": pl.String,
}  # fmt: skip
ABSENT = "the export brings no such figure of the helpdesk's"


def figure(name: str, n: int, agree: int, **more: Any) -> dict[str, Any]:
    share = agree / n if n else None
    return {
        "source": "zendesk",
        "figure": name,
        "n": n,
        "agree": agree,
        "share": share,
        "low": share,
        "high": share,
        "explained": 0,
        "blind": 0,
        **more,
    }


def table(*rows: dict[str, Any]) -> pl.DataFrame:
    return pl.DataFrame(rows, schema=SCHEMA)


AGREED = figure("reopens", 100, 100, vendor=7, ours=7)
GAP = figure("stations", 1000, 610, vendor=1500, ours=900, explained=300, reason="the first assignment is counted (300)")
LAST = figure("first resolved", 50, 20, explained=0, apart=-30.0)
GONE = figure("replies", 0, 0, missing=ABSENT)
BLIND = figure("one touch", 0, 0, missing="the export holds no status changes")


def test_the_largest_gap_is_named_with_how_much_of_it_is_explained() -> None:
    said = telling.largest_gap(table(AGREED, GAP, GONE))
    assert said == "Largest gap: stations, the same on 61.0 % of 1,000 contacts; another way of counting explains 300 of the 390 that differ"


@pytest.mark.parametrize(("explained", "said"), [(0, "none of the 390 that differ"), (390, "all 390 that differ")])
def test_none_and_all_are_said_in_words(explained: int, said: str) -> None:
    assert telling.largest_gap(table(GAP | {"explained": explained})).endswith(said)


def test_agreement_is_only_said_of_what_was_compared() -> None:
    assert telling.largest_gap(table(AGREED, GONE)) == "The helpdesk's figures and ours agree on every contact (reopens)"
    for nothing in (table(GONE, BLIND), table()):
        assert telling.largest_gap(nothing) == "Nothing can be compared with the helpdesk's own screen"
        assert telling.differing(nothing) == "No figure could be compared, so no contact differs"


def test_the_gaps_are_counted_over_the_figures() -> None:
    assert telling.differing(table(AGREED, GAP, LAST)) == "420 figures of single contacts differ; 120 of them follow no rule that we know"
    assert telling.differing(table(AGREED)) == "No contact differs in any figure"


def test_the_table_says_why_or_why_not() -> None:
    told = {row["figure"]: row for row in telling.told(table(AGREED, GAP, LAST, BLIND)).to_dicts()}
    assert told["stations"]["why"] == "the first assignment is counted (300); 90 follow no rule that we know"
    assert (told["stations"]["vendor"], told["stations"]["ours"]) == ("1,500", "900")
    assert told["first resolved"]["why"] == "30 follow no rule that we know; half of those that differ lie 30.0 hours or more apart"
    assert told["first resolved"]["vendor"] == ""
    assert told["one touch"]["why"] == "not comparable: the export holds no status changes"
    assert (told["one touch"]["explained"], told["reopens"]["explained"], told["reopens"]["why"]) == (None, 0, "")


def test_contacts_without_a_history_are_counted_beside_the_comparison() -> None:
    told = telling.told(table(AGREED | {"blind": 12}))
    assert told["why"].to_list() == ["12 more could not be compared: their history is not in the export"]


def test_a_terminal_gets_one_line_for_all_that_the_export_does_not_bring() -> None:
    lines = telling.lines(table(AGREED, GONE, figure("SLA met", 0, 0, missing=ABSENT), BLIND))
    assert lines == [
        ("reopens", "the same on 100.0 % of 100 (helpdesk 7, ours 7)"),
        ("one touch", "not comparable: the export holds no status changes"),
        ("not there", "the export brings no figure of the helpdesk's own for replies or SLA met"),
    ]


def test_figures_of_several_sources_carry_the_name_of_theirs() -> None:
    assert [what for what, _ in telling.lines(table(AGREED, GAP | {"source": "jira"}))] == ["zendesk: reopens", "jira: stations"]


def test_whole_hours_between_two_clocks_are_a_caution_and_nothing_else_is() -> None:
    rule = "the times are exactly 2 hours later: is the time zone right? (1,395); times are cut to the hour (5)"
    shifted = figure("first resolved", 1500, 100, explained=1400, reason=rule)
    (found,) = telling.findings(table(GAP, shifted), figure="reconciled")
    assert (found.id, found.role, found.figures) == ("care-time-zone-zendesk", "care", ("reconciled",))
    assert found.title == (
        "On 93.0 % of 1,500 contacts of zendesk the helpdesk's resolution stands exactly 2 hours later than ours: is the time zone right?"
    )
    assert telling.findings(table(AGREED, GAP, LAST), figure="reconciled") == []
