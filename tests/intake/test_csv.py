"""What does a plain table of contacts say?"""

import gzip
import json
import os
import tomllib
import zipfile
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from zoneinfo import ZoneInfo

import polars as pl
import pytest

from fcrlib.intake import csv
from fcrlib.intake.tables import files
from fcrlib.model.desk import Desk
from fcrlib.model.errors import DataError, FcrError, UsageError

END = datetime(2026, 9, 30, 23, 59, 59, tzinfo=UTC)
HEADER = "Ticket ID,Requester,Created at,Solved at,Status,Via,Category,Tags,Spam"
ROWS = [
    "1,Ann@Example.com,2026-03-13 09:00,2026-03-14 10:00,Solved,E-Mail,Billing,vip;late,no",
    "2,ann@example.com,2026-03-15 09:00,,Open,Live chat,Billing,,no",
    "3,?,2026-03-16 09:00,2026-03-16 10:00,Closed,Pigeon,n/a,,yes",
]
MAPPING: dict[str, object] = {
    "source": "shop",
    "time_zone": "UTC",
    "contacts": {
        "contact_id": "Ticket ID", "customer_ref": "Requester", "opened_at": "Created at", "resolved_at": "Solved at", "status": "Status",
        "channel": "Via", "category": "Category", "tags": "Tags",
    },
    "flags": {"is_spam": {"column": "Spam", "true": ["yes"]}},
}  # fmt: skip


def write(folder: Path, *rows: str, header: str = HEADER, name: str = "tickets.csv") -> Path:
    file = folder / name
    file.write_text("\n".join([header, *rows, ""]), encoding="utf-8")
    return file


def mapped(**changes: object) -> dict[str, object]:
    return {**MAPPING, **changes}


def fed(**contacts: str) -> dict[str, object]:
    """The mapping with other columns of contacts; an empty name takes one away."""
    both = {**MAPPING["contacts"], **contacts}  # type: ignore[dict-item]
    return mapped(contacts={ours: theirs for ours, theirs in both.items() if theirs})


def read(folder: Path, *rows: str, header: str = HEADER, mapping: dict[str, object] | None = None, end: datetime = END) -> Desk:
    return csv.read(write(folder, *(rows or ROWS), header=header), mapping=mapping or MAPPING, data_end=end)


def refused(folder: Path, *rows: str, header: str = HEADER, mapping: dict[str, object] | None = None, end: datetime = END) -> str:
    with pytest.raises(FcrError) as problem:
        read(folder, *rows, header=header, mapping=mapping, end=end)
    assert "Traceback" not in str(problem.value)
    return str(problem.value)


def at(day: int, hour: int, minute: int = 0) -> datetime:
    return datetime(2026, 3, day, hour, minute, tzinfo=UTC)


def test_columns_become_contacts(tmp_path):
    contacts = read(tmp_path).contacts
    assert contacts["source"].unique().to_list() == ["shop"]
    assert contacts["opened_at"].to_list() == [at(13, 9), at(15, 9), at(16, 9)]
    assert contacts["first_resolved_at"].to_list() == contacts["last_resolved_at"].to_list() == [at(14, 10), None, at(16, 10)]
    assert contacts["status"].to_list() == ["solved", "open", "closed"]
    assert contacts["channel"].to_list() == ["email", "chat", "other"]
    assert contacts["channel_raw"].to_list() == ["E-Mail", "Live chat", "Pigeon"]
    first, second, third = contacts["customer_ref"].to_list()
    assert first is not None
    assert (first, third) == (second, None)
    assert contacts["category"].to_list() == ["Billing", "Billing", None]
    assert contacts["tags"].to_list() == [["vip", "late"], [], []]
    assert contacts["is_spam"].to_list() == [False, False, True]


def test_e_mail_addresses_identify_customers(tmp_path):
    desk = read(tmp_path)
    assert desk.identifiers.select("source", "customer_ref", "kind").rows() == [("shop", desk.contacts["customer_ref"][0], "email")]


def test_capabilities_and_notes_follow_from_what_is_mapped(tmp_path):
    manifest = read(tmp_path).manifest
    assert manifest.capabilities == {"has_category", "has_customer"}
    assert any("reopenings cannot be seen" in note for note in manifest.notes)
    assert any("'Pigeon' (1)" in note for note in manifest.notes)
    assert list(manifest.files) == ["tickets.csv"]


def test_a_status_that_is_not_given_follows_from_the_instants(tmp_path):
    mapping = mapped(contacts={"contact_id": "id", "opened_at": "o", "resolved_at": "r", "closed_at": "c"}, flags={})
    rows = ["1,2026-03-13 09:00,2026-03-14 09:00,2026-03-15 09:00", "2,2026-03-13 09:00,2026-03-14 09:00,", "3,2026-03-13 09:00,,"]
    assert read(tmp_path, *rows, header="id,o,r,c", mapping=mapping).contacts["status"].to_list() == ["closed", "solved", "open"]


def test_words_of_the_mapping_go_before_the_known_ones(tmp_path):
    rows = [row.replace("Solved", "Fertig") for row in ROWS]
    desk = read(tmp_path, *rows, mapping=mapped(values={"status": {"Fertig": "solved"}, "channel": {"pigeon": "messaging"}}))
    assert desk.contacts["status"].to_list() == ["solved", "open", "closed"]
    assert desk.contacts["channel"].to_list()[2] == "messaging"


def test_constants_optional_columns_and_more_null_words(tmp_path):
    contacts = {**fed(status="", channel="")["contacts"], "language": "Lang"}  # type: ignore[dict-item]
    mapping = mapped(contacts=contacts, constant={"channel": "phone", "currency": "EUR", "is_test": True}, optional=["Lang"], null=["Billing"])
    desk = read(tmp_path, mapping=mapping)
    assert desk.contacts["channel"].unique().to_list() == ["phone"]
    assert desk.contacts["is_test"].all()
    assert desk.contacts["category"].null_count() == 3
    assert any("optional columns that tickets.csv lacks: Lang" in note for note in desk.manifest.notes)


def test_durations_and_costs_are_numbers(tmp_path):
    header = f"{HEADER},Time,Cost"
    rows = [f'{ROWS[0]},00:02:30,"12,50"', f"{ROWS[1]},90,7", f"{ROWS[2]},,"]
    mapping = fed(handle_seconds="Time", cost="Cost")
    desk = read(tmp_path, *rows, header=header, mapping=mapping)
    assert desk.contacts["handle_seconds"].to_list() == [150.0, 90.0, None]
    assert desk.contacts["cost"].to_list() == [12.5, 7.0, None]
    assert desk.manifest.capabilities >= {"has_handle_time", "has_cost"}
    assert "Time: 1 of 2 values are no number of 0 or more, e.g. 'long' (handle_seconds)" in refused(
        tmp_path, f"{ROWS[0]},long,", f"{ROWS[1]},3,", header=header, mapping=mapping
    )


def test_answers_of_a_survey_are_put_on_their_own_scale(tmp_path):
    header = f"{HEADER},Stars,Fixed"
    mapping = mapped(surveys={"csat": "Stars", "scale": "1-5", "resolved": "Fixed"})
    desk = read(tmp_path, f"{ROWS[0]},4,Yes", f"{ROWS[1]},,", f"{ROWS[2]},1,partly", header=header, mapping=mapping)
    assert desk.surveys.select("contact_id", "csat_raw", "csat", "resolved").rows() == [("1", "4", 0.75, "yes"), ("3", "1", 0.0, "partly")]
    assert "has_survey" in desk.manifest.capabilities
    assert "are not on the scale 1-5, e.g. '9'" in refused(tmp_path, f"{ROWS[0]},9,", header=header, mapping=mapping)
    assert "on which scale?" in refused(tmp_path, f"{ROWS[0]},4,", header=header, mapping=mapped(surveys={"csat": "Stars"}))


def test_a_second_file_holds_the_messages(tmp_path):
    lines = [
        "2,2026-03-15 09:10,agent,Bob,true,hello", "1,2026-03-13 09:00,end-user,,true,help", "1,2026-03-13 09:00,agent,Bob,false,psst",
        "1,2027-01-01 00:00,agent,Bob,true,late", "9,2026-03-13 09:00,agent,Bob,true,whose",
    ]  # fmt: skip
    write(tmp_path, *lines, header="ticket,when,role,who,public,text", name="comments.csv")
    events = {"file": "comments.csv", "contact_id": "ticket", "at": "when", "actor": "role", "actor_id": "who", "public": "public", "text": "text"}
    desk = read(tmp_path, mapping=mapped(events=events))
    assert desk.events.select("contact_id", "seq", "kind", "actor", "public", "text").rows() == [
        ("1", 0, "message", "customer", True, "help"),
        ("1", 1, "message", "agent", False, "psst"),
        ("2", 0, "message", "agent", True, "hello"),
    ]
    assert desk.manifest.capabilities == {"has_category", "has_customer", "has_events", "has_messages", "has_text", "has_public_flag"}
    assert [(one.count, one.why.split(" 2026")[0]) for one in desk.manifest.dropped] == [
        (1, "after the data end"), (1, "their contact is not among the contacts"),
    ]  # fmt: skip
    assert "column 'role2' (events.actor) is not in comments.csv" in refused(tmp_path, mapping=mapped(events={**events, "actor": "role2"}))


def test_a_second_file_says_what_a_machine_wrote_and_what_only_thanks(tmp_path):
    lines = ["1,2026-03-13 09:00,agent,yes,", "1,2026-03-13 10:00,customer,no,Ja", "1,2026-03-13 11:00,customer,,no"]
    write(tmp_path, *lines, header="ticket,when,role,robot,thanks", name="comments.csv")
    events = {"file": "comments.csv", "contact_id": "ticket", "at": "when", "actor": "role", "is_auto": "robot", "is_ack": "thanks"}
    found = read(tmp_path, mapping=mapped(events=events)).events
    assert found["is_auto"].to_list() == [True, False, False]
    assert found["is_ack"].to_list() == [None, True, False]


def test_what_the_data_end_did_not_know_is_left_out(tmp_path):
    desk = read(tmp_path, end=at(13, 12))
    assert desk.contacts.select("contact_id", "status", "first_resolved_at").rows() == [("1", "open", None)]
    assert [(one.what, one.count) for one in desk.manifest.dropped] == [("contacts", 2), ("resolutions", 1)]


def test_identical_rows_are_dropped_and_counted(tmp_path):
    (dropped,) = read(tmp_path, *ROWS, ROWS[0]).manifest.dropped
    assert (dropped.count, dropped.why) == (1, "rows identical to another row")


def test_rows_without_an_id_or_an_opening_time_are_dropped_and_counted(tmp_path):
    desk = read(tmp_path, *ROWS, f"{ROWS[0].replace('1,', '?,', 1)}", "4,Zoe,,,Open,,,,")
    assert {(one.count, one.why) for one in desk.manifest.dropped} == {(1, "without a value in 'Ticket ID'"), (1, "without an opening time")}


DIALECTS: dict[str, Callable[[str], bytes]] = {
    "semicolons": lambda text: text.replace("vip;late", "vip|late").replace(",", ";").encode(),
    "tabs": lambda text: text.replace(",", "\t").encode(),
    "excel": lambda text: ("sep=;\n" + text.replace("vip;late", "vip|late").replace(",", ";")).replace("\n", "\r\n").encode("utf-8-sig"),
    "utf-16": lambda text: text.encode("utf-16"),
    "quoted": lambda text: text.replace("Billing", '"Billing"').encode(),
    "blank lines": lambda text: text.replace("\n", "\n\n").encode(),
    "blanks around": lambda text: text.replace(",", " , ").encode(),
    "gz": lambda text: gzip.compress(text.encode()),
    "day first": lambda text: text.replace("2026-03-13", "13.3.2026").replace("2026-03-14", "14.3.26").replace("2026-03-15", "15.3.2026").replace("2026-03-16", "16/03/2026").encode(),
    "month first": lambda text: text.replace("2026-03-1", "3/1").replace("09:00", "2026 9:00 AM").replace("10:00", "2026 10:00 AM").replace(" 2026", "/2026").encode(),
    "epochs": lambda text: text.replace("2026-03-13 09:00", str(int(at(13, 9).timestamp()))).replace("2026-03-14 10:00", f"{int(at(14, 10).timestamp())}000").encode(),
    "offsets": lambda text: text.replace("09:00", "11:00+02:00").replace("10:00", "05:00:00.000-0500").encode(),
    "json lines": lambda text: b"\n".join(
        json.dumps(dict(zip(HEADER.split(","), [cell or None for cell in row.split(",")], strict=True))).encode() for row in text.splitlines()[1:]
    ),
}  # fmt: skip


@pytest.mark.parametrize("dialect", DIALECTS)
def test_every_dialect_reads_back_equal(tmp_path, dialect):
    plain = read(tmp_path)
    file = tmp_path / "other.csv"
    file.write_bytes(DIALECTS[dialect](write(tmp_path, *ROWS).read_text()))
    other = csv.read(file, mapping=MAPPING, data_end=END)
    assert other.contacts.equals(plain.contacts)


def test_zip_and_parquet_read_back_equal(tmp_path):
    plain = read(tmp_path)
    with zipfile.ZipFile(tmp_path / "tickets.zip", "w") as archive:
        archive.write(tmp_path / "tickets.csv", "tickets.csv")
    typed = pl.read_csv(tmp_path / "tickets.csv", try_parse_dates=True)
    typed.write_parquet(tmp_path / "naive.parquet")
    typed.with_columns(pl.col("Created at", "Solved at").dt.replace_time_zone("UTC").dt.convert_time_zone("Asia/Tokyo")).write_parquet(
        tmp_path / "zoned.parquet"
    )
    for name in ("tickets.zip", "naive.parquet", "zoned.parquet"):
        assert csv.read(tmp_path / name, mapping=MAPPING, data_end=END).contacts.equals(plain.contacts), name


def test_every_type_of_a_parquet_file_becomes_the_text_that_a_csv_would_hold(tmp_path):
    odd = pl.DataFrame(
        {
            "took": [timedelta(minutes=90), None], "price": [Decimal("12.50"), None], "raw": [b"\xff\x00", None], "kinds": [[{"a": 1}], []],
            "pair": pl.Series([[1, 2], [3, 4]], dtype=pl.Array(pl.Int64, 2)), "labels": [["a", "b"], None], "inner": [{"x": {"y": 1}}, None],
        }
    )  # fmt: skip
    odd.write_parquet(tmp_path / "odd.parquet")
    frame = files.table(tmp_path / "odd.parquet").frame
    assert frame.columns == [*odd.columns[:-1], "inner.x.y"]
    assert frame.row(0) == ("5400.0", "12.50", "ff00", '[{"a":1}]', "1,2", "a,b", "1")
    assert frame.row(1) == (None, None, None, "[]", "3,4", None, None)


def test_a_folder_is_read_by_the_mapping_that_lies_in_it(tmp_path):
    folder = tmp_path / "export"
    folder.mkdir()
    write(folder, *ROWS)
    write(folder, "Ann@Example.com,2025-01-01", header="who,joined", name="customers.csv")
    contacts = "".join(f'{ours} = "{theirs}"\n' for ours, theirs in MAPPING["contacts"].items())  # type: ignore[attr-defined]
    beside = '[customers]\nfile = "customers.csv"\ncustomer_ref = "who"\nsince = "joined"\n'
    text = f'source = "shop"\nfile = "tickets.csv"\ntime_zone = "UTC"\ndata_end = 2026-09-30T23:59:59Z\n[contacts]\n{contacts}{beside}'
    (folder / "mapping.toml").write_text(text, encoding="utf-8")
    found = csv.read(folder)
    assert found.contacts.height == 3
    assert found.customers.height == 1
    assert sorted(found.manifest.files) == ["customers.csv", "tickets.csv"]


def test_a_desk_written_in_an_odd_dialect_reads_back_equal(tmp_path):
    desk = read(tmp_path)
    odd = desk.contacts.select(
        pl.col("contact_id").alias("Nr."),
        pl.col("opened_at").dt.convert_time_zone("Europe/Berlin").dt.strftime("%-d.%-m.%y %H:%M").alias("Erstellt am"),
        pl.col("first_resolved_at").dt.convert_time_zone("Europe/Berlin").dt.strftime("%-d.%-m.%y %H:%M").alias("Gelöst am"),
        pl.col("status").cast(pl.String).replace({"solved": "Gelöst", "open": "Offen", "closed": "Zu"}).alias("Zustand"),
        pl.col("customer_ref").fill_null("N/A").alias("Kunde"),
        pl.col("category").fill_null("?").alias("Kategorie"),
        pl.col("channel_raw").alias("Kanal"),
        pl.col("tags").list.join(" | ").alias("Labels"),
        pl.when("is_spam").then(pl.lit("Ja")).otherwise(pl.lit("Nein")).alias("Spam?"),
    )
    file = tmp_path / "odd.csv"
    file.write_bytes(odd.write_csv(separator=";", line_terminator="\r\n", quote_style="always").encode("cp1252"))
    (tmp_path / "odd.toml").write_text(
        """
        source = "shop"
        time_zone = "Europe/Berlin"   # where the clock hung
        [contacts]
        contact_id = "Nr."
        opened_at = "Erstellt am"
        resolved_at = "Gelöst am"
        status = "Zustand"
        customer_ref = "Kunde"
        category = "Kategorie"
        channel = "Kanal"
        tags = "Labels"
        [values.status]
        "Zu" = "closed"
        [flags]
        is_spam = { column = "Spam?" }
        """,
        encoding="utf-8",
    )
    back = csv.read(file, mapping=tmp_path / "odd.toml", data_end=END)
    assert back.contacts.equals(desk.contacts)
    assert any("cp1252" in note for note in back.manifest.notes)


def test_a_mapping_says_every_mistake_at_once(tmp_path):
    said = refused(
        tmp_path,
        mapping={
            "time_zone": "Mars", "colour": "red", "dates": "european", "contacts": {"contact_idd": "Ticket ID", "is_spam": "Spam"},
            "values": {"status": {"Fertig": "done"}}, "flags": {"is_nice": {"column": "Spam"}}, "constant": {"channel": "fax"},
        },
    )  # fmt: skip
    for part in (
        "time zone 'Mars' does not exist", "colour: there is no such key", "write 'day first', 'month first'", "there is no column 'contact_idd'",
        "flags stand in [flags]", "'contact_id' is needed", "'opened_at' is needed", "'Fertig' = 'done' must be one of new, open", "there is no flag 'is_nice'",
        "channel = 'fax' must be one of",
    ):  # fmt: skip
        assert part in said
    with pytest.raises(UsageError, match="is not TOML"):
        csv.read(write(tmp_path, *ROWS), mapping=write(tmp_path, "no", name="bad.toml"), data_end=END)
    with pytest.raises(UsageError, match="does not exist"):
        csv.read(write(tmp_path, *ROWS), mapping=tmp_path / "none.toml", data_end=END)


def test_columns_that_the_file_lacks_are_all_named(tmp_path):
    said = refused(tmp_path, mapping=fed(opened_at="Opened", category="Topic"))
    assert "column 'Opened' (opened_at) is not in tickets.csv" in said
    assert "column 'Topic' (category) is not in tickets.csv" in said
    assert "its columns are Ticket ID, Requester" in said


def test_values_that_cannot_be_read_are_all_named(tmp_path):
    said = refused(tmp_path, ROWS[0].replace("2026-03-13", "Friday"), ROWS[1].replace("Open", "Sleeping"), ROWS[2])
    assert "Created at: 1 of 3 values are no date, the first in row 2: 'Friday 09:00'; expected" in said
    assert "Status: words without a meaning: 'Sleeping' (1)" in said
    assert '[values.status] "Sleeping" = "open"' in said


def test_the_row_of_the_file_is_named_though_rows_before_it_were_dropped(tmp_path):
    assert "the first in row 4: 'Friday 09:00'" in refused(tmp_path, ROWS[0], ROWS[0], ROWS[1].replace("2026-03-15", "Friday"))


def test_the_zone_of_the_data_end_does_not_matter(tmp_path):
    tokyo = END.astimezone(ZoneInfo("Asia/Tokyo"))
    assert read(tmp_path, end=tokyo).contacts.equals(read(tmp_path).contacts)


def test_local_times_need_a_zone(tmp_path):
    said = refused(tmp_path, mapping=mapped(time_zone=None))
    assert 'time_zone = "Europe/Berlin"' in said
    desk = csv.read(write(tmp_path, *ROWS), mapping=mapped(time_zone=None), data_end=END, time_zone="Europe/Berlin")
    assert desk.contacts["opened_at"][0] == at(13, 8)
    assert desk.manifest.time_zone == "Europe/Berlin"


def test_dates_that_could_be_either_are_refused_with_both_readings(tmp_path):
    rows = ["1,,3/2/2026 9:00,,Open,,,,no"]
    said = refused(tmp_path, *rows)
    assert "3 Feb 2026" in said
    assert "2 Mar 2026" in said
    assert read(tmp_path, *rows, mapping=mapped(dates="month first")).contacts["opened_at"][0] == at(2, 9)


def test_one_contact_on_differing_rows_is_refused_with_its_rows(tmp_path):
    said = refused(tmp_path, *ROWS, ROWS[0].replace("Solved", "Closed"))
    assert "Ticket ID: 1 values stand on several rows that differ, e.g. '1' (rows 2, 5)" in said
    assert "keep the newest" in said


def test_a_few_impossible_instants_are_counted_and_many_are_refused(tmp_path):
    fine = [ROWS[0].replace("1,", f"{number},", 1) for number in range(10, 40)]
    desk = read(tmp_path, *fine, ROWS[0].replace("2026-03-14", "2026-03-01"))
    assert {(one.what, one.count) for one in desk.manifest.dropped} == {("first_resolved_at", 1), ("last_resolved_at", 1)}
    said = refused(tmp_path, *(row.replace("2026-03-14", "2026-03-01") for row in fine))
    assert "30 of 30 resolved contacts were resolved before they were opened" in said


def test_a_data_end_before_the_first_contact_or_without_a_zone_is_refused(tmp_path):
    assert "lies before the first contact (2026-03-13 09:00)" in refused(tmp_path, end=datetime(2016, 1, 1, tzinfo=UTC))
    assert "no time zone" in refused(tmp_path, end=datetime(2026, 9, 30))


def test_broken_files_are_named(tmp_path):
    cases = {
        "missing.csv": (None, "does not exist"),
        "empty.csv": (b" \n", "is empty"),
        "header.csv": (HEADER.encode(), "no rows"),
        "wide.csv": (f"{HEADER}\n{ROWS[0]},x\n".encode(), "row 2 has 10 fields, the header has 9"),
        "sheet.xls": (b"\xd0\xcf\x11\xe0", "spreadsheet"),
        "table.parquet": (b"PAR1rubbish", "damaged"),
        "lines.ndjson": (b'{"a": 1}\n{"a":', "damaged"),
    }
    for name, (content, sentence) in cases.items():
        if content is not None:
            (tmp_path / name).write_bytes(content)
        with pytest.raises(DataError) as problem:
            csv.read(tmp_path / name, mapping=MAPPING, data_end=END)
        assert sentence in str(problem.value), name
        assert name in str(problem.value)
        assert problem.value.exit_code == 3
    latin = write(tmp_path, *ROWS)
    latin.write_bytes(latin.read_bytes().replace(b"Billing", b"Geb\xfchr"))
    with pytest.raises(DataError, match=r"is not utf-8: row 2 \(byte"):
        csv.read(latin, mapping=mapped(encoding="utf-8"), data_end=END)
    with pytest.raises(DataError, match="no encoding called 'klingon'"):
        csv.read(latin, mapping=mapped(encoding="klingon"), data_end=END)


def test_a_guess_names_columns_with_a_reason(tmp_path):
    guess = csv.guess(write(tmp_path, *ROWS))
    found = {one.column: one.canonical for one in guess.suggestions}
    assert found == {
        "Ticket ID": "contact_id", "Requester": "customer_ref", "Created at": "opened_at", "Solved at": "resolved_at", "Status": "status", "Via": "channel",
        "Category": "category", "Tags": "tags", "Spam": "is_spam",
    }  # fmt: skip
    assert all(0 < one.confidence <= 1 and one.why for one in guess.suggestions)


def test_a_guess_is_a_mapping_that_reads(tmp_path):
    file = write(tmp_path, *ROWS)
    text = csv.guess(file).toml()
    assert "# sure" in text
    assert "# please check: times carry no zone" in text
    assert tomllib.loads(text)["contacts"]["opened_at"] == "Created at"
    (tmp_path / "guess.toml").write_text(text, encoding="utf-8")
    guessed = csv.read(file, mapping=tmp_path / "guess.toml", data_end=END)
    assert guessed.contacts.drop("source").equals(read(tmp_path).contacts.drop("source"))


def test_a_guess_marks_what_only_the_user_can_know(tmp_path):
    file = write(tmp_path, "1,3/2/2026,Sleeping", "2,4/2/2026,Open", header="id,created,status")
    text = csv.guess(file).toml()
    assert '# dates = "day first"  # please check' in text
    assert '"Sleeping" = "open"  # please check' in text
    (tmp_path / "guess.toml").write_text(text.replace("# dates", "dates"), encoding="utf-8")
    assert csv.read(file, mapping=tmp_path / "guess.toml", data_end=END).contacts.height == 2


VENDORS = {
    "zendesk": (
        "Summation column,Id,Requester,Requester email,Subject,Status,Via,Created at,Solved at,Satisfaction Score,Reopens",
        "1,100,Ann,ann@x.com,Help,Solved,Web Form,2026-01-13 10:00,2026-01-14 11:00,Good,0",
        {"contact_id": "Id", "opened_at": "Created at", "resolved_at": "Solved at", "vendor_reopens": "Reopens", "channel": "Via"},
    ),
    "freshdesk": (
        "Ticket ID,Subject,Status,Source,Type,Group,Created time,Resolved time,Closed time,Email",
        "1,Help,Waiting on Customer,Email,Question,Desk,2026-01-13 10:00:00,,,ann@x.com",
        {"contact_id": "Ticket ID", "opened_at": "Created time", "customer_ref": "Email", "category": "Type", "resolver_group": "Group"},
    ),
    "salesforce": (
        "CaseNumber,ContactId,AccountId,Type,Origin,Status,CreatedDate,ClosedDate",
        "0001,003A,001,Problem,Phone,Closed,2026-01-03T10:00:00.000+0000,2026-01-03T11:00:00.000+0000",
        {"contact_id": "CaseNumber", "customer_ref": "ContactId", "account_ref": "AccountId", "channel": "Origin", "closed_at": "ClosedDate"},
    ),
    "amazon connect": (
        "ContactId,Channel,InitiationTimestamp,Queue,Agent",
        "a,VOICE,2026-01-03T10:00:00Z,q,b",
        {"contact_id": "ContactId", "opened_at": "InitiationTimestamp", "resolver_group": "Queue"},
    ),
    "jira": (
        "key,fields.created,fields.status.name,fields.reporter,fields.labels",
        "A-1,2026-01-03T10:00:00.000+0000,Done,ann,a",
        {
            "contact_id": "key",
            "opened_at": "fields.created",
            "status": "fields.status.name",
            "customer_ref": "fields.reporter",
            "tags": "fields.labels",
        },
    ),
}


@pytest.mark.parametrize("vendor", VENDORS)
def test_a_guess_knows_the_headers_of_several_vendors(tmp_path, vendor):
    header, row, columns = VENDORS[vendor]
    found = {ours: one.column for ours, one in csv.guess(write(tmp_path, row, header=header)).chosen().items()}
    assert columns.items() <= found.items()
    assert csv.read(tmp_path / "tickets.csv", mapping=None, data_end=END, time_zone="UTC").contacts.height == 1


def test_values_overrule_a_header_that_lies(tmp_path):
    file = write(
        tmp_path,
        *(f"{number},2026-03-{number} 09:00Z,person{number}@example.com,Solved" for number in range(10, 30)),
        header="nr,created,reference,a",
    )
    found = {one.column: one.canonical for one in csv.guess(file).suggestions}
    assert found["reference"] == "customer_ref"
    assert found["a"] == "status"
    liar = write(tmp_path, *(f"{number},soon,2026-03-{number} 09:00Z" for number in range(10, 30)), header="id,created,opened")
    assert {one.column: one.canonical for one in csv.guess(liar).suggestions if one.confidence >= 0.5}["opened"] == "opened_at"


def test_without_a_mapping_the_guess_is_taken_and_noted(tmp_path):
    desk = csv.read(write(tmp_path, *ROWS), mapping=None, data_end=END, time_zone="UTC")
    assert desk.contacts.height == 3
    assert any("no mapping was given" in note for note in desk.manifest.notes)


SHARED = Path(os.environ.get("FCR_SHARED_DATA", Path(__file__).parents[2] / "../shared/data"))


@pytest.mark.realdata
@pytest.mark.skipif(not SHARED.exists(), reason="the real data are not here")
def test_the_invented_itsm_desk_is_guessed_and_read(tmp_path):
    file = SHARED / "itsm_synthetic/tickets.csv"
    (tmp_path / "guess.toml").write_text(csv.guess(file).toml(), encoding="utf-8")
    desk = csv.read(file, mapping=tmp_path / "guess.toml", data_end=datetime(2027, 1, 1, tzinfo=UTC))
    assert desk.contacts.height == 2057
    assert desk.surveys.height == 225
    flagged = pl.read_csv(file).select(pl.col("ticket_id").cast(pl.String).alias("contact_id"), "is_reopened")
    means = desk.surveys.join(flagged, on="contact_id").group_by("is_reopened").agg(pl.col("csat").mean().round(3)).sort("is_reopened")
    assert means.rows() == [(False, 0.818), (True, 0.396)]


@pytest.mark.realdata
@pytest.mark.skipif(not SHARED.exists(), reason="the real data are not here")
def test_counts_by_day_are_refused_with_a_sentence():
    with pytest.raises(DataError, match="no column looks like contact_id"):
        csv.read(SHARED / "google_fiber/market_1.csv", mapping=None, data_end=END, time_zone="UTC")


def test_the_mapping_may_say_when_the_export_was_made(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text("ticket_id,created_at\n1,2026-01-05T10:00:00Z\n2,2026-01-25T10:00:00Z\n")
    (tmp_path / "m.toml").write_text('data_end = 2026-03-01T00:00:00Z\n[contacts]\ncontact_id = "ticket_id"\nopened_at = "created_at"\n')
    assert csv.read(tmp_path / "t.csv", mapping=tmp_path / "m.toml").manifest.data_end == datetime(2026, 3, 1, tzinfo=UTC)
    with pytest.raises(UsageError, match="--data-end is needed"):
        csv.read(tmp_path / "t.csv")
