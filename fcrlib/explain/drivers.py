"""Where do contacts fail more often than can be expected, and where did that change?

Places are combinations of values of the desk's dimensions. All of them are looked at together, with an error that knows that weeks and
agents drift, and a desk on which nothing happened is told so.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import polars as pl

from fcrlib.judge.rates import difference, rate
from fcrlib.model.columns import KEY
from fcrlib.model.errors import UsageError
from fcrlib.model.pins import Pins
from fcrlib.search.chain import Chain, build
from fcrlib.search.choose import found_places, settled
from fcrlib.search.cube import Cube, cube, cuboids, inside
from fcrlib.search.fragile import fragile, part_weeks
from fcrlib.search.mix import Moved, kitagawa, moved, rejoined, renamed, reversals
from fcrlib.search.scan import MARGIN, Place, Search, alternatives, conditional, fit, prepare, smallest
from fcrlib.search.sides import CLUSTERS, Sides
from fcrlib.search.steps import SCHEMA as STEPS

if TYPE_CHECKING:
    from fcrlib.study import Study

__all__ = ["Change", "Drivers", "change", "changed", "exceeded", "kitagawa", "reversals", "search", "turned", "whys"]
ALONE = "There is no earlier period to compare with, so it is asked where more fail than is expected."
BLIND = "There are too few contacts with a final verdict to name a place."
HEADLINE = {"branch": 0, "level": 1, "kind": "headline", "what": [], "change": "none", "n": 0, "note": "", "pinned": False, "examples": []}
SCHEMA: dict[str, pl.DataType | type[pl.DataType]] = {
    "kind": pl.String,
    "where": pl.List(pl.String),
    "n": pl.Int64,
    "effect": pl.Float64,
    "low": pl.Float64,
    "high": pl.Float64,
    "contribution": pl.Float64,
    "refinements": pl.List(pl.String),
    "alternatives": pl.List(pl.String),
    "plain_low": pl.Float64,
    "plain_high": pl.Float64,
    "fragile": pl.String,
}


@dataclass(frozen=True, slots=True)
class Drivers:
    """Places with an excess of failures.

    Parameters
    ----------
    drivers
        The largest contribution first: `kind` (rate), `where` (`dimension=value`, all of them), `n` contacts, `effect` (share above what is
        expected there), `low`, `high` (95 %, given that it was chosen: where it barely passed, they may reach zero), `contribution` (to the
        desk's failure share), `refinements` (narrower places inside it), `alternatives` (places that the data cannot tell from it),
        `plain_low`, `plain_high` (95 %, as if it had been asked for alone), `fragile` (a sentence where a single week or agent carries more
        than half of the effect, null otherwise).
    total
        Share of contacts that failed.
    visible
        `depth` (number of conditions), `cells` looked at, `effect` that a middling one would have needed to be seen in four of five cases.
    notes
        What was left out, pooled or dropped, in sentences.
    """

    drivers: pl.DataFrame
    total: float
    visible: pl.DataFrame
    notes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Change:
    """What changed between two periods.

    Parameters
    ----------
    drivers
        As in `Drivers`; `kind` is `rate` (more failures there), `mix` (more contacts there) or `global` (all the desk, `where` is empty).
        For a mix driver `effect` and its intervals are the change of its share of contacts, and `fragile` is null.
    total, before, after
        Change of the share of failed contacts, and the two shares.
    mix_drivers, other_mix, rate_drivers, other_rate
        Parts that sum to `total`.
    visible
        As in `Drivers`.
    notes
        As in `Drivers`; also values that look renamed (they are named as one in the mix, and apart elsewhere) and incomplete weeks.
    """

    drivers: pl.DataFrame
    total: float
    before: float
    after: float
    mix_drivers: float
    other_mix: float
    rate_drivers: float
    other_rate: float
    visible: pl.DataFrame
    notes: tuple[str, ...]

    @property
    def parts(self) -> pl.DataFrame:
        """The parts of the change: `part`, `points` (share); they sum to `total`."""
        names = ["mix_drivers", "other_mix", "rate_drivers", "other_rate"]
        return pl.DataFrame({"part": names, "points": [float(getattr(self, name)) for name in names]})


def search(
    frame: pl.DataFrame, *, dims: Sequence[str], failed: str, clusters: Sequence[str] = (), max_depth: int = 3, margin: float = MARGIN
) -> Drivers:
    """Find the places where more contacts fail than the desk's dimensions one by one let expect.

    Parameters
    ----------
    frame
        One row per contact: the yes/no column `failed` (unknown ones are left out), the columns of `dims` (null is a value of its own) and of
        `clusters`.
    clusters
        Columns whose contacts are alike: week, agent, customer. Without them the errors are binomial, which is too sure of itself. What a
        column is, is seen in the data: a week lies in one period, an agent in both, a customer has few contacts. A null stands for nobody.
    max_depth
        Most conditions that a place may have.
    margin
        Excess (share) that is not worth naming; what is tested is more than this. A single value must also stand out from how far
        values of one dimension usually lie apart.

    Returns
    -------
    Drivers
        Its `drivers` frame is empty where nothing stands out.

    Raises
    ------
    UsageError
        For columns that are not there, or a dimension with more than 1,000 values.
    DataError
        If no contact has a known outcome.
    """
    counts = cube(frame, dims=dims, failed=failed, clusters=clusters)
    sought = settled(prepare(counts, max_depth=max_depth, margin=margin))
    rows = _rates(sought)
    total = float(counts.failed.sum() / counts.n.sum())
    return Drivers(_table(rows), total, _visible(sought), counts.notes)


def change(frame: pl.DataFrame, *, dims: Sequence[str], failed: str, period: str, clusters: Sequence[str] = (), max_depth: int = 3) -> Change:
    """Find the places that changed between two periods, and split the change into their parts.

    Parameters
    ----------
    frame
        As in `search`, with the two-valued column `period`: no is before, yes is after; other values in their order.
    clusters
        As in `search`.

    Returns
    -------
    Change
        Its `drivers` frame is empty where nothing changed beyond what weeks and agents do.

    Raises
    ------
    UsageError
        For columns that are not there, a dimension with more than 1,000 values, or a period that has not two values.
    DataError
        If no contact has a known outcome, or none in one of the periods.

    References
    ----------
    Kitagawa (1955), JASA 50, 1168-1194 (mix and rate). Zhong and Prentice (2008), Biostatistics 9, 621-634 (intervals of what was chosen).

    Examples
    --------
    >>> row = pl.int_range(4000)
    >>> phone, later, worse = row % 2 == 1, row >= 2000, row % 10 < 6
    >>> frame = pl.select(
    ...     channel=pl.when(phone).then(pl.lit("phone")).otherwise(pl.lit("chat")), later=later, failed=(row % 10 < 2) | (phone & later & worse)
    ... )
    >>> found = change(frame, dims=["channel"], failed="failed", period="later")
    >>> found.drivers.select("kind", "where", "n", pl.col("effect", "contribution").round(2)).rows()
    [('rate', ['channel=phone'], 2000, 0.4, 0.2)]
    >>> abs(found.parts["points"].sum() - found.total) < 1e-12
    True
    """
    counts = cube(frame, dims=dims, failed=failed, arm=period, clusters=clusters)
    sought = settled(prepare(counts, max_depth=max_depth, margin=0.0))
    matches = renamed(counts)
    one = rejoined(counts, matches) if matches else counts
    rates, shifts = _rates(sought), moved(one, cuboids(one, max_depth=max_depth) if matches else sought.cuboids, share=sought.share)
    before, after = (float(part) for part in counts.failed.sum(axis=1) / counts.n.sum(axis=1))
    then, now = (n / n.sum() for n in counts.n)
    mix = float((now - then) @ sought.share)
    by_rate, by_mix = float(_table(rates)["contribution"].sum()), float(shifts.contribution.sum())
    parts = (by_mix, mix - by_mix, by_rate, after - before - mix - by_rate)
    notes = (*counts.notes, *_matched(counts, matches), *part_weeks(counts))
    return Change(_table([*rates, *_mixes(one, shifts)]), after - before, before, after, *parts, _visible(sought), notes)


def changed(sides: Sides) -> Change | None:
    """What changed between the two sides of `Study.sides`; None where there is no earlier one."""
    return change(sides.frame, dims=sides.dims, failed="failed", period="later", clusters=CLUSTERS) if _two(sides) else None


def exceeded(sides: Sides) -> Drivers:
    """Where the contacts of the later side fail more than can be expected; nowhere, with a note, where none of them has a final verdict."""
    if sides.now.is_empty():
        blank = pl.DataFrame(schema={"depth": pl.Int64, "cells": pl.Int64, "effect": pl.Float64})
        return Drivers(_table([]), float("nan"), blank, (f"No first contact of {sides.later.label} has its final verdict yet.",))
    return search(sides.now, dims=sides.dims, failed="failed", clusters=CLUSTERS)


def turned(sides: Sides) -> pl.DataFrame:
    """The dimensions that turn the change of the two sides around (columns of `reversals`); no rows where there is no earlier side."""
    if not _two(sides):
        whole = dict.fromkeys(("total", "within", "low", "high", "mix"), pl.Float64)
        return pl.DataFrame(schema={"dimension": pl.String, **whole, "reversed": pl.Boolean})
    return reversals(sides.frame, dims=sides.dims, failed="failed", period="later", clusters=CLUSTERS)


def _two(sides: Sides) -> bool:
    return sides.earlier is not None and sides.frame["later"].n_unique() == 2


def whys(
    asked: Study | Sides,
    *,
    of: Literal["change", "excess"] = "change",
    tags: pl.DataFrame | None = None,
    handled: pl.DataFrame | None = None,
    against: str = "previous",
    changes: pl.DataFrame | None = None,
    pins: Pins | None = None,
    most: int = 3,
    found: Change | Drivers | None = None,
) -> Chain:
    """Ask why from the headline down: where, in which way of failing, handled how, and where exactly, as far as it can be told apart.

    Parameters
    ----------
    asked
        A study, or the sides of one (or of any frame of that form).
    of
        `change`: what changed against the earlier period; `excess`: where more fail than is expected within the period, which is also what
        is asked where there is no earlier period.
    tags
        The ways of failing of the contacts of both periods (`failure_modes.tag`); without them no way of failing is named.
    handled
        How the contacts were handled: `source`, `contact_id`, and an attribute per column; without them no attribute is.
    against
        The earlier period, as in `Study.sides`; it is not asked for where sides are given.
    changes, pins
        The log of changes and the analyst's decisions; those of the study where none are given.
    most
        How many places are followed down.
    found
        What `changed` (`of="change"`) or `exceeded` (`of="excess"`) found of the same sides, where that is known already; of the other kind it is
        not used.

    Returns
    -------
    Chain
        Its `steps` say of every step what, how much with its interval, which share of the step above and of the headline it makes up, what
        coincides with it and which contacts show it; `ended` says why each branch goes no further. Only the headline, without numbers, where no
        first contact of the period has its final verdict.

    Raises
    ------
    UsageError
        For another word than those, or frames that do not name their contacts.
    """
    if of not in ("change", "excess"):
        raise UsageError(f"whys are asked of the 'change' or of the 'excess', not of '{of}'")
    both = asked if isinstance(asked, Sides) else asked.sides(against=against)
    if not isinstance(asked, Sides):
        changes, pins = (asked.desk.changes if changes is None else changes), (asked.pins if pins is None else pins)
    if both.now.is_empty():
        return Chain(pl.DataFrame([HEADLINE], schema=STEPS), exceeded(both).notes, (), "places")
    told = [] if tags is None or tags.is_empty() else [tags.filter("primary").select(*KEY, "mode")]
    frame = both.beside(*told, *([] if handled is None else [handled])).frame
    attributes = [] if handled is None else [name for name in handled.columns if name not in KEY]
    named: dict[str, Any] = {"mode": "mode" if told else None, "attributes": attributes, "clusters": CLUSTERS, "pins": pins, "most": most}
    if of == "change" and (moved := found if isinstance(found, Change) else changed(both)) is not None:
        sides = [rate(frame.filter(side), "failed", cluster="customer").row(0, named=True) for side in (pl.col("later"), ~pl.col("later"))]
        gap = difference(*sides)
        headline = {"effect": gap.value, "low": gap.low, "high": gap.high, "n": frame.height}
        made = build(frame, places=moved.drivers, headline=headline, later="later", changes=changes, **named)
        return _seen(made, moved.visible)
    now = frame.filter("later")
    whole = rate(now, "failed", cluster="customer").row(0, named=True)
    headline = {"effect": whole["share"], "low": whole["low"], "high": whole["high"], "n": now.height}
    high = found if isinstance(found, Drivers) else exceeded(both)
    return _seen(build(now, places=high.drivers, headline=headline, **named), high.visible, *([ALONE] if of == "change" else []))


def _seen(chain: Chain, visible: pl.DataFrame, *notes: str) -> Chain:
    """The chain with what has to be said where a place could not have been named."""
    blind = visible.filter((pl.col("depth") > 0) & pl.col("effect").is_not_null()).is_empty()
    return replace(chain, notes=(*chain.notes, *notes, *([BLIND] if blind else [])))


def _matched(counts: Cube, matches: dict[int, list[tuple[int, int]]]) -> list[str]:
    notes = []
    for dim, pairs in matches.items():
        for old, new in pairs:
            sizes = [counts.n[arm, counts.codes[:, dim] == code].sum() for arm, code in ((0, old), (1, new))]
            names = [counts.levels[dim][code] for code in (old, new)]
            gone = f"'{names[0]}' ({sizes[0]:,.0f} contacts before) is gone and '{names[1]}' ({sizes[1]:,.0f} after) is new"
            notes.append(f"In '{counts.dims[dim]}', {gone}: if it was renamed, read one as the other. Neither is named as a shift of the mix.")
    return notes


def _rates(sought: Search) -> list[dict[str, object]]:
    places, narrower = found_places(sought)
    found = fit(sought, places)
    counts = sought.cube
    rows: list[dict[str, object]] = []
    for at, place in enumerate(places):
        there = inside(counts, place)
        effect, se = float(found.effect[at]), float(found.se[at])
        low, high = _interval(sought, place, effect=effect, se=se)
        reach = se * _t(float(sought.errors.freedom[sought.cell(place)]))
        rest = fit(sought, places[:at] + places[at + 1 :])
        weight = float(np.mean(counts.n[:, there].sum(axis=1) / counts.n.sum(axis=1)))
        rows.append(
            {
                "kind": "rate" if place else "global",
                "where": counts.words(place),
                "n": int(counts.n[:, there].sum()),
                "effect": effect,
                "low": low,
                "high": high,
                "contribution": effect * weight,
                "refinements": [_named(counts, inner) for inner in narrower.get(place, [])],
                "alternatives": [_named(counts, other) for other in alternatives(sought, places, at)],
                "plain_low": effect - reach,
                "plain_high": effect + reach,
                "fragile": fragile(counts, there, residual=rest.residual, effect=effect),
            }
        )
    return rows


def _t(freedom: float) -> float:
    from scipy.special import stdtrit

    return float(stdtrit(freedom, 0.975))


def _interval(sought: Search, place: Place, *, effect: float, se: float) -> tuple[float, float]:
    """The interval of an effect that was reported only because it passed its bar (and the margin)."""
    bar = float(sought.bar[sought.cell(place)]) + sought.margin / se
    low, high = conditional(effect / se, bar=bar)
    return low * se, high * se


def _mixes(counts: Cube, shifts: Moved) -> list[dict[str, object]]:
    rows: list[dict[str, object]] = []
    for at, place in enumerate(shifts.places):
        gap, se = float(shifts.after[at] - shifts.before[at]), float(shifts.se[at])
        low, high = conditional(gap / se, bar=float(shifts.bar[at]))
        there = inside(counts, place)
        row = {"kind": "mix", "where": counts.words(place), "n": int(counts.n[:, there].sum()), "effect": gap, "low": low * se, "high": high * se}
        row |= {"refinements": [], "alternatives": [], "fragile": None}
        rows.append({**row, "contribution": float(shifts.contribution[at]), "plain_low": gap - 1.96 * se, "plain_high": gap + 1.96 * se})
    return rows


def _named(counts: Cube, place: Place) -> str:
    return " and ".join(counts.words(place)) or "everything"


def _table(rows: list[dict[str, object]]) -> pl.DataFrame:
    table = pl.DataFrame(rows, schema=SCHEMA)
    return table.sort(pl.col("contribution").abs() * -1, pl.col("where").list.join("\n"), "kind")


def _visible(sought: Search) -> pl.DataFrame:
    effects = smallest(sought)
    cells = [int(sought.cells[sought.depth == depth][0]) for depth in range(len(effects))]
    table = pl.DataFrame(
        {"depth": range(len(effects)), "cells": cells, "effect": effects}, schema={"depth": pl.Int64, "cells": pl.Int64, "effect": pl.Float64}
    )
    # Without periods, the whole desk has nothing to be in excess of.
    return table.with_columns(pl.col("effect").fill_nan(None)).filter(pl.col("depth") >= (0 if len(sought.cube.n) == 2 else 1))
