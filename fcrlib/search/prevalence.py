"""Which topics are over-represented among failed contacts?

The largest topic among the failed contacts is usually just the largest topic. What counts is by how much more often its contacts fail than
contacts like them that are about something else.
"""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl

from fcrlib.judge.compare import bh
from fcrlib.judge.intervals import MIN_CUSTOMERS, rate
from fcrlib.judge.rates import is_final
from fcrlib.search.contrast import asked, contrasts

COLUMNS = (
    "n", "customers", "share", "failed", "share_of_failed", "rate", "rate_low", "rate_high", "rate_alike", "difference", "low", "high", "beyond",
    "compared", "p", "q", "over", "too_few",
)  # fmt: skip


def failures(contacts: pl.DataFrame) -> pl.DataFrame:
    """The first contacts whose verdict is final, with `failed`, `resolved` and `reopened` (failed, and reopened among the reasons), all yes/no.

    Parameters
    ----------
    contacts
        Judged contacts with `reasons` and the columns of `rates.mature`.
    """
    final = contacts.filter(is_final())
    failed = pl.col("label") == "failed"
    return final.with_columns(failed=failed, resolved=~failed, reopened=failed & pl.col("reasons").list.contains("reopened").fill_null(False))


def excess(
    frame: pl.DataFrame,
    *,
    topic: str = "topic",
    failed: str = "failed",
    cluster: str = "customer",
    adjust: Sequence[str] = ("channel", "category"),
    q: float = 0.10,
    support: int = 20,
) -> pl.DataFrame:
    """How much more often each topic's contacts fail than contacts of the same channel and category that are about something else.

    Parameters
    ----------
    frame
        One row per contact of all that were assigned, failed or not: `topic` (null, no topic, is a level of its own), `failed` (yes/no, e.g. failed
        or reopened; unknown ones are left out), `cluster` and the columns of `adjust`.
    adjust
        What contacts alike have in common. A topic that makes up a whole category has nothing to be compared with there.
    q
        Share of false claims that is borne among the topics said to be over-represented.
    support
        Topics of fewer contacts, or of fewer than 10 customers, are not compared.

    Returns
    -------
    pl.DataFrame
        One row per topic, none without contacts, by the lower end of the difference, the largest first, then by size: `topic`, `n` contacts, `customers`, `share` of all
        contacts, `failed` of them, `share_of_failed` (of all failures), `rate` = failed / n with `rate_low`, `rate_high` (95 %, by customer),
        `difference` to contacts alike with `low`, `high` (95 %, by customer), `rate_alike` = rate - difference, `beyond` = difference x n (contacts),
        `compared` (share of its contacts that have others alike), `p` (one-sided: fails more), `q` (Benjamini and Hochberg, over the topics
        compared), `over` (q passes and `low` is above zero; never null), `too_few`. All that is estimated is null where nothing was compared.

    Raises
    ------
    UsageError
        For columns that are not there, or a `failed` that is not yes/no.

    References
    ----------
    See `contrast.contrasts` and `judge.compare.bh`.

    Examples
    --------
    >>> row = pl.int_range(2000)
    >>> frame = pl.select(topic=row % 4, failed=(row % 4 == 1) | (row % 5 == 0), customer=row % 500, channel=row % 3, category=pl.lit("login"))
    >>> excess(frame).select("topic", "n", pl.col("rate", "difference").round(1), "over").row(0)
    (1, 500, 1.0, 0.8, True)
    """
    asked(frame, [topic, failed, cluster, *adjust], yes_no=[failed])
    rows = frame.select(pl.col(topic).alias("topic"), pl.col(failed).cast(pl.Boolean).alias("failed"), cluster, *adjust)
    rates = rate(rows, "failed", by="topic", cluster=cluster).select("topic", "clusters", rate="share", rate_low="low", rate_high="high")
    told = contrasts(rows, group="topic", what="failed", strata=adjust, cluster=cluster).drop("clusters")
    counts = rows.drop_nulls("failed").group_by("topic").agg(failed=pl.col("failed").sum().cast(pl.Int64))
    table = told.join(rates, on="topic", nulls_equal=True).join(counts, on="topic", nulls_equal=True)
    few = (pl.col("n") < support) | (pl.col("clusters") < MIN_CUSTOMERS)
    estimated = pl.col("value", "low", "high", "p", "rate", "rate_low", "rate_high", "compared")
    table = table.with_columns(pl.when(~few).then(estimated).name.keep(), too_few=few).with_columns(q=bh(pl.col("p")))
    table = table.with_columns(
        customers=pl.col("clusters").cast(pl.Int64), difference="value", share=pl.col("n") / pl.col("n").sum(), beyond=pl.col("value") * pl.col("n"),
        share_of_failed=pl.col("failed") / pl.when(pl.col("failed").sum() > 0).then(pl.col("failed").sum()), rate_alike=pl.col("rate") - pl.col("value"),
        over=((pl.col("q") <= q) & (pl.col("low") > 0)).fill_null(False),
    )  # fmt: skip
    ranked = table.sort(pl.col("low"), pl.col("n"), pl.col("topic"), descending=[True, True, False], nulls_last=True)
    return ranked.select(pl.col("topic").alias(topic), *COLUMNS)
