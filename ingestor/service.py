"""The ingestor as a service."""

import asyncio
import logging
import signal
import time
from collections.abc import Callable, Coroutine
from contextlib import suppress
from math import inf
from typing import Any

from confluent_kafka import Producer

from ingestor.commands import SourceCommands
from ingestor.figures import Figures
from ingestor.frames import FrameBuilder
from ingestor.player import Player
from ingestor.producer import producer_config
from ingestor.publisher import Publisher, PublishError
from ingestor.settings import IngestorSettings
from ingestor.sources.moments import Source
from ingestor.sources.open_source import open_source
from ingestor.start import Start, read_start_unless_stopped
from ingestor.validation import LiveBounds, Validator
from schemas.events import ServiceState
from schemas.service import serve_metrics
from schemas.status import StatusBoard, StatusReporter
from schemas.tracing import Tracer, tracing

_log = logging.getLogger(__name__)

#: How often delivery reports are taken and figures refreshed while nothing else happens.
_POLL_SECONDS = 0.1
_FIGURES_SECONDS = 2.0
#: All must have ended within 3.5 s of a stop; what comes after the drain takes up to a second.
_DRAIN_SECONDS = 1.8
_LAST_WORD_SECONDS = 0.3


def run(settings: IngestorSettings) -> None:
    """Play the source until told to stop; after its end, live on and say so.

    Raises:
        StopAndSayError: It cannot start, or not continue what is kept.
        RetryError: The broker does not answer, or refuses a record; begin again where the log ends.
    """
    with tracing(settings, "ingestor") as tracer:
        asyncio.run(_serve(settings, tracer))


async def _serve(settings: IngestorSettings, tracer: Tracer | None) -> None:
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    board = StatusBoard("ingestor", settings.instance)
    server = serve_metrics(board, settings.metrics_host, settings.metrics_port)
    try:
        source = open_source(settings)
        start = await read_start_unless_stopped(settings, source, stop)
        if start is not None:
            await _play_until_stopped(settings, board, source, start, stop, tracer)
    finally:
        server.shutdown()
        server.server_close()


async def _play_until_stopped(
    settings: IngestorSettings,
    board: StatusBoard,
    source: Source,
    start: Start,
    stop: asyncio.Event,
    tracer: Tracer | None,
) -> None:
    """Play and report; at the end of the service, send what is left and wait for it."""
    figures = Figures(settings.name)
    publisher = Publisher(Producer(producer_config(settings)), settings.topic_prefix, figures, tracer)
    player = make_player(settings, source, start, publisher, figures)
    commands = SourceCommands(settings, source, start.commands_from)
    reporter = StatusReporter(board, publisher.send_status)
    reporter.start()
    try:
        played = _play(board, figures, player, source, start)
        watched = _watch(board, publisher, figures, source, commands)
        await _until_stopped(stop, played, player.send_what_lingers(), commands.follow(), watched)
    finally:
        deadline = time.monotonic() + _DRAIN_SECONDS
        with suppress(PublishError, TimeoutError):
            await asyncio.wait_for(player.finish(), _DRAIN_SECONDS)
        await asyncio.to_thread(reporter.stop)
        left = await asyncio.to_thread(publisher.drain, max(_LAST_WORD_SECONDS, deadline - time.monotonic()))
        if left:
            _log.warning("%d records were not acknowledged in time; the next start resumes where the log ends", left)
        commands.close()


def make_player(
    settings: IngestorSettings,
    source: Source,
    start: Start,
    publisher: Publisher,
    figures: Figures,
    clock_ns: Callable[[], int] = time.time_ns,
) -> Player:
    """Wire what plays a source."""
    bounds = LiveBounds(maximum_jump=settings.maximum_jump, maximum_future_seconds=settings.maximum_future_seconds)
    return Player(
        settings.name,
        FrameBuilder(settings.name, start.points, settings.frame_ticks, start.positions.write),
        Validator(bounds if source.live else None),
        publisher,
        figures,
        linger_seconds=settings.linger_ms / 1_000,
        after=start.after,
        clock_ns=clock_ns,
    )


async def _until_stopped(stop: asyncio.Event, *jobs: Coroutine[None, None, None]) -> None:
    """Run jobs until told to stop, or until one fails; one that ends is not missed."""
    stopping = asyncio.create_task(stop.wait())
    tasks: set[asyncio.Task[Any]] = {stopping, *(asyncio.create_task(job) for job in jobs)}
    running = set(tasks)
    try:
        while not stopping.done():
            done, running = await asyncio.wait(running, return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                task.result()
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def _play(board: StatusBoard, figures: Figures, player: Player, source: Source, start: Start) -> None:
    resuming = "" if start.after is None else ", resuming where the log ends"
    _log.info("playing %s%s", source.title, resuming)
    board.set_state(ServiceState.READY, source.title)
    figures.expect_ticks(True)
    await player.play(source, start.last_prices, start.places)
    await player.finish()
    figures.expect_ticks(False)
    board.set_state(ServiceState.ENDED, f"the data has ended: {source.title}")
    _log.info("the data has ended: %s; the other services keep running", source.title)


async def _watch(
    board: StatusBoard, publisher: Publisher, figures: Figures, source: Source, commands: SourceCommands
) -> None:
    """Take delivery reports and keep the figures fresh, for ever."""
    since, before = time.monotonic(), 0
    while True:
        publisher.poll()
        health = source.health()
        board.set_trouble(health.lacks, inf)
        board.set_sources([commands.status(health)])  # first: what is answered must not be forgotten
        board.set_commands(commands.answers)
        if source.live:
            figures.expect_ticks(health.expects_ticks, health.allowed_silence_seconds)
            board.set_state(ServiceState.READY, f"{source.title}; {health.note}" if health.note else source.title)
        seconds = time.monotonic() - since
        if seconds >= _FIGURES_SECONDS:
            ticks = figures.acknowledged_ticks
            board.set_figures(rates={"ticks": round((ticks - before) / seconds, 1)})
            since, before = time.monotonic(), ticks
        await asyncio.sleep(_POLL_SECONDS)
