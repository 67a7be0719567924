"""Does the memory that an export needs stay what it is when the export grows, and does nothing stay behind?"""

import json
import os
import subprocess
import sys
from pathlib import Path

import polars as pl
import pytest

from fcrlib.intake.export.progress import Progress
from fcrlib.intake.export.shelf import Shelf
from fcrlib.model.errors import DataError

SCHEMA = {"id": pl.Int64, "text": pl.String}
MEASURED = """
import sys
import threading
from datetime import UTC, datetime
from pathlib import Path

from fcrlib.intake import readers
from fcrlib.intake.export import records
from fcrlib.intake.export.kinds import Export, Kind


def private():
    return next(int(line.split()[1]) // 1024 for line in Path("/proc/self/status").read_text().splitlines() if line.startswith("RssAnon"))


most, over, begin = [0], threading.Event(), private()


def watch():
    while not over.wait(0.01):
        most[0] = max(most[0], private())


thread = threading.Thread(target=watch)
thread.start()
if sys.argv[2] == "records":
    kind = Kind("tickets", {"id": "id", "text": "text", "by": "by.name"}, key=("id",), needed=("id",))
    text = records.read(sys.argv[1], export=Export("example", kinds=(kind,))).tables["tickets"]["text"]
else:
    text = readers.read("zendesk", sys.argv[1], data_end=datetime(2026, 9, 30, tzinfo=UTC)).events["text"]
over.set()
thread.join()
print(most[0] - begin, len(text), text.str.len_bytes().sum() // 2**20)
"""


def numbered(start: int, stop: int) -> pl.DataFrame:
    return pl.DataFrame({"id": range(start, stop), "text": [f"a text that is longer than a few letters {number}" for number in range(start, stop)]})


def grown(folder: Path, *, megabytes: int) -> Path:
    """A folder of tickets with a text of a thousand letters, one a line."""
    folder.mkdir()
    with (folder / "tickets.ndjson").open("w") as out:
        for number in range(megabytes * 1_000):
            out.write(f"{json.dumps({'id': number, 'text': f'{number} ' + 'why ' * 240, 'by': {'name': 'Jo'}})}\n")
    return folder


def commented(folder: Path, *, megabytes: int) -> Path:
    """A Zendesk folder of tickets with three comments of 400 letters each."""
    folder.mkdir()
    day = "2026-03-02T08:00:00Z"
    with (folder / "tickets.ndjson").open("w") as tickets, (folder / "comments.ndjson").open("w") as comments:
        for number in range(megabytes * 500):
            asker = {"requester_id": 10 + number % 500, "submitter_id": 10 + number % 500, "assignee_id": 900}
            tickets.write(f"{json.dumps({'id': number, 'created_at': day, 'status': 'open', 'subject': 'Help', **asker})}\n")
            for place in range(3):
                said = {"ticket_id": number, "author_id": 900 if place == 1 else 10 + number % 500, "public": True, "created_at": day}
                comments.write(f"{json.dumps({'id': number * 3 + place, **said, 'body': f'{number}.{place} ' + 'why ' * 100})}\n")
    return folder


def needed(folder: Path, step: str = "records") -> tuple[int, int, int]:
    """Private megabytes that a process needed, rows that it found, megabytes of their text."""
    told = subprocess.run([sys.executable, "-c", MEASURED, str(folder), step], check=True, capture_output=True, text=True)
    private, rows, text = map(int, told.stdout.split())
    return private, rows, text


@pytest.mark.slow
@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="only Linux says how much memory is private")
def test_an_export_five_times_as_large_needs_hardly_more_private_memory(tmp_path):
    (small, _, _), (large, rows, text) = (needed(grown(tmp_path / str(size), megabytes=size)) for size in (100, 500))
    assert (rows, text > 450) == (500_000, True)
    # A number for each of the records, to find those that came twice, is all that may grow.
    assert large < small + 100
    assert large < 300


@pytest.mark.slow
@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="only Linux says how much memory is private")
def test_a_whole_import_needs_memory_for_its_desk_and_not_for_copies_of_the_export(tmp_path):
    (small, _, _), (large, rows, text) = (needed(commented(tmp_path / str(size), megabytes=size), "import") for size in (40, 160))
    assert (rows, text > 80) == (240_000, True)
    assert large - small < 2.5 * 120


def test_rows_that_wait_in_a_file_come_back_as_they_were_in_their_order():
    with Shelf(part=10_000) as some:
        for start in range(0, 3_000, 100):
            some.put("tickets", numbered(start, start + 100))
        some.put("users", numbered(0, 1))
        assert len(some.parts["tickets"]) > 2
        found = some.frame("tickets", schema=SCHEMA)
    assert found.equals(numbered(0, 3_000))
    assert found.filter(pl.col("id") % 500 == 7)["text"].to_list()[-1] == "a text that is longer than a few letters 2507"


def test_rows_are_left_out_of_files_and_of_memory_alike():
    with Shelf(part=10_000) as some:
        for start in range(0, 1_050, 50):
            some.put("tickets", numbered(start, start + 50))
        assert some.parts["tickets"]
        assert some.loose["tickets"]
        some.keep("tickets", ~pl.col("id").is_in([3, 500, 1_049]))
        kept = some.frame("tickets", schema=SCHEMA)["id"].to_list()
    assert kept == [number for number in range(1_050) if number not in (3, 500, 1_049)]


def test_a_kind_without_rows_has_its_columns():
    with Shelf() as some:
        assert some.frame("tickets", schema=SCHEMA).schema == SCHEMA


@pytest.mark.parametrize("fails", [False, True])
def test_no_file_stays_behind_whatever_happens(tmp_path, monkeypatch, fails):
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    open_before = len(os.listdir("/proc/self/fd")) if Path("/proc/self/fd").exists() else 0
    try:
        with Shelf(part=1_000) as some:
            for start in range(0, 2_000, 100):
                some.put("tickets", numbered(start, start + 100))
            assert [folder.name.startswith("fcr-") for folder in tmp_path.iterdir()] == [True]
            # Already nothing has a name any more: even a process that is killed leaves an empty folder.
            assert not list(tmp_path.glob("*/*"))
            found = some.frame("tickets", schema=SCHEMA)
            if fails:
                raise DataError("the next file is broken")
    except DataError:
        assert fails
    assert not list(tmp_path.iterdir())
    assert found.equals(numbered(0, 2_000))
    if open_before:
        assert len(os.listdir("/proc/self/fd")) <= open_before


def told(progress: Progress, records: int) -> str:
    lines: list[str] = []
    progress.say = lines.append
    progress.tell(records)
    return " ".join(lines)


def test_progress_says_how_much_how_fast_and_how_long_still():
    progress = Progress(None, bytes_there=3_000_000_000, every=0.0)
    progress.began -= 10
    progress.done(500_000_000)
    progress.passed(250_000_000)
    assert told(progress, 40_000).startswith("750 MB of 3.00 GB read, 40,000 records, 4,000 a second, about 30 s left")
    progress.began -= 190
    assert told(progress, 40_000).endswith("200 a second, about 10 min left")


def test_progress_keeps_silent_between_two_lines_and_promises_nothing_at_the_end():
    progress = Progress(None, bytes_there=100, every=60.0)
    assert told(progress, 5) == ""
    progress.every = 0.0
    progress.done(100)
    assert "left" not in told(progress, 5)
