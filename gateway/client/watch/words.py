"""Numbers, times and texts, as people read them in a terminal. Pure."""

import math
from collections.abc import Sequence

from schemas.events import Direction

NOTHING = "-"
ARROWS = {Direction.BULLISH: "▲", Direction.BEARISH: "▼", Direction.NEUTRAL: "■"}
_BLOCKS = "▁▂▃▄▅▆▇█"
_MINUTE_SECONDS, _HOUR_SECONDS, _DAY_SECONDS = 60, 3_600, 86_400


def price(value: float) -> str:
    """Give a price with two decimals; a small one with four digits."""
    if 0 < abs(value) < 1:
        return f"{value:.{3 - math.floor(math.log10(abs(value)))}f}"
    return f"{value:,.2f}"


def change(share: float | None) -> str:
    """Give a change in percent, with its sign."""
    if share is None:
        return NOTHING
    text = f"{100 * share:+.2f}%"
    return text[1:] if float(text[:-1]) == 0 else text


def percent(share: float) -> str:
    """Give a share in whole percent."""
    return f"{100 * share:.0f}%"


def age(seconds: float) -> str:
    """Give how long ago something was."""
    past = max(0.0, seconds)
    if past < _MINUTE_SECONDS:
        return f"{past:.0f} s"
    if past < _HOUR_SECONDS:
        return f"{past / _MINUTE_SECONDS:.0f} min"
    if past < 2 * _DAY_SECONDS:
        return f"{past / _HOUR_SECONDS:.0f} h"
    return f"{past / _DAY_SECONDS:.0f} d"


def spark(values: Sequence[float], width: int) -> str:
    """Draw the last values, oldest first, a character each; nothing where there are fewer than two."""
    shown = values[-width:]
    if len(shown) < 2:
        return ""
    low, high = min(shown), max(shown)
    step = (high - low) / (len(_BLOCKS) - 1)
    return "".join(_BLOCKS[round((value - low) / step) if step else 0] for value in shown)


def plain(text: str) -> str:
    """Give a text of somebody else's as one that moves no cursor and changes no colour."""
    return "".join(character if character.isprintable() else " " for character in text)
