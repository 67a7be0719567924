"""Which causes hang on which bone, and how big is each?

Two kinds of causes are put side by side: ways of failing, which are read off failed contacts and add up to all of them, and facts about how
contacts were handled, which resolved contacts share and which overlap. Where a cause can be seen on resolved contacts too, contacts that have it are
compared with alike ones that do not; a difference is still no proof, and what hangs on a bone is where to look first.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import polars as pl

from fcrlib.judge.rates import beyond_chance, mature, rate, withhold
from fcrlib.model.columns import KEY, OTHERS, known
from fcrlib.model.taxonomy import BONES, UNEXPLAINED, Mode, Taxonomy
from fcrlib.search.standardised import MOST_VALUES, risk_differences
from fcrlib.signs.attributes import ATTRIBUTES, COUNTED, LEAST, Attribute, attributes, shown

if TYPE_CHECKING:
    from fcrlib.study import Study

DIMS = ("channel", "category", "product_area", "first_group", "tier", "language")
SCHEMA = {
    "bone": pl.String, "kind": pl.String, "cause": pl.String, "name": pl.String, "against": pl.String, "n": pl.Int64, "share": pl.Float64,
    "low": pl.Float64, "high": pl.Float64, "n_exposed": pl.Int64, "risk": pl.Float64, "alike": pl.Float64, "difference": pl.Float64,
    "difference_low": pl.Float64, "difference_high": pl.Float64, "clear": pl.Boolean, "attributable": pl.Float64, "attributable_low": pl.Float64,
    "attributable_high": pl.Float64, "e_value": pl.Float64, "e_value_limit": pl.Float64, "overlap": pl.Float64, "cost": pl.Float64, "grade": pl.String,
    "why": pl.String, "too_few": pl.Boolean,
}  # fmt: skip
WITHOUT = "without that sign"
ONLY_FAILED, NO_SIGN = "seen only on failed contacts", "no sign that is believed enough, so there is nothing to compare"
BY_DEFINITION = "the definition itself counts such contacts as failed, so a comparison would say nothing"
FEW = "too few contacts with it, or without it, to compare alike ones"
APART = "fewer than half of the contacts with it have alike ones without it"
COMPARED = "compared with alike contacts ({}), and read before the first resolution; nothing says that it is what made them fail"
ENOUGH = 0.5  # share of the exposed that must have alike contacts for the comparison to speak of them


def causes(
    contacts: pl.DataFrame,
    *,
    tags: pl.DataFrame,
    dims: Sequence[str] = DIMS,
    shown: pl.DataFrame | None = None,
    attributes: pl.DataFrame | None = None,
    unit_cost: float | str | None = None,
    taxonomy: Taxonomy | None = None,
    most: int = 10,
) -> pl.DataFrame:
    """Size every cause of failed first contacts, and compare contacts that have it with alike ones that do not.

    Parameters
    ----------
    contacts
        Judged contacts: `source`, `contact_id`, `customer`, what `rates.mature` reads, and the columns of `dims`. Final verdicts are counted.
    tags
        The frame of `failure_modes.tag`; its primary modes are counted.
    dims
        What alike contacts have in common.
    shown
        The frame of `attributes.shown`: the ways of failing that resolved contacts show as well. Without it no way of failing is compared.
    attributes
        The frame of `attributes.attributes`. Without it no fact about the handling is a cause.
    unit_cost
        What one failed contact costs, or the column of `contacts` that says so, in the currency of the caller.
    taxonomy
        The ways of failing that were tagged; the shipped ones by default.
    most
        Causes per bone at most, the largest; what is unexplained is always kept.

    Returns
    -------
    pl.DataFrame
        One row per cause, in the order of the bones, the largest first, unexplained last:

        - `bone`: process, people, systems, product, policy, data; `kind`: mode, attribute, unexplained; `cause`, `name`; `against`: what alike
          contacts are
        - `n` failed contacts whose first sign it is (attribute: that have it), `share` of the failed contacts (attribute: of those where it is
          known) with `low`, `high` (95 %, by customer)
        - `n_exposed` contacts that have it, failed or not; `risk`, `alike` (shares failed, of them and of alike contacts), `difference` with
          `difference_low`, `difference_high` (95 %), `attributable` failures beyond those of alike contacts with `attributable_low`,
          `attributable_high`, `e_value`, `e_value_limit`, `overlap`, as in `standardised.risk_differences`; null where it cannot be compared
        - `clear`: the difference leaves out zero, with an interval widened for the number of causes compared
        - `cost` of its failed contacts, null where unknown; attributes overlap, so theirs do not add up
        - `grade` (C, D) and `why`; `too_few`: the share rests on fewer than 30 failed contacts or 10 customers

    Raises
    ------
    UsageError
        For columns that are not there.
    """
    known(contacts, [*KEY, "customer", "label", "reasons", *dims, *([unit_cost] if isinstance(unit_cost, str) else [])])
    names = taxonomy or Taxonomy.shipped()
    final = mature(contacts).with_columns(_failed=pl.col("label") == "failed", _cost=_cost(unit_cost))
    primary = tags.filter("primary").select(*KEY, _mode="mode")
    final = final.join(primary, on=KEY, how="left", maintain_order="left")
    final = final if attributes is None else final.join(attributes.select(*KEY, *_given(attributes)), on=KEY, how="left", maintain_order="left")
    if not final["_failed"].any():
        return pl.DataFrame(schema=SCHEMA)
    listed = pl.concat([_modes(names), _attributes(attributes), _unexplained()])
    sizes = pl.concat([_size(final, row) for row in listed.to_dicts()])
    exposed = final.with_columns(*_exposures(final, listed, shown), *(_lumped(final, dim) for dim in dims))
    measured = [name for name in listed["cause"] if f"_{name}" in exposed.columns]
    compared = risk_differences(exposed, exposures=[f"_{name}" for name in measured], failed="_failed", dims=dims, cluster="customer")
    table = listed.join(sizes, on="cause", maintain_order="left").join(_compared(compared), on="cause", how="left", maintain_order="left")
    table = _clear(_graded(table, settled=_settled(final, names), measured=measured, dims=dims))
    return _largest(table, most=most).select(list(SCHEMA))


def of_study(
    study: Study,
    *,
    tags: pl.DataFrame,
    dims: Sequence[str] = DIMS,
    unit_cost: float | str | None = None,
    taxonomy: Taxonomy | None = None,
    most: int = 10,
) -> pl.DataFrame:
    """The causes of a study's period, with everything its desk records about how contacts were handled (columns of `causes`)."""
    final = mature(study.contacts)
    signs = shown(study.desk, final, taxonomy=taxonomy)
    handled = attributes(study.desk, final, time_zone=study.time_zone)
    return causes(study.contacts, tags=tags, dims=dims, shown=signs, attributes=handled, unit_cost=unit_cost, taxonomy=taxonomy, most=most)


def _lumped(final: pl.DataFrame, dim: str) -> pl.Expr:
    """A dimension with its largest values, the others together, where it has too many for alike contacts to be found."""
    sizes = final.group_by(dim).len().drop_nulls().sort(pl.col("len") * -1, dim)[dim]
    if sizes.len() < MOST_VALUES:
        return pl.col(dim)
    own = sizes.head(MOST_VALUES - 2).implode()
    return pl.when(pl.col(dim).is_null() | pl.col(dim).is_in(own)).then(pl.col(dim).cast(pl.String)).otherwise(pl.lit(OTHERS)).alias(dim)


def _given(attributes: pl.DataFrame) -> list[str]:
    return [name for name in ATTRIBUTES if name in attributes.columns]


def _cost(unit_cost: float | str | None) -> pl.Expr:
    return pl.col(unit_cost).cast(pl.Float64) if isinstance(unit_cost, str) else pl.lit(unit_cost, pl.Float64)


def _modes(taxonomy: Taxonomy) -> pl.DataFrame:
    rows = [(mode.bone, "mode", mode.slug, mode.name, WITHOUT) for mode in taxonomy.modes]
    return _listed(rows)


def _attributes(frame: pl.DataFrame | None) -> pl.DataFrame:
    given = [] if frame is None else _given(frame)
    rows = [
        (ATTRIBUTES[name].bone, "attribute", _slug(name, level), words, ATTRIBUTES[name].against)
        for name in given
        for level, words in ATTRIBUTES[name].levels.items()
    ]
    return _listed(rows)


def _unexplained() -> pl.DataFrame:
    return _listed([("data", "unexplained", UNEXPLAINED, UNEXPLAINED, "")])


def _listed(rows: Sequence[tuple[str, str, str, str, str]]) -> pl.DataFrame:
    return pl.DataFrame(rows, schema=dict.fromkeys(("bone", "kind", "cause", "name", "against"), pl.String), orient="row")


def _slug(name: str, level: str) -> str:
    return f"{name}-{level}".replace(" ", "-").replace("_", "-")


def _levels() -> dict[str, tuple[str, Attribute, str]]:
    """Column, attribute and level of every cause that is an attribute."""
    return {_slug(name, level): (name, about, level) for name, about in ATTRIBUTES.items() for level in about.levels}


def _size(final: pl.DataFrame, row: dict[str, str]) -> pl.DataFrame:
    """Failed contacts with one cause, their share of all failed contacts, and what they cost."""
    failed = final.filter("_failed")
    if row["kind"] == "attribute":
        column, _, level = _levels()[row["cause"]]
        has = pl.col(column) == level
    else:
        # A failed contact that nobody tagged shows no sign either.
        has = pl.col("_mode").fill_null(UNEXPLAINED) == row["cause"]
    shares = withhold(rate(failed, has, cluster="customer")).select("share", "low", "high", "too_few")
    sums = failed.filter(has.fill_null(False)).select(
        n=pl.len().cast(pl.Int64), cost=pl.when(pl.col("_cost").count() > 0).then(pl.col("_cost").sum())
    )
    return pl.concat([pl.DataFrame({"cause": [row["cause"]]}), sums, shares], how="horizontal")


def _exposures(final: pl.DataFrame, listed: pl.DataFrame, shown: pl.DataFrame | None) -> list[pl.Series]:
    """One yes/no column per cause that resolved contacts can have; null where it is not known, and where another level of it holds."""
    levels, found = _levels(), []
    for row in listed.filter(pl.col("kind") == "attribute").to_dicts():
        column, about, level = levels[row["cause"]]
        value = pl.when(pl.col(column) == level).then(True).when(pl.col(column) == about.usual).then(False)
        found.append(final.select(value.alias(f"_{row['cause']}")).to_series())
    for mode in [] if shown is None else shown["mode"].unique().sort().to_list():
        sign = shown.filter(pl.col("mode") == mode).select(*KEY, _sign=True) if shown is not None else final.clear()
        has = final.join(sign, on=KEY, how="left", maintain_order="left")
        seen = pl.when(pl.col("anchor_at").is_not_null()).then(pl.col("_sign").fill_null(False))
        found.append(has.select(seen.alias(f"_{mode}")).to_series())
    return found


def _compared(found: pl.DataFrame) -> pl.DataFrame:
    same = ("n_exposed", "difference", "attributable", "attributable_low", "attributable_high", "e_value", "e_value_limit", "overlap")
    ends = {"risk": "risk_exposed", "alike": "risk_alike", "difference_low": "low", "difference_high": "high"}
    return found.select(*same, cause=pl.col("exposure").str.strip_prefix("_"), **{new: pl.col(old) for new, old in ends.items()})


def _clear(table: pl.DataFrame) -> pl.DataFrame:
    """Mark differences that leave out zero however many are compared."""
    gap, low, high = (pl.col(name) for name in ("difference", "difference_low", "difference_high"))
    return table.with_columns(clear=beyond_chance(gap, below=gap - low, above=high - gap, compared=table["difference"].count()))


def _settled(final: pl.DataFrame, taxonomy: Taxonomy) -> list[str]:
    """Causes that the definition itself counts as a failure."""
    reasons = set(final["reasons"].explode().drop_nulls().unique().to_list())
    modes = [mode.slug for mode in taxonomy.modes if reasons & _reasons(mode)]
    return [*modes, *(cause for cause, (_, about, _) in _levels().items() if reasons & set(about.reasons))]


def _reasons(mode: Mode) -> set[str]:
    return {reason for sign in mode.traces if sign.confidence >= LEAST for reason in COUNTED.get(sign.name, ())}


def _graded(table: pl.DataFrame, *, settled: list[str], measured: list[str], dims: Sequence[str]) -> pl.DataFrame:
    """Say how far each cause can be believed; what the definition settles, and what has hardly any alike contacts, is not compared."""
    alike = f"same {', '.join(dim.replace('_', ' ') for dim in dims)}"
    why: pl.Expr = (
        pl.when(pl.col("kind") == "unexplained")
        .then(pl.lit(NO_SIGN))
        .when(~pl.col("cause").is_in(measured))
        .then(pl.lit(ONLY_FAILED))
        .when(pl.col("cause").is_in(settled))
        .then(pl.lit(BY_DEFINITION))
        .when(pl.col("overlap") < ENOUGH)
        .then(pl.lit(APART))
        .when(pl.col("difference").is_null())
        .then(pl.lit(FEW))
    )
    figures = ("risk", "alike", "difference", "difference_low", "difference_high", "attributable", "attributable_low", "attributable_high")
    kept = pl.when(pl.col("why").is_null()).then(pl.col(*figures, "e_value", "e_value_limit"))
    table = table.with_columns(why=why).with_columns(kept.name.keep())
    grade = pl.when(pl.col("why").is_null() & pl.col("e_value").is_not_null()).then(pl.lit("C")).otherwise(pl.lit("D"))
    return table.with_columns(grade=grade, why=pl.col("why").fill_null(COMPARED.format(alike)))


def _largest(table: pl.DataFrame, *, most: int) -> pl.DataFrame:
    """The largest causes of each bone that any contact has, in order."""
    order = {bone: place for place, bone in enumerate(BONES)}
    blank = pl.col("kind") == "unexplained"
    present = table.filter(blank | (pl.col("n") > 0) | (pl.col("n_exposed") > 0))
    ordered = present.sort(pl.col("bone").replace_strict(order, return_dtype=pl.Int32), blank, pl.col("n") * -1, "cause")
    return ordered.filter(blank | (pl.int_range(pl.len()).over("bone") < most))
