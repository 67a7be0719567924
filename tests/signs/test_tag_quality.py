"""Are agreement, precision, recall and adjusted volumes right to the digit, and do their intervals hold what they say?"""

from __future__ import annotations

import math

import numpy as np
import polars as pl
import pytest

from fcrlib.judge.agree import kappa
from fcrlib.judge.sampling import draw
from fcrlib.signs.tag_quality import accuracy, agreement, cohen, confusion, quality, verdicts, volumes

KEY = ["source", "contact_id"]


def read_by(*, settles: bool = False, **said: list[str | None]) -> pl.DataFrame:
    """Marks of some taggers on contacts 0, 1, 2, ..."""
    rows = [
        pl.DataFrame({"contact_id": [f"{place:03}" for place in range(len(modes))], "mode": pl.Series(modes, dtype=pl.String)}).with_columns(
            source=pl.lit("zd"), tagger=pl.lit(who), settles=pl.lit(settles)
        )
        for who, modes in said.items()
    ]
    return pl.concat(rows)


def drawn_from(strata: list[str], sizes: dict[str, int]) -> pl.DataFrame:
    frame = pl.DataFrame({"contact_id": [f"{place:03}" for place in range(len(strata))], "stratum": strata})
    return frame.with_columns(source=pl.lit("zd"), stratum_size=pl.col("stratum").replace_strict(sizes, return_dtype=pl.Int64))


def row_of(table: pl.DataFrame, mode: str) -> dict[str, float]:
    return table.filter(pl.col("mode") == mode).row(0, named=True)


def test_what_two_people_name_differently_is_nobodys_until_it_is_settled() -> None:
    raw = read_by(ann=["x", "x", "x", None, None], bob=["x", "y", None, "y", None])
    assert verdicts(raw)["mode"].to_list() == ["x", None, "x", "y", None]
    assert verdicts(raw)["disputed"].to_list() == [False, True, False, False, False]
    assert verdicts(raw)["taggers"].to_list() == [2] * 5
    settled = verdicts(pl.concat([raw, read_by(cyd=[None, "z"], settles=True)]))
    assert settled["mode"].to_list() == ["x", "z", "x", "y", None]
    assert not settled["disputed"].any()


def test_who_settles_without_being_sure_settles_nothing() -> None:
    both = pl.concat([read_by(ann=["x"], bob=["y"]), read_by(cyd=[None], settles=True)])
    assert verdicts(both).row(0, named=True) == {"source": "zd", "contact_id": "000", "mode": None, "taggers": 2, "disputed": True}


def test_kappa_is_that_of_the_book() -> None:
    # Fleiss, Cohen and Everitt (1969), table 1: 0.429 with a standard error of 0.054.
    k, low, high = cohen(np.array([[106.0, 10, 4], [22, 28, 10], [2, 12, 6]]))
    assert k == pytest.approx(0.429, abs=0.0005)
    assert (high - low) / 2 / 1.96 == pytest.approx(0.054, abs=0.0005)


def test_kappa_of_two_classes_is_that_of_the_surveys() -> None:
    table = np.array([[40.0, 9], [6, 20]])
    assert cohen(table) == pytest.approx(kappa([0.5333333333333333, 0.12, 0.08, 0.26666666666666666], 75))


def test_full_agreement_is_not_certainty() -> None:
    k, low, high = cohen(np.diag([10.0, 10.0]))
    assert (k, high) == (1.0, 1.0)
    assert low == pytest.approx(2 * 20 / (20 + 1.959964**2) - 1, abs=1e-6)
    assert all(math.isnan(value) for value in cohen(np.array([[5.0, 0], [0, 0]])))


def test_agreement_counts_what_both_decided_on_and_each_mode_against_the_rest() -> None:
    raw = read_by(ann=["x"] * 6 + ["y"] * 3 + [None], bob=["x"] * 5 + ["y"] * 4 + ["x"])
    table = agreement(raw)
    assert table.select("tagger", "other", "mode", "n").rows() == [("ann", "bob", None, 9), ("ann", "bob", "x", 6), ("ann", "bob", "y", 4)]
    assert table["agreed"].to_list() == pytest.approx([8 / 9, 5 / 6, 3 / 4])
    # 8/9 seen; by chance 6/9 * 5/9 + 3/9 * 4/9 = 42/81.
    assert table["kappa"].to_list() == pytest.approx([(8 / 9 - 42 / 81) / (1 - 42 / 81)] * 3)
    assert (table["kappa_low"] < table["kappa"]).all()


def test_one_person_alone_agrees_with_nobody() -> None:
    raw = read_by(ann=["x", "y"])
    assert agreement(raw).is_empty()
    assert confusion(raw).is_empty()


def test_settling_lines_are_no_third_opinion() -> None:
    raw = pl.concat([read_by(ann=["x", "x"], bob=["x", "y"]), read_by(cyd=["y", "y"], settles=True)])
    assert agreement(raw)["other"].unique().to_list() == ["bob"]


def test_confused_pairs_are_counted_whoever_said_which() -> None:
    raw = read_by(ann=["x", "y", "x", "x", "z"], bob=["y", "x", "x", "z", "z"])
    rows = confusion(raw).select("mode", "other", "n", "of").rows()
    # x or y: contacts 0 to 3; x or z: contacts 0 to 4.
    assert rows == [("x", "y", 2, 4), ("x", "z", 1, 5)]


def test_what_people_said_is_weighed_by_the_strata() -> None:
    raw = read_by(ann=["a"] * 8 + ["b"] * 2 + ["b"] * 4 + ["a"])
    sample = drawn_from(["a"] * 10 + ["b"] * 5, {"a": 100, "b": 50})
    table = volumes(raw, sample=sample)
    assert table.select("mode", "n_people", "rules").rows() == [("a", 9, 100), ("b", 6, 50)]
    assert table["adjusted"].to_list() == pytest.approx([80 + 10, 20 + 40])
    assert table["share"].to_list() == pytest.approx([0.6, 0.4])
    assert accuracy(raw, sample=sample).select("n", "share").row(0) == pytest.approx((15, 120 / 150))
    right = quality(raw, sample=sample)
    assert right.select("mode", "n_people", "n_rules").rows() == [("a", 9, 10), ("b", 6, 5)]
    assert right["precision"].to_list() == pytest.approx([0.8, 0.8])
    assert right["recall"].to_list() == pytest.approx([80 / 90, 40 / 60])


def test_one_stratum_gives_wilsons_interval_of_what_is_left_to_read() -> None:
    # 8 of 10 out of 100: an effective size of 10 / 0.9, and Wilson's ends 0.5060 and 0.9398.
    table = volumes(read_by(ann=["a"] * 8 + ["b"] * 2), sample=drawn_from(["a"] * 10, {"a": 100}))
    assert row_of(table, "a")["low"] == pytest.approx(50.60, abs=0.01)
    assert row_of(table, "a")["high"] == pytest.approx(93.98, abs=0.01)
    assert row_of(table, "b")["low"] == pytest.approx(100 - 93.98, abs=0.01)
    assert row_of(table, "b")["clear"]
    assert row_of(table, "a")["clear"]


def test_the_ends_of_the_recall_are_where_its_two_parts_just_allow_them() -> None:
    sample = drawn_from(["a"] * 10 + ["b"] * 5, {"a": 100, "b": 50})
    raw = read_by(ann=["a"] * 8 + ["b"] * 2 + ["b"] * 4 + ["a"])
    low = row_of(quality(raw, sample=sample), "a")["recall_low"]
    found = 80 - 50.60  # to the lower end of what both call so
    # What only people call so: 1 of 5 out of 50, an effective size of 5 / 0.9, and Wilson's upper end.
    n, p, z2 = 5 / 0.9, 0.2, 1.959964**2
    upper = (p + z2 / (2 * n) + (z2 * (p * (1 - p) / n + z2 / (4 * n * n))) ** 0.5) / (1 + z2 / n)
    missed = 50 * upper - 10
    assert (1 - low) * 80 - low * 10 == pytest.approx(math.hypot((1 - low) * found, low * missed), abs=0.02)


def test_reading_everything_leaves_nothing_to_doubt() -> None:
    raw = read_by(ann=["a", "a", "b", "b"])
    table = volumes(raw, sample=drawn_from(["a", "a", "a", "b"], {"a": 3, "b": 1}))
    assert table.select("mode", "adjusted", "low", "high").rows() == [("a", 2.0, 2.0, 2.0), ("b", 2.0, 2.0, 2.0)]


def test_a_stratum_that_nobody_read_is_not_spoken_for() -> None:
    raw = read_by(ann=["a", "a", "a", None])
    sample = drawn_from(["a", "a", "a", "b"], {"a": 30, "b": 10})
    table = volumes(raw, sample=sample)
    assert row_of(table, "a")["share"] == pytest.approx(1.0)
    assert row_of(table, "b")["rules"] == 10
    assert row_of(table, "b")["adjusted"] is None
    assert row_of(table, "b")["clear"] is None
    assert row_of(quality(raw, sample=sample), "b")["recall"] is None
    assert row_of(quality(raw, sample=sample), "b")["precision"] is None


def test_disputed_contacts_are_given_to_nobody() -> None:
    raw = read_by(ann=["a", "a", "a", "b"], bob=["a", "a", "b", "b"])
    sample = drawn_from(["a", "a", "a", "b"], {"a": 30, "b": 10})
    assert volumes(raw, sample=sample).select("mode", "n_people", "adjusted").rows() == [("a", 2, 30.0), ("b", 1, 10.0)]


def test_a_mode_that_people_never_saw_is_not_proven_to_be_absent() -> None:
    raw = read_by(ann=["a"] * 10)
    table = volumes(raw, sample=drawn_from(["a"] * 5 + ["b"] * 5, {"a": 100, "b": 100}))
    assert row_of(table, "b")["adjusted"] == 0
    assert row_of(table, "b")["high"] > 30
    assert row_of(table, "a")["low"] < 170


def test_other_rules_can_be_held_against_the_same_marks() -> None:
    raw = read_by(ann=["a", "a", "b", "b"])
    sample = drawn_from(["a", "a", "a", "b"], {"a": 30, "b": 10})
    rules = pl.DataFrame({"source": "zd", "contact_id": ["000", "001", "002", "003"], "mode": ["a", "a", "b", "b"], "primary": True})
    now = quality(raw, sample=sample, rules=rules)
    assert now["precision"].to_list() == pytest.approx([1.0, 1.0])
    assert now["recall"].to_list() == pytest.approx([1.0, 1.0])
    assert row_of(quality(raw, sample=sample), "b")["recall"] == pytest.approx(0.5)
    less = quality(raw, sample=sample, rules=rules.head(2))
    assert less.select("mode", "n_people").rows() == [("a", 2)]


@pytest.mark.slow
@pytest.mark.parametrize(("n", "least", "right"), [(100, 5, 0.8), (50, 2, 0.9)])
def test_the_intervals_hold_the_truth_as_often_as_they_say(n: int, least: int, right: float) -> None:
    rng = np.random.default_rng(1)
    share = np.array([5, 5, 6, 6, 7, 8, 8, 9, 12, 16, 18]) / 100
    names = np.array([f"m{place:02}" for place in range(10)] + ["unexplained"])
    rule, other = rng.choice(names, size=900, p=share), rng.choice(names, size=900, p=share)
    truth = np.where(rng.random(900) < np.where(rule == "unexplained", 0.3, right), rule, other)
    pool = pl.DataFrame(
        {"contact_id": [f"{place:04}" for place in range(900)], "stratum": rule, "truth": truth, "channel": rng.choice(list("abc"), 900)}
    )
    pool = pool.with_columns(source=pl.lit("zd"))
    many, both = ({name: int(what[truth == name].sum()) for name in names} for what in (np.ones(900), truth == rule))
    held: dict[str, list[bool]] = {"volume": [], "recall": [], "precision": []}
    for seed in range(200):
        drawn = draw(pool, n=n, seed=seed, least=least, spread="channel")
        raw = drawn.select(*KEY, mode="truth", tagger=pl.lit("ann"), settles=pl.lit(False))
        held["volume"] += [row["low"] <= many[row["mode"]] <= row["high"] for row in volumes(raw, sample=drawn).to_dicts()]
        for row in quality(raw, sample=drawn).drop_nulls("recall").to_dicts():
            held["recall"].append(row["recall_low"] <= both[row["mode"]] / many[row["mode"]] <= row["recall_high"])
        for row in quality(raw, sample=drawn).drop_nulls("precision").to_dicts():
            held["precision"].append(row["precision_low"] <= both[row["mode"]] / (rule == row["mode"]).sum() <= row["precision_high"])
    found = {name: np.mean(values) for name, values in held.items()}
    assert 0.92 <= found["volume"] <= 0.99, found
    assert 0.92 <= found["recall"] <= 0.99, found
    # Five contacts allow six shares: their interval can only be wide or wrong, and it is wide.
    assert found["precision"] >= 0.92, found
