"""How does a notebook run so that the saved copy tells the truth?

The stock runner marks every cell as completed when the kernel dies, a cell takes too long or somebody presses Ctrl-C, and takes
`sys.exit(0)` for success. Here each cell ends up `completed`, `failed` or `not run`, and the outcome says which cell, and why.
"""

from __future__ import annotations

import logging
import os
import tempfile
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from math import ceil
from pathlib import Path
from time import monotonic
from typing import Any, Literal

import nbformat
import polars as pl
from jupyter_client.kernelspec import KernelSpecManager
from nbclient.exceptions import CellExecutionError, CellTimeoutError, DeadKernelError
from papermill.clientwrap import PapermillNotebookClient  # type: ignore[import-untyped]
from papermill.engines import NotebookExecutionManager  # type: ignore[import-untyped]
from papermill.iorw import load_notebook_node  # type: ignore[import-untyped]
from papermill.parameterize import parameterize_notebook  # type: ignore[import-untyped]
from traitlets.config import Config

from fcrlib.model.settings import CHOSEN
from fcrlib.publish.bounds import Bounds, bound_prints
from fcrlib.publish.light import left_out_of

Status = Literal["ok", "failed", "exited", "died", "timeout", "deadline", "interrupted"]
EXIT_CODES: dict[str, int] = {"ok": 0, "failed": 1, "exited": 1, "timeout": 124, "deadline": 124, "interrupted": 130, "died": 138}
SAVE_EVERY = timedelta(seconds=30)
NOT_RUN = "not run"
SLOWEST = 5
LONGEST = 300
"""Characters of an error that are told; the rest is in the notebook."""
_OPENS = "Study.open("


def _nothing(*_: object) -> None:
    """What is done for somebody who did not ask to be told."""


class Stopped(BaseException):
    """Somebody asked the run to end (SIGTERM). Like KeyboardInterrupt it is no error, so it is no Exception."""


@dataclass(frozen=True, slots=True)
class Spent:
    """Where the seconds of a notebook went: starting its kernel, opening its study (with all imports before it), its other cells, saving it."""

    start: float = 0.0
    opening: float = 0.0
    cells: float = 0.0
    saving: float = 0.0


@dataclass(frozen=True, slots=True)
class Outcome:
    """How one notebook ended: the cell that ended it, the type of the error and its first line, how many code cells ran, and the slowest."""

    notebook: str
    status: Status
    seconds: float
    ran: int
    cells: int
    cell: str = ""
    error: str = ""
    message: str = ""
    slowest: tuple[tuple[str, float], ...] = ()
    spent: Spent = field(default_factory=Spent)

    def sentence(self) -> str:
        """One line for the person who has to mend it."""
        reason = {
            "ok": "ran to its end",
            "failed": f"{self.error}: {self.message}" if self.message else self.error,
            "exited": "it called sys.exit, so the rest never ran",
            "died": self.message or "its kernel died (out of memory?)",
            "timeout": f"the cell took longer than {self.message}",
            "deadline": f"the notebook took longer than {self.message}",
            "interrupted": "it was interrupted",
        }[self.status]
        where = f" at cell '{self.cell}'" if self.cell else ""
        return f"{self.notebook}{where}: {reason} ({self.ran} of {self.cells} cells ran)"


class _DeadlineError(Exception):
    """The notebook as a whole has used up its time."""


class _Manager(NotebookExecutionManager):  # type: ignore[misc]
    """Keeps the state of the cells; saves seldom, whole or not at all."""

    def __init__(self, nb: Any, output: Path, *, seen: Callable[[int, int], None], took: Callable[[str, float], None]) -> None:
        super().__init__(nb, output_path=str(output), progress_bar=False)
        self.output, self.seen, self.took, self.saved = output, seen, took, 0.0
        self.began, self.saving, self.first = monotonic(), 0.0, 0.0
        self.times: list[tuple[str, float, bool]] = []
        self.status: Status = "interrupted"
        self.cell, self.error, self.message = "", "", ""

    def save(self, **kwargs: Any) -> None:
        """Write the notebook if the last time was long ago."""
        if monotonic() - self.saved >= SAVE_EVERY.total_seconds():
            self.write()

    def write(self) -> None:
        """Write the notebook now; a reader never sees half of it."""
        began = monotonic()
        part = self.output.with_name(f".{self.output.name}.part")
        part.write_text(nbformat.writes(self.nb), encoding="utf-8")  # type: ignore[no-untyped-call]
        os.replace(part, self.output)
        self.saved, self.last_save_time = monotonic(), self.now()
        self.saving += self.saved - began

    def cell_start(self, cell: Any, cell_index: int | None = None, **kwargs: Any) -> None:
        """Note which cell is running: if everything ends here, this is where."""
        super().cell_start(cell, cell_index, **kwargs)
        self.cell, self.began = cell.get("id", ""), monotonic()
        self.first = self.first or self.began
        self.seen(cell_index or 0, len(self.nb.cells))

    def cell_ended(self, cell: Any) -> None:
        """Note how long a code cell took, and whether it is the one that opens the study."""
        if cell.cell_type == "code":
            self.times.append((self.cell, monotonic() - self.began, _OPENS in cell.source))
            self.took(self.cell, self.times[-1][1])

    def spent(self, started: float) -> Spent:
        """Where the seconds went since the start."""
        opens = max((place for place, (_, _, opening) in enumerate(self.times) if opening), default=-1) + 1
        before, after = (sum(seconds for _, seconds, _ in part) for part in (self.times[:opens], self.times[opens:]))
        start = self.first - started if self.first else 0.0
        return Spent(*(round(seconds, 3) for seconds in (start, before, after, self.saving)))

    def ended(self, status: Status, *, error: str = "", message: str = "") -> None:
        """Note how the notebook ended; the running cell is the one that ended it."""
        self.status, self.error, self.message = status, error, _harmless(message)
        self.cell = "" if status == "ok" else self.cell

    def notebook_complete(self, **kwargs: Any) -> None:
        """Mark the cells that never ran as such, and save."""
        self.end_time = datetime.now(UTC)
        about = self.nb.metadata.papermill
        about.update(end_time=self.end_time.isoformat(), duration=(self.end_time - self.start_time).total_seconds())
        about.update(status=self.status, exception=None if self.status == "ok" else True, failed_cell=self.cell or None)
        for cell in self.nb.cells:
            state = cell.metadata.papermill
            if state.status == self.RUNNING:
                state.update(status=self.FAILED, exception=True)
            elif state.status == self.PENDING:
                state.update(status=NOT_RUN if cell.cell_type == "code" and self.status != "ok" else self.COMPLETED)
        self.write()


class _Client(PapermillNotebookClient):  # type: ignore[misc]
    """Runs the cells one by one until one of them ends the notebook."""

    def papermill_execute_cells(self) -> None:
        for index, cell in enumerate(self.nb.cells):
            if self.stop.is_set():
                raise DeadKernelError("stopped")
            if monotonic() > self.ends:
                raise _DeadlineError
            self.nb_man.cell_start(cell, index)
            try:
                self.execute_cell(cell, index)
            except CellExecutionError:
                self.nb_man.cell_exception(self.nb.cells[index], cell_index=index)
                raise
            finally:
                self.nb_man.cell_ended(cell)
            self.nb_man.cell_complete(self.nb.cells[index], cell_index=index)

    def process_message(self, msg: dict[str, Any], cell: Any, cell_index: int) -> Any:
        """Keep what a cell says within bounds."""
        kept = self.bounds.within(msg, cell_index)
        return None if kept is None else super().process_message(kept, cell, cell_index)

    async def _async_check_alive(self) -> None:
        """The client asks once a second whether its kernel lives; somebody who wants the run to end is heard here too."""
        if self.stop.is_set():
            raise DeadKernelError("stopped")
        await super()._async_check_alive()


def execute(
    source: Path,
    output: Path,
    *,
    parameters: Mapping[str, object],
    cell_timeout: timedelta,
    deadline: timedelta,
    settings: Path | None = None,
    seen: Callable[[int, int], None] = _nothing,
    took: Callable[[str, float], None] = _nothing,
    stop: threading.Event | None = None,
) -> Outcome:
    """Run one notebook and save it, however it ends.

    Parameters
    ----------
    source, output
        The notebook, never changed, and the executed copy.
    parameters
        Values for its `parameters` cell; plain str, int, float, bool, list or dict.
    cell_timeout, deadline
        Longest time for one cell and for the whole notebook.
    settings
        The `fcr.toml` that the notebook reads; without one, the defaults.
    seen
        Called with the number of the cell that starts and how many there are.
    took
        Called with the id of a code cell that ended and its seconds.
    stop
        Set by another thread when the notebook shall end as interrupted, within about a second.

    Raises
    ------
    KeyboardInterrupt, Stopped
        After the notebook has been saved.
    """
    notebook = load_notebook_node(str(source))
    if parameters:
        notebook = parameterize_notebook(notebook, dict(parameters), kernel_name="python3", language="python")
    for cell in notebook.cells:
        if "injected-parameters" in cell.metadata.get("tags", []):
            cell.id = "injected-parameters"
    manager = _Manager(notebook, output, seen=seen, took=took)
    started = monotonic()
    manager.notebook_start()
    try:
        _run(manager, folder=source.parent, cell_timeout=cell_timeout, deadline=deadline, settings=settings, stop=stop or threading.Event())
    finally:
        manager.notebook_complete()
    return _outcome(manager, name=source.stem, started=started)


def _outcome(manager: _Manager, *, name: str, started: float) -> Outcome:
    code = [cell for cell in manager.nb.cells if cell.cell_type == "code"]
    ran = sum(cell.metadata.papermill.status == manager.COMPLETED for cell in code)
    slowest = sorted(((cell, round(seconds, 2)) for cell, seconds, _ in manager.times), key=lambda one: -one[1])[:SLOWEST]
    found = (manager.cell, manager.error, manager.message, tuple(slowest), manager.spent(started))
    return Outcome(name, manager.status, round(monotonic() - started, 2), ran, len(code), *found)


def _run(manager: _Manager, *, folder: Path, cell_timeout: timedelta, deadline: timedelta, settings: Path | None, stop: threading.Event) -> None:
    # What is left when the process itself is killed is removed by a later run.
    with tempfile.TemporaryDirectory(prefix=f"fcr-{os.getpid()}-", ignore_cleanup_errors=True) as scratch:
        startup = Path(scratch) / "ipython" / "profile_default" / "startup"
        startup.mkdir(parents=True)
        bound_prints(startup)
        left_out_of(startup)
        client = _client(manager, folder=folder, scratch=Path(scratch), cell_timeout=cell_timeout, deadline=deadline)
        client.stop, client.bounds = stop, Bounds()
        # Threads of linear algebra on small matrices wait for one another more than they help.
        env = {"OPENBLAS_NUM_THREADS": "1", **os.environ, "TZ": "UTC", "PYTHONHASHSEED": "0", "IPYTHONDIR": str(Path(scratch) / "ipython")}
        env[CHOSEN] = str(settings) if settings else ""
        try:
            client.execute(env=env)
            manager.ended("ok")
        except CellExecutionError as error:
            manager.ended("exited" if error.ename == "SystemExit" else "failed", error=str(error.ename), message=str(error.evalue))
        except DeadKernelError:
            manager.ended("interrupted" if stop.is_set() else "died")
        except RuntimeError as error:
            if manager.first:
                raise
            manager.ended("died", message=f"its kernel did not start: {error}")
        except _DeadlineError:
            manager.ended("deadline", message=spell(deadline))
        except CellTimeoutError:
            late = monotonic() > client.ends - 1
            manager.ended("deadline" if late else "timeout", message=spell(deadline if late else cell_timeout))
        finally:
            # Somebody who stops the run while the kernel is starting leaves it to nobody.
            if client.km is not None and client.km.has_kernel:
                client._cleanup_kernel()


def _client(manager: _Manager, *, folder: Path, scratch: Path, cell_timeout: timedelta, deadline: timedelta) -> Any:
    """A client whose kernel talks over private sockets in a short scratch folder, untouched by the user's own IPython profile."""
    ends = monotonic() + deadline.total_seconds()
    config = Config()
    config.KernelManager.connection_file = str(scratch / "k.json")
    if os.name == "posix":
        config.KernelManager.transport = "ipc"

    def allowed(cell: Any) -> int:
        """Seconds this cell may take; never 0, which would mean for ever."""
        return max(ceil(min(cell_timeout.total_seconds(), ends - monotonic())), 1)

    client = _Client(
        manager,
        kernel_name="python3",
        config=config,
        log=_silent(),
        timeout_func=allowed,
        coalesce_streams=True,
        shutdown_kernel="immediate",
        resources={"metadata": {"path": str(folder)}},
    )
    client.ends = ends
    client.create_kernel_manager()
    # The Python of this very process: somebody's own "python3" elsewhere on the machine may be another one.
    client.km.kernel_spec_manager = KernelSpecManager(kernel_dirs=[])
    return client


def _harmless(message: str) -> str:
    """The first line of an error, without the addresses and numbers of people: it goes into logs and mails."""
    from fcrlib.intake.redact import redacted

    line = message.strip().partition("\n")[0][:LONGEST]
    return str(redacted(pl.Series([line]))[0]) if line else ""


def spell(time: timedelta) -> str:
    """A limit as people say it.

    Examples
    --------
    >>> spell(timedelta(minutes=45)), spell(timedelta(seconds=90))
    ('45 minutes', '90 seconds')
    """
    seconds = int(time.total_seconds())
    return f"{seconds // 60} minutes" if seconds >= 60 and seconds % 60 == 0 else f"{seconds} seconds"


def _silent() -> logging.Logger:
    """The outcome says everything; a log line of the client would only become somebody's cron mail."""
    log = logging.getLogger("fcrlib.publish.engine")
    log.propagate = False
    if not log.handlers:
        log.addHandler(logging.NullHandler())
    return log
