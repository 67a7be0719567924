"""Is the difference to alike contacts that of the planted truth, and does its interval say how sure we are?"""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest

from fcrlib.model.errors import UsageError
from fcrlib.search.standardised import SCHEMA, e_value, risk_difference, risk_differences

ESTIMATES = ("risk_exposed", "risk_alike", "difference", "low", "high", "attributable", "e_value")


def confounded(*, seed: int, contacts: int = 12_000, planted: float = 0.1, together: float = 0.0, per_customer: int = 3) -> pl.DataFrame:
    """Exposure and failure both depend on channel and category (and, where asked, on the two together)."""
    rng = np.random.default_rng(seed)
    channel, category = rng.integers(0, 4, contacts), rng.integers(0, 8, contacts)
    pair = together * ((channel + category) % 2)
    chance = 1 / (1 + np.exp(3.2 - 0.6 * channel - 0.2 * category - 4 * pair))
    customer = rng.integers(0, contacts // per_customer, contacts)
    own = 0.08 * rng.standard_normal(contacts // per_customer)[customer]
    exposed = rng.random(contacts) < chance
    share = 0.15 + 0.05 * channel + 0.03 * category + pair + own + planted * exposed
    return pl.DataFrame(
        {
            "channel": [f"c{value}" for value in channel], "category": [f"k{value}" for value in category], "customer": customer,
            "exposed": exposed, "failed": rng.random(contacts) < share,
        }
    )  # fmt: skip


def found(frame: pl.DataFrame, **more: object) -> dict[str, float]:
    asked = {"exposed": "exposed", "failed": "failed", "dims": ["channel", "category"], "cluster": "customer"} | more
    return risk_difference(frame, **asked).row(0, named=True)  # type: ignore[arg-type]


def raw(frame: pl.DataFrame) -> float:
    shares = frame.group_by("exposed").agg(pl.col("failed").mean()).sort("exposed")["failed"]
    return float(shares[1] - shares[0])


@pytest.mark.parametrize("together", [0.0, 0.15])
def test_confounding_is_taken_out_even_where_dimensions_act_together(together: float) -> None:
    frames = [confounded(seed=seed, together=together) for seed in range(6)]
    adjusted = [found(frame)["difference"] for frame in frames]
    assert np.mean([raw(frame) for frame in frames]) > 0.15
    assert np.mean(adjusted) == pytest.approx(0.1, abs=0.012)


def test_in_rich_cells_it_is_the_difference_weighted_to_the_exposed() -> None:
    # 200 of 400 chats and 900 of 1,200 phone calls are exposed; in both 20 more in 100 fail with the exposure.
    parts = [("chat", True, 200, 60), ("chat", False, 200, 20), ("phone", True, 900, 630), ("phone", False, 300, 150)]
    frame = pl.concat(pl.select(channel=pl.repeat(c, n), exposed=pl.repeat(e, n), failed=pl.int_range(n) < k) for c, e, n, k in parts)
    told = found(frame, dims=["channel"], cluster=None)
    assert told["risk_exposed"] == pytest.approx(690 / 1100)
    assert told["risk_alike"] == pytest.approx((200 * 0.1 + 900 * 0.5) / 1100, abs=0.003)
    assert told["attributable"] == pytest.approx(220, abs=4)
    assert (told["n_exposed"], told["n_compared"], told["overlap"], told["too_few"]) == (1100, 500, 1.0, False)
    assert told["share_exposed"] == pytest.approx(1100 / 1600)


def test_without_dimensions_it_is_the_plain_difference() -> None:
    frame = confounded(seed=3)
    assert found(frame, dims=[])["difference"] == pytest.approx(raw(frame))


def test_nothing_planted_is_not_found_in_most_desks() -> None:
    rows = [found(confounded(seed=seed, planted=0.0, contacts=4000)) for seed in range(40)]
    assert sum(row["low"] > 0 or row["high"] < 0 for row in rows) <= 6


@pytest.mark.slow
def test_the_interval_holds_the_planted_difference_as_often_as_it_says() -> None:
    rows = [found(confounded(seed=seed, contacts=3000, per_customer=6)) for seed in range(300)]
    assert 0.91 <= np.mean([row["low"] <= 0.1 <= row["high"] for row in rows]) <= 0.99


def test_customers_who_ask_often_widen_the_interval() -> None:
    frame = confounded(seed=1, contacts=3000)
    copied = pl.concat([frame] * 4)
    alone, known = found(copied, cluster=None), found(copied)
    assert alone["high"] - alone["low"] < 0.7 * (known["high"] - known["low"])


def test_unknown_exposures_are_neither_exposed_nor_compared_and_unknown_failures_left_out() -> None:
    frame = confounded(seed=2)
    some = pl.int_range(pl.len()) % 4 == 0
    blank = found(frame.with_columns(exposed=pl.when(~some).then("exposed")))
    gone = found(frame.with_columns(failed=pl.when(~some).then("failed")))
    left = found(frame.filter(~some))
    for told in (blank, gone):
        assert {name: told[name] for name in ("n_exposed", "n_compared")} == {name: left[name] for name in ("n_exposed", "n_compared")}
        assert told["difference"] == pytest.approx(left["difference"], abs=1e-9)


def test_the_order_of_rows_does_not_matter() -> None:
    frame = confounded(seed=4, contacts=3000)
    one, other = found(frame), found(frame.sample(fraction=1, shuffle=True, seed=9))
    assert all(one[name] == pytest.approx(other[name], abs=1e-9) for name in ESTIMATES)


def test_exposed_contacts_without_alike_ones_are_left_out_and_counted() -> None:
    frame = confounded(seed=5)
    bots = frame.head(1000).with_columns(channel=pl.lit("bot"), exposed=True, failed=True)
    whole, rest = found(pl.concat([frame, bots])), found(frame)
    assert whole["overlap"] == pytest.approx(rest["n_exposed"] / (rest["n_exposed"] + 1000))
    assert whole["difference"] == pytest.approx(rest["difference"], abs=1e-6)
    assert whole["attributable"] == pytest.approx(rest["attributable"], abs=0.01)


def test_too_few_contacts_or_customers_give_no_estimate() -> None:
    frame = confounded(seed=6).sort("exposed", descending=True)
    few = pl.concat([frame.head(29), frame.filter(~pl.col("exposed"))])
    same = frame.with_columns(customer=pl.when("exposed").then(pl.col("customer") % 9).otherwise("customer"))
    for short in (few, same):
        told = found(short)
        assert told["too_few"]
        assert all(told[name] is None for name in ESTIMATES)
    assert not found(pl.concat([frame.head(200), frame.filter(~pl.col("exposed"))]))["too_few"]


def test_where_all_exposed_contacts_fail_the_interval_still_has_a_width() -> None:
    frame = confounded(seed=7).with_columns(failed=pl.col("failed") | pl.col("exposed"))
    told = found(frame)
    assert told["low"] < told["difference"] <= told["high"] <= 1 - told["risk_alike"] + 0.05
    assert told["high"] - told["low"] > 0.005


def test_several_exposures_are_given_in_order_one_row_each() -> None:
    frame = confounded(seed=8, contacts=3000).with_columns(rare=pl.int_range(pl.len()) < 5, coin=pl.int_range(pl.len()) % 2 == 0)
    table = risk_differences(frame, exposures=["coin", "exposed", "rare"], failed="failed", dims=["channel"], cluster="customer")
    assert table["exposure"].to_list() == ["coin", "exposed", "rare"]
    assert table["too_few"].to_list() == [False, False, True]
    assert dict(table.schema) == {name: dtype() if isinstance(dtype, type) else dtype for name, dtype in SCHEMA.items()}


def test_the_e_value_is_that_of_the_ratio_and_of_its_limit_nearest_to_one() -> None:
    told = found(confounded(seed=9, planted=0.25))
    assert told["e_value"] == pytest.approx(e_value(told["risk_exposed"] / told["risk_alike"]))
    assert 1 < told["e_value_limit"] < told["e_value"]
    unclear = found(confounded(seed=1, planted=0.0, contacts=3000))
    assert unclear["low"] < 0 < unclear["high"]
    assert unclear["e_value_limit"] == 1.0


def test_where_no_outcome_is_known_nothing_is_said() -> None:
    told = found(confounded(seed=0, contacts=2000).with_columns(failed=pl.lit(None, pl.Boolean)))
    assert (told["n_exposed"], told["too_few"], told["difference"]) == (0, True, None)


def test_columns_that_are_missing_and_dimensions_with_too_many_values_are_refused() -> None:
    frame = confounded(seed=0, contacts=2000)
    with pytest.raises(UsageError, match="no column 'team'"):
        found(frame, dims=["team"])
    with pytest.raises(UsageError, match=r"'customer' has \d+ values, at most 300"):
        found(frame, dims=["channel", "customer"])
