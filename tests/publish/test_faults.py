"""Whatever breaks, a reader finds the old report whole or the new one whole, and nothing is left running."""

from __future__ import annotations

import os
import random
import resource
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import nbformat
import pytest

from fcrlib.publish import bounds
from fcrlib.publish.engine import execute
from fcrlib.publish.run import RunResult
from fcrlib.publish.shelf import SUMS, broken_seals, place

TRIALS = int(os.environ.get("FCR_TRIALS", "4"))
CHILD = """
import sys
from pathlib import Path
from fcrlib.publish.run import run
folder = Path(sys.argv[1])
ended = run("2026Q3", desk=folder / "desk", notebooks=folder / "notebooks", reports=folder / "reports", replace="aside", jobs=2)
print(ended.status, ended.message)
raise SystemExit(ended.exit_code)
"""


def start(folder: Path, **changes: object) -> subprocess.Popen[str]:
    words = [sys.executable, "-c", CHILD, str(folder)]
    return subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, **changes)


def kernels(process: int) -> list[int]:
    """Processes whose connection file lies in the scratch folder of a run."""
    found = subprocess.run(["ps", "-eo", "pid=,args="], capture_output=True, text=True, check=True).stdout.splitlines()
    return [int(line.split()[0]) for line in found if f"/fcr-{process}-" in line]


def gone(process: int, *, seconds: float = 20) -> bool:
    """Whether every kernel of a run ends by itself."""
    until = time.monotonic() + seconds
    while kernels(process) and time.monotonic() < until:
        time.sleep(0.2)
    return not kernels(process)


def sleeping(write: Callable[..., Path], shown: Callable[[float], object], fcr: float) -> None:
    write("10_fcr", *shown(fcr), "import time; time.sleep(0.7)")
    write("20_more", "import time", "time.sleep(0.7)", "time.sleep(0.7)")


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="no SIGKILL")
def test_a_run_that_is_killed_leaves_the_old_report_or_the_new_one_and_no_kernel(write, shown, desk, tmp_path) -> None:
    sleeping(write, shown, 0.5)
    first = start(tmp_path)
    told = first.communicate()
    assert first.returncode == 0, told
    report, whole, dice = tmp_path / "reports" / "2026Q3", 0.0, random.Random(7)
    for trial in range(TRIALS):
        before = (report / SUMS).read_text()
        sleeping(write, shown, 0.5 + (trial + 1) / 1000)
        killed = start(tmp_path)
        try:
            killed.wait(timeout=dice.uniform(0.2, whole or 8.0))
        except subprocess.TimeoutExpired:
            killed.send_signal(signal.SIGKILL)
        killed.communicate()
        assert broken_seals(report) == []
        new = f"{0.5 + (trial + 1) / 1000}" in (report / "findings.json").read_text()
        assert new or (report / SUMS).read_text() == before
        assert gone(killed.pid), "a kernel lives on"
        begun = time.monotonic()
        again = start(tmp_path)
        out, err = again.communicate(timeout=120)
        whole = time.monotonic() - begun + 2.0
        assert (again.returncode, err) == (0, ""), out
        assert f"{0.5 + (trial + 1) / 1000}" in (report / "findings.json").read_text()
        assert broken_seals(report) == []


@pytest.mark.slow
@pytest.mark.parametrize(("number", "code"), [(signal.SIGTERM, 143), (signal.SIGINT, 130)])
def test_a_run_that_is_stopped_ends_in_order_and_leaves_no_kernel(write, desk, tmp_path, number, code) -> None:
    write("10", "import time; time.sleep(60)")
    write("20", "import time; time.sleep(60)")
    stopped = start(tmp_path)
    until = time.monotonic() + 30
    while len(kernels(stopped.pid)) < 2 and time.monotonic() < until:
        time.sleep(0.2)
    time.sleep(1)
    stopped.send_signal(number)
    out, err = stopped.communicate(timeout=30)
    assert (stopped.returncode, err) == (code, ""), out
    assert gone(stopped.pid, seconds=3)
    for name in ("10", "20"):
        book = nbformat.read(tmp_path / "reports" / ".staging" / "2026Q3" / "work" / f"{name}.ipynb", 4)
        assert book.metadata.papermill.status == "interrupted"


@pytest.mark.slow
def test_two_runs_at_once_make_one_report(write, shown, desk, tmp_path) -> None:
    sleeping(write, shown, 0.5)
    both = [start(tmp_path), start(tmp_path)]
    ended = sorted((one.communicate()[0].split()[0], one.returncode) for one in both)
    assert ended in ([("locked", 75), ("published", 0)], [("published", 0), ("published", 0)])
    assert broken_seals(tmp_path / "reports" / "2026Q3") == []


@pytest.mark.slow
def test_a_notebook_that_will_not_be_stopped_is_stopped(write, tmp_path) -> None:
    deaf = "import signal, time\nfor number in (signal.SIGINT, signal.SIGTERM):\n    signal.signal(number, signal.SIG_IGN)\ntime.sleep(60)"
    begun = time.monotonic()
    outcome = execute(write("one", deaf), tmp_path / "out.ipynb", parameters={}, cell_timeout=timedelta(seconds=2), deadline=timedelta(seconds=60))
    assert outcome.status == "timeout"
    assert time.monotonic() - begun < 30
    assert gone(os.getpid(), seconds=3)


LOUD = {
    "lines": "for place in range(2_000_000):\n    print('x' * 100)",
    "at once": "print('x' * 200_000_000)",
    "on stderr": "import sys\nfor place in range(200):\n    print('x' * 1_000_000, file=sys.stderr)",
    "shown": "from IPython.display import display\nfor place in range(20):\n    display({'text/plain': 'x' * 10_000_000}, raw=True)",
}


@pytest.mark.slow
@pytest.mark.parametrize("cell", LOUD.values(), ids=LOUD)
def test_a_cell_that_says_200_megabytes_is_cut_with_a_sentence(write, tmp_path, cell) -> None:
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    source = write("one", cell, "print('the next cell speaks')")
    outcome = execute(source, tmp_path / "out.ipynb", parameters={}, cell_timeout=timedelta(minutes=2), deadline=timedelta(minutes=3))
    assert outcome.status == "ok"
    assert (tmp_path / "out.ipynb").stat().st_size < 2 * bounds.PRINTED
    text = (tmp_path / "out.ipynb").read_text()
    assert "eft out" in text
    assert "the next cell speaks" in text
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 300_000


def test_a_long_error_is_told_short_and_without_people(write, tmp_path) -> None:
    source = write("one", "raise ValueError('write to jo.doe@mail.example.com ' + 'x' * 1_000_000)")
    outcome = execute(source, tmp_path / "out.ipynb", parameters={}, cell_timeout=timedelta(seconds=30), deadline=timedelta(minutes=1))
    assert outcome.status == "failed"
    assert len(outcome.sentence()) < 500
    assert "jo.doe" not in outcome.sentence()


@pytest.mark.slow
@pytest.mark.skipif(not hasattr(resource, "RLIMIT_FSIZE"), reason="this system knows no limit for files")
def test_a_full_disk_leaves_the_old_report(write, shown, publish, desk, tmp_path) -> None:
    write("10_fcr", *shown(0.714))
    assert publish().status == "published"
    before = (tmp_path / "reports" / "2026Q3" / SUMS).read_text()
    write("10_fcr", *shown(0.5), "print('x' * 60_000)")

    def full() -> None:
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (40_000, 40_000))

    broken = start(tmp_path, preexec_fn=full)
    out, err = broken.communicate(timeout=60)
    assert broken.returncode != 0, out
    assert "File too large" in err
    assert (tmp_path / "reports" / "2026Q3" / SUMS).read_text() == before
    assert broken_seals(tmp_path / "reports" / "2026Q3") == []
    assert gone(broken.pid, seconds=3)


@pytest.mark.slow
@pytest.mark.skipif(not shutil.which("unshare") or os.geteuid() != 0, reason="only root may make a read-only place")
def test_read_only_ground_is_said_in_a_sentence(write, desk, tmp_path) -> None:
    write("10", "1")
    (tmp_path / "reports").mkdir()
    quoted = f"mount -t tmpfs -o ro none '{tmp_path / 'reports'}' && exec \"$0\" -c \"$1\" '{tmp_path}'"
    tried = subprocess.run(["unshare", "-m", "sh", "-c", quoted, sys.executable, CHILD], capture_output=True, text=True, check=False)
    if "mount" in tried.stderr and "Traceback" not in tried.stderr:
        pytest.skip("this system lets nobody mount")
    assert tried.returncode != 0
    assert "Read-only file system" in tried.stderr


def test_a_report_is_exchanged_for_the_new_one_and_the_old_one_kept(tmp_path) -> None:
    for name, text in (("reports/2026Q3", "old"), ("page", "new")):
        (tmp_path / name).mkdir(parents=True)
        (tmp_path / name / "report.html").write_text(text)
    place(tmp_path / "page", tmp_path / "reports" / "2026Q3")
    assert (tmp_path / "reports" / "2026Q3" / "report.html").read_text() == "new"
    assert [path.read_text() for path in (tmp_path / "reports" / ".old").rglob("report.html")] == ["old"]


def test_one_run_tells_of_every_notebook_that_failed(write, publish: Callable[..., RunResult]) -> None:
    write("10", "1/0")
    write("20", "raise KeyError('x')")
    write("30", "1")
    stopped = publish()
    assert [ran.name for ran in stopped.notebooks] == ["10"]
    told = publish(after_failure="go on", jobs=2)
    assert [(ran.name, ran.status) for ran in told.notebooks] == [("10", "failed"), ("20", "failed"), ("30", "ok")]
    assert "ZeroDivisionError" in told.message
    assert "KeyError" in told.message
    assert told.exit_code == 1
