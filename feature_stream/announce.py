"""What the stage says of a ticker: its closed bars, their features, and how an open bar stands."""

from collections.abc import Iterable, Iterator

from msgspec import structs

from feature_stream.arrival import Arrival
from feature_stream.indicators.closed import ClosedView, Lists
from feature_stream.open_bar import OpenBar
from feature_stream.rules import StageRules
from feature_stream.state import TickerState
from schemas.events import Bar, Features, Origin
from schemas.features import FEATURE_VERSION
from schemas.identity import bar_id, final_feature_id, provisional_feature_id

_ORIGINS = tuple(Origin)


def bar_event(state: TickerState, bar: OpenBar, arrival: Arrival) -> Bar:
    """Give a bar that an arrival has closed, after its state has taken it in."""
    interval = arrival.rules.interval
    return Bar(
        id=bar_id(state.ticker, interval, bar.start_ns, partial=bar.partial),
        ticker=state.ticker,
        interval=interval,
        start_ns=bar.start_ns,
        end_ns=bar.end_ns,
        open=bar.open,
        high=bar.high,
        low=bar.low,
        close=bar.close,
        volume=bar.volume,
        tick_count=bar.tick_count,
        bar_index=state.bar_index,
        source=bar.source,
        source_partition=arrival.partition.partition,
        source_offset=arrival.offset,
        ingested_at_ns=arrival.frame.ingested_at_ns,
        closed_at_ns=arrival.now_ns,
        partial=bar.partial,
        origin=_ORIGINS[bar.origin_rank],
        rescaled=state.rescaled,
    )


def final_features(state: TickerState, bar: OpenBar, arrival: Arrival) -> Features:
    """Give the final features of a bar that an arrival has closed, after its state has taken it in."""
    interval, view = arrival.rules.interval, state.closed()
    return Features(
        id=final_feature_id(state.ticker, interval, bar.start_ns),
        ticker=state.ticker,
        interval=interval,
        final=True,
        as_of_ns=bar.end_ns,
        bar=bar.so_far(),
        bar_index=state.bar_index,
        current_price=bar.close,
        last_close=bar.close,
        indicators=view.indicators,
        model_inputs=view.model_inputs,
        sequence=view.sequence,
        returns=view.returns,
        volatility=view.volatility,
        feature_version=FEATURE_VERSION,
        source_partition=arrival.partition.partition,
        source_offset=arrival.offset,
        ingested_at_ns=arrival.frame.ingested_at_ns,
        featured_at_ns=arrival.now_ns,
        partial=bar.partial,
        origin=_ORIGINS[bar.origin_rank],
    )


def provisional(state: TickerState, partition: int, rules: StageRules, now_ns: int) -> Features | None:
    """Give the features of the newest open bar, older open ones taken as they stand; None if none is open.

    Changes nothing but what the state remembers of its last closed bar.

    Args:
        state: Of the ticker.
        partition: Of `ticks`, that the ticker lives on.
        rules: As for `absorb`.
        now_ns: Wall clock, for `featured_at_ns`.
    """
    return _provisional(state, state.closed(), partition, rules, now_ns) if state.open_bars else None


def provisionals(states: Iterable[TickerState], partition: int, rules: StageRules, now_ns: int) -> Iterator[Features]:
    """Give what `provisional` gives of each state, but for those without an open bar, to be sent and not to be read.

    Their lists are JSON, written once a bar.
    """
    for state in states:
        if state.open_bars:
            yield _provisional(state, state.closed().encoded, partition, rules, now_ns)


def to_send(features: Features, state: TickerState) -> Features:
    """Give a final event to be sent and not to be read: its lists are the JSON of those that come after it too.

    Args:
        features: As `final_features` gave them.
        state: Of their ticker. Where it has closed another bar since, they come back as they are.
    """
    if features.bar_index != state.bar_index:
        return features
    return structs.replace(features, **state.closed().encoded._asdict())


def _provisional(
    state: TickerState, lists: Lists | ClosedView, partition: int, rules: StageRules, now_ns: int
) -> Features:
    newest, window = state.open_bars[-1], state.rolling.window
    return Features(
        id=provisional_feature_id(state.ticker, rules.interval, newest.start_ns, partition, state.offset),
        ticker=state.ticker,
        interval=rules.interval,
        final=False,
        as_of_ns=newest.last_ns,
        bar=newest.so_far(),
        bar_index=window.count,
        current_price=newest.close,
        last_close=window.closes[-1] if window.closes else None,
        indicators=_indicators_so_far(state),
        model_inputs=lists.model_inputs,
        sequence=lists.sequence,
        returns=lists.returns,
        volatility=state.closed().volatility,
        feature_version=FEATURE_VERSION,
        source_partition=partition,
        source_offset=state.offset,
        ingested_at_ns=state.ingested_at_ns,
        featured_at_ns=now_ns,
        partial=newest.partial,
        origin=_ORIGINS[newest.origin_rank],
    )


def _indicators_so_far(state: TickerState) -> dict[str, float | None]:
    forming = state.closed().forming
    if forming is not None and len(state.open_bars) == 1:
        return forming.indicators(state.open_bars[0])
    rolling = state.rolling.branch()
    for bar in state.open_bars:
        rolling.push(bar)
    return rolling.indicators()
