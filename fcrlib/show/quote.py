"""How may the words of a customer be shown?

Only through `quote`: the text was redacted when it was read, here it becomes one short line of plain text, and whatever
shows it escapes it. Never pass a customer's text to Markdown or HTML: both run what is written in it.
"""

from __future__ import annotations

import html
import re
import unicodedata
from dataclasses import dataclass
from typing import Any

_INVISIBLE = {"Cc", "Cf", "Co", "Cs", "Cn"}


def quote(text: str | None, *, limit: int = 280) -> str:
    """Return one line of plain text of at most `limit` characters; letters that hide or reorder others are dropped.

    Examples
    --------
    >>> quote("I was told\\n\\n it is   paid.")
    'I was told it is paid.'
    >>> quote("one two three four", limit=10)
    'one two …'
    """
    visible = "".join(" " if letter.isspace() else letter for letter in text or "" if letter.isspace() or _shows(letter))
    line = re.sub(r" +", " ", visible).strip()
    if len(line) <= limit:
        return line
    kept = line[: max(limit - 1, 0)]
    head, _, _ = kept.rpartition(" ")
    return f"{(head if len(head) > limit // 2 else kept).rstrip()} …" if head else f"{kept}…"


def _shows(letter: str) -> bool:
    return unicodedata.category(letter) not in _INVISIBLE


@dataclass(frozen=True, slots=True)
class Quote:
    """What a customer wrote, ready to be displayed in a notebook.

    Parameters
    ----------
    text
        The redacted text; it is shortened with `quote`.
    ref
        The contact it comes from.
    """

    text: str
    ref: str = ""

    def __post_init__(self) -> None:
        object.__setattr__(self, "text", quote(self.text))

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, Any]:
        source = f" <cite>{html.escape(self.ref)}</cite>" if self.ref else ""
        return {
            "text/html": f"<blockquote>{html.escape(self.text)}{source}</blockquote>",
            "text/plain": f"“{self.text}”{f' ({self.ref})' if self.ref else ''}",
        }
