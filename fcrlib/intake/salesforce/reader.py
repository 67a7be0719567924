"""What does a Salesforce export say?

Cases as a query, a bulk job, a backup, a warehouse or a report gives them, with whatever stands beside them: the history of their fields, comments,
e-mails, milestones, the people who asked, users and queues. Cases alone are enough for a start; the history shows what happened when.

An id has 15 characters or the same 15 with three more: the first 15 name the record. A case is closed when its org says that its status is.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Unpack

import polars as pl

from fcrlib.intake.canonical import assemble, flags, instants, promises, reading, typed, words
from fcrlib.intake.canonical.reading import Asked, Reading, Tables
from fcrlib.intake.canonical.told import Told
from fcrlib.intake.export.gather import PLACES
from fcrlib.intake.export.records import Records
from fcrlib.intake.salesforce.fields import CARRIES, CHANNELS, EXPORT, STATUSES
from fcrlib.model.desk import Desk, Dropped
from fcrlib.model.tables import RESOLVED_STATUSES

__all__ = ["CARRIES", "EXPORT", "SOURCE", "read"]

SOURCE = "salesforce"
_ID = r"^[a-zA-Z0-9]{15}(?:[a-zA-Z0-9]{3})?$"
_OWNER = r"^(?:005|00G)[a-zA-Z0-9]{12}(?:[a-zA-Z0-9]{3})?$"
_QUEUE, _CASE = "00G", "500"
_OWNERSHIP = ("owner", "ownerassignment", "owneraccepted", "ownerescalated", "case owner")
_OUTSIDE = r"(?i)portal|customer|csp|partner|guest"
_MACHINE = r"(?i)^automated ?process$|^cloud ?integration|^platform integration"
_DRAFT = ("5", "draft")
_ASKED = ("contact", "contact_name", "contact_email", "supplied_email", "supplied_phone", "channel_raw")
_DECIMAL = r"^\d+[.,]0+$"


def read(path: Path | str, **asked: Unpack[Asked]) -> Desk:
    """Read a Salesforce export: a folder, a zip or a file with cases and whatever else there is.

    Parameters
    ----------
    path
        `Case` is needed, as pages of a query, JSON or CSV; `CaseHistory`, `CaseComment`, `EmailMessage`, `CaseMilestone`, `CaseStatus`, `Contact`,
        `User` and `Group` are used where they are there. They are told by what each record says of itself, or by the names of the files.
    asked
        What the reader may be told (`Asked`). Salesforce does not say its data end; reports show times of whoever ran them; `fields` are
        names of fields, e.g. `{"category": "Topic__c"}`.

    Raises
    ------
    DataError
        If the export is broken, not whole, or not one of Salesforce; everything wrong at once.
    UsageError
        If the data end is needed.
    """
    export = EXPORT.asking(asked.get("fields") or {})
    return reading.read(path, asked, title="Salesforce", export=export, canonical=_tables)


def _tables(hand: Reading) -> Tables:
    found, told = hand.found, hand.told
    cases = hand.moments(_cases(found, told=told), ["opened_at", "closed_at"])
    hand.miss(cases)
    people = _people(found, cases, bots=hand.bots)
    queues = dict(_bare(found.table("groups")).drop_nulls(["id", "name"]).select("id", "name").iter_rows())
    history = _inside(found, "histories")
    meanings = _meanings(found, cases, history)
    promised = hand.moments(_promised(found), ["due"])
    contacts = _contacts(found, cases, people, queues, promised=promised, meanings=meanings, told=told)
    steps = hand.timed(_steps(found, cases, history, people, queues, meanings=meanings, told=told))
    return Tables(
        contacts=contacts,
        steps=steps,
        acted=partial(_acted, contacts=contacts, people=people),
        identifiers=_identifiers(found, contacts),
        agents=assemble.agents(people, key="id", kind="kind"),
        names=_names(found, people, contacts),
    )


def _bare(frame: pl.DataFrame) -> pl.DataFrame:
    """Empty fields are nothing, and an id is its first 15 characters."""
    kept = {"subject", "body", "text", "rich", instants.ROW}
    text = [name for name, dtype in frame.schema.items() if dtype == pl.String and name not in kept]
    filled = frame.with_columns(pl.when(pl.col(name).str.strip_chars() != "").then(pl.col(name).str.strip_chars()).alias(name) for name in text)
    named = [name for name in ("id", "case", "contact", "account", "account_ref", "owner", "who", "master", "parent") if name in frame.columns]
    return filled.with_columns(
        pl.when(pl.col(name).str.contains(_ID)).then(pl.col(name).str.slice(0, 15)).otherwise(name).alias(name) for name in named
    )


def _inside(found: Records, kind: str) -> pl.DataFrame:
    """Records of their own, and those that a query gave inside their case; a record that came both ways is one."""
    own, inner = (_bare(found.table(name)) for name in (kind, f"inner_{kind}"))
    both = pl.concat([own, inner], how="diagonal")
    said = [name for name in inner.columns if name not in (*PLACES, instants.ROW)]
    return both.unique(said, keep="first", maintain_order=True) if inner.height else both


def _cases(found: Records, *, told: Told) -> pl.DataFrame:
    """Every case once, the newest of its records; 15 characters of an id are as good as 18."""
    raw = _bare(found.table("cases")).with_columns(key=pl.coalesce("id", "contact_id"))
    made = raw.drop_nulls("opened_at").filter(pl.col("opened_at").n_unique().over("key", pl.col("opened_at").str.len_chars()) > 1)
    if made.height:
        rows = " and ".join(made.filter(pl.col("key") == made["key"][0])[instants.ROW].head(2))
        told.problems.append(f"cases: '{made['contact_id'][0]}' was made at two times ({rows}): two desks are mixed, import each on its own")
    cut = raw.filter(pl.col("contact_id").str.contains(_DECIMAL))
    if cut.height:
        told.problems.append(
            f"cases: {cut.height:,} of {raw.height:,} numbers were made decimals by a spreadsheet, e.g. '{cut['contact_id'][0]}' "
            f"({cut[instants.ROW][0]}): export them again and do not open them there"
        )
    other = raw.filter(pl.col("id").str.contains(_ID) & ~pl.col("id").str.starts_with(_CASE))
    if other.height:
        told.problems.append(
            f"cases: {other.height:,} of {raw.height:,} records are no cases, whose ids begin with {_CASE}, e.g. '{other['id'][0]}' "
            f"({other[instants.ROW][0]}): keep the `attributes` that say what a record is, or name the file after its object"
        )
    once = raw.sort("updated_at", maintain_order=True, nulls_last=False).unique("key", keep="last", maintain_order=True).sort("contact_id")
    twice = "the same record again: exports overlap, or it was delivered twice; the newest is kept"
    told.dropped.append(Dropped(what="cases", count=raw.height - once.height, why=twice))
    return once


def _meanings(found: Records, cases: pl.DataFrame, history: pl.DataFrame) -> dict[str, str]:
    """What every status of this org means: whether it is closed says the org, in its list of statuses or on its cases."""
    listed = _bare(found.table("statuses"))
    told = pl.concat([listed.select(word=name, closed="is_closed") for name in ("label", "name")] + [cases.select(word="status", closed="is_closed")])
    known = told.drop_nulls().group_by(pl.col("word").str.to_lowercase()).agg(closed=typed.yes("closed").all())
    closed = dict(known.iter_rows())
    turned = history.filter(pl.col("field").str.to_lowercase() == "status")
    every = pl.concat([cases["status"], turned["before"], turned["value"]]).drop_nulls().str.to_lowercase().unique().sort()
    meant = {word: _meant(STATUSES.get(word), closed.get(word)) for word in every}
    return {word: meaning for word, meaning in meant.items() if meaning is not None}


def _meant(usual: str | None, closed: bool | None) -> str | None:
    if closed is None:
        return usual
    if closed:
        return usual if usual in RESOLVED_STATUSES else "closed"
    return "open" if usual in (None, "closed") else usual


def _contacts(
    found: Records,
    cases: pl.DataFrame,
    people: pl.DataFrame,
    queues: dict[str, str],
    *,
    promised: pl.DataFrame,
    meanings: dict[str, str],
    told: Told,
) -> pl.DataFrame:
    """What the cases themselves say, before their history is read."""
    own = sorted({word for word in cases["status"].drop_nulls().str.to_lowercase().unique() if word in meanings and word not in STATUSES})
    told.notes += [f"statuses read by whether their cases are closed: {', '.join(f'{word} is {meanings[word]}' for word in own[:20])}"] if own else []
    cases = typed.statuses(typed.channels(cases, meanings=CHANNELS, told=told), "status", meanings=meanings, told=told)
    numbers = dict(cases.select("key", "contact_id").iter_rows())
    over = pl.col("status").is_in(RESOLVED_STATUSES)
    queue = pl.col("owner").str.starts_with(_QUEUE) | pl.col("owner").is_in(list(queues.values()))
    holder = pl.col("owner").replace(assemble.ids_by_name(people, name="name", key="id"))
    machine = holder.is_in(people.filter(pl.col("kind") == "system")["id"].implode())
    written = pl.col("key").is_in(_inside(found, "emails")["case"].implode())
    by_mail = (pl.col("channel") == "email") & written
    asked = pl.any_horizontal(pl.col(name).is_not_null() for name in _ASKED)
    supplied = pl.coalesce(pl.col("supplied_email").str.to_lowercase(), "supplied_phone")
    if not (found.table("histories").height or found.table("inner_histories").height):
        told.notes.append("there is no history of the cases: ClosedDate is their last closing, and was taken for the first one too")
    return promises.promised(cases, promised, key="key", over=over).with_columns(
        customer_ref=pl.coalesce("contact", supplied, pl.col("contact_email").str.to_lowercase(), "contact_name").str.normalize("NFC"),
        is_deleted=typed.yes("deleted") & pl.col("master").is_null(),
        merged_into=pl.col("master").replace(numbers),
        parent_id=pl.col("parent").replace(numbers),
        language=pl.col("language").str.slice(0, 2).str.to_lowercase(),
        first_resolved_at=pl.when(over).then("closed_at"),
        last_resolved_at=pl.when(over).then("closed_at"),
        closed_at=pl.when(pl.col("status") == "closed").then("closed_at"),
        resolver_group=pl.when(over & queue).then(pl.col("owner").replace(queues)),
        resolver_agent=pl.when(over & ~queue & ~machine).then(holder),
        resolved_by=pl.when(over & machine).then(pl.lit("automation")).when(over & ~queue).then(pl.lit("human")),
        initiated_by=pl.when(pl.col("channel") == "api").then(pl.lit("system")).when(~by_mail & asked).then(pl.lit("customer")),
        vendor_one_touch=pl.when(typed.yes("at_once")).then(pl.lit(True)),
    )


def _promised(found: Records) -> pl.DataFrame:
    """Milestones by the `key` of their case; when it was `due` stays where they are about resolving it."""
    types = _bare(found.table("milestone_types")).select(pl.col("type").str.slice(0, 15), "name").drop_nulls("type").unique("type", keep="last")
    known = _bare(found.table("milestones")).filter(~typed.yes("deleted")).with_columns(pl.col("type").str.slice(0, 15))
    told = known.join(types, on="type", how="left", maintain_order="left").with_columns(
        key="case",
        broken=typed.yes_or_no("violated"),
        running=~typed.yes("completed") & pl.col("done").is_null() & pl.any_horizontal(pl.col("completed", "due").is_not_null()),
        title=pl.coalesce("title", "name"),
    )
    return promises.of_resolution(told, key="key", title="title")


def _people(found: Records, cases: pl.DataFrame, *, bots: Sequence[str]) -> pl.DataFrame:
    """Users by `id`, with `kind`: agent, bot, customer (of a portal, with `contact`) or system. Whoever owned a case is an agent."""
    users = _bare(found.table("users"))
    history, private = _inside(found, "histories"), _inside(found, "comments").filter(~typed.yes("public"))
    owned = history.filter(pl.col("field").str.to_lowercase().is_in(_OWNERSHIP))
    sent = _inside(found, "emails").filter(~typed.yes("incoming"))
    held = pl.concat([cases["owner"], owned["value"].str.slice(0, 15), owned["before"].str.slice(0, 15), private["who"], sent["who"]])
    agents = held.filter(held.str.contains(r"^005[a-zA-Z0-9]{12}$")).unique().to_frame("id")
    known = users.join(agents.with_columns(owns=True), on="id", how="full", coalesce=True)
    outside = pl.col("contact").is_not_null() | pl.col("type").str.contains(_OUTSIDE).fill_null(False)
    machine = pl.any_horizontal(pl.col(name).str.contains(_MACHINE).fill_null(False) for name in ("type", "name"))
    robot = flags.is_bot(pl.col("name")) | pl.col("id").is_in([one[:15] for one in bots]) | pl.col("name").is_in(list(bots)).fill_null(False)
    kind = pl.when(machine).then(pl.lit("system")).when(outside).then(pl.lit("customer")).when(robot).then(pl.lit("bot")).otherwise(pl.lit("agent"))
    return known.drop_nulls("id").with_columns(kind=kind).sort("id")


_STEP = ("contact_id", "at", "who", "order", instants.ROW)
_AFTER = 2**40
"""Comments and e-mails come after the changes of the same second."""


def _steps(
    found: Records,
    cases: pl.DataFrame,
    history: pl.DataFrame,
    people: pl.DataFrame,
    queues: dict[str, str],
    *,
    meanings: dict[str, str],
    told: Told,
) -> list[pl.DataFrame]:
    """Who did what to which case, when."""
    keys = cases.select("contact_id", case="key")
    numbered = (
        history.with_columns(pl.col("field").str.to_lowercase(), case=pl.coalesce("case", "number")) if "number" in history.columns else history
    )
    changes = numbered.join(_either(keys), on="case", how="inner", maintain_order="left").with_columns(order=pl.int_range(pl.len(), dtype=pl.Int64))
    turned = changes.filter((pl.col("field") == "status") & pl.col("value").is_not_null())
    _known(pl.concat([turned["value"], turned["before"]]), meanings, told)
    status = turned.select(
        *_STEP, kind=pl.lit("status"), status_to=words.meaning("value", words=meanings), status_from=words.meaning("before", words=meanings)
    )
    handed = _handed(changes, people, queues)
    marked = changes.filter((pl.col("field") == "isescalated") & typed.yes("value")).select(*_STEP, kind=pl.lit("escalation"))
    # The rule that marks a case as escalated gives it to somebody in the same moment.
    raised = marked.join(handed.filter(pl.col("kind") == "escalation"), on=["contact_id", "at"], how="anti", maintain_order="left")
    return [status, raised, handed, *_said(found, keys, told)]


def _known(statuses: pl.Series, meanings: dict[str, str], told: Told) -> None:
    """Refuse words that no case holds now and the org does not list: nobody says whether they are closed."""
    strange = words.unknown(statuses.to_frame("status"), "status", words=meanings)
    if strange:
        told.problems.append(
            f"status: words without a meaning: {', '.join(strange[:20])}; known are {', '.join(list(meanings)[:20])}; which ones are closed says the "
            "org's list of statuses: export CaseStatus (MasterLabel, ApiName, IsClosed) and lay it beside the cases, e.g. as CaseStatus.csv"
        )


def _either(keys: pl.DataFrame) -> pl.DataFrame:
    """A case by its id or by its number."""
    return pl.concat([keys, keys.select("contact_id", case="contact_id")]).unique("case", keep="first", maintain_order=True)


def _handed(changes: pl.DataFrame, people: pl.DataFrame, queues: dict[str, str]) -> pl.DataFrame:
    """Changes of the owner, each of which stands twice, with names and with ids; names alone are read where there are no ids."""
    moment = ["contact_id", "at", "who"]
    owned = changes.filter(pl.col("field").is_in(_OWNERSHIP) & pl.col("value").is_not_null())
    owned = owned.with_columns(is_id=pl.col("value").str.contains(_OWNER))
    owned = owned.filter(pl.col("is_id") | ~pl.col("is_id").any().over(moment))
    named = assemble.ids_by_name(people, name="name", key="id")
    sides: dict[str, pl.Expr] = {}
    for side, column in (("to", "value"), ("from", "before")):
        owner = pl.when("is_id").then(pl.col(column).str.slice(0, 15)).otherwise(column)
        queue = (pl.col("is_id") & owner.str.starts_with(_QUEUE)) | owner.is_in(list(queues.values()))
        sides |= {f"group_{side}": pl.when(queue).then(owner.replace(queues)), f"agent_{side}": pl.when(~queue).then(owner.replace(named))}
    together = pl.concat_str("at", pl.col("who").fill_null(""))
    raised = pl.when(pl.col("field") == "ownerescalated").then(pl.lit("escalation")).otherwise(pl.lit(assemble.HANDOVER))
    return owned.select(*_STEP, kind=raised, together=together, **sides)


def _said(found: Records, keys: pl.DataFrame, told: Told) -> list[pl.DataFrame]:
    """Comments and e-mails; a comment that is not published is a note, a draft was never sent, and what was deleted nobody reads."""
    both = [_inside(found, kind).join(keys, on="case", how="inner", maintain_order="left") for kind in ("comments", "emails")]
    gone = sum(one.filter(typed.yes("deleted")).height for one in both)
    told.dropped.append(Dropped(what="comments and e-mails", count=gone, why="they were deleted"))
    comments, emails = (one.filter(~typed.yes("deleted")) for one in both)
    comments, emails = comments.with_columns(typed.yes("public")), emails.filter(~pl.col("state").str.to_lowercase().is_in(_DRAFT).fill_null(False))
    order = pl.int_range(pl.len(), dtype=pl.Int64) + _AFTER
    shared = ["contact_id", "at", "who", instants.ROW]
    kind = pl.when(pl.col("public")).then(pl.lit("message")).otherwise(pl.lit("note"))
    return [
        comments.select(*shared, "text", "public", order=order, kind=kind),
        emails.select(
            *shared,
            text=pl.coalesce(typed.filled("text"), "rich"),
            public=True,
            order=order,
            kind=pl.lit("message"),
            incoming=typed.yes("incoming"),
            channel=pl.lit("email"),
        ),
    ]


def _acted(steps: pl.DataFrame, contacts: pl.DataFrame, people: pl.DataFrame) -> pl.DataFrame:
    """Who acted: whoever writes in is the asker, whoever has a portal user a customer, and what nobody did the system did."""
    known = people.select(who="id", person="kind", asked_as="contact")
    steps = steps.join(contacts.select("contact_id", "customer_ref"), on="contact_id", how="left", maintain_order="left")
    steps = steps.join(known, on="who", how="left", maintain_order="left")
    asked = pl.col("incoming").fill_null(False)
    actor = pl.when(asked).then(pl.lit("customer")).otherwise(pl.col("person").fill_null("unknown"))
    heard = pl.col("kind") == "message"
    number = pl.when(asked).then("customer_ref").when(pl.col("person") == "customer").then("asked_as").when(pl.col("person") != "system").then("who")
    return steps.with_columns(
        actor=actor,
        actor_id=number,
        public=pl.col("public").fill_null(False),
        is_auto=heard & (actor == "system"),
    ).drop("who", "customer_ref", "person", "asked_as", "incoming", instants.ROW)


def _names(found: Records, people: pl.DataFrame, contacts: pl.DataFrame) -> pl.Series:
    """Full names of users, of people who asked, and of those whom a case names."""
    asked = found.table("people")
    whole = asked.select(pl.concat_str("first", "last", separator=" ")).to_series()
    return pl.concat([one.rename("name") for one in (people["name"], asked["name"], whole, contacts["contact_name"])])


def _identifiers(found: Records, contacts: pl.DataFrame) -> pl.DataFrame:
    """What customers are known by: what the org knows of them, and what they gave with a case."""
    people = _bare(found.table("people")).rename({"id": "customer_ref"})
    own = assemble.identity(people, source=SOURCE, email="email", phone="phone", account="account")
    mobile = assemble.identity(people, source=SOURCE, phone="mobile")
    given = assemble.identity(contacts, source=SOURCE, email="supplied_email", phone="supplied_phone")
    shown = assemble.identity(contacts, source=SOURCE, email="contact_email", phone="contact_phone")
    return pl.concat([own, mobile, given, shown]).unique(maintain_order=True)
