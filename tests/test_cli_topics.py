"""Can topics be listed, named and their names kept from the terminal?"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

Run = Callable[..., tuple[int, str, str]]


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Path:
    from fcrlib.intake.demo import invent
    from fcrlib.intake.redact import redact

    return redact(invent(contacts=4000)).save(tmp_path_factory.mktemp("data") / "desk")


@pytest.fixture
def fcr(run_fcr: Run, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, desk: Path) -> Run:
    """Run `fcr` in an empty folder whose settings name the desk: exit code, stdout, stderr."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "fcr.toml").write_text(f'desk = "{desk}"\ntopic_names = "topics.toml"\n')
    return run_fcr


def test_a_name_is_shown_from_then_on_and_carried_to_the_next_period(fcr: Run, tmp_path: Path) -> None:
    code, out, _ = fcr("topics", "list", "2026Q2")
    assert code == 0
    marks = [line.split()[0] for line in out.splitlines()]
    assert len(marks) == len(set(marks)) > 5
    for place, mark in enumerate(marks[:5]):
        assert fcr("topics", "name", mark, f"Our topic {place}")[0] == 0
    assert "Our topic 0  (analyst)" in fcr("topics", "list", "2026Q2")[1]
    later = fcr("topics", "list", "2026Q3")[1]
    carried = [line for line in later.splitlines() if line.endswith("(carried)")]
    assert carried
    code, _, err = fcr("topics", "keep", "2026Q3")
    assert code == 0
    assert f"{len(carried)} of 5 names were carried over to 2026Q3" in err
    kept = fcr("topics", "list", "2026Q3")[1]
    assert len([line for line in kept.splitlines() if line.endswith("(analyst)")]) == len(carried)
    assert (tmp_path / "topics.toml").read_text().count("[[topic]]") == 5 + len(carried)


def test_without_a_file_for_names_it_is_said_what_to_write(fcr: Run, tmp_path: Path, desk: Path) -> None:
    (tmp_path / "fcr.toml").write_text(f'desk = "{desk}"\n')
    code, _, err = fcr("topics", "name", "abc", "A name")
    assert code == 2
    assert 'topic_names = "topics.toml"' in err


def test_a_name_that_cannot_be_one_is_refused(fcr: Run) -> None:
    code, _, err = fcr("topics", "name", "abc", "x" * 200)
    assert code == 2
    assert "cannot be kept" in err
