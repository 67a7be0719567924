"""A desk whose weeks and agents drift, and on which causes can be planted."""

from __future__ import annotations

import numpy as np
import polars as pl

from fcrlib.explain import drivers

SIZES = {"channel": 4, "category": 8, "team": 6, "tier": 3}
DIMS = list(SIZES)
WEEKS, AGENTS = 13, 60


def desk(
    *, seed: int = 1, contacts: int = 16_000, places: tuple[tuple[dict[str, int], float], ...] = (), grown: int | None = None, always: bool = False
) -> pl.DataFrame:
    """Two quarters of a desk whose weeks and agents drift. `places`: changes of the failure share; `grown`: a category that gets 20 % more."""
    rng = np.random.default_rng(seed)
    after = rng.random(contacts) < 0.5
    codes = {dim: rng.integers(0, size, contacts) for dim, size in SIZES.items()}
    if grown is not None:
        codes["category"] = np.where(after & (rng.random(contacts) < 0.2), grown, codes["category"])
    week = rng.integers(0, WEEKS, contacts) + WEEKS * after
    agent = codes["team"] * (AGENTS // SIZES["team"]) + rng.integers(0, AGENTS // SIZES["team"], contacts)
    share = 0.3 + 0.02 * (codes["channel"] - 1.5) + 0.25 * (codes["category"] == (-1 if grown is None else grown))
    share += (0.03 * rng.standard_normal(AGENTS))[agent] * after + (0.015 * rng.standard_normal((SIZES["team"], 2 * WEEKS)))[codes["team"], week]
    for place, by in places:
        share += by * (after | always) * np.all([codes[dim] == value for dim, value in place.items()], axis=0)
    names = {dim: np.array([f"{dim}-{value}" for value in range(size)])[codes[dim]] for dim, size in SIZES.items()}
    return pl.DataFrame({**names, "agent": agent, "week": week, "after": after, "failed": rng.random(contacts) < share})


def changed(frame: pl.DataFrame) -> drivers.Change:
    return drivers.change(frame, dims=DIMS, failed="failed", period="after", clusters=["agent", "week"])


def places(found: pl.DataFrame) -> list[tuple[str, list[str]]]:
    return [(kind, sorted(where)) for kind, where in found.select("kind", "where").iter_rows()]
