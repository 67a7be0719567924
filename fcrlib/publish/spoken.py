"""Is every number that the page says a number that was found?

A sentence of the page may say what `findings.json` says, a number of it as it is spelled, what the notebooks say in their own prose and in the
titles and notes of their figures, and what every page says (the 95 % of an interval). Anything else came from somewhere between them: a template that computes, a page that was made of other findings,
a hand. Tables, drawings and the line that says when the notebooks ran are not sentences. A whole number below 100 without a unit may count what
stands on the page.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from functools import lru_cache
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

from fcrlib.model.finding import MIMETYPE, Measure
from fcrlib.model.numbers import count, spell, spell_change, spell_interval
from fcrlib.show.figure import FIGURE, TABLE

UNSPOKEN = {"table", "svg", "style", "script", "code", "pre", "title"}
AT = "run-time"
_NUMBER = re.compile(r"\d+(?:,\d{3})*(?:\.\d+)?")
_UNIT = re.compile(r"\s*(?:%|points?\b|€|\$|£)")
_VERSION = re.compile(r"\d+(?:\.\d+){2,}")
_FILLED = re.compile(r"\{[{%#].*?[}%#]\}", re.DOTALL)
_VOID = {"meta", "br", "hr", "img", "link", "input", "wbr"}


def unfounded(folder: Path) -> list[str]:
    """The numbers that `report.html` says and nobody found, each with the words around it, in the order of the page.

    Parameters
    ----------
    folder
        The folder of a report, with `report.html`, `findings.json` and `evidence`.
    """
    content = json.loads((folder / "findings.json").read_text(encoding="utf-8"))
    known = {*_printed(), *founded(content)}
    for notebook in sorted((folder / "evidence").glob("*.ipynb")):
        known.update(_told(json.loads(notebook.read_text(encoding="utf-8"))))
    text = sentences((folder / "report.html").read_text(encoding="utf-8"))
    found = [hit for hit in _NUMBER.finditer(text) if hit[0] not in known and not _counts(hit, text)]
    return list(dict.fromkeys(f"the number {hit[0]} was found nowhere: '…{_around(hit, text)}…'" for hit in found))


def founded(content: Mapping[str, Any]) -> Iterator[str]:
    """Every number in the texts of `findings.json`, and every measure of it as it is spelled."""
    for value in _leaves(content):
        if isinstance(value, str):
            yield from _NUMBER.findall(_plain(value))
        elif isinstance(value, int) and not isinstance(value, bool):
            yield from _NUMBER.findall(count(value))
    for fields in (*content.get("kpis", ()), *content.get("findings", ())):
        yield from _NUMBER.findall(_plain(" ".join(_spelled(fields))))


def _spelled(fields: Mapping[str, Any]) -> Iterator[str]:
    """What a finding measures, and how it moved, as a page spells it."""
    currency = str(fields["details"].get("currency", ""))
    for name, value in fields.items():
        if not isinstance(value, dict) or "unit" not in value:
            continue
        measure = Measure(**value)
        yield from (spell(measure, currency=currency), spell_interval(measure, currency=currency))
        change = fields.get("change") if name == "measure" else None
        for moved in (change, fields["details"].get("change")):
            if isinstance(moved, dict) and moved.get("delta") is not None:
                yield spell_change(moved["before"] + moved["delta"], moved["before"], unit=measure.unit, currency=currency)


@lru_cache(maxsize=1)
def _printed() -> frozenset[str]:
    """Numbers in the words of the page itself, e.g. of the 95 % interval."""
    source = (Path(__file__).parent / "templates" / "report.html.j2").read_text(encoding="utf-8")
    return frozenset(_NUMBER.findall(sentences(_FILLED.sub(" ", source))))


def _told(notebook: Mapping[str, Any]) -> Iterator[str]:
    """Every number in the prose of a notebook and in the words of its figures, tables and findings."""
    for cell in notebook["cells"]:
        if cell["cell_type"] == "markdown":
            yield from _NUMBER.findall(_plain("".join(cell["source"])))
        for output in cell.get("outputs", []):
            for kind in (FIGURE, TABLE, MIMETYPE):
                shown = output.get("data", {}).get(kind, {})
                words = " ".join(str(shown.get(name) or "") for name in ("title", "note", "alt", "statement"))
                yield from _NUMBER.findall(_plain(words))


def _leaves(value: Any) -> Iterator[Any]:
    if isinstance(value, Mapping):
        value = list(value.values())
    if isinstance(value, list):
        for inner in value:
            yield from _leaves(inner)
    else:
        yield value


def sentences(page: str) -> str:
    """What a page says in sentences, as plain text.

    Examples
    --------
    >>> sentences("<p>71.4&nbsp;% of <b>800</b></p><table><tr><td>3</td></tr></table><p id='run-time'>12 seconds</p>")
    '71.4 % of 800'
    """
    words = _Words()
    words.feed(page)
    words.close()
    return _VERSION.sub("", " ".join(_plain("".join(words.said)).split()))


class _Words(HTMLParser):
    """The text of a page outside of what is no sentence."""

    def __init__(self) -> None:
        super().__init__()
        self.said: list[str] = []
        self.closed: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Begin to leave out, or go deeper into what is left out."""
        if tag not in _VOID and (self.closed or tag in UNSPOKEN or ("id", AT) in attrs):
            self.closed.append(tag)

    def handle_endtag(self, tag: str) -> None:
        """Come back out of what is left out."""
        if self.closed and tag in self.closed:
            while self.closed.pop() != tag:
                pass
        self.said.append(" ")

    def handle_data(self, data: str) -> None:
        """Keep a sentence."""
        if not self.closed:
            self.said.append(data)


def _plain(text: str) -> str:
    return text.replace("\u2060", "").replace("\u00a0", " ")


def _counts(hit: re.Match[str], text: str) -> bool:
    """Whether a number may count what stands on the page: whole, small and without a unit."""
    return hit[0].isdigit() and int(hit[0]) < 100 and not _UNIT.match(text, hit.end()) and text[hit.start() - 1 : hit.start()] not in ("€", "$", "£")


def _around(hit: re.Match[str], text: str) -> str:
    return text[max(hit.start() - 40, 0) : hit.end() + 20].strip()
