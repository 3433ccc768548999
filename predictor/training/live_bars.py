"""All bars up to now: those that the source has before the start, then those that were played since."""

import logging
from array import array
from collections import defaultdict
from collections.abc import Mapping

import numpy as np
from confluent_kafka import Message

from ingestor.sources.bars import BarColumns
from predictor.training.history import bars_before_start
from predictor.training.settings import TrainingSettings
from predictor.training.topic_end import read_to_end
from schemas.codec import UndecodableError, decoder
from schemas.events import Bar, Origin
from schemas.times import Interval, interval_ns
from schemas.topics import BARS

_log = logging.getLogger(__name__)


class _Played:
    """A ticker's bars in the order of their records, 48 bytes each: `bars` may hold years of minutes."""

    def __init__(self) -> None:
        self._starts_ns = array("q")
        self._prices = array("d")

    def add(self, bar: Bar) -> None:
        """Take a bar."""
        self._starts_ns.append(bar.start_ns)
        self._prices.extend((bar.open, bar.high, bar.low, bar.close, bar.volume))

    def columns(self) -> BarColumns:
        """Give them by time; of each start the first one."""
        starts_ns, firsts = np.unique(np.frombuffer(self._starts_ns, np.int64), return_index=True)
        prices = np.frombuffer(self._prices, np.float64).reshape(-1, 5)[firsts]
        return BarColumns(starts_ns, *prices.T.copy())


def bars_until_now(settings: TrainingSettings) -> dict[str, BarColumns]:
    """Give the bars, by ticker, through the newest closed one of any ticker.

    A ticker that stopped trading must not hold up the others: it has fewer bars, and the market's newest is now.

    Raises:
        RetryError: The broker does not answer.
        StopAndSayError: The source cannot be read, or the topic is missing.
    """
    past = {} if settings.before_ns is None or settings.source == "simulated" else bars_before_start(settings)
    return joined(past, read_live_bars(settings), settings.interval)


def read_live_bars(settings: TrainingSettings) -> dict[str, BarColumns]:
    """Read the bars that were played, by ticker.

    Left out are bars whose ticks were partly lost, later passes of a loop, and simulated ones unless the source is.
    """
    decode = decoder(Bar)
    found: defaultdict[str, _Played] = defaultdict(_Played)

    def take(message: Message) -> None:
        try:
            bar = decode(message.value())
        except UndecodableError as error:  # it stays in its topic, and was never ours to answer
            _log.warning("passed over %s:%d:%d: %s", message.topic(), message.partition(), message.offset(), error)
            return
        if _is_usable(bar, settings):
            found[bar.ticker].add(bar)

    read_to_end(settings, BARS, take)
    return {ticker: played.columns() for ticker, played in sorted(found.items())}


def _is_usable(bar: Bar, settings: TrainingSettings) -> bool:
    strange = {Origin.REPEAT} if settings.source == "simulated" else {Origin.REPEAT, Origin.SIMULATED}
    wanted = not settings.tickers or bar.ticker in settings.tickers
    return wanted and bar.interval == settings.interval and not bar.partial and bar.origin not in strange


def joined(past: Mapping[str, BarColumns], live: Mapping[str, BarColumns], interval: Interval) -> dict[str, BarColumns]:
    """Put live bars behind those of the past; what both have (a warm-up is the past, played) is the past's."""
    both = {}
    for ticker in sorted({*past, *live}):
        parts = [bars[ticker] for bars in (past, live) if len(bars.get(ticker, ()))]
        if len(parts) == 2:
            parts[1] = parts[1].between(int(parts[0].start_ns[-1]) + interval_ns(interval), None)
        if parts:
            both[ticker] = _in_a_row(parts)
    return both


def _in_a_row(parts: list[BarColumns]) -> BarColumns:
    columns = zip(*(vars(part).values() for part in parts), strict=True)
    return BarColumns(*(np.concatenate(column) for column in columns))
