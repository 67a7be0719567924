"""How much does the number depend on the definition?

What each contact says about itself and whom it meets is read once; a window, a transfer rule or another idea of the same issue is then
only a threshold on it. So forty definitions cost a few judgements, not forty.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import product

import polars as pl

from fcrlib.judge.facts import Facts, customer, gather, in_key_order
from fcrlib.judge.neighbours import Meetings, meetings
from fcrlib.judge.rates import INDEX, MIN_CONTACTS, final_fcr
from fcrlib.judge.verdict import verdict
from fcrlib.link.issues import similar_pairs
from fcrlib.model.desk import Desk
from fcrlib.model.errors import UsageError
from fcrlib.model.policy import Policy, in_words

WINDOWS = tuple(timedelta(days=days) for days in (1, 2, 7, 14, 30))
WORDS = {"category": "same category", "any": "any contact", "linked": "linked only", "text": "similar wording", "none": "reopened only"}
SCOPES = {True: "any channel", False: "same channel"}
HANDOVERS = ("ignore", "escalation", "any")
_KIND = {"escalated": "escalated_at", "transferred": "transferred_at"}


def definition_grid(
    desk: Desk,
    *,
    policy: Policy | None = None,
    windows: Sequence[timedelta] = WINDOWS,
    same_issue: Sequence[str] = ("none", "linked", "category", "any"),
    scopes: Sequence[bool] = (True,),
    transfers: Sequence[str] = ("ignore",),
    within: pl.Expr | None = None,
    segment: str | None = "category",
    data_end: datetime | None = None,
) -> pl.DataFrame:
    """FCR under many definitions, side by side on the same desk.

    The labels are those of `outcomes.judge` under each definition; a test holds the two against each other.

    Parameters
    ----------
    policy
        The house definition (the default one if not given); the grid varies its window, its idea of the same issue, whether contacts on other
        channels count, and its treatment of transfers. Everything else is the house's.
    scopes
        `True`: contacts on any channel count; `False`: only those on the same channel.
    within
        Yes/no expression over the contacts and their `start_at` that picks those to count, e.g. those that started in a period.
    segment
        Column of the contacts whose levels are ranked by FCR; `tau` says how far each definition ranks them as the house does.

    Returns
    -------
    pl.DataFrame
        One row per definition, by same issue, scope, window and transfer in the order given: `window_days`, `window`, `same_issue`, `rule` (in words), `scope`, `transfer`, `house` (is
        it the house definition?), the columns of `rates.fcr` (what is decided), the rate as it will stand when every window has closed
        (`final_n`, `final`, `final_low`, `final_high`, see `rates.final_fcr`), then `tau` (Kendall's tau-b against the house's ranking of the segments with 30
        contacts or more; 1 = the same order; null with fewer than three) and `segments` (how many were ranked). The share is null where
        nothing can be judged, e.g. because the data is shorter than the window.

    Raises
    ------
    UsageError
        For a window that is not positive, or a word that is no treatment.

    References
    ----------
    Simonsohn, Simmons and Nelson (2020), Nature Human Behaviour 4, 1208-1214 (specification curve); Kendall (1945), Biometrika 33, 239-251
    (tau-b).
    """
    house = policy or Policy()
    _check(house, windows=windows, same_issue=same_issue, transfers=transfers, segment=segment, desk=desk)
    told = _told(desk, house, longest=max([*windows, house.window or timedelta(0)]), data_end=data_end or desk.manifest.data_end, segment=segment)
    rows, ranks = [], []
    for issue, across in product(same_issue, scopes):
        met = told.meet(house.revised(same_issue=issue, across_channels=across))
        for window in windows:
            waited = told.wait(met, window=window, within=within)
            for transfer in transfers:
                variant = house.revised(window=window, same_issue=issue, across_channels=across, transfer=transfer)
                judged = told.judged(waited, variant)
                named = _named(variant, house=house)
                said = _final_beside(final_fcr(judged, window=window, cluster="who", spread="scaled"))
                rows.append(said.select(*(pl.lit(value).alias(name) for name, value in named.items()), pl.all()))
                ranks.append(_ranking(judged))
    own = next((rank for row, rank in zip(rows, ranks, strict=True) if row["house"][0]), None)
    if own is None:
        own = _ranking(told.judged(told.wait(told.meet(house), window=house.window, within=within), house))
    agreed = pl.DataFrame([_tau(own, rank) for rank in ranks], schema={"tau": pl.Float64, "segments": pl.Int64}, orient="row")
    return pl.concat(rows).hstack(agreed)


def _check(
    house: Policy, *, windows: Sequence[timedelta], same_issue: Sequence[str], transfers: Sequence[str], segment: str | None, desk: Desk
) -> None:
    problems = [f"windows: {window} must be longer than nothing" for window in windows if window <= timedelta(0)]
    problems += [f"same_issue: '{word}' is none of {', '.join(WORDS)}" for word in same_issue if word not in WORDS]
    problems += [f"transfers: '{word}' is none of {', '.join(HANDOVERS)}" for word in transfers if word not in HANDOVERS]
    problems += [f"segment: contacts have no column '{segment}'"] if segment is not None and segment not in desk.contacts.columns else []
    problems += [
        f"{name}: give at least one" for name, words in (("windows", windows), ("same_issue", same_issue), ("transfers", transfers)) if not words
    ]
    if problems:
        raise UsageError("the definitions cannot be laid side by side:", problems)


def _named(variant: Policy, *, house: Policy) -> dict[str, object]:
    window = variant.window or timedelta(0)
    return {
        "window_days": window / timedelta(days=1),
        "window": in_words(window),
        "same_issue": variant.same_issue,
        "rule": WORDS[variant.same_issue],
        "scope": SCOPES[variant.across_channels],
        "transfer": variant.transfer,
        "house": variant.fingerprint == house.fingerprint,
    }


@dataclass(frozen=True, slots=True)
class _Told:
    """A desk as it was read once: `contacts` and `facts` row by row, reaching as far as the longest window."""

    contacts: pl.DataFrame
    facts: Facts
    own: pl.DataFrame
    house: Policy
    data_end: datetime

    def meet(self, policy: Policy) -> tuple[Meetings, pl.DataFrame]:
        """Whom each contact meets under the policy's idea of the same issue, and the first meetings row by row."""
        similar = None
        if policy.same_issue == "text":
            dated = self.contacts.with_columns(self.facts.frame.select("i", "start_at"), source=pl.lit(""), customer_ref="named")
            similar = similar_pairs(dated, threshold=policy.similarity)
        met = meetings(self.contacts, facts=self.facts.frame, messages=self.facts.messages, policy=policy, data_end=self.data_end, similar=similar)
        duplicates = met.duplicates.select("i", duplicate="of")
        first = met.first.select("i", "parallel_at", "repeat_at")
        aligned = (
            self.own.select("i").join(first, on="i", how="left", maintain_order="left").join(duplicates, on="i", how="left", maintain_order="left")
        )
        return met, aligned.drop("i")

    def wait(self, met: tuple[Meetings, pl.DataFrame], *, window: timedelta | None, within: pl.Expr | None) -> pl.DataFrame:
        """The contacts to count, with what a window makes of whom they met."""
        chains = met[0].repeats(window=window).select("i", chain="of")
        frame = self.own.hstack(met[1]).join(chains, on="i", how="left", maintain_order="left")
        frame = frame.with_columns(horizon_at=pl.col("anchor_at") + pl.lit(window, pl.Duration("us")))
        frame = frame.with_columns(_inside("undecided_at"), _inside("yes_at"))
        return frame if within is None else frame.filter(self.contacts.with_columns(start_at=frame["start_at"]).select(within).to_series())

    def judged(self, waited: pl.DataFrame, policy: Policy) -> pl.DataFrame:
        """The contacts to count with `label`, `reason` (of waiting), `failed_at`, `anchor_at`, `data_end`, `who` and `segment`."""
        told = verdict(policy, data_end=self.data_end, because=pl.lit(None, pl.String))
        end = pl.lit(self.data_end).dt.convert_time_zone("UTC").dt.cast_time_unit("us").alias("data_end")
        return waited.with_columns(failed_at=_failed_at(policy)).select(*told, "failed_at", "anchor_at", end, "who", "segment")


def _told(desk: Desk, house: Policy, *, longest: timedelta, data_end: datetime, segment: str | None) -> _Told:
    contacts = in_key_order(desk.contacts).with_columns(named=customer())
    widest = house.revised(window=longest, transfer="any")
    known = desk.manifest.has("has_messages")
    facts = gather(contacts, events=desk.events, surveys=desk.surveys, policy=widest, data_end=data_end, messages_known=known)
    group = pl.lit(None, pl.UInt32) if segment is None else pl.col(segment).cast(pl.String).rank("dense").cast(pl.UInt32)
    who = contacts.select(who=pl.col("named").cast(pl.Categorical).to_physical(), segment=group)
    own = facts.frame.join(_own_failures(facts.failures, house), on="i", how="left", maintain_order="left").hstack(who)
    return _Told(contacts, facts, own, house, data_end)


def _own_failures(failures: pl.DataFrame, house: Policy) -> pl.DataFrame:
    """Per contact its earliest failure of its own making and what has to lie in the window for it, handovers apart."""
    if house.survey == "decides":
        failures = failures.filter(pl.col("reason") == "survey_no")
    other = ~pl.col("reason").is_in(list(_KIND))
    inside = pl.col("inside_at").fill_null(pl.datetime(1, 1, 1, time_zone="UTC"))
    first = [pl.col("at").filter(other).min().alias("own_at"), inside.filter(other).min().alias("own_inside_at")]
    handed = [pl.col("at").filter(pl.col("reason") == reason).min().alias(name) for reason, name in _KIND.items()]
    return failures.group_by("i").agg(*first, *handed)


def _inside(column: str) -> pl.Expr:
    return pl.when((pl.col(column) <= pl.col("horizon_at")) | pl.col("horizon_at").is_null()).then(column).alias(column)


def _failed_at(policy: Policy) -> pl.Expr:
    """The first failure under a policy; which of several inside the window came first matters only before the anchor, where all count."""
    never = pl.lit(None, pl.Datetime("us", "UTC"))
    inside = (pl.col("own_inside_at") <= pl.col("horizon_at")) | (pl.col("own_inside_at").is_not_null() & pl.col("horizon_at").is_null())
    known: list[pl.Expr] = [pl.when(inside).then("own_at")]
    if policy.survey == "decides":
        return known[0]
    known += [_inside("escalated_at")] if policy.transfer != "ignore" else []
    known += [_inside("transferred_at")] if policy.transfer == "any" else []
    soon = (pl.col("repeat_at") <= pl.col("horizon_at")) | pl.col("horizon_at").is_null()
    return pl.min_horizontal(*known, "parallel_at", pl.when(soon).then("repeat_at").otherwise(never))


def _final_beside(found: pl.DataFrame) -> pl.DataFrame:
    """The columns of `rates.fcr`, and the rate as it will stand under names of its own."""
    final = {"final_n": pl.col("n").cast(pl.Int64), "final": pl.col("share"), "final_low": pl.col("low"), "final_high": pl.col("high")}
    decided = {"n": "decided_n", "share": "decided", "low": "decided_low", "high": "decided_high"}
    return found.with_columns(**final).with_columns(**decided).drop(*decided.values())


def _ranking(judged: pl.DataFrame) -> pl.DataFrame:
    """FCR of each segment with enough contacts: `segment`, `share`."""
    index = judged.filter(pl.col("label").is_in(INDEX) & pl.col("segment").is_not_null())
    shares = index.group_by("segment").agg(n=pl.len(), share=(pl.col("label") == "resolved").mean())
    return shares.filter(pl.col("n") >= MIN_CONTACTS).select("segment", "share")


def _tau(house: pl.DataFrame, other: pl.DataFrame) -> tuple[float | None, int]:
    from scipy.stats import kendalltau

    both = house.join(other, on="segment", suffix="_there").sort("segment")
    if both.height < 3:
        return None, both.height
    tau = float(kendalltau(both["share"].to_numpy(), both["share_there"].to_numpy()).statistic)
    return (tau if tau == tau else None), both.height
