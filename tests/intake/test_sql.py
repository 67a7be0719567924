"""What does a query on a database say about contacts?"""

from __future__ import annotations

import os
import shutil
import sqlite3
import subprocess
import tempfile
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import polars as pl
import pytest

from fcrlib.intake import csv, sql
from fcrlib.intake.demo import invent
from fcrlib.intake.demo.dialects import expected, write
from fcrlib.intake.demo.dialects.door import carried
from fcrlib.intake.tables.mapping import layout
from fcrlib.model.errors import DataError, UsageError

END = datetime(2026, 9, 30, tzinfo=UTC)
MAPPING: dict[str, object] = {
    "source": "shop",
    "contacts": {
        "contact_id": "id",
        "opened_at": "opened",
        "resolved_at": "solved",
        "customer_ref": "who",
        "handle_seconds": "took",
        "tags": "labels",
    },
}


def _programs() -> Path | None:
    """Where the programs of a PostgreSQL server lie."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    own = shutil.which("initdb")
    return found[-1].parent if found else Path(own).parent if own else None


@pytest.fixture(scope="module")
def postgres() -> Iterator[str]:
    """The address of a server of our own, on a socket in a folder of its own."""
    pytest.importorskip("adbc_driver_postgresql", reason="fcrlib[sql] is not installed")
    programs = _programs()
    if programs is None:
        pytest.skip("no PostgreSQL server is installed: apt-get install postgresql")
    folder = tempfile.mkdtemp(prefix="fcr")
    # The server does not run as root.
    as_user: dict[str, object] = {"user": "postgres", "group": "postgres", "extra_groups": []} if os.geteuid() == 0 else {}
    if as_user:
        shutil.chown(folder, "postgres", "postgres")
    data = f"{folder}/data"

    def run(program: str, *given: str) -> None:
        subprocess.run(
            [programs / program, "-D", data, *given], check=True, cwd=folder, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, **as_user
        )  # type: ignore[call-overload]

    try:
        run("initdb", "-A", "trust", "-U", "postgres", "-E", "UTF8", "--no-locale", "--no-sync")
        run("pg_ctl", "-w", "-o", f"-c listen_addresses='' -k {folder} -c fsync=off -c timezone=Asia/Tokyo", "-l", f"{folder}/log", "start")
        try:
            yield f"postgresql:///postgres?host={folder}&user=postgres"
        finally:
            run("pg_ctl", "-m", "immediate", "stop")
    finally:
        shutil.rmtree(folder)


def test_what_postgresql_knows_of_types_is_kept(postgres):
    rows = """
        select 1001::numeric as id, timestamptz '2026-03-01 10:00+01' as opened, timestamptz '2026-03-01 12:00Z' as solved, 'Ann' as who,
               interval '1 day 90 seconds' as took, array['a', 'b c'] as labels, '{"x": 1}'::jsonb as more, 12345678901234567890::numeric as long
        union all select 1002, '2026-03-02 10:00Z', null, null, null, '{}', null, null  -- the last one
    """
    found = sql.read(postgres, query=rows, mapping=MAPPING, data_end=END)
    assert found.contacts.select("contact_id", "opened_at", "first_resolved_at", "handle_seconds", "tags").rows() == [
        ("1001", datetime(2026, 3, 1, 9, tzinfo=UTC), datetime(2026, 3, 1, 12, tzinfo=UTC), 86490.0, ["a", "b c"]),
        ("1002", datetime(2026, 3, 2, 10, tzinfo=UTC), None, None, []),
    ]
    assert sql.table(postgres, query=rows, name="contacts").frame["long"].to_list() == ["12345678901234567890", None]


def test_nothing_is_written_and_what_is_refused_says_why(postgres):
    for query in ("delete from pg_class", "select 1 as id; drop table contacts"):
        with pytest.raises(DataError, match="cannot be asked"):
            sql.read(postgres, query=query, mapping=MAPPING, data_end=END)
    with pytest.raises(DataError) as told:
        sql.read(postgres, query="select nothing from nowhere", mapping=MAPPING, data_end=END)
    assert 'relation "nowhere" does not exist' in str(told.value)
    with pytest.raises(DataError) as told:
        sql.read("postgresql://ann:geheim@localhost:1/base", query="select 1", mapping=MAPPING, data_end=END)
    assert "geheim" not in str(told.value)
    with pytest.raises(DataError, match="gives no rows"):
        sql.read(postgres, query="select 1 as id where false", mapping=MAPPING, data_end=END)


@pytest.mark.parametrize("kind", ["sqlite", "postgres"])
def test_the_invented_desk_reads_back_from_a_database_as_from_its_files(kind, request, tmp_path):
    desk = invent(seed=3, contacts=300)
    folder = write(desk, system="csv", folder=tmp_path / "csv")
    uri, fill = (f"sqlite:///{tmp_path}/desk.db", _into_sqlite) if kind == "sqlite" else (request.getfixturevalue("postgres"), _into_postgres)
    for name in ("contacts", "events", "customers"):
        fill(uri, name, pl.read_csv(folder / f"{name}.csv", separator=";", infer_schema=False))
    fields = layout(folder / "mapping.toml").model_dump(exclude_none=True) | {"query": "select * from contacts", "file": None}
    fields["events"] |= {"query": "select * from events order by place"}
    fields["customers"] |= {"query": "select * from customers"}
    found, want = sql.read(uri, mapping=fields), expected(desk, system="csv")
    for table in ("contacts", "events", "surveys", "customers"):
        assert carried(getattr(found, table), table=table, carries=csv.CARRIES).equals(getattr(want, table)), table
    assert found.manifest.reader == "sql"


def _into_sqlite(uri: str, name: str, frame: pl.DataFrame) -> None:
    numbered = frame.with_row_index("place")
    columns = ", ".join(f'"{one}"' for one in numbered.columns)
    with sqlite3.connect(uri.removeprefix("sqlite:///")) as base:
        base.execute(f"create table {name} ({columns})")
        base.executemany(f"insert into {name} values ({', '.join('?' * numbered.width)})", numbered.rows())


def _into_postgres(uri: str, name: str, frame: pl.DataFrame) -> None:
    import adbc_driver_postgresql.dbapi as driver

    with driver.connect(uri) as base, base.cursor() as cursor:
        cursor.adbc_ingest(name, frame.with_row_index("place").cast({"place": pl.Int64}).to_arrow(), mode="create")
        base.commit()


@pytest.fixture
def base(tmp_path) -> Path:
    file = tmp_path / "shop.db"
    with sqlite3.connect(file) as made:
        made.execute("create table tickets (id real, opened text, solved text, who text, took text, labels text)")
        made.execute(
            "insert into tickets values (1001, '2026-03-01T10:00:00Z', null, 'Ann', 90, 'a;b'), (1002, '2026-03-02T10:00:00Z', null, 'Ann', 1.5, '')"
        )
    return file


def test_a_file_of_sqlite_is_read_by_its_path_or_its_address_and_never_written(base, tmp_path):
    query = tmp_path / "tickets.sql"
    query.write_text("select * from tickets;\n", encoding="utf-8")
    before = base.read_bytes()
    by_path = sql.read(str(base), query=str(query), mapping=MAPPING, data_end=END)
    by_address = sql.read(f"sqlite:///{base}", query="select * from tickets", mapping=MAPPING, data_end=END)
    assert by_path.contacts.equals(by_address.contacts)
    assert by_path.contacts.select("contact_id", "handle_seconds").rows() == [("1001", 90.0), ("1002", 1.5)]
    with pytest.raises(DataError, match="cannot be asked"):
        sql.read(str(base), query="delete from tickets", mapping=MAPPING, data_end=END)
    assert base.read_bytes() == before


def test_a_query_can_be_guessed_and_what_is_missing_is_said(base, tmp_path):
    assert 'opened_at = "opened"' in sql.guess(str(base), query="select * from tickets").toml()
    with pytest.raises(UsageError, match="a query is needed"):
        sql.read(str(base), mapping=MAPPING, data_end=END)
    with pytest.raises(UsageError, match="--data-end is needed"):
        sql.read(str(base), query="select * from tickets", mapping=MAPPING)
    with pytest.raises(DataError, match="does not exist"):
        sql.read(f"{tmp_path}/none.db", query="select 1", mapping=MAPPING, data_end=END)
    with pytest.raises(UsageError, match="cannot be read"):
        sql.read(str(base), query="none.sql", mapping=MAPPING, data_end=END)
    with pytest.raises(DataError, match="column 'opened' \\(opened_at\\) is not in contacts"):
        sql.read(str(base), query="select id, solved, who, took, labels from tickets", mapping=MAPPING, data_end=END)
