"""What became of one contact, in a paragraph, a table or lines for a terminal?"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import polars as pl

from fcrlib.explain.trace import FAILS, LEFT_OUT, found
from fcrlib.model.policy import Policy, in_words
from fcrlib.show.figure import MARKS, Column, Table
from fcrlib.show.quote import quote
from fcrlib.study import Study

FAILED = {
    **FAILS,
    "parallel_contact": "the customer opened another contact about the same issue while it was open",
    "repeat_contact": "the customer came back about the same issue inside the window",
    "reopened": "it was reopened inside the window",
    "escalated": "it was escalated",
    "transferred": "it was handed over",
    "extra_customer_reply": "the customer had to write once too often",
    "extra_agent_reply": "it took one reply too many",
    "several_agents": "it took one agent too many",
    "put_on_hold": "it was put to wait",
    "no_response": "it was resolved without any answer",
    "auto_closed": "the system closed it for inactivity",
    "deferred": "it was resolved later than the definition allows",
    "unresolved": "it was still not resolved at the deadline",
}


def title(study: Study, *, contact: str = "", source: str | None = None) -> str:
    """The label of a contact and the reason for it, as a heading; parameters and errors as in `explain.trace.story`."""
    me = found(study, contact=contact, source=source)
    short = {
        "failed": f"failed: {FAILED.get(me['reason'], '')}",
        "resolved": "counts as resolved",
        "pending": "is pending",
        "repeat": f"is a repeat of contact {me['repeat_of']}",
        "excluded": f"is left out: {LEFT_OUT.get(me['reason'], '')}",
    }[me["label"]]
    return quote(f"Contact {me['contact_id']} {short}")


def verdict(study: Study, *, contact: str = "", source: str | None = None) -> str:
    """One paragraph: the label of a contact, why, and what would have changed it; times in the study's zone."""
    me = _local(found(study, contact=contact, source=source), zone=study.time_zone)
    about = f"({me['channel']}{', ' + me['category'] if me['category'] else ''}, started {me['start_at']:%Y-%m-%d %H:%M} {study.time_zone})"
    told = {"failed": _why_failed, "resolved": _why_resolved, "pending": _why_pending, "repeat": _why_repeat, "excluded": _why_left_out}
    return quote(f"Contact {me['contact_id']} {about} {told[me['label']](me, study.policy)}", limit=2000)


def table(story: pl.DataFrame, *, title: str, time_zone: str = "UTC") -> Table:
    """The story as a table; `story` as `explain.trace.story` tells it."""
    shown = story.head(MARKS).with_columns(pl.col("at").dt.convert_time_zone(time_zone), pl.col("text", "rule").fill_null(""))
    heads = (Column("at", "when", "date"), Column("who", "who"), Column("what", "what"), Column("text", "in words"), Column("rule", "what it meant"))
    cut = "" if story.height <= MARKS else f" The first {MARKS} of {story.height:,} rows are shown."
    return Table("trace", title, shown, heads, f"Times are in {time_zone}; the text was redacted and is shortened.{cut}")


def lines(story: pl.DataFrame, *, time_zone: str = "UTC") -> list[str]:
    """The story for a terminal: one line per row, what it meant and what was written under it."""
    when = pl.col("at").dt.convert_time_zone(time_zone).dt.strftime("%Y-%m-%d %H:%M")
    head = pl.format("{}  {}  {}", when, pl.col("who").str.pad_end(14), "what")
    under = [pl.coalesce(pl.format("\n{}{}", pl.lit(" " * 34 + sign), name), pl.lit("")) for sign, name in (('  "', "text"), ("=> ", "rule"))]
    return story.select(line=head + pl.when(pl.col("text").is_null()).then(under[0]).otherwise(under[0] + '"') + under[1])["line"].to_list()


def _local(me: Mapping[str, Any], *, zone: str) -> dict[str, Any]:
    """The row with its instants on the clock of a zone."""
    clock = ZoneInfo(zone)
    moved = {name: value.astimezone(clock) for name, value in me.items() if isinstance(value, datetime)}
    return {**me, **moved, "reason_at": [at.astimezone(clock) for at in me["reason_at"] or ()]}


def _why_failed(me: Mapping[str, Any], policy: Policy) -> str:
    others = [f"{FAILED[reason]} ({at:%Y-%m-%d %H:%M})" for reason, at in zip(me["reasons"][1:], me["reason_at"][1:], strict=True)]
    also = f" Later it failed again: {'; '.join(others)}." if others else ""
    else_ = "Each of these alone would have failed it." if others else _otherwise(me, policy)
    return f"failed on {me['failed_at']:%Y-%m-%d %H:%M}: {FAILED[me['reason']]}.{also} {else_}"


def _otherwise(me: Mapping[str, Any], policy: Policy) -> str:
    until = f"by {me['horizon_at']:%Y-%m-%d %H:%M}" if me["horizon_at"] else "by the end of the data"
    what = {
        "repeat_contact": f"Had the customer not come back about the same issue {until}, it would not have failed.",
        "parallel_contact": "Had the customer not opened another contact about the same issue, while it was open or in the window after it, it would not have failed.",
        "reopened": f"Had it not been reopened {until}, it would not have failed.",
        "unresolved": f"Had it been resolved within {in_words(policy.resolve_deadline or timedelta())} of the start, this would not have failed it.",
        "deferred": f"Had it been resolved within {in_words(policy.resolve_within or timedelta())} of the start, this would not have failed it.",
    }
    return what.get(me["reason"], "Without that it would not have failed.")


def _why_resolved(me: Mapping[str, Any], policy: Policy) -> str:
    if policy.survey == "decides":
        return "counts as resolved: the customer said so in the survey, and nothing else decides under this definition. A no or partly would have failed it."
    until = f"by {me['horizon_at']:%Y-%m-%d %H:%M}" if me["horizon_at"] else "by the end of the data"
    back = "a reopening" if policy.same_issue == "none" else "a reopening, or another contact about the same issue,"
    sure = " The customer confirmed it." if me["confirmed"] else ""
    unseen = " The customer is not known, so a return on another contact could not have been seen." if not me["customer"] else ""
    return f"counts as resolved: it was first resolved on {me['anchor_at']:%Y-%m-%d %H:%M} and nothing that fails it was heard {until}.{sure}{unseen} In that time {back} would have failed it."


def _why_pending(me: Mapping[str, Any], policy: Policy) -> str:
    end = f"{me['data_end']:%Y-%m-%d %H:%M}"
    if me["reason"] == "window":
        return f"is pending: the data ends on {end}, and its window is open until {me['horizon_at']:%Y-%m-%d %H:%M}. If nothing is heard until then, it counts as resolved."
    if me["reason"] == "not_started":
        return f"is pending: the data ends on {end}, before it started."
    if me["anchor_at"]:
        return f"is pending: a thank-you has opened it again, and nobody has settled it by the end of the data ({end})."
    due = me["start_at"] + policy.resolve_deadline if policy.resolve_deadline and policy.while_open == "judge" else None
    return f"is pending: it is not resolved by the end of the data ({end})." + (f" Still open on {due:%Y-%m-%d %H:%M}, it fails." if due else "")


def _why_repeat(me: Mapping[str, Any], policy: Policy) -> str:
    return (
        f"is a repeat: it came back about the issue of contact {me['repeat_of']} while that chain was open or in its window, so it is counted there and not again. "
        "About another issue, or after the window, it would be a first contact of its own."
    )


def _why_left_out(me: Mapping[str, Any], policy: Policy) -> str:
    twin = f": contact {me['duplicate_of']}" if me["duplicate_of"] else ""
    change = {
        "no_response": " An answer before it was resolved would have brought it in.",
        "auto_closed": " Resolved by anyone but the system, it would have been brought in.",
        "no_answer": " An answer to the survey would have brought it in.",
        "company_initiated": " A reply from the customer would have brought it in.",
        "duplicate_submission": f" Sent more than {in_words(policy.duplicate_gap)} after the other, it would count as a return.",
    }
    return f"is left out of the rate, because {LEFT_OUT[me['reason']]}{twin}.{change.get(me['reason'], '')}"
