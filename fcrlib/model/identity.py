"""By which rules are two customers one person?"""

from __future__ import annotations

import re
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationInfo, field_validator

MOST_CUSTOMERS = 20
SHARED_PHONE = 5
# Mailboxes of a task, not of a person. They name nobody, so redaction leaves them readable, and they join nobody.
ROLE_BOXES = (
    "abuse", "accounting", "accounts", "admin", "administrator", "billing", "careers", "contact", "customerservice", "do-not-reply", "donotreply",
    "enquiries", "finance", "hello", "help", "helpdesk", "hostmaster", "hr", "info", "invoice", "invoices", "it", "jobs", "kontakt", "legal", "mail",
    "mailer-daemon", "marketing", "no-reply", "no_reply", "noreply", "notifications", "office", "orders", "payments", "postmaster", "press", "privacy",
    "reception", "root", "sales", "security", "service", "shop", "support", "team", "webmaster",
)  # fmt: skip
_NUMBER = r"[\d\s+()./-]+"
AtLeastOne = Annotated[int, Field(strict=True, ge=1)]


class Rules(BaseModel):
    """What a project knows about its customers' names: the table `[identity]` of `fcr.toml`.

    Parameters
    ----------
    country
        Two letters (ISO 3166): where a telephone number without a country code belongs. Without it such a number joins only within its source.
    own
        The company's own numbers, addresses and domains; they join nobody.
    plus_tags
        `strip` reads `jo+news@example.org` as `jo@example.org`; `keep` holds them to be two people.
    shared_phone
        A phone that more customers than this have is nobody's own.
    most
        Most names one person may have; what hangs together beyond it is cut and listed.
    accounts
        `company`: colleagues share an account number and stay different people. `join`: an account number is one person's.

    Examples
    --------
    >>> Rules().accounts, Rules(country="GB", own=("020 7946 0000", "example.com")).own
    ('company', ('020 7946 0000', 'example.com'))
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    country: str | None = None
    own: tuple[str, ...] = ()
    plus_tags: Literal["keep", "strip"] = "keep"
    shared_phone: AtLeastOne = SHARED_PHONE
    most: AtLeastOne = MOST_CUSTOMERS
    accounts: Literal["join", "company"] = "company"

    @field_validator("country")
    @classmethod
    def _known_country(cls, country: str | None) -> str | None:
        if country is not None and not is_country(country):
            raise ValueError("must be two capital letters of ISO 3166, e.g. 'GB' or 'DE'")
        return country

    @field_validator("own", mode="before")
    @classmethod
    def _several(cls, own: Any) -> Any:
        if isinstance(own, str):
            raise ValueError("must be a list of numbers, addresses and domains, e.g. ['+44 20 7946 0000', 'example.com']")
        return own

    @field_validator("own")
    @classmethod
    def _readable(cls, own: tuple[str, ...], info: ValidationInfo) -> tuple[str, ...]:
        strange = [entry for entry in own if not (is_number(entry) or "@" in entry or is_domain(entry))]
        local = [entry for entry in own if is_number(entry) and not entry.strip().startswith(("+", "00"))]
        problems = [f"{strange[0]!r} is no number, address or domain"] if strange else []
        # Where the country itself is wrong, that is said already.
        if local and info.data.get("country", "") is None:
            problems.append(f"{local[0]!r} has no country code: write it with '+', or set the country")
        if problems:
            raise ValueError("; ".join(problems))
        return own


def is_country(text: str) -> bool:
    """Is it a country whose numbering plan is known?"""
    from phonenumbers import SUPPORTED_REGIONS

    return text in SUPPORTED_REGIONS


def is_number(entry: str) -> bool:
    """Is it written like a telephone number?"""
    return re.fullmatch(_NUMBER, entry) is not None and sum(sign.isdigit() for sign in entry) >= 7


def is_domain(entry: str) -> bool:
    """Is it written like a domain, `example.com` or `@example.com`?"""
    return re.fullmatch(r"\s*@?[\w-]+(\.[\w-]+)*\.(?=[\w-]*[^\W\d_])[\w-]{2,}\s*", entry) is not None
