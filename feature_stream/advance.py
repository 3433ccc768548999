"""The stage's one step: state and a frame in, state, bars and features out. No clock, no I/O.

`absorb` takes a frame of `ticks`, `provisional` says how an open bar stands. Features of bars at rest,
by the same code, are in `feature_stream.offline`.
"""

from collections.abc import Iterable

from feature_stream.announce import provisional, provisionals, to_send
from feature_stream.arrival import Absorbed, Arrival
from feature_stream.bars import add_anywhere, close_through, set_quiet
from feature_stream.frames import CheckedFrame
from feature_stream.judge import Judgement, TickTuple, judge
from feature_stream.quiet_lane import QuietLane
from feature_stream.rescale import rescale
from feature_stream.rules import StageRules
from feature_stream.state import NEVER_NS, PartitionState, SourceMark, TickerState
from feature_stream.ticks import BadTick, Reason
from schemas.errors import StopAndSayError
from schemas.events import ORIGIN_RANK, TickFrame

__all__ = ["Absorbed", "BadTick", "Reason", "StageRules", "absorb", "provisional", "provisionals", "to_send"]


def absorb(
    partition: PartitionState,
    states: dict[str, TickerState],
    frame: CheckedFrame | TickFrame,
    offset: int,
    rules: StageRules,
    now_ns: int,
    lane: QuietLane | None = None,
) -> Absorbed:
    """Take one frame into the states of its partition, in the order of the log.

    Args:
        partition: Of the frame; nothing happens if it has absorbed the offset.
        states: Of the partition's tickers; new ones come in.
        frame: As read by `read_frame`; a bare `TickFrame` is taken as sound.
        offset: Of the frame in `ticks`.
        rules: The same ones for all of a log.
        now_ns: Wall clock, for `closed_at_ns` and `featured_at_ns` and nothing else.
        lane: Of the same states. With it they may be behind until they are settled, and what it took is told by it.

    Raises:
        StopAndSayError: The state was made under other rules.
    """
    checked = frame if isinstance(frame, CheckedFrame) else CheckedFrame(frame)
    arrival = Arrival(partition, states, checked.frame, offset, rules, now_ns)
    if offset <= partition.offset:
        return arrival.out
    _require_same_rules(partition, rules)
    if checked.frame.sequence <= arrival.mark.sequence:
        arrival.out.passed_over = True
    elif lane is None or not _take_quietly(arrival, checked, lane):
        judgement = judge(arrival)
        arrival.out.bad = _bad_ticks(checked, judgement)
        _change(arrival, judgement)
        if lane is not None:
            lane.note_changed(arrival.out.dirty)
    partition.offset = offset
    return arrival.out


def _require_same_rules(partition: PartitionState, rules: StageRules) -> None:
    if partition.rules is rules.kept:
        return
    if partition.rules not in (None, rules.kept):
        before, now = partition.rules.settings(), rules.kept.settings()
        changed = [
            f"{name} is {now[name] or 'unset'}, not {was or 'unset'}"
            for name, was in before.items()
            if was != now[name]
        ]
        raise StopAndSayError(
            f"the kept state was made under other rules ({'; '.join(changed)}): "
            "set them back, or start with another TICKCAST_TOPIC_PREFIX (`--fresh`)"
        )
    partition.rules = rules.kept


def _bad_ticks(checked: CheckedFrame, judgement: Judgement) -> list[BadTick]:
    places = checked.indexes or range(len(checked.frame.tickers))
    judged = [BadTick(places[index], reason) for index, reason in judgement.reasons.items()]
    return sorted([*checked.bad, *judged], key=lambda bad: bad.index)


def _take_quietly(arrival: Arrival, checked: CheckedFrame, lane: QuietLane) -> bool:
    special = checked.bad or checked.frame.rescaled or checked.frame.lost_before_ns is not None
    newest_ns = None if special else lane.take(arrival, checked.columns)
    if newest_ns is None:
        lane.settle_all()
        return False
    judgement = Judgement(max(arrival.mark.newest_ns, newest_ns))
    _pass_watermark(arrival, _hear(arrival, judgement))
    return True


def _change(arrival: Arrival, judgement: Judgement) -> None:
    out, frame = arrival.out, arrival.frame
    mark = _hear(arrival, judgement)
    out.touched = judgement.touched
    if frame.rescaled or frame.lost_before_ns is not None:
        out.touched = list(dict.fromkeys([*_rescale(arrival), *_lose(arrival, mark), *judgement.touched]))
    out.dirty = judgement.passed_over.union(out.touched)
    _touch(arrival)
    _add_ticks(arrival, judgement.good_ticks(frame))
    if frame.watermark_ns is not None:
        _apply_watermark(arrival, frame.watermark_ns)
    _pass_watermark(arrival, mark)


def _hear(arrival: Arrival, judgement: Judgement) -> SourceMark:
    """Note how far the frame's source is, but for the watermark, which comes after the ticks."""
    frame, mark = arrival.frame, arrival.mark
    if frame.sequence > mark.sequence + 1:
        mark.lost_through_ns = _lost_through_ns(arrival, judgement)
    mark.sequence, mark.newest_ns = frame.sequence, judgement.newest_ns
    arrival.partition.hear(frame.source, mark)
    return mark


def _pass_watermark(arrival: Arrival, mark: SourceMark) -> None:
    if arrival.frame.watermark_ns is not None:
        mark.watermark_ns = max(mark.watermark_ns, arrival.frame.watermark_ns)


def _rescale(arrival: Arrival) -> list[str]:
    """Bring the states of tickers that were split to their new scale; give their names."""
    behind = [
        arrival.states[ticker]
        for ticker in arrival.frame.rescaled
        if ticker in arrival.states and arrival.states[ticker].offset < arrival.offset
    ]
    for state in behind:
        rescale(state, arrival.frame.rescaled[state.ticker])
    return [state.ticker for state in behind]


def _lose(arrival: Arrival, mark: SourceMark) -> list[str]:
    """Mark what a gap of the source has cut as partial, of tickers whose last tick came from it; give their names."""
    frame, before_ns = arrival.frame, arrival.frame.lost_before_ns
    if before_ns is None:
        return []
    mark.lost_through_ns = max(mark.lost_through_ns, before_ns - 1)
    heard = (state for state in arrival.states.values() if state.source == frame.source)
    return [state.ticker for state in heard if state.offset < arrival.offset and state.lose(before_ns)]


def _lost_through_ns(arrival: Arrival, judgement: Judgement) -> int:
    """Say up to which event time ticks may be among the frames that are missing before this one."""
    frame = arrival.frame
    first_ns = next((time for at, time in enumerate(frame.times_ns) if at not in judgement.reasons), NEVER_NS)
    sent_through_ns = NEVER_NS if frame.watermark_ns is None else frame.watermark_ns - 1
    begins_ns = sent_through_ns if first_ns == NEVER_NS else first_ns
    return max(arrival.mark.newest_ns, begins_ns) + arrival.rules.lateness_ns


def _touch(arrival: Arrival) -> None:
    for ticker in arrival.out.touched:
        state = arrival.states.get(ticker)
        if state is None:
            state = arrival.states[ticker] = TickerState(ticker)
        state.offset = arrival.offset
        state.source = arrival.frame.source
        state.ingested_at_ns = arrival.frame.ingested_at_ns


def _add_ticks(arrival: Arrival, ticks: Iterable[TickTuple]) -> None:
    """Take the ticks; nearly all are the newest of an open bar, and those are taken right here."""
    states, offset = arrival.states, arrival.offset
    source, rank = arrival.frame.source, ORIGIN_RANK[arrival.frame.origin]
    count = 0
    for ticker, time_ns, price, size in ticks:
        count += 1
        state = states[ticker]
        bar = state.open_bars[-1] if time_ns < state.quiet_until_ns else None
        if bar is None or time_ns < bar.last_ns:
            bar = add_anywhere(state, time_ns, price, size, arrival)
        else:
            bar.last_ns = time_ns
            bar.close = price
            bar.volume += size
            bar.tick_count += 1
            if price > bar.high:
                bar.high = price
            elif price < bar.low:
                bar.low = price
        if bar.offset != offset:
            bar.join(offset, source, rank)
    arrival.out.ticks_absorbed = count


def _apply_watermark(arrival: Arrival, watermark_ns: int) -> None:
    """Close what ends at or before a watermark, of tickers whose last tick came from its source."""
    source, offset, out = arrival.frame.source, arrival.offset, arrival.out
    touched = frozenset(out.touched)
    due = []
    for state in arrival.states.values():
        if state.source != source:
            continue
        if state.offset >= offset and state.ticker not in touched:
            out.dirty.add(state.ticker)
        elif state.open_bars and state.open_bars[0].end_ns <= watermark_ns:
            due.append(state)
    for state in sorted(due, key=lambda state: state.ticker):
        out.dirty.add(state.ticker)
        state.offset = offset
        close_through(state, watermark_ns, arrival)
        set_quiet(state, arrival.rules)
