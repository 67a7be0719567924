"""How is it told where in the product which ways of failing pile up?"""

from __future__ import annotations

import polars as pl

from fcrlib.model.finding import Finding, Measure
from fcrlib.model.numbers import count, interval, percent
from fcrlib.model.taxonomy import UNEXPLAINED, Taxonomy
from fcrlib.show import charts, overlay
from fcrlib.show.figure import Column, Figure, Table
from fcrlib.show.names import capital
from fcrlib.show.quote import quote

_NOTHING = "No failed contact shows a sign of any of the known ways of failing, so there is nothing to put on a board"
_OUTSIDE = "* lies on the bone product, systems or policy: nobody who answers contacts can change it."
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
    return f"{count(n)} of {count(whole)} failed contacts that show a sign ({percent(n / whole)}) lie outside what those who answer can change"


def _outside(told: pl.DataFrame) -> tuple[int, int]:
    """How many of the failures that show a sign lie outside, and how many there are."""
    return int(told.filter("outside")["n"].sum()), int(told["n"].sum())


def figure(cells: pl.DataFrame, *, board: pl.DataFrame, id: str = "friction") -> Figure:
    """The pairs of `friction.grid` as a picture."""
    names = {"n": "failed contacts", "area": "area of the product", "way": "way of failing"}
    return charts.grid(cells, id=id, title=title(board), x="way", y="area", value="n", kind="count", names=names, note=_OUTSIDE)


def listed(board: pl.DataFrame, *, currency: str = "", id: str = "friction-list", most: int = 8) -> Table:
    """The largest pairs, each with its owner: what to take to whom."""
    told = board.filter(pl.col("mode") != UNEXPLAINED).head(most)
    frame = told.with_columns(name=pl.when("outside").then(pl.col("name") + " *").otherwise("name"))
    head = (Column("area", "area"), Column("name", "way of failing"), Column("n", "failed", "count"), Column("of", "of", "count"))
    shares = (Column("share", "share", "percent"), Column("low", "95 % from", "percent"), Column("high", "to", "percent"))
    cost = (Column("cost", "cost", "money", currency),) if board["cost"].count() else (Column("later", "contacts after", "count"),)
    priced = "The cost is that of the contacts that came after. " if board["cost"].count() else ""
    several = "pairs of an area and a way of failing" if told.height > 1 else "pair"
    said = f"The {count(told.height)} largest {several}, each with its owner" if told.height else _NOTHING
    return Table(id, said, frame, (*head, *shares, *cost, Column("owner", "owner")), note=f"{priced}{_OUTSIDE}")


def found(board: pl.DataFrame, *, figures: tuple[str, ...] = ("friction", "friction-list")) -> list[Finding]:
    """The board as a finding of its own part of the report; nothing where there is no board."""
    told = board.filter(pl.col("mode") != UNEXPLAINED)
    if told.is_empty():
        return []
    row, (n, whole) = told.row(0, named=True), _outside(told)
    at = f"The interval is {interval(row['low'], row['high'])} of {count(row['of'])} first contacts there." if row["low"] is not None else ""
    return [
        Finding(
            "friction-board", "finding", capital(outside(board)), f"The largest pair: {title(board)}. {at}".strip(), Measure(n / whole, n=whole),
            grade="D", why=_WHY, owner=row["owner"], figures=figures, details={"part": "friction"},
        )
    ]  # fmt: skip


def weeks(weekly: pl.DataFrame, *, changes: pl.DataFrame, taxonomy: Taxonomy | None = None) -> list[Figure]:
    """One picture per way of failing: its weekly share beside the changes of the log."""
    known = taxonomy or Taxonomy.shipped()
    modes = weekly["mode"].unique(maintain_order=True)
    return [
        overlay.weeks(weekly.filter(pl.col("mode") == mode).drop("mode"), changes=changes, id=f"weeks-{mode}", title=_weeks(weekly, mode, known))
        for mode in modes
    ]


def weeks_found(weekly: pl.DataFrame, *, taxonomy: Taxonomy | None = None) -> list[Finding]:
    """Hands each picture of `weeks` to what the report says of its way of failing."""
    known = taxonomy or Taxonomy.shipped()
    modes = weekly["mode"].unique(maintain_order=True)
    return [Finding(f"weeks-{mode}", "finding", _weeks(weekly, mode, known), COINCIDES, mode=mode, figures=(f"weeks-{mode}",)) for mode in modes]


def _weeks(weekly: pl.DataFrame, mode: str, taxonomy: Taxonomy) -> str:
    seen = weekly.filter(pl.col("mode") == mode).drop_nulls("share")
    name = taxonomy.mode(mode).name
    if seen.is_empty():
        return f"“{name}”: too few contacts in every week"
    low, high = seen.sort("share", "week").row(0, named=True), seen.sort("share", "week").row(-1, named=True)
    span = f"between {percent(low['share'])} and {percent(high['share'])} of the first contacts of a week"
    return f"“{name}”, week by week: {span}"
