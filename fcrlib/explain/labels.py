"""Do the labels of the channels speak one language, and how many repeats are lost where they do not?

The judge compares categories exactly. A customer who writes about `Billing` and calls about `billing` has come back about the
same thing for every person who looks, and about something else for the judge.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import polars as pl

from fcrlib.judge.rates import rate, withhold
from fcrlib.link import categories

if TYPE_CHECKING:
    from fcrlib.study import Study

WINDOW = timedelta(days=7)
LARGE, ALMOST, MAIN = 50, 0.95, 0.8
_TICK = timedelta(microseconds=1)


def alike(study: Study, *, column: str = "category") -> pl.DataFrame:
    """Pairs of labels that look like one, and the repeats that the judge cannot see between them.

    Returns
    -------
    pl.DataFrame
        The columns of `categories.alike`, and `lost`: resolved contacts of the period whose customer came back within 7 days under
        the other label of the pair and not under the same one. Where several variants of a label are involved, a repeat
        counts for the variant it starts from.
    """
    pairs = categories.alike(study.contacts, column=column)
    counts = _lost(study, pairs, column=column)
    table = pairs.join(counts, on="variant", how="left", maintain_order="left")
    return table.with_columns(pl.col("lost").fill_null(0)).sort(pl.col("lost") * -1, pl.col("variant_n") * -1, "variant", "label")


def extent(study: Study, *, column: str = "category") -> tuple[int, int]:
    """How many labels were compared, and how many the period has."""
    return categories.extent(study.contacts, column=column)


def one_channel(study: Study, *, column: str = "category") -> pl.DataFrame:
    """Large labels that are used (almost) only on one channel: a repeat on another channel can never carry them.

    Returns
    -------
    pl.DataFrame
        The column, `n` contacts, the `channel` that holds most of them, `share`, `low`, `high` (of the label's contacts that are on this
        channel) and `usual` (the channel's share of all labelled contacts). At least 50 contacts, at least 95 % on
        one channel that holds less than 80 % of everything, and clearly more than is usual for it; the largest first.
    """
    known = study.contacts.filter(pl.col(column).is_not_null()).with_columns(pl.col("channel").cast(pl.String))
    usual = known.group_by("channel").agg(usual=pl.len() / max(1, known.height))
    cells = known.group_by(column, "channel").len().sort(pl.col("len") * -1, column, "channel")
    main = cells.unique(column, keep="first", maintain_order=True).select(column, "channel").join(usual, on="channel")
    placed = known.join(main.select(column, main="channel"), on=column)
    shares = rate(placed, pl.col("channel") == pl.col("main"), by=column, cluster="customer")
    telling = (pl.col("n") >= LARGE) & (pl.col("share") >= ALMOST) & (pl.col("usual") < MAIN) & (pl.col("low") > pl.col("usual"))
    table = main.join(shares, on=column).filter(telling)
    return table.select(column, pl.col("n").cast(pl.Int64), "channel", "share", "low", "high", "usual").sort(pl.col("n") * -1, column)


def crossings(study: Study, *, column: str = "category") -> pl.DataFrame:
    """When a customer comes back within 7 days of the resolution, does the next contact carry the same label?

    Returns
    -------
    pl.DataFrame
        `way` (`on the same channel`, `on another channel`), then the columns of `rates.rate` for "the label is the same", and `too_few`. The next
        contact is the first one after the resolution, whatever it is about; pairs in which a label is not known are left out.
    """
    here = study.contacts.filter(pl.col("label") != "excluded")
    pairs = _next(here, _openings(study, column), by=["customer"], window=WINDOW)
    way = pl.when(pl.col("channel") == pl.col("next_channel")).then(pl.lit("on the same channel")).otherwise(pl.lit("on another channel"))
    agree = rate(pairs.with_columns(way=way), pl.col(column) == pl.col("next_label"), by="way", cluster="customer")
    return withhold(agree).sort("way", descending=True)


def _openings(study: Study, column: str) -> pl.DataFrame:
    """Every contact of the desk that can be a come-back, with its label."""
    counted = study.everything.filter((pl.col("label") != "excluded") & pl.col("customer").is_not_null())
    return counted.select("customer", next_at="start_at", next_label=column, next_channel="channel").sort("next_at")


def _next(anchored: pl.DataFrame, openings: pl.DataFrame, *, by: list[str], window: timedelta) -> pl.DataFrame:
    """Contacts after whose resolution the next opening of the same `by` comes in time, with that opening's columns."""
    known = anchored.filter(pl.all_horizontal(pl.col(name).is_not_null() for name in [*by, "anchor_at"]))
    # One tick on, because a contact at exactly the anchor runs beside it and does not follow it.
    after = known.with_columns(after=pl.col("anchor_at") + _TICK).sort("after")
    met = after.join_asof(openings, left_on="after", right_on="next_at", by=by, strategy="forward", check_sortedness=False)
    return met.filter(pl.col("next_at") <= pl.col("anchor_at") + window)


def _lost(study: Study, pairs: pl.DataFrame, *, column: str) -> pl.DataFrame:
    """Repeats between two labels of one meaning: `variant`, `lost`."""
    if pairs.is_empty():
        return pl.DataFrame(schema={"variant": pl.String, "lost": pl.Int64})
    heads = categories.heads(pairs)
    concerned = [*heads, *heads.values()]
    here = study.contacts.filter(pl.col(column).is_in(concerned) & (pl.col("label") != "excluded"))
    named = here.select("source", "contact_id", "customer", "anchor_at", own=column, head=pl.col(column).replace(heads))
    openings = _openings(study, column).filter(pl.col("next_label").is_in(concerned)).with_columns(head=pl.col("next_label").replace(heads))
    seen = _next(named, openings.with_columns(own="next_label"), by=["customer", "own"], window=WINDOW)
    met = _next(named, openings, by=["customer", "head"], window=WINDOW)
    missed = met.join(seen, on=["source", "contact_id"], how="anti").with_columns(
        variant=pl.when(pl.col("own").is_in(list(heads))).then("own").otherwise("next_label")
    )
    return missed.group_by("variant").agg(lost=pl.len().cast(pl.Int64))
