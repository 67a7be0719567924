"""What would customers who did not answer have to think, for a difference to go away?

The model speaks for everybody as if those who did not answer thought like those of their kind who did. That cannot be checked, but it can
be tilted, and it can be said how far one has to tilt it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from fcrlib.fits.contrast import Estimate, told
from fcrlib.fits.regression import Fit
from fcrlib.model.errors import UsageError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

Heard = Mapping[bool, float]
SIDES = ("both", "exposed")
FARTHEST = 10.0
"""Log odds beyond which nobody would believe a tilt: more than twenty thousand to one."""


def heard(frame: pl.DataFrame, *, outcome: str, exposure: str) -> dict[bool, float]:
    """Share of rows with an answer, among those exposed and those not.

    Examples
    --------
    >>> heard(pl.DataFrame({"good": [1, None, 0, 1], "fcr": [True, True, False, None]}), outcome="good", exposure="fcr")
    {False: 1.0, True: 0.5}
    """
    known = frame.filter(pl.col(exposure).is_not_null()).group_by(pl.col(exposure).cast(pl.Boolean)).agg(pl.col(outcome).is_not_null().mean())
    return dict(known.sort(exposure).iter_rows())


def tilted(fit: Fit, everybody: pl.DataFrame, *, heard: Heard, tilt: Mapping[bool, float]) -> Estimate:
    """The standardised difference if silent customers differ from those of their kind who answered.

    Parameters
    ----------
    fit
        A logit of a yes/no outcome.
    everybody
        The covariates and `size`.
    heard
        Share that answered, by exposure.
    tilt
        By how much (log odds) those who did not answer are more likely to be satisfied, by exposure.

    References
    ----------
    Scharfstein, Rotnitzky and Robins (1999), JASA 94, 1096-1120.
    """
    if fit.kind != "logit" or fit.terms.doses:
        raise UsageError("silent customers can be tilted only where outcome and exposure are yes/no")
    size = everybody["size"].to_numpy().astype(np.float64)
    sides = [_side(fit, everybody, size=size, exposed=exposed, heard=heard[exposed], tilt=tilt[exposed]) for exposed in (False, True)]
    return told(sides[1][0] - sides[0][0], sides[1][1] - sides[0][1], cov=fit.cov, clusters=fit.clusters)


def _side(fit: Fit, everybody: pl.DataFrame, *, size: Floats, exposed: bool, heard: float, tilt: float) -> tuple[float, Floats]:
    """The expected share under one exposure, those who answered and those who did not, and its gradient."""
    from scipy.special import expit

    design = fit.terms.sparse(everybody.with_columns(pl.lit(exposed).alias(fit.terms.exposure)))
    line = design @ fit.beta
    said, silent = expit(line), expit(line + tilt)
    slope = heard * said * (1 - said) + (1 - heard) * silent * (1 - silent)
    share = heard * said + (1 - heard) * silent
    return float(size @ share / size.sum()), np.asarray(design.T @ (size * slope)) / size.sum()


def grid(fit: Fit, everybody: pl.DataFrame, *, heard: Heard, tilts: Sequence[float]) -> pl.DataFrame:
    """The difference under a few tilts that lean against it.

    Returns
    -------
    pl.DataFrame
        `side` (`both`: silent customers on both sides are less often satisfied than those who answered; `exposed`: only those on the side that
        does better), `tilt` (log odds, 0 and above), `estimate`, `low`, `high` (95 %); by side and tilt.
    """
    rows = []
    for side in SIDES:
        for tilt in sorted(set(map(float, tilts))):
            found = tilted(fit, everybody, heard=heard, tilt=_leaning(fit, everybody, side=side, tilt=tilt, heard=heard))
            rows.append((side, tilt, found.value, found.low, found.high))
    kinds = {"side": pl.String, "tilt": pl.Float64, "estimate": pl.Float64, "low": pl.Float64, "high": pl.Float64}
    return pl.DataFrame(rows, schema=kinds, orient="row")


def _leaning(fit: Fit, everybody: pl.DataFrame, *, side: str, tilt: float, heard: Heard) -> dict[bool, float]:
    """On both sides silent customers are less content by `tilt`; or only on the side that does better."""
    if side == "both":
        return {False: -tilt, True: -tilt}
    better = tilted(fit, everybody, heard=heard, tilt={False: 0.0, True: 0.0}).value >= 0
    return {better: -tilt, not better: 0.0}


def tipping(fit: Fit, everybody: pl.DataFrame, *, heard: Heard) -> tuple[float | None, float | None]:
    """How far silent customers of the better side must be tilted until the difference is nothing, and until its interval touches nothing.

    Returns
    -------
    tuple[float | None, float | None]
        Log odds; 0 for the interval where it holds zero already, None where no tilt that anybody would believe gets there.
    """
    plain = tilted(fit, everybody, heard=heard, tilt={False: 0.0, True: 0.0})
    sign = 1.0 if plain.value >= 0 else -1.0

    def left(tilt: float, *, end: bool) -> float:
        found = tilted(fit, everybody, heard=heard, tilt=_leaning(fit, everybody, side="exposed", tilt=tilt, heard=heard))
        nearest = found.low if sign > 0 else found.high
        return sign * (nearest if end and nearest is not None else found.value)

    return _root(left, end=False), None if plain.low is None else _root(left, end=True)


def _root(left: Callable[..., float], *, end: bool) -> float | None:
    """Where what is left of the difference reaches nothing, by halving."""
    low, high = 0.0, FARTHEST
    if left(low, end=end) <= 0:
        return 0.0
    if left(high, end=end) > 0:
        return None
    while high - low > 1e-6:
        middle = (low + high) / 2
        low, high = (middle, high) if left(middle, end=end) > 0 else (low, middle)
    return (low + high) / 2
