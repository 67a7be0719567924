"""Which picture shows this frame?

Each function takes a small aggregated frame and returns a `Figure`: the drawing, its caption, its numbers and its description.
Columns are copied under plain names before they are drawn, because a `.` or `:` in a name breaks a chart without a word.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal

import polars as pl

from fcrlib.model import numbers as spelled
from fcrlib.model.errors import UsageError
from fcrlib.show import drawing
from fcrlib.show.figure import Column, Figure
from fcrlib.show.theme import SERIES, TONES


def rates(
    frame: pl.DataFrame,
    *,
    id: str,
    title: str,
    by: str,
    share: str = "share",
    low: str = "low",
    high: str = "high",
    n: str = "n",
    reference: float | None = None,
    reference_label: str = "all",
    order: Literal["given", "rising", "falling"] = "given",
    good: Literal["up", "down"] = "up",
    apart: str | None = None,
    beside: str | None = None,
    names: Mapping[str, str] | None = None,
    note: str = "",
    alt: str = "",
) -> Figure:
    """Draw a share per segment as dot and interval; a segment that stands apart from the reference changes colour and shape.

    Parameters
    ----------
    frame
        One row per segment; reads the columns `by`, `share`, `low`, `high`, `n`. A null share is shown as "too few".
    reference
        The share to compare with, drawn as a dashed line.
    order
        `given` keeps the frame's order.
    good
        Which side of the reference is welcome.
    apart
        Yes/no column: does the segment stand apart? Without it, where its interval misses the reference.
    beside
        A further share that the table gives beside each row, e.g. how many contacts name their customer.
    names
        Headings of columns in the table.
    """
    ordered = frame if order == "given" else frame.sort(share, descending=order == "falling", nulls_last=True, maintain_order=True)
    drawn = _plain(ordered, segment=by, share=share, low=low, high=high, n=n, **({"apart": apart} if apart else {}))
    drawn = _worded(drawn, name="segment").with_columns(_state(reference, pl.col("apart") if apart else pl.lit(True)).alias("state"))
    kinds: dict[str, spelled.Kind] = {share: "percent", low: "percent", high: "percent", n: "count"}
    more = (beside,) if beside else ()
    shown = _columns(names, kinds | dict.fromkeys(more, "percent"), first=(by, share, low, high, n, *more), interval=_ends(low, high))
    said = alt or _described(f"Share by {_name(by, names)}", drawn["tail"], drawn["segment"])
    return Figure(id, title, drawing.draw_rates(drawn, reference, reference_label, good), ordered, shown, note, said)


def _state(reference: float | None, apart: pl.Expr) -> pl.Expr:
    if reference is None:
        return pl.lit(drawing.STATES[3])
    below, unclear, above = (pl.lit(state) for state in drawing.STATES[:3])
    return pl.when((pl.col("high") < reference) & apart).then(below).when((pl.col("low") > reference) & apart).then(above).otherwise(unclear)


def trend(
    frame: pl.DataFrame,
    *,
    id: str,
    title: str,
    x: str,
    share: str = "share",
    low: str = "low",
    high: str = "high",
    n: str = "n",
    hollow: str | None = None,
    reference: float | None = None,
    reference_label: str = "all",
    names: Mapping[str, str] | None = None,
    note: str = "",
    alt: str = "",
) -> Figure:
    """Draw a share over time with its band; points that are still incomplete are hollow and joined by a dashed line.

    Parameters
    ----------
    frame
        One row per date (or per label, in the given order); reads `x`, `share`, `low`, `high`, `n` and `hollow`.
    hollow
        Yes/no column: the value will still change.
    reference
        A share to draw as a dashed line.
    """
    open_ended = pl.col(hollow).fill_null(False) if hollow else pl.lit(False)
    drawn = _plain(frame.with_columns(open_ended.alias("__open")), x=x, share=share, low=low, high=high, n=n, open="__open")
    drawn = _worded(drawn, name="x")
    first = (x, share, low, high, n, *([hollow] if hollow else []))
    shown = _columns(names, {share: "percent", low: "percent", high: "percent", n: "count"}, first=first, interval=_ends(low, high))
    said = alt or _described("Share over time", drawn["tail"], drawn["x"].cast(pl.String))
    return Figure(id, title, drawing.draw_trend(drawn, reference, reference_label), frame, shown, note, said)


def grid(
    frame: pl.DataFrame,
    *,
    id: str,
    title: str,
    x: str,
    y: str,
    value: str,
    kind: spelled.Kind = "percent",
    names: Mapping[str, str] | None = None,
    note: str = "",
    alt: str = "",
) -> Figure:
    """Draw a value for every pair of two categories; the number is printed in its cell, the darker the higher.

    Parameters
    ----------
    frame
        One row per pair, in the order in which categories shall appear; reads `x`, `y`, `value`. A null value reads "too few".
    kind
        How the value is spelled.
    """
    drawn = _plain(frame, x=x, y=y, value=value).with_columns(pl.col("x").cast(pl.String), pl.col("y").cast(pl.String))
    drawn = drawn.with_columns(_spelled(drawn["value"], kind).alias("text"), _tone(drawn["value"]).alias("tone"))
    pairs = drawn["y"] + ", " + drawn["x"]
    said = alt or _described(f"{_name(value, names)} by {_name(y, names)} and {_name(x, names)}", drawn["text"], pairs)
    shown = _columns(names, {value: kind}, first=(y, x, value))
    return Figure(
        id, title, drawing.draw_cells(drawn.with_columns((pairs + ": " + drawn["text"]).alias("label")), x=_name(x, names)), frame, shown, note, said
    )


def _tone(values: pl.Series) -> pl.Series:
    """Five steps from the lowest to the highest value; null stays null."""
    numbers = values.cast(pl.Float64)
    low, high = numbers.min(), numbers.max()
    if not isinstance(low, float) or not isinstance(high, float) or high <= low:
        return (numbers * 0).cast(pl.Int64)
    return ((numbers - low) / (high - low) * len(TONES)).floor().clip(0, len(TONES) - 1).cast(pl.Int64)


def bars(
    frame: pl.DataFrame,
    *,
    id: str,
    title: str,
    x: str,
    y: str,
    kind: spelled.Kind = "count",
    low: str | None = None,
    high: str | None = None,
    currency: str = "",
    highlight: Sequence[str] = (),
    names: Mapping[str, str] | None = None,
    note: str = "",
    alt: str = "",
) -> Figure:
    """Draw one horizontal bar per category with its value written at its end.

    Parameters
    ----------
    frame
        One row per category in the given order; reads `x` (the value), `y` (the category), `low` and `high`.
    highlight
        Categories the title speaks of; the others step back and only they carry a mark after their name.
    """
    span = {"low": low or x, "high": high or x}
    drawn = _plain(frame, value=x, segment=y, **span).with_columns(pl.col("segment").cast(pl.String))
    marked = pl.col("segment").is_in(list(highlight)) if highlight else pl.lit(True)
    drawn = drawn.with_columns(_spelled(drawn["value"], kind, currency).alias("tail"), marked.alias("marked"))
    drawn = drawn.with_columns((pl.col("segment") + ": " + pl.col("tail")).alias("label"))
    kinds = {x: kind, **{name: kind for name in (low, high) if name}}
    shown = _columns(names, kinds, first=(y, x, *(name for name in (low, high) if name)), interval=_ends(low, high), currency=currency)
    said = alt or _described(f"{_name(x, names)} by {_name(y, names)}", drawn["tail"], drawn["segment"])
    return Figure(id, title, drawing.draw_bars(drawn, kind, ranged=low is not None), frame, shown, note, said)


def curve(
    frame: pl.DataFrame,
    *,
    id: str,
    title: str,
    x: str,
    y: str,
    low: str | None = None,
    high: str | None = None,
    by: str | None = None,
    kind: spelled.Kind = "percent",
    x_title: str = "",
    y_title: str = "",
    mark_at: float | None = None,
    names: Mapping[str, str] | None = None,
    note: str = "",
    alt: str = "",
) -> Figure:
    """Draw a value over a number, e.g. the share that came back against the days since the answer; at most five lines.

    Parameters
    ----------
    frame
        One row per point; reads `x`, `y`, `low`, `high` and `by`.
    by
        One line per value, told apart by colour, dash and a legend.
    mark_at
        A place on the x axis to mark with a dashed line, e.g. the policy's window.
    """
    whole = frame.with_columns(pl.lit("").alias("__one"))
    drawn = _plain(whole, x=x, y=y, low=low or y, high=high or y, series=by or "__one").with_columns(pl.col("series").cast(pl.String))
    lines = drawn["series"].unique(maintain_order=True).to_list()
    if len(lines) > len(SERIES):
        raise UsageError(f"figure '{id}' has {len(lines)} lines, a reader tells {len(SERIES)} apart: keep the largest or draw `rates`")
    drawn = drawn.with_columns(_spelled(drawn["y"], kind).alias("tail"))
    kinds = {y: kind, **{name: kind for name in (low, high) if name}}
    shown = _columns(names, kinds, first=tuple(name for name in (by, x, y, low, high) if name), interval=_ends(low, high))
    ends = drawn.group_by("series", maintain_order=True).last()
    said = alt or _described(f"{y_title or _name(y, names)} over {x_title or _name(x, names)}; the last values", ends["tail"], ends["series"])
    return Figure(
        id,
        title,
        drawing.draw_curve(drawn, lines, kind, (x_title or _name(x, names), y_title), mark_at, band=low is not None),
        frame,
        shown,
        note,
        said,
    )


def ranges(
    frame: pl.DataFrame,
    *,
    id: str,
    title: str,
    by: str,
    low: str = "low",
    high: str = "high",
    group: str | None = None,
    reference: float | None = None,
    reference_label: str = "ours",
    names: Mapping[str, str] | None = None,
    note: str = "",
    alt: str = "",
) -> Figure:
    """Draw a bar from low to high for each row, with our own value as a dashed line through all of them.

    Parameters
    ----------
    frame
        One row per range in the given order; reads `by`, `low`, `high` (shares) and `group`. Where both ends are the same, a point.
    group
        Column that says what kind of range it is, e.g. how it was measured; told apart by colour and a legend, at most five kinds.
    reference
        The share to compare with.
    """
    drawn = _plain(frame.with_columns(pl.lit("").alias("__one")), segment=by, low=low, high=high, group=group or "__one")
    drawn = drawn.with_columns(pl.col("segment", "group").cast(pl.String))
    kinds = drawn["group"].unique(maintain_order=True).to_list()
    if len(kinds) > len(SERIES):
        raise UsageError(f"figure '{id}' has {len(kinds)} kinds of ranges, a reader tells {len(SERIES)} apart: merge some")
    tails = [extent(*ends) for ends in drawn.select("low", "high").rows()]
    drawn = drawn.with_columns(pl.Series("tail", tails, dtype=pl.String)).with_columns(label=pl.col("segment") + ": " + pl.col("tail"))
    shown = _columns(names, {low: "percent", high: "percent"}, first=tuple(name for name in (by, low, high, group) if name))
    said = alt or _described(f"Range by {_name(by, names)}", drawn["tail"], drawn["segment"])
    return Figure(id, title, drawing.draw_ranges(drawn, kinds, reference, reference_label), frame, shown, note, said)


def extent(low: float, high: float) -> str:
    """A range of shares in words; one that is open at an end says so.

    Examples
    --------
    >>> extent(0.7, 0.79), extent(0.8, 1.0), extent(0.0, 0.6), extent(0.61, 0.61)
    ('70 to 79 %', '80 % and more', 'up to 60 %', '61 %')
    """
    if low == high:
        return spelled.percent(low, digits=0)
    if high == 1:
        return f"{spelled.percent(low, digits=0)} and more"
    return f"up to {spelled.percent(high, digits=0)}" if low == 0 else spelled.interval(low, high, digits=0)


def funnel(
    frame: pl.DataFrame,
    *,
    id: str,
    title: str,
    share: str = "share",
    expected: str = "expected",
    low: str = "funnel_low",
    high: str = "funnel_high",
    n: str = "n",
    flagged: str = "flagged",
    by: str | None = None,
    names: Mapping[str, str] | None = None,
    note: str = "",
    alt: str = "",
) -> Figure:
    """Draw how far each row lies from what is expected of it against its size, inside limits that widen where contacts are few.

    Parameters
    ----------
    frame
        One row per team or agent; reads `share`, `expected`, `low`, `high`, `n`, `flagged`. Rows without a share are not drawn.
    flagged
        Yes/no column: the row stands apart; it changes colour and shape, and is named if `by` is given.
    by
        Column with the names; without it the picture shows the spread and names nobody.
    """
    known = frame.filter(pl.col(share).is_not_null()).with_columns(pl.lit("").alias("__none"))
    drawn = _plain(known, segment=by or "__none", share=share, expected=expected, low=low, high=high, n=n, flagged=flagged)
    drawn = drawn.with_columns(pl.col("segment").cast(pl.String), pl.col("flagged").fill_null(False)).sort("n", "segment")
    drawn = drawn.with_columns((pl.col("share", "low", "high") - pl.col("expected")) * 100)
    words = [f"{points} of {spelled.count(n)}" for points, n in zip(_points(drawn["share"]), drawn["n"].to_list(), strict=True)]
    drawn = drawn.with_columns(pl.Series("tail", words, dtype=pl.String)).with_columns(label=pl.format("{} {}", "segment", "tail").str.strip_chars())
    apart = drawn.filter("flagged")
    far = _described("Stands apart", apart["tail"], apart["segment"]) if apart.height else "None lies apart."
    said = alt or f"Distance from the expected share against contacts, {spelled.count(drawn.height)} points. {far}"
    kinds: dict[str, spelled.Kind] = dict.fromkeys((share, expected, low, high), "percent")
    first = tuple(name for name in (by, n, share, expected, low, high, flagged) if name)
    shown = _columns({low: "usual from", high: "to", flagged: "stands apart", **(names or {})}, {**kinds, n: "count"}, first=first)
    return Figure(id, title, drawing.draw_funnel(drawn, _limits(drawn)), known.drop("__none"), shown, note, said)


def _limits(drawn: pl.DataFrame, *, steps: int = 60) -> pl.DataFrame:
    """The limits as one smooth curve: those of the rows differ a little with what is expected of each."""
    sized = drawn.filter(pl.col("n") > 0).with_columns(pl.col("n").cast(pl.Float64))
    least, most = pl.col("n").min(), pl.col("n").max()
    reach = ((pl.col("high") - pl.col("low")) / 2 * pl.col("n").sqrt()).median()
    curve = sized.select((least + (most - least) * pl.int_range(steps) / (steps - 1)).alias("n"), reach=reach)
    return curve.drop_nulls().select("n", low=-pl.col("reach") / pl.col("n").sqrt(), high=pl.col("reach") / pl.col("n").sqrt())


def _points(values: pl.Series) -> list[str]:
    return [spelled.points(value / 100) for value in values.to_list()]


def _plain(frame: pl.DataFrame, **wanted: str) -> pl.DataFrame:
    """Copy the columns a chart draws under plain names; instants become days, or another time zone would shift them."""
    missing = sorted({name for name in wanted.values() if name not in frame.columns})
    if missing:
        raise UsageError(f"the frame has no column {', '.join(missing)}", [f"it has: {', '.join(frame.columns)}"])
    plain = frame.select(pl.col(source).alias(name) for name, source in wanted.items())
    instants = [name for name, dtype in plain.schema.items() if dtype == pl.Datetime]
    labels = [
        name for name, dtype in plain.schema.items() if dtype in (pl.Enum, pl.Categorical, pl.Boolean) and name in ("segment", "x", "y", "series")
    ]
    return plain.with_columns(pl.col(instants).dt.date(), pl.col(labels).cast(pl.String))


def _worded(drawn: pl.DataFrame, *, name: str) -> pl.DataFrame:
    """Add `tail` (written beside the mark) and `label` (said when the mouse rests on it)."""
    tails, labels = [], []
    for row in drawn.with_columns(pl.col(name).cast(pl.String)).iter_rows(named=True):
        known = row["share"] is not None
        tail = f"{spelled.percent(row['share'])}  of {spelled.count(row['n'])}" if known else f"{spelled.TOO_FEW} (of {spelled.count(row['n'])})"
        tails.append(tail)
        labels.append(f"{row[name]}: {tail}{', ' + spelled.interval(row['low'], row['high']) if known else ''}")
    return drawn.with_columns(pl.Series("tail", tails, dtype=pl.String), pl.Series("label", labels, dtype=pl.String))


def _spelled(values: pl.Series, kind: spelled.Kind, currency: str = "") -> pl.Series:
    words = [spelled.TOO_FEW if value is None else spelled.cell(value, kind=kind, currency=currency) for value in values.to_list()]
    return pl.Series(words, dtype=pl.String)


def _described(what: str, values: pl.Series, labels: pl.Series, *, limit: int = 8) -> str:
    pairs = [f"{label} {value}".strip() for label, value in zip(labels.to_list(), values.to_list(), strict=True)]
    rest = f"; and {len(pairs) - limit} more" if len(pairs) > limit else ""
    return f"{what[:1].upper()}{what[1:]}: {'; '.join(pairs[:limit])}{rest}."


def _name(column: str, names: Mapping[str, str] | None) -> str:
    return (names or {}).get(column, column.replace("_", " "))


def _ends(low: str | None, high: str | None) -> list[tuple[str, str]]:
    return [(name, title) for name, title in ((low, "95 % from"), (high, "to")) if name]


def _columns(
    names: Mapping[str, str] | None,
    kinds: Mapping[str, spelled.Kind],
    *,
    first: Sequence[str],
    interval: Sequence[tuple[str, str]] = (),
    currency: str = "",
) -> tuple[Column, ...]:
    """Head the columns a chart draws; the columns of the interval and of the contacts have names of their own."""
    usual = {**dict(interval), "n": "contacts", **(names or {})}
    return tuple(Column(name, usual.get(name, name.replace("_", " ")), kinds.get(name, "text"), currency) for name in dict.fromkeys(first))
