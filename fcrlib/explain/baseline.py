"""How often is an issue resolved on first contact, for whom, and when does it fail?"""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from fcrlib.judge.rates import rate, stand_apart, withhold
from fcrlib.model.columns import NOT_KNOWN, OTHERS

if TYPE_CHECKING:
    from fcrlib.study import Study

ORDER = ("resolved", "failed", "pending", "repeat", "excluded")


def labels(study: Study) -> pl.DataFrame:
    """Where every contact of the period went.

    Returns
    -------
    pl.DataFrame
        `label`, `reason` (of the first failure, the exclusion or the waiting), `n`, `share` of all contacts; the labels
        in the order in which a reader asks for them, the reasons by size.
    """
    counts = study.contacts.group_by("label", "reason").agg(n=pl.len())
    rank = pl.col("label").cast(pl.String).replace_strict({label: place for place, label in enumerate(ORDER)}, return_dtype=pl.Int32)
    shares = counts.with_columns(pl.col("label").cast(pl.String), share=pl.col("n") / study.contacts.height)
    return shares.sort(rank, pl.col("n") * -1, "reason")


def failures(study: Study) -> pl.DataFrame:
    """What failed contacts failed by, all reasons counted: a contact may have several.

    Returns
    -------
    pl.DataFrame
        `reason`, `n` failed contacts with it, `share`, `low`, `high` of the failed contacts; the most frequent first.
    """
    failed = study.contacts.filter(pl.col("label") == "failed").select("source", "contact_id", "customer", "reasons")
    if failed.is_empty():
        return pl.DataFrame(schema={"reason": pl.String, "n": pl.Int64, "share": pl.Float64, "low": pl.Float64, "high": pl.Float64})
    kinds = failed["reasons"].explode().drop_nulls().unique().sort()
    rows = [
        rate(failed, pl.col("reasons").list.contains(kind), cluster="customer").select(
            pl.lit(kind).alias("reason"), (pl.col("share") * pl.col("n")).round().cast(pl.Int64).alias("n"), "share", "low", "high"
        )
        for kind in kinds
    ]
    return pl.concat(rows).sort(pl.col("n") * -1, "reason")


def segments(study: Study, *, by: str, most: int = 12) -> pl.DataFrame:
    """FCR for each level of a column, the largest levels by themselves and the rest together.

    Returns
    -------
    pl.DataFrame
        The column `by` as text, then the columns of `rates.final_fcr`, `known` (share of all its contacts that name a customer), `too_few` and
        `apart`; shares that rest on too few contacts or customers are blank. Sorted by share, the lowest first, blanks last.
    """
    level = pl.col(by).cast(pl.String).fill_null(NOT_KNOWN)
    named = study.contacts.with_columns(level.alias(by))
    largest = named.group_by(by).len().sort(pl.col("len") * -1, by).head(most)[by]
    lumped = named.with_columns(pl.when(pl.col(by).is_in(largest.implode())).then(by).otherwise(pl.lit(OTHERS)).alias(by))
    covered = lumped.group_by(by).agg(known=pl.col("customer").is_not_null().mean())
    judged = study.rate(lumped, by=by).filter(pl.col("n") + pl.col("pending") > 0).join(covered, on=by, how="left", maintain_order="left")
    return stand_apart(withhold(judged), whole=study.headline["share"]).sort("share", by, nulls_last=True)
