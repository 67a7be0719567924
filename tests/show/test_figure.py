"""A figure carries its finding, drawing and numbers together, and nothing else."""

import json
from datetime import UTC, date, datetime

import altair as alt
import nbformat
import polars as pl
import pytest

from fcrlib.model.errors import UsageError
from fcrlib.show import charts
from fcrlib.show.figure import FIGURE, TABLE, VEGALITE, Column, Figure, Table

FRAME = pl.DataFrame(
    {
        "channel.name:x": ["email <b>", "phone", "chat"],
        "share": [0.74, 0.66, None],
        "low": [0.73, 0.64, None],
        "high": [0.75, 0.68, None],
        "n": [1200, 800, 4],
        "email": ["jo@mail.example"] * 3,
    }
)


def rates(**changes) -> Figure:
    return charts.rates(FRAME, **{"id": "by-channel", "title": "Phone resolves least", "by": "channel.name:x", "reference": 0.7, **changes})


def test_the_bundle_is_valid_in_a_notebook_and_names_every_kind() -> None:
    bundle = rates()._repr_mimebundle_()
    assert set(bundle) == {VEGALITE, "image/svg+xml", FIGURE, "text/plain"}
    book = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell("", outputs=[nbformat.v4.new_output("display_data", bundle)])])
    nbformat.validate(book)
    assert bundle[VEGALITE]["$schema"].endswith("/v5.json")
    assert bundle[VEGALITE]["title"] == "Phone resolves least"


def test_a_column_that_is_not_drawn_does_not_travel() -> None:
    assert "mail.example" not in json.dumps(rates()._repr_mimebundle_())
    by_hand = Figure("hand", "t", alt.Chart(FRAME).mark_point().encode(x="share:Q"), FRAME, columns=(Column("share", "share", "percent"),))
    assert "mail.example" not in json.dumps(by_hand._repr_mimebundle_())


def test_a_column_named_like_a_part_of_a_drawing_does_not_travel_either() -> None:
    named = ("text", "type", "name", "title", "mark", "a", "share_said", "body", "point", "datum")
    frame = FRAME.with_columns(pl.lit("somebody wrote this").alias(name) for name in named)
    base = alt.Chart(frame, title="text").encode(x=alt.X("share:Q", title="body"))
    chart = base.mark_point() + base.mark_text().encode(text="n:Q").transform_filter("datum.low < datum['high']")
    figure = Figure("hand", "t", chart, frame, columns=(Column("share", "share", "percent"),))
    assert "somebody" not in json.dumps(figure._repr_mimebundle_())
    assert {name for rows in figure.spec()["datasets"].values() for row in rows for name in row} == {"share", "n", "low", "high"}


def test_odd_column_names_are_drawn() -> None:
    svg = rates().svg()
    assert "email &lt;b&gt;" in svg
    assert "74.0 %" in svg


def test_too_few_is_said_in_drawing_and_description() -> None:
    assert "too few (of 4)" in rates().svg()
    assert "too few" in rates().alt


def test_the_same_frame_gives_the_same_bytes() -> None:
    assert json.dumps(rates()._repr_mimebundle_()) == json.dumps(rates()._repr_mimebundle_())


def test_a_page_full_of_marks_is_refused() -> None:
    many = pl.DataFrame({"a": range(801)})
    with pytest.raises(UsageError, match="801 rows"):
        Table("many", "t", many)
    crowded = Figure("crowd", "t", alt.Chart(many).mark_point().encode(x="a:Q"), many.head(1))
    with pytest.raises(UsageError, match="marks"):
        crowded.svg()


def test_a_slug_is_asked_for_and_missing_columns_are_named() -> None:
    with pytest.raises(UsageError, match="slug"):
        Table("Not A Slug", "t", FRAME)
    with pytest.raises(UsageError, match="no column nothing"):
        rates(share="nothing")


def test_a_table_spells_by_kind_and_escapes() -> None:
    bundle = Table("t", "<i>", FRAME.select("channel.name:x", "share", "n"))._repr_mimebundle_()
    assert "&lt;i&gt;" in bundle["text/html"]
    assert "74.0 %" in bundle["text/html"]
    assert "not known" in bundle["text/html"]
    assert bundle[TABLE]["rows"][0] == ["email <b>", 0.74, 1200]


def test_instants_become_days_and_nan_becomes_unknown() -> None:
    frame = pl.DataFrame({"at": [datetime(2026, 9, 30, 23, tzinfo=UTC)], "day": [date(2026, 9, 30)], "x": [float("nan")]})
    assert Table("t", "t", frame).as_json()["rows"] == [["2026-09-30 23:00", "2026-09-30", None]]


@pytest.mark.parametrize("dated", [True, False])
def test_a_trend_marks_what_is_still_changing(dated: bool) -> None:
    days = [datetime(2026, 9, day, tzinfo=UTC) for day in (1, 8, 15)] if dated else ["w1", "w2", "w3"]
    frame = pl.DataFrame(
        {"week": days, "share": [0.7, 0.71, 0.6], "low": [0.69, 0.7, 0.5], "high": [0.72, 0.72, 0.7], "n": [9, 9, 9], "open": [False, False, True]}
    )
    svg = charts.trend(frame, id="t", title="t", x="week", hollow="open", reference=0.7, reference_label="target").svg()
    assert "still changing" in svg
    assert "target 70.0 %" in svg
    assert ("1 Sep" if dated else "w1") in svg


def test_the_other_charts_draw_their_numbers() -> None:
    pairs = pl.DataFrame({"a": ["x", "y"], "b": ["u", "u"], "v": [0.2, None]})
    assert "20.0 %" in charts.grid(pairs, id="g", title="t", x="a", y="b", value="v").svg()
    frame = pl.DataFrame({"mode": ["a", "b"], "cost": [1200.0, 20.0]})
    assert "€1,200" in charts.bars(frame, id="b", title="t", x="cost", y="mode", kind="money", currency="EUR", highlight=["a"]).svg()
    line = pl.DataFrame({"d": [0, 1, 2] * 2, "s": [0.0, 0.2, 0.3] * 2, "who": ["a"] * 3 + ["b"] * 3})
    assert "days" in charts.curve(line, id="c", title="t", x="d", y="s", by="who", mark_at=1, x_title="days").svg()


def test_ranges_are_drawn_from_end_to_end_and_a_single_value_as_a_point() -> None:
    frame = pl.DataFrame({"who": ["a", "b"], "low": [0.7, 0.61], "high": [0.79, 0.61], "method": ["survey", "not said"]})
    figure = charts.ranges(frame, id="r", title="t", by="who", group="method", reference=0.665)
    svg = figure.svg()
    assert all(words in svg for words in ("70 to 79 %", "61 %", "ours 66.5 %", "not said"))
    assert "b 61 %" in figure.alt
    with pytest.raises(UsageError, match="6 kinds"):
        charts.ranges(pl.DataFrame({"who": list("abcdef"), "low": [0.1] * 6, "high": [0.2] * 6}), id="r", title="t", by="who", group="who")


def test_a_funnel_shows_the_spread_and_names_only_who_stands_apart() -> None:
    limits = {"funnel_low": [0.6, 0.65, 0.5], "funnel_high": [0.8, 0.75, 0.9]}
    frame = pl.DataFrame({"team": ["anna-x", "bob-x", "cyd-x"], "share": [0.71, 0.5, None], "expected": [0.7] * 3, **limits, "n": [100, 400, 9]})
    frame = frame.with_columns(pl.Series("flagged", [False, True, None]))
    figure = charts.funnel(frame, id="f", title="t", by="team")
    assert "bob" in figure.svg()
    assert "anna-x<" not in figure.svg()
    assert "bob-x −20.0 points of 400" in figure.alt
    assert figure.numbers["team"].to_list() == ["anna-x", "bob-x"]
    nameless = charts.funnel(frame, id="f", title="t")
    assert not any(name in json.dumps(nameless._repr_mimebundle_()) for name in frame["team"])
    assert charts.funnel(frame.clear(), id="f", title="t").svg() == ""
    assert charts.ranges(frame.clear(), id="f", title="t", by="team", low="share", high="share").svg() == ""


def test_more_lines_than_a_reader_tells_apart_are_refused() -> None:
    frame = pl.DataFrame({"d": [0] * 6, "s": [0.1] * 6, "who": list("abcdef")})
    with pytest.raises(UsageError, match="6 lines"):
        charts.curve(frame, id="c", title="t", x="d", y="s", by="who")


def test_empty_frames_draw_nothing_and_say_so() -> None:
    empty = FRAME.clear()
    figures = [
        charts.rates(empty, id="e", title="t", by="email"),
        charts.bars(empty, id="e", title="t", x="n", y="email"),
        charts.grid(empty, id="e", title="t", x="n", y="email", value="share"),
    ]
    assert all(figure.svg() == "" and "<table" not in figure._repr_mimebundle_()["text/html"] for figure in figures)
