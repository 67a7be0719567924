"""How does a system name what the invented desk names?"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import polars as pl

from fcrlib.model.desk import Desk
from fcrlib.model.tables import conform

Spelling = Callable[[pl.Expr], pl.Expr]
_CONTACTS = ("contact_id", "merged_into", "follow_up_of", "parent_id")
_AGENTS = ("first_agent", "resolver_agent", "agent_from", "agent_to", "agent_id")


def number(before: str) -> Spelling:
    """The digits of an id after some others; after none, without the zeros in front.

    Examples
    --------
    >>> pl.DataFrame({"id": ["c-000123", None]}).select(number("900")(pl.col("id")).alias("id"))["id"].to_list()
    ['900000123', None]
    """
    return lambda name: pl.lit(before) + (name.str.extract(r"(\d+)$") if before else name.str.extract(r"0*(\d+)$"))


def respelled(
    desk: Desk, *, source: str, contact: Spelling, customer: Spelling, alias: Spelling, agent: Spelling, account: Spelling, article: Spelling
) -> Desk:
    """The desk under the ids of another system.

    Parameters
    ----------
    source
        The system's name.
    contact, customer, alias, agent, account, article
        How each kind of id is spelled; `alias` is a customer as the phone system names them.
    """

    def person(name: pl.Expr) -> pl.Expr:
        return pl.when(name.str.starts_with("c-")).then(customer(name)).when(name.str.starts_with("t-")).then(alias(name)).otherwise(agent(name))

    by_column = {
        **dict.fromkeys(_CONTACTS, contact),
        **dict.fromkeys(_AGENTS, agent),
        **dict.fromkeys(("customer_ref", "actor_id"), person),
        "account_ref": account,
        "article_id": article,
    }

    def change(table: str, frame: pl.DataFrame) -> pl.DataFrame:
        names = [name for name in by_column if name in frame.columns]
        told = frame.with_columns(by_column[name](pl.col(name)).alias(name) for name in names)
        return told.with_columns(source=pl.lit(source)) if "source" in frame.columns else told

    spelled = desk.map_tables(change)
    value = pl.when(pl.col("kind") == "account").then(account(pl.col("value_norm"))).otherwise("value_norm")
    return replace(spelled, identifiers=conform(spelled.identifiers.with_columns(value_norm=value), table="identifiers"))


def handover() -> pl.Expr:
    """The kind of every event for a system that knows no escalation: a handover to another team is a transfer, to another person an assignment."""
    handed = pl.col("kind").is_in(["assignment", "transfer", "escalation"])
    moved = (pl.col("group_from") != pl.col("group_to")).fill_null(False)
    told = pl.when(moved).then(pl.lit("transfer")).otherwise(pl.lit("assignment"))
    return pl.when(handed).then(told).otherwise(pl.col("kind").cast(pl.String)).alias("kind")
