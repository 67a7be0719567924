"""Do the sentences about who is who say what the frames say, and no more?"""

from __future__ import annotations

import polars as pl
import pytest

from fcrlib.show.telling import identities as telling

COVERAGE = pl.DataFrame(
    {
        "channel": ["phone", "email", "other"], "n": [100, 300, 5], "share": [0.8, 1.0, None], "low": [0.71, 0.987, None], "high": [0.87, 1.0, None],
        "identified": [0.5, 0.9, None],
    }
)  # fmt: skip
JOINED = pl.DataFrame(
    {"names": 120, "people": 110, "several": 9, "n": 405, "concerned": 40, "share": 0.0988, "low": 0.07, "high": 0.13, "repeats": 31, "across": 4}
)
ALONE = JOINED.with_columns(people=pl.lit(120), several=pl.lit(0), concerned=pl.lit(0), across=pl.lit(0))
WEAK = pl.DataFrame({"kind": ["phone"], "key": ["4d6be8…"], "customers": [43], "why": ["shared phone"]})
CUT = pl.DataFrame({"group": ["group no. 1"], "customers": [25], "dropped": [1], "kind": ["order"], "widest": ["o-1"]})
REFUSED = pl.DataFrame(
    {"kind": ["external", "email"], "why": ["shortened by a spreadsheet", "empty"], "n": [5, 2], "example": ["6.02E+11", "(empty)"]}
)
CROWD = pl.DataFrame({"customer": ["customer no. 1"], "n": [60], "share": [0.25], "repeat": [50], "busiest_channel": ["web"]})
RATES = pl.DataFrame({"contacts": ["all", "rest"], "share": [0.6, 0.7], "low": [0.55, 0.66], "high": [0.65, 0.74]})


def test_a_channel_is_named_only_where_it_clearly_names_fewer_customers() -> None:
    assert telling.known(COVERAGE) == "95.0 % of the contacts name their customer, on the channel phone only 80.0 %"
    alike = COVERAGE.with_columns(high=pl.lit(1.0))
    assert telling.known(alike) == "95.0 % of the contacts name their customer, on every channel about as many"
    rare = pl.concat(
        [COVERAGE.head(2), COVERAGE.head(1).with_columns(channel=pl.lit("fax"), n=pl.lit(40, pl.Int64), share=pl.lit(0.6), high=pl.lit(0.8))]
    )
    assert "on the channel phone" in telling.known(rare)  # more callers are missing than senders of a fax
    assert telling.known(COVERAGE.clear()) == "There is no contact to ask about"


def test_who_could_be_found_again_is_counted_or_said_to_be_unknown() -> None:
    assert telling.keyed(COVERAGE) == "For 80.0 % of the contacts the customer could be found again under another name"
    assert "holds no addresses" in telling.keyed(COVERAGE.with_columns(identified=pl.lit(None, pl.Float64)))


def test_names_and_people_are_counted() -> None:
    assert telling.people(JOINED) == "120 customer names belong to 110 people: 9 of them go by several names"
    assert telling.people(JOINED.with_columns(several=pl.lit(1))).endswith("1 of them goes by several names")
    assert telling.people(ALONE) == "No customer of the period goes by two names: 120 names, 120 people"
    assert "40 of 405 contacts (7.0 to 13.0 %)" in telling.missed(JOINED)
    assert "4 of 31 repeats" in telling.missed(JOINED)
    assert telling.missed(ALONE) == "No repeat hangs on the joining of names."


@pytest.mark.parametrize(
    ("sentence", "frame", "said", "none"),
    [
        (telling.shared, WEAK, "43 customers have one phone number (shared phone): a key like that joins nobody", "No key was set aside"),
        (telling.too_large, CUT, "1 group of customers was too large to be one person, the largest with 25 names", "No group of customers"),
        (
            telling.damaged,
            REFUSED,
            "7 values name nobody, most often because the external id is this: shortened by a spreadsheet",
            "No address or number",
        ),
    ],
)
def test_each_list_has_a_sentence_and_so_has_an_empty_one(sentence, frame, said, none) -> None:  # type: ignore[no-untyped-def]
    assert sentence(frame).startswith(said)
    assert sentence(frame.clear()).startswith(none)


def test_a_crowd_is_weighed_and_none_is_said_to_be_none() -> None:
    assert telling.crowd(CROWD, limit=50) == "1 customer has more than 50 contacts: 25.0 % of all"
    assert telling.crowd(CROWD.clear(), limit=1088) == "No customer has more than 1,088 contacts"
    assert telling.without(RATES) == "With everybody the rate is 60.0 % (55.0 to 65.0 %), without the crowded customers 70.0 % (66.0 to 74.0 %)"
    assert telling.without(RATES.head(1)) == "There is no crowd to leave out: the rate is 60.0 % (55.0 to 65.0 %)"


def test_every_kind_of_identifier_has_a_name() -> None:
    from fcrlib.model.tables import IDENTIFIER_KINDS

    assert set(telling.KINDS) == set(IDENTIFIER_KINDS)


def test_only_what_needs_care_is_said_with_care() -> None:
    calm = COVERAGE.with_columns(identified=pl.lit(1.0))
    told = telling.findings(calm, cut=CUT.clear(), crowded=CROWD.clear(), limit=50)
    assert [finding.id for finding in told] == []
    worried = telling.findings(COVERAGE, cut=CUT, crowded=CROWD, limit=50)
    assert [finding.id for finding in worried] == ["care-identity-keys", "care-identity-cut", "care-identity-crowd"]
