"""What moved since the last report, in words?

A change is called one only where chance alone would rarely make it; where a definition changed there is no arrow at all.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from fcrlib.model.numbers import spell_change
from fcrlib.show.names import capital
from fcrlib.show.telling.fixes import ACTIONS

REDEFINED, RESORTED = "definition changed", "the ways of failing are told apart differently"
MEASURED = ("kpi", "mode", "finding")
ORDER = ("down", "up", "new", "gone", "not comparable", "within noise")
HEADS = {
    "up": "Went up",
    "down": "Went down",
    "new": "New among the findings",
    "gone": "No longer among the findings",
    "not comparable": "Not comparable",
    "within noise": "No clear change",
}
SHORT = {"up": "▲ up", "down": "▼ down", "new": "new", "within noise": "no clear change", "not comparable": "not comparable"}


def measured(content: Mapping[str, Any]) -> list[dict[str, Any]]:
    """What a report measures; a finding without a number has nothing that could move, and what became of an action is told in its own part."""
    every = [fields for fields in (*content["kpis"], *content["findings"]) if fields["role"] in MEASURED and fields["measure"]]
    return [fields for fields in every if fields["details"].get("part") != ACTIONS]


def moved(fields: Mapping[str, Any]) -> str:
    """How a finding moved, in words; empty where there was nothing to compare it with."""
    change = fields["change"]
    if not change:
        return ""
    if change["delta"] is None:
        return f"new since {change['previous']}" if change["label"] == "new" else f"not comparable with {change['previous']}: {change['why']}"
    delta = by_how_much(fields)
    if change["label"] == "within noise":
        return f"no clear change since {change['previous']} ({delta})"
    if change["label"] == "not comparable":
        return f"{delta} since {change['previous']}, {change['why']}"
    arrow = "▲" if change["delta"] > 0 else "▼"
    verdict = {"better": ", better", "worse": ", worse"}.get(tone(fields), "")
    return f"{arrow} {delta} since {change['previous']}{verdict}"


def by_how_much(fields: Mapping[str, Any]) -> str:
    """The size of a change in the unit of its measure, and of what it is a share."""
    change, currency = fields["change"], str(fields["details"].get("currency", ""))
    delta = spell_change(change["before"] + change["delta"], change["before"], unit=fields["measure"]["unit"], currency=currency)
    return f"{delta} {change['of']}".strip() if change.get("of") else delta


def short(fields: Mapping[str, Any]) -> str:
    """A change in as few words as a table has room for."""
    change = fields["change"]
    if not change:
        return ""
    if change["label"] not in ("up", "down") or change["delta"] is None:
        return SHORT.get(change["label"], str(change["label"]))
    return f"{'▲' if change['delta'] > 0 else '▼'} {by_how_much({**fields, 'change': {**change, 'of': ''}})}"


def tone(fields: Mapping[str, Any]) -> str:
    """Whether customers would welcome the change: better, worse, level or new."""
    change = fields["change"] or {"label": "level"}
    if change["label"] not in ("up", "down"):
        return "new" if change["label"] == "new" else "level"
    good = fields["measure"]["good"]
    return "level" if good == "neither" else "better" if good == change["label"] else "worse"


def lines(content: Mapping[str, Any]) -> list[dict[str, str]]:
    """What moved, one line each: `label`, `head` (the same for people), `id`, `role`, `title`, `change`, `tone`; what moved clearly comes first.

    What showed no clear change comes last, so that nobody has to wonder whether it was looked at.
    """
    entries = [fields for fields in measured(content) if fields["change"]]
    found = [line(fields) for fields in entries if fields["change"]["why"] != REDEFINED]
    bare = {"label": "gone", "change": "", "tone": "level"}
    gone = [{**bare, "id": item["id"], "role": item.get("role", ""), "title": capital(item["title"])} for item in content["gone"]]
    redefined = any(fields["change"]["why"] == REDEFINED for fields in entries)
    said = "the two reports are not compared; where this page compares periods, it judges both by the new definition"
    first = {"label": "not comparable", "id": "", "role": "kpi", "title": "What counts as resolved is defined differently now", "tone": "level"}
    every = [*([{**first, "change": said}] if redefined else []), *found, *gone]
    return [{**one, "head": HEADS[one["label"]]} for label in ORDER for one in every if one["label"] == label]


def line(fields: Mapping[str, Any]) -> dict[str, str]:
    """One thing that was looked at in both periods, or is new."""
    label, title = str(fields["change"]["label"]), capital(str(fields["details"].get("name") or fields["title"]))
    change = "" if label == "new" else moved(fields)
    return {"label": label, "id": str(fields["id"]), "role": str(fields["role"]), "title": title, "change": change, "tone": tone(fields)}


def clear(content: Mapping[str, Any]) -> list[dict[str, str]]:
    """The lines about key figures and ways of failing, without those that show no clear change."""
    return [one for one in lines(content) if one["label"] != "within noise" and one["role"] in ("kpi", "mode")]
