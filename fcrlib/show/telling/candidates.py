"""How is it told which topics ask for an article, a playbook, or an answer without people?"""

from __future__ import annotations

import polars as pl

from fcrlib.model.numbers import count, percent
from fcrlib.show.figure import Column, Table


def articles(candidates: pl.DataFrame, *, most: int = 10) -> Table:
    """The topics with the most failures that were sent no article, or an old one; `candidates` with `name` (`telling.topics.titled`)."""
    heads = (
        Column("name", "topic"),
        Column("failed", "failed", "count"),
        Column("unsent", "sent no article", "count"),
        Column("stale", "sent an old one", "count"),
    )
    known = candidates.filter(pl.col("unsent").is_not_null() & (pl.col("unsent") + pl.col("stale") > 0))
    shown = known.sort((pl.col("unsent") + pl.col("stale")) * -1, "topic").head(most)
    if shown.is_empty():
        return Table("articles-missing", "This desk does not record which articles were sent, or no failure lacked one", shown, heads)
    lacking, failed = int(known.select((pl.col("unsent") + pl.col("stale")).sum()).item()), int(candidates["failed"].sum())
    title = f"{percent(lacking / failed)} of {count(failed)} failed contacts were sent no article or an old one; most about “{shown['name'][0]}”"
    return Table("articles-missing", title, shown, heads, note="Whether an article would have helped only its readers can say.")


def playbooks(candidates: pl.DataFrame, *, most: int = 12) -> Table:
    """The topics that hold the most failures, with the share that they make up together."""
    failed = int(candidates["failed"].sum())
    shown = candidates.filter(pl.col("failed") > 0).head(most)
    shown = shown.with_columns(cumulative=pl.col("failed").cum_sum() / max(failed, 1))
    heads = (
        Column("name", "topic"),
        Column("failed", "failed", "count"),
        Column("rate", "of its contacts", "percent"),
        Column("cumulative", "with those above", "percent"),
    )
    if shown.is_empty():
        return Table("playbooks", "No contact with a topic failed", shown, heads)
    title = f"The {count(shown.height)} topics with most failures hold {percent(shown['cumulative'][-1])} of them: the first to write a playbook for"
    return Table("playbooks", title, shown, heads)


def simple(candidates: pl.DataFrame, *, most: int = 10) -> Table:
    """The topics whose contacts clearly go straight through more often than others, the largest first."""
    shown = candidates.filter("simple").sort(pl.col("n") * -1, "topic").head(most)
    rates = (Column("straight", "resolved straight through", "percent"), Column("low", "95 % from", "percent"), Column("high", "to", "percent"))
    heads = (Column("name", "topic"), Column("n", "contacts", "count"), *rates)
    note = "Resolved on first contact without a handover, a hold or an escalation. It says that the path is clear, not that no judgement is needed."
    if shown.is_empty():
        return Table("straight-through", "No topic goes straight through clearly more often than the rest", shown, heads, note=note)
    title = f"“{shown['name'][0]}” is the largest topic that goes straight through more often than others ({percent(shown['straight'][0])})"
    return Table("straight-through", title, shown, heads, note=note)
