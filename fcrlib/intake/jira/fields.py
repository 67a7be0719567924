"""Which fields does a Jira Service Management export hold, and what can it not tell?"""

from __future__ import annotations

from fcrlib.intake.canonical import words
from fcrlib.intake.canonical.carries import Carries
from fcrlib.intake.export.kinds import Export, Kind, Paging


def _person(ours: str, place: str, *alone: str) -> dict[str, str]:
    """Who somebody is, by the name of the cloud (accountId), of an own server (key, name), or an id alone."""
    ids = (f"{place}.accountId", f"{place}.key", f"{place}.name", *alone)
    return {
        ours: " | ".join(ids),
        f"{ours}_name": f"{place}.displayName",
        f"{ours}_email": f"{place}.emailAddress",
        f"{ours}_type": f"{place}.accountType",
    }


_ITEM = {
    "field": "field",
    "field_id": "fieldId",
    "before": "from",
    "before_text": "fromString",
    "value": "to",
    "value_text": "toString",
}
_COMMENT = {
    "id": "id",
    **_person("author", "author", "author_id"),
    "text": "body",
    "at": "created",
    "public": "jsdPublic | public | is_public",
    "limited": "visibility.value",
}
_CYCLE = {
    "started": "startTime.epochMillis | startTime.iso8601 | startTime",
    "stopped": "stopTime.epochMillis | stopTime.iso8601 | stopTime",
    "breached": "breached",
    "due": "breachTime.epochMillis | breachTime.iso8601 | breachTime",
    "goal": "goalDuration.millis",
    "took": "elapsedTime.millis",
}
_VALUE = "value.requestType.name | value.value | value.name | value.displayName | value[0].name | value[0].value | value[0] | value"


def _cycles(before: str, *, name: str, inside: str, field: str, issue: str) -> tuple[Kind, ...]:
    common = {"issue": issue, "field": field, "name": name, **_CYCLE}
    return (
        Kind(f"{before}_done", common, each=f"{inside}completedCycles[]"),
        Kind(f"{before}_running", common, each=f"{inside}ongoingCycle[]"),
    )


NAMED = {
    "category": ("request type", "customer request type"), "subcategory": ("subcategory",), "product_area": ("product area",), "tier": ("tier",),
    "language": ("request language",), "account": ("organizations", "organisation", "organization"), "way": ("request channel", "channel"),
    "group": ("team", "group", "support group", "assignment group"), "rated": ("satisfaction date",),
}  # fmt: skip
"""Our columns that stand in custom fields, and what those are called; their ids differ from site to site."""


def in_tables(*names: str) -> str:
    """The headers of custom fields in a table of the issue search."""
    return " | ".join(f"Custom field ({name})" for name in names)


EXPORT = Export(
    "jira",
    kinds=(
        Kind(
            "issues",
            {
                "issue": "id | Issue id",
                "contact_id": "key | Issue key",
                "url": "self",
                "opened_at": "fields.created | created",
                "updated_at": "fields.updated | updated",
                "subject": "fields.summary | summary",
                "body": "fields.description | description",
                "status": "fields.status.name | status",
                "status_id": "fields.status.id",
                "stage": "fields.status.statusCategory.key | status category | status.statusCategory.key",
                "resolution": "fields.resolution.name | resolution",
                "resolved_at": "fields.resolutiondate | resolutiondate | resolved",
                "priority": "fields.priority.name | priority",
                "kind": "fields.issuetype.name | issue type | issue_type",
                **_person("reporter", "fields.reporter", "reporter id", "reporter"),
                **_person("creator", "fields.creator", "creator id", "creator"),
                **_person("assignee", "fields.assignee", "assignee id", "assignee"),
                "labels": "fields.labels | labels",
                "components": "fields.components[0].name | components | component/s",
                "talk": "Comment",
                "parent": "fields.parent.key | parent key | parent_id",
                "spent": "fields.timespent | fields.aggregatetimespent | time_spent | time spent",
                "histories": "changelog.total",
                "comments": "fields.comment.total",
                "request_type": in_tables("request type", "customer request type"),
                **{f"tabled_{ours}": in_tables(*theirs) for ours, theirs in NAMED.items()},
                "satisfaction": "Custom field (Satisfaction) | Satisfaction rating",
                "deleted": "_fivetran_deleted",
            },
            stems=("issues", "issue", "search", "export"),
            many=("labels", "components", "talk"),
            key=("issue",),
            newest="updated_at",
            needed=("contact_id", "opened_at", "status"),
            texts=("subject", "body"),
            inside=(
                Kind(
                    "changes",
                    {"issue": "^^id | ^^key", "history": "^id", "at": "^created", **_person("author", "^author"), **_ITEM},
                    each="changelog.histories[].items[]",
                ),
                Kind("written", {"issue": "^id | ^key", "order": "id", **_COMMENT}, each="fields.comment.comments[]", texts=("text",)),
                Kind("worklogs", {"issue": "^id | ^key", "seconds": "timeSpentSeconds"}, each="fields.worklog.worklogs[]", needed=("seconds",)),
                Kind(
                    "links",
                    {
                        "issue": "^id | ^key",
                        "kind": "type.name",
                        "outward": "type.outward",
                        "to": "outwardIssue.key",
                        "inward": "type.inward",
                        "by": "inwardIssue.key",
                    },
                    each="fields.issuelinks[]",
                ),
                Kind("traits", {"issue": "^id | ^key", "field": "key", "value": "value.value | value"}, each="properties{}", needed=("value",)),
                Kind("titles", {"field": "key", "title": "value"}, each="names{}"),
                Kind(
                    "values",
                    {
                        "issue": "^id | ^key",
                        "field": "key",
                        "value": _VALUE,
                        "rating": "value.rating",
                        "remark": "value.comment.body | value.comment",
                    },
                    each="fields{customfield_}",
                    needed=("value",),
                    texts=("remark",),
                    inside=_cycles("sla", name="^value.name", inside="value.", field="^key", issue="^^id | ^^key"),
                ),
            ),
        ),
        Kind(
            "histories",
            {"issue": "issueId | issue_id", "at": "created", "first": "items[0].field"},
            wrappers=("changelogs", "issue_changelogs", "values"),
            stems=("changelogs", "issue_changelogs", "changelog"),
            needed=("at", "first"),
            inside=(
                Kind(
                    "logged",
                    {"issue": "^issueId | ^issue_id", "history": "^id", "at": "^created", **_person("author", "^author"), **_ITEM},
                    each="items[]",
                ),
            ),
        ),
        Kind(
            "bulk",
            {"issue": "issueId"},
            wrappers=("issueChangeLogs",),
            inside=(
                Kind(
                    "logged_in_bulk",
                    {"issue": "^^issueId", "history": "^id", "at": "^created", **_person("author", "^author"), **_ITEM},
                    each="changeHistories[].items[]",
                ),
            ),
        ),
        Kind(
            "comments",
            {"issue": "issueId | issue_id", "link": "self | _links.self", **_COMMENT},
            wrappers=("comments", "issue_comments"),
            stems=("comments", "comment", "issue_comments"),
            key=("id",),
            needed=("author", "at"),
            texts=("text",),
        ),
        Kind(
            "promises",
            {"issue": "issueId | issueKey", "link": "_links.self", "name": "name"},
            wrappers=("values", "sla"),
            stems=("sla", "slas", "request_slas"),
            needed=("name", "link"),
            inside=_cycles("promised", name="^name", inside="", field="^id", issue="^issueId | ^issueKey | ^_links.self"),
        ),
        Kind(
            "feedback",
            {
                "issue": "issueId | issueKey | issue_id",
                "link": "self | _links.self",
                "rating": "rating",
                "remark": "comment.body | comment",
                "at": "createdDate | created",
            },
            needed=("rating",),
            texts=("remark",),
        ),
        Kind(
            "users",
            {
                "author": "accountId | key | id",
                "author_name": "displayName | name",
                "author_email": "emailAddress | email",
                "author_type": "accountType",
                "locale": "locale",
            },
            wrappers=("users", "customers"),
            stems=("users", "user", "customers"),
            key=("author",),
        ),
        Kind(
            "agents",
            {"author": "accountId | key | name", "author_name": "displayName"},
            stems=("agents", "group_members", "service_desk_agents"),
            key=("author",),
        ),
        Kind(
            "statuses",
            {"status_id": "id", "name": "name", "stage": "statusCategory.key", "stage_id": "status_category_id"},
            stems=("statuses", "status"),
            key=("status_id",),
        ),
        Kind("fields", {"field": "id", "title": "name"}, stems=("fields", "field"), key=("field",)),
        Kind("stages", {"id": "id", "name": "name"}, stems=("status_category", "status_categories"), key=("id",)),
        Kind("kinds", {"id": "id", "name": "name"}, stems=("issue_type", "issue_types"), key=("id",)),
        Kind("priorities", {"id": "id", "name": "name"}, stems=("priorities", "priority"), key=("id",)),
        Kind("resolutions", {"id": "id", "name": "name"}, stems=("resolutions", "resolution"), key=("id",)),
        Kind(
            "field_values",
            {"field": "field_id", "issue": "issue_id", "at": "time", "value": "value", "author": "author_id"},
            stems=("issue_field_history",),
            needed=("field", "issue", "at"),
        ),
        Kind("related", {"issue": "issue_id", "to": "related_issue_id", "outward": "relationship"}, stems=("issue_link",), needed=("issue", "to")),
    ),
    paging=Paging(total="total", start="startAt", follows="nextPageToken", last="isLast"),
    host="url",
)
CARRIES = Carries(
    "jira",
    {
        "contacts.follow_up_of": "issues are linked, but no link says that one follows up another",
        "contacts.is_deleted": "a deleted issue is not exported",
        "contacts.non_resolvable": "only a resolution such as Declined says it",
        "contacts.talk_seconds": "calls are no part of it",
        "contacts.cost": "issues have no cost",
        "contacts.currency": "issues have no cost",
        "contacts.vendor_replies": "replies are not counted",
        "contacts.vendor_stations": "handovers are not counted",
        "contacts.vendor_one_touch": "it is not counted",
        "events.seq": "comments stand apart from changes: what came first within one second is not known",
        "events.article_id": "articles stand in a product of their own",
        "surveys.offered_at": "only answers are kept",
        "surveys.seq": "only the last answer is kept",
        "surveys.resolved": "a rating is a number of 1 to 5",
        "surveys.ces": "a rating is a number of 1 to 5",
        "surveys.nps": "a rating is a number of 1 to 5",
        "articles": "articles stand in a product of their own",
        "customers": "it does not say who has left",
        "changes": "it keeps no log of what the company changed",
        "agents.group": "only the issues have a team",
        "agents.skills": "skills are not kept",
        "agents.hired_at": "it is not said",
    },
)
STAGES = {"new": "new", "indeterminate": "open", "done": "solved", "to do": "new", "in progress": "open", "2": "new", "4": "open", "3": "solved"}
"""The three categories of statuses, by key, name and number."""
WITHIN = {"new": ("new", "open", "pending"), "open": ("open", "pending", "hold"), "solved": ("solved", "closed")}
"""What the name of a status may make of its category: a name alone never says that something is done."""
STATUSES = {
    **words.STATUS_WORDS,
    **dict.fromkeys(("waiting for reporter", "awaiting response", "customer responded to"), "pending"),
    **dict.fromkeys(("declined", "rejected", "won't do", "withdrawn", "duplicate"), "closed"),
}
CHANNELS = {
    **words.CHANNEL_WORDS,
    "jira": "other",
    "agent": "other",
    "anonymous": "web",
    "customer portal": "web",
    "slack": "messaging",
    "teams": "messaging",
}
