"""How would somebody who keeps no helpdesk write the invented desk into plain tables?

Semicolons, a mark in front, lines that end as on Windows; days first, in a clock that is named only in the mapping; decimal commas, `-` where nothing is
known, yes and no in words, labels with bars between. Three tables and the `mapping.toml` that reads them.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import polars as pl

from fcrlib.intake.demo.dialects import promises
from fcrlib.intake.tables.mapping import FLAGS
from fcrlib.model.desk import Desk
from fcrlib.model.tables import TABLES, conform

_UNTOLD = ("source", "person", "vendor_one_touch", "vendor_first_resolved_at", "vendor_sla_met")
_SURVEY = {"csat": "Rating", "resolved": "Solved?", "ces": "Effort", "nps": "Recommend", "comment": "Remark", "answered_at": "Answered"}
_EVENT = (
    "contact_id", "at", "kind", "actor", "actor_id", "public", "text", "channel", "status_from", "status_to", "group_from", "group_to", "agent_from",
    "agent_to", "article_id", "is_auto", "is_ack",
)  # fmt: skip
_CUSTOMER = ("customer_ref", "since", "left_at")


def respelled(desk: Desk) -> Desk:
    """The desk as plain tables hold it: texts without blanks around them, and of several answers the last."""
    named = desk.map_tables(lambda table, frame: frame.with_columns(source=pl.lit("csv")) if "source" in frame.columns else frame)
    bare = named.map_tables(lambda table, frame: frame.with_columns(_bare(name) for name, dtype in frame.schema.items() if dtype == pl.String))
    last = bare.surveys.filter(pl.col("answered_at").is_not_null() & ~pl.col("superseded")).unique("contact_id", keep="last", maintain_order=True)
    contacts = promises.promised(bare.contacts, data_end=desk.manifest.data_end)
    return replace(
        bare, contacts=conform(contacts, table="contacts"), surveys=conform(last.with_columns(seq=pl.lit(0, dtype=pl.Int64)), table="surveys")
    )


def write(desk: Desk, folder: Path) -> None:
    """Write a respelled desk as `contacts.csv`, `events.csv`, `customers.csv` and `mapping.toml`."""
    told = [name for name in TABLES["contacts"].columns() if name not in _UNTOLD]
    answers = desk.surveys.select("contact_id", *(pl.col("csat_raw" if ours == "csat" else ours).alias(theirs) for ours, theirs in _SURVEY.items()))
    contacts = desk.contacts.select(told).join(answers, on="contact_id", how="left", maintain_order="left")
    _table(contacts.rename({name: _header(name) for name in told}), folder / "contacts.csv")
    _table(desk.events.select(pl.col(name).alias(_header(name)) for name in _EVENT), folder / "events.csv")
    _table(desk.customers.select(pl.col(name).alias(_header(name)) for name in _CUSTOMER), folder / "customers.csv")
    (folder / "mapping.toml").write_text(_mapping(desk, told), encoding="utf-8")


def _bare(name: str) -> pl.Expr:
    return pl.col(name).str.strip_chars()


def _header(name: str) -> str:
    return name.replace("_", " ").capitalize()


def _table(frame: pl.DataFrame, file: Path) -> None:
    text = frame.select(_written(name, dtype) for name, dtype in frame.schema.items())
    file.write_text(text.write_csv(separator=";", line_terminator="\r\n", null_value="-"), encoding="utf-8-sig", newline="")


def _written(name: str, dtype: pl.DataType) -> pl.Expr:
    column = pl.col(name)
    if isinstance(dtype, pl.Datetime):
        return column.dt.strftime("%d.%m.%Y %H:%M:%S")
    if dtype == pl.Boolean:
        return pl.when(column).then(pl.lit("Yes")).when(column.is_not_null()).then(pl.lit("No")).alias(name)
    if isinstance(dtype, pl.List):
        return column.list.join(" | ")
    text = column.cast(pl.String)
    return text.str.replace(".", ",", literal=True) if dtype.is_float() and name not in _SURVEY.values() else text


def _mapping(desk: Desk, told: list[str]) -> str:
    lines = [
        '# How to read these tables. Our column = "their column".',
        'source = "csv"',
        'file = "contacts.csv"',
        f"data_end = {desk.manifest.data_end:%Y-%m-%dT%H:%M:%SZ}",
        'time_zone = "UTC"',
        'dates = "day first"',
        "",
        "[contacts]",
        *(f'{name} = "{_header(name)}"' for name in told if name not in FLAGS),
        "",
        "[flags]",
        *(f'{name} = {{ column = "{_header(name)}", true = ["Yes"] }}' for name in told if name in FLAGS),
        "",
        "[surveys]",
        'scale = "1-5"',
        *(f'{ours} = "{theirs}"' for ours, theirs in _SURVEY.items()),
        "",
        "[events]",
        'file = "events.csv"',
        *(f'{name} = "{_header(name)}"' for name in _EVENT),
        "",
        "[customers]",
        'file = "customers.csv"',
        *(f'{name} = "{_header(name)}"' for name in _CUSTOMER),
    ]
    return "\n".join([*lines, ""])
