"""What do the conversation details of Genesys say?

A conversation holds participants (customer, menu, queue, agent), those hold sessions, and those hold segments with their times. An agent has answered
where a segment `interact` is theirs; what only rang is no answer. The customer's number is `ani` of a call that came in and `dnis` of one that went out.
A conversation that goes on is exported again with its end. Counts by interval do not add up and are not read.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

import polars as pl

from fcrlib.intake.canonical import instants, typed, words
from fcrlib.intake.canonical.told import Told
from fcrlib.intake.export.kinds import Export, Kind, Paging
from fcrlib.intake.export.records import Records

NAME = "Genesys"
# A session without a number goes by what its segments say.
_SESSION = {
    "contact_id": "^^conversationId",
    "direction": "^^originatingDirection",
    "participant": "^participantId",
    "purpose": "^purpose",
    "user": "^userId",
    "external": "^externalContactId",
    "media": "mediaType",
    "ani": "ani",
    "dnis": "dnis",
    "sender": "addressFrom",
    "session": "sessionId | segments",
}
_SEGMENT = {
    "contact_id": "^^^conversationId",
    "session": "^sessionId | ^segments",
    "purpose": "^^purpose",
    "participant": "^^participantId",
    "user": "^^userId",
    "type": "segmentType",
    "begun": "segmentStart",
    "ended": "segmentEnd",
    "queue": "queueId",
    "code": "wrapUpCode",
}
EXPORT = Export(
    "calls",
    (
        Kind(
            "conversations",
            {"contact_id": "conversationId", "begun": "conversationStart", "ended": "conversationEnd", "direction": "originatingDirection"},
            key=("contact_id",),
            newest="ended",
            needed=("contact_id", "begun"),
            inside=(
                Kind(
                    "sessions",
                    _SESSION,
                    each="participants[].sessions[]",
                    needed=("contact_id",),
                    inside=(
                        Kind("segments", _SEGMENT, each="segments[]", needed=("begun",)),
                        Kind("measures", {"contact_id": "^^^conversationId", "name": "name", "value": "value"}, each="metrics[]", needed=("name",)),
                    ),
                ),
            ),
        ),
        Kind("queues", {"id": "id", "name": "name"}, wrappers=("queues", "entities"), stems=("queues", "queue"), key=("id",)),
        Kind("codes", {"id": "id", "name": "name"}, wrappers=("codes", "entities"), stems=("wrapupcodes", "wrapup_codes", "codes"), key=("id",)),
    ),
    paging=Paging(total="totalHits"),
)
_CHANNELS = {**words.CHANNEL_WORDS, "callback": "phone", "message": "messaging", "cobrowse": "other", "screenshare": "other", "video": "other"}
_WHOSE = ["contact_id", "session", "purpose", "participant", "user"]
_SIDES = ("cobrowse", "screenshare", "monitor")


def ends(found: Records) -> list[datetime]:
    """When the newest of the pages was made, where a job says it."""
    said = pl.Series("at", found.said("conversations", "dataAvailabilityDate"), dtype=pl.String)
    read = instants.read(said.to_frame(), columns=["at"], time_zone=None)
    latest = read.frame["at"].max()
    return [latest] if isinstance(latest, datetime) and not read.problems else []


def legs(found: Records, *, told: Told, time_zone: str | None, dates: str | None, fields: Mapping[str, str]) -> pl.DataFrame:
    """One row per session, as `calls` takes them, and one per conversation for its beginning and end."""
    told.problems += [f"--field {ours}: conversation details have no such fields; the category is the wrap-up code" for ours in fields]
    whole = typed.moments(found.table("conversations"), ["begun", "ended"], told=told, time_zone=time_zone)
    pieces = typed.moments(found.table("segments"), ["begun", "ended"], told=told, time_zone=time_zone)
    queues, codes = (dict(found.table(kind).select("id", "name").drop_nulls().iter_rows()) for kind in ("queues", "codes"))
    timed = _timed(pieces.with_columns(pl.col("queue").replace(queues), pl.col("code").replace(codes)))
    sessions = found.table("sessions").filter(~pl.col("media").str.to_lowercase().is_in(_SIDES).fill_null(False))
    sessions = sessions.join(timed, on=_WHOSE, how="left", nulls_equal=True, maintain_order="left")
    sessions = typed.channels(sessions, raw="media", meanings=_CHANNELS, told=told)
    person = pl.col("purpose").is_in(["agent", "user"])
    asker = pl.col("purpose").is_in(["customer", "external"])
    number = pl.when(pl.col("direction") == "outbound").then("dnis").otherwise("ani").str.replace(r"(?i)^(?:tel|sip):", "").str.replace(r"@.*$", "")
    moved = typed.numbers(found.table("measures"), ["value"], told=told).filter(pl.col("name") == "nTransferred")
    transfers = moved.group_by("contact_id").agg(pl.col("value").sum().cast(pl.Int64).alias("transfers"))
    blank = pl.lit(None, dtype=pl.String)
    parts = sessions.select(
        "contact_id",
        "begun",
        "ended",
        "channel",
        answered=pl.when(person).then("spoken"),
        queued=pl.when(pl.col("purpose") == "acd").then("begun"),
        agent=pl.when(person & pl.col("spoken").is_not_null()).then("user"),
        group=pl.when(person & pl.col("spoken").is_not_null()).then("queue"),
        direction=pl.col("direction").str.to_lowercase(),
        number=pl.when(asker & (pl.col("channel") == "phone") & number.str.contains(r"^\+?[\d ()-]{3,}$")).then(number),
        address=pl.when(asker & pl.col("sender").str.contains("@")).then("sender"),
        external=pl.when(asker).then("external"),
        channel_raw="media",
        category=pl.when(person).then("code"),
        voicemail=(pl.col("purpose") == "voicemail").fill_null(False),
        talk=pl.when(person).then("talk"),
        handle=pl.when(person).then(pl.col("talk") + pl.col("hold") + pl.col("wrap")),
    )
    frames = whole.select(
        "contact_id", "begun", "ended", direction=pl.col("direction").str.to_lowercase(), voicemail=pl.lit(False), seen=pl.lit(False)
    )
    frames = frames.join(transfers, on="contact_id", how="left", maintain_order="left")
    both = pl.concat([frames, parts], how="diagonal").with_columns(order=pl.int_range(pl.len(), dtype=pl.Int64), language=blank)
    # A wrap-up goes on when the customer has long hung up: the conversation says when it ended.
    ended = pl.col("ended").first().over("contact_id")
    return both.sort("order").with_columns(pl.when(pl.col("begun").is_not_null()).then(ended).alias("ended"))


def _timed(pieces: pl.DataFrame) -> pl.DataFrame:
    """What the segments of a session add up to; a segment that only rang counts for nothing."""
    took = (pl.col("ended") - pl.col("begun")).dt.total_milliseconds() / 1000
    kinds = {"talk": "interact", "hold": "hold", "wrap": "wrapup"}
    spoken = (pl.col("type") == "interact") & (took > 0).fill_null(True)
    return pieces.group_by(_WHOSE, maintain_order=True).agg(
        pl.col("begun").min(),
        pl.col("ended").max(),
        pl.col("begun").filter(spoken).min().alias("spoken"),
        pl.col("queue").drop_nulls().last(),
        pl.col("code").drop_nulls().last(),
        *(took.filter(pl.col("type") == kind).sum().alias(name) for name, kind in kinds.items()),
    )
