"""What are a contact's other contacts to it: which are about the same issue, and why not the others?

The judge decides by keys over all contacts at once; here the same rules are spelled out for one, for people to read.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

import polars as pl

from fcrlib.judge.facts import AT
from fcrlib.link.issues import similar_pairs
from fcrlib.model.policy import Policy

OTHERS = 12
LATE = timedelta(days=30)
NEVER_MET = (
    "deleted", "spam", "merged", "internal", "test", "side_conversation", "company_initiated", "abandoned", "duplicate_submission",
)  # fmt: skip


def related(contacts: pl.DataFrame, *, me: Mapping[str, Any], policy: Policy) -> pl.DataFrame:
    """The contacts of the same customer, or linked, that matter for one of them.

    Parameters
    ----------
    contacts
        All contacts with their outcomes and their row number `i`, in the order of source and contact_id.
    me
        The row of the contact itself.

    Returns
    -------
    pl.DataFrame
        What it repeats or was sent with, what came from its start to the end of its window (at most a dozen, those that fail it before
        others), and the first about its issue in the 30 days after it; with `is_person` (same customer), `position` (before, open, inside, after),
        `same` (about the same issue under the policy) and `why` or why not, in words.
    """
    here = pl.col("source") == me["source"]
    person = equals("customer", me["customer"])
    follows = here & (equals("follow_up_of", me["contact_id"]) | equals("contact_id", me["follow_up_of"]))
    tied = here & (equals("contact_id", me["repeat_of"]) | equals("contact_id", me["duplicate_of"]))
    mine = contacts.with_columns(is_person=person, follows=follows).filter(pl.col("is_person") | pl.col("follows") | tied)
    others = _same_issue(mine, me, policy=policy).filter(~(here & (pl.col("contact_id") == me["contact_id"])))
    start, anchor, horizon = (instant(me[name]) for name in ("start_at", "anchor_at", "horizon_at"))
    earlier = (pl.col("start_at") < start) | ((pl.col("start_at") == start) & (pl.col("i") < me["i"]))
    position = (
        pl.when(earlier).then(pl.lit("before"))
        .when(anchor.is_null() | (pl.col("start_at") <= anchor)).then(pl.lit("open"))
        .when(horizon.is_null() | (pl.col("start_at") <= horizon)).then(pl.lit("inside"))
        .otherwise(pl.lit("after"))
    )  # fmt: skip
    others = others.with_columns(position=position, decides=pl.col("start_at").is_in(me["reason_at"] or [])).sort("start_at", "source", "contact_id")
    return _worth_telling(others, me)


def _same_issue(mine: pl.DataFrame, me: Mapping[str, Any], *, policy: Policy) -> pl.DataFrame:
    """Which of a person's contacts are about the same issue as this one, and `why` or why not."""
    here, person = pl.col("source") == me["source"], pl.col("is_person")
    parent = here & person & (equals("parent_id", me["contact_id"]) | equals("contact_id", me["parent_id"]))
    on_channel = pl.lit(policy.across_channels) | equals("channel", me["channel"])
    category = person & equals("category", me["category"])
    unknown = pl.col("category").is_null() | pl.lit(me["category"] is None)
    no = ": not the same issue"
    lines: list[tuple[str, bool, pl.Expr]] = [
        ("the same contact, sent twice", False, equals("duplicate_of", me["contact_id"])),
        ("left out of everything: meets no other contact", False, (pl.col("label") == "excluded") & pl.col("reason").is_in(NEVER_MET)),
        ("other contacts are not looked at under this definition", False, pl.lit(policy.same_issue == "none")),
        ("linked to this one", True, pl.col("follows") | parent),
        ("same issue key", True, person & equals("issue_key", me["issue_key"]) & (policy.same_issue != "any")),
        ("same customer", True, person & on_channel & (policy.same_issue == "any")),
        ("same category", True, category & on_channel & (policy.same_issue == "category")),
        ("worded alike", True, pl.col("i").is_in(_alike(mine, me, policy=policy))),
        (f"worded differently{no}", False, pl.lit(policy.same_issue == "text")),
        (f"another channel{no}", False, ~on_channel & (category | (policy.same_issue == "any"))),
        (f"a category is not known{no}", False, unknown & (policy.same_issue == "category")),
        (f"another category{no}", False, pl.lit(policy.same_issue == "category")),
    ]
    why = first_that_holds({words: holds for words, _, holds in lines}).fill_null(f"not linked{no}")
    return mine.with_columns(why=why).with_columns(same=pl.col("why").is_in([words for words, same, _ in lines if same]))


def _alike(mine: pl.DataFrame, me: Mapping[str, Any], *, policy: Policy) -> list[int]:
    """Row numbers of the person's contacts that the judge holds to be worded like this one."""
    if policy.same_issue != "text":
        return []
    own = mine.filter("is_person").with_columns(source=pl.lit(""), customer_ref=pl.col("customer"))
    pairs = similar_pairs(own, threshold=policy.similarity)
    return [*pairs.filter(pl.col("late") == me["i"])["early"], *pairs.filter(pl.col("early") == me["i"])["late"]]


def _worth_telling(others: pl.DataFrame, me: Mapping[str, Any]) -> pl.DataFrame:
    """What came from the start to the end of the window, what this one repeats, and the first that came too late; at most a dozen."""
    if never_met(me):
        return others.filter(equals("contact_id", me["duplicate_of"]))
    named = equals("contact_id", me["repeat_of"]) | equals("contact_id", me["duplicate_of"])
    before = others.filter((pl.col("position") == "before") & (named | (equals("repeat_of", me["repeat_of"]) & pl.col("same"))))
    soon = pl.col("start_at") <= instant(me["horizon_at"]) + LATE
    late = others.filter((pl.col("position") == "after") & pl.col("same") & soon).head(1)
    within = others.filter(pl.col("position").is_in(["open", "inside"])).sort(~pl.col("decides"), ~pl.col("same"), "start_at", "contact_id")
    nearest = pl.concat([before.filter(named), before.filter(~named).tail(1)])
    return pl.concat([nearest, within.head(OTHERS), late])


def first_that_holds(lines: Mapping[str, pl.Expr]) -> pl.Expr:
    """The words of the first line that holds, or null; what is not known does not hold."""
    chosen: Any = pl.when(False).then(pl.lit(None, pl.String))
    for words, holds in lines.items():
        chosen = chosen.when(holds.fill_null(False)).then(pl.lit(words))
    rule: pl.Expr = chosen.otherwise(None)
    return rule


def never_met(me: Mapping[str, Any]) -> bool:
    """Is it left out so early that it neither is a first contact nor comes back to one?"""
    return me["label"] == "excluded" and me["reason"] in NEVER_MET


def instant(at: datetime | None) -> pl.Expr:
    """An instant of the tables, or an unknown one."""
    return pl.lit(at, dtype=AT)


def equals(column: str, value: str | None) -> pl.Expr:
    """Equal to a known value; what is not known equals nothing."""
    return pl.lit(False) if value is None else (pl.col(column).cast(pl.String) == value).fill_null(False)
