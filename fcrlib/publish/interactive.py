"""How do drawings answer the mouse in a page that may load nothing?

The page carries the drawing library packed, and one script that unpacks it and draws each figure again over its still drawing. Both are named in the
page's security policy by their fingerprints, so nothing else can run. Expressions are interpreted, never compiled: the policy forbids that, too.
"""

from __future__ import annotations

import base64
import gzip
import json
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from fcrlib.publish.findings import Drawn
from fcrlib.publish.gates import PACKED, fingerprint

LOADER = """
(async () => {
  const unpacked = async (id) => {
    const packed = Uint8Array.from(atob(document.getElementById(id).textContent.trim()), (letter) => letter.charCodeAt(0));
    return new Response(new Blob([packed]).stream().pipeThrough(new DecompressionStream("gzip"))).text();
  };
  const library = document.createElement("script");
  library.textContent = await unpacked("library");
  document.head.append(library);
  const calm = {ast: true, actions: false, renderer: "svg", defaultStyle: false, hover: false};
  for (const [id, spec] of Object.entries(JSON.parse(await unpacked("drawings")))) {
    const still = document.querySelector(`#figure-${id} svg.chart`);
    const live = document.createElement("div");
    try {
      await window.vegaEmbed(live, spec, calm);
      live.className = "chart live";
      live.setAttribute("role", "img");
      live.setAttribute("aria-label", still.querySelector("title").textContent);
      still.replaceWith(live);
    } catch (problem) { /* the still drawing stays */ }
  }
})();
"""


@dataclass(frozen=True, slots=True)
class Script:
    """The scripts of a page as markup, and what its security policy allows."""

    markup: str
    allowed: str


def live(drawn: Sequence[Drawn]) -> Script | None:
    """The script that draws figures again, or None where none of them can be drawn so."""
    specs = {item.id: _plain(item.spec) for item in drawn if item.spec}
    if not specs:
        return None
    library, packed = _library()
    data = "\n".join(f'<script type="{PACKED}" id="{id}">{text}</script>' for id, text in (("library", packed), ("drawings", pack(harmless(specs)))))
    return Script(f"{data}\n<script>{LOADER}</script>", f"{fingerprint(LOADER)} {fingerprint(library)}")


def pack(text: str) -> str:
    """A text as the page carries it; the same bytes every time."""
    return base64.b64encode(gzip.compress(text.encode(), compresslevel=9, mtime=0)).decode()


def harmless(value: Any) -> str:
    """JSON that no page takes for markup, whatever its words are.

    Examples
    --------
    >>> print(harmless("</script><!--"))
    "\\u003c/script\\u003e\\u003c!--"
    """
    return json.dumps(value, sort_keys=True).replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")


def _plain(spec: dict[str, Any]) -> dict[str, Any]:
    """The caption says the title already."""
    return {key: value for key, value in spec.items() if key not in ("title", "$schema")} | {"usermeta": {"embedOptions": {}}}


@lru_cache(maxsize=1)
def _library() -> tuple[str, str]:
    """The drawing library, and the same packed."""
    import vl_convert

    text = str(vl_convert.javascript_bundle(None))  # type: ignore[arg-type]  # with a text it holds only what that text imports
    return text, pack(text)
