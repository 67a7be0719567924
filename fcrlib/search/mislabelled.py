"""Where do the topic of a contact and the desk's own category disagree?

A topic nearly all of whose contacts are filed under one category has that category; those filed elsewhere read alike and are counted elsewhere. Who
filed them and why is not known, so this is a list to read, not a list of mistakes.
"""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl

from fcrlib.judge.compare import bh
from fcrlib.judge.intervals import MIN_CONTACTS, MIN_CUSTOMERS, rate, share
from fcrlib.model.errors import UsageError
from fcrlib.search.contrast import asked, contrasts

PURITY, MARGIN = 0.6, 0.3
MISFILED = (
    "expected", "n", "elsewhere", "share", "share_low", "share_high", "mostly", "fcr", "fcr_low", "fcr_high", "fcr_matched", "difference", "low", "high",
    "q", "clear", "too_few",
)  # fmt: skip


def expected(
    frame: pl.DataFrame,
    *,
    topic: str = "topic",
    category: str = "category",
    stable: str | None = None,
    purity: float = PURITY,
    margin: float = MARGIN,
    support: int = MIN_CONTACTS,
) -> pl.DataFrame:
    """Which category belongs to each topic, where one clearly does?

    Parameters
    ----------
    frame
        One row per contact: `topic` and `category` (rows that lack either are left out).
    stable
        Column that says whether the topic of a row is stable (yes/no; null is no); without it every topic is taken as stable.
    purity, margin
        Share of the topic's contacts that its category must have, as the lower end of the interval, and how far it must lie above the second one.
    support
        Fewest contacts of a topic with a category.

    Returns
    -------
    pl.DataFrame
        One row per topic, sorted: `topic`, `n` contacts with a category, `purity` (share of the largest category) with `low`, `high` (95 %),
        `second` (share of the next one), `expected` (the category; null where none clearly belongs), `why_not` (null where there is one: unstable,
        too few, mixed).

    Raises
    ------
    UsageError
        For columns that are not there, or shares outside 0..1.

    Examples
    --------
    >>> frame = pl.DataFrame({"topic": ["refund"] * 40 + ["mixed"] * 40, "category": ["billing"] * 38 + ["login"] * 22 + ["mobile"] * 20})
    >>> expected(frame).select("topic", "expected", "why_not").rows()
    [('mixed', None, 'mixed'), ('refund', 'billing', None)]
    """
    asked(frame, [topic, category, *([stable] if stable else [])], yes_no=[stable] if stable else [])
    if wrong := [f"{name} is {value}" for name, value in (("purity", purity), ("margin", margin)) if not 0 <= value <= 1]:
        raise UsageError("shares lie between 0 and 1", wrong)
    is_stable = pl.col(stable).cast(pl.Boolean).fill_null(False) if stable else pl.lit(True)
    rows = frame.select(pl.col(topic).alias("topic"), pl.col(category).cast(pl.String).alias("category"), _stable=is_stable).drop_nulls()
    counts = (
        rows.group_by("topic", "category")
        .agg(k=pl.len(), stable=pl.col("_stable").all())
        .sort("topic", "k", "category", descending=[False, True, False])
    )
    table = counts.group_by("topic", maintain_order=True).agg(
        n=pl.col("k").sum().cast(pl.Int64), purity=pl.col("k").first() / pl.col("k").sum(), category=pl.col("category").first(),
        second=pl.col("k").get(1, null_on_oob=True).fill_null(0) / pl.col("k").sum(), stable=pl.col("stable").all(),
    )  # fmt: skip
    sure = rows.join(table.select("topic", first="category"), on="topic").group_by("topic").agg(share(pl.col("category") == pl.col("first")))
    table = table.join(sure.select("topic", "low", "high"), on="topic", how="left", maintain_order="left")
    mixed = (pl.col("low") < purity) | (pl.col("purity") - pl.col("second") < margin)
    why = pl.when(~pl.col("stable")).then(pl.lit("unstable")).when(pl.col("n") < support).then(pl.lit("too few")).when(mixed).then(pl.lit("mixed"))
    told = table.with_columns(why_not=why).with_columns(expected=pl.when(pl.col("why_not").is_null()).then("category"))
    return told.select(pl.col("topic").alias(topic), "n", "purity", "low", "high", "second", "expected", "why_not")


def suspects(frame: pl.DataFrame, *, topics: pl.DataFrame, topic: str = "topic", category: str = "category") -> pl.DataFrame:
    """The contacts whose own category is not the one expected of their topic, with `expected`, in the order of the frame.

    Parameters
    ----------
    topics
        The frame of `expected`.
    """
    asked(frame, [topic, category])
    belongs = topics.filter(pl.col("expected").is_not_null()).select(topic, "expected")
    joined = frame.join(belongs, on=topic, how="inner", maintain_order="left")
    return joined.filter(pl.col(category).cast(pl.String) != pl.col("expected"))


def misfiled(
    frame: pl.DataFrame,
    *,
    topics: pl.DataFrame,
    topic: str = "topic",
    category: str = "category",
    resolved: str = "resolved",
    cluster: str = "customer",
    adjust: Sequence[str] = ("channel",),
    q: float = 0.10,
    support: int = MIN_CONTACTS,
) -> pl.DataFrame:
    """How many contacts of each topic are filed elsewhere, and are they resolved as often as those filed as expected?

    Parameters
    ----------
    frame
        One row per contact: `topic`, `category`, `resolved` (yes/no; unknown ones count as filed, not for FCR), `cluster` and the columns of `adjust`.
    topics
        The frame of `expected`; topics without a category of their own are left out.
    support
        Fewest judged contacts filed elsewhere for their FCR to be compared; 10 customers are needed, too.

    Returns
    -------
    pl.DataFrame
        One row per topic that has contacts filed elsewhere, the most first: `topic`, `expected`, `n` contacts with a category, `elsewhere` of them
        filed elsewhere, `share` with `share_low`, `share_high` (95 %, by customer), `mostly` (where most of those are), `fcr` (share resolved of
        those filed elsewhere) with `fcr_low`, `fcr_high`, `fcr_matched` (of those filed as expected), `difference` at the same mix of `adjust` with
        `low`, `high` (95 %, by customer), `q` (Benjamini and Hochberg over the topics compared, two-sided), `clear` (q passes and the interval
        leaves out zero), `too_few`.
    """
    asked(frame, [topic, category, resolved, cluster, *adjust], yes_no=[resolved])
    belongs = topics.filter(pl.col("expected").is_not_null()).select(pl.col(topic).alias("topic"), "expected")
    told = frame.select(pl.col(topic).alias("topic"), pl.col(category).cast(pl.String).alias("_filed"), *dict.fromkeys([resolved, cluster, *adjust]))
    rows = told.drop_nulls("_filed").join(belongs, on="topic", how="inner").with_columns(_else=pl.col("_filed") != pl.col("expected"))
    counts = rate(rows, "_else", by=["topic", "expected"], cluster=cluster).rename({"low": "share_low", "high": "share_high"})
    counts = counts.select("topic", "expected", pl.col("n").cast(pl.Int64), "share", "share_low", "share_high")
    where = rows.filter("_else").group_by("topic", "_filed").len().sort("topic", "len", "_filed", descending=[False, True, False])
    mostly = where.group_by("topic").agg(elsewhere=pl.col("len").sum().cast(pl.Int64), mostly=pl.col("_filed").first())
    told = counts.join(mostly, on="topic").join(_resolved(rows, resolved, cluster=cluster, adjust=adjust, support=support), on="topic", how="left")
    told = told.with_columns(pl.col("too_few").fill_null(True), q=bh(pl.col("p")))
    told = told.with_columns(clear=((pl.col("q") <= q) & ((pl.col("low") > 0) | (pl.col("high") < 0))).fill_null(False))
    return told.sort(pl.col("elsewhere") * -1, "topic").select(pl.col("topic").alias(topic), *MISFILED)


def _resolved(rows: pl.DataFrame, resolved: str, *, cluster: str, adjust: Sequence[str], support: int) -> pl.DataFrame:
    """FCR of what is filed elsewhere and as expected, per topic, and how far they lie apart inside the topic."""
    judged = rows.filter(pl.col(resolved).is_not_null())
    rates = rate(judged, resolved, by=["topic", "_else"], cluster=cluster)
    here = rates.filter("_else").select("topic", "n", "clusters", fcr="share", fcr_low="low", fcr_high="high")
    here = here.join(rates.filter(~pl.col("_else")).select("topic", fcr_matched="share"), on="topic", how="left")
    # Those filed elsewhere are a group of their own in the stratum of their topic, where all others are those filed as expected.
    group = pl.when("_else").then(pl.col("topic").rank("dense").cast(pl.Int64))
    frame = judged.with_columns(_group=group)
    names = frame.filter("_else").select("topic", "_group").unique()
    if frame.is_empty():
        return here.with_columns([pl.lit(None, pl.Float64).alias(name) for name in ("difference", "low", "high", "p")]).with_columns(
            too_few=pl.lit(True)
        )
    told = contrasts(frame, group="_group", what=resolved, strata=["topic", *adjust], cluster=cluster).join(names, on="_group")
    both = here.join(told.select("topic", "value", "low", "high", "p"), on="topic", how="left")
    few = (pl.col("n") < support) | (pl.col("clusters") < MIN_CUSTOMERS)
    figures = pl.col("fcr", "fcr_low", "fcr_high", "fcr_matched", "value", "low", "high", "p")
    both = both.with_columns(pl.when(~few).then(figures).name.keep(), too_few=few)
    return both.with_columns(difference="value", p=2 * pl.min_horizontal("p", 1 - pl.col("p"))).drop("n", "clusters", "value")
