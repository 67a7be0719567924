"""Does a table begin with names or with values?

Some systems write rows without a header, in an order that their manual gives. Such a table gets its header in front.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence

from fcrlib.intake.export.kinds import Kind


def header(first: bytes, kinds: Sequence[Kind]) -> bytes:
    """The names that belong above a table's columns, as a line; nothing where they stand there already.

    Parameters
    ----------
    first
        What the table begins with.
    kinds
        What it may be.

    Examples
    --------
    >>> calls = Kind("calls", {"who": "src"}, headless=("src", "dst", "note"))
    >>> header(b'"12",34\\n', [calls]), header(b"dst,src\\n", [calls])
    (b'"src","dst"\\n', b'')
    """
    line = first.split(b"\n", 1)[0].decode("utf-8", "replace").lstrip("\ufeff").strip()
    try:
        row = next(csv.reader(io.StringIO(line)), [])
    except csv.Error:  # no table at all, which whoever reads it will say
        return b""
    for kind in kinds:
        known = {name.lower() for name in kind.headless}
        # The last columns may be left out by how the system was built.
        if known and len(known) - 2 <= len(row) <= len(known) and not known & {field.strip().lower() for field in row}:
            names = ",".join(f'"{name}"' for name in kind.headless[: len(row)])
            return f"{names}\n".encode()
    return b""
