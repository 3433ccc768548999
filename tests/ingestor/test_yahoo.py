"""What is particular to Yahoo; what holds for every provider is in test_providers.py."""

import asyncio
import os
import sys
from asyncio.subprocess import PIPE
from pathlib import Path

import pytest

from ingestor.sources.bar_play import PlayedBar
from ingestor.sources.live.provider import ProviderAwayError
from schemas.times import NS_PER_SECOND, from_rfc3339, interval_ns
from tests.ingestor.fold import ticks_of
from tests.ingestor.live_play import BEGIN_NS, MINUTE_NS, LivePlay
from tests.ingestor.providers.yahoo import FakeYahoo

_DAY_NS = interval_ns("1d")
_HOUR_NS = interval_ns("1h")


def _bar(price: float, volume: float = 9.0) -> PlayedBar:
    return PlayedBar("AAPL", price, price + 2, price - 0.5, price + 1, volume)


async def test_sizes_are_what_the_volume_of_the_day_grew_by(tmp_path: Path) -> None:
    fake = FakeYahoo()
    async with fake.running():
        play = LivePlay(fake, tmp_path)
        told = [(1, 1_000), (3, 1_300), (2, 1_200), (4, 1_350), (5, 40), (6, 50)]
        async with play.playing():
            await play.connected()
            for second, day_volume in told:
                await fake.send_price("AAPL", BEGIN_NS + second * NS_PER_SECOND, 219.2684, day_volume)
            await play.heard(len(told))
    assert [size for _, _, _, size in ticks_of(play.moments)] == [0.0, 300.0, 0.0, 50.0, 0.0, 10.0]
    assert {price for _, _, price, _ in ticks_of(play.moments)} == {219.2684}


@pytest.mark.parametrize(("hours", "prices"), [("regular", [101.0]), ("all", [100.0, 101.0, 102.0])])
async def test_prices_outside_of_the_regular_hours_come_only_where_that_is_wanted(
    tmp_path: Path, hours: str, prices: list[float]
) -> None:
    fake = FakeYahoo(hours)
    async with fake.running():
        play = LivePlay(fake, tmp_path)
        async with play.playing():
            await play.connected()
            for fake.market_hours in (0, 2, 1):
                number = fake.market_hours
                await fake.send_price("AAPL", BEGIN_NS + number * NS_PER_SECOND, 100.0 + number, 1_000 + number)
            await play.heard(len(prices))
        await play.provider.history(["AAPL"], BEGIN_NS - MINUTE_NS, BEGIN_NS, "1m")
    assert sorted(price for _, _, price, _ in ticks_of(play.moments)) == prices


async def test_minutes_are_asked_for_week_by_week_as_far_back_as_it_has_them(tmp_path: Path) -> None:
    fake, start_ns = FakeYahoo(), from_rfc3339("2026-10-01T14:00:00Z")
    fake.history = {"AAPL": {start_ns + day * _DAY_NS: _bar(10.0 + day) for day in range(40)}}
    fake.first_s = (start_ns + 15 * _DAY_NS) // NS_PER_SECOND
    last_price_s = (start_ns + 39 * _DAY_NS) // NS_PER_SECOND + 37
    fake.extra_rows = [(last_price_s - 37 + 60, None), (last_price_s, 77.0)]
    async with fake.running():
        provider = LivePlay(fake, tmp_path).provider
        bars = (await provider.history(["AAPL"], start_ns, start_ns + 40 * _DAY_NS, "1m"))["AAPL"]
    assert bars.start_ns.tolist() == [start_ns + day * _DAY_NS for day in range(19, 40)]
    assert len(fake.requests) == 4
    assert 77.0 not in bars.close.tolist()


async def test_hours_are_made_of_five_minutes_for_its_own_begin_at_half_past(tmp_path: Path) -> None:
    fake, start_ns = FakeYahoo(), from_rfc3339("2026-11-24T14:30:00Z")
    fake.history = {"AAPL": {start_ns + step * 5 * MINUTE_NS: _bar(10.0 + step, 3.0) for step in range(9)}}
    async with fake.running():
        provider = LivePlay(fake, tmp_path).provider
        bars = (await provider.history(["AAPL"], start_ns - _HOUR_NS, start_ns + 2 * _HOUR_NS, "1h"))["AAPL"]
    first_ns = from_rfc3339("2026-11-24T14:00:00Z")
    assert bars.start_ns.tolist() == [first_ns, first_ns + _HOUR_NS]
    rows = zip(bars.open, bars.high, bars.low, bars.close, bars.volume, strict=True)
    assert [tuple(map(float, row)) for row in rows] == [(10.0, 17.0, 9.5, 16.0, 18.0), (16.0, 20.0, 15.5, 19.0, 9.0)]


@pytest.mark.parametrize(("offset_seconds", "begins_seconds"), [(-18_000, 52_200), (39_600, -3_600)])
async def test_a_daily_bar_has_its_exchanges_date_and_is_adjusted_for_dividends(
    tmp_path: Path, offset_seconds: int, begins_seconds: int
) -> None:
    fake = FakeYahoo()
    fake.offset_seconds, fake.day_begins_ns, fake.dividend = offset_seconds, begins_seconds * NS_PER_SECOND, 0.5
    days_ns = [from_rfc3339(day) for day in ("2026-11-23", "2026-11-24")]
    fake.history = {"AAPL": {day_ns: _bar(10.0) for day_ns in days_ns}}
    async with fake.running():
        provider = LivePlay(fake, tmp_path).provider
        bars = await provider.history(["AAPL", "MSFT"], days_ns[0], days_ns[1] + _DAY_NS, "1d")
    assert sorted(bars) == ["AAPL"]
    assert bars["AAPL"].start_ns.tolist() == days_ns
    columns = bars["AAPL"]
    assert [float(each[0]) for each in (columns.open, columns.high, columns.low, columns.close, columns.volume)] == [
        5.0,
        6.0,
        4.75,
        5.5,
        9.0,
    ]


async def test_what_takes_us_for_a_robot_is_asked_again_for_there_is_no_key(tmp_path: Path) -> None:
    fake = FakeYahoo()
    fake.answers = [(401, None), (403, None)]
    async with fake.running():
        assert await LivePlay(fake, tmp_path).provider.history(["AAPL"], BEGIN_NS - MINUTE_NS, BEGIN_NS, "1m") == {}
        fake.refuses_streams = True
        with pytest.raises(ProviderAwayError, match="answers 403"):
            await anext(LivePlay(fake, tmp_path).provider.ticks(["AAPL"]))
    assert len(fake.requests) == 3


@pytest.mark.slow
async def test_a_trainer_can_ask_though_tensorflow_shows_its_libcurl_to_the_whole_process(tmp_path: Path) -> None:
    fake, day_ns = FakeYahoo(), from_rfc3339("2026-11-23")
    fake.day_begins_ns, fake.history = 52_200 * NS_PER_SECOND, {"AAPL": {day_ns: _bar(10.0)}}
    code = f"""
import tensorflow
from ingestor.sources.history import load_history
print(load_history("yahoo", "1d", ["AAPL"], {day_ns}, {day_ns + _DAY_NS})["AAPL"].close.tolist())
"""
    async with fake.running():
        settings = {
            "TICKCAST_YAHOO_DATA_URL": f"http://127.0.0.1:{fake.port}",
            "TICKCAST_SOURCE_BUDGET_DIRECTORY": str(tmp_path),
        }
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-c", code, env=os.environ | settings, stdout=PIPE, stderr=PIPE
        )
        out, errors = await asyncio.wait_for(process.communicate(), 120)
    assert process.returncode == 0, errors.decode()[-2_000:]
    assert out.decode().splitlines()[-1] == "[11.0]"
