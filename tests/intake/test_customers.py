"""What does a list of customers beside the contacts say?"""

from __future__ import annotations

import tomllib
from datetime import UTC, datetime
from pathlib import Path

import polars as pl
import pytest
from polars.testing import assert_frame_equal

from fcrlib.intake import csv
from fcrlib.intake.demo import invent
from fcrlib.intake.redact import redact
from fcrlib.model.desk import Desk
from fcrlib.model.errors import DataError, FcrError
from fcrlib.model.tables import empty

END = datetime(2026, 9, 30, 23, 59, 59, tzinfo=UTC)
TICKETS = "id,who,created,solved\n1,Ann@Example.com,2026-03-01 09:00,2026-03-02 09:00\n2,c2,2026-03-01 09:00,2026-03-02 09:00\n"
MAPPING: dict[str, object] = {
    "source": "shop",
    "time_zone": "UTC",
    "contacts": {"contact_id": "id", "customer_ref": "who", "opened_at": "created", "resolved_at": "solved"},
}
BASE = {"file": "base.csv", "customer_ref": "account", "since": "start", "left_at": "end"}


def read(folder: Path, base: str = "", *, customers: object = BASE, tickets: str = TICKETS) -> Desk:
    (folder / "tickets.csv").write_text(tickets, encoding="utf-8")
    (folder / "base.csv").write_text(base, encoding="utf-8")
    return csv.read(folder / "tickets.csv", mapping={**MAPPING, "customers": customers}, data_end=END)


def day(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def test_customers_of_a_second_file_become_customers_under_the_names_of_the_contacts(tmp_path: Path) -> None:
    desk = read(tmp_path, "account,start,end\nANN@example.com,2020-01-01,2026-05-01\nc2,2021-01-01,\nc3,,2026-06-01\n")
    known = desk.contacts.select("customer_ref").join(desk.customers, on="customer_ref")
    assert known["left_at"].to_list() == [day("2026-05-01"), None]
    assert desk.customers.filter(customer_ref="c3")["since"].to_list() == [None]
    assert desk.manifest.has("has_retention")
    assert set(desk.manifest.files) == {"tickets.csv", "base.csv"}
    assert not desk.customers["customer_ref"].str.contains("@").any()


def test_who_is_listed_twice_is_there_while_one_row_is_open_and_since_the_first(tmp_path: Path) -> None:
    desk = read(tmp_path, "account,start,end\nc2,2021-01-01,2026-02-01\nc2,2020-01-01,\nc3,2020-01-01,2026-02-01\nc3,2020-01-01,2026-03-01\n")
    assert desk.customers.rows() == [("shop", "c2", day("2020-01-01"), None), ("shop", "c3", day("2020-01-01"), day("2026-03-01"))]


def test_what_the_data_end_did_not_know_is_not_known_and_counted(tmp_path: Path) -> None:
    desk = read(
        tmp_path, "account,start,end\nAnn@Example.com,2020-01-01,2026-05-01\nc2,2020-01-01,2026-12-31\nc9,2026-11-01,\nc8,2026-02-01,2026-01-01\n"
    )
    assert desk.customers["left_at"].null_count() == 1
    assert desk.customers.height == 2
    assert {(one.what, one.count) for one in desk.manifest.dropped} == {("customers", 1), ("leavings", 1)}


def test_a_list_in_which_nobody_left_says_nothing_about_leaving(tmp_path: Path) -> None:
    assert not read(tmp_path, "account,start,end\nc2,2020-01-01,\nc3,2020-01-01,2026-01-01\n").manifest.has("has_retention")


def test_columns_of_the_contacts_themselves_do_as_well(tmp_path: Path) -> None:
    tickets = (
        TICKETS.replace("solved\n1", "solved,joined,gone\n1").replace("09:00\n2", "09:00,2020-01-01,2026-05-01\n2").replace("09:00\n", "09:00,,\n")
    )
    desk = read(tmp_path, customers={"since": "joined", "left_at": "gone"}, tickets=tickets)
    assert desk.customers.sort("left_at").select("since", "left_at").rows() == [(None, None), (day("2020-01-01"), day("2026-05-01"))]


def test_everything_wrong_with_the_list_is_said(tmp_path: Path) -> None:
    with pytest.raises(FcrError, match=r"column 'stop' \(customers.left_at\) is not there"):
        read(tmp_path, "account,start,end\nc2,2020-01-01,\n", customers={**BASE, "left_at": "stop"})
    with pytest.raises(FcrError, match="say with customer_ref"):
        read(tmp_path, "account,start,end\nc2,2020-01-01,\n", customers={"file": "base.csv", "left_at": "end"})
    rows = "".join(f"c{number},2026-01-01,2020-01-01\n" for number in range(3))
    with pytest.raises(FcrError, match="3 of 3 who left did so before they joined"):
        read(tmp_path, f"account,start,end\n{rows}")
    with pytest.raises(FcrError, match="base2"):
        read(tmp_path, customers={**BASE, "file": "base2.csv"})


def test_guess_proposes_the_columns_and_the_reader_takes_the_proposal(tmp_path: Path) -> None:
    rows = [f"{n},c{n},2026-03-01T09:00Z,2020-01-01T00:00Z,{'2026-05-01T00:00Z' if n % 2 else ''}" for n in range(30)]
    file = tmp_path / "tickets.csv"
    file.write_text("\n".join(["Ticket ID,Customer ID,Created at,Customer since,Churn date", *rows, ""]), encoding="utf-8")
    proposed = csv.guess(file)
    assert proposed.fields()["customers"] == {"since": "Customer since", "left_at": "Churn date"}
    mapping = tomllib.loads(proposed.toml())
    assert mapping["customers"] == {"since": "Customer since", "left_at": "Churn date"}
    assert csv.read(file, mapping=mapping, data_end=END).customers["left_at"].count() == 15
    assert csv.read(file, data_end=END).manifest.has("has_retention")


def test_when_a_ticket_closed_is_not_when_a_customer_left(tmp_path: Path) -> None:
    file = tmp_path / "tickets.csv"
    file.write_text("Ticket ID,Customer ID,Created at,Closed at,Cancelled at\n1,a,2026-03-01T09:00Z,2026-03-02T09:00Z,2026-03-02T09:00Z\n")
    assert csv.guess(file).fields()["customers"] is None


def test_the_demo_desk_written_as_a_plain_table_tells_the_same_customers(tmp_path: Path) -> None:
    desk = redact(invent(seed=5, contacts=600))
    desk.contacts.select("contact_id", "customer_ref", created=pl.col("opened_at").cast(pl.String)).write_csv(tmp_path / "tickets.csv")
    desk.customers.select(account="customer_ref", start=pl.col("since").cast(pl.String), end=pl.col("left_at").cast(pl.String)).write_csv(
        tmp_path / "base.csv"
    )
    mapping = {**MAPPING, "source": "demo", "contacts": {"contact_id": "contact_id", "customer_ref": "customer_ref", "opened_at": "created"}}
    back = csv.read(tmp_path / "tickets.csv", mapping={**mapping, "customers": BASE}, data_end=END)
    assert_frame_equal(back.customers, desk.customers)


def test_a_desk_of_a_time_without_such_a_list_still_loads(tmp_path: Path) -> None:
    old = redact(invent(seed=5, contacts=600))
    rows = {name: n for name, n in old.manifest.rows.items() if name != "customers"}
    folder = Desk(old.manifest.model_copy(update={"rows": rows}), old.contacts).save(tmp_path / "desk")
    (folder / "customers.parquet").unlink()
    assert_frame_equal(Desk.load(folder).customers, empty("customers"))


def test_a_list_that_was_lost_is_damage(tmp_path: Path) -> None:
    folder = redact(invent(seed=5, contacts=600)).save(tmp_path / "desk")
    (folder / "customers.parquet").unlink()
    with pytest.raises(DataError, match="damaged"):
        Desk.load(folder)
