"""When do customers come back, and what would be seen anyway?"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import polars as pl

from fcrlib.judge import repeats
from fcrlib.judge.curves import DAY, censored_fcr, knee, nowcast, repeat_curve
from fcrlib.judge.rates import fcr, mature, rate
from fcrlib.judge.survival import kaplan_meier
from fcrlib.model.columns import NOT_KNOWN
from fcrlib.model.policy import in_words

if TYPE_CHECKING:
    from fcrlib.study import Study

QUESTIONS = {"anything": ("customer",), "the same category": ("customer", "category")}
MONTH, WINDOWS, TOO_FEW = 30 * DAY, (DAY, 2 * DAY, 7 * DAY), 30
MATURE, AT_ONCE, HOPEFUL, CENSORED = (
    "only where the window has closed",
    "failures counted at once",
    "open windows counted as resolved",
    "open windows for as long as seen (headline)",
)
# A contact that got no answer is left out of the rate, but the customer who sent it did come back.
_STILL_A_CONTACT = ("no_response", "auto_closed", "no_answer")
_CURVE = {
    "about": pl.String, "day": pl.Float64, "at_risk": pl.Int64, "events": pl.Int64, "hazard": pl.Float64, "share": pl.Float64,
    "se": pl.Float64, "low": pl.Float64, "high": pl.Float64, "n": pl.Int64, "clusters": pl.Int64,
}  # fmt: skip
_KNEE = {
    "about": pl.String, "knee_day": pl.Float64, "background": pl.Float64, "excess": pl.Float64, "excess_low": pl.Float64,
    "excess_high": pl.Float64, "share_excess": pl.Float64, "events": pl.Int64, "note": pl.String,
}  # fmt: skip
_BACKGROUND = {
    "about": pl.String, "window": pl.String, "scope": pl.String, "n": pl.Int64, "customers": pl.Int64, "raw": pl.Float64, "raw_low": pl.Float64,
    "raw_high": pl.Float64, "placebo": pl.Float64, "placebo_low": pl.Float64, "placebo_high": pl.Float64, "excess": pl.Float64,
    "excess_low": pl.Float64, "excess_high": pl.Float64,
}  # fmt: skip
_READING = {"reading": pl.String, "n": pl.Int64, "open": pl.Int64, "share": pl.Float64, "low": pl.Float64, "high": pl.Float64}
_WEEK = {
    "week": pl.Date, "n": pl.Int64, "share": pl.Float64, "low": pl.Float64, "high": pl.Float64, "complete": pl.Float64, "hollow": pl.Boolean,
}  # fmt: skip
_REDIAL = {"channel": pl.String, "abandoned": pl.Int64, "redialled": pl.Int64, "share": pl.Float64, "low": pl.Float64, "high": pl.Float64}
_UNCERTAIN = {
    "split": pl.String, "group": pl.String, "n": pl.Int64, "open": pl.Int64, "median": pl.Float64, "median_low": pl.Float64,
    "median_high": pl.Float64, "p75": pl.Float64, "p90": pl.Float64,
}  # fmt: skip


def _empty(schema: dict[str, type[pl.DataType]]) -> pl.DataFrame:
    return pl.DataFrame(schema=schema)


def _openings(study: Study) -> pl.DataFrame:
    """What customers opened, over the whole desk; spam, tests and second submissions are none of it."""
    real = (pl.col("label") != "excluded") | pl.col("reason").is_in(_STILL_A_CONTACT)
    return study.everything.filter(real).select("customer", "category", opened_at="start_at")


def _questions(study: Study) -> dict[str, tuple[str, ...]]:
    known = study.everything.select(pl.col("customer", "category").is_not_null().any()).row(0, named=True)
    return {about: same for about, same in QUESTIONS.items() if all(known[name] for name in same)}


def returns(study: Study) -> pl.DataFrame:
    """Share of customers who opened another contact by each day after the first resolution of a first contact of the period.

    Returns
    -------
    pl.DataFrame
        `about` (anything, the same category), then the columns of `curves.repeat_curve` for days 0 to 30; intervals by customer.
        Empty where the desk knows no customers.
    """
    index, openings = study.first_contacts.filter(pl.col("customer").is_not_null()), _openings(study)
    curves = [
        repeat_curve(repeats.next_contact(index, same=same, anchor="anchor_at", among=openings), window=MONTH, cluster="customer").select(
            pl.lit(about).alias("about"), pl.all()
        )
        for about, same in _questions(study).items()
    ]
    return pl.concat([_empty(_CURVE), *curves])


def knees(study: Study) -> pl.DataFrame:
    """Day after which returns come at no more than their background pace.

    Returns
    -------
    pl.DataFrame
        One row per question: `about`, then the fields of `curves.Knee`: `knee_day`, `background` (per day), `excess` (cumulated
        hazard), `excess_low`, `excess_high`, `share_excess`, `events`, `note`.
    """
    curves = returns(study)
    rows = [(about, knee(curves.filter(pl.col("about") == about))) for about in _questions(study)]
    return pl.DataFrame([(about, *(getattr(found, name) for name in list(_KNEE)[1:])) for about, found in rows], schema=_KNEE, orient="row")


def background(study: Study) -> pl.DataFrame:
    """How many come back right after a resolution, how many four weeks later, and the difference.

    Asked of the first contacts of the period. Where fewer than 30 of them are old enough, all first contacts of the desk are asked.

    Returns
    -------
    pl.DataFrame
        One row per question and window of 1, 2 and 7 days: `about`, `window` (in words), `scope` (the period's label or `whole
        desk`), then the columns of `repeats.excess`. Empty where the desk knows no customers.
    """
    end = study.desk.manifest.data_end
    counted = pl.col("label").is_in(["resolved", "failed", "pending"])
    old = study.first_contacts.filter(pl.col("customer").is_not_null(), pl.col("anchor_at") + 28 * DAY + max(WINDOWS) <= end)
    young = old.height < TOO_FEW
    index, openings = (study.everything.filter(counted) if young else study.first_contacts), _openings(study)
    rows = [
        repeats.excess(index, window=window, data_end=end, same=same, anchor="anchor_at", among=openings).select(
            about=pl.lit(about),
            window=pl.lit(in_words(window)),
            scope=pl.lit("whole desk" if young else study.period.label),
            **_all(_BACKGROUND, skip=3),
        )
        for about, same in _questions(study).items()
        for window in WINDOWS
    ]
    return pl.concat([_empty(_BACKGROUND), *rows])


def _all(schema: dict[str, type[pl.DataType]], *, skip: int) -> dict[str, pl.Expr]:
    return {name: pl.col(name) for name in list(schema)[skip:]}


def censored(study: Study) -> pl.DataFrame:
    """FCR of the period under four ways of treating windows that are still open.

    Returns
    -------
    pl.DataFrame
        `reading`, `n`, `open` (of them with an open window and, but for the second, without a failure yet), `share`, `low`, `high`; the headline of the report is the last
        reading. Empty where the definition waits for no window.
    """
    window = study.policy.window
    if not window:
        return _empty(_READING)
    index = study.first_contacts.filter((pl.col("label") != "pending") | (pl.col("reason") == "window").fill_null(False))
    young = (pl.col("horizon_at") > pl.col("data_end")).fill_null(False) & (pl.col("reason") != "unresolved").fill_null(True)
    hopeful = rate(index, pl.col("label") != "failed", cluster="customer")
    seen = censored_fcr(index, window=window, cluster="customer")
    tables = {MATURE: fcr(mature(index)), AT_ONCE: fcr(index), HOPEFUL: hopeful, CENSORED: seen}
    among = {MATURE: mature(index), AT_ONCE: index.filter(pl.col("label") != "pending"), HOPEFUL: index, CENSORED: index}
    rows = [
        table.select(
            pl.lit(reading).alias("reading"),
            pl.col("n").cast(pl.Int64),
            open=pl.lit(among[reading].select((young & (pl.lit(reading == AT_ONCE) | (pl.col("label") == "pending"))).sum()).item(), pl.Int64),
            **_all(_READING, skip=3),
        )
        for reading, table in tables.items()
    ]
    return pl.concat([_empty(_READING), *rows]).fill_nan(None)


def weekly(study: Study) -> pl.DataFrame:
    """FCR by the week in which contacts were first resolved, over the whole desk, the newest weeks as they will probably end.

    A contact that reached the deadline unresolved belongs to the week of its deadline. Weeks whose windows are still open are
    completed by `curves.nowcast`. By the week of the start, the newest weeks would show only what is resolved fast.

    Returns
    -------
    pl.DataFrame
        `week` (its Monday), `n`, `share`, `low`, `high` (95 %, by customer), `complete` (part of the failures to come that
        contacts of these ages have usually shown), `hollow` (still to change, or cut by the end of the data). Weeks below 30
        contacts and one that the start of the data cuts are left out. Empty where the definition waits for no window.
    """
    window, zone = study.policy.window, study.time_zone
    if not window:
        return _empty(_WEEK)
    given_up = pl.when(pl.col("reasons").list.contains("unresolved")).then(pl.col("start_at") + (study.policy.resolve_deadline or timedelta(0)))
    decided = pl.min_horizontal("anchor_at", given_up)
    index = study.everything.filter(pl.col("label").is_in(["resolved", "failed", "pending"])).with_columns(decided_at=decided)
    # A failure that the window does not bound, such as a late survey, still is one when the window closes.
    last = pl.when(pl.col("failed_at").is_not_null()).then(pl.min_horizontal("failed_at", pl.col("decided_at") + window))
    weeks = nowcast(index.with_columns(failed_at=last), window=window, start="decided_at", cluster="customer", time_zone=zone)
    first, end = study.desk.manifest.data_start.date(), study.desk.manifest.data_end.date()
    ends = {"low": (1 - pl.col("high")).clip(0, 1), "high": (1 - pl.col("low")).clip(0, 1)}
    shown = weeks.with_columns(share=1 - pl.col("nowcast"), **ends, hollow=pl.col("hollow") | (pl.col("week").dt.offset_by("6d") > end))
    return shown.filter(pl.col("n") >= TOO_FEW, pl.col("week") >= first).select(list(_WEEK))


def redials(study: Study) -> pl.DataFrame:
    """How often customers who gave up waiting in the period tried again within ten minutes, on any channel.

    Returns
    -------
    pl.DataFrame
        The columns of `repeats.redials`. Empty where no known customer gave up.
    """
    here = study.period.covers(pl.col("start_at"), time_zone=study.time_zone)
    # Whoever gave up outside the period is only looked at as a possible second try.
    asked = study.everything.with_columns(is_abandoned=pl.col("is_abandoned") & here)
    return pl.concat([_empty(_REDIAL), repeats.redials(asked, same=("customer",))])


def uncertainty(study: Study) -> pl.DataFrame:
    """How long customers of the period waited from their first contact to the true end of their issue.

    The issue ends with the last resolution in the chain of its repeats, once the window after it has passed in silence; an
    issue that had not ended by then counts for as long as it was seen.

    Returns
    -------
    pl.DataFrame
        One row per group, the whole first, then channels and outcomes of the first contact (resolved, failed): `split`,
        `group`, `n` (issues), `open` (not ended yet), `median`, `median_low`, `median_high` (95 %, by customer), `p75`, `p90`,
        all in hours; null where fewer than that part have been seen to end. Issues too young to be seen at all are left out.
    """
    issues = _issues(study)
    splits = {"all": pl.lit("all"), "channel": pl.col("channel").cast(pl.String), "first contact": pl.col("label").cast(pl.String)}
    tables = [_quantiles(issues.with_columns(split=pl.lit(split), group=level)) for split, level in splits.items()]
    return pl.concat([_empty(_UNCERTAIN), *tables]).filter(pl.col("group") != "pending")


def _issues(study: Study) -> pl.DataFrame:
    """First contacts with `hours` seen and whether the issue had `ended`; judged as it stood one window before the data end."""
    over = pl.col("status").cast(pl.String).is_in(["solved", "closed"])
    chain = study.everything.filter(pl.col("label").is_in(["resolved", "failed", "pending", "repeat"])).select(
        "source",
        contact_id=pl.coalesce("repeat_of", "contact_id"),
        solved_at=pl.when(over).then(pl.coalesce("last_resolved_at", "anchor_at", "closed_at")),
    )
    ends = chain.group_by("source", "contact_id").agg(ended_at=pl.col("solved_at").max(), going=pl.col("solved_at").is_null().any())
    issues = study.first_contacts.join(ends, on=["source", "contact_id"], how="left", maintain_order="left")
    seen = (pl.col("data_end") - (study.policy.window or timedelta(0)) - pl.col("start_at")).dt.total_seconds() / 3600
    took = ((pl.col("ended_at") - pl.col("start_at")).dt.total_seconds() / 3600).clip(lower_bound=0)
    ended = (~pl.col("going") & (took <= seen)).fill_null(False)
    issues = issues.filter(seen >= 0).with_columns(hours=pl.when(ended).then(took).otherwise(seen), ended=ended)
    return issues.select("customer", "channel", "label", "hours", "ended")


def _quantiles(issues: pl.DataFrame) -> pl.DataFrame:
    """Quantiles of each group's curve, the larger groups first."""
    groups = ["split", "group"]
    curve = kaplan_meier(issues, time="hours", event="ended", by=groups, cluster="customer")
    first = {"median": ("share", 0.5), "median_low": ("high", 0.5), "median_high": ("low", 0.5), "p75": ("share", 0.75), "p90": ("share", 0.9)}
    found = curve.group_by(groups).agg(**{name: pl.col("hours").filter(pl.col(of) >= part).min() for name, (of, part) in first.items()})
    sizes = issues.group_by(groups).agg(n=pl.len().cast(pl.Int64), open=(~pl.col("ended")).sum().cast(pl.Int64))
    table = sizes.join(found, on=groups, how="left", nulls_equal=True).sort(pl.col("n") * -1, "group")
    return table.with_columns(pl.col("group").fill_null(NOT_KNOWN)).select(list(_UNCERTAIN))
