"""The settling of predictions as a service."""

import logging
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

from faust.types import TP

from feature_stream.agents import ticks_agent
from feature_stream.app import make_app, raw_topic, use_transport
from feature_stream.ledger import SettleRules
from feature_stream.outcomes.checkpoint import DeskCheckpointer
from feature_stream.outcomes.desk import Desk
from feature_stream.outcomes.figures import SettleFigures
from feature_stream.outcomes.forecast_feed import ForecastFeed
from feature_stream.outcomes.forecasts import ForecastBook
from feature_stream.outcomes.positions import start_positions
from feature_stream.outcomes.settings import OutcomesSettings
from feature_stream.outcomes.tenancy import Tenancy, Tenant
from feature_stream.outcomes.transport import SOURCES, SourcesTransport
from feature_stream.outcomes.watch import DeskWatch
from feature_stream.outputs import Outputs
from feature_stream.service import StreamWorker, run_worker
from feature_stream.table import state_table
from feature_stream.turns import Side
from schemas.errors import StopAndSayError, TickcastError
from schemas.topics import (
    DEAD_LETTERS,
    FORECASTS,
    OPEN_PREDICTIONS_CHANGELOG,
    OPEN_PREDICTIONS_TABLE,
    OUTCOMES,
    OUTCOMES_STAGE,
    SCORES,
    SERVICE_STATUS,
)

_log = logging.getLogger(__name__)
SERVICE = "outcomes"
#: Records are absorbed at a stretch for so long.
_SLICE_SECONDS = 0.05
_NEEDED = (*SOURCES, FORECASTS, OUTCOMES, SCORES, DEAD_LETTERS, SERVICE_STATUS, OPEN_PREDICTIONS_CHANGELOG)

#: Makes the services that live beside the worker that holds partition 0; an error of theirs is told to the second
#: argument, and ends the process, which begins again.
MakeTenants = Callable[[OutcomesSettings, Callable[[BaseException], None]], Sequence[Tenant]]


def no_tenants(_settings: OutcomesSettings, _on_failure: Callable[[BaseException], None]) -> Sequence[Tenant]:
    """Give none."""
    return ()


class Outcomes(StreamWorker):
    """One worker: the app, the desk, and the loops around them.

    `bars`, `predictions` and the changelog have as many partitions and the same subscribers, so Faust's assignor gives
    a partition of all three to one worker.
    """

    def __init__(self, settings: OutcomesSettings, make_tenants: MakeTenants = no_tenants) -> None:
        super().__init__(settings, SERVICE)
        self._figures = SettleFigures()
        self._outputs = Outputs(settings, SERVICE)
        rules = SettleRules(settings.interval, settings.horizons[-1])
        self._desk = Desk(rules, settings.partitions, self._outputs, self._figures, ForecastBook(rules))
        self._forecasts = ForecastFeed(settings, self._desk.take_forecast, self._fail)
        self._app = make_app(settings, OUTCOMES_STAGE)
        use_transport(self._app, settings, self._membership, self._start_positions, SourcesTransport)
        self._topics = {Side(topic.name): settings.topic_prefix + topic.name for topic in SOURCES}
        self._table = state_table(
            self._app,
            self._outputs,
            settings.partitions,
            self._fail,
            name=OPEN_PREDICTIONS_TABLE,
            changelog=OPEN_PREDICTIONS_CHANGELOG,
        )
        self._desk_checkpointer = self._checkpointer = DeskCheckpointer(
            self._desk,
            self._table,
            self._outputs,
            self._membership,
            self._figures,
            topics=self._topics,
            partitions=settings.partitions,
        )
        self._desk_watch = self._watch = DeskWatch(
            settings,
            self._desk,
            self._figures,
            self._app,
            self._topics,
            board=self.board,
            membership=self._membership,
            guard=self._guard,
        )
        self._tenancy = Tenancy(make_tenants(settings, self._fail))
        for topic in SOURCES:
            agent = ticks_agent(partial(self._take, Side(topic.name)))
            self._app.agent(raw_topic(self._app, settings, topic), name=f"settle-{topic.name}")(agent)
        self._bind_rebalances()

    def _take(self, side: Side, event: Any, records: deque[Any]) -> None:
        taken = list(records)
        records.clear()
        if self._closed:
            return
        try:
            if self._desk.take(event, side, taken):
                self._desk_watch.healers[side].rewind(event.message.partition)
            self._settle()
        except TickcastError as error:
            self._fail(error)
        except Exception as error:  # stop: an exception that left the agent would lose its events
            _log.exception("a batch failed")
            self._fail(error)

    def _settle(self) -> None:
        if self._forecasts.ready(time.monotonic()):
            self._desk.settle(time.monotonic() + _SLICE_SECONDS)
        self._outputs.poll()

    def _due(self) -> None:
        if not self._closed:
            self._settle()

    def _drop_all(self) -> None:
        self._desk.drop_all()

    async def _on_revoked(self, _app: Any, *_: Any, **__: Any) -> None:
        await self._forecasts.stop()
        await self._tenancy.end()
        await super()._on_revoked(_app)

    async def _drain(self, loops: Any) -> None:
        await self._forecasts.stop()
        await self._tenancy.end()
        await super()._drain(loops)

    async def _load_assigned(self) -> None:
        self._table.expect_from(self._app.tables.recovery.active_highwaters)
        owned = self._owned()
        self._desk_checkpointer.load(owned)
        self._watch.state_read()
        if not owned:  # Faust then asks for no positions
            self._watch.works(0)

    def _owned(self) -> set[int]:
        """Give the partitions of which we have both logs: just after a topic was made, its metadata may lack one."""
        assigned = self._app.consumer.assignment()
        bars, predictions = ({tp.partition for tp in assigned if tp.topic == self._topics[side]} for side in Side)
        if bars != predictions:
            _log.warning("partitions %s of bars and %s of predictions: not the same", sorted(bars), sorted(predictions))
        return bars & predictions

    async def _start_positions(self, sources: set[TP]) -> Mapping[TP, int]:
        ordered = sorted(tp for tp in sources if tp.partition in self._desk.partitions)
        earliest = await self._app.consumer.earliest_offsets(*ordered) if ordered else {}
        ends = await self._app.consumer.highwaters(*ordered) if ordered else {}
        try:
            positions = start_positions(self._desk, self._figures, self._topics, earliest, ends)
        except StopAndSayError as error:
            self._fail(error)
            return {}
        self._watch.works(len(self._desk.partitions))
        if self._desk.partitions:
            await self._forecasts.start()
        await self._tenancy.works(self._desk.partitions)
        return positions


def run(settings: OutcomesSettings, make_tenants: MakeTenants = no_tenants) -> None:
    """Run the service until it is told to stop."""
    run_worker(settings, _NEEDED, lambda: Outcomes(settings, make_tenants))
