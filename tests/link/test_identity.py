"""Are one person's customers found together, and only those?"""

from __future__ import annotations

import phonenumbers
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fcrlib.intake.demo.people import gather_customers
from fcrlib.intake.demo.people import identifiers as demo_identifiers
from fcrlib.intake.demo.truth import Truth
from fcrlib.intake.redact import _ROLE_BOXES, pseudonyms
from fcrlib.link.identity import Customers, coverage, customers
from fcrlib.model.errors import TableError, UsageError

COLUMNS = ["source", "customer_ref", "kind", "value_norm"]


def told(*rows: tuple[str | None, ...]) -> pl.DataFrame:
    return pl.DataFrame(rows, schema=dict.fromkeys(COLUMNS, pl.String), orient="row")


def of(kind: str, *values: str | None) -> pl.DataFrame:
    """One customer a value: c00, c01, ..."""
    return told(*(("zd", f"c{n:02}", kind, value) for n, value in enumerate(values)))


def persons(found: Customers) -> int:
    return found.people["person"].n_unique()


def hashed(frame: pl.DataFrame) -> pl.DataFrame:
    return frame.with_columns(pseudonyms(frame["value_norm"]))


def test_an_email_is_one_person_in_any_case_and_any_unicode_form() -> None:
    found = customers(of("email", "Zo\u00eb@Example.org", " zoe\u0308@example.ORG ", "ZOE\u0308@EXAMPLE.ORG", "zoe@example.org"))
    assert found.people["person"].to_list() == ["zd:c00"] * 3 + ["zd:c03"]


def test_a_plus_tag_separates_unless_it_is_stripped() -> None:
    frame = of("email", "jo+news@example.org", "jo@example.org", "jo+shop+1@example.org")
    assert persons(customers(frame)) == 3
    assert persons(customers(frame, plus_tags="strip")) == 1


@pytest.mark.parametrize(
    ("country", "spellings"),
    [
        ("GB", ["+442079460123", "020 7946 0123", "+44 (0)20 7946 0123", "0044 20 7946 0123", "tel:+44-20-7946-0123", "+4402079460123"]),
        ("DE", ["+493023125111", "030 23125 111", "+49 (0)30 23125111", "0049 30/23125-111"]),
        ("US", ["+12015550123", "(201) 555-0123", "201-555-0123", "1 201 555 0123", "011 1 201 555 0123"]),
        ("FR", ["+33123456789", "01 23 45 67 89", "+33 (0)1.23.45.67.89"]),
        (None, ["+390612345678", "0039 06 1234 5678", "+39 06 12345678"]),
    ],
)
def test_a_phone_is_one_person_however_it_is_written(country: str | None, spellings: list[str]) -> None:
    found = customers(of("phone", *spellings), country=country, shared_phone=10)
    assert persons(found) == 1


def test_the_same_local_number_in_two_countries_is_two_people() -> None:
    frame = told(("uk", "1", "phone", "020 7946 0123"), ("uk", "2", "phone", "02079460123"), ("de", "3", "phone", "020 7946 0123"))
    assert customers(frame).people["person"].to_list() == ["de:3", "uk:1", "uk:1"]
    assert persons(customers(frame, country="GB")) == 1


def test_colleagues_behind_one_switchboard_are_told_apart_by_their_extension() -> None:
    assert persons(customers(of("phone", "+44 20 7946 0123 ext. 12", "+44 20 7946 0123 x12", "+44 20 7946 0123 ext. 13", "+44 20 7946 0123"))) == 3


def test_a_number_that_is_taken_as_it_stands_is_what_the_library_would_have_made_of_it() -> None:
    from fcrlib.link.identity import _phone, _phones

    examples = [phonenumbers.example_number(region) for region in sorted(phonenumbers.SUPPORTED_REGIONS)]
    plain = [phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164) for number in examples if number]
    inserted = [f"+{number.country_code}{trunk}{number.national_number}" for number in examples if number for trunk in (0, 1, 8, 15, 90)]
    numbers = [text for text in [*plain, *inserted] if len(text) > 8]
    assert _phones(pl.Series(numbers), country=None).to_list() == [_phone(text, None) for text in numbers]
    assert len(plain) > 200


@pytest.mark.parametrize("box", ["info", "billing", "support", "noreply", "no-reply", "office", "Sales"])
def test_a_role_address_joins_nobody_in_the_clear_or_hashed(box: str) -> None:
    clear = of("email", *[f"{box}@example.org".lower()] * 3)
    for frame in (clear, hashed(clear)):
        found = customers(frame)
        assert persons(found) == 3
        assert found.weak.select("kind", "customers", "why").rows() == [("email", 3, "role address")]
        assert found.known.height == 0


def test_every_mailbox_that_redaction_leaves_readable_is_known_to_be_weak() -> None:
    frame = hashed(of("email", *(f"{box}@example.org" for box in _ROLE_BOXES)))
    assert customers(frame).weak["why"].to_list() == ["role address"] * len(_ROLE_BOXES)


def test_a_phone_joins_five_customers_but_not_six() -> None:
    five, six = (customers(of("phone", *["+442079460000"] * n)) for n in (5, 6))
    assert (persons(five), five.weak.height) == (1, 0)
    assert persons(six) == 6
    assert six.weak.rows() == [("phone", "+442079460000", 6, "shared phone")]
    assert persons(customers(of("phone", *["+442079460000"] * 6), shared_phone=6)) == 1


def test_a_phone_told_many_times_by_few_customers_is_not_shared() -> None:
    assert persons(customers(pl.concat([of("phone", "+442079460000", "+44 20 7946 0000")] * 9))) == 1


@pytest.mark.parametrize(
    "value", ["anonymous", "Anonymous", "unknown", "+266696687", "+266 696 687", "0000000000", "+0000000000", "+10000000000", "withheld"]
)
def test_a_withheld_number_joins_nobody(value: str) -> None:
    found = customers(of("phone", value, value, value))
    assert persons(found) == 3
    assert found.weak.select("customers", "why").rows() == [(3, "anonymous")]


@pytest.mark.parametrize("value", ["anonymous", "Anonymous", "unknown", "+266696687", "0000000000"])
def test_a_withheld_number_is_known_under_its_pseudonym(value: str) -> None:
    found = customers(hashed(of("phone", value, value)))
    assert (persons(found), found.weak["why"].to_list()) == (2, ["anonymous"])


@pytest.mark.parametrize(
    ("kind", "value", "why"),
    [
        ("external", "6.02E+11", "shortened by a spreadsheet"),
        ("phone", "4,42E+11", "shortened by a spreadsheet"),
        ("order", "6E+11", "shortened by a spreadsheet"),
        ("external", "#N/A", "error value"),
        ("device", "null", "error value"),
        ("order", "", "empty"),
        ("order", None, "empty"),
        ("external", "1111111", "one digit repeated"),
        ("phone", "+9999999999", "one digit repeated"),
        ("email", "jo at home", "not an e-mail address"),
        ("phone", "4711", "not a phone number"),
        ("phone", "Frau Schmidt", "not a phone number"),
    ],
)
def test_a_damaged_id_is_refused_and_counted(kind: str, value: str | None, why: str) -> None:
    frame = of(kind, value, value, value)
    found = customers(pl.concat([frame, frame]))
    assert persons(found) == 3
    assert found.refused.rows() == [(kind, why, 3, value)]
    assert found.known.height == 0


@pytest.mark.parametrize("value", ["#N/A", "null", "1111111"])
def test_a_damaged_id_is_known_under_its_pseudonym(value: str) -> None:
    assert customers(hashed(of("external", value, value))).refused["n"].to_list() == [2]


@pytest.mark.parametrize("value", ["7", "11", "12e5", "A-1000", "2025-004417", "0123456789abcdef", "1234567890123e45"])
def test_an_id_that_only_looks_odd_still_joins(value: str) -> None:
    assert persons(customers(of("external", value, value))) == 1


def test_the_companys_own_numbers_and_domains_join_nobody() -> None:
    mine = ["+44 20 7946 0000", "example.com", "front@other.example", "guest"]
    rows = [("phone", "+442079460000"), ("email", "a@example.com"), ("email", "b@mail.example.com"), ("email", "front@other.example")]
    for kind, value in [*rows, ("external", "guest")]:
        found = customers(of(kind, value, value), weak=mine)
        assert (persons(found), found.weak["why"].to_list()) == (2, ["own"]), value
    for kind, value in (("email", "a@notexample.com"), ("email", "jo@other.example"), ("phone", "+442079460001")):
        assert persons(customers(of(kind, value, value), weak=mine)) == 1, value
    assert persons(customers(hashed(of("phone", "+442079460000", "+442079460000")), weak=mine)) == 2


def test_an_account_joins_nobody_and_is_no_weak_key_either() -> None:
    found = customers(of("account", "acme", "acme"))
    assert (persons(found), found.weak.height, found.refused.height, found.known.height) == (2, 0, 0, 0)


def test_two_sources_are_joined_through_a_chain_of_keys() -> None:
    found = customers(
        told(
            ("zd", "1", "email", "jo@example.org"), ("calls", "x", "email", "JO@example.org"), ("calls", "x", "phone", "+442079460001"),
            ("shop", "9", "phone", "+44 20 7946 0001"), ("shop", "9", "order", "o-1"), ("zd", "2", "order", "o-1"), ("zd", "3", "device", "o-1"),
        )
    )  # fmt: skip
    assert found.people.rows() == [
        ("calls", "x", "calls:x"),
        ("shop", "9", "calls:x"),
        ("zd", "1", "calls:x"),
        ("zd", "2", "calls:x"),
        ("zd", "3", "zd:3"),
    ]


def test_the_same_reference_in_two_sources_is_two_customers_and_names_never_collide() -> None:
    found = customers(told(("a", "b:1", "order", "x"), ("a:b", "1", "order", "y"), ("a%3Ab", "1", "order", "z")))
    assert persons(found) == 3


def test_an_unknown_customer_joins_nobody() -> None:
    found = customers(told(("zd", None, "order", "o"), ("zd", None, "email", "j@x.org"), ("zd", "1", "order", "o"), ("zd", "2", "email", "j@x.org")))
    assert found.people.rows() == [("zd", "1", "zd:1"), ("zd", "2", "zd:2")]


def test_twenty_customers_may_be_one_person_and_twenty_one_are_cut_and_listed() -> None:
    twenty, more = (customers(of("order", *["o-1"] * n)) for n in (20, 21))
    assert (persons(twenty), twenty.cut.height) == (1, 0)
    assert persons(more) == 21
    assert more.cut.rows() == [("zd:c00", 21, ["order o-1"])]


def test_a_cut_drops_the_widest_key_and_leaves_the_rare_ones() -> None:
    wide = of("external", *["crm-0"] * 24)
    pairs = of("email", *(f"p{n // 2}@example.org" for n in range(24)))
    found = customers(pl.concat([wide, pairs]))
    assert found.people["person"].to_list() == [f"zd:c{n // 2 * 2:02}" for n in range(24)]
    assert found.cut.rows() == [("zd:c00", 24, ["external crm-0"])]
    assert found.known.height == 24


def test_rare_keys_are_let_in_before_wide_ones() -> None:
    wide = of("external", *["crm-0"] * 15)
    links = told(*(("zd", f"c{n + end:02}", "email", f"l{n}@example.org") for n in range(14, 24) for end in (0, 1)))
    found = customers(pl.concat([wide, links]))
    assert found.people["person"].to_list() == [*(f"zd:c{n:02}" for n in range(14)), *["zd:c14"] * 11]
    assert found.cut.rows() == [("zd:c00", 25, ["external crm-0"])]


def test_a_long_chain_is_cut_no_more_than_it_must_be() -> None:
    links = [("zd", f"c{n + end:03}", "order", f"o{n:03}") for n in range(49) for end in (0, 1)]
    found = customers(told(*links), most=20)
    sizes = found.people.group_by("person").len()["len"]
    assert sorted(sizes) == [10, 20, 20]
    assert found.cut["keys"].list.len().to_list() == [2]


KEYS = st.sampled_from(
    [("email", "a@x.org"), ("email", "A@x.org"), ("email", "info@x.org"), ("phone", "+442079460001"), ("phone", "020 7946 0001"), ("phone", "anonymous")]
    + [("order", f"o{n}") for n in range(6)] + [("external", "6.02E+11"), ("account", "acme"), ("device", "d")]
)  # fmt: skip
ROWS = st.lists(st.tuples(st.sampled_from(["s", "t"]), st.sampled_from(["1", "2", "3", "4", "5", "6", "7", None]), KEYS), max_size=30)


@given(rows=ROWS, most=st.integers(1, 6), order=st.randoms(use_true_random=False))
def test_neither_row_order_nor_duplicate_rows_matter(rows: list[tuple[str, str | None, tuple[str, str]]], most: int, order: object) -> None:
    frame = told(*((source, ref, kind, value) for source, ref, (kind, value) in rows))
    again = [*frame.rows(), *frame.rows()[: len(rows) // 2]]
    order.shuffle(again)  # type: ignore[attr-defined]
    one, other = customers(frame, most=most), customers(told(*again), most=most)
    for name in Customers.__slots__:
        assert getattr(one, name).equals(getattr(other, name)), name
    assert one.people.group_by("person").len()["len"].max() in (None, *range(most + 1))


@given(rows=ROWS)
def test_the_components_are_those_of_a_plain_union_find(rows: list[tuple[str, str | None, tuple[str, str]]]) -> None:
    strong = {"a@x.org": "a", "A@x.org": "a", "+442079460001": "p", "020 7946 0001": "p"}
    links = [
        ((s, r), strong.get(v, f"{k} {v}")) for s, r, (k, v) in rows if r and k != "account" and v not in ("info@x.org", "anonymous", "6.02E+11")
    ]
    person = {(s, r): (s, r) for s, r, _ in rows if r}
    holders = {key: {who for who, held in links if held == key} for _, key in links}
    for _ in person:
        for held in holders.values():
            smallest = min(person[who] for who in held)
            person.update(dict.fromkeys(held, smallest))
    found = customers(told(*((s, r, k, v) for s, r, (k, v) in rows)), country="GB", shared_phone=99)
    assert {(s, r): name for s, r, name in found.people.rows()} == {who: ":".join(smallest) for who, smallest in person.items()}


def test_the_demo_desks_customers_stay_apart_however_many_addresses_they_have() -> None:
    people = gather_customers(seed=5, contacts=20_000, truth=Truth())
    clear = demo_identifiers(people, seed=5).with_columns(pl.col("kind").cast(pl.String))
    several = clear.filter(pl.col("kind") == "email").group_by("customer_ref").len().filter(pl.col("len") > 1)
    frames = (clear, hashed(clear))
    plain, secret = (customers(frame, shared_phone=1) for frame in frames)
    assert several.height > 300
    assert persons(plain) == plain.people.height == len(people.account)  # one customer was planted for one person; only weak keys are shared
    assert plain.people.equals(secret.people)
    assert plain.known.equals(secret.known)
    assert plain.known.height == plain.people.height
    assert set(secret.weak["why"]) == {"role address", "shared phone"}


def test_the_addresses_of_one_demo_customer_bring_two_exports_together() -> None:
    people = gather_customers(seed=5, contacts=5_000, truth=Truth())
    emails = demo_identifiers(people, seed=5).filter(
        pl.col("kind") == "email", ~pl.col("value_norm").str.contains("^(?:info|billing|office|support)@")
    )
    second = emails.filter(pl.col("customer_ref").is_duplicated()).unique("customer_ref", keep="last", maintain_order=True)
    calls = second.with_columns(source=pl.lit("calls"), customer_ref="tel-" + pl.col("customer_ref"))
    found = customers(pl.concat([emails, calls]).with_columns(pl.col("value_norm").str.to_uppercase()))
    joined = found.people.filter(pl.col("source") == "calls")
    assert joined.height > 50
    assert joined["person"].n_unique() == joined.height
    assert persons(found) == len(people.account)
    home = found.people.filter(pl.col("source") == "demo").select("person", home="tel-" + pl.col("customer_ref"))
    assert (joined.join(home, on="person").select(pl.col("home") == pl.col("customer_ref"))).to_series().all()


def test_an_empty_table_is_nobody() -> None:
    found = customers(told())
    assert [getattr(found, name).height for name in Customers.__slots__] == [0] * 5
    assert found.people.columns == ["source", "customer_ref", "person"]
    assert found.weak.columns == ["kind", "value", "customers", "why"]
    assert found.refused.columns == ["kind", "why", "n", "example"]
    assert found.cut.columns == ["person", "customers", "keys"]


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"most": 0}, "most: 0"), ({"most": "20"}, "most: '20'"), ({"shared_phone": 0}, "shared_phone: 0"), ({"weak": "info@x.org"}, "weak: 'info@x.org'"),
        ({"weak": None}, "weak: None"), ({"plus_tags": "drop"}, "plus_tags: 'drop'"), ({"country": "UK"}, "country: 'UK'"), ({"country": "gb"}, "'gb'"),
    ],
)  # fmt: skip
def test_a_parameter_that_is_not_understood_is_named(wrong: dict[str, object], said: str) -> None:
    with pytest.raises(UsageError, match=said.split(":")[0]) as raised:
        customers(told(), **wrong)  # type: ignore[arg-type]
    assert said in str(raised.value)


def test_all_wrong_parameters_are_named_at_once() -> None:
    with pytest.raises(UsageError) as raised:
        customers(told(), most=0, country="XX", plus_tags="no")  # type: ignore[arg-type]
    assert len(raised.value.problems) == 3


def test_a_table_that_is_none_is_named() -> None:
    with pytest.raises(TableError, match="value_norm: the column is missing"):
        customers(told().drop("value_norm"))
    with pytest.raises(TableError, match="1 of 2 rows are none of email, phone"):
        customers(told(("zd", "1", "fax", "1"), ("zd", "1", "order", "1")))


def test_coverage_counts_unknown_customers_and_those_without_a_key_of_their_own() -> None:
    found = customers(told(("zd", "1", "email", "jo@example.org"), ("zd", "2", "email", "info@example.org")))
    contacts = pl.DataFrame(
        {"source": ["zd"] * 6, "customer_ref": ["1", "1", "2", "3", None, None], "channel": ["email", "phone", "email", "phone", "phone", None]}
    )
    assert coverage(contacts, found=found).rows() == [(None, 1, 0, 0.0, 0, 0.0), ("email", 2, 2, 1.0, 1, 0.5), ("phone", 3, 2, 2 / 3, 1, 1 / 3)]
    assert coverage(contacts, by=()).rows() == [(6, 4, 4 / 6)]
    assert coverage(contacts.head(0), by=()).rows() == [(0, 0, None)]
    with pytest.raises(UsageError, match="no column 'team'"):
        coverage(contacts, by="team")
