"""Which first contacts were rated, how, by whom, and how like the rest are they?

What a customer answers is set beside the system's verdict on the contact, and beside what was known of it by its first resolution: nothing
that came later is among what a comparison may hold equal. The system's verdict is always one that has not read the survey itself.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import timedelta
from math import ceil
from typing import TYPE_CHECKING

import polars as pl

from fcrlib.judge import survey
from fcrlib.judge.costs import follow_up_cost
from fcrlib.judge.rates import is_final, rate, withhold
from fcrlib.judge.timing import AFTER, BEFORE, UNTIMED, when_rated
from fcrlib.model.columns import KEY, NOT_KNOWN, OTHERS
from fcrlib.model.costs import Rates
from fcrlib.model.numbers import count

if TYPE_CHECKING:
    from fcrlib.study import Study

__all__ = ["AFTER", "BEFORE", "UNTIMED", "Rated", "of_study", "quadrants", "satisfied"]
TOP, PROMOTER, MOST, GROUPS, MEMORY = 0.75, 0.9, 3, 6, timedelta(days=90)
NO_SURVEY = "This desk has no survey, so nobody's satisfaction is known"
NO_RATING = "No first contact of the period that can be judged was rated"
RECOMMEND = "0-10"
STANDS_IN = "Nobody was asked how satisfied they were, so the will to recommend (0 to 10) stands for it: 9 and 10 count as satisfied."
COLUMNS: dict[str, type[pl.DataType]] = {
    "source": pl.String, "contact_id": pl.String, "customer": pl.String, "account": pl.String, "agent": pl.String, "team": pl.String,
    "channel": pl.String, "category": pl.String, "tier": pl.String, "language": pl.String, "product_area": pl.String, "month": pl.String,
    "fcr": pl.Boolean, "survey_fcr": pl.Boolean, "agreed": pl.Boolean, "good": pl.Boolean, "score": pl.Float64, "rating": pl.Int64,
    "ces": pl.Float64, "nps": pl.Float64, "weight": pl.Float64, "timing": pl.String, "wait": pl.Float64, "transfers_before": pl.Int64,
    "hour_block": pl.String, "prior_contacts_90d": pl.Int64, "handle": pl.Float64, "contacts_to_resolve": pl.String,
}  # fmt: skip
OPTIONAL = {
    "account": "the account", "agent": "the first agent", "team": "the first team", "category": "the category", "tier": "the tier", "language": "the language",
    "product_area": "the product area", "wait": "the wait for a person", "transfers_before": "the transfers", "handle": "the handle time",
    "prior_contacts_90d": "earlier contacts of the same customer", "ces": "effort", "nps": "the will to recommend",
}  # fmt: skip
_WEIGHED = {"respondents": pl.Int64, "effective": pl.Float64, "largest": pl.Float64, "merged": pl.Int64, "note": pl.String}
_BALANCE = {"variable": pl.String, "level": pl.String, "population": pl.Float64, "before": pl.Float64, "after": pl.Float64}
_RATE = {"n": pl.Int64, "clusters": pl.Int64, "share": pl.Float64, "low": pl.Float64, "high": pl.Float64}
_WORDS = {
    (True, True): "resolved and satisfied", (True, False): "resolved, not satisfied", (False, True): "failed, yet satisfied",
    (False, False): "failed and not satisfied",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Rated:
    """The first contacts of a period with what their customers answered.

    Parameters
    ----------
    frame
        One row per first contact with a final verdict, answered or not, by `source`, `contact_id` (columns of `of_study`).
    counted
        `what`, `n`: how many contacts, and how many of which answer.
    scale
        The scale of the ratings, the most frequent one; None where nothing was rated.
    weights
        One row: `respondents`, `effective` (Kish's size), `largest` (contacts that one answer stands for, at most), `merged` (cells with
        fewer than 20 answers), `note`.
    balance
        `variable`, `level`, `population` (share of all), `before`, `after`: standardised differences of those who rated, as they are and
        weighed. The largest `before` first.
    notes
        What has to be said, a sentence each.
    good_from
        The lowest rating that counts as satisfied; None where the scale has no numbers.
    """

    frame: pl.DataFrame
    counted: pl.DataFrame
    scale: str | None = None
    weights: pl.DataFrame = field(default_factory=lambda: pl.DataFrame(schema=_WEIGHED))
    balance: pl.DataFrame = field(default_factory=lambda: pl.DataFrame(schema=_BALANCE))
    notes: tuple[str, ...] = ()
    good_from: int | None = None

    def given(self, *columns: str) -> list[str]:
        """Those of the columns that this desk knows."""
        return [column for column in columns if column in self.frame.columns]


def of_study(study: Study) -> Rated:
    """The first contacts of the period with a final verdict, what was known of each, and what its customer answered.

    Contacts that are still pending are left out, and counted. Ratings on another scale than the most frequent one are never mixed in. An
    answer without a time counts, and comes before those that have one. Where nobody was asked for a rating, but for the will to recommend, that
    stands for it.

    Returns
    -------
    Rated
        Its `frame` has, answered or not: `source`, `contact_id`, `customer`, `account`, `agent` and `team` (the first), `channel`, `category`,
        `tier`, `language`, `product_area`, `month` of the start; `fcr` (resolved, as the system sees it); the answers, null where none was
        given: `survey_fcr` (yes; `partly` is no yes), `agreed` (`fcr` where both agree, else null), `good` (0.75 or better on 0..1; on 0-10:
        9 or 10), `score` (0..1), `rating` (whole number on its scale), `ces`, `nps`, `weight` (contacts that a rating stands for), `timing` of
        the rating (before any repeat; after the window or a repeat; time unknown). Known by the first resolution: `wait` (seconds),
        `transfers_before` (3 stands for more), `hour_block` of the start, `prior_contacts_90d` of the customer. Of the whole contact: `handle`
        (seconds); of the whole issue: `contacts_to_resolve` (1, 2, 3, 4+; null where it was never resolved). What the desk does not
        record is no column, and said in a note. Without any rating the frame is empty.
    """
    alone = study if study.policy.survey == "ignore" else study.with_policy(study.policy.revised(survey="ignore"))
    first = alone.first_contacts
    final = first.filter(is_final()).sort(KEY)
    table = study.desk.surveys if not study.lacks("has_survey") else study.desk.surveys.clear()
    answered = _answers(final, _rated_by(table), study=study)
    counted = _counted(first.height, answered)
    scale = _main_scale(answered)
    if scale is None:
        sentence = NO_SURVEY if study.lacks("has_survey") else NO_RATING
        return Rated(pl.DataFrame(schema=COLUMNS), counted, notes=(sentence,))
    rows = answered.join(_known_before(alone, final), on=KEY, how="left", maintain_order="left")
    rows = rows.join(_course(alone), on=KEY, how="left", maintain_order="left").with_columns(*_rating(scale), when_rated(), *_verdicts())
    weighed = _weighed(rows)
    kept = rows.join(weighed.frame.select(*KEY, "weight"), on=KEY, how="left", maintain_order="left")
    missing = [name for name in OPTIONAL if kept[name].is_null().all()]
    frame = kept.select(pl.col(name).cast(dtype) for name, dtype in COLUMNS.items() if name not in missing)
    cost = (frame["good"].count(), weighed.ess, weighed.max_weight, len(weighed.collapsed), "; ".join(weighed.collapsed[:3]))
    return Rated(
        frame,
        counted,
        scale,
        pl.DataFrame([cost], schema=_WEIGHED, orient="row"),
        _unlike(weighed.balance),
        _notes(answered, scale, missing, alone, stands_in=not table["csat"].count()),
        _good_from(scale),
    )


def _rated_by(table: pl.DataFrame) -> pl.DataFrame:
    """The answers, with the will to recommend as the rating where no answer holds one."""
    if table["csat"].count() or not table["nps"].count():
        return table
    scale = pl.when(pl.col("nps").is_not_null()).then(pl.lit(RECOMMEND, table.schema["csat_scale"]))
    return table.with_columns(csat=pl.col("nps") / 10, csat_scale=scale)


def _answers(final: pl.DataFrame, table: pl.DataFrame, *, study: Study) -> pl.DataFrame:
    """The contacts with the last answer to each question, and whether anybody was asked."""
    manifest = study.desk.manifest
    timed = table.with_columns(pl.col("answered_at").fill_null(manifest.data_start), untimed=pl.col("answered_at").is_null())
    rows = final.join(table.select(*KEY, offered=True).unique(), on=KEY, how="left", maintain_order="left")
    questions = {"resolved": ["resolved"], "csat": ["csat", "csat_scale", "untimed", "answered_at"], "ces": ["ces"], "nps": ["nps"]}
    for question, kept in questions.items():
        last = survey.last_answers(timed, question=question, data_end=manifest.data_end)
        rows = rows.join(last.select(*KEY, *kept), on=KEY, how="left", maintain_order="left")
    scale = pl.when(pl.col("csat").is_not_null()).then(pl.col("csat_scale").fill_null(NOT_KNOWN))
    return rows.with_columns(pl.col("offered").fill_null(False), scale.alias("csat_scale"), answer=pl.col("resolved").cast(pl.String))


def _main_scale(answered: pl.DataFrame) -> str | None:
    scales = answered.drop_nulls("csat").group_by("csat_scale").len().sort(pl.col("len") * -1, "csat_scale")
    return str(scales["csat_scale"][0]) if scales.height else None


def _counted(contacts: int, answered: pl.DataFrame) -> pl.DataFrame:
    scale, csat = _main_scale(answered), pl.col("csat").is_not_null()
    mine = csat & (pl.col("csat_scale") == pl.lit(scale, pl.String)).fill_null(False)
    kinds = {
        "with a final verdict": pl.len(),
        "of these asked": pl.col("offered").sum(),
        f"rated on {scale}" if scale and scale != NOT_KNOWN else "rated": mine.sum(),
        "rated on another scale (left out)": (csat & ~mine).sum(),
        "rated, but the time is not known": (mine & pl.col("untimed").fill_null(False)).sum(),
        "answered whether it was resolved": pl.col("answer").count(),
        "answered partly (no yes)": (pl.col("answer") == "partly").sum(),
        "told how much effort it was": pl.col("ces").count(),
        "told whether they would recommend": pl.col("nps").count(),
    }
    found = answered.select(value.cast(pl.Int64).alias(name) for name, value in kinds.items()).row(0)
    left = {"first contacts": contacts, "verdict still open (left out)": contacts - answered.height}
    return pl.DataFrame([*left.items(), *zip(kinds, found, strict=True)], schema={"what": pl.String, "n": pl.Int64}, orient="row")


def _rating(scale: str) -> list[pl.Expr]:
    """The ratings on the one scale: `score`, `good` and the whole number that was ticked."""
    score = pl.when(pl.col("csat_scale") == pl.lit(scale)).then("csat")
    low, high = _ends(scale) or (0, 1)
    ticked = low + score * (high - low)
    whole = pl.when((ticked - ticked.round()).abs() < 1e-6).then(ticked.round().cast(pl.Int64))
    # Half a step of rounding must not push a nine of ten below nine tenths.
    return [score.alias("score"), (score >= _top(scale) - 1e-9).alias("good"), whole.alias("rating")]


def _top(scale: str) -> float:
    return PROMOTER if _ends(scale) == (0, 10) else TOP


def _good_from(scale: str) -> int | None:
    ends = _ends(scale)
    return None if ends is None else ends[0] + ceil(_top(scale) * (ends[1] - ends[0]) - 1e-9)


def _ends(scale: str) -> tuple[int, int] | None:
    found = re.fullmatch(r"\s*(\d+)\s*(?:-|–|to)\s*(\d+)\s*", scale)
    return (min(ends), max(ends)) if found and (ends := (int(found[1]), int(found[2]))) else None


def _verdicts() -> list[pl.Expr]:
    flag, said = pl.col("label") == "resolved", pl.col("answer") == "yes"
    return [flag.alias("fcr"), said.alias("survey_fcr"), pl.when(flag == said).then(flag).alias("agreed")]


def _known_before(study: Study, final: pl.DataFrame) -> pl.DataFrame:
    """What was known of each contact by its first resolution, and its handle time."""
    local = final.select(pl.col("start_at").dt.convert_time_zone(study.time_zone).alias("local"))["local"]
    block = pl.format("{}-{}", *((pl.col("local").dt.hour() // 4 * 4 + more).cast(pl.String).str.zfill(2) for more in (0, 4)))
    rows = final.with_columns(local).select(
        *KEY, month=pl.col("local").dt.strftime("%Y-%m"), hour_block=block, wait="wait_seconds", handle="handle_seconds", account="account_ref",
        agent="first_agent", team="first_group",
    )  # fmt: skip
    parts = _transfers(study, final), _prior(final, study.everything)
    for part in parts:
        rows = rows.join(part, on=KEY, how="left", maintain_order="left")
    return rows


def _transfers(study: Study, final: pl.DataFrame) -> pl.DataFrame:
    """Transfers by the first resolution, or by the failure where there was none; null where the desk does not record them."""
    if study.lacks("has_group_history"):
        return final.select(*KEY, transfers_before=pl.lit(None, pl.Int64))
    moved = study.desk.events.filter(pl.col("kind") == "transfer").select(*KEY, "at")
    until = final.select(*KEY, until=pl.coalesce("anchor_at", "failed_at"))
    counts = until.join(moved, on=KEY, how="left").group_by(KEY).agg(transfers_before=(pl.col("at") <= pl.col("until")).sum())
    return counts.with_columns(pl.col("transfers_before").clip(upper_bound=MOST))


def _prior(final: pl.DataFrame, everything: pl.DataFrame) -> pl.DataFrame:
    """Contacts of the same customer in the 90 days before the start; null where the customer is not known."""
    real = everything.filter(pl.col("label") != "excluded", pl.col("customer").is_not_null()).select("customer", at="start_at").sort("at")
    seen = real.with_columns(so_far=pl.int_range(1, pl.len() + 1).over("customer"))
    asked = final.filter(pl.col("customer").is_not_null()).select(*KEY, "customer", "start_at")
    tick = timedelta(microseconds=1)
    for name, moment in (("until", pl.col("start_at") - tick), ("earlier", pl.col("start_at") - MEMORY - tick)):
        # The moment is spelled anew each time, because the frame must come in its order.
        asked = asked.with_columns(moment=moment).sort("moment", *KEY)
        asked = asked.join_asof(seen.rename({"so_far": name}), left_on="moment", right_on="at", by="customer", check_sortedness=False).drop("at")
    counts = asked.select(*KEY, prior_contacts_90d=pl.col("until").fill_null(0) - pl.col("earlier").fill_null(0))
    return counts


def _course(study: Study) -> pl.DataFrame:
    """How many contacts the issue took; a reopening counts as one. Unknown where the failed contact was never resolved and nothing followed."""
    later = follow_up_cost(study.everything, rates=Rates()).select(*KEY, "later_contacts")
    here = study.everything.filter(pl.col("label").is_in(["resolved", "failed"])).select(*KEY, "anchor_at")
    rows = here.join(later, on=KEY, how="left").with_columns(pl.col("later_contacts").fill_null(0))
    number = pl.when(pl.col("later_contacts") >= 3).then(pl.lit("4+")).otherwise((pl.col("later_contacts") + 1).cast(pl.String))
    ended = (pl.col("later_contacts") > 0) | pl.col("anchor_at").is_not_null()
    return rows.select(*KEY, contacts_to_resolve=pl.when(ended).then(number))


def _weighed(rows: pl.DataFrame) -> survey.Weights:
    """Weights of the ratings by verdict, channel and category; the six largest categories by themselves, the rest together."""
    text = pl.col("channel", "category", "tier", "language").cast(pl.String).fill_null(NOT_KNOWN)
    named = rows.select(*KEY, text, "month", "fcr", rated=pl.col("good").is_not_null())
    largest = named.group_by("category").len().sort(pl.col("len") * -1, "category")["category"].head(GROUPS)
    lumped = pl.when(pl.col("category").is_in(largest.implode())).then("category").otherwise(pl.lit(OTHERS))
    named = named.with_columns(lumped.alias("category"))
    return survey.response_weights(named, responded="rated", cells=["fcr", "channel", "category"], margins=["tier", "language", "month"])


def _unlike(balance: pl.DataFrame) -> pl.DataFrame:
    words = pl.when(pl.col("variable") == "fcr").then(pl.col("level").replace({"true": "resolved", "false": "failed"})).otherwise("level")
    return balance.with_columns(words.alias("level")).sort(pl.col("before").abs() * -1, "variable", "level", nulls_last=True).select(list(_BALANCE))


def _notes(answered: pl.DataFrame, scale: str, missing: list[str], study: Study, *, stands_in: bool) -> tuple[str, ...]:
    """What has to be said of the frame, a sentence each."""
    rated = answered.drop_nulls("csat")
    others, untimed = rated.filter(pl.col("csat_scale") != scale), int(rated["untimed"].sum())
    notes = [STANDS_IN] if stands_in else []
    if others.height:
        names = ", ".join(others["csat_scale"].unique().sort())
        notes.append(f"{count(others.height)} ratings on other scales ({names}) are left out: ratings of different scales are never mixed.")
    if untimed:
        notes.append(f"Of {count(untimed)} ratings the time is not known, so nobody can say whether they came before a repeat.")
    if _ends(scale) is None:
        notes.append(f"The scale '{scale}' has no numbers, so only its best answers are counted as satisfied.")
    if missing:
        notes.append(f"This desk does not record {', '.join(OPTIONAL[name] for name in missing)}.")
    first, _ = study.period.bounds(time_zone=study.time_zone)
    if first - MEMORY < study.desk.manifest.data_start and "prior_contacts_90d" not in missing:
        notes.append("The data begins less than 90 days before the period does, so earlier contacts are counted too low at its start.")
    if study.everything.select(((pl.col("label") == "repeat") & (pl.col("start_at") > pl.col("data_end") - MEMORY)).any()).item():
        notes.append("An issue may go on after the data ends, so the number of contacts that it took is the number seen so far.")
    if "handle" not in missing:
        notes.append("The handle time is that of the whole contact, also of what was done after it was reopened.")
    return tuple(notes)


def quadrants(rated: Rated) -> pl.DataFrame:
    """Resolved or not, satisfied or not: how many of those who rated?

    Returns
    -------
    pl.DataFrame
        Four rows: `quadrant` in words, `fcr`, `good`, `n`, `clusters` (customers of all who rated), `share` of all who rated with `low`, `high`
        (95 %, by customer), and `weighted`, `weighted_low`, `weighted_high`: the same when each rating stands for the contacts like it.
        Empty where nothing was rated.
    """
    schema = {"quadrant": pl.String, "fcr": pl.Boolean, "good": pl.Boolean} | _RATE
    schema |= dict.fromkeys(("weighted", "weighted_low", "weighted_high"), pl.Float64)
    rows = rated.frame.drop_nulls("good")
    tables = [] if rows.is_empty() else [_quadrant(rows, *cell, word) for cell, word in _WORDS.items()]
    return pl.concat([pl.DataFrame(schema=schema), *(table.cast(schema) for table in tables)])  # type: ignore[arg-type]


def _quadrant(rows: pl.DataFrame, fcr: bool, good: bool, word: str) -> pl.DataFrame:
    what = (pl.col("fcr") == fcr) & (pl.col("good") == good)
    plain, weighed = rate(rows, what, cluster="customer"), rate(rows, what, cluster="customer", weight="weight")
    here = rows.filter(what).height
    told = weighed.select(weighted="share", weighted_low="low", weighted_high="high")
    named = plain.select(
        quadrant=pl.lit(word), fcr=pl.lit(fcr), good=pl.lit(good), n=pl.lit(here), clusters="clusters", share="share", low="low", high="high"
    )
    return pl.concat([named, told], how="horizontal")


def satisfied(rated: Rated, *, by: str) -> pl.DataFrame:
    """Share of satisfied customers by how many contacts it took (`contacts_to_resolve`), by when they rated (`timing`), or by another column.

    Returns
    -------
    pl.DataFrame
        One row per level, sorted: the column `by`, `n` ratings, `clusters` (customers), `share` with `low`, `high` (95 %, by customer),
        `weighted` (each rating stands for the contacts like it), `score` (mean on 0..1), `too_few`: fewer than 30 ratings or 10 customers
        are blank.
    """
    rows = rated.frame.drop_nulls(["good", by])
    schema = {by: rated.frame.schema[by]} | _RATE | {"weighted": pl.Float64, "score": pl.Float64, "too_few": pl.Boolean}
    if rows.is_empty():
        return pl.DataFrame(schema=schema)
    plain = withhold(rate(rows, "good", by=by, cluster="customer"))
    more = rate(rows, "good", by=by, cluster="customer", weight="weight").select(by, weighted="share")
    scores = rows.sort(by, "score").group_by(by, maintain_order=True).agg(score=pl.col("score").mean())
    table = plain.join(more, on=by, maintain_order="left").join(scores, on=by, maintain_order="left")
    known = pl.when(~pl.col("too_few"))
    return table.with_columns(known.then(pl.col("weighted", "score")).name.keep()).select(list(schema)).cast({"n": pl.Int64, "clusters": pl.Int64})
