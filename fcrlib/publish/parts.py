"""Which part of the page does each finding and each figure stand in?

The page answers in the order of a reader's questions: what to fix first, where, what changed, what became of the last actions, and what else was
found. What several notebooks say of one way of failing stands together. A figure is drawn once, and only where a reader looks for it: of a section of a
notebook, the first one; the others are named and lie one click away in the notebook's own page.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from fcrlib.model.finding import Measure
from fcrlib.model.numbers import count, spell, spell_interval
from fcrlib.publish.changes import moved, short, tone
from fcrlib.show.names import capital
from fcrlib.show.quote import quote
from fcrlib.show.telling.friction import PLACE, WEEKS, owned

Fields = Mapping[str, Any]
MOST, SHORT_TABLE, DRAWINGS, CAUTIONS, QUOTES = 5, 12, 3, 4, 3
BESIDE = (PLACE, WEEKS)  # what only adds to a way of failing
_HALF, _FIFTH = 1 / 2, 1 / 5
GRADES = {"A": "strong", "B": "good", "C": "fair", "D": "a lead"}
_END = re.compile(r"(?<=[.!?]) (?=[A-Z“])")


def sorted_out(content: Fields, figures: Mapping[str, dict[str, Any]]) -> dict[str, Any]:
    """Everything of a report in its part: `ranked` (with all that speaks of the same way of failing), `friction`, `actions`, `others`, `chapters`.

    `waiting` are the actions that cannot be judged yet. Without ways of failing, the first findings are ranked.
    """
    found = [fields for fields in content["findings"] if fields["role"] in ("mode", "finding")]
    sections = {part: [fields for fields in found if fields["details"].get("part") == part] for part in ("friction", "actions")}
    free = [fields for fields in found if fields["details"].get("part") not in sections]
    alone = [fields for fields in free if fields["details"].get("part") not in BESIDE]
    modes = _by_weight([fields for fields in free if fields["role"] == "mode"])
    heads = (modes or alone)[:MOST]
    ids, ways = {fields["id"] for fields in heads}, {fields["mode"] for fields in heads if fields["mode"] and modes}
    beside = [fields for fields in free if fields["id"] not in ids and fields["mode"] in ways]
    others = [fields for fields in alone if fields["id"] not in ids and fields["mode"] not in ways]
    shown: set[str] = set()
    ranked = [_card(fields, [one for one in beside if modes and one["mode"] == fields["mode"]], figures, shown) for fields in heads]
    parts = {name: [_card(fields, [], figures, shown) for fields in rows] for name, rows in {**sections, "others": others}.items()}
    waiting = [card for card in parts["actions"] if not card["judged"]]
    parts["actions"] = [card for card in parts["actions"] if card["judged"]]
    return {"ranked": ranked, **parts, "waiting": waiting, "chapters": _chapters(content, figures, shown=shown)}


def named(content: Fields) -> set[str]:
    """The ids of the figures that findings show: these are what people put on slides."""
    return {id for fields in content["findings"] for id in fields["figures"]}


def _by_weight(modes: list[Fields]) -> list[Fields]:
    """The dearest first where the cost of every one is known in one unit, else the most frequent first."""
    costs = [fields["cost"] or {"value": None, "unit": ""} for fields in modes]
    if all(cost["value"] is not None for cost in costs) and len({cost["unit"] for cost in costs}) == 1:
        return sorted(modes, key=lambda fields: -fields["cost"]["value"])
    return modes


def lede(content: Fields, ranked: Sequence[Fields]) -> list[str]:
    """The page in three sentences: how the rate came about, what moved it, and what to fix first."""
    headline = next((fields for fields in content["findings"] if fields["role"] == "headline"), None)
    leads = [fields["title"] for fields in content["findings"] if fields["lead"] and fields["role"] in ("mode", "finding")]
    sentences = [_END.split(headline["statement"])[0] if headline else "", f"What moved most: {leads[0]}." if leads else "", _first(ranked)]
    return [sentence for sentence in sentences if sentence]


def _first(ranked: Sequence[Fields]) -> str:
    if not ranked or ranked[0]["role"] != "mode":
        return ""
    first = ranked[0]
    cost = f"; {first['cost']}" if first["cost"] else ""
    owner = f" Its owner is the {first['owner']}." if first["owner"] and not first["owner"].startswith(("the ", "who")) else ""
    owner = f" Its owner is {first['owner']}." if first["owner"] and not owner else owner
    where = f", {first['mostly']}" if first["mostly"] else ""
    return f"First to fix: {first['name'][:1].lower()}{first['name'][1:]} ({first['value']} of the failed contacts{cost}){where}.{owner}"


def _mostly(fields: Fields, beside: Sequence[Fields]) -> str:
    """Where to begin: the part of the product that a way of failing is at home in, else the place where it clearly stands out, if much of it lies there."""
    where = next((str(one["details"]["where"]) for one in beside if one["details"].get("where")), "")
    n = (fields["measure"] or {}).get("n") or 0
    places = [one["details"] for one in beside if n and one["details"].get("there", 0) >= _FIFTH * n]
    if where or not places:
        return where
    return f"{'mostly' if places[0]['there'] >= _HALF * n else 'often'} {places[0]['of']}"


def shared_why(cards: Sequence[Fields]) -> str:
    """Why all of several findings have their grade, where the reason is the same: it need be said only once."""
    whys = {card["why"] for card in cards}
    return str(next(iter(whys))) if len(cards) > 1 and len(whys) == 1 else ""


def rest_of(content: Fields) -> list[str]:
    """What the headline says beyond its first sentence; it belongs to the method."""
    told = [fields["statement"] for fields in content["findings"] if fields["role"] == "headline"]
    return _END.split(told[0])[1:] if told else []


def cautions(content: Fields) -> list[dict[str, str]]:
    """What a reader must know: that the desk is invented, then what each notebook warns of, leading cautions first."""
    invented = {"title": "This desk is invented.", "statement": "It shows what a report looks like; no customer wrote any of it."}
    cares = sorted((fields for fields in content["findings"] if fields["role"] == "care"), key=lambda fields: not fields["lead"])
    said = [{"title": fields["title"], "statement": fields["statement"]} for fields in cares]
    summaries = [{"title": fields["statement"] or fields["title"], "statement": ""} for fields in content["findings"] if fields["role"] == "summary"]
    return [*([invented] if content["data"]["invented"] else []), *said, *summaries]


def entry(fields: Fields) -> dict[str, Any]:
    """A finding as the templates want it, every number spelled."""
    measure, cost = (Measure(**fields[name]) if fields.get(name) else None for name in ("measure", "cost"))
    currency, place = str(fields["details"].get("currency", "")), fields["evidence"]
    return {
        **{name: fields[name] for name in ("id", "role", "title", "statement", "grade", "why", "action", "owner", "check", "chain")},
        "name": capital(str(fields["details"].get("name") or fields["title"])),
        "bone": str(fields["details"].get("bone", "")),
        "cumulative": str(fields["details"].get("cumulative", "")),
        "moved": str(fields["details"].get("moved", "")) if (fields["change"] or {"why": "none"})["why"] == "" else "",
        "judged": bool(fields["details"].get("judged", True)),
        "grade_word": GRADES.get(fields["grade"] or "", ""),
        "measured": measure is not None,
        "value": spell(measure, currency=currency) if measure else "–",
        "interval": spell_interval(measure, currency=currency) if measure else "",
        "n": count(measure.n) if measure and measure.n else "",
        "cost": _cost(cost, currency),
        "priced": cost is not None and cost.unit == "money",
        "cost_interval": spell_interval(cost, currency=currency) if cost else "",
        "change": moved(fields),
        "short": short(fields),
        "tone": tone(fields),
        "evidence": f"notebooks/{place['notebook']}.html#{place['cell']}",
        "source": place["notebook"],
    }


def _cost(cost: Measure | None, currency: str) -> str:
    if cost is None or cost.value is None:
        return ""
    return f"{spell(cost, currency=currency)} more contacts" if cost.unit == "contacts" else spell(cost, currency=currency)


def _card(fields: Fields, beside: Sequence[Fields], figures: Mapping[str, dict[str, Any]], shown: set[str]) -> dict[str, Any]:
    """A finding with what else speaks of the same thing; a figure that stands above already is only pointed to."""
    asked = dict.fromkeys(id for one in (fields, *beside) for id in one["figures"] if id in figures)
    seen = [id for id in asked if id in shown]
    fresh = [id for id in asked if id not in shown][:DRAWINGS]
    shown.update(fresh)
    quotes = dict.fromkeys((ref, quote(text)) for one in (fields, *beside) for ref, text in one["examples"])
    places = [entry(one) for one in sorted(beside, key=lambda one: one["details"].get("part") != PLACE)]
    area = next((str(one["details"]["area"]) for one in beside if one["details"].get("area")), "")
    return {
        **entry(fields),
        "owner": owned(str(fields["owner"]), area) if area else fields["owner"],
        "mostly": _mostly(fields, beside),
        "chains": [one for one in [entry(fields), *places] if one["chain"]],
        "places": [one for one in places if not one["chain"] and not one["id"].startswith(f"{WEEKS}-")],
        "figures": [figures[id] for id in fresh],
        "seen": [figures[id] for id in seen],
        "examples": list(quotes)[:QUOTES],
        "proofs": _proofs([entry(fields), *places]),
    }


def _proofs(entries: Sequence[Fields]) -> list[dict[str, str]]:
    """Every notebook that something was found in, at its first finding."""
    first: dict[str, str] = {}
    for one in entries:
        first.setdefault(one["source"], one["evidence"])
    return [{"name": name, "href": href} for name, href in first.items()]


def _chapters(content: Fields, figures: Mapping[str, dict[str, Any]], *, shown: set[str]) -> list[dict[str, Any]]:
    """Notebooks with figures that no finding has shown. A reader wants the answer before the data it rests on, so `00` comes last."""
    chapters = []
    for chapter in sorted(content["chapters"], key=lambda chapter: (chapter["name"].startswith("00"), chapter["name"])):
        rest = [drawing for id, drawing in figures.items() if drawing["notebook"] == chapter["name"] and id not in shown]
        if rest:
            chapters.append({**chapter, "parts": _parts(rest), "evidence": f"notebooks/{chapter['name']}.html"})
    return chapters


def _parts(figures: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """Figures under the heading of the notebook that they stand under; `says` is what the first of them finds, `empty` that none of them has a row.

    The first drawing of a section is shown whole, or its first table if it is short; `more` names the others and where they are.
    """
    parts: list[dict[str, Any]] = []
    for drawing in figures:
        section = drawing["section"]
        if not parts or parts[-1]["section"] != section:
            id = f"part-{drawing['notebook']}-{section.id}" if section else ""
            parts.append(
                {"section": section, "id": id, "title": section.title if section else "", "text": section.text if section else "", "all": []}
            )
        parts[-1]["all"].append(drawing)
    return [{**part, **_shown(part["all"])} for part in parts]


def _shown(figures: list[dict[str, Any]]) -> dict[str, Any]:
    full = [drawing for drawing in figures if not drawing["empty"]]
    first = next((drawing for drawing in full if drawing["svg"]), next((drawing for drawing in full if drawing["rows"] <= SHORT_TABLE), None))
    more = [drawing for drawing in full if drawing is not first]
    return {"figures": [first] if first else [], "more": more, "says": figures[0]["title"], "empty": not full}
