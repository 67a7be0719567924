"""Which fields of an export do we want, and where do they stand in a record?

A reader declares its kinds of records once; how they are found, unpacked, counted and kept is the same for every system.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cache
from typing import Any

_SPELLED = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"))
_STEP = re.compile(r"\[(\d+)\]|([^.\[\]]+)")


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of record.

    Parameters
    ----------
    name
        What we call it.
    fields
        Our column and the path of its value: `via.channel`, `contacts[0].id`; alternatives after ` | `, the first that is there is taken.
        In records inside others `^` stands for the record around (`^id`), `^^` for the one around that.
    wrappers
        Keys of lists that hold such records; by default the name.
    stems
        Beginnings of the names of files or folders that hold such records; by default name and wrappers.
    tell
        Where several kinds share a list: a path and the value that tells this kind.
    key
        Our columns that name a record; of records with one name only the newest is kept. Records inside others go with those.
    newest
        Our column that says which of them is the newest; without it the last one is.
    needed
        Our columns that cannot be empty everywhere; a record inside another that lacks one is passed over.
    signs
        Our columns that together tell such a record where neither its list nor its file does; by default the needed ones.
    spare
        Is it only told apart from the others, because its name is like theirs? Then its pages need not be whole.
    texts
        Our columns that people wrote: in a table they are kept as they stand, where `-` or `none` elsewhere means that nothing is known.
    many
        Our columns of which a table may have several with one header; all of them are read, as a list in JSON.
    headless
        The columns of a table that has no header, in their order; the last two may be missing.
    each
        For a kind inside another: the path of the list that holds it, `events[]`, `participants[].sessions[]`, or `custom_fields{}` for an object
        whose keys are data: each becomes a record with `key` and `value`; `fields{custom_}` takes those whose key begins so.
    inside
        The kinds of records inside.
    """

    name: str
    fields: Mapping[str, str]
    wrappers: tuple[str, ...] = ()
    stems: tuple[str, ...] = ()
    tell: tuple[str, str] | None = None
    key: tuple[str, ...] = ()
    newest: str | None = None
    needed: tuple[str, ...] = ()
    signs: tuple[str, ...] = ()
    spare: bool = False
    texts: tuple[str, ...] = ()
    many: tuple[str, ...] = ()
    headless: tuple[str, ...] = ()
    each: str = ""
    inside: tuple[Kind, ...] = ()

    def lists(self) -> tuple[str, ...]:
        """Keys of lists that hold such records."""
        return self.wrappers or (self.name,)

    def told_by(self) -> tuple[str, ...]:
        """Our columns that together tell such a record."""
        return self.signs or self.needed

    def files(self) -> tuple[str, ...]:
        """Beginnings of names of files that hold such records."""
        return self.stems or tuple(dict.fromkeys((self.name, *self.wrappers)))

    def family(self) -> Iterator[Kind]:
        """The kind and all kinds inside it."""
        yield self
        for kind in self.inside:
            yield from kind.family()


@dataclass(frozen=True, slots=True)
class Paging:
    """How the pages of a system say that they are whole; every path is one into what stands around a list.

    Parameters
    ----------
    total
        How many records there are over all pages.
    here
        How many records this page holds.
    start
        Number of the first record of this page, from 0.
    follows
        What names the next page: a link, a cursor; empty on the last.
    last
        A yes/no that says that this page is the last one.
    more
        A yes/no that says that another page follows.
    number
        How a link gives the number of the page it leads to.
    """

    total: str = ""
    here: str = ""
    start: str = ""
    follows: str = ""
    last: str = ""
    more: str = ""
    number: str = r"[?&]page=(\d+)"


@dataclass(frozen=True, slots=True)
class Export:
    """What a system's export holds.

    Parameters
    ----------
    system
        Its name, as messages give it.
    kinds
        All kinds of records that are read.
    paging
        How its pages say that they are whole.
    host
        Our column whose link names the desk an export is of, so that two desks are not mixed.
    enough
        Kinds beside the first that are an export by themselves.
    """

    system: str
    kinds: tuple[Kind, ...]
    paging: Paging = Paging()
    host: str = ""
    enough: tuple[str, ...] = ()

    def asking(self, fields: Mapping[str, str], *, way: Callable[[str], str] = str) -> Export:
        """The export with the user's own fields of its first kind: our column and the name of theirs, whose path `way` gives."""
        first, *rest = self.kinds
        own = {ours: way(theirs) for ours, theirs in fields.items() if not set(theirs) & set("|[]{}^")}
        return replace(self, kinds=(replace(first, fields={**first.fields, **own}), *rest))

    def every(self) -> dict[str, Kind]:
        """All kinds by name, those inside others too."""
        return {kind.name: kind for top in self.kinds for kind in top.family()}


def spelled(value: Any) -> str | None:
    """A value as text: lists and objects as JSON whose numbers are texts, yes and no as `true` and `false`.

    Examples
    --------
    >>> spelled(["a", 7]), spelled(True), spelled(17), spelled(None)
    ('["a","7"]', 'true', '17', None)
    """
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return str(value)
    return _SPELLED.encode(numberless(value))


def numberless(value: Any) -> Any:
    """A value whose whole numbers are texts, however deep they stand, as pages and records are compared."""
    if isinstance(value, list):
        return [numberless(one) for one in value]
    if isinstance(value, dict):
        return {key: numberless(one) for key, one in value.items()}
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else value


def at(record: Mapping[str, Any], path: str) -> Any:
    """What stands at a path; None where nothing does."""
    return _follow(record, way(path)[1])


def decoded(text: str) -> Any:
    """A list that a table or a pipeline wrote as text."""
    try:
        return json.loads(text, parse_int=str)
    except (ValueError, RecursionError):
        return None


@cache
def way(path: str) -> tuple[int, tuple[str | int, ...]]:
    """How many records around to go out, and the steps from there: names of fields, and places in lists."""
    bare = path.lstrip("^")
    return len(path) - len(bare), tuple(int(number) if number else name for number, name in _STEP.findall(bare))


def _follow(record: Any, steps: tuple[str | int, ...]) -> Any:
    for step in steps:
        if isinstance(step, int):
            record = record[step] if isinstance(record, list) and step < len(record) else None
        else:
            record = record.get(step) if isinstance(record, dict) else None
        if record is None:
            return None
    return record
