"""How long until something happens, when not everybody has been seen for long enough?

Whoever was solved yesterday has had one day to come back. The product-limit estimate counts each row for as long as it has
been seen, and no longer; no row has to be thrown away for being young.
"""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl

from fcrlib.judge.intervals import Z95, t_quantile, wilson

ESTIMATES = ("at_risk", "events", "hazard", "share", "se", "low", "high", "n", "clusters")


def kaplan_meier(frame: pl.DataFrame, *, time: str, event: str, by: str | Sequence[str] = (), cluster: str | None = None) -> pl.DataFrame:
    """Share of rows that have had their event by each time, counting every row for as long as it was seen.

    Parameters
    ----------
    frame
        Reads `time` (how long the row was seen, any number), `event` (yes: it ended with the event; no: the sight of it
        ended), `by` and `cluster`. A row that lacks one of the first two is left out.
    cluster
        Column whose rows belong together, usually the customer; a null is a cluster of its own.

    Returns
    -------
    pl.DataFrame
        One row per level of `by` and time at which something happened, sorted: the `by` columns, `time`, `at_risk` (rows seen
        up to here), `events`, `hazard` = events / at_risk, `share` (had it by now), `se`, `low`, `high` (95 %), `n`, `clusters`.
        Without `cluster` the standard error is Greenwood's; with it, the infinitesimal jackknife over clusters with the
        factor G / (G - 1), and the interval takes the t quantile of G - 1. Both intervals are drawn on the complementary
        log-log scale, which keeps them inside 0..1.

    References
    ----------
    Kaplan and Meier (1958), JASA 53, 457-481. Kalbfleisch and Prentice (2002), The Statistical Analysis of Failure Time Data,
    16-18 (Greenwood's formula, log-log interval). Therneau and Grambsch (2000), Modeling Survival Data, 159-161 (jackknife).

    Examples
    --------
    >>> weeks = pl.DataFrame({"weeks": [6, 6, 6, 6, 7, 10], "back": [True, True, True, False, True, False]})
    >>> kaplan_meier(weeks, time="weeks", event="back").select("weeks", "at_risk", "events", "share").rows()
    [(6, 6, 3, 0.5), (7, 2, 1, 0.75)]
    """
    keys = keys_of(by)
    rows = frame.select(*keys, _t=pl.col(time), _event=pl.col(event), **member_of(cluster)).drop_nulls(["_t", "_event"])
    table = with_intervals(product_limit(one_group(rows), keys=keys or ["_whole"], clustered=cluster is not None))
    return table.filter(pl.col("events") > 0).select(*keys, pl.col("_t").alias(time), *ESTIMATES)


def keys_of(by: str | Sequence[str]) -> list[str]:
    """One column or several, as a list."""
    return [by] if isinstance(by, str) else list(by)


def one_group(rows: pl.DataFrame) -> pl.DataFrame:
    """With nothing to split by, everything is one group."""
    return rows.with_columns(_whole=pl.lit(0, pl.Int8))


def member_of(cluster: str | None) -> dict[str, pl.Expr]:
    """The column that says which rows belong together, if there is one."""
    return {} if cluster is None else {"_member": pl.col(cluster)}


def product_limit(rows: pl.DataFrame, *, keys: list[str], clustered: bool, grid: pl.DataFrame | None = None) -> pl.DataFrame:
    """The product limit per key and time: counts, `stay` (share without the event), and the variance of its logarithm.

    `greenwood` treats rows as independent; `robust` adds them up within clusters. `reached` says that somebody was seen.

    Parameters
    ----------
    rows
        `keys`, `_t` (how long), `_event` (yes/no) and, where `clustered`, `_member` (null: belongs to nobody).
    grid
        `keys` and `_t` of the rows wanted; the times at which something happened by default.
    """
    exits = rows.group_by(*keys, "_t").agg(events=pl.col("_event").sum().cast(pl.Int64), exits=pl.len().cast(pl.Int64))
    table = exits if grid is None else grid.join(exits, on=[*keys, "_t"], how="left", nulls_equal=True)
    table = table.with_columns(pl.col("events", "exits").fill_null(0)).sort(*keys, "_t").with_columns(n=pl.col("exits").sum().over(keys))
    table = table.with_columns(at_risk=pl.col("n") - pl.col("exits").cum_sum().over(keys) + pl.col("exits"))
    left = pl.col("at_risk") - pl.col("events")
    table = table.with_columns(
        hazard=pl.when(pl.col("at_risk") > 0).then(pl.col("events") / pl.col("at_risk")),
        _leap=pl.when(left > 0).then(1 / left).otherwise(0.0),
        _rise=pl.when(left > 0).then(pl.col("events") / (pl.col("at_risk") * left)).otherwise(0.0),
    ).with_columns(stay=(1 - pl.col("hazard").fill_null(0)).cum_prod().over(keys), greenwood=pl.col("_rise").cum_sum().over(keys))
    table = table.with_columns(reached=(pl.col("at_risk") > 0) | (pl.col("stay") == 0))
    if not clustered:
        return table.with_columns(clusters=pl.col("n"), robust=pl.col("greenwood"), _z=pl.lit(Z95))
    return _clustered(rows, table, keys=keys)


def _clustered(rows: pl.DataFrame, table: pl.DataFrame, *, keys: list[str]) -> pl.DataFrame:
    """Add `robust`, `clusters` and the t quantile `_z`.

    At time t a cluster weighs B + m A(t): B sums what its members did that have left, m counts those still there, and A is
    the cumulated Greenwood term. B and m change only when a member leaves, so the sum of squares over all clusters moves by
    one small step per row, and no table of clusters by times is ever built.
    """
    table = table.with_columns(_group=pl.struct(keys).rle_id()).with_row_index("_place")
    places = table.select(*keys, "_t", "_group", "_place", "_leap", "greenwood")
    cells = _runs(rows.join(places, on=[*keys, "_t"], nulls_equal=True, maintain_order="left"), places=table.height)
    sums, there = pl.col("b").cum_sum() - pl.col("_b0"), (pl.col("size") - 1 - pl.int_range(pl.len()) + pl.col("_at")).cast(pl.Float64)
    was, before = sums - pl.col("b"), there + 1
    moves = {"_bb": sums**2 - was**2, "_bm": sums * there - was * before, "_mm": there**2 - before**2}
    steps = cells.select("_place", **moves).group_by("_place").agg(pl.all().sum())
    # A run of s rows says s in each of them, so their sum is the sum of squares.
    squares = cells.group_by("_group").agg(_start=pl.col("size").sum().cast(pl.Float64), clusters=pl.col("_new").sum().cast(pl.Int64))
    table = table.join(steps, on="_place", how="left", maintain_order="left").join(squares, on="_group", how="left", maintain_order="left")
    bb, bm, mm = (pl.col(name).fill_null(0).cum_sum().over("_group") for name in moves)
    rise = pl.col("greenwood")
    spread = (bb + 2 * rise * bm + rise**2 * (mm + pl.col("_start"))).clip(lower_bound=0)
    factor = pl.when(pl.col("clusters") > 1).then(pl.col("clusters") / (pl.col("clusters") - 1))
    return table.with_columns(robust=spread * factor, _z=t_quantile(table["clusters"]))


def _runs(rows: pl.DataFrame, *, places: int) -> pl.DataFrame:
    """Rows sorted into runs, one per cluster and group: `b`, `size` of the run, and where it begins (`_at`, `_b0`)."""
    b = pl.col("greenwood") - pl.when("_event").then("_leap").otherwise(0.0)
    code = pl.col("_member").cast(pl.String).cast(pl.Categorical).to_physical().cast(pl.Int64)
    coded = rows.select("_place", "_group", b=b, _code=code).with_columns(pl.col("_code").fill_null(-1 - pl.int_range(pl.len())))
    coded = coded.sort(pl.col("_code") * places + pl.col("_place"))
    new = (pl.col("_code").diff() != 0) | (pl.col("_group").cast(pl.Int64).diff() != 0)
    coded = coded.with_columns(_new=new.fill_null(True)).with_columns(_run=pl.col("_new").cum_sum())
    first = {"_at": pl.int_range(pl.len()), "_b0": pl.col("b").cum_sum() - pl.col("b")}
    starts = {name: pl.when("_new").then(value).forward_fill() for name, value in first.items()}
    return coded.with_columns(size=pl.len().over("_run").cast(pl.Int64), **starts)


def with_intervals(table: pl.DataFrame) -> pl.DataFrame:
    """`share`, `se`, `low` and `high`; a share of nothing or everything gets Wilson's interval, where log-log has none."""
    stay, inner = pl.col("stay"), (pl.col("stay") > 0) & (pl.col("stay") < 1)
    width = pl.col("_z") * pl.col("robust").sqrt() / stay.log().abs()
    low, high = wilson(1 - stay, pl.col("at_risk").cast(pl.Float64))
    known = pl.col("reached")
    return table.with_columns(
        share=pl.when(known).then(1 - stay),
        se=pl.when(known).then(stay * pl.col("robust").sqrt()),
        low=pl.when(known & inner).then(1 - stay ** (-width).exp()).when(known).then(low),
        high=pl.when(known & inner).then(1 - stay ** width.exp()).when(known).then(high),
    )
