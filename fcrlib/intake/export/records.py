"""Which records does an export hold?

Every kind that a reader declares becomes a table of text, as the files hold it: nothing is guessed about a value here. Records that came twice are
one, pages that are missing are missed, and whatever is wrong with the files is said at once, with file and row. Files are read piece by piece and
only the declared fields are kept, so that the memory needed follows from those and not from the size of the export.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from fcrlib.intake.export import duty
from fcrlib.intake.export.gather import FILE, LINE, RECORD, Gathering
from fcrlib.intake.export.kinds import Export, at
from fcrlib.intake.export.members import members
from fcrlib.intake.export.pages import Sheet
from fcrlib.intake.export.pieces import LONGEST
from fcrlib.intake.export.progress import Progress
from fcrlib.intake.export.shelf import Shelf
from fcrlib.model.desk import Dropped, fingerprint
from fcrlib.model.errors import DataError

__all__ = ["FILE", "LINE", "RECORD", "Records", "hashes", "read"]


@dataclass(frozen=True, slots=True)
class Records:
    """The records of an export.

    Parameters
    ----------
    path
        Where it lies.
    names
        Its files, in order.
    tables
        By kind: columns as declared, all text, null where the record says nothing; `RECORD` (number of the record over the whole export, shared by
        what stood inside it), `FILE` (number of its file), `LINE` (its row there; in a list its number) and `instants.ROW` (`tickets.json:17`, for
        messages). In the order of the files.
    sheets
        Its pages.
    unused
        Fields that nobody asked for: `kind`, `field`, `n`; the most frequent first.
    dropped
        Records that came twice, and those of kinds that are not read.
    notes
        What the manifest should say.
    """

    path: Path
    names: tuple[str, ...]
    tables: Mapping[str, pl.DataFrame]
    sheets: tuple[Sheet, ...]
    unused: pl.DataFrame
    dropped: tuple[Dropped, ...]
    notes: tuple[str, ...]

    def table(self, kind: str) -> pl.DataFrame:
        """Records of one kind, each once; no rows where there are none."""
        return self.tables[kind]

    def said(self, kind: str, path: str) -> list[str]:
        """What the pages of a kind say at a path, e.g. `end_time`."""
        return [str(told) for sheet in self.sheets if sheet.kind == kind and (told := at(sheet.said, path)) is not None]


def read(path: Path | str, *, export: Export, tell: Callable[[str], None] | None = None, longest: int = LONGEST) -> Records:
    """Read an export: a file, a zip, a gz or a folder of those, as deep as it goes.

    Parameters
    ----------
    path
        Pages of an API, bare lists, one record a line, single records; tables (csv, tsv, parquet) by their headers.
    export
        What the system's export holds.
    tell
        Called with a line of progress every few seconds.
    longest
        Characters that one record may have.

    Raises
    ------
    DataError
        Everything at once: files that cannot be read, pages that are missing, fields that are nowhere, two desks in one, not this system.
    """
    found = members(path)
    names = tuple(member.name for member in found)
    progress = Progress(tell, bytes_there=sum(member.size for member in found))
    with Shelf() as shelf:
        gathering = Gathering(export, names=names, shelf=shelf, progress=progress, longest=longest)
        for number, member in enumerate(found):
            gathering.take(member, number)
        progress.end(gathering.number)
        if problems := duty.problems(gathering, files=len(found)):
            raise DataError(f"{path} cannot be read as an export of {export.system}:", problems)
        tables, twice = duty.once(gathering)
    spare = duty.unused(gathering)
    foreign = [Dropped(what="records", count=n, why=f"of a kind that is not read: {what}") for what, n in gathering.unplaced.most_common()]
    return Records(
        path=Path(path),
        names=names,
        tables=tables,
        sheets=tuple(gathering.sheets),
        unused=spare,
        dropped=(*twice, *foreign),
        notes=(*gathering.notes, *duty.remarks(spare)),
    )


def hashes(path: Path | str) -> dict[str, str]:
    """SHA-256 by name, of every file of an export."""
    place = Path(path)
    found = sorted({member.file for member in members(place)})
    return {file.name if file == place else str(file.relative_to(place)): fingerprint(file) for file in found}
