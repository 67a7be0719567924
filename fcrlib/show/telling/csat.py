"""How is it told how satisfaction goes with being resolved on first contact, what could explain it, and what it might be worth?"""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from fcrlib.model.evidence import Grade
from fcrlib.model.finding import Finding, Measure
from fcrlib.model.numbers import count, magnitude, money, number, percent, points, signed

if TYPE_CHECKING:
    from fcrlib.fits.effect import Effect
    from fcrlib.fits.simulator import Simulation

ALL, LIMIT = "all of it", "until its interval reaches none"
_RAW = "Answers and verdicts were only set beside each other here, so no gain is simulated"


def by_segment(effect: Effect) -> str:
    """One sentence on whether the difference is the same in every segment."""
    by = effect.spec["by"]
    if effect.segments is None or effect.segments.drop_nulls("low").height < 2:
        return "There are too few segments with enough answers to compare"
    known = effect.segments.drop_nulls("low").sort("estimate", by)
    least, most = known.row(0, named=True), known.row(-1, named=True)
    span = f"from {points(least['estimate'])} (“{least[by]}”) to {points(most['estimate'])} (“{most[by]}”)"
    if effect.segments_differ is None or effect.segments_differ >= 0.05:
        return f"By {_plain(by)} the difference runs {span}, no further apart than chance alone often sets them"
    return f"The difference is not the same for every {_plain(by)}: it runs {span}"


def path(frame: pl.DataFrame) -> str:
    """One sentence on how far the difference moves as more is held equal."""
    known = frame.drop_nulls("estimate")
    if known.height < 2:
        return "Fewer than two models could be fitted, so nothing can be said of what moves the difference"
    first, rest = known.row(0, named=True), known[1:]
    low, high = rest.sort("estimate")["estimate"].gather([0, -1])
    span = points(low) if points(low) == points(high) else f"{signed(100 * low)} to {points(high)}"
    lost = frame.height - known.height
    more = f"; {count(lost)} of {count(frame.height)} models could not be fitted" if lost else ""
    return f"As found the difference is {points(first['estimate'])}; with more and more held equal it is {span}{more}"


def dose(frame: pl.DataFrame) -> str:
    """One sentence on what each further contact goes with, beside what a vendor says of it."""
    rows = {row["contacts"]: row for row in frame.to_dicts()}
    step = rows.get("each further contact")
    if step is None or step["difference"] is None:
        return "Too few issues with several contacts were rated to say what each further contact goes with"
    span = _span(step["difference_low"], step["difference_high"])
    vendor = "a vendor claim, whose definition differs, says “drops 15 %” for each call"
    if step["difference_low"] is not None and step["difference_low"] <= 0 <= step["difference_high"]:
        return f"No clear difference by the number of contacts: {points(step['difference'])} for each further one{span}; {vendor}"
    return f"Each further contact goes with {points(step['difference'])} of satisfied customers{span}; {vendor}"


def cuts(frame: pl.DataFrame) -> str:
    """One sentence on whether the difference hangs on where "good" begins on the scale."""
    known = frame.drop_nulls("low")
    if known.height < 2:
        return "Too few places on the scale have enough answers to begin “good” elsewhere"
    low, high = (known.sort("estimate").row(place, named=True) for place in (0, -1))
    span = f"{points(low['estimate'])} (“good” from {low['at_least']}) to {points(high['estimate'])} (from {high['at_least']})"
    clear = known.filter((pl.col("low") > 0) | (pl.col("high") < 0)).height
    sides = known.select((pl.col("estimate") > 0).n_unique()).item()
    same = "of the same sign wherever “good” begins" if sides == 1 else "not of the same sign everywhere"
    return f"The difference runs from {span}, {same}; its interval leaves out none in {count(clear)} of {count(known.height)} places"


def checked(table: pl.DataFrame) -> str:
    """One sentence on the checks of the model."""
    made = table.drop_nulls("passed")
    failed = made.filter(~pl.col("passed"))
    merged = table.filter(pl.col("check") == "rare levels").height
    more = f"; {count(merged)} levels with few answers were put together" if merged else ""
    if made.is_empty():
        return "No check of the model could be made"
    if failed.is_empty():
        return f"The model passes all {count(made.height)} checks of calibration, overlap and inflation{more}"
    kinds = ", ".join(failed["check"].unique(maintain_order=True))
    return f"The model does not pass {count(failed.height)} of {count(made.height)} checks ({kinds}); first: {failed['reading'][0]}{more}"


def cautions(table: pl.DataFrame) -> list[Finding]:
    """What the checks of the model say against its number, one caution for each kind of check that is not passed."""
    failed = table.filter(~pl.col("passed").fill_null(True))
    kinds = failed.group_by("check", maintain_order=True).agg(n=pl.len(), first=pl.col("reading").first())
    titles = {
        "calibration": "The model misses how many are satisfied in {} of its tenths",
        "overlap": "Many rated contacts have no alike ones to be compared with",
        "inflation": "What is held equal says nearly as much as the verdict itself",
    }
    return [
        Finding(f"care-csat-{check}", "care", titles[check].format(count(n)), f"{first}. Read the difference between contacts with care.")
        for check, n, first in kinds.iter_rows()
    ]


def robust(table: pl.DataFrame) -> str:
    """One sentence on how strong something unseen would have to be."""
    share = _value(table, "robustness value", ALL)
    edge = _value(table, "robustness value", LIMIT)
    if share is None:
        return "It cannot be said how strong something unseen would have to be"
    if edge == 0:
        return "The interval of the difference holds none already, so nothing unseen is needed to explain it"
    half = "" if edge is None else f" ({percent(edge)} for its interval to reach none)"
    told = (
        f"Something not recorded would have to explain {percent(share)} of what is left open of both verdicts and ratings to take it all away{half}"
    )
    known = table.filter(pl.col("check") == "as strong as", pl.col("what").str.starts_with("1 x ")).drop_nulls("value")
    if known.is_empty():
        return told
    worst = known.sort(pl.col("value").abs(), "what").row(0, named=True)
    left = _of(worst["value"], worst["unit"])
    return f"{told}; something as strong as {_plain(worst['what'].removeprefix('1 x '))}, the strongest of what is known, would leave {left}"


def silent(table: pl.DataFrame) -> str:
    """One sentence on what customers who did not answer would have to think."""
    rows = table.filter(pl.col("check") == "silent customers")
    odds = rows.filter(pl.col("what") == ALL).row(0, named=True) if rows.filter(pl.col("what") == ALL).height else None
    if odds is None:
        return str(rows["reading"][0]).rstrip(".") if rows.height else "Nobody is silent"
    if odds["value"] is None:
        return "However discontent silent customers of resolved contacts were, within reason, a difference would be left"
    return (
        "For nothing to be left, silent customers of the side that rates better would have to be "
        f"{number(odds['value'])} times less likely (odds) to be satisfied than those alike who answered"
    )


def triad(table: pl.DataFrame, *, ours: float) -> str:
    """One sentence on the difference with the verdict read from elsewhere."""
    rows = table.filter(pl.col("check") == "exposure read from").drop_nulls("value")
    if rows.is_empty():
        return "There is no other reading of who was resolved to compare with"
    told = ", ".join(f"{_of(row['value'], row['unit'])} read from {row['what']}" for row in rows.to_dicts())
    return f"With the verdict of the system the difference is {_of(ours, rows['unit'][0])}; {told}"


def influence(table: pl.DataFrame, *, ours: float) -> str:
    """One sentence on whether the difference hangs on a few customers, without naming any."""
    rows = table.filter(pl.col("check") == "influence").drop_nulls("value")
    if rows.is_empty():
        return "Nothing can be said of single customers"
    together, single = rows.row(-1, named=True), rows.head(rows.height - 1)
    far = single.sort((pl.col("value") - ours).abs(), "what", descending=[True, False]).row(0, named=True)
    unit = together["unit"]
    lead = f"Without the {count(single.height)} customers that move it most, the difference is {_of(together['value'], unit)}"
    return f"{lead}; without the one that moves it most, {_of(far['value'], unit)}, beside {_of(ours, unit)} with all"


def in_words(table: pl.DataFrame) -> pl.DataFrame:
    """`check`, `what`, `value` and `interval` as words in their units, `reading`: the yardsticks as a table, without the names of customers."""
    shown = table.filter((pl.col("check") != "influence") | (pl.col("what") == "all of these together"))
    rows = [
        (row["check"], row["what"].replace("_", " "), _spelled(row["value"], row["unit"]), _ends(row), row["reading"]) for row in shown.to_dicts()
    ]
    return pl.DataFrame(rows, schema=dict.fromkeys(("check", "what", "value", "interval", "reading"), pl.String), orient="row")


def per_point(algebra: pl.DataFrame) -> str:
    """One sentence on what a point of FCR goes with here, beside the ceiling."""
    ours = algebra.filter(pl.col("kind") == "ours").row(0, named=True)
    return (
        f"A point of FCR goes with {number(ours['points'], digits=2)} points of satisfied customers"
        f"{_plain_span(ours['low'], ours['high'])}; one to one is the most there can be between contacts, not what to expect"
    )


def gains(simulation: Simulation, *, currency: str = "") -> str:
    """One sentence on the simulated gain, for each causal share."""
    shares = simulation.gains.filter(pl.col("segment") == "all contacts")["causal_share"].unique(maintain_order=True)
    told = [f"{_gained(simulation, share, currency=currency)} {_condition(simulation, share)}" for share in shares]
    return f"With FCR {magnitude(simulation.delta)} higher: {'; '.join(told)}"


def _gained(simulation: Simulation, share: float, *, currency: str) -> str:
    words = {"points of CSAT": "points of CSAT", "contacts saved": "fewer contacts", "cost saved": "less cost"}
    rows = simulation.gains.filter(pl.col("segment") == "all contacts", pl.col("causal_share") == share).to_dicts()
    values = [[_bare(row, end, currency) for end in ("value", "low", "high")] for row in rows]
    return ", ".join(f"{value} {words[row['gain']]} ({low} to {high})" for row, (value, low, high) in zip(rows, values, strict=True))


def _condition(simulation: Simulation, share: float) -> str:
    return str(simulation.gains.filter(pl.col("causal_share") == share)["condition"][0])


def simulated(simulation: Simulation, *, effect: Effect, currency: str = "") -> list[Finding]:
    """The simulated gain as a finding; a caution instead where the difference is only as it was found."""
    if effect.grade == "D":
        return [Finding("care-csat-simulation", "care", _RAW, f"{_RAW}: {effect.why}.")]
    row = simulation.gains.row(0, named=True)
    measure = Measure(row["value"], row["low"], row["high"], effect.n, "points", "up")
    title = f"{signed(100 * row['value'], digits=2)} points of CSAT with {magnitude(simulation.delta)} more FCR, {row['condition']}"
    grade: Grade = effect.grade
    statement = ". ".join([gains(simulation, currency=currency), *(note.rstrip(".") for note in simulation.notes)])
    return [Finding("csat-simulation", "finding", title, f"{statement}.", measure=measure, grade=grade, why=effect.why)]


def gains_in_words(simulation: Simulation, *, currency: str = "") -> pl.DataFrame:
    """`segment`, `condition`, `gain`, `value`, `interval`: the simulated gains as a table."""
    rows = [
        (
            row["segment"],
            row["condition"],
            row["gain"],
            _bare(row, "value", currency),
            f"{_bare(row, 'low', currency)} to {_bare(row, 'high', currency)}",
        )
        for row in simulation.gains.to_dicts()
    ]
    return pl.DataFrame(rows, schema=dict.fromkeys(("segment", "condition", "gain", "value", "interval"), pl.String), orient="row")


def _bare(row: dict[str, float | str], end: str, currency: str) -> str:
    value = float(row[end])
    if row["gain"] == "points of CSAT":
        return signed(100 * value, digits=2)
    return count(value) if row["gain"] == "contacts saved" else money(value, currency)


def _value(table: pl.DataFrame, check: str, what: str) -> float | None:
    rows = table.filter(pl.col("check") == check, pl.col("what") == what)
    return None if rows.is_empty() else rows["value"][0]


def _of(value: float, unit: str) -> str:
    return points(value) if unit == "points" else signed(value, digits=2)


def _spelled(value: float | None, unit: str) -> str:
    if value is None:
        return ""
    if unit == "share":
        return percent(value)
    return number(value, digits=2) if unit in ("ratio", "odds") else _of(value, unit)


def _ends(row: dict[str, float | str | None]) -> str:
    low, high, unit = row["low"], row["high"], str(row["unit"])
    return "" if low is None or high is None else f"{_spelled(float(low), unit)} to {_spelled(float(high), unit)}"


def _span(low: float | None, high: float | None) -> str:
    return "" if low is None or high is None else f" (95 % interval {signed(100 * low)} to {signed(100 * high)})"


def _plain_span(low: float | None, high: float | None) -> str:
    return "" if low is None or high is None else f" (95 % interval {number(low, digits=2)} to {number(high, digits=2)})"


def _plain(name: str) -> str:
    return name.replace("_", " ")
