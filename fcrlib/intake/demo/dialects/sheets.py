"""How are frames written as the pages and lines of an API?"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import polars as pl

PAGE = 1_000


def as_json(frame: pl.DataFrame) -> pl.Series:
    """Every row as a JSON object; instants as `2026-09-30T12:00:00Z`."""
    moments = [pl.col(name).dt.strftime("%Y-%m-%dT%H:%M:%SZ") for name, dtype in frame.schema.items() if isinstance(dtype, pl.Datetime)]
    words = [pl.col(name).cast(pl.String) for name, dtype in frame.schema.items() if isinstance(dtype, pl.Enum)]
    return frame.with_columns(*moments, *words).select(pl.struct(pl.all()).struct.json_encode().alias("json"))["json"]


def pages(records: pl.Series, *, folder: Path, name: str, last: Mapping[str, Any], host: str, overlap: int = 0) -> None:
    """Write records as numbered pages `name_1.json`, each naming the next; `overlap` records stand at the end of one page and on the next.

    `last` is what stands around the list of the last page.
    """
    starts = list(range(0, max(len(records), 1), PAGE))
    for number, start in enumerate(starts, start=1):
        some = records.slice(max(start - (overlap if number > 1 else 0), 0), PAGE + (overlap if number > 1 else 0))
        more = number < len(starts)
        link = f"{host}/api/v2/{name}.json?page={number + 1}" if more else None
        around = {"count": len(records), "next_page": link, **({} if more else last)}
        rest = json.dumps(around)[1:]
        text = f'{{"{name}": [{",".join(some)}], {rest}'
        (folder / f"{name}_{number}.json").write_text(text + "\n", encoding="utf-8")


def lines(records: pl.Series, *, file: Path) -> None:
    """Write one record a line."""
    file.write_text("".join(f"{record}\n" for record in records), encoding="utf-8")
