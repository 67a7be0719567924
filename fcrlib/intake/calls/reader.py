"""What do the records of a phone system say?

Three kinds are read, told apart by their fields: the call detail records of Asterisk and FreePBX (`cdr`), the contact records of Amazon Connect
(`connect`), the conversation details of Genesys (`genesys`). Each gives legs: one person, queue or machine on one call. A call is one contact
however many legs it has.

A phone system knows when somebody hung up, not whether the matter was settled: the end of a call that a person answered counts as its resolution, so
a call that did not help shows only by the next one. A call that nobody answered is abandoned, unless it left a voicemail: of that nothing says when
it was dealt with.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Unpack

import polars as pl

from fcrlib.intake.calls import cdr, connect, genesys
from fcrlib.intake.canonical import assemble, finish, reading
from fcrlib.intake.canonical.carries import Carries
from fcrlib.intake.canonical.reading import Asked, Reading, Tables
from fcrlib.intake.canonical.told import Told
from fcrlib.intake.export.gather import folded
from fcrlib.intake.export.headless import header
from fcrlib.intake.export.members import Member, members, opened
from fcrlib.model.desk import Desk
from fcrlib.model.errors import DataError

__all__ = ["CARRIES", "SOURCE", "read"]

SOURCE = "calls"
_FORMS = {"connect": connect, "genesys": genesys, "cdr": cdr}
_SIGNS = {
    "connect": ("initiationmethod", "initiationtimestamp", "disconnecttimestamp", "initialcontactid"),
    "genesys": ("conversationid", "conversationstart", "originatingdirection", "participants"),
    "cdr": ("disposition", "billsec", "dstchannel", "uniqueid"),
}
_LOOKED_AT = 2**16
_SURE = 2
"""Fields of one system that a file must have to be taken for one of its files whatever the others are."""
_NOT_SAID = "no phone system says it"
CARRIES = Carries(
    "calls",
    {
        **{
            f"contacts.{name}": _NOT_SAID
            for name in ("subcategory", "product_area", "priority", "tier", "subject", "body", "issue_key", "account_ref")
        },
        **{f"contacts.{name}": "calls have no cost" for name in ("cost", "currency")},
        "contacts.due_at": "a call is promised no time",
        **{f"contacts.{name}": "calls are not merged" for name in ("merged_into", "follow_up_of", "parent_id")},
        **{f"contacts.vendor_{name}": "no such count" for name in ("reopens", "replies", "one_touch", "first_resolved_at", "sla_met")},
        "events.status_from": "a call has no statuses and cannot be opened again",
        "events.status_to": "a call has no statuses and cannot be opened again",
        "events.text": "what was said is not written down",
        "events.is_ack": "what was said is not written down",
        "events.article_id": "calls send no articles",
        "surveys": "a survey after the call is a system of its own",
        "customers": "it is no list of customers",
        "articles": "a phone system has none",
        "changes": "it keeps no log of what the company changed",
        "agents.group": "an agent may serve several queues",
        "agents.hired_at": _NOT_SAID,
    },
)


def read(path: Path | str, **asked: Unpack[Asked]) -> Desk:
    """Read the records of a phone system: a folder, a zip or a file.

    Parameters
    ----------
    path
        CSV with or without a header (Asterisk), JSON pages, lists, lines or objects one behind the other (Amazon Connect, Genesys).
    asked
        What the reader may be told (`Asked`). Genesys may say its data end (`dataAvailabilityDate`); Asterisk writes the clock of its server; `fields`
        are attributes of Amazon Connect; `bots` are names or extensions.

    Raises
    ------
    DataError
        If the export is broken, not whole, or not one of these systems; everything wrong at once.
    UsageError
        If the data end is needed.
    """
    form = _FORMS[_form(path)]

    def canonical(hand: Reading) -> Tables:
        legs = form.legs(hand.found, told=hand.told, time_zone=hand.time_zone, dates=hand.dates, fields=hand.fields)
        return _tables(hand, legs)

    return reading.read(path, asked, title=form.NAME, export=form.EXPORT, canonical=canonical, ends=form.ends, without=("thanks_words",))


def _tables(hand: Reading, legs: pl.DataFrame) -> Tables:
    finish.stop(hand.told, path=hand.found.path)
    # What had not ended by then is still going on; a call that had not even begun is left out and counted as every contact is.
    by_then = (pl.col("begun") <= hand.end).fill_null(True)
    later = ~by_then & (pl.col("begun").min().over("contact_id") <= hand.end)
    legs = legs.filter(~later).with_columns(pl.when(pl.col("ended") <= hand.end).then("ended"))
    contacts = _contacts(legs, hand.bots, hand.told)
    people = legs.filter(by_then).select(agent_id="agent").drop_nulls().unique().sort("agent_id")
    kind = pl.when(pl.col("agent_id").is_in(list(hand.bots))).then(pl.lit("bot")).otherwise(pl.lit("human"))
    return Tables(
        contacts=contacts,
        steps=[_steps(legs, contacts, hand.bots)],
        identifiers=assemble.identity(contacts, source=SOURCE, phone="number", email="address", external="external"),
        agents=people.with_columns(kind=kind),
    )


def _form(path: Path | str) -> str:
    """Which of the three it is, by the names of fields at the beginning of its files.

    Raises
    ------
    DataError
        If files of several are mixed.
    """
    seen: Counter[str] = Counter()
    sure: dict[str, str] = {}
    for member in members(path):
        hits = _signs(member)
        seen.update(hits)
        form = max(hits, key=lambda one: hits[one])
        if hits[form] >= _SURE:
            sure.setdefault(form, member.name)
    if len(sure) > 1:
        files = " and ".join(f"{_FORMS[form].NAME} ('{name}')" for form, name in sure.items())
        raise DataError(f"{path} mixes records of {files}: import each on its own")
    form, most = seen.most_common(1)[0]
    return form if most else "cdr"


def _signs(member: Member) -> dict[str, int]:
    """How many of its fields each of the three has at the beginning of a file."""
    with opened(member) as stream:
        data = stream.read(_LOOKED_AT)
    head = folded(data.replace(b"\x00", b"").decode("latin-1"))
    hits = {form: sum(sign in head for sign in signs) for form, signs in _SIGNS.items()}
    nameless = member.is_table() and not any(hits.values()) and bool(header(data, cdr.EXPORT.kinds))
    return {**hits, "cdr": _SURE} if nameless else hits


def _contacts(legs: pl.DataFrame, bots: Sequence[str], told: Told) -> pl.DataFrame:
    """One row per call. Durations are known where every leg that a person answered says them."""
    by_person = pl.col("answered").is_not_null()
    # How long somebody waited is known where every leg says when it was answered; whether anybody answered, where there is a leg to see it by.
    timed, seen = (pl.col(name).fill_null(True) if name in legs.columns else pl.lit(True) for name in ("timed", "seen"))
    went_on = pl.col("begun").is_not_null() & pl.col("ended").is_null()
    calls = legs.sort("contact_id", "begun", "order", nulls_last=True).group_by("contact_id", maintain_order=True).agg(
        pl.col("begun").min().alias("opened_at"),
        pl.when(~went_on.any()).then(pl.col("ended").max()).alias("end"),
        pl.col("answered").min(),
        pl.col("queued").min(),
        *(pl.col(name).drop_nulls().first() for name in ("direction", "number", "address", "external", "channel_raw", "channel", "language")),
        pl.col("category").drop_nulls().last(),
        pl.col("voicemail").any(),
        timed.all().alias("timed"),
        seen.any().alias("seen"),
        pl.when(pl.col("transfers").count() > 0).then(pl.col("transfers").sum()).alias("vendor_stations"),
        *(_last(name, by_person).alias(f"resolver_{name}") for name in ("group", "agent")),
        *(_summed(name, by_person).alias(f"{name}_seconds") for name in ("talk", "handle")),
    )  # fmt: skip
    mute = pl.col("seen") & ~pl.col("voicemail") & pl.col("answered").is_null() & pl.col("end").is_not_null()
    resolved = pl.when(pl.col("answered").is_not_null()).then("end")
    calls = calls.with_columns(
        customer_ref=pl.coalesce("external", "number", "address"),
        closed_at="end",
        first_resolved_at=resolved,
        last_resolved_at=resolved,
        resolver_group=pl.when(resolved.is_not_null()).then("resolver_group"),
        resolver_agent=pl.when(resolved.is_not_null()).then("resolver_agent"),
        resolved_by=pl.when(pl.col("resolver_agent").is_in(list(bots)).fill_null(False)).then(pl.lit("bot")).otherwise(pl.lit("human")),
        status=pl.when(pl.col("end").is_null() | (pl.col("voicemail") & pl.col("answered").is_null()))
        .then(pl.lit("open"))
        .otherwise(pl.lit("closed")),
        initiated_by=pl.col("direction").replace_strict({"inbound": "customer", "outbound": "company", "internal": "company"}, default=None),
        is_internal=(pl.col("direction") == "internal").fill_null(False),
        is_abandoned=mute,
        wait_seconds=pl.when("timed").then((pl.col("answered") - pl.coalesce("queued", "opened_at")).dt.total_milliseconds() / 1000),
        close_reason=pl.when(mute).then(pl.lit("abandoned")),
    ).with_columns(closed_at=pl.when(pl.col("status") == "closed").then("closed_at"), wait_seconds=pl.col("wait_seconds").clip(0))
    spoken = calls.filter(pl.col("voicemail") & pl.col("answered").is_null()).height
    missed = calls.filter(mute & (pl.col("direction") == "outbound")).height
    told.notes += [f"{spoken:,} calls ended in a voicemail: nothing says when they were dealt with, so they stay open"] if spoken else []
    told.notes += [f"{missed:,} calls by the company that nobody answered are marked as abandoned: they reached no customer"] if missed else []
    unseen = calls.filter(~pl.col("seen")).height
    told.notes += [f"{unseen:,} calls come without anybody who took part: nothing says whether they were answered"] if unseen else []
    untimed = calls.filter(~pl.col("timed")).height
    told.notes += [f"{untimed:,} calls name an agent but not since when: their waiting is not known"] if untimed else []
    told.notes.append("the end of an answered call counts as its resolution: a phone system does not say whether the matter was settled")
    return calls


def _last(name: str, when: pl.Expr) -> pl.Expr:
    """Of whoever answered last."""
    return pl.col(name).filter(when).sort_by(pl.col("answered").filter(when)).last()


def _summed(name: str, when: pl.Expr) -> pl.Expr:
    some = pl.col(name).filter(when)
    return pl.when((some.len() > 0) & (some.null_count() == 0)).then(some.sum())


def _steps(legs: pl.DataFrame, contacts: pl.DataFrame, bots: Sequence[str]) -> pl.DataFrame:
    """Who came onto a call when, and who handed it to whom. There are no statuses: a call cannot be opened again."""
    answered = legs.filter(pl.col("answered").is_not_null()).sort("contact_id", "answered", "order")
    answered = answered.join(contacts.select("contact_id", leg_channel="channel"), on="contact_id", how="left", maintain_order="left")
    machine = pl.when(pl.col("agent").is_in(list(bots)).fill_null(False)).then(pl.lit("bot")).otherwise(pl.lit("agent"))
    before = pl.col("agent").shift().over("contact_id")
    spoken = {"kind": pl.lit("call_leg"), "public": pl.lit(True)}
    first = contacts.filter(pl.col("opened_at").is_not_null()).select(
        "contact_id", at="opened_at", order=pl.lit(0, dtype=pl.Int64), actor_id="customer_ref", channel="channel",
        actor=pl.when(pl.col("direction") == "internal").then(pl.lit("agent")).otherwise(pl.lit("customer")), **spoken,
    )  # fmt: skip
    handed = answered.select(
        "contact_id", at="answered", order=pl.lit(1, dtype=pl.Int64), kind=pl.lit(assemble.HANDOVER), group_to="group", agent_to="agent",
        actor=pl.when(before.is_null()).then(pl.lit("system")).otherwise(pl.lit("agent")), actor_id=before,
    )  # fmt: skip
    on = answered.select(
        "contact_id", at="answered", order=pl.lit(2, dtype=pl.Int64), actor=machine, actor_id="agent", channel="leg_channel", **spoken
    )
    return pl.concat([first, handed, on], how="diagonal")
