"""What did the notebooks find, and what changed since the last report?

Findings, figures and tables are read from the executed notebooks by their mimetypes, in order, each with the cell that is its evidence.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, replace
from math import sqrt
from pathlib import Path
from typing import Any, TypeVar

from fcrlib.model.errors import DataError, UsageError
from fcrlib.model.finding import MIMETYPE, Change, Finding, Measure
from fcrlib.model.period import Period
from fcrlib.model.policy import Policy
from fcrlib.publish.changes import REDEFINED, RESORTED, lines, measured
from fcrlib.show.figure import FIGURE, TABLE, VEGALITE

SCHEMA = 1
Z95 = 1.959964
_NAME = re.compile(r"[a-z0-9-]{1,100}")


@dataclass(frozen=True, slots=True)
class Found:
    """A finding and the cell it was shown in."""

    finding: Finding
    notebook: str
    cell: str


@dataclass(frozen=True, slots=True)
class Section:
    """A part of a notebook: the id of the cell that heads it, its heading and what it says, as plain text."""

    id: str
    title: str
    text: str


@dataclass(frozen=True, slots=True)
class Drawn:
    """A figure or table in its JSON form, the cell it was shown in and the part of the notebook it stands in; `spec` draws it live."""

    id: str
    fields: dict[str, Any]
    notebook: str
    cell: str
    section: Section | None = None
    spec: dict[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class Chapter:
    """A notebook: its file name without ending, and the question in its first heading."""

    name: str
    title: str


@dataclass(frozen=True, slots=True)
class Harvest:
    """Everything the notebooks showed: what leads, what has an owner, and the rest, each in order."""

    findings: tuple[Found, ...]
    drawn: tuple[Drawn, ...]
    chapters: tuple[Chapter, ...]

    def of(self, *roles: str) -> list[Found]:
        """The findings with one of these roles."""
        return [found for found in self.findings if found.finding.role in roles]


Item = TypeVar("Item", Found, Drawn)


def harvest(notebooks: Iterable[Path]) -> Harvest:
    """Read executed notebooks in the given order.

    Raises
    ------
    UsageError
        If one id stands for two different things.
    """
    findings: dict[str, Found] = {}
    drawn: dict[str, Drawn] = {}
    chapters = []
    for path in notebooks:
        cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
        chapters.append(Chapter(path.stem, _title(cells) or path.stem))
        for cell, section, data in _outputs(cells):
            if MIMETYPE in data:
                finding = Finding.from_json(data[MIMETYPE])
                _add(findings, finding.id, Found(finding, path.stem, cell))
            for kind in (FIGURE, TABLE):
                if kind in data:
                    id = _as_name(data[kind]["id"], path.stem, cell)
                    _add(drawn, id, Drawn(id, data[kind], path.stem, cell, section, data.get(VEGALITE)))
    return Harvest(tuple(sorted(findings.values(), key=_urgency)), tuple(drawn.values()), tuple(chapters))


def _as_name(id: str, notebook: str, cell: str) -> str:
    """The id of a figure, which names its files: nothing in it may lead out of their folder."""
    if not _NAME.fullmatch(id):
        raise UsageError(
            f"the figure '{id[:60]}' in {notebook} (cell '{cell}') has no id that can name a file", ["small letters, digits and '-', at most 100"]
        )
    return id


def _urgency(found: Found) -> tuple[bool, bool]:
    """What leads comes first, then what somebody can act upon, each in the order of the notebooks."""
    return (not found.finding.lead, not found.finding.owner)


def _outputs(cells: list[dict[str, Any]]) -> Iterable[tuple[str, Section | None, dict[str, Any]]]:
    section = None
    for cell in cells:
        section = _section(cell) or section
        for output in cell.get("outputs", []):
            yield cell.get("id", ""), section, output.get("data", {})


def _section(cell: dict[str, Any]) -> Section | None:
    """The part that a text cell opens, if it does."""
    head, _, text = "".join(cell["source"]).strip().partition("\n")
    if cell["cell_type"] != "markdown" or not head.startswith(("## ", "### ")):
        return None
    return Section(cell.get("id", ""), _plain(head.lstrip("# ")), _plain(" ".join(text.split())))


def _plain(markdown: str) -> str:
    return markdown.strip().replace("*", "").replace("`", "")


def _add(known: dict[str, Item], id: str, item: Item) -> None:
    """The same thing shown again is one thing; another thing under the same id is a mistake that would move a caption to a wrong figure."""
    first = known.setdefault(id, item)
    if _content(first) != _content(item):
        places = " and ".join(f"{place.notebook} (cell '{place.cell}')" for place in (first, item))
        raise UsageError(f"'{id}' is shown twice with different content: in {places}", ["give one of them another id"])


def _content(item: Found | Drawn) -> dict[str, Any]:
    return item.finding.as_json() if isinstance(item, Found) else item.fields


def _title(cells: list[dict[str, Any]]) -> str:
    """The first heading of a notebook, as plain text."""
    for cell in cells:
        for line in "".join(cell["source"]).splitlines() if cell["cell_type"] == "markdown" else []:
            if line.startswith("# "):
                return _plain(line[2:])
    return ""


def compare(now: Mapping[str, Any], before: Mapping[str, Any] | None) -> dict[str, Change]:
    """Say for every finding and tile how it moved since the last report, by id; those of `before` that are missing now are gone.

    Parameters
    ----------
    now, before
        Two contents of `findings.json`.

    Notes
    -----
    Where both values have an interval, the difference is judged against both intervals (as if normal); else two shares are judged
    by the two-proportion z test and two counts as Poisson counts. Findings from one notebook are not corrected for their number.
    """
    if before is None:
        return {}
    earlier, current = _by_id(before), _by_id(now)
    known = {id: _earlier(fields, earlier) for id, fields in current.items()}
    label = str(before["period"]["label"])
    changes = {id: _change(fields, known[id], why=_incomparable(now, before, fields, known[id])) for id, fields in current.items()}
    gone = set(earlier) - {fields["id"] for fields in known.values() if fields}
    return {id: replace(change, previous=label) for id, change in {**changes, **{id: Change("gone") for id in earlier if id in gone}}.items()}


def _by_id(content: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    return {fields["id"]: fields for fields in measured(content)}


def _earlier(fields: Mapping[str, Any], earlier: Mapping[str, dict[str, Any]]) -> dict[str, Any] | None:
    """The same thing in the last report, also under a name that it had then."""
    return next((earlier[id] for id in (fields["id"], *fields.get("was", ())) if id in earlier), None)


def _incomparable(now: Mapping[str, Any], before: Mapping[str, Any], fields: Mapping[str, Any], then: Mapping[str, Any] | None) -> str:
    """Why a number of two reports may not be compared, or nothing."""
    if now["definitions"]["fingerprint"] != before["definitions"]["fingerprint"]:
        return REDEFINED
    sorts = {str(one["details"].get("taxonomy", "")) for one in (fields, then or fields)} - {""}
    return RESORTED if len(sorts) > 1 else ""


def _change(now: dict[str, Any], before: dict[str, Any] | None, *, why: str) -> Change:
    if before is None:
        return Change("new")
    if why:
        return Change("not comparable", why=why)
    one, other = _measure(now), _measure(before)
    if one is None or other is None or one.value is None or other.value is None:
        return Change("not comparable", why="no value to compare")
    if one.unit != other.unit:
        return Change("not comparable", why="unit changed")
    delta, error = one.value - other.value, _standard_error(one, other)
    if error is None:
        return Change("not comparable", other.value, delta, "no interval known")
    if abs(delta) <= Z95 * error:
        return Change("within noise", other.value, delta)
    return Change("up" if delta > 0 else "down", other.value, delta)


def _measure(fields: dict[str, Any]) -> Measure | None:
    return Measure(**fields["measure"]) if fields.get("measure") else None


def _standard_error(one: Measure, other: Measure) -> float | None:
    """The standard error of the difference of two values."""
    widths = [m.high - m.low for m in (one, other) if m.low is not None and m.high is not None]
    if len(widths) == 2:
        return sqrt(sum((width / (2 * Z95)) ** 2 for width in widths))
    first, second = one.value or 0.0, other.value or 0.0
    if one.unit == "share" and one.n and other.n:
        pooled = (first * one.n + second * other.n) / (one.n + other.n)
        return sqrt(max(pooled * (1 - pooled), 0.0) * (1 / one.n + 1 / other.n))
    return sqrt(max(first, 0.0) + max(second, 0.0)) if one.unit == "contacts" else None


def definitions(policy: Policy) -> dict[str, str]:
    """What a report says about the policy behind its numbers."""
    return {"policy": policy.name, "fingerprint": policy.fingerprint, "sentence": policy.sentence()}


def content(found: Harvest, *, period: Period, definitions: Mapping[str, str], organisation: str, data: Mapping[str, Any]) -> dict[str, Any]:
    """Put together what `findings.json` says, before it is compared."""
    return {
        "schema": SCHEMA,
        "organisation": organisation,
        "period": {"label": period.label, "first": f"{period.first}", "last": f"{period.last}", "days": period.days},
        "previous": None,
        "data": dict(data),
        "definitions": dict(definitions),
        "kpis": [_entry(item) for item in found.of("kpi")],
        "findings": [_entry(item) for item in found.of("headline", "summary", "care", "mode", "finding")],
        "figures": [{"id": item.id, "title": item.fields["title"], "notebook": item.notebook, "cell": item.cell} for item in found.drawn],
        "chapters": [{"name": chapter.name, "title": chapter.title} for chapter in found.chapters],
        "gone": [],
    }


def _entry(item: Found) -> dict[str, Any]:
    return {**item.finding.as_json(), "evidence": {"notebook": item.notebook, "cell": item.cell}}


def compared(now: dict[str, Any], before: dict[str, Any] | None) -> dict[str, Any]:
    """Write the changes into the content of `findings.json`.

    What a notebook compared itself, by one definition for both periods, stays as it said; but where the earlier report told things apart in another way,
    a reader who holds the two side by side would see numbers that do not fit, so nothing is said to have moved.
    """
    changes = compare(now, before)
    words = {id: asdict(change) for id, change in changes.items()}
    earlier = {fields["id"]: fields for fields in measured(before)} if before else {}
    redefined = any(change.why == REDEFINED for change in changes.values())
    gone = [earlier[id] for id, change in changes.items() if change.label == "gone" and not redefined]
    return {
        **now,
        "previous": before["period"]["label"] if before else None,
        "kpis": [{**fields, "change": words.get(fields["id"]) or fields["change"]} for fields in now["kpis"]],
        "findings": [{**fields, "change": _told(fields, words.get(fields["id"]), redefined=redefined)} for fields in now["findings"]],
        "gone": [{"id": fields["id"], "role": fields["role"], "title": fields["details"].get("name") or fields["title"]} for fields in gone],
    }


def _told(fields: Mapping[str, Any], found: dict[str, Any] | None, *, redefined: bool) -> dict[str, Any] | None:
    """Which of two comparisons is told: that of the notebook, or that of the two reports."""
    if redefined:
        return found if found and found["why"] == REDEFINED else None
    return found if found and found["why"] == RESORTED else fields["change"] or found


def diff_text(before: Mapping[str, Any], now: Mapping[str, Any]) -> str:
    """What changed from one report to another, as plain text for a terminal: one line for everything that both measured, or only one of them did.

    Parameters
    ----------
    before, now
        Two contents of `findings.json`, the earlier one first. What their notebooks compared with a period of their own is left aside.
    """
    bare = {**now, "findings": [{**fields, "change": None} for fields in now["findings"]]}
    found = lines(compared(bare, dict(before)))
    heads = [f"{before['period']['label']} -> {now['period']['label']}"]
    for head in dict.fromkeys(one["head"] for one in found):
        heads += ["", f"{head}:", *(f"  {one['title']}{': ' * bool(one['change'])}{one['change']}" for one in found if one["head"] == head)]
    return "\n".join(heads if found else [*heads, "", "Neither report measures anything that could be compared."]) + "\n"


def read(file: Path) -> dict[str, Any] | None:
    """Read a `findings.json`, or None where there is none.

    Raises
    ------
    DataError
        If it is damaged or from a newer version.
    """
    if not file.exists():
        return None
    try:
        fields: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
        if fields["schema"] == SCHEMA:
            return fields
    except (ValueError, KeyError, TypeError) as error:
        raise DataError(f"{file} is damaged ({error}): publish that period again") from None
    raise DataError(f"{file} was written by another version of fcrlib (schema {fields['schema']}): publish that period again")


def write(fields: Mapping[str, Any]) -> str:
    """The content of `findings.json` as text in a stable order."""
    return json.dumps(fields, indent=1, ensure_ascii=False) + "\n"
