"""Does the desk say honestly what it can answer, and does every check see what is planted?"""

from __future__ import annotations

import os
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import polars as pl
import pytest

from fcrlib.explain import quality
from fcrlib.intake.demo import invent
from fcrlib.intake.redact import redact
from fcrlib.model.checks import CHECKS, SEVERITIES
from fcrlib.model.desk import Desk, Dropped, Manifest
from fcrlib.model.period import Period
from fcrlib.model.policy import Policy
from fcrlib.study import Study

DESK = redact(invent(contacts=4000))
END = DESK.manifest.data_end
FIRST = pl.int_range(pl.len()) < 400


def study_of(desk: Desk, *, period: str = "2025-07-01..2026-09-30", time_zone: str | None = None) -> Study:
    return Study.of(desk, policy=Policy(), period=Period.parse(period), time_zone=time_zone)


STUDY = study_of(DESK)


def with_manifest(**changes: object) -> Study:
    return study_of(replace(DESK, manifest=DESK.manifest.model_copy(update=changes)))


def planted(*changes: pl.Expr, **more: pl.Expr) -> Study:
    return study_of(replace(DESK, contacts=DESK.contacts.with_columns(*changes, **more)))


def row(study: Study, check: str) -> dict[str, object]:
    return quality.lint(study).row(by_predicate=pl.col("check") == check, named=True)


def first(value: object, column: str) -> dict[str, pl.Expr]:
    """The first 400 contacts get the value; the dtype of the column is kept."""
    wanted = value if isinstance(value, pl.Expr) else pl.lit(value, dtype=DESK.contacts.schema[column])
    return {column: pl.when(FIRST).then(wanted).otherwise(column)}


def test_the_demo_answers_every_question_and_a_bare_table_hardly_any() -> None:
    assert quality.fitness(STUDY) == (len(quality.QUESTIONS), len(quality.QUESTIONS))
    bare = with_manifest(capabilities=frozenset({"has_customer"}))
    asked = quality.questions(bare)
    assert quality.fitness(bare)[0] == 1
    assert asked.filter(pl.col("answer") == "no")["missing"].str.len_chars().min() > 0


def test_what_the_reader_left_out_is_listed_with_its_reason() -> None:
    assert quality.dropped(STUDY).is_empty()
    told = quality.dropped(with_manifest(dropped=(Dropped(what="rows", count=3, why="no number"),)))
    assert told.rows() == [("rows", 3, "no number")]


def test_columns_are_as_full_as_they_are() -> None:
    filled = {row["column"]: row for row in quality.filled(STUDY).to_dicts()}
    assert filled["customer"]["share"] == pytest.approx(STUDY.contacts["customer_ref"].is_not_null().mean())
    assert filled["category"]["n"] == STUDY.contacts["category"].is_not_null().sum()


def test_a_hole_in_the_export_is_a_week_without_contacts() -> None:
    hole = pl.col("opened_at").is_between(datetime(2026, 2, 2, tzinfo=UTC), datetime(2026, 2, 16, tzinfo=UTC), closed="left")
    study = study_of(replace(DESK, contacts=DESK.contacts.filter(~hole)))
    assert quality.volume(study).filter(pl.col("contacts") == 0).height == 2
    assert quality.volume(STUDY)["contacts"].sum() == DESK.contacts.height
    found = row(study, "weeks with hardly any contacts")
    assert (found["found"], found["severity"], found["example"]) == (2, "weakens", "2026-02-02, 2026-02-09")


def test_a_contact_of_the_year_1970_does_not_stretch_the_weeks_over_half_a_century() -> None:
    old = pl.when(pl.int_range(pl.len()) == 0).then(pl.lit(datetime(1970, 1, 1, tzinfo=UTC))).otherwise("opened_at")
    assert quality.volume(planted(opened_at=old.cast(pl.Datetime("us", "UTC")))).height < 300


# --- the checks --------------------------------------------------------------------------------------------------------


def test_a_clean_desk_is_stopped_by_nothing_and_struck_by_little() -> None:
    faults = quality.lint(STUDY)
    assert set(faults["check"]) == set(CHECKS)
    assert "stops" not in faults["severity"].to_list()
    assert faults.filter(pl.col("severity") == "weakens")["check"].to_list() in ([], ["no customer"])
    assert faults.drop_nulls("share").select(((pl.col("low") <= pl.col("share")) & (pl.col("share") <= pl.col("high"))).all()).item()


def test_the_gravest_comes_first() -> None:
    order = [SEVERITIES.index(word) for word in quality.lint(planted(customer_ref=pl.lit(None, pl.String)))["severity"].drop_nulls()]
    assert order == sorted(order)
    assert order[0] == 0


MIDNIGHT = pl.col("opened_at").dt.truncate("1d")
NINE_HOURS_OFF = pl.col("opened_at").dt.offset_by("-9h")
PIGEON = {**first("other", "channel"), **first("pigeon", "channel_raw")}
NEVER_RESOLVED = {"status": pl.lit("solved").cast(DESK.contacts.schema["status"]), "first_resolved_at": pl.lit(None), "closed_at": pl.lit(None)}
PLANTS: dict[str, tuple[dict[str, pl.Expr], int, str]] = {
    "no customer": ({"customer_ref": pl.lit(None, pl.String)}, 3800, "stops"),
    "more contacts than a person would open": (first("the front desk", "customer_ref"), 390, "weakens"),
    "customer is one of the agents": (first(pl.col("first_agent").fill_null("a-001"), "customer_ref"), 390, "weakens"),
    "number damaged by a spreadsheet": (first("6.02E+11", "customer_ref"), 400, "stops"),
    "no category": (first(None, "category"), 400, "weakens"),
    "a category that holds everything": ({"category": pl.lit("General")}, 3800, "stops"),
    "channel word nobody knows": (PIGEON, 400, "weakens"),
    "opened at midnight sharp": ({"opened_at": MIDNIGHT}, 3800, "stops"),
    "opened on a round five minutes": ({"opened_at": pl.col("opened_at").dt.truncate("5m")}, 3700, "weakens"),
    "opened at night": ({"opened_at": NINE_HOURS_OFF}, 500, "weakens"),
    "instant after the data end": (first(END + timedelta(days=1), "closed_at"), 390, "weakens"),
    "text cut at a fixed length": ({"body": pl.col("body").str.head(100)}, 1000, "stops"),
    "text that cannot be read": (first("Die Rechnung fÃ¼r MÃ¤rz", "body"), 400, "weakens"),
}


@pytest.mark.parametrize("check", PLANTS)
def test_a_check_sees_what_is_planted(check: str) -> None:
    plant, at_least, severity = PLANTS[check]
    told = row(planted(**plant), check)
    assert told["severity"] == severity
    assert at_least <= told["found"] <= told["of"]  # type: ignore[operator]


def test_solved_without_an_instant_is_seen_where_no_history_tells_it() -> None:
    told = row(
        study_of(replace(DESK, events=DESK.events.clear(), contacts=DESK.contacts.with_columns(**NEVER_RESOLVED))), "solved without an instant"
    )
    assert (told["share"], told["severity"]) == (1.0, "stops")


def test_the_left_edge_is_named() -> None:
    assert row(study_of(DESK, period="2025-07"), "close to the start of the data")["found"] > 0  # type: ignore[operator]
    assert row(study_of(DESK, period="2026Q3"), "close to the start of the data")["found"] == 0


@pytest.mark.parametrize("size", [1, 30])
def test_hours_that_are_flat_or_off_the_day_are_suspicious_and_few_hours_are_not(size: int) -> None:
    hours = pl.DataFrame({"opened_at": [datetime(2026, 3, 1, hour, 7, tzinfo=UTC) for hour in range(24) for _ in range(size)]})
    told = quality._at_night(hours, time_zone="UTC")
    assert (told.found > 0, told.of) == ((True, 720) if size == 30 else (False, 0))
    office = hours.filter(pl.col("opened_at").dt.hour().is_between(8, 17))
    assert quality._at_night(office, time_zone="UTC").found == 0


# --- small desks made for one check --------------------------------------------------------------------------------------

NOON = datetime(2026, 3, 2, 12, 0, 1, tzinfo=UTC)


def small(rows: int, *, days: int = 60, events: pl.DataFrame | None = None, has: tuple[str, ...] = ("has_customer",), **columns: pl.Expr) -> Study:
    """Contacts one hour and one second apart, each of another customer, solved half an hour later unless the columns say otherwise."""
    opened = pl.lit(NOON).dt.convert_time_zone("UTC") + pl.duration(seconds=3601) * pl.int_range(rows, eager=False)
    base = pl.select(
        source=pl.lit("s"), contact_id=pl.format("t{}", pl.int_range(rows)), opened_at=opened, customer_ref=pl.format("c{}", pl.int_range(rows)),
        channel=pl.lit("email"), status=pl.lit("solved"), initiated_by=pl.lit("customer"), resolved_by=pl.lit("human"), category=pl.lit("billing"),
    )  # fmt: skip
    solved = (pl.col("opened_at") + pl.duration(minutes=30)).alias("first_resolved_at")
    contacts = base.with_columns(solved).with_columns(**columns)
    manifest = Manifest(
        source="s",
        reader="test",
        reader_version="1",
        data_start=NOON - timedelta(days=60),
        data_end=NOON + timedelta(days=days),
        capabilities=frozenset(has),
    )
    tables = {"contacts": contacts} | ({"events": events} if events is not None else {})
    return study_of(Desk.build(manifest, **tables), period="2026-01-01..2026-12-31")


def test_many_resolved_at_one_instant_are_a_clean_up() -> None:
    at_once = pl.when(pl.int_range(pl.len()) < 40).then(pl.lit(NOON + timedelta(days=30))).otherwise("first_resolved_at")
    assert (row(small(100, first_resolved_at=at_once), "closed in bulk"))["found"] == 40
    assert (row(small(100), "closed in bulk"))["found"] == 0


def test_a_busy_desk_that_keeps_whole_minutes_is_no_clean_up() -> None:
    minutes = (pl.lit(NOON) + pl.duration(days=30) + pl.duration(minutes=1) * (pl.int_range(pl.len()) // 25)).alias("first_resolved_at")
    assert row(small(500, first_resolved_at=minutes), "closed in bulk")["found"] == 0


@pytest.mark.parametrize(("seconds", "check"), [(0, "resolved at the very opening"), (59, "resolved within a minute")])
def test_resolutions_that_took_no_time_are_told_apart(seconds: int, check: str) -> None:
    study = small(30, first_resolved_at=pl.col("opened_at") + pl.duration(seconds=seconds))
    faults = quality.lint(study).filter(pl.col("check").str.starts_with("resolved at") | pl.col("check").str.starts_with("resolved within"))
    assert faults.filter(pl.col("found") > 0)["check"].to_list() == [check]
    assert row(study, check)["found"] == 30


def test_the_same_customer_in_the_same_second_is_one_contact_under_two_numbers() -> None:
    twice = small(
        40, opened_at=pl.col("opened_at").shift(1).fill_null(pl.col("opened_at")), customer_ref=pl.format("c{}", pl.int_range(pl.len()) // 2)
    )
    assert row(twice, "same customer, same second")["found"] == 1
    assert row(small(40), "same customer, same second")["found"] == 0
    assert row(twice, "submitted twice")["found"] == 1


def test_an_open_contact_is_old_after_thirty_days() -> None:
    still = {"status": pl.lit("open"), "first_resolved_at": pl.lit(None, pl.Datetime("us", "UTC"))}
    assert row(small(30, days=60, **still), "open for more than thirty days")["found"] == 30
    assert row(small(30, days=20, **still), "open for more than thirty days")["found"] == 0


def test_silence_after_a_desk_has_ended_is_not_resolution() -> None:
    told = row(small(240, days=60), "resolved, watched beyond the last contact")
    assert (told["severity"], told["of"]) == ("stops", 240)
    assert told["found"] == 169, "the windows of the first three days closed before the last contact"
    assert "data end 2026-05-01" in str(told["example"])
    assert row(small(240, days=11), "resolved, watched beyond the last contact")["found"] == 0


def test_the_last_days_are_held_against_the_same_days_of_earlier_weeks() -> None:
    end = NOON + timedelta(days=40)
    late = pl.when(pl.col("opened_at") > end - timedelta(days=3)).then(pl.col("opened_at") - pl.duration(days=3, minutes=20)).otherwise("opened_at")
    moved = {"opened_at": late, "first_resolved_at": late + pl.duration(minutes=5)}
    assert row(small(959, days=40), "missing in the last three days")["found"] == 0
    told = row(small(959, days=40, **moved), "missing in the last three days")
    assert (told["found"], told["severity"]) == (told["of"], "weakens")
    assert row(small(50, days=40), "missing in the last three days")["severity"] is None


def test_a_channel_that_hides_its_customers_is_named() -> None:
    phone = pl.int_range(pl.len()) % 4 == 0
    study = small(400, channel=pl.when(phone).then(pl.lit("phone")).otherwise(pl.lit("email")), customer_ref=pl.when(~phone).then("customer_ref"))
    told = row(study, "no customer, on channels that know theirs far less")
    assert (told["found"], told["example"], told["severity"]) == (100, "phone (100)", "weakens")


def spoken(**acts: tuple[int, str]) -> pl.DataFrame:
    """Messages: contact, minute after noon of its hour and who wrote it."""
    rows = [
        {"source": "s", "contact_id": name.split("_")[0], "seq": place, "at": NOON + timedelta(minutes=minute), "kind": "message", "actor": actor, "public": True, "is_auto": False}
        for place, (name, (minute, actor)) in enumerate(acts.items())
    ]  # fmt: skip
    return pl.DataFrame(rows)


def test_silence_is_told_from_an_answer_nobody_replied_to() -> None:
    together = {"opened_at": pl.lit(NOON), "first_resolved_at": pl.lit(NOON + timedelta(minutes=30)).dt.convert_time_zone("UTC")}
    events = spoken(t0_a=(0, "customer"), t0_b=(5, "agent"), t0_c=(9, "customer"), t1_a=(0, "customer"), t1_b=(5, "agent"), t2_a=(0, "customer"))
    study = small(3, events=events, has=("has_customer", "has_messages"), **together)
    assert (row(study, "closed without an answer")["found"], row(study, "closed without an answer")["of"]) == (1, 3)
    heard = row(study, "closed, nothing heard after the answer")
    assert (heard["found"], heard["of"], heard["severity"]) == (1, 2, "note")
    assert heard["low"] < 0.5 < heard["high"]  # type: ignore[operator]


def test_a_desk_without_messages_does_not_know_about_silence() -> None:
    told = row(small(3), "closed without an answer")
    assert (told["of"], told["share"], told["severity"]) == (0, None, None)


@pytest.mark.parametrize("rows", [1, 40])
def test_a_desk_of_almost_nothing_is_looked_at_without_a_crash(rows: int) -> None:
    blank = {name: pl.lit(None) for name in ("customer_ref", "category", "first_resolved_at")}
    study = small(rows, has=(), **blank)
    assert quality.lint(study).height == len(CHECKS)
    assert quality.verdict(study)[0] == "not fit"
    assert quality.sliceable(study)["advice"].to_list()[1] == "not recorded"
    assert quality.reconciled(study)["n"].sum() == 0
    assert quality.unlike(study).is_empty()
    assert quality.volume(study).height >= 1
    assert quality.filled(study)["share"].sum() == 0


# --- verdicts, slices, the vendor's counts ---------------------------------------------------------------------------------


def test_a_question_is_only_as_fit_as_what_it_rests_on() -> None:
    told = {row["question"]: row for row in quality.verdicts(planted(**first("6.02E+11", "customer_ref"))).to_dicts()}
    assert told["How often is an issue resolved on first contact?"]["verdict"] == "not fit"
    assert told["Which contacts are reopened?"]["verdict"] == "fit"
    mixed = {row["question"]: row["verdict"] for row in quality.verdicts(planted(**first(None, "category"))).to_dicts()}
    assert mixed["Does the customer come back about the same thing?"] == "fit with care"
    assert mixed["How long does the work take?"] == "fit"


def test_what_is_not_recorded_is_a_reason() -> None:
    bare = with_manifest(capabilities=frozenset({"has_customer"}))
    told = {row["question"]: row for row in quality.verdicts(bare).to_dicts()}
    assert told["What do repeat contacts cost?"]["why"].startswith("not recorded: cost per contact")
    word, reasons = quality.verdict(bare)
    assert word == "fit with care"
    assert len(reasons) == len(set(reasons))


def sliced(**columns: pl.Expr) -> dict[str, dict[str, object]]:
    spring = replace(small(1400, days=60, **columns), period=Period.parse("2026-03-02..2026-04-30"))
    return {row["slice"]: row for row in quality.sliceable(spring).to_dicts()}


def test_a_column_is_sliced_only_as_finely_as_its_middle_level_bears() -> None:
    weekly = sliced()
    assert (weekly["channel"]["advice"], weekly["channel"]["levels"]) == ("only one level", 1)
    halves = sliced(category=pl.when(pl.int_range(pl.len()) % 2 == 0).then(pl.lit("a")).otherwise(pl.lit("b")))
    told = halves["category"]
    assert (told["advice"], told["below"], told["covered"]) == ("slice by week", 0, 1.0)
    many = sliced(category=pl.format("k{}", pl.int_range(pl.len()) % 14), tier=pl.format("k{}", pl.int_range(pl.len())))
    advice = {name: row["advice"] for name, row in many.items()}
    assert (advice["category"], advice["service tier"], advice["first team"]) == ("slice by quarter", "do not slice", "not recorded")


def test_the_vendors_counts_agree_with_ours_on_the_demo() -> None:
    table = quality.reconciled(STUDY).filter(pl.col("n") > 0)
    assert table["figure"].to_list() == ["reopens", "replies", "stations"]
    assert table["vendor"].to_list() == table["ours"].to_list()
    assert table["share"].to_list() == [1.0] * 3
    assert quality.unlike(STUDY).is_empty()


def test_sums_that_agree_by_luck_are_found_out_contact_by_contact() -> None:
    place = pl.int_range(pl.len())
    shifted = pl.col("vendor_replies") + pl.when(place == 0).then(3).when(place.is_in([1, 2, 3])).then(-1).otherwise(0)
    whole = DESK.contacts.filter(pl.col("vendor_replies") > 0)
    odd = study_of(replace(DESK, contacts=whole.with_columns(shifted)))
    told = quality.reconciled(odd).row(by_predicate=pl.col("figure") == "replies", named=True)
    assert told["vendor"] == told["ours"] == whole["vendor_replies"].sum()
    assert told["n"] - told["agree"] == 4
    rows = quality.unlike(odd, most=3)
    assert rows["contact_id"].to_list() == whole["contact_id"].head(3).to_list()
    assert rows["of"].to_list() == [4, 4, 4]
    assert rows.schema["vendor"] == pl.String


def test_instants_are_shown_on_the_clock_of_the_study() -> None:
    late = planted(vendor_first_resolved_at=pl.col("first_resolved_at") + pl.duration(minutes=90))
    rows = quality.unlike(replace(late, time_zone="Asia/Tokyo"), most=1).row(0, named=True)
    first = late.desk.contacts.filter(contact_id=rows["contact_id"])["first_resolved_at"][0]
    assert rows["ours"] == f"{first + timedelta(hours=9):%Y-%m-%d %H:%M}"
    assert rows["rule"] == "the times are exactly 1 hour and 30 minutes later: is the time zone right?"


@pytest.mark.realdata
def test_the_real_log_is_fit_with_care_and_its_reassignments_are_not_ours() -> None:
    from fcrlib.intake import servicenow

    log = Path(os.environ.get("FCR_SHARED_DATA", Path(__file__).parents[2] / "../shared/data")) / "servicenow_incident_log"
    if not log.exists():
        pytest.skip("the real log is not here")
    study = study_of(servicenow.read(log, data_end=datetime(2016, 4, 30, 23, 59, 59, tzinfo=UTC)), period="2016-03-01..2016-04-30")
    assert quality.verdict(study)[0] == "fit with care"
    assert row(study, "resolved at the very opening")["severity"] == "weakens"
    assert row(study, "closed without an answer")["severity"] is None
    told = {row["figure"]: row for row in quality.reconciled(study).to_dicts()}
    assert told["reopens"]["share"] > 0.99 > told["stations"]["share"]
    assert told["stations"]["explained"] > 0.8 * (told["stations"]["n"] - told["stations"]["agree"])
    assert told["first resolved"]["missing"] is not None


def test_a_few_round_times_are_no_more_than_any_desk_has() -> None:
    told = row(small(400), "opened on a round five minutes")
    assert (told["found"] > 0, told["severity"]) == (True, "clean")  # type: ignore[operator]
