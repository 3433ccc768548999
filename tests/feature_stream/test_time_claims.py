"""What lateness, clocks, silence and a second source must not change: a log beside the same log without the trouble."""

import dataclasses
from itertools import cycle

import hypothesis.strategies as some
from hypothesis import given, settings
from msgspec.structs import replace

from schemas.events import Bar, Features, TickFrame
from tests.feature_stream.frame_writer import DAY, FrameWriter
from tests.feature_stream.runs import MIDNIGHT, SECOND, Run, Tick, rules, run_over
from tests.feature_stream.said import by_ticker
from tests.feature_stream.scenarios import (
    Scenario,
    announced_jump,
    closing_market,
    delayed,
    duplicates,
    jumping_clock,
    late_ticks,
    on_time,
    quiet_ticker,
)

END = 10_000.0

_LATENESS = some.sampled_from([0.0, 0.25, 1.0, 2.5])
_JUMPS = some.sampled_from([5.0, 60.0, 5_000.0])


@some.composite
def _frames_of(draw: some.DrawFn, ticker: str, source: str) -> list[TickFrame]:
    writer = FrameWriter()
    sizes = draw(some.lists(some.integers(1, 4), min_size=1, max_size=4))
    marked = draw(some.lists(some.booleans(), min_size=1, max_size=4))
    writer.send_all(draw(on_time(ticker, most=20)), sizes, marked, source)
    return writer.frames


def content_of(run: Run) -> dict[str, list[Bar | Features]]:
    """Each ticker's bars and features without offsets."""
    said: dict[str, list[Bar | Features]] = {}
    events: list[Bar | Features] = [*run.bars, *run.features]
    for event in events:
        said.setdefault(event.ticker, []).append(replace(event, source_offset=0, ingested_at_ns=0))
    return said


def without_bad(log: list[TickFrame], run: Run) -> list[TickFrame]:
    """Give the log as if the bad ticks of a run had never been sent."""
    bad = {(offset, index) for offset, index, _ in run.bad}
    clean = []
    for offset, one in enumerate(log):
        kept = [index for index in range(len(one.tickers)) if (offset, index) not in bad]
        columns = {name: [getattr(one, name)[index] for index in kept] for name in ("tickers", "times_ns", "prices")}
        clean.append(replace(one, **columns, sizes=[one.sizes[index] for index in kept]))
    return clean


def sent(ticks: list[Tick], lateness: float = 0.0) -> Run:
    run = Run(rules(lateness=lateness))
    run.send(*ticks)
    run.send(watermark=END)
    return run


@given(delayed((0.0, 0.25, 0.5, 1.0, 2.5), steps=(1, 1, 2, 3, 12)), some.sampled_from([2.5, 4.0]))
@settings(max_examples=30)
def test_ticks_no_later_than_the_lateness_give_what_they_give_in_order(ticks: list[Tick], lateness: float) -> None:
    run = sent(ticks, lateness)
    assert not run.bad
    assert content_of(run) == content_of(sent(sorted(ticks, key=lambda tick: tick[1]), lateness))


@given(late_ticks())
@settings(max_examples=30)
def test_late_ticks_change_nothing_at_all(scenario: Scenario) -> None:
    run = run_over(scenario.log, scenario.rules)
    clean = run_over(without_bad(scenario.log, run), scenario.rules)
    assert not clean.bad
    assert (clean.bars, clean.features, clean.states) == (run.bars, run.features, run.states)


@given(jumping_clock())
@settings(max_examples=30)
def test_early_ticks_change_nothing_at_all(scenario: Scenario) -> None:
    bounded = dataclasses.replace(scenario.rules, early_ns=3 * SECOND)
    run = run_over(scenario.log, bounded)
    run.bad = [bad for bad in run.bad if bad[2] == "early"]
    clean = run_over(without_bad(scenario.log, run), bounded)
    assert (clean.bars, clean.features) == (run.bars, run.features)
    assert (clean.states, clean.partition) == (run.states, run.partition)


@given(on_time(most=20), some.sampled_from("AB"), _JUMPS, _LATENESS)
@settings(max_examples=30)
def test_without_a_bound_one_tick_ahead_ends_its_own_tickers_past_and_no_other(
    ticks: list[Tick], jumper: str, jump: float, lateness: float
) -> None:
    middle = len(ticks) // 2
    before, after = ticks[:middle], ticks[middle:]
    ahead = (ticks[-1][1] if ticks else 0.0) + jump
    run, calm = sent([*before, (jumper, ahead, 9, 1), *after], lateness), sent(ticks, lateness)
    past = [number for number, tick in enumerate(after, middle + 1) if tick[0] == jumper]
    assert run.bad == [(0, number, "late") for number in past]
    others = {"A", "B", "C"} - {jumper}
    assert restricted(run, others) == restricted(calm, others)


def restricted(run: Run, tickers: set[str]) -> dict[str, list[Bar | Features]]:
    return {ticker: events for ticker, events in content_of(run).items() if ticker in tickers}


@given(announced_jump())
@settings(max_examples=30)
def test_a_source_that_says_that_it_jumps_loses_no_tick_and_one_that_does_not_loses_all(scenario: Scenario) -> None:
    assert not any(reason == "early" for _, _, reason in run_over(scenario.log, scenario.rules).bad)
    silent = [replace(one, watermark_ns=None) for one in scenario.log]
    (opens_ns,) = (one.watermark_ns for one in scenario.log if one.watermark_ns is not None)
    run = run_over(silent, scenario.rules)
    times = [time_ns for one in scenario.log for time_ns in one.times_ns]
    early = [(o, i) for o, one in enumerate(silent) for i, time_ns in enumerate(one.times_ns) if time_ns >= opens_ns]
    if times and min(times) < opens_ns:
        assert [(offset, index) for offset, index, reason in run.bad if reason == "early"] == early


@given(duplicates())
@settings(max_examples=30)
def test_a_frame_that_comes_again_changes_nothing(scenario: Scenario) -> None:
    run = Run(scenario.rules)
    fresh = [one for one in scenario.log if not run.take(one).passed_over]
    assert content_of(run) == content_of(run_over(fresh, scenario.rules))
    sequences = [one.sequence for one in fresh]
    assert sequences == list(range(len(fresh)))


@given(on_time(), _LATENESS)
@settings(max_examples=30)
def test_a_tick_that_is_sent_twice_counts_twice(ticks: list[Tick], lateness: float) -> None:
    twice = [tick for tick in ticks for _ in range(2)]
    once = [
        replace(bar, source_offset=0, volume=2 * bar.volume, tick_count=2 * bar.tick_count)
        for bar in sent(ticks, lateness).bars
    ]
    run = Run(rules(lateness=lateness))
    for tick in twice:
        run.send(tick)
    run.send(watermark=END)
    assert not run.bad
    assert by_ticker(replace(bar, source_offset=0) for bar in run.bars) == by_ticker(once)


@given(quiet_ticker())
@settings(max_examples=30)
def test_silence_makes_no_bars(scenario: Scenario) -> None:
    run = run_over(scenario.log, scenario.rules)
    traded = {
        (name, time // SECOND) for one in scenario.log for name, time in zip(one.tickers, one.times_ns, strict=True)
    }
    assert {(bar.ticker, bar.start_ns // SECOND) for bar in run.bars} <= traded
    for bars in by_ticker(run.bars).values():
        assert [bar.bar_index for bar in bars] == list(range(1, len(bars) + 1))


@given(on_time(most=24), on_time(most=24), some.integers(1, 4_000))
@settings(max_examples=20)
def test_indicators_know_bars_and_not_how_long_a_silence_was(before: list[Tick], after: list[Tick], bars: int) -> None:
    close, far = _with_silence(before, after, 1), _with_silence(before, after, bars)
    assert [event.indicators for event in far.features] == [event.indicators for event in close.features]
    assert [event.model_inputs for event in far.features] == [event.model_inputs for event in close.features]


def _with_silence(before: list[Tick], after: list[Tick], bars: int) -> Run:
    run, writer = Run(rules()), FrameWriter()
    writer.write_history()
    last = int(before[-1][1]) if before else 0
    writer.send(before, watermark=last + 1)
    writer.send([(name, last + bars + time, price, size) for name, time, price, size in after], watermark=END)
    for one in writer.frames:
        run.take(one)
    return run


@given(closing_market())
@settings(max_examples=20)
def test_a_day_is_closed_by_the_word_that_it_is_over_or_by_the_next_one_and_weekends_have_no_bars(
    scenario: Scenario,
) -> None:
    run = run_over(scenario.log, scenario.rules)
    days = [(bar.start_ns - MIDNIGHT) // round(DAY * SECOND) for bar in run.bars]
    assert all(day % 7 < 5 for day in days if day >= 0)
    for bar, day in zip(run.bars, days, strict=True):
        closing = scenario.log[bar.source_offset]
        said_over = closing.watermark_ns is not None and closing.watermark_ns >= bar.end_ns
        moved_on = any(
            time_ns >= bar.end_ns + scenario.rules.lateness_ns
            for name, time_ns in zip(closing.tickers, closing.times_ns, strict=True)
            if name == bar.ticker
        )
        assert said_over or moved_on, day
        told = [one.watermark_ns for one in scenario.log[: bar.source_offset] if one.watermark_ns]
        assert max(told, default=0) < bar.end_ns, "an earlier word was not heard"


@given(_frames_of("A", "one"), _frames_of("B", "two"), some.lists(some.booleans(), min_size=1, max_size=9), _LATENESS)
@settings(max_examples=30)
def test_what_a_source_says_is_no_word_on_another_sources_ticker(
    ours: list[TickFrame], theirs: list[TickFrame], turns: list[bool], lateness: float
) -> None:
    alone = run_over(ours, rules(lateness=lateness, early=3.0))
    together = Run(alone.rules)
    queues = {True: list(ours), False: list(theirs)}
    for turn in cycle([*turns, True, False]):
        if queues[turn]:
            together.take(queues[turn].pop(0))
        if not any(queues.values()):
            break
    assert content_of(together).get("A") == content_of(alone).get("A")
