"""What does a document of Atlassian's editor say?

Texts come as plain text, or as a document in JSON (`{"type": "doc", ...}`), whose words stand in its `text` fields and whose blocks are lines.
"""

from __future__ import annotations

import polars as pl

_WORDS = r'"text":\s*"(?:[^"\\]|\\.)*"'
_BREAKS = r'"type":\s*"(?:paragraph|heading|hardBreak|codeBlock|rule|tableRow)"'
_START = r'^\s*\{.*"type":\s*"doc"'


def words(text: pl.Expr) -> pl.Expr:
    """The text of a document, a line for every block; what is no document stays as it is.

    Examples
    --------
    >>> doc = '{"type":"doc","content":[{"type":"paragraph","content":[{"type":"text","text":"It \\\\"fails\\\\""}]},{"type":"paragraph"}]}'
    >>> pl.DataFrame({"body": [doc, "plain *wiki*", None]}).select(words(pl.col("body")))["body"].to_list()
    ['It "fails"', 'plain *wiki*', None]
    """
    document = text.str.contains(r"(?s)" + _START)
    pieces = pl.when(document).then(text).str.extract_all(rf"(?s){_WORDS}|{_BREAKS}")
    inner = pl.element().str.replace(r'(?s)^"text":\s*"(.*)"$', "$1")
    line = pl.element().str.starts_with('"type"')
    said = pieces.list.eval(pl.when(line).then(pl.lit("\\n")).otherwise(inner)).list.join("")
    read = pl.concat_str(pl.lit('"'), said, pl.lit('"')).str.json_decode(pl.String)
    return pl.when(document.fill_null(False).not_()).then(text).otherwise(read.str.strip_chars("\n"))
