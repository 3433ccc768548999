"""A gap that history does not fill: the bars that it cuts are partial, those that history completed are whole."""

from collections.abc import Callable
from pathlib import Path

from ingestor.frames import FrameBuilder, ResumePoint
from ingestor.positions import PositionText
from ingestor.sources.bar_play import PlayedBar
from schemas.events import Bar, Origin
from schemas.times import NS_PER_SECOND, bar_start_ns
from tests.feature_stream.runs import Run, rules
from tests.ingestor.live_play import BEGIN_NS, MINUTE_NS, LivePlay
from tests.ingestor.providers.alpaca import FakeAlpaca
from tests.ingestor.providers.fake import until

_MINUTE = bar_start_ns(BEGIN_NS, MINUTE_NS)


async def test_bars_cut_by_a_gap_are_partial_and_a_minute_that_history_completed_is_whole(tmp_path: Path) -> None:
    fake = FakeAlpaca()
    for minute in range(4):
        bar = PlayedBar("AAPL", 100.0, 101.0, 99.0, 100.0, 10.0)
        fake.history.setdefault("AAPL", {})[_MINUTE + minute * MINUTE_NS] = bar
    async with fake.running():
        play = LivePlay(fake, tmp_path)
        async with play.playing():
            await play.connected()
            await _send(play, second=15)
            await _send(play, second=62)  # history completes the minute before it
            await until(lambda: _closed(play, 1), what="the first bar")
            fake.answers = [(500, None)] * 4  # then it answers again
            await fake.drop()
            play.clock.jump(90)
            await play.connected(2)
            await _send(play, second=155)
            await _send(play, second=181)
            await _send(play, second=241)
            await until(lambda: _closed(play, 4), what="the last bar")
    assert [(bar.start_ns - _MINUTE, bar.partial, bar.origin, bar.volume) for bar in _bars(play)] == [
        (0, False, Origin.FILLED, 10.0),
        (MINUTE_NS, True, Origin.NORMAL, 1.0),
        (2 * MINUTE_NS, False, Origin.FILLED, 10.0),
        (3 * MINUTE_NS, False, Origin.NORMAL, 1.0),
    ]


async def _send(play: LivePlay, second: float) -> None:
    """Send a tick at a second after the first minute began."""
    time_ns = _MINUTE + int(second * NS_PER_SECOND)
    play.clock.jump((time_ns - play.clock()) / NS_PER_SECOND)
    said = len(play.moments)
    await play.fake.send(("AAPL", time_ns, 100.0, 1.0, int(second)))
    heard: Callable[[], bool] = lambda: any(time_ns in moment.times_ns for moment in play.moments[said:])  # noqa: E731
    await until(heard, what=f"the tick at {second} s")


def _closed(play: LivePlay, count: int) -> bool:
    return len(_bars(play)) >= count


def _bars(play: LivePlay) -> list[Bar]:
    """Give the bars that the stage makes of what was said."""
    run = Run(rules("1m"))
    builder = FrameBuilder("live", [ResumePoint()], 512, PositionText({}).write)
    for moment in play.moments:
        for _, frame in builder.add(moment, 0):
            run.take(frame)
    for _, frame in builder.take():
        run.take(frame)
    return run.bars
