"""How are the places where contacts fail, and what changed in them, put into words?"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import polars as pl

from fcrlib.judge.rates import difference, rate
from fcrlib.model.columns import NOT_KNOWN, OTHERS
from fcrlib.model.finding import Finding, Measure
from fcrlib.model.numbers import count, magnitude, percent, points
from fcrlib.search.where import conditions
from fcrlib.show import effects
from fcrlib.show.figure import Column, Figure
from fcrlib.show.names import capital, slug
from fcrlib.show.quote import quote

if TYPE_CHECKING:
    from fcrlib.explain.drivers import Change, Drivers
    from fcrlib.search.chain import Chain
    from fcrlib.search.sides import Sides

EVERYTHING = "all contacts"
ALONE = "This period is not compared with an earlier one"
FEW = "There are too few contacts with a final verdict to name a place"
_NONE: dict[str, Any] = {
    "kind": pl.String, "where": pl.List(pl.String), "n": pl.Int64, **dict.fromkeys(("effect", "low", "high", "contribution"), pl.Float64),
    "refinements": pl.List(pl.String), "alternatives": pl.List(pl.String),
}  # fmt: skip
PARTS = {
    "mix_drivers": "more or fewer contacts in the places named",
    "other_mix": "other shifts in what arrives",
    "rate_drivers": "failing more or less often in the places named",
    "other_rate": "failing more or less often everywhere else",
}
WHOLE = {"other_mix": "shifts in what arrives", "other_rate": "failing more or less often"}
"""What the other part is called where no place is named that it could be beside."""


def place(where: Sequence[str]) -> str:
    """A place in words.

    Examples
    --------
    >>> place(["category=login", "product_area=single sign-on"]), place(["tier=(not known)"]), place([])
    ('category “login” and product area “single sign-on”', 'tier not known', 'all contacts')
    """
    return " and ".join(condition(word) for word in where) or EVERYTHING


def condition(word: str) -> str:
    """One condition of a place in words."""
    name, _, value = word.partition("=")
    name = quote(name.replace("_", " "), limit=40)
    rest = {NOT_KNOWN: f"{name} not known", OTHERS: f"any other {name}"}
    return rest.get(value, f"{name} “{quote(value, limit=60)}”")


def _id(where: Sequence[str]) -> str:
    """The part of a finding's id that names its place, the same in every period however it is told."""
    pairs = [word.split("=", 1) for word in where]
    return slug(" and ".join(f"{name.replace('_', ' ')} {value}" for name, value in pairs) or EVERYTHING)


def named(drivers: pl.DataFrame, *, dims: Sequence[str]) -> pl.DataFrame:
    """The drivers with `name` (the place), `what` (how it counts), `inside` and `rivals` in words."""
    rows = drivers.to_dicts()
    words = {
        "name": [place(row["where"]) for row in rows],
        "what": [_how(row) for row in rows],
        "inside": ["; ".join(_told(inner, dims) for inner in row["refinements"]) or "–" for row in rows],
        "rivals": ["; ".join(_told(other, dims) for other in row["alternatives"]) or "–" for row in rows],
    }
    return drivers.with_columns(pl.Series(name, values, dtype=pl.String) for name, values in words.items())


def _how(row: dict[str, Any]) -> str:
    if row["kind"] == "mix":
        return "more contacts there" if row["effect"] > 0 else "fewer contacts there"
    return "fails more often" if row["effect"] > 0 else "fails less often"


def _told(text: str, dims: Sequence[str]) -> str:
    """A place that the search wrote in one line, in words."""
    if text == "everything":
        return EVERYTHING
    words = conditions(text, columns=dims)
    # A value may itself read like a condition; then the place is told as it is written.
    return place(words) if words else f"“{quote(text, limit=120)}”"


def changed(change: Change | None, *, sides: Sides) -> str:
    """One sentence on what changed between the periods."""
    if change is None or sides.earlier is None:
        return ALONE
    if change.drivers.is_empty():
        if _blind(change.visible):
            return FEW
        return f"Nothing stands out: no place changed between {sides.earlier.label} and {sides.later.label} by more than weeks and agents usually do"
    row = change.drivers.row(0, named=True)
    if row["kind"] == "mix":
        return f"{capital(place(row['where']))} {_share(row)}"
    return f"{capital(place(row['where']))} {_fails(row)} than in {sides.earlier.label}: {_beside(row)}"


def _fails(row: dict[str, Any]) -> str:
    verb, often = ("fail" if not row["where"] else "fails"), "more often" if row["effect"] > 0 else "less often"
    return f"{verb} {often}" if _sure(row) else f"may fail {often}"


def _share(row: dict[str, Any]) -> str:
    """How the share of contacts that come from a place moved."""
    verb = f"{'is' if _sure(row) else 'may be'} a {'larger' if row['effect'] > 0 else 'smaller'}"
    return f"{verb} part of all contacts than before, by {magnitude(row['effect'])}"


def _beside(row: dict[str, Any]) -> str:
    return f"{magnitude(row['effect'])}{' compared with the rest of the desk' if row['where'] else ''}"


def _sure(row: dict[str, Any]) -> bool:
    return bool(row["low"] > 0 or row["high"] < 0)


def _blind(visible: pl.DataFrame) -> bool:
    """Could nothing have been seen, however large?"""
    return visible.filter((pl.col("depth") > 0) & pl.col("effect").is_not_null()).is_empty()


def parted(change: Change | None, *, sides: Sides) -> str:
    """One sentence on how the change comes about: other contacts, or the same ones failing more."""
    if change is None or sides.earlier is None:
        return ALONE
    mix, often = change.mix_drivers + change.other_mix, change.rate_drivers + change.other_rate
    moved = f"{percent(change.before)} of first contacts failed before and {percent(change.after)} now ({points(change.total)}{_doubt(sides)})"
    return f"{moved}: {points(mix)} through what arrives, {points(often)} through how often it fails"


def _doubt(sides: Sides) -> str:
    """What has to be said of a change that chance alone could make."""
    ends = [rate(sides.frame.filter(side), "failed", cluster="customer").row(0, named=True) for side in (pl.col("later"), ~pl.col("later"))]
    gap = difference(*ends)
    clear = gap.low is not None and gap.high is not None and not gap.low <= 0 <= gap.high
    return "" if clear else ", no clear change"


def parts(change: Change | None) -> pl.DataFrame:
    """The parts of a change in words: `name`, `points`; empty without a change."""
    if change is None:
        return pl.DataFrame(schema={"name": pl.String, "points": pl.Float64})
    rows = change.parts
    for kind, part in (("mix", "mix_drivers"), ("rate", "rate_drivers")):
        named = change.drivers.filter((pl.col("kind") == "mix") == (kind == "mix")).height
        rows = rows if named else rows.filter(pl.col("part") != part)
    lone = {f"other_{kind}" for kind in ("mix", "rate") if f"{kind}_drivers" not in rows["part"]}
    words = PARTS | {part: WHOLE[part] for part in lone}
    return rows.select(name=pl.col("part").replace_strict(words, return_dtype=pl.String), points="points")


def bridge(change: Change | None, *, sides: Sides, id: str = "bridge") -> Figure:
    """The parts of the change as a picture; a table without rows where there is no earlier period."""
    if change is None or sides.earlier is None:
        return Figure(id, parted(change, sides=sides), None, parts(change), (Column("name", "part"), Column("points", "points", "points")))
    ends = (sides.earlier.label, change.before), (sides.later.label, change.after)
    note = "Share of first contacts with a final verdict that failed; the scale does not begin at zero."
    return effects.bridge(parts(change), id=id, title=parted(change, sides=sides), before=ends[0], after=ends[1], note=note)


def figure(result: Change | Drivers | None, *, sides: Sides, id: str, title: str) -> Figure:
    """The places as a picture with their table; no drawing where none stands out."""
    drivers = named(result.drivers if result else pl.DataFrame(schema=_NONE), dims=sides.dims)
    heads = (Column("name", "place"), Column("what", "how"), Column("n", "contacts", "count"), Column("effect", "difference", "points"))
    between = (Column("low", "95 % from", "points"), Column("high", "to", "points"))
    rest = (Column("contribution", "of the whole", "points"), Column("inside", "strongest inside it"), Column("rivals", "cannot be told from"))
    return effects.effects(drivers, id=id, title=title, columns=(*heads, *between, *rest), note="" if result else title)


def notes(result: Change | Drivers | None, *, sides: Sides) -> list[str]:
    """What was left out, pooled or looks odd, a sentence each."""
    told = [*sides.notes, *(result.notes if result else ())]
    return told or ["Every first contact has its final verdict, and nothing was left out."]


def visible(change: Change | None, excess: Drivers) -> list[str]:
    """How large a change and an excess would have had to be to be seen."""
    found = [unseen(change.visible, changed=True)] if change else []
    return [*found, unseen(excess.visible, changed=False)]


def stood(drivers: Drivers) -> str:
    """One sentence on where contacts fail more than can be expected."""
    if drivers.drivers.is_empty():
        if _blind(drivers.visible):
            return FEW
        return "No place stands out: nowhere do contacts fail clearly more often than is expected there"
    row = drivers.drivers.row(0, named=True)
    fails = "fails" if _sure(row) else "may fail"
    return f"{capital(place(row['where']))} {fails} {magnitude(row['effect'])} more often than is expected there ({count(row['n'])} contacts)"


def unseen(visible: pl.DataFrame, *, changed: bool) -> str:
    """How large something would have had to be to be seen, so that silence says something."""
    levels = {0: "the whole desk", 1: "a single value", 2: "a pair of values", 3: "three values together"}
    what = "a change" if changed else "an excess"
    if _blind(visible):
        return f"There are too few contacts to see {what} of any size."
    known = visible.drop_nulls("effect").filter(pl.col("depth") > 0)
    sizes = [f"{magnitude(row['effect'])} for {levels.get(row['depth'], 'a narrower place')}" for row in known.to_dicts()]
    return f"In a place of middling size {what} would have been seen four times in five from this size on: {', '.join(sizes)}. In large places less is enough."


def found(result: Change | Drivers | None, *, sides: Sides, figure: str, besides: Chain | None = None, most: int = 3) -> list[Finding]:
    """The places as findings; a place is where to look, not why. Those that a chain has told of need not be told again (`besides`)."""
    if result is None:
        return []
    changes = hasattr(result, "before")
    told = [] if besides is None else besides.steps.filter(pl.col("kind") == "place")["what"].to_list()
    rows = [row for row in result.drivers.to_dicts() if row["where"] not in told][:most]
    return [_found(row, sides=sides, figure=figure, changes=changes) for row in rows]


def _found(row: dict[str, Any], *, sides: Sides, figure: str, changes: bool) -> Finding:
    name, since = place(row["where"]), f"than in {sides.earlier.label}" if changes and sides.earlier else "than is expected there"
    between = f"between {points(row['low'])} and {points(row['high'])} (95 %, widened for having been chosen among many places)"
    if row["kind"] == "mix":
        title = f"{capital(name)} {_share(row)}"
        body = f"{count(row['n'])} first contacts of both periods; its share moved {between}. The shift goes with {points(row['contribution'])} on the desk's share of failures."
    else:
        title = f"{capital(name)} {_fails(row)} {since}, by {_beside(row) if changes else magnitude(row['effect'])}"
        body = f"{count(row['n'])} first contacts; the difference lies {between}. It makes up {points(row['contribution'])} of the desk's share of failures."
    doubt = "" if _sure(row) else " It only just passed the bar, so its size is uncertain."
    inner = f" Strongest inside it: {_told(row['refinements'][0], sides.dims)}." if row["refinements"] else ""
    rivals = f" The data cannot tell it from {_told(row['alternatives'][0], sides.dims)}." if row["alternatives"] else ""
    weak = f" {row['fragile']}" if row.get("fragile") else ""
    return Finding(
        f"{'changed' if changes else 'excess'}-{row['kind']}-{_id(row['where'])}",
        "finding",
        title,
        body + doubt + inner + rivals + weak,
        Measure(row["effect"], row["low"], row["high"], int(row["n"]), "points", "neither" if row["kind"] == "mix" else "down"),
        grade="C" if row["kind"] != "mix" else "D",
        why="adjusted for the desk's other dimensions, with errors that know of weeks and agents; a place is where, not why",
        action="Read ten of its failed contacts, beginning with the way of failing named below.",
        figures=(figure,),
    )


def reversed_(frame: pl.DataFrame) -> str:
    """One sentence on dimensions in which the whole moved the other way than its parts."""
    if frame.is_empty():
        return "There are no two periods, or no two values of any dimension, in which parts could be held against the whole"
    turned = frame.filter("reversed")
    if turned.is_empty():
        return "In no dimension did the whole move the other way than its parts"
    row = turned.row(0, named=True)
    way = "rose" if row["total"] > 0 else "fell"
    other = "fell" if row["within"] < 0 else "rose"
    return (
        f"The share of failures {way} by {magnitude(row['total'])} although within each {row['dimension'].replace('_', ' ')} it {other} "
        f"({points(row['within'])}): it is the mix that moved"
    )
