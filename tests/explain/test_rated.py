"""Does every first contact carry what its customer answered, what was known of it before, and nothing of what came later?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import polars as pl
import pytest

from fcrlib.explain import rated
from fcrlib.intake.demo import Truth, answer_key, invent
from fcrlib.intake.redact import redact
from fcrlib.judge.outcomes import judge
from fcrlib.judge.rates import is_final
from fcrlib.model.columns import KEY
from fcrlib.model.desk import Desk, Manifest
from fcrlib.model.period import Period
from fcrlib.model.policy import Policy
from fcrlib.study import Study

QUARTER = Period.parse("2026Q3")
STUDY = Study.of(redact(invent(seed=3, contacts=12_000)), policy=Policy(), period=Period.parse("2026-01-01..2026-09-30"))
RATED = rated.of_study(STUDY)
KNOWN = frozenset({"has_survey", "has_customer", "has_category"})


def at(day: float) -> datetime:
    return datetime(2026, 7, 1, tzinfo=UTC) + timedelta(days=day)


def answer(contact: int, csat: float | None, *, scale: str | None = "1-5", day: float | None = 5, **more: Any) -> dict[str, Any]:
    given = at(day) if day is not None else None
    plain = {"source": "s", "contact_id": f"{contact:03}", "seq": 0, "offered_at": at(1), "answered_at": given, "superseded": False}
    return plain | {"csat": csat, "csat_scale": scale} | more


def desk(rows: Sequence[dict[str, Any]], *, contacts: int = 40, failed: int = 0, survey: str = "ignore", **columns: Any) -> Study:
    """Contacts of one customer each, resolved on day 1; the first `failed` of them are followed on day 3 by another about the same."""
    plain = {"source": "s", "status": "solved", "channel": "email", "category": "billing", "initiated_by": "customer", "resolved_by": "human"}
    first = [plain | {"contact_id": f"{n:03}", "customer_ref": f"c{n}", "opened_at": at(0), "first_resolved_at": at(1)} for n in range(contacts)]
    again = [row | {"contact_id": f"9{row['contact_id']}", "opened_at": at(3), "first_resolved_at": at(4)} for row in first[:failed]]
    schema: dict[str, Any] = {
        "resolved": pl.String,
        "csat_scale": pl.String,
        "csat": pl.Float64,
        "answered_at": pl.Datetime("us", "UTC"),
        "nps": pl.Float64,
    }
    tables = {"contacts": pl.DataFrame([*first, *again]).with_columns(**columns)}
    if rows:
        tables["surveys"] = pl.DataFrame(list(rows), schema_overrides=schema, infer_schema_length=None)
    manifest = Manifest(source="s", reader="hand", reader_version="1", data_start=at(-30), data_end=at(80), capabilities=KNOWN)
    return Study.of(Desk.build(manifest, **tables), policy=Policy.read({"survey": survey}), period=QUARTER)


def row(found: rated.Rated, contact: int) -> dict[str, Any]:
    return found.frame.filter(contact_id=f"{contact:03}").row(0, named=True)


def n(found: rated.Rated, what: str) -> int:
    return int(found.counted.filter(what=what)["n"][0])


def test_there_is_one_row_per_first_contact_with_a_final_verdict_answered_or_not() -> None:
    final = STUDY.first_contacts.filter(is_final()).sort(KEY)
    assert RATED.frame.select(KEY).equals(final.select(KEY))
    assert RATED.frame["fcr"].to_list() == (final["label"] == "resolved").to_list()
    assert n(RATED, "first contacts") == STUDY.first_contacts.height == final.height + n(RATED, "verdict still open (left out)")
    assert 0 < RATED.frame["good"].count() == n(RATED, "rated on 1-5") < final.height
    assert RATED.frame.schema == rated.COLUMNS


def test_the_rows_are_what_the_customers_said() -> None:
    key = answer_key(seed=3, contacts=12_000).select("contact_id", "pleased")
    both = RATED.frame.drop_nulls("good").join(key, on="contact_id")
    assert both.height > 1_000
    assert (both["good"] == both["pleased"]).all()
    assert both.select((pl.col("rating") == 1 + 4 * pl.col("score")).all()).item()
    assert (both["good"] == (both["rating"] >= 4)).all()


def test_the_weights_make_the_ratings_stand_for_all() -> None:
    weights, cost = RATED.frame["weight"], RATED.weights.row(0, named=True)
    assert float(weights.sum()) == pytest.approx(RATED.frame.height)
    assert (weights.is_null() == RATED.frame["good"].is_null()).all()
    share = RATED.frame.select((pl.col("weight") * pl.col("fcr")).sum() / pl.col("weight").sum()).item()
    assert share == pytest.approx(RATED.frame["fcr"].mean(), abs=1e-9)
    assert cost["respondents"] == weights.count()
    assert cost["effective"] <= cost["respondents"]
    assert cost["largest"] == weights.max()
    told = RATED.balance.filter(variable="fcr", level="resolved").row(0, named=True)
    assert told["population"] == pytest.approx(RATED.frame["fcr"].mean())
    assert abs(told["after"]) < 1e-9 < abs(told["before"])


def test_nothing_that_came_after_the_first_resolution_is_among_what_was_known() -> None:
    covariates = ["wait", "transfers_before", "hour_block", "prior_contacts_90d", "month", "tier", "category", "channel"]
    failed = STUDY.contacts.filter(pl.col("label") == "failed", pl.col("reasons").list.contains("repeat_contact"))
    ids = failed.unique("customer", keep="first", maintain_order=True).select(*KEY, "anchor_at", "issue").head(300)
    later = STUDY.everything.filter(pl.col("label") == "repeat").join(ids, on="issue", how="semi").select(KEY)
    contacts = STUDY.desk.contacts.join(later, on=KEY, how="anti", maintain_order="left")
    events = STUDY.desk.events.join(ids, on=KEY, how="left", maintain_order="left")
    events = events.filter(pl.col("anchor_at").is_null() | (pl.col("at") <= pl.col("anchor_at"))).drop("anchor_at", "issue")
    cut = replace(STUDY.desk, contacts=contacts, events=events.join(later, on=KEY, how="anti", maintain_order="left"))
    without = rated.of_study(replace(STUDY, desk=cut, outcomes=judge(cut, policy=STUDY.policy))).frame
    both = RATED.frame.join(ids, on=KEY, how="semi").select(*KEY, *covariates).join(without, on=KEY, suffix="_cut")
    assert both.height > 100
    assert both.select(pl.all_horizontal(pl.col(name).eq_missing(pl.col(f"{name}_cut")) for name in covariates).all()).item()


def test_answers_before_and_after_a_repeat_are_told_apart() -> None:
    rows = [
        answer(0, 1.0, day=2),
        answer(1, 0.0, day=3),
        answer(2, 0.0, day=9),
        answer(10, 1.0, day=7.9),
        answer(11, 1.0, day=9),
        answer(12, 1.0, day=None),
    ]
    found = rated.of_study(desk(rows, failed=3))
    assert [row(found, who)["timing"] for who in (0, 1, 2, 10, 11, 12, 13)] == [
        rated.BEFORE, rated.AFTER, rated.AFTER, rated.BEFORE, rated.AFTER, rated.UNTIMED, None,
    ]  # fmt: skip
    assert n(found, "rated, but the time is not known") == 1
    assert any("the time is not known" in note for note in found.notes)


def test_ratings_on_two_scales_are_never_mixed() -> None:
    rows = [*(answer(who, 0.9, scale="0-10") for who in range(5)), answer(5, 0.8, scale="0-10"), *(answer(who, 1.0) for who in range(6, 9))]
    found = rated.of_study(desk(rows))
    assert found.scale == "0-10"
    assert [row(found, 0)[name] for name in ("good", "score", "rating")] == [True, 0.9, 9]
    assert [row(found, 5)[name] for name in ("good", "score", "rating")] == [False, 0.8, 8]
    assert [row(found, 6)[name] for name in ("good", "score", "rating", "weight")] == [None] * 4
    assert n(found, "rated on another scale (left out)") == 3
    assert any("1-5" in note for note in found.notes)


def test_where_only_the_will_to_recommend_was_asked_it_stands_for_the_rating() -> None:
    rows = [answer(0, None, scale=None, nps=9.0), answer(1, None, scale=None, nps=8.0), answer(2, None, scale=None, nps=3.0, day=None)]
    found = rated.of_study(desk(rows))
    assert (found.scale, found.good_from, found.notes[0]) == ("0-10", 9, rated.STANDS_IN)
    assert [row(found, who)["good"] for who in (0, 1, 2, 3)] == [True, False, False, None]
    assert [row(found, who)["rating"] for who in (0, 1, 2)] == [9, 8, 3]
    assert row(found, 2)["timing"] == rated.UNTIMED
    both = rated.of_study(desk([*rows, answer(4, 1.0, nps=2.0)]))
    assert (both.scale, row(both, 0)["good"], row(both, 4)["good"]) == ("1-5", None, True)


@pytest.mark.parametrize(("scale", "lowest"), [("1-5", 4), ("0-10", 9), ("1-7", 6), ("1-10", 8), ("good-bad", None)])
def test_the_lowest_rating_that_counts_as_satisfied_follows_from_the_scale(scale: str, lowest: int | None) -> None:
    assert rated.of_study(desk([answer(0, 1.0, scale=scale)])).good_from == lowest


def test_a_scale_of_words_counts_its_best_answer() -> None:
    found = rated.of_study(desk([answer(0, 1.0, scale="good-bad"), answer(1, 0.0, scale="good-bad")]))
    assert [row(found, who)["good"] for who in (0, 1)] == [True, False]
    assert [row(found, who)["rating"] for who in (0, 1)] == [1, 0]
    unnamed = rated.of_study(desk([answer(0, 1.0, scale=None)]))
    assert row(unnamed, 0)["good"] is True
    assert "rated" in unnamed.counted["what"].to_list()


def test_one_rating_stands_for_everybody() -> None:
    found = rated.of_study(desk([answer(0, 1.0)], contacts=12))
    assert found.frame["weight"].drop_nulls().to_list() == [12.0]
    table = rated.quadrants(found)
    assert table["n"].to_list() == [1, 0, 0, 0]
    assert rated.satisfied(found, by="contacts_to_resolve")["too_few"].to_list() == [True]


def test_the_last_answer_counts_and_partly_is_no_yes() -> None:
    rows = [
        answer(0, 0.0, day=2, resolved="no"),
        answer(0, 1.0, day=4, seq=1, resolved="yes"),
        answer(1, 0.5, resolved="partly"),
        answer(2, 1.0, resolved="yes"),
    ]
    found = rated.of_study(desk(rows, failed=2))
    assert [row(found, who)["survey_fcr"] for who in (0, 1, 2, 3)] == [True, False, True, None]
    assert [row(found, who)["agreed"] for who in (0, 1, 2, 3)] == [None, False, True, None]
    assert row(found, 0)["good"] is True
    assert n(found, "answered partly (no yes)") == 1


def test_a_policy_that_reads_the_survey_is_judged_without_it() -> None:
    rows = [answer(5, 1.0, resolved="no"), answer(6, 1.0, resolved="yes")]
    assert row(rated.of_study(desk(rows, survey="veto")), 5)["fcr"] is True


def test_how_many_contacts_it_took_counts_repeats_and_reopenings() -> None:
    found = rated.of_study(desk([answer(0, 1.0)], failed=2))
    assert [row(found, who)["contacts_to_resolve"] for who in (0, 1, 2)] == ["2", "2", "1"]
    counts = RATED.frame.group_by("fcr", "contacts_to_resolve").len()
    assert counts.filter(pl.col("fcr"))["contacts_to_resolve"].to_list() == ["1"]
    assert set(counts["contacts_to_resolve"].drop_nulls()) == {"1", "2", "3", "4+"}


def test_earlier_contacts_of_the_customer_are_those_of_ninety_days_before() -> None:
    known = RATED.frame.drop_nulls("customer").sort("prior_contacts_90d", descending=True).head(25)
    real = STUDY.everything.filter(pl.col("label") != "excluded").select("customer", "start_at")
    starts = STUDY.everything.select(*KEY, mine="start_at")
    for found in known.join(starts, on=KEY).to_dicts():
        before = real.filter(
            pl.col("customer") == found["customer"], pl.col("start_at") < found["mine"], pl.col("start_at") >= found["mine"] - timedelta(days=90)
        )
        assert found["prior_contacts_90d"] == before.height
    assert known["prior_contacts_90d"][0] > 1
    assert RATED.frame.filter(pl.col("customer").is_null())["prior_contacts_90d"].null_count() == RATED.frame["customer"].null_count() > 0


def test_a_desk_without_a_survey_leaves_an_empty_frame_and_a_sentence() -> None:
    none = desk([])
    manifest = none.desk.manifest.model_copy(update={"capabilities": KNOWN - {"has_survey"}})
    found = rated.of_study(replace(none, desk=replace(none.desk, manifest=manifest)))
    assert found.frame.is_empty()
    assert found.frame.schema == rated.COLUMNS
    assert found.notes == (rated.NO_SURVEY,)
    assert rated.of_study(none).notes == (rated.NO_RATING,)
    assert rated.quadrants(found).is_empty()
    assert rated.satisfied(found, by="timing").is_empty()
    assert n(found, "with a final verdict") == 40


def test_what_the_desk_does_not_record_is_no_column_but_a_note() -> None:
    found = rated.of_study(desk([answer(0, 1.0)]))
    assert not {"handle", "tier", "wait", "transfers_before", "ces"} & set(found.frame.columns)
    assert found.given("category", "tier", "month") == ["category", "month"]
    assert any("does not record" in note and "the tier" in note and "the handle time" in note for note in found.notes)


def test_without_customers_every_contact_is_its_own() -> None:
    found = rated.of_study(desk([answer(who, 1.0) for who in range(35)], customer_ref=pl.lit(None, pl.String)))
    assert "prior_contacts_90d" not in found.frame.columns
    assert rated.quadrants(found).select("n", "clusters").row(0) == (35, 35)


def test_the_quadrants_hold_everybody_who_rated() -> None:
    table, rows = rated.quadrants(RATED), RATED.frame.drop_nulls("good")
    assert table["n"].sum() == rows.height
    assert float(table["share"].sum()) == pytest.approx(1)
    assert float(table["weighted"].sum()) == pytest.approx(1)
    resolved = table.filter("fcr")
    assert float(resolved["weighted"].sum()) == pytest.approx(RATED.frame["fcr"].mean(), abs=1e-9)
    assert table.select(((pl.col("low") < pl.col("share")) & (pl.col("share") < pl.col("high"))).all()).item()


def test_the_planted_loss_shows_by_number_of_contacts_and_none_where_none_is_planted() -> None:
    table = rated.satisfied(RATED, by="contacts_to_resolve")
    one, two = (table.filter(contacts_to_resolve=number).row(0, named=True) for number in ("1", "2"))
    assert two["high"] < one["low"]
    assert (one["share"], two["share"]) == pytest.approx((0.82, 0.52), abs=0.06)
    calm = Study.of(redact(invent(seed=4, contacts=8_000, truth=Truth.nothing())), policy=Policy(), period=STUDY.period)
    one, two = (
        rated.satisfied(rated.of_study(calm), by="contacts_to_resolve").filter(contacts_to_resolve=number).row(0, named=True) for number in ("1", "2")
    )
    assert max(one["low"], two["low"]) < min(one["high"], two["high"])


def test_the_order_of_the_rows_changes_nothing() -> None:
    tables = {name: getattr(STUDY.desk, name).sample(fraction=1, shuffle=True, seed=5) for name in ("contacts", "events", "surveys")}
    turned = replace(STUDY, desk=replace(STUDY.desk, **tables), outcomes=STUDY.outcomes.sample(fraction=1, shuffle=True, seed=6))
    found = rated.of_study(turned)
    assert found.frame.equals(RATED.frame)
    assert found.counted.equals(RATED.counted)
    assert found.weights.equals(RATED.weights)
    assert rated.satisfied(found, by="channel").equals(rated.satisfied(RATED, by="channel"))
