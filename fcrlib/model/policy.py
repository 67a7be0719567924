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
    """Read `7d`, `36h`, `30 min`; anything else is left for the validator to judge."""
    if isinstance(value, str) and (match := re.fullmatch(r"\s*(\d+(?:\.\d+)?)\s*(min|m|h|d|w)\s*", value)):
        return timedelta(**{_UNITS[match[2]]: float(match[1])})
    if isinstance(value, int | float | str) and not isinstance(value, bool):
        raise ValueError("write a duration with its unit, e.g. '7d', '36h' or '30min'")
    return value


Duration = Annotated[timedelta, BeforeValidator(_duration), Field(ge=timedelta(0))]
ZeroTouch = Literal["exclude", "count", "fail"]


class Policy(BaseModel):
    """A written resolution policy. Immutable; `Policy.named()` finds the presets, `revised()` makes variants.

    Parameters
    ----------
    window
        Silence after the first resolution that counts as solved; half-open, so a contact at exactly the end still fails.
    same_issue
        Which later contacts are about the same issue: `category` (or an explicit link), `linked` only, `any` contact of
        the customer, `text` (similar wording, or a link), `none` (every contact stands alone).
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
    window: Duration = timedelta(days=7)
    same_issue: Literal["category", "any", "linked", "text", "none"] = "category"
    across_channels: bool = True
    transfer: Literal["ignore", "escalation", "any"] = "ignore"
    zero_touch: ZeroTouch = "exclude"
    auto_close: ZeroTouch = "exclude"
    survey: Literal["ignore", "veto", "decides"] = "ignore"
    max_customer_replies: int | None = Field(default=None, ge=0)
    max_agent_replies: int | None = Field(default=None, ge=1)
    max_agents: int | None = Field(default=None, ge=1)
    waiting: Literal["ignore", "fail"] = "ignore"
    resolve_within: Duration | None = None
    resolve_deadline: Duration | None = timedelta(days=30)
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
        "text": f"does not come back about the same issue (similar wording, or an explicit link) {scope}",
        "none": "does not reopen it; other contacts of the customer are not looked at",
    }[policy.same_issue]
    silence = f"within {in_words(policy.window)} of the first resolution" if policy.window else "(no window is waited for)"
    verb = {
        "exclude": "stay out of the rate and are counted apart",
        "count": "count as resolved when nothing follows",
        "fail": "count as failed",
    }
    gap = in_words(policy.duplicate_gap)
    return [
        "A first contact counts as resolved when the only thing that matters, the customer's survey answer, is yes."
        if policy.survey == "decides"
        else f"A first contact counts as resolved when the customer's request is solved or closed, is not reopened, and the customer {issue} {silence}.",
        "A contact at exactly the end of the window still fails it; a later contact inside the window is a repeat, not a new first contact."
        if policy.window and policy.same_issue != "none"
        else "",
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
        f"Contacts resolved without any answer {verb[policy.zero_touch]}; so do those that the system closed for inactivity."
        if policy.zero_touch == policy.auto_close
        else f"Contacts resolved without any answer {verb[policy.zero_touch]}; those that the system closed for inactivity {verb[policy.auto_close]}.",
        "Outreach by the company counts even without a customer reply." if policy.count_company_initiated else "",
        f"Two contacts about the same issue within {gap} are one, sent twice. " * bool(policy.duplicate_gap)
        + "Thank-yous, spam, deleted, merged and test contacts never count against anyone.",
        policy.note,
    ]


def _at_most(limit: int | None, what: str, where: str) -> str:
    if limit is None:
        return ""
    return f"At most {limit} {what}{'' if limit == 1 else 's'} {where}; more fails it." if limit else f"Any {what} {where} fails it."


_VENDOR: dict[str, Any] = {"same_issue": "none", "resolve_deadline": None, "duplicate_gap": timedelta(0), "auto_close": "count"}
_PRESETS: dict[str, dict[str, Any]] = {
    "customer_7d": {},
    "within_24h": {"window": timedelta(hours=24)},
    "within_48h": {"window": timedelta(hours=48)},
    "customer_30d": {"window": timedelta(days=30)},
    "strict": {"transfer": "any", "max_customer_replies": 0},
    "voice": {"transfer": "any", "resolve_within": timedelta(hours=1)},
    "zendesk_ticket_one_touch": {
        **_VENDOR,
        "window": timedelta(0),
        "zero_touch": "count",
        "max_agent_replies": 1,
        "note": "This is what a ticket screen calls one-touch: it waits for no window and sees no second ticket, so it reads higher than ours.",
    },
    "zendesk_messaging_one_touch": {
        **_VENDOR,
        "waiting": "fail",
        "note": "This is what a messaging screen calls one-touch: long sessions count as one reply and second sessions are not seen.",
    },
    "freshservice": {
        **_VENDOR,
        "max_customer_replies": 0,
        "note": "Any further customer message fails, even a harmless answer to a question, but a second ticket is not seen.",
    },
    "zoho": {
        **_VENDOR,
        "zero_touch": "fail",
        "max_agent_replies": 1,
        "note": "Exactly one public reply is asked for, so a thorough answer in two messages fails and a second ticket is not seen.",
    },
    "intercom_first_contact": {
        **_VENDOR,
        "max_agents": 1,
        "transfer": "any",
        "note": "Closed once by one teammate; a new conversation about the same problem is not seen.",
    },
    "genesys_nca": {
        "same_issue": "any",
        "note": "Any next contact within seven days fails, whatever it is about, so it reads lower than ours.",
    },
    "servicenow_csm": {
        **_VENDOR,
        "window": timedelta(days=30),
        "transfer": "any",
        "max_agents": 1,
        "note": "No reopening in thirty days and no reassignment; a second ticket is not seen, and a helpful handover fails.",
    },
    "zammad_15min": {
        "resolve_within": timedelta(minutes=15),
        "same_issue": "none",
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
