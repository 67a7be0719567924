"""What does "resolved on first contact" mean here?

A policy is data: written, versioned, validated, and read aloud by `Policy.sentence()`. Every number carries one.
"""

from __future__ import annotations

import hashlib
import json
import re
from datetime import timedelta
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

from fcrlib.model.errors import UsageError

_UNITS = {"min": "minutes", "m": "minutes", "h": "hours", "d": "days", "w": "weeks"}


def _duration(value: object) -> object:
    """Read `7d`, `36h`, `30 min` and `none`; anything else is left for the validator to judge."""
    if isinstance(value, str) and value.strip().lower() == "none":
        return None
    if isinstance(value, str) and (match := re.fullmatch(r"\s*(\d+(?:\.\d+)?)\s*(min|m|h|d|w)\s*", value)):
        return timedelta(**{_UNITS[match[2]]: float(match[1])})
    if isinstance(value, int | float | str) and not isinstance(value, bool):
        raise ValueError("write a duration with its unit, e.g. '7d', '36h' or '30min'")
    return value


Duration = Annotated[timedelta, BeforeValidator(_duration), Field(ge=timedelta(0))]
Perhaps = Annotated[Annotated[timedelta, Field(ge=timedelta(0))] | None, BeforeValidator(_duration)]
ZeroTouch = Literal["exclude", "count", "fail"]


class Policy(BaseModel):
    """A written resolution policy. Immutable; `Policy.named()` finds the presets, `revised()` makes variants.

    Parameters
    ----------
    unit
        `issue`: what comes back is a repeat and not counted again. `contact`: every contact is judged, repeats like first ones.
    window
        Silence after the first resolution that counts as solved; half-open, so a contact at exactly the end still fails.
        `none` waits for nothing and forgets nothing: all that is known by the data end counts, so past numbers are restated.
    same_issue
        Which later contacts are about the same issue: `category` (or an explicit link), `linked` only, `any` contact of
        the customer, `text` (similar wording, or a link), `none` (every contact stands alone).
    similarity
        Under `text`: the smallest share of words in common (Jaccard's index) that makes two contacts one issue.
    transfer
        Which handovers fail: `ignore`, `escalation`, `any`.
    zero_touch, auto_close
        What becomes of contacts that were resolved without an answer, or closed by the system for inactivity.
    survey
        `veto`: a "no" or "partly" fails the contact. `decides`: only the answer counts.
    max_customer_replies, max_agent_replies, max_agents
        How many customer messages after the first reply, public agent replies, and agents still count as one contact.
    waiting
        `fail`: being put on hold or pending fails, as some vendors count.
    while_open
        `judge`: an open contact can fail already. `wait`: it is in no rate before it is resolved, as on most screens.
    resolve_within
        Resolved later than this is a deferred answer, not a resolution.
    resolve_deadline
        Still open after this is a failure: open contacts are not invisible.
    duplicate_gap
        Same customer, same issue, started this close to an earlier start: one contact, sent twice.

    Examples
    --------
    >>> Policy.named("customer_7d").window
    datetime.timedelta(days=7)
    >>> Policy().revised(window="24h").window
    datetime.timedelta(days=1)
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str = "customer_7d"
    version: int = Field(default=1, ge=1)
    unit: Literal["issue", "contact"] = "issue"
    window: Perhaps = timedelta(days=7)
    same_issue: Literal["category", "any", "linked", "text", "none"] = "category"
    similarity: float = Field(default=0.35, gt=0, le=1)
    across_channels: bool = True
    transfer: Literal["ignore", "escalation", "any"] = "ignore"
    zero_touch: ZeroTouch = "exclude"
    auto_close: ZeroTouch = "exclude"
    survey: Literal["ignore", "veto", "decides"] = "ignore"
    max_customer_replies: int | None = Field(default=None, ge=0)
    max_agent_replies: int | None = Field(default=None, ge=1)
    max_agents: int | None = Field(default=None, ge=1)
    waiting: Literal["ignore", "fail"] = "ignore"
    while_open: Literal["judge", "wait"] = "judge"
    resolve_within: Perhaps = None
    resolve_deadline: Perhaps = timedelta(days=30)
    duplicate_gap: Duration = timedelta(minutes=30)
    count_company_initiated: bool = False
    note: str = Field(default="", description="why this policy's number differs from the default's")

    @classmethod
    def named(cls, name: str) -> Self:
        """Return a preset by its name.

        Raises
        ------
        UsageError
            If no preset has the name; the message lists them.
        """
        if name not in _PRESETS:
            raise UsageError(f"policy '{name}' is unknown", [f"known policies: {', '.join(_PRESETS)}"])
        return cls.read({"name": name, **_PRESETS[name]})

    @classmethod
    def read(cls, fields: dict[str, Any]) -> Self:
        """Validate the fields of a policy, as written in `fcr.toml`; unset fields keep their defaults.

        Raises
        ------
        UsageError
            With every mistake at once.
        """
        try:
            return cls.model_validate(fields)
        except ValidationError as error:
            raise UsageError(f"policy '{fields.get('name', 'customer_7d')}' has mistakes:", spell(error)) from None

    def revised(self, **changes: Any) -> Self:
        """Return a validated variant; its name says that it is one."""
        return type(self).read({**self.model_dump(), "name": f"{self.name}, revised", **changes})

    @property
    def fingerprint(self) -> str:
        """Twelve hex digits of everything that can move a number (the name and the note cannot)."""
        fields = self.model_dump(mode="json", exclude={"name", "note"})
        return hashlib.sha256(json.dumps(fields, sort_keys=True).encode()).hexdigest()[:12]

    def needs(self) -> tuple[str, ...]:
        """Capabilities (`tables.CAPABILITIES`) without which a desk cannot support this definition.

        Examples
        --------
        >>> Policy.named("zoho").needs()
        ('has_status_history', 'has_messages', 'has_public_flag')
        """
        asked = {
            "has_survey": self.survey == "decides",
            "has_customer": self.survey != "decides" and self.same_issue in ("any", "category", "text"),
            "has_category": self.survey != "decides" and self.same_issue == "category",
            "has_text": self.same_issue == "text",
            "has_status_history": self.same_issue == "none" or self.waiting == "fail",
            "has_messages": self._replies_matter,
            "has_public_flag": self._replies_matter,
            "has_group_history": self.transfer != "ignore" or self.max_agents is not None,
        }
        return tuple(name for name, holds in asked.items() if holds)

    @property
    def _replies_matter(self) -> bool:
        return self.zero_touch == "fail" or self.max_agent_replies is not None or self.max_customer_replies is not None

    def sentence(self) -> str:
        """The policy as one paragraph of plain words."""
        return " ".join(part for part in _clauses(self) if part)


def presets() -> dict[str, Policy]:
    """Every preset by name, the default first."""
    return {name: Policy.named(name) for name in _PRESETS}


def spell(error: ValidationError) -> list[str]:
    """Put a validation error into words: one line per mistake, naming the key, the value and what is allowed."""
    lines = []
    for mistake in error.errors():
        key = ".".join(str(part) for part in mistake["loc"]) or "settings"
        if mistake["type"] == "extra_forbidden":
            lines.append(f"{key}: there is no such key")
        elif mistake["type"] == "missing":
            lines.append(f"{key}: is needed but missing")
        else:
            lines.append(f"{key}: {mistake['input']!r}: {mistake['msg'].removeprefix('Value error, ')}")
    return lines


def in_words(duration: timedelta) -> str:
    """A duration as people say it.

    Examples
    --------
    >>> in_words(timedelta(days=7)), in_words(timedelta(hours=36)), in_words(timedelta(minutes=30))
    ('7 days', '36 hours', '30 minutes')
    """
    for unit, size in (("day", timedelta(days=1)), ("hour", timedelta(hours=1)), ("minute", timedelta(minutes=1))):
        amount = duration / size
        if amount >= 1 and amount == int(amount):
            return f"{int(amount)} {unit}{'s' if amount != 1 else ''}"
    return f"{duration.total_seconds():g} seconds"


def _clauses(policy: Policy) -> list[str]:
    scope = "on any channel" if policy.across_channels else "on the same channel"
    issue = {
        "category": f"does not come back about the same issue (same category, or an explicit link) {scope}",
        "linked": f"does not open a linked contact {scope}",
        "any": f"does not come back about anything {scope}",
        "text": f"does not come back about the same issue (at least {policy.similarity:.0%} of the words in common, or an explicit link) {scope}",
        "none": "",
    }[policy.same_issue]
    verb = {
        "exclude": "stay out of the rate and are counted apart",
        "count": "count as resolved when nothing follows",
        "fail": "count as failed",
    }
    gap = in_words(policy.duplicate_gap)
    return [
        "A first contact counts as resolved when the only thing that matters, the customer's survey answer, is yes."
        if policy.survey == "decides"
        else f"A {_UNIT[policy.unit]} counts as resolved when the customer's request is solved or closed, is not reopened, and the customer {issue} {_silence(policy)}."
        if issue
        else f"A {_UNIT[policy.unit]} counts as resolved when it is solved or closed and not reopened {_silence(policy)}; other contacts of the customer are not looked at.",
        _edge(policy),
        {
            "ignore": "Handing the contact over does not fail it.",
            "escalation": "An escalation fails it, a transfer alone does not.",
            "any": "Any transfer or escalation after the first assignment fails it.",
        }[policy.transfer],
        "A survey answer of no or partly fails it." if policy.survey == "veto" else "",
        _at_most(policy.max_customer_replies, "customer message", "after the first reply"),
        _at_most(policy.max_agent_replies, "public agent reply", "in all"),
        _at_most(policy.max_agents, "agent", "may touch it"),
        "Being set to pending or on hold fails it." if policy.waiting == "fail" else "",
        f"Resolved later than {in_words(policy.resolve_within)} after the start is a deferred answer and fails." if policy.resolve_within else "",
        f"Still open {in_words(policy.resolve_deadline)} after the start is a failure." if policy.resolve_deadline else "",
        "A contact is in no rate while it is open." if policy.while_open == "wait" else "",
        f"Contacts resolved without any answer {verb[policy.zero_touch]}; so do those that the system closed for inactivity."
        if policy.zero_touch == policy.auto_close
        else f"Contacts resolved without any answer {verb[policy.zero_touch]}; those that the system closed for inactivity {verb[policy.auto_close]}.",
        "Outreach by the company counts even without a customer reply." if policy.count_company_initiated else "",
        f"Two contacts about the same issue within {gap} are one, sent twice. " * bool(policy.duplicate_gap)
        + "Thank-yous, spam, deleted, merged and test contacts never count against anyone.",
        policy.note,
    ]


_UNIT = {"issue": "first contact", "contact": "contact, first or not,"}


def _silence(policy: Policy) -> str:
    if policy.window is None:
        return "by the data end, however long that is"
    return f"within {in_words(policy.window)} of the first resolution" if policy.window else "(no window is waited for)"


def _edge(policy: Policy) -> str:
    """What happens at the end of the window, where there is one and other contacts matter."""
    if not policy.window or policy.same_issue == "none":
        return ""
    inside = "a later contact inside the window is a repeat, not a new first contact"
    if policy.unit == "contact":
        inside = "a later contact inside the window is judged like any other"
    return f"A contact at exactly the end of the window still fails it; {inside}."


def _at_most(limit: int | None, what: str, where: str) -> str:
    if limit is None:
        return ""
    return f"At most {limit} {what}{'' if limit == 1 else 's'} {where}; more fails it." if limit else f"Any {what} {where} fails it."


_SCREEN: dict[str, Any] = {
    "window": None, "same_issue": "none", "resolve_deadline": None, "duplicate_gap": timedelta(0), "zero_touch": "count", "auto_close": "count",
    "while_open": "wait",
}  # fmt: skip
_PRESETS: dict[str, dict[str, Any]] = {
    "customer_7d": {},
    "within_24h": {"window": timedelta(hours=24), "note": "One day of silence is too short for a customer who answers tomorrow."},
    "within_48h": {"window": timedelta(hours=48), "note": "Two days of silence miss what comes back after a weekend."},
    "customer_30d": {"window": timedelta(days=30), "note": "Thirty days catch late repeats, and coincidences with them."},
    "strict": {"transfer": "any", "max_customer_replies": 0, "note": "Nothing may follow the first reply, and nobody else may help."},
    "voice": {"transfer": "any", "resolve_within": timedelta(hours=1), "note": "Made for calls: solved within the hour by whoever answers."},
    "zendesk_ticket_one_touch": {
        **_SCREEN,
        "max_agent_replies": 1,
        "note": "A ticket screen calls this one-touch: fewer than two agent replies. A second ticket is not seen, an unanswered one counts.",
    },
    "zendesk_messaging_one_touch": {
        **_SCREEN,
        "zero_touch": "fail",
        "waiting": "fail",
        "note": "A messaging screen calls this one-touch: answered, never on hold, not reopened. A second session is not seen.",
    },
    "freshservice": {
        **_SCREEN,
        "max_customer_replies": 0,
        "note": "Any further customer message fails, even an answer to a question; a second ticket is not seen.",
    },
    "zoho": {
        **_SCREEN,
        "zero_touch": "fail",
        "max_agent_replies": 1,
        "note": "Exactly one public reply is asked for: a thorough answer in two messages fails, a second ticket is not seen.",
    },
    "intercom_first_contact": {
        **_SCREEN,
        "max_agents": 1,
        "note": "Closed once by one teammate; a new conversation about the same problem is not seen.",
    },
    "genesys_nca": {
        "unit": "contact",
        "same_issue": "any",
        "zero_touch": "count",
        "auto_close": "count",
        "note": "Any next contact within seven days fails, whatever it is about, and repeats are counted like first contacts.",
    },
    "servicenow_csm": {
        **_SCREEN,
        "transfer": "any",
        "max_agents": 1,
        "note": "No reopening and no reassignment: a helpful handover fails, a second ticket is not seen.",
    },
    "zammad_15min": {
        **_SCREEN,
        "resolve_within": timedelta(minutes=15),
        "note": "Solved within fifteen minutes counts, whatever happens afterwards on another ticket.",
    },
    "sqm_internal_30d": {
        "window": timedelta(days=30),
        "same_issue": "category",
        "note": "A thirty-day window catches more true repeats and more coincidences than seven days do.",
    },
    "sqm_survey": {
        "survey": "decides",
        "note": "Only those who answered the survey are in this number; it is not comparable with a number from the system.",
    },
    "sqm_one_contact": {
        "window": timedelta(days=30),
        "transfer": "any",
        "max_customer_replies": 0,
        "note": "One contact, one agent, one channel: the strictest reading of one and done.",
    },
}
