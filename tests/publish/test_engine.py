"""However a notebook ends, its saved copy says what ran and what did not."""

from __future__ import annotations

import os
import signal
import sys
import threading
from datetime import timedelta
from pathlib import Path

import nbformat
import pytest

from fcrlib.publish.engine import Outcome, Stopped, execute

ENDINGS = [
    ("ok", ["print(1)", "print(2)"], ["completed", "completed"]),
    ("failed", ["1", "raise ValueError('no such column\\nsecond line')", "2"], ["completed", "failed", "not run"]),
    ("exited", ["import sys; sys.exit(0)", "2"], ["failed", "not run"]),
    ("died", ["import os; os.kill(os.getpid(), 9)", "2"], ["failed", "not run"]),
    ("timeout", ["import time; time.sleep(60)", "2"], ["failed", "not run"]),
]


def go(source: Path, *, cell: float = 2, whole: float = 60) -> tuple[Outcome, list[str]]:
    output = source.with_suffix(".out.ipynb")
    outcome = execute(source, output, parameters={}, cell_timeout=timedelta(seconds=cell), deadline=timedelta(seconds=whole))
    return outcome, statuses(output)


def statuses(output: Path) -> list[str]:
    return [cell.metadata.papermill.status for cell in nbformat.read(output, 4).cells if cell.cell_type == "code"]


@pytest.mark.parametrize(("status", "cells", "expected"), ENDINGS, ids=[ending[0] for ending in ENDINGS])
def test_the_saved_notebook_tells_the_truth(write, status, cells, expected) -> None:
    outcome, found = go(write("one", *cells), cell=2 if status == "timeout" else 20)
    assert (outcome.status, found) == (status, expected)
    assert outcome.cell == ("" if status == "ok" else f"c{expected.index('failed')}")
    if status == "failed":
        assert outcome.sentence() == "one at cell 'c1': ValueError: no such column (1 of 3 cells ran)"


@pytest.mark.slow
def test_the_whole_notebook_has_a_deadline(write) -> None:
    outcome, found = go(write("one", "1", "import time; time.sleep(60)", "2"), cell=30, whole=2)
    assert (outcome.status, found) == ("deadline", ["completed", "failed", "not run"])


@pytest.mark.slow
@pytest.mark.parametrize(("number", "error"), [(signal.SIGINT, KeyboardInterrupt), (signal.SIGTERM, Stopped)])
def test_an_interrupted_notebook_is_saved_before_the_run_ends(write, number, error) -> None:
    def stop(*_: object) -> None:
        raise Stopped

    source = write("one", "1", "import time; time.sleep(60)", "2")
    before = signal.signal(signal.SIGTERM, stop)
    timer = threading.Timer(3, os.kill, (os.getpid(), number))
    timer.start()
    try:
        with pytest.raises(error):
            go(source, cell=30)
    finally:
        timer.cancel()
        signal.signal(signal.SIGTERM, before)
    assert statuses(source.with_suffix(".out.ipynb")) == ["completed", "failed", "not run"]


def test_streams_are_joined_the_zone_is_utc_and_stderr_is_quiet(write, capfd) -> None:
    source = write("one", "import os, time\nfor i in range(20):\n    print(i, flush=True)\nprint(os.environ['TZ'], time.tzname[0])")
    outcome, _ = go(source, cell=20)
    outputs = nbformat.read(source.with_suffix(".out.ipynb"), 4).cells[1].outputs
    assert outcome.status == "ok"
    assert len(outputs) == 1
    assert outputs[0].text.endswith("UTC UTC\n")
    assert capfd.readouterr().err == ""


def test_a_kernel_is_this_python_and_loads_no_grammar_that_nobody_asks(write, tmp_path, monkeypatch) -> None:
    spec = tmp_path / "kernels" / "python3"
    spec.mkdir(parents=True)
    (spec / "kernel.json").write_text('{"argv": ["false"], "display_name": "another", "language": "python"}')
    monkeypatch.setenv("JUPYTER_PATH", str(tmp_path))
    cells = ["import sys, altair, jsonschema", "assert sys.modules['rfc3987_syntax'] is None", f"assert sys.executable == {sys.executable!r}"]
    outcome, _ = go(write("one", *cells), cell=30)
    assert outcome.status == "ok", outcome.sentence()


def test_a_home_that_cannot_be_written_is_no_word_on_the_side(write, monkeypatch, capfd) -> None:
    monkeypatch.setenv("HOME", "/nonexistent")
    monkeypatch.delenv("IPYTHONDIR", raising=False)
    assert go(write("one", "1"), cell=20)[0].status == "ok"
    assert capfd.readouterr().err == ""
