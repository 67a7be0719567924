"""How is a chain of whys told, without claiming more than was seen?

What is found by looking at many places in the same data was observed there, no more: every sentence says how much, between which bounds and of how many
contacts, and the next period has to confirm it.
"""

from __future__ import annotations

from typing import Any

import polars as pl

from fcrlib.model.finding import Finding, Measure
from fcrlib.model.taxonomy import UNEXPLAINED, Taxonomy
from fcrlib.search.chain import Chain
from fcrlib.search.cube import NOT_KNOWN, OTHERS
from fcrlib.show.figure import Column, Table
from fcrlib.show.names import capital, slug
from fcrlib.show.numbers import count, interval, percent, points, signed
from fcrlib.show.quote import quote

WHY = "found by looking at many places in the same data; the next period has to confirm it"
CHECK = "Look at the same place in the next period, and read the contacts named as examples."
PERIODS = "periods"


def sentences(chain: Chain, *, taxonomy: Taxonomy | None = None) -> list[str]:
    """One sentence per step: `Why? ...`, with its evidence."""
    rows = told(chain, taxonomy=taxonomy).numbers
    return [f"{row['question'].strip()} {row['answer']}{_in_brackets(row['evidence'])}." for row in rows.to_dicts()]


def told(chain: Chain, *, id: str = "whys", taxonomy: Taxonomy | None = None) -> Table:
    """The chain as a table that is read from top to bottom: `level`, `question`, `answer`, `evidence`."""
    known = taxonomy or Taxonomy.shipped()
    steps = _once(chain.steps.to_dicts())
    rows = [
        {
            "level": step["level"],
            "question": _question(step, chain),
            "answer": _answer(step, chain, known),
            "evidence": _evidence(step, chain),
        }
        for step in steps
    ]
    frame = pl.DataFrame(rows, schema={"level": pl.Int64, "question": pl.String, "answer": pl.String, "evidence": pl.String})
    heads = (Column("level", "level", "count"), Column("question", "question"), Column("answer", "answer"), Column("evidence", "evidence"))
    return Table(
        id, title(chain, taxonomy=known), frame, heads, note=capital(" ".join((WHY + ".", *(quote(note, limit=400) for note in chain.notes))))
    )


def title(chain: Chain, *, taxonomy: Taxonomy | None = None) -> str:
    """The chain in one line: the first place, and the way of failing that stands out there."""
    if not chain.branches:
        return "No place stands out, so there is no further why to ask"
    return _title(chain.branches[0].to_dicts(), chain, taxonomy or Taxonomy.shipped())


def findings(chain: Chain, *, taxonomy: Taxonomy | None = None, figures: tuple[str, ...] = ()) -> list[Finding]:
    """One finding per branch: where, by which way of failing, how such contacts were handled, and why it goes no further."""
    known = taxonomy or Taxonomy.shipped()
    return [_finding(branch.to_dicts(), chain, known, figures) for branch in chain.branches]


def _finding(steps: list[dict[str, Any]], chain: Chain, taxonomy: Taxonomy, figures: tuple[str, ...]) -> Finding:
    steps, place = _once(steps), steps[0]
    mode = next((step["what"][0] for step in steps if step["kind"] == "mechanism"), None)
    way = taxonomy.mode(mode) if mode in taxonomy.slugs else None
    said = [f"{_answer(step, chain, taxonomy)}{_in_brackets(_evidence(step, chain))}." for step in steps]
    low, high = _ends(place)
    return Finding(
        f"why-{slug(' and '.join(place['what']) or 'the whole desk')}",
        "finding",
        _title(steps, chain, taxonomy),
        " ".join(capital(sentence) for sentence in said),
        Measure(place["effect"], low, high, int(place["n"] or 0), "points", "neither" if place["change"] == "mix" else "down"),
        grade="D",
        why=WHY,
        action=way.remedy if way else "",
        owner=way.owner if way else "",
        check=CHECK,
        figures=figures,
        details={"examples": place["examples"], "of_headline": place["of_headline"]},
        lead=chain.compares == PERIODS,
    )


def _once(steps: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The steps, each entry of the log of changes only where it comes first."""
    said: set[str] = set()
    told: list[dict[str, Any]] = []
    for step in steps:
        said = set() if step["kind"] == "place" and step["level"] == 2 else said
        told.append({**step, "coincides": [entry for entry in step["coincides"] or [] if entry not in said]})
        said |= set(step["coincides"] or [])
    return told


def _title(steps: list[dict[str, Any]], chain: Chain, taxonomy: Taxonomy) -> str:
    place = steps[0]
    where, size = capital(_where(place["what"])), _size(place["effect"])
    if place["change"] == "mix":
        return f"{where}: {'a larger' if place['effect'] > 0 else 'a smaller'} share of all contacts came from there, by {size}"
    said = f"{where}: the failure rate {_went(place, chain)} by {size}"
    mechanism = next((step for step in steps if step["kind"] == "mechanism"), None)
    return f"{said}, and “{_way(mechanism['what'][0], taxonomy)}” {_moved(mechanism, chain)}" if mechanism else said


def _question(step: dict[str, Any], chain: Chain) -> str:
    two = chain.compares == PERIODS
    if step["kind"] == "place":
        return ("Why? Where did it change?" if two else "Why? Where does it lie?") if step["level"] == 2 else "Why that? Where exactly?"
    return {
        "headline": "What changed?" if two else "What is there to explain?",
        "mechanism": "Why there? How did they fail?",
        "attribute": "Why that way? How were they handled?",
        "end": "And why that?",
    }[str(step["kind"])]


def _answer(step: dict[str, Any], chain: Chain, taxonomy: Taxonomy) -> str:
    kind, what, effect = step["kind"], step["what"], step["effect"]
    if kind == "end":
        return capital(quote(step["note"], limit=400))
    if kind == "headline":
        return (
            f"The share of first contacts that failed moved by {points(effect)}"
            if chain.compares == PERIODS
            else f"{percent(effect)} of first contacts failed"
        )
    if kind == "mechanism":
        return f"“{_way(what[0], taxonomy)}” {_moved(step, chain)}: {points(effect)} of the contacts there"
    if kind == "attribute":
        return _handled(step, chain)
    if step["change"] == "mix":
        return f"{capital(_where(what))}: its share of all contacts moved by {points(effect)}"
    if step["change"] == "exposure":
        return f"{capital(_where(what))}: its share of these contacts moved by {points(effect)}, and such contacts failed differently all along"
    if step["level"] > 2 or not what:
        return f"{capital(_where(what))}: the failure rate {_went(step, chain)} by {_size(effect)}{' more than around it' if what else ''}"
    return f"{capital(_where(what))}: the failure rate {_went(step, chain)} by {_size(effect)} beyond the rest"


def _handled(step: dict[str, Any], chain: Chain) -> str:
    what, more = _where(step["what"]), step["effect"] > 0
    before = "before" if chain.compares == PERIODS else "elsewhere"
    if step["change"] == "exposure":
        rate = "and such contacts failed in this way at another rate all along"
        return f"{'More' if more else 'Fewer'} of these contacts had {what} than {before} ({points(step['effect'])}), {rate}"
    return f"Contacts with {what} failed in this way {_size(step['effect'])} {'more' if more else 'less'} than {before}, beyond what the others there did"


def _size(effect: float) -> str:
    return points(abs(effect)).lstrip("+")


def _moved(step: dict[str, Any], chain: Chain) -> str:
    return f"{'became' if chain.compares == PERIODS else 'is'} {'more' if step['effect'] > 0 else 'less'} frequent"


def _went(step: dict[str, Any], chain: Chain) -> str:
    up, two = step["effect"] > 0, chain.compares == PERIODS
    if _weak(step):
        return f"may {'have risen' if up else 'have fallen'}" if two else f"may lie {'higher' if up else 'lower'}"
    return ("rose" if up else "fell") if two else f"lies {'higher' if up else 'lower'}"


def _evidence(step: dict[str, Any], chain: Chain) -> str:
    """What a step rests on; what the analyst and the log of changes say of it."""
    if step["kind"] == "end":
        return ""
    low, high = _ends(step)
    whole = step["kind"] == "headline" and chain.compares != PERIODS
    ends = "" if low is None or high is None else interval(low, high) if whole else f"{signed(100 * low)} to {points(high)}"
    parts = [f"95 % interval {ends}" if ends else ""]
    parts.append(_weak(step))
    parts.append(f"{count(step['n'])} contacts" if step["n"] is not None else "")
    parts.append(_part(step, chain))
    parts.append(f"coincides with {'; '.join(quote(entry, limit=160).rstrip('.') for entry in step['coincides'])}" if step["coincides"] else "")
    parts.append(f"read first: {', '.join(quote(one, limit=60) for one in step['examples'][:3])}" if step["examples"] else "")
    parts.append(quote(step["note"], limit=300))
    return "; ".join(part for part in parts if part)


def _ends(step: dict[str, Any]) -> tuple[float | None, float | None]:
    """The interval that knows of the choice, or the plain one where nothing was chosen."""
    chosen = step["low"] is not None and step["high"] is not None
    return (step["low"], step["high"]) if chosen else (step["plain_low"], step["plain_high"])


def _weak(step: dict[str, Any]) -> str:
    low, high = _ends(step)
    return "the interval does not leave out zero" if low is not None and high is not None and low <= 0 <= high and step["kind"] != "headline" else ""


def _part(step: dict[str, Any], chain: Chain) -> str:
    of = step["of_headline"]
    if of is None or step["kind"] == "headline":
        return ""
    return f"{percent(of, digits=0)} of {'the change' if chain.compares == PERIODS else 'all failures'}"


def _where(words: list[str]) -> str:
    return ", ".join(_condition(word) for word in words) or "all over the desk"


def _condition(word: str) -> str:
    name, _, value = word.partition("=")
    name = quote(name.replace("_", " "), limit=40)
    known = {NOT_KNOWN: f"{name} not known", OTHERS: f"all other values of {name}"}
    return known.get(value, f"{name} “{quote(value, limit=60)}”")


def _way(mode: str, taxonomy: Taxonomy) -> str:
    if mode == UNEXPLAINED:
        return "no known sign"
    return taxonomy.mode(mode).name if mode in taxonomy.slugs else quote(mode, limit=60)


def _in_brackets(text: str) -> str:
    return f" ({text})" if text else ""
