"""Do the intervals agree with the book, and hold what they promise?"""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest

from fcrlib.judge.rates import difference, fcr, mature, rate, share, withhold
from fcrlib.model.errors import UsageError

# Newcombe (1998), Statistics in Medicine 17, 857-872, table I; the ends as printed to four digits.
NEWCOMBE = [(81, 263, 0.2553, 0.3662), (15, 148, 0.0624, 0.1605), (0, 20, 0.0, 0.1611), (1, 29, 0.0061, 0.1718)]
PRINTED = 5e-5


@pytest.mark.parametrize(("k", "n", "low", "high"), NEWCOMBE)
def test_wilson_is_newcombes_method_three(k: int, n: int, low: float, high: float) -> None:
    found = pl.DataFrame({"yes": [True] * k + [False] * (n - k)}).select(share(pl.col("yes"))).row(0, named=True)
    assert found["low"] == pytest.approx(low, abs=PRINTED)
    assert found["high"] == pytest.approx(high, abs=PRINTED)


def test_each_contact_its_own_customer_is_nearly_plain_wilson() -> None:
    frame = pl.DataFrame({"yes": [True] * 700 + [False] * 300})
    plain = frame.select(share(pl.col("yes"))).row(0, named=True)
    found = rate(frame, pl.col("yes")).row(0, named=True)
    assert found["deff"] == pytest.approx(1.001, abs=1e-3)
    assert found["low"] == pytest.approx(plain["low"], abs=1e-3)


def test_customers_who_always_agree_with_themselves_count_once() -> None:
    alone = pl.DataFrame({"who": [f"c{n}" for n in range(100)], "yes": [n % 3 > 0 for n in range(100)]})
    tenfold = pl.concat([alone] * 10)
    one, ten = (rate(frame, pl.col("yes"), cluster="who").row(0, named=True) for frame in (alone, tenfold))
    assert (ten["n"], ten["clusters"]) == (1000, 100)
    assert ten["low"] == pytest.approx(one["low"], abs=1e-9)
    assert ten["deff"] == pytest.approx(10 * one["deff"], rel=1e-9)


def test_an_interval_of_clustered_contacts_covers_the_truth() -> None:
    rng = np.random.Generator(np.random.PCG64(3))
    hits = 0
    for _ in range(300):
        sizes = rng.integers(1, 12, 60)
        leaning = rng.beta(0.72 / 0.3 * 0.7, 0.28 / 0.3 * 0.7, 60)
        who = np.repeat(np.arange(60), sizes)
        frame = pl.DataFrame({"who": who.astype(str), "yes": rng.random(len(who)) < np.repeat(leaning, sizes)})
        found = rate(frame, pl.col("yes"), cluster="who").row(0, named=True)
        hits += found["low"] <= 0.72 <= found["high"]
    assert 0.91 <= hits / 300 <= 0.985


def test_unknown_rows_and_unknown_customers_are_neither_yes_nor_one_person() -> None:
    frame = pl.DataFrame({"who": [None, None, "a"], "yes": [True, None, False]}, schema_overrides={"yes": pl.Boolean})
    found = rate(frame, pl.col("yes"), cluster="who").row(0, named=True)
    assert (found["n"], found["clusters"], found["share"]) == (2, 2, 0.5)


def test_segments_recombine_to_the_total() -> None:
    judged = pl.DataFrame(
        {"label": ["resolved", "failed", "pending", "repeat", "excluded", "resolved"], "customer": list("aabbcc"), "team": list("xyxyxy")}
    )
    whole, parts = fcr(judged).row(0, named=True), fcr(judged, by="team")
    for count in ("n", "resolved", "failed", "pending", "repeat", "excluded"):
        assert parts[count].sum() == whole[count]
    assert (whole["lowest"], whole["highest"]) == (0.5, 0.75)


def test_a_segment_without_a_verdict_is_unknown_not_zero() -> None:
    judged = pl.DataFrame({"label": ["pending", "resolved"], "customer": ["a", "b"], "team": ["x", "y"]})
    rows = {row["team"]: row for row in fcr(judged, by="team").to_dicts()}
    assert rows["x"]["share"] is None
    assert rows["x"]["n"] == 0


def test_too_few_contacts_or_customers_are_withheld() -> None:
    rates = pl.DataFrame({"n": [29, 30, 500], "clusters": [29, 30, 9], "share": [0.5] * 3, "low": [0.4] * 3, "high": [0.6] * 3})
    assert withhold(rates)["share"].to_list() == [None, 0.5, None]
    assert withhold(rates)["too_few"].to_list() == [True, False, True]


def test_the_difference_of_two_shares_is_newcombes_method_ten() -> None:
    # Newcombe (1998), Statistics in Medicine 17, 873-890, table II (a): 56/70 - 48/80.
    rows = [pl.DataFrame({"yes": [True] * k + [False] * (n - k)}).select(share(pl.col("yes"))).row(0, named=True) for k, n in ((56, 70), (48, 80))]
    found = difference(*rows)
    assert (found.value, found.low, found.high) == pytest.approx((0.2, 0.0524, 0.3339), abs=PRINTED)
    assert found.is_clear


def test_a_mature_set_holds_no_failure_whose_window_is_still_open() -> None:
    from datetime import UTC, datetime

    end, soon = datetime(2026, 1, 10, tzinfo=UTC), datetime(2026, 1, 12, tzinfo=UTC)
    judged = pl.DataFrame(
        {
            "label": ["failed", "failed", "failed", "resolved"],
            "reason": ["reopened", "reopened", "unresolved", None],
            "anchor_at": [end, end, None, end],
            "horizon_at": [soon, end, None, end],
            "data_end": [end] * 4,
        }
    )
    assert mature(judged)["reason"].to_list() == ["reopened", "unresolved", None]


def test_differences_of_frames_are_those_of_their_rows() -> None:
    frame = pl.DataFrame({"team": ["a"] * 60 + ["b"] * 60, "ok": ([True] * 40 + [False] * 20) * 2, "year": [1] * 30 + [2] * 60 + [1] * 30})
    now, before = (rate(frame.filter(pl.col("year") == year), "ok", by="team") for year in (2, 1))
    table = difference(now, before, by="team")
    for row, one, other in zip(table.to_dicts(), now.to_dicts(), before.to_dicts(), strict=True):
        alone = difference(one, other)
        assert (row["value"], row["low"], row["high"], row["clear"]) == pytest.approx((alone.value, alone.low, alone.high, alone.is_clear))
    one_sided = difference(now, before.head(1), by="team")
    assert one_sided["value"].to_list()[1] is None
    assert one_sided["clear"].to_list()[1] is None


def test_frames_of_several_rows_are_not_compared_without_saying_which_belong_together() -> None:
    frame = pl.DataFrame({"team": ["a", "b"], "ok": [True, False]})
    with pytest.raises(UsageError, match="say with `by`"):
        difference(rate(frame, "ok", by="team"), rate(frame, "ok", by="team"))
