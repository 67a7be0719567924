"""When do customers come back, and what would be seen anyway?"""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import polars as pl
import pytest

from fcrlib.explain import timing
from fcrlib.intake.demo import Truth, invent
from fcrlib.intake.redact import redact
from fcrlib.judge.rates import fcr
from fcrlib.judge.repeats import next_contact
from fcrlib.model.desk import Desk, Manifest
from fcrlib.model.period import Period
from fcrlib.model.policy import Policy
from fcrlib.show import charts
from fcrlib.show.figure import Table
from fcrlib.show.telling import timing as tell
from fcrlib.study import Study

Q3 = Period.parse("2026Q3")
STUDY = Study.of(redact(invent(contacts=8000)), policy=Policy(), period=Q3)
MARCH = datetime(2026, 3, 1, tzinfo=UTC)
FRAMES = ("returns", "knees", "background", "censored", "weekly", "redials", "uncertainty")


def small(*rows: tuple[str | None, float, float | None], end: float = 60, policy: Policy | None = None, **columns: list[object] | pl.Series) -> Study:
    """A desk of contacts as (customer, opened on day, resolved on day)."""
    opened, solved = ([None if row[place] is None else MARCH + timedelta(days=row[place]) for row in rows] for place in (1, 2))
    frame = pl.DataFrame(
        {
            "source": ["zd"] * len(rows),
            "contact_id": [f"{place:03}" for place in range(len(rows))],
            "customer_ref": pl.Series([row[0] for row in rows], dtype=pl.String),
            "opened_at": opened,
            "first_resolved_at": solved,
            "last_resolved_at": solved,
            "category": ["billing"] * len(rows),
            "channel": ["phone"] * len(rows),
            "status": ["open" if row[2] is None else "solved" for row in rows],
            "initiated_by": ["customer"] * len(rows),
            "resolved_by": ["human"] * len(rows),
            **columns,
        }
    )
    manifest = Manifest(source="zd", reader="test", reader_version="1", data_start=MARCH - timedelta(days=30), data_end=MARCH + timedelta(days=end))
    return Study.of(Desk.build(manifest, contacts=frame), policy=policy or Policy(), period=Period.parse("2026-03-01..2026-04-30"))


def test_every_frame_is_told_and_drawn() -> None:
    frames = {name: getattr(timing, name)(STUDY) for name in FRAMES}
    sentences = [
        tell.returns(frames["returns"]), tell.calibration(frames["knees"], window=STUDY.policy.window), tell.placebo(frames["background"]),
        tell.censoring(frames["censored"]), tell.newest(frames["weekly"]), tell.redials(frames["redials"]), tell.uncertainty(frames["uncertainty"]),
    ]  # fmt: skip
    assert all(sentence and "None" not in sentence.split() and "not known" not in sentence for sentence in sentences[:5])
    figure = charts.curve(frames["returns"], id="returns", title=sentences[0], x="day", y="share", low="low", high="high", by="about", mark_at=7)
    assert figure.svg()
    assert charts.trend(frames["weekly"], id="weeks", title=sentences[4], x="week", hollow="hollow").svg()
    assert Table("background", sentences[2], frames["background"]).as_json()["rows"]


def test_customers_come_back_sooner_about_anything_than_about_the_same() -> None:
    curve = timing.returns(STUDY)
    wide, narrow = (curve.filter(pl.col("about") == about).sort("day") for about in timing.QUESTIONS)
    assert wide["day"].to_list() == [float(day) for day in range(31)]
    assert (wide["share"] >= narrow["share"]).all()
    assert wide["share"].is_sorted()


def test_where_every_day_is_seen_the_curve_is_the_plain_share() -> None:
    end = STUDY.desk.manifest.data_end
    old = replace(STUDY, period=Period.parse("2026Q1"))
    row = timing.returns(old).filter((pl.col("about") == "the same category") & (pl.col("day") == 7)).row(0, named=True)
    index = old.first_contacts.filter(pl.col("customer").is_not_null(), pl.col("anchor_at") + timedelta(days=31) <= end)
    openings = STUDY.everything.filter((pl.col("label") != "excluded") | pl.col("reason").is_in(timing._STILL_A_CONTACT))
    met = next_contact(index, same=("customer", "category"), anchor="anchor_at", among=openings.select("customer", "category", opened_at="start_at"))
    assert row["n"] == index.height
    assert row["share"] == pytest.approx(met.select((pl.col("next_at") <= pl.col("anchor_at") + timedelta(days=7)).fill_null(False).mean()).item())


def test_the_planted_background_is_found_by_the_placebo() -> None:
    truth = Truth(background=0.03)
    study = Study.of(redact(invent(seed=5, contacts=12_000, truth=truth)), policy=Policy(), period=Period.parse("2026Q2"))
    row = timing.background(study).filter((pl.col("about") == "the same category") & (pl.col("window") == "7 days")).row(0, named=True)
    assert row["placebo_low"] <= truth.background <= row["placebo_high"]
    assert row["scope"] == "2026Q2"
    assert row["excess_low"] > 0


def test_a_period_too_young_for_a_second_window_asks_the_whole_desk() -> None:
    young = replace(STUDY, period=Period.parse("2026-09"))
    assert timing.background(young)["scope"].unique().to_list() == ["whole desk"]
    assert timing.background(STUDY)["scope"].unique().to_list() == ["2026Q3"]


def test_the_four_readings_are_the_same_where_every_window_has_closed() -> None:
    readings = timing.censored(replace(STUDY, period=Period.parse("2026Q2")))
    assert readings["open"].to_list() == [0] * 4
    assert readings["share"].to_list() == pytest.approx([readings["share"][0]] * 4)
    assert "Every window has closed" in tell.censoring(readings)


def test_an_open_window_pulls_the_rate_down_and_hope_pulls_it_up() -> None:
    readings = dict(timing.censored(STUDY).select("reading", "share").iter_rows())
    assert readings[timing.AT_ONCE] == STUDY.headline["decided"]
    assert readings[timing.CENSORED] == STUDY.headline["share"]
    assert readings[timing.AT_ONCE] < readings[timing.CENSORED] < readings[timing.HOPEFUL]
    assert readings[timing.CENSORED] == pytest.approx(readings[timing.MATURE], abs=0.01)


def test_final_weeks_add_up_to_the_contacts_whose_verdict_is_final() -> None:
    weeks = timing.weekly(STUDY)
    final = weeks.filter(~pl.col("hollow"))
    assert weeks["hollow"].to_list()[-1]
    assert final.height > 50
    assert final["complete"].to_list() == [1.0] * final.height
    index = STUDY.everything.filter(pl.col("label").is_in(["resolved", "failed"])).with_columns(
        week=pl.col("anchor_at").dt.truncate("1w").dt.date(), given_up=pl.col("reasons").list.contains("unresolved")
    )
    plain = fcr(index.filter(~pl.col("given_up"), pl.col("anchor_at").is_not_null()), by="week")
    both = final.join(plain, on="week", suffix="_plain")
    # Those that reached the deadline unresolved come on top: about one in two hundred.
    assert (both["n"] - both["n_plain"]).sum() == pytest.approx(0, abs=0.02 * both["n"].sum())
    assert (both["share"] - both["share_plain"]).abs().mean() < 0.01


def test_a_chain_of_repeats_ends_with_its_last_resolution() -> None:
    study = small(("ann", 0, 1), ("ann", 3, 4), ("ben", 0, 2), ("cid", 1, 1.5))
    whole = timing.uncertainty(study).row(0, named=True)
    # Ann waited from day 0 to 4, Ben from 0 to 2, Cid half a day.
    assert (whole["n"], whole["open"]) == (3, 0)
    assert whole["median"] == pytest.approx(48)
    assert whole["p75"] == pytest.approx(96)
    outcomes = timing.uncertainty(study).filter(pl.col("split") == "first contact")
    assert dict(outcomes.select("group", "median").iter_rows()) == pytest.approx({"resolved": 12, "failed": 96})


def test_a_solved_contact_whose_last_resolution_is_not_recorded_ends_with_its_first() -> None:
    study = small(("ann", 0, 1), ("ben", 0, 1), last_resolved_at=pl.Series([None, None], dtype=pl.Datetime("us", "UTC")))
    assert timing.uncertainty(study).row(0, named=True)["median"] == pytest.approx(24)


def test_an_issue_that_is_still_open_counts_for_as_long_as_it_was_seen() -> None:
    study = small(("ann", 0, 1), ("ben", 0, None), ("cid", 0, None), ("dan", 56, 57))
    whole = timing.uncertainty(study).row(0, named=True)
    # Dan started less than a window before the data end: nobody can know yet whether that was the end.
    assert (whole["n"], whole["open"], whole["median"]) == (3, 2, None)
    assert "Fewer than half" in tell.uncertainty(timing.uncertainty(study))


def test_second_tries_outside_the_period_are_not_asked_but_are_seen() -> None:
    ends = [(70 * 24 * 60 + minutes) / 1440 for minutes in (0, 2, 5, 9)]
    late = small(
        ("ann", ends[0] - 40, ends[1] - 40), ("ann", ends[2] - 40, ends[3] - 40), ("ben", 62, 62.1), end=70, is_abandoned=[True, False, True]
    )
    assert timing.redials(late).select("abandoned", "redialled").row(0) == (1, 1)


@pytest.mark.parametrize("name", ["returns", "knees", "background", "redials"])
def test_a_desk_that_knows_no_customers_gives_the_empty_frame_and_a_sentence(name: str) -> None:
    nobody = small((None, 0, 1), (None, 3, 4))
    found = getattr(timing, name)(nobody)
    assert found.is_empty()
    assert found.schema == getattr(timing, name)(STUDY).schema
    said = {"returns": tell.returns, "background": tell.placebo, "redials": tell.redials}.get(
        name, lambda frame: tell.calibration(frame, window=None)
    )
    assert "customer" in said(found)


def test_a_definition_without_a_window_has_nothing_to_come() -> None:
    at_once = small(("ann", 0, 1), ("ben", 2, 3), policy=Policy(window=timedelta(0)))
    assert timing.censored(at_once).is_empty()
    assert timing.weekly(at_once).is_empty()
    assert "no window" in tell.censoring(timing.censored(at_once))
    assert "no window" in tell.newest(timing.weekly(at_once))
    assert timing.uncertainty(at_once)["n"][0] == 2


def test_a_difference_that_may_be_nothing_is_not_called_one() -> None:
    row = {"about": "the same category", "window": "7 days", "raw": 0.1, "placebo": 0.09, "excess": 0.01, "excess_low": -0.01, "excess_high": 0.03}
    assert "no clear difference" in tell.placebo(pl.DataFrame([row]))
    assert "1.0 point more" in tell.placebo(pl.DataFrame([{**row, "excess_low": 0.001}]))
    assert "1.0 point fewer" in tell.placebo(pl.DataFrame([{**row, "excess": -0.01, "excess_low": -0.02, "excess_high": -0.001}]))


def test_second_tries_are_told_with_their_number() -> None:
    frame = pl.DataFrame({"channel": ["phone", "chat"], "abandoned": [40, 10], "redialled": [9, 1]})
    assert tell.redials(frame) == "10 of the 50 contacts that customers gave up on (20.0 %) were followed by another one within 10 minutes"
