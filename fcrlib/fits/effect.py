"""What is told of a fitted difference between two groups, and in which words?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import polars as pl

from fcrlib.fits import contrast, ordered
from fcrlib.fits.cells import Cells
from fcrlib.fits.contrast import Estimate, Standardised, raised
from fcrlib.fits.design import Coded
from fcrlib.fits.ordered import OrderedFit
from fcrlib.fits.regression import Fit
from fcrlib.fits.sandwich import FEW, TOO_FEW
from fcrlib.model import evidence
from fcrlib.model.finding import Finding, Measure
from fcrlib.model.numbers import count, points, signed

PEOPLE = {"customer": "customers", "account": "accounts", "agent": "agents", "team": "teams"}
SLOW = 10_000
"""Cells from which on it is worth saying that they hardly hold several answers."""


@dataclass(frozen=True, slots=True)
class Effect:
    """A standardised difference between contacts with and without an exposure.

    Parameters
    ----------
    estimate, low, high, se
        Mean outcome if all had the exposure less the mean if none had, with its 95 % interval and standard error. Shares lie in 0..1; where `unit` is
        `score`, it is in units of the outcome. No interval below ten clusters.
    with_exposure, without
        The two standardised means.
    ratio, ratio_low, ratio_high
        One over the other; None where that means nothing.
    odds_ratio, odds_ratio_low, odds_ratio_high
        Of the model, not standardised (the geometric mean where it varies): it stays the same when who answers depends on exposure and outcome. None for
        a linear model.
    segments
        Per level of `by`: the level, `n` (answers), `size` (all contacts), `estimate`, `se`, `low`, `high`; null without `by`.
    segments_differ
        How often chance alone would set the levels this far apart (F test), where there are several.
    levels
        For ordered answers: per level `outcome`, `with_exposure`, `without`, `difference`, `se`, `low`, `high`.
    table
        `term`, `estimate`, `se`, `low`, `high` of the model.
    counted
        `what`, `n`: the rows given, those left out and why, those used.
    merged
        `covariate`, `level`, `answers` of the levels too rare to stand alone.
    n, n_clusters, n_cells
        Answers, clusters and cells used.
    spec
        What was asked, by name.
    fit, cells
        The fitted model and what it was fitted to.
    notes
        What a reader should know before believing it.
    grade, why
        The evidence grade and the reason for it.
    unit
        `share` or `score`.
    """

    estimate: float
    low: float | None
    high: float | None
    se: float | None
    with_exposure: float
    without: float
    ratio: float | None
    ratio_low: float | None
    ratio_high: float | None
    odds_ratio: float | None
    odds_ratio_low: float | None
    odds_ratio_high: float | None
    segments: pl.DataFrame | None
    segments_differ: float | None
    levels: pl.DataFrame | None
    table: pl.DataFrame
    counted: pl.DataFrame
    merged: pl.DataFrame
    n: int
    n_clusters: int
    n_cells: int
    spec: dict[str, Any]
    fit: Fit | OrderedFit
    cells: Cells
    notes: tuple[str, ...]
    grade: evidence.Grade
    why: str
    unit: Literal["share", "score"]

    def finding(
        self,
        *,
        id: str = "csat-difference",
        exposed: str = "resolved on first contact",
        good: str | None = None,
        window: str = "",
        role: Literal["headline", "finding"] = "finding",
    ) -> Finding:
        """The difference in one sentence that claims no more than its grade allows.

        Parameters
        ----------
        exposed, good
            What the exposure and the outcome are called: contacts were `exposed`, and got `good` (`good ratings`, or for scores `mean rating`).
        window
            How long later contacts were waited for, e.g. `7 days`.
        """
        outcome = good or ("good ratings" if self.unit == "share" else "mean rating")
        title = f"{outcome[:1].upper()}{outcome[1:]} where contacts were {exposed}: {self._spelled(self.estimate)}"
        if self.low is None or self.high is None:
            title = f"Too few {self._people()} to compare {outcome}"
        elif self.low <= 0 <= self.high:
            title = f"No clear difference in {outcome}"
        measure = Measure(self.estimate, self.low, self.high, self.n, "points" if self.unit == "share" else "score", "up")
        details = {"notes": list(self.notes), "terms": self.table.height, "cells": self.n_cells}
        sentence = f"{self._sentence(exposed, outcome)} {self._basis(window)}"
        return Finding(id, role, title, sentence, measure=measure, grade=self.grade, why=self.why, details=details)

    def _sentence(self, exposed: str, outcome: str) -> str:
        what = f"a share of {outcome}" if self.unit == "share" else f"a {outcome}"
        if self.low is None or self.high is None:
            return f"There are too few {self._people()} to say whether contacts {exposed} go with {what} that is higher or lower."
        adjusts = self.spec["adjust"]
        alike = f", after adjustment for {_listed(adjusts)}" if adjusts and self.grade != "D" else ""
        span = f"95 % interval {self._spelled(self.low).removesuffix(' points')} to {self._spelled(self.high)}"
        if self.low <= 0 <= self.high:
            most = self._spelled(max(abs(self.low), abs(self.high))).lstrip("+")
            lead = f"Whether contacts were {exposed} or not, no clear difference in {outcome} can be told from chance{alike} ({span})"
            return f"{lead}; a difference beyond {most} either way is excluded."
        verb = "was observed with" if self.grade == "D" else "is associated with"
        size = self._spelled(abs(self.estimate)).lstrip("+")
        return f"Being {exposed} {verb} {what} {size} {'higher' if self.estimate > 0 else 'lower'} than otherwise{alike} ({span})."

    def _basis(self, window: str) -> str:
        rests = f"This rests on {count(self.n)} answers of {count(self.n_clusters)} {self._people()}"
        return f"{rests}; later contacts were waited for {window}." if window else f"{rests}."

    def _spelled(self, value: float) -> str:
        return points(value) if self.unit == "share" else signed(value, digits=2)

    def _people(self) -> str:
        ways = self.spec["cluster"]
        return PEOPLE.get(ways[0], f"groups ({ways[0]})") if len(ways) == 1 else "groups"


def assemble(fitted: Fit | OrderedFit, cells: Cells, coded: Coded, *, spec: dict[str, Any], graded: tuple[evidence.Grade, str]) -> Effect:
    """Everything that is told of a fitted model.

    Parameters
    ----------
    spec
        `outcome`, `exposure`, `adjust` (names), `kind`, `weight`, `cluster` (list), `by`.
    graded
        The evidence grade and the reason for it.
    """
    whole = _standard(fitted, cells.everybody)
    gap, by = whole.difference(), spec["by"]
    # A mean of scores is no share of anybody, also where the scores run from 0 to 1.
    yes_no = bool(coded.rows["_y"].drop_nulls().is_in([0.0, 1.0]).all())
    unit: Literal["share", "score"] = "share" if spec["kind"] != "ordinal" and yes_no else "score"
    ratio = whole.ratio() if unit == "share" else None
    odds = None if spec["kind"] == "linear" else raised(_log_odds(fitted, cells.everybody))
    segments, differ = _segments(fitted, cells, by=by) if by else (None, None)
    levels = ordered.levels(fitted, cells.everybody) if isinstance(fitted, OrderedFit) else None
    return Effect(
        gap.value, gap.low, gap.high, gap.se, float(whole.shares[1]), float(whole.shares[0]), *_ends(ratio), *_ends(odds), segments, differ, levels,
        fitted.table, coded.counted, coded.merged, cells.rows, fitted.clusters, cells.table.height, spec, fitted, cells,
        _notes(coded, cells, clusters=fitted.clusters), *graded, unit,
    )  # fmt: skip


def _standard(fitted: Fit | OrderedFit, everybody: pl.DataFrame) -> Standardised:
    return ordered.standardise(fitted, everybody) if isinstance(fitted, OrderedFit) else contrast.standardise(fitted, everybody)


def _log_odds(fitted: Fit | OrderedFit, everybody: pl.DataFrame) -> Estimate:
    return ordered.log_odds(fitted, everybody) if isinstance(fitted, OrderedFit) else contrast.log_odds(fitted, everybody)


def _ends(estimate: Estimate | None) -> tuple[float | None, float | None, float | None]:
    return (None, None, None) if estimate is None else (estimate.value, estimate.low, estimate.high)


def _segments(fitted: Fit | OrderedFit, cells: Cells, *, by: str) -> tuple[pl.DataFrame, float | None]:
    """The difference within each level, and whether the levels differ."""
    groups = {level: _standard(fitted, part) for level, part in contrast.by_level(cells.everybody, by=by).items()}
    gaps = [group.difference() for group in groups.values()]
    figures = {name: [getattr(gap, name) for gap in gaps] for name in ("se", "low", "high")}
    told = {by: list(groups), "size": [group.size for group in groups.values()], "estimate": [gap.value for gap in gaps], **figures}
    schema = {by: pl.String, "size": pl.Int64, **dict.fromkeys(("estimate", "se", "low", "high"), pl.Float64)}
    answers = cells.table.group_by(pl.col(by).cast(pl.String)).agg(pl.col("n").sum())
    table = pl.DataFrame(told, schema=schema).join(answers, on=by, how="left", maintain_order="left")
    return table.select(by, pl.col("n").fill_null(0), "size", "estimate", "se", "low", "high").sort(by), contrast.differ(list(groups.values()))


def _notes(coded: Coded, cells: Cells, *, clusters: int) -> tuple[str, ...]:
    told = list(coded.notes)
    for (name,), part in coded.merged.group_by("covariate", maintain_order=True):
        told.append(f"{name}: {part.height} levels with too few answers are put together ({_listed(part['level'].head(5).to_list())})")
    if clusters < TOO_FEW:
        told.append(f"there {'is only 1 cluster' if clusters == 1 else f'are only {clusters} clusters'}, too few for an interval")
    elif clusters < FEW:
        told.append(f"there are only {clusters} clusters, so the interval is rough")
    if cells.table.height > max(SLOW, cells.rows / 2):
        told.append(f"{cells.rows:,} answers fall into {cells.table.height:,} cells, which makes the fit slower, not different")
    return tuple(told)


def _listed(names: Sequence[str]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"
