"""How is a reader called by the name of its system?"""

from __future__ import annotations

import importlib
import inspect
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
        Arguments of the reader; None means not given.

    Raises
    ------
    UsageError
        If there is no such reader, it needs something that was not given, or something was given that it does not know.
    """
    if system not in available():
        raise UsageError(f"there is no reader for '{system}'; there are {', '.join((*available(), *_GENERAL))}")
    room = importlib.import_module(f"fcrlib.intake.{system}")
    known = inspect.signature(room.read).parameters
    told = {name: value for name, value in given.items() if value is not None and (name in known or name not in _ALWAYS)}
    problems = [f"--{_OPTION.get(name, name).replace('_', '-')}: {system} has no such choice" for name in told if name not in known]
    needed = [name for name, one in known.items() if one.default is inspect.Parameter.empty and name not in (*told, "path")]
    problems += [f"--{name.replace('_', '-')} is needed{_HINTS.get(name, '')}" for name in needed]
    if problems:
        raise UsageError(f"{system} cannot be read like this:", problems)
    desk: Desk = room.read(path, **told)
    return desk


_ALWAYS = ("identity", "redaction", "tell")
_OPTION = {"bots": "bot", "fields": "field", "thanks_words": "thanks"}
_HINTS = {"data_end": ": when was the export made? write e.g. --data-end 2026-09-30T23:59:59Z"}
