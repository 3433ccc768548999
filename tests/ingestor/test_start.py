"""Where a source resumes."""

import asyncio

import pytest

from ingestor.frames import FrameBuilder, NumberedFrame, ResumePoint
from ingestor.positions import PositionText
from ingestor.sources.moments import Position
from ingestor.sources.simulated import SimulatedSource
from ingestor.sources.walks import SimulatedOptions, simulated_tickers
from ingestor.start import Start
from tests.ingestor.clocks import ManualClock
from tests.ingestor.fold import ticks_of_frames

_POSITIONS = PositionText({"source": "test"})


def _start(*places: Position | None, live: bool) -> Start:
    return Start([ResumePoint(9, place) for place in places], _POSITIONS, {}, live)


def test_a_source_that_can_be_played_again_resumes_where_the_furthest_behind_is() -> None:
    assert _start((3,), (5,), live=False).after == (3,)
    assert _start(None, (5,), live=False).after is None
    assert _start(None, (5,), live=False).places == [(5,)]


def test_a_live_source_resumes_after_the_furthest_ahead() -> None:
    assert _start((3,), (5,), live=True).after == (5,)
    assert _start(None, (5,), live=True).after == (5,)
    assert _start(None, None, live=True).after is None


@pytest.mark.parametrize("places", [[(100,)] * 4, [(100,), (140,), (140,), (140,)], [None, (400,), (400,), (400,)]])
def test_no_tick_of_a_live_source_is_taken_for_one_that_a_partition_has(places: list[Position | None]) -> None:
    start = _start(*places, live=True)
    clock = ManualClock()
    source = SimulatedSource(
        SimulatedOptions(simulated_tickers(10), 1_000.0, 1, "1m"), lambda: int(clock.seconds * 1e9), clock.sleep
    )
    builder = FrameBuilder("simulated", start.points, 512, _POSITIONS.write)

    async def play() -> tuple[int, list[NumberedFrame]]:
        made, frames = 0, []
        async for moment in source.ticks(start.after, {}):
            if clock.seconds > 1_002:
                break
            made += len(moment.tickers)
            frames += builder.add(moment, 1)
        return made, frames + builder.take()

    made, frames = asyncio.run(play())
    assert made > 1_000
    assert len(ticks_of_frames(frames)) == made
