"""May this folder be published?

Every file is read as its reader would: pages as text and links, data as words. A problem names the gate, the file and what is wrong,
never the personal data itself.
"""

from __future__ import annotations

import base64
import gzip
import hashlib
import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from html.parser import HTMLParser
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from fcrlib.model.redaction import Redaction
from fcrlib.show.figure import FIGURE, TABLE

LIMIT = 1_000_000
FORBIDDEN = {"iframe", "object", "embed", "base", "form", "link", "foreignobject", "audio", "video", "applet", "portal"}
PACKED = "application/gzip"
LOADING = {"src", "srcset", "poster", "data", "background", "action", "formaction", "manifest", "ping", "xlink:href"}
OUTSIDE = ("../index.html", "../latest.html")
_NOT_WORDS = re.compile(r"\b[0-9a-f]{12,64}\b|-?\d+\.\d+(?:e[-+]?\d+)?|\b\d{4}-\d{2}-\d{2}\b")
# What an interactive page carries of the drawing library is the same in every report, and is not counted.
_LIBRARY = re.compile(rb'<script type="application/gzip" id="library">[^<]*</script>')
_LOADS = re.compile(r"@import|url\(\s*['\"]?(?!#|data:image/)", re.IGNORECASE)
_ALLOWED = {"default-src": "'none'", "style-src": "'unsafe-inline'", "img-src": "data:", "base-uri": "'none'", "form-action": "'none'"}
_NAMED_SCRIPT = re.compile(r"'sha256-[\w+/]{43}='")


@dataclass(frozen=True, slots=True)
class Problem:
    """Something that keeps a folder from being published."""

    gate: str
    file: str
    what: str

    def __str__(self) -> str:
        return f"{self.file}: {self.what}"


def check(folder: Path, *, limit: int = LIMIT, redaction: Redaction | None = None) -> list[Problem]:
    """Look at every file of a report; an empty list means it may be published.

    Parameters
    ----------
    folder
        The report's folder.
    limit
        Largest size of `report.html` in bytes.
    redaction
        What the project lets stay, and which patterns of its own are personal.
    """
    files = sorted(path.resolve() for path in folder.rglob("*") if path.is_file())
    folder = folder.resolve()
    pages = {path: Page.read(path) for path in files if path.suffix in (".html", ".svg")}
    leaks = _personal(folder, files, pages, redaction)
    # What is wrong with a sentence is shown with its words, which must not be done where they tell of a person.
    problems = [*_size(folder, limit), *leaks, *([] if leaks else [*_numbers(folder), *_wording(folder)])]
    for path, page in pages.items():
        name = path.relative_to(folder).as_posix()
        problems += [Problem("harmless", name, what) for what in dict.fromkeys(page.problems)]
        problems += [Problem("links", name, what) for what in _broken(path, page, pages)]
    return problems


class Page(HTMLParser):
    """A page taken apart: its words, links, ids, pictures, and what is wrong with it."""

    def __init__(self) -> None:
        super().__init__()
        self.words: list[str] = []
        self.links: list[str] = []
        self.ids: set[str] = set()
        self.problems: list[str] = []
        self.pictures = self.described = 0
        self.open: list[str] = []
        self.policy = ""
        self.scripts: list[tuple[str, str]] = []

    @classmethod
    def read(cls, path: Path) -> Page:
        """Take a file apart."""
        page = cls()
        page.feed(path.read_text(encoding="utf-8"))
        page.close()
        page._judge_scripts()
        if path.suffix == ".html":
            page.problems += _lax(page.policy)
        if missing := page.pictures - page.described:
            page.problems.append(f"{missing} of {page.pictures} pictures have no description")
        return page

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Look at one tag and its attributes."""
        known = {name: value or "" for name, value in attrs}
        if tag in FORBIDDEN or (tag == "script" and "svg" in self.open):
            self.problems.append(f"a <{tag}> tag")
        if tag == "script":
            self.scripts.append((known.get("type", ""), ""))
        self.problems += [f"the attribute {name} on <{tag}>" for name in known if name.startswith("on")]
        self.problems += [f"<{tag}> loads from outside" for name, value in known.items() if _outside(tag, name, value)]
        self.problems += [f"the link '{value[:40]}'" for name, value in known.items() if name == "href" and _odd(value)]
        if tag == "meta" and known.get("http-equiv", "").lower() == "content-security-policy" and "head" in self.open:
            self.policy = self.policy or known.get("content", "")
        self._identify(known.get("id", ""))
        if tag == "a" and "href" in known:
            self.links.append(known["href"])
        self._describe(tag, known)
        self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        """Close a tag and whatever was left open in it."""
        while self.open and self.open.pop() != tag:
            pass

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """A tag that opens and closes at once."""
        self.handle_starttag(tag, attrs)
        self.open.pop()

    def handle_data(self, data: str) -> None:
        """Collect words; look into style rules for things that load."""
        inside = self.open[-1] if self.open else ""
        if inside == "script":
            self.scripts[-1] = (self.scripts[-1][0], self.scripts[-1][1] + data)
        elif inside == "style":
            self.problems += ["a style rule that loads something"] if _LOADS.search(data) else []
        elif data.strip():
            self.words.append(data)

    def _judge_scripts(self) -> None:
        """A script may stand in a page if the page's own policy names it by its fingerprint; what is packed beside it is unpacked and read as words."""
        for kind, text in self.scripts:
            code = _unpacked(text) if kind == PACKED else text
            if code is not None and fingerprint(code) in self.policy:
                continue
            if kind != PACKED or code is None:
                self.problems.append("a <script> tag")
            else:
                self.words += _strings(json.loads(code))

    def _identify(self, id: str) -> None:
        if id and id in self.ids:
            self.problems.append(f"the id '{id}' stands twice")
        self.ids.add(id)

    def _describe(self, tag: str, known: dict[str, str]) -> None:
        """An <img> needs alt; an outer <svg> needs a role and a title."""
        if tag == "img" or (tag == "svg" and "svg" not in self.open):
            self.pictures += 1
            self.described += bool(known.get("alt"))
        elif tag == "title" and self.open and self.open[-1] == "svg" and self.open.count("svg") == 1:
            self.described += 1


def _lax(policy: str) -> list[str]:
    """What is wrong with a security policy: it has to forbid everything, and may allow again what a report needs and nothing else.

    Examples
    --------
    >>> _lax("default-src 'none'; img-src data: https:")
    ['its content security policy allows img-src https:']
    >>> _lax("img-src data:")
    ["its content security policy does not say default-src 'none'"]
    """
    if not policy.strip():
        return ["it has no content security policy"]
    found: dict[str, list[str]] = {}
    for name, *values in (part.split() for part in policy.split(";") if part.strip()):
        # A browser reads the first of two that have the same name.
        found.setdefault(name.lower(), values)
    odd = [f"{name} {value}" for name, values in found.items() for value in values if not _fits(name, value)]
    missing = [] if found.get("default-src") == ["'none'"] else ["its content security policy does not say default-src 'none'"]
    return [*missing, *(f"its content security policy allows {one}" for one in odd if not one.startswith("default-src"))]


def _fits(name: str, value: str) -> bool:
    return value in ("'none'", _ALLOWED.get(name)) or (name == "script-src" and _NAMED_SCRIPT.fullmatch(value) is not None)


def _unpacked(text: str) -> str | None:
    """What was packed, or None where nothing can be unpacked."""
    try:
        return gzip.decompress(base64.b64decode(text, validate=True)).decode()
    except (ValueError, OSError, EOFError):
        return None


def fingerprint(script: str) -> str:
    """How a security policy names a script."""
    return f"'sha256-{base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()}'"


def _outside(tag: str, name: str, value: str) -> bool:
    if name == "style" or value.lstrip().startswith("url("):
        return bool(_LOADS.search(value))
    loads = name in LOADING or (name == "href" and tag not in ("a", "area"))
    return loads and not value.startswith(("#", "data:image/png;", "data:image/jpeg;"))


def _odd(link: str) -> bool:
    """A link may lead to a place in this folder or to an https page, which opens only when somebody follows it."""
    try:
        parts = urlsplit(re.sub(r"[\s\x00-\x1f]", "", link))
    except ValueError:
        return True
    return parts.scheme.lower() not in ("", "https") or (not parts.scheme and bool(parts.netloc))


def _size(folder: Path, limit: int) -> list[Problem]:
    page = (folder / "report.html").read_bytes() if (folder / "report.html").exists() else b""
    size = len(_LIBRARY.sub(b"", page))
    if size == 0:
        return [Problem("size", "report.html", "it is missing")]
    return [Problem("size", "report.html", f"it has {size:,} bytes, at most {limit:,} are allowed")] if size > limit else []


def _numbers(folder: Path) -> list[Problem]:
    """Numbers that the page says and nobody found."""
    from fcrlib.publish.spoken import unfounded

    if not ((folder / "findings.json").exists() and (folder / "report.html").exists()):
        return []
    return [Problem("numbers", "report.html", what) for what in unfounded(folder)]


def _wording(folder: Path) -> list[Problem]:
    """Findings that claim more than their evidence allows."""
    from fcrlib.show.wording import lint_report, names_in

    if not (folder / "findings.json").exists():
        return []
    content = json.loads((folder / "findings.json").read_text(encoding="utf-8"))
    names = names_in(_drawn_in(folder))
    return [Problem("wording", "findings.json", slip) for slip in lint_report(content, names=names)] if "findings" in content else []


def _drawn_in(folder: Path) -> Iterator[Mapping[str, Any]]:
    """The figures and tables of the notebooks beside a report, in their JSON form."""
    for notebook in sorted((folder / "evidence").glob("*.ipynb")):
        for cell in json.loads(notebook.read_text(encoding="utf-8"))["cells"]:
            for output in cell.get("outputs", []):
                yield from (output["data"][kind] for kind in (FIGURE, TABLE) if kind in output.get("data", {}))


def _broken(path: Path, page: Page, pages: Mapping[Path, Page]) -> Iterator[str]:
    """Links that lead nowhere; the list of all reports lies outside and is made later."""
    for link in dict.fromkeys(page.links):
        # What cannot be followed at all is told as an odd link.
        if _odd(link) or urlsplit(link).scheme or link in OUTSIDE:
            continue
        parts = urlsplit(link)
        target = (path.parent / unquote(parts.path)).resolve() if parts.path else path
        if not target.is_file():
            yield f"the link '{link}' leads nowhere"
        elif parts.fragment and target in pages and unquote(parts.fragment) not in pages[target].ids:
            yield f"the link '{link}' leads to a place that is not there"


def _personal(folder: Path, files: Iterable[Path], pages: Mapping[Path, Page], redaction: Redaction | None) -> list[Problem]:
    from fcrlib.intake.demo.canaries import CANARIES
    from fcrlib.intake.redact import leaks

    problems = []
    for path in files:
        name, text = path.relative_to(folder).as_posix(), said(path, pages.get(path))
        if planted := len(CANARIES.findall(text)):
            problems.append(Problem("personal", name, f"{planted} planted canaries came through: redaction has a hole"))
        if leaked := ", ".join(f"{kind} ({times})" for kind, times in sorted(leaks(text, redaction=redaction).items()) if times):
            problems.append(Problem("personal", name, f"personal data: {leaked}"))
    return problems


def said(path: Path, page: Page | None = None) -> str:
    """The words of a file: text of pages, strings of data; fractions, dates and hashes left out, which only look like telephone numbers."""
    if page is not None:
        text = "\n".join(page.words)
    elif path.suffix in (".json", ".ipynb"):
        text = "\n".join(_strings(json.loads(path.read_text(encoding="utf-8"))))
    elif path.suffix == ".parquet":
        import polars as pl

        texts = pl.read_parquet(path, glob=False).select(pl.selectors.string())
        text = "\n".join([*texts.columns, *(value or "" for name in texts.columns for value in texts[name].to_list())])
    else:
        # A bitmap beside a drawing says what the drawing does, and the drawing is read; so it is with a page that was printed.
        text = "" if path.suffix in (".png", ".pdf") else path.read_text(encoding="utf-8")
    return _NOT_WORDS.sub(" ", text)


def _strings(value: Any) -> Iterator[str]:
    """Every string in a piece of JSON; drawings are read as pages, bitmaps are not read."""
    if isinstance(value, list) and value and all(isinstance(line, str) for line in value):
        value = "".join(value)
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from () if key in ("image/png", "image/jpeg") else _strings(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _strings(inner)
    elif isinstance(value, str):
        yield from _drawn(value) if value.lstrip().startswith("<svg") else [value]


def _drawn(svg: str) -> list[str]:
    page = Page()
    page.feed(svg)
    return page.words
