"""A worker of a Faust app as a service, and the feature stage as one."""

import asyncio
import logging
import signal
import sys
import time
from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Callable, Coroutine, Iterator, Mapping
from typing import Any

import uvloop
from confluent_kafka.admin import AdminClient, ConfigResource
from faust.exceptions import ConsistencyError
from faust.types import TP

from feature_stream.advance import StageRules
from feature_stream.agents import ticks_agent
from feature_stream.app import make_app, raw_topic, use_transport
from feature_stream.checkpoint import Checkpointer, CheckpointWriter
from feature_stream.figures import StageFigures
from feature_stream.flood import FloodBound, FloodError
from feature_stream.membership import MARGIN_SECONDS, Membership
from feature_stream.outputs import Outputs
from feature_stream.positions import start_positions
from feature_stream.settings import FeatureStreamSettings, WorkerSettings
from feature_stream.stage import Stage
from feature_stream.table import StateTable, state_table
from feature_stream.watch import Watch, WorkerWatch
from feature_stream.watchdog import Watchdog, end_process, leave_at_once
from schemas.broker import require_topics
from schemas.errors import StopAndSayError, TickcastError
from schemas.events import ServiceState
from schemas.service import collect_seldom, serve_metrics
from schemas.status import StatusBoard, StatusReporter
from schemas.topics import BARS, DEAD_LETTERS, FEATURES, SERVICE_STATUS, TICKER_STATES_CHANGELOG, TICKS, Topic
from schemas.tracing import Tracer, tracing

SERVICE = "feature_stream"

_log = logging.getLogger(__name__)
_TURN_SECONDS = 0.01
#: The consumer's thread must not wait 5 ms, Python's default, for each of its many short turns.
_SWITCH_SECONDS = 0.0005
#: Frames are absorbed at a stretch for so long: a bar that closes costs 0.1 ms, and a frame may close thousands.
_SLICE_SECONDS = 0.05
_STOP_WITHIN_SECONDS = 3.5
_LAST_WORD_SECONDS = 2.5
_NEEDED = (TICKS, BARS, FEATURES, DEAD_LETTERS, SERVICE_STATUS, TICKER_STATES_CHANGELOG)


class StreamWorker(ABC):
    """One worker of a Faust app: how it begins, checkpoints and ends.

    Who makes one sets all that is declared here, and binds agents.
    """

    _outputs: Outputs
    _app: Any
    _table: StateTable
    _checkpointer: CheckpointWriter
    _watch: WorkerWatch

    def __init__(self, settings: WorkerSettings, service: str) -> None:
        self._settings = settings
        self._failure: BaseException | None = None
        self._ended = asyncio.Event()
        self._closed = False
        self._stopped = False
        self.board = StatusBoard(service, settings.instance)
        self._membership = Membership(settings.session_timeout_seconds)

    def _bind_rebalances(self) -> None:
        self._table.on_recover(self._load)
        self._app.on_partitions_revoked.connect(self._on_revoked)
        self._app.transport.assigned = self._watch.assigned

    @abstractmethod
    def _due(self) -> None:
        """Do what is due by the clock; called a hundred times a second."""

    @abstractmethod
    async def _load_assigned(self) -> None:
        """Make live what the table has of the assigned partitions."""

    @abstractmethod
    def _drop_all(self) -> None:
        """Forget what is live: the partitions are going elsewhere."""

    async def serve(self) -> None:
        """Run until a signal, and drain.

        Raises:
            StopAndSayError: Going on would be wrong.
        """
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self._ended.set)
        watchdog = Watchdog(
            self._settings.session_timeout_seconds - MARGIN_SECONDS, self._settings.session_timeout_seconds
        )
        reporter = StatusReporter(self.board, self._outputs.send_status)
        self._app.finalize()
        watchdog.start()
        reporter.start()
        loops = [asyncio.create_task(self._guard(self._turn(watchdog)))]
        await self._start()
        loops.append(asyncio.create_task(self._guard(self._checkpoints())))
        await self._ended.wait()
        await self._drain(loops)
        reporter.stop()
        watchdog.stop()
        self._outputs.flush(0.5)
        if self._failure is not None:
            raise self._failure
        if not self._stopped:
            leave_at_once("the broker does not let go")

    async def _start(self) -> None:
        """Start Faust, which waits for the broker as long as it takes; the end may be asked for before."""
        starting = asyncio.create_task(self._guard(self._app.start()))
        ended = asyncio.create_task(self._ended.wait())
        await asyncio.wait((starting, ended), return_when=asyncio.FIRST_COMPLETED)
        await asyncio.wait((starting,), timeout=_STOP_WITHIN_SECONDS)
        if not starting.done() and self._failure is None:
            leave_at_once("the broker did not answer yet")
        ended.cancel()

    async def _drain(self, loops: list[asyncio.Task[None]]) -> None:
        deadline = time.monotonic() + _STOP_WITHIN_SECONDS
        self._closed = True
        self.board.set_state(ServiceState.STOPPING)
        if self._failure is None or isinstance(self._failure, FloodError):
            await self._guard(self._last_checkpoint())
        for task in loops:
            task.cancel()
        if self._failure is not None and not isinstance(self._failure, StopAndSayError):
            end_process(f"{type(self._failure).__name__}: {self._failure}")
        stopping = asyncio.create_task(self._app.stop())
        await asyncio.wait((stopping,), timeout=max(1.0, deadline - time.monotonic()))  # Faust heeds no cancelling
        self._stopped = stopping.done()

    async def _last_checkpoint(self) -> None:
        """Keep what is absorbed, one under way first; without a broker it is read again at the next start."""
        try:
            await asyncio.wait_for(self._checkpointer.write(self._app.consumer.commit_offsets), _LAST_WORD_SECONDS)
        except TimeoutError:
            _log.warning("the last checkpoint was not acknowledged within %g s", _LAST_WORD_SECONDS)

    async def _guard(self, work: Coroutine[Any, Any, None]) -> None:
        """Run a piece of work; an error in it ends the process, because going on could lose or double."""
        try:
            await work
        except asyncio.CancelledError:
            raise
        except TickcastError as error:
            self._fail(error)
        except Exception as error:  # stop: state and log may no longer agree
            _log.exception("unexpected")
            self._fail(error)

    def _fail(self, error: BaseException) -> None:
        if self._failure is None:
            self._failure = error
        if not isinstance(error, FloodError):  # before a flood all is whole, and is kept
            self._checkpointer.give_up()
        self._closed = True
        self._ended.set()

    async def _turn(self, watchdog: Watchdog) -> None:
        """Do what is due by the clock, a hundred times a second."""
        while True:
            await asyncio.sleep(_TURN_SECONDS)
            watchdog.loop_is_alive()
            self._outputs.poll()
            self._due()
            if self._app.crashed:
                raise self._crash()
            self._watch.look(time.monotonic())

    def _crash(self) -> BaseException:
        reason = self._app.crash_reason
        if isinstance(reason, ConsistencyError):
            return StopAndSayError(
                f"the RocksDB files in {self._app.conf.datadir} are ahead of the changelog: it is another one; "
                "start with another TICKCAST_TOPIC_PREFIX (`--fresh`), or delete the files"
            )
        return reason or RuntimeError("Faust crashed")

    async def _checkpoints(self) -> None:
        """Write one each interval, from start to start; one that takes longer is followed at once."""
        while not self._closed:
            next_at = time.monotonic() + self._settings.checkpoint_interval_ms / 1_000
            await self._checkpointer.write(self._app.consumer.commit_offsets)
            await asyncio.sleep(max(0.0, next_at - time.monotonic()))

    async def _on_revoked(self, _app: Any, *_: Any, **__: Any) -> None:
        self._watch.joins()
        if self._failure is None:  # also while the last one is under way: no partition goes before it is kept
            await self._guard(self._checkpointer.write(self._app.consumer.commit_offsets))
        self._drop_all()

    async def _load(self) -> None:
        await self._guard(self._load_assigned())


class FeatureStream(StreamWorker):
    """One worker of the feature stage."""

    def __init__(self, settings: FeatureStreamSettings, tracer: Tracer | None) -> None:
        super().__init__(settings, SERVICE)
        self._figures = StageFigures()
        self._outputs = Outputs(settings, SERVICE, tracer)
        rules = StageRules(
            interval=settings.interval,
            lateness_ns=settings.lateness_ms * 1_000_000,
            early_ns=None if settings.early_ms is None else settings.early_ms * 1_000_000,
            partitions=settings.partitions,
        )
        flood = FloodBound(settings.bad_inputs_bound, settings.bad_inputs_seconds)
        self._stage = Stage(rules, self._outputs, settings.update_interval_ms, self._figures, flood)
        self._app = make_app(settings)
        use_transport(self._app, settings, self._membership, self._start_positions)
        self._topic = raw_topic(self._app, settings)
        self._table = state_table(self._app, self._outputs, settings.partitions, self._fail)
        self._stage_checkpointer = self._checkpointer = Checkpointer(
            self._stage,
            self._table,
            self._outputs,
            self._membership,
            self._figures,
            ticks_topic=self._topic.get_topic_name(),
            partitions=settings.partitions,
        )
        self._stage_watch = self._watch = Watch(
            settings,
            self._stage,
            self._figures,
            self._app,
            self._topic.get_topic_name(),
            board=self.board,
            membership=self._membership,
            guard=self._guard,
        )
        self._app.agent(self._topic, name="feature-stage")(ticks_agent(self._take))
        self._bind_rebalances()

    def _take(self, event: Any, records: deque[Any]) -> None:
        if self._closed:
            records.clear()
            return
        try:
            if self._stage.take(event, _slice(records, time.monotonic() + _SLICE_SECONDS)):
                self._stage_watch.healer.rewind(event.message.partition)
            self._outputs.poll()
        except TickcastError as error:
            self._fail(error)
        except Exception as error:  # stop: an exception that left the agent would lose its events
            _log.exception("a micro-batch failed")
            self._fail(error)

    def _due(self) -> None:
        self._stage.speak_due()

    def _drop_all(self) -> None:
        self._stage.drop_all()

    async def _load_assigned(self) -> None:
        name = self._topic.get_topic_name()
        self._table.expect_from(self._app.tables.recovery.active_highwaters)
        owned = {tp.partition for tp in self._app.consumer.assignment() if tp.topic == name}
        self._stage_checkpointer.load(owned)
        self._watch.state_read()
        if not owned:  # Faust then asks for no positions
            self._watch.works(0)

    async def _start_positions(self, sources: set[TP]) -> Mapping[TP, int]:
        ordered = sorted(sources)
        earliest = await self._app.consumer.earliest_offsets(*ordered) if ordered else {}
        ends = await self._app.consumer.highwaters(*ordered) if ordered else {}
        try:
            positions = start_positions(
                self._stage,
                self._figures,
                {tp.partition: offset for tp, offset in earliest.items()},
                {tp.partition: offset for tp, offset in ends.items()},
            )
        except StopAndSayError as error:
            self._fail(error)
            return {}
        self._watch.works(len(positions))
        return {TP(self._topic.get_topic_name(), partition): offset for partition, offset in positions.items()}


def _slice(records: deque[Any], until: float) -> Iterator[Any]:
    """Take records from the left until a time on the monotonic clock."""
    while records and time.monotonic() < until:
        yield records.popleft()


def run(settings: FeatureStreamSettings) -> None:
    """Run the service until it is told to stop."""
    with tracing(settings, SERVICE) as tracer:
        run_worker(settings, _NEEDED, lambda: FeatureStream(settings, tracer))


def run_worker(settings: WorkerSettings, needed: tuple[Topic, ...], make: Callable[[], StreamWorker]) -> None:
    """Run a worker until it is told to stop.

    Args:
        settings: Its own.
        needed: The topics that must be there.
        make: Makes it, on the loop that it runs on.
    """
    require_topics(settings, needed, AdminClient, ConfigResource)
    uvloop.install()
    sys.setswitchinterval(_SWITCH_SECONDS)
    collect_seldom()

    async def main() -> None:
        stream = make()
        server = serve_metrics(stream.board, settings.metrics_host, settings.metrics_port)
        try:
            await stream.serve()
        finally:
            server.shutdown()

    asyncio.run(main())
