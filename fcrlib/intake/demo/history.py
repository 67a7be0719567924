"""What happened to each contact of the invented desk, event by event?

Each kind of step is written for all contacts at once and the lot is put in order; what a contact was *before* each change is read off the
change before it, so statuses, teams and agents always join up. Nothing is written after the data end.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import polars as pl

from fcrlib.intake.demo.outcomes import NO_MECHANISM
from fcrlib.intake.demo.people import TEAMS, Agents, stream
from fcrlib.intake.demo.text import AGENT_WORDS, NOTES, REPLIES, THANKS, Vocabulary, chosen, follow_ups, greeted
from fcrlib.intake.demo.themes import THEMES
from fcrlib.intake.demo.truth import MECHANISMS

_SPECIALISTS, _APPROVALS, _BOTS = TEAMS.index("specialists"), TEAMS.index("approvals"), TEAMS.index("bots")
_WRITTEN = ("email", "web", "in_app")
_ENDED = ("spam", "deleted", "abandoned", "inactive", "merged")  # closed at once, never solved
ARTICLES_PER_THEME = 2
STALE = 1  # the second article of a theme is old
_COLUMNS = {
    "row": pl.Int64, "at": pl.Int64, "rank": pl.Int64, "kind": pl.String, "actor": pl.String, "agent": pl.Int64, "public": pl.Boolean,
    "status_to": pl.String, "team_to": pl.Int64, "agent_to": pl.Int64, "text": pl.String, "is_auto": pl.Boolean, "is_ack": pl.Boolean, "article": pl.Int64,
}  # fmt: skip


def _mechanism(*names: str) -> pl.Expr:
    return pl.col("mechanism").is_in([MECHANISMS.index(name) for name in names])


def _fate(*names: str) -> pl.Expr:
    return pl.col("fate").is_in(names)


def events(cases: pl.DataFrame, *, seed: int, agents: Agents, end: int) -> pl.DataFrame:
    """Write the history of the cases (sorted, `row` counts them) down to `end` (seconds).

    Returns
    -------
    DataFrame
        The canonical columns of events plus `row`, in the order of contact and time.
    """
    cast = _with_ends(cases, agents=agents, seed=seed)
    blocks = [block.filter(pl.col("at") <= end) for part in (_beginnings, _middles, _endings, _sequels) for block in part(cast, seed)]
    ordered = pl.concat(blocks).sort("row", "at", "rank")
    return _joined_up(ordered, cases, agents=agents)


def _with_ends(cases: pl.DataFrame, *, agents: Agents, seed: int) -> pl.DataFrame:
    """Add who holds the contact at the end, who else is asked, and a few dice."""
    rng, rows, opened = stream(seed, "history", "ends"), cases.height, cases["opened"].to_numpy()
    special, approver = (agents.on_duty(np.full(rows, team), opened, rng) for team in (_SPECIALISTS, _APPROVALS))
    hops, raised = pl.col("hops"), pl.col("t_raised").is_not_null()
    dice = [pl.Series(f"luck{k}", rng.random(rows)) for k in range(4)]
    held_by = {what: pl.coalesce(pl.when(hops == k).then(f"{what}{k}") for k in range(4)) for what in ("team", "agent")}
    return cases.with_columns(*dice, pl.Series("special", special), pl.Series("approver", approver)).with_columns(
        team_end=pl.when("bot_solves").then(_BOTS).when(raised).then(_SPECIALISTS).otherwise(held_by["team"]),
        agent_end=pl.when("bot_solves").then(int(agents.first[_BOTS])).when(raised).then("special").otherwise(held_by["agent"]),
        bot_agent=pl.lit(int(agents.first[_BOTS])),
    )


def _step(cases: pl.DataFrame, at: str, rank: int, kind: str, actor: str, *more: pl.Expr, text: pl.Series | None = None) -> pl.DataFrame:
    """One step of all cases that have it: those whose time `at` is known."""
    there = cases.filter(pl.col(at).is_not_null())
    given = [pl.col("row"), pl.col(at).alias("at"), pl.lit(rank).alias("rank"), pl.lit(kind).alias("kind"), pl.lit(actor).alias("actor"), *more]
    if text is not None:
        given.append(pl.lit(text).alias("text"))
    names = {one.meta.output_name() for one in given}
    blanks = [
        pl.lit(None if name not in ("public", "is_auto") else False, dtype).alias(name) for name, dtype in _COLUMNS.items() if name not in names
    ]
    return there.select(*given, *blanks).select(pl.col(name).cast(dtype) for name, dtype in _COLUMNS.items())


_PUBLIC = pl.lit(True).alias("public")
_ASKS = pl.lit(False).alias("is_ack")


def _by(agent: str) -> pl.Expr:
    return pl.col(agent).alias("agent")


def _status(cases: pl.DataFrame, at: str, rank: int, actor: str, status: str, *more: pl.Expr) -> pl.DataFrame:
    return _step(cases, at, rank, "status", actor, pl.lit(status).alias("status_to"), *more)


def _move(cases: pl.DataFrame, at: str, rank: int, kind: str, team: str | int, agent: str) -> pl.DataFrame:
    to = pl.lit(team) if isinstance(team, int) else pl.col(team)
    return _step(cases, at, rank, kind, "system" if kind == "assignment" else "agent", to.alias("team_to"), pl.col(agent).alias("agent_to"))


def _says(cases: pl.DataFrame, at: str, rank: int, words: str, agent: str, *, seed: int, actor: str = "agent") -> pl.DataFrame:
    """A public message of an agent or bot, in one of the `AGENT_WORDS`."""
    there = cases.filter(pl.col(at).is_not_null())
    rng = stream(seed, "history", at, words)
    text = chosen(AGENT_WORDS[words], there.height, rng)
    return _step(there, at, rank, "message", actor, _PUBLIC, _by(agent), text=greeted(text, rng) if actor == "agent" else text)


def _writes(cases: pl.DataFrame, at: str, rank: int, text: pl.Expr | pl.Series, *more: pl.Expr) -> pl.DataFrame:
    """A public message of the customer."""
    words = text.alias("text") if isinstance(text, pl.Expr) else pl.lit(text).alias("text")
    return _step(cases, at, rank, "message", "customer", _PUBLIC, words, *(more or (_ASKS,)))


def _beginnings(cases: pl.DataFrame, seed: int) -> Iterator[pl.DataFrame]:
    """The first words, the receipt, the first team."""
    ours = _fate("outreach", "outreach-reply", "side")
    yield _writes(cases.filter(~ours), "opened", 0, pl.col("body"))
    yield _says(cases.filter(ours), "opened", 0, "outreach", "agent0", seed=seed)
    yield _writes(cases.filter(_fate("outreach-reply")), "start", 0, pl.col("body"))
    yield _step(cases.filter(_fate("side")), "t_solved", 5, "message", "unknown", _PUBLIC, pl.lit("Our partner's answer is attached.").alias("text"))
    calls = cases.filter(pl.col("channel") == "phone")
    yield _step(calls.filter(~ours), "opened", 1, "call_leg", "customer", _PUBLIC)
    yield _step(calls, "t_first", 1, "call_leg", "agent", _PUBLIC, _by("agent0"))
    receipt = AGENT_WORDS["receipt"][0]
    written = cases.filter(pl.col("channel").is_in(_WRITTEN) & ~ours & ~_fate("spam", "internal") & (pl.col("luck0") < 0.6))
    yield _step(written, "start", 2, "message", "system", _PUBLIC, pl.lit(True).alias("is_auto"), pl.lit(receipt).alias("text"))
    bots = cases.filter("bot")
    yield _move(bots, "t_bot", 3, "assignment", _BOTS, "bot_agent")
    yield _status(bots, "t_bot", 4, "bot", "open", _by("bot_agent"))
    yield _says(bots, "t_bot", 5, "bot", "bot_agent", seed=seed, actor="bot")
    yield _move(cases.filter(~pl.col("bot")), "t_assigned", 3, "assignment", "team0", "agent0")
    yield _move(bots, "t_assigned", 3, "transfer", "team0", "agent0")
    yield _status(cases.filter(~pl.col("bot")), "t_assigned", 4, "system", "open")


def _middles(cases: pl.DataFrame, seed: int) -> Iterator[pl.DataFrame]:
    """Replies, questions, transfers, escalations, waiting."""
    promised = pl.col("luck1") > 0.95  # and kept: the answer follows
    yield _says(cases.filter(~promised), "t_first", 2, "first", "agent0", seed=seed)
    yield _says(cases.filter(promised), "t_first", 2, "kept", "agent0", seed=seed)
    yield from _notes(cases, seed)
    for k in (1, 2, 3):
        yield _move(cases, f"t_hop{k}", 6, "transfer", f"team{k}", f"agent{k}")
    yield _move(cases, "t_raised", 7, "escalation", _SPECIALISTS, "special")
    account = _mechanism("missing-account-context")
    yield _says(cases.filter(account), "t_asked", 8, "ask", "agent_end", seed=seed)
    yield _says(cases.filter(~account), "t_asked", 8, "question", "agent_end", seed=seed)
    yield _status(cases, "t_asked", 9, "agent", "pending", _by("agent_end"))
    replied = cases.filter(pl.col("t_answered").is_not_null())
    yield _writes(replied, "t_answered", 10, chosen(REPLIES, replied.height, stream(seed, "history", "replies")))
    yield _status(cases, "t_answered", 11, "customer", "open")
    approved = cases.filter(_mechanism("approval-wait"))
    yield _move(approved, "t_held", 12, "transfer", _APPROVALS, "approver")
    yield _status(approved, "t_held", 13, "agent", "hold", _by("approver"))
    yield _status(cases.filter(~_mechanism("approval-wait")), "t_held", 13, "agent", "hold", _by("agent_end"))
    yield _status(cases, "t_freed", 14, "agent", "open", _by("agent_end"))
    yield _move(approved, "t_freed", 15, "transfer", "team_end", "agent_end")


def _notes(cases: pl.DataFrame, seed: int) -> Iterator[pl.DataFrame]:
    """Internal notes: nearly always where something went wrong, except a hand-over without context; else now and then."""
    plain = pl.col("mechanism") == NO_MECHANISM
    noted = cases.filter((pl.when(plain).then(0.25).otherwise(0.85) > pl.col("luck1")) & ~_mechanism("handoff-without-context"))
    words = Vocabulary.of([NOTES[name] for name in (*MECHANISMS, "")])
    for at, some in (("t_first", noted), ("t_solved", cases.filter(_fate("silent", "deleted")))):
        there = some.filter(pl.col(at).is_not_null())
        text = words.pick(there["mechanism"].to_numpy(), stream(seed, "history", "notes", at))
        yield _step(there, at, 3, "note", "agent", _by("agent0"), text=text)


def _endings(cases: pl.DataFrame, seed: int) -> Iterator[pl.DataFrame]:
    """The answer, the article that went with it, and the status that ends it."""
    people = cases.filter(_fate("normal", "outreach-reply", "test", "internal", "duplicate") & ~pl.col("bot_solves"))
    told = {"promise": _mechanism("deferred-promise"), "decline": _mechanism("non-resolvable"), "duplicate": _fate("duplicate")}
    for words, when in told.items():
        yield _says(people.filter(when), "t_solved", 20, words, "agent_end", seed=seed)
    yield _says(people.filter(~pl.any_horizontal(*told.values())), "t_solved", 20, "solution", "agent_end", seed=seed)
    gap = _mechanism("knowledge-gap")
    sent = people.filter(pl.when(gap).then(0.55).otherwise(0.3) > pl.col("luck2"))
    stale = gap | (pl.col("luck3") < 0.15)
    article = pl.col("theme") * ARTICLES_PER_THEME + stale.cast(pl.Int64) * STALE
    yield _step(sent, "t_solved", 19, "article", "agent", _PUBLIC, _by("agent_end"), article.alias("article"))
    yield _step(cases.filter("bot_solves"), "t_bot", 6, "article", "bot", _PUBLIC, _by("bot_agent"), article.alias("article"))
    yield _step(cases.filter(_fate("merged")), "t_solved", 20, "merge", "agent", _by("agent0"))
    system = _fate("spam", "abandoned", "inactive")
    yield _status(cases.filter(system), "t_solved", 21, "system", "closed")
    yield _status(cases.filter(_fate("deleted", "merged")), "t_solved", 21, "agent", "closed", _by("agent0"))
    yield _status(cases.filter(_fate("self-solved")), "t_solved", 21, "customer", "solved")
    yield _status(cases.filter("bot_solves"), "t_solved", 21, "bot", "solved", _by("bot_agent"))
    by_hand = ~system & ~_fate("deleted", "merged", "self-solved") & ~pl.col("bot_solves")
    yield _status(cases.filter(by_hand), "t_solved", 21, "agent", "solved", _by("agent_end"))


def _sequels(cases: pl.DataFrame, seed: int) -> Iterator[pl.DataFrame]:
    """Surveys, thanks, reopenings, and the closing by the system."""
    yield _step(cases, "t_offered", 30, "survey", "system", _PUBLIC)
    thanked = cases.filter(pl.col("t_thanked").is_not_null())
    words = chosen(THANKS, thanked.height, stream(seed, "history", "thanks"))
    yield _writes(thanked, "t_thanked", 31, words, pl.lit(True).alias("is_ack"))
    yield _status(thanked.filter(pl.col("t_bounced").is_not_null()), "t_thanked", 32, "customer", "open")
    yield _status(thanked, "t_bounced", 33, "agent", "solved", _by("agent_end"))
    back = cases.filter(pl.col("t_again").is_not_null())
    complaint = follow_ups((*MECHANISMS, ""), back["mechanism"].to_numpy(), theme=back["theme"].to_numpy(), rng=stream(seed, "history", "complaints"))
    yield _writes(back, "t_again", 34, complaint)
    yield _status(back, "t_again", 35, "customer", "open")
    yield _says(back, "t_resolved", 36, "solution", "agent_end", seed=seed)
    yield _status(back, "t_resolved", 37, "agent", "solved", _by("agent_end"))
    glitch = cases.filter(pl.col("t_glitch").is_not_null()).with_columns(t_undone=pl.col("t_glitch") + 60)
    yield _status(glitch, "t_glitch", 38, "system", "open")
    yield _status(glitch, "t_undone", 39, "system", "solved")
    yield _status(cases, "t_closed", 40, "system", "closed")


def _joined_up(ordered: pl.DataFrame, cases: pl.DataFrame, *, agents: Agents) -> pl.DataFrame:
    """Number the events and fill in what was before each change."""
    before = {
        "status_from": ("status_to", pl.col("status_to").is_not_null()),
        "team_from": ("team_to", pl.col("team_to").is_not_null()),
        "agent_from": ("agent_to", pl.col("team_to").is_not_null()),
    }
    seq = (pl.col("row").cum_count() - pl.col("row").cum_count().first()).over("row")
    filled = ordered.with_columns(
        seq.cast(pl.Int64).alias("seq"),
        *(pl.when(when).then(pl.when(when).then(to).forward_fill().shift(1).over("row")).alias(name) for name, (to, when) in before.items()),
    ).with_columns(pl.when(pl.col("status_to").is_not_null()).then(pl.col("status_from").fill_null("new")).alias("status_from"))
    named = cases.select("row", "contact_id", "customer_ref", "channel")
    ids, teams = pl.lit(agents.ids), pl.lit(pl.Series(TEAMS))
    spoken = pl.col("kind").is_in(["message", "call_leg"])
    return filled.join(named, on="row", how="left", maintain_order="left").select(
        "row",
        pl.lit("demo").alias("source"),
        "contact_id",
        "seq",
        (pl.col("at") * 1_000_000).cast(pl.Datetime("us", "UTC")).alias("at"),
        "kind",
        "actor",
        pl.when(pl.col("actor") == "customer").then("customer_ref").otherwise(ids.gather(pl.col("agent"))).alias("actor_id"),
        "public",
        "status_from",
        "status_to",
        *(teams.gather(pl.col(f"team_{side}")).alias(f"group_{side}") for side in ("from", "to")),
        *(ids.gather(pl.col(f"agent_{side}")).alias(f"agent_{side}") for side in ("from", "to")),
        pl.when(spoken).then(pl.col("channel").cast(pl.String)).alias("channel"),
        "text",
        "is_auto",
        "is_ack",
        pl.when(pl.col("article").is_not_null()).then(pl.format("kb-{}", pl.col("article").cast(pl.String).str.zfill(3))).alias("article_id"),
    )


def article_count() -> int:
    """How many articles the knowledge base holds."""
    return len(THEMES) * ARTICLES_PER_THEME
