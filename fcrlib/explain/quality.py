"""Can this data answer which questions, and what is wrong with it?

Nothing is repaired here. Every check says how often it struck, what that does to the numbers and what to do about it.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from statistics import median
from typing import TYPE_CHECKING, NamedTuple

import polars as pl

from fcrlib.intake.canonical.words import CHANNEL_WORDS, meaning
from fcrlib.judge.hours import hours
from fcrlib.judge.rates import share, wilson
from fcrlib.judge.reconcile import FIGURES, differences, reconcile
from fcrlib.model.checks import CATCH_ALL, CHECKS, SEVERITIES, crowd_limit, flags
from fcrlib.model.tables import CAPABILITIES

if TYPE_CHECKING:
    from fcrlib.study import Study

QUESTIONS: dict[str, tuple[str, ...]] = {
    "How often is an issue resolved on first contact?": ("has_customer",),
    "Does the customer come back about the same thing?": ("has_customer", "has_category"),
    "Which contacts are reopened?": ("has_status_history",),
    "Which contacts were closed without an answer?": ("has_messages", "has_public_flag"),
    "How many answers does a contact need?": ("has_messages", "has_public_flag"),
    "Which contacts bounce between teams?": ("has_group_history",),
    "Does a contact reach the right team first?": ("has_group_history", "has_category"),
    "Where does the time between opening and resolution go?": ("has_events", "has_status_history"),
    "What are failed contacts about, in the customers' words?": ("has_text",),
    "Do customers agree that it was resolved?": ("has_survey",),
    "Are customers more satisfied when it was resolved at once?": ("has_survey", "has_customer"),
    "What do repeat contacts cost?": ("has_cost", "has_customer"),
    "How long does the work take?": ("has_handle_time",),
}
ASKED = {
    "customer_ref": "customer",
    "account_ref": "account",
    "category": "category",
    "product_area": "product area",
    "first_group": "first team",
    "resolver_group": "resolving team",
    "resolver_agent": "resolving agent",
    "tier": "service tier",
    "language": "language",
    "body": "opening text",
    "handle_seconds": "handle time",
    "cost": "cost",
}
SLICES = {
    "channel": "channel",
    "category": "category",
    "product_area": "product area",
    "first_group": "first team",
    "tier": "service tier",
    "first_agent": "first agent",
}
TIMED = {"has_customer", "has_status_history", "has_events"}
A_WEEK, WEEKS_A_QUARTER = 50, 13


class Found(NamedTuple):
    """How often a check struck, of how many, and an example."""

    found: int
    of: int
    example: str = ""


def tables(study: Study) -> pl.DataFrame:
    """What came in: `table`, `rows`."""
    rows = [{"table": name, "rows": frame.height} for name, frame in study.desk.tables().items()]
    return pl.DataFrame(rows, schema={"table": pl.String, "rows": pl.Int64})


def dropped(study: Study) -> pl.DataFrame:
    """What the reader left out: `what`, `count`, `why`."""
    rows = [{"what": d.what, "count": d.count, "why": d.why} for d in study.desk.manifest.dropped]
    return pl.DataFrame(rows, schema={"what": pl.String, "count": pl.Int64, "why": pl.String})


def questions(study: Study) -> pl.DataFrame:
    """Which questions this desk can answer: `question`, `answer` (yes or no), `missing` (what it lacks)."""
    rows = [
        {"question": question, "answer": "no" if (missing := study.lacks(*needs)) else "yes", "missing": "; ".join(missing)}
        for question, needs in QUESTIONS.items()
    ]
    return pl.DataFrame(rows, schema={"question": pl.String, "answer": pl.String, "missing": pl.String})


def fitness(study: Study) -> tuple[int, int]:
    """How many of the questions the desk can answer, and how many there are."""
    asked = questions(study)
    return int((asked["answer"] == "yes").sum()), asked.height


def verdicts(study: Study, *, faults: pl.DataFrame | None = None) -> pl.DataFrame:
    """How far each question can be trusted on this desk.

    Parameters
    ----------
    faults
        What `lint` found, where it is at hand.

    Returns
    -------
    pl.DataFrame
        `question`, `verdict`: `not fit` where something is not recorded or a check stops it, `fit with care` where a check weakens it,
        else `fit`; `why`: what is missing or which checks, the gravest first; in the order of `QUESTIONS`.
    """
    struck = lint(study) if faults is None else faults
    rows = [{"question": question, **_verdict(study, needs, struck)} for question, needs in QUESTIONS.items()]
    return pl.DataFrame(rows, schema={"question": pl.String, "verdict": pl.String, "why": pl.String})


def _verdict(study: Study, needs: tuple[str, ...], struck: pl.DataFrame) -> dict[str, str]:
    about = ("", *needs, *(["time"] if TIMED & set(needs) else []))
    touched = [name for name, check in CHECKS.items() if check.touches in about]
    grave = struck.filter(pl.col("check").is_in(touched) & pl.col("severity").is_in(["stops", "weakens"]))
    why = [f"not recorded: {what}" for what in study.lacks(*needs)]
    why += [f"{row['check']} ({row['found']:,} of {row['of']:,})" for row in grave.to_dicts()]
    stopped = bool(study.lacks(*needs)) or "stops" in grave["severity"].to_list()
    return {"verdict": "not fit" if stopped else "fit with care" if why else "fit", "why": "; ".join(why)}


def verdict(study: Study, *, faults: pl.DataFrame | None = None) -> tuple[str, list[str]]:
    """Is the desk fit for the questions of this report?

    Returns
    -------
    tuple
        `fit` if it is for every question, `not fit` if it is not for the first one, which all others build on, else `fit with care`;
        and the reasons, each once.
    """
    asked = verdicts(study, faults=faults)
    words = asked["verdict"].to_list()
    word = "not fit" if words[0] == "not fit" else "fit" if set(words) == {"fit"} else "fit with care"
    reasons = asked["why"].str.split("; ").explode(empty_as_null=True).drop_nulls()
    return word, [reason for reason in reasons.unique(maintain_order=True) if reason]


def lint(study: Study) -> pl.DataFrame:
    """Every check of `CHECKS` on the contacts of the period, what it does to the numbers and what to do.

    Returns
    -------
    pl.DataFrame
        `check`, `found`, `of` (contacts; weeks for the check on weeks), `share`, `low`, `high` (95 %, as if contacts were independent),
        `example`, `severity` (`stops`, `weakens`, `note`, or `clean` where it found no more than any desk has; null where the desk does not
        record what the check needs), `so`, `do`. The gravest first, then the most frequent.
    """
    counted = {**_flagged(_seen(study), study), **_shapes(study)}
    blind = {name for name, check in CHECKS.items() if check.touches in CAPABILITIES and study.lacks(check.touches)}
    rows = [{"check": name, **(Found(0, 0) if name in blind else counted[name])._asdict(), **check._asdict()} for name, check in CHECKS.items()]
    frame = pl.DataFrame(rows, schema_overrides={"note": pl.Float64, "weakens": pl.Float64, "stops": pl.Float64})
    frame = frame.with_columns(share=pl.when(pl.col("of") > 0).then(pl.col("found") / pl.col("of")))
    low, high = wilson(pl.col("share"), pl.col("of"))
    reached = [pl.when((pl.col("found") > 0) & (pl.col("share") >= pl.col(word))).then(pl.lit(word)) for word in SEVERITIES[:3]]
    severity = pl.when(pl.col("of") > 0).then(pl.coalesce(*reached, pl.lit("clean"))).cast(pl.Enum(SEVERITIES))
    graded = frame.with_columns(low=low, high=high, severity=severity)
    graded = graded.sort("severity", pl.col("share") * -1, "check", nulls_last=True).with_columns(pl.col("severity").cast(pl.String))
    return graded.select("check", "found", "of", "share", "low", "high", "example", "severity", "so", "do")


def _seen(study: Study) -> pl.DataFrame:
    """The contacts of the period with when they were answered and when the customer was last heard."""
    keys = ["source", "contact_id"]
    spoken = study.desk.events.filter(pl.col("public") & ~pl.col("is_auto") & pl.col("kind").is_in(["message", "call_leg"]))
    spoken = spoken.join(study.contacts.select(keys), on=keys, how="semi")
    answer, heard = pl.col("actor").is_in(["agent", "bot"]), pl.col("actor") == "customer"
    voices = spoken.group_by(keys).agg(
        answered_at=pl.col("at").filter(answer).min(),
        last_answer_at=pl.col("at").filter(answer).max(),
        heard_at=pl.col("at").filter(heard).max(),
        called=(pl.col("kind") == "call_leg").any(),
    )
    rated = study.desk.surveys.filter(pl.col("answered_at").is_not_null()).select(keys).unique().with_columns(rated=pl.lit(True))
    joined = study.contacts.join(voices, on=keys, how="left", maintain_order="left").join(rated, on=keys, how="left", maintain_order="left")
    talked = (pl.col("talk_seconds") > 0).fill_null(False)
    return joined.with_columns(pl.col("rated", "called").fill_null(False), talked=talked, held=pl.len().over("customer"))


def _flagged(here: pl.DataFrame, study: Study) -> dict[str, Found]:
    """The checks that look at one contact at a time; what needs something that the desk does not record is asked of nobody."""
    staff = pl.concat([study.desk.agents["agent_id"], here["first_agent"], here["resolver_agent"]]).drop_nulls().unique().to_list()
    rules = flags(time_zones=(study.time_zone, study.desk.manifest.time_zone), agents=staff, crowd=crowd_limit(study.days))
    counted = here.select(
        expression.fill_null(False).sum().cast(pl.Int64).alias(f"{side} {name}")
        for name, (strikes, asked) in rules.items()
        for side, expression in (("found", strikes & asked), ("of", asked))
    ).row(0, named=True)
    return {name: Found(counted[f"found {name}"], counted[f"of {name}"]) for name in rules}


def _shapes(study: Study) -> dict[str, Found]:
    """The checks that look at many contacts together."""
    here = study.contacts
    return {
        "no customer, on channels that know theirs far less": _blind_channels(here),
        "a category that holds everything": _catch_all(here),
        "channel word nobody knows": _strange_channels(here),
        "opened at night": _at_night(here, time_zone=study.time_zone),
        "missing in the last three days": _falling(study),
        "resolved, watched beyond the last contact": _watched(study),
        "weeks with hardly any contacts": _holes(volume(study)),
        "closed in bulk": _bulk(here),
        "text cut at a fixed length": _cut(here),
    }


def _named(counts: pl.DataFrame, *, most: int = 3) -> str:
    """The first labels of a frame (label, count) with their counts."""
    return ", ".join(f"{label} ({n:,})" for label, n in counts.head(most).iter_rows())


def _blind_channels(here: pl.DataFrame) -> Found:
    known = here.group_by(pl.col("channel").cast(pl.String)).agg(share(pl.col("customer_ref").is_not_null())).sort("share", "channel")
    whole = here["customer_ref"].is_not_null().mean()
    far = known.filter(pl.col("high") < float(str(whole)) - 0.1).with_columns(blind=((1 - pl.col("share")) * pl.col("n")).round().cast(pl.Int64))
    return Found(int(far["blind"].sum()), here.height, _named(far.select("channel", "blind")))


def _catch_all(here: pl.DataFrame) -> Found:
    labels = here.drop_nulls("category").group_by("category").agg(n=pl.len().cast(pl.Int64)).sort(pl.col("n") * -1, "category")
    everything = labels.filter((pl.col("n") > 0.5 * pl.col("n").sum()) | pl.col("category").str.contains(CATCH_ALL))
    return Found(int(everything["n"].sum()), int(labels["n"].sum()), _named(everything))


def _strange_channels(here: pl.DataFrame) -> Found:
    strange = here.filter(
        (pl.col("channel") == "other") & pl.col("channel_raw").is_not_null() & meaning("channel_raw", words=CHANNEL_WORDS).is_null()
    )
    words = strange.group_by("channel_raw").agg(n=pl.len()).sort(pl.col("n") * -1, "channel_raw")
    return Found(strange.height, int(here["channel_raw"].count()), _named(words))


def _at_night(here: pl.DataFrame, *, time_zone: str) -> Found:
    """Contacts between midnight and six, where the hours look wrong: flat over the night, or with their middle off the working day."""
    seen = hours(here, time_zone=time_zone)
    if seen.middle is None:
        return Found(0, 0)
    return Found(seen.night, seen.n, f"the middle of the day's contacts is {seen.middle:.0f}:00 in {time_zone}") if seen.odd else Found(0, seen.n)


def _falling(study: Study) -> Found:
    """Contacts missing in the three days before the data end, against the same days of the four weeks before."""
    ago = (pl.lit(study.desk.manifest.data_end) - pl.col("opened_at")).dt.total_seconds() / 86_400
    days = study.desk.contacts.select(ago=ago).filter((pl.col("ago") >= 0) & (pl.col("ago") < 35))
    counts = [days.filter((pl.col("ago") >= 7 * week) & (pl.col("ago") < 7 * week + 3)).height for week in range(5)]
    usual = int(median(counts[1:]))
    if usual < 20:
        return Found(0, 0)
    return Found(usual - counts[0] if counts[0] < 0.5 * usual else 0, usual)


def _watched(study: Study) -> Found:
    """Resolved contacts whose window runs on after the last contact of a desk whose data end lies long after it."""
    end, resolved = study.desk.manifest.data_end, study.contacts.filter(pl.col("label") == "resolved")
    opened = study.desk.contacts.filter(pl.col("opened_at") <= end)["opened_at"]
    first, last = opened.min(), opened.max()
    if not isinstance(first, datetime) or not isinstance(last, datetime):
        return Found(0, 0)
    if end - last <= max(timedelta(days=3), 20 * (last - first) / len(opened)):
        return Found(0, resolved.height)
    return Found(resolved.filter(pl.col("horizon_at") > last).height, resolved.height, f"last contact {last:%Y-%m-%d}, data end {end:%Y-%m-%d}")


def _holes(weeks: pl.DataFrame) -> Found:
    """Full weeks with less than a quarter of the usual contacts; where these are few, a quiet week is no sign."""
    inner = weeks[1:-1]
    usual = float(str(inner["contacts"].median() or 0))
    quiet = inner.filter(pl.col("contacts") < 0.25 * usual)
    return Found(quiet.height, inner.height, ", ".join(f"{week}" for week in quiet["week"].head(3))) if usual >= 20 else Found(0, 0)


def _bulk(here: pl.DataFrame) -> Found:
    """Twenty or more resolved at one instant, and ten times as many as is usual for one instant."""
    instants = here.drop_nulls("anchor_at").group_by("anchor_at").agg(n=pl.len().cast(pl.Int64)).sort(pl.col("n") * -1, "anchor_at")
    bulk = instants.filter(pl.col("n") >= pl.max_horizontal(pl.lit(20), 10 * pl.col("n").median()))
    return Found(int(bulk["n"].sum()), int(instants["n"].sum()), _named(bulk.with_columns(pl.col("anchor_at").dt.strftime("%Y-%m-%d %H:%M"))))


def _cut(here: pl.DataFrame) -> Found:
    """Texts of one length at which a fifth and more of all texts that reach it end; masking personal data moves some of them."""
    lengths = here.drop_nulls("body").group_by(length=pl.col("body").str.len_chars()).agg(n=pl.len().cast(pl.Int64)).sort("length", descending=True)
    piled = lengths.with_columns(reach=pl.col("n").cum_sum()).filter((pl.col("n") >= 20) & (pl.col("n") >= 0.2 * pl.col("reach")))
    longest = piled.sort(pl.col("n") * -1, pl.col("length") * -1).head(1)
    return Found(int(longest["n"].sum()), int(lengths["n"].sum()), f"{longest['length'][0]} letters" if longest.height else "")


def filled(study: Study) -> pl.DataFrame:
    """How many contacts of the period have each column filled: `column`, `n`, `share`; the fullest first."""
    here = study.contacts
    rows = [
        {"column": name, "n": int(here[column].is_not_null().sum()), "share": float(here[column].is_not_null().mean() or 0)}  # type: ignore[arg-type]
        for column, name in ASKED.items()
    ]
    return pl.DataFrame(rows).sort(pl.col("share") * -1, "column")


def volume(study: Study, *, years: int = 5) -> pl.DataFrame:
    """Contacts opened per week over the whole desk, at most the last `years`: `week` (its Monday), `contacts`."""
    week = pl.col("opened_at").dt.convert_time_zone(study.time_zone).dt.truncate("1w").dt.date()
    recent = study.desk.contacts.filter(pl.col("opened_at") > study.desk.manifest.data_end - timedelta(days=365 * years))
    counts = recent.group_by(week.alias("week")).agg(contacts=pl.len()).sort("week")
    if counts.is_empty():
        return counts.with_columns(pl.col("contacts").cast(pl.Int64))
    return counts.upsample("week", every="1w").with_columns(pl.col("contacts").fill_null(0).cast(pl.Int64))


def sliceable(study: Study) -> pl.DataFrame:
    """Which columns hold enough contacts per level to be looked at apart, and how often.

    Fifty contacts a week is a published rule of thumb, not a law: below it a weekly rate moves by chance more than by anything else.
    The same number over a quarter is the line for a quarterly look.

    Returns
    -------
    pl.DataFrame
        `slice` (what), `levels`, `weekly` (contacts a week of the middle level), `below` (levels under 50 a week), `covered` (share of the
        contacts in the other levels) and `advice`; contacts whose level is not known are left out. In the order of `SLICES`.
    """
    rows = [_sliced(study, column) | {"slice": name} for column, name in SLICES.items()]
    columns = {"slice": pl.String, "levels": pl.Int64, "weekly": pl.Float64, "below": pl.Int64, "covered": pl.Float64, "advice": pl.String}
    return pl.DataFrame(rows, schema=columns)


def _sliced(study: Study, column: str) -> dict[str, object]:
    sizes = study.contacts.drop_nulls(column).group_by(column).len()["len"] / _weeks(study)
    if sizes.is_empty():
        return {"levels": 0, "weekly": None, "below": 0, "covered": None, "advice": "not recorded"}
    middle = float(str(sizes.median()))
    large = sizes.filter(sizes >= A_WEEK)
    weekly, quarterly = middle >= A_WEEK, middle * WEEKS_A_QUARTER >= A_WEEK
    advice = "only one level" if len(sizes) == 1 else "slice by week" if weekly else "slice by quarter" if quarterly else "do not slice"
    return {
        "levels": len(sizes),
        "weekly": middle,
        "below": len(sizes) - len(large),
        "covered": float(large.sum()) / float(sizes.sum()),
        "advice": advice,
    }


def _weeks(study: Study) -> float:
    """Length of the part of the period that the data cover, at least a day."""
    first, after = study.period.bounds(time_zone=study.time_zone)
    covered = min(after, study.desk.manifest.data_end) - max(first, study.desk.manifest.data_start)
    return max(covered, timedelta(days=1)) / timedelta(weeks=1)


def reconciled(study: Study) -> pl.DataFrame:
    """The helpdesk's own figures beside ours, over the whole desk: the columns of `judge.reconcile.reconcile`.

    The first resolution is the one that the study's definition takes.
    """
    return reconcile(study.desk, study.outcomes)


def unlike(study: Study, *, most: int = 100) -> pl.DataFrame:
    """The contacts on which the helpdesk's figures and ours do not agree, to look up on its screen.

    Parameters
    ----------
    most
        Rows of each figure that are shown.

    Returns
    -------
    pl.DataFrame
        `figure`, `source`, `contact_id`, `vendor` and `ours` (as text; instants in the study's time zone), `rule` (which explains it, or null), `of`
        (how many of the figure differ). In the order of the figures, the unexplained first.
    """
    rows = [differences(study.desk, figure=name, outcomes=study.outcomes).pipe(_in_words, study, name, most) for name in FIGURES]
    return pl.concat(rows)


def _in_words(rows: pl.DataFrame, study: Study, figure: str, most: int) -> pl.DataFrame:
    instants = isinstance(rows.schema["vendor"], pl.Datetime)
    both = pl.col("vendor", "ours")
    told = both.dt.convert_time_zone(study.time_zone).dt.strftime("%Y-%m-%d %H:%M") if instants else both.cast(pl.String)
    named = rows.head(most).with_columns(told, figure=pl.lit(figure), of=pl.lit(rows.height, pl.Int64))
    return named.select("figure", "source", "contact_id", "vendor", "ours", "rule", "of")
