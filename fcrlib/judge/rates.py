"""How often is an issue resolved on first contact?

The shares and intervals that everything rests on are the room `intervals`, what comes with time is `curves`; both can be had from here.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Literal

import polars as pl

from fcrlib.judge.curves import censored_fcr, nowcast, repeat_curve
from fcrlib.judge.intervals import (
    MIN_CONTACTS,
    MIN_CUSTOMERS,
    Z95,
    Difference,
    beyond_chance,
    difference,
    rate,
    share,
    stand_apart,
    t_quantile,
    wilson,
    withhold,
)
from fcrlib.judge.survival import keys_of

__all__ = [
    "INDEX", "MIN_CONTACTS", "MIN_CUSTOMERS", "Z95", "Difference", "beyond_chance", "censored_fcr", "difference", "fcr", "final_fcr", "is_final", "mature", "nowcast", "rate",
    "repeat_curve", "share", "stand_apart", "wilson", "withhold",
]  # fmt: skip
INDEX = ("resolved", "failed")


def fcr(judged: pl.DataFrame, *, by: str | Sequence[str] = (), cluster: str | None = "customer") -> pl.DataFrame:
    """First contact resolution, and everything that is not in it.

    Parameters
    ----------
    judged
        Contacts with their outcomes: `label`, and the columns of `by` and `cluster`.

    Returns
    -------
    pl.DataFrame
        One row per level of `by`, sorted: `n` = resolved + failed, `clusters`, `share` = resolved / n, `low`, `high`,
        `deff`, then the counts `resolved`, `failed`, `pending`, `repeat`, `excluded` and the bounds `lowest`, `highest`
        that the share could still reach when every pending contact fails or resolves.

    Examples
    --------
    >>> judged = pl.DataFrame({"label": ["resolved", "resolved", "failed", "pending"], "customer": list("abcd")})
    >>> fcr(judged).select("n", "share", "pending", "lowest", "highest").row(0)
    (3, 0.6666666666666666, 1, 0.5, 0.75)
    """
    keys = [by] if isinstance(by, str) else list(by)
    labels = ("resolved", "failed", "pending", "repeat", "excluded")
    counted = [(pl.col("label") == label).sum().alias(label) for label in labels]
    counts = judged.group_by(keys).agg(counted).sort(keys) if keys else judged.select(counted)
    index = judged.filter(pl.col("label").is_in(INDEX))
    shares = rate(index, pl.col("label") == "resolved", by=keys, cluster=cluster)
    table = (
        counts.join(shares, on=keys, how="left", nulls_equal=True, maintain_order="left") if keys else pl.concat([shares, counts], how="horizontal")
    )
    r, f, p = pl.col("resolved"), pl.col("failed"), pl.col("pending")
    everyone = pl.when(r + f + p > 0).then(r + f + p)
    table = table.with_columns(pl.col("n", "clusters").fill_null(0), lowest=r / everyone, highest=(r + p) / everyone)
    return table.select(*keys, "n", "clusters", "share", "low", "high", "deff", *labels, "lowest", "highest")


def mature(judged: pl.DataFrame) -> pl.DataFrame:
    """Keep the index contacts whose verdict no longer depends on when the data ends.

    Failures are known at once, resolutions only when the window has closed; a trend that mixes both bends down at its end.
    `judged` needs `label`, `reason`, `anchor_at`, `horizon_at` and `data_end`. Where the policy waits for no window, what is resolved is settled.
    """
    return judged.filter(is_final())


def is_final() -> pl.Expr:
    """Is the verdict on an index contact one that no later data can come too late for? Reads the columns that `mature` reads."""
    unbound = pl.col("horizon_at").is_null() & pl.col("anchor_at").is_not_null()
    settled = (pl.col("horizon_at") <= pl.col("data_end")) | (pl.col("reason") == "unresolved") | unbound
    return pl.col("label").is_in(INDEX) & settled.fill_null(False)


def final_fcr(
    judged: pl.DataFrame,
    *,
    window: timedelta | None,
    by: str | Sequence[str] = (),
    cluster: str = "customer",
    spread: Literal["exact", "scaled"] = "exact",
) -> pl.DataFrame:
    """First contact resolution as it will stand when every window has closed, and everything that is not in it.

    Parameters
    ----------
    judged
        Contacts with their outcomes, as `censored_fcr` and `rates.fcr` read them.
    window
        The policy's window; where it waits for none, nothing is still to come.
    spread
        `exact` adds up the contacts of each customer over time; `scaled` widens Greenwood's variance by the design effect of those decided,
        for when many rates are asked for at once.

    Returns
    -------
    pl.DataFrame
        The columns of `rates.fcr`, in which `n` (contacts, also those whose window is open), `share`, `low` and `high` are those of
        `censored_fcr`, and `decided`: resolved / (resolved + failed), which reads too low while windows are open, with its
        `decided_n`, `decided_low` and `decided_high`.
    """
    keys = keys_of(by)
    plain = fcr(judged, by=by, cluster=cluster).with_columns(decided="share", decided_n="n", decided_low="low", decided_high="high")
    waiting = (pl.col("label") == "pending") & (pl.col("reason") == "window").fill_null(False)
    if not window or not judged.select(waiting.any()).item():
        return plain
    if spread == "exact":
        seen = censored_fcr(judged, window=window, by=by, cluster=cluster)
    else:
        seen = _scaled(censored_fcr(judged, window=window, by=by, cluster=None), plain, keys=keys)
    seen = seen.select(*keys, "n", "share", "low", "high")
    rest = plain.drop("n", "share", "low", "high")
    joined = rest.join(seen, on=keys, how="left", nulls_equal=True, maintain_order="left") if keys else pl.concat([rest, seen], how="horizontal")
    return joined.with_columns(pl.col("n").fill_null(0).cast(plain.schema["n"])).select(plain.columns)


def _scaled(seen: pl.DataFrame, plain: pl.DataFrame, *, keys: list[str]) -> pl.DataFrame:
    """Intervals that take the design effect and the number of customers from the contacts that are decided."""
    known = plain.select(*keys, "deff", "clusters")
    both = seen.join(known, on=keys, how="left", nulls_equal=True, maintain_order="left") if keys else pl.concat([seen, known], how="horizontal")
    both = both.with_columns(_z=t_quantile(both["clusters"]))
    inner = (pl.col("share") > 0) & (pl.col("share") < 1)
    size = pl.when(inner).then(pl.col("share") * (1 - pl.col("share")) / pl.col("se") ** 2).otherwise(pl.col("n") - pl.col("censored"))
    low, high = wilson(pl.col("share"), size / pl.col("deff").fill_null(1) * (Z95 / pl.col("_z").fill_null(1e9)) ** 2)
    return both.with_columns(low=low, high=high)
