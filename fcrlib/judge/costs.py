"""What did the contacts after a failed one cost?"""

from __future__ import annotations

import polars as pl

from fcrlib.judge.intervals import t_quantile
from fcrlib.model.columns import KEY
from fcrlib.model.costs import Rates


def follow_up_cost(everything: pl.DataFrame, *, rates: Rates) -> pl.DataFrame:
    """Price what followed each failed contact: the later contacts about the same issue, and its reopening.

    The failed contact itself is not counted: it would have cost something anyway. Its agent hours where they are known and an hour has a rate,
    otherwise the rate of its channel, price a later contact; a reopening costs what a contact of its channel does. Contacts after the data end
    are not seen.

    Parameters
    ----------
    everything
        All contacts of the desk, judged: `source`, `contact_id`, `label`, `issue`, `reasons`, `channel`, `handle_seconds`.
    rates
        The rates of the project.

    Returns
    -------
    pl.DataFrame
        One row per failed contact, by `source`, `contact_id`: `later_contacts` (repeats of its issue, and its reopening as one more), `cost` in the
        currency of the rates; null where one of these has no rate, and for every contact where there are no rates at all.

    Examples
    --------
    >>> everything = pl.DataFrame({
    ...     "source": ["zd"] * 3, "contact_id": list("123"), "label": ["failed", "repeat", "failed"], "issue": ["zd:1", "zd:1", "zd:3"],
    ...     "reasons": [["repeat_contact"], None, ["reopened"]], "channel": ["email", "phone", "email"], "handle_seconds": [None, 600.0, None],
    ... })
    >>> follow_up_cost(everything, rates=Rates(contact=5.0, hour=36.0)).rows()
    [('zd', '1', 1, 6.0), ('zd', '3', 1, 5.0)]
    >>> follow_up_cost(everything, rates=Rates())["cost"].to_list()
    [None, None]
    """
    flat = pl.col("channel").cast(pl.String).replace_strict(rates.by_channel, default=rates.contact, return_dtype=pl.Float64)
    worked = pl.col("handle_seconds").cast(pl.Float64) / 3600 * pl.lit(rates.hour, pl.Float64)
    again = everything.filter(pl.col("label") == "repeat").select("issue", price=pl.coalesce(worked, flat))
    failed = everything.filter(pl.col("label") == "failed").sort(KEY)
    reopened = pl.col("reasons").list.contains("reopened").fill_null(False)
    own = failed.filter(reopened).select("issue", price=flat)
    # Sums of money are added in a stated order, so that the last digit does not depend on the order of the rows.
    later = pl.concat([again, own]).drop_nulls("issue").sort("issue", "price").group_by("issue", maintain_order=True)
    priced = later.agg(later_contacts=pl.len().cast(pl.Int64), sum=pl.when(pl.col("price").null_count() == 0).then(pl.col("price").sum()))
    table = failed.select(*KEY, "issue").join(priced, on="issue", how="left", maintain_order="left")
    cost = pl.when(pl.col("later_contacts").is_null()).then(0.0).otherwise("sum") if rates.known else pl.lit(None, pl.Float64)
    return table.select(*KEY, pl.col("later_contacts").fill_null(0), cost=cost)


def total(rows: pl.DataFrame, *, what: pl.Expr) -> pl.DataFrame:
    """Add up the cost of some of the rows, with an interval by customer.

    Parameters
    ----------
    rows
        Contacts with `customer` and `cost`; all those that the ones asked about are a part of.
    what
        Which of them to add up.

    Returns
    -------
    pl.DataFrame
        One row: `cost`, `cost_low`, `cost_high` (95 %, never below nothing); null where the cost of one of them is not known, and the interval
        also where there is one customer only.

    References
    ----------
    Cochran (1977), Sampling Techniques, chapter 2: the standard error of an estimated total, with customers as the units.

    Examples
    --------
    >>> rows = pl.DataFrame({"customer": list("aabc"), "cost": [1.0, 2.0, 3.0, 4.0], "mine": [True, True, True, False]})
    >>> total(rows, what=pl.col("mine")).select("cost", pl.col("cost_high").round(1)).row(0)
    (6.0, 18.9)
    """
    marked = rows.select("customer", cost=pl.when(what).then("cost").otherwise(0.0)).with_row_index("i")
    if marked.is_empty() or marked["cost"].null_count():
        return pl.DataFrame(schema=dict.fromkeys(("cost", "cost_low", "cost_high"), pl.Float64)).clear(n=1)
    alone = pl.when(pl.col("customer").is_null()).then("i")
    by_customer = marked.group_by("customer", alone=alone).agg(pl.col("cost").sort().sum()).sort("cost")["cost"]
    m, spread = by_customer.len(), by_customer.std()
    reach = pl.lit(spread, pl.Float64) * float(m) ** 0.5 * pl.lit(t_quantile(pl.Series([m])))
    sum_ = by_customer.sum()
    return pl.select(cost=pl.lit(sum_, pl.Float64), cost_low=(sum_ - reach).clip(lower_bound=0), cost_high=sum_ + reach)
