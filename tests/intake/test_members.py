"""Which files does an export consist of, and what is said of an archive or a folder that cannot be opened?"""

import gzip
import json
import os
import zipfile
from pathlib import Path

import pytest

from fcrlib.intake.export import records
from fcrlib.intake.export.kinds import Export, Kind
from fcrlib.intake.export.members import members, opened
from fcrlib.intake.export.records import Records
from fcrlib.model.errors import DataError

DESK = Export("example", kinds=(Kind("tickets", {"id": "id", "text": "text"}, key=("id",), needed=("id",)),))


def read(path: Path) -> Records:
    return records.read(path, export=DESK)


def ids(path: Path) -> list[str]:
    return read(path).tables["tickets"]["id"].to_list()


def tickets(*numbers: int) -> str:
    return "".join(f"{json.dumps({'id': number})}\n" for number in numbers)


def packed(content: dict[str, str | bytes], *, file: Path) -> Path:
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, text in content.items():
            archive.writestr(name, text)
    return file


def refusal(path: Path) -> str:
    with pytest.raises(DataError) as refused:
        read(path)
    assert refused.value.exit_code == 3
    return str(refused.value)


def test_files_come_in_the_order_in_which_people_count(tmp_path):
    names = [f"tickets_{number}.ndjson" for number in (1, 2, 10, 11, 100)]
    for name in names[::-1]:
        (tmp_path / name).write_text(tickets(1))
    assert [member.name for member in members(tmp_path)] == names
    archive = packed(dict.fromkeys(names[::-1], tickets(1)), file=tmp_path / "all.zip")
    assert [member.inside for member in members(archive)] == names


def test_a_gz_in_a_zip_in_a_folder_of_folders_is_read(tmp_path):
    deep = tmp_path / "2026" / "01" / "second half"
    deep.mkdir(parents=True)
    packed({"a/tickets.ndjson.gz": gzip.compress(tickets(1, 2).encode()), "b/tickets.json": tickets(3)}, file=deep / "more.zip")
    assert ids(tmp_path) == ["1", "2", "3"]


def test_what_a_computer_leaves_in_a_folder_is_passed_over(tmp_path):
    (tmp_path / "tickets.ndjson").write_text(tickets(1))
    (tmp_path / ".DS_Store").write_bytes(b"\x00\x01")
    (tmp_path / "._tickets.ndjson").write_bytes(b"\x00\x05\x16\x07")
    (tmp_path / "__MACOSX").mkdir()
    (tmp_path / "__MACOSX" / "tickets.ndjson").write_text("junk")
    packed({"tickets.ndjson": tickets(2), "__MACOSX/._tickets.ndjson": b"\x00", ".DS_Store": b"\x00"}, file=tmp_path / "tickets_2.zip")
    assert ids(tmp_path) == ["1", "2"]


def test_an_archive_that_holds_nothing_to_read_is_named(tmp_path):
    assert "empty.zip is an archive without a file to read" in refusal(packed({}, file=tmp_path / "empty.zip"))
    assert "other.zip is an archive without a file to read" in refusal(packed({"README.md": "x"}, file=tmp_path / "other.zip"))


def test_an_archive_in_an_archive_is_refused_by_name(tmp_path):
    inner = packed({"tickets.ndjson": tickets(1)}, file=tmp_path / "inner.zip").read_bytes()
    outer = packed({"inner.zip": inner}, file=tmp_path / "outer.zip")
    assert "outer.zip/inner.zip is an archive inside an archive: unpack the outer one and give the folder" in refusal(outer)


def test_a_locked_archive_is_refused_by_name(tmp_path):
    file = packed({"tickets.ndjson": tickets(1)}, file=tmp_path / "locked.zip")
    # Encryption is told by a bit that stands in front of the file and again in the list at the end.
    data = bytearray(file.read_bytes())
    for mark, place in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        data[data.index(mark) + place] |= 1
    file.write_bytes(data)
    assert "locked.zip/tickets.ndjson is locked with a password" in refusal(file)


@pytest.mark.slow
@pytest.mark.parametrize("begins", ['{"id": 1, "text": "', '{"id": 1, "text": ', '{"id": ["'], ids=["a text", "a number", "a list"])
def test_a_line_that_unpacks_to_hundreds_of_megabytes_is_stopped_early(tmp_path, begins):
    file = tmp_path / "bomb.zip"
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive, archive.open("tickets.json", "w") as out:
        out.write(begins.encode())
        for _ in range(300):
            out.write(b"1" * 2**20)
    text = refusal(file)
    assert "bomb.zip/tickets.json: row 1 is longer than 64 MiB: no helpdesk writes such a record" in text
    (member,) = members(file)
    assert member.size > 300 * 2**20 > 100 * file.stat().st_size


def test_links_that_lead_back_end_and_a_link_to_a_file_is_a_file(tmp_path):
    inner = tmp_path / "inner"
    inner.mkdir()
    (inner / "tickets.ndjson").write_text(tickets(1))
    (inner / "around").symlink_to(tmp_path, target_is_directory=True)
    (inner / "nowhere.ndjson").symlink_to(tmp_path / "missing.ndjson")
    (tmp_path / "tickets_2.ndjson").symlink_to(inner / "tickets.ndjson")
    assert [member.name for member in members(tmp_path)] == ["inner/tickets.ndjson", "tickets_2.ndjson"]


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_folder_or_file_that_must_not_be_read_is_named(tmp_path):
    (tmp_path / "tickets.ndjson").write_text(tickets(1))
    shut = tmp_path / "shut"
    shut.mkdir(mode=0)
    try:
        assert f"{shut} cannot be opened: Permission denied" in refusal(tmp_path)
    finally:
        shut.chmod(0o700)
    (tmp_path / "tickets.ndjson").chmod(0)
    assert "tickets.ndjson cannot be opened: Permission denied" in refusal(tmp_path)


def test_how_much_has_been_read_of_a_member_comes_to_its_size(tmp_path):
    (tmp_path / "plain.ndjson").write_text(tickets(*range(5_000)))
    (tmp_path / "single.ndjson.gz").write_bytes(gzip.compress(tickets(*range(5_000)).encode()))
    packed({"inside.ndjson": tickets(*range(5_000))}, file=tmp_path / "several.zip")
    for member in members(tmp_path):
        read: list[int] = []
        with opened(member, passed=read.append) as stream:
            stream.read()
        assert sum(read) == member.size, member.name
