"""Which records does an export hold, and what is said of one that is broken?"""

import gzip
import json
import zipfile
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fcrlib.intake.export import records
from fcrlib.intake.export.kinds import Export, Kind, Paging
from fcrlib.intake.export.records import Records
from fcrlib.model.errors import DataError

DESK = Export(
    "example",
    kinds=(
        Kind(
            "tickets",
            {"id": "id", "url": "url", "at": "created_at", "updated": "updated_at", "channel": "via.channel", "tags": "tags", "text": "plain | text"},
            key=("id",),
            newest="updated",
            needed=("id", "at"),
            texts=("text",),
            inside=(
                Kind("changes", {"ticket": "^id", "at": "at | ^created_at", "value": "value"}, each="log.changes[]"),
                Kind("extras", {"ticket": "^id", "key": "key", "value": "value"}, each="custom{}"),
            ),
        ),
        Kind("users", {"id": "id", "name": "name"}, key=("id",)),
    ),
    paging=Paging(total="count", follows="next_page", last="end_of_stream"),
    host="url",
)


def ticket(number: object, **more: object) -> dict[str, object]:
    return {"id": number, "created_at": "2026-01-01T00:00:00Z", **more}


def write(folder: Path, content: object, *, name: str = "tickets.json") -> Path:
    file = folder / name
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(content if isinstance(content, bytes) else (content if isinstance(content, str) else json.dumps(content)).encode())
    return file


def read(path: Path, **more: int) -> Records:
    return records.read(path, export=DESK, **more)


def ids(found: Records) -> list[str]:
    return found.tables["tickets"]["id"].to_list()


def refusal(path: Path, **more: int) -> str:
    with pytest.raises(DataError) as refused:
        read(path, **more)
    assert refused.value.exit_code == 3
    return str(refused.value)


@pytest.mark.parametrize(
    "content",
    [
        [ticket(1), ticket(2)],
        {"tickets": [ticket(1), ticket(2)], "count": 2, "next_page": None},
        {"count": 2, "meta": {"more": [1]}, "tickets": [ticket(1), ticket(2)]},
        f"{json.dumps(ticket(1))}\n{json.dumps(ticket(2))}\n",
        f"\ufeff{json.dumps(ticket(1))}\r\n\r\n{json.dumps(ticket(2))}",
        json.dumps([ticket(1), ticket(2)], indent=2),
        f"{json.dumps({'tickets': [ticket(1)]})}\n{json.dumps({'tickets': [ticket(2)]})}\n",
        json.dumps([ticket(1), ticket(2)]).encode("utf-16"),
        f"{json.dumps({'type': 'RECORD', 'stream': 'tickets', 'record': ticket(1)})}\n{json.dumps({'stream': 'tickets', 'data': ticket(2)})}\n",
    ],
    ids=["list", "page", "page, list last", "lines", "mark and blank lines", "indented", "pages in lines", "utf-16", "envelopes"],
)
def test_records_are_found_however_they_are_wrapped(tmp_path, content):
    assert ids(read(write(tmp_path, content))) == ["1", "2"]


def test_a_single_record_with_lists_of_its_own_is_a_record(tmp_path):
    found = read(write(tmp_path, ticket(7, users=[{"id": 1}])))
    assert ids(found) == ["7"]
    assert found.tables["users"].is_empty()


def test_folders_zips_and_gz_are_read_as_deep_as_they_go(tmp_path):
    write(tmp_path, [ticket(1)], name="2026/01/tickets.json")
    (tmp_path / "tickets_b.ndjson.gz").write_bytes(gzip.compress(json.dumps(ticket(2)).encode()))
    with zipfile.ZipFile(tmp_path / "more.zip", "w") as archive:
        archive.writestr("inner/tickets.json", json.dumps([ticket(3)]))
        archive.writestr("__MACOSX/tickets.json", "junk")
    write(tmp_path, "notes", name="README.md")
    assert sorted(ids(read(tmp_path))) == ["1", "2", "3"]


def test_a_table_is_read_by_its_headers(tmp_path):
    found = read(write(tmp_path, "Id,Created At,Text,Extra\n1,2026-01-01,-,x\n", name="tickets.csv"))
    assert found.tables["tickets"].select("id", "at", "text").rows() == [("1", "2026-01-01", "-")]
    assert found.unused.rows() == [("tickets", "Extra", 1)]


def test_a_table_named_after_a_kind_that_needs_nothing_is_of_that_kind(tmp_path):
    write(tmp_path, [ticket(1)])
    write(tmp_path, "id,created_at,name\n9,2026-01-01,Jo\n", name="users.csv")
    found = read(tmp_path)
    assert (ids(found), found.tables["users"]["id"].to_list()) == (["1"], ["9"])


def test_numbers_keep_their_digits(tmp_path):
    content = '[{"id": 123456789012345678901, "created_at": 1001.0}, {"id": 1001.0, "created_at": 4.50}]'
    assert read(write(tmp_path, content)).tables["tickets"].select("id", "at").rows() == [("123456789012345678901", "1001"), ("1001", "4.50")]


def test_a_field_of_several_types_survives(tmp_path):
    some = [ticket(1, tags=["a", "b"]), ticket(2, tags="a"), ticket(3, tags=None), ticket(4, tags=True), ticket(5, via="x")]
    assert read(write(tmp_path, some)).tables["tickets"]["tags"].to_list() == ['["a","b"]', "a", None, "true", None]


def test_what_stands_inside_a_record_knows_the_record_around_it(tmp_path):
    some = [ticket(1, log={"changes": [{"value": "x"}, {"value": ["y"], "at": "later"}]}, custom={"Color": "red"}), ticket(2, log="none")]
    found = read(write(tmp_path, some))
    assert found.tables["changes"].select("ticket", "at", "value").rows() == [("1", "2026-01-01T00:00:00Z", "x"), ("1", "later", '["y"]')]
    assert found.tables["extras"].select("ticket", "key", "value").rows() == [("1", "Color", "red")]


def test_of_an_object_whose_keys_are_data_those_are_taken_whose_key_begins_as_asked(tmp_path):
    kind = Kind(
        "tickets", {"id": "id"}, inside=(Kind("extras", {"id": "^id", "key": "key", "value": "value"}, each="fields{custom_}", needed=("value",)),)
    )
    file = write(tmp_path, [{"id": 1, "fields": {"custom_7": "red", "custom_8": None, "body": "long"}}, {"id": 2, "fields": None}])
    found = records.read(file, export=Export("example", kinds=(kind,)))
    assert found.tables["extras"].select("id", "key", "value").rows() == [("1", "custom_7", "red")]


def test_of_records_that_came_twice_the_newest_is_kept_with_what_stands_inside(tmp_path):
    new = ticket(1, updated_at="2026-03-01T00:00:00Z", log={"changes": [{"value": "new"}]})
    old = ticket(1, updated_at="2026-02-01T00:00:00.5Z", log={"changes": [{"value": "old"}, {"value": "older"}]})
    found = read(write(tmp_path, [new, ticket(2), old]))
    assert ids(found) == ["1", "2"]
    assert found.tables["changes"]["value"].to_list() == ["new"]
    assert [(one.what, one.count, one.example) for one in found.dropped] == [("tickets", 1, "1")]


def test_every_row_says_where_it_stood(tmp_path):
    write(tmp_path, f"{json.dumps(ticket(1))}\n\n{json.dumps(ticket(2))}\n", name="tickets_1.ndjson")
    write(tmp_path, {"tickets": [ticket(3)]}, name="tickets_2.json")
    assert read(tmp_path).table("tickets")["fcrlib row"].to_list() == ["tickets_1.ndjson:1", "tickets_1.ndjson:3", "tickets_2.json:1"]


def test_half_an_emoji_does_not_stop_the_reading(tmp_path):
    content = '[{"id": 1, "created_at": "x", "text": "ok \\ud83d"}]'
    assert read(write(tmp_path, content)).tables["tickets"]["text"].to_list() == ["ok ?"]


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ('{"tickets": [{"id": 1, "created_at": "x"}, {"id": 2', "row 1 is cut off"),
        ('{"id": 1, "created_at": "x"}\n{"id": 2, "created', "row 2 is cut off"),
        ('{"id": 1, "created_at": "x"}\n{"id": 2,, "created_at": 1}\n' + " " * 100, "row 2 is no JSON"),
        (b"\x00\x01\x02\x03binary", "no text"),
        (b"", "is empty"),
        ("<html>Sign in</html>", "is no JSON: it begins with '<html>Sign in"),
        ("[1, 2]", "is no record but"),
        (b'{"id": 1, "created_at": "\xff\xfe"}', "is not UTF-8: row 1"),
        ("[" * 100_000, "is no record but|nested too deeply"),
        ('{"id": 1, "created_at": ' + "[" * 100_000, "nested too deeply"),
    ],
    ids=["page cut", "line cut", "broken", "binary", "empty", "a web page", "numbers", "not UTF-8", "deep list", "deep record"],
)
def test_a_broken_file_is_named_with_its_row(tmp_path, content, said):
    text = refusal(write(tmp_path, content))
    assert "tickets.json" in text
    assert any(part in text for part in said.split("|")), text


LONG = [ticket(number, custom={"a, {": number, "b": [{"id": 2, "created_at": "x"}, {"id": 3}]}, text="y" * 400) for number in range(1, 6_001)]


@pytest.mark.parametrize(
    "content",
    [
        json.dumps(LONG, separators=(",", ":")),
        json.dumps(LONG, indent=2),
        json.dumps({"tickets": LONG, "next_page": None, "count": 6_000}),
        json.dumps({"next_page": None, "tickets": LONG}, indent=1),
        "".join(f"{json.dumps(one)}\n" for one in LONG),
        "\r\n\r\n".join(json.dumps(one) for one in LONG),
        "".join(f"{json.dumps({'tickets': LONG[at : at + 50]})}\n" for at in range(0, 6_000, 50)),
        "\n".join(json.dumps(one, indent=1) for one in LONG[:1_500]),
        json.dumps(LONG).encode("utf-16"),
    ],
    ids=["list", "indented list", "page", "page, list last", "lines", "lines with blanks", "pages in lines", "indented records", "utf-16"],
)
def test_a_long_file_is_read_block_by_block_without_a_gap(tmp_path, content):
    found = read(write(tmp_path, content))
    assert ids(found) == [str(number) for number in range(1, found.tables["tickets"].height + 1)]
    assert found.tables["tickets"].height == (1_500 if isinstance(content, str) and content.startswith('{\n "id"') else 6_000)
    assert set(found.tables["tickets"]["text"].str.len_chars()) == {400}
    assert found.tables["extras"].filter(key="a, {")["value"].to_list() == ids(found)
    assert found.dropped == ()


def test_a_line_that_only_the_careful_way_understands_stops_nothing(tmp_path):
    lines = [json.dumps(ticket(number)) for number in range(1, 9_001)]
    lines[4_000] = '{"id": 4001, "created_at": NaN, "text": "a tab:\t!"}'
    lines[6_000] = json.dumps(ticket(6_001), indent=1)
    found = read(write(tmp_path, "\n".join(lines)))
    assert ids(found) == [str(number) for number in range(1, 9_001)]
    assert found.tables["tickets"].select("at", "text").row(4_000) == (None, "a tab:\t!")
    rows = found.table("tickets")["fcrlib row"]
    height = lines[6_000].count("\n")
    assert rows.gather([3_999, 4_000, 6_000, 6_001]).to_list() == [f"tickets.json:{row}" for row in (4_000, 4_001, 6_001, 6_002 + height)]


def test_what_is_broken_far_down_a_long_file_is_named_with_its_row(tmp_path):
    lines = [json.dumps(ticket(number, text="z" * 300)) for number in range(1, 9_001)]
    assert "tickets.json: row 7,001 is no JSON" in refusal(write(tmp_path, "\n".join([*lines[:7_000], '{"id": 7001,, }', *lines[7_000:]])))
    assert "tickets.json: row 9,001 is cut off" in refusal(write(tmp_path, "\n".join([*lines, '{"id": 9001, "te'])))
    assert "tickets.json: row 8,001 is no record but" in refusal(write(tmp_path, "\n".join([*lines[:8_000], "17", *lines[8_000:]])))
    assert "is not UTF-8: row 8,001" in refusal(write(tmp_path, "\n".join(lines[:8_000]).encode() + b'\n{"id": "\xff"}\n' + lines[8_000].encode()))


def test_whole_numbers_in_lists_and_objects_are_texts_as_the_same_number_alone_is(tmp_path):
    some = [ticket(1, tags=[1, 2.50, True, None, {"a": 7}]), ticket(2, tags=7), ticket(3, tags=False)]
    assert read(write(tmp_path, some)).tables["tickets"]["tags"].to_list() == ['["1","2.5",true,null,{"a":"7"}]', "7", "false"]


def test_a_giant_record_is_refused(tmp_path):
    content = f"{json.dumps(ticket(1))}\n{json.dumps(ticket(2, text='x' * 5_000_000))}\n"
    assert "row 2 is longer than 2 MiB" in refusal(write(tmp_path, content), longest=2 * 2**20)


def test_everything_wrong_is_said_at_once(tmp_path):
    write(tmp_path, "{", name="tickets_1.json")
    write(tmp_path, "nothing", name="users.json")
    write(tmp_path, [{"id": 1, "opened": "x"}], name="tickets_2.json")
    text = refusal(tmp_path)
    assert "tickets_1.json: row 1 is cut off" in text
    assert "users.json is no JSON" in text
    assert "'created_at' (at) is in none of 1 records; was it renamed? there are id, opened" in text


@pytest.mark.parametrize(
    ("pages", "said"),
    [
        (
            [{"tickets": [ticket(1)], "next_page": "https://x.example/t.json?page=2"}],
            "page 2, which 'tickets_1.json' names as the next one, is not there",
        ),
        ([{"tickets": [ticket(1)], "end_of_stream": False}], "the last page is missing"),
        ([{"tickets": [ticket(1)], "count": 5}], "the export counts 5 records, but 1 are there"),
    ],
    ids=["named", "no end", "counted"],
)
def test_a_missing_page_is_missed(tmp_path, pages, said):
    for number, page in enumerate(pages, start=1):
        write(tmp_path, page, name=f"tickets_{number}.json")
    assert said in refusal(tmp_path)


def test_a_gap_in_numbered_files_is_missed_and_dates_are_none(tmp_path):
    for number in (1, 2, 4):
        write(tmp_path, {"tickets": [ticket(number)]}, name=f"tickets_{number}.json")
    assert "number 3 is not there, but 4 is" in refusal(tmp_path)
    dated = tmp_path / "dated"
    for number in (20260101, 20260201, 20260301):
        write(dated, {"tickets": [ticket(number)]}, name=f"tickets_{number}.json")
    assert len(ids(read(dated))) == 3


def test_two_desks_in_one_folder_are_refused(tmp_path):
    some = [ticket(1, url="https://a.example.com/1"), ticket(2, url="https://b.example.com/2"), ticket(3, url="https://a.example.com/3")]
    assert "records of 2 desks are mixed: a.example.com (2), b.example.com (1)" in refusal(write(tmp_path, some))


def test_an_id_that_a_spreadsheet_shortened_is_refused(tmp_path):
    assert "shortened by a spreadsheet, e.g. '6.02E+11'" in refusal(write(tmp_path, "id,created_at\n6.02E+11,x\n", name="tickets.csv"))


def test_another_system_is_told_by_its_fields(tmp_path):
    other = {"results": [{"id": "1", "properties": {}, "archived": False}]}
    assert "it looks like hubspot, try `fcr import hubspot`" in refusal(write(tmp_path, other, name="export.json"))


def test_an_empty_archive_and_a_damaged_one_and_nothing_at_all(tmp_path):
    with zipfile.ZipFile(tmp_path / "empty.zip", "w"):
        pass
    assert "an archive without a file to read" in refusal(tmp_path / "empty.zip")
    (tmp_path / "cut.json.gz").write_bytes(gzip.compress(json.dumps([ticket(1)] * 500).encode())[:60])
    assert "cut.json.gz is damaged or was cut off" in refusal(tmp_path / "cut.json.gz")
    assert "does not exist" in refusal(tmp_path / "nowhere")
    (tmp_path / "bare" / "tickets.json").mkdir(parents=True)
    assert "holds nothing to read" in refusal(tmp_path / "bare")


def test_the_reading_tells_how_much_there_was(tmp_path):
    lines: list[str] = []
    records.read(write(tmp_path, [ticket(number) for number in range(2_000)]), export=DESK, tell=lines.append)
    assert lines == ["2,000 records read"]


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=True) | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["id", "created_at", "tickets", "users", "log", "changes", "via"]), inner, max_size=4)
    ),
    max_leaves=12,
)
FUZZED = settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


@FUZZED
@given(
    content=st.one_of(
        st.binary(max_size=200),
        VALUES.map(lambda value: json.dumps(value).encode()),
        st.text(max_size=100).map(lambda t: t.encode("utf-8", "replace")),
    )
)
def test_whatever_is_in_a_file_it_is_read_or_refused_in_words(tmp_path, content):
    with suppress(DataError):
        found = read(write(tmp_path, content))
        assert found.tables["tickets"]["id"].null_count() < found.tables["tickets"].height


@FUZZED
@given(data=st.data())
def test_no_row_is_silently_wrong(tmp_path, data):
    texts = st.text(st.characters(exclude_categories=("Cs",)), max_size=20)
    numbers = data.draw(st.lists(st.integers(0, 10**25), max_size=6, unique=True).filter(bool))
    said = {str(number): data.draw(texts) for number in numbers}
    some = [ticket(number, plain=said[str(number)]) for number in numbers]
    form = data.draw(st.sampled_from(["list", "page", "lines", "indented"]))
    content = {
        "list": json.dumps(some),
        "page": json.dumps({"count": len(some), "tickets": some, "next_page": None}, ensure_ascii=False),
        "lines": "\n\n".join(json.dumps(one) for one in some),
        "indented": json.dumps({"tickets": some}, indent=1),
    }[form]
    found = read(write(tmp_path, content.encode())).tables["tickets"]
    assert dict(found.select("id", "text").iter_rows()) == said
    cut = content[: data.draw(st.integers(1, max(len(content.rstrip()) - 1, 1)))]
    try:
        left = read(write(tmp_path, cut.encode())).tables["tickets"]
    except DataError:
        return
    assert form == "lines"
    assert left["id"].to_list() == [str(number) for number in numbers][: left.height]
