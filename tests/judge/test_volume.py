"""Is the mean number of later contacts the book's, and does it count everybody for as long as they were seen?"""

from __future__ import annotations

import math
import random
from datetime import UTC, datetime, timedelta

import polars as pl
import pytest

from fcrlib.judge.volume import DAY, by_day, followers, mean_cumulative
from fcrlib.model.errors import DataError, UsageError

# Replacements of valve seats in 41 diesel engines, by engine, and the age up to which each was watched: Nelson (1995), table 1.
ENGINES = {
    (98,): 667, (326, 653, 653): 667, (84,): 667, (87,): 663, (646,): 653, (92,): 653, (258, 328, 377, 621): 650, (61, 539): 648,
    (254, 276, 298, 640): 644, (76, 538): 642, (635,): 641, (349, 404, 561): 649, (120, 479): 614, (323, 449): 582, (139, 139): 589, (573,): 589,
    (165, 408, 604): 606, (249,): 594, (344, 497): 613, (265, 586): 595, (166, 206, 348): 389, (410, 581): 601, (367,): 603, (202, 563, 570): 585,
}  # fmt: skip
QUIET = (761, 759, 665, 651, 631, 596, 593, 601, 611, 608, 587, 587, 578, 578, 586, 582, 585)
AT = [100, 300, 500, 646]


def engines() -> pl.DataFrame:
    times = [[float(day) for day in came] for came in ENGINES] + [[] for _ in QUIET]
    return pl.DataFrame({"times": times, "seen": [*ENGINES.values(), *QUIET]}, schema={"times": pl.List(pl.Float64), "seen": pl.Float64})


def day(number: float) -> datetime:
    return datetime(2026, 3, 1, tzinfo=UTC) + timedelta(days=number)


def by_hand(rows: list[tuple[str, list[float], float]], at: float) -> tuple[float, float]:
    """The estimate and its robust standard error by the formula, cluster by cluster."""
    mean, score = 0.0, dict.fromkeys((who for who, _, _ in rows), 0.0)
    for t in sorted({t for _, times, seen in rows for t in times if t <= min(at, seen)}):
        risk = sum(seen >= t for *_, seen in rows)
        came = sum(times.count(t) for _, times, seen in rows if seen >= t)
        mean += came / risk
        for who, times, seen in rows:
            score[who] += (seen >= t) * (times.count(t) - came / risk) / risk
    groups = len(score)
    return mean, math.sqrt(groups / (groups - 1) * sum(value**2 for value in score.values()))


def test_the_valve_seats_come_out_as_in_the_book() -> None:
    table = by_day(engines(), times="times", seen="seen", days=AT)
    assert (table["n"][0], mean_cumulative(engines(), times="times", seen="seen")["events"].sum()) == (41, 48)
    # 6 of 41 by age 100 and 19 of 41 by age 300, when all 41 were still watched.
    assert table["mean"].to_list() == pytest.approx([6 / 41, 19 / 41, 0.8085366, 1.3204653], abs=1e-6)
    assert table["se"].to_list()[:2] == pytest.approx([0.0558849, 0.1109689], abs=1e-6)


def test_of_units_that_end_with_their_event_it_is_the_cumulated_hazard() -> None:
    # Each replacement and each end of watching as a unit of its own: Nelson and Aalen's estimate, as R's survfit gives it.
    spells = [([float(t)], float(t)) for came in ENGINES for t in came] + [([], float(seen)) for seen in [*ENGINES.values(), *QUIET]]
    frame = pl.DataFrame(spells, schema={"times": pl.List(pl.Float64), "seen": pl.Float64}, orient="row")
    table = by_day(frame, times="times", seen="seen", days=AT)
    assert table["mean"].to_list() == pytest.approx([0.0694, 0.2385, 0.4616, 0.8591], abs=5e-5)


@pytest.mark.parametrize("seed", range(5))
def test_the_estimate_is_the_formula_cluster_by_cluster(seed: int) -> None:
    draw = random.Random(seed)
    rows = [(draw.choice("abcdefg"), [float(draw.randint(1, 12)) for _ in range(draw.randint(0, 4))], float(draw.randint(0, 12))) for _ in range(40)]
    frame = pl.DataFrame(rows, schema={"who": pl.String, "times": pl.List(pl.Float64), "seen": pl.Float64}, orient="row")
    table = mean_cumulative(frame, times="times", seen="seen", cluster="who")
    for found in table.to_dicts():
        assert (found["mean"], found["se"]) == pytest.approx(by_hand(rows, found["time"]), abs=1e-12)
    again = mean_cumulative(frame.sample(fraction=1, shuffle=True, seed=seed), times="times", seen="seen", cluster="who")
    assert again.equals(table)


def test_levels_are_estimated_apart_and_unknown_customers_each_for_themselves() -> None:
    both = pl.concat([engines().with_columns(kind=pl.lit("a")), engines().head(9).with_columns(kind=pl.lit("b"))])
    both = both.with_columns(who=pl.lit(None, pl.String))
    table = mean_cumulative(both, times="times", seen="seen", by="kind", cluster="who")
    assert table.filter(kind="a").drop("kind").equals(mean_cumulative(engines(), times="times", seen="seen"))
    assert table.filter(kind="b").drop("kind").equals(mean_cumulative(engines().head(9), times="times", seen="seen"))


def test_a_customer_with_many_contacts_widens_the_interval() -> None:
    frame = engines().with_columns(who=(pl.int_range(pl.len()) // 8).cast(pl.String), alone=pl.int_range(pl.len()).cast(pl.String))
    ends = [by_day(frame, times="times", seen="seen", days=[600], cluster=who).row(0, named=True) for who in ("who", "alone")]
    assert ends[0]["mean"] == ends[1]["mean"]
    assert ends[0]["clusters"] == 6
    assert ends[0]["high"] > ends[1]["high"]


def test_an_open_window_counts_up_to_its_end_and_no_further() -> None:
    frame = pl.DataFrame({"times": [[1.0], [], [], [9.0]], "seen": [10.0, 2.0, 10.0, 5.0]})
    table = by_day(frame, times="times", seen="seen", days=[0, 1, 3, 10, 11])
    assert table["mean"].to_list() == [0.0, 0.25, 0.25, 0.25, None]
    assert table["at_risk"].to_list() == [4, 4, 3, 2, 0]
    assert table["events"].to_list() == [0, 1, 1, 1, 1]


def test_nothing_seen_is_no_certain_nothing() -> None:
    row = by_day(
        pl.DataFrame({"times": [[]] * 30, "seen": [7.0] * 30}, schema_overrides={"times": pl.List(pl.Float64)}), times="times", seen="seen", days=[7]
    )
    assert row.select("mean", "low").row(0) == (0.0, 0.0)
    assert row["high"][0] == pytest.approx(0.123, abs=5e-4)


def test_the_interval_holds_the_true_mean_in_most_draws() -> None:
    draw, held = random.Random(5), 0
    for _ in range(200):
        rows = []
        for who in range(40):
            pace = draw.gammavariate(2, 0.03)  # customers differ, so that contacts of one are alike
            for _ in range(3):
                seen, times, at = draw.uniform(2, 12), list[float](), 0.0
                while (at := at + draw.expovariate(pace)) < 10:
                    times.append(at)
                rows.append((str(who), times, seen))
        frame = pl.DataFrame(rows, schema={"who": pl.String, "times": pl.List(pl.Float64), "seen": pl.Float64}, orient="row")
        end = by_day(frame, times="times", seen="seen", days=[8], cluster="who").row(0, named=True)
        held += end["low"] <= 8 * 0.06 <= end["high"]
    assert 0.90 <= held / 200 <= 0.99


def test_followers_are_later_contacts_of_the_same_kind_only() -> None:
    among = pl.DataFrame(
        {
            "customer": ["ann", "ann", "ann", "ben", None],
            "category": ["bill", "bill", "login", "bill", "bill"],
            "opened_at": [day(0), day(3), day(4), day(5), day(1)],
        }
    )
    index = among.rename({"opened_at": "start_at"})
    table = followers(index, among=among, same=["customer", "category"], within=7 * DAY, end=day(6))
    assert table["customer"].to_list() == ["ann", "ann", "ann", "ben"]
    assert table["times"].to_list() == [[3.0], [], [], []]
    assert table["seen"].to_list() == [6.0, 3.0, 2.0, 1.0]


def test_followers_are_all_pairs_within_reach() -> None:
    draw = random.Random(2)
    rows = [(draw.choice("ab"), day(draw.uniform(0, 200))) for _ in range(150)]
    among = pl.DataFrame(rows, schema={"customer": pl.String, "opened_at": pl.Datetime("us", "UTC")}, orient="row")
    found = followers(among.rename({"opened_at": "start_at"}), among=among, same=["customer"], within=9 * DAY, end=day(400))
    for (who, at), times in zip(rows, found["times"].to_list(), strict=True):
        assert times == pytest.approx(sorted((t - at) / DAY for other, t in rows if other == who and timedelta(0) < t - at <= 9 * DAY))


def test_what_cannot_be_counted_is_refused() -> None:
    with pytest.raises(UsageError, match="customer column"):
        followers(engines(), among=engines(), same=[], within=DAY)
    with pytest.raises(UsageError, match="there is no column 'who'"):
        mean_cumulative(engines(), times="times", seen="seen", cluster="who")
    with pytest.raises(DataError, match="no rows"):
        by_day(engines().clear(), times="times", seen="seen", days=[1])


def test_a_time_or_a_sight_that_is_no_number_or_lies_before_the_start_is_passed_over() -> None:
    units = pl.DataFrame({"times": [[math.nan, -1.0, 1.0], [2.0], []], "seen": [5.0, math.nan, 5.0]}, schema_overrides={"seen": pl.Float64})
    told = mean_cumulative(units, times="times", seen="seen")
    assert told.select("time", "at_risk", "events", "mean", "n").rows() == [(1.0, 2, 1, 0.5, 2)]


@pytest.mark.parametrize(
    ("changed", "by", "said"),
    [
        ({"times": pl.lit(1.0)}, (), "must be lists of numbers"),
        ({"times": pl.concat_list(pl.lit("a"))}, (), "must be lists of numbers"),
        ({"n": pl.lit("a")}, "n", "'n' must be called something else"),
        ({"_t": pl.lit("a")}, "_t", "'_t' must be called something else"),
    ],
)
def test_columns_that_cannot_be_read_are_refused(changed: dict[str, pl.Expr], by: str, said: str) -> None:
    with pytest.raises(UsageError, match=said):
        mean_cumulative(engines().with_columns(**changed), times="times", seen="seen", by=by)
    with pytest.raises(UsageError, match=said):
        by_day(engines().with_columns(**changed), times="times", seen="seen", days=[1], by=by)
