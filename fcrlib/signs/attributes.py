"""How was each contact handled, up to its first resolution?

What is read here was so before the window opened in which contacts fail: nothing after the first resolution is looked at, of resolved
and failed contacts alike. Contacts that were never resolved have no such moment, so nothing is known of them. A contact that failed because the
customer asked again while it was open is read up to its first resolution too: cut short at the failure, it would show less than others.
"""

from __future__ import annotations

from dataclasses import dataclass

import polars as pl

from fcrlib.model.columns import KEY
from fcrlib.model.desk import Desk
from fcrlib.model.taxonomy import Taxonomy, Trace
from fcrlib.signs.traces import traces

LEAST = 0.5  # a trace that is believed less is a hint, which yields to words and shows nothing by itself
NEW_DAYS, STALE_DAYS = 90, 365
OPENS, CLOSES, FRIDAY = 9, 17, 5
MOVED, HELD, RAISED = ("transferred", "several_agents"), ("put_on_hold",), ("escalated", "several_agents")
COUNTED = {
    **dict.fromkeys(("handovers", "returns", "quick_handover_minutes", "silent_handovers", "asked_again"), MOVED),
    "away_hours": (*HELD, *MOVED), "hold_hours": HELD, "escalated_hold_hours": (*HELD, *RAISED),
}  # fmt: skip
"""Traces that some definitions count as a failure by themselves, and the reasons of failure that say so."""


@dataclass(frozen=True, slots=True)
class Attribute:
    """One fact about how contacts are handled.

    Parameters
    ----------
    bone
        The bone of the fishbone that it hangs on.
    usual, against
        The level that the others are compared with, and what it is called in a sentence about contacts.
    levels
        The levels that may be a cause, likewise. A level that is neither is left out of the comparison.
    reasons
        Reasons of failure that say the same, under definitions that count it as a failure.
    """

    bone: str
    usual: str
    against: str
    levels: dict[str, str]
    reasons: tuple[str, ...] = ()


ATTRIBUTES = {
    "handovers": Attribute("process", "none", "never handed over", {"once": "handed over once", "twice or more": "handed over twice or more"}, MOVED),
    "hold": Attribute(
        "process",
        "none",
        "never on hold",
        {"under a day": "on hold for less than a day", "a day or more": "on hold for a day or more"},
        HELD,
    ),
    "unowned": Attribute(
        "people",
        "within an hour",
        "taken within an hour",
        {"within a day": "taken by nobody for an hour to a day", "longer": "taken by nobody for more than a day"},
    ),
    "escalated": Attribute("policy", "no", "never escalated", {"yes": "escalated"}, RAISED),
    "article": Attribute("data", "fresh", "sent newer articles only", {"stale": "sent an article older than a year"}),
    "tenure": Attribute(
        "people", "90 days or longer", "first with an agent of longer standing", {"under 90 days": "first with an agent in the first 90 days"}
    ),
    "hours": Attribute("people", "weekdays 09-17", "started in working hours", {"outside": "started outside weekdays 09 to 17"}),
    "first_reply_by": Attribute("systems", "agent", "first answered by a person", {"bot": "first answered by a bot"}),
}
"""Every attribute by its column, in the order in which they are listed."""
_SPOKEN = (pl.col("kind").is_in(["message", "call_leg"])) & pl.col("public") & ~pl.col("is_auto")


def attributes(desk: Desk, outcomes: pl.DataFrame, *, time_zone: str = "UTC") -> pl.DataFrame:
    """Read how each contact was handled up to its first resolution.

    Parameters
    ----------
    desk
        `contacts`, `events`, `agents` and `articles` are read.
    outcomes
        The contacts asked about: `source`, `contact_id`, `start_at`, `anchor_at`.
    time_zone
        Zone in which working hours are told.

    Returns
    -------
    pl.DataFrame
        One row per contact, in the order of `outcomes`: `source`, `contact_id` and one text column per attribute of `ATTRIBUTES`, null where the
        desk does not record it and where the contact was never resolved:

        - `handovers` between people: none, once, twice or more; a wait in another team and back is none
        - `hold`: none, under a day, a day or more
        - `unowned`, until somebody took it: within an hour, within a day, longer
        - `escalated`: yes, no
        - `article`, the oldest that was sent: none, fresh, stale (not revised for a year)
        - `tenure` of the first agent: under 90 days, 90 days or longer
        - `hours` of the start: weekdays 09-17, outside
        - `first_reply_by`: bot, agent
    """
    asked = outcomes.select(*KEY, "start_at", "anchor_at")
    left = traces(desk, asked.with_columns(failed_at="anchor_at")).select(*KEY, "handovers", "hold_hours", "unowned_hours", "stale_article_days")
    table = asked.join(left, on=KEY, how="left", maintain_order="left")
    for part in (_events(desk, asked), _first_agents(desk)):
        table = table.join(part, on=KEY, how="left", maintain_order="left")
    told = {
        "handovers": _when(desk, "has_group_history", _steps(pl.col("handovers"), ends=(1, 2), levels=("none", "once", "twice or more"))),
        "hold": _when(
            desk, "has_status_history", _steps(pl.col("hold_hours").fill_null(0), ends=(1e-9, 24), levels=("none", "under a day", "a day or more"))
        ),
        "unowned": _steps(pl.col("unowned_hours"), ends=(1, 24), levels=("within an hour", "within a day", "longer")),
        "escalated": _when(desk, "has_group_history", _either(pl.col("escalated").fill_null(False), yes="yes", no="no")),
        "article": _article(desk),
        "tenure": _tenure(),
        "hours": _hours(time_zone),
        "first_reply_by": _when(desk, "has_messages", pl.col("first_reply_by")),
    }
    return table.select(*KEY, *(pl.when(pl.col("anchor_at").is_not_null()).then(told[name]).alias(name) for name in ATTRIBUTES))


def shown(desk: Desk, outcomes: pl.DataFrame, *, taxonomy: Taxonomy | None = None) -> pl.DataFrame:
    """Which ways of failing did the history of a contact show before its first resolution, whether it failed or not?

    Only traces are held against their thresholds: words are read of failed contacts alone, so they cannot be compared. A trace that is
    believed less than half shows nothing.

    Parameters
    ----------
    outcomes
        Judged contacts: `source`, `contact_id`, `label`, `start_at`, `anchor_at`. Those resolved or failed are read, if they were ever resolved.

    Returns
    -------
    pl.DataFrame
        `source`, `contact_id`, `mode`: one row per contact and way of failing that it shows, sorted.
    """
    known = taxonomy or Taxonomy.shipped()
    asked = outcomes.filter(pl.col("label").is_in(["resolved", "failed"]) & pl.col("anchor_at").is_not_null())
    left = traces(desk, asked.select(*KEY, "start_at", "anchor_at", failed_at="anchor_at"), promises=known.promises)
    rows = [left.clear().select(*KEY, mode=pl.lit(""))]
    for mode in known.modes:
        rows += [left.filter(_crossed(sign)).select(*KEY, mode=pl.lit(mode.slug)) for sign in mode.traces if sign.confidence >= LEAST]
    return pl.concat(rows).unique().sort(*KEY, "mode")


def _crossed(sign: Trace) -> pl.Expr:
    value = pl.col(sign.name)
    return (value >= sign.at_least if sign.at_least is not None else value <= sign.at_most).fill_null(False)


def _steps(value: pl.Expr, *, ends: tuple[float, float], levels: tuple[str, str, str]) -> pl.Expr:
    first, second, third = (pl.lit(level) for level in levels)
    return pl.when(value < ends[0]).then(first).when(value < ends[1]).then(second).when(value >= ends[1]).then(third)


def _either(what: pl.Expr, *, yes: str, no: str) -> pl.Expr:
    return pl.when(what).then(pl.lit(yes)).when(~what).then(pl.lit(no))


def _when(desk: Desk, capability: str, told: pl.Expr) -> pl.Expr:
    return told if desk.manifest.has(capability) else pl.lit(None, pl.String)


def _events(desk: Desk, asked: pl.DataFrame) -> pl.DataFrame:
    """What happened by the first resolution: was it escalated, was an article sent, who replied first?"""
    columns = ("seq", "at", "kind", "actor", "public", "is_auto", "article_id")
    story = desk.events.select(*KEY, *columns).join(asked, on=KEY, how="inner", maintain_order="left").filter(pl.col("at") <= pl.col("anchor_at"))
    reply = _SPOKEN & pl.col("actor").is_in(["agent", "bot"]) & (pl.col("at") >= pl.col("start_at"))
    return (
        story.sort(*KEY, "at", "seq")
        .group_by(KEY, maintain_order=True)
        .agg(
            escalated=(pl.col("kind") == "escalation").any(),
            sent=pl.col("article_id").is_not_null().any(),
            first_reply_by=pl.col("actor").cast(pl.String).filter(reply).first(),
        )
    )


def _first_agents(desk: Desk) -> pl.DataFrame:
    people = desk.agents.filter(pl.col("kind") == "human").select(first_agent="agent_id", hired_at="hired_at")
    return desk.contacts.select(*KEY, "first_agent").join(people, on="first_agent", how="left", maintain_order="left").select(*KEY, "hired_at")


def _article(desk: Desk) -> pl.Expr:
    """A desk on which no article was ever sent does not record them; one without a date is neither fresh nor stale."""
    if not desk.events["article_id"].is_not_null().any():
        return pl.lit(None, pl.String)
    stale = pl.col("stale_article_days") > STALE_DAYS
    return pl.when(~pl.col("sent").fill_null(False)).then(pl.lit("none")).otherwise(_either(stale, yes="stale", no="fresh"))


def _tenure() -> pl.Expr:
    """Who is said to have been hired after the contact started has a date that cannot be right."""
    days = (pl.col("start_at") - pl.col("hired_at")).dt.total_days()
    return pl.when(pl.col("start_at") >= pl.col("hired_at")).then(_either(days < NEW_DAYS, yes="under 90 days", no="90 days or longer"))


def _hours(time_zone: str) -> pl.Expr:
    local = pl.col("start_at").dt.convert_time_zone(time_zone).dt
    working = (local.weekday() <= FRIDAY) & (local.hour() >= OPENS) & (local.hour() < CLOSES)
    return _either(working, yes="weekdays 09-17", no="outside")
