"""How is it told what more first contact resolution might be worth, without promising it?

Every gain stands beside the smaller ones that hold if only part of the association is causal.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import polars as pl

from fcrlib.model.finding import Finding, Measure
from fcrlib.model.numbers import count, magnitude, money, number, signed

if TYPE_CHECKING:
    from fcrlib.explain.csat import Answer
    from fcrlib.fits.simulator import Simulation

RAW = "Answers and verdicts were only set beside each other here, so no gain is simulated"
NONE = "No gain is simulated, for want of a clear difference that is more than an observation"


def gains(simulation: Simulation | None, *, currency: str = "") -> str:
    """One sentence on the simulated gain, for each causal share."""
    if simulation is None:
        return NONE
    shares = simulation.gains.filter(pl.col("segment") == "all contacts")["causal_share"].unique(maintain_order=True)
    told = [f"{_gained(simulation, share, currency=currency)} {_condition(simulation, share)}" for share in shares]
    return f"With FCR {magnitude(simulation.delta)} higher: {'; '.join(told)}"


def _gained(simulation: Simulation, share: float, *, currency: str) -> str:
    words = {"points of CSAT": "points of CSAT", "contacts saved": "fewer contacts", "cost saved": "less cost"}
    rows = _of_all(simulation, share)
    return ", ".join(f"{_whole(row, currency)} {words[row['gain']]} ({_both(row, currency)})" for row in rows)


def _of_all(simulation: Simulation, share: float) -> list[dict[str, Any]]:
    return simulation.gains.filter(pl.col("segment") == "all contacts", pl.col("causal_share") == share).to_dicts()


def _condition(simulation: Simulation, share: float) -> str:
    return str(simulation.gains.filter(pl.col("causal_share") == share)["condition"][0])


def simulated(simulation: Simulation | None, *, answer: Answer, currency: str = "", figures: tuple[str, ...] = ()) -> list[Finding]:
    """The simulated gain as a finding; a caution where the difference is only as it was found, nothing where there is none to speak of."""
    effect = answer.effect
    if effect is None or effect.low is None or effect.high is None or effect.low <= 0 <= effect.high:
        return []
    if effect.grade == "D" or simulation is None:
        return [Finding("care-csat-simulation", "care", RAW, f"{RAW}: {effect.why}.")]
    row = simulation.gains.row(0, named=True)
    measure = Measure(row["value"], row["low"], row["high"], effect.n, "points", "up")
    title = f"{signed(100 * row['value'], digits=2)} points of CSAT with {magnitude(simulation.delta)} more FCR, {row['condition']}"
    statement = ". ".join([gains(simulation, currency=currency), *(note.rstrip(".") for note in simulation.notes)])
    return [Finding("csat-simulation", "finding", title, f"{statement}.", measure=measure, grade=effect.grade, why=effect.why, figures=figures)]


def title(simulation: Simulation | None) -> str:
    """What the table of gains shows."""
    if simulation is None:
        return NONE
    return f"What {magnitude(simulation.delta)} more FCR would be worth, if all, half or a quarter of the association were causal"


def gains_in_words(simulation: Simulation | None, *, currency: str = "") -> pl.DataFrame:
    """`condition` and one column for each gain: all contacts, with the middle 95 % of the draws; empty where nothing is simulated."""
    if simulation is None:
        return pl.DataFrame(schema={"condition": pl.String})
    shares = simulation.gains.filter(pl.col("segment") == "all contacts")["causal_share"].unique(maintain_order=True)
    told = [{row["gain"]: f"{_whole(row, currency)} ({_both(row, currency)})" for row in _of_all(simulation, share)} for share in shares]
    return pl.DataFrame([{"condition": _condition(simulation, share), **row} for share, row in zip(shares, told, strict=True)])


def assumed(simulation: Simulation | None, *, currency: str = "") -> pl.DataFrame:
    """`name`, `value`, `interval`, `source`: what a simulated gain takes for granted, in words."""
    rows = [] if simulation is None else simulation.assumptions.to_dicts()
    words = [(row["name"], _taken(row, "value", currency), _range(row, currency), row["source"]) for row in rows]
    return pl.DataFrame(words, schema=dict.fromkeys(("name", "value", "interval", "source"), pl.String), orient="row")


def taken(simulation: Simulation | None) -> str:
    """What the table of assumptions shows."""
    return NONE if simulation is None else "Every gain hangs on these assumptions"


def _range(row: dict[str, Any], currency: str) -> str:
    exact = row["low"] is None or row["low"] == row["high"]
    return "" if exact else f"{_taken(row, 'low', currency)} to {_taken(row, 'high', currency)}"


def _taken(row: dict[str, Any], end: str, currency: str) -> str:
    value = row[end]
    if value is None:
        return ""
    if row["name"] == "cost of a contact":
        return money(value, currency)
    return magnitude(value) if row["name"] == "rise of FCR" else count(value) if row["name"] == "first contacts" else number(value, digits=2)


def hangs_on(simulation: Simulation | None) -> str:
    """One sentence on which assumption moves the simulated points of CSAT most."""
    if simulation is None:
        return NONE
    first = simulation.tornado.filter(pl.col("gain") == "points of CSAT").row(0, named=True)
    return f"The simulated points of CSAT hang most on {first['input']}: {_csat(first['at_low'])} to {_csat(first['at_high'])}"


def _csat(value: float) -> str:
    return signed(100 * value, digits=2)


def _whole(row: dict[str, Any], currency: str) -> str:
    return _bare(row, "value", currency)


def _both(row: dict[str, Any], currency: str) -> str:
    return f"{_bare(row, 'low', currency)} to {_bare(row, 'high', currency)}"


def _bare(row: dict[str, Any], end: str, currency: str) -> str:
    value = float(row[end])
    if row["gain"] == "points of CSAT":
        return signed(100 * value, digits=2)
    return count(value) if row["gain"] == "contacts saved" else money(value, currency)
