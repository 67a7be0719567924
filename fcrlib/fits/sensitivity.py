"""What would it take to explain the difference away?

Nothing here proves a difference; each row says what would have to hold for it to be something else. The yardsticks have rooms of their own,
this one puts them side by side and reads each of them out.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import exp
from typing import TYPE_CHECKING, Any, Protocol

import polars as pl

from fcrlib.fits.cells import Cells
from fcrlib.fits.confounding import Linear, benchmarks, linear, mended, misread, robustness_value
from fcrlib.fits.contrast import Estimate, standardise
from fcrlib.fits.influence import MOST, TOGETHER, influential
from fcrlib.fits.regression import Fit
from fcrlib.fits.silent import grid, heard, tipping
from fcrlib.judge.agree import agreement
from fcrlib.model.errors import UsageError
from fcrlib.model.numbers import count, number, percent, points, signed
from fcrlib.search.standardised import e_value

if TYPE_CHECKING:
    Row = tuple[str, str, str, float | None, float | None, float | None, str]

SCHEMA = {
    "check": pl.String, "what": pl.String, "unit": pl.String, "value": pl.Float64, "low": pl.Float64, "high": pl.Float64, "reading": pl.String,
}  # fmt: skip
ALL, LIMIT = "all of it", "until its interval reaches none"
LEAD = {ALL: "To take away all of the difference", LIMIT: "For its interval to reach none"}
NEEDLESS = "Its interval holds no difference already, so nothing unseen is needed."


class Fitted(Protocol):
    """What is read of a fitted effect: the model, the cells, what was asked, and the standardised difference with its interval."""

    @property
    def fit(self) -> Any: ...
    @property
    def cells(self) -> Cells: ...
    @property
    def spec(self) -> Mapping[str, Any]: ...
    @property
    def estimate(self) -> float: ...
    @property
    def low(self) -> float | None: ...
    @property
    def high(self) -> float | None: ...
    @property
    def n(self) -> int: ...
    @property
    def unit(self) -> str: ...


def sensitivity(
    effect: Fitted,
    *,
    frame: pl.DataFrame | None = None,
    survey: str | None = None,
    others: Mapping[str, Fitted] | None = None,
    times: Sequence[float] = (1.0, 2.0, 3.0),
    tilts: Sequence[float] = (0.2, 0.4, 0.6),
    most: int = MOST,
) -> pl.DataFrame:
    """All yardsticks of an effect, a row each.

    Parameters
    ----------
    effect
        A logit or linear effect of a yes/no exposure.
    frame
        The rows that it was fitted to: they say how many answered on either side. Without it both sides are taken to answer as often.
    survey
        Yes/no column of `frame`: what the customer said about the exposure; null where not asked. It says how often the exposure is misread.
    others
        The same effect with the exposure read from elsewhere, by name, e.g. from the survey, and where both agree.
    times
        How many times as strong as a known covariate something unseen is taken to be.
    tilts
        By how much (log odds) silent customers are taken to be less often satisfied than those of their kind who answered.
    most
        How many clusters to list by what the difference would be without them.

    Returns
    -------
    pl.DataFrame
        `check` (E-value, robustness value, as strong as, misread exposure, silent customers, exposure read from, influence), `what`, `unit` (ratio,
        share, points, score, odds), `value`, `low`, `high` (95 % where there is one), `reading` (a sentence), in this order.

    Raises
    ------
    UsageError
        For an exposure of several levels, or a model of ordered answers.

    References
    ----------
    VanderWeele and Ding (2017), Annals of Internal Medicine 167, 268-274; Cinelli and Hazlett (2020), JRSS B 82, 39-67; see the rooms of each.
    """
    if not isinstance(effect.fit, Fit):
        raise UsageError("ordered answers have no difference of one share to explain away: fit a logit or a linear model")
    if frame is None and survey is not None:
        raise UsageError(f"the column {survey!r} must come with the frame that has it")
    model = linear(effect.cells, terms=effect.fit.terms)
    rows = [*_unseen(effect), *_robust(model), *_benchmarked(effect, model, times=times)]
    if frame is not None and survey is not None:
        rows += _misread(effect, frame, survey=survey)
    rows += _silent(effect, frame, tilts=tilts)
    rows += [_other(name, other, ours=effect) for name, other in (others or {}).items()]
    rows += _influence(effect, most=most)
    return pl.DataFrame(rows, schema=SCHEMA, orient="row")


def _unit(effect: Fitted) -> str:
    return "points" if effect.unit == "share" else "score"


def _spelled(effect: Fitted, value: float, *, digits: int = 1) -> str:
    return points(value, digits=digits) if effect.unit == "share" else signed(value, digits=digits + 1)


def _unseen(effect: Fitted) -> list[Row]:
    """E-values of the standardised ratio: an odds ratio would overstate it, for being satisfied is common."""
    ratio = standardise(effect.fit, effect.cells.everybody).ratio()
    if ratio is None:
        return [("E-value", ALL, "ratio", None, None, None, "The outcome is not above nothing on both sides, so there is no ratio to explain.")]
    told = "{}, something unseen would have to make both being resolved and being satisfied at least {} times as likely, beyond what is known."
    whole, nearest = e_value(ratio.value), _nearest(ratio, none=1.0)
    rows: list[Row] = [("E-value", ALL, "ratio", whole, None, None, told.format(LEAD[ALL], number(whole, digits=2)))]
    if nearest is not None:
        edge = e_value(nearest) if (nearest > 1) == (ratio.value > 1) else 1.0
        said = told.format(LEAD[LIMIT], number(edge, digits=2)) if edge > 1 else NEEDLESS
        rows.append(("E-value", LIMIT, "ratio", edge, None, None, said))
    return rows


def _nearest(estimate: Estimate, *, none: float) -> float | None:
    """The end of an interval that lies nearest to none."""
    return estimate.low if estimate.value > none else estimate.high


def _robust(model: Linear) -> list[Row]:
    told = "{}, something unseen would have to explain {} of what is left open both of who is resolved and of who is satisfied."
    whole = robustness_value(model.t, df=model.df)
    rows: list[Row] = [("robustness value", ALL, "share", whole, None, None, told.format(LEAD[ALL], percent(whole)))]
    if model.threshold is not None:
        edge = robustness_value(model.t, df=model.df, critical=model.threshold)
        said = told.format(LEAD[LIMIT], percent(edge)) if edge > 0 else NEEDLESS
        rows.append(("robustness value", LIMIT, "share", edge, None, None, said))
    return rows


def _benchmarked(effect: Fitted, model: Linear, *, times: Sequence[float]) -> list[Row]:
    rows: list[Row] = []
    for name, factor, _, _, value, low, high, _ in benchmarks(model, times=times).iter_rows():
        what = f"{factor:g} x {name}"
        unseen = f"Something unseen {'as' if factor == 1 else f'{factor:g} times as'} strong as {name}"
        if value is None:
            said = f"Nothing can be {factor:g} times as strong as {name}, which explains too much of the exposure for that."
        else:
            said = f"{unseen} would leave {_spelled(effect, value)}{_if_clear(low, high, sign=model.estimate)}."
        rows.append(("as strong as", what, _unit(effect), value, low, high, said))
    return rows


def _if_clear(low: float | None, high: float | None, *, sign: float) -> str:
    if low is None or high is None:
        return ""
    return "" if (low > 0 if sign > 0 else high < 0) else ", which could not be told from none"


def _misread(effect: Fitted, frame: pl.DataFrame, *, survey: str) -> list[Row]:
    """How much the difference is thinned if the survey is right about the exposure."""
    exposure, check = effect.spec["exposure"], "misread exposure"
    table = agreement(frame, system=exposure, survey=survey, weight=effect.spec["weight"], cluster=_first(effect)).measures
    found = {row["measure"]: (row["value"], row["low"], row["high"]) for row in table.to_dicts()}
    ppv, npv = found["ppv"], found["npv"]
    if None in (*ppv, *npv):
        return [(check, "share shown", "share", None, None, None, f"Too few contacts have both '{exposure}' and '{survey}' to compare them.")]
    factor = misread(ppv, npv)
    said = f"If customers are right about it, the difference as it is read here is {percent(factor[0])} of the true one."
    rows: list[Row] = [(check, "share shown", "share", *factor, said)]
    if effect.low is None or effect.high is None:
        return rows
    whole = mended((effect.estimate, effect.low, effect.high), factor)
    if whole is None:
        said = f"'{exposure}' may have nothing to do with what customers say, so the difference cannot be mended."
        return [*rows, (check, "difference mended", _unit(effect), None, None, None, said)]
    said = f"Read without mistakes, the difference would be {_spelled(effect, whole[0])}, if mistakes have nothing to do with satisfaction."
    return [*rows, (check, "difference mended", _unit(effect), *whole, said)]


def _first(effect: Fitted) -> str | None:
    """The first column of clusters."""
    return next(iter(effect.spec["cluster"]), None)


def _silent(effect: Fitted, frame: pl.DataFrame | None, *, tilts: Sequence[float]) -> list[Row]:
    check, everybody = "silent customers", effect.cells.everybody
    if effect.fit.kind != "logit":
        return [(check, "tilt", "odds", None, None, None, "Only a yes/no outcome can be tilted; fit a logit to see what it would take.")]
    answered = {side: effect.cells.rows / int(everybody["size"].sum()) for side in (False, True)}
    if frame is not None:
        answered = heard(frame, outcome=effect.spec["outcome"], exposure=effect.spec["exposure"])
    if min(answered.values()) >= 1:
        return [(check, "tilt", "odds", None, None, None, "Everybody answered, so nobody is silent.")]
    rows: list[Row] = []
    for side, tilt, value, low, high in grid(effect.fit, everybody, heard=answered, tilts=tilts).iter_rows():
        odds = number(exp(tilt))
        who = "All silent customers" if side == "both" else "Silent customers of the better side only"
        said = f"{who} being {odds} times less likely (odds) to be satisfied than those who answered would leave {_spelled(effect, value)}."
        rows.append((check, f"{'both sides' if side == 'both' else 'better side'}, {odds} times", _unit(effect), value, low, high, said))
    tips = tipping(effect.fit, everybody, heard=answered)
    return [*rows, *(_tips(tilt, what) for tilt, what in zip(tips, (ALL, LIMIT), strict=True))]


def _tips(tilt: float | None, what: str) -> Row:
    """How far silent customers of the better side would have to be tilted."""
    check = "silent customers"
    if tilt is None:
        return check, what, "odds", None, None, None, f"{LEAD[what]}, no tilt that anybody would believe is enough."
    if not tilt:
        return check, what, "odds", 1.0, None, None, NEEDLESS
    said = f"{LEAD[what]}, silent customers of the better side only would have to be {number(exp(tilt))} times less likely (odds) to be satisfied."
    return check, what, "odds", exp(tilt), None, None, said


def _other(name: str, other: Fitted, *, ours: Fitted) -> Row:
    apart = _spelled(ours, other.estimate - ours.estimate)
    said = f"With the exposure read from {name} ({count(other.n)} answers) it is {_spelled(ours, other.estimate)}, {apart} beside ours."
    return "exposure read from", name, _unit(ours), other.estimate, other.low, other.high, said


def _influence(effect: Fitted, *, most: int) -> list[Row]:
    rows: list[Row] = []
    for name, n, moves, estimate in influential(effect.fit, effect.cells, most=most).iter_rows():
        who = name if name == TOGETHER else f"'{name}'"
        said = f"Without {who} ({count(n)} answers) it is {_spelled(effect, estimate)}, {_spelled(effect, moves, digits=2)} from where it is."
        rows.append(("influence", name, _unit(effect), estimate, None, None, said))
    return rows
