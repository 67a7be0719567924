"""What would more resolved first contacts be worth, if the association were causal, and if only part of it were?

A simulated gain is an estimate times an assumption. Every assumption is a row that a reader can look at, and no gain is shown for an
association that is taken to be entirely causal without the gains for smaller shares beside it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import isfinite
from typing import TYPE_CHECKING, Protocol

import numpy as np
import polars as pl

from fcrlib.judge.intervals import Z95
from fcrlib.model.errors import UsageError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

Number = float | tuple[float | None, float | None, float | None]
Ends = tuple[float, float, float]
DRAWS = 20_000
NO_COST = "What a contact costs is not known here, so no money is saved on paper: only contacts are counted."
NO_REPEATS = "How many later contacts a failed one brings is not known here, so neither contacts nor money are saved on paper."
ALL, CAUSAL = "all contacts", "how much, if any, is causal"
KINDS = {"csat": "points of CSAT", "contacts": "contacts saved", "cost": "cost saved"}
"""What is simulated: shares, contacts, and money in the currency of the cost."""
GAINS = {
    "segment": pl.String, "gain": pl.String, "causal_share": pl.Float64, "value": pl.Float64, "low": pl.Float64, "high": pl.Float64,
    "condition": pl.String,
}  # fmt: skip
ASSUMED = {"name": pl.String, "value": pl.Float64, "low": pl.Float64, "high": pl.Float64, "source": pl.String}
SWINGS = {
    "gain": pl.String, "input": pl.String, "input_low": pl.Float64, "input_high": pl.Float64, "at_low": pl.Float64, "at_high": pl.Float64,
    "moves": pl.Float64,
}  # fmt: skip
PUBLISHED: tuple[tuple[str, str, float, float | None, float | None, str, str], ...] = (
    ("ceiling", "one to one", 1.0, None, None, "arithmetic", "holds only if every resolved contact satisfies and no failed one does: CSAT is the "
     "satisfied share of the failed, plus the gap between resolved and failed times FCR"),
    ("published", "industries compared", 0.6898649, 0.3267623, 1.0529674, "SQM Group, seven industries' FCR and CSAT, our regression of them",
     "vendor claim, definition differs; seven industries differ in more than FCR, so it says nothing about two contacts of one desk"),
    ("published", "each further call", 0.15, None, None, "SQM Group, page on employees and FCR: CSAT “drops 15 %” with each additional call",
     "vendor claim, definition differs; it does not say whether points or percent are meant, read here as points"),
    ("published", "resolved on the first call", 0.18, None, None, "Balto, article on FCR: customers resolved on the first call “18 % higher”",
     "vendor claim, definition differs; nothing is adjusted for, read here as points"),
    ("published", "one contact instead of several", 0.33, None, None, "SQM Group, customer experience research: “33 % higher” with one contact",
     "vendor claim, definition differs; nothing is adjusted for, read here as points"),
)  # fmt: skip


class Estimated(Protocol):
    """What is read of a fitted effect: the standardised difference (0..1) with its error, what it rests on, and its segments."""

    @property
    def estimate(self) -> float: ...
    @property
    def se(self) -> float | None: ...
    @property
    def low(self) -> float | None: ...
    @property
    def high(self) -> float | None: ...
    @property
    def n(self) -> int: ...
    @property
    def n_clusters(self) -> int: ...
    @property
    def segments(self) -> pl.DataFrame | None: ...
    @property
    def unit(self) -> str: ...


@dataclass(frozen=True, slots=True)
class Simulation:
    """A simulated gain with everything it hangs on.

    Parameters
    ----------
    gains
        `segment`, `gain` (points of CSAT, contacts saved, cost saved), `causal_share`, `value`, `low`, `high` (95 % of the draws; CSAT as a
        share in 0..1), `condition` (a sentence); all contacts first, then the segments in the given order, the largest causal share first.
    assumptions
        `name`, `value`, `low`, `high`, `source`: one row each, in the order in which they enter.
    tornado
        `gain`, `input`, `input_low`, `input_high`, `at_low`, `at_high`, `moves`: the gain when one input goes from its low to its high
        end and the others stay; by gain, the input that moves it most first.
    algebra
        `kind` (ours, ceiling, published), `what`, `points` (points of CSAT per point of FCR) with `low`, `high`, `source`, `caveat`.
    notes
        Sentences on what could not be computed.
    delta
        The simulated change of FCR, a share.
    """

    gains: pl.DataFrame
    assumptions: pl.DataFrame
    tornado: pl.DataFrame
    algebra: pl.DataFrame
    notes: tuple[str, ...]
    delta: float


@dataclass(frozen=True, slots=True)
class _Input:
    """One uncertain number: what it is taken to be, its ends, and what is drawn for it (D,)."""

    name: str
    value: float
    low: float
    high: float
    draws: Floats
    source: str


def simulate(
    effect: Estimated,
    *,
    delta_pp: float,
    volume: float,
    cost: Number | None,
    repeats_per_failure: Number | None,
    causal_share: Sequence[float] = (1.0, 0.5, 0.25),
    seed: int = 0,
    teams: pl.DataFrame | None = None,
) -> Simulation:
    """Draw what `delta_pp` more points of FCR would bring: points of CSAT, contacts and cost.

    With d the change of FCR as a share, theta the standardised difference, N the contacts, r the later contacts per failed one, c the cost of
    a contact and phi the causal share: CSAT moves by d theta phi, contacts by d N r phi, cost by d N r c phi.

    Parameters
    ----------
    effect
        The fitted association of FCR with being satisfied: a yes/no outcome or a score in 0..1, standardised, with its standard error (which rests
        on the covariance of all coefficients), and `segments` where it was asked for by level: the level, `estimate`, `se`, `low`, `high`.
    delta_pp
        Points by which FCR is to rise, above 0 and at most 100.
    volume
        First contacts in the period that the gain is for.
    cost
        What a contact costs: a number, or (lowest, likeliest, highest), drawn from a triangle; None where nobody knows: no money then.
    repeats_per_failure
        Later contacts that a failed first contact brings beyond what follows a resolved one: a number, or (low, value, high) with the ends of
        its 95 % interval. None, or a None among them, where that is not known: neither contacts nor cost are simulated then.
    causal_share
        How much of the associations with satisfaction and with later contacts is taken to be causal, each in 0..1. Nobody has measured it.
    seed
        The same seed gives the same draws.
    teams
        The slope over teams and months, to stand in `algebra` beside the difference between contacts.

    Raises
    ------
    UsageError
        For numbers that cannot be, all at once.

    References
    ----------
    Rubin (1974), J. Educational Psychology 66, 688-701 (a difference is an effect only if nothing else differs). Eschenbach (1992), Interfaces
    22(6), 40-46 (tornado diagrams).

    Examples
    --------
    >>> from types import SimpleNamespace
    >>> effect = SimpleNamespace(estimate=0.32, se=0.01, low=0.30, high=0.34, n=9000, n_clusters=4000, segments=None, unit="share")
    >>> told = simulate(effect, delta_pp=15, volume=5000, cost=7.68, repeats_per_failure=1.0)
    >>> told.gains.filter(causal_share=1.0).select("gain", pl.col("value").round(3)).rows()
    [('points of CSAT', 0.048), ('contacts saved', 750.0), ('cost saved', 5760.0)]
    """
    later, paid = _ends(repeats_per_failure), _ends(cost)
    _refuse(effect, delta_pp=delta_pp, volume=volume, cost=paid, repeats=later, shares=causal_share)
    generator, delta = np.random.default_rng(seed), delta_pp / 100
    theta = _theta(effect, generator)
    repeats = None if later is None else _repeats(later, generator)
    price = None if paid is None else _price(paid, generator)
    shares = sorted(dict.fromkeys(map(float, causal_share)), reverse=True)
    parts = _parts(theta, repeats, price, scale=(delta, volume))
    gains = [_gain(ALL, name, inputs, factor=factor, share=share) for share in shares for name, factor, inputs in parts]
    gains += _by_segment(effect, delta=delta, shares=shares, clusters=effect.n_clusters, generator=generator)
    notes = [NO_REPEATS] if repeats is None else [] if price else [NO_COST]
    return Simulation(
        pl.DataFrame(gains, schema=GAINS, orient="row"),
        _assumptions(theta, repeats, price, delta=delta, volume=volume, shares=shares),
        _tornado(parts, shares=shares),
        algebra(effect, teams=teams),
        tuple(notes),
        delta,
    )


def _ends(given: Number | None) -> Ends | None:
    """Low, value and high; None where one of them is not known."""
    low, value, high = given if isinstance(given, tuple) else (given, given, given)
    return None if low is None or value is None or high is None else (float(low), float(value), float(high))


def _refuse(effect: Estimated, *, delta_pp: float, volume: float, cost: Ends | None, repeats: Ends | None, shares: Sequence[float]) -> None:
    problems = []
    if effect.se is None or not (isfinite(effect.estimate) and isfinite(effect.se) and effect.se >= 0):
        problems.append("the effect has no estimate with an error (too few customers?), so nothing can be drawn from it")
    if effect.unit != "share":
        problems.append("the effect is in units of a score; simulate a share, or a score in 0..1")
    if not 0 < delta_pp <= 100:
        problems.append(f"delta_pp is {delta_pp:g}, but it must be above 0 and at most 100 points")
    if not (isfinite(volume) and volume > 0):
        problems.append(f"volume is {volume:g}, but it must be a number of contacts above 0")
    if repeats is not None and not (all(map(isfinite, repeats)) and repeats[0] <= repeats[1] <= repeats[2]):
        problems.append(f"repeats_per_failure is {repeats}, but it must be a number, or three that rise: (low, value, high)")
    if cost is not None and not (all(map(isfinite, cost)) and 0 <= cost[0] <= cost[1] <= cost[2]):
        problems.append(f"cost is {cost}, but it must be a number of 0 or more, or three that rise: (lowest, likeliest, highest)")
    if not shares or not all(0 <= share <= 1 for share in shares):
        problems.append(f"causal_share is {tuple(shares)}, but it must be shares from 0 to 1, e.g. (1, 0.5, 0.25)")
    if problems:
        raise UsageError("the gain cannot be simulated", problems)


def _theta(effect: Estimated, generator: np.random.Generator) -> _Input:
    draws = effect.estimate + (effect.se or 0.0) * _spread(effect.n_clusters, generator)
    low, high = (effect.estimate if end is None else end for end in (effect.low, effect.high))
    source = f"fitted on {effect.n:,} answers of {effect.n_clusters:,} customers; an association, adjusted for what is known"
    return _Input("points of CSAT per point of FCR", effect.estimate, low, high, draws, source)


def _spread(clusters: int, generator: np.random.Generator) -> Floats:
    """Errors of an estimate in units of its standard error: t, which for many clusters is the normal."""
    return generator.standard_t(max(clusters - 1, 1), DRAWS)


def _repeats(ends: Ends, generator: np.random.Generator) -> _Input:
    low, value, high = ends
    z = generator.standard_normal(DRAWS)
    # Two halves of a normal, each as wide as its side of the interval.
    draws = value + np.where(z > 0, high - value, value - low) / Z95 * z
    source = "measured, with its interval" if high > low else "given as a number, taken as exact"
    return _Input("later contacts per failed first contact", value, low, high, draws, source)


def _price(ends: Ends, generator: np.random.Generator) -> _Input:
    low, mode, high = ends
    if low == high:
        return _Input("cost of a contact", mode, mode, mode, np.full(DRAWS, mode), "given as a number, taken as exact")
    source = f"given as {low:g} to {high:g}, most likely {mode:g}; the mean of that triangle"
    return _Input("cost of a contact", (low + mode + high) / 3, low, high, generator.triangular(low, mode, high, DRAWS), source)


Part = tuple[str, float, tuple[_Input, ...]]


def _parts(theta: _Input, repeats: _Input | None, price: _Input | None, *, scale: tuple[float, float]) -> list[Part]:
    """What each gain is a product of: a factor that is certain, and the uncertain inputs."""
    delta, volume = scale
    parts: list[Part] = [(KINDS["csat"], delta, (theta,))]
    if repeats is None:
        return parts
    parts.append((KINDS["contacts"], delta * volume, (repeats,)))
    return parts if price is None else [*parts, (KINDS["cost"], delta * volume, (repeats, price))]


def _gain(segment: str, name: str, inputs: tuple[_Input, ...], *, factor: float, share: float) -> tuple[object, ...]:
    value = factor * share * float(np.prod([one.value for one in inputs]))
    drawn = factor * share * np.prod([one.draws for one in inputs], axis=0)
    low, high = (float(end) for end in np.quantile(drawn, [0.025, 0.975]))
    # An input that is exact has no spread; the last digit of its draws must not pretend one.
    return segment, name, share, value, min(low, value), max(high, value), condition(share)


def condition(share: float) -> str:
    """What a simulated gain holds under, in words.

    Examples
    --------
    >>> condition(1.0), condition(0.25)
    ('if the association were entirely causal', 'if a quarter of the association were causal')
    """
    words = {1.0: "the association were entirely causal", 0.5: "half of the association were causal", 0.25: "a quarter of the association were causal",
             0.75: "three quarters of the association were causal", 0.0: "nothing of the association were causal"}  # fmt: skip
    return f"if {words.get(share, f'{100 * share:g} % of the association were causal')}"


def _by_segment(
    effect: Estimated, *, delta: float, shares: Sequence[float], clusters: int, generator: np.random.Generator
) -> list[tuple[object, ...]]:
    """The gain in CSAT of each segment, if FCR rose by as much in it."""
    told: list[tuple[object, ...]] = []
    if effect.segments is None or effect.segments.is_empty():
        return told
    rows = effect.segments.select(pl.nth(0).cast(pl.String).alias("level"), "estimate", "se", "low", "high").drop_nulls()
    for level, estimate, se, low, high in rows.iter_rows():
        draws = estimate + se * _spread(clusters, generator)
        one = _Input(level, estimate, low, high, draws, "")
        told += [_gain(level, KINDS["csat"], (one,), factor=delta, share=share) for share in shares]
    return told


def _assumptions(
    theta: _Input, repeats: _Input | None, price: _Input | None, *, delta: float, volume: float, shares: Sequence[float]
) -> pl.DataFrame:
    causal = "nobody has measured it: every gain is shown for each share"
    exact: list[tuple[object, ...]] = [
        ("rise of FCR", delta, None, None, "chosen; nothing here says how to get there, or what getting there costs"),
        ("first contacts", float(volume), None, None, "chosen; taken to stay the same"),
    ]
    fitted = [(one.name, one.value, one.low, one.high, one.source) for one in (theta, repeats, price) if one]
    named = (CAUSAL, max(shares), min(shares), max(shares), causal)
    straight = ("one more point is worth as much as the last", None, None, None, "taken for granted: the gain is a straight line")
    alike = ("contacts newly resolved are like those resolved today", None, None, None, "taken for granted: they may be harder, and please less")
    return pl.DataFrame([*exact, *fitted, named, straight, alike], schema=ASSUMED, orient="row")


def _tornado(parts: Sequence[Part], *, shares: Sequence[float]) -> pl.DataFrame:
    rows = []
    for name, factor, inputs in parts:
        middle = factor * max(shares) * float(np.prod([one.value for one in inputs]))
        swings = [_swing(factor * max(shares), inputs, place) for place in range(len(inputs))]
        least = min(shares) / max(shares) if max(shares) else 1.0
        swings.append((CAUSAL, min(shares), max(shares), middle * least, middle))
        rows += [(name, *swing, abs(swing[4] - swing[3])) for swing in swings]
    order = {name: place for place, name in enumerate(KINDS.values())}
    frame = pl.DataFrame(rows, schema=SWINGS, orient="row")
    return frame.sort(pl.col("gain").replace_strict(order, return_dtype=pl.Int64), pl.col("moves") * -1, "input")


def _swing(factor: float, inputs: tuple[_Input, ...], place: int) -> tuple[str, float, float, float, float]:
    """One input at its low and at its high end, the others where they are."""
    one = inputs[place]
    rest = factor * float(np.prod([other.value for at, other in enumerate(inputs) if at != place]))
    return one.name, one.low, one.high, rest * one.low, rest * one.high


def algebra(effect: Estimated, *, teams: pl.DataFrame | None = None) -> pl.DataFrame:
    """Points of CSAT per point of FCR: ours beside the ceiling and beside what has been published.

    If a share p1 of the resolved and p0 of the failed are satisfied, CSAT = p0 + (p1 - p0) FCR: a point of FCR moves CSAT by p1 - p0 points,
    and by a whole one only if p1 = 1 and p0 = 0. A slope over teams or industries can be steeper, where other things move both.

    Parameters
    ----------
    teams
        One row with the slope over teams and months: `slope`, `low`, `high`, `groups`.

    Returns
    -------
    pl.DataFrame
        `kind`, `what`, `points`, `low`, `high`, `source`, `caveat`, in this order: ours, the ceiling, what was published.

    Examples
    --------
    >>> from types import SimpleNamespace
    >>> effect = SimpleNamespace(estimate=0.32, se=0.01, low=0.30, high=0.34, n=9000, n_clusters=4000, segments=None, unit="share")
    >>> algebra(effect).select("kind", pl.col("points").round(2)).rows()[:3]
    [('ours', 0.32), ('ceiling', 1.0), ('published', 0.69)]
    """
    ours: list[tuple[object, ...]] = [
        ("ours", "contacts alike in what is known", effect.estimate, effect.low, effect.high,
         f"this desk, {effect.n:,} answers", "an association, adjusted for what is known"),
    ]  # fmt: skip
    if teams is not None:
        slope, low, high, groups = teams.select("slope", "low", "high", "groups").row(0)
        ours.append(
            ("ours", "teams and months compared", slope, low, high, f"this desk, {groups} teams by month", "teams and months differ in more than FCR")
        )
    kinds = {
        "kind": pl.String,
        "what": pl.String,
        "points": pl.Float64,
        "low": pl.Float64,
        "high": pl.Float64,
        "source": pl.String,
        "caveat": pl.String,
    }
    return pl.DataFrame([*ours, *PUBLISHED], schema=kinds, orient="row")
