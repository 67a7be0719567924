"""How is a chain of whys told, without claiming more than was seen?

What is found by looking at many places in the same data was observed there, no more: every sentence says how much, between which bounds and of how many
contacts, and the next period has to confirm it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import polars as pl

from fcrlib.model.finding import Finding, Measure
from fcrlib.model.numbers import count, interval, magnitude, percent, points, signed
from fcrlib.model.taxonomy import UNEXPLAINED, Taxonomy
from fcrlib.search.chain import Chain
from fcrlib.show.figure import Column, Table
from fcrlib.show.names import capital, slug
from fcrlib.show.quote import quote
from fcrlib.show.telling.drivers import condition
from fcrlib.signs.attributes import ATTRIBUTES

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
    steps = _once(chain.steps.to_dicts(), chain)
    rows = [
        {
            "level": step["level"],
            "question": _question(step, chain),
            "answer": _answer(step, known),
            "evidence": _evidence(step, known),
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
    steps, place = _once(steps, chain), steps[0]
    mode = next((step["what"][0] for step in steps if step["kind"] == "mechanism"), None)
    way = taxonomy.mode(mode) if mode in taxonomy.slugs else None
    said = [capital(f"{_answer(step, taxonomy)}{_in_brackets(_evidence(step, taxonomy))}.") for step in steps]
    low, high = _ends(place)
    return Finding(
        f"why-{slug(' and '.join(place['what']) or 'the whole desk')}",
        "finding",
        _title(steps, chain, taxonomy),
        " ".join(said),
        Measure(place["effect"], low, high, int(place["n"] or 0), "points", "neither" if place["change"] == "mix" else "down"),
        grade="D",
        why=WHY,
        action=way.remedy if way else "",
        owner=way.owner if way else "",
        check=CHECK,
        figures=figures,
        details={"examples": place["examples"], "of_headline": place["of_headline"]},
        lead=chain.compares == PERIODS,
        chain=tuple(said),
        mode=way.slug if way else "",
    )


def _once(steps: list[dict[str, Any]], chain: Chain) -> list[dict[str, Any]]:
    """The steps, each entry of the log of changes and each example only where it comes first, and what a step needs to know of others (`_told`)."""
    said: set[str] = set()
    told: list[dict[str, Any]] = []
    by_way = False
    for step in steps:
        if step["level"] <= 2:
            said, by_way = set(), False
        by_way |= step["kind"] == "mechanism"
        new = {name: [entry for entry in step[name] or [] if entry not in said] for name in ("coincides", "examples")}
        said |= {entry for entries in new.values() for entry in entries}
        told.append({**step, **new, "_told": _Around(by_way, chain)})
    return told


@dataclass(frozen=True, slots=True)
class _Around:
    """What a step is told beside: is it about one way of failing, and how large is what has to be explained?"""

    by_way: bool
    chain: Chain

    @property
    def headline(self) -> dict[str, Any]:
        return self.chain.steps.row(0, named=True)

    @property
    def two(self) -> bool:
        return self.chain.compares == PERIODS


def _title(steps: list[dict[str, Any]], chain: Chain, taxonomy: Taxonomy) -> str:
    place = steps[0]
    where, size = capital(_where(place["what"])), magnitude(place["effect"])
    if place["change"] == "mix":
        return f"{where}: {'a larger' if place['effect'] > 0 else 'a smaller'} share of all contacts came from there, by {size}"
    said = f"{where}: {_rate(place, chain)}"
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


def _answer(step: dict[str, Any], taxonomy: Taxonomy) -> str:
    kind, what, chain = step["kind"], step["what"], step["_told"].chain
    if kind == "end":
        return capital(quote(_spelled(step["note"], taxonomy), limit=400))
    if kind == "headline":
        return _headline(step, chain)
    if kind == "mechanism":
        more = "more" if step["effect"] > 0 else "fewer"
        return f"“{_way(what[0], taxonomy)}” {_moved(step, chain)}: {magnitude(step['effect'])} {more} of the contacts there failed in this way"
    if kind == "attribute":
        return _handled(step)
    if step["change"] == "mix":
        return f"{capital(_where(what))}: its share of all contacts {_went(step)} by {magnitude(step['effect'])}"
    if step["change"] == "exposure":
        return f"{capital(_where(what))}: {_part_of_them(step)}"
    return f"{capital(_where(what))}: {_rate(step, chain)}"


def _headline(step: dict[str, Any], chain: Chain) -> str:
    if step["effect"] is None:
        return "No first contact has its final verdict yet, so there is nothing to explain"
    if chain.compares != PERIODS:
        return f"{percent(step['effect'])} of first contacts failed"
    if not _clear(step):
        return f"The share of first contacts that failed shows no clear change: {points(step['effect'])}"
    return f"The share of first contacts that failed {_went(step)} by {magnitude(step['effect'])}"


def _rate(step: dict[str, Any], chain: Chain) -> str:
    """How the failure rate of a place moved, or where it lies."""
    size, narrower = magnitude(step["effect"]), step["level"] > 2
    if chain.compares == PERIODS:
        beside = f" compared with {'the contacts around it' if narrower else 'the rest of the desk'}" if step["what"] else ""
        return f"the failure rate {_went(step)} by {size}{beside}"
    side = "above" if step["effect"] > 0 else "below"
    beside = "that of the contacts around it" if narrower else "what is expected there"
    return f"the failure rate {'may lie' if _weak(step) else 'lies'} {size} {side} {beside}"


def _handled(step: dict[str, Any]) -> str:
    what, around = _such(step["what"][0]), step["_told"]
    if step["change"] == "exposure":
        return f"Contacts {what}: {_part_of_them(step)}"
    failed = f"{'may have failed' if _weak(step) else 'failed'}{' in this way' if around.by_way else ''}"
    often = f"{magnitude(step['effect'])} {'more' if step['effect'] > 0 else 'less'} often than {'before' if around.two else 'elsewhere'}"
    return f"Contacts {what} {failed} {often}, compared with the other contacts there"


def _part_of_them(step: dict[str, Any]) -> str:
    """There were more of some contacts, or fewer, and such contacts fail at another rate."""
    around, more = step["_told"], step["effect"] > 0
    than = f"{'larger' if more else 'smaller'} part of the contacts there than {'before' if around.two else 'elsewhere'}"
    said = f"they {'may be' if _weak(step) else 'are'} a {than}, by {magnitude(step['effect'])}"
    if step["of_headline"] is None or not around.headline["effect"]:
        return said
    often = "more" if (step["of_headline"] * around.headline["effect"] > 0) == more else "less"
    return f"{said}, and such contacts fail {'in this way ' if around.by_way else ''}{often} often"


def _moved(step: dict[str, Any], chain: Chain) -> str:
    way = "more frequent" if step["effect"] > 0 else "less frequent"
    if _weak(step):
        return f"may {'have become' if chain.compares == PERIODS else 'be'} {way}"
    return f"{'became' if chain.compares == PERIODS else 'is'} {way}"


def _went(step: dict[str, Any]) -> str:
    up = step["effect"] > 0
    if _weak(step):
        return f"may {'have risen' if up else 'have fallen'}"
    return "rose" if up else "fell"


def _evidence(step: dict[str, Any], taxonomy: Taxonomy) -> str:
    """What a step rests on; what the analyst and the log of changes say of it."""
    if step["kind"] == "end":
        return ""
    parts = [_between(step), _weak(step), _contacts(step["n"]) if step["n"] is not None else "", _part(step), _since(step)]
    parts.append(f"coincides with {'; '.join(quote(entry, limit=160).rstrip('.') for entry in step['coincides'])}" if step["coincides"] else "")
    parts.append(f"the data cannot tell it from {_where(step['alternatives'][0])}" if step.get("alternatives") else "")
    parts.append(f"also stands out: {'; '.join(_besides(word, step, taxonomy) for word in step['besides'][:3])}" if step.get("besides") else "")
    parts.append(f"read first: {', '.join(quote(one, limit=60) for one in step['examples'][:3])}" if step["examples"] else "")
    parts.append(quote(_spelled(step["note"], taxonomy), limit=300))
    return "; ".join(part for part in parts if part)


def _contacts(n: int) -> str:
    return f"{count(n)} contact{'' if n == 1 else 's'}"


def _between(step: dict[str, Any]) -> str:
    low, high = _ends(step)
    if low is None or high is None:
        return ""
    whole = step["kind"] == "headline" and not step["_told"].two
    return f"95 % interval {interval(low, high) if whole else f'{signed(100 * low)} to {points(high)}'}"


def _ends(step: dict[str, Any]) -> tuple[float | None, float | None]:
    """The interval that knows of the choice, or the plain one where nothing was chosen."""
    chosen = step["low"] is not None and step["high"] is not None
    return (step["low"], step["high"]) if chosen else (step["plain_low"], step["plain_high"])


def _clear(step: dict[str, Any]) -> bool:
    low, high = _ends(step)
    return low is not None and high is not None and not low <= 0 <= high


def _weak(step: dict[str, Any]) -> str:
    return "" if _clear(step) or _ends(step)[0] is None or step["kind"] == "headline" else "the interval includes zero"


def _part(step: dict[str, Any]) -> str:
    """What a step makes up of what has to be explained; in points where a percentage would mislead."""
    of, around = step["of_headline"], step["_told"]
    if of is None or step["kind"] == "headline":
        return ""
    if not around.two:
        return f"this excess is {percent(of, digits=0)} of all failures" if of > 0 else ""
    worth = f"{points(of * around.headline['effect'])} on the whole desk"
    if not _clear(around.headline):
        return worth
    if 0 <= of <= 1:
        return f"{percent(of, digits=0)} of the change"
    return f"{worth}, {'more than its whole change' if of > 1 else 'against its change'}"


def _since(step: dict[str, Any]) -> str:
    if step.get("since") is None:
        return ""
    first, last = step["since_from"], step["since_to"]
    sure = "" if first is None or last is None or first == last else f" (the weeks from {first:%Y-%m-%d} to {last:%Y-%m-%d} fit nearly as well)"
    return f"turned in the week from {step['since']:%Y-%m-%d}{sure}"


def _besides(word: str, step: dict[str, Any], taxonomy: Taxonomy) -> str:
    if step["kind"] == "mechanism":
        return f"“{_way(word, taxonomy)}”"
    return f"contacts {_such(word)}" if "=" in word else quote(word, limit=60)


def _where(words: list[str]) -> str:
    return ", ".join(condition(word) for word in words) or "all over the desk"


def _such(word: str) -> str:
    """Contacts that were handled in some way, as they are called on the fishbone."""
    name, _, value = word.partition("=")
    about = ATTRIBUTES.get(name)
    if about and value in (about.usual, *about.levels):
        return about.levels.get(value, about.against)
    return f"with {condition(word)}"


def _way(mode: str, taxonomy: Taxonomy) -> str:
    if mode == UNEXPLAINED:
        return "no known sign"
    return taxonomy.mode(mode).name if mode in taxonomy.slugs else quote(mode, limit=60)


def _spelled(note: str, taxonomy: Taxonomy) -> str:
    """A remark with the ways of failing under the names that readers know."""
    return " ".join(
        f"“{_way(word.rstrip(','), taxonomy)}”{',' * word.endswith(',')}" if word.rstrip(",") in taxonomy.slugs else word for word in note.split(" ")
    )


def _in_brackets(text: str) -> str:
    return f" ({text})" if text else ""
