"""Are the customers found again whom the phone system knows under another name, and is nobody taken for somebody else?"""

from __future__ import annotations

import polars as pl
import pytest

from fcrlib.intake.demo import Truth, answer_key, invent
from fcrlib.intake.redact import redact
from fcrlib.link.identity import Customers, customers, customers_of, joined
from fcrlib.model.identity import Rules


def false_joins(found: Customers) -> int:
    """How many customers were taken for another one; one customer was planted for one person."""
    own = found.people.filter(pl.col("customer_ref").str.starts_with("c-"))
    return own.height - own["person"].n_unique()


@pytest.mark.parametrize("seed", [7, pytest.param(8, marks=pytest.mark.slow)])
def test_aliases_are_found_and_nobody_is_taken_for_somebody_else(seed: int) -> None:
    desk, key = redact(invent(seed=seed, contacts=20_000)), answer_key(seed=seed, contacts=20_000)
    found = customers_of(desk, rules=Rules())
    names = (
        joined(desk, found=found).contacts.select("contact_id", "customer_ref", "person").join(key.select("contact_id", "customer"), on="contact_id")
    )
    home = found.people.select(customer="customer_ref", home="person")
    aliases = names.filter(pl.col("customer_ref").str.starts_with("t-")).join(home, on="customer").unique("customer_ref")
    assert aliases.height > 50
    assert aliases.select((pl.col("person") == pl.col("home")).mean()).item() >= 0.95
    assert false_joins(found) == 0


@pytest.mark.slow
def test_without_the_account_numbers_a_front_desk_joins_colleagues() -> None:
    desk = redact(invent())
    assert false_joins(customers_of(desk, rules=Rules())) == 0
    assert false_joins(customers(desk.identifiers.filter(pl.col("kind") != "account"))) > 0


def test_where_no_alias_is_planted_every_name_is_a_person() -> None:
    found = customers_of(redact(invent(contacts=6_000, truth=Truth.nothing())), rules=Rules())
    assert found.people["person"].n_unique() == found.people.height
