"""Is what remains of an opening what the contact is about, and nothing of it lost?"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import polars as pl
import pytest
from polars.testing import assert_frame_equal

from fcrlib.model.desk import Desk, Manifest
from fcrlib.texts.openings import COLUMNS, openings

DAY = datetime(2026, 3, 1, tzinfo=UTC)


def desk(*bodies: str | None, events: pl.DataFrame | None = None, **columns: Any) -> Desk:
    n = len(bodies)
    plain = {"channel": ["email"] * n, "status": ["solved"] * n, "initiated_by": ["customer"] * n, "resolved_by": ["human"] * n}
    start = [DAY + timedelta(minutes=row) for row in range(n)]
    contacts = pl.DataFrame(
        {"source": ["zd"] * n, "contact_id": [f"{row:05d}" for row in range(n)], "opened_at": start, "body": bodies, **plain, **columns},
        schema_overrides={"body": pl.String},
    )
    manifest = Manifest(source="zd", reader="doc", reader_version="1", data_start=DAY, data_end=DAY + timedelta(days=90))
    return Desk.build(manifest, contacts=contacts, **({} if events is None else {"events": events}))


def opened(*bodies: str | None, events: pl.DataFrame | None = None, **columns: Any) -> pl.DataFrame:
    made = desk(*bodies, events=events, **columns)
    return openings(made, made.contacts.select("source", "contact_id", label=pl.lit("resolved")))


def text(body: str) -> str | None:
    told = opened(body)
    return told["text"][0] if told.height else None


@pytest.mark.parametrize(
    "body",
    [
        "Hi,\n\nthe export is empty.",
        "Hello support team, the export is empty.",
        "Dear Ms Miller,\r\n\r\nthe export is empty.\r\n\r\nKind regards,\r\nAnn Onym\r\nHead of Operations\r\n+44 1",
        "Good morning [name],\nthe export is empty.\n-- \nAnn\nACME Ltd",
        "the export is empty.\n\nOn 3 March 2026, support wrote:\n> Your request was received.\n> We will be back.",
        "the export is empty.\n\nAm 03.03.2026 um 10:12 schrieb Support <a@b.example>:\n> Guten Tag",
        "the export is empty.\n\nLe mar. 3 mars 2026 à 10:12, Support a écrit :\n> Bonjour",
        "the export is empty.\n\nVon: Support\nGesendet: Dienstag\nAn: Ann\nBetreff: Export\n\nGuten Tag",
        "the export is empty.\n\nDe : Support\nEnvoyé : mardi\nÀ : Ann\n\nBonjour",
        "the export is empty.\n\n-----Original Message-----\nFrom: x\nSubject: y",
        "the export is empty.\n\n> > Did you try another browser?\n> Yes, we did.",
        "the export is empty.\nThanks for your help.\n\nThanks,\nAnn\nSent from my phone",
        "the export is empty.\n\nSent from my iPhone",
        "the export is empty.\n\nThis e-mail and any attachment is confidential. If you are not the addressee, delete it.",
        "Caller says: the export is empty.",
        "the export is empty. Many thanks in advance!",
    ],
)
def test_what_makes_a_letter_is_taken_away(body: str) -> None:
    assert text(body) == "the export is empty."


@pytest.mark.parametrize(
    ("body", "kept"),
    [
        ("Hello export is empty", "Hello export is empty"),
        ("Thanks to your update the export is empty", "Thanks to your update the export is empty"),
        ("Best practice for exports?", "Best practice for exports?"),
        ("From: January to March the numbers are wrong", "From: January to March the numbers are wrong"),
        ("On Monday I wrote: nobody answered me, the file is gone", "On Monday I wrote: nobody answered me, the file is gone"),
        ("Hi", "Hi"),
        ("Thanks!", "Thanks!"),
        ("Kind regards,\nAnn", "Kind regards,\nAnn"),
        ("-5 % on the invoice\n> 3 users are charged", "-5 % on the invoice"),
        ("Dear team,\n\nhow do I say thank you in the app?", "how do I say thank you in the app?"),
    ],
)
def test_words_of_the_matter_are_not_mistaken_for_a_letter(body: str, kept: str) -> None:
    assert text(body) == kept


def test_a_mail_that_is_only_forwarded_is_what_the_customer_had_to_say() -> None:
    assert text("-----Forwarded message-----\nFrom: bank\nSubject: charge\n\nYour card was charged twice.") == "Your card was charged twice."
    assert text("> the export is empty") == "the export is empty"


def test_subject_and_message_are_joined_without_re() -> None:
    told = opened("the file is blank", None, subject=["RE: Fwd: AW: Export empty", "Only a subject"])
    assert told["text"].to_list() == ["Export empty\nthe file is blank", "Only a subject"]


def test_without_a_body_the_first_message_of_the_customer_is_read() -> None:
    rows = [(1, "agent", "How can I help?"), (2, "customer", "Hi,\nthe export is empty"), (3, "customer", "hello?")]
    events = pl.DataFrame(
        [("zd", "00000", seq, DAY + timedelta(minutes=seq), "message", actor, True, said, False) for seq, actor, said in rows],
        schema=["source", "contact_id", "seq", "at", "kind", "actor", "public", "text", "is_auto"],
        orient="row",
    )
    assert opened(None, events=events)["text"].to_list() == ["the export is empty"]


def test_only_first_contacts_with_words_are_given() -> None:
    made = desk("one export", "two exports", "", "  \n", "12345", "five exports")
    labels = ["resolved", "repeat", "failed", "failed", "failed", "pending"]
    told = openings(made, made.contacts.select("source", "contact_id", label=pl.Series(labels)))
    assert told["contact_id"].to_list() == ["00000", "00005"]
    assert tuple(told.columns) == COLUMNS
    assert openings(made, made.contacts.select("source", "contact_id", label=pl.lit("repeat"))).is_empty()


def matters(n: int) -> list[str]:
    things = ("invoice", "export", "login", "seat", "report", "import", "phone")
    deeds = ("is wrong", "does not open", "was lost", "stays empty", "takes hours")
    return [
        f"our {things[row % 7]} {deeds[row % 5]} since the {things[row % 3]} of {things[row * 3 % 7]} {'again ' * (row % 2)}came" for row in range(n)
    ]


FORM = "Please describe your problem in as much detail as you can."


def test_a_line_that_many_customers_send_beside_their_own_words_is_a_template() -> None:
    told = opened(*[f"{matter}\n{FORM}" for matter in matters(60)], category=["a", "b", "c"] * 20)
    assert not told["text"].str.contains("Please describe").any()
    assert told["text"].to_list() == matters(60)


def test_an_outage_is_no_template_whether_it_stands_alone_or_in_one_category() -> None:
    outage = "The whole service is down, we get error 503 since noon."
    alone = opened(*[outage] * 40, *matters(40))
    assert alone.filter(pl.col("text") == outage).height == 40
    beside = opened(*[f"{outage}\n{matter}" for matter in matters(60)], category=["outage"] * 60)
    assert beside["text"].str.contains("error 503").all()


def test_one_customer_who_always_writes_the_same_line_sends_no_template() -> None:
    made = desk(*[f"{matter}\n{FORM}" for matter in matters(60)])
    told = openings(made, made.contacts.select("source", "contact_id", label=pl.lit("resolved"), customer=pl.lit("ann")))
    assert told["text"].str.contains("Please describe").all()


def test_a_subject_that_a_system_placed_names_the_channel_and_is_left_out() -> None:
    subjects = ["Chat contact"] * 30 + ["Chat Contact"] * 10 + ["Export empty"] * 10
    told = opened(*matters(50), channel=["chat"] * 50, subject=subjects)
    assert told["text"].str.contains("(?i)chat contact").sum() == 0
    assert told["text"].str.contains("Export empty").sum() == 10
    storm = opened(*["it does not work"] * 40, channel=["chat"] * 40, subject=["Service down"] * 40)
    assert storm["text"].str.contains("Service down").all()


def test_the_language_is_the_recorded_one_or_guessed_or_unknown() -> None:
    bodies = [
        "der Export ist leer und wir können nicht weiter",
        "le fichier est vide et nous ne pouvons pas",
        "the file is empty and we cannot go on",
        "Export 503",
    ]
    assert opened(*bodies)["language"].to_list() == ["de", "fr", "en", None]
    assert opened(*bodies, language=["DE", "pt-BR", "und", " "])["language"].to_list() == ["de", "pt", "en", None]


def test_copies_have_one_representative_the_earliest() -> None:
    told = opened("the import job 7 hangs at noon", "the login page stays white", "The import job 8812 hangs at noon!")
    assert told["copies"].to_list() == [2, 1, 2]
    assert told["representative"].to_list() == [True, True, False]
    assert told["copy_of"].to_list() == ["zd:00000", "zd:00001", "zd:00000"]


@pytest.mark.parametrize(
    "body", ["<script>alert(1)</script>", "=HYPERLINK(1)", "a" * 300_000, "x" + "(" * 50_000, "\u202etxet", "On " * 20_000, "> " * 1_000 + "x"]
)
def test_hostile_text_is_text(body: str) -> None:
    told = opened(body, "the export is empty")
    assert told.height == 2
    assert (told["text"].str.len_chars() <= 4_000).all()


def test_rows_may_come_in_any_order() -> None:
    made = desk(*[f"{matter}\n{FORM}" for matter in matters(60)])
    labels = made.contacts.select("source", "contact_id", label=pl.lit("failed"))
    assert_frame_equal(openings(made, labels), openings(made, labels.sample(fraction=1, shuffle=True, seed=1)))
