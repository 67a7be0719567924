"""What would a helpdesk have promised about the contacts of the invented desk?

An answer in eight hours, and a resolution in a time that hangs on the priority; as a rule nothing about a call.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

import polars as pl

from fcrlib.intake.canonical.promises import kept

ANSWERED = 8 * 3600
"""Seconds in which the first answer is promised."""
_HOURS = {"urgent": 4, "high": 8, "normal": 24, "low": 72}
_SOLVED = pl.col("first_resolved_at")


def promised(contacts: pl.DataFrame, *, data_end: datetime, without: Sequence[str] = ("phone",)) -> pl.DataFrame:
    """Contacts with `due_at`, null for channels `without` a promise, and with `vendor_sla_met` as a helpdesk says it that knows both promises."""
    hours = pl.col("priority").replace_strict(_HOURS, default=None, return_dtype=pl.Int64)
    known = contacts.with_columns(
        due_at=pl.when(~pl.col("channel").cast(pl.String).is_in(without)).then(pl.col("opened_at") + pl.duration(hours=hours))
    )
    broken = pl.any_horizontal(late(data_end).fill_null(False), late_answer().fill_null(False))
    told = pl.when(pl.col("due_at").is_not_null()).then(broken)
    return known.with_columns(vendor_sla_met=kept(broken=told, running=_SOLVED.is_null(), over=pl.lit(False)))


def hours() -> pl.Expr:
    """How many hours were promised."""
    return (pl.col("due_at") - pl.col("opened_at")).dt.total_hours()


def late(data_end: datetime) -> pl.Expr:
    """Was it not resolved when it was due? Null where nothing was promised."""
    return pl.when(pl.col("due_at").is_not_null()).then((_SOLVED.fill_null(data_end) > pl.col("due_at")).fill_null(False))


def late_answer() -> pl.Expr:
    """Was the first answer late? Null where none was promised or nobody answered."""
    return pl.when(pl.col("due_at").is_not_null()).then(pl.col("wait_seconds") > ANSWERED)
