"""Is what looks like a number of a bank, a card or a telephone really one?

Each function takes a candidate with the character before it and returns the datum in it, or an empty text.
"""

from __future__ import annotations

import re
from functools import lru_cache

# Visa, Mastercard (old and new), American Express, Diners, JCB, Discover, UnionPay and Maestro.
_NETWORKS = (
    r"4(?:\d{15}|\d{18})|5[1-5]\d{14}|2[2-7]\d{14}|3[47]\d{13}|3[068]\d{12}|35(?:2[89]|[3-8]\d)\d{12}|6[0245]\d{14}(?:\d{3})?|"
    r"(?:5018|5020|5038|5893|6304|6759|676[1-3])\d{9,15}"
)
_IBAN_LENGTH = {
    "AD": 24, "AE": 23, "AL": 28, "AT": 20, "AZ": 28, "BA": 20, "BE": 16, "BG": 22, "BH": 22, "BR": 29, "CH": 21, "CY": 28, "CZ": 24, "DE": 22, "DK": 18,
    "EE": 20, "ES": 24, "FI": 18, "FO": 18, "FR": 27, "GB": 22, "GE": 22, "GI": 23, "GL": 18, "GR": 27, "HR": 21, "HU": 28, "IE": 22, "IL": 23, "IS": 26,
    "IT": 27, "KW": 30, "KZ": 20, "LB": 28, "LI": 21, "LT": 20, "LU": 20, "LV": 21, "MC": 27, "MD": 24, "ME": 22, "MK": 19, "MT": 31, "NL": 18, "NO": 15,
    "PL": 28, "PT": 25, "QA": 29, "RO": 24, "RS": 22, "SA": 24, "SE": 24, "SI": 19, "SK": 24, "SM": 27, "TN": 24, "TR": 26, "UA": 29,
}  # fmt: skip
_DATE = r"\(?(?:\d{1,2}[./\- ]\d{1,2}[./\- ]\d{4}|\d{4}[./\-]\d{1,2}[./\-]\d{1,2})\b"


def iban_in(candidate: str) -> str:
    """The IBAN at the start of a candidate: its check digits hold, or its country and length do; else empty.

    References
    ----------
    ISO 13616-1:2020, section 6: the number with its first four signs at the end, letters as 10 to 35, leaves 1 when divided by 97.

    Examples
    --------
    >>> iban_in("DE89 3704 0044 0532 0130 00 please"), iban_in("AB12 3456 7890 1234")
    ('DE89 3704 0044 0532 0130 00', '')
    """
    candidate = re.sub(r"(?i)^iban(?=[a-z]{2})", "", candidate)
    length = _IBAN_LENGTH.get(candidate[:2].upper(), 0)
    text = _first_characters(candidate, length)
    compact = re.sub(r"[^A-Za-z0-9]", "", text).upper()
    if not length or len(compact) != length:
        return ""
    checks = int("".join(str(int(sign, 36)) for sign in compact[4:] + compact[:4])) % 97 == 1
    together = candidate[2].isdigit()  # words of two letters stand before numbers, too
    return text if checks or (together and sum(sign.isdigit() for sign in compact) >= 10) else ""


def card_in(candidate: str) -> str:
    """The card number at the start of a candidate: a network's prefix and length, and Luhn's check; else empty.

    References
    ----------
    ISO/IEC 7812-1:2017, annex B.

    Examples
    --------
    >>> card_in(" 4111 1111 1111 1111 12"), card_in(" 4111 1111 1111 1112")
    ('4111 1111 1111 1111', '')
    """
    text = re.sub(r"^\D+", "", candidate)
    for length in (16, 15, 14, 19, 18, 17, 13, 12):
        card = _first_characters(text, length)
        digits = re.sub(r"\D", "", card)
        if len(digits) == length and re.fullmatch(_NETWORKS, digits) and _printed(card) and _luhn(digits):
            return card
    return ""


def phone_in(candidate: str, country: str | None) -> str:
    """The telephone number in a candidate, as the country's numbering plan knows it; else empty.

    Where numbers begin with a zero at home, it must be written; where they do not, the digits must stand in groups. Dates are none.

    Examples
    --------
    >>> phone_in(" 01711234567", "DE"), phone_in(" 1711234567", "DE"), phone_in(" 612 34 56 78", "ES"), phone_in(" 0049301234567", None)
    ('01711234567', '', '612 34 56 78', '0049301234567')
    """
    from phonenumbers import NumberParseException, is_valid_number, parse

    text = re.sub(r"^[^\d(]+", "", candidate)
    digits = re.sub(r"\D", "", text)
    abroad = digits.startswith("00")
    if re.match(_DATE, text) or not (abroad or country):
        return ""
    if not abroad and not (digits.startswith("0") if _starts_with_zero(str(country)) else len(re.findall(r"\d+", text)) > 2):
        return ""
    try:
        number = parse("+" + digits[2:] if abroad else digits, country)
    except NumberParseException:
        return ""
    return text if is_valid_number(number) else ""


def parts_of(number: str, country: str | None) -> tuple[str, str]:
    """The country code and the digits behind it of a number that somebody wrote down; all digits where no country is known.

    Examples
    --------
    >>> parts_of("+49 (0)30 23125-0", None), parts_of("030 23125 0", "DE"), parts_of("116 117 00", None)
    (('49', '30231250'), ('49', '30231250'), ('', '11611700'))
    """
    from phonenumbers import NumberParseException, national_significant_number, parse

    try:
        read = parse(re.sub(r"^\s*00(?=[1-9])", "+", number), country)
    except NumberParseException:
        return "", re.sub(r"\D", "", number)
    return str(read.country_code), national_significant_number(read)


@lru_cache
def _starts_with_zero(country: str) -> bool:
    from phonenumbers import PhoneMetadata

    data = PhoneMetadata.metadata_for_region(country)
    return data is not None and data.national_prefix == "0"


def _first_characters(text: str, count: int) -> str:
    """The start of a text down to its `count`-th letter or digit."""
    match = re.match(rf"(?:[ \u00a0.\-–/_]{{0,2}}[A-Za-z0-9]){{{count}}}", text) if count else None
    return match[0] if match else ""


def _printed(card: str) -> bool:
    """Digits in one piece, in fours, or in four, six and the rest, as they stand on cards."""
    groups = [len(group) for group in re.findall(r"\d+", card)]
    return all(group % 4 == 0 for group in groups[:-1]) or (groups[:2] == [4, 6] and len(groups) == 3)


def _luhn(digits: str) -> bool:
    doubled = [int(digit) if place % 2 == 0 else sum(divmod(2 * int(digit), 10)) for place, digit in enumerate(reversed(digits))]
    return sum(doubled) % 10 == 0
