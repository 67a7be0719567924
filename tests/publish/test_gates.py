"""Nothing leaves that loads, runs, leads nowhere or tells of a person."""

from pathlib import Path

import pytest

from fcrlib.model.redaction import Redaction
from fcrlib.publish import gates
from fcrlib.publish.page import CSP

PAGE = """<html><head><meta http-equiv="Content-Security-Policy" content="default-src 'none'"></head><body>{}</body></html>"""


def folder(tmp_path: Path, body: str = "", **files: str) -> Path:
    (tmp_path / "report.html").write_text(PAGE.format(body))
    for name, text in files.items():
        (tmp_path / name.replace("_", ".")).write_text(text)
    return tmp_path


@pytest.mark.parametrize(
    ("body", "what"),
    [
        ("<script>1</script>", "<script> tag"),
        ("<SCRIPT src=x></SCRIPT>", "<script> tag"),
        ('<img alt="a" src="https://x.example/a.png">', "<img> loads from outside"),
        ('<img alt="a" src="//x.example/a.png">', "<img> loads from outside"),
        ('<link rel="stylesheet" href="https://x.example/a.css">', "<link> tag"),
        ("<style>@import 'https://x.example'</style>", "style rule"),
        ("<style>a{background:url(https://x.example)}</style>", "style rule"),
        ('<p style="background:url(//x.example)">a</p>', "<p> loads from outside"),
        ('<svg><use href="https://x.example/#a"/></svg>', "<use> loads from outside"),
        ('<p onclick="x()">a</p>', "attribute onclick"),
        ('<a href="java&#9;script:alert(1)">a</a>', "the link"),
        ('<a href="data:text/html,x">a</a>', "the link"),
        ('<a href="https://[x">a</a>', "the link"),
        ('<a href="//x.example/a">a</a>', "the link"),
        ('<a href="\\\\x.example/a">a</a>', "leads nowhere"),
        ('<a href="gone.html">a</a>', "leads nowhere"),
        ('<a href="#gone">a</a>', "a place that is not there"),
        ('<svg width="1"></svg>', "1 of 1 pictures have no description"),
        ('<img src="data:image/png;base64,AA==">', "1 of 1 pictures have no description"),
        ('<p id="a"></p><p id="a"></p>', "the id 'a' stands twice"),
        ("<p>write to canary-0a1b2c@northwind.example</p>", "canaries"),
        ("<p>write to jo.doe@mail.example.com</p>", "personal data: email (1)"),
        ("<p>call +49 170 555 01 99 now</p>", "personal data"),
    ],
)
def test_a_planted_problem_is_found(tmp_path, body, what) -> None:
    problems = gates.check(folder(tmp_path, body))
    assert any(what in str(problem) for problem in problems), problems


def test_a_clean_page_passes(tmp_path) -> None:
    body = '<a href="https://example.org/method">m</a><a href="../index.html">all</a><a href="#x">x</a><p id="x">0.7142857142857143 of 31,204 on 2026-09-30</p>'
    body += '<svg role="img"><title>t</title><path d="M1 2"/></svg><style>a{fill:url(#a)}</style>'
    assert gates.check(folder(tmp_path, body)) == []


def test_a_problem_never_repeats_the_datum(tmp_path) -> None:
    problems = gates.check(folder(tmp_path, "", summary_md="jo.doe@mail.example.com", findings_json='{"a": ["jo.doe@mail.example.com"]}'))
    assert {problem.file for problem in problems} == {"summary.md", "findings.json"}
    assert "jo.doe" not in " ".join(map(str, problems))


def test_what_the_project_lets_stay_stops_no_report(tmp_path) -> None:
    page = folder(tmp_path, "<p>write to help@northwind.org or call +49 30 23125 0</p>", summary_md="help@northwind.org")
    assert {problem.gate for problem in gates.check(page)} == {"personal"}
    assert gates.check(page, redaction=Redaction(keep=("help@northwind.org", "+49 30 23125 0"))) == []
    assert "email (1)" in str(gates.check(folder(tmp_path, "<p>jo.doe@northwind.org</p>"), redaction=Redaction(keep=("help@northwind.org",)))[0])


def test_the_own_patterns_of_a_project_stop_a_report(tmp_path) -> None:
    page, rules = folder(tmp_path, "<p>customer K-123456 and [customer_no] ask</p>"), Redaction(patterns={"customer_no": r"K-\d{6}"})
    assert gates.check(page) == []
    problems = gates.check(page, redaction=rules)
    assert [str(problem) for problem in problems] == ["report.html: personal data: customer_no (1)"]


def test_a_page_without_policy_or_too_big_or_missing_is_stopped(tmp_path) -> None:
    assert "missing" in str(gates.check(tmp_path)[0])
    (tmp_path / "report.html").write_text("<html></html>")
    assert "no content security policy" in str(gates.check(tmp_path)[0])
    assert "at most 5" in str(gates.check(tmp_path, limit=5)[0])


@pytest.mark.parametrize(
    ("policy", "what"),
    [
        ("x", "does not say default-src 'none'"),
        ("img-src data:", "does not say default-src 'none'"),
        ("default-src 'none' https:", "does not say default-src 'none'"),
        ("default-src https:; default-src 'none'", "does not say default-src 'none'"),
        ("default-src 'none'; img-src *", "allows img-src *"),
        ("default-src 'none'; script-src 'unsafe-inline'", "allows script-src 'unsafe-inline'"),
        ("default-src 'none'; script-src 'sha256-short='", "allows script-src 'sha256-short='"),
        ("default-src 'none'; connect-src https://x.example", "allows connect-src"),
        ("default-src 'none'; form-action https://x.example", "allows form-action"),
    ],
)
def test_a_policy_that_allows_more_than_a_report_needs_is_stopped(tmp_path, policy, what) -> None:
    (tmp_path / "report.html").write_text(PAGE.format("").replace("default-src 'none'", policy))
    assert any(what in str(problem) for problem in gates.check(tmp_path))


def test_a_policy_that_a_browser_would_not_obey_is_none(tmp_path) -> None:
    policy = """<meta http-equiv="Content-Security-Policy" content="default-src 'none'">"""
    (tmp_path / "report.html").write_text(f"<html><head></head><body>{policy}</body></html>")
    assert "no content security policy" in str(gates.check(tmp_path)[0])


def test_the_policies_that_pages_carry_pass(tmp_path) -> None:
    for script in ("", f"; script-src {gates.fingerprint('1')} {gates.fingerprint('2')}"):
        (tmp_path / "report.html").write_text(PAGE.format("").replace("default-src 'none'", f"{CSP}{script}"))
        assert gates.check(tmp_path) == []
