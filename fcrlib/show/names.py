"""How is a name written: as an id, and at the head of a sentence?"""

from __future__ import annotations

import hashlib
import re


def slug(text: str) -> str:
    """A stable id for a name; what is more than plain words carries a mark, so that two names never share an id."""
    plain = re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-")
    if re.fullmatch(r"[a-z0-9]+( [a-z0-9]+)*", text):
        return plain
    return f"{plain}-{hashlib.sha256(text.encode()).hexdigest()[:6]}".strip("-")


def capital(text: str) -> str:
    """The text with a capital at its head."""
    return text[:1].upper() + text[1:]
