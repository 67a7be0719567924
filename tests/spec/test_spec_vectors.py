"""Does "resolved on first contact" mean what we wrote? Every hand-worked story must get its expected labels."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest
from storytelling import desk_of, policy_of, read_stories

from fcrlib.judge.outcomes import judge

OWN = Path(__file__).parent


def stories() -> list[dict[str, Any]]:
    """The vector file named by FCR_VECTORS, else the stories kept here."""
    if file := os.environ.get("FCR_VECTORS"):
        return json.loads(Path(file).read_text(encoding="utf-8"))
    return [story for file in sorted(OWN.glob("*.stories.md")) for story in read_stories(file)]


@pytest.mark.parametrize("story", stories(), ids=lambda story: story["name"])
def test_story_gets_its_labels(story: dict[str, Any]) -> None:
    desk = desk_of(story["contacts"], data_end=story["data_end_h"])
    outcomes = judge(desk, policy=policy_of(story["policy"]))
    told = {row["contact_id"]: row for row in outcomes.to_dicts()}
    wrong = [line for contact, expected in story["expect"].items() for line in disagreements(contact, expected, told[contact])]
    assert not wrong, "\n".join(wrong)


def disagreements(contact: str, expected: str | dict[str, Any], row: dict[str, Any]) -> list[str]:
    """What an outcome says otherwise than the story expects. A reason must be among those recorded."""
    wanted = {"label": expected} if isinstance(expected, str) else expected
    found = [f"{contact}: label {row['label']} ({row['reason']}), expected {wanted['label']}"] if row["label"] != wanted["label"] else []
    if not found and "reason" in wanted and wanted["reason"] not in row["reasons"]:
        found.append(f"{contact}: reasons {row['reasons']}, expected {wanted['reason']}")
    if not found and "reasons" in wanted and set(row["reasons"]) != set(wanted["reasons"]):
        found.append(f"{contact}: reasons {row['reasons']}, expected {wanted['reasons']}")
    if not found and "of" in wanted and row["repeat_of"] != wanted["of"]:
        found.append(f"{contact}: repeat of {row['repeat_of']}, expected {wanted['of']}")
    return found
