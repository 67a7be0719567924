"""What did customers answer when Zendesk asked them?"""

import json
from datetime import UTC, datetime
from pathlib import Path

import polars as pl
import pytest

from fcrlib.intake import zendesk
from fcrlib.model.desk import Desk

END = datetime(2026, 4, 1, tzinfo=UTC)


def at(day: int) -> str:
    return f"2026-03-{day:02d}T08:00:00Z"


def ticket(number: int, score: str | None, **more: object) -> dict[str, object]:
    rating = score and {"score": score, "id": number, "comment": f"comment {number}", **more}
    return {"id": number, "created_at": at(1), "updated_at": at(9), "status": "solved", "requester_id": 10, "satisfaction_rating": rating}


def read(folder: Path, *tickets: dict[str, object], **lists: list[dict[str, object]]) -> Desk:
    for name, rows in {"tickets": list(tickets), **lists}.items():
        (folder / f"{name}.json").write_text(json.dumps({name: rows}), encoding="utf-8")
    return zendesk.read(folder, data_end=END)


def rating(number: int, score: str) -> dict[str, object]:
    return {"id": number, "ticket_id": number, "score": score, "created_at": at(2), "updated_at": at(3)}


def test_an_answer_inside_a_ticket_carries_its_comment_and_the_time_of_the_last_change(tmp_path):
    desk = read(tmp_path, ticket(1, "bad"), ticket(2, "offered"), ticket(3, "unoffered"), ticket(4, None))
    day = datetime(2026, 3, 9, 8, tzinfo=UTC)
    assert desk.surveys.select("contact_id", "csat_raw", "csat", "answered_at", "comment").rows() == [
        ("1", "bad", 0.0, day, "comment 1"), ("2", None, None, None, "comment 2"),
    ]  # fmt: skip
    assert any(note.startswith("1 ratings stand only inside their ticket") for note in desk.manifest.notes)


def test_an_answer_that_is_listed_is_not_counted_again(tmp_path):
    desk = read(tmp_path, ticket(1, "good"), ticket(2, "offered"), satisfaction_ratings=[rating(1, "good"), rating(2, "offered")])
    assert desk.surveys["contact_id"].to_list() == ["1", "2"]
    assert desk.surveys["answered_at"].to_list() == [datetime(2026, 3, 3, 8, tzinfo=UTC), None]


def test_an_answer_that_came_after_the_list_was_made_is_the_tickets(tmp_path):
    surveys = read(tmp_path, ticket(1, "good"), satisfaction_ratings=[rating(1, "offered")]).surveys
    assert surveys["csat"].sort(nulls_last=True).to_list() == [1.0, None]


def test_the_history_says_when_the_answer_was_given(tmp_path):
    change = {"id": 1, "type": "Change", "field_name": "satisfaction_score", "value": "good", "previous_value": "offered"}
    audits = [{"id": 5, "ticket_id": 1, "created_at": at(4), "author_id": 10, "events": [change]}]
    assert read(tmp_path, ticket(1, "good"), audits=audits).surveys["answered_at"].to_list() == [datetime(2026, 3, 4, 8, tzinfo=UTC)]


@pytest.mark.parametrize(("word", "csat"), [("Good", 1.0), ("Good with comment", 1.0), ("goodwithcomment", 1.0), ("BAD", 0.0), ("Goodish", None)])
def test_the_words_of_a_table_are_answers(tmp_path, word, csat):
    header = "Id,Status,Created at,Updated at,Satisfaction Score"
    (tmp_path / "export.csv").write_text(f"{header}\n1,Solved,{at(1)},{at(2)},{word}\n", encoding="utf-8")
    desk = zendesk.read(tmp_path, data_end=END)
    assert desk.surveys.filter(pl.col("csat").is_not_null())["csat"].to_list() == ([] if csat is None else [csat])
    assert any("ratings without a meaning, left out: Goodish" in note for note in desk.manifest.notes) == (csat is None)
