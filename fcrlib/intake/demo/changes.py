"""What did the company behind the invented desk change, and what does its knowledge base hold?"""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta

import numpy as np
import polars as pl

from fcrlib.intake.demo.history import ARTICLES_PER_THEME, STALE, article_count
from fcrlib.intake.demo.people import stream
from fcrlib.intake.demo.themes import THEMES
from fcrlib.intake.demo.truth import Cause, Truth

# What kind of change lets each mechanism loose; the others come with a release.
_KIND = {
    "wrong-routing": ("routing", "New routing rules: requests go to the team with the shortest queue."),
    "handoff-without-context": ("routing", "Hand-over form abolished."),
    "specialist-unavailable": ("staffing", "Two specialists left, their posts stay open."),
    "deferred-promise": ("staffing", "Call-backs are made by a central team from now on."),
    "knowledge-gap": ("kb", "Articles archived in the clean-up."),
    "unclear-guidance": ("kb", "Macros rewritten."),
    "approval-wait": ("policy", "Corrections need a second signature."),
    "non-resolvable": ("policy", "Support no longer handles these requests."),
}
# Share of the time span, kind, scope, note: changes that changed nothing.
_INNOCENT = (
    (0.08, "release", "product_area=dashboards", "Release 25.3: new colours on the dashboards."),
    (0.16, "kb", "category=mobile app", "Screenshots renewed in twelve articles."),
    (0.24, "staffing", "channel=phone", "Three agents joined the first line."),
    (0.33, "incident", "category=performance", "Database failover, forty minutes of slow pages."),
    (0.42, "policy", "tier=enterprise", "Named contact for enterprise customers."),
    (0.51, "release", "product_area=phone app", "Release 26.1: tablet layout."),
    (0.60, "routing", "language=fr", "French requests go to a pair of agents first."),
    (0.69, "incident", "channel=chat", "Chat widget unavailable for two hours."),
    (0.78, "kb", "category=contract", "Price list updated."),
    (0.86, "release", "product_area=plans", "Release 26.3: self-service for plans."),
    (0.94, "staffing", "category=reports", "Holiday cover for the data desk."),
)


def changes(truth: Truth, *, start: datetime, end: datetime) -> pl.DataFrame:
    """Write the action log: what set off each dated cause and each new topic, and what mended a cause, among changes that did nothing."""
    span = (end - start) / timedelta(days=1)
    innocent = [(start + timedelta(days=round(share * span), hours=6), kind, scope, note) for share, kind, scope, note in _INNOCENT]
    planted = [
        _set_off(cause, *_KIND.get(cause.mechanism, ("release", "New version of this part went live."))) for cause in truth.causes if cause.since
    ]
    new = [
        (datetime.combine(since, time(5), UTC), "release", f"subcategory={theme}", "New feature switched on for everybody.")
        for theme, since in truth.new_topics.items()
    ]
    mended = [(datetime.combine(cause.until, time(4), UTC), "release", cause.scope, "This part was mended.") for cause in truth.causes if cause.until]
    rows = sorted(row for row in [*innocent, *planted, *new, *mended] if start <= row[0] <= end)
    return pl.DataFrame(rows, schema={"at": pl.Datetime("us", "UTC"), "kind": pl.String, "scope": pl.String, "note": pl.String}, orient="row")


def articles(*, seed: int, start: datetime) -> pl.DataFrame:
    """Two articles a theme: one kept up to date, one that nobody has revised for more than a year before the desk starts."""
    rng, count = stream(seed, "articles"), article_count()
    age = np.where(np.arange(count) % ARTICLES_PER_THEME == STALE, rng.integers(400, 1_200, count), rng.integers(-200, 200, count))
    titles = [
        f"{theme.subjects[k % len(theme.subjects)].split('{')[0].strip()}: {what}"
        for theme in THEMES
        for k, what in enumerate(("what to do", "steps"))
    ]
    return pl.DataFrame(
        {
            "article_id": [f"kb-{number:03}" for number in range(count)],
            "title": titles,
            "updated_at": pl.Series([start - timedelta(days=int(days)) for days in age]).cast(pl.Datetime("us", "UTC")),
        }
    )


def _set_off(cause: Cause, kind: str, note: str) -> tuple[datetime, str, str, str]:
    assert cause.since is not None
    return datetime.combine(cause.since, time(4), UTC), kind, cause.scope, note
