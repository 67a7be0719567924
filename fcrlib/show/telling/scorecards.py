"""How are teams and agents told apart in words, without blaming anybody for luck or for their contacts?"""

from __future__ import annotations

from typing import Any

import polars as pl

from fcrlib.model.finding import Finding, Measure
from fcrlib.model.numbers import count, interval, magnitude, percent
from fcrlib.show.names import capital, slug

NOTHING = "This desk does not tell {noun}s apart, so they cannot be compared"


def standing(card: pl.DataFrame, *, noun: str = "team") -> str:
    """One sentence on who resolves clearly more or less than expected; it names the furthest one.

    Parameters
    ----------
    card
        `explain.scorecards.teams`: the first column names the rows; `share`, `expected`, `flagged`.
    """
    compared = card.filter(pl.col("flagged").is_not_null())
    if compared.height < 2:
        return NOTHING.format(noun=noun)
    apart = compared.filter("flagged").sort((pl.col("share") - pl.col("expected")).abs(), descending=True)
    if apart.is_empty():
        return f"No {noun} resolves clearly more or less than its contacts would lead one to expect"
    row = apart.row(0, named=True)
    gap = row["share"] - row["expected"]
    others = f"; {apart.height - 1} more {_stand(apart.height - 1)} apart" if apart.height > 1 else ""
    return f"{capital(row[card.columns[0]])} resolves {_size(gap)} than its contacts would lead one to expect{others}"


def crowd(card: pl.DataFrame, *, noun: str = "agent") -> str:
    """One sentence on how many stand apart, naming nobody.

    Parameters
    ----------
    card
        `explain.scorecards.agents`: `flagged`, `too_few`.
    """
    if card.is_empty():
        return NOTHING.format(noun=noun)
    compared, apart = card.filter(~pl.col("too_few")), card.filter(pl.col("flagged"))
    if compared.is_empty():
        return f"None of {count(card.height)} {noun}s has enough contacts to be compared"
    few = f" ({count(card.height - compared.height)} more have too few contacts)" if compared.height < card.height else ""
    if compared.height == 1:
        return f"Only one {noun} has enough contacts, so there is nobody to compare with{few}"
    who = f"{apart.height} {_stand(apart.height)} apart" if apart.height else "none stands apart"
    return f"Of the {count(compared.height)} {noun}s with enough contacts, {who}{few}"


def signs(card: pl.DataFrame, *, noun: str = "team") -> str:
    """One sentence on the rows whose contacts should be read: a high share that comes with signs of early closing."""
    marked = card.filter(pl.col("look"))
    if marked.is_empty():
        return f"No {noun} joins a high share with signs that contacts are closed rather than solved"
    some = f"One {noun} joins" if marked.height == 1 else f"{count(marked.height)} {noun}s join"
    return f"{some} a high share with signs that contacts are closed rather than solved: read some of these contacts before praising the share"


def level(adjusted: pl.DataFrame, *, noun: str) -> str:
    """One sentence on who stands apart once everybody is held to the same mix of contacts.

    Parameters
    ----------
    adjusted
        `explain.scorecards.adjusted`: the first column names the rows; `n`, `share`, `adjusted`, `apart`.
    """
    known = adjusted.drop_nulls("adjusted")
    if known.height < 2:
        return NOTHING.format(noun=noun)
    apart = known.filter("apart")
    if apart.is_empty():
        return f"At the same mix of contacts, no {noun} stands clearly apart"
    row = apart.sort((pl.col("share") - pl.col("expected")).abs()).row(-1, named=True)
    word = "less" if row["share"] < row["expected"] else "more"
    return f"At the same mix of contacts, {row[adjusted.columns[0]]} resolves {word} than the others: {percent(row['adjusted'])} ({interval(row['low'], row['high'])})"


def together(adjusted: pl.DataFrame) -> float | None:
    """The share of all rows together, to draw beside them."""
    known = adjusted.drop_nulls("share")
    whole = known.select((pl.col("share") * pl.col("n")).sum() / pl.col("n").sum()).item()
    return None if known.is_empty() else float(whole)


def two_views(attribution: pl.DataFrame) -> str:
    """One sentence on what customers see and what the desk can answer for."""
    views = {row["view"]: row for row in attribution.to_dicts()}
    seen, held = views["customers"], views["desk"]
    if not held["set_aside"]:
        return f"Customers see {percent(seen['share'])}; no contact is marked as out of the desk's hands"
    return f"Customers see {percent(seen['share'])}; without {count(held['set_aside'])} contacts that nobody at the desk could resolve it is {percent(held['share'])}"


def places(card: pl.DataFrame, *, figure: str, most: int = 2) -> list[Finding]:
    """The teams clearly below their expectation, as places to look; never a judgement on people."""
    below = card.filter(pl.col("flagged") & (pl.col("share") < pl.col("expected")))
    return [_place(row, figure=figure) for row in below.sort("q", card.columns[0]).head(most).to_dicts()]


def _place(row: dict[str, Any], *, figure: str) -> Finding:
    moved = f" {percent(row['moved'], digits=0)} of them were first resolved in another team." if row["moved"] is not None else ""
    return Finding(
        f"team-below-{slug(row['team'])}",
        "finding",
        f"{capital(row['team'])} resolves {_size(row['share'] - row['expected'])} than its contacts would lead one to expect",
        f"Of {count(row['n'])} contacts it handled first, {percent(row['share'])} were resolved; {percent(row['expected'])} would be expected of "
        f"contacts like these. Drawn towards that, as far as chance reaches, it is {percent(row['post'])} ({interval(row['low'], row['high'])}).{moved}",
        Measure(row["post"], row["low"], row["high"], int(row["n"]), "share", "up"),
        grade="C",
        why="adjusted for channel, category, tier and priority only; what reaches the team may differ in other ways",
        action="Read ten failed contacts that this team passed on and ten that it kept: did they belong here?",
        figures=(figure,),
        details={"place": f"team={row['team']}"},
    )


def _size(gap: float) -> str:
    return f"{magnitude(gap)} {'less' if gap < 0 else 'more'}"


def _stand(number: int) -> str:
    return "stands" if number == 1 else "stand"
