"""Which topic is every first contact about, in both periods at once?

One fit holds the openings of the period and of the one before: two fits cannot be compared topic by topic, one can.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import polars as pl

from fcrlib.judge.rates import is_final
from fcrlib.model.columns import KEY
from fcrlib.model.desk import Desk

SURE, NONE = "sure", "none"
TOPICS: dict[str, Any] = {
    "topic": pl.Int32, "distinct": pl.Int64, "label": pl.String, "phrases": pl.List(pl.String), "stability": pl.Float64, "stable": pl.Boolean,
    "fingerprint": pl.String, "quote": pl.String, "n": pl.Int64, "sure": pl.Float64,
}  # fmt: skip


@dataclass(frozen=True, eq=False)
class Reading:
    """The openings of a study's first contacts, in topics.

    Parameters
    ----------
    texts
        The frame of `texts.openings.openings`: the first contacts of both periods.
    documents
        `source`, `contact_id`, `topic` (null: none), `confidence`, `level`; a copy has the topic of the text it is a copy of.
    topics
        `topic`, `n`, `distinct`, `sure`, `label`, `phrases`, `stability`, `stable`, `fingerprint`, counted over all contacts, with `quote`: the opening nearest to the middle of the topic. Empty where there
        are too few texts.
    first
        The judged first contacts with the columns of `documents`, `later` (false in the earlier period), `failed`, `resolved`, `reopened`.
    model
        The model; None where there are too few texts.
    notes
        Why something is not there, in sentences.
    """

    texts: pl.DataFrame
    documents: pl.DataFrame
    topics: pl.DataFrame
    first: pl.DataFrame
    model: Any
    notes: tuple[str, ...] = ()

    @property
    def now(self) -> pl.DataFrame:
        """The contacts of the period itself whose verdict is final."""
        return self.first.filter(pl.col("later") & pl.col("final"))


def reading(judged: pl.DataFrame, texts: pl.DataFrame, *, documents: pl.DataFrame, topics: pl.DataFrame, model: Any) -> Reading:
    """Give every contact the topic of its text.

    Parameters
    ----------
    judged
        The judged contacts of both periods with `later`.
    texts
        The frame of `texts.openings.openings`.
    documents, topics
        What a fit of the representative texts, sorted by source and contact id, found: `topic`, `confidence`, `level` per text, and the topics with
        `representatives` (rows of those texts).
    """
    representative = texts.filter("representative").sort(KEY)
    held = representative.select(copy_of=pl.concat_str("source", pl.lit(":"), "contact_id")).hstack(documents.select("topic", "confidence", "level"))
    told = texts.select(*KEY, "copy_of").join(held, on="copy_of", how="left", maintain_order="left").drop("copy_of")
    quotes = [representative["text"][rows[0]] if len(rows) else None for rows in topics["representatives"].to_list()]
    sizes = told.drop_nulls("topic").group_by("topic").agg(n=pl.len().cast(pl.Int64), sure=(pl.col("level") == SURE).mean())
    known = topics.drop("n", "sure", "representatives").with_columns(quote=pl.Series(quotes, dtype=pl.String))
    whole = known.join(sizes, on="topic", how="left").select(pl.col(name).cast(kind) for name, kind in TOPICS.items())
    return Reading(texts, told, whole.sort("topic"), _judged(judged, told), model)


def unread(judged: pl.DataFrame, texts: pl.DataFrame, *, notes: tuple[str, ...]) -> Reading:
    """A reading without topics, and why."""
    told = texts.select(*KEY, topic=pl.lit(None, pl.Int32), confidence=pl.lit(None, pl.Float64), level=pl.lit(NONE))
    return Reading(texts, told, pl.DataFrame(schema=TOPICS), _judged(judged, told), None, notes)


def why_not(desk: Desk, texts: pl.DataFrame, *, fewest: int) -> str:
    """Why there are no topics, in a sentence; `fewest` different texts are needed."""
    if not texts.is_empty():
        return f"There are too few different texts to find topics in: of {texts.height:,} openings fewer than {fewest} differ in their words."
    said = desk.contacts.select(pl.any_horizontal(pl.col("subject", "body").str.contains(r"\S")).any()).item()
    written = desk.events.select((pl.col("actor").eq("customer") & pl.col("text").str.contains(r"\S")).any()).item()
    whose = "The first contacts of these periods hold" if said or written else "This desk holds"
    return f"{whose} no texts, so nothing can be told of what customers wrote about."


def _judged(judged: pl.DataFrame, told: pl.DataFrame) -> pl.DataFrame:
    first = judged.filter(pl.col("label").is_in(["resolved", "failed", "pending"]))
    marked = first.with_columns(
        failed=pl.col("label") == "failed",
        resolved=pl.col("label") == "resolved",
        reopened=pl.col("reasons").list.contains("reopened").fill_null(False),
        final=is_final(),
    )
    return marked.join(told, on=KEY, how="left", maintain_order="left")
