"""What does a HubSpot export say?

Tickets as the API lists them (with the history of their stage, owner and team), as a warehouse keeps them or as the screen's CSV gives them, with
whatever stands beside them: pipelines, owners, contacts, conversations, e-mails, notes, calls, survey answers.

What a stage means is said by its pipeline: `4` is closed in the first pipeline of a portal only. Who moved a ticket is told by where the change came
from; a customer's answer moves it through an automation. Times that HubSpot computes are milliseconds, whatever their names say.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Unpack

import polars as pl

from fcrlib.intake.canonical import assemble, flags, instants, promises, reading, typed, words
from fcrlib.intake.canonical.reading import Asked, Reading, Tables
from fcrlib.intake.canonical.told import Told
from fcrlib.intake.export.kinds import at
from fcrlib.intake.export.records import Records
from fcrlib.intake.hubspot import spoken
from fcrlib.intake.hubspot.fields import (
    BOTS,
    BROKEN,
    CARRIES,
    CHANNELS,
    DEFAULT_STAGES,
    EXPORT,
    HISTORY,
    KEPT,
    MACHINES,
    PEOPLE,
    PROMISED,
    export,
)  # fmt: skip
from fcrlib.model.desk import Desk

__all__ = ["CARRIES", "EXPORT", "SOURCE", "read"]

SOURCE = "hubspot"
_LIST = "[;]"
_PIPELINE_BEHIND = r"\s*\([^()]*\)$"
_YES = ("true", "1", "yes")
_RESOLVED = ("solved", "closed")


def read(path: Path | str, **asked: Unpack[Asked]) -> Desk:
    """Read a HubSpot export: a folder, a zip or a file with tickets and whatever else there is.

    Parameters
    ----------
    path
        Pages (`{"results": [...]}`), lists, lines or tables, told by the name of the file: `tickets` are needed, with
        `propertiesWithHistory=hs_pipeline_stage,hubspot_owner_id,hubspot_team_id` and `associations=contacts,companies`; `pipelines`, `owners`,
        `teams`, `contacts`, `threads`, `messages`, `emails`, `notes`, `calls` and `feedback_submissions` are used where they are there.
    asked
        What the reader may be told (`Asked`). HubSpot does not say its data end; tables have times without a zone; `fields` are names of properties.

    Raises
    ------
    DataError
        If the export is broken, not whole, or not one of HubSpot; everything wrong at once.
    UsageError
        If the data end is needed.
    """
    fields = asked.get("fields") or {}
    return reading.read(path, asked, title="HubSpot", export=export(fields), canonical=_tables)


def _tables(hand: Reading) -> Tables:
    found, told = hand.found, hand.told
    tickets = hand.moments(found.table("tickets"), ["opened_at", "closed_at", "last_closed_at", "answered_at", "due_at"])
    hand.miss(tickets)
    told.notes += _short(found)
    owners = _owners(found, bots=hand.bots)
    stages = _stages(found)
    contacts = _contacts(found, tickets, owners, stages, fields=hand.fields, told=told)
    return Tables(
        contacts=contacts,
        steps=[_steps(hand, contacts, owners, stages)],
        acted=partial(_acted, contacts=contacts, owners=owners, renamed=_survivors(found)),
        surveys=_surveys(hand),
        identifiers=_identifiers(found),
        agents=owners.select(agent_id="owner", kind="agent_kind", group="group"),
        names=pl.concat([owners.select(_full_name())["name"], found.table("contacts").select(_full_name())["name"]]),
    )


def _short(found: Records) -> list[str]:
    """Batch reads that did not give everything that was asked for."""
    return [
        f"{sheet.file}: HubSpot could not give {count} of the records that were asked for: {at(sheet.said, 'errors[0].message') or 'it does not say why'}"
        for sheet in found.sheets
        if (count := at(sheet.said, "numErrors"))
    ]


def _full_name() -> pl.Expr:
    return pl.concat_str("first", "last", separator=" ", ignore_nulls=True).alias("name")


def _owners(found: Records, *, bots: Sequence[str]) -> pl.DataFrame:
    """Owners with their `user`, the name of their first team and whether they are `human` or `bot`."""
    member = pl.concat([found.table("memberships"), found.table("owner_teams")], how="diagonal")
    first = member.with_columns(main=pl.col("primary").str.to_lowercase().is_in(_YES).fill_null(False)).sort("main", descending=True, maintain_order=True)  # fmt: skip
    home = first.unique("owner", keep="first", maintain_order=True).select("owner", "team", member_name="name")
    name = _full_name()
    machine = flags.is_bot(name) | pl.col("owner").is_in(list(bots)) | name.is_in(list(bots)).fill_null(False)
    known = found.table("owners").drop_nulls("owner").join(home, on="owner", how="left", maintain_order="left")
    return known.with_columns(
        agent_kind=pl.when(machine).then(pl.lit("bot")).otherwise(pl.lit("human")),
        group=pl.coalesce("member_name", pl.col("team").replace(_teams(found))),
    )


def _named(owners: pl.DataFrame) -> dict[str, str]:
    """Owners by name, as a table of the screen writes them."""
    known = owners.select("owner", _full_name()).filter(pl.col("name") != "")
    return assemble.ids_by_name(known, name="name", key="owner")


def _teams(found: Records) -> dict[str, str]:
    both = pl.concat([found.table("teams").select("team", "name"), found.table("memberships").select("team", "name")]).drop_nulls()
    return dict(both.iter_rows())


def _stages(found: Records) -> pl.DataFrame:
    """What each stage of each pipeline means. Whether it is closed is said by its pipeline; its name only says how."""
    columns = ["pipeline", "stage", "label", "closed", "state"]
    rows = pl.concat([found.table("stages").select(columns), found.table("stage_rows").select(columns)]).drop_nulls("stage")
    closed = pl.col("closed").str.to_lowercase().is_in(_YES).fill_null(False) | (pl.col("state").str.to_lowercase() == "closed").fill_null(False)
    word = words.meaning("label", words=words.STATUS_WORDS).fill_null("")
    done = pl.when(word == "solved").then(pl.lit("solved")).otherwise(pl.lit("closed"))
    still = pl.when(word.is_in(["", *_RESOLVED])).then(pl.lit("open")).otherwise(word)
    known = rows.with_columns(status=pl.when(closed).then(done).otherwise(still)).select("pipeline", "stage", "label", "status")
    born = pl.DataFrame(DEFAULT_STAGES, schema={"pipeline": pl.String, "stage": pl.String, "status": pl.String}, orient="row")
    told = known.with_columns(named=pl.lit(True))
    return pl.concat([told, born.join(known, on="pipeline", how="anti")], how="diagonal").unique(["pipeline", "stage"], maintain_order=True)


def _status(frame: pl.DataFrame, stages: pl.DataFrame) -> pl.DataFrame:
    """The frame with the `status` of its `stage`: by pipeline, else by the stage alone if all pipelines agree, else by the name that a table writes."""
    exact = stages.select("pipeline", "stage", exact="status")
    # The numbers of the first pipeline may stand for anything in others: only stages that a pipeline names are known by themselves.
    named = stages.filter(pl.col("named"))
    names = pl.concat([named.select("status", key="stage"), named.select("status", key=pl.col("label").str.to_lowercase())]).drop_nulls()
    agreed = names.group_by("key").agg(pl.col("status").first(), pl.col("status").n_unique().alias("n")).filter(pl.col("n") == 1).select("key", agreed="status")  # fmt: skip
    bare = frame.with_columns(key=pl.col("stage").str.replace(_PIPELINE_BEHIND, "").str.to_lowercase())
    both = bare.join(exact, on=["pipeline", "stage"], how="left", maintain_order="left").join(agreed, on="key", how="left", maintain_order="left")
    said = words.meaning("key", words=words.STATUS_WORDS)
    return both.with_columns(status=pl.coalesce("exact", "agreed", said)).drop("key", "exact", "agreed")


def _contacts(
    found: Records, tickets: pl.DataFrame, owners: pl.DataFrame, stages: pl.DataFrame, *, fields: Mapping[str, str], told: Told
) -> pl.DataFrame:
    """What the tickets and what counts them say, before their history is read."""
    renamed = _survivors(found)
    linked = tickets
    for kind, name in (("ticket_contacts", "customer"), ("ticket_companies", "account"), ("threads", "customer")):
        other = (
            found.table(kind).select("contact_id", pl.col(name).alias("linked")).drop_nulls().unique("contact_id", keep="first", maintain_order=True)
        )
        linked = linked.join(other, on="contact_id", how="left", maintain_order="left").with_columns(pl.coalesce(name, "linked").alias(name)).drop("linked")  # fmt: skip
    people = found.table("contacts").select(
        customer_ref="customer_ref", locale=pl.col("language").str.slice(0, 2).str.to_lowercase(),
        staff=pl.col("email").str.to_lowercase().is_in(owners["email"].str.to_lowercase().drop_nulls().implode()).fill_null(False),
    )  # fmt: skip
    spam = found.table("threads").filter(pl.col("spam").is_in(_YES))["contact_id"].drop_nulls().implode()
    asker = typed.labels("customer", between=_LIST).list.first().replace(renamed)
    resolved = pl.col("status").is_in(_RESOLVED).fill_null(False) | pl.any_horizontal(pl.col("closed_at", "last_closed_at").is_not_null())
    owned, placed = (pl.col("contact_id").is_in(_moved(found, name)["contact_id"].implode()) for name in ("owner", "team"))
    named = _status(typed.channels(linked, meanings=CHANNELS, told=told), stages).with_columns(customer_ref=asker)
    known = named.join(people, on="customer_ref", how="left", maintain_order="left").with_columns(
        tags=typed.labels("tags"),
        language=pl.coalesce("language", "locale"),
        account_ref=pl.coalesce("account_ref", typed.labels("account", between=_LIST).list.first()),
        priority=pl.col("priority").str.to_lowercase(),
        is_deleted=typed.yes("archived"),
        is_spam=pl.col("contact_id").is_in(spam),
        is_internal=pl.col("staff").fill_null(False),
        customer_ref=pl.when(~pl.col("staff").fill_null(False)).then("customer_ref"),
        resolver_agent=pl.when(resolved & ~owned).then(pl.col("owner").replace(_named(owners))),
        resolver_group=pl.when(resolved & ~(owned | placed)).then(
            pl.coalesce(pl.col("team").replace(_teams(found)), pl.col("owner").replace_strict(_homes(owners), default=None, return_dtype=pl.String))
        ),
    )
    measured = flags.by_tags(_measured(known, told)).join(_merged(tickets), on="contact_id", how="left", maintain_order="left")
    calls = typed.durations(spoken.hung(found, "calls"), ["duration"], told=told, unit=0.001).drop_nulls(["contact_id", "duration"])
    talked = calls.group_by("contact_id").agg(talk_seconds=pl.col("duration").sum())
    return measured.join(talked, on="contact_id", how="left", maintain_order="left")


def _homes(owners: pl.DataFrame) -> dict[str, str]:
    return dict(owners.select("owner", "group").drop_nulls().iter_rows())


def _survivors(found: Records) -> dict[str, str]:
    """The contact that each merged one became; old associations still name the one that went."""
    gone = found.table("contacts").select("customer_ref", gone=typed.labels("merged", between=_LIST)).explode("gone").drop_nulls()
    return dict(gone.select(pl.col("gone").str.split(":").list.first(), "customer_ref").iter_rows())


def _merged(tickets: pl.DataFrame) -> pl.DataFrame:
    """Which ticket was merged into which: the one that stays names those that went."""
    gone = tickets.select(merged_into="contact_id", contact_id=typed.labels("merged", between=_LIST)).explode("contact_id").drop_nulls()
    return gone.select("contact_id", "merged_into").unique("contact_id", keep="last", maintain_order=True)


def _measured(contacts: pl.DataFrame, told: Told) -> pl.DataFrame:
    """Times, and the helpdesk's own figures; what it computes is often not filled."""
    strange = contacts.filter(pl.col("status").is_null() & pl.col("stage").is_not_null())
    if strange.height:
        ids = ", ".join(strange["stage"].unique().sort().to_list()[:10])
        told.notes.append(f"{strange.height:,} tickets stand in stages that no pipeline names ({ids}): closed_date decides whether they are closed; pipelines.json would say it")  # fmt: skip
    shut = contacts.filter(pl.col("status").is_in(_RESOLVED))
    for name, field in (("closed_at", "closed_date"), ("answered_at", "first_agent_reply_date")):
        if shut.height and (blank := shut[name].null_count()) * 2 > shut.height:
            told.notes.append(f"{field} is empty for {blank:,} of {shut.height:,} closed tickets; a search leaves out what is computed, a batch read has it")  # fmt: skip
    both = typed.durations(contacts, ["answered_after"], told=told, unit=0.001)
    both = typed.numbers(both, ["times_contacted"], told=told)
    waited = (pl.col("answered_at") - pl.col("opened_at")).dt.total_seconds().cast(pl.Float64)
    one_touch = pl.when(pl.col("one_touch").is_not_null()).then(typed.yes("one_touch"))
    was_closed = pl.coalesce("status", pl.when(pl.col("closed_at").is_not_null()).then(pl.lit("closed"))).is_in(_RESOLVED)
    return both.with_columns(
        first_resolved_at="closed_at",
        last_resolved_at=pl.coalesce("last_closed_at", "closed_at"),
        closed_at=pl.when(was_closed).then(pl.coalesce("last_closed_at", "closed_at")),
        wait_seconds=pl.coalesce(pl.when(waited >= 0).then(waited), "answered_after"),
        vendor_first_resolved_at="closed_at",
        vendor_replies=pl.col("times_contacted").cast(pl.Int64, strict=False),
        vendor_one_touch=one_touch,
        vendor_sla_met=_kept(over=was_closed),
    )


def _kept(*, over: pl.Expr) -> pl.Expr:
    """Was every promised time kept?"""
    said = [pl.col(name).str.to_uppercase() for name in ("closed_in_time", "answered_in_time")]
    promised = [pl.when(one.str.contains(PROMISED)).then(one) for one in said]
    late = [one.str.contains(BROKEN) for one in promised]
    broken = pl.when(pl.any_horizontal(one.is_not_null() for one in promised)).then(pl.any_horizontal(one.fill_null(False) for one in late))
    running = pl.any_horizontal(~one.str.contains(rf"{BROKEN}|{KEPT}").fill_null(True) for one in promised)
    return promises.kept(broken=broken, running=running, over=over)


def _steps(hand: Reading, contacts: pl.DataFrame, owners: pl.DataFrame, stages: pl.DataFrame) -> pl.DataFrame:
    """Who did what to which ticket, when."""
    found, told = hand.found, hand.told
    parts = [*_moves(found, contacts, owners, stages, told), spoken.said(found, told), *spoken.engaged(found, told)]
    return spoken.once(pl.concat(hand.timed(parts), how="diagonal"), told)


def _moves(found: Records, contacts: pl.DataFrame, owners: pl.DataFrame, stages: pl.DataFrame, told: Told) -> list[pl.DataFrame]:
    """Moves from stage to stage, from owner to owner and from team to team; the newest stands first in a history."""
    users = dict(owners.select("user", "owner").drop_nulls().iter_rows())
    history = {}
    for name in HISTORY:
        user = pl.coalesce("user", pl.col("source_id").str.extract(r"(?i)userId:(\d+)"))
        moved = _moved(found, name).with_columns(order=-pl.int_range(pl.len(), dtype=pl.Int64), user=user)
        where = pl.col("source").str.to_uppercase().str.strip_chars()
        person = pl.when(where.is_in(BOTS)).then(pl.lit("bot")).when(where.is_in(MACHINES)).then(pl.lit("system")).when(pl.col("user").is_not_null() | where.is_in(PEOPLE)).then(pl.lit("agent")).otherwise(pl.lit("system"))  # fmt: skip
        named = pl.col("user").replace_strict(users, default=None, return_dtype=pl.String)
        history[name] = moved.with_columns(by=person, actor_id=named).drop("source", "source_id", "user")
    placed = contacts.select("contact_id", "pipeline")
    stage = _status(history["stage"].rename({"value": "stage"}).join(placed, on="contact_id", how="left", maintain_order="left"), stages)
    strange = stage.filter(pl.col("status").is_null())
    if strange.height:
        ids = ", ".join(strange["stage"].unique().sort().to_list()[:20])
        told.problems.append(f"history: stages without a meaning: {ids}, the first in row {strange[instants.ROW][0]}; put pipelines.json (GET /crm/v3/pipelines/tickets) beside the tickets and name these there")  # fmt: skip
    group = pl.col("value").replace_strict(_homes(owners), default=None, return_dtype=pl.String) if history["team"].is_empty() else pl.lit(None, dtype=pl.String)  # fmt: skip
    handed = pl.concat(
        [
            history["owner"].with_columns(agent_to="value", group_to=group),
            history["team"].with_columns(group_to=pl.col("value").replace(_teams(found))),
        ],
        how="diagonal",
    ).with_columns(kind=pl.lit(assemble.HANDOVER), together=pl.col("at"))
    return [stage.with_columns(kind=pl.lit("status")).rename({"status": "status_to"}).drop("pipeline", "stage"), handed.drop("value")]


def _moved(found: Records, name: str) -> pl.DataFrame:
    """All values that the stage, the owner or the team of a ticket ever had, wherever the export keeps them."""
    apart = found.table("histories").filter(pl.col("name") == HISTORY[name]).with_columns(user=pl.lit(None, dtype=pl.String))
    columns = ["contact_id", "value", "at", "source", "source_id", "user", instants.ROW]
    listed = pl.concat([one.select(columns) for one in (found.table(f"{name}_moves"), found.table(f"old_{name}_moves"), apart)])
    return listed.filter(pl.col("value").str.strip_chars() != "")


def _acted(steps: pl.DataFrame, contacts: pl.DataFrame, owners: pl.DataFrame, *, renamed: Mapping[str, str]) -> pl.DataFrame:
    """Who acted: the asker, an agent, a machine, the system; somebody else in a side conversation is nobody we know."""
    asked = contacts.select("contact_id", "customer_ref", "is_side_conversation", asked_by="channel")
    users = dict(owners.select("user", "owner").drop_nulls().iter_rows())
    number = pl.col("sender").str.extract(r"^[A-Z]-(.+)$")
    kinds = dict(owners.select("owner", "agent_kind").iter_rows())
    steps = steps.join(asked, on="contact_id", how="left", maintain_order="left")
    spoke = pl.col("sender").is_not_null() & pl.col("sender").str.contains("^[AB]-").fill_null(False)
    visitor = pl.when(pl.col("sender").str.starts_with("V-")).then(number.replace(renamed))
    staff = pl.coalesce("actor_id", pl.when(spoke).then(number.replace(users)))
    stranger = pl.col("is_side_conversation").fill_null(False) & (pl.col("by") == "customer") & visitor.ne_missing(pl.col("customer_ref"))
    machine = staff.replace_strict(kinds, default=None, return_dtype=pl.String) == "bot"
    actor = pl.when(stranger).then(pl.lit("unknown")).when((pl.col("by") == "agent") & machine.fill_null(False)).then(pl.lit("bot")).otherwise("by")
    customer = actor == "customer"
    asker = pl.when(pl.col("customer_ref").is_not_null()).then(pl.coalesce(visitor, "customer_ref"))
    message = pl.col("kind") == "message"
    return steps.with_columns(
        actor=actor,
        actor_id=pl.when(customer).then(asker).when(actor.is_in(["agent", "bot"])).then(staff),
        channel=pl.coalesce("channel", pl.when(message).then("asked_by")),
    ).drop("customer_ref", "is_side_conversation", "asked_by", "by", "sender", "engaged", instants.ROW)


def _surveys(hand: Reading) -> pl.DataFrame:
    """Answers: satisfaction 0 to 2 (or more, on a survey of the portal's own), effort 1 (hard) to 7 (easy), recommendation 0 to 10.

    Each survey sends its own answers; the n-th ones of a ticket are one row, so that an answer to one survey does not replace that to another.
    """
    answers = hand.moments(hand.table("feedback"), ["answered_at"])
    answers = typed.numbers(answers, ["value"], told=hand.told).with_columns(pl.col("type").str.to_uppercase())
    top = pl.col("value").filter(pl.col("type") == "CSAT").max().over("survey")
    scaled = answers.drop_nulls(["contact_id", "value"]).sort("answered_at", maintain_order=True).with_columns(
        top=pl.when(top <= 2).then(2.0).when(top <= 5).then(5.0), nth=pl.int_range(pl.len()).over("contact_id", "type")
    )  # fmt: skip
    low = pl.when(pl.col("top") == 5).then(1.0).otherwise(0.0)
    csat = pl.when(pl.col("type") == "CSAT").then((pl.col("value") - low) / (pl.col("top") - low))
    read = scaled.with_columns(
        csat=pl.when(csat.is_between(0, 1)).then(csat),
        csat_raw=pl.when(pl.col("type") == "CSAT").then(pl.col("value").cast(pl.Int64, strict=False).cast(pl.String)),
        csat_scale=pl.when(pl.col("type") == "CSAT").then(pl.when(pl.col("top") == 5).then(pl.lit("1-5")).otherwise(pl.lit("0-2"))),
        ces=pl.when(pl.col("type") == "CES", pl.col("value").is_between(1, 7)).then(8 - pl.col("value")),
        nps=pl.when(pl.col("type") == "NPS", pl.col("value").is_between(0, 10)).then("value"),
    )
    firsts = [pl.col(name).drop_nulls().first() for name in ("csat", "csat_raw", "csat_scale", "ces", "nps", "comment")]
    return read.group_by("contact_id", "nth", maintain_order=True).agg(*firsts, pl.col("answered_at").max()).drop("nth")


def _identifiers(found: Records) -> pl.DataFrame:
    """What customers are known by: addresses, numbers, their company; a merged contact goes by the one that it became."""
    people = found.table("contacts")
    further = people.select("customer_ref", email=typed.labels("more_emails")).explode("email").drop_nulls()
    own = assemble.identity(people, source=SOURCE, email="email", phone="phone", account="account")
    more = [assemble.identity(further, source=SOURCE, email="email"), assemble.identity(people, source=SOURCE, phone="mobile")]
    return pl.concat([own, *more]).unique(maintain_order=True)
