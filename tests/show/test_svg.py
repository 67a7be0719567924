"""A drawing inside a page can load nothing, run nothing, and says what it shows."""

import pytest

from fcrlib.model.errors import UsageError
from fcrlib.show.svg import harden, standalone

HOSTILE = """<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" width="10" height="10" onload="alert(1)">
<script>alert(1)</script><foreignObject><p/></foreignObject><image href="https://x.example/a.png"/><a xlink:href="javascript:alert(1)"><text>hi</text></a>
<style>@import url(https://x.example)</style><defs><clipPath id="clip0"><rect width="1.23456" height="1"/></clipPath></defs>
<g clip-path="url(#clip0)"><path fill="url(https://x.example/#a)" d="M0,0" role="graphics-symbol" aria-label="a &lt;b&gt;: 3" onclick="alert(1)"/></g></svg>"""


def test_nothing_that_loads_or_runs_survives() -> None:
    safe = harden(HOSTILE, id="one", title="t", alt="a")
    for word in ("script", "foreignObject", "image", "href", "style", "example", "onload", "onclick", "javascript"):
        assert word not in safe


def test_ids_carry_the_id_of_the_figure() -> None:
    safe = harden(HOSTILE, id="one", title="t", alt="a")
    assert 'id="one-clip0"' in safe
    assert 'clip-path="url(#one-clip0)"' in safe


def test_the_label_of_a_mark_becomes_a_title_and_its_role_goes() -> None:
    safe = harden(HOSTILE, id="one", title="t", alt="a")
    assert "<title>a &lt;b&gt;: 3</title>" in safe
    assert "aria-label=" not in safe
    assert safe.count("role=") == 1


def test_title_and_description_are_escaped() -> None:
    safe = harden(HOSTILE, id="one", title="</title><script>", alt="<img>")
    assert "<script>" not in safe
    assert "<img>" not in safe


def test_hardening_twice_changes_nothing() -> None:
    once = harden(HOSTILE, id="one", title="t", alt="a")
    assert harden(once, id="one", title="t", alt="a") == once


@pytest.mark.parametrize("text", ["no drawing", "<html/>", '<!DOCTYPE svg [<!ENTITY a "b">]><svg xmlns="http://www.w3.org/2000/svg">&a;</svg>'])
def test_what_is_no_drawing_is_refused(text: str) -> None:
    with pytest.raises(UsageError):
        harden(text, id="one", title="t", alt="a")


def test_a_drawing_of_its_own_carries_the_finding() -> None:
    alone = standalone(harden(HOSTILE, id="one", title="t", alt="a"), title="Chat resolves <least>")
    assert "Chat resolves" in alone
    assert "&lt;least&gt;" in alone


@pytest.mark.parametrize(
    "paint",
    [
        "url(#a) url(https://x.example/b)",
        "url(https://x.example/#a) url(#b)",
        "url( #a ) URL (//x.example)",
        "url('https://x.example/#a')",
        "u\\72l(//x.example)",
    ],
)
def test_no_paint_of_several_loads_because_one_of_them_stays_here(paint: str) -> None:
    safe = harden(f'<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"><path fill="{paint}" d="M0,0"/></svg>', id="one", title="t", alt="a")
    assert "fill" not in safe
    assert "example" not in safe
