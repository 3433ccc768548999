"""What was predicted live: outcomes and bars from their topics, manifests from where sets lie."""

from collections import defaultdict
from collections.abc import Iterable

import numpy as np
from confluent_kafka import Message

from ingestor.sources.bars import BarColumns
from predictor.artifacts import UnfitModelSetError, read_manifest
from predictor.manifest import Manifest
from predictor.training.backtest.options import BacktestOptions
from predictor.training.backtest.past import Walked
from predictor.training.settings import TrainingSettings
from predictor.training.topic_end import read_to_end
from schemas.codec import UndecodableError, decoder
from schemas.events import Bar, Outcome
from schemas.topics import BARS, OUTCOMES


def read_what_was_predicted(settings: TrainingSettings, options: BacktestOptions) -> Walked:
    """Read `outcomes` and `bars` to their ends.

    Raises:
        RetryError: The broker does not answer.
        StopAndSayError: A topic is missing.
    """
    outcomes, bars = _outcomes(settings, options), _bars(settings)
    names = sorted({outcome.model_set for outcome in outcomes})
    return Walked(outcomes, bars_as_columns(bars), list(_manifests(settings, names)))


def _outcomes(settings: TrainingSettings, options: BacktestOptions) -> list[Outcome]:
    """Give the outcomes in the order of their partitions: of two of one place the first counts."""
    decode, found = decoder(Outcome), list[tuple[int, int, Outcome]]()

    def take(message: Message) -> None:
        try:
            outcome = decode(message.value())
        except UndecodableError:  # the scorekeeper has said it
            return
        if _wanted(outcome, settings, options):
            found.append((message.partition(), message.offset(), outcome))

    read_to_end(settings, OUTCOMES, take)
    return [outcome for _, _, outcome in sorted(found, key=lambda each: each[:2])]


def _wanted(outcome: Outcome, settings: TrainingSettings, options: BacktestOptions) -> bool:
    return (
        outcome.request_id is None  # others are of callers' own prices
        and outcome.interval == settings.interval
        and outcome.horizon in settings.horizons
        and (not settings.tickers or outcome.ticker in settings.tickers)
        and (options.from_ns is None or outcome.start_ns >= options.from_ns)
        and (options.to_ns is None or outcome.matured_ns <= options.to_ns)
    )


def _bars(settings: TrainingSettings) -> list[Bar]:
    decode, found = decoder(Bar), list[Bar]()

    def take(message: Message) -> None:
        try:
            bar = decode(message.value())
        except UndecodableError:
            return
        if bar.interval == settings.interval:
            found.append(bar)

    read_to_end(settings, BARS, take)
    return found


def bars_as_columns(bars: Iterable[Bar]) -> dict[str, BarColumns]:
    """Give the bars by ticker, each time once."""
    by_ticker: dict[str, dict[int, Bar]] = defaultdict(dict)
    for bar in bars:
        by_ticker[bar.ticker].setdefault(bar.start_ns, bar)
    return {ticker: _columns([own[start_ns] for start_ns in sorted(own)]) for ticker, own in sorted(by_ticker.items())}


def _columns(bars: list[Bar]) -> BarColumns:
    table = np.array([(bar.open, bar.high, bar.low, bar.close, bar.volume) for bar in bars], np.float64)
    starts_ns = np.array([bar.start_ns for bar in bars], np.int64)
    return BarColumns(starts_ns, *(np.ascontiguousarray(table[:, column]) for column in range(5)))


def _manifests(settings: TrainingSettings, names: Iterable[str]) -> Iterable[Manifest]:
    for name in names:
        try:
            yield read_manifest(settings.models_directory / name)
        except UnfitModelSetError:  # it served elsewhere: what only it says stays unknown
            continue
