"""Is leaving told without saying more than was seen?"""

from __future__ import annotations

from typing import Any

import polars as pl
import pytest

from fcrlib.explain import retention
from fcrlib.explain.retention import Comparison, Retention
from fcrlib.show import wording
from fcrlib.show.telling import retention as telling


def retention_of(*, lost: float, kept: float = 0.05, n: int = 400) -> Retention:
    """As many customers with a failed first contact as without, of whom the given shares left."""
    groups = [(resolved, place < round(share * n)) for resolved, share in ((True, kept), (False, lost)) for place in range(n)]
    frame = pl.DataFrame(groups, schema=["all_resolved", "left"], orient="row").with_columns(
        customer=pl.format("c{}", pl.int_range(pl.len())),
        failures=pl.when("all_resolved").then(pl.lit("none")).otherwise(pl.lit("one")),
        tier=pl.when(pl.int_range(pl.len()) % 3 == 0).then(pl.lit("gold")).otherwise(pl.lit("silver")),
    )
    counted = pl.DataFrame(
        {"what": ["customers with a first contact", "had left before they wrote", "followed to the end"], "n": [2 * n + 7, 7, 2 * n]}
    )
    return Retention(frame, counted, 90, 3)


def compared(**shares: Any) -> Comparison:
    return retention.compare(retention_of(**shares), adjust=("tier",))


def nothing() -> Retention:
    return Retention(pl.DataFrame(schema=retention.COLUMNS), pl.DataFrame(schema={"what": pl.String, "n": pl.Int64}), 90, 0)


def test_a_clear_difference_is_told_with_both_shares_and_its_interval() -> None:
    said = telling.adjusted(compared(lost=0.15))
    assert said.startswith(
        "Among customers alike, 15.0 % left within 90 days after a failed first contact, 5.0 % after all were resolved: 10.0 points more"
    )
    (finding,) = telling.found(compared(lost=0.15), figure="left")
    assert "more often" in finding.title
    assert finding.measure is not None
    assert finding.measure.value == pytest.approx(0.10, abs=0.001)
    assert finding.measure.low is not None
    assert 0 < finding.measure.low < finding.measure.value
    assert finding.grade == "C"
    # A ratio of 3: 3 + sqrt(3 x 2) = 5.4.
    assert "by a factor of 5.4" in finding.statement
    assert finding.action


def test_what_chance_alone_would_show_is_not_called_a_difference() -> None:
    assert "no clear difference" in telling.adjusted(compared(lost=0.06))
    (finding,) = telling.found(compared(lost=0.06), figure="left")
    assert finding.title.endswith("is not clear")
    assert not finding.action
    assert "factor" not in finding.statement
    assert "no clear difference" in telling.gap(retention.shares(retention_of(lost=0.06)), horizon_days=90)


def test_fewer_who_left_after_a_failure_is_not_told_as_more() -> None:
    assert "10.0 points fewer" in telling.adjusted(compared(lost=0.05, kept=0.15))
    assert "less often" in telling.found(compared(lost=0.05, kept=0.15), figure="left")[0].title
    assert telling.gap(retention.shares(retention_of(lost=0.05, kept=0.15)), horizon_days=90).endswith("10.0 points fewer")


def test_where_nobody_left_there_is_a_sentence_and_no_number() -> None:
    still = compared(lost=0.0, kept=0.0)
    assert still.effect is None
    assert telling.adjusted(still).startswith("Customers cannot be compared like with like here: ")
    assert telling.found(still, figure="left") == []


def test_a_desk_without_a_list_of_customers_is_told_what_is_missing() -> None:
    assert telling.followed(nothing()) == telling.MISSING
    assert telling.gap(retention.shares(nothing()), horizon_days=90) == telling.NOBODY
    assert telling.spread(retention.shares(nothing(), by="failures"), horizon_days=90) == telling.NOBODY
    assert "nobody could be followed" in telling.adjusted(retention.compare(nothing()))
    assert telling.labelled(retention.shares(nothing())).is_empty()


def test_who_was_left_out_is_told_with_the_number() -> None:
    assert telling.followed(retention_of(lost=0.1)) == (
        "Of 807 customers with a first contact, each once per period, 800 were followed for 90 days (7 had left before they wrote)"
    )


@pytest.mark.parametrize("lost", [0.02, 0.06, 0.15])
def test_no_sentence_claims_more_than_its_grade(lost: float) -> None:
    seen = retention_of(lost=lost)
    assert wording.lint_findings(telling.found(compared(lost=lost), figure="left")) == []
    sentences = (
        telling.adjusted(compared(lost=lost)), telling.gap(retention.shares(seen), horizon_days=90), telling.followed(seen), telling.MISSING,
        telling.spread(retention.shares(seen, by="failures"), horizon_days=90), telling.claims(retention.published()),
    )  # fmt: skip
    assert [slip for sentence in sentences for slip in wording.lint_text(sentence)] == []


def test_what_others_claim_stands_with_its_caveat() -> None:
    said = telling.claims(retention.published())
    assert "not used here" in said
    assert all(caveat in said for caveat in retention.published()["caveat"])
