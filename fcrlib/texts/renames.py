"""What does the analyst call this topic?

A name that an analyst gave stays with the topic over refits and periods: under its fingerprint, or because it is the same topic as one that had it.
"""

from __future__ import annotations

import polars as pl

from fcrlib.model.columns import known
from fcrlib.model.topic_names import Names


def renamed(topics: pl.DataFrame, *, names: Names, carried: pl.DataFrame | None = None, before: pl.DataFrame | None = None) -> pl.DataFrame:
    """Give each topic the name an analyst gave it, now or to the same topic of the last period.

    Parameters
    ----------
    topics
        `topic`, `fingerprint`, `label` (the name that was found).
    carried
        The frame of `carried`, and
    before
        the topics of the last period (`topic`, `fingerprint`); without both only the topics' own fingerprints are looked up.

    Returns
    -------
    pl.DataFrame
        The frame with `name` and `named_by`: analyst (under this fingerprint), carried (the same topic of the last period was named so; of two that
        would carry one name, nobody does), found (nobody named it: the label).
    """
    # Of no topics, none is renamed: that is no mistake.
    known(topics if topics.height else topics.clear(1), ["topic", "fingerprint", "label"])
    given = pl.DataFrame(
        {"fingerprint": list(names.known), "given": list(names.known.values())}, schema={"fingerprint": pl.String, "given": pl.String}
    )
    table = topics.join(given, on="fingerprint", how="left", maintain_order="left")
    if carried is None or before is None:
        table = table.with_columns(passed=pl.lit(None, pl.String))
    else:
        same = carried.filter(pl.col("kind") == "same").select("topic", was=pl.col("of").list.first())
        old = before.select(was="topic", fingerprint="fingerprint").join(given, on="fingerprint").select("was", passed="given")
        table = table.join(same.join(old, on="was").select("topic", "passed"), on="topic", how="left", maintain_order="left")
    passed = pl.when(~pl.col("passed").is_duplicated() & ~pl.col("passed").is_in(pl.col("given").drop_nulls().implode())).then("passed")
    by = pl.when(pl.col("given").is_not_null()).then(pl.lit("analyst")).when(passed.is_not_null()).then(pl.lit("carried")).otherwise(pl.lit("found"))
    return table.with_columns(name=pl.coalesce("given", passed, "label"), named_by=by).drop("given", "passed")


def kept(names: Names, *, renamed: pl.DataFrame) -> Names:
    """The names with those that were carried, under their new fingerprints, to be written before the next period; none is dropped.

    Parameters
    ----------
    renamed
        The frame of `renamed`.
    """
    moved = renamed.filter(pl.col("named_by") == "carried")
    return Names.of({**names.known, **dict(zip(moved["fingerprint"], moved["name"], strict=True))})
