"""What is compared when we ask whether two customers are one person, and what is no key at all?

A key is a value brought into one shape: an e-mail address in lower case, a telephone in E.164. What many people share (a role address, a withheld
number, the company's own) and what is damaged (a number that a spreadsheet shortened to 6.02E+11) is told apart from the keys, with the reason.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from functools import lru_cache
from typing import Literal

import polars as pl

from fcrlib.intake.privacy.pseudonyms import pseudonyms
from fcrlib.model.errors import TableError
from fcrlib.model.identity import ROLE_BOXES, is_domain
from fcrlib.model.tables import IDENTIFIER_KINDS

# The last two spell "anonymous" on a keypad.
ANONYMOUS = ("anonymous", "blocked", "private", "restricted", "unavailable", "unknown", "withheld", "266696687", "+266696687")
DAMAGED = (
    "#n/a", "#na", "#name?", "#null!", "#num!", "#ref!", "#value!", "#div/0!", "n/a", "na", "nan", "nil", "none", "null", "undefined", "-", "?",
)  # fmt: skip
WHO = ["source", "customer_ref"]
WEAK = ("role address", "anonymous", "own", "shared phone", "front desk")
REFUSED = ("empty", "error value", "shortened by a spreadsheet", "one digit repeated", "not an e-mail address", "not a phone number")
WHY = pl.Enum([*WEAK, *REFUSED, "account"])
HASHED = r"^[0-9a-f]{16,64}$"


def keys(
    identifiers: pl.DataFrame, *, own: Collection[str], plus_tags: Literal["keep", "strip"], country: str | None, accounts: Literal["join", "company"]
) -> pl.DataFrame:
    """Read every identifier as a key, or say why it is none.

    Parameters
    ----------
    identifiers
        `source`, `customer_ref`, `kind`, `value_norm`. Rows without a customer are left out.
    own
        The company's own numbers, addresses and domains, in the clear.

    Returns
    -------
    pl.DataFrame
        The rows with `plain` (the value, trimmed, in lower case), `key` (what is compared) and `why` it joins nobody (null for a key that does).

    Raises
    ------
    TableError
        If a column is missing or a kind unknown.
    """
    told = _told(_rows(identifiers), plus_tags=plus_tags, country=country)
    return told.with_columns(why=_reason(own=own, country=country, accounts=accounts))


def settled(told: pl.DataFrame) -> pl.DataFrame:
    """Identifiers as they will be compared, for the moment before their values leave the clear.

    A hash says nothing of the number that it hides: `020 7946 0123` and `+44 20 7946 0123` must be one text before they are hashed, and what joins
    nobody must be marked as such. A marked value is its reason in brackets, which `keys` knows again in the clear and hashed.
    """
    why, key = pl.col("why").cast(pl.String), pl.col("key").cast(pl.String)
    value = (
        pl.when(why == "role address")
        .then(key.str.replace(r"\+[^@]*@", "@"))
        .when(why.is_null() | (why == "account"))
        .then(key)
        .otherwise(pl.format("({})", why))
    )
    return told.select(*WHO, pl.col("kind").cast(pl.Enum(IDENTIFIER_KINDS)), value_norm=value).unique().sort(*WHO, "kind", "value_norm")


def _rows(identifiers: pl.DataFrame) -> pl.DataFrame:
    columns = [*WHO, "kind", "value_norm"]
    if missing := [name for name in columns if name not in identifiers.columns]:
        raise TableError("table 'identifiers' cannot be read:", [f"{name}: the column is missing" for name in missing])
    rows = identifiers.select(pl.col(columns).cast(pl.String)).filter(pl.all_horizontal(pl.col(WHO).is_not_null()))
    strange = rows.filter(~pl.col("kind").is_in(IDENTIFIER_KINDS).fill_null(False))["kind"]
    if len(strange):
        problem = f"kind: {len(strange):,} of {rows.height:,} rows are none of {', '.join(IDENTIFIER_KINDS)}, e.g. {strange.min()!r}"
        raise TableError("table 'identifiers' cannot be read:", [problem])
    return rows.with_columns(pl.col("kind").cast(pl.Enum(IDENTIFIER_KINDS)))


def _told(rows: pl.DataFrame, *, plus_tags: str, country: str | None) -> pl.DataFrame:
    """Add `plain` (the value, trimmed, in lower case) and `key` (what is compared) to every row."""
    rows = rows.with_columns(pl.col("value_norm").str.strip_chars()).with_columns(plain=pl.col("value_norm").str.to_lowercase())
    kind = {word: rows.filter(pl.col("kind") == word).with_columns(key="value_norm") for word in IDENTIFIER_KINDS}
    address = pl.col("plain").str.normalize("NFC")
    kind["email"] = kind["email"].with_columns(key=address.str.replace(r"^([^+@]+)\+[^@]*@", "${1}@") if plus_tags == "strip" else address)
    numbers = kind["phone"].with_columns(_phones(kind["phone"]["value_norm"], country=country).alias("key"))
    local = ~pl.col("key").str.contains(r"^\+") & ~pl.col("key").str.contains(HASHED)
    kind["phone"] = numbers.with_columns(pl.when(local).then(pl.format("{}: {}", "source", "key")).otherwise("key").alias("key"))
    return pl.concat(kind.values())


def _phones(values: pl.Series, *, country: str | None) -> pl.Series:
    """E.164 where the country is known, bare digits where it is not, null where it is no number; every distinct number is read once."""
    unique = values.drop_nulls().unique()
    unsettled = unique.filter(~unique.str.contains(r"^\+\d{8,15}$") | unique.str.contains(_unsettled_shape()))
    unsettled = unsettled.filter(~unsettled.str.contains(HASHED))
    read = pl.Series([_phone(text, country) for text in unsettled], dtype=pl.String)
    return values.replace(unsettled, read) if len(unsettled) else values


def _phone(text: str, country: str | None) -> str | None:
    import phonenumbers as library

    dialled = re.sub(r"^\s*00(?=[1-9])", "+", text) if country is None else text
    try:
        number = library.parse(dialled, country)
    except library.NumberParseException:
        number = None
    digits = re.sub(r"\D", "", dialled)
    international = dialled.lstrip(" (").startswith("+")
    if number and (international or library.is_possible_number_with_reason(number) == library.ValidationResult.IS_POSSIBLE):
        extension = f";ext={number.extension}" if number.extension else ""
        full = library.format_number(number, library.PhoneNumberFormat.E164)
        return full + extension if len(full) > 8 else None
    return ("+" if international else "") + digits if len(digits) >= 7 + international else None


@lru_cache(maxsize=1)
def _unsettled_shape() -> str:
    """International numbers that may still carry a national prefix, as in +44 (0)20: all others are E.164 as they stand."""
    from phonenumbers import COUNTRY_CODE_TO_REGION_CODE, PhoneMetadata

    prefixes = {
        code: data.national_prefix_for_parsing
        for code, regions in COUNTRY_CODE_TO_REGION_CODE.items()
        if (data := PhoneMetadata.metadata_for_region_or_calling_code(code, regions[0])) is not None
    }
    return r"^\+(?:" + "|".join(f"{code}(?:{prefix})" for code, prefix in prefixes.items() if prefix) + ")"


def _reason(*, own: Collection[str], country: str | None, accounts: Literal["join", "company"]) -> pl.Expr:
    """Why a row joins nobody; null for a strong key. Words are known in the clear and as the pseudonym that redaction gives them."""
    kind, plain, key = pl.col("kind"), pl.col("plain"), pl.col("key")
    is_phone, is_email, hashed = kind == "phone", kind == "email", key.str.contains(HASHED)
    alike = {digit: [f"{sign}{digit * n}" for n in range(4, 21) for sign in ("", "+")] for digit in "0123456789"}
    repeats = [text for texts in alike.values() for text in texts]
    nobody = plain.is_in(_either(ANONYMOUS)) | key.is_in(_either(ANONYMOUS)) | is_phone & plain.is_in(_either(alike["0"]))
    whys = (
        ("empty", plain.is_null() | (plain == "")),
        ("anonymous", nobody | is_phone & plain.str.contains(r"^\+?\d{0,3}0{7,}$")),
        ("error value", plain.is_in(_either(DAMAGED)) | plain.str.contains(r"^#+$")),
        ("shortened by a spreadsheet", plain.str.contains(r"^[+-]?\d+(?:[.,]\d*e[+-]?|e[+-])\d+$")),
        ("one digit repeated", plain.is_in(_either(repeats))),
        ("own", _is_own(own, country=country)),
        ("role address", is_email & key.str.contains(rf"^(?:{'|'.join(ROLE_BOXES)})(?:\+[^@]*)?@")),
        ("not an e-mail address", is_email & ~hashed & ~key.str.contains(r"^[^@\s]+@[^@\s]+$")),
        ("not a phone number", is_phone & key.is_null()),
        ("account", (kind == "account") & (accounts == "company")),
    )
    marks = {mark: why for why, _ in whys[:-1] for mark in _either([f"({why})"])}
    marked = plain.replace_strict(list(marks), list(marks.values()), default=None, return_dtype=WHY)
    return pl.coalesce(marked, *(pl.when(holds).then(pl.lit(why, dtype=WHY)) for why, holds in whys))


def _either(words: Collection[str]) -> list[str]:
    """The words, and the pseudonyms of the words as they may have been written."""
    written = sorted({shape for word in words for shape in (word, word.lower(), word.upper(), word.title())})
    return [*written, *pseudonyms(pl.Series(written, dtype=pl.String))]


def _is_own(own: Collection[str], *, country: str | None) -> pl.Expr:
    entries = sorted({entry.strip().lower() for entry in own if entry.strip()})
    phones = [number for entry in entries if "@" not in entry and re.fullmatch(r"[\d\s+()./-]+", entry) and (number := _phone(entry, country))]
    domains = [re.escape(entry.lstrip("@")) for entry in entries if is_domain(entry)]
    at_home = pl.col("key").str.contains(rf"[@.](?:{'|'.join(domains)})$") if domains else pl.lit(False)
    keys = _either([*entries, *phones])
    return pl.col("key").is_in(keys) | pl.col("plain").is_in(keys) | (pl.col("kind") == "email") & at_home
