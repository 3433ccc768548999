"""What a stream tells: the server's messages as they came, and what the client has to say itself."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import TypeVar

from schemas.sockets import (
    Authenticated,
    AuthExpiring,
    BarMessage,
    BarSnapshot,
    ErrorMessage,
    FormingBarMessage,
    Heartbeat,
    PredictionMessage,
    ServerShutdown,
    Snapshot,
    StreamedBar,
    StreamedPrediction,
    Subscribed,
    Welcome,
)


@dataclass(frozen=True, slots=True)
class Gap:
    """Updates of a ticker that did not come: those after `after` and before `before`. The next update is, or the next
    snapshot holds, the one at `before`.

    A stream with `max_rate` or `final_only` gets no provisional updates, or not all; there it is finals that are
    missing. One with `min_confidence` reports no gaps.

    Attributes:
        after: `seq` of the last update that came; None: the first ones of the ticker are missing.
        before: `seq` of the update that came instead.
    """

    ticker: str
    after: int | None
    before: int


@dataclass(frozen=True, slots=True)
class StartedAnew:
    """The topic was made anew: sequence numbers begin again, what is held of before belongs to another log."""

    epoch: str


@dataclass(frozen=True, slots=True)
class Disconnected:
    """The connection ended, or could not be made. The stream comes back by itself, and resumes.

    Attributes:
        code: That of the close, or of HTTP where the handshake was refused; None where the network failed.
        retry_after_seconds: When the next attempt begins.
    """

    code: int | None
    reason: str
    retry_after_seconds: float


#: `Welcome` says that a connection stands, `Subscribed.recovered` whether the stream goes on where it was.
Event = (
    Welcome
    | Authenticated
    | AuthExpiring
    | Subscribed
    | Snapshot
    | PredictionMessage
    | BarSnapshot
    | BarMessage
    | FormingBarMessage
    | Heartbeat
    | ErrorMessage
    | ServerShutdown
    | Gap
    | StartedAnew
    | Disconnected
)
BarUpdate = StreamedBar | FormingBarMessage
Update = TypeVar("Update", StreamedPrediction, BarUpdate)


def updates_of(events: Iterable[Event]) -> Iterator[StreamedPrediction | BarUpdate]:
    """Give the predictions and bars in events, those of snapshots too."""
    for event in events:
        match event:
            case Snapshot():
                yield from event.predictions
            case BarSnapshot():
                yield from event.bars
            case PredictionMessage() | BarMessage() | FormingBarMessage():
                yield event
            case _:
                pass
