"""How fast does personal data leave the text, beside merely looking at the same text once?

The texts are the invented desk's, made distinct, so that no text is read for another. Beside us stands the least that any such door costs: the
length of every text and one pass of one plain pattern. Sizes are in megabytes of distinct text; each number is the best of some rounds in one process.
What the process held at most since it began is told too: it grows with the texts themselves, which stand in memory before and after.
"""

from __future__ import annotations

import argparse
import json
import resource
import sys
import time
from collections.abc import Callable

import polars as pl

from fcrlib.intake.demo import invent
from fcrlib.intake.redact import redacted


def texts(megabytes: float) -> pl.Series:
    """That much distinct text, as people wrote it."""
    desk = invent(contacts=5_000)
    some = pl.concat([desk.contacts["body"], desk.events["text"], desk.surveys["comment"]]).drop_nulls().unique(maintain_order=True)
    times = int(megabytes * 1e6 / int(some.str.len_bytes().sum())) + 1
    rows = pl.DataFrame({"text": pl.concat([some] * times)}).with_row_index("row")
    told = rows.select(
        text=pl.format("{} {}", "text", pl.col("row").cast(pl.String).str.replace_many(dict(zip("0123456789", "abcdefghij", strict=True))))
    ).with_columns(so_far=pl.col("text").str.len_bytes().cum_sum())
    return told.filter(pl.col("so_far") <= megabytes * 1e6)["text"]


def floor(some: pl.Series) -> None:
    some.str.len_bytes()
    some.str.contains(r"[0-9]{3}-[0-9]{4}")


def seconds(work: Callable[[pl.Series], object], some: pl.Series, *, rounds: int) -> float:
    best = float("inf")
    for _ in range(rounds):
        started = time.perf_counter()
        work(some)
        best = min(best, time.perf_counter() - started)
    return best


def measure(megabytes: float) -> dict[str, float]:
    some = texts(megabytes)
    rounds = 3 if megabytes <= 10 else 1
    ours, least = seconds(redacted, some, rounds=rounds), seconds(floor, some, rounds=rounds + 2)
    return {
        "mb": megabytes,
        "texts": len(some),
        "seconds": round(ours, 3),
        "seconds_per_mb": round(ours / megabytes, 3),
        "mb_per_second": round(megabytes / ours, 1),
        "held_mb_at_most": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1000),
        "ratio_to_floor": round(ours / least, 1),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="under a minute")
    options = parser.parse_args()
    redacted(texts(0.1))
    table = [measure(size) for size in ([1, 10] if options.quick else [1, 10, 100])]
    for row in table:
        print(row, file=sys.stderr)
    growth = table[-1]["seconds"] / table[-2]["seconds"] / (table[-1]["mb"] / table[-2]["mb"])
    print(json.dumps({"sizes": table, "growth_per_mb": round(growth, 2)}))


if __name__ == "__main__":
    main()
