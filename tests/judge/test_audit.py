"""Is the sample of repeats fair, is its precision right, and does it count only for the definition it was drawn under?"""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from storytelling import desk_of

from fcrlib.intake.demo import invent
from fcrlib.intake.redact import redact
from fcrlib.intake.tables.worksheet import ANSWERS
from fcrlib.judge import audit
from fcrlib.judge.outcomes import judge
from fcrlib.model.errors import DataError, UsageError
from fcrlib.model.policy import Policy

POLICY = Policy()
DESK = redact(invent(contacts=4000))
OUTCOMES = judge(DESK, policy=POLICY)
SAMPLE = audit.sample(DESK, OUTCOMES, policy=POLICY)


def filled(answers: list[str | None], drawn: pl.DataFrame = SAMPLE) -> pl.DataFrame:
    """The sample as it comes back from a worksheet."""
    marks = drawn.with_columns(same_issue=pl.Series(answers, dtype=pl.String)).with_row_index("row", offset=2)
    return marks.with_columns(pl.col("stratum_size").cast(pl.String), similarity=pl.lit("0,3"))


def test_each_repeat_is_paired_with_the_contact_of_its_chain_just_before_it() -> None:
    acts = [{"kind": "message", "actor": "agent", "t": 1}, {"kind": "status", "actor": "agent", "status": "solved", "t": 2}]
    tale = [
        {"id": f"{9 - n}", "opened": 24 * n, "customer": "ann", "category": about, "events": [{**act, "t": 24 * n + act["t"]} for act in acts]}
        for n, about in enumerate(["billing", "login", "billing", "billing"])
    ]
    pairs = audit.repeats(judge(desk_of(tale, data_end=2000), policy=POLICY))
    assert pairs.select("contact_id", "earlier_contact_id").rows() == [("6", "7"), ("7", "9")]
    assert pairs["pair"].to_list() == ["contact 6 after 7 (story)", "contact 7 after 9 (story)"]


def test_an_id_that_exists_in_two_sources_is_not_mixed_up() -> None:
    ghosts = OUTCOMES.with_columns(source=pl.lit("other"), customer=pl.format("other:{}", "customer"))
    both = audit.repeats(pl.concat([OUTCOMES, ghosts]))
    assert (both["source"] == both["earlier_source"]).all()
    assert both.filter(pl.col("source") == "demo").equals(audit.repeats(OUTCOMES))


def test_every_repeat_of_the_desk_has_its_pair_and_no_pair_runs_backwards() -> None:
    pairs = audit.repeats(OUTCOMES)
    assert pairs.height == (OUTCOMES["label"] == "repeat").sum()
    assert (pairs["earlier_start_at"] <= pairs["start_at"]).all()
    assert pairs["pair"].is_unique().all()


def test_the_sample_is_the_same_for_the_same_seed_whatever_the_order_of_rows() -> None:
    shuffled = replace(DESK, contacts=DESK.contacts.sample(fraction=1, shuffle=True, seed=1))
    assert SAMPLE.equals(audit.sample(shuffled, OUTCOMES.reverse(), policy=POLICY))
    assert set(audit.sample(DESK, OUTCOMES, policy=POLICY, seed=1)["pair"]) != set(SAMPLE["pair"])


@pytest.mark.parametrize("n", [10, 50, 80, 100])
def test_every_stratum_is_drawn_from_in_proportion(n: int) -> None:
    drawn = audit.sample(DESK, OUTCOMES, policy=POLICY, n=n)
    strata = drawn.group_by("stratum").agg(pl.len().alias("n"), size=pl.col("stratum_size").first())
    assert drawn.height == n
    assert drawn["pair"].is_unique().all()
    assert strata["size"].sum() == audit.repeats(OUTCOMES).height
    assert (strata["n"] <= strata["size"]).all()
    fair = 1 + (strata["size"] - 1) * (n - strata.height) / (strata["size"].sum() - strata.height)
    assert ((strata["n"] - fair).abs() < 1).all()


def test_few_repeats_are_all_taken_and_none_is_an_error() -> None:
    early = pl.col("start_at") < OUTCOMES.filter(pl.col("label") == "repeat")["start_at"].sort()[30]
    assert audit.sample(DESK, OUTCOMES, policy=POLICY, within=early).height == 30
    with pytest.raises(DataError, match="no contact is called a repeat"):
        audit.sample(DESK, OUTCOMES, policy=POLICY, within=pl.lit(False))
    with pytest.raises(UsageError, match="10 to 500"):
        audit.sample(DESK, OUTCOMES, policy=POLICY, n=9)


def test_answers_stand_for_their_strata_and_unsure_ones_for_nothing() -> None:
    marks = pl.DataFrame(
        {"same_issue": ["yes", "no", "unsure", "no", None], "stratum": ["big", "big", "big", "small", "mute"], "stratum_size": [90, 90, 90, 10, 25]}
    )
    row = audit.precision(marks).row(0, named=True)
    assert (row["drawn"], row["n"], row["yes"], row["unsure"]) == (5, 3, 1, 1)
    assert row["share"] == pytest.approx(45 / 100)
    assert row["covered"] == pytest.approx(100 / 125)
    assert audit.precision(marks, by="stratum").select("stratum", "n", "share").rows() == [("big", 2, 0.5), ("mute", 0, None), ("small", 1, 0.0)]


def test_equal_weights_give_wilsons_interval() -> None:
    marks = pl.DataFrame({"same_issue": ["yes"] * 81 + ["no"] * 182, "stratum": "all", "stratum_size": 1000})
    row = audit.precision(marks).row(0, named=True)
    assert (round(row["low"], 4), round(row["high"], 4)) == (0.2553, 0.3662)


def test_the_interval_holds_the_truth_as_often_as_it_says() -> None:
    rng = np.random.default_rng(5)
    pool = audit.repeats(OUTCOMES).select("pair")
    pool = pool.with_columns(truth=pl.Series(rng.random(pool.height) < 0.7))
    held = 0
    for seed in range(60):
        drawn = audit.sample(DESK, OUTCOMES, policy=POLICY, seed=seed).join(pool, on="pair", maintain_order="left")
        row = audit.precision(drawn.with_columns(same_issue=pl.when("truth").then(pl.lit("yes")).otherwise(pl.lit("no")))).row(0, named=True)
        held += row["low"] <= pool["truth"].mean() <= row["high"]
    assert held >= 54


def test_the_smallest_likeness_that_is_surely_good_enough_is_chosen() -> None:
    likeness = [round(0.01 * step, 2) for step in range(100)] * 3
    answers = ["yes" if value >= 0.5 else "no" for value in likeness]
    marks = pl.DataFrame({"same_issue": answers, "similarity": likeness, "stratum": "all", "stratum_size": 3000})
    table = audit.calibrate(marks)
    chosen = table.filter("chosen")
    assert chosen["threshold"].to_list() == [0.45]
    assert chosen["kept"][0] == pytest.approx(0.55)
    assert (table.filter(pl.col("threshold") < 0.45)["low"] < 0.8).all()
    assert not audit.calibrate(marks.with_columns(same_issue=pl.lit("no")))["chosen"].any()
    with pytest.raises(UsageError, match="between 0 and 1"):
        audit.calibrate(marks, target=80)


def test_an_audit_survives_its_file_and_counts_for_its_definition_and_desk_only(tmp_path: Path) -> None:
    folder = DESK.save(tmp_path / "data" / "desk")
    assert audit.load(folder, POLICY) is None
    made = audit.conclude(filled(["yes", "no", "unsure", None] * 20), desk=DESK, outcomes=OUTCOMES, policy=POLICY)
    file = made.save(folder)
    again = audit.load(folder, POLICY)
    assert again is not None
    assert again.precision.equals(made.precision)
    assert again.marks["similarity"].to_list() == pytest.approx(SAMPLE["similarity"].to_list())
    assert again.precision.select("n", "yes", "repeats", "seed", "source").row(0) == (40, 20, audit.repeats(OUTCOMES).height, 0, "demo")
    assert audit.load(folder, POLICY.revised(window="24h")) is None
    DESK.save(folder)
    assert audit.load(folder, POLICY) is not None
    file.write_text(json.dumps({**json.loads(file.read_text()), "source": "elsewhere"}))
    assert audit.load(folder, POLICY) is None
    file.write_text("{}")
    with pytest.raises(DataError, match="damaged"):
        audit.load(folder, POLICY)


def test_strata_that_were_lost_on_the_way_are_not_spoken_for() -> None:
    half = filled(["yes"] * 80).head(20)
    row = audit.conclude(half, desk=DESK, outcomes=OUTCOMES, policy=POLICY).precision.row(0, named=True)
    known = half.unique("stratum")["stratum_size"].cast(pl.Int64).sum()
    assert row["covered"] == pytest.approx(known / audit.repeats(OUTCOMES).height)


def test_a_worksheet_changed_where_nobody_should_write_is_refused_with_everything_wrong() -> None:
    spoilt = filled(["yes"] * 80).with_columns(
        stratum_size=pl.when(pl.col("row") == 2).then(pl.lit("many")).otherwise("stratum_size"),
        drawn=pl.when(pl.col("row") == 5).then(pl.col("drawn") + "!").otherwise("drawn"),
    )
    with pytest.raises(DataError) as told:
        audit.conclude(spoilt, desk=DESK, outcomes=OUTCOMES, policy=POLICY)
    assert "row 2: stratum_size is no number above zero" in told.value.problems
    assert any("joins 2 samples" in problem for problem in told.value.problems)


def test_the_answers_a_worksheet_knows_are_those_that_are_counted() -> None:
    assert set(ANSWERS) == {"yes", "no", "unsure"}
