"""The gateway as a process: Kafka into the views, the views to everyone."""

import asyncio
import contextlib
import logging
import signal
import socket
from collections.abc import Coroutine
from functools import partial
from multiprocessing.connection import Connection
from typing import Any

import uvloop
from confluent_kafka.admin import AdminClient, ConfigResource
from sqlalchemy.exc import SQLAlchemyError

from gateway.access.changes import read_changes
from gateway.access.refresh import refresh_for_ever
from gateway.app import build_app
from gateway.command_sender import CommandSender
from gateway.database.migrate import open_migrated
from gateway.database.usage import add_usage
from gateway.feed import Feed
from gateway.instruments import Instruments
from gateway.intake import READS, Intake
from gateway.model_figures import ModelFigures
from gateway.open_files import raise_file_limit
from gateway.parts import Parts
from gateway.reporting import Reporting
from gateway.sender import RecordSender
from gateway.served import say_what_was_served
from gateway.server import GatewayServer, bind, server_config, url_of
from gateway.settings import GatewaySettings
from gateway.usage import UsageWriter
from gateway.view_figures import ViewFigures
from gateway.workers.answers import answers_of
from gateway.workers.crew import run_workers
from gateway.workers.team import Post, Team
from schemas.broker import require_topics
from schemas.errors import RetryError
from schemas.events import ServiceState
from schemas.service import run_with_settings
from schemas.status import StatusBoard, StatusReporter, resident_bytes
from schemas.topics import DEAD_LETTERS, FORECAST_REQUESTS
from schemas.tracing import Tracer, tracing

SERVICE = "gateway"
FAREWELL_SECONDS = 0.3
LOOK_AFTER_SECONDS = 5.0
_LOOK_EVERY_SECONDS = 0.05

_log = logging.getLogger(__name__)


def run_gateway(settings: GatewaySettings) -> None:
    """Serve until SIGTERM or SIGINT.

    Raises:
        StopAndSayError: The port is taken, the broker does not answer, or a topic is not as it should be.
        RetryError: The database does not answer, and it alone knows who may come in.
    """
    with bind(settings) as listener:
        require_topics(settings, (*READS, FORECAST_REQUESTS, DEAD_LETTERS), AdminClient, ConfigResource)
        _log.info("serving %s (documentation at /docs)", url_of(listener, https=settings.uses_tls))
        if settings.gateway_workers > 1:
            run_workers(settings, listener, _work)
        else:
            _run(settings, listener)


def _work(settings: GatewaySettings, listener: socket.socket, post: Post, orders: Connection) -> None:
    """Be one of several workers, which stop by order: a signal to all would reach them beside it, as if told twice."""
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, signal.SIG_IGN)
    run_with_settings(SERVICE, lambda: settings, partial(_run, listener=listener, team=Team(post), orders=orders))


def _run(
    settings: GatewaySettings, listener: socket.socket, team: Team | None = None, orders: Connection | None = None
) -> None:
    _quieten(settings)
    raise_file_limit(settings.maximum_connections)
    with (
        tracing(settings, SERVICE) as tracer,
        asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner,
    ):
        runner.run(serve(settings, listener, team or Team(), orders, tracer))


def _quieten(settings: GatewaySettings) -> None:
    """Keep secrets out of the log, and what clients of Kafka say of every failed attempt; the feed says it once."""
    logging.getLogger("uvicorn").setLevel(logging.WARNING)  # below, it writes whole headers, queries and messages
    if settings.log_level != "debug":
        for client in ("aiokafka", "librdkafka"):
            logging.getLogger(client).setLevel(logging.CRITICAL)


async def serve(
    settings: GatewaySettings,
    listener: socket.socket,
    team: Team,
    orders: Connection | None = None,
    tracer: Tracer | None = None,
) -> None:
    """Serve on a socket until the process is told to stop; with `orders`, by them alone."""
    board = StatusBoard(SERVICE, settings.instance)
    parts = Parts(settings=settings, board=board, instruments=Instruments(), team=team, tracer=tracer)
    parts.instruments.show(ViewFigures(parts))
    parts.instruments.show(ModelFigures(parts))
    sender = RecordSender(settings, parts.instruments)
    parts.forecasts.send = sender.forecast_request
    commands = CommandSender(settings)
    parts.commands.send = commands.send
    feed = Feed(parts, Intake(parts, sender.dead_letter))
    config = server_config(build_app(parts), settings)
    server = GatewayServer(config, parts.hub, settings, parts.condition, heeds_signals=orders is None)
    if orders is not None:
        _follow(orders, server)
    reporter = StatusReporter(board, sender.status)
    reporter.start()
    known = asyncio.Event()
    works = (
        *(feed.run(), sender.run(), _look_after(parts), _know_the_keys(parts, known)),
        *(team.answer(answers_of(parts)), *_sharing(parts), say_what_was_served(parts)),
    )
    background = [asyncio.create_task(work) for work in works]
    serving = asyncio.create_task(_serve_in_turn(server, listener, team, known))
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


def _follow(orders: Connection, server: GatewayServer) -> None:
    """Drain when told to, stop when nobody is left who could tell."""

    def told() -> None:
        try:
            orders.recv_bytes()
            server.drain()
        except EOFError:
            loop.remove_reader(orders.fileno())
            server.stop()

    loop = asyncio.get_running_loop()
    loop.add_reader(orders.fileno(), told)


async def _serve_in_turn(server: GatewayServer, listener: socket.socket, team: Team, known: asyncio.Event) -> None:
    """Serve once it is known who may come in: right keys would be refused before, and their clients never come back."""
    while not (known.is_set() or server.should_exit):
        await asyncio.sleep(_LOOK_EVERY_SECONDS)
    await team.turn_to_serve(lambda: server.should_exit)
    await server.serve([listener])


async def _know_the_keys(parts: Parts, known: asyncio.Event) -> None:
    """Keep the keys in memory, and write what is done with them; where nobody is asked for one, wait for nothing."""
    if not parts.settings.auth_required:
        known.set()
        await asyncio.Event().wait()
    try:
        engine = await asyncio.to_thread(open_migrated, parts.settings)
    except SQLAlchemyError as error:
        raise RetryError(f"the database does not answer ({type(error).__name__})") from error
    try:
        writer = UsageWriter(parts.usage, partial(add_usage, engine), parts.clock_ns)
        refreshing = refresh_for_ever(parts.keys, partial(read_changes, engine), known=known)
        await asyncio.gather(refreshing, writer.run())
    finally:
        engine.dispose()


def _sharing(parts: Parts) -> tuple[Coroutine[Any, Any, None], ...]:
    """Give what runs where gateways share a Redis."""
    if parts.redis.state is None:
        return ()
    return parts.redis.run(), parts.presence.run(), parts.leases.run()


async def _look_after(parts: Parts) -> None:
    reporting = Reporting(parts)
    while True:
        parts.memory.note(resident_bytes())
        await asyncio.sleep(LOOK_AFTER_SECONDS)
        reporting.tell()


async def _say_goodbye(board: StatusBoard, reporter: StatusReporter, sender: RecordSender) -> None:
    reachable = board.state is ServiceState.READY
    await asyncio.to_thread(reporter.stop)
    if reachable:  # without a broker there is nobody to tell
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(FAREWELL_SECONDS):
                await sender.idle()
