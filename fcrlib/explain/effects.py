"""Did what was done work, and what moved when something was changed?

The failures of the contacts that a change touched are followed week by week, before and after, beside those of all other contacts over the same weeks. What
was chosen because it did badly would have done better anyway: that part is taken off first. Other things happen in the same weeks, so a difference in
time and place is what can be said, not a cause.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import numpy as np
import polars as pl
from numpy.typing import NDArray

from fcrlib.judge.compare import shrink
from fcrlib.judge.intervals import Z95
from fcrlib.judge.rates import mature
from fcrlib.model.actions import Action
from fcrlib.model.columns import KEY, NOT_KNOWN, known
from fcrlib.model.evidence import Design, grade
from fcrlib.search.where import conditions, holds

if TYPE_CHECKING:
    from fcrlib.study import Study

Floats = NDArray[np.float64]
WEEKS = 13
"""How many weeks before and after are looked at."""
LEAST_BEFORE, LEAST_AFTER = 4, 2
"""Whole weeks without which nothing is said."""
LEAST, LEAST_PEERS = 30, 5
"""Contacts that either side of the change needs in a place, and peers from which drift can be learnt."""
MOST_ALIKE = 0.9
MIDDLE = 0.4549
"""The median of chi-square with one degree of freedom."""
FELL, ROSE, LEVEL, EARLY, FEW, OPEN, NOWHERE = (
    "fell",
    "rose",
    "no clear change",
    "too early",
    "too few contacts",
    "not done yet",
    "place not on this desk",
)
EFFECT = {
    "status": pl.String, "n_before": pl.Int64, "n_after": pl.Int64, "before": pl.Float64, "after": pl.Float64, "others_before": pl.Float64,
    "others_after": pl.Float64, "effect": pl.Float64, "low": pl.Float64, "high": pl.Float64, "regression": pl.Float64, "trend": pl.Float64,
    "trend_low": pl.Float64, "trend_high": pl.Float64, "placebos": pl.Int64, "placebo_largest": pl.Float64, "drift": pl.Float64, "grade": pl.String, "why": pl.String,
}  # fmt: skip
ACTION = {
    "slug": pl.String, "what": pl.String, "owner": pl.String, "place": pl.String, "done": pl.Date, "check": pl.Date, "expected": pl.Float64,
    "counted": pl.String,
}  # fmt: skip
CHANGE = {"at": pl.Date, "kind": pl.String, "place": pl.String, "note": pl.String}


@dataclass(frozen=True, slots=True)
class _Line:
    """A straight line through weekly differences: coefficients, their covariance, the t quantile, and how many times chance the weeks scatter."""

    beta: Floats
    cov: Floats
    t: float
    scatter: float

    def ends(self, place: int) -> tuple[float, float, float]:
        value, reach = float(self.beta[place]), self.t * float(np.sqrt(self.cov[place, place]))
        return value, value - reach, value + reach

    def widened(self, drift: float) -> _Line:
        """The same line with the step known no better than places usually move."""
        return _Line(self.beta, self.cov + np.diag([0.0, drift**2]), self.t, self.scatter)


def of_actions(study: Study, actions: Sequence[Action], *, tags: pl.DataFrame | None = None) -> pl.DataFrame:
    """Look at what was done: did fewer contacts fail where it was done, compared with all others?

    Parameters
    ----------
    study
        The contacts up to the end of its period are looked at.
    actions
        What was done (`model.actions`).
    tags
        The ways of failing of every failed contact (`failure_modes.tag`); an action about one of them that names no place is then held against
        failures of that way only, all others against all failures in their place.

    Returns
    -------
    pl.DataFrame
        One row per action, in the given order: `slug`, `what`, `owner`, `place`, `done`, `check`, `expected`, `counted` (the slug
        of the way of failing that is counted; null for all failures), then the columns of `before_after`. `status` says also `not done yet` and `place not on this desk`.
    """
    rows = _contacts(study, tags)
    found = [_action(action, rows, study=study) for action in actions]
    return pl.DataFrame(found, schema=ACTION | EFFECT, orient="row")


def of_changes(study: Study) -> pl.DataFrame:
    """Look at every entry of the log of changes that falls into the period, or into the weeks before it that can still be seen.

    Returns
    -------
    pl.DataFrame
        One row per entry, in order of time: `at`, `kind`, `place`, `note`, then the columns of `before_after`; as many entries are looked at, an interval
        has to leave out zero by Bonferroni's margin before `status` says `fell` or `rose`. Empty where nothing is logged.
    """
    first, last = _span(study)
    log = study.desk.changes.filter(pl.col("at").is_between(first, last, closed="left")).sort("at", "kind", "scope", "note")
    rows = _contacts(study, None)
    return pl.DataFrame([_change(entry, rows, study=study, compared=log.height) for entry in log.to_dicts()], schema=CHANGE | EFFECT, orient="row")


def before_after(
    frame: pl.DataFrame, *, at: datetime, words: Sequence[str], failed: str = "failed", standing_out: bool, compared: int = 1
) -> dict[str, Any]:
    """Failures of some contacts before and after a moment, beside those of all others over the same weeks.

    Parameters
    ----------
    frame
        One row per first contact with a final verdict: `start_at` (instant), `failed` (yes/no), the columns that `words` speak of.
    at
        The moment; weeks are counted from it.
    words
        The place, conditions `dimension=value`; none for the whole desk, which then has no others beside it.
    standing_out
        Whether the place was chosen because it did badly: its level before is then drawn towards that of its peers, by as much as its size leaves doubt.
    compared
        How many changes are looked at together.

    Returns
    -------
    dict
        The columns `EFFECT`: `status`; `n_before`, `n_after` (contacts of the place in whole weeks); `before`, `after`, `others_before`, `others_after`
        (shares that fail); `effect` (points of failure in 0..1: the change there less the change elsewhere) with `low`, `high` (95 %); `regression`
        (what was taken off for having been chosen); `trend` (points a week by which the place moved against the others before the moment, with its
        interval); `placebos`, `placebo_largest` (the same reckoning at moments before, when nothing was done: how many, and the largest; a smaller difference is never called clear); `drift` (by how
        much places of this kind usually move against the others over such a time, a standard deviation that is part of the interval); `grade`, `why`.

    References
    ----------
    Angrist and Pischke (2009), Mostly Harmless Econometrics, section 5.2 (differences in differences); Bernal, Cummins and Gasparrini (2017),
    International Journal of Epidemiology 46, 348-355 (interrupted time series); Barnett, van der Pols and Dobson (2005), International Journal of
    Epidemiology 34, 215-220 (regression to the mean); Bertrand, Duflo and Mullainathan (2004), Quarterly Journal of Economics 119, 249-275 (weeks that
    resemble each other, placebo moments).

    Examples
    --------
    >>> from datetime import UTC
    >>> row = pl.int_range(8_000)
    >>> frame = pl.select(tier=pl.when(row % 2 == 0).then(pl.lit("basic")).otherwise(pl.lit("gold")), day=row // 64, hit=row // 2 % 10)
    >>> limit = pl.when((pl.col("tier") == "gold") & (pl.col("day") >= 63)).then(2).otherwise(4)
    >>> frame = frame.with_columns(failed=pl.col("hit") < limit, start_at=pl.datetime(2026, 1, 5, time_zone="UTC") + pl.duration(days="day"))
    >>> found = before_after(frame, at=datetime(2026, 3, 9, tzinfo=UTC), words=["tier=gold"], standing_out=False)
    >>> found["status"], round(found["effect"], 2), found["grade"]
    ('fell', -0.2, 'B')
    """
    known(frame, ["start_at", failed], yes_no=[failed])
    rows = frame.drop_nulls(["start_at", failed]).with_columns(_in=holds(frame, words), _hit=pl.col(failed).cast(pl.Float64), _week=_week(at))
    rows = rows.filter(pl.col("_week").is_between(-WEEKS, WEEKS - 1))
    weeks = _weekly(rows, whole=not words)
    blank = dict.fromkeys(EFFECT) | _counts(weeks)
    before, after = weeks.filter(pl.col("week") < 0), weeks.filter(pl.col("week") >= 0)
    if weeks.is_empty() or not weeks["n"].sum():
        return blank | {"status": FEW}
    if after.height < LEAST_AFTER:
        return blank | {"status": EARLY}
    if before.height < LEAST_BEFORE or min(before["n"].sum(), after["n"].sum()) < LEAST:
        return blank | {"status": FEW}
    return blank | _estimate(weeks, rows=rows, words=words, standing_out=standing_out, compared=compared)


def _estimate(weeks: pl.DataFrame, *, rows: pl.DataFrame, words: Sequence[str], standing_out: bool, compared: int) -> dict[str, Any]:
    from scipy.special import ndtri

    line = _step(weeks, at=0)
    drift = _drift(rows, words, scatter=line.scatter)
    value, low, high = line.widened(drift).ends(1)
    off = _regression(rows, words) if standing_out and words else None
    shift = off or 0.0
    trend = _trend(weeks.filter(pl.col("week") < 0))
    past = weeks.filter(pl.col("week") < 0)
    tried = [float(_step(past, at=week).beta[1]) for week in past["week"].to_list()[LEAST_BEFORE:-LEAST_AFTER]]
    alike = (trend is None or trend[1] <= 0 <= trend[2]) and _bend(weeks) * value >= value**2 / 2
    letter, why = grade(
        Design(before_after=True, comparison=bool(words) and alike, selected_on_worst=standing_out, rtm_corrected=off is not None, weighted=True)
    )
    wider = float(ndtri(1 - 0.025 / max(compared, 1))) / Z95
    gap, below, above = value + shift, value - low, high - value
    # What was as large on a day when nothing was done is no sign that something was.
    largest = max(tried, key=abs, default=0.0)
    clear = abs(gap) > max(wider * (above if gap < 0 else below), abs(largest))
    return {
        "status": LEVEL if not clear else FELL if gap < 0 else ROSE,
        "effect": gap,
        "low": gap - below,
        "high": gap + above,
        "regression": off,
        **dict(zip(("trend", "trend_low", "trend_high"), trend or (None, None, None), strict=True)),
        "placebos": len(tried),
        "placebo_largest": largest if tried else None,
        "drift": drift,
        "grade": letter,
        "why": why if letter == "B" else _lacking(words, alike=alike, chosen=standing_out and off is None) or why,
    }


def _lacking(words: Sequence[str], *, alike: bool, chosen: bool) -> str:
    """What keeps a before and after from being a comparison."""
    reasons = ["there are no others to compare with"] * (not words) + ["it may have been on its way already before, differently from the others"] * (
        not alike
    )
    return "; ".join(reasons + ["it was chosen because it did badly, and there are no peers to say how badly it usually does"] * chosen)


def _week(at: datetime) -> pl.Expr:
    """Whole weeks since the moment; -1 is the last one before it."""
    since = (pl.col("start_at") - pl.lit(at)).dt.total_microseconds()
    return since // (7 * 86_400_000_000)


def _weekly(rows: pl.DataFrame, *, whole: bool) -> pl.DataFrame:
    """By week: `n`, `k` of the place and `m`, `j` of all others. A last week that the data cuts short is left out."""
    inside = pl.col("_in")
    sums = {"n": inside.sum(), "k": pl.col("_hit").filter(inside).sum(), "m": (~inside).sum(), "j": pl.col("_hit").filter(~inside).sum()}
    weeks = rows.group_by(week="_week").agg(**sums, days=pl.col("start_at").dt.truncate("1d").n_unique()).sort("week")
    busy = weeks["days"].median() or 0
    edge = pl.col("week").is_in([weeks["week"].min(), weeks["week"].max()]) & (pl.col("days") < busy)
    kept = weeks.filter(~edge, pl.col("n") > 0)
    return kept.filter(pl.col("m") > 0) if not whole else kept


def _counts(weeks: pl.DataFrame) -> dict[str, Any]:
    """The shares of the place and of the others, before and after."""
    told: dict[str, Any] = {}
    for name, side in (("before", weeks.filter(pl.col("week") < 0)), ("after", weeks.filter(pl.col("week") >= 0))):
        n, k, m, j = (float(side[column].sum()) for column in ("n", "k", "m", "j"))
        told |= {f"n_{name}": int(n), name: k / n if n else None, f"others_{name}": j / m if m else None}
    return told


def _step(weeks: pl.DataFrame, *, at: int) -> _Line:
    """The place less the others, before and from a week on."""
    later = (weeks["week"] >= at).cast(pl.Float64).to_numpy()
    return _line(weeks, np.column_stack([np.ones(weeks.height), later]))


def _trend(weeks: pl.DataFrame) -> tuple[float, float, float] | None:
    """By how much the place moved against the others in a week."""
    if weeks.height < LEAST_BEFORE:
        return None
    number = weeks["week"].cast(pl.Float64).to_numpy()
    return _line(weeks, np.column_stack([np.ones(weeks.height), number - number.mean()])).ends(1)


def _bend(weeks: pl.DataFrame) -> float:
    """The step that is left beside a straight line of the place's own over all weeks."""
    number = weeks["week"].cast(pl.Float64).to_numpy()
    return float(_line(weeks, np.column_stack([np.ones(weeks.height), (number >= 0).astype(np.float64), number - number.mean()])).beta[1])


def _line(weeks: pl.DataFrame, design: Floats) -> _Line:
    """Weighted least squares through the weekly differences.

    Weeks count by what chance leaves of them; where they scatter more than chance, or resemble the week before, the errors are widened by it.
    """
    from scipy.special import stdtrit

    n, k, m, j = (weeks[name].cast(pl.Float64).to_numpy() for name in ("n", "k", "m", "j"))
    here, there = (k.sum() + 0.5) / (n.sum() + 1), (j.sum() + 0.5) / (m.sum() + 1)
    others = m.sum() > 0
    gap = k / n - (j / m if others else 0.0)
    chance = here * (1 - here) / n + (there * (1 - there) / m if others else 0.0)
    bread = np.linalg.inv(design.T @ (design / chance[:, None]))
    beta = bread @ (design.T @ (gap / chance))
    free = len(gap) - design.shape[1]
    left = (gap - design @ beta) / np.sqrt(chance)
    scatter = float((left**2).sum() / free) if free > 0 else 1.0
    wider = max(scatter, 1.0) * _resemblance(left)
    return _Line(beta, bread * wider, float(stdtrit(max(free, 1), 0.975)), wider)


def _resemblance(left: Floats) -> float:
    """By how much errors grow where a week resembles the one before, at least 1."""
    alike = float((left[1:] * left[:-1]).sum() / max(float((left**2).sum()), 1e-12)) + 1 / len(left)
    kept = min(max(alike, 0.0), MOST_ALIKE)
    return (1 + kept) / (1 - kept)


def _drift(rows: pl.DataFrame, words: Sequence[str], *, scatter: float) -> float:
    """By how much the peers of a place moved against all others over the same weeks beyond chance, as a standard deviation; 0 where there are few.

    Weeks scatter `scatter` times as much as chance makes them.

    Taken from the middle of the peers, so that a few that were changed themselves do not count as drift.
    """
    dims = [word.partition("=")[0] for word in words]
    if not dims:
        return 0.0
    later = pl.col("_week") >= 0
    sides = {"n": (~later).sum(), "m": later.sum(), "k": pl.col("_hit").filter(~later).sum(), "j": pl.col("_hit").filter(later).sum()}
    others = rows.filter(~pl.col("_in")).with_columns(pl.col(name).cast(pl.String).fill_null(NOT_KNOWN) for name in dims)
    peers = others.group_by(dims).agg(**sides).filter(pl.col("n") >= LEAST, pl.col("m") >= LEAST)
    if peers.height < LEAST_PEERS:
        return 0.0
    n, m, k, j = (peers[name].cast(pl.Float64).to_numpy() for name in ("n", "m", "k", "j"))
    share = (k.sum() + j.sum() + 0.5) / (n.sum() + m.sum() + 1)
    chance = scatter * share * (1 - share) * (1 / n + 1 / m)
    moved = j / m - k / n - (j.sum() / m.sum() - k.sum() / n.sum())
    beyond = float(np.median(moved**2 / chance)) / MIDDLE - 1
    return float(np.sqrt(max(beyond, 0.0) * np.median(chance)))


def _regression(rows: pl.DataFrame, words: Sequence[str]) -> float | None:
    """How far the place's level before lies above what its peers lead one to expect of it, at least 0; None where it has no peers.

    Its peers are the other combinations of the same dimensions. The level is drawn towards theirs by as much as its size leaves doubt.
    """
    dims = [word.partition("=")[0] for word in words]
    past = rows.filter(pl.col("_week") < 0).with_columns(pl.col(name).cast(pl.String).fill_null(NOT_KNOWN) for name in dims)
    peers = past.group_by(dims).agg(k=pl.col("_hit").sum(), n=pl.len(), here=pl.col("_in").any()).filter(pl.col("n") >= LEAST).sort(dims)
    if peers.height < 3 or not peers["here"].any():
        return None
    row = shrink(peers, k="k", n="n", at_least=LEAST).filter("here").row(0, named=True)
    return max(float(row["k"] / row["n"] - row["post"]), 0.0)


def _contacts(study: Study, tags: pl.DataFrame | None) -> pl.DataFrame:
    """First contacts with a final verdict up to the end of the period, with `failed` and, where tagged, `mode`."""
    after = study.period.bounds(time_zone=study.time_zone)[1]
    rows = mature(study.everything).filter(pl.col("start_at") < after).with_columns(failed=pl.col("label") == "failed")
    return rows if tags is None else rows.join(tags.filter("primary").select(*KEY, "mode"), on=KEY, how="left", maintain_order="left")


def _span(study: Study) -> tuple[datetime, datetime]:
    first, after = study.period.bounds(time_zone=study.time_zone)
    return first - timedelta(weeks=LEAST_BEFORE), after


def _action(action: Action, rows: pl.DataFrame, *, study: Study) -> dict[str, Any]:
    told = {name: getattr(action, name) for name in ("slug", "what", "owner", "place", "done", "check", "expected")} | {"counted": None}
    blank = told | dict.fromkeys(EFFECT)
    if action.done is None or action.done > study.period.last:
        return blank | {"status": OPEN}
    if any(conditions(word, columns=rows.columns) is None for word in action.where) or not rows.select(holds(rows, action.where).any()).item():
        return blank | {"status": NOWHERE}
    if not action.where and "mode" in rows.columns and action.slug in study.taxonomy.slugs:
        told["counted"] = action.slug
        rows = rows.with_columns(failed=(pl.col("mode") == action.slug).fill_null(False))
    return told | before_after(rows, at=_midnight(action.done, study), words=action.where, standing_out=action.chosen_for == "standing-out")


def _change(entry: dict[str, Any], rows: pl.DataFrame, *, study: Study, compared: int) -> dict[str, Any]:
    told = {"at": entry["at"].date(), "kind": str(entry["kind"]), "place": entry["scope"] or "", "note": entry["note"] or ""}
    words = conditions(entry["scope"], columns=rows.columns) if entry["scope"] else []
    if words is None or not rows.select(holds(rows, words).any()).item():
        return told | dict.fromkeys(EFFECT) | {"status": NOWHERE}
    day = entry["at"].astimezone(ZoneInfo(study.time_zone)).date()
    return told | before_after(rows, at=_midnight(day, study), words=words, standing_out=False, compared=compared)


def _midnight(day: date, study: Study) -> datetime:
    return datetime.combine(day, time(0), ZoneInfo(study.time_zone)).astimezone(ZoneInfo("UTC"))
