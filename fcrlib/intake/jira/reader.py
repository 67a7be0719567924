"""What does an export of Jira Service Management say?

Issues with their changelog, comments, worklogs, promised times (SLA) and ratings, as the API gives them, one a line, as a table of the issue search, or
as tables of a warehouse. An issue is resolved when its status comes into the category "done" and reopened when it leaves it, whatever the statuses
are called and whatever the field `resolution` still says.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Unpack

import polars as pl

from fcrlib.intake.canonical import assemble, flags, instants, reading, typed, words
from fcrlib.intake.canonical.reading import Asked, Reading, Tables
from fcrlib.intake.canonical.told import Told
from fcrlib.intake.export.records import Records
from fcrlib.intake.jira import adf
from fcrlib.intake.jira.addresses import owned
from fcrlib.intake.jira.beside import bare, linked, promised, worked
from fcrlib.intake.jira.fields import CARRIES, CHANNELS, EXPORT, NAMED, STAGES, STATUSES, WITHIN, in_tables
from fcrlib.intake.jira.people import everybody
from fcrlib.model.desk import Desk

__all__ = ["CARRIES", "EXPORT", "SOURCE", "read"]

SOURCE = "jira"
_UNNAMED: dict[str, tuple[str, ...]] = {"account_ref": (), "close_reason": ()}
"""What stands in a custom field only where somebody says in which."""
_PLAIN = ("done", "fixed", "resolved", "complete", "completed", "unresolved", "closed", "solved")
_RESOLVED = ["solved", "closed"]
_QUOTED = r'"(?:[^"\\\x00-\x1f]|\\["\\/bfnrt]|\\u[0-9a-cA-CeEfF][0-9a-fA-F]{3})*"'
_SEVERAL = rf"^\[{_QUOTED}(?:,{_QUOTED})*\]$"
"""A list of texts in JSON, as several columns with one header are read."""
_TALK = r"(?s)^([^;]*);([^;]*);(.*)$"
_AFTER = 2**40
"""Changes come after the comments of the same second: who resolves says so first."""


def read(path: Path | str, **asked: Unpack[Asked]) -> Desk:
    """Read an export of Jira Service Management: a folder, a zip or a file with issues and whatever else there is.

    Parameters
    ----------
    path
        Pages of the issue search (with `expand=changelog,names`), lists or lines, or tables; `issues` are needed, and used where they are there:
        `comments`, `changelogs`, `fields`, `statuses`, `users`, `agents`, `sla`, `feedback`.
    asked
        What the reader may be told (`Asked`). Jira does not say its data end; tables write times without a zone; `fields` are names or ids of custom
        fields, e.g. `{"category": "Request type", "group": "Team"}`.

    Raises
    ------
    DataError
        If the export is broken, not whole, or not one of Jira; everything wrong at once; also if nobody says
        whether a status means done.
    UsageError
        If the data end is needed.
    """
    tabled = {f"tabled_{ours}": theirs for ours, theirs in (asked.get("fields") or {}).items()}
    return reading.read(path, asked, title="Jira", export=EXPORT.asking(tabled, way=in_tables), canonical=_tables, more=tuple(NAMED))


def _tables(hand: Reading) -> Tables:
    found, told = hand.found, hand.told
    titles = _titles(found)
    named = {ours: (theirs,) for ours, theirs in hand.fields.items()}
    names = {ours: tuple(name.lower() for name in some) for ours, some in {**NAMED, **_UNNAMED, **named}.items()}
    issues = _issues(hand)
    changes = _changes(found, issues, titles)
    comments = _comments(found, issues, told=told)
    people = everybody(found, issues, changes, comments, bots=hand.bots)
    contacts = _contacts(found, issues, changes, comments, people, titles, names, asked=hand.fields, told=told)
    stages = _stages(found, issues)
    return Tables(
        contacts=contacts.with_columns(likely_initiated_by=pl.when(pl.col("customer_ref").is_not_null()).then(pl.lit("customer"))),
        steps=_steps(hand, contacts, changes, comments, stages, teams=names["group"]),
        acted=partial(_acted, contacts=contacts, people=people),
        surveys=_surveys(hand, contacts, titles, names["rated"]),
        identifiers=_identifiers(people, contacts),
        agents=assemble.agents(people, key="author", kind="role"),
        names=people["name"],
    )


def _titles(found: Records) -> pl.DataFrame:
    """What the fields are called, by their ids, which are another in every site: from a page, from an issue, from the list of fields."""
    paged = [(field, title) for sheet in found.sheets for field, title in _pairs(sheet.said.get("names"))]
    every = pl.concat(
        [
            pl.DataFrame(paged, schema={"field": pl.String, "title": pl.String}, orient="row"),
            found.table("titles").select("field", "title"),
            found.table("fields").select("field", "title"),
        ]
    )
    return every.drop_nulls().unique("field", keep="first", maintain_order=True).with_columns(pl.col("title").str.to_lowercase())


def _pairs(names: object) -> list[tuple[str, str]]:
    return [(str(field), str(title)) for field, title in names.items()] if isinstance(names, dict) else []


def _issues(hand: Reading) -> pl.DataFrame:
    """Issues with their canonical `state`; where tables name a status, a priority or a resolution by its number, its name."""
    found, told = hand.found, hand.told
    numbers = {kind: dict(found.table(kind).select("id", "name").drop_nulls().iter_rows()) for kind in ("priorities", "resolutions")}
    statuses = dict(found.table("statuses").select("status_id", "name").drop_nulls().iter_rows())
    issues = typed.numbers(found.table("issues"), ["spent", "histories"], told=told)
    issues = hand.moments(issues, ["opened_at", "resolved_at", "updated_at"]).with_columns(
        issue=pl.coalesce("issue", "contact_id"),
        priority=pl.col("priority").replace(numbers["priorities"]),
        resolution=pl.col("resolution").replace(numbers["resolutions"]),
        status_id=pl.coalesce("status_id", pl.when(pl.col("status").is_in(list(statuses))).then("status")),
        status=pl.col("status").replace(statuses),
        body=adf.words(pl.col("body")),
    )
    placed = _staged(issues, _stages(found, issues), name="status", number="status_id").rename({"canonical": "state"})
    _strange(placed.filter(pl.col("state").is_null())["status"], told)
    return placed


def _stages(found: Records, issues: pl.DataFrame) -> pl.DataFrame:
    """The category of every status of which somebody says it: `status_id`, `name` in lower case, `means`."""
    every = [
        found.table("statuses").select("status_id", "name", stage=pl.coalesce("stage", "stage_id")),
        issues.select("status_id", "stage", name="status"),
    ]
    means = pl.col("stage").str.to_lowercase().replace_strict(STAGES, default=None, return_dtype=pl.String)
    known = pl.concat(every, how="diagonal").select("status_id", name=pl.col("name").str.to_lowercase(), means=means)
    return known.drop_nulls("means").unique(maintain_order=True)


def _staged(rows: pl.DataFrame, stages: pl.DataFrame, *, name: str, number: str) -> pl.DataFrame:
    """With `canonical`: the category decides, the name tells within it; without a category the name alone, if it is a known word."""
    by_id = stages.drop_nulls("status_id").unique("status_id", keep="first").select(pl.col("status_id").alias(number), by_id="means", titled="name")
    by_name = stages.drop_nulls("name").unique("name", keep="first").select(low="name", by_name="means")
    both = rows.join(by_id, on=number, how="left", maintain_order="left")
    # Tables give a status by its number alone: its name stands in the list of statuses.
    both = both.with_columns(low=pl.coalesce(pl.col(name).str.strip_chars().str.to_lowercase(), "titled"))
    both = both.join(by_name, on="low", how="left", maintain_order="left")
    stage, word = pl.coalesce("by_id", "by_name"), words.meaning("low", words=STATUSES)
    within = pl.any_horizontal((stage == one) & word.is_in(list(some)) for one, some in WITHIN.items()).fill_null(False)
    return both.with_columns(canonical=pl.when(stage.is_null() | within).then(word).otherwise(stage)).drop("low", "titled", "by_id", "by_name")


def _strange(names: pl.Series, told: Told) -> None:
    """Statuses of which nobody says whether they mean done."""
    counts = names.drop_nulls().value_counts(sort=True).sort("count", names.name, descending=[True, False])
    if counts.height:
        listed = ", ".join(f"'{name}' ({n:,})" for name, n in counts.head(20).iter_rows())
        told.problems.append(f"status: no category is known for {listed}: lay the answer of /rest/api/3/status beside the issues, as statuses.json")


def _changes(found: Records, issues: pl.DataFrame, titles: pl.DataFrame) -> pl.DataFrame:
    """Everything that was changed, each once: from inside the issues, from a file of its own, from the history of a warehouse."""
    kept = found.table("field_values").select("issue", "at", "field", "value", "author", instants.ROW, history=pl.format("{} {}", "issue", "at"))
    called = kept.join(titles, on="field", how="left", maintain_order="left").with_columns(field_id="field", field=pl.coalesce("title", "field"))
    logged = (found.table("changes"), owned(found, "logged", issues), found.table("logged_in_bulk"))
    every = pl.concat([*logged, called.drop("title")], how="diagonal")
    once = every.unique(["issue", "history", "field", "value", "value_text"], keep="first", maintain_order=True)
    once = once.with_columns(field=pl.col("field").str.to_lowercase(), order=pl.int_range(pl.len(), dtype=pl.Int64) + _AFTER)
    return once.join(issues.select("issue", "contact_id", "reporter"), on="issue", how="left", maintain_order="left")


def _comments(found: Records, issues: pl.DataFrame, *, told: Told) -> pl.DataFrame:
    """Comments from inside the issues and from a file of their own, each once. Where nothing says who may see one, everybody may."""
    every = pl.concat([found.table("written"), owned(found, "comments", issues), _listed(issues, told)], how="diagonal")
    once = every.filter(pl.col("id").is_null() | pl.col("id").is_first_distinct())
    said = pl.col("public").str.to_lowercase().replace_strict({"true": True, "false": False}, default=None, return_dtype=pl.Boolean)
    once = once.with_columns(
        public=pl.coalesce(said, pl.col("limited").is_null()), text=adf.words(pl.col("text")), order=pl.int_range(pl.len(), dtype=pl.Int64)
    )
    return once.join(issues.select("issue", "contact_id", "reporter"), on="issue", how="left", maintain_order="left")


def _listed(issues: pl.DataFrame, told: Told) -> pl.DataFrame:
    """Comments that a table of the issue search holds, a column for each: when, who and what, with semicolons between."""
    listed = pl.col("talk").str.contains(_SEVERAL)
    several = pl.when(listed).then("talk").str.json_decode(pl.List(pl.String))
    spoken = issues.select("issue", instants.ROW, talk=pl.when(listed).then(several).otherwise(pl.concat_list("talk")))
    every = spoken.explode("talk", empty_as_null=True).drop_nulls("talk")
    if every.height:
        told.notes.append(f"{every.height:,} comments stand in a table that does not say which of them are internal: all were read as public")
    return every.select(
        "issue", instants.ROW, *(pl.col("talk").str.extract(_TALK, part).alias(name) for part, name in enumerate(("at", "author", "text"), start=1))
    )


def _contacts(
    found: Records,
    issues: pl.DataFrame,
    changes: pl.DataFrame,
    comments: pl.DataFrame,
    people: pl.DataFrame,
    titles: pl.DataFrame,
    names: Mapping[str, tuple[str, ...]],
    *,
    asked: Mapping[str, str],
    told: Told,
) -> pl.DataFrame:
    """What the issues, their fields and their promised times say, before their changelog is read."""
    issues = _valued(found, issues, titles, names, asked, told)
    issues = linked(found, promised(found, worked(found, issues, changes, told), titles, told))
    staff = people.filter(pl.col("role") == "agent")["author"]
    resolved, reason = pl.col("state").is_in(_RESOLVED), pl.col("resolution").str.to_lowercase()
    both = issues.with_columns(
        status="state",
        tags=typed.labels("labels", between=r"[;|,\s]"),
        category=pl.coalesce("category", "request_type"),
        product_area=pl.coalesce("product_area", typed.labels("components").list.first()),
        account_ref=pl.coalesce("account_ref", "account"),
        channel_raw="way",
        language=pl.col("language").str.slice(0, 2).str.to_lowercase(),
        customer_ref=pl.when(~pl.col("reporter").is_in(staff.implode())).then("reporter"),
        is_internal=pl.col("reporter").is_in(staff.implode()).fill_null(False),
        initiated_by=pl.when(pl.col("reporter").is_in(staff.implode())).then(pl.lit("company")),
        is_deleted=typed.yes("deleted"),
        parent_id="parent",
        first_group=bare("group"),
        resolver_group=pl.when(resolved).then(bare("group")),
        resolver_agent=pl.when(resolved).then("assignee"),
        non_resolvable=reason.is_in(["declined", "won't do", "won't fix", "rejected"]).fill_null(False),
        first_resolved_at=pl.when(resolved).then("resolved_at"),
        last_resolved_at=pl.when(resolved).then("resolved_at"),
        closed_at=pl.when(pl.col("state") == "closed").then("resolved_at"),
        close_reason=pl.coalesce("close_reason", pl.when(resolved & ~reason.is_in(_PLAIN)).then(reason)),
        merged_into=pl.when(resolved).then("duplicates"),
    )
    _cut(both, comments, told)
    return flags.by_tags(typed.channels(both, meanings=CHANNELS, told=told))


def _cut(issues: pl.DataFrame, comments: pl.DataFrame, told: Told) -> None:
    """Note issues that count more comments than are there."""
    here = comments.group_by("issue").agg(here=pl.len())
    both = issues.join(here, on="issue", how="left", maintain_order="left").with_columns(pl.col("here").fill_null(0))
    cut = both.filter(pl.col("comments").cast(pl.Int64, strict=False) > pl.col("here"))
    if cut.height:
        told.notes.append(
            f"the comments of {cut.height:,} of {issues.height:,} issues are cut, e.g. {cut['contact_id'][0]} ({cut['here'][0]:,} of "
            f"{cut['comments'][0]}): fetch them with /rest/api/3/issue/KEY/comment and lay them beside"
        )


def _valued(
    found: Records, issues: pl.DataFrame, titles: pl.DataFrame, names: Mapping[str, tuple[str, ...]], asked: Mapping[str, str], told: Told
) -> pl.DataFrame:
    """The custom fields that hold our columns, by their names; the ids differ from site to site."""
    traits = found.table("traits").select("issue", "value", field="field", title=pl.col("field").str.replace("request.channel", "request channel"))
    values = (
        found.table("values").select("issue", "field", bare("value")).drop_nulls("value").join(titles, on="field", how="left", maintain_order="left")
    )
    values = pl.concat([traits.select("issue", "field", "value", "title"), values])
    for ours, theirs in names.items():
        one = values.filter(pl.col("title").is_in(theirs) | pl.col("field").is_in(theirs)).select("issue", valued="value")
        issues = issues.join(one.unique("issue", keep="last", maintain_order=True), on="issue", how="left", maintain_order="left")
        tabled = [name for name in (f"tabled_{ours}", ours) if name in issues.columns]
        silent = one.is_empty() and not any(issues[name].count() for name in tabled if name != ours)
        if silent and (ours in asked or (ours == "category" and not issues["request_type"].count())):
            there = ", ".join(values["title"].drop_nulls().unique().sort()[:20]) or "none that has a name: fetch them with expand=names"
            told.notes.append(f"no custom field '{asked.get(ours, theirs[0])}' holds the {ours}; there are {there}")
        issues = issues.with_columns(pl.coalesce("valued", *tabled).alias(ours)).drop("valued")
    return issues


def _steps(
    hand: Reading,
    contacts: pl.DataFrame,
    changes: pl.DataFrame,
    comments: pl.DataFrame,
    stages: pl.DataFrame,
    *,
    teams: Sequence[str],
) -> list[pl.DataFrame]:
    """Who did what to which issue, when."""
    changes, comments = hand.moments(changes, ["at"]), hand.moments(comments, ["at"])
    status = changes.filter(pl.col("field") == "status")
    status = _staged(status, stages, name="value_text", number="value").rename({"canonical": "status_to"})
    status = _staged(status, stages, name="before_text", number="before").rename({"canonical": "status_from"})
    _strange(status.filter(pl.col("status_to").is_null()).select(name=pl.coalesce("value_text", "value"))["name"], hand.told)
    team = pl.col("field").is_in(list(teams)) | pl.col("field_id").str.to_lowercase().is_in(list(teams)).fill_null(False)
    given = pl.coalesce("value", "value_text").str.strip_chars() != ""
    handed = changes.filter((team | (pl.col("field") == "assignee")) & given)
    duplicate = (pl.col("field") == "link") & pl.col("value_text").str.contains(r"(?i)\bduplicates\b").fill_null(False)
    opening = contacts.filter((pl.col("creator").is_null() | (pl.col("creator") == pl.col("reporter"))) & (pl.col("body").str.strip_chars() != ""))
    told_first = opening.select("contact_id", at="opened_at", author="reporter", order=pl.lit(-1, pl.Int64), text="body", public=pl.lit(True))
    said = pl.concat([told_first, comments.select("contact_id", "at", "author", "order", "text", "public")])
    return [
        status.select(*_STEP, "status_to", "status_from", kind=pl.lit("status")),
        handed.select(
            *_STEP,
            kind=pl.lit(assemble.HANDOVER),
            together="history",
            group_to=pl.when(pl.col("field") != "assignee").then(pl.coalesce("value_text", "value")),
            agent_to=pl.when(pl.col("field") == "assignee").then("value"),
            group_from=pl.when(pl.col("field") != "assignee").then(pl.coalesce("before_text", "before")),
            agent_from=pl.when(pl.col("field") == "assignee").then("before"),
        ),
        changes.filter(duplicate).select(*_STEP, kind=pl.lit("merge")),
        said.select(
            *_STEP, "text", "public", kind=pl.when("public").then(pl.lit("message")).otherwise(pl.lit("note")),
        ),
    ]  # fmt: skip


_STEP = ("contact_id", "at", "author", "order")


def _acted(steps: pl.DataFrame, contacts: pl.DataFrame, people: pl.DataFrame) -> pl.DataFrame:
    """Who acted: the reporter, an agent, a bot, an automation; whoever else writes from the portal asks too, but in a side conversation."""
    asked = contacts.select("contact_id", "reporter", "is_side_conversation", asked_by="channel")
    steps = steps.join(asked, on="contact_id", how="left", maintain_order="left")
    steps = steps.join(people.select("author", "role"), on="author", how="left", maintain_order="left")
    message = pl.col("kind") == "message"
    alone = pl.col("author").is_null()
    actor = (
        pl.when(alone & (pl.col("reporter").is_null() | message)).then(pl.lit("customer")).when(alone).then(pl.lit("system"))
        .when(pl.col("role").is_in(["agent", "bot", "system"])).then("role").when(pl.col("author") == pl.col("reporter")).then(pl.lit("customer"))
        .when(pl.col("is_side_conversation")).then(pl.lit("unknown")).when(pl.col("role") == "customer").then(pl.lit("customer"))
        .otherwise(pl.lit("unknown"))
    )  # fmt: skip
    steps = steps.with_columns(actor=actor, public=pl.col("public") & message)
    return steps.with_columns(
        actor_id=pl.when(pl.col("actor").is_in(["customer", "agent", "bot"])).then("author"),
        channel=pl.when(message).then("asked_by"),
        is_auto=message & (pl.col("actor") == "system"),
    ).drop("reporter", "is_side_conversation", "asked_by", "role", "author")


def _surveys(hand: Reading, contacts: pl.DataFrame, titles: pl.DataFrame, dated: Sequence[str]) -> pl.DataFrame:
    """Ratings of 1 to 5, from the field or from the feedback of the portal; the field keeps the last one only."""
    found, told = hand.found, hand.told
    own = found.table("values").filter(pl.col("rating").is_not_null()).select("issue", "rating", "remark")
    tabled = contacts.filter(pl.col("satisfaction").is_not_null()).select("issue", rating="satisfaction")
    dates = found.table("values").join(titles, on="field", how="left").filter(pl.col("title").is_in(list(dated))).select("issue", dated="value")
    given = pl.concat([own, owned(found, "feedback", contacts).select("issue", "rating", "remark", "at"), tabled], how="diagonal")
    given = given.join(dates.unique("issue", keep="last"), on="issue", how="left", maintain_order="left")
    given = hand.moments(typed.numbers(given, ["rating"], told=told), ["dated", "at"])
    given = given.with_columns(remark=adf.words(pl.col("remark"))).with_columns(bare("remark"))
    both = given.join(contacts.select("issue", "contact_id", "updated_at"), on="issue", how="inner", maintain_order="left")
    undated = both.filter(pl.coalesce("dated", "at").is_null()).height
    if undated:
        told.notes.append(f"surveys: {undated:,} ratings do not say when they were given; when the issue was last touched stands in")
    wrong = both.filter(~pl.col("rating").is_between(1, 5))
    if wrong.height:
        told.problems.append(f"ratings: {wrong.height:,} are not 1 to 5, the first in issue {wrong['contact_id'][0]}: {wrong['rating'][0]:g}")
    return both.select(
        "contact_id",
        answered_at=pl.coalesce("dated", "at", "updated_at"),
        csat_raw=pl.col("rating").cast(pl.Int64, strict=False).cast(pl.String),
        csat_scale=pl.lit("1-5"),
        csat=((pl.col("rating") - 1) / 4).clip(0, 1),
        comment="remark",
    )


def _identifiers(people: pl.DataFrame, contacts: pl.DataFrame) -> pl.DataFrame:
    """What customers are known by: their address, and the organisations they ask for."""
    customers = people.filter(pl.col("role").is_in(["customer", "unknown"])).select("email", customer_ref="author")
    return assemble.identity(
        pl.concat([customers, contacts.select("customer_ref", account="account_ref")], how="diagonal"),
        source=SOURCE,
        email="email",
        account="account",
    )
