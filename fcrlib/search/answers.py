"""Did contacts with an attribute fail more, or did more contacts have the attribute?

Both raise a rate, and both are named apart: for every value of an attribute the difference of a rate between two sides is exactly the sum of what the
share of such contacts did (exposure), what they did beyond the others (rate), what all the others did as well (common), and what lies with contacts of
which the attribute is not known (unknown).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl

from fcrlib.judge.intervals import Z95
from fcrlib.model.columns import OTHERS, known
from fcrlib.model.errors import DataError
from fcrlib.search.mechanisms import ALPHA, POWER, Floats, Ints, holm, members, widening
from fcrlib.search.scan import conditional

ENOUGH = 30
"""Contacts with a value, and without it, that either side needs."""
RATE, EXPOSURE = "rate", "exposure"
SCHEMA = pl.Schema({"attribute": pl.String, "value": pl.String, "answer": pl.String, "n": pl.Int64, "n_before": pl.Int64, "n_after": pl.Int64,
    "share_before": pl.Float64, "share_after": pl.Float64, "rate_before": pl.Float64, "rate_after": pl.Float64, "effect": pl.Float64,
    "low": pl.Float64, "high": pl.Float64, "plain_low": pl.Float64, "plain_high": pl.Float64, "contribution": pl.Float64,
    "exposure": pl.Float64, "rate": pl.Float64, "common": pl.Float64, "unknown": pl.Float64, "z": pl.Float64, "p": pl.Float64, "holm": pl.Float64, "named": pl.Boolean})  # fmt: skip
_ORDER = [pl.col("named") * -1, pl.col("z").abs().round(9).fill_null(-1) * -1, "attribute", "value", "answer"]


@dataclass(frozen=True, slots=True)
class Answers:
    """What attributes have to do with a difference of a rate.

    Parameters
    ----------
    rows
        Two rows per value of each attribute, the clearest first: `attribute`, `value`, `answer` (`rate`: such contacts moved beyond the others;
        `exposure`: their share moved, and they always fared differently), `n` (contacts), `n_before`, `n_after`, `share_before`, `share_after` (of the
        contacts of which the attribute is known), `rate_before`, `rate_after` (of such contacts), `effect` (share: for `rate` the movement beyond the others, for `exposure` that of
        their share of the contacts), `low`, `high` (95 %, given that it was chosen), `plain_low`, `plain_high`, `contribution` (to the difference),
        `exposure`, `rate`, `common`, `unknown` (they sum to the difference), `z`, `p`, `holm` (null where it was not tested), `named`.
    total
        The difference of the rate.
    visible
        The movement beyond the others that would have been seen four times out of five; null where nothing was tested.
    """

    rows: pl.DataFrame
    total: float
    visible: float | None


def answers(frame: pl.DataFrame, *, attributes: Sequence[str], failed: str, later: str, clusters: Sequence[str] = ()) -> Answers:
    """Ask every attribute what it has to do with the difference of a rate between two sides.

    Parameters
    ----------
    frame
        One row per contact: `failed` (what happened, yes/no), `later` (no and yes are the two sides; unknown ones of both are left out), the
        `attributes` (where one is null, the contact says nothing about it; rare values are pooled) and `clusters`.

    Returns
    -------
    Answers
        An answer is named if it points the way of the difference and stands up to having asked for all of them. An exposure needs both: the share
        moved, and such contacts fare differently.

    Raises
    ------
    UsageError
        For columns that are not there or not yes/no.
    DataError
        If one of the sides has no contact.

    References
    ----------
    Kitagawa (1955), JASA 50, 1168-1194. Berger (1982), Technometrics 24, 295-300 (both of two). Holm (1979), Scand. J. Statist. 6, 65-70.

    Examples
    --------
    >>> row = pl.int_range(4000)
    >>> held, later = row % 2 == 0, row >= 2000
    >>> frame = pl.select(hold=pl.when(held).then(pl.lit("long")).otherwise(pl.lit("short")), later=later, failed=(row % 10 < 2) | (held & later & (row % 10 < 7)))
    >>> found = answers(frame, attributes=["hold"], failed="failed", later="later").rows
    >>> found.filter("named").select("attribute", "value", "answer", pl.col("effect", "exposure", "rate", "common").round(2)).rows()
    [('hold', 'long', 'rate', 0.6, 0.0, 0.3, 0.0)]
    """
    known(frame, [*attributes, failed, later, *clusters], yes_no=[failed, later])
    rows = frame.drop_nulls([failed, later])
    hit, arm = rows[failed].cast(pl.Float64).to_numpy(), rows[later].cast(pl.Int64).to_numpy()
    if len(set(arm.tolist())) < 2:
        raise DataError(f"one side of '{later}' has no contact with a known outcome, so there is nothing to compare")
    groups = members(rows, clusters)
    total = float(hit[arm == 1].mean() - hit[arm == 0].mean())
    found = [row for name in attributes for row in _attribute(rows[name], hit=hit, arm=arm, groups=groups, total=total)]
    return _judged(found, total)


def _judged(found: list[dict[str, Any]], total: float) -> Answers:
    """Intervals and names, once it is known how many were asked."""
    from scipy.special import stdtrit

    asked = np.array([row["p"] if row["tested"] else np.nan for row in found], np.float64)
    count = max(int((~np.isnan(asked)).sum()), 1)
    for row, adjusted in zip(found, holm(asked), strict=True):
        row["holm"] = None if np.isnan(adjusted) else float(adjusted)
        row["named"] = bool(adjusted < ALPHA) and row["contribution"] * total > 0
        if row["se"] is not None:
            bar, wide = float(stdtrit(row["freedom"], 1 - ALPHA / (2 * count))), float(stdtrit(row["freedom"], 0.975))
            # The choice is reckoned in normal errors, so these are widened to what t would have them.
            unit = row["se"] * wide / Z95
            ends = conditional(row["effect"] / unit, bar=bar * Z95 / wide)
            row |= {"low": ends[0] * unit, "high": ends[1] * unit, "needed": (bar + POWER) * row["se"]}
            row |= {"plain_low": row["effect"] - wide * row["se"], "plain_high": row["effect"] + wide * row["se"]}
    needed = [row["needed"] for row in found if row["tested"] and row["answer"] == RATE]
    table = pl.DataFrame([{name: row.get(name) for name in SCHEMA} for row in found], schema=SCHEMA).sort(_ORDER)
    return Answers(table, total, float(np.median(needed)) if needed else None)


def _attribute(values: pl.Series, *, hit: Floats, arm: Ints, groups: list[Ints], total: float) -> list[dict[str, Any]]:
    seen = values.is_not_null().to_numpy()
    hit, arm, groups = hit[seen], arm[seen], [codes[seen] for codes in groups]
    text, levels = _levels(values.drop_nulls().cast(pl.String), arm)
    if len(levels) < 2 or len(set(arm.tolist())) < 2:
        return []
    unknown = total - float(hit[arm == 1].mean() - hit[arm == 0].mean())
    rows: list[dict[str, Any]] = []
    has = np.stack([(text == level).to_numpy() for level in levels], axis=1)
    told = [_cells(has[:, at], hit, arm) for at in range(len(levels))]
    moved, share, gap = (
        np.stack(columns, axis=1) for columns in zip(*(_influence(has[:, at], hit, arm, told[at]) for at in range(len(levels))), strict=True)
    )
    factors = [widening(influence, groups) for influence in (moved, share, gap)]
    freedom = min(free for _, free in factors)
    for at, level in enumerate(levels):
        cells = told[at]
        enough = level != OTHERS and float(cells["n"].min()) >= ENOUGH
        base = {"attribute": values.name, "value": level, "n": int(cells["n"][:, 1].sum()), "freedom": freedom, "unknown": unknown, **_parts(cells)}
        for answer, numbers in _tests(cells, [float(factor[at]) for factor, _ in factors], freedom=freedom).items():
            tested = enough and (len(levels) > 2 or _speaks(cells, answer, total=total))
            rows.append({**base, "answer": answer, **(numbers if enough else {**numbers, "z": None, "p": None, "se": None}), "tested": tested})
    return rows


def _levels(text: pl.Series, arm: Ints) -> tuple[pl.Series, list[str]]:
    """The values as text, rare ones pooled, and their names in order."""
    sizes = pl.DataFrame({"text": text, "arm": arm}).group_by("text").agg(before=(pl.col("arm") == 0).sum(), after=(pl.col("arm") == 1).sum())
    rare = sizes.filter(pl.min_horizontal("before", "after") < ENOUGH)["text"]
    pooled = text.to_frame("t").select(pl.when(pl.col("t").is_in(rare.implode())).then(pl.lit(OTHERS)).otherwise("t")).to_series()
    return pooled, sorted(set(pooled.to_list()))


def _cells(has: Any, hit: Floats, arm: Ints) -> dict[str, Floats]:
    """Contacts and rate per side (rows) without and with the value (columns)."""
    key = arm * 2 + has
    n = np.bincount(key, minlength=4).astype(np.float64).reshape(2, 2)
    k = np.bincount(key, weights=hit, minlength=4).reshape(2, 2)
    rate = k / np.maximum(n, 1)
    # A side without such contacts says nothing of their rate: it is taken from the other, so that the parts still sum.
    return {"n": n, "k": k, "rate": np.where(n > 0, rate, rate[::-1]), "share": n[:, 1] / n.sum(axis=1)}


def _influence(has: Any, hit: Floats, arm: Ints, cells: dict[str, Floats]) -> tuple[Floats, Floats, Floats]:
    """What each contact adds to the movement beyond the others, to the change of share, and to the standing gap."""
    key = has.astype(np.int64)
    own = (hit - cells["rate"][arm, key]) / cells["n"][arm, key] * np.where(has, 1.0, -1.0)
    side = np.where(arm == 1, 1.0, -1.0)
    return own * side, side * (has - cells["share"][arm]) / cells["n"].sum(axis=1)[arm], own / 2


def _parts(cells: dict[str, Floats]) -> dict[str, Any]:
    share, rate, n = cells["share"], cells["rate"], cells["n"]
    middle, size = rate.mean(axis=0), float(share.mean())
    change = rate[1] - rate[0]
    parts = {
        "exposure": float((share[1] - share[0]) * (middle[1] - middle[0])),
        "rate": size * float(change[1] - change[0]),
        "common": float(change[0]),
    }
    seen = {"rate_before": float(rate[0, 1]), "rate_after": float(rate[1, 1]), "share_before": float(share[0]), "share_after": float(share[1])}
    return {**parts, **seen, "n_before": int(n[0, 1]), "n_after": int(n[1, 1])}


def _tests(cells: dict[str, Floats], factors: list[float], *, freedom: float) -> dict[str, dict[str, Any]]:
    from scipy.special import stdtr

    n, share = cells["n"], cells["share"]
    smooth = (cells["k"] + 1) / (n + 2)
    noise = float((smooth * (1 - smooth) / np.maximum(n, 1)).sum())
    pooled = float(n[:, 1].sum() / n.sum())
    ses = np.sqrt([noise * factors[0], max(pooled * (1 - pooled), 1e-12) * float((1 / n.sum(axis=1)).sum()) * factors[1], noise / 4 * factors[2]])
    parts, middle = _parts(cells), cells["rate"].mean(axis=0)
    beyond = float((cells["rate"][1, 1] - cells["rate"][0, 1]) - (cells["rate"][1, 0] - cells["rate"][0, 0]))
    grown = float(share[1] - share[0])
    zs = [beyond / ses[0], grown / ses[1], float(middle[1] - middle[0]) / ses[2]]
    weaker = min(zs[1:], key=abs)
    rows = {
        RATE: {"effect": beyond, "se": float(ses[0]), "z": float(zs[0]), "contribution": parts["rate"]},
        EXPOSURE: {"effect": grown, "se": float(ses[1]), "z": float(np.sign(parts["exposure"]) * abs(weaker)), "contribution": parts["exposure"]},
    }
    return {answer: {**row, "p": float(2 * stdtr(freedom, -abs(row["z"])))} for answer, row in rows.items()}


def _speaks(cells: dict[str, Floats], answer: str, *, total: float) -> bool:
    """Of two values the one that is spoken of: the other says the same the other way round."""
    if answer == RATE:
        return bool(_parts(cells)["rate"] * total > 0)
    without, with_value = cells["rate"].mean(axis=0).tolist()
    return float(with_value) > float(without)
