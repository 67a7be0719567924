"""Which fields does a HubSpot export hold, and what can it not tell?"""

from __future__ import annotations

from collections.abc import Mapping

from fcrlib.intake.canonical import words
from fcrlib.intake.canonical.carries import Carries
from fcrlib.intake.export.kinds import Export, Kind, Paging


def prop(*names: str, also: str = "") -> str:
    """Where a property may stand: in the API of today and of yesterday, in a warehouse, in a table of the screen (`also`: its header there)."""
    ways = [f"properties.{name}.value | properties.{name} | property_{name} | properties_{name} | {name}" for name in names]
    return " | ".join([*ways, *([also] if also else [])])


_MOVE = {
    "contact_id": "^id | ^objectId",
    "value": "value",
    "at": "timestamp",
    "source": "sourceType | source",
    "source_id": "sourceId",
    "user": "updatedByUserId",
}
_TICKET = {
    "contact_id": f"id | objectId | {prop('hs_ticket_id', 'hs_object_id', also='ticket id | record id')}",
    "archived": "archived | isDeleted | is_deleted | _fivetran_deleted",
    "opened_at": f"{prop('createdate', also='create date')} | createdAt",
    "updated_at": f"{prop('hs_lastmodifieddate', also='last modified date')} | updatedAt | _fivetran_synced",
    "closed_at": prop("closed_date", also="close date"),
    "last_closed_at": prop("hs_last_closed_date", also="last closed date"),
    "pipeline": prop("hs_pipeline", also="pipeline"),
    "stage": prop("hs_pipeline_stage", also="ticket status"),
    "subject": prop("subject", also="ticket name"),
    "body": prop("content", also="ticket description"),
    "priority": prop("hs_ticket_priority", also="priority"),
    "category": prop("hs_ticket_category", also="category"),
    "channel_raw": prop("source_type", also="source"),
    "owner": prop("hubspot_owner_id", also="ticket owner"),
    "team": prop("hubspot_team_id", also="hubspot team"),
    "customer": "associations.contacts.results[0].id | associated contact ids | associated contact id",
    "account": "associations.companies.results[0].id | associated company ids | associated company id",
    "answered_at": prop("first_agent_reply_date", also="first agent email response date"),
    "answered_after": prop("time_to_first_agent_reply", also="time to first agent email reply"),
    "times_contacted": prop("hs_num_times_contacted", also="number of times contacted"),
    "one_touch": prop("hs_is_one_touch_ticket"),
    "due_at": prop("hs_time_to_close_sla_at", also="time to close sla due date"),
    "closed_in_time": prop("hs_time_to_close_sla_status", also="time to close sla ticket status"),
    "answered_in_time": prop("hs_time_to_first_response_sla_status", also="time to first response sla status"),
    "merged": prop("hs_merged_object_ids", also="merged ticket ids"),
}
_OWN = {
    "account_ref": "account_ref",
    "subcategory": "subcategory",
    "product_area": "product_area",
    "tier": "tier",
    "language": "language",
    "tags": "tags",
}
HISTORY = {"stage": "hs_pipeline_stage", "owner": "hubspot_owner_id", "team": "hubspot_team_id"}
_TICKETS = Kind(
    "tickets",
    _TICKET,
    wrappers=("results", "tickets", "objects"),
    stems=("tickets", "ticket", "hubspot-crm-exports"),
    key=("contact_id",),
    newest="updated_at",
    needed=("contact_id", "opened_at", "stage"),
    texts=("subject", "body"),
    inside=(
        *(Kind(f"{ours}_moves", _MOVE, each=f"propertiesWithHistory.{theirs}[]", needed=("at",)) for ours, theirs in HISTORY.items()),
        *(Kind(f"old_{ours}_moves", _MOVE, each=f"properties.{theirs}.versions[]", needed=("at",)) for ours, theirs in HISTORY.items()),
    ),
)


def _engagement(name: str, **fields: str) -> Kind:
    shared = {"id": "id | engagement_id", "contact_id": "associations.tickets.results[0].id", "at": prop("hs_timestamp"), "owner": prop("hubspot_owner_id"), "gone": "archived | _fivetran_deleted"}  # fmt: skip
    stem = f"engagement_{name.removesuffix('s')}"
    return Kind(
        name,
        {**shared, **fields},
        wrappers=("results", name),
        stems=(name, stem),
        key=("id",),
        texts=tuple(name for name in ("text", "rich") if name in fields),
    )


def _links(name: str, one: str, many: str, **other: str) -> Kind:
    """Which ticket belongs to whom: a table of a warehouse, or what a batch read of associations answers."""
    ((ours, column),) = other.items()
    fields = {"contact_id": "ticket_id | from.id", ours: f"{column} | to[0].toObjectId | to[0].id"}
    ways = [f"{ticket}{between}{whom}" for ticket in ("ticket", "tickets") for between in ("_", "-", "_to_", "-to-") for whom in (one, many)]
    return Kind(name, fields, wrappers=("results",), stems=tuple(ways))


EXPORT = Export(
    "hubspot",
    kinds=(
        _TICKETS,
        Kind(
            "histories",
            {
                "contact_id": "ticket_id",
                "name": "name",
                "value": "value",
                "at": "timestamp_instant | timestamp",
                "source": "source",
                "source_id": "source_id",
            },
            wrappers=("ticket_property_history",),
            stems=("ticket_property_history", "property_history"),
            needed=("contact_id", "name", "at"),
        ),
        Kind(
            "contacts",
            {
                "customer_ref": "id | vid | record id",
                "first": prop("firstname", also="first name"),
                "last": prop("lastname", also="last name"),
                "email": prop("email"),
                "more_emails": prop("hs_additional_emails"),
                "phone": prop("phone", also="phone number"),
                "mobile": prop("mobilephone", also="mobile phone number"),
                "account": prop("associatedcompanyid"),
                "language": prop("hs_language"),
                "merged": prop("hs_merged_object_ids", "hs_calculated_merged_vids"),
                "updated_at": f"{prop('lastmodifieddate')} | updatedAt | _fivetran_synced",
            },
            wrappers=("results", "contacts"),
            stems=("contacts", "contact"),
            key=("customer_ref",),
            newest="updated_at",
        ),
        Kind(
            "owners",
            {
                "owner": "id | owner_id | ownerId",
                "user": "userIdIncludingInactive | userId | active_user_id",
                "email": "email",
                "first": "firstName | first_name",
                "last": "lastName | last_name",
            },
            wrappers=("results", "owners"),
            stems=("owners", "owner"),
            key=("owner",),
            inside=(Kind("memberships", {"owner": "^id", "team": "id", "name": "name", "primary": "primary"}, each="teams[]", needed=("team",)),),
        ),
        Kind("owner_teams", {"owner": "owner_id", "team": "team_id", "primary": "is_team_primary"}, stems=("owner_team", "owner_teams")),
        Kind("teams", {"team": "id", "name": "name"}, wrappers=("results", "teams"), stems=("teams", "team"), key=("team",)),
        Kind(
            "pipelines",
            {"pipeline": "id | pipeline_id", "label": "label"},
            wrappers=("results", "pipelines"),
            stems=("pipelines", "ticket_pipelines", "ticket_pipeline"),
            inside=(
                Kind(
                    "stages",
                    {"pipeline": "^id", "stage": "id | stageId", "label": "label", "closed": "metadata.isClosed", "state": "metadata.ticketState"},
                    each="stages[]",
                    needed=("stage",),
                ),
            ),
        ),
        Kind(
            "stage_rows",
            {"pipeline": "pipeline_id", "stage": "stage_id", "label": "label", "closed": "is_closed", "state": "ticket_state"},
            stems=("ticket_pipeline_stage", "pipeline_stages"),
            needed=("stage",),
        ),
        _links("ticket_contacts", "contact", "contacts", customer="contact_id"),
        _links("ticket_companies", "company", "companies", account="company_id"),
        Kind("ticket_engagements", {"contact_id": "ticket_id", "id": "engagement_id"}, stems=("ticket_engagement", "ticket_engagements")),
        _engagement("emails", direction=prop("hs_email_direction"), text=prop("hs_email_text"), rich=prop("hs_email_html", "hs_body_preview")),
        _engagement("notes", text=prop("hs_note_body", "hs_body_preview")),
        _engagement("calls", duration=prop("hs_call_duration")),
        Kind(
            "threads",
            {
                "thread": "id",
                "contact_id": "threadAssociations.associatedTicketId | associatedTicketId",
                "spam": "spam",
                "customer": "associatedContactId",
            },
            wrappers=("results", "threads"),
            key=("thread",),
        ),
        Kind(
            "messages",
            {
                "id": "id",
                "thread": "conversationsThreadId | threadId",
                "at": "createdAt",
                "type": "type",
                "direction": "direction",
                "sender": "senders[0].actorId | createdBy",
                "channel_id": "channelId",
                "text": "text",
                "rich": "richText",
            },
            wrappers=("results", "messages"),
            key=("id",),
            texts=("text", "rich"),
        ),
        Kind(
            "feedback",
            {
                "id": "id",
                "contact_id": f"associations.tickets.results[0].id | {prop('hs_ticket_id')}",
                "type": prop("hs_survey_type"),
                "survey": prop("hs_survey_id", "hs_survey_name"),
                "value": prop("hs_value"),
                "comment": prop("hs_content"),
                "answered_at": prop("hs_submission_timestamp"),
            },
            wrappers=("results", "feedback_submissions"),
            stems=("feedback_submissions", "feedback"),
            key=("id",),
            texts=("comment",),
        ),
    ),
    paging=Paging(total="total", follows="paging.next.after"),
)


def export(fields: Mapping[str, str]) -> Export:
    """The export with the portal's own properties that hold our columns."""
    return EXPORT.asking({**_OWN, **fields}, way=prop)


CARRIES = Carries(
    "hubspot",
    {
        "contacts.follow_up_of": "no field names the ticket that it follows",
        "contacts.parent_id": "tickets are linked to tickets without saying which one is above",
        "contacts.issue_key": "no field says it",
        "contacts.non_resolvable": "no field says it",
        "contacts.handle_seconds": "working time is not measured",
        "contacts.cost": "tickets have no cost",
        "contacts.currency": "tickets have no cost",
        "contacts.close_reason": "only a closing for silence can be seen",
        "contacts.vendor_reopens": "reopenings are not counted",
        "contacts.vendor_stations": "handovers are not counted",
        "events.seq": "messages and changes stand apart: what came first within one second is not known",
        "surveys.seq": "answers are numbered by time",
        "surveys.offered_at": "only answers are exported",
        "surveys.resolved": "no survey of its own asks it",
        "customers": "it is no list of customers",
        "changes": "it keeps no log of what the company changed",
        "articles": "the knowledge base is not exported with the tickets",
        "agents.skills": "skills are not exported",
        "agents.hired_at": "only when the account was made",
    },
)
CHANNELS = {
    **words.CHANNEL_WORDS,
    "fb_messenger": "messaging",
    "facebook messenger": "messaging",
    "custom_channel": "other",
}
CHANNEL_IDS = {"1000": "chat", "1001": "messaging", "1002": "email", "1007": "messaging"}
"""Numbers of HubSpot's own channels; others keep the ticket's."""
DEFAULT_STAGES = (("0", "1", "new"), ("0", "2", "pending"), ("0", "3", "open"), ("0", "4", "closed"))
"""The pipeline that every portal is born with; elsewhere the same number may mean anything."""
BROKEN = r"^[14]$|OVERDUE|LATE|MISSED|BREACHED"
KEPT = r"^3$|ON.TIME|COMPLETED|^MET$"
PROMISED = rf"{BROKEN}|{KEPT}|^[02]$|ACTIVE|DUE"
"""A promise is active (0), overdue (1), soon due (2), kept (3) or kept too late (4); tables write it in words."""
BOTS = ("BOT",)
PEOPLE = ("CRM_UI", "CRM_UI_BULK_ACTION", "MOBILE_IOS", "MOBILE_ANDROID", "HELP_DESK", "CONTACTS_WEB", "SALES", "EXTENSION")
MACHINES = (
    "AUTOMATION_PLATFORM", "WORKFLOWS", "AUTOMATION_JOURNEY", "API", "INTEGRATION", "INTEGRATIONS_PLATFORM", "INTEGRATIONS_SYNC", "IMPORT",
    "MIGRATION", "CALCULATED", "MERGE_OBJECTS", "FORM", "EMAIL", "EMAIL_INTEGRATION", "CONVERSATIONS", "BACKFILL", "INTERNAL_PROCESSING",
)  # fmt: skip
"""Where a change came from: the hands of people, machines; what is in neither list and names no user is a machine's."""
