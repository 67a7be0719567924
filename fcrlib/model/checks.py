"""What can be wrong with a contact's data, what does it do to the numbers, and what helps?

The checks as words and, where one contact at a time is enough to tell, as expressions. Counting is done where a desk is looked at.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import NamedTuple

import polars as pl

from fcrlib.model.tables import RESOLVED_STATUSES

SEVERITIES = ("stops", "weakens", "note", "clean")
NEVER = 2.0
FEWEST_IN_A_CROWD, WORKING_DAYS = 20, 5 / 7
GARBLED = "Ã[\u0080-\u00bf€‚ƒ„…†‡ˆ‰Š‹ŒŽ‘’“”•–—˜™š›œžŸ]|â€|Â[\u00a0-\u00bf]|\ufffd"
SPREADSHEET = r"^\d([.,]\d+)?[eE]\+?\d+$|^#+$"
CATCH_ALL = r"(?i)^\W*(others?|general|misc|miscellaneous|various|unknown|none|n/?a|tbd|not? set|uncategori[sz]ed|default|sonstiges?|allgemein|autres?|divers|otros?)\W*$"


class Check(NamedTuple):
    """What a check is about: the capability whose questions it touches (`time`: those about when, "" all), and from which share it is what."""

    touches: str
    note: float
    weakens: float
    stops: float
    so: str
    do: str


# fmt: off
CHECKS: dict[str, Check] = {
    "no customer": Check("has_customer", 0, 0.02, 0.5,
        "cannot be seen to come back, so it can only look resolved", "export the requester's number, not only a name"),
    "no customer, on channels that know theirs far less": Check("has_customer", 0, 0, NEVER,
        "these channels look better than the others for this reason alone", "compare channels only where the coverage is alike"),
    "more contacts than a person would open": Check("has_customer", 0, 0.05, 0.5,
        "a shared login, a front desk or a machine looks like one customer who keeps coming back", "find the login and leave its reference empty"),
    "customer is one of the agents": Check("has_customer", 0, 0.05, 0.5,
        "work the desk gives itself counts as customers' contacts", "mark contacts opened by staff as internal"),
    "number damaged by a spreadsheet": Check("has_customer", 0, 0, 0.05,
        "different customers or contacts end up under one number such as 6.02E+11", "export anew and do not open the file in a spreadsheet"),
    "no category": Check("has_category", 0, 0.1, 0.5,
        "never counts as the same issue, so its repeats are missed", "export the field, or use a definition that needs no category"),
    "a category that holds everything": Check("has_category", 0, 0.2, 0.8,
        "two different problems under one label look like one that came back", "split the label, or read the texts of what it holds"),
    "channel word nobody knows": Check("", 0, 0.05, NEVER,
        "counted under the channel `other`", "map the word to a channel when importing"),
    "opened at midnight sharp": Check("time", 0.01, 0.05, 0.5,
        "a date without a time: the order within a day and every duration are guesses", "export the field with its time"),
    "opened on a round five minutes": Check("time", 0.3, 0.6, NEVER,
        "times entered by hand or rounded: short durations are not to be believed", "use the system's own opening time"),
    "opened at night": Check("time", 0, 0, NEVER,
        "as much at night as by day, or a day that peaks at odd hours: the zone of the times may be wrong", "check the export's time zone"),
    "instant after the data end": Check("", 0, 0.01, 0.2,
        "what lies after the data end is not looked at", "check the data end and the clock of the export"),
    "same customer, same second": Check("has_customer", 0, 0.02, 0.5,
        "one contact under two numbers counts twice", "check whether two exports or two sources overlap"),
    "submitted twice": Check("", 0, 0.1, NEVER,
        "counted once", "nothing, unless it is much: look at the form that sends it"),
    "close to the start of the data": Check("has_customer", 0, 0.25, 1,
        "may be a repeat of something before the data", "export at least one window more before the period"),
    "missing in the last three days": Check("time", 0, 0, NEVER,
        "less than half of the usual contacts: come-backs in these days cannot be seen", "export again later, or set the data end earlier"),
    "resolved, watched beyond the last contact": Check("has_customer", 0, 0.02, 0.5,
        "the data end lies long after the last contact, so silence is taken for resolution", "set the data end to when the export was made"),
    "weeks with hardly any contacts": Check("", 0, 0, 0.25,
        "part of the export is missing: contacts before the gap look resolved", "export the missing weeks"),
    "resolved at the very opening": Check("time", 0, 0.05, 0.5,
        "logged after the work was done: durations are zero and the window starts too early", "use the time of the answer where there is one"),
    "resolved within a minute": Check("time", 0, 0.1, NEVER,
        "closed without work, or entered afterwards", "read ten of them"),
    "solved without an instant": Check("time", 0, 0.01, 0.5,
        "nobody knows when: judged as open", "export when it was resolved, or the status history"),
    "closed without an answer": Check("has_messages", 0, 0.05, 0.9,
        "left out or counted as resolved, as the definition says", "read ten of them: are answers given on a channel that is not exported?"),
    "closed, nothing heard after the answer": Check("has_messages", 0, NEVER, NEVER,
        "counted as resolved, but the customer may have given up", "ask a sample; the share is the most it can be"),
    "closed in bulk": Check("time", 0, 0.05, 0.5,
        "many at one instant: the clean-up of a backlog, not resolutions", "find the instant and mark these as closed by automation"),
    "open for more than thirty days": Check("time", 0, 0.05, 0.5,
        "neither resolved nor failed: the rate can move by this much", "close what is done, or set a deadline in the definition"),
    "text cut at a fixed length": Check("has_text", 0, 0.05, 0.5,
        "what the customer wrote last is missing", "export the full text"),
    "text that cannot be read": Check("has_text", 0, 0.02, 0.5,
        "letters such as Ã¼: words are counted as different ones", "export as UTF-8"),
}
# fmt: on


def crowd_limit(days: float) -> int:
    """More contacts than this are suspicious for one customer: one every working day, and 20 at least.

    Examples
    --------
    >>> crowd_limit(92), crowd_limit(7)
    (65, 20)
    """
    return max(FEWEST_IN_A_CROWD, int(days * WORKING_DAYS))


def flags(*, time_zones: Collection[str], agents: Collection[str], crowd: int) -> dict[str, tuple[pl.Expr, pl.Expr]]:
    """The checks that look at one contact at a time: whom each strikes, and whom it is asked of.

    Parameters
    ----------
    time_zones
        Zones whose midnight is suspicious.
    agents
        Ids of agents.
    crowd
        More contacts than this are suspicious for one customer.

    Returns
    -------
    dict
        Two yes/no expressions per check, over the columns of a judged contact (`start_at`, `anchor_at`, `label`, `reason`, `left_truncated`,
        `data_end`) and `held` (contacts of the customer), `answered_at`, `last_answer_at` and `heard_at` (first and last answer, last
        word of the customer), `talked` (on the phone), `called` (a call is recorded) and `rated` (answered a survey). Null counts as not struck.
    """
    everyone, known, solved = pl.col("opened_at").is_not_null(), pl.col("customer_ref").is_not_null(), pl.col("anchor_at").is_not_null()
    counts = (pl.col("label") != "excluded") | pl.col("reason").is_in(["no_response", "auto_closed"])
    took = pl.col("anchor_at") - pl.col("start_at")
    midnight = pl.any_horizontal(_sharp(pl.col("opened_at").dt.convert_time_zone(zone)) for zone in sorted({"UTC", *time_zones}))
    later = pl.any_horizontal(pl.col(name) > pl.col("data_end") for name in ("opened_at", "first_resolved_at", "last_resolved_at", "closed_at"))
    # Short numbers are not ids of one space: customer 7 and agent 7 are two people.
    staff = pl.col("customer_ref").is_in(list(agents)) & ~pl.col("customer_ref").str.contains(r"^\d{1,5}$")
    answered = solved & counts & ~pl.col("talked") & ~pl.col("called") & (pl.col("answered_at") <= pl.col("anchor_at")).fill_null(False)
    return {
        "no customer": (~known, everyone),
        "more contacts than a person would open": (pl.col("held") > crowd, known),
        "customer is one of the agents": (staff, known & ~pl.col("is_internal")),
        "number damaged by a spreadsheet": (pl.any_horizontal(pl.col("contact_id", "customer_ref").str.contains(SPREADSHEET)), everyone),
        "no category": (pl.col("category").is_null(), everyone),
        "opened at midnight sharp": (midnight, everyone),
        "opened on a round five minutes": (_round(pl.col("opened_at")), ~midnight),
        "instant after the data end": (later, everyone),
        "same customer, same second": (
            ~pl.struct("customer_ref", "opened_at").is_first_distinct(),
            known & ~midnight & pl.col("merged_into").is_null(),
        ),
        "submitted twice": (pl.col("reason") == "duplicate_submission", everyone),
        "close to the start of the data": (pl.col("left_truncated"), everyone),
        "resolved at the very opening": (took <= pl.duration(), solved & (pl.col("initiated_by") != "company")),
        "resolved within a minute": (took.dt.total_microseconds().is_between(1, 59_999_999), solved),
        "solved without an instant": (
            ~solved & pl.all_horizontal(pl.col("first_resolved_at", "closed_at").is_null()),
            pl.col("status").is_in(RESOLVED_STATUSES),
        ),
        "closed without an answer": (~(pl.col("answered_at") <= pl.col("anchor_at")).fill_null(False) & ~pl.col("talked"), solved & counts),
        "closed, nothing heard after the answer": (~(pl.col("heard_at") > pl.col("last_answer_at")).fill_null(False) & ~pl.col("rated"), answered),
        "open for more than thirty days": (~solved & (pl.col("data_end") - pl.col("start_at") > pl.duration(days=30)), counts),
        "text that cannot be read": (
            pl.any_horizontal(pl.col("subject", "body", "category").str.contains(GARBLED)),
            pl.col("body").is_not_null() | pl.col("subject").is_not_null(),
        ),
    }


def _sharp(instant: pl.Expr) -> pl.Expr:
    return (instant.dt.hour() == 0) & (instant.dt.minute() == 0) & (instant.dt.second() == 0) & (instant.dt.microsecond() == 0)


def _round(instant: pl.Expr) -> pl.Expr:
    return (instant.dt.minute() % 5 == 0) & (instant.dt.second() == 0) & (instant.dt.microsecond() == 0)
