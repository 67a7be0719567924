"""Does a table begin with names or with values?

Some systems write rows without a header, in an order that their manual gives. Such a table gets its header in front.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence

from fcrlib.intake.export.kinds import Kind


def headed(data: bytes, kinds: Sequence[Kind]) -> tuple[bytes, bool]:
    """The table with names above its columns, and whether they had to be added.

    Examples
    --------
    >>> calls = Kind("calls", {"who": "src"}, headless=("src", "dst", "note"))
    >>> headed(b'"12",34\\n', [calls]), headed(b"dst,src\\n", [calls])[1]
    ((b'"src","dst"\\n"12",34\\n', True), False)
    """
    first = data[:65_536].split(b"\n", 1)[0].decode("utf-8", "replace").lstrip("\ufeff").strip()
    try:
        row = next(csv.reader(io.StringIO(first)), [])
    except csv.Error:  # no table at all, which whoever reads it will say
        return data, False
    for kind in kinds:
        known = {name.lower() for name in kind.headless}
        # The last columns may be left out by how the system was built.
        if known and len(known) - 2 <= len(row) <= len(known) and not known & {field.strip().lower() for field in row}:
            names = ",".join(f'"{name}"' for name in kind.headless[: len(row)])
            return f"{names}\n".encode() + data.removeprefix(b"\xef\xbb\xbf"), True
    return data, False
