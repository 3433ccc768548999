"""Quix Streams as its documentation would write it: one tick a record, keyed by ticker, `apply` with `State`.

What is written per tick is the open bar alone; the history of closed bars only when one closes.
"""

import time
from typing import Any

import msgspec
from msgspec import Struct
from quixstreams import State, message_context

from benchmarks.feature_stage.workers.counting import TickCount
from benchmarks.feature_stage.workers.events import Event
from benchmarks.feature_stage.workers.keyed import Place, add_tick, speak, turn
from benchmarks.feature_stage.workers.live_partition import rules_of
from benchmarks.feature_stage.workers.quix_app import make_app, send_to_topics
from feature_stream.indicators.closed import ClosedView, Lists
from feature_stream.indicators.forming import Forming
from feature_stream.indicators.rolling import Rolling
from feature_stream.open_bar import OpenBar
from feature_stream.settings import FeatureStreamSettings
from feature_stream.state import TickerState
from schemas.service import run_service
from schemas.topics import TICKS


class History(Struct, array_like=True):
    """The closed bars of a ticker, and what they say, computed once a bar and kept with them.

    Attributes:
        lists: JSON, as `ClosedView.encoded` has them.
    """

    rolling: Rolling
    volatility: float | None
    lists: tuple[bytes, ...]
    forming: Forming | None

    @classmethod
    def of(cls, live: TickerState) -> "History":
        """Take it from a live state."""
        view = live.closed()
        lists = tuple(bytes(raw) for raw in view.encoded)  # type: ignore[arg-type] # they are JSON
        return cls(live.rolling, view.volatility, lists, view.forming)

    def view(self) -> ClosedView:
        """Give what the last closed bar says; the lists are not read back, for events take their JSON."""
        view = ClosedView(volatility=self.volatility, rolling=self.rolling)
        vars(view).update(forming=self.forming, encoded=Lists(*map(msgspec.Raw, self.lists)))  # type: ignore[arg-type]
        return view


_encode = msgspec.msgpack.Encoder().encode
_decode_bar = msgspec.msgpack.Decoder(OpenBar).decode
_decode_history = msgspec.msgpack.Decoder(History).decode


class Advance:
    """The stateful function of the dataframe."""

    def __init__(self, settings: FeatureStreamSettings, count: TickCount) -> None:
        self._rules = rules_of(settings)
        self._count = count
        self._interval = settings.update_interval_ms / 1_000
        self._speaks_at: dict[str, float] = {}

    def __call__(self, tick: dict[str, Any], ticker: str, _timestamp: int, _headers: Any, state: State) -> list[Event]:
        """Take one tick; give a closed bar, its features, and at most once an interval how the open bar stands."""
        context = message_context()
        place = Place(context.partition, context.offset, tick["ingested_at_ns"])
        self._count.ticks += 1
        kept = state.get_bytes("bar")
        bar = None if kept is None else _decode_bar(kept)
        live, events = None, []
        if not add_tick(bar, tick["time_ns"], tick["price"], tick["size"], place):
            live = _live(ticker, bar, state)
            events = turn(live, tick["time_ns"], tick["price"], tick["size"], place, self._rules)
            bar = live.open_bars[-1]
            state.set_bytes("history", _encode(History.of(live)))
        state.set_bytes("bar", _encode(bar))
        now = time.monotonic()
        if now >= self._speaks_at.get(ticker, 0.0):
            self._speaks_at[ticker] = now + self._interval
            said = speak(live or _live(ticker, bar, state), place, self._rules)
            if said is not None:
                events.append(said)
        return events


def _live(ticker: str, bar: OpenBar | None, state: State) -> TickerState:
    kept = state.get_bytes("history")
    history = None if kept is None else _decode_history(kept)
    live = TickerState(ticker, open_bars=[] if bar is None else [bar])
    if history is not None:
        live.rolling, live.view = history.rolling, history.view()
    return live


def run(settings: FeatureStreamSettings) -> None:
    """Run until a signal."""
    app = make_app(settings)
    ticks = app.topic(settings.topic_prefix + TICKS.name, key_deserializer="str", value_deserializer="json")
    advance = Advance(settings, TickCount(settings))
    events = app.dataframe(ticks).apply(advance, stateful=True, metadata=True, expand=True)
    send_to_topics(app, events, settings)
    app.run()


if __name__ == "__main__":
    run_service("quix ticks", FeatureStreamSettings, run)
