"""What do all charts look like?

Every colour is one of a few named inks. The page turns the inks into its own light, dark and print colours, so a drawing made
once is readable in all three. Colours tell nothing alone: a shape, a dash or a word says the same.
"""

from __future__ import annotations

from typing import Any

from fcrlib.show.svg import INK

FONT = '"Liberation Sans", Arial, Helvetica, sans-serif'
TONES = ("#eef4fb", "#c9def2", "#8fbbe3", "#3f83c4", "#0b4f96")
TONE_INKS = (INK["ink"], INK["ink"], INK["ink"], INK["paper"], INK["paper"])
SERIES = (INK["accent"], INK["warn"], "#2b7a5d", "#8a4b9c", INK["muted"])
DASHES = ([1, 0], [6, 3], [2, 2], [8, 3, 2, 3], [1, 3])
WIDTH = 430
STEP = 26


def config() -> dict[str, Any]:
    """The chart configuration: calm axes, no ground, labels that fit and never clip."""
    words = {"labelFont": FONT, "titleFont": FONT, "labelColor": INK["ink"], "titleColor": INK["muted"], "labelFontSize": 12, "titleFontSize": 12}
    axis = {**words, "titleFontWeight": "normal", "labelLimit": 260, "domain": False, "ticks": False, "gridColor": INK["line"], "labelPadding": 6}
    return {
        "background": None,
        "font": FONT,
        "view": {"stroke": None},
        "axis": axis,
        "axisX": {"titlePadding": 10},
        "axisTemporal": {"labelSeparation": 14, "labelOverlap": "greedy"},
        "legend": {**words, "titleFontWeight": "normal", "orient": "top", "labelLimit": 260, "symbolSize": 90, "symbolOpacity": 1, "offset": 8},
        "title": {"font": FONT, "fontSize": 14, "anchor": "start", "color": INK["ink"], "limit": 640},
        "text": {"font": FONT, "fontSize": 12, "color": INK["ink"]},
        "header": words,
    }


def enable() -> None:
    """Make the theme the default for charts drawn by hand in a notebook."""
    import altair as alt

    @alt.theme.register("fcr", enable=True)
    def fcr() -> alt.theme.ThemeConfig:
        return alt.theme.ThemeConfig({"config": config()})  # type: ignore[typeddict-item]


def css_inks() -> str:
    """Style rules that hand each ink of a drawing over to the page's own colours."""
    names = {colour: f"--{name}" for name, colour in INK.items()}
    names |= {colour: f"--tone-{place}" for place, colour in enumerate(TONES)}
    names |= {colour: f"--series-{place}" for place, colour in enumerate(SERIES) if colour not in names}
    rules = [f'.chart [{what}="{colour}"]{{{what}:var({name})}}' for colour, name in names.items() for what in ("fill", "stroke")]
    return "\n".join(rules)
