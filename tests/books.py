"""What does a notebook show on a desk that lacks something?"""

from __future__ import annotations

import ast
import json
from collections.abc import Callable
from functools import lru_cache, reduce
from pathlib import Path
from typing import Any

import polars as pl
import polars.selectors as cs

from fcrlib.explain.fitness import Notebook
from fcrlib.intake.demo import invent
from fcrlib.intake.redact import redact
from fcrlib.model.desk import Desk
from fcrlib.model.tables import CAPABILITIES

BOOKS = Path(__file__).parents[1] / "notebooks"


def cells(name: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads((BOOKS / f"{name}.ipynb").read_text(encoding="utf-8"))["cells"]
    return found


NOTHING_OF: dict[str, dict[str, tuple[str, ...]]] = {
    "has_customer": {"contacts": ("customer_ref",)},
    "has_category": {"contacts": ("category", "subcategory", "product_area")},
    "has_text": {"contacts": ("subject", "body"), "events": ("text",), "surveys": ("comment",)},
    "has_cost": {"contacts": ("cost", "currency")},
    "has_handle_time": {"contacts": ("handle_seconds",)},
}
KINDS = {
    "has_status_history": ["status"],
    "has_messages": ["message", "note"],
    "has_public_flag": ["note"],
    "has_group_history": ["assignment", "transfer", "escalation"],
}
GONE = {"has_survey": ("surveys",), "has_retention": ("customers",), "has_events": ("events",), "has_customer": ("identifiers", "customers")}
WITH_IT = {"has_events": {"has_status_history", "has_messages", "has_public_flag", "has_group_history"}, "has_messages": {"has_public_flag"}, "has_customer": {"has_retention"}}  # fmt: skip


def stripped(desk: Desk, capability: str) -> Desk:
    """The desk as if it never recorded this."""
    tables = desk.tables()
    for table, columns in NOTHING_OF.get(capability, {}).items():
        tables[table] = tables[table].with_columns(pl.lit(None, dtype=tables[table].schema[name]).alias(name) for name in columns)
    if capability in KINDS:
        tables["events"] = tables["events"].filter(~pl.col("kind").is_in(KINDS[capability]))
    for table in GONE.get(capability, ()):
        tables[table] = tables[table].clear()
    left = desk.manifest.capabilities - {capability} - WITH_IT.get(capability, set())
    return Desk(desk.manifest.model_copy(update={"capabilities": frozenset(left)}), **tables)


class Shown:
    """What the cells of a notebook show: per cell the words and the numbers, and how many rows each figure and table has."""

    def __init__(self, name: str, desk: Path) -> None:
        self.rows: dict[str, int] = {}
        self.said: dict[str, list[str]] = {}
        names: dict[str, Any] = {"display": self.take, "print": lambda *words, **_: self.take(*words)}
        for cell in cells(name):
            if cell["cell_type"] == "code":
                self.here = cell["id"]
                self.run("".join(cell["source"]), names)
                if cell["id"] == "parameters":
                    names |= {"desk": str(desk), "period": "2026Q3"}

    def run(self, source: str, names: dict[str, Any]) -> None:
        tree = ast.parse(source)
        last = tree.body.pop() if isinstance(tree.body[-1], ast.Expr) else None
        exec(compile(tree, self.here, "exec"), names)
        if isinstance(last, ast.Expr) and (value := eval(compile(ast.Expression(last.value), self.here, "eval"), names)) is not None:
            self.take(value)

    def take(self, *things: Any) -> None:
        for thing in things:
            numbers = getattr(thing, "numbers", None)
            if numbers is not None:
                self.rows[thing.id] = numbers.height
            words = [str(thing)] if isinstance(thing, str) else [getattr(thing, part, "") for part in ("title", "note", "statement")]
            self.said.setdefault(self.here, []).append(
                f"{words} {numbers.select(cs.numeric().cast(pl.Float64).round(9)).rows() if numbers is not None else ''}"
            )


def looker(folder: Path) -> Callable[..., Shown]:
    """What a notebook shows on the demo desk without some capabilities; looked at once, and the desk is made once."""
    # Large enough for what moves few contacts to show.
    large = redact(invent(contacts=5000))

    @lru_cache
    def look(name: str, *without: str) -> Shown:
        place = folder / ("-".join(without) or "all")
        if not place.exists():
            reduce(stripped, without, large).save(place)
        return Shown(name, place)

    return look


def unread(one: Notebook) -> tuple[str, ...]:
    """What a notebook is not said to read."""
    sections = {need for _, needs in one.sections.values() for need in needs}
    return tuple(name for name in CAPABILITIES if name not in {*one.needs, *one.counts, *sections} and name not in WITH_IT)
