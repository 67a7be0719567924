"""Is the adjusted difference in failures right where what is compared is confounded?

    python bench/fishbone.py [--quick] [--contacts 20000] [--runs 200] [--shape share|logit|pairs]

Desks are invented on which a way of handling contacts depends on their category, channel, tier and team, which move failures too; customers
have several contacts and fail more or less often than others. The raw difference stands beside the adjusted one. The last line is one JSON object.
"""

from __future__ import annotations

import argparse
import json
import time

import numpy as np
import polars as pl

from fcrlib.search.standardised import risk_differences

SIZES = {"channel": 5, "category": 12, "tier": 3, "team": 8}
SHAPES = ("share", "logit", "pairs")
PLANTED = (0.0, 0.05, 0.15)
CUSTOMER = 0.08
"""Standard deviation of customers' own shares of failures."""


def invent(*, seed: int, contacts: int, planted: float, shape: str) -> tuple[pl.DataFrame, float]:
    """A desk and the true difference among its exposed contacts.

    `share`: failures are additive over the dimensions; `logit`: their log odds are; `pairs`: channel and category act together, on failures and
    on who is exposed, so that no additive model is right.
    """
    rng = np.random.default_rng(seed)
    codes = {dim: rng.choice(count, contacts, p=rng.dirichlet(np.full(count, 6.0))) for dim, count in SIZES.items()}
    harder = {dim: rng.normal(0, 1, count) for dim, count in SIZES.items()}
    level = sum(harder[dim][code] for dim, code in codes.items())
    together = rng.normal(0, 1, (SIZES["channel"], SIZES["category"]))[codes["channel"], codes["category"]] * (shape == "pairs")
    # The same that makes contacts fail makes them exposed, so that the raw difference is too large.
    chance = 1 / (1 + np.exp(2.6 - 0.7 * level - 0.8 * together - 0.4 * sum(rng.normal(0, 1, SIZES[dim])[codes[dim]] for dim in SIZES)))
    exposed = rng.random(contacts) < chance
    customer = rng.choice(contacts // 3, contacts, p=rng.dirichlet(np.full(contacts // 3, 0.6)))
    own = rng.normal(0, CUSTOMER, contacts // 3)[customer]
    if shape == "logit":
        steep = -0.9 + 0.35 * level + own / 0.2
        without = 1 / (1 + np.exp(-steep))
        share = 1 / (1 + np.exp(-(steep + planted / 0.2 * exposed)))
    else:
        without = np.clip(0.33 + 0.04 * level + 0.05 * together + own, 0.02, 0.8)
        share = without + planted * exposed
    names = {dim: np.array([f"{dim}-{value}" for value in range(count)])[codes[dim]] for dim, count in SIZES.items()}
    truth = float((share - without)[exposed].mean())
    return pl.DataFrame({**names, "customer": customer, "exposed": exposed, "failed": rng.random(contacts) < share}), truth


def measure(*, contacts: int, planted: float, shape: str, runs: int) -> dict[str, float | int | str]:
    rows = []
    for seed in range(runs):
        desk, truth = invent(seed=seed, contacts=contacts, planted=planted, shape=shape)
        began = time.perf_counter()
        found = risk_differences(desk, exposures=["exposed"], failed="failed", dims=list(SIZES), cluster="customer").row(0, named=True)
        took = time.perf_counter() - began
        raw = desk.filter("exposed")["failed"].mean() - desk.filter(~pl.col("exposed"))["failed"].mean()
        rows.append((found["difference"] - truth, raw - truth, found["low"] <= truth <= found["high"], found["high"] - found["low"], took))
    error, raw_error, covered, width, took = (np.array(column, dtype=float) for column in zip(*rows, strict=True))
    return {
        "shape": shape, "contacts": contacts, "planted": planted, "runs": runs, "bias": round(100 * error.mean(), 3),
        "bias_error": round(100 * error.std() / np.sqrt(runs), 3), "raw_bias": round(100 * raw_error.mean(), 2), "coverage": round(covered.mean(), 3),
        "width": round(100 * width.mean(), 2), "seconds": round(float(np.median(took)), 3),
    }  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--contacts", type=int, nargs="+", default=[20_000, 60_000])
    parser.add_argument("--runs", type=int, default=200)
    parser.add_argument("--shape", nargs="+", choices=SHAPES, default=list(SHAPES))
    parser.add_argument("--quick", action="store_true")
    asked = parser.parse_args()
    sizes, runs = ([8_000], 20) if asked.quick else (asked.contacts, asked.runs)
    found = []
    for shape in asked.shape:
        for contacts in sizes:
            for planted in PLANTED:
                found.append(measure(contacts=contacts, planted=planted, shape=shape, runs=runs if contacts < 50_000 else max(runs // 4, 1)))
                row = found[-1]
                print(
                    f"{shape:6} {contacts:7,} planted {100 * planted:4.0f}: bias {row['bias']:+.2f} (raw {row['raw_bias']:+.1f}), "
                    f"coverage {row['coverage']:.3f}, width {row['width']:.1f} points, {row['seconds']:.2f} s"
                )
    worst = {"bias": max(abs(float(row["bias"])) for row in found), "coverage": min(float(row["coverage"]) for row in found)}
    print(json.dumps({"rows": found, "worst": worst}))


if __name__ == "__main__":
    main()
