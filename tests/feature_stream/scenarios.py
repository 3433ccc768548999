"""Logs of what goes wrong with time, by name: each strategy draws a log and the rules that it is read under."""

from dataclasses import dataclass
from itertools import accumulate

import hypothesis.strategies as some

from feature_stream.advance import StageRules
from schemas.events import Origin, TickFrame
from tests.feature_stream.frame_writer import DAY, SOURCES, FrameWriter
from tests.feature_stream.runs import Tick, rules

#: In eighths of a second; 24 of them are as far ahead as `_EARLY` allows.
_STEPS = (0, 1, 1, 2, 3, 5, 12, 24)
_LATENESS = some.sampled_from([0.0, 0.25, 1.0, 2.5])
_EARLY = some.sampled_from([None, 3.0])
_ORIGINS = some.sampled_from([Origin.NORMAL, Origin.NORMAL, Origin.FILLED, Origin.WARM_UP])
_SIZES = some.lists(some.integers(0, 6), min_size=1, max_size=6).filter(any)
_MARKED = some.lists(some.booleans(), min_size=1, max_size=5)


@dataclass
class Scenario:
    log: list[TickFrame]
    rules: StageRules


def _moves(tickers: str, steps: tuple[int, ...], most: int) -> some.SearchStrategy[list[tuple[int, str, int, int]]]:
    least = some.integers(0, most)
    a_move = some.tuples(
        some.sampled_from(steps), some.sampled_from(tickers), some.integers(1, 240), some.integers(0, 3)
    )
    return least.flatmap(lambda count: some.lists(a_move, min_size=count, max_size=most))


@some.composite
def on_time(draw: some.DrawFn, tickers: str = "ABC", steps: tuple[int, ...] = _STEPS, most: int = 36) -> list[Tick]:
    """Ticks in the order of their times, eighths of a second apart."""
    moves = draw(_moves(tickers, steps, most))
    times = accumulate((move[0] for move in moves[1:]), initial=0)
    return [(move[1], time / 8, move[2] / 4, move[3]) for move, time in zip(moves, times, strict=False)]


@some.composite
def delayed(draw: some.DrawFn, delays: tuple[float, ...], steps: tuple[int, ...] = _STEPS) -> list[Tick]:
    """Ticks of which each is some seconds on its way."""
    ticks = draw(on_time(steps=steps))
    delay = some.sampled_from(delays)
    delayed_by = draw(some.lists(delay, min_size=len(ticks), max_size=len(ticks)))
    arriving = sorted(zip(ticks, delayed_by, strict=True), key=lambda pair: pair[0][1] + pair[1])
    return [tick for tick, _ in arriving]


@some.composite
def writers(draw: some.DrawFn) -> FrameWriter:
    """A log to be written: empty, or with bars enough for every feature."""
    writer = FrameWriter()
    if draw(some.booleans()):
        writer.write_history()
    return writer


@some.composite
def noise(draw: some.DrawFn) -> Scenario:
    """Two sources, steps back, watermarks that nobody keeps, frames that come again."""
    steps = (-20, -5, -3, -1, 0, 0, 1, 1, 2, 3, 9, 24, 40)
    ticks, writer = draw(on_time(steps=steps, most=40)), draw(writers())
    while ticks:
        size = draw(some.integers(0, 6))
        part, ticks = ticks[:size], ticks[size:]
        watermark = draw(some.none() | some.integers(-12, 8)) if part or size == 0 else None
        newest = part[-1][1] if part else len(writer.frames) / 2
        writer.send(
            part,
            source=draw(some.sampled_from(SOURCES)),
            watermark=None if watermark is None else newest + watermark / 4,
            origin=draw(_ORIGINS),
        )
        if draw(some.integers(0, 9)) == 0:
            writer.frames.append(draw(some.sampled_from(writer.frames)))
        if len(writer.frames) > 60:
            break
    return Scenario(writer.frames, rules(lateness=draw(_LATENESS), early=draw(_EARLY)))


@some.composite
def late_ticks(draw: some.DrawFn) -> Scenario:
    """Some are late but in time for their bar, others too late."""
    writer = draw(writers())
    writer.send_all(draw(delayed((0, 0, 0, 0.25, 0.5, 1, 3, 8))), draw(_SIZES))
    return Scenario(writer.frames, rules(lateness=draw(_LATENESS)))


@some.composite
def out_of_order(draw: some.DrawFn) -> Scenario:
    """Ticks overtake each other within a bar and across several open ones, none more than the lateness."""
    lateness, writer = draw(some.sampled_from([0.5, 1.0, 2.5, 4.0])), draw(writers())
    delays = (0, 0, lateness / 4, lateness / 2, lateness)
    writer.send_all(draw(delayed(delays)), draw(_SIZES), draw(_MARKED))
    return Scenario(writer.frames, rules(lateness=lateness))


@some.composite
def jumping_clock(draw: some.DrawFn) -> Scenario:
    """A source's clock jumps ahead for some ticks and comes back."""
    ticks, writer = draw(on_time()), draw(writers())
    start = draw(some.integers(0, len(ticks)))
    end = start + draw(some.integers(1, 4))
    jump = draw(some.sampled_from([4.0, 30.0, 5_000.0]))
    jumped = [(name, time + jump, price, size) for name, time, price, size in ticks[start:end]]
    sizes = draw(_SIZES)
    writer.send_all([*ticks[:start], *jumped, *ticks[end:]], sizes)
    return Scenario(writer.frames, rules(lateness=draw(_LATENESS), early=draw(_EARLY)))


@some.composite
def announced_jump(draw: some.DrawFn) -> Scenario:
    """A source's time rightly jumps: its watermark goes first."""
    before, after = draw(on_time(most=18)), draw(on_time(most=18))
    writer, sizes = draw(writers()), draw(_SIZES)
    opens_at = (before[-1][1] if before else 0.0) + draw(some.sampled_from([4.0, 30.0, 5_000.0]))
    writer.send_all(before, sizes)
    writer.send(watermark=opens_at)
    writer.send_all([(name, opens_at + time, price, size) for name, time, price, size in after], sizes)
    return Scenario(writer.frames, rules(lateness=draw(_LATENESS), early=3.0))


@some.composite
def duplicates(draw: some.DrawFn) -> Scenario:
    """Frames that come again as they were, and ticks that are sent again under a new sequence."""
    plain, writer = draw(late_ticks()), FrameWriter()
    again = some.sampled_from(["no", "no", "same frame", "older frame", "same ticks"])
    for one in plain.log:
        writer.resend(one)
        match draw(again) if one.tickers and one.times_ns[0] >= 0 else "no":
            case "same frame":
                writer.frames.append(writer.frames[-1])
            case "older frame":
                writer.frames.append(draw(some.sampled_from(writer.frames)))
            case "same ticks":
                writer.resend(one)
    return Scenario(writer.frames, plain.rules)


@some.composite
def quiet_ticker(draw: some.DrawFn) -> Scenario:
    """A falls silent in mid-bar, while B goes on or not, and comes back in this bar or many bars later."""
    writer, sizes, marked = draw(writers()), draw(_SIZES), draw(_MARKED)
    before, meanwhile = draw(on_time(most=12)), draw(on_time("B", (1, 3, 9, 20), most=16))
    falls_at = before[-1][1] + 0.125 if before else 0.125
    back_at = falls_at + draw(some.sampled_from([0.25, 1.0, 2.0, 40.0, 90.0]))
    others = [(name, falls_at + time, price, size) for name, time, price, size in meanwhile]
    back = [("A", back_at + number / 4, 9.0 + number, 1.0) for number in range(draw(some.integers(1, 5)))]
    writer.send_all([*before, ("A", falls_at, 7.0, 1.0)], sizes)
    writer.send_all(sorted([*others, *back], key=lambda tick: tick[1]), sizes, marked)
    return Scenario(writer.frames, rules(lateness=draw(_LATENESS)))


@some.composite
def closing_market(draw: some.DrawFn) -> Scenario:
    """Daily bars from half past two to nine, no weekends; after most days a watermark, late ticks in the night."""
    writer = FrameWriter()
    if draw(some.booleans()):
        writer.write_history(seconds=DAY)
    for day in (number for number in range(draw(some.integers(1, 9))) if number % 7 < 5):
        ticks = draw(on_time("AB", (0, 1_000, 9_000, 30_000), most=8))
        opens_at = day * DAY + 14.5 * 3_600
        hours = [(name, min(opens_at + time, day * DAY + 75_600), price, size) for name, time, price, size in ticks]
        writer.send_all(hours, draw(_SIZES))
        if draw(some.integers(0, 3)):
            writer.send(watermark=(day + 1) * DAY)
        if draw(some.integers(0, 3)) == 0:
            writer.send([("A", day * DAY + 75_600, 5.0, 1.0)])
    return Scenario(writer.frames, rules("1d", lateness=draw(some.sampled_from([0.0, 3_600.0]))))


@some.composite
def two_sources(draw: some.DrawFn) -> Scenario:
    """Two sources of the same tickers, each behind the other at times, with own watermarks; one goes silent."""
    writer = draw(writers())
    parts: dict[str, list[TickFrame]] = {}
    for source in SOURCES:
        log = FrameWriter()
        log.send_all(draw(on_time(most=20)), draw(_SIZES), draw(_MARKED), source)
        parts[source] = log.frames
    silent_after = draw(some.integers(0, len(parts["two"])))
    parts["two"] = parts["two"][:silent_after]
    while parts["one"] or parts["two"]:
        ready = [source for source in SOURCES if parts[source]]
        writer.resend(parts[draw(some.sampled_from(ready))].pop(0))
    return Scenario(writer.frames, rules(lateness=draw(_LATENESS), early=draw(_EARLY)))


@some.composite
def lost_ticks(draw: some.DrawFn) -> Scenario:
    """A source says here and there that some ticks before a time are missing, in the midst of a bar or between two."""
    writer = draw(writers())
    parts = {source: draw(on_time(most=24)) for source in SOURCES[: draw(some.integers(1, 2))]}
    while any(parts.values()):
        source = draw(some.sampled_from([name for name, ticks in parts.items() if ticks]))
        size = draw(some.integers(1, 5))
        part, parts[source] = parts[source][:size], parts[source][size:]
        lost = draw(some.none() | some.sampled_from([-0.5, 0.0, 0.125, 1.0, 3.0]))
        marked = draw(some.booleans()) and parts[source]
        writer.send(
            part if lost is None or draw(some.booleans()) else [],
            source=source,
            lost_before=None if lost is None else part[0][1] + lost,
            watermark=parts[source][0][1] if marked else None,
        )
    return Scenario(writer.frames, rules(lateness=draw(_LATENESS), early=draw(_EARLY)))


SCENARIOS = {
    strategy.__name__: strategy()
    for strategy in (
        noise,
        late_ticks,
        out_of_order,
        jumping_clock,
        announced_jump,
        duplicates,
        quiet_ticker,
        closing_market,
        two_sources,
        lost_ticks,
    )
}
any_scenario = some.one_of(*SCENARIOS.values())
