"""How much do return curves and nowcasts cost, beside counting rows by day?

    python bench/curves.py [--quick]

One process, one frame; the floor is one polars group-by of the same rows. The last line is one JSON object.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import numpy as np
import polars as pl

from fcrlib.judge.rates import nowcast, repeat_curve

DAY = 86_400_000_000
START = datetime(2026, 1, 1, tzinfo=UTC)


def invent(rows: int) -> pl.DataFrame:
    """Contacts of a quarter, a quarter of them followed by another one, by a third as many customers."""
    rng = np.random.default_rng(1)
    anchor = rng.integers(0, 90 * DAY, rows)
    back = anchor + np.where(rng.random(rows) < 0.24, rng.exponential(2.5 * DAY, rows), 400 * DAY).astype(np.int64)
    instants = {name: pl.lit(START) + pl.duration(microseconds=name) for name in ("anchor_at", "next_at")}
    frame = pl.DataFrame({"anchor_at": anchor, "next_at": back, "customer": rng.integers(0, rows // 3, rows)})
    end = pl.lit(START + timedelta(days=95)).dt.cast_time_unit("us")
    return frame.with_columns(**instants, customer=pl.format("customer-{}", "customer"), data_end=end)


def best(call: Callable[[], object], *, rounds: int = 3) -> float:
    seconds = []
    for _ in range(rounds):
        before = time.perf_counter()
        call()
        seconds.append(time.perf_counter() - before)
    return min(seconds)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="under a minute")
    rows = 200_000 if parser.parse_args().quick else 1_000_000
    frame, month = invent(rows), timedelta(days=30)
    age = ((pl.col("next_at") - pl.col("anchor_at")).dt.total_microseconds() // DAY).clip(0, 30)
    seconds = {
        "floor": best(lambda: frame.select(age=age).group_by("age").len()),
        "curve": best(lambda: repeat_curve(frame, window=month)),
        "curve_clustered": best(lambda: repeat_curve(frame, window=month, cluster="customer")),
        "nowcast_clustered": best(lambda: nowcast(frame, window=timedelta(days=7), event="next_at", cluster="customer")),
    }
    ratios = {f"{name}_to_floor": float(f"{took / seconds['floor']:.3g}") for name, took in seconds.items() if name != "floor"}
    print(json.dumps({"rows": rows, "floor_seconds": round(seconds["floor"], 4), **ratios}))


if __name__ == "__main__":
    main()
