"""How is it told whether what was done worked, and what moved when something was changed?"""

from __future__ import annotations

from typing import Any

import polars as pl

from fcrlib.explain.effects import EARLY, FELL, FEW, LEVEL, NOWHERE, OPEN, ROSE
from fcrlib.model.finding import Finding, Measure
from fcrlib.model.numbers import count, magnitude, percent, points
from fcrlib.search.where import conditions
from fcrlib.show import effects
from fcrlib.show.figure import Column, Figure
from fcrlib.show.names import slug
from fcrlib.show.quote import quote
from fcrlib.show.telling.drivers import place

ACTIONS = "actions"
"""The part of the report that these findings belong to."""
_SHORT = {
    EARLY: "It is too early to tell: there are fewer than two whole weeks since.",
    FEW: "Too few contacts to tell.",
    OPEN: "It has not been done by the end of this period.",
    NOWHERE: "No contact of this desk lies in the place it names, so nothing can be said.",
}
_SHOWN = (
    Column("before", "failed before", "percent"),
    Column("after", "failed after", "percent"),
    Column("others_before", "others before", "percent"),
    Column("others_after", "others after", "percent"),
    Column("effect", "difference", "points"),
    Column("low", "95 % from", "points"),
    Column("high", "to", "points"),
    Column("regression", "taken off for having stood out", "points"),
    Column("placebo_largest", "largest on days when nothing was done", "points"),
    Column("n_after", "contacts after", "count"),
    Column("grade", "grade"),
)


def findings(actions: pl.DataFrame, *, figure: str = "") -> list[Finding]:
    """One finding per action of `effects.of_actions`: what was followed by fewer failures first, what cannot be judged yet last."""
    order = {status: place for place, status in enumerate((FELL, ROSE, LEVEL))}
    return [_finding(row, figure=figure) for row in sorted(actions.to_dicts(), key=lambda row: order.get(row["status"], len(order)))]


def headline(actions: pl.DataFrame) -> str:
    """The actions in one line."""
    if actions.is_empty():
        return "Nothing is written down that was done about earlier findings"
    done = actions.filter(pl.col("status").is_in([FELL, ROSE, LEVEL]))
    told = {FELL: "with fewer failures after it", LEVEL: "with no clear change after it", ROSE: "with more failures after it"}
    parts = [f"{n} {words}" for status, words in told.items() if (n := done.filter(pl.col("status") == status).height)]
    rest = actions.height - done.height
    parts += [f"{rest} that cannot be judged yet"] if rest else []
    return f"Of {_actions(actions.height)}: {', '.join(parts)}"


def figure(actions: pl.DataFrame, *, id: str) -> Figure:
    """Every action that can be judged as dot and interval; the others stand in the table only."""
    rows = actions.with_columns(name=pl.Series([quote(what, limit=60) for what in actions["what"]], dtype=pl.String), where=_places(actions))
    note = "Change of the share that fails, in the place less all other contacts, 13 weeks before and after at most."
    shown = (
        Column("name", "what was done"),
        Column("where", "where"),
        Column("owner", "owner"),
        Column("done", "in force since", "text"),
        Column("status", "since then"),
    )
    return _drawn(rows, id=id, title=headline(actions), columns=(*shown, *_SHOWN), note=note)


def changes(log: pl.DataFrame, *, id: str) -> Figure:
    """The entries of the log of changes, with what moved in their places."""
    when = pl.format("{} {}", pl.col("at").dt.strftime("%Y-%m-%d"), pl.col("kind"))
    rows = log.with_columns(name=pl.format("{}: {}", when, pl.Series("where", _places(log))), note=_quoted(log, "note"))
    note = "Change of the share that fails, in the place less all other contacts. Other things happen in the same weeks: this is what coincided."
    return _drawn(
        rows, id=id, title=changed(log), columns=(Column("name", "entry"), Column("note", "note"), Column("status", "since then"), *_SHOWN), note=note
    )


def changed(log: pl.DataFrame) -> str:
    """The log of changes in one line."""
    if log.is_empty():
        return "No release, incident or other change is logged for this period"
    rose, fell = (log.filter(pl.col("status") == status).sort(pl.col("effect").abs() * -1) for status in (ROSE, FELL))
    if rose.is_empty() and fell.is_empty():
        return f"After none of the {count(log.height)} logged changes did failures move more than chance and drift would make them"
    row = (rose if rose.height else fell).row(0, named=True)
    more = "more" if row["effect"] > 0 else "less"
    others = rose.height + fell.height - 1
    rest = (
        f"; {others} other logged changes also coincided with a move"
        if others > 1
        else "; one other logged change also coincided with a move"
        if others
        else ""
    )
    there = place(_words(row["place"]))
    return f"Since the {row['kind']} of {row['at']:%d %B %Y}, {there} failed {magnitude(row['effect'])} {more} than before, compared with all other contacts{rest}"


def _finding(row: dict[str, Any], *, figure: str) -> Finding:
    what, known = quote(row["what"], limit=120), row["effect"] is not None
    measure = Measure(row["effect"], row["low"], row["high"], row["n_after"] or 0, "points", "down") if known else None
    return Finding(
        f"action-{slug(row['slug'])}-{slug(row['what'])}"[:80].rstrip("-"),
        "finding",
        f"{what}: {_verdict(row)}",
        _statement(row) if known else _SHORT[row["status"]],
        measure,
        grade=row["grade"],
        why=row["why"] or "",
        owner=quote(row["owner"], limit=60),
        check=f"{row['check']:%Y-%m-%d}" if row["check"] else "",
        figures=(figure,) if figure and known else (),
        details={"part": ACTIONS, "about": row["slug"], "status": row["status"], "judged": known, "names": [what]},
    )


def _verdict(row: dict[str, Any]) -> str:
    told = {
        LEVEL: "no clear change since",
        EARLY: "too early to tell",
        FEW: "too few contacts to tell",
        OPEN: "not done yet",
        NOWHERE: "place not on this desk",
    }
    if row["status"] in told:
        return told[row["status"]]
    return f"failures {'fell' if row['status'] == FELL else 'rose'} {magnitude(row['effect'])} since"


def _statement(row: dict[str, Any]) -> str:
    where, way = place(_words(row["place"])), f" this way ({row['counted'].replace('-', ' ')})" if row["counted"] else ""
    beside = (
        f", while all others went from {percent(row['others_before'])} to {percent(row['others_after'])}" if row["others_after"] is not None else ""
    )
    seen = f"Since {row['done']:%d %B %Y}, {percent(row['after'])} of the first contacts ({where}) failed{way}, against {percent(row['before'])} before{beside}."
    luck = "Its level before is taken {} lower than seen, because what stands out is in part luck."
    off = f" {luck.format(magnitude(row['regression']))}" if (row["regression"] or 0) >= 0.001 else ""
    told = f" That is a difference of {points(row['effect'])} ({points(row['low'])} to {points(row['high'])}; {count(row['n_after'])} contacts since).{off}"
    return seen + told + _expectation(row)


def _expectation(row: dict[str, Any]) -> str:
    """What was hoped for, held against what was seen."""
    hoped = row["expected"]
    if hoped is None:
        return f" A fall of more than {magnitude(row['low'])} is excluded." if row["status"] == LEVEL and row["low"] < 0 else ""
    if row["low"] <= -hoped <= row["high"]:
        return f" The {magnitude(hoped)} that were hoped for are within reach of what was seen."
    return f" That is {'more' if row['high'] < -hoped else 'less'} than the {magnitude(hoped)} that were hoped for."


def _drawn(rows: pl.DataFrame, *, id: str, title: str, columns: tuple[Column, ...], note: str) -> Figure:
    judged = rows.with_columns(n=pl.col("n_after").fill_null(0), clear=pl.col("status").is_in([FELL, ROSE]))
    return effects.effects(judged, id=id, title=title, columns=columns, clear="clear", note=note)


def _places(frame: pl.DataFrame) -> pl.Series:
    return pl.Series("where", [place(_words(scope)) for scope in frame["place"]], dtype=pl.String)


def _quoted(frame: pl.DataFrame, name: str) -> pl.Series:
    return pl.Series(name, [quote(text, limit=120) for text in frame[name]], dtype=pl.String)


def _words(scope: str) -> list[str]:
    """The conditions of a place written in one line, taken as they stand."""
    names = [part.partition("=")[0] for part in scope.split(" and ") if "=" in part]
    return (conditions(scope, columns=names) or []) if scope else []


def _actions(n: int) -> str:
    return "one action" if n == 1 else f"{count(n)} actions"
