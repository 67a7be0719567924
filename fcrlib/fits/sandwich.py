"""How sure is an estimate when rows of one cluster are not independent?

The residuals of a cluster add up over its cells, so its score does too: the cluster covariance needs the sums by cluster and cell, never the rows.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

FEW, TOO_FEW = 30, 10
"""Clusters below which the interval is said to be rough, and below which there is none."""


def scores(X: Floats, *, mu: Floats, sums: pl.DataFrame, way: str = "g") -> Floats:  # noqa: N803
    """What each cluster adds to the score, (clusters, columns).

    Parameters
    ----------
    X
        The design, one row per cell.
    mu
        Expected outcome per cell.
    sums
        `cell`, `w`, `wy` and the clusters' numbers `way`, from 0 on without gaps.
    """
    residuals = _residuals(mu, sums, sums[way].to_numpy(), cells=X.shape[0])
    return np.asarray(residuals @ X)


def covariance(X: Floats, *, mu: Floats, sums: pl.DataFrame, bread: Floats, first: Floats, columns: int | None = None) -> tuple[Floats, int]:  # noqa: N803
    """Cluster covariance of the coefficients, and the number of clusters (of the way that has fewer).

    With two ways of clustering, the two covariances less that of their crossing.

    Parameters
    ----------
    bread
        Inverse of the information, (columns, columns).
    first
        `scores` of the first way.
    columns
        How many coefficients were estimated, if more than those of `X`.

    References
    ----------
    Liang and Zeger (1986), Biometrika 73, 13-22; Cameron, Gelbach and Miller (2011), Journal of Business & Economic Statistics 29, 238-249.
    The factor is G/(G-1) (N-1)/(N-K).
    """
    rows, many = int(sums["n"].sum()), columns or X.shape[1]
    one = sandwich(bread, first, rows=rows, columns=many)
    if "h" not in sums.columns:
        return one, first.shape[0]
    second = scores(X, mu=mu, sums=sums, way="h")
    crossed = sums.select(pair=pl.struct("g", "h").rank("dense").cast(pl.Int64) - 1, cell="cell", w="w", wy="wy")
    both = scores(X, mu=mu, sums=crossed, way="pair")
    two, pair = (sandwich(bread, each, rows=rows, columns=many) for each in (second, both))
    return one + two - pair, min(first.shape[0], second.shape[0])


def sandwich(bread: Floats, scores: Floats, *, rows: int, columns: int) -> Floats:
    """Bread, meat, bread, with the factor for few clusters and few rows; not a number where there is one cluster or no row to spare.

    Examples
    --------
    >>> sandwich(np.array([[0.5]]), np.array([[1.0], [-1.0]]), rows=2, columns=1).tolist()
    [[1.0]]
    """
    groups = scores.shape[0]
    if groups < 2 or rows <= columns:
        return np.full_like(bread, np.nan)
    factor = groups / (groups - 1) * (rows - 1) / (rows - columns)
    return np.asarray(factor * (bread @ (scores.T @ scores) @ bread))


def classical(bread: Floats, *, mu: Floats, table: pl.DataFrame) -> Floats:
    """Covariance of a linear fit if rows were independent and equally spread; it needs the squares within the cells (`wyy`)."""
    w, wy, wyy = (table[name].to_numpy() for name in ("w", "wy", "wyy"))
    rest = float((wyy - 2 * wy * mu + w * mu**2).sum())
    return np.asarray(bread * rest / (int(table["n"].sum()) - bread.shape[0]))


def t_quantile(clusters: int) -> float | None:
    """Two-sided 95 % quantile of t with one degree of freedom less than there are clusters; None where they are too few to say.

    Examples
    --------
    >>> round(t_quantile(31), 4), t_quantile(9)
    (2.0423, None)
    """
    from scipy.special import stdtrit

    return None if clusters < TOO_FEW else float(stdtrit(clusters - 1, 0.975))


def _residuals(mu: Floats, sums: pl.DataFrame, codes: Any, *, cells: int) -> Any:
    from scipy import sparse

    cell = sums["cell"].to_numpy()
    rest = sums["wy"].to_numpy() - sums["w"].to_numpy() * mu[cell]
    return sparse.csr_array((rest, (codes, cell)), shape=(int(codes.max()) + 1, cells))
