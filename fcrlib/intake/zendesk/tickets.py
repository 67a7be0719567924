"""What do the tickets say, and what counts them, before their history is read?

A ticket comes from the API, or as a row of a table whose headers are titles and whose words are those of the screen. What only an agent's machine or a
policy knows (`via` as a text, subjects that were scrubbed) is put straight first.
"""

from __future__ import annotations

from collections.abc import Mapping

import polars as pl

from fcrlib.intake.canonical import flags, instants, typed, words
from fcrlib.intake.canonical.reading import Reading
from fcrlib.intake.export.gather import PLACES
from fcrlib.intake.zendesk import history
from fcrlib.intake.zendesk.fields import CHANNELS, CUSTOM, FOLLOWS, INCOMING, OUTGOING, STATUSES
from fcrlib.model.desk import Dropped
from fcrlib.model.tables import RESOLVED_STATUSES

MERGED_INTO = r"(?i)merged into (?:this request|request|ticket)? ?#(\d+)"
_SCRUBBED = "scrubbed"
_COUNTS = ("reopens", "replies", "stations")
_MINUTES = ("resolved_after", "replied_after")
_SPANS = ("chat", "messaging")


def whole(hand: Reading) -> pl.DataFrame:
    """The tickets with their instants; a record without a status is none, one without a number is a problem."""
    rows = hand.table("tickets")
    stateless = rows.filter(pl.col("status").is_null() & (rows["status"].count() > 0))
    hand.told.dropped.append(
        Dropped(what="records", count=stateless.height, why="without a status: no tickets", example=next(iter(stateless[instants.ROW]), ""))
    )
    rows = rows.join(stateless.select(instants.ROW), on=instants.ROW, how="anti", maintain_order="left")
    nameless = rows.filter(pl.col("contact_id").is_null())
    if nameless.height:
        hand.told.problems.append(f"id: empty in {nameless.height:,} of {rows.height:,} tickets, the first in row {nameless[instants.ROW][0]}")
    scrubbed = pl.col("subject").str.strip_chars().str.to_lowercase() == _SCRUBBED
    nothing = [pl.when(~scrubbed.fill_null(False)).then(name).alias(name) for name in ("subject", "body")]
    # A table may leave out the number of who asked, and say the address.
    asker = pl.coalesce("customer_ref", pl.col("asker_email").str.to_lowercase())
    return hand.moments(rows.with_columns(*_via(), *nothing, customer_ref=asker), ["opened_at", "solved_at", "due_at", "touched_at"])


def _via() -> list[pl.Expr]:
    """The way a ticket came, where a table holds it as a text of the form that the API has."""
    way, nested = pl.col("channel_raw"), pl.col("channel_raw").str.starts_with("{").fill_null(False)
    return [
        pl.when(nested).then(way.str.extract(_within("channel"))).otherwise(way).alias("channel_raw"),
        pl.coalesce("rel", pl.when(nested).then(way.str.extract(_within("rel")))).alias("rel"),
        pl.coalesce("from_ticket", pl.when(nested).then(way.str.extract(r"""["']ticket_id["']\s*:\s*["']?(\d+)"""))).alias("from_ticket"),
    ]


def _within(key: str) -> str:
    """The word at a key of a text, whichever quotes it is written with."""
    return rf"""["']{key}["']\s*:\s*["']([^"']+)["']"""


def contacts(hand: Reading, tickets: pl.DataFrame, people: pl.DataFrame, groups: Mapping[str, str]) -> pl.DataFrame:
    """What the tickets and what counts them say."""
    found, told = hand.found, hand.told
    nobody = people.filter("nobody")["user_id"]
    staff = people.filter(pl.col("kind") != "customer")["user_id"]
    tickets = tickets.join(history.tags(found), on="contact_id", how="left", maintain_order="left").with_columns(pl.coalesce("tags", "own_tags"))
    asker = pl.col("customer_ref")
    follows = (pl.col("rel") == "follow_up").fill_null(False) | pl.col("channel_raw").str.contains(FOLLOWS).fill_null(False)
    tickets = typed.statuses(typed.channels(tickets, meanings=CHANNELS, told=told), "status", meanings=STATUSES, told=told).with_columns(
        likely_initiated_by=_begun_by(staff),
        is_deleted=tickets["status"].str.to_lowercase() == "deleted",
        tags=typed.labels("tags", between=r"[;|,\s]"),
        is_internal=asker.is_in(staff.implode()).fill_null(False),
        customer_ref=pl.when(~asker.is_in(pl.concat([nobody, staff]).implode())).then(asker),
        group=named("group", groups),
        follow_up_of=pl.coalesce(pl.when(follows).then("from_ticket"), "follows"),
        issue_key=pl.coalesce("problem", pl.when(pl.col("has_incidents") == "true").then("contact_id")),
        is_side_conversation=pl.col("channel_raw").str.contains(r"(?i)^side[ _]conversation$").fill_null(False),
    )
    marked = flags.by_tags(_valued(hand, tickets, people))
    return _measured(hand, marked).join(_merged(hand), on="contact_id", how="left", maintain_order="left")


def _begun_by(staff: pl.Series) -> pl.Expr:
    """Who made the first move: the way of a call says it; else who submitted the ticket. An agent writes down a call whoever rang."""
    called = pl.col("channel") == "phone"
    way = pl.col("channel_raw").str.contains(INCOMING), pl.col("channel_raw").str.contains(OUTGOING)
    rel = pl.col("rel").str.contains(INCOMING), pl.col("rel").str.contains(OUTGOING)
    comes, goes = (called & (one.fill_null(False) | other.fill_null(False)) for one, other in zip(way, rel, strict=True))
    agent, asked_by_agent = (pl.col(name).is_in(staff.implode()).fill_null(False) for name in ("submitter", "customer_ref"))
    own = ((pl.col("submitter") == pl.col("customer_ref")) | (pl.col("submitter") == pl.col("asker"))).fill_null(False)
    customer = comes | (~goes & own & ~agent & ~asked_by_agent)
    return pl.when(customer).then(pl.lit("customer")).when(goes | (agent & ~called)).then(pl.lit("company"))


def _valued(hand: Reading, tickets: pl.DataFrame, people: pl.DataFrame) -> pl.DataFrame:
    """The custom fields that hold our columns, by their titles or ids, of a table by their headers; the language, else, is the asker's."""
    titles = hand.table("ticket_fields").select("field", title=pl.col("title").str.to_lowercase())
    values = hand.table("ticket_values").join(titles, on="field", how="left").with_columns(pl.coalesce("title", "field"))
    known = values.filter(pl.col("value").str.strip_chars() != "")
    for ours, theirs in {**CUSTOM, **hand.fields}.items():
        one = known.filter((pl.col("title") == theirs.lower()) | (pl.col("field") == theirs)).select("contact_id", value="value")
        tickets = tickets.join(one.unique("contact_id", keep="last"), on="contact_id", how="left", maintain_order="left")
        there = [name for name in ("value", f"own {ours}", ours) if name in tickets.columns]
        filled = any(tickets[name].count() for name in there if name != ours)
        tickets = tickets.with_columns(pl.coalesce(there).alias(ours)).drop("value")
        if not filled and (ours in hand.fields or ours == "category"):
            spare = ", ".join(sorted({*titles["title"].drop_nulls(), *_unread(hand)})[:20]) or "none"
            hand.told.notes.append(f"no custom field '{theirs}' holds the {ours}; the fields with a title are {spare}")
    spoken = people.select(customer_ref="user_id", locale=pl.col("locale").str.slice(0, 2).str.to_lowercase())
    tickets = tickets.join(spoken, on="customer_ref", how="left", maintain_order="left")
    return tickets.with_columns(language=pl.coalesce("language", "locale")).drop("locale")


def _unread(hand: Reading) -> list[str]:
    """Headers of a table of tickets that are custom columns."""
    spare = hand.found.unused.filter((pl.col("kind") == "tickets") & pl.col("field").str.ends_with("]"))
    return spare["field"].to_list()


def _measured(hand: Reading, contacts: pl.DataFrame) -> pl.DataFrame:
    """The helpdesk's own figures; a ticket that one team held was handed over never. Minutes are whole: what was solved within one was solved then."""
    figures = (*_COUNTS, *_MINUTES)
    metrics = typed.numbers(hand.moments(hand.table("metrics"), ["solved_at"]), figures, told=hand.told).drop("updated_at", instants.ROW, *PLACES)
    both = typed.numbers(contacts, figures, told=hand.told).join(metrics, on="contact_id", how="left", maintain_order="left", suffix=" measured")
    both = both.join(_engaged(hand), on="contact_id", how="left", maintain_order="left")
    count = {name: pl.coalesce(f"{name} measured", name) for name in _COUNTS}
    after = {name: pl.coalesce(f"{name} measured", name) * 60 for name in _MINUTES}
    first, solved = pl.col("opened_at") + pl.duration(seconds=after["resolved_after"]), pl.coalesce("solved_at measured", "solved_at")
    once = (solved - first).dt.total_seconds().is_between(0, 59)
    span = pl.when(pl.col("channel").is_in(_SPANS)).then("engaged_seconds")
    # Whoever has it today stands for whoever resolved it; what never was has nobody.
    ever = pl.col("status").is_in(RESOLVED_STATUSES) | pl.coalesce(first, solved).is_not_null()
    return both.with_columns(
        vendor_reopens=count["reopens"],
        vendor_replies=pl.coalesce(count["replies"], "engaged_replies"),
        vendor_stations=(count["stations"] - 1).clip(0),
        vendor_one_touch=(count["replies"] <= 1) & (count["reopens"] == 0),
        vendor_first_resolved_at=first,
        first_resolved_at=pl.coalesce(pl.when(~once).then(first), solved, first),
        last_resolved_at=solved,
        closed_at=pl.when(pl.col("status") == "closed").then(solved),
        resolver_group=pl.when(ever).then("group"),
        resolver_agent=pl.when(ever).then("assignee"),
        wait_seconds=after["replied_after"],
        handle_seconds=span,
    )


def _engaged(hand: Reading) -> pl.DataFrame:
    """How long agents were engaged with each ticket by chat or messaging, and how often they answered. Only the span counts, so any zone will do."""
    rows = hand.moments(hand.table("engagements"), ["begun", "ended"], time_zone=hand.time_zone or "UTC")
    rows = typed.numbers(rows, ["answers"], told=hand.told).with_columns(channel=words.meaning("channel_raw", words=CHANNELS))
    live = pl.col("channel").is_in(_SPANS).fill_null(False) | pl.col("channel_raw").str.contains(r"(?i)messag|chat").fill_null(False)
    other = rows.filter(~live).height
    why = f"{other:,} engagements by other ways than chat and messaging: from their beginning to their end nobody works on them, so they are not used"
    hand.told.notes += [why] if other else []
    took = (pl.col("ended") - pl.col("begun")).dt.total_milliseconds() / 1000
    counted = rows.filter(live & pl.col("contact_id").is_not_null()).with_columns(took=pl.when(took >= 0).then(took))
    return counted.group_by("contact_id").agg(
        engaged_seconds=pl.when(pl.col("took").count() > 0).then(pl.col("took").sum()),
        engaged_replies=pl.when(pl.col("answers").count() > 0).then(pl.col("answers").sum()),
    )


def _merged(hand: Reading) -> pl.DataFrame:
    """Which ticket was merged into which: the one that stays or its audit names those that went, and those name it in a comment."""
    audits, tickets = hand.table("audits").filter(pl.col("rel") == "merge"), hand.table("tickets")
    swallowed = [audits.select(merged_into="ticket_id", went="merged"), tickets.select(merged_into="contact_id", went="swallowed")]
    stays = pl.concat(swallowed).drop_nulls().select("merged_into", contact_id=typed.labels("went")).explode("contact_id", empty_as_null=True)
    goes = history.said(hand.found).select(contact_id="ticket_id", merged_into=pl.col("text").str.extract(MERGED_INTO)).drop_nulls().collect()
    both = pl.concat([stays.select("contact_id", "merged_into"), goes]).drop_nulls().filter(pl.col("contact_id") != pl.col("merged_into"))
    return both.unique("contact_id", keep="last", maintain_order=True)


def named(column: str, names: Mapping[str, str]) -> pl.Expr:
    """The name of a group; its number where nobody says the name."""
    return pl.col(column).replace(names)
