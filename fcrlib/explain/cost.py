"""What do the contacts after a failed first one cost, and how many of them would have come anyway?

Some customers come back for a reason of their own, and a rule takes such a contact for a repeat. How many do is read off a window of the same
length four weeks later, when the issue can hardly still be the reason. What is left is the excess.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import TYPE_CHECKING

import polars as pl

from fcrlib.judge.costs import follow_up_cost, total
from fcrlib.judge.intervals import t_quantile
from fcrlib.judge.rates import MIN_CONTACTS, MIN_CUSTOMERS, is_final
from fcrlib.judge.volume import DAY, ESTIMATES, by_day, followers
from fcrlib.model.columns import KEY
from fcrlib.model.errors import UsageError
from fcrlib.model.taxonomy import UNEXPLAINED

if TYPE_CHECKING:
    from fcrlib.study import Study

ALL = "all ways together"
LATER, LONGEST = 28 * DAY, 30
COUNTED = ("resolved", "failed", "pending", "repeat")
ROW = {
    "mode": pl.String, "name": pl.String, "bone": pl.String, "failed": pl.Int64, "customers": pl.Int64, "repeats": pl.Int64, "reopened": pl.Int64,
    "later": pl.Int64, "share": pl.Float64, "per_failed": pl.Float64, "per_failed_low": pl.Float64, "per_failed_high": pl.Float64,
    "per_first": pl.Float64, "per_first_low": pl.Float64, "per_first_high": pl.Float64, "anyway": pl.Float64, "excess": pl.Float64,
    "excess_low": pl.Float64, "excess_high": pl.Float64, "cost": pl.Float64, "cost_low": pl.Float64, "cost_high": pl.Float64,
    "excess_cost": pl.Float64, "excess_cost_low": pl.Float64, "excess_cost_high": pl.Float64, "too_few": pl.Boolean,
}  # fmt: skip
POINT = {
    "points": pl.Float64, "first": pl.Int64, "failed": pl.Int64, "fewer_failed": pl.Float64, "contacts": pl.Float64, "contacts_low": pl.Float64,
    "contacts_high": pl.Float64, "cost": pl.Float64, "cost_low": pl.Float64, "cost_high": pl.Float64, "currency": pl.String, "anyway": pl.Boolean,
}  # fmt: skip
Sums = Mapping[str, float]


def of_repeats(study: Study, *, tags: pl.DataFrame | None = None) -> pl.DataFrame:
    """What followed the failed first contacts of the period: all together, then by way of failing, the most contacts first.

    A later contact is a repeat of the issue, or its reopening, as one more. Contacts after the data end are not seen. Repeats that would have
    come anyway are as frequent per first contact as contacts of the same customers about the same thing in the later window; where fewer than
    30 first contacts of the period are old enough for one, all of the desk are asked. Which way of failing they stand under cannot be seen, so
    they are spread over the ways in proportion to their repeats.

    Parameters
    ----------
    tags
        The frame of `failure_modes.tagged`; its primary modes are told apart. Without it, there is the first row only.

    Returns
    -------
    pl.DataFrame
        `mode` (null in the first row), `name`, `bone`, `failed` first contacts, their `customers`, `repeats`, `reopened`, `later` (both together),
        `share` of all later contacts, `per_failed` = later / failed, `per_first` = later / all first contacts, `anyway` (repeats that come without
        any failure, to go by the later window), `excess` = later - anyway, `cost` of the later contacts (as in `failure_modes.rank`),
        `excess_cost` (the part of it that is in excess), all but `anyway` with `_low`, `_high` (95 %, by customer), `too_few` (fewer than 30
        failed contacts or 10 customers: what is per contact and in excess is blank). What came anyway is null where the policy knows no window
        or sees only links or likeness of words, or the desk knows no customers; costs are null where a contact has no rate. Unexplained last.

    References
    ----------
    Särndal, Swensson and Wretman (1992), Model Assisted Survey Sampling, section 5.5 (Taylor linearisation, here by customer). Lipsitch, Tchetgen
    Tchetgen and Cohen (2010), Epidemiology 21, 383-388 (negative controls).
    """
    first = _followed(study)
    failed = first.filter(pl.col("label") == "failed")
    if failed.is_empty():
        return pl.DataFrame(schema=ROW)
    quiet = _quiet(study)
    rows = [_row(first, quiet, pl.lit(True), (None, ALL, None))]
    if tags is not None:
        first = first.join(tags.filter("primary").select(*KEY, "mode", "name", "bone"), on=KEY, how="left", maintain_order="left")
        ways = first.drop_nulls("mode").group_by("mode", "name", "bone").agg(pl.col("later").sum())
        ways = ways.sort(pl.col("mode") == UNEXPLAINED, pl.col("later") * -1, "mode")
        rows += [_row(first, quiet, pl.col("mode").eq_missing(pl.lit(way[0])), way) for way in ways.select("mode", "name", "bone").iter_rows()]
    return pl.concat(rows)


def _followed(study: Study) -> pl.DataFrame:
    """All first contacts of the period with what followed those that failed."""
    spent = follow_up_cost(study.everything, rates=study.costs).select(*KEY, later="later_contacts", cost="cost")
    first = study.first_contacts.select(*KEY, "label", "customer", reopened=pl.col("reasons").list.contains("reopened").fill_null(False))
    rows = first.join(spent, on=KEY, how="left", maintain_order="left").sort(KEY)
    failed = pl.col("label") == "failed"
    return rows.with_columns(pl.col("later").fill_null(0), reopened=failed & pl.col("reopened"), cost=pl.when(failed).then("cost").otherwise(0.0))


def _same(study: Study) -> list[str]:
    """What makes two contacts one issue here, as columns; nothing where columns do not say it, or nobody is known."""
    keys = {"category": ["customer", "category"], "any": ["customer"]}.get(study.policy.same_issue, [])
    keys = keys if study.policy.across_channels or not keys else [*keys, "channel"]
    return keys if study.everything["customer"].count() else []


def _among(study: Study, same: list[str]) -> pl.DataFrame:
    return study.everything.filter(pl.col("label").cast(pl.String).is_in(COUNTED)).select(*same, opened_at="start_at")


def _quiet(study: Study) -> pl.DataFrame:
    """First contacts old enough for the later window: `customer` and how many contacts came `back` in it."""
    window, same = study.policy.window, _same(study)
    if not window or not same:
        return pl.DataFrame(schema={"customer": pl.String, "back": pl.Int64})
    start, among = max(LATER, window), _among(study, same)
    within = start + window

    def old(index: pl.DataFrame) -> pl.DataFrame:
        return followers(index, among=among, same=same, within=within, start="anchor_at").filter(pl.col("seen") >= within / DAY)

    found = old(study.first_contacts)
    if found.height < MIN_CONTACTS:
        found = old(study.everything.filter(pl.col("label").cast(pl.String).is_in(COUNTED[:3])))
    return found.select("customer", back=pl.col("times").list.eval(pl.element() > start / DAY).list.sum().fill_null(0).cast(pl.Int64))


def _row(first: pl.DataFrame, quiet: pl.DataFrame, what: pl.Expr, named: tuple[str | None, str, str | None]) -> pl.DataFrame:
    """One way of failing, or all of them."""
    sums, failed = _sums(first, quiet, what), first.filter(pl.col("label") == "failed").with_columns(mine=what)
    counts = {"failed": pl.len(), "reopened": pl.col("reopened").sum(), "later": pl.col("later").sum()}
    counted = failed.filter("mine").select(customers=_people(), **{name: value.cast(pl.Int64) for name, value in counts.items()})
    whole = int(first["later"].sum()) or None
    parts = [
        pl.DataFrame([named], schema=dict.fromkeys(("mode", "name", "bone"), pl.String), orient="row"),
        counted.with_columns(repeats=pl.col("later") - pl.col("reopened"), share=pl.col("later") / pl.lit(whole, pl.Int64)),
        *(_limits(sums, name, measure) for name, measure in MEASURES.items()),
        total(failed, what=pl.col("mine")),
    ]
    table = pl.concat(parts, how="horizontal")
    few = (pl.col("failed") < MIN_CONTACTS) | (pl.col("customers") < MIN_CUSTOMERS)
    blank = [pl.when(~few).then(name).alias(name) for name in ROW if name.startswith(("per_", "anyway", "excess"))]
    told = table.with_columns(blank).with_columns(
        pl.when(pl.col("cost").is_not_null()).then(pl.col("excess_cost", "excess_cost_low", "excess_cost_high")).name.keep(), too_few=few
    )
    return told.select(pl.col(name).cast(kind) for name, kind in ROW.items())


def _people() -> pl.Expr:
    """How many customers there are; a contact of nobody known is one of its own."""
    return (pl.col("customer").drop_nulls().n_unique() + pl.col("customer").null_count()).cast(pl.Int64)


def _sums(first: pl.DataFrame, quiet: pl.DataFrame, what: pl.Expr) -> pl.DataFrame:
    """What each customer adds to every total that the measures are made of."""
    failed = pl.col("label") == "failed"
    mine = failed & what.fill_null(False)
    repeats = pl.col("later") - pl.col("reopened").cast(pl.Int64)
    told = first.select(
        "customer", first=1.0, failed=failed, repeats=repeats, later="later", mine=mine, mine_repeats=pl.when(mine).then(repeats).otherwise(0),
        mine_later=pl.when(mine).then("later").otherwise(0), mine_cost=pl.when(mine).then("cost").otherwise(0.0),
    )  # fmt: skip
    asked = quiet.select("customer", old=1.0, back="back")
    both = pl.concat([frame.with_columns(pl.exclude("customer").cast(pl.Float64)) for frame in (told, asked)], how="diagonal")
    alone = pl.when(pl.col("customer").is_null()).then(pl.int_range(pl.len()))
    numbers = pl.exclude("customer", "alone").fill_null(0.0)
    # Sums of money are added in a stated order, so that the last digit does not depend on the order of the rows.
    grouped = both.sort("customer", "mine_cost", nulls_last=True).group_by("customer", alone=alone, maintain_order=True).agg(numbers.sum())
    return grouped.drop("customer", "alone")


def _anyway(t: Sums) -> float | None:
    """Repeats of these contacts that come without a failure: the later window's per first contact, in proportion to all repeats."""
    if not t["old"] or not t["repeats"]:
        return 0.0 if t["old"] else None
    return t["first"] * t["back"] / t["old"] * t["mine_repeats"] / t["repeats"]


def _excess(t: Sums) -> float | None:
    return None if (anyway := _anyway(t)) is None else t["mine_later"] - anyway


def _excess_cost(t: Sums) -> float | None:
    excess = _excess(t)
    return None if excess is None else t["mine_cost"] * excess / t["mine_later"] if t["mine_later"] else 0.0


MEASURES: dict[str, Callable[[Sums], float | None]] = {
    "per_failed": lambda t: t["mine_later"] / t["mine"] if t["mine"] else None,
    "per_first": lambda t: t["mine_later"] / t["first"],
    "anyway": _anyway,
    "excess": _excess,
    "excess_cost": _excess_cost,
}


def _limits(sums: pl.DataFrame, name: str, measure: Callable[[Sums], float | None]) -> pl.DataFrame:
    """A function of totals with its 95 % interval: linearised by customer, the slope in each total taken by a small step to either side."""
    totals = {column: float(sums[column].sum()) for column in sums.columns}
    value = measure(totals)
    kinds = dict.fromkeys((name, f"{name}_low", f"{name}_high"), pl.Float64)
    if value is None:
        return pl.DataFrame([(None, None, None)], schema=kinds, orient="row")
    score = pl.sum_horizontal(pl.col(column) * _slope(totals, column, measure) for column in sums.columns)
    spread = sums.select(score.std() * pl.len().sqrt()).item()
    reach = t_quantile(pl.Series([sums.height]))[0]
    half = None if spread is None or reach is None else spread * reach
    return pl.DataFrame([(value, *((None, None) if half is None else (value - half, value + half)))], schema=kinds, orient="row")


def _slope(totals: Sums, column: str, measure: Callable[[Sums], float | None]) -> float:
    step = max(abs(totals[column]), 1.0) * 1e-5
    up, down = (measure({**totals, column: totals[column] + way * step}) for way in (1, -1))
    return 0.0 if up is None or down is None else (up - down) / (2 * step)


def of_a_point(study: Study, *, points: float = 0.01) -> pl.DataFrame:
    """What follows as many failed first contacts as make one point of first contact resolution.

    The failed contacts are taken to be like the average one. Whether those that a change resolves are, nobody knows beforehand.

    Parameters
    ----------
    points
        The difference of first contact resolution, in 0..1.

    Returns
    -------
    pl.DataFrame
        One row: `points`, `first` contacts of the period, `failed` of them, `fewer_failed` = points x first, `contacts` that follow so many
        with `contacts_low`, `contacts_high` (95 %, by customer), their `cost` with `cost_low`, `cost_high`, its `currency`, and whether what
        comes `anyway` is taken off (it is where it is known). No row where fewer than 30 first contacts or 10 customers failed.

    Raises
    ------
    UsageError
        If `points` is no share.
    """
    if not isinstance(points, float | int) or not 0 < points <= 1:
        raise UsageError(f"points: {points!r} must be a share of all first contacts, above 0 and at most 1 (one point is 0.01)")
    first, quiet = _followed(study), _quiet(study)
    whole = _row(first, quiet, pl.lit(True), (None, ALL, None))
    if whole["too_few"][0]:
        return pl.DataFrame(schema=POINT)
    known, sums = whole["anyway"][0] is not None, _sums(first, quiet, pl.lit(True))
    many, money = (MEASURES["excess"], MEASURES["excess_cost"]) if known else (lambda t: t["mine_later"], lambda t: t["mine_cost"])

    def point(of: Callable[[Sums], float | None]) -> Callable[[Sums], float | None]:
        return lambda t: None if (value := of(t)) is None or not t["mine"] else points * t["first"] * value / t["mine"]

    parts = [_limits(sums, "contacts", point(many)), _limits(sums, "cost", point(money))]
    table = pl.concat([whole.select("failed", priced="cost"), *parts], how="horizontal")
    priced = [pl.when(pl.col("priced").is_not_null()).then(name).alias(name) for name in ("cost", "cost_low", "cost_high")]
    size = {"first": pl.lit(first.height), "fewer_failed": pl.lit(points * first.height)}
    told = table.with_columns(*priced, points=pl.lit(points), currency=pl.lit(study.costs.currency), anyway=pl.lit(known), **size)
    return told.select(pl.col(name).cast(kind) for name, kind in POINT.items())


def volume(study: Study, *, days: int = LONGEST) -> pl.DataFrame:
    """Mean number of further contacts about the same thing by each day after the start of a failed first contact, and of a resolved one.

    Only first contacts of the period with a final verdict and a known customer are asked, each for as long as it has been seen. That nothing
    follows a resolved one at first is what resolved means; what follows later is what comes anyway.

    Returns
    -------
    pl.DataFrame
        `verdict` (failed, resolved), `day` (0 to `days`), then `at_risk`, `events`, `mean` (contacts per first contact), `se`, `low`, `high`
        (95 %, by customer), `n`, `clusters` as in `volume.by_day`. Empty where customers are not known, or a policy sees only links or
        likeness of words.
    """
    schema = (
        {"verdict": pl.String, "day": pl.Float64}
        | dict.fromkeys(ESTIMATES, pl.Float64)
        | dict.fromkeys(("at_risk", "events", "n", "clusters"), pl.Int64)
    )
    if not isinstance(days, int) or days < 1:
        raise UsageError(f"days: {days!r} must be a whole number of days, at least 1")
    same = _same(study)
    index = study.first_contacts.filter(is_final(), pl.col("customer").is_not_null())
    if not same or index.is_empty():
        return pl.DataFrame(schema=schema)
    seen = followers(index, among=_among(study, same), same=same, within=timedelta(days=days))
    if seen.is_empty():
        return pl.DataFrame(schema=schema)
    seen = seen.with_columns(verdict=pl.col("label").cast(pl.String))
    return by_day(seen, times="times", seen="seen", days=range(days + 1), by="verdict", cluster="customer").cast(schema)  # type: ignore[arg-type]


def published() -> pl.DataFrame:
    """Two examples of this arithmetic that vendors have published, worked out again.

    Returns
    -------
    pl.DataFrame
        `example`, `contacts` a month, `share` of them that comes back, `later` = contacts x share, `unit_cost`, `cost` = later x unit_cost,
        `printed` (what the source says), `note`.

    Examples
    --------
    >>> published().select("later", "cost", "printed").rows()
    [(750.0, 5760.0, 5760.0), (12250.0, 122500.0, 120000.0)]
    """
    rows = [
        ("billing contacts, 15 in 100 call again", 5_000.0, 0.15, 7.68, 5_760.0, "as printed"),
        (
            "all contacts, 35 in 100 not resolved, 35 in 100 of these come back",
            100_000.0,
            0.35 * 0.35,
            10.0,
            120_000.0,
            "printed rounded; not every contact that is not resolved comes back",
        ),
    ]
    table = pl.DataFrame(rows, schema=["example", "contacts", "share", "unit_cost", "printed", "note"], orient="row")
    worked = table.with_columns(later=(pl.col("contacts") * pl.col("share")).round(6)).with_columns(
        cost=(pl.col("later") * pl.col("unit_cost")).round(6)
    )
    return worked.select("example", "contacts", "share", "later", "unit_cost", "cost", "printed", "note")
