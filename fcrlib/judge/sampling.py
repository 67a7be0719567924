"""How is a sample drawn so that what people say of it can be weighed back to everything it came from?

Strata by their size and none left out, the same seed the same sample whatever the order of the rows, and a stamp that says how it was drawn.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from fcrlib.model.desk import Desk
from fcrlib.model.errors import UsageError

_DRAWN = re.compile(r"^(.*); seed (\d+); (.*) to (\S+); (\d+) of (\d+) (\D+)$")


@dataclass(frozen=True, slots=True)
class Drawing:
    """How a sample was drawn, as its stamp tells it.

    Parameters
    ----------
    made
        For what it was drawn, in the words of whoever drew it.
    seed, source, data_end
        The seed, and the desk.
    drawn, of
        How many were drawn, of how many.
    things
        What was drawn.
    """

    made: str
    seed: int
    source: str
    data_end: datetime
    drawn: int
    of: int
    things: str

    @classmethod
    def told(cls, stamp: str | None) -> Drawing | None:
        """Read a stamp; None where it is none.

        Examples
        --------
        >>> Drawing.told("mine; seed 7; demo to 2026-09-30T23:59:59+00:00; 80 of 512 repeats").of
        512
        """
        found = _DRAWN.match(stamp or "")
        if not found:
            return None
        made, seed, source, end, drawn, of, things = found.groups()
        try:
            return cls(made, int(seed), source, datetime.fromisoformat(end), int(drawn), int(of), things)
        except ValueError:
            return None


def stamp(desk: Desk, *, made: str, seed: int, drawn: int, of: int, things: str) -> str:
    """One line that says how a sample was drawn; `Drawing.told` reads it."""
    return f"{made}; seed {seed}; {desk.manifest.source} to {desk.manifest.data_end.isoformat()}; {drawn} of {of} {things}"


def draw(pool: pl.DataFrame, *, n: int, seed: int, least: int = 1, spread: str | None = None) -> pl.DataFrame:
    """Draw from every stratum, in proportion.

    Parameters
    ----------
    pool
        `stratum`, and whatever else; the same rows in the same order give the same sample.
    n
        How many; all of them where there are fewer.
    least
        How many of each stratum are drawn at least, where it has so many.
    spread
        A column by which the sample of a stratum is spread as evenly as it can be: rows are put in the order of its levels and drawn at equal steps.

    Returns
    -------
    pl.DataFrame
        The rows drawn with `stratum_size` (rows of the stratum in the pool), in random order, so that whoever stops half-way has still looked
        at a sample.

    References
    ----------
    Cochran (1977), Sampling Techniques, 3rd ed., 91-93 (proportional allocation), 205-208 (systematic samples); ties and rests by largest remainder.

    Examples
    --------
    >>> pool = pl.DataFrame({"id": range(100), "stratum": ["a"] * 90 + ["b"] * 10})
    >>> draw(pool, n=20, seed=1, least=4)["stratum"].value_counts(sort=True).rows()
    [('a', 15), ('b', 5)]
    """
    rng = np.random.default_rng(seed)
    sized = pool.with_columns(stratum_size=pl.len().over("stratum").cast(pl.Int64), _order=pl.Series(rng.random(pool.height), dtype=pl.Float64))
    quotas = allocation(sized, n=min(n, pool.height), least=least)
    quotas = quotas.with_columns(_start=pl.Series(rng.random(quotas.height), dtype=pl.Float64))
    placed = sized.join(quotas, on="stratum", maintain_order="left")
    if spread is None:
        chosen = placed.filter(pl.col("_order").rank("ordinal").over("stratum") <= pl.col("quota"))
    else:
        ordered = placed.sort("stratum", pl.col(spread).cast(pl.String), "_order")
        place = pl.int_range(pl.len()).over("stratum")
        before, after = (((place + step) * pl.col("quota") / pl.col("stratum_size") + pl.col("_start")).floor() for step in (0, 1))
        chosen = ordered.filter(after > before)
    return chosen.sort("_order").drop("_order", "_start", "quota")


def allocation(pool: pl.DataFrame, *, n: int, least: int = 1) -> pl.DataFrame:
    """How many of each stratum: `least` each, the rest in proportion to what is left, whole numbers by largest remainder: `stratum`, `quota`.

    Raises
    ------
    UsageError
        If `n` is too small to give each stratum its least.
    """
    sizes = pool.group_by("stratum").agg(size=pl.len().cast(pl.Int64)).sort("stratum").with_columns(given=pl.min_horizontal("size", pl.lit(least)))
    rest = n - int(sizes["given"].sum())
    if rest < 0:
        raise UsageError(f"{n} are too few for {sizes.height} strata with at least {least} of each")
    left = int((sizes["size"] - sizes["given"]).sum())
    fair = (pl.col("size") - pl.col("given")) * (rest / max(left, 1))
    shared = sizes.with_columns(whole=fair.floor().cast(pl.Int64), remainder=fair - fair.floor())
    missing = rest - int(shared["whole"].sum())
    ranked = shared.sort("remainder", "stratum", descending=[True, False]).with_row_index("rank")
    return ranked.select("stratum", quota=pl.col("given") + pl.col("whole") + (pl.col("rank") < missing).cast(pl.Int64)).sort("stratum")


def kept_in(folder: Path) -> Path:
    """Where what people said of a desk is kept: `tags/` beside the desk's folder, one folder per desk; a new import does not replace it."""
    return folder.parent / "tags" / folder.name


def keep(file: Path, fields: Mapping[str, Any]) -> Path:
    """Write fields as JSON, whole or not at all."""
    file.parent.mkdir(parents=True, exist_ok=True)
    partial = file.with_suffix(".tmp")
    partial.write_text(json.dumps(fields, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    partial.replace(file)
    return file
