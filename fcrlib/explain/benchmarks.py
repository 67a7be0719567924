"""What do others publish, and why must it not be compared blindly?

Published figures differ in who was asked, what counts as resolved and how long one waits, and most do not say. They stand beside
our own as lines to know, with their source and their caveat; no number here depends on them.
"""

from __future__ import annotations

import tomllib
from importlib.resources import files
from typing import TYPE_CHECKING

import polars as pl

from fcrlib.judge.rates import INDEX, mature, rate

if TYPE_CHECKING:
    from fcrlib.study import Study

FCR, REPEATS, ONCE, EACH = "fcr", "repeats", "one and done", "contacts per issue"
TOO_GOOD = 0.8
DIFFERS = {
    "survey": "asks customers, ours reads the contacts",
    "system": "reads its records by rules of its own",
    "unknown": "does not say how it was measured",
}
COLUMNS: dict[str, pl.DataType | type[pl.DataType]] = {
    "id": pl.String, "measure": pl.String, "unit": pl.String, "who": pl.String, "what": pl.String, "low": pl.Float64, "high": pl.Float64,
    "method": pl.String, "source": pl.String, "url": pl.String, "caveat": pl.String, "contradicts": pl.List(pl.String),
}  # fmt: skip


def published() -> pl.DataFrame:
    """What others publish, in the order of the file `benchmarks.toml` beside this room.

    Returns
    -------
    pl.DataFrame
        `id`; `measure` (fcr, repeats, one and done, contacts per issue); `unit` (share, contacts); `who` and `what` they say it of;
        `low`, `high` (1.0: and more); `method` (survey, system, unknown); `source`; `url` (null where the page is not on the open
        web); `caveat`; `contradicts` (ids of figures that cannot hold as well).

    Examples
    --------
    >>> published().filter(pl.col("id") == "sqm-world-class").select("who", "what", "low", "method").row(0)
    ('SQM Group', 'world class', 0.8, 'survey')
    """
    entries = tomllib.loads(files("fcrlib.explain").joinpath("benchmarks.toml").read_text(encoding="utf-8"))["published"]
    table = pl.DataFrame(entries, schema=COLUMNS)
    return table.with_columns(pl.col("measure").fill_null(FCR), pl.col("unit").fill_null("share"), pl.col("contradicts").fill_null([]))


def against(study: Study) -> pl.DataFrame:
    """The published figures with our own beside them.

    Returns
    -------
    pl.DataFrame
        The rows and columns of `published` without `contradicts`, and `ours`, `ours_low`, `ours_high` (95 %), `n`; `verdict`: ours
        is `inside` the range, `below` or `above` it, `not clear` where it lies outside but its interval reaches in (null where we
        have no number); `differs`: why the two are not the same measure. `fcr` is the headline; `repeats` the share of repeats in
        all contacts judged; `one and done` the share of them that resolved their issue alone; `contacts per issue` follows from
        the repeats.
    """
    table = published().drop("contradicts").join(_ours(study), on="measure", how="left", maintain_order="left")
    ours, low, high = pl.col("ours"), pl.col("low"), pl.col("high")
    verdict = (
        pl.when(ours.is_null())
        .then(pl.lit(None, pl.String))
        .when(ours.is_between(low, high))
        .then(pl.lit("inside"))
        .when(pl.col("ours_high") < low)
        .then(pl.lit("below"))
        .when(pl.col("ours_low") > high)
        .then(pl.lit("above"))
        .otherwise(pl.lit("not clear"))
    )
    return table.with_columns(verdict=verdict, differs=pl.col("method").replace_strict(DIFFERS))


def contradictions() -> pl.DataFrame:
    """Pairs of published figures that cannot both hold, so that neither can be a target by itself.

    Returns
    -------
    pl.DataFrame
        `who`, `what`, `low`, `high` and `other_who`, `other_what`, `other_low`, `other_high`; one row per pair, in the file's order.
    """
    shown = published().select("id", "who", "what", "low", "high", "contradicts")
    pairs = shown.explode("contradicts", empty_as_null=True).filter(pl.col("contradicts").is_not_null())
    others = shown.drop("contradicts").rename({name: f"other_{name}" for name in ("who", "what", "low", "high")})
    joined = pairs.join(others, left_on="contradicts", right_on="id", how="inner", maintain_order="left")
    return joined.drop("id", "contradicts")


def too_good(study: Study) -> pl.DataFrame:
    """The signs to read beside a rate above 80 %: one source calls it world class, another a sign of closing too early.

    Returns
    -------
    pl.DataFrame
        `measure` (`resolved`, `reopened`, `came back`), `n`, `share`, `low`, `high`; no rows at 80 % or below. A share is null
        where the desk does not record what it takes.
    """
    final, figures = mature(study.contacts), ("n", "share", "low", "high")
    signs = {"reopened": _failed(study, "reopened", "has_status_history"), "came back": _failed(study, "repeat_contact", "has_customer")}
    tables = {"resolved": study.rate(study.contacts), **{name: rate(final, what, cluster="customer") for name, what in signs.items()}}
    rows = pl.concat(table.select(pl.lit(name).alias("measure"), *figures) for name, table in tables.items())
    return rows.head(rows.height if (study.headline["share"] or 0) > TOO_GOOD else 0)


def _failed(study: Study, reason: str, needs: str) -> pl.Expr:
    return pl.lit(None, pl.Boolean) if study.lacks(needs) else pl.col("reasons").list.contains(reason).fill_null(False)


def _ours(study: Study) -> pl.DataFrame:
    """Our own number for each measure, with its interval; no repeats where the desk or the policy knows none."""
    volume = study.contacts.filter(pl.col("label").is_in([*INDEX, "repeat"]))
    shares = {
        FCR: study.rate(study.contacts),
        REPEATS: rate(volume, pl.col("label") == "repeat", cluster="customer"),
        ONCE: rate(volume, pl.col("label") == "resolved", cluster="customer"),
    }
    figures = {"ours": "share", "ours_low": "low", "ours_high": "high"}
    table = pl.concat(shares[name].select(pl.lit(name).alias("measure"), pl.col("n").cast(pl.Int64), **figures) for name in shares)
    table = table.fill_nan(None)
    if study.lacks("has_customer") or study.policy.unit == "contact":
        return table.filter(pl.col("measure") == FCR)
    alone = (1 - pl.col("ours", "ours_low", "ours_high")).pow(-1).name.keep()
    return pl.concat([table, table.filter(pl.col("measure") == REPEATS).with_columns(pl.lit(EACH).alias("measure"), alone)])
