"""How are the places where contacts fail, and what changed in them, put into words?"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import polars as pl

from fcrlib.model.finding import Finding, Measure
from fcrlib.search.where import conditions
from fcrlib.show import effects
from fcrlib.show.figure import Column, Figure
from fcrlib.show.names import capital, slug
from fcrlib.show.numbers import count, percent, points

if TYPE_CHECKING:
    from fcrlib.explain.drivers import Change, Drivers
    from fcrlib.search.sides import Sides

EVERYTHING = "all contacts"
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


def place(where: Sequence[str]) -> str:
    """A place in words.

    Examples
    --------
    >>> place(["category=login", "product_area=single sign-on"]), place([])
    ('category login and product area single sign-on', 'all contacts')
    """
    pairs = [condition.split("=", 1) for condition in where]
    return " and ".join(f"{name.replace('_', ' ')} {value}" for name, value in pairs) or EVERYTHING


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
    return _fails(row["effect"])


def _told(text: str, dims: Sequence[str]) -> str:
    """A place that the search wrote in one line, in words."""
    return place(conditions(text, columns=dims) or []) if text != "everything" else EVERYTHING


def changed(change: Change | None, *, sides: Sides) -> str:
    """One sentence on what changed between the periods."""
    if change is None or sides.earlier is None:
        return "There is no earlier period to compare with"
    if change.drivers.is_empty():
        return f"Nothing stands out: no place changed between {sides.earlier.label} and {sides.later.label} by more than weeks and agents usually do"
    row = change.drivers.row(0, named=True)
    what = place(row["where"])
    if row["kind"] == "mix":
        return f"{capital(what)} became {'more' if row['effect'] > 0 else 'less'} frequent: {points(row['effect'])} of all contacts"
    return f"{capital(what)} {_fails(row['effect'])} than in {sides.earlier.label}: {_size(row['effect'])} beyond what is expected"


def _fails(effect: float) -> str:
    return "fails more often" if effect > 0 else "fails less often"


def _size(effect: float) -> str:
    return points(abs(effect)).lstrip("+")


def parted(change: Change | None, *, sides: Sides) -> str:
    """One sentence on how the change comes about: other contacts, or the same ones failing more."""
    if change is None or sides.earlier is None:
        return "There is no earlier period to compare with"
    mix, rate = change.mix_drivers + change.other_mix, change.rate_drivers + change.other_rate
    moved = f"The share of contacts that fail went from {percent(change.before)} to {percent(change.after)} ({points(change.total)})"
    return f"{moved}: {points(mix)} through what arrives, {points(rate)} through how often it fails"


def parts(change: Change | None) -> pl.DataFrame:
    """The parts of a change in words: `name`, `points`; empty without a change."""
    if change is None:
        return pl.DataFrame(schema={"name": pl.String, "points": pl.Float64})
    return change.parts.select(name=pl.col("part").replace_strict(PARTS, return_dtype=pl.String), points="points")


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
    return told or ["Every first contact of both periods has its final verdict, and nothing was left out."]


def visible(change: Change | None, excess: Drivers) -> list[str]:
    """How large a change and an excess would have had to be to be seen."""
    found = [unseen(change.visible, changed=True)] if change else []
    return [*found, unseen(excess.visible, changed=False)]


def stood(drivers: Drivers) -> str:
    """One sentence on where contacts fail more than can be expected."""
    if drivers.drivers.is_empty():
        return "No place stands out: nowhere do clearly more contacts fail than the desk's dimensions one by one let expect"
    row = drivers.drivers.row(0, named=True)
    return f"{capital(place(row['where']))} fails {_size(row['effect'])} more often than is expected there, {count(row['n'])} contacts"


def unseen(visible: pl.DataFrame, *, changed: bool) -> str:
    """How large something would have had to be to be seen, so that silence says something."""
    levels = {0: "the whole desk", 1: "a single value", 2: "a pair of values", 3: "three values together"}
    known = visible.drop_nulls("effect").filter(pl.col("depth") > 0)
    if known.is_empty():
        return "There are too few contacts to see a difference of any size."
    sizes = [f"{_size(row['effect'])} in {levels.get(row['depth'], 'a narrower place')}" for row in known.to_dicts()]
    what = "A change" if changed else "An excess"
    return f"{what} of this size would have been seen four times in five: {', '.join(sizes)} of middling size; in large places less is enough."


def found(result: Change | Drivers | None, *, sides: Sides, figure: str, besides: Change | None = None, most: int = 3) -> list[Finding]:
    """The places as findings; a place is where to look, not why. Those that changed, too, need not be told again (`besides`)."""
    if result is None:
        return []
    changes = hasattr(result, "before")
    told = [] if besides is None else besides.drivers["where"].to_list()
    rows = [row for row in result.drivers.to_dicts() if row["where"] not in told][:most]
    return [_found(row, sides=sides, figure=figure, changes=changes) for row in rows]


def _found(row: dict[str, Any], *, sides: Sides, figure: str, changes: bool) -> Finding:
    name, since = place(row["where"]), f"than in {sides.earlier.label}" if changes and sides.earlier else "than is expected there"
    size, clear = _size(row["effect"]), row["low"] > 0 or row["high"] < 0
    if row["kind"] == "mix":
        title = f"{capital(name)}: {points(row['effect'])} of all contacts {since}"
        body = f"Its share of contacts moved by {points(row['effect'])} ({points(row['low'])} to {points(row['high'])}), which moved the share that fails by {points(row['contribution'])}."
    else:
        title = f"{capital(name)} {_fails(row['effect'])} {since}, by {size}"
        body = (
            f"{count(row['n'])} first contacts; the difference lies between {points(row['low'])} and {points(row['high'])} (95 %, widened for having been "
            f"chosen among many places). It makes up {points(row['contribution'])} of the desk's share of failures."
        )
    doubt = "" if clear else " It only just passed the bar, so its size is uncertain."
    inner = f" Strongest inside it: {_told(row['refinements'][0], sides.dims)}." if row["refinements"] else ""
    rivals = f" The data cannot tell it from {_told(row['alternatives'][0], sides.dims)}." if row["alternatives"] else ""
    weak = f" {row['fragile']}" if row.get("fragile") else ""
    return Finding(
        f"{'changed' if changes else 'excess'}-{row['kind']}-{slug(name)}",
        "finding",
        title,
        body + doubt + inner + rivals + weak,
        Measure(row["effect"], row["low"], row["high"], int(row["n"]), "points", "down"),
        grade="C" if row["kind"] != "mix" else "D",
        why="adjusted for the desk's other dimensions, with errors that know of weeks and agents; a place is where, not why",
        action="Read ten of its failed contacts, beginning with the way of failing named below.",
        figures=(figure,),
    )


def reversed_(frame: pl.DataFrame) -> str:
    """One sentence on dimensions in which the whole moved the other way than its parts."""
    turned = frame.filter("reversed") if "reversed" in frame.columns else frame
    if turned.is_empty():
        return "In no dimension did the whole move the other way than its parts"
    row = turned.row(0, named=True)
    way = "rose" if row["total"] > 0 else "fell"
    other = "fell" if row["within"] < 0 else "rose"
    return (
        f"The share of failures {way} by {_size(row['total'])} although within each {row['dimension'].replace('_', ' ')} it {other} "
        f"({points(row['within'])}): it is the mix that moved"
    )
