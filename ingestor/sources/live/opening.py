"""From settings to a live source."""

import time
from collections.abc import Collection
from importlib import import_module

from ingestor.settings import IngestorSettings
from ingestor.sources.live.budget import Budget
from ingestor.sources.live.calls import Calls
from ingestor.sources.live.connecting import Connecting
from ingestor.sources.live.figures import LiveFigures
from ingestor.sources.live.live_source import LiveOptions, LiveSource
from ingestor.sources.live.provider import Provider
from ingestor.sources.live.roster_desk import RosterDesk
from ingestor.sources.live.sessions import load_sessions
from ingestor.sources.live.settings import LiveSettings
from schemas.errors import StopAndSayError
from schemas.settings import load_settings


def open_provider(name: str, figures: LiveFigures, settings: LiveSettings) -> Provider:
    """Open a provider: the module of its name has its settings as `SETTINGS` and gives it by `open_provider`.

    Raises:
        StopAndSayError: Its key is missing, or its package.
    """
    module = import_module(f"ingestor.sources.providers.{name}")
    own = load_settings(module.SETTINGS)
    answer_seconds = settings.source_answer_seconds
    budget = Budget(name, own.limits, settings.source_budget_directory)
    calls = Calls(name, budget, figures, answer_seconds=answer_seconds)
    provider: Provider = module.open_provider(own, calls, answer_seconds)
    return provider


def require_tickers(name: str, tickers: Collection[str]) -> tuple[str, ...]:
    """Give the tickers.

    Raises:
        StopAndSayError: There are none: a market has too many.
    """
    if not tickers:
        raise StopAndSayError(f"TICKCAST_TICKERS: say which {name} is to send, like AAPL,MSFT")
    return tuple(tickers)


def open_live_source(settings: IngestorSettings) -> LiveSource:
    """Open the live source that the settings name; nothing is sent yet.

    Raises:
        StopAndSayError: It cannot be opened; the line says why.
    """
    desk, live = RosterDesk(require_tickers(settings.source, settings.tickers)), load_settings(LiveSettings)
    figures = LiveFigures(settings.source)
    provider = open_provider(settings.source, figures, live)
    connecting = Connecting(
        lambda: provider.ticks(desk.roster.playing),
        answer_seconds=live.source_answer_seconds,
        least_seconds=live.source_reconnect_seconds,
    )
    options = LiveOptions(
        source=settings.source,
        interval=settings.interval,
        lateness=live.source_lateness_seconds,
        mute=live.source_mute_seconds,
        warm_up_bars=live.source_warm_up_bars,
        longest_fill_days=live.source_longest_fill_days,
    )
    sessions = load_sessions(live.source_exchange or provider.traits.exchange, time.time_ns())
    return LiveSource(provider, desk, sessions, options, connecting, figures)
