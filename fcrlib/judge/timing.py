"""Was a rating given while nothing spoke against the contact yet?

A rating that came before the failure cannot have been lowered by it; it may still foretell it.
"""

from __future__ import annotations

import polars as pl

BEFORE, AFTER, UNTIMED = "before any repeat", "after the window or a repeat", "time unknown"


def when_rated() -> pl.Expr:
    """When the rating of a contact was given: `BEFORE`, `AFTER` or `UNTIMED`; null where there is no rating.

    Reads `label`, `failed_at`, `horizon_at` (end of the window), `csat`, `answered_at` and `untimed` (yes/no).

    Examples
    --------
    >>> from datetime import datetime
    >>> days = {name: [datetime(2026, 7, day)] for name, day in (("answered_at", 5), ("failed_at", 3), ("horizon_at", 8))}
    >>> pl.DataFrame({"label": ["failed"], "csat": [0.5], "untimed": [False], **days}).select(when_rated())["timing"].to_list()
    ['after the window or a repeat']
    """
    late = (
        pl.when(pl.col("label") == "failed")
        .then(pl.col("answered_at") >= pl.col("failed_at"))
        .otherwise(pl.col("answered_at") > pl.col("horizon_at"))
    )
    told = pl.when("untimed").then(pl.lit(UNTIMED)).when(late.fill_null(False)).then(pl.lit(AFTER)).otherwise(pl.lit(BEFORE))
    return pl.when(pl.col("csat").is_not_null()).then(told).alias("timing")
