"""Does `fcr check` tell a person, a pipe and a machine the same?"""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from fcrlib.cli import checks
from fcrlib.intake.demo import invent
from fcrlib.intake.redact import redact

Run = Callable[..., tuple[int, str, str]]
HEADINGS = ("What came in", "How much is known", "Time", "Which slices bear a rate", "Labels", "The helpdesk's own figures beside ours", "Questions", "Notebooks")  # fmt: skip


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return redact(invent(contacts=600)).save(tmp_path_factory.mktemp("demo") / "desk")


@pytest.fixture(scope="module")
def nameless(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A desk that knows nobody, one of whose labels tries to be markup."""
    whole = redact(invent(contacts=600))
    label = pl.when(pl.int_range(pl.len()) < 60).then(pl.lit("[red]Billing")).when(pl.int_range(pl.len()) < 90).then(pl.lit("[red]billing")).otherwise("category")  # fmt: skip
    contacts = whole.contacts.with_columns(customer_ref=pl.lit(None, pl.String), category=label)
    manifest = whole.manifest.model_copy(update={"capabilities": whole.manifest.capabilities - {"has_customer", "has_retention"}})
    bare = replace(whole, manifest=manifest, contacts=contacts, identifiers=whole.identifiers.clear(), customers=whole.customers.clear())
    return bare.save(tmp_path_factory.mktemp("bare") / "desk")


def test_the_verdict_is_the_first_line_and_every_section_follows(fcr: Run, desk: Path) -> None:
    code, out, _ = fcr("check", str(desk))
    lines = out.splitlines()
    assert code == 0
    assert lines[0].startswith(("Fit: ", "Fit with care: "))
    assert [line for line in lines if line in HEADINGS] == list(HEADINGS)


def test_a_pipe_gets_plain_lines_without_colours(fcr: Run, desk: Path) -> None:
    _, out, _ = fcr("check", str(desk))
    assert "\x1b" not in out
    assert all(line.startswith("  ") for line in out.splitlines()[2:] if line and line not in (*HEADINGS, "What looks wrong"))


def test_the_folder_may_be_named_either_way_and_not_both(fcr: Run, desk: Path) -> None:
    assert fcr("check", str(desk)) == fcr("check", "--desk", str(desk))
    code, _, err = fcr("check", str(desk), "--desk", str(desk))
    assert code == 2
    assert "twice" in err


def test_a_desk_that_knows_nobody_is_not_fit_and_ends_with_3(fcr: Run, nameless: Path) -> None:
    code, out, err = fcr("check", str(nameless))
    assert (code, err) == (checks.NOT_FIT, "")
    assert out.startswith("Not fit: ")
    assert "'[red]Billing'" in out
    assert "When customers come back (no customers)" in out


def test_a_machine_gets_everything_as_json(fcr: Run, desk: Path, nameless: Path) -> None:
    code, out, _ = fcr("check", str(desk), "--json")
    told: dict[str, Any] = json.loads(out)
    assert code == 0
    assert told["verdict"] in ("fit", "fit with care")
    assert {"shares", "clock", "depth", "newest", "slices", "labels", "reconciled", "questions", "checks", "notebooks", "left_out"} <= set(told)
    assert [row["figure"] for row in told["reconciled"]][:3] == ["reopens", "replies", "stations"]
    code, out, _ = fcr("check", str(nameless), "--json")
    assert (code, json.loads(out)["verdict"]) == (3, "not fit")


def test_a_period_is_looked_at_alone(fcr: Run, desk: Path) -> None:
    whole, part = (json.loads(fcr("check", str(desk), "--json", *more)[1]) for more in ((), ("--period", "2026Q3")))
    assert part["shares"][0]["n"] < whole["shares"][0]["n"]
    assert part["depth"][0]["before"] > whole["depth"][0]["before"] == 0


def test_no_desk_is_3_and_says_how_to_make_one(fcr: Run) -> None:
    code, _, err = fcr("check", "nowhere")
    assert code == 3
    assert "fcr demo" in err


class Terminal(io.StringIO):
    """A narrow terminal."""

    def isatty(self) -> bool:
        return True


def test_a_terminal_gets_columns_that_keep_to_its_width_and_labels_stay_text(monkeypatch: pytest.MonkeyPatch) -> None:
    screen = Terminal()
    monkeypatch.setattr("sys.stdout", screen)
    monkeypatch.setenv("COLUMNS", "60")
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.delenv("NO_COLOR", raising=False)
    checks._print("Fit: all", "fit", [("Labels", [("alike", "'[red]Billing' and " + "a long label " * 20)])])
    shown = screen.getvalue()
    assert "[red]Billing" in shown
    assert "\x1b[" in shown
    assert max(len(line) for line in pl.Series(shown.splitlines()).str.replace_all(r"\x1b\[[0-9;]*m", "")) <= 60
