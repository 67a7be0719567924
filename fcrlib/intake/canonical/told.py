"""What does one reading have to say at its end?"""

from __future__ import annotations

from dataclasses import dataclass, field

from fcrlib.model.desk import Dropped


@dataclass(slots=True)
class Told:
    """What one reading has to say at its end: problems stop it, the rest goes into the manifest. It collects, so that all is said at once."""

    problems: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    dropped: list[Dropped] = field(default_factory=list)
