"""What must leave the text before anybody reads it, and does any of it remain?

`redact` takes personal data out of a desk once, at the door; `leaks` looks for it in any text that is about to be published. Both use the
same shapes, written for a regex engine without look-around: group 1 is kept, what follows it is the datum. A phone number needs a plus,
a leading zero with an area code, brackets or a word like "call me at", so that amounts, dates, order numbers and floats stay.
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Callable
from dataclasses import replace

import polars as pl

from fcrlib.intake.keys import keys, settled
from fcrlib.intake.pseudonyms import pseudonyms
from fcrlib.model.desk import KEYS, Desk
from fcrlib.model.identity import Rules

# Columns that name a person by reference. Some exports use the e-mail address itself.
REFERENCES = ("customer_ref", "person", "first_agent", "resolver_agent", "actor_id", "agent_from", "agent_to", "agent_id")
TEXTS = {"contacts": ("subject", "body"), "events": ("text",), "surveys": ("comment",)}
KINDS = ("email", "phone", "iban", "card", "url", "ip", "name", "address")

# Soft hyphens, zero-width characters, directional marks, and control characters other than tab and line ends.
_INVISIBLE = "[\u00ad\u200b-\u200f\u202a-\u202e\u2060-\u2064\u2066-\u2069\ufeff\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]"
_WORD = r"\p{Lu}[\p{L}'’\-]+"
_TITLE = r"(?:Mr|Mrs|Ms|Miss|Dr|Prof|Herrn?|Frau|Mme|Madame|Monsieur|M)"
_PERSON = (
    rf"(?:{_TITLE}\.? +){{0,2}}(?:\p{{Lu}}\. ?)*{_WORD}(?: +\p{{Lu}}\.)?(?: +(?:van|von|zu|de|der|den|la|le|da|di|del)){{0,3}}(?: +{_WORD}){{0,2}}"
)
_HELLO = (
    r"(?i:hi|hello|hey|dear|good (?:morning|afternoon|evening)|hallo|liebe[rs]?|guten (?:tag|morgen|abend)|sehr geehrte[rs]?|bonjour|chère?|hola)"
)
_AFTER_HELLO = r"([ \t]*(?:[,!.:;]|(?m:$))| +(?:how|thanks|thank|please|can|could|this|I|we|it|just|sorry|hope|and)\b)"
_REGARDS = (
    r"(?i:(?:with )?(?:(?:best|kind|warm|warmest|many) )?(?:regards|wishes|thanks)|thank you|thx|cheers|sincerely|yours (?:sincerely|truly)|"
    r"(?:mit )?(?:(?:freundlichen?|viele[nr]?|beste[nr]?|liebe) )?gr(?:ü|u|ue)(?:ß|ss)en?|gruß|mfg|vg|cordialement|bien à vous|merci|saludos|atentamente)"
)
_GAP = "[ \u00a0()\\-/]{0,3}"
_EMAIL = r"()[\w.%+\-]+@\w(?:[\w.\-]*\w)?\.[^\W\d_]{2,24}\b"
_SPELLED_EMAIL = r"()\b[\w.\-]+ ?(?:\(at\)|\[at\]|\{at\}) ?[\w\-]+(?: ?(?:\(dot\)|\[dot\]|\.) ?[\w\-]+)*"
_IBAN = r"()\b(?i:[a-z]{2})\d{2}(?:[ \-]?[A-Za-z0-9]{4}){2,7}(?:[ \-]?[A-Za-z0-9]{1,4})?\b"
_CARD = r"(^|[^\w.,+\-])[2-6]\d(?:[ \-]?\d){11,17}\b"
_PHONES = (
    rf"(^|[^\w.,+])\+[1-9](?:{_GAP}\d){{8,14}}\b",
    rf"(^|[^\w.,+\-/#])00[1-9]\d{{0,2}}[ \-/(]{{1,2}}(?:{_GAP}\d){{6,13}}\b",
    r"(^|[^\w.,+])\+[1-9]\d{0,2}(?:\.\d{2,4}){3,5}\b",
    r"(^|[^\w.,+\-/#])\(?0[1-9]\d{1,4}\)?[ \-/]{1,3}(?:\d{5,8}|\d{3,5}(?:[ \-]\d{2,5}){1,3})\b",
    r"(^|[^\w.,+\-/#])0[1-9](?: \d\d){4}\b",
    r"(^|[^\w.,+\-/#])(?:\([2-9]\d\d\) ?[2-9]\d\d[ \-.]\d{4}|[2-9]\d\d-[2-9]\d\d-\d{4}|[2-9]\d\d\.[2-9]\d\d\.\d{4})\b",
)
_SPOKEN_PHONE = (
    r"((?i:\b(?:tel|telephone|phone|mobile|cell|handy|telefon|fax|whatsapp|call me (?:back )?(?:on|at)|reach me (?:on|at)))[.:]* *)"
    r"\(?\d(?:[ ()\-/]{0,2}\d){6,14}\b"
)
_URLS = (
    r"()(?i:\b[a-z][a-z0-9+.\-]{1,12}://)[^\s/@<>\"]+@[^\s<>\"]*",
    r"()(?i:\bhttps?://)[^\s<>\"?]*\?[^\s<>\"]*(?i:token|key|auth|session|sid|sig|secret|password|pwd|code|user|mail)[\w\-]*=[^\s<>\"]*",
)
_OCTET = r"(?:25[0-5]|2[0-4]\d|1?\d?\d)"
_IPS = (rf"(^|[^\w.]){_OCTET}(?:\.{_OCTET}){{3}}\b", r"(^|[^\w:])(?:[0-9A-Fa-f]{1,4}:){4,7}[0-9A-Fa-f]{1,4}\b")
_ROAD = r"(?:(?:Street|Road|Lane|Avenue|Boulevard|Court|Mews|Square|Crescent|Terrace)\b|(?:St|Rd|Ave|Blvd)\.)"
_ADDRESSES = (
    rf"(^|[^\w.,])\d{{1,4}}[a-zA-Z]?,? (?:{_WORD} ){{1,3}}{_ROAD}",
    r"()\b\p{Lu}[\p{L}\-]*(?:straße|strasse|str\.|weg|gasse|allee|platz|ring|damm|ufer) \d{1,4} ?[a-z]?\b",
    rf"(^|[^\w.,])\d{{1,4}}(?: ?(?:bis|ter))?,? (?:rue|avenue|boulevard|place|chemin|allée|impasse)(?: (?:de|du|des|la|le|les))*(?: {_WORD}){{1,3}}",
    rf"()\b(?:Calle|Via|Avenida|Plaza)(?: (?:de|del|la|los))*(?: {_WORD}){{1,3}},? \d{{1,4}}\b",
)
_NAMES = (
    rf"((?m:^)[> \t]*{_HELLO} +){_PERSON}{_AFTER_HELLO}",
    rf"((?m:^)[> \t]*(?:On|Am|Le) [^\n]{{4,60}}, +){_PERSON}( +(?:<[^>\n]*> *)?(?:wrote|schrieb|a écrit))",
    rf"(\b(?i:my name is|mein name ist|je m'appelle|on behalf of|ask for|attn\.?:?) +){_WORD}(?: +{_WORD}){{0,2}}",
    rf"(\b(?i:this is) +){_WORD} +{_WORD}(,? +(?:from|of|at|speaking|calling|here)\b)",
    rf"((?:(?m:^)[> \t]*(?:{_REGARDS}|(?i:best))[,.!]*[ \t]*\r?\n(?:[> \t]*\r?\n)?)+[> \t]*(?:-- ?\r?\n[> \t]*)?)(?:{_PERSON}|\[name\])([ \t]*(?m:$))",
    rf"(\b{_REGARDS},? +){_WORD}(?: +{_WORD}){{0,2}}([ \t.]*(?m:$))",
    rf"((?m:^)-- ?\r?\n[> \t]*){_PERSON}([ \t]*(?m:$))",
)
# In this order: an address inside a URL goes with the URL, a card number is no phone number.
_SHAPES: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("url", _URLS),
    ("email", (_EMAIL, _SPELLED_EMAIL)),
    ("iban", (_IBAN,)),
    ("card", (_CARD,)),
    ("ip", _IPS),
    ("phone", (*_PHONES, _SPOKEN_PHONE)),
    ("address", _ADDRESSES),
    ("name", _NAMES),
)
# Endings of file names that look like top-level domains: `chart@2x.png`, `vega@6.min.js`.
_FILES = {
    "js",
    "mjs",
    "css",
    "map",
    "png",
    "jpg",
    "jpeg",
    "gif",
    "svg",
    "json",
    "html",
    "htm",
    "woff",
    "ttf",
    "csv",
    "parquet",
    "py",
    "ipynb",
    "md",
    "ts",
}
# Visa, Mastercard (old and new), American Express, Diners, Discover and UnionPay.
_NETWORKS = r"4(?:\d{12}|\d{15}|\d{18})|5[1-5]\d{14}|2[2-7]\d{14}|3[47]\d{13}|3[068]\d{12}|6[0245]\d{14}(?:\d{3})?"
_IBAN_LENGTH = {
    "AD": 24, "AT": 20, "BE": 16, "BG": 22, "CH": 21, "CY": 28, "CZ": 24, "DE": 22, "DK": 18, "EE": 20, "ES": 24, "FI": 18, "FR": 27, "GB": 22, "GR": 27,
    "HR": 21, "HU": 28, "IE": 22, "IS": 26, "IT": 27, "LI": 21, "LT": 20, "LU": 20, "LV": 21, "MC": 27, "MT": 31, "NL": 18, "NO": 15, "PL": 28, "PT": 25,
    "RO": 24, "SE": 24, "SI": 19, "SK": 24, "SM": 27, "TR": 26, "UA": 29,
}  # fmt: skip


def redact(desk: Desk, *, rules: Rules | None = None) -> Desk:
    """Take personal data out of a desk.

    In subject, body, messages and survey comments, e-mail addresses, phone numbers, IBANs, card numbers (those that pass Luhn's check),
    URLs with credentials or tokens, IP addresses, names in greetings and signatures, and street addresses become `[email]`, `[phone]`,
    `[iban]`, `[card]`, `[url]`, `[ip]`, `[name]` and `[address]`. Characters that hide or break an address are removed.

    Identifiers stay joinable and leave the clear: `value_norm` becomes the first 16 hex digits of its SHA-256, the same in every export of
    every source, so the same person is found again. Role addresses keep the part before the `@` (`info@3f2a...`), which names no person and lets
    them be known as weak; a shared phone is known by being shared. The hash is a pseudonym, not anonymity: who has a list of
    phone numbers can try them all. References to customers and agents that are themselves an address or a phone number are hashed alike.

    A hash says nothing of the value that it hides, so identifiers are brought into one shape first, as `rules` say.

    A desk that is already redacted is returned as it is.

    Returns
    -------
    Desk
        With `manifest.redacted` set and a note that counts what was taken out, by kind.
    """
    if desk.manifest.redacted:
        return desk
    found: Counter[str] = Counter()
    tables = {}
    for table, columns in TEXTS.items():
        frame: pl.DataFrame = getattr(desk, table)
        for column in columns:
            clean = redacted(frame[column])
            found.update(_tokens(clean))
            found.subtract(_tokens(frame[column]))
            frame = frame.with_columns(clean.alias(column))
        tables[table] = frame
    said = ", ".join(f"{found[kind]:,} {kind}" for kind in KINDS if found[kind]) or "nothing found"
    manifest = desk.manifest.model_copy(update={"redacted": True, "notes": (*desk.manifest.notes, f"personal data taken out of the text: {said}")})
    rules = rules or Rules()
    told = settled(keys(desk.identifiers, own=rules.own, plus_tags=rules.plus_tags, country=rules.country, accounts=rules.accounts))
    key = ["source", "customer_ref", "kind", "value_norm"]
    hashed = told.with_columns(pseudonyms(told["value_norm"])).unique(key, maintain_order=True).sort(key)
    return replace(desk, manifest=manifest, identifiers=hashed, **tables).map_tables(_without_addresses)


def redacted(texts: pl.Series) -> pl.Series:
    """The texts without personal data; every distinct text is looked at once.

    Examples
    --------
    >>> redacted(pl.Series(["Hi Anna,\\nmail jo@example.org or call +44 20 7946 0123, order 2025-004417"])).to_list()
    ['Hi [name],\\nmail [email] or call [phone], order 2025-004417']
    """
    unique = texts.drop_nulls().unique(maintain_order=True)
    clean = _clean(unique)
    changed = unique != clean
    return texts.replace(unique.filter(changed), clean.filter(changed)) if changed.any() else texts


def _without_addresses(table: str, frame: pl.DataFrame) -> pl.DataFrame:
    """Hash the references that are an e-mail address or an international phone number; the same value stays the same everywhere."""
    changed: list[pl.Series] = []
    for column in (column for column in REFERENCES if column in frame.columns):
        plain = frame[column].drop_nulls().unique(maintain_order=True)
        told = plain.filter(plain.str.contains(r"@|^\+\d"))
        if len(told):
            changed.append(frame[column].replace(told, pseudonyms(told)))
    return frame.with_columns(changed).sort(KEYS[table]) if changed else frame


def leaks(text: str) -> dict[str, int]:
    """Count what looks like personal data in a text that is about to be published: e-mail, phone, IBAN and card numbers.

    Floats, dates, order numbers, file names and redaction tokens do not count. An empty answer means that nothing was found.

    Examples
    --------
    >>> leaks("write to jo@example.org, see chart@2x.png of 2026-09-30, FCR 0.6978123456789012")
    {'email': 1}
    """
    plain = re.sub(_INVISIBLE, "", unicodedata.normalize("NFC", text))
    found: Counter[str] = Counter()
    for kind, shape, is_one in _LOOKED_FOR:

        def take(match: re.Match[str], kind: str = kind, is_one: Callable[[str], object] = is_one) -> str:
            if not is_one(match[0][len(match[1]) :]):
                return match[0]
            found[kind] += 1
            return f"{match[1]}[{kind}]"  # so that the digits of an IBAN are not counted as a phone number as well

        plain = re.sub(shape, take, plain)
    return dict(found)


def _clean(texts: pl.Series) -> pl.Series:
    texts = texts.str.normalize("NFC").str.replace_all(_INVISIBLE, "")
    for kind, shapes in _SHAPES:
        for shape in shapes:
            texts = _replace_checked(texts, shape, kind=kind) if kind in _CHECKED else texts.str.replace_all(shape, f"${{1}}[{kind}]${{2}}")
    return texts


def _replace_checked(texts: pl.Series, shape: str, *, kind: str) -> pl.Series:
    """Replace what has the shape *and* passes the check: the candidates are few, so they are checked one by one."""
    candidates = texts.str.extract_all(shape).explode().drop_nulls().unique(maintain_order=True).to_list()
    true = sorted({valid for one in candidates if (valid := _CHECKED[kind](one))}, key=lambda valid: (-len(valid), valid))
    return texts.str.replace_many(true, [f"[{kind}]"] * len(true), leftmost=True) if true else texts


def _iban_in(candidate: str) -> str:
    """The IBAN at the start of a candidate: its check digits hold, or its country and length do; else empty."""
    length = _IBAN_LENGTH.get(candidate[:2].upper(), 0)
    text = _first_characters(candidate, length)
    compact = re.sub(r"[ \-]", "", text).upper()
    if not length or len(compact) != length:
        return ""
    checks = int("".join(str(int(sign, 36)) for sign in compact[4:] + compact[:4])) % 97 == 1
    return text if checks or sum(sign.isdigit() for sign in compact) >= 10 else ""


def _card_in(candidate: str) -> str:
    """The card number at the start of a candidate: a network's prefix and length, and Luhn's check; else empty."""
    text = candidate if candidate[0].isdigit() else candidate[1:]
    for length in (16, 15, 14, 19, 13):
        card = _first_characters(text, length)
        digits = re.sub(r"\D", "", card)
        if len(digits) == length and re.fullmatch(_NETWORKS, digits) and _luhn(digits):
            return card
    return ""


def _first_characters(text: str, count: int) -> str:
    """The start of a text down to its `count`-th letter or digit."""
    match = re.match(rf"(?:[ \-]?[A-Za-z0-9]){{{count}}}", text)
    return match[0] if match else ""


def _luhn(digits: str) -> bool:
    doubled = [int(digit) if place % 2 == 0 else sum(divmod(2 * int(digit), 10)) for place, digit in enumerate(reversed(digits))]
    return sum(doubled) % 10 == 0


_CHECKED: dict[str, Callable[[str], str]] = {"iban": _iban_in, "card": _card_in}


def _is_address(hit: str) -> bool:
    return hit.rpartition(".")[2].lower() not in _FILES


_LOOKED_FOR: tuple[tuple[str, str, Callable[[str], object]], ...] = (
    ("email", _EMAIL, _is_address),
    ("iban", _IBAN, _iban_in),
    ("card", _CARD, _card_in),
    *(("phone", shape, bool) for shape in _PHONES),
)


def _tokens(texts: pl.Series) -> dict[str, int]:
    return {kind: int(texts.str.count_matches(f"[{kind}]", literal=True).sum()) for kind in KINDS}
