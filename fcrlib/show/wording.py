"""Do the words of a finding claim no more than its grade allows?

Grade A may say that a change raised a rate. B may say that it rose after a change, relative to others. C may say what is associated with
what, after adjustment. D may say what was observed with what. The words themselves stand in `claims`. Only English is read; what is
quoted, set as code or named as a value of the data is passed over.
"""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from html.parser import HTMLParser
from itertools import pairwise
from pathlib import Path
from typing import Any

from fcrlib.judge.rates import MIN_CONTACTS
from fcrlib.model.evidence import Design, Grade, grade
from fcrlib.model.finding import MIMETYPE, Finding
from fcrlib.show.claims import OUTCOMES, RULES, Rule, excused

__all__ = ["Design", "Slip", "grade", "grade_of", "lint", "lint_findings", "lint_notebook", "lint_report", "lint_text", "names_in"]

COUNTING = ("kpi", "care", "headline", "summary")
PROSE: Grade = "C"
LONGEST = 5
"""Words of the longest text in a cell that is still a name."""
_BLANK = "□"
_QUOTED = re.compile(r"“[^”]*”|\"[^\"\n]*\"|‘[^’\n]*’|«[^»]*»|```[\s\S]*?```|`[^`\n]*`|(?<!\w)'[^'\n]{1,120}'(?!\w)|^\s*>.*$", re.MULTILINE)
_END = re.compile(r"(?<!e\.g\.)(?<!i\.e\.)(?<!vs\.)(?<=[.!?])[”\")]?\s+(?=[\"“(]?[A-Z0-9□])")
_PARTS = re.compile(r"\n\s*\n|\n\s*(?:[-*|#]|\d+\.\s)|\s\|\s|^#+\s", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Slip:
    """Words that claim too much: `what`, the sentence it stands `where`, `why` it may not be said, what to write `instead`, and the `place`."""

    what: str
    where: str
    why: str
    instead: str
    place: str = ""

    def __str__(self) -> str:
        return f"{f'{self.place}: ' if self.place else ''}'{self.what}' in “{self.where}”: {self.why}; {self.instead}"


def lint(text: str, grade: Grade = "D", *, names: Iterable[str] = ()) -> list[Slip]:
    """Find the words of a text that claim more than its grade allows, in the order of the text.

    Parameters
    ----------
    text
        Plain text or Markdown, in English.
    grade
        How the evidence was come by; see `model.evidence.grade`.
    names
        Values of the data that stand in the text without quotation marks, e.g. a category; whatever they say is no claim.

    Examples
    --------
    >>> [slip.what for slip in lint("Handovers cause repeats.", "C")], lint("It is not known whether handovers cause repeats.", "C")
    (['cause'], [])
    >>> [slip.what for slip in lint("First contact resolution rose 3 % after the release.", "B")]
    ['rose 3 %']
    >>> lint("“Caused by an outage” stands over 12 contacts about side effects.", "D", names=["side effects"])
    []
    """
    found = [slip for sentence, said in _sentences(text, names) for slip in _slips(sentence, said, grade)]
    return list(dict.fromkeys(found))


def lint_text(text: str, *, names: Iterable[str] = (), place: str = "") -> list[Slip]:
    """`lint` for text that belongs to no finding, which may speak of methods: the words of grade C, where it speaks of outcomes."""
    return [replace(slip, place=place) for slip in lint(text, PROSE, names=names) if OUTCOMES.search(slip.where.replace(slip.what, ""))]


def _slips(sentence: str, said: str, held: Grade) -> Iterator[Slip]:
    """The slips of one sentence; `said` is the sentence with everything quoted blanked out, letter for letter."""
    for rule in RULES:
        for found in rule.words.finditer(said) if held in rule.grades else ():
            if not excused(rule, said, found, whole=sentence):
                yield _slip(rule, sentence, found)


def _slip(rule: Rule, sentence: str, found: re.Match[str]) -> Slip:
    return Slip(sentence[found.start() : found.end()].strip(), sentence, rule.why, rule.instead)


def _sentences(text: str, names: Iterable[str]) -> Iterator[tuple[str, str]]:
    """Every sentence as it stands, and with quotations and names blanked out."""
    blank = _blanked(text, names)
    edges = [0, *sorted({edge for found in (*_END.finditer(blank), *_PARTS.finditer(blank)) for edge in (found.start(), found.end())}), len(text)]
    for start, end in pairwise(edges):
        sentence, said = (re.sub(r"[ \t]*\n[ \t]*", " ", one[start:end]) for one in (text, blank))
        lead = len(said) - len(said.lstrip())
        if said.strip():
            yield sentence[lead:].rstrip(), said[lead:].rstrip()


def _blanked(text: str, names: Iterable[str]) -> str:
    blank = _QUOTED.sub(_same_length, text)
    known = sorted({name for name in names if name.strip()}, key=len, reverse=True)
    return re.sub("|".join(rf"(?<!\w){re.escape(name)}(?!\w)" for name in known), _same_length, blank, flags=re.IGNORECASE) if known else blank


def _same_length(found: re.Match[str]) -> str:
    return _BLANK * len(found[0])


def grade_of(finding: Finding) -> Grade:
    """The grade a finding's words are held to: its own; without one D, or C if it only counts.

    Key figures, cautions, the headline and summaries count what was found and say how far it can be trusted. They compare nothing that
    could be mistaken for a reason, and have to be able to name what a rate was adjusted for and where it could still end.
    """
    return finding.grade or (PROSE if finding.role in COUNTING else "D")


def lint_findings(findings: Iterable[Finding], *, names: Iterable[str] = ()) -> list[Slip]:
    """Find what findings claim beyond their grades: titles, statements, reasons, chains, actions and checks; `place` is the finding's id."""
    known = list(names)
    return [slip for finding in findings for slip in _of_finding(finding, [*known, *_values(finding)])]


def _of_finding(finding: Finding, names: list[str]) -> Iterator[Slip]:
    held = grade_of(finding)
    told = [slip for text in (finding.title, finding.statement, finding.why, *finding.chain) for slip in lint(text, held, names=names)]
    asked = [slip for text in (finding.action, finding.check) for slip in lint(text, held, names=names) if not _commands(slip)]
    yield from (replace(slip, place=finding.id) for slip in (*told, *asked))
    measure = finding.measure
    if finding.grade and measure and measure.unit == "share" and measure.value in (0.0, 1.0) and measure.n < MIN_CONTACTS:
        yield Slip(
            f"{measure.value:.0%}", finding.title, "a share of a handful says nothing", "say 'too few contacts', with their number", finding.id
        )


def _commands(slip: Slip) -> bool:
    """'Improve the article' asks for something and says nothing about what comes of it."""
    return slip.where.lower().startswith(slip.what.lower())


def _values(finding: Finding) -> list[str]:
    """What a finding says it names: `details["place"]`, as column=value, and `details["names"]`, words of people or of the data as they stand."""
    places, names = ([told] if isinstance(told := finding.details.get(key) or [], str) else told for key in ("place", "names"))
    return [*(f"{word}".partition("=")[2] for word in places), *(f"{name}" for name in names)]


def lint_notebook(path: Path) -> list[Slip]:
    """Find what a notebook claims too much: text cells, sentences written into code cells, and the findings it shows, if it was run."""
    cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
    return [slip for cell in cells for slip in _of_cell(cell, f"{path.stem}#{cell.get('id', '')}")]


def _of_cell(cell: Mapping[str, Any], place: str) -> list[Slip]:
    source = "".join(cell["source"])
    if cell["cell_type"] == "markdown":
        return lint_text(source, place=place)
    shown = [output["data"][MIMETYPE] for output in cell.get("outputs", ()) if MIMETYPE in output.get("data", {})]
    written = [slip for text in _written(source) for slip in lint_text(text, place=place)]
    return [*written, *lint_findings(Finding.from_json(fields) for fields in shown)]


def _written(code: str) -> list[str]:
    """The sentences among the strings of a piece of code; code that is no Python (a magic) holds none."""
    try:
        tree = ast.parse(code)
    except SyntaxError:
        return []
    return [node.value for node in ast.walk(tree) if isinstance(node, ast.Constant) and isinstance(node.value, str) and node.value.count(" ") > 2]


def lint_report(content: Mapping[str, Any] | str, *, names: Iterable[str] = ()) -> list[str]:
    """Say why a report may not be published: every sentence that claims too much, with the id of its finding. Empty where none does.

    Parameters
    ----------
    content
        The content of `findings.json`; or a page as HTML, where no grade can be told any more and everything is held to the words of C.
    names
        As in `lint`, e.g. `names_in` the figures and tables of the report; values in the `details` of findings are known anyway.
    """
    known = list(names)
    if isinstance(content, str):
        return [f"{slip}" for slip in lint_text(_Words.of(content), names=known)]
    slips = lint_findings(_findings(content), names=known)
    figures = [slip for one in content.get("figures", ()) for slip in lint_text(one["title"], names=known, place=one["id"])]
    return list(dict.fromkeys(f"{slip}" for slip in (*slips, *figures)))


def _findings(content: Mapping[str, Any]) -> Iterator[Finding]:
    """Every finding in the content of `findings.json`, in whichever list it stands, by its words and its measure."""
    entries = [one for some in content.values() if isinstance(some, list) for one in some if isinstance(one, Mapping) and "role" in one]
    read = set(Finding.__dataclass_fields__) - {"change", "cost"}
    yield from (Finding.from_json({name: value for name, value in one.items() if name in read}) for one in entries)


def names_in(drawn: Iterable[Mapping[str, Any]]) -> list[str]:
    """The values of the data that a report names and that would read like a claim: short texts in the cells of its figures and tables, in their JSON form.

    Examples
    --------
    >>> names_in([{"columns": [{"name": "category"}, {"name": "n"}], "rows": [["side effects", 12], ["impact", 30]]}])
    ['impact']
    """
    cells = {cell for fields in drawn for row in fields["rows"] for cell in row if isinstance(cell, str)}
    short = (cell for cell in cells if len(cell) > 2 and cell.count(" ") < LONGEST and not cell.endswith((".", "?")))
    # Any other value is left alone: a cell that says "nothing" must not take the negation out of a sentence.
    return sorted(cell for cell in short if any(rule.words.search(cell) for rule in RULES))


class _Words(HTMLParser):
    """The text of a page, a part per block; quotations, drawings, tables of data, code and style left out."""

    PASSED = frozenset({"style", "script", "svg", "blockquote", "q", "code", "pre", "td", "title"})
    INLINE = frozenset({"a", "b", "i", "em", "strong", "span", "small", "abbr", "mark", "sup", "sub"})

    def __init__(self) -> None:
        super().__init__()
        self.parts: list[str] = []
        self.passed: list[str] = []

    @classmethod
    def of(cls, html: str) -> str:
        words = cls()
        words.feed(html)
        words.close()
        return "".join(words.parts)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in self.PASSED:
            self.passed.append(tag)
        self.parts += [] if tag in self.INLINE else ["\n\n"]

    def handle_endtag(self, tag: str) -> None:
        if self.passed and self.passed[-1] == tag:
            self.passed.pop()
        self.parts += [] if tag in self.INLINE else ["\n\n"]

    def handle_data(self, data: str) -> None:
        self.parts.append(_BLANK if self.passed else data)
