"""How often does the customer come back?"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import polars as pl

from fcrlib.judge.rates import rate
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
    following = next_contact(contacts, same=same, anchor=anchor)
    soon = pl.col("next_at") <= pl.col(anchor) + window
    return following.with_columns(came_back=soon.fill_null(False)).drop("next_at")


def next_contact(contacts: pl.DataFrame, *, same: Sequence[str], anchor: str, among: pl.DataFrame | None = None) -> pl.DataFrame:
    """Find the first contact with equal `same` that is opened after each contact's anchor.

    Parameters
    ----------
    contacts
        Reads the anchor and the columns of `same`.
    same
        What the two must share; an unknown value matches nothing.
    among
        Where to look for the later contact: reads `opened_at` and the columns of `same`; the contacts themselves by default.

    Returns
    -------
    pl.DataFrame
        The anchored contacts in order of their anchor, with next_at (null where nothing follows).
    """
    whole = pl.all_horizontal(pl.col(name).is_not_null() for name in same)
    there = contacts if among is None else among
    openings = there.filter(whole).select(*same, pl.col("opened_at").alias("next_at")).sort("next_at")
    # One tick on, because a contact at exactly the anchor runs beside it and does not follow it.
    anchored = contacts.filter(pl.col(anchor).is_not_null()).with_columns(after=pl.col(anchor) + _TICK).sort(anchor, maintain_order=True)
    following = anchored.join_asof(openings, left_on="after", right_on="next_at", by=list(same), strategy="forward", check_sortedness=False)
    return following.with_columns(next_at=pl.when(whole).then("next_at")).drop("after")


def excess(
    contacts: pl.DataFrame,
    *,
    window: timedelta,
    data_end: datetime,
    after: timedelta = timedelta(days=28),
    same: Sequence[str] = ("customer_ref",),
    anchor: str = "last_resolved_at",
    cluster: str | None = None,
    among: pl.DataFrame | None = None,
) -> pl.DataFrame:
    """How many come back within the window, beyond those who come back in any window of that length?

    The same contacts are asked twice: right after the resolution, and in a window of equal length that starts `after` later,
    when the issue can hardly still be the reason. The excess is a lower bound of what the first contact left undone: some
    customers of the later window do come back about it.

    Parameters
    ----------
    contacts
        Reads opened_at, the anchor and the columns of `same`. Contacts whose later window has not closed by the data end, and
        those whose customer is unknown, are left out.
    after
        Start of the later window, counted from the anchor.
    same
        What makes a later contact count: the first column names the customer.
    cluster
        Column whose rows belong together; the customer by default.
    among
        Where to look for later contacts, if not among the contacts themselves.

    Returns
    -------
    pl.DataFrame
        One row: `n` (contacts), `customers`, `raw` (share that came back in the window), `raw_low`, `raw_high`, `placebo` (share in
        the later window), `placebo_low`, `placebo_high`, `excess` = raw - placebo, `excess_low`, `excess_high`; all intervals 95 %
        and by customer, that of the excess from the difference of each contact's two answers. Null where `n` is 0.

    Raises
    ------
    UsageError
        If `same` is empty, a span is negative, the windows overlap or the data end has no time zone.

    References
    ----------
    Lipsitch, Tchetgen Tchetgen and Cohen (2010), Epidemiology 21, 383-388 (negative controls).

    Examples
    --------
    >>> def day(number): return datetime(2026, 3, 1, tzinfo=UTC) + timedelta(days=number)
    >>> contacts = pl.DataFrame({
    ...     "customer_ref": ["ann", "ann", "ben", "ben"],
    ...     "opened_at": [day(0), day(3), day(0), day(70)],
    ...     "last_resolved_at": [day(1), day(60), day(1), day(80)],
    ... })
    >>> excess(contacts, window=timedelta(days=7), data_end=day(90)).select("n", "raw", "placebo", "excess").row(0)
    (2, 0.5, 0.0, 0.5)
    """
    _check_spans(same, window=window, after=after, data_end=data_end)
    end, member = data_end.astimezone(UTC), cluster or same[0]
    asked = contacts.filter(pl.col(same[0]).is_not_null(), pl.col(anchor) + after + window <= end)
    asked = asked.select(*dict.fromkeys([*same, member]), pl.col(anchor).alias("_now"), (pl.col(anchor) + after).alias("_later")).with_row_index(
        "_row"
    )
    there = contacts if among is None else among
    answers = [
        next_contact(asked, same=same, anchor=start, among=there).select("_row", back=(pl.col("next_at") <= pl.col(start) + window).fill_null(False))
        for start in ("_now", "_later")
    ]
    both = (
        asked.select("_row", pl.col(member))
        .join(answers[0].rename({"back": "raw"}), on="_row")
        .join(answers[1].rename({"back": "placebo"}), on="_row")
    )
    raw, placebo = (
        rate(both, pl.col(name), cluster=member).select("n", "clusters", **{name: "share", f"{name}_low": "low", f"{name}_high": "high"})
        for name in ("raw", "placebo")
    )
    counts = pl.col("n").cast(pl.Int64), pl.col("clusters").cast(pl.Int64).alias("customers")
    return raw.select(*counts, pl.exclude("n", "clusters")).hstack(placebo.drop("n", "clusters")).hstack(_paired(both, member=member)).fill_nan(None)


def _check_spans(same: Sequence[str], *, window: timedelta, after: timedelta, data_end: datetime) -> None:
    problems = [] if same else ["`same` names no column: at least the customer's is needed"]
    problems += [f"the window of {window} is negative"] if window < timedelta(0) else []
    problems += [f"the later window starts after {after}, inside the first one of {window}: start it later"] if after < window else []
    problems += [f"the data end {data_end:%Y-%m-%d %H:%M} has no time zone: say which"] if data_end.tzinfo is None else []
    if problems:
        raise UsageError("the excess over a later window cannot be measured:", problems)


def _paired(both: pl.DataFrame, *, member: str) -> pl.DataFrame:
    """Mean difference of each contact's two answers, with an interval by cluster."""
    from scipy.special import stdtrit

    gap = both.select(member, gap=pl.col("raw").cast(pl.Float64) - pl.col("placebo").cast(pl.Float64))
    mean = pl.col("gap").mean()
    sums = gap.with_columns(off=pl.col("gap") - mean).group_by(member).agg(pl.col("off").sum())
    groups = sums.height
    reach = float(stdtrit(groups - 1, 0.975)) * (groups / (groups - 1)) ** 0.5 if groups > 1 else None
    spread = pl.lit(sums.select((pl.col("off") ** 2).sum().sqrt()).item(), pl.Float64) / pl.len() * pl.lit(reach, pl.Float64)
    return gap.select(excess=mean, excess_low=mean - spread, excess_high=mean + spread)


def redials(contacts: pl.DataFrame, *, within: timedelta = timedelta(minutes=10), same: Sequence[str] = ("customer_ref",)) -> pl.DataFrame:
    """How often does a customer who gave up waiting try again at once, on any channel?

    Parameters
    ----------
    contacts
        Reads is_abandoned, channel, opened_at, closed_at and the columns of `same`; abandoned contacts whose customer is unknown
        are left out.
    within
        How soon: after the opening of the abandoned contact, or after its close.

    Returns
    -------
    pl.DataFrame
        One row per channel that has abandoned contacts, sorted: `channel`, `abandoned` (contacts), `redialled` (of them followed
        by another contact), `share`, `low`, `high` (95 %, by customer).

    Examples
    --------
    >>> def minute(number): return datetime(2026, 3, 1, 9, number, tzinfo=UTC)
    >>> contacts = pl.DataFrame({
    ...     "customer_ref": ["ann", "ann", "ben"], "channel": ["phone", "chat", "phone"], "is_abandoned": [True, False, True],
    ...     "opened_at": [minute(0), minute(5), minute(1)], "closed_at": [minute(2), minute(20), minute(3)],
    ... })
    >>> redials(contacts).select("channel", "abandoned", "redialled", "share").rows()
    [('phone', 2, 1, 0.5)]
    """
    gave_up = contacts.filter("is_abandoned", pl.all_horizontal(pl.col(name).is_not_null() for name in same))
    gave_up = gave_up.select(*same, pl.col("channel").cast(pl.String), "opened_at", "closed_at")
    next_one = next_contact(gave_up, same=same, anchor="opened_at", among=contacts).with_columns(_ended=pl.coalesce("closed_at", "opened_at"))
    later = next_contact(next_one.rename({"next_at": "_first"}), same=same, anchor="_ended", among=contacts)
    again = (pl.col("_first") <= pl.col("opened_at") + within) | (pl.col("next_at") <= pl.col("_ended") + within)
    shares = rate(later.with_columns(_again=again.fill_null(False)), pl.col("_again"), by="channel", cluster=same[0])
    redialled = (pl.col("share") * pl.col("n")).round().cast(pl.Int64)
    return shares.select("channel", pl.col("n").cast(pl.Int64).alias("abandoned"), redialled.alias("redialled"), "share", "low", "high")
