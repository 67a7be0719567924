"""Contacts with planted topics: who failed, who asked again, and what the desk filed them under is known."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import polars as pl


def assigned(*, seed: int, contacts: int = 6_000, topics: int = 30, lifts: Mapping[int, float] | None = None, noise: float = 0.15) -> pl.DataFrame:
    """Contacts of topics that lie mostly in one category each; customers fail alike, channels and categories differ, some have no topic.

    `lifts` are points of failure added to a topic; `noise` is the share of contacts that were put into a topic they are not about.
    """
    rng = np.random.default_rng(seed)
    weight = rng.dirichlet(np.full(topics, 3.0))
    true = rng.choice(topics, contacts, p=weight)
    category = np.where(rng.random(contacts) < 0.85, true % 6, rng.integers(0, 6, contacts))
    channel, customer = rng.integers(0, 4, contacts), rng.integers(0, contacts // 2, contacts)
    added = np.array([(lifts or {}).get(topic, 0.0) for topic in range(topics)])[true]
    chance = 0.2 + 0.02 * category + 0.03 * channel + added + rng.normal(0, 0.08, contacts // 2)[customer]
    seen = np.where(rng.random(contacts) < noise, rng.choice(topics, contacts, p=weight), true)
    frame = pl.DataFrame(
        {
            "topic": seen,
            "failed": rng.random(contacts) < chance,
            "category": category,
            "channel": channel,
            "customer": customer,
            "none": rng.random(contacts) < 0.08,
        }
    )
    named = pl.col("category").cast(pl.String), pl.col("channel").cast(pl.String), pl.col("customer").cast(pl.String)
    return frame.with_columns(named, topic=pl.when(~pl.col("none")).then("topic")).drop("none")
