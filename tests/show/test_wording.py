"""Are words that claim too much found, and honest sentences let through?"""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from fcrlib.model.evidence import GRADES, Grade
from fcrlib.model.finding import MIMETYPE, Finding, Measure
from fcrlib.model.taxonomy import Taxonomy
from fcrlib.show.claims import RULES
from fcrlib.show.telling.headline import REASONS
from fcrlib.show.wording import grade_of, lint, lint_findings, lint_notebook, lint_report, lint_text, names_in

SENTENCES = json.loads((Path(__file__).parent / "worded.json").read_text(encoding="utf-8"))
PLAIN = [(one["grade"], one["says"]) for one in SENTENCES if not one["slip"]]
LOUD = [(one["grade"], one["says"], one["slip"]) for one in SENTENCES if one["slip"]]


def found(text: str, grade: Grade = "C") -> list[str]:
    return [slip.what for slip in lint(text, grade)]


@pytest.mark.parametrize(("grade", "says"), PLAIN)
def test_an_honest_sentence_is_let_through(grade: Grade, says: str) -> None:
    assert lint(says, grade) == []


@pytest.mark.parametrize(("grade", "says", "slip"), LOUD)
def test_words_that_claim_too_much_are_named(grade: Grade, says: str, slip: str) -> None:
    named = [what.lower() for what in found(says, grade)]
    assert any(slip.lower() in what or what in slip.lower() for what in named)


@pytest.mark.parametrize(("grade", "says", "slip"), LOUD)
def test_the_same_words_in_quotation_marks_are_somebody_elses(grade: Grade, says: str, slip: str) -> None:
    assert lint(f"A customer wrote: “{says}”", grade) == []


def test_a_worse_grade_never_allows_more() -> None:
    for rule in RULES:
        held = [grade in rule.grades for grade in GRADES]
        assert held == sorted(held)
    assert all(len(found(one["says"], "D")) >= len(found(one["says"], one["grade"])) for one in SENTENCES)


def test_a_slip_says_what_where_why_and_what_to_write_instead() -> None:
    (slip,) = lint("Login fails more. Handovers cause repeats, as ever.\nThat was all.", "C")
    assert (slip.what, slip.where) == ("cause", "Handovers cause repeats, as ever.")
    assert "associated with" in slip.instead
    assert "“Handovers cause repeats, as ever.”" in f"{slip}"


@pytest.mark.parametrize("reason", [words for words in REASONS.values() if words.startswith(("was", "needed"))])
def test_the_rule_that_gave_a_contact_its_label_is_no_claim(reason: str) -> None:
    assert found(f"Of the 1,977 that failed, 53 % failed first because the contact {reason}.", "D") == []


def test_the_taxonomy_is_worded_for_grade_d() -> None:
    for mode in Taxonomy.shipped().modes:
        assert lint(f"{mode.meaning} {mode.said}", "D") == []


def test_values_of_the_data_are_no_claim_where_they_are_named() -> None:
    said = "Impact of errors resolves least on first contact: 61.5 % against 67.7 % of all"
    assert found(said) == ["Impact"]
    assert lint(said, "C", names=["impact of errors"]) == []
    assert found("Handovers impact satisfaction") == [slip.what for slip in lint("Handovers impact satisfaction", "C", names=["errors"])]
    assert lint_findings([Finding("a", "finding", said, grade="D", details={"place": "category=impact of errors"})]) == []
    noted = Finding("a", "finding", "Improve the routing of repeats: failures fell 2.0 points since", grade="D")
    assert lint_findings([noted])
    assert lint_findings([replace(noted, details={"names": ["Improve the routing of repeats"]})]) == []


def test_the_names_of_a_report_are_the_short_texts_in_its_tables() -> None:
    sentence = "Contacts about login fail more often than others do there"
    assert names_in([{"rows": [["impact of errors", 12, None, sentence, "", "a"]]}]) == ["impact of errors"]


def test_a_finding_without_a_grade_is_held_to_d_unless_it_only_counts() -> None:
    assert grade_of(Finding("a", "finding", "x")) == "D"
    assert grade_of(Finding("a", "finding", "x", grade="B")) == "B"
    assert {grade_of(Finding("a", role, "x")) for role in ("kpi", "care", "headline", "summary")} == {"C"}
    adjusted = "After adjustment for channel, login fails more."
    assert [slip.place for slip in lint_findings([Finding("one", "care", adjusted), Finding("two", "finding", adjusted)])] == ["two"]


def test_every_part_of_a_finding_is_read_and_an_action_may_ask_for_an_improvement() -> None:
    claim = "Handovers cause repeats."
    plain = {"id": "a", "role": "finding", "title": "x", "grade": "C", "chain": [claim]}
    parts = [Finding.from_json({**plain, part: claim}) for part in ("statement", "why", "action", "check")]
    assert [slip.what for slip in lint_findings([Finding("a", "finding", claim, grade="C"), *parts])] == ["cause"] * 9
    assert lint_findings([Finding("a", "finding", "x", action="Improve the article.", grade="D")]) == []
    assert lint_findings([Finding("a", "finding", "x", action="A new article will reduce repeats.", grade="D")])


def test_a_customers_words_are_never_held_against_a_finding() -> None:
    quoted = Finding("a", "finding", "Read these first", examples=(("demo:1", "This caused a huge impact"),), grade="D")
    assert lint_findings([quoted]) == []


def test_all_or_nothing_of_a_handful_is_a_slip() -> None:
    few, many = (Finding("a", "finding", "Login", measure=Measure(0.0, 0.0, 0.6, n), grade="D") for n in (4, 400))
    assert len(lint_findings([few])) == 1
    assert lint_findings([many]) == []


def test_text_of_the_manual_is_held_to_it_only_where_it_speaks_of_outcomes() -> None:
    assert lint_text("A wrong mapping causes the reader to stop.") == []
    assert [slip.what for slip in lint_text("A wrong article causes failures.")] == ["causes"]


def test_a_notebook_is_read_cell_by_cell(tmp_path: Path) -> None:
    shown = Finding("bad", "finding", "Handovers cause repeats", grade="C").as_json()
    cells = [
        {
            "cell_type": "markdown",
            "id": "text",
            "source": ["## Why\n", "Waiting drives\n", "churn. `causes` is a column.\n", "> it caused failures\n"],
        },
        {"cell_type": "code", "id": "drawn", "source": ["draw(x, title='Long waits cause failures')"], "outputs": [{"data": {MIMETYPE: shown}}]},
        {"cell_type": "code", "id": "magic", "source": ["%time it('Long waits cause failures')"], "outputs": []},
    ]
    book = tmp_path / "05_book.ipynb"
    book.write_text(json.dumps({"cells": cells}), encoding="utf-8")
    assert [(slip.place, slip.what) for slip in lint_notebook(book)] == [("05_book#text", "drives"), ("05_book#drawn", "cause"), ("bad", "cause")]


def test_what_stands_after_a_quotation_or_a_block_of_code_is_read_again() -> None:
    said = "> it caused failures\n\nWaits drive repeats.\n\n```python\ncauses = failures\n```\n\nPrice drives churn."
    assert [slip.what for slip in lint_text(said)] == ["drive", "drives"]


def test_a_report_is_refused_sentence_by_sentence_with_the_findings_id() -> None:
    good, bad = Finding("good", "finding", "Login fails more", grade="D"), Finding("bad", "finding", "Login causes repeats", grade="D")
    entries = [{**one.as_json(), "evidence": {"notebook": "a", "cell": "b"}, "change": None} for one in (good, bad)]
    content = {"kpis": [], "findings": json.loads(json.dumps(entries)), "figures": [{"id": "chart", "title": "Waits cause repeats"}]}
    (first, second) = lint_report(content)
    assert first.startswith("bad: 'causes' in “Login causes repeats”")
    assert second.startswith("chart: 'cause' in")
    assert lint_report({**content, "findings": entries[:1], "figures": []}) == []


def test_a_page_is_read_without_quotations_drawings_and_code() -> None:
    quoted = "<blockquote>It caused repeats</blockquote><svg><text>caused repeats</text></svg><code>causes repeats</code><p>Fine <q>it caused failures</q>.</p>"
    assert lint_report(f"<html><style>p {{}}</style><body>{quoted}</body></html>") == []
    (refused,) = lint_report(f"<html>{quoted}<p>Waits <em>cause</em> &amp; prolong repeats.</p></html>")
    assert "'cause'" in refused
