"""Do the analyst's names survive a refit, and a careless hand in the file?"""

from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest

from fcrlib.model.errors import UsageError
from fcrlib.model.topic_names import Names, read_names, write_names
from fcrlib.texts.renames import kept, renamed

BEFORE = pl.DataFrame({"topic": [1, 2], "fingerprint": ["aaa", "bbb"]})
NOW = pl.DataFrame({"topic": [5, 6, 7], "fingerprint": ["aaa", "ccc", "ddd"], "label": ["amount, sum", "export, empty", "login"]})
CARRIED = pl.DataFrame({"topic": [5, 6, 7], "kind": ["same", "same", "split"], "of": [[1], [2], [2]]})
GIVEN = Names.of({"aaa": "Wrong amount", "bbb": "Empty export"})


@pytest.mark.parametrize("name", ['He said "no"', "C:\\new\\table", "Größe 🚀 = falsch", "[[topic]]", "name = 'x' # y", "</script>{{7*7}}"])
def test_a_name_is_read_back_as_it_was_written(tmp_path: Path, name: str) -> None:
    file = tmp_path / "topics.toml"
    write_names(file, names=Names.of({"5f3a": name, "b": "two"}))
    assert read_names(file).known == {"5f3a": name, "b": "two"}
    assert [one.name for one in tmp_path.iterdir()] == ["topics.toml"]


def test_a_file_that_is_not_there_names_nothing(tmp_path: Path) -> None:
    assert read_names(tmp_path / "none.toml").known == {}


def test_every_mistake_of_the_file_is_listed() -> None:
    text = '[[topic]]\nfingerprint = ""\nname = "a\\nb"\n[[topic]]\nfingerprint = "x"\nname = "ok"\ncolour = "red"\n'
    with pytest.raises(UsageError, match="has mistakes") as error:
        Names.parse(text, name="topics.toml")
    assert len(error.value.problems) == 3
    with pytest.raises(UsageError, match="more than once"):
        Names.parse('[[topic]]\nfingerprint = "x"\nname = "a"\n' * 2, name="topics.toml")
    with pytest.raises(UsageError, match="cannot be read"):
        Names.parse("[[topic", name="topics.toml")


@pytest.mark.parametrize("name", ["", " a", "a\u202eb", "a\x7f", "x" * 81, "a\nb"])
def test_a_name_is_one_plain_line(name: str) -> None:
    with pytest.raises(UsageError):
        Names.of({"a": name})


def test_a_name_goes_by_the_fingerprint_or_with_the_same_topic() -> None:
    table = renamed(NOW, names=GIVEN, carried=CARRIED, before=BEFORE)
    assert table.select("name", "named_by").rows() == [("Wrong amount", "analyst"), ("Empty export", "carried"), ("login", "found")]
    alone = renamed(NOW, names=GIVEN)
    assert alone["named_by"].to_list() == ["analyst", "found", "found"]


def test_of_two_topics_that_would_carry_one_name_nobody_does() -> None:
    both = CARRIED.with_columns(kind=pl.lit("same"))
    assert renamed(NOW, names=GIVEN, carried=both, before=BEFORE)["named_by"].to_list() == ["analyst", "found", "found"]


def test_carried_names_are_kept_for_the_next_period_and_old_ones_are_not_lost() -> None:
    names = kept(GIVEN, renamed=renamed(NOW, names=GIVEN, carried=CARRIED, before=BEFORE))
    assert names.known == {"aaa": "Wrong amount", "bbb": "Empty export", "ccc": "Empty export"}
    assert renamed(NOW, names=names)["named_by"].to_list() == ["analyst", "analyst", "found"]
