"""Which ticks of a frame are good, decided before any state changes."""

from collections.abc import Iterator
from dataclasses import dataclass, field

from feature_stream.arrival import Arrival
from feature_stream.state import NEVER_NS
from feature_stream.ticks import Reason
from schemas.dead_letters import REPLAY_SOURCE
from schemas.events import TickFrame
from schemas.partitioning import partition_of
from schemas.times import bar_start_ns

#: Stand in for a floor: no event time is so late.
_PASSED_OVER_NS = 2**63
_ELSEWHERE_NS = 2**63 + 1

TickTuple = tuple[str, int, float, float]


@dataclass(slots=True)
class Judgement:
    """What is to be done with the ticks of one frame.

    Attributes:
        reasons: By index in the frame, why a tick is bad.
        passed_over: Tickers whose state has absorbed this frame before.
        touched: Tickers with ticks to absorb, in the order of their first.
        newest_ns: Event time of the source's newest tick after this frame.
    """

    newest_ns: int
    reasons: dict[int, Reason] = field(default_factory=dict)
    passed_over: set[str] = field(default_factory=set)
    touched: list[str] = field(default_factory=list)

    def good_ticks(self, frame: TickFrame) -> Iterator[TickTuple]:
        """Give the ticks to absorb."""
        ticks = zip(frame.tickers, frame.times_ns, frame.prices, frame.sizes, strict=True)
        if not self.reasons and not self.passed_over:
            return ticks
        reasons, passed_over = self.reasons, self.passed_over
        return (tick for index, tick in enumerate(ticks) if index not in reasons and tick[0] not in passed_over)


def judge(arrival: Arrival) -> Judgement:
    """Decide on every tick of a frame. Changes nothing."""
    judgement = _judge_early(arrival)
    tickers = _judge_late(arrival, judgement)
    if judgement.reasons or judgement.passed_over:
        judgement.touched = list(dict.fromkeys(tick[0] for tick in judgement.good_ticks(arrival.frame)))
    else:
        judgement.touched = tickers
    return judgement


def _judge_early(arrival: Arrival) -> Judgement:
    """Find the ticks that run too far ahead. Late ticks are news here: no ticker's state may decide this."""
    mark, times_ns, early_ns = arrival.mark, arrival.frame.times_ns, arrival.rules.early_ns
    # A replay jumps rightly from letter to letter, and sends no watermark: its ticks were judged when they first came.
    if early_ns is None or arrival.frame.source == REPLAY_SOURCE:
        return Judgement(max(mark.newest_ns, max(times_ns, default=NEVER_NS)))
    judgement = Judgement(mark.newest_ns)
    for index, time_ns in enumerate(times_ns):
        known_ns = max(judgement.newest_ns, mark.watermark_ns)
        if known_ns != NEVER_NS and time_ns - known_ns > early_ns:
            judgement.reasons[index] = Reason.EARLY
        else:
            judgement.newest_ns = max(judgement.newest_ns, time_ns)
    return judgement


def _judge_late(arrival: Arrival, judgement: Judgement) -> list[str]:
    """Hold each tick against its ticker's floor, which rises as the frame's own ticks will raise it.

    Returns:
        The frame's tickers.
    """
    floors: dict[str, int] = {}
    frame, reasons = arrival.frame, judgement.reasons
    length_ns, lateness_ns = arrival.rules.length_ns, arrival.rules.lateness_ns
    step_ns = length_ns + lateness_ns
    for index, (ticker, time_ns) in enumerate(zip(frame.tickers, frame.times_ns, strict=True)):
        floor_ns = floors.get(ticker)
        if floor_ns is None:
            floor_ns = floors[ticker] = _first_floor(arrival, judgement, ticker)
        if time_ns < floor_ns:
            if floor_ns != _PASSED_OVER_NS:
                reasons.setdefault(index, Reason.PARTITION if floor_ns == _ELSEWHERE_NS else Reason.LATE)
        elif time_ns - floor_ns >= step_ns and index not in reasons:
            floors[ticker] = bar_start_ns(time_ns - lateness_ns, length_ns)
    return list(floors)


def _first_floor(arrival: Arrival, judgement: Judgement, ticker: str) -> int:
    """Give the time before which ticks are not taken when the frame begins."""
    watermark_ns = arrival.mark.watermark_ns
    source_floor_ns = bar_start_ns(watermark_ns, arrival.rules.length_ns)
    state = arrival.states.get(ticker)
    if state is None:
        at_home = partition_of(ticker, arrival.rules.partitions) == arrival.partition.partition
        return max(source_floor_ns, NEVER_NS) if at_home else _ELSEWHERE_NS
    if state.offset < arrival.offset:
        return max(source_floor_ns, state.floor_ns)
    judgement.passed_over.add(ticker)
    return _PASSED_OVER_NS
