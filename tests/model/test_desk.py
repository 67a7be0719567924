"""Do the canonical tables tell everything that is wrong, and lose nothing?"""

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import polars as pl
import pytest
from polars.testing import assert_frame_equal
from storytelling import desk_of

from fcrlib.model.desk import Desk, Manifest, instant
from fcrlib.model.errors import DataError, TableError, UsageError
from fcrlib.model.tables import TABLES, check, conform, dictionary, empty

ROOT = Path(__file__).parents[2]
DESK = desk_of([{"id": "A", "opened": 0, "customer": "ann", "events": [{"kind": "message", "t": 0, "actor": "customer"}]}], data_end=10)


def test_the_data_dictionary_in_the_repository_is_the_one_of_the_code() -> None:
    assert (ROOT / "data" / "README.md").read_text(encoding="utf-8") == dictionary()


def test_every_column_says_what_it_means() -> None:
    assert all(column.description for schema in TABLES.values() for column in schema.columns().values())


def test_a_broken_table_tells_everything_at_once() -> None:
    broken = pl.concat([DESK.contacts, DESK.contacts]).with_columns(
        opened_at=pl.lit(None, pl.Datetime("us", "UTC")), handle_seconds=pl.lit(-1.0), status=pl.lit(None).cast(DESK.contacts.schema["status"])
    )
    with pytest.raises(TableError) as told:
        check(broken, table="contacts")
    text = str(told.value)
    assert "4 problems" in text
    for part in ("key (source, contact_id) is not unique: 2 of 2", "opened_at: 2 of 2 rows are empty", "handle_seconds", "status"):
        assert part in text


def test_a_resolution_before_the_opening_is_told_with_its_contact() -> None:
    early = DESK.contacts.with_columns(first_resolved_at=pl.col("opened_at").dt.offset_by("-1d"))
    with pytest.raises(TableError, match=r"first_resolved_at lies before opened_at.*1 of 1 rows; first at 'story, A'"):
        check(early, table="contacts")


def test_a_value_outside_its_words_is_told_with_an_example() -> None:
    with pytest.raises(TableError, match="'fax'"):
        conform(DESK.contacts.with_columns(channel=pl.lit("fax")), table="contacts")


def test_what_is_missing_becomes_unknown_and_never_false_by_accident() -> None:
    filled = conform(pl.DataFrame({"source": ["a"], "contact_id": ["1"]}), table="contacts")
    assert filled["customer_ref"].to_list() == [None]
    assert filled["opened_at"].to_list() == [None]
    assert filled["tags"].to_list() == [[]]


def test_a_desk_comes_back_from_disk_as_it_was(tmp_path: Path) -> None:
    folder = DESK.save(tmp_path / "desk")
    back = Desk.load(folder)
    assert back.manifest == DESK.manifest
    for name in TABLES:
        assert_frame_equal(getattr(back, name), getattr(DESK, name))
    assert [path.name for path in tmp_path.iterdir()] == ["desk"]


def test_personal_data_never_reaches_the_disk(tmp_path: Path) -> None:
    raw = replace(DESK, manifest=DESK.manifest.model_copy(update={"redacted": False}))
    with pytest.raises(UsageError, match="redact"):
        raw.save(tmp_path / "desk")
    assert not list(tmp_path.iterdir())


def test_what_people_wrote_beside_the_tables_survives_the_next_import(tmp_path: Path) -> None:
    desk = replace(DESK, manifest=DESK.manifest.model_copy(update={"redacted": True}))
    folder = desk.save(tmp_path / "desk")
    (folder / "actions.toml").write_text("# ours")
    (folder / "stray.parquet").write_bytes(b"old")
    desk.save(folder)
    assert (folder / "actions.toml").read_text() == "# ours"
    assert not (folder / "stray.parquet").exists()


def test_a_desk_does_not_overwrite_what_is_no_desk(tmp_path: Path) -> None:
    (tmp_path / "thesis.txt").write_text("three years of work")
    with pytest.raises(UsageError, match="holds no desk"):
        DESK.save(tmp_path)
    assert (tmp_path / "thesis.txt").read_text() == "three years of work"


def test_a_missing_and_a_damaged_desk_are_told_apart(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="no desk in"):
        Desk.load(tmp_path / "nowhere")
    folder = DESK.save(tmp_path / "desk")
    (folder / "events.parquet").write_bytes(b"not parquet")
    (folder / "surveys.parquet").unlink()
    with pytest.raises(DataError) as told:
        Desk.load(folder)
    assert len(told.value.problems) == 2


def test_the_data_end_must_lie_after_the_data_starts() -> None:
    manifest = Manifest(
        source="s", reader="r", reader_version="1", data_start=datetime(2020, 1, 1, tzinfo=UTC), data_end=datetime(2020, 1, 2, tzinfo=UTC)
    )
    with pytest.raises(DataError, match="lies before the first contact"):
        Desk.build(manifest, contacts=DESK.contacts)


def test_a_desk_without_contacts_is_refused() -> None:
    with pytest.raises(DataError, match="no contacts are left"):
        Desk.build(DESK.manifest, contacts=empty("contacts"))


@pytest.mark.parametrize("text", ["yesterday", "2026-09-30T23:59:59", "2026-13-01T00:00:00Z"])
def test_an_instant_needs_a_zone_and_a_real_day(text: str) -> None:
    with pytest.raises(UsageError):
        instant(text)
