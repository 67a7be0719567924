"""Does the search find what was planted, and nothing where nothing was?

    python bench/drivers.py [--quick] [--contacts 60000] [--seeds 20] [--suite core|more|half|null|customers|coverage|search|time]
                            [--scale share|logit] [--baselines]

Desks of two times 13 weeks and seven dimensions are invented with a planted cause; agents and weeks drift. A case is right only if
exactly the planted places are named, with the right kind. `--baselines` asks other methods on the same desks. The last line is one JSON
object.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Callable, Sequence
from functools import partial

import numpy as np
import polars as pl
import rivals

from fcrlib.explain import drivers
from fcrlib.search.cube import cube

SIZES = {"channel": 4, "category": 12, "team": 8, "tier": 3, "product": 6, "region": 5, "tenure": 3}
WEEKS, AGENTS = 13, 160
SHOCKS = {"everything": 0.015, "category": 0.03, "team": 0.03, "channel": 0.02}
"""Standard deviation of good and bad weeks, per value of a dimension."""
AGENT_LEVEL, AGENT_DRIFT = 0.04, 0.05
SCENARIOS = ("one", "pair", "mix", "two", "null")
MORE = ("three", "global", "both", "siblings", "cancelling", "uneven", "correlated")
SUITES = ("core", "more", "half", "null", "customers", "coverage", "search", "time")
PER_CUSTOMER = 5
"""Contacts of a customer in a period, on average."""
Planted = dict[str, int]


def invent(
    *, seed: int, contacts: int, scenario: str, drift: bool = True, size: float = 1.0, scale: str = "share", tempers: float = 0.0
) -> tuple[pl.DataFrame, list[tuple[str, Planted, float]]]:
    """A desk and its truth: kind, place and effect. `size` scales the planted effects.

    With `tempers`, three of ten customers fail more or less by this, and a customer stays in one region and tier.
    """
    rng = np.random.default_rng(seed)
    shares = {dim: rng.dirichlet(np.full(count, 8.0)) for dim, count in SIZES.items()}
    truth = _plant(rng, shares, scenario, size=size)
    after = rng.random(contacts) < 0.5
    codes = {dim: rng.choice(len(share), contacts, p=share) for dim, share in shares.items()}
    for kind, place, by in truth:
        if kind == "mix":
            ((dim, value),) = place.items()
            moved = after & (rng.random(contacts) < by / (1 - shares[dim][value]))
            codes[dim] = np.where(moved, value, codes[dim])
    if scenario == "correlated":
        codes["tier"] = np.where(rng.random(contacts) < 0.6, codes["category"] % 3, codes["tier"])
        codes["region"] = np.where(rng.random(contacts) < 0.6, codes["team"] % 5, codes["region"])
    customers = contacts // 2 // PER_CUSTOMER
    own = np.random.default_rng([seed, 1])  # the desk is the same whether its customers have tempers or not
    customer = own.integers(0, customers, contacts) + customers * after
    if tempers:
        codes |= {dim: own.choice(SIZES[dim], 2 * customers, p=shares[dim])[customer] for dim in ("region", "tier")}
    week = rng.integers(0, WEEKS, contacts) + WEEKS * after
    agent = codes["team"] * (AGENTS // SIZES["team"]) + rng.integers(0, AGENTS // SIZES["team"], contacts)
    share = 0.3 + _standing(rng, codes)
    for kind, place, by in truth:
        if kind == "mix":
            ((dim, value),) = place.items()
            share += 0.2 * (codes[dim] == value)
        else:
            share += by * (after if scenario != "cross" else True) * np.all([codes[dim] == value for dim, value in place.items()], axis=0)
    if scenario == "uneven":
        # The effect differs over the values of another dimension, from nearly nothing to nearly twice as much.
        ((_, place, by),) = truth
        ((dim, value),) = place.items()
        other = next(name for name in ("product", "region") if name != dim)
        share += by * np.linspace(-0.8, 0.8, SIZES[other])[codes[other]] * (codes[dim] == value) * after
    if tempers:
        share += (tempers * own.choice([-1, 0, 1], 2 * customers, p=[0.15, 0.7, 0.15]))[customer]
    if drift:
        share += (AGENT_LEVEL * rng.standard_normal(AGENTS))[agent] + (AGENT_DRIFT * rng.standard_normal(AGENTS))[agent] * (after - 0.5)
        share += _shocks(rng, codes, week)
    chance = 1 / (1 + np.exp(-(np.log(0.3 / 0.7) + (share - 0.3) / 0.21))) if scale == "logit" else np.clip(share, 0.01, 0.99)
    names = {dim: pl.Series([f"{dim}-{value}" for value in range(count)]).gather(codes[dim]) for dim, count in SIZES.items()}
    return pl.DataFrame({**names, "agent": agent, "week": week, "customer": customer, "after": after, "failed": rng.random(contacts) < chance}), truth


def _plant(rng: np.random.Generator, shares: dict[str, np.ndarray], scenario: str, *, size: float) -> list[tuple[str, Planted, float]]:
    def somewhere(count: int, without: tuple[str, ...] = ()) -> Planted:
        dims = rng.choice([dim for dim in SIZES if dim not in without], count, replace=False)
        return {str(dim): int(rng.integers(0, SIZES[str(dim)])) for dim in sorted(dims)}

    if scenario in ("one", "uneven", "correlated"):
        return [("rate", somewhere(1), 0.15 * size)]
    if scenario in ("pair", "cross"):
        return [("rate", somewhere(2), 0.25 * size)]
    if scenario == "three":
        return [("rate", somewhere(3), 0.35 * size)]
    if scenario == "global":
        return [("global", {}, 0.08 * size)]
    if scenario == "mix":
        dim = str(rng.choice(list(SIZES)))
        return [("mix", {dim: int(np.argmin(shares[dim]))}, 0.15 * size)]
    if scenario == "both":
        return [*_plant(rng, shares, "mix", size=size), ("rate", somewhere(2, ("category",)), 0.25 * size)]
    if scenario == "siblings":
        place = somewhere(1, ("category",))
        return [("rate", {**place, "category": value}, by * size) for value, by in ((2, 0.25), (7, 0.25))]
    if scenario == "cancelling":
        first = somewhere(1)
        return [("rate", first, 0.15 * size), ("rate", somewhere(1, tuple(first)), -0.15 * size)]
    if scenario == "two":
        first = somewhere(1)
        return [("rate", first, 0.15 * size), ("rate", somewhere(2, tuple(first)), 0.25 * size)]
    return []


def _standing(rng: np.random.Generator, codes: dict[str, np.ndarray]) -> np.ndarray:
    total = sum((0.03 * rng.standard_normal(SIZES[dim]))[codes[dim]] for dim in SIZES)
    pair = 0.02 * rng.standard_normal((SIZES["category"], SIZES["channel"]))
    return np.asarray(total + pair[codes["category"], codes["channel"]])


def _shocks(rng: np.random.Generator, codes: dict[str, np.ndarray], week: np.ndarray) -> np.ndarray:
    total = np.zeros(len(week))
    for dim, spread in SHOCKS.items():
        count = SIZES.get(dim, 1)
        total += (spread * rng.standard_normal((count, 2 * WEEKS)))[codes.get(dim, np.zeros_like(week)), week]
    return total


def named(table: pl.DataFrame) -> list[tuple[str, frozenset[str]]]:
    return [(kind, frozenset(where)) for kind, where in table.select("kind", "where").iter_rows()]


def true(truth: list[tuple[str, Planted, float]]) -> list[tuple[str, frozenset[str]]]:
    return [(kind, frozenset(f"{dim}={dim}-{value}" for dim, value in place.items())) for kind, place, _ in truth]


def ask(frame: pl.DataFrame, *, clusters: tuple[str, ...] = ("agent", "week")) -> pl.DataFrame:
    return drivers.change(frame, dims=list(SIZES), failed="failed", period="after", clusters=clusters).drivers


def across(frame: pl.DataFrame) -> pl.DataFrame:
    return drivers.search(frame, dims=list(SIZES), failed="failed", clusters=("agent", "week")).drivers.with_columns(kind=pl.lit("rate"))


def score(scenario: str, *, seeds: range, contacts: int, asked: Callable[[pl.DataFrame], pl.DataFrame] = ask, **how: object) -> dict[str, float]:
    hit = wrong = missed = right = covered = drawn = silent = 0
    took = []
    for seed in seeds:
        frame, truth = invent(seed=seed, contacts=contacts, scenario=scenario, **how)  # type: ignore[arg-type]
        before = time.perf_counter()
        table = asked(frame)
        took.append(time.perf_counter() - before)
        found, wanted = named(table), true(truth)
        hit += len(set(found) & set(wanted))
        wrong += len(set(found) - set(wanted))
        missed += len(set(wanted) - set(found))
        right += set(found) == set(wanted)
        silent += set(found) < set(wanted)
        for (kind, _, by), place in zip(truth, wanted, strict=True):
            if kind != "mix" and place in found and "low" in table.columns:
                row = table.row(found.index(place), named=True)
                covered += row["low"] <= by <= row["high"]
                drawn += 1
    counts = {"hit": hit, "wrong": wrong, "missed": missed, "right": right, "silent": silent, "covered": covered, "intervals": drawn}
    return {**counts, "cases": len(seeds), "seconds": round(float(np.median(took)), 2)}


def f1(runs: dict[str, dict[str, float]]) -> float | None:
    """Exact sets, pooled over the scenarios."""
    hit, wrong, missed = (sum(run[name] for run in runs.values()) for name in ("hit", "wrong", "missed"))
    return round(2 * hit / (2 * hit + wrong + missed), 3) if hit + wrong + missed else None


def arms(suite: str, *, size: float) -> dict[str, tuple[str, Callable[[pl.DataFrame], pl.DataFrame], dict[str, object]]]:
    """What a suite runs: scenario, who is asked, and how the desks are made."""
    if suite in ("core", "more", "half"):
        planted = 0.5 * size if suite == "half" else size
        return {scenario: (scenario, ask, {"size": planted}) for scenario in (MORE if suite == "more" else SCENARIOS)}
    if suite == "coverage":
        return {scenario: (scenario, ask, {"size": size}) for scenario in ("one", "pair")}
    if suite == "search":
        return {"cross": ("cross", across, {"size": size}), "null": ("null", across, {})}
    with_customers = partial(ask, clusters=("agent", "week", "customer"))
    if suite == "customers":
        asked = {"named": with_customers, "not named": ask}
        return {f"{by} {who}": ("null", how, {"tempers": by}) for by in (0.0, 0.15, 0.45) for who, how in asked.items()}
    return {"honest": ("null", ask, {}), "binomial": ("null", partial(ask, clusters=()), {})}


def timed(contacts: int, *, seed: int = 0) -> dict[str, float]:
    """Seconds for the cube, and for the search on it, over one desk."""
    frame, _ = invent(seed=seed, contacts=contacts, scenario="two")
    start = time.perf_counter()
    cube(frame, dims=list(SIZES), failed="failed", arm="after", clusters=("agent", "week"))
    counted = time.perf_counter()
    found = named(ask(frame))
    done = time.perf_counter()
    return {"contacts": contacts, "cube": round(counted - start, 2), "search": round(done - 2 * counted + start, 2), "found": len(found)}


def beside(scenarios: Sequence[str], *, seeds: range, contacts: int, size: float, scale: str) -> dict[str, dict[str, object]]:
    """Other methods on the same desks: F1 and seconds."""
    dims, table = list(SIZES), {}
    methods: dict[str, Callable[..., pl.DataFrame | None]] = {"all cells, z and BH": rivals.all_cells, "honest tree": rivals.honest_tree}
    if rivals.wise_pizza(invent(seed=0, contacts=2000, scenario="one")[0], dims=dims) is None:
        print("wise-pizza is not installed here, so it is not asked")
    else:
        methods["wise-pizza"] = rivals.wise_pizza
    for name, method in {"this search": lambda frame, dims: ask(frame), **methods}.items():
        how = {"seeds": seeds, "contacts": contacts, "size": size, "scale": scale, "asked": partial(method, dims=dims)}
        runs = {scenario: score(scenario, **how) for scenario in scenarios}  # type: ignore[arg-type]
        exact = sum(run["right"] for run in runs.values()) / sum(run["cases"] for run in runs.values())
        seconds = float(np.median([run["seconds"] for run in runs.values()]))
        table[name] = {"f1": f1(runs), "exact": round(exact, 3), "seconds": seconds}
        print(name, table[name], flush=True)
    return table


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="under a minute")
    parser.add_argument("--contacts", type=int, default=60_000)
    parser.add_argument("--seeds", type=int, default=20)
    parser.add_argument("--suite", choices=SUITES, default="core")
    parser.add_argument("--scale", choices=("share", "logit"), default="share")
    parser.add_argument("--size", type=float, default=1.0)
    parser.add_argument("--baselines", action="store_true", help="ask other methods as well")
    chosen = parser.parse_args()
    if chosen.scale == "logit":
        print("planted on the logit scale, the effects are not those named: read nothing into `covered`")
    seeds, contacts = (range(2), 20_000) if chosen.quick else (range(chosen.seeds), chosen.contacts)
    if chosen.suite == "time":
        print(json.dumps(timed(contacts)))
        return
    if chosen.baselines:
        scenarios = MORE if chosen.suite == "more" else SCENARIOS
        print(json.dumps(beside(scenarios, seeds=seeds, contacts=contacts, size=chosen.size, scale=chosen.scale)))
        return
    runs = {}
    for name, (scenario, asked, how) in arms(chosen.suite, size=chosen.size).items():
        runs[name] = score(scenario, seeds=seeds, contacts=contacts, asked=asked, scale=chosen.scale, **how)
        print(name, runs[name], flush=True)
    names = {name: round(1 - run["right"] / run["cases"], 4) for name, run in runs.items() if chosen.suite in ("null", "customers") or name == "null"}
    print(json.dumps({"suite": chosen.suite, "contacts": contacts, "seeds": len(seeds), "f1": f1(runs), "null_names": names, "runs": runs}))


if __name__ == "__main__":
    main()
