"""Does the chain of whys tell what was planted, stop where nothing more can be told, and mind what the analyst decided?"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

from fcrlib.model.columns import NOT_KNOWN, OTHERS
from fcrlib.model.errors import DataError, UsageError
from fcrlib.model.pins import Pins
from fcrlib.search import chain
from fcrlib.search.answers import answers
from fcrlib.search.coincide import coinciding, turn
from fcrlib.search.where import conditions, holds

WAYS = ("known-bug", "late-answer", "wrong-routing")
START = datetime(2026, 4, 6, tzinfo=UTC)
P = "category=login"
ATTRIBUTES = ("hold", "article", "agent_is_new")


def desk(*, story: str = "mechanism", seed: int = 2, contacts: int = 12_000, login: str = "login", since_week: int = 10) -> pl.DataFrame:
    """Two times ten weeks in which one category gets worse by about 20 points, from a week on: by one way of failing, by all, or as a story has it."""
    rng = np.random.default_rng(seed)
    week = rng.integers(0, 20, contacts)
    later, category = week >= 10, rng.integers(0, 4, contacts)
    worse = (week >= since_week) & (category == 1)
    hold = rng.random(contacts) < np.where(worse & (story == "exposure"), 0.9, 0.3 if story == "exposure" else 0.5)
    article, new, tier = (rng.random(contacts) < share for share in (0.4, 0.3, 0.5))
    own = {
        "mechanism": 0.2 * worse,
        "attribute": 0.45 * (worse & hold),
        "exposure": 0.4 * hold,
        "two": 0.6 * (worse & hold & article),
        "narrow": 0.6 * (worse & hold & tier),
    }.get(story, np.zeros(contacts))
    by_way = rng.random(contacts) < own
    failed = by_way | (rng.random(contacts) < 0.25 + 0.25 * (worse & (story == "diffuse")))
    mode = np.where(by_way, "known-bug", np.array(WAYS)[rng.integers(0, 3, contacts)])
    mode = np.where(rng.random(contacts) < (np.where(later, 0.9, 0.5) if story == "tags" else 0.8), mode, "unexplained")
    names = {
        "category": np.array(["billing", login, "orders", "other"])[category],
        "tier": np.where(tier, "gold", "basic"),
        "hold": np.where(hold, "long", "short"),
        "article": np.where(article, "no", "yes"),
        "agent_is_new": np.where(new, "yes", "no"),
    }
    frame = pl.DataFrame({**names, "agent": rng.integers(0, 40, contacts), "week": week, "later": later, "failed": failed, "mode": mode})
    minutes = pl.Series(rng.integers(0, 7 * 24 * 60, contacts))
    return frame.with_columns(
        source=pl.lit("demo"),
        contact_id=pl.format("c{}", pl.int_range(pl.len()).cast(pl.String).str.zfill(6)),
        customer=pl.format("p{}", pl.int_range(pl.len()) // 2),
        start_at=pl.lit(START).dt.cast_time_unit("us") + pl.duration(weeks="week") + pl.duration(minutes=minutes),
        mode=pl.when("failed").then("mode"),
    )


def place(*where: str, kind: str = "rate", effect: float = 0.2, **more: Any) -> dict[str, Any]:
    row = {"kind": kind, "where": list(where), "n": 3000, "effect": effect, "low": effect - 0.05, "high": effect + 0.05, "contribution": effect / 4}
    return {**row, "refinements": [], "alternatives": [], **more}


def found(*places: dict[str, Any]) -> pl.DataFrame:
    kinds = {"refinements": pl.List(pl.String), "alternatives": pl.List(pl.String)}
    return pl.DataFrame(list(places), schema_overrides=kinds)


def ask(frame: pl.DataFrame, *places: dict[str, Any], **how: Any) -> chain.Chain:
    asked = {
        "mode": "mode",
        "attributes": ATTRIBUTES,
        "later": "later",
        "clusters": ("agent", "week"),
        "headline": {"effect": 0.05, "n": frame.height},
    }
    return chain.build(frame, places=found(*(places or (place(P),))), **{**asked, **how})


def told(made: chain.Chain) -> list[tuple[str, str, list[str]]]:
    return made.steps.filter(~pl.col("kind").is_in(["headline", "end"])).select("kind", "change", "what").rows()


FIRST, BUG = ("place", "rate", [P]), ("mechanism", "rate", ["known-bug"])


def test_one_way_of_failing_is_named_and_then_nothing_further() -> None:
    made = ask(desk())
    assert told(made) == [FIRST, BUG]
    assert made.ended[0].startswith("nothing further is distinguishable: a difference of ")
    assert made.steps["kind"].to_list() == ["headline", "place", "mechanism", "end"]
    assert made.steps["level"].to_list() == [1, 2, 3, 4]


def test_failing_in_all_ways_alike_ends_the_branch() -> None:
    made = ask(desk(story="diffuse"))
    assert told(made) == [FIRST]
    assert made.ended[0].startswith("no single way of failing stands out: all of them rose alike")


def test_an_attribute_whose_contacts_failed_more_is_a_rate() -> None:
    made = ask(desk(story="attribute"))
    assert told(made) == [FIRST, BUG, ("attribute", "rate", ["hold=long"])]
    step = made.steps.filter(kind="attribute").row(0, named=True)
    assert step["plain_low"] < 0.45 * 0.8 < step["plain_high"]
    assert step["low"] <= step["plain_low"] + 1e-9
    assert step["explains"] == pytest.approx(1, abs=0.2)


def test_an_attribute_that_became_more_frequent_is_an_exposure() -> None:
    made = ask(desk(story="exposure"))
    assert told(made) == [FIRST, BUG, ("attribute", "exposure", ["hold=long"])]
    assert made.steps.filter(kind="attribute")["effect"][0] == pytest.approx(0.6, abs=0.06)
    assert "more or fewer such contacts" in made.ended[0]


def test_a_second_attribute_is_asked_inside_the_first_and_five_levels_are_the_most() -> None:
    made = ask(desk(story="two", contacts=30_000))
    assert [what for _, _, what in told(made)[2:]] in ([["hold=long"], ["article=no"]], [["article=no"], ["hold=long"]])
    assert made.steps["level"].max() == 5
    assert "end" not in made.steps["kind"].to_list()
    assert made.ended == ("5 levels are the most that is asked",)


def test_a_narrower_place_is_asked_after_the_attribute() -> None:
    made = ask(desk(story="narrow", contacts=30_000), place(P, refinements=[f"{P} and tier=gold"]), attributes=("hold",))
    assert told(made)[2:] == [("attribute", "rate", ["hold=long"]), ("place", "rate", [P, "tier=gold"])]


def test_better_tagging_names_no_way_of_failing() -> None:
    made = ask(desk(story="tags"), place(P, effect=0.01))
    assert "mechanism" not in made.steps["kind"].to_list()


def test_a_change_of_mix_is_said_to_be_one_and_goes_no_deeper() -> None:
    made = ask(desk(), place(P, kind="mix", effect=0.04))
    assert told(made) == [("place", "mix", [P])]
    assert "more contacts came from there" in made.ended[0]


def test_what_moved_all_over_the_desk_is_asked_without_a_place() -> None:
    rng = np.random.default_rng(4)
    added, seen = rng.random(12_000) < 0.15, rng.random(12_000) < 0.8
    late = pl.when(pl.Series(seen)).then(pl.lit("late-answer")).otherwise(pl.lit("unexplained"))
    hit = pl.col("later") & ~pl.col("failed") & pl.Series(added)
    everywhere = desk(story="none").with_columns(mode=pl.when(hit).then(late).otherwise("mode"), failed=pl.col("failed") | hit)
    made = ask(everywhere, place(kind="global", effect=0.1))
    assert told(made)[0] == ("place", "rate", [])
    assert told(made)[1] == ("mechanism", "rate", ["late-answer"])


def test_without_two_periods_the_place_is_held_against_the_rest() -> None:
    made = ask(desk(story="attribute").filter("later"), later=None)
    assert told(made) == [FIRST, BUG, ("attribute", "rate", ["hold=long"])]
    assert made.compares == "places"
    assert ask(desk(story="diffuse").filter("later"), later=None).ended[0].startswith("no single way of failing stands out")


def test_without_ways_of_failing_attributes_are_asked_of_all_failures() -> None:
    assert told(ask(desk(story="attribute"), mode=None)) == [FIRST, ("attribute", "rate", ["hold=long"])]


def test_shares_multiply_down_the_chain() -> None:
    steps = ask(desk(story="attribute")).steps.filter(pl.col("kind") != "end")
    explains = steps["explains"].to_list()[1:]
    assert steps["of_headline"].to_list()[1:] == pytest.approx(np.cumprod(explains).tolist(), abs=1e-12)
    assert explains[0] == pytest.approx(1.0)


def test_the_share_of_the_headline_is_below_zero_against_it_and_above_one_beyond_it() -> None:
    made = ask(desk(), place(P), headline={"effect": -0.02, "n": 12_000})
    assert made.steps["of_headline"][1] < 0
    assert ask(desk(), headline={"effect": 0.02}).steps["of_headline"][1] > 1


def test_nothing_found_is_only_a_headline() -> None:
    made = chain.build(desk(), places=found(place(P)).clear(), headline={"effect": 0.0, "n": 12_000}, later="later", mode="mode")
    assert made.steps["kind"].to_list() == ["headline"]
    assert made.branches == ()
    assert made.ended == ()


def test_examples_are_later_failures_that_show_the_deepest_step_one_per_customer() -> None:
    frame = desk(story="attribute")
    made = ask(frame)
    shown = made.steps.filter(kind="place")["examples"][0].to_list()
    rows = frame.filter(("demo:" + pl.col("contact_id")).is_in(shown))
    assert len(shown) == 5
    assert rows["customer"].n_unique() == 5
    assert rows.select(
        ((pl.col("mode") == "known-bug") & (pl.col("hold") == "long") & pl.col("later") & (pl.col("category") == "login")).all()
    ).item()


@pytest.mark.parametrize("seed", range(4))
def test_the_order_of_the_rows_makes_no_difference(seed: int) -> None:
    frame = desk(story="attribute", contacts=6000)
    assert ask(frame.sample(fraction=1, shuffle=True, seed=seed), changes=LOG).steps.equals(ask(frame, changes=LOG).steps)


@pytest.mark.parametrize("name", ["=1+1", "<b>x</b>", "a|b", "a and b", "x=y", "[link](javascript:alert(1))"])
def test_hostile_names_of_categories_stay_plain_data(name: str) -> None:
    made = ask(desk(login=name), place(f"category={name}"))
    assert told(made)[0] == ("place", "rate", [f"category={name}"])
    assert told(made)[1] == BUG


# The log of changes

LOG = pl.DataFrame(
    {
        "at": [START + timedelta(days=days) for days in (0, 69, 71, 70, 120)],
        "kind": ["kb", "release", "release", "routing", "incident"],
        "scope": [None, "category=login", "category=login and tier=gold", "category=billing", None],
        "note": ["old", "login renewed", "gold login renewed", "billing", "too late"],
    },
    schema_overrides={"at": pl.Datetime("us", "UTC")},
)


def test_a_step_coincides_with_the_changes_of_its_place_in_its_weeks_the_most_specific_first() -> None:
    step = ask(desk(), changes=LOG).steps.filter(kind="place").row(0, named=True)
    assert [entry.split(": ")[1] for entry in step["coincides"]] == ["gold login renewed", "login renewed"]
    assert step["since_from"] <= step["since"] <= step["since_to"]
    assert abs(step["since"] - (START + timedelta(weeks=10))) < timedelta(weeks=1)


def test_a_step_in_the_middle_of_a_period_is_dated_there() -> None:
    step = ask(desk(since_week=14), place(P, effect=0.12), changes=LOG).steps.filter(kind="place").row(0, named=True)
    assert abs(step["since"] - (START + timedelta(weeks=14))) <= timedelta(weeks=1)
    assert step["coincides"] is None


def test_a_rate_that_does_not_step_has_no_date() -> None:
    calm = desk(story="none")
    assert turn(calm, failed="failed") is None
    assert turn(calm.filter(pl.col("week") < 4), failed="failed") is None
    assert turn(desk().filter(category="login"), failed="failed", upward=False) is None


def test_a_change_of_a_small_part_of_a_place_does_not_meet_it() -> None:
    frame = desk()
    date = turn(frame.filter(category="login"), failed="failed")
    assert date is not None
    everywhere = coinciding(LOG, frame, there=holds(frame, []), found=date)
    assert [entry.split(": ")[1] for entry in everywhere] == ["gold login renewed", "billing", "login renewed"]
    assert coinciding(LOG.clear(), frame, there=holds(frame, [P]), found=date) == []


def test_scopes_that_speak_of_unknown_columns_are_reported() -> None:
    log = LOG.with_columns(scope=pl.lit("colour=red"))
    assert ask(desk(), changes=log).notes == ("1 scope of the log of changes speaks of columns that are not looked at, e.g. colour=red.",)


# What the analyst decided


def pins(text: str) -> Pins:
    return Pins.parse(text, name="pins.toml")


def test_a_pinned_way_of_failing_is_followed_although_the_data_do_not_name_it() -> None:
    made = ask(desk(story="diffuse"), pins=pins(f'[[step]]\nat = ["{P}"]\nmode = "late-answer"\npin = true\nnote = "seen by the team"'))
    step = made.steps.filter(kind="mechanism").row(0, named=True)
    assert step["what"] == ["late-answer"]
    assert step["pinned"]
    assert step["note"] == "seen by the team; kept by the analyst; the data do not single it out"
    assert step["low"] is None
    assert step["plain_low"] < step["effect"] < step["plain_high"]
    assert made.notes == ()


def test_a_pinned_attribute_is_followed() -> None:
    made = ask(desk(), pins=pins('[[step]]\nattribute = "article=no"\npin = true'))
    assert told(made)[2][2] == ["article=no"]
    assert made.steps.filter(kind="attribute")["pinned"].all()


def test_a_pruned_step_is_passed_over_and_the_next_best_is_taken() -> None:
    frame = desk(story="two", contacts=30_000)
    first = told(ask(frame))[2][2][0]
    made = ask(frame, pins=pins(f'[[step]]\nattribute = "{first}"\nprune = true'))
    assert told(made)[2][2][0] in {"hold=long", "article=no"} - {first}
    assert (
        ask(desk(), pins=pins('[[step]]\nmode = "known-bug"\nprune = true'))
        .ended[0]
        .startswith("what stands out among the ways of failing was passed over")
    )


def test_a_pruned_place_gives_way_to_what_the_data_cannot_tell_from_it() -> None:
    frame = desk().with_columns(area=pl.when(pl.col("category") == "login").then(pl.lit("sign-in")).otherwise(pl.lit("rest")))
    pruned = pins(f'[[step]]\nat = ["{P}"]\nprune = true')
    made = ask(frame, place(P, alternatives=["area=sign-in"]), pins=pruned)
    step = made.steps.filter(kind="place").row(0, named=True)
    assert step["what"] == ["area=sign-in"]
    assert step["effect"] == pytest.approx(0.2 * 0.75, abs=0.05)
    assert "the data cannot tell the two apart" in step["note"]
    assert told(made)[1] == BUG
    assert ask(frame, place(P), pins=pruned).branches == ()


def test_a_pinned_place_that_was_not_found_is_followed_with_its_plain_numbers() -> None:
    kept = pins('[[step]]\nat = ["category=billing"]\npin = true')
    for later, frame in (("later", desk()), (None, desk().filter("later"))):
        step = ask(frame, pins=kept, later=later).steps.filter(pl.col("what").list.contains("category=billing")).row(0, named=True)
        assert step["note"].startswith("kept by the analyst")
        assert step["low"] is None
        assert step["plain_low"] < step["effect"] < step["plain_high"]


def test_only_the_first_places_are_followed_and_pinned_ones_on_top() -> None:
    rows = (place(P), place("category=orders", effect=0.1), place("category=other", effect=0.05))
    assert [branch["what"][0][0] for branch in ask(desk(), *rows, most=1).branches] == [P]
    kept = pins('[[step]]\nat = ["category=other"]\npin = true')
    assert [branch["what"][0][0] for branch in ask(desk(), *rows, most=1, pins=kept).branches] == [P, "category=other"]


def test_decisions_that_match_nothing_or_are_not_reached_are_reported() -> None:
    text = '[[step]]\nat = ["category=moon"]\npin = true\n\n[[step]]\nmode = "late-answer"\nnote = "hm"\n\n[[step]]\nmode = "nothing"\nprune = true'
    assert ask(desk(), pins=pins(text)).notes == (
        "The analyst's decision on category=moon matches nothing in these contacts.",
        "The analyst's decision on late-answer was not reached.",
        "The analyst's decision on nothing matches nothing in these contacts.",
    )


def test_every_mistake_in_a_file_of_decisions_is_named_at_once(tmp_path: Path) -> None:
    file = tmp_path / "pins.toml"
    file.write_text(
        '[[step]]\nat = ["login"]\npin = true\n[[step]]\npin = true\n[[step]]\nmode = "a"\npin = true\nprune = true\n[[step]]\nmode = "b"\nkeep = true\n'
    )
    with pytest.raises(UsageError) as caught:
        Pins.read(file)
    assert len(caught.value.problems) == 4
    assert "must be written 'dimension=value': login" in caught.value.problems[0]
    file.write_text(f'[[step]]\nat = ["{P}"]\nnote = "one"\n[[step]]\nat = ["{P}"]\npin = true\n')
    with pytest.raises(UsageError, match="more than once: category=login"):
        Pins.read(file)
    with pytest.raises(UsageError, match="cannot be read"):
        Pins.read(tmp_path / "none.toml")
    file.write_text("[[step")
    with pytest.raises(UsageError, match=r"pins\.toml cannot be read"):
        Pins.read(file)


# Attributes


@pytest.mark.parametrize("story", ["attribute", "exposure", "mechanism", "diffuse"])
def test_exposure_rate_and_what_is_common_sum_to_the_change(story: str) -> None:
    frame = desk(story=story, contacts=3000).with_columns(hold=pl.when(pl.col("week") % 4 > 0).then("hold"))
    made = answers(frame, attributes=ATTRIBUTES, failed="failed", later="later")
    sums = made.rows.select(pl.sum_horizontal("exposure", "rate", "common", "unknown")).to_series()
    assert (sums - made.total).abs().max() < 1e-12
    assert made.rows.filter(attribute="hold")["unknown"].abs().min() > 0


def test_on_contacts_that_nothing_happened_to_hardly_any_answer_is_named() -> None:
    named = [
        answers(desk(story="none", seed=seed, contacts=3000), attributes=ATTRIBUTES, failed="failed", later="later").rows["named"].any()
        for seed in range(40)
    ]
    assert sum(named) <= 4


def test_what_is_not_known_of_a_contact_is_no_answer() -> None:
    frame = desk(story="attribute").with_columns(hold=pl.when(pl.col("hold") == "short").then("hold"))
    assert answers(frame, attributes=["hold"], failed="failed", later="later").rows.is_empty()


def test_rare_values_are_pooled_and_never_named() -> None:
    frame = desk(story="attribute").with_columns(
        hold=pl.when(pl.col("hold") == "long").then(pl.format("x{}", pl.int_range(pl.len()))).otherwise("hold")
    )
    rows = answers(frame, attributes=["hold"], failed="failed", later="later").rows
    assert set(rows["value"]) == {OTHERS, "short"}
    assert not rows.filter(value=OTHERS)["named"].any()


# Places in words


def test_places_are_read_back_with_what_is_not_known_and_what_was_pooled() -> None:
    frame = pl.DataFrame({"tier": ["gold"] * 60 + ["rare", None]})
    counts = [frame.filter(holds(frame, [f"tier={value}"])).height for value in ("gold", OTHERS, NOT_KNOWN, "nothing")]
    assert counts == [60, 1, 1, 0]
    assert frame.filter(holds(frame, [])).height == 62
    assert frame.filter(holds(frame, ["colour=red"])).height == 0


def test_a_place_in_one_line_is_taken_apart_at_conditions_only() -> None:
    columns = ["topic", "tier"]
    assert conditions("topic=a and b and tier=x=y", columns=columns) == ["topic=a and b", "tier=x=y"]
    assert conditions("topic=a and colour=red", columns=columns) is None
    assert conditions("no condition", columns=columns) is None


@pytest.mark.parametrize(
    ("broken", "error"),
    [
        (lambda frame: frame.drop("mode"), UsageError),
        (lambda frame: frame.with_columns(failed=pl.lit("no")), UsageError),
        (lambda frame: frame.with_columns(_hit=1), UsageError),
        (lambda frame: frame.with_columns(failed=pl.lit(None, pl.Boolean)), DataError),
    ],
)
def test_frames_that_cannot_be_asked_are_refused(broken: Callable[[pl.DataFrame], pl.DataFrame], error: type[Exception]) -> None:
    with pytest.raises(error):
        ask(broken(desk(contacts=500)))
