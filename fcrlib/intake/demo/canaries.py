"""Which personal data was planted in the invented desk, and has any of it survived?

Every planted datum is a canary: recognisable by `CANARIES` and by nothing else in the desk. Telephone numbers come from the blocks that
regulators keep for fiction, addresses from test networks, names and streets from families nobody bears.
"""

from __future__ import annotations

import re
from functools import lru_cache

import numpy as np
import polars as pl

from fcrlib.model.desk import Desk

# Narrow enough that no float, date or English word in a report is taken for one.
CANARIES: re.Pattern[str] = re.compile(
    "|".join(
        (
            r"canary-[0-9a-f]{6}",
            r"\bcanar(?:ella|sson|wood|ini|sky|elli|field|idis|elle|weg|ienstra)",
            r"\bcanary (?:street|lane)",
            r"\+1[ \-]?\(?[2-9]\d\d\)?[ \-]?555[ \-]?01\d\d",
            r"[2-9]\d\d\)?[ \-]555-01\d\d",
            r"\+999\d{9}",
            r"\+44 ?(?:\(0\))?20 ?7946 ?0\d{3}",
            r"\b020 7946 0\d{3}",
            r"(?:\+49 |\b0|\b0049 )30 23125 ?\d{3}",
            r"\bDE\d\d ?9999 ?9999 ?\d{4}",
            r"\b4000[ \-]?0099[ \-]?9\d{3}[ \-]?\d{4}\b",
            r"\b203\.0\.113\.\d+",
        )
    ),
    re.IGNORECASE,
)
FIRST_NAMES = ("Anna", "John", "Maria", "Peter", "Sophie", "Ahmed", "Lukas", "Chloé", "Ines", "David", "Olga", "Tom", "Yuki", "Paul", "Nadia", "Erik")
FAMILY_NAMES = ("Canarella", "Canarsson", "Canarwood", "Canarini", "Canarsky", "Canarelli", "Canarfield", "Canaridis")
DOMAINS = ("northwind.example", "mail.contoso.example.com", "acme.example.org", "globex.example.net", "initech.example.co.uk")
STREETS = ("{n} Canary Street", "{n} Canarwood Road", "Canarienstraße {n}", "{n} Old Canary Lane", "Canarweg {n}", "{n} rue Canarelle")
_SENTENCES = {
    "email": ("You can write to me at {email}.", "My address is {email}.", "Please copy {email} as well.", "Mail: {email}"),
    "phone": ("Please call me at {phone}.", "My number is {phone}.", "Tel. {phone}", "Ring {phone} in the morning.", "Phone: {phone}"),
    "iban": ("Our account is {iban}.", "Please refund to IBAN {iban}, thanks.", "IBAN: {iban}"),
    "card": ("The card is {card}.", "Card number {card} was used.", "I typed {card} as always."),
    "address": ("We sit at {street}.", "Our new address is {street}, please update it.", "Send the letter to {street}."),
    "url": ("See https://app.example.com/reset?token={hex}&user=1 for the page.", "I used https://user:{hex}@files.example.com/data to load it."),
    "ip": ("Our address is 203.0.113.{octet}.", "The firewall shows 203.0.113.{octet} being blocked."),
    "name": ("My name is {name}.", "I am writing for my colleague, my name is {name}."),
}
_WEIGHTS = {"email": 0.3, "phone": 0.3, "iban": 0.08, "card": 0.06, "address": 0.08, "url": 0.06, "ip": 0.06, "name": 0.06}


def emails(people: pl.Expr) -> pl.Expr:
    """The e-mail address of each person, by number (1 to 1)."""
    domain = pl.lit(pl.Series(DOMAINS)).gather(people % len(DOMAINS))
    local = ((people * 48_271 + 17) % 99_999_989).cast(pl.String).str.zfill(8)
    return pl.concat_str([pl.lit("canary-"), local, pl.lit("@"), domain])


def phones(people: pl.Expr) -> pl.Expr:
    """The telephone number of each person, by number, in E.164 (1 to 1). When the fictional ones are used up, a country code nobody has."""
    area, line = 201 + (people // 100) % 789, people % 100
    fictional = pl.concat_str([pl.lit("+1"), area.cast(pl.String), pl.lit("55501"), line.cast(pl.String).str.zfill(2)])
    nowhere = pl.concat_str([pl.lit("+999"), people.cast(pl.String).str.zfill(9)])
    return pl.when(people < 78_900).then(fictional).otherwise(nowhere)


@lru_cache(maxsize=1)
def names() -> pl.Series:
    """Full names."""
    return pl.Series([f"{first} {family}" for first in FIRST_NAMES for family in FAMILY_NAMES])


@lru_cache(maxsize=1)
def confessions() -> pl.Series:
    """Sentences with personal data in them, 4,000 of them, the common kinds often."""
    rng = np.random.Generator(np.random.PCG64(20_250_701))
    kinds = rng.choice(list(_SENTENCES), size=4_000, p=list(_WEIGHTS.values()))
    return pl.Series([_confession(str(kind), index) for index, kind in enumerate(kinds)])


def canaries(desk: Desk) -> dict[str, int]:
    """Count the cells in which a canary sings, by `table.column`, leaving out the columns where there is none."""
    songs = {}
    for name, frame in desk.tables().items():
        for column in frame.select(pl.col(pl.String)).columns:
            if found := int(frame[column].str.contains(f"(?i){CANARIES.pattern}").sum()):
                songs[f"{name}.{column}"] = found
    return songs


def _confession(kind: str, index: int) -> str:
    sentences = _SENTENCES[kind]
    return sentences[index % len(sentences)].format(
        email=f"canary-{(index * 40_503) % 0xFFFFFF:06x}@{DOMAINS[index % len(DOMAINS)]}",
        phone=_phone(index),
        iban=_iban(index),
        card=_card(index),
        street=STREETS[index % len(STREETS)].format(n=1 + index % 180),
        hex=f"canary-{index * 7 % 0xFFFFFF:06x}",
        octet=index % 255,
        name=names()[index % len(names())],
    )


def _phone(index: int) -> str:
    shapes = (
        "+1 {a} 555 01{l:02}", "+1-{a}-555-01{l:02}", "({a}) 555-01{l:02}", "{a}-555-01{l:02}", "+1 ({a}) 555-01{l:02}", "+1{a}55501{l:02}",
        "+44 20 7946 0{m:03}", "020 7946 0{m:03}", "+44 (0)20 7946 0{m:03}", "030 23125 {m:03}", "+49 30 23125{m:03}", "0049 30 23125 {m:03}",
    )  # fmt: skip
    return shapes[index % len(shapes)].format(a=201 + index % 789, l=index % 100, m=index * 7 % 1000)


def _iban(index: int) -> str:
    account = f"99999999{index:010}"
    digits = f"DE{98 - int(account + '131400') % 97:02}{account}"
    return digits if index % 3 == 0 else " ".join(digits[i : i + 4] for i in range(0, len(digits), 4))


def _card(index: int) -> str:
    body = f"400000999{index:06}"
    doubled = sum(sum(divmod(2 * int(d), 10)) if i % 2 == 0 else int(d) for i, d in enumerate(reversed(body)))
    number = body + str(-doubled % 10)
    return number if index % 4 == 0 else ("-" if index % 4 == 1 else " ").join(number[i : i + 4] for i in range(0, 16, 4))
