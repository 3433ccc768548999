"""One stream's conversation, over all its connections: messages in, messages and events out. No I/O, no clock."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from itertools import count

from gateway.client.credentials import Credentials
from gateway.client.errors import ProtocolError
from gateway.client.events import Event, StartedAnew
from gateway.client.intake import Intake
from gateway.client.reconnection import Reconnection
from gateway.client.wire import fitting
from gateway.client.wishes import Options, Wishes, normalised
from schemas.sockets import (
    PROTOCOL_VERSION,
    AuthExpiring,
    BarMessage,
    BarSnapshot,
    ClientMessage,
    ErrorMessage,
    FormingBarMessage,
    PredictionMessage,
    ServerMessage,
    ServerShutdown,
    Since,
    Snapshot,
    Subscribe,
    Subscribed,
    Unsubscribe,
    Welcome,
)

#: A server that says nothing for so many heartbeats is gone.
PATIENCE_HEARTBEATS = 2.5
#: Until it has said how often its heart beats.
FIRST_PATIENCE_SECONDS = 10.0


@dataclass(frozen=True)
class Step:
    """What follows from a message: what to tell the caller, and what to send."""

    events: list[Event] = field(default_factory=list)
    messages: list[ClientMessage] = field(default_factory=list)


class Session:
    """The rules of the protocol, as a client sees them.

    Attributes:
        reconnection: Whether and when to come back.
        patience_seconds: A connection on which nothing came for so long is to be given up.
    """

    def __init__(self, options: Options, credentials: Credentials, reconnection: Reconnection) -> None:
        self.reconnection = reconnection
        self.patience_seconds = FIRST_PATIENCE_SECONDS
        self._options = options
        self._credentials = credentials
        self._wishes = Wishes()
        self._intake = Intake(self._wishes, all_finals=options.min_confidence is None)
        self._request_ids = map(str, count(1))
        self._asked: dict[str, list[str]] = {}
        self._epoch: str | None = None
        self._greeted = False

    def subscribe(self, tickers: Iterable[str]) -> list[ClientMessage]:
        """Want tickers, too.

        Returns:
            What to send at once; nothing while nobody listens: the next greeting brings it.

        Raises:
            InvalidTickerError: One is no symbol, nor `*`.
        """
        wanted = normalised(tickers)
        self._wishes.add(wanted)
        return [self._request(wanted)] if self._greeted and wanted else []

    def unsubscribe(self, tickers: Iterable[str]) -> list[ClientMessage]:
        """Want tickers no longer.

        Returns:
            What to send at once.

        Raises:
            InvalidTickerError: One is no symbol, nor `*`.
            ValueError: Names cannot be taken out of everything.
        """
        unwanted = normalised(tickers)
        self._wishes.remove(unwanted)
        self._intake.forget(unwanted)
        return [Unsubscribe(tickers=unwanted, id=next(self._request_ids))] if self._greeted and unwanted else []

    def hear(self, message: ServerMessage) -> Step:
        """Take what the server says.

        Raises:
            ProtocolError: It speaks another version of the protocol.
        """
        match message:
            case Welcome():
                return self._greet(message)
            case Subscribed():
                anew = self._enter(message.epoch)
                self._intake.acknowledged(message)
                return Step([*anew, message])
            case Snapshot() | BarSnapshot() | PredictionMessage() | BarMessage():
                return Step(self._intake.take(message))
            case FormingBarMessage():
                return Step([message] if message.ticker in self._wishes else [])
            case ErrorMessage():
                self._wishes.withdraw(self._asked.pop(message.id or "", []))
            case AuthExpiring():
                return Step([message], list(self._credentials.further_messages()))
            case ServerShutdown():
                self.reconnection.told_seconds = message.reconnect_after_ms / 1_000
            case _:
                pass
        return Step([message])

    def lost(self) -> None:
        """Note that the connection is gone."""
        self._greeted = False
        self._asked.clear()
        self.patience_seconds = FIRST_PATIENCE_SECONDS

    def _greet(self, message: Welcome) -> Step:
        if message.protocol != PROTOCOL_VERSION:
            raise ProtocolError(f"the gateway speaks protocol {message.protocol}, this client {PROTOCOL_VERSION}")
        self._greeted = True
        self.patience_seconds = PATIENCE_HEARTBEATS * message.heartbeat_seconds
        anew = self._enter(message.epoch)
        return Step([message, *anew], [*self._credentials.messages(), *self._resumption(message)])

    def _enter(self, epoch: str) -> list[Event]:
        known, self._epoch = self._epoch, epoch
        if known is None or known == epoch:
            return []
        self._intake.clear()
        return [StartedAnew(epoch)]

    def _resumption(self, welcome: Welcome) -> list[ClientMessage]:
        wanted = self._wishes.listed()
        if not wanted:
            return []
        positions = self._intake.positions.since(None if self._wishes.everything else wanted)
        since = Since(epoch=welcome.epoch, seq=positions) if positions else None
        request = self._request(wanted, since)
        return [fitting(request, welcome.limits.maximum_message_bytes) if welcome.limits else request]

    def _request(self, tickers: list[str], since: Since | None = None) -> Subscribe:
        request_id = next(self._request_ids)
        self._asked[request_id] = tickers
        return self._options.subscribe(tickers, request_id, since)
