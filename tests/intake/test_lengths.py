"""Does a long table say what it would say if it were short?"""

import csv
import io
from collections.abc import Iterable

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fcrlib.intake.tables import files, lengths
from fcrlib.model.errors import DataError

FIELDS = st.text(alphabet=st.sampled_from("ab 1,;\"'\n\r\tßé漢"), max_size=6)


def written(rows: Iterable[Iterable[str]], *, end: str = "\r\n") -> bytes:
    text = io.StringIO()
    csv.writer(text, lineterminator=end).writerows(rows)
    return text.getvalue().encode()


def both(data: bytes, *, short: int = 8) -> tuple[pl.DataFrame, list[str]]:
    """Rows and places, read length by length; they must be those of the table read at once."""
    found = list(lengths.tables("t.csv", io.BytesIO(data), short=short))
    frame, places = pl.concat([one.frame for one in found]), [row for one in found for row in one.rows]
    whole = files.opened_table("t.csv", data)
    assert frame.equals(whole.frame)
    assert places == whole.rows.to_list()
    assert [note for one in found for note in one.notes] == list(whole.notes)
    return frame, places


@given(st.lists(st.tuples(FIELDS, FIELDS), min_size=1, max_size=12), st.sampled_from(["\n", "\r\n"]))
@settings(deadline=None)
def test_any_table_is_the_same_in_lengths(rows: list[tuple[str, str]], end: str) -> None:
    both(written([("id", "text"), ("1", "first"), *((f"x{one}", other) for one, other in rows)], end=end))


def test_rows_of_later_lengths_have_their_own_number(monkeypatch):
    monkeypatch.setattr(lengths, "_ROWS", 10)
    data = written([("id", "text"), *((number, "why\nso") for number in range(95))])
    frame, places = both(data)
    assert frame["id"].to_list() == [str(number) for number in range(95)]
    assert places[-1] == "96"


def test_a_header_that_comes_again_and_blank_rows_are_passed_over():
    data = written([("id", "text"), ("1", "a"), ("id", "text"), ("", ""), ("2", "b")])
    assert both(data)[1] == ["2", "5"]


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "cp1252"])
def test_a_table_in_another_encoding_is_read(encoding):
    data = written([("id", "text"), *((number, "plain") for number in range(50)), ("50", "Grüße"), ("51", "naïve")])
    assert both(data.decode().encode(encoding))[0]["text"][-1] == "naïve"


def test_the_line_that_names_the_delimiter_is_no_header():
    assert both(b"sep=|\nid|text\n1|a, b; c\n")[0].row(0) == ("1", "a, b; c")


def test_names_are_put_above_a_table_that_has_none():
    found = list(lengths.tables("t.csv", io.BytesIO(b"1,a\n2,b\n3,c\n"), above=b"id,text\n", short=4))
    assert pl.concat([one.frame for one in found]).rows() == [("1", "a"), ("2", "b"), ("3", "c")]


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"id,text\n" + b"1,a\n" * 20 + b"2,b,c\n", "row 22 has 3 fields, the header has 2"),
        (b"id,text,more\n" + b"1,a,b\n" * 20 + b"2,b", "the last row has 2 of 3 fields"),
        (b"id,text\n" + b"1,a\n" * 20 + b"2,\x00\n", "it holds NUL bytes"),
        (b"x" * 2**21, "its first line is longer"),
        (b"id,text\n" + "1,ü\n".encode() * 20 + b"2,\xfc\n", "with (1 )?broken bytes, the first in row 22"),
    ],
)
def test_what_is_wrong_is_named_by_its_row(data, said):
    with pytest.raises(DataError, match=said):
        list(lengths.tables("t.csv", io.BytesIO(data), short=8))


def test_a_table_of_another_form_is_read_at_once():
    parquet = io.BytesIO()
    pl.DataFrame({"id": range(1_000)}).write_parquet(parquet)
    assert next(iter(lengths.tables("t.parquet", io.BytesIO(parquet.getvalue()), short=8))).frame.height == 1_000
