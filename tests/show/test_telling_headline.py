"""Do the sentences on the rate claim no more than the numbers do?"""

from __future__ import annotations

from dataclasses import replace

import polars as pl

from fcrlib.intake.demo import invent
from fcrlib.intake.redact import redact
from fcrlib.judge.outcomes import REASONS as FAILURES
from fcrlib.judge.rates import stand_apart
from fcrlib.model.period import Period
from fcrlib.model.policy import Policy
from fcrlib.show.names import slug
from fcrlib.show.telling import headline
from fcrlib.study import Study

STUDY = Study.of(redact(invent(contacts=3000)), policy=Policy(), period=Period.parse("2026Q3"))


def segments(*shares: float | None, half: float = 0.02) -> pl.DataFrame:
    frame = pl.DataFrame(
        {"team": [f"team {n}" for n in range(len(shares))], "share": shares, "n": [200] * len(shares)}, schema_overrides={"share": pl.Float64}
    )
    return stand_apart(frame.with_columns(low=pl.col("share") - half, high=pl.col("share") + half), whole=0.7)


def spread(frame: pl.DataFrame) -> str:
    return headline.spread(frame, by="team", noun="team", overall=0.7)


def test_a_segment_is_named_only_when_it_stands_clearly_apart() -> None:
    assert spread(segments(0.6, 0.7, 0.72)) == "Team 0 resolves least on first contact: 60.0 % against 70.0 % of all"
    assert spread(segments(0.7, 0.7, 0.8)) == "Team 2 resolves most on first contact: 80.0 % against 70.0 % of all"
    assert spread(segments(0.68, 0.7, 0.71)).startswith("No team stands clearly apart")


def test_among_many_segments_the_same_gap_is_no_longer_clear() -> None:
    assert "least" in spread(segments(0.675, 0.7))
    assert "No team" in spread(segments(0.675, *[0.7] * 30))


def test_blank_segments_are_not_compared() -> None:
    assert spread(segments(0.6, None, None)).startswith("This desk does not tell one team from another")


def test_every_reason_has_words() -> None:
    assert set(FAILURES) <= set(headline.REASONS)
    used = STUDY.outcomes["reason"].drop_nulls().unique().to_list()
    assert set(used) <= set(headline.REASONS)


def test_the_headline_states_the_share_and_its_interval_and_n() -> None:
    head, kpi, *_ = headline.headline(STUDY)
    assert head.role == "headline"
    assert f"{STUDY.headline['n']:,}" in head.statement
    assert "95 % interval" in head.statement
    assert kpi.measure is not None
    assert kpi.measure.n == STUDY.headline["n"]


def test_without_an_earlier_period_nothing_is_compared() -> None:
    first = replace(STUDY, period=Period.parse("2025Q3"))
    head = headline.headline(first)[0]
    assert "There is no earlier period" in head.statement
    assert not any(word in head.title for word in ("fell", "rose", "held"))


def test_what_the_desk_cannot_see_is_not_known_rather_than_zero() -> None:
    blind = replace(STUDY, desk=replace(STUDY.desk, manifest=STUDY.desk.manifest.model_copy(update={"capabilities": frozenset({"has_customer"})})))
    reopened = next(found for found in headline.headline(blind) if found.id == "reopened")
    assert reopened.measure is not None
    assert reopened.measure.value is None
    assert any(found.id == "care-missing" for found in headline.cautions(blind))


def test_cautions_say_what_is_pending_and_who_is_unknown() -> None:
    told = {found.id: found.title for found in headline.cautions(STUDY)}
    assert "pending" in told["care-pending"]
    assert "name a customer" in told["care-identity"]


def test_nothing_judged_is_said_and_not_divided() -> None:
    waiting = replace(STUDY, outcomes=STUDY.outcomes.with_columns(label=pl.lit("pending").cast(STUDY.outcomes.schema["label"])))
    assert headline.headline(waiting)[0].title == "No contact in 2026Q3 can be judged yet"


def test_two_names_never_share_an_id() -> None:
    names = ["Billing", "billing", "billing!", "bill ing", "日本語", "日本", "<b>", "Ä", "A"]
    assert len({slug(name) for name in names}) == len(names)


def test_a_rate_of_a_handful_is_not_given() -> None:
    few = Study.of(redact(invent(contacts=300)), policy=Policy(), period=Period.parse("2026-08-01..2026-08-14"))
    told = headline.headline(few)
    assert told[0].title.startswith("Too few contacts")
    kept = next(found.measure for found in told if found.id == "fcr")
    assert kept is not None
    assert kept.value is None


def test_what_a_desk_cannot_see_makes_the_rate_a_ceiling() -> None:
    manifest = STUDY.desk.manifest.model_copy(update={"capabilities": STUDY.desk.manifest.capabilities - {"has_customer"}})
    blind = replace(STUDY, desk=replace(STUDY.desk, manifest=manifest))
    assert headline.headline(blind)[0].title.startswith("At most ")


def test_without_a_window_periods_are_not_compared() -> None:
    timeless = STUDY.with_policy(Policy().revised(window="none"))
    assert timeless.before() is None
    told = headline.headline(timeless)[0]
    assert "cannot be compared" in told.statement
    assert "rose" not in told.title
    assert "fell" not in told.title
