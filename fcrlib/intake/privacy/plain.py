"""What did the sender read, where a text was written as a page?

Tags go, what they meant stays: a new line, a cell, a quote. Only a text with the tags of a mail client is a page; a `<script>` that somebody typed into
a plain text is what they wrote and stays as it is.
"""

from __future__ import annotations

import html
import re
import unicodedata
from collections.abc import Iterator
from itertools import islice

import polars as pl
from selectolax.lexbor import LexborHTMLParser, LexborNode

from fcrlib.intake.privacy.shapes import INVISIBLE

# Tags that mail programs and helpdesks write. What people type to show a fault, as <script> or <b>, does not make a page of a text.
PAGE = r"(?i)<!doctype html|<(?:html|body|p|div|br|span|table|tbody|tr|td|ul|ol|li|blockquote|font|h[1-6])(?:\s[^<>]*)?/?>"
# Signs that may hide an address or a number in a plain text.
HIDING = r"(?i)&(?:#x?[0-9a-f]{1,6}|commat|period|plus|nbsp|shy);"
_LINES = {
    "p", "div", "table", "tr", "ul", "ol", "li", "h1", "h2", "h3", "h4", "h5", "h6", "blockquote", "pre", "hr", "section", "article", "header", "footer",
    "address", "center", "dl", "dt", "dd",
}  # fmt: skip
_SILENT = {"script", "style", "head", "title", "template", "noscript", "iframe", "noembed", "noframes"}
_ROUNDS, _DEEPEST_QUOTE = 3, 20
_MOST_TAGS, _LONGEST_TAG = 10_000, 20_000
"""More tags than any mail has, and longer ones. What a page costs grows with the square of how deep it nests, and of how many attributes a tag has."""
# Tags that only say how words look. A page repeats the open ones in every paragraph that follows, so that few bytes can become many.
_LOOKS = r"(?i)(</?)(?:a|b|big|code|em|font|i|nobr|s|small|strike|strong|tt|u)(?=[\s/>])"


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
        text = _words(text) if re.search(PAGE, text) else re.sub(HIDING, _shown, text)
        text = unicodedata.normalize("NFC", re.sub(INVISIBLE, "", text))
        if text == before:
            return text
    return text.replace("<", "").replace("&", "") if re.search(PAGE, text) or re.search(HIDING, text) else text


def _shown(match: re.Match[str]) -> str:
    sign = html.unescape(match[0])
    return sign if sign.isalnum() or sign in "@.+-_ \u00a0\u00ad" else match[0]


def _words(page: str) -> str:
    """The words of a page, a line at a time; quoted lines begin with `> `. An empty line is quoted as deep as what comes next."""
    said: list[str] = []
    for words, quoted in _pieces(LexborHTMLParser(_bounded(page)).root):
        end = "\n" + "> " * quoted
        if words is None and said and re.fullmatch(r"\n(?:> )*", said[-1]):
            said[-1] = end
        elif said or (words or "").strip():
            said.append(end if words is None else words.replace("\n", end))
    lines = "".join(said).replace("\u00a0", " ").split("\n")
    tidy = "\n".join(re.sub(r"[ \t\r]+", " ", line).strip(" ") for line in lines)
    return re.sub(r"\n{3,}", "\n\n", tidy).strip("\n")


def _pieces(root: LexborNode | None) -> Iterator[tuple[str | None, int]]:
    """Words in the order in which they are read, None where a line ends, and how deep in quotes each stands. No page is nested too deep for a loop."""
    ahead: list[tuple[LexborNode | None, int]] = [(root, 0)]
    while ahead:
        node, quoted = ahead.pop()
        if node is None:
            yield None, quoted
        elif node.is_text_node:
            yield node.text_content, quoted
        elif node.tag == "br":
            yield "\n", quoted
        elif node.tag not in _SILENT:
            inside = min(quoted + (node.tag == "blockquote"), _DEEPEST_QUOTE)
            if node.tag in _LINES:
                yield None, inside
                ahead.append((None, quoted))
            ahead += [(child, inside) for child in reversed([*node.iter(include_text=True)])]


def _bounded(page: str) -> str:
    """A page that costs no more than its length: looks go, cells stand apart even where no table holds them, and what is too much loses its tags."""
    page = re.sub(r"(?i)<(?=t[dh]\b)", " <", re.sub(_LOOKS, r"\1span", page))
    if len(page) <= _LONGEST_TAG:
        return page
    page = re.sub(r"(</?[a-zA-Z]\w*)[^>]*", lambda tag: tag[0] if len(tag[0]) <= _LONGEST_TAG else tag[1], page)
    far = next(islice(re.finditer(r"</?[a-zA-Z]", page), _MOST_TAGS, None), None)
    return page[: far.start()] + re.sub(r"<[^<>]*>", "\n", page[far.start() :]) if far else page
