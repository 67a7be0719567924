"""Does personal data leave the text, and only that?"""

from __future__ import annotations

from datetime import UTC, datetime

import polars as pl
import pytest
from polars.testing import assert_frame_equal

from fcrlib.intake.demo import canaries, invent
from fcrlib.intake.privacy.pseudonyms import pseudonyms
from fcrlib.intake.redact import leaks, redact, redacted
from fcrlib.model.desk import Desk, Manifest

GONE = {
    "mail foo.bar+x@sub.example.co.uk.": "mail [email].",
    "<mailto:a@b.de>": "<mailto:[email]>",
    "write to übung@müller.de": "write to [email]",
    "jo (at) example (dot) com": "[email]",
    "f\u200boo@exa\u200bmple.com": "[email]",
    "fo\u00ado@example.org": "[email]",
    "call +49 (0)30 123456-78 now": "call [phone] now",
    "+1-212-555-0142 or (212) 555-0142": "[phone] or [phone]",
    "+33 6 12 34 56 78": "[phone]",
    "06 12 34 56 78": "[phone]",
    "(0171) 2345678": "[phone]",
    "0044 7700 900123": "[phone]",
    "+1.555.010.0199": "[phone]",
    "tel: 01711234567": "tel: [phone]",
    "IBAN DE89 3704 0044 0532 0130 00 please": "IBAN [iban] please",
    "AT611904300234573201 THIS": "[iban] THIS",
    "GB29NWBK60161331926819.": "[iban].",
    "card 4111 1111 1111 1111 12 items": "card [card] 12 items",
    "378282246310005": "[card]",
    "http://user:secret@host.example/x": "[url]",
    "https://x.example/?a=1&access_token=zzz ok": "[url] ok",
    "10.0.0.12 and 192.168.1.1:8080": "[ip] and [ip]:8080",
    "fe80:0:0:0:202:b3ff:fe1e:8329": "[ip]",
    "221b Baker Street, London": "[address], London",
    "Hauptstraße 5a": "[address]",
    "12 rue de la Paix": "[address]",
    "Hi Anna,\nthanks": "Hi [name],\nthanks",
    "Hi Anna how are you?": "Hi [name] how are you?",
    "Sehr geehrter Herr von der Heide,\nwir": "Sehr geehrter [name],\nwir",
    "Dear Mr. O'Neill,\nplease": "Dear [name],\nplease",
    "Best regards,\nJohn Smith\nAccounting": "Best regards,\n[name]\nAccounting",
    "Thanks\nBest Regards\n\nJ. Smith": "Thanks\nBest Regards\n\n[name]",
    "Viele Grüße\nOlaf": "Viele Grüße\n[name]",
    "Thanks, Anna": "Thanks, [name]",
    "-- \nMaria Lopez\nCEO": "-- \n[name]\nCEO",
    "> On Mon, 3 Mar 2026, Anna Smith <a@b.com> wrote:": "> On Mon, 3 Mar 2026, [name] <[email]> wrote:",
    "my name is Jo Bloggs and": "my name is [name] and",
}
STAYS = (
    "order 2025-004417, A-99213 and 4500731",
    "2026-09-30 10:12:13, 30.09.2026, 01/02/2026 and 01-02-2026 13:00",
    "2026-09-30T00:00:00+02:00 GMT+0200",
    "EUR 1,240.50 and 2.390,00 EUR",
    "0.6978123456789012 -0.00012345 +0.123456789 1e+10",
    "version 26.3.1 and 1.2.3",
    "1 234 567 890 contacts, 100 000 000 000 bytes",
    "id 1767225600000 and 1767225600000000",
    "card 4111 1111 1111 1112 fails Luhn's check",
    "uuid 123e4567-e89b-12d3-a456-426614174000, sha 0123456789abcdef0123456789abcdef01234567",
    "ticket #00123 456789",
    "Hi there,\nHello support team,",
    "Thanks for your help.",
    "{{7*7}} <script>alert(1)</script>",
    "https://example.com/help?page=2",
    "we tried 30 cards in 5 weeks",
)


@pytest.fixture(scope="module")
def raw() -> Desk:
    return invent(contacts=3_000)


@pytest.fixture(scope="module")
def clean(raw: Desk) -> Desk:
    return redact(raw)


@pytest.mark.parametrize(("told", "left"), GONE.items())
def test_personal_data_becomes_a_token(told: str, left: str) -> None:
    assert redacted(pl.Series([told])).to_list() == [left]


@pytest.mark.parametrize("text", STAYS)
def test_numbers_dates_and_plain_words_stay(text: str) -> None:
    assert redacted(pl.Series([text])).to_list() == [text]
    assert leaks(text) == {}


def test_redacting_twice_changes_nothing(clean: Desk) -> None:
    texts = pl.concat([pl.Series([*GONE, *GONE.values()]), clean.contacts["body"], clean.events["text"].unique(maintain_order=True)])
    once = redacted(texts)
    assert redacted(once).equals(once, null_equal=True)
    assert redact(clean) is clean


def test_no_canary_survives(raw: Desk, clean: Desk) -> None:
    assert len(canaries(raw)) == 4
    assert canaries(clean) == {}


def test_a_redacted_desk_says_so_and_counts_what_was_taken(clean: Desk) -> None:
    assert clean.manifest.redacted
    note = clean.manifest.notes[-1]
    assert all(f" {kind}" in note for kind in ("email", "phone", "iban", "card", "url", "ip", "name", "address"))


def test_nothing_but_text_and_identifiers_changes(raw: Desk, clean: Desk) -> None:
    texts = {"contacts": ["subject", "body"], "events": ["text"], "surveys": ["comment"]}
    for name, frame in raw.tables().items():
        if name != "identifiers":
            assert_frame_equal(frame.drop(texts.get(name, [])), clean.tables()[name].drop(texts.get(name, [])))
    assert raw.contacts["body"].is_null().equals(clean.contacts["body"].is_null())


def test_identifiers_stay_joinable_and_leave_the_clear(raw: Desk, clean: Desk) -> None:
    def sharing(desk: Desk) -> pl.DataFrame:
        people = desk.identifiers.group_by("kind", "value_norm").agg(pl.col("customer_ref").sort())
        return people.select("kind", pl.col("customer_ref").list.join(" ")).sort("kind", "customer_ref")

    assert_frame_equal(sharing(raw), sharing(clean))
    assert not clean.identifiers["value_norm"].is_in(raw.identifiers["value_norm"].implode()).any()
    assert clean.identifiers["value_norm"].str.contains(r"^billing@[0-9a-f]{16}$").any()


def test_a_pseudonym_is_the_same_in_every_export() -> None:
    assert pseudonyms(pl.Series(["jo@example.org", "info@example.org", "jo@example.org"])).to_list() == [
        "b6be3cb544f77c4e", "info@e602e3c5659dc976", "b6be3cb544f77c4e",
    ]  # fmt: skip


def test_references_that_are_addresses_are_hashed_alike_everywhere() -> None:
    at = datetime(2026, 1, 5, tzinfo=UTC)
    key = {"source": "x", "contact_id": "1"}
    contact = {**key, "opened_at": at, "status": "new", "channel": "email", "tags": [], "initiated_by": "customer", "resolved_by": "unknown"}
    desk = Desk.build(
        Manifest(source="x", reader="x", reader_version="1", data_start=at, data_end=at),
        contacts=pl.DataFrame([{**contact, "customer_ref": "jo@example.org", "first_agent": "a-1"}]),
        events=pl.DataFrame([{**key, "seq": 0, "at": at, "kind": "message", "actor": "customer", "actor_id": "jo@example.org"}]),
        identifiers=pl.DataFrame({"source": ["x"], "customer_ref": ["jo@example.org"], "kind": ["email"], "value_norm": ["jo@example.org"]}),
    )
    clean = redact(desk)
    who = clean.contacts["customer_ref"].item()
    assert "jo" not in who
    assert clean.events["actor_id"].item() == clean.identifiers["customer_ref"].item() == who
    assert clean.contacts["first_agent"].item() == "a-1"


def test_a_desk_without_any_text_can_be_redacted() -> None:
    at = datetime(2026, 1, 5, tzinfo=UTC)
    contact = {
        "source": "x",
        "contact_id": "1",
        "opened_at": at,
        "status": "new",
        "channel": "email",
        "initiated_by": "customer",
        "resolved_by": "unknown",
    }
    desk = Desk.build(Manifest(source="x", reader="x", reader_version="1", data_start=at, data_end=at), contacts=pl.DataFrame([contact]))
    assert redact(desk).manifest.notes == ("personal data taken out of the text: nothing found",)


def test_leaks_finds_each_kind_in_a_rendered_page() -> None:
    page = "<p>jo@example.org</p><td>+44 20 7946 0123</td>{'x': 'DE89370400440532013000'} 4111-1111-1111-1111"
    assert leaks(page) == {"email": 1, "iban": 1, "card": 1, "phone": 1}


def test_leaks_sees_through_hidden_characters() -> None:
    assert leaks("jo\u200b@example.org") == {"email": 1}


def test_leaks_is_silent_on_what_redact_let_through(raw: Desk, clean: Desk) -> None:
    texts = [*clean.contacts["body"].drop_nulls(), *clean.events["text"].drop_nulls().unique(maintain_order=True)]
    assert leaks("\n".join(texts)) == {}
    assert set(leaks("\n".join(raw.contacts["body"].drop_nulls()))) == {"email", "phone", "iban", "card"}


def test_leaks_is_silent_on_charts_and_file_names() -> None:
    assert leaks('{"values":[0.6978123456789012,1767225600000],"src":"chart@2x.png"} npm/vega@6.min.js') == {}
