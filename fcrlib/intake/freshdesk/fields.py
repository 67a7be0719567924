"""Which fields does a Freshdesk or Freshservice export hold, and what can it not tell?"""

from __future__ import annotations

from collections.abc import Mapping

from fcrlib.intake.canonical import words
from fcrlib.intake.canonical.carries import Carries
from fcrlib.intake.export.kinds import Export, Kind, Paging

_SAID = {
    "id": "id",
    "contact_id": "ticket_id",
    "text": "body_text | body",
    "incoming": "incoming",
    "private": "private",
    "user_id": "user_id",
    "source": "source",
    "auto_response": "auto_response",
    "automation": "automation_id",
    "at": "created_at",
}
_TICKET = {
    "contact_id": "id | display_id | ticket id",
    "opened_at": "created_at | created time | created date",
    "updated_at": "updated_at | last update time | last updated time",
    "status": "status | status_name",
    "channel_raw": "source | source_name",
    "subject": "subject",
    "body": "description_text | description",
    "priority": "priority | priority_name",
    "type": "type | ticket_type",
    "service_category": "category",
    "service_subcategory": "sub_category | subcategory | sub-category",
    "requester": "requester_id | requester.id | contact id | requester id",
    "requester_name": "requester.name | requester name | full name",
    "requester_email": "requester.email | requester email | email",
    "requester_phone": "requester.phone | requester.mobile | work phone | mobile phone",
    "agent": "responder_id | agent | agent name",
    "group": "group_id | group | group name | assigned group",
    "account_ref": "company_id | department_id | company.id | company name | company | department",
    "product": "product_id | product",
    "tags": "tags",
    "spam": "spam",
    "deleted": "deleted",
    "association": "association_type",
    "associated": "associated_tickets_list",
    "due_at": "due_by | due by time",
    "escalated": "is_escalated",
    "fr_escalated": "fr_escalated",
    "nr_escalated": "nr_escalated",
    "answered_at": "stats.first_responded_at | initial response time",
    "reopened_at": "stats.reopened_at",
    "resolved_at": "stats.resolved_at | resolved time | resolved date",
    "closed_at": "stats.closed_at | closed time | closed date",
    "tracked": "time tracked",
    "replies": "agent interactions",
    "rating": "survey results | survey result",
    "kept": "resolution status",
    "answered_in_time": "first response status",
    "service": "workspace_id | requested_for_id | department_id | requested for",
}
_MOVED = {
    "contact_id": "ticket_id",
    "at": "performed_at | created_at",
    "performer": "performer_id | actor.id",
    "performer_type": "performer_type",
    "status": "activity.status",
    "agent": "activity.agent_id | activity.responder_id",
    "group": "activity.group_id | activity.group",
    "content": "content",
    "parts": "sub_contents",
}
TICKETS = Kind(
    "tickets",
    _TICKET,
    wrappers=("tickets", "results"),
    stems=("tickets", "ticket", "filtered_tickets", "export"),
    key=("contact_id",),
    newest="updated_at",
    needed=("contact_id", "opened_at", "status"),
    texts=("subject", "body"),
    inside=(
        Kind("own_values", {"contact_id": "^id", "field": "key", "value": "value"}, each="custom_fields{}", needed=("field", "value")),
        Kind("listed_values", {"contact_id": "^id", "field": "name", "value": "value"}, each="custom_fields[]", needed=("field", "value")),
        Kind("own_conversations", {**_SAID, "contact_id": "^id"}, each="conversations[]", needed=("at",), texts=("text",)),
    ),
)
EXPORT = Export(
    "freshdesk",
    kinds=(
        TICKETS,
        Kind("conversations", _SAID, key=("id",), needed=("contact_id", "at"), texts=("text",)),
        Kind(
            "activities",
            _MOVED,
            wrappers=("activities_data", "activities", "ticket_activities"),
            needed=("contact_id", "at"),
        ),
        Kind(
            "ratings",
            {
                "id": "id",
                "survey_id": "survey_id",
                "contact_id": "ticket_id",
                "rating": "ratings.default_question | rating",
                "comment": "feedback",
                "answered_at": "created_at",
            },
            wrappers=("satisfaction_ratings",),
            key=("id",),
            texts=("comment",),
        ),
        Kind(
            "surveys",
            {"survey_id": "id"},
            wrappers=("surveys",),
            key=("survey_id",),
            inside=(
                Kind(
                    "questions",
                    {"survey_id": "^id", "question": "id", "default": "default", "accepted": "accepted_ratings"},
                    each="questions[]",
                    needed=("accepted",),
                ),
            ),
        ),
        Kind(
            "contacts",
            {
                "user_id": "id",
                "name": "name | first_name",
                "last_name": "last_name",
                "email": "email | primary_email",
                "more_emails": "other_emails | secondary_emails",
                "phone": "phone | work_phone_number",
                "mobile": "mobile | mobile_phone_number",
                "external_id": "unique_external_id | external_id",
                "account": "company_id | department_ids[0]",
                "language": "language",
                "updated_at": "updated_at",
            },
            wrappers=("contacts", "requesters"),
            key=("user_id",),
            newest="updated_at",
        ),
        Kind(
            "agents",
            {
                "user_id": "id",
                "name": "contact.name | name | first_name",
                "last_name": "last_name",
                "email": "contact.email | email",
                "groups": "group_ids | member_of",
                "updated_at": "updated_at",
            },
            key=("user_id",),
            newest="updated_at",
        ),
        Kind("groups", {"group_id": "id", "name": "name"}, key=("group_id",)),
        Kind("companies", {"account": "id", "name": "name", "tier": "account_tier"}, wrappers=("companies", "departments"), key=("account",)),
        Kind("products", {"product": "id", "name": "name"}, key=("product",)),
        Kind(
            "ticket_fields",
            {"field": "id", "name": "name"},
            key=("field",),
            inside=(
                Kind("choices", {"name": "^name", "code": "key", "label": "value"}, each="choices{}", needed=("code", "label")),
                Kind("listed_choices", {"name": "^name", "code": "id", "label": "value | label"}, each="choices[]", needed=("code", "label")),
            ),
        ),
        Kind(
            "time_entries",
            {"id": "id", "contact_id": "ticket_id", "spent": "time_spent", "updated_at": "updated_at"},
            key=("id",),
            newest="updated_at",
        ),
        Kind(
            "articles",
            {"article_id": "id", "title": "title", "updated_at": "updated_at"},
            wrappers=("articles", "solution_articles"),
            key=("article_id",),
            texts=("title",),
        ),
    ),
    paging=Paging(total="total"),
)


def export(fields: Mapping[str, str]) -> Export:
    """The export with the user's own columns of its CSV beside the known ones; custom fields of the API are found by name."""
    return EXPORT.asking({f"own {ours}": theirs for ours, theirs in fields.items() if "." not in theirs})


CARRIES = Carries(
    "freshdesk",
    {
        "contacts.follow_up_of": "a new ticket does not name the closed one that it follows",
        "contacts.non_resolvable": "no field says it",
        "contacts.talk_seconds": "calls belong to another product",
        "contacts.cost": "tickets have no cost",
        "contacts.currency": "tickets have no cost",
        "contacts.close_reason": "only a closing for silence can be seen",
        "contacts.vendor_reopens": "only the last reopening is known, no count",
        "contacts.vendor_stations": "handovers are not counted",
        "contacts.vendor_replies": "only the CSV counts the agents' interactions",
        "events.seq": "messages and changes stand apart: what came first within one second is not known",
        "surveys.seq": "answers are numbered by time",
        "surveys.offered_at": "only answers are exported",
        "surveys.resolved": "a rating is a step of a scale",
        "surveys.ces": "a rating is a step of a scale",
        "surveys.nps": "a rating is a step of a scale",
        "customers": "it is no list of customers",
        "changes": "it keeps no log of what the company changed",
        "agents.skills": "skills belong to routing, which is not exported",
        "agents.hired_at": "only when the account was made",
    },
)
STATUSES = {
    **{word: meaning for word, meaning in words.STATUS_WORDS.items() if meaning != "new"},
    "2": "open",
    "3": "pending",
    "4": "solved",
    "5": "closed",
    "new": "open",
    "being processed": "open",
    "awaiting your reply": "pending",
    "waiting on third party": "hold",
    "this ticket has been resolved": "solved",
}
"""By number, by the agents' word and by the customers'. There is no `new`: a ticket is born open."""
WAITING = {"6": "pending", "7": "hold"}
"""The first two custom ones of a fresh Freshdesk; every other custom status is open, whatever it is called."""
SOURCES = {
    **words.CHANNEL_WORDS,
    "1": "email",
    "2": "web",
    "3": "phone",
    "5": "social",
    "6": "social",
    "7": "chat",
    "8": "in_app",
    "9": "web",
    "10": "email",
    "12": "chat",
    "11": "other",
    "13": "messaging",
    "outbound email": "email",
    "feedback widget": "web",
    "mobihelp": "in_app",
    "bot": "chat",
    "ecommerce": "other",
}
SERVICE_SOURCES = {
    **words.CHANNEL_WORDS,
    "1": "email",
    "2": "web",
    "3": "phone",
    "4": "chat",
    "5": "web",
    "6": "social",
    "7": "api",
    "8": "api",
    "9": "other",
    "10": "messaging",
    "11": "chat",
    "12": "messaging",
    "13": "other",
    "14": "api",
    "15": "messaging",
    "18": "other",
    "walkup": "other",
    "slack": "messaging",
}
"""Freshservice counts its sources otherwise from 4 on."""
OUTBOUND = ("10", "outbound email")
NOBODY = ("no agent", "no group", "unassigned", "none", "--", "-", "")
"""What a table writes where nobody holds a ticket."""
YES, NO = ("true", "1", "yes"), ("false", "0", "no")
PRIORITIES = {"1": "low", "2": "medium", "3": "high", "4": "urgent"}
SCALE = ("-103", "-102", "-101", "100", "101", "102", "103")
"""The full scale of a rating, from the worst to the best."""
RATED = {
    "extremely unhappy": "-103",
    "very unhappy": "-102",
    "unhappy": "-101",
    "neutral": "100",
    "happy": "101",
    "very happy": "102",
    "extremely happy": "103",
    "awesome": "103",
    "just okay": "100",
    "not good": "-103",
}
