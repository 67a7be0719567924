"""Which picture shows differences, and how parts add up to a change?"""

from __future__ import annotations

from math import ceil, floor
from textwrap import wrap
from typing import TYPE_CHECKING

import polars as pl

from fcrlib.model import numbers as spelled
from fcrlib.show.figure import Column, Figure
from fcrlib.show.svg import INK
from fcrlib.show.theme import STEP, WIDTH

if TYPE_CHECKING:
    import altair as alt

LABEL, LINES = 34, 4
"""Letters of a name that fit beside the drawing on one line, and lines that a name may take."""


def effects(
    frame: pl.DataFrame,
    *,
    id: str,
    title: str,
    columns: tuple[Column, ...],
    name: str = "name",
    good: str = "down",
    clear: str | None = None,
    note: str = "",
) -> Figure:
    """Draw a difference per row as dot and interval, in points, beside a line at none.

    Parameters
    ----------
    frame
        One row per difference in the given order: `name` (long ones are broken at " and "), `effect`, `low`, `high` (shares) and `n`. A null effect
        reads "too few".
    columns
        What the table under it shows.
    good
        The welcome side of none: `up` or `down`.
    clear
        Yes/no column: does the difference stand? Without it, where its interval leaves out none; with many rows that is too easy.
    """
    rows = frame.select(pl.col(name).cast(pl.String).alias("name"), "effect", "low", "high", "n").to_dicts()
    tails = [_tail(row) for row in rows]
    drawn = frame.select(name=pl.col(name).cast(pl.String), effect=pl.col("effect") * 100, low=pl.col("low") * 100, high=pl.col("high") * 100)
    stands = frame[clear].fill_null(False) if clear else drawn.select(((pl.col("low") > 0) | (pl.col("high") < 0)).fill_null(False)).to_series()
    worse = pl.col("effect") > 0 if good == "down" else pl.col("effect") < 0
    state = pl.when(~pl.lit(stands)).then(pl.lit("not clear")).when(worse).then(pl.lit("worse")).otherwise(pl.lit("better"))
    lines = pl.Series("lines", [broken(row["name"]) for row in rows], dtype=pl.String)
    drawn = drawn.with_columns(state=state, tail=pl.Series(tails, dtype=pl.String), lines=lines)
    drawn = drawn.with_columns(label=pl.col("name") + ": " + pl.col("tail"))
    said = "; ".join(drawn["label"].head(8).to_list())
    return Figure(
        id, title, _draw_effects(drawn, good=good) if rows else None, frame, columns, note, f"Difference and interval. {said}" if rows else title
    )


def _tail(row: dict[str, float | int | None]) -> str:
    if row["effect"] is None:
        return f"{spelled.TOO_FEW} (of {spelled.count(row['n'])})"
    return f"{spelled.points(row['effect'])}  of {spelled.count(row['n'])}"


def broken(name: str) -> str:
    r"""A long name on several lines, broken where its conditions are joined, else between words.

    Examples
    --------
    >>> broken("category login and product area single sign-on").split("\n")
    ['category login', 'and product area single sign-on']
    """
    lines: list[str] = []
    for place, part in enumerate(name.split(" and ")):
        piece = f"and {part}" if place else part
        if lines and len(lines[-1]) + len(piece) < LABEL:
            lines[-1] = f"{lines[-1]} {piece}"
        else:
            lines += wrap(piece, LABEL + 4) or [""]
    return "\n".join(lines if len(lines) <= LINES else [*lines[: LINES - 1], f"{lines[LINES - 1]}…"])


def _draw_effects(drawn: pl.DataFrame, *, good: str) -> alt.LayerChart:
    import altair as alt

    axis = alt.Axis(labelExpr="split(datum.label, '\\n')", grid=False)
    y = alt.Y("lines:N", sort=None, title=None, axis=axis, scale=alt.Scale(domain=drawn["lines"].to_list()))
    domain = _domain([*drawn["low"].to_list(), *drawn["high"].to_list(), *drawn["effect"].to_list(), 0.0])
    scale = alt.Scale(domain=domain, nice=False)
    x = alt.X("effect:Q", title="points", scale=scale, axis=alt.Axis(tickCount=6))
    states, inks, shapes = (
        ["better", "not clear", "worse"],
        [INK["accent"], INK["muted"], INK["warn"]],
        # Each triangle points to its own side of none.
        ["triangle-right", "circle", "triangle-left"] if good == "up" else ["triangle-left", "circle", "triangle-right"],
    )
    colour = alt.Color("state:N", scale=alt.Scale(domain=states, range=inks), legend=None)
    shape = alt.Shape("state:N", scale=alt.Scale(domain=states, range=shapes), legend=None)
    known = alt.Chart(drawn.filter(pl.col("effect").is_not_null())).encode(y=y)
    zero = (
        alt.Chart(pl.DataFrame({"at": [0.0]})).mark_rule(color=INK["muted"], strokeDash=[4, 3]).encode(x=alt.X("at:Q", scale=scale, title="points"))
    )
    layers: list[alt.Chart] = [
        zero,
        known.mark_rule(strokeWidth=2, strokeCap="round").encode(x=alt.X("low:Q", scale=scale, title="points"), x2="high:Q", color=colour),
        known.mark_point(filled=True, size=95, opacity=1).encode(x=x, color=colour, shape=shape, description="label:N"),
        alt.Chart(drawn).mark_text(align="left", dx=10).encode(y=y, x=alt.value(WIDTH), text="tail:N"),
    ]
    tallest = max(name.count("\n") for name in drawn["lines"].to_list())
    return alt.LayerChart(layer=layers).properties(width=WIDTH, height=alt.Step(STEP + 14 * tallest))


def _domain(values: list[float | None]) -> list[float]:
    known = [value for value in values if value is not None]
    step = 5.0 if max(known) - min(known) > 10 else 1.0
    return [floor(min(known) / step) * step, max(ceil(max(known) / step) * step, floor(min(known) / step) * step + step)]


def bridge(parts: pl.DataFrame, *, id: str, title: str, before: tuple[str, float], after: tuple[str, float], note: str = "") -> Figure:
    """Draw how the parts of a change lead from one share to the other.

    Parameters
    ----------
    parts
        `name` and `points` (share) in the order in which they are added; they sum to the difference.
    before, after
        Name and share of both ends.
    """
    ends = [(before[0], before[1], before[1], "end"), (after[0], after[1], after[1], "end")]
    steps, at = [], before[1]
    for name, by in parts.select("name", "points").iter_rows():
        steps.append((name, at, at + by, "more" if by > 0 else "less"))
        at += by
    rows = [ends[0], *steps, ends[1]]
    drawn = pl.DataFrame(rows, schema=["name", "start", "end", "what"], orient="row").with_columns(
        tail=pl.Series([spelled.percent(row[2]) if row[3] == "end" else spelled.points(row[2] - row[1]) for row in rows]),
        start=pl.col("start") * 100,
        end=pl.col("end") * 100,
    )
    drawn = drawn.with_columns(label=pl.col("name") + ": " + pl.col("tail"))
    table = pl.DataFrame(
        {
            "part": [row[0] for row in rows],
            "share": [row[2] if row[3] == "end" else None for row in rows],
            "points": [None if row[3] == "end" else row[2] - row[1] for row in rows],
        },
        schema={"part": pl.String, "share": pl.Float64, "points": pl.Float64},
    )
    told = table.with_columns(value=drawn["tail"])
    return Figure(
        id, title, _draw_bridge(drawn), told, (Column("part", "part"), Column("value", "share or change")), note, "; ".join(drawn["label"]) + "."
    )


def _draw_bridge(drawn: pl.DataFrame) -> alt.LayerChart:
    import altair as alt

    y = alt.Y("name:N", sort=None, title=None, scale=alt.Scale(domain=drawn["name"].to_list()), axis=alt.Axis(grid=False))
    values = [*drawn["start"].to_list(), *drawn["end"].to_list()]
    low, high = min(values), max(values)
    room = max(high - low, 1.0) * 0.15
    scale, axis = alt.Scale(domain=[low - room, high + room], nice=False, zero=False), alt.Axis(labelExpr="datum.label + ' %'", tickCount=5)
    x = alt.X("start:Q", title=None, scale=scale, axis=axis)
    colour = alt.Color("what:N", scale=alt.Scale(domain=["more", "less", "end"], range=[INK["warn"], INK["accent"], INK["ink"]]), legend=None)
    base = alt.Chart(drawn).encode(y=y)
    layers: list[alt.Chart] = [
        base.transform_filter("datum.what != 'end'").mark_bar(height=14).encode(x=x, x2="end:Q", color=colour, description="label:N"),
        base.transform_filter("datum.what == 'end'").mark_point(filled=True, size=110, opacity=1, shape="diamond").encode(x=x, color=colour),
        base.mark_text(align="left", dx=10).encode(x=alt.value(WIDTH), text="tail:N"),
    ]
    return alt.LayerChart(layer=layers).properties(width=WIDTH, height=alt.Step(STEP))
