"""A gap as the stage and the outcomes see it: filled, and where history does not fill it."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest

from ingestor.frames import FrameBuilder, ResumePoint
from ingestor.positions import PositionText
from ingestor.sources.bar_play import PlayedBar
from schemas.events import Bar, Origin
from schemas.times import NS_PER_SECOND, bar_start_ns
from tests.feature_stream.runs import Run, rules
from tests.feature_stream.settling import Settling, prediction
from tests.ingestor.live_play import BEGIN_NS, MINUTE_NS, LivePlay
from tests.ingestor.providers.alpaca import FakeAlpaca
from tests.ingestor.providers.fake import until

_MINUTE = bar_start_ns(BEGIN_NS, MINUTE_NS)


async def test_bars_cut_by_a_gap_are_partial_and_a_minute_that_history_completed_is_whole(tmp_path: Path) -> None:
    bars = await _bars_around_a_gap(tmp_path, filled=False)
    assert [(bar.start_ns - _MINUTE, bar.partial, bar.origin, bar.volume) for bar in bars] == [
        (0, False, Origin.FILLED, 10.0),
        (MINUTE_NS, True, Origin.NORMAL, 1.0),
        (2 * MINUTE_NS, False, Origin.FILLED, 10.0),
        (3 * MINUTE_NS, False, Origin.NORMAL, 1.0),
    ]


async def test_where_history_has_nothing_although_ticks_came_the_gap_is_not_filled(tmp_path: Path) -> None:
    fake = FakeAlpaca()
    async with fake.running():
        play = LivePlay(fake, tmp_path)
        async with play.playing():
            await play.connected()
            await _send(play, second=15)
            await _send(play, second=62)  # the minute before it waits for history
    assert [moment.lost_before_ns for moment in play.moments if moment.rejected] == [_MINUTE + MINUTE_NS]
    assert play.count("tickcast_source_gaps_total", result="filled") == 0


async def test_of_a_ticker_that_history_lacks_although_it_ticked_the_gap_is_said_and_the_others_are_filled(
    tmp_path: Path,
) -> None:
    fake = FakeAlpaca()
    fake.history["AAPL"] = {_MINUTE: PlayedBar("AAPL", 100.0, 101.0, 99.0, 100.0, 10.0)}
    async with fake.running():
        play = LivePlay(fake, tmp_path)
        async with play.playing():
            await play.connected()
            await fake.send(("MSFT", play.clock(), 200.0, 1.0, 1))
            await _send(play, second=15)
            await _send(play, second=62)
    [gap] = [bad for moment in play.moments for bad in moment.rejected]
    assert msgspec.json.decode(gap.value)["tickers"] == ["MSFT"]
    assert {moment.lost_before_ns for moment in play.moments} == {None}
    assert play.count("tickcast_source_gaps_total", result="filled") == 1
    assert play.bars()["AAPL"][_MINUTE].volume == 10.0


async def test_a_tick_from_the_future_does_not_make_a_young_stream_wait_for_its_history(tmp_path: Path) -> None:
    fake = FakeAlpaca()
    async with fake.running():
        play = LivePlay(fake, tmp_path)
        async with play.playing():
            await play.connected()
            await fake.send(("AAPL", play.clock() + 24 * 3_600 * NS_PER_SECOND, 100.0, 1.0, 1))
            await _send(play, second=15)
    assert play.clock() < _MINUTE + MINUTE_NS, "who waits jumps with the clock"


@pytest.mark.parametrize(("filled", "reason", "origin"), [(True, None, "filled"), (False, "partial", "normal")])
async def test_predictions_made_before_a_gap_settle_from_filled_bars_and_do_not_count_where_one_is_cut(
    tmp_path: Path, filled: bool, reason: str | None, origin: str
) -> None:
    settling = Settling()
    for bar in await _bars_around_a_gap(tmp_path, filled=filled):
        settling.take(bar)
        said: dict[str, Any] = {"as_of_ns": bar.end_ns, "current_price": bar.close}
        settling.take(prediction(bar.bar_index, "AAPL", horizons=[1, 2, 5], **said))
    before = {said["horizon"]: said for said in settling.said.values() if said["bar_index"] == 1}
    assert {horizon: said["unscored_reason"] for horizon, said in before.items()} == {1: reason, 2: reason}
    assert before[1]["origin"] == origin
    assert [len(one.horizons) for one in settling.ledgers["AAPL"].open] == [1, 1, 2, 3], "the others stay open"


async def _bars_around_a_gap(folder: Path, *, filled: bool) -> list[Bar]:
    """Play four minutes with a gap in the second and third of them, and give their bars."""
    fake = FakeAlpaca()
    for minute in range(4):
        bar = PlayedBar("AAPL", 100.0, 101.0, 99.0, 100.0, 10.0)
        fake.history.setdefault("AAPL", {})[_MINUTE + minute * MINUTE_NS] = bar
    async with fake.running():
        play = LivePlay(fake, folder)
        async with play.playing():
            await play.connected()
            await _send(play, second=15)
            await _send(play, second=62)  # history completes the minute before it
            await until(lambda: len(_bars(play)) >= 1, what="the first bar")
            fake.answers = [] if filled else [(500, None)] * 4  # then it answers again
            await fake.drop()
            play.clock.jump(90)
            await play.connected(2)
            await _send(play, second=155)
            await _send(play, second=181)
            await _send(play, second=241)
            await until(lambda: len(_bars(play)) >= 4, what="the last bar")
    return _bars(play)


async def _send(play: LivePlay, second: float) -> None:
    """Send a tick at a second after the first minute began."""
    time_ns = _MINUTE + int(second * NS_PER_SECOND)
    play.clock.jump((time_ns - play.clock()) / NS_PER_SECOND)
    said = len(play.moments)
    await play.fake.send(("AAPL", time_ns, 100.0, 1.0, int(second)))
    heard: Callable[[], bool] = lambda: any(time_ns in moment.times_ns for moment in play.moments[said:])  # noqa: E731
    await until(heard, what=f"the tick at {second} s")


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
