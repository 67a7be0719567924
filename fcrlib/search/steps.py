"""What is one step of a chain of whys, when did it begin, and which contacts show it?"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import polars as pl

from fcrlib.model.columns import named
from fcrlib.model.pins import Pins
from fcrlib.model.taxonomy import UNEXPLAINED
from fcrlib.search.coincide import Turn, coinciding, turn

LEVELS = 5
EXAMPLES = 5
KEPT = "kept by the analyst; the data do not single it out"
SCHEMA: dict[str, Any] = {"branch": pl.Int64, "level": pl.Int64, "kind": pl.String, "what": pl.List(pl.String), "change": pl.String, "n": pl.Int64,
    "effect": pl.Float64, "low": pl.Float64, "high": pl.Float64, "plain_low": pl.Float64, "plain_high": pl.Float64, "explains": pl.Float64,
    "of_headline": pl.Float64, "since": pl.Datetime("us", "UTC"), "since_from": pl.Datetime("us", "UTC"), "since_to": pl.Datetime("us", "UTC"),
    "coincides": pl.List(pl.String), "examples": pl.List(pl.String), "besides": pl.List(pl.String), "alternatives": pl.List(pl.List(pl.String)),
    "note": pl.String, "pinned": pl.Boolean}  # fmt: skip
Step = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Asked:
    """What every step needs: the contacts with a known outcome in a stated order, and what was asked."""

    frame: pl.DataFrame
    mode: str | None
    attributes: tuple[str, ...]
    failed: str
    later: str | None
    clusters: tuple[str, ...]
    changes: pl.DataFrame | None
    pins: Pins
    headline: float | None

    def now(self) -> pl.Expr:
        """The contacts of the period itself."""
        return pl.col(self.later) if self.later else pl.int_range(pl.len()) >= 0

    def failed_by(self, mode: str) -> pl.Expr:
        """The contacts that failed in one way."""
        return pl.col(self.failed) & (pl.col(self.mode or "").fill_null(UNEXPLAINED) == mode)

    def sides(self, there: pl.Expr) -> pl.DataFrame:
        """The contacts that are held against each other, with `_arm`: later against before inside the place, or the place against the rest."""
        if self.later:
            return self.frame.filter(there).with_columns(_arm=pl.col(self.later))
        return self.frame.with_columns(_arm=there)


def step_of(
    desk: Asked, *, kind: str, what: list[str], above: Step, total: float | None, numbers: Mapping[str, Any], there: pl.Expr, change: str = "rate",
    where: list[str] | None = None, mode: str | None = None,
) -> Step:  # fmt: skip
    """One step with its share of the step above and what the analyst said of it.

    `where`, `mode`, `attribute` and `there` (the contacts it speaks of) are not told, but say to the steps below where they stand.
    """
    place, attribute = above["where"] if where is None else where, what[0] if kind == "attribute" else None
    # A narrower place is no step of its own to the analyst: it has no name but that of the place around it.
    pins = desk.pins.about(place, mode=mode, attribute=attribute) if kind != "place" or where is not None else []
    told = {name: numbers.get(name) for name in ("n", "effect", "low", "high", "plain_low", "plain_high")}
    explains = numbers["contribution"] / total if total else None
    of = None if explains is None or above["of_headline"] is None else explains * above["of_headline"]
    said = {"note": joined(*(pin.note for pin in pins)), "pinned": any(pin.pin for pin in pins)}
    inner = {"where": place, "mode": mode, "attribute": attribute, "there": there}
    return {"kind": kind, "what": what, "change": change, **told, "explains": explains, "of_headline": of, **said, **inner}


def dated(desk: Asked, rows: pl.DataFrame, there: pl.Expr, step: Step) -> Step:
    """When the weekly rate of a step turned, and which changes of the log lie there."""
    if not desk.later or "_began" not in desk.frame.columns or rows["_hit"].null_count() == rows.height:
        return {}
    found: Turn | None = turn(rows, failed="_hit", at="_began", upward=step["effect"] > 0)
    if found is None:
        return {}
    met = [] if desk.changes is None else coinciding(desk.changes, desk.frame, there=there, found=found)
    return {"since": found.at, "since_from": found.earliest, "since_to": found.latest, "coincides": met or None}


def examples(desk: Asked, steps: list[pl.Expr], *, at: int, only_failed: bool) -> list[str]:
    """Contacts that show a step, those first that show the steps below it as well; one per customer."""
    if not {"source", "contact_id"} <= set(desk.frame.columns):
        return []
    shows = desk.now() & steps[at] & (pl.col(desk.failed) if only_failed else pl.lit(value=True))
    deep = sum((step.fill_null(False).cast(pl.Int64) for step in steps[at + 1 :]), pl.lit(0))
    person = pl.col("customer") if "customer" in desk.frame.columns else pl.lit(None, pl.String)
    rows = desk.frame.filter(shows).select(ref=named("contact_id"), deep=deep, who=person).sort("deep", "ref", descending=[True, False])
    return rows.with_columns(who=pl.coalesce("who", "ref")).unique("who", keep="first", maintain_order=True)["ref"].head(EXAMPLES).to_list()


def in_points(share: float) -> str:
    """A share as points, for the sentences of this floor."""
    return f"{100 * share:.1f} points"


def joined(*texts: str | None) -> str:
    """Remarks as one, each once."""
    return "; ".join(dict.fromkeys(text for text in texts if text))
