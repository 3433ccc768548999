"""What is known of the market and of the connection, from the events of a stream. No I/O; the clock comes in."""

from dataclasses import dataclass, field
from enum import StrEnum

from gateway.client.events import Disconnected, Event, StartedAnew
from gateway.client.watch.closes import Closes
from gateway.client.watch.words import age, plain
from schemas.sockets import Heartbeat, PredictionMessage, Snapshot, StreamedPrediction, Welcome
from schemas.times import NS_PER_SECOND, from_rfc3339


class Link(StrEnum):
    """How the connection is."""

    CONNECTING = "connecting"
    LIVE = "live"
    LOST = "not connected"


@dataclass
class Board:
    """Told of every event.

    Attributes:
        latest: By ticker.
        moved: Tickers whose price has changed since somebody last looked.
        met: The gateway has been spoken to.
        complete: All that it had to say at first is here.
        reason: Why the connection is lost, and when the next attempt begins.
    """

    latest: dict[str, StreamedPrediction] = field(default_factory=dict)
    closes: Closes = field(default_factory=Closes)
    moved: set[str] = field(default_factory=set)
    link: Link = Link.CONNECTING
    met: bool = False
    complete: bool = False
    reason: str = ""
    again_at_ns: int = 0
    _ahead_ns: int = 0

    def take(self, event: Event, now_ns: int) -> None:
        """Take an event, at a wall time of ours."""
        match event:
            case Welcome():
                self.link, self.met = Link.LIVE, True
                self._ahead_ns = from_rfc3339(event.timestamp) - now_ns
            case Heartbeat():
                self._ahead_ns = from_rfc3339(event.timestamp) - now_ns
            case Snapshot():
                for prediction in event.predictions:
                    self._keep(prediction)
                self.complete = self.complete or event.complete
            case PredictionMessage():
                self._keep(event)
            case StartedAnew():
                self.latest.clear()
                self.closes.clear()
            case Disconnected():
                self.link, self.reason = Link.LOST, plain(event.reason)
                self.again_at_ns = now_ns + round(event.retry_after_seconds * NS_PER_SECOND)
            case _:
                pass

    def _keep(self, prediction: StreamedPrediction) -> None:
        before = self.latest.get(prediction.ticker)
        if before is not None and before.current_price != prediction.current_price:
            self.moved.add(prediction.ticker)
        self.latest[prediction.ticker] = prediction
        self.closes.note(prediction)

    def seen(self) -> set[str]:
        """Give the tickers that moved since the last call."""
        moved, self.moved = self.moved, set()
        return moved

    def seconds_since(self, time: str, now_ns: int) -> float:
        """Give how long ago a time of the gateway's was, by its own clock."""
        return (now_ns + self._ahead_ns - from_rfc3339(time)) / NS_PER_SECOND

    def link_words(self, now_ns: int) -> str:
        """Say how the connection is."""
        if self.link is not Link.LOST:
            return f"{'●' if self.link is Link.LIVE else '○'} {self.link}"
        seconds = max(0, self.again_at_ns - now_ns) / NS_PER_SECOND
        return f"○ {self.link}, trying again in {age(seconds)}" if seconds > 0.5 else f"○ {self.link}, trying again"

    def age_words(self, now_ns: int) -> str:
        """Say how old what is shown is."""
        if not self.latest:
            return "no predictions yet"
        newest = max(prediction.updated_at for prediction in self.latest.values())
        seconds = age(self.seconds_since(newest, now_ns))
        return f"newest data {seconds} old" if self.link is Link.LIVE else f"what you see is {seconds} old"
