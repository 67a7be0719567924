"""Whatever a notebook says is text: it is shown, and nothing of it runs or loads."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import nbformat
import polars as pl
import pytest

from fcrlib.model.finding import Finding, Measure
from fcrlib.model.period import Period
from fcrlib.model.policy import Policy
from fcrlib.publish import findings, gates
from fcrlib.publish.exports import summary
from fcrlib.publish.render import render
from fcrlib.show import charts
from fcrlib.show.figure import Table

PAYLOADS = (
    "</script><script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    "[x](javascript:alert(1))",
    '"><svg onload=alert(1)>',
    "{{ 7*7 }}",
    "</title><script>",
)
RUN = {"started": "2026-10-02T06:00:00Z", "seconds": 12.0}
DATA = {"source": "<b>", "start": "2026-04-01", "end": "2026-09-30", "contacts": "3", "fingerprint": "abc", "invented": True}


def rendered(
    folder: Path, *shown: object, prose: str = "# What?", before: dict[str, Any] | None = None
) -> tuple[dict[str, Any], list[gates.Problem]]:
    outputs = [nbformat.v4.new_output("display_data", item._repr_mimebundle_()) for item in shown]  # type: ignore[attr-defined]
    code = nbformat.v4.new_code_cell("1", id="shown", outputs=outputs, metadata={"papermill": {"duration": 3.1}})
    (folder / "10_x.ipynb").write_text(json.dumps(nbformat.v4.new_notebook(cells=[nbformat.v4.new_markdown_cell(prose, id="md"), code])))
    return render(
        [folder / "10_x.ipynb"],
        folder / "page",
        period=Period.parse("2026Q3"),
        definitions=findings.definitions(Policy()),
        organisation="<b>Org",
        data=DATA,
        before=before,
        places={},
        run=RUN,
    )


def hostile(payload: str) -> tuple[object, ...]:
    frame = pl.DataFrame({payload: [payload, "b"], "share": [0.5, 0.6], "low": [0.4, 0.5], "high": [0.6, 0.7], "n": [10, 20]})
    measure = Measure(0.5, 0.4, 0.6, 10, "share", "up")
    return (
        Finding("h", "headline", payload, payload),
        Finding("k", "kpi", payload, measure=measure),
        Finding("c", "care", payload, payload),
        Finding("f", "finding", payload, payload, measure, "C", payload, payload, payload, payload, ("fig",), ((payload, payload),)),
        charts.rates(frame, id="fig", title=payload, by=payload, note=payload, alt=payload),
        Table("tab", payload, frame, note=payload),
    )


@pytest.mark.parametrize("payload", PAYLOADS)
def test_hostile_words_are_shown_and_harmless(tmp_path, payload) -> None:
    _, problems = rendered(tmp_path, *hostile(payload), prose=f"# {payload}\n\n{payload}")
    assert problems == []
    for page in (tmp_path / "page").rglob("*.html"):
        text = page.read_text()
        assert "<script" not in text.lower()
        assert 'href="javascript:' not in text
    report = gates.Page.read(tmp_path / "page" / "report.html")
    assert report.problems == []
    assert sum(payload in word for word in report.words) > 10


def test_the_page_needs_nothing_from_outside(tmp_path) -> None:
    rendered(tmp_path, *hostile("plain"))
    text = (tmp_path / "page" / "report.html").read_text()
    assert "default-src 'none'" in text
    assert not re.search(r"(?:src|href)=\"(?:https?:)?//", text)
    assert "http" not in re.sub(r"http://www\.w3\.org/2000/svg|http-equiv", "", text)
    assert len(text) < 300_000


def test_the_page_says_what_matters_in_order(tmp_path) -> None:
    rendered(tmp_path, *hostile("plain"))
    text = (tmp_path / "page" / "report.html").read_text()
    places = [
        text.index(mark)
        for mark in (
            "<h1>",
            "Read with care",
            'class="tiles"',
            'id="ranked"',
            'id="findings"',
            'id="changed"',
            'id="actions"',
            'id="chapters"',
            'id="chapter-10_x"',
            'id="method"',
            'id="run-time"',
        )
    ]
    assert places == sorted(places)
    assert "This desk is invented." in text
    assert "50.0\u00a0%" in text
    assert text.count("<h1") == 1
    assert "2026-10-02 06:00 UTC" in text


def test_a_change_is_said_in_words_and_with_its_direction(tmp_path) -> None:
    def kpi(value: float) -> Finding:
        return Finding("fcr", "kpi", "FCR", measure=Measure(value, value - 0.005, value + 0.005, 31204, "share", "up"))

    before, _ = rendered(tmp_path, kpi(0.733))
    now, _ = rendered(tmp_path, kpi(0.714), before=before)
    text = (tmp_path / "page" / "report.html").read_text().replace("\u2060", "").replace("\u00a0", " ")
    assert "▼ −1.9 points since 2026Q3, worse" in text
    assert now["kpis"][0]["change"]["label"] == "down"


def test_a_finding_without_its_figure_is_not_published(tmp_path) -> None:
    _, problems = rendered(tmp_path, Finding("f", "finding", "t", figures=("missing",)))
    assert "names the figure 'missing'" in str(problems[0])


def test_evidence_is_free_of_times_and_html_of_others(tmp_path) -> None:
    class Foreign:
        def _repr_mimebundle_(self) -> dict[str, str]:
            return {"text/html": "<div onclick='x()'>foreign</div>", "text/plain": "plain twin"}

    rendered(tmp_path, Foreign())
    assert "duration" not in (tmp_path / "page" / "evidence" / "10_x.ipynb").read_text()
    page = (tmp_path / "page" / "notebooks" / "10_x.html").read_text()
    assert "plain twin" in page
    assert "onclick" not in page


def test_the_summary_cannot_call_anybody_or_link_anywhere(tmp_path) -> None:
    content, _ = rendered(tmp_path, Finding("h", "headline", "@channel [x](http://evil.example) <@U1>"))
    assert not set(summary(content).splitlines()[0]) & set("@[]<>")


def test_a_csv_holds_no_formula(tmp_path) -> None:
    frame = pl.DataFrame({"who": ["=HYPERLINK(1)", "+49", "@x", "-1", "\tq", "ok"], "n": [-1, 2, 3, 4, 5, 6]})
    rendered(tmp_path, Table("tab", "t", frame))
    lines = (tmp_path / "page" / "tables" / "tab.csv").read_text().splitlines()
    assert [line.partition(",")[0] for line in lines[1:]] == ["'=HYPERLINK(1)", "'+49", "'@x", "'-1", " q", "ok"]
    assert lines[1].endswith(",-1")


def test_a_figure_that_two_findings_name_is_drawn_once(tmp_path) -> None:
    frame = pl.DataFrame({"a": ["x"], "share": [0.5], "low": [0.4], "high": [0.6], "n": [10]})
    figure = charts.rates(frame, id="fig", title="t", by="a")
    shown = [Finding(id, "finding", id, figures=("fig",)) for id in ("one", "two")]
    _, problems = rendered(tmp_path, figure, figure, *shown)
    assert problems == []
    text = (tmp_path / "page" / "report.html").read_text()
    assert text.count("<svg") == 1
    assert text.count('href="#figure-fig"') == 1


def test_prose_links_to_other_notebooks_lead_to_their_pages(tmp_path) -> None:
    _, problems = rendered(tmp_path, prose="# What?\n\nSee [this](10_x.ipynb#shown) and <b>not bold</b> and [x](javascript:alert(1)).")
    assert problems == []
    page = (tmp_path / "page" / "notebooks" / "10_x.html").read_text()
    assert 'href="10_x.html#shown"' in page
    assert "<b>" not in page


def test_another_definition_is_said_once(tmp_path) -> None:
    shown = [Finding(id, "kpi", id, measure=Measure(0.5, n=9)) for id in ("one", "two")]
    before, _ = rendered(tmp_path, *shown)
    rendered(tmp_path, *shown, before={**before, "definitions": {**before["definitions"], "fingerprint": "other"}})
    text = (tmp_path / "page" / "report.html").read_text()
    assert text.count("defined differently now") == 1
    assert text.count("not comparable with 2026Q3: definition changed") == 2
