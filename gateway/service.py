"""The gateway as a process: Kafka into the views, the views to everyone."""

import asyncio
import contextlib
import logging
import socket
from functools import partial

import uvloop
from confluent_kafka.admin import AdminClient, ConfigResource
from sqlalchemy.exc import SQLAlchemyError

from gateway.access.refresh import refresh_for_ever
from gateway.access.store import KeyStore
from gateway.app import build_app
from gateway.command_sender import CommandSender
from gateway.database.engine import open_engine
from gateway.database.migrate import migrate
from gateway.database.usage import add_usage
from gateway.feed import Feed
from gateway.instruments import Instruments
from gateway.intake import READS, Intake
from gateway.open_files import raise_file_limit
from gateway.parts import Parts
from gateway.sender import RecordSender
from gateway.server import GatewayServer, bind, server_config, url_of
from gateway.settings import GatewaySettings
from gateway.usage import UsageWriter
from schemas.broker import require_topics
from schemas.errors import RetryError
from schemas.events import ServiceState
from schemas.status import StatusBoard, StatusReporter, resident_bytes
from schemas.topics import DEAD_LETTERS, FORECAST_REQUESTS

SERVICE = "gateway"
FAREWELL_SECONDS = 0.3
MEMORY_EVERY_SECONDS = 5.0

_log = logging.getLogger(__name__)


def run_gateway(settings: GatewaySettings) -> None:
    """Serve until SIGTERM or SIGINT.

    Raises:
        StopAndSayError: The port is taken, the broker does not answer, or a topic is not as it should be.
        RetryError: The database does not answer, and it alone knows who may come in.
    """
    with bind(settings) as listener:
        require_topics(settings, (*READS, FORECAST_REQUESTS, DEAD_LETTERS), AdminClient, ConfigResource)
        _quieten(settings)
        raise_file_limit(settings.maximum_clients)
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            runner.run(serve(settings, listener))


def _quieten(settings: GatewaySettings) -> None:
    """Keep what clients of Kafka say of every failed attempt out of the log; the feed says it once."""
    if settings.log_level != "debug":
        for client in ("aiokafka", "librdkafka"):
            logging.getLogger(client).setLevel(logging.CRITICAL)
        logging.getLogger("uvicorn").setLevel(logging.WARNING)


async def serve(settings: GatewaySettings, listener: socket.socket) -> None:
    """Serve on a socket until the process is told to stop."""
    board = StatusBoard(SERVICE, settings.instance)
    parts = Parts(settings=settings, board=board, instruments=Instruments())
    sender = RecordSender(settings, parts.instruments)
    parts.forecasts.send = sender.forecast_request
    commands = CommandSender(settings)
    parts.commands.send = commands.send
    feed = Feed(parts, Intake(parts, sender.dead_letter))
    server = GatewayServer(server_config(build_app(parts), settings), parts.hub, settings, parts.condition)
    reporter = StatusReporter(board, sender.status)
    reporter.start()
    works = (feed.run(), sender.run(), _watch_memory(parts), _know_the_keys(parts))
    background = [asyncio.create_task(work) for work in works]
    serving = asyncio.create_task(server.serve([listener]))
    _log.info("serving %s (documentation at /docs)", url_of(listener, https=settings.uses_tls))
    ended, _ = await asyncio.wait({serving, *background}, return_when=asyncio.FIRST_COMPLETED)
    server.stop()
    await serving
    await _say_goodbye(board, reporter, sender)
    commands.close()
    parts.close()
    for task in background:
        task.cancel()
    await asyncio.wait(background, timeout=FAREWELL_SECONDS)  # without a broker, clients take long to close
    for task in ended:
        task.result()


async def _know_the_keys(parts: Parts) -> None:
    """Keep the keys in memory, and write what is done with them; where nobody is asked for one, wait for nothing."""
    if not parts.settings.auth_required:
        await asyncio.Event().wait()
    engine = open_engine(parts.settings)
    try:
        await asyncio.to_thread(migrate, engine)
        writer = UsageWriter(parts.usage, partial(add_usage, engine), parts.clock_ns)
        await asyncio.gather(refresh_for_ever(parts.keys, KeyStore(engine)), writer.run())
    except SQLAlchemyError as error:
        raise RetryError(f"the database does not answer ({type(error).__name__})") from error
    finally:
        engine.dispose()


async def _watch_memory(parts: Parts) -> None:
    while True:
        parts.memory.note(resident_bytes())
        await asyncio.sleep(MEMORY_EVERY_SECONDS)


async def _say_goodbye(board: StatusBoard, reporter: StatusReporter, sender: RecordSender) -> None:
    reachable = board.state is ServiceState.READY
    await asyncio.to_thread(reporter.stop)
    if reachable:  # without a broker there is nobody to tell
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(FAREWELL_SECONDS):
                await sender.idle()
