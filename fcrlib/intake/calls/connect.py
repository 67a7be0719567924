"""What do the contact records of Amazon Connect say?

One record per contact, and a transfer, a callback or a survey flow is a new one that names the first (`InitialContactId`): they are one call. A record
is delivered at least once, and again when it changes: the one with the latest `LastUpdateTimestamp` counts. A stream writes them one behind the other,
often without a line between.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

import polars as pl

from fcrlib.intake.canonical import instants, typed, words
from fcrlib.intake.canonical.told import Told
from fcrlib.intake.export.kinds import Export, Kind
from fcrlib.intake.export.records import Records
from fcrlib.model.desk import Dropped

NAME = "Amazon Connect"
EXPORT = Export(
    "calls",
    (
        Kind(
            "contact_records",
            {
                "leg": "ContactId | Contact ID",
                "first": "InitialContactId | Initial contact ID",
                "before": "PreviousContactId | Previous contact ID",
                "related": "RelatedContactId | Related contact ID",
                "channel_raw": "Channel",
                "method": "InitiationMethod | Initiation method",
                "begun": "InitiationTimestamp | Initiation timestamp",
                "ended": "DisconnectTimestamp | Disconnect timestamp",
                "updated": "LastUpdateTimestamp",
                "queued": "Queue.EnqueueTimestamp",
                "group": "Queue.Name | Queue.ARN | Queue",
                "agent": "Agent.Username | Agent.ARN | Agent",
                "answered": "Agent.ConnectedToAgentTimestamp | Connected to agent timestamp",
                "talk": "Agent.AgentInteractionDuration | Agent interaction duration",
                "hold": "Agent.CustomerHoldDuration",
                "wrap": "Agent.AfterContactWorkDuration | After contact work duration",
                "endpoint": "CustomerEndpoint.Address | Customer phone number | Phone number",
                "kind_of_endpoint": "CustomerEndpoint.Type",
                "external": "CustomerId",
                "instance": "InstanceARN",
            },
            wrappers=("contact_records", "Contacts", "contacts", "Records"),
            stems=("contact", "ctr"),
            key=("leg",),
            newest="updated",
            needed=("leg", "begun"),
            inside=(Kind("attributes", {"leg": "^ContactId", "name": "key", "value": "value"}, each="Attributes{}", needed=("value",)),),
        ),
    ),
)
_CHANNELS = {**words.CHANNEL_WORDS, "task": "other", "chat": "chat", "voice": "phone", "email": "email"}
_DIRECTIONS = {
    **dict.fromkeys(("inbound", "api", "callback", "webrtc_api", "messaging_platform", "agent_reply"), "inbound"),
    **dict.fromkeys(("outbound", "external_outbound"), "outbound"),
}
_FIELDS = {"category": "category", "language": "language"}


def ends(found: Records) -> list[datetime]:
    """When the export was made: the records do not say it."""
    return []


def legs(found: Records, *, told: Told, time_zone: str | None, dates: str | None, fields: Mapping[str, str]) -> pl.DataFrame:
    """One row per contact record, as `calls` takes them."""
    rows = found.table("contact_records")
    instances = rows["instance"].drop_nulls().unique().sort()
    if instances.len() > 1:
        told.problems.append(f"records of {instances.len()} instances are mixed, e.g. {instances[0]} and {instances[1]}: import each on its own")
    rows = typed.moments(rows, ["begun", "ended", "queued", "answered"], told=told, time_zone=time_zone, dates=dates)
    rows = typed.durations(rows, ["talk", "hold", "wrap"], told=told)
    rows = typed.channels(rows, meanings=_CHANNELS, told=told)
    rows = _named(rows, found, fields, told)
    method = pl.col("method").str.to_lowercase()
    listened = (method == "monitor").fill_null(False)
    told.dropped.append(
        Dropped(what="contact_records", count=int(rows.select(listened.sum()).item()), why="a supervisor listened in on another contact")
    )
    # What flows on after the customer's own contact has ended, such as a survey, is part of it.
    after = pl.when(method == "disconnect").then("related")
    spoken = pl.col("answered").is_not_null() | pl.col("agent").is_not_null()
    phone = pl.col("kind_of_endpoint").is_null() | (pl.col("kind_of_endpoint") == "TELEPHONE_NUMBER")
    address = pl.col("endpoint").str.contains("@").fill_null(False)
    return (
        rows.filter(pl.col("leg").is_not_null() & ~listened)
        .select(
            "begun",
            "ended",
            "queued",
            "channel",
            "channel_raw",
            "language",
            "category",
            "external",
            contact_id=pl.coalesce("first", "before", after, "leg"),
            # A record names an agent only if the contact reached one; a list of contacts does not say when.
            answered=pl.when(spoken).then(pl.coalesce("answered", "begun")),
            timed=pl.col("answered").is_not_null() | ~spoken,
            order=pl.int_range(pl.len(), dtype=pl.Int64),
            agent=pl.when(spoken).then("agent"),
            group=pl.when(spoken).then("group"),
            direction=words.meaning("method", words=_DIRECTIONS),
            number=pl.when(phone & ~address).then("endpoint"),
            address=pl.when(address).then("endpoint"),
            voicemail=pl.lit(False),
            transfers=pl.lit(None, dtype=pl.Int64),
            talk="talk",
            handle=pl.col("talk") + pl.col("hold").fill_null(0) + pl.col("wrap").fill_null(0),
        )
        .drop(instants.ROW, strict=False)
    )


def _named(rows: pl.DataFrame, found: Records, fields: Mapping[str, str], told: Told) -> pl.DataFrame:
    """The attributes that hold our columns; those set in a flow are free, so the user says their names."""
    values = found.table("attributes")
    for ours, theirs in {**_FIELDS, **fields}.items():
        one = values.filter(pl.col("name").str.to_lowercase() == theirs.lower()).select("leg", pl.col("value").alias(ours))
        rows = rows.join(one.unique("leg", keep="last"), on="leg", how="left", maintain_order="left")
        if one.is_empty() and (ours in fields or ours == "category"):
            there = ", ".join(values["name"].drop_nulls().unique().sort().to_list()[:20]) or "none"
            told.notes.append(f"no attribute '{theirs}' holds the {ours}; the attributes are {there}")
    return rows
