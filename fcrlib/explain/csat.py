"""How much better are contacts rated that were resolved at first, among contacts that are alike?

A difference of shares, standardised to all first contacts whose verdict is final, answered or not. It is an association: what is not in the columns
may still differ. A rating given before the customer came back can tell that they will, rather than follow from it. What could explain the difference
away (`sensitivity`) and what it would be worth (`simulate`) can be had from here too.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

import polars as pl

from fcrlib.fits import contrast, ordered, regression, within
from fcrlib.fits.cells import gather
from fcrlib.fits.contrast import Estimate, Standardised
from fcrlib.fits.design import FEWEST, AsIs, Kind, code
from fcrlib.fits.ecological import AT_LEAST, groups, slope
from fcrlib.fits.effect import Effect, assemble
from fcrlib.fits.ordered import OrderedFit
from fcrlib.fits.regression import Fit
from fcrlib.fits.sensitivity import sensitivity
from fcrlib.fits.simulator import algebra, simulate
from fcrlib.model import evidence
from fcrlib.model.errors import DataError, FcrError, UsageError

__all__ = ["PATH", "AsIs", "Effect", "Spec", "algebra", "dose", "ecological", "effect", "effect_path", "sensitivity", "simulate"]
MOST = 4
"""Contacts to resolution from here on are one level."""


@dataclass(frozen=True, slots=True)
class Spec:
    """One way to adjust.

    Parameters
    ----------
    model
        What it is called.
    adjust
        Columns held equal; those that the frame lacks are left out, and said.
    adds
        Those that make it this model: without any of them it is not fitted.
    by
        The column by whose levels the difference may vary.
    within
        Column within whose values contacts are compared, by a linear model.
    note
        What a reader should know of it.
    """

    model: str
    adjust: tuple[str, ...] = ()
    adds: tuple[str, ...] = ()
    by: str | None = None
    within: str | None = None
    note: str = ""


ARRIVED = ("channel", "category", "tier", "month")
BEFORE = ("wait", "transfers_before", "hour_block", "prior_contacts_90d")
PATH = (
    Spec("M0 raw", note="nothing is held equal"),
    Spec("M1 what arrived", ARRIVED, ARRIVED, by="channel", note="the primary model"),
    Spec("M2 what came before", (*ARRIVED, *BEFORE), BEFORE, by="channel"),
    Spec(
        "M3 handle time",
        (*ARRIVED, *BEFORE, "handle"),
        ("handle",),
        by="channel",
        note="may adjust too much: handling is part of how contacts are resolved",
    ),
    Spec("M4 within agents", (*ARRIVED, *BEFORE), by="channel", within="agent", note="a linear model of contacts with the same agent"),
    Spec("M5 within customers", ARRIVED, within="customer", note="a linear model of customers who answered several times"),
)
"""From nothing held equal to everybody compared with themselves."""
PATH_SCHEMA = {
    "model": pl.String, "adjusts_for": pl.String, "estimate": pl.Float64, "low": pl.Float64, "high": pl.Float64, "n": pl.Int64, "clusters": pl.Int64,
    "note": pl.String,
}  # fmt: skip


def effect(
    frame: pl.DataFrame,
    *,
    outcome: str,
    exposure: str,
    adjust: Sequence[str | AsIs] = (),
    kind: Kind = "logit",
    weight: str | None = None,
    cluster: str | Sequence[str] = "customer",
    by: str | None = None,
    design: evidence.Design = evidence.Design(),  # noqa: B008 (frozen)
) -> Effect:
    """The difference in outcome between contacts with and without an exposure, among contacts alike in the columns of `adjust`.

    Parameters
    ----------
    frame
        One row per first contact whose verdict is final, answered or not: `outcome` (null where there is no answer), `exposure` (yes/no), and the
        columns that the other parameters name. A null in a covariate of text is a level of its own; numbers with more than 20 values become 20 bins,
        unless they are given as `AsIs(name)`.
    kind
        `logit` for a yes/no outcome, `linear` for numbers, `ordinal` for ordered whole numbers.
    weight
        Response weights of those who answered.
    cluster
        One or two columns; rows that agree belong together. A null is somebody of their own.
    by
        The covariate by whose levels the difference may vary; it is adjusted for as well.
    design
        What is known of how the data came about, for the evidence grade: whether the exposure came first (`timing_known`), who answered
        (`response_known`), and whether it will be said what could explain the difference away (`sensitivity_reported`).

    Raises
    ------
    UsageError
        If columns are missing or not what they must be; all problems at once.
    DataError
        If there is nothing to compare, covariates say the same, or the model has no end.

    References
    ----------
    Robins (1986), Mathematical Modelling 7, 1393-1512 (standardisation by g-computation).

    Examples
    --------
    >>> frame = pl.DataFrame({"good": [1, 1, 1, 0] * 10 + [1, 0, 0, 0] * 10, "fcr": [True] * 40 + [False] * 40, "customer": list("abcdefghijklmnop") * 5})
    >>> found = effect(frame, outcome="good", exposure="fcr")
    >>> round(found.estimate, 3), round(found.ratio, 3), round(found.odds_ratio, 3), found.n, found.n_clusters, found.grade
    (0.5, 3.0, 9.0, 80, 16, 'D')
    >>> found.finding().title
    'Good ratings where contacts were resolved on first contact: +50.0 points'
    """
    ways = [cluster] if isinstance(cluster, str) else list(cluster)
    coded = code(frame, outcome=outcome, exposure=exposure, adjust=adjust, kind=kind, weight=weight, cluster=ways, by=by)
    if coded.terms.doses:
        raise UsageError(f"{exposure!r} must be yes/no (true, false, null); for several levels ask for the dose")
    cells = gather(coded)
    fitted: Fit | OrderedFit = ordered.fit(coded) if kind == "ordinal" else regression.fit(cells, coded.terms, kind=kind)
    adjusts = [name for name in _names(adjust, by) if name in coded.terms.covariates]
    spec = {"outcome": outcome, "exposure": exposure, "adjust": adjusts, "kind": kind, "weight": weight, "cluster": ways, "by": coded.terms.by}
    judged = replace(design, adjusted=bool(adjusts) or design.adjusted, weighted=weight is not None or design.weighted)
    return assemble(fitted, cells, coded, spec=spec, graded=evidence.grade(judged))


def effect_path(
    frame: pl.DataFrame,
    *,
    outcome: str = "good",
    exposure: str = "fcr",
    kind: Literal["logit", "linear"] = "logit",
    weight: str | None = None,
    cluster: str = "customer",
    specs: Sequence[Spec] = PATH,
) -> pl.DataFrame:
    """The same difference as more and more is held equal: if it hardly moves, what is recorded does not explain it.

    Parameters
    ----------
    frame
        As `effect` reads it; columns that the specs name and the frame lacks are left out, and said.

    Returns
    -------
    pl.DataFrame
        One row per spec, in their order: `model`, `adjusts_for` (columns held equal), `estimate`, `low`, `high` (standardised difference), `n`
        (answers used), `clusters`, `note`. A model that cannot be fitted has a sentence and no number.

    Examples
    --------
    >>> frame = pl.DataFrame({"good": [1, 1, 1, 0] * 20 + [1, 0, 0, 0] * 20, "fcr": [True] * 80 + [False] * 80, "tier": list("aaaabbbb") * 20})
    >>> frame = frame.with_columns(customer=pl.int_range(pl.len()) // 3)
    >>> effect_path(frame).select("model", pl.col("estimate").round(3), "n").head(3).rows()
    [('M0 raw', 0.5, 160), ('M1 what arrived', 0.5, 160), ('M2 what came before', None, 0)]
    """
    if {outcome, exposure, cluster} - set(frame.columns):
        # What all models lack is a mistake, not a row without a number.
        effect(frame, outcome=outcome, exposure=exposure, kind=kind, weight=weight, cluster=cluster)
    rows = [_along(frame, spec, outcome=outcome, exposure=exposure, kind=kind, weight=weight, cluster=cluster) for spec in specs]
    return pl.DataFrame(rows, schema=PATH_SCHEMA)


def _along(
    frame: pl.DataFrame, spec: Spec, *, outcome: str, exposure: str, kind: Literal["logit", "linear"], weight: str | None, cluster: str
) -> dict[str, object]:
    adjust = [name for name in spec.adjust if name in frame.columns]
    absent = [name for name in spec.adjust if name not in frame.columns]
    blank = {"model": spec.model, "adjusts_for": ", ".join([*adjust, *([spec.within] if spec.within else [])]) or "nothing", "n": 0, "clusters": 0}
    needed = [spec.within] if spec.within else spec.adds
    if needed and not set(needed) & set(frame.columns):
        return {**blank, "note": f"not fitted: the desk has no {' and no '.join(needed)}"}
    by = spec.by if spec.by in adjust else None
    try:
        fitted, gap, notes = _fitted(
            frame, outcome=outcome, exposure=exposure, adjust=adjust, by=by, kind=kind, weight=weight, cluster=cluster, unit=spec.within
        )
    except FcrError as problem:
        return {**blank, "note": f"not fitted: {' '.join(str(problem).split())}"}
    told = [spec.note, *([f"without {', '.join(absent)}, which the desk does not have"] if absent else []), *notes]
    numbers = {"estimate": gap.value, "low": gap.low, "high": gap.high, "n": fitted.rows, "clusters": fitted.clusters}
    return {**blank, **numbers, "note": "; ".join(note for note in told if note)}


def _fitted(
    frame: pl.DataFrame,
    *,
    outcome: str,
    exposure: str,
    adjust: Sequence[str],
    by: str | None,
    kind: Literal["logit", "linear"],
    weight: str | None,
    cluster: str,
    unit: str | None,
) -> tuple[Fit, Estimate, tuple[str, ...]]:
    """The model of a spec, its difference, and what is to be said of it."""
    if unit is None:
        found = effect(frame, outcome=outcome, exposure=exposure, adjust=adjust, kind=kind, weight=weight, cluster=cluster, by=by)
        assert isinstance(found.fit, Fit)
        return found.fit, Estimate(found.estimate, found.se, found.low, found.high), found.notes
    coded = code(
        frame, outcome=outcome, exposure=exposure, adjust=[name for name in adjust if name != unit], kind="linear", weight=weight, cluster=cluster,
        by=by, unit=unit,
    )  # fmt: skip
    cells = gather(coded)
    fitted = within.fit(cells, coded.terms)
    return fitted, contrast.standardise(fitted, cells.everybody).difference(), coded.notes


def dose(
    frame: pl.DataFrame,
    *,
    outcome: str = "good",
    contacts: str = "contacts_to_resolve",
    adjust: Sequence[str | AsIs] = (),
    kind: Kind = "logit",
    weight: str | None = None,
    cluster: str | Sequence[str] = "customer",
) -> pl.DataFrame:
    """Outcome by how many contacts the issue took, among contacts alike in the columns of `adjust`.

    Parameters
    ----------
    frame
        As `effect` reads it, with `contacts` to resolution: a number, or text that begins with one (`4+`). Four and more are one level; where few
        took that many, three or two and more are.

    Returns
    -------
    pl.DataFrame
        `contacts` (`1`, `2`, ..., and last `each further contact`), `n` (answers), `share`, `low`, `high` (standardised outcome), `difference`,
        `difference_low`, `difference_high` (to a single contact). In the last row `difference` is the slope of the straight line through the shares,
        each weighed by its contacts.

    Raises
    ------
    DataError
        If nearly nobody who answered needed a second contact.

    Examples
    --------
    >>> frame = pl.DataFrame({"good": [1, 1, 1, 0] * 20 + [1, 1, 0, 0] * 10, "contacts": [1] * 80 + [2] * 40})
    >>> frame = frame.with_columns(customer=pl.int_range(pl.len()) % 60)
    >>> dose(frame, contacts="contacts").select("contacts", "n", pl.col("share", "difference").round(3)).rows()
    [('1', 80, 0.75, 0.0), ('2+', 40, 0.5, -0.25), ('each further contact', 120, None, -0.25)]
    """
    if contacts not in frame.columns or outcome not in frame.columns:
        raise UsageError(f"there is no column {contacts if contacts not in frame.columns else outcome!r}; there are {', '.join(frame.columns)}")
    levels = _doses(frame, contacts=contacts, outcome=outcome, kind=kind)
    coded = code(frame.with_columns(levels), outcome=outcome, exposure=contacts, adjust=adjust, kind=kind, weight=weight, cluster=cluster)
    cells = gather(coded)
    fitted = ordered.fit(coded) if kind == "ordinal" else regression.fit(cells, coded.terms, kind=kind)
    told = ordered.standardise(fitted, cells.everybody) if isinstance(fitted, OrderedFit) else contrast.standardise(fitted, cells.everybody)
    return _by_dose(
        told, coded.rows.group_by(pl.col(contacts).cast(pl.String)).agg(n=pl.col("_y").count().cast(pl.Int64), size=pl.len()).sort(contacts)
    )


def _doses(frame: pl.DataFrame, *, contacts: str, outcome: str, kind: Kind) -> pl.Series:
    """Contacts to resolution as levels, as many as have enough answers of each kind."""
    needed = frame.select(pl.col(contacts).cast(pl.String).str.extract(r"^(\d+)").cast(pl.Int64)).to_series()
    answers = pl.DataFrame({"dose": needed, "y": frame[outcome].cast(pl.Float64)}).drop_nulls()
    for most in range(MOST, 1, -1):
        kinds = [(pl.col("y") == value).sum() for value in (0.0, 1.0)] if kind == "logit" else [pl.len()]
        tally = answers.group_by(pl.col("dose").clip(upper_bound=most)).agg(least=pl.min_horizontal(kinds))
        if tally.height == most and (tally["least"] >= FEWEST).all():
            text = pl.when(needed >= most).then(pl.lit(f"{most}+")).otherwise(needed.cast(pl.String))
            return pl.select(text.alias(contacts)).to_series()
    raise DataError(f"fewer than {FEWEST} answers of a kind come from issues that took a second contact, so there is nothing to compare")


def _by_dose(told: Standardised, sizes: pl.DataFrame) -> pl.DataFrame:
    shares = [told.share(place) for place in range(len(told.levels))]
    gaps = [Estimate(0.0, 0.0, 0.0, 0.0), *(told.difference(place) for place in range(1, len(told.levels)))]
    each = told.step(sizes["size"].to_numpy().astype("float64"))
    schema = {
        "contacts": pl.String,
        "n": pl.Int64,
        **dict.fromkeys(("share", "low", "high", "difference", "difference_low", "difference_high"), pl.Float64),
    }
    rows = [
        (str(level), n, share.value, share.low, share.high, gap.value, gap.low, gap.high)
        for level, n, share, gap in zip(told.levels, sizes["n"], shares, gaps, strict=True)
    ]
    last = ("each further contact", sizes["n"].sum(), None, None, None, each.value, each.low, each.high)
    return pl.DataFrame([*rows, last], schema=schema, orient="row")


def ecological(
    frame: pl.DataFrame,
    *,
    outcome: str,
    exposure: str,
    group: Sequence[str] = ("team", "month"),
    weight: str | None = None,
    at_least: int = AT_LEAST,
) -> pl.DataFrame:
    """The slope of average outcome on average exposure over groups, to be told beside the difference between contacts.

    Where each contact with the exposure is rated better by so many points, a group with one point more of them is rated better by at most that share
    of a point, unless something else moves both.

    Returns
    -------
    pl.DataFrame
        The row of `fits.ecological.slope`: `slope`, `se`, `low`, `high`, `r2`, `groups`, `n`.

    Raises
    ------
    DataError
        If fewer than three groups have `at_least` answers.
    """
    return slope(groups(frame, outcome=outcome, exposure=exposure, group=group, weight=weight, at_least=at_least))


def _names(adjust: Sequence[str | AsIs], by: str | None) -> list[str]:
    return list(dict.fromkeys([*(one.name if isinstance(one, AsIs) else one for one in adjust), *([by] if by else [])]))
