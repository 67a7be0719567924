"""Is what was planted in the invented desk really there, and nothing else?

Failures are counted here straight from contacts and events, without the judge, so the two check each other.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import numpy as np
import polars as pl
import pytest
from polars.testing import assert_frame_equal

from fcrlib.intake.demo import CANARIES, Cause, Confounder, Response, Truth, answer_key, canaries, invent
from fcrlib.intake.demo.text import FOLLOW_UPS, NOTES
from fcrlib.intake.demo.themes import FOREIGN, THEMES
from fcrlib.intake.demo.truth import MECHANISMS
from fcrlib.model.desk import Desk
from fcrlib.model.errors import UsageError
from fcrlib.model.tables import EVENT_KINDS

WINDOW = timedelta(days=7)
SOLVED = ("solved", "closed")
# Four standard errors: a test on a fixed seed that fails is telling something.
SURE = 4.0


@pytest.fixture(scope="module")
def desk() -> Desk:
    return invent(contacts=6_000)


@pytest.fixture(scope="module")
def key() -> pl.DataFrame:
    return answer_key(contacts=6_000)


def directly_failed(desk: Desk) -> pl.DataFrame:
    """Ordinary first contacts whose window is over, with `failed`: written again, or came back, within seven days of the first resolution."""
    flags = ("is_spam", "is_deleted", "is_test", "is_internal", "is_side_conversation", "is_abandoned")
    real = desk.contacts.filter(~pl.any_horizontal(flags))
    solved = real.filter(
        pl.col("merged_into").is_null()
        & (pl.col("initiated_by") == "customer")
        & pl.col("resolved_by").is_in(["human", "bot"])
        & (pl.col("first_resolved_at") + WINDOW <= desk.manifest.data_end)
    )
    later = real.select("customer_ref", "category", next_at="opened_at").drop_nulls("customer_ref")
    until = pl.col("first_resolved_at") + WINDOW
    returns = solved.join(later, on=["customer_ref", "category"]).filter(
        (pl.col("next_at") > pl.col("opened_at") + timedelta(minutes=30)) & (pl.col("next_at") <= until)
    )
    written = desk.events.filter((pl.col("kind") == "message") & (pl.col("actor") == "customer") & ~pl.col("is_ack"))
    reopens = written.join(solved, on="contact_id").filter((pl.col("at") > pl.col("first_resolved_at")) & (pl.col("at") <= until))
    failed = pl.concat([returns["contact_id"], reopens["contact_id"]]).unique().implode()
    return solved.with_columns(failed=pl.col("contact_id").is_in(failed))


def excess(rows: pl.DataFrame, cell: pl.Expr, *, what: str = "failed") -> tuple[float, float]:
    """Share inside the cell minus share outside, and its standard error."""
    inside, outside = (rows.filter(when)[what].cast(pl.Float64).to_numpy() for when in (cell, ~cell))
    error = float(np.sqrt(inside.var() / len(inside) + outside.var() / len(outside)))
    return float(inside.mean() - outside.mean()), error


@pytest.mark.parametrize(
    ("cell", "points", "mechanism"),
    [
        ({"category": "imports"}, 0.30, "knowledge-gap"),
        ({"category": "billing", "product_area": "invoices"}, 0.35, "approval-wait"),
        ({"tier": "enterprise"}, 0.25, "wrong-routing"),
    ],
)
def test_a_planted_cause_raises_the_failures_of_its_cell_by_its_points(cell: dict[str, str], points: float, mechanism: str) -> None:
    truth = replace(Truth.nothing(), causes=(Cause(cell, points, mechanism),))
    rows = directly_failed(invent(contacts=6_000, truth=truth))
    found, error = excess(rows, pl.all_horizontal(pl.col(column) == value for column, value in cell.items()))
    assert found > SURE * error
    # Planted points are on first contacts; a few returns without cause dilute the difference.
    assert abs(found - points) < SURE * error


def test_a_dated_cause_does_nothing_before_its_day() -> None:
    since = date(2026, 2, 1)
    truth = replace(Truth.nothing(), causes=(Cause({"category": "billing"}, 0.4, "undocumented-bug", since),))
    rows = directly_failed(invent(contacts=6_000, truth=truth))
    before = pl.col("opened_at") < datetime(2026, 2, 1, tzinfo=UTC)
    early, error = excess(rows.filter(before), pl.col("category") == "billing")
    late, _ = excess(rows.filter(~before), pl.col("category") == "billing")
    assert abs(early) < SURE * error
    assert late > 0.3


def test_nothing_planted_means_that_no_cell_differs_beyond_noise() -> None:
    rows = directly_failed(invent(contacts=6_000, truth=Truth.nothing()))
    for column in ("category", "product_area", "channel", "tier", "language", "subcategory"):
        for value in rows[column].cast(pl.String).value_counts().filter(pl.col("count") >= 100)[column].sort():
            found, error = excess(rows, pl.col(column).cast(pl.String) == value)
            assert abs(found) < SURE * error, (column, value, found, error)


def test_the_default_desk_resolves_two_in_three_and_worsens_in_the_last_quarter() -> None:
    rows = directly_failed(invent())
    quarter = pl.col("opened_at").dt.truncate("1q")
    shares = dict(rows.group_by(quarter).agg(fcr=1 - pl.col("failed").mean()).sort("opened_at").rows())
    second, third = shares[datetime(2026, 4, 1, tzinfo=UTC)], shares[datetime(2026, 7, 1, tzinfo=UTC)]
    assert 0.65 < 1 - rows["failed"].mean() < 0.75
    assert 0.01 < second - third < 0.08


def test_lifted_topics_are_over_represented_among_the_reopened() -> None:
    truth = replace(Truth.nothing(), reopened_topics={"empty-export": 0.4})
    key = (
        answer_key(contacts=6_000, truth=truth).filter(pl.col("fate") == "normal").with_columns(reopened=pl.col("how").eq("reopen").fill_null(False))
    )
    found, error = excess(key, pl.col("theme") == "empty-export", what="reopened")
    assert found > SURE * error


def test_a_new_topic_is_unheard_of_before_its_first_day(desk: Desk, key: pl.DataFrame) -> None:
    about = key.filter(pl.col("theme") == "passkey-loop").join(desk.contacts, on="contact_id")
    assert about.height > 10
    assert about.filter(pl.col("relation") == "first")["opened_at"].min() >= datetime(2026, 7, 6, tzinfo=UTC)


def top_box(desk: Desk, key: pl.DataFrame) -> pl.DataFrame:
    """Last answers, with what was planted and the tier."""
    answers = desk.surveys.filter(~pl.col("superseded") & pl.col("csat").is_not_null()).with_columns(good=pl.col("csat") >= 0.75)
    return answers.join(key, on="contact_id").join(desk.contacts.select("contact_id", "tier"), on="contact_id")


def test_failing_costs_the_planted_points_of_satisfaction_once_the_confounder_is_held_still() -> None:
    truth = Truth(csat_effect=0.3, response=Response(rate=0.6, if_failed=0.0, if_pleased=0.0))
    rows = top_box(invent(truth=truth), answer_key(truth=truth))
    found, error = excess(rows.filter(pl.col("tier") != "enterprise"), pl.col("fails"), what="good")
    assert abs(found + 0.3) < SURE * error
    naive, _ = excess(rows, pl.col("fails"), what="good")
    assert naive < found  # the stricter tier fails more, so the raw difference overstates the effect


def test_a_confounder_alone_makes_failed_contacts_look_less_pleasing() -> None:
    still = replace(Truth.nothing(), response=Response(rate=0.7, if_failed=0.0, if_pleased=0.0))
    truth = replace(still, confounders=(Confounder({"tier": "enterprise"}, 0.4, -0.5),))
    rows = top_box(invent(truth=truth), answer_key(truth=truth))
    naive, error = excess(rows, pl.col("fails"), what="good")
    held, held_error = excess(rows.filter(pl.col("tier") == "enterprise"), pl.col("fails"), what="good")
    assert naive < -SURE * error
    assert abs(held) < SURE * held_error


def test_who_answers_the_survey_depends_on_the_outcome() -> None:
    desk, key = invent(), answer_key()
    offered = desk.surveys.filter(~pl.col("superseded")).join(key, on="contact_id").with_columns(answered=pl.col("answered_at").is_not_null())
    by_outcome, error = excess(offered.filter("pleased"), pl.col("fails"), what="answered")
    by_mood, mood_error = excess(offered.filter(~pl.col("fails")), pl.col("pleased"), what="answered")
    assert by_outcome < -SURE * error
    assert by_mood > SURE * mood_error


def test_the_same_arguments_give_the_same_desk(desk: Desk) -> None:
    again = invent(contacts=6_000)
    for name, frame in desk.tables().items():
        assert_frame_equal(frame, again.tables()[name])
    assert desk.manifest_json() == again.manifest_json()


def test_another_seed_gives_another_desk(desk: Desk) -> None:
    assert not invent(contacts=6_000, seed=8).contacts["opened_at"].head(50).equals(desk.contacts["opened_at"].head(50))


def test_about_as_many_contacts_come_as_were_asked_for(desk: Desk) -> None:
    assert abs(desk.contacts.height / 6_000 - 1) < 0.06


def test_every_kind_of_event_and_of_exclusion_occurs(desk: Desk) -> None:
    assert set(desk.events["kind"].cast(pl.String)) == set(EVENT_KINDS)
    flags = ("is_spam", "is_deleted", "is_test", "is_internal", "is_side_conversation", "is_abandoned", "non_resolvable")
    assert all(desk.contacts[flag].any() for flag in flags)
    assert set(desk.contacts["resolved_by"].cast(pl.String)) == {"human", "bot", "automation", "customer", "unknown"}
    assert {"inactivity", "spam", "merged", "abandoned"} <= set(desk.contacts["close_reason"].drop_nulls())
    assert set(desk.contacts["initiated_by"].cast(pl.String)) == {"customer", "company"}
    assert desk.events["is_auto"].any()
    assert desk.events["is_ack"].any()
    assert all(desk.contacts[link].is_not_null().any() for link in ("merged_into", "follow_up_of", "parent_id", "issue_key"))
    assert desk.contacts["customer_ref"].null_count() > 0


def test_every_mechanism_occurs_and_leaves_its_traces(desk: Desk, key: pl.DataFrame) -> None:
    failed = key.filter(pl.col("fails") & pl.col("relation").eq("first"))
    assert set(failed["mechanism"]) == set(MECHANISMS)
    story = desk.events.join(failed.select("contact_id", "mechanism"), on="contact_id")
    traces = {
        "wrong-routing": pl.col("kind") == "transfer",
        "handoff-without-context": pl.col("kind") == "transfer",
        "specialist-unavailable": pl.col("kind") == "escalation",
        "approval-wait": pl.col("group_to") == "approvals",
        "deferred-promise": pl.col("text").str.contains("call you back|get back to you|let you know"),
        "missing-account-context": pl.col("text").str.contains("(?i)which account|account number|customer number|contract number"),
    }
    for mechanism, trace in traces.items():
        shares = (
            story.group_by("mechanism", "contact_id")
            .agg(trace.any().fill_null(False).alias("shown"))
            .group_by("mechanism")
            .agg(pl.col("shown").mean())
        )
        shown = dict(shares.rows())
        others = [share for name, share in shown.items() if name not in traces]
        assert shown[mechanism] > 0.6, mechanism
        assert shown[mechanism] > 2 * max(others), mechanism


def test_every_mechanism_has_words_of_its_own() -> None:
    assert set(FOLLOW_UPS) == set(NOTES) == {*MECHANISMS, ""}


def test_transfers_pile_up_where_contacts_were_sent_to_the_wrong_team(desk: Desk, key: pl.DataFrame) -> None:
    stations = key.join(desk.contacts, on="contact_id").filter(pl.col("fails") & ~pl.col("resolved_by").eq("bot"))
    mean = dict(stations.group_by(pl.col("mechanism") == "wrong-routing").agg(pl.col("vendor_stations").mean()).rows())
    assert mean[True] > 1.5 > 1.0 > mean[False]


def test_the_first_words_are_the_customers_at_the_moment_of_opening(desk: Desk) -> None:
    asked = desk.contacts.filter(pl.col("initiated_by") == "customer")
    first = desk.events.filter(pl.col("seq") == 0).join(asked, on="contact_id")
    assert first.height == asked.height
    assert first.select(((pl.col("kind") == "message") & (pl.col("actor") == "customer") & (pl.col("at") == pl.col("opened_at"))).all()).item()


def test_histories_join_up(desk: Desk) -> None:
    order = desk.events.sort("contact_id", "seq")
    assert order["seq"].equals(order.select(pl.int_range(pl.len()).over("contact_id")).to_series())
    assert order.select((pl.col("at").diff().over("contact_id") >= timedelta(0)).all()).item()
    for side_from, side_to in (("status_from", "status_to"), ("group_from", "group_to")):
        steps = order.filter(pl.col(side_to).is_not_null()).with_columns(pl.col(side_to).shift(1).over("contact_id").alias("before"))
        assert steps.filter(pl.col("before").is_not_null() & (pl.col("before") != pl.col(side_from))).is_empty()
    moves = order.filter(pl.col("kind").is_in(["assignment", "transfer", "escalation"]))
    assert moves.filter(pl.col("kind") == "assignment").select(pl.struct("contact_id").is_unique().all()).item()
    assert moves.filter((pl.col("kind") == "assignment") & pl.col("group_from").is_not_null()).is_empty()


def test_the_summary_of_a_contact_agrees_with_its_history(desk: Desk) -> None:
    resolving = pl.col("status_to").is_in(SOLVED) & ~pl.col("status_from").is_in(SOLVED)
    told = desk.events.group_by("contact_id").agg(
        pl.col("at").filter(resolving).min().alias("first"),
        pl.col("at").filter(resolving).max().alias("last"),
        pl.col("status_to").drop_nulls().last().alias("end"),
        pl.col("group_to").drop_nulls().first().alias("group"),
    )
    both = desk.contacts.join(told, on="contact_id").sort("contact_id")
    assert both["first"].equals(both["first_resolved_at"])
    assert both["last"].equals(both["last_resolved_at"])
    assert both["group"].equals(both["first_group"])
    assert both["end"].fill_null("new").equals(both["status"])


def test_what_a_human_resolved_was_answered_first_except_in_silence(desk: Desk, key: pl.DataFrame) -> None:
    reply = desk.events.filter((pl.col("kind") == "message") & (pl.col("actor") == "agent") & pl.col("public"))
    answered = reply.group_by("contact_id").agg(pl.col("at").min().alias("reply_at"))
    human = desk.contacts.filter(pl.col("resolved_by") == "human").join(answered, on="contact_id", how="left").join(key, on="contact_id")
    ordinary = human.filter(pl.col("fate") == "normal")
    assert (ordinary["reply_at"] <= ordinary["first_resolved_at"]).all()
    assert human.filter(pl.col("fate") == "silent")["reply_at"].null_count() == human.filter(pl.col("fate") == "silent").height


def test_the_world_is_cut_at_the_data_end(desk: Desk) -> None:
    end = desk.manifest.data_end
    for frame, columns in (
        (desk.contacts, ("opened_at", "first_resolved_at", "closed_at")),
        (desk.events, ("at",)),
        (desk.surveys, ("offered_at", "answered_at")),
    ):
        assert all(frame[column].max() <= end for column in columns)
    recent = desk.contacts.filter(pl.col("first_resolved_at") + WINDOW > end)
    assert recent.height > 20
    assert desk.contacts.filter(pl.col("first_resolved_at").is_null()).height > 5


def test_links_point_at_earlier_contacts(desk: Desk) -> None:
    opened = desk.contacts.select(other="contact_id", earlier="opened_at")
    for link in ("merged_into", "follow_up_of", "parent_id"):
        linked = desk.contacts.filter(pl.col(link).is_not_null()).join(opened, left_on=link, right_on="other", how="left")
        assert (linked["earlier"] < linked["opened_at"]).all(), link


def test_contacts_are_numbered_in_the_order_of_opening(desk: Desk) -> None:
    assert desk.contacts["contact_id"].is_sorted()
    assert desk.contacts["opened_at"].is_sorted()


def test_failures_come_back_after_a_day_or_two(desk: Desk, key: pl.DataFrame) -> None:
    parents = desk.contacts.select(of="contact_id", solved="first_resolved_at")
    back = key.filter(pl.col("relation") == "repeat").join(desk.contacts, on="contact_id").join(parents, on="of")
    delay = back["opened_at"] - back["solved"]
    assert timedelta(days=1) < delay.median() < timedelta(days=2.2)
    assert delay.max() < WINDOW


def test_returns_without_a_failure_come_at_an_even_rate_so_the_placebo_is_known() -> None:
    truth = replace(Truth.nothing(), base=0.0, background=0.04)
    rows = directly_failed(invent(contacts=8_000, truth=truth))
    error = np.sqrt(0.04 * 0.96 / rows.height)
    assert abs(rows["failed"].mean() - 0.04) < SURE * error + 0.005  # a few were not asked for by ordinary contacts


def test_the_text_is_hard_work_for_a_topic_model(desk: Desk) -> None:
    first = desk.contacts.filter(pl.col("language") == "en")["body"].drop_nulls()
    assert first.n_unique() > 0.8 * len(first)
    assert len({phrase for theme in THEMES for phrase in (*theme.problems, *theme.details)}) > 250
    assert 25 <= len({theme.slug for theme in THEMES}) <= 35
    assert set(desk.contacts["language"]) == {"en", *FOREIGN}


def test_personal_data_is_planted_and_recognisable(desk: Desk) -> None:
    assert set(canaries(desk)) == {"contacts.body", "events.text", "identifiers.value_norm", "surveys.comment"}
    bodies = "\n".join(desk.contacts["body"].drop_nulls())
    for shape in (r"canary-\w+@", r"555-01\d\d", r"DE\d\d ?9999", r"4000.?0099", r"203\.0\.113", "Canary Street", "Canarella"):
        assert pl.Series([bodies]).str.contains(shape).all(), shape
    assert not CANARIES.search("0.5550123 is 4000 on 2026-09-30, a canary in a mine, order 7946 0123")


def test_hostile_text_is_planted() -> None:
    bodies = "\n".join(invent().contacts["body"].drop_nulls())
    assert all(word in bodies for word in ("<script>", "onerror=", "=HYPERLINK(", "](javascript:", "{{7*7}}"))


def test_changes_tell_what_set_off_each_dated_cause(desk: Desk) -> None:
    log = {(at.date(), scope): kind for at, kind, scope in desk.changes.select("at", "kind", "scope").rows()}
    assert log[date(2026, 7, 6), "category=login and product_area=single sign-on"] == "release"
    assert log[date(2026, 8, 3), "channel=email and tier=starter"] == "routing"
    assert desk.changes.height > len([cause for cause in Truth().causes if cause.since]) + 5


def test_some_articles_are_stale(desk: Desk) -> None:
    old = desk.articles["updated_at"] < desk.manifest.data_start - timedelta(days=365)
    assert 0.2 < old.mean() < 0.8
    assert desk.events["article_id"].drop_nulls().is_in(desk.articles["article_id"].implode()).all()


def test_customers_share_phones_and_write_from_role_addresses(desk: Desk) -> None:
    known = desk.identifiers.group_by("kind", "value_norm").agg(pl.col("customer_ref").n_unique().alias("people")).sort("kind", "value_norm")
    assert known.filter((pl.col("kind") == "phone") & (pl.col("people") > 1)).height > 0
    assert known.filter(pl.col("value_norm").str.starts_with("billing@")).height > 0
    sizes = desk.identifiers.filter(pl.col("kind") == "account").group_by("value_norm").len()["len"]
    assert sizes.max() > 8 * sizes.median()


def test_the_phone_system_knows_some_customers_under_another_name_by_one_of_their_own_phones(desk: Desk, key: pl.DataFrame) -> None:
    alias = pl.col("customer_ref").str.starts_with("t-")
    told = (
        desk.contacts.select("contact_id", "customer_ref", "channel")
        .drop_nulls("customer_ref")
        .join(key.select("contact_id", "customer"), on="contact_id")
    )
    calls, rest = told.filter(alias), told.filter(~alias)
    assert set(calls["channel"].cast(pl.String)) == {"phone"}
    assert rest["customer_ref"].equals(rest["customer"])
    assert calls["customer"].n_unique() == calls["customer_ref"].n_unique() > 20
    phones = desk.identifiers.filter(alias)
    assert set(phones["kind"].cast(pl.String)) == {"phone"}
    assert phones.height == phones["customer_ref"].n_unique() == round(0.06 * desk.identifiers.filter(~alias)["customer_ref"].n_unique())
    own = calls.select("customer_ref", "customer").unique().join(phones, on="customer_ref").select("customer", "value_norm")
    assert own.join(desk.identifiers, left_on=["customer", "value_norm"], right_on=["customer_ref", "value_norm"], how="anti").is_empty()


def test_an_alias_changes_nothing_but_the_name(desk: Desk) -> None:
    plain = invent(contacts=6_000, truth=Truth(aliases=0.0))
    assert plain.contacts["customer_ref"].drop_nulls().str.starts_with("c-").all()
    for table, names in (("contacts", ["customer_ref"]), ("events", ["actor_id"]), ("surveys", [])):
        assert_frame_equal(desk.tables()[table].drop(names), plain.tables()[table].drop(names))


def test_surveys_keep_to_one_scale_and_the_last_answer(desk: Desk) -> None:
    answered = desk.surveys.filter(pl.col("answered_at").is_not_null())
    assert (answered["csat"] == (answered["csat_raw"].cast(pl.Int64) - 1) / 4).all()
    assert set(answered["csat_scale"]) == {"1-5"}
    assert desk.surveys.filter("superseded").height > 0
    assert (
        desk.surveys.filter(pl.col("answered_at").is_null()).select(pl.col("csat", "resolved", "ces", "comment").is_null().all()).row(0)
        == (True,) * 4
    )


def test_a_truth_that_cannot_be_planted_says_everything_at_once() -> None:
    with pytest.raises(UsageError) as error:
        Truth(base=1.4, aliases=6, causes=(Cause({"colour": "red", "category": "gardening"}, 0.1, "gremlins"),), reopened_topics={"weather": 0.1})
    assert len(error.value.problems) == 6


def test_a_desk_needs_contacts_and_a_span() -> None:
    with pytest.raises(UsageError) as error:
        invent(contacts=3, data_start=datetime(2026, 9, 1, tzinfo=UTC), data_end=datetime(2026, 9, 2, tzinfo=UTC))
    assert len(error.value.problems) == 2


def test_some_who_gave_up_waiting_try_again_within_ten_minutes() -> None:
    desk, key = invent(contacts=6_000), answer_key(contacts=6_000)
    times = desk.contacts.select("contact_id", "opened_at", "customer_ref")
    tries = (
        key.filter(pl.col("relation") == "second try").join(times, on="contact_id").join(times, left_on="of", right_on="contact_id", suffix="_first")
    )
    gave_up = key.filter((pl.col("fate") == "abandoned") & pl.col("of").is_null())
    assert 0.25 < tries.height / gave_up.height < 0.65
    waited = (tries["opened_at"] - tries["opened_at_first"]).dt.total_seconds()
    assert waited.is_between(20, 600).all()
