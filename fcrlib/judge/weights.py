"""How do those who answered stand for all?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import polars as pl
from numpy.typing import NDArray

from fcrlib.judge.strata import ladder, merge, tally
from fcrlib.model.columns import known
from fcrlib.model.errors import DataError, UsageError


@dataclass(frozen=True, slots=True)
class Weights:
    """What each answer stands for.

    `frame`: the respondents as given, with `weight` (contacts stood for; they sum to all contacts). `ess`: Kish's effective sample size,
    (sum w)^2 / sum w^2. `balance`: `variable`, `level`, `population` (share of all contacts), `before`, `after` (standardised differences
    of the respondents). `collapsed`: the cells or levels with too few answers and what they were merged into.
    """

    frame: pl.DataFrame
    ess: float
    max_weight: float
    balance: pl.DataFrame
    collapsed: list[str]


def response_weights(
    contacts: pl.DataFrame,
    *,
    responded: str,
    cells: Sequence[str],
    margins: Sequence[str] = (),
    method: Literal["poststrat", "rake", "ipw"] = "poststrat",
    trim: float = 0.99,
    at_least: int = 20,
) -> Weights:
    """Weigh those who answered so that they stand for all contacts.

    Parameters
    ----------
    contacts
        One row per contact: yes/no `responded` (null: did not answer), and the columns of `cells` and `margins`.
    cells, margins
        What the answering depends on, the most important first. `poststrat` makes the totals of the cells hold, `rake` those of each
        of `margins` (without them: of each of `cells`), `ipw` weighs by one over the chance to answer (logit on main effects of both).
    trim
        Weights above this quantile are cut, then raked again or rescaled. Post-strata need no cut: `at_least` keeps them tame.
    at_least
        Answers a cell or level needs to stand alone; a smaller cell gives up its last column first, smaller levels become one.

    References
    ----------
    Kish (1992), Journal of Official Statistics 8, 183-200; Deming and Stephan (1940), Annals of Mathematical Statistics 11,
    427-444; Rosenbaum and Rubin (1983), Biometrika 70, 41-55.

    Examples
    --------
    >>> contacts = pl.DataFrame({"channel": ["chat"] * 4 + ["mail"] * 2, "answered": [True, False, False, False, True, False]})
    >>> response_weights(contacts, responded="answered", cells=["channel"], at_least=1).frame["weight"].to_list()
    [4.0, 2.0]
    """
    used = list(dict.fromkeys([*cells, *margins]))
    known(contacts, [responded, *used], yes_no=[responded])
    if not used or method not in ("poststrat", "rake", "ipw") or not 0 < trim <= 1:
        raise UsageError(f"weights need a column in `cells`, a method poststrat, rake or ipw (not {method!r}) and a trim in 0..1 (not {trim})")
    rows = contacts.with_columns(_answered=pl.col(responded).cast(pl.Boolean).fill_null(False))
    if not rows["_answered"].any():
        raise DataError(f"none of {contacts.height:,} contacts has answered ({responded!r}), so no answer can be weighed")
    if method == "poststrat":
        table, collapsed = ladder(tally(rows, cells), cells, least=max(at_least, 1), floor=0)
        table = table.select(*cells, weight=(pl.col("_contacts").sum() / pl.col("_answers").sum()).over("stratum"))
        frame = rows.filter("_answered").drop("weight", strict=False).join(table, on=list(cells), nulls_equal=True, maintain_order="left")
    else:
        names = list(margins or cells) if method == "rake" else used
        coded, collapsed = merge(rows, names, least=max(at_least, 1))
        weigh = _rake if method == "rake" else _inverse_chance
        frame = rows.filter("_answered").with_columns(weight=pl.Series(weigh(coded, names, trim), dtype=pl.Float64))
    w = frame["weight"].to_numpy()
    return Weights(frame.drop("_answered"), float(w.sum() ** 2 / (w**2).sum()), float(w.max()), _balance(rows, frame, used), collapsed)


def _rake(coded: pl.DataFrame, names: Sequence[str], trim: float) -> NDArray[np.float64]:
    """Weights that make every margin of the respondents that of all contacts (iterative proportional fitting)."""
    answered = coded.filter("_answered")
    levels = [answered[name].to_numpy() for name in names]
    targets = [np.bincount(coded[name].to_numpy()).astype(float) for name in names]

    def fit(w: NDArray[np.float64]) -> NDArray[np.float64]:
        for _ in range(2000):
            worst = 0.0
            for level, target in zip(levels, targets, strict=True):
                ratio = target / np.bincount(level, w, minlength=len(target))
                worst, w = max(worst, float(np.abs(ratio - 1).max())), w * ratio[level]
            if worst < 1e-12:
                return w
        raise DataError(f"raking over {', '.join(names)} does not settle: the margins contradict each other; rake over fewer columns")

    weights = fit(np.ones(answered.height))
    cut = np.quantile(weights, trim, method="higher")
    return fit(np.minimum(weights, cut)) if (weights > cut * (1 + 1e-12)).any() else weights


def _inverse_chance(coded: pl.DataFrame, names: Sequence[str], trim: float) -> NDArray[np.float64]:
    """One over the chance to answer, from a logit on main effects (iteratively reweighted least squares over cells)."""
    cells = coded.group_by(list(names)).agg(_contacts=pl.len(), _answers=pl.col("_answered").sum()).sort(list(names))
    columns = [cells[name].to_numpy() == at for name in names for at in range(1, coded[name].n_unique())]
    design = np.column_stack([np.ones(cells.height), *columns])
    size, yes = cells["_contacts"].to_numpy(), cells["_answers"].to_numpy()
    ridge, beta, chance = 1e-9 * np.eye(design.shape[1]), np.zeros(design.shape[1]), np.full(cells.height, 0.5)
    for _ in range(40):
        curve = design.T @ (design * (size * chance * (1 - chance))[:, None]) + ridge
        beta += np.linalg.solve(curve, design.T @ (yes - size * chance))
        chance = 1 / (1 + np.exp(-(design @ beta).clip(-30, 30)))
    answered = coded.filter("_answered").join(cells.with_columns(w=pl.Series(1 / chance)), on=list(names), maintain_order="left")
    weights = np.minimum(answered["w"].to_numpy(), np.quantile(answered["w"].to_numpy(), trim, method="higher"))
    return np.asarray(weights * coded.height / weights.sum())


def _balance(rows: pl.DataFrame, frame: pl.DataFrame, names: Sequence[str]) -> pl.DataFrame:
    """Standardised differences between respondents and all contacts, per level, before and after weighting."""
    tables = []
    for name in names:
        level = pl.lit(name).alias("variable"), pl.col(name).cast(pl.String).alias("level")
        whole = rows.group_by(level).agg(population=pl.len() / rows.height)
        kept = frame.group_by(level).agg(raw=pl.len() / frame.height, mended=pl.col("weight").sum() / frame["weight"].sum())
        tables.append(whole.join(kept, on=["variable", "level"], how="left", nulls_equal=True))
    p = pl.col("population")
    spread = pl.when(p < 1).then((p * (1 - p)).sqrt())
    gaps = {name: (pl.col(column).fill_null(0) - p) / spread for name, column in (("before", "raw"), ("after", "mended"))}
    return pl.concat(tables).select("variable", "level", "population", **gaps).sort("variable", "level")
