"""How are the checks of the data put into words?"""

from __future__ import annotations

import re

import polars as pl

from fcrlib.model.finding import Finding
from fcrlib.model.numbers import count, percent
from fcrlib.show.names import capital


def verdict(word: str, reasons: list[str], verdicts: pl.DataFrame) -> Finding:
    """The finding that heads the page: may the numbers of this desk be believed, and what stands against it?"""
    counts = {told: int((verdicts["verdict"] == told).sum()) for told in ("fit", "fit with care", "not fit")}
    title = f"This desk is {word}: of {verdicts.height} questions {counts['fit']} are fit, {counts['fit with care']} fit with care, {counts['not fit']} not fit"
    named = "; ".join(reasons[:3]) + (f"; and {len(reasons) - 3} more" if len(reasons) > 3 else "")
    against = f"What stands against it: {named}." if reasons else "No check weakens a number."
    return Finding("data-fitness", "summary", title, f"{title}. {against}")


def stops(faults: pl.DataFrame) -> list[Finding]:
    """One caution per check that stops a question."""
    return [
        Finding(_slug(row["check"]), "care", f"{capital(row['check'])}: {_of(row)}", f"{capital(row['so'])}.", action=f"{capital(row['do'])}.")
        for row in faults.filter(pl.col("severity") == "stops").to_dicts()
    ]


def fit_for(answered: int, asked: int) -> str:
    """One sentence on how many questions a desk can answer."""
    return f"This desk can answer {answered} of {asked} questions" if answered < asked else f"This desk can answer all {asked} questions"


def oddest(faults: pl.DataFrame) -> str:
    """One sentence on the gravest check that found something."""
    struck = faults.filter(pl.col("severity") != "clean")
    if struck.is_empty():
        return "No check found anything"
    top = struck.row(0, named=True)
    return f"First to look at: {top['check']} ({_of(top)}, {percent(top['share'])})"


def checked(faults: pl.DataFrame) -> str:
    """One sentence on how many checks were made and what they found."""
    made, struck = faults.drop_nulls("severity").height, faults.filter(pl.col("severity") != "clean").height
    unmade = faults.height - made
    blind = f"; {unmade} could not be made, for the desk does not record what they need" if unmade else ""
    return f"{struck} of {made} checks found something{blind}"


def least_filled(filled: pl.DataFrame) -> str:
    """One sentence on the emptiest column."""
    last = filled.row(-1, named=True)
    return f"Least often known: {last['column']} ({percent(last['share'])} of the contacts)"


def gaps(volume: pl.DataFrame) -> str:
    """One sentence on whether the weeks of the data are complete."""
    inner = volume["contacts"][1:-1]
    middle = inner.median()
    if not isinstance(middle, int | float):
        return "The data is too short to tell whether a week is missing"
    quiet = int((inner < 0.25 * middle).sum())
    if not quiet:
        return f"The data has no hole: every full week holds at least a quarter of the usual {count(middle)} contacts"
    return f"{quiet} of {len(inner)} full weeks hold less than a quarter of the usual number of contacts: is part of the export missing?"


def left_out(dropped: pl.DataFrame) -> str:
    """One sentence on what the reader left out."""
    if dropped.is_empty():
        return "The reader left nothing out"
    return f"The reader left out {count(int(dropped['count'].sum()))} rows or values, for {dropped.height} reason{'s' if dropped.height > 1 else ''}"


def slices(sliceable: pl.DataFrame) -> str:
    """One sentence on what may be looked at week by week, and what not at all."""
    weekly = sliceable.filter(pl.col("advice") == "slice by week")["slice"].to_list()
    never = sliceable.filter(pl.col("advice") == "do not slice")["slice"].to_list()
    parts = [f"week by week by {_listed(weekly)}" if weekly else "week by week only as a whole", f"not by {_listed(never)}" if never else ""]
    return f"Enough contacts to look {', but '.join(part for part in parts if part)}"


def same_labels(pairs: pl.DataFrame, *, extent: tuple[int, int]) -> str:
    """One sentence on labels that look like one; `extent` is how many were compared and how many there are."""
    compared, there = extent
    if there < 2:
        return "There are no labels to compare"
    cap = f" of the {count(compared)} most frequent of {count(there)} labels" if compared < there else f" of {count(there)} labels"
    if pairs.is_empty():
        return f"No two{cap} look like one"
    lost = int(pairs["lost"].sum())
    unseen = f"{count(lost)} repeat{'s' if lost != 1 else ''} within 7 days {'are' if lost != 1 else 'is'} not seen between them"
    return f"{pairs.height} pair{'s' if pairs.height > 1 else ''}{cap} look{'' if pairs.height > 1 else 's'} like one: {unseen if lost else 'no repeat is lost by it'}"


def lone_labels(labels: pl.DataFrame, *, column: str = "category") -> str:
    """One sentence on large labels that live on one channel only."""
    if labels.is_empty():
        return "No large label is used on one channel only"
    top = labels.row(0, named=True)
    more = f", and {labels.height - 1} more like it" if labels.height > 1 else ""
    return f"{top[column]} is used on {top['channel']} only ({percent(top['share'])} of {count(top['n'])}){more}: a repeat on another channel cannot carry it"


def crossed(crossings: pl.DataFrame) -> str:
    """One sentence on whether labels agree when the customer changes the channel."""
    known = {row["way"]: row for row in crossings.drop_nulls("share").to_dicts()}
    one, other = known.get("on the same channel"), known.get("on another channel")
    if not one or not other:
        return "Too few customers come back on another channel to compare their labels"
    shares = f"{percent(other['share'])} on another channel, {percent(one['share'])} on the same"
    if other["high"] < one["low"]:
        return f"Who comes back on another channel gets the same label less often: {shares}"
    return f"Whether the next contact carries the same label shows no clear loss between channels: {shares}"


def _slug(check: str) -> str:
    return f"care-{re.sub(r'[^a-z0-9]+', '-', check.lower()).strip('-')}"


def _of(row: dict[str, float]) -> str:
    return f"{count(row['found'])} of {count(row['of'])}"


def _listed(words: list[str]) -> str:
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} or {words[-1]}"
