"""How ticks become bars, and bars history."""

from bisect import bisect_left

from feature_stream.announce import bar_event, final_features
from feature_stream.arrival import Arrival
from feature_stream.open_bar import OpenBar, opened_by
from feature_stream.rules import StageRules
from feature_stream.state import NEVER_NS, TickerState
from schemas.times import bar_start_ns


def add_anywhere(state: TickerState, time_ns: int, price: float, size: float, arrival: Arrival) -> OpenBar:
    """Take any tick that is not late: open its bar where there is none, and close what it has passed.

    Returns:
        The tick's bar.
    """
    rules = arrival.rules
    bar = _bar_of(state, time_ns, price, arrival)
    bar.add(time_ns, price, size)
    surely_past_ns = time_ns - rules.lateness_ns
    floor_ns = bar_start_ns(surely_past_ns, rules.length_ns)
    if floor_ns > state.floor_ns:
        close_through(state, floor_ns, arrival)
        state.floor_ns = floor_ns
    set_quiet(state, rules)
    return bar


def _bar_of(state: TickerState, time_ns: int, price: float, arrival: Arrival) -> OpenBar:
    start_ns = bar_start_ns(time_ns, arrival.rules.length_ns)
    bars = state.open_bars
    at = bisect_left(bars, start_ns, key=lambda bar: bar.start_ns)
    if at == len(bars) or bars[at].start_ns != start_ns:
        partial = start_ns <= arrival.mark.lost_through_ns
        bars.insert(at, opened_by(time_ns, price, arrival.rules.length_ns, partial=partial))
    return bars[at]


def close_through(state: TickerState, through_ns: int, arrival: Arrival) -> None:
    """Close the bars that end at or before a time, and say so in `arrival.out`."""
    while state.open_bars and state.open_bars[0].end_ns <= through_ns:
        bar = state.open_bars.pop(0)
        state.rolling.push(bar)
        state.view = None
        state.floor_ns = max(state.floor_ns, bar.end_ns)
        arrival.out.bars.append(bar_event(state, bar, arrival))
        state.rescaled = 1.0
        arrival.out.features.append(final_features(state, bar, arrival))


def set_quiet(state: TickerState, rules: StageRules) -> None:
    """Note until when the newest ticks of a ticker can be taken without closing or opening a bar."""
    if state.open_bars:
        until_ns = state.floor_ns + rules.length_ns + rules.lateness_ns
        state.quiet_until_ns = min(state.open_bars[-1].end_ns, until_ns)
    else:
        state.quiet_until_ns = NEVER_NS
