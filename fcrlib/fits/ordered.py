"""How does a score of ordered levels, such as 1 to 5, go with what is known of a contact?

The ordered logit (proportional odds) is fitted to rows of equal covariates and level, which gives the same answer as one row per contact, with
errors that respect clusters. A score is not a number of points to everybody, so that what is told is the chance of each level, standardised to
a whole population, and the mean score that follows from them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from fcrlib.fits.cells import gather
from fcrlib.fits.contrast import Estimate, Standardised, told
from fcrlib.fits.odds import Rows, at_most, chances, curvature, products, slopes
from fcrlib.fits.regression import own
from fcrlib.fits.sandwich import sandwich, t_quantile
from fcrlib.model.errors import DataError

if TYPE_CHECKING:
    from fcrlib.fits.design import Coded, Terms
    from fcrlib.fits.odds import Floats

SETTLED = 1e-14  # squared distance to the summit, in standard errors and per unit of weight, after which one more step is exact
ROUNDING = 1e-12
MOST_STEPS, MOST_HALVINGS = 60, 40
WIDEST = 100.0  # log odds; a term that is known no better than this is not known at all, as where a value has one level only
SCHEMA = {
    "outcome": pl.String, "with_exposure": pl.Float64, "without": pl.Float64, "difference": pl.Float64, "se": pl.Float64, "low": pl.Float64,
    "high": pl.Float64,
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class OrderedFit:
    """An ordered logit; all matrices are by the K coefficients and then the L - 1 cuts.

    Parameters
    ----------
    names
        Names of the coefficients and of the cuts ("3 | 4" is between the levels 3 and 4).
    values
        (L,): the levels as numbers, ascending.
    beta, cuts
        (K,) and (L - 1,), as log odds: a higher coefficient means higher levels.
    cov
        Covariance by cluster.
    bread
        Inverse of the negative second derivatives: the covariance if contacts were independent and the weights were counts.
    scores
        (G, K + L - 1): sums of the weighted first derivatives by cluster.
    loglik
        Weighted log-likelihood at the summit.
    data
        The rows of equal covariates and level that it was fitted to.
    rows, clusters
        How many answers, and how many clusters (of the way that has fewer).
    terms
        What the columns mean; the constant is in the cuts.
    """

    names: tuple[str, ...]
    values: Floats
    beta: Floats
    cuts: Floats
    cov: Floats
    bread: Floats
    scores: Floats
    loglik: float
    data: Rows
    rows: int
    clusters: int
    terms: Terms

    @property
    def kind(self) -> str:
        """What kind of model this is."""
        return "ordinal"

    @property
    def table(self) -> pl.DataFrame:
        """One row per coefficient and cut: `term`, `estimate` and `se` (log odds), `low`, `high` (95 %, null below 10 clusters)."""
        estimate, se = np.concatenate([self.beta, self.cuts]), np.sqrt(np.diag(self.cov))
        half = _reach(self.clusters) * se
        columns = {"term": list(self.names), "estimate": estimate, "se": se, "low": estimate - half, "high": estimate + half}
        return pl.DataFrame(columns).with_columns(pl.col("low", "high").fill_nan(None))


def fit(coded: Coded) -> OrderedFit:
    """Fit an ordered logit to rows as a model reads them, with errors by cluster (or two ways of clusters).

    Raises
    ------
    DataError
        As `fit_rows`.

    Examples
    --------
    >>> from fcrlib.fits.design import code
    >>> frame = pl.DataFrame({"csat": [1, 2, 2, 3, 3, None] * 10 + [1, 1, 1, 2, 3, None] * 10, "fcr": [True] * 60 + [False] * 60})
    >>> fit(code(frame, outcome="csat", exposure="fcr", kind="ordinal")).table.select("term", pl.col("estimate").round(3)).rows()
    [('fcr', 1.444), ('1 | 2', 0.307), ('2 | 3', 1.718)]
    """
    # Who answered alike is in one cell: the answer itself is one more covariate of the cells, though not of the model.
    by_level = replace(coded, rows=coded.rows.filter(pl.col("_y").is_not_null()), terms=replace(coded.terms, numbers=(*coded.terms.numbers, "_y")))
    cells = gather(by_level)
    answers = cells.table["_y"]
    values = answers.unique().sort().to_list()
    level = answers.rank("dense").cast(pl.Int64).to_numpy() - 1
    # Added up in the order in which they stand, so that weights that are no whole numbers give the same last digit every time.
    w = np.bincount(cells.sums["cell"].to_numpy(), weights=cells.sums["w"].to_numpy(), minlength=len(level)).astype(np.float64)
    rows = Rows(coded.terms.sparse(cells.table)[:, 1:], level, w, len(values))
    return fit_rows(rows, terms=coded.terms, values=values, sums=cells.sums)


def fit_rows(rows: Rows, *, terms: Terms, values: Sequence[float], sums: pl.DataFrame) -> OrderedFit:
    """Fit an ordered logit by Newton's method to rows of equal covariates and level.

    Parameters
    ----------
    rows
        The rows with the sum of their weights; no constant among the covariates.
    terms
        The columns of `rows.X`, after a constant that is not among them.
    values
        The levels as numbers, ascending; every one must have a row.
    sums
        The same weights by cluster: `g` (number of the cluster, from 0 without gaps; `h` of a second way, if there is one), `cell` (place of the row),
        `n` (answers), `w` (sum of weights).

    Raises
    ------
    DataError
        If there is one level only or one without a row, if a column says nothing that the others do not, or if a value of a covariate goes with
        one end of the levels only, so that its coefficient has no end.

    References
    ----------
    McCullagh (1980), J. R. Statist. Soc. B 42, 109-142. Liang and Zeger (1986), Biometrika 73, 13-22 (covariance by cluster); for two ways as in
    `sandwich.covariance`.
    """
    names = terms.names[1:]
    _refuse(rows, names=names, values=values)
    beta, cuts = summit(rows)
    bread = np.asarray(np.linalg.inv(-curvature(rows, beta, cuts)), dtype=np.float64)
    n = int(sums["n"].sum())
    _refuse_endless(rows, bread * rows.w.sum() / n, names=names)
    scores, cov, clusters = _by_cluster(rows, beta, cuts, sums=sums, bread=bread)
    marks = [f"{low:g} | {high:g}" for low, high in pairwise(values)]
    loglik = float(rows.w @ chances(rows, beta, cuts))
    known = np.asarray(values, dtype=np.float64)
    return OrderedFit((*names, *marks), known, beta, cuts, cov, bread, scores, loglik, rows, n, clusters, terms)


def summit(rows: Rows) -> tuple[Floats, Floats]:
    """Coefficients (K,) and cuts (L - 1,) of the highest likelihood, from the shares of the levels uphill.

    The log-likelihood is concave, so that halving a step that overshoots always arrives where there is a summit.

    Raises
    ------
    DataError
        If the way up does not end.
    """
    places, total = rows.X.shape[1], rows.w.sum()
    shares = np.cumsum(np.bincount(rows.level, weights=rows.w, minlength=rows.levels))[:-1] / total
    here = np.concatenate([np.zeros(places), np.log(shares / (1 - shares))])
    height = float(rows.w @ chances(rows, here[:places], here[places:]))
    for _ in range(MOST_STEPS):
        uphill = gradient(rows, here[:places], here[places:])
        try:
            step = np.asarray(np.linalg.solve(-curvature(rows, here[:places], here[places:]), uphill), dtype=np.float64)
        except np.linalg.LinAlgError:
            break
        here, height = _ahead(rows, here, step, height=height)
        if uphill @ step <= SETTLED * total:
            return here[:places], here[places:]
    raise DataError("the ordered logit does not settle", ["some values of the covariates go with one end of the levels only: merge them with others"])


def gradient(rows: Rows, beta: Floats, cuts: Floats) -> Floats:
    """First derivatives of the weighted log-likelihood by coefficients and cuts, (K + L - 1,)."""
    by_mean, by_cut = slopes(rows, beta, cuts)
    return np.concatenate([(rows.w * by_mean) @ rows.X, rows.w @ by_cut])


def standardise(fit: OrderedFit, everybody: pl.DataFrame) -> Standardised:
    """Average the score that a model expects of everybody under each exposure.

    Parameters
    ----------
    everybody
        The covariates of the model and `size` (how many people have them).

    References
    ----------
    Snowden, Rose and Mortimer (2011), Am. J. Epidemiol. 173, 731-738 (standardisation by g-computation). Oehlert (1992), American Statistician 46,
    27-29 (delta method).

    Examples
    --------
    >>> from fcrlib.fits.design import code
    >>> frame = pl.DataFrame({"csat": [1, 2, 2, 3, 3, None] * 10 + [1, 1, 1, 2, 3, None] * 10, "fcr": [True] * 60 + [False] * 60})
    >>> coded = code(frame, outcome="csat", exposure="fcr", kind="ordinal")
    >>> found = fit(coded)
    >>> standardise(found, gather(coded).everybody).shares.round(2).tolist()
    [1.58, 2.19]
    """
    weights = _told(fit.values)[1][-1:]
    parts = [_under(fit, everybody, level) for level in fit.terms.exposures]
    shares = np.concatenate([weights @ np.append(reached, 1.0) for reached, _ in parts])
    gradient = np.vstack([weights[:, :-1] @ slope for _, slope in parts])
    return Standardised(fit.terms.exposures, shares, gradient, fit.cov, fit.clusters, int(everybody["size"].sum()))


def levels(fit: OrderedFit, everybody: pl.DataFrame, *, place: int = 1, to: int = 0) -> pl.DataFrame:
    """The chance of every level if everybody were exposed, and if nobody were.

    Parameters
    ----------
    everybody
        The covariates of the model and `size` (how many people have them).
    place, to
        Which of the exposures are compared.

    Returns
    -------
    pl.DataFrame
        `outcome` ("1", "2", ... for each level, then "2 or more", ... and last "mean score"), `with_exposure`, `without`, their `difference` with
        `se`, `low`, `high` (95 %, the population taken as given): shares in 0..1, the mean score in levels. No interval below 10 clusters.
    """
    names, weights = _told(fit.values)
    (here, slope_here), (there, slope_there) = (_under(fit, everybody, fit.terms.exposures[which]) for which in (place, to))
    slope = weights[:, :-1] @ (slope_here - slope_there)
    se = np.sqrt(np.einsum("ij,jk,ik->i", slope, fit.cov, slope))
    one, other = (weights @ np.append(reached, 1.0) for reached in (here, there))
    gap, half = one - other, _reach(fit.clusters) * se
    columns = [names, one, other, gap, se, gap - half, gap + half]
    return pl.DataFrame(dict(zip(SCHEMA, columns, strict=True)), schema=SCHEMA).with_columns(pl.col("se", "low", "high").fill_nan(None))


def log_odds(fit: OrderedFit, everybody: pl.DataFrame) -> Estimate:
    """The average difference of log odds (of any level or a higher one) between exposed and not."""
    size = everybody["size"].to_numpy() / everybody["size"].sum()
    without, exposed = (_design(fit, everybody, level) for level in fit.terms.exposures[:2])
    gradient = np.append((exposed - without).T @ size, np.zeros(len(fit.cuts)))
    return told(float(gradient[: len(fit.beta)] @ fit.beta), gradient, cov=fit.cov, clusters=fit.clusters)


def _told(values: Floats) -> tuple[list[str], Floats]:
    """What is told of the levels: names (M,) and how it is made of the chances of each level or a lower one (M, L)."""
    single = np.eye(len(values)) - np.eye(len(values), k=-1)
    upper = np.cumsum(single[::-1], axis=0)[::-1][1:]
    names = [f"{value:g}" for value in values]
    return [*names, *(f"{name} or more" for name in names[1:]), "mean score"], np.vstack([single, upper, values @ single])


def _under(fit: OrderedFit, everybody: pl.DataFrame, exposure: str | bool) -> tuple[Floats, Floats]:
    """Everybody's mean chance of each level or a lower one (L - 1,), and its slope by coefficients and cuts (L - 1, K + L - 1)."""
    design, share = _design(fit, everybody, exposure), everybody["size"].to_numpy() / everybody["size"].sum()
    reached = at_most(design, fit.beta, fit.cuts)
    steep = share[:, None] * reached * (1 - reached)
    return share @ reached, np.hstack([-(design.T @ steep).T, np.diag(steep.sum(axis=0))])


def _design(fit: OrderedFit, everybody: pl.DataFrame, exposure: str | bool) -> Any:
    return fit.terms.sparse(everybody.with_columns(pl.lit(exposure).alias(fit.terms.exposure)))[:, 1:]


def _ahead(rows: Rows, here: Floats, step: Floats, *, height: float) -> tuple[Floats, float]:
    """Where a step leads that keeps the cuts in order and does not descend; at the summit the height shows no difference but of rounding."""
    places = rows.X.shape[1]
    for halving in range(MOST_HALVINGS):
        there = here + step / 2**halving
        if (np.diff(there[places:]) > 0).all():
            reached = float(rows.w @ chances(rows, there[:places], there[places:]))
            if reached >= height - ROUNDING * abs(height):
                return there, reached
    return here, height


def _by_cluster(rows: Rows, beta: Floats, cuts: Floats, *, sums: pl.DataFrame, bread: Floats) -> tuple[Floats, Floats, int]:
    """Scores of the clusters, the covariance, and how many clusters there are; two ways add up, less their crossing."""
    derivatives = slopes(rows, beta, cuts)
    n = int(sums["n"].sum())
    ways = [sums["g"]]
    if "h" in sums.columns:
        ways += [sums["h"], sums.select(pl.struct("g", "h").rank("dense").cast(pl.Int64) - 1).to_series()]
    added = [_scores(rows, derivatives, way, sums=sums) for way in ways]
    parts = [sandwich(bread, scores.T @ scores, groups=len(scores), rows=n, columns=len(bread)) for scores in added]
    cov = parts[0] if len(parts) == 1 else parts[0] + parts[1] - parts[2]
    return added[0], cov, min(len(scores) for scores in added[:2])


def _scores(rows: Rows, derivatives: tuple[Floats, Floats], way: pl.Series, *, sums: pl.DataFrame) -> Floats:
    from scipy.sparse import csr_array

    by_mean, by_cut = derivatives
    shape = (int(way.max()) + 1, len(rows.w))  # type: ignore[arg-type]
    held = csr_array((sums["w"].to_numpy(), (way.to_numpy(), sums["cell"].to_numpy())), shape=shape)
    by_terms = (held.multiply(by_mean[None, :]) @ rows.X).toarray()
    return np.hstack([by_terms, held @ by_cut])


def _reach(clusters: int) -> float:
    """How many standard errors a 95 % interval reaches to either side; nan where there are too few clusters to say."""
    reach = t_quantile(clusters)
    return float("nan") if reach is None else reach


def _refuse(rows: Rows, *, names: Sequence[str], values: Sequence[float]) -> None:
    problems = []
    needless = [name for name, kept in zip(names, _informative(rows), strict=True) if not kept]
    held = np.bincount(rows.level, weights=rows.w, minlength=rows.levels)
    if rows.levels < 2:
        problems.append(f"all answers are {', '.join(f'{value:g}' for value in values)}: two levels are needed at least")
    problems += [f"nobody answered {value:g}: leave the level out" for value, w in zip(values, held, strict=True) if w <= 0]
    problems += [f"{name!r} says nothing that the other covariates do not: leave it out" for name in needless]
    if problems:
        raise DataError("an ordered logit cannot be fitted", problems)


def _informative(rows: Rows) -> list[bool]:
    """Which columns say something that a constant and the columns before them do not."""
    sums = rows.X.T @ rows.w
    gram = np.block([[rows.w.sum(), sums[None, :]], [sums[:, None], products(rows.X, weight=rows.w)]])
    return own(gram, scale=np.diag(gram))[1:]


def _refuse_endless(rows: Rows, bread: Floats, *, names: Sequence[str]) -> None:
    """A coefficient without an end stops somewhere far out, where nothing is known of it any more."""
    reach = np.sqrt(np.diag(bread)[: len(names)]) * (rows.X.max(axis=0) - rows.X.min(axis=0)).toarray()
    problems = [
        f"{name!r} goes with one end of the levels only: merge it with another value" for name, far in zip(names, reach, strict=True) if far > WIDEST
    ]
    if problems:
        raise DataError("the ordered logit has no end", problems)
