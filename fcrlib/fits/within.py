"""What is left of a difference when everybody is compared with themselves?

An agent's courtesy or a customer's mood that never changes is the same on both sides of a comparison within that agent or customer. Taking each
unit's own mean from outcome and covariates does that for a linear model, and leaves no coefficient per unit to be estimated.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from fcrlib.fits.cells import Cells
from fcrlib.fits.design import Terms
from fcrlib.fits.regression import Fit, own
from fcrlib.fits.sandwich import sandwich
from fcrlib.model.errors import DataError, UsageError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]


def fit(cells: Cells, terms: Terms) -> Fit:
    """Fit a linear model within units, with cluster covariance.

    Parameters
    ----------
    cells
        Cells gathered with a `unit`. Units with a single answer say nothing and are left out.

    Returns
    -------
    Fit
        Of kind `linear`. A covariate that never varies within a unit has coefficient and covariance 0. The constant is the mean of the units', and
        has no error: only differences are of use. `scores` are those of the clusters that have a unit with several answers. Units count among the
        coefficients unless each lies within one cluster.

    Raises
    ------
    DataError
        If the exposure never varies within a unit.

    References
    ----------
    Wooldridge (2010), Econometric Analysis of Cross Section and Panel Data, 2nd ed., section 10.5 (within transformation).

    Examples
    --------
    >>> from fcrlib.fits.cells import gather
    >>> from fcrlib.fits.design import code
    >>> frame = pl.DataFrame({"y": [1.0, 2.0, 5.0, 6.0, 9.0], "fcr": [False, True, False, True, True], "who": list("aabbc")})
    >>> coded = code(frame, outcome="y", exposure="fcr", kind="linear", cluster="who", unit="who")
    >>> found = fit(gather(coded), coded.terms)
    >>> found.beta.tolist(), found.rows
    ([3.0, 1.0], 4)
    """
    if "unit" not in cells.sums.columns or "h" in cells.sums.columns:
        raise UsageError("a model within units needs cells with a unit, and one column of clusters")
    sums = _several(cells.sums)
    cell, unit, w = (sums[name].to_numpy() for name in ("cell", "unit", "w"))
    X = terms.matrix(cells.table)  # noqa: N806
    mean, level = _means(X, sums)
    kept, bread, beta = _solved(X, sums, mean=mean, level=level, names=terms.names)
    own_level = level - mean @ beta
    rest = sums["wy"].to_numpy() - w * ((X @ beta)[cell] + own_level[unit])
    first = _held(rest, sums["g"], sums["cell"], columns=X.shape[0]) @ X - _held(rest, sums["g"], sums["unit"], columns=level.size) @ mean
    nested = sums.group_by("unit").agg(pl.col("g").n_unique())["g"].max() == 1
    rows = int(sums["n"].sum())
    cov = sandwich(bread, first.T @ first, groups=first.shape[0], rows=rows, columns=kept.size + (1 if nested else level.size))
    beta[0] = float(w @ own_level[unit] / w.sum())
    weight, outcome = (_per_cell(sums, name, cells=X.shape[0]) for name in ("w", "wy"))
    return Fit("linear", terms.names, beta, cov, bread, X, X @ beta, weight, outcome, rows, first.shape[0], terms)


def _several(sums: pl.DataFrame) -> pl.DataFrame:
    """The sums of units that have several answers and some weight, units and clusters numbered without gaps."""
    sums = sums.filter((pl.col("n").sum().over("unit") > 1) & (pl.col("w").sum().over("unit") > 0))
    if sums.is_empty():
        raise DataError("nobody answered twice, so nobody can be compared with themselves")
    return sums.with_columns(pl.col("unit", "g").rank("dense").cast(pl.Int64) - 1)


def _means(X: Floats, sums: pl.DataFrame) -> tuple[Floats, Floats]:  # noqa: N803
    """Weighted means per unit, of the covariates and of the outcome."""
    held = _held(sums["w"].to_numpy(), sums["unit"], sums["cell"], columns=X.shape[0])
    weight = np.asarray(held.sum(axis=1))
    return np.asarray(held @ X) / weight[:, None], np.bincount(sums["unit"].to_numpy(), weights=sums["wy"].to_numpy()) / weight


def _solved(X: Floats, sums: pl.DataFrame, *, mean: Floats, level: Floats, names: tuple[str, ...]) -> tuple[Any, Floats, Floats]:  # noqa: N803
    """Which columns vary within units, the inverse of their products, and the coefficients; both 0 for the other columns."""
    w, wy = (_per_cell(sums, name, cells=X.shape[0]) for name in ("w", "wy"))
    weight = np.bincount(sums["unit"].to_numpy(), weights=sums["w"].to_numpy())
    gram = (X * w[:, None]).T @ X - (mean * weight[:, None]).T @ mean
    kept = np.flatnonzero(own(gram, scale=np.asarray((X**2).T @ w)))
    if 1 not in kept:
        raise DataError(f"{names[1]!r} never varies within a unit, so nobody can be compared with themselves")
    bread, beta = np.zeros_like(gram), np.zeros(X.shape[1])
    bread[np.ix_(kept, kept)] = np.linalg.inv(gram[np.ix_(kept, kept)])
    beta[kept] = bread[np.ix_(kept, kept)] @ (X.T @ wy - mean.T @ (weight * level))[kept]
    return kept, bread, beta


def _per_cell(sums: pl.DataFrame, name: str, *, cells: int) -> Floats:
    return np.asarray(np.bincount(sums["cell"].to_numpy(), weights=sums[name].to_numpy(), minlength=cells), dtype=np.float64)


def _held(values: Floats, rows: pl.Series, cells: pl.Series, *, columns: int) -> Any:
    from scipy import sparse

    codes = rows.to_numpy()
    return sparse.csr_array((values, (codes, cells.to_numpy())), shape=(int(codes.max()) + 1, columns))
