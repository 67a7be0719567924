"""What do the words around a failed contact say about why it failed?

Three voices are read: internal notes and what agents wrote in public before the failure, and the customer after the opening message, which
includes the opening of the contact that came back. The opening of the failed contact itself is not read: it says what was asked.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import timedelta

import polars as pl

from fcrlib.model.columns import KEY, named
from fcrlib.model.desk import Desk
from fcrlib.model.taxonomy import Taxonomy

LONGEST = 4_000
_A_WHILE = timedelta(days=1)  # a reopening is often explained a few minutes after it happened
_AT_ONCE = timedelta(minutes=1)  # the opening of a contact and its first message are not always the same instant


def words(desk: Desk, outcomes: pl.DataFrame) -> pl.DataFrame:
    """What was written around each failed contact, by voice.

    Parameters
    ----------
    desk
        `contacts` and `events` are read.
    outcomes
        Every contact of the desk with its label: those that came back are found by their `issue`.

    Returns
    -------
    pl.DataFrame
        `source`, `contact_id`, `voice` (customer, agent, note), `text`: small letters, at most 4,000 of them; sorted.
    """
    said = heard(desk, outcomes)
    text = pl.col("text").str.slice(0, LONGEST).str.to_lowercase().str.replace_all("[’‘`´]", "'")
    joined = said.with_columns(text).group_by(*KEY, "voice", maintain_order=True).agg(pl.col("text").str.join(" \n "))
    return joined.with_columns(pl.col("text").str.slice(0, LONGEST))


def heard(desk: Desk, outcomes: pl.DataFrame) -> pl.DataFrame:
    """What was written around each failed contact, as it was written: `source`, `contact_id`, `voice`, `text`, one row each.

    Sorted; of a customer's words those that opened the contact that came back stand first.
    """
    failed = outcomes.filter(pl.col("label") == "failed").select(*KEY, "anchor_at", "failed_at", "issue")
    said = pl.concat([_own(desk, failed), _came_back(desk, outcomes, failed=failed)])
    return said.sort(*KEY, "voice", "place", maintain_order=True).drop("place")


def matches(told: pl.DataFrame, *, taxonomy: Taxonomy) -> pl.DataFrame:
    """Hold the phrases of a taxonomy against the words.

    Parameters
    ----------
    told
        The frame of `words`.

    Returns
    -------
    pl.DataFrame
        One row per contact and phrase that was found: `source`, `contact_id`, `mode`, `weight`, `said` (whose word and what it amounts to).
    """
    by_voice = {"any": told, **{voice: told.filter(pl.col("voice") == voice) for voice in ("customer", "agent", "note")}}
    empty = told.clear().select(*KEY, mode=pl.lit("", pl.String), weight=pl.lit(0.0), said=pl.lit("", pl.String))
    return pl.concat([empty, *_found(by_voice, taxonomy)])


def says(text: pl.Expr, patterns: Sequence[str]) -> pl.Expr:
    """Does one of the patterns stand in the text?

    Examples
    --------
    >>> pl.select(said=says(pl.lit("this is too late"), ["too late", "zu spät"])).item()
    True
    """
    # Each on its own: joined to one pattern, many of them outgrow the memory that makes the search fast.
    return pl.any_horizontal(text.str.contains(pattern) for pattern in patterns)


def _found(by_voice: dict[str, pl.DataFrame], taxonomy: Taxonomy) -> Iterator[pl.DataFrame]:
    for mode in taxonomy.modes:
        for phrase in mode.phrases:
            hits = by_voice[phrase.voice].filter(says(pl.col("text"), phrase.patterns))
            said = pl.concat_str("voice", pl.lit(f": {phrase.says}"))
            yield hits.select(*KEY, mode=pl.lit(mode.slug), weight=pl.lit(phrase.weight), said=said)


def _own(desk: Desk, failed: pl.DataFrame) -> pl.DataFrame:
    """What was written in the failed contact itself."""
    columns = ("seq", "at", "kind", "actor", "public", "is_auto", "is_ack", "text")
    spoken = desk.events.select(*KEY, *columns).filter(pl.col("kind").is_in(["message", "note"]) & pl.col("text").is_not_null())
    spoken = spoken.join(failed, on=KEY, how="inner", maintain_order="left").sort(*KEY, "at", "seq")
    customer = (pl.col("kind") == "message") & (pl.col("actor") == "customer")
    agent = (pl.col("kind") == "message") & pl.col("actor").is_in(["agent", "bot"]) & pl.col("public") & ~pl.col("is_auto")
    note = (pl.col("kind") == "note") | ((pl.col("kind") == "message") & ~pl.col("public") & (pl.col("actor") == "agent"))
    spoken = spoken.with_columns(
        voice=pl.when(customer).then(pl.lit("customer")).when(note).then(pl.lit("note")).when(agent).then(pl.lit("agent")),
        opening=customer & (customer.cast(pl.Int64).cum_sum().over(KEY) == 1),
    )
    until = pl.max_horizontal("anchor_at", "failed_at")
    in_time = pl.when(customer).then(pl.col("at") <= pl.col("failed_at") + _A_WHILE).otherwise(pl.col("at") <= until)
    heard = spoken.filter(pl.col("voice").is_not_null() & ~pl.col("opening") & in_time & ~(customer & pl.col("is_ack").fill_null(False)))
    return heard.select(*KEY, "voice", "text", place=pl.lit(1))


def _came_back(desk: Desk, outcomes: pl.DataFrame, *, failed: pl.DataFrame) -> pl.DataFrame:
    """The opening of the first contact that came back about the same issue, or was merged into it."""
    texts = desk.contacts.select(*KEY, "opened_at", "merged_into", said=pl.concat_str("subject", "body", separator=" \n ", ignore_nulls=True))
    later = outcomes.select(*KEY, "label", "issue").join(texts, on=KEY, how="inner", maintain_order="left")
    followed = later.filter(pl.col("label") == "repeat").select("issue", "opened_at", "said")
    merged = later.filter(pl.col("merged_into").is_not_null()).select(named("merged_into").alias("issue"), "opened_at", "said")
    again = failed.select(*KEY, "issue", "failed_at").join(pl.concat([followed, merged]), on="issue", how="inner")
    # What came in before the failure is the request sent twice, which is no return.
    returned = again.filter((pl.col("opened_at") >= pl.col("failed_at") - _AT_ONCE) & (pl.col("said").str.len_chars() > 0))
    first = returned.sort(*KEY, "opened_at", "said").unique(KEY, keep="first", maintain_order=True)
    return first.select(*KEY, voice=pl.lit("customer"), text="said", place=pl.lit(0))
