"""How is it told why first contacts fail, and where they change hands?"""

from __future__ import annotations

from typing import Any

import polars as pl

from fcrlib.model.finding import Finding, Measure
from fcrlib.model.taxonomy import UNEXPLAINED, Taxonomy
from fcrlib.show.names import capital
from fcrlib.show.numbers import count, interval, percent, points

_NOTHING = "No first contact failed, so there is nothing to explain"
_MUCH = 0.25
WHY = "Read off traces in the history and off words by rule; nobody has checked a sample of these tags, and a tag is no proof of what went wrong."


def top(ranked: pl.DataFrame) -> str:
    """One sentence on `failure_modes.rank`: the largest way of failing, and whether it stands out."""
    modes = _modes(ranked)
    if ranked.is_empty():
        return _NOTHING
    if not modes:
        return "No failed contact shows a sign of any of the known ways of failing"
    first = modes[0]
    said = f"{percent(first['share'])} of the failed contacts ({interval(first['low'], first['high'])}): {first['name']}"
    if first["apart"]:
        return f"{said}; no other way is named as often"
    return said if len(modes) == 1 else f"{said}; {modes[1]['name']} is not clearly rarer ({percent(modes[1]['share'])})"


def covered(ranked: pl.DataFrame) -> str:
    """One sentence on `failure_modes.rank`: how many failures the largest modes cover, and how many are unexplained."""
    modes = _modes(ranked)
    if ranked.is_empty():
        return _NOTHING
    blank = ranked.filter(pl.col("mode") == UNEXPLAINED).row(0, named=True)
    rest = f"{percent(blank['share'])} show no sign that is believed enough"
    if not modes:
        return capital(rest)
    several = f"The {len(modes)} most frequent ways cover" if len(modes) > 1 else "One way of failing covers"
    return f"{several} {percent(modes[-1]['cumulative'])} of the failed contacts; {rest}"


def told(ranked: pl.DataFrame, *, taxonomy: Taxonomy | None = None, most: int = 3) -> list[Finding]:
    """One finding per large way of failing, with its owner and remedy; a caution where much is unexplained."""
    known = taxonomy or Taxonomy.shipped()
    found = [_finding(row, known) for row in _modes(ranked)[:most]]
    blank = ranked.filter(pl.col("mode") == UNEXPLAINED).to_dicts()
    if blank and blank[0]["share"] > _MUCH:
        title = f"{percent(blank[0]['share'])} of the failed contacts are unexplained"
        said = "The ranking speaks only of the others, and these may be different. Tag a sample by hand before acting on it."
        found.append(Finding("failure-modes-unexplained", "care", title, said))
    return found


def _finding(row: dict[str, Any], taxonomy: Taxonomy) -> Finding:
    mode, (share, low, high, n) = taxonomy.mode(row["mode"]), (row[name] for name in ("share", "low", "high", "n"))
    title = f"{percent(share)} of the failed contacts: {mode.name}"
    said = f"{mode.meaning} It is the first sign of {count(n)} failed contacts ({interval(low, high)} of all that failed)."
    measure = Measure(share, low, high, n=n, good="down")
    return Finding(
        f"failure-mode-{mode.slug}",
        "finding",
        title,
        said,
        measure,
        grade="D",
        why=WHY,
        action=mode.remedy,
        owner=mode.owner,
        details={"bone": mode.bone},
    )


def places(frame: pl.DataFrame, *, by: str, noun: str) -> str:
    """One sentence on `failure_modes.in_places`: where one way of failing is clearly more frequent than elsewhere."""
    if frame.is_empty():
        return f"No {noun} has enough failed contacts to say why they fail"
    clear = frame.filter(pl.col("clear") & (pl.col("share") > pl.col("elsewhere"))).sort(
        (pl.col("elsewhere") - pl.col("share")) * pl.col("failed"), by
    )
    if clear.is_empty():
        return f"In no {noun} is its most frequent way of failing clearly more frequent than elsewhere"
    row = clear.row(0, named=True)
    return f"{capital(row[by])}: “{row['name']}” in {percent(row['share'])} of the failed contacts, elsewhere in {percent(row['elsewhere'])}"


def drivers(frame: pl.DataFrame, *, by: str) -> list[str]:
    """One sentence per place of `failure_modes.in_places` that clearly differs from the rest, with its evidence."""
    clear = frame.filter(pl.col("clear") & (pl.col("share") > pl.col("elsewhere")))
    return [
        f"{capital(row[by])}: in {percent(row['share'])} of {count(row['failed'])} failed contacts ({interval(row['low'], row['high'])}) "
        f"the first sign is “{row['name']}”; elsewhere in {percent(row['elsewhere'])}."
        for row in clear.to_dicts()
    ]


def transfers(frame: pl.DataFrame) -> str:
    """One sentence on `hands.per_transfer`: how contacts that changed hands compare with alike ones that did not."""
    known = frame.filter(pl.col("handovers") != "0").drop_nulls("lost")
    if known.is_empty():
        return "This desk does not show enough handovers to compare contacts with and without"
    row = known.row(0, named=True)
    hands = {"1": "once", "2": "twice"}.get(row["handovers"], "three times or more")
    if not row["clear"]:
        return f"Contacts that changed hands {hands} show no clear difference to alike contacts that did not ({points(row['lost'])})"
    side = "less" if row["lost"] < 0 else "more"
    said = f"Contacts that changed hands {hands} are resolved at once {side} often than alike contacts that did not"
    return f"{said}: {percent(row['share'])} against {percent(row['alike'])}"


def bounces(frame: pl.DataFrame) -> str:
    """One sentence on `hands.bounces`: what bounces most."""
    if frame.is_empty():
        return "No contact changed hands twice"
    row = frame.row(0, named=True)
    return f"Most frequent bounce: {row['category']} {row['reason']} ({count(row['n'])} contacts, {percent(row['share'])} of all that bounce)"


def pressure(frame: pl.DataFrame, *, split: str) -> str:
    """One sentence on `hands.load`: does the rate hold at every hour, or under every backlog?"""
    rows, what = frame.filter(pl.col("split") == split), {"hour": "hour of the day", "backlog": "fifth of the backlog"}[split]
    apart = rows.filter("apart").sort("share", "level")
    if rows["share"].count() < 2:
        return f"There are too few contacts to compare by {what}"
    if apart.is_empty():
        return f"No {what} differs from the whole by more than chance among {rows['share'].count()} would do"
    row = apart.row(0, named=True)
    names = {"hour": f"contacts that start at {row['level']}:00 to {row['level']}:59", "backlog": f"fifth {row['level']} of 5 of the backlog"}
    return f"Stands apart: {names[split]}, {percent(row['share'])} resolved at once ({interval(row['low'], row['high'])})"


def promised(frame: pl.DataFrame) -> str:
    """One sentence on `hands.promises`: how many promises to be in touch were followed by anything."""
    if frame.is_empty():
        return "No promise to be in touch was found in what agents wrote"
    row, n = frame.row(1, named=True), int(frame["n"].sum())
    return f"After {count(row['n'])} of {count(n)} promises to be in touch, no message or call followed ({percent(row['share'])})"


def raised(frame: pl.DataFrame) -> str:
    """One sentence on `hands.escalations`: how many came back to the team that raised them."""
    if frame.is_empty():
        return "No escalation from one team to another was recorded"
    row, n = frame.row(1, named=True), int(frame["n"].sum())
    if not row["n"]:
        return f"None of {count(n)} escalated contacts was resolved by the team that had raised it"
    return f"{count(row['n'])} of {count(n)} escalated contacts ({percent(row['share'])}) were resolved by the very team that had raised them"


def _modes(ranked: pl.DataFrame) -> list[dict[str, Any]]:
    return ranked.filter(pl.col("mode").is_not_null() & (pl.col("mode") != UNEXPLAINED)).to_dicts()
