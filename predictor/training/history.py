"""The bars that a source has before the first live one."""

from ingestor.sources.bars import BarColumns
from ingestor.sources.daily_prices import load_daily_bars
from predictor.training.file_history import load_file_bars
from predictor.training.settings import TrainingSettings
from schemas.errors import StopAndSayError
from schemas.times import interval_ns


def load_history(settings: TrainingSettings) -> dict[str, BarColumns]:
    """Load the bars, by ticker, that end before the first live moment; all where there is none.

    Raises:
        StopAndSayError: The source has no bars of this interval, or none of these tickers.
    """
    if settings.source == "simulated":
        raise StopAndSayError("simulated prices teach nothing: train on replay or file:PATH")
    bars = _all_bars(settings)
    before_ns = settings.before_ns
    if before_ns is None:
        return bars
    last_start_ns = before_ns - interval_ns(settings.interval)
    return {ticker: columns.between(None, last_start_ns + 1) for ticker, columns in bars.items()}


def _all_bars(settings: TrainingSettings) -> dict[str, BarColumns]:
    if settings.source == "replay":
        if settings.interval != "1d":
            raise StopAndSayError(
                f"TICKCAST_INTERVAL: replay has daily bars, so train with 1d, not {settings.interval}"
            )
        return load_daily_bars(settings.tickers)
    return load_file_bars(settings.source.removeprefix("file:"), settings.interval, settings.tickers)
