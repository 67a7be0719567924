"""What does a project know about the personal data in its texts?"""

from __future__ import annotations

import os
import re
from typing import Literal

import polars as pl
from pydantic import BaseModel, ConfigDict, field_validator

from fcrlib.model.errors import UsageError
from fcrlib.model.identity import is_domain, is_number

KINDS = ("email", "phone", "iban", "card", "url", "ip", "secret", "name", "address")
SHORTEST_KEY = 16


class Redaction(BaseModel):
    """What is personal in this project's texts beyond what everybody knows: the table `[redaction]` of `fcr.toml`.

    Parameters
    ----------
    patterns
        The project's own identifiers by name, as regular expressions of the Rust kind, which cannot run away: `{ customer_no = "K-\\\\d{6}" }`
        makes `[customer_no]` of them. Letters are read in the case they are written in; `(?i)` in front reads both.
    keep
        Addresses, domains and telephone numbers that may stay, as the company's own.
    names
        `known`: the names of customers and agents that the desk itself knows leave the text wherever they stand. `written`: only names in
        greetings and signatures do.
    references
        `keep`: references to customers and agents stay as they are unless they are an address, a number or a name. `hash`: all of them become pseudonyms.
    key
        Name of the environment variable that holds the secret with which pseudonyms are made. Without it they are plain hashes, which
        somebody with a list of addresses can try out.

    Examples
    --------
    >>> Redaction(patterns={"customer_no": r"K-\\d{6}"}, keep=("help@example.com",)).names
    'known'
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    patterns: dict[str, str] = {}
    keep: tuple[str, ...] = ()
    names: Literal["known", "written"] = "known"
    references: Literal["keep", "hash"] = "keep"
    key: str | None = None

    @field_validator("patterns")
    @classmethod
    def _narrow(cls, patterns: dict[str, str]) -> dict[str, str]:
        problems = [problem for name, pattern in patterns.items() if (problem := _mistake(name, pattern, patterns))]
        if problems:
            raise ValueError("; ".join(problems))
        return patterns

    @field_validator("keep")
    @classmethod
    def _readable(cls, keep: tuple[str, ...]) -> tuple[str, ...]:
        strange = [entry for entry in keep if not (is_number(entry) or re.fullmatch(r"\s*[^@\s]+@[^@\s]+\s*", entry) or is_domain(entry))]
        if strange:
            raise ValueError(f"{strange[0]!r} is no number, address or domain")
        return keep

    def secret(self) -> bytes | None:
        """The secret that pseudonyms are made with; None where no variable is named. It is never written down.

        Raises
        ------
        UsageError
            If the variable is not set, or what it holds is too short to be a secret.
        """
        if self.key is None:
            return None
        held = os.environ.get(self.key, "").encode()
        if len(held) < SHORTEST_KEY:
            said = "is not set" if not held else f"holds {len(held)} bytes"
            raise UsageError(f"[redaction] key: the environment variable {self.key} {said}", [f"put at least {SHORTEST_KEY} random bytes into it"])
        return held


def _mistake(name: str, pattern: str, patterns: dict[str, str]) -> str:
    """What is wrong with one of the project's own patterns; empty where nothing is."""
    if not re.fullmatch(r"[a-z][a-z0-9_]{1,30}", name) or name in KINDS:
        return f"{name!r} cannot be a name: write small letters, digits and '_', and none of {', '.join(KINDS)}"
    tokens = [f"[{kind}]" for kind in (*KINDS, *patterns) if kind != name]
    try:
        hits = pl.Series(["", f"[{name}]", *tokens]).str.contains(pattern)
    except pl.exceptions.ComputeError:
        return f"{name}: {pattern!r} cannot be read as a regular expression; look-around and back references are not possible"
    if hits[0]:
        return f"{name}: {pattern!r} matches the empty text"
    return f"{name}: {pattern!r} is too wide: it matches placeholders such as [email]" if hits.any() else ""
