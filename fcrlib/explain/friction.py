"""Where in the product do which ways of failing pile up?

The board counts contacts under one area of the product and one way of failing each, so that its cells add up to all failed contacts. What lies on the
bones product, systems and policy is marked: nobody who answers contacts can change it.
"""

from __future__ import annotations

from collections.abc import Sequence
from statistics import NormalDist
from typing import TYPE_CHECKING

import polars as pl

from fcrlib.judge.costs import total
from fcrlib.judge.rates import mature, rate, withhold
from fcrlib.model.columns import KEY, NOT_KNOWN, OTHERS, known
from fcrlib.model.taxonomy import NON_RESOLVABLE, UNEXPLAINED, Taxonomy
from fcrlib.search.where import conditions, holds

if TYPE_CHECKING:
    from fcrlib.study import Study

OUTSIDE = ("product", "systems", "policy")
AREAS = ("product_area", "category")
A_PART = 0.2  # an area with fewer of the contacts of a way is no home of it
_GOOD_PART = 0.25  # an entry of the log that touched fewer of them says little about them
BOARD = {
    "area": pl.String, "mode": pl.String, "name": pl.String, "bone": pl.String, "outside": pl.Boolean, "n": pl.Int64, "of": pl.Int64,
    "share": pl.Float64, "low": pl.Float64, "high": pl.Float64, "cost": pl.Float64, "later": pl.Int64, "owner": pl.String,
}  # fmt: skip


def board(
    tags: pl.DataFrame, *, contacts: pl.DataFrame, spent: pl.DataFrame, by: str = "product_area", taxonomy: Taxonomy | None = None
) -> pl.DataFrame:
    """Count failed first contacts by area of the product and way of failing.

    Parameters
    ----------
    tags
        The frame of `failure_modes.tag`; the primary modes are counted.
    contacts
        Judged contacts: `source`, `contact_id`, `customer`, what `rates.mature` reads, and the column `by`. Only final verdicts are counted.
    spent
        What followed each failed contact (columns of `judge.costs.follow_up_cost`).
    by
        The column that names the area.

    Returns
    -------
    pl.DataFrame
        One row per area and way of failing that any contact there failed by, the most contacts first: `area`, `mode`, `name`, `bone`, `outside`
        (it lies on a bone that those who answer contacts cannot change; null where unexplained), `n` failed contacts, `of` first contacts there,
        `share` = n / of with `low`, `high` (95 %, by customer; null where too few), `cost` of what followed (null where unknown), `later` contacts that
        followed, `owner`.

    Raises
    ------
    UsageError
        If a column is missing.
    """
    known(contacts, [*KEY, "customer", "label", by])
    names = taxonomy or Taxonomy.shipped()
    first = tags.filter("primary").select(*KEY, "mode", "name", "bone")
    area = pl.col(by).cast(pl.String).fill_null(NOT_KNOWN).alias("area")
    # What a contact itself cost is another thing than what followed it.
    final = mature(contacts).drop("cost", strict=False).with_columns(area).join(first, on=KEY, how="left", maintain_order="left")
    final = final.join(spent.select(*KEY, "cost", later="later_contacts"), on=KEY, how="left", maintain_order="left")
    failed = final.filter((pl.col("label") == "failed") & pl.col("mode").is_not_null())
    every = pl.when(pl.col("cost").null_count() == 0).then(pl.col("cost").sort().sum())
    sums = failed.group_by("area", "mode", "name", "bone").agg(n=pl.len().cast(pl.Int64), cost=every, later=pl.col("later").sum().cast(pl.Int64))
    modes = sums["mode"].unique().sort().to_list()
    shares = [_shares(final, mode) for mode in modes]
    if not shares:
        return pl.DataFrame(schema=BOARD)
    owners = {mode.slug: mode.owner for mode in names.modes}
    outside = (pl.col("bone").is_in(OUTSIDE) | (pl.col("mode") == NON_RESOLVABLE)) & (pl.col("mode") != UNEXPLAINED)
    told = pl.when(pl.col("mode") != UNEXPLAINED).then(outside)
    owner = pl.col("mode").replace_strict(owners, default="", return_dtype=pl.String)
    table = sums.join(pl.concat(shares), on=["area", "mode"], how="left").with_columns(outside=told, owner=owner)
    return table.sort(pl.col("n") * -1, "area", "mode").select(list(BOARD))


def _shares(final: pl.DataFrame, mode: str) -> pl.DataFrame:
    shares = withhold(rate(final, (pl.col("mode") == mode).fill_null(False), by="area", cluster="customer"))
    return shares.select("area", pl.lit(mode).alias("mode"), pl.col("n").cast(pl.Int64).alias("of"), "share", "low", "high")


def area(contacts: pl.DataFrame) -> str:
    """The column that says best what a contact is about: the first of `AREAS` that half of the contacts know, and that tells at least two of them apart.

    Examples
    --------
    >>> area(pl.DataFrame({"product_area": [None, None], "category": ["login", "billing"]}))
    'category'
    """
    told = [name for name in AREAS if name in contacts.columns]
    half = [name for name in told if contacts[name].drop_nulls().n_unique() > 1 and 2 * contacts[name].null_count() <= contacts.height]
    return next(iter(half), AREAS[0])


def homes(table: pl.DataFrame) -> pl.DataFrame:
    """Find the area that each way of failing is at home in: the one with most of its contacts, if it fails clearly more often there than elsewhere.

    Parameters
    ----------
    table
        The frame of `board`.

    Returns
    -------
    pl.DataFrame
        At most one row per way of failing, in the order of the board: `area`, `mode`, `name`, `owner`, `n` failed contacts there, `of_mode` those of the
        way everywhere, `share` of the first contacts there with `low`, `high` (95 %), `elsewhere` (the same of all other areas). An area counts only with
        a fifth of the contacts of a way, and if its interval, as wide as so many pairs looked at demand, lies above `elsewhere`.
    """
    every = table.filter(pl.col("mode") != UNEXPLAINED).with_columns(of_mode=pl.col("n").sum().over("mode"))
    rows = every.filter(pl.col("area") != NOT_KNOWN)
    everyone = table.unique("area")["of"].sum() if table.height else 0
    wide = NormalDist().inv_cdf(1 - 0.025 / max(1, rows.height)) / NormalDist().inv_cdf(0.975)
    bound = pl.col("share") - wide * (pl.col("share") - pl.col("low"))
    rows = rows.with_columns(elsewhere=(pl.col("of_mode") - pl.col("n")) / (everyone - pl.col("of")))
    much = (bound > pl.col("elsewhere")) & (pl.col("n") >= A_PART * pl.col("of_mode"))
    return (
        rows.unique("mode", keep="first", maintain_order=True)
        .filter(much)
        .select("area", "mode", "name", "owner", "n", "of_mode", "share", "low", "high", "elsewhere")
    )


def touched(study: Study, *, tags: pl.DataFrame, modes: Sequence[str]) -> pl.DataFrame:
    """Find the entries of the log of changes that touched a good part of the contacts that failed in some ways.

    Returns
    -------
    pl.DataFrame
        `mode`, then the columns of the log of changes: what was changed everywhere, and what was changed in a place with a quarter of the failed contacts
        of that way at least. In the order of `modes`, then of time.
    """
    log = study.desk.changes.sort("at", "kind", "scope", "note")
    first = tags.filter("primary").select(*KEY, "mode")
    failed = mature(study.contacts).filter(pl.col("label") == "failed").join(first, on=KEY, how="inner", maintain_order="left")
    rows = [
        log.filter(pl.Series([_touches(scope, failed.filter(pl.col("mode") == mode)) for scope in log["scope"]], dtype=pl.Boolean)) for mode in modes
    ]
    found = [frame.select(pl.lit(mode).alias("mode"), pl.all()) for mode, frame in zip(modes, rows, strict=True)]
    return pl.concat([log.clear().select(pl.lit("").alias("mode"), pl.all()), *found])


def _touches(scope: str | None, failed: pl.DataFrame) -> bool:
    words = conditions(scope, columns=failed.columns) if scope else []
    if words is None or failed.is_empty():
        return False
    return float(failed.select(holds(failed, words).mean()).item()) >= _GOOD_PART


def grid(table: pl.DataFrame, *, most: int = 6, areas: int = 12) -> pl.DataFrame:
    """The board as the pairs of a picture: `area`, `way`, `n`; the largest ways of failing, a mark on those outside, the others together.

    Of many areas, the largest are shown and the others stand together in one row.

    Returns
    -------
    pl.DataFrame
        Every pair, areas and ways with the most failed contacts first; 0 where none failed so. What is unexplained is left out: it asks for nothing.
    """
    told = table.filter(pl.col("mode") != UNEXPLAINED)
    ways = told.group_by("mode", "name", "outside").agg(pl.col("n").sum()).sort(pl.col("n") * -1, "mode").head(most)
    named = ways.select("mode", way=pl.when("outside").then(pl.col("name") + " *").otherwise("name"))
    cells = told.join(named, on="mode", how="left").with_columns(pl.col("way").fill_null("other ways"))
    sizes = cells.group_by("area").agg(pl.col("n").sum()).sort(pl.col("n") * -1, "area")["area"]
    kept = sizes if sizes.len() <= areas else sizes.head(areas - 1)
    cells = cells.with_columns(pl.when(pl.col("area").is_in(kept.implode())).then("area").otherwise(pl.lit(OTHERS)).alias("area"))
    shown = kept.to_list() + [OTHERS] * (kept.len() < sizes.len())
    columns = [*named["way"], *(["other ways"] if cells["way"].is_in(["other ways"]).any() else [])]
    pairs = pl.DataFrame({"area": shown}, schema={"area": pl.String}).join(
        pl.DataFrame({"way": columns}, schema={"way": pl.String}), how="cross", maintain_order="left_right"
    )
    counted = cells.group_by("area", "way").agg(pl.col("n").sum())
    return pairs.join(counted, on=["area", "way"], how="left", maintain_order="left").with_columns(pl.col("n").fill_null(0))


def followed(tags: pl.DataFrame, *, outcomes: pl.DataFrame, spent: pl.DataFrame) -> pl.DataFrame:
    """How many contacts came after the failed ones, by way of failing.

    Parameters
    ----------
    outcomes
        The judged contacts to count: `source`, `contact_id`, `label`, `customer`.
    spent
        The frame of `judge.costs.follow_up_cost`; it counts later contacts also where nothing has a price.

    Returns
    -------
    pl.DataFrame
        `mode`, `n` failed contacts, `later` contacts about the same issue with `low`, `high` (95 %, by customer). The most first, unexplained last.

    Examples
    --------
    >>> outcomes = pl.DataFrame({"source": ["zd"] * 3, "contact_id": list("123"), "label": ["failed"] * 3, "customer": list("abc")})
    >>> tags = outcomes.select(*KEY, mode=pl.Series(["bug", "bug", "routing"]), primary=True)
    >>> spent = outcomes.select(*KEY, later_contacts=pl.Series([1, 2, 1]))
    >>> followed(tags, outcomes=outcomes, spent=spent).select("mode", "n", "later").rows()
    [('bug', 2, 3), ('routing', 1, 1)]
    """
    failed = outcomes.filter(pl.col("label") == "failed").select(*KEY, "customer")
    first = failed.join(tags.filter("primary").select(*KEY, "mode"), on=KEY, how="inner", maintain_order="left")
    first = first.join(spent.select(*KEY, cost=pl.col("later_contacts").cast(pl.Float64)), on=KEY, how="left", maintain_order="left")
    rows = [_followed(first, mode) for mode in first["mode"].unique().sort().to_list()]
    schema = {"mode": pl.String, "n": pl.Int64, "later": pl.Int64, "low": pl.Float64, "high": pl.Float64}
    return pl.concat([pl.DataFrame(schema=schema), *rows]).sort(pl.col("mode") == UNEXPLAINED, pl.col("later") * -1, "mode")


def _followed(first: pl.DataFrame, mode: str) -> pl.DataFrame:
    its = pl.col("mode") == mode
    n = pl.lit(first.select(its.sum()).item(), pl.Int64).alias("n")
    added = total(first, what=its)
    return added.select(pl.lit(mode).alias("mode"), n, pl.col("cost").cast(pl.Int64).alias("later"), low="cost_low", high="cost_high")


def weekly(study: Study, *, tags: pl.DataFrame, modes: Sequence[str]) -> pl.DataFrame:
    """Which share of the first contacts of each week failed in each of some ways?

    Returns
    -------
    pl.DataFrame
        `mode`, `week` (its Monday), `n` first contacts whose verdict is final, `share` that failed so with `low`, `high` (95 %, by customer; null
        where too few). In the order of `modes`, then of the weeks.
    """
    week = pl.col("start_at").dt.convert_time_zone(study.time_zone).dt.truncate("1w").dt.date().alias("week")
    final = mature(study.contacts).with_columns(week)
    final = final.join(tags.filter("primary").select(*KEY, "mode"), on=KEY, how="left", maintain_order="left")
    rows = [
        withhold(rate(final, (pl.col("mode") == mode).fill_null(False), by="week", cluster="customer")).select(
            pl.lit(mode).alias("mode"), "week", pl.col("n").cast(pl.Int64), "share", "low", "high"
        )
        for mode in modes
    ]
    schema = {"mode": pl.String, "week": pl.Date, "n": pl.Int64, "share": pl.Float64, "low": pl.Float64, "high": pl.Float64}
    return pl.concat([pl.DataFrame(schema=schema), *rows])
