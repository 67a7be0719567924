"""How far do people agree on why contacts fail, how far are the rules right, and how many failures of each kind are there really?

A sample that was drawn by what the rules said answers the last two: every contact that people read stands for those of its stratum.
"""

from __future__ import annotations

from itertools import combinations

import numpy as np
import numpy.typing as npt
import polars as pl

from fcrlib.judge.agree import ends
from fcrlib.judge.rates import Z95, rate, wilson
from fcrlib.model.columns import KEY

Floats = npt.NDArray[np.float64]
_AGREEMENT = {
    "tagger": pl.String, "other": pl.String, "mode": pl.String, "n": pl.Int64, "agreed": pl.Float64, "low": pl.Float64, "high": pl.Float64,
    "kappa": pl.Float64, "kappa_low": pl.Float64, "kappa_high": pl.Float64,
}  # fmt: skip


def verdicts(raw: pl.DataFrame) -> pl.DataFrame:
    """What people said of each contact, taken together.

    Where those who named a way of failing named the same, that is it. Where they named different ones, it is disputed and nobody's, until a
    line that settles it is there. Who was unsure names none.

    Parameters
    ----------
    raw
        One row per contact and tagger: `source`, `contact_id`, `tagger`, `mode` (null: unsure), `settles`.

    Returns
    -------
    pl.DataFrame
        One row per contact, sorted: `source`, `contact_id`, `mode` (null where disputed or unsure), `taggers`, `disputed`.

    Examples
    --------
    >>> raw = pl.DataFrame({"contact_id": ["1", "1", "2", "2"], "tagger": list("abab"), "mode": ["x", "x", "x", "y"], "settles": False})
    >>> verdicts(raw.with_columns(source=pl.lit("zd"))).select("contact_id", "mode", "disputed").rows()
    [('1', 'x', False), ('2', None, True)]
    """
    own, last = pl.col("mode").filter(~pl.col("settles")).drop_nulls(), pl.col("mode").filter("settles").drop_nulls().last()
    found = raw.group_by(KEY, maintain_order=True).agg(
        first=own.first(), named=own.n_unique(), settled=last, taggers=pl.col("tagger").filter(~pl.col("settles")).n_unique().cast(pl.Int64)
    )
    mode = pl.coalesce("settled", pl.when(pl.col("named") == 1).then("first"))
    return (
        found.select(*KEY, "taggers", mode=mode, disputed=(pl.col("named") > 1) & pl.col("settled").is_null())
        .select(*KEY, "mode", "taggers", "disputed")
        .sort(KEY)
    )


def agreement(raw: pl.DataFrame) -> pl.DataFrame:
    """How far two people agree who read the same contacts, each without the other.

    The contacts count as they were drawn, so rare modes weigh more than they do on the desk.

    Parameters
    ----------
    raw
        As for `verdicts`; lines that settle are left out, and so are contacts of which one of the two was unsure.

    Returns
    -------
    pl.DataFrame
        Per pair of taggers one row for everything (`mode` null) and one per mode, most contacts first: `tagger`, `other`, `mode`, `n` contacts
        (of a mode: that at least one of the two called so), `agreed` share of them that both called alike, with `low`, `high`, and Cohen's
        `kappa` (of a mode: against all the others) with `kappa_low`, `kappa_high` (95 %); null where chance alone would agree fully.

    References
    ----------
    Cohen (1960), Educational and Psychological Measurement 20, 37-46; the interval: Fleiss, Cohen and Everitt (1969), Psychological Bulletin
    72, 323-327; the share: Wilson (1927), JASA 22, 209-212.
    """
    apart = raw.filter(~pl.col("settles")).drop_nulls("mode").unique([*KEY, "tagger"], keep="last", maintain_order=True)
    rows = [pl.DataFrame(schema=_AGREEMENT)]
    for one, two in combinations(sorted(apart["tagger"].unique()), 2):
        both = _side_by_side(apart, one, two)
        if both.height:
            modes = sorted({*both["mine"], *both["theirs"]})
            rows += [_alike(both, one, two, mode, modes=modes) for mode in (None, *modes)]
    table = pl.concat(rows)
    return table.sort("tagger", "other", pl.col("mode").is_not_null(), pl.col("n") * -1, "mode")


def confusion(raw: pl.DataFrame) -> pl.DataFrame:
    """Which ways of failing do two people mistake for each other?

    Returns
    -------
    pl.DataFrame
        One row per pair of modes of which one person chose the one and another the other: `mode`, `other` (in the order of the alphabet), `n`
        contacts, `of` (contacts that two people read and either of the two modes was chosen for), `share`, `low`, `high` (95 %). Most contacts first.
    """
    apart = raw.filter(~pl.col("settles")).drop_nulls("mode").unique([*KEY, "tagger"], keep="last", maintain_order=True)
    pairs = [_side_by_side(apart, one, two) for one, two in combinations(sorted(apart["tagger"].unique()), 2)]
    empty = pl.DataFrame(schema={"mine": pl.String, "theirs": pl.String})
    both = pl.concat([empty, *pairs])
    differ = both.filter(pl.col("mine") != pl.col("theirs")).select(
        mode=pl.min_horizontal("mine", "theirs"), other=pl.max_horizontal("mine", "theirs")
    )
    counts = differ.group_by("mode", "other").agg(n=pl.len().cast(pl.Int64))
    said = pl.concat([both.select(mode="mine"), both.filter(pl.col("mine") != pl.col("theirs")).select(mode="theirs")])
    sizes = said.group_by("mode").agg(size=pl.len().cast(pl.Int64))
    table = counts.join(sizes, on="mode").join(sizes.rename({"mode": "other", "size": "other_size"}), on="other")
    table = table.with_columns(of=pl.col("size") + pl.col("other_size") - pl.col("n"))
    low, high = wilson(pl.col("n") / pl.col("of"), pl.col("of"))
    return table.select("mode", "other", "n", "of", share=pl.col("n") / pl.col("of"), low=low, high=high).sort(pl.col("n") * -1, "mode", "other")


def accuracy(raw: pl.DataFrame, *, sample: pl.DataFrame, rules: pl.DataFrame | None = None) -> pl.DataFrame:
    """Share of the failed contacts of which rules and people name the same way of failing.

    Parameters
    ----------
    raw, sample, rules
        As for `quality`.

    Returns
    -------
    pl.DataFrame
        One row: `n` contacts of the sample that people decided on, and `share`, `low`, `high` (95 %), weighed to all that were drawn from.

    References
    ----------
    See `judge.intervals.rate`.
    """
    read = _read(raw, sample=sample, rules=rules)
    return rate(read, pl.col("mode") == pl.col("rule"), weight="w").select(pl.col("n").cast(pl.Int64), "share", "low", "high")


def quality(raw: pl.DataFrame, *, sample: pl.DataFrame, rules: pl.DataFrame | None = None) -> pl.DataFrame:
    """How often are the rules right about a way of failing, and how much of it do they find?

    Parameters
    ----------
    raw
        As for `verdicts`. Disputed and unsure contacts are left out, as if they were like the others of their stratum.
    sample
        What was drawn: `source`, `contact_id`, `stratum` (what the rules said when it was drawn), `stratum_size`; of one drawing.
    rules
        What the rules say now: `source`, `contact_id`, `mode`, `primary` (`explain.failure_modes.tag`); what they said at the drawing by default.

    Returns
    -------
    pl.DataFrame
        One row per mode that people or rules named, the largest first: `mode`, `n_people` and `n_rules` (contacts of the sample that people, that
        the rules called so), `precision` (share of what the rules call so that people call so) with `precision_low`, `precision_high`, `recall`
        (share of what people call so that the rules call so) with `recall_low`, `recall_high` (95 %). Both are weighed to all contacts that
        were drawn from; null where nothing is known.

    References
    ----------
    Cochran (1977), Sampling Techniques, 3rd ed., 107-108 (shares from strata); the interval of the recall from those of its two parts: Zou and
    Donner (2008), Statistics in Medicine 27, 1693-1702.
    """
    read = _read(raw, sample=sample, rules=rules)
    parts = _parts(read, sample=sample, unread=rules is None)
    precise = rate(read, pl.col("mode") == pl.col("rule"), by="rule", weight="w")
    named = {"share": "precision", "low": "precision_low", "high": "precision_high"}
    counts = precise.select("n", *named, mode="rule").rename({**named, "n": "n_rules"}).with_columns(pl.col("n_rules").cast(pl.Int64))
    table = parts.join(counts, on="mode", how="left", maintain_order="left").with_columns(pl.col("n_rules").fill_null(0))
    recall = np.array([_recall(*row) for row in table.select(*_PARTS).iter_rows()]).reshape(-1, 3)
    told = {name: pl.Series(recall[:, place], dtype=pl.Float64) for place, name in enumerate(("recall", "recall_low", "recall_high"))}
    table = table.with_columns(**told).with_columns(pl.col(*told).fill_nan(None))
    return table.select("mode", "n_people", "n_rules", *named.values(), *told)


def volumes(raw: pl.DataFrame, *, sample: pl.DataFrame) -> pl.DataFrame:
    """How many contacts fail in which way, by what people say?

    Every contact that people agreed on stands for those of its stratum: the sum over the strata of size times share.

    Parameters
    ----------
    raw, sample
        As for `quality`.

    Returns
    -------
    pl.DataFrame
        One row per mode that people or rules named, the largest first: `mode`, `n_people` (contacts read that people called so), `rules` (failed
        contacts that the rules call so), `adjusted` (the estimate from what people said), `low`, `high` (95 %), `share` of all failed contacts
        in strata that were read, `clear` (the interval leaves out the rules' count). Null where nobody read what the rules call so.

    References
    ----------
    Cochran (1977), Sampling Techniques, 3rd ed., 107-108; the interval: Wilson's on the effective size for each of the two parts (what the rules
    call so as well, and what they call otherwise), put together as in Zou and Donner (2008), Statistics in Medicine 27, 1693-1702. The variance
    within a stratum rests on its share drawn towards that of all strata, as if one more contact had been read: a stratum of five
    in which nobody saw a mode is no proof that it is not there.
    """
    read = _read(raw, sample=sample, rules=None)
    parts = _parts(read, sample=sample, unread=True)
    strata = sample.unique("stratum").select(mode="stratum", rules="stratum_size")
    spoken = strata.filter(pl.col("mode").is_in(read["stratum"].unique().implode()))["rules"].sum()
    a, low, high = (pl.col(f"same{end}") for end in ("", "_low", "_high"))
    c, below, above = (pl.col(f"other{end}") for end in ("", "_low", "_high"))
    down, up = ((a - low) ** 2 + (c - below) ** 2).sqrt(), ((high - a) ** 2 + (above - c) ** 2).sqrt()
    table = parts.join(strata, on="mode", how="left", maintain_order="left").with_columns(pl.col("rules").fill_null(0))
    table = table.with_columns(adjusted=a + c, low=a + c - down, high=(a + c + up).clip(upper_bound=float(spoken)))
    clear = (pl.col("low") > pl.col("rules")) | (pl.col("high") < pl.col("rules"))
    told = table.select("mode", "n_people", "rules", "adjusted", "low", "high", share=pl.col("adjusted") / max(spoken, 1), clear=clear)
    return told.sort(pl.coalesce("adjusted", pl.col("rules").cast(pl.Float64)) * -1, "mode")


_PARTS = ("same", "same_low", "same_high", "other", "other_low", "other_high")


def _side_by_side(apart: pl.DataFrame, one: str, two: str) -> pl.DataFrame:
    """What two people said of the contacts that both decided on: `mine`, `theirs`."""
    mine, theirs = (apart.filter(pl.col("tagger") == who).select(*KEY, pl.col("mode").alias(name)) for who, name in ((one, "mine"), (two, "theirs")))
    return mine.join(theirs, on=KEY, how="inner").select("mine", "theirs")


def _alike(both: pl.DataFrame, one: str, two: str, mode: str | None, *, modes: list[str]) -> pl.DataFrame:
    """One row of `agreement`."""
    if mode is None:
        among, levels = both, modes
    else:
        both = both.select(pl.when(pl.col(name) == mode).then(pl.lit(mode)).otherwise(pl.lit("")).alias(name) for name in ("mine", "theirs"))
        among, levels = both.filter((pl.col("mine") == mode) | (pl.col("theirs") == mode)), ["", mode]
    n, same = among.height, int((among["mine"] == among["theirs"]).sum())
    _, low, high = ends(same / n, n)
    k = cohen(_table(both, levels))
    row = (one, two, mode, n, same / n, low, high, *(None if np.isnan(value) else float(value) for value in k))
    return pl.DataFrame([row], orient="row", schema=_AGREEMENT)


def _table(both: pl.DataFrame, levels: list[str]) -> Floats:
    place = {level: number for number, level in enumerate(levels)}
    mine, theirs = (both[name].replace_strict(place, return_dtype=pl.Int64).to_numpy() for name in ("mine", "theirs"))
    table = np.zeros((len(levels), len(levels)))
    np.add.at(table, (mine, theirs), 1.0)
    return table


def cohen(table: Floats) -> tuple[float, float, float]:
    """Cohen's kappa of a square table of counts, and its 95 % interval; nan where chance alone agrees fully.

    Where everything agrees the variance is nought, and the lower end comes from Wilson's interval of the agreement.

    References
    ----------
    Cohen (1960), Educational and Psychological Measurement 20, 37-46; Fleiss, Cohen and Everitt (1969), Psychological Bulletin 72, 323-327.

    Examples
    --------
    >>> tuple(round(value, 3) for value in cohen(np.array([[106.0, 10, 4], [22, 28, 10], [2, 12, 6]])))
    (0.429, 0.323, 0.534)
    """
    n = float(table.sum())
    p = table / n
    rows, columns = p.sum(axis=1), p.sum(axis=0)
    seen, chance = float(np.trace(p)), float(rows @ columns)
    if chance >= 1:
        return (float("nan"),) * 3
    k = (seen - chance) / (1 - chance)
    if seen >= 1:
        return k, (ends(1.0, n)[1] - chance) / (1 - chance), 1.0
    sums = columns[:, None] + rows[None, :]
    same = float((np.diag(p) * (1 - chance - np.diag(sums) * (1 - seen)) ** 2).sum())
    other = (1 - seen) ** 2 * float((p * sums**2).sum() - (np.diag(p) * np.diag(sums) ** 2).sum())
    spread = max(0.0, same + other - (seen * chance - 2 * chance + seen) ** 2) / (n * (1 - chance) ** 4)
    return k, max(-1.0, k - Z95 * spread**0.5), min(1.0, k + Z95 * spread**0.5)


def _read(raw: pl.DataFrame, *, sample: pl.DataFrame, rules: pl.DataFrame | None) -> pl.DataFrame:
    """Contacts of the sample that people decided on: `stratum`, `stratum_size`, `mode`, `rule`, `read` (of the stratum), `w`."""
    decided = verdicts(raw).drop_nulls("mode").select(*KEY, "mode")
    read = sample.select(*KEY, "stratum", "stratum_size").join(decided, on=KEY, how="inner", maintain_order="left")
    if rules is None:
        read = read.with_columns(rule="stratum")
    else:
        now = rules.filter("primary").select(*KEY, rule="mode")
        read = read.join(now, on=KEY, how="inner", maintain_order="left")
    return read.with_columns(read=pl.len().over("stratum")).with_columns(w=pl.col("stratum_size") / pl.col("read"))


def _parts(read: pl.DataFrame, *, sample: pl.DataFrame, unread: bool) -> pl.DataFrame:
    """How many contacts people call so that the rules call so too (`same`), and that they call otherwise (`other`), each with its ends."""
    modes = pl.concat([read["mode"], read["rule"], sample["stratum"]] if unread else [read["mode"], read["rule"]]).unique().sort()
    rows = []
    for mode in modes:
        is_it, so = pl.col("mode") == mode, pl.col("rule") == mode
        blank = unread and mode in sample["stratum"] and not read.filter(so).height
        told = (None,) * 6 if blank else (*_total(read, is_it, among=so), *_total(read, is_it, among=~so))
        rows.append((mode, read.filter(is_it).height, *told))
    schema = {"mode": pl.String, "n_people": pl.Int64, **dict.fromkeys(_PARTS, pl.Float64)}
    return pl.DataFrame(rows, orient="row", schema=schema).sort((pl.col("same") + pl.col("other")) * -1, "mode", nulls_last=True)


def _total(read: pl.DataFrame, what: pl.Expr, *, among: pl.Expr) -> tuple[float, float, float]:
    """How many contacts there are of which both hold, from the strata that have some of `among`, and the ends of its 95 % interval."""
    strata = read.group_by("stratum", "stratum_size").agg(n=pl.len(), x=(what & among).sum(), there=among.any()).filter("there").sort("stratum")
    if strata.is_empty():
        return 0.0, 0.0, 0.0
    size, n, x = (strata[name].to_numpy().astype(float) for name in ("stratum_size", "n", "x"))
    whole, value = size.sum(), float((size * x / n).sum())
    towards = (x.sum() + 0.5) / (n.sum() + 1)
    p = (x + towards) / (n + 1)
    spread = float((size**2 * np.clip(1 - n / size, 0, 1) * p * (1 - p) / n).sum())
    if spread == 0:
        return value, value, value
    mean = float((size * p).sum() / whole)
    effective = mean * (1 - mean) * whole**2 / spread
    _, low, high = ends(value / whole, effective)
    return value, whole * low, whole * high


def _recall(a: float | None, a_low: float, a_high: float, c: float, c_low: float, c_high: float) -> tuple[float, float, float]:
    """The share `a` of `a + c` and its 95 % interval from those of the two, which come from different contacts."""
    if a is None or a + c <= 0:
        return (float("nan"),) * 3
    return a / (a + c), _odds(a, a - a_low, c, c_high - c), 1 - _odds(c, c - c_low, a, a_high - a)


def _odds(a: float, down: float, c: float, up: float) -> float:
    """The smallest share of `a` that both allow: where (1 - r) a - r c is as far above nought as the two ends put together."""
    left = max(a * a - down * down, 0.0)
    root = max((a * up) ** 2 + (c * down) ** 2 - (down * up) ** 2, 0.0) ** 0.5
    below = a * c + root
    return left / (left + below) if left + below > 0 else 0.0
