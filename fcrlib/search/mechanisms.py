"""Did one way of failing grow, or all of them alike?

The change of the failure rate is exactly the sum of the changes of each way's rate, those that no sign explains among them. A way is named only
if its share among the failures that show a sign moved in the direction of the change, and further than elsewhere; where tagging itself changed, none is.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from fcrlib.judge.intervals import Z95
from fcrlib.model.columns import known
from fcrlib.model.errors import DataError, UsageError
from fcrlib.model.taxonomy import UNEXPLAINED

ALPHA = 0.05
PRIOR = 50.0
"""Degrees of freedom that the usual widening is worth beside a way's own."""
RARE = 10
"""Failures that a way needs, both sides together, to be held against the others."""
FEW = 20
"""Failures with a sign that either side needs for any way to be named."""
ELSEWHERE = 100
"""Failures in the rest of the desk that either side needs for its tagging to be compared."""
DRIFT = 0.03
"""A change of the tagged share of failures that makes no difference."""
POWER = 0.84
ELSE, THERE = "elsewhere", "there"
SIDES = pl.Schema({"mode": pl.String, "n_before": pl.Int64, "n_after": pl.Int64, "rate_before": pl.Float64, "rate_after": pl.Float64,
    "change": pl.Float64, "low": pl.Float64, "high": pl.Float64, "share_before": pl.Float64, "share_after": pl.Float64, "z": pl.Float64,
    "p": pl.Float64, "holm": pl.Float64, "elsewhere": pl.Float64, "named": pl.Boolean})  # fmt: skip

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Shifts:
    """How each way of failing moved.

    Parameters
    ----------
    modes
        The largest change first: `mode`, `n_before`, `n_after` (failures), `rate_before`, `rate_after` (share of all contacts), `change` with `low`,
        `high` (95 %); the changes sum to `total`. `share_before`, `share_after` (among the failures that show a sign), `z`, `p` and `holm` (p for
        having looked at all of them) of that share's shift; null where nothing was tested. `elsewhere`: the shift of that share in the rest of the desk,
        null where that was not compared. `named`.
    total
        Change of the share of contacts that failed.
    coverage
        One row per place where tagging was compared: `where` (there, elsewhere), `n_before`, `n_after` (failures), `before`, `after` (share of them that
        shows a sign), `z`, `p`, `drifted`.
    visible
        The shift of a share, among the failures that show a sign, that would have been seen four times out of five; null where nothing was tested.
    bar, freedom
        What |z| had to pass, and its degrees of freedom.
    warning
        Why no way can be named although one may have moved; empty where there is no reason.
    """

    modes: pl.DataFrame
    total: float
    coverage: pl.DataFrame
    visible: float | None
    bar: float
    freedom: float
    warning: str = ""

    @property
    def named(self) -> pl.DataFrame:
        """The ways that stand out, the largest change first."""
        return self.modes.filter("named")


def shifts(
    frame: pl.DataFrame,
    *,
    mode: str = "mode",
    failed: str = "failed",
    later: str = "later",
    clusters: Sequence[str] = (),
    there: pl.Expr | None = None,
) -> Shifts:
    """Split the change of the failure rate over the ways of failing, and name those that stand out.

    Parameters
    ----------
    frame
        One row per contact: `failed` (yes/no), `later` (no is the period before; unknown ones of both are left out), `mode` (the way it failed; of a
        failed contact null and `unexplained` are the same), and `clusters`.
    clusters
        Columns whose rows drift together, such as week, agent and customer.
    there
        Which contacts are looked at; the others show whether tagging changed. Without it all are looked at, and any change of tagging counts.

    Returns
    -------
    Shifts
        Its `modes` are sorted by the size of the change, then by name.

    Raises
    ------
    UsageError
        For columns that are not there or not yes/no.
    DataError
        If one of the periods has no contact with a known outcome there.

    References
    ----------
    Holm (1979), Scandinavian Journal of Statistics 6, 65-70. Cameron and Miller (2015), Journal of Human Resources 50, 317-372 (clusters).

    Examples
    --------
    >>> row = pl.int_range(2000)
    >>> hit = row % 1000
    >>> way = pl.when(hit < 150).then(pl.lit("wrong-routing")).when((hit < 400) & (row >= 1000)).then(pl.lit("known-bug")).when(hit >= 900).then(pl.lit("late"))
    >>> frame = pl.select(later=row >= 1000, mode=way).with_columns(failed=pl.col("mode").is_not_null())
    >>> found = shifts(frame)
    >>> found.modes.select("mode", pl.col("change").round(2), "named").rows()
    [('known-bug', 0.25, True), ('late', 0.0, False), ('wrong-routing', 0.0, False)]
    >>> round(found.total, 2)
    0.25
    """
    whole = _prepared(frame, mode=mode, failed=failed, arm=later, clusters=clusters)
    inner = whole if there is None else whole.filter(there)
    rows, total, plan = _moved(inner, clusters=clusters)
    sights = [_coverage(inner, where=THERE, clusters=clusters)]
    if there is not None and (rest := whole.filter(~there | there.is_null()))["_arm"].n_unique() == 2:
        sights.append(_coverage(rest, where=ELSE, clusters=clusters))
        rows = _beside(rows, _moved(rest, clusters=clusters)[0])
    coverage = pl.DataFrame(sights)
    warning = _drifted(coverage) if there is None else _elsewhere(coverage) or _against(rows, total, coverage)
    return _result(rows, total, coverage, plan, warning=warning)


def stands_out(frame: pl.DataFrame, *, mode: str = "mode", failed: str = "failed", there: pl.Expr, clusters: Sequence[str] = ()) -> Shifts:
    """The same for one period: which ways of failing are more frequent in a place than in the rest of the desk?

    Parameters
    ----------
    frame
        As in `shifts`, without `later`.
    there
        Which contacts are the place. In the frames that leave, `before` is the rest of the desk and `after` is the place.

    Raises
    ------
    UsageError
        For columns that are not there or not yes/no.
    DataError
        If the place, or the rest of the desk, has no contact with a known outcome.
    """
    inner = _prepared(frame.with_columns(_there=there.fill_null(False)), mode=mode, failed=failed, arm="_there", clusters=clusters)
    rows, total, plan = _moved(inner, clusters=clusters)
    coverage = pl.DataFrame([_coverage(inner, where=THERE, clusters=clusters)])
    return _result(rows, total, coverage, plan, warning=_against(rows, total, coverage, sides=("elsewhere", "there")))


def holm(p: Floats) -> Floats:
    """Holm's adjusted p values; what is not a number belongs to no family.

    References
    ----------
    Holm (1979), Scandinavian Journal of Statistics 6, 65-70.

    Examples
    --------
    >>> holm(np.array([0.01, 0.04, np.nan, 0.03])).round(3).tolist()
    [0.03, 0.06, nan, 0.06]
    """
    adjusted = np.full(len(p), np.nan)
    asked = np.flatnonzero(~np.isnan(p))
    order = asked[np.argsort(p[asked], kind="stable")]
    adjusted[order] = np.minimum(np.maximum.accumulate(p[order] * np.arange(len(order), 0, -1)), 1)
    return adjusted


def widening(influence: Floats, clusters: Sequence[Ints]) -> tuple[Floats, float]:
    """How many times rows that hang together inflate a variance, and the degrees of freedom of that.

    Parameters
    ----------
    influence
        What each row adds to each estimate, less its expectation (rows x estimates).
    clusters
        For each kind of cluster, the number of the cluster of each row.

    Returns
    -------
    tuple
        One factor per estimate, at least 1: each kind of cluster adds its own, drawn towards the median over the estimates.

    References
    ----------
    Cameron and Miller (2015), Journal of Human Resources 50, 317-372.
    """
    plain = np.maximum((influence**2).sum(axis=0), 1e-300)
    factor, freedom = np.ones(influence.shape[1]), 1e6
    for codes in clusters:
        groups = int(codes.max(initial=0)) + 1
        if groups < 2:
            continue
        sums = np.stack([np.bincount(codes, weights=column, minlength=groups) for column in influence.T], axis=1)
        own = (sums**2).sum(axis=0) / plain * groups / (groups - 1)
        drawn = (PRIOR * max(1.0, float(np.median(own))) + (groups - 1) * own) / (PRIOR + groups - 1)
        factor, freedom = factor + np.maximum(drawn, 1) - 1, min(freedom, PRIOR + groups - 1)
    return factor, freedom


def members(frame: pl.DataFrame, clusters: Sequence[str]) -> list[Ints]:
    """The number of the cluster of each row, for each kind; a row whose cluster is not known is one of its own."""
    return [(_coded(frame[name])).to_numpy().astype(np.int64) for name in clusters]


def _coded(values: pl.Series) -> pl.Series:
    ranks = values.rank("dense").cast(pl.Int64) - 1
    alone = values.n_unique() + pl.int_range(values.len(), eager=True)
    filled = pl.select(pl.coalesce(ranks, alone)).to_series()
    return filled.rank("dense").cast(pl.Int64) - 1


def _prepared(frame: pl.DataFrame, *, mode: str, failed: str, arm: str, clusters: Sequence[str]) -> pl.DataFrame:
    known(frame, [mode, failed, arm, *clusters], yes_no=[failed, arm])
    if taken := sorted({"_mode", "_failed", "_arm"} & set(frame.columns)):
        raise UsageError(f"columns {', '.join(taken)} are kept for the calculation; rename them")
    whole = frame.drop_nulls([failed, arm]).with_columns(
        _failed=pl.col(failed).cast(pl.Boolean),
        _arm=pl.col(arm).cast(pl.Boolean).cast(pl.Int64),
        _mode=pl.when(pl.col(failed).cast(pl.Boolean)).then(pl.col(mode).cast(pl.String).fill_null(UNEXPLAINED)),
    )
    if whole["_arm"].n_unique() < 2:
        raise DataError(f"one side of '{arm}' has no contact with a known outcome, so there is nothing to compare")
    return whole


@dataclass(frozen=True, slots=True)
class _Plan:
    """What the test of the shares rested on."""

    visible: float | None
    bar: float
    freedom: float


def _moved(inner: pl.DataFrame, *, clusters: Sequence[str]) -> tuple[pl.DataFrame, float, _Plan]:
    """Every way's rate and share on both sides, and the test of its share."""
    sizes = np.array([inner.filter(pl.col("_arm") == arm).height for arm in (0, 1)], np.float64)
    if (sizes == 0).any():
        raise DataError("one side has no contact with a known outcome there, so there is nothing to compare")
    failures = inner.filter("_failed")
    modes = sorted(set(failures["_mode"].to_list()) - {UNEXPLAINED})
    names = [*modes, *([UNEXPLAINED] if UNEXPLAINED in failures["_mode"] else [])]
    counts = np.array([[failures.filter((pl.col("_mode") == name) & (pl.col("_arm") == arm)).height for name in names] for arm in (0, 1)], np.float64)
    counts = counts.reshape(2, len(names))
    rates = counts / sizes[:, None]
    change = rates[1] - rates[0]
    half = _half(inner, names, rates=rates, sizes=sizes, clusters=clusters)
    tested = _shares(failures.filter(pl.col("_mode") != UNEXPLAINED), modes, clusters=clusters)
    blank: list[float | None] = [None] * (len(names) - len(modes))
    table = pl.DataFrame(
        {
            "mode": names, "n_before": counts[0].astype(int), "n_after": counts[1].astype(int), "rate_before": rates[0], "rate_after": rates[1],
            "change": change, "low": change - half, "high": change + half,
            **{name: [*tested[name].tolist(), *blank] for name in ("share_before", "share_after", "z", "p", "holm", "se")},
        }, schema={**{name: kind for name, kind in SIDES.items() if name not in ("named", "elsewhere")}, "se": pl.Float64},
    )  # fmt: skip
    unknown = pl.lit(None, pl.Float64)
    seen = table.with_columns(pl.col("share_before", "share_after", "z", "p", "holm", "se").fill_nan(None), elsewhere=unknown, beyond=unknown)
    return seen, float(rates[1].sum() - rates[0].sum()), tested["plan"]


def _beside(rows: pl.DataFrame, rest: pl.DataFrame) -> pl.DataFrame:
    """Add how far each way's share moved in the rest of the desk, and by how many errors the place went beyond that."""
    other = rest.select("mode", elsewhere=pl.col("share_after") - pl.col("share_before"), se_elsewhere="se")
    both = rows.drop("elsewhere", "beyond").join(other, on="mode", how="left", maintain_order="left")
    own = pl.col("share_after") - pl.col("share_before")
    beyond = (own - pl.col("elsewhere")) / (pl.col("se") ** 2 + pl.col("se_elsewhere") ** 2).sqrt()
    return both.with_columns(beyond=beyond).drop("se_elsewhere")


def _half(inner: pl.DataFrame, names: list[str], *, rates: Floats, sizes: Floats, clusters: Sequence[str]) -> Floats:
    """Half the 95 % interval of each way's change of rate."""
    from scipy.special import stdtrit

    if not names:
        return np.zeros(0)
    arm = inner["_arm"].to_numpy()
    hit = np.stack([(inner["_mode"] == name).fill_null(False).to_numpy() for name in names], axis=1)
    influence = (hit - rates[arm]) * np.where(arm == 1, 1.0, -1.0)[:, None] / sizes[arm][:, None]
    factor, freedom = widening(influence, members(inner, clusters))
    smooth = (rates * sizes[:, None] + 1) / (sizes[:, None] + 2)
    plain = (smooth * (1 - smooth) / sizes[:, None]).sum(axis=0)
    return np.asarray(stdtrit(freedom, 0.975) * np.sqrt(plain * factor), np.float64)


def _shares(tagged: pl.DataFrame, modes: list[str], *, clusters: Sequence[str]) -> dict[str, Any]:
    """Each way's share among the failures that show a sign, on both sides, and how sure its shift is."""
    from scipy.special import stdtr, stdtrit

    arm = tagged["_arm"].to_numpy()
    size = np.bincount(arm, minlength=2).astype(np.float64)
    hit = np.stack([(tagged["_mode"] == name).to_numpy() for name in modes], axis=1) if modes else np.zeros((0, 0))
    counts = np.stack([hit[arm == side].sum(axis=0) for side in (0, 1)]).astype(np.float64)
    with np.errstate(divide="ignore", invalid="ignore"):
        share = counts / size[:, None]
    nothing = np.full(len(modes), np.nan)
    found: dict[str, Any] = {"share_before": share[0], "share_after": share[1], "z": nothing, "p": nothing, "holm": nothing, "se": nothing}
    asked = counts.sum(axis=0) >= RARE
    if (size < FEW).any() or asked.sum() < 2:
        return {**found, "plan": _Plan(visible=None, bar=np.inf, freedom=1e6)}
    pooled = counts.sum(axis=0) / size.sum()
    influence = (hit - share[arm]) * np.where(arm == 1, 1.0, -1.0)[:, None] / size[arm][:, None]
    factor, freedom = widening(influence[:, asked], members(tagged, clusters))
    se = nothing.copy()
    se[asked] = np.sqrt(pooled[asked] * (1 - pooled[asked]) * (1 / size).sum() * factor)
    z = (share[1] - share[0]) / se
    p = 2 * stdtr(freedom, -np.abs(z))
    bar = float(stdtrit(freedom, 1 - ALPHA / (2 * asked.sum())))
    plan = _Plan(visible=float(np.median((bar + POWER) * se[asked])), bar=bar, freedom=freedom)
    return {**found, "z": z, "p": p, "holm": holm(p), "se": se, "plan": plan}


def _coverage(inner: pl.DataFrame, *, where: str, clusters: Sequence[str]) -> dict[str, Any]:
    """The share of failures that show a sign, on both sides, and whether it moved by more than makes no difference."""
    from scipy.special import stdtr

    failures = inner.filter("_failed")
    arm, seen = failures["_arm"].to_numpy(), (failures["_mode"] != UNEXPLAINED).to_numpy().astype(np.float64)
    n = np.bincount(arm, minlength=2)
    row: dict[str, Any] = {"where": where, "n_before": int(n[0]), "n_after": int(n[1])}
    blank: dict[str, Any] = {"before": None, "after": None, "z": None, "p": None, "drifted": None}
    if (n < (FEW if where == THERE else ELSEWHERE)).any():
        return row | blank
    share = np.array([seen[arm == side].mean() for side in (0, 1)])
    pooled = seen.mean()
    influence = ((seen - share[arm]) * np.where(arm == 1, 1.0, -1.0) / n[arm])[:, None]
    factor, freedom = widening(influence, members(failures, clusters))
    se = float(np.sqrt(max(pooled * (1 - pooled), 1e-12) * (1 / n).sum() * factor[0]))
    gap = float(share[1] - share[0])
    z = float(np.sign(gap) * max(abs(gap) - DRIFT, 0) / se)
    p = float(2 * stdtr(freedom, -abs(z)))
    return row | {"before": float(share[0]), "after": float(share[1]), "z": z, "p": p, "drifted": p < ALPHA}


def _drifted(coverage: pl.DataFrame) -> str:
    row = coverage.row(0, named=True)
    if not row["drifted"]:
        return ""
    return f"{_told(row)}; tagging itself may have changed, so ways of failing cannot be compared"


def _elsewhere(coverage: pl.DataFrame) -> str:
    found = coverage.filter((pl.col("where") == ELSE) & pl.col("drifted").fill_null(False))
    if found.is_empty():
        return ""
    return f"in the rest of the desk {_told(found.row(0, named=True))}; tagging itself changed, so ways of failing cannot be compared"


def _against(rows: pl.DataFrame, total: float, coverage: pl.DataFrame, *, sides: tuple[str, str] = ("before", "after")) -> str:
    """Tagging that changed inside a place: the failures with a sign, or those without, moved clearly against the whole."""
    row = coverage.row(0, named=True)
    if not row["drifted"] or not total:
        return ""
    blank = rows.filter(pl.col("mode") == UNEXPLAINED)
    untagged = float(blank["change"].sum())
    lost = blank.filter(pl.col("low" if total < 0 else "high") * np.sign(total) < 0).height > 0
    if lost or (total - untagged) * total < 0:
        return f"{_told(row, sides=sides)}, while the rate of those with a sign, or of those without, lies on the other side; the tags may not mean the same, so ways of failing cannot be compared"
    return ""


def _told(row: dict[str, Any], *, sides: tuple[str, str] = ("before", "after")) -> str:
    return f"{100 * row['before']:.0f} % of the failures show a known sign {sides[0]} and {100 * row['after']:.0f} % {sides[1]}"


def _result(rows: pl.DataFrame, total: float, coverage: pl.DataFrame, plan: _Plan, *, warning: str) -> Shifts:
    same = (pl.col("z") * total > 0) & (pl.col("change") * total > 0)
    moved = ((pl.col("holm") < ALPHA) & same).fill_null(False)
    # What moved alike in the rest of the desk is no way of this place; where the rest is too small to say, this one's word is taken.
    own = (pl.col("beyond") * total > 0) & (pl.col("beyond").abs() > Z95)
    table = rows.with_columns(_moved=moved, named=moved & own.fill_null(True) & (not warning)).sort(pl.col("change").abs().round(12) * -1, "mode")
    alike = table.filter("_moved")["mode"].to_list() if not table["named"].any() else []
    warning = warning or (f"{', '.join(alike)} moved there no further than in the rest of the desk" if alike else "")
    return Shifts(table.select(SIDES.names()), total, coverage, plan.visible, plan.bar, plan.freedom, warning)
