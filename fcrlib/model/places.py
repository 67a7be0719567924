"""How does a finished folder get to its place, so that nobody ever finds half of one?"""

from __future__ import annotations

import ctypes
import os
import shutil
import sys
from pathlib import Path

_EXCHANGE, _HERE = 2, -100


def put(new: Path, place: Path) -> None:
    """Put a finished folder in its place; what stood there is removed. Where the system can exchange two folders at once (Linux), the old one or the
    new one stands there at every moment, whenever the run is killed.

    Parameters
    ----------
    new
        The folder, beside its place.
    """
    if not place.exists():
        os.replace(new, place)
    elif exchanged(new, place):
        shutil.rmtree(new)
    else:
        aside = new.with_name(f"{new.name}.old")
        os.replace(place, aside)
        os.replace(new, place)
        shutil.rmtree(aside)


def exchanged(one: Path, other: Path) -> bool:
    """Exchange two folders in one step, if the system can."""
    if not sys.platform.startswith("linux"):
        return False
    system = ctypes.CDLL(None, use_errno=True)
    rename = getattr(system, "renameat2", None)
    return rename is not None and rename(_HERE, os.fsencode(one), _HERE, os.fsencode(other), _EXCHANGE) == 0
