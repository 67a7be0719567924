"""How much more often do these contacts fail than alike ones?

Contacts that were handled in some way are often the harder ones: of other categories, teams and tiers. They are compared with the other contacts
weighted to the same mix, so that what is left is not the mix. Harder in ways that no dimension shows they may still be, which is what the
E-value is about.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations
from math import exp, inf, log, nan, sqrt
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from fcrlib.judge.intervals import MIN_CONTACTS, MIN_CUSTOMERS
from fcrlib.model.columns import known
from fcrlib.model.errors import UsageError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    Codes = NDArray[np.int64]

SCHEMA = {
    "exposure": pl.String, "n_exposed": pl.Int64, "n_compared": pl.Int64, "share_exposed": pl.Float64, "risk_exposed": pl.Float64,
    "risk_alike": pl.Float64, "difference": pl.Float64, "low": pl.Float64, "high": pl.Float64, "attributable": pl.Float64,
    "attributable_low": pl.Float64, "attributable_high": pl.Float64, "e_value": pl.Float64, "e_value_limit": pl.Float64, "overlap": pl.Float64,
    "too_few": pl.Boolean,
}  # fmt: skip
FEWEST = 5  # unexposed contacts that every value of an exposed contact must have, for it to have alike ones
MOST_VALUES = 300
MOST_ODDS = 19.0  # where more than 95 in 100 are exposed, the few others would have to stand for too many
RIDGE = 0.5  # contacts; keeps the effect of a rare value finite
PAIR_BALANCE, PAIR_BASELINE = 4.0, 20.0  # pairs of values are believed to matter less: log odds of about 0.5, shares of about 10 points
PAIR_LEAST, PAIR_MOST = 10, 300  # contacts on both sides for a pair to be balanced; pairs at most


@dataclass(frozen=True, slots=True)
class Cells:
    """Contacts by combination of the dimensions' values.

    Parameters
    ----------
    cell, cluster, y
        Per contact: its combination, its customer (a number each; who is not known is somebody of their own), 1.0 where it failed.
    design
        One row per combination: a one, then one column per value of each dimension but its first (sparse).
    pairs
        One row per combination, one column per pair of values of two dimensions (sparse).
    levels
        Per dimension: the number of its value in each combination.
    """

    cell: Codes
    cluster: Codes
    y: Floats
    design: Any
    pairs: Any
    levels: list[Codes]


@dataclass(frozen=True, slots=True)
class Terms:
    """What is balanced and what the baseline is made of: a column each (sparse), with how strongly it is held at nothing in either."""

    columns: Any
    balance: Floats
    baseline: Floats


def risk_difference(frame: pl.DataFrame, *, exposed: str, failed: str, dims: Sequence[str], cluster: str | None = None) -> pl.DataFrame:
    """The one row of `risk_differences` for one exposure.

    Examples
    --------
    >>> row = pl.int_range(4000)
    >>> phone, moved = row % 2 == 1, row % 8 < 2 + (row % 2) * 4
    >>> hard, bad = pl.when(phone).then(0.5).otherwise(0.2), pl.when(moved).then(0.1).otherwise(0.0)
    >>> frame = pl.select(
    ...     channel=pl.when(phone).then(pl.lit("phone")).otherwise(pl.lit("chat")), moved=moved, failed=(row * 7919 % 1000) / 1000 < hard + bad
    ... )
    >>> found = risk_difference(frame, exposed="moved", failed="failed", dims=["channel"])
    >>> found.select("n_exposed", pl.col("difference").round(1), pl.col("overlap")).row(0)
    (2000, 0.1, 1.0)
    """
    return risk_differences(frame, exposures=[exposed], failed=failed, dims=dims, cluster=cluster)


def risk_differences(frame: pl.DataFrame, *, exposures: Sequence[str], failed: str, dims: Sequence[str], cluster: str | None = None) -> pl.DataFrame:
    """How much more often exposed contacts fail than alike contacts that are not exposed, one exposure after the other.

    The contacts without it are weighted so that every value of every dimension, and loosely every pair of values, is as frequent among them as
    among the exposed (entropy balancing). What is still uneven is mended by a baseline of failures: additive over the dimensions, shrunken pairs,
    and the combination itself where it is rich. That is sound if either the weights or the baseline are right.

    Parameters
    ----------
    frame
        One row per contact: the yes/no columns `failed` (unknown ones are left out) and `exposures` (null: neither exposed nor compared), the
        columns of `dims` (null is a value of its own) and `cluster`.
    dims
        What alike contacts have in common; nothing that the exposure may have changed.
    cluster
        Column whose rows belong together, usually the customer; a null is a cluster of its own.

    Returns
    -------
    pl.DataFrame
        One row per exposure, in the order given: `exposure`, `n_exposed`, `n_compared` (contacts without it), `share_exposed` (of both),
        `risk_exposed`, `risk_alike` (shares failed), `difference` with `low`, `high` (95 %, by cluster), `attributable` (failures beyond those of
        alike contacts, among the exposed that have alike ones) with `attributable_low`, `attributable_high`, `e_value` and `e_value_limit` (how
        strongly something unseen would have to go with both the exposure and the failure, as a ratio, to explain the ratio of the two risks, or
        its limit nearest to 1), `overlap` (share of the exposed that have alike contacts; the risks are theirs), `too_few`. Where fewer than 30
        contacts or 10 clusters are on one side, all that is estimated is null.

    Raises
    ------
    UsageError
        For columns that are not there, or a dimension with more than 300 values.
    DataError
        If there are no rows.

    References
    ----------
    Hainmueller (2012), Political Analysis 20, 25-46 (entropy balancing); Zhao and Percival (2017), J. Causal Inference 5(1), section 3 (it is
    doubly robust). Robins, Rotnitzky and Zhao (1994), JASA 89, 846-866 (augmentation). Zou and Donner (2008), Statistics in Medicine 27,
    1693-1702 (interval of a difference from those of its parts). VanderWeele and Ding (2017), Annals of Internal Medicine 167, 268-274 (E-value).
    """
    known(frame, [*exposures, failed, *dims, *([cluster] if cluster else [])])
    rows = frame.filter(pl.col(failed).is_not_null())
    many = {dim: values for dim in dims if (values := rows[dim].n_unique()) > MOST_VALUES}
    if many:
        lines = [
            f"{dim!r} has {values:,} values, at most {MOST_VALUES} can be compared: keep the largest and lump the rest"
            for dim, values in many.items()
        ]
        raise UsageError("alike contacts cannot be found among so many values", lines)
    cells = _cells(rows, failed=failed, dims=dims, cluster=cluster)
    found = [_row(cells, name, rows[name]) for name in exposures]
    return pl.DataFrame(found, schema=SCHEMA)


def e_value(ratio: float) -> float:
    """The E-value of a ratio of risks.

    References
    ----------
    VanderWeele and Ding (2017), Annals of Internal Medicine 167, 268-274, table 2; the first ratio is their example.

    Examples
    --------
    >>> round(e_value(3.9), 2), round(e_value(1 / 3.9), 2), e_value(1.0)
    (7.26, 7.26, 1.0)
    """
    if not ratio > 0:
        return inf if ratio == 0 else nan
    above = max(ratio, 1 / ratio)
    return above + sqrt(above * (above - 1))


def _cells(rows: pl.DataFrame, *, failed: str, dims: Sequence[str], cluster: str | None) -> Cells:
    from scipy import sparse

    numbers = [pl.col(dim).cast(pl.String).rank("dense").fill_null(0).cast(pl.Int64).alias(f"{place}") for place, dim in enumerate(dims)]
    values = [_numbered(column.to_numpy()) for column in rows.select(numbers)]
    key = np.zeros(rows.height, dtype=np.int64)
    for column in values:
        # Numbered anew at every step, so that many dimensions never run out of numbers.
        key = _numbered(key * (int(column.max(initial=0)) + 1) + column)
    first = np.unique(key, return_index=True)[1]
    codes = [column[first] for column in values]
    crossed = [one * (int(other.max(initial=0)) + 1) + other for one, other in combinations(codes, 2)]
    ones = sparse.csr_matrix(np.ones((first.size, 1)))
    design = sparse.hstack([ones, *(_columns(code)[:, 1:] for code in codes)], format="csc")
    pairs = sparse.hstack([ones[:, :0], *(_columns(_numbered(code)) for code in crossed)], format="csc")
    return Cells(key, _members(rows, cluster), rows[failed].cast(pl.Float64).to_numpy(), design, pairs, codes)


def _numbered(values: Codes) -> Codes:
    """The same values numbered from 0 in their order."""
    return np.unique(values, return_inverse=True)[1].astype(np.int64)


def _columns(code: Codes) -> Any:
    """One column per value, with a one where it holds."""
    from scipy import sparse

    return sparse.csc_matrix((np.ones(code.size), (np.arange(code.size), code)), shape=(code.size, int(code.max(initial=0)) + 1))


def _terms(cells: Cells, n1: Floats, n0: Floats) -> Terms:
    """The values, and the pairs of values that have enough contacts on both sides."""
    from scipy import sparse

    both = np.minimum(cells.pairs.T @ n1, cells.pairs.T @ n0)
    kept = np.argsort(-both, kind="stable")[:PAIR_MOST]
    kept = np.sort(kept[both[kept] >= PAIR_LEAST])
    single = cells.design.shape[1]
    ridges = [np.concatenate([[1e-9], np.full(single - 1, RIDGE), np.full(kept.size, ridge)]) for ridge in (PAIR_BALANCE, PAIR_BASELINE)]
    return Terms(sparse.hstack([cells.design, cells.pairs[:, kept]], format="csr"), *ridges)


def _members(rows: pl.DataFrame, cluster: str | None) -> Codes:
    if cluster is None:
        return np.arange(rows.height)
    alone = pl.int_range(pl.len()) + rows.height
    return rows.select(pl.coalesce(pl.col(cluster).rank("dense").cast(pl.Int64) - 1, alone)).to_series().to_numpy()


def _row(cells: Cells, name: str, exposure: pl.Series) -> dict[str, Any]:
    """One exposure: who has alike contacts, who they are, and the two risks."""
    yes = exposure.fill_null(False).to_numpy()
    no = (~exposure).fill_null(False).to_numpy()
    size = cells.design.shape[0]
    n1, n0 = (np.bincount(cells.cell[side], minlength=size).astype(float) for side in (yes, no))
    exposed, compared = int(n1.sum()), int(n0.sum())
    counts = {"exposure": name, "n_exposed": exposed, "n_compared": compared, "share_exposed": exposed / max(exposed + compared, 1)}
    n1 *= _levels_met(cells, n0)
    blank: dict[str, Any] = {**counts, "overlap": float(n1.sum() / max(exposed, 1)), "too_few": True}
    if _few(cells, yes & (n1[cells.cell] > 0)) or _few(cells, no):
        return blank
    terms = _terms(cells, n1, n0)
    odds = _odds(terms, n1, n0)
    inside = (odds <= MOST_ODDS) | (n1 == 0)
    if not inside.all():
        n1 = n1 * inside
        odds = _odds(terms, n1, n0)
    used = yes & (n1[cells.cell] > 0)
    blank["overlap"] = float(n1.sum() / exposed)
    return blank if _few(cells, used) else {**blank, **_estimate(cells, used, no, terms=terms, n1=n1, n0=n0, odds=odds), "too_few": False}


def _levels_met(cells: Cells, n0: Floats) -> NDArray[np.bool_]:
    """Combinations of which every single value has enough contacts to compare with."""
    met = np.ones(n0.size, dtype=bool)
    for column in cells.levels:
        met &= (np.bincount(column, weights=n0) >= FEWEST)[column]
    return met


def _few(cells: Cells, side: NDArray[np.bool_]) -> bool:
    return int(side.sum()) < MIN_CONTACTS or _clusters(cells, side) < MIN_CUSTOMERS


def _clusters(cells: Cells, side: NDArray[np.bool_]) -> int:
    return int(np.count_nonzero(np.bincount(cells.cluster[side])))


def _odds(terms: Terms, n1: Floats, n0: Floats, *, steps: int = 60) -> Floats:
    """Odds of being exposed per combination: exponential weights that give the unexposed the values of the exposed, by damped Newton steps."""
    design, ridge = terms.columns, terms.balance
    target, at = design.T @ n1, np.zeros(design.shape[1])
    at[0] = np.log(n1.sum() / n0.sum())

    def height(point: Floats) -> float:
        return float(n0 @ np.exp(np.minimum(design @ point, 50)) - target @ point + ridge @ point**2 / 2)

    now = height(at)
    for _ in range(steps):
        mass = n0 * np.exp(np.minimum(design @ at, 50))
        slope = design.T @ mass - target + ridge * at
        step = _solved(_gram(design, mass), ridge, slope)
        length = 1.0
        while (then := height(at - length * step)) > now and length > 1e-6:
            length /= 2
        at, gained, now = at - length * step, now - then, min(then, now)
        if gained < 1e-9 * max(1.0, abs(now)):
            break
    return np.asarray(np.exp(np.minimum(design @ at, 50)))


def _gram(design: Any, weight: Floats) -> Any:
    return (design.T @ design.multiply(weight[:, None])).tocsr()


def _solved(gram: Any, ridge: Floats, slope: Floats) -> Floats:
    """A Newton step by conjugate gradients: the matrix is sparse, and on a busy machine the threads of a dense solver wait for each other."""
    from scipy import sparse
    from scipy.sparse.linalg import cg

    matrix = gram + sparse.diags(ridge)
    return np.asarray(cg(matrix, slope, rtol=1e-6, maxiter=2000, M=sparse.diags(1 / matrix.diagonal()))[0])


def _estimate(
    cells: Cells, yes: NDArray[np.bool_], no: NDArray[np.bool_], *, terms: Terms, n1: Floats, n0: Floats, odds: Floats
) -> dict[str, float | None]:
    """Both risks and what can be said of them; the risk of alike contacts is a weighted mean of the unexposed, so that its error is exact."""
    total, columns = n1.sum(), terms.columns
    y0 = np.bincount(cells.cell[no], weights=cells.y[no], minlength=n0.size)
    mean = np.divide(y0, n0, out=np.zeros_like(y0), where=n0 > 0)
    gram = _gram(columns, n0).toarray()
    inverse = np.linalg.inv(gram + np.diag(terms.baseline))
    additive = columns @ (inverse @ (columns.T @ y0))
    rich = _richness(mean, additive, n0=n0, terms=float((inverse * gram).sum()))
    base = additive + rich * (mean - additive)
    rest = (1 - rich) * (n1 - odds * n0)
    weight = np.divide(n1 * rich, n0, out=np.zeros_like(n0), where=n0 > 0) + odds * (1 - rich) + columns @ (inverse @ (columns.T @ rest))
    risk, alike = float(cells.y[yes].mean()), float(weight @ y0 / total)
    here = cells.cell[yes]
    there = cells.cell[no]
    mine = _sums(cells, yes, (cells.y[yes] - risk) / total)
    theirs = _sums(cells, yes, (base[here] - alike) / total) + _sums(cells, no, weight[there] * (cells.y[no] - base[there]) / total)
    sides = [_clusters(cells, side) for side in (yes, no)]
    return _told(risk, alike, parts=(mine, theirs), clusters=min(sides), sizes=(int(yes.sum()), int(no.sum())))


def _sums(cells: Cells, side: NDArray[np.bool_], values: Floats) -> Floats:
    """What the contacts of one side add up to per cluster."""
    return np.bincount(cells.cluster[side], weights=values, minlength=int(cells.cluster.max()) + 1).astype(np.float64)


def _richness(mean: Floats, additive: Floats, *, n0: Floats, terms: float) -> Floats:
    """How far each combination is believed over the additive baseline: the better, the more contacts it has and the less additive the desk is."""
    expected = np.clip(additive, 0.02, 0.98)
    chance = expected * (1 - expected)
    filled = n0 > 0
    spare = max(float(filled.sum()) - terms, 0.0)
    excess = float(n0[filled] @ (mean - additive)[filled] ** 2 - chance[filled].mean() * spare)
    spread = max(excess / n0.sum(), 0.0) if spare else 0.0
    return np.asarray(n0 * spread / (n0 * spread + chance))


@dataclass(frozen=True, slots=True)
class Spread:
    """Variances of the risk of the exposed and of that of alike contacts, their covariance, the contacts behind each, and the t quantile."""

    mine: float
    theirs: float
    both: float
    sizes: tuple[int, int]
    t: float


def _told(risk: float, alike: float, *, parts: tuple[Floats, Floats], clusters: int, sizes: tuple[int, int]) -> dict[str, float | None]:
    """The difference of two risks with its interval, from what each cluster adds to each of them."""
    from scipy.special import stdtrit

    scale = clusters / max(clusters - 1, 1)
    mine, theirs, both = (float(scale * (parts[a] @ parts[b])) for a, b in ((0, 0), (1, 1), (0, 1)))
    spread = Spread(mine, theirs, both, sizes, float(stdtrit(max(clusters - 1, 1), 0.975)))
    kept = min(max(alike, 0.0), 1.0)
    gap, (low, high) = risk - kept, _ends(risk, kept, spread)
    value, limit = None, None
    if risk > 0 and kept > 0:
        value, limit = e_value(risk / kept), e_value(_nearest(risk, kept, spread) if low > 0 or high < 0 else 1.0)
    n = sizes[0]
    return {
        "risk_exposed": risk, "risk_alike": kept, "difference": gap, "low": low, "high": high, "attributable": gap * n, "attributable_low": low * n,
        "attributable_high": high * n, "e_value": value, "e_value_limit": limit,
    }  # fmt: skip


def _ends(risk: float, alike: float, spread: Spread) -> tuple[float, float]:
    """Interval of the difference from Wilson's intervals of its parts, less what the parts share."""
    low, high = _wilson(risk, spread.mine, n=spread.sizes[0], t=spread.t)
    low_alike, high_alike = _wilson(alike, spread.theirs, n=spread.sizes[1], t=spread.t)
    shared = spread.both / sqrt(spread.mine * spread.theirs) if spread.mine > 0 and spread.theirs > 0 else 0.0

    def reach(one: float, other: float) -> float:
        return sqrt(max(one**2 + other**2 - 2 * shared * one * other, 0.0))

    gap = risk - alike
    return gap - reach(risk - low, high_alike - alike), gap + reach(high - risk, alike - low_alike)


def _wilson(p: float, variance: float, *, n: int, t: float) -> tuple[float, float]:
    """Wilson's interval on the effective sample size, as `intervals.rate` has it."""
    size = p * (1 - p) / variance if variance > 0 and 0 < p < 1 else n
    square = t**2 / size
    centre = (p + square / 2) / (1 + square)
    half = sqrt(square * (p * (1 - p) + square / 4)) / (1 + square)
    return min(centre - half, p), max(centre + half, p)


def _nearest(risk: float, alike: float, spread: Spread) -> float:
    """The limit of the ratio of the risks that lies nearest to 1 (on the log scale)."""
    variance = spread.mine / risk**2 + spread.theirs / alike**2 - 2 * spread.both / (risk * alike)
    reach, ratio = spread.t * sqrt(max(variance, 0.0)), log(risk / alike)
    return exp(max(ratio - reach, 0.0)) if ratio > 0 else exp(min(ratio + reach, 0.0))
