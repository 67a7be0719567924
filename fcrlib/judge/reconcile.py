"""Does the helpdesk's own figure agree with ours, contact by contact, and where not, which rule explains it?

The helpdesk's figures count by rules of its own. They are kept as `vendor_*` and compared; no rate is ever made of them.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

import polars as pl

from fcrlib.judge.rates import share
from fcrlib.model.columns import KEY
from fcrlib.model.desk import Desk
from fcrlib.model.tables import RESOLVED_STATUSES

EXAMPLES = 5
_MINUTE = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class _Figure:
    """One figure: the vendor's column, ours as an expression over the events of a contact, what must be there to count, and rules that explain a gap."""

    name: str
    vendor: str
    ours: pl.Expr
    needs: str
    why: tuple[tuple[str, pl.Expr], ...]


def reconcile(desk: Desk, outcomes: pl.DataFrame | None = None) -> pl.DataFrame:
    """Compare every figure that the helpdesk gives.

    Parameters
    ----------
    desk
        Its contacts hold the vendor's figures, its events ours.
    outcomes
        Judged contacts (`source`, `contact_id`, `anchor_at`); with them the resolution is the definition's, else the first one.

    Returns
    -------
    pl.DataFrame
        One row per figure that the helpdesk gives: `figure`, `column` (the vendor's), `n` contacts compared, `agree`, `share`, `low`, `high` (Wilson, of
        those that agree), `vendor` and `ours` (sums; null for instants and yes/no), `explained` (of those that differ, how many follow from a rule),
        `reason` (the rule that explains most of them), `examples` (contact ids). In the order of the figures.

    References
    ----------
    Newcombe (1998), Statistics in Medicine 17, 857-872, method 3.
    """
    both = _together(desk, outcomes)
    has = desk.manifest.capabilities
    rows = [_compared(both.drop_nulls([one.vendor, f"own {one.name}"]), one) for one in _figures() if one.needs in has and both[one.vendor].count()]
    text, whole, part = pl.String, pl.Int64, pl.Float64
    schema = {"figure": text, "column": text, "n": whole, "agree": whole, "share": part, "low": part, "high": part, "vendor": whole, "ours": whole}
    return pl.DataFrame(rows, schema={**schema, "explained": whole, "reason": text, "examples": pl.List(pl.String)})


def _figures() -> tuple[_Figure, ...]:
    resolved = list(RESOLVED_STATUSES)
    back = (pl.col("kind") == "status") & pl.col("status_from").is_in(resolved) & ~pl.col("status_to").is_in(resolved)
    reply = (pl.col("kind") == "message") & (pl.col("actor") == "agent") & pl.col("public") & ~pl.col("is_auto")
    handed = pl.col("kind").is_in(["assignment", "transfer"]) & (pl.col("agent_from").is_not_null() | pl.col("group_from").is_not_null())
    bots = (pl.col("kind") == "message") & (pl.col("actor") == "bot") & pl.col("public")
    gap = pl.col("vendor") - pl.col("ours")
    merged = ("the contact was merged", pl.col("merged_into").is_not_null())
    return (
        _Figure("reopens", "vendor_reopens", back.sum(), "has_status_history", (("a thank-you reopened it", gap == -pl.col("thanked")),)),
        _Figure(
            "replies",
            "vendor_replies",
            reply.sum(),
            "has_messages",
            (("replies of bots are counted", gap == pl.col("by bots")), ("the first message is counted, or not", gap.abs() == 1)),
        ),
        _Figure(
            "stations",
            "vendor_stations",
            handed.sum(),
            "has_group_history",
            (
                ("only a change of the team is counted", pl.col("vendor") == pl.col("teams")),
                ("the first assignment is counted", gap == 1),
                ("escalations are counted", gap == pl.col("raised")),
            ),
        ),
        _Figure(
            "one touch", "vendor_one_touch", (reply.sum() <= 1) & (back.sum() == 0), "has_messages", (("replies of bots are counted", bots.any()),)
        ),
        _Figure("first resolved", "vendor_first_resolved_at", pl.col("at").first(), "has_status_history", (merged,)),
    )


def _together(desk: Desk, outcomes: pl.DataFrame | None) -> pl.DataFrame:
    """Per contact the vendor's figures, ours, and what may explain a gap."""
    moved = pl.col("group_to").is_not_null() & (pl.col("group_to") != pl.col("group_from")).fill_null(False)
    resolved = list(RESOLVED_STATUSES)
    back = pl.col("status_from").is_in(resolved).fill_null(False) & ~pl.col("status_to").is_in(resolved)
    figures = [
        one.ours.fill_null(False).alias(f"own {one.name}") if one.name == "one touch" else one.ours.alias(f"own {one.name}") for one in _figures()
    ]
    own = desk.events.group_by(KEY, maintain_order=True).agg(
        *figures,
        moved.sum().cast(pl.Int64).alias("teams"),
        (pl.col("kind") == "escalation").sum().cast(pl.Int64).alias("raised"),
        ((pl.col("kind") == "message") & (pl.col("actor") == "bot") & pl.col("public")).sum().cast(pl.Int64).alias("by bots"),
        ((pl.col("kind") == "message") & pl.col("is_ack").fill_null(False) & (back.shift(-1).fill_null(False))).sum().cast(pl.Int64).alias("thanked"),
    )
    both = desk.contacts.join(own, on=KEY, how="left", maintain_order="left")
    counted = [f"own {one.name}" for one in _figures()[:3]]
    both = both.with_columns(pl.col(name).cast(pl.Int64).fill_null(0) for name in (*counted, "teams", "raised", "by bots", "thanked"))
    anchor = pl.col("first_resolved_at")
    if outcomes is not None:
        both = both.join(outcomes.select(*KEY, "anchor_at"), on=KEY, how="left", maintain_order="left")
        anchor = pl.coalesce("anchor_at", "first_resolved_at")
    return both.with_columns(anchor.alias("own first resolved"))


def _compared(both: pl.DataFrame, figure: _Figure) -> dict[str, object]:
    pairs = both.with_columns(vendor=pl.col(figure.vendor), ours=pl.col(f"own {figure.name}"))
    instants = isinstance(pairs.schema["vendor"], pl.Datetime)
    # A figure in minutes is as good as its minute.
    agree = (pl.col("vendor") - pl.col("ours")).abs() < pl.lit(_MINUTE) if instants else pl.col("vendor") == pl.col("ours")
    differ = pairs.filter(~agree).sort(*KEY)
    reasons = {why: int(differ.select(rule.fill_null(False).sum()).item()) for why, rule in figure.why} if differ.height else {}
    best = max(reasons, key=lambda why: reasons[why], default=None)
    found = pairs.select(share(agree)).row(0, named=True)
    counts = pairs.schema["vendor"] == pl.Int64
    return {
        "figure": figure.name,
        "column": figure.vendor,
        "n": pairs.height,
        "agree": pairs.height - differ.height,
        **{part: found[part] for part in ("share", "low", "high")},
        "vendor": int(pairs["vendor"].sum()) if counts else None,
        "ours": int(pairs["ours"].sum()) if counts else None,
        "explained": int(differ.select(pl.any_horizontal(rule.fill_null(False) for _, rule in figure.why).sum()).item()) if differ.height else 0,
        "reason": best if best and reasons[best] else None,
        "examples": differ["contact_id"].head(EXAMPLES).to_list(),
    }
