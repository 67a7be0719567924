"""Do the scorecards find the team and the agent that differ, and leave luck and hard contacts alone?"""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import numpy as np
import polars as pl
import pytest

from fcrlib.explain import scorecards
from fcrlib.intake.demo import Truth, invent
from fcrlib.model.desk import Desk, Manifest
from fcrlib.model.period import Period
from fcrlib.model.policy import Policy
from fcrlib.model.tables import CAPABILITIES
from fcrlib.show.telling import scorecards as telling
from fcrlib.study import Study

START = datetime(2026, 7, 1, tzinfo=UTC)
END = datetime(2026, 12, 1, tzinfo=UTC)
PERIOD = Period.parse("2026Q3")


def desk_of(contacts: pl.DataFrame, **tables: pl.DataFrame) -> Desk:
    """A desk of contacts of one customer each, spread over the quarter and resolved by a human after two hours, unless said otherwise."""
    opened = pl.lit(START) + pl.duration(minutes=pl.int_range(pl.len()) * (80 * 1440) // pl.len())
    usual = {
        "source": pl.lit("x"), "contact_id": pl.format("{}", pl.int_range(pl.len())), "customer_ref": pl.format("c{}", pl.int_range(pl.len())),
        "opened_at": opened, "first_resolved_at": opened + timedelta(hours=2), "status": pl.lit("solved"), "initiated_by": pl.lit("customer"),
        "resolved_by": pl.lit("human"), "channel": pl.lit("email"), "category": pl.lit("billing"),
    }  # fmt: skip
    manifest = Manifest(
        source="x",
        reader="test",
        reader_version="1",
        data_start=START - timedelta(days=30),
        data_end=END,
        capabilities=frozenset(CAPABILITIES) - {"has_messages"},
    )
    filled = contacts.with_columns(**{name: value for name, value in usual.items() if name not in contacts.columns})
    return Desk.build(manifest, contacts=filled, **tables)


def study_of(contacts: pl.DataFrame, chance: np.ndarray, *, seed: int = 1, reason: str = "repeat_contact", **tables: pl.DataFrame) -> Study:
    """A study in which each contact is resolved with its own chance, in the order given."""
    study = Study.of(desk_of(contacts, **tables), policy=Policy(), period=PERIOD)
    solved = np.random.Generator(np.random.PCG64(seed)).random(contacts.height) < chance
    fates = pl.DataFrame({"contact_id": [str(place) for place in range(contacts.height)], "solved": solved})
    outcomes = study.outcomes.join(fates, on="contact_id", how="left", maintain_order="left")
    missed = ~pl.col("solved")
    outcomes = outcomes.with_columns(
        label=pl.when(missed).then(pl.lit("failed")).otherwise(pl.lit("resolved")).cast(outcomes.schema["label"]),
        reason=pl.when(missed).then(pl.lit(reason)),
        reasons=pl.when(missed).then(pl.lit([reason])).otherwise(pl.lit([], dtype=pl.List(pl.String))),
    )
    return replace(study, outcomes=outcomes.drop("solved"))


def crew(agents: int, each: int, **columns: object) -> pl.DataFrame:
    """Contacts of many agents of one team."""
    names = [f"agent-{place:03}" for place in range(agents)]
    return pl.DataFrame({"resolver_agent": np.repeat(names, each)}).with_columns(
        first_group=pl.lit("desk"), resolver_group=pl.lit("desk"), **{name: pl.lit(value) for name, value in columns.items()}
    )


def shifts(**sizes: int) -> pl.DataFrame:
    """Contacts of several teams, each first handled and resolved by the team."""
    names = np.repeat(list(sizes), list(sizes.values()))
    return pl.DataFrame({"first_group": names, "resolver_group": names})


def test_among_200_identical_agents_fewer_than_one_is_flagged() -> None:
    contacts = crew(200, 150)
    cards = [scorecards.agents(study_of(contacts, np.full(contacts.height, 0.72), seed=seed)) for seed in range(4)]
    assert [card.height for card in cards] == [200] * 4
    assert np.mean([card["flagged"].sum() for card in cards]) < 1


def test_a_planted_bad_agent_is_flagged_and_comes_first() -> None:
    contacts = crew(40, 150)
    chance = np.where(contacts["resolver_agent"] == "agent-007", 0.5, 0.72)
    card = scorecards.agents(study_of(contacts, chance), named=True)
    assert card.filter("flagged")["agent"].to_list() == ["agent-007"]
    assert card["agent"][0] == "agent-007"
    assert card["share"][0] < card["funnel_low"][0]
    assert telling.crowd(card) == "Of the 40 agents with enough contacts, 1 stands apart"


def test_agents_have_no_names_unless_asked_for() -> None:
    contacts = crew(12, 120)
    study = study_of(contacts, np.full(contacts.height, 0.7))
    card, named = scorecards.agents(study), scorecards.agents(study, named=True)
    assert set(card["agent"]) == {f"agent {place}" for place in range(1, 13)}
    assert not card["agent"].is_in(named["agent"].implode()).any()
    order = named.with_columns(card["agent"].alias("alias")).sort("agent")["alias"].to_list()
    assert order != sorted(order, key=lambda alias: int(alias.split()[1]))
    assert scorecards.agents(study)["agent"].to_list() == card["agent"].to_list()


def test_who_sits_where_hard_contacts_are_handed_to_is_held_against_colleagues() -> None:
    hard = crew(6, 300).with_columns(resolver_group=pl.lit("specialists"), resolver_agent=pl.concat_str(pl.lit("s-"), "resolver_agent"))
    contacts = pl.concat([crew(20, 300), hard])
    card = scorecards.agents(study_of(contacts, np.where(contacts["resolver_group"] == "specialists", 0.42, 0.74)), named=True)
    assert not card["flagged"].any()
    assert card.filter(pl.col("agent").str.starts_with("s-"))["moved"].to_list() == [1.0] * 6


def test_fewer_than_100_contacts_say_nothing_about_an_agent() -> None:
    contacts = pl.concat([crew(5, 150), crew(3, 99).with_columns(resolver_agent=pl.concat_str(pl.lit("new-"), "resolver_agent"))])
    card = scorecards.agents(study_of(contacts, np.full(contacts.height, 0.7)), named=True)
    few = card.filter("too_few")
    assert few["agent"].str.starts_with("new-").to_list() == [True] * 3
    assert few.select(pl.col("share", "flagged", "look").is_null().all()).row(0) == (True, True, True)
    assert "(3 more have too few contacts)" in telling.crowd(card)


def test_a_planted_bad_team_is_flagged_and_becomes_a_place_to_look() -> None:
    contacts = shifts(north=600, south=600, east=600, west=600, uphill=600, downhill=600)
    cards = [scorecards.teams(study_of(contacts, np.where(contacts["first_group"] == "west", 0.55, 0.72), seed=seed)) for seed in range(8)]
    assert [card.filter(pl.col("team") == "west")["flagged"][0] for card in cards] == [True] * 8
    assert np.mean([card.filter(pl.col("team") != "west")["flagged"].sum() for card in cards]) < 0.5
    places = [telling.places(card, figure="team-spread") for card in cards]
    assert [[place.id for place in found] for found in places] == [["team-below-west"]] * 8
    assert all(telling.standing(card).startswith("West resolves ") for card in cards)
    assert places[0][0].measure is not None
    assert places[0][0].measure.high < cards[0].filter(pl.col("team") == "west")["expected"][0]


def test_a_team_with_hard_contacts_is_not_flagged_and_stands_level_at_the_same_mix() -> None:
    contacts = shifts(north=900, south=900, west=900)
    hard = np.random.Generator(np.random.PCG64(3)).random(contacts.height) < np.where(contacts["first_group"] == "west", 0.9, 0.2)
    contacts = contacts.with_columns(category=pl.Series(np.where(hard, "outage", "billing")))
    study = study_of(contacts, np.where(hard, 0.45, 0.8))
    card, level = scorecards.teams(study), scorecards.adjusted(study)
    raw = dict(card.select("team", "share").iter_rows())
    assert raw["west"] < raw["north"] - 0.15
    assert not card["flagged"].any()
    assert not level["apart"].any()
    spread = level.select(raw=pl.col("share").max() - pl.col("share").min(), left=pl.col("adjusted").max() - pl.col("adjusted").min()).row(0)
    assert spread[1] < spread[0] / 3
    assert telling.standing(card) == "No team resolves clearly more or less than its contacts would lead one to expect"
    assert telling.level(level, noun="team") == "At the same mix of contacts, no team stands clearly apart"


def test_the_adjusted_share_is_the_whole_times_observed_over_expected() -> None:
    contacts = shifts(north=400, south=300, tiny=12).with_columns(tier=pl.when(pl.int_range(pl.len()) % 3 == 0).then(pl.lit("gold")))
    study = study_of(contacts, np.where(contacts["tier"] == "gold", 0.5, 0.8))
    level = scorecards.adjusted(study)
    whole = study.headline["share"]
    known = level.drop_nulls("adjusted")
    assert known["adjusted"].to_list() == pytest.approx((whole * known["share"] / known["expected"]).to_list())
    assert (known["low"] < known["adjusted"]).all()
    assert level["n"].sum() == study.headline["n"]
    assert level.filter("too_few")["first_group"].to_list() == ["tiny"]
    assert known.select((pl.col("expected") * pl.col("n")).sum() / pl.col("n").sum()).item() == pytest.approx(whole, abs=0.02)


def test_a_repeat_is_charged_to_whoever_had_the_first_contact() -> None:
    day = [START + timedelta(days=days) for days in (1, 3, 5, 6)]
    contacts = pl.DataFrame(
        {
            "customer_ref": ["ann", "ann", "bob", "cy"],
            "opened_at": day,
            "first_resolved_at": [at + timedelta(hours=1) for at in day],
            "resolver_agent": ["first", "second", "second", "first"],
            "resolver_group": ["desk"] * 4,
        }
    )
    card = scorecards.agents(Study.of(desk_of(contacts), policy=Policy(), period=PERIOD), named=True)
    assert dict(card.select("agent", "n").iter_rows()) == {"first": 2, "second": 1}


def test_what_nobody_could_resolve_and_what_bots_resolved_is_charged_to_no_agent() -> None:
    contacts = crew(3, 200).with_columns(
        non_resolvable=pl.int_range(pl.len()) % 10 == 0,
        resolved_by=pl.when(pl.int_range(pl.len()) % 10 == 1).then(pl.lit("bot")).otherwise(pl.lit("human")),
    )
    robots = pl.DataFrame({"agent_id": ["agent-002"], "kind": ["bot"]})
    study = study_of(contacts, np.full(contacts.height, 0.7), agents=robots)
    card = scorecards.agents(study, named=True)
    assert dict(card.sort("agent").select("agent", "n").iter_rows()) == {"agent-000": 160, "agent-001": 160}
    views = scorecards.attribution(study)
    assert views.select("view", "n", "set_aside").rows() == [("customers", 600, 0), ("desk", 540, 60)]
    assert "without 60 contacts" in telling.two_views(views)


def test_contacts_whose_window_is_open_are_charged_to_nobody() -> None:
    contacts = crew(4, 150)
    study = study_of(contacts, np.full(contacts.height, 0.7))
    late = START + timedelta(days=47)
    early = Study.of(replace(study.desk, manifest=study.desk.manifest.model_copy(update={"data_end": late})), policy=Policy(), period=PERIOD)
    assert early.headline["pending"] > 0
    card = scorecards.agents(early)
    final = study.desk.contacts.filter(pl.col("first_resolved_at") + Policy().window <= late).height
    assert card["n"].sum() == final


def test_a_desk_without_teams_is_not_compared_and_says_so() -> None:
    study = study_of(pl.DataFrame({"priority": ["low"] * 60}), np.full(60, 0.7))
    for card, noun in ((scorecards.teams(study), "team"), (scorecards.agents(study), "agent")):
        assert card.is_empty()
        assert card.columns == [noun, *scorecards.NUMBERS]
        assert telling.standing(card, noun=noun) == f"This desk does not tell {noun}s apart, so they cannot be compared"
        assert telling.places(card, figure="x") == []
    assert telling.crowd(scorecards.agents(study)).startswith("This desk does not tell agents apart")
    assert telling.level(scorecards.adjusted(study), noun="team").startswith("This desk does not tell teams apart")


def test_a_level_that_is_all_one_way_falls_back_to_shares_of_cells() -> None:
    contacts = shifts(north=300, south=300).with_columns(
        category=pl.when(pl.int_range(pl.len()) % 5 == 0).then(pl.lit("spam")).otherwise(pl.lit("a"))
    )
    card = scorecards.teams(study_of(contacts, np.where(contacts["category"] == "spam", 0.0, 0.7)))
    assert card["method"].unique().to_list() == ["cell shares"]
    assert card["expected"].to_list() == pytest.approx([0.56, 0.56], abs=0.05)
    assert not card["flagged"].any()


def test_a_rare_level_that_is_all_one_way_is_merged_and_does_no_harm() -> None:
    contacts = shifts(north=300, south=300).with_columns(
        category=pl.when(pl.int_range(pl.len()) % 60 == 0).then(pl.lit("odd")).otherwise(pl.lit("a"))
    )
    card = scorecards.teams(study_of(contacts, np.where(contacts["category"] == "odd", 0.0, 0.7)))
    assert card["method"].unique().to_list() == ["model"]


def test_merged_levels_are_never_rare_themselves_and_unknown_is_a_level_of_its_own() -> None:
    frame = pl.DataFrame({"tier": ["a"] * 100 + ["b"] * 40 + ["c"] * 7 + ["d"] * 4 + [None] * 50}).sample(fraction=1, shuffle=True, seed=1)
    sizes = dict(scorecards._levels(frame, "tier").value_counts().iter_rows())
    assert sizes == {"a": 100, "(not known)": 50, "(all others)": 51}


def test_cells_give_the_expectation_that_single_contacts_give() -> None:
    from statsmodels.discrete.discrete_model import Logit

    contacts = shifts(north=500, south=500).with_columns(
        category=pl.Series(np.tile(["a", "b", "b", "c"], 250)), channel=pl.Series(np.tile(["email", "phone"], 500))
    )
    chance = np.where(contacts["category"] == "a", 0.5, 0.75) + np.where(contacts["channel"] == "phone", 0.1, 0.0)
    study = study_of(contacts, chance)
    judged = scorecards._charged(study)
    placed, method = scorecards._expected(judged, mix=scorecards.MIX)
    design = judged.select(pl.lit(1.0).alias("one"), pl.col("category").cast(pl.String), pl.col("channel").cast(pl.String))
    design = design.to_dummies(["category", "channel"], drop_first=True).to_numpy().astype(float)
    oracle = Logit(judged["is_resolved"].to_numpy().astype(float), design).fit(disp=0)
    assert method == "model"
    assert np.abs(placed["expected"].to_numpy() - oracle.predict()).max() < 1e-8


def test_satisfaction_is_the_last_answer_and_needs_ten_of_them() -> None:
    contacts = shifts(north=200, south=200)
    answers = pl.DataFrame(
        {
            "source": "x",
            "contact_id": [str(place) for place in (*range(20), 0, *range(200, 205))],
            "seq": [0] * 20 + [1] + [0] * 5,
            "answered_at": START,
            "csat": [1.0] * 12 + [0.75] * 3 + [0.5] * 5 + [0.0] + [1.0] * 5,
            "superseded": [True] + [False] * 25,
        },
        schema_overrides={"answered_at": pl.Datetime("us", "UTC")},
    )
    card = scorecards.teams(study_of(contacts, np.full(400, 0.7), surveys=answers)).sort("team")
    assert card.select("team", "csat", "csat_n").rows() == [("north", 0.7, 20), ("south", None, 5)]


def test_a_high_share_with_signs_of_early_closing_asks_for_a_look() -> None:
    contacts = crew(24, 200)
    gamer = pl.col("resolver_agent") == "agent-003"
    opened = pl.lit(START) + pl.duration(minutes=pl.int_range(pl.len()) * 20)
    hours = pl.when(gamer).then(timedelta(minutes=5)).otherwise(timedelta(hours=2))
    contacts = contacts.with_columns(opened_at=opened, first_resolved_at=opened + hours)
    study = study_of(contacts, np.where(contacts["resolver_agent"] == "agent-003", 0.88, 0.7))
    reopened = (pl.col("coaching_agent") == "agent-003") & (pl.col("label") == "failed")
    study = replace(study, outcomes=study.outcomes.with_columns(reasons=pl.when(reopened).then(pl.lit(["reopened"])).otherwise("reasons")))
    card = scorecards.agents(study, named=True)
    assert card.filter("look")["agent"].to_list() == ["agent-003"]
    assert telling.signs(card, noun="agent").startswith("One agent joins a high share")
    assert telling.signs(card.filter(~pl.col("look")), noun="agent").startswith("No agent joins")


def test_a_period_that_cannot_be_judged_yet_is_not_compared() -> None:
    contacts = shifts(north=60, south=60).with_columns(resolver_agent=pl.col("first_group"))
    study = study_of(contacts, np.full(120, 0.7))
    waiting = replace(study, outcomes=study.outcomes.with_columns(label=pl.lit("pending").cast(study.outcomes.schema["label"])))
    frames = [scorecards.teams(waiting), scorecards.agents(waiting), scorecards.adjusted(waiting)]
    assert [frame.height for frame in frames] == [0, 0, 0]
    assert scorecards.attribution(waiting).select("n", "share").rows() == [(0, None), (0, None)]
    assert telling.together(frames[2]) is None
    assert "not known" in telling.two_views(scorecards.attribution(waiting))


@pytest.mark.slow
def test_on_a_desk_with_nothing_planted_nobody_is_flagged() -> None:
    flagged = []
    for seed in range(3):
        desk = invent(seed=seed, contacts=12_000, truth=Truth.nothing())
        study = Study.of(desk, policy=Policy(), period=Period.parse("2025-07-01..2026-09-30"))
        card = scorecards.agents(study)
        assert (~card["too_few"]).sum() > 20
        flagged.append(int(card["flagged"].sum()))
    assert np.mean(flagged) < 1
