"""What does the reader see?

One offline page: no script, no request, nothing trusted. Whatever comes from a notebook is text and is escaped; only drawings that were
hardened and tables that were built here pass as markup.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from fcrlib import __version__
from fcrlib.model.finding import Measure
from fcrlib.model.numbers import MINUS, count, spell, spell_change, spell_interval
from fcrlib.publish.findings import REDEFINED, Drawn
from fcrlib.show.quote import quote
from fcrlib.show.svg import harden
from fcrlib.show.tables import as_html
from fcrlib.show.theme import css_inks

PRINTED = 24  # rows; a longer table under a drawing is left to the screen and the CSV file
CSP = "default-src 'none'; style-src 'unsafe-inline'; img-src data:; base-uri 'none'; form-action 'none'"
NOBREAK, JOIN = "\u00a0", "\u2060"


def report(content: Mapping[str, Any], *, drawn: Sequence[Drawn], run_at: str) -> str:
    """Write `report.html`.

    Parameters
    ----------
    content
        What `findings.json` says, compared with the last report.
    drawn
        The figures and tables of the notebooks.
    run_at
        When the notebooks ran; it appears in one line only, so that two runs on one desk are otherwise the same page.
    """
    figures = {item.id: figure(item) for item in drawn}
    by_role = _roles(content)
    findings = _once([_entry(fields, figures) for fields in by_role["finding"]])
    headline = (
        by_role["headline"][0] if by_role["headline"] else {"title": f"First contact resolution, {content['period']['label']}", "statement": ""}
    )
    return _render(
        "report.html.j2",
        title=headline["title"],
        lede=_lede(headline, by_role),
        care=_care(content, by_role),
        kpis=[_entry(fields, figures) for fields in content["kpis"]],
        findings=findings,
        chapters=_chapters(content, figures, shown={drawing["id"] for finding in findings for drawing in finding["figures"]}),
        all_chapters=content["chapters"],
        changed=changed(content),
        version=__version__,
        run_at=run_at,
        **{name: content[name] for name in ("organisation", "period", "previous", "data", "definitions")},
    )


def evidence(*, name: str, title: str, period: str, cells: Sequence[Mapping[str, Any]]) -> str:
    """Write one executed notebook as a page; `cells` come from `evidence.shown`."""
    return _render("evidence.html.j2", name=name, title=title, period=period, cells=cells)


def index(reports: Sequence[Mapping[str, Any]], *, organisation: str) -> str:
    """Write the list of all reports, the newest first."""
    return _render("index.html.j2", reports=reports, organisation=organisation)


def redirect(href: str) -> str:
    """Write `latest.html`, which leads to the newest report without a symbolic link."""
    target = Markup.escape(href)
    head = f'<meta charset="utf-8">\n<meta http-equiv="refresh" content="0; url={target}">\n<title>Latest report</title>'
    return f'<!doctype html>\n<html lang="en">\n<head>\n{head}\n</head>\n<body><p><a href="{target}">Latest report</a></p></body>\n</html>\n'


def figure(item: Drawn, *, prefix: str = "") -> dict[str, Any]:
    """A figure or table as the templates want it: the drawing hardened again, the table built from its values."""
    fields, id = item.fields, item.id
    drawing = fields.get("svg", "")
    return {
        "id": id,
        "title": fields["title"],
        "note": fields["note"],
        "svg": Markup(harden(drawing, id=id, title=fields["title"], alt=fields["alt"])) if drawing else "",
        "table": Markup(as_html(fields, caption="")),
        "csv": f"{prefix}tables/{id}.csv",
        "file": f"{prefix}charts/{id}.svg",
        "evidence": f"{prefix}notebooks/{item.notebook}.html#{item.cell}",
        "notebook": item.notebook,
        "section": item.section,
        "empty": not fields["rows"],
        "long": len(fields["rows"]) > PRINTED,
    }


def changed(content: Mapping[str, Any]) -> list[dict[str, str]]:
    """What moved since the last report, one line each: what is new, what moved, what is gone, what cannot be compared."""
    lines, changes = [], [(fields, fields["change"]) for fields in (*content["kpis"], *_roles(content)["finding"]) if fields["change"]]
    if any(change["why"] == REDEFINED for _, change in changes):
        lines.append({"title": "What counts as resolved is defined differently now", "change": "the numbers are not compared", "tone": "level"})
    for fields, change in changes:
        if change["label"] != "within noise" and change["why"] != REDEFINED:
            lines.append({"title": fields["title"], "change": _moved(fields) or "new", "tone": _tone(fields)})
    return [*lines, *({"title": item["title"], "change": "no longer found", "tone": "level"} for item in content["gone"])]


def _once(findings: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """A figure that two findings name is drawn under the first; the second points to it."""
    shown: set[str] = set()
    entries = []
    for entry in findings:
        seen = [drawing for drawing in entry["figures"] if drawing["id"] in shown]
        entries.append({**entry, "figures": [drawing for drawing in entry["figures"] if drawing["id"] not in shown], "seen": seen})
        shown |= {drawing["id"] for drawing in entry["figures"]}
    return entries


def _roles(content: Mapping[str, Any]) -> dict[str, list[dict[str, Any]]]:
    roles = ("headline", "summary", "care", "finding")
    return {role: [fields for fields in content["findings"] if fields["role"] == role] for role in roles}


def _lede(headline: Mapping[str, Any], by_role: Mapping[str, list[dict[str, Any]]]) -> list[str]:
    sentences = [headline["statement"], *(fields["statement"] or fields["title"] for fields in by_role["summary"])]
    return [sentence for sentence in sentences if sentence]


def _care(content: Mapping[str, Any], by_role: Mapping[str, list[dict[str, Any]]]) -> list[dict[str, str]]:
    invented = {"title": "This desk is invented.", "statement": "It shows what a report looks like; no customer wrote any of it."}
    cautions = [{"title": fields["title"], "statement": fields["statement"]} for fields in by_role["care"]]
    return [*([invented] if content["data"]["invented"] else []), *cautions]


def _chapters(content: Mapping[str, Any], figures: Mapping[str, dict[str, Any]], *, shown: set[str]) -> list[dict[str, Any]]:
    """Notebooks with figures that no finding has shown. A reader wants the answer before the data it rests on, so `00` comes last."""
    chapters = []
    for chapter in sorted(content["chapters"], key=lambda chapter: (chapter["name"].startswith("00"), chapter["name"])):
        rest = [drawing for id, drawing in figures.items() if drawing["notebook"] == chapter["name"] and id not in shown]
        if rest:
            chapters.append({**chapter, "parts": _parts(rest), "evidence": f"notebooks/{chapter['name']}.html"})
    return chapters


def _parts(figures: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """Figures under the heading of the notebook that they stand under, in order; `says` is what the first of them finds, `empty` that none of them has a row."""
    parts: list[dict[str, Any]] = []
    for drawing in figures:
        section = drawing["section"]
        if not parts or parts[-1]["section"] != section:
            told = (
                {"id": f"part-{drawing['notebook']}-{section.id}", "title": section.title, "text": section.text}
                if section
                else {"id": "", "title": "", "text": ""}
            )
            parts.append({"section": section, **told, "says": drawing["title"], "figures": []})
        parts[-1]["figures"].append(drawing)
    return [{**part, "empty": all(drawing["empty"] for drawing in part["figures"])} for part in parts]


def _entry(fields: Mapping[str, Any], figures: Mapping[str, dict[str, Any]]) -> dict[str, Any]:
    """A finding as the templates want it, every number spelled."""
    measure = Measure(**fields["measure"]) if fields["measure"] else None
    currency, place = _currency(fields), fields["evidence"]
    return {
        **{name: fields[name] for name in ("id", "title", "statement", "grade", "why", "action", "owner", "check")},
        "measured": measure is not None,
        "value": spell(measure, currency=currency) if measure else "–",
        "interval": spell_interval(measure, currency=currency) if measure else "",
        "n": count(measure.n) if measure and measure.n else "",
        "change": _moved(fields),
        "short": fields["change"]["label"] if fields["change"] else "",
        "tone": _tone(fields),
        "figures": [figures[id] for id in fields["figures"] if id in figures],
        "examples": [(ref, quote(text)) for ref, text in fields["examples"]],
        "evidence": f"notebooks/{place['notebook']}.html#{place['cell']}",
        "source": place["notebook"],
    }


def _currency(fields: Mapping[str, Any]) -> str:
    return str(fields["details"].get("currency", ""))


def _moved(fields: Mapping[str, Any]) -> str:
    """How a finding moved, in words; empty where there was no report before."""
    change = fields["change"]
    if not change:
        return ""
    if change["delta"] is None:
        since = f"new since {change['previous']}" if change["label"] == "new" else f"not comparable with {change['previous']}: {change['why']}"
        return since
    unit = fields["measure"]["unit"]
    delta = spell_change(change["before"] + change["delta"], change["before"], unit=unit, currency=_currency(fields))
    if change["label"] == "within noise":
        return f"no clear change since {change['previous']} ({delta})"
    if change["label"] == "not comparable":
        return f"{delta} since {change['previous']}, {change['why']}"
    arrow = "▲" if change["delta"] > 0 else "▼"
    verdict = {"better": ", better", "worse": ", worse"}.get(_tone(fields), "")
    return f"{arrow} {delta} since {change['previous']}{verdict}"


def _tone(fields: Mapping[str, Any]) -> str:
    """Whether customers would welcome the change: better, worse, level or new."""
    change = fields["change"] or {"label": "level"}
    if change["label"] not in ("up", "down"):
        return "new" if change["label"] == "new" else "level"
    good = fields["measure"]["good"]
    return "level" if good == "neither" else "better" if good == change["label"] else "worse"


def tidy(text: str) -> str:
    """Keep a number on one line with its sign and its percent."""
    return re.sub(r"(?<=\d) (?=%|points?\b)", NOBREAK, str(text)).replace(MINUS, MINUS + JOIN)


def _render(template: str, **values: Any) -> str:
    return _environment().get_template(template).render(csp=Markup(CSP), style=Markup(_style()), **values).rstrip("\n") + "\n"


@lru_cache(maxsize=1)
def _environment() -> Environment:
    found = Environment(loader=PackageLoader("fcrlib.publish"), autoescape=True, undefined=StrictUndefined, trim_blocks=False)
    found.filters["tidy"] = tidy
    return found


@lru_cache(maxsize=1)
def _style() -> str:
    source = _environment().loader
    assert source is not None
    return source.get_source(_environment(), "style.css")[0].rstrip() + "\n" + css_inks()
