"""Which letters of a text that somebody else wrote may be shown?

Not those that steer a screen, hide others or turn their order round: no reader sees them, and a drawing engine or a spreadsheet trips over them.
"""

from __future__ import annotations

import re
import unicodedata

_INVISIBLE = {"Cc", "Cf", "Co", "Cs", "Cn"}
_JOINERS = "\u2060\u200c\u200d"
"""These keep a number on one line, or belong to how a word is written."""
_PLAIN = re.compile(r"[ -~]*")


def visible(text: str) -> str:
    """The text without letters that steer, hide or reorder others; a line break or tab becomes a blank.

    Examples
    --------
    >>> visible("a\\x00b\\x1b]0;x\\x07\\u202ec"), visible("two\\nlines"), visible("40 %")
    ('ab]0;xc', 'two lines', '40 %')
    """
    if _PLAIN.fullmatch(text):
        return text
    return "".join(" " if letter.isspace() and letter < " " else letter for letter in text if _shows(letter))


def _shows(letter: str) -> bool:
    return letter in _JOINERS or letter in "\t\n\r\x0b\x0c" or unicodedata.category(letter) not in _INVISIBLE
