"""Which part of a text says something, and which texts say the same?

Mark-up, addresses and what was blackened are no words of the customer. Texts with the same words in another order are one text.
"""

from __future__ import annotations

import polars as pl

LONGEST = 4_000
"""Characters that are read: what a text is about stands at its beginning."""
WORD = r"[^\W\d_]\w*(?:'\w+)*"
"""A word, to the regular expressions of polars and of Python alike."""
_MARKUP = r"(?s)<!--.{0,2000}?-->|<[/!?]?[A-Za-z][^<>]{0,300}>"
_ADDRESSES = r"(?i)\b[a-z][a-z0-9+.\-]{1,12}://\S+|\bwww\.\S+|\bmailto:\S+|\bjavascript:\S+|[\w.%+\-]+@\w[\w.\-]*"
_BLACKENED = r"\[(?:email|phone|iban|card|url|ip|name|address)\]"
_ESCAPED = r"&(?:#\d{1,6}|#[xX][0-9a-fA-F]{1,6}|[a-zA-Z]{2,8});"


def readable(text: pl.Expr) -> pl.Expr:
    """The words of a text: no mark-up, no addresses, nothing blackened, one space between words, 4,000 characters at most.

    Examples
    --------
    >>> pl.select(readable(pl.lit("Hi [name],\\n<b>my card</b> &amp; PIN: see https://x.example/1"))).item()
    'Hi , my card PIN: see'
    """
    start = text.str.slice(0, 4 * LONGEST).str.normalize("NFKC")
    for gone in (_MARKUP, _ADDRESSES, _BLACKENED, _ESCAPED):
        start = start.str.replace_all(gone, " ")
    return start.str.replace_all("[’‘`´]", "'").str.replace_all(r"[\s\p{C}]+", " ").str.strip_chars().str.slice(0, LONGEST)


def gist(text: pl.Expr) -> pl.Expr:
    """What texts that say the same have in common: their words, each once, in the order of the alphabet; empty where there are none.

    Examples
    --------
    >>> pl.select(gist(pl.Series(["Order 17: is late!", "late is order 4711", "17"]))).to_series().to_list()
    ['is late order', 'is late order', '']
    """
    words = text.str.to_lowercase().str.extract_all(WORD)
    return words.list.unique().list.sort().list.join(" ")
