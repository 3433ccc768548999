"""What plays, by what the ingestors say. No Kafka here."""

from collections.abc import Iterable

from msgspec import Struct

from gateway.presentation import time_text
from schemas.events import ServiceState, ServiceStatus
from schemas.public import Time


class PlayingSource(Struct, frozen=True, kw_only=True):
    """A source that an ingestor plays.

    Attributes:
        source: Its name, for `POST /sources/{source}/{action}`.
        plays: What the ingestor's settings say, like `replay` or `alpaca`.
        changeable: Its tickers can be changed; of others they are not named.
        paused: Those of its tickers that rest, and since when.
        expects_ticks: Some are to be expected now.
        last_tick_at: When its last tick came; null: none has.
        latency_seconds: From that tick's own time to its coming.
        state: The ingestor's.
        message: Likewise.
    """

    source: str
    plays: str
    changeable: bool
    tickers: list[str]
    paused: dict[str, Time]
    expects_ticks: bool
    last_tick_at: Time | None
    latency_seconds: float | None
    state: ServiceState
    message: str


class PlayingSources(Struct, frozen=True):
    """What plays now."""

    sources: list[PlayingSource]


def sources_of(statuses: Iterable[ServiceStatus]) -> list[PlayingSource]:
    """Give what plays by the words of the ingestors, in the order of the names.

    Raises:
        UndecodableError: A time cannot be said at the edge.
    """
    sources = [
        PlayingSource(
            source=source.source,
            plays=source.plays,
            changeable=source.changeable,
            tickers=source.tickers,
            paused={ticker: time_text(since_ns) for ticker, since_ns in sorted(source.paused_ns.items())},
            expects_ticks=source.expects_ticks,
            last_tick_at=None if source.last_tick_ns is None else time_text(source.last_tick_ns),
            latency_seconds=source.latency_seconds,
            state=status.state,
            message=status.message,
        )
        for status in statuses
        for source in status.sources
    ]
    return sorted(sources, key=lambda source: source.source)
