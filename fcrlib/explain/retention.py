"""Do customers stay whose first contacts were resolved?

A clock that starts while the verdict is still open would compare people who have to stay to be counted with people who have not. So
each customer is followed from the moment on which all verdicts of their period are final, those who had left by then are counted and left out,
and everybody is followed for the same number of days. Whose days are not over yet is left out as well, whether or not they have left:
a customer who has left is known early, one who stays only at the end.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import polars as pl

from fcrlib.judge.rates import INDEX, is_final, rate
from fcrlib.model import evidence
from fcrlib.model.columns import named
from fcrlib.model.errors import DataError, UsageError

if TYPE_CHECKING:
    from fcrlib.fits.effect import Effect
    from fcrlib.model.period import Period
    from fcrlib.study import Study

HORIZON_DAYS = 90
ADJUST = ("tier", "channel", "category", "asked", "tenure_days", "period")
"""What customers bring along, as the columns of the frame that a comparison holds equal."""
SEVERAL, NEVER_SEEN = "several", "not in the list of customers"
GONE, OPEN, EARLY, YOUNG, USED = (
    "had left before they wrote", "with a verdict still open", "left before the verdicts were final", "not yet followed for {days} days", "followed to the end",
)  # fmt: skip
DESIGN = evidence.Design(adjusted=True, weighted=True, timing_known=True, response_known=True, sensitivity_reported=True)
"""Nobody had to be asked, everybody is followed from when their verdicts were final, and the sentence says how strong something unseen would have to be."""
COLUMNS: dict[str, pl.DataType | type[pl.DataType]] = {
    "customer": pl.String, "period": pl.String, "left": pl.Boolean, "all_resolved": pl.Boolean, "failed_share": pl.Float64, "failed": pl.Int64,
    "contacts": pl.Int64, "failures": pl.String, "asked": pl.String, "tier": pl.String, "channel": pl.String, "category": pl.String,
    "tenure_days": pl.Float64, "from_at": pl.Datetime("us", "UTC"), "days_stayed": pl.Float64,
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Retention:
    """Customers who were followed, and those who could not be.

    `frame`: one row per customer and period, sorted by period and customer: `customer`, `period` (label), `left` (within `horizon_days` of
    `from_at`), `all_resolved` (none of their first contacts of the period failed), `failed_share` (0..1), `failed`, `contacts` (first
    contacts), `failures` (none, one, two or more), `asked` (once, twice, more often), `tier` (of the last contact), `channel`, `category`
    (`several` where they differ), `tenure_days` (at `from_at`; null where nobody knows), `from_at` (every verdict is final), `days_stayed`
    (from then until they left, at most `horizon_days`).
    `counted`: `what`, `n` (customers, once per period): all of them, each reason to leave one out, and who is left.
    `horizon_days`: for how long each is followed.
    `contacts_of_nobody`: first contacts whose customer is not known.
    """

    frame: pl.DataFrame
    counted: pl.DataFrame
    horizon_days: int
    contacts_of_nobody: int


@dataclass(frozen=True, slots=True)
class Comparison:
    """Who left, among customers alike in `adjust`: `effect` of all first contacts resolved (null where it cannot be told, `why` then says it)."""

    effect: Effect | None
    why: str
    adjust: tuple[str, ...]
    horizon_days: int


def of_study(study: Study, *, horizon_days: int = HORIZON_DAYS) -> Retention:
    """Follow the customers who had a first contact in the period of the study, or in one of the same length before it.

    The newest period has rarely been over for long enough, so the periods before it are what this rests on.

    Returns
    -------
    Retention
        Without rows where the desk does not say who left.

    Raises
    ------
    UsageError
        If `horizon_days` is no whole number of days.
    """
    if not isinstance(horizon_days, int) or horizon_days < 1:
        raise UsageError(f"horizon_days: {horizon_days!r} must be a whole number of days, at least 1")
    if study.lacks("has_retention"):
        return Retention(pl.DataFrame(schema=COLUMNS), pl.DataFrame(schema={"what": pl.String, "n": pl.Int64}), horizon_days, 0)
    contacts = _first_contacts(study)
    seen = _seen(contacts.drop_nulls("customer")).join(_members(study), on="customer", how="left", maintain_order="left")
    end = pl.lit(study.desk.manifest.data_end).dt.convert_time_zone("UTC")
    marked = seen.with_columns(what=_standing(end, horizon_days=horizon_days))
    used = marked.filter(pl.col("what") == USED).with_columns(_measured(horizon_days))
    return Retention(used.select(list(COLUMNS)), _counted(marked, horizon_days=horizon_days), horizon_days, contacts["customer"].null_count())


def shares(retention: Retention, *, by: str = "all_resolved") -> pl.DataFrame:
    """Share of customers who left, by what became of their contacts, as it is: nothing is held equal.

    Parameters
    ----------
    by
        A column of `Retention.frame`, e.g. `all_resolved` or `failures`.

    Returns
    -------
    pl.DataFrame
        One row per level, sorted: `by`, `n` (customers, once per period), `clusters` (customers), `share` who left, `low`, `high` (95 %), `deff`.
    """
    if by not in retention.frame.columns:
        raise UsageError(f"by: there is no column '{by}'; there are {', '.join(COLUMNS)}")
    return rate(retention.frame, "left", by=by, cluster="customer")


def compare(retention: Retention, *, adjust: Sequence[str] = ADJUST) -> Comparison:
    """Compare customers whose first contacts were all resolved with customers like them of whom one failed.

    A logit of `left`, standardised to all who were followed; intervals by customer.

    Parameters
    ----------
    adjust
        Columns of `Retention.frame` that are held equal.

    References
    ----------
    Robins (1986), Mathematical Modelling 7, 1393-1512 (standardisation by g-computation).
    """
    if retention.frame.is_empty():
        return Comparison(None, "nobody could be followed for long enough", tuple(adjust), retention.horizon_days)
    asked: dict[str, Any] = {"outcome": "left", "exposure": "all_resolved", "kind": "logit", "weight": None, "by": None}
    try:
        return Comparison(_fitted(retention.frame, asked, adjust=adjust), "", tuple(adjust), retention.horizon_days)
    except DataError as problem:
        # A quarter in which nobody left, or nothing failed, is no mistake of the reader's.
        return Comparison(None, " ".join(str(problem).split()), tuple(adjust), retention.horizon_days)


def _fitted(frame: pl.DataFrame, asked: dict[str, Any], *, adjust: Sequence[str]) -> Effect:
    from fcrlib.fits import regression
    from fcrlib.fits.cells import gather
    from fcrlib.fits.design import code
    from fcrlib.fits.effect import assemble

    coded = code(frame, adjust=list(adjust), cluster=["customer"], **asked)
    cells = gather(coded)
    spec = {**asked, "adjust": [name for name in adjust if name in coded.terms.covariates], "cluster": ["customer"]}
    return assemble(regression.fit(cells, coded.terms, kind="logit"), cells, coded, spec=spec, graded=evidence.grade(DESIGN))


def published() -> pl.DataFrame:
    """What others claim about leaving, to be known and not to be used: none of it says how it was measured.

    Returns
    -------
    pl.DataFrame
        `claim`, `source`, `caveat`.

    Examples
    --------
    >>> published()["claim"].to_list()
    ['95 % of customers stay if their issue was resolved', 'customers who need two or more contacts leave three times as often']
    """
    rows = (
        ("95 % of customers stay if their issue was resolved", "a vendor's page of best practices (Sycurio)", "it names no study"),
        (
            "customers who need two or more contacts leave three times as often",
            "a vendor's buyer's guide, which credits Gartner",
            "it names neither the study nor the time in which they leave; who needs more contacts differs in other ways as well",
        ),
    )
    return pl.DataFrame(rows, schema=["claim", "source", "caveat"], orient="row")


def _periods(study: Study) -> list[Period]:
    """The period of the study and those before it, as far as the data reaches back, the earliest first."""
    periods, start = [study.period], study.desk.manifest.data_start
    while (earlier := periods[0].previous()).bounds(time_zone=study.time_zone)[0] >= start:
        periods.insert(0, earlier)
    return periods


def _first_contacts(study: Study) -> pl.DataFrame:
    """The first contacts of all these periods, each with the `period` in which it started."""
    started = pl.col("start_at")
    when = [pl.when(one.covers(started, time_zone=study.time_zone)).then(pl.lit(one.label)) for one in _periods(study)]
    index = study.everything.filter(pl.col("label").is_in([*INDEX, "pending"]))
    return index.with_columns(period=pl.coalesce(when), final=is_final()).drop_nulls("period")


def _seen(contacts: pl.DataFrame) -> pl.DataFrame:
    """One row per period and customer: what they asked, how it went, and when that was known."""
    failed, last = pl.col("label") == "failed", pl.col("start_at").arg_max()
    ended = pl.max_horizontal("start_at", "anchor_at", "horizon_at", "failed_at")
    seen = contacts.group_by("period", "customer").agg(
        failed=failed.sum().cast(pl.Int64),
        contacts=pl.len().cast(pl.Int64),
        first_at=pl.col("start_at").min(),
        from_at=ended.max(),
        final=pl.col("final").all(),
        tier=pl.col("tier").get(last),
        channel=_one_or_several("channel"),
        category=_one_or_several("category"),
    )
    return seen.with_columns(
        all_resolved=pl.col("failed") == 0,
        failed_share=pl.col("failed") / pl.col("contacts"),
        failures=_spelled("failed", 0, ("none", "one", "two or more")),
        asked=_spelled("contacts", 1, ("once", "twice", "more often")),
    ).sort("period", "customer")


def _one_or_several(column: str) -> pl.Expr:
    """The only value, `several` where there are more, null where nothing is known."""
    known = pl.col(column).cast(pl.String).drop_nulls()
    return pl.when(known.n_unique() > 1).then(pl.lit(SEVERAL)).otherwise(known.first()).alias(column)


def _spelled(column: str, lowest: int, words: tuple[str, str, str]) -> pl.Expr:
    number = pl.col(column) - lowest
    return pl.when(number <= 0).then(pl.lit(words[0])).when(number == 1).then(pl.lit(words[1])).otherwise(pl.lit(words[2]))


def _members(study: Study) -> pl.DataFrame:
    """The list of customers under the names that the contacts' customers have; who has several names is there while one of them is."""
    listed = study.desk.customers.with_columns(customer=named("customer_ref"))
    if study.people is not None:
        who = ["source", "customer_ref"]
        joined = listed.join(study.people.people, on=who, how="left", maintain_order="left")
        listed = joined.with_columns(customer=pl.coalesce("person", "customer"))
    gone = pl.when(pl.col("left_at").is_not_null().all()).then(pl.col("left_at").max())
    return listed.group_by("customer").agg(pl.col("since").min(), gone.alias("left_at"), listed=pl.lit(True)).sort("customer")


def _standing(end: pl.Expr, *, horizon_days: int) -> pl.Expr:
    """Why a customer is not followed, or that they are; the first line that holds decides."""
    left, start = pl.col("left_at"), pl.col("from_at")
    lines = (
        (pl.col("listed").is_null(), NEVER_SEEN),
        (left <= pl.col("first_at"), GONE),
        (~pl.col("final"), OPEN),
        (left <= start, EARLY),
        (start + timedelta(days=horizon_days) > end, YOUNG),
    )
    return pl.coalesce(*(pl.when(holds).then(pl.lit(what)) for holds, what in lines), pl.lit(USED))


def _measured(horizon_days: int) -> list[pl.Expr]:
    day = pl.duration(days=1)
    stayed = ((pl.col("left_at") - pl.col("from_at")) / day).fill_null(float("inf")).clip(upper_bound=float(horizon_days))
    until = pl.col("from_at") + timedelta(days=horizon_days)
    return [
        (pl.col("left_at") <= until).fill_null(False).alias("left"),
        ((pl.col("from_at") - pl.col("since")) / day).alias("tenure_days"),
        stayed.alias("days_stayed"),
    ]


def _counted(marked: pl.DataFrame, *, horizon_days: int) -> pl.DataFrame:
    """How many customers, once per period, met each line; all of them first."""
    tally = dict(marked["what"].value_counts().iter_rows())
    lines = (NEVER_SEEN, GONE, OPEN, EARLY, YOUNG, USED)
    rows = [("customers with a first contact", marked.height), *((what.format(days=horizon_days), tally.get(what, 0)) for what in lines)]
    return pl.DataFrame(rows, schema={"what": pl.String, "n": pl.Int64}, orient="row")
