"""How far does each group lie from all others like it, and is that more than chance among so many groups?

Every group is held against all other contacts of the same stratum, the strata together. Many groups cost hardly more than one, which is what sets
this room apart from `standardised`, where one exposure is weighed with more care.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from fcrlib.model.columns import known

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    Codes = NDArray[np.int64]

BLOCK = 64  # groups whose sums per cluster are in memory at once


def contrasts(frame: pl.DataFrame, *, group: str, what: str, strata: Sequence[str] = (), cluster: str | None = "customer") -> pl.DataFrame:
    """Difference of a share between each group and all others of the same strata.

    A stratum counts for as much as it can say: n1 n0 / (n1 + n0) for n1 contacts of the group and n0 others. `p` rests on the error that chance
    makes if there is no difference, the interval on the larger of that and the error at the difference found; both are widened by the clusters.

    Parameters
    ----------
    frame
        One row per contact: `group` (null is a group of its own), `what` (yes/no; unknown ones are left out), `strata` (null is a value of its own)
        and `cluster` (null is a cluster of its own).

    Returns
    -------
    pl.DataFrame
        One row per group, sorted (null first), none without contacts: `group`, `n` contacts, `clusters`, `compared` (share of the group's contacts that have others in
        their stratum), `value` = difference of the shares, `low`, `high` (95 %), `p` (that it is above zero, one-sided). The last four are null
        where nothing can be compared, or where the group or the others are fewer than two clusters.

    Raises
    ------
    UsageError
        For columns that are not there.

    References
    ----------
    Greenland and Robins (1985), Biometrics 41, 55-68, section 2.2 (Mantel-Haenszel risk difference). Liang and Zeger (1986), Biometrika 73, 13-22,
    theorem 2 (errors by cluster).

    Examples
    --------
    >>> row = pl.int_range(2000)
    >>> frame = pl.select(topic=row % 4, failed=(row % 4 == 1) | (row % 5 == 0), channel=row % 3, customer=row % 500)
    >>> contrasts(frame, group="topic", what="failed", strata=["channel"]).select("n", pl.col("value").round(1)).rows()
    [(500, -0.3), (500, 0.8), (500, -0.3), (500, -0.3)]
    """
    asked(frame, [group, what, *strata, *([cluster] if cluster else [])], yes_no=[what])
    rows = frame.filter(pl.col(what).is_not_null())
    levels = rows.select(pl.col(group).unique().sort()).to_series()
    table = pl.DataFrame([levels.alias(group)])
    if rows.is_empty():
        return table.with_columns([pl.lit(None, dtype).alias(name) for name, dtype in _TOLD.items()])
    code = rows.select(pl.col(group).rank("dense").cast(pl.Int64) - (0 if levels.has_nulls() else 1)).to_series().fill_null(0).to_numpy()
    cell = rows.select(pl.struct(strata).rank("dense").cast(pl.Int64) - 1).to_series().to_numpy() if strata else np.zeros(rows.height, np.int64)
    told = _told(code, cell, cluster=_members(rows, cluster), y=rows[what].cast(pl.Float64).to_numpy(), size=levels.len())
    return pl.concat([table, told], how="horizontal")


def asked(frame: pl.DataFrame, columns: Sequence[str], *, yes_no: Sequence[str] = ()) -> None:
    """Refuse columns that are not there or not what they must be. No rows are no mistake: of no contacts, no topic is told.

    Raises
    ------
    UsageError
        With all problems at once.

    Examples
    --------
    >>> asked(pl.DataFrame(schema={"topic": pl.Int32}), ["topic"])
    """
    known(frame if frame.height else frame.clear(1), columns, yes_no=yes_no)


_TOLD = {"n": pl.Int64, "clusters": pl.Int64, **dict.fromkeys(("compared", "value", "low", "high", "p"), pl.Float64)}


def _members(rows: pl.DataFrame, cluster: str | None) -> Codes:
    if cluster is None:
        return np.arange(rows.height)
    alone = pl.int_range(pl.len()) + rows.height
    found = rows.select(pl.coalesce(pl.col(cluster).rank("dense").cast(pl.Int64) - 1, alone)).to_series().to_numpy()
    return np.unique(found, return_inverse=True)[1].astype(np.int64)


def _told(code: Codes, cell: Codes, *, cluster: Codes, y: Floats, size: int) -> pl.DataFrame:
    from scipy.special import stdtr, stdtrit

    cells, people = int(cell.max()) + 1, int(cluster.max()) + 1
    n_cell = np.bincount(cell, minlength=cells).astype(float)
    usual = np.bincount(cell, weights=y, minlength=cells) / n_cell
    inside = np.bincount(cell * size + code, minlength=cells * size).reshape(cells, size).astype(float)
    part = inside / n_cell[:, None]
    n, weight = inside.sum(axis=0), (inside * (1 - part)).sum(axis=0)
    value = np.divide(np.bincount(code, weights=y - usual[cell], minlength=size), weight, out=np.zeros(size), where=weight > 0)
    grown, found = _spread(code, cell, cluster=cluster, rest=y - usual[cell], part=part, value=value)
    chance = ((inside * (1 - part)) * (usual * (1 - usual))[:, None]).sum(axis=0) * np.maximum(grown, 1)
    mine = _seen(cluster, code, people=people, size=size)
    told = (weight > 0) & (chance > 0) & (mine > 1)
    weight, free = np.where(told, weight, 1), np.maximum(mine - 1, 1).astype(float)
    p = stdtr(free, -value * weight / np.sqrt(np.where(told, chance, 1)))
    reach = stdtrit(free, 0.975) * np.sqrt(np.maximum(chance, found)) / weight
    figures = {"value": value, "low": np.maximum(value - reach, -1), "high": np.minimum(value + reach, 1), "p": p}
    table = pl.DataFrame({"n": n.astype(np.int64), "clusters": mine, "compared": (inside * (part < 1)).sum(axis=0) / n, **figures}, schema=_TOLD)
    return table.with_columns(pl.when(pl.Series(told)).then(pl.col(*figures)).name.keep())


def _seen(cluster: Codes, code: Codes, *, people: int, size: int) -> Codes:
    """How many clusters each group has."""
    pairs = np.unique(code * people + cluster)
    return np.bincount(pairs // people, minlength=size).astype(np.int64)


def _spread(code: Codes, cell: Codes, *, cluster: Codes, rest: Floats, part: Floats, value: Floats) -> tuple[Floats, Floats]:
    """How many times the clusters inflate the variance of each group's sum, and that variance at the difference found."""
    from scipy import sparse

    cells, size = part.shape
    people = int(cluster.max()) + 1
    scale = people / max(people - 1, 1)

    def summed(weight: Floats, column: Codes, width: int) -> Any:
        return sparse.csr_matrix((weight, (cluster, column)), shape=(people, width))

    by_cell, counted = summed(rest, cell, cells), summed(np.ones(len(rest)), cell, cells)
    own, tilt = summed(rest, code, size).tocsc(), summed(1 - 2 * part[cell, code], code, size).tocsc()
    square = np.bincount(cell, weights=rest**2, minlength=cells)
    alone = part.T**2 @ square + np.bincount(code, weights=rest**2 * (1 - 2 * part[cell, code]), minlength=size)
    grown, found = np.ones(size), np.zeros(size)
    for start in range(0, size, BLOCK):
        here = slice(start, start + BLOCK)
        null = own[:, here].toarray() - by_cell @ part[:, here]
        grown[here] = np.divide((null**2).sum(axis=0), alone[here], out=grown[here], where=alone[here] > 1e-12)
        at = null - value[here] * (counted @ part[:, here] ** 2 + tilt[:, here].toarray())
        found[here] = (at**2).sum(axis=0) * scale
    return grown * scale, found
