"""How far does a difference move as more and more is held equal, up to comparing everybody with themselves?

If it hardly moves, what is recorded does not explain it; what is not recorded still may.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Literal

import polars as pl

from fcrlib.fits import contrast, within
from fcrlib.fits.cells import gather
from fcrlib.fits.contrast import Estimate
from fcrlib.fits.design import code
from fcrlib.fits.difference import effect
from fcrlib.fits.regression import Fit
from fcrlib.model.errors import DataError, FcrError


@dataclass(frozen=True, slots=True)
class Spec:
    """One way to adjust.

    Parameters
    ----------
    model
        What it is called.
    adjust
        Columns held equal; those that the frame lacks are left out, and said.
    adds
        Those that make it this model: without any of them it is not fitted.
    by
        The column by whose levels the difference may vary.
    within
        Column within whose values contacts are compared, by a linear model.
    note
        What a reader should know of it.
    """

    model: str
    adjust: tuple[str, ...] = ()
    adds: tuple[str, ...] = ()
    by: str | None = None
    within: str | None = None
    note: str = ""


ARRIVED = ("channel", "category", "tier", "month")
EARLIER = ("wait", "transfers_before", "hour_block", "prior_contacts_90d")
PATH = (
    Spec("M0 raw", note="nothing is held equal"),
    Spec("M1 what arrived", ARRIVED, ARRIVED, by="channel", note="the primary model"),
    Spec("M2 what came before", (*ARRIVED, *EARLIER), EARLIER, by="channel"),
    Spec("M3 handle time", (*ARRIVED, *EARLIER, "handle"), ("handle",), by="channel", note="may adjust too much: handling is part of resolving"),
    Spec("M4 within agents", (*ARRIVED, *EARLIER), by="channel", within="agent", note="a linear model of contacts with the same agent"),
    Spec("M5 within customers", ARRIVED, within="customer", note="a linear model of customers who answered several times"),
)
"""From nothing held equal to everybody compared with themselves."""
PATH_SCHEMA = {
    "model": pl.String, "adjusts_for": pl.String, "estimate": pl.Float64, "low": pl.Float64, "high": pl.Float64, "n": pl.Int64, "clusters": pl.Int64,
    "note": pl.String,
}  # fmt: skip


def effect_path(
    frame: pl.DataFrame,
    *,
    outcome: str = "good",
    exposure: str = "fcr",
    kind: Literal["logit", "linear"] = "logit",
    weight: str | None = None,
    cluster: str = "customer",
    specs: Sequence[Spec] = PATH,
) -> pl.DataFrame:
    """The same difference as more and more is held equal: if it hardly moves, what is recorded does not explain it.

    Parameters
    ----------
    frame
        As `effect` reads it; columns that the specs name and the frame lacks are left out, and said.

    Returns
    -------
    pl.DataFrame
        One row per spec, in their order: `model`, `adjusts_for` (columns held equal), `estimate`, `low`, `high` (standardised difference), `n`
        (answers used), `clusters`, `note`. A model that cannot be fitted has a sentence and no number.

    Examples
    --------
    >>> frame = pl.DataFrame({"good": [1, 1, 1, 0] * 20 + [1, 0, 0, 0] * 20, "fcr": [True] * 80 + [False] * 80, "tier": list("aaaabbbb") * 20})
    >>> frame = frame.with_columns(customer=pl.int_range(pl.len()) // 3)
    >>> effect_path(frame).select("model", pl.col("estimate").round(3), "n").head(3).rows()
    [('M0 raw', 0.5, 160), ('M1 what arrived', 0.5, 160), ('M2 what came before', None, 0)]
    """
    with suppress(DataError):
        # What no model could be made of is a mistake, not a row without a number.
        effect(frame, outcome=outcome, exposure=exposure, kind=kind, weight=weight, cluster=cluster)
    rows = [_along(frame, spec, outcome=outcome, exposure=exposure, kind=kind, weight=weight, cluster=cluster) for spec in specs]
    return pl.DataFrame(rows, schema=PATH_SCHEMA)


def _along(
    frame: pl.DataFrame, spec: Spec, *, outcome: str, exposure: str, kind: Literal["logit", "linear"], weight: str | None, cluster: str
) -> dict[str, object]:
    adjust = [name for name in spec.adjust if name in frame.columns]
    absent = [name for name in spec.adjust if name not in frame.columns]
    blank = {"model": spec.model, "adjusts_for": ", ".join([*adjust, *([spec.within] if spec.within else [])]) or "nothing", "n": 0, "clusters": 0}
    needed = [spec.within] if spec.within else spec.adds
    if needed and not set(needed) & set(frame.columns):
        return {**blank, "note": f"not fitted: the desk has no {' and no '.join(needed)}"}
    by = spec.by if spec.by in adjust else None
    try:
        fitted, gap, notes = _fitted(
            frame, outcome=outcome, exposure=exposure, adjust=adjust, by=by, kind=kind, weight=weight, cluster=cluster, unit=spec.within
        )
    except FcrError as problem:
        return {**blank, "note": f"not fitted: {' '.join(str(problem).split())}"}
    if frame[outcome].dtype == pl.Boolean and abs(gap.value) > 1:
        return {**blank, "note": "not told: too few such contacts to be compared, so the estimate is further off than shares can be"}
    told = [spec.note, *([f"without {', '.join(absent)}, which the desk does not have"] if absent else []), *notes]
    numbers = {"estimate": gap.value, "low": gap.low, "high": gap.high, "n": fitted.rows, "clusters": fitted.clusters}
    return {**blank, **numbers, "note": "; ".join(note for note in told if note)}


def _fitted(
    frame: pl.DataFrame,
    *,
    outcome: str,
    exposure: str,
    adjust: Sequence[str],
    by: str | None,
    kind: Literal["logit", "linear"],
    weight: str | None,
    cluster: str,
    unit: str | None,
) -> tuple[Fit, Estimate, tuple[str, ...]]:
    """The model of a spec, its difference, and what is to be said of it."""
    if unit is None:
        found = effect(frame, outcome=outcome, exposure=exposure, adjust=adjust, kind=kind, weight=weight, cluster=cluster, by=by)
        assert isinstance(found.fit, Fit)
        return found.fit, Estimate(found.estimate, found.se, found.low, found.high), found.notes
    coded = code(
        frame, outcome=outcome, exposure=exposure, adjust=[name for name in adjust if name != unit], kind="linear", weight=weight, cluster=cluster,
        by=by, unit=unit,
    )  # fmt: skip
    cells = gather(coded)
    fitted = within.fit(cells, coded.terms)
    return fitted, contrast.standardise(fitted, cells.everybody).difference(), coded.notes
