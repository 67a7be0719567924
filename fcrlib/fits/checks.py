"""Does a fitted difference rest on sound ground?

A model can be fitted exactly and still be wrong about where satisfaction is high, compare contacts that are not comparable, or owe its answer
to where a scale was cut in two. Each check is a few rows, and each row says what it means.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
import polars as pl

from fcrlib.fits.cells import Cells, gather
from fcrlib.fits.confounding import EXPOSED
from fcrlib.fits.contrast import standardise
from fcrlib.fits.design import AsIs, Terms, code
from fcrlib.fits.regression import Fit, fit
from fcrlib.fits.sandwich import t_quantile
from fcrlib.fits.separation import refuse
from fcrlib.judge.intervals import Z95, wilson
from fcrlib.model.columns import known
from fcrlib.model.errors import DataError, UsageError
from fcrlib.model.numbers import number, percent, points

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

DECILES = 10
EDGES = (0.05, 0.95)
MOST_OUTSIDE, MOST_INFLATED, MOST_OFF = 0.05, 5.0, 0.05
"""When a check is not passed: more than one answer in twenty without alike ones, a variance five times as large, a decile five points off."""
SCHEMA = {
    "check": pl.String, "part": pl.String, "n": pl.Int64, "value": pl.Float64, "low": pl.Float64, "high": pl.Float64, "expected": pl.Float64,
    "passed": pl.Boolean, "reading": pl.String,
}  # fmt: skip


class Fitted(Protocol):
    """What is read of a fitted effect: the model, the cells it was fitted to, and the levels that were too rare to stand alone."""

    @property
    def fit(self) -> Any: ...
    @property
    def cells(self) -> Cells: ...
    @property
    def merged(self) -> pl.DataFrame: ...


def all(effect: Fitted) -> pl.DataFrame:
    """Every check that needs nothing but the fitted effect.

    Parameters
    ----------
    effect
        A logit or linear effect of a yes/no exposure.

    Returns
    -------
    pl.DataFrame
        `check` (calibration, overlap, inflation, rare levels), `part`, `n` (answers), `value`, `low`, `high`, `expected`, `passed` (null: nothing to
        pass), `reading` (a sentence), in this order.

    Raises
    ------
    UsageError
        For a model of ordered answers, or an exposure of several levels.

    Examples
    --------
    >>> from types import SimpleNamespace
    >>> frame = pl.DataFrame({"good": [1, 1, 1, 0] * 10 + [1, 0, 0, 0] * 10, "fcr": [True] * 40 + [False] * 40, "tier": list("a" * 20 + "b" * 20) * 2})
    >>> coded = code(frame, outcome="good", exposure="fcr", adjust=["tier"])
    >>> cells = gather(coded)
    >>> effect = SimpleNamespace(fit=fit(cells, coded.terms), cells=cells, merged=coded.merged)
    >>> all(effect).select("check", "passed").unique(maintain_order=True).rows()
    [('calibration', True), ('overlap', True), ('overlap', None), ('inflation', True)]
    """
    if not isinstance(effect.fit, Fit):
        raise UsageError("these checks are for a logit or a linear model, not for ordered answers")
    parts = [calibration(effect.fit, effect.cells), overlap(effect.fit, effect.cells), inflation(effect.fit, effect.cells)]
    return pl.concat([*parts, rare(effect.merged)])


def calibration(fitted: Fit, cells: Cells) -> pl.DataFrame:
    """Are answers where the model expects many to be good indeed good, and where it expects few not?

    Returns
    -------
    pl.DataFrame
        The columns of `all`, one row per tenth of the answers, from the lowest expected outcome to the highest: `value` is what was answered
        (`low`, `high`: 95 %, by cluster), `expected` what the model says.
    """
    order = np.lexsort((np.arange(fitted.mu.size), fitted.mu))
    middle = np.cumsum(fitted.w[order]) - fitted.w[order] / 2
    tenth = np.empty(fitted.mu.size, dtype=np.int64)
    tenth[order] = np.minimum((DECILES * middle / fitted.w.sum()).astype(np.int64), DECILES - 1)
    marked = cells.table.select("n", "w", "wy", tenth=pl.Series(tenth), mu=pl.Series(fitted.mu))
    shares = marked.group_by("tenth").agg(pl.col("n").sum(), value=pl.col("wy").sum() / pl.col("w").sum(), expected=_weighted("mu")).sort("tenth")
    sums = cells.sums.join(pl.DataFrame({"tenth": tenth}).with_row_index("cell").cast(pl.Int64), on="cell").join(shares, on="tenth")
    gaps = sums.group_by("tenth", "g").agg(gap=(pl.col("wy") - pl.col("w") * pl.col("value")).sum(), w=pl.col("w").sum())
    spread = gaps.group_by("tenth").agg(se=(pl.col("gap") ** 2).sum().sqrt() / pl.col("w").sum()).sort("tenth")
    table = _between(shares.join(spread, on="tenth", maintain_order="left"), kind=fitted.kind, clusters=fitted.clusters)
    off = (pl.col("value") - pl.col("expected")).abs() > MOST_OFF
    told = [_calibrated(*row) for row in table.select("value", "expected", "low", "high").iter_rows()]
    return table.select(
        check=pl.lit("calibration"), part=pl.format("tenth {}", pl.col("tenth") + 1), n=pl.col("n").cast(pl.Int64), value="value", low="low",
        high="high", expected="expected", passed=~(off & ~pl.col("expected").is_between("low", "high").fill_null(False)),
        reading=pl.Series(told, dtype=pl.String),
    )  # fmt: skip


def _weighted(name: str) -> pl.Expr:
    return (pl.col("w") * pl.col(name)).sum() / pl.col("w").sum()


def _between(table: pl.DataFrame, *, kind: str, clusters: int) -> pl.DataFrame:
    """Add the interval of `value`: Wilson's on the effective size for shares, the plain one for scores; none with too few clusters."""
    t, p = t_quantile(clusters), pl.col("value")
    if t is None:
        return table.with_columns(low=pl.lit(None, pl.Float64), high=pl.lit(None, pl.Float64))
    if kind != "logit":
        return table.with_columns(low=p - t * pl.col("se"), high=p + t * pl.col("se"))
    # Answers all alike leave no spread to see; as many as there are is then all that is known.
    size = pl.min_horizontal(pl.when(pl.col("se") > 0).then(p * (1 - p) / pl.col("se") ** 2).otherwise(pl.col("n")), "n")
    low, high = wilson(p, size * (Z95 / t) ** 2)
    return table.with_columns(low=low, high=high)


def _calibrated(value: float, expected: float, low: float | None, high: float | None) -> str:
    said = f"{percent(value)} were good, {percent(expected)} were expected"
    if low is None or high is None:
        return said
    return said if low <= expected <= high else f"{said}: {points(value - expected)} beyond chance"


def overlap(fitted: Fit, cells: Cells) -> pl.DataFrame:
    """Have exposed contacts alike ones that are not, and the other way round?

    Returns
    -------
    pl.DataFrame
        The columns of `all`, two rows: the share of answers that are exposed almost surely or almost never, given the covariates (`value`), and
        what the covariates leave unexplained of the exposure (1 - R2).

    References
    ----------
    Crump, Hotz, Imbens and Mitnik (2009), Biometrika 96, 187-199 (limits of overlap).
    """
    rows, exposed, columns = _exposed(fitted, cells)
    chance = _propensity(columns, exposed, rows)
    outside = float(rows[(chance < EDGES[0]) | (chance > EDGES[1])].sum() / rows.sum())
    left = 1 - _explained(columns, exposed, rows)
    few = f"{percent(outside)} of the answers are of a kind that is almost always, or almost never, '{fitted.terms.exposure}'"
    told = f"{few}: for them the model has to guess" if outside > MOST_OUTSIDE else few
    said = f"The covariates leave {percent(left)} of '{fitted.terms.exposure}' unexplained; the difference rests on that"
    return pl.DataFrame(
        [
            ("overlap", "outside 5 to 95 %", int(rows.sum()), outside, None, None, None, outside <= MOST_OUTSIDE, told),
            ("overlap", "exposure unexplained", int(rows.sum()), left, None, None, None, None, said),
        ],
        schema=SCHEMA,
        orient="row",
    )


def inflation(fitted: Fit, cells: Cells) -> pl.DataFrame:
    """How much less sure is the difference because the covariates go with the exposure (variance inflation factor)?

    References
    ----------
    Fox and Monette (1992), JASA 87, 178-183.
    """
    rows, exposed, columns = _exposed(fitted, cells)
    factor = 1 / max(1 - _explained(columns, exposed, rows), 1e-12)
    told = f"The covariates make the variance of the difference {number(factor, digits=2)} times as large as if they had nothing to do with it"
    row = ("inflation", fitted.terms.exposure, int(rows.sum()), factor, None, None, None, factor <= MOST_INFLATED, told)
    return pl.DataFrame([row], schema=SCHEMA, orient="row")


def rare(merged: pl.DataFrame) -> pl.DataFrame:
    """The levels that were too rare to stand alone, a row each; they are one level together."""
    return merged.select(
        check=pl.lit("rare levels"), part=pl.format("{}: {}", "covariate", "level"), n=pl.col("answers").cast(pl.Int64),
        value=pl.lit(None, pl.Float64), low=pl.lit(None, pl.Float64), high=pl.lit(None, pl.Float64), expected=pl.lit(None, pl.Float64),
        passed=pl.lit(None, pl.Boolean), reading=pl.lit("too few answers of either kind to stand alone; put together with other rare levels"),
    )  # fmt: skip


def _exposed(fitted: Fit, cells: Cells) -> tuple[Floats, Floats, Floats]:
    """Answers and exposure per cell, and the design of the covariates alone."""
    terms = fitted.terms
    if terms.doses:
        raise UsageError(f"{terms.exposure!r} has {len(terms.doses)} levels, but overlap is told of a yes/no exposure only")
    plain = Terms(terms.exposure, factors=terms.factors, numbers=terms.numbers)
    design = np.delete(plain.matrix(cells.table), EXPOSED, axis=1)
    return cells.table["n"].to_numpy().astype(np.float64), cells.table[terms.exposure].cast(pl.Float64).to_numpy(), design


def _propensity(columns: Floats, exposed: Floats, rows: Floats, *, steps: int = 50) -> Floats:
    """Chance of being exposed given the covariates: a logit by Newton's steps, held by a hair so that kinds that are always exposed do no harm."""
    from scipy.special import expit

    scale = np.maximum(np.abs(columns).max(axis=0), 1e-12)
    inner, beta = columns / scale, np.zeros(columns.shape[1])
    for _ in range(steps):
        chance = expit(inner @ beta)
        slope = inner.T @ (rows * (exposed - chance)) - 1e-3 * beta
        step = np.linalg.solve((inner * (rows * chance * (1 - chance))[:, None]).T @ inner + 1e-3 * np.eye(beta.size), slope)
        beta = beta + np.clip(step, -4, 4)
        if np.abs(step).max() < 1e-8:
            break
    return np.asarray(expit(inner @ beta), dtype=np.float64)


def _explained(columns: Floats, exposed: Floats, rows: Floats) -> float:
    """R2 of the exposure on the covariates."""
    root = np.sqrt(rows)
    best = columns @ np.linalg.lstsq(columns * root[:, None], exposed * root, rcond=None)[0]
    mean = rows @ exposed / rows.sum()
    return 1 - float(rows @ (exposed - best) ** 2) / float(rows @ (exposed - mean) ** 2)


CUTS = {
    "at_least": pl.Int64, "n": pl.Int64, "clusters": pl.Int64, "share": pl.Float64, "estimate": pl.Float64, "low": pl.Float64, "high": pl.Float64,
    "note": pl.String,
}  # fmt: skip


def cuts(
    frame: pl.DataFrame,
    *,
    rating: str,
    exposure: str,
    adjust: Sequence[str | AsIs] = (),
    weight: str | None = None,
    cluster: str | Sequence[str] | None = None,
) -> pl.DataFrame:
    """Would the difference be another one if "good" began elsewhere on the scale? A logit for each place where it could begin.

    Parameters
    ----------
    frame
        One row per matured first contact: whole-numbered `rating` (null: no answer), yes/no `exposure`, the columns of `adjust`, `weight`, `cluster`.

    Returns
    -------
    pl.DataFrame
        `at_least` (the lowest rating that counts as good, rising), `n` (answers), `clusters`, `share` (of answers at or above it, weighted),
        `estimate` with `low`, `high` (standardised difference, 95 %; null where it cannot be told), `note` (why not).

    Raises
    ------
    DataError
        If there are fewer than two ratings to cut between.
    UsageError
        If a column is not there, or ratings are no numbers.

    Examples
    --------
    >>> frame = pl.DataFrame({"rating": [1, 2, 3, 3] * 20 + [1, 1, 2, 3] * 20, "fcr": [True] * 80 + [False] * 80})
    >>> cuts(frame, rating="rating", exposure="fcr").select("at_least", "share", pl.col("estimate").round(2)).rows()
    [(2, 0.625, 0.25), (3, 0.375, 0.25)]
    """
    known(frame, [rating, exposure], numbers=[rating])
    levels = frame[rating].drop_nulls().unique().sort()
    if levels.len() < 2:
        raise DataError(f"column {rating!r} holds {levels.len()} different ratings, so there is no place to cut it in two")
    rows: list[tuple[object, ...]] = []
    for level in levels[1:]:
        split = frame.with_columns((pl.col(rating) >= level).cast(pl.Int8).alias(rating))
        try:
            rows.append((level, *_cut(split, outcome=rating, exposure=exposure, adjust=adjust, weight=weight, cluster=cluster), ""))
        except DataError as problem:
            rows.append((level, split[rating].count(), None, None, None, None, None, problem.what))
    return pl.DataFrame(rows, schema=CUTS, orient="row")


def _cut(
    split: pl.DataFrame, *, outcome: str, exposure: str, adjust: Sequence[str | AsIs], weight: str | None, cluster: str | Sequence[str] | None
) -> tuple[object, ...]:
    """The row of one place to cut: answers, clusters, share of good ones, and the difference with its interval."""
    coded = code(split, outcome=outcome, exposure=exposure, adjust=adjust, weight=weight, cluster=cluster)
    cells = gather(coded)
    refuse(cells.table, terms=coded.terms)
    fitted = fit(cells, coded.terms)
    found = standardise(fitted, cells.everybody).difference()
    share = cells.table.select(pl.col("wy").sum() / pl.col("w").sum()).item()
    return cells.rows, fitted.clusters, share, found.value, found.low, found.high
