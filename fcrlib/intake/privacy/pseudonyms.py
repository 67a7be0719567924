"""What stands for a value that must not be read?"""

from __future__ import annotations

import hashlib
import hmac

import polars as pl

from fcrlib.model.identity import ROLE_BOXES


def pseudonyms(values: pl.Series, *, key: bytes | None = None) -> pl.Series:
    """Identifier values out of the clear: a short hash, with the mailbox kept where it is a role and no person.

    The same value has the same pseudonym under the same key. Without a key anybody can make the pseudonym of a value they guess; with one,
    only who holds the key can.

    References
    ----------
    RFC 2104 (HMAC), with SHA-256; the first 16 hex digits.

    Examples
    --------
    >>> pseudonyms(pl.Series(["info@example.org", "jo@example.org"])).to_list()
    ['info@e602e3c5659dc976', 'b6be3cb544f77c4e']
    """
    frame = pl.DataFrame({"value": values.unique(maintain_order=True)})
    box = frame["value"].str.extract(rf"^({'|'.join(ROLE_BOXES)})@")
    short = pl.Series([None if value is None else _short_hash(value, key) for value in frame["value"]], dtype=pl.String)
    prefix = (box + "@").fill_null("")
    return values.replace_strict(frame["value"], prefix + short, return_dtype=pl.String) if len(values) else values


def _short_hash(value: str, key: bytes | None) -> str:
    digest = hashlib.sha256(value.encode()) if key is None else hmac.new(key, value.encode(), hashlib.sha256)
    return digest.hexdigest()[:16]
