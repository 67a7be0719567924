"""Which contacts are about the same issue, and what do they do to each other?

Two contacts of one customer are about the same issue when they share the policy's key (category, anything, an issue key)
or when one links to the other. Contacts with a shared key are sorted once; what comes next is the neighbouring row.
Explicit links are few and travel as pairs. Nothing is joined with everything, so 5,000 contacts of one customer cost
n log n like any others.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

import polars as pl

from fcrlib.model.policy import Policy

LINK_COLUMNS = ("source", "contact_id", "customer_ref", "person", "channel", "category", "issue_key", "follow_up_of", "parent_id", "merged_into")
_PAIRS = {"early": pl.UInt32, "late": pl.UInt32}
_FAR = 2**62


@dataclass(frozen=True, slots=True)
class Neighbours:
    """What contacts about the same issue do to each other.

    Parameters
    ----------
    duplicates
        `i`, `of`: contacts that are another one sent twice.
    repeats
        `i`, `of`: contacts that come back about an earlier one; `of` is the first contact of the whole chain.
    failures
        `i`, `at`, `reason`: the first parallel contact while open, and the first repeat in the window.
    """

    duplicates: pl.DataFrame
    repeats: pl.DataFrame
    failures: pl.DataFrame


@dataclass(frozen=True, slots=True)
class Meetings:
    """How contacts about the same issue meet in time, before any window is held against it.

    Parameters
    ----------
    duplicates
        `i`, `of`: contacts that are another one sent twice.
    groups
        Contacts that share a key with another, by key and start: `i`, `key`, `start_at`, `anchor_at`.
    linked
        Explicitly linked pairs: `early`, `late`, `start_at`, `anchor_at`, `next_at`.
    first
        One row per contact that met another: `i`, `anchor_at`, `parallel_at` (the first one while open), `repeat_at` (the first one after
        the resolution).
    """

    duplicates: pl.DataFrame
    groups: list[pl.DataFrame]
    linked: pl.DataFrame
    first: pl.DataFrame

    def repeats(self, *, window: timedelta | None) -> pl.DataFrame:
        """Contacts that come back about an earlier one: `i`, `of` (one it follows; `roots` leads to the first of the chain)."""
        found = [*(_repeats_in_group(group, window=window) for group in self.groups), _linked_repeats(self.linked, window=window)]
        return pl.concat(found).unique("i", keep="first", maintain_order=True)

    def failures(self, *, window: timedelta | None) -> pl.DataFrame:
        """The first contact while open is `parallel_contact`, the first inside the window is `repeat_contact`: `i`, `at`, `reason`."""
        late = pl.lit(False) if window is None else pl.col("repeat_at") > pl.col("anchor_at") + window
        repeat = self.first.filter(pl.col("repeat_at").is_not_null() & ~late)
        named = {"parallel_at": ("parallel_contact", self.first.drop_nulls("parallel_at")), "repeat_at": ("repeat_contact", repeat)}
        return pl.concat([frame.select("i", at=column, reason=pl.lit(reason)) for column, (reason, frame) in named.items()])


def meet(
    contacts: pl.DataFrame,
    *,
    facts: pl.DataFrame,
    messages: pl.DataFrame,
    policy: Policy,
    data_end: datetime,
    similar: pl.DataFrame | None = None,
) -> Neighbours:
    """Let the contacts of each customer meet in time, and hold the policy's window against it; parameters as in `meetings`."""
    met = meetings(contacts, facts=facts, messages=messages, policy=policy, data_end=data_end, similar=similar)
    return Neighbours(met.duplicates, roots(met.repeats(window=policy.window)), met.failures(window=policy.window))


def meetings(
    contacts: pl.DataFrame,
    *,
    facts: pl.DataFrame,
    messages: pl.DataFrame,
    policy: Policy,
    data_end: datetime,
    similar: pl.DataFrame | None = None,
) -> Meetings:
    """Let the contacts of each customer meet in time; the window of the policy is not looked at.

    Parameters
    ----------
    contacts
        Canonical contacts (`LINK_COLUMNS` are read), one row per contact in the order of `facts`.
    facts
        `i`, `excluded`, `start_at`, `anchor_at` of every contact; those excluded or not started yet meet nobody.
    messages
        `i`, `at`: customer messages of contacts that were merged into another.
    similar
        `early`, `late`: pairs that a text comparison holds to be one issue (policy `text`).
    """
    numbered = contacts.select(LINK_COLUMNS).with_row_index("i")
    moments = facts.filter(pl.col("excluded").is_null() & (pl.col("start_at") <= data_end)).select("i", "start_at", "anchor_at")
    starts = facts.select("i", "start_at")
    groups = [_sorted_groups(numbered, moments, key=key) for key in _keys(policy, who=_who(contacts))]
    merged = _merges(numbered)
    pairs = _pairs(numbered, similar=similar) if policy.same_issue != "none" else pl.DataFrame(schema=_PAIRS)

    duplicates = _duplicates(groups, _ordered_pairs(pairs, moments, starts=starts, alias=merged), gap=policy.duplicate_gap)
    groups = [group.join(duplicates, on="i", how="anti", maintain_order="left") for group in groups]
    alias = roots(pl.concat([merged, duplicates]).unique("i", keep="first", maintain_order=True))
    standing = moments.join(duplicates, on="i", how="anti", maintain_order="left")
    linked = _ordered_pairs(pairs, standing, starts=starts, alias=alias)
    met = [*(_next_in_group(group) for group in groups), _linked_meetings(linked), _merged_meetings(messages, moments, alias, policy)]
    return Meetings(duplicates, groups, linked, _first_meetings(pl.concat(met)))


def _who(contacts: pl.DataFrame) -> list[str]:
    """What names a customer: the person where customers have been joined, else the source and its own word."""
    return ["person"] if contacts["person"].count() else ["source", "customer_ref"]


def _keys(policy: Policy, *, who: list[str]) -> list[list[str]]:
    scope = [] if policy.across_channels else ["channel"]
    by_key = [*who, "issue_key"]
    return {
        "none": [],
        "any": [[*who, *scope]],
        "category": [[*who, "category", *scope], by_key],
        "linked": [by_key],
        "text": [by_key],
    }[policy.same_issue]


def _sorted_groups(contacts: pl.DataFrame, moments: pl.DataFrame, *, key: list[str]) -> pl.DataFrame:
    """Contacts that share a key with another, by key and start: `i`, `key`, `start_at`, `anchor_at`."""
    known = contacts.filter(pl.all_horizontal(pl.col(key).is_not_null()))
    keyed = known.select("i", key=_packed(known.select(key)))
    keyed = keyed.filter(pl.col("key").is_duplicated()) if keyed.height else keyed
    return moments.join(keyed, on="i", how="inner", maintain_order="left").sort("key", "start_at", "i")


def _packed(columns: pl.DataFrame) -> pl.Series:
    """One whole number per combination of values: equal numbers mean equal values, nothing is hashed.

    Codes of categories are drawn from one pool for all columns, so those that follow the customer are numbered anew before
    they are packed.
    """
    codes = columns.select(pl.all().cast(pl.Categorical).to_physical())
    customer = "person" if "person" in codes.columns else "customer_ref"
    packed = codes[customer].cast(pl.UInt64)
    for column in codes.drop(customer):
        levels = column.unique().sort()
        packed = packed * max(1, levels.len()) + (levels.search_sorted(column) if levels.len() > 1 else 0)
    return packed


def _pairs(contacts: pl.DataFrame, *, similar: pl.DataFrame | None) -> pl.DataFrame:
    """Explicit links as pairs. A parent is shared by many customers in an outage, so it links only within one customer."""
    follow_ups = _targets(contacts, column="follow_up_of")
    children = _targets(contacts, column="parent_id").filter(pl.col("customer") == pl.col("customer_target"))
    pairs = [frame.select(early="target", late="i") for frame in (follow_ups, children)]
    return pl.concat([*pairs, *([similar.select(list(_PAIRS))] if similar is not None else [])])


def _targets(contacts: pl.DataFrame, *, column: str) -> pl.DataFrame:
    customer = _who(contacts)[-1]
    pointing = contacts.filter(pl.col(column).is_not_null()).select("i", "source", contact_id=column, customer=customer)
    known = contacts.select("source", "contact_id", target="i", customer_target=customer)
    return pointing.join(known, on=["source", "contact_id"], maintain_order="left").filter(pl.col("i") != pl.col("target"))


def _merges(contacts: pl.DataFrame) -> pl.DataFrame:
    return _targets(contacts, column="merged_into").select("i", of="target")


def roots(pointers: pl.DataFrame) -> pl.DataFrame:
    """Follow `i` -> `of` to the end of each chain, by pointer doubling; a circle ends where it is cut."""
    follow = pointers.select("i", "of")
    for _ in range(32):
        ahead = follow.join(follow.select(of="i", further="of"), on="of", how="left", maintain_order="left")
        moved = ahead.select("i", of=pl.coalesce("further", "of"))
        if moved.equals(follow):
            break
        follow = moved
    return follow.filter(pl.col("i") != pl.col("of"))


def _ordered_pairs(pairs: pl.DataFrame, moments: pl.DataFrame, *, starts: pl.DataFrame, alias: pl.DataFrame) -> pl.DataFrame:
    """Pairs between contacts that count, the earlier first: `early`, `late`, `start_at`, `anchor_at` (early), `next_at` (late).

    A link to a contact that was merged away or sent twice is a link to the one that stands for it, if that contact was
    there when the link was made; a link into the future stands for nothing yet.
    """
    moved = pairs.join(alias, left_on="early", right_on="i", maintain_order="left")
    for side in ("early", "late"):
        moved = moved.join(starts.select(pl.col("i").alias(side), pl.col("start_at").alias(f"{side}_at")), on=side, maintain_order="left")
    stands = moved.filter(pl.col("early_at") <= pl.col("late_at")).select("of", "early", "late")
    pairs = pairs.join(stands, on=["early", "late"], how="left", maintain_order="left")
    pairs = pairs.select(pl.coalesce("of", "early").alias("early"), "late").unique(maintain_order=True)
    both = pairs.join(moments, left_on="early", right_on="i", maintain_order="left")
    both = both.join(moments.select(late="i", next_at="start_at", late_anchor_at="anchor_at"), on="late", maintain_order="left")
    here = {"early": "early", "late": "late", "start_at": "start_at", "anchor_at": "anchor_at", "next_at": "next_at"}
    there = {"early": "late", "late": "early", "start_at": "next_at", "anchor_at": "late_anchor_at", "next_at": "start_at"}
    tie = (pl.col("start_at") == pl.col("next_at")) & (pl.col("early") > pl.col("late"))
    turned = (pl.col("start_at") > pl.col("next_at")) | tie
    parts = [both.filter(~turned).select(**here), both.filter(turned).select(**there)]
    return pl.concat(parts).filter(pl.col("early") != pl.col("late")).sort("early", "next_at", "late")


def _duplicates(groups: list[pl.DataFrame], linked: pl.DataFrame, *, gap: timedelta) -> pl.DataFrame:
    """Started within the gap of an earlier start on the same issue: one contact, sent twice. Points at the first of them."""
    if not gap:
        return pl.DataFrame(schema={"i": pl.UInt32, "of": pl.UInt32})
    soon = (pl.col("key") == pl.col("key").shift(1)) & (pl.col("start_at") - pl.col("start_at").shift(1) <= gap)
    found = [group.with_columns(of=pl.col("i").shift(1)).filter(soon).select("i", "of") for group in groups]
    by_link = linked.filter(pl.col("next_at") - pl.col("start_at") <= gap).select(i="late", of="early")
    return roots(pl.concat([*found, by_link]).unique("i", keep="first", maintain_order=True))


def _next_in_group(group: pl.DataFrame) -> pl.DataFrame:
    """Per contact the next one in its group, and the first one after its resolution: `i`, `anchor_at`, `next_at`."""
    last = pl.col("key").ne_missing(pl.col("key").shift(-1))
    following = group.with_columns(next_at=pl.when(~last).then(pl.col("start_at").shift(-1))).filter(pl.col("next_at").is_not_null())
    chased = following.filter(pl.col("next_at") <= pl.col("anchor_at"))
    later = chased.sort("anchor_at").join_asof(
        group.select("key", later_at="start_at").sort("later_at"),
        left_on="anchor_at", right_on="later_at", by="key", strategy="forward", allow_exact_matches=False, check_sortedness=False,
    )  # fmt: skip
    columns = ["i", "anchor_at", "next_at"]
    return pl.concat([following.select(columns), later.select("i", "anchor_at", next_at="later_at").drop_nulls("next_at")])


def _linked_meetings(linked: pl.DataFrame) -> pl.DataFrame:
    return linked.select("anchor_at", "next_at", i="early").select("i", "anchor_at", "next_at")


def _merged_meetings(messages: pl.DataFrame, moments: pl.DataFrame, alias: pl.DataFrame, policy: Policy) -> pl.DataFrame:
    """Messages of a merged contact count as contacts on the one it was merged into, unless they are the same submission."""
    onto = messages.join(alias, on="i").select(i="of", next_at="at").join(moments, on="i")
    apart = pl.col("next_at") - pl.col("start_at") > policy.duplicate_gap
    return onto.filter(apart).select("i", "anchor_at", "next_at").sort("i", "next_at")


def _repeats_in_group(group: pl.DataFrame, *, window: timedelta | None) -> pl.DataFrame:
    """A contact is a repeat while any earlier one of its group is open or inside its window; it points at the run's first."""
    ends = pl.lit(_FAR).cast(pl.Int64) if window is None else (pl.col("anchor_at") + window).dt.timestamp("us").fill_null(_FAR)
    until = ends.cum_max().over("key")
    first = pl.col("key").ne_missing(pl.col("key").shift(1))
    covered = group.with_columns(repeat=~first & (pl.col("start_at").dt.timestamp("us") <= until.shift(1)).fill_null(False))
    head = pl.when(~pl.col("repeat")).then("i").forward_fill()
    return covered.with_columns(of=head).filter("repeat").select("i", "of")


def _linked_repeats(linked: pl.DataFrame, *, window: timedelta | None) -> pl.DataFrame:
    late = pl.lit(False) if window is None else (pl.col("next_at") > pl.col("anchor_at") + window).fill_null(False)
    return linked.filter(~late).select(i="late", of="early")


def _first_meetings(met: pl.DataFrame) -> pl.DataFrame:
    after = (pl.col("next_at") > pl.col("anchor_at")).fill_null(False)
    parallel, repeat = (pl.col("next_at").filter(when).min() for when in (~after, after))
    return met.group_by("i").agg(pl.col("anchor_at").first(), parallel_at=parallel, repeat_at=repeat).sort("i")
