"""Before the first tick: is the broker as it should be, and where does the log end?"""

import asyncio
import logging
from collections.abc import Callable, Collection
from concurrent.futures import Future
from threading import Thread
from typing import Any, NamedTuple

from confluent_kafka import OFFSET_END
from confluent_kafka.admin import AdminClient, ConfigResource

from ingestor.commands import restore_roster
from ingestor.frames import ResumePoint
from ingestor.kafka_log import KafkaLogEnd
from ingestor.positions import PositionText
from ingestor.resume import KeptLog, read_kept_log, resume_points
from ingestor.settings import IngestorSettings
from ingestor.sources.live.live_source import LiveSource
from ingestor.sources.moments import Position, Source
from schemas.broker import require_topics
from schemas.errors import StopAndSayError
from schemas.topics import DEAD_LETTERS, SERVICE_STATUS, SOURCE_COMMANDS, TICKS

_log = logging.getLogger(__name__)


class Start(NamedTuple):
    """Where a source resumes.

    Attributes:
        points: By partition.
        last_prices: The source's newest prices near the end of the log.
        live: What it did not send is gone.
        commands_from: The offset in `source-commands` of those that have not been read.
    """

    points: list[ResumePoint]
    positions: PositionText
    last_prices: dict[str, float]
    live: bool
    commands_from: int = OFFSET_END

    @property
    def places(self) -> list[Position]:
        """Give what the partitions have each, of those that have something."""
        return [point.position for point in self.points if point.position is not None]

    @property
    def after(self) -> Position | None:
        """Give the place after which the source resumes; None: the beginning.

        A source that can be played again resumes where the partition is that is furthest behind; the others pass over
        what they have. A live one makes new ticks, and no partition may take them for what it has.
        """
        if self.live:
            return max(self.places, default=None)
        return min(self.places) if len(self.places) == len(self.points) else None


def read_start(settings: IngestorSettings, source: Source) -> Start:
    """Check the topics and find where the source resumes.

    Raises:
        StopAndSayError: No broker answers, a topic is not as it should be, or the kept data is of another play.
        RetryError: The broker stopped answering.
    """
    positions = PositionText(source.content)
    live = source if isinstance(source, LiveSource) else None
    _require_topics(settings)
    wanted, since, commands_from = source.goes_on_from, None, OFFSET_END  # commands to others are all refused
    if live is not None:
        commands_from = restore_roster(settings, live.desk)
        wanted, since = live.desk.roster.playing, lambda text: live.wants_since(positions.read(text))
    kept = _read_kept(settings, wanted, since)
    if live is not None:
        live.take_up(kept.newest_ticks, kept.last_ticks)
    points = resume_points(kept, positions, settings.name, named=bool(settings.source_name), live=source.live)
    _say_lost_prices(kept, source.goes_on_from)
    return Start(points, positions, kept.last_prices, source.live, commands_from)


async def read_start_unless_stopped(settings: IngestorSettings, source: Source, stop: asyncio.Event) -> Start | None:
    """Give what `read_start` gives, or None when told to stop: a broker that is away does not hold that up."""
    answer: Future[Start] = Future()

    def ask() -> None:
        try:
            answer.set_result(read_start(settings, source))
        except Exception as error:  # it stops whoever waits for the answer
            answer.set_exception(error)

    Thread(target=ask, name="start", daemon=True).start()  # no thread of the loop's: those are waited for
    asked, stopping = asyncio.wrap_future(answer), asyncio.create_task(stop.wait())
    waits: set[asyncio.Future[Any]] = {asked, stopping}
    await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
    stopping.cancel()
    return None if stop.is_set() else asked.result()


def _say_lost_prices(kept: KeptLog, tickers: Collection[str]) -> None:
    lost = len(set(tickers) - kept.last_prices.keys())
    if lost and any(kept.last):
        _log.warning(
            "%d of %d tickers have no price near the end of the log: they start from new prices", lost, len(tickers)
        )


def _require_topics(settings: IngestorSettings) -> None:
    topics = (TICKS, SERVICE_STATUS, SOURCE_COMMANDS, DEAD_LETTERS)
    name = settings.topic_prefix + TICKS.name
    found = require_topics(settings, topics, AdminClient, ConfigResource)
    count = found[name].partitions
    if count != settings.partitions:  # the embedded broker always has 4
        raise StopAndSayError(f"TICKCAST_PARTITIONS: topic {name} has {count} partitions, not {settings.partitions}")


def _read_kept(settings: IngestorSettings, tickers: Collection[str], since: Callable[[str], int] | None) -> KeptLog:
    log = KafkaLogEnd(settings, settings.topic_prefix + TICKS.name)
    try:
        return read_kept_log(log, settings.partitions, settings.name, tickers, since)
    finally:
        log.close()
