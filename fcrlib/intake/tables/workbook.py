"""What stands on the sheets of a spreadsheet?

Every sheet that shows something becomes a table of text, as if it had been saved as CSV: an id in a cell of numbers has no decimals, a date is
written as ISO without a zone (a spreadsheet knows none), a time of day or a duration as `H:MM:SS`. Nothing is computed: of a formula there is what it
last gave. Hidden sheets and empty ones are passed over.
"""

from __future__ import annotations

from typing import Any

import polars as pl

from fcrlib.model.errors import DataError

ENDINGS = (".xlsx", ".xlsm", ".xlsb", ".xls", ".ods")
_OLD = b"\xd0\xcf\x11\xe0"
_INSIDE = ("xl/workbook.xml", "xl/workbook.bin", "content.xml")
# A time of day is kept as one on the day from which a spreadsheet counts.
_DAY_NOUGHT = r"^(?:1899-12-3[01]|1900-01-0[01])[ T](\d{2}:\d{2}:\d{2})(?:\.\d+)?$"
_REPEATED = "_duplicated_"


def is_old(data: bytes) -> bool:
    """Is it a spreadsheet of the old binary kind (or a locked one of the new)?"""
    return data.startswith(_OLD)


def is_new(members: list[str]) -> bool:
    """Is an archive with these members a spreadsheet?"""
    return any(one in members for one in _INSIDE)


def sheets(name: str, data: bytes) -> list[tuple[str, pl.DataFrame, tuple[str, ...]]]:
    """The sheets of a spreadsheet: name, table, and what had to be decided.

    A repeated name of a column ends in `_duplicated_` and a number, and one without a name is nothing but that.

    Raises
    ------
    DataError
        If it is damaged or locked, or no sheet shows a table.
    """
    import fastexcel

    try:
        book = fastexcel.read_excel(data)
        found = [(sheet, _cells(book.load_sheet(sheet, header_row=None, dtypes="string"))) for sheet in book.sheet_names if _shown(book, sheet)]
    except fastexcel.FastExcelError as error:
        why = str(error).splitlines()[0]
        raise DataError(f"{name} cannot be opened as a spreadsheet: is it damaged, or locked with a password? ({why})") from None
    tables = [(sheet, *table) for sheet, cells in found if (table := _table(cells)) is not None]
    if not tables:
        raise DataError(f"{name} has no sheet with a header and rows")
    return tables


def _shown(book: Any, sheet: str) -> bool:
    return str(book.load_sheet(sheet, header_row=None, n_rows=0, dtypes="string").visible) == "visible"


def _cells(sheet: Any) -> pl.DataFrame:
    """The cells as text, the first row included; blank ones are null."""
    frame = pl.DataFrame(sheet)
    text = pl.all().cast(pl.String)
    frame = frame.select(text.str.replace(_DAY_NOUGHT, "${1}"))
    return frame.select(pl.when(pl.all().str.strip_chars() != "").then(pl.all()))


def _table(cells: pl.DataFrame) -> tuple[pl.DataFrame, tuple[str, ...]] | None:
    """The table under its header: the first row in which more than a title stands."""
    filled = cells.select(n=pl.sum_horizontal(pl.all().is_not_null()))["n"] if cells.width else pl.Series([], dtype=pl.UInt32)
    rows = (filled > (1 if cells.width > 1 else 0)).arg_true()
    if rows.is_empty():
        return None
    top = int(rows[0])
    body = cells.slice(top + 1)
    whole = body.filter(pl.any_horizontal(pl.all().is_not_null()))
    if whole.is_empty():
        return None
    header = [str(one) if one is not None else "" for one in cells.row(top)]
    names = [name if name and name not in header[:place] else f"{name}{_REPEATED}{place}" for place, name in enumerate(header)]
    named = body.rename(dict(zip(body.columns, names, strict=True)))
    kept = [one for one in named.columns if not one.startswith(_REPEATED) or named[one].count()]
    notes = (f"{top} lines above the header were passed over: add {top} to the rows named",) if top else ()
    return named.select(kept), notes
