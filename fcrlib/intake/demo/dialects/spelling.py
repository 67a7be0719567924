"""How does a system name what the invented desk names?"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import polars as pl

from fcrlib.model.desk import Desk
from fcrlib.model.tables import conform

HANDOVERS = ("assignment", "transfer", "escalation")
"""Kinds of events that give a contact to another team or person."""
_UNSEEN = ("merge", "survey", "article", "call_leg")
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
    spelled = replace(spelled, contacts=_recounted(spelled))
    value = pl.when(pl.col("kind") == "account").then(account(pl.col("value_norm"))).otherwise("value_norm")
    return replace(spelled, identifiers=conform(spelled.identifiers.with_columns(value_norm=value), table="identifiers"))


def _recounted(desk: Desk) -> pl.DataFrame:
    """The contacts with the counters of a system that knows no escalation, only handovers, and by whose user it sees who answered: a bot is no agent."""
    bots = desk.agents.filter(kind="bot")["agent_id"].implode()
    answer = (pl.col("kind") == "message") & pl.col("public") & (pl.col("actor") == "agent") & ~pl.col("actor_id").is_in(bots).fill_null(False)
    other = pl.col("group_from").ne_missing(pl.col("group_to")) | pl.col("agent_from").ne_missing(pl.col("agent_to"))
    counts = {"vendor_stations": pl.col("kind").is_in(["transfer", "escalation"]) & other, "vendor_replies": answer}
    counted = desk.events.group_by("contact_id").agg(when.sum().cast(pl.Int64).alias(name) for name, when in counts.items())
    contacts = desk.contacts.drop(counts).join(counted, on="contact_id", how="left", maintain_order="left")
    given = [pl.when(desk.contacts[name].is_not_null()).then(pl.col(name).fill_null(0)).alias(name) for name in counts]
    return conform(contacts.with_columns(given), table="contacts")


def numbered(desk: Desk, *, source: str, article: str = "360000") -> Desk:
    """The desk under plain numbers, which tell by how they begin what they stand for; those of articles begin with `article`."""
    return respelled(
        desk,
        source=source,
        contact=number(""),
        customer=number("100"),
        alias=number("200"),
        agent=number("900"),
        account=number("700"),
        article=number(article),
    )


def authored(desk: Desk) -> pl.DataFrame:
    """The events for a system in which every change has an author, and what a machine does no agent does; a partner has no login, calls leave no trace."""
    handed = pl.col("kind").is_in(HANDOVERS)
    bots = desk.agents.filter(kind="bot")["agent_id"]
    holder = pl.when(~pl.col("agent_from").is_in(bots.implode())).then("agent_from")
    author = pl.when(handed & (pl.col("actor") == "agent")).then(pl.coalesce("actor_id", holder, "agent_to")).otherwise("actor_id")
    machine = pl.col("actor_id").is_in(bots.implode()) & (pl.col("actor") == "agent")
    seen = desk.events.filter(~pl.col("kind").is_in(_UNSEEN) & ((pl.col("kind") != "message") | (pl.col("actor") != "unknown")))
    actor = pl.when(machine).then(pl.lit("bot")).otherwise(pl.col("actor").cast(pl.String))
    return seen.with_columns(actor_id=author).with_columns(handover(), actor=actor)


def handover() -> pl.Expr:
    """The kind of every event for a system that knows no escalation: a handover to another team is a transfer, to another person an assignment."""
    handed = pl.col("kind").is_in(HANDOVERS)
    moved = (pl.col("group_from") != pl.col("group_to")).fill_null(False)
    told = pl.when(moved).then(pl.lit("transfer")).otherwise(pl.lit("assignment"))
    return pl.when(handed).then(told).otherwise(pl.col("kind").cast(pl.String)).alias("kind")
