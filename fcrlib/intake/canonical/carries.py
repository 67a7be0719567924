"""What can a system's export not tell, and why?

A reader says it once; reports, the documentation and the test that reads every dialect back all use the same words.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from fcrlib.model.errors import UsageError
from fcrlib.model.tables import TABLES


@dataclass(frozen=True, slots=True)
class Carries:
    """What a system cannot carry.

    Parameters
    ----------
    system
        Its name.
    without
        `table` or `table.column`, and the reason in a few words.

    Raises
    ------
    UsageError
        If there is no such table or column.

    Examples
    --------
    >>> carries = Carries("phone", {"articles": "a phone system has none", "contacts.tags": "calls have no labels"})
    >>> carries.lacks("contacts"), carries.lacks("articles")
    ({'tags': 'calls have no labels'}, None)
    """

    system: str
    without: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        strange = [place for place in self.without if not _exists(*place.partition(".")[::2])]
        if strange:
            raise UsageError(f"{self.system}: no such table or column:", strange)

    def lacks(self, table: str) -> dict[str, str] | None:
        """The columns of a table that cannot be carried, with reasons; None where the whole table cannot."""
        if table in self.without:
            return None
        return {place.partition(".")[2]: why for place, why in self.without.items() if place.partition(".")[0] == table}


def _exists(table: str, column: str) -> bool:
    return table in TABLES and (not column or column in TABLES[table].columns())
