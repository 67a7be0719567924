"""Which fields does an Intercom export hold, and what can it not tell?"""

from __future__ import annotations

from fcrlib.intake.canonical import words
from fcrlib.intake.canonical.carries import Carries
from fcrlib.intake.export.kinds import Export, Kind, Paging

_PART = {
    "part_id": "id",
    "part_type": "part_type",
    "at": "created_at",
    "updated_at": "updated_at",
    "author_id": "author.id | author_id",
    "author_type": "author.type | author_type",
    "author_name": "author.name",
    "is_ai": "author.from_ai_agent",
    "is_answer": "author.is_ai_answer",
    "text": "body",
    "assigned_id": "assigned_to.id | assigned_to_id",
    "assigned_type": "assigned_to.type | assigned_to_type",
    "state": "state",
    "ticket_state": "ticket_state.category | ticket_state",
}
_ACTIVE = "_fivetran_active"
"""A warehouse keeps what was taken away, and marks what still holds."""
_SHARED = {
    "opened_at": "created_at",
    "updated_at": "updated_at",
    "customer_ref": "contacts.contacts[0].id | contacts[0].id | user.id",
    "account_ref": "company.id | company_id",
    "assignee": "admin_assignee_id | assignee.id | assignee_id",
    "team": "team_assignee_id",
    "priority": "priority",
}
_CONVERSATION = {
    "contact_id": "id",
    **_SHARED,
    "title": "title",
    "state": "state",
    "channel_raw": "source.type | source_type",
    "delivered": "source.delivered_as | source_delivered_as",
    "subject": "source.subject | source_subject",
    "body": "source.body | source_body | conversation_message.body",
    "author_id": "source.author.id | source_author_id | conversation_message.author.id",
    "author_type": "source.author.type | source_author_type | conversation_message.author.type",
    "author_name": "source.author.name",
    "rating": "conversation_rating.rating | conversation_rating_value",
    "remark": "conversation_rating.remark | conversation_rating_remark",
    "requested_at": "conversation_rating.created_at | conversation_rating_created_at",
    "rated_at": "conversation_rating.updated_at",
    "ai_rating": "ai_agent.rating",
    "ai_remark": "ai_agent.rating_remark",
    "ai_rated_at": "ai_agent.updated_at | updated_at",
    "promise": "sla_applied.sla_status | sla_status",
    "reopens": "statistics.count_reopens",
    "assignments": "statistics.count_assignments",
    "handled": "statistics.handling_time",
    "replied_at": "statistics.first_admin_reply_at",
    "first_closed_at": "statistics.first_close_at",
    "last_closed_at": "statistics.last_close_at",
    "parts_there": "conversation_parts.total_count",
}
_TICKET = {
    "contact_id": "id",
    **_SHARED,
    "state": "ticket_state.category | ticket_state",
    "sort": "category",
    "title": "ticket_attributes._default_title_",
    "body": "ticket_attributes._default_description_",
    "parts_there": "ticket_parts.total_count",
}


def _values(name: str, each: str) -> Kind:
    return Kind(name, {"contact_id": "^id", "field": "key", "value": "value"}, each=each, needed=("value",))


def _links(name: str) -> Kind:
    return Kind(
        name, {"contact_id": "^id", "other": "id", "type": "type", "sort": "category"}, each="linked_objects.data[]", needed=("other", "type")
    )


EXPORT = Export(
    "intercom",
    kinds=(
        Kind(
            "conversations",
            _CONVERSATION,
            stems=("conversations", "conversation", "conversation_history"),
            tell=("type", "conversation"),
            key=("contact_id",),
            newest="updated_at",
            needed=("contact_id", "opened_at", "state"),
            texts=("title", "subject", "body", "remark", "ai_remark"),
            inside=(
                Kind("said", {"contact_id": "^id", **_PART}, each="conversation_parts.conversation_parts[]", texts=("text",)),
                Kind("labels", {"contact_id": "^id", "tag_id": "id", "name": "name"}, each="tags.tags[]"),
                _values("values", "custom_attributes{}"),
                _links("links"),
            ),
        ),
        Kind(
            "tickets",
            _TICKET,
            tell=("type", "ticket"),
            key=("contact_id",),
            newest="updated_at",
            needed=("contact_id", "opened_at", "state"),
            texts=("title", "body"),
            inside=(
                Kind("ticket_said", {"contact_id": "^id", **_PART}, each="ticket_parts.ticket_parts[]", texts=("text",)),
                _values("ticket_values", "ticket_attributes{}"),
                _links("ticket_links"),
            ),
        ),
        Kind(
            "parts",
            {"contact_id": "conversation_id", **_PART},
            wrappers=("conversation_parts", "parts"),
            stems=("conversation_parts", "conversation_part", "conversation_part_history"),
            tell=("type", "conversation_part"),
            key=("contact_id", "part_id"),
            newest="updated_at",
            needed=("contact_id", "part_type", "at"),
            texts=("text",),
        ),
        Kind(
            "contacts",
            {
                "customer_ref": "id",
                "name": "name",
                "email": "email",
                "phone": "phone",
                "external_id": "external_id",
                "account": "companies.data[0].id | companies[0].id",
                "spam": "marked_email_as_spam",
                "locale": "language_override | browser_language | browser_locale",
                "updated_at": "updated_at",
            },
            wrappers=("contacts", "data"),
            stems=("contacts", "contact", "contact_history", "leads", "users"),
            tell=("type", "contact"),
            key=("customer_ref",),
            newest="updated_at",
        ),
        Kind(
            "admins",
            {"agent_id": "id", "name": "name", "team": "team_ids[0]"},
            wrappers=("admins", "data"),
            stems=("admins", "admin", "teammates"),
            tell=("type", "admin"),
            key=("agent_id",),
        ),
        Kind("teams", {"team_id": "id", "name": "name"}, stems=("teams", "team"), tell=("type", "team"), key=("team_id",)),
        Kind("members", {"agent_id": "admin_id", "team_id": "team_id"}, stems=("team_admin",), needed=("agent_id", "team_id")),
        Kind("tags", {"tag_id": "id", "name": "name"}, wrappers=("tags", "data"), stems=("tags", "tag"), tell=("type", "tag"), key=("tag_id",)),
        Kind(
            "tagged",
            {"contact_id": "conversation_id", "tag_id": "tag_id", "active": _ACTIVE},
            stems=("conversation_tag_history",),
            needed=("contact_id", "tag_id"),
        ),
        Kind(
            "asked",
            {"contact_id": "conversation_id", "customer_ref": "contact_id", "active": _ACTIVE},
            stems=("conversation_contact_history",),
            needed=("contact_id", "customer_ref"),
        ),
        Kind(
            "calls",
            {
                "call_id": "id",
                "contact_id": "conversation_id",
                "agent": "admin_id",
                "customer": "contact_id",
                "direction": "direction",
                "at": "initiated_at",
                "answered_at": "answered_at",
                "ended_at": "ended_at",
                "updated_at": "updated_at",
            },
            wrappers=("calls", "data"),
            tell=("type", "call"),
            key=("call_id",),
            newest="updated_at",
            needed=("call_id", "at"),
        ),
        Kind(
            "articles",
            {"article_id": "id", "title": "title", "updated_at": "updated_at"},
            wrappers=("articles", "data"),
            tell=("type", "article"),
            key=("article_id",),
            texts=("title",),
        ),
    ),
    paging=Paging(total="total_count", follows="pages.next"),
    enough=("tickets",),
)
CARRIES = Carries(
    "intercom",
    {
        "contacts.merged_into": "a merge is noted, but not with what",
        "contacts.follow_up_of": "a closed conversation is opened again, nothing follows it",
        "contacts.issue_key": "only a tracker ticket says which conversations are about one problem",
        "contacts.close_reason": "a close has no reason",
        "contacts.is_deleted": "what is deleted is not exported",
        "contacts.non_resolvable": "no field says it",
        "contacts.cost": "conversations have no cost",
        "contacts.currency": "conversations have no cost",
        "contacts.due_at": "a promise says whether it was hit or missed, not when it was due",
        "contacts.vendor_replies": "parts are counted, not replies",
        "contacts.vendor_one_touch": "it is not counted",
        "events.seq": "calls stand apart: what came first within one second is not known",
        "events.article_id": "a link in a text is no record of an article",
        "surveys.resolved": "a rating is a number of 1 to 5",
        "surveys.ces": "a rating is a number of 1 to 5",
        "surveys.nps": "a rating is a number of 1 to 5",
        "surveys.seq": "only the last rating is kept",
        "customers": "it does not say who has left",
        "changes": "it keeps no log of what the company changed",
        "agents.skills": "skills are not exported",
        "agents.hired_at": "it is not said",
    },
)
CHANNELS = {
    **words.CHANNEL_WORDS,
    "conversation": "chat",
    "push": "in_app",
    "inapp": "in_app",
    "phone_call": "phone",
    "phone_switch": "phone",
    "admin": "other",
    "admin_message": "in_app",
    "operator": "chat",
    "facebook": "social",
    "instagram": "social",
}
STATUSES = {
    "open": "open",
    "closed": "closed",
    "snoozed": "pending",
    "submitted": "new",
    "in_progress": "open",
    "waiting_on_customer": "pending",
    "resolved": "solved",
}
MOVES = {
    "close": "closed",
    "open": "open",
    "assign_and_reopen": "open",
    "note_and_reopen": "open",
    "snoozed": "pending",
    "snooze": "pending",
    "assign_and_unsnooze": "open",
    "unsnooze": "open",
    "timer_unsnooze": "open",
}
"""What a part of this type makes of a conversation."""
