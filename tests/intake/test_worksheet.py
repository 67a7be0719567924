"""Does a worksheet survive the spreadsheet it is filled in with, and are mistakes told with their rows?"""

from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest

from fcrlib.intake.tables.worksheet import has_marks, opened, read, read_all, write
from fcrlib.model.errors import DataError, UsageError

KNOWN = pl.Series(["007 after 001", "=9 after 8", "012 after 010"])
SHEET = pl.DataFrame(
    {
        "pair": KNOWN,
        "text": ["=HYPERLINK(0)\nhello\tyou\u202e", "x" * 900, "\x1b[31m-5 today"],
        "same_issue": [None] * 3,
        "note": [None] * 3,
        "drawn": ["mine 1a; seed 0"] * 3,
    },
    schema_overrides={"same_issue": pl.String, "note": pl.String},
)


@pytest.fixture
def sheet(tmp_path: Path) -> Path:
    return write(SHEET, tmp_path / "sheet.csv", key="pair", blank=["same_issue", "note"])


def back(file: Path) -> pl.DataFrame:
    return read(file, key="pair", answer="same_issue", known=KNOWN, stamp=("drawn", "mine 1a"), purpose="mine", needs=["note"])


def filled(file: Path, *answers: str, separator: str = ",", encoding: str = "utf-8-sig") -> Path:
    frame = pl.read_csv(file, infer_schema=False).with_columns(same_issue=pl.Series(answers))
    file.write_bytes(frame.write_csv(separator=separator).encode(encoding))
    return file


def test_no_cell_can_run_as_a_formula_or_move_the_cursor(sheet: Path) -> None:
    data = sheet.read_bytes()
    assert data.startswith(b"\xef\xbb\xbf")
    texts = pl.read_csv(sheet, infer_schema=False)["text"].to_list()
    assert texts[0] == "'=HYPERLINK(0) hello you"
    assert len(texts[1]) == 400
    assert texts[2] == "[31m-5 today"
    assert not any(ord(letter) < 32 for text in texts for letter in text)


@pytest.mark.parametrize("separator", [",", ";", "\t"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp1252", "utf-16"])
def test_what_spreadsheets_do_is_forgiven(sheet: Path, separator: str, encoding: str) -> None:
    rows = back(filled(sheet, " Ja ", "N", "", separator=separator, encoding=encoding))
    assert rows["pair"].to_list() == KNOWN.to_list()
    assert rows["same_issue"].to_list() == ["yes", "no", None]


def test_moved_renamed_and_added_columns_and_empty_rows_do_no_harm(sheet: Path) -> None:
    frame = pl.read_csv(filled(sheet, "TRUE", "?", "0"), infer_schema=False)
    moved = frame.select("drawn", "note", pl.col("same_issue").alias(" Same Issue "), "pair", mine=pl.lit("kept"))
    sheet.write_text(moved.write_csv() + ",,,,\n,,,,\n", encoding="utf-8")
    rows = back(sheet)
    assert rows["same_issue"].to_list() == ["yes", "unsure", "no"]
    assert rows["mine"].to_list() == ["kept"] * 3


def test_every_mistake_is_told_at_once_with_its_row(sheet: Path) -> None:
    frame = pl.read_csv(filled(sheet, "perhaps so", "yes", "no"), infer_schema=False)
    again = frame[2].with_columns(same_issue=pl.lit("yes"))
    odd = frame[1].with_columns(pair=pl.lit("99 after 98"))
    nameless = frame[1].with_columns(pair=pl.lit(None, pl.String))
    pl.concat([frame, again, odd, nameless]).write_csv(sheet)
    with pytest.raises(DataError) as told:
        back(sheet)
    assert told.value.problems == (
        "row 7: has an answer but no pair",
        "row 6: '99 after 98' there is no such pair",
        "row 2: 'perhaps so' is no answer; write yes or no or unsure",
        "row 4: '012 after 010' carries two different answers",
        "row 5: '012 after 010' carries two different answers",
    )


def test_a_row_copied_with_the_same_answer_or_none_counts_once(sheet: Path) -> None:
    frame = pl.read_csv(filled(sheet, "", "yes", "no"), infer_schema=False)
    pl.concat([frame, frame[1], frame[0].with_columns(same_issue=pl.lit("yes"))]).write_csv(sheet)
    assert sorted(back(sheet).select("pair", "same_issue").rows()) == sorted(zip(KNOWN, ["yes", "yes", "no"], strict=True))


def test_a_worksheet_without_answers_or_columns_or_of_another_rule_is_refused(sheet: Path) -> None:
    with pytest.raises(DataError, match="nothing is filled in"):
        back(sheet)
    with pytest.raises(UsageError, match="not made for other: row 2 says 'mine 1a; seed 0'"):
        read(filled(sheet, "yes", "", ""), key="pair", answer="same_issue", known=KNOWN, stamp=("drawn", "other 2b"), purpose="other")
    pl.read_csv(sheet, infer_schema=False).drop("pair", "drawn").write_csv(sheet)
    with pytest.raises(DataError, match="the columns pair, drawn are gone"):
        back(sheet)


def test_a_file_with_marks_is_told_from_an_empty_worksheet(sheet: Path, tmp_path: Path) -> None:
    assert not has_marks(sheet, blank=["same_issue", "note"])
    assert has_marks(filled(sheet, "", "x", ""), blank=["same_issue", "note"])
    other = tmp_path / "thesis.txt"
    other.write_text("years of work\n1\n")
    assert has_marks(other, blank=["same_issue", "note"])


def test_among_many_answers_the_nearest_is_named_and_further_columns_are_read_too(sheet: Path) -> None:
    ways = {name: (name.replace("-", " "),) for name in ("wrong-routing", "no-owner", "old-article", "a-fault", "too-late", "no-rights", "other")}
    frame = pl.read_csv(filled(sheet, "Wrong routing", "old-artikel", "?!"), infer_schema=False)
    sheet.write_text(frame.with_columns(second=pl.Series(["A FAULT", None, "no-oner"])).write_csv(), encoding="utf-8")
    given = {
        "key": "pair",
        "answer": "same_issue",
        "known": KNOWN,
        "stamp": ("drawn", "mine 1a"),
        "purpose": "mine",
        "answers": ways,
        "also": ("second", "third"),
    }
    with pytest.raises(DataError) as told:
        read(sheet, **given)
    assert told.value.problems == (
        "row 3: 'old-artikel' is no answer; did you mean old-article?",
        "row 4: '?!' is no answer",
        "row 4: 'no-oner' is no answer; did you mean no-owner?",
    )
    sheet.write_text(frame.head(1).with_columns(second=pl.lit("A FAULT")).write_csv(), encoding="utf-8")
    assert read(sheet, **given).select("same_issue", "second").row(0) == ("wrong-routing", "a-fault")


def test_mistakes_of_several_worksheets_are_told_together(sheet: Path, tmp_path: Path) -> None:
    empty = write(SHEET, tmp_path / "empty.csv", key="pair", blank=["same_issue", "note"])
    good = filled(write(SHEET, tmp_path / "good.csv", key="pair", blank=["same_issue", "note"]), "yes", "no", "no")
    assert [frame.height for frame in read_all([good, good], back)] == [3, 3]
    with pytest.raises(DataError, match=r"empty.csv has 1 mistake"):
        read_all([good, empty], back)
    with pytest.raises(DataError) as told:
        read_all([filled(sheet, "perhaps", "no", "no"), good, empty], back)
    assert told.value.what == "2 of 3 worksheets cannot be taken:"
    assert [problem.split(" has ")[1] for problem in told.value.problems] == [
        "1 mistake: row 2: 'perhaps' is no answer; write yes or no or unsure",
        "1 mistake: nothing is filled in: the column same_issue is empty",
    ]


def test_an_opened_worksheet_is_bare_text(sheet: Path) -> None:
    frame = opened(filled(sheet, " Yes ", "", ""))
    assert frame["text"][0] == "=HYPERLINK(0) hello you"
    assert frame["same_issue"].to_list() == ["Yes", None, None]
