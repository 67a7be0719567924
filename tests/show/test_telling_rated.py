"""Do the sentences on ratings say who rated, and what is not known?"""

from __future__ import annotations

import polars as pl
from histories import study_of

from fcrlib.explain import rated
from fcrlib.show.telling import rated as tell
from fcrlib.show.wording import lint

RATED = rated.of_study(study_of())
BY_CONTACTS, BY_TIMING = (rated.satisfied(RATED, by=by) for by in ("contacts_to_resolve", "timing"))


def test_no_sentence_claims_more_than_was_observed() -> None:
    said = [
        tell.answered(RATED.counted),
        tell.unlike(RATED.balance),
        tell.met(rated.quadrants(RATED)),
        tell.by_contacts(BY_CONTACTS),
        tell.by_timing(BY_TIMING),
    ]
    for sentence in [*said, *RATED.notes]:
        assert lint(sentence, "D") == []
        assert "None" not in sentence


def test_how_many_were_rated_is_counted_on_the_scale_that_is_used() -> None:
    counted = pl.DataFrame({"what": ["with a final verdict", "rated on 1-5", "rated on another scale (left out)"], "n": [200, 50, 9]})
    assert tell.answered(counted) == "50 of 200 first contacts with a final verdict were rated on 1-5 (25.0 %)"
    assert tell.answered(counted.with_columns(n=pl.Series([200, 0, 0]))) == tell.UNRATED


def test_who_rated_is_told_by_the_largest_difference() -> None:
    failed = 1 - pl.col("fcr").mean()
    here, everywhere = (frame.select(failed).item() for frame in (RATED.frame.drop_nulls("good"), RATED.frame))
    assert f"{100 * here:.1f} %, against {100 * everywhere:.1f} % of all" in tell.unlike(RATED.balance)
    assert "much like all others" in tell.unlike(RATED.balance.with_columns(before=pl.lit(0.02)))
    assert tell.unlike(RATED.balance.clear()) == tell.UNRATED


def test_the_two_corners_that_do_not_meet_are_told_with_their_intervals() -> None:
    table = rated.quadrants(RATED)
    bad = table.filter(pl.col("fcr") & ~pl.col("good")).row(0, named=True)
    assert f"{100 * bad['share']:.1f} % ({100 * bad['low']:.1f} to {100 * bad['high']:.1f} %) are of customers who are not satisfied" in tell.met(
        table
    )
    assert tell.met(table.clear()) == tell.UNRATED


def test_what_rests_on_too_few_ratings_is_not_told() -> None:
    assert " after four or more" not in tell.by_contacts(BY_CONTACTS.filter(pl.col("contacts_to_resolve") != "4+"))
    few = BY_CONTACTS.with_columns(share=pl.lit(None, pl.Float64))
    assert tell.by_contacts(few).startswith("Too few ratings")
    assert tell.by_contacts(few.clear()) == tell.by_timing(BY_TIMING.clear()) == tell.UNRATED


def test_ratings_without_a_time_are_said_to_be_so() -> None:
    frame = BY_TIMING.with_columns(timing=pl.lit("time unknown")).head(1)
    assert tell.by_timing(frame) == "of 100.0 % the time is not known"
