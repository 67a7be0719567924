"""Is a value read as the key it is?"""

from __future__ import annotations

import phonenumbers
import polars as pl
import pytest

from fcrlib.intake.keys import _phone, _phones, keys, settled


def test_a_number_that_is_taken_as_it_stands_is_what_the_library_would_have_made_of_it() -> None:
    examples = [phonenumbers.example_number(region) for region in sorted(phonenumbers.SUPPORTED_REGIONS)]
    plain = [phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164) for number in examples if number]
    inserted = [f"+{number.country_code}{trunk}{number.national_number}" for number in examples if number for trunk in (0, 1, 8, 15, 90)]
    numbers = [text for text in [*plain, *inserted] if len(text) > 8]
    assert _phones(pl.Series(numbers), country=None).to_list() == [_phone(text, None) for text in numbers]
    assert len(plain) > 200


def read(kind: str, value: str, *, own: tuple[str, ...] = ()) -> pl.DataFrame:
    frame = pl.DataFrame({"source": ["zd"], "customer_ref": ["1"], "kind": [kind], "value_norm": [value]})
    return keys(frame, own=own, plus_tags="keep", country="GB", accounts="company")


@pytest.mark.parametrize(
    ("kind", "value", "key", "why"),
    [
        ("email", " Jo@Example.org ", "jo@example.org", None),
        ("phone", "020 7946 0001", "+442079460001", None),
        ("account", "acme", "acme", "account"),
        ("email", "Info@example.org", "info@example.org", "role address"),
        ("phone", "anonymous", None, "anonymous"),
        ("external", "6.02E+11", "6.02E+11", "shortened by a spreadsheet"),
    ],
)
def test_a_value_is_a_key_or_there_is_a_reason_why_not(kind: str, value: str, key: str | None, why: str | None) -> None:
    assert read(kind, value).select("key", "why").row(0) == (key, why)


def test_what_is_settled_keeps_its_reason() -> None:
    for kind, value, why in (
        ("external", "6.02E+11", "shortened by a spreadsheet"),
        ("email", "jo@example.com", "own"),
        ("phone", "4711", "not a phone number"),
    ):
        told = settled(read(kind, value, own=("example.com",)))
        assert told["value_norm"].to_list() == [f"({why})"]
        assert read(kind, told["value_norm"][0])["why"].to_list() == [why]
