"""Do we hear what customers say, and what all of them would say?"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import polars as pl
import pytest

from fcrlib.explain import asked
from fcrlib.intake.demo import Response, Truth, answer_key, invent
from fcrlib.intake.redact import redact
from fcrlib.judge.rates import fcr, mature
from fcrlib.model.desk import Desk, Manifest
from fcrlib.model.errors import UsageError
from fcrlib.model.period import Period
from fcrlib.model.policy import Policy
from fcrlib.show.telling import asked as told
from fcrlib.study import Study

QUARTER = Period.parse("2026Q3")
KNOWN = frozenset({"has_survey", "has_customer", "has_category"})
SKEWED = Truth(response=Response(offered=0.9, rate=0.35, if_failed=-0.25, if_pleased=0.05))
STUDY = Study.of(redact(invent(seed=3, contacts=12_000, truth=SKEWED)), policy=Policy(), period=QUARTER)
FRAMES: list[Callable[[Study], pl.DataFrame]] = [
    asked.answers, asked.crossing, asked.agreement_of, asked.false_resolutions, asked.false_by, asked.estimates, asked.tilts, asked.bounds,
    asked.tipping_point, asked.weights, asked.balance, asked.plan, asked.quality, asked.effort,
]  # fmt: skip


def at(day: float) -> datetime:
    return datetime(2026, 7, 1, tzinfo=UTC) + timedelta(days=day)


def answer(contact: int, word: str | None, *, day: float | None = 5, seq: int = 0, **more: Any) -> dict[str, Any]:
    """One row of the survey; without a word or a day it is an offer."""
    given = at(day) if day is not None else None
    return {
        "source": "s",
        "contact_id": f"{contact:03}",
        "seq": seq,
        "offered_at": at(2),
        "answered_at": given,
        "resolved": word,
        "superseded": False,
        **more,
    }


def desk(rows: Sequence[dict[str, Any]], *, contacts: int = 40, failed: int = 0, **columns: Any) -> Study:
    """Contacts of one customer each, the first `failed` of them followed by another about the same: the story of a hand-made desk."""
    plain = {"source": "s", "status": "solved", "channel": "email", "category": "billing", "initiated_by": "customer", "resolved_by": "human"}
    first = [plain | {"contact_id": f"{n:03}", "customer_ref": f"c{n}", "opened_at": at(0), "first_resolved_at": at(1)} for n in range(contacts)]
    again = [row | {"contact_id": f"9{row['contact_id']}", "opened_at": at(3), "first_resolved_at": at(4)} for row in first[:failed]]
    texts: dict[str, Any] = dict.fromkeys(("resolved", "csat_scale"), pl.String)
    schema = texts | {"csat": pl.Float64, "ces": pl.Float64, "answered_at": pl.Datetime("us", "UTC")}
    tables = {"contacts": pl.DataFrame([*first, *again]).with_columns(**columns)}
    if rows:
        tables["surveys"] = pl.DataFrame(list(rows), schema_overrides=schema, infer_schema_length=None)
    manifest = Manifest(source="s", reader="hand", reader_version="1", data_start=at(-30), data_end=at(80), capabilities=KNOWN)
    return Study.of(Desk.build(manifest, **tables), policy=Policy(), period=QUARTER)


def row(frame: pl.DataFrame, **where: str) -> dict[str, Any]:
    return frame.filter(**where).row(0, named=True)


def told_all(study: Study) -> list[str]:
    """Everything the telling says about a study."""
    estimates, answers, tipping = asked.estimates(study), asked.answers(study), asked.tipping_point(study)
    false = asked.false_by(study)
    return [
        told.said(estimates, answers=answers),
        told.funnel(answers),
        told.gap(estimates),
        told.agreed(asked.crossing(study)),
        told.contradicted(false, by="category", noun="category"),
        told.tilted(asked.tilts(study)),
        *told.tips(tipping),
        told.bounded(asked.bounds(study)),
        told.weighed(asked.weights(study)),
        told.planned(asked.plan(study)),
        told.liked(asked.quality(study)),
        told.laboured(asked.effort(study)),
        *(found.title for found in told.findings(estimates, figure="x")),
        *(found.title for found in told.cautions(estimates, tipping=tipping)),
    ]


def test_the_last_answer_that_stands_counts_and_an_offer_is_none() -> None:
    rows = [
        answer(0, "no", day=3), answer(0, "yes", day=6, seq=1),
        answer(1, "yes", day=3), answer(1, "no", day=6, seq=1, superseded=True),
        answer(2, None, day=None),
        answer(3, "partly", day=3), answer(3, None, day=4, seq=1, csat=1.0),
        answer(4, "yes", day=30),
        answer(5, None, day=None), answer(5, "yes", day=3, seq=1),
    ]  # fmt: skip
    found = asked.linked(desk(rows, contacts=8))
    assert found["answer"].to_list() == ["yes", "yes", None, "partly", "yes", "yes", None, None]
    assert found["offered"].to_list() == [True] * 6 + [False] * 2
    assert found["csat"].to_list()[3] == 1.0
    whole = asked.answers(desk(rows, contacts=8)).row(0, named=True)
    assert (whole["contacts"], whole["asked"], whole["n"], whole["late"]) == (8, 6, 5, 1)
    assert whole["response"] == pytest.approx(5 / 6)
    assert whole["too_few"]
    assert whole["share"] is None


def test_the_funnel_adds_up_over_the_channels() -> None:
    found = asked.answers(STUDY)
    whole, parts = found.row(0, named=True), found.tail(-1)
    assert found["channel"][0] == "all"
    for column in ("contacts", "asked", "n", "late"):
        assert parts[column].sum() == whole[column]
    assert whole["contacts"] == STUDY.first_contacts.height
    assert whole["share"] + whole["partly"] + whole["no"] == pytest.approx(1)
    assert whole["low"] < whole["share"] < whole["high"]
    assert whole["response_low"] < whole["response"] < whole["response_high"]


def test_a_desk_that_records_no_offers_has_no_response_rate() -> None:
    study = desk([answer(n, "yes") for n in range(35)])
    whole = asked.answers(study).row(0, named=True)
    assert (whole["asked"], whole["response"], whole["n"]) == (None, None, 35)
    assert asked.plan(study)["own"].any() is False
    assert "is not recorded" in told.funnel(asked.answers(study))


def test_what_the_system_calls_resolved_and_the_customer_does_not_is_listed() -> None:
    rows = [answer(0, "no"), answer(1, "no"), answer(2, "partly", day=6), answer(3, "no", day=4), answer(4, "yes"), answer(5, None, day=None)]
    study = desk(rows, failed=1)  # contact 0 came back: there both agree
    found = asked.false_resolutions(study)
    assert found["contact_id"].to_list() == ["001", "003", "002"]
    assert found["days"].to_list() == [4.0, 3.0, 5.0]
    assert asked.false_resolutions(study, most=1)["contact_id"].to_list() == ["001"]
    assert asked.false_by(study).select("n", "false", "too_few").row(0) == (4, 3, True)
    cross = asked.crossing(study)
    assert cross.select("system", "customer", "n").rows() == [
        ("resolved", "resolved", 1), ("not resolved", "not resolved", 1), ("resolved", "not resolved", 3), ("not resolved", "resolved", 0),
    ]  # fmt: skip
    assert cross["share"].sum() == pytest.approx(1)
    assert cross["weighted"].sum() == pytest.approx(1)


def test_agreement_reads_the_table_both_ways() -> None:
    cross = {(one["system"], one["customer"]): one for one in asked.crossing(STUDY).to_dicts()}
    found = asked.agreement_of(STUDY)
    for value, name in (("n", "value"), ("weighted", "weighted")):
        yes, false = (cross["resolved", word][value] for word in ("resolved", "not resolved"))
        missed = cross["not resolved", "resolved"][value]
        assert row(found, measure="ppv")[name] == pytest.approx(yes / (yes + false))
        assert row(found, measure="sensitivity")[name] == pytest.approx(yes / (yes + missed))
    known = found.drop_nulls("value")
    assert (known["low"] < known["value"]).all()
    assert (known["value"] < known["high"]).all()
    assert found["p"].is_not_null().sum() == 1


def test_the_estimates_say_what_the_headline_says_and_weighing_agrees_with_joining() -> None:
    found = asked.estimates(STUDY)
    assert found["estimator"].to_list() == list(told.ESTIMATORS)
    final = fcr(mature(STUDY.contacts)).row(0, named=True)
    assert row(found, estimator="system")["est"] == pytest.approx(final["share"])
    assert found["n"].unique().to_list() == [final["n"]]
    assert found["rests_on"].to_list() == [final["n"], *found["respondents"].to_list()[1:]]
    joined = row(found, estimator="together")["est"]
    for name in asked.METHODS:
        assert row(found, estimator=f"survey, {name}")["est"] == pytest.approx(joined, abs=0.01)


def would_say(study: Study, key: pl.DataFrame) -> float:
    """Share of the contacts with a final verdict whose customer would say yes: 88 % where the contact was resolved at once, 25 % where not."""
    rows = mature(study.contacts).join(key, on="contact_id", validate="1:1")
    return float(rows.select((0.88 - 0.63 * pl.col("fails").cast(pl.Float64)).mean()).item())


def test_both_together_come_nearer_to_what_all_would_say_than_the_survey_alone() -> None:
    truth = would_say(STUDY, answer_key(seed=3, contacts=12_000, truth=SKEWED))
    found = {one["estimator"]: one for one in asked.estimates(STUDY).to_dicts()}
    assert found["survey"]["est"] - truth > 0.06
    assert abs(found["together"]["est"] - truth) < 0.045
    assert found["together"]["low"] < truth < found["together"]["high"]
    assert not found["survey"]["low"] < truth < found["survey"]["high"]


@pytest.mark.slow
def test_over_many_desks_both_together_cover_what_all_would_say() -> None:
    hits, gaps = 0, []
    for seed in range(30):
        study = Study.of(redact(invent(seed=seed, contacts=5_000, truth=SKEWED)), policy=Policy(), period=Period.parse("2025-07-01..2026-09-30"))
        truth = would_say(study, answer_key(seed=seed, contacts=5_000, truth=SKEWED))
        found = row(asked.estimates(study), estimator="together")
        hits += found["low"] <= truth <= found["high"]
        gaps.append(found["est"] - truth)
    assert hits >= 25
    assert abs(sum(gaps) / len(gaps)) < 0.01


def test_when_customers_answer_by_chance_survey_and_both_agree() -> None:
    fair = Truth(response=Response(offered=0.9, rate=0.4, if_failed=0.0, if_pleased=0.0))
    found = asked.estimates(Study.of(redact(invent(seed=5, contacts=12_000, truth=fair)), policy=Policy(), period=QUARTER))
    raw, joined = (row(found, estimator=name) for name in ("survey", "together"))
    assert raw["est"] == pytest.approx(joined["est"], abs=0.025)
    assert joined["high"] - joined["low"] < raw["high"] - raw["low"]


def test_the_tilt_moves_the_estimate_and_the_tipping_point_lies_where_it_crosses() -> None:
    found, tips = asked.tilts(STUDY), asked.tipping_point(STUDY)
    assert found["tilt"].to_list() == list(asked.TILTS)
    assert found["est"].is_sorted()
    assert found.filter(tilt=0.0)["est"][0] == pytest.approx(row(asked.estimates(STUDY), estimator="together")["est"])
    assert "1.5 times as likely (odds) to have been resolved" in found.filter(tilt=0.4)["meaning"][0]
    assert "1.5 times as likely (odds) to be unresolved" in found.filter(tilt=-0.4)["meaning"][0]
    assert tips["against"].to_list() == ["system", "survey"]
    back = asked.tilts(STUDY, tilt=tips["tilt"].to_list()).filter(pl.col("tilt") != 0).sort("est")
    assert back["est"].to_list() == pytest.approx(sorted(tips["threshold"].to_list()))
    assert asked.tipping_point(STUDY, threshold=0.999)["tilt"].to_list() == [None]
    assert asked.tipping_point(STUDY, threshold=0.999)["meaning"][0] == "no difference gets there"


def test_without_any_belief_the_bounds_hold_every_tilt() -> None:
    bounds, tilts = asked.bounds(STUDY).row(0, named=True), asked.tilts(STUDY)
    assert bounds["width"] == pytest.approx(1 - bounds["respondents"] / bounds["n"])
    assert bounds["highest"] - bounds["lowest"] == pytest.approx(bounds["width"])
    assert tilts["est"].is_between(bounds["lowest"], bounds["highest"]).all()


def test_weighing_mends_the_verdict_and_says_what_it_costs() -> None:
    found, mended = asked.weights(STUDY), asked.balance(STUDY)
    assert found["method"].to_list() == list(asked.METHODS)
    assert (found["effective"] < found["respondents"]).all()
    assert (found["largest"] > 1).all()
    system = mended.filter(variable="system")
    assert sorted(system["level"]) == ["failed", "resolved"]
    assert (system["before"].abs() > 0.1).all()
    assert (system["after"].abs() < 1e-9).all()


def test_the_plan_needs_fewer_when_more_answer() -> None:
    found = asked.plan(STUDY)
    assert found.height == 12
    assert found["own"].sum() == 3
    at_three = found.filter(pl.col("half_width") == 0.03).sort("response")
    assert at_three["answers"].n_unique() == 1
    assert at_three["ask"].is_sorted(descending=True)
    assert (at_three["ask"] * at_three["response"] >= at_three["answers"] - 1e-6).all()
    volume = at_three["ask"] / at_three["weeks"]
    assert volume.to_list() == pytest.approx([STUDY.first_contacts.height / (92 / 7)] * 4, rel=1e-3)


def test_ratings_on_different_scales_are_never_put_together() -> None:
    stars = [answer(n, "yes", csat=0.75 if n % 2 else 0.5, csat_scale="1-5") for n in range(32)]
    study = desk([*stars, *(answer(n, "yes", csat=1.0, csat_scale="good-bad") for n in range(32, 40))], failed=8)
    whole = asked.quality(study).row(0, named=True)
    assert (whole["n"], whole["scale"], whole["left_out"]) == (32, "1-5", 8)
    assert whole["fcr"] == pytest.approx(24 / 32)
    assert whole["top"] == pytest.approx(16 / 32)
    assert whole["share"] == pytest.approx(12 / 32)


def test_effort_is_compared_between_resolved_and_failed() -> None:
    study = desk([answer(n, "yes", ces=6.0 if n < 4 else 2.0 + n % 2) for n in range(40)], failed=4)
    found = asked.effort(study)
    assert found.select("verdict", "n").rows() == [("resolved", 36), ("failed", 4), ("difference", 40)]
    assert found["mean"].to_list() == pytest.approx([2.5, 6.0, 3.5])
    half = found["high"][0] - found["mean"][0]
    assert half == pytest.approx(2.0301 * (0.25 / 35) ** 0.5, rel=1e-4)  # t(35) times the classical standard error
    assert "a difference of 3.5" in told.laboured(found)


@pytest.mark.parametrize("frame", FRAMES, ids=lambda one: one.__name__)
def test_a_desk_without_a_survey_leaves_the_frame_empty_and_its_columns_as_they_are(frame: Callable[[Study], pl.DataFrame]) -> None:
    manifest = STUDY.desk.manifest
    blind = replace(STUDY, desk=replace(STUDY.desk, manifest=manifest.model_copy(update={"capabilities": manifest.capabilities - {"has_survey"}})))
    assert frame(blind).is_empty()
    assert frame(blind).schema == frame(STUDY).schema
    assert frame(STUDY).height > 0


EDGES = {
    "no answer": lambda: desk([answer(0, None, day=None)]),
    "no row": lambda: desk([]),
    "one answer": lambda: desk([answer(0, "yes", csat=1.0, ces=2.0)]),
    "two answers": lambda: desk([answer(0, "no"), answer(1, "yes"), answer(2, None, day=None)]),
    "all yes": lambda: desk([answer(n, "yes", csat=1.0, csat_scale="1-5", ces=1.0) for n in range(40)]),
    "all no": lambda: desk([answer(n, "no", csat=0.0, csat_scale="1-5", ces=7.0) for n in range(40)], failed=20),
    "no category": lambda: desk([answer(n, "yes" if n % 3 else "no") for n in range(40)], failed=5, category=pl.lit(None, pl.String)),
    "nobody known": lambda: desk([answer(n, "yes" if n % 3 else "no") for n in range(40)], customer_ref=pl.lit(None, pl.String)),
    "nothing judged": lambda: replace(
        STUDY, outcomes=STUDY.outcomes.with_columns(label=pl.lit("pending").cast(STUDY.outcomes.schema["label"])), period=QUARTER
    ),
}


@pytest.mark.slow
@pytest.mark.parametrize("edge", EDGES)
def test_hardly_any_answers_break_nothing_and_leave_no_number_without_ground(edge: str) -> None:
    study = EDGES[edge]()
    for frame in FRAMES:
        found = frame(study)
        assert found.schema == frame(STUDY).schema
        numbers = found.select(pl.selectors.float())
        assert not numbers.select(pl.any_horizontal(pl.all().is_nan() | pl.all().is_infinite()).any()).item()
    assert not [text for text in told_all(study) if "None" in text or "nan" in text or not text]


def test_few_answers_that_all_say_yes_are_not_certain() -> None:
    found = row(asked.estimates(EDGES["all yes"]()), estimator="together")
    assert found["est"] == 1.0
    assert 0.85 < found["low"] < 0.95


def test_a_policy_that_reads_the_survey_is_compared_without_it() -> None:
    rows = [answer(n, "yes" if n % 2 else "no", day=3) for n in range(40)]
    study = desk(rows)
    for survey in ("veto", "decides"):
        told_by_survey = Study.of(study.desk, policy=Policy(survey=survey), period=QUARTER)
        assert told_by_survey.headline["share"] == 0.5
        assert asked.estimates(told_by_survey).equals(asked.estimates(study))
    assert asked.judged_alone(study) is study


def test_rare_levels_are_put_together() -> None:
    levels = pl.col("contact_id").str.slice(0, 3).cast(pl.Int64) % 20
    study = desk([answer(n, "yes") for n in range(40)], category=pl.format("topic {}", levels))
    assert asked.linked(study)["group"].n_unique() == asked.GROUPS + 1
    assert asked.false_by(study).height == 13
    assert asked.false_by(study, by="channel").height == 1


def test_the_sentence_carries_the_numbers_of_its_frames() -> None:
    estimates, answers = asked.estimates(STUDY), asked.answers(STUDY)
    text = told.said(estimates, answers=answers)
    for name in ("system", "survey", "together"):
        assert f"{100 * row(estimates, estimator=name)['est']:.1f} %" in text
    assert f"{answers['asked'][0]:,} asked" in text
    assert "because" not in " ".join(told_all(STUDY))


def shown(system: float, est: float | None, *, respondents: int = 500, half: float = 0.02) -> pl.DataFrame:
    ends = [(system, system - half, system + half), (est, est and est - half, est and est + half)]
    rows = [{"estimator": name, "est": e, "low": low, "high": high} for name, (e, low, high) in zip(("system", "together"), ends, strict=True)]
    return pl.DataFrame(rows, infer_schema_length=None).with_columns(n=pl.lit(4000), respondents=pl.lit(respondents))


@pytest.mark.parametrize(
    ("system", "est", "said"), [(0.7, 0.69, "lies within"), (0.7, 0.6, "lies above"), (0.6, 0.7, "lies below"), (0.7, None, "too few")]
)
def test_a_gap_is_one_only_where_the_interval_leaves_the_system_out(system: float, est: float | None, said: str) -> None:
    found = shown(system, est)
    assert said in told.gap(found)
    assert bool(told.findings(found, figure="x")) == (said in ("lies above", "lies below"))


def test_one_caution_where_answers_are_few_or_the_gap_hangs_on_the_silent() -> None:
    tip = pl.DataFrame({"against": ["system"], "tilt": [0.3], "meaning": ["they differ"]})
    assert "Only 50 customers" in told.cautions(shown(0.7, 0.6, respondents=50), tipping=tip)[0].title
    assert "would be gone" in told.cautions(shown(0.7, 0.6), tipping=tip)[0].title
    assert told.cautions(shown(0.7, 0.6), tipping=tip.with_columns(tilt=0.9)) == []
    assert told.cautions(shown(0.7, 0.69), tipping=tip) == []


def test_every_estimator_and_measure_has_words() -> None:
    words = told.in_words(asked.agreement_of(STUDY), column="measure")["measure"].to_list()
    assert len(set(words)) == 6
    assert not set(words) & set(told.MEASURES)
    with pytest.raises(UsageError, match="between 0 and 1"):
        asked.plan(STUDY, half_widths=[3])
