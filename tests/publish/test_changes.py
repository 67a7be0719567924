"""What moved is said with its direction; a renamed thing is the same thing, and another definition is never movement."""

from __future__ import annotations

from typing import Any

from test_findings import content, measured

from fcrlib.model.finding import Finding, Measure
from fcrlib.publish import changes, findings


def later(made: dict[str, Any], label: str = "2026Q4") -> dict[str, Any]:
    return {**made, "period": {**made["period"], "label": label}}


def test_a_renamed_way_of_failing_is_not_new() -> None:
    before = content(measured("failure-mode-old", 0.2, low=0.18, high=0.22, n=900, good="down"))
    renamed = Finding("failure-mode-new", "mode", "t", measure=Measure(0.3, 0.28, 0.32, 900, good="down"), was=("failure-mode-old",))
    found = findings.compare(content(renamed), before)
    assert found["failure-mode-new"].label == "up"
    assert "failure-mode-old" not in found
    assert findings.compare(content(measured("failure-mode-new", 0.3, n=900)), before)["failure-mode-new"].label == "new"


def test_ways_told_apart_by_another_taxonomy_are_not_compared() -> None:
    one, other = (Finding("m", "mode", "t", measure=Measure(share, n=9000), details={"taxonomy": mark}) for share, mark in ((0.2, "a"), (0.4, "b")))
    found = findings.compare(content(other), content(one))["m"]
    assert (found.label, found.delta) == ("not comparable", None)
    assert "told apart differently" in found.why
    assert findings.compare(content(other), content(measured("m", 0.2, n=9000)))["m"].label == "up"


def test_the_text_of_a_difference_names_everything_once() -> None:
    before = content(measured("falls", 0.7, n=30000, good="up"), measured("stays", 0.5, n=50), measured("gone", 0.5, n=50))
    now = later(content(measured("falls", 0.6, n=30000, good="up"), measured("stays", 0.51, n=50), measured("fresh", 0.5, n=50)))
    text = findings.diff_text(before, now)
    assert text.splitlines()[0] == "2026Q3 -> 2026Q4"
    assert "Went down:\n  Falls: ▼ −10.0 points since 2026Q3, worse" in text
    assert "New among the findings:\n  Fresh\n" in text
    assert "No longer among the findings:\n  Gone\n" in text
    assert text.index("Went down") < text.index("New among") < text.index("No longer among") < text.index("No clear change")


def test_the_text_of_two_definitions_has_no_arrow() -> None:
    text = findings.diff_text(content(measured("a", 0.9, n=9999)), later(content(measured("a", 0.5, n=9999), policy="customer_30d")))
    assert "defined differently now" in text
    assert not set(text) & set("▲▼")


def test_reports_that_measure_nothing_say_so() -> None:
    assert "Neither report measures" in findings.diff_text(content(), later(content()))


def test_clear_lines_leave_out_what_did_not_move() -> None:
    before, now = content(measured("a", 0.5, n=50)), content(measured("a", 0.51, n=50))
    compared = findings.compared(now, before)
    assert [line["label"] for line in changes.lines(compared)] == ["within noise"]
    assert changes.clear(compared) == []


def test_a_finding_without_a_number_has_nothing_that_could_move() -> None:
    bare = content(Finding("weeks", "finding", "Week by week", figures=()))
    assert findings.compare(bare, bare) == {}
    assert changes.lines(findings.compared(bare, bare)) == []


def test_another_definition_leaves_no_arrow_even_where_the_notebook_compared_by_one() -> None:
    own = {"label": "up", "before": 0.4, "delta": 0.1, "why": "", "previous": "2026Q3", "of": ""}
    before = content(measured("falls", 0.7, n=30000, good="up"), measured("gone", 0.5, n=50))
    now = later(content(measured("falls", 0.6, n=30000, good="up"), measured("fresh", 0.5, n=50)))
    told = {**now, "findings": [{**fields, "change": own} for fields in now["findings"]]}
    assert [fields["change"] for fields in findings.compared(told, before)["findings"]] == [own, own]
    other = findings.compared({**told, "definitions": {**told["definitions"], "fingerprint": "another"}}, before)
    assert [fields["change"] and fields["change"]["why"] for fields in other["findings"]] == [changes.REDEFINED, None]
    assert other["gone"] == []
    assert [one["label"] for one in changes.lines(other)] == ["not comparable"]
    assert not any(arrow in findings.write(other) for arrow in "▲▼")


def test_what_became_of_an_action_is_told_in_its_own_part_only() -> None:
    action = Finding("a", "finding", "t", measure=Measure(0.5, n=50), details={"part": "actions"})
    assert changes.measured(content(action)) == []
    assert len(changes.measured(content(measured("a", 0.5)))) == 1
