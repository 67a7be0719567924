"""How much better are contacts rated that were resolved at first, among contacts that are alike?

A difference of shares, standardised to all first contacts whose verdict is final, answered or not. It is an association: what is not in the columns
may still differ. A rating given before the customer came back can tell that they will, rather than follow from it. What could explain the difference
away (`sensitivity`) and what it would be worth (`simulate`) can be had from here too.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

import polars as pl

from fcrlib.fits import checks
from fcrlib.fits.design import AsIs
from fcrlib.fits.difference import DOSES, dose, effect
from fcrlib.fits.ecological import AT_LEAST, groups, slope
from fcrlib.fits.effect import Effect
from fcrlib.fits.path import PATH, PATH_SCHEMA, Spec, effect_path
from fcrlib.fits.sandwich import TOO_FEW
from fcrlib.fits.sensitivity import SCHEMA as YARDSTICKS
from fcrlib.fits.sensitivity import sensitivity
from fcrlib.fits.simulator import Simulation, algebra, simulate
from fcrlib.judge.rates import rate, withhold
from fcrlib.judge.timing import AFTER, BEFORE, UNTIMED
from fcrlib.model.errors import DataError
from fcrlib.model.evidence import Design
from fcrlib.model.numbers import count

__all__ = [
    "PATH", "Answer", "AsIs", "Effect", "Spec", "algebra", "answer", "dose", "ecological", "effect", "effect_path", "gain", "sensitivity", "simulate",
]  # fmt: skip
HELD, BY = ("category", "tier", "month"), "channel"
MOST_LEVELS, UNTIMED_AT_MOST = 11, 0.05
"""Steps of a scale that are fitted one by one; share of ratings without a time up to which their order is known."""
FAILED = {
    BEFORE: "failed ones rated before they had failed", AFTER: "failed ones rated after they had failed", UNTIMED: "failed ones, time of rating unknown",
}  # fmt: skip
COMPARED = {
    "name": pl.String, "unit": pl.String, "without": pl.Float64, "with_exposure": pl.Float64, "estimate": pl.Float64, "low": pl.Float64,
    "high": pl.Float64, "n": pl.Int64, "clusters": pl.Int64, "note": pl.String,
}  # fmt: skip


def ecological(
    frame: pl.DataFrame,
    *,
    outcome: str,
    exposure: str,
    group: Sequence[str] = ("team", "month"),
    weight: str | None = None,
    at_least: int = AT_LEAST,
) -> pl.DataFrame:
    """The slope of average outcome on average exposure over groups, to be told beside the difference between contacts.

    Where each contact with the exposure is rated better by so many points, a group with one point more of them is rated better by at most that share
    of a point, unless something else moves both.

    Returns
    -------
    pl.DataFrame
        The row of `fits.ecological.slope`: `slope`, `se`, `low`, `high`, `r2`, `groups`, `n`.

    Raises
    ------
    DataError
        If fewer than three groups have `at_least` answers.
    """
    return slope(groups(frame, outcome=outcome, exposure=exposure, group=group, weight=weight, at_least=at_least))


class Rated(Protocol):
    """What is read of the rated first contacts: one row each, and how many were asked."""

    @property
    def frame(self) -> pl.DataFrame: ...
    @property
    def counted(self) -> pl.DataFrame: ...
    @property
    def scale(self) -> str | None: ...
    @property
    def notes(self) -> tuple[str, ...]: ...
    @property
    def good_from(self) -> int | None: ...


@dataclass(frozen=True, slots=True)
class Answer:
    """How much better resolved first contacts are rated, and everything that hangs on it; each part is empty where it cannot be had.

    Parameters
    ----------
    effect
        The primary difference; None where it cannot be told, `why` then says why. Where it is told although something is not held equal, `why` says
        what.
    frame, scale, good_from
        The first contacts, the scale of the ratings, and the lowest one that counts as satisfied.
    shares
        `fcr`, `n`, `clusters`, `share` of satisfied customers (weighted), `low`, `high`, `too_few`: of failed and of resolved first contacts.
    path, dose
        As `effect_path` and `dose` give them.
    timing, exposures, models, effort
        The difference by when failed contacts were rated, by who says what was resolved, by outcome and model, and with effort held equal too:
        `name`, `unit` (points, score), `without`, `with_exposure` (standardised means), `estimate`, `low`, `high`, `n`, `clusters`, `note`.
    checks, cuts, yardsticks, teams, per_point
        As `fits.checks.all`, `fits.checks.cuts`, `fits.sensitivity.sensitivity`, `ecological` and `algebra` give them.
    """

    effect: Effect | None
    why: str
    frame: pl.DataFrame
    scale: str | None
    shares: pl.DataFrame
    good_from: int | None = None
    path: pl.DataFrame = field(default_factory=lambda: pl.DataFrame(schema=PATH_SCHEMA))
    dose: pl.DataFrame = field(default_factory=lambda: pl.DataFrame(schema=DOSES))
    timing: pl.DataFrame = field(default_factory=lambda: pl.DataFrame(schema=COMPARED))
    exposures: pl.DataFrame = field(default_factory=lambda: pl.DataFrame(schema=COMPARED))
    models: pl.DataFrame = field(default_factory=lambda: pl.DataFrame(schema=COMPARED))
    effort: pl.DataFrame = field(default_factory=lambda: pl.DataFrame(schema=COMPARED))
    checks: pl.DataFrame = field(default_factory=lambda: pl.DataFrame(schema=checks.SCHEMA))
    cuts: pl.DataFrame = field(default_factory=lambda: pl.DataFrame(schema=checks.CUTS))
    yardsticks: pl.DataFrame = field(default_factory=lambda: pl.DataFrame(schema=YARDSTICKS))
    teams: pl.DataFrame = field(default_factory=pl.DataFrame)
    per_point: pl.DataFrame = field(default_factory=pl.DataFrame)


def answer(rated: Rated) -> Answer:
    """Everything that can be said of how satisfaction goes with being resolved on first contact.

    Contacts alike in channel, category, tier and month are compared, each rating standing for the contacts like it. Where that has no solution, the
    difference is taken to be the same for every channel, then one thing after the other is no longer held equal, and `why` says so.

    Parameters
    ----------
    rated
        As `explain.rated.of_study` gives them: columns `good`, `fcr`, `weight`, `customer`, `timing`, and those that the desk knows of `channel`,
        `category`, `tier`, `month`, `rating`, `survey_fcr`, `agreed`, `ces`, `nps`, `contacts_to_resolve`, `team`.
    """
    frame, why = rated.frame, _nothing(rated)
    found, asked, why = (None, {}, why) if why else _primary(frame, _design(rated))
    shares = withhold(rate(frame.drop_nulls("good"), "good", by="fcr", cluster="customer", weight="weight"))
    if found is None:
        return Answer(None, why, frame, rated.scale, shares, rated.good_from)
    teams = _teams(frame)
    read = {"the survey": "survey_fcr", "both, where they agree": "agreed"}
    others = [(name, *_tried(frame, **{**asked, "exposure": column})) for name, column in read.items()]
    return Answer(
        found, why, frame, rated.scale, shares, rated.good_from,
        path=effect_path(frame, weight="weight"),
        dose=_dosed(frame, asked),
        timing=_timed(frame, found, asked),
        exposures=_table([("the system", found, ""), *others]),
        models=_models(frame, found, asked),
        effort=_effort(frame, asked),
        checks=checks.all(found),
        cuts=_cuts(frame, asked),
        yardsticks=_yardsticks(frame, found, {name: told for name, told, _ in others if told}),
        teams=teams,
        per_point=algebra(found, teams=teams if teams.height else None),
    )  # fmt: skip


def _design(rated: Rated) -> Design:
    """What is known of how the ratings came about; whether somebody was silent, nobody can say where only answers are on record."""
    told = dict(rated.counted.iter_rows())
    given = rated.frame["timing"].drop_nulls()
    timed = given.len() > 0 and (given == UNTIMED).mean() <= UNTIMED_AT_MOST  # type: ignore[operator]
    return Design(timing_known=bool(timed), response_known=told.get("of these asked", 0) > given.len(), sensitivity_reported=True)


def _nothing(rated: Rated) -> str:
    """Why there is nothing to compare, where that can be seen at once."""
    rows = rated.frame.drop_nulls("good")
    if rows.is_empty():
        return rated.notes[0].rstrip(".") if rated.notes else "nobody rated a contact"
    for column, yes, no in (
        ("good", "shows a satisfied customer", "shows a dissatisfied customer"),
        ("fcr", "is of a resolved contact", "is of a failed contact"),
    ):
        if rows[column].n_unique() == 1:
            return f"each of the {count(rows.height)} ratings {yes if rows[column][0] else no}, so there is nothing to compare"
    people = rows["customer"].drop_nulls().n_unique() + rows["customer"].null_count()
    if people < TOO_FEW:
        return f"there are only {count(rows.height)} ratings of {count(people)} customers, too few to compare"
    return ""


def _primary(frame: pl.DataFrame, design: Design) -> tuple[Effect | None, dict[str, Any], str]:
    """The difference with as much held equal as can be, how it was asked for, and what could not be."""
    held = [name for name in HELD if name in frame.columns]
    known = [*([BY] if frame[BY].n_unique() > 1 else []), *held]
    usual = {"outcome": "good", "exposure": "fcr", "weight": "weight", "cluster": "customer", "design": design}
    ways: list[dict[str, Any]] = [{"adjust": held, "by": BY}] if BY in known else []
    # What says the same as another, or settles the answer, is let go from the end.
    ways += [{"adjust": known[:most], "by": None} for most in range(len(known), -1, -1)]
    reason = ""
    for way in ways:
        found, why = _tried(frame, **usual, **way)
        if found is not None:
            lost = [name for name in known if name not in (*way["adjust"], way["by"])]
            return found, {**usual, **way}, f"not held equal: {', '.join(lost)} ({reason})" if lost else ""
        reason = reason or why
    return None, {}, reason


def _tried(frame: pl.DataFrame, **asked: Any) -> tuple[Effect | None, str]:
    """The effect, or why these rows have none to tell."""
    if frame[asked["exposure"]].null_count() == frame.height:
        return None, "nothing is known of it on this desk"
    try:
        return effect(frame, **asked), ""
    except DataError as problem:
        # The columns are called what a reader calls them.
        return None, " ".join(str(problem).replace("'good'", "satisfied").replace(f"'{asked['exposure']}'", "resolved").split())


def _row(name: str, found: Effect | None, note: str) -> tuple[object, ...]:
    if found is None:
        return name, "points", None, None, None, None, None, 0, 0, note
    unit = "points" if found.unit == "share" else "score"
    return name, unit, found.without, found.with_exposure, found.estimate, found.low, found.high, found.n, found.n_clusters, note


def _table(rows: Sequence[tuple[str, Effect | None, str]]) -> pl.DataFrame:
    return pl.DataFrame([_row(*row) for row in rows], schema=COMPARED, orient="row")


def _timed(frame: pl.DataFrame, found: Effect, asked: dict[str, Any]) -> pl.DataFrame:
    """Resolved contacts, whenever they were rated, beside failed ones rated before and after they had failed."""
    rows: list[tuple[str, Effect | None, str]] = [("all failed ones", found, "")]
    for when, name in FAILED.items():
        here = pl.col("timing") == when
        if frame.filter(here, ~pl.col("fcr")).height:
            rows.append((name, *_tried(frame.with_columns(good=pl.when(pl.col("fcr") | here).then("good")), **asked)))
    return _table(rows)


def _models(frame: pl.DataFrame, found: Effect, asked: dict[str, Any]) -> pl.DataFrame:
    """The same question put to other models, and to the will to recommend."""
    rows: list[tuple[str, Effect | None, str]] = [("satisfied, by odds (logit)", found, "the primary model")]
    rows.append(("satisfied, by a straight line", *_tried(frame, **{**asked, "kind": "linear"})))
    if 2 < frame["rating"].n_unique() - bool(frame["rating"].null_count()) <= MOST_LEVELS:
        rows.append(("mean rating, by ordered answers", *_tried(frame, **{**asked, "outcome": "rating", "kind": "ordinal"})))
        rows.append(("mean rating, by a straight line", *_tried(frame, **{**asked, "outcome": "rating", "kind": "linear"})))
    if "nps" in frame.columns and not (frame["rating"].cast(pl.Float64).eq_missing(frame["nps"])).all():
        ends = frame.with_columns(promoter=pl.col("nps") >= 9, detractor=pl.col("nps") <= 6)
        rows.append(("would recommend (9 or 10)", *_tried(ends, **{**asked, "outcome": "promoter"})))
        rows.append(("would not recommend (0 to 6)", *_tried(ends, **{**asked, "outcome": "detractor"})))
    return _table(rows)


def _effort(frame: pl.DataFrame, asked: dict[str, Any]) -> pl.DataFrame:
    """With and without effort held equal, among those who answered both: only they have an effort to hold equal."""
    if "ces" not in frame.columns:
        return pl.DataFrame(schema=COMPARED)
    both = frame.drop_nulls(["good", "ces"])
    harder, why = _tried(both, **{**asked, "adjust": [*asked["adjust"], "ces"]})
    if harder is not None and "ces" not in harder.spec["adjust"]:
        harder, why = None, "too few answers of each effort are satisfied and not satisfied"
    return _table([("as above, of those who told their effort", *_tried(both, **asked)), ("with effort held equal too", harder, why)])


def _held(asked: dict[str, Any]) -> list[str]:
    return [*([asked["by"]] if asked["by"] else []), *asked["adjust"]]


def _dosed(frame: pl.DataFrame, asked: dict[str, Any]) -> pl.DataFrame:
    try:
        return dose(frame, adjust=_held(asked), weight="weight", cluster="customer")
    except DataError:
        # Hardly anybody who rated needed a second contact: there is nothing to draw.
        return pl.DataFrame(schema=DOSES)


def _cuts(frame: pl.DataFrame, asked: dict[str, Any]) -> pl.DataFrame:
    steps = frame["rating"].drop_nulls().n_unique()
    if not 2 < steps <= MOST_LEVELS:
        return pl.DataFrame(schema=checks.CUTS)
    return checks.cuts(frame, rating="rating", exposure="fcr", adjust=_held(asked), weight="weight", cluster="customer")


def _yardsticks(frame: pl.DataFrame, found: Effect, others: dict[str, Effect]) -> pl.DataFrame:
    survey = "survey_fcr" if frame["survey_fcr"].count() else None
    return sensitivity(found, frame=frame, survey=survey, others=others, times=(1.0, 3.0))


def _teams(frame: pl.DataFrame) -> pl.DataFrame:
    if "team" not in frame.columns:
        return pl.DataFrame()
    try:
        return ecological(frame, outcome="good", exposure="fcr", weight="weight")
    except DataError:
        # Fewer than three teams and months with enough answers have no slope.
        return pl.DataFrame()


def gain(answer: Answer, *, repeats: pl.DataFrame, delta_pp: float = 1.0) -> Simulation | None:
    """What more first contact resolution would be worth in this period, for several causal shares; None without a clear difference, or where it was only seen.

    Parameters
    ----------
    repeats
        As `explain.cost.of_repeats` gives them: of its first row `failed`, `later`, `excess` with its ends, and `cost`.
    delta_pp
        By how many points first contact resolution is to rise.
    """
    found = answer.effect
    if found is None or found.grade == "D" or found.low is None or found.high is None or found.low <= 0 <= found.high:
        return None
    each = repeats.head(1).select((pl.col("excess_low", "excess", "excess_high") / pl.col("failed")), price=pl.col("cost") / pl.col("later"))
    low, value, high, price = each.fill_nan(None).row(0) if each.height else (None, None, None, None)
    teams = answer.teams if answer.teams.height else None
    return simulate(found, delta_pp=delta_pp, volume=answer.frame.height, cost=price, repeats_per_failure=(low, value, high), teams=teams)
