"""Can somebody who sees a desk for the first time read every line about it?"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import polars as pl
import pytest

from fcrlib.model.desk import Manifest
from fcrlib.show.telling import fitness as telling

START, END = datetime(2026, 1, 1, tzinfo=UTC), datetime(2026, 9, 30, tzinfo=UTC)


def questions(*words: str) -> pl.DataFrame:
    return pl.DataFrame({"question": [f"Q{n}?" for n in range(len(words))], "verdict": words})


def test_the_verdict_is_one_line_with_its_first_reasons() -> None:
    reasons = ["not recorded: messages (they tell answers)", "not recorded: cost", "no customer (5 of 9)", "no category (5 of 9)"]
    said = telling.headline("fit with care", reasons, questions("fit", "fit with care", "not fit", "fit"))
    assert said == (
        "Fit with care: of 4 questions 2 fit, 1 fit with care, 1 not fit. What stands against it: "
        "not recorded: messages, cost; no customer (5 of 9); and 1 more, below"
    )
    assert telling.headline("fit", [], questions("fit")) == "Fit: of 1 questions 1 fit, and no check weakens a number"


def came(**more: Any) -> dict[str, str]:
    empty = pl.DataFrame(schema={"what": pl.String, "count": pl.Int64, "why": pl.String})
    manifest = Manifest(source="zendesk", reader="zendesk", reader_version="1", data_start=START, data_end=END)
    tables = pl.DataFrame({"table": ["contacts", "events", "surveys"], "rows": [1200, 1, 0]})
    return dict(telling.came_in({"manifest": manifest, "tables": tables, "left_out": empty, "doubled": empty, **more}))


def test_what_came_in_and_what_was_left_out_is_said_even_where_it_is_nothing() -> None:
    assert came()["zendesk"] == "2026-01-01 to 2026-09-30 00:00 UTC, read by zendesk"
    assert came()["rows"] == "1,200 contacts, 1 event"
    assert (came()["came twice"], came()["left out"]) == ("nothing that the reader saw", "nothing")
    twice = pl.DataFrame({"what": ["tickets"], "count": [6], "why": ["again"]})
    told = came(left_out=twice, doubled=twice)
    assert (told["came twice"], told["left out"]) == ("6 rows or values, left out once", "6 tickets (again)")


def test_the_channel_that_knows_its_customers_least_is_named_beside_the_whole() -> None:
    shares = pl.DataFrame({"what": ["customer known", "opening text"], "of": ["contacts"] * 2, "n": [100, 0], "share": [0.9, None], "low": [0.8, None], "high": [0.95, None]})  # fmt: skip
    channels = pl.DataFrame({"channel": ["email", "phone"], "n": [80, 20], "share": [1.0, 0.5], "low": [0.9, 0.3], "high": [1.0, 0.7]})
    told = telling.known(shares, channels)
    assert told[0] == ("customer known", "90.0 % of 100 contacts (80.0 to 95.0 %)")
    assert told[1] == ("least known on", "phone: 50.0 % of 20 contacts (30.0 to 70.0 %)")
    assert told[2] == ("opening text", "not recorded")
    assert "least known on" not in dict(telling.known(shares, channels.head(1)))
    nobody = shares.with_columns(pl.lit(None, pl.Float64).alias(name) for name in ("share", "low", "high"))
    assert "least known on" not in dict(telling.known(nobody, channels))


CLOCK = {"zone": "UTC", "named": "UTC", "night": 0.05, "middle": 13.2, "odd": False}
DEPTH = {"before": 180.0, "days": 92.0, "window": 7.0, "n": 1000, "blind": 20, "share": 0.02}
NEWEST = {"quiet": 0.2, "over": 28, "per_day": 40.0, "later": 0}


def times(**changes: Any) -> dict[str, str]:
    parts = [{name: changes.get(name, value) for name, value in part.items()} for part in (CLOCK, DEPTH, NEWEST)]
    return dict(telling.times(*parts))


def test_a_working_day_speaks_for_the_zone_and_another_against_it() -> None:
    assert times()["time zone"].endswith("13:00, 5.0 % come between midnight and six: that looks like a working day")
    assert times(middle=2.0, odd=True)["time zone"].endswith("so the zone may be wrong")
    assert "the import named Europe/Berlin" in times(named="Europe/Berlin")["time zone"]
    assert "the middle of the day's contacts is 0:00" in times(middle=23.7, odd=True)["time zone"]
    assert times(middle=None, night=None)["time zone"].endswith("too few contacts with a time of day to tell whether that is right")


def test_history_is_told_with_those_that_cannot_know_theirs() -> None:
    assert times()["history"] == (
        "180 days before the 92 days looked at; 20 of 1,000 first contacts (2.0 %) are so early that a previous one could not be seen"
    )
    assert times(before=0.0)["history"].startswith("92 days, all of them looked at; ")
    assert times(window=None)["history"] == "180 days before the 92 days looked at"


@pytest.mark.parametrize(("quiet", "per_day", "asked"), [(0.2, 40.0, False), (4.0, 40.0, True), (4.0, 1.0, False), (400.0, 0.1, True)])
def test_a_silence_is_only_asked_about_where_contacts_would_have_come_in(quiet: float, per_day: float, asked: bool) -> None:
    assert ("is part of the export missing" in times(quiet=quiet, per_day=per_day)["newest"]) is asked


def test_the_usual_days_are_as_many_as_there_are() -> None:
    assert "40.0 a day in the 28 days up to it" in times()["newest"]
    assert "40.0 a day in the day up to it" in times(over=1)["newest"]


def test_slices_stand_together_by_what_they_bear() -> None:
    slices = pl.DataFrame({
        "slice": ["channel", "category", "tier", "agent"], "levels": [3, 9, 1, 0], "weekly": [80.0, 2.0, 50.0, None],
        "advice": ["slice by week", "do not slice", "only one level", "not recorded"],
    })  # fmt: skip
    assert telling.volume(slices) == [
        ("by week", "channel (80.0 a week at the middle of 3)"),
        ("do not slice", "category (2.0 a week at the middle of 9)"),
        ("only one level", "tier"),
        ("not recorded", "agent"),
    ]


def test_labels_are_quoted_and_their_hidden_letters_are_gone() -> None:
    pair = {"label": "Bil\u202eling\n", "n": 40, "variant": "billing", "variant_n": 3, "lost": 2}
    assert telling.labels(pl.DataFrame([pair])) == [("alike", "'Billing' (40) and 'billing' (3), 2 repeats are not seen between them")]
    assert telling.labels(pl.DataFrame([pair] * 7))[-1] == ("alike", "and 2 pairs more")
    assert telling.labels(pl.DataFrame([pair]).clear()) == [("alike", "no two categories look like one")]


def test_only_what_stops_or_weakens_is_told() -> None:
    checks = pl.DataFrame(
        {"check": ["a", "b"], "severity": ["stops", "note"], "found": [1, 2], "of": [3, 4], "so": ["x", "y"], "do": ["mend", "none"]}
    )
    assert telling.wrong(checks) == [("stops", "a: 1 of 3: x; mend")]


@pytest.mark.parametrize(
    ("runs", "off", "without", "said"),
    [
        ("fully", "", "", "runs fully"),
        ("not", "", "texts", "has no answer here: texts are not recorded"),
        ("in part", "A (no texts)", "messages", "runs, but these sections stay empty: A (no texts); its numbers go without messages"),
        ("in part", "", "messages", "runs, but its numbers go without messages"),
    ],
)
def test_a_notebook_says_what_is_not_in_it(runs: str, off: str, without: str, said: str) -> None:
    assert telling.runs({"runs": runs, "off": off, "without": without}) == said


def test_the_notebooks_are_counted() -> None:
    assert telling.notebooks(pl.DataFrame({"runs": ["fully", "fully"]})) == "All 2 notebooks run fully on this desk"
    assert telling.notebooks(pl.DataFrame({"runs": ["fully", "in part", "not"]})) == "Of 3 notebooks 1 run fully, 1 with less, 1 have no answer"
