"""Does the helpdesk's own figure agree with ours, contact by contact, and where not, which rule explains it?

The helpdesk's figures count by rules of its own. They are kept as `vendor_*` and compared; no rate is ever made of them. A rule explains a contact
only if ours, counted by that rule, equals the helpdesk's figure. A rule is believed if it makes more contacts agree than it makes differ, or, where the
figure can be more than yes or no, if it explains half of the gap; then it is said to hold on some contacts only. Sums that are one more everywhere have to
fit everywhere.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta

import polars as pl

from fcrlib.judge.rates import share
from fcrlib.judge.recounts import EVERYWHERE, Figure, figures, recount
from fcrlib.model.columns import KEY
from fcrlib.model.desk import Desk
from fcrlib.model.errors import UsageError
from fcrlib.model.tables import CAPABILITIES

EXAMPLES = 5
FIGURES = tuple(one.name for one in figures())
_MINUTE = timedelta(minutes=1)
_FEWEST, _LEAST, _FARTHEST, _HALF, _EVERYWHERE = 5, 0.1, 14, 0.5, 0.9
_SOME = ", on some contacts only"
_STARTS, _ENDS = range(7, 11), range(16, 21)
_PROMISED = (15, 30, 60, 120, 240, 480, 720, 1440, 2880, 4320)
_WEEK = ("Monday to Friday", 5), ("every day", 7)


@dataclass(frozen=True, slots=True)
class _Compared:
    """One figure of one source: contacts with both figures (`vendor`, `ours`, `agree`, `rule`), how often each rule explains, and why there are none."""

    source: str
    figure: Figure
    pairs: pl.DataFrame
    reasons: Mapping[str, int]
    missing: str | None
    blind: int


def reconcile(desk: Desk, outcomes: pl.DataFrame | None = None) -> pl.DataFrame:
    """Compare every figure that a helpdesk may give.

    Parameters
    ----------
    desk
        Its contacts hold the helpdesk's figures, its events ours.
    outcomes
        Judged contacts (`source`, `contact_id`, `anchor_at`); with them the resolution is the definition's, else the first one of the history.

    Returns
    -------
    pl.DataFrame
        One row per source and figure of `FIGURES`, in that order: `source`, `figure`, `column` (the helpdesk's), `n` contacts compared, `agree`,
        `share`, `low`, `high` (Wilson, of those that agree; instants agree within a minute), `vendor` and `ours` (sums; contacts with yes; null for
        instants), `apart` (hours by which the helpdesk's instant is later, the median of those that differ), `explained` (of those that differ, how
        many follow from a rule), `reason` (the rules with their counts, the largest first), `blind` (contacts with the helpdesk's figure whose
        history is not in the export), `missing` (why nothing can be compared), `examples` (contact ids that differ, the unexplained first).

    References
    ----------
    Newcombe (1998), Statistics in Medicine 17, 857-872, method 3.
    """
    text, whole, part = pl.String(), pl.Int64(), pl.Float64()
    named = {"source": text, "figure": text, "column": text}
    counted = {"n": whole, "agree": whole, "share": part, "low": part, "high": part, "vendor": whole, "ours": whole, "apart": part}
    schema = pl.Schema({**named, **counted, "explained": whole, "reason": text, "blind": whole, "missing": text, "examples": pl.List(text)})
    return pl.DataFrame([_row(one) for one in _all(desk, outcomes, FIGURES)], schema=schema)


def differences(desk: Desk, *, figure: str, outcomes: pl.DataFrame | None = None) -> pl.DataFrame:
    """The contacts on which one figure of the helpdesk and ours do not agree.

    Parameters
    ----------
    figure
        One of `FIGURES`.
    outcomes
        As for `reconcile`.

    Returns
    -------
    pl.DataFrame
        `source`, `contact_id`, `vendor`, `ours` (in the figure's own type) and `rule` (which explains it, or null); the unexplained first, then
        by key.

    Raises
    ------
    UsageError
        For a figure that nobody compares.
    """
    if figure not in FIGURES:
        raise UsageError(f"there is no figure '{figure}' to compare", [f"there are: {', '.join(FIGURES)}"])
    found = [one.pairs.filter(~pl.col("agree")) for one in _all(desk, outcomes, (figure,))]
    rows = pl.concat(found, how="vertical_relaxed").select(*KEY, "vendor", "ours", "rule")
    return rows.sort(pl.col("rule").is_not_null(), *KEY)


def _all(desk: Desk, outcomes: pl.DataFrame | None, names: tuple[str, ...]) -> Iterator[_Compared]:
    wide = recount(desk).with_columns(data_end=pl.lit(desk.manifest.data_end).dt.convert_time_zone("UTC").dt.cast_time_unit("us"))
    if outcomes is None:
        wide = wide.with_columns(anchor_at=pl.lit(None, pl.Datetime("us", "UTC")))
    else:
        wide = wide.join(outcomes.select(*KEY, "anchor_at"), on=KEY, how="left", maintain_order="left")
    for part in wide.partition_by("source", maintain_order=True):
        for one in figures():
            if one.name in names:
                yield _compared(part, one, desk)


def _compared(part: pl.DataFrame, figure: Figure, desk: Desk) -> _Compared:
    source = str(part["source"][0])
    missing = _missing(part, figure, desk)
    ours = figure.ours if missing is None else pl.lit(None, part.schema[figure.vendor])
    given = part.filter(pl.col(figure.vendor).is_not_null()).with_columns(vendor=figure.vendor, ours=ours)
    pairs = given.drop_nulls("ours").sort(*KEY).with_columns(agree=_same(pl.col("ours"), instant=_is_instant(given)))
    ruled, reasons = _explained(pairs, {**figure.rules, **_sought(pairs, figure, desk.manifest.time_zone)})
    if missing is None and pairs.is_empty():
        missing = "no contact has both the helpdesk's figure and its history"
    unseen = ~pl.col("told") | (~pl.col("traced") & pl.lit("has_status_history" in figure.needs))
    return _Compared(
        source, figure, ruled, reasons, missing, 0 if missing or not figure.needs else given.filter(pl.col("ours").is_null() & unseen).height
    )


def _missing(part: pl.DataFrame, figure: Figure, desk: Desk) -> str | None:
    """Why a figure cannot be compared, in words."""
    if part[figure.vendor].count() == 0:
        return "the export brings no such figure of the helpdesk's"
    lacks = [CAPABILITIES[name].partition(" (")[0] for name in figure.needs if not desk.manifest.has(name)]
    if lacks:
        return f"the export holds no {' and no '.join(lacks)}"
    if figure.name == "SLA met" and part["due_at"].count() == 0:
        return "the export does not say until when it was promised"
    return None


def _is_instant(pairs: pl.DataFrame) -> bool:
    return isinstance(pairs.schema["vendor"], pl.Datetime)


def _same(counted: pl.Expr, *, instant: bool) -> pl.Expr:
    """Does it equal the helpdesk's figure? A time that is given in minutes is as good as its minute."""
    same = (pl.col("vendor") - counted).abs() < pl.lit(_MINUTE) if instant else pl.col("vendor") == counted
    return same.fill_null(False)


def _explained(pairs: pl.DataFrame, rules: Mapping[str, pl.Expr]) -> tuple[pl.DataFrame, dict[str, int]]:
    """The pairs with the `rule` that explains a gap, and how many each explains; a contact goes to the rule that is believed most."""
    if pairs.is_empty() or pairs["agree"].all():
        return pairs.with_columns(rule=pl.lit(None, pl.String)), {}
    found = pairs.select("agree", *(_same(rule, instant=_is_instant(pairs)).alias(name) for name, rule in rules.items()))
    believed = _believed(found, yes_or_no=pairs.schema["vendor"] == pl.Boolean)
    told = [pl.when(pl.col(rule) & ~pl.col("agree")).then(pl.lit(said)) for rule, said in believed.items()]
    ruled = pairs.with_columns(found.select("agree", rule=pl.coalesce(*told, pl.lit(None, pl.String)))["rule"])
    counts = ruled.drop_nulls("rule").group_by("rule").agg(n=pl.len().cast(pl.Int64)).sort(pl.col("n") * -1, "rule")
    return ruled, dict(counts.iter_rows())


def _believed(found: pl.DataFrame, *, yes_or_no: bool) -> dict[str, str]:
    """The rules that are believed and how each is told, those that hold everywhere first. `found` has `agree` and a yes or no per rule."""
    rules = [name for name in found.columns if name != "agree"]
    fits, gap = found.filter(~pl.col("agree")).sum().row(0, named=True), int((~found["agree"]).sum())
    gains = {name: int(found[name].sum()) - int(found["agree"].sum()) for name in rules}
    fitting = [name for name in rules if gains[name] > 0 and (name not in EVERYWHERE or found[name].sum() >= _EVERYWHERE * found.height)]
    whole = sorted(fitting, key=lambda name: -gains[name])
    # With two values only, a rule that turns every yes into a no would explain every gap.
    halves = [name for name in rules if name not in whole and name not in EVERYWHERE and fits[name] >= _HALF * gap]
    some = [] if yes_or_no else sorted(halves, key=lambda name: -fits[name])
    return {name: name for name in whole} | {name: f"{name}{_SOME}" for name in some}


def _row(one: _Compared) -> dict[str, object]:
    pairs, differ = one.pairs, one.pairs.filter(~pl.col("agree")).sort(pl.col("rule").is_not_null(), *KEY, maintain_order=True)
    instant, n = _is_instant(pairs), pairs.height
    agreed = pairs.select(share(pl.col("agree"))).row(0, named=True)
    apart = differ.select((pl.col("vendor") - pl.col("ours")).dt.total_seconds().median() / 3600).item() if instant and differ.height else None
    return {
        "source": one.source,
        "figure": one.figure.name,
        "column": one.figure.vendor,
        "n": n,
        "agree": n - differ.height,
        **{name: agreed[name] if n else None for name in ("share", "low", "high")},
        **{name: None if instant or not n else int(pairs[name].sum()) for name in ("vendor", "ours")},
        "apart": apart,
        "explained": sum(one.reasons.values()),
        "reason": "; ".join(f"{rule} ({count:,})" for rule, count in one.reasons.items()) or None,
        "blind": one.blind,
        "missing": one.missing,
        "examples": differ["contact_id"].head(EXAMPLES).to_list(),
    }


# --- rules with a number in them, which the data has to give ------------------------------------------------------------------


def _sought(pairs: pl.DataFrame, figure: Figure, time_zone: str) -> dict[str, pl.Expr]:
    """Rules that are known but for a number: by how many hours, from when to when, within what time. They have to explain a good part of the gap."""
    differ = pairs.filter(~pl.col("agree"))
    if differ.height < _FEWEST:
        return {}
    if figure.name == "first resolved":
        return {**_shifted(pairs, differ), **_best(pairs, _calendars(time_zone))}
    return _best(pairs, _answers(figure.ours)) if figure.name == "SLA met" else {}


def _shifted(pairs: pl.DataFrame, differ: pl.DataFrame) -> dict[str, pl.Expr]:
    """A shift by whole hours, halves or quarters that many contacts share: clocks of two zones."""
    seconds = (pl.col("vendor") - pl.col("ours")).dt.total_seconds()
    quarter = ((seconds / 900).round() * 15).cast(pl.Int64)
    near = differ.select(minutes=quarter, off=(seconds - quarter * 60).abs()).filter((pl.col("off") < 60) & (pl.col("minutes") != 0))
    known = near.filter(pl.col("minutes").abs() <= 60 * _FARTHEST).group_by("minutes").agg(n=pl.len().cast(pl.Int64))
    common = known.filter((pl.col("n") >= _FEWEST) & (pl.col("n") >= _LEAST * pairs.height)).sort(pl.col("n") * -1, "minutes")
    first = pl.coalesce("anchor_at", "solved")
    return {
        f"the times are exactly {_hours(abs(minutes))} {'later' if minutes > 0 else 'earlier'}: is the time zone right?": first
        + pl.duration(minutes=minutes)
        for minutes in common["minutes"].head(3)
    }


def _hours(minutes: int) -> str:
    whole, rest = divmod(minutes, 60)
    return f"{minutes} minutes" if not whole else f"{whole} hour{'s' if whole != 1 else ''}" + (f" and {rest} minutes" if rest else "")


def _best(pairs: pl.DataFrame, rules: Mapping[str, pl.Expr]) -> dict[str, pl.Expr]:
    """Of rules that differ by a number, the one that fits most contacts, if it explains at least half of the gap: with enough numbers one fits a few."""
    found = pairs.select("agree", *(_same(rule, instant=_is_instant(pairs)).alias(name) for name, rule in rules.items()))
    fits, explained = found.sum().row(0, named=True), found.filter(~pl.col("agree")).sum().row(0, named=True)
    gap = found.height - int(fits["agree"])
    top = max(rules, key=lambda name: int(fits[name]))
    return {top: rules[top]} if explained[top] >= _HALF * gap else {}


def _calendars(time_zone: str) -> dict[str, pl.Expr]:
    """The opening and the time open in between, if only the hours of an office count."""
    first = pl.coalesce("anchor_at", "solved")
    return {
        f"only office hours are counted ({days}, {start}:00 to {end}:00)": pl.col("opened_at")
        + (_open(first, time_zone, width, start, end) - _open(pl.col("opened_at"), time_zone, width, start, end))
        for days, width in _WEEK
        for start in _STARTS
        for end in _ENDS
    }


def _open(instant: pl.Expr, time_zone: str, width: int, start: int, end: int) -> pl.Expr:
    """How long an office has been open from a Monday long ago to an instant."""
    clock = instant.dt.convert_time_zone(time_zone).dt.replace_time_zone(None)
    monday = clock.dt.truncate("1w")
    weeks = (monday - pl.datetime(1970, 1, 5)).dt.total_days() // 7
    seconds = (clock - clock.dt.truncate("1d")).dt.total_seconds()
    today = pl.when(clock.dt.weekday() <= width).then((seconds - start * 3600).clip(0, (end - start) * 3600)).otherwise(0)
    days = (clock.dt.weekday().cast(pl.Int64) - 1).clip(0, width)
    return pl.duration(seconds=(weeks * width + days) * (end - start) * 3600 + today)


def _answers(kept: pl.Expr) -> dict[str, pl.Expr]:
    """The first answer is promised too, within one of the usual times."""
    waited = pl.col("replied_at") - pl.col("opened_at")
    return {
        f"a first answer within {_hours(minutes)} is promised too": kept & (waited <= pl.duration(minutes=minutes)).fill_null(False)
        for minutes in _PROMISED
    }
