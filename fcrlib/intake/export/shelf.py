"""Where do rows wait until all files are read?

Few rows stay in memory. Many are written into a folder for the time being, in the form that memory has, and mapped back: they look like any other
frame, but their pages belong to a file that the system may drop from memory and fetch again, so that what an export needs does not grow with it. The
files have no name any more as soon as they are mapped, so that nothing is left behind, whatever happens.
"""

from __future__ import annotations

import os
import tempfile
from collections import defaultdict
from pathlib import Path
from types import TracebackType
from typing import Any, Self, cast

import polars as pl

from fcrlib.model.errors import DataError

PART = 32 * 2**20
"""Bytes of rows, of all kinds together, that wait in memory."""


class Shelf:
    """Rows by kind, in the order in which they came; to be used as a context, for what is written lies in a folder of its own."""

    def __init__(self, *, part: int = PART) -> None:
        self.part = part
        self.folder: tempfile.TemporaryDirectory[str] | None = None
        self.parts: dict[str, list[pl.DataFrame]] = defaultdict(list)
        self.loose: dict[str, list[pl.DataFrame]] = defaultdict(list)
        self.sizes: dict[str, int] = defaultdict(int)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        if self.folder:
            self.folder.cleanup()

    def put(self, kind: str, frame: pl.DataFrame) -> None:
        """Put some more rows of a kind after the others."""
        self.loose[kind].append(frame)
        self.sizes[kind] += int(frame.estimated_size())
        if sum(self.sizes.values()) >= self.part:
            most = max(self.sizes, key=lambda one: self.sizes[one])
            self.parts[most].append(self._mapped(pl.concat(self.loose.pop(most))))
            self.sizes[most] = 0

    def frame(self, kind: str, *, schema: dict[str, Any]) -> pl.DataFrame:
        """All rows of a kind."""
        some = [*self.parts[kind], *self.loose[kind]]
        return pl.concat(some, rechunk=False) if some else pl.DataFrame(schema=schema)

    def keep(self, kind: str, which: pl.Expr) -> None:
        """Keep only some of the rows of a kind."""
        self.loose[kind] = [frame.filter(which) for frame in self.loose[kind]]
        self.parts[kind] = [self._thinned(frame, which) for frame in self.parts[kind]]

    def _thinned(self, frame: pl.DataFrame, which: pl.Expr) -> pl.DataFrame:
        kept = frame.filter(which)
        return frame if kept.height == frame.height else self._mapped(kept)

    def _mapped(self, frame: pl.DataFrame) -> pl.DataFrame:
        """The same rows, in pages of a file."""
        import pyarrow as pa

        self.folder = self.folder or tempfile.TemporaryDirectory(prefix="fcr-", dir=room(), ignore_cleanup_errors=True)
        file = Path(self.folder.name) / "part.arrow"
        try:
            frame.write_ipc(file, compression="uncompressed")
        except OSError as error:
            raise DataError(
                f"{file.parent} has no room for the rows that are read: {error.strerror or error}; name another folder in TMPDIR"
            ) from None
        with pa.memory_map(str(file)) as source:
            table = pa.ipc.open_file(source).read_all()
        file.unlink()
        return cast("pl.DataFrame", pl.from_arrow(table))


def room() -> str | None:
    """The folder that the user names, else one on a disk: what Linux calls `/tmp` may be memory itself."""
    return os.environ.get("TMPDIR") or ("/var/tmp" if os.access("/var/tmp", os.W_OK) else None)
