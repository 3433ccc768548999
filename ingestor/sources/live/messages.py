"""What the messages of a stream become."""

from collections.abc import Callable, Iterable
from typing import Any

import msgspec

from ingestor.sources.bar_play import PlayedBar
from ingestor.sources.live.provider import LiveTick
from ingestor.sources.live.said import whole_bar
from ingestor.sources.moments import Rejected


def read_frame(
    source: str,
    frame: bytes,
    decode: Callable[[bytes], Any],
    understand: Callable[[dict[str, Any]], Iterable[LiveTick]],
) -> list[LiveTick | Rejected]:
    """Read what one frame says: a message, or a list of them; what cannot be understood is rejected by itself.

    Args:
        decode: Gives the frame's content.
        understand: Gives the ticks of a message; what it raises beside errors of form goes on to the caller.
    """
    try:
        messages = decode(frame)
    except Exception as error:
        reason = f"{source}: the frame cannot be read: {type(error).__name__}: {error}"
        return [Rejected(value=frame, code="message", reason=reason)]
    heard: list[LiveTick | Rejected] = []
    for message in messages if isinstance(messages, list) else [messages]:
        try:
            heard += understand(message)
        except (AttributeError, KeyError, TypeError, ValueError) as error:
            value = msgspec.json.encode(message, enc_hook=str)
            heard.append(Rejected(value=value, code="message", reason=f"{source}: {type(error).__name__}: {error}"))
    return heard


def bar_ticks(bar: PlayedBar, start_ns: int, length_ns: int) -> list[LiveTick]:
    """Give a bar that came over a stream as four ticks, each known by its time when the bar comes again."""
    ticks = whole_bar(bar, start_ns, length_ns)
    return [LiveTick(tick.ticker, tick.time_ns, tick.price, tick.size, tick.time_ns) for tick in ticks]
