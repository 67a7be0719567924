"""What do a logit and a linear model of cells say, exactly as if every row had been fitted?"""

from __future__ import annotations

import warnings
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import polars as pl

from fcrlib.fits.cells import Cells
from fcrlib.fits.design import Terms
from fcrlib.fits.odds import products
from fcrlib.fits.sandwich import covariance, t_quantile
from fcrlib.fits.separation import refuse
from fcrlib.model.errors import DataError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

ALIKE = 1e-10
"""A column of which less than this is left when the columns before it are taken out says nothing of its own."""
EDGE = 1e-9
"""Fitted shares nearer to 0 or 1 than this are those of a model that runs away."""
SETTLED, MOST_STEPS = 1e-11, 100
"""How little coefficients may still move, and after how many steps a model that does not settle is given up."""


@dataclass(frozen=True, slots=True)
class Fit:
    """A fitted model.

    Parameters
    ----------
    kind
        `logit` or `linear`.
    names
        What each of the K coefficients is called.
    beta, cov, bread
        Coefficients (K,), their cluster covariance (K, K), and the inverse of the information (K, K).
    X, mu, w, wy
        Per cell, in the order of `Cells.table`: design (C, K), expected outcome, weights, weighted outcome (C,).
    rows, clusters
        How many answers, and how many clusters (of the way that has fewer).
    terms
        What the columns mean.
    """

    kind: Literal["logit", "linear"]
    names: tuple[str, ...]
    beta: Floats
    cov: Floats
    bread: Floats
    X: Floats
    mu: Floats
    w: Floats
    wy: Floats
    rows: int
    clusters: int
    terms: Terms

    @property
    def columns(self) -> Callable[[pl.DataFrame], Floats]:
        """From a frame with the exposure and the covariates to its design matrix."""
        return self.terms.matrix

    @property
    def table(self) -> pl.DataFrame:
        """`term`, `estimate`, `se`, `low`, `high` (95 %, t with one degree of freedom less than clusters) of every coefficient."""
        se, t = np.sqrt(np.clip(np.diag(self.cov), 0, None)), t_quantile(self.clusters)
        frame = pl.DataFrame({"term": list(self.names), "estimate": self.beta, "se": se}).with_columns(pl.col("se").fill_nan(None))
        reach = pl.col("se") * pl.lit(t, pl.Float64)
        return frame.with_columns(low=pl.col("estimate") - reach, high=pl.col("estimate") + reach)


def fit(cells: Cells, terms: Terms, *, kind: Literal["logit", "linear"] = "logit") -> Fit:
    """Fit a logit or a linear model to cells, with cluster covariance.

    Raises
    ------
    DataError
        If a column says what others say already, or the answers are told apart without error, so that there is no estimate.

    References
    ----------
    McCullagh and Nelder (1989), Generalized Linear Models, 2nd ed., sections 2.5 and 4.4 (grouped and ungrouped answers have the same estimates).

    Examples
    --------
    >>> from fcrlib.fits.cells import gather
    >>> from fcrlib.fits.design import code
    >>> frame = pl.DataFrame({"good": [1, 1, 1, 0] * 10 + [1, 0, 0, 0] * 10, "fcr": [True] * 40 + [False] * 40})
    >>> coded = code(frame, outcome="good", exposure="fcr")
    >>> fit(gather(coded), coded.terms).table.select("term", pl.col("estimate").round(4)).rows()
    [('(constant)', -1.0986), ('fcr', 2.1972)]
    """
    design = terms.sparse(cells.table)
    w, wy = (cells.table[name].to_numpy() for name in ("w", "wy"))
    independent(design, weight=w, names=terms.names)
    X = np.asarray(design.toarray(), dtype=np.float64)  # noqa: N806
    beta = _logit(X, w, wy, table=cells.table, terms=terms) if kind == "logit" else _linear(X, w, wy)
    mu = expected(X @ beta, kind=kind)
    bread = _inverse(products(design, weight=w * slope(mu, kind=kind)))
    cov, clusters = covariance(X, mu=mu, sums=cells.sums, bread=bread)
    return Fit(kind, terms.names, beta, cov, bread, X, mu, w, wy, cells.rows, clusters, terms)


def expected(line: Floats, *, kind: str) -> Floats:
    """Outcome expected at a value of the linear predictor."""
    from scipy.special import expit

    return np.asarray(expit(line) if kind == "logit" else line)


def slope(mu: Floats, *, kind: str) -> Floats:
    """How much the expected outcome moves with the linear predictor."""
    return np.asarray(mu * (1 - mu) if kind == "logit" else np.ones_like(mu))


def independent(design: Any, *, weight: Floats, names: tuple[str, ...]) -> None:
    """Refuse a design of which a column follows from those before it."""
    gram = products(design, weight=weight)
    alike = [name for name, kept in zip(names, own(gram, scale=np.diag(gram)), strict=True) if not kept]
    if alike:
        told = "; ".join(alike[:5]) + (f" and {len(alike) - 5} more" if len(alike) > 5 else "")
        what = f"{len(alike)} of {len(names)} columns follow from the others ({told})"
        raise DataError(f"{what}: leave out one of the covariates that say the same")


def own(gram: Floats, *, scale: Floats) -> list[bool]:
    """Which columns say something that those before them do not, from their products (K, K); what is small against its `scale` (K,) is nothing."""
    size = np.sqrt(np.where(scale > 0, scale, 1.0))
    rest, kept = gram / np.outer(size, size), []
    for place in range(rest.shape[0]):
        left = rest[place, place]
        kept.append(bool(left > ALIKE))
        if kept[-1]:
            rest = rest - np.outer(rest[:, place], rest[place]) / left
    return kept


def logit_shares(design: Any, *, w: Floats, wy: Floats) -> Floats | None:
    """Share expected in each row of a design by a logit; None where some share is all but certain, so that the logit has no end.

    Columns that follow from those before them are of no account.

    Parameters
    ----------
    design
        Sparse matrix (C, K), its first column ones.
    w, wy
        Weights and weighted outcome, (C,).
    """
    gram = products(design, weight=w)
    kept = np.asarray(design[:, np.flatnonzero(own(gram, scale=np.diag(gram)))].toarray(), dtype=np.float64)
    at = _summit(kept, w, wy)
    mu = None if at is None else expected(kept @ at, kind="logit")
    return None if mu is None or _is_certain(mu) else mu


def _logit(X: Floats, w: Floats, wy: Floats, *, table: pl.DataFrame, terms: Terms) -> Floats:  # noqa: N803
    at = _summit(X, w, wy)
    if at is None or _is_certain(expected(X @ at, kind="logit")):
        refuse(table, terms=terms)
    if at is None:
        raise DataError("the logit does not settle: some shares are all but certain; leave out a covariate, or merge its rare levels")
    return at


def _is_certain(mu: Floats) -> bool:
    return bool(mu.min() < EDGE or mu.max() > 1 - EDGE)


def _summit(X: Floats, w: Floats, wy: Floats) -> Floats | None:  # noqa: N803
    """Maximum likelihood, or None where the likelihood has no summit."""
    from statsmodels.genmod.families import Binomial
    from statsmodels.genmod.generalized_linear_model import GLM

    held = w > 0
    # In units of their largest value, so that a column counted in seconds settles as soon as one counted in days.
    unit = np.abs(X[held]).max(axis=0)
    X = X[held] / unit  # noqa: N806
    with warnings.catch_warnings():
        # It warns of every model that meets its cells exactly, as few cells always are, and of shares that run away; both are looked at by the caller.
        warnings.simplefilter("ignore")
        # Told that there is a constant, it does not look for one, which costs as much as two steps.
        model = GLM(wy[held] / w[held], X, family=Binomial(), var_weights=w[held] / w[held].mean(), hasconst=True)
        start = np.zeros(X.shape[1])
        start[0] = np.log(wy.sum() / (w.sum() - wy.sum()))
        found = model.fit(method="newton", start_params=start, maxiter=MOST_STEPS, tol=SETTLED, disp=0)
        settled = found.mle_retvals["converged"] and np.isfinite(found.params).all()
        if not settled:
            # Newton's steps are four times as quick as those of least squares, but may overshoot where shares are all but certain.
            found = model.fit(maxiter=MOST_STEPS, tol=SETTLED, rtol=SETTLED, tol_criterion="params")
            settled = found.converged and np.isfinite(found.params).all()
    return np.asarray(found.params / unit, dtype=np.float64) if settled else None


def _linear(X: Floats, w: Floats, wy: Floats) -> Floats:  # noqa: N803
    """Least squares."""
    from statsmodels.regression.linear_model import WLS

    held = w > 0
    unit = np.abs(X[held]).max(axis=0)
    found = WLS(wy[held] / w[held], X[held] / unit, weights=w[held], hasconst=True).fit()
    return np.asarray(found.params / unit, dtype=np.float64)


def _inverse(gram: Floats) -> Floats:
    """Inverse of the products of columns, whatever the units of the columns."""
    size = np.sqrt(np.diag(gram))
    return np.asarray(np.linalg.inv(gram / np.outer(size, size)) / np.outer(size, size), dtype=np.float64)
