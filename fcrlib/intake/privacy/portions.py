"""How much of a desk's text is looked at at once?

Cleaning holds some copies of the texts it looks at. A desk of many gigabytes is therefore cut into portions, each with all that some contacts say in
all tables, since what stands in the body of a contact mostly stands in its first message too and should be read once.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import accumulate
from typing import TypeVar

import polars as pl

PORTION = 32_000_000
"""Bytes of text: so few that their copies do not count beside a desk, so many that reading the shapes anew for each does not either."""
_Rows = TypeVar("_Rows", pl.Series, pl.DataFrame)


def portions(texts: pl.Series, *, most: int = PORTION) -> list[pl.Series]:
    """Texts in their order, about so many bytes at a time; there is always one portion at least.

    Examples
    --------
    >>> [part.to_list() for part in portions(pl.Series(["aa", None, "bb", "cc"]), most=3)]
    [['aa', None], ['bb', 'cc']]
    """
    return _cut(texts, _cuts(texts.str.len_bytes(), most=most))


def portions_of(tables: Mapping[str, pl.DataFrame], *, texts: Mapping[str, Sequence[str]], most: int = PORTION) -> list[dict[str, pl.DataFrame]]:
    """Tables in portions of about so many bytes of text. What one contact says stays together where the tables are sorted by contact.

    The table with the most text says where to cut; one that knows no contacts is cut into as many parts of as many rows.

    Parameters
    ----------
    tables
        Frames by name; those about contacts have `source` and `contact_id`.
    texts
        The columns of text in each table.
    """
    sums = {name: sum(int(frame[column].str.len_bytes().sum()) for column in texts.get(name, ())) for name, frame in tables.items()}
    leading = max((name for name in tables if "contact_id" in tables[name].columns), key=lambda name: sums[name])
    sizes = tables[leading].select(pl.sum_horizontal(pl.col(texts[leading]).str.len_bytes())).to_series()
    cuts = _cuts(sizes, most=most * sums[leading] / max(sum(sums.values()), 1))
    places = tables[leading][cuts].select("source", "contact_id").rows() if cuts else []
    parts = [_cut(frame, cuts if name == leading else _rows_before(frame, places)) for name, frame in tables.items()]
    return [dict(zip(tables, part, strict=True)) for part in zip(*parts, strict=True)]


def _cuts(sizes: pl.Series, *, most: float) -> list[int]:
    """Rows at which new portions begin."""
    filled = sizes.fill_null(0).cast(pl.Int64).cum_sum()
    number = int(-(-int(sizes.sum()) // max(most, 1)))
    share = int(sizes.sum()) / max(number, 1)
    cuts = filled.search_sorted(pl.Series([share * part for part in range(1, number)], dtype=pl.Float64), side="left")
    return sorted({int(cut) for cut in cuts} - {0})


def _rows_before(frame: pl.DataFrame, places: Sequence[tuple[str, str]]) -> list[int]:
    """How many rows stand before each of some contacts; of a table without contacts, as many for each."""
    if "contact_id" not in frame.columns:
        return [frame.height * part // (len(places) + 1) for part in range(1, len(places) + 1)]
    source, contact = pl.col("source"), pl.col("contact_id")
    before = [frame.select(((source < place) | ((source == place) & (contact < one))).sum()).item() for place, one in places]
    return list(accumulate(before, max))


def _cut(rows: _Rows, cuts: Sequence[int]) -> list[_Rows]:
    return [rows[start:end] for start, end in zip([0, *cuts], [*cuts, len(rows)], strict=True)]
