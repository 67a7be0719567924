"""What does every notebook open? A desk, a policy and a period, judged once and kept by fingerprint."""

from __future__ import annotations

import hashlib
import os
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta
from functools import cached_property
from pathlib import Path
from typing import Literal

import polars as pl

import fcrlib
from fcrlib.judge.audit import Audit
from fcrlib.judge.audit import load as load_audit
from fcrlib.judge.definitions import definition_grid
from fcrlib.judge.outcomes import judge
from fcrlib.judge.rates import final_fcr
from fcrlib.link.categories import harmonised, unmatched
from fcrlib.link.identity import Customers, customers_of, joined
from fcrlib.model.actions import Actions
from fcrlib.model.costs import Rates
from fcrlib.model.desk import Desk
from fcrlib.model.errors import DataError, UsageError
from fcrlib.model.period import Period
from fcrlib.model.pins import Pins
from fcrlib.model.policy import Policy
from fcrlib.model.settings import Settings
from fcrlib.model.tables import CAPABILITIES
from fcrlib.model.taxonomy import Taxonomy
from fcrlib.model.topic_names import Names
from fcrlib.search.sides import DIMENSIONS, Sides, sides
from fcrlib.signs.tagging import Marks
from fcrlib.signs.tagging import load as load_marks

TOO_FEW = 30
PREVIOUS, YEAR_BEFORE, NOTHING = "previous", "year-before", "nothing"


@dataclass(frozen=True)
class Study:
    """A desk under a policy in a period.

    Parameters
    ----------
    desk, policy, period
        What is studied, under which definition, and when.
    outcomes
        The verdict on every contact of the desk (columns of `judge.outcomes.judge`).
    time_zone
        Zone in which the days of the period begin.
    people
        Which customers were found to be one person; None where the desk knows nothing that they could be joined by.
    unmatched
        Labels that the project's settings rename and that no contact carries.
    audit
        What people said of a sample of the repeats that this policy finds; None where nobody looked.
    taxonomy
        The ways of failing that this project tells apart.
    marks
        What people said of a sample of the failed contacts; None where nobody looked.
    costs
        What a contact costs this project; nothing has a price where it says none.
    pins
        What the analyst decided about the chain of whys.
    names
        What the analyst calls topics.
    actions
        What people did about earlier findings.

    Examples
    --------
    A notebook's first line::

        study = Study.open(desk, policy=policy, period=period)
    """

    desk: Desk
    policy: Policy
    period: Period
    outcomes: pl.DataFrame
    time_zone: str = "UTC"
    people: Customers | None = None
    unmatched: tuple[str, ...] = ()
    audit: Audit | None = None
    taxonomy: Taxonomy = field(default_factory=Taxonomy.shipped)
    marks: Marks | None = None
    costs: Rates = field(default_factory=Rates)
    pins: Pins = field(default_factory=Pins)
    names: Names = field(default_factory=Names)
    actions: Actions = field(default_factory=Actions)

    @classmethod
    def open(cls, desk: Path | str, *, period: str, policy: str = "customer_7d") -> Study:
        """Load a desk and judge it; a second opening of the same desk under the same policy reads the verdict back.

        Raises
        ------
        FcrError
            If the desk is missing or damaged, the policy or the period is not understood, or the period lies outside the data.
        """
        settings = Settings.find()
        folder, definition = settings.path(desk), settings.definition(policy)
        loaded = _without_tagged(Desk.load(folder), tags=settings.exclude_tags)
        renamed = replace(loaded, contacts=harmonised(loaded.contacts, mapping=settings.categories))
        linked, people = _linked(renamed, settings)
        mark = _fingerprint(folder, definition, settings)
        outcomes = _remembered(folder.parent / ".cache" / folder.name / f"outcomes-{mark}.parquet", linked, policy=definition)
        study = cls.of(linked, policy=definition, period=Period.parse(period), outcomes=outcomes, time_zone=settings.time_zone)
        stray = unmatched(loaded.contacts, mapping=settings.categories)
        modes = settings.modes()
        study = replace(
            study, taxonomy=modes, marks=load_marks(folder, modes), costs=settings.priced(folder), pins=settings.decided(), names=settings.names()
        )
        return replace(study, people=people, audit=load_audit(folder, definition), unmatched=tuple(stray), actions=settings.acted(folder))

    @classmethod
    def of(cls, desk: Desk, *, policy: Policy, period: Period, outcomes: pl.DataFrame | None = None, time_zone: str | None = None) -> Study:
        """Make a study of a desk in memory.

        Raises
        ------
        DataError
            If no contact of the desk started in the period.
        """
        zone = time_zone or desk.manifest.time_zone
        study = cls(desk, policy, period, judge(desk, policy=policy) if outcomes is None else outcomes, zone)
        if study.contacts.is_empty():
            first, last = desk.contacts.select(pl.col("opened_at").min().dt.date(), last=pl.col("opened_at").max().dt.date()).row(0)
            span = f"{first} to {last}"
            raise DataError(f"no contact started in {period.label}; this desk holds contacts from {span}")
        return study

    @cached_property
    def everything(self) -> pl.DataFrame:
        """Every contact of the desk with its outcome and the `data_end`."""
        extra = self.outcomes.drop("resolved_by")
        joined = self.desk.contacts.join(extra, on=["source", "contact_id"], how="inner", maintain_order="left")
        return joined.with_columns(data_end=pl.lit(self.desk.manifest.data_end).dt.convert_time_zone("UTC").dt.cast_time_unit("us"))

    @cached_property
    def contacts(self) -> pl.DataFrame:
        """The contacts that started in the period, with their outcomes."""
        return self.everything.filter(self.period.covers(pl.col("start_at"), time_zone=self.time_zone))

    @cached_property
    def days(self) -> float:
        """How many days of the period the data covers."""
        first, after = self.period.bounds(time_zone=self.time_zone)
        manifest = self.desk.manifest
        return max((min(after, manifest.data_end) - max(first, manifest.data_start)) / timedelta(days=1), 0.0)

    @cached_property
    def first_contacts(self) -> pl.DataFrame:
        """The contacts that started in the period and count: resolved, failed or still pending."""
        return self.contacts.filter(pl.col("label").is_in(["resolved", "failed", "pending"]))

    @cached_property
    def headline(self) -> dict[str, float]:
        """FCR of the period as it will stand, with everything that is not in it: the one row of `rates.final_fcr`."""
        return self.rate(self.contacts).row(0, named=True)

    def rate(self, judged: pl.DataFrame, *, by: str | Sequence[str] = ()) -> pl.DataFrame:
        """FCR of some contacts of this study as it will stand when every window has closed (columns of `rates.final_fcr`)."""
        return final_fcr(judged, window=self.policy.window, by=by)

    def under(self, policy: Policy, *, within: Literal["period", "desk"] = "period") -> pl.DataFrame:
        """The contacts of the period, or of the whole desk, judged under another definition."""
        other = self if policy.fingerprint == self.policy.fingerprint else self.with_policy(policy)
        return other.contacts if within == "period" else other.everything

    def with_policy(self, policy: Policy) -> Study:
        """The same study under another definition."""
        return replace(self, policy=policy, outcomes=judge(self.desk, policy=policy))

    def before(self) -> Study | None:
        """The same study of the period before, or None where the two cannot be compared.

        That is so where the desk does not reach back far enough, and where the policy waits for no window: older contacts have then had
        more time to fail.
        """
        earlier = self.period.previous()
        if self.policy.window is None:
            return None
        if earlier.bounds(time_zone=self.time_zone)[0] < self.desk.manifest.data_start:
            return None
        study = replace(self, period=earlier)
        return study if study.headline["n"] >= TOO_FEW else None

    def sides(self, *, against: str = PREVIOUS, dims: Sequence[str] = DIMENSIONS) -> Sides:
        """The contacts of the period beside those of an earlier one, by what they bring along.

        Parameters
        ----------
        against
            `previous` (the period before), `year-before` (the same days a year earlier, where seasons matter) or `nothing`. Where the desk
            does not reach back that far, or the two cannot be compared, there is only the period itself, and a note says so.
        dims
            Columns by which places are told apart.

        Raises
        ------
        UsageError
            For another word, or a column that is not there.
        """
        earlier = self._asked(against)
        reason = self._not_comparable(earlier) if earlier else ""
        both = sides(self.everything, later=self.period, earlier=None if reason else earlier, dims=dims, time_zone=self.time_zone)
        return replace(both, notes=(*both.notes, reason)) if reason else both

    def earlier(self, against: str = PREVIOUS) -> Period | None:
        """The period to compare with (`previous`, `year-before` or `nothing`), or None where there is none that can be compared.

        Raises
        ------
        UsageError
            For another word.
        """
        earlier = self._asked(against)
        return None if earlier is None or self._not_comparable(earlier) else earlier

    def _asked(self, against: str) -> Period | None:
        if against not in (PREVIOUS, YEAR_BEFORE, NOTHING):
            raise UsageError(f"a period is compared against '{PREVIOUS}', '{YEAR_BEFORE}' or '{NOTHING}', not '{against}'")
        return {PREVIOUS: self.period.previous(), YEAR_BEFORE: self.period.year_before()}.get(against)

    def _not_comparable(self, earlier: Period) -> str:
        """Why an earlier period cannot be held against this one, or nothing."""
        if self.policy.window is None:
            return "This definition waits for no window, so older contacts have had more time to fail: periods cannot be compared."
        if earlier.bounds(time_zone=self.time_zone)[0] < self.desk.manifest.data_start:
            return f"The data begins after {earlier.label} does, so there is no such period to compare with."
        return ""

    def definitions(self) -> pl.DataFrame:
        """FCR of the period under the definitions this desk can tell apart (columns of `judge.definitions.definition_grid`)."""
        within = self.period.covers(pl.col("start_at"), time_zone=self.time_zone)
        return definition_grid(
            self.desk,
            policy=self.policy,
            same_issue=self._issues_known(),
            scopes=(True, False) if self.desk.contacts["channel"].n_unique() > 1 else (True,),
            transfers=("ignore",) if self.lacks("has_group_history") else ("ignore", "any"),
            within=within,
        )

    def _issues_known(self) -> list[str]:
        links = self.desk.contacts.select(pl.col("follow_up_of", "parent_id", "issue_key").is_not_null().any()).row(0)
        known = {
            "none": not self.lacks("has_status_history"),
            "linked": any(links),
            "category": not self.lacks("has_customer", "has_category"),
            "any": not self.lacks("has_customer"),
        }
        return [issue for issue, is_known in known.items() if is_known] or ["none"]

    def lacks(self, *capabilities: str) -> list[str]:
        """What this desk lacks of what a question needs, in words."""
        return [CAPABILITIES[name] for name in capabilities if not self.desk.manifest.has(name)]


def _without_tagged(desk: Desk, *, tags: tuple[str, ...]) -> Desk:
    if not tags:
        return desk
    wanted = [unicodedata.normalize("NFC", tag) for tag in tags]
    tagged = pl.col("tags").list.eval(pl.element().is_in(wanted)).list.any().fill_null(False)
    return replace(desk, contacts=desk.contacts.with_columns(is_test=pl.col("is_test") | tagged))


def _linked(desk: Desk, settings: Settings) -> tuple[Desk, Customers | None]:
    if desk.identifiers.is_empty():
        return desk, None
    people = customers_of(desk, rules=settings.identity)
    return joined(desk, found=people), people


def _fingerprint(folder: Path, policy: Policy, settings: Settings) -> str:
    """Changes whenever a file of the desk, the policy, the version of the judge or a setting that moves a label does."""
    rules = (settings.exclude_tags, sorted(settings.categories.items()), settings.identity.model_dump_json())
    files = [(file.name, file.stat().st_size, file.stat().st_mtime_ns) for file in sorted(folder.iterdir()) if file.is_file()]
    return hashlib.sha256(repr((files, policy.fingerprint, policy.name, rules, fcrlib.__version__)).encode()).hexdigest()[:16]


def _remembered(file: Path, desk: Desk, *, policy: Policy) -> pl.DataFrame:
    if file.exists():
        return pl.read_parquet(file, glob=False)
    outcomes = judge(desk, policy=policy)
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        # Notebooks that run side by side may judge the same desk at the same time: each writes a file of its own, the last one stays.
        partial = file.with_suffix(f".{os.getpid()}.tmp")
        outcomes.write_parquet(partial)
        partial.replace(file)
    except OSError:
        # A desk on read-only ground is judged anew each time: slower, but no less true.
        return outcomes
    return outcomes
