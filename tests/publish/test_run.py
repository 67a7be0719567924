"""A run publishes a whole report or nothing, says why, and goes on where it stopped."""

from __future__ import annotations

import json
import os
import re
import signal
import threading
from datetime import timedelta
from pathlib import Path

import pytest
from filelock import FileLock

from fcrlib.model.errors import DataError, UsageError
from fcrlib.model.period import Period
from fcrlib.model.settings import Settings
from fcrlib.publish.rebuild import build
from fcrlib.publish.shelf import damaged, index, last_before, listing

GIVEN = 'desk: str = "data/demo"  # folder of the desk\nperiod: str = "2026Q1"  # which period'


def pages(folder: Path) -> dict[str, bytes]:
    """Every file of a report, without the two places that tell when it ran."""
    files = {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and path.name not in ("run.json", "SHA256SUMS")
    }
    return {name: re.sub(rb'<p id="run-time">.*?</p>', b"", text) for name, text in files.items()}


@pytest.mark.slow
def test_two_runs_on_one_desk_give_the_same_bytes_and_tell_nothing_of_the_machine(write, shown, publish, tmp_path) -> None:
    write("10_fcr", *shown(0.714), "print(desk, period)", parameters=GIVEN, title="How often is the first contact enough?")
    first = publish(organisation="Example")
    assert (first.status, first.exit_code, first.findings, first.gates) == ("published", 0, 1, ())
    assert not (tmp_path / "reports" / ".staging" / "2026Q3").exists()
    before = pages(first.folder)
    assert set(before) >= {"report.html", "findings.json", "summary.md", "tables/by-channel.csv", "charts/by-channel.svg", "notebooks/10_fcr.html"}

    with pytest.raises(UsageError, match="exists already"):
        publish()
    again = publish(organisation="Example", replace="aside")
    assert again.status == "published"
    assert pages(again.folder) == before
    assert len(list((tmp_path / "reports" / ".old").iterdir())) == 1

    everything = b"".join(path.read_bytes() for path in first.folder.rglob("*") if path.is_file())
    assert str(tmp_path).encode() not in everything
    run = json.loads((first.folder / "run.json").read_text())
    assert run["parameters"] == {"10_fcr": {"period": "2026Q3"}}
    assert b"desk 2026Q3" in before["notebooks/10_fcr.html"]

    rebuilt = build("2026Q3", reports=tmp_path / "reports")
    assert rebuilt.status == "published"
    assert pages(rebuilt.folder) == before


@pytest.mark.slow
@pytest.mark.parametrize("name", ["a desk with spaces", "Übersicht «März» 日本", 'a "desk"', "a\\desk"])
def test_no_spelling_of_a_path_comes_through(write, publish, desk, tmp_path, name) -> None:
    write("10_fcr", "print(desk)", "desk", parameters=GIVEN)
    reports = tmp_path / name / "reports"
    (tmp_path / name).mkdir()
    ran = publish(desk=desk.rename(tmp_path / name / "desk"), reports=reports)
    assert ran.status == "published", ran.message
    everything = b"".join(path.read_bytes() for path in ran.folder.rglob("*") if path.is_file())
    assert tmp_path.name.encode() not in everything
    assert b'desk = "desk"' in everything.replace(b"\\", b"").replace(b"&#34;", b'"')


@pytest.mark.slow
def test_a_second_period_says_what_changed_and_the_index_lists_both(write, shown, publish, tmp_path) -> None:
    write("10_fcr", *shown(0.733))
    publish("2026Q2")
    write("10_fcr", *shown(0.714))
    publish("2026Q3")
    content = json.loads((tmp_path / "reports" / "2026Q3" / "findings.json").read_text())
    assert content["previous"] == "2026Q2"
    assert content["kpis"][0]["change"]["label"] == "down"
    assert content["findings"][-1]["evidence"] == {"notebook": "10_fcr", "cell": "c2"}
    assert [report.period for report in listing(tmp_path / "reports")] == ["2026Q3", "2026Q2"]
    assert "2026Q3/report.html" in (tmp_path / "reports" / "latest.html").read_text()
    assert "71.4" in (tmp_path / "reports" / "index.html").read_text()


@pytest.mark.parametrize("text", ["{", "[]", "{}", '{"schema": 9}', '{"schema": 1}', '{"schema": 1, "period": 3, "kpis": [], "findings": []}'])
def test_a_damaged_report_hinders_no_other(tmp_path, text) -> None:
    old = tmp_path / "2026Q2" / "findings.json"
    old.parent.mkdir()
    old.write_text(text)
    assert listing(tmp_path) == []
    assert len(damaged(tmp_path)) == 1
    assert str(old) in damaged(tmp_path)[0]
    assert last_before(tmp_path, Period.parse("2026Q3")) is None
    assert index(tmp_path).exists()


@pytest.mark.slow
def test_a_report_is_published_beside_a_damaged_one_and_says_so(write, publish, tmp_path) -> None:
    old = tmp_path / "reports" / "2026Q2" / "findings.json"
    old.parent.mkdir(parents=True)
    old.write_text('{"schema": 9}')
    write("10", "1")
    ran = publish()
    assert (ran.status, len(ran.notes)) == ("published", 1)
    assert "another version" in ran.notes[0]


def test_a_report_without_its_notebooks_is_not_built_again(tmp_path) -> None:
    chapters = [{"name": "10_fcr", "title": "?"}, {"name": "../../../20", "title": "?"}]
    (tmp_path / "20.ipynb").write_text("{}")
    (tmp_path / "2026Q3" / "evidence").mkdir(parents=True)
    (tmp_path / "2026Q3" / "evidence" / "10_fcr.ipynb").write_text("{}")
    (tmp_path / "2026Q3" / "findings.json").write_text(json.dumps({"schema": 1, "chapters": chapters}))
    with pytest.raises(UsageError, match="1 of 2 notebooks are not beside it"):
        build("2026Q3", reports=tmp_path)


def test_a_failed_notebook_publishes_nothing_and_what_was_done_is_kept(write, publish, tmp_path) -> None:
    write("10_good", "1")
    write("20_bad", "1", "raise KeyError('jo.doe@mail.example.com')")
    result = publish()
    assert (result.status, result.exit_code) == ("failed", 1)
    assert "20_bad at cell 'c1': KeyError" in result.message
    assert not (tmp_path / "reports" / "2026Q3").exists()
    note = (result.folder / "run.json").read_text()
    assert '"error": "KeyError"' in note
    assert "jo.doe" not in note

    write("20_bad", "1", "2")
    mended = publish()
    assert mended.status == "published"
    assert [(ran.name, ran.kept) for ran in mended.notebooks] == [("10_good", True), ("20_bad", False)]


@pytest.mark.slow
def test_fresh_keeps_nothing(write, publish) -> None:
    write("10_good", "1")
    write("20_bad", "1/0")
    publish()
    write("20_bad", "1")
    assert [ran.kept for ran in publish(mode="fresh").notebooks] == [False, False]


@pytest.mark.parametrize(("cell", "code"), [("import os; os.kill(os.getpid(), 9)", 138), ("import sys; sys.exit(0)", 1)])
def test_a_silent_end_is_no_success(write, publish, cell, code) -> None:
    write("10", cell, "1")
    assert publish().exit_code == code


def test_a_gate_keeps_a_leak_inside(write, publish, tmp_path) -> None:
    write("10", "print('write to canary-0a1b2c@northwind.example')")
    result = publish()
    assert (result.status, result.exit_code) == ("gated", 4)
    assert any("canaries" in gate for gate in result.gates)
    assert not (tmp_path / "reports" / "2026Q3").exists()
    assert "canary-0a1b2c" not in result.message


def test_one_run_at_a_time(write, publish, tmp_path) -> None:
    write("10", "1")
    (tmp_path / "reports").mkdir()
    with FileLock(tmp_path / "reports" / ".2026Q3.lock"):
        assert publish().exit_code == 75


def test_everything_wrong_is_found_before_anything_runs(write, publish, tmp_path) -> None:
    write("10", "1/0", parameters=GIVEN)
    with pytest.raises(UsageError, match="window_day"):
        publish(parameters={"window_day": 3})
    with pytest.raises(UsageError, match="not as a parameter"):
        publish(parameters={"desk": "x"})
    with pytest.raises(UsageError, match="no notebook matches"):
        publish(only="99*")
    with pytest.raises(UsageError, match="policy"):
        publish(policy="nonsense")
    with pytest.raises(DataError, match="not covered") as error:
        publish("2027Q1")
    assert "2026-04-01 to 2026-09-30" in str(error.value)
    with pytest.raises(DataError, match="no desk"):
        publish(desk=tmp_path / "nowhere")
    assert not (tmp_path / "reports" / ".staging").exists()


@pytest.mark.slow
def test_a_run_that_takes_too_long_says_so(write, publish) -> None:
    write("10", "import time; time.sleep(60)")
    result = publish(timeout=timedelta(seconds=2))
    assert (result.status, result.exit_code) == ("late", 124)


def test_only_some_notebooks_can_be_run(write, publish) -> None:
    write("10", "1")
    write("20", "1/0")
    assert [ran.name for ran in publish(only="1*").notebooks] == ["10"]


@pytest.mark.slow
def test_an_interrupted_run_goes_on_where_it_stopped(write, publish) -> None:
    write("10", "1")
    write("20", "import time; time.sleep(60)")
    timer = threading.Timer(4, os.kill, (os.getpid(), signal.SIGTERM))
    timer.start()
    result = publish()
    timer.cancel()
    assert (result.status, result.exit_code) == ("terminated", 143)
    assert [(ran.name, ran.status) for ran in result.notebooks] == [("10", "ok"), ("20", "interrupted")]
    write("20", "1")
    assert [ran.kept for ran in publish().notebooks] == [True, False]


def test_the_notebooks_read_the_settings_of_the_project_that_runs_them(write, shown, publish, tmp_path) -> None:
    project = tmp_path / "elsewhere"
    project.mkdir()
    (project / "fcr.toml").write_text('organisation = "Ours"\n[policies.house]\nwindow = "10d"\n', encoding="utf-8")
    house = 'Settings.find().definition(policy).window.days == 10 and Settings.find().organisation == "Ours"'
    check = f"from fcrlib.model.settings import Settings\nassert {house}"
    write("10_fcr", *shown(0.714), check, parameters=GIVEN + '\npolicy: str = "customer_7d"  # which definition')
    settings = Settings.read(project / "fcr.toml")
    ran = publish(settings=settings.file, policy=settings.definition("house"))
    assert ran.status == "published"
