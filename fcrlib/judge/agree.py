"""How far do two verdicts on the same contacts agree?"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import polars as pl

from fcrlib.judge.rates import Z95, Difference, rate, wilson
from fcrlib.model.columns import known
from fcrlib.model.errors import DataError

EXACT_BELOW = 25


@dataclass(frozen=True, slots=True)
class Agreement:
    """How far the system and the customers agree on the `n` contacts of which both verdicts are known.

    `table`: four rows `system`, `survey`, `n`, `share` (weighted). `kappa` beyond chance; `sensitivity`, `specificity`: share of the
    customers' yes (no) that the system reads so; nan where undefined. `difference`: system minus survey, paired; `chi2`, `p`: McNemar's
    test of it, exact when fewer than 25 contacts disagree, unweighted and unclustered. `measures`: `measure` (kappa, sensitivity,
    specificity, `ppv` and `npv`: share of the system's yes (no) that the customer confirms, difference), `n`, `value`, `low`, `high` (95 %).
    `false_resolutions`: the rows that the system calls resolved and the customer does not, as given.
    """

    n: int
    table: pl.DataFrame
    kappa: float
    sensitivity: float
    specificity: float
    difference: Difference
    chi2: float
    p: float
    measures: pl.DataFrame
    false_resolutions: pl.DataFrame


def agreement(linked: pl.DataFrame, *, system: str, survey: str, weight: str | None = None, cluster: str | None = None) -> Agreement:
    """Compare the system's verdict with the customer's on the contacts that have both.

    Parameters
    ----------
    linked
        One row per contact, yes/no `system` and `survey`; a null in either, or in `weight`, leaves the row out.
    weight
        Column of response weights; the variances then rest on Kish's effective size.
    cluster
        Column whose rows belong together, usually the customer; a null is a cluster of its own. It shrinks the effective size further.

    References
    ----------
    See `kappa`, `mcnemar` and `paired`.

    Examples
    --------
    >>> linked = pl.DataFrame({"flag": [True] * 6 + [False] * 4, "said": [True] * 5 + [False] * 4 + [None]})
    >>> found = agreement(linked, system="flag", survey="said")
    >>> found.n, round(found.kappa, 3), found.sensitivity, found.specificity
    (9, 0.769, 1.0, 0.75)
    """
    known(linked, [system, survey, *(name for name in (weight, cluster) if name)], yes_no=(system, survey))
    both = _both(linked, system, survey, weight, cluster)
    total = float(both["w"].sum())
    if total <= 0:
        raise DataError(f"no contact has both a verdict of the system ({system!r}) and an answer ({survey!r}), so they cannot be compared")
    four = pl.DataFrame({"system": [False, False, True, True], "survey": [False, True, False, True]})
    sums = both.group_by("system", "survey").agg(n=pl.len().cast(pl.Int64), share=pl.col("w").sum() / total, squares=pl.col("w").pow(2).sum())
    table = four.join(sums, on=["system", "survey"], how="left", maintain_order="left").fill_null(0)
    shares, squares = table["share"].to_list(), table["squares"].to_list()
    gap, same = pl.col("system").cast(pl.Float64) - pl.col("survey").cast(pl.Float64), (pl.col("system") == pl.col("survey")).cast(pl.Float64)
    size, apart_by, alike_by = total**2 / sum(squares), _inflation(both, gap), _inflation(both, same)
    disagree, simple = [shares[2] * total, shares[1] * total], weight is None and cluster is None
    chi2, p = mcnemar(disagree, [square * apart_by for square in squares[1:3]], exact=simple and sum(disagree) < EXACT_BELOW)
    apart, alike = paired(shares, size / apart_by), kappa(shares, size / alike_by)
    measures = _measures(both, kappa=alike, difference=(apart.value, apart.low, apart.high))
    k, sensitivity, specificity = measures["value"].fill_null(math.nan).head(3).to_list()
    false = linked.filter(pl.col(system).cast(pl.Boolean) & ~pl.col(survey).cast(pl.Boolean))
    return Agreement(both.height, table.drop("squares"), k, sensitivity, specificity, apart, chi2, p, measures, false)


def _both(linked: pl.DataFrame, system: str, survey: str, weight: str | None, cluster: str | None) -> pl.DataFrame:
    """The rows with both verdicts: `system`, `survey`, `w`, `member`."""
    w = pl.lit(1.0) if weight is None else pl.col(weight).cast(pl.Float64)
    who = pl.lit(None, pl.String) if cluster is None else pl.col(cluster).cast(pl.String)
    rows = linked.select(system=pl.col(system).cast(pl.Boolean), survey=pl.col(survey).cast(pl.Boolean), w=w, member=who)
    return rows.drop_nulls(["system", "survey", "w"]).with_columns(pl.col("member").fill_null(pl.format("\x00{}", pl.int_range(pl.len()))))


def _inflation(both: pl.DataFrame, what: pl.Expr) -> float:
    """How many times the members inflate the variance of a weighted mean; at least 1."""
    rows = both.select("member", rest=pl.col("w") * (what - (pl.col("w") * what).sum() / pl.col("w").sum()))
    alone = float((rows["rest"] ** 2).sum())
    together = float((rows.group_by("member").agg(pl.col("rest").sum())["rest"] ** 2).sum())
    return max(1.0, together / alone) if alone > 0 else 1.0


def _measures(both: pl.DataFrame, **given: tuple[float, float, float]) -> pl.DataFrame:
    """Kappa, the four shares read off the rows and the columns of the table, and the difference: `measure`, `n`, `value`, `low`, `high`."""
    yes, said = pl.col("system"), pl.col("survey")
    read = {"sensitivity": (said, yes), "specificity": (~said, ~yes), "ppv": (yes, said), "npv": (~yes, ~said)}
    found: dict[str, tuple[float | None, ...]] = {"kappa": (both.height, *given["kappa"])}
    for name, (among, what) in read.items():
        found[name] = rate(both.filter(among), what, weight="w", cluster="member").select("n", "share", "low", "high").row(0)
    found["difference"] = (both.height, *given["difference"])
    schema = {"measure": pl.String, "n": pl.Int64, "value": pl.Float64, "low": pl.Float64, "high": pl.Float64}
    return pl.DataFrame([(name, *values) for name, values in found.items()], orient="row", schema=schema).fill_nan(None)


def rogan_gladen(apparent: float, *, sensitivity: float, specificity: float) -> float:
    """The true share behind an apparent one, were all contacts read with this sensitivity and specificity.

    A cross-check, not an estimate: those of the customers who answer are not those of all. It is not cut to 0..1, so that a
    contradiction shows; nan when the system reads no better than a coin.

    References
    ----------
    Rogan and Gladen (1978), American Journal of Epidemiology 107, 71-76, equation 1.

    Examples
    --------
    >>> round(rogan_gladen(23 / 150, sensitivity=0.96, specificity=0.89), 4)
    0.051
    """
    better = sensitivity + specificity - 1
    return (apparent + specificity - 1) / better if better > 0 else math.nan


def kappa(shares: Sequence[float], size: float) -> tuple[float, float, float]:
    """Cohen's kappa and its 95 % interval; `shares` of `size` are no-no, no-yes, yes-no, yes-yes. All nan when chance alone agrees fully.

    References
    ----------
    Fleiss, Cohen and Everitt (1969), Psychological Bulletin 72, 323-327.
    """
    d, c, b, a = shares
    first, second = a + b, a + c
    seen, chance = a + d, first * second + (1 - first) * (1 - second)
    if chance >= 1:
        return math.nan, math.nan, math.nan
    k = (seen - chance) / (1 - chance)
    same = a * (1 - chance - (first + second) * (1 - seen)) ** 2 + d * (1 - chance - (2 - first - second) * (1 - seen)) ** 2
    other = (1 - seen) ** 2 * (b * (second + 1 - first) ** 2 + c * (1 - second + first) ** 2)
    spread = max(0.0, same + other - (seen * chance - 2 * chance + seen) ** 2) / (size * (1 - chance) ** 4)
    return k, max(-1.0, k - Z95 * spread**0.5), min(1.0, k + Z95 * spread**0.5)


def mcnemar(sums: Sequence[float], squares: Sequence[float], *, exact: bool) -> tuple[float, float]:
    """Chi-square and p value from the sums of weights, and of squared weights, of the pairs that differ one way and the other.

    References
    ----------
    McNemar (1947), Psychometrika 12, 153-157; `exact` for the binomial test of unweighted pairs.
    """
    from scipy.special import bdtr, chdtrc

    if sum(squares) == 0:
        return 0.0, 1.0
    chi2 = (sums[0] - sums[1]) ** 2 / sum(squares)
    p = min(1.0, 2 * float(bdtr(round(min(sums)), round(sum(sums)), 0.5))) if exact else float(chdtrc(1, chi2))
    return chi2, p


def paired(shares: Sequence[float], size: float) -> Difference:
    """Difference of two shares of the same contacts, first minus second, with the score interval; `shares` as in `kappa`.

    References
    ----------
    Newcombe (1998), Statistics in Medicine 17, 2635-2650, method 10.
    """
    d, c, b, a = shares
    (p, low, high), (q, below, above) = ends(a + b, size), ends(a + c, size)
    both = math.sqrt(max(0.0, (a + b) * (c + d) * (a + c) * (b + d)))
    cross = a * d - b * c
    phi = 0.0 if both == 0 else (max(cross - 1 / (2 * size), 0) if cross > 0 else cross) / both
    down = math.sqrt(max(0.0, (p - low) ** 2 - 2 * phi * (p - low) * (above - q) + (above - q) ** 2))
    up = math.sqrt(max(0.0, (q - below) ** 2 - 2 * phi * (q - below) * (high - p) + (high - p) ** 2))
    return Difference(p - q, p - q - down, p - q + up)


def ends(p: float, size: float, *, z: float = Z95) -> tuple[float, float, float]:
    """A share and the two ends of Wilson's interval, as numbers."""
    low, high = wilson(pl.lit(p), pl.lit(size), z=z)
    return pl.select(p=p, low=low, high=high).row(0)
