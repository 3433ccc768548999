"""Quix Streams with our frames and our arithmetic.

States live in the process; at each checkpoint those that changed go into Quix's state, and so into its changelog. The
hook is a sink: Quix flushes sinks before it produces the changelogs, in the same checkpoint as the offsets.
"""

import time
from typing import Any

from quixstreams import State, message_context
from quixstreams.sinks.base import BaseSink

from benchmarks.feature_stage.workers.counting import TickCount
from benchmarks.feature_stage.workers.events import Event
from benchmarks.feature_stage.workers.fetching import FETCH_CONFIG
from benchmarks.feature_stage.workers.live_partition import LivePartition, rules_of
from benchmarks.feature_stage.workers.quix_app import make_app, send_to_topics
from feature_stream.settings import FeatureStreamSettings
from schemas.service import collect_seldom, run_service
from schemas.topics import TICKS

_TICKERS_KEY = "tickers"
_LOOK_EVERY_SECONDS = 0.005


class Advance:
    """The stateful function of the dataframe: frames in, events out."""

    def __init__(self, settings: FeatureStreamSettings, count: TickCount) -> None:
        self._settings = settings
        self._rules = rules_of(settings)
        self._count = count
        self._live: dict[int, LivePartition] = {}
        self._tickers: dict[int, dict[str, None]] = {}
        self._states: dict[int, State] = {}
        self._look_at: dict[int, float] = {}

    def __call__(self, frame: bytes, _key: None, _timestamp: int, _headers: Any, state: State) -> list[Event]:
        """Take one frame."""
        context = message_context()
        partition = context.partition
        live = self._live.get(partition)
        if live is None:
            live = self._live[partition] = self._load(partition, state)
        self._states[partition] = state
        before = live.ticks_total
        events = live.take([(context.offset, frame)])
        self._count.ticks += live.ticks_total - before
        now = time.monotonic()
        if now >= self._look_at.get(partition, 0.0):  # a look after every frame would cost more than a frame
            self._look_at[partition] = now + _LOOK_EVERY_SECONDS
            events += live.due()
        return events

    def keep(self) -> None:
        """Put what changed into the state of the checkpoint that is being committed."""
        for partition, state in self._states.items():
            known = self._tickers[partition]
            before = len(known)
            for ticker, _, snapshot in self._live[partition].changed():
                state.set_bytes(ticker, snapshot)
                known[ticker] = None
            if len(known) > before:
                state.set(_TICKERS_KEY, list(known))
        self._states.clear()

    def _load(self, partition: int, state: State) -> LivePartition:
        self._tickers[partition] = dict.fromkeys(state.get(_TICKERS_KEY, []))
        kept = {ticker: state.get_bytes(ticker) or b"" for ticker in self._tickers[partition]}
        return LivePartition(partition, self._rules, self._settings.update_interval_ms, kept)


class Checkpoint(BaseSink):
    """A sink that takes nothing: its flush is the moment before the changelogs are produced."""

    def __init__(self, advance: Advance) -> None:
        super().__init__()
        self._advance = advance

    def add(self, *_: Any, **__: Any) -> None:
        """Take an event that was sent already."""

    def flush(self) -> None:
        """Keep the states."""
        self._advance.keep()

    def on_paused(self) -> None:
        """Do nothing; no sink here pushes back."""


def run(settings: FeatureStreamSettings) -> None:
    """Run until a signal."""
    collect_seldom()
    app = make_app(settings, FETCH_CONFIG)
    ticks = app.topic(settings.topic_prefix + TICKS.name, value_deserializer="bytes")
    advance = Advance(settings, TickCount(settings))
    events = app.dataframe(ticks).apply(advance, stateful=True, metadata=True, expand=True)
    send_to_topics(app, events, settings)
    events.sink(Checkpoint(advance))
    app.run()


if __name__ == "__main__":
    run_service("quix frames", FeatureStreamSettings, run)
