"""Which customers leave the invented company, and when?

Once a quarter every customer may decide to leave: at `Truth.leaving`, moved by the confounders, and by `Truth.churn_effect` more where one of
the quarter's first contacts failed. Who decides goes within 90 days after the last of these contacts was settled. Among customers
who are alike in all of this, those who write no more go first, as it would be odd if people went on writing for a year after they had left.
"""

from __future__ import annotations

import numpy as np
import polars as pl

from fcrlib.intake.demo.arrivals import DAY, named
from fcrlib.intake.demo.outcomes import inside
from fcrlib.intake.demo.people import Customers, Ints, customer_refs, stream, tiers
from fcrlib.intake.demo.truth import TIERS, Truth

SETTLED = 8 * DAY  # by then everybody knows whether a contact failed
WITHIN = 89 * DAY
_WINDOW = 7 * DAY
_UNKNOWN = 0.02  # of whom nobody knows since when they are customers


def customer_table(cases: pl.DataFrame, *, seed: int, truth: Truth, customers: Customers, start: int, end: int) -> pl.DataFrame:
    """List the customers as the export knows them at `end` (seconds).

    Returns
    -------
    DataFrame
        `source`, `customer_ref`, `since`, `left_at` (null for who is still there).
    """
    people = len(customers.weight)
    rng, first = stream(seed, "customers", "since"), _first_seen(cases, people=people, start=start)
    left = _left(cases, seed=seed, truth=truth, customers=customers)
    first = np.minimum(first, left.fill_null(np.iinfo(np.int64).max).to_numpy())
    since = first // DAY * DAY - DAY - (rng.gamma(1.2, 400, people) * DAY).astype(np.int64)
    known = rng.random(people) >= _UNKNOWN
    return pl.DataFrame({"person": np.arange(people), "since": since, "known": known, "left": left}).select(
        pl.lit("demo").alias("source"),
        customer_refs(pl.col("person")).alias("customer_ref"),
        _moment(pl.when("known").then("since")).alias("since"),
        _moment(pl.when(pl.col("left") <= end).then("left")).alias("left_at"),
    )


def _moment(at: pl.Expr) -> pl.Expr:
    return (at * 1_000_000).cast(pl.Datetime("us", "UTC"))


def _first_seen(cases: pl.DataFrame, *, people: int, start: int) -> Ints:
    """When each customer first wrote, but no later than the start for who never did."""
    first = np.full(people, np.iinfo(np.int64).max)
    np.minimum.at(first, cases["customer"].to_numpy(), cases["opened"].to_numpy())
    return np.where(first == np.iinfo(np.int64).max, start, first)


def _left(cases: pl.DataFrame, *, seed: int, truth: Truth, customers: Customers) -> pl.Series:
    """When each customer leaves (seconds), null for who does not decide to."""
    people, calls = pl.DataFrame({"customer": np.arange(len(customers.weight))}), _first_contacts(cases, truth=truth)
    last = calls.group_by("customer").agg(pl.col("opened").min().alias("first"), pl.col("opened").max().alias("last"))
    people = people.join(last, on="customer", how="left", maintain_order="left").with_columns(left=pl.lit(None, pl.Int64))
    people = people.with_columns(chance=_resting(people["customer"].to_numpy(), truth=truth, customers=customers))
    first, final = (calls.select(edge).item() for edge in (pl.col("quarter").min(), pl.col("quarter").max()))
    before = calls.clear()
    for quarter in range(first, final + 1):
        mine = calls.filter(pl.col("quarter") == quarter)
        people = _decided(people, mine, before=before, quarter=quarter, seed=seed)
        before = mine
    return people["left"]


def _first_contacts(cases: pl.DataFrame, *, truth: Truth) -> pl.DataFrame:
    """The contacts that begin an issue and have an end: who, when, whether it failed, and the chance of leaving that goes with it."""
    soon = cases.filter(pl.col("relation") == "background").select(key="parent", came="opened")
    soon = soon.group_by("key").agg(pl.col("came").min())
    known = cases.with_columns(moved=sum((c.leaving * inside(cases, c.cell) for c in truth.confounders), np.zeros(cases.height)))
    began = known.filter(
        pl.col("relation").is_in(["first", "background", "second try"])
        & pl.col("fate").is_in(["normal", "outreach-reply"])
        & ~pl.col("anonymous")
        & pl.col("t_solved").is_not_null()
    ).join(soon, on="key", how="left", maintain_order="left")
    # Who writes again within the window for a reason of their own is counted as failed by everybody who only sees the contacts.
    failed = pl.col("fails") | (pl.col("came") - pl.col("t_solved") <= _WINDOW).fill_null(False)
    moment = pl.from_epoch("opened", time_unit="s")
    return began.select(
        "customer",
        "opened",
        (moment.dt.year() * 4 + (moment.dt.month() - 1) // 3).cast(pl.Int64).alias("quarter"),
        settled=pl.col("t_solved") + SETTLED,
        failed=failed,
        chance=truth.leaving + pl.col("moved") + truth.churn_effect * failed.cast(pl.Float64),
    )


def _resting(who: Ints, *, truth: Truth, customers: Customers) -> pl.Series:
    """The chance of leaving in a quarter in which nothing happened: the desk's own, moved where the customer's tier alone says so."""
    tier = pl.DataFrame({"tier": named(TIERS, tiers(customers, who).replace_strict({name: n for n, name in enumerate(TIERS)}).to_numpy())})
    of_tier = [c for c in truth.confounders if set(c.cell) == {"tier"}]
    return pl.Series(np.clip(truth.leaving + sum((c.leaving * inside(tier, c.cell) for c in of_tier), np.zeros(len(who))), 0, 1))


def _decided(people: pl.DataFrame, mine: pl.DataFrame, *, before: pl.DataFrame, quarter: int, seed: int) -> pl.DataFrame:
    """Let those who are still there decide for one quarter; who wrote in the quarter before has had their chance there."""
    rng = stream(seed, "leaving", str(quarter))
    dice = pl.DataFrame({name: rng.random(people.height) for name in ("luck", "order", "day")})
    wrote = mine.group_by("customer").agg(
        pl.col("failed").any(), pl.col("settled").max(), pl.col("chance").max().alias("acute"), n=pl.len().clip(1, 3), latest=pl.col("opened").max()
    )
    risk = people.with_columns(dice).join(wrote, on="customer", how="left", maintain_order="left")
    begins = pl.lit(int(np.datetime64(f"{quarter // 4}-{quarter % 4 * 3 + 1:02}", "s").astype(np.int64)))
    # Who has yet to write for the first time may not have been a customer then.
    here = (pl.col("first") < begins).fill_null(True)
    idle = pl.col("n").is_null() & here & ~pl.col("customer").is_in(before["customer"].implode())
    risk = risk.with_columns(
        open=pl.col("left").is_null() & (pl.col("n").is_not_null() | idle),
        p=pl.coalesce("acute", "chance").clip(0, 1),
        since=pl.coalesce("settled", begins),
        quiet=(pl.col("last") <= pl.coalesce("latest", begins)).fill_null(True),
    )
    alike = ["open", "failed", "n", "p"]
    number = (pl.col("luck") < pl.col("p")).sum().over(alike)
    place = pl.struct(~pl.col("quiet"), "order").rank("ordinal").over(alike)
    goes = pl.col("open") & (place <= number)
    when = pl.col("since") + (pl.col("day") * WITHIN).cast(pl.Int64)
    return risk.select("customer", "first", "last", pl.when(goes).then(when).otherwise("left").alias("left"), "chance")
