"""How do we speak of other people's numbers without measuring ourselves by them?"""

from __future__ import annotations

from typing import Any

import polars as pl

from fcrlib.model.finding import Finding, Measure
from fcrlib.model.numbers import UNKNOWN, count, interval, number, percent
from fcrlib.show.charts import extent


def lines(against: pl.DataFrame) -> pl.DataFrame:
    """The published ranges of first contact resolution, ready to be drawn.

    Parameters
    ----------
    against
        `explain.benchmarks.against`: `measure`, `who`, `what`, `low`, `high`, `method`, `verdict`, `differs`.

    Returns
    -------
    pl.DataFrame
        `range` (who and what), `low`, `high`, `measured` (in words), `verdict`; the lowest first.
    """
    words = {"survey": "customers were asked", "system": "read from records", "unknown": "not said how"}
    ranges = against.filter(pl.col("measure") == "fcr").sort("low", "high", "who", "what")
    return ranges.select(
        pl.format("{}: {}", "who", "what").alias("range"), "low", "high", pl.col("method").replace_strict(words).alias("measured"), "verdict"
    )


def position(against: pl.DataFrame) -> str:
    """One sentence on where ours lies among the published ranges: nearly anywhere, which is the point."""
    told = against.filter((pl.col("measure") == "fcr") & pl.col("verdict").is_not_null())
    if told.is_empty():
        return "We have no number of our own to hold beside the published ones"
    found = {verdict: told.filter(pl.col("verdict") == verdict).height for verdict in ("inside", "below", "above", "not clear")}
    close = f" and too close to {found['not clear']} to say" if found["not clear"] else ""
    silent = told.filter(pl.col("method") == "unknown").height
    lies = f"Ours lies below {found['below']}, inside {found['inside']} and above {found['above']} of {count(told.height)} published ranges{close}"
    return f"{lies}; {silent} of them do not say how they were measured"


def disagreements(contradictions: pl.DataFrame) -> pl.DataFrame:
    """One `sentence` for each pair of figures that cannot both hold."""
    sentences = [
        f"{row['who']}: {extent(row['low'], row['high'])} is {row['what']}. {row['other_who']}: "
        f"{extent(row['other_low'], row['other_high'])} is {row['other_what']}."
        for row in contradictions.to_dicts()
    ]
    return pl.DataFrame({"sentence": sentences}, schema={"sentence": pl.String})


def quarrel(contradictions: pl.DataFrame) -> str:
    """One sentence on how often the published figures contradict each other."""
    if contradictions.is_empty():
        return "The published figures do not contradict each other"
    return f"The published figures contradict each other at least {count(contradictions.height)} times"


def beside(against: pl.DataFrame) -> pl.DataFrame:
    """The other published lines with ours in words: `line`, `published`, `ours`, `differs`."""
    others = against.filter(pl.col("measure") != "fcr")
    spelled = [(_amount(row, row["low"], row["high"]), _own(row)) for row in others.to_dicts()]
    return others.select(
        pl.format("{}: {}", "who", "what").alias("line"),
        pl.Series("published", [said for said, _ in spelled], dtype=pl.String),
        pl.Series("ours", [own for _, own in spelled], dtype=pl.String),
        "differs",
    )


def _amount(row: dict[str, Any], low: float, high: float) -> str:
    if row["unit"] == "share":
        return extent(low, high)
    return number(low) if low == high else f"{number(low)} to {number(high)}"


def _own(row: dict[str, Any]) -> str:
    if row["ours"] is None:
        return UNKNOWN
    return percent(row["ours"]) if row["unit"] == "share" else number(row["ours"], digits=2)


def volume(against: pl.DataFrame) -> str:
    """One sentence on the share of repeats, beside the line from which one source would act."""
    line = against.filter(pl.col("id") == "guide-repeats-act").drop_nulls("ours")
    if line.is_empty():
        return "This desk or this definition does not tell repeats apart"
    row = line.row(0, named=True)
    act = percent(row["low"], digits=0)
    words = {"inside": f"above the {act}", "below": f"below the {act}", "not clear": f"too close to the {act} to say whether above or below the line"}
    if row["ours_low"] <= row["low"] <= row["ours_high"]:
        row["verdict"] = "not clear"
    return f"{percent(row['ours'])} of the contacts are repeats: {words[row['verdict']]} from which one source would act"


def caution(too_good: pl.DataFrame) -> list[Finding]:
    """A caution beside a rate above 80 %, with the signs to read; nothing below it.

    Parameters
    ----------
    too_good
        `explain.benchmarks.too_good`: `measure`, `n`, `share`, `low`, `high`.
    """
    if too_good.is_empty():
        return []
    rows = {row["measure"]: row for row in too_good.to_dicts()}
    ours = rows["resolved"]
    beside = [f"{percent(row['share'])} were {name}" if name == "reopened" else f"after {percent(row['share'])} the customer {name}"
              for name, row in rows.items() if name != "resolved" and row["share"] is not None]  # fmt: skip
    said = f"Of our contacts, {' and '.join(beside)}." if beside else "This desk records neither reopenings nor repeats, so it cannot tell which."
    text = (
        f"{percent(ours['share'])} ({interval(ours['low'], ours['high'])}) is above 80 %. One published source calls that world class, another a sign of "
        f"closing too early. {said} Read twenty resolved contacts before celebrating."
    )
    return [Finding("care-too-good", "care", text, measure=Measure(ours["share"], ours["low"], ours["high"], int(ours["n"]), "share", "up"))]
