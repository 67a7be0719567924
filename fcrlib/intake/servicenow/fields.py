"""Which fields do the tables of a ServiceNow instance hold, and what can they not tell?"""

from __future__ import annotations

from fcrlib.intake.canonical.carries import Carries
from fcrlib.intake.export.kinds import Export, Kind


def plain(*names: str) -> str:
    """A field as the interface gives it (a value, or a value with what the screen shows) and under the other names it has."""
    return " | ".join(path for name in names for path in (f"{name}.value", name))


def _reference(ours: str, *names: str) -> dict[str, str]:
    """A field that points at a record elsewhere: the record's id, else a link that ends in it, and what the screen shows."""
    return {
        ours: " | ".join(path for name in names for path in (f"{name}.value", f"{name}_value", name)),
        f"{ours}_link": " | ".join(f"{name}.link" for name in names),
        f"{ours}_shown": " | ".join(f"{name}.display_value" for name in names),
    }


_LISTS = ("result", "records")
"""What the interface and a list write above their rows."""
REFERENCES = ("caller", "opener", "group", "agent", "resolver", "account", "parent", "problem", "item")
EXPORT = Export(
    "servicenow",
    kinds=(
        Kind(
            "tickets",
            {
                "sys_id": plain("sys_id"),
                "contact_id": plain("number", "task_effective_number", "sys_id"),
                "opened_at": plain("opened_at", "opened", "sys_created_on"),
                "created_at": plain("sys_created_on"),
                "updated_at": plain("sys_updated_on", "updated"),
                "state": plain("incident_state", "ident_state", "state"),
                "hold_reason": plain("hold_reason", "on_hold_reason"),
                "table": plain("sys_class_name", "task_type"),
                **_reference("caller", "caller_id", "caller", "contact", "consumer"),
                **_reference("opener", "opened_by"),
                **_reference("group", "assignment_group"),
                **_reference("agent", "assigned_to"),
                **_reference("resolver", "resolved_by", "closed_by"),
                **_reference("account", "company", "account"),
                **_reference("parent", "parent_incident", "parent"),
                **_reference("problem", "problem_id", "problem"),
                **_reference("item", "cmdb_ci", "configuration_item", "business_service"),
                "channel_raw": plain("contact_type", "channel"),
                "category": plain("category"),
                "subcategory": plain("subcategory"),
                "priority": plain("priority"),
                "subject": plain("short_description"),
                "body": plain("description"),
                "reopens": plain("reopen_count"),
                "stations": plain("reassignment_count"),
                "close_reason": plain("close_code", "resolution_code"),
                "resolved_at": plain("resolved_at", "resolved"),
                "closed_at": plain("closed_at", "closed"),
                "worked": plain("time_worked"),
                "made": plain("made_sla"),
                "deleted": "_fivetran_deleted",
                "url": "caller_id.link | assignment_group.link | opened_by.link",
            },
            wrappers=(*_LISTS, "incident"),
            stems=("incident", "incidents", "task", "sn_customerservice_case", "export"),
            needed=("contact_id", "opened_at", "state"),
            texts=("subject", "body"),
        ),
        Kind(
            "audit",
            {
                "id": plain("sys_id"),
                "ticket": plain("documentkey"),
                "table": plain("tablename"),
                "field": plain("fieldname"),
                "before": plain("oldvalue"),
                "value": plain("newvalue"),
                "who": plain("user", "sys_created_by"),
                "at": plain("sys_created_on"),
                "together": plain("record_checkpoint"),
            },
            wrappers=(*_LISTS, "sys_audit"),
            key=("id",),
            needed=("ticket", "field", "at"),
        ),
        Kind(
            "journal",
            {
                "id": plain("sys_id"),
                "ticket": plain("element_id"),
                "element": plain("element"),
                "text": plain("value"),
                "who": plain("sys_created_by"),
                "at": plain("sys_created_on"),
            },
            wrappers=(*_LISTS, "sys_journal_field"),
            key=("id",),
            needed=("ticket", "element", "at"),
            texts=("text",),
        ),
        Kind(
            "spans",
            {
                "id": plain("sys_id"),
                **_reference("ticket", "id"),
                **_reference("definition", "definition"),
                "field": plain("field"),
                "value": plain("field_value", "value"),
                "shown": plain("value"),
                "at": plain("start"),
                "updated_at": plain("sys_updated_on"),
            },
            wrappers=(*_LISTS, "metric_instance"),
            key=("id",),
            newest="updated_at",
            needed=("ticket", "at"),
        ),
        Kind(
            "definitions",
            {"definition": plain("sys_id"), "field": plain("field"), "name": plain("name")},
            wrappers=(*_LISTS, "metric_definition"),
            key=("definition",),
        ),
        Kind(
            "promises",
            {
                "id": plain("sys_id"),
                **_reference("ticket", "task"),
                **_reference("agreement", "sla", "sla_definition"),
                "target": plain("sla.target", "target"),
                "stage": plain("stage"),
                "breached": plain("has_breached"),
                "due": plain("planned_end_time", "breach_time"),
                "updated_at": plain("sys_updated_on"),
            },
            wrappers=(*_LISTS, "task_sla"),
            stems=("task_sla", "incident_sla"),
            key=("id",),
            newest="updated_at",
        ),
        Kind(
            "agreements",
            {"agreement": plain("sys_id"), "title": plain("name"), "goal": plain("target")},
            wrappers=(*_LISTS, "contract_sla"),
            key=("agreement",),
        ),
        Kind(
            "users",
            {
                "user_id": plain("sys_id"),
                "login": plain("user_name"),
                "name": plain("name"),
                "email": plain("email"),
                "phone": plain("phone"),
                "mobile": plain("mobile_phone"),
                "roles": plain("roles"),
                **_reference("company", "company"),
                "updated_at": plain("sys_updated_on"),
            },
            wrappers=(*_LISTS, "sys_user"),
            key=("user_id",),
            newest="updated_at",
        ),
        Kind(
            "devices",
            {**_reference("customer_ref", "user"), "email": plain("email_address"), "phone": plain("phone_number")},
            wrappers=(*_LISTS, "cmn_notif_device"),
        ),
        Kind("groups", {"id": plain("sys_id"), "name": plain("name")}, wrappers=(*_LISTS, "sys_user_group"), key=("id",)),
        Kind("items", {"id": plain("sys_id"), "name": plain("name")}, wrappers=(*_LISTS, "cmdb_ci"), stems=("cmdb_ci",), key=("id",)),
        Kind(
            "choices",
            {"table": plain("name"), "field": plain("element"), "value": plain("value"), "label": plain("label"), "language": plain("language")},
            wrappers=(*_LISTS, "sys_choice"),
        ),
    ),
    host="url",
)
CARRIES = Carries(
    "servicenow",
    {
        "contacts.tier": "no field says it",
        "contacts.language": "only the language of a person's screen",
        "contacts.tags": "labels belong to whoever set them",
        "contacts.initiated_by": "an incident opened for a caller looks the same whoever called whom",
        "contacts.merged_into": "incidents are not merged: a duplicate gets a parent",
        "contacts.follow_up_of": "a reopened incident is the same one, a later one names none before it",
        "contacts.is_spam": "no field says it",
        "contacts.is_test": "no field says it",
        "contacts.is_internal": "callers are the company's own staff as a rule",
        "contacts.is_side_conversation": "no field says it",
        "contacts.is_abandoned": "calls are counted elsewhere",
        "contacts.non_resolvable": "no field says it",
        "contacts.talk_seconds": "calls are counted elsewhere",
        "contacts.wait_seconds": "calls are counted elsewhere",
        "contacts.cost": "incidents have no cost",
        "contacts.currency": "incidents have no cost",
        "contacts.vendor_replies": "it does not count them",
        "events.seq": "changes and comments stand apart: what came first within one second is not known",
        "events.channel": "a comment does not say how it came",
        "events.article_id": "knowledge is attached in a table that is not read",
        "surveys": "answers stand in assessment tables whose scales differ by survey",
        "customers": "it is no list of customers",
        "articles": "knowledge is attached in a table that is not read",
        "changes": "changes of the company are requests of their own, not what support changed",
        "agents.skills": "skills belong to routing, which is not exported",
        "agents.group": "a person may be in several groups",
        "agents.hired_at": "only when the account was made",
    },
)
