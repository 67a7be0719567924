"""Which topics are new, which are gone, and which grow?

Both periods are compared inside one joint assignment of topics, never by matching the topics of two. Customers are counted, not contacts: one
customer who writes ten times about a thing does not make it a new topic.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from fcrlib.judge.compare import bh
from fcrlib.judge.intervals import Z95, rate
from fcrlib.search.contrast import asked

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Counts = NDArray[np.int64]

KINDS = ("new", "gone", "growing", "shrinking", "steady")
TIMES = 3.0


def moved(
    frame: pl.DataFrame, *, topic: str = "topic", later: str = "later", cluster: str = "customer", q: float = 0.05, times: float = TIMES
) -> pl.DataFrame:
    """How much more or less often customers ask about each topic in the later of two periods.

    Parameters
    ----------
    frame
        One row per contact of both periods: `topic` (null, no topic, is a level of its own), `later` (yes/no; unknown ones are left out) and
        `cluster` (null is a customer of their own).
    q
        Share of false claims that is borne among the topics said to have moved.
    times
        How many times as frequent a topic must have become to be new, or as rare to be gone.

    Returns
    -------
    pl.DataFrame
        One row per topic, none without contacts; new ones first, then gone, growing, shrinking and steady ones, each by what moved most: `topic`, `n_before`, `n_after`
        (contacts), `customers_before`, `customers_after`, `rate_before`, `rate_after` (share of the customers of the period who asked about it),
        `ratio` of the two with `low`, `high` (95 %; half a customer is added to each count, so that it stays finite), `p` (Fisher's exact test,
        two-sided), `q` (Benjamini and Hochberg over the topics), `kind`: new (q passes and the ratio is at least `times`), gone, growing, shrinking,
        steady (no change that is clear). `rate_before`, `rate_after`, `ratio` and `p` are null where a period has no contacts.

    Raises
    ------
    UsageError
        For columns that are not there, or a `later` that is not yes/no.

    References
    ----------
    Fisher (1935), J. Royal Statistical Society 98, 39-82 (the exact test, here twice the smaller tail). Pettigrew, Gart and Thomas (1986), Biometrika
    73, 425-435 (half a count added to a ratio of shares).

    Examples
    --------
    >>> row = pl.int_range(400)
    >>> frame = pl.select(topic=pl.when(row % 2 == 0, row % 10 == 0).then(pl.lit("export")).otherwise(pl.lit("login")), later=row % 2 == 0, customer=row)
    >>> moved(frame).select("topic", "n_before", "n_after", "kind").rows()
    [('export', 0, 40, 'new'), ('login', 200, 160, 'shrinking')]
    """
    asked(frame, [topic, later, cluster], yes_no=[later])
    rows = frame.filter(pl.col(later).is_not_null()).select(
        pl.col(topic).alias("topic"), pl.col(later).cast(pl.Boolean).alias("later"), _who(cluster)
    )
    table = rows.group_by("topic").agg(
        n_before=(~pl.col("later")).sum().cast(pl.Int64), n_after=pl.col("later").sum().cast(pl.Int64),
        customers_before=_people(~pl.col("later")), customers_after=_people(pl.col("later")),
    )  # fmt: skip
    before, after = rows.select(_people(~pl.col("later")).alias("before"), _people(pl.col("later")).alias("after")).row(0)
    table = _compared(table.sort("topic"), before=before, after=after)
    larger = pl.col("ratio") > 1
    far = pl.when(larger).then(pl.col("ratio")).otherwise(1 / pl.col("ratio")) >= times
    kind = (
        pl.when(larger & far).then(pl.lit("new")).when(far).then(pl.lit("gone")).when(larger).then(pl.lit("growing")).otherwise(pl.lit("shrinking"))
    )
    table = table.with_columns(kind=pl.when(pl.col("q") <= q).then(kind).otherwise(pl.lit("steady")).cast(pl.Enum(KINDS)))
    ranked = table.sort("kind", pl.col("ratio").log().abs() * -1, "topic", nulls_last=True)
    return ranked.with_columns(pl.col("kind").cast(pl.String)).rename({"topic": topic})


def novelty_rate(frame: pl.DataFrame, *, moved: pl.DataFrame, topic: str = "topic", later: str = "later", cluster: str = "customer") -> pl.DataFrame:
    """How many contacts of the later period are about a new topic: `n`, `clusters`, `share`, `low`, `high`, `deff`.

    Where there are no topics, or no two periods to compare, no contact is known to be about a new topic or not: `n` is 0 and `share` null.

    The interval says how sure the share is for these topics; that they were found in the same contacts is not in it.

    Parameters
    ----------
    frame
        The contacts that `moved` was made from.
    moved
        The frame of `moved`.
    """
    asked(frame, [topic, later, cluster], yes_no=[later])
    new = moved.filter(pl.col("kind") == "new")[topic]
    compared = moved.filter(pl.col(topic).is_not_null())["p"].is_not_null().any()
    is_new = pl.when(pl.lit(compared)).then(pl.col(topic).is_in(new.implode(), nulls_equal=True))
    here = frame.filter(pl.col(later).cast(pl.Boolean)).with_columns(_new=is_new)
    return rate(here, "_new", cluster=cluster)


def periods(contacts: pl.DataFrame, *, earlier: pl.DataFrame) -> pl.DataFrame:
    """The first contacts of two periods in one frame, with `later` (yes for those of `contacts`); what is pending counts, for it was asked.

    Parameters
    ----------
    contacts, earlier
        Judged contacts of each period with `label`, of the same columns.
    """
    both = pl.concat([earlier.with_columns(later=pl.lit(False)), contacts.with_columns(later=pl.lit(True))])
    return both.filter(pl.col("label").cast(pl.String).is_in(["resolved", "failed", "pending"]))


def _who(cluster: str) -> pl.Expr:
    """A number per customer; who is not known is somebody of their own."""
    return pl.coalesce(pl.col(cluster).rank("dense").cast(pl.Int64), -1 - pl.int_range(pl.len())).alias("who")


def _people(where: pl.Expr) -> pl.Expr:
    return pl.col("who").filter(where).n_unique().cast(pl.Int64)


def _compared(table: pl.DataFrame, *, before: int, after: int) -> pl.DataFrame:
    """Rates, their ratio with its interval, and how likely so uneven a split is if nothing moved."""
    if not before or not after:
        names = ("rate_before", "rate_after", "ratio", "low", "high", "p", "q")
        return table.with_columns(pl.lit(None, pl.Float64).alias(name) for name in names)
    a, b = pl.col("customers_before"), pl.col("customers_after")
    ratio = (b + 0.5) / (after + 0.5) * (before + 0.5) / (a + 0.5)
    error = (1 / (a + 0.5) - 1 / (before + 0.5) + 1 / (b + 0.5) - 1 / (after + 0.5)).clip(lower_bound=0).sqrt() * Z95
    p = _exact(table["customers_before"].to_numpy(), table["customers_after"].to_numpy(), before=before, after=after)
    table = table.with_columns(rate_before=a / before, rate_after=b / after, ratio=ratio, low=ratio * (-error).exp(), high=ratio * error.exp(), p=p)
    return table.with_columns(q=bh(pl.col("p")))


def _exact(a: Counts, b: Counts, *, before: int, after: int) -> pl.Series:
    from scipy.stats import hypergeom

    split = hypergeom(before + after, a + b, after)
    return pl.Series(np.minimum(1.0, 2 * np.minimum(split.cdf(b), split.sf(b - 1))))
