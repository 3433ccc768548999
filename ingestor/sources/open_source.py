"""From settings to a source."""

from ingestor.settings import IngestorSettings
from ingestor.sources.daily_prices import load_daily_bars
from ingestor.sources.file_options import FileOptions
from ingestor.sources.file_source import FileSource
from ingestor.sources.live.opening import open_live_source
from ingestor.sources.moments import Source
from ingestor.sources.pace import Pace
from ingestor.sources.replay import ReplaySource
from ingestor.sources.replay_options import ReplayOptions
from ingestor.sources.simulated import SimulatedSource
from ingestor.sources.walks import SimulatedOptions, simulated_tickers
from schemas.errors import StopAndSayError
from schemas.times import NS_PER_SECOND


def open_source(settings: IngestorSettings) -> Source:
    """Open the source that the settings name.

    Raises:
        StopAndSayError: It cannot be opened, or has nothing to play; the line says why.
    """
    kinds = {"replay": _replay, "file": _file, "simulated": _simulated, "live": open_live_source}
    if settings.loop and settings.source_kind != "replay":
        raise StopAndSayError("TICKCAST_LOOP: only replay can begin again")
    return kinds[settings.source_kind](settings)


def _replay(settings: IngestorSettings) -> Source:
    if settings.interval != "1d":
        raise StopAndSayError(f"TICKCAST_INTERVAL: replay plays daily bars, not {settings.interval}: set 1d")
    options = ReplayOptions(settings.start_ns or 0, settings.end_ns, settings.loop, settings.tickers)
    return ReplaySource(load_daily_bars(settings.tickers), Pace(settings.speed), options)


def _file(settings: IngestorSettings) -> Source:
    options = FileOptions(
        path=settings.source_path,
        interval=settings.interval,
        tickers=settings.tickers,
        start_ns=settings.start_ns,
        end_ns=settings.end_ns,
        disorder_ns=int(settings.file_disorder_seconds * NS_PER_SECOND),
    )
    return FileSource(options, Pace(settings.speed))


def _simulated(settings: IngestorSettings) -> Source:
    tickers = settings.tickers or simulated_tickers(settings.ticker_count)
    return SimulatedSource(SimulatedOptions(tickers, settings.rate_per_second, settings.seed, settings.interval))
