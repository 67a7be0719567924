"""Are other people's numbers told with their source and their caveat, and never as our own truth?"""

from __future__ import annotations

from dataclasses import replace
from importlib.resources import files

import polars as pl
import pytest

from fcrlib.explain import benchmarks
from fcrlib.intake.demo import invent
from fcrlib.judge.rates import mature
from fcrlib.model.period import Period
from fcrlib.model.policy import Policy
from fcrlib.show.telling import benchmarks as telling
from fcrlib.study import Study

STUDY = Study.of(invent(contacts=4000), policy=Policy(), period=Period.parse("2026Q3"))
LABEL = STUDY.outcomes.schema["label"]


def nearly_all_resolved() -> Study:
    """The same study, but three in four of the failed contacts count as resolved."""
    kept = (pl.col("label") == "failed") & (pl.int_range(pl.len()).over("label") % 4 > 0)
    return replace(STUDY, outcomes=STUDY.outcomes.with_columns(label=pl.when(kept).then(pl.lit("resolved").cast(LABEL)).otherwise("label")))


def test_the_file_of_figures_travels_with_the_package() -> None:
    assert files("fcrlib.explain").joinpath("benchmarks.toml").is_file()


def test_every_figure_has_a_source_a_caveat_and_a_range_that_can_be() -> None:
    table = benchmarks.published()
    assert table["id"].is_unique().all()
    assert table.select(pl.all().exclude("url").is_not_null().all()).row(0) == (True,) * (table.width - 1)
    assert table["source"].str.len_chars().min() > 0
    assert table["caveat"].str.len_chars().min() > 0
    assert (table["low"] <= table["high"]).all()
    assert table.filter(pl.col("unit") == "share").select(pl.col("low", "high").is_between(0, 1).all()).row(0) == (True, True)
    assert set(table["method"]) <= set(benchmarks.DIFFERS)
    assert table["url"].drop_nulls().str.starts_with("https://").all()


def test_contradictions_name_figures_of_the_same_measure_and_each_pair_once() -> None:
    table = benchmarks.published()
    named = table.select("id", "measure", pl.col("contradicts")).explode("contradicts", empty_as_null=True).drop_nulls("contradicts")
    measures = dict(table.select("id", "measure").iter_rows())
    assert all(measures[row["contradicts"]] == row["measure"] for row in named.to_dicts())
    pairs = [frozenset(pair) for pair in named.select("id", "contradicts").rows()]
    assert len(set(pairs)) == len(pairs) == benchmarks.contradictions().height
    assert all(len(pair) == 2 for pair in pairs)


def test_two_sources_call_the_same_rate_world_class_and_too_good() -> None:
    sentences = telling.disagreements(benchmarks.contradictions())["sentence"].to_list()
    assert sentences[0] == "SQM Group: 80 % and more is world class. Bitrix24: 80 % and more is a sign of closing too early."
    assert telling.quarrel(benchmarks.contradictions()).endswith(f"at least {len(sentences)} times")


def test_a_verdict_needs_the_whole_interval_outside_the_range() -> None:
    table = benchmarks.against(STUDY).filter(pl.col("unit") == "share")
    for row in table.to_dicts():
        clear = {"below": row["ours_high"] < row["low"], "above": row["ours_low"] > row["high"], "inside": row["low"] <= row["ours"] <= row["high"]}
        assert [word for word, holds in clear.items() if holds] == ([] if row["verdict"] == "not clear" else [row["verdict"]])
    assert {"below", "above", "inside"} <= set(table["verdict"])
    assert table.filter(pl.col("measure") == "fcr")["ours"].unique().to_list() == [STUDY.headline["share"]]
    assert table["id"].to_list() == benchmarks.published().filter(pl.col("unit") == "share")["id"].to_list()


def test_our_own_numbers_hang_together() -> None:
    ours = dict(benchmarks.against(STUDY).select("measure", "ours").unique().iter_rows())
    assert ours["one and done"] == pytest.approx(STUDY.headline["decided"] * (1 - ours["repeats"]))
    assert ours["contacts per issue"] == pytest.approx(1 / (1 - ours["repeats"]))


def test_where_every_contact_stands_alone_there_are_no_repeats_to_compare() -> None:
    alone = Study.of(STUDY.desk, policy=Policy(unit="contact"), period=STUDY.period)
    table = benchmarks.against(alone)
    assert table.filter(pl.col("measure") != "fcr")["verdict"].is_null().all()
    assert "does not tell repeats apart" in telling.volume(table)
    assert telling.beside(table)["ours"].unique().to_list() == ["not known"]
    assert telling.beside(table).height == table.filter(pl.col("measure") != "fcr").height


def test_the_position_among_the_ranges_counts_every_range_once() -> None:
    table = benchmarks.against(STUDY)
    ranges = table.filter(pl.col("measure") == "fcr")
    assert f"of {ranges.height} published ranges" in telling.position(table)
    assert telling.lines(table).height == ranges.height
    assert telling.lines(table)["range"].is_unique().all()
    unknown = table.with_columns(verdict=pl.lit(None, pl.String))
    assert telling.position(unknown) == "We have no number of our own to hold beside the published ones"


@pytest.mark.parametrize(
    ("ours", "low", "high", "words"), [(0.1, 0.08, 0.12, "below the 20 %"), (0.3, 0.28, 0.32, "above the 20 %"), (0.21, 0.19, 0.23, "too close")]
)
def test_the_share_of_repeats_is_held_against_the_line_only_where_the_interval_allows(ours: float, low: float, high: float, words: str) -> None:
    repeats = pl.col("measure") == "repeats"
    table = benchmarks.against(STUDY).with_columns(
        ours=pl.when(repeats).then(ours), ours_low=pl.when(repeats).then(low), ours_high=pl.when(repeats).then(high)
    )
    verdict = pl.when(pl.col("ours").is_between("low", "high")).then(pl.lit("inside")).otherwise(pl.lit("below"))
    assert words in telling.volume(table.with_columns(verdict=verdict))


def test_a_rate_above_80_percent_comes_with_its_signs_and_one_below_comes_without() -> None:
    assert benchmarks.too_good(STUDY).is_empty()
    assert telling.caution(benchmarks.too_good(STUDY)) == []
    high = nearly_all_resolved()
    assert high.headline["share"] > 0.8
    table = benchmarks.too_good(high)
    assert table["measure"].to_list() == ["resolved", "reopened", "came back"]
    assert table["share"][0] == pytest.approx(high.headline["share"])
    assert table["n"].to_list() == [high.headline["n"], *[mature(high.contacts).height] * 2]
    care = telling.caution(table)[0]
    assert care.role == "care"
    assert "were reopened and after" in care.title


def test_a_desk_without_history_says_that_it_cannot_tell_the_signs() -> None:
    high = nearly_all_resolved()
    bare = high.desk.manifest.model_copy(update={"capabilities": high.desk.manifest.capabilities - {"has_status_history", "has_customer"}})
    table = benchmarks.too_good(replace(high, desk=replace(high.desk, manifest=bare)))
    assert table["share"].is_null().to_list() == [False, True, True]
    assert "records neither reopenings nor repeats" in telling.caution(table)[0].title


def test_a_period_that_cannot_be_judged_yet_has_no_number_of_its_own() -> None:
    waiting = replace(STUDY, outcomes=STUDY.outcomes.with_columns(label=pl.lit("pending").cast(LABEL)))
    assert benchmarks.too_good(waiting).is_empty()
    assert benchmarks.against(waiting)["verdict"].is_null().all()
