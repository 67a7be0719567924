"""Is the satisfaction that a failed first contact was made to cost found, though what makes contacts hard displeases as well?"""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import polars as pl
import pytest

from fcrlib.explain import csat, rated
from fcrlib.intake.demo import Confounder, Response, Truth, invent
from fcrlib.model.evidence import Design
from fcrlib.model.period import Period
from fcrlib.model.policy import Policy
from fcrlib.show.wording import lint
from fcrlib.study import Study

STARTERS = Confounder({"tier": "starter"}, failure=0.45, top_box=-0.45)
"""Four of five customers: what they ask is harder, and they are stricter, so that what is seen raw is twenty points too much."""
MANY = 200
FOUND = (0.90, 0.985)
"""Share of 200 desks whose interval should hold what was planted, were it 95 % and the rest chance."""


def frame(seed: int, *, effect: float, response: Response, contacts: int = 2000, confounder: Confounder = STARTERS) -> pl.DataFrame:
    """First contacts of a small desk of which nothing is known to go wrong but the confounder."""
    truth = replace(
        Truth.nothing(), base=0.15, pleased=0.9, csat_effect=effect, confounders=(confounder,), background=0.0, response=response,
    )  # fmt: skip
    desk = invent(seed=seed, contacts=contacts, truth=truth, data_start=datetime(2026, 6, 1, tzinfo=UTC), data_end=datetime(2026, 10, 15, tzinfo=UTC))
    return rated.of_study(Study.of(desk, policy=Policy(), period=Period.parse("2026Q3"))).frame


def asked(table: pl.DataFrame, *, adjust: list[str], **more: object) -> csat.Effect:
    return csat.effect(table, outcome="good", exposure="fcr", adjust=adjust, weight="weight", **more)  # type: ignore[arg-type]


def holds(found: csat.Effect, truth: float) -> bool:
    assert found.low is not None
    assert found.high is not None
    return found.low < truth < found.high


@pytest.mark.slow
@pytest.mark.parametrize(
    ("effect", "response"),
    [
        (0.3, Response(offered=1.0, rate=0.7, if_failed=-0.2, if_pleased=0.0)),
        (0.0, Response(offered=1.0, rate=0.7, if_failed=-0.08, if_pleased=0.06)),
    ],
)
def test_the_interval_holds_what_was_planted_and_the_raw_one_does_not(effect: float, response: Response) -> None:
    kept, raw, claimed = 0, 0, []
    for seed in range(MANY):
        table = frame(seed, effect=effect, response=response)
        found = asked(table, adjust=["tier"])
        kept += holds(found, effect)
        raw += holds(asked(table, adjust=[]), effect)
        told = found.finding()
        claimed += [told.statement] if effect == 0 and holds(found, 0.0) and not told.title.startswith("No clear difference") else []
        assert "no effect" not in f"{told.title} {told.statement}".lower()
    assert FOUND[0] <= kept / MANY <= FOUND[1]
    assert raw / MANY < 0.1
    assert claimed == []


@pytest.mark.parametrize("effect", [0.1, 0.3, 0.5])
def test_what_was_planted_is_found_whatever_its_size(effect: float) -> None:
    table = frame(3, effect=effect, response=Response(offered=1.0, rate=0.8, if_failed=-0.08, if_pleased=0.0), contacts=9_000,
                  confounder=replace(STARTERS, top_box=-0.3))  # fmt: skip
    known = Design(weighted=True, sensitivity_reported=True, timing_known=True, response_known=True)
    found, raw = asked(table, adjust=["tier"], design=known), asked(table, adjust=[])
    assert holds(found, effect)
    assert raw.low is not None
    assert raw.low > effect
    told = found.finding()
    assert found.grade == "C"
    assert lint(f"{told.title}. {told.statement}", "C") == []


def test_where_only_pleased_customers_answer_the_ratio_of_odds_stays_and_the_difference_shrinks() -> None:
    """Who answers because they are pleased thins the difference of shares; the odds of those resolved against those failed stay what they are."""
    even, pleased = (
        asked(
            frame(5, effect=0.3, response=Response(1.0, 0.5, 0.0, more), contacts=24_000, confounder=Confounder({"tier": "starter"}, 0.0, 0.0)),
            adjust=[],
        )
        for more in (0.0, 0.35)
    )
    truth = (0.9 / 0.1) / (0.6 / 0.4)
    assert pleased.estimate < even.estimate - 0.02
    for found in (even, pleased):
        assert found.odds_ratio_low is not None
        assert found.odds_ratio_high is not None
        assert found.odds_ratio_low < truth < found.odds_ratio_high
