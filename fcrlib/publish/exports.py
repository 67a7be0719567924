"""What can a reader take away: a table for the spreadsheet, a chart for the slide, a summary for the chat?"""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from fcrlib.model.finding import Measure
from fcrlib.model.numbers import spell, spell_interval
from fcrlib.publish.findings import Drawn
from fcrlib.publish.page import changed
from fcrlib.show.svg import harden, standalone

_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n")
_MARKUP = str.maketrans({"<": "‹", ">": "›", "`": "'", "*": "∗", "_": " ", "[": "(", "]": ")", "|": "/", "\n": " ", "@": "＠"})


def takeaways(folder: Path, *, content: Mapping[str, Any], drawn: Sequence[Drawn]) -> None:
    """Write `tables/*.csv`, `charts/*.svg` and `summary.md` into the folder of a report."""
    (folder / "tables").mkdir(parents=True, exist_ok=True)
    (folder / "charts").mkdir(exist_ok=True)
    for item in drawn:
        (folder / "tables" / f"{item.id}.csv").write_text(table(item.fields), encoding="utf-8", newline="")
        if item.fields.get("svg"):
            drawing = harden(item.fields["svg"], id=item.id, title=item.fields["title"], alt=item.fields["alt"])
            (folder / "charts" / f"{item.id}.svg").write_text(standalone(drawing, title=item.fields["title"]), encoding="utf-8")
    (folder / "summary.md").write_text(summary(content), encoding="utf-8")


def table(fields: Mapping[str, Any]) -> str:
    """A table as CSV: raw numbers, and no text that a spreadsheet would take for a formula.

    Examples
    --------
    >>> print(table({"columns": [{"name": "who"}, {"name": "share"}], "rows": [["=1+1", -0.5]]}), end="")
    who,share\r
    '=1+1,-0.5\r
    """
    buffer = io.StringIO()
    writer = csv.writer(buffer)
    writer.writerow([harmless(column["name"]) for column in fields["columns"]])
    writer.writerows([harmless(value) for value in row] for row in fields["rows"])
    return buffer.getvalue()


def harmless(value: object) -> object:
    """Return a value that a spreadsheet shows instead of running.

    Examples
    --------
    >>> harmless("=HYPERLINK(1)"), harmless("phone"), harmless(-0.5), harmless(None)
    ("'=HYPERLINK(1)", 'phone', -0.5, '')
    """
    if isinstance(value, str):
        return f"'{value}" if value.startswith(_FORMULA) else value
    return "" if value is None else value


def summary(content: Mapping[str, Any]) -> str:
    """A summary to paste into a chat: headline, key figures, findings, what to do. Markup in the words is defused."""
    headline = next((fields for fields in content["findings"] if fields["role"] == "headline"), None)
    label = _words(content["period"]["label"])
    lines = [f"**{_words(headline['title']) if headline else 'First contact resolution'}** ({label})", ""]
    if content["data"]["invented"]:
        lines += ["This desk is invented.", ""]
    lines += [f"- {_words(fields['title'])}: {_value(fields)}" for fields in content["kpis"]]
    lines += ["", *_numbered(content), *_changes(content)]
    return "\n".join(lines).rstrip() + "\n"


def _numbered(content: Mapping[str, Any]) -> list[str]:
    findings = [fields for fields in content["findings"] if fields["role"] == "finding"]
    lines = []
    for place, fields in enumerate(findings, start=1):
        todo = f" Do: {_words(fields['action'])} ({_words(fields['owner'] or 'no owner yet')})." if fields["action"] else ""
        lines.append(f"{place}. {_words(fields['title'])}.{todo}".replace("..", "."))
    return [*lines, ""] if lines else []


def _changes(content: Mapping[str, Any]) -> list[str]:
    lines = [f"- {_words(line['title'])}: {_words(line['change'])}" for line in changed(content)]
    return [f"Since {_words(content['previous'])}:", *lines] if content["previous"] and lines else []


def _value(fields: Mapping[str, Any]) -> str:
    if not fields["measure"]:
        return "not known"
    measure, currency = Measure(**fields["measure"]), str(fields["details"].get("currency", ""))
    interval = spell_interval(measure, currency=currency)
    return f"{spell(measure, currency=currency)}{f' ({interval})' if interval else ''}"


def _words(text: str) -> str:
    return str(text).translate(_MARKUP).strip()
