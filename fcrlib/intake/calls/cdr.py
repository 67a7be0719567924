"""What do the call detail records of Asterisk and FreePBX say?

One row per pair of channels: every ring of a queue, the agent who answered, a transfer. Rows of one call share `linkedid` (older ones only `uniqueid`).
`ANSWERED` may mean that a queue, a menu or a mailbox answered: a person did where another channel was reached. Times are the server's clock, without
a zone. `billsec` begins when the call was first answered, by whatever: after a queue it holds the waiting, too [not verified for every version].
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

import polars as pl

from fcrlib.intake.canonical import instants, typed, words
from fcrlib.intake.canonical.told import Told
from fcrlib.intake.export.kinds import Export, Kind
from fcrlib.intake.export.records import Records

NAME = "Asterisk"
_MASTER = (
    "accountcode", "src", "dst", "dcontext", "clid", "channel", "dstchannel", "lastapp", "lastdata", "start", "answer", "end", "duration", "billsec",
    "disposition", "amaflags", "uniqueid", "userfield",
)  # fmt: skip
EXPORT = Export(
    "calls",
    (
        Kind(
            "cdr",
            {
                "call": "linkedid | uniqueid",
                "leg": "uniqueid",
                "sequence": "sequence",
                "start": "start | calldate",
                "answer": "answer",
                "end": "end",
                "duration": "duration",
                "billsec": "billsec",
                "disposition": "disposition",
                "src": "src",
                "dst": "dst",
                "to_channel": "dstchannel",
                "application": "lastapp",
            },
            wrappers=("cdr", "data", "records"),
            stems=("cdr", "master"),
            key=("leg", "sequence", "start", "dst", "to_channel", "application", "duration"),
            needed=("call", "start", "disposition"),
            headless=_MASTER,
        ),
    ),
)
_DISPOSITIONS = {
    "answered": "answered", "answer": "answered", "no answer": "missed", "noanswer": "missed", "busy": "missed", "failed": "missed",
    "congestion": "missed", "cancel": "missed",
}  # fmt: skip
# Where the call went to no person although something answered it.
_MAILBOX = r"(?i)^(?:voicemail|minivmrecord|record)$"
_PERSON = r"(?i)^(?:dial|queue|pickup|park|parkedcall|followme|retrydial|transfer|attendedtransfer|bridge|appdial|appqueue)?$"
_CHANNEL = r"^[A-Za-z0-9]+/(?:[^@/]*/)?([^@/;]+?)(?:-[0-9a-fA-F]{4,})?(?:@[^;]*)?(?:;\d)?$"
_NOBODY = r"(?i)^(?:anonymous|unknown|unavailable|restricted|private|withheld|asterisk|s|h|t|i)?$"
_EXTENSION = r"^\*?\d{1,6}$"


def ends(found: Records) -> list[datetime]:
    """When the export was made: the records do not say it."""
    return []


def legs(found: Records, *, told: Told, time_zone: str | None, dates: str | None, fields: Mapping[str, str]) -> pl.DataFrame:
    """One row per record, as `calls` takes them."""
    rows = typed.moments(found.table("cdr"), ["start", "answer", "end"], told=told, time_zone=time_zone, dates=dates)
    rows = typed.numbers(rows, ["duration", "billsec", "sequence"], told=told)
    if strange := words.unknown(rows, "disposition", words=_DISPOSITIONS):
        told.problems.append(f"disposition: words without a meaning: {', '.join(strange[:20])}; known are {', '.join(_DISPOSITIONS)}")
    # A clock that is put back shows an hour twice: how long a call lasted says more about its end than the clock does.
    over = pl.coalesce(pl.col("start") + _seconds("duration"), "end")
    answered = words.meaning("disposition", words=_DISPOSITIONS) == "answered"
    person = answered & pl.col("to_channel").is_not_null() & pl.col("application").fill_null("").str.contains(_PERSON)
    picked = pl.coalesce(pl.when(pl.col("answer") >= pl.col("start")).then("answer"), pl.max_horizontal("start", over - _seconds("billsec")), "start")
    rows = rows.with_columns(order=pl.coalesce("sequence", pl.int_range(pl.len())).cast(pl.Int64))
    rows = _directed(rows.sort("call", "start", "order", nulls_last=True, maintain_order=True))
    queue = pl.col("application").str.to_lowercase() == "queue"
    number = pl.when(pl.col("direction") == "inbound").then("first_src").when(pl.col("direction") == "outbound").then("first_dst")
    blank = pl.lit(None, dtype=pl.String)
    return rows.filter(pl.col("call").is_not_null()).select(
        "order",
        "direction",
        contact_id="call",
        begun="start",
        ended=over,
        answered=pl.when(person).then(picked),
        queued=pl.when(queue).then("start"),
        agent=pl.when(person).then(
            pl.when(pl.col("direction") == "outbound").then("first_src").otherwise(pl.col("to_channel").str.extract(_CHANNEL))
        ),
        group=pl.when(person & queue).then("dst"),
        number=pl.when(~number.str.contains(_NOBODY)).then(number),
        address=blank,
        external=blank,
        channel_raw=pl.lit("phone"),
        channel=pl.lit("phone"),
        language=blank,
        category=blank,
        voicemail=(answered & pl.col("application").str.contains(_MAILBOX)).fill_null(False),
        transfers=pl.lit(None, dtype=pl.Int64),
        talk=pl.when(person).then("billsec"),
        handle=pl.lit(None, dtype=pl.Float64),
    )


def _directed(rows: pl.DataFrame) -> pl.DataFrame:
    """Who called whom, by the first row of a call: an extension has six digits at most, a customer's number more; who hides theirs calls from outside."""
    own = [pl.col(name).first().over("call").alias(f"first_{name}") for name in ("src", "dst")]
    rows = rows.with_columns(own)
    inside = pl.col("first_src").str.contains(_EXTENSION).fill_null(False)
    stays = pl.col("first_dst").str.contains(rf"{_EXTENSION}|^[*#a-zA-Z]").fill_null(True)
    direction = pl.when(~inside).then(pl.lit("inbound")).when(stays).then(pl.lit("internal")).otherwise(pl.lit("outbound"))
    return rows.with_columns(direction=direction).drop(instants.ROW)


def _seconds(column: str) -> pl.Expr:
    return pl.duration(milliseconds=(pl.col(column) * 1000).round().cast(pl.Int64))
