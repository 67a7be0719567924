"""How are ten million contacts judged without holding them all? Own stories in slices, neighbours over all, labels in slices.

A contact's own events say nothing about other contacts, so they are read slice by slice. What contacts do to each other
needs all of them at once, but only a few numbers of each: who, about what, when.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

import polars as pl

from fcrlib.judge.facts import CONTACT_COLUMNS, EVENT_COLUMNS, Facts
from fcrlib.judge.neighbours import LINK_COLUMNS, meet
from fcrlib.judge.outcomes import OUTCOME_COLUMNS, assemble, own_story
from fcrlib.model.desk import Manifest, read_manifest
from fcrlib.model.errors import DataError, UsageError
from fcrlib.model.policy import Policy

SLICE = 500_000


def judge_folder(folder: Path, *, policy: Policy, to: Path, data_end: datetime | None = None, contacts_at_once: int = SLICE) -> Path:
    """Judge a saved desk slice by slice and write the outcomes as parquet files into a folder.

    The labels are those of `judge.outcomes.judge`. The desk's tables must be in key order, as `Desk.save` writes them.

    Raises
    ------
    UsageError
        For the policy `text`, which needs all texts at once.
    DataError
        If the contacts are not in key order.
    """
    if policy.same_issue == "text":
        raise UsageError("the policy compares texts, which needs the whole desk in memory: use `judge`")
    manifest = read_manifest(folder)
    end = data_end or manifest.data_end
    facts, names = _gather(folder, manifest, policy=policy, data_end=end, size=contacts_at_once)
    others = meet(names, facts=facts.frame, messages=facts.messages, policy=policy, data_end=end)
    failures = pl.concat([facts.failures.drop("inside_at"), others.failures])
    shutil.rmtree(to, ignore_errors=True)
    to.mkdir(parents=True)
    for place, first in enumerate(range(0, names.height, contacts_at_once)):
        part = facts.frame.slice(first, contacts_at_once)
        contacts = _contacts(folder, OUTCOME_COLUMNS, first, contacts_at_once)
        rows = assemble(contacts, part, others=others, failures=failures, names=names, policy=policy, manifest=manifest, data_end=end)
        rows.write_parquet(to / f"part-{place:05}.parquet")
    return to


def _gather(folder: Path, manifest: Manifest, *, policy: Policy, data_end: datetime, size: int) -> tuple[Facts, pl.DataFrame]:
    """Every contact's own story, slice by slice, and the few columns by which contacts meet."""
    surveys = pl.read_parquet(folder / "surveys.parquet", glob=False)
    told = []
    for first, contacts, events in _slices(folder, size=size):
        own = own_story(contacts, events=events, surveys=surveys, policy=policy, manifest=manifest, data_end=data_end)
        moved = [frame.with_columns(pl.col("i") + pl.lit(first, pl.UInt32)) for frame in (own.frame, own.failures, own.messages)]
        told.append(Facts(*moved))
    facts = Facts(*(pl.concat([getattr(part, name) for part in told]) for name in ("frame", "failures", "messages")))
    names = pl.scan_parquet(folder / "contacts.parquet", glob=False).select(LINK_COLUMNS)
    return facts, names.with_columns(pl.col("source", "category", "customer_ref", "person").cast(pl.Categorical)).collect()


def _slices(folder: Path, *, size: int) -> Iterator[tuple[int, pl.DataFrame, pl.DataFrame]]:
    """Slices of contacts with their events: both files are in key order, so a slice of one is a range of the other."""
    ids = pl.scan_parquet(folder / "contacts.parquet", glob=False).select(CONTACT_COLUMNS)
    total = ids.select(pl.len()).collect().item()
    stories = pl.scan_parquet(folder / "events.parquet", glob=False).select(EVENT_COLUMNS)
    last = None
    for first in range(0, total, size):
        contacts = ids.slice(first, size).collect()
        low, high = (contacts.select("source", "contact_id").row(row) for row in (0, -1))
        if last is not None and last >= low:
            raise DataError(f"contacts of {folder} are not in key order at '{low[1]}': save the desk again")
        last = high
        one_source = low[0] == high[0]
        key = pl.col("contact_id").is_between(pl.lit(low[1]), pl.lit(high[1])) & (pl.col("source") == low[0]) if one_source else pl.lit(True)
        yield first, contacts, stories.filter(key).collect()


def _contacts(folder: Path, columns: tuple[str, ...], first: int, size: int) -> pl.DataFrame:
    return pl.scan_parquet(folder / "contacts.parquet", glob=False).select(columns).slice(first, size).collect()
