"""Which label does a contact get? The lines of the definition, read from the top; the first that holds decides."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import polars as pl

from fcrlib.model.policy import Policy

LABELS = ("excluded", "repeat", "failed", "pending", "resolved")


def verdict(policy: Policy, *, data_end: datetime, because: pl.Expr) -> list[pl.Expr]:
    """One `label` per contact, and the `reason` for it.

    Parameters
    ----------
    because
        Why a failed contact failed first.

    Returns
    -------
    list[pl.Expr]
        Over columns `excluded` (reason or null), `start_at`, `anchor_at`, `horizon_at`, `failed_at` (instants or null), `duplicate`, `chain`
        (of what it is another submission, or a repeat; null for a first contact), `no_answer`, `auto_closed`, `undecided_at`, `yes_at`.
    """
    failed, is_open = pl.col("failed_at").is_not_null(), pl.col("anchor_at").is_null()
    before_anchor = failed & (pl.col("failed_at") < pl.col("anchor_at"))
    window_open = pl.lit(data_end).dt.convert_time_zone("UTC") < pl.col("horizon_at")
    lines: list[tuple[pl.Expr, str, pl.Expr]] = [
        (pl.col("excluded").is_not_null(), "excluded", pl.col("excluded")),
        (pl.col("start_at") > data_end, "pending", pl.lit("not_started")),
        (pl.col("duplicate").is_not_null(), "excluded", pl.lit("duplicate_submission")),
        (pl.col("chain").is_not_null() & (policy.unit == "issue"), "repeat", pl.lit(None)),
        (is_open & (policy.while_open == "wait"), "pending", pl.lit("open")),
        (before_anchor, "failed", because),
        (pl.col("no_answer") & (policy.zero_touch == "exclude"), "excluded", pl.lit("no_response")),
        (pl.col("auto_closed") & (policy.auto_close == "exclude"), "excluded", pl.lit("auto_closed")),
        (failed, "failed", because),
        (is_open, "pending", pl.lit("open")),
        (pl.col("yes_at").is_not_null() & (policy.survey == "decides"), "resolved", pl.lit(None)),
        (pl.col("undecided_at").is_not_null(), "pending", pl.lit("open")),
        (window_open, "pending", pl.lit("window")),
        (pl.lit(policy.survey == "decides"), "excluded", pl.lit("no_answer")),
    ]
    label: Any = pl.when(False).then(pl.lit(""))
    reason: Any = pl.when(False).then(pl.lit(""))
    for holds, word, why in lines:
        label, reason = label.when(holds).then(pl.lit(word)), reason.when(holds).then(why)
    return [label.otherwise(pl.lit("resolved")).cast(pl.Enum(LABELS)).alias("label"), reason.otherwise(None).alias("reason")]
