"""Which contacts does a label, an e-mail box or a machine mark as no question of a customer?

Most helpdesks have no field for a test, a contact of their own staff or a side conversation: labels say it. They are matched exactly (after NFC,
accents kept: two labels that differ by an accent are two labels).
"""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping, Sequence

import polars as pl

TAGS: Mapping[str, tuple[str, ...]] = {
    "is_spam": ("spam",),
    "is_test": ("test", "test_ticket", "qa-user"),
    "is_internal": ("internal", "internal_request"),
    "is_side_conversation": ("created_for_side_conversation", "side_conversation"),
    "is_abandoned": ("abandoned", "abandoned_call", "missed_chat", "chat_missed"),
}
MACHINES = r"(?i)^(?:system|automation|workflow|trigger|api|integration|mailer[- ]daemon|no-?reply|do-?not-?reply)\b|\b(?:system|admin(?:istrator)?)$"
BOTS = r"(?i)\b(?:bot|chatbot|voicebot|virtual (?:agent|assistant)|ai agent)\b|^operator$"
_NOBODY = r"(?i)^(?:anonymous|unknown|guest|visitor|caller|withheld|private|undefined|no name)\b.*$"


def by_tags(contacts: pl.DataFrame, *, tags: Mapping[str, Sequence[str]] = TAGS) -> pl.DataFrame:
    """Set the flags whose labels a contact carries (column `tags`); what a reader has set stays set."""
    told = []
    for flag, words in tags.items():
        wanted = [unicodedata.normalize("NFC", word) for word in words]
        carried = pl.col("tags").list.eval(pl.element().str.normalize("NFC").is_in(wanted)).list.any()
        told.append((carried | pl.col(flag).fill_null(False) if flag in contacts.columns else carried).alias(flag))
    return contacts.with_columns(told)


def is_bot(name: pl.Expr) -> pl.Expr:
    """Does a name say that no person bears it? `Anna Abbot` is one."""
    return (name.str.contains(BOTS) | name.str.contains(r"\p{Ll}Bot\b")).fill_null(False)


def is_nobody(name: pl.Expr) -> pl.Expr:
    """Does a name say that nobody knows who it is? Then it is no customer, whatever its number."""
    return name.str.contains(_NOBODY).fill_null(False)
