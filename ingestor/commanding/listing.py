"""What is shown of providers, and of what plays. Pure."""

from collections.abc import Iterator, Sequence

from msgspec import Struct

from ingestor.commanding.playing import Playing
from ingestor.commanding.providers import ProviderRow
from schemas.terminal import table_lines
from schemas.times import NS_PER_SECOND, to_rfc3339

_PROVIDER_HEADINGS = ("SOURCE", "KEY", "REACHABLE", "LEFT", "NOTE")
_PLAYING_HEADINGS = ("PLAYS", "NAME", "TICKERS", "LAST TICK", "LATENCY", "HEALTH")
#: Tickers in a cell.
_SHOWN = 12


class PlayingRow(Struct, frozen=True, kw_only=True):
    """A source that plays.

    Attributes:
        changeable: Its tickers can be changed; of others they are not named.
        last_tick_at: When its last tick came; null: none has.
        latency_seconds: From that tick's own time to its coming.
        health: The state of its ingestor, with its words.
    """

    plays: str
    source: str
    changeable: bool
    tickers: list[str]
    paused: list[str]
    last_tick_at: str | None
    latency_seconds: float | None
    health: str


def playing_row(playing: Playing) -> PlayingRow:
    """Give what is shown of a source that plays."""
    source, status = playing
    tick_ns = source.last_tick_ns
    return PlayingRow(
        plays=source.plays,
        source=source.source,
        changeable=source.changeable,
        tickers=source.tickers,
        paused=sorted(source.paused_ns),
        last_tick_at=None if tick_ns is None else to_rfc3339(tick_ns - tick_ns % NS_PER_SECOND),
        latency_seconds=source.latency_seconds,
        health=f"{status.state}: {status.message}" if status.message else status.state,
    )


def provider_lines(rows: Sequence[ProviderRow]) -> Iterator[str]:
    """Give the table of providers."""
    cells = [(row.source, row.key, row.reachable, _left(row), row.note) for row in rows]
    yield from table_lines([_PROVIDER_HEADINGS, *cells])


def playing_lines(rows: Sequence[PlayingRow]) -> Iterator[str]:
    """Give the table of what plays."""
    cells = [
        (row.plays, row.source, _tickers(row), row.last_tick_at or "", _latency(row.latency_seconds), row.health)
        for row in rows
    ]
    yield from table_lines([_PLAYING_HEADINGS, *cells])


def _left(row: ProviderRow) -> str:
    return ", ".join(f"{count}/{stretch}" for stretch, count in row.left.items())


def _tickers(row: PlayingRow) -> str:
    shown = [f"{ticker} (paused)" if ticker in row.paused else ticker for ticker in row.tickers[:_SHOWN]]
    more = f" and {len(row.tickers) - _SHOWN} more" if len(row.tickers) > _SHOWN else ""
    return ", ".join(shown) + more or ("none" if row.changeable else "those of its settings")


def _latency(seconds: float | None) -> str:
    return "" if seconds is None else f"{seconds:.3f} s"
