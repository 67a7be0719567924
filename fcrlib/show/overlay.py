"""How is a share drawn week by week beside what was changed at the time?

Every change of the log is a dotted line with a number; the note under the picture says what each number stands for. A line says when, never why.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from fcrlib.show import charts
from fcrlib.show.figure import Figure
from fcrlib.show.quote import quote
from fcrlib.show.svg import INK

if TYPE_CHECKING:
    import altair as alt

_NONE = "No change of the log that touched many of these contacts lies in these weeks."


def weeks(frame: pl.DataFrame, *, changes: pl.DataFrame, id: str, title: str, before: float | None = None, called: str = "before") -> Figure:
    """Draw a weekly share with its band and the changes of the log.

    Parameters
    ----------
    frame
        `week` (a date), `share`, `low`, `high`, `n`; a null share is not drawn.
    changes
        `at`, `kind`, `scope`, `note`; those outside the weeks are left out.
    before, called
        The share of an earlier period, drawn as a dashed line, and what that line is called.
    """
    drawn = charts.trend(frame, id=id, title=title, x="week", names={"week": "week from"}, reference=before, reference_label=called)
    first, last = frame["week"].min(), frame["week"].max()
    days = changes.with_columns(day=pl.col("at").dt.date()).filter(pl.col("day").is_between(first, pl.lit(last).dt.offset_by("7d"), closed="left"))
    marks = days.sort("at", "kind", "scope", "note").with_columns(number=pl.col("day").rank("dense").cast(pl.String))
    if marks.is_empty() or drawn.chart is None:
        return Figure(id, title, drawn.chart, frame, drawn.columns, _NONE, drawn.alt)
    return Figure(id, title, _marked(drawn.chart, marks), frame, drawn.columns, _named(marks), drawn.alt)


def _named(marks: pl.DataFrame) -> str:
    said = [
        f"{row['number']}: {row['day']:%Y-%m-%d} {row['kind']}, {quote(row['note'] or 'no note', limit=70).rstrip('.')}" for row in marks.to_dicts()
    ]
    return f"Changes of the log: {'; '.join(said)}."


def _marked(chart: alt.Chart | alt.LayerChart, marks: pl.DataFrame) -> alt.LayerChart:
    import altair as alt

    base = alt.Chart(marks.select(x="day", number="number").unique(maintain_order=True)).encode(x=alt.X("x:T", title=None))
    rule = base.mark_rule(color=INK["muted"], strokeDash=[2, 3])
    number = base.mark_text(color=INK["muted"], baseline="bottom", dy=-4).encode(y=alt.value(0), text="number:N")
    layers = chart.layer if isinstance(chart, alt.LayerChart) else [chart]
    whole: alt.LayerChart = alt.LayerChart(layer=[*layers, rule, number]).properties(width=chart.width, height=chart.height)
    return whole
