"""How many contacts follow a first one, when not everybody has been seen for as long?

A customer may come back more than once, so what is asked here is a mean number and no share. Every contact counts for as long as it
has been seen, and no longer.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

import polars as pl

from fcrlib.judge.intervals import t_quantile
from fcrlib.judge.survival import keys_of
from fcrlib.model.columns import known
from fcrlib.model.errors import UsageError

DAY = timedelta(days=1)
ESTIMATES = ("at_risk", "events", "mean", "se", "low", "high", "n", "clusters")
OURS = frozenset({*ESTIMATES, "time", "day", "exits"})
"""Columns of the tables here, which no column of groups can be called."""
NONE_SEEN = 3.688879454113936  # upper 97.5 % limit of a Poisson mean of which nothing was seen


def mean_cumulative(frame: pl.DataFrame, *, times: str, seen: str, by: str | Sequence[str] = (), cluster: str | None = None) -> pl.DataFrame:
    """Mean number of events per unit by each time, counting every unit for as long as it was seen (Nelson's estimate).

    Parameters
    ----------
    frame
        One row per unit: `seen` (how long, any number), `times` (a list of numbers: when its events came; those after `seen`, or
        before nothing, are passed over), `by` and `cluster`. A unit of which `seen` is not known, or is below nothing, is left out.
    cluster
        Column whose units belong together, usually the customer; a null is a cluster of its own, and without it every unit is one.

    Returns
    -------
    pl.DataFrame
        One row per level of `by` and time at which a unit had an event, sorted: the `by` columns, `time`, `at_risk` (units still seen),
        `events` (at that time), `mean` (events per unit so far), `se` (robust, by cluster, with the factor G / (G - 1)), `low`, `high`
        (95 %, t quantile of G - 1, drawn on the log scale so that they stay above nothing), `n` (units), `clusters`.

    References
    ----------
    Nelson (1995), Technometrics 37, 147-157. Lawless and Nadeau (1995), Technometrics 37, 158-168 (robust variance). Meeker and
    Escobar (1998), Statistical Methods for Reliability Data, 395-400.

    Examples
    --------
    >>> engines = pl.DataFrame({"repairs": [[5.0, 8.0], [], [8.0]], "until": [10.0, 6.0, 12.0]})
    >>> mean_cumulative(engines, times="repairs", seen="until").select("time", "at_risk", "events", pl.col("mean").round(3)).rows()
    [(5.0, 3, 1, 0.333), (8.0, 2, 2, 1.333)]
    """
    keys = keys_of(by)
    _refuse(frame, times=times, seen=seen, keys=keys, cluster=cluster)
    units, events = _units(frame, times=times, seen=seen, keys=keys, cluster=cluster)
    table = _nelson(units, events, keys=keys or ["_whole"])
    return _with_limits(table).filter(pl.col("events") > 0).select(*keys, time="_t", **{name: pl.col(name) for name in ESTIMATES})


def _refuse(frame: pl.DataFrame, *, times: str, seen: str, keys: list[str], cluster: str | None) -> None:
    known(frame, [times, seen, *keys, *([cluster] if cluster else [])], numbers=[seen])
    held = frame.schema[times]
    inner = held.inner if isinstance(held, pl.List) else None
    problems = (
        [] if inner is not None and (inner.is_numeric() or inner == pl.Null) else [f"column {times!r} is {held}, but it must be lists of numbers"]
    )
    problems += [f"column {name!r} must be called something else: the table uses that name" for name in keys if name in OURS or name[:1] == "_"]
    if problems:
        raise UsageError("the columns are not those that the question needs", problems)


def _units(frame: pl.DataFrame, *, times: str, seen: str, keys: list[str], cluster: str | None) -> tuple[pl.DataFrame, pl.DataFrame]:
    """The units with `_seen` and `_member`, and one row per event that was seen, at `_t`."""
    member = pl.lit(None, pl.String) if cluster is None else pl.col(cluster).cast(pl.String)
    lone = pl.format("\x00{}", pl.int_range(pl.len()))
    units = frame.select(*keys, _whole=pl.lit(0, pl.Int8), _seen=pl.col(seen).cast(pl.Float64).fill_nan(None), _member=member, _times=pl.col(times))
    units = units.filter(pl.col("_seen") >= 0).sort("_member", "_seen", nulls_last=True).with_columns(pl.col("_member").fill_null(lone))
    events = units.select(pl.exclude("_times"), _t=pl.col("_times").list.eval(pl.element().cast(pl.Float64))).explode("_t")
    return units.drop("_times"), events.filter(pl.col("_t").is_between(0, pl.col("_seen")))


def _nelson(units: pl.DataFrame, events: pl.DataFrame, *, keys: list[str]) -> pl.DataFrame:
    """Counts and estimates at every time at which an event came or the sight of a unit ended."""
    came = events.group_by(*keys, "_t").agg(events=pl.len().cast(pl.Int64))
    left = units.group_by(*keys, _t="_seen").agg(exits=pl.len().cast(pl.Int64))
    table = came.join(left, on=[*keys, "_t"], how="full", coalesce=True, nulls_equal=True).sort(*keys, "_t")
    table = table.with_columns(pl.col("events", "exits").fill_null(0)).with_columns(n=pl.col("exits").sum().over(keys))
    table = table.with_columns(at_risk=pl.col("n") - pl.col("exits").cum_sum().over(keys) + pl.col("exits"))
    leap = pl.col("events") / pl.col("at_risk")
    table = table.with_columns(mean=leap.cum_sum().over(keys), _rise=(leap / pl.col("at_risk")).cum_sum().over(keys))
    return _with_spread(table, units, events, keys=keys)


def _with_spread(table: pl.DataFrame, units: pl.DataFrame, events: pl.DataFrame, *, keys: list[str]) -> pl.DataFrame:
    """Add `se` and `clusters`.

    By time t a cluster has gained B and is still to be charged A(t) for each of the m units it has in sight, where A cumulates the
    events over the square of those at risk. B and m change only when an event comes or a unit leaves, so the sum of squares over
    all clusters moves by one small step per row, and no table of clusters by times is ever built.
    """
    at = table.select(*keys, "_t", "at_risk", "_rise")
    found = {"on": [*keys, "_t"], "how": "left", "nulls_equal": True}
    gains = events.join(at, **found).select(*keys, "_member", "_t", b=1 / pl.col("at_risk"), gone=pl.lit(0, pl.Int64))  # type: ignore[arg-type]
    ends = units.rename({"_seen": "_t"}).join(at, **found).select(*keys, "_member", "_t", b=-pl.col("_rise"), gone=pl.lit(1, pl.Int64))  # type: ignore[arg-type]
    moves = pl.concat([gains, ends]).sort(*keys, "_member", "_t", "gone", "b")
    own = [*keys, "_member"]
    size, b, there = (
        pl.col("gone").sum().over(own),
        pl.col("b").cum_sum().over(own),
        pl.col("gone").sum().over(own) - pl.col("gone").cum_sum().over(own),
    )
    moves = moves.with_columns(_b=b, _m=there.cast(pl.Float64), _size=size).with_columns(
        _was=pl.col("_b") - pl.col("b"), _had=pl.col("_m") + pl.col("gone")
    )
    steps = {"_bb": ("_b", "_b", "_was", "_was"), "_bm": ("_b", "_m", "_was", "_had"), "_mm": ("_m", "_m", "_had", "_had")}
    told = moves.select(*keys, "_t", **{name: pl.col(a) * pl.col(c) - pl.col(d) * pl.col(e) for name, (a, c, d, e) in steps.items()})
    # Sums are added in a stated order, so that the last digit does not depend on the order of the rows.
    told = told.sort(*keys, "_t", *steps).group_by(*keys, "_t", maintain_order=True).agg(pl.col(*steps).sum())
    starts = (
        units.group_by(own)
        .agg(size=pl.len().cast(pl.Float64))
        .group_by(keys)
        .agg(_start=(pl.col("size") ** 2).sum(), clusters=pl.len().cast(pl.Int64))
    )
    table = table.join(told, **found, maintain_order="left").join(starts, on=keys, nulls_equal=True, maintain_order="left")  # type: ignore[arg-type]
    bb, bm, mm = (pl.col(name).cum_sum().over(keys) for name in steps)
    spread = (bb - 2 * pl.col("_rise") * bm + pl.col("_rise") ** 2 * (mm + pl.col("_start"))).clip(lower_bound=0)
    factor = pl.when(pl.col("clusters") > 1).then(pl.col("clusters") / (pl.col("clusters") - 1))
    return table.with_columns(se=(spread * factor).sqrt())


def _with_limits(table: pl.DataFrame) -> pl.DataFrame:
    """`low` and `high` on the log scale; where nothing was seen yet, the upper end is that of as many units without an event."""
    mean, reach = pl.col("mean"), (pl.col("se") * t_quantile(table["clusters"]) / pl.col("mean")).exp()
    nothing = mean == 0
    low = pl.when(nothing).then(0.0).otherwise(mean / reach)
    return table.with_columns(low=low, high=pl.when(nothing).then(NONE_SEEN / pl.col("at_risk")).otherwise(mean * reach))


def by_day(
    frame: pl.DataFrame, *, times: str, seen: str, days: Sequence[float], by: str | Sequence[str] = (), cluster: str | None = None
) -> pl.DataFrame:
    """`mean_cumulative` as it stands on some days, in days.

    Returns
    -------
    pl.DataFrame
        One row per level of `by` and day, sorted: the `by` columns, `day`, `at_risk` (units still seen at its end), `events` (so far, of
        all units), `mean`, `se`, `low`, `high`, `n`, `clusters`. The estimates are null on a day to which no unit was seen.

    Examples
    --------
    >>> engines = pl.DataFrame({"repairs": [[5.0, 8.0], [], [8.0]], "until": [10.0, 6.0, 12.0]})
    >>> by_day(engines, times="repairs", seen="until", days=[0, 7, 12, 13]).select("day", "at_risk", "events", pl.col("mean").round(3)).rows()
    [(0.0, 3, 0, 0.0), (7.0, 2, 1, 0.333), (12.0, 1, 3, 1.333), (13.0, 0, 3, None)]
    """
    keys = keys_of(by)
    _refuse(frame, times=times, seen=seen, keys=keys, cluster=cluster)
    units, events = _units(frame, times=times, seen=seen, keys=keys, cluster=cluster)
    own = keys or ["_whole"]
    table = _nelson(units, events, keys=own).with_columns(_gone=pl.col("exits").cum_sum().over(own), _so_far=pl.col("events").cum_sum().over(own))
    asked = pl.DataFrame({"day": [float(day) for day in days]}, schema={"day": pl.Float64})
    grid = table.select(*own, "n", "clusters").unique().join(asked, how="cross").sort("day", *own)
    places = table.select(own).unique().sort(own).with_row_index("_group")
    grid = grid.join(places, on=own, nulls_equal=True, maintain_order="left")
    steps = table.join(places, on=own, nulls_equal=True, maintain_order="left").sort("_t")
    steps = steps.select("_group", "_t", "_so_far", "_gone", "exits", "mean", "se")
    met = grid.join_asof(steps, left_on="day", right_on="_t", by="_group", strategy="backward", check_sortedness=False)
    # Whoever was seen to the end of the day itself was still there.
    there = pl.col("n") - pl.col("_gone").fill_null(0) + pl.when(pl.col("_t") == pl.col("day")).then("exits").otherwise(0)
    met = met.with_columns(at_risk=there, events=pl.col("_so_far").fill_null(0), mean=pl.col("mean").fill_null(0.0), se=pl.col("se").fill_null(0.0))
    limits = _with_limits(met).sort(*own, "day")
    blank = [pl.when(pl.col("at_risk") > 0).then(name).alias(name) for name in ("mean", "se", "low", "high")]
    return limits.with_columns(blank).select(*keys, "day", *ESTIMATES)


def followers(
    index: pl.DataFrame, *, among: pl.DataFrame, same: Sequence[str], within: timedelta, start: str = "start_at", end: str | datetime = "data_end"
) -> pl.DataFrame:
    """When did later contacts follow each contact, and how long was it watched?

    Parameters
    ----------
    index
        Contacts asked about: reads `start`, `end` and the columns of `same`. Those without a start, with one after the end of the data, or
        of which a column of `same` is not known are left out.
    among
        Where to look for later contacts: `opened_at` and the columns of `same`.
    within
        How far to look; a contact at exactly the start runs beside it and does not follow it.

    Returns
    -------
    pl.DataFrame
        The rows of `index`, in their order, with `times` (days from the start to each later contact, sorted) and `seen` (days watched,
        at most `within`).

    Raises
    ------
    UsageError
        If `same` is empty or `within` is not positive.

    Examples
    --------
    >>> from datetime import UTC
    >>> def day(number): return datetime(2026, 3, number, tzinfo=UTC)
    >>> among = pl.DataFrame({"customer": ["ann", "ann", "ben", "ann"], "opened_at": [day(1), day(4), day(4), day(5)]})
    >>> first = among.head(1).rename({"opened_at": "start_at"})
    >>> followers(first, among=among, same=["customer"], within=30 * DAY, end=day(11)).select("times", "seen").row(0)
    ([3.0, 4.0], 10.0)
    """
    if not same or within <= timedelta(0):
        raise UsageError(f"later contacts need a customer column and a time longer than nothing: same={tuple(same)}, within={within}")
    until = pl.col(end) if isinstance(end, str) else pl.lit(end).dt.convert_time_zone("UTC")
    whole, keys = pl.all_horizontal(pl.col(name).is_not_null() for name in same), list(same)
    watched = ((until - pl.col(start)) / DAY).clip(upper_bound=within / DAY)
    rows = index.with_columns(seen=watched).filter(whole, pl.col("seen") >= 0).with_row_index("_row")
    # Each contact meets only what was opened in its own stretch of time and in the next one, so that a busy customer's contacts do not multiply.
    stretch = int(within / timedelta(microseconds=1))
    asked = rows.select("_row", *keys, _from=pl.col(start), _at=pl.concat_list(pl.col(start).dt.epoch("us") // stretch + step for step in (0, 1)))
    there = among.filter(whole).select(*keys, "opened_at", _at=pl.col("opened_at").dt.epoch("us") // stretch)
    pairs = asked.explode("_at").join(there, on=[*keys, "_at"], how="inner").with_columns(day=(pl.col("opened_at") - pl.col("_from")) / DAY)
    pairs = pairs.filter(pl.col("day") > 0, pl.col("day") <= within / DAY)
    times = pairs.sort("_row", "day").group_by("_row", maintain_order=True).agg(times="day")
    joined = rows.join(times, on="_row", how="left", maintain_order="left")
    return joined.with_columns(pl.col("times").fill_null(pl.lit([], pl.List(pl.Float64)))).drop("_row")
