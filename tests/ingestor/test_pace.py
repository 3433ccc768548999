"""How fast a source is played."""

import asyncio

import pytest

from ingestor.sources.pace import Pace
from tests.ingestor.clocks import ManualClock

_SECOND = 10**9


async def _until(pace: Pace, *times_ns: int) -> list[int]:
    return [reached async for reached in _chain(pace, times_ns)]


async def _chain(pace: Pace, times_ns: tuple[int, ...]):  # type: ignore[no-untyped-def]
    for time_ns in times_ns:
        async for reached in pace.until(time_ns):
            yield reached


async def _step(pace: Pace, units: float) -> int:
    """Take a step; count how often it came back while it waited."""
    return len([None async for _ in pace.step(units)])


def test_steps_are_spread_by_speed_and_do_not_drift_with_the_time_that_work_takes() -> None:
    clock = ManualClock()
    pace = Pace(2.0, clock, clock.sleep)

    async def play() -> None:
        for _ in range(4):
            await _step(pace, 0.5)
            clock.seconds += 0.1  # work

    asyncio.run(play())
    assert clock.slept == pytest.approx([0.15] * 3)


def test_after_a_standstill_the_play_goes_on_without_a_burst() -> None:
    clock = ManualClock()
    pace = Pace(1.0, clock, clock.sleep)

    async def play() -> None:
        await _step(pace, 1)
        clock.seconds += 60
        for _ in range(3):
            await _step(pace, 1)

    asyncio.run(play())
    assert clock.slept == pytest.approx([1.0])  # one second of the minute is caught up, no more


def test_a_long_step_comes_back_once_a_second() -> None:
    clock = ManualClock()
    pace = Pace(0.1, clock, clock.sleep)

    async def play() -> list[int]:
        return [await _step(pace, 0.25) for _ in range(3)]

    assert asyncio.run(play()) == [0, 2, 2]
    assert sum(clock.slept) == pytest.approx(5.0)


def test_speed_zero_never_waits() -> None:
    clock = ManualClock()
    pace = Pace(0, clock, clock.sleep)
    asyncio.run(_step(pace, 1.0))
    assert asyncio.run(_until(pace, 0, 3_600 * _SECOND)) == []
    assert clock.slept == []


def test_event_times_are_played_at_their_distance_and_a_quiet_time_says_every_second_how_far_it_is() -> None:
    clock = ManualClock()
    start_seconds = clock.seconds
    pace = Pace(10.0, clock, clock.sleep)
    reached = asyncio.run(_until(pace, 100 * _SECOND, 101 * _SECOND, 131 * _SECOND))
    assert clock.seconds - start_seconds == pytest.approx(3.1)
    assert reached == pytest.approx([111 * _SECOND, 121 * _SECOND], abs=1_000)


def test_event_times_that_go_back_are_played_at_once_and_do_not_slow_the_rest() -> None:
    clock = ManualClock()
    start_seconds = clock.seconds
    asyncio.run(_until(Pace(1.0, clock, clock.sleep), 10 * _SECOND, 9 * _SECOND, 11 * _SECOND))
    assert clock.seconds - start_seconds == pytest.approx(1.0)
