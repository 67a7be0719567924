"""Are repeats that a label hides counted, and only those?"""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import polars as pl
import pytest

from fcrlib.explain import labels
from fcrlib.intake.demo import invent
from fcrlib.intake.redact import redact
from fcrlib.link.categories import harmonised
from fcrlib.model.desk import Desk, Manifest
from fcrlib.model.period import Period
from fcrlib.model.policy import Policy
from fcrlib.study import Study

DAY = datetime(2026, 3, 1, 9, tzinfo=UTC)


def told(*rows: tuple[str | None, float, str | None, str]) -> Study:
    """Contacts as (customer, day, category, channel), each solved an hour after it was opened."""
    frame = pl.DataFrame(
        [
            {
                "source": "s",
                "contact_id": f"t{place}",
                "customer_ref": who,
                "opened_at": DAY + timedelta(days=day),
                "category": label,
                "channel": channel,
            }
            for place, (who, day, label, channel) in enumerate(rows)
        ],
        schema_overrides={"customer_ref": pl.String, "category": pl.String},
    ).with_columns(
        first_resolved_at=pl.col("opened_at") + pl.duration(hours=1),
        status=pl.lit("solved"),
        initiated_by=pl.lit("customer"),
        resolved_by=pl.lit("human"),
    )
    manifest = Manifest(source="s", reader="test", reader_version="1", data_start=DAY - timedelta(days=40), data_end=DAY + timedelta(days=90))
    return Study.of(Desk.build(manifest, contacts=frame), policy=Policy(), period=Period.parse("2026"))


def lost(*rows: tuple[str | None, float, str | None, str]) -> dict[str, int]:
    return dict(labels.alike(told(*rows)).select("variant", "lost").iter_rows())


OTHERS = [("z1", 50.0, "billing", "email"), ("z2", 51.0, "billing", "email"), ("z3", 52.0, "billing", "email")]


def test_a_customer_who_comes_back_under_the_variant_is_a_lost_repeat() -> None:
    assert lost(("ann", 0, "billing", "email"), ("ann", 2, "Billing", "phone"), *OTHERS) == {"Billing": 1}
    assert lost(("ann", 0, "Billing", "email"), ("ann", 2, "billing", "phone"), *OTHERS) == {"Billing": 1}


@pytest.mark.parametrize(
    "rows",
    [
        [("ann", 0, "billing", "email"), ("ann", 9, "Billing", "phone")],
        [("ann", 0, "billing", "email"), ("bob", 2, "Billing", "phone")],
        [(None, 0, "billing", "email"), (None, 2, "Billing", "phone")],
        [("ann", 0, "login", "email"), ("ann", 2, "Billing", "phone")],
        [("ann", 0, "billing", "email"), ("ann", 2, "Billing", "phone"), ("ann", 3, "billing", "email")],
    ],
    ids=["too late", "somebody else", "nobody known", "something else", "seen anyway"],
)
def test_what_is_no_lost_repeat_is_not_counted(rows: list[tuple[str | None, float, str | None, str]]) -> None:
    after = lost(*rows, *OTHERS)
    # The last story still loses the way from the variant back.
    assert after == {"Billing": 1 if len(rows) == 3 else 0}


def test_variants_of_variants_belong_together() -> None:
    chain = [
        ("z", 40.0 + 10 * place, label, "email")
        for place, label in enumerate(["subscription", "subscription", "subscription", "subscriptoin", "subscriptoin", "Subscriptoin"])
    ]
    found = lost(("ann", 0, "subscription", "email"), ("ann", 2, "Subscriptoin", "phone"), *chain)
    assert found == {"subscriptoin": 0, "Subscriptoin": 1}


def test_repeats_that_are_lost_come_back_when_the_labels_are_harmonised() -> None:
    desk = redact(invent(contacts=3000))
    loud = pl.when(pl.col("channel") == "phone").then(pl.col("category").str.to_uppercase()).otherwise("category")
    broken = Study.of(replace(desk, contacts=desk.contacts.with_columns(category=loud)), policy=Policy(), period=Period.parse("2026"))
    pairs = labels.alike(broken)
    assert set(pairs["kind"]) == {"upper and lower case"}
    assert pairs["lost"].sum() > 0
    mapping = dict(pairs.select("variant", "label").iter_rows())
    mended = Study.of(replace(desk, contacts=harmonised(broken.desk.contacts, mapping=mapping)), policy=Policy(), period=Period.parse("2026"))
    assert labels.alike(mended).is_empty()
    assert mended.headline["share"] < broken.headline["share"]


def test_a_large_label_of_one_channel_is_named_and_a_small_or_usual_one_is_not() -> None:
    fax = [(f"a{n}", n / 10, "paper", "phone") for n in range(60)]
    rare = [(f"b{n}", n / 10, "rare", "phone") for n in range(10)]
    mixed = [(f"c{n}", n / 10, "billing", ("email", "phone", "chat")[n % 3]) for n in range(120)]
    study = told(*fax, *rare, *mixed)
    assert labels.one_channel(study).select("category", "n", "channel", "share").rows() == [("paper", 60, "phone", 1.0)]
    assert labels.one_channel(told(*[(f"a{n}", n / 10, "paper", "phone") for n in range(60)])).is_empty()


def test_labels_are_held_against_each_other_within_and_across_channels() -> None:
    same = [(f"a{n // 2}", (n // 2) / 5 + n % 2, "billing", "email") for n in range(80)]
    across = [(f"b{n // 2}", (n // 2) / 5 + n % 2, ("billing", "BILLING")[n % 2], ("email", "phone")[n % 2]) for n in range(80)]
    table = labels.crossings(told(*same, *across))
    assert table.select("way", "n", "share").rows() == [("on the same channel", 40, 1.0), ("on another channel", 40, 0.0)]


def test_a_desk_without_labels_or_customers_has_nothing_to_say() -> None:
    study = told((None, 0, None, "email"))
    assert labels.alike(study).is_empty()
    assert labels.one_channel(study).is_empty()
    assert labels.crossings(study).is_empty()
    assert labels.extent(study) == (0, 0)
