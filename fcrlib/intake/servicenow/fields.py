"""Which fields do the tables of a ServiceNow instance hold, and what can they not tell?"""

from __future__ import annotations

from fcrlib.intake.canonical.carries import Carries
from fcrlib.intake.export.kinds import Export, Kind


def _plain(*names: str) -> str:
    """A field as the interface gives it (a value, or a value with what the screen shows) and under the other names it has."""
    return " | ".join(path for name in names for path in (f"{name}.value", name))


def _reference(ours: str, *names: str) -> dict[str, str]:
    """A field that points at a record elsewhere: the record's id, else a link that ends in it, and what the screen shows."""
    return {
        ours: " | ".join(path for name in names for path in (f"{name}.value", f"{name}_value", name)),
        f"{ours}_link": " | ".join(f"{name}.link" for name in names),
        f"{ours}_shown": " | ".join(f"{name}.display_value" for name in names),
    }


REFERENCES = ("caller", "opener", "group", "agent", "resolver", "account", "parent", "problem", "item")
EXPORT = Export(
    "servicenow",
    kinds=(
        Kind(
            "tickets",
            {
                "sys_id": _plain("sys_id"),
                "contact_id": _plain("number", "task_effective_number", "sys_id"),
                "opened_at": _plain("opened_at", "opened", "sys_created_on"),
                "created_at": _plain("sys_created_on"),
                "updated_at": _plain("sys_updated_on", "updated"),
                "state": _plain("incident_state", "ident_state", "state"),
                "hold_reason": _plain("hold_reason", "on_hold_reason"),
                "table": _plain("sys_class_name", "task_type"),
                **_reference("caller", "caller_id", "caller", "contact", "consumer"),
                **_reference("opener", "opened_by"),
                **_reference("group", "assignment_group"),
                **_reference("agent", "assigned_to"),
                **_reference("resolver", "resolved_by", "closed_by"),
                **_reference("account", "company", "account"),
                **_reference("parent", "parent_incident", "parent"),
                **_reference("problem", "problem_id", "problem"),
                **_reference("item", "cmdb_ci", "configuration_item", "business_service"),
                "channel_raw": _plain("contact_type", "channel"),
                "category": _plain("category"),
                "subcategory": _plain("subcategory"),
                "priority": _plain("priority"),
                "subject": _plain("short_description"),
                "body": _plain("description"),
                "reopens": _plain("reopen_count"),
                "stations": _plain("reassignment_count"),
                "close_reason": _plain("close_code", "resolution_code"),
                "resolved_at": _plain("resolved_at", "resolved"),
                "closed_at": _plain("closed_at", "closed"),
                "worked": _plain("time_worked"),
                "deleted": "_fivetran_deleted",
                "url": "caller_id.link | assignment_group.link | opened_by.link",
            },
            wrappers=("result", "incident"),
            stems=("incident", "incidents", "task", "sn_customerservice_case", "export"),
            needed=("contact_id", "opened_at", "state"),
            texts=("subject", "body"),
        ),
        Kind(
            "audit",
            {
                "id": _plain("sys_id"),
                "ticket": _plain("documentkey"),
                "table": _plain("tablename"),
                "field": _plain("fieldname"),
                "before": _plain("oldvalue"),
                "value": _plain("newvalue"),
                "who": _plain("user", "sys_created_by"),
                "at": _plain("sys_created_on"),
                "together": _plain("record_checkpoint"),
            },
            wrappers=("result", "sys_audit"),
            key=("id",),
            needed=("ticket", "field", "at"),
        ),
        Kind(
            "journal",
            {
                "id": _plain("sys_id"),
                "ticket": _plain("element_id"),
                "element": _plain("element"),
                "text": _plain("value"),
                "who": _plain("sys_created_by"),
                "at": _plain("sys_created_on"),
            },
            wrappers=("result", "sys_journal_field"),
            key=("id",),
            needed=("ticket", "element", "at"),
            texts=("text",),
        ),
        Kind(
            "spans",
            {
                "id": _plain("sys_id"),
                **_reference("ticket", "id"),
                **_reference("definition", "definition"),
                "field": _plain("field"),
                "value": _plain("field_value", "value"),
                "at": _plain("start"),
                "updated_at": _plain("sys_updated_on"),
            },
            wrappers=("result", "metric_instance"),
            key=("id",),
            newest="updated_at",
            needed=("ticket", "at"),
        ),
        Kind(
            "definitions",
            {"definition": _plain("sys_id"), "field": _plain("field"), "name": _plain("name")},
            wrappers=("result", "metric_definition"),
            key=("definition",),
        ),
        Kind(
            "promises",
            {
                "id": _plain("sys_id"),
                **_reference("ticket", "task"),
                "stage": _plain("stage"),
                "breached": _plain("has_breached"),
                "updated_at": _plain("sys_updated_on"),
            },
            wrappers=("result", "task_sla"),
            stems=("task_sla", "incident_sla"),
            key=("id",),
            newest="updated_at",
        ),
        Kind(
            "users",
            {
                "user_id": _plain("sys_id"),
                "login": _plain("user_name"),
                "name": _plain("name"),
                "email": _plain("email"),
                "phone": _plain("phone"),
                "mobile": _plain("mobile_phone"),
                "roles": _plain("roles"),
                **_reference("company", "company"),
                "updated_at": _plain("sys_updated_on"),
            },
            wrappers=("result", "sys_user"),
            key=("user_id",),
            newest="updated_at",
        ),
        Kind(
            "devices",
            {**_reference("customer_ref", "user"), "email": _plain("email_address"), "phone": _plain("phone_number")},
            wrappers=("result", "cmn_notif_device"),
        ),
        Kind("groups", {"id": _plain("sys_id"), "name": _plain("name")}, wrappers=("result", "sys_user_group"), key=("id",)),
        Kind("items", {"id": _plain("sys_id"), "name": _plain("name")}, wrappers=("result", "cmdb_ci"), stems=("cmdb_ci",), key=("id",)),
        Kind(
            "choices",
            {"table": _plain("name"), "field": _plain("element"), "value": _plain("value"), "label": _plain("label"), "language": _plain("language")},
            wrappers=("result", "sys_choice"),
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
