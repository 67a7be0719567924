"""What is known about each contact on its own, by the data end?

Everything here looks at one contact at a time: when it started, when it was first resolved and by whom, whether
anybody answered, and which of its own events would fail it. What other contacts do to it is the room `neighbours`.

Events are put in order once (contact, instant, file position); after that the first event of a kind per contact is a
filter, not a group.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import polars as pl

from fcrlib.model.columns import named
from fcrlib.model.policy import Policy
from fcrlib.model.tables import RESOLVED_STATUSES

EVENT_COLUMNS = (
    "source",
    "contact_id",
    "seq",
    "at",
    "kind",
    "actor",
    "actor_id",
    "public",
    "status_from",
    "status_to",
    "agent_to",
    "is_auto",
    "is_ack",
)
CONTACT_COLUMNS = (
    "source", "contact_id", "opened_at", "first_resolved_at", "closed_at", "initiated_by", "close_reason", "talk_seconds",
    "is_deleted", "is_spam", "merged_into", "is_internal", "is_test", "is_side_conversation", "is_abandoned",
)  # fmt: skip
AT = pl.Datetime("us", "UTC")
_CUSTOMER_MESSAGE = (pl.col("kind") == "message") & (pl.col("actor") == "customer") & pl.col("public")
_HUMAN_REPLY = (pl.col("kind").is_in(["message", "call_leg"])) & (pl.col("actor") == "agent") & pl.col("public") & ~pl.col("is_auto")
_ANSWER = _HUMAN_REPLY | ((pl.col("kind") == "message") & (pl.col("actor") == "bot") & pl.col("public") & ~pl.col("is_auto"))
_RESOLVED = pl.col("status_to").is_in(RESOLVED_STATUSES)


@dataclass(frozen=True, slots=True)
class Facts:
    """What each contact says about itself.

    Parameters
    ----------
    frame
        One row per contact, in the order given: `i` (row number), `excluded` (reason or null), `start_at`, `anchor_at`,
        `horizon_at` (null where no window is waited for), `no_answer`, `auto_closed`, `undecided_at` (a thank-you reopened it and
        nobody has settled it yet), `yes_at` (the customer said that it was resolved).
    failures
        One row per failure of a contact's own making: `i`, `at`, `reason`, and `inside_at`: what has to lie in the window for it to
        count, or null where the window does not matter.
    messages
        The customer's own messages in contacts that were merged into another: `i`, `at`.
    """

    frame: pl.DataFrame
    failures: pl.DataFrame
    messages: pl.DataFrame


def gather(contacts: pl.DataFrame, *, events: pl.DataFrame, surveys: pl.DataFrame, policy: Policy, data_end: datetime, messages_known: bool) -> Facts:
    """Read every contact's own story up to the data end.

    Parameters
    ----------
    contacts, events, surveys
        Canonical tables (`CONTACT_COLUMNS`, `EVENT_COLUMNS` and the survey columns are read).
    messages_known
        Whether the source records messages at all. Where it does not, silence is not known and excludes nobody.
    """
    known = contacts.with_row_index("i")
    story = in_order(events, contacts=known, data_end=data_end)
    frame = _resolutions(_starts(known, story), story, policy=policy, data_end=data_end)
    frame = _answers(frame, story, messages_known=messages_known)
    reopenings = _reopenings(frame, story)
    answers = _survey(frame, surveys=surveys, data_end=data_end)
    vetoes = answers.filter((pl.col("resolved") != "yes") & (policy.survey != "ignore"))
    inside = [*_handovers(frame, story, policy=policy), *_limits(frame, story, policy=policy), vetoes.select("i", "at", reason=pl.lit("survey_no"))]
    failures = pl.concat(
        [
            reopenings.filter(pl.col("at").is_not_null()).select("i", "at", reason=pl.lit("reopened"), inside_at="inside_at"),
            *(frame.select("i", "at", "reason", inside_at="at") for frame in inside),
            *(frame.with_columns(inside_at=pl.lit(None, AT)) for frame in _clocks(frame, policy=policy, data_end=data_end)),
        ]
    )
    undecided = reopenings.filter(pl.col("undecided")).group_by("i").agg(undecided_at=pl.col("inside_at").min())
    happy = first_per_contact(answers.filter(pl.col("resolved") == "yes")).select("i", yes_at="at")
    frame = frame.with_columns(excluded=_exclusion(policy=policy, data_end=data_end))
    merged = frame.filter(pl.col("excluded") == "merged").select("i", "opened_at", "initiated_by")
    frame = (
        frame.join(undecided, on="i", how="left", maintain_order="left")
        .join(happy, on="i", how="left", maintain_order="left")
        .select("i", "excluded", "start_at", "anchor_at", "horizon_at", "no_answer", "auto_closed", "undecided_at", "yes_at")
    )
    return Facts(frame, failures, _merged_messages(merged, story))


def customer() -> pl.Expr:
    """Who asked: the person where customers have been joined, else the source and its own word; null where nobody is known."""
    return pl.coalesce("person", named("customer_ref"))


def in_key_order(contacts: pl.DataFrame) -> pl.DataFrame:
    """Contacts in key order, each once: overlapping exports hand over the same contact twice."""
    key = ["source", "contact_id"]
    source, number = (pl.col(name) for name in key)
    ascending = (source > source.shift(1)) | ((source == source.shift(1)) & (number > number.shift(1)))
    if contacts.select(ascending.fill_null(True).all()).item():
        return contacts
    return contacts.unique(key, keep="last", maintain_order=True).sort(key)


def in_order(events: pl.DataFrame, *, contacts: pl.DataFrame, data_end: datetime) -> pl.DataFrame:
    """Events known by the data end, ordered by contact, instant and file position, with the contact's row number `i`."""
    story = events.select(EVENT_COLUMNS).filter(pl.col("at") <= data_end)
    if not _is_ordered(story):
        once = story.unique(["source", "contact_id", "seq"], keep="last", maintain_order=True)
        story = once.sort("source", "contact_id", "at", "seq")
    story = story.with_columns(new=_changes("contact_id") | _changes("source"))
    heads = story.filter("new").select("source", "contact_id")
    rows = heads.join(contacts.select("source", "contact_id", "i"), on=["source", "contact_id"], how="left", maintain_order="left")["i"]
    numbered = story.with_columns(i=rows.gather(story["new"].cum_sum() - 1)) if rows.len() else story.with_columns(i=pl.lit(None, pl.UInt32))
    return numbered.filter(pl.col("i").is_not_null()).drop("source", "contact_id", "new")


def _changes(column: str) -> pl.Expr:
    return pl.col(column).ne_missing(pl.col(column).shift(1)) | (pl.int_range(pl.len()) == 0)


def _is_ordered(events: pl.DataFrame) -> bool:
    later = pl.lit(False)
    for column in ("seq", "at", "contact_id", "source"):
        here, before = pl.col(column), pl.col(column).shift(1)
        later = (here > before) | ((here == before) & later) if column != "seq" else here > before
    return bool(events.select(later.fill_null(True).all()).item())


def first_per_contact(ordered: pl.DataFrame) -> pl.DataFrame:
    """The first row of each contact in a frame that is ordered by `i`."""
    return ordered.filter(_changes("i"))


def _starts(contacts: pl.DataFrame, story: pl.DataFrame) -> pl.DataFrame:
    """The start is the opening; for outreach by the company it is the customer's first message."""
    outreach = contacts.filter(pl.col("initiated_by") == "company").select("i")
    replies = first_per_contact(story.filter(_CUSTOMER_MESSAGE).join(outreach, on="i", how="semi", maintain_order="left"))
    replied = contacts.join(replies.select("i", replied_at="at"), on="i", how="left", maintain_order="left")
    start = pl.when(pl.col("initiated_by") == "company").then("replied_at").otherwise("opened_at")
    return replied.with_columns(start_at=start.fill_null(pl.col("opened_at")))


def _resolutions(contacts: pl.DataFrame, story: pl.DataFrame, *, policy: Policy, data_end: datetime) -> pl.DataFrame:
    """The anchor is the first resolution at or after the start that is known by the data end."""
    solved = story.filter((pl.col("kind") == "status") & _RESOLVED).select("i", "at", "actor")
    solved = solved.with_columns(start_at=contacts["start_at"].gather(solved["i"]))
    first = first_per_contact(solved.filter(pl.col("at") >= pl.col("start_at"))).select("i", event_at="at", anchor_actor="actor")
    told = [pl.when(pl.col(name).is_between("start_at", data_end)).then(name) for name in ("first_resolved_at", "closed_at")]
    joined = contacts.join(first, on="i", how="left", maintain_order="left")
    joined = joined.join(_solved_before(contacts, story), on="i", how="left", maintain_order="left")
    settled = pl.when(pl.col("was_solved")).then("start_at")
    anchor = pl.coalesce(settled, "event_at", pl.min_horizontal(told))
    return joined.with_columns(anchor_at=anchor).with_columns(horizon_at=pl.col("anchor_at") + pl.lit(policy.window, pl.Duration("us")))


def _solved_before(contacts: pl.DataFrame, story: pl.DataFrame) -> pl.DataFrame:
    """Outreach that is solved when the customer replies, and is not reopened by the reply, is resolved at its start."""
    outreach = contacts.filter((pl.col("initiated_by") == "company") & pl.col("replied_at").is_not_null()).select("i", "start_at")
    states = story.filter(pl.col("kind") == "status").join(outreach, on="i", maintain_order="left").filter(pl.col("at") <= pl.col("start_at"))
    return states.filter(pl.col("i").ne_missing(pl.col("i").shift(-1))).select("i", was_solved=_RESOLVED)


def _answers(contacts: pl.DataFrame, story: pl.DataFrame, *, messages_known: bool) -> pl.DataFrame:
    """Did anybody answer by the first resolution, and did the system close it for silence?"""
    answered = first_per_contact(story.filter(_ANSWER)).select("i", answered_at="at")
    joined = contacts.join(answered, on="i", how="left", maintain_order="left")
    spoken = (pl.col("talk_seconds") > 0).fill_null(False)
    silent = (pl.col("answered_at") <= pl.col("anchor_at")).fill_null(False).not_() & ~spoken
    by_system = (pl.col("anchor_actor") == "system").fill_null(True)
    return joined.with_columns(
        no_answer=pl.col("anchor_at").is_not_null() & silent & messages_known,
        auto_closed=pl.col("anchor_at").is_not_null() & (pl.col("close_reason") == "inactivity").fill_null(False) & by_system,
    )


def _reopenings(contacts: pl.DataFrame, story: pl.DataFrame) -> pl.DataFrame:
    """Each reopening inside the window: `i`, `inside_at`, `at` (when it became a failure, or null) and whether it is `undecided`.

    Solved to closed is none; the system's own without a customer message is none. One that a thank-you caused becomes a
    failure only when an agent replies in public again or the customer writes more than thanks before it is re-solved.
    """
    states = story.filter(pl.col("kind") == "status").select("i", "at", "actor", "status_from", "status_to", row=pl.int_range(pl.len()))
    same = pl.col("i") == pl.col("i").shift(1)
    before = pl.coalesce(pl.when(same).then(pl.col("status_to").shift(1)), "status_from")
    states = states.with_columns(
        opened=before.is_in(RESOLVED_STATUSES).fill_null(False) & ~_RESOLVED.fill_null(True),
        solved_before=pl.when(same).then(pl.col("at").shift(1)),
        solved_next=_next_resolution(),
    )
    states = states.with_columns(anchor_at=contacts["anchor_at"].gather(states["i"]), horizon_at=contacts["horizon_at"].gather(states["i"]))
    within = (pl.col("at") > pl.col("anchor_at")) & ((pl.col("at") <= pl.col("horizon_at")) | pl.col("horizon_at").is_null())
    reopened = states.filter(pl.col("opened") & within).with_columns(pl.col("solved_before").fill_null(pl.col("anchor_at")))
    return _judge_reopenings(reopened, story.join(reopened.select("i"), on="i", how="semi", maintain_order="left"))


def _next_resolution() -> pl.Expr:
    """The next resolution of the same contact after each status change, or null."""
    at = pl.when(_RESOLVED).then("at").shift(-1).backward_fill()
    whose = pl.when(_RESOLVED).then("i").shift(-1).backward_fill()
    return pl.when(whose == pl.col("i")).then(at)


def _judge_reopenings(reopened: pl.DataFrame, story: pl.DataFrame) -> pl.DataFrame:
    thanks = pl.col("is_ack").fill_null(False)
    notable = story.filter(_CUSTOMER_MESSAGE | _HUMAN_REPLY).select(
        "i",
        "at",
        said=_CUSTOMER_MESSAGE,
        asked=_CUSTOMER_MESSAGE & ~thanks,
        more=_HUMAN_REPLY | (_CUSTOMER_MESSAGE & ~thanks),
    )
    counts = notable.with_columns(pl.col("said", "asked").cast(pl.UInt32).cum_sum())
    until = _as_of(reopened, counts, at="at")
    since = _as_of(reopened, counts, at="solved_before")
    more = notable.filter("more").select("i", more_at="at").sort("more_at")
    after = reopened.sort("at").join_asof(
        more, left_on="at", right_on="more_at", by="i", strategy="forward", allow_exact_matches=False, check_sortedness=False
    )
    judged = reopened.with_columns(said=until["said"] - since["said"], asked=until["asked"] - since["asked"])
    judged = judged.join(after.select("row", "more_at"), on="row", how="left", maintain_order="left")
    more_in_time = pl.when((pl.col("more_at") <= pl.col("solved_next")) | pl.col("solved_next").is_null()).then("more_at")
    by_thanks = (pl.col("said") > 0) & (pl.col("asked") == 0)
    by_system = (pl.col("actor") == "system") & (pl.col("said") == 0)
    return judged.select(
        "i",
        inside_at="at",
        at=pl.when(by_system).then(None).when(by_thanks).then(more_in_time).otherwise("at"),
        undecided=by_thanks & more_in_time.is_null() & pl.col("solved_next").is_null(),
    )


def _as_of(rows: pl.DataFrame, counts: pl.DataFrame, *, at: str) -> pl.DataFrame:
    """Running counts of each row's contact up to and including the instant `at`, in the order of `rows`."""
    asked = rows.select("i", "row", when=at).sort("when")
    latest = asked.join_asof(counts.sort("at"), left_on="when", right_on="at", by="i", strategy="backward", check_sortedness=False)
    return rows.select("row").join(latest, on="row", how="left", maintain_order="left").select(pl.col("said", "asked").fill_null(0).cast(pl.Int64))


def _until_horizon(events: pl.DataFrame, contacts: pl.DataFrame) -> pl.DataFrame:
    """Events from the contact's start to the end of its window, or all later ones while it is unresolved."""
    start, horizon = (contacts[name].gather(events["i"]) for name in ("start_at", "horizon_at"))
    inside = ((pl.col("at") <= pl.col("horizon_at")) | pl.col("horizon_at").is_null()) & (pl.col("at") >= pl.col("start_at"))
    return events.with_columns(start_at=start, horizon_at=horizon).filter(inside)


def _handovers(contacts: pl.DataFrame, story: pl.DataFrame, *, policy: Policy) -> list[pl.DataFrame]:
    kinds = {"ignore": (), "escalation": (("escalation", "escalated"),), "any": (("escalation", "escalated"), ("transfer", "transferred"))}
    return [
        first_per_contact(_until_horizon(story.filter(pl.col("kind") == kind), contacts)).select("i", "at", reason=pl.lit(reason))
        for kind, reason in kinds[policy.transfer]
    ]


def _limits(contacts: pl.DataFrame, story: pl.DataFrame, *, policy: Policy) -> list[pl.DataFrame]:
    """The message, reply, agent or wait that was one too many."""
    limits = (policy.max_customer_replies, policy.max_agent_replies, policy.max_agents)
    if all(limit is None for limit in limits) and policy.waiting == "ignore":
        return []
    inside, found = _until_horizon(story, contacts), []
    if policy.max_customer_replies is not None:
        spoken = inside.filter((_CUSTOMER_MESSAGE & ~pl.col("is_ack").fill_null(False)) | _ANSWER)
        after_reply = spoken.filter(_ANSWER.cum_max().over("i") & _CUSTOMER_MESSAGE)
        found.append(_one_too_many(after_reply, limit=policy.max_customer_replies, reason="extra_customer_reply"))
    if policy.max_agent_replies is not None:
        found.append(_one_too_many(inside.filter(_HUMAN_REPLY), limit=policy.max_agent_replies, reason="extra_agent_reply"))
    if policy.max_agents is not None:
        seen = inside.with_columns(agent=pl.coalesce("agent_to", pl.when(pl.col("actor") == "agent").then("actor_id")))
        agents = seen.filter(pl.col("agent").is_not_null()).unique(["i", "agent"], keep="first", maintain_order=True)
        found.append(_one_too_many(agents, limit=policy.max_agents, reason="several_agents"))
    if policy.waiting == "fail":
        waits = inside.filter((pl.col("kind") == "status") & pl.col("status_to").is_in(["pending", "hold"]))
        found.append(_one_too_many(waits, limit=0, reason="put_on_hold"))
    return found


def _one_too_many(events: pl.DataFrame, *, limit: int, reason: str) -> pl.DataFrame:
    counted = events.with_columns(place=pl.int_range(pl.len()).over("i"))
    return counted.filter(pl.col("place") == limit).select("i", "at", reason=pl.lit(reason))


def _clocks(contacts: pl.DataFrame, *, policy: Policy, data_end: datetime) -> list[pl.DataFrame]:
    """Resolved too late, or not at all, or only in name."""
    found = []
    if policy.resolve_within is not None:
        late = pl.col("anchor_at") - pl.col("start_at") > policy.resolve_within
        found.append(_at_anchor(contacts, late, reason="deferred"))
    if policy.resolve_deadline is not None:
        found.append(_past_deadline(contacts, deadline=policy.resolve_deadline, data_end=data_end))
    if policy.zero_touch == "fail":
        found.append(_at_anchor(contacts, pl.col("no_answer"), reason="no_response"))
    if policy.auto_close == "fail":
        found.append(_at_anchor(contacts, pl.col("auto_closed"), reason="auto_closed"))
    return found


def _at_anchor(contacts: pl.DataFrame, when: pl.Expr, *, reason: str) -> pl.DataFrame:
    return contacts.filter(when).select("i", at="anchor_at", reason=pl.lit(reason))


def _past_deadline(contacts: pl.DataFrame, *, deadline: timedelta, data_end: datetime) -> pl.DataFrame:
    """Not resolved by the deadline is failed for good, however late the resolution comes."""
    due = pl.col("start_at") + deadline
    missed = (due <= data_end) & ((pl.col("anchor_at") > due) | pl.col("anchor_at").is_null())
    return contacts.filter(missed).select("i", at=due, reason=pl.lit("unresolved"))


def _survey(contacts: pl.DataFrame, *, surveys: pl.DataFrame, data_end: datetime) -> pl.DataFrame:
    """The answers to "was it resolved?", none later than the window: `i`, `at`, `resolved`."""
    if surveys.is_empty():
        return pl.DataFrame(schema={"i": pl.UInt32, "at": AT, "resolved": pl.String})
    heard = surveys.filter(pl.col("resolved").is_not_null() & (pl.col("answered_at") <= data_end))
    keyed = heard.join(contacts.select("source", "contact_id", "i"), on=["source", "contact_id"])
    answers = keyed.select("i", "seq", at="answered_at", resolved=pl.col("resolved").cast(pl.String)).sort("i", "at", "seq")
    return _until_horizon(answers, contacts).select("i", "at", "resolved")


def _merged_messages(merged: pl.DataFrame, story: pl.DataFrame) -> pl.DataFrame:
    """When the customer spoke in contacts that were merged away; at the opening where messages are not recorded."""
    said = story.filter(_CUSTOMER_MESSAGE).join(merged.select("i"), on="i", how="semi", maintain_order="left").select("i", "at")
    silent = merged.filter(pl.col("initiated_by") != "company").join(said, on="i", how="anti").select("i", at="opened_at")
    return pl.concat([said, silent])


def _exclusion(*, policy: Policy, data_end: datetime) -> pl.Expr:
    """The first reason, in the order of the rules, why a contact is no contact at all."""
    unanswered_outreach = (pl.col("initiated_by") == "company") & pl.col("replied_at").is_null()
    reasons = {
        "deleted": pl.col("is_deleted"),
        "spam": pl.col("is_spam"),
        "merged": pl.col("merged_into").is_not_null(),
        "internal": pl.col("is_internal"),
        "test": pl.col("is_test"),
        "side_conversation": pl.col("is_side_conversation"),
        "company_initiated": unanswered_outreach & (not policy.count_company_initiated),
        "abandoned": pl.col("is_abandoned"),
    }
    chosen: Any = pl.when(pl.col("opened_at") > data_end).then(None)
    for reason, holds in reasons.items():
        chosen = chosen.when(holds).then(pl.lit(reason))
    excluded: pl.Expr = chosen.otherwise(None)
    return excluded
