"""Has anybody checked that repeats are about the same issue, and what did they find?"""

from __future__ import annotations

from pathlib import Path

import polars as pl

from fcrlib.judge.audit import ANSWER, USUAL, Audit
from fcrlib.model.finding import Finding
from fcrlib.model.numbers import count, interval, percent
from fcrlib.model.policy import Policy
from fcrlib.show.figure import Column, Table
from fcrlib.show.quote import quote

UNCHECKED = "Nobody has checked whether what this definition calls a repeat is about the same issue; the command 'fcr tag export repeats' draws a sample to read."


def checked(audit: Audit | None, *, policy: Policy) -> str:
    """One or two sentences on how often a repeat is really about the same issue, or that nobody knows."""
    if policy.same_issue == "none":
        return "This definition looks at no other contacts of the customer, so there are no repeats to check."
    if audit is None:
        return UNCHECKED
    row = audit.precision.row(0, named=True)
    unsure = f"; {count(row['unsure'])} they could not decide" if row["unsure"] else ""
    drawn = f"drawn from {count(row['repeats'])} repeats of {quote(audit.source, limit=40)}, data to {audit.data_end:%Y-%m-%d}"
    if row["n"] == 0:
        return f"People read {count(row['unsure'])} repeats and could not decide on any of them ({drawn})."
    covered = "" if row["covered"] > 0.999 else f" The answers speak for {percent(row['covered'])} of the repeats."
    return (
        f"Of {count(row['n'])} repeats that people read and decided on, {count(row['yes'])} are about the same issue{unsure} ({drawn}). Weighted to all "
        f"repeats that is {percent(row['share'])} (95 % interval {interval(row['low'], row['high'])}).{covered}{_wide(row['n'])}"
    )


def _wide(n: int) -> str:
    return f" With fewer than {USUAL} answers the interval is wide." if n < USUAL else ""


def caution(audit: Audit | None, *, policy: Policy) -> list[Finding]:
    """What a reader must know about the rule that joins contacts into issues; nothing where no other contact is looked at."""
    return [] if policy.same_issue == "none" else [Finding("care-same-issue", "care", checked(audit, policy=policy))]


def calibration(thresholds: pl.DataFrame, *, target: float = 0.8) -> str:
    """One or two sentences on how alike the wording must be; `thresholds` as `judge.audit.calibrate` makes them."""
    goal = percent(target, digits=0)
    chosen = thresholds.filter("chosen")
    if chosen.is_empty():
        return f"However alike the wording, the answers cannot show that {goal} of the repeats are about the same issue: read more pairs, or join by another rule."
    row = chosen.row(0, named=True)
    return (
        f"From {percent(row['threshold'], digits=0)} of the words in common, {percent(row['share'])} of the repeats are about the same issue "
        f"({interval(row['low'], row['high'])}, {count(row['n'])} read): the smallest likeness that reaches {goal} even at the lower end. "
        f"{percent(row['kept'], digits=0)} of the repeats are at least that alike."
    )


def kinds(audit: Audit | None) -> list[Table]:
    """Which kind of repeat is read how often as the same issue; no table where nobody has looked."""
    if audit is None:
        return []
    heads = (
        Column("kind", "kind of repeat"),
        Column("drawn", "drawn", "count"),
        Column("n", "decided", "count"),
        Column("yes", "same issue", "count"),
    )
    shares = (Column("share", "share", "percent"), Column("low", "from", "percent"), Column("high", "to", "percent"))
    note = "A share of a handful of answers says little: read the interval. Channels weigh as they do among all repeats."
    return [Table("same-issue-kinds", _in_short(audit), audit.kinds, (*heads, *shares), note)]


def _in_short(audit: Audit) -> str:
    """The precision as a heading."""
    row = audit.precision.row(0, named=True)
    return f"{percent(row['share'])} of the repeats are about the same issue ({interval(row['low'], row['high'])}, {count(row['n'])} read)"


def instructions(drawn: pl.DataFrame, *, file: Path, options: str = "") -> list[str]:
    """How the worksheet is filled in: three lines, and a warning where it is small."""
    few = [f"only {drawn.height} repeats: all are in it, and the interval will be wide"] if drawn.height < USUAL else []
    return [
        f"each row is a contact and the one it is held to repeat: read both, then write yes, no or unsure into {ANSWER}, and your name into tagger",
        "leave the other columns as they are; it holds customers' words, so keep it as private as the desk",
        f"when it is filled in: fcr tag import {file}{options}",
        *few,
    ]
