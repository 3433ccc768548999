"""What the gateway says to one client, and in which order. No sockets here."""

from collections.abc import Iterator
from functools import partial

import msgspec
from msgspec import Struct

from gateway.commands import RefusedError, read_command
from gateway.hub import EVERYTHING, Hub, Subscriber
from gateway.latest import Entry, LatestView
from gateway.mailbox import Outgoing, Reply
from gateway.settings import GatewaySettings
from schemas import VERSION
from schemas.sockets import PROTOCOL_VERSION, Subscribe, Subscribed, Welcome

#: A snapshot larger than this goes out in several messages: common clients refuse more than 1 MiB.
SNAPSHOT_BYTES = 262_144


def _message(kind: str, message: Struct) -> Outgoing:
    return kind, msgspec.json.encode(message).decode()


def snapshots(entries: list[Entry]) -> Iterator[Reply]:
    """Give one `snapshot` message, or as many as the size asks for."""
    group: list[Entry] = []
    size = 0
    for entry in entries:
        if group and size + len(entry.body) > SNAPSHOT_BYTES:
            yield partial(_snapshot, group)
            group, size = [], 0
        group.append(entry)
        size += len(entry.body)
    yield partial(_snapshot, group)


def _snapshot(entries: list[Entry]) -> Outgoing:
    bodies = b",".join(entry.body for entry in entries).decode()
    return "snapshot", f'{{"type":"snapshot","predictions":[{bodies}]}}'


class Conversation:
    """One client's. Whatever it asks, nothing it gets is older than what it got before: a snapshot holds the entries
    of the moment of the subscription, however late it is written, and the mailbox sends all replies before updates."""

    def __init__(self, hub: Hub, latest: LatestView, settings: GatewaySettings, subscriber: Subscriber) -> None:
        self._hub = hub
        self._latest = latest
        self._settings = settings
        self._subscriber = subscriber

    def welcome(self, timestamp: str) -> list[Reply]:
        """Give the first message."""
        message = Welcome(
            version=VERSION,
            protocol=PROTOCOL_VERSION,
            tickers=len(self._latest),
            heartbeat_seconds=self._settings.heartbeat_seconds,
            timestamp=timestamp,
        )
        return [partial(_message, "welcome", message)]

    def answer(self, data: str | bytes) -> list[Reply]:
        """Do what the client says, and give the replies; a message that is refused changes nothing."""
        try:
            command = read_command(data, maximum_bytes=self._settings.maximum_message_bytes)
            if isinstance(command, Subscribe):
                return self._subscribe(command.tickers)
            return self._unsubscribe(command.tickers)
        except RefusedError as error:
            return [partial(_message, "error", error.message())]

    def _subscribe(self, tickers: list[str]) -> list[Reply]:
        if EVERYTHING not in tickers:
            self._check_count(tickers)
        everything_before, named_before = self._subscriber.everything, set(self._subscriber.named)
        self._hub.subscribe(self._subscriber, tickers)
        fresh = [] if everything_before else self._entries_of(tickers, named_before)
        return [self._acknowledgement(), *snapshots(fresh)]

    def _entries_of(self, tickers: list[str], but: set[str]) -> list[Entry]:
        if EVERYTHING in tickers:
            return [entry for entry in self._latest.entries() if entry.ticker not in but]
        found = (self._latest.get(ticker) for ticker in tickers if ticker not in but)
        return [entry for entry in found if entry is not None]

    def _unsubscribe(self, tickers: list[str]) -> list[Reply]:
        if self._subscriber.everything and EVERYTHING not in tickers:
            text = 'you get all tickers: unsubscribe ["*"] first, then subscribe to the tickers that you want'
            raise RefusedError("invalid_message", text, "tickers")
        self._hub.unsubscribe(self._subscriber, tickers)
        return [self._acknowledgement()]

    def _check_count(self, tickers: list[str]) -> None:
        count = len(self._subscriber.named.union(tickers))
        if not self._subscriber.everything and count > self._settings.maximum_tickers:
            text = f'{count} tickers are more than {self._settings.maximum_tickers}: name fewer, or ["*"] for all'
            raise RefusedError("too_many_tickers", text, "tickers")

    def _acknowledgement(self) -> Reply:
        unknown = self._latest.unknown(self._subscriber.named)
        return partial(_message, "subscribed", Subscribed(tickers=self._subscriber.listed(), unknown=unknown))
