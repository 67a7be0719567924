"""What happened with this one contact, event by event, and which rule decided its label?

Label, reasons and instants are the judge's own; the story only puts them beside what happened. Rows that are not events of
the contact stand in it too: the customer's other contacts, the end of the window, the deadline, the end of the data.
"""

from __future__ import annotations

import difflib
from datetime import datetime, timedelta
from typing import Any

import polars as pl

from fcrlib.intake.tables.worksheet import one_line
from fcrlib.judge.facts import AT
from fcrlib.judge.related import equals, first_that_holds, instant, never_met, related
from fcrlib.model.errors import UsageError
from fcrlib.model.policy import Policy, in_words
from fcrlib.model.tables import RESOLVED_STATUSES
from fcrlib.study import Study

TEXT = 200
FAILS = {
    "parallel_contact": "a parallel contact about the same issue",
    "repeat_contact": "a repeat about the same issue",
    "reopened": "reopened inside the window",
    "escalated": "escalated",
    "transferred": "transferred",
    "survey_no": "the customer says that it was not resolved",
    "extra_customer_reply": "one customer message too many",
    "extra_agent_reply": "one reply too many",
    "several_agents": "one agent too many",
    "put_on_hold": "put to wait",
    "no_response": "resolved without any answer",
    "auto_closed": "closed by the system for inactivity",
    "deferred": "resolved later than the definition allows",
    "unresolved": "still not resolved at the deadline",
}
LEFT_OUT = {
    "deleted": "it was deleted",
    "spam": "it is spam",
    "merged": "it was merged into another contact",
    "internal": "it is the company's own",
    "test": "it is a test",
    "side_conversation": "it is a side conversation",
    "company_initiated": "the company wrote first and the customer never answered",
    "abandoned": "the customer gave up before anyone could answer",
    "duplicate_submission": "it is another contact, sent twice",
    "no_response": "it was resolved without any answer",
    "auto_closed": "the system closed it for inactivity",
    "no_answer": "the survey was not answered",
}
_SPEECH = ["extra_customer_reply", "extra_agent_reply", "several_agents", "reopened"]
_ROLES = {
    "status": ["reopened", "put_on_hold", "several_agents"],
    "message": _SPEECH,
    "call_leg": _SPEECH,
    "transfer": ["transferred", "several_agents"],
    "escalation": ["escalated", "several_agents"],
    "answer": ["survey_no"],
    "other": ["repeat_contact", "parallel_contact"],
    "anchor": ["deferred", "no_response", "auto_closed", "several_agents"],
    "deadline": ["unresolved"],
}
_CUSTOMER_MESSAGE = (pl.col("kind") == "message") & (pl.col("actor") == "customer") & pl.col("public")
_TO_RESOLVED = pl.col("status_to").is_in(RESOLVED_STATUSES)
_COLUMNS: dict[str, Any] = {"at": AT, "place": pl.Int64, "kind": pl.String, "who": pl.String, "what": pl.String, "text": pl.String, "rule": pl.String}


def story(study: Study, *, contact: str = "", source: str | None = None) -> pl.DataFrame:
    """Tell one contact from its start to the end of its window, event by event.

    Parameters
    ----------
    contact
        Its id; the first failed contact of the period where none is given.
    source
        Where the id exists in several sources: which.

    Returns
    -------
    pl.DataFrame
        In the order of time: `at` (UTC), `who` (customer, agent, bot, system, the rule), `what` happened, `text` (redacted, one short line),
        `rule`: what it meant under the definition, null where it meant nothing.

    Raises
    ------
    UsageError
        If there is no such contact (near ids are named), or several sources have it.
    """
    me = found(study, contact=contact, source=source)
    rows = pl.concat([_own(study, me), _opening(me), _answers(study, me), _others(study, me), _merged(study, me), _moments(study, me)])
    rows = _with_failures(_with_anchor(rows, study.policy, me), me)
    plain = [one_line(pl.col(name)).alias(name) for name in ("who", "what", "rule")]
    return rows.sort("at", "place").select("at", *plain[:2], _shortened("text"), plain[2])


def found(study: Study, *, contact: str = "", source: str | None = None) -> dict[str, Any]:
    """The contact with its outcome, as one row of `Study.everything`; errors as in `story`."""
    if not contact:
        failed = study.contacts.filter(pl.col("label") == "failed").sort("start_at", "source", "contact_id")
        first = failed if failed.height else study.contacts.sort("start_at", "source", "contact_id")
        contact, source = first.select("contact_id", "source").row(0)
    rows = _numbered(study).filter((pl.col("contact_id") == contact) & (equals("source", source) | (source is None)))
    if rows.is_empty():
        where = f" in source '{source}'" if source else ""
        raise UsageError(f"there is no contact '{contact}'{where}", _near(study, contact))
    if rows.height > 1:
        raise UsageError(
            f"{rows.height} sources have a contact '{contact}': say which with --source", [f"--source {name}" for name in rows["source"]]
        )
    return rows.row(0, named=True)


def _near(study: Study, contact: str) -> list[str]:
    """Ids that look like the one asked for; what contains it is tried before what is spelled like it."""
    ids = study.everything["contact_id"].unique().sort()
    inside = ids.filter(ids.str.to_lowercase().str.contains(contact.lower().strip("# "), literal=True)).head(3).to_list()
    alike = ids.filter(ids.str.starts_with(contact[:2])).head(20_000).to_list()
    near = inside or difflib.get_close_matches(contact, alike or ids.head(20_000).to_list(), n=3)
    sources = study.everything["source"].unique().sort().to_list()
    return [f"did you mean {', '.join(near)}?" if near else f"ids look like {ids[0]}", f"sources: {', '.join(sources)}"]


def _numbered(study: Study) -> pl.DataFrame:
    """Every contact with its outcome and its row number `i`, which breaks ties between equal instants."""
    return study.everything.with_row_index("i")


def _shortened(name: str) -> pl.Expr:
    line = one_line(pl.col(name))
    short = pl.when(line.str.len_chars() > TEXT).then(line.str.head(TEXT - 1) + "…").otherwise(line)
    return pl.when(short.str.len_chars() > 0).then(short).alias(name)


def _rows(rows: list[dict[str, Any]]) -> pl.DataFrame:
    return pl.DataFrame(rows, schema=_COLUMNS)


def _row(at: datetime | None, place: int, kind: str, who: str, what: str, rule: str | None, text: str | None = None) -> list[dict[str, Any]]:
    """One row, or none where the instant is not known."""
    return [] if at is None else [{"at": at, "place": place, "kind": kind, "who": who, "what": what, "text": text, "rule": rule}]


def _own(study: Study, me: dict[str, Any]) -> pl.DataFrame:
    """The contact's own events up to the data end."""
    mine = (pl.col("source") == me["source"]) & (pl.col("contact_id") == me["contact_id"]) & (pl.col("at") <= me["data_end"])
    events = study.desk.events.filter(mine).sort("at", "seq").with_columns(place=100 + pl.int_range(pl.len()))
    first = (pl.col("kind") == "status") & _TO_RESOLVED & (pl.col("at") == instant(me["anchor_at"]))
    is_anchor = first.fill_null(False) & (first.fill_null(False).cum_sum() == 1)
    events = events.join(_reopenings(events, me), on="place", how="left", maintain_order="left")
    return events.select(
        "at",
        pl.col("place").cast(pl.Int64),
        pl.when(is_anchor).then(pl.lit("anchor")).otherwise(pl.col("kind").cast(pl.String)).alias("kind"),
        _who().alias("who"),
        _what().alias("what"),
        "text",
        pl.when(is_anchor).then(pl.lit(_anchor_rule(study.policy, me))).otherwise(_own_rule(study.policy, me)).alias("rule"),
    )


def _who() -> pl.Expr:
    named = pl.format("agent {}", pl.col("actor_id").fill_null(""))
    actor = pl.col("actor").cast(pl.String)
    return pl.when(actor == "agent").then(named).when(actor == "unknown").then(pl.lit("not known")).otherwise(actor)


def _what() -> pl.Expr:
    kind, actor = pl.col("kind").cast(pl.String), pl.col("actor").cast(pl.String)
    by = pl.coalesce(pl.format(" by {}", pl.col("channel").cast(pl.String)), pl.lit(""))
    told = pl.when(actor == "customer").then(pl.lit("wrote")).otherwise(pl.lit("replied"))
    sides = pl.coalesce(pl.format(" from {} to {}", "group_from", "group_to"), pl.format(" to {}", "group_to"), pl.lit(""))
    same = (pl.col("group_from") == pl.col("group_to")).fill_null(False)
    sides = pl.when(same).then(pl.coalesce(pl.format(" from agent {} to {}", "agent_from", "agent_to"), pl.lit(""))).otherwise(sides)
    to = pl.coalesce(pl.col("status_to").cast(pl.String), pl.lit("another status"))
    words = {
        "message": pl.when(~pl.col("public"))
        .then(pl.lit("wrote an internal note"))
        .when("is_auto")
        .then(pl.lit("automatic message"))
        .otherwise(told + by),
        "note": pl.lit("wrote an internal note"),
        "status": pl.coalesce(pl.format("set from {} to {}", pl.col("status_from").cast(pl.String), to), pl.format("set to {}", to)),
        "assignment": pl.format("assigned{}", sides),
        "transfer": pl.format("handed{}", sides),
        "escalation": pl.format("escalated{}", sides),
        "merge": pl.lit("merged with another contact"),
        "survey": pl.lit("sent a survey"),
        "article": pl.format("sent article {}", pl.col("article_id").fill_null("not known")),
        "call_leg": pl.when(actor == "customer").then(pl.lit("called")).otherwise(pl.lit("spoke on the phone")),
    }
    chosen: Any = pl.when(False).then(pl.lit(""))
    for name, said in words.items():
        chosen = chosen.when(kind == name).then(said)
    what: pl.Expr = chosen.otherwise(kind)
    return what


def _reopenings(events: pl.DataFrame, me: dict[str, Any]) -> pl.DataFrame:
    """The status changes with what they came from, and whether the customer had spoken or asked since the one before: `place`, ..."""
    asked = _CUSTOMER_MESSAGE & ~pl.col("is_ack").fill_null(False)
    counts = events.with_columns(said=_CUSTOMER_MESSAGE.cum_sum().max().over("at"), asked=asked.cum_sum().max().over("at"))
    settled = counts.filter(pl.col("at") <= instant(me["anchor_at"])).select(pl.col("said", "asked").max().fill_null(0)).row(0)
    states = counts.filter(pl.col("kind") == "status").with_columns(came_from=pl.coalesce(pl.col("status_to").shift(1), "status_from"))
    since = [pl.col(name) > pl.col(name).shift(1).fill_null(before) for name, before in zip(("said", "asked"), settled, strict=True)]
    return states.select("place", "came_from", *since)


def _own_rule(policy: Policy, me: dict[str, Any]) -> pl.Expr:
    """What an event meant, before anything is said about failures: the first line that holds."""
    is_status, is_message = pl.col("kind") == "status", pl.col("kind") == "message"
    was_resolved = pl.col("came_from").is_in(RESOLVED_STATUSES).fill_null(False)
    later = (pl.col("at") > instant(me["anchor_at"])).fill_null(False)
    opened = is_status & was_resolved & ~_TO_RESOLVED.fill_null(True) & later
    answer = (
        pl.col("public")
        & ~pl.col("is_auto")
        & ((is_message & pl.col("actor").is_in(["agent", "bot"])) | ((pl.col("kind") == "call_leg") & (pl.col("actor") == "agent")))
    )
    lines = {
        "before the customer's first message: not looked at": pl.col("at") < instant(me["start_at"]),
        "after the window: not heard": (pl.col("at") > instant(me["horizon_at"])).fill_null(False),
        "reopened by the system without the customer: counts for nothing": opened & ~pl.col("said") & (pl.col("actor") == "system"),
        "reopened by a thank-you: counts only if more follows before it is solved again": opened & pl.col("said") & ~pl.col("asked"),
        "reopened": opened,
        "solved already: closing it changes nothing": is_status & was_resolved & _TO_RESOLVED & later,
        "solved again": is_status & _TO_RESOLVED & later,
        "a thank-you: counts for nothing": is_message & pl.col("is_ack").fill_null(False),
        "automatic: no answer": is_message & pl.col("is_auto"),
        "internal: no answer": pl.col("kind").is_in(["message", "note"]) & ~pl.col("public"),
        "first answer": answer & (answer.cum_sum() == 1),
        "handing it over does not fail it": (pl.col("kind") == "transfer") & (policy.transfer != "any"),
        "escalating it does not fail it": (pl.col("kind") == "escalation") & (policy.transfer == "ignore"),
    }
    return first_that_holds(lines)


def _opening(me: dict[str, Any]) -> pl.DataFrame:
    """The opening, and the start where it is another moment."""
    who = {"customer": "customer", "company": "the company", "system": "system"}.get(me["initiated_by"], "not known")
    what = f"opened it by {me['channel']}" + (f" about {me['category']}" if me["category"] else "")
    apart = me["start_at"] != me["opened_at"]
    rule = "the company wrote first: the customer's first message starts it" if apart else _start_rule(me)
    start = _row(me["start_at"], 1, "start", "the rule", "the customer's first message", _start_rule(me)) if apart else []
    return _rows([*_row(me["opened_at"], 0, "opening", who, what, rule, me["subject"] or me["body"]), *start])


def _start_rule(me: dict[str, Any]) -> str:
    if me["label"] == "repeat":
        return f"a repeat: counted with the first contact of the issue, {me['repeat_of']}, and not again"
    if me["reason"] == "duplicate_submission":
        return f"left out: it is contact {me['duplicate_of']}, sent twice"
    return f"left out: {LEFT_OUT[me['reason']]}" if never_met(me) else "start of the contact"


def _anchor_rule(policy: Policy, me: dict[str, Any]) -> str:
    opens = f"the window of {in_words(policy.window)} opens" if policy.window else "no window is waited for"
    out = f"; {LEFT_OUT[me['reason']]}: left out" if me["label"] == "excluded" and me["reason"] in ("no_response", "auto_closed") else ""
    return f"first resolution: {opens if policy.window is not None else 'whatever follows counts'}{out}"


def _with_anchor(rows: pl.DataFrame, policy: Policy, me: dict[str, Any]) -> pl.DataFrame:
    """The first resolution has a row even where no event tells of it."""
    if rows["kind"].is_in(["anchor"]).any():
        return rows
    return pl.concat([rows, _rows(_row(me["anchor_at"], 20_000_000, "anchor", "the export", "resolved", _anchor_rule(policy, me)))])


def _answers(study: Study, me: dict[str, Any]) -> pl.DataFrame:
    """What the customer said in the survey."""
    mine = (pl.col("source") == me["source"]) & (pl.col("contact_id") == me["contact_id"]) & (pl.col("answered_at") <= me["data_end"])
    said = pl.coalesce(pl.format("answered the survey, was it resolved: {}", pl.col("resolved").cast(pl.String)), pl.lit("answered the survey"))
    rating = pl.coalesce(pl.format(", rated {} on {}", "csat_raw", "csat_scale"), pl.lit(""))
    heard = pl.col("resolved").is_not_null()
    rule = first_that_holds(
        {
            "after the window: not heard": pl.col("answered_at") > instant(me["horizon_at"]),
            "the survey does not decide under this definition": heard & (study.policy.survey == "ignore"),
            "confirmed by the customer": pl.col("resolved") == "yes",
        }
    )
    rows = study.desk.surveys.filter(mine).sort("answered_at", "seq")
    return rows.select(
        at="answered_at", place=5_000_000 + pl.int_range(pl.len(), dtype=pl.Int64), kind=pl.lit("answer"), who=pl.lit("customer"),
        what=said + rating, text="comment", rule=rule,
    )  # fmt: skip


def _others(study: Study, me: dict[str, Any]) -> pl.DataFrame:
    """The customer's other contacts, and why they count or do not."""
    rows = related(_numbered(study), me=me, policy=study.policy)
    start, before = pl.col("start_at"), pl.col("position") == "before"
    ties = {me["repeat_of"]: "the first contact of the issue: this one is a repeat of it", me["duplicate_of"]: "this is the same contact, sent again"}
    tie = pl.col("contact_id").replace_strict({name: words for name, words in ties.items() if name}, default=None, return_dtype=pl.String)
    again = pl.when(before & equals("repeat_of", me["repeat_of"])).then(pl.lit("an earlier contact of the same chain"))
    heard = pl.lit(f": counts against the first contact, {me['repeat_of']}" if me["label"] == "repeat" else "")
    heard = pl.lit("; only the survey decides") if study.policy.survey == "decides" else heard
    lines = {"open": ", while this one was open", "inside": ", inside the window", "after": ", but after the window: not heard"}
    place = pl.col("position").replace_strict(lines, default="", return_dtype=pl.String)
    late = pl.col("position") == "after"
    rule = pl.coalesce(tie, again, pl.when("same").then(pl.col("why") + place + pl.when(late).then(pl.lit("")).otherwise(heard)).otherwise("why"))
    about = pl.coalesce(pl.format(" about {}", "category"), pl.lit(""))
    told = rows.select(
        at=start, place=pl.lit(10_000_000, pl.Int64), kind=pl.when(pl.col("same") & ~late & ~before).then(pl.lit("other")).otherwise(pl.lit("apart")),
        who=pl.when("is_person").then(pl.lit("same customer")).otherwise(pl.lit("another customer")),
        what=pl.format("opened contact {} by {}{}", "contact_id", pl.col("channel").cast(pl.String), about),
        text=pl.concat_str("subject", "body", separator=": ", ignore_nulls=True), rule=rule,
    )  # fmt: skip
    return told


def _merged(study: Study, me: dict[str, Any]) -> pl.DataFrame:
    """What the customer wrote in contacts that were merged into this one: it counts like a contact."""
    into = study.everything.filter((pl.col("source") == me["source"]) & equals("merged_into", me["contact_id"]))
    said = study.desk.events.filter(_CUSTOMER_MESSAGE & (pl.col("at") <= me["data_end"])).join(into, on=["source", "contact_id"], how="semi")
    silent = into.filter(pl.col("initiated_by") != "company").join(said, on=["source", "contact_id"], how="anti")
    rows = pl.concat([said.select("contact_id", "at", "text"), silent.select("contact_id", at="opened_at", text="body")]).sort("at", "contact_id")
    at, anchor = pl.col("at"), instant(me["anchor_at"])
    rule = first_that_holds(
        {
            "before the start: not looked at": at < instant(me["start_at"]),
            "the same submission": at - instant(me["start_at"]) <= study.policy.duplicate_gap,
            "counts as another contact, while this one was open": anchor.is_null() | (at <= anchor),
            "after the window: not heard": at > instant(me["horizon_at"]),
            "counts as another contact, inside the window": pl.lit(True),
        }
    )
    what = pl.format("wrote in contact {}, which was merged into this one", "contact_id")
    return rows.select(at, place=pl.lit(9_000_000, pl.Int64), kind=pl.lit("other"), who=pl.lit("same customer"), what=what, text="text", rule=rule)


def _moments(study: Study, me: dict[str, Any]) -> pl.DataFrame:
    """The end of the window, the deadline and the end of the data, where they matter."""
    policy, anchor, horizon, end = study.policy, me["anchor_at"], me["horizon_at"], me["data_end"]
    ends = f"the window of {in_words(policy.window)} ends" if policy.window else "no window is waited for"
    due = me["start_at"] + policy.resolve_deadline if policy.resolve_deadline and not never_met(me) else None
    missed = due is not None and (anchor is None or anchor > due)
    rule = "still open then, it fails" if me["label"] == "pending" else None
    over = anchor is not None and horizon is not None and horizon <= end
    return _rows(
        [
            *_row(horizon, 30_000_000, "horizon", "the rule", ends, _closing(me)),
            *(
                _row(due, 31_000_000, "deadline", "the rule", f"the deadline of {in_words(policy.resolve_deadline or timedelta())}", rule)
                if missed
                else []
            ),
            *([] if over else _row(end, 40_000_000, "end", "the rule", "the data ends", _ending(me))),
        ]
    )


def _closing(me: dict[str, Any]) -> str:
    """What the end of the window says."""
    unseen = "" if me["customer"] else "; the customer is not known, so a return on another contact could not be seen"
    words = {
        "resolved": "nothing that counts was heard: resolved",
        "failed": "it has failed",
        "repeat": "a contact about the issue until here belongs to the same chain",
        "excluded": "left out",
        "pending": "resolved if nothing is heard until then" if me["reason"] == "window" else "not settled yet: pending",
    }
    return words[me["label"]] + (unseen if me["label"] in ("resolved", "pending") else "")


def _ending(me: dict[str, Any]) -> str:
    """What the end of the data says about a contact whose window is still open."""
    pending = {"window": "the window is still open: pending", "not_started": "it had not started: pending"}
    settled = {
        "resolved": "nothing that counts was heard: resolved",
        "failed": "it has failed",
        "repeat": "the chain is still open",
        "excluded": "left out",
    }
    open_still = "not resolved yet: pending" if me["anchor_at"] is None else "a thank-you has it open again: pending"
    return settled.get(me["label"]) or pending.get(me["reason"], open_still)


def _with_failures(rows: pl.DataFrame, me: dict[str, Any]) -> pl.DataFrame:
    """Put each failure on the row that made it, or on a row of its own where no event of the desk tells of it."""
    fails = (
        pl.DataFrame({"reason": me["reasons"], "at": me["reason_at"]}, schema={"reason": pl.String, "at": AT}) if me["label"] == "failed" else None
    )
    if fails is None:
        return rows
    said = pl.col("reason").replace_strict(FAILS, return_dtype=pl.String)
    first = pl.col("reason") == me["reason"]
    fails = fails.with_columns(said=said + pl.when(first).then(pl.lit(": this fails it")).otherwise(pl.lit(": this fails it as well")))
    fails = fails.with_row_index("order")
    roles = pl.DataFrame({"kind": list(_ROLES), "reason": list(_ROLES.values())}).explode("reason")
    numbered = rows.with_row_index("n")
    hits = numbered.join(roles, on="kind").join(fails, on=["at", "reason"]).sort("order", pl.col("kind") != "status", "place")
    hits = hits.unique("reason", keep="first", maintain_order=True)
    told = numbered.join(hits.group_by("n", maintain_order=True).agg(pl.col("said").str.join("; ")), on="n", how="left", maintain_order="left")
    keeps = pl.col("kind").is_in(["anchor", "other"])
    rule = pl.when(pl.col("said").is_null()).then("rule").when(keeps).then(pl.concat_str("rule", "said", separator="; ")).otherwise("said")
    lone = fails.join(hits.select("reason"), on="reason", how="anti")
    made = lone.select(
        "at",
        place=15_000_000,
        kind=pl.lit("lone"),
        who=pl.lit("the rule"),
        what=pl.lit("what the export does not tell apart"),
        text=pl.lit(None, pl.String),
        rule="said",
    )
    return pl.concat([told.with_columns(rule=rule).select(list(_COLUMNS)), made.cast(pl.Schema(_COLUMNS))])
