"""What a keyed stream of flat ticks does with one of them; indicators, bars and events are `feature_stream`'s."""

import time
from dataclasses import dataclass

from benchmarks.feature_stage.workers.events import Event
from feature_stream.advance import StageRules, provisionals
from feature_stream.arrival import Arrival
from feature_stream.bars import close_through
from feature_stream.open_bar import OpenBar, opened_by
from feature_stream.state import PartitionState, TickerState
from schemas.events import ORIGIN_RANK, Features, Origin, TickFrame

#: A flat stream has one source, which is known.
_SOURCE = "market"
_RANK = ORIGIN_RANK[Origin.SIMULATED]


@dataclass(frozen=True, slots=True)
class Place:
    """Where a tick stands in `ticks`, and when it was ingested."""

    partition: int
    offset: int
    ingested_at_ns: int


def add_tick(bar: OpenBar | None, time_ns: int, price: float, size: float, place: Place) -> bool:
    """Add a tick to its open bar; False: it belongs to another one, which `turn` opens."""
    if bar is None or time_ns >= bar.end_ns:
        return False
    if time_ns >= bar.start_ns:  # else it is late
        bar.add(time_ns, price, size)
        bar.join(place.offset, _SOURCE, _RANK)
    return True


def turn(state: TickerState, time_ns: int, price: float, size: float, place: Place, rules: StageRules) -> list[Event]:
    """Close the open bar, if there is one, and open the tick's; the bar and its final features come out."""
    frame = TickFrame(
        source=_SOURCE,
        sequence=place.offset,
        position="",
        tickers=[],
        times_ns=[],
        prices=[],
        sizes=[],
        ingested_at_ns=place.ingested_at_ns,
        origin=Origin.SIMULATED,
    )
    arrival = Arrival(PartitionState(place.partition), {}, frame, place.offset, rules, time.time_ns())
    close_through(state, time_ns, arrival)
    bar = opened_by(time_ns, price, rules.length_ns, partial=False)
    state.open_bars.append(bar)
    add_tick(bar, time_ns, price, size, place)
    return [*arrival.out.bars, *arrival.out.features]


def speak(state: TickerState, place: Place, rules: StageRules) -> Features | None:
    """Give the provisional features of a ticker after a tick."""
    state.offset, state.ingested_at_ns = place.offset, place.ingested_at_ns
    return next(provisionals([state], place.partition, rules, time.time_ns()), None)
