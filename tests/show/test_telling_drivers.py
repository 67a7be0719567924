"""Does every sentence about places and changes say no more than its numbers do?"""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import polars as pl
import pytest

from fcrlib.explain.drivers import SCHEMA, Change, Drivers
from fcrlib.model.period import Period
from fcrlib.search.chain import Chain
from fcrlib.search.sides import Sides
from fcrlib.show.telling import drivers as tell

CLAIMS = re.compile(r"\b(because|caus\w*|driv\w*|due to|leads? to|impact|effect of|significant)\b", re.IGNORECASE)
HOSTILE = ("a=b and c=d", "<b>x</b>", "=1+1", "😀", "x" * 300, "a\nb", "(not known)", "(all others)", "terms and conditions")
SEEN = pl.DataFrame({"depth": [0, 1, 2], "cells": [1, 20, 90], "effect": [0.01, 0.12, 0.3]})
BLIND = pl.DataFrame({"depth": [0, 1], "cells": [1, 4], "effect": [0.3, None]}, schema=SEEN.schema)


def row(*where: str, effect: float = 0.2, reach: float = 0.05, **more: Any) -> dict[str, Any]:
    told = {"kind": "rate" if where else "global", "where": list(where), "n": 400, "effect": effect, "low": effect - reach, "high": effect + reach}
    blank: dict[str, Any] = {"refinements": [], "alternatives": [], "fragile": None}
    return {**told, **blank, "contribution": effect / 10, "plain_low": effect - reach, "plain_high": effect + reach, **more}


def table(*rows: dict[str, Any]) -> pl.DataFrame:
    return pl.DataFrame(list(rows), schema=SCHEMA)


def change(*rows: dict[str, Any], visible: pl.DataFrame = SEEN, parts: tuple[float, ...] = (0.0, 0.01, 0.02, 0.01)) -> Change:
    return Change(table(*rows), sum(parts), 0.3, 0.3 + sum(parts), *parts, visible, ())


def sides(*, earlier: bool = True, before: int = 300, after: int = 340) -> Sides:
    """A thousand contacts on each side, of which so many failed."""
    place = pl.int_range(1000)
    parts = [
        pl.select(later=pl.lit(later), failed=place < bad, customer=pl.format("{}-{}", pl.lit(later), place))
        for later, bad in ((False, before), (True, after))
    ]
    started = datetime(2026, 7, 2, tzinfo=UTC) + timedelta(days=1)
    frame = pl.concat(parts if earlier else parts[1:]).with_columns(start_at=pl.lit(started), source=pl.lit("zd"))
    quarter = Period.parse("2026Q3")
    return Sides(frame, ("category", "tier"), quarter, quarter.previous() if earlier else None)


def said(*rows: dict[str, Any]) -> list[str]:
    """Every sentence on a change with these places."""
    found, both = change(*rows), sides()
    cards = tell.found(found, sides=both, figure="changed")
    whole = [tell.changed(found, sides=both), tell.parted(found, sides=both), tell.stood(Drivers(found.drivers, 0.3, SEEN, ()))]
    return [*whole, *(text for card in cards for text in (card.title, card.statement, card.why, card.action))]


def test_a_place_is_told_with_the_period_it_is_held_against() -> None:
    found = change(row("category=login"))
    assert tell.changed(found, sides=sides()) == ("Category “login” fails more often than in 2026Q2: 20.0 points compared with the rest of the desk")
    card = tell.found(found, sides=sides(), figure="changed")[0]
    assert card.title == "Category “login” fails more often than in 2026Q2, by 20.0 points compared with the rest of the desk"
    assert "between +15.0 points and +25.0 points" in card.statement


def test_the_whole_desk_has_no_rest_to_be_compared_with() -> None:
    assert tell.changed(change(row(effect=-0.1)), sides=sides()) == "All contacts fail less often than in 2026Q2: 10.0 points"


def test_an_interval_that_reaches_zero_is_only_a_may() -> None:
    weak = row("category=login", effect=0.03)
    texts = said(weak)
    assert "may fail more often" in texts[0]
    assert "may fail 3.0 points more often" in texts[2]
    assert any("only just passed the bar" in text for text in texts)
    mix = row("category=login", effect=0.03, kind="mix")
    assert "may be a larger part of all contacts" in tell.changed(change(mix), sides=sides())


def test_more_contacts_are_not_more_failures_and_nobody_is_told_to_welcome_them() -> None:
    mix = row("category=login", effect=-0.2, kind="mix")
    card = tell.found(change(mix), sides=sides(), figure="changed")[0]
    assert card.title == "Category “login” is a smaller part of all contacts than before, by 20.0 points"
    assert card.measure is not None
    assert card.measure.good == "neither"


@pytest.mark.parametrize("effect", [0.2, -0.2, 0.01, 0.0])
@pytest.mark.parametrize("kind", ["rate", "mix"])
def test_no_sentence_claims_a_cause_or_gives_a_sign_to_nothing(effect: float, kind: str) -> None:
    for text in said(row("category=login", effect=effect, kind=kind), row(effect=effect)):
        assert not CLAIMS.search(text), text
        assert "+0.0" not in text
        assert "−0.0" not in text


@pytest.mark.parametrize("value", HOSTILE)
def test_every_name_makes_one_short_line(value: str) -> None:
    where = [f"category={value}", "tier=gold"]
    texts = said(row(*where, refinements=[" and ".join(where)], alternatives=[f"category={value}", "everything"]))
    for text in texts:
        assert text.isprintable()
        assert len(text) < 900
    assert tell.place([f"category={value}"]) != tell.EVERYTHING


def test_a_place_that_cannot_be_read_back_is_told_as_written_and_never_as_all_contacts() -> None:
    words = "category=a=b and c=d and tier=gold"
    card = tell.found(change(row("category=x", alternatives=[words])), sides=sides(), figure="changed")[0]
    assert f"cannot tell it from “{words}”" in card.statement
    assert "all contacts" in tell.found(change(row("category=x", alternatives=["everything"])), sides=sides(), figure="x")[0].statement


def test_the_id_of_a_place_does_not_hang_on_how_it_is_told() -> None:
    ids = [card.id for card in tell.found(change(row("category=login", "product_area=sso")), sides=sides(), figure="changed")]
    assert ids == ["changed-rate-category-login-and-product-area-sso"]


def test_silence_is_told_apart_from_blindness() -> None:
    both = sides()
    assert tell.changed(change(), sides=both).startswith("Nothing stands out: no place changed between 2026Q2 and 2026Q3")
    assert tell.changed(change(visible=BLIND), sides=both) == tell.FEW
    assert tell.stood(Drivers(table(), 0.3, SEEN, ())).startswith("No place stands out")
    assert tell.stood(Drivers(table(), 0.3, BLIND, ())) == tell.FEW
    assert tell.unseen(BLIND, changed=False) == "There are too few contacts to see an excess of any size."
    assert "12.0 points for a single value, 30.0 points for a pair of values." in tell.unseen(SEEN, changed=True)


def test_where_there_is_no_earlier_period_everything_says_so() -> None:
    alone = sides(earlier=False)
    assert tell.changed(None, sides=alone) == tell.parted(None, sides=alone) == tell.ALONE
    assert tell.found(None, sides=alone, figure="changed") == []
    assert tell.bridge(None, sides=alone).title == tell.ALONE
    assert tell.figure(None, sides=alone, id="changed", title=tell.ALONE).numbers.is_empty()
    assert tell.parts(None).is_empty()
    assert tell.notes(None, sides=alone) == ["Every first contact has its final verdict, and nothing was left out."]


def test_a_change_within_chance_is_called_no_clear_change() -> None:
    assert "(+4.0 points, no clear change)" in tell.parted(change(), sides=sides(before=300, after=320))
    assert "no clear change" not in tell.parted(change(), sides=sides(before=300, after=400))


def test_the_parts_add_up_and_name_only_places_that_there_are() -> None:
    bare = tell.parts(change(parts=(0.0, 0.01, 0.0, 0.03)))
    assert bare["name"].to_list() == ["shifts in what arrives", "failing more or less often"]
    named = tell.parts(change(row("category=login"), parts=(0.0, 0.01, 0.02, 0.01)))
    assert named["name"].to_list() == [
        "shifts in what arrives",
        "failing more or less often in the places named",
        "failing more or less often everywhere else",
    ]
    for found in (bare, named):
        assert found["points"].sum() == pytest.approx(0.04)


def test_what_changed_need_not_be_told_again_as_an_excess() -> None:
    excess = Drivers(table(row("category=login"), row("tier=gold")), 0.3, SEEN, ())
    told = tell.found(excess, sides=sides(), figure="excess", besides=told_of("category=login"))
    assert [card.title for card in told] == ["Tier “gold” fails more often than is expected there, by 20.0 points"]


def told_of(*where: str) -> Chain:
    return Chain(pl.DataFrame({"kind": ["headline", "place"], "what": [[], list(where)]}), (), (), "periods")


def test_reversals_are_told_with_both_ways_and_not_of_nothing() -> None:
    frame = pl.DataFrame({"dimension": ["product_area"], "total": [0.02], "within": [-0.01], "mix": [0.03], "reversed": [True]})
    assert tell.reversed_(frame) == (
        "The share of failures rose by 2.0 points although within each product area it fell (−1.0 point): it is the mix that moved"
    )
    assert tell.reversed_(frame.with_columns(reversed=pl.lit(value=False))).startswith("In no dimension")
    assert tell.reversed_(frame.clear()).startswith("There are no two periods")


def test_notes_come_with_what_the_sides_left_out() -> None:
    both = replace(sides(), notes=("9 of 90 first contacts have no final verdict yet and are left out.",))
    assert tell.notes(change(), sides=both) == list(both.notes)
