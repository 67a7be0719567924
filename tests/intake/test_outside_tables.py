"""What do plain tables hold that nobody here wrote?"""

import sqlite3
from datetime import UTC, datetime
from pathlib import Path

import polars as pl
import pytest

from fcrlib.intake import csv, sql
from fcrlib.model.desk import Desk
from fcrlib.model.errors import DataError

END = datetime(2026, 4, 30, tzinfo=UTC)
MAPPING = {
    "time_zone": "Europe/Berlin",
    "contacts": {"contact_id": "Ticket", "opened_at": "Opened", "resolved_at": "Solved", "customer_ref": "Customer", "status": "State"},
}
ROWS = pl.DataFrame(
    {
        "Ticket": ["007", "008", "009"],
        "Opened": ["2026-03-29 02:30", "2025-10-26 02:30", "2026-01-02 08:00"],
        "Solved": ["2026-03-29 04:00", "", "2026-01-02 09:00"],
        "Customer": ["c1", "", "c1"],
        "State": ["solved", "open", "solved"],
    }
)


def read(file: Path, text: str, **more: object) -> Desk:
    file.write_text(text, encoding="utf-8")
    return csv.read(file, mapping={**MAPPING, **more}, data_end=END)


def test_a_table_reads_the_same_from_every_kind_of_file_and_from_a_database(tmp_path):
    ROWS.write_csv(tmp_path / "t.csv", include_bom=True, line_terminator="\r\n")
    ROWS.write_csv(tmp_path / "t.tsv", separator="\t")
    ROWS.write_parquet(tmp_path / "t.parquet")
    ROWS.write_ndjson(tmp_path / "t.ndjson")
    base = sqlite3.connect(tmp_path / "t.db")
    with base:
        base.execute("CREATE TABLE t (Ticket TEXT, Opened TEXT, Solved TEXT, Customer TEXT, State TEXT)")
        base.executemany("INSERT INTO t VALUES (?, ?, ?, ?, ?)", ROWS.rows())
    base.close()
    plain = csv.read(tmp_path / "t.csv", mapping=MAPPING, data_end=END).contacts
    for kind in ("tsv", "parquet", "ndjson"):
        assert csv.read(tmp_path / f"t.{kind}", mapping=MAPPING, data_end=END).contacts.equals(plain), kind
    assert sql.read(f"sqlite:///{tmp_path}/t.db", query="SELECT * FROM t", mapping=MAPPING, data_end=END).contacts.equals(plain)
    assert plain["opened_at"].to_list()[:2] == [datetime(2026, 3, 29, 1, 30, tzinfo=UTC), datetime(2025, 10, 26, 0, 30, tzinfo=UTC)]


def test_seconds_and_milliseconds_may_stand_in_one_column(tmp_path):
    found = read(tmp_path / "t.csv", "Ticket,Opened,Solved,Customer,State\na,1772438400,,c,open\nb,1772438400000,,c,open\n")
    assert found.contacts["opened_at"].unique().to_list() == [datetime(2026, 3, 2, 8, tzinfo=UTC)]


def test_a_point_that_parts_thousands_before_a_decimal_comma_is_no_decimal_point(tmp_path):
    columns = {**MAPPING["contacts"], "handle_seconds": "Time", "cost": "Cost"}
    text = "Ticket;Opened;Solved;Customer;State;Time;Cost\na;2026-03-02 08:00;;c;open;1.234,5;1.000,00\nb;2026-03-02 08:00;;c;open;300;3,50\n"
    found = read(tmp_path / "t.csv", text, contacts=columns, constant={"currency": "EUR"})
    assert found.contacts.select("handle_seconds", "cost").rows() == [(1234.5, 1000.0), (300.0, 3.5)]


@pytest.mark.parametrize("number", ["1001.0", "1.0E+15"])
def test_ids_that_a_spreadsheet_made_decimals_of_are_refused_or_mended(tmp_path, number):
    try:
        found = read(tmp_path / "t.csv", f"Ticket,Opened,Solved,Customer,State\n{number},2026-03-02 08:00,,c,open\n")
    except DataError:
        return
    assert found.contacts["contact_id"].to_list() == ["1001"]


def test_a_customer_is_one_person_with_a_decimal_and_without(tmp_path):
    try:
        found = read(tmp_path / "t.csv", "Ticket,Opened,Solved,Customer,State\na,2026-03-02 08:00,,7.0,open\nb,2026-03-03 08:00,,7,open\n")
    except DataError:
        return
    assert found.contacts["customer_ref"].n_unique() == 1


def test_a_folder_of_monthly_files_that_overlap_is_one_table(tmp_path):
    ROWS[:2].write_csv(tmp_path / "2026-01.csv")
    ROWS[1:].write_csv(tmp_path / "2026-02.csv")
    assert csv.read(tmp_path, mapping=MAPPING, data_end=END).contacts["contact_id"].sort().to_list() == ["007", "008", "009"]


def test_a_header_that_stands_again_between_the_rows_is_passed_over(tmp_path):
    text = ROWS.write_csv().splitlines()
    assert read(tmp_path / "t.csv", "\n".join([text[0], text[1], text[0], text[2]])).contacts.height == 2


def test_ambiguous_dates_of_a_plain_table_are_refused_without_naming_an_option_that_is_not_there(tmp_path):
    with pytest.raises(DataError) as refused:
        read(tmp_path / "t.csv", "Ticket,Opened,Solved,Customer,State\na,03/04/2026 08:00,,c,open\n")
    assert "--dates" not in str(refused.value)


def test_an_empty_zip_is_called_an_archive_without_a_file(tmp_path):
    (tmp_path / "empty.zip").write_bytes(b"PK\x05\x06" + bytes(18))
    with pytest.raises(DataError, match=r"archive without"):
        csv.read(tmp_path / "empty.zip", mapping=MAPPING, data_end=END)


def test_a_line_that_was_cut_off_is_told_with_its_number(tmp_path):
    whole = '{"Ticket": "a", "Opened": "2026-03-02 08:00", "Solved": null, "Customer": "c", "State": "open"}'
    with pytest.raises(DataError, match=r"(row|line) 2"):
        read(tmp_path / "cut.ndjson", f'{whole}\n{{"Ticket":')


def test_no_thousands_follow_a_nought(tmp_path):
    text = "Ticket;Opened;Solved;Customer;State;Time\na;2026-03-02 08:00;;c;open;0,125\n"
    found = read(tmp_path / "t.csv", text, contacts={**MAPPING["contacts"], "handle_seconds": "Time"})
    assert found.contacts["handle_seconds"].to_list() == [0.125]


def test_a_row_of_several_files_is_named_by_its_file_and_its_own_number(tmp_path):
    ROWS[:2].write_csv(tmp_path / "2026-01.csv")
    text = ROWS[2:].write_csv().splitlines()
    (tmp_path / "2026-02.csv").write_text("\n".join([text[0], text[0], "", text[1].replace("2026-", "20x6-")]), encoding="utf-8")
    with pytest.raises(DataError, match=r"2026-02\.csv:[34]"):
        csv.read(tmp_path, mapping=MAPPING, data_end=END)


def test_files_of_other_columns_are_not_put_together(tmp_path):
    ROWS.write_csv(tmp_path / "2026-01.csv")
    ROWS.with_columns(pl.lit("x").alias("More")).write_csv(tmp_path / "2026-02.csv")
    with pytest.raises(DataError, match="holds 2 tables"):
        csv.read(tmp_path, mapping=MAPPING, data_end=END)


def test_a_row_with_fewer_fields_than_the_header_is_noted(tmp_path):
    found = read(
        tmp_path / "t.csv", "Ticket,Opened,Solved,Customer,State\na,2026-03-02 08:00,,c,open\nb,2026-03-02 08:00,,c\nd,2026-03-02 08:00,,c,\n"
    )
    assert [note for note in found.manifest.notes if "fewer fields" in note] == [
        "t.csv: 1 rows have fewer fields than the header, the first is row 3: what is missing was read as empty; a text with a line break in it must stand in quotes"
    ]
