"""How large would the difference be if everybody had been exposed, and if nobody had?

A coefficient of a logit is no difference of shares, and it depends on what else is in the model. So the model is asked twice about the same
people, once as if all were exposed and once as if none were, and the two answers are averaged over all of them (g-computation).
"""

from __future__ import annotations

from dataclasses import dataclass
from math import exp, log, sqrt
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from fcrlib.fits.regression import Fit, expected, slope
from fcrlib.fits.sandwich import t_quantile

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Estimate:
    """A number with its standard error and its 95 % interval; without the interval where the clusters are too few to say."""

    value: float
    se: float | None = None
    low: float | None = None
    high: float | None = None

    @property
    def is_clear(self) -> bool:
        """Does the interval leave out zero?"""
        return self.low is not None and self.high is not None and (self.low > 0 or self.high < 0)


@dataclass(frozen=True, slots=True)
class Standardised:
    """Expected outcomes of the same people under each exposure.

    Parameters
    ----------
    levels
        The exposures, the reference first (L).
    shares
        Expected outcome under each (L,).
    gradient
        How each moves with the coefficients (L, K).
    cov
        Covariance of the coefficients (K, K).
    clusters
        How many clusters the covariance rests on.
    size
        How many people were averaged over.
    """

    levels: tuple[str | bool, ...]
    shares: Floats
    gradient: Floats
    cov: Floats
    clusters: int
    size: int

    def share(self, place: int) -> Estimate:
        """The expected outcome under one exposure."""
        return told(float(self.shares[place]), self.gradient[place], cov=self.cov, clusters=self.clusters)

    def difference(self, place: int = 1, *, to: int = 0) -> Estimate:
        """The difference of two exposures."""
        gradient = self.gradient[place] - self.gradient[to]
        return told(float(self.shares[place] - self.shares[to]), gradient, cov=self.cov, clusters=self.clusters)

    def ratio(self, place: int = 1, *, to: int = 0) -> Estimate | None:
        """The ratio of two exposures, its interval from that of the logarithm; None where one of them is not above zero."""
        one, other = float(self.shares[place]), float(self.shares[to])
        if one <= 0 or other <= 0:
            return None
        gradient = self.gradient[place] / one - self.gradient[to] / other
        return raised(told(log(one / other), gradient, cov=self.cov, clusters=self.clusters))

    def step(self, weights: Floats) -> Estimate:
        """Slope of a straight line through the outcomes of all exposures, each weighed."""
        places = np.arange(len(self.levels), dtype=np.float64)
        apart = weights * (places - weights @ places / weights.sum())
        pull = apart / (apart @ places)
        return told(float(pull @ self.shares), pull @ self.gradient, cov=self.cov, clusters=self.clusters)


def standardise(fit: Fit, everybody: pl.DataFrame) -> Standardised:
    """Average what a model expects of everybody under each exposure.

    Parameters
    ----------
    everybody
        The covariates of the model and `size` (how many people have them).

    References
    ----------
    Robins (1986), Mathematical Modelling 7, 1393-1512; Greene, Econometric Analysis, 7th ed., section 17.3.2 (delta method for average partial effects).

    Examples
    --------
    >>> from fcrlib.fits.cells import gather
    >>> from fcrlib.fits.design import code
    >>> from fcrlib.fits.regression import fit
    >>> frame = pl.DataFrame({"good": [1, 1, 1, 0] * 10 + [1, 0, 0, 0] * 10, "fcr": [True] * 40 + [False] * 40})
    >>> coded = code(frame, outcome="good", exposure="fcr")
    >>> cells = gather(coded)
    >>> standardise(fit(cells, coded.terms), cells.everybody).shares.round(4).tolist()
    [0.25, 0.75]
    """
    size = everybody["size"].to_numpy().astype(np.float64)
    parts = [_under(fit, everybody, level, size) for level in fit.terms.exposures]
    shares, gradient = np.array([part[0] for part in parts]), np.array([part[1] for part in parts])
    return Standardised(fit.terms.exposures, shares, gradient, fit.cov, fit.clusters, int(size.sum()))


def by_level(everybody: pl.DataFrame, *, by: str) -> dict[str, pl.DataFrame]:
    """Everybody, one frame per level of a covariate, by name."""
    levels = everybody[by].cast(pl.String)
    return {level: everybody.filter(levels == level) for level in levels.unique().sort()}


def log_odds(fit: Fit, everybody: pl.DataFrame) -> Estimate:
    """The average difference of log odds between exposed and not; the coefficient itself where it is the same for everybody."""
    size = everybody["size"].to_numpy().astype(np.float64)
    without, exposed = (fit.terms.sparse(_exposed(fit, everybody, level)) for level in fit.terms.exposures[:2])
    gradient = np.asarray((exposed - without).T @ size) / size.sum()
    return told(float(gradient @ fit.beta), gradient, cov=fit.cov, clusters=fit.clusters)


def differ(groups: list[Standardised]) -> float | None:
    """How often chance alone would set the differences of several groups as far apart as they are (Wald's F); None for a single group.

    References
    ----------
    Wooldridge (2010), Econometric Analysis of Cross Section and Panel Data, 2nd ed., section 4.2.3 (Wald test with cluster covariance).
    """
    from scipy.special import fdtrc

    if len(groups) < 2 or t_quantile(groups[0].clusters) is None:
        return None
    values = np.array([group.shares[1] - group.shares[0] for group in groups])
    gradient = np.array([group.gradient[1] - group.gradient[0] for group in groups])
    apart, moves = values[1:] - values[0], gradient[1:] - gradient[0]
    spread = moves @ groups[0].cov @ moves.T
    if np.linalg.matrix_rank(spread, hermitian=True) < apart.size:
        return None
    statistic = float(apart @ np.linalg.solve(spread, apart)) / apart.size
    return float(fdtrc(apart.size, groups[0].clusters - 1, max(statistic, 0.0)))


def told(value: float, gradient: Floats, *, cov: Floats, clusters: int) -> Estimate:
    """A function of the coefficients with the interval that the delta method gives it."""
    variance, t = float(gradient @ cov @ gradient), t_quantile(clusters)
    if not variance >= 0:
        return Estimate(value)
    se = sqrt(variance)
    return Estimate(value, se) if t is None else Estimate(value, se, value - t * se, value + t * se)


def raised(logarithm: Estimate) -> Estimate:
    """The number of which an estimate is the logarithm."""
    low, high = (None if end is None else exp(end) for end in (logarithm.low, logarithm.high))
    middle = exp(logarithm.value)
    return Estimate(middle, None if logarithm.se is None else middle * logarithm.se, low, high)


def _exposed(fit: Fit, everybody: pl.DataFrame, level: str | bool) -> pl.DataFrame:
    return everybody.with_columns(pl.lit(level).alias(fit.terms.exposure))


def _under(fit: Fit, everybody: pl.DataFrame, level: str | bool, size: Floats) -> tuple[float, Floats]:
    """The expected outcome of everybody under one exposure, and how it moves with the coefficients."""
    design = fit.terms.sparse(_exposed(fit, everybody, level))
    mu = expected(design @ fit.beta, kind=fit.kind)
    return float(size @ mu / size.sum()), np.asarray(design.T @ (size * slope(mu, kind=fit.kind))) / size.sum()
