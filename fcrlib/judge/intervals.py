"""How often, and how sure are we? Shares as expressions, each with its n and its interval.

Contacts of one customer are not independent, so an interval for contacts is Wilson's on the effective sample size that
the customers leave over (Korn and Graubard's construction, with the t correction for few customers).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import overload

import polars as pl

from fcrlib.model.errors import UsageError

Z95 = 1.959963984540054
MIN_CONTACTS, MIN_CUSTOMERS = 30, 10


def share(what: pl.Expr, *, z: float = Z95) -> list[pl.Expr]:
    """Turn a yes/no expression into `n`, `share`, `low` and `high`.

    Unknown (null) rows are left out of `n`. Wilson's score interval stays inside [0, 1] and is sound for small `n`.

    References
    ----------
    Newcombe (1998), Statistics in Medicine 17, 857-872, method 3.

    Examples
    --------
    >>> frame = pl.DataFrame({"solved": [True] * 81 + [False] * 182})
    >>> frame.select(share(pl.col("solved"))).select(pl.all().round(4)).row(0)
    (263, 0.308, 0.2553, 0.3662)
    """
    n, p = what.count(), what.mean()
    low, high = wilson(p, n, z=z)
    return [n.alias("n"), p.alias("share"), low.alias("low"), high.alias("high")]


def wilson(p: pl.Expr, n: pl.Expr, *, z: float | pl.Expr = Z95) -> tuple[pl.Expr, pl.Expr]:
    """Lower and upper end of Wilson's interval for a share `p` of `n`; null where `n` is 0."""
    square = (pl.lit(z) if isinstance(z, float) else z) ** 2
    size = pl.when(n > 0).then(n.cast(pl.Float64))
    centre = (p + square / (2 * size)) / (1 + square / size)
    half = (square * (p * (1 - p) / size + square / (4 * size**2))).sqrt() / (1 + square / size)
    # At nothing and at everything the end is exact; rounding must not push it past the share.
    low, high = pl.min_horizontal(centre - half, p), pl.max_horizontal(centre + half, p)
    return pl.when(size.is_not_null()).then(low.clip(0, 1)), pl.when(size.is_not_null()).then(high.clip(0, 1))


def rate(
    frame: pl.DataFrame, what: pl.Expr | str, *, by: str | Sequence[str] = (), cluster: str | None = None, weight: str | None = None
) -> pl.DataFrame:
    """Share of rows for which `what` holds, with an interval that respects clusters.

    Parameters
    ----------
    frame
        Any frame that has the columns `what`, `by`, `cluster` and `weight` speak of.
    what
        A yes/no expression or column; null rows are left out.
    by
        Columns to split by; null is a level of its own.
    cluster
        Column whose rows belong together, usually the customer; a null is a cluster of its own.
    weight
        Column of non-negative weights, e.g. for response.

    Returns
    -------
    pl.DataFrame
        One row per level of `by`, sorted: the `by` columns, `n` (rows), `clusters`, `share`, `low`, `high` (95 %),
        `deff` (how many times the clustering inflates the variance, at least 1).

    References
    ----------
    Korn and Graubard (1998), Survey Methodology 24, 193-201; Wilson (1927), JASA 22, 209-212.

    Examples
    --------
    >>> contacts = pl.DataFrame({"who": ["a", "a", "b", "c"], "ok": [True, True, False, None]})
    >>> rate(contacts, pl.col("ok"), cluster="who").select("n", "clusters", "share").row(0)
    (3, 2, 0.6666666666666666)
    """
    keys = [by] if isinstance(by, str) else list(by)
    w = pl.lit(1.0) if weight is None else pl.col(weight).cast(pl.Float64)
    member = pl.lit(None, pl.UInt32) if cluster is None else pl.col(cluster)
    asked = pl.col(what) if isinstance(what, str) else what
    rows = frame.select(*keys, _what=asked.cast(pl.Float64), _member=member, _w=w).filter(pl.col("_what").is_not_null() & pl.col("_w").is_not_null())
    named, alone = rows.filter(pl.col("_member").is_not_null()), rows.filter(pl.col("_member").is_null())
    groups = named.group_by(*keys, "_member").agg(n=pl.len(), m=pl.col("_w").sum(), k=(pl.col("_w") * pl.col("_what")).sum())
    lone = alone.select(*keys, "_member", n=pl.lit(1, pl.get_index_type()), m="_w", k=pl.col("_w") * pl.col("_what"))
    clusters = pl.concat([groups, lone])
    # Sums of whole numbers do not depend on the order; those of weights do, in the last digit.
    clusters = clusters if weight is None else clusters.sort(*keys, "_member", "m", "k")
    totals = pl.col("k").sum() / pl.when(pl.col("m").sum() > 0).then(pl.col("m").sum())
    k, m = pl.col("k"), pl.col("m")
    spread = ((k**2).sum() - 2 * totals * (k * m).sum() + totals**2 * (m**2).sum()).clip(lower_bound=0) / m.sum() ** 2
    parts = [pl.col("n").sum(), pl.len().alias("clusters"), totals.alias("share"), spread.alias("_spread")]
    table = clusters.group_by(keys).agg(parts).sort(keys) if keys else clusters.select(parts)
    return _with_interval(table).select(*keys, "n", "clusters", "share", "low", "high", "deff")


def _with_interval(table: pl.DataFrame) -> pl.DataFrame:
    """Wilson's interval on the effective sample size; weights and clusters both shrink it."""
    p, n, clusters = pl.col("share"), pl.col("n"), pl.col("clusters")
    correction = pl.when(clusters > 1).then(clusters / (clusters - 1))
    simple = p * (1 - p) / n
    inflated = pl.when(simple > 0).then(correction * pl.col("_spread") / simple)
    table = table.with_columns(deff=pl.max_horizontal(pl.lit(1.0), inflated)).with_columns(_t=t_quantile(table["clusters"]).fill_null(1e9))
    effective = n / pl.col("deff") * (Z95 / pl.col("_t")) ** 2
    low, high = wilson(p, effective)
    return table.with_columns(low=low, high=high)


def t_quantile(clusters: pl.Series) -> pl.Series:
    """Two-sided 95 % quantile per number of clusters; null for a single one, which says nothing about the spread."""
    from scipy.special import stdtrit

    freedom = (clusters.cast(pl.Float64) - 1).to_numpy()
    return pl.select(pl.when(clusters > 1).then(pl.Series(stdtrit(freedom.clip(min=1), 0.975), dtype=pl.Float64))).to_series()


def withhold(rates: pl.DataFrame, *, contacts: int = MIN_CONTACTS, clusters: int = MIN_CUSTOMERS) -> pl.DataFrame:
    """Blank the share of rows that rest on too few contacts or customers, and mark them `too_few`."""
    few = (pl.col("n") < contacts) | (pl.col("clusters") < clusters)
    return rates.with_columns(pl.when(~few).then(pl.col("share", "low", "high")).name.keep(), too_few=few)


def stand_apart(rates: pl.DataFrame, *, whole: float | None) -> pl.DataFrame:
    """Mark the rows that differ from the whole by more than chance among so many rows would do (`apart`).

    The interval is widened as Bonferroni would have it: the more rows are compared, the further out one has to be.
    """
    compared = rates["share"].count()
    if whole is None or compared < 2:
        return rates.with_columns(apart=pl.lit(False))
    below, above = pl.col("share") - pl.col("low"), pl.col("high") - pl.col("share")
    return rates.with_columns(apart=beyond_chance(pl.col("share") - whole, below=below, above=above, compared=compared))


def beyond_chance(gap: pl.Expr, *, below: pl.Expr, above: pl.Expr, compared: int) -> pl.Expr:
    """Does a difference leave out zero however many are compared? The interval is widened as Bonferroni would have it.

    Parameters
    ----------
    gap
        The difference; where it is null, the answer is no.
    below, above
        How far its 95 % interval reaches to either side.
    """
    from scipy.special import ndtri

    wider = float(ndtri(1 - 0.025 / max(compared, 1))) / Z95
    return (gap.abs() > wider * pl.when(gap < 0).then(above).otherwise(below)).fill_null(False)


@dataclass(frozen=True, slots=True)
class Difference:
    """A difference of two shares, `now - before`, with its 95 % interval."""

    value: float
    low: float
    high: float

    @property
    def is_clear(self) -> bool:
        """Does the interval leave out zero?"""
        return self.low > 0 or self.high < 0


@overload
def difference(now: pl.DataFrame, before: pl.DataFrame, *, by: str | Sequence[str] = ()) -> pl.DataFrame: ...
@overload
def difference(now: Mapping[str, float], before: Mapping[str, float]) -> Difference: ...
def difference(
    now: pl.DataFrame | Mapping[str, float], before: pl.DataFrame | Mapping[str, float], *, by: str | Sequence[str] = ()
) -> pl.DataFrame | Difference:
    """Difference of two independent shares from their own intervals, so that clustering carries over.

    Parameters
    ----------
    now, before
        Two frames of `rate` or `fcr`, or one row of each: `share`, `low`, `high`.
    by
        Columns that say which rows of the frames belong together; without them each frame has one row.

    Returns
    -------
    pl.DataFrame or Difference
        Of frames: the `by` columns, `now`, `before` (shares), `value` = now - before, `low`, `high` (95 %) and `clear` (the interval leaves
        out zero), sorted; what only one of them knows is null. Of rows: a `Difference`.

    References
    ----------
    Newcombe (1998), Statistics in Medicine 17, 873-890, method 10 (hybrid score).

    Examples
    --------
    >>> frame = pl.DataFrame({"a": [True] * 56 + [False] * 14})
    >>> other = pl.DataFrame({"a": [True] * 48 + [False] * 32})
    >>> difference(rate(frame, "a"), rate(other, "a")).select(pl.col("value", "low", "high").round(2)).row(0)
    (0.2, 0.05, 0.34)
    >>> one, two = (f.select(share(pl.col("a"))).row(0, named=True) for f in (frame, other))
    >>> difference(one, two).is_clear
    True
    """
    if isinstance(now, pl.DataFrame) or isinstance(before, pl.DataFrame):
        frames = [told if isinstance(told, pl.DataFrame) else pl.DataFrame([dict(told)]) for told in (now, before)]
        return _differences(*frames, keys=[by] if isinstance(by, str) else list(by))
    value = now["share"] - before["share"]
    down = ((now["share"] - now["low"]) ** 2 + (before["high"] - before["share"]) ** 2) ** 0.5
    up = ((now["high"] - now["share"]) ** 2 + (before["share"] - before["low"]) ** 2) ** 0.5
    return Difference(value, value - down, value + up)


def _differences(now: pl.DataFrame, before: pl.DataFrame, *, keys: list[str]) -> pl.DataFrame:
    if not keys and (now.height, before.height) != (1, 1):
        rows = f"{now.height} and {before.height} rows are given"
        raise UsageError(f"two rates are compared row by row, but {rows}: say with `by` which belong together")
    figures = ["share", "low", "high"]
    other = before.select(*keys, *(pl.col(name).alias(f"{name}_before") for name in figures))
    one = now.select(*keys, *figures)
    both = one.join(other, on=keys, how="full", coalesce=True, nulls_equal=True).sort(keys) if keys else pl.concat([one, other], how="horizontal")
    value = pl.col("share") - pl.col("share_before")
    down = ((pl.col("share") - pl.col("low")) ** 2 + (pl.col("high_before") - pl.col("share_before")) ** 2).sqrt()
    up = ((pl.col("high") - pl.col("share")) ** 2 + (pl.col("share_before") - pl.col("low_before")) ** 2).sqrt()
    table = both.select(*keys, now="share", before="share_before", value=value, low=value - down, high=value + up)
    return table.with_columns(clear=(pl.col("low") > 0) | (pl.col("high") < 0))
