"""How often is what the rule calls a repeat really about the same issue?

A rule that joins contacts into issues is a guess until people have looked. A stratified sample of repeats goes out as a
worksheet; what comes back gives the rule's precision, with its interval, for the definition it was drawn under and no other.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import polars as pl

from fcrlib.intake.tables.worksheet import one_line
from fcrlib.judge.rates import wilson
from fcrlib.judge.sampling import Drawing, draw, keep, kept_in, stamp
from fcrlib.link.issues import jaccard, words
from fcrlib.model.desk import Desk, read_manifest
from fcrlib.model.errors import DataError, UsageError
from fcrlib.model.policy import Policy

LEAST, MOST, USUAL = 10, 500, 50
KEY, ANSWER = "pair", "same_issue"
BLANK = (ANSWER, "tagger", "note")
CARRIED = ("stratum", "stratum_size", "drawn")
THRESHOLDS = tuple(round(0.05 * step, 2) for step in range(1, 20))
_PLACE = ["source", "contact_id"]
_SHOWN = ("channel", "category", "subject", "body")
_MARKED: dict[str, Any] = {
    KEY: pl.String,
    "stratum": pl.String,
    "stratum_size": pl.Int64,
    "similarity": pl.Float64,
    **dict.fromkeys(BLANK, pl.String),
}


def repeats(outcomes: pl.DataFrame) -> pl.DataFrame:
    """Every repeat with the nearest earlier contact of its chain.

    Returns
    -------
    pl.DataFrame
        `pair` (names both, unique), `source`, `contact_id`, `start_at` of the repeat and the same of the contact it comes back from,
        beginning with `earlier_`; ordered by source and contact_id.
    """
    known = outcomes.select(*_PLACE, "start_at", "customer", "repeat_of").sort(_PLACE)
    again = known.filter(pl.col("repeat_of").is_not_null())
    heads = known.select(contact_id="contact_id", head_source="source", head_customer="customer")
    # An id may exist in several sources: the chain begins with the same customer's, or else with that of the same source.
    told = again.join(heads, left_on="repeat_of", right_on="contact_id", how="inner").with_columns(
        other_person=(pl.col("customer") != pl.col("head_customer")).fill_null(True), other_source=pl.col("source") != pl.col("head_source")
    )
    chosen = told.sort(*_PLACE, "other_person", "other_source", "head_source").unique(_PLACE, keep="first", maintain_order=True)
    members = chosen.select(*_PLACE, "start_at", "head_source", head="repeat_of")
    first = known.join(members.select(source="head_source", contact_id="head").unique(), on=_PLACE, how="semi")
    chains = pl.concat([members, first.select(*_PLACE, "start_at", head_source="source", head="contact_id")])
    before = {f"earlier_{name}": pl.col(name).shift(1).over("head_source", "head") for name in (*_PLACE, "start_at")}
    ordered = chains.unique([*_PLACE, "head_source", "head"]).sort("head_source", "head", "start_at", *_PLACE).with_columns(**before)
    found = ordered.filter(pl.col("earlier_contact_id").is_not_null()).select(*_PLACE, "start_at", *before)
    # The word in front keeps a spreadsheet from reading a number, a date or a formula.
    name = one_line(pl.format("contact {} after {} ({})", "contact_id", "earlier_contact_id", "source"))
    return found.sort(_PLACE).select(name.alias(KEY), pl.all())


def sample(desk: Desk, outcomes: pl.DataFrame, *, policy: Policy, n: int = 80, seed: int = 0, within: pl.Expr | None = None) -> pl.DataFrame:
    """Draw repeats for people to look at, each stratum by its size and none left out.

    Strata are the channel of the repeat, whether the customer switched channels, and whether the wording is alike (the policy's
    `similarity`). Where these are more than half of `n`, the channel gives way. The same seed on the same desk draws the same pairs,
    whatever the order of the rows.

    Parameters
    ----------
    n
        How many pairs; all of them where there are fewer.
    within
        Which contacts may be drawn as repeats, an expression on `outcomes` (usually the period).

    Returns
    -------
    pl.DataFrame
        `pair`, what a reader needs to decide (`days_between`, and channel, category, subject, body of both contacts), the empty columns
        `same_issue`, `tagger`, `note`, then what the answer is weighed by: `stratum`, `stratum_size` (repeats in it), `similarity`
        (Jaccard's index, null without text) and `drawn` (definition, seed and desk); in random order.

    References
    ----------
    Cochran (1977), Sampling Techniques, 3rd ed., 91-93 (proportional allocation).

    Examples
    --------
    A worksheet for the definition of a study::

        sample(study.desk, study.outcomes, policy=study.policy)
    """
    if not LEAST <= n <= MOST:
        raise UsageError(f"a sample has {LEAST} to {MOST} pairs, not {n}")
    pool = repeats(outcomes)
    if within is not None:
        pool = pool.join(outcomes.filter(within).select(_PLACE), on=_PLACE, how="semi", maintain_order="left")
    if pool.is_empty():
        raise DataError(f"no contact is called a repeat under {policy.name}, so there is nothing to look at")
    told = _stratified(_with_texts(pool, desk=desk), policy=policy, n=n)
    drawn = draw(told, n=n, seed=seed)
    made = stamp(desk, made=f"{policy.name} {policy.fingerprint}", seed=seed, drawn=drawn.height, of=told.height, things="repeats")
    days = (pl.col("start_at") - pl.col("earlier_start_at")).dt.total_seconds() / 86400
    return drawn.select(
        KEY,
        days.round(1).alias("days_between"),
        *(f"{side}{name}" for name in _SHOWN for side in ("earlier_", "")),
        *(pl.lit(None, pl.String).alias(name) for name in BLANK),
        "stratum",
        "stratum_size",
        "similarity",
        pl.lit(made).alias("drawn"),
    )


def _with_texts(pool: pl.DataFrame, *, desk: Desk) -> pl.DataFrame:
    texts = desk.contacts.select(*_PLACE, *_SHOWN)
    earlier = texts.rename({name: f"earlier_{name}" for name in texts.columns})
    both = pool.join(texts, on=_PLACE, how="left", maintain_order="left")
    both = both.join(earlier, on=["earlier_source", "earlier_contact_id"], how="left", maintain_order="left")
    spoken = both.with_columns(said=words(), said_before=words("earlier_subject", "earlier_body"))
    return spoken.with_columns(similarity=jaccard("said", "said_before")).drop("said", "said_before")


def _stratified(told: pl.DataFrame, *, policy: Policy, n: int) -> pl.DataFrame:
    alike = pl.when(pl.col("similarity") >= policy.similarity).then(pl.lit("worded alike")).otherwise(pl.lit("worded apart"))
    switched = pl.when(pl.col("channel") == pl.col("earlier_channel")).then(pl.lit("same channel")).otherwise(pl.lit("switched channel"))
    wording = pl.when(pl.col("similarity").is_null()).then(pl.lit("no text")).otherwise(alike)
    fine = told.with_columns(stratum=pl.format("{}, {}, {}", pl.col("channel").cast(pl.String), switched, wording))
    coarse = fine.with_columns(stratum=pl.format("{}, {}", switched, wording))
    return fine if fine["stratum"].n_unique() <= n / 2 else coarse


def precision(marks: pl.DataFrame, *, by: str | Sequence[str] = ()) -> pl.DataFrame:
    """Share of the repeats that are about the same issue.

    Each answer stands for the repeats of its stratum; the interval is Wilson's on Kish's effective sample size, which gives away the little
    that stratifying gains. `unsure` and blank answers are not counted, and a stratum without any answer is not spoken for.

    Parameters
    ----------
    marks
        `same_issue` (yes, no, unsure or null), `stratum`, `stratum_size`, and the columns of `by`.

    Returns
    -------
    pl.DataFrame
        One row per level of `by`, sorted: `drawn` (pairs), `n` (answered yes or no), `yes`, `unsure`, `share` (0..1), `low`, `high` (95 %),
        `covered`: share of the repeats that lie in a stratum with an answer.

    References
    ----------
    Kish (1965), Survey Sampling, 257-259; Wilson (1927), JASA 22, 209-212.

    Examples
    --------
    >>> marks = pl.DataFrame({"same_issue": ["yes", "yes", "no", None], "stratum": list("aabb"), "stratum_size": [30, 30, 10, 10]})
    >>> precision(marks).select("drawn", "n", "yes", "share").row(0)
    (4, 3, 2, 0.75)
    """
    keys = [by] if isinstance(by, str) else list(by)
    counts = pl.col(ANSWER).is_in(["yes", "no"]).fill_null(False)
    spoken = counts.sum().over(*keys, "stratum")
    rows = marks.with_columns(
        counts=counts,
        w=pl.when(counts).then(pl.col("stratum_size") / spoken).otherwise(0.0),
        held=pl.col("stratum_size") / pl.len().over(*keys, "stratum"),
        is_spoken=spoken > 0,
    )
    total, said = pl.col("w").sum(), (pl.col(ANSWER) == "yes").fill_null(False)
    parts = {
        "drawn": pl.len().cast(pl.Int64),
        "n": pl.col("counts").sum().cast(pl.Int64),
        "yes": said.sum().cast(pl.Int64),
        "unsure": (pl.col(ANSWER) == "unsure").sum().cast(pl.Int64),
        "share": pl.when(total > 0).then((pl.col("w") * said).sum() / total),
        "effective": pl.when(total > 0).then(total**2 / pl.col("w").pow(2).sum()).otherwise(0.0),
        "covered": pl.when(pl.len() > 0).then((pl.col("held") * pl.col("is_spoken")).sum() / pl.col("held").sum()),
    }
    table = rows.group_by(keys).agg(**parts).sort(keys) if keys else rows.select(**parts)
    low, high = wilson(pl.col("share"), pl.col("effective"))
    return table.with_columns(low=low, high=high).select(*keys, "drawn", "n", "yes", "unsure", "share", "low", "high", "covered")


def calibrate(marks: pl.DataFrame, *, target: float = 0.8, thresholds: Sequence[float] = THRESHOLDS) -> pl.DataFrame:
    """How alike must two contacts be worded to be held for one issue?

    A pair without text can never be worded alike. Only pairs that the definition already joined were looked at, so this says how many of its
    repeats a stricter rule would keep and how sound they are; it cannot see the repeats that a looser rule would add.

    Parameters
    ----------
    marks
        As for `precision`, with `similarity`.
    target
        The precision that the lower end of the interval has to reach.

    Returns
    -------
    pl.DataFrame
        One row per threshold, ascending: `threshold`, `n`, `share`, `low`, `high` of the pairs at least that alike, `kept` (share of all
        repeats), `chosen`: true for the smallest threshold that reaches the target, nowhere where none does.
    """
    if not 0 < target < 1:
        raise UsageError(f"the target of the calibration is a share between 0 and 1, not {target}")
    held = marks.with_columns(w=pl.col("stratum_size") / pl.len().over("stratum"))
    everything = float(held.select(pl.col("w").sum()).item())
    rows = []
    for threshold in thresholds:
        alike = held.filter(pl.col("similarity").fill_null(-1) >= threshold)
        # What is left of a stratum stands for as many repeats as its pairs did before.
        part = alike.with_columns(stratum_size=(pl.col("w").sum().over("stratum")))
        kept = float(alike["w"].sum()) / everything if everything else 0.0
        rows.append(precision(part).select(pl.lit(float(threshold)).alias("threshold"), "n", "share", "low", "high", kept=pl.lit(kept)))
    table = pl.concat(rows)
    reaches = (pl.col("low") >= target).fill_null(False)
    return table.with_columns(chosen=reaches & (reaches.cast(pl.Int64).cum_sum() == 1))


@dataclass(frozen=True, slots=True)
class Audit:
    """What people said about a sample of repeats.

    Parameters
    ----------
    policy, fingerprint
        Name and fingerprint of the definition that called them repeats.
    source, data_end
        The desk they were drawn from.
    seed, repeats
        How they were drawn, and from how many.
    marks
        `pair`, `stratum`, `stratum_size`, `similarity`, `same_issue`, `tagger`, `note`: one row per pair of the worksheet.
    """

    policy: str
    fingerprint: str
    source: str
    data_end: datetime
    seed: int
    repeats: int
    marks: pl.DataFrame

    @property
    def precision(self) -> pl.DataFrame:
        """The one row of `precision`, with the definition and the desk it holds for; `covered` is of all repeats that were drawn from."""
        named = {"policy": self.policy, "fingerprint": self.fingerprint, "source": self.source, "data_end": self.data_end, "seed": self.seed}
        sizes = self.marks.unique("stratum")["stratum_size"].sum()
        row = precision(self.marks).with_columns(pl.col("covered") * (sizes / self.repeats))
        return row.select(*(pl.lit(value).alias(name) for name, value in named.items()), pl.lit(self.repeats).alias("repeats"), pl.all())

    @property
    def strata(self) -> pl.DataFrame:
        """The rows of `precision` by stratum."""
        return precision(self.marks, by="stratum")

    @property
    def kinds(self) -> pl.DataFrame:
        """The rows of `precision` by kind of repeat, all channels together: `kind` (same or switched channel, and the wording)."""
        return precision(self.marks.with_columns(kind=pl.col("stratum").str.extract(r"(\w+ channel, .*)$")), by="kind")

    @property
    def thresholds(self) -> pl.DataFrame:
        """The rows of `calibrate`."""
        return calibrate(self.marks)

    def save(self, folder: Path) -> Path:
        """Write it beside the desk of that folder, where a new import does not replace it."""
        fields = {
            "policy": self.policy,
            "fingerprint": self.fingerprint,
            "source": self.source,
            "data_end": self.data_end.isoformat(),
            "seed": self.seed,
            "repeats": self.repeats,
            "precision": precision(self.marks).row(0, named=True),
            "marks": self.marks.to_dicts(),
        }
        return keep(place(folder, self.fingerprint), fields)


def place(folder: Path, fingerprint: str) -> Path:
    """Where the audit of a definition is kept."""
    return kept_in(folder) / f"repeats-{fingerprint}.json"


def load(folder: Path, policy: Policy) -> Audit | None:
    """Read the audit of the desk in a folder under a policy.

    None where nobody has looked, or only under another definition, or at another desk that lay in this folder before.

    Raises
    ------
    DataError
        If the file is there and damaged.
    """
    file = place(folder, policy.fingerprint)
    if not file.is_file():
        return None
    try:
        fields: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
        names = {name: fields[name] for name in ("policy", "fingerprint", "source", "seed", "repeats")}
        marks = pl.DataFrame(fields["marks"], schema=_MARKED)
        found = Audit(**names, data_end=datetime.fromisoformat(fields["data_end"]), marks=marks)
    except (ValueError, KeyError, TypeError, pl.exceptions.PolarsError) as error:
        raise DataError(f"{file} is damaged ({str(error).splitlines()[0]}): import the worksheet again") from None
    return found if found.fingerprint == policy.fingerprint and found.source == read_manifest(folder).source else None


def conclude(filled: pl.DataFrame, *, desk: Desk, outcomes: pl.DataFrame, policy: Policy) -> Audit:
    """Make an audit of a worksheet that came back (`intake.tables.worksheet.read`).

    Raises
    ------
    DataError
        If what the worksheet carries about its strata or its drawing was changed.
    """
    sizes = filled["stratum_size"].cast(pl.Int64, strict=False)
    uneven = filled.with_columns(size=sizes).group_by("stratum").agg(pl.col("size").n_unique()).filter(pl.col("size") > 1)
    stamps = filled["drawn"].drop_nulls().unique(maintain_order=True).to_list()
    told = Drawing.told(stamps[0]) if stamps else None
    problems = [f"row {row}: stratum_size is no number above zero" for row in filled.filter((sizes < 1) | sizes.is_null())["row"]]
    problems += [f"stratum '{name}' has several sizes" for name in uneven["stratum"].sort()]
    problems += [f"row {row}: the stratum is empty" for row in filled.filter(pl.col("stratum").is_null())["row"]]
    problems += [f"it joins {len(stamps)} samples: import each on its own"] if len(stamps) > 1 else []
    problems += [] if told else ["the column drawn does not say how the sample was drawn"]
    if problems or told is None:
        raise DataError("the worksheet was changed where nobody should write; export it again and copy the answers over:", problems)
    pairs = repeats(outcomes).join(filled.select(KEY), on=KEY, how="semi")
    alike = _with_texts(pairs, desk=desk).select(KEY, "similarity")
    absent = [pl.lit(None, pl.String).alias(name) for name in BLANK if name not in filled.columns]
    marks = filled.drop("similarity", strict=False).with_columns(sizes, *absent).join(alike, on=KEY, how="left", maintain_order="left")
    return Audit(
        policy.name,
        policy.fingerprint,
        told.source,
        told.data_end,
        told.seed,
        told.of,
        marks.select(list(_MARKED)).cast(pl.Schema(_MARKED)),
    )
