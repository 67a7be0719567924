"""How is it told who rated, how like the rest they are, and what they said after resolved and failed contacts?"""

from __future__ import annotations

import polars as pl

from fcrlib.model.numbers import count, interval, percent

UNRATED = "No first contact of the period that can be judged was rated"
NOTICEABLE = 0.1
"""A standardised difference from which on those who rated are not like the rest."""
_NUMBERS = {"1": "one contact", "2": "two", "3": "three", "4+": "four or more"}


def answered(counted: pl.DataFrame) -> str:
    """One sentence on `Rated.counted`: how many of the first contacts were rated."""
    told = dict(counted.select("what", "n").iter_rows())
    final = told["with a final verdict"]
    name, rated = next(item for item in told.items() if item[0].startswith("rated") and "(" not in item[0] and "," not in item[0])
    if not rated:
        return UNRATED
    return f"{count(rated)} of {count(final)} first contacts with a final verdict were {name} ({percent(rated / final)})"


def unlike(balance: pl.DataFrame) -> str:
    """One sentence on `Rated.balance`: how those who rated differ most from all, and that weights take it into account."""
    known = balance.drop_nulls("before")
    if known.is_empty():
        return UNRATED
    far = known.filter(pl.col("before").abs() >= NOTICEABLE)
    if far.is_empty():
        return "Those who rated are much like all others, in everything that was compared"
    # Two levels that make up the whole are equally far, but for the last digit.
    row = far.sort(pl.col("before").abs().round(9) * -1, "variable", "level").row(0, named=True)
    share = _observed(row["population"], row["before"])
    what = {"resolved": "resolved contacts", "failed": "failed contacts"}.get(row["level"], f"“{row['level']}” ({row['variable']})")
    more = "over" if row["before"] > 0 else "under"
    most = f"Among the ratings, {what} are {more}-represented: {percent(share)}, against {percent(row['population'])} of all"
    return f"{most}; with weights it is {percent(_observed(row['population'], row['after']))}" if row["after"] is not None else most


def _observed(population: float, difference: float) -> float:
    """The share whose standardised difference from that of all this is."""
    return float(population + difference * (population * (1 - population)) ** 0.5)


def met(quadrants: pl.DataFrame) -> str:
    """One sentence on `rated.quadrants`: how often the system's verdict and satisfaction do not meet."""
    if quadrants.is_empty():
        return UNRATED
    cells = {(row["fcr"], row["good"]): row for row in quadrants.to_dicts()}
    bad, well = (f"{percent(row['share'])} ({interval(row['low'], row['high'])})" for row in (cells[True, False], cells[False, True]))
    return (
        f"Of the ratings, {bad} are of customers who are not satisfied although the system says resolved, "
        f"and {well} of customers who are satisfied although it says failed"
    )


def by_contacts(satisfied: pl.DataFrame) -> str:
    """One sentence on `rated.satisfied` by how many contacts the issue took."""
    known = satisfied.drop_nulls("share")
    if known.is_empty():
        return UNRATED if satisfied.is_empty() else "Too few ratings to say how satisfied customers are by how many contacts it took"
    parts = [f"{percent(row['share'])} after {_NUMBERS[row['contacts_to_resolve']]}" for row in known.to_dicts()]
    return f"Satisfied customers by how many contacts it took: {', '.join(parts)}"


def by_timing(satisfied: pl.DataFrame) -> str:
    """One sentence on `rated.satisfied` by when the rating was given."""
    if satisfied.is_empty():
        return UNRATED
    whole, said = int(satisfied["n"].sum()), []
    for row in satisfied.sort("n", descending=True).to_dicts():
        share = "" if row["share"] is None else f", {percent(row['share'])} of them satisfied"
        said.append(
            f"{percent(row['n'] / whole)} of the ratings came {row['timing']}{share}"
            if row["timing"] != "time unknown"
            else f"of {percent(row['n'] / whole)} the time is not known"
        )
    return "; ".join(said)
