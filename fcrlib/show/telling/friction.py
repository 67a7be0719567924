"""How is it told where in the product which ways of failing pile up?"""

from __future__ import annotations

from typing import Any

import polars as pl

from fcrlib.model.columns import NOT_KNOWN, OTHERS
from fcrlib.model.finding import Finding, Measure
from fcrlib.model.numbers import count, interval, percent
from fcrlib.model.taxonomy import UNEXPLAINED
from fcrlib.show import charts, overlay
from fcrlib.show.figure import Column, Figure, Table
from fcrlib.show.names import capital
from fcrlib.show.quote import quote

_NOTHING = "No failed contact shows a sign of any of the known ways of failing, so there is nothing to put on a board"
_OUTSIDE = "* lies on the bone product, systems or policy: nobody who answers contacts can change it."
AREA = "of the area"  # how the taxonomy names an owner that depends on the part of the product
_LEAST = 5  # so many contacts must have failed in the largest pair
PLACE, WEEKS = "place", "weeks"
"""What a finding is that stands beside a way of failing and nowhere else: `details["part"]`."""
_WHY = "counted as found; the ways of failing are read off signs, and nothing about these contacts is held equal"
COINCIDES = "What coincides with a change is no proof that it came from there."


def title(board: pl.DataFrame) -> str:
    """One sentence on `friction.board`: the pair of an area and a way of failing with the most failed contacts."""
    told = board.filter(pl.col("mode") != UNEXPLAINED)
    if told.is_empty():
        return _NOTHING
    row = told.row(0, named=True)
    share = f", {percent(row['share'])} of the first contacts there" if row["share"] is not None else ""
    return f"{capital(quote(row['area'], limit=60))}, “{row['name']}”: {count(row['n'])} failed contacts{share}"


def outside(board: pl.DataFrame) -> str:
    """One sentence on how many failures lie outside what those who answer can change."""
    told = board.filter(pl.col("mode") != UNEXPLAINED)
    if told.is_empty():
        return _NOTHING
    n, whole = _outside(told)
    if not n:
        return f"Of {_contacts(whole)} with a sign, none lies outside what those who answer can change"
    return f"{count(n)} of {_contacts(whole)} with a sign lie{'s' if n == 1 else ''} outside what those who answer can change"


def _outside(told: pl.DataFrame) -> tuple[int, int]:
    """How many of the failures that show a sign lie outside, and how many there are."""
    return int(told.filter("outside")["n"].sum()), int(told["n"].sum())


def figure(cells: pl.DataFrame, *, board: pl.DataFrame, id: str = "friction") -> Figure:
    """The pairs of `friction.grid` as a picture."""
    names = {"n": "failed contacts", "area": "area of the product", "way": "way of failing"}
    return charts.grid(cells, id=id, title=title(board), x="way", y="area", value="n", kind="count", names=names, note=_star(board))


def _star(board: pl.DataFrame) -> str:
    """What the star says, where there is one."""
    return _OUTSIDE if board["outside"].any() else ""


def listed(board: pl.DataFrame, *, currency: str = "", id: str = "friction-list", most: int = 8) -> Table:
    """The largest pairs, each with its owner: what to take to whom."""
    told = board.filter(pl.col("mode") != UNEXPLAINED).head(most)
    owners = pl.Series("owner", [owned(row["owner"], row["area"]) for row in told.to_dicts()], dtype=pl.String)
    frame = told.with_columns(owners, name=pl.when("outside").then(pl.col("name") + " *").otherwise("name"))
    head = (Column("area", "area"), Column("name", "way of failing"), Column("n", "failed", "count"), Column("of", "of", "count"))
    shares = (Column("share", "share", "percent"), Column("low", "95 % from", "percent"), Column("high", "to", "percent"))
    cost = (Column("cost", "cost", "money", currency),) if board["cost"].count() else (Column("later", "contacts after", "count"),)
    priced = "The cost is that of the contacts that came after. " if board["cost"].count() else ""
    several = "pairs of an area and a way of failing" if told.height > 1 else "pair"
    said = f"The {count(told.height)} largest {several}, each with its owner" if told.height else _NOTHING
    return Table(id, said, frame, (*head, *shares, *cost, Column("owner", "owner")), note=f"{priced}{_star(told)}".strip())


def owned(owner: str, area: str) -> str:
    """An owner by the part of the product, where the taxonomy leaves it open.

    Examples
    --------
    >>> owned("product team of the area", "single sign-on"), owned("Billing", "invoices")
    ('product team of single sign-on', 'Billing')
    """
    return owner.replace(AREA, f"of {quote(area, limit=60)}") if area not in (NOT_KNOWN, OTHERS) else owner


def homes(found: pl.DataFrame) -> list[Finding]:
    """Hands each area of `friction.homes` to what the report says of its way of failing: where to begin, and whom to ask."""
    return [_home(row) for row in found.to_dicts()]


def _home(row: dict[str, Any]) -> Finding:
    area = quote(row["area"], limit=60)
    mostly = "Mostly" if 2 * row["n"] >= row["of_mode"] else "Most often"
    said = f"{percent(row['share'])} of the first contacts there failed this way ({interval(row['low'], row['high'])}), {percent(row['elsewhere'])} elsewhere."
    details = {"part": PLACE, "where": f"{mostly.lower()} in {area} ({percent(row['n'] / row['of_mode'], digits=0)})", "area": area}
    title = f"{mostly} in {area}: {count(row['n'])} of the {count(row['of_mode'])} whose verdict is final"
    return Finding(f"place-{row['mode']}", "finding", title, said, owner=owned(row["owner"], row["area"]), details=details, mode=row["mode"])


def _contacts(n: int) -> str:
    return f"{count(n)} failed contact{'' if n == 1 else 's'}"


def found(board: pl.DataFrame, *, figures: tuple[str, ...] = ("friction", "friction-list")) -> list[Finding]:
    """The board as a finding of its own part of the report; nothing where there is no board, or where no pair has enough contacts to speak of."""
    told = board.filter(pl.col("mode") != UNEXPLAINED)
    if told.is_empty() or told["n"][0] < _LEAST:
        return []
    row, (n, whole) = told.row(0, named=True), _outside(told)
    of = f"{interval(row['low'], row['high'])} of its {count(row['of'])} first contacts failed that way"
    at = f"The largest pair is that of {quote(row['area'], limit=60)}: {of}." if row["low"] is not None else ""
    return [
        Finding(
            "friction-board", "finding", capital(outside(board)), at, Measure(n / whole, n=whole),
            grade="D", why=_WHY, owner=owned(row["owner"], row["area"]), figures=figures, details={"part": "friction"},
        )
    ]  # fmt: skip


def weeks(weekly: pl.DataFrame, *, moved: pl.DataFrame, changes: pl.DataFrame, previous: str = "the period before") -> list[Figure]:
    """One picture per way of failing that clearly moved: its weekly share, that of the period before, and the changes that touched it.

    `moved` is `failure_modes.against_before`, `changes` is `friction.touched`.
    """
    return [_weeks(row, weekly.filter(pl.col("mode") == row["mode"]).drop("mode"), changes, previous) for row in _clear(moved, weekly)]


def weeks_found(weekly: pl.DataFrame, *, moved: pl.DataFrame) -> list[Finding]:
    """Hands each picture of `weeks` to what the report says of its way of failing."""
    return [
        Finding(
            f"weeks-{row['mode']}", "finding", _went(row), COINCIDES, details={"part": WEEKS}, mode=row["mode"], figures=(f"weeks-{row['mode']}",)
        )
        for row in _clear(moved, weekly)
    ]


def _weeks(row: dict[str, Any], weekly: pl.DataFrame, changes: pl.DataFrame, previous: str) -> Figure:
    its = changes.filter(pl.col("mode") == row["mode"])
    return overlay.weeks(weekly, changes=its, id=f"weeks-{row['mode']}", title=_went(row), before=row["before"], called=previous)


def _clear(moved: pl.DataFrame, weekly: pl.DataFrame) -> list[dict[str, Any]]:
    """The ways that clearly moved and have a week to show; none where the share without a sign moved, too."""
    shown = weekly.drop_nulls("share")["mode"].unique()
    return moved.filter(pl.col("change_clear") & ~pl.col("coverage_moved") & pl.col("mode").is_in(shown.implode())).to_dicts()


def _went(row: dict[str, Any]) -> str:
    return f"“{row['name']}” went from {percent(row['before'])} to {percent(row['rate'])} of all first contacts"
