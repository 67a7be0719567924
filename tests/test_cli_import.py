"""Does `fcr` write a desk in a helpdesk's dialect and read it back, and say what it needs?"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def fcr(run_fcr: Run, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Run:
    """Run `fcr` in an empty folder with a settings file of its own: exit code, stdout, stderr."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "fcr.toml").touch()
    return run_fcr


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
