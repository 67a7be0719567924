"""Which picture shows a fitted difference, what it rests on, and what it might be worth?"""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from fcrlib.model import numbers as spelled
from fcrlib.model.errors import UsageError
from fcrlib.show import charts
from fcrlib.show.effects import effects
from fcrlib.show.figure import Column, Figure
from fcrlib.show.svg import INK
from fcrlib.show.theme import STEP, WIDTH

if TYPE_CHECKING:
    import altair as alt

    from fcrlib.fits.effect import Effect
    from fcrlib.fits.simulator import Simulation

DIFFERENCES = (
    Column("effect", "difference", "points"), Column("low", "from", "points"), Column("high", "to", "points"), Column("n", "answers", "count"),
)  # fmt: skip
SQUARE = 300
HELD = {
    "prior_contacts_90d": "earlier contacts", "transfers_before": "transfers", "hour_block": "hour of the day", "wait": "wait for a person",
    "handle": "handle time",
}  # fmt: skip
"""What is held equal, in the words of a reader."""
LINES = "The dashed lines are none and one to one, the most that there can be between contacts."


def segments(effect: Effect | None, *, id: str, title: str, note: str = "") -> Figure:
    """Draw the difference as a whole and for each level it was asked for, the largest first; without an effect there are only words."""
    if effect is None or effect.segments is None:
        return _words(id, title, note)
    by = effect.spec["by"]
    whole = pl.DataFrame(
        {"name": ["all contacts"], "effect": [effect.estimate], "low": [effect.low], "high": [effect.high], "n": [effect.n]}, strict=False
    )
    levels = effect.segments.select(name=by, effect="estimate", low="low", high="high", n="n").sort(pl.col("effect") * -1, "name")
    rows = pl.concat([whole.cast({"low": pl.Float64, "high": pl.Float64}), levels])
    return effects(rows, id=id, title=title, columns=(Column("name", by.replace("_", " ")), *DIFFERENCES), good="up", note=note)


def _words(id: str, title: str, note: str) -> Figure:
    """A sentence where there is nothing to draw."""
    return Figure(id, title, None, pl.DataFrame(), (), note, title)


def path(frame: pl.DataFrame, *, id: str, title: str, note: str = "") -> Figure:
    """Draw the difference of each model, from nothing held equal to much; the note says which models could not be fitted, and why.

    Parameters
    ----------
    frame
        `model`, `adjusts_for`, `estimate`, `low`, `high`, `n`, `note`, in the order of the models.
    """
    known, lost = frame.drop_nulls("estimate"), frame.filter(pl.col("estimate").is_null())
    plain = [pl.col(name).str.replace_many(HELD).str.replace_all("_", " ") for name in ("adjusts_for", "note")]
    rows = known.with_columns(plain).select("adjusts_for", "low", "high", "n", "note", name="model", effect="estimate")
    shown = (Column("name", "model"), Column("adjusts_for", "held equal"), *DIFFERENCES, Column("note", "note"))
    said = [note, *(f"{model}: {why}." for model, why in lost.select("model", "note").iter_rows())]
    return effects(rows, id=id, title=title, columns=shown, good="up", note=" ".join(filter(None, said)))


def beside(frame: pl.DataFrame, *, id: str, title: str, what: str = "read from", note: str = "") -> Figure:
    """Draw the same difference as it is told in several ways; the note says which of them could not be told, and why.

    Parameters
    ----------
    frame
        `name`, `estimate`, `low`, `high` (shares), `n`, `note`, in the order of the rows.
    what
        What tells the rows apart.
    """
    known, lost = frame.drop_nulls("estimate"), frame.filter(pl.col("estimate").is_null())
    rows = known.select("name", effect="estimate", low="low", high="high", n="n")
    said = " ".join([*filter(None, [note]), *(f"{name[:1].upper()}{name[1:]}: {why}." for name, why in lost.select("name", "note").iter_rows())])
    return effects(rows, id=id, title=title, columns=(Column("name", what), *DIFFERENCES), good="up", note=said)


def dose(frame: pl.DataFrame, *, id: str, title: str, note: str = "") -> Figure:
    """Draw the share of satisfied customers by how many contacts their issue took.

    Parameters
    ----------
    frame
        `contacts`, `n`, `share`, `low`, `high` (standardised), the slope in a last row without a share.
    """
    if frame.is_empty():
        return _words(id, title, note)
    rows = frame.filter(pl.col("contacts") != "each further contact").select("contacts", "share", "low", "high", "n")
    names = {"contacts": "contacts to resolution", "share": "satisfied", "n": "answers"}
    return charts.rates(rows, id=id, title=title, by="contacts", names=names, note=note)


def per_point(algebra: pl.DataFrame, *, id: str, title: str, note: str = LINES) -> Figure:
    """Draw points of CSAT per point of FCR as dot and interval: ours beside what was published, with a line at none and one at one to one.

    Parameters
    ----------
    algebra
        `kind` (ours, ceiling, published), `what`, `points`, `low`, `high`, `source`, `caveat`.
    """
    if algebra.is_empty():
        return _words(id, title, "")
    drawn = algebra.filter(pl.col("kind") != "ceiling").select("kind", name="what", value="points", low="low", high="high")
    drawn = drawn.with_columns(tail=pl.Series([spelled.number(value, digits=2) for value in drawn["value"]], dtype=pl.String))
    drawn = drawn.with_columns(label=pl.col("name") + ": " + pl.col("tail"))
    shown = (
        Column("what", "slope"), Column("points", "points of CSAT per point of FCR", "number"), Column("low", "from", "number"),
        Column("high", "to", "number"), Column("source", "source"), Column("caveat", "caveat"),
    )  # fmt: skip
    return Figure(
        id, title, _draw_per_point(drawn), algebra, shown, note, f"Points of CSAT per point of FCR. {'; '.join(drawn['label'])}; at most 1."
    )


def _draw_per_point(drawn: pl.DataFrame) -> alt.LayerChart:
    import altair as alt

    ends = [value for name in ("value", "low", "high") for value in drawn[name].drop_nulls()]
    scale = alt.Scale(domain=[min(0.0, *ends) - 0.05, max(1.0, *ends) + 0.05], nice=False)
    title, axis = "points of CSAT per point of FCR", alt.Axis(tickCount=6)
    x = alt.X("value:Q", title=title, scale=scale, axis=axis)
    y = alt.Y("name:N", sort=None, title=None, scale=alt.Scale(domain=drawn["name"].to_list()), axis=alt.Axis(grid=False))
    kinds, inks, shapes = ["ours", "published"], [INK["accent"], INK["muted"]], ["circle", "diamond"]
    legend = alt.Legend(title=None, values=kinds)
    colour = alt.Color("kind:N", scale=alt.Scale(domain=kinds, range=inks), legend=legend)
    shape = alt.Shape("kind:N", scale=alt.Scale(domain=kinds, range=shapes), legend=legend)
    lines = alt.Chart(pl.DataFrame({"at": [0.0, 1.0]})).mark_rule(color=INK["muted"], strokeDash=[4, 3])
    base = alt.Chart(drawn).encode(y=y)
    layers: list[alt.Chart] = [
        lines.encode(x=alt.X("at:Q", title=title, scale=scale, axis=axis)),
        base.mark_rule(strokeWidth=2, strokeCap="round").encode(x=alt.X("low:Q", title=title, scale=scale, axis=axis), x2="high:Q", color=colour),
        base.mark_point(filled=True, size=95, opacity=1).encode(x=x, color=colour, shape=shape, description="label:N"),
        base.mark_text(align="left", dx=10).encode(x=alt.value(WIDTH), text="tail:N"),
    ]
    return alt.LayerChart(layer=layers).properties(width=WIDTH, height=alt.Step(STEP))


def calibration(checks: pl.DataFrame, *, id: str, title: str, note: str = "") -> Figure:
    """Draw what was answered against what the model expects, a tenth of the answers each; a sound model lies along the dashed line.

    Parameters
    ----------
    checks
        `check`, `part`, `n`, `value`, `low`, `high`, `expected`; only the rows of the check "calibration" are drawn.
    """
    if checks.is_empty():
        return _words(id, title, note)
    rows = checks.filter(pl.col("check") == "calibration")
    drawn = rows.select("low", "high", expected="expected", value="value", label=pl.format("{}: {} expected, {} answered", "part", *_both(rows)))
    shown = (
        Column("part", "part"), Column("n", "answers", "count"), Column("expected", "expected", "percent"), Column("value", "answered", "percent"),
        Column("low", "from", "percent"), Column("high", "to", "percent"),
    )  # fmt: skip
    said = f"Answered against expected. {'; '.join(drawn['label'])}."
    return Figure(id, title, _draw_calibration(drawn) if rows.height else None, rows, shown, note, said if rows.height else title)


def _both(rows: pl.DataFrame) -> list[pl.Expr]:
    return [pl.lit(pl.Series([spelled.percent(value) for value in rows[name]], dtype=pl.String)) for name in ("expected", "value")]


def _draw_calibration(drawn: pl.DataFrame) -> alt.LayerChart:
    import altair as alt

    ends = [value for name in ("value", "expected", "low", "high") for value in drawn[name].drop_nulls()]
    scale = alt.Scale(domain=[min(ends) - 0.03, max(ends) + 0.03], nice=False, zero=False)
    axis = alt.Axis(format=".0%", tickCount=5)
    x = alt.X("expected:Q", title="expected by the model", scale=scale, axis=axis)
    corners = alt.Chart(pl.DataFrame({"expected": [min(ends), max(ends)], "value": [min(ends), max(ends)]}))
    y = alt.Y("value:Q", title="answered", scale=scale, axis=axis)
    base = alt.Chart(drawn).encode(x=x)
    layers: list[alt.Chart] = [
        corners.mark_line(color=INK["muted"], strokeDash=[4, 3]).encode(x=x, y=y),
        base.mark_rule(color=INK["accent"], strokeWidth=2).encode(y=alt.Y("low:Q", title="answered", scale=scale, axis=axis), y2="high:Q"),
        base.mark_point(filled=True, size=95, opacity=1, color=INK["accent"]).encode(y=y, description="label:N"),
    ]
    return alt.LayerChart(layer=layers).properties(width=SQUARE, height=SQUARE)


def tornado(simulation: Simulation | None, *, gain: str, id: str, title: str, currency: str = "", note: str = "") -> Figure:
    """Draw how far a simulated gain moves when one input goes from its low to its high end and the others stay, the widest first.

    Parameters
    ----------
    gain
        `points of CSAT`, `contacts saved` or `cost saved`.

    Raises
    ------
    UsageError
        If that gain was not simulated, while another one was.
    """
    if simulation is None:
        return _words(id, title, note)
    rows = simulation.tornado.filter(pl.col("gain") == gain)
    if rows.is_empty():
        there = simulation.tornado["gain"].unique(maintain_order=True)
        raise UsageError(f"'{gain}' was not simulated; there are {', '.join(there)}")
    whole = simulation.gains.filter(pl.col("gain") == gain).row(0, named=True)["value"]
    scale = 100.0 if gain == "points of CSAT" else 1.0
    kind: spelled.Kind = "money" if gain == "cost saved" else "count" if gain == "contacts saved" else "number"
    drawn = rows.select(name="input", low=pl.col("at_low") * scale, high=pl.col("at_high") * scale)
    ends = [[spelled.cell(value, kind=kind, currency=currency) for value in drawn[end]] for end in ("low", "high")]
    drawn = drawn.with_columns(tail=pl.Series([f"{low} to {high}" for low, high in zip(*ends, strict=True)], dtype=pl.String))
    drawn = drawn.with_columns(label=pl.col("name") + ": " + pl.col("tail"))
    table = rows.select("input", "input_low", "input_high", at_low=drawn["low"], at_high=drawn["high"])
    shown = (
        Column("input", "input"), Column("input_low", "from", "number"), Column("input_high", "to", "number"),
        Column("at_low", f"{gain} at the low end", kind, currency), Column("at_high", f"{gain} at the high end", kind, currency),
    )  # fmt: skip
    return Figure(id, title, _draw_tornado(drawn, whole * scale, gain), table, shown, note, f"{gain} by input. {'; '.join(drawn['label'])}.")


def _draw_tornado(drawn: pl.DataFrame, whole: float, gain: str) -> alt.LayerChart:
    import altair as alt

    y = alt.Y("name:N", sort=None, title=None, scale=alt.Scale(domain=drawn["name"].to_list()), axis=alt.Axis(grid=False, labelLimit=320))
    ends = [*drawn["low"].to_list(), *drawn["high"].to_list(), whole]
    room = max(max(ends) - min(ends), 1e-9) * 0.05
    # Bars are read by their distance from none, so none is on the axis.
    scale = alt.Scale(domain=[min(0.0, *ends) - room, max(0.0, *ends) + room], nice=False)
    base = alt.Chart(drawn).encode(y=y)
    layers: list[alt.Chart] = [
        base.mark_bar(height=14, color=INK["accent"]).encode(x=alt.X("low:Q", title=gain, scale=scale), x2="high:Q", description="label:N"),
        base.mark_text(align="left", dx=10).encode(x=alt.value(WIDTH), text="tail:N"),
        alt.Chart(pl.DataFrame({"at": [whole]})).mark_rule(color=INK["ink"], strokeDash=[4, 3]).encode(x=alt.X("at:Q", title=gain, scale=scale)),
    ]
    return alt.LayerChart(layer=layers).properties(width=WIDTH, height=alt.Step(STEP))
