"""What did a notebook find, how sure is it, and how does it leave the notebook?

A finding displayed in a notebook carries itself as JSON under a mimetype of its own; the publisher reads it from the
executed notebook. Identity between periods is the `id`, a stable slug, never a number that depends on the run.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any, Literal

from fcrlib.model.errors import UsageError
from fcrlib.model.letters import visible

MIMETYPE = "application/vnd.fcr.finding+json"
Role = Literal["headline", "summary", "kpi", "care", "mode", "finding"]
Moved = Literal["new", "gone", "up", "down", "within noise", "not comparable"]
Unit = Literal["share", "points", "contacts", "hours", "money", "score"]


@dataclass(frozen=True, slots=True)
class Measure:
    """A number that never travels alone.

    Parameters
    ----------
    value, low, high
        The estimate and its 95 % interval; shares lie in 0..1. None where the data cannot say.
    n
        Contacts (or answers) the value rests on.
    unit
        How `show` will spell it.
    good
        Which direction customers would welcome.
    """

    value: float | None
    low: float | None = None
    high: float | None = None
    n: int = 0
    unit: Unit = "share"
    good: Literal["up", "down", "neither"] = "neither"


@dataclass(frozen=True, slots=True)
class Change:
    """How a number moved since an earlier period.

    Parameters
    ----------
    label
        `up` and `down` only where chance alone would rarely do it.
    before, delta
        What it was, and how much it moved, in the unit of the measure.
    why
        Why it cannot be compared.
    previous
        The earlier period.
    of
        What the number is a share of, where that is not what the measure is a share of: `of all first contacts`.
    """

    label: Moved
    before: float | None = None
    delta: float | None = None
    why: str = ""
    previous: str | None = None
    of: str = ""


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing a notebook wants the reader to know.

    Parameters
    ----------
    id
        Stable slug, e.g. `fcr` or `segment-channel-phone`; the same thing has the same id in every period.
    role
        Where it goes in the report: `headline` (states the finding), `summary`, `kpi` (a tile), `care` (read with care), `mode` (a way of failing
        in the ranked table, with a part of its own) or `finding` (a card with figures).
    title, statement
        The finding as a heading, and as one or two plain sentences. Plain text: it is escaped wherever it is shown.
    measure
        The number behind it, with interval and n.
    grade, why
        Evidence grade A to D and the reason for it.
    action, owner, check
        What to do, who does it, and when and how to see whether it worked.
    figures
        Ids of the figures that belong to it.
    examples
        Redacted quotes, each with the reference of its contact.
    details
        What else a page may use; `part` names a section of its own that it belongs to: `friction` or `actions`.
    lead
        It answers the reader's first question, what changed and why, and comes before the others.
    cost
        What it costs, with its interval: money, hours or contacts.
    chain
        The answers to "why?" and "why that?", one sentence each, from the place to what cannot be told apart further.
    mode
        The way of failing that it speaks of, where it speaks of one: what several notebooks say of one way stands together in the report.
    change
        How it moved since the period before, where the notebook compared both by one definition; else the last report is asked.
    was
        Ids under which earlier reports knew it.
    """

    id: str
    role: Role
    title: str
    statement: str = ""
    measure: Measure | None = None
    grade: Literal["A", "B", "C", "D"] | None = None
    why: str = ""
    action: str = ""
    owner: str = ""
    check: str = ""
    figures: tuple[str, ...] = ()
    examples: tuple[tuple[str, str], ...] = ()
    details: dict[str, Any] = field(default_factory=dict)
    lead: bool = False
    cost: Measure | None = None
    chain: tuple[str, ...] = ()
    mode: str = ""
    change: Change | None = None
    was: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if not self.id or set(self.id) - set("abcdefghijklmnopqrstuvwxyz0123456789-"):
            raise UsageError(f"finding id '{self.id}' must be a slug: small letters, digits and '-'")
        for name in ("title", "statement", "why", "action", "owner", "check"):
            object.__setattr__(self, name, visible(getattr(self, name)))
        object.__setattr__(self, "chain", tuple(visible(step) for step in self.chain))

    def as_json(self) -> dict[str, Any]:
        """The finding as plain JSON values."""
        return asdict(self)

    @classmethod
    def from_json(cls, fields: dict[str, Any]) -> Finding:
        """Rebuild a finding that `as_json` wrote."""
        whole: dict[str, Any] = {
            **{name: Measure(**fields[name]) for name in ("measure", "cost") if fields.get(name)},
            **{name: tuple(fields[name]) for name in ("figures", "chain", "was") if name in fields},
            "change": Change(**fields["change"]) if fields.get("change") else None,
            "examples": tuple((ref, text) for ref, text in fields.get("examples", ())),
        }
        return cls(**{**fields, **whole})

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, Any]:
        return {MIMETYPE: self.as_json(), "text/plain": f"{self.title}\n{self.statement}".strip()}
