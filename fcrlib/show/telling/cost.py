"""How is it told what followed failed first contacts, and what it cost?

What followed is counted. What would have come anyway is read off a later window and only a comparison; that fewer failures would save all of
the rest is nowhere said.
"""

from __future__ import annotations

from typing import Any

import polars as pl

from fcrlib.model.evidence import Design, grade
from fcrlib.model.finding import Finding, Measure
from fcrlib.model.numbers import SYMBOLS, count, money, number, percent
from fcrlib.model.taxonomy import UNEXPLAINED
from fcrlib.show.figure import Column

NOTHING = "No first contact failed, so nothing followed one"
FEW = "Too few first contacts failed to say what follows one"
UNPRICED = "There are no cost rates in fcr.toml, or not for every channel, so this has no price"
UNSEEN = "How many of the repeats would come anyway cannot be seen under this definition"
NOBODY = "Later contacts of the same customer about the same thing cannot be seen under this definition, or on this desk"
CHECK = "Look at the same number, with its interval, in the first full period after a change."
SEEN = "Contacts after the data end are not seen."


def followed(repeats: pl.DataFrame) -> str:
    """One sentence on `cost.of_repeats`: how many contacts followed the failed ones."""
    if repeats.is_empty():
        return NOTHING
    row = repeats.row(0, named=True)
    head = f"{_things(row['failed'], 'first contact')} failed, and {_things(row['later'], 'further contact')} followed"
    parts = f"{_things(row['repeats'], 'repeat')} and {_things(row['reopened'], 'reopening')}"
    each = "" if row["per_failed"] is None else f", {number(row['per_failed'], digits=2)} for each ({_span(row, 'per_failed', digits=2)})"
    return f"{head}{each}: {parts}"


def beyond(repeats: pl.DataFrame) -> str:
    """One sentence on `cost.of_repeats`: how many of them are more than come anyway."""
    if repeats.is_empty():
        return NOTHING
    row = repeats.row(0, named=True)
    if row["too_few"]:
        return FEW
    if row["anyway"] is None:
        return UNSEEN
    calm = f"In a window of the same length four weeks later, as many first contacts see {_things(row['anyway'], 'contact')} about the same thing"
    if row["excess_low"] is not None and row["excess_low"] <= 0 <= row["excess_high"]:
        return f"{calm}: no clear excess"
    return f"{calm}; {_things(row['excess'], 'later contact')} ({_span(row, 'excess')}) are in excess of that"


def priced(repeats: pl.DataFrame, *, currency: str) -> str:
    """One sentence on `cost.of_repeats`: what the later contacts cost, or why that is not known."""
    if repeats.is_empty():
        return NOTHING
    row = repeats.row(0, named=True)
    if row["cost"] is None:
        return UNPRICED
    excess = "" if row["excess_cost"] is None else f"; {_amounts(row, 'excess_cost', currency)} of it is in excess of what comes anyway"
    return f"What followed the failed contacts cost {_amounts(row, 'cost', currency)}{excess}"


def largest(repeats: pl.DataFrame, *, currency: str = "") -> str:
    """One sentence on `cost.of_repeats`: the way of failing that most contacts follow."""
    ways = repeats.filter(pl.col("mode").is_not_null() & (pl.col("mode") != UNEXPLAINED))
    if ways.is_empty():
        return NOTHING if repeats.is_empty() else "No way of failing is told apart, so nothing can be said of one"
    row, whole = ways.row(0, named=True), repeats.row(0, named=True)
    cost = "" if row["cost"] is None else f", and they cost {_amounts(row, 'cost', currency)}"
    return f"Most later contacts stand under “{row['name']}”: {count(row['later'])} of {count(whole['later'])} ({percent(row['share'])}){cost}"


def point(points: pl.DataFrame) -> str:
    """One sentence on `cost.of_a_point`: what follows as many failed contacts as make a point."""
    if points.is_empty():
        return FEW
    row = points.row(0, named=True)
    size = "One point" if abs(row["points"] - 0.01) < 1e-9 else f"{number(100 * row['points'], digits=1)} points"
    head = f"{size} of first contact resolution is {_things(row['fewer_failed'], 'first contact')} of this period"
    beyond = " beyond what comes anyway" if row["anyway"] else ""
    cost = "" if row["cost"] is None else f", which cost {_amounts(row, 'cost', row['currency'])}"
    return f"{head}; as many failed ones were followed by {_things(row['contacts'], 'contact')} ({_span(row, 'contacts')}){beyond}{cost}"


def later(volume: pl.DataFrame) -> str:
    """One sentence on `cost.volume`: how many contacts follow a failed one, and how many a resolved one, by the last day seen."""
    known = volume.drop_nulls("mean")
    rows = {verdict: known.filter(verdict=verdict).to_dicts() for verdict in ("failed", "resolved")}
    if not rows["failed"]:
        return NOBODY if volume.is_empty() else "No first contact with a known customer failed"
    last = rows["failed"][-1]
    said = f"Within {count(last['day'])} days of its start, a failed first contact is followed by {_mean(last)} about the same thing"
    other = [row for row in rows["resolved"] if row["day"] == last["day"]]
    return said + (f", a resolved one by {_mean(other[0])}" if other else "")


def _mean(row: dict[str, Any]) -> str:
    return f"{number(row['mean'], digits=2)} contacts ({_ends(row['low'], row['high'], digits=2)})"


def findings(repeats: pl.DataFrame, *, points: pl.DataFrame, currency: str, figure: str = "") -> list[Finding]:
    """What failed first contacts cost, as a finding; nothing where too few failed."""
    if repeats.is_empty() or repeats["too_few"][0]:
        return []
    row = repeats.row(0, named=True)
    what = "excess_cost" if row["excess_cost"] is not None else "cost" if row["cost"] is not None else "later"
    measure = _measure(row, what, unit="contacts" if what == "later" else "money")
    said = [*([] if what == "later" else [priced(repeats, currency=currency)]), followed(repeats), beyond(repeats), point(points), SEEN[:-1]]
    # Nobody had to be asked: every contact of the period is counted, and each later one after its first.
    held, why = grade(Design(weighted=True, timing_known=True, response_known=True))
    statement = " ".join(f"{sentence}." for sentence in said)
    figures = (figure,) if figure else ()
    return [Finding("cost-of-repeats", "finding", _title(row, what, currency), statement, measure, grade=held, why=why, check=CHECK, figures=figures)]


def _title(row: dict[str, Any], what: str, currency: str) -> str:
    if what == "later":
        return f"{_things(row['failed'], 'first contact')} failed, and {_things(row['later'], 'further contact')} followed"
    excess = f", {money(row['excess_cost'], currency)} of it beyond what comes anyway" if what == "excess_cost" else ""
    return f"What followed the failed contacts cost {money(row['cost'], currency)}{excess}"


def _measure(row: dict[str, Any], what: str, *, unit: Any) -> Measure:
    return Measure(row[what], row.get(f"{what}_low"), row.get(f"{what}_high"), n=row["failed"], unit=unit, good="down")


def columns(repeats: pl.DataFrame, *, currency: str = "") -> tuple[Column, ...]:
    """The columns of `cost.of_repeats` that have something to show."""
    shown = (
        Column("name", "way of failing"), Column("failed", "failed contacts", "count"), Column("later", "later contacts", "count"),
        Column("share", "share of later contacts", "percent"), Column("per_failed", "for each failed one", "number"),
        Column("anyway", "come anyway", "count"), Column("excess", "in excess", "count"), Column("excess_low", "95 % from", "count"),
        Column("excess_high", "to", "count"), Column("cost", "cost", "money", currency), Column("excess_cost", "cost in excess", "money", currency),
    )  # fmt: skip
    return tuple(column for column in shown if repeats[column.name].count())


def _things(n: float, noun: str) -> str:
    """A rounded number of things; one of them is one thing."""
    return f"{count(n)} {noun}{'' if count(n) == '1' else 's'}"


def _span(row: dict[str, Any], what: str, *, digits: int = 0) -> str:
    return _ends(row[f"{what}_low"], row[f"{what}_high"], digits=digits)


def _ends(low: float | None, high: float | None, *, digits: int) -> str:
    if low is None or high is None:
        return "interval not known"
    return f"95 % interval {number(low, digits=digits)} to {number(high, digits=digits)}"


def _amounts(row: dict[str, Any], what: str, currency: str) -> str:
    """An amount with its interval, in whole units where rounding would make its ends alike."""
    values = [row[what], row[f"{what}_low"], row[f"{what}_high"]]
    short = [money(value, currency) for value in values]
    sign = SYMBOLS.get(currency, f"{currency} " if currency else "")
    told = (
        short
        if len(set(short)) == len(short)
        else [money(value, currency) if value is None or value < 0 else f"{sign}{count(value)}" for value in values]
    )
    return told[0] if values[1] is None else f"{told[0]} (95 % interval {told[1]} to {told[2]})"
