"""Are handovers, promises, escalations and busy hours told as they were?"""

from __future__ import annotations

from datetime import timedelta

import polars as pl
from histories import START, YEAR, desk_of, move, says, study_of

from fcrlib.explain import hands
from fcrlib.intake.demo import Cause, Truth
from fcrlib.model.desk import Desk, Manifest
from fcrlib.model.period import Period
from fcrlib.model.policy import Policy
from fcrlib.show.telling import failure_modes as tell
from fcrlib.signs.traces import handovers
from fcrlib.study import Study

STUDY = study_of()


def test_what_is_lost_with_handovers_is_what_the_planted_search_costs() -> None:
    frame = hands.per_transfer(STUDY)
    assert frame["handovers"].to_list() == ["0", "1", "2", "3 or more"]
    assert frame["n"].sum() <= STUDY.contacts.height
    assert frame["lost"][0] is None
    assert frame["lost_high"][2] < 0
    assert frame["matched"].drop_nulls().is_between(0, 1).all()


def test_handovers_of_contacts_that_are_only_harder_show_no_clear_loss() -> None:
    truth = Truth(base=0.2, causes=(), reopened_topics={}, new_topics={})
    study = study_of(truth=truth, contacts=6_000)
    even = pl.col("contact_id").hash(5) % 4 == 0
    label = (
        pl.when(pl.col("label").is_in(["failed", "resolved"]))
        .then(pl.when(even).then(pl.lit("failed")).otherwise(pl.lit("resolved")))
        .otherwise("label")
    )
    blind = Study.of(study.desk, policy=study.policy, period=YEAR, outcomes=study.outcomes.with_columns(label.alias("label")))
    assert hands.per_transfer(blind)["clear"].sum() == 0


def test_hours_and_backlogs_add_up_and_an_even_desk_shows_none_apart() -> None:
    study = study_of(truth=Truth.nothing(), seed=11)
    frame = hands.load(study)
    sums = frame.group_by("split").agg(pl.col("n").sum()).sort("split")["n"].to_list()
    assert sums[1] >= sums[0] > 0
    assert frame.filter(pl.col("split") == "backlog")["level"].to_list() == ["1", "2", "3", "4", "5"]
    assert frame["apart"].sum() <= 1


def test_the_backlog_of_a_team_counts_what_is_open_and_nothing_else() -> None:
    opened = [START + timedelta(hours=hour) for hour in (0, 1, 2, 30)]
    contacts = pl.DataFrame(
        {
            "source": ["zd"] * 4, "contact_id": list("1234"), "customer_ref": list("abcd"), "opened_at": opened, "status": ["solved"] * 4,
            "first_resolved_at": [moment + timedelta(hours=5) for moment in opened], "channel": ["email"] * 4, "initiated_by": ["customer"] * 4,
            "resolved_by": ["human"] * 4, "first_group": ["x", "x", "y", "x"],
        }
    )  # fmt: skip
    manifest = Manifest(source="zd", reader="test", reader_version="1", data_start=START - timedelta(days=1), data_end=START + timedelta(days=60))
    study = Study.of(Desk.build(manifest, contacts=contacts), policy=Policy(), period=Period.parse("2026-03"))
    assert dict(hands._backlog(study).select("contact_id", "backlog").iter_rows()) == {"1": 0, "2": 1, "3": 0, "4": 0}


def test_bounces_name_the_planted_wait_first() -> None:
    study = study_of(truth=Truth(base=0.1, causes=(Cause({"category": "billing"}, 0.4, "approval-wait"),)), contacts=6_000)
    frame = hands.bounces(study)
    assert frame.height == 5
    assert frame.select("category", "reason").row(0) == ("billing", "waits at approvals and comes back")
    assert frame["n"].is_sorted(descending=True)
    assert handovers(study.desk, study.first_contacts).height > frame["n"].sum()


def test_an_escalation_that_comes_back_is_told_from_one_that_was_needed() -> None:
    raised = move(2, "first", "experts", kind="escalation")
    for resolver, outcome in (("experts", hands.ABOVE), ("first", hands.BACK), ("other", hands.ELSEWHERE)):
        desk, _ = desk_of(raised, resolver_group=resolver)
        frame = hands.escalations(Study.of(desk, policy=Policy(zero_touch="count"), period=Period.parse("2026-03")))
        assert frame.filter(pl.col("n") == 1)["outcome"].to_list() == [outcome]
    desk, _ = desk_of()
    assert hands.escalations(Study.of(desk, policy=Policy(zero_touch="count"), period=Period.parse("2026-03"))).is_empty()


def test_promises_are_kept_by_a_message_that_follows() -> None:
    promise = says(2, "We'll get back to you.")
    for more, kept in (([], 0), ([says(25, "Here it is.")], 1), ([says(31, "Too late.")], 0)):
        desk, _ = desk_of(promise, *more)
        frame = hands.promises(Study.of(desk, policy=Policy(zero_touch="count"), period=Period.parse("2026-03")))
        assert dict(frame.select("promise", "n").iter_rows()) == {hands.KEPT: kept, hands.BROKEN: 1 - kept}


def test_an_hour_that_stands_apart_is_named() -> None:
    rows = {"split": ["hour"] * 2, "level": ["08", "09"], "share": [0.4, 0.7], "low": [0.35, 0.6], "high": [0.45, 0.8], "apart": [True, False]}
    assert (
        tell.pressure(pl.DataFrame(rows), split="hour")
        == "Stands apart: contacts that start at 08:00 to 08:59, 40.0 % resolved at once (35.0 to 45.0 %)"
    )
    calm = pl.DataFrame({**rows, "apart": [False, False]})
    assert (
        tell.pressure(calm, split="hour")
        == "No hour of the day stands apart: none of the 2 compared differs from all together by more than chance would"
    )


def test_where_a_handover_is_a_failure_by_itself_nothing_is_compared() -> None:
    desk, _ = desk_of(move(2, "first", "experts"))
    frame = hands.per_transfer(Study.of(desk, policy=Policy(zero_touch="count", transfer="any"), period=Period.parse("2026-03")))
    assert frame["counted"].all()
    assert frame["lost"].null_count() == frame.height
    assert tell.transfers(frame).startswith("This definition takes a handover for a failure by itself")
    assert not hands.per_transfer(STUDY)["counted"].any()


def test_a_single_contact_is_told_in_the_singular() -> None:
    desk, _ = desk_of(move(2, "first", "experts", kind="escalation"), says(3, "We'll get back to you."), resolver_group="first")
    study = Study.of(desk, policy=Policy(zero_touch="count"), period=Period.parse("2026-03"))
    assert tell.raised(hands.escalations(study)).startswith("1 of 1 escalated contact (100.0 %, ")
    assert tell.promised(hands.promises(study)).startswith("Of 1 contact in which an agent promised to be in touch, 1 shows no message")
