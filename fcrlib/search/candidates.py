"""Which topics ask for an article, a playbook, or an answer without people?

What is counted says where to look first. Whether an article would have helped, or a machine would have done as well, it does not say.
"""

from __future__ import annotations

import polars as pl

from fcrlib.judge.rates import rate, stand_apart, withhold
from fcrlib.search.contrast import asked

SENT, OLD, NONE_SENT = "fresh", "stale", "none"
SCHEMA = {
    "topic": pl.Int32, "n": pl.Int64, "failed": pl.Int64, "rate": pl.Float64, "unsent": pl.Int64, "stale": pl.Int64, "straight": pl.Float64,
    "low": pl.Float64, "high": pl.Float64, "simple": pl.Boolean,
}  # fmt: skip


def candidates(frame: pl.DataFrame, *, topic: str = "topic") -> pl.DataFrame:
    """Count, for each topic, failures without a good article and contacts that went straight through.

    Parameters
    ----------
    frame
        One row per contact with a final verdict: `topic`, `failed` (yes/no), `customer`, and how it was handled (`signs.attributes`): `article`
        (none, fresh, stale), `handovers`, `hold`, `escalated`; null where the desk does not record it.

    Returns
    -------
    pl.DataFrame
        One row per topic, the most failures first: `topic`, `n` contacts, `failed`, `rate` = failed / n, `unsent` (failed and sent no article), `stale`
        (failed and sent an old one; both null where no articles are recorded), `straight` (share that was resolved without a handover, a hold or an
        escalation; null for fewer than 30 contacts or 10 customers) with `low`, `high` (95 %, by customer), `simple` (above the share of all by
        more than chance among so many topics would do).

    Examples
    --------
    >>> rows = {"topic": [1, 1], "failed": [True, False], "customer": ["a", "b"], "article": ["none", "fresh"]}
    >>> frame = pl.DataFrame({**rows, "handovers": ["once", "none"], "hold": ["none"] * 2, "escalated": ["no"] * 2})
    >>> candidates(frame).select("n", "failed", "unsent").row(0)
    (2, 1, 1)
    """
    asked(frame, [topic, "failed", "customer", "article", "handovers", "hold", "escalated"], yes_no=["failed"])
    smooth = (pl.col("handovers") == "none") & (pl.col("hold") == "none") & (pl.col("escalated") == "no")
    told = frame.filter(pl.col(topic).is_not_null()).with_columns(
        topic=pl.col(topic).cast(pl.Int32), straight=(smooth & ~pl.col("failed")).fill_null(False)
    )
    if told.is_empty():
        return pl.DataFrame(schema=SCHEMA)
    recorded = pl.lit(value=bool(told["article"].is_in([SENT, OLD]).any()))
    without = {name: (pl.col("failed") & (pl.col("article") == kind)).sum().cast(pl.Int64) for name, kind in (("unsent", NONE_SENT), ("stale", OLD))}
    counts = told.group_by("topic").agg(
        n=pl.len().cast(pl.Int64),
        failed=pl.col("failed").sum().cast(pl.Int64),
        **{name: pl.when(recorded.first()).then(what) for name, what in without.items()},
    )
    whole = float(told.select(pl.col("straight").mean()).item())
    through = stand_apart(withhold(rate(told, "straight", by="topic", cluster="customer")), whole=whole)
    above = (pl.col("apart") & (pl.col("share") > whole)).fill_null(False)
    table = counts.join(through.select("topic", "low", "high", straight="share", simple=above), on="topic", how="left")
    table = table.with_columns(rate=pl.col("failed") / pl.col("n"))
    return table.select(pl.col(name).cast(kind) for name, kind in SCHEMA.items()).sort(pl.col("failed") * -1, "topic")
