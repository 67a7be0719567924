"""A number that stands in the page and was found nowhere keeps the report inside."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from fcrlib.model.finding import Finding, Measure
from fcrlib.publish import gates
from fcrlib.publish.spoken import unfounded

CSP = '<meta http-equiv="Content-Security-Policy" content="x">'


@pytest.fixture
def report(tmp_path: Path):
    """Write a page beside one finding of 71.4 % (70.9 to 71.9 %) of 31,204 contacts, down 1.9 points."""
    fields = Finding("fcr", "kpi", "FCR under 7 days", measure=Measure(0.714, 0.709, 0.719, 31204, "share", "up")).as_json()
    fields["change"] = {"label": "down", "before": 0.733, "delta": -0.019, "why": "", "previous": "2026Q2"}
    content = {"period": {"label": "2026Q3", "days": 92}, "kpis": [fields], "findings": []}
    (tmp_path / "findings.json").write_text(json.dumps(content))
    prose = {"cells": [{"cell_type": "markdown", "source": ["Chance alone would do it 1 time in 200."]}]}
    (tmp_path / "evidence").mkdir()
    (tmp_path / "evidence" / "10.ipynb").write_text(json.dumps(prose))

    def write(body: str) -> Path:
        (tmp_path / "report.html").write_text(f"<html><head>{CSP}<title>t</title></head><body>{body}</body></html>")
        return tmp_path

    return write


@pytest.mark.parametrize(
    "body",
    [
        "<p>71.4&nbsp;% (70.9 to 71.9 %) of 31,204 contacts in 2026Q3, \u2212\u20601.9 points, under 7 days</p>",
        "<p>3 findings, 12 figures, 1 of 200</p>",
        "<table><tr><td>64.99</td></tr></table><svg role='img'><title>t</title><text>812</text></svg>",
        "<p id='run-time'>2026-10-02 06:00 UTC, 4711 seconds</p>",
    ],
)
def test_what_was_found_may_be_said(report, body) -> None:
    assert unfounded(report(body)) == []


@pytest.mark.parametrize(
    ("body", "number"),
    [
        ("<p>71.5 % of contacts</p>", "71.5"),
        ("<p>every 15 % more</p>", "15"),
        ("<p>saves €14 a day</p>", "14"),
        ("<p>31,240 contacts</p>", "31,240"),
        ("<p>fell by <b>2.9</b> points</p>", "2.9"),
        ("<table><tr><td>1</td></tr></table><p>812 contacts</p>", "812"),
        ("<p>71.4 %<br>and 812 more</p>", "812"),
    ],
)
def test_what_was_not_found_may_not(report, body, number) -> None:
    folder = report(body)
    assert [what.split()[2] for what in unfounded(folder)] == [number]
    assert ("numbers", "report.html") in {(problem.gate, problem.file) for problem in gates.check(folder)}
