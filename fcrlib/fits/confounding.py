"""How strong would something unseen have to be, to explain a difference away?

What nobody recorded may go with both the exposure and the outcome. These are the yardsticks: how strong it would have to be, how strong
that is beside what is known, how much a misread exposure thins a difference, and what silent customers would have to think.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from math import inf, sqrt
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from fcrlib.fits.cells import Cells
from fcrlib.fits.design import Terms
from fcrlib.fits.regression import fit
from fcrlib.fits.sandwich import classical, t_quantile
from fcrlib.model.errors import DataError, UsageError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    Codes = NDArray[np.int64]

NOTHING = 1e-12
EXPOSED = 1
"""The column of the exposure in a design: behind the constant."""
BENCHMARKS = {
    "covariate": pl.String, "times": pl.Float64, "r2_exposure": pl.Float64, "r2_outcome": pl.Float64, "estimate": pl.Float64, "low": pl.Float64,
    "high": pl.Float64, "capped": pl.Boolean,
}  # fmt: skip


def robustness_value(t: float, *, df: float, critical: float = 0.0) -> float:
    """The share of what is left to explain that something unseen must explain, of the exposure and of the outcome alike, to lower |t| to `critical`.

    With f = |t| / sqrt(df), f* = critical / sqrt(df - 1) and g = f - f*: RV = (sqrt(g^4 + 4 g^2) - g^2) / 2. Where g is beyond 1 / f*, the
    exposure's part alone is what matters: RV = (f^2 - f*^2) / (1 + f^2).

    Parameters
    ----------
    t
        The difference divided by its plain standard error.
    df
        Rows less terms of the linear model.
    critical
        0: the difference itself; the t quantile: the limit of its interval nearest to zero. With clusters, the quantile times the ratio of the
        clustered to the plain standard error.

    References
    ----------
    Cinelli and Hazlett (2020), JRSS B 82, 39-67, section 4 (the formula) and 5 (the values below); Cinelli and Hazlett (2025), Biometrika 112,
    asaf004 (the second case).

    Examples
    --------
    >>> round(robustness_value(0.0973 / 0.0233, df=783), 3), round(robustness_value(0.0973 / 0.0233, df=783, critical=1.963), 3)
    (0.139, 0.076)
    """
    if df <= 1:
        raise UsageError(f"{df:g} degrees of freedom are left, but more than one is needed to say how robust a difference is")
    f, edge = abs(t) / sqrt(df), critical / sqrt(df - 1)
    gap = f - edge
    if gap <= 0:
        return 0.0
    if edge and gap > 1 / edge:
        return (f**2 - edge**2) / (1 + f**2)
    return (sqrt(gap**4 + 4 * gap**2) - gap**2) / 2


def partial_r2(t: float, *, df: float) -> float:
    """The share of the outcome left unexplained by the rest that the exposure explains.

    Examples
    --------
    >>> round(partial_r2(0.0973 / 0.0233, df=783), 4)
    0.0218
    """
    return t**2 / (t**2 + df)


def bound(*, r2_exposure: float, r2_outcome: float, times: float = 1.0) -> tuple[float, float]:
    """How much something unseen explains of exposure and outcome, if it is `times` as strong as a known covariate is.

    Parameters
    ----------
    r2_exposure
        Partial R2 of the covariate, all its levels together, with the exposure given the other covariates.
    r2_outcome
        The same with the outcome, given the exposure and the other covariates.

    Returns
    -------
    tuple[float, float]
        Partial R2 of the unseen with the exposure (infinite where it could not be that strong) and with the outcome, at most 1.

    References
    ----------
    Cinelli and Hazlett (2020), JRSS B 82, 39-67, section 4 (bounds from known covariates, also from groups of them).
    """
    if times * r2_exposure >= 1 or (seen := times * r2_exposure / (1 - r2_exposure)) >= 1:
        return inf, 1.0
    crossed = times * r2_exposure**2 / ((1 - times * r2_exposure) * (1 - r2_exposure))
    if crossed >= 1:
        return inf, 1.0
    factor = (sqrt(times) + sqrt(crossed)) / sqrt(1 - crossed)
    return seen, min(factor**2 * r2_outcome / (1 - r2_outcome), 1.0)


def without(estimate: float, se: float, *, df: float, r2_exposure: float, r2_outcome: float) -> tuple[float, float]:
    """The difference and its plain standard error, were something unseen of that strength known; it is taken to lean against the difference.

    References
    ----------
    Cinelli and Hazlett (2020), JRSS B 82, 39-67, section 4 (the formulas) and 5 (the values below).

    Examples
    --------
    >>> after, error = without(0.09731582, 0.02325654, df=783, r2_exposure=0.00916429, r2_outcome=0.12464092)
    >>> round(after, 4), round(error, 4)
    (0.0752, 0.0219)
    """
    shift = se * sqrt(df * r2_outcome * r2_exposure / (1 - r2_exposure))
    sign = 1.0 if estimate >= 0 else -1.0
    return sign * (abs(estimate) - shift), se * sqrt((1 - r2_outcome) / (1 - r2_exposure) * df / (df - 1))


@dataclass(frozen=True, slots=True)
class Linear:
    """The additive linear model of an outcome on exposure and covariates.

    Parameters
    ----------
    estimate, se, clustered
        Difference of the outcome, with its plain and its clustered standard error.
    df
        Rows less terms.
    critical
        Two-sided 95 % t quantile of the clusters; None where they are too few.
    r2_exposure
        How much of the exposure the covariates explain, in 0..1.
    groups
        `covariate`, `r2_exposure`, `r2_outcome`: partial R2 of each covariate, its levels together, with the exposure given the other covariates,
        and with the outcome given the exposure too.
    """

    estimate: float
    se: float
    clustered: float
    df: int
    critical: float | None
    r2_exposure: float
    groups: pl.DataFrame

    @property
    def t(self) -> float:
        """The difference in plain standard errors."""
        return self.estimate / self.se

    @property
    def threshold(self) -> float | None:
        """How many plain standard errors the difference must be from zero, for its clustered interval to leave zero out."""
        return None if self.critical is None else self.critical * self.clustered / self.se


def linear(cells: Cells, *, terms: Terms) -> Linear:
    """Fit outcome on exposure and covariates without any crossing, from the cells: exact, whatever the number of rows.

    Parameters
    ----------
    terms
        Of a yes/no exposure.

    Raises
    ------
    UsageError
        If the exposure has several levels.
    DataError
        If the model leaves nothing unexplained, or a covariate says what others say.

    Examples
    --------
    >>> from fcrlib.fits.cells import gather
    >>> from fcrlib.fits.design import code
    >>> frame = pl.DataFrame({"good": [1, 1, 1, 0] * 10 + [1, 0, 0, 0] * 10, "fcr": [True] * 40 + [False] * 40, "tier": list("ab") * 40})
    >>> coded = code(frame, outcome="good", exposure="fcr", adjust=["tier"])
    >>> model = linear(gather(coded), terms=coded.terms)
    >>> round(model.estimate, 6), model.df, model.groups["covariate"].to_list()
    (0.5, 77, ['tier'])
    """
    if terms.doses:
        raise UsageError(
            f"{terms.exposure!r} has {len(terms.doses)} levels, but what could explain a difference away is told of a yes/no exposure only"
        )
    plain = replace(terms, by=None)
    fitted = fit(cells, plain, kind="linear")
    gram = (fitted.X * fitted.w[:, None]).T @ fitted.X
    rest = np.delete(np.arange(gram.shape[0]), EXPOSED)
    inverse = np.asarray(np.linalg.inv(gram[np.ix_(rest, rest)]), dtype=np.float64)
    explained = inverse @ gram[rest, EXPOSED]
    inner = float(gram[EXPOSED, EXPOSED] - gram[rest, EXPOSED] @ explained)
    whole = float(gram[EXPOSED, EXPOSED] - gram[0, EXPOSED] ** 2 / gram[0, 0])
    plain_cov = classical(fitted.bread, mu=fitted.mu, table=cells.table)
    df = fitted.rows - gram.shape[0]
    left = float(plain_cov[EXPOSED, EXPOSED] / fitted.bread[EXPOSED, EXPOSED]) * df
    if left <= NOTHING * float(cells.table["wyy"].sum()):
        raise DataError("the outcome follows from the covariates without error, so nothing is left for something unseen to explain")
    groups = []
    for name, span in _spans(plain):
        before = np.searchsorted(rest, span)
        groups.append((name, _partial(explained, inverse, span=before, left=inner), _partial(fitted.beta, fitted.bread, span=span, left=left)))
    return Linear(
        float(fitted.beta[EXPOSED]),
        sqrt(plain_cov[EXPOSED, EXPOSED]),
        sqrt(max(fitted.cov[EXPOSED, EXPOSED], 0.0)),
        df,
        t_quantile(fitted.clusters),
        1 - inner / whole,
        pl.DataFrame(groups, schema={"covariate": pl.String, "r2_exposure": pl.Float64, "r2_outcome": pl.Float64}, orient="row"),
    )


def _spans(terms: Terms) -> list[tuple[str, Codes]]:
    """The columns of each covariate, behind the constant and the exposure."""
    sizes = [len(levels) - 1 for levels in terms.factors.values()] + [1] * len(terms.numbers)
    starts = np.cumsum([EXPOSED + 1, *sizes])
    return [(name, np.arange(start, start + size)) for name, start, size in zip(terms.covariates, starts, sizes, strict=False)]


def _partial(beta: Floats, inverse: Floats, *, span: Codes, left: float) -> float:
    """Partial R2 of some columns: what would be left more without them, of all that would be left then."""
    more = float(beta[span] @ np.linalg.solve(inverse[np.ix_(span, span)], beta[span]))
    return more / (more + left) if more + left > 0 else 0.0


def benchmarks(model: Linear, *, times: Sequence[float] = (1.0, 2.0, 3.0)) -> pl.DataFrame:
    """What would be left of the difference if something unseen were as strong as each known covariate, twice as strong, three times.

    Returns
    -------
    pl.DataFrame
        `covariate`, `times`, `r2_exposure`, `r2_outcome` (of the unseen; shares of what is left to explain), `estimate`, `low`, `high` (95 %,
        null where nothing could be that strong, or clusters are too few), `capped` (it would explain all of the outcome); covariates in the order of the model.
    """
    rows: list[tuple[object, ...]] = []
    for name, exposed, outcome in model.groups.iter_rows():
        for factor in times:
            seen, heard = bound(r2_exposure=exposed, r2_outcome=outcome, times=factor)
            if seen == inf:
                rows.append((name, float(factor), None, None, None, None, None, True))
                continue
            value, se = without(model.estimate, model.se, df=model.df, r2_exposure=seen, r2_outcome=heard)
            ends = (None, None) if model.threshold is None else (value - model.threshold * se, value + model.threshold * se)
            rows.append((name, float(factor), seen, heard, value, *ends, heard >= 1))
    return pl.DataFrame(rows, schema=BENCHMARKS, orient="row")


def misread(ppv: tuple[float, float, float], npv: tuple[float, float, float]) -> tuple[float, float, float]:
    """How much of a true difference a misread exposure shows: PPV + NPV - 1, with its 95 % interval.

    If how the exposure is misread has nothing to do with the outcome, the difference seen is the true one times this factor.

    Parameters
    ----------
    ppv, npv
        Share of the exposed (of the unexposed) that truly are: value, low, high.

    References
    ----------
    Copeland, Checkoway, McMichael and Holbrook (1977), American J. Epidemiology 105, 488-495; Zou and Donner (2008), Statistics in Medicine 27,
    1693-1702 (interval of a sum from those of its parts).

    Examples
    --------
    >>> factor, low, high = misread((0.9, 0.88, 0.92), (0.7262, 0.70, 0.75))
    >>> round(factor, 4), round(0.4148 * factor, 4)
    (0.6262, 0.2597)
    """
    value = ppv[0] + npv[0] - 1
    down = sqrt((ppv[0] - ppv[1]) ** 2 + (npv[0] - npv[1]) ** 2)
    up = sqrt((ppv[2] - ppv[0]) ** 2 + (npv[2] - npv[0]) ** 2)
    return value, max(value - down, -1.0), min(value + up, 1.0)


def mended(difference: tuple[float, float, float], factor: tuple[float, float, float]) -> tuple[float, float, float] | None:
    """The difference divided by that factor, with an interval that respects both; None where the factor may be nothing.

    References
    ----------
    Donner and Zou (2012), Statistical Methods in Medical Research 21, 347-359 (interval of a ratio from those of its parts).

    Examples
    --------
    >>> [round(part, 3) for part in mended((0.26, 0.24, 0.28), (0.65, 0.60, 0.70))]
    [0.4, 0.359, 0.446]
    """
    top, top_low, top_high = difference
    under, under_low, under_high = factor
    if under_low <= 0:
        return None
    both = top * under
    widest, narrowest = under_high * (2 * under - under_high), under_low * (2 * under - under_low)
    low = (both - sqrt(max(both**2 - top_low * (2 * top - top_low) * widest, 0.0))) / widest
    high = (both + sqrt(max(both**2 - top_high * (2 * top - top_high) * narrowest, 0.0))) / narrowest
    return top / under, low, high
