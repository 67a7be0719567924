"""Whose export does this look like?"""

from __future__ import annotations

from collections.abc import Collection

# Fields that one system writes and no other does.
SIGNS = {
    "zendesk": (
        "requester_id", "submitter_id", "satisfaction_rating", "ticket_form_id", "brand_id", "raw_subject", "Summation column", "Satisfaction Score",
        "Group stations", "Assignee stations",
    ),
    "freshdesk": (
        "responder_id", "fr_escalated", "fr_due_by", "nr_escalated", "associated_tickets_count", "Agent interactions", "Customer interactions",
        "Initial response time", "First response time (in hrs)", "Resolution time (in hrs)",
    ),
    "intercom": ("admin_assignee_id", "team_assignee_id", "conversation_parts", "waiting_since", "snoozed_until", "contacts"),
    "servicenow": ("sys_id", "sys_created_on", "assignment_group", "caller_id", "reassignment_count", "sys_mod_count"),
    "salesforce": ("CaseNumber", "ContactId", "OwnerId", "attributes", "CreatedById", "IsClosed"),
    "jira": ("fields", "changelog", "key", "self", "expand"),
    "hubspot": ("properties", "hs_object_id", "hs_pipeline_stage", "archived", "propertiesWithHistory"),
    "asterisk": ("dcontext", "dstchannel", "billsec", "disposition", "linkedid"),
    "genesys": ("conversationId", "conversationStart", "participants", "originatingDirection"),
    "connect": ("ContactId", "InitiationMethod", "InitiationTimestamp", "DisconnectTimestamp", "InitialContactId"),
}  # fmt: skip
_VERBS = {"genesys": "calls", "connect": "calls", "asterisk": "calls"}
_ENOUGH = 2


def looks_like(fields: Collection[str], *, unless: str = "") -> str | None:
    """The system whose fields these are, upper and lower case alike; None where it cannot be told, or as many are of the one named by `unless`.

    Examples
    --------
    >>> looks_like(["id", "properties", "archived", "createdAt"]), looks_like(["id", "name"])
    ('hubspot', None)
    """
    there = {field.lower() for field in fields}
    hits = {system: len(there & {sign.lower() for sign in signs}) for system, signs in SIGNS.items()}
    best = max(hits, key=lambda system: hits[system])
    own = max((n for system, n in hits.items() if _VERBS.get(system, system) == unless), default=0)
    return _VERBS.get(best, best) if hits[best] >= _ENOUGH and hits[best] > own else None
