"""Which columns does a model see, in which levels, and what is merged because it is too rare?

Text becomes levels sorted by name, and the most frequent one is what the others are compared with: the order of the rows says nothing.
Numbers with many values become twenty bins of equal size, which leaves little of their confounding and keeps the cells few.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from fcrlib.fits.admission import Kind as Kind
from fcrlib.fits.admission import admit, given
from fcrlib.model.columns import NOT_KNOWN, OTHERS
from fcrlib.model.errors import DataError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

BINS = 20
"""Bins of a continuous covariate: with four, a fifth of a bias of 3.9 points is left, with twenty a thirtieth."""
MOST_NAMED = 5
"""Levels that a refusal names."""
FEWEST = 5
"""Answers of each kind that a level needs to stand alone."""


@dataclass(frozen=True, slots=True)
class AsIs:
    """A number that enters the model as a straight line instead of in bins; its cells hardly compress."""

    name: str


@dataclass(frozen=True, slots=True)
class Terms:
    """The columns of a model's design.

    Parameters
    ----------
    exposure
        Column compared: yes/no, or one of several levels.
    doses
        Levels of an exposure that is not yes/no, the reference first; empty for yes/no.
    factors
        Levels of each covariate, the reference first.
    numbers
        Covariates that enter as they are.
    by
        The covariate by whose levels the difference may vary.

    Examples
    --------
    >>> terms = Terms("fcr", factors={"channel": ("phone", "chat")}, by="channel")
    >>> terms.names
    ('(constant)', 'fcr', 'channel: chat', 'fcr and channel: chat')
    >>> terms.matrix(pl.DataFrame({"fcr": [True, False], "channel": ["chat", "phone"]})).tolist()
    [[1.0, 1.0, 1.0, 1.0], [1.0, 0.0, 0.0, 0.0]]
    """

    exposure: str
    doses: tuple[str, ...] = ()
    factors: Mapping[str, tuple[str, ...]] = ()  # type: ignore[assignment]
    numbers: tuple[str, ...] = ()
    by: str | None = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "factors", dict(self.factors))

    @property
    def covariates(self) -> tuple[str, ...]:
        """The columns that everybody has, whatever their exposure."""
        return (*self.factors, *self.numbers)

    @property
    def exposures(self) -> tuple[str | bool, ...]:
        """The values of the exposure, the reference first."""
        return self.doses or (False, True)

    @property
    def names(self) -> tuple[str, ...]:
        """What each column of the design is called."""
        exposed = [f"{self.exposure}: {level}" for level in self.doses[1:]] or [self.exposure]
        levels = [f"{name}: {level}" for name, known in self.factors.items() for level in known[1:]]
        crossed = [f"{one} and {self.by}: {level}" for one in exposed for level in self.factors[self.by][1:]] if self.by else []
        return ("(constant)", *exposed, *levels, *self.numbers, *crossed)

    def sparse(self, frame: pl.DataFrame) -> Any:
        """The design of rows that have the exposure and every covariate, one column per name, as a sparse matrix."""
        from scipy import sparse

        exposed = self._exposed(frame)
        blocks = [sparse.csr_array(np.ones((frame.height, 1))), exposed]
        blocks += [_dummies(frame[name], levels) for name, levels in self.factors.items()]
        blocks += [sparse.csr_array(frame[name].cast(pl.Float64).to_numpy()[:, None]) for name in self.numbers]
        if self.by:
            own = _dummies(frame[self.by], self.factors[self.by])
            blocks += [own.multiply(exposed[:, [place]]).tocsr() for place in range(exposed.shape[1])]
        return sparse.hstack(blocks, format="csr")

    def matrix(self, frame: pl.DataFrame) -> Floats:
        """The same design with its zeros written out."""
        return np.asarray(self.sparse(frame).toarray(), dtype=np.float64)

    def _exposed(self, frame: pl.DataFrame) -> Any:
        from scipy import sparse

        if self.doses:
            return _dummies(frame[self.exposure], self.doses)
        return sparse.csr_array(frame[self.exposure].cast(pl.Float64).to_numpy()[:, None])


@dataclass(frozen=True, slots=True)
class Coded:
    """Rows as a model reads them.

    Parameters
    ----------
    rows
        Every row whose exposure is known: the exposure, the covariates (levels as Enum), `_y` (outcome, null where there is no answer), `_w` (weight),
        and one column per cluster, `_g` and, for a second one, `_h`; `_unit` where there is one.
    terms
        The columns of the design.
    counted
        `what`, `n`: the rows given, those left out and why, those used.
    merged
        `covariate`, `level`, `answers` of the levels that are too rare to stand alone.
    notes
        What a reader should know of how the rows were read.
    """

    rows: pl.DataFrame
    terms: Terms
    counted: pl.DataFrame
    merged: pl.DataFrame
    notes: tuple[str, ...] = ()


def code(
    frame: pl.DataFrame,
    *,
    outcome: str,
    exposure: str,
    adjust: Sequence[str | AsIs] = (),
    kind: Kind = "logit",
    weight: str | None = None,
    cluster: str | Sequence[str] | None = None,
    by: str | None = None,
    unit: str | None = None,
) -> Coded:
    """Read the columns of a frame as a model does.

    Parameters
    ----------
    frame
        One row per case, answered or not: `outcome` (null where there is no answer), `exposure` (yes/no, or levels as text), the columns of `adjust`,
        `weight`, `cluster` (one or two columns; a null is somebody of their own) and `unit`.

    Raises
    ------
    UsageError
        If columns are missing or not what they must be.
    DataError
        If there is nothing to fit: no answers, one kind of answer, an exposure that never varies.

    Examples
    --------
    >>> frame = pl.DataFrame({"good": [1, 0, 1, 0, None] * 20, "fcr": [True, False] * 50, "tier": ["gold"] * 60 + [None] * 40})
    >>> coded = code(frame, outcome="good", exposure="fcr", adjust=["tier"])
    >>> coded.terms.names, coded.counted.rows()
    (('(constant)', 'fcr', 'tier: (not known)'), [('cases', 100), ('no answer', 20), ('used', 80)])
    """
    given(frame, adjust=adjust)
    ways = [cluster] if isinstance(cluster, str) else list(cluster or ())
    wanted = list(dict.fromkeys([*adjust, *([by] if by and by not in [_name(one) for one in adjust] else [])]))
    straight = tuple(one.name for one in wanted if isinstance(one, AsIs))
    named = [one for one in wanted if isinstance(one, str)]
    admit(frame, outcome=outcome, exposure=exposure, levels=named, straight=straight, kind=kind, weight=weight, ways=ways, by=by, unit=unit)
    slim = frame.lazy().select(
        *_exposure(frame, exposure),
        *(_level(frame, name).alias(name) for name in named),
        *(_number(frame[name]) for name in straight),
        *(pl.col(way).alias(alias) for way, alias in zip(ways, ("_g", "_h"), strict=False)),
        *([pl.col(unit).alias("_unit")] if unit else []),
        pl.col(outcome).cast(pl.Float64).fill_nan(None).alias("_y"),
        (pl.lit(1.0) if weight is None else pl.col(weight).cast(pl.Float64).fill_nan(None)).alias("_w"),
    )
    needed = [exposure, *straight, *(["_unit"] if unit else [])]
    rows, counted = _counted(slim.collect(), exposure=exposure, needed=needed)
    _enough(rows, counted, outcome=outcome, exposure=exposure, kind=kind)
    doses = () if rows[exposure].dtype == pl.Boolean else tuple(sorted(rows[exposure].unique().to_list()))
    factors, merged = _factors(rows, named, exposure=exposure, kind=kind, by=by)
    gone = [name for name in named if len(factors[name]) < 2]
    terms = Terms(exposure, doses, {name: levels for name, levels in factors.items() if name not in gone}, straight, None if by in gone else by)
    notes = [f"{name} has only one level with enough answers and is left out" for name in gone]
    return Coded(_as_levels(rows.drop(gone), terms), terms, counted, merged, tuple(notes))


def _name(one: str | AsIs) -> str:
    return one.name if isinstance(one, AsIs) else one


def _exposure(frame: pl.DataFrame, exposure: str) -> list[pl.Expr]:
    held = frame[exposure]
    if held.dtype.is_numeric():
        return [_number(held) == 1]
    return [pl.col(exposure).cast(pl.Boolean if held.dtype == pl.Null else pl.String) if held.dtype != pl.Boolean else pl.col(exposure)]


def _number(held: pl.Series) -> pl.Expr:
    """A column as numbers; moments count from their beginning, and what is no number is not known."""
    return (pl.col(held.name).to_physical() if held.dtype.is_temporal() else pl.col(held.name)).cast(pl.Float64).fill_nan(None)


def _level(frame: pl.DataFrame, name: str) -> pl.Expr:
    """The level of each row as text: bins for numbers and moments with many values, the value itself otherwise."""
    held = frame[name]
    ordered = held.dtype.is_numeric() or held.dtype.is_temporal()
    if not ordered or held.n_unique() <= BINS:
        plain = pl.col(name).fill_nan(None) if held.dtype.is_float() else pl.col(name)
        return (plain.to_physical() if held.dtype == pl.Duration else plain).cast(pl.String).fill_null(NOT_KNOWN)
    value = _number(held)
    known = frame.select(value).to_series().drop_nulls()
    quantiles = pl.Series([known.quantile(place / BINS, "lower") for place in range(1, BINS)], dtype=pl.Float64).unique().sort()
    cuts = quantiles.filter(quantiles < known.max())
    place = pl.lit(cuts).search_sorted(value.fill_null(0.0), side="left") + 1
    label = pl.lit("bin ") + place.cast(pl.String).str.zfill(2)
    return pl.when(value.is_not_null()).then(label).otherwise(pl.lit(NOT_KNOWN))


def _counted(rows: pl.DataFrame, *, exposure: str, needed: Sequence[str]) -> tuple[pl.DataFrame, pl.DataFrame]:
    """The rows that can stand for somebody, and what became of the others."""
    steps = [("cases", rows.height)]
    for name in needed:
        kept = rows.filter(pl.col(name).is_not_null())
        steps += [(f"{name.lstrip('_')} not known", rows.height - kept.height)]
        rows = kept
    # An answer that stands for nobody says nothing, and is not one of those that a finding rests on.
    weighed = (pl.col("_w") > 0).fill_null(False)
    blank = rows.filter(pl.col("_y").is_not_null() & ~weighed).height
    steps += [("no answer", rows["_y"].null_count()), ("answer without a weight", blank)]
    rows = rows.with_columns(_y=pl.when(weighed).then("_y"))
    told = [step for place, step in enumerate(steps) if place == 0 or step[1]] + [("used", rows["_y"].count())]
    return rows, pl.DataFrame(told, schema={"what": pl.String, "n": pl.Int64}, orient="row")


def _enough(rows: pl.DataFrame, counted: pl.DataFrame, *, outcome: str, exposure: str, kind: Kind) -> None:
    answered = rows.filter(pl.col("_y").is_not_null())
    problems = []
    if answered.is_empty():
        course = ", ".join(f"{n:,} {what}" for what, n in counted.iter_rows() if what != "used")
        problems += [f"no row has an answer in {outcome!r} that can be used ({course})"]
    elif answered["_y"].n_unique() == 1:
        problems += [f"all {answered.height:,} answers are the same: {outcome!r} is always {answered['_y'][0]:g}"]
    if answered.height and answered[exposure].n_unique() == 1:
        problems += [f"{exposure!r} is {_spelled(answered[exposure][0])} for all {answered.height:,} answers, so there is nothing to compare"]
    elif answered.height and kind == "logit":
        sides = answered.group_by(exposure).agg(least=pl.col("_y").min(), most=pl.col("_y").max(), n=pl.len()).sort(exposure)
        alike = sides.filter(pl.col("least") == pl.col("most"))
        problems += [
            f"all {n:,} answers with {exposure!r} = {_spelled(level)} are {_spelled(bool(value))}: a logit has no answer to that"
            for level, value, _, n in alike.head(MOST_NAMED).iter_rows()
        ]
    if problems:
        raise DataError(f"there is nothing to learn about {outcome!r} from these rows", list(dict.fromkeys(problems)))


def _spelled(value: object) -> str:
    return {True: "yes", False: "no"}[value] if isinstance(value, bool) else str(value)


def _factors(
    rows: pl.DataFrame, named: Sequence[str], *, exposure: str, kind: Kind, by: str | None
) -> tuple[dict[str, tuple[str, ...]], pl.DataFrame]:
    """The levels of every covariate, the most frequent first, and those that were put together."""
    factors, merged = {}, []
    answered = pl.col("_y").is_not_null()
    # A level whose answers all lie at one end has no estimate in a model of odds.
    ends = [pl.col("_y") > rows["_y"].min(), pl.col("_y") < rows["_y"].max()]
    sorts = [answered] if kind == "linear" else [answered & end for end in ends]
    sides = rows[exposure].unique().sort()
    for name in named:
        kinds = [one & (pl.col(exposure) == side) for one in sorts for side in sides] if name == by else sorts
        tally = rows.group_by(name).agg(_size=pl.len(), _answers=answered.sum(), _kinds=pl.concat_list([one.sum() for one in kinds]))
        kept, rare = _split(tally, name)
        others = rare.select(pl.lit(OTHERS).alias(name), pl.col("_size").sum()).unique() if rare.height else rare.select(name, "_size")
        known = pl.concat([kept.select(name, "_size"), others]).group_by(name).agg(pl.col("_size").sum()).sort(name)
        first = known.sort(pl.col("_size") * -1.0, name)[name][0]
        factors[name] = (first, *(level for level in known[name] if level != first))
        merged += [(name, level, answers) for level, answers in rare.sort(name).select(name, "_answers").iter_rows()]
    return factors, pl.DataFrame(merged, schema={"covariate": pl.String, "level": pl.String, "answers": pl.Int64}, orient="row")


def _split(tally: pl.DataFrame, name: str) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Levels that stand alone, and the rare ones; the next larger ones join these until they are not rare together."""
    ranked = tally.with_columns(_least=pl.col("_kinds").list.min()).sort("_least", name)
    rare = int((ranked["_least"] < FEWEST).sum())
    if not rare:
        return ranked, ranked.clear()
    sums = np.cumsum(np.array(ranked["_kinds"].to_list(), dtype=np.float64), axis=0).min(axis=1)
    enough = np.flatnonzero(sums[rare - 1 :] >= FEWEST)
    last = rare + int(enough[0]) if enough.size else ranked.height
    return ranked.slice(last), ranked.head(last)


def _as_levels(rows: pl.DataFrame, terms: Terms) -> pl.DataFrame:
    """Text columns as Enum, sorted by name; what is not among the levels belongs to the others."""
    levels = {name: sorted(known) for name, known in terms.factors.items()} | ({terms.exposure: list(terms.doses)} if terms.doses else {})
    kinds = {name: pl.Enum(known) for name, known in levels.items()}
    # What is no level becomes null, and then one of the others; that is half the work of asking each row whether it is a level.
    coded = rows.with_columns(pl.col(name).cast(kind, strict=False) for name, kind in kinds.items())
    return coded.with_columns(pl.col(name).fill_null(OTHERS) for name, known in levels.items() if OTHERS in known)


def _dummies(held: pl.Series, levels: Sequence[str]) -> Any:
    """One column per level but the first."""
    from scipy import sparse

    codes = held.cast(pl.String).cast(pl.Enum(list(levels))).to_physical().to_numpy().astype(np.int64)
    rows = np.flatnonzero(codes)
    return sparse.csr_array((np.ones(rows.size), (rows, codes[rows] - 1)), shape=(codes.size, len(levels) - 1))
