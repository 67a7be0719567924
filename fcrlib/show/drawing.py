"""How is each kind of chart put together?

The home of altair. Frames arrive small, under plain column names and with every word already spelled; see `charts`.
"""

from __future__ import annotations

from datetime import date
from math import ceil, floor
from textwrap import wrap
from typing import TYPE_CHECKING

import polars as pl

from fcrlib.model.numbers import Kind, percent
from fcrlib.show.svg import INK
from fcrlib.show.theme import DASHES, SERIES, STEP, TONE_INKS, TONES, WIDTH

if TYPE_CHECKING:
    import altair as alt

BREAK = "¦"  # between the lines of a head; what cannot be seen would be taken out of every text
UPRIGHT = 9  # so many heads of columns have room to stand upright
STATES = ("below the line", "not clearly different", "above the line", "no line to compare with")


def draw_rates(drawn: pl.DataFrame, reference: float | None, reference_label: str, good: str) -> alt.LayerChart:
    import altair as alt

    known, few = drawn.filter(pl.col("share").is_not_null()), drawn.filter(pl.col("share").is_null())
    low, high = _span(known, reference)
    y = alt.Y("segment:N", sort=None, title=None, scale=alt.Scale(domain=drawn["segment"].unique(maintain_order=True).to_list()))
    scale, axis = alt.Scale(domain=[low, high], nice=False, zero=False), _percent_axis()
    x = alt.X("share:Q", title=None, scale=scale, axis=axis)
    colours = [INK["warn"], INK["muted"], INK["accent"], INK["accent"]]
    if good == "down":
        colours = [INK["accent"], INK["muted"], INK["warn"], INK["accent"]]
    legend = None if reference is None else alt.Legend(title=None, values=STATES[:3], offset=24)
    colour = alt.Color("state:N", scale=alt.Scale(domain=STATES, range=colours), legend=legend)
    shape = alt.Shape("state:N", scale=alt.Scale(domain=STATES, range=["triangle-left", "circle", "triangle-right", "circle"]), legend=legend)
    base = alt.Chart(known).encode(y=y)
    layers: list[alt.Chart] = [
        base.mark_rule(strokeWidth=2, strokeCap="round").encode(x=alt.X("low:Q", title=None, scale=scale, axis=axis), x2="high:Q", color=colour),
        base.mark_point(filled=True, size=95, opacity=1).encode(x=x, color=colour, shape=shape, description="label:N"),
        base.mark_text(align="left", dx=10).encode(x=alt.value(WIDTH), text="tail:N"),
        alt.Chart(few).mark_text(align="left", color=INK["muted"], fontStyle="italic").encode(y=y, x=alt.value(4), text="tail:N"),
    ]
    if reference is not None:
        layers.insert(0, _line_at(reference, across=x))
        layers.append(_words_at(reference, label=reference_label, across=x))
    return alt.LayerChart(layer=layers).properties(width=WIDTH, height=alt.Step(STEP))


def draw_trend(drawn: pl.DataFrame, reference: float | None, reference_label: str) -> alt.LayerChart:
    import altair as alt

    known = drawn.filter(pl.col("share").is_not_null()).with_columns(
        pl.when(pl.col("open")).then(pl.lit("still changing")).otherwise(pl.lit("complete")).alias("state")
    )
    low, high = _span(known, reference)
    dated = known["x"].dtype == pl.Date
    axis = _day_axis(known["x"]) if dated else alt.Axis(grid=False, labelAngle=0, labelOverlap="greedy")
    x = alt.X("x:T" if dated else "x:O", title=None, sort=None, axis=axis)
    scale = alt.Scale(domain=[low, high], nice=False, zero=False)
    y = alt.Y("share:Q", title=None, scale=scale, axis=_percent_axis(count=5))
    whole = known.filter(~pl.col("open"))
    bridge = pl.concat([whole.tail(1), known.filter(pl.col("open"))])
    domain = ["complete", "still changing"] if known["open"].any() else ["complete"]
    legend = alt.Legend(title=None) if len(domain) > 1 else None
    fill = alt.Fill("state:N", scale=alt.Scale(domain=domain, range=[INK["accent"], INK["paper"]][: len(domain)]), legend=legend)
    base = alt.Chart(known).encode(x=x)
    layers: list[alt.Chart] = [
        base.mark_area(opacity=0.16, color=INK["accent"]).encode(y=alt.Y("low:Q", scale=scale, title=None), y2="high:Q"),
        alt.Chart(whole).mark_line(color=INK["accent"], strokeWidth=2).encode(x=x, y=y),
        alt.Chart(bridge).mark_line(color=INK["accent"], strokeWidth=2, strokeDash=[4, 4]).encode(x=x, y=y),
        base.mark_point(size=55, stroke=INK["accent"], strokeWidth=2, opacity=1).encode(y=y, fill=fill, description="label:N"),
    ]
    if reference is not None:
        layers.insert(0, _line_at(reference, across=y))
        layers.append(_words_at(reference, label=reference_label, across=y))
    return alt.LayerChart(layer=layers).properties(width=WIDTH + 130, height=210)


def draw_cells(drawn: pl.DataFrame, *, x: str) -> alt.LayerChart:
    import altair as alt

    steps = list(range(len(TONES)))
    room = min(92.0, (WIDTH + 90) / max(1, drawn["x"].n_unique()))
    drawn = drawn.with_columns(_broken(drawn["x"], letters=int(room / 6.2)))
    across, down = drawn["x"].unique(maintain_order=True).to_list(), drawn["y"].unique(maintain_order=True).to_list()
    base = alt.Chart(drawn).encode(
        x=alt.X("x:N", title=x, scale=alt.Scale(domain=across), axis=_heads(across, room=room)),
        y=alt.Y("y:N", title=None, scale=alt.Scale(domain=down), axis=alt.Axis(grid=False)),
    )
    tone = alt.Fill("tone:O", scale=alt.Scale(domain=steps, range=list(TONES)), legend=None)
    ink = alt.Color("tone:O", scale=alt.Scale(domain=steps, range=list(TONE_INKS)), legend=None)
    square = base.mark_rect(stroke=INK["paper"], strokeWidth=2).encode(fill=tone, description="label:N")
    words = base.mark_text(fontSize=12).encode(text="text:N", color=ink, description="label:N")
    few = (
        base.transform_filter("!isValid(datum.tone)")
        .mark_text(fontSize=11, fontStyle="italic", color=INK["muted"])
        .encode(text="text:N", description="label:N")
    )
    layers = [square.transform_filter("isValid(datum.tone)"), words.transform_filter("isValid(datum.tone)"), few]
    drawn_apart: alt.LayerChart = alt.LayerChart(layer=layers).resolve_scale(color="independent")
    return drawn_apart.properties(width=max(room * len(across), 120), height=alt.Step(30))


def _heads(across: list[str], *, room: float) -> alt.Axis:
    """Column heads of a grid, on as many lines as they need, or aslant where there are too many of them."""
    import altair as alt

    if len(across) > UPRIGHT:
        return alt.Axis(orient="top", labelAngle=-40, grid=False)
    # Lines are set downwards from the first one, wherever the base line is said to be.
    above = 13 * max((word.count(BREAK) + 1 for word in across), default=1)
    lines = f"split(datum.label, '{BREAK}')"
    return alt.Axis(
        orient="top", labelExpr=lines, labelAngle=0, labelBaseline="top", labelLineHeight=13, labelPadding=above, labelLimit=room, labelOverlap=False, grid=False
    )  # fmt: skip


def _broken(words: pl.Series, *, letters: int) -> pl.Series:
    """Words on lines of at most so many letters each; as they are where there are too many, or where two would look alike."""
    every = words.unique(maintain_order=True).to_list()
    lines = [BREAK.join(wrap(word, max(letters, 1))) for word in every]
    if len(every) > UPRIGHT or len(set(lines)) < len(every):
        return words
    return words.replace_strict(every, lines, return_dtype=pl.String)


def draw_bars(drawn: pl.DataFrame, kind: Kind, *, ranged: bool) -> alt.LayerChart:
    import altair as alt

    y = alt.Y("segment:N", sort=None, title=None, scale=alt.Scale(domain=drawn["segment"].unique(maintain_order=True).to_list()))
    axis = _percent_axis() if kind == "percent" else alt.Axis(tickCount=5)
    colour = alt.Color("marked:N", scale=alt.Scale(domain=[True, False], range=[INK["accent"], TONES[2]]), legend=None)
    base = alt.Chart(drawn).encode(y=y)
    layers: list[alt.Chart] = [
        base.mark_bar(height=16, cornerRadiusEnd=2).encode(x=alt.X("value:Q", title=None, axis=axis), color=colour, description="label:N"),
        base.mark_text(align="left", dx=10).encode(x=alt.value(WIDTH), text="tail:N"),
    ]
    if ranged:
        layers.append(base.mark_rule(color=INK["ink"], strokeWidth=1.5).encode(x="low:Q", x2="high:Q"))
    return alt.LayerChart(layer=layers).properties(width=WIDTH, height=alt.Step(STEP))


def draw_curve(drawn: pl.DataFrame, lines: list[str], kind: Kind, titles: tuple[str, str], mark_at: float | None, *, band: bool) -> alt.LayerChart:
    import altair as alt

    legend = alt.Legend(title=None, symbolType="stroke", symbolSize=300, symbolStrokeWidth=2, symbolOpacity=1) if len(lines) > 1 else None
    inks = alt.Scale(domain=lines, range=list(SERIES[: len(lines)]))
    colour = alt.Color("series:N", scale=inks, legend=legend)
    dash = alt.StrokeDash("series:N", scale=alt.Scale(domain=lines, range=DASHES[: len(lines)]), legend=legend)
    axis = _percent_axis(count=5) if kind == "percent" else alt.Axis(tickCount=5)
    dated = drawn["x"].dtype == pl.Date
    x = alt.X("x:T" if dated else "x:Q", title=titles[0], scale=alt.Scale(nice=False, zero=False), axis=alt.Axis(grid=False, tickCount=8))
    base = alt.Chart(drawn).encode(x=x)
    layers: list[alt.Chart] = []
    if band:
        layers.append(base.mark_area(opacity=0.14).encode(y=alt.Y("low:Q", axis=axis, title=titles[1] or None), y2="high:Q", color=colour))
    layers.append(base.mark_line(strokeWidth=2).encode(y=alt.Y("y:Q", axis=axis, title=titles[1] or None), color=colour, strokeDash=dash))
    if mark_at is not None:
        layers.append(_line_at(mark_at, across=x))
    return alt.LayerChart(layer=layers).properties(width=WIDTH + 130, height=230)


def draw_ranges(drawn: pl.DataFrame, kinds: list[str], reference: float | None, reference_label: str) -> alt.LayerChart:
    import altair as alt

    # "80 % and more" runs off the edge a little instead of stretching the axis to its end.
    closed = drawn.select(share=pl.lit(None, pl.Float64), low=pl.col("low").replace(0.0, None), high=pl.col("high").replace(1.0, None))
    low, high = _span(closed, reference)
    domain = [max(low - 0.05, 0.0) if (drawn["low"] == 0).any() else low, min(high + 0.05, 1.0) if (drawn["high"] == 1).any() else high]
    y = alt.Y("segment:N", sort=None, title=None, scale=alt.Scale(domain=drawn["segment"].unique(maintain_order=True).to_list()))
    x = alt.X("low:Q", title=None, scale=alt.Scale(domain=domain, nice=False, zero=False), axis=_percent_axis())
    legend = alt.Legend(title=None, offset=24) if len(kinds) > 1 else None
    colour = alt.Color("group:N", scale=alt.Scale(domain=kinds, range=list(SERIES[: len(kinds)])), legend=legend)
    base = alt.Chart(drawn).encode(y=y)
    layers: list[alt.Chart] = [
        base.mark_bar(height=11, cornerRadius=2, clip=True).encode(x=x, x2="high:Q", color=colour, description="label:N"),
        base.transform_filter("datum.low == datum.high").mark_point(filled=True, size=80, opacity=1).encode(x=x, color=colour),
        base.mark_text(align="left", dx=10).encode(x=alt.value(WIDTH), text="tail:N"),
    ]
    if reference is not None:
        layers += [_line_at(reference, across=x), _words_at(reference, label=reference_label, across=x)]
    return alt.LayerChart(layer=layers).properties(width=WIDTH, height=alt.Step(STEP))


def draw_funnel(drawn: pl.DataFrame, limits: pl.DataFrame) -> alt.LayerChart:
    import altair as alt

    drawn = drawn.with_columns(state=pl.when("flagged").then(pl.lit("stands apart")).otherwise(pl.lit("within what chance would do")))
    domain = ["within what chance would do", "stands apart"]
    inks = alt.Scale(domain=domain, range=[INK["muted"], INK["warn"]])
    colour = alt.Color("state:N", scale=inks, legend=alt.Legend(title=None))
    shape = alt.Shape("state:N", scale=alt.Scale(domain=domain, range=["circle", "diamond"]), legend=alt.Legend(title=None))
    x = alt.X("n:Q", title="contacts", scale=alt.Scale(nice=True, zero=True), axis=alt.Axis(grid=False, tickCount=6))
    title, scale, axis = "points above or below the expected share", alt.Scale(nice=True, zero=False), alt.Axis(tickCount=5)
    y = alt.Y("share:Q", title=title, scale=scale, axis=axis)
    base = alt.Chart(drawn).encode(x=x)
    layers: list[alt.Chart] = [
        alt.Chart(limits)
        .mark_area(opacity=0.14, color=INK["accent"])
        .encode(x=x, y=alt.Y("low:Q", title=title, scale=scale, axis=axis), y2="high:Q"),
        _line_at(0, across=y),
        base.mark_point(filled=True, size=75, opacity=0.9).encode(y=y, color=colour, shape=shape, description="label:N"),
        base.transform_filter("datum.flagged").mark_text(align="left", dx=8, dy=-8).encode(y=y, text="segment:N"),
    ]
    return alt.LayerChart(layer=layers).properties(width=WIDTH + 130, height=260)


def _span(known: pl.DataFrame, reference: float | None) -> tuple[float, float]:
    """The part of 0..1 that the intervals and the reference need, in steps of five percent."""
    seen = [*known["low"].drop_nulls().to_list(), *known["high"].drop_nulls().to_list(), *known["share"].drop_nulls().to_list()]
    seen = [*seen, *([reference] if reference is not None else [])] or [0.0, 1.0]
    low, high = floor(max(min(seen), 0) * 20) / 20, ceil(min(max(seen), 1) * 20) / 20
    return (low, high) if high - low >= 0.1 else (max(low - 0.05, 0.0), min(high + 0.05, 1.0))


def _percent_axis(*, count: int = 6) -> alt.Axis:
    import altair as alt

    return alt.Axis(format=".0%", tickCount=count)


def _line_at(value: float, *, across: alt.X | alt.Y) -> alt.Chart:
    """A dashed line at one value of an axis; it repeats the axis whole, or its own defaults would win over the chart's."""
    import altair as alt

    mark = alt.Chart(pl.DataFrame({"at": [value]})).mark_rule(color=INK["muted"], strokeDash=[4, 3], strokeWidth=1.5)
    same = across.copy()
    same["shorthand"] = "at:Q"
    drawn: alt.Chart = mark.encode(x=same) if isinstance(across, alt.X) else mark.encode(y=same)
    return drawn


def _words_at(value: float, *, label: str, across: alt.X | alt.Y) -> alt.Chart:
    import altair as alt

    words = pl.DataFrame({"at": [value], "words": [f"{label} {percent(value)}"]})
    same = across.copy()
    same["shorthand"] = "at:Q"
    base = alt.Chart(words).encode(text="words:N")
    above = base.mark_text(color=INK["muted"], baseline="bottom", dy=-4).encode(x=same, y=alt.value(0))
    beside = base.mark_text(color=INK["muted"], align="left", dx=8).encode(y=same, x=alt.value(WIDTH + 130))
    drawn: alt.Chart = above if isinstance(across, alt.X) else beside
    return drawn


def _day_axis(days: pl.Series) -> alt.Axis:
    """Days named so that a year is told when there is more than one."""
    import altair as alt

    first, last = days.min(), days.max()
    years = isinstance(first, date) and isinstance(last, date) and (last - first).days > 330
    values = [{"year": day.year, "month": day.month, "date": day.day} for day in days.to_list()] if days.len() <= 9 else alt.Undefined
    return alt.Axis(grid=False, format="%b %Y" if years else "%-d %b", values=values)
