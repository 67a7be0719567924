"""What must a person read to say why a first contact failed?

The opening, the last answer, the internal notes, what the customer wrote on coming back, and the history in short words. Nothing here says what
the rules think, so that whoever reads it decides alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

import polars as pl

from fcrlib.model.columns import KEY, named
from fcrlib.model.desk import Desk
from fcrlib.signs.traces import traces

SHOWN = ("started", "channel", "category", "failed_how", "subject", "opening", "last_answer", "internal_notes", "came_back_with", "history")
HOW = {
    "parallel_contact": "another contact about it while it was open",
    "repeat_contact": "a new contact about it after it was resolved",
    "reopened": "reopened after it was resolved",
    "escalated": "escalated",
    "transferred": "handed over to another team",
    "survey_no": "the customer said in the survey that it was not resolved",
    "extra_customer_reply": "needed more answers than the definition allows",
    "extra_agent_reply": "needed more answers than the definition allows",
    "several_agents": "needed several agents",
    "put_on_hold": "put on hold",
    "no_response": "closed without an answer",
    "auto_closed": "closed by the system",
    "deferred": "put off",
    "unresolved": "never resolved",
}
_A_WHILE = timedelta(days=1)  # a reopening is often explained a few minutes after it happened
_AT_ONCE = timedelta(minutes=1)  # the opening of a contact and its first message are not always the same instant
_SEVERAL = 3


def shown(desk: Desk, outcomes: pl.DataFrame, *, asked: pl.DataFrame, promises: Sequence[str] = ()) -> pl.DataFrame:
    """What a reader is shown of some failed contacts.

    Parameters
    ----------
    desk
        `contacts`, `events` and `articles` are read.
    outcomes
        Every contact of the desk, judged.
    asked
        Which contacts: `source`, `contact_id`.
    promises
        Patterns of promises (`Taxonomy.promises`).

    Returns
    -------
    pl.DataFrame
        One row per contact, in the order of `asked`: `source`, `contact_id`, `started` (day), `channel`, `category`, `failed_how`, `subject`,
        `opening`, `last_answer` (of an agent, before the failure), `internal_notes`, `came_back_with` (the customer, after the resolution),
        `history`. Null where nothing is known.
    """
    judged = asked.select(KEY).join(outcomes, on=KEY, how="inner", maintain_order="left")
    contacts = desk.contacts.select(*KEY, pl.col("channel").cast(pl.String), "category", "subject", opening="body")
    story = _story(desk, judged)
    parts = [
        contacts,
        _last_answer(story),
        _notes(story),
        _returning(story, desk=desk, outcomes=outcomes, judged=judged),
        _history(desk, judged, story=story, promises=promises),
    ]
    told = judged.with_columns(started=pl.col("start_at").dt.strftime("%Y-%m-%d"), failed_how=pl.col("reason").replace(HOW))
    for part in parts:
        told = told.join(part, on=KEY, how="left", maintain_order="left")
    return told.select(*KEY, *SHOWN)


def _story(desk: Desk, judged: pl.DataFrame) -> pl.DataFrame:
    """Messages, notes and articles of the contacts, in order; `until`: the resolution, or the failure where that came later."""
    known = judged.select(*KEY, "anchor_at", "failed_at", until=pl.max_horizontal("anchor_at", "failed_at"))
    kinds = ("message", "note", "article")
    events = desk.events.filter(pl.col("kind").is_in(kinds)).join(known, on=KEY, how="inner", maintain_order="left")
    return events.sort(*KEY, "at", "seq")


def _person(actors: Sequence[str]) -> pl.Expr:
    return (pl.col("kind") == "message") & pl.col("public") & ~pl.col("is_auto") & pl.col("actor").is_in(actors) & pl.col("text").is_not_null()


def _last_answer(story: pl.DataFrame) -> pl.DataFrame:
    answers = story.filter(_person(["agent", "bot"]) & (pl.col("at") <= pl.col("until")))
    return answers.group_by(KEY, maintain_order=True).agg(last_answer=pl.col("text").last())


def _notes(story: pl.DataFrame) -> pl.DataFrame:
    hidden = (pl.col("kind") == "note") | ((pl.col("kind") == "message") & ~pl.col("public") & (pl.col("actor") == "agent"))
    notes = story.filter(hidden & (pl.col("at") <= pl.col("until")) & pl.col("text").is_not_null())
    return notes.group_by(KEY, maintain_order=True).agg(internal_notes=pl.col("text").head(_SEVERAL).str.join(" / "))


def _returning(story: pl.DataFrame, *, desk: Desk, outcomes: pl.DataFrame, judged: pl.DataFrame) -> pl.DataFrame:
    """What the customer wrote on coming back, in the contact itself or in the one that followed it."""
    mine = _person(["customer"]) & ~pl.col("is_ack").fill_null(False)
    again = mine & (pl.col("at") > pl.col("anchor_at")) & (pl.col("at") <= pl.col("failed_at") + _A_WHILE)
    own = story.filter(again).group_by(KEY, maintain_order=True).agg(own=pl.col("text").head(_SEVERAL).str.join(" / "))
    texts = desk.contacts.select(*KEY, "opened_at", "merged_into", said=pl.concat_str("subject", "body", separator=": ", ignore_nulls=True))
    later = outcomes.select(*KEY, "label", "issue").join(texts, on=KEY, how="inner", maintain_order="left").filter(pl.col("said") != "")
    merged = later.filter(pl.col("merged_into").is_not_null()).with_columns(issue=named("merged_into"))
    others = pl.concat([later.filter(pl.col("label") == "repeat"), merged]).select("issue", "opened_at", "said", other="contact_id")
    came = judged.select(*KEY, "issue", "failed_at").join(others, on="issue", how="inner", maintain_order="left")
    came = came.filter((pl.col("opened_at") >= pl.col("failed_at") - _AT_ONCE) & (pl.col("other") != pl.col("contact_id")))
    first = came.sort(*KEY, "opened_at", "other").unique(KEY, keep="first", maintain_order=True).select(*KEY, "said")
    both = judged.select(KEY).join(own, on=KEY, how="left", maintain_order="left").join(first, on=KEY, how="left", maintain_order="left")
    return both.select(*KEY, came_back_with=pl.coalesce("own", "said"))


def _history(desk: Desk, judged: pl.DataFrame, *, story: pl.DataFrame, promises: Sequence[str]) -> pl.DataFrame:
    """What happened to it, in short words."""
    before = story.filter(pl.col("at") <= pl.col("until"))
    answers, articles = _person(["agent"]), pl.col("kind") == "article"
    counts = before.group_by(KEY).agg(answers=answers.sum(), articles=articles.sum())
    table = traces(desk, judged, promises=promises).join(counts, on=KEY, how="left", maintain_order="left")
    table = table.with_columns(open_hours=judged.select((pl.col("anchor_at") - pl.col("start_at")).dt.total_seconds() / 3600).to_series())
    words = [
        _long("open for {}", pl.col("open_hours")),
        _often("answered {}", pl.col("answers")),
        _often("handed over {}", pl.col("handovers")),
        _often("back to a team that had it {}", pl.col("returns")),
        _long("on hold for {}", pl.col("hold_hours")),
        pl.format("waited at {}", "away_team"),
        _long("{} until somebody took it", pl.when(pl.col("unowned_hours") >= 1).then("unowned_hours")),
        _often("an article was sent {}", pl.col("articles")),
        pl.when(pl.col("stale_article_days") >= 1).then(
            pl.format("the article was {} days old", pl.col("stale_article_days").round(0).cast(pl.Int64))
        ),
    ]
    return table.select(*KEY, history=pl.concat_str(words, separator="; ", ignore_nulls=True))


def _often(text: str, times: pl.Expr) -> pl.Expr:
    """The words where it happened at least once."""
    spelled = pl.when(times == 1).then(pl.lit("once")).when(times == 2).then(pl.lit("twice")).otherwise(pl.format("{} times", times))
    return pl.when(times > 0).then(pl.format(text, spelled))


def _long(text: str, hours: pl.Expr) -> pl.Expr:
    """The words with a duration in hours, or in days where it is long."""
    minutes, days = pl.format("{} minutes", (hours * 60).round(0).cast(pl.Int64)), pl.format("{} days", (hours / 24).round(0).cast(pl.Int64))
    spelled = pl.when(hours < 2).then(minutes).when(hours < 72).then(pl.format("{} h", hours.round(0).cast(pl.Int64))).otherwise(days)
    return pl.when(hours > 0).then(pl.format(text, spelled))
