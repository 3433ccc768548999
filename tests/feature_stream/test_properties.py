"""What holds for every log."""

import hypothesis.strategies as some
from hypothesis import given, settings
from msgspec.structs import replace

from feature_stream.state import PartitionState, TickerState
from schemas.events import Bar, Features, TickFrame
from tests.feature_stream.frame_writer import FrameWriter
from tests.feature_stream.runs import Run, run_over
from tests.feature_stream.scenarios import Scenario, any_scenario


def said_by(run: Run) -> list[Bar | Features]:
    return [*run.bars, *run.features]


def content_of(run: Run) -> list[Bar | Features]:
    """Bars and features without offsets and times of processing, by ticker; each ticker's in order."""
    said = (replace(event, source_offset=0, ingested_at_ns=0) for event in said_by(run))
    return sorted(said, key=lambda event: event.ticker)


def bad_ticks_of(log: list[TickFrame], run: Run) -> list[tuple[str, int, str]]:
    return [(log[offset].tickers[index], log[offset].times_ns[index], reason) for offset, index, reason in run.bad]


def part_of(one: TickFrame, start: int, end: int) -> TickFrame:
    """Give some ticks of a frame; its watermark goes with the last ones, and what it lost before the first."""
    columns = {name: getattr(one, name)[start:end] for name in ("tickers", "times_ns", "prices", "sizes")}
    watermark_ns = one.watermark_ns if end == len(one.tickers) else None
    return replace(one, **columns, watermark_ns=watermark_ns, lost_before_ns=None if start else one.lost_before_ns)


def joined(one: TickFrame, other: TickFrame) -> TickFrame:
    columns = {name: getattr(one, name) + getattr(other, name) for name in ("tickers", "times_ns", "prices", "sizes")}
    return replace(other, **columns)


def recut(log: list[TickFrame], cuts: list[int]) -> list[TickFrame]:
    """Send the same ticks and watermarks in the same order in other frames."""
    parts: list[TickFrame] = []
    for number, one in enumerate(log):
        cut, length = cuts[number % len(cuts)], len(one.tickers)
        last = parts[-1] if parts else None
        said_between = last is None or last.watermark_ns is not None or one.lost_before_ns is not None
        if cut == 0 and last and not said_between and (last.source, last.origin) == (one.source, one.origin):
            parts[-1] = replace(joined(last, one), lost_before_ns=last.lost_before_ns)
        elif cut and length > cut:
            parts += [part_of(one, start, min(start + cut, length)) for start in range(0, length, cut)]
        else:
            parts.append(one)
    writer = FrameWriter()
    for part in parts:
        writer.resend(part)
    return writer.frames


@given(any_scenario, some.lists(some.integers(0, 4), min_size=1, max_size=6))
@settings(max_examples=40)
def test_any_split_of_the_same_ticks_into_frames_gives_the_same(scenario: Scenario, cuts: list[int]) -> None:
    heard = Run(scenario.rules)
    log = [one for one in scenario.log if not heard.take(one).passed_over]
    whole, split = run_over(log, scenario.rules), run_over(recut(log, cuts), scenario.rules)
    assert content_of(split) == content_of(whole) == content_of(heard)
    assert bad_ticks_of(recut(log, cuts), split) == bad_ticks_of(log, whole)


@given(any_scenario)
@settings(max_examples=40)
def test_snapshot_and_restore_at_every_step_change_nothing(scenario: Scenario) -> None:
    undisturbed, restored = Run(scenario.rules), Run(scenario.rules)
    for one in scenario.log:
        absorbed = undisturbed.take(one)
        restored.through_snapshots()
        assert restored.take(one) == absorbed
        restored.through_snapshots()
        for ticker in undisturbed.states:
            assert restored.speak(ticker) == undisturbed.speak(ticker)
    assert restored.partition == undisturbed.partition


@given(any_scenario, some.data())
@settings(max_examples=60)
def test_replay_from_an_older_partition_offset_over_newer_ticker_states_changes_nothing(
    scenario: Scenario, data: some.DataObject
) -> None:
    """A process dies between its tickers' states and its partition's record, and reads on from the older record."""
    first = Run(scenario.rules)
    kept_tickers: list[dict[str, bytes]] = [{}]
    kept_records = [first.partition.snapshot()]
    for one in scenario.log:
        first.take(one)
        kept_tickers.append({ticker: state.snapshot() for ticker, state in first.states.items()})
        kept_records.append(first.partition.snapshot())
    at_record = data.draw(some.integers(0, len(scenario.log)))
    second = Run(scenario.rules, PartitionState.restore(kept_records[at_record]))
    at_ticker = {ticker: data.draw(some.integers(at_record, len(scenario.log)), label=ticker) for ticker in "ABC"}
    for ticker, at in at_ticker.items():
        if ticker in kept_tickers[at]:
            second.states[ticker] = TickerState.restore(kept_tickers[at][ticker])
    newer = {ticker for ticker, state in second.states.items() if state.offset > second.partition.offset}
    dirty: set[str] = set()
    for one in scenario.log[at_record:]:
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
    owed_bad = {bad for bad in first.bad if bad[0] >= at_ticker[scenario.log[bad[0]].tickers[bad[1]]]}
    assert owed_bad <= set(second.bad)


@given(any_scenario)
@settings(max_examples=30)
def test_events_of_a_ticker_rise_in_log_order_and_no_id_has_two_contents(scenario: Scenario) -> None:
    run = Run(scenario.rules)
    said: list[Features] = []
    for one in scenario.log:
        absorbed = run.take(one)
        words = [run.speak(ticker) for ticker in absorbed.touched]
        said += [*absorbed.features, *(word for word in words if word is not None)]
    assert len({event.id for event in said}) == len(said)
    for ticker in "ABC":
        places = [(event.source_offset, event.bar_index, not event.final) for event in said if event.ticker == ticker]
        assert places == sorted(set(places))


@given(any_scenario, some.lists(some.integers(0, 2**40), min_size=1, max_size=8))
@settings(max_examples=25)
def test_the_wall_clock_goes_nowhere_but_into_times_of_processing_even_if_it_jumps_back(
    scenario: Scenario, clock: list[int]
) -> None:
    run, calm = Run(scenario.rules), run_over(scenario.log, scenario.rules)
    for offset, one in enumerate(scenario.log):
        now_ns = clock[offset % len(clock)]
        absorbed = run.take(one, now_ns=now_ns)
        assert {bar.closed_at_ns for bar in absorbed.bars} <= {now_ns}
        assert {event.featured_at_ns for event in absorbed.features} <= {now_ns}
    assert [replace(bar, closed_at_ns=0) for bar in run.bars] == calm.bars
    assert [replace(event, featured_at_ns=0) for event in run.features] == calm.features
    assert (run.bad, run.partition, run.states) == (calm.bad, calm.partition, calm.states)
