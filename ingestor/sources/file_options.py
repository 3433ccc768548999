"""What of a file is played."""

from typing import NamedTuple

from ingestor.sources.contents import tickers_text, time_text
from schemas.errors import StopAndSayError
from schemas.times import Interval


class FileOptions(NamedTuple):
    """What of a file is played, on which bars.

    Attributes:
        path: Of the file.
        interval: Of the bars that the feature stage makes.
        tickers: Only these; empty: all.
        start_ns: The first live moment, what lies before it is for training; None: the file's first.
        end_ns: Nothing from it on is played; None: all.
        disorder_ns: How far the rows of a file of ticks may go back in time.
    """

    path: str
    interval: Interval
    tickers: tuple[str, ...] = ()
    start_ns: int | None = None
    end_ns: int | None = None
    disorder_ns: int = 0

    def content(self, identity: str) -> dict[str, str]:
        """Give what decides the content of a position.

        The end is part of it: the bars that it cut short have been closed, so a later end could not complete them.
        """
        return {
            "source": "file",
            "file": identity,
            "start": time_text(self.start_ns),
            "end": time_text(self.end_ns, "last"),
            "interval": self.interval,
            "tickers": tickers_text(self.tickers),
        }

    def nothing_live(self) -> StopAndSayError:
        """Say that there is nothing to play."""
        asked = tickers_text(self.tickers)
        return StopAndSayError(
            f"{self.path} holds nothing to play from TICKCAST_START {time_text(self.start_ns)} on"
            + ("" if asked == "*" else f" of TICKCAST_TICKERS {asked}")
        )
