"""What does the export say about each contact of the invented desk?

Status, resolutions, teams and counts are read off the history, so that the summary and the events cannot disagree.
"""

from __future__ import annotations

import numpy as np
import polars as pl

from fcrlib.intake.demo.people import account_refs, stream
from fcrlib.intake.demo.themes import THEMES
from fcrlib.model.tables import RESOLVED_STATUSES

_RAW_CHANNEL = {
    "email": "Mail", "web": "web_form", "chat": "live_chat", "messaging": "whatsapp", "phone": "voice", "social": "x_dm", "in_app": "mobile_sdk",
    "api": "api", "other": "fax",
}  # fmt: skip
_REASON = {
    "spam": "spam", "deleted": "deleted", "merged": "merged", "abandoned": "abandoned", "inactive": "inactivity", "duplicate": "duplicate",
    "self-solved": "withdrawn",
}  # fmt: skip
_WORK = {"phone": 420.0, "chat": 540.0, "messaging": 480.0}  # median seconds of work; 600 on the written channels
_WAGE = 38.0 / 3_600  # euros a second
_FEE = {"phone": 1.2, "chat": 0.4, "messaging": 0.4}  # euros a contact for the line


def contacts(cases: pl.DataFrame, history: pl.DataFrame, *, seed: int, end: int) -> pl.DataFrame:
    """Sum every contact up as the helpdesk would export it at `end` (seconds)."""
    known = cases.join(_read_off(history), on="row", how="left", maintain_order="left").with_columns(_dice(cases.height, seed))
    ended = pl.col("first_resolved_at").is_not_null()
    return known.select(
        pl.lit("demo").alias("source"),
        "contact_id",
        (pl.col("opened") * 1_000_000).cast(pl.Datetime("us", "UTC")).alias("opened_at"),
        *("first_resolved_at", "last_resolved_at", "closed_at", "first_group", "first_agent"),
        pl.col("status").fill_null("new"),
        *_who(),
        *_what(),
        *_ending(ended),
        *_links(ended),
        *((pl.col("fate") == fate).alias(flag) for flag, fate in _FLAGS.items()),
        ((pl.col("mechanism_name") == "non-resolvable") & pl.col("fails") | (pl.col("luck1") < 0.012)).fill_null(False).alias("non_resolvable"),
        *_effort(ended, end),
        *(pl.col(f"vendor_{what}").fill_null(0) for what in ("reopens", "replies", "stations")),
    )


def _who() -> list[pl.Expr]:
    """The customer, unless it is nobody's or our own; one account in twelve is not in the books."""
    known = ~pl.col("fate").is_in(["internal", "test", "spam"]) & pl.col("customer_ref").is_not_null()
    company = pl.col("fate").is_in(["outreach", "outreach-reply", "side"])
    return [
        pl.when(known).then("customer_ref").alias("customer_ref"),
        pl.when(known & (pl.col("account") % 12 > 0)).then(account_refs(pl.col("account"))).alias("account_ref"),
        pl.when(company).then(pl.lit("company")).otherwise(pl.lit("customer")).alias("initiated_by"),
        pl.col("tier"),
        pl.col("language").cast(pl.String),
    ]


def _what() -> list[pl.Expr]:
    """What it was about, and on which channel. Agents file 8 % under `other`."""
    theme = pl.lit(pl.Series([theme.slug for theme in THEMES])).gather("theme")
    return [
        pl.col("channel"),
        pl.col("channel").cast(pl.String).replace_strict(_RAW_CHANNEL).alias("channel_raw"),
        pl.col("category").cast(pl.String),
        pl.when(pl.col("luck0") < 0.92).then(theme).otherwise(pl.lit("other")).alias("subcategory"),
        pl.col("product_area").cast(pl.String),
        pl.lit(pl.Series(["low", "normal", "high", "urgent"])).gather("priority_code").alias("priority"),
        pl.col("subject"),
        pl.col("body"),
        _tags().alias("tags"),
    ]


def _ending(ended: pl.Expr) -> list[pl.Expr]:
    """Who resolved it and why it was closed; empty as long as it is open."""
    reason = pl.col("fate").cast(pl.String).replace_strict(_REASON, default=None)
    return [
        *(pl.when(ended).then(name).alias(name) for name in ("resolver_group", "resolver_agent")),
        _resolved_by(ended).alias("resolved_by"),
        pl.when(ended).then(reason).alias("close_reason"),
    ]


def _links(ended: pl.Expr) -> list[pl.Expr]:
    return [
        pl.when((pl.col("fate") == "merged") & ended).then("parent_id").alias("merged_into"),
        pl.when(pl.col("link") == "follow_up").then("parent_id").alias("follow_up_of"),
        pl.when(pl.col("link") == "parent").then("parent_id").alias("parent_id"),
        _issue_key().alias("issue_key"),
    ]


_FLAGS = {
    "is_spam": "spam", "is_deleted": "deleted", "is_test": "test", "is_internal": "internal", "is_side_conversation": "side", "is_abandoned": "abandoned",
}  # fmt: skip


def _read_off(history: pl.DataFrame) -> pl.DataFrame:
    """What the history says about each `row`."""
    status, group = pl.col("status_to"), pl.col("group_to")
    resolves = status.is_in(RESOLVED_STATUSES) & ~pl.col("status_from").is_in(RESOLVED_STATUSES)
    replies = (pl.col("kind") == "message") & (pl.col("actor") == "agent") & pl.col("public")
    reopens = pl.col("status_from").is_in(RESOLVED_STATUSES) & (status == "open")
    held = history.with_columns(pl.col(name).forward_fill().over("row").alias(f"holding_{name}") for name in ("group_to", "agent_to"))
    whole = held.group_by("row", maintain_order=True).agg(
        pl.col("at").filter(resolves).first().alias("first_resolved_at"),
        pl.col("at").filter(resolves).last().alias("last_resolved_at"),
        pl.col("at").filter(status == "closed").last().alias("closed_at"),
        status.drop_nulls().last().alias("status"),
        group.drop_nulls().first().alias("first_group"),
        pl.col("agent_to").drop_nulls().first().alias("first_agent"),
        pl.col("holding_group_to").filter(resolves).first().alias("resolver_group"),
        pl.col("holding_agent_to").filter(resolves).first().alias("resolver_agent"),
        pl.col("actor").filter(resolves).first().alias("resolver"),
        reopens.sum().cast(pl.Int64).alias("vendor_reopens"),
        replies.sum().cast(pl.Int64).alias("vendor_replies"),
        (pl.col("kind") == "transfer").sum().cast(pl.Int64).alias("vendor_stations"),
    )
    return whole.with_columns(closed_at=pl.when(pl.col("status") == "closed").then("closed_at"))


def _dice(rows: int, seed: int) -> list[pl.Series]:
    rng = stream(seed, "summary")
    return [
        pl.Series("luck0", rng.random(rows)),
        pl.Series("luck1", rng.random(rows)),
        pl.Series("luck2", rng.random(rows)),
        pl.Series("priority_code", np.searchsorted([0.2, 0.75, 0.94], rng.random(rows), side="right")),
        pl.Series("noise", np.exp(rng.normal(0, 0.55, rows))),
    ]


def _tags() -> pl.Expr:
    tag = (
        pl.when((pl.col("mechanism_name") == "undocumented-bug") & (pl.col("luck2") < 0.6))
        .then(pl.lit("bug"))
        .when((pl.col("mechanism_name") == "approval-wait") & (pl.col("luck2") < 0.5))
        .then(pl.lit("waiting-approval"))
        .when(pl.col("fate") == "spam")
        .then(pl.lit("spam"))
        .when(pl.col("luck2") > 0.93)
        .then(pl.lit("vip"))
        .when(pl.col("luck2") > 0.85)
        .then(pl.lit("macro_used"))
    )
    return pl.when(tag.is_null()).then(pl.lit([], dtype=pl.List(pl.String))).otherwise(pl.concat_list(tag))


def _resolved_by(ended: pl.Expr) -> pl.Expr:
    by = pl.col("resolver").replace_strict(
        {"agent": "human", "bot": "bot", "system": "automation", "customer": "customer"}, default="unknown", return_dtype=pl.String
    )
    return pl.when(~ended | (pl.col("fate") == "abandoned")).then(pl.lit("unknown")).otherwise(by)


def _issue_key() -> pl.Expr:
    """Children that are linked by a shared key carry the number of the contact they go back to, and so does that contact."""
    shared = pl.when(pl.col("link") == "issue").then("parent_id")
    known = pl.col("contact_id").is_in(shared.implode())
    return pl.when(shared.is_not_null()).then(pl.format("P-{}", "parent_id")).when(known).then(pl.format("P-{}", "contact_id"))


def _effort(ended: pl.Expr, end: int) -> list[pl.Expr]:
    """Working time grows with hand-overs and reopenings; what was never touched cost nothing."""
    channel = pl.col("channel").cast(pl.String)
    touched = (pl.col("t_first") <= end) & ~pl.col("bot_solves")
    median = channel.replace_strict(_WORK, default=600.0)
    more = 1 + 0.4 * pl.col("vendor_stations") + 0.5 * pl.col("vendor_reopens")
    work = pl.when(touched).then((median * more * pl.col("noise")).round(0)).when(ended).then(0.0)
    fee = channel.replace_strict(_FEE, default=0.1)
    return [
        work.alias("handle_seconds"),
        pl.when(channel == "phone").then((work * 0.8).round(0)).alias("talk_seconds"),
        pl.when(touched).then((pl.col("t_first") - pl.col("start")).cast(pl.Float64)).alias("wait_seconds"),
        (work * _WAGE + fee).round(2).alias("cost"),
        pl.lit("EUR").alias("currency"),
    ]
