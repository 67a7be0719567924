"""How much do forty definitions cost, beside one?

    python bench/definitions.py [--quick]

One call of the judge and one definition grid, one after the other in one process on the same desk. The last line is one JSON object.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
from datetime import timedelta
from pathlib import Path

WIDE = {
    "windows": [timedelta(days=days) for days in (1, 2, 7, 14, 30)],
    "same_issue": ["category", "any"],
    "scopes": [True, False],
    "transfers": ["ignore", "any"],
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="under a minute")
    contacts = 200_000 if parser.parse_args().quick else 1_000_000
    sys.path.insert(0, str(Path(__file__).parent))
    from judge import invent

    from fcrlib.judge.outcomes import definition_grid, judge
    from fcrlib.judge.rates import fcr
    from fcrlib.model.desk import Desk
    from fcrlib.model.policy import Policy

    with tempfile.TemporaryDirectory() as folder:
        invent(Path(folder), contacts)
        desk = Desk.load(folder)
    once, grid = [], []
    for _ in range(3):
        before = time.perf_counter()
        judged = judge(desk, policy=Policy())
        between = time.perf_counter()
        definitions = definition_grid(desk, **WIDE)
        once.append(between - before)
        grid.append(time.perf_counter() - between)
    house = definitions.filter("house").drop("tau", "segments")
    same = bool(house["share"][0] == fcr(judged)["share"][0])
    result = {"contacts": contacts, "definitions": definitions.height, "judge_seconds": round(min(once), 2), "grid_seconds": round(min(grid), 2)}
    print(json.dumps({**result, "grid_to_judge": round(min(grid) / min(once), 2), "same_house_rate": same}))


if __name__ == "__main__":
    main()
