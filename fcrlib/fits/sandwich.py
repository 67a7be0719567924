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
BLOCK = 20_000
"""Clusters whose scores are held at a time."""


def residuals(mu: Floats, *, sums: pl.DataFrame, way: str = "g") -> Any:
    """What is left of the outcomes of each cluster in each cell, a sparse matrix (clusters, cells); times the design, it is the score.

    Parameters
    ----------
    mu
        Expected outcome per cell.
    sums
        `cell`, `w`, `wy` and the clusters' numbers `way`, from 0 on without gaps.
    """
    from scipy import sparse

    cell, codes = sums["cell"].to_numpy(), sums[way].to_numpy()
    rest = sums["wy"].to_numpy() - sums["w"].to_numpy() * mu[cell]
    return sparse.csr_array((rest, (codes, cell)), shape=(int(codes.max()) + 1, len(mu)))


def covariance(X: Floats, *, mu: Floats, sums: pl.DataFrame, bread: Floats) -> tuple[Floats, int]:  # noqa: N803
    """Cluster covariance of the coefficients, and the number of clusters (of the way that has fewer).

    With two ways of clustering, the two covariances less that of their crossing.

    Parameters
    ----------
    X
        The design, one row per cell.
    bread
        Inverse of the information, (columns, columns).

    References
    ----------
    Liang and Zeger (1986), Biometrika 73, 13-22; Cameron, Gelbach and Miller (2011), Journal of Business & Economic Statistics 29, 238-249.
    The factor is G/(G-1) (N-1)/(N-K).
    """
    rows = int(sums["n"].sum())

    def one(table: pl.DataFrame, way: str) -> tuple[Floats, int]:
        rest = residuals(mu, sums=table, way=way)
        return sandwich(bread, _meat(rest, X), groups=rest.shape[0], rows=rows, columns=X.shape[1]), rest.shape[0]

    first, clusters = one(sums, "g")
    if "h" not in sums.columns:
        return first, clusters
    second, others = one(sums, "h")
    crossed = sums.select(pair=pl.struct("g", "h").rank("dense").cast(pl.Int64) - 1, cell="cell", w="w", wy="wy")
    return first + second - one(crossed, "pair")[0], min(clusters, others)


def _meat(rest: Any, X: Floats) -> Floats:  # noqa: N803
    """Products of the scores, some clusters after the others: all scores at once would be the largest thing of the whole fit."""
    total = np.zeros((X.shape[1], X.shape[1]))
    for start in range(0, rest.shape[0], BLOCK):
        scores = np.asarray(rest[start : start + BLOCK] @ X)
        total += scores.T @ scores
    return total


def sandwich(bread: Floats, meat: Floats, *, groups: int, rows: int, columns: int) -> Floats:
    """Bread, meat, bread, with the factor for few clusters and few rows; not a number where there is one cluster or no row to spare.

    Examples
    --------
    >>> sandwich(np.array([[0.5]]), np.array([[2.0]]), groups=2, rows=2, columns=1).tolist()
    [[1.0]]
    """
    if groups < 2 or rows <= columns:
        return np.full_like(bread, np.nan)
    factor = groups / (groups - 1) * (rows - 1) / (rows - columns)
    return np.asarray(factor * (bread @ meat @ bread))


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
