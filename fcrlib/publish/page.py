"""What does the reader see?

One offline page: no script, no request, nothing trusted. Whatever comes from a notebook is text and is escaped; only drawings that were
hardened and tables that were built here pass as markup.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any, Literal

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from fcrlib import __version__
from fcrlib.model.numbers import MINUS
from fcrlib.publish.changes import lines
from fcrlib.publish.findings import Drawn
from fcrlib.publish.interactive import live
from fcrlib.publish.parts import CAUTIONS, cautions, entry, lede, named, rest_of, shared_why, sorted_out
from fcrlib.show.svg import harden
from fcrlib.show.tables import as_html
from fcrlib.show.theme import css_inks

PRINTED = 24  # rows; a longer table under a drawing is left to the screen and the CSV file
CSP = "default-src 'none'; style-src 'unsafe-inline'; img-src data:; base-uri 'none'; form-action 'none'"
Drawings = Literal["still", "interactive"]
NOBREAK, JOIN = "\u00a0", "\u2060"


def report(content: Mapping[str, Any], *, drawn: Sequence[Drawn], run_at: str, drawings: Drawings = "still") -> str:
    """Write `report.html`.

    Parameters
    ----------
    content
        What `findings.json` says, compared with the last report.
    drawn
        The figures and tables of the notebooks.
    run_at
        When the notebooks ran; it appears in one line only, so that two runs on one desk are otherwise the same page.
    drawings
        `still`: no script at all. `interactive`: the drawings that the page shows are drawn once more by one script that the page carries and names by
        its fingerprint; where it does not run, the still ones stay.
    """
    shown = named(content)
    parts = sorted_out(content, {item.id: {**figure(item), "pictured": item.id in shown} for item in drawn})
    ranked, care = parts["ranked"], cautions(content)
    standing = _standing(parts)
    script = live([item for item in drawn if item.id in standing]) if drawings == "interactive" else None
    headline = next((fields["title"] for fields in content["findings"] if fields["role"] == "headline"), None)
    return _render(
        "report.html.j2",
        csp=Markup(CSP if script is None else f"{CSP}; script-src {script.allowed}"),
        script=Markup(script.markup) if script else "",
        title=headline or f"First contact resolution, {content['period']['label']}",
        lede=lede(content, ranked),
        counted=rest_of(content),
        shared=shared_why(ranked),
        care=care[:CAUTIONS],
        more_care=care[CAUTIONS:],
        kpis=[entry(fields) for fields in content["kpis"]],
        **parts,
        fishbone="#figure-fishbone" if "fishbone" in standing else "",
        compared=next((fields["change"]["previous"] for fields in (*content["findings"], *content["kpis"]) if fields["change"]), None),
        moves=lines(content),
        all_chapters=content["chapters"],
        version=__version__,
        run_at=run_at,
        **{name: content[name] for name in ("organisation", "period", "previous", "data", "definitions")},
    )


def _standing(parts: Mapping[str, Any]) -> set[str]:
    """The ids of the figures that the page draws."""
    cards = [card for name in ("ranked", "friction", "actions", "waiting", "others") for card in parts[name]]
    sections = [part for chapter in parts["chapters"] for part in chapter["parts"]]
    return {drawing["id"] for part in (*cards, *sections) for drawing in part["figures"]}


def evidence(*, name: str, title: str, period: str, cells: Sequence[Mapping[str, Any]]) -> str:
    """Write one executed notebook as a page; `cells` come from `evidence.shown`."""
    return _render("evidence.html.j2", name=name, title=title, period=period, cells=cells)


def index(reports: Sequence[Mapping[str, Any]], *, organisation: str) -> str:
    """Write the list of all reports, the newest first."""
    return _render("index.html.j2", reports=reports, organisation=organisation)


def redirect(href: str) -> str:
    """Write `latest.html`, which leads to the newest report without a symbolic link."""
    target = Markup.escape(href)
    policy = f'<meta http-equiv="Content-Security-Policy" content="{CSP}">'
    head = f'<meta charset="utf-8">\n{policy}\n<meta http-equiv="refresh" content="0; url={target}">\n<title>Latest report</title>'
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
        "picture": f"{prefix}charts/{id}.png",
        "evidence": f"{prefix}notebooks/{item.notebook}.html#{item.cell}",
        "notebook": item.notebook,
        "section": item.section,
        "rows": len(fields["rows"]),
        "empty": not fields["rows"],
        "long": len(fields["rows"]) > PRINTED,
    }


def tidy(text: str) -> str:
    """Keep a number on one line with its sign and its percent."""
    return re.sub(r"(?<=\d) (?=%|points?\b)|(?<=[▲▼]) ", NOBREAK, str(text)).replace(MINUS, MINUS + JOIN)


def _render(template: str, **values: Any) -> str:
    return _environment().get_template(template).render(**{"csp": Markup(CSP), "style": Markup(_style()), **values}).rstrip("\n") + "\n"


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
