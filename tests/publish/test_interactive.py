"""An interactive page runs its own two scripts, nothing else, and carries no word as markup."""

from __future__ import annotations

import json
import re
from typing import Any

import nbformat
import pytest
from test_page import DATA, PAYLOADS, RUN, hostile

from fcrlib.model.period import Period
from fcrlib.model.policy import Policy
from fcrlib.publish import findings, gates
from fcrlib.publish.interactive import LOADER, live
from fcrlib.publish.render import render


def made(folder: Any, *shown: Any) -> tuple[str, list[gates.Problem]]:
    outputs = [nbformat.v4.new_output("display_data", item._repr_mimebundle_()) for item in shown]
    book = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell("1", id="shown", outputs=outputs)])
    (folder / "10_x.ipynb").write_text(json.dumps(book))
    _, problems = render(
        [folder / "10_x.ipynb"], folder / "page", period=Period.parse("2026Q3"), definitions=findings.definitions(Policy()), organisation="", data=DATA,
        before=None, places={}, run=RUN, drawings="interactive",
    )  # fmt: skip
    return (folder / "page" / "report.html").read_text(), problems


@pytest.mark.parametrize("payload", PAYLOADS[:2])
def test_hostile_words_stay_words(tmp_path, payload) -> None:
    text, problems = made(tmp_path, *hostile(payload))
    assert problems == []
    assert text.count("<script") == 3
    assert len(text) < 700_000


def test_the_policy_names_exactly_the_scripts_that_run(tmp_path) -> None:
    text, _ = made(tmp_path, *hostile("plain"))
    policy = re.search(r'Content-Security-Policy" content="([^"]+)"', text)
    assert policy
    assert policy[1].count("'sha256-") == 2
    assert gates.fingerprint(LOADER) in policy[1]
    assert "unsafe-eval" not in policy[1]
    assert "script-src" in policy[1]


def test_another_script_in_an_interactive_page_is_found(tmp_path) -> None:
    text, _ = made(tmp_path, *hostile("plain"))
    (tmp_path / "page" / "report.html").write_text(text.replace("</body>", "<script>alert(1)</script></body>"))
    assert any("<script> tag" in problem.what for problem in gates.check(tmp_path / "page"))


def test_personal_data_in_a_packed_drawing_is_found(tmp_path) -> None:
    from fcrlib.publish.interactive import harmless, pack

    text, _ = made(tmp_path, *hostile("plain"))
    packed = pack(harmless({"fig": {"data": "write to jo.doe@mail.example.com"}}))
    (tmp_path / "page" / "report.html").write_text(re.sub(r'(id="drawings">)[^<]+', rf"\g<1>{packed}", text))
    assert any("personal data" in problem.what for problem in gates.check(tmp_path / "page"))


@pytest.mark.parametrize("packed", ["not base64!", "AAAA"])
def test_what_cannot_be_unpacked_is_no_drawing(tmp_path, packed) -> None:
    text, _ = made(tmp_path, *hostile("plain"))
    (tmp_path / "page" / "report.html").write_text(re.sub(r'(id="drawings">)[^<]+', rf"\g<1>{packed}", text))
    assert any("<script> tag" in problem.what for problem in gates.check(tmp_path / "page"))


def test_without_drawings_there_is_no_script(tmp_path) -> None:
    assert live([]) is None
    text, problems = made(tmp_path, hostile("plain")[0])
    assert problems == []
    assert "<script" not in text


def test_the_drawing_library_is_not_held_against_the_size_of_the_page(tmp_path) -> None:
    text, _ = made(tmp_path, *hostile("plain"))
    assert gates.check(tmp_path / "page", limit=200_000) == []
    assert len(text) > 400_000
    assert [problem.gate for problem in gates.check(tmp_path / "page", limit=1_000)] == ["size"]
