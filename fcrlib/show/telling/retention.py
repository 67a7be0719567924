"""How is it told whether customers stay, without saying more than was seen?"""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from fcrlib.judge.rates import difference
from fcrlib.model.finding import Finding, Measure
from fcrlib.model.numbers import count, interval, magnitude, number, percent, signed
from fcrlib.search.standardised import e_value

if TYPE_CHECKING:
    from fcrlib.explain.retention import Comparison, Retention
    from fcrlib.fits.effect import Effect

MISSING = (
    "This desk does not say which customers left. A list of customers with the day on which each of them left, beside the contacts, would let this "
    "section answer whether customers stay whose first contacts were resolved"
)
NOBODY = "No customer could be followed for long enough to say who stays"
HELD = {"asked": "number of contacts", "tenure_days": "time as a customer"}
GROUPS = {True: "all first contacts resolved", False: "one or more failed"}


def followed(retention: Retention) -> str:
    """One sentence on how many customers could be followed, and what kept the others out."""
    if retention.counted.is_empty():
        return MISSING
    everyone, *out, used = retention.counted.rows()
    reasons = "; ".join(f"{count(n)} {what}" for what, n in out if n)
    rest = f" ({reasons})" if reasons else ""
    if not used[1]:
        return f"{NOBODY}{rest}"
    days = count(retention.horizon_days)
    return f"Of {count(everyone[1])} customers with a first contact, each once per period, {count(used[1])} were followed for {days} days{rest}"


def gap(shares: pl.DataFrame, *, horizon_days: int) -> str:
    """One sentence on who left, as it was seen, nothing held equal.

    Parameters
    ----------
    shares
        `explain.retention.shares` by `all_resolved`.
    """
    rows = {row["all_resolved"]: row for row in shares.drop_nulls("share").to_dicts()}
    if len(rows) < 2:
        return NOBODY
    kept, lost = rows[True], rows[False]
    seen = (
        f"Within {count(horizon_days)} days {percent(lost['share'])} of customers left after a failed first contact, "
        f"{percent(kept['share'])} after all were resolved"
    )
    apart = difference(lost, kept)
    if not apart.is_clear:
        return f"{seen}: no clear difference"
    return f"{seen}: {magnitude(apart.value)} {'more' if apart.value > 0 else 'fewer'}"


def adjusted(comparison: Comparison) -> str:
    """One sentence on who leaves once customers are compared with customers like them."""
    effect = comparison.effect
    if effect is None:
        return f"Customers cannot be compared like with like here: {comparison.why}"
    both = (
        f"Among customers alike, {percent(effect.without)} left within {count(comparison.horizon_days)} days after a failed first contact, "
        f"{percent(effect.with_exposure)} after all were resolved"
    )
    if effect.low is None or effect.high is None:
        return f"{both}; there are too few customers for an interval"
    span = f"95 % interval {signed(-100 * effect.high)} to {signed(-100 * effect.low)} points"
    if not _clear(effect):
        return f"{both}: no clear difference ({span})"
    return f"{both}: {magnitude(effect.estimate)} {'more' if _worse(effect) else 'fewer'} ({span})"


def found(comparison: Comparison, *, figure: str) -> list[Finding]:
    """The comparison as a finding: what goes with what, how strong something unseen would have to be, and what to ask next."""
    effect = comparison.effect
    if effect is None or effect.low is None or effect.high is None:
        return []
    return [
        Finding(
            "customers-stay",
            "finding",
            _title(effect),
            f"{adjusted(comparison)}. Alike means the same {_held(comparison)}. {_unseen(comparison)}",
            Measure(-effect.estimate, -effect.high, -effect.low, effect.n, "points", "down"),
            grade=effect.grade,
            why=effect.why,
            action="Call ten customers who left after a failed first contact: was it a reason to go?" if _worse(effect) else "",
            figures=(figure,),
        )
    ]


def claims(published: pl.DataFrame) -> str:
    """What others claim, in one sentence that says why it is only told."""
    said = "; ".join(f"“{row['claim']}” ({row['source']}: {row['caveat']})" for row in published.to_dicts())
    return f"Others publish figures that are not used here: {said}"


def labelled(shares: pl.DataFrame) -> pl.DataFrame:
    """The shares by `all_resolved` with the groups in words, for a chart."""
    return shares.with_columns(pl.col("all_resolved").replace_strict(GROUPS, return_dtype=pl.String).alias("first contacts"))


def spread(shares: pl.DataFrame, *, horizon_days: int) -> str:
    """One sentence on who left, by how many first contacts failed.

    Parameters
    ----------
    shares
        `explain.retention.shares` by `failures`.
    """
    known = shares.drop_nulls("share")
    if known.is_empty():
        return NOBODY
    parts = ", ".join(f"{row['failures']}: {percent(row['share'])} ({interval(row['low'], row['high'])})" for row in known.to_dicts())
    return f"Left within {count(horizon_days)} days by the number of failed first contacts: {parts}"


def _clear(effect: Effect) -> bool:
    return effect.low is not None and effect.high is not None and not effect.low <= 0 <= effect.high


def _worse(effect: Effect) -> bool:
    return _clear(effect) and effect.estimate < 0


def _title(effect: Effect) -> str:
    if not _clear(effect):
        return "Whether customers leave more often after a failed first contact is not clear"
    word = "more" if _worse(effect) else "less"
    return f"Customers left {word} often after a failed first contact than customers like them whose first contacts were all resolved"


def _held(comparison: Comparison) -> str:
    held = [HELD.get(name, name) for name in (comparison.effect.spec["adjust"] if comparison.effect else comparison.adjust)]
    return f"{', '.join(held[:-1])} and {held[-1]}" if len(held) > 1 else "".join(held) or "nothing"


def _unseen(comparison: Comparison) -> str:
    """How strong something nobody wrote down would have to be (E-value)."""
    if comparison.effect is None or not _clear(comparison.effect) or comparison.effect.ratio is None:
        return "They may differ in what nobody wrote down."
    factor = number(e_value(comparison.effect.ratio))
    return f"Something that nobody wrote down would have to go with both failing and leaving by a factor of {factor} to be all of it."
