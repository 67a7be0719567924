"""What did the sender read, where a text was written as a page?

Tags go, what they meant stays: a new line, a cell, a quote. Only a text with the tags of a mail client is a page; a `<script>` that somebody typed into
a plain text is what they wrote and stays as it is.
"""

from __future__ import annotations

import html
import re
import unicodedata

import polars as pl

from fcrlib.intake.privacy.shapes import INVISIBLE

# Tags that mail programs and helpdesks write. What people type to show a fault, as <script> or <b>, does not make a page of a text.
PAGE = r"(?i)<!doctype html|<(?:html|body|p|div|br|span|table|tbody|tr|td|ul|ol|li|blockquote|font|h[1-6])(?:\s[^<>]*)?/?>"
# Signs that may hide an address or a number in a plain text.
HIDING = r"(?i)&(?:#x?[0-9a-f]{1,6}|commat|period|plus|nbsp|shy);"
_LINES = {
    "p",
    "div",
    "table",
    "tr",
    "ul",
    "ol",
    "li",
    "h1",
    "h2",
    "h3",
    "h4",
    "h5",
    "h6",
    "blockquote",
    "pre",
    "hr",
    "section",
    "article",
    "header",
    "footer",
}
_SILENT = {"script", "style", "head", "title", "template", "noscript"}
_ROUNDS = 3


def plain(texts: pl.Series) -> pl.Series:
    """Texts as they were read; what is no page stays as it is. Null stays null.

    Examples
    --------
    >>> plain(pl.Series(["<p>Hello,<br>it&nbsp;fails</p><style>p {}</style>", "a < b & c > d"])).to_list()
    ['Hello,\\nit fails', 'a < b & c > d']
    """
    there = texts.str.contains_any(["<", "&"]).fill_null(False)
    places = there.arg_true()
    few = texts.gather(places)
    odd = (few.str.contains(PAGE) | few.str.contains(HIDING)).arg_true()
    read = pl.Series([_read(text) for text in few.gather(odd)], dtype=pl.String)
    return texts.clone().scatter(places.gather(odd), read) if len(odd) else texts


def _read(text: str) -> str:
    """One text as it was read. Pages in pages are read a few times; who nests them deeper loses the brackets."""
    text = re.sub(r"(?i)&(?:amp;|#0*38;|#x0*26;)+", "&amp;", text)
    for _ in range(_ROUNDS):
        before = text
        text = _Reader.words(text) if re.search(PAGE, text) else re.sub(HIDING, _shown, text)
        text = unicodedata.normalize("NFC", re.sub(INVISIBLE, "", text))
        if text == before:
            return text
    return text.replace("<", "").replace("&", "") if re.search(PAGE, text) or re.search(HIDING, text) else text


def _shown(match: re.Match[str]) -> str:
    sign = html.unescape(match[0])
    return sign if sign.isalnum() or sign in "@.+-_ \u00a0\u00ad" else match[0]


class _Reader:
    """Collects the words of a page, a line at a time; quoted lines begin with `> `.

    A page is cut at its brackets and every piece is looked at once: parsers that look ahead for the end of a tag or a comment can be made to look
    through the rest of the text at every bracket, which took minutes for a text of a hundred kilobytes.
    """

    def __init__(self) -> None:
        self.said: list[str] = []
        self.silent = ""
        self.quoted = 0

    @classmethod
    def words(cls, text: str) -> str:
        """The text of a page."""
        reader = cls()
        first, *pieces = text.split("<")
        reader._say(first)
        for piece in pieces:
            reader._take(piece)
        lines = "".join(reader.said).replace("\u00a0", " ").split("\n")
        tidy = "\n".join(re.sub(r"[ \t\r]+", " ", line).strip(" ") for line in lines)
        return re.sub(r"\n{3,}", "\n\n", tidy).strip("\n")

    def _take(self, piece: str) -> None:
        """What stands between one bracket and the next: a tag and the words behind it."""
        if self.silent == "!--":
            _, closed, behind = piece.partition("-->")
            if closed:
                self.silent = ""
                self._say(behind)
            return
        tag, closed, behind = piece.partition(">")
        name = re.match(r"/?[a-zA-Z][a-zA-Z0-9]*|!--|[!?]", tag)
        if not closed or name is None:
            self._say("<" + piece)
            return
        if name[0] == "!--":
            self.silent = self.silent or ("" if "-->" in piece else "!--")
            behind = piece.partition("-->")[2]
        elif name[0].startswith("/"):
            self._close(name[0][1:].lower())
        else:
            self._open(name[0].lower())
        self._say(behind)

    def _open(self, tag: str) -> None:
        if tag == "body":
            self.silent = ""
        elif tag in _SILENT and not self.silent:
            self.silent = tag
        self.quoted += tag == "blockquote"
        if tag == "br" or tag in _LINES:
            self._new_line(always=tag == "br")
        elif tag in ("td", "th"):
            self._say(" ")

    def _close(self, tag: str) -> None:
        if tag == self.silent:
            self.silent = ""
        self.quoted = max(self.quoted - (tag == "blockquote"), 0)
        if tag in _LINES:
            self._new_line()

    def _say(self, data: str) -> None:
        if data and not self.silent and (self.said or data.strip()):
            data = html.unescape(re.sub(r"&#\d{8,};?", "", data))  # longer numbers are no sign, and too long ones an error
            self.said.append(data.replace("\r", "").replace("\n", "\n" + "> " * self.quoted))

    def _new_line(self, *, always: bool = False) -> None:
        """End a line, unless it is still empty; an empty one is quoted as deep as what comes now."""
        if self.silent or not self.said:
            return
        if not always and re.fullmatch(r"\n(?:> )*", self.said[-1]):
            self.said[-1] = "\n" + "> " * self.quoted
        else:
            self.said.append("\n" + "> " * self.quoted)
