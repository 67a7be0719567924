"""Do the sentences on the data say what the checks found, and no more?"""

from __future__ import annotations

from datetime import date, timedelta

import polars as pl
import pytest

from fcrlib.show.telling import quality as telling


def faults(*severities: str | None) -> pl.DataFrame:
    rows = [
        {"check": f"check {place}", "found": 0 if severity in ("clean", None) else 5, "of": 0 if severity is None else 50, "severity": severity, "so": "it is wrong", "do": "mend it"}
        for place, severity in enumerate(severities)
    ]  # fmt: skip
    frame = pl.DataFrame(rows, schema_overrides={"severity": pl.String})
    return frame.with_columns(share=pl.when(pl.col("of") > 0).then(pl.col("found") / pl.col("of")))


def verdicts(*words: str) -> pl.DataFrame:
    return pl.DataFrame({"question": [f"Q{n}?" for n in range(len(words))], "verdict": words})


@pytest.mark.parametrize(("quiet", "said"), [(0, "The data has no hole"), (3, "3 of 18 full weeks")])
def test_quiet_weeks_are_called_holes(quiet: int, said: str) -> None:
    weeks = [date(2026, 1, 5) + timedelta(weeks=n) for n in range(20)]
    volume = pl.DataFrame({"week": weeks, "contacts": [100] * (19 - quiet) + [5] * quiet + [100]})
    assert telling.gaps(volume).startswith(said)


def test_two_weeks_are_too_few_to_speak_of_holes() -> None:
    assert telling.gaps(pl.DataFrame({"week": [date(2026, 1, 5), date(2026, 1, 12)], "contacts": [1, 2]})).startswith("The data is too short")


def test_the_verdict_comes_first_with_its_reasons() -> None:
    found = telling.verdict("fit with care", ["a", "b", "c", "d"], verdicts("fit", "fit with care", "not fit", "fit"))
    assert (found.id, found.role) == ("data-fitness", "summary")
    assert found.title == "This desk is fit with care: of 4 questions 2 are fit, 1 fit with care, 1 not fit"
    assert found.statement == f"{found.title}. What stands against it: a; b; c; and 1 more."
    assert telling.verdict("fit", [], verdicts("fit")).statement.endswith("No check weakens a number.")


def test_only_what_stops_is_a_caution() -> None:
    told = telling.stops(faults("stops", "weakens", "note", "clean", None))
    assert [found.title for found in told] == ["Check 0: 5 of 50"]
    assert (told[0].id, told[0].action) == ("care-check-0", "Mend it.")
    assert telling.stops(faults("note")) == []


def test_the_first_thing_to_look_at_is_the_gravest_and_nothing_is_said_of_nothing() -> None:
    assert telling.oddest(faults("weakens", "note")) == "First to look at: check 0 (5 of 50, 10.0 %)"
    assert telling.oddest(faults("clean")) == "No check found anything"


def test_checks_that_could_not_be_made_are_not_called_clean() -> None:
    assert (
        telling.checked(faults("note", "clean", None))
        == "1 of 2 checks found something; 1 could not be made, for the desk does not record what they need"
    )
    assert telling.checked(faults("clean")) == "0 of 1 checks found something"


def test_slices_are_told_by_what_they_bear() -> None:
    frame = pl.DataFrame({"slice": ["channel", "tier", "agent"], "advice": ["slice by week", "slice by week", "do not slice"]})
    assert telling.slices(frame) == "Enough contacts to look week by week by channel or tier, but not by agent"
    assert telling.slices(frame.filter(pl.col("slice") == "agent")) == "Enough contacts to look week by week only as a whole, but not by agent"
    assert telling.slices(frame.head(1)) == "Enough contacts to look week by week by channel"


@pytest.mark.parametrize(
    ("lost", "extent", "said"),
    [
        ([], (9, 9), "No two of 9 labels look like one"),
        ([0], (9, 9), "1 pair of 9 labels looks like one: no repeat is lost by it"),
        ([3, 1], (500, 800), "2 pairs of the 500 most frequent of 800 labels look like one: 4 repeats within 7 days are not seen between them"),
        ([], (1, 1), "There are no labels to compare"),
    ],
)
def test_alike_labels_are_told_with_what_they_cost(lost: list[int], extent: tuple[int, int], said: str) -> None:
    assert telling.same_labels(pl.DataFrame({"lost": lost}, schema={"lost": pl.Int64}), extent=extent) == said


def test_a_difference_between_channels_is_only_one_when_the_intervals_part() -> None:
    ways = pl.DataFrame({"way": ["on the same channel", "on another channel"], "share": [0.9, 0.5], "low": [0.85, 0.4], "high": [0.95, 0.6]})
    assert "less often" in telling.crossed(ways)
    assert "no clear loss" in telling.crossed(ways.with_columns(high=pl.lit(0.97)))
    assert telling.crossed(ways.head(1)).startswith("Too few")


def test_one_lone_label_is_named() -> None:
    one = pl.DataFrame({"category": ["paper"], "n": [60], "channel": ["phone"], "share": [1.0]})
    assert telling.lone_labels(one).startswith("paper is used on phone only (100.0 % of 60): ")
    assert telling.lone_labels(one.clear()).startswith("No large label")


def test_the_emptiest_column_is_named() -> None:
    assert telling.least_filled(pl.DataFrame({"column": ["a", "b"], "share": [1.0, 0.25]})) == "Least often known: b (25.0 % of the contacts)"


def test_what_was_left_out_is_counted() -> None:
    told = pl.DataFrame({"what": ["a", "b"], "count": [3, 4], "why": ["x", "y"]})
    assert telling.left_out(told) == "The reader left out 7 rows or values, for 2 reasons"
    assert telling.left_out(told.clear()) == "The reader left nothing out"


@pytest.mark.parametrize(("answered", "said"), [(3, "3 of 4 questions"), (4, "all 4 questions")])
def test_the_questions_are_counted(answered: int, said: str) -> None:
    assert telling.fit_for(answered, 4) == f"This desk can answer {said}"
