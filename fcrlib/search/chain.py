"""Why, and why that, and why that again?

From a place that stands out to the way of failing that grew there, and from that to how such contacts were handled. A level is asked only where the
one above stood, by the same contacts throughout; where nothing more can be told apart the chain ends and says what would have been seen.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import polars as pl

from fcrlib.model.columns import known
from fcrlib.model.errors import DataError, UsageError
from fcrlib.model.pins import Pins
from fcrlib.model.taxonomy import UNEXPLAINED
from fcrlib.search.answers import RATE, answers
from fcrlib.search.descent import descend
from fcrlib.search.mechanisms import stands_out
from fcrlib.search.steps import KEPT, LEVELS, SCHEMA, Asked, Step, dated, examples, joined, step_of
from fcrlib.search.where import AND, conditions, holds

__all__ = ["Chain", "Pins", "build"]
MIX = "more contacts came from there: that says nothing about how often they fail there"
EVERYTHING = "everything"
LESS = "fewer contacts came from there: that says nothing about how often they fail there"


@dataclass(frozen=True, slots=True)
class Chain:
    """Branches of whys under one headline.

    Parameters
    ----------
    steps
        By branch and level: `branch` (0 is the headline), `level` (1 to 5), `kind` (headline, place, mechanism, attribute, end), `what` (conditions, the
        way of failing, or `attribute=value`), `change` (`rate`: failed more; `mix`, `exposure`: there were more of them; `none`), `n` (contacts it speaks
        of), `effect` (share), `low`, `high` (95 %, given that it was chosen), `plain_low`, `plain_high`, `explains` (share of the step above),
        `of_headline` (share of the headline; beyond 1 or below 0 where other parts work against it), `since`, `since_from`, `since_to` (first day of the
        week in which the weekly rate steps, and the weeks that fit nearly as well), `coincides` (entries of the log of changes), `examples` (at most five
        contacts, `source:contact_id`), `besides` (what else stood out at that level), `alternatives` (places that the data cannot tell from it, each
        as conditions; the whole desk has none), `note`, `pinned`.
    notes
        What was left out or could not be done, in sentences.
    ended
        For each branch, why it goes no further.
    compares
        `periods`: the period is held against the one before; `places`: each place is held against the rest of the desk.
    """

    steps: pl.DataFrame
    notes: tuple[str, ...]
    ended: tuple[str, ...]
    compares: Literal["periods", "places"]

    @property
    def branches(self) -> tuple[pl.DataFrame, ...]:
        """The steps of each branch, without the headline."""
        below = self.steps.filter(pl.col("branch") > 0)
        return tuple(below.partition_by("branch", maintain_order=True))


def build(
    frame: pl.DataFrame,
    *,
    places: pl.DataFrame,
    headline: Mapping[str, Any],
    mode: str | None = None,
    attributes: Sequence[str] = (),
    failed: str = "failed",
    later: str | None = None,
    clusters: Sequence[str] = (),
    changes: pl.DataFrame | None = None,
    pins: Pins | None = None,
    most: int = 3,
) -> Chain:
    """Ask why down from each place.

    Parameters
    ----------
    frame
        One row per contact: `failed`, `later` (with two periods: no is before), `mode` (way of failing of a failed contact), `attributes`, `clusters`, the
        dimensions of the places, and where they are there `source`, `contact_id`, `customer` (for examples), `start_at` and `week` (for dates).
    places
        Where it changed, the most important first: `kind` (rate, mix, global), `where`, `n`, `effect`, `low`, `high`, `contribution`, `refinements`,
        `alternatives`; also `plain_low`, `plain_high`, `fragile` where they are there.
    headline
        `effect` (what is to be explained: the change, or the excess) with its `low` and `high`, and `n`.
    changes
        The log of changes: `at`, `kind`, `scope`, `note`. It is only read with two periods.
    pins
        What the analyst decided.
    most
        Places that are followed; those that the analyst keeps come on top.

    Returns
    -------
    Chain
        Only the headline where there is no place.

    Raises
    ------
    UsageError
        For columns that are not there or not yes/no.
    DataError
        If no contact has a known outcome.
    """
    desk = _desk(
        frame, mode=mode, attributes=attributes, failed=failed, later=later, clusters=clusters, changes=changes, pins=pins, headline=headline
    )
    if places.height:
        known(places, ["kind", "where", "n", "effect", "contribution"])
    top = _headline(headline)
    steps: list[Step] = [top]
    ended: list[str] = []
    for number, place in enumerate(_chosen(desk, places, most=most), start=1):
        rows, sentence = _branch(desk, place, top)
        steps += [{**row, "branch": number} for row in rows]
        ended.append(sentence)
    table = pl.DataFrame([{name: step.get(name) for name in SCHEMA} for step in steps], schema=SCHEMA)
    return Chain(table, (*_unlogged(desk), *_unmatched(desk, steps)), tuple(ended), "periods" if later else "places")


def _desk(frame: pl.DataFrame, *, headline: Mapping[str, Any], pins: Pins | None, **asked: Any) -> Asked:
    failed, later, mode = asked["failed"], asked["later"], asked["mode"]
    sides = [failed, later] if later else [failed]
    known(frame, [*sides, *([mode] if mode else []), *asked["attributes"], *asked["clusters"]], yes_no=sides)
    if taken := sorted({"_arm", "_began", "_hit", "_has"} & set(frame.columns)):
        raise UsageError(f"columns {', '.join(taken)} are kept for the calculation; rename them")
    keys = [name for name in ("source", "contact_id") if name in frame.columns] or frame.columns
    whole = frame.drop_nulls(sides).with_columns(pl.col(sides).cast(pl.Boolean)).sort(keys)
    if whole.is_empty():
        raise DataError(f"none of {frame.height:,} contacts has a known outcome, so there is nothing to explain")
    if {"start_at", "week"} <= set(whole.columns):
        # A week begins for every place when it begins for the desk.
        whole = whole.with_columns(_began=pl.col("start_at").min().over("week"))
    effect = headline.get("effect")
    return Asked(
        whole, mode, tuple(asked["attributes"]), failed, later, tuple(asked["clusters"]), asked["changes"], pins or Pins.model_validate({}), effect
    )


def _headline(headline: Mapping[str, Any]) -> Step:
    told = {name: headline.get(name) for name in ("n", "effect", "low", "high")}
    plain = {"plain_low": told["low"], "plain_high": told["high"], "of_headline": 1.0}
    return {"branch": 0, "level": 1, "kind": "headline", "what": [], "change": "none", **told, **plain, "note": "", "pinned": False, "examples": []}


def _chosen(desk: Asked, places: pl.DataFrame, *, most: int) -> list[Step]:
    """The places to follow: the first ones that the analyst did not pass over, and those that the analyst keeps."""
    kept: list[Step] = []
    for row in places.to_dicts():
        pruned = any(pin.prune for pin in desk.pins.about(row["where"]))
        stand_in = _stand_in(desk, row, kept) if pruned else row
        kept += [stand_in] if stand_in else []
    wanted = [list(pin.at) for pin in desk.pins.steps if pin.pin and pin.at is not None and not pin.mode and not pin.attribute]
    is_wanted = [any(set(row["where"]) == set(where) for where in wanted) for row in kept]
    extra = [row for at, row in enumerate(kept) if at >= most and is_wanted[at]]
    there = [set(row["where"]) for row in kept]
    added = [_plain_place(desk, where, note=KEPT) for where in wanted if set(where) not in there]
    return [*kept[:most], *extra, *(row for row in added if row)]


def _stand_in(desk: Asked, row: Step, kept: list[Step]) -> Step | None:
    """What takes the place of one that is passed over: the first of those that the data cannot tell from it."""
    for text in row.get("alternatives") or []:
        words = conditions(text, columns=desk.frame.columns)
        if not words or any(pin.prune for pin in desk.pins.about(words)) or any(set(words) == set(other["where"]) for other in kept):
            continue
        return _plain_place(desk, words, note=f"stands for {AND.join(row['where'])}, which was passed over: the data cannot tell the two apart")
    return None


def _plain_place(desk: Asked, where: list[str], *, note: str) -> Step | None:
    """A place that the search did not name: how it moved beyond the rest of the desk, or how far it lies from it."""
    there = holds(desk.frame, where)
    frame = desk.frame.with_columns(_has=pl.when(there).then(pl.lit("yes")).otherwise(pl.lit("no")))
    n = frame.filter(there)[desk.later or "_has"].value_counts()
    if n.height < (2 if desk.later else 1) or frame["_has"].n_unique() < 2:
        return None
    if desk.later:
        found = answers(frame, attributes=["_has"], failed=desk.failed, later=desk.later, clusters=desk.clusters).rows
        row = found.filter((pl.col("value") == "yes") & (pl.col("answer") == RATE)).to_dicts()
    else:
        one = frame.with_columns(_has=pl.when(desk.failed).then(pl.lit("any")))
        moved = stands_out(one, mode="_has", failed=desk.failed, there=there, clusters=desk.clusters).modes
        part = frame.filter(there).height / frame.height
        row = moved.select(effect="change", plain_low="low", plain_high="high", contribution=pl.col("change") * part).to_dicts()
    if not row:
        return None
    told = {name: row[0][name] for name in ("effect", "plain_low", "plain_high", "contribution")}
    return {"kind": "rate", "where": where, "n": frame.filter(there).height, **told, "low": None, "high": None, "note": note}


def _branch(desk: Asked, place: Step, above: Step) -> tuple[list[Step], str]:
    """All steps under one place, and why there are no more."""
    where, is_mix = list(place["where"]), place["kind"] == "mix"
    there = holds(desk.frame, where)
    change = "mix" if is_mix else "rate"
    first = step_of(desk, kind="place", what=where, where=where, above=above, total=above["effect"], change=change, numbers=place, there=there)
    first["note"], first["alternatives"] = joined(first["note"], place.get("note"), _fragile(place)), _alternatives(desk, place)
    rows = desk.frame.with_columns(_hit=there) if is_mix else desk.frame.filter(there).with_columns(_hit=desk.failed)
    first |= dated(desk, rows, there, first)
    below, end = ([], MIX if place["effect"] > 0 else LESS) if is_mix else descend(desk, first, there=there, place=place)
    steps = [first, *below]
    shown = [step["there"] for step in steps]
    told = [{**step, "examples": examples(desk, shown, at=at, only_failed=not is_mix)} for at, step in enumerate(steps)]
    last = [] if len(told) + 1 >= LEVELS else [{"kind": "end", "what": [], "change": "none", "note": end, "pinned": False, "examples": []}]
    return [{**step, "level": level} for level, step in enumerate([*told, *last], start=2)], end


def _alternatives(desk: Asked, place: Step) -> list[list[str]]:
    texts = place.get("alternatives") or []
    told = [[] if text == EVERYTHING else conditions(text, columns=desk.frame.columns) for text in texts]
    return [words for words in told if words is not None]


def _fragile(place: Step) -> str:
    fragile = place.get("fragile")
    if isinstance(fragile, str):
        return fragile
    return "this place is fragile: it hangs on few weeks, agents or contacts" if fragile else ""


def _unlogged(desk: Asked) -> list[str]:
    if not desk.later or desk.changes is None or desk.changes.is_empty():
        return []
    scopes = desk.changes["scope"].drop_nulls().unique().sort().to_list()
    strange = [scope for scope in scopes if conditions(scope, columns=desk.frame.columns) is None]
    more = f", e.g. {strange[0]}" if strange else ""
    many = "scopes of the log of changes speak" if len(strange) > 1 else "scope of the log of changes speaks"
    return [f"{len(strange)} {many} of columns that are not looked at{more}."] if strange else []


def _unmatched(desk: Asked, steps: list[Step]) -> list[str]:
    """Decisions of the analyst that no step came of."""
    shown = [step for step in steps if step["kind"] in ("place", "mechanism", "attribute")]
    notes = []
    for pin in desk.pins.steps:
        if not _exists(desk, pin.at, pin.mode, pin.attribute):
            notes.append(f"The analyst's decision on {pin.step} matches nothing in these contacts.")
        elif not pin.prune and not any(pin.speaks_of(step["where"], mode=step["mode"], attribute=step["attribute"]) for step in shown):
            notes.append(f"The analyst's decision on {pin.step} was not reached.")
    return notes


def _exists(desk: Asked, at: Sequence[str] | None, mode: str | None, attribute: str | None) -> bool:
    shows = holds(desk.frame, [*(at or ()), *([attribute] if attribute else [])])
    if mode:
        shows = shows & (pl.col(desk.mode).fill_null(UNEXPLAINED) == mode if desk.mode else pl.lit(value=False)) & pl.col(desk.failed)
    return bool(desk.frame.select(shows.any()).item())
