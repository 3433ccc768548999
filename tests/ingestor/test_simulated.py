"""Made-up ticks."""

import asyncio
from collections import defaultdict

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingestor.sources.moments import Moment, Position
from ingestor.sources.simulated import SimulatedSource
from ingestor.sources.walks import KNOWN_TICKERS, SimulatedOptions, Walks, simulated_tickers
from schemas.events import Origin
from schemas.symbols import is_ticker
from tests.ingestor.clocks import ManualClock
from tests.ingestor.fold import ticks_of


def _options(rate: float = 100.0, count: int = 10, seed: int = 1) -> SimulatedOptions:
    return SimulatedOptions(simulated_tickers(count), rate, seed, "1m")


def _play(
    options: SimulatedOptions,
    seconds: float,
    after: Position | None = None,
    last_prices: dict[str, float] | None = None,
    stall_seconds: float = 0.0,
) -> list[Moment]:
    """Play for so long on a clock of our own, which a slow broker may hold up after every moment."""
    clock = ManualClock()
    start = clock.seconds

    async def gather() -> list[Moment]:
        moments: list[Moment] = []
        source = SimulatedSource(options, lambda: int(clock.seconds * 1e9), clock.sleep)
        async for moment in source.ticks(after, last_prices or {}):
            if clock.seconds >= start + seconds:
                break
            moments.append(moment)
            clock.seconds += stall_seconds
        return moments

    return asyncio.run(gather())


def test_the_well_known_tickers_come_first_and_all_are_symbols_once() -> None:
    tickers = simulated_tickers(5_000)
    assert tickers[:10] == KNOWN_TICKERS
    assert simulated_tickers(3) == KNOWN_TICKERS[:3]
    assert len(set(tickers)) == 5_000
    assert all(is_ticker(ticker) for ticker in simulated_tickers(100_000)[::997])


@pytest.mark.parametrize("rate", [0.5, 3.0, 100.0, 20_000.0])
def test_the_rate_is_kept_and_times_are_the_clocks_and_never_go_back(rate: float) -> None:
    moments = _play(_options(rate), 4.0)
    times = [time for _, time, _, _ in ticks_of(moments)]
    assert len(times) == pytest.approx(4.0 * rate, abs=max(2.0, rate * 0.01))
    assert times == sorted(times)
    assert min(times) >= 1_000 * 10**9
    assert max(times) <= 1_004 * 10**9
    assert {moment.origin for moment in moments} == {Origin.SIMULATED}


@pytest.mark.parametrize("rate", [0.1, 3.0, 20_000.0])
def test_a_watermark_comes_every_second_and_no_later_tick_lies_before_it(rate: float) -> None:
    moments = _play(_options(rate), 6.0)
    reached, marks = 0, []
    for moment in moments:
        assert all(time >= reached for time in moment.times_ns)
        if moment.watermark_ns is not None:
            reached = moment.watermark_ns
            marks.append(moment.watermark_ns / 1e9)
    assert len(marks) >= 4
    assert np.diff(marks).max() <= 1.1


def test_prices_walk_from_tick_to_tick_of_each_ticker() -> None:
    prices = defaultdict(list)
    for ticker, _, price, size in ticks_of(_play(_options(5_000.0, count=7), 4.0)):
        prices[ticker].append(price)
        assert size >= 1
    assert len(prices) == 7
    for walk in prices.values():
        assert 0 < np.abs(np.diff(np.log(walk))).max() < 0.001
        assert len(set(walk)) > 10


@given(st.lists(st.integers(0, 40), min_size=1, max_size=20), st.integers(1, 30))
def test_the_same_seed_gives_the_same_ticks_however_they_are_cut_into_batches(counts: list[int], tickers: int) -> None:
    def ticks(*batches: int) -> list[tuple[str, float, float]]:
        walks = Walks(_options(count=tickers), 7, {})
        return [row for count in batches for row in zip(*walks.ticks(count), strict=True)]

    assert ticks(*counts) == ticks(sum(counts)) == ticks(*[1] * sum(counts))


def test_the_same_seed_gives_the_same_ticks_and_another_gives_others() -> None:
    assert ticks_of(_play(_options(seed=1), 1.0)) == ticks_of(_play(_options(seed=1), 1.0))
    assert ticks_of(_play(_options(seed=1), 1.0)) != ticks_of(_play(_options(seed=2), 1.0))


def test_it_goes_on_at_the_next_position_from_the_prices_of_the_log_with_other_steps() -> None:
    first = _play(_options(), 1.0)
    positions = [moment.position for moment in first]
    assert positions == sorted(set(positions))
    last_prices = {ticker: price for ticker, _, price, _ in ticks_of(first)}
    again = _play(_options(), 1.0, after=first[-1].position, last_prices=last_prices)
    assert again[0].position > first[-1].position
    assert again[0].watermark_ns == min(again[1].times_ns), "a jump of time sends its watermark first"
    for ticker, _, price, _ in ticks_of(again)[:10]:
        assert price == pytest.approx(last_prices[ticker], rel=0.01)
    assert [row[2] for row in ticks_of(again)] != [row[2] for row in ticks_of(first)]


def test_a_slow_broker_makes_it_leave_ticks_out_and_not_fall_behind_for_ever() -> None:
    moments = _play(_options(10_000.0), 60.0, stall_seconds=2.0)
    newest = moments[-1].times_ns[-1] / 1e9
    assert newest > 1_000 + 50
