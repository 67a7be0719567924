"""How much higher is an outcome with an exposure, or with more of it, among rows alike in what is known?

A model of the outcome is asked twice about everybody: as if all had the exposure, and as if none had. It is an association, whatever it is called.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Literal

import polars as pl

from fcrlib.fits import contrast, ordered, regression
from fcrlib.fits.admission import admit, given
from fcrlib.fits.cells import gather
from fcrlib.fits.contrast import Estimate, Standardised
from fcrlib.fits.design import FEWEST, AsIs, Kind, code
from fcrlib.fits.effect import Effect, assemble
from fcrlib.fits.ordered import OrderedFit
from fcrlib.fits.regression import Fit
from fcrlib.model import evidence
from fcrlib.model.errors import DataError, UsageError

MOST = 4
"""Contacts to resolution from here on are one level."""
DOSES = {
    "contacts": pl.String, "n": pl.Int64, "share": pl.Float64, "low": pl.Float64, "high": pl.Float64, "difference": pl.Float64,
    "difference_low": pl.Float64, "difference_high": pl.Float64,
}  # fmt: skip


def effect(
    frame: pl.DataFrame,
    *,
    outcome: str,
    exposure: str = "fcr",
    adjust: Sequence[str | AsIs] = (),
    kind: Kind | Literal["ols"] = "logit",
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
        `logit` for a yes/no outcome, `linear` (or `ols`) for numbers, `ordinal` for ordered whole numbers.
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
    kind = "linear" if kind == "ols" else kind
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


def dose(
    frame: pl.DataFrame,
    *,
    outcome: str = "good",
    contacts: str = "contacts_to_resolve",
    adjust: Sequence[str | AsIs] = (),
    kind: Kind | Literal["ols"] = "logit",
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
    kind = "linear" if kind == "ols" else kind
    given(frame, adjust=adjust)
    split = {"levels": [name for name in adjust if not isinstance(name, AsIs)], "straight": [name.name for name in adjust if isinstance(name, AsIs)]}
    ways = [cluster] if isinstance(cluster, str) else list(cluster)
    counted = frame.with_columns(pl.col(contacts).cast(pl.String)) if frame[contacts].dtype.is_numeric() else frame
    admit(counted, outcome=outcome, exposure=contacts, **split, kind=kind, weight=weight, ways=ways, by=None, unit=None)
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
    rows = [
        (str(level), n, share.value, share.low, share.high, gap.value, gap.low, gap.high)
        for level, n, share, gap in zip(told.levels, sizes["n"], shares, gaps, strict=True)
    ]
    last = ("each further contact", sizes["n"].sum(), None, None, None, each.value, each.low, each.high)
    return pl.DataFrame([*rows, last], schema=DOSES, orient="row")


def _names(adjust: Sequence[str | AsIs], by: str | None) -> list[str]:
    return list(dict.fromkeys([*(one.name if isinstance(one, AsIs) else one for one in adjust), *([by] if by else [])]))
