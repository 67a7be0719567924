"""Does the command tell a user's mistake in a sentence, with its exit code, and leave nothing half-written?"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from fcrlib import __version__

Run = Callable[..., tuple[int, str, str]]


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Path:
    from fcrlib.intake.demo import invent
    from fcrlib.intake.redact import redact

    return redact(invent(contacts=600)).save(tmp_path_factory.mktemp("demo") / "desk")


def test_version_and_help(fcr: Run) -> None:
    assert fcr("--version") == (0, f"{__version__}\n", "")
    code, out, _ = fcr("-h")
    assert code == 0
    assert "report" in out


def test_the_demo_desk_is_written_and_checked(fcr: Run, tmp_path: Path) -> None:
    code, out, err = fcr("demo", "--contacts", "300", "--to", "desk")
    assert code == 0
    assert "contacts" in out
    assert "inventing" in err
    code, out, _ = fcr("check", "--desk", "desk")
    assert code == 0
    assert "Do customers agree that it was resolved?" in out
    assert "weakens" in out or "fit  " in out


def test_a_missing_desk_is_3_and_says_how_to_make_one(fcr: Run) -> None:
    code, _, err = fcr("report", "run", "2026Q3", "--desk", "nowhere")
    assert code == 3
    assert "fcr demo" in err


def test_a_period_outside_the_data_is_3_and_tells_the_span(fcr: Run, desk: Path, tmp_path: Path) -> None:
    code, _, err = fcr("report", "run", "2019Q1", "--desk", str(desk), "--out", "reports")
    assert code == 3
    assert "2025-07-01" in err
    assert not list(tmp_path.glob("reports/2019Q1"))


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("report", "run", "2026Q7"), "2026Q7"),
        (("report", "run", "2026Q3", "--policy", "costumer"), "customer_7d"),
        (("report", "run", "2026Q3", "-p", "window"), "name=value"),
        (("policy", "show", "costumer"), "known policies"),
        (("report", "open"), "none yet"),
        (("import", "csv", "x.csv"), "--data-end"),
        (("import", "servicenow", "x.csv", "--data-end", "tomorrow"), "is not an instant"),
        (("import", "servicenow", "x.csv", "--data-end", "2026-01-01T00:00:00"), "no time zone"),
    ],
)
def test_wrong_usage_is_2_and_one_sentence(fcr: Run, desk: Path, tmp_path: Path, words: tuple[str, ...], said: str) -> None:
    (tmp_path / "x.csv").write_text("ticket_id,created_at\n1,2026-01-25 10:00\n2,2026-01-26 10:00\n")
    extra = ("--desk", str(desk)) if words[:2] == ("report", "run") else ()
    code, out, err = fcr(*words, *extra)
    assert (code, out) == (2, "")
    assert said in err


def test_an_unknown_notebook_parameter_is_2_and_runs_nothing(fcr: Run, desk: Path, tmp_path: Path) -> None:
    code, _, err = fcr("report", "run", "2026Q3", "--desk", str(desk), "-p", "polcy=strict", "--out", "reports")
    assert code == 2
    assert "polcy" in err
    assert "policy" in err
    assert not list(tmp_path.glob("reports/2026Q3"))


def test_settings_with_three_mistakes_are_2_and_three_lines(fcr: Run, tmp_path: Path) -> None:
    (tmp_path / "fcr.toml").write_text('organization = "x"\ntime_zone = "Mars"\npolicy = "costumer"\n')
    code, _, err = fcr("report", "run")
    assert code == 2
    assert err.count("\n  - ") == 3


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (None, "missing.csv"),
        ("", "empty"),
        ("colour,size\nred,1\n", "id"),
        ("ticket_id,created_at,requester_id\n1,2026-01-25 10:00,a\n1,2026-01-26 10:00,b\n2,2026-01-26 10:00,b\n", "ticket_id"),
        ("ticket_id,created_at\n" + "".join(f"{n},2026-01-{n:02} 10:00\n" for n in range(1, 29)) + "29,soon\n", "soon"),
    ],
)
def test_a_table_that_cannot_be_read_leaves_nothing_behind(fcr: Run, tmp_path: Path, content: str | None, said: str) -> None:
    file = tmp_path / ("missing.csv" if content is None else "contacts.csv")
    if content is not None:
        file.write_text(content)
    code, out, err = fcr("import", "csv", str(file), "--data-end", "2026-03-01T00:00:00Z", "--timezone", "UTC", "--to", "desk")
    assert code in (2, 3)
    assert out == ""
    assert said in err
    assert not (tmp_path / "desk").exists()


def test_a_table_becomes_a_desk_by_its_own_guess(fcr: Run, tmp_path: Path) -> None:
    rows = "\n".join(f"{n},2026-01-{n % 27 + 1:02} 10:00,2026-01-{n % 27 + 1:02} 12:00,c{n % 7},billing,email" for n in range(1, 60))
    (tmp_path / "contacts.csv").write_text(f"ticket_id,created_at,solved_at,requester_id,category,channel\n{rows}\n")
    code, mapping, _ = fcr("import", "csv", "contacts.csv", "--guess")
    assert code == 0
    (tmp_path / "mapping.toml").write_text(mapping)
    code, out, _ = fcr("import", "csv", "contacts.csv", "--mapping", "mapping.toml", "--data-end", "2026-03-01T00:00:00Z", "--timezone", "UTC")
    assert code == 0
    assert "59 contacts" in out
    assert (tmp_path / "data" / "desk" / "manifest.json").exists()
