"""What was planted in the invented desk?

Everything a method should find is an argument here, and nothing else is: the truth of a desk is the `Truth` it was made from.
Probabilities are shares in 0..1; "points" are added to a probability (0.10 = ten points).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Self

from fcrlib.intake.demo.themes import AREAS, CATEGORIES, THEMES
from fcrlib.model.errors import UsageError
from fcrlib.model.tables import CHANNELS

MECHANISMS = (
    "wrong-routing", "missing-account-context", "specialist-unavailable", "unclear-guidance", "undocumented-bug", "knowledge-gap",
    "tool-limitation", "approval-wait", "deferred-promise", "handoff-without-context", "customer-side", "non-resolvable",
)  # fmt: skip
TIERS = ("starter", "business", "enterprise")
CELLS: dict[str, tuple[str, ...]] = {
    "category": tuple(CATEGORIES),
    "subcategory": tuple(theme.slug for theme in THEMES),
    "product_area": AREAS,
    "channel": CHANNELS,
    "tier": TIERS,
    "language": ("en", "de", "fr"),
}


@dataclass(frozen=True, slots=True)
class Cause:
    """One reason why first contacts fail, and where.

    Parameters
    ----------
    cell
        Column and value of the contacts it strikes, e.g. `{"category": "billing", "product_area": "invoices"}`.
    points
        Added to the probability of failure inside the cell.
    mechanism
        How it makes them fail; it leaves its traces in the history and in what customers write.
    since, until
        First day it is at work, and the day it is mended; None means from the start, and to the end.
    """

    cell: Mapping[str, str]
    points: float
    mechanism: str
    since: date | None = None
    until: date | None = None

    @property
    def scope(self) -> str:
        """The cell as the action log spells it: `column=value`, joined by ` and `."""
        return " and ".join(f"{column}={value}" for column, value in self.cell.items())


@dataclass(frozen=True, slots=True)
class Confounder:
    """Contacts that are harder *and* whose customers are stricter: they fail more and please less, without the one causing the other.

    `leaving`: points added to the probability that such a customer leaves in a quarter.
    """

    cell: Mapping[str, str]
    failure: float
    top_box: float
    leaving: float = 0.0


@dataclass(frozen=True, slots=True)
class Response:
    """Who answers a survey: `rate` of those who were asked, plus points for a failed contact and for a pleased customer."""

    offered: float = 0.85
    rate: float = 0.30
    if_failed: float = -0.08
    if_pleased: float = 0.06


@dataclass(frozen=True, slots=True)
class Drift:
    """Over-dispersion: standard deviation, in points of failure, between agents, between weeks and between accounts."""

    agent: float = 0.01
    week: float = 0.005
    account: float = 0.01


def _default_causes() -> tuple[Cause, ...]:
    return (
        Cause({"category": "billing", "product_area": "invoices"}, 0.22, "approval-wait"),
        Cause({"category": "integrations"}, 0.12, "knowledge-gap"),
        Cause({"category": "login", "product_area": "single sign-on"}, 0.40, "undocumented-bug", date(2026, 7, 6)),
        Cause({"channel": "email", "tier": "starter"}, 0.12, "wrong-routing", date(2026, 8, 3)),
        Cause({"category": "imports", "product_area": "user directory"}, 0.30, "tool-limitation", until=date(2026, 7, 13)),
    )


def _default_confounders() -> tuple[Confounder, ...]:
    return (Confounder({"tier": "enterprise"}, 0.08, -0.15, -0.03),)


@dataclass(frozen=True, slots=True)
class Truth:
    """What is true about an invented desk.

    Parameters
    ----------
    base
        Probability that a first contact fails where nothing is planted.
    causes
        The planted causes; where several meet, their points add up.
    reopened_topics
        Theme and points of failure added to it, all of them by reopening: the topics over-represented among reopened contacts.
    new_topics
        Theme and the first day anybody writes about it.
    pleased
        Probability of a top-box answer (4 or 5 of 5) after a contact that was resolved at once.
    csat_effect
        Points of top-box that a failed first contact costs.
    leaving
        Probability that a customer leaves in a quarter in which none of their first contacts failed.
    churn_effect
        Points added to it for the 90 days after the last first contact of a quarter in which one failed.
    confounders
        What moves failure, satisfaction and leaving alike.
    background
        Probability a week that a customer comes back about the same category for a reason of its own, for eight weeks.
    drift, response
        Over-dispersion; who answers surveys.
    aliases
        Share of customers whom the phone system knows under another name: their calls carry a customer of their own, whose only identifier is one
        of that customer's own phones. Nobody without a phone of their own has one.

    Examples
    --------
    >>> Truth().causes[0].scope
    'category=billing and product_area=invoices'
    >>> Truth.nothing().causes, Truth.nothing().csat_effect
    ((), 0.0)
    >>> Truth(causes=(Cause({"tier": "starter"}, 0.2, "unclear-guidance"),)).causes[0].points
    0.2
    """

    base: float = 0.24
    causes: tuple[Cause, ...] = field(default_factory=_default_causes)
    reopened_topics: Mapping[str, float] = field(default_factory=lambda: {"empty-export": 0.15, "slow-dashboard": 0.12})
    new_topics: Mapping[str, date] = field(default_factory=lambda: {"passkey-loop": date(2026, 7, 6)})
    pleased: float = 0.82
    csat_effect: float = 0.30
    leaving: float = 0.05
    churn_effect: float = 0.06
    confounders: tuple[Confounder, ...] = field(default_factory=_default_confounders)
    background: float = 0.015
    drift: Drift = field(default_factory=Drift)
    response: Response = field(default_factory=Response)
    aliases: float = 0.06

    def __post_init__(self) -> None:
        if problems := _problems(self):
            raise UsageError("this truth cannot be planted:", problems)

    @classmethod
    def nothing(cls) -> Self:
        """A desk on which nothing is planted: every cell fails alike, neither satisfaction nor leaving depends on it, no drift, no new topic, one name each."""
        return cls(
            causes=(), reopened_topics={}, new_topics={}, csat_effect=0.0, churn_effect=0.0, confounders=(), drift=Drift(0.0, 0.0, 0.0), aliases=0.0
        )


def _problems(truth: Truth) -> list[str]:
    cells = [*(cause.cell for cause in truth.causes), *(confounder.cell for confounder in truth.confounders)]
    return [
        *(problem for cell in cells for problem in _cell_problems(cell)),
        *(f"mechanism '{c.mechanism}' is unknown; known: {', '.join(MECHANISMS)}" for c in truth.causes if c.mechanism not in MECHANISMS),
        *(_unknown("subcategory", theme) for theme in [*truth.reopened_topics, *truth.new_topics] if theme not in CELLS["subcategory"]),
        *(
            f"{name}: {getattr(truth, name)} is no probability, write a share in 0..1"
            for name in ("base", "pleased", "csat_effect", "leaving", "churn_effect", "background", "aliases")
            if not 0 <= getattr(truth, name) <= 1
        ),
    ]


def _cell_problems(cell: Mapping[str, str]) -> list[str]:
    strange = [f"cell column '{column}' is unknown; known: {', '.join(CELLS)}" for column in cell if column not in CELLS]
    return strange + [_unknown(column, value) for column, value in cell.items() if column in CELLS and value not in CELLS[column]]


def _unknown(column: str, value: str) -> str:
    return f"{column} '{value}' is unknown; known: {', '.join(CELLS[column])}"
