"""Which fields do a Salesforce org's cases hold, and what can they not tell?"""

from __future__ import annotations

from fcrlib.intake.canonical import words
from fcrlib.intake.canonical.carries import Carries
from fcrlib.intake.export.kinds import Export, Kind, Paging


def _of(kind: str) -> tuple[str, str]:
    """Every record of a query says of which kind it is."""
    return ("attributes.type", kind)


_WHO = "CreatedById | CreatedBy.Id"
_HISTORY = {
    "field": "Field | Field / Event",
    "before": "OldValue",
    "value": "NewValue",
    "who": f"{_WHO} | Edited By",
    "at": "CreatedDate | Edit Date",
}
_DELETED = "IsDeleted | _fivetran_deleted"
_COMMENT = {"text": "CommentBody", "public": "IsPublished", "who": _WHO, "at": "CreatedDate", "deleted": _DELETED}
_EMAIL = {
    "incoming": "Incoming",
    "sender": "FromAddress",
    "text": "TextBody",
    "rich": "HtmlBody",
    "state": "Status",
    "who": _WHO,
    "at": "MessageDate | CreatedDate",
    "deleted": _DELETED,
}
EXPORT = Export(
    "salesforce",
    kinds=(
        Kind(
            "cases",
            {
                "id": "Id | Case ID",
                "contact_id": "CaseNumber | Case Number | Id",
                "opened_at": "CreatedDate | Date/Time Opened | Opened Date",
                "closed_at": "ClosedDate | Date/Time Closed | Closed Date",
                "updated_at": "SystemModstamp | LastModifiedDate",
                "status": "Status",
                "is_closed": "IsClosed | Closed",
                "at_once": "IsClosedOnCreate | Closed When Created",
                "deleted": _DELETED,
                "master": "MasterRecordId",
                "parent": "ParentId",
                "contact": "ContactId | Contact.Id | Contact ID",
                "supplied_email": "SuppliedEmail | Web Email",
                "supplied_phone": "SuppliedPhone | Web Phone",
                "contact_name": "Contact.Name | Contact Name",
                "contact_email": "Contact.Email | ContactEmail | Contact Email",
                "contact_phone": "Contact.Phone | ContactPhone | Contact Phone",
                "account_ref": "AccountId | Account.Id | Account ID",
                "channel_raw": "Origin | Case Origin",
                "owner": "OwnerId | Owner.Id | Case Owner | Owner.Name",
                "category": "Type | Case Type",
                "subcategory": "Reason | Case Reason",
                "product_area": "Product__c | Product.Name | ProductId",
                "priority": "Priority",
                "language": "Language",
                "subject": "Subject",
                "body": "Description",
                "url": "url",
            },
            wrappers=("records", "cases", "case"),
            stems=("case", "cases", "report"),
            tell=_of("Case"),
            needed=("contact_id", "opened_at", "status"),
            texts=("subject", "body"),
            inside=(
                Kind("inner_histories", {"case": "^Id", **_HISTORY}, each="Histories.records[]", needed=("field",)),
                Kind("inner_comments", {"case": "^Id", **_COMMENT}, each="CaseComments.records[]", needed=("at",), texts=("text",)),
                Kind("inner_emails", {"case": "^Id", **_EMAIL}, each="EmailMessages.records[]", needed=("at",), texts=("text", "rich")),
            ),
        ),
        Kind(
            "histories",
            {"id": "Id", "case": "CaseId | Case ID", "number": "Case Number", **_HISTORY},
            wrappers=("records", "case_history"),
            stems=("casehistory", "case_history"),
            tell=_of("CaseHistory"),
            key=("id",),
            needed=("field", "at"),
        ),
        Kind(
            "comments",
            {"id": "Id", "case": "ParentId", **_COMMENT},
            wrappers=("records", "case_comment"),
            stems=("casecomment", "case_comment"),
            tell=_of("CaseComment"),
            key=("id",),
            needed=("case", "at"),
            texts=("text",),
        ),
        Kind(
            "emails",
            {"id": "Id", "case": "ParentId | RelatedToId", **_EMAIL},
            wrappers=("records", "email_message"),
            stems=("emailmessage", "email_message"),
            tell=_of("EmailMessage"),
            key=("id",),
            needed=("case", "at"),
            texts=("text", "rich"),
        ),
        Kind(
            "milestones",
            {
                "id": "Id",
                "case": "CaseId",
                "type": "MilestoneTypeId",
                "title": "MilestoneType.Name | Milestone",
                "due": "TargetDate",
                "violated": "IsViolated",
                "completed": "IsCompleted",
                "done": "CompletionDate",
                "deleted": _DELETED,
            },
            wrappers=("records", "case_milestone"),
            stems=("casemilestone", "case_milestone"),
            tell=_of("CaseMilestone"),
            key=("id",),
            needed=("case",),
        ),
        Kind(
            "milestone_types",
            {"type": "Id", "name": "Name"},
            wrappers=("records", "milestone_type"),
            stems=("milestonetype", "milestone_type"),
            tell=_of("MilestoneType"),
            key=("type",),
        ),
        Kind(
            "statuses",
            {"label": "MasterLabel", "name": "ApiName", "is_closed": "IsClosed"},
            wrappers=("records", "case_status"),
            stems=("casestatus", "case_status"),
            tell=_of("CaseStatus"),
        ),
        Kind(
            "people",
            {
                "name": "Name",
                "first": "FirstName",
                "last": "LastName",
                "id": "Id",
                "email": "Email",
                "phone": "Phone",
                "mobile": "MobilePhone",
                "account": "AccountId",
            },
            wrappers=("records", "contact"),
            stems=("contact", "contacts"),
            tell=_of("Contact"),
            key=("id",),
        ),
        Kind(
            "users",
            {"id": "Id", "name": "Name", "type": "UserType", "contact": "ContactId", "username": "Username"},
            wrappers=("records", "user"),
            stems=("user", "users"),
            tell=_of("User"),
            key=("id",),
        ),
        Kind(
            "groups",
            {"id": "Id", "name": "Name | DeveloperName", "type": "Type"},
            wrappers=("records", "group"),
            stems=("group", "groups", "queue"),
            tell=_of("Group"),
            key=("id",),
        ),
    ),
    paging=Paging(total="totalSize", follows="nextRecordsUrl", last="done"),
    host="url",
)
CARRIES = Carries(
    "salesforce",
    {
        "contacts.tier": "it stands in a field of the account that every org names itself",
        "contacts.tags": "topics are records of their own",
        "contacts.close_reason": "only a closing for silence can be seen",
        "contacts.follow_up_of": "a later case has a parent at most",
        "contacts.issue_key": "incidents and problems are records of their own",
        "contacts.is_spam": "no field says it",
        "contacts.is_test": "no field says it",
        "contacts.is_internal": "no field says it",
        "contacts.is_side_conversation": "no field says it",
        "contacts.is_abandoned": "calls are counted elsewhere",
        "contacts.non_resolvable": "no field says it",
        "contacts.handle_seconds": "working time stands in packages that every org chooses itself",
        "contacts.talk_seconds": "calls are tasks of their own",
        "contacts.wait_seconds": "no field says it",
        "contacts.cost": "cases have no cost",
        "contacts.currency": "cases have no cost",
        "contacts.vendor_reopens": "it does not count them",
        "contacts.vendor_replies": "it does not count them",
        "contacts.vendor_stations": "it does not count them",
        "events.seq": "changes, comments and e-mails stand apart: what came first within one second is not known",
        "events.article_id": "attached articles are records of their own",
        "surveys": "answers stand in objects of the survey tool",
        "customers": "it is no list of customers",
        "articles": "attached articles are records of their own",
        "changes": "it keeps no log of what the company changed",
        "agents.skills": "skills belong to routing, which is not exported",
        "agents.group": "a user may take from several queues",
        "agents.hired_at": "only when the account was made",
    },
)
STATUSES = {**words.STATUS_WORDS, "waiting on customer": "pending", "awaiting customer": "pending", "closed when created": "closed"}
CHANNELS = {
    **words.CHANNEL_WORDS,
    "email2case": "email",
    "community": "web",
    "experience cloud": "web",
    "embedded service": "chat",
    "facebook": "social",
}
