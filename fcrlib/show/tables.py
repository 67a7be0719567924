"""How is a table written as HTML without trusting a word of it?

One place, for the notebook and for the page: every word passes through `escape` on its way into a tag.
"""

from __future__ import annotations

from html import escape
from typing import Any

from fcrlib.model.numbers import cell

NUMERIC = ("percent", "points", "count", "hours", "money", "number")


def as_html(fields: dict[str, Any], *, caption: str | None = None) -> str:
    """Write the table of a figure or table (its JSON form) as escaped HTML; the title is the caption unless one is given.
    Without rows there is no table, only words.

    Examples
    --------
    >>> fields = {"title": "<b>", "columns": [{"name": "a", "title": "a", "kind": "percent"}], "rows": [[0.5]]}
    >>> "&lt;b&gt;" in as_html(fields), ">50.0 %<" in as_html(fields)
    (True, True)
    """
    shown = fields["title"] if caption is None else caption
    if not fields["rows"]:
        return f"<p>{escape(shown)}</p>" if shown else "<p>There is nothing to show here.</p>"
    head = "".join(_cell("th", column["title"], column, scope="col") for column in fields["columns"])
    body = "\n".join(_row(fields["columns"], row) for row in fields["rows"])
    title = f"<caption>{escape(shown)}</caption>\n" if shown else ""
    return f"<table>\n{title}<thead><tr>{head}</tr></thead>\n<tbody>\n{body}\n</tbody>\n</table>"


def _row(columns: list[dict[str, Any]], values: list[object]) -> str:
    cells = []
    for place, (column, value) in enumerate(zip(columns, values, strict=True)):
        names_row = place == 0 and column["kind"] in ("text", "date")
        text = cell(value, kind=column["kind"], currency=column.get("currency", ""))
        cells.append(_cell("th", text, column, scope="row") if names_row else _cell("td", text, column))
    return f"<tr>{''.join(cells)}</tr>"


def _cell(tag: str, text: str, column: dict[str, Any], *, scope: str = "") -> str:
    where = f' scope="{scope}"' if scope else ""
    side = ' class="num"' if column["kind"] in NUMERIC else ""
    return f"<{tag}{where}{side}>{escape(text)}</{tag}>"
