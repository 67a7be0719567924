"""Which fields does a Zendesk export hold, and what can it not tell?"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace

from fcrlib.intake.canonical import words
from fcrlib.intake.canonical.carries import Carries
from fcrlib.intake.export.kinds import Export, Kind, Paging

_EVENT = {
    "audit_id": "^id",
    "ticket_id": "^ticket_id",
    "at": "^created_at",
    "audit_author": "^author_id",
    "rel": "^via.source.rel",
    "id": "id",
    "type": "type",
    "field": "field_name",
    "value": "value",
    "before": "previous_value",
    "author_id": "author_id",
    "public": "public",
    "text": "plain_body | body",
    "via": "via.channel | ^via.channel",
    "article_id": "body.article.id | body.article_id",
}
_CHILD = {
    "audit_id": "^id",
    "ticket_id": "^ticket_id",
    "at": "^created_at | ^timestamp",
    "audit_author": "^updater_id",
    "id": "id",
    "type": "event_type | type",
    "before": "previous_value",
    "author_id": "author_id",
    "public": "public | comment_public",
    "text": "plain_body | body",
    "rel": "via.source.rel",
    **{f"new {name}": name for name in ("status", "group_id", "assignee_id", "satisfaction_score")},
}
_COMMENT = {
    "id": "id",
    "ticket_id": "ticket_id",
    "author_id": "author_id | user_id",
    "text": "plain_body | body",
    "public": "public",
    "at": "created_at | created",
    "via": "via.channel",
    "rel": "via.source.rel",
}
_USER = {
    "user_id": "id",
    "name": "name",
    "email": "email",
    "phone": "phone",
    "external_id": "external_id",
    "role": "role",
    "organization_id": "organization_id",
    "locale": "locale",
    "updated_at": "updated_at",
    "group_id": "default_group_id",
}
_GROUP = {"group_id": "id", "name": "name"}
ROLES = ("requester", "submitter", "assignee", "collaborator")
"""People whom the export of whole tickets holds inside each ticket."""
_BESIDE = (
    "ticket_forms", "ticket_form", "ticket_form_statuses", "ticket_form_history", "ticket_skips", "ticket_activities", "ticket_schedule",
    "ticket_sla_policy", "ticket_chat", "ticket_chat_event", "ticket_project", "ticket_custom_field", "ticket_follower_history",
    "ticket_collaborator_history", "ticket_email_cc_history", "ticket_link_mapping", "ticket_related", "deleted_tickets", "user_fields", "user_field",
    "ticket_tag_history", "user_tag", "user_organization", "user_related", "group_memberships", "group_membership", "group_member", "group_sla_policies",
    "article_comments", "article_comment", "post_comments", "post_comment", "call_topics",
)  # fmt: skip
"""Lists that stand beside those that are read, and whose names begin or end like theirs."""
EXPORT = Export(
    "zendesk",
    kinds=(
        Kind(
            "tickets",
            {
                "contact_id": "id | Ticket ID",
                "url": "url",
                "opened_at": "created_at",
                "updated_at": "generated_timestamp | updated_at",
                "touched_at": "updated_at",
                "status": "status",
                "channel_raw": "via.channel | via_channel | via",
                "rel": "via.source.rel | via_source_rel",
                "from_ticket": "via.source.from.ticket_id",
                "follows": "via_followup_source_id",
                "swallowed": "merged_ticket_ids",
                "subject": "subject | raw_subject",
                "body": "description",
                "priority": "priority",
                "customer_ref": "requester_id | requester.id",
                "asker": "requester.name | requester",
                "asker_email": "requester email",
                "asker_external": "requester external id",
                "submitter": "submitter_id | submitter.id | submitter",
                "assignee": "assignee_id | assignee.id | assignee",
                "group": "group_id | group.id | group",
                "account_ref": "organization_id | organization.id | organization",
                "tags": "tags",
                "problem": "problem_id",
                "has_incidents": "has_incidents",
                "rating": "satisfaction_rating.score | satisfaction score | satisfaction_rating",
                "rating_comment": "satisfaction_rating.comment",
                "solved_at": "metric_set.solved_at | solved at",
                "due_at": "due_at | due date",
                "reopens": "metric_set.reopens | reopens",
                "replies": "metric_set.replies | replies",
                "stations": "metric_set.group_stations | group stations",
                "resolved_after": "metric_set.first_resolution_time_in_minutes.calendar | first resolution time in minutes",
                "replied_after": "metric_set.reply_time_in_minutes.calendar | first reply time in minutes",
            },
            wrappers=("tickets", "results"),
            stems=("tickets", "ticket", "incremental_tickets"),
            key=("contact_id",),
            newest="updated_at",
            needed=("contact_id", "opened_at", "status"),
            texts=("subject", "body", "rating_comment"),
            inside=(
                Kind("ticket_values", {"contact_id": "^id", "field": "id", "value": "value"}, each="custom_fields[]", needed=("value",)),
                Kind("own_comments", {**_COMMENT, "ticket_id": "^id"}, each="comments[]", needed=("at",), texts=("text",)),
                Kind("own_groups", _GROUP, each="group[]", needed=("group_id", "name")),
                *(Kind(f"own_{role}", _USER, each=f"{role}[]", needed=("user_id", "role")) for role in ROLES),
            ),
        ),
        Kind(
            "audits",
            {"audit_id": "id", "ticket_id": "ticket_id", "at": "created_at", "rel": "via.source.rel", "merged": "via.source.from.ticket_ids"},
            wrappers=("audits", "ticket_audits"),
            stems=("audits", "ticket_audits", "ticket_audit"),
            key=("audit_id",),
            needed=("ticket_id", "at"),
            inside=(Kind("changes", _EVENT, each="events[]", texts=("text",)),),
        ),
        Kind(
            "ticket_events",
            {"audit_id": "id", "ticket_id": "ticket_id", "at": "created_at | timestamp"},
            wrappers=("ticket_events",),
            stems=("ticket_events", "incremental_ticket_events"),
            key=("audit_id",),
            needed=("ticket_id", "at"),
            inside=(Kind("child_events", _CHILD, each="child_events[]", texts=("text",)),),
        ),
        Kind(
            "field_values",
            {"ticket_id": "ticket_id", "field": "field_name", "at": "updated", "audit_author": "user_id", "value": "value"},
            stems=("ticket_field_history",),
            needed=("ticket_id", "field", "at"),
        ),
        Kind("ticket_tags", {"contact_id": "ticket_id", "tag": "tag"}, stems=("ticket_tag",), needed=("contact_id", "tag")),
        Kind(
            "comments",
            _COMMENT,
            wrappers=("comments", "ticket_comments"),
            stems=("comments", "ticket_comments", "ticket_comment"),
            key=("id",),
            needed=("ticket_id", "at"),
            texts=("text",),
        ),
        Kind(
            "metrics",
            {
                "contact_id": "ticket_id",
                "reopens": "reopens",
                "replies": "replies",
                "stations": "group_stations",
                "solved_at": "solved_at",
                "resolved_after": "first_resolution_time_in_minutes.calendar",
                "replied_after": "reply_time_in_minutes.calendar",
                "updated_at": "updated_at",
            },
            wrappers=("ticket_metrics",),
            stems=("ticket_metrics", "metrics"),
            key=("contact_id",),
            newest="updated_at",
        ),
        Kind(
            "promises",
            {
                "id": "id",
                "ticket_id": "ticket_id",
                "metric": "metric",
                "instance": "instance_id",
                "type": "type",
                "at": "time",
                "target_seconds": "sla.target_in_seconds",
                "target": "sla.target",
                "business": "sla.business_hours",
                "deleted": "deleted",
            },
            wrappers=("ticket_metric_events",),
            stems=("ticket_metric_events", "metric_events"),
            key=("id",),
        ),
        Kind(
            "ratings",
            {
                "id": "id",
                "contact_id": "ticket_id",
                "score": "score",
                "comment": "comment",
                "offered_at": "created_at",
                "answered_at": "updated_at",
            },
            wrappers=("satisfaction_ratings",),
            stems=("satisfaction_ratings", "satisfaction_rating"),
            key=("id", "answered_at"),
            texts=("comment",),
        ),
        Kind(
            "users",
            _USER,
            stems=("users", "user"),
            signs=("user_id", "name", "role"),
            key=("user_id",),
            newest="updated_at",
        ),
        Kind(
            "identities",
            {"user_id": "user_id", "type": "type", "value": "value"},
            wrappers=("identities", "user_identities"),
            stems=("identities", "user_identities", "user_identity"),
        ),
        Kind("groups", _GROUP, stems=("groups", "group"), key=("group_id",)),
        Kind("ticket_fields", {"field": "id", "title": "title"}, stems=("ticket_fields", "ticket_field"), key=("field",)),
        Kind(
            "calls",
            {
                "call_id": "id",
                "contact_id": "ticket_id",
                "at": "created_at",
                "lasted": "duration",
                "talk": "talk_time",
                "hold": "hold_time",
                "wrap": "wrap_up_time",
                "wait": "wait_time",
                "voicemail": "voicemail",
                "agent": "agent_id",
                "customer": "customer_id",
                "direction": "direction",
                "completion": "completion_status",
                "updated_at": "updated_at",
            },
            key=("call_id",),
            newest="updated_at",
        ),
        Kind(
            "legs",
            {
                "leg_id": "id",
                "call_id": "call_id",
                "type": "type",
                "at": "created_at",
                "agent": "agent_id",
                "passed_from": "transferred_from",
                "passed_to": "transferred_to",
            },
            wrappers=("legs", "call_legs"),
            stems=("legs", "call_legs"),
            key=("leg_id",),
        ),
        Kind(
            "engagements",
            {
                "engagement_id": "engagement_id | id",
                "contact_id": "ticket_id",
                "channel_raw": "channel",
                "begun": "engagement_start_time",
                "ended": "engagement_end_time",
                "answers": "agent_replies_count",
            },
            wrappers=("engagements", "ticket_engagements"),
            key=("engagement_id",),
        ),
        Kind("suspended", {"id": "id"}, wrappers=("suspended_tickets",), stems=("suspended_tickets", "suspended_ticket"), key=("id",), spare=True),
        Kind("beside", {"id": "id"}, wrappers=_BESIDE, spare=True),
        Kind("articles", {"article_id": "id", "title": "title", "updated_at": "edited_at | updated_at"}, key=("article_id",), texts=("title",)),
    ),
    paging=Paging(total="count", follows="next_page", last="end_of_stream", more="meta.has_more"),
    host="url",
)
CUSTOM = {"category": "category", "subcategory": "subcategory", "product_area": "product area", "tier": "tier", "language": "language"}
"""Our columns and the titles of the custom fields that hold them, where nobody says another."""
_BRACKETS = ("list", "txt", "int")


def asking(fields: Mapping[str, str]) -> Export:
    """The export with the custom columns of a table of tickets; their headers end in brackets, and those of a warehouse begin with `custom_`."""
    tickets, *rest = EXPORT.kinds
    own = {
        f"own {ours}": " | ".join((theirs, f"custom_{theirs}", *(f"{theirs} [{kind}]" for kind in _BRACKETS)))
        for ours, theirs in {**CUSTOM, **fields}.items()
        if re.search(r"\w", theirs) and not set(theirs) & set("|^")
    }
    return replace(EXPORT, kinds=(replace(tickets, fields={**tickets.fields, **own}), *rest))


CARRIES = Carries(
    "zendesk",
    {
        "contacts.parent_id": "a ticket has a problem, but no parent",
        "contacts.non_resolvable": "no field says it",
        "contacts.handle_seconds": "only calls and messaging are timed; an app on top of it measures the rest",
        "contacts.wait_seconds": "minutes, not seconds, for what is no call",
        "contacts.cost": "tickets have no cost",
        "contacts.currency": "tickets have no cost",
        "contacts.close_reason": "only a closing for silence can be seen",
        "events.seq": "calls stand apart: what came first within one second is not known",
        "events.kind": "an escalation is a change of the team like any other",
        "surveys.seq": "answers are numbered by time",
        "surveys.resolved": "a rating is good or bad",
        "surveys.ces": "a rating is good or bad",
        "surveys.nps": "a rating is good or bad",
        "customers": "it is no list of customers",
        "changes": "it keeps no log of what the company changed",
        "agents.skills": "skills belong to routing, which is not exported",
        "agents.group": "only the default group of today",
        "agents.hired_at": "only when the account was made",
    },
)
_WAYS = {
    "email": ("mail gateway",),
    "web": (
        "help center", "help center post", "web form", "web widget", "web service", "answer bot for web widget", "topic", "forum topic",
    ),
    "chat": ("chat transcript", "offline message"),
    "messaging": (
        "native messaging", "sunshine conversations api", "facebook messenger", "sunshine conversations facebook messenger", "instagram direct",
        "instagram dm", "sunshine conversations twitter dm", "apple business chat", "apple messages for business", "google business messages",
        "google rcs", "kakaotalk", "wechat", "slack connect", "twilio sms", "messagebird sms", "text", "mms",
    ),
    "phone": (
        "phone call (incoming)", "phone call (inbound)", "phone call (outgoing)", "phone call (outbound)", "voice call", "cti voicemail",
        "cti phone call (incoming)", "cti phone call (inbound)", "cti phone call (outgoing)", "cti phone call (outbound)", "phone call inbound",
        "phone call outbound", "cti phone call inbound", "cti phone call outbound", "cti voice call",
    ),
    "social": (
        "twitter dm", "twitter direct message", "twitter mention", "twitter like", "twitter favorite", "x corp", "x corp dm", "facebook post",
        "facebook message", "facebook private message", "channel integration",
    ),
    "in_app": ("mobile sdk",),
    "api": ("web service (api)", "batch", "import"),
    "other": ("side conversation", "rule", "system", "closed ticket", "ticket sharing", "any channel", "sample ticket", "automatic solution suggestions"),
}  # fmt: skip
CHANNELS = {**words.CHANNEL_WORDS, **{form: channel for channel, some in _WAYS.items() for word in some for form in (word, word.replace(" ", "_"))}}
"""The API writes words with low lines between, the table with blanks."""
INCOMING, OUTGOING = r"(?i)\(?in(?:coming|bound)\)?$|voicemail$", r"(?i)\(?out(?:going|bound)\)?$"
FOLLOWS = r"(?i)^closed[ _]ticket$"
STATUSES = {
    "new": "new",
    "open": "open",
    "pending": "pending",
    "hold": "hold",
    "on-hold": "hold",
    "solved": "solved",
    "closed": "closed",
    "deleted": "closed",
}
