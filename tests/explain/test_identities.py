"""Is it told honestly who is known, who was joined, and who is too many to be one?"""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import polars as pl
import pytest

from fcrlib.explain import identities
from fcrlib.intake.demo import invent
from fcrlib.intake.redact import redact
from fcrlib.link.identity import customers_of, joined
from fcrlib.model.desk import Desk, Manifest
from fcrlib.model.identity import Rules
from fcrlib.model.period import Period
from fcrlib.model.policy import Policy
from fcrlib.study import Study

DAY = datetime(2026, 7, 1, tzinfo=UTC)


def study_of(desk: Desk, *, rules: Rules | None = None, period: str = "2026Q3") -> Study:
    """A study of the desk with its customers joined; without rules nobody is."""
    found = customers_of(desk, rules=rules) if rules else None
    linked = joined(desk, found=found) if found else desk
    return replace(Study.of(linked, policy=Policy(), period=Period.parse(period)), people=found)


def desk_of(*contacts: tuple[str, str | None, str], known: tuple[tuple[str, str, str, str], ...] = ()) -> Desk:
    """One contact a day, each solved after an hour: its source, who asked, and the channel."""
    rows = [
        {"source": source, "contact_id": f"{n:04}", "customer_ref": who, "channel": channel, "opened_at": DAY + timedelta(days=n)}
        for n, (source, who, channel) in enumerate(contacts)
    ]
    frame = pl.DataFrame(rows, schema_overrides={"customer_ref": pl.String}).with_columns(
        first_resolved_at=pl.col("opened_at") + timedelta(hours=1), category=pl.lit("billing"), status=pl.lit("solved"),
        initiated_by=pl.lit("customer"), resolved_by=pl.lit("human"),
    )  # fmt: skip
    manifest = Manifest(source="test", reader="test", reader_version="1", data_start=DAY, data_end=DAY + timedelta(days=len(rows) + 30))
    told = pl.DataFrame(list(known), schema=dict.fromkeys(("source", "customer_ref", "kind", "value_norm"), pl.String), orient="row")
    return Desk.build(manifest, contacts=frame, identifiers=told)


DEMO = study_of(redact(invent(contacts=8_000)), rules=Rules())
ANN = (("zd", "ann", "phone", "+442079460001"), ("calls", "n-1", "phone", "+442079460001"), ("zd", "bob", "email", "info@x.org"))
THREE = desk_of(("zd", "ann", "email"), ("calls", "n-1", "phone"), ("zd", "bob", "email"), ("zd", None, "phone"), known=ANN)


def test_coverage_counts_every_contact_of_a_channel_and_who_could_be_found_again() -> None:
    coverage = identities.coverage(DEMO)
    assert coverage["n"].sum() == DEMO.contacts.height
    assert dict(coverage.select("channel", "n").iter_rows()) == dict(DEMO.contacts.group_by(pl.col("channel").cast(pl.String)).len().iter_rows())
    known = coverage.drop_nulls("share")
    assert known["share"].is_sorted()
    assert (known["identified"] <= known["share"] + 1e-12).all()
    phone = DEMO.contacts.filter(pl.col("channel") == "phone")
    assert coverage.filter(pl.col("channel") == "phone")["share"][0] == pytest.approx(phone["customer_ref"].is_not_null().mean())
    assert (known["low"] <= known["share"]).all()


def test_a_customer_known_by_a_role_address_alone_cannot_be_found_again() -> None:
    study = study_of(
        desk_of(
            *[("zd", f"c{n}", "email") for n in range(40)],
            known=tuple(("zd", f"c{n}", "email", f"{'info' if n < 10 else f'p{n}'}@x.org") for n in range(40)),
        ),
        rules=Rules(),
    )
    assert identities.coverage(study).select("n", "share", "identified").rows() == [(40, 1.0, 0.75)]


def test_without_identifiers_nobody_knows_who_could_be_found_again() -> None:
    coverage = identities.coverage(study_of(THREE))
    assert coverage["identified"].null_count() == coverage.height
    assert [getattr(identities, name)(study_of(THREE)).height for name in ("weak", "cut", "refused")] == [0, 0, 0]


def test_names_become_people_and_the_repeat_under_another_name_is_seen() -> None:
    one, none = identities.joined(study_of(THREE, rules=Rules())), identities.joined(study_of(THREE))
    counted = ("names", "people", "several", "n", "concerned", "repeats", "across")
    assert one.select(counted).row(0) == (3, 2, 1, 4, 2, 1, 1)
    assert none.select(counted).row(0) == (3, 3, 0, 4, 0, 0, 0)
    assert one["share"][0] == pytest.approx(0.5)


def test_a_repeat_under_the_same_name_owes_nothing_to_joining() -> None:
    study = study_of(desk_of(("zd", "ann", "email"), ("zd", "ann", "phone"), ("calls", "n-1", "phone"), known=ANN), rules=Rules())
    assert identities.joined(study).select("repeats", "across").row(0) == (2, 1)


def test_the_demo_has_repeats_that_only_joining_shows() -> None:
    row = identities.joined(DEMO).row(0, named=True)
    assert row["names"] > row["people"]
    assert row["names"] == DEMO.contacts.select("source", "customer_ref").drop_nulls().n_unique()
    assert 0 < row["concerned"] < row["n"] == DEMO.contacts.height
    assert 0 <= row["across"] <= row["repeats"] == DEMO.headline["repeat"]


def test_weak_keys_show_their_first_characters_only() -> None:
    weak = identities.weak(DEMO, most=5)
    assert weak.height == 5
    assert weak["customers"].is_sorted(descending=True)
    assert weak["key"].str.contains(r"^([a-z]+@)?[0-9a-f]{6}…$").all()
    assert identities.weak(study_of(THREE, rules=Rules())).rows() == [("email", "info@x.org", 1, "role address")]


def test_a_group_that_was_cut_is_listed_without_a_name() -> None:
    known = tuple(("zd", f"c{n:02}", "order", "order-4711") for n in range(25))
    table = identities.cut(study_of(desk_of(("zd", "c00", "email"), known=known), rules=Rules()))
    assert table.rows() == [("group no. 1", 25, 1, "order", "order-…")]


def test_refused_values_are_counted_and_hashes_are_hidden() -> None:
    known = (("zd", "a", "order", "6.02E+11"), ("zd", "b", "order", "6.02E+11"), ("zd", "c", "email", "jo at home"))
    desk = desk_of(("zd", "a", "email"), known=known)
    told = [("order", "shortened by a spreadsheet", 2, "6.02E+11"), ("email", "not an e-mail address", 1, "jo at home")]
    assert identities.refused(study_of(desk, rules=Rules())).rows() == told
    damaged = desk_of(("zd", "a", "email"), known=(("zd", "a", "order", "#N/A"),))
    assert identities.refused(study_of(redact(damaged), rules=Rules())).rows() == [("order", "error value", 1, "(hidden)")]


def test_a_crowd_is_found_counted_and_left_out() -> None:
    desk = desk_of(*[("zd", "shared login", "web")] * 150, *[("zd", f"c{n}", "email") for n in range(30)])
    study = study_of(desk, period="2026-07-01..2026-12-31")
    assert identities.crowd_limit(study) == int(study.days * 5 / 7) < 150
    assert identities.crowded(study).rows() == [("customer no. 1", 150, 150 / 180, identities.joined(study)["repeats"][0], "web")]
    rates = identities.without_crowds(study)
    rest = study.contacts.filter(pl.col("customer_ref") != "shared login")
    assert rates["contacts"].to_list() == [identities.ALL, identities.WITHOUT]
    assert rates.row(1)[1:] == study.rate(rest).row(0)
    assert rates["share"][0] == study.headline["share"] < rates["share"][1]


def test_who_is_not_known_is_never_a_crowd() -> None:
    study = study_of(desk_of(*[("zd", None, "web")] * 60, ("zd", "ann", "web")))
    assert identities.crowded(study).is_empty()
    assert identities.without_crowds(study)["contacts"].to_list() == [identities.ALL]
    assert identities.without_crowds(study)["n"].to_list() == [61]
