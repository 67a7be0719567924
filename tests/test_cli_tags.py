"""Can a person draw a sample, fill it in, read it back, and trace a contact, from the terminal?"""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import polars as pl
import pytest

Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def fcr(run_fcr: Run, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, desk: Path) -> Run:
    """Run `fcr` in an empty folder whose settings name the desk: exit code, stdout, stderr."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "fcr.toml").write_text(f'desk = "{desk}"\n[policies.words]\nsame_issue = "text"\nsimilarity = 0.2\n')
    return run_fcr


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Path:
    from fcrlib.intake.demo import invent
    from fcrlib.intake.redact import redact

    return redact(invent(contacts=2000)).save(tmp_path_factory.mktemp("data") / "desk")


def fill(file: Path, *answers: str) -> None:
    frame = pl.read_csv(file, infer_schema=False)
    said = [answers[row % len(answers)] for row in range(frame.height)]
    frame.with_columns(same_issue=pl.Series(said), tagger=pl.lit("kim")).write_csv(file, separator=";")


def test_a_sample_goes_out_and_its_precision_comes_back(fcr: Run, desk: Path, tmp_path: Path) -> None:
    code, out, err = fcr("tag", "export", "repeats")
    assert (code, out) == (0, "repeats-customer_7d.csv\n")
    assert "yes, no or unsure" in err
    assert "fcr tag import repeats-customer_7d.csv\n" in err
    file = tmp_path / "repeats-customer_7d.csv"
    assert pl.read_csv(file).height == 80
    fill(file, " Yes", "ja", "no", "?")
    code, out, err = fcr("tag", "import", file.name)
    assert code == 0
    assert "Of 60 repeats that people read and decided on, 40 are about the same issue; 20 they could not decide" in out
    kept = json.loads(next((desk.parent / "tags" / "desk").glob("repeats-*.json")).read_text())
    assert (kept["precision"]["n"], kept["marks"][0]["tagger"]) == (60, "kim")
    assert str(desk.parent / "tags" / "desk") in err


def test_work_in_a_worksheet_is_not_overwritten_unless_forced(fcr: Run, tmp_path: Path) -> None:
    assert fcr("tag", "export", "repeats", "--to", "sheet.csv")[0] == 0
    assert fcr("tag", "export", "repeats", "--to", "sheet.csv", "--seed", "1")[0] == 0
    fill(tmp_path / "sheet.csv", "yes", "")
    code, _, err = fcr("tag", "export", "repeats", "--to", "sheet.csv")
    assert code == 2
    assert "--force" in err
    assert fcr("tag", "export", "repeats", "--to", "sheet.csv", "--force")[0] == 0
    (tmp_path / "notes.txt").write_text("years of work")
    assert fcr("tag", "export", "repeats", "--to", "notes.txt")[0] == 2


def test_a_worksheet_of_another_definition_is_refused(fcr: Run, tmp_path: Path) -> None:
    assert fcr("tag", "export", "repeats", "--policy", "words", "--to", "words.csv")[0] == 0
    fill(tmp_path / "words.csv", "yes")
    code, _, err = fcr("tag", "import", "words.csv")
    assert code == 2
    assert "words.csv was not made for the definition customer_7d" in err
    code, out, _ = fcr("tag", "import", "words.csv", "--policy", "words")
    assert code == 0
    assert "of the words in common" in out


def test_mistakes_in_a_worksheet_are_told_with_their_rows_and_nothing_is_kept(fcr: Run, desk: Path, tmp_path: Path) -> None:
    assert fcr("tag", "export", "repeats", "--policy", "within_24h", "--to", "sheet.csv", "--n", "10")[0] == 0
    before = set((desk.parent / "tags").rglob("*"))
    fill(tmp_path / "sheet.csv", "perhaps so")
    code, _, err = fcr("tag", "import", "sheet.csv", "--policy", "within_24h")
    assert code == 3
    assert "row 2: 'perhaps so' is no answer; write yes or no or unsure" in err
    assert set((desk.parent / "tags").rglob("*")) == before


def test_a_period_and_too_few_repeats_are_said(fcr: Run) -> None:
    code, _, err = fcr("tag", "export", "repeats", "--period", "2026-09-01..2026-09-10", "--n", "500", "--to", "few.csv")
    assert code == 0
    assert "the interval will be wide" in err
    assert fcr("tag", "export", "repeats", "--n", "9")[0] == 2
    assert fcr("tag", "export", "repeats", "--policy", "zoho")[0] == 3


def fill_failures(file: Path, *, who: str, separator: str = ",", encoding: str = "utf-8-sig", wrong: int = 0) -> None:
    """Everybody calls everything the same, but for the first contacts by number."""
    frame = pl.read_csv(file, infer_schema=False)
    odd = frame["contact"].rank("ordinal") <= wrong
    said = frame.with_columns(mode=pl.when(odd).then(pl.lit("knowledge-gap")).otherwise(pl.lit("a fault in the product")), tagger=pl.lit(who))
    file.write_bytes(said.write_csv(separator=separator).encode(encoding))


def test_failures_go_out_to_two_people_and_their_agreement_comes_back(fcr: Run, desk: Path, tmp_path: Path) -> None:
    code, out, err = fcr("tag", "export", "failures", "2026Q3")
    assert (code, out) == (0, "failures-a.csv\nfailures-b.csv\nfailures-modes.csv\n")
    assert "fcr tag import failures-a.csv failures-b.csv\n" in err
    assert "the same contacts in another order" in err
    a, b = (pl.read_csv(tmp_path / f"failures-{letter}.csv", infer_schema=False) for letter in "ab")
    assert a["contact"].to_list() != b["contact"].to_list()
    assert a.sort("contact").equals(b.sort("contact"))
    fill_failures(tmp_path / "failures-a.csv", who="Ann")
    fill_failures(tmp_path / "failures-b.csv", who="Björn", separator=";", encoding="cp1252", wrong=4)
    code, out, err = fcr("tag", "import", "failures-a.csv", "failures-b.csv", "failures-modes.csv")
    assert code == 0
    assert f"2 people have read {a.height} contacts, drawn from " in out
    assert f"Ann and Björn call {100 * (a.height - 4) / a.height:.0f} %" in out
    assert "They dispute 4; these are left out" in out
    assert "a fault in the product" in out
    assert "The rules count too few: a fault in the product" in out
    assert "fcr tag export failures --disputed" in err
    (kept,) = (desk.parent / "tags" / "desk").glob("failures-*.json")
    assert str(kept) in err

    code, out, err = fcr("tag", "export", "failures", "--disputed")
    assert (code, out) == (0, "failures-disputed.csv\nfailures-disputed-modes.csv\n")
    assert "fcr tag import failures-disputed.csv --settle" in err
    assert pl.read_csv(tmp_path / "failures-disputed.csv").height == 4
    fill_failures(tmp_path / "failures-disputed.csv", who="Cyd")
    code, out, _ = fcr("tag", "import", "failures-disputed.csv", "--settle")
    assert code == 0
    assert "They dispute" not in out
    code, _, err = fcr("tag", "export", "failures", "--disputed", "--force")
    assert code == 2
    assert "nothing is disputed" in err
    kept.unlink()


def test_one_person_gets_one_worksheet_and_nobodys_work_is_overwritten(fcr: Run, tmp_path: Path) -> None:
    code, out, _ = fcr("tag", "export", "failures", "2026Q3", "--taggers", "1", "--to", "read/us.csv")
    assert (code, out) == (0, "read/us.csv\nread/us-modes.csv\n")
    fill_failures(tmp_path / "read" / "us.csv", who="Ann")
    code, _, err = fcr("tag", "export", "failures", "2026Q3", "--taggers", "1", "--to", "read/us.csv")
    assert code == 2
    assert "--force" in err
    (tmp_path / "mine-modes.csv").write_text("years,of\nwork,1\n")
    code, _, err = fcr("tag", "export", "failures", "2026Q3", "--to", "mine.csv")
    assert code == 2
    assert "mine-modes.csv holds something else" in err
    assert not (tmp_path / "mine-a.csv").exists()


def test_mistakes_in_two_worksheets_are_told_together_and_nothing_is_kept(fcr: Run, desk: Path, tmp_path: Path) -> None:
    assert fcr("tag", "export", "failures", "2026Q3", "--to", "sheet.csv")[0] == 0
    for letter in "ab":
        file = tmp_path / f"sheet-{letter}.csv"
        frame = pl.read_csv(file, infer_schema=False)
        frame.with_columns(mode=pl.lit(f"wrong-routing{letter}{letter}"), tagger=pl.lit(letter)).head(1).write_csv(file)
    code, out, err = fcr("tag", "import", "sheet-a.csv", "sheet-b.csv")
    assert (code, out) == (3, "")
    for letter in "ab":
        assert f"sheet-{letter}.csv has 1 mistake: row 2: 'wrong-routing{letter}{letter}' is no answer; did you mean wrong-routing?" in err
    assert not list((desk.parent / "tags" / "desk").glob("failures-*.json"))


def test_files_that_are_no_worksheets_or_of_two_kinds_are_2(fcr: Run, tmp_path: Path) -> None:
    assert fcr("tag", "export", "failures", "2026Q3", "--to", "why.csv")[0] == 0
    assert fcr("tag", "export", "repeats", "--to", "again.csv")[0] == 0
    (tmp_path / "too.csv").write_bytes((tmp_path / "again.csv").read_bytes())
    (tmp_path / "other.csv").write_text("a,b\n1,2\n3,4\n")
    for files, said in [
        (("other.csv",), "other.csv is no worksheet"),
        (("why-modes.csv",), "why-modes.csv is no worksheet"),
        (("why-a.csv", "again.csv"), "different worksheets"),
        (("again.csv", "too.csv"), "one at a time"),
        (("again.csv", "--settle"), "--settle is for worksheets of failures"),
        (("why-a.csv", "--settle"), "nothing is filled in"),
    ]:
        code, _, err = fcr("tag", "import", *files)
        assert code == (3 if "filled" in said else 2)
        assert said in err
    assert fcr("tag", "import", "missing.csv")[0] == 3
    assert fcr("tag", "export", "failures", "--n", "20")[0] == 2
    assert fcr("tag", "export", "failures", "--disputed")[0] == 2


def test_a_projects_own_ways_of_failing_are_those_to_choose_from(fcr: Run, desk: Path, tmp_path: Path) -> None:
    (tmp_path / "own.toml").write_text(
        'version = 3\n[[mode]]\nslug = "too-slow"\nname = "too slow"\nmeaning = "It took too long."\nbone = "process"\n'
        '[[mode.trace]]\nname = "unowned_hours"\nat_least = 5\nconfidence = 0.8\n'
    )
    (tmp_path / "fcr.toml").write_text(f'desk = "{desk}"\ntaxonomy = "own.toml"\n')
    assert fcr("tag", "export", "failures", "2026Q3", "--taggers", "1")[0] == 0
    assert pl.read_csv(tmp_path / "failures-modes.csv")["mode"].to_list() == ["too-slow", "unexplained", "unsure"]
    frame = pl.read_csv(tmp_path / "failures.csv", infer_schema=False)
    assert frame["stratum"].n_unique() == 2
    frame.with_columns(mode=pl.lit("Too slow"), tagger=pl.lit("Ann")).write_csv(tmp_path / "failures.csv")
    code, out, _ = fcr("tag", "import", "failures.csv")
    assert code == 0
    assert "Ann has read" in out
    next((desk.parent / "tags" / "desk").glob("failures-*.json")).unlink()


def test_a_contact_is_traced(fcr: Run) -> None:
    code, out, _ = fcr("trace", "000007")
    assert code == 0
    assert "start of the contact" in out
    assert out.rstrip().splitlines()[-1].startswith("Contact 000007 (")


def test_an_unknown_contact_is_2_and_names_near_ones(fcr: Run) -> None:
    code, _, err = fcr("trace", "77")
    assert code == 2
    assert "did you mean 000077" in err
    assert fcr("trace", "000007", "--source", "elsewhere")[0] == 2


def test_the_sentence_says_what_is_known_and_no_more(desk: Path) -> None:
    from fcrlib.judge.audit import calibrate, conclude, sample
    from fcrlib.model.period import Period
    from fcrlib.model.policy import Policy
    from fcrlib.show.telling import audit as audited
    from fcrlib.study import Study

    study = Study.open(desk, period="2026Q3")
    assert study.period == Period.parse("2026Q3")
    drawn = sample(study.desk, study.outcomes, policy=study.policy, n=40).with_row_index("row", offset=2)
    back = drawn.with_columns(pl.col("stratum_size").cast(pl.String))
    said = {
        word: conclude(back.with_columns(same_issue=pl.lit(word)), desk=study.desk, outcomes=study.outcomes, policy=study.policy)
        for word in ("yes", "unsure")
    }
    assert "fcr tag export repeats" in audited.checked(None, policy=study.policy)
    assert "no repeats to check" in audited.checked(None, policy=Policy(same_issue="none"))
    assert audited.caution(None, policy=Policy(same_issue="none")) == []
    assert audited.kinds(None) == []
    assert "that is 100.0 % (95 % interval" in audited.checked(said["yes"], policy=study.policy)
    assert "the interval is wide" in audited.checked(said["yes"], policy=study.policy)
    assert "could not decide on any of them" in audited.checked(said["unsure"], policy=study.policy)
    (kinds,) = audited.kinds(said["yes"])
    assert kinds.numbers["drawn"].sum() == 40
    assert set(kinds.numbers["kind"]) <= {
        f"{way} channel, {words}" for way in ("same", "switched") for words in ("worded alike", "worded apart", "no text")
    }
    assert "cannot show that 80 %" in audited.calibration(calibrate(said["unsure"].marks))
    assert "From 5 % of the words in common, 100.0 % of the repeats" in audited.calibration(calibrate(said["yes"].marks))
