"""What the gateway says to one client, and in which order. No sockets here."""

from collections.abc import Callable, Collection
from functools import partial
from typing import Any

from msgspec import Struct

from gateway.access.stay import Stay
from gateway.commands import RefusedError, check_count, read_command
from gateway.entries import Entry
from gateway.hub import EVERYTHING, Subscriber
from gateway.latest import LatestBars
from gateway.mailbox import Reply
from gateway.messages import Message, message_of
from gateway.presentation import time_text
from gateway.settings import GatewaySettings
from gateway.snapshots import Chunk
from gateway.streams import Stream
from gateway.wishes import Options, options_of
from schemas import VERSION
from schemas.close_codes import CLOSE_REASONS, CloseCode
from schemas.sockets import (
    HELD_SECONDS,
    PROTOCOL_VERSION,
    Auth,
    Authenticated,
    AuthExpiring,
    Limits,
    Since,
    Subscribe,
    Subscribed,
    Unsubscribe,
    Welcome,
)

_AUTH_EXAMPLE = '{"action": "auth", "key": "tc_…"}, or "token"'
_NOT_LET_IN = "this does not let you in here: it is unknown, not good any more, or lacks the scope stream"


def _say(message: Struct) -> Reply:
    return partial(message_of, message)


def _marked(reply: Reply, mark: str) -> Message:
    message = reply()
    return Message(message.kind, message.payload, packed=message.packed, mark=mark)


class Conversation:
    """One client's. Whatever it asks, nothing it gets is older than what it got before: a snapshot holds the entries
    of the moment of the subscription, however late it is written, and the mailbox sends all replies before updates."""

    def __init__(
        self,
        stream: Stream[Any],
        settings: GatewaySettings,
        subscriber: Subscriber,
        clock_ns: Callable[[], int],
        stay: Stay | None = None,
    ) -> None:
        """Begin to talk; without `stay`, nobody is asked who he is."""
        self._stay = stay
        self._stream = stream
        self._settings = settings
        self._subscriber = subscriber
        self._clock_ns = clock_ns

    def welcome(self, session: str, timestamp: str) -> list[Reply]:
        """Give the first message."""
        settings = self._settings
        limits = Limits(
            maximum_tickers=settings.maximum_tickers,
            maximum_message_bytes=settings.maximum_message_bytes,
            conflate_after_seconds=settings.client_conflate_seconds,
            close_after_seconds=float(settings.client_stall_seconds),
            held_seconds=float(HELD_SECONDS),
        )
        message = Welcome(
            version=VERSION,
            protocol=PROTOCOL_VERSION,
            tickers=len(self._stream.view),
            heartbeat_seconds=settings.heartbeat_seconds,
            timestamp=timestamp,
            session=session,
            epoch=self._stream.epoch,
            limits=limits,
        )
        return [_say(message)]

    def answer(self, data: str | bytes) -> list[Reply]:
        """Do what the client says, and give the replies; a message that is refused changes nothing."""
        request_id = None
        try:
            command = read_command(data, maximum_bytes=self._settings.maximum_message_bytes)
            request_id = command.id
            if self._stay is not None and self._stay.caller is None and not isinstance(command, Auth):
                raise RefusedError("auth_required", f"say who you are first: send {_AUTH_EXAMPLE}")
            match command:
                case Subscribe():
                    return self._subscribe(command)
                case Unsubscribe():
                    return self._unsubscribe(command)
                case Auth():
                    return [self._authenticate(command)]
        except RefusedError as error:
            error.request_id = error.request_id or request_id
            return [_say(error.message())]

    def expiring(self, expires_ns: int) -> list[Reply]:
        """Say that the client's key or token expires."""
        return [_say(AuthExpiring(expires_at=time_text(expires_ns)))]

    def _authenticate(self, command: Auth) -> Reply:
        if self._stay is None:
            return _say(Authenticated(scopes=["read", "stream"], id=command.id))
        field = "key" if command.token is None else "token"
        ended = self._stay.identify(command.key or command.token or "")
        if ended is CloseCode.TOO_MANY_CONNECTIONS:
            raise RefusedError("rate_limited", CLOSE_REASONS[ended], field)
        if ended is not None or self._stay.caller is None:
            raise RefusedError("forbidden" if ended is CloseCode.FORBIDDEN else "auth_failed", _NOT_LET_IN, field)
        expires_ns = self._stay.caller.expires_ns
        return _say(
            Authenticated(
                scopes=sorted(self._stay.caller.scopes),
                expires_at=None if expires_ns is None else time_text(expires_ns),
                id=command.id,
            )
        )

    def _subscribe(self, command: Subscribe) -> list[Reply]:
        options = options_of(command)
        self._check(command)
        fresh = self._fresh(command, options)
        self._stream.audience.subscribe(self._subscriber, command.tickers, options)
        if command.since is None:
            return [self._acknowledgement(command, options), *self._snapshot(fresh, options)]
        return self._resume(command, command.since, fresh, options)

    def follow(self, command: Subscribe, mark: str | None) -> list[Reply]:
        """Subscribe, as the first thing, resuming after a mark of the stream."""
        options = options_of(command)
        later = None if mark is None else self._stream.after_mark(mark, self._clock_ns())
        self._stream.audience.subscribe(self._subscriber, command.tickers, options)
        acknowledgement = self._acknowledgement(command, options, None if mark is None else later is not None)
        if later is None:
            *first, last = self._snapshot(command.tickers, options)
            return [acknowledgement, *first, partial(_marked, last, self._stream.mark)]
        wanted = (entry for entry in later if self._subscriber.wants(entry.ticker) and options.let(entry))
        return [acknowledgement, *(partial(entry.message, packed=options.packed) for entry in wanted)]

    def _check(self, command: Subscribe) -> None:
        if isinstance(self._stream.view, LatestBars) and command.min_confidence is not None:
            raise RefusedError("invalid_message", "min_confidence: bars have none, leave it out", "min_confidence")
        if EVERYTHING in command.tickers or self._subscriber.everything:
            return
        check_count(len(self._subscriber.named.keys() | set(command.tickers)), self._settings.maximum_tickers)

    def _fresh(self, command: Subscribe, options: Options) -> list[str]:
        """Give the tickers that the client does not get yet, or not so; `*` alone where that is everything."""
        subscriber = self._subscriber
        if EVERYTHING in command.tickers:
            return [] if subscriber.gets(EVERYTHING, options) else [EVERYTHING]
        if subscriber.everything is not None:
            return []
        return [ticker for ticker in command.tickers if not subscriber.gets(ticker, options)]

    def _resume(self, command: Subscribe, since: Since, fresh: list[str], options: Options) -> list[Reply]:
        asked = [ticker for ticker in since.seq if self._subscriber.wants(ticker)]
        later = {ticker: self._later(since, ticker) for ticker in asked}
        lost = sorted(ticker for ticker, entries in later.items() if entries is None)
        self._forget_waiting(later)  # it comes again, in its place
        if EVERYTHING in fresh:
            fresh = [entry.ticker for entry in self._stream.view.entries()]
        afresh = [*(ticker for ticker in fresh if ticker not in later), *lost]
        return [
            self._acknowledgement(command, options, recovered=not lost, lost=lost),
            *self._snapshot(sorted(afresh), options),
            *(
                partial(entry.message, packed=options.packed)
                for entries in later.values()
                for entry in entries or ()
                if options.let(entry)
            ),
        ]

    def _forget_waiting(self, tickers: Collection[str]) -> None:
        self._subscriber.mailbox.keep(lambda ticker: ticker not in tickers)
        for ticker in tickers:
            if (wish := self._subscriber.wish(ticker)) is not None:
                wish.forget(ticker)

    def _later(self, since: Since, ticker: str) -> list[Entry] | None:
        if since.epoch != self._stream.epoch:
            return None
        entries: list[Entry] | None = self._stream.after(ticker, since.seq[ticker], self._clock_ns())
        return entries

    def _snapshot(self, fresh: list[str], options: Options) -> list[Reply]:
        view = self._stream.view
        self._subscriber.mailbox.keep(lambda ticker: EVERYTHING not in fresh and ticker not in fresh)
        chunks: list[Chunk]
        if EVERYTHING in fresh and options.gapless:
            chunks = view.whole_snapshot()
        else:
            tickers = [entry.ticker for entry in view.entries()] if EVERYTHING in fresh else fresh
            found = (view.get_final(ticker) if options.final_only else view.get(ticker) for ticker in tickers)
            chunks = view.snapshot([entry for entry in found if entry is not None and options.let(entry)])
        return [partial(chunk.message, packed=options.packed) for chunk in chunks]

    def _unsubscribe(self, command: Unsubscribe) -> list[Reply]:
        if self._subscriber.everything and EVERYTHING not in command.tickers:
            text = 'you get all tickers: unsubscribe ["*"] first, then subscribe to the tickers that you want'
            raise RefusedError("invalid_message", text, "tickers")
        self._stream.audience.unsubscribe(self._subscriber, command.tickers)
        return [self._acknowledgement(command, None)]

    def _acknowledgement(
        self,
        command: Subscribe | Unsubscribe,
        options: Options | None,
        recovered: bool | None = None,
        lost: list[str] | None = None,
    ) -> Reply:
        """Say the whole list; without options of one subscription, whether all of them are gapless."""
        subscriber = self._subscriber
        everyone = [wish.options for wish in subscriber.wishes()] if options is None else [options]
        message = Subscribed(
            tickers=subscriber.listed(),
            unknown=self._stream.view.unknown(subscriber.named),
            id=command.id,
            epoch=self._stream.epoch,
            gapless=all(one.gapless for one in everyone),
            recovered=recovered,
            lost=lost or [],
        )
        return _say(message)
