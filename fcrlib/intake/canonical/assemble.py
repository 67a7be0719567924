"""How do the steps of an export become a history, and what does a contact's history say about it?

A reader hands over steps (who did what to which contact, when); the canonical events follow, with what was before each change, and from them
everything about a contact that is no field of its own: when it was first resolved, by whom, who held it. So all readers mean the same.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from datetime import datetime

import polars as pl

from fcrlib.intake.canonical.thanks import Lexicon, is_ack
from fcrlib.intake.privacy.plain import plain
from fcrlib.model.desk import Dropped
from fcrlib.model.tables import RESOLVED_STATUSES, TABLES, conform

HANDOVER = "handover"
"""Kind of a step that gives a contact to another team or person; it becomes an `assignment` or a `transfer`."""
_TEXTS = tuple(name for name, column in TABLES["events"].columns().items() if column.dtype == pl.String and name not in ("source", "contact_id"))
_CHOICES = ("kind", "actor", "status_from", "status_to", "channel")
_FROM_EVENTS = (
    "first_resolved_at", "last_resolved_at", "closed_at", "status", "first_group", "first_agent", "resolver_group", "resolver_agent", "close_reason",
)  # fmt: skip
SHARE = 100_000
"""Steps that are looked at together: their history needs some copies of them."""
_RESOLVER = {"agent": "human", "bot": "bot", "system": "automation", "customer": "customer"}


def history(
    steps: Sequence[pl.DataFrame],
    *,
    source: str,
    data_end: datetime,
    first_status: str = "new",
    acted: Callable[[pl.DataFrame], pl.DataFrame] | None = None,
    lexicon: Lexicon | None = None,
) -> tuple[pl.DataFrame, list[Dropped]]:
    """Canonical events from steps in any order.

    Parameters
    ----------
    steps
        In pieces, of which each has the columns that it needs: `contact_id`, `at` (UTC), `kind` (one of the canonical, or `handover`), and what
        applies of `actor`, `actor_id`, `public`, `status_from`, `status_to`, `group_to`, `agent_to`, `channel`, `text`, `is_auto`, `article_id`; `order`
        (number) says what came first at one instant, else the order of the rows does; handovers that share `together` (text) are one. `group_from` and
        `agent_from` are what the export says stood before; they are used only where no earlier step says it: a contact begins with what stood before
        its first change.
    source
        Name of the export.
    data_end
        What is later is dropped and counted.
    first_status
        What a contact is before its first change of status, where no step says it.
    acted
        Adds who acted to all steps of some contacts; only then are they whole.
    lexicon
        Words by which a customer's message is a thank-you (`is_ack`); without them nothing is.

    Returns
    -------
    tuple
        The events, in the order of contact and time: `status_from`, `group_from` and `agent_from` are read off the change before, else off what the
        export says stood before; a change to what is already so is left out. A handover from one team to another is a `transfer`, any other an
        `assignment`. And what was dropped.
    """
    whole = pl.all_horizontal(pl.col("contact_id", "at", "kind").is_not_null())
    known = whole & (pl.col("at") <= data_end)
    counts = pl.concat([piece.select(known=known.sum(), whole=whole.sum(), all=pl.len()) for piece in steps]).sum().row(0, named=True)
    finished = (_thanked(_filled(acted(share) if acted else share), lexicon) for share in _shares(steps, known))
    parts = [_events(share, source=source, first_status=first_status) for share in finished]
    same = [Dropped(what="events", count=count, why="changes to what was so already", example=example) for _, count, example in parts if count]
    dropped = [
        Dropped(what="events", count=counts["all"] - counts["whole"], why="without a contact, a time or a kind"),
        Dropped(what="events", count=counts["whole"] - counts["known"], why=f"after the data end {data_end:%Y-%m-%d %H:%M}"),
        *(one.model_copy(update={"count": sum(other.count for other in same)}) for one in same[:1]),
    ]
    return pl.concat([events for events, _, _ in parts]), [one for one in dropped if one.count]


def unlike(contacts: pl.DataFrame, *, events: pl.DataFrame, steps: Sequence[pl.DataFrame], data_end: datetime) -> list[str]:
    """Contacts whose own status is not the one that their history ends with, though nothing happened to them after the data end; as a note."""
    if "status" not in contacts.columns:
        return []
    later = pl.concat([piece.filter(pl.col("at") > data_end).select("contact_id") for piece in steps]).unique()
    last = events.drop_nulls("status_to").group_by("contact_id").agg(told=pl.col("status_to").last().cast(pl.String))
    both = contacts.select("contact_id", pl.col("status").cast(pl.String)).join(last, on="contact_id", how="inner", maintain_order="left")
    other = both.join(later, on="contact_id", how="anti", maintain_order="left").filter(pl.col("status") != pl.col("told"))
    if other.is_empty():
        return []
    example = other.row(0, named=True)
    return [
        f"{other.height:,} of {both.height:,} contacts have another status than their history ends with, e.g. '{example['contact_id']}' "
        f"({example['status']}, its history {example['told']}): the history was taken; was it exported earlier than they were?"
    ]


def _shares(pieces: Sequence[pl.DataFrame], known: pl.Expr) -> Iterator[pl.DataFrame]:
    """The known rows in shares of about `SHARE`, each with all rows of its contacts, the contacts in order."""
    contacts = pl.concat([piece["contact_id"].unique() for piece in pieces]).unique().drop_nulls().sort()
    count = max(min(-(-sum(piece.height for piece in pieces) // SHARE), len(contacts)), 1)
    firsts = contacts[[len(contacts) * number // count for number in range(1, count)]]
    shares = [firsts.search_sorted(piece["contact_id"], side="right") for piece in pieces]
    for number in range(count):
        yield pl.concat([piece.filter(known & (share == number)) for piece, share in zip(pieces, shares, strict=True)], how="diagonal")


def _events(steps: pl.DataFrame, *, source: str, first_status: str) -> tuple[pl.DataFrame, int, str]:
    """The events of some contacts, how many steps changed nothing, and a contact with one of those."""
    events = _told(_joined(_begun(steps)).sort("contact_id", "at", "order"), first_status=first_status)
    repeated = events.filter("same")["contact_id"]
    kept = events.filter(~pl.col("same")).with_columns(source=pl.lit(source), seq=pl.int_range(pl.len(), dtype=pl.Int64).over("contact_id"))
    return conform(kept, table="events"), len(repeated), next(iter(repeated), "")


def summed_up(contacts: pl.DataFrame, *, events: pl.DataFrame) -> pl.DataFrame:
    """Contacts with everything their events say about them; where there are no such events, what the reader gave stays.

    Parameters
    ----------
    contacts
        `contact_id` and whatever fields the export has under canonical names; `likely_initiated_by` counts only where nobody is heard.
    events
        As `history` gives them.

    Returns
    -------
    pl.DataFrame
        With `first_resolved_at`, `last_resolved_at`, `closed_at`, `status`, `first_group`, `first_agent`, `resolver_group`, `resolver_agent` (who held
        it at the first resolution), `resolved_by`, `close_reason` (`inactivity` where the system closed what waited for the customer) and
        `initiated_by` (whoever is heard first). The first team and person are those that the first handover took it from, else those it went to.
    """
    return _merged(contacts, pl.concat([_said_by(share) for share in _shares([events], pl.lit(True))]))


def _said_by(events: pl.DataFrame) -> pl.DataFrame:
    """One row per contact: what its events say about it."""
    resolved = list(RESOLVED_STATUSES)
    resolves = pl.col("status_to").is_in(resolved) & ~pl.col("status_from").is_in(resolved).fill_null(False)
    spoken = pl.col("kind").is_in(["message", "call_leg"]) & pl.col("public") & ~pl.col("is_auto")
    held = events.with_columns(_held(name).alias(f"held_{name}") for name in ("group", "agent"))
    return held.group_by("contact_id").agg(
        pl.col("at").filter(resolves).first().alias("first_resolved_at"),
        pl.col("at").filter(resolves).last().alias("last_resolved_at"),
        pl.col("at").filter(pl.col("status_to") == "closed").last().alias("shut_at"),
        pl.col("status_to").drop_nulls().last().cast(pl.String).alias("status"),
        *(pl.coalesce(f"{name}_from", f"{name}_to").drop_nulls().first().alias(f"first_{name}") for name in ("group", "agent")),
        *(pl.col(f"held_{name}").filter(resolves).first().alias(f"resolver_{name}") for name in ("group", "agent")),
        pl.col("actor")
        .filter(resolves)
        .first()
        .cast(pl.String)
        .replace_strict(_RESOLVER, default="unknown", return_dtype=pl.String)
        .alias("resolved_by"),
        pl.col("status_from").filter(resolves).first().cast(pl.String).alias("waiting"),
        pl.col("actor").filter(spoken).first().cast(pl.String).alias("opener"),
    )


def agents(people: pl.DataFrame, *, key: str, kind: str, group: str | None = None) -> pl.DataFrame:
    """Canonical agents from a table of everybody.

    Parameters
    ----------
    people
        The columns named.
    key
        Column of the agent's id.
    kind
        Column that says `agent` or `bot`; everybody else is left out.
    group
        Column of the agent's team.
    """
    role = {"agent": "human", "bot": "bot"}
    team = [pl.col(group).alias("group")] if group else []
    staff = people.filter(pl.col(kind).is_in(list(role)))
    return staff.select(pl.col(key).alias("agent_id"), pl.col(kind).replace_strict(role, default=None).alias("kind"), *team)


def ids_by_name(people: pl.DataFrame, *, name: str, key: str) -> dict[str, str]:
    """The ids of people by their names; a name that several share names nobody."""
    return dict(people.drop_nulls([name, key]).unique(name, keep="none").select(name, key).iter_rows())


def identity(people: pl.DataFrame, *, source: str, **kinds: str) -> pl.DataFrame:
    """Canonical identifiers from a table of people.

    Parameters
    ----------
    people
        `customer_ref` and the columns named.
    source
        Name of the export.
    kinds
        Column by kind of identifier: `email="email"`, `phone="phone"`.
    """
    blank = pl.col("customer_ref").is_null()
    told = [
        people.filter(~blank & (pl.col(column).str.strip_chars() != "")).select(
            source=pl.lit(source), customer_ref="customer_ref", kind=pl.lit(kind), value_norm=column
        )
        for kind, column in kinds.items()
        if column in people.columns
    ]
    return pl.concat(told).unique(maintain_order=True) if told else TABLES["identifiers"].create_empty()


def _filled(steps: pl.DataFrame) -> pl.DataFrame:
    """All columns that an event has, whether or not the reader gave them."""
    blanks = {name: pl.lit(None, dtype=pl.String) for name in (*_TEXTS, *_CHOICES, "together") if name not in steps.columns}
    order = {} if "order" in steps.columns else {"order": pl.int_range(pl.len(), dtype=pl.Int64)}
    flags = {"public": pl.lit(False), "is_auto": pl.lit(False), "is_ack": pl.lit(None, dtype=pl.Boolean)}
    whole = steps.with_columns(**blanks, **order, **{name: value for name, value in flags.items() if name not in steps.columns})
    return whole.with_columns(
        pl.col("public").fill_null(False), pl.col("is_auto").fill_null(False), pl.col("actor").fill_null("unknown"), pl.col("order").cast(pl.Int64)
    )


def _thanked(steps: pl.DataFrame, lexicon: Lexicon | None) -> pl.DataFrame:
    """Which messages of customers are a thank-you that asks for nothing, as whoever reads them sees them."""
    if lexicon is None:
        return steps
    said = pl.when((pl.col("kind") == "message") & (pl.col("actor") == "customer")).then("text")
    texts = steps.select(said.alias("text")).to_series()
    return steps.with_columns(plain(texts).to_frame().select(is_ack=is_ack(pl.col("text"), words=lexicon)).to_series())


def _begun(steps: pl.DataFrame) -> pl.DataFrame:
    """With `group_born` and `agent_born`, what a contact had before its first change; what is said to stand before a later one counts for nothing."""
    ordered = steps.sort("contact_id", "at", "order", maintain_order=True)
    for name in ("group", "agent"):
        given = pl.col(f"{name}_to").is_not_null().cast(pl.Int32)
        first = given.cum_sum().over("contact_id") == given
        ordered = ordered.with_columns(pl.when(first).then(f"{name}_from").alias("before"))
        ordered = ordered.with_columns(pl.col("before").drop_nulls().first().over("contact_id").alias(f"{name}_born")).drop("before")
    return ordered


def _joined(steps: pl.DataFrame) -> pl.DataFrame:
    """Handovers that happened together, as one."""
    shared = (pl.col("kind") == HANDOVER) & pl.col("together").is_not_null()
    parts = steps.filter(shared)
    if parts.is_empty():
        return steps
    firsts = [pl.col(name).drop_nulls().first() for name in steps.columns if name not in ("contact_id", "together", "group_to", "agent_to")]
    lasts = [pl.col(name).drop_nulls().last() for name in ("group_to", "agent_to")]
    one = parts.sort("order").group_by("contact_id", "together", maintain_order=True).agg(*firsts, *lasts)
    return pl.concat([steps.filter(~shared.fill_null(False)), one.select(steps.columns)])


def _told(steps: pl.DataFrame, *, first_status: str) -> pl.DataFrame:
    """What was before each change, which kind of handover it was, and whether it changed anything (`same`)."""
    handed, status = pl.col("kind") == HANDOVER, pl.col("status_to").is_not_null()
    moves = handed | pl.col("group_to").is_not_null() | pl.col("agent_to").is_not_null()
    steps = steps.with_columns(moves=moves)
    steps = steps.with_columns(_before("group_to", pl.col("group_to").is_not_null(), first="group_born").alias("group_was"))
    steps = steps.with_columns(
        changes=pl.col("moves") & (pl.col("group_to") != pl.col("group_was")).fill_null(pl.col("group_to").is_not_null()),
        group_to=pl.when("moves").then(pl.coalesce("group_to", "group_was")),
    )
    steps = steps.with_columns(_before("agent_to", pl.col("agent_to").is_not_null() | pl.col("changes"), first="agent_born").alias("agent_was"))
    steps = steps.with_columns(
        agent_to=pl.when(pl.col("moves") & ~pl.col("changes")).then(pl.coalesce("agent_to", "agent_was")).otherwise("agent_to")
    )
    before = pl.coalesce("status_from", _before("status_to", status), pl.lit(first_status))
    moved = pl.when(pl.col("changes") & pl.col("group_was").is_not_null()).then(pl.lit("transfer")).otherwise(pl.lit("assignment"))
    still = ~pl.col("changes") & pl.col("agent_to").eq_missing(pl.col("agent_was"))
    same = pl.when(handed).then(still).when(pl.col("kind") == "status").then(before == pl.col("status_to"))
    return steps.with_columns(
        kind=pl.when(handed).then(moved).otherwise("kind"),
        status_from=pl.when(status).then(before),
        group_from=pl.when("moves").then("group_was"),
        agent_from=pl.when("moves").then("agent_was"),
        same=same.fill_null(False),
    )


def _before(column: str, when: pl.Expr, *, first: str | None = None) -> pl.Expr:
    """What the column said at the last change before this one, where there is none what the column `first` says; a change to nothing counts as one."""
    number = when.cast(pl.Int32).cum_sum().over("contact_id") - when.cast(pl.Int32)
    last = pl.when(when).then(pl.col(column).fill_null("")).forward_fill().shift().over("contact_id").replace("", None)
    return pl.when(number > 0).then(last).otherwise(pl.col(first) if first else None)


def _held(name: str) -> pl.Expr:
    """The team or person that holds a contact at each event: whom it went to last, before that whom its first handover took it from."""
    given, taken = pl.col(f"{name}_to"), pl.col(f"{name}_from")
    before = taken.filter(pl.coalesce(taken, given).is_not_null()).first()
    return pl.coalesce(given.forward_fill(), before).over("contact_id")


def _merged(contacts: pl.DataFrame, found: pl.DataFrame) -> pl.DataFrame:
    ours = {name: f"events {name}" for name in found.columns if name != "contact_id"}
    both = contacts.join(found.rename(ours), on="contact_id", how="left", maintain_order="left")
    closed = pl.col("events status") == "closed"
    shut = pl.when(closed).then("events shut_at").when(closed.is_null()).then(_given(contacts, "closed_at", pl.Datetime("us", "UTC")))
    silent = (pl.col("events resolved_by") == "automation") & (pl.col("events waiting") == "pending")
    resolved = pl.coalesce("events first_resolved_at", _given(contacts, "first_resolved_at", pl.Datetime("us", "UTC")))
    whose = pl.coalesce(pl.when(pl.col("events first_resolved_at").is_not_null()).then("events resolved_by"), _given(contacts, "resolved_by"))
    opener = pl.col("events opener").replace_strict({"customer": "customer", "agent": "company", "bot": "company", "system": "system"}, default=None)
    abandoned = pl.col("is_abandoned") if "is_abandoned" in contacts.columns else pl.lit(False)
    read_off = [
        pl.coalesce(f"events {name}", _given(contacts, name)).alias(name)
        for name in _FROM_EVENTS
        if name not in ("first_resolved_at", "last_resolved_at", "closed_at", "close_reason")
    ]
    last = pl.coalesce("events last_resolved_at", _given(contacts, "last_resolved_at", pl.Datetime("us", "UTC")), "events first_resolved_at")
    return both.with_columns(
        resolved.alias("first_resolved_at"),
        last.alias("last_resolved_at"),
        shut.alias("closed_at"),
        *read_off,
        resolved_by=pl.when(resolved.is_null() | abandoned).then(pl.lit("unknown")).otherwise(whose.fill_null("unknown")),
        close_reason=pl.coalesce(_given(contacts, "close_reason"), pl.when(silent).then(pl.lit("inactivity"))),
        initiated_by=pl.coalesce(_given(contacts, "initiated_by"), opener, _given(contacts, "likely_initiated_by"), pl.lit("unknown")),
    ).drop(list(ours.values()))


def _given(contacts: pl.DataFrame, name: str, dtype: pl.DataType | type[pl.DataType] = pl.String) -> pl.Expr:
    return pl.col(name).cast(dtype) if name in contacts.columns else pl.lit(None, dtype=dtype)
