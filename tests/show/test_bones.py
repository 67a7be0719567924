"""Can a fishbone be read, however many causes hang on it and however long their names are?"""

from __future__ import annotations

from itertools import combinations
from typing import Any

import polars as pl
import pytest

from fcrlib.explain.fishbone import SCHEMA
from fcrlib.model.taxonomy import BONES
from fcrlib.show.bones import NAME_LINES, NOTHING, WIDTH, Layout, fishbone, layout

LONG = "the approval of somebody in another department did not come"
WIDE = "WWWWWWWWWWWWWWWWWWWWWWWWWWMMMMMMMMMMMMMMMMMMMMMMMMMMMMMMMM"
EFFECT = "32.2 % of first contacts fail"


def cause(
    name: str, *, bone: str = "process", kind: str = "mode", share: float | None = 0.1, difference: float | None = None, **more: Any
) -> dict[str, Any]:
    blank = dict.fromkeys(SCHEMA)
    clear = difference is not None and abs(difference) > 0.05
    told = {"bone": bone, "kind": kind, "cause": name[:9], "name": name, "n": round(1000 * (share or 0)), "share": share, "difference": difference}
    return blank | told | {"clear": clear, "grade": "D", "why": "seen only on failed contacts", "too_few": False} | more


def frame(*rows: dict[str, Any]) -> pl.DataFrame:
    return pl.DataFrame(list(rows), schema=SCHEMA)


def crowded(name: str, *, causes: int = 10) -> pl.DataFrame:
    return frame(*(cause(name, bone=bone, share=0.001 * (place + 1), difference=0.123) for bone in BONES for place in range(causes)))


def overlaps(made: Layout) -> list[tuple[str, str]]:
    boxes = [(line.text, line.box) for line in made.lines if line.text]
    return [
        (one, other)
        for (one, a), (other, b) in combinations(boxes, 2)
        if a[0] < b[2] and b[0] < a[2] and a[1] < b[3] and b[1] < a[3]
    ]  # fmt: skip


@pytest.mark.parametrize("name", [LONG, WIDE, "x " * 30, "短い名前" * 15, "a"])
@pytest.mark.parametrize("causes", [10, 1])
def test_no_two_labels_overlap_and_none_leaves_the_drawing(name: str, causes: int) -> None:
    made = layout(crowded(name, causes=causes), effect=EFFECT)
    assert sum(line.style == "number" for line in made.lines) == 6 * causes
    assert overlaps(made) == []
    assert all(line.box[0] >= 0 and line.box[2] <= WIDTH and line.box[1] >= 0 and line.box[3] <= made.height for line in made.lines)


def test_the_test_for_overlaps_sees_one() -> None:
    made = layout(crowded(LONG, causes=2), effect=EFFECT)
    moved = [line for line in made.lines if line.style == "number"]
    assert overlaps(Layout([moved[0], moved[0]], [], [], 0, 0))


def test_labels_keep_clear_of_the_spine_the_head_and_the_next_bone() -> None:
    made = layout(crowded(WIDE), effect=EFFECT)
    head = min(line.x for line in made.lines if line.style == "head")
    for line in made.lines:
        _, top, right, bottom = line.box
        assert line.style == "head" or not top <= made.spine <= bottom
        assert line.style == "head" or right < head
    above = [bone for bone in made.bones if bone["y"] < made.spine]
    for bone in above:
        mine = [line for line in made.lines if line.style in ("number", "name") and line.y < made.spine and bone["x"] < line.x < bone["x"] + 100]
        assert len(mine) >= 10
        assert all(line.box[2] < other["x"] for line in mine for other in above if other["x"] > bone["x"])


def test_a_name_that_is_too_long_ends_in_an_ellipsis_and_is_whole_in_the_table() -> None:
    name = "word " * 40
    figure = fishbone(frame(cause(name.strip())), id="f", title="t", effect=EFFECT)
    drawn = [line.text for line in layout(frame(cause(name.strip())), effect=EFFECT).lines if line.style == "name"]
    assert len(drawn) == NAME_LINES
    assert drawn[-1].endswith("…")
    assert name.strip() in figure.as_json()["rows"][0]


def test_a_bone_on_which_nothing_hangs_says_so() -> None:
    made = layout(frame(cause("a", bone="data")), effect=EFFECT)
    assert sum(line.text == NOTHING for line in made.lines) == 5
    assert [bone["found"] for bone in made.bones] == [False] * 5 + [True]


def test_facts_about_the_handling_are_drawn_only_where_they_go_with_more_failures() -> None:
    fact = {"kind": "attribute", "bone": "people"}
    causes = frame(cause("worse", difference=0.2, **fact), cause("alike", difference=0.01, **fact), cause("better", difference=-0.2, **fact))
    figure = fishbone(causes, id="f", title="t", effect=EFFECT)
    svg = figure.svg()
    assert "worse" in svg
    assert ">alike<" not in svg
    assert ">better<" not in svg
    assert {"worse", "alike", "better"} <= {value for values in figure.as_json()["rows"] for value in values if isinstance(value, str)}


def test_the_number_of_a_cause_is_its_share_and_where_it_is_clear_its_difference() -> None:
    causes = frame(cause("clear", share=0.1, difference=0.2), cause("unclear", share=0.05, difference=0.01), cause("few", share=None, n=3))
    numbers = [line.text for line in layout(causes, effect=EFFECT).lines if line.style == "number"]
    assert numbers == ["10.0 % · +20.0 points", "5.0 %", "too few"]


def test_the_total_of_a_bone_leaves_out_what_overlaps() -> None:
    causes = frame(cause("a", share=0.2), cause("b", share=0.1), cause("c", share=0.5, kind="attribute", difference=0.3))
    assert "30.0 % of the failures" in [line.text for line in layout(causes, effect=EFFECT).lines]


def test_the_drawing_is_one_described_image_and_customers_words_stay_words() -> None:
    figure = fishbone(frame(cause("<b>bold</b> & co")), id="fish", title="What hangs on it", effect="<script>")
    svg = figure.svg()
    assert "<b>" not in svg
    assert "<script>" not in svg
    assert 'role="img"' in svg
    assert "bold" in figure.alt
    assert figure.as_json()["title"] == "What hangs on it"


def test_without_causes_nothing_is_drawn() -> None:
    assert fishbone(frame(), id="f", title="t", effect=EFFECT).svg() == ""


def test_costs_have_a_column_only_where_they_are_known() -> None:
    heads = [
        [column["name"] for column in fishbone(frame(cause("a", cost=cost)), id="f", title="t", effect="e").as_json()["columns"]]
        for cost in (None, 9.0)
    ]
    assert ["cost" in head for head in heads] == [False, True]
