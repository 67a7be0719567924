"""Numbers are spelled for people, and what nobody knows is spelled out."""

import pytest

from fcrlib.model import numbers
from fcrlib.model.finding import Measure


@pytest.mark.parametrize(
    ("spelled", "expected"),
    [
        (numbers.percent(0.714), "71.4 %"),
        (numbers.percent(0.0), "0.0 %"),
        (numbers.points(-0.019), "−1.9 points"),
        (numbers.points(-0.00001), "0.0 points"),
        (numbers.interval(0.709, 0.719), "70.9 to 71.9 %"),
        (numbers.count(31204), "31,204"),
        (numbers.money(999_600, "EUR"), "€1.0m"),
        (numbers.money(-1200, "USD"), "−$1,200"),
        (numbers.duration(0.25), "15 minutes"),
        (numbers.spell(Measure(-0.02, unit="points")), "−2.0 points"),
        (numbers.spell(Measure(1200.0, unit="money"), currency="GBP"), "£1,200"),
        (numbers.spell_change(1.0, 2.0, unit="score"), "−1.00"),
    ],
)
def test_a_number_reads_as_people_say_it(spelled: str, expected: str) -> None:
    assert spelled == expected


@pytest.mark.parametrize("spell", [numbers.percent, numbers.points, numbers.count, numbers.duration, numbers.money, numbers.number])
@pytest.mark.parametrize("unknown", [None, float("nan")])
def test_unknown_is_never_blank_or_zero(spell, unknown) -> None:
    assert spell(unknown) == "not known"
