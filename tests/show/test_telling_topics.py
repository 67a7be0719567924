"""Do the sentences on topics say what was counted, and no more?"""

from __future__ import annotations

import re
from typing import Any

import polars as pl
import pytest

from fcrlib.search.novelty import moved, novelty_rate
from fcrlib.show.quote import quote as one_line
from fcrlib.show.telling import topics as telling
from fcrlib.texts.carried import carried
from fcrlib.texts.reading import Reading

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
    assert telling.over(FOUND.clear()) == "There is no topic to compare"


def test_the_largest_topic_is_not_taken_for_an_excess() -> None:
    assert telling.missed(FOUND) == "No topic has more failed contacts than login (40.0 % of them), but it is not clearly over-represented"
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
    assert telling.read(texts.clear()) == "No first contact of these periods has a text"


def periods(*, before: int, after: int) -> pl.DataFrame:
    rows = [("passkey", place < after, place) for place in range(before + after)] + [("rest", place % 2 == 0, 1_000 + place) for place in range(800)]
    return pl.DataFrame(rows, schema=["topic", "later", "customer"], orient="row")


def test_a_topic_that_was_not_there_before_is_told_so_and_not_by_an_endless_ratio() -> None:
    frame = periods(before=0, after=40)
    table = telling.titled(moved(frame))
    assert telling.moves(table) == "Topics against the earlier period: 1 new, 1 shrinking; most of all passkey, not there before"
    found = telling.new_findings(table, figure="topics-moved")
    assert [one.title for one in found] == ["New topic “passkey”: 40 contacts from 40 customers"]
    assert "Nobody did in the earlier period" in found[0].statement
    assert found[0].grade == "D"
    assert telling.newcomers(novelty_rate(frame, moved=table)).startswith("9.1 % of 440 contacts are about topics that are new (")


def test_a_topic_that_was_rare_before_is_told_by_its_ratio() -> None:
    found = telling.new_findings(telling.titled(moved(periods(before=8, after=80))), figure="topics-moved")
    assert re.search(r"In the earlier period it was 2\.0 %: now \d\.\d times as frequent", found[0].statement)


def test_where_nothing_moved_nothing_is_said_to_have() -> None:
    frame = periods(before=20, after=20)
    table = telling.titled(moved(frame))
    assert telling.moves(table) == "None of 2 topics became clearly more or less frequent"
    assert telling.newcomers(novelty_rate(frame, moved=table)) == "None of 420 contacts is about a topic that is new"
    alone = frame.filter("later")
    assert telling.moves(telling.titled(moved(alone))) == "There are no topics of two periods to compare"
    none = frame.filter(~pl.col("later"))
    assert telling.newcomers(novelty_rate(none, moved=moved(none))).endswith("is not known: there are no topics of two periods to compare")


def test_carried_topics_are_counted_by_kind() -> None:
    before = pl.DataFrame({"source": "zd", "contact_id": [str(n) for n in range(20)], "topic": [1] * 10 + [2] * 10})
    after = before.with_columns(topic=pl.Series([7] * 10 + [8] * 9 + [9]))
    assert telling.kept(carried(before, after)) == "Of 3 topics: 2 the same as, 1 split from one of the topics of the earlier period"
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
    assert telling.filed(none, topics=TOPICS) == "None of 400 contacts whose topic has a category is filed under another"
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


def known(*rows: tuple[int, str, bool | None], quote: str | None = "the export is empty") -> pl.DataFrame:
    """Topics as a study has them: number, label, stable."""
    frame = pl.DataFrame(rows, schema={"topic": pl.Int32, "name": pl.String, "stable": pl.Boolean}, orient="row")
    words = {"phrases": [[name, EVIL] for name in frame["name"]], "fingerprint": [f"f{topic}" for topic in frame["topic"]]}
    rest = {"n": [100 - topic for topic in frame["topic"]], "stability": [0.8] * frame.height, "quote": [quote] * frame.height}
    kinds = {"phrases": pl.List(pl.String), "fingerprint": pl.String, "n": pl.Int64, "stability": pl.Float64, "quote": pl.String}
    return frame.with_columns(pl.Series(name, values, dtype=kinds[name]) for name, values in {**words, **rest}.items())


def numbered(*rows: dict[str, Any], topics: pl.DataFrame) -> pl.DataFrame:
    return telling.titled(excess(*rows).drop("name").with_columns(pl.col("topic").cast(pl.Int32)), topics=topics)


def found_in(topics: pl.DataFrame, levels: list[str]) -> Reading:
    return Reading(pl.DataFrame(), pl.DataFrame({"level": levels}), topics, pl.DataFrame(), None)


def test_how_many_topics_hold_is_counted_with_their_contacts() -> None:
    topics = known((0, "export", True), (1, "login", False), (2, "seats", None)).with_columns(n=pl.Series([5, 3, 1]))
    said = telling.held(found_in(topics, ["sure"] * 6 + ["doubtful"] * 3 + ["none"]))
    assert (
        said == "3 topics, 1 of them stable, with 50.0 % of the contacts; 60.0 % of the contacts lie surely in theirs, 40.0 % doubtfully or in none"
    )
    assert telling.held(found_in(topics.clear(), [])) == "No topic was found"


def test_the_largest_topics_are_listed_first_and_the_rest_counted() -> None:
    table = telling.listed(known((2, "seats", True), (1, EVIL, False), (0, "export", True), quote=EVIL), most=2)
    assert table.title == "The largest topic is “export” with 100 contacts"
    assert table.note.startswith("The 2 largest of 3 topics.")
    said = table.numbers.select("name", "said").rows()
    assert [len(said), *(line for row in said for line in row if "\n" in line or "\u202e" in line)] == [2]
    assert "<img" not in table._repr_mimebundle_()["text/html"]
    assert telling.listed(known()).title == "No topic was found"


def test_the_topics_looked_into_are_the_first_of_each_question_else_the_one_with_most_failures() -> None:
    topics = known((0, "export", True), (1, "login", True), (2, "seats", True))
    one, other = (
        numbered(topic("0", over=True), topic("1", failed=200), topics=topics),
        numbered(topic("2", over=True), topic(None, over=True), topics=topics),
    )
    assert telling.largest_over(one, other) == [0, 2]
    assert telling.largest_over(one, other, most=1) == [0]
    quiet = numbered(topic(None, failed=280), topic("0"), topic("1", failed=200), topics=topics)
    assert telling.largest_over(quiet) == [1]
    assert telling.largest_over(quiet.with_columns(failed=pl.lit(0))) == []


def test_finer_topics_are_counted_and_each_topic_shows_its_largest() -> None:
    kinds = {
        "topic": pl.Int32,
        "label": pl.String,
        "n": pl.Int64,
        "share": pl.Float64,
        "stability": pl.Float64,
        "stable": pl.Boolean,
        "quote": pl.String,
    }
    rows = [(at, EVIL, 9, 0.2, 0.9, at == 0 and part == 0, EVIL) for at in (0, 1) for part in range(3)]
    parts = pl.DataFrame(rows, schema=kinds, orient="row")
    table = telling.inner(parts, topics=known((0, "export", True), (1, "login", True)), most=2)
    assert table.title == "Inside 2 topics, the failed contacts fall into 6 finer ones, 1 of them stable"
    assert table.numbers["name"].to_list() == ["export", "export", "login", "login"]
    assert table.note == "The 2 largest of each topic."
    assert "<img" not in table._repr_mimebundle_()["text/html"]
    assert telling.inner(parts.tail(3), topics=known((1, "login", True))).title.endswith("3 finer ones, none of them stable")
    assert telling.inner(parts.clear(), topics=known()).title.startswith("No topic was looked into more finely")


def test_the_table_of_moves_leaves_out_what_is_steady_and_what_has_no_topic() -> None:
    frame = periods(before=0, after=40)
    without = pl.DataFrame([(None, True, 5_000 + place) for place in range(200)], schema=frame.schema, orient="row")
    table = telling.moved_table(telling.titled(moved(pl.concat([frame, without]))))
    assert table.numbers.filter(pl.col("topic").is_null() | (pl.col("kind") == "steady")).is_empty()
    assert table.title.startswith("Topics against the earlier period: 1 new")
    assert table.numbers["name"][0] == "passkey"


def test_the_table_of_what_is_filed_elsewhere_says_what_its_title_says() -> None:
    table = telling.filed_table(misfiled(difference=-0.2, clear=True), topics=TOPICS)
    assert table.title == telling.filed(misfiled(difference=-0.2, clear=True), topics=TOPICS)
    assert "<img" not in table._repr_mimebundle_()["text/html"]
    one = misfiled(difference=-0.2, clear=True).with_columns(elsewhere=pl.lit(1))
    assert "1 of 400 contacts (0.2 %) is not filed" in telling.filed(one, topics=TOPICS)


def test_no_finding_rests_on_a_topic_that_does_not_hold() -> None:
    topics = known((0, "export", False), (1, "login", True), (2, "seats", None))
    over = numbered(topic("0", over=True), topic("1", over=True), topic("2", over=True), topics=topics)
    assert [one.id for one in telling.over_findings(over, figure="a", topics=topics)] == ["topic-failed-f1"]
    fresh = periods(before=0, after=40).with_columns(topic=pl.when(pl.col("topic") == "passkey").then(0).otherwise(1).cast(pl.Int32))
    table = telling.titled(moved(fresh), topics=topics)
    assert telling.new_findings(table, figure="a", topics=topics) == []
    assert len(telling.new_findings(table, figure="a", topics=topics.with_columns(stable=pl.lit(True)))) == 1
    elsewhere = telling.titled(misfiled(difference=-0.2, clear=True).drop("name").with_columns(topic=pl.lit(0, pl.Int32)), topics=topics)
    assert telling.filed_findings(elsewhere, figure="a", topics=topics) == []
    assert len(telling.filed_findings(elsewhere, figure="a", topics=topics.with_columns(stable=pl.lit(True)))) == 1


def test_a_finding_quotes_one_line_of_plain_text_and_nothing_where_nothing_was_kept() -> None:
    topics = known((0, "export", True), quote=EVIL + "x" * 1_000)
    said = telling.over_findings(numbered(topic("0", over=True), topics=topics), figure="a", topics=topics)[0].examples
    assert [ref for ref, _ in said] == ["the opening nearest to the middle of the topic"]
    assert not {"\n", "\u202e"} & set(said[0][1])
    assert said[0][1] == one_line(EVIL + "x" * 1_000)
    silent = known((0, "export", True), quote=None)
    assert telling.over_findings(numbered(topic("0", over=True), topics=silent), figure="a", topics=silent)[0].examples == ()


def test_contacts_without_a_topic_are_shown_and_never_named_as_one() -> None:
    found = excess(topic(None, over=True, failed=300), topic("login"))
    assert telling.over(found) == "None of 1 topic is over-represented among failed contacts beyond chance"
    assert telling.missed(found).startswith("No topic has more failed contacts than login")
    assert telling.over_findings(found, figure="a") == []
    assert telling.NO_TOPIC in telling.excess_figure(found).numbers["name"].to_list()
    assert telling.missed(found.head(1)) == "No contact that is known to be about a topic failed"
    assert (
        telling.moves(telling.titled(moved(periods(before=9, after=9).with_columns(topic=pl.lit(None, pl.String))))) == "There is no topic to compare"
    )


def test_where_no_period_was_read_before_nothing_is_said_to_be_carried() -> None:
    alone = pl.DataFrame({"topic": [1], "kind": [None]}, schema={"topic": pl.Int32, "kind": pl.String})
    assert telling.kept(alone) == "There are no topics of an earlier period to hold these against"
