"""What slope do teams and months show, where single contacts are not looked at?

Published slopes of satisfaction on first contact resolution come from averages of firms or industries. Whatever moves both averages of a group at
once is in such a slope, so it may be steeper than any difference between contacts; it is told beside that, never instead of it.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import polars as pl

from fcrlib.model.columns import known
from fcrlib.model.errors import DataError

AT_LEAST = 30


def groups(
    frame: pl.DataFrame, *, outcome: str, exposure: str, group: Sequence[str] = ("team", "month"), weight: str | None = None, at_least: int = AT_LEAST
) -> pl.DataFrame:
    """Averages of each group with enough answers.

    Parameters
    ----------
    frame
        One row per case, answered or not: `outcome` (null where there is no answer), `exposure` (yes/no) and the columns of `group`.

    Returns
    -------
    pl.DataFrame
        The columns of `group`, `n` (answers), `exposed` (share of the cases whose exposure is known), `outcome` (mean of the answers); sorted. Groups
        of which a column is not known are left out.
    """
    numbers = [name for name in (outcome, weight) if name and (name not in frame.columns or frame[name].dtype not in (pl.Boolean, pl.Null))]
    known(frame, [outcome, exposure, *group, *([weight] if weight else [])], yes_no=[exposure], numbers=numbers)
    cases = frame.select(*group, x=pl.col(exposure).cast(pl.Float64), y=pl.col(outcome).cast(pl.Float64), w=pl.col(weight) if weight else pl.lit(1.0))
    cases = cases.drop_nulls([*group, "x"]).sort(*group, "y", "w")
    answer = pl.col("y").is_not_null() & pl.col("w").is_not_null()
    w = pl.col("w").filter(answer)
    means = cases.group_by(list(group), maintain_order=True).agg(
        n=answer.sum().cast(pl.Int64), exposed=pl.col("x").mean(), outcome=(w * pl.col("y").filter(answer)).sum() / w.sum()
    )
    return means.filter(pl.col("n") >= at_least).sort(list(group))


def slope(means: pl.DataFrame) -> pl.DataFrame:
    """Straight line through the averages, each weighed by its answers.

    Parameters
    ----------
    means
        `exposed`, `outcome`, `n`, as `groups` has them.

    Returns
    -------
    pl.DataFrame
        One row: `slope` (outcome per exposed, so points per point), `se`, `low`, `high` (95 %), `r2`, `groups`, `n` (answers).

    Raises
    ------
    DataError
        If there are fewer than three groups, or all have the same share exposed.

    References
    ----------
    Robinson (1950), American Sociological Review 15, 351-357 (why such a slope says nothing about single cases).

    Examples
    --------
    >>> means = pl.DataFrame({"exposed": [0.6, 0.7, 0.8], "outcome": [0.7, 0.74, 0.79], "n": [100, 100, 100]})
    >>> slope(means).select(pl.col("slope", "se").round(3)).row(0)
    (0.45, 0.029)
    """
    from statsmodels.regression.linear_model import WLS

    if means.height < 3 or means["exposed"].n_unique() < 2:
        raise DataError(f"a line through averages needs three groups that differ, but {means.height} have enough answers")
    x, y, n = (means[name].cast(pl.Float64).to_numpy() for name in ("exposed", "outcome", "n"))
    fitted = WLS(y, np.column_stack([np.ones_like(x), x]), weights=n).fit()
    low, high = fitted.conf_int()[1]
    told = {
        "slope": fitted.params[1],
        "se": fitted.bse[1],
        "low": low,
        "high": high,
        "r2": fitted.rsquared,
        "groups": means.height,
        "n": int(n.sum()),
    }
    return pl.DataFrame([told])
