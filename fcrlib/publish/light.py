"""Which library is loaded by others although nobody here uses it, and how is it left out?

The checker of JSON schemas, which notebooks and drawings load, looks for a grammar of international addresses where one is installed (JupyterLab
brings it) and spends most of the seconds of all imports on reading it. Nothing here asks whether a text is such an address. The checker does without
what cannot be imported; so in processes of our own, the command and the kernels of a run, it cannot be.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any, cast

SLOW = "rfc3987_syntax"
_STARTUP = f'import sys as _sys\n\n_sys.modules.setdefault("{SLOW}", None)\ndel _sys\n'


def leave_out() -> None:
    """Leave it out of this process, unless it is there already."""
    cast("dict[str, Any]", sys.modules).setdefault(SLOW, None)


def left_out_of(startup: Path) -> None:
    """Leave it out of the kernel that reads this startup folder."""
    (startup / "00-light.py").write_text(_STARTUP, encoding="utf-8")
