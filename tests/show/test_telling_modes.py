"""A way of failing leaves the notebook with its price, its change and what people agreed on, or without them where nobody knows."""

from __future__ import annotations

from datetime import date
from typing import Any

import polars as pl

from fcrlib.explain.failure_modes import RANK
from fcrlib.model.actions import Action
from fcrlib.model.finding import Finding
from fcrlib.model.taxonomy import Taxonomy
from fcrlib.show.telling.failure_modes import told

MOVED = {"rate": 0.03, "before": 0.02, "change": 0.01, "change_low": 0.005, "change_high": 0.015, "change_clear": True, "coverage_moved": False}


def ranked(**changes: Any) -> pl.DataFrame:
    row = {
        "mode": "wrong-routing", "name": "sent to the wrong team", "bone": "process", "n": 60, "share": 0.6, "low": 0.5, "high": 0.7, "cumulative": 0.6,
        "cost": None, "cost_low": None, "cost_high": None, "confidence": 0.9, "apart": False,
    }  # fmt: skip
    return pl.DataFrame(
        [{**row, **changes}],
        schema={**RANK, **{name: pl.Boolean if isinstance(MOVED.get(name), bool) else pl.Float64 for name in changes if name not in RANK}},
    )


def one(**more: Any) -> Finding:
    frame = more.pop("frame", ranked())
    return next(found for found in told(frame, **more) if found.role == "mode")


def test_money_comes_before_a_count_of_contacts_and_nothing_is_made_up() -> None:
    followed = pl.DataFrame({"mode": ["wrong-routing"], "n": [60], "later": [70], "low": [60.0], "high": [80.0]})
    assert one().cost is None
    counted = one(followed=followed).cost
    assert counted
    assert (counted.value, counted.low, counted.high, counted.unit) == (70.0, 60.0, 80.0, "contacts")
    priced = one(frame=ranked(cost=350.0, cost_low=300.0, cost_high=400.0), followed=followed).cost
    assert priced
    assert (priced.value, priced.unit) == (350.0, "money")


def test_a_change_is_one_only_if_it_stands_out_and_can_be_compared() -> None:
    assert one(previous="2026Q2").change is None
    clear, level, torn = (
        one(frame=ranked(**{**MOVED, **more}), previous="2026Q2").change for more in ({}, {"change_clear": False}, {"coverage_moved": True})
    )
    assert clear
    assert level
    assert torn
    assert (clear.label, clear.before, clear.delta, clear.of) == ("up", 0.02, 0.01, "of all first contacts")
    assert level.label == "within noise"
    assert (torn.label, torn.delta) == ("not comparable", None)


def test_what_people_agreed_on_takes_the_place_of_the_remedy_until_it_is_done() -> None:
    open_one = Action(slug="wrong-routing", what="Ask one question first", owner="Routing <b>", check=date(2026, 11, 1))
    planned = one(actions=[open_one])
    assert (planned.action, planned.owner) == ("Ask one question first", "Routing <b>")
    assert "2026-11-01" in planned.check
    usual = Taxonomy.shipped().mode("wrong-routing")
    for action in (open_one.model_copy(update={"done": date(2026, 8, 1)}), Action(slug="other", what="x")):
        assert (one(actions=[action]).action, one(actions=[action]).owner) == (usual.remedy, usual.owner)


def test_earlier_names_travel_with_a_way_of_failing() -> None:
    own = Taxonomy.shipped()
    modes = tuple(mode.model_copy(update={"was": ("misrouted",)}) if mode.slug == "wrong-routing" else mode for mode in own.modes)
    assert one(taxonomy=own.model_copy(update={"modes": modes})).was == ("failure-mode-misrouted",)
    assert own.model_copy(update={"modes": modes}).fingerprint == own.fingerprint
    assert Finding.from_json(one().as_json()) == one()
