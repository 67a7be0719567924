"""Is the grid of definitions the judge, only faster?"""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import polars as pl
import pytest
from hypothesis import given
from polars.testing import assert_frame_equal
from storytelling import at, desk_of, policy_of
from test_outcomes import ENDS, POLICIES, tales

from fcrlib.intake.demo import invent
from fcrlib.judge.outcomes import definition_grid, judge
from fcrlib.judge.rates import fcr, final_fcr
from fcrlib.model.desk import Desk
from fcrlib.model.errors import UsageError
from fcrlib.model.policy import Policy

DAY = timedelta(days=1)
ISSUES = ("none", "linked", "category", "any", "text")
COUNTS = ["n", "clusters", "share", "low", "high", "deff", "resolved", "failed", "pending", "repeat", "excluded", "lowest", "highest"]


def one_by_one(desk: Desk, grid: pl.DataFrame, *, house: Policy, **more: Any) -> pl.DataFrame:
    """Each definition of a grid, judged for itself."""
    across = {"any channel": True, "same channel": False}
    rows = []
    for row in grid.to_dicts():
        changes = {"window": row["window_days"] * DAY, "same_issue": row["same_issue"], "across_channels": across[row["scope"]]}
        variant = house.revised(**changes, transfer=row["transfer"])
        end = pl.lit(more.get("data_end", desk.manifest.data_end), pl.Datetime("us", "UTC")).alias("data_end")
        judged = judge(desk, policy=variant, **more).with_columns(end)
        final = final_fcr(judged, window=variant.window)
        rows.append(
            fcr(judged).with_columns(final_n=final["n"].cast(pl.Int64), final=final["share"], final_low=final["low"], final_high=final["high"])
        )
    return pl.concat(rows)


def assert_alike(grid: pl.DataFrame, judged: pl.DataFrame) -> None:
    """Counts are equal, and so is the estimate; its interval is a quick one where windows are open, and close to the exact one."""
    assert_frame_equal(grid.select(COUNTS), judged.select(COUNTS))
    assert_frame_equal(grid.select("final_n", "final"), judged.select("final_n", "final"), rel_tol=1e-12)


@pytest.mark.slow
@given(tales(), POLICIES, ENDS)
def test_the_grid_gives_what_the_judge_gives_for_each_definition(tale: list[dict[str, Any]], policy: dict[str, Any], end: float) -> None:
    desk, house = desk_of(tale, data_end=2900), policy_of(policy)
    wide = {"windows": [DAY, 30 * DAY], "same_issue": ["linked", "category"], "scopes": [True, False], "transfers": ["ignore", "any"]}
    grid = definition_grid(desk, policy=house, data_end=at(end), **wide)
    assert grid.height == 16
    assert_alike(grid, one_by_one(desk, grid, house=house, data_end=at(end)))


@pytest.fixture(scope="module")
def demo() -> Desk:
    return invent(seed=3, contacts=1_500)


@pytest.mark.parametrize(
    "house", [Policy(), Policy.named("sqm_survey"), Policy.named("strict"), Policy().revised(survey="veto")], ids=lambda p: p.name
)
def test_the_grid_gives_what_the_judge_gives_on_a_whole_desk(demo: Desk, house: Policy) -> None:
    grid = definition_grid(demo, policy=house, same_issue=ISSUES, windows=[2 * DAY, 14 * DAY], transfers=["any"])
    judged = one_by_one(demo, grid, house=house)
    assert_alike(grid, judged)
    assert (grid["final_low"] - judged["final_low"]).abs().max() < 0.005
    assert (grid["final_high"] - judged["final_high"]).abs().max() < 0.005


def test_a_longer_window_a_wider_issue_and_a_stricter_handover_never_raise_the_rate_of_final_contacts(demo: Desk) -> None:
    early = pl.col("start_at") < demo.manifest.data_end - timedelta(days=120)
    house = Policy().revised(unit="contact", resolve_deadline="none")
    grid = definition_grid(demo, policy=house, scopes=[True, False], transfers=["ignore", "escalation", "any"], within=early)
    strict = grid.with_columns(pl.col("same_issue").replace_strict({"none": 0, "linked": 1, "category": 2, "any": 3}).alias("issue"))
    for key, order in (("window_days", "window_days"), ("issue", "issue"), ("transfer", "transfer_rank"), ("scope", "scope_rank")):
        ranked = strict.with_columns(
            transfer_rank=pl.col("transfer").replace_strict({"ignore": 0, "escalation": 1, "any": 2}),
            scope_rank=pl.col("scope").replace_strict({"same channel": 0, "any channel": 1}),
        )
        others = [name for name in ("window_days", "issue", "transfer", "scope") if name != key]
        steps = ranked.sort(*others, order).with_columns(step=(pl.col("share") - pl.col("share").shift(1)).over(others))
        assert steps["step"].drop_nulls().max() <= 0


def test_the_house_definition_agrees_with_its_own_ranking_and_another_less(demo: Desk) -> None:
    grid = definition_grid(demo, transfers=["ignore", "any"])
    assert grid.filter("house")["tau"].to_list() == [1.0]
    assert grid["segments"].min() >= 3
    assert -1 <= grid["tau"].min() < 1


def test_a_window_longer_than_the_data_gives_no_share(demo: Desk) -> None:
    far = definition_grid(demo, windows=[timedelta(days=2000)], same_issue=["none"], policy=Policy().revised(resolve_deadline="none"))
    assert far["resolved"].to_list() == [0]
    assert far["pending"][0] > 0


def test_every_mistake_is_told_at_once(demo: Desk) -> None:
    with pytest.raises(UsageError) as told:
        definition_grid(demo, windows=[timedelta(0)], same_issue=["topic"], transfers=["some"], segment="colour")
    assert len(told.value.problems) == 4
