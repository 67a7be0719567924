"""How fast are customers joined, beside the physical floor and a union-find written as a loop?

    python bench/identity.py [--quick] [--sizes 1000000,5000000]

Every figure is a ratio of calls made one after the other in one process on the same frame; the floor is polars grouping that frame by all its
columns and sorting it. The last line is one JSON object.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Callable

SEED = 7
CUSTOMERS_EACH = 1.3  # how many customers a person has: the second export knows some of them again
IDS_EACH = 4.7


def invent(rows: int, *, dress: str):  # type: ignore[no-untyped-def]
    """About `rows` identifiers of people known to two exports. `dress`: hashed (as a desk keeps them), clear (E.164), messy (phones as typed)."""
    import numpy as np
    import polars as pl

    rng = np.random.Generator(np.random.PCG64(SEED))
    people = int(rows / IDS_EACH)
    count = int(people * CUSTOMERS_EACH)
    who = np.concatenate([np.arange(people), rng.integers(0, people, count - people)])
    customers = pl.DataFrame({"person": who, "i": np.arange(count)}).select(
        "person", "i", source=pl.when(pl.col("i") < people).then(pl.lit("tickets")).otherwise(pl.lit("calls")), customer_ref=pl.format("c-{}", "i")
    )
    person, own = pl.col("person"), pl.col("i")
    phone = {"messy": pl.format("(0)1512 {}", person + 3_000_000), "clear": pl.format("+491512{}", person + 3_000_000)}
    phone["hashed"] = phone["clear"]
    kinds = (
        ("email", pl.format("Person{}@mail{}.example.org", person, person % 97), 0.95),
        ("phone", phone[dress], 0.8),
        ("account", pl.format("acc-{}", person // 20), 0.9),
        ("external", pl.format("x{}", person), 0.4),
        ("order", pl.format("ord-{}", own), 0.4),
        ("email", pl.format("info@firm{}.example.com", person // 50), 0.06),
        ("phone", pl.format("+44207946{}", person % 50_000 + 10_000), 0.02),
        ("device", pl.format("d{}", own), 0.1),
    )
    parts = [
        customers.filter(pl.Series(rng.random(count) < share)).select("source", "customer_ref", kind=pl.lit(kind), value_norm=value)
        for kind, value, share in kinds
    ]
    frame = pl.concat(parts).sample(fraction=1, shuffle=True, seed=SEED)
    if dress != "hashed":
        return frame
    disguised = pl.format("{}{}", pl.col("value_norm").hash(1).cast(pl.String), pl.lit("0000000000000000")).str.slice(0, 16)
    box = pl.when(pl.col("value_norm").str.starts_with("info@")).then(pl.lit("info@")).otherwise(pl.lit(""))
    return frame.with_columns(value_norm=box + disguised)


def seconds(call: Callable[[], object], *, rounds: int) -> tuple[float, object]:
    times = []
    for _ in range(rounds):
        before = time.perf_counter()
        answer = call()
        times.append(time.perf_counter() - before)
    return min(times), answer


def floor(frame):  # type: ignore[no-untyped-def]
    return frame.group_by(frame.columns).len().sort(frame.columns)


def loop(frame) -> int:  # type: ignore[no-untyped-def]
    """What a script usually does: a dictionary of parents and a loop over the rows. Clear e-mails and E.164 phones only; weak keys by count."""
    holders: dict[tuple[str, str], set[tuple[str, str]]] = {}
    parent: dict[tuple[str, str], tuple[str, str]] = {}
    for source, ref, kind, value in frame.iter_rows():
        parent.setdefault((source, ref), (source, ref))
        if kind != "account" and not value.startswith("info@"):
            holders.setdefault((kind, value.lower() if kind == "email" else value), set()).add((source, ref))

    def find(node: tuple[str, str]) -> tuple[str, str]:
        while parent[node] != node:
            parent[node] = node = parent[parent[node]]
        return node

    for (kind, _), members in holders.items():
        if kind != "phone" or len(members) <= 5:
            first, *others = members
            for other in others:
                parent[find(other)] = find(first)
    return len({find(node) for node in parent})


def measure(rows: int, *, dress: str, rounds: int, accounts: str = "company") -> dict[str, object]:
    """`accounts="join"` is the harder case: every account of more than twenty records must be cut."""
    from fcrlib.link.identity import customers

    frame = invent(rows, dress=dress)
    ours, found = seconds(lambda: customers(frame, country="DE", accounts=accounts), rounds=rounds)  # type: ignore[arg-type]
    bound, _ = seconds(lambda: floor(frame), rounds=rounds)
    people = found.people  # type: ignore[attr-defined]
    result: dict[str, object] = {
        "identifiers": frame.height,
        "dress": dress,
        "accounts": accounts,
        "ours_seconds": round(ours, 2),
        "ours_to_floor": float(f"{ours / bound:.3g}"),
    }
    return result | {"customers": people.height, "persons": people["person"].n_unique(), "cut": found.cut.height}  # type: ignore[attr-defined]


def against_loop(rows: int) -> dict[str, object]:
    """A sample small enough for the loop; both must find as many persons."""
    from fcrlib.link.identity import customers

    frame = invent(rows, dress="clear")
    ours, found = seconds(lambda: customers(frame, most=10**9, accounts="company"), rounds=3)
    theirs, persons = seconds(lambda: loop(frame), rounds=3)
    same = found.people["person"].n_unique() == persons  # type: ignore[attr-defined]
    return {"identifiers": frame.height, "ours_to_loop": float(f"{ours / theirs:.3g}"), "same_persons": same}


def tangled(rows: int) -> dict[str, object]:
    """The worst case: every key is shared at random, so that nearly everybody hangs together and must be cut."""
    import numpy as np
    import polars as pl

    from fcrlib.link.identity import customers

    rng = np.random.Generator(np.random.PCG64(SEED))
    frame = pl.DataFrame({"c": rng.integers(0, rows // 3, rows), "k": rng.integers(0, rows // 3, rows)}).select(
        source=pl.lit("tickets"), customer_ref=pl.format("c-{}", "c"), kind=pl.lit("order"), value_norm=pl.format("ord-{}", "k")
    )
    ours, found = seconds(lambda: customers(frame), rounds=1)
    bound, _ = seconds(lambda: floor(frame), rounds=1)
    largest = found.people.group_by("person").len()["len"].max()  # type: ignore[attr-defined]
    largest_cut = found.cut["customers"].max()  # type: ignore[attr-defined]
    return {"identifiers": rows, "ours_to_floor": float(f"{ours / bound:.3g}"), "largest_before": largest_cut, "largest_after": largest}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="under a minute")
    parser.add_argument("--sizes", default="1000000,5000000")
    options = parser.parse_args()
    sizes = [200_000, 1_000_000] if options.quick else [int(size) for size in options.sizes.split(",")]
    measure(20_000, dress="messy", rounds=1)  # imports are not what is measured
    plan = [(size, dress) for size in sizes for dress in ("hashed", "clear")] + [(sizes[0], "messy")]
    table = [measure(size, dress=dress, rounds=3 if size <= 1_000_000 else 1) for size, dress in plan]
    table.append(measure(sizes[0], dress="hashed", rounds=1, accounts="join"))
    for row in table:
        print(row, file=sys.stderr)
    first, last = table[0], table[len(plan) - 3]
    growth = last["ours_seconds"] / first["ours_seconds"] / (last["identifiers"] / first["identifiers"])  # type: ignore[operator]
    sample, knot = against_loop(200_000), tangled(sizes[0])
    print(json.dumps({"sizes": table, "loop_sample": sample, "tangled": knot, "growth_per_identifier": round(growth, 2)}))


if __name__ == "__main__":
    main()
