"""Does `fcr report` do what it says on a shelf, tell whom it was asked to tell, and read the parameters as they were written?"""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import nbformat
import polars as pl
import pytest

from fcrlib.model.desk import Desk, Manifest

Run = Callable[..., tuple[int, str, str]]
TELL = 'echo "$FCR_STATUS $FCR_EXIT_CODE $FCR_PERIOD" > told.txt'


@pytest.fixture
def fcr(run_fcr: Run, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Run:
    """Run `fcr` in a project with a desk of one contact and one notebook that takes a number."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "fcr.toml").write_text('desk = "desk"\n')
    ends = {"data_start": datetime(2026, 4, 1, tzinfo=UTC), "data_end": datetime(2026, 9, 30, 23, tzinfo=UTC)}
    manifest = Manifest(source="t", reader="t", reader_version="1", redacted=True, **ends)
    contacts = {"source": ["t"], "contact_id": ["a"], "opened_at": [datetime(2026, 7, 1, tzinfo=UTC)], "status": ["solved"]}
    more = {"channel": ["email"], "initiated_by": ["customer"], "resolved_by": ["human"]}
    Desk.build(manifest, contacts=pl.DataFrame({**contacts, **more})).save(tmp_path / "desk")
    notebook(tmp_path, "print('days', days)")
    return run_fcr


def notebook(folder: Path, *cells: str) -> None:
    (folder / "notebooks").mkdir(exist_ok=True)
    taken = nbformat.v4.new_code_cell("days: int = 7  # days of silence", id="parameters", metadata={"tags": ["parameters"]})
    code = [nbformat.v4.new_code_cell(cell, id=f"c{place}") for place, cell in enumerate(cells)]
    book = nbformat.v4.new_notebook(cells=[nbformat.v4.new_markdown_cell("# What?", id="title"), taken, *code])
    book.metadata["kernelspec"] = {"name": "python3", "display_name": "Python 3", "language": "python"}
    nbformat.write(book, folder / "notebooks" / "10_fcr.ipynb")


def test_a_dry_run_says_what_would_run_and_writes_nothing(fcr: Run, tmp_path: Path) -> None:
    code, out, err = fcr("report", "run", "2026Q3", "--dry-run", "-p", "days=9", "--on-success", TELL)
    assert (code, err) == (0, "")
    assert "10_fcr: would run with days=9" in out
    assert not (tmp_path / "reports").exists()
    assert not (tmp_path / "told.txt").exists()
    code, _, err = fcr("report", "run", "2026Q3", "--dry-run", "-p", "day=9")
    assert code == 2
    assert "did you mean 'days'?" in err


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        ("p.yaml", "days: 007  # as long as James", "days=7"),
        ("p.toml", "days = 14", "days=14"),
        ("p.json", '{"days": 21}', "days=21"),
        ("p.yaml", "", "would run"),
    ],
)
def test_parameters_are_read_from_a_file(fcr: Run, tmp_path: Path, name: str, text: str, said: str) -> None:
    (tmp_path / name).write_text(text)
    code, out, err = fcr("report", "run", "2026Q3", "--dry-run", "-f", name)
    assert (code, err) == (0, "")
    assert said in out


def test_a_parameter_of_the_command_goes_before_the_file(fcr: Run, tmp_path: Path) -> None:
    (tmp_path / "p.yaml").write_text("days: 30\n")
    assert "days=3\n" in fcr("report", "run", "2026Q3", "--dry-run", "-f", "p.yaml", "-p", "days=3")[1]


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        ("p.yaml", "days: no", "is not a whole number"),
        ("p.yaml", "days: {", "cannot be read"),
        ("p.yaml", "- days", "holds no parameters"),
        ("p.ini", "days = 3", "ends in one of"),
        ("gone.yaml", None, "cannot be read"),
    ],
)
def test_a_file_of_parameters_that_is_wrong_is_2(fcr: Run, tmp_path: Path, name: str, text: str | None, said: str) -> None:
    if text is not None:
        (tmp_path / name).write_text(text)
    code, _, err = fcr("report", "run", "2026Q3", "--dry-run", "-f", name)
    assert code == 2
    assert said in err


def test_a_report_is_run_logged_told_checked_built_and_pruned(fcr: Run, tmp_path: Path) -> None:
    code, out, err = fcr("report", "run", "2026Q3", "-q", "--json", "--log-file", "logs/fcr.log", "-v", "--on-success", TELL)
    assert (code, err) == (0, "")
    assert json.loads(out)["status"] == "published"
    assert (tmp_path / "told.txt").read_text() == "published 0 2026Q3\n"
    log = (tmp_path / "logs" / "fcr.log").read_text()
    assert "10_fcr: cell 'c0' took" in log
    assert all(line[:2] == "20" and line[19] == "Z" for line in log.splitlines())
    run = json.loads((tmp_path / "reports" / "2026Q3" / "run.json").read_text())
    assert set(run["overhead"]) == {"start", "opening", "saving", "cells", "rendering", "share"}
    assert run["notebooks"][0]["slowest"]
    assert run["peak_memory_mb"] > 20
    contacts = next(file for file in run["files"] if file["name"] == "contacts.parquet")
    assert (contacts["rows"], contacts["first opened_at"]) == (1, "2026-07-01")

    assert fcr("report", "check", "2026Q3")[0] == 0
    assert fcr("report", "build", "2026Q3")[0] == 0
    assert fcr("report", "diff", "2026Q3", "2026Q3")[0] == 0
    assert fcr("report", "index")[0] == 0
    assert len(list((tmp_path / "reports" / ".old").iterdir())) == 1
    (tmp_path / "reports" / "2026Q3" / "summary.md").write_text("another hand")
    code, _, err = fcr("report", "check", "2026Q3")
    assert code == 4
    assert "summary.md: it was changed after it was published" in err
    code, out, _ = fcr("report", "prune", "--keep", "1")
    assert code == 0
    assert ".old" in out
    assert (tmp_path / "reports" / "2026Q3").exists()
    assert not list((tmp_path / "reports" / ".old").iterdir())


def test_a_failure_is_told_with_its_exit_code(fcr: Run, tmp_path: Path) -> None:
    notebook(tmp_path, "1/0")
    code, _, err = fcr("report", "run", "2026Q3", "-q", "--on-failure", TELL)
    assert code == 1
    assert "ZeroDivisionError" in err
    assert (tmp_path / "told.txt").read_text() == "failed 1 2026Q3\n"
    code, _, err = fcr("report", "run", "2019Q1", "-q", "--on-failure", f"{TELL}; exit 9")
    assert code == 3
    assert (tmp_path / "told.txt").read_text() == "refused 3 2019Q1\n"
    assert "ended with 9" in err


def test_a_run_that_publishes_nothing_is_told_as_json_too(fcr: Run, tmp_path: Path) -> None:
    code, out, err = fcr("report", "run", "2019Q1", "--json")
    told = json.loads(out)
    assert (code, told["status"], told["exit_code"], told["folder"]) == (3, "refused", 3, None)
    assert "not covered" in told["message"]
    assert "not covered" in err
    notebook(tmp_path, "1/0")
    code, out, _ = fcr("report", "run", "2026Q3", "-q", "--json")
    told = json.loads(out)
    assert (code, told["status"], told["notebooks"][0]["cell"]) == (1, "failed", "c0")
    assert "10_fcr at cell 'c0': ZeroDivisionError" in told["message"]


def test_a_pdf_that_cannot_be_printed_fails_nothing(fcr: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FCR_BROWSER", "no-such-browser")
    code, _, err = fcr("report", "run", "2026Q3", "--pdf")
    assert code == 0
    assert "no PDF: no browser was found; open report.html and print it" in err
    monkeypatch.setenv("FCR_BROWSER", "false")
    code, _, err = fcr("report", "run", "2026Q3", "--pdf", "--force")
    assert code == 0
    assert "the browser failed (exit code 1)" in err
    assert not (tmp_path / "reports" / "2026Q3" / "report.pdf").exists()


def test_a_notebook_tells_what_it_takes(fcr: Run) -> None:
    assert fcr("notebooks", "params", "10_fcr") == (0, "10_fcr\n  days: int = 7  # days of silence\n", "")
    assert fcr("notebooks", "list")[1] == "10_fcr\n"
    code, _, err = fcr("notebooks", "params", "20_more")
    assert code == 2
    assert "there are: 10_fcr" in err
