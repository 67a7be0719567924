"""Who is really different? Shares of many agents or teams, without mistaking luck for skill.

Raw shares must not be ranked: among 200 identical agents a dozen look special at the usual 5 %. So each share is drawn towards
what is expected of its mix of contacts, and only what survives the number of comparisons is flagged.
"""

from __future__ import annotations

from typing import TypeVar

import numpy as np
import polars as pl
from numpy.typing import NDArray

from fcrlib.judge.rates import Z95
from fcrlib.model.columns import known
from fcrlib.model.errors import DataError, UsageError

MATURED = 100
"""Contacts an agent needs before anything is said about that agent alone."""
LIKE = (0.5, 1e6)
"""How many contacts the expectation may be worth: from hardly any to so many that all are alike."""
STEPS = 61
"""How finely that worth is looked at."""
CHANCE = 0.05
RUN = 8
COUNTS = ("share", "expected", "post", "low", "high", "funnel_low", "funnel_high", "p", "q", "flagged", "too_few")

Floats = NDArray[np.float64]
ExprOrSeries = TypeVar("ExprOrSeries", pl.Expr, pl.Series)


def shrink(frame: pl.DataFrame, *, k: str, n: str, expected: str | None = None, at_least: int = MATURED) -> pl.DataFrame:
    """Draw each row's share towards what is expected of it, as far as its size leaves doubt, and flag who stands out.

    Parameters
    ----------
    frame
        One row per agent, team or segment: the family that is compared.
    k, n
        Columns of counts: resolved contacts and matured contacts.
    expected
        Column with the share (0..1) expected of the row's mix of contacts, from a model that does not know the row; without it all
        rows are expected to be alike. Its level is adjusted to the data, its differences are taken as given.
    at_least
        Rows with fewer contacts are `too_few`: they are drawn to the expectation like the others, but not judged.

    Returns
    -------
    pl.DataFrame
        `frame` in its order, and `share` (raw; null if too few), `expected`, `post`, `low`, `high` (posterior mean and 95 %
        interval, over all that the spread between the rows may be), `funnel_low`, `funnel_high` (95 % limits around `expected`,
        widened by the family's usual spread), `p`, `q` (Benjamini-Hochberg over the rows with enough contacts), `flagged` (q at
        most 5 %; null if too few), `too_few`. Columns of these names in `frame` are replaced.

    Raises
    ------
    UsageError
        For columns that are not there or not numbers.
    DataError
        For counts that cannot be, or fewer than two rows with contacts.

    References
    ----------
    Casella (1985), The American Statistician 39, 83-87; Gelman et al. (2013), Bayesian Data Analysis, 3rd ed., section 5.1;
    Gelman (2006), Bayesian Analysis 1, 515-534 (flat in the standard deviation between rows); Spiegelhalter (2005), Statistics in
    Medicine 24, 1185-1202 (funnel, winsorised overdispersion).

    Examples
    --------
    >>> teams = pl.DataFrame({"team": ["a", "b", "c"], "resolved": [140, 72, 400], "contacts": [200, 80, 600]})
    >>> shrink(teams, k="resolved", n="contacts").select("team", pl.col("share", "post").round(3), "flagged").rows()
    [('a', 0.7, 0.703, False), ('b', None, 0.879, None), ('c', 0.667, 0.669, False)]
    """
    _counts(frame, k=k, n=n, share=expected)
    yes, size = frame[k].cast(pl.Float64).to_numpy(), frame[n].cast(pl.Float64).to_numpy()
    usual = (yes.sum() / size.sum()) + 0 * size if expected is None else frame[expected].cast(pl.Float64).to_numpy()
    mean, worths, belief = _prior(yes, size, usual)
    post, low, high = _posterior(yes, size, mean, worths, belief)
    z = _surprise(yes, size, mean)
    drawn = {"post": post, "low": low, "high": high, "expected": mean, "_z": z}
    few = pl.col(n) < max(at_least, 1)
    table = frame.drop([name for name in COUNTS if name in frame.columns and name not in (k, n)]).with_columns(
        *(pl.Series(name, values) for name, values in drawn.items()), share=pl.when(~few).then(pl.col(k) / pl.col(n)), too_few=few
    )
    phi = _phi(table.filter(~few)["_z"])
    wide = Z95 * (phi * pl.col("expected") * (1 - pl.col("expected")) / pl.when(pl.col(n) > 0).then(n)).sqrt()
    tail = pl.Series("p", _two_sided(z / phi**0.5))
    table = table.with_columns(
        funnel_low=(pl.col("expected") - wide).clip(0, 1), funnel_high=(pl.col("expected") + wide).clip(0, 1), p=pl.when(~few).then(tail)
    )
    table = table.with_columns(q=bh(pl.col("p"))).with_columns(flagged=pl.col("q") <= CHANCE)
    own = [name for name in frame.columns if name not in COUNTS or name in (k, n)]
    return table.select(*own, *(name for name in COUNTS if name not in own))


def _counts(frame: pl.DataFrame, *, k: str, n: str, share: str | None = None, least: int = 2) -> None:
    """Refuse what cannot be a count of a count; all problems at once."""
    names = [name for name in (k, n, share) if name is not None]
    known(frame, names, numbers=names)
    problems: list[str] = []
    whole = pl.col(k).is_null() | pl.col(n).is_null() | (pl.col(k) < 0) | (pl.col(k) > pl.col(n))
    wrong = {f"{k!r} must be known and lie between 0 and {n!r}": whole}
    if share is not None:
        outside = ~pl.col(share).is_between(0, 1, closed="none").fill_null(False)
        wrong[f"{share!r} must be a share between 0 and 1; divide an expected count by {n!r}"] = outside
    for sentence, bad in wrong.items():
        if (rows := frame.filter(bad)).height:
            problems.append(f"{sentence}: {rows.height} of {frame.height} rows, e.g. {rows.row(0, named=True)}")
    if not problems and (filled := frame.filter(pl.col(n) > 0).height) < least:
        problems.append(f"{filled} of {frame.height} rows have contacts, but a comparison needs {least}")
    if problems:
        raise DataError("the rows cannot be compared", problems)


def moments(shares: pl.Series) -> tuple[float, float]:
    """Alpha and beta of the beta distribution that has the mean and the spread of raw `shares`.

    A start for the likelihood, no more: the spread of raw shares contains their chance, so the rows seem less alike than they are.

    References
    ----------
    Gelman et al. (2013), Bayesian Data Analysis, 3rd ed., section 5.1 (rat tumours: 1.4 and 8.6).

    Examples
    --------
    >>> [round(value, 2) for value in moments(pl.Series([0.6, 0.7, 0.8]))]
    [14.0, 6.0]
    """
    mean, spread = float(pl.select(shares.mean()).item()), float(pl.select(shares.var()).item())
    like = mean * (1 - mean) / spread - 1 if spread > 0 else LIKE[1]
    return mean * like, (1 - mean) * like


def _prior(yes: Floats, size: Floats, usual: Floats) -> tuple[Floats, Floats, Floats]:
    """Each row's expected share (beta-binomial, maximum likelihood), how many contacts it may be worth, and how far to believe each.

    One best worth would not do: where rows differ little, the likelihood cannot tell little from nothing, and the best worth would
    claim that all are exactly alike.
    """
    from scipy.optimize import minimize
    from scipy.special import betaln, expit, logit

    there, floor = size > 0, 1e-6
    base = logit(usual.clip(floor, 1 - floor))

    def loss(at: Floats) -> float:
        mean, worth = expit(base + at[0])[there].clip(floor, 1 - floor), np.exp(at[1])
        a, b, k, n = worth * mean, worth * (1 - mean), yes[there], size[there]
        return -float((betaln(k + a, n - k + b) - betaln(a, b)).sum())

    ends = np.log(LIKE)
    start = np.log(np.clip(sum(moments(pl.Series(yes[there] / size[there]))), *LIKE)).clip(*ends)
    found = minimize(
        loss, [0.0, min(start, ends[1] - 1)], method="Nelder-Mead", bounds=[(-5, 5), tuple(ends)], options={"xatol": 1e-7, "fatol": 1e-10}
    )
    steps = np.linspace(ends[0], ends[1], STEPS)
    # Flat in the standard deviation between rows, which goes with one over the root of the worth.
    score = np.array([-loss(np.array([found.x[0], step])) for step in steps]) - steps / 2
    belief = np.exp(score - score.max())
    kept = belief > 1e-4
    return np.asarray(expit(base + found.x[0])), np.exp(steps[kept]), belief[kept] / belief[kept].sum()


def _posterior(yes: Floats, size: Floats, mean: Floats, worths: Floats, belief: Floats) -> tuple[Floats, Floats, Floats]:
    """Mean and 95 % interval of each row's posterior, a mixture of betas."""
    from scipy.special import betainc

    a = yes[:, None] + worths * mean[:, None]
    b = (size - yes)[:, None] + worths * (1 - mean)[:, None]
    low, high = np.zeros((2, len(yes))), np.ones((2, len(yes)))
    wanted = np.array([[0.025], [0.975]])
    for _ in range(24):
        middle = (low + high) / 2
        below = (betainc(a, b, middle[:, :, None]) @ belief) < wanted
        low, high = np.where(below, middle, low), np.where(below, high, middle)
    return (a / (a + b)) @ belief, low[0], high[1]


def _surprise(yes: Floats, size: Floats, mean: Floats) -> Floats:
    """Normal score of the binomial mid-p, which is sound in the skewed tails where the score test is not."""
    from scipy.special import bdtr, bdtrc, ndtri

    count, total = np.round(yes).astype(np.int64), np.round(size).astype(np.int64)
    below = np.where(count > 0, bdtr((count - 1).clip(0), total, mean), 0.0)
    above = np.where(count < total, bdtrc(count, total, mean), 0.0)
    same = (1 - below - above).clip(0) / 2
    lower, upper = (below + same).clip(1e-300, 1), (above + same).clip(1e-300, 1)
    return np.asarray(np.where(lower < upper, ndtri(lower), -ndtri(upper)))


def _phi(z: pl.Series) -> float:
    """Overdispersion of the family, at least 1: the mean square of its scores, the outer tenth on each side pulled in.

    Of four rows or more at least the outermost on each side is pulled in to its neighbour, or one bad team of four would excuse itself.
    """
    if z.len() < 2:
        return 1.0
    outer = max(0.1, 1 / (z.len() - 1)) if z.len() >= 4 else 0.1
    pulled = z.clip(z.quantile(outer, "linear"), z.quantile(1 - outer, "linear"))
    return max(1.0, float((pulled**2).sum()) / z.len())


def _two_sided(z: Floats) -> Floats:
    from scipy.special import ndtr

    return np.asarray(2 * ndtr(-np.abs(z)))


def bh(p: ExprOrSeries) -> ExprOrSeries:
    """Benjamini-Hochberg adjusted p values over the family given; nulls belong to no family.

    References
    ----------
    Benjamini and Hochberg (1995), Journal of the Royal Statistical Society B 57, 289-300.

    Examples
    --------
    >>> bh(pl.Series("p", [0.01, 0.5, None, 0.02])).round(3).to_list()
    [0.03, 0.5, None, 0.03]
    """
    if isinstance(p, pl.Series):
        return p.to_frame("p").select(bh(pl.col("p")).alias(p.name)).to_series()
    known = p.fill_nan(None)
    place = pl.int_range(1, known.len() + 1)
    stepped = (known.sort(nulls_last=True) * known.count() / place).reverse().cum_min().reverse().clip(upper_bound=1.0)
    return pl.when(known.is_not_null()).then(stepped.gather(known.rank("ordinal") - 1))


def gaming(
    frame: pl.DataFrame,
    *,
    fcr: str,
    reopen: str | None = None,
    life: str | None = None,
    csat: str | None = None,
    tail: float = 0.25,
    signs: int = 2,
) -> pl.DataFrame:
    """Rows whose high first contact resolution comes with signs that contacts were closed rather than solved.

    A row is marked when its `fcr` lies in the upper `tail` of the rows and at least `signs` of these hold: `reopen` in the upper
    tail, `life` in the lower, `csat` in the lower. With nothing going on, and signs that have nothing to do with each other, about
    4 in 100 rows are marked: a mark says whose contacts to read, not what anybody did.

    Parameters
    ----------
    frame
        One row per agent or team; `fcr` best taken from `shrink` (its `post`), so that small rows are not extreme by chance.
    reopen, life, csat
        Columns: share of contacts reopened, time from opening to closing (number or duration), satisfaction. A null is no sign.

    Returns
    -------
    pl.DataFrame
        `frame` with `high_fcr`, `high_reopen`, `short_life`, `low_csat` (null where not known), `signs`, `look`.

    Examples
    --------
    >>> agents = pl.DataFrame({"fcr": [0.9, 0.7, 0.6, 0.7, 0.5], "reopen": [0.3, 0.1, 0.1, 0.2, 0.1], "life": [2, 9, 8, 7, 9]})
    >>> gaming(agents, fcr="fcr", reopen="reopen", life="life")["look"].to_list()
    [True, False, False, False, False]
    """
    given = {"high_reopen": reopen, "short_life": life, "low_csat": csat}
    named = [name for name in (fcr, *given.values()) if name is not None]
    known(frame, named)
    problems = [f"{signs} signs are asked for, but {len(named) - 1} columns given"] if len(named) - 1 < signs else []
    problems += [f"tail is {tail}, but it must lie between 0 and 0.5"] if not 0 < tail < 0.5 else []
    if problems:
        raise UsageError("signs of gaming cannot be looked for", problems)

    def extreme(name: str | None, *, high: bool) -> pl.Expr:
        if name is None:
            return pl.lit(None, pl.Boolean)
        value = pl.col(name).to_physical().cast(pl.Float64)
        return value > value.quantile(1 - tail, "linear") if high else value < value.quantile(tail, "linear")

    marks = {name: extreme(column, high=name == "high_reopen") for name, column in given.items()}
    table = frame.with_columns(high_fcr=extreme(fcr, high=True), **marks)
    table = table.with_columns(signs=pl.sum_horizontal(pl.col(*given).fill_null(False).cast(pl.Int64)))
    return table.with_columns(look=pl.col("high_fcr") & (pl.col("signs") >= signs))


def p_chart(frame: pl.DataFrame, *, k: str, n: str) -> pl.DataFrame:
    """Which periods fall out of the usual? Laney's p' limits, which stay honest when thousands of contacts make p limits too tight.

    Parameters
    ----------
    frame
        One row per period in the order of time, complete periods only; at least two with contacts.
    k, n
        Columns of counts, e.g. resolved and matured contacts.

    Returns
    -------
    pl.DataFrame
        `frame` in its order, and `share`, `centre`, `sigma_z` (1: no more spread than chance), `low`, `high` (3 sigma, Laney),
        `plain_low`, `plain_high` (the classical limits), `beyond` (outside `low` to `high`), `run` (the eighth or later in a row on one
        side of the centre).

    References
    ----------
    Laney (2002), Quality Engineering 14, 531-537; Montgomery, Introduction to Statistical Quality Control, chapter 7; Western
    Electric (1956), Statistical Quality Control Handbook (runs of eight).

    Examples
    --------
    >>> weeks = pl.DataFrame({"solved": [70, 72, 69, 40], "n": [100, 100, 100, 100]})
    >>> p_chart(weeks, k="solved", n="n").select(pl.col("centre", "sigma_z", "low").round(3), "beyond").row(3)
    (0.628, 2.078, 0.326, False)
    """
    _counts(frame, k=k, n=n)
    centre = float(frame[k].sum()) / float(frame[n].sum())
    size = pl.when(pl.col(n) > 0).then(pl.col(n).cast(pl.Float64))
    sigma = (centre * (1 - centre) / size).sqrt()
    z = frame.select(share=pl.col(k) / size, z=(pl.col(k) / size - centre) / sigma)["z"].fill_nan(None).drop_nulls()
    sigma_z = float(z.diff().abs().fill_null(0).sum()) / (z.len() - 1) / 1.128 if z.len() > 1 else 1.0
    ends = {"low": -3 * sigma_z, "high": 3 * sigma_z, "plain_low": -3.0, "plain_high": 3.0}
    table = frame.with_columns(share=pl.col(k) / size, centre=pl.lit(centre), sigma_z=pl.lit(sigma_z))
    table = table.with_columns(**{name: (centre + reach * sigma).clip(0, 1) for name, reach in ends.items()})
    side = (pl.col("share") - centre).sign()
    place = pl.int_range(1, pl.len() + 1).over(side.rle_id())
    return table.with_columns(beyond=~pl.col("share").is_between("low", "high"), run=((place >= RUN) & (side != 0)))
