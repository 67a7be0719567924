"""Does a difference hang on a few customers?"""

from __future__ import annotations

import numpy as np
import polars as pl

from fcrlib.fits.cells import Cells
from fcrlib.fits.contrast import standardise
from fcrlib.fits.regression import Fit
from fcrlib.fits.sandwich import residuals
from fcrlib.model.columns import NOT_KNOWN
from fcrlib.model.errors import UsageError

MOST = 10
TOGETHER = "all of these together"
SCHEMA = {"cluster": pl.String, "n": pl.Int64, "moves": pl.Float64, "estimate": pl.Float64}


def influential(fit: Fit, cells: Cells, *, most: int = MOST) -> pl.DataFrame:
    """The clusters without which the standardised difference would move most, and where it would be.

    Without a cluster the coefficients move by the inverse information times its score, to first order: nothing is fitted again.

    Parameters
    ----------
    most
        How many clusters to list.

    Returns
    -------
    pl.DataFrame
        `cluster` (its name), `n` (answers), `moves` (the difference without it less the difference with it, 0..1), `estimate` (the difference
        without it); the one that moves it most first, then a row for all of these together.

    References
    ----------
    Pregibon (1981), Annals of Statistics 9, 705-724 (one-step deletion in a logit).

    Examples
    --------
    >>> from fcrlib.fits.cells import gather
    >>> from fcrlib.fits.design import code
    >>> from fcrlib.fits.regression import fit
    >>> frame = pl.DataFrame({"good": [1, 1, 1, 0] * 10 + [1, 0, 0, 0] * 10, "fcr": [True] * 40 + [False] * 40, "who": [f"c{n}" for n in range(80)]})
    >>> coded = code(frame, outcome="good", exposure="fcr", cluster="who")
    >>> cells = gather(coded)
    >>> influential(fit(cells, coded.terms), cells, most=1).select("cluster", "n", pl.col("moves").round(3)).row(0)
    ('c11', 1, 0.019)
    """
    if most < 1:
        raise UsageError(f"{most} clusters cannot be listed: ask for one or more")
    told = standardise(fit, cells.everybody)
    difference, gradient = float(told.shares[1] - told.shares[0]), told.gradient[1] - told.gradient[0]
    moves = -np.asarray(residuals(fit.mu, sums=cells.sums) @ (fit.X @ (fit.bread @ gradient)))
    frame = cells.members.select(cluster=pl.col("name").cast(pl.String).fill_null(NOT_KNOWN), n="n", moves=pl.Series(moves, dtype=pl.Float64))
    # Clusters that move it alike, as all do that answered once and alike, keep the order of their names.
    ranked = frame.sort(pl.col("moves").abs().round(12) * -1, maintain_order=True).head(most)
    together = ranked.select(cluster=pl.lit(TOGETHER), n=pl.col("n").sum(), moves=pl.col("moves").sum())
    return pl.concat([ranked, together]).with_columns(estimate=pl.col("moves") + difference).select(*SCHEMA)


def hangs_on(table: pl.DataFrame, *, estimate: float) -> bool:
    """Would half of the difference be gone, or its sign turn, without any one of the clusters listed, or without all of them?

    Examples
    --------
    >>> hangs_on(pl.DataFrame({"estimate": [0.31, 0.28]}), estimate=0.3), hangs_on(pl.DataFrame({"estimate": [0.31, 0.1]}), estimate=0.3)
    (False, True)
    """
    return bool((table["estimate"].to_numpy() * np.sign(estimate) < 0.5 * abs(estimate)).any())
