"""From settings to a live source."""

import logging
import time
from collections.abc import Collection
from importlib import import_module

from prometheus_client import REGISTRY, CollectorRegistry

from ingestor.settings import IngestorSettings
from ingestor.sources.live.beside import Beside, ComparedSource
from ingestor.sources.live.budget import Budget
from ingestor.sources.live.calls import ATTEMPTS, Calls
from ingestor.sources.live.connecting import Connecting
from ingestor.sources.live.feed import Feed
from ingestor.sources.live.figures import LiveFigures
from ingestor.sources.live.hearing import Hearing
from ingestor.sources.live.live_source import LiveSource
from ingestor.sources.live.options import LiveOptions
from ingestor.sources.live.provider import Provider
from ingestor.sources.live.roster_desk import RosterDesk
from ingestor.sources.live.sessions import load_sessions
from ingestor.sources.live.settings import LiveSettings
from schemas.errors import StopAndSayError
from schemas.settings import load_settings
from schemas.source_settings import live_names

_log = logging.getLogger(__name__)


def open_provider(name: str, figures: LiveFigures, settings: LiveSettings, most_attempts: int = ATTEMPTS) -> Provider:
    """Open a provider: the module of its name has its settings as `SETTINGS` and gives it by `open_provider`.

    Args:
        most_attempts: So often it sends a request, at most.

    Raises:
        StopAndSayError: Its key is missing, or its package.
    """
    module = import_module(f"ingestor.sources.providers.{name}")
    own = load_settings(module.SETTINGS)
    answer_seconds = settings.source_answer_seconds
    budget = Budget(name, own.limits, settings.source_budget_directory)
    calls = Calls(name, budget, figures, answer_seconds=answer_seconds, most_attempts=most_attempts)
    provider: Provider = module.open_provider(own, calls, answer_seconds)
    return provider


def require_tickers(tickers: Collection[str]) -> tuple[str, ...]:
    """Give the tickers.

    Raises:
        StopAndSayError: There are none: a market has too many.
    """
    if not tickers:
        raise StopAndSayError("TICKCAST_TICKERS: say which the live market is to send, like AAPL,MSFT")
    return tuple(tickers)


def open_live_source(settings: IngestorSettings, registry: CollectorRegistry = REGISTRY) -> LiveSource:
    """Open the live source that the settings name, with all of its providers; nothing is sent yet.

    Raises:
        StopAndSayError: It cannot be opened; the line says why.
    """
    desk, live = RosterDesk(require_tickers(settings.tickers)), load_settings(LiveSettings)
    options = LiveOptions(
        interval=settings.interval,
        warm_up_bars=live.source_warm_up_bars,
        longest_fill_days=live.source_longest_fill_days,
        return_seconds=live.source_return_seconds,
        fall_back_seconds=live.source_fall_back_seconds if live.source_fall_back else None,
    )
    names, beside = live_names(settings.source), live.source_compare
    if beside in names:
        raise StopAndSayError(f"TICKCAST_SOURCE_COMPARE: {beside} is played already: name another one, or none")
    figures = LiveFigures(names[0], registry)
    feeds = [open_feed(name, live, figures.of(name)) for name in names]
    for feed in feeds[1:]:
        _require_as_late(feed, feeds[0], "TICKCAST_SOURCE")
    if not beside:
        return LiveSource(feeds, desk, options)
    try:
        compared = open_feed(beside, live, figures.of(beside))
        _require_as_late(compared, feeds[0], "TICKCAST_SOURCE_COMPARE")
    except StopAndSayError as error:
        _log.warning("prices are not compared with those of %s: %s", beside, error)
        return LiveSource(feeds, desk, options)
    heard = Beside(compared, lambda: desk.roster.playing, live.source_compare_bound, registry=registry)
    return ComparedSource(heard, feeds, desk, options)


def _require_as_late(feed: Feed, first: Feed, setting: str) -> None:
    """Check that a provider tells what happens as late as the first one.

    Raises:
        StopAndSayError: What it tells has been played for long, or its prices are not of the same time.
    """
    if feed.delay_ns == first.delay_ns:
        return
    told = " and ".join(
        f"{each.name} tells everything {each.provider.traits.delay_seconds:g} s late (TICKCAST_{each.name.upper()}_…)"
        for each in (first, feed)
    )
    raise StopAndSayError(f"{setting}: {told}: name such as are equally late")


def open_feed(name: str, live: LiveSettings, figures: LiveFigures) -> Feed:
    """Open a provider, and get its streams ready.

    Raises:
        StopAndSayError: It cannot be opened, or not be played live; the line says why.
    """
    provider = open_provider(name, figures, live)
    if provider.traits.not_streamed is not None:
        raise StopAndSayError(provider.traits.not_streamed)
    sessions = load_sessions(live.source_exchange or provider.traits.exchange, time.time_ns())
    connecting = Connecting(
        provider.ticks,
        answer_seconds=live.source_answer_seconds,
        least_seconds=live.source_reconnect_seconds,
    )
    mute_seconds = max(live.source_mute_seconds, provider.traits.longest_silence_seconds)
    return Feed(
        name=name,
        provider=provider,
        sessions=sessions,
        hearing=Hearing(sessions, live.source_lateness_seconds, mute_seconds, provider.traits.closing_seconds),
        connecting=connecting,
        figures=figures,
    )
