"""Do pictures of differences show what the frame says?"""

from __future__ import annotations

import polars as pl
import pytest

from fcrlib.show.effects import bridge, broken, effects
from fcrlib.show.figure import Column

COLUMNS = (Column("name", "place"), Column("effect", "difference", "points"))


def frame() -> pl.DataFrame:
    return pl.DataFrame(
        {
            "name": ["category login and product area single sign-on", "channel <b>phone</b>", "tier starter"],
            "effect": [0.34, -0.05, None],
            "low": [0.2, -0.1, None],
            "high": [0.44, 0.01, None],
            "n": [439, 1200, 12],
        }
    )


def test_every_row_is_drawn_and_said() -> None:
    figure = effects(frame(), id="x", title="t", columns=COLUMNS)
    assert "+34.0 points  of 439" in figure.svg()
    assert "too few (of 12)" in figure.svg()
    assert "<b>" not in figure.svg()
    assert "category login and product area single sign-on: +34.0 points" in figure.alt


def test_an_empty_frame_is_a_table_without_a_drawing() -> None:
    figure = effects(frame().clear(), id="x", title="Nothing", columns=COLUMNS)
    assert figure.svg() == ""
    assert figure.alt == "Nothing"


def test_the_bridge_ends_where_the_later_share_is() -> None:
    parts = pl.DataFrame({"name": ["mix", "rate"], "points": [0.01, 0.03]})
    figure = bridge(parts, id="b", title="t", before=("2026Q2", 0.29), after=("2026Q3", 0.33))
    assert figure.numbers["value"].to_list() == ["29.0 %", "+1.0 point", "+3.0 points", "33.0 %"]
    assert figure.numbers["points"].sum() == pytest.approx(0.33 - 0.29)


@pytest.mark.parametrize("name", ["x" * 200, "a and " * 20 + "b", ""])
def test_no_line_of_a_label_is_longer_than_its_room(name: str) -> None:
    assert max(len(line) for line in broken(name).split("\n")) <= 40


def test_what_does_not_stand_is_not_coloured_as_if_it_did() -> None:
    rows = frame().head(1).with_columns(stands=pl.lit(value=False))
    drawn = effects(rows, id="x", title="t", columns=COLUMNS, clear="stands")
    assert "not clear" in str(drawn.spec()["datasets"])
    assert "worse" not in str(drawn.spec()["datasets"])
    assert "worse" in str(effects(rows, id="x", title="t", columns=COLUMNS).spec()["datasets"])


@pytest.mark.parametrize(
    ("good", "shapes"), [("down", ["triangle-left", "circle", "triangle-right"]), ("up", ["triangle-right", "circle", "triangle-left"])]
)
def test_a_triangle_points_to_its_side_of_none_whichever_side_is_welcome(good: str, shapes: list[str]) -> None:
    drawn = effects(frame().head(1), id="x", title="t", columns=COLUMNS, good=good).spec()
    scale = next(layer["encoding"]["shape"]["scale"] for layer in drawn["layer"] if "shape" in layer.get("encoding", {}))
    assert dict(zip(scale["domain"], scale["range"], strict=True)) == dict(zip(["better", "not clear", "worse"], shapes, strict=True))
    state = next(row["state"] for rows in drawn["datasets"].values() for row in rows if "state" in row)
    assert state == ("worse" if good == "down" else "better")
    assert scale["range"][scale["domain"].index(state)] == "triangle-right"
