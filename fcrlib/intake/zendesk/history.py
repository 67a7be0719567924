"""What changed on a ticket, however the export tells it?

Audits tell it in full. The incremental export of ticket events tells the same with the changed field as a key, and a warehouse keeps one row for every
value that a field took; of neither is the way known by which a change came.
"""

from __future__ import annotations

import polars as pl

from fcrlib.intake.canonical import instants
from fcrlib.intake.export.records import Records

_FIELDS = ("status", "group_id", "assignee_id", "satisfaction_score")
_COLUMNS = (
    "audit_id", "ticket_id", "at", "audit_author", "rel", "id", "type", "field", "value", "before", "author_id", "public", "text", "via", "article_id",
    instants.ROW,
)  # fmt: skip


_AFTER = 2**40
"""Comments of a file of their own come after the audits of the same second."""


def changes(found: Records) -> pl.LazyFrame:
    """Every event of every ticket, as audits have them, numbered (`order`) in the order of the files. There are many: take only what you need."""
    told = [found.table("changes"), _events(found), _values(found)]
    whole = pl.concat([one.lazy().select(pl.col(name) for name in _COLUMNS if name in one.columns) for one in told], how="diagonal")
    return whole.with_columns(pl.col("public").str.to_lowercase(), pl.col("field").str.to_lowercase(), order=pl.int_range(pl.len(), dtype=pl.Int64))


def comments(found: Records) -> pl.DataFrame:
    """The comments of a file of their own and those inside whole tickets, each once, with `public` in lower case."""
    apart, inside = found.table("comments"), found.table("own_comments")
    both = pl.concat([apart, inside.join(apart, on="id", how="anti", maintain_order="left")])
    return both.with_columns(pl.col("public").str.to_lowercase())


def said(found: Records) -> pl.LazyFrame:
    """Comments from the audits and from their own file; both know the same number of a comment."""
    columns = ["id", "ticket_id", "author_id", "text", "public", "at", "via", "rel", "order", instants.ROW]
    own = comments(found).lazy().with_columns(order=pl.int_range(pl.len(), dtype=pl.Int64) + _AFTER).select(columns)
    told = changes(found).filter(pl.col("type").is_in(["Comment", "VoiceComment", "FacebookComment", "Notification"]))
    mail = pl.col("type") == "Notification"
    author = pl.when(mail).then(pl.lit("-1")).otherwise(pl.coalesce("author_id", "audit_author"))
    rel = pl.when(mail).then(pl.lit("trigger")).otherwise("rel")
    audited = told.with_columns(author_id=author, rel=rel, public=pl.col("public").fill_null("true")).select(columns)
    return pl.concat([audited, own.join(audited.select("id"), on="id", how="anti", maintain_order="left")])


def tags(found: Records) -> pl.DataFrame:
    """Tags from a table of their own: `contact_id`, `tags` as text."""
    return (
        found.table("ticket_tags").group_by("contact_id", maintain_order=True).agg(own_tags=pl.col("tag").unique(maintain_order=True).str.join(";"))
    )


def _events(found: Records) -> pl.DataFrame:
    """Ticket events: one row for every field that a child event names."""
    children = found.table("child_events")
    said = children.filter(pl.col("type").is_in(["Comment", "VoiceComment"]) & pl.col("text").is_not_null())
    changed = children.filter(pl.col("type").is_in(["Create", "Change"]))
    turned = [
        changed.filter(pl.col(f"new {name}").is_not_null()).with_columns(
            field=pl.lit(name), value=pl.col(f"new {name}"), public=pl.lit(None, pl.String)
        )
        for name in _FIELDS
    ]
    whole = pl.concat([said, *turned], how="diagonal")
    return whole.with_columns(text=pl.when(pl.col("type") == "Comment").then("text")).sort("audit_id", maintain_order=True)


def _values(found: Records) -> pl.DataFrame:
    """The values that a field took; the first one is what it was made with."""
    known = found.table("field_values").unique(["ticket_id", "field", "at", "value", "audit_author"], keep="first", maintain_order=True)
    first = pl.int_range(pl.len()).over("ticket_id", "field", order_by="at") == 0
    return known.with_columns(
        audit_id=pl.concat_str("ticket_id", "at", pl.col("audit_author").fill_null(""), separator="|"),
        type=pl.when(first).then(pl.lit("Create")).otherwise(pl.lit("Change")),
        value=pl.when(pl.col("value").str.strip_chars() != "").then("value"),
    )
