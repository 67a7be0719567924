"""The board adds up to all failed contacts, marks what agents cannot change, and never mixes up what was spent."""

from __future__ import annotations

import re

import polars as pl
import pytest
from histories import study_of

from fcrlib.explain import failure_modes as fm
from fcrlib.explain import friction
from fcrlib.judge.costs import follow_up_cost
from fcrlib.judge.rates import mature
from fcrlib.model.columns import NOT_KNOWN
from fcrlib.model.costs import Rates
from fcrlib.model.errors import UsageError
from fcrlib.model.finding import MIMETYPE
from fcrlib.model.taxonomy import NON_RESOLVABLE, UNEXPLAINED, Taxonomy
from fcrlib.show import charts
from fcrlib.show.telling import friction as tell

STUDY = study_of()
TAGS = fm.tagged(STUDY)
SPENT = follow_up_cost(STUDY.everything, rates=Rates(contact=5.0))
UNPRICED = follow_up_cost(STUDY.everything, rates=Rates())
BOARD = friction.board(TAGS, contacts=STUDY.contacts, spent=SPENT)


def test_the_cells_add_up_to_the_failed_contacts() -> None:
    final = mature(STUDY.contacts)
    assert BOARD["n"].sum() == final.filter(pl.col("label") == "failed").height
    assert BOARD.unique("area")["of"].sum() == final.height
    assert BOARD["n"].is_sorted(descending=True)


def test_the_cost_is_that_of_what_followed_not_of_the_contact_itself() -> None:
    dear = STUDY.contacts.with_columns(cost=pl.lit(1e6))
    assert friction.board(TAGS, contacts=dear, spent=SPENT).equals(BOARD)
    assert BOARD["cost"].to_list() == [5.0 * later for later in BOARD["later"]]
    assert friction.board(TAGS, contacts=dear, spent=UNPRICED)["cost"].null_count() == BOARD.height


def test_only_product_systems_and_policy_lie_outside() -> None:
    named = BOARD.filter(pl.col("mode") != UNEXPLAINED)
    outside = pl.col("bone").is_in(["product", "systems", "policy"]) | (pl.col("mode") == NON_RESOLVABLE)
    assert named["outside"].to_list() == named.select(outside).to_series().to_list()
    assert named["outside"].n_unique() == 2
    assert BOARD.filter(pl.col("mode") == UNEXPLAINED)["outside"].null_count() == BOARD.filter(pl.col("mode") == UNEXPLAINED).height
    assert set(named["owner"]) <= {mode.owner for mode in Taxonomy.shipped().modes}


def test_an_area_that_is_not_known_is_a_row_of_its_own() -> None:
    blank = STUDY.contacts.with_columns(product_area=pl.lit(None, pl.String))
    board = friction.board(TAGS, contacts=blank, spent=SPENT)
    assert board["area"].unique().to_list() == [NOT_KNOWN]
    assert board["n"].sum() == BOARD["n"].sum()


def test_the_order_of_rows_does_not_matter() -> None:
    shuffled = friction.board(TAGS.sample(fraction=1, shuffle=True, seed=1), contacts=STUDY.contacts.reverse(), spent=SPENT.reverse())
    assert shuffled.equals(BOARD)


def test_a_missing_column_is_named() -> None:
    with pytest.raises(UsageError, match="product_area"):
        friction.board(TAGS, contacts=STUDY.contacts.drop("product_area"), spent=SPENT)


def test_the_picture_holds_every_pair_and_every_contact_with_a_sign() -> None:
    cells = friction.grid(BOARD, most=3)
    assert cells.height == cells["area"].n_unique() * cells["way"].n_unique()
    assert cells["way"].n_unique() == 4
    assert cells["n"].sum() == BOARD.filter(pl.col("mode") != UNEXPLAINED)["n"].sum()
    assert cells["n"].null_count() == 0
    marked = {row["name"] for row in BOARD.filter("outside").to_dicts()}
    assert all(way.removesuffix(" *") in marked for way in cells["way"] if way.endswith(" *"))


def test_what_followed_is_counted_without_any_price() -> None:
    found = friction.followed(TAGS, outcomes=STUDY.contacts, spent=UNPRICED)
    failed = STUDY.contacts.filter(pl.col("label") == "failed").select("source", "contact_id")
    assert found["later"].sum() == failed.join(UNPRICED, on=["source", "contact_id"])["later_contacts"].sum()
    known = found.drop_nulls("low")
    assert known.filter((pl.col("low") <= pl.col("later")) & (pl.col("later") <= pl.col("high"))).height == known.height > 3


def test_weeks_hold_every_first_contact_once_for_each_way() -> None:
    weekly = friction.weekly(STUDY, tags=TAGS, modes=["undocumented-bug", "wrong-routing"])
    assert weekly["mode"].unique(maintain_order=True).to_list() == ["undocumented-bug", "wrong-routing"]
    assert weekly.group_by("mode").agg(pl.col("n").sum())["n"].to_list() == [mature(STUDY.contacts).height] * 2
    assert weekly["week"].dt.weekday().unique().to_list() == [1]


def test_nothing_failed_is_no_board() -> None:
    board = friction.board(TAGS.clear(), contacts=STUDY.contacts, spent=SPENT)
    assert board.is_empty()
    assert list(board.columns) == list(friction.BOARD)
    assert tell.found(board) == []
    assert "nothing to put on a board" in tell.title(board)
    assert tell.listed(board).numbers.is_empty()
    assert tell.figure(friction.grid(board), board=board).numbers.is_empty()


def test_the_board_is_told_with_its_owner_and_stands_in_its_own_part() -> None:
    (found,) = tell.found(BOARD)
    first = BOARD.filter(pl.col("mode") != UNEXPLAINED).row(0, named=True)
    assert found.details["part"] == "friction"
    assert found.owner == first["owner"]
    assert f"of its {first['of']} first contacts failed that way" in found.statement
    assert f"“{first['name']}”: {first['n']} failed contacts" in tell.title(BOARD)
    table = tell.listed(BOARD, currency="EUR")
    assert "cost" in [column.name for column in table.columns]
    unpriced = tell.listed(friction.board(TAGS, contacts=STUDY.contacts, spent=UNPRICED))
    assert "later" in [column.name for column in unpriced.columns]
    assert tell.figure(friction.grid(BOARD), board=BOARD).svg().startswith("<svg")


def test_every_way_has_its_weeks_and_a_log_that_runs_nothing() -> None:
    weekly = friction.weekly(STUDY, tags=TAGS, modes=["undocumented-bug"])
    day = weekly["week"].to_list()[1]
    log = pl.DataFrame({"day": [day, day], "kind": ["release"] * 2, "scope": [None, "a=b"], "note": ["<script>x</script>", "two"]})
    changes = log.select("kind", "scope", "note", at=pl.col("day").cast(pl.Datetime("us")).dt.replace_time_zone("UTC"))
    entries = changes.select(pl.lit("undocumented-bug").alias("mode"), pl.all())
    moved = pl.DataFrame({"mode": ["undocumented-bug"], "name": ["a fault"], "before": [0.02], "rate": [0.033], "change_clear": [True]})
    moved = moved.with_columns(coverage_moved=pl.lit(False))
    (figure,) = tell.weeks(weekly, moved=moved, changes=entries)
    assert figure.id == "weeks-undocumented-bug"
    assert figure.title == "“a fault” went from 2.0 % to 3.3 % of all first contacts"
    assert figure.note.count(f"1: {day} release") == 2
    assert "<script" not in figure.svg().lower()
    bare = tell.weeks(weekly, moved=moved, changes=entries.clear())[0]
    assert figure.svg() != bare.svg()
    assert bare.note.startswith("No change")
    for quiet in (moved.with_columns(change_clear=pl.lit(False)), moved.with_columns(coverage_moved=pl.lit(True))):
        assert tell.weeks(weekly, moved=quiet, changes=entries) == []
        assert tell.weeks_found(weekly, moved=quiet) == []
    (found,) = tell.weeks_found(weekly, moved=moved)
    assert (found.mode, found.figures) == ("undocumented-bug", (figure.id,))
    assert MIMETYPE in found._repr_mimebundle_()


def cells(*rows: tuple[str, str, int, int]) -> pl.DataFrame:
    """A board of areas, ways of failing, failed contacts and first contacts, with an interval of 4 points to either side."""
    frame = pl.DataFrame(rows, schema={"area": pl.String, "mode": pl.String, "n": pl.Int64, "of": pl.Int64}, orient="row")
    share = pl.col("n") / pl.col("of")
    told = frame.with_columns(name=pl.col("mode"), owner=pl.lit("product team of the area"), share=share, low=share - 0.04, high=share + 0.04)
    return told.sort(pl.col("n") * -1, "area", "mode")


def test_a_way_is_at_home_where_it_clearly_fails_more_often() -> None:
    board = cells(("sso", "bug", 60, 300), ("mail", "bug", 10, 700), ("sso", "routing", 12, 300), ("mail", "routing", 28, 700))
    found = friction.homes(board)
    assert found.select("area", "mode", "n", "of_mode").rows() == [("sso", "bug", 60, 70)]
    assert found["elsewhere"].item() == pytest.approx(10 / 700)
    (told,) = tell.homes(found)
    assert (told.mode, told.owner, told.details["area"]) == ("bug", "product team of sso", "sso")
    assert told.details["where"] == "mostly in sso (86 %)"


def test_nothing_is_at_home_where_nobody_knows_the_area_or_no_sign_was_found() -> None:
    assert friction.homes(cells(("(not known)", "bug", 60, 300), ("mail", "bug", 10, 700))).is_empty()
    assert friction.homes(cells(("sso", UNEXPLAINED, 60, 300), ("mail", UNEXPLAINED, 10, 700))).is_empty()
    assert friction.homes(cells()).is_empty()


def test_of_many_areas_the_largest_are_drawn_and_the_others_together() -> None:
    board = cells(*((f"area {k:02}", "bug", 40 - k, 300) for k in range(30))).with_columns(outside=pl.lit(True))
    drawn = friction.grid(board, areas=12)
    assert drawn.height == 12
    assert drawn["n"].sum() == board["n"].sum()
    assert drawn["area"].to_list()[-1] == "(all others)"


def test_the_log_is_kept_where_it_touched_a_quarter_of_the_contacts_or_the_whole_desk() -> None:
    rows = STUDY.desk.changes.height
    found = friction.touched(STUDY, tags=TAGS, modes=["undocumented-bug", "wrong-routing"])
    assert found.columns == ["mode", *STUDY.desk.changes.columns]
    everywhere = STUDY.desk.changes["scope"].null_count()
    assert all(everywhere <= found.filter(pl.col("mode") == mode).height < rows for mode in ("undocumented-bug", "wrong-routing"))
    assert found.filter(pl.col("scope").is_null()).height == 2 * everywhere
    assert friction.touched(STUDY, tags=TAGS, modes=[]).is_empty()


def test_the_area_is_the_product_area_or_else_the_category() -> None:
    known = pl.DataFrame({"product_area": ["a", "b", None], "category": ["x", "y", "z"]})
    assert friction.area(known) == "product_area"
    assert friction.area(known.with_columns(product_area=pl.Series(["a", None, None]))) == "category"
    assert friction.area(known.select(pl.lit(None).alias("product_area"))) == "product_area"


def test_the_heads_of_the_grid_stand_upright_on_lines_of_their_own_and_tell_words_apart() -> None:
    drawn = tell.figure(friction.grid(BOARD), board=BOARD).svg()
    assert "<tspan" in drawn
    assert "¦" not in re.sub("<desc.*?</desc>", "", drawn)
    assert "tone:" not in drawn
    ways = pl.DataFrame({"area": "a", "way": ["one two", "one  two", "other"], "n": [1, 2, 3]})
    alike = charts.grid(ways, id="g", title="t", x="way", y="area", value="n", kind="count").svg()
    assert alike.count("<rect") >= 3 or alike.count("<path") >= 3
