"""Who is who in an export of Jira: customer, agent, bot, or an automation?

Accounts say little: an employee who asks has the same kind of account as one who answers. Whoever held an issue, wrote an internal comment or moved
an issue of somebody else is an agent; who only has an account that may do so is not known to be one.
"""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl

from fcrlib.intake.canonical import flags
from fcrlib.intake.export.records import Records

_FROM_THE_PORTAL = ["attachment", "comment", "satisfaction", "request participants", "organizations"]
"""Fields that whoever asks may change."""
_WHO = ("_name", "_email", "_type")


def everybody(found: Records, issues: pl.DataFrame, changes: pl.DataFrame, comments: pl.DataFrame, *, bots: Sequence[str]) -> pl.DataFrame:
    """All accounts that are named anywhere.

    Parameters
    ----------
    found
        The export: `users`, `agents`.
    issues
        With `reporter`, `creator`, `assignee`.
    changes
        With `author`, `field`, `before`, `value`, `reporter`.
    comments
        With `author`, `public`.
    bots
        Ids or names of accounts that are machines.

    Returns
    -------
    pl.DataFrame
        `author` (the account), `name`, `email`, `type`, `role` (customer, agent, bot, system, unknown), in the order in which they are named.
    """
    places = [
        (found.table("users"), "author"),
        *((issues, who) for who in ("reporter", "creator", "assignee")),
        (changes, "author"),
        (comments, "author"),
    ]
    named = [_named(frame, who) for frame, who in places]
    held = changes.filter(pl.col("field") == "assignee")
    ids = [pl.concat([held["value"], held["before"], found.table("agents")["author"]]).to_frame("author")]
    people = pl.concat([*named, *ids], how="diagonal").drop_nulls("author").filter(pl.col("author") != "")
    known = people.group_by("author", maintain_order=True).agg(pl.col("name", "email", "type").drop_nulls().first())
    agents = _agents(found, issues, changes, comments)
    app, machine = pl.col("type") == "app", pl.col("author").is_in(list(bots)) | pl.col("name").is_in(list(bots)).fill_null(False)
    bot = machine | (flags.is_bot(pl.col("name")) & (app | pl.col("author").is_in(agents.implode())).fill_null(False))
    role = (
        pl.when(bot).then(pl.lit("bot")).when(app).then(pl.lit("system")).when(pl.col("author").is_in(agents.implode())).then(pl.lit("agent"))
        .when((pl.col("type") == "customer") | pl.col("author").is_in(issues["reporter"].drop_nulls().implode())).then(pl.lit("customer"))
        .otherwise(pl.lit("unknown"))
    )  # fmt: skip
    return known.with_columns(role=role)


def _named(frame: pl.DataFrame, who: str) -> pl.DataFrame:
    there = [pl.col(f"{who}{part}").alias(part[1:]) if f"{who}{part}" in frame.columns else pl.lit(None, pl.String).alias(part[1:]) for part in _WHO]
    return frame.select(pl.col(who).alias("author"), *there)


def _agents(found: Records, issues: pl.DataFrame, changes: pl.DataFrame, comments: pl.DataFrame) -> pl.Series:
    held = changes.filter(pl.col("field") == "assignee")
    moved = changes.filter(
        ~pl.col("field").is_in(_FROM_THE_PORTAL),
        (pl.col("author") != pl.col("reporter")).fill_null(False),
        (pl.col("author_type") != "customer").fill_null(True),
    )
    noted = comments.filter(~pl.col("public"))["author"]
    every = [issues["assignee"], held["value"], held["before"], moved["author"], noted, found.table("agents")["author"]]
    return pl.concat([one.alias("author") for one in every]).drop_nulls().unique()
