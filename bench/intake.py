"""How fast do the records of an export come in, beside merely scanning the same files, and how much memory does a large one need?

The invented desk is written as every helpdesk would export it. Beside us stands the least that any reader costs: polars opens every one of the files
(lines, lists and pages of JSON, tables) and hands on its rows as it finds them, without paths, names or checks; it looks at all of a file for its
types, for one field may hold several. Both are timed in turns in one run, and the best of some rounds counts; rows are those that we keep. A large
export is a Zendesk folder with one record a line, repeated with new numbers, read by a process of its own: private memory is its own, the rest are
pages of files that the system may drop.
"""

from __future__ import annotations

import argparse
import importlib
import json
import re
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import polars as pl

from fcrlib.intake import csv, readers
from fcrlib.intake.demo import dialects, invent
from fcrlib.intake.export import records
from fcrlib.intake.export.kinds import Export
from fcrlib.intake.tables import files, written
from fcrlib.model.desk import Desk

SYSTEMS = ("zendesk", "freshdesk", "intercom", "servicenow", "salesforce", "jira", "hubspot", "calls", "csv")
ROUNDS = 3
# Where a number of a ticket, an audit or a call begins; numbers of fields and of people stay.
_NUMBER = re.compile(r'(?<="id":)(?!3600\d)(?=\d)|(?<="ticket_id":)(?=\d)|(?<="call_id":)(?=\d)|(?<="problem_id":)(?=\d)')
_LISTS = ("tickets", "ticket_metrics", "satisfaction_ratings", "audits", "calls", "call_legs")


def export_of(system: str) -> Export:
    fields = importlib.import_module(f"fcrlib.intake.{'calls.connect' if system == 'calls' else f'{system}.fields'}")
    found: Export = fields.EXPORT if hasattr(fields, "EXPORT") else fields.export({})
    return found


def rows_of(folder: Path, system: str) -> int:
    """Read the records alone."""
    if system == "csv":
        return sum(table.frame.height for table in files.tables(folder))
    return sum(frame.height for frame in records.read(folder, export=export_of(system)).tables.values())


def asked_of(desk: Desk, system: str) -> dict[str, Any]:
    """What the reader must be told, because the export does not say it."""
    room = importlib.import_module(f"fcrlib.intake.demo.dialects.{system}")
    return dict(room.asked(desk)) if hasattr(room, "asked") else {}


def scan(folder: Path) -> None:
    """The least: every file opened by polars alone."""
    for file in sorted(folder.rglob("*")):
        if file.suffix == ".csv":
            with file.open(encoding="utf-8", errors="replace") as text:
                separator = written.sniff(text.readline())
            pl.scan_csv(file, infer_schema=False, separator=separator, encoding="utf8-lossy").collect()
        elif file.suffix == ".ndjson":
            pl.scan_ndjson(file, infer_schema_length=None).collect()
        elif file.suffix == ".json":
            # Amazon writes one object behind the other, with nothing between.
            lined = file.read_bytes().replace(b"}{", b"}\n{")
            (pl.read_ndjson if b"}\n{" in lined else pl.read_json)(lined, infer_schema_length=None)


def seconds(work: Callable[[], object]) -> float:
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


def compare(desk: Desk, system: str) -> dict[str, float | str]:
    """Rows per second of the records, and of the whole import, as shares of those of the scan."""
    with tempfile.TemporaryDirectory() as place:
        folder = dialects.write(desk, system=system, folder=Path(place) / system)
        size = sum(file.stat().st_size for file in folder.rglob("*") if file.is_file())
        asked, rows = asked_of(desk, system), rows_of(folder, system)
        steps = {
            "scan": lambda: scan(folder),
            "records": lambda: rows_of(folder, system),
            "import": lambda: csv.read(folder, **asked) if system == "csv" else readers.read(system, folder, **asked),
        }
        best = dict.fromkeys(steps, float("inf"))
        for _ in range(ROUNDS):
            best = {name: min(best[name], seconds(work)) for name, work in steps.items()}
    return {
        "system": system,
        "mb": round(size / 1e6, 1),
        "rows": rows,
        "scan_rows_per_second": round(rows / best["scan"]),
        "records_rows_per_second": round(rows / best["records"]),
        "import_rows_per_second": round(rows / best["import"]),
        "records_to_scan": round(best["scan"] / best["records"], 3),
        "import_to_scan": round(best["scan"] / best["import"], 3),
    }


def enlarge(folder: Path, *, to: Path, megabytes: float) -> None:
    """The folder's lists as one record a line, again and again with new numbers, until there is enough; what they refer to once."""
    to.mkdir(parents=True, exist_ok=True)
    parts = {}
    for name in _LISTS:
        paged = [one for file in sorted(folder.glob(f"{name}_*.json")) for one in json.loads(file.read_text())[name]]
        lined = [json.loads(line) for file in folder.glob(f"{name}.ndjson") for line in file.read_text().splitlines()]
        parts[name] = _NUMBER.split("".join(f"{json.dumps(one, ensure_ascii=False, separators=(',', ':'))}\n" for one in (*paged, *lined)))
    for file in folder.iterdir():
        if not file.name.startswith(_LISTS):
            (to / file.name).write_bytes(file.read_bytes())
    copies = int(megabytes * 1e6 / sum(len(part) + 3 for some in parts.values() for part in some)) + 1
    for name, some in parts.items():
        with (to / f"{name}.ndjson").open("w") as out:
            for copy in range(copies):
                out.write(f"{100 + copy}".join(some))
    (to / "last.json").write_text('{"tickets": [], "end_of_stream": true, "end_time": 1790812799}')


def memory() -> dict[str, int]:
    """What this process holds now and held at most, in MB."""
    lines = (line.split() for line in Path("/proc/self/status").read_text().splitlines())
    return {words[0].rstrip(":"): int(words[1]) // 1024 for words in lines if words[0] in ("VmHWM:", "RssAnon:", "RssFile:")}


def watched(work: Callable[[], object]) -> dict[str, float]:
    """The most memory that some work needed, looked at twenty times a second."""
    most, over = memory(), threading.Event()
    before = most["RssAnon"]

    def watch() -> None:
        while not over.wait(0.05):
            now = memory()
            most.update({name: max(most[name], now[name]) for name in now})

    thread = threading.Thread(target=watch, daemon=True)
    thread.start()
    took = seconds(work)
    over.set()
    thread.join()
    return {
        "seconds": round(took, 1),
        "private_before_mb": before,
        "private_mb": most["RssAnon"],
        "mapped_mb": most["RssFile"],
        "all_mb": most["VmHWM"],
    }


def measure(folder: Path, step: str) -> dict[str, float]:
    def tell(line: str) -> None:
        print(line, file=sys.stderr, flush=True)

    if step == "import":
        return watched(lambda: readers.read("zendesk", folder, tell=tell))
    return watched(lambda: records.read(folder, export=export_of("zendesk"), tell=tell))


def large(megabytes: float, *, contacts: int, steps: list[str]) -> None:
    with tempfile.TemporaryDirectory() as place:
        small, folder = Path(place) / "small", Path(place) / "large"
        enlarge(dialects.write(invent(contacts=contacts), system="zendesk", folder=small), to=folder, megabytes=megabytes)
        size = round(sum(file.stat().st_size for file in folder.iterdir()) / 1e6)
        for step in steps:
            told = subprocess.run([sys.executable, __file__, "--measure", str(folder), "--step", step], check=True, stdout=subprocess.PIPE, text=True)
            found = json.loads(told.stdout)
            print(json.dumps({"mb": size, "step": step, **found, "mb_per_second": round(size / found["seconds"], 1)}), flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="under a minute")
    parser.add_argument("--contacts", type=int, default=20_000)
    parser.add_argument("--system", choices=SYSTEMS)
    parser.add_argument("--large", type=float, metavar="MB", help="write a folder of that size and show the memory that it needs")
    parser.add_argument("--step", choices=("records", "import"))
    parser.add_argument("--measure", type=Path, help=argparse.SUPPRESS)
    chosen = parser.parse_args()
    if chosen.measure:
        print(json.dumps(measure(chosen.measure, chosen.step or "records")))
        return
    if chosen.large:
        large(chosen.large, contacts=chosen.contacts, steps=[chosen.step] if chosen.step else ["records", "import"])
        return
    desk = invent(contacts=2_000 if chosen.quick else chosen.contacts)
    for system in [chosen.system] if chosen.system else SYSTEMS:
        print(json.dumps(compare(desk, system)), flush=True)


if __name__ == "__main__":
    main()
