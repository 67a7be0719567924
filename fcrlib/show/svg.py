"""How does a drawing become safe and readable inside a page?

The drawing engine writes a role and a label on every mark and repeats ids in every chart. A page wants one described image
with ids of its own, plain `<title>` children for the mouse, and nothing that can load or run.
"""

from __future__ import annotations

import re
import textwrap
from xml.etree import ElementTree as ET

from fcrlib.model.errors import UsageError

NS = "http://www.w3.org/2000/svg"
ELEMENTS = {"svg", "g", "path", "rect", "line", "circle", "text", "tspan", "title", "desc", "defs", "clipPath", "linearGradient", "stop"}
ATTRIBUTES = re.compile(
    "id|width|height|viewBox|x|y|x1|y1|x2|y2|dx|dy|cx|cy|r|d|rx|ry|fill|fill-opacity|stroke|stroke-width|stroke-opacity|stroke-dasharray"
    "|stroke-dashoffset|stroke-linecap|stroke-linejoin|stroke-miterlimit|opacity|transform|text-anchor|dominant-baseline|font-size"
    "|font-weight|font-style|clip-path|offset|stop-color|stop-opacity|gradientUnits|clipPathUnits|display"
)
NOTHING = {("opacity", "1"), ("transform", "translate(0,0)"), ("stroke-width", "1")}
FONT = "Liberation Sans, Arial, Helvetica, sans-serif"
_FRACTION = re.compile(r"-?\d+\.\d{3,}(?:e-?\d+)?")
INK = {"ink": "#1b1f24", "muted": "#59636e", "line": "#d8dee4", "accent": "#0b5cad", "warn": "#b04a00", "paper": "#ffffff"}

ET.register_namespace("", NS)


def harden(svg: str, *, id: str, title: str, alt: str) -> str:
    """Return the drawing as one described image; doing it twice changes nothing.

    Raises
    ------
    UsageError
        If the text is no drawing, or declares entities.
    """
    if "<!" in svg:
        raise UsageError(f"figure '{id}': the drawing declares a document type or entities; draw it again")
    try:
        root = ET.fromstring(svg)
    except ET.ParseError as error:
        raise UsageError(f"figure '{id}': the drawing cannot be read ({error})") from None
    if root.tag != f"{{{NS}}}svg":
        raise UsageError(f"figure '{id}': this is no drawing but a '{root.tag}'")
    _clean(root, prefix=f"{id}-")
    _describe(root, id=id, title=title, alt=alt)
    return ET.tostring(root, encoding="unicode")


def _clean(element: ET.Element, *, prefix: str) -> None:
    label = element.get("aria-label") if len(element) == 0 and element.get("role") == "graphics-symbol" else None
    for name, value in list(element.attrib.items()):
        del element.attrib[name]
        if ATTRIBUTES.fullmatch(name) and (name, value) not in NOTHING and not _loads(value):
            element.set(name, _tidy(name, value, prefix))
    for child in list(element):
        if _belongs(child):
            _clean(child, prefix=prefix)
        else:
            element.remove(child)
    if label:
        ET.SubElement(element, f"{{{NS}}}title").text = label


def _belongs(element: ET.Element) -> bool:
    name = str(element.tag).removeprefix(f"{{{NS}}}")
    hollow = name == "path" and element.get("class") in ("background", "foreground") and not element.get("fill") and not element.get("stroke")
    return name in ELEMENTS and not hollow


def _loads(value: str) -> bool:
    flat = re.sub(r"\s+", "", value).lower()
    # A backslash can spell any of these words another way.
    return "\\" in flat or "javascript:" in flat or "data:" in flat or re.search(r"url\((?!#)", flat) is not None


def _tidy(name: str, value: str, prefix: str) -> str:
    if name == "id":
        return value if value.startswith(prefix) else prefix + value
    if "url(#" in value:
        return re.sub(r"url\(#(?!" + re.escape(prefix) + ")", f"url(#{prefix}", value)
    return _FRACTION.sub(lambda match: f"{float(match[0]):.2f}".rstrip("0").rstrip("."), value)


def _describe(root: ET.Element, *, id: str, title: str, alt: str) -> None:
    for child in [child for child in root if child.tag in (f"{{{NS}}}title", f"{{{NS}}}desc")]:
        root.remove(child)
    root.set("class", "chart")
    root.set("font-family", FONT)
    root.set("role", "img")
    root.set("aria-labelledby", f"{id}-title {id}-desc")
    for place, (name, text) in enumerate((("title", title), ("desc", alt))):
        element = ET.Element(f"{{{NS}}}{name}", {"id": f"{id}-{name}"})
        element.text = text
        root.insert(place, element)


def standalone(svg: str, *, title: str) -> str:
    """Return the drawing as a file of its own, for slides: white ground, the finding written above it."""
    inner = ET.fromstring(svg)
    width, height = float(inner.get("width", "640")), float(inner.get("height", "300"))
    lines = textwrap.wrap(title, width=max(int(width / 8.2), 20))
    top = 22 * len(lines) + 22
    size = {"width": f"{width + 32:g}", "height": f"{height + top + 16:g}"}
    outer = ET.Element(f"{{{NS}}}svg", {**size, "viewBox": f"0 0 {size['width']} {size['height']}", "role": "img"})
    ET.SubElement(outer, f"{{{NS}}}title").text = title
    ET.SubElement(outer, f"{{{NS}}}rect", {**size, "fill": INK["paper"]})
    style = {"x": "16", "font-family": FONT, "font-size": "16", "font-weight": "bold", "fill": INK["ink"]}
    for row, line in enumerate(lines):
        ET.SubElement(outer, f"{{{NS}}}text", {**style, "y": str(28 + 22 * row)}).text = line
    inner.set("x", "16")
    inner.set("y", str(top))
    outer.append(inner)
    return ET.tostring(outer, encoding="unicode") + "\n"
