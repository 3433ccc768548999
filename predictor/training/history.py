"""The bars that a source has before the first live one."""

from ingestor.sources.bars import BarColumns
from ingestor.sources.history import load_history
from predictor.training.settings import TrainingSettings
from schemas.errors import StopAndSayError
from schemas.times import interval_ns


def bars_before_start(settings: TrainingSettings) -> dict[str, BarColumns]:
    """Load the bars, by ticker, that end before the first live moment; all where there is none.

    Raises:
        StopAndSayError: The source has no bars of this interval, or none of these tickers, or cannot be read.
    """
    if settings.source == "simulated":
        raise StopAndSayError("simulated prices teach nothing: train on replay or file:PATH")
    if settings.source == "replay" and settings.interval != "1d":
        raise StopAndSayError(f"TICKCAST_INTERVAL: replay has daily bars, so train with 1d, not {settings.interval}")
    before_ns = settings.before_ns
    end_ns = None if before_ns is None else before_ns - interval_ns(settings.interval) + 1
    return load_history(settings.source, settings.interval, settings.tickers, end_ns=end_ns)
