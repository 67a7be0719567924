"""Are one person's customers found together, and only those?"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Literal

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fcrlib.intake.demo.people import gather_customers
from fcrlib.intake.demo.people import identifiers as demo_identifiers
from fcrlib.intake.demo.truth import Truth
from fcrlib.intake.privacy.pseudonyms import pseudonyms
from fcrlib.intake.redact import redact
from fcrlib.link.identity import Customers, customers, customers_of, joined
from fcrlib.model.desk import Desk, Manifest
from fcrlib.model.errors import TableError, UsageError
from fcrlib.model.identity import ROLE_BOXES, Rules

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


@pytest.mark.parametrize("box", ["info", "billing", "support", "noreply", "no-reply", "office", "Sales"])
def test_a_role_address_joins_nobody_in_the_clear_or_hashed(box: str) -> None:
    clear = of("email", *[f"{box}@example.org".lower()] * 3)
    for frame in (clear, hashed(clear)):
        found = customers(frame)
        assert persons(found) == 3
        assert found.weak.select("kind", "customers", "why").rows() == [("email", 3, "role address")]
        assert found.known.height == 0


def test_every_mailbox_that_redaction_leaves_readable_is_known_to_be_weak() -> None:
    frame = hashed(of("email", *(f"{box}@example.org" for box in ROLE_BOXES)))
    assert customers(frame).weak["why"].to_list() == ["role address"] * len(ROLE_BOXES)


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


def test_an_account_is_one_persons_unless_it_is_a_companys() -> None:
    one, company = (customers(of("account", "acme", " acme", "other"), accounts=accounts) for accounts in ("join", "company"))
    assert one.people["person"].to_list() == ["zd:c00", "zd:c00", "zd:c02"]
    assert (persons(company), company.weak.height, company.refused.height, company.known.height) == (3, 0, 0, 0)


def test_an_account_of_more_than_twenty_customers_is_cut_like_any_key() -> None:
    found = customers(of("account", *["acme"] * 21))
    assert (persons(found), found.cut.rows()) == (21, [("zd:c00", 21, ["account acme"])])


@pytest.mark.parametrize("value", ["#N/A", "6.02E+11", "unknown"])
def test_an_account_that_is_none_joins_nobody_either(value: str) -> None:
    found = customers(of("account", value, value))
    assert (persons(found), found.weak.height + found.refused.height) == (2, 1)


def colleagues(*more: tuple[str, ...]) -> pl.DataFrame:
    """Two customers of one account with one phone, each with an address of their own."""
    who = [
        row for ref in "ab" for row in (("zd", ref, "account", "acme"), ("zd", ref, "phone", "+442079460000"), ("zd", ref, "email", f"{ref}@x.org"))
    ]
    return told(*who, *more)


def test_the_phone_of_colleagues_who_write_from_addresses_of_their_own_is_a_front_desk() -> None:
    found = customers(colleagues(), accounts="company")
    assert persons(found) == 2
    assert found.weak.rows() == [("phone", "+442079460000", 2, "front desk")]
    assert found.known.height == 2


def test_a_front_desk_is_known_by_its_pseudonym_and_tells_nobody_else_apart() -> None:
    third = (("calls", "t", "phone", "+442079460000"), ("zd", "a", "phone", "+442079460001"), ("calls", "u", "phone", "+442079460001"))
    for frame in (colleagues(*third), hashed(colleagues(*third))):
        found = customers(frame, accounts="company")
        assert found.people["person"].to_list() == ["calls:t", "calls:u", "calls:u", "zd:b"]
        assert found.known.rows() == [("calls", "u"), ("zd", "a"), ("zd", "b")]


@pytest.mark.parametrize(("kind", "value"), [("email", "jo@x.org"), ("external", "crm-1"), ("order", "o-1"), ("device", "d-1")])
def test_one_person_with_two_records_under_one_account_is_joined_through_another_key_and_keeps_the_phone(kind: str, value: str) -> None:
    found = customers(colleagues(("zd", "a", kind, value), ("zd", "b", kind, value), ("calls", "t", "phone", "+442079460000")), accounts="company")
    assert (persons(found), found.weak.height) == (1, 0)


@pytest.mark.parametrize("missing", ["account", "email"])
def test_without_accounts_or_addresses_a_phone_of_two_customers_joins_them(missing: str) -> None:
    found = customers(colleagues().filter(pl.col("kind") != missing), accounts="company")
    assert (persons(found), found.weak.height) == (1, 0)


def test_a_phone_of_two_customers_of_different_accounts_joins_them() -> None:
    frame = colleagues().with_columns(
        pl.when((pl.col("kind") == "account") & (pl.col("customer_ref") == "b")).then(pl.lit("other")).otherwise("value_norm").alias("value_norm")
    )
    assert persons(customers(frame, accounts="company")) == 1


FEW = st.sampled_from(
    [("email", "a@x.org"), ("email", "b@x.org"), ("phone", "+442079460001"), ("account", "acme"), ("account", "other"), ("external", "x")]
)


@given(rows=st.lists(st.tuples(st.sampled_from("123456"), FEW), max_size=24))
def test_a_front_desk_is_what_a_plain_search_holds_for_one(rows: list[tuple[str, tuple[str, str]]]) -> None:
    has = {who: {key for ref, key in rows if ref == who} for who in sorted({ref for ref, _ in rows})}

    def one_each(kinds: set[str]) -> dict[str, str]:
        person = {who: who for who in has}
        for _ in has:
            for key in {key for keys in has.values() for key in keys if key[0] in kinds}:
                smallest = min(person[who] for who in has if key in has[who])
                person.update({who: smallest for who in has if key in has[who]})
        return person

    apart = one_each({"email", "external"})
    reached = [who for who, keys in has.items() if any(kind == "email" for kind, _ in keys) and ("phone", "+442079460001") in keys]
    desk = any(len({apart[who] for who in reached if ("account", firm) in has[who]}) > 1 for firm in ("acme", "other"))
    expected = one_each({"email", "external"} if desk else {"email", "external", "phone"})
    found = customers(told(*(("zd", ref, kind, value) for ref, (kind, value) in rows)), accounts="company", shared_phone=99)
    assert {ref: name for _, ref, name in found.people.rows()} == {who: f"zd:{smallest}" for who, smallest in expected.items()}


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


@given(rows=ROWS, most=st.integers(1, 6), order=st.randoms(use_true_random=False), accounts=st.sampled_from(["join", "company"]))
def test_neither_row_order_nor_duplicate_rows_matter(
    rows: list[tuple[str, str | None, tuple[str, str]]], most: int, order: object, accounts: Literal["join", "company"]
) -> None:
    frame = told(*((source, ref, kind, value) for source, ref, (kind, value) in rows))
    again = [*frame.rows(), *frame.rows()[: len(rows) // 2]]
    order.shuffle(again)  # type: ignore[attr-defined]
    one, other = (customers(table, most=most, accounts=accounts) for table in (frame, told(*again)))
    for name in Customers.__slots__:
        assert getattr(one, name).equals(getattr(other, name)), name
    assert one.people.group_by("person").len()["len"].max() in (None, *range(most + 1))


@given(rows=ROWS)
def test_the_components_are_those_of_a_plain_union_find(rows: list[tuple[str, str | None, tuple[str, str]]]) -> None:
    strong = {"a@x.org": "a", "A@x.org": "a", "+442079460001": "p", "020 7946 0001": "p"}
    links = [((s, r), strong.get(v, f"{k} {v}")) for s, r, (k, v) in rows if r and v not in ("info@x.org", "anonymous", "6.02E+11")]
    person = {(s, r): (s, r) for s, r, _ in rows if r}
    holders = {key: {who for who, held in links if held == key} for _, key in links}
    for _ in person:
        for held in holders.values():
            smallest = min(person[who] for who in held)
            person.update(dict.fromkeys(held, smallest))
    found = customers(told(*((s, r, k, v) for s, r, (k, v) in rows)), country="GB", shared_phone=99)
    assert {(s, r): name for s, r, name in found.people.rows()} == {who: ":".join(smallest) for who, smallest in person.items()}


def test_the_demo_desks_customers_stay_apart_however_many_addresses_they_have() -> None:
    people = gather_customers(seed=5, contacts=20_000, truth=Truth.nothing())
    clear = demo_identifiers(people, seed=5).with_columns(pl.col("kind").cast(pl.String))
    several = clear.filter(pl.col("kind") == "email").group_by("customer_ref").len().filter(pl.col("len") > 1)
    frames = (clear, hashed(clear))
    plain, secret = (customers(frame, shared_phone=1, accounts="company") for frame in frames)
    assert several.height > 300
    assert persons(plain) == plain.people.height == len(people.account)  # one customer was planted for one person; only weak keys are shared
    assert plain.people.equals(secret.people)
    assert plain.known.equals(secret.known)
    assert plain.known.height == plain.people.height
    assert set(secret.weak["why"]) == {"role address", "shared phone"}


def test_the_addresses_of_one_demo_customer_bring_two_exports_together() -> None:
    people = gather_customers(seed=5, contacts=5_000, truth=Truth.nothing())
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
        ({"accounts": "people"}, "accounts: 'people'"),
    ],
)  # fmt: skip
def test_a_parameter_that_is_not_understood_is_named(wrong: dict[str, object], said: str) -> None:
    with pytest.raises(UsageError, match=said.split(":")[0]) as raised:
        customers(told(), **wrong)  # type: ignore[arg-type]
    assert said in str(raised.value)


def test_all_wrong_parameters_are_named_at_once() -> None:
    with pytest.raises(UsageError) as raised:
        customers(told(), most=0, country="XX", plus_tags="no", accounts="no")  # type: ignore[arg-type]
    assert len(raised.value.problems) == 4


def test_a_table_that_is_none_is_named() -> None:
    with pytest.raises(TableError, match="value_norm: the column is missing"):
        customers(told().drop("value_norm"))
    with pytest.raises(TableError, match="1 of 2 rows are none of email, phone"):
        customers(told(("zd", "1", "fax", "1"), ("zd", "1", "order", "1")))


def desk_of_two_sources() -> Desk:
    """A helpdesk that knows Ann by her address and her phone, and a phone system that knows a number."""
    day = datetime(2026, 3, 1, tzinfo=UTC)
    manifest = Manifest(source="both", reader="test", reader_version="1", data_start=day, data_end=datetime(2026, 4, 1, tzinfo=UTC))
    rows = [
        ("zd", "1", "ann", "email"),
        ("zd", "2", "bob", "email"),
        ("zd", "3", None, "web"),
        ("calls", "1", "n-77", "phone"),
        ("calls", "2", "n-78", "phone"),
    ]
    contacts = pl.DataFrame(rows, schema=["source", "contact_id", "customer_ref", "channel"], orient="row").with_columns(
        opened_at=day, status=pl.lit("open"), initiated_by=pl.lit("customer"), resolved_by=pl.lit("unknown")
    )
    known = told(("zd", "ann", "email", "Ann@x.org"), ("zd", "ann", "phone", "020 7946 0001"), ("calls", "n-77", "phone", "+44 20 7946 0001"))
    return Desk.build(manifest, contacts=contacts, identifiers=known)


def test_a_helpdesk_and_a_phone_system_meet_in_the_number_and_everybody_known_has_a_name() -> None:
    desk = desk_of_two_sources()
    found = customers_of(desk, rules=Rules(country="GB"))
    linked = joined(desk, found=found).contacts
    assert dict(linked.select(pl.format("{} {}", "source", "contact_id"), "person").rows()) == {
        "calls 1": "calls:n-77", "calls 2": "calls:n-78", "zd 1": "calls:n-77", "zd 2": "zd:bob", "zd 3": None,
    }  # fmt: skip
    assert linked.drop("person").equals(desk.contacts.drop("person"))
    assert joined(desk, found=customers_of(desk, rules=Rules())).contacts["person"].n_unique() == 5


def test_a_desk_without_identifiers_names_everybody_as_the_source_does() -> None:
    desk = desk_of_two_sources()
    bare = Desk.build(desk.manifest, contacts=desk.contacts.with_columns(source=pl.lit("a:b%")).unique("contact_id"))
    linked = joined(bare, found=customers_of(bare, rules=Rules())).contacts
    assert linked["person"].drop_nulls().str.starts_with("a%3Ab%25:").all()
    assert linked["person"].is_null().equals(linked["customer_ref"].is_null())


def test_joining_again_under_other_rules_forgets_the_first_names() -> None:
    desk = desk_of_two_sources()
    once = joined(desk, found=customers_of(desk, rules=Rules(country="GB")))
    assert joined(once, found=customers_of(desk, rules=Rules())).contacts.equals(joined(desk, found=customers_of(desk, rules=Rules())).contacts)


def test_rules_say_what_the_parameters_say() -> None:
    frame = told(("zd", "1", "email", "jo+a@x.org"), ("zd", "2", "email", "jo@x.org"), ("zd", "2", "phone", "020 7946 0000"))
    desk = Desk.build(desk_of_two_sources().manifest, contacts=desk_of_two_sources().contacts, identifiers=frame)
    rules = Rules(plus_tags="strip", own=("+442079460000",), country="GB", most=9, shared_phone=2, accounts="join")
    by_rules, by_hand = (
        customers_of(desk, rules=rules),
        customers(frame, plus_tags="strip", weak=["+442079460000"], country="GB", most=9, shared_phone=2),
    )
    for name in Customers.__slots__:
        assert getattr(by_rules, name).equals(getattr(by_hand, name)), name
    assert (persons(by_rules), by_rules.weak["why"].to_list()) == (1, ["own"])


def test_what_is_redacted_by_the_rules_is_joined_as_in_the_clear() -> None:
    values = {
        "phone": ["020 7946 0001", "+44 20 7946 0001", "020 7946 0000", "+442079460000", "4.42E+11", "4.42E+11", "+1000000000", "+1000000000"],
        "email": ["Jo+news@x.org", "jo@X.org", "a@example.com", "a@example.com", "info+it@x.org", "info@x.org", "jo at home", "jo at home"],
        "external": ["6.02E+11", "6.02E+11", "#N/A", "#N/A", "1111111", "1111111", "crm-1", "crm-1"],
    }
    rows = [("zd", f"{kind}{n}", kind, value) for kind, some in values.items() for n, value in enumerate(some)]
    desk = Desk.build(desk_of_two_sources().manifest, contacts=desk_of_two_sources().contacts, identifiers=told(*rows))
    rules = Rules(country="GB", plus_tags="strip", own=("020 7946 0000", "example.com"))
    clear, secret = customers_of(desk, rules=rules), customers_of(redact(desk, rules=rules), rules=rules)
    assert secret.people.equals(clear.people)
    assert secret.known.equals(clear.known)
    assert (
        secret.weak.group_by("why")
        .agg(pl.col("customers").sum())
        .sort("why")
        .equals(clear.weak.group_by("why").agg(pl.col("customers").sum()).sort("why"))
    )
    assert secret.refused.select("kind", "why", "n").equals(clear.refused.select("kind", "why", "n"))
    assert persons(clear) == 24 - 3
    late = customers_of(redact(desk), rules=rules)
    assert persons(late) > persons(clear)  # numbers in two spellings, hashed without the country, cannot be found to be one any more


def test_the_company_in_the_contacts_tells_a_front_desk_as_well() -> None:
    desk = desk_of_two_sources()
    known = told(
        ("zd", "ann", "email", "ann@x.org"), ("zd", "bob", "email", "bob@x.org"), *((("zd", who, "phone", "+442079460009")) for who in ("ann", "bob"))
    )
    alone = Desk.build(desk.manifest, contacts=desk.contacts, identifiers=known)
    assert persons(customers_of(alone, rules=Rules())) == 1
    colleagues = desk.contacts.with_columns(account_ref=pl.when(pl.col("customer_ref").is_in(["ann", "bob"])).then(pl.lit("x ltd")))
    together = Desk.build(desk.manifest, contacts=colleagues, identifiers=known)
    found = customers_of(together, rules=Rules())
    assert persons(found) == 2
    assert found.weak["why"].to_list() == ["front desk"]
