"""What is particular to Alpaca; what holds for every provider is in test_providers.py."""

import asyncio
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest

from ingestor.sources.bar_play import PlayedBar
from ingestor.sources.live.known import KnownTicks
from ingestor.sources.live.provider import LiveTick, ProviderAwayError
from ingestor.sources.providers.alpaca import AlpacaSettings
from schemas.errors import StopAndSayError
from schemas.settings import load_settings
from schemas.times import from_rfc3339, interval_ns
from tests.ingestor.fold import FoldedBar
from tests.ingestor.live_play import BEGIN_NS, MINUTE_NS, LivePlay
from tests.ingestor.providers.alpaca import FakeAlpaca

_DAY_NS = interval_ns("1d")


@pytest.mark.parametrize(
    ("code", "words", "error"),
    [
        (401, "not authenticated", StopAndSayError),
        (402, "auth failed", StopAndSayError),
        (405, "symbol limit exceeded", StopAndSayError),
        (406, "connection limit exceeded", ProviderAwayError),
        (407, "slow client", ProviderAwayError),
        (409, "insufficient subscription", StopAndSayError),
        (410, "invalid subscribe action for this feed", StopAndSayError),
        (500, "internal error", ProviderAwayError),
    ],
)
async def test_a_streams_error_stops_where_trying_again_would_not_help(
    tmp_path: Path, code: int, words: str, error: type[Exception]
) -> None:
    fake = FakeAlpaca()
    fake.error = (code, words)
    async with fake.running():
        with pytest.raises(error, match=f"{code}: {words}"):
            await anext(LivePlay(fake, tmp_path).provider.ticks(["AAPL"]))


@pytest.mark.parametrize("greeting", [[], [{"msg": "connected"}], [7]])
async def test_another_greeting_is_that_of_a_provider_that_is_away(tmp_path: Path, greeting: list[object]) -> None:
    fake = FakeAlpaca()
    fake.greeting = greeting
    async with fake.running():
        with pytest.raises(ProviderAwayError, match="greeting"):
            await anext(LivePlay(fake, tmp_path).provider.ticks(["AAPL"]))


async def test_minute_bars_are_played_as_ticks_that_fold_to_them_and_close_when_they_have_come(tmp_path: Path) -> None:
    fake = FakeAlpaca("bars")
    async with fake.running():
        play = LivePlay(fake, tmp_path)
        async with play.playing():
            await play.connected()
            play.clock.jump(60)
            start_ns = play.clock() // MINUTE_NS * MINUTE_NS
            for minute, price in enumerate((10.0, 20.0)):
                bar = PlayedBar("AAPL", price, price + 2, price - 1, price + 1, 101.0)
                play.clock.jump((start_ns + (minute + 1) * MINUTE_NS - play.clock()) / 1e9 + 1.5)
                await fake.send_bar(bar, start_ns + minute * MINUTE_NS)
                await play.heard(4 * (minute + 1))
    assert play.bars()["AAPL"] == {
        start_ns: FoldedBar(10.0, 12.0, 9.0, 11.0, 101.0, 4),
        start_ns + MINUTE_NS: FoldedBar(20.0, 22.0, 19.0, 21.0, 101.0, 4),
    }
    assert play.moments[-1].watermark_ns == start_ns + 2 * MINUTE_NS


async def test_a_trade_is_known_by_its_number_at_its_exchange_on_its_day(tmp_path: Path) -> None:
    fake = FakeAlpaca()
    async with fake.running():
        provider = LivePlay(fake, tmp_path).provider
        trades = provider.ticks(["AAPL"])
        await anext(trades)
        known, heard = KnownTicks(provider.traits.identity_ticks), []
        for exchange, time_ns in (("V", BEGIN_NS), ("Q", BEGIN_NS), ("V", BEGIN_NS), ("V", BEGIN_NS + _DAY_NS)):
            fake.exchange = exchange
            await fake.send(("AAPL", time_ns, 100.0, 1.0, 7))
            heard += await asyncio.wait_for(anext(trades), 10)
        await trades.aclose()
    assert [known.came_before(trade) for trade in heard if isinstance(trade, LiveTick)] == [False, False, True, False]


async def test_a_daily_bar_starts_at_midnight_utc_although_new_yorks_day_begins_later(tmp_path: Path) -> None:
    fake = FakeAlpaca()
    fake.day_begins_ns = 5 * 3_600 * 10**9
    days_ns = [from_rfc3339(day) for day in ("2026-11-23", "2026-11-24")]
    fake.history = {"AAPL": {day_ns: PlayedBar("AAPL", 1.0, 2.0, 0.5, 1.5, 9.0) for day_ns in days_ns}}
    async with fake.running():
        provider = LivePlay(fake, tmp_path).provider
        bars = await provider.history(["AAPL"], days_ns[0], days_ns[1] + _DAY_NS, "1d")
    assert bars["AAPL"].start_ns.tolist() == days_ns
    asked = parse_qs(urlsplit(fake.requests[0]).query)
    assert (asked["adjustment"], asked["limit"]) == (["all"], ["10000"])


@pytest.mark.parametrize("prefix", ["", "TICKCAST_"])
def test_keys_come_by_alpacas_own_variables_and_by_ours_and_are_not_shown(
    prefix: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv(f"{prefix}APCA_API_KEY_ID", "PKfromenvironment")
    monkeypatch.setenv(f"{prefix}APCA_API_SECRET_KEY", "secretfromenvironment")
    settings = load_settings(AlpacaSettings)
    assert settings.apca_api_key_id.get_secret_value() == "PKfromenvironment"
    assert settings.apca_api_secret_key.get_secret_value() == "secretfromenvironment"
    assert "fromenvironment" not in repr(settings)


async def test_who_has_no_key_is_told_what_to_set(tmp_path: Path) -> None:
    fake = FakeAlpaca()
    async with fake.running():
        calls = LivePlay(fake, tmp_path).calls
        with pytest.raises(StopAndSayError, match="APCA_API_KEY_ID and APCA_API_SECRET_KEY"):
            fake.provider(calls, key="")
