"""What stands on the sheets of a spreadsheet?"""

from __future__ import annotations

import io
import zipfile
from datetime import UTC, datetime
from pathlib import Path

import polars as pl
import pytest

from fcrlib.intake import csv
from fcrlib.intake.tables import files
from fcrlib.intake.tables.guess import guess
from fcrlib.model.errors import DataError

END = datetime(2026, 4, 1, tzinfo=UTC)
REAL = Path(__file__).parents[3] / "shared" / "data" / "pwc_call_center" / "Call-Center-Dataset.xlsx"
MAPPING: dict[str, object] = {
    "source": "shop",
    "time_zone": "UTC",
    "contacts": {"contact_id": "Id", "opened_at": "Opened", "resolved_at": "Solved", "customer_ref": "Who", "handle_seconds": "Took"},
}
Cell = str | int | float | tuple[float, int] | None
DATE, CLOCK = 1, 2
"""Number formats of a cell: a date with its time, and hours and minutes."""
TICKETS: list[list[Cell]] = [
    ["Id", "Opened", "Solved", "Who", "Took"],
    [1001, (46082.375, DATE), (46083.5, DATE), "Ann", (0.0625, CLOCK)],
    [1002, "2026-03-02 09:00", None, "", 90],
]
MESSAGES: list[list[Cell]] = [["Ticket", "When", "Role", "Text"], [1001, (46082.5, DATE), "agent", "hello"]]


def _column(place: int) -> str:
    return chr(ord("A") + place)


def _cell(value: Cell, row: int, place: int) -> str:
    where = f'r="{_column(place)}{row}"'
    if isinstance(value, tuple):
        return f'<c {where} s="{value[1]}"><v>{value[0]}</v></c>'
    if isinstance(value, str):
        return f'<c {where} t="inlineStr"><is><t>{value}</t></is></c>'
    return "" if value is None else f"<c {where}><v>{value}</v></c>"


def _sheet(rows: list[list[Cell]]) -> str:
    lines = ["".join(_cell(value, row, place) for place, value in enumerate(cells)) for row, cells in enumerate(rows, start=1)]
    inside = "".join(f'<row r="{row}">{line}</row>' for row, line in enumerate(lines, start=1))
    return f'<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><sheetData>{inside}</sheetData></worksheet>'


def book(file: Path, hidden: tuple[str, ...] = (), **sheets: list[list[Cell]]) -> Path:
    """A workbook with these sheets, as small as one can be."""
    main, office = "http://schemas.openxmlformats.org/spreadsheetml/2006/main", "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
    kinds = "http://schemas.openxmlformats.org/package/2006/"
    state = {name: ' state="hidden"' if name in hidden else "" for name in sheets}
    listed = "".join(f'<sheet name="{name}" sheetId="{n}"{state[name]} r:id="r{n}"/>' for n, name in enumerate(sheets, 1))
    related = "".join(f'<Relationship Id="r{n}" Type="{office}/worksheet" Target="worksheets/sheet{n}.xml"/>' for n in range(1, len(sheets) + 1))
    styles = f'<Relationship Id="rs" Type="{office}/styles" Target="styles.xml"/>'
    formats = '<xf numFmtId="0"/><xf numFmtId="22" applyNumberFormat="1"/><xf numFmtId="21" applyNumberFormat="1"/>'
    parts = {
        "[Content_Types].xml": f'<Types xmlns="{kinds}content-types"/>',
        "_rels/.rels": f'<Relationships xmlns="{kinds}relationships"><Relationship Id="r" Type="{office}/officeDocument" Target="xl/workbook.xml"/></Relationships>',
        "xl/workbook.xml": f'<workbook xmlns="{main}" xmlns:r="{office}"><sheets>{listed}</sheets></workbook>',
        "xl/_rels/workbook.xml.rels": f'<Relationships xmlns="{kinds}relationships">{related}{styles}</Relationships>',
        "xl/styles.xml": f'<styleSheet xmlns="{main}"><cellXfs count="3">{formats}</cellXfs></styleSheet>',
        **{f"xl/worksheets/sheet{n}.xml": _sheet(rows) for n, rows in enumerate(sheets.values(), 1)},
    }
    with zipfile.ZipFile(file, "w") as archive:
        for name, text in parts.items():
            archive.writestr(name, text)
    return file


def test_cells_become_the_text_that_they_show(tmp_path):
    frame = files.table(book(tmp_path / "a.xlsx", Tickets=TICKETS)).frame
    assert frame.rows() == [
        ("1001", "2026-03-01 09:00:00", "2026-03-02 12:00:00", "Ann", "01:30:00"),
        ("1002", "2026-03-02 09:00", None, None, "90"),
    ]


def test_a_spreadsheet_is_read_as_a_table_of_contacts(tmp_path):
    found = csv.read(book(tmp_path / "a.xlsx", Tickets=TICKETS), mapping=MAPPING, data_end=END)
    assert found.contacts.select("contact_id", "opened_at", "handle_seconds").rows() == [
        ("1001", datetime(2026, 3, 1, 9, tzinfo=UTC), 5400.0), ("1002", datetime(2026, 3, 2, 9, tzinfo=UTC), 90.0),
    ]  # fmt: skip
    assert list(found.manifest.files) == ["a.xlsx"]


def test_a_date_of_a_spreadsheet_has_no_zone_so_one_is_asked_for(tmp_path):
    with pytest.raises(DataError, match="have no time zone, the first in row 2"):
        csv.read(book(tmp_path / "a.xlsx", Tickets=TICKETS), mapping={**MAPPING, "time_zone": None}, data_end=END)


def test_of_several_sheets_one_is_named_and_another_may_hold_the_messages(tmp_path):
    file = book(tmp_path / "a.xlsx", Tickets=TICKETS, Messages=MESSAGES)
    with pytest.raises(DataError, match="holds 2 tables, one is needed: name it") as told:
        csv.read(file, mapping=MAPPING, data_end=END)
    assert told.value.problems == ("Tickets", "Messages")
    beside = {**MAPPING, "events": {"file": "a.xlsx/Messages", "contact_id": "Ticket", "at": "When", "actor": "Role", "text": "Text"}}
    found = csv.read(file / "Tickets", mapping=beside, data_end=END)
    assert found.events.select("contact_id", "kind", "actor", "text").rows() == [("1001", "message", "agent", "hello")]
    assert guess(file / "Tickets").chosen()["contact_id"].column == "Id"
    with pytest.raises(DataError, match="holds no 'Nothing'"):
        csv.read(file / "Nothing", mapping=MAPPING, data_end=END)


def test_titles_above_the_header_hidden_and_empty_sheets_and_blank_columns_do_no_harm(tmp_path):
    titled: list[list[Cell]] = [["All our tickets"], [], *[[None, *row] for row in TICKETS]]
    file = book(tmp_path / "a.xlsx", hidden=("Notes",), Tickets=titled, Notes=MESSAGES, Empty=[])
    table = files.table(file)
    assert table.frame.columns == ["Id", "Opened", "Solved", "Who", "Took"]
    assert table.notes == ("2 lines above the header were passed over: add 2 to the rows named",)


def test_repeated_and_missing_headers_are_numbered_as_in_a_table_of_text(tmp_path):
    twice: list[list[Cell]] = [["Id", "Who", "Who", None], [1, "a", "b", "c"]]
    assert files.table(book(tmp_path / "a.xlsx", Tickets=twice)).frame.columns == ["Id", "Who", "Who (2)", "column 4"]


@pytest.mark.parametrize("data", [b"\xd0\xcf\x11\xe0" + b"\0" * 600, b"cut"])
def test_a_damaged_or_locked_spreadsheet_is_refused_with_its_name(tmp_path, data):
    whole = book(tmp_path / "whole.xlsx", Tickets=TICKETS).read_bytes()
    broken = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(whole)) as old, zipfile.ZipFile(broken, "w") as new:
        for name in old.namelist():
            new.writestr(name, old.read(name)[: 40 if "sheet1" in name else None])
    (tmp_path / "bad.xlsx").write_bytes(broken.getvalue() if data == b"cut" else data)
    with pytest.raises(DataError, match=r"bad\.xlsx"):
        files.table(tmp_path / "bad.xlsx")


def test_in_a_folder_the_lock_of_an_open_spreadsheet_is_passed_over(tmp_path):
    book(tmp_path / "a.xlsx", Tickets=TICKETS)
    (tmp_path / "~$a.xlsx").write_bytes(b"somebody")
    assert files.table(tmp_path).frame.height == 2


@pytest.mark.realdata
@pytest.mark.skipif(not REAL.exists(), reason="the real call centre's workbook is not next to the checkout")
def test_the_workbook_of_a_call_centre_is_read_whole():
    frame = files.table(REAL).frame
    assert frame.height == 5_000
    assert frame["Call Id"].n_unique() == 5_000
    assert frame["Date"].str.contains(r"^2021-\d\d-\d\d").all()
    assert frame["Time"].str.contains(r"^\d\d:\d\d:\d\d$").all()
    assert frame["Satisfaction rating"].drop_nulls().cast(pl.Int64).is_between(1, 5).all()
