"""What holds for every log."""

from itertools import accumulate

import hypothesis.strategies as some
from hypothesis import given, settings
from msgspec.structs import replace

from feature_stream.advance import StageRules
from feature_stream.state import PartitionState, TickerState
from schemas.events import Bar, Features, TickFrame
from tests.feature_stream.reference import PlainBar, Reference
from tests.feature_stream.runs import MIDNIGHT, SECOND, Run, Tick, frame, rules

SOURCES = ("one", "two")

steps = some.sampled_from([-5, -3, -2, -1, 0, 0, 1, 1, 2, 3, 4, 9, 40])


@some.composite
def tick_lists(draw: some.DrawFn) -> list[Tick]:
    """Ticks of three tickers, time going on in quarters of a second, with steps back."""
    least = draw(some.sampled_from([0, 8, 20]))
    times = accumulate(draw(some.lists(steps, min_size=least, max_size=40)), initial=10)
    return [
        (draw(some.sampled_from("ABC")), time / 4, draw(some.integers(1, 60)), draw(some.integers(0, 3)))
        for time in times
    ]


@some.composite
def logs(draw: some.DrawFn) -> list[TickFrame]:
    """Frames of two sources with watermarks, some of them twice."""
    frames: list[TickFrame] = []
    ticks = draw(tick_lists())
    sequences = dict.fromkeys(SOURCES, 0)
    while ticks:
        size = draw(some.integers(0, 6))
        part, ticks = ticks[:size], ticks[size:]
        source = draw(some.sampled_from(SOURCES))
        watermark = draw(some.none() | some.integers(-8, 8)) if part or size == 0 else None
        newest = part[-1][1] if part else len(frames) / 2
        mark = None if watermark is None else max(0.0, newest + watermark / 4)
        frames.append(frame(part, sequence=sequences[source], source=source, watermark=mark))
        sequences[source] += 1
        if draw(some.integers(0, 9)) == 0:
            frames.append(draw(some.sampled_from(frames)))
        if len(frames) > 60:
            break
    return frames


rule_sets = some.builds(
    rules,
    some.just("1s"),
    lateness=some.sampled_from([0.0, 0.25, 1.0, 2.5]),
    early=some.sampled_from([None, None, 3.0]),
)


def run_over(log: list[TickFrame], stage_rules: StageRules) -> Run:
    run = Run(stage_rules)
    for one in log:
        run.take(one)
    return run


def plain(bars: list[Bar]) -> dict[str, list[PlainBar]]:
    told: dict[str, list[PlainBar]] = {}
    for bar in bars:
        told.setdefault(bar.ticker, []).append(
            (bar.start_ns, bar.open, bar.high, bar.low, bar.close, bar.volume, bar.tick_count)
        )
    return told


@given(logs(), rule_sets)
@settings(max_examples=120, deadline=None)
def test_bars_and_bad_ticks_are_those_of_the_slow_reference(log: list[TickFrame], stage_rules: StageRules) -> None:
    run = run_over(log, stage_rules)
    reference = Reference(SECOND, stage_rules.lateness_ns, stage_rules.early_ns)
    for offset, one in enumerate(log):
        reference.take(offset, one)
    assert plain(run.bars) == {name: bars for name, bars in reference.bars().items() if bars}
    assert run.bad == reference.bad


@given(tick_lists(), rule_sets, some.data())
@settings(max_examples=80, deadline=None)
def test_any_split_of_the_same_ticks_into_frames_gives_the_same_bars_and_features(
    ticks: list[Tick], stage_rules: StageRules, data: some.DataObject
) -> None:
    cuts = data.draw(some.lists(some.integers(0, len(ticks)), max_size=8).map(sorted))
    whole, split = Run(stage_rules), Run(stage_rules)
    whole.send(*ticks)
    for start, end in zip([0, *cuts], [*cuts, len(ticks)], strict=True):
        split.send(*ticks[start:end])
    for run in (whole, split):
        run.send(watermark=1_000)
    assert sorted_content(split) == sorted_content(whole)
    assert len(split.bad) == len(whole.bad)


def said_by(run: Run) -> list[Bar | Features]:
    return [*run.bars, *run.features]


def sorted_content(run: Run) -> list[Bar | Features]:
    """Bars and features without offsets, by ticker; each ticker's in order."""
    return sorted(
        (replace(event, source_offset=0) for event in said_by(run)), key=lambda event: (event.ticker, event.id)
    )


@given(logs(), rule_sets)
@settings(max_examples=80, deadline=None)
def test_snapshot_and_restore_at_every_step_change_nothing(log: list[TickFrame], stage_rules: StageRules) -> None:
    undisturbed, restored = Run(stage_rules), Run(stage_rules)
    for one in log:
        absorbed = undisturbed.take(one)
        restored.through_snapshots()
        assert restored.take(one) == absorbed
        restored.through_snapshots()
        for ticker in undisturbed.states:
            assert restored.speak(ticker) == undisturbed.speak(ticker)
    assert restored.partition == undisturbed.partition


@given(logs(), rule_sets, some.data())
@settings(max_examples=120, deadline=None)
def test_replay_from_an_older_partition_offset_over_newer_ticker_states_changes_nothing(
    log: list[TickFrame], stage_rules: StageRules, data: some.DataObject
) -> None:
    """A process dies between its tickers' states and its partition's record, and reads on from the older record."""
    first = Run(stage_rules)
    kept_tickers: list[dict[str, bytes]] = [{}]
    kept_records = [first.partition.snapshot()]
    for one in log:
        first.take(one)
        kept_tickers.append({ticker: state.snapshot() for ticker, state in first.states.items()})
        kept_records.append(first.partition.snapshot())
    at_record = data.draw(some.integers(0, len(log)))
    second = Run(stage_rules, PartitionState.restore(kept_records[at_record]))
    at_ticker = {ticker: data.draw(some.integers(at_record, len(log)), label=ticker) for ticker in "ABC"}
    for ticker, at in at_ticker.items():
        if ticker in kept_tickers[at]:
            second.states[ticker] = TickerState.restore(kept_tickers[at][ticker])
    newer = {ticker for ticker, state in second.states.items() if state.offset > second.partition.offset}
    dirty: set[str] = set()
    for one in log[at_record:]:
        dirty |= second.take(one).dirty
    assert {ticker: state.snapshot() for ticker, state in second.states.items()} == kept_tickers[-1]
    assert second.partition == first.partition
    assert dirty >= newer
    again = {(event.id, event.source_offset): event for event in said_by(first)}
    for event in said_by(second):
        assert again[event.id, event.source_offset] == event
    owed = {event.id for event in said_by(first) if event.source_offset >= at_ticker[event.ticker]}
    assert owed <= {event.id for event in said_by(second)}
    assert set(second.bad) <= set(first.bad)
    owed_bad = {bad for bad in first.bad if bad[0] >= at_ticker[log[bad[0]].tickers[bad[1]]]}
    assert owed_bad <= set(second.bad)


@given(logs(), rule_sets)
@settings(max_examples=60, deadline=None)
def test_events_of_a_ticker_rise_in_log_order_and_no_id_has_two_contents(
    log: list[TickFrame], stage_rules: StageRules
) -> None:
    run = Run(stage_rules)
    said: list[Features] = []
    for one in log:
        absorbed = run.take(one)
        words = [run.speak(ticker) for ticker in absorbed.touched]
        said += [*absorbed.features, *(word for word in words if word is not None)]
    assert len({event.id for event in said}) == len(said)
    for ticker in "ABC":
        places = [(event.source_offset, event.bar_index, not event.final) for event in said if event.ticker == ticker]
        assert places == sorted(set(places))


@given(logs(), rule_sets, some.integers(1, 2**40))
@settings(max_examples=50, deadline=None)
def test_the_clock_goes_nowhere_but_into_times_of_processing(
    log: list[TickFrame], stage_rules: StageRules, now_ns: int
) -> None:
    run = Run(stage_rules)
    for one in log:
        run.take(one, now_ns=now_ns)
    calm = run_over(log, stage_rules)
    assert [replace(bar, closed_at_ns=0) for bar in run.bars] == calm.bars
    assert [replace(event, featured_at_ns=0) for event in run.features] == calm.features
    assert all(bar.start_ns >= MIDNIGHT - SECOND * 100 for bar in run.bars)
