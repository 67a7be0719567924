"""Does a desk stay whole whatever happens while another is written over it?"""

from __future__ import annotations

import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest

from fcrlib.intake import csv
from fcrlib.model.desk import Desk

ROWS = "id,created,closed\n" + "".join(f"{n},2026-01-02T10:00:00Z,2026-01-03T10:00:00Z\n" for n in range(50))
END = datetime(2026, 2, 1, tzinfo=UTC)
# A file may not be larger than this, as on a disk without room.
FULL = """
import resource, signal, sys
from fcrlib.model.desk import Desk
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
desk = Desk.load(sys.argv[1])
resource.setrlimit(resource.RLIMIT_FSIZE, (512, 512))
desk.save(sys.argv[1])
"""
# Kill the process at the n-th call that changes a folder.
KILLED = """
import os, shutil, signal, sys
from fcrlib.model.desk import Desk
desk, left = Desk.load(sys.argv[1]), [int(sys.argv[2])]
def dying(real):
    def call(*given, **more):
        if left[0] == 0:
            os.kill(os.getpid(), signal.SIGKILL)
        left[0] -= 1
        return real(*given, **more)
    return call
os.replace, os.unlink, os.rmdir = dying(os.replace), dying(os.unlink), dying(os.rmdir)
desk.save(sys.argv[1])
"""


@pytest.fixture
def place(tmp_path: Path) -> Path:
    (tmp_path / "t.csv").write_text(ROWS, encoding="utf-8")
    return csv.read(tmp_path / "t.csv", data_end=END).save(tmp_path / "desk")


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="elsewhere two renames follow each other")
@pytest.mark.parametrize("moment", range(13))
def test_a_run_that_is_killed_leaves_a_whole_desk(place: Path, moment: int) -> None:
    subprocess.run([sys.executable, "-c", KILLED, str(place), str(moment)], check=False)
    assert Desk.load(place).contacts.height == 50


def test_a_full_disk_is_said_in_words_and_the_old_desk_stays(place: Path) -> None:
    told = subprocess.run([sys.executable, "-c", FULL, str(place)], capture_output=True, text=True, check=False)
    assert "is there room on the disk?" in told.stderr
    assert Desk.load(place).contacts.height == 50
    assert [one.name for one in place.parent.iterdir() if one.name.startswith(".")] == []
