"""Which contacts of a period, and of the one before, can be held against each other?

Only final verdicts are: near the end of the data failures are known and resolutions are not, which would look like a change. Weeks are
counted from the first day of each period, so that none is cut by its start and none lies in both; what is left over at its end belongs to the last.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import polars as pl

from fcrlib.judge.rates import mature
from fcrlib.model.columns import KEY, known
from fcrlib.model.period import Period

DIMENSIONS = ("channel", "category", "product_area", "tier", "language", "priority")
"""What a contact brings along: known before anybody has worked on it."""
CLUSTERS = ("agent", "week", "customer")
_DAY = 86_400_000_000


@dataclass(frozen=True, slots=True)
class Sides:
    """Contacts with a final verdict, one row each.

    Parameters
    ----------
    frame
        `source`, `contact_id`, `start_at`, `customer`, `agent`, `week` (number of the week, no number in both periods), `failed`, `later` (false in the
        earlier period), and the columns `dims` as text, null where not known.
    dims
        The dimensions by which places are told apart.
    later, earlier
        The two periods; without an earlier one every row is `later`.
    notes
        What a reader has to know of what was left out, in sentences.
    """

    frame: pl.DataFrame
    dims: tuple[str, ...]
    later: Period
    earlier: Period | None
    notes: tuple[str, ...] = ()

    @property
    def now(self) -> pl.DataFrame:
        """The contacts of the later period."""
        return self.frame.filter("later")

    def beside(self, *frames: pl.DataFrame) -> Sides:
        """The same sides with more columns, joined by source and contact id.

        Raises
        ------
        UsageError
            If a frame does not name its contacts.
        """
        wider = self.frame
        for frame in frames:
            known(frame, KEY)
            wider = wider.join(frame, on=KEY, how="left", maintain_order="left")
        return replace(self, frame=wider)


def sides(judged: pl.DataFrame, *, later: Period, earlier: Period | None = None, dims: Sequence[str] = DIMENSIONS, time_zone: str = "UTC") -> Sides:
    """Put the contacts of one or two periods side by side.

    Parameters
    ----------
    judged
        Contacts with their outcomes: `label`, `reason`, `anchor_at`, `horizon_at`, `data_end`, `start_at`, `customer`, `first_agent`,
        `left_truncated` and `dims`.
    dims
        Columns by which places are told apart; those that the contacts never fill are passed over, with a note.

    Returns
    -------
    Sides
        Rows in the order of `judged`.

    Raises
    ------
    UsageError
        For columns that are not there.
    """
    known(judged, [*KEY, "start_at", "customer", "first_agent", "left_truncated", *dims])
    within = later.covers(pl.col("start_at"), time_zone=time_zone)
    before = earlier.covers(pl.col("start_at"), time_zone=time_zone) if earlier else pl.lit(value=False)
    asked = judged.filter(within | before)
    final = mature(asked).with_columns(later=later.covers(pl.col("start_at"), time_zone=time_zone))
    filled = tuple(dim for dim in dims if final[dim].null_count() < final.height)
    frame = final.select(
        *KEY,
        "start_at",
        "customer",
        agent="first_agent",
        week=_week(final, later=later, earlier=earlier, time_zone=time_zone),
        failed=pl.col("label") == "failed",
        later="later",
        **{dim: pl.col(dim).cast(pl.String) for dim in filled},
    )
    return Sides(frame, filled, later, earlier, tuple(_notes(asked, final, blank=[dim for dim in dims if dim not in filled])))


def _week(final: pl.DataFrame, *, later: Period, earlier: Period | None, time_zone: str) -> pl.Expr:
    """Weeks from the first day of each period; days that are left over, also because the data ends, belong to the last whole one."""

    def numbered(period: Period, side: pl.Expr) -> pl.Expr:
        first = pl.lit(period.bounds(time_zone=time_zone)[0]).dt.convert_time_zone("UTC").dt.cast_time_unit("us")
        since = (pl.col("start_at").dt.cast_time_unit("us") - first).dt.total_microseconds()
        reached = final.filter(side).select((since.max() + _DAY) // (7 * _DAY)).item() or 1
        return (since // (7 * _DAY)).clip(0, max(reached - 1, 0))

    now = numbered(later, pl.col("later")) + (earlier.days // 7 + 1 if earlier else 0)
    return pl.when("later").then(now).otherwise(numbered(earlier, ~pl.col("later"))) if earlier else now


def _notes(asked: pl.DataFrame, final: pl.DataFrame, *, blank: list[str]) -> list[str]:
    counted = asked.filter(pl.col("label").is_in(["resolved", "failed", "pending"]))
    open_ = counted.height - final.height
    notes = [f"{open_:,} of {counted.height:,} first contacts have no final verdict yet and are left out."] if open_ else []
    edge = 0 if final.is_empty() else int(final.select((~pl.col("later") & pl.col("left_truncated")).sum()).item())
    notes += [f"{edge:,} first contacts of the earlier period lie so close to the start of the data that they may be repeats."] if edge else []
    return notes + ([f"This desk does not record {', '.join(name.replace('_', ' ') for name in blank)}."] if blank else [])
