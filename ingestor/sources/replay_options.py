"""What of the daily bars is played."""

from typing import NamedTuple

from ingestor.sources.contents import tickers_text, time_text


class ReplayOptions(NamedTuple):
    """What of the bars is played.

    Attributes:
        start_ns: The first live day.
        end_ns: The day from which nothing is played; None plays all.
        loop: Begin again when the data ends.
        asked: The tickers as asked for; empty: all.
    """

    start_ns: int
    end_ns: int | None = None
    loop: bool = False
    asked: tuple[str, ...] = ()

    @property
    def content(self) -> dict[str, str]:
        """Give what decides the content of a position."""
        content = {
            "source": "replay",
            "start": time_text(self.start_ns),
            "interval": "1d",
            "tickers": tickers_text(self.asked),
            "loop": "on" if self.loop else "off",
        }
        if self.loop:  # then the end decides where the second pass begins
            content["end"] = time_text(self.end_ns, "last")
        return content
