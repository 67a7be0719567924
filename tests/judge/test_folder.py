"""Does judging slice by slice give the labels of judging at once?"""

from pathlib import Path

import polars as pl
import pytest
from polars.testing import assert_frame_equal
from storytelling import desk_of, read_stories

from fcrlib.judge.folder import judge_folder
from fcrlib.judge.outcomes import judge
from fcrlib.model.errors import UsageError
from fcrlib.model.policy import Policy

STORIES = read_stories(Path(__file__).parents[1] / "spec" / "rules.stories.md")


def one_big_desk() -> list[dict]:
    """All stories as one desk, each with customers and ids of its own."""

    def own(word: str | None, number: int) -> str | None:
        return None if word is None else f"{number:02}{word}"

    links = ("id", "customer", "follow_up_of", "parent_id", "merged_into", "issue_key")
    return [
        {**contact, **{link: own(contact.get(link), number) for link in links}}
        for number, story in enumerate(STORIES)
        for contact in story["contacts"]
    ]


@pytest.mark.parametrize("size", [pytest.param(1, marks=pytest.mark.slow), 7, 1000])
def test_slices_and_the_whole_agree(tmp_path: Path, size: int) -> None:
    desk = desk_of(one_big_desk(), data_end=800)
    folder = desk.save(tmp_path / "desk")
    out = judge_folder(folder, policy=Policy(), to=tmp_path / "outcomes", contacts_at_once=size)
    assert_frame_equal(pl.read_parquet(out / "*.parquet"), judge(desk, policy=Policy()))


def test_comparing_texts_needs_the_whole_desk(tmp_path: Path) -> None:
    folder = desk_of(one_big_desk(), data_end=800).save(tmp_path / "desk")
    with pytest.raises(UsageError, match="whole desk"):
        judge_folder(folder, policy=Policy(same_issue="text"), to=tmp_path / "outcomes")
