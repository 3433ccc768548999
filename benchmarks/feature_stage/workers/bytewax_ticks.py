"""Bytewax as its documentation would write it: one tick a record, keyed by ticker, a stateful operator."""

import time
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta

import bytewax.operators as op
from bytewax.connectors.kafka import KafkaSourceMessage
from bytewax.dataflow import Dataflow
from bytewax.operators import StatefulBatchLogic

from benchmarks.feature_stage.inputs import FlatTick
from benchmarks.feature_stage.workers.bytewax_run import (
    EventMessage,
    events_sink,
    messages_of,
    run_flow,
    ticks_source,
)
from benchmarks.feature_stage.workers.counting import TickCount
from benchmarks.feature_stage.workers.events import Event
from benchmarks.feature_stage.workers.keyed import Place, add_tick, speak, turn
from benchmarks.feature_stage.workers.live_partition import rules_of
from feature_stream.advance import StageRules
from feature_stream.settings import FeatureStreamSettings
from feature_stream.state import TickerState
from schemas.codec import decoder
from schemas.service import run_service

_BATCH_RECORDS = 1_000  # the source's own default
_decode = decoder(FlatTick)

TickMessage = KafkaSourceMessage[bytes, bytes]


class Advance(StatefulBatchLogic[TickMessage, EventMessage, tuple[str, bytes] | None]):
    """One ticker."""

    def __init__(
        self, settings: FeatureStreamSettings, rules: StageRules, count: TickCount, kept: tuple[str, bytes] | None
    ) -> None:
        self._prefix = settings.topic_prefix
        self._rules = rules
        self._count = count
        self._interval = settings.update_interval_ms / 1_000
        self._state = None if kept is None else TickerState.restore(kept[1])
        self._place = Place(0, 0, 0)
        self._speaks_at = 0.0
        self._due_at: datetime | None = None

    def on_batch(self, values: list[TickMessage]) -> tuple[Iterable[EventMessage], bool]:
        """Take ticks; give closed bars, their features, and how the open bar stands if it may be said now."""
        events: list[Event] = []
        for message in values:
            events += self._take(message)
        self._count.ticks += len(values)
        if self._due_at is None:
            now = time.monotonic()
            if now >= self._speaks_at:
                events += self._speak(now)
            else:
                self._due_at = datetime.now(UTC) + timedelta(seconds=self._speaks_at - now)
        return messages_of(events, self._prefix), StatefulBatchLogic.RETAIN

    def notify_at(self) -> datetime | None:
        """Say when the word that waits is due."""
        return self._due_at

    def on_notify(self) -> tuple[Iterable[EventMessage], bool]:
        """Say the word that waits."""
        self._due_at = None
        return messages_of(self._speak(time.monotonic()), self._prefix), StatefulBatchLogic.RETAIN

    def snapshot(self) -> tuple[str, bytes] | None:
        """Give the state as bytes: a copy that nothing changes."""
        return None if self._state is None else (self._state.ticker, self._state.snapshot())

    def _take(self, message: TickMessage) -> list[Event]:
        tick = _decode(message.value)
        state = self._state
        if state is None:
            state = self._state = TickerState(tick.ticker)
        self._place = Place(message.partition or 0, message.offset or 0, tick.ingested_at_ns)
        bar = state.open_bars[-1] if state.open_bars else None
        if add_tick(bar, tick.time_ns, tick.price, tick.size, self._place):
            return []
        return turn(state, tick.time_ns, tick.price, tick.size, self._place, self._rules)

    def _speak(self, now: float) -> list[Event]:
        self._speaks_at = now + self._interval
        said = None if self._state is None else speak(self._state, self._place, self._rules)
        return [] if said is None else [said]


def run(settings: FeatureStreamSettings) -> None:
    """Run until a signal."""
    count, rules = TickCount(settings), rules_of(settings)
    flow = Dataflow("ticks")
    ticks = op.input("ticks", flow, ticks_source(settings, _BATCH_RECORDS))
    keyed = op.key_on("by-ticker", ticks, lambda message: message.key.decode())
    events = op.stateful_batch("advance", keyed, lambda kept: Advance(settings, rules, count, kept))
    op.output("events", op.key_rm("no-key", events), events_sink(settings))
    run_flow(flow, settings)


if __name__ == "__main__":
    run_service("bytewax ticks", FeatureStreamSettings, run)
