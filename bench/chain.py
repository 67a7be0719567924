"""Does the chain of whys tell each planted story, and none where there is none?

    python bench/chain.py [--quick] [--contacts 60000] [--seeds 20] [--story mechanism] [--size 0.5]

Desks of two times 13 weeks and four dimensions are invented in which one place gets worse by 20 points; agents and weeks drift, and so does what
fails. A chain is right only if it has exactly the planted place, way of failing and attribute, with the right kind of answer, and then ends. `covered` of `intervals` counts how often the planted size lies in the interval. The last
line is one JSON object.
"""

from __future__ import annotations

import argparse
import json
import time

import numpy as np
import polars as pl

from fcrlib.explain import drivers
from fcrlib.search import chain

SIZES = {"channel": 4, "category": 12, "team": 8, "tier": 3}
MODES = ("wrong-routing", "missing-permission", "known-bug", "unclear-answer", "promise-broken", "policy")
ATTRIBUTES = {"hold": ("short", "long"), "article": ("no", "yes"), "handovers": ("0", "1", "2 or more"), "release": ("25.3", "26.1", "26.2")}
WEEKS, AGENTS = 13, 160
SHOCKS = {"everything": 0.015, "category": 0.03, "team": 0.03, "channel": 0.02}
AGENT_LEVEL, AGENT_DRIFT = 0.04, 0.05
MIXING = 200.0
"""How alike the ways of failing are from week to week: contacts that a week's own mixture is worth."""
STORIES = ("mechanism", "diffuse", "attribute", "exposure", "tags", "null")
WORSE, COVERAGE = 0.2, 0.6
ALWAYS, MORE = 0.33, 0.6
"""What a long hold always adds to the failure rate where it becomes more frequent, and by how much it does."""


def invent(*, seed: int, contacts: int, story: str, size: float = 1.0) -> tuple[pl.DataFrame, list[tuple[str, str, frozenset[str]]]]:
    """A desk and its truth: kind, change and `what` of every step below the headline."""
    rng = np.random.default_rng(seed)
    after = rng.random(contacts) < 0.5
    codes = {dim: rng.choice(count, contacts, p=rng.dirichlet(np.full(count, 8.0))) for dim, count in SIZES.items()}
    week = rng.integers(0, WEEKS, contacts) + WEEKS * after
    agent = codes["team"] * (AGENTS // SIZES["team"]) + rng.integers(0, AGENTS // SIZES["team"], contacts)
    place, way = int(rng.integers(SIZES["category"])), int(rng.integers(len(MODES)))
    there = (codes["category"] == place) & after
    handled = {name: rng.choice(len(levels), contacts, p=rng.dirichlet(np.full(len(levels), 8.0))) for name, levels in ATTRIBUTES.items()}
    handled["hold"] = (rng.random(contacts) < np.where(there & (story == "exposure"), 0.25 + MORE, 0.25 if story == "exposure" else 0.5)).astype(int)
    worse, held = WORSE * size, handled["hold"]
    own = {"mechanism": worse * there, "attribute": 2 * worse * there * held, "exposure": ALWAYS * size * held}.get(story, 0.0 * there)
    usual = 0.3 + _drift(rng, codes, week, agent, after) + worse * there * (story in ("diffuse", "tags"))
    usual, drawn = np.clip(usual, 0.01, 0.95), rng.random(contacts)
    failed = drawn < np.clip(usual + own, 0.01, 0.99)
    mode = _modes(rng, week)
    mode = np.where(failed & (drawn >= usual), way, mode)
    seen = rng.random(contacts) < _coverage(seed, story, after=after, mode=mode, way=way)
    tagged = np.where(seen, np.array(MODES)[mode], "unexplained")
    names = {dim: np.array([f"{dim}-{value}" for value in range(count)])[codes[dim]] for dim, count in SIZES.items()}
    words = {name: np.array(levels)[handled[name]] for name, levels in ATTRIBUTES.items()}
    frame = pl.DataFrame({**names, **words, "agent": agent, "week": week, "later": after, "failed": failed, "tagged": tagged})
    frame = frame.with_columns(source=pl.lit("bench"), contact_id=pl.int_range(pl.len()).cast(pl.String), mode=pl.when("failed").then("tagged")).drop(
        "tagged"
    )
    return frame, _truth(story, f"category=category-{place}", MODES[way])


def _truth(story: str, place: str, way: str) -> list[tuple[str, str, frozenset[str]]]:
    first, mechanism = ("place", "rate", frozenset([place])), ("mechanism", "rate", frozenset([way]))
    hold = frozenset(["hold=long"])
    return {
        "mechanism": [first, mechanism],
        "diffuse": [first],
        "tags": [first],
        "attribute": [first, mechanism, ("attribute", "rate", hold)],
        "exposure": [first, mechanism, ("attribute", "exposure", hold)],
        "null": [],
    }[story]


def _coverage(seed: int, story: str, *, after: np.ndarray, mode: np.ndarray, way: int) -> np.ndarray:
    """How many failures show a sign: tagging gets better for all ways, or begins for one."""
    if story != "tags":
        return np.full(len(after), COVERAGE)
    if seed % 2:
        return np.where(after, 0.8, 0.5)
    return np.where((mode == way) & ~after, 0.0, COVERAGE)


def _modes(rng: np.random.Generator, week: np.ndarray) -> np.ndarray:
    usual = rng.dirichlet(np.full(len(MODES), 8.0))
    weekly = rng.dirichlet(MIXING * usual, 2 * WEEKS).cumsum(axis=1)
    return np.asarray((rng.random(len(week))[:, None] > weekly[week]).sum(axis=1).clip(0, len(MODES) - 1))


def _drift(rng: np.random.Generator, codes: dict[str, np.ndarray], week: np.ndarray, agent: np.ndarray, after: np.ndarray) -> np.ndarray:
    total = sum((0.03 * rng.standard_normal(count))[codes[dim]] for dim, count in SIZES.items())
    total = total + (AGENT_LEVEL * rng.standard_normal(AGENTS))[agent] + (AGENT_DRIFT * rng.standard_normal(AGENTS))[agent] * (after - 0.5)
    for dim, spread in SHOCKS.items():
        count = SIZES.get(dim, 1)
        total = total + (spread * rng.standard_normal((count, 2 * WEEKS)))[codes.get(dim, np.zeros_like(week)), week]
    return np.asarray(total)


def ask(frame: pl.DataFrame) -> chain.Chain:
    clusters = ("agent", "week")
    found = drivers.change(frame, dims=list(SIZES), failed="failed", period="later", clusters=clusters)
    headline = {"effect": found.total, "n": frame.height}
    return chain.build(frame, places=found.drivers, headline=headline, mode="mode", attributes=list(ATTRIBUTES), later="later", clusters=clusters)


def told(found: chain.Chain) -> list[tuple[str, str, frozenset[str]]]:
    steps = found.steps.filter(~pl.col("kind").is_in(["headline", "end"]))
    return [(kind, change, frozenset(what)) for kind, change, what in steps.select("kind", "change", "what").iter_rows()]


def planted(story: str, size: float) -> dict[str, float]:
    """The size of the planted way of failing (among those tagged) and of the planted attribute."""
    way = {"mechanism": WORSE, "attribute": WORSE, "exposure": ALWAYS * MORE}
    attribute = {"attribute": 2 * WORSE * COVERAGE * size, "exposure": MORE}
    sizes = {"mechanism": way[story] * COVERAGE * size} if story in way else {}
    return {**sizes, **({"attribute": attribute[story]} if story in attribute else {})}


def score(story: str, *, seeds: range, contacts: int, size: float = 1.0) -> dict[str, float]:
    right = placed = named = covered = drawn = 0
    took = []
    for seed in seeds:
        frame, truth = invent(seed=seed, contacts=contacts, story=story, size=size)
        before = time.perf_counter()
        found = ask(frame)
        took.append(time.perf_counter() - before)
        steps = told(found)
        right += steps == truth
        placed += [step for step in steps if step[0] == "place"] == truth[:1]
        named += any(step[0] == "mechanism" for step in steps)
        for kind, by in planted(story, size).items() if steps == truth else ():
            row = found.steps.filter(pl.col("kind") == kind).row(0, named=True)
            covered, drawn = covered + (row["low"] <= by <= row["high"]), drawn + 1
        if steps != truth:
            print(f"  {story} {seed}: {steps} instead of {truth}; {found.ended}")
    return {
        "right": right,
        "place": placed,
        "names_a_mechanism": named,
        "covered": covered,
        "intervals": drawn,
        "cases": len(seeds),
        "seconds": round(float(np.median(took)), 2),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="under a minute")
    parser.add_argument("--contacts", type=int, default=60_000)
    parser.add_argument("--seeds", type=int, default=20)
    parser.add_argument("--story", choices=STORIES)
    parser.add_argument("--size", type=float, default=1.0, help="of the planted effects")
    chosen = parser.parse_args()
    seeds, contacts = (range(2), 40_000) if chosen.quick else (range(chosen.seeds), chosen.contacts)
    runs: dict[str, dict[str, float]] = {}
    for story in [chosen.story] if chosen.story else STORIES:
        runs[story] = score(story, seeds=seeds, contacts=contacts, size=chosen.size)
        print(story, runs[story], flush=True)
    right = {story: round(run["right"] / run["cases"], 3) for story, run in runs.items()}
    silent = {story: round(1 - runs[story]["names_a_mechanism"] / runs[story]["cases"], 3) for story in ("diffuse", "tags", "null") if story in runs}
    print(json.dumps({"contacts": contacts, "seeds": len(seeds), "right": right, "names_no_mechanism": silent, "runs": runs}))


if __name__ == "__main__":
    main()
