"""What is asked of the source that plays, and what a restart takes up of it."""

import asyncio
import logging
from contextlib import closing

from msgspec import structs

from ingestor.command_feed import CommandFeed
from ingestor.settings import IngestorSettings
from ingestor.sources.live.live_source import LiveSource
from ingestor.sources.live.roster_desk import RosterDesk
from ingestor.sources.moments import Source, SourceHealth
from schemas.events import CommandProgress, SourceStatus

_log = logging.getLogger(__name__)

_POLL_SECONDS = 0.2


def restore_roster(settings: IngestorSettings, desk: RosterDesk) -> int:
    """Take up what commands have made of a live source's tickers; give the offset of the next command.

    Raises:
        RetryError: The broker stopped answering.
    """
    with closing(CommandFeed(settings)) as feed:
        words = [(status, each) for status in feed.statuses() for each in status.sources]
        commands, end_offset = feed.commands()
    own = [(status, each) for status, each in words if each.source == settings.name]
    if own:
        status, kept = max(own, key=lambda word: word[0].updated_at_ns)
        desk.restore(kept, status.commands, end_offset)
    for placed in commands:
        if placed.command.source == settings.name:
            desk.take(placed)
    if desk.roster.playing != settings.tickers:
        _log.info("commands have changed the tickers: %s", ", ".join(desk.roster.playing) or "none")
    return end_offset


class SourceCommands:
    """The commands to a source that plays.

    Args:
        offset: In `source-commands`, of the first one to read.
    """

    def __init__(self, settings: IngestorSettings, source: Source, offset: int) -> None:
        self._settings = settings
        self._desk = source.desk if isinstance(source, LiveSource) else _fixed(settings)
        self._feed = CommandFeed(settings)
        self._feed.follow_commands(offset)

    async def follow(self) -> None:
        """Do, for ever, what is asked."""
        while True:
            for placed in self._feed.later_commands():
                if placed.command.source == self._settings.name:
                    self._desk.take(placed)
            await asyncio.sleep(_POLL_SECONDS)

    @property
    def answers(self) -> list[CommandProgress]:
        """Give what became of the commands."""
        return self._desk.answers

    def status(self, health: SourceHealth) -> SourceStatus:
        """Say what is played, and how it is."""
        status = self._desk.status(self._settings.name, self._settings.source.partition(":")[0])
        return structs.replace(
            status,
            expects_ticks=health.expects_ticks,
            last_tick_ns=health.last_tick_ns,
            latency_seconds=health.latency_seconds,
        )

    def close(self) -> None:
        """Leave the broker."""
        self._feed.close()


def _fixed(settings: IngestorSettings) -> RosterDesk:
    reason = f"{settings.source_kind} plays the tickers of its settings: start it anew with others"
    return RosterDesk((), fixed=f"{settings.name}: {reason}")
