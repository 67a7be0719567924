"""What does a field of a ServiceNow instance hold?

An empty field is nothing, a reference is the id of a record, a state is the label that the instance gives its number.
"""

from __future__ import annotations

import polars as pl

from fcrlib.intake.canonical import assemble, instants, words
from fcrlib.intake.export.records import Records
from fcrlib.intake.servicenow.log import STATE_WORDS

_AWAITS_CALLER = ("1", "awaiting caller", "awaiting info", "awaiting user info")
_SECONDS = {"day": 86_400, "hour": 3_600, "minute": 60, "second": 1}
_CASE = "sn_customerservice_case"


def bare(frame: pl.DataFrame) -> pl.DataFrame:
    """Empty fields are nothing; a reference without a value is the id its link ends in, else what the screen shows."""
    kept = {"subject", "body", "text", instants.ROW}
    text = [name for name, dtype in frame.schema.items() if dtype == pl.String and name not in kept]
    bare = frame.with_columns(
        pl.when(~pl.col(name).str.strip_chars().is_in(["", "?"])).then(pl.col(name).str.strip_chars()).alias(name) for name in text
    )
    pointed = [name for name in text if f"{name}_link" in frame.columns]
    return bare.with_columns(
        pl.coalesce(
            pl.when(~pl.col(name).str.starts_with("{")).then(name), pl.col(f"{name}_link").str.extract(r"/([0-9a-f]{32})$"), f"{name}_shown"
        ).alias(name)
        for name in pointed
    )


def names(found: Records, tickets: pl.DataFrame, column: str, kind: str) -> dict[str, str]:
    """The names of what a reference points at: from its own table, or as the tickets show them."""
    shown = tickets.select(id=column, name=f"{column}_shown").drop_nulls()
    return dict(pl.concat([shown, bare(found.table(kind)).select("id", "name").drop_nulls()]).iter_rows())


def labelled(frame: pl.DataFrame, found: Records, column: str) -> pl.DataFrame:
    """States under the labels of the instance, where its choices are there; the numbers of an incident are known without."""
    choices = bare(found.table("choices")).filter(
        pl.col("field").is_in(["state", "incident_state"]) & pl.col("label").is_not_null() & pl.col("language").fill_null("en").str.starts_with("en")
    )
    named = choices.select(pl.col("table").str.to_lowercase(), pl.col("value").alias(column), "label").unique(["table", column], keep="first")
    whose = pl.col("table").str.to_lowercase().replace({"case": _CASE}).fill_null("incident")
    both = frame.with_columns(whose=whose).join(named.rename({"table": "whose"}), on=["whose", column], how="left", maintain_order="left")
    number = pl.col(column).str.contains(r"^\d+$") & (pl.col("whose") != "incident")
    unknown = pl.format("{} of {} (export sys_choice too)", column, "whose")
    label = pl.coalesce("label", pl.when(number).then(unknown), column)
    lower = label.str.to_lowercase()
    other = lower.str.starts_with("awaiting") & ~lower.is_in(list(STATE_WORDS))
    return both.with_columns(pl.when(other).then(pl.lit("On Hold")).otherwise(label).alias(column)).drop("whose", "label")


def state(column: str, hold: str) -> pl.Expr:
    """A hold that waits for the caller is `pending`."""
    state = words.meaning(column, words=STATE_WORDS)
    return (
        pl.when((state == "hold") & pl.col(hold).str.to_lowercase().is_in(_AWAITS_CALLER).fill_null(False)).then(pl.lit("pending")).otherwise(state)
    )


def ids(users: pl.DataFrame) -> dict[str, str]:
    """Ids of users by their login and by their full name, which a screen shows; what several share names nobody."""
    by = {name: assemble.ids_by_name(users, name=name, key="user_id") for name in ("name", "login")}
    return {**by["name"], **by["login"]}


def on_tickets(frame: pl.DataFrame, tickets: pl.DataFrame) -> pl.DataFrame:
    """Rows with the `key` and `contact_id` of their `ticket`, which is a record's id, or as a screen shows it: `INC0010001`, `Incident: INC0010001`."""
    known = [tickets.select("contact_id", "key", ticket=name) for name in ("key", "contact_id")]
    shown = frame.with_columns(pl.col("ticket").str.strip_prefix("Incident: ").str.strip_prefix("Case: "))
    return shown.join(pl.concat(known).unique("ticket", keep="first", maintain_order=True), on="ticket", how="inner", maintain_order="left")


def counted(column: str) -> pl.Expr:
    """Seconds of a duration in words, `1 Hour 5 Minutes`; anything else as it is."""
    spoken = pl.col(column).str.contains(r"(?i)^\d+ (?:day|hour|minute|second)s?\b")
    parts = [pl.col(column).str.extract(rf"(?i)(\d+) {unit}s?\b").cast(pl.Int64, strict=False).fill_null(0) * took for unit, took in _SECONDS.items()]
    return pl.when(spoken).then(pl.sum_horizontal(parts).cast(pl.String)).otherwise(column).alias(column)
