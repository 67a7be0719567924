"""Is the export whole?

A page that was not fetched leaves no trace in the records. The pages themselves say it: they name the next one, count what there is, or their
files are numbered.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from fcrlib.intake.export.kinds import Paging, at

_NUMBERED = re.compile(r"^(.*?)[-_. ]?(?:page|part)?[-_. ]?(\d{1,6})$", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Sheet:
    """One page of one kind.

    Parameters
    ----------
    kind
        Of which kind its records are.
    file, row
        Where it stands.
    records
        How many it held.
    said
        What stood around its list.
    """

    kind: str
    file: str
    row: int
    records: int
    said: dict[str, Any]


def gaps(sheets: Sequence[Sheet], *, paging: Paging) -> list[str]:
    """What is missing, one line each; nothing where the pages say nothing.

    Examples
    --------
    >>> page = {"next_page": "https://example.org/tickets.json?page=3"}
    >>> gaps([Sheet("tickets", "a.json", 1, 100, page)], paging=Paging(follows="next_page"))
    ["tickets: page 3, which 'a.json' names as the next one, is not there; page 1 is missing too: fetch the export again"]
    """
    by_kind: dict[str, list[Sheet]] = defaultdict(list)
    for sheet in sheets:
        by_kind[sheet.kind].append(sheet)
    problems = []
    for kind, some in by_kind.items():
        problems += _short(kind, some, paging) + (_unnumbered(kind, some) or _numbers(kind, some, paging) or _ends(kind, some, paging))
        problems += _counted(kind, some, paging)
    return problems


def _short(kind: str, sheets: list[Sheet], paging: Paging) -> list[str]:
    """Pages that hold fewer records than they say."""
    told = [(sheet, int(said)) for sheet in sheets if paging.here and (said := _whole(at(sheet.said, paging.here))) is not None]
    short = [(sheet, said) for sheet, said in told if said > sheet.records]
    return [f"{kind}: {sheet.file} says that it holds {said:,} records, but {sheet.records:,} are there: was it cut?" for sheet, said in short[:3]]


def _numbers(kind: str, sheets: list[Sheet], paging: Paging) -> list[str]:
    """Pages whose links are numbered: the one a link names must be there, and all before it."""
    named: dict[int, str] = {}
    for sheet in sheets:
        link = at(sheet.said, paging.follows) if paging.follows else None
        if isinstance(link, str) and (found := re.search(paging.number, link)):
            named[int(found[1])] = sheet.file
    if not named:
        return []
    last = max(named)
    ends = sum(1 for sheet in sheets if not at(sheet.said, paging.follows))
    there = {number - 1 for number in named} | ({last} if ends else set())
    missing = sorted(set(range(1, last + 1)) - there)
    if not missing:
        return []
    if missing[-1] == last:
        before = missing[:-1]
        more = f"; page{'s' if len(before) > 1 else ''} {_listed(before)} {'are' if len(before) > 1 else 'is'} missing too" if before else ""
        return [f"{kind}: page {last}, which '{named[last]}' names as the next one, is not there{more}: fetch the export again"]
    return [
        f"{kind}: page{'s' if len(missing) > 1 else ''} {_listed(missing)} of {last} {'are' if len(missing) > 1 else 'is'} not there: fetch the export again"
    ]


def _ends(kind: str, sheets: list[Sheet], paging: Paging) -> list[str]:
    """Somewhere the export must come to an end."""
    ends = [_is_last(sheet, paging) for sheet in sheets]
    if True in ends or None in ends or not ends:
        return []
    return [f"{kind}: every one of {len(sheets):,} pages says that another follows, e.g. '{sheets[-1].file}': the last page is missing"]


def _is_last(sheet: Sheet, paging: Paging) -> bool | None:
    """None where the page does not say."""
    if paging.last and (said := at(sheet.said, paging.last)) is not None:
        return str(said).lower() == "true"
    if paging.more and (said := at(sheet.said, paging.more)) is not None:
        return str(said).lower() != "true"
    if paging.follows and paging.follows.split(".")[0] in sheet.said:
        return not at(sheet.said, paging.follows)
    return None


def _counted(kind: str, sheets: list[Sheet], paging: Paging) -> list[str]:
    """Records that the pages count over all of them."""
    totals = [said for sheet in sheets if paging.total and (said := _whole(at(sheet.said, paging.total))) is not None]
    held = sum(sheet.records for sheet in sheets)
    if paging.start:
        starts = {_whole(at(sheet.said, paging.start)): sheet.records for sheet in sheets}
        held = sum(starts.values()) if None not in starts else held
    if not totals or held >= min(totals):
        return []
    return [f"{kind}: the export counts {min(totals):,} records, but {held:,} are there: {min(totals) - held:,} were not fetched"]


def _unnumbered(kind: str, sheets: list[Sheet]) -> list[str]:
    """Numbered files with a number left out."""
    series: dict[str, set[int]] = defaultdict(set)
    for sheet in sheets:
        stem = sheet.file.rpartition("/")[2].split(".")[0]
        if found := _NUMBERED.match(stem):
            series[f"{sheet.file.rpartition('/')[0]}/{found[1]}".lstrip("/")].add(int(found[2]))
    problems = []
    for stem, numbers in series.items():
        missing = sorted(set(range(min(numbers), max(numbers))) - numbers)
        # Files named by a date or an id are not counted through.
        if missing and len(missing) < len(numbers):
            problems.append(f"{kind}: of the files '{stem}...' number {_listed(missing)} is not there, but {max(numbers)} is: fetch the export again")
    return problems


def _listed(numbers: list[int]) -> str:
    return ", ".join(str(number) for number in numbers[:5]) + (f" and {len(numbers) - 5} more" if len(numbers) > 5 else "")


def _whole(value: object) -> int | None:
    return int(value) if isinstance(value, str) and value.isdigit() else None
