"""When do customers come back, and how much of it is still to come?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import polars as pl

from fcrlib.judge.intervals import Z95, t_quantile, wilson
from fcrlib.judge.survival import ESTIMATES, keys_of, member_of, one_group, product_limit, with_intervals
from fcrlib.model.errors import UsageError

DAY = timedelta(days=1)
SETTLED_AFTER, PART_OF_EXCESS, MIN_EVENTS = 21.0, 0.9, 30


def repeat_curve(
    frame: pl.DataFrame,
    *,
    window: timedelta,
    by: str | Sequence[str] = (),
    cluster: str | None = None,
    start: str = "anchor_at",
    event: str = "next_at",
    end: str | datetime = "data_end",
    step: timedelta = DAY,
) -> pl.DataFrame:
    """Share of contacts whose customer has come back, step by step up to the window.

    A contact counts in a step if it was seen to the step's end, so a day that the data cut short counts neither way. Steps are
    half-open like the window: an event at exactly its end belongs to it.

    Parameters
    ----------
    frame
        One row per contact; reads `start`, `event` (null: not seen), `end`, `by` and `cluster`. Without a start, or with one
        after the end of the data, a contact is left out.
    end
        When the data stop: a column or one instant.
    step
        Length of a step; the last is cut at the window.

    Returns
    -------
    pl.DataFrame
        One row per level of `by` and step, sorted: the `by` columns, `day` (days since the start at which the step ends; the
        first row, at 0, holds what came no later than the start), then the estimates of `kaplan_meier`. Where nobody was seen
        for long enough, the estimates are null.

    Raises
    ------
    UsageError
        If the window or the step is not positive.

    References
    ----------
    Kaplan and Meier (1958), JASA 53, 457-481, in discrete time.

    Examples
    --------
    >>> from datetime import UTC
    >>> def day(number): return datetime(2026, 3, number, tzinfo=UTC)
    >>> contacts = pl.DataFrame({"anchor_at": [day(1), day(1), day(9), day(9)], "next_at": [day(2), None, None, None]})
    >>> repeat_curve(contacts, window=2 * DAY, end=day(10)).select("day", "at_risk", "events", "share").rows()
    [(0.0, 4, 0, 0.0), (1.0, 4, 1, 0.25), (2.0, 1, 0, 0.25)]
    """
    if window <= timedelta(0) or step <= timedelta(0):
        raise UsageError(f"a curve needs a window and a step longer than nothing: window={window}, step={step}")
    keys, steps = keys_of(by), -(-window // step)
    rows = frame.select(*keys, **_watched(start, event, end, window=window), **member_of(cluster)).filter(pl.col("_seen") >= 0)
    width = _microseconds(step)
    came, seen = (
        (pl.col("_came") + width - 1) // width,
        pl.when(pl.col("_seen") == _microseconds(window)).then(steps).otherwise(pl.col("_seen") // width),
    )
    back = (came <= seen).fill_null(False)
    rows = one_group(rows.select(*keys, *(["_member"] if cluster else []), _t=pl.when(back).then(came).otherwise(seen).cast(pl.Int64), _event=back))
    grid = rows.select(keys or ["_whole"]).unique().join(pl.DataFrame({"_t": range(steps + 1)}, schema={"_t": pl.Int64}), how="cross")
    table = with_intervals(product_limit(rows, keys=keys or ["_whole"], clustered=cluster is not None, grid=grid))
    day = pl.min_horizontal(pl.col("_t") * width, pl.lit(_microseconds(window))) / _microseconds(DAY)
    return table.select(*keys, day.alias("day"), *ESTIMATES)


def _microseconds(span: timedelta) -> int:
    return span // timedelta(microseconds=1)


def _watched(start: str, event: str, end: str | datetime, *, window: timedelta) -> dict[str, pl.Expr]:
    """Microseconds: `_seen` = how long a contact was watched, at most the window; `_came` = after how long it was seen to come, or null."""
    until = pl.col(end) if isinstance(end, str) else pl.lit(end).dt.convert_time_zone("UTC")
    came = (pl.col(event) - pl.col(start)).dt.total_microseconds()
    known = (pl.col(event) <= until) & (came <= _microseconds(window))
    seen = (until - pl.col(start)).dt.total_microseconds().clip(upper_bound=_microseconds(window))
    return {"_seen": seen, "_came": pl.when(known).then(came.clip(lower_bound=0))}


@dataclass(frozen=True, slots=True)
class Knee:
    """Where a curve stops rising faster than it would anyway.

    Parameters
    ----------
    knee_day
        The first day by which nine tenths of the excess have come; None where no excess can be told from chance.
    background
        Share of those still away that comes back per day once the curve has settled (0..1).
    excess, excess_low, excess_high
        Cumulated hazard above the background up to the settled part, with its 95 % interval.
    share_excess
        The excess as a share of all that was cumulated until then (0..1).
    events
        Returns that the curve rests on.
    note
        Why there is no knee; empty where there is one.
    """

    knee_day: float | None
    background: float | None
    excess: float | None
    excess_low: float | None
    excess_high: float | None
    share_excess: float | None
    events: int
    note: str = ""


def knee(curve: pl.DataFrame) -> Knee:
    """Find the day after which returns come at no more than their background pace.

    The background is the pace after day 21, or in the last third of a shorter curve. A window that ends before the knee
    misses repeats; one that ends long after it counts contacts that would have come anyway.

    Parameters
    ----------
    curve
        One curve of `repeat_curve`: reads `day`, `at_risk`, `events`, `hazard`, `share`, `se`.

    Raises
    ------
    UsageError
        If the frame holds more than one curve.

    Examples
    --------
    >>> curve = pl.DataFrame({"day": [0.0, 1, 2, 3], "at_risk": [100, 100, 60, 58], "events": [0, 40, 2, 2], "share": [0.0, 0.4, 0.42, 0.44]})
    >>> knee(curve.with_columns(hazard=pl.col("events") / pl.col("at_risk"), se=pl.lit(0.05))).knee_day
    1.0
    """
    if curve["day"].is_duplicated().any():
        raise UsageError("the knee is looked for in one curve at a time: filter the frame to one line first")
    seen = curve.filter(pl.col("at_risk") > 0).sort("day").with_columns(_days=(pl.col("day") - pl.col("day").shift(1)).fill_null(0.0))
    events, last = int(seen["events"].sum()), float(str(seen["day"].max() or 0))
    settled = SETTLED_AFTER if last > SETTLED_AFTER else last * 2 / 3
    tail, rise = seen.filter(pl.col("day") > settled), seen.filter(pl.col("day") <= settled)
    if events < MIN_EVENTS or not tail.height or not rise.height:
        return Knee(None, None, None, None, None, None, events, f"only {events} returns were seen: too few to tell a knee from chance")
    exposed = tail.select((pl.col("at_risk") * pl.col("_days")).sum()).item()
    pace = tail["events"].sum() / exposed
    above = rise.with_columns(_above=(pl.col("hazard") - pace * pl.col("_days")).cum_sum())
    excess, everything = float(above["_above"][-1]), float(above["hazard"].sum())
    noise = _deff(seen) * (rise.select((pl.col("events") / pl.col("at_risk") ** 2).sum()).item() + (settled / exposed) ** 2 * tail["events"].sum())
    low, high = excess - Z95 * noise**0.5, excess + Z95 * noise**0.5
    found = above.filter(pl.col("_above") >= PART_OF_EXCESS * excess)["day"][0] if low > 0 else None
    note = "" if low > 0 else "returns come at the same pace throughout: no excess can be told from chance"
    return Knee(found, pace, excess, low, high, excess / everything if low > 0 else None, events, note)


def _deff(curve: pl.DataFrame) -> float:
    """How many times clustering inflates the variance of the curve at its end, at least 1."""
    left = pl.col("at_risk") - pl.col("events")
    greenwood = curve.select(pl.when(left > 0).then(pl.col("events") / (pl.col("at_risk") * left)).sum()).item()
    end = curve.row(-1, named=True)
    plain = (1 - end["share"]) ** 2 * greenwood
    return max(1.0, end["se"] ** 2 / plain) if plain > 0 and end["se"] is not None else 1.0


def nowcast(
    frame: pl.DataFrame,
    *,
    window: timedelta,
    by: str | Sequence[str] = (),
    week: str = "1w",
    start: str = "anchor_at",
    event: str = "failed_at",
    end: str | datetime = "data_end",
    cluster: str | None = None,
    time_zone: str = "UTC",
) -> pl.DataFrame:
    """Share of contacts per week that will have had their event by the end of the window, before the window has closed.

    What has been seen is divided by the part that contacts of that age have shown so far in the past (the chain ladder). It
    leans on one thing: that events come as fast after their start as they did in the weeks that are complete.

    Parameters
    ----------
    frame
        One row per contact; reads `start`, `event` (null: not seen), `end`, `by` and `cluster`. Without a start, or with one
        after the end of the data, a contact is left out. An event before or at the start counts at once, one after the window never.
    week
        Length of a period, as polars writes it.
    time_zone
        Zone in which weeks begin.

    Returns
    -------
    pl.DataFrame
        One row per level of `by` and week, sorted: the `by` columns, `week` (its first day), `n` (contacts), `observed` (share
        with an event so far), `mature` (contacts whose window has closed), `complete` (part of the events to come that contacts
        of these ages have usually shown, 0..1), `nowcast` (share at the end of the window), `low`, `high` (95 %: Wilson on the
        effective size that age and clusters leave over), `hollow` (not all mature). Null where nothing of the past is known.

    References
    ----------
    Mack (1993), ASTIN Bulletin 23, 213-225. Lawless (1994), Canadian Journal of Statistics 22, 15-31 (reporting delays).

    Examples
    --------
    >>> from datetime import UTC
    >>> def day(number): return datetime(2026, 3, number, tzinfo=UTC)
    >>> old = pl.DataFrame({"anchor_at": [day(2)] * 4, "failed_at": [day(3), day(5), None, None]})
    >>> new = pl.DataFrame({"anchor_at": [day(9)] * 4, "failed_at": [day(10), None, None, None]})
    >>> weeks = nowcast(pl.concat([old, new]), window=timedelta(days=7), end=day(11))
    >>> weeks.select("n", "observed", "complete", "nowcast", "hollow").rows()
    [(4, 0.5, 1.0, 0.5, False), (4, 0.25, 0.5, 0.5, True)]
    """
    keys = keys_of(by)
    monday = pl.col(start).dt.convert_time_zone(time_zone).dt.truncate(week).dt.date()
    rows = frame.select(*keys, week=monday, **_watched(start, event, end, window=window), **member_of(cluster)).filter(pl.col("_seen") >= 0)
    rows = _completed(one_group(rows), keys=keys or ["_whole"], window=window)
    groups = [*keys, "week"]
    counts = {"n": pl.len().cast(pl.Int64), "_k": pl.col("_y").sum(), "mature": pl.col("_mature").sum().cast(pl.Int64)}
    known = pl.col("_part").null_count() == 0
    sums = {"_m": pl.when(known).then(pl.col("_part").sum()), "_m2": (pl.col("_part") ** 2).sum(), "_past": pl.col("_past").first()}
    table = rows.group_by(groups).agg(**counts, **sums).sort(groups)
    table = table.with_columns(observed=pl.col("_k") / pl.col("n"), complete=pl.col("_m") / pl.col("n"), hollow=pl.col("mature") < pl.col("n"))
    table = table.with_columns(nowcast=pl.when(pl.col("_m") > 0).then((pl.col("_k") / pl.col("_m")).clip(0, 1)))
    table = _spread_of_weeks(rows, table, groups=groups, clustered=cluster is not None)
    low, high = wilson(pl.col("nowcast"), pl.col("_size"))
    return table.select(*groups, "n", "observed", "mature", "complete", "nowcast", low.alias("low"), high.alias("high"), "hollow")


def _completed(rows: pl.DataFrame, *, keys: list[str], window: timedelta) -> pl.DataFrame:
    """Add `_y` (had its event), `_mature`, `_part` (of all events, those seen by this age among mature contacts) and `_past` (how many)."""
    rows = rows.with_columns(_y=pl.col("_came").is_not_null().cast(pl.Float64), _mature=pl.col("_seen") == _microseconds(window))
    levels = rows.select(keys).unique().with_row_index("_level")
    rows = rows.join(levels, on=keys, nulls_equal=True, maintain_order="left").sort("_seen", maintain_order=True)
    past = rows.filter("_mature", pl.col("_came").is_not_null()).group_by("_level", pl.col("_came").alias("_seen")).len().sort("_level", "_seen")
    past = past.with_columns(_upto=pl.col("len").cum_sum().over("_level"), _past=pl.col("len").sum().over("_level"))
    rows = rows.join(past.group_by("_level").agg(pl.col("_past").first()), on="_level", how="left", maintain_order="left")
    rows = rows.join_asof(past.select("_level", "_seen", "_upto").sort("_seen"), on="_seen", by="_level", strategy="backward", check_sortedness=False)
    part = pl.when("_mature").then(1.0).when(pl.col("_past").is_not_null()).then(pl.col("_upto").fill_null(0) / pl.col("_past"))
    return rows.with_columns(_part=part)


def _spread_of_weeks(rows: pl.DataFrame, table: pl.DataFrame, *, groups: list[str], clustered: bool) -> pl.DataFrame:
    """Add `_size`: how many independent and complete contacts would leave the nowcast as uncertain as it is."""
    p, k, m = pl.col("nowcast"), pl.col("_k"), pl.col("_m")
    # Chance of the week itself, and of the past that says how complete it is.
    chance = (p * m - p**2 * pl.col("_m2")) / m**2 + pl.when("hollow").then(
        p**2 * (1 - pl.col("complete")) / (pl.col("_past") * pl.col("complete"))
    ).otherwise(0.0)
    table = table.with_columns(_variance=chance, _z=pl.lit(Z95))
    if clustered:
        lone = pl.when(pl.col("_member").is_null()).then(pl.int_range(pl.len()))
        cells = rows.group_by(*groups, "_member", lone.alias("_lone")).agg(_ck=pl.col("_y").sum(), _cm=pl.col("_part").sum())
        cells = cells.join(table.select(*groups, "nowcast"), on=groups, nulls_equal=True)
        sums = cells.group_by(groups).agg(_ss=((pl.col("_ck") - pl.col("nowcast") * pl.col("_cm")) ** 2).sum(), _g=pl.len().cast(pl.Int64))
        table = table.join(sums, on=groups, how="left", nulls_equal=True, maintain_order="left")
        table = table.with_columns(_z=t_quantile(table["_g"]).fill_null(1e9))
        extra = pl.when(pl.col("_g") > 1).then(pl.col("_ss") * pl.col("_g") / (pl.col("_g") - 1) / m**2)
        table = table.with_columns(_variance=pl.max_horizontal("_variance", extra))
    inner = (k > 0) & (p < 1) & (pl.col("_variance") > 0)
    size = pl.when(inner).then(p * (1 - p) / pl.col("_variance")).otherwise(m)
    return table.with_columns(_size=size * (Z95 / pl.col("_z")) ** 2)


def censored_fcr(judged: pl.DataFrame, *, window: timedelta, by: str | Sequence[str] = (), cluster: str | None = "customer") -> pl.DataFrame:
    """First contact resolution that also uses the contacts whose window is still open, for as long as they have been seen.

    Counting failures at once and resolutions only when the window has closed reads too low near the end of the data; counting
    open windows as resolved reads too high. Here an open window counts up to the data end and no further.

    Parameters
    ----------
    judged
        Contacts with their outcomes; reads `label`, `reason`, `failed_at`, `anchor_at`, `data_end`, `by` and `cluster`. Resolved,
        failed and pending for the window are counted. A failure before or at the anchor, or without one, counts at time 0; a
        contact without an anchor that has not failed is left out.
    window
        The policy's window.

    Returns
    -------
    pl.DataFrame
        One row per level of `by`, sorted: the `by` columns, `n` (contacts), `censored` (of them with an open window), `share`
        (resolved at the end of the window), `se`, `low`, `high` (95 %, Wilson on the effective size; where every window has
        closed these are the figures of `rates.fcr`). Null where no contact has been seen to the end of the window.

    References
    ----------
    Kaplan and Meier (1958), JASA 53, 457-481. Korn and Graubard (1998), Survey Methodology 24, 193-201.

    Examples
    --------
    >>> from datetime import UTC
    >>> def day(number): return datetime(2026, 3, number, tzinfo=UTC)
    >>> judged = pl.DataFrame({
    ...     "label": ["resolved", "failed", "pending", "failed"], "reason": [None, "reopened", "window", "reopened"],
    ...     "failed_at": [None, day(3), None, day(12)], "anchor_at": [day(1), day(1), day(10), day(10)], "data_end": [day(12)] * 4,
    ... })
    >>> censored_fcr(judged, window=timedelta(days=7), cluster=None).select("n", "censored", "share").row(0)
    (4, 1, 0.5)
    """
    keys, whole = keys_of(by), _microseconds(window)
    open_still = (pl.col("label") == "pending") & (pl.col("reason") == "window").fill_null(False) & pl.col("anchor_at").is_not_null()
    counted = judged.filter(pl.col("label").is_in(["resolved", "failed"]) | open_still)
    until = pl.when(pl.col("label") == "failed").then("failed_at").otherwise("data_end")
    # What settled before the anchor, or without one, is known from the start; what settled after the window, at its end.
    age = (until - pl.col("anchor_at")).dt.total_microseconds().clip(0, whole).fill_null(0)
    time = pl.when(pl.col("label") == "resolved").then(whole).otherwise(age)
    rows = counted.select(*keys, _t=time.cast(pl.Int64), _event=pl.col("label") == "failed", _open=open_still, **member_of(cluster))
    rows = one_group(rows)
    groups = keys or ["_whole"]
    table = product_limit(rows, keys=groups, clustered=cluster is not None).group_by(groups, maintain_order=True).last()
    sizes = rows.group_by(groups).agg(censored=pl.col("_open").sum().cast(pl.Int64))
    table = table.join(sizes, on=groups, nulls_equal=True, maintain_order="left")
    known = (pl.col("_t") == whole) | (pl.col("stay") == 0)
    stay, variance = pl.col("stay"), pl.max_horizontal("greenwood", "robust") * pl.col("stay") ** 2
    size = pl.when((stay > 0) & (stay < 1)).then(stay * (1 - stay) / variance).otherwise(pl.col("n") - pl.col("censored"))
    low, high = wilson(stay, size * (Z95 / pl.col("_z").fill_null(1e9)) ** 2)
    estimates = {"share": stay, "se": variance.sqrt(), "low": low, "high": high}
    return table.select(*keys, "n", "censored", **{name: pl.when(known).then(value) for name, value in estimates.items()})
