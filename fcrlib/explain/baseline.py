"""How often is an issue resolved on first contact, for whom, and when does it fail?"""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from fcrlib.judge.rates import fcr, mature, rate, stand_apart, withhold
from fcrlib.judge.repeats import repeat_rate

if TYPE_CHECKING:
    from fcrlib.study import Study

NOT_KNOWN, OTHERS = "(not known)", "(all others)"
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
        The column `by` as text, then the columns of `rates.fcr`, `too_few` and `apart`; shares that rest on too few contacts
        or customers are blank. Sorted by share, the lowest first, blanks last.
    """
    level = pl.col(by).cast(pl.String).fill_null(NOT_KNOWN)
    named = study.contacts.with_columns(level.alias(by))
    largest = named.group_by(by).len().sort(pl.col("len") * -1, by).head(most)[by]
    lumped = named.with_columns(pl.when(pl.col(by).is_in(largest.implode())).then(by).otherwise(pl.lit(OTHERS)).alias(by))
    judged = fcr(lumped, by=by).filter(pl.col("n") + pl.col("pending") > 0)
    return stand_apart(withhold(judged), whole=study.headline["share"]).sort("share", by, nulls_last=True)


def weekly(study: Study) -> pl.DataFrame:
    """FCR week by week over the whole desk, of contacts whose verdict is final.

    Returns
    -------
    pl.DataFrame
        `week` (its Monday), `n`, `clusters`, `share`, `low`, `high`, `deff`, `hollow`: true where more than a twentieth of
        the week's contacts is not final yet or the data begins or ends inside the week. Weeks below 30 contacts are left out.
    """
    week = pl.col("start_at").dt.convert_time_zone(study.time_zone).dt.truncate("1w").dt.date().alias("week")
    index = study.everything.filter(pl.col("label").is_in(["resolved", "failed", "pending"])).with_columns(week)
    final = rate(mature(index), pl.col("label") == "resolved", by="week", cluster="customer")
    sizes = index.group_by("week").agg(everyone=pl.len())
    first, last = study.desk.manifest.data_start.date(), study.desk.manifest.data_end.date()
    partial = (pl.col("week") < first) | (pl.col("week").dt.offset_by("6d") > last)
    hollow = (pl.col("n") < 0.95 * pl.col("everyone")) | partial
    weeks = final.join(sizes, on="week", how="left", maintain_order="left").with_columns(hollow=hollow)
    return weeks.filter(pl.col("n") >= 30).drop("everyone")


def definitions(study: Study) -> pl.DataFrame:
    """FCR of the period under many definitions: `rule`, `window`, `share`, `n`, `house` and the other columns of the grid."""
    return study.definitions()


def comebacks(study: Study) -> pl.DataFrame:
    """How often customers open another contact after a resolution, whatever it is about and whichever definition holds.

    Returns
    -------
    pl.DataFrame
        `window`, `about` (anything, the same category), `n`, `repeats`, `share`; one row per window and question.
    """
    from datetime import timedelta

    from fcrlib.model.policy import in_words

    questions = {"anything": ("customer_ref",), "the same category": ("customer_ref", "category")}
    rows = [
        repeat_rate(study.desk.contacts, window=timedelta(days=days), data_end=study.desk.manifest.data_end, same=same).select(
            pl.lit(in_words(timedelta(days=days))).alias("window"), pl.lit(about).alias("about"), "n", "repeats", "share"
        )
        for days in (1, 2, 7, 30)
        for about, same in questions.items()
    ]
    return pl.concat(rows)
