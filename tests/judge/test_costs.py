"""Is every later contact priced once, and nothing that has no rate?"""

from __future__ import annotations

import polars as pl
import pytest

from fcrlib.judge.costs import follow_up_cost, total
from fcrlib.model.costs import Rates

RATES = Rates(contact=6.0, channels={"phone": 8.5}, hour=36.0)
SCHEMA = {
    "source": pl.String, "contact_id": pl.String, "label": pl.String, "issue": pl.String, "reasons": pl.List(pl.String), "channel": pl.String,
    "handle_seconds": pl.Float64,
}  # fmt: skip


def everything(*rows: tuple[object, ...]) -> pl.DataFrame:
    return pl.DataFrame([("zd", *row) for row in rows], schema=SCHEMA, orient="row")


HEAD = ("1", "failed", "zd:1", ["repeat_contact"], "email", 60.0)


def priced(*rows: tuple[object, ...], rates: Rates = RATES) -> tuple[int, float | None]:
    return follow_up_cost(everything(HEAD, *rows), rates=rates).select("later_contacts", "cost").row(0)


def test_each_later_contact_of_the_issue_is_priced_at_its_channel() -> None:
    assert priced(("2", "repeat", "zd:1", None, "phone", None), ("3", "repeat", "zd:1", None, "chat", None)) == (2, 14.5)


def test_known_working_time_comes_before_the_rate_of_the_channel() -> None:
    assert priced(("2", "repeat", "zd:1", None, "phone", 600.0)) == (1, pytest.approx(6.0))
    assert priced(("2", "repeat", "zd:1", None, "phone", 600.0), rates=Rates(contact=6.0)) == (1, 6.0)


def test_contacts_of_other_issues_and_of_none_are_not_counted() -> None:
    assert priced(("2", "repeat", "zd:9", None, "phone", None), ("3", "excluded", None, None, "phone", None)) == (0, 0.0)


def test_a_reopening_counts_as_one_more_contact_of_its_channel() -> None:
    frame = follow_up_cost(everything(("1", "failed", "zd:1", ["transferred", "reopened"], "phone", 600.0)), rates=RATES)
    assert frame.select("later_contacts", "cost").row(0) == (1, 8.5)


def test_one_contact_without_a_rate_leaves_the_whole_cost_unknown() -> None:
    rows = (("2", "repeat", "zd:1", None, "phone", None), ("3", "repeat", "zd:1", None, "chat", None))
    assert priced(*rows, rates=Rates(channels={"phone": 8.5})) == (2, None)
    assert priced(rates=Rates()) == (0, None)
    assert priced(*rows, rates=Rates(contact=0.0)) == (2, 0.0)


def test_only_failed_contacts_get_a_row_in_order() -> None:
    frame = follow_up_cost(everything(("9", "failed", "zd:9", [], "email", None), ("2", "resolved", "zd:2", None, "email", None), HEAD), rates=RATES)
    assert frame["contact_id"].to_list() == ["1", "9"]


def test_the_interval_of_a_total_grows_when_few_customers_carry_it() -> None:
    even = pl.DataFrame({"customer": [str(i) for i in range(40)], "cost": [5.0] * 40})
    uneven = even.with_columns(customer=pl.when(pl.int_range(40) < 30).then(pl.lit("big")).otherwise("customer"))
    one, other = (total(frame, what=pl.lit(True)).row(0, named=True) for frame in (even, uneven))
    assert one == {"cost": 200.0, "cost_low": 200.0, "cost_high": 200.0}
    assert other["cost"] == 200.0
    assert other["cost_high"] - other["cost_low"] > 100


def test_unknown_customers_are_each_their_own() -> None:
    rows = pl.DataFrame({"customer": [None] * 4, "cost": [1.0, 2.0, 3.0, 4.0]}, schema={"customer": pl.String, "cost": pl.Float64})
    named = rows.with_columns(customer=pl.Series(list("abcd")))
    assert total(rows, what=pl.col("cost") > 2).equals(total(named, what=pl.col("cost") > 2))


def test_a_cost_that_is_not_known_makes_the_total_unknown() -> None:
    rows = pl.DataFrame({"customer": list("ab"), "cost": [1.0, None]})
    assert total(rows, what=pl.lit(True)).row(0) == (None, None, None)
    assert total(rows, what=pl.col("customer") == "a")["cost"][0] == 1.0


def test_the_interval_holds_the_expected_total_in_most_draws() -> None:
    draws = pl.DataFrame({"draw": range(400)}).join(pl.DataFrame({"who": range(60)}), how="cross")
    drawn = draws.select("draw", customer=pl.col("who").cast(pl.String), cost=(pl.struct("draw", "who").hash(seed=4) % 100 < 30).cast(pl.Float64) * 6)
    held = [
        total(one, what=pl.lit(True)).select((pl.col("cost_low") <= 108) & (pl.col("cost_high") >= 108)).item() for one in drawn.partition_by("draw")
    ]
    assert 0.9 <= sum(held) / len(held) <= 0.99
