"""What can a reader take away: a table for the spreadsheet, a chart for the slide, a summary for the chat?"""

from __future__ import annotations

import csv
import io
import re
import struct
import zlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import polars as pl

from fcrlib.model.finding import Measure
from fcrlib.model.letters import visible
from fcrlib.model.numbers import spell, spell_interval
from fcrlib.publish.changes import clear
from fcrlib.publish.findings import Drawn
from fcrlib.publish.parts import named, sorted_out
from fcrlib.show.svg import harden, standalone

# A cell that a spreadsheet would run, also where it splits cells at a semicolon or tab that stands inside of one.
_FORMULA = re.compile(r"(^|[;|\t\r\n])(?=[\s\"'\ufeff\u200b-\u200f\u2060]*[=+\-@＝＋－＠])|^(?=[\t\r\n])")
_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_MARKUP = str.maketrans({"<": "‹", ">": "›", "`": "'", "*": "∗", "_": " ", "[": "(", "]": ")", "|": "/", "~": "∼", "@": "＠"})
# Chats make links of bare addresses; a mark at the head of a line makes a heading or a list.
_LINK, _HEAD = re.compile(r"(?i)\b(\w+):(?=//)|\b(www)\.|\b(javascript|data|mailto|tel):(?=\S)"), re.compile(r"^[\s#+=-]+")


def takeaways(folder: Path, *, content: Mapping[str, Any], drawn: Sequence[Drawn]) -> None:
    """Write `tables/*.csv` and `*.parquet`, `charts/*.svg`, and `summary.md` into the folder of a report; what a finding shows also as `charts/*.png`."""
    shown = named(content)
    (folder / "tables").mkdir(parents=True, exist_ok=True)
    (folder / "charts").mkdir(exist_ok=True)
    for item in drawn:
        (folder / "tables" / f"{item.id}.csv").write_text(table(item.fields), encoding="utf-8", newline="")
        typed(item.fields).write_parquet(folder / "tables" / f"{item.id}.parquet")
        if item.fields.get("svg"):
            drawing = harden(item.fields["svg"], id=item.id, title=item.fields["title"], alt=item.fields["alt"])
            slide = standalone(drawing, title=item.fields["title"])
            (folder / "charts" / f"{item.id}.svg").write_text(slide, encoding="utf-8")
            if item.id in shown:
                (folder / "charts" / f"{item.id}.png").write_bytes(picture(slide))
    (folder / "summary.md").write_text(summary(content), encoding="utf-8")


def table(fields: Mapping[str, Any]) -> str:
    """A table as CSV: raw numbers, and no text that a spreadsheet would take for a formula.

    Examples
    --------
    >>> print(table({"columns": [{"name": "who"}, {"name": "share"}], "rows": [["=1+1", -0.5]]}), end="")
    who,share\r
    '=1+1,-0.5\r
    """
    buffer = io.StringIO()
    writer = csv.writer(buffer)
    writer.writerow([harmless(column["name"]) for column in fields["columns"]])
    writer.writerows([harmless(value) for value in row] for row in fields["rows"])
    return buffer.getvalue()


def typed(fields: Mapping[str, Any]) -> pl.DataFrame:
    """A table as a frame, for people who go on counting: text stays text, since no program runs it.

    Examples
    --------
    >>> typed({"columns": [{"name": "who"}, {"name": "share"}], "rows": [["=1+1", 1], ["b", 0.5]]}).schema
    Schema([('who', String), ('share', Float64)])
    """
    names = [column["name"] for column in fields["columns"]]
    columns = list(zip(*fields["rows"], strict=True)) or [()] * len(names)
    return pl.DataFrame([_series(name, list(values)) for name, values in zip(names, columns, strict=True)])


def _series(name: str, values: list[object]) -> pl.Series:
    kinds = {type(value) for value in values} - {type(None)}
    if kinds == {int, float}:
        values, kinds = [None if value is None else float(str(value)) for value in values], {float}
    if len(kinds) > 1:
        values = [None if value is None else str(value) for value in values]
    return pl.Series(name, values, dtype=pl.String if not kinds else None)


def picture(drawing: str) -> bytes:
    """A drawing as a bitmap, twice as large as it is drawn, for slides that take no drawings."""
    import vl_convert

    return _packed(bytes(vl_convert.svg_to_png(drawing, scale=2)))


def _packed(png: bytes) -> bytes:
    """The same picture in a third of the space: the drawing engine hardly packs what it draws.

    References
    ----------
    Portable Network Graphics (W3C Recommendation), sections 5.3 (chunks) and 10 (one zlib stream over all IDAT chunks).
    """
    parts, at = [], len(_SIGNATURE)
    while at < len(png):
        (size,) = struct.unpack(">I", png[at : at + 4])
        parts.append((png[at + 4 : at + 8], png[at + 8 : at + 8 + size]))
        at += 12 + size
    pixels = zlib.compress(zlib.decompress(b"".join(data for kind, data in parts if kind == b"IDAT")), 9)
    whole = [*(part for part in parts if part[0] not in (b"IDAT", b"IEND")), (b"IDAT", pixels), (b"IEND", b"")]
    return _SIGNATURE + b"".join(struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data)) for kind, data in whole)


def harmless(value: object) -> object:
    """Return a value that a spreadsheet shows instead of running.

    Examples
    --------
    >>> harmless("=HYPERLINK(1)"), harmless("phone"), harmless(-0.5), harmless(None)
    ("'=HYPERLINK(1)", 'phone', -0.5, '')
    """
    if isinstance(value, str):
        return _FORMULA.sub(r"\1'", value)
    return "" if value is None else value


def summary(content: Mapping[str, Any]) -> str:
    """A summary to paste into a chat: headline, key figures, findings, what to do. Markup in the words is defused."""
    headline = next((fields for fields in content["findings"] if fields["role"] == "headline"), None)
    label = _words(content["period"]["label"])
    lines = [f"**{_words(headline['title']) if headline else 'First contact resolution'}** ({label})", ""]
    if content["data"]["invented"]:
        lines += ["This desk is invented.", ""]
    lines += [f"- {_words(fields['title'])}: {_value(fields)}" for fields in content["kpis"]]
    lines += ["", *_numbered(content), *_changes(content)]
    return "\n".join(lines).rstrip() + "\n"


def _numbered(content: Mapping[str, Any]) -> list[str]:
    lines = []
    for place, card in enumerate(sorted_out(content, {})["ranked"], start=1):
        size = ", ".join(text for text in (card["value"] if card["role"] == "mode" else "", card["cost"], card["short"]) if text)
        name = f"{_words(card['name'])}{f' ({_words(size)})' if size else ''}" if card["role"] == "mode" else _words(card["title"])
        name += f", {_words(card['mostly'])}" if card["mostly"] else ""
        todo = f" Do: {_words(card['action']).rstrip('.')}." if card["action"] else ""
        lines.append(f"{place}. {name}.{todo} Owner: {_words(card['owner'] or 'nobody yet')}.".replace("..", "."))
    return [*lines, ""] if lines else []


def _changes(content: Mapping[str, Any]) -> list[str]:
    since = f" since {_words(content['previous'] or '')}"
    lines = [f"- {_words(line['title'])}: {_words(line['change'] or line['head'].lower()).replace(since, '')}" for line in clear(content)]
    return [f"Since {_words(content['previous'])}:", *lines] if content["previous"] and lines else []


def _value(fields: Mapping[str, Any]) -> str:
    if not fields["measure"]:
        return "not known"
    measure, currency = Measure(**fields["measure"]), str(fields["details"].get("currency", ""))
    interval = spell_interval(measure, currency=currency)
    return f"{spell(measure, currency=currency)}{f' ({interval})' if interval else ''}"


def _words(text: str) -> str:
    """One line of words, without markup, links or calls."""
    line = visible(str(text)).translate(_MARKUP)
    return _HEAD.sub("", _LINK.sub(lambda link: f"{link[0][:-1]} {link[0][-1]}", line)).strip()
