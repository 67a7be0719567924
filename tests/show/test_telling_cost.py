"""Do the sentences on cost say what the frames hold, and no more than a count can?"""

from __future__ import annotations

from dataclasses import replace

import polars as pl
import pytest
from histories import study_of

from fcrlib.explain import cost
from fcrlib.explain import failure_modes as fm
from fcrlib.model.costs import Rates
from fcrlib.show.figure import Table
from fcrlib.show.telling import cost as tell
from fcrlib.show.wording import lint

STUDY = study_of()
PRICED = replace(STUDY, costs=Rates(contact=6.0))
TAGS = fm.tagged(STUDY)
PLAIN, DEAR = (cost.of_repeats(study, tags=TAGS) for study in (STUDY, PRICED))
NOBODY = PLAIN.clear()


def with_row(**values: object) -> pl.DataFrame:
    """The first row of the priced frame with other values."""
    return DEAR.head(1).with_columns(pl.lit(value, DEAR.schema[name]).alias(name) for name, value in values.items())


def everything(frame: pl.DataFrame) -> list[str]:
    points = cost.of_a_point(PRICED)
    found = tell.findings(frame, points=points, currency="EUR")
    said = [tell.followed(frame), tell.beyond(frame), tell.priced(frame, currency="EUR"), tell.largest(frame, currency="EUR"), tell.point(points)]
    return [*said, tell.later(cost.volume(STUDY)), *(one.title for one in found), *(one.statement for one in found)]


@pytest.mark.parametrize("frame", [PLAIN, DEAR, NOBODY], ids=["without rates", "with rates", "no failure"])
def test_no_sentence_claims_more_than_a_count(frame: pl.DataFrame) -> None:
    for sentence in everything(frame):
        assert lint(sentence, "D") == []
        assert "None" not in sentence
        assert "nan" not in sentence


def test_the_numbers_are_those_of_the_frame() -> None:
    frame = with_row(failed=10, later=1, repeats=1, reopened=0, per_failed=0.1, per_failed_low=0.0, per_failed_high=0.25)
    assert tell.followed(frame) == (
        "10 first contacts failed, and 1 further contact followed, 0.10 for each (95 % interval 0.00 to 0.25): 1 repeat and 0 reopenings"
    )
    dear = with_row(cost=50.0, cost_low=40.0, cost_high=60.0, excess_cost=30.0, excess_cost_low=20.0, excess_cost_high=40.0)
    assert tell.priced(dear, currency="EUR") == (
        "What followed the failed contacts cost €50.00 (95 % interval €40.00 to €60.00); "
        "€30.00 (95 % interval €20.00 to €40.00) of it is in excess of what comes anyway"
    )


def test_amounts_whose_ends_would_read_alike_are_spelled_out() -> None:
    dear = with_row(cost=14_037.0, cost_low=13_623.0, cost_high=14_451.0, excess_cost=None)
    assert tell.priced(dear, currency="EUR") == "What followed the failed contacts cost €14,037 (95 % interval €13,623 to €14,451)"


def test_an_excess_is_one_only_if_its_interval_leaves_out_nothing() -> None:
    assert "no clear excess" in tell.beyond(with_row(excess=5.0, excess_low=-1.0, excess_high=11.0))
    assert "are in excess" in tell.beyond(DEAR)


def test_what_is_not_known_is_said() -> None:
    assert tell.priced(PLAIN, currency="EUR") == tell.UNPRICED
    assert tell.beyond(with_row(anyway=None, excess=None)) == tell.UNSEEN
    assert tell.beyond(with_row(too_few=True)) == tell.FEW
    assert tell.point(cost.of_a_point(STUDY).clear()) == tell.FEW
    assert tell.followed(NOBODY) == tell.beyond(NOBODY) == tell.priced(NOBODY, currency="") == tell.largest(NOBODY) == tell.NOTHING
    assert tell.later(cost.volume(STUDY).clear()) == tell.NOBODY
    assert tell.findings(NOBODY, points=cost.of_a_point(STUDY), currency="") == []
    assert tell.findings(with_row(too_few=True), points=cost.of_a_point(STUDY), currency="") == []


def test_the_finding_carries_the_dearest_number_that_is_known() -> None:
    points = cost.of_a_point(PRICED)
    plain, dear = (tell.findings(frame, points=points, currency="EUR")[0] for frame in (PLAIN, DEAR))
    assert plain.measure is not None
    assert dear.measure is not None
    assert (plain.measure.unit, plain.measure.value) == ("contacts", PLAIN["later"][0])
    assert (dear.measure.unit, dear.measure.value, dear.measure.high) == ("money", DEAR["excess_cost"][0], DEAR["excess_cost_high"][0])
    assert plain.grade == dear.grade == "D"
    assert len(dear.title) < 120


def test_the_table_shows_only_columns_that_have_something_to_show() -> None:
    shown = [column.name for column in tell.columns(DEAR, currency="EUR")]
    assert "excess_cost" in shown
    assert not any("cost" in column.name for column in tell.columns(PLAIN))
    assert "anyway" not in [column.name for column in tell.columns(DEAR.with_columns(anyway=pl.lit(None, pl.Float64)))]
    assert Table("cost", tell.followed(DEAR), DEAR, tell.columns(DEAR, currency="EUR")).as_json()


def test_more_than_a_point_is_said_as_such() -> None:
    assert tell.point(cost.of_a_point(PRICED, points=0.05)).startswith("5.0 points of first contact resolution is ")
    assert tell.point(cost.of_a_point(PRICED)).startswith("One point of first contact resolution is ")
