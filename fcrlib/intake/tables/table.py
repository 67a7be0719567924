"""What is a table of text?"""

from __future__ import annotations

from dataclasses import dataclass, field

import polars as pl


@dataclass(frozen=True, slots=True)
class Table:
    """A table of text as the file holds it.

    Parameters
    ----------
    name
        The file's name; a member of an archive is `archive/member`, a sheet of several `book/sheet`.
    frame
        Every column as text, in the file's order; nothing is stripped or turned into null but empty fields.
    notes
        What had to be decided to read it, e.g. the encoding.
    rows
        Where each row stands, e.g. `17`, or of several files `2026-02.csv:17`; the header is row 1.
    """

    name: str
    frame: pl.DataFrame
    notes: tuple[str, ...] = ()
    rows: pl.Series = field(default_factory=lambda: pl.Series(dtype=pl.String))

    def __post_init__(self) -> None:
        if len(self.rows) != self.frame.height:
            object.__setattr__(self, "rows", pl.int_range(2, self.frame.height + 2, eager=True).cast(pl.String))
