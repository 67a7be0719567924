"""What a killed run left behind is removed, what somebody may still use is not."""

import os
import subprocess
import sys
import tempfile
import time

from fcrlib.publish.guard import swept


def test_only_old_folders_of_processes_that_are_gone_are_removed(tmp_path, monkeypatch) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    ended = subprocess.Popen([sys.executable, "-c", ""])
    ended.wait()
    names = {"gone": f"fcr-{ended.pid}-a", "alive": f"fcr-{os.getpid()}-b", "new": f"fcr-{ended.pid}-c", "foreign": "fcr-pdf-d"}
    for word, name in names.items():
        (tmp_path / name).mkdir()
        if word != "new":
            os.utime(tmp_path / name, (time.time() - 2e5, time.time() - 2e5))
    swept()
    assert {path.name for path in tmp_path.iterdir()} == set(names.values()) - {names["gone"]}
