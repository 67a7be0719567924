"""Which traces of trouble did each contact leave in its history?

A trace is a number with a stated meaning, read off events in order. What a source does not record stays null: it is not known, and null is
no trace. Nothing after the failure (or the first resolution, where that came later) is looked at.
"""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl

from fcrlib.model.columns import KEY
from fcrlib.model.desk import Desk
from fcrlib.model.taxonomy import TRACES
from fcrlib.signs.words import says

HANDS = ("transfer", "escalation")
MANY_NOTES = 0.05  # a desk whose contacts hardly ever carry a note says nothing by the lack of one
_CHANGES = ("assignment", *HANDS)
_STORY = (
    *KEY, "seq", "at", "kind", "actor", "public", "status_to", "group_from", "group_to", "agent_from", "agent_to", "text", "is_auto", "article_id",
)  # fmt: skip
_SAID = (pl.col("kind") == "message") & pl.col("public") & ~pl.col("is_auto")


def traces(desk: Desk, outcomes: pl.DataFrame, *, promises: Sequence[str] = ()) -> pl.DataFrame:
    """Read the traces of some contacts.

    Parameters
    ----------
    desk
        `events`, `agents` and `articles` are read.
    outcomes
        The contacts that are asked about: `source`, `contact_id`, `start_at`, `anchor_at`, `failed_at`.
    promises
        Patterns of what agents write to promise to be in touch.

    Returns
    -------
    pl.DataFrame
        One row per contact, in the order of `outcomes`: `source`, `contact_id`, the traces of `model.taxonomy.TRACES` in their own units, and
        `first_team`, `away_team`: who handed it on first, and where it waited.
    """
    asked = outcomes.select(*KEY, "start_at", until=pl.max_horizontal("anchor_at", "failed_at"))
    story = _story(desk, asked)
    parts = [_handed(story, desk=desk), _held(story), _owned(story), _promised(story, promises=promises), _sent(story, desk=desk)]
    table = asked.select(*KEY)
    for part in parts:
        table = table.join(part, on=KEY, how="left", maintain_order="left")
    counts = ("handovers", "returns", "silent_handovers", "asked_again", "broken_promises")
    recorded = {"broken_promises": "has_messages", "asked_again": "has_messages"}
    known = [name for name in counts if desk.manifest.has(recorded.get(name, "has_group_history"))]
    table = table.with_columns(pl.col(name).fill_null(0) if name in known else pl.lit(None, pl.Int64).alias(name) for name in counts)
    quiet = _quiet_sources(desk)
    silent = pl.when(~pl.col("source").is_in(quiet.implode())).then("silent_handovers").alias("silent_handovers")
    return table.with_columns(silent).select(*KEY, *TRACES, "first_team", "away_team")


def handovers(desk: Desk, outcomes: pl.DataFrame) -> pl.DataFrame:
    """Every change of hands between people up to the first resolution (the failure, where that came later).

    Returns
    -------
    pl.DataFrame
        In order: `source`, `contact_id`, `at`, `kind` (transfer, escalation), `group_from`, `group_to`, `away_hours` (set where this begins a
        wait on hold in another team that gave it back), `back` (this ends one), `comes_back` (it goes to the team it had just come from),
        `noted` (somebody had written an internal note before).
    """
    asked = outcomes.select(*KEY, "start_at", until=pl.max_horizontal("anchor_at", "failed_at"))
    return _changes_of_hands(_story(desk, asked), desk=desk)


def _story(desk: Desk, asked: pl.DataFrame) -> pl.DataFrame:
    """Events of the contacts asked about, in order, with what had happened by then."""
    story = desk.events.select(_STORY).join(asked, on=KEY, how="inner", maintain_order="left").filter(pl.col("at") <= pl.col("until"))
    story = story.sort(*KEY, "at", "seq")
    noted, held = (pl.col("kind") == "note") | ~pl.col("public") & (pl.col("kind") == "message"), (pl.col("status_to") == "hold").fill_null(False)
    running = {"notes": noted, "holds": held, "raised": pl.col("kind") == "escalation", "hands": pl.col("kind").is_in(HANDS)}
    return story.with_columns(what.cast(pl.Int64).cum_sum().over(KEY).alias(name) for name, what in running.items())


def _changes_of_hands(story: pl.DataFrame, *, desk: Desk) -> pl.DataFrame:
    bots = desk.agents.filter(pl.col("kind") == "bot")["agent_id"]
    from_somebody = pl.col("group_from").is_not_null() | pl.col("agent_from").is_not_null()
    moved = pl.col("group_from").ne_missing(pl.col("group_to")) | pl.col("agent_from").ne_missing(pl.col("agent_to"))
    by_bot = pl.col("agent_from").is_in(bots.implode()).fill_null(False) | (pl.col("actor") == "bot")
    hands = story.filter(pl.col("kind").is_in(HANDS) & from_somebody & moved & ~by_bot)
    back = (pl.col("group_to").shift(-1) == pl.col("group_from")) & (pl.col("group_from") != pl.col("group_to"))
    waited = pl.col("holds").shift(-1) > pl.col("holds")
    away = (pl.col("at").shift(-1) - pl.col("at")).dt.total_seconds() / 3600
    hands = hands.with_columns(away_hours=pl.when((back & waited).fill_null(False)).then(away).over(KEY))
    returns = (pl.col("group_to") == pl.col("group_from").shift(1)) & (pl.col("group_from") != pl.col("group_to"))
    hands = hands.with_columns(
        back=pl.col("away_hours").is_not_null().shift(1, fill_value=False).over(KEY), comes_back=returns.fill_null(False).over(KEY)
    )
    first = ["at", "kind", "group_from", "group_to", "away_hours", "back", "comes_back"]
    return hands.select(*KEY, *first, pl.col("notes").gt(0).alias("noted"), "start_at")


def _handed(story: pl.DataFrame, *, desk: Desk) -> pl.DataFrame:
    """Changes of hands per contact; a wait in another team and back is told apart from a search for the right team."""
    hands = _changes_of_hands(story, desk=desk)
    real = pl.col("away_hours").is_null() & ~pl.col("back")
    searching = real & (pl.col("kind") == "transfer")
    taken = story.filter((pl.col("kind") == "assignment") & pl.col("agent_to").is_not_null()).group_by(KEY).agg(taken_at=pl.col("at").min())
    minutes = (pl.col("at").filter(searching).first() - pl.col("taken_at").first()).dt.total_seconds() / 60
    found = hands.join(taken, on=KEY, how="left", maintain_order="left").group_by(KEY, maintain_order=True)
    table = found.agg(
        handovers=searching.sum().cast(pl.Int64),
        returns=(searching & pl.col("comes_back")).sum().cast(pl.Int64),
        silent_handovers=(searching & ~pl.col("noted")).sum().cast(pl.Int64),
        quick_handover_minutes=pl.when(~(real & pl.col("comes_back")).any()).then(minutes),
        away_hours=pl.col("away_hours").sum(),
        first_team=pl.col("group_from").filter(searching).first(),
        away_team=pl.col("group_to").filter(pl.col("away_hours").is_not_null()).first(),
    )
    asks = story.filter(_SAID & (pl.col("actor") == "agent") & (pl.col("hands") > 0) & pl.col("text").str.contains("?", literal=True))
    again = asks.group_by(KEY).agg(asked_again=pl.len().cast(pl.Int64))
    return table.join(again, on=KEY, how="left", maintain_order="left")


def _held(story: pl.DataFrame) -> pl.DataFrame:
    """Hours on hold, and those of them after an escalation."""
    states = story.filter(pl.col("status_to").is_not_null())
    end = pl.coalesce(pl.col("at").shift(-1).over(KEY), pl.col("until"))
    waits = states.with_columns(hours=(end - pl.col("at")).dt.total_seconds() / 3600).filter(pl.col("status_to") == "hold")
    after = pl.col("hours").filter(pl.col("raised") > 0)
    return waits.group_by(KEY).agg(hold_hours=pl.col("hours").sum(), escalated_hold_hours=pl.when(after.len() > 0).then(after.sum()))


def _owned(story: pl.DataFrame) -> pl.DataFrame:
    """Hours until somebody took it: was named for it, or wrote."""
    taken = story.filter((pl.col("kind").is_in(_CHANGES) & pl.col("agent_to").is_not_null()) | (_SAID & (pl.col("actor") == "agent")))
    hours = (pl.col("at").min() - pl.col("start_at").first()).dt.total_seconds() / 3600
    return taken.group_by(KEY).agg(unowned_hours=hours.clip(lower_bound=0))


def promises_made(desk: Desk, outcomes: pl.DataFrame, *, promises: Sequence[str]) -> pl.DataFrame:
    """Promises made before the first resolution, and what followed before the customer came back or the window closed.

    Returns
    -------
    pl.DataFrame
        In order: `source`, `contact_id`, `at`, `followed_at`: the next message or call of a person to the customer, null where there was none.
    """
    until = pl.coalesce("failed_at", "horizon_at", pl.lit(desk.manifest.data_end))
    story = _story(desk, outcomes.select(*KEY, "start_at", "anchor_at", until=pl.max_horizontal("anchor_at", until)))
    return _made(story.filter(pl.col("kind").is_in(["message", "call_leg"])), promises=promises).filter(pl.col("at") <= pl.col("anchor_at"))


def _made(story: pl.DataFrame, *, promises: Sequence[str]) -> pl.DataFrame:
    person = (pl.col("actor") == "agent") & pl.col("public") & pl.col("kind").is_in(["message", "call_leg"]) & ~pl.col("is_auto")
    spoken = story.filter(person).with_columns(followed_at=pl.col("at").shift(-1).over(KEY))
    if not promises:
        return spoken.clear()
    made = says(pl.col("text").str.to_lowercase().str.replace_all("[’‘`´]", "'"), promises)
    return spoken.filter(made)


def _promised(story: pl.DataFrame, *, promises: Sequence[str]) -> pl.DataFrame:
    broken = _made(story, promises=promises).filter(pl.col("followed_at").is_null())
    return broken.group_by(KEY).agg(broken_promises=pl.len().cast(pl.Int64))


def _sent(story: pl.DataFrame, *, desk: Desk) -> pl.DataFrame:
    """How old the oldest article was when it was sent."""
    sent = story.filter(pl.col("article_id").is_not_null()).join(desk.articles.select("article_id", "updated_at"), on="article_id", how="left")
    return sent.group_by(KEY).agg(stale_article_days=((pl.col("at") - pl.col("updated_at")).dt.total_seconds() / 86_400).max())


def _quiet_sources(desk: Desk) -> pl.Series:
    """Sources in which hardly any contact carries an internal note."""
    noted = desk.events.filter(pl.col("kind") == "note").select(KEY).unique().group_by("source").agg(noted=pl.len())
    counts = desk.contacts.group_by("source").agg(n=pl.len()).join(noted, on="source", how="left")
    return counts.filter(pl.col("noted").fill_null(0) < MANY_NOTES * pl.col("n"))["source"]
