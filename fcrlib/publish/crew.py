"""How are the notebooks of a run carried out, one after the other or side by side?

Each has a kernel of its own. What an earlier, interrupted run has finished is kept, if nothing that it rests on has changed since.
"""

from __future__ import annotations

import json
import os
import threading
from collections.abc import Iterator, Mapping
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from time import monotonic
from typing import TYPE_CHECKING, Any, Literal

from fcrlib.publish.progress import Progress
from fcrlib.publish.provenance import Ran, run_id

if TYPE_CHECKING:
    from fcrlib.publish.engine import Outcome
    from fcrlib.publish.plan import Plan

KEPT = "kept.json"


@dataclass(slots=True)
class Diary:
    """When a run started, what it has done so far and what it is doing."""

    told: Progress
    started: datetime = field(default_factory=lambda: datetime.now(UTC))
    clock: float = field(default_factory=monotonic)
    ran: list[Ran] = field(default_factory=list)
    failed: list[Outcome] = field(default_factory=list)
    running: set[str] = field(default_factory=set)
    id: str = ""

    def __post_init__(self) -> None:
        self.id = self.id or run_id(self.started)

    @property
    def seconds(self) -> float:
        """Seconds since the start."""
        return round(monotonic() - self.clock, 1)


def carry_out(plan: Plan, diary: Diary, *, jobs: int, after_failure: Literal["stop", "go on"]) -> None:
    """Run every notebook of a plan that is not kept; the diary says how each of them ended, in the order of the plan.

    Parameters
    ----------
    jobs
        How many notebooks run at the same time.
    after_failure
        Whether the notebooks that have not started yet still run once one has failed.

    Raises
    ------
    KeyboardInterrupt, Stopped
        After every kernel has been shut down and every notebook saved.
    """
    kept = read_kept(plan.staging)
    waiting = [notebook for notebook in plan.notebooks if not _is_kept(plan, notebook, kept, diary)]
    try:
        with _stoppable(jobs) as (pool, stop):
            under_way: dict[Future[Outcome], Path] = {}
            while waiting or under_way:
                while waiting and len(under_way) < jobs:
                    notebook = waiting.pop(0)
                    diary.running.add(notebook.stem)
                    under_way[pool.submit(_one, plan, notebook, diary, stop)] = notebook
                # A thread that waits for ever hears no signal on some systems.
                for future in wait(under_way, timeout=0.5, return_when=FIRST_COMPLETED).done:
                    _note(plan, under_way.pop(future), future.result(), diary, kept)
                if diary.failed and after_failure == "stop":
                    waiting.clear()
    finally:
        order = [notebook.stem for notebook in plan.notebooks]
        diary.ran += [Ran(name, "interrupted", 0.0, kept=False) for name in diary.running]
        diary.ran.sort(key=lambda ran: order.index(ran.name))
        diary.failed.sort(key=lambda outcome: order.index(outcome.notebook))


@contextmanager
def _stoppable(jobs: int) -> Iterator[tuple[ThreadPoolExecutor, threading.Event]]:
    """Threads that end their notebooks in order when the run is stopped, whatever stops it."""
    stop, pool = threading.Event(), ThreadPoolExecutor(jobs, thread_name_prefix="notebook")
    try:
        yield pool, stop
    finally:
        stop.set()
        pool.shutdown(wait=True, cancel_futures=True)


def _one(plan: Plan, notebook: Path, diary: Diary, stop: threading.Event) -> Outcome:
    from jupyter_core.utils import ensure_event_loop

    from fcrlib.publish.engine import execute

    name, limits = notebook.stem, plan.limits
    try:
        return execute(
            notebook,
            plan.staging / "work" / notebook.name,
            parameters=plan.values[name],
            cell_timeout=limits.cell,
            deadline=limits.notebook,
            settings=plan.settings,
            seen=lambda cell, cells: diary.told.cell(name, cell, cells),
            took=lambda cell, seconds: diary.told.took(name, cell, seconds),
            stop=stop,
        )
    finally:
        # The client opens a loop for each thread and closes none.
        ensure_event_loop().close()


def _note(plan: Plan, notebook: Path, outcome: Outcome, diary: Diary, kept: dict[str, Any]) -> None:
    """Write down how a notebook ended; what it found is kept only if it ran to its end."""
    name, ok = notebook.stem, outcome.status == "ok"
    diary.running.discard(name)
    diary.ran.append(
        Ran(name, outcome.status, outcome.seconds, kept=False, cell=outcome.cell, error=outcome.error, slowest=outcome.slowest, spent=outcome.spent)
    )
    if ok:
        kept[name] = {"fingerprint": plan.fingerprint(notebook), "seconds": outcome.seconds}
        _write_kept(plan.staging, kept)
        diary.told.say(f"{name}: {outcome.seconds:.0f} s", notebook=name)
    else:
        diary.failed.append(outcome)
        diary.told.say(outcome.sentence(), notebook=name)


def _is_kept(plan: Plan, notebook: Path, kept: Mapping[str, Any], diary: Diary) -> bool:
    if not is_kept(plan, notebook, kept):
        return False
    diary.ran.append(Ran(notebook.stem, "ok", kept[notebook.stem]["seconds"], kept=True))
    diary.told.say(f"{notebook.stem}: kept from the earlier run")
    return True


def is_kept(plan: Plan, notebook: Path, kept: Mapping[str, Any]) -> bool:
    """Whether an earlier run has finished this notebook on the same data, with the same parameters and code."""
    same = kept.get(notebook.stem, {}).get("fingerprint") == plan.fingerprint(notebook)
    return same and (plan.staging / "work" / notebook.name).exists()


def read_kept(staging: Path) -> dict[str, Any]:
    """What an earlier run has finished, by notebook; nothing where it left no note or half a one."""
    try:
        return dict(json.loads((staging / KEPT).read_text(encoding="utf-8")))
    except (FileNotFoundError, ValueError):
        return {}


def _write_kept(staging: Path, kept: Mapping[str, Any]) -> None:
    part = staging / ".kept.part"
    part.write_text(json.dumps(kept, indent=1), encoding="utf-8")
    os.replace(part, staging / KEPT)
