"""How is an executed notebook shown to somebody who wants to check it?

Only what is known to be harmless is shown: prose with raw HTML escaped, code, our own figures and findings, bitmaps and plain text.
HTML that a library wrote is shown by its plain-text twin. What would tell of the machine or the person that ran it is taken out.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from markupsafe import Markup

from fcrlib.model.finding import MIMETYPE, Finding
from fcrlib.model.numbers import spell, spell_interval
from fcrlib.publish.findings import Drawn
from fcrlib.publish.page import figure
from fcrlib.show.figure import FIGURE, TABLE

_ANSI = re.compile(r"\x1b\[[0-9;]*[A-Za-z]")
ROLES = {"headline": "Headline", "summary": "Summary", "kpi": "Key figure", "care": "Read with care", "mode": "Way of failing", "finding": "Finding"}
_BITMAPS = ("image/png", "image/jpeg")


@dataclass(frozen=True, slots=True)
class Place:
    """A cell, and how often each figure has been shown so far: an id may stand only once in a page."""

    notebook: str
    cell: str
    count: Counter[str]

    def unique(self, id: str) -> str:
        """The id, numbered from the second time on."""
        self.count[id] += 1
        return id if self.count[id] == 1 else f"{id}-{self.count[id]}"


def scrubbed(notebook: Path, *, places: Mapping[str, str]) -> str:
    """Return an executed notebook as JSON without run times and without the paths of this machine.

    Parameters
    ----------
    places
        What to write instead of a path, e.g. `{"/srv/desk": "desk"}`; longer paths are replaced first.
    """
    fields = json.loads(notebook.read_text(encoding="utf-8"))
    fields["metadata"] = {key: value for key, value in fields["metadata"].items() if key in ("kernelspec", "language_info")}
    for cell in fields["cells"]:
        cell["metadata"] = {key: value for key, value in cell["metadata"].items() if key == "tags"}
    text = json.dumps(fields, indent=1, ensure_ascii=False, sort_keys=True)
    for path in sorted(places, key=len, reverse=True):
        text = re.sub(re.escape(json.dumps(path, ensure_ascii=False)[1:-1]) + r"(?![\w-])", places[path], text)
    return re.sub(r"\b0x[0-9a-f]{6,}\b", "0x0", re.sub(r"(?<!\\)[\w/.-]*ipykernel_\d+/\d+\.py", "cell", text)) + "\n"


def shown(notebook: Path) -> list[dict[str, Any]]:
    """The cells of a notebook as the evidence page wants them."""
    cells = json.loads(notebook.read_text(encoding="utf-8"))["cells"]
    count = Counter[str]()
    return [_cell(cell, notebook.stem, count) for cell in cells if "".join(cell["source"]).strip()]


def _cell(cell: Mapping[str, Any], notebook: str, count: Counter[str]) -> dict[str, Any]:
    source = "".join(cell["source"])
    if cell["cell_type"] == "markdown":
        return {"id": cell.get("id", ""), "prose": prose(source)}
    outputs = [_output(output, Place(notebook, cell.get("id", ""), count)) for output in cell.get("outputs", [])]
    return {"id": cell.get("id", ""), "prose": "", "source": source, "outputs": [output for output in outputs if output]}


def prose(markdown: str) -> Markup:
    """Turn Markdown into HTML: raw HTML is shown as text, dangerous links lose their target, links to notebooks lead to their pages."""
    from nbconvert.filters.markdown_mistune import IPythonRenderer, MarkdownWithMath

    class Plain(IPythonRenderer):
        def block_mermaidjs(self, code: str) -> str:
            """Words, not markup: the page has no script that would draw them."""
            return str(self.block_code(code))

    renderer = Plain(escape=True, allow_harmful_protocols=False, exclude_anchor_links=True)
    text = MarkdownWithMath(renderer=renderer).render(markdown).replace(' href="#harmful-link"', "")
    return Markup(re.sub(r'(?<= href=")([\w-]+)\.ipynb(?=["#])', r"\1.html", text))


def _output(output: Mapping[str, Any], place: Place) -> dict[str, Any] | None:
    if output["output_type"] == "stream":
        return {"kind": "text", "text": _plain(output["text"])}
    if output["output_type"] == "error":
        return {"kind": "text", "text": f"{output['ename']} (the message stays in the notebook)"}
    return _displayed(output["data"], place)


def _displayed(data: Mapping[str, Any], place: Place) -> dict[str, Any] | None:
    for kind in (FIGURE, TABLE):
        if kind in data:
            return {"kind": "figure", **figure(Drawn(place.unique(data[kind]["id"]), data[kind], place.notebook, place.cell), prefix="../")}
    if MIMETYPE in data:
        return {"kind": "finding", **_found(Finding.from_json(data[MIMETYPE]))}
    for kind in _BITMAPS:
        if kind in data:
            packed = re.sub(r"\s", "", "".join(data[kind]))
            return {"kind": "image", "source": f"data:{kind};base64,{packed}", "alt": _plain(data.get("text/plain", "picture without a description"))}
    return {"kind": "text", "text": _plain(data["text/plain"])} if "text/plain" in data else None


def _found(finding: Finding) -> dict[str, str]:
    """A finding in short: in the notebook, the reasoning stands around it."""
    measure, currency = finding.measure, str(finding.details.get("currency", ""))
    interval = spell_interval(measure, currency=currency) if measure else ""
    value = f"{spell(measure, currency=currency)}{f' ({interval})' if interval else ''}" if measure else ""
    return {"role": ROLES[finding.role], "title": finding.title, "statement": finding.statement, "value": value}


def _plain(text: str | Sequence[str]) -> str:
    return _ANSI.sub("", "".join(text)).rstrip()
