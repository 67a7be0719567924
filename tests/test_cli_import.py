"""Does `fcr` write a desk in a helpdesk's dialect and read it back, and say what it needs?"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

Run = Callable[..., tuple[int, str, str]]


def test_an_invented_export_is_imported(fcr: Run, tmp_path: Path) -> None:
    assert fcr("demo", "--as", "zendesk", "--contacts", "300", "--to", "export")[0] == 0
    code, out, err = fcr("import", "zendesk", "export", "--to", "desk")
    assert code == 0
    assert "contacts" in out
    assert "records read" in err
    assert (tmp_path / "desk" / "manifest.json").exists()


def test_a_broken_export_is_3_and_leaves_nothing(fcr: Run, tmp_path: Path) -> None:
    (tmp_path / "tickets.json").write_text('{"tickets": [{"id": 1', encoding="utf-8")
    code, _, err = fcr("import", "zendesk", "tickets.json", "--to", "desk")
    assert code == 3
    assert "tickets.json: row 1 is cut off" in err
    assert not (tmp_path / "desk").exists()


def test_a_choice_that_a_system_does_not_have_is_2(fcr: Run, tmp_path: Path) -> None:
    (tmp_path / "log.csv").write_text("number\n1\n", encoding="utf-8")
    code, _, err = fcr("import", "servicenow", "log.csv", "--bot", "Robo")
    assert code == 2
    assert "--bot" in err
    assert "--data-end is needed" in err


def test_an_unknown_dialect_is_2(fcr: Run) -> None:
    code, _, err = fcr("demo", "--as", "paper", "--contacts", "300")
    assert code == 2
    assert "zendesk" in err


@pytest.mark.parametrize(("system", "to"), [("csv", "table.csv"), ("csv", "table.csv/desk"), ("zendesk", "table.csv")])
def test_a_file_where_the_desk_should_go_is_2_and_said_before_anything_is_read(fcr: Run, tmp_path: Path, system: str, to: str) -> None:
    (tmp_path / "table.csv").write_text("nothing that could be read", encoding="utf-8")
    code, _, err = fcr("import", system, "table.csv", "--to", to)
    assert code == 2
    assert "table.csv is a file, name a folder" in err
    assert "read" not in err.replace("written", "")


def test_a_desk_that_is_there_outlives_an_import_that_fails(fcr: Run, tmp_path: Path) -> None:
    (tmp_path / "good.csv").write_text("id,created\n1,2026-01-02T10:00:00Z\n", encoding="utf-8")
    (tmp_path / "bad.csv").write_text("id,created\n1,\n", encoding="utf-8")
    assert fcr("import", "csv", "good.csv", "--data-end", "2026-02-01T00:00:00Z", "--to", "desk")[0] == 0
    before = {file.name: file.read_bytes() for file in (tmp_path / "desk").iterdir()}
    code, out, err = fcr("import", "csv", "bad.csv", "--data-end", "2026-02-01T00:00:00Z", "--to", "desk")
    assert (code, out) == (3, "")
    assert "none of 1 contacts has an opening time" in err
    assert {file.name: file.read_bytes() for file in (tmp_path / "desk").iterdir()} == before


def test_a_proposal_needs_a_query_and_says_so(fcr: Run) -> None:
    code, _, err = fcr("import", "sql", "--uri", "sqlite:///base.db", "--guess")
    assert code == 2
    assert "a query is needed" in err
