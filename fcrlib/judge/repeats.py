"""How often does the customer come back?"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import polars as pl

from fcrlib.model.errors import UsageError

_TICK = timedelta(microseconds=1)


def repeat_rate(
    contacts: pl.DataFrame,
    *,
    window: timedelta,
    data_end: datetime,
    same: Sequence[str] = ("customer_ref",),
    anchor: str = "last_resolved_at",
) -> pl.DataFrame:
    """Share of resolved contacts after which the same customer opens another contact within the window.

    The window is half-open, (anchor, anchor + window]. Contacts whose window has not closed by the data end, and contacts whose
    customer is unknown, are left out of `n`; an unknown value among the other columns of `same` matches nothing, but stays in `n`.

    Parameters
    ----------
    contacts
        Reads opened_at, the anchor and the columns of `same`.
    window
        How long to look.
    data_end
        When the data stop.
    same
        What makes a later contact count: the first column names the customer, the others (e.g. category) must agree as well.
    anchor
        The instant the window starts from.

    Returns
    -------
    pl.DataFrame
        One row: n (contacts), repeats (contacts), share (0..1; null where n is 0).

    Raises
    ------
    UsageError
        If `same` is empty, the window is negative or the data end has no time zone.

    Examples
    --------
    >>> def day(number): return datetime(2026, 3, number, tzinfo=UTC)
    >>> contacts = pl.DataFrame({
    ...     "customer_ref": ["ann", "ann", "ben", None],
    ...     "opened_at": [day(1), day(4), day(1), day(2)],
    ...     "last_resolved_at": [day(2), day(5), day(2), day(2)],
    ... })
    >>> repeat_rate(contacts, window=timedelta(days=7), data_end=day(31)).rows()
    [(3, 1, 0.3333333333333333)]
    """
    if not same or window < timedelta(0):
        raise UsageError(f"repeats need a customer column and a window that is not negative: same={tuple(same)}, window={window}")
    if data_end.tzinfo is None:
        raise UsageError(f"the data end {data_end:%Y-%m-%d %H:%M} has no time zone: say which, e.g. datetime(2026, 9, 30, tzinfo=UTC)")
    end = data_end.astimezone(UTC)
    index = came_back(contacts, window=window, same=same, anchor=anchor).filter(pl.col(anchor) + window <= end, pl.col(same[0]).is_not_null())
    return index.select(pl.len().cast(pl.Int64).alias("n"), pl.col("came_back").sum().cast(pl.Int64).alias("repeats")).with_columns(
        share=pl.when(pl.col("n") > 0).then(pl.col("repeats") / pl.col("n"))
    )


def came_back(contacts: pl.DataFrame, *, window: timedelta, same: Sequence[str], anchor: str) -> pl.DataFrame:
    """Mark the contacts after whose anchor another one with equal `same` is opened, in (anchor, anchor + window].

    Only the next one has to be looked at, so each contact meets one other and nothing multiplies.

    Returns
    -------
    pl.DataFrame
        The anchored contacts in order of their anchor, with came_back (yes/no, never null).
    """
    whole = pl.all_horizontal(pl.col(name).is_not_null() for name in same)
    openings = contacts.filter(whole).select(*same, pl.col("opened_at").alias("next_at")).sort("next_at")
    # One tick on, because a contact at exactly the anchor runs beside it and does not follow it.
    anchored = contacts.filter(pl.col(anchor).is_not_null()).with_columns(after=pl.col(anchor) + _TICK).sort(anchor, maintain_order=True)
    following = anchored.join_asof(openings, left_on="after", right_on="next_at", by=list(same), strategy="forward", check_sortedness=False)
    soon = (pl.col("next_at") <= pl.col(anchor) + window) & whole
    return following.with_columns(came_back=soon.fill_null(False)).drop("after", "next_at")
