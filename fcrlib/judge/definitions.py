"""How much does the number depend on the definition?"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from itertools import product

import polars as pl

from fcrlib.judge.outcomes import judge
from fcrlib.judge.rates import fcr
from fcrlib.model.desk import Desk
from fcrlib.model.policy import Policy, in_words

WINDOWS = tuple(timedelta(days=days) for days in (1, 2, 7, 14, 30))
WORDS = {"category": "same category", "any": "any contact", "linked": "linked only", "text": "similar wording", "none": "reopened only"}


def definition_grid(
    desk: Desk,
    *,
    policy: Policy,
    windows: Sequence[timedelta] = WINDOWS,
    same_issue: Sequence[str] = ("none", "linked", "category", "any"),
    transfers: Sequence[str] = ("ignore",),
    within: pl.Expr | None = None,
) -> pl.DataFrame:
    """FCR under many definitions, side by side on the same desk.

    Parameters
    ----------
    policy
        The house definition; the grid varies its window, its idea of the same issue and its treatment of transfers.
    within
        Yes/no expression over the outcomes that picks the contacts to count, e.g. those that started in a period.

    Returns
    -------
    pl.DataFrame
        One row per definition in the order given: `window_days`, `window`, `same_issue`, `rule` (in words), `transfer`,
        `house` (is it the house definition?), then the columns of `rates.fcr`.
    """
    rows = []
    for issue, transfer, window in product(same_issue, transfers, windows):
        variant = policy.revised(window=window, same_issue=issue, transfer=transfer)
        outcomes = judge(desk, policy=variant).filter(within if within is not None else pl.lit(True))
        who = outcomes.join(desk.contacts.select("source", "contact_id", "customer_ref"), on=["source", "contact_id"], maintain_order="left")
        named = {
            "window_days": window / timedelta(days=1),
            "window": in_words(window),
            "same_issue": issue,
            "rule": WORDS[issue],
            "transfer": transfer,
            "house": variant.fingerprint == policy.fingerprint,
        }
        rows.append(fcr(who).select(*(pl.lit(value).alias(name) for name, value in named.items()), pl.all()))
    return pl.concat(rows)
