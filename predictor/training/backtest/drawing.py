"""Figures as SVG that can stand in a page: no date, no address, the same bytes for the same numbers."""

import io
import re
from collections.abc import Callable, Sequence
from typing import Any

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.figure import Figure

#: Okabe and Ito's colours, which most people can tell apart.
COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#444444")
GREY = "#777777"

_WIDTH_INCHES, _HEIGHT_INCHES = 4.0, 2.9
_STYLE: dict[Any, Any] = {
    "svg.fonttype": "none",  # letters stay letters: they can be searched, and the page's font draws them
    "font.size": 9.0,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "grid.color": "#e5e5e5",
    "axes.axisbelow": True,
    "legend.frameon": False,
}
_NO_METADATA: dict[str, str | None] = {"Date": None, "Creator": None, "Format": None, "Type": None}

#: Draws the part of a number into axes.
Draw = Callable[[Axes, int], None]


def svg_of(name: str, titles: Sequence[str], draw: Draw) -> str:
    """Draw parts side by side.

    Args:
        name: Of the picture; what is referred to inside it is named after it.
        titles: Of the parts.
        draw: Is called for each of them.
    """
    with mpl.rc_context(_STYLE | {"svg.hashsalt": name}):
        figure = Figure(figsize=(_WIDTH_INCHES * len(titles), _HEIGHT_INCHES), layout="constrained")
        for number, title in enumerate(titles):
            axes = figure.add_subplot(1, len(titles), number + 1)
            axes.set_title(title)
            draw(axes, number)
        content = io.StringIO()
        figure.savefig(content, format="svg", metadata=_NO_METADATA)
    return _inline(content.getvalue())


def _inline(svg: str) -> str:
    """Take off what comes before the picture, and names that nothing in it refers to: a page has each name once."""
    picture = svg[svg.index("<svg") :]
    named = set(re.findall(r"#([\w.:-]+)", picture))
    return re.sub(r' id="([^"]*)"', lambda found: found[0] if found[1] in named else "", picture)
