"""Do the sentences on topics say what was counted, and no more?"""

from __future__ import annotations

import re
from typing import Any

import polars as pl
import pytest

from fcrlib.search.novelty import moved, novelty_rate
from fcrlib.show.telling import topics as telling
from fcrlib.texts.carried import carried

CLAIMS = re.compile(r"\b(because|caus\w*|driv\w*|due to|leads? to|impact|effect of|significant)\b", re.IGNORECASE)
EVIL = "<img src=x onerror=alert(1)>\n# [a](javascript:1)\u202e"


def topic(name: str | None, *, over: bool = False, low: float = -0.02, n: int = 300, failed: int = 90, compared: bool = True) -> dict[str, Any]:
    estimated = {
        "rate": failed / n,
        "rate_low": failed / n - 0.05,
        "rate_high": failed / n + 0.05,
        "rate_alike": 0.2,
        "difference": low + 0.06,
        "low": low,
        "high": low + 0.12,
        "beyond": n * (low + 0.06),
        "p": 0.001,
        "q": 0.01,
    }
    counted = {"topic": name, "n": n, "share": 0.1, "failed": failed, "share_of_failed": failed / 500, "over": over, "too_few": not compared}
    return {**counted, **(estimated if compared else dict.fromkeys(estimated))}


def excess(*rows: dict[str, Any]) -> pl.DataFrame:
    floats = ("rate", "rate_low", "rate_high", "rate_alike", "difference", "low", "high", "beyond", "p", "q")
    return telling.titled(pl.DataFrame(rows, schema_overrides={"topic": pl.String, **dict.fromkeys(floats, pl.Float64)}))


FOUND = excess(
    topic("export", over=True, low=0.05), topic(EVIL, over=True, low=0.02), topic("login", failed=200), topic("rare", n=5, failed=1, compared=False)
)


def test_the_clearest_topic_is_named_with_its_interval_and_the_rest_counted() -> None:
    said = telling.over(FOUND)
    assert (
        said
        == "Export: over-represented among failed contacts, by 11.0 points against contacts alike (+5.0 points to +17.0 points); 1 more topic is over-represented"
    )
    assert telling.over(FOUND.filter(~pl.col("over"))) == "None of 1 topic is over-represented among failed contacts beyond chance"
    assert telling.over(FOUND.filter("too_few")).startswith("No topic has enough contacts")
    assert telling.over(FOUND.clear()).startswith("No topic has enough contacts")


def test_the_largest_topic_is_not_taken_for_an_excess() -> None:
    assert (
        telling.missed(FOUND) == "No topic has more failed contacts than login (40.0 % of them), but it is large rather than clearly over-represented"
    )
    assert telling.missed(FOUND.head(1)).endswith("and it is over-represented, too")
    assert telling.missed(FOUND.tail(1)).endswith("but it could not be compared")
    assert telling.missed(FOUND.clear(), what="reopened") == "No contact was reopened"


def test_findings_carry_their_number_their_grade_and_one_line_of_plain_text() -> None:
    found = telling.over_findings(FOUND, figure="topics-over")
    assert [one.grade for one in found] == ["C", "C"]
    assert found[0].id == "topic-failed-export"
    assert found[0].measure is not None
    assert (found[0].measure.low, found[0].measure.unit, found[0].figures) == (0.05, "points", ("topics-over",))
    assert "\n" not in found[1].title
    assert "\u202e" not in found[1].title
    assert "about 33 contacts more" in found[0].statement
    assert telling.over_findings(FOUND.filter(~pl.col("over")), figure="topics-over") == []


def test_a_finding_is_known_again_by_the_fingerprint_of_its_topic() -> None:
    known = pl.DataFrame({"topic": ["export"], "label": ["file, empty"], "fingerprint": ["5f3a"]})
    again = telling.titled(FOUND.drop("name"), topics=known)
    assert telling.over_findings(again, figure="a")[0].id == "topic-failed-5f3a"
    assert again["name"].to_list()[0] == "file, empty"
    assert again["name"].to_list()[2] == "login"


def test_contacts_without_a_topic_are_called_that() -> None:
    frame = pl.DataFrame({"topic": [1, None]})
    assert telling.titled(frame)["name"].to_list() == ["1", telling.NO_TOPIC]
    named = telling.titled(frame, topics=pl.DataFrame({"topic": [1], "name": ["Wrong amount"]}))
    assert named["name"].to_list() == ["Wrong amount", telling.NO_TOPIC]


def test_the_figure_says_what_its_title_says_and_shows_nothing_of_nothing() -> None:
    drawn = telling.excess_figure(FOUND)
    assert drawn.title == telling.over(FOUND)
    assert drawn.numbers.height == 3
    assert "<img" not in drawn.svg()
    assert telling.excess_figure(FOUND.clear()).svg() == ""


def test_what_was_read_is_counted_with_its_copies() -> None:
    texts = pl.DataFrame({"language": ["en", "en", "de", None], "copies": [2, 2, 1, 1], "representative": [True, False, True, True]})
    assert telling.read(texts) == "4 openings, 3 of them different, the one sent most often 2 times; languages: en, de"
    assert telling.read(texts.tail(1)) == "1 opening, 1 of them different; no language is known"
    assert telling.read(texts.clear()) == "No first contact of this desk has a text"


def periods(*, before: int, after: int) -> pl.DataFrame:
    rows = [("passkey", place < after, place) for place in range(before + after)] + [("rest", place % 2 == 0, 1_000 + place) for place in range(800)]
    return pl.DataFrame(rows, schema=["topic", "later", "customer"], orient="row")


def test_a_topic_that_was_not_there_before_is_told_so_and_not_by_an_endless_ratio() -> None:
    frame = periods(before=0, after=40)
    table = telling.titled(moved(frame))
    assert telling.moves(table) == "Topics against the period before: 1 new, 1 shrinking; most of all passkey, not there before"
    found = telling.new_findings(table, figure="topics-moved")
    assert [one.title for one in found] == ["New topic: passkey, 40 contacts from 40 customers"]
    assert "Nobody did in the period before" in found[0].statement
    assert found[0].grade == "D"
    assert telling.newcomers(novelty_rate(frame, moved=table)).startswith("9.1 % of 440 contacts are about topics that are new (")


def test_a_topic_that_was_rare_before_is_told_by_its_ratio() -> None:
    found = telling.new_findings(telling.titled(moved(periods(before=8, after=80))), figure="topics-moved")
    assert re.search(r"before it was 2\.0 %: now \d\.\d times as frequent", found[0].statement)


def test_where_nothing_moved_nothing_is_said_to_have() -> None:
    frame = periods(before=20, after=20)
    table = telling.titled(moved(frame))
    assert telling.moves(table) == "None of 2 topics became clearly more or less frequent"
    assert telling.newcomers(novelty_rate(frame, moved=table)) == "None of 420 contacts is about a topic that is new"
    alone = frame.filter("later")
    assert telling.moves(telling.titled(moved(alone))) == "There is no earlier period to compare the topics with"
    none = frame.filter(~pl.col("later"))
    assert telling.newcomers(novelty_rate(none, moved=moved(none))) == "There are no contacts in the later period"


def test_carried_topics_are_counted_by_kind() -> None:
    before = pl.DataFrame({"source": "zd", "contact_id": [str(n) for n in range(20)], "topic": [1] * 10 + [2] * 10})
    after = before.with_columns(topic=pl.Series([7] * 10 + [8] * 9 + [9]))
    assert telling.kept(carried(before, after)) == "Of 3 topics: 2 the same as, 1 split from one of the topics of the last period"
    assert telling.kept(carried(before, after).clear()) == "There are no topics to carry over"


def misfiled(*, difference: float, clear: bool) -> pl.DataFrame:
    ends = {"low": difference - 0.05, "high": difference + 0.05, "fcr_low": 0.4, "fcr_high": 0.6, "share": 0.1}
    row = {"topic": "crash", "expected": "mobile", "n": 400, "elsewhere": 40, "mostly": EVIL, "fcr": 0.5, "fcr_matched": 0.5 - difference}
    return telling.titled(pl.DataFrame([{**row, **ends, "difference": difference, "clear": clear}]))


TOPICS = pl.DataFrame({"topic": ["crash"], "n": [400], "expected": ["mobile"]})


def test_contacts_filed_elsewhere_are_counted_and_not_called_mistakes() -> None:
    said = telling.filed(misfiled(difference=-0.2, clear=True), topics=TOPICS)
    assert said.startswith("40 of 400 contacts (10.0 %) are not filed under the category of their topic; most about crash, which reads like mobile")
    assert "\n" not in said
    none = misfiled(difference=-0.2, clear=True).clear()
    assert telling.filed(none, topics=TOPICS) == "All 400 contacts whose topic has a category are filed under it"
    assert telling.filed(none, topics=TOPICS.with_columns(expected=pl.lit(None, pl.String))).startswith("No topic belongs")


@pytest.mark.parametrize(("difference", "word"), [(-0.2, "less often"), (0.2, "more often")])
def test_only_a_clear_difference_is_a_finding(difference: float, word: str) -> None:
    found = telling.filed_findings(misfiled(difference=difference, clear=True), figure="topics-filed")
    assert [word in one.title for one in found] == [True]
    assert found[0].grade == "C"
    assert telling.filed_findings(misfiled(difference=difference, clear=False), figure="topics-filed") == []


def test_nothing_here_claims_a_cause() -> None:
    frame = periods(before=0, after=40)
    found = [
        *telling.over_findings(FOUND, figure="a"), *telling.over_findings(FOUND, figure="a", what="reopened"),
        *telling.new_findings(telling.titled(moved(frame)), figure="a"), *telling.filed_findings(misfiled(difference=-0.2, clear=True), figure="a"),
    ]  # fmt: skip
    said = [telling.over(FOUND), telling.missed(FOUND), *(f"{one.title} {one.statement} {one.why} {one.action}" for one in found)]
    assert not [text for text in said if CLAIMS.search(text)]
