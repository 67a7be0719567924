"""What stands for a value that must not be read?"""

from __future__ import annotations

import hashlib

import polars as pl

from fcrlib.model.identity import ROLE_BOXES


def pseudonyms(values: pl.Series) -> pl.Series:
    """Identifier values out of the clear: a short hash, with the mailbox kept where it is a role and no person."""
    frame = pl.DataFrame({"value": values.unique(maintain_order=True)})
    box = frame["value"].str.extract(rf"^({'|'.join(ROLE_BOXES)})@")
    short = pl.Series([_short_hash(value) for value in frame["value"]], dtype=pl.String)
    prefix = (box + "@").fill_null("")
    return values.replace_strict(frame["value"], prefix + short, return_dtype=pl.String) if len(values) else values


def _short_hash(value: str) -> str:
    return hashlib.sha256(value.encode()).hexdigest()[:16]
