"""Do the covariates tell some answers apart without error, so that a logit has no estimate?

If all answers of some level are alike, the best coefficient is endless, and a number printed all the same is an accident of when the search
stopped. It is found before fitting, and the levels that do it are named.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from fcrlib.fits.design import Terms
from fcrlib.model.errors import DataError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

NOTHING = 1e-7


def separating(table: pl.DataFrame, *, terms: Terms) -> tuple[str, ...]:
    """The columns of the design along which answers are told apart without error; none where a logit has an estimate.

    Cells with answers of both kinds hold every direction that moves them. Only in what they leave free can there be separation, and a linear
    programme says whether there is.

    Parameters
    ----------
    table
        One row per cell: the columns of `terms`, `w` (sum of weights), `wy` (of weight times outcome, 0 or 1).

    References
    ----------
    Albert and Anderson (1984), Biometrika 71, 1-10; Konis (2007), Linear Programming Algorithms for Detecting Separated Data in Binary Logistic
    Regression Models, DPhil thesis, Oxford, section 3.

    Examples
    --------
    >>> table = pl.DataFrame({"fcr": [True, True, False, False], "tier": list("abab"), "w": [9.0, 4.0, 9.0, 5.0], "wy": [6.0, 4.0, 3.0, 5.0]})
    >>> separating(table, terms=Terms("fcr", factors={"tier": ("a", "b")}))
    ('tier: b',)
    """
    weighed = table.filter(pl.col("w") > 0)
    design = terms.matrix(weighed)
    share = (weighed["wy"] / weighed["w"]).to_numpy()
    both = (share > 0) & (share < 1)
    free = _free(design[both])
    if not free.shape[1] or both.all():
        return ()
    towards = (design[~both] @ free) * np.where(share[~both] > 0.5, 1.0, -1.0)[:, None]
    way = free @ _apart(towards)
    return tuple(name for name, step in zip(terms.names[1:], way[1:], strict=True) if abs(step) > NOTHING)


def refuse(table: pl.DataFrame, *, terms: Terms) -> None:
    """Refuse cells of which a logit has no estimate.

    Raises
    ------
    DataError
        Naming the levels.
    """
    named = separating(table, terms=terms)
    if named:
        told = "; ".join(named[:5]) + (f" and {len(named) - 5} more" if len(named) > 5 else "")
        raise DataError(
            f"all answers along {len(named)} of {len(terms.names) - 1} columns are alike ({told}), so the difference has no estimate: "
            "merge these levels with others, or leave the covariate out"
        )


def _free(design: Floats) -> Floats:
    """Directions in which no row of the design moves, one per column."""
    size = design.shape[1]
    if not design.shape[0]:
        return np.eye(size)
    values, vectors = np.linalg.eigh(design.T @ design)
    return np.asarray(vectors[:, values <= 1e-9 * max(float(values[-1]), 1.0)], dtype=np.float64)


def _apart(towards: Floats) -> Floats:
    """Where to go so that every row moves to its own side or not at all, and some do; nothing where there is no such way."""
    from scipy.optimize import linprog

    rows = towards[np.abs(towards).max(axis=1) > NOTHING]
    if not rows.size:
        return np.zeros(towards.shape[1])
    found = linprog(-rows.sum(axis=0), A_ub=-rows, b_ub=np.zeros(rows.shape[0]), bounds=(-1, 1), method="highs")
    return np.asarray(found.x, dtype=np.float64) if found.status == 0 and -found.fun > NOTHING else np.zeros(towards.shape[1])
