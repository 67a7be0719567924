"""How is a reader called by the name of its system?"""

from __future__ import annotations

import importlib
from pathlib import Path
from typing import Any

from fcrlib.intake.systems import available
from fcrlib.model.desk import Desk
from fcrlib.model.errors import UsageError

_GENERAL = ("csv", "sql")


def read(system: str, path: Path, **given: Any) -> Desk:
    """Read an export with the reader of a system; what was not given is left out.

    Parameters
    ----------
    system
        One of `systems.available()`.
    path
        The export.
    given
        What the reader is told (`canonical.reading.Asked`); None means not given.

    Raises
    ------
    UsageError
        If there is no such reader, it needs the data end, or something was given that it does not know.
    """
    if system not in available():
        raise UsageError(f"there is no reader for '{system}'; there are {', '.join((*available(), *_GENERAL))}")
    room = importlib.import_module(f"fcrlib.intake.{system}")
    told = {name: value for name, value in given.items() if value is not None}
    desk: Desk = room.read(path, **told)
    return desk
