"""What does a ServiceNow export say?

Either an incident audit log (one table, one row per audit: `log`), or tables of the instance: incidents and tasks as the interface, a
warehouse or a list gives them, with whatever stands beside them: the audit of fields and the journal of comments (the history), or the spans of
metrics where there is no audit, promises, users, groups, choices.

Times are UTC where the instance gives values and in the zone of whoever exported where it gives what the screen shows. The counts of reassignments
and reopenings are kept as `vendor_*`: whether the first assignment counts differs from instance to instance.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Unpack

import polars as pl

from fcrlib.intake.canonical import assemble, finish, flags, instants, promises, reading, typed
from fcrlib.intake.canonical.reading import Asked, Reading, Tables
from fcrlib.intake.canonical.told import Told
from fcrlib.intake.export.gather import PLACES
from fcrlib.intake.export.kinds import at
from fcrlib.intake.export.records import Records
from fcrlib.intake.servicenow import history, log
from fcrlib.intake.servicenow.fields import CARRIES, EXPORT, REFERENCES, plain
from fcrlib.intake.servicenow.log import MACHINES, SOURCE, STATE_WORDS
from fcrlib.intake.servicenow.values import bare, counted, ids, labelled, names, on_tickets, state
from fcrlib.intake.servicenow.which import is_log
from fcrlib.model.desk import Desk, Dropped

__all__ = ["CARRIES", "EXPORT", "SOURCE", "read"]

_TITLE = "ServiceNow"
_CLASSES = ("incident", "case", "sn_customerservice_case")
"""Kinds of tasks that are contacts; changes, problems and requests are not."""
_GUEST = "guest"
_CALLED_OFF = ("cancelled", "canceled")
_RUNNING = r"progress|paused|starting"
_SERVED = r"(?i)\b(?:itil|sn_customerservice_agent|admin)\b"


def read(path: Path | str, **asked: Unpack[Asked]) -> Desk:
    """Read an incident audit log, or tables of an instance.

    Parameters
    ----------
    path
        A log: csv, zip, gz or a folder of those. Tables: `incident` or `task` is needed; `sys_audit`, `sys_journal_field`, `metric_instance`,
        `task_sla`, `sys_user`, `sys_user_group`, `sys_choice` and others are used where they are there. They are told by the names of their files.
    asked
        What the reader may be told (`Asked`). ServiceNow does not say its data end; the instance's own values are UTC, what a screen or a list shows is
        not; `fields` are names of fields of the incident, e.g. `{"category": "u_reason"}`.

    Raises
    ------
    DataError
        If the export is broken, not whole, or not one of ServiceNow; everything wrong at once.
    UsageError
        If the data end is needed.
    """
    if not is_log(path):
        return reading.read(path, asked, title=_TITLE, export=EXPORT.asking(asked.get("fields") or {}, way=plain), canonical=_tables)
    reading.refuse(asked, title=f"{_TITLE}'s audit log", without=("fields", "bots", "thanks_words"))
    desk = log.read(
        path,
        data_end=finish.data_end(asked.get("data_end"), system=_TITLE),
        time_zone=asked.get("time_zone") or "UTC",
        dates=asked.get("dates"),
        identity=asked.get("identity"),
        redaction=asked.get("redaction"),
    )
    if asked.get("time_zone"):
        return desk
    notes = (*desk.manifest.notes, "the log's times have no zone; they were read as UTC, --timezone says another")
    return replace(desk, manifest=desk.manifest.model_copy(update={"notes": notes}))


def _tables(hand: Reading) -> Tables:
    found, told = hand.found, hand.told
    told.problems += _broken_off(found)
    zone = _zone(found, hand.time_zone, told)
    users = ids(bare(found.table("users")))
    tickets = hand.moments(_tickets(found, users, told=told), ["opened_at", "resolved_at", "closed_at"], time_zone=zone)
    hand.miss(tickets)
    people = _people(found, tickets, users, bots=hand.bots)
    groups = names(found, tickets, "group", "groups")
    steps = hand.timed(history.steps(found, tickets, {**groups, **users}, told=told), time_zone=zone)
    promised = hand.moments(_promised(found, tickets), ["due"], time_zone=zone)
    return Tables(
        contacts=_contacts(found, tickets, groups, promised=promised, told=told),
        steps=steps,
        acted=partial(_acted, tickets=tickets, people=people, users=users),
        identifiers=_identifiers(found, people),
        agents=assemble.agents(people, key="user_id", kind="kind"),
        names=pl.concat([people["name"], *(tickets[f"{who}_shown"].rename("name") for who in ("caller", "opener", "agent", "resolver"))]),
        time_zone=zone,
    )


def _broken_off(found: Records) -> list[str]:
    """Answers that the instance did not finish: it gives the records that it had, and an error behind them."""
    return [
        f"{sheet.file}: the instance broke off this answer after {sheet.records:,} records ('{error}'): fetch it again in smaller pages (sysparm_limit)"
        for sheet in found.sheets
        if (error := at(sheet.said, "error.message") or at(sheet.said, "error"))
    ]


def _zone(found: Records, given: str | None, told: Told) -> str:
    """The zone of times without one: values are UTC, what a screen shows is not."""
    tickets = found.table("tickets")
    shown = any(tickets[f"{name}_shown"].count() and tickets[name].str.starts_with("{").any() for name in REFERENCES)
    named = [tickets[name].str.contains(r"^(?:[0-9a-f]{32}|\{.*|)$").all() is False for name in ("caller", "group", "agent")]
    listed = not tickets["sys_id"].count() or any(named)
    if shown and given is None:
        told.problems.append("times are given as the screen of whoever exported shows them (display values): say with --timezone in which zone")
    if listed and given is None:
        told.notes.append("a list shows times in the zone of whoever exported it; they were read as UTC, --timezone says another")
    return given or "UTC"


def _tickets(found: Records, users: dict[str, str], *, told: Told) -> pl.DataFrame:
    """Every incident once: the newest of its records, with what the table of tasks adds; tasks of other kinds are left out."""
    raw = bare(found.table("tickets")).with_columns(
        # What stands in for a number or an opening is nothing that the other half could be right about.
        contact_id=pl.when(pl.col("contact_id") != pl.col("sys_id").fill_null("")).then("contact_id"),
        opened_at=pl.when(pl.col("opened_at") != pl.col("created_at").fill_null("")).then("opened_at"),
        is_task=pl.col(instants.ROW).str.contains(r"(?i)(?:^|/)tasks?(?:[_.-][^/]*)?$"),
        key=pl.coalesce("sys_id", "contact_id"),
    )
    once = raw.sort("updated_at", maintain_order=True, nulls_last=False).unique(["key", "is_task"], keep="last", maintain_order=True)
    twice = "the same record again: exports overlap, or it was delivered twice; the newest is kept"
    told.dropped.append(Dropped(what="incidents", count=raw.height - once.height, why=twice))
    whole = once.sort("is_task", maintain_order=True).group_by("key", maintain_order=True).agg(
        pl.all().exclude("key", "is_task", *PLACES).drop_nulls().first(), pl.col("is_task").all()
    ).with_columns(
        pl.coalesce("contact_id", "sys_id"), pl.coalesce("opened_at", "created_at"), pl.col("caller", "opener", "agent", "resolver").replace(users)
    )  # fmt: skip
    kind = pl.col("table").str.to_lowercase()
    other = whole.filter(pl.col("is_task") & ~kind.is_in(_CLASSES).fill_null(True))
    kinds = ", ".join(sorted(set(other["table"].drop_nulls())))
    told.dropped.append(
        Dropped(what="tasks", count=other.height, why=f"of another kind: {kinds}", example=next(iter(other["contact_id"].drop_nulls()), ""))
    )
    return whole.join(other.select("key"), on="key", how="anti", maintain_order="left").sort("contact_id")


def _contacts(found: Records, tickets: pl.DataFrame, groups: dict[str, str], *, promised: pl.DataFrame, told: Told) -> pl.DataFrame:
    """What the incidents themselves say, before their history is read."""
    tickets = labelled(tickets, found, "state")
    typed.statuses(tickets.select("state"), "state", meanings=STATE_WORDS, told=told)
    tickets = typed.numbers(typed.channels(tickets.with_columns(counted("worked")), told=told), ["reopens", "stations"], told=told)
    tickets = typed.durations(tickets, ["worked"], told=told)
    cancelled = pl.col("state").str.to_lowercase().is_in([*_CALLED_OFF, "8"]).fill_null(False)
    numbers, items = dict(tickets.select("key", "contact_id").iter_rows()), names(found, tickets, "item", "items")
    status = state("state", "hold_reason")
    # Where an incident was called off, nothing was resolved.
    over, solved = status.is_in(["solved", "closed"]).fill_null(False), pl.coalesce("resolved_at", pl.when(~cancelled).then("closed_at"))
    again = tickets.filter((pl.col("reopens") > 0) & pl.col("resolved_at").is_not_null()).height
    if again:
        told.notes.append(
            f"{again:,} incidents were reopened and hold only their last resolution; their first one is known where the history tells it"
        )
    machine = pl.coalesce("resolver_shown", "resolver").str.to_lowercase().is_in(MACHINES)
    whole = promises.promised(tickets, promised, key="key", over=over)
    made = pl.when(pl.col("made").is_not_null()).then(~typed.yes("made"))
    return whole.with_columns(
        status=status,
        is_deleted=cancelled | typed.yes("deleted"),
        customer_ref=pl.col("caller").str.replace(r"^(?i)caller\s+(\d+)$", "$1").str.normalize("NFC"),
        account_ref=_asked(tickets, "account_ref", pl.col("account")),
        product_area=_asked(tickets, "product_area", pl.col("item").replace(items)),
        parent_id=pl.col("parent").replace(numbers),
        issue_key="problem",
        first_resolved_at=pl.when(over).then(solved),
        last_resolved_at=pl.when(over).then(solved),
        closed_at=pl.when(status == "closed").then("closed_at"),
        resolver_group=pl.when(over).then(pl.col("group").replace(groups)),
        resolver_agent=pl.when(over).then(pl.coalesce("agent", "resolver")),
        resolved_by=pl.when(machine).then(pl.lit("automation")).when(machine.is_not_null()).then(pl.lit("human")),
        initiated_by=pl.when(pl.col("channel") == "api").then(pl.lit("system")).when(pl.col("caller").is_not_null()).then(pl.lit("customer")).otherwise(pl.lit("unknown")),
        handle_seconds=pl.when(pl.col("worked") > 0).then("worked"),
        vendor_reopens=pl.col("reopens").cast(pl.Int64, strict=False),
        vendor_stations=pl.col("stations").cast(pl.Int64, strict=False),
        vendor_first_resolved_at=pl.when(pl.col("reopens") == 0).then("resolved_at"),
        vendor_sla_met=pl.coalesce("vendor_sla_met", promises.kept(broken=made, running=pl.lit(True), over=over)),
    )  # fmt: skip


def _asked(tickets: pl.DataFrame, ours: str, usual: pl.Expr) -> pl.Expr:
    """What the field that was asked for says, else the usual one."""
    return pl.coalesce(ours, usual) if ours in tickets.columns else usual


def _promised(found: Records, tickets: pl.DataFrame) -> pl.DataFrame:
    """Promises that were not cancelled, by the `key` of their incident; when it was `due` stays where they are about resolving it."""
    agreed = bare(found.table("agreements")).select("agreement", "title", "goal").drop_nulls("agreement")
    told = on_tickets(bare(found.table("promises")), tickets).join(agreed, on="agreement", how="left", maintain_order="left")
    told = told.with_columns(pl.col("stage").str.to_lowercase())
    told = told.filter(~pl.col("stage").is_in(_CALLED_OFF).fill_null(False)).with_columns(
        broken=typed.yes_or_no("breached"),
        running=pl.col("stage").str.contains(_RUNNING),
        subject=pl.coalesce("target", "goal", "title", "agreement_shown", "agreement"),
    )
    return promises.of_resolution(told, key="key", title="subject")


def _people(found: Records, tickets: pl.DataFrame, named: dict[str, str], *, bots: Sequence[str]) -> pl.DataFrame:
    """Everybody by `user_id`, with `login` and `kind`: agent, bot, customer, or nothing that tells."""
    changes, notes = bare(found.table("audit")), history.spoken(found).filter(pl.col("element") == "work_notes")
    held = [tickets["agent"], *(changes.filter(pl.col("field") == "assigned_to")[side] for side in ("value", "before"))]
    users = bare(found.table("users"))
    worked = pl.concat([*held, notes["who"].replace(named)]).drop_nulls().unique()
    known = users.join(
        pl.DataFrame({"user_id": pl.concat([worked, tickets["caller"]]).drop_nulls().unique()}), on="user_id", how="full", coalesce=True
    )
    agent = pl.col("user_id").is_in(worked.implode()) | pl.col("roles").str.contains(_SERVED).fill_null(False)
    listed = pl.any_horizontal(pl.col(name).is_in(list(bots)).fill_null(False) for name in ("user_id", "name", "login"))
    machine = listed | flags.is_bot(pl.col("name")) | flags.is_bot(pl.col("login"))
    asked = pl.col("user_id").is_in(tickets["caller"].drop_nulls().implode())
    kind = pl.when(agent & machine).then(pl.lit("bot")).when(agent).then(pl.lit("agent")).when(asked).then(pl.lit("customer"))
    system = pl.col("login").str.to_lowercase().is_in([*MACHINES, _GUEST]).fill_null(False)
    return known.filter(~system).with_columns(kind=kind).sort("user_id")


def _acted(steps: pl.DataFrame, tickets: pl.DataFrame, people: pl.DataFrame, users: dict[str, str]) -> pl.DataFrame:
    """Who acted: whoever called for this incident is its customer even if they are an agent elsewhere; a guest is somebody nobody knows."""
    login = pl.col("who").str.to_lowercase()
    system, guest = login.is_in(MACHINES).fill_null(False), (login == _GUEST).fill_null(False)
    steps = steps.with_columns(actor_id=pl.col("who").replace(users)).join(
        tickets.select("contact_id", "caller"), on="contact_id", how="left", maintain_order="left"
    )
    steps = steps.join(people.select(actor_id="user_id", person="kind"), on="actor_id", how="left", maintain_order="left")
    asker = guest | (pl.col("actor_id") == pl.col("caller")).fill_null(False)
    actor = pl.when(system).then(pl.lit("system")).when(asker).then(pl.lit("customer")).otherwise(pl.col("person").fill_null("unknown"))
    heard = pl.col("kind") == "message"
    # What was before is read off the change before; only of the first one nothing else tells it.
    turns = pl.col("kind") == "status"
    first = turns & (turns.cast(pl.Int64).cum_sum().over("contact_id", order_by=["at", "order"]) == 1)
    return steps.with_columns(
        actor=actor,
        status_from=pl.when(first).then("born"),
        actor_id=pl.when(~system & ~guest).then("actor_id"),
        public=pl.col("public").fill_null(False),
        is_auto=heard & system,
    ).drop("who", "caller", "person", "born", instants.ROW)


def _identifiers(found: Records, people: pl.DataFrame) -> pl.DataFrame:
    """What people who are no agents are known by: addresses and numbers of their own and of their devices, and their company."""
    customers = people.filter(~pl.col("kind").is_in(["agent", "bot"]).fill_null(False)).rename({"user_id": "customer_ref"})
    more = bare(found.table("devices")).join(customers.select("customer_ref"), on="customer_ref", how="semi")
    own = assemble.identity(customers, source=SOURCE, email="email", phone="phone", account="company")
    told = [own, assemble.identity(customers, source=SOURCE, phone="mobile"), assemble.identity(more, source=SOURCE, email="email", phone="phone")]
    return pl.concat(told).unique(maintain_order=True)
