"""What happened to a ServiceNow incident, and when?

The audit of fields and the journal of comments tell it; for fields that an incident's audit does not hold, the spans of metrics do.
"""

from __future__ import annotations

import polars as pl

from fcrlib.intake.canonical import assemble, instants, typed, words
from fcrlib.intake.canonical.told import Told
from fcrlib.intake.export.records import Records
from fcrlib.intake.servicenow.log import STATE_WORDS
from fcrlib.intake.servicenow.values import bare, labelled, on_tickets, state

_STEP = ("contact_id", "at", "who", "order", instants.ROW)
_AFTER = 2**40
"""Comments come after the changes of the same second."""
_SPOKEN = ("comments", "work_notes")
_LABELS = [word for word in STATE_WORDS if not word.isdigit()]
_WATCHED = ("state", "incident_state", "hold_reason", "assignment_group", "assigned_to")


def steps(found: Records, tickets: pl.DataFrame, named: dict[str, str], *, told: Told) -> list[pl.DataFrame]:
    """Who did what to which incident, when; `named` gives the name of a group and the id of a user whom a screen names."""
    changes = _changes(found, tickets, told=told)
    public = pl.col("element") == "comments"
    said = on_tickets(spoken(found), tickets).select(
        "contact_id",
        "at",
        "who",
        "text",
        instants.ROW,
        kind=pl.when(public).then(pl.lit("message")).otherwise(pl.lit("note")),
        public=public,
        order=pl.int_range(pl.len(), dtype=pl.Int64) + _AFTER,
    )
    sides = {
        f"{who}_{side}": pl.when(pl.col("field") == field).then(pl.col(column).replace(named))
        for who, field in (("group", "assignment_group"), ("agent", "assigned_to"))
        for side, column in (("to", "value"), ("from", "before"))
    }
    given = changes.filter(pl.col("field").is_in(["assignment_group", "assigned_to"]))
    handed = given.select(*_STEP, "together", kind=pl.lit(assemble.HANDOVER), **sides)
    return [_turns(changes, found, tickets, told=told), handed, said]


def spoken(found: Records) -> pl.DataFrame:
    """Comments and work notes: those of the journal, those of the audit for incidents of which the journal holds none."""
    wanted = ["ticket", "element", "text", "who", "at", instants.ROW]
    journal = bare(found.table("journal")).filter(pl.col("element").is_in(_SPOKEN)).select(wanted)
    audit = bare(found.table("audit")).rename({"value": "text"}).with_columns(element=pl.col("field").str.to_lowercase())
    audited = audit.filter(pl.col("element").is_in(_SPOKEN) & pl.col("text").is_not_null()).select(wanted)
    return pl.concat([journal, audited.join(journal, on="ticket", how="anti", maintain_order="left")])


def _changes(found: Records, tickets: pl.DataFrame, *, told: Told) -> pl.DataFrame:
    """Changes of fields from the audit; from the spans of metrics for fields that an incident's audit does not hold."""
    audit = bare(found.table("audit")).with_columns(pl.col("field").str.to_lowercase(), together=pl.coalesce("together", "at"))
    audit = on_tickets(audit.filter(pl.col("field").is_in(_WATCHED) & pl.col("value").is_not_null()), tickets)
    spans = _measured(found, tickets, told=told)
    spans = spans.with_columns(together="at", who=pl.lit(None, dtype=pl.String), before=pl.lit(None, dtype=pl.String), table=pl.lit("incident"))
    spans = on_tickets(spans.filter(pl.col("field").is_in(_WATCHED) & pl.col("value").is_not_null()), tickets)
    topic = pl.col("field").replace("state", "incident_state")
    unseen = spans.with_columns(topic=topic).join(audit.with_columns(topic=topic), on=["contact_id", "topic"], how="anti", maintain_order="left")
    wanted = ["contact_id", "at", "who", "field", "before", "value", "together", "table", instants.ROW]
    return pl.concat([audit.select(wanted), unseen.select(wanted)]).with_columns(order=pl.int_range(pl.len(), dtype=pl.Int64))


def _measured(found: Records, tickets: pl.DataFrame, *, told: Told) -> pl.DataFrame:
    """Spans of metrics with their `field`: as they or their definition say, by its name, else by what all its values are."""
    defined = bare(found.table("definitions")).select("definition", field_of="field", named="name")
    spans = bare(found.table("spans")).join(defined, on="definition", how="left", maintain_order="left")
    name = pl.coalesce("named", "definition_shown", "definition").str.to_lowercase()
    titled = pl.when(name.str.contains("group")).then(pl.lit("assignment_group")).when(name.str.contains("assigned")).then(pl.lit("assigned_to"))
    titled = titled.when(name.str.contains("state")).then(pl.lit("incident_state"))
    ids = {kind: bare(found.table(kind))[column].drop_nulls() for kind, column in (("groups", "id"), ("users", "user_id"))}
    places = {"assignment_group": pl.concat([ids["groups"], tickets["group"].drop_nulls()]), "assigned_to": ids["users"]}
    seen = [_all(pl.col("shown").str.to_lowercase().is_in(_LABELS), "incident_state")]
    seen += [_all(pl.col("value").is_in(some.implode()), field) for field, some in places.items()]
    spans = spans.with_columns(field=pl.coalesce("field", "field_of", titled, *seen).str.to_lowercase())
    nameless = spans.filter(pl.col("field").is_null() & pl.col("named").is_null() & pl.col("definition_shown").is_null())
    if nameless.height:
        told.notes.append(f"{nameless.height:,} spans of metrics were left out, for nobody says what they measure: export metric_definition too")
    return spans


def _all(known: pl.Expr, field: str) -> pl.Expr:
    """The field, where this holds for every span of one metric."""
    return pl.when(known.fill_null(False).all().over("definition")).then(pl.lit(field))


def _turns(changes: pl.DataFrame, found: Records, tickets: pl.DataFrame, *, told: Told) -> pl.DataFrame:
    """Changes of the state, which stands in two fields, with the reason of a hold where one update gave both."""
    moment = ["contact_id", "together"]
    reasons = changes.filter(pl.col("field") == "hold_reason")
    states = changes.filter(pl.col("field").is_in(["state", "incident_state"])).unique([*moment, "value"], keep="first", maintain_order=True)
    states = labelled(labelled(states, found, "value"), found, "before")
    typed.statuses(states.select(state="value"), "state", meanings=STATE_WORDS, told=told)
    reason = reasons.select(*moment, reason="value").unique(moment, keep="last")
    alone = reasons.join(states, on=moment, how="anti", maintain_order="left").with_columns(value=pl.lit("On Hold"), reason="value", before=None)
    turned = pl.concat([states.join(reason, on=moment, how="left", maintain_order="left"), alone.select(*states.columns, "reason")])
    return _explained(turned, reasons, tickets).select(
        *_STEP,
        kind=pl.lit("status"),
        status_to=state("value", "reason"),
        born=words.meaning("before", words=STATE_WORDS),
    )


def _explained(turned: pl.DataFrame, reasons: pl.DataFrame, tickets: pl.DataFrame) -> pl.DataFrame:
    """The last hold of an incident has the reason that the incident itself says, where its history says none."""
    held = words.meaning("value", words=STATE_WORDS) == "hold"
    last = held & (pl.col("at") == pl.col("at").filter(held).max().over("contact_id"))
    own = tickets.select("contact_id", own="hold_reason").join(reasons, on="contact_id", how="anti", maintain_order="left")
    both = turned.join(own, on="contact_id", how="left", maintain_order="left")
    return both.with_columns(reason=pl.coalesce("reason", pl.when(last.fill_null(False)).then("own"))).drop("own")
