"""Are the topics of a study those that were planted, under the names that people gave, and without anybody's data in them?"""

from __future__ import annotations

import re
from dataclasses import replace
from importlib.util import find_spec

import numpy as np
import polars as pl
import pytest
from polars.testing import assert_frame_equal

from fcrlib.explain import topics
from fcrlib.intake.demo import Truth, invent
from fcrlib.intake.redact import redact
from fcrlib.model.desk import Desk
from fcrlib.model.errors import UsageError
from fcrlib.model.period import Period
from fcrlib.model.policy import Policy
from fcrlib.model.topic_names import Names
from fcrlib.search import mislabelled, novelty, prevalence
from fcrlib.show.telling import topics as tell
from fcrlib.study import Study
from fcrlib.texts.reading import Reading

needed = [name for name in ("wordllama", "sknetwork", "bertopic") if find_spec(name) is None]
pytestmark = pytest.mark.skipif(bool(needed), reason=f"not installed: {', '.join(needed)}")
HEADS = ("export is empty", "password reset fails", "invoice is wrong", "seat count is odd", "dashboard loads slowly", "import breaks names")
PEOPLE = ("Annalena Brinkhoff", "Torsten Quandt", "Melusine Okafor")
PLANTED = re.compile(r"annalena|brinkhoff|torsten|quandt|melusine|okafor|kd4|48210|9912|example|de89|@", re.IGNORECASE)


def study_of(desk: Desk, *, policy: str = "customer_7d", period: str = "2026Q3") -> Study:
    return Study.of(desk, policy=Policy.named(policy), period=Period.parse(period))


def with_texts(desk: Desk, bodies: list[str] | None) -> Desk:
    """The desk with other texts, or with none."""
    body = pl.Series("body", bodies, dtype=pl.String) if bodies else pl.lit(None, pl.String).alias("body")
    contacts = desk.contacts.with_columns(body, subject=pl.lit(None, pl.String))
    return replace(desk, contacts=contacts, events=desk.events.with_columns(text=pl.lit(None, pl.String)))


@pytest.fixture(scope="module")
def raw() -> Desk:
    return invent(seed=6, contacts=3_000)


@pytest.fixture(scope="module")
def small(raw: Desk) -> Study:
    return study_of(redact(raw))


@pytest.fixture(scope="module")
def found(small: Study) -> Reading:
    return topics.of_study(small)


def everything_said(study: Study, *, against: str = "previous") -> list[str]:
    """All that a reader is told of a study's topics."""
    found = topics.of_study(study, against=against)
    named = topics.named(study, found, against=against)
    failed, reopened = (tell.titled(prevalence.excess(found.now, failed=what), topics=named) for what in ("failed", "reopened"))
    moved = tell.titled(novelty.moved(found.first), topics=named)
    belongs = mislabelled.expected(found.now)
    filed = tell.titled(mislabelled.misfiled(found.now, topics=belongs), topics=named)
    inner = tell.inner(topics.inside(found, topics=tell.largest_over(failed, reopened)), topics=named)
    shown = [tell.listed(named), tell.excess_figure(failed), tell.excess_figure(reopened, what="reopened"), inner, tell.moved_table(moved)]
    findings = [
        *tell.over_findings(failed, figure="a", topics=named), *tell.over_findings(reopened, figure="a", what="reopened", topics=named),
        *tell.new_findings(moved, figure="a", topics=named), *tell.filed_findings(filed, figure="a"),
    ]  # fmt: skip
    titles = [one.title for one in [*shown, tell.filed_table(filed, topics=belongs), *findings]]
    rates = tell.newcomers(novelty.novelty_rate(found.first, moved=moved))
    return [tell.read(found.texts), tell.held(found), *found.notes, tell.missed(failed), rates, tell.kept(named), *titles]


def test_every_first_contact_of_both_periods_has_one_row(small: Study, found: Reading) -> None:
    first = found.first.filter("later")
    assert set(first["contact_id"]) == set(small.first_contacts["contact_id"])
    assert found.first.filter(~pl.col("later")).height > 300
    assert not found.first.select("source", "contact_id").is_duplicated().any()
    assert found.topics["n"].sum() == found.documents["topic"].count()


def test_the_same_seed_finds_the_same(small: Study, found: Reading) -> None:
    again = topics.of_study(small)
    assert_frame_equal(again.topics, found.topics)
    assert_frame_equal(again.first, found.first)
    assert_frame_equal(topics.named(small, again), topics.named(small, found))


def test_a_planted_new_theme_is_called_new_and_no_other_is(small: Study, found: Reading) -> None:
    named = topics.named(small, found)
    new = tell.titled(novelty.moved(found.first), topics=named).filter((pl.col("kind") == "new") & pl.col("topic").is_not_null())
    assert [("passkey" in name) for name in new["name"]] == [True]


def test_without_an_earlier_period_there_is_nothing_new_and_nothing_carried(small: Study) -> None:
    found = topics.of_study(small, against="nothing")
    assert found.first["later"].all()
    assert topics.named(small, found, against="nothing").select(pl.col("kind", "of", "share_from").null_count()).row(0) == (found.topics.height,) * 3
    with pytest.raises(UsageError):
        topics.of_study(small, against="yesterday")


def test_a_name_goes_with_the_same_topic_to_a_later_period(small: Study, found: Reading) -> None:
    earlier = topics.of_study(replace(small, period=small.period.previous()))
    carried = topics.named(small, found).filter(pl.col("kind") == "same")
    now, was = carried.select("topic", pl.col("of").list.first()).row(0)
    mark = earlier.topics.filter(pl.col("topic") == was)["fingerprint"].item()
    told = topics.named(replace(small, names=Names.of({mark: "Lost keys"})), found)
    row = told.filter(pl.col("topic") == now)
    own = row["fingerprint"].item() == mark
    assert row.select("name", "named_by").row(0) == ("Lost keys", "analyst" if own else "carried")
    assert told.filter(pl.col("name") == "Lost keys").height == 1
    mine = topics.named(replace(small, names=Names.of({row["fingerprint"].item(): "Keys"})), found)
    assert mine.filter(pl.col("topic") == now).select("name", "named_by").row(0) == ("Keys", "analyst")


def test_inside_a_topic_with_enough_failures_there_are_finer_ones_and_in_others_none(found: Reading) -> None:
    few = found.topics["topic"].to_list()
    sizes = found.now.filter("failed").group_by("topic").len()
    assert sizes.drop_nulls()["len"].max() < topics.FEWEST  # type: ignore[operator]
    assert topics.inside(found, topics=few).is_empty()
    assert topics.inside(found, topics=[]).schema == topics.inside(found, topics=few).schema
    # All in one topic, as a larger desk would have them.
    whole = replace(found, first=found.first.with_columns(topic=pl.lit(0, pl.Int32)))
    parts = topics.inside(whole, topics=[0, 1])
    assert parts["topic"].unique().to_list() == [0]
    assert parts["share"].sum() <= 1
    assert parts["n"].to_list() == sorted(parts["n"], reverse=True)
    failed = found.texts.join(found.now.filter("failed"), on=["source", "contact_id"], how="semi")["text"].to_list()
    assert set(parts["quote"]) <= set(failed)
    assert_frame_equal(topics.inside(whole, topics=[0]), parts)


@pytest.mark.slow
def test_planted_reopened_themes_rank_first_among_reopened_contacts() -> None:
    desk = invent(seed=5, contacts=20_000, truth=Truth(causes=(), reopened_topics={"empty-export": 0.25, "slow-dashboard": 0.25}))
    study = study_of(redact(desk), period="2026")
    found = topics.of_study(study)
    over = tell.titled(prevalence.excess(found.now, failed="reopened"), topics=topics.named(study, found)).filter("over")
    theme = desk.contacts.select("source", "contact_id", "subcategory")
    about = found.now.join(theme, on=["source", "contact_id"], suffix="_planted").group_by("topic").agg(pl.col("subcategory").mode().first())
    first = over.head(2).join(about, on="topic", maintain_order="left")["subcategory"].to_list()
    assert set(first) <= {"empty-export", "slow-dashboard"}
    assert len(first) == 2


@pytest.mark.parametrize("against", ["previous", "year-before", "nothing"])
def test_a_desk_without_texts_is_told_in_sentences(small: Study, against: str) -> None:
    said = everything_said(study_of(with_texts(small.desk, None)), against=against)
    assert "This desk holds no texts, so nothing can be told of what customers wrote about." in said
    assert "There are no topics to carry over" in said
    assert not [line for line in said if "None of" in line or "not known (" in line]


def test_texts_that_are_all_alike_are_too_few_and_it_is_said(small: Study) -> None:
    same = study_of(with_texts(small.desk, ["the export is empty"] * small.desk.contacts.height))
    assert "differ in their words" in " ".join(topics.of_study(same).notes)
    assert everything_said(same)
    signs = study_of(with_texts(small.desk, ["!!! 1234"] * small.desk.contacts.height))
    assert topics.of_study(signs).notes == (
        "The first contacts of these periods hold no texts, so nothing can be told of what customers wrote about.",
    )


@pytest.mark.parametrize("policy", ["zendesk_ticket_one_touch", "zendesk_messaging_one_touch"])
def test_a_definition_without_a_window_compares_no_periods(small: Study, policy: str) -> None:
    said = everything_said(study_of(small.desk, policy=policy))
    assert "There are no topics of two periods to compare" in said
    assert "There are no topics of an earlier period to hold these against" in said


def test_contacts_that_all_wait_for_their_verdict_are_read_and_not_judged(small: Study) -> None:
    open_now = small.outcomes.with_columns(
        pl.when(pl.col("label").is_in(["resolved", "failed"])).then(pl.lit("pending")).otherwise("label").alias("label")
    )
    waiting = replace(small, outcomes=open_now.cast({"label": small.outcomes.schema["label"]}))
    said = everything_said(waiting)
    assert "No contact failed" in said
    assert "There is no topic to compare" in said


def test_no_data_of_a_person_is_in_a_label(raw: Desk) -> None:
    drawn = np.random.default_rng(1).choice(list("bcdfghklmnprst"), (raw.contacts.height, 2, 3))
    words = [["".join(f"{letter}{'aeiou'[at]}" for at, letter in enumerate(word)) for word in two] for two in drawn]
    bodies = [
        f"Dear {PEOPLE[row % 3]},\n\nmy {HEADS[row % 6]} since {one} for {other}. Account KD{48210 + row % 3}, mail torsten@quandt.example, "
        f"contract 99120{row % 4}, IBAN DE89370400440532013000.\n\nKind regards,\n{PEOPLE[row // 3 % 3]}"
        for row, (one, other) in enumerate(words)
    ]
    for desk in (with_texts(raw, bodies), redact(with_texts(raw, bodies))):
        found = topics.of_study(study_of(desk), granularity="coarse")
        said = [*found.topics["label"], *found.topics["phrases"].explode(), *topics.inside(found, topics=[0])["label"]]
        assert {"invoice", "password"} <= set(" ".join(said).split())
        assert not [text for text in said if PLANTED.search(text)]
    quotes = found.topics["quote"].to_list()
    assert not [text for text in quotes if re.search(r"brinkhoff|okafor|@|DE89", text, re.IGNORECASE)]


def test_a_finding_holds_no_text_of_a_customer_but_one_redacted_opening() -> None:
    study = study_of(redact(invent(seed=3, contacts=3_000)), period="2025-07-01..2026-06-30")
    found = topics.of_study(study, against="nothing")
    named = topics.named(study, found, against="nothing").with_columns(stable=pl.lit(True))
    over = tell.titled(prevalence.excess(found.now, failed="reopened"), topics=named).with_columns(over=pl.col("p").is_not_null())
    findings = tell.over_findings(over, figure="a", what="reopened", topics=named, most=9)
    assert len(findings) > 3
    openings = set(found.texts["text"].str.replace_all(r"\s+", " ").str.slice(0, 60))
    for one in findings:
        assert [" ".join(text.split())[:60] in openings for _, text in one.examples] == [True]
        assert not [text for text in openings if text in f"{one.title} {one.statement} {one.action} {one.why}"]


@pytest.mark.parametrize(
    "text", ["<img src=x onerror=alert(1)>", "# [a](javascript:alert(1))", "=cmd|' /C calc'!A0", "x" * 100_000, "login " * 20_000, "\u202e\x00 evil"]
)
def test_hostile_texts_are_texts_like_others(small: Study, text: str) -> None:
    rows = range(small.desk.contacts.height)
    bodies = [f"{text[:40]} {HEADS[row % 6]} {'abcdefgh'[row % 8] * 3} {'klmnopqr'[row // 8 % 8] * 3}" if row % 50 else text for row in rows]
    study = study_of(with_texts(small.desk, bodies))
    said = everything_said(study)
    assert not [line for line in said if re.search(r"<img|\]\(|\x00|\u202e|\n", line)]
    table = tell.listed(topics.named(study, topics.of_study(study)))
    assert not re.search(r"<img|<script", table._repr_mimebundle_()["text/html"])
