"""How is a fishbone drawn so that it can be read, however many causes hang on it?

Every line of text gets a place of its own before anything is drawn: a bone is as long as its causes need, names are broken into lines, and what
is longer than three lines ends in an ellipsis (the table has it whole).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import polars as pl

from fcrlib.model.numbers import TOO_FEW, percent, points
from fcrlib.model.taxonomy import BONES
from fcrlib.show.figure import Column, Figure
from fcrlib.show.names import capital
from fcrlib.show.svg import INK

if TYPE_CHECKING:
    import altair as alt

COLUMN, HEAD, SLANT = 206.0, 108.0, 20.0
WIDTH = 3 * COLUMN + HEAD + 8
SMALL, LARGE, LINE, GAP = 12, 13, 15.0, 9.0
INDENT, EDGE = 13.0, 10.0
NAME_LINES, HEAD_LINES = 3, 6
DOTS = (24.0, 200.0)
STATES = ("way of failing", "way of failing, fails clearly more often than alike contacts", "how it was handled, fails clearly more often")
NOTHING = "nothing found"
KINDS = {"mode": "way of failing", "attribute": "handling", "unexplained": "unexplained"}
NOTE = (
    "The share is that of the failed contacts; shares of ways of failing add up, how contacts were handled overlaps. Points say how much more often "
    "contacts with the cause failed than alike contacts without it, where that is clear."
)
STYLES, BOLD = ("heading", "total", "number", "name", "nothing", "head"), ("heading", "number", "head")
COMPARED = "compared with alike contacts"
_NARROW, _WIDE = set("iljtfrI.,:;'|!()[]- "), set("mwMW@%")


@dataclass(frozen=True, slots=True)
class Line:
    """One line of text and the box that it fills.

    Parameters
    ----------
    x, y
        Left end and middle of the line, in pixels from the upper left corner.
    width
        What it needs at most.
    style
        One of `STYLES`.
    """

    text: str
    x: float
    y: float
    width: float
    style: str

    @property
    def box(self) -> tuple[float, float, float, float]:
        """Left, top, right, bottom."""
        half = _size(self.style) / 2
        return self.x, self.y - half, self.x + self.width, self.y + half


@dataclass(frozen=True, slots=True)
class Layout:
    """Where everything goes: lines of text, dots (one per cause), bones (one each), the height of the spine and of the whole drawing."""

    lines: list[Line]
    dots: list[dict[str, Any]]
    bones: list[dict[str, Any]]
    spine: float
    height: float


def fishbone(causes: pl.DataFrame, *, id: str, title: str, effect: str, note: str = "", currency: str = "") -> Figure:
    """Draw causes on the bones they hang on, with their numbers; a bone on which nothing hangs is drawn faint.

    Facts about the handling are drawn only where contacts that have them fail clearly more often than alike ones; the table has all of them.

    Parameters
    ----------
    causes
        The frame of `fishbone.causes`.
    effect
        What the head says, e.g. "31.8 % of first contacts fail".
    note
        One sentence under it, after the one that says how to read it.
    currency
        Of the costs, where there are any.
    """
    drawn = _hung(causes)
    chart = _drawn(layout(causes, effect=effect)) if causes.height else None
    short = pl.when(pl.col("grade") == "C").then(pl.lit(COMPARED)).otherwise("why")
    numbers = causes.with_columns(pl.col("kind").replace_strict(KINDS), graded=pl.format("{}: {}", "grade", short))
    said = _described(drawn, effect=effect)
    return Figure(id, title, chart, numbers, _columns(causes, currency=currency), f"{NOTE} {note}".strip(), said)


def _hung(causes: pl.DataFrame) -> pl.DataFrame:
    """What is drawn: every way of failing that any failed contact shows, and facts about the handling that go with more failures."""
    worse = pl.col("clear") & (pl.col("difference") > 0)
    fact = pl.col("kind") == "attribute"
    return causes.filter((fact & worse) | (~fact & (pl.col("n") > 0))).with_columns(worse=worse.fill_null(False))


def layout(causes: pl.DataFrame, *, effect: str) -> Layout:
    """Give every bone, dot and line of text of a fishbone its place.

    Parameters
    ----------
    causes
        The frame of `fishbone.causes`.
    """
    hung = {bone: _hung(causes).filter(pl.col("bone") == bone).to_dicts() for bone in BONES}
    blocks = {bone: [_block(row) for row in rows] for bone, rows in hung.items()}
    heights = {bone: sum(_tall(block) for block in found) for bone, found in blocks.items()}
    upper, lower = (max(LINE, *(heights[bone] for bone in half)) for half in (BONES[:3], BONES[3:]))
    head = _broken(effect, width=HEAD - 14, size=LARGE, lines=HEAD_LINES, bold=True)
    title = 2 * LINE + 10
    least = len(head) * 17 / 2 + 8
    spine = max(title + upper + 8, least)
    height = spine + max(lower + title + 16, least)
    made = Layout(_head(head, spine=spine), [], [], spine, height)
    for place, bone in enumerate(BONES):
        _place(made, bone, hung[bone], blocks[bone], column=place % 3, above=place < 3)
    return made


def _place(made: Layout, bone: str, rows: list[dict[str, Any]], blocks: list[list[str]], *, column: int, above: bool) -> None:
    """Put one bone into its column: its name at the far end, its causes one under the other."""
    left, end = column * COLUMN + EDGE, 2 * LINE + 10.0 if above else made.height - 2 * LINE - 10
    top, lean = (end, made.spine) if above else (made.spine, end), SLANT
    share = sum(row["share"] or 0 for row in rows if row["kind"] != "attribute")
    made.bones.append({"x": left, "y": end, "x2": left + lean, "y2": made.spine, "found": bool(rows), "share": share})
    first = 8.0 if above else made.height - 2 * LINE + 4
    words = f"{percent(share)} of the failures" if share else ""
    made.lines.extend(
        _line(text, left - 8, first + LINE * at, style) for at, (text, style) in enumerate(((capital(bone), "heading"), (words, "total")))
    )
    y = top[0] + (LINE / 2 if above else 12 + LINE / 2)
    for row, block in zip(rows, blocks, strict=True):
        on = left + lean * (y - end) / (made.spine - end)
        made.dots.append({"x": on, "y": y, "share": row["share"] or 0.0, "state": _state(row), "label": f"{row['name']}: {_number(row)}"})
        made.lines.extend(_line(text, on + INDENT, y + LINE * at, "name" if at else "number") for at, text in enumerate(block))
        y += _tall(block)
    if not rows:
        made.lines.append(_line(NOTHING, left + lean * (y - end) / (made.spine - end) + INDENT, y, "nothing"))


def _line(text: str, x: float, y: float, style: str) -> Line:
    return Line(text, x, y, _width(text, size=_size(style), bold=style in BOLD), style)


def _head(lines: list[str], *, spine: float) -> list[Line]:
    first = spine - (len(lines) - 1) * 17 / 2
    return [_line(text, 3 * COLUMN + 12, first + 17 * at, "head") for at, text in enumerate(lines)]


def _block(row: dict[str, Any]) -> list[str]:
    """The lines of one cause: its number, then its name."""
    room = COLUMN - EDGE - SLANT - INDENT - 6
    return [_number(row), *_broken(row["name"], width=room, size=SMALL, lines=NAME_LINES)]


def _tall(block: list[str]) -> float:
    return LINE * len(block) + GAP


def _number(row: dict[str, Any]) -> str:
    share = TOO_FEW if row["share"] is None else percent(row["share"])
    return f"{share} · {points(row['difference'])}" if row["worse"] else share


def _state(row: dict[str, Any]) -> str:
    return STATES[2] if row["kind"] == "attribute" else STATES[1] if row["worse"] else STATES[0]


def _width(text: str, *, size: int, bold: bool = False) -> float:
    """Pixels that a line of text needs at most, by kind of letter."""
    wide = sum(
        0.34 if sign in _NARROW else 0.95 if sign in _WIDE else 1.05 if ord(sign) > 0x2E7F else 0.72 if sign.isupper() else 0.57 for sign in text
    )
    return wide * size * (1.06 if bold else 1.0)


def _broken(text: str, *, width: float, size: int, lines: int, bold: bool = False) -> list[str]:
    """The text in at most so many lines of that width, an ellipsis where it does not fit."""
    found, rest = [""], text.split()
    while rest:
        word = rest.pop(0)
        if _width(word, size=size, bold=bold) > width:
            fits = max(at for at in range(1, len(word)) if at == 1 or _width(word[:at] + "-", size=size, bold=bold) <= width)
            rest.insert(0, word[fits:])
            word = word[:fits] + "-"
        longer = f"{found[-1]} {word}".strip()
        if _width(longer, size=size, bold=bold) <= width:
            found[-1] = longer
        else:
            found.append(word)
    if len(found) <= lines:
        return found
    last = found[lines - 1]
    while last and _width(last + "…", size=size, bold=bold) > width:
        last = last[:-1]
    return [*found[: lines - 1], last.rstrip(" -") + "…"]


def _drawn(made: Layout) -> alt.LayerChart:
    import altair as alt

    x = alt.X("x:Q", axis=None, scale=alt.Scale(domain=[0, WIDTH], nice=False))
    y = alt.Y("y:Q", axis=None, scale=alt.Scale(domain=[made.height, 0], nice=False))
    states = [state for state in STATES if any(dot["state"] == state for dot in made.dots)]
    marks = {STATES[0]: ("circle", INK["accent"]), STATES[1]: ("diamond", INK["warn"]), STATES[2]: ("square", INK["warn"])}
    legend = alt.Legend(title=None, orient="bottom", direction="vertical", labelLimit=640)
    shape = alt.Shape("state:N", scale=alt.Scale(domain=states, range=[marks[state][0] for state in states]), legend=legend)
    colour = alt.Color("state:N", scale=alt.Scale(domain=states, range=[marks[state][1] for state in states]), legend=legend)
    size = alt.Size(
        "share:Q", scale=alt.Scale(domain=[0, max([dot["share"] for dot in made.dots], default=1.0) or 1.0], range=list(DOTS)), legend=None
    )
    layers: list[alt.Chart] = [*_skeleton(made, x, y)]
    if made.dots:
        dots = alt.Chart(pl.DataFrame(made.dots))
        layers.append(dots.mark_point(filled=True, opacity=1).encode(x=x, y=y, size=size, shape=shape, color=colour, description="label:N"))
    for style in STYLES:
        rows = [{"x": line.x, "y": line.y, "text": line.text} for line in made.lines if line.style == style and line.text]
        if rows:
            words = alt.Chart(pl.DataFrame(rows)).mark_text(align="left", baseline="middle", **_look(style))
            layers.append(words.encode(x=x, y=y, text="text:N"))
    return alt.LayerChart(layer=layers).properties(width=WIDTH, height=made.height)


def _look(style: str) -> dict[str, Any]:
    weight, slant = "bold" if style in BOLD else "normal", "italic" if style == "nothing" else "normal"
    return {"fontSize": _size(style), "fontWeight": weight, "fontStyle": slant, "color": INK["muted" if style in ("total", "nothing") else "ink"]}


def _size(style: str) -> int:
    return LARGE if style in ("heading", "head") else SMALL


def _skeleton(made: Layout, x: alt.X, y: alt.Y) -> list[alt.Chart]:
    """Spine, head and bones; the thicker a bone, the more failures hang on it."""
    import altair as alt

    spine = pl.DataFrame({"x": [0.0], "y": [made.spine], "x2": [3 * COLUMN]})
    tall = max(sum(line.style == "head" for line in made.lines) * 17 / 2 + 8, 20.0)
    box = pl.DataFrame({"x": [3 * COLUMN], "x2": [WIDTH - 1], "y": [made.spine - tall], "y2": [made.spine + tall]})
    layers = [
        alt.Chart(spine).mark_rule(strokeWidth=3, color=INK["ink"]).encode(x=x, y=y, x2="x2:Q"),
        alt.Chart(box).mark_rect(filled=False, stroke=INK["ink"], strokeWidth=1.5, cornerRadius=4).encode(x=x, x2="x2:Q", y=y, y2="y2:Q"),
    ]
    for bone in made.bones:
        ink, wide = (INK["muted"], 1.5 + 8 * min(bone["share"], 0.5)) if bone["found"] else (INK["line"], 1.0)
        line = alt.Chart(pl.DataFrame([{name: float(bone[name]) for name in ("x", "y", "x2", "y2")}]))
        layers.append(line.mark_rule(strokeWidth=wide, color=ink, strokeCap="round").encode(x=x, y=y, x2="x2:Q", y2="y2:Q"))
    return layers


def _columns(causes: pl.DataFrame, *, currency: str) -> tuple[Column, ...]:
    shown = [
        Column("bone", "bone"), Column("name", "cause"), Column("n", "failed contacts", "count"), Column("share", "share", "percent"),
        Column("difference", "more than alike", "points"), Column("difference_low", "95 % from", "points"), Column("difference_high", "to", "points"),
        Column("e_value_limit", "E-value", "number"), Column("cost", "cost", "money", currency), Column("graded", "grade"),
    ]  # fmt: skip
    return tuple(column for column in shown if column.name != "cost" or causes["cost"].count())


def _described(hung: pl.DataFrame, *, effect: str) -> str:
    parts = []
    for bone in BONES:
        rows = hung.filter(pl.col("bone") == bone).head(3).to_dicts()
        told = ", ".join(f"{row['name']} {_number(row)}" for row in rows)
        parts.append(f"{bone}: {told or NOTHING}")
    return f"Fishbone of “{effect}”. {'; '.join(parts)}."
